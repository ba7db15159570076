/* Several classifiers on one test set: the accuracy of each, the difference of each pair, a chart,
 * and for models all files of a comparison. */
#ifndef LP_REPORT_COMPARISON_H
#define LP_REPORT_COMPARISON_H

#include <stdio.h>
#include "base/memory.h"
#include "base/text.h"
#include "linprobe/run.h"
#include "report/chart.h"
#include "report/data_words.h"
#include "report/table.h"

/* The level of significance, after Holm's correction. */
#define LP_SIGNIFICANCE 0.05
#define LP_SIGNIFICANCE_TEXT LP_STRING(LP_SIGNIFICANCE)

/* One of the classifiers.  The strings and the run are the caller's. */
typedef struct lp_contestant {
    const char *name;        /* as the user knows it */
    const char *probe;       /* path of a probe, or NULL */
    const char *predictions; /* path of another program's predictions, .npy of integers [N] */
    const char *test;        /* path of the test features, or NULL */
    const lp_run *run;       /* of a model, or NULL */
    /* filled in by lp_comparison_add */
    int64_t *predicted; /* [N]; NULL of several labels an image, as correct and interval are 0 */
    size_t correct;
    lp_interval interval;  /* Wilson, of correct / N */
    double reported;       /* published accuracy of the same inputs, in percent; NaN: none known */
    double mean_per_class; /* accuracy */
    lp_ranking ranking;    /* NaN for predictions, which have no scores */
    lp_trained_rows trained_rows; /* rows of the test set that the probe was trained on */
} lp_contestant;

typedef struct lp_comparison {
    lp_memory memory;           /* that all of it lies in */
    size_t added;               /* contestants so far */
    size_t count;               /* N */
    int64_t *labels;            /* [N], or */
    int8_t *marks;              /* [N, classes] of several labels an image: no pair is tested */
    size_t classes;             /* of the marks */
    lp_set_metric metric;       /* by which results on the set are published */
    char title[LP_DATA_TITLE];  /* of the set */
    lp_contestant *contestants; /* [room] */
    lp_paired *pairs;           /* of (0, 1), (0, 2), ... (1, 2), ... */
    double *adjusted;           /* p of each pair after Holm's correction */
    size_t pair_count;
} lp_comparison;

/* Which tables are printed. */
typedef enum lp_comparison_table {
    LP_COMPARISON_AUTO, /* both; in CSV, which has room for one, runs of models, pairs of probes */
    LP_COMPARISON_RUNS,
    LP_COMPARISON_PAIRS
} lp_comparison_table;
extern const char *const lp_comparison_table_names[]; /* "auto", "runs", "pairs", NULL */

LP_MUST_USE lp_status lp_comparison_init(lp_comparison *c, size_t room, lp_error *err);
void lp_comparison_clear(lp_comparison *c);

/* Adds the next contestant: predicts by `probe`, or reads its predictions where probe is NULL.
 * LP_ERR_ARGUMENT: its test set does not hold the same examples in the same order. */
LP_MUST_USE lp_status lp_comparison_add(lp_comparison *c, const lp_contestant *contestant,
                                        const lp_probe *probe, const lp_features *test,
                                        size_t threads, lp_error *err);

/* The value of the set's metric, as a fraction, and its interval; NaN where there is none. */
double lp_contestant_value(const lp_comparison *c, const lp_contestant *contestant,
                           lp_interval *interval);

/* Compares every pair of those that were added; of several labels an image none. */
LP_MUST_USE lp_status lp_comparison_pairs(lp_comparison *c, lp_error *err);

/* Writes the accuracies as bars, with what others reported, to a .png or .svg file. */
LP_MUST_USE lp_status lp_comparison_draw(const lp_comparison *c, const char *path, lp_error *err);

/* Prints one table, or both.  LP_ERR_UNSUPPORTED: the pairs of several labels an image. */
LP_MUST_USE lp_status lp_comparison_print(const lp_comparison *c, FILE *out, lp_format format,
                                          lp_comparison_table table, lp_error *err);

/* A comparison of models, and what was the same for all of them. */
typedef struct lp_comparison_report {
    const lp_comparison *comparison;
    const char *command;
    const lp_dataset *train, *test;
    bool normalize;
    bool sweep; /* C was chosen for each model; otherwise it was C */
    double C;
} lp_comparison_report;

/* Writes compare.json, compare.csv, pairs.csv, compare.png, compare.svg and compare.html. */
LP_MUST_USE lp_status lp_comparison_write(const lp_comparison_report *report, const char *folder,
                                          lp_error *err);

#endif
