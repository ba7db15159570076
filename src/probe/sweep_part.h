/* A part of a sweep: examples to fit on, and examples to validate on.  The whole of the training
 * set and a validation set are one; without a validation set each fold is one, or what is held out
 * and the rest.
 *
 *     lp_sweep_parts_make(&train, NULL, options, count, &memory, parts, &err);
 *     lp_sweep_part_fit(&parts[0], fit, 0.1, 0, NULL, &probe, &report, &err);
 *     lp_sweep_part_score(&parts[0], probe, threads, &point, &err);
 *     lp_sweep_part_close(&parts[0]);
 */
#ifndef LP_PROBE_SWEEP_PART_H
#define LP_PROBE_SWEEP_PART_H

#include "linprobe/multilabel.h"
#include "linprobe/sweep.h"
#include "probe/fitter.h"
#include "probe/marked_fitter.h"

/* Labelled feature vectors of either kind, as a view. */
typedef struct lp_sweep_data {
    size_t count, width, classes; /* N, F, K */
    const float *x;               /* [N, F] */
    const int64_t *labels;        /* [N]; NULL: of several labels an image, then */
    const int8_t *marks;          /* [N, K], as lp_marked */
} lp_sweep_data;

typedef struct lp_sweep_part {
    lp_sweep_data check; /* the caller's, or a copy; of one label, only of the rows that this rank
                            scores */
    /* of one label: */
    lp_example_rows fit; /* where they lie */
    lp_fitter *fitter;   /* opened by the first fit */
    /* of several: */
    lp_marked train;
    size_t kept;        /* bytes that its fitter may keep */
    const size_t *rows; /* [fit_count] of train to fit on; NULL: all */
    size_t fit_count;
    lp_marked_fitter *marked; /* as above */
} lp_sweep_part;

/* Makes the parts [count]: one of all of train where there is a validation set, the folds, or what
 * options->held_out says.  Several labels an image: each image counts to the rarest of its classes
 * there.  Copies lie in `memory`.  LP_ERR_DATA: nothing can be held out. */
LP_MUST_USE lp_status lp_sweep_parts_make(const lp_sweep_data *train,
                                          const lp_sweep_data *validation,
                                          const lp_sweep_options *options, size_t count,
                                          lp_memory *memory, lp_sweep_part *parts, lp_error *err);

/* As lp_fitter_fit; `options` must be the same, and outlive the part, in all fits of a part. */
LP_MUST_USE lp_status lp_sweep_part_fit(lp_sweep_part *part, const lp_fit_options *options,
                                        double C, double tolerance, const lp_probe *start,
                                        lp_probe **probe, lp_fit_report *report, lp_error *err);

/* Adds the score of a probe on the examples to validate on to the point's correct, count and
 * value. */
LP_MUST_USE lp_status lp_sweep_part_score(const lp_sweep_part *part, const lp_probe *probe,
                                          size_t threads, lp_sweep_point *point, lp_error *err);

void lp_sweep_part_close(lp_sweep_part *part);

#endif
