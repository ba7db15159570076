/* Fitting on one training set for many values of C: what depends on the data alone is prepared
 * once, and a fit may start from an earlier one.
 *
 *     lp_fitter *fitter;
 *     lp_fitter_open(&train, &options, &fitter, &err);      // options.C is not looked at
 *     lp_fitter_fit(fitter, 0.1, NULL, &first, &report, &err);
 *     lp_fitter_fit(fitter, 0.2, first, &second, &report, &err);
 *     lp_fitter_close(fitter);
 */
#ifndef LP_PROBE_FITTER_H
#define LP_PROBE_FITTER_H

#include "linprobe/probe.h"
#include "probe/examples.h"

typedef struct lp_fitter lp_fitter;

/* Checks train (see lp_probe_fit), whose rows are finite and must outlive the fitter, and prepares.
 */
LP_MUST_USE lp_status lp_fitter_open(const lp_example_rows *train, const lp_fit_options *options,
                                     lp_fitter **fitter, lp_error *err);

/* Fits for C, from `start` (of the same classes and width) or from zero when it is NULL. */
LP_MUST_USE lp_status lp_fitter_fit(lp_fitter *fitter, double C, const lp_probe *start,
                                    lp_probe **probe, lp_fit_report *report, lp_error *err);

/* The tolerance of the fits that follow; 0 = the solver's default. */
void lp_fitter_set_tolerance(lp_fitter *fitter, double tolerance);

void lp_fitter_close(lp_fitter *fitter);

#endif
