/* Accuracy on a test set.
 *
 *     x [N, F] -> logits [N, K], by blocks of rows -> rank of the label's logit -> counts per class
 *
 * The rank of label y is the number of classes whose logit is larger, or equal and of a lower
 * number; rank 0 is correct, rank < 5 is within the top five. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "probe/classifier.h"

enum { BLOCK = 4096 };

/* Wilson (1927) interval of a proportion, 95 %. */
static void wilson(double p, double n, double *low, double *high) {
    static const double z = 1.959963984540054; /* normal quantile of 0.975 */
    double scale = 1 / (1 + z * z / n);
    double centre = scale * (p + z * z / (2 * n));
    double half = scale * z * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    *low = fmax(0, centre - half);
    *high = fmin(1, centre + half);
}

static size_t rank_of(const double *logits, size_t classes, size_t label) {
    size_t rank = 0;
    for (size_t k = 0; k < classes; k++) {
        rank += logits[k] > logits[label] || (logits[k] == logits[label] && k < label);
    }
    return rank;
}

static lp_status check_test_set(const lp_probe *probe, const lp_examples *test, lp_error *err) {
    if (test->width != probe->width) {
        return lp_fail(err, LP_ERR_ARGUMENT, "test set has %zu features, the probe %zu",
                       test->width, probe->width);
    }
    if (test->count == 0) {
        return lp_fail(err, LP_ERR_DATA, "test set is empty");
    }
    for (size_t i = 0; i < test->count; i++) {
        if (test->labels[i] < 0 || (uint64_t)test->labels[i] >= probe->classes) {
            return lp_fail(err, LP_ERR_DATA, "labels: row %zu holds %lld, the probe knows 0 to %zu",
                           i, (long long)test->labels[i], probe->classes - 1);
        }
    }
    return LP_OK;
}

lp_status lp_probe_score(const lp_probe *probe, const lp_examples *test, size_t threads,
                         lp_score *score, size_t *correct_of, size_t *count_of, lp_error *err) {
    size_t K = probe->classes;
    size_t block = test->count < BLOCK ? test->count : BLOCK;
    memset(score, 0, sizeof *score);
    lp_status status = check_test_set(probe, test, err);
    if (status == LP_OK) {
        status = lp_check_finite(test->x, test->count, test->width, err);
    }
    if (status != LP_OK) {
        return status;
    }
    double *logits = lp_alloc(block, K * sizeof *logits);
    size_t *counts = lp_alloc_zeroed(2 * K, sizeof *counts); /* examples, then correct ones */
    if (logits == NULL || counts == NULL) {
        status = lp_fail_memory(err, "logits", block, K * sizeof *logits);
        goto done;
    }
    for (size_t first = 0; first < test->count; first += block) {
        size_t rows = test->count - first < block ? test->count - first : block;
        status = lp_probe_logits(probe, test->x + first * test->width, rows, logits, threads, err);
        if (status != LP_OK) {
            goto done;
        }
        for (size_t i = 0; i < rows; i++) {
            size_t label = (size_t)test->labels[first + i];
            size_t rank = rank_of(logits + i * K, K, label);
            counts[label]++;
            counts[K + label] += rank == 0;
            score->correct += rank == 0;
            score->correct_top5 += rank < 5;
        }
    }
    size_t occurring = 0;
    for (size_t k = 0; k < K; k++) {
        if (counts[k] > 0) {
            occurring++;
            score->mean_per_class += (double)counts[K + k] / (double)counts[k];
        }
        if (count_of != NULL) {
            count_of[k] = counts[k];
        }
        if (correct_of != NULL) {
            correct_of[k] = counts[K + k];
        }
    }
    double n = (double)test->count;
    score->count = test->count;
    score->mean_per_class /= (double)occurring;
    score->top1 = (double)score->correct / n;
    score->top5 = (double)score->correct_top5 / n;
    wilson(score->top1, n, &score->top1_low, &score->top1_high);
done:
    lp_free(logits);
    lp_free(counts);
    return status;
}
