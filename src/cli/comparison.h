/* Several probes on one test set: the accuracy of each, every pair's difference, the chart. */
#ifndef LP_CLI_COMPARISON_H
#define LP_CLI_COMPARISON_H

#include "base/json.h"
#include "cli/options.h"
#include "linprobe/linprobe.h"
#include "report/chart.h"
#include "report/table.h"

/* The level of significance, after Holm's correction. */
#define COMPARISON_LEVEL 0.05
#define COMPARISON_LEVEL_TEXT CLI_STRING(COMPARISON_LEVEL)

typedef enum comparison_table {
    COMPARISON_AUTO, /* both where they can stand side by side */
    COMPARISON_RUNS,
    COMPARISON_PAIRS
} comparison_table;
extern const char *const comparison_table_names[]; /* "auto", "runs", "pairs", NULL */

typedef struct comparison {
    size_t runs;
    const char **names;  /* [runs] as the user knows them; the caller's strings */
    size_t added;        /* runs so far */
    size_t count;        /* N */
    int64_t *labels;     /* [N] */
    int64_t **predicted; /* [runs] of [N] */
    json_t *run_rows;
    json_t *pair_rows;
} comparison;

LP_MUST_USE lp_status comparison_init(comparison *c, size_t runs, lp_error *err);
void comparison_clear(comparison *c);

/* Predicts and scores the next run; every run's test set must hold the same examples in the same
 * order.  Where probe is NULL its predictions are read: a .npy file of integers [N].  *row, an
 * element of run_rows, may be given further members; it belongs to c. */
LP_MUST_USE lp_status comparison_add(comparison *c, const char *name, const lp_probe *probe,
                                     const char *predictions, const lp_features *test,
                                     size_t threads, json_t **row, lp_error *err);

/* Compares every pair of the runs that were added. */
LP_MUST_USE lp_status comparison_pairs(comparison *c, lp_error *err);

/* The accuracies as bars, with what others reported. */
LP_MUST_USE lp_status comparison_chart(const comparison *c, lp_chart **chart, lp_error *err);

extern const lp_column comparison_pair_columns[];
extern const size_t comparison_pair_column_count;

/* Prints one table, or both; COMPARISON_AUTO in CSV, which has room for one, is `in_csv`. */
void comparison_print(const comparison *c, lp_format format, comparison_table table,
                      comparison_table in_csv, const lp_column *run_columns,
                      size_t run_column_count);

#endif
