/* What an evaluation found, as rows for tables and as one document that pages and pictures are made
 * from; docs/FORMATS.md describes it.  Accuracies, shares and errors are in percent. */
#ifndef LP_REPORT_EVALUATION_H
#define LP_REPORT_EVALUATION_H

#include "base/json.h"
#include "linprobe/features.h"
#include "linprobe/stats.h"
#include "report/table.h"

typedef struct lp_evaluation {
    const lp_features *test;
    size_t classes; /* K of the probe */
    lp_probability probability;
    lp_metrics metrics;
    size_t *correct_of; /* [K] */
    size_t *count_of;   /* [K] */
    int64_t *predicted; /* [N] */
    double *confidence; /* [N] probability of the prediction */
    size_t *confusion;  /* [K, K] */
    size_t groups;      /* superclasses that the test set names; 0 = none */
    size_t *group_of;   /* [K] */
    json_t *group_names;
} lp_evaluation;

/* Evaluates, which needs 8 K^2 bytes.  The test set must outlive the result, which
 * lp_evaluation_free takes apart. */
LP_MUST_USE lp_status lp_evaluation_run(const lp_probe *probe, const lp_features *test,
                                        lp_probability probability, size_t threads,
                                        lp_evaluation *evaluation, lp_error *err);
void lp_evaluation_free(lp_evaluation *evaluation);

/* The names of all K classes, or their numbers where the test set has none: one block, released by
 * lp_free; NULL when memory is short. */
const char **lp_evaluation_names(const lp_evaluation *evaluation);

/* Arrays of objects; new references.  NULL when memory is short.
 *   summary     one: images, correct, top1, top1_low, top1_high, top5 and mean_per_class likewise,
 *               calibration_error, log_loss, log_loss_low, log_loss_high
 *   classes     one a class: class, name, images, correct, accuracy, low, high, predicted
 *   confusion   one a cell that is not 0: label, name, predicted, predicted_name, count, share
 *   confused    the `most` largest of them off the diagonal: the same and low, high
 *   calibration one a bin: from, to, images, correct, accuracy, low, high, confidence
 *   superclasses one a superclass: superclass, name, images, correct, accuracy, low, high */
json_t *lp_evaluation_summary(const lp_evaluation *evaluation);
json_t *lp_evaluation_classes(const lp_evaluation *evaluation);
json_t *lp_evaluation_confusion(const lp_evaluation *evaluation);
json_t *lp_evaluation_confused(const lp_evaluation *evaluation, size_t most);
json_t *lp_evaluation_calibration(const lp_evaluation *evaluation);
json_t *lp_evaluation_superclasses(const lp_evaluation *evaluation);

/* The same as tables: confused has the first LP_MOST_CONFUSED pairs. */
typedef enum lp_evaluation_table {
    LP_TABLE_SUMMARY,
    LP_TABLE_CLASSES,
    LP_TABLE_CONFUSED,
    LP_TABLE_CONFUSION,
    LP_TABLE_CALIBRATION,
    LP_TABLE_SUPERCLASSES
} lp_evaluation_table;
#define LP_MOST_CONFUSED 20

json_t *lp_evaluation_rows(const lp_evaluation *evaluation, lp_evaluation_table table);
const lp_column *lp_evaluation_columns(lp_evaluation_table table, size_t *count);

/* All of it: summary, classes, confused (100), calibration, confusion as a list of K lists of K
 * counts, and superclasses: names and the same matrix, or null. */
json_t *lp_evaluation_document(const lp_evaluation *evaluation);

#endif
