/* What the features' covariance says about the curvature of the objectives: a basis in which it is
 * diagonal, and a preconditioner from it.  The mathematics stands in curvature.c. */
#ifndef LP_PROBE_CURVATURE_H
#define LP_PROBE_CURVATURE_H

#include "base/memory.h"
#include "probe/solver.h"

/* Eigenvectors and eigenvalues of the covariance of x within the classes. */
typedef struct lp_basis {
    size_t width;      /* F */
    double *vectors;   /* [F, F], one a row; NULL for the features' own axes, where F is large */
    double *values;    /* [F] >= 0 */
    float *covariance; /* [F, F] itself, the lower triangle at least; NULL where vectors is */
} lp_basis;

/* class_sums [K, F] as by lp_pass_class_sums.  The basis lies in `memory`. */
LP_MUST_USE lp_status lp_basis_init(lp_basis *basis, const lp_problem *problem,
                                    const double *class_sums, lp_memory *memory, lp_error *err);

/* Rows of `from` [rows, F] to the basis, or from it. */
typedef enum lp_turn { LP_TO_BASIS, LP_FROM_BASIS } lp_turn;
LP_MUST_USE lp_status lp_basis_turn(const lp_basis *basis, lp_turn where, const double *from,
                                    size_t rows, double *to, size_t threads, lp_error *err);

/* For one value of C.  A model's parameters are its weights in the basis and t, with the intercept
 * scale * t: scale 1 and penalty 0 where it is free, scale `bias` and penalty 1 where it is
 * penalised as one more weight, scale 0 where there is none. */
typedef struct lp_preconditioner {
    const lp_basis *basis;
    double C;
    double scale;
    double penalty;  /* 0 or 1 */
    double *weight;  /* [K] sum of p (1 - p) over the examples */
    double *centres; /* [K, F] their mean with these weights, in the basis */
} lp_preconditioner;

/* to [F + 1] = approximate inverse Hessian of model k times from [F + 1].  to may be from. */
void lp_precondition(const lp_preconditioner *preconditioner, size_t k, const double *from,
                     double *to);

#endif
