/* Minimising the dense objectives, and where that starts without an earlier solution. */
#ifndef LP_PROBE_DESCENT_H
#define LP_PROBE_DESCENT_H

#include "probe/dense_objective.h"

/* Good parameters [K, D] for C, without a fit. */
LP_MUST_USE lp_status lp_starting_point(const lp_dense *dense, double C, double *parameters,
                                        lp_error *err);

/* Minimises every model, to parameters [K, D], from what they are when `warm`, else from a starting
 * point; fills in the report but for `seconds`.
 * LP_CANCELLED when the reporter says so; the report says whether it converged. */
LP_MUST_USE lp_status lp_descend(const lp_dense *dense, double C, bool warm, double *parameters,
                                 lp_fit_report *report, lp_reporter *reporter, lp_error *err);

#endif
