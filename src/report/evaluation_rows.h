/* What an evaluation found, as rows for tables and as one document that pages and pictures are made
 * from; docs/FORMATS.md describes it.  Accuracies, shares and errors are in percent. */
#ifndef LP_REPORT_EVALUATION_ROWS_H
#define LP_REPORT_EVALUATION_ROWS_H

#include "base/json_row.h"
#include "linprobe/evaluation.h"
#include "report/table.h"

/* Two keys, "<prefix>low" and "<prefix>high": an interval times `scale`. */
void lp_row_interval(lp_row *row, const char *prefix, lp_interval interval, double scale);

/* In percent; NaN of nothing.  100 part / whole is rounded once: 61.75, not 61.75000000000001. */
double lp_percent(size_t part, size_t whole);

/* The names of all K classes, or their numbers where the test set has none: one block, released by
 * lp_free; NULL when memory is short. */
const char **lp_evaluation_names(const lp_evaluation *evaluation);

/* The confusion between superclasses [G, G], released by lp_free; NULL when memory is short. */
size_t *lp_evaluation_groups(const lp_evaluation *evaluation);

/* "shared_rows": how many rows of the test set the probe was trained on; "shared_rows_at_least"
 * where it knows only a part of them, nothing where it knows none. */
void lp_row_trained(lp_row *row, const lp_trained_rows *rows);

/* "roc_auc" and "map_11", in percent; nothing where they are not defined. */
void lp_row_ranking(lp_row *row, const lp_ranking *ranking);

/* The tables, as arrays of objects; new references, NULL when memory is short.
 *   summary     one: images, correct, top1, top1_low, top1_high, top5 and mean_per_class likewise,
 *               calibration_error, log_loss, log_loss_low, log_loss_high, roc_auc, map_11,
 * shared_rows classes     one a class: class, name, images, correct, accuracy, low, high, predicted
 *   confusion   one a cell that is not 0: label, name, predicted, predicted_name, count, share
 *   confused    the LP_MOST_CONFUSED largest off the diagonal: the same and low, high
 *   calibration one a bin: from, to, images, correct, accuracy, low, high, confidence
 *   superclasses one a superclass: superclass, name, images, correct, accuracy, low, high */
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

/* A score as an object: images, correct, top1, top1_low, top1_high, top5, mean_per_class; the
 * accuracies in percent.  lp_score_columns are what of it a table shows. */
json_t *lp_score_json(const lp_score *score);
extern const lp_column lp_score_columns[];
extern const size_t lp_score_column_count;

/* All of it: format, linprobe, command, probe (its training record) and test; then summary,
 * classes, confused (100), calibration, confusion as a list of K lists of K counts, and
 * superclasses: names and the same matrix, or null.  docs/FORMATS.md describes it. */
LP_MUST_USE lp_status lp_evaluation_write(const lp_evaluation *evaluation, const lp_probe *probe,
                                          const char *command, const char *path, lp_error *err);

/* The document without where it came from; NULL when memory is short. */
json_t *lp_evaluation_document(const lp_evaluation *evaluation);

#endif
