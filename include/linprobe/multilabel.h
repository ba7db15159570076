/* linprobe/multilabel.h: several labels an image, as PASCAL VOC 2007 has them: a classifier of each
 * class by itself, and how well it ranks the images.
 *
 *     lp_features *train, *test;
 *     lp_fit_options options;
 *     lp_fit_report report;
 *     lp_probe *probe;
 *     lp_ranking mean;
 *     lp_error err;
 *     lp_fit_defaults(&options);
 *     options.solver = LP_SOLVER_OVR;
 *     if (lp_features_open_any("voc/trainval", &train, &err) == LP_OK &&
 *         lp_features_open_any("voc/test", &test, &err) == LP_OK) {
 *         const lp_marked fit = lp_features_marked(train);
 *         const lp_marked check = lp_features_marked(test);
 *         if (lp_multilabel_fit(&fit, &options, &probe, &report, &err) == LP_OK &&
 *             lp_multilabel_rank(probe, &check, 0, NULL, &mean, &err) == LP_OK) {
 *             printf("%.1f\n", 100 * mean.map_11);
 *         }
 *     }
 */
#ifndef LINPROBE_MULTILABEL_H
#define LINPROBE_MULTILABEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/evaluation.h"
#include "linprobe/features.h"
#include "linprobe/probe.h"
#include "linprobe/stats.h"
#include "linprobe/status.h"
#include "linprobe/sweep.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Feature vectors with several labels, as a view: the caller keeps the memory. */
typedef struct lp_marked {
    size_t count;        /* N */
    size_t width;        /* F */
    size_t classes;      /* K >= 2 */
    const float *x;      /* float32 [N, F], row-major, finite */
    const int8_t *marks; /* int8 [N, K], row-major: 1 of the class, 0 not, -1 left out of it */
} lp_marked;

lp_marked lp_features_marked(const lp_features *features);

/* Trains a classifier of each class k on the rows whose mark is not -1: one-vs-rest as
 * lp_fit_options has it, over w [F + 1]
 *     1/2 |w|^2 + C sum_i log(1 + exp(-y_i w.x~_i)),  y_i = +1 where the mark is 1, else -1
 * `standardize` and class weights are of those rows.  A class without a row of mark 1 gets weights
 * 0 and the intercept minus infinity.  The report is of all classes, as that of one-vs-rest.
 * LP_ERR_ARGUMENT: the solver is softmax.  LP_ERR_DATA: a class has no row of mark 0, or none has a
 * row of mark 1.  Otherwise as lp_probe_fit. */
LP_MUST_USE lp_status lp_multilabel_fit(const lp_marked *train, const lp_fit_options *options,
                                        lp_probe **probe, lp_fit_report *report, lp_error *err);

/* Whether a probe's classes do not exclude each other: its logits rank images, a class by itself,
 * and are no choice between classes. */
bool lp_probe_is_multilabel(const lp_probe *probe);

/* lp_probe_load, also of such a probe, which that refuses. */
LP_MUST_USE lp_status lp_probe_load_any(const char *path, lp_probe **probe, lp_error *err);

/* How well the logits of one class rank the images. */
typedef struct lp_class_ranking {
    size_t images;   /* of mark 1 */
    size_t left_out; /* of mark -1 */
    lp_ranking rank; /* NaN where images, or the others, are none */
} lp_class_ranking;

/* Ranks the rows whose mark is not -1 by each class's logit; lp_ranking has the measures, which are
 * 0 to 1.  classes [K] (NULL: not wanted); *mean over the classes that have both kinds of rows.
 * Needs 8 N K bytes.  threads 0: all processors; they never change the result.
 * LP_ERR_ARGUMENT: other widths or classes than the probe's.  LP_ERR_DATA: no rows, or NaN or
 * infinity.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_multilabel_rank(const lp_probe *probe, const lp_marked *test,
                                         size_t threads, lp_class_ranking *classes,
                                         lp_ranking *mean, lp_error *err);

/* lp_sweep_run on such sets, by the 11-point mAP; what is held out, and folds, are chosen by the
 * rarest class of each image.  What the dense solvers prepare for each class is kept, where it is
 * at most 1 GiB.  LP_ERR_DATA also: no class has images and others
 * to validate on.  Otherwise as lp_sweep_run. */
LP_MUST_USE lp_status lp_multilabel_sweep(const lp_marked *train, const lp_marked *validation,
                                          const lp_sweep_options *options, lp_sweep **sweep,
                                          lp_error *err);

/* A probe on a test set of several labels an image. */
typedef struct lp_multilabel_evaluation {
    const lp_features *test;   /* the caller's, which must outlive this struct; NULL: empty */
    lp_class_ranking *classes; /* [K of the test set] */
    lp_ranking mean;
    lp_trained_rows trained_rows;
} lp_multilabel_evaluation;

/* Evaluates; released by lp_multilabel_evaluation_free, and empty after a failure.  Statuses as
 * lp_multilabel_rank. */
LP_MUST_USE lp_status lp_multilabel_evaluation_run(const lp_probe *probe, const lp_features *test,
                                                   size_t threads,
                                                   lp_multilabel_evaluation *evaluation,
                                                   lp_error *err);
void lp_multilabel_evaluation_free(lp_multilabel_evaluation *evaluation);

#ifdef __cplusplus
}
#endif
#endif
