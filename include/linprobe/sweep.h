/* linprobe/sweep.h: choosing the regularisation strength C on validation data.
 *
 *     lp_sweep_options options;
 *     lp_sweep_defaults(&options);           // the CLIP paper's search, 10 % held out
 *     lp_sweep *sweep;
 *     lp_sweep_run(&train, NULL, &options, &sweep, &err);
 *     double C = sweep->points[sweep->best].C;
 *     ... fit on train + validation with C, score once on test ...
 *     lp_sweep_free(sweep);
 *
 * No test set comes near: a sweep takes none, and its validation data are part of the training data
 * or are given as such.
 */
#ifndef LINPROBE_SWEEP_H
#define LINPROBE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/probe.h"
#include "linprobe/stats.h"
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum lp_sweep_protocol {
    LP_SWEEP_SEARCH, /* arXiv 2103.00020, appendix A.3: every second decade, then half the step
                        round the peak, until it is that of the grid */
    LP_SWEEP_GRID    /* every point of the grid */
} lp_sweep_protocol;

/* The protocols' names, in the order of lp_sweep_protocol, and NULL behind the last: "search",
 * "grid". */
extern const char *const lp_sweep_protocol_names[];

/* The grid: C = 10^(low + i / steps), i = 0 .. (high - low) * steps. */
typedef struct lp_sweep_options {
    lp_sweep_protocol protocol; /* default LP_SWEEP_SEARCH */
    int low, high;              /* decades of C, default -6 and 6; low < high */
    size_t steps;               /* a decade, default 8; a power of two for LP_SWEEP_SEARCH */
    double held_out;            /* share of every class for validation, default 0.1 */
    size_t folds;               /* >= 2: k-fold cross-validation instead; default 0 */
    uint64_t seed;              /* of the split, default 0 */
    lp_fit_options fit;         /* C is not looked at; progress is called before each fit */
    const char *work; /* folder that keeps what is done, so that the same sweep resumes; or NULL */
    const char *identity; /* digest of the data, recorded in the folder; NULL = "" */
} lp_sweep_options;

typedef struct lp_sweep_point {
    double C;
    size_t correct, count; /* validation examples, over all folds */
    double accuracy;
    lp_interval interval; /* Wilson, 95 % */
    size_t iterations;    /* the largest of any fold */
    size_t passes;        /* sum over the folds */
    bool converged;       /* in every fold */
} lp_sweep_point;

typedef struct lp_sweep {
    lp_sweep_point *points; /* [count], by rising C */
    size_t count;
    size_t best;    /* most correct; the smallest C (strongest regularisation) on a tie */
    bool at_edge;   /* the best C is the smallest or largest of the range */
    size_t resumed; /* points that were in the work folder */
} lp_sweep;

void lp_sweep_defaults(lp_sweep_options *options);

/* Runs the sweep.  validation NULL: held out of train, or folds of it; otherwise train is for
 * fitting alone.  Fits start from the solution of the nearest C done before.  LP_CANCELLED when
 * the progress callback said so: finished points are in the work folder.  LP_ERR_ARGUMENT when the
 * work folder belongs to another sweep, LP_ERR_IO when another process works in it.  Needs a copy
 * of the training part of train. */
LP_MUST_USE lp_status lp_sweep_run(const lp_examples *train, const lp_examples *validation,
                                   const lp_sweep_options *options, lp_sweep **sweep,
                                   lp_error *err);
void lp_sweep_free(lp_sweep *sweep);

#ifdef __cplusplus
}
#endif
#endif
