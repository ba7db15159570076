/* linprobe/stats.h: what a test set says about a probe, and how sure that is.
 *
 * Everything here is one call on a probe (linprobe/probe.h), on predictions or on labelled
 * features: a probe's accuracy and calibration, probes against each other, few-shot training, and
 * nearest neighbours without a probe.
 *
 *     #include <stdio.h>
 *     #include "linprobe/features.h"
 *     #include "linprobe/stats.h"
 *
 *     int main(void) {
 *         lp_error err;
 *         lp_features *test = NULL;
 *         lp_probe *probe = NULL;
 *         lp_metrics metrics;
 *         lp_status status = lp_features_open("features/test", &test, &err);
 *         if (status == LP_OK) {
 *             status = lp_probe_load("softmax.probe", &probe, &err);
 *         }
 *         if (status == LP_OK) {
 *             lp_examples set = {test->count, test->width, test->classes, test->x, test->labels};
 *             lp_probability kind = lp_probe_probability(probe);
 *             status = lp_probe_evaluate(probe, &set, kind, 0, &metrics, NULL, &err);
 *         }
 *         if (status == LP_OK) {
 *             printf("%.3f %%, ECE %.3f %%\n", 100 * metrics.score.top1,
 *                    100 * metrics.calibration_error);
 *         } else {
 *             fprintf(stderr, "%s\n", err.text);
 *         }
 *         lp_probe_free(probe);
 *         lp_features_close(test);
 *         return status != LP_OK;
 *     }
 *
 * Every interval is one of 95 %.  Nothing here depends on the number of threads (0 = all
 * processors), and everything may be called from several threads at once, as far as the solver may
 * (linprobe/probe.h).
 */
#ifndef LINPROBE_STATS_H
#define LINPROBE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/probe.h"
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Interval of a proportion, `part` of `whole` (Wilson, JASA 22, 1927).  0 to 1 for
 * whole = 0. */
lp_interval lp_wilson(size_t part, size_t whole);

/* How many rows of the test set the training set has too, in any order.  Rows of 16 features and
 * more are compared with about 8 bits a feature, so that neither float16 nor another program's
 * rounding hides one (docs/NUMERICS.md, "Shared rows").  Rows that occur in the training set with
 * several labels (constant features) do not count.  Takes 24 bytes a row.  Sets of different widths
 * share none.  threads 0: all processors.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_shared_rows(const lp_examples *train, const lp_examples *test,
                                     size_t threads, size_t *shared, lp_error *err);

/* A test set that shares more than this part of its rows with the training or validation set tests
 * nothing. */
#define LP_MOST_SHARED 0.05

/* ---- one probe ---- */

/* How logits become probabilities. */
typedef enum lp_probability {
    LP_PROBABILITY_NONE,    /* not at all: log loss and calibration stay zero */
    LP_PROBABILITY_SOFTMAX, /* exp(z_k) / sum_j exp(z_j) */
    LP_PROBABILITY_OVR      /* s(z_k) / sum_j s(z_j), s(z) = 1 / (1 + exp(-z)); one-vs-rest, as in
                               liblinear and scikit-learn */
} lp_probability;

/* What the probe's solver was trained for: softmax for LP_SOLVER_SOFTMAX, one-vs-rest for the
 * others. */
lp_probability lp_probe_probability(const lp_probe *probe);

/* Overwrites one row of logits, float64 [K], with the probabilities; not for LP_PROBABILITY_NONE.
 */
void lp_probabilities(double *logits, size_t classes, lp_probability probability);

enum { LP_CALIBRATION_BINS = 15 };

/* Examples whose confidence, the probability of the predicted class, is in (m / 15, (m + 1) / 15].
 */
typedef struct lp_calibration_bin {
    size_t count;
    size_t correct;
    double confidence; /* mean; 0 for an empty bin */
} lp_calibration_bin;

typedef struct lp_metrics {
    lp_score score;
    double log_loss;               /* mean of -ln p(label), p clipped to [2^-52, 1 - 2^-52] */
    lp_interval log_loss_interval; /* mean -+ 1.96 standard errors */
    double calibration_error;      /* expected calibration error (Guo et al., ICML 2017):
                                      sum over bins of count / N |correct / count - confidence| */
    lp_calibration_bin bins[LP_CALIBRATION_BINS];
} lp_metrics;

/* What an evaluation gives for each class and each example, in the caller's memory.  NULL = not
 * wanted. */
typedef struct lp_evaluation_outputs {
    size_t *correct_of; /* [K] right answers for each class */
    size_t *count_of;   /* [K] examples of each class */
    int64_t *predicted; /* [N] */
    double *confidence; /* [N] probability of the predicted class; NaN without probabilities */
} lp_evaluation_outputs;

/* As lp_probe_score, with calibration and log loss, and details where outputs is not NULL.  Needs
 * 4096 K float64 besides.  Statuses as lp_probe_score. */
LP_MUST_USE lp_status lp_probe_evaluate(const lp_probe *probe, const lp_examples *test,
                                        lp_probability probability, size_t threads,
                                        lp_metrics *metrics, const lp_evaluation_outputs *outputs,
                                        lp_error *err);

/* How well the probabilities of a class rank its examples above the others, without a threshold:
 * the mean over the classes that occur in the test set.  NaN where fewer than two do. */
typedef struct lp_ranking {
    double roc_auc; /* area under the ROC curve of each class against the rest, ties as halves, as
                       scikit-learn's roc_auc_score(multi_class="ovr", average="macro") */
    double map_11;  /* average precision at the recalls 0, 0.1, ... 1: at each the highest precision
                       of any threshold with that recall or a higher one (PASCAL VOC 2007; Everingham
                       et al., IJCV 88, 2010, section 4.2) */
} lp_ranking;

/* Ranks by the logarithms of the probabilities, which are those of lp_probe_evaluate.  Takes some
 * 40 bytes an example and thread.  Statuses as lp_probe_score. */
LP_MUST_USE lp_status lp_probe_rank(const lp_probe *probe, const lp_examples *test,
                                    lp_probability probability, size_t threads, lp_ranking *ranking,
                                    lp_error *err);

/* Confusion matrix: counts of (label, prediction), size_t [K, K], row-major, rows are labels.
 * labels and predicted int64 [N], each in 0 .. K-1. */
void lp_confusion_count(const int64_t *labels, const int64_t *predicted, size_t count,
                        size_t classes, size_t *confusion);

/* The same between groups of classes: group_of [K], each in 0 .. G-1, -> size_t [G, G]. */
void lp_confusion_group(const size_t *confusion, size_t classes, const size_t *group_of,
                        size_t groups, size_t *grouped);

/* One kind of error. */
typedef struct lp_confused {
    size_t label;
    size_t predicted; /* != label */
    size_t count;
    double share;         /* count / examples of the label */
    lp_interval interval; /* Wilson, of the share */
} lp_confused;

/* The kinds of error that occur most, at most `room` of them into pairs, in order of falling count,
 * then rising label and prediction.  Returns how many there are. */
size_t lp_confusion_pairs(const size_t *confusion, size_t classes, lp_confused *pairs, size_t room);

/* ---- probes against each other ---- */

/* Two classifiers on the same examples. */
typedef struct lp_paired {
    size_t count;         /* N */
    size_t both;          /* right in both */
    size_t first_only;    /* right in the first alone, b */
    size_t second_only;   /* right in the second alone, c */
    double difference;    /* accuracy of the first - of the second = (b - c) / N */
    lp_interval interval; /* of the difference, Tango's score interval */
    double p;             /* McNemar's exact test */
} lp_paired;

/* labels, first, second: int64 [N], N >= 1. */
void lp_compare(const int64_t *labels, const int64_t *first, const int64_t *second, size_t count,
                lp_paired *pair);

/* Two-sided p of McNemar's exact conditional test: twice the probability of at most min(b, c)
 * heads in b + c tosses of a fair coin, at most 1 (not the mid-p). */
double lp_mcnemar(size_t b, size_t c);

/* Score interval of (b - c) / N, the difference of paired proportions (Tango, Statistics in
 * Medicine 17, 1998); b + c <= N, N >= 1. */
lp_interval lp_tango(size_t b, size_t c, size_t count);

/* Holm's step-down correction (Scand. J. Statistics 6, 1979): p [n] -> adjusted [n], the level at
 * which each hypothesis is rejected while the chance of any false rejection stays below it.  p and
 * adjusted may be the same.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_holm(const double *p, size_t count, double *adjusted, lp_error *err);

/* ---- few examples a class ---- */

typedef struct lp_fewshot_options {
    const size_t *shots; /* [shot_count], training examples a class, each >= 1 */
    size_t shot_count;
    size_t draws;       /* training sets drawn for each number of shots, >= 1 */
    uint64_t seed;      /* draw d shuffles each class by the generator of seed + d */
    lp_fit_options fit; /* of every fit; C is not rescaled with the number of examples; its progress
                           is called once a fit */
    bool sweep;         /* choose C for each fit, on its own examples alone: the CLIP paper's search
                           (lp_sweep_defaults) with k-fold cross-validation, k the smaller of shots and
                           LP_FEWSHOT_FOLDS and the draw's seed that of the folds; then fit on all of them.
                           With one shot there is nothing to hold out, and fit.C is taken */
} lp_fewshot_options;

enum { LP_FEWSHOT_FOLDS = 4 };

typedef struct lp_fewshot_draw {
    size_t shots;
    uint64_t seed;
    double C;    /* of the fit */
    bool chosen; /* by the sweep */
    lp_score score;
    lp_fit_report fit;
} lp_fewshot_draw;

typedef struct lp_fewshot_mean {
    size_t shots;
    double mean;      /* of the top-1 accuracy over the draws */
    double deviation; /* their sample standard deviation; 0 for one draw */
    lp_interval
        interval; /* of the mean over draws, test set fixed: mean -+ t s / sqrt(draws) within
                     0 .. 1, Student's t with draws - 1 degrees; 0 to 1 for one draw */
} lp_fewshot_mean;

/* Draws `shots` examples of every class without replacement, trains from zero, scores on the whole
 * test set.  In one draw the larger training sets contain the smaller ones.  draws
 * [shot_count, options->draws] and means [shot_count] are filled in.
 * LP_ERR_ARGUMENT: no shots, no draws, or as lp_probe_fit and lp_probe_score.  LP_ERR_DATA: a class
 * has fewer examples than shots (the text names it), or as those two.  LP_ERR_MEMORY.
 * LP_CANCELLED: progress returned false.  LP_NOT_CONVERGED: some fits stopped early; everything is
 * filled in, and the text counts them. */
LP_MUST_USE lp_status lp_fewshot(const lp_examples *train, const lp_examples *test,
                                 const lp_fewshot_options *options, lp_fewshot_draw *draws,
                                 lp_fewshot_mean *means, lp_error *err);

/* ---- nearest neighbours ---- */

typedef struct lp_knn_options {
    const size_t *k; /* [k_count], neighbours that vote, each in 1 .. N of the training set */
    size_t k_count;
    double temperature;   /* T > 0; a neighbour of similarity s votes with weight exp(s / T) */
    size_t threads;       /* 0 = all processors */
    lp_progress progress; /* after every block of test examples */
} lp_knn_options;

/* Weighted k-nearest-neighbour classification (Wu et al., CVPR 2018; as evaluated by DINO, Caron et
 * al., ICCV 2021, with k = 20 and T = 0.07): similarity is the cosine in float64, neighbours
 * of equal similarity are taken in the order of their rows, classes of equal votes in the order of
 * their numbers.  A vector of zeros has similarity 0 to all.  scores [k_count]; a class without a
 * vote is never among the top five.  Needs 16 bytes a test example and neighbour, and a thread
 * 2.5 MB + 512 F bytes.
 * LP_ERR_ARGUMENT: a k or the temperature is out of its range, or the widths differ.  LP_ERR_DATA:
 * a set is empty, holds NaN or infinity, or a label that is not in 0 .. K-1, K of the training set
 * (the text names the row).  LP_ERR_MEMORY.  LP_CANCELLED: progress returned false. */
LP_MUST_USE lp_status lp_knn_score(const lp_examples *train, const lp_examples *test,
                                   const lp_knn_options *options, lp_score *scores, lp_error *err);

#ifdef __cplusplus
}
#endif
#endif
