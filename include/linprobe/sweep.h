/* linprobe/sweep.h: choosing the regularisation strength C on validation data.
 *
 * lp_sweep_defaults, lp_sweep_run, then a fit on all training data with the C that it chose, scored
 * once on the test set.
 *
 *     #include <stdio.h>
 *     #include "linprobe/sweep.h"
 *
 *     int main(void) {
 *         const float x[8] = {0, 1, 2, 3, 4, 5, 6, 7};     // N = 8 examples of F = 1 feature
 *         const int64_t labels[8] = {0, 0, 0, 1, 0, 1, 1, 1};
 *         lp_examples train = {8, 1, 2, x, labels};
 *         lp_sweep_options options;
 *         lp_sweep *sweep;
 *         lp_error err;
 *         lp_sweep_defaults(&options);                     // the CLIP paper's search
 *         options.held_out = 0.25;                         // of each class, for validation
 *         if (lp_sweep_run(&train, NULL, &options, &sweep, &err) != LP_OK) {
 *             fprintf(stderr, "%s\n", err.text);
 *             return 1;
 *         }
 *         printf("C = %g\n", sweep->points[sweep->best].C);
 *         lp_sweep_free(sweep);
 *         return 0;
 *     }
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
    lp_sweep_protocol protocol;  /* default LP_SWEEP_SEARCH */
    int low, high;               /* decades of C, default -6 and 6; low < high */
    size_t steps;                /* a decade, default 8; a power of two for LP_SWEEP_SEARCH */
    double held_out;             /* share of every class for validation, default 0.1 */
    size_t folds;                /* >= 2: k-fold cross-validation instead; default 0 */
    const bool *validation_rows; /* [N] which rows of train are held out instead; NULL (default): by
                                    the share or the folds */
    uint64_t seed;               /* of the split, default 0 */
    lp_fit_options fit;          /* its C is not used; progress, in points, is called before each
                                    fit and during it */
    const char *work; /* folder that keeps what is done, so that the same sweep resumes; or NULL */
    const char *identity; /* digest of the data, recorded in the folder; NULL = "" */
} lp_sweep_options;

typedef struct lp_sweep_point {
    double C;
    size_t correct, count; /* validation examples, over all folds */
    double value; /* by which C is chosen: correct / count; of several labels an image, whose
                     correct is 0, the 11-point mAP, as the mean over the folds, by their images */
    lp_interval interval; /* Wilson, 95 %, of correct / count; NaN of several labels */
    size_t iterations;    /* of the rough fit and the exact one; the largest of any fold */
    size_t passes;        /* of both, sum over the folds */
    double gap;     /* bound on it (lp_fit_report), the largest of any fold; < 0: says nothing */
    bool exact;     /* fitted to the tolerance; else to 1e-3, which shows that it isn't the best */
    bool converged; /* in every fold, to that */
} lp_sweep_point;

typedef struct lp_sweep {
    lp_sweep_point *points; /* [count], by rising C */
    size_t count;
    bool multilabel; /* of several labels an image (linprobe/multilabel.h) */
    size_t best;     /* largest value; the smallest C (strongest regularisation) on a tie */
    bool at_edge;    /* the best C is the smallest or largest of the range */
    size_t resumed;  /* points that were in the work folder */
} lp_sweep;

void lp_sweep_defaults(lp_sweep_options *options);

/* Runs the sweep.  Points are fitted roughly at first (softmax, ovr), and to the tolerance where
 * the choice may rest on them: docs/NUMERICS.md, "Choosing C".  validation NULL: held out of train,
 * or folds of it; otherwise train is for fitting alone.  Fits of the dense solvers start from the
 * solution of the nearest C done before. Needs a copy of the training part of train.  On failure
 * *sweep is NULL, and finished points stay in the work folder. LP_ERR_ARGUMENT: an option is out of
 * its range, or the work folder belongs to another sweep. LP_ERR_DATA: as lp_probe_fit and
 * lp_probe_score, or nothing can be held out.  LP_ERR_FORMAT: a file in the work folder is damaged.
 * LP_ERR_IO: the folder cannot be written, or another process works in it.  LP_ERR_MEMORY.
 * LP_CANCELLED: progress returned false.  A fit that does not converge is no failure: see
 * lp_sweep_point.converged. */
LP_MUST_USE lp_status lp_sweep_run(const lp_examples *train, const lp_examples *validation,
                                   const lp_sweep_options *options, lp_sweep **sweep,
                                   lp_error *err);
void lp_sweep_free(lp_sweep *sweep);

#ifdef __cplusplus
}
#endif
#endif
