/* linprobe/evaluation.h: a probe on a test set, as structs.
 *
 *     lp_probe *probe;
 *     lp_features *test;
 *     lp_evaluation evaluation;
 *     lp_error err;
 *     if (lp_probe_load("clip.probe", &probe, &err) == LP_OK &&
 *         lp_features_open("features/test", &test, &err) == LP_OK &&
 *         lp_evaluation_run(probe, test, lp_probe_probability(probe), 0, &evaluation, &err) ==
 *             LP_OK) {
 *         printf("%.3f\n", 100 * evaluation.metrics.score.top1);
 *         lp_evaluation_free(&evaluation);
 *     }
 */
#ifndef LINPROBE_EVALUATION_H
#define LINPROBE_EVALUATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/features.h"
#include "linprobe/probe.h"
#include "linprobe/stats.h"
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

lp_examples lp_features_examples(const lp_features *features); /* of one label an image */

/* Rows of a test set that a probe was trained on, and those of classes that it was not. */
typedef struct lp_trained_rows {
    bool known;    /* false: the probe does not know its training rows (an old file) */
    bool at_least; /* it knows only a part of them */
    size_t count;
    size_t strangers; /* rows with a class that no training row had: it chooses that for none */
    size_t strange;   /* the first such class */
} lp_trained_rows;

/* Counts the first by the digests that a probe keeps (lp_probe_record_rows).  Of a probe without
 * them, all rows of a set that is its training or validation set, byte for byte, are counted; of
 * other sets nothing is known.  threads 0: all processors.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_trained_rows_count(const lp_probe *probe, const lp_features *test,
                                            size_t threads, lp_trained_rows *rows, lp_error *err);

/* What an evaluation found.  The arrays belong to it; N is the test set's count. */
typedef struct lp_evaluation {
    const lp_features *test; /* the caller's, which must outlive this struct; NULL: empty */
    size_t classes;          /* K of the probe */
    lp_probability probability;
    lp_metrics metrics;
    lp_ranking ranking;
    lp_trained_rows trained_rows;   /* of them the accuracy says nothing about new images */
    size_t *correct_of;             /* [K] right predictions of each class */
    size_t *count_of;               /* [K] images of each class */
    int64_t *predicted;             /* [N] */
    double *confidence;             /* [N] probability of the prediction */
    size_t *confusion;              /* [K, K], row-major, rows are labels */
    size_t groups;                  /* superclasses that the test set names; 0: none */
    size_t *group_of;               /* [K], or NULL where there are none */
    const char *const *group_names; /* [groups]; the test set's */
} lp_evaluation;

/* Evaluates; needs 8 K^2 bytes.  *evaluation is released by lp_evaluation_free, and empty after a
 * failure.  LP_ERR_ARGUMENT: the widths differ.  LP_ERR_DATA names the row of a label outside
 * 0 .. K-1, of NaN or infinity.  LP_ERR_MEMORY.  Thread-safe. */
LP_MUST_USE lp_status lp_evaluation_run(const lp_probe *probe, const lp_features *test,
                                        lp_probability probability, size_t threads,
                                        lp_evaluation *evaluation, lp_error *err);
void lp_evaluation_free(lp_evaluation *evaluation);

#ifdef __cplusplus
}
#endif
#endif
