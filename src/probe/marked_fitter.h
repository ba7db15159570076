/* fitter.h for several labels an image: a fitter of two classes for each class. */
#ifndef LP_PROBE_MARKED_FITTER_H
#define LP_PROBE_MARKED_FITTER_H

#include "linprobe/multilabel.h"

typedef struct lp_marked_fitter lp_marked_fitter;

/* LP_ERR_ARGUMENT for softmax, whose classes exclude each other. */
LP_MUST_USE lp_status lp_marked_check_solver(lp_solver solver, lp_error *err);

/* Of these rows [count] of train (NULL: all of them), whose values are finite.  train, rows and
 * options must outlive the fitter; options->C is not looked at.  What the dense solvers prepare of
 * a class, some 8 F^2 bytes, is kept for the fits that follow where all classes take at most `kept`
 * bytes together.  LP_ERR_ARGUMENT: as lp_marked_check_solver. */
LP_MUST_USE lp_status lp_marked_fitter_open(const lp_marked *train, const size_t *rows,
                                            size_t count, const lp_fit_options *options,
                                            size_t kept, lp_marked_fitter **fitter, lp_error *err);

/* As lp_fitter_fit; the report is of all classes. */
LP_MUST_USE lp_status lp_marked_fitter_fit(lp_marked_fitter *fitter, double C, double tolerance,
                                           const lp_probe *start, lp_probe **probe,
                                           lp_fit_report *report, lp_error *err);

void lp_marked_fitter_close(lp_marked_fitter *fitter); /* NULL is allowed */

#endif
