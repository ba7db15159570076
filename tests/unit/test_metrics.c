/* Log loss, calibration, confusion: values worked out by hand and plain twins. */
#include <float.h>
#include <math.h>

#include "base/alloc.h"
#include "linprobe/stats.h"
#include "normal.h"
#include "probe/classifier.h"
#include "probe/metrics.h"
#include "probe_data.h"

static lp_error err;

static void assert_near(double found, double expected, double tolerance) {
    if (!(fabs(found - expected) <= tolerance)) {
        fail_msg("expected %.12g within %g, found %.12g", expected, tolerance, found);
    }
}

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

static dataset one_hot(size_t width, size_t classes, const size_t *hot, const int64_t *labels,
                       size_t count) {
    dataset data = dataset_new(count, width, classes);
    for (size_t i = 0; i < count; i++) {
        data.x[i * width + hot[i]] = 1;
        data.labels[i] = labels[i];
    }
    return data;
}

/* Softmax probabilities 1/2, 1/4, 1/4 and 8/10, 1/10, 1/10. */
static void softmax_by_hand(void **state) {
    (void)state;
    const double table[] = {log(2), 0, 0, 0, log(8), 0};
    static const size_t hot[] = {0, 0, 0, 1, 1};
    static const int64_t labels[] = {0, 1, 2, 1, 0};
    lp_probe *probe = probe_of(2, 3, table);
    dataset data = one_hot(2, 3, hot, labels, 5);
    lp_metrics m;
    size_t correct[3];
    size_t count[3];
    int64_t predicted[5];
    double confidence[5];
    const lp_evaluation_outputs outputs = {correct, count, predicted, confidence};
    assert_ok(lp_probe_evaluate(probe, &data.set, LP_PROBABILITY_SOFTMAX, 2, &m, &outputs, &err),
              &err);
    const double losses[] = {log(2), log(4), log(4), log(1.25), log(10)};
    double mean = 0;
    double squares = 0;
    for (size_t i = 0; i < 5; i++) {
        mean += losses[i] / 5;
    }
    for (size_t i = 0; i < 5; i++) {
        squares += (losses[i] - mean) * (losses[i] - mean);
    }
    assert_near(m.log_loss, mean, 1e-14);
    double half = LP_NORMAL_975 * sqrt(squares / 4 / 5);
    assert_near(m.log_loss_interval.low, mean - half, 1e-14);
    assert_near(m.log_loss_interval.high, mean + half, 1e-14);
    /* 0.5 is in bin 7 (7/15, 8/15], 0.8 in bin 11 (11/15, 12/15] */
    assert_int_equal(m.bins[7].count, 3);
    assert_int_equal(m.bins[7].correct, 1);
    assert_near(m.bins[7].confidence, 0.5, 1e-15);
    assert_int_equal(m.bins[11].count, 2);
    assert_int_equal(m.bins[11].correct, 1);
    assert_near(m.bins[11].confidence, 0.8, 1e-15);
    assert_int_equal(m.bins[8].count, 0);
    /* 3/5 |1/3 - 1/2| + 2/5 |1/2 - 8/10| */
    assert_near(m.calibration_error, 0.1 + 0.12, 1e-15);
    assert_int_equal(m.score.correct, 2);
    lp_interval wilson = lp_wilson(2, 5);
    assert_memory_equal(&m.score.top1_interval, &wilson, sizeof wilson);
    assert_true(m.score.top5_interval.high == 1 && m.score.top5 == 1);
    wilson = lp_mean_interval(correct, count, 3);
    assert_memory_equal(&m.score.mean_per_class_interval, &wilson, sizeof wilson);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(predicted[i], hot[i]);
        assert_near(confidence[i], i < 3 ? 0.5 : 0.8, 1e-15);
    }
    lp_probe_free(probe);
    dataset_free(&data);
}

/* Sigmoids 3/4, 1/4, 1/2 -> 1/2, 1/6, 1/3. */
static void ovr_by_hand(void **state) {
    (void)state;
    const double table[] = {log(3), -log(3), 0};
    static const size_t hot[] = {0, 0, 0};
    static const int64_t labels[] = {0, 1, 2};
    lp_probe *probe = probe_of(1, 3, table);
    dataset data = one_hot(1, 3, hot, labels, 3);
    lp_metrics m;
    assert_ok(lp_probe_evaluate(probe, &data.set, LP_PROBABILITY_OVR, 1, &m, NULL, &err), &err);
    assert_near(m.log_loss, log(2.0 * 6 * 3) / 3, 1e-14);
    assert_near(m.bins[7].confidence, 0.5, 1e-15);
    assert_near(m.calibration_error, 0.5 - 1.0 / 3, 1e-15);
    lp_probe_free(probe);
    dataset_free(&data);
}

/* Logits far from 0, and a class that training never saw: the loss is clipped as scikit-learn clips
 * it, and nothing overflows. */
static void extreme_logits(void **state) {
    (void)state;
    static const double table[] = {1e4, -1e4, 0, -1e4, -1e4, -2e4};
    static const size_t hot[] = {0, 0, 1};
    static const int64_t labels[] = {0, 1, 0};
    lp_probe *probe = probe_of(2, 3, table);
    dataset data = one_hot(2, 3, hot, labels, 3);
    lp_metrics m;
    probe->intercepts[2] = -INFINITY;
    for (int kind = 1; kind <= 2; kind++) {
        assert_ok(lp_probe_evaluate(probe, &data.set, (lp_probability)kind, 1, &m, NULL, &err),
                  &err);
        /* right for sure, wrong for sure, 1/2 between two sigmoids that both underflow */
        double expected = (-log1p(-DBL_EPSILON) - log(DBL_EPSILON) + log(2)) / 3;
        assert_near(m.log_loss, expected, 1e-12);
        assert_int_equal(m.bins[14].count, 2);
        assert_int_equal(m.bins[7].count, 1);
    }
    data.labels[0] = 2;
    assert_ok(lp_probe_evaluate(probe, &data.set, LP_PROBABILITY_SOFTMAX, 1, &m, NULL, &err), &err);
    assert_near(m.log_loss, (-2 * log(DBL_EPSILON) + log(2)) / 3, 1e-12);
    lp_probe_free(probe);
    dataset_free(&data);
}

static void without_probabilities(void **state) {
    (void)state;
    static const double table[] = {1, 0};
    static const size_t hot[] = {0};
    static const int64_t labels[] = {0};
    lp_probe *probe = probe_of(1, 2, table);
    dataset data = one_hot(1, 2, hot, labels, 1);
    lp_metrics m;
    assert_ok(lp_probe_evaluate(probe, &data.set, LP_PROBABILITY_NONE, 1, &m, NULL, &err), &err);
    assert_true(m.log_loss == 0 && m.calibration_error == 0);
    assert_int_equal(m.bins[10].count, 0);
    assert_int_equal(m.score.correct, 1);
    lp_probe_free(probe);
    dataset_free(&data);
}

/* More rows than a block: sums of plain loops, the same bits for every number of threads. */
static void many_rows_any_threads(void **state) {
    (void)state;
    enum { N = 5000, F = 9, K = 7 };
    dataset data = dataset_random(N, F, K, 11);
    lp_probe *probe;
    lp_random random;
    lp_random_seed(&random, 5);
    assert_ok(lp_probe_new(K, F, &probe, &err), &err);
    for (size_t i = 0; i < K * F; i++) {
        probe->weights[i] = 0.3 * random_normal(&random);
    }
    double *logits = calloc(N * K, sizeof *logits);
    int64_t *predicted = calloc(N, sizeof *predicted);
    assert_true(logits != NULL && predicted != NULL);
    assert_ok(lp_probe_logits(probe, data.x, N, logits, 1, &err), &err);
    const lp_evaluation_outputs outputs = {.predicted = predicted};
    for (int kind = 1; kind <= 2; kind++) {
        lp_metrics one;
        lp_metrics three;
        assert_ok(
            lp_probe_evaluate(probe, &data.set, (lp_probability)kind, 1, &one, &outputs, &err),
            &err);
        assert_ok(lp_probe_evaluate(probe, &data.set, (lp_probability)kind, 3, &three, NULL, &err),
                  &err);
        assert_memory_equal(&one, &three, sizeof one);
        double loss = 0;
        double count[15] = {0};
        double right[15] = {0};
        double confidence[15] = {0};
        for (size_t i = 0; i < N; i++) {
            double p[K];
            double sum = 0;
            size_t best = 0;
            for (size_t k = 0; k < K; k++) {
                double z = logits[i * K + k];
                p[k] = kind == LP_PROBABILITY_SOFTMAX ? exp(z) : 1 / (1 + exp(-z));
                sum += p[k];
                best = z > logits[i * K + best] ? k : best;
            }
            assert_int_equal(predicted[i], best);
            loss -= log(p[data.labels[i]] / sum) / N;
            size_t bin = 0;
            while (bin < 14 && p[best] / sum > (double)(bin + 1) / 15) {
                bin++;
            }
            count[bin]++;
            right[bin] += (int64_t)best == data.labels[i];
            confidence[bin] += p[best] / sum;
        }
        double error = 0;
        for (size_t b = 0; b < 15; b++) {
            assert_true((double)one.bins[b].count == count[b]);
            assert_true((double)one.bins[b].correct == right[b]);
            error += fabs(right[b] - confidence[b]) / N;
        }
        assert_near(one.log_loss, loss, 1e-12);
        assert_near(one.calibration_error, error, 1e-12);
    }
    free(logits);
    free(predicted);
    lp_probe_free(probe);
    dataset_free(&data);
}

static void confusion(void **state) {
    (void)state;
    static const int64_t labels[] = {0, 0, 0, 0, 1, 1, 2, 2, 3, 3};
    static const int64_t predicted[] = {0, 1, 1, 2, 1, 0, 3, 3, 3, 0};
    static const size_t group_of[] = {1, 0, 1, 0};
    size_t matrix[16];
    size_t grouped[4];
    lp_confused pairs[8];
    lp_confusion_count(labels, predicted, 10, 4, matrix);
    static const size_t expected[] = {1, 2, 1, 0, 1, 1, 0, 0, 0, 0, 0, 2, 1, 0, 0, 1};
    assert_memory_equal(matrix, expected, sizeof matrix);
    lp_confusion_group(matrix, 4, group_of, 2, grouped);
    /* group 0 = {1, 3}, group 1 = {0, 2} */
    static const size_t expected_groups[] = {2, 2, 4, 2};
    assert_memory_equal(grouped, expected_groups, sizeof grouped);
    static const size_t order[][3] = {{0, 1, 2}, {2, 3, 2}, {0, 2, 1}, {1, 0, 1}, {3, 0, 1}};
    for (size_t room = 0; room <= 8; room++) {
        memset(pairs, 0xff, sizeof pairs);
        size_t found = lp_confusion_pairs(matrix, 4, pairs, room);
        assert_int_equal(found, room < 5 ? room : 5);
        for (size_t i = 0; i < found; i++) {
            assert_int_equal(pairs[i].label, order[i][0]);
            assert_int_equal(pairs[i].predicted, order[i][1]);
            assert_int_equal(pairs[i].count, order[i][2]);
        }
        for (size_t i = found; i < 8; i++) {
            assert_true(pairs[i].label == SIZE_MAX); /* untouched */
        }
    }
    (void)lp_confusion_pairs(matrix, 4, pairs, 8);
    assert_true(pairs[0].share == 0.5 && pairs[1].share == 1);
    assert_true(pairs[0].interval.low == lp_wilson(2, 4).low);
}

/* Against sorting everything. */
static void pairs_of_random_matrices(void **state) {
    (void)state;
    enum { K = 9, ROOM = 12 };
    lp_random random;
    lp_random_seed(&random, 8);
    for (int round = 0; round < 50; round++) {
        size_t matrix[K * K];
        lp_confused pairs[ROOM];
        for (size_t i = 0; i < K * K; i++) {
            matrix[i] = (size_t)lp_random_below(&random, 6);
        }
        size_t found = lp_confusion_pairs(matrix, K, pairs, ROOM);
        size_t next = 0;
        for (size_t count = 5; count > 0; count--) {
            for (size_t i = 0; i < K * K && next < ROOM; i++) {
                if (matrix[i] == count && i / K != i % K) {
                    assert_true(next < found);
                    assert_int_equal(pairs[next].label * K + pairs[next].predicted, i);
                    assert_int_equal(pairs[next].count, count);
                    next++;
                }
            }
        }
        assert_int_equal(next, found);
    }
}

static void failures(void **state) {
    (void)state;
    dataset data = dataset_random(300, 3, 4, 1);
    lp_probe *probe;
    lp_metrics m;
    assert_ok(lp_probe_new(4, 3, &probe, &err), &err);
    size_t k = 0;
    lp_status status = LP_ERR_MEMORY;
    while (status != LP_OK) {
        (void)lp_alloc_fail_at(++k);
        status = lp_probe_evaluate(probe, &data.set, LP_PROBABILITY_SOFTMAX, 1, &m, NULL, &err);
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
    }
    assert_true(k > 3);
    data.x[3 * 299 + 1] = NAN;
    assert_fails(lp_probe_evaluate(probe, &data.set, LP_PROBABILITY_SOFTMAX, 1, &m, NULL, &err),
                 LP_ERR_DATA, &err, "row 299, column 1 holds NaN");
    lp_probe_free(probe);
    dataset_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_by_hand),          cmocka_unit_test(ovr_by_hand),
        cmocka_unit_test(extreme_logits),           cmocka_unit_test(without_probabilities),
        cmocka_unit_test(many_rows_any_threads),    cmocka_unit_test(confusion),
        cmocka_unit_test(pairs_of_random_matrices), cmocka_unit_test(failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
