/* The way to a large C, and the last step of softmax's intercepts: what descent.c needs besides
 * directions. */
#ifndef LP_PROBE_PATH_H
#define LP_PROBE_PATH_H

#include "probe/dense_objective.h"

/* Moves a model with these parameters [rows, D] along the path to the C that is wanted: *C to the
 * largest one up to `wanted` at which the parameters are near the optimum.  `first`: also to a
 * smaller one than *C.  *value and gradient [rows, D] follow, without a pass. */
void lp_path_choose(const lp_dense *dense, double wanted, bool first, const double *parameters,
                    double *C, double *value, double *gradient);

/* A Newton step of softmax in the intercepts alone, in parameters [K, D].  coupling [K, K], as in
 * lp_objective, is overwritten; scratch [2 K]. */
LP_MUST_USE lp_status lp_step_intercepts(const lp_dense *dense, double C, double *coupling,
                                         const double *gradient, double *parameters,
                                         double *scratch, lp_error *err);

#endif
