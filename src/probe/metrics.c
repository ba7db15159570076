/* A probe on a test set.
 *
 *     x [N, F] -> logits [N, K], by blocks of rows
 *       -> rank of the label's logit                        -> counts per class, top-1, top-5
 *       -> log-probabilities, log p_k = g_k - log sum_j exp(g_j) -> log loss, calibration
 *
 * g is the logit itself for softmax, and log(1 / (1 + exp(-z))) for one-vs-rest, which makes p the
 * normalised sigmoids of liblinear's and scikit-learn's predict_proba without their underflow.
 * Sums run over the rows in their order, by one thread. */
#include "probe/metrics.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"
#include "probe/classifier.h"

enum { BLOCK = 4096 };

lp_probability lp_probe_probability(const lp_probe *probe) {
    return probe->solver == LP_SOLVER_SOFTMAX ? LP_PROBABILITY_SOFTMAX : LP_PROBABILITY_OVR;
}

size_t lp_rank_of(const double *scores, size_t classes, size_t label) {
    size_t rank = 0;
    for (size_t k = 0; k < classes; k++) {
        rank += scores[k] > scores[label] || (scores[k] == scores[label] && k < label);
    }
    return rank;
}

lp_status lp_check_examples(const lp_examples *set, size_t width, size_t classes, const char *what,
                            const char *than, lp_error *err) {
    if (set->width != width) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s has %zu features, %s %zu", what, set->width, than,
                       width);
    }
    if (set->count == 0) {
        return lp_fail(err, LP_ERR_DATA, "%s is empty", what);
    }
    for (size_t i = 0; i < set->count; i++) {
        if (set->labels[i] < 0 || (uint64_t)set->labels[i] >= classes) {
            return lp_fail(err, LP_ERR_DATA,
                           "labels of the %s: row %zu holds %lld, %s knows 0 to %zu", what, i,
                           (long long)set->labels[i], than, classes - 1);
        }
    }
    return lp_check_share(set->x, set->count, set->width, err);
}

void lp_score_finish(lp_score *score, const size_t *correct_of, const size_t *count_of,
                     size_t classes) {
    size_t occurring = 0;
    score->count = score->correct = 0;
    score->mean_per_class = 0;
    for (size_t k = 0; k < classes; k++) {
        if (count_of[k] > 0) {
            occurring++;
            score->count += count_of[k];
            score->correct += correct_of[k];
            score->mean_per_class += (double)correct_of[k] / (double)count_of[k];
        }
    }
    score->mean_per_class /= (double)occurring;
    score->top1 = (double)score->correct / (double)score->count;
    score->top5 = (double)score->correct_top5 / (double)score->count;
    score->top1_interval = lp_wilson(score->correct, score->count);
    score->top5_interval = lp_wilson(score->correct_top5, score->count);
    score->mean_per_class_interval = lp_mean_interval(correct_of, count_of, classes);
}

/* Probabilities of one row. */
typedef struct row_odds {
    double confidence; /* of the predicted class */
    double loss;       /* -ln p(label) */
} row_odds;

/* log(1 / (1 + exp(-z))) without overflow. */
static double log_sigmoid(double z) {
    return z < 0 ? z - log1p(exp(z)) : -log1p(exp(-z));
}

/* The logits g whose softmax the probabilities are. */
static void take_logits(double *logits, size_t classes, lp_probability probability) {
    for (size_t k = 0; probability == LP_PROBABILITY_OVR && k < classes; k++) {
        logits[k] = log_sigmoid(logits[k]);
    }
}

void lp_probabilities(double *logits, size_t classes, lp_probability probability) {
    double largest = -INFINITY, sum = 0;
    take_logits(logits, classes, probability);
    for (size_t k = 0; k < classes; k++) {
        largest = fmax(largest, logits[k]);
    }
    for (size_t k = 0; k < classes; k++) {
        logits[k] = exp(logits[k] - largest);
        sum += logits[k];
    }
    for (size_t k = 0; k < classes; k++) {
        logits[k] /= sum;
    }
}

void lp_log_probabilities(double *logits, size_t classes, lp_probability probability) {
    size_t largest = 0;
    double others = 0;
    take_logits(logits, classes, probability);
    for (size_t k = 1; k < classes; k++) {
        largest = logits[k] > logits[largest] ? k : largest;
    }
    double top = logits[largest];
    for (size_t k = 0; k < classes; k++) {
        others += k != largest ? exp(logits[k] - top) : 0;
    }
    double log_sum = log1p(others);
    for (size_t k = 0; k < classes; k++) {
        logits[k] = logits[k] - top - log_sum;
    }
}

/* Overwrites logits [K]. */
static row_odds odds_of(double *logits, size_t classes, size_t label, size_t predicted,
                        lp_probability probability) {
    take_logits(logits, classes, probability);
    double largest = logits[predicted]; /* both maps keep the order */
    double sum = 1;
    for (size_t k = 0; k < classes; k++) {
        sum += k != predicted ? exp(logits[k] - largest) : 0;
    }
    double log_sum = largest + log(sum);
    double p = exp(logits[label] - log_sum);
    /* scikit-learn's clipping; in between, the logarithm that is not rounded to 1 first */
    row_odds odds = {.confidence = 1 / sum,
                     .loss = p < DBL_EPSILON       ? -log(DBL_EPSILON)
                             : p > 1 - DBL_EPSILON ? -log1p(-DBL_EPSILON)
                                                   : log_sum - logits[label]};
    return odds;
}

/* Counts of every rank, added up. */
static lp_status add_counts(size_t *counts, size_t count, lp_error *err) {
    size_t ranks = lp_team_size();
    lp_memory memory = {0};
    size_t *all = lp_memory_take(&memory, ranks, count * sizeof *all);
    lp_status status;
    LP_TRY(lp_memory_check(&memory, "counts", err));
    memcpy(all + lp_team_rank() * count, counts, count * sizeof *all);
    LP_TRY(lp_team_gather(all, ranks, count * sizeof *all, err));
    for (size_t j = 0; j < count; j++) {
        counts[j] = 0;
        for (size_t r = 0; r < ranks; r++) {
            counts[j] += all[r * count + j];
        }
    }
done:
    lp_memory_free(&memory);
    return status;
}

typedef struct tally {
    lp_metrics *metrics;
    lp_probability probability;
    size_t classes, rows;
    size_t *count_of;   /* [K] */
    size_t *correct_of; /* [K] */
    size_t *top5;
    double squares; /* sum of squares of the loss about its mean (Welford) */
} tally;

/* Counts one row of logits [K], which it overwrites.  Returns the prediction, and its probability.
 */
static size_t count_row(tally *t, double *logits, size_t label, double *confidence) {
    lp_metrics *m = t->metrics;
    size_t rank = lp_rank_of(logits, t->classes, label);
    size_t predicted = 0;
    for (size_t k = 1; k < t->classes; k++) {
        predicted = logits[k] > logits[predicted] ? k : predicted;
    }
    t->count_of[label]++;
    t->correct_of[label] += rank == 0;
    *t->top5 += rank < 5;
    t->rows++;
    *confidence = NAN;
    if (t->probability != LP_PROBABILITY_NONE) {
        row_odds odds = odds_of(logits, t->classes, label, predicted, t->probability);
        *confidence = odds.confidence;
        double off = odds.loss - m->log_loss;
        m->log_loss += off / (double)t->rows;
        t->squares += off * (odds.loss - m->log_loss);
        size_t bin = (size_t)ceil(odds.confidence * LP_CALIBRATION_BINS);
        lp_calibration_bin *b = &m->bins[bin > 0 ? bin - 1 : 0];
        b->count++;
        b->correct += rank == 0;
        b->confidence += (odds.confidence - b->confidence) / (double)b->count;
    }
    return predicted;
}

static void finish(tally *t) {
    lp_metrics *m = t->metrics;
    double n = (double)t->rows;
    m->score.correct_top5 = *t->top5;
    lp_score_finish(&m->score, t->correct_of, t->count_of, t->classes);
    double half = t->rows > 1 ? LP_NORMAL_975 * sqrt(t->squares / (n - 1) / n) : 0;
    m->log_loss_interval = (lp_interval){fmax(0, m->log_loss - half), m->log_loss + half};
    for (size_t i = 0; i < LP_CALIBRATION_BINS; i++) {
        const lp_calibration_bin *b = &m->bins[i];
        m->calibration_error += fabs((double)b->correct - (double)b->count * b->confidence) / n;
    }
}

lp_status lp_probe_evaluate(const lp_probe *probe, const lp_examples *test,
                            lp_probability probability, size_t threads, lp_metrics *metrics,
                            const lp_evaluation_outputs *outputs, lp_error *err) {
    static const lp_evaluation_outputs none = {NULL, NULL, NULL, NULL};
    const lp_evaluation_outputs *out = outputs != NULL ? outputs : &none;
    size_t K = probe->classes;
    size_t block = test->count < BLOCK ? test->count : BLOCK;
    /* counts can be added up; what depends on the order of the rows is done by every rank */
    bool shared = probability == LP_PROBABILITY_NONE && outputs == NULL;
    lp_share own = shared ? lp_team_share(test->count) : (lp_share){0, test->count};
    lp_memory memory = {0};
    lp_status status;
    memset(metrics, 0, sizeof *metrics);
    LP_TRY(lp_check_examples(test, probe->width, K, "test set", "the probe", err));
    double *logits = lp_memory_take(&memory, block, K * sizeof *logits);
    size_t *counts = lp_memory_take_zeroed(&memory, 2 * K + 1, sizeof *counts);
    LP_TRY(lp_memory_check(&memory, "logits", err));
    tally t = {.metrics = metrics,
               .probability = probability,
               .classes = K,
               .count_of = counts,
               .correct_of = counts + K,
               .top5 = counts + 2 * K};
    for (size_t first = own.first; first < own.end; first += block) {
        size_t rows = own.end - first < block ? own.end - first : block;
        LP_TRY(lp_probe_logits(probe, test->x + first * test->width, rows, logits, threads, err));
        for (size_t i = 0; i < rows; i++) {
            double share;
            size_t k = count_row(&t, logits + i * K, (size_t)test->labels[first + i], &share);
            if (out->confidence != NULL) {
                out->confidence[first + i] = share;
            }
            if (out->predicted != NULL) {
                out->predicted[first + i] = (int64_t)k;
            }
        }
    }
    LP_TRY(shared ? add_counts(counts, 2 * K + 1, err) : LP_OK);
    finish(&t);
    if (out->count_of != NULL) {
        memcpy(out->count_of, t.count_of, K * sizeof *t.count_of);
    }
    if (out->correct_of != NULL) {
        memcpy(out->correct_of, t.correct_of, K * sizeof *t.correct_of);
    }
done:
    lp_memory_free(&memory);
    return status;
}

lp_status lp_probe_score(const lp_probe *probe, const lp_examples *test, size_t threads,
                         lp_score *score, lp_error *err) {
    lp_metrics metrics;
    lp_status status =
        lp_probe_evaluate(probe, test, LP_PROBABILITY_NONE, threads, &metrics, NULL, err);
    *score = metrics.score;
    return status;
}
