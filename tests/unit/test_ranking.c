/* Area under the ROC curve and 11-point average precision against plain loops over all pairs and
 * all thresholds; with ties, classes that do not occur, and any number of threads. */
#include <math.h>

#include "base/alloc.h"
#include "linprobe/stats.h"
#include "probe/classifier.h"
#include "probe/metrics.h"
#include "probe_data.h"

enum { N = 700, F = 6, K = 5 };

static lp_error err;

/* A probe of small whole weights, on features of few values: many rows have equal scores. */
static lp_probe *random_probe(void) {
    lp_probe *probe;
    lp_random random;
    lp_random_seed(&random, 3);
    assert_ok(lp_probe_new(K, F, &probe, &err), &err);
    for (size_t j = 0; j < K * F; j++) {
        probe->weights[j] = (double)lp_random_below(&random, 5) - 2;
    }
    probe->intercepts[K - 1] = -INFINITY; /* training never saw it */
    return probe;
}

static dataset random_rows(void) {
    dataset data = dataset_new(N, F, K);
    lp_random random;
    lp_random_seed(&random, 4);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < F; j++) {
            data.x[i * F + j] = (float)lp_random_below(&random, 2);
        }
        data.labels[i] = (int64_t)lp_random_below(&random, K);
        data.labels[i] = data.labels[i] == 2 ? 1 : data.labels[i]; /* class 2 does not occur */
    }
    return data;
}

static double plain_auc(const double *scores, const int64_t *labels, int64_t k) {
    double right = 0, pairs = 0;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            if (labels[i] == k && labels[j] != k) {
                double a = scores[i * K + (size_t)k], b = scores[j * K + (size_t)k];
                right += a > b ? 1 : a == b ? 0.5 : 0;
                pairs++;
            }
        }
    }
    return right / pairs;
}

static double plain_precision(const double *scores, const int64_t *labels, int64_t k) {
    double at[11] = {0}, sum = 0;
    for (size_t t = 0; t < N; t++) { /* each score as the threshold */
        size_t found = 0, right = 0, all = 0;
        for (size_t i = 0; i < N; i++) {
            bool above = scores[i * K + (size_t)k] >= scores[t * K + (size_t)k];
            found += above;
            right += above && labels[i] == k;
            all += labels[i] == k;
        }
        for (size_t p = 0; p < 11; p++) {
            at[p] = 10 * right >= p * all ? fmax(at[p], (double)right / (double)found) : at[p];
        }
    }
    for (size_t p = 0; p < 11; p++) {
        sum += at[p] / 11;
    }
    return sum;
}

static void both_equal_plain_loops(void **state) {
    (void)state;
    static double scores[N * K];
    const lp_probability kinds[] = {LP_PROBABILITY_SOFTMAX, LP_PROBABILITY_OVR};
    lp_probe *probe = random_probe();
    dataset data = random_rows();
    for (size_t p = 0; p < 2; p++) {
        lp_ranking one, many;
        double auc = 0, precision = 0, classes = 0;
        assert_ok(lp_probe_logits(probe, data.x, N, scores, 1, &err), &err);
        for (size_t i = 0; i < N; i++) {
            lp_log_probabilities(scores + i * K, K, kinds[p]);
        }
        for (int64_t k = 0; k < K; k++) {
            if (k != 2) {
                auc += plain_auc(scores, data.labels, k);
                precision += plain_precision(scores, data.labels, k);
                classes++;
            }
        }
        assert_ok(lp_probe_rank(probe, &data.set, kinds[p], 1, &one, &err), &err);
        assert_ok(lp_probe_rank(probe, &data.set, kinds[p], 3, &many, &err), &err);
        assert_memory_equal(&one, &many, sizeof one);
        assert_true(fabs(one.roc_auc - auc / classes) < 1e-12);
        assert_true(fabs(one.map_11 - precision / classes) < 1e-12);
    }
    lp_probe_free(probe);
    dataset_free(&data);
}

static void log_probabilities_add_up_to_one(void **state) {
    (void)state;
    double soft[3] = {1000, 999, -INFINITY}, ovr[2] = {-800, 2};
    lp_log_probabilities(soft, 3, LP_PROBABILITY_SOFTMAX);
    assert_true(fabs(exp(soft[0]) + exp(soft[1]) - 1) < 1e-15 && soft[2] == -INFINITY);
    assert_true(fabs(soft[1] - soft[0] + 1) < 1e-12);
    lp_log_probabilities(ovr, 2, LP_PROBABILITY_OVR);
    assert_true(fabs(ovr[0] - (-800 + log1p(exp(-2)))) < 1e-9 && ovr[1] <= 0);
}

/* A test set of one class has nothing to rank; wrong sets are refused. */
static void what_cannot_be_ranked(void **state) {
    (void)state;
    lp_probe *probe = random_probe();
    dataset data = random_rows();
    lp_ranking ranking;
    for (size_t i = 0; i < N; i++) {
        data.labels[i] = 1;
    }
    assert_ok(lp_probe_rank(probe, &data.set, LP_PROBABILITY_SOFTMAX, 2, &ranking, &err), &err);
    assert_true(isnan(ranking.roc_auc) && isnan(ranking.map_11));
    data.labels[7] = K;
    assert_fails(lp_probe_rank(probe, &data.set, LP_PROBABILITY_SOFTMAX, 2, &ranking, &err),
                 LP_ERR_DATA, &err, "row 7 holds 5");
    lp_probe_free(probe);
    dataset_free(&data);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    lp_probe *probe = random_probe();
    dataset data = random_rows();
    lp_ranking ranking;
    (void)lp_alloc_fail_at(0);
    assert_ok(lp_probe_rank(probe, &data.set, LP_PROBABILITY_SOFTMAX, 1, &ranking, &err), &err);
    size_t count = lp_alloc_fail_at(0);
    assert_true(count >= 6);
    for (size_t k = 1; k <= count; k++) {
        (void)lp_alloc_fail_at(k);
        assert_int_equal(lp_probe_rank(probe, &data.set, LP_PROBABILITY_SOFTMAX, 1, &ranking, &err),
                         LP_ERR_MEMORY);
    }
    (void)lp_alloc_fail_at(0);
    lp_probe_free(probe);
    dataset_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_equal_plain_loops),
        cmocka_unit_test(log_probabilities_add_up_to_one),
        cmocka_unit_test(what_cannot_be_ranked),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
