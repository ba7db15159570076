/* Where a fit starts when there is no earlier solution. */
#ifndef LP_PROBE_STARTING_POINT_H
#define LP_PROBE_STARTING_POINT_H

#include "probe/dense_objective.h"

/* Good parameters [K, D] for C, without a fit. */
LP_MUST_USE lp_status lp_starting_point(const lp_dense *dense, double C, double *parameters,
                                        lp_error *err);

#endif
