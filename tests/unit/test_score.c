/* Predictions and accuracy, against values worked out by hand. */
#include <math.h>

#include "base/alloc.h"
#include "linprobe/stats.h"
#include "normal.h"
#include "probe/classifier.h"
#include "probe_data.h"

static lp_error err;

/* Logits of a one-hot feature j are row j of `table`. */
static lp_probe *probe_of(size_t width, size_t classes, const double *table) {
    lp_probe *probe;
    assert_ok(lp_probe_new(classes, width, &probe, &err), &err);
    for (size_t k = 0; k < classes; k++) {
        for (size_t j = 0; j < width; j++) {
            probe->weights[k * width + j] = table[j * classes + k];
        }
    }
    return probe;
}

static void counts_and_rates(void **state) {
    (void)state;
    static const double table[3 * 7] = {
        7, 6, 5, 4, 3, 2, 1, /* class 5 is sixth */
        1, 1, 1, 1, 1, 1, 1, /* all tie: the lowest class first */
        0, 0, 9, 0, 0, 0, 8,
    };
    lp_probe *probe = probe_of(3, 7, table);
    /* label, feature: ranks 0, 5, 0, 4, 5, 0, 1, 0 */
    static const int64_t labels[] = {0, 5, 0, 4, 5, 2, 6, 2};
    static const size_t hot[] = {0, 0, 1, 1, 1, 2, 2, 2};
    dataset data = dataset_new(8, 3, 7);
    for (size_t i = 0; i < 8; i++) {
        data.labels[i] = labels[i];
        data.x[3 * i + hot[i]] = 1;
    }
    lp_score score;
    size_t correct[7];
    size_t count[7];
    lp_metrics metrics;
    const lp_evaluation_outputs outputs = {correct, count, NULL, NULL};
    assert_ok(lp_probe_score(probe, &data.set, 2, &score, &err), &err);
    assert_ok(lp_probe_evaluate(probe, &data.set, LP_PROBABILITY_NONE, 2, &metrics, &outputs, &err),
              &err);
    assert_memory_equal(&metrics.score, &score, sizeof score);
    assert_int_equal(score.count, 8);
    assert_int_equal(score.correct, 4);
    assert_int_equal(score.correct_top5, 6);
    assert_true(score.top1 == 0.5 && score.top5 == 0.75);
    /* class 0: 2/2, 2: 2/2, 4: 0/1, 5: 0/2, 6: 0/1 */
    assert_true(fabs(score.mean_per_class - 0.4) < 1e-15);
    assert_int_equal(count[0], 2);
    assert_int_equal(correct[0], 2);
    assert_int_equal(count[1], 0);
    assert_int_equal(count[5], 2);
    assert_int_equal(correct[5], 0);
    /* Wilson at 4/8: centre 1/2, half width z sqrt(n + z^2) / (2 (n + z^2)) */
    assert_true(fabs(score.top1_interval.low - 0.2152161) < 1e-6);
    assert_true(fabs(score.top1_interval.high - 0.7847839) < 1e-6);
    int64_t predicted[8];
    assert_ok(lp_probe_predict(probe, data.x, 8, predicted, 1, &err), &err);
    assert_int_equal(predicted[0], 0);
    assert_int_equal(predicted[2], 0);
    assert_int_equal(predicted[7], 2);
    lp_probe_free(probe);
    dataset_free(&data);
}

static void interval_stays_within_0_and_1(void **state) {
    (void)state;
    static const double table[2] = {0, 1};
    lp_probe *probe = probe_of(1, 2, table);
    dataset data = dataset_new(10, 1, 2);
    lp_score score;
    for (size_t i = 0; i < 10; i++) {
        data.x[i] = 1;
        data.labels[i] = 1;
    }
    assert_ok(lp_probe_score(probe, &data.set, 1, &score, &err), &err);
    assert_true(score.top1 == 1);
    assert_true(score.top1_interval.high <= 1 && score.top1_interval.high > 1 - 1e-12);
    assert_true(fabs(score.top1_interval.low - 0.7224672) < 1e-6); /* n / (n + z^2) */
    assert_true(score.top5 == 1);
    for (size_t i = 0; i < 10; i++) {
        data.labels[i] = 0;
    }
    assert_ok(lp_probe_score(probe, &data.set, 1, &score, &err), &err);
    assert_true(score.top1 == 0);
    assert_true(score.top1_interval.low >= 0 && score.top1_interval.low < 1e-12);
    assert_true(fabs(score.top1_interval.high - 0.2775328) < 1e-6);
    assert_true(score.top5 == 1); /* fewer than five classes: all are among the first five */
    lp_probe_free(probe);
    dataset_free(&data);
}

/* Sizes beside the block's, several threads, an absent class. */
static void logits_equal_plain_loops(void **state) {
    (void)state;
    static const size_t counts[] = {1, 255, 256, 257, 700};
    for (size_t c = 0; c < 5; c++) {
        size_t n = counts[c];
        dataset data = dataset_random(n, 13, 5, 40 + c);
        lp_probe *probe;
        lp_random random;
        lp_random_seed(&random, c);
        assert_ok(lp_probe_new(5, 13, &probe, &err), &err);
        for (size_t i = 0; i < 5 * 13; i++) {
            probe->weights[i] = random_normal(&random);
        }
        probe->intercepts[1] = 0.25;
        probe->intercepts[3] = -INFINITY;
        memset(probe->weights + 3 * 13, 0, 13 * sizeof(double));
        double *logits = calloc(n * 5 + 1, sizeof *logits);
        int64_t *predicted = calloc(n, sizeof *predicted);
        assert_true(logits != NULL && predicted != NULL);
        logits[n * 5] = 77;
        assert_ok(lp_probe_logits(probe, data.x, n, logits, 3, &err), &err);
        assert_ok(lp_probe_predict(probe, data.x, n, predicted, 3, &err), &err);
        assert_true(logits[n * 5] == 77);
        for (size_t i = 0; i < n; i++) {
            size_t best = 0;
            for (size_t k = 0; k < 5; k++) {
                double sum = probe->intercepts[k];
                for (size_t j = 0; j < 13; j++) {
                    sum += probe->weights[k * 13 + j] * (double)data.x[i * 13 + j];
                }
                assert_true(k == 3 ? logits[i * 5 + k] == -INFINITY
                                   : fabs(logits[i * 5 + k] - sum) < 1e-12);
                best = logits[i * 5 + k] > logits[i * 5 + best] ? k : best;
            }
            assert_int_equal(predicted[i], best);
        }
        free(logits);
        free(predicted);
        lp_probe_free(probe);
        dataset_free(&data);
    }
}

static void wrong_input_is_refused(void **state) {
    (void)state;
    dataset data = dataset_random(600, 3, 4, 1);
    lp_probe *probe;
    lp_score score;
    double *logits = calloc(600 * 4, sizeof *logits);
    assert_ok(lp_probe_new(4, 3, &probe, &err), &err);
    data.x[3 * 500 + 2] = NAN;
    assert_fails(lp_probe_logits(probe, data.x, 600, logits, 2, &err), LP_ERR_DATA, &err,
                 "row 500, column 2 holds NaN");
    data.x[3 * 400] = -INFINITY;
    assert_fails(lp_probe_score(probe, &data.set, 2, &score, &err), LP_ERR_DATA, &err,
                 "row 400, column 0 holds an infinity");
    data.labels[7] = 4;
    assert_fails(lp_probe_score(probe, &data.set, 2, &score, &err), LP_ERR_DATA, &err,
                 "row 7 holds 4, the probe knows 0 to 3");
    data.labels[7] = -1;
    assert_fails(lp_probe_score(probe, &data.set, 2, &score, &err), LP_ERR_DATA, &err,
                 "row 7 holds -1");
    data.set.count = 0;
    assert_fails(lp_probe_score(probe, &data.set, 2, &score, &err), LP_ERR_DATA, &err, "empty");
    data.set.width = 5;
    assert_fails(lp_probe_score(probe, &data.set, 2, &score, &err), LP_ERR_ARGUMENT, &err,
                 "test set has 5 features, the probe 3");
    free(logits);
    lp_probe_free(probe);
    dataset_free(&data);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    dataset data = dataset_random(300, 3, 4, 1);
    lp_probe *probe;
    lp_score score;
    assert_ok(lp_probe_new(4, 3, &probe, &err), &err);
    (void)lp_alloc_fail_at(0);
    assert_ok(lp_probe_score(probe, &data.set, 2, &score, &err), &err);
    size_t allocations = lp_alloc_fail_at(0);
    assert_true(allocations >= 3);
    for (size_t k = 1; k <= allocations; k++) {
        (void)lp_alloc_fail_at(k);
        lp_status status = lp_probe_score(probe, &data.set, 2, &score, &err);
        (void)lp_alloc_fail_at(0);
        assert_int_equal(status, LP_ERR_MEMORY);
    }
    lp_probe_free(probe);
    dataset_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_rates),
        cmocka_unit_test(interval_stays_within_0_and_1),
        cmocka_unit_test(logits_equal_plain_loops),
        cmocka_unit_test(wrong_input_is_refused),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
