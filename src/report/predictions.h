/* What a probe says of each example, as a table and as an array. */
#ifndef LP_REPORT_PREDICTIONS_H
#define LP_REPORT_PREDICTIONS_H

#include <stdint.h>
#include "linprobe/probe.h"
#include "report/table.h"

enum { LP_TOP_MOST = 20 };

typedef enum lp_prediction_values {
    LP_VALUES_PROBABILITIES,
    LP_VALUES_LOGITS
} lp_prediction_values;

/* Their names in the order of the enum, and NULL behind the last. */
extern const char *const lp_prediction_value_names[];

/* Zeros, but for the first members, which the caller sets; lp_predictions_clear. */
typedef struct lp_predictions {
    const lp_probe *probe;
    lp_format format;
    const char *const *class_names; /* [named] */
    size_t named;
    bool of_files;    /* rows have a file, not a number */
    size_t top;       /* likely classes with their probabilities; 0: only the first */
    bool keep_values; /* for lp_predictions_write_array */
    lp_prediction_values values;
    /* what was added */
    json_t *rows;
    size_t count, labelled, correct;
    double *array; /* [count, K] */
    size_t room;
    double *scratch; /* [K] */
} lp_predictions;

/* Adds an example: logits float64 [K]; file NULL: its number is its name; label -1: it has none. */
LP_MUST_USE lp_status lp_predictions_add(lp_predictions *p, const char *file, int64_t label,
                                         const double *logits, lp_error *err);

/* The table:
 *   file or row, label, prediction, name, probability, and of the likely classes in text "cat
 * 0.912, dog 0.050", in CSV prediction_2, name_2, probability_2 and so on, in JSON an array of
 * objects. Without `top` there are no probabilities.  Printing takes over the rows. */
void lp_predictions_print(lp_predictions *p, FILE *out);

/* The same into a file, as CSV or JSON. */
LP_MUST_USE lp_status lp_predictions_write(lp_predictions *p, const char *path, lp_error *err);

/* The kept values as .npy, float64 [N, K], rows as the table's. */
LP_MUST_USE lp_status lp_predictions_write_array(const lp_predictions *p, const char *path,
                                                 lp_error *err);
void lp_predictions_clear(lp_predictions *p);

#endif
