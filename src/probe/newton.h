/* Newton's directions for the dense objectives, by conjugate gradients. */
#ifndef LP_PROBE_NEWTON_H
#define LP_PROBE_NEWTON_H

#include "probe/dense_objective.h"
#include "probe/entries.h"

typedef struct lp_newton lp_newton;

/* The share of a class's mean p (1 - p) by which lp_newton_pays counts entries. */
#define LP_NEWTON_SHARE 0.1

/* Where directions are wanted.  The entries are those of this point. */
typedef struct lp_newton_point {
    const bool *wanted;     /* [models] */
    const double *C;        /* [models] */
    const double *weight;   /* [K] sums of p (1 - p) over the rows */
    const double *gradient; /* [K, D] in the basis */
    const double *accuracy; /* [models] share of the gradient, in the preconditioner's norm, that
                               the solution of the Newton equations may leave */
} lp_newton_point;

/* What the work costs, and so how many entries a row are worth while: a pass with more than this
 * on average is as fast for all classes. */
size_t lp_newton_entries_per_row(const lp_problem *problem);

/* Whether Newton's directions pay near these parameters [K, D]: whether the second derivative of a
 * sample has few enough entries, and the blocks fit.  Then weight [K], if not NULL, is an estimate
 * of the sums of p (1 - p) over all rows. */
LP_MUST_USE lp_status lp_newton_pays(const lp_dense *dense, const double *parameters, bool *pays,
                                     double *weight, lp_error *err);

/* A solver in `memory`, with lp_newton_entries(); NULL without memory, which the caller checks. */
lp_newton *lp_newton_new(const lp_dense *dense, lp_memory *memory);
lp_entries *lp_newton_entries(const lp_newton *newton);

/* direction [K, D] in the basis, of the wanted models.  *passes += what it took, in passes over
 * the data. */
LP_MUST_USE lp_status lp_newton_direction(lp_newton *newton, const lp_newton_point *at,
                                          double *direction, double *passes, lp_error *err);

#endif
