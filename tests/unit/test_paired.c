/* Comparing two classifiers, against published examples and plain counting. */
#include <math.h>

#include "base/alloc.h"
#include "base/random.h"
#include "check.h"
#include "probe/metrics.h"

static lp_error err;

static void assert_near(double found, double expected, double tolerance) {
    if (!(fabs(found - expected) <= tolerance)) {
        fail_msg("expected %.12g within %g, found %.12g", expected, tolerance, found);
    }
}

/* Armitage and Berry, Statistical Methods in Medical Research, 1994, p. 127: two media for
 * Mycobacterium tuberculosis, 12 and 2 discordant specimens: 2 (1 + 14 + 91) / 2^14. */
static void mcnemar_of_armitage_and_berry(void **state) {
    (void)state;
    assert_near(lp_mcnemar(12, 2), 212.0 / 16384, 1e-15);
    assert_true(lp_mcnemar(2, 12) == lp_mcnemar(12, 2));
}

/* Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables, 2017, chapter 8:
 * complete response before and after consolidation therapy (Cavo et al., 2012), 59, 6, 16, 80; and
 * their program's intervals for 0, 0, 3, 0 and its mirror image. */
static void fagerland_lydersen_and_laake(void **state) {
    (void)state;
    assert_near(lp_mcnemar(6, 16), 0.052479, 5e-7);
    lp_interval interval = lp_tango(6, 16, 161);
    assert_near(interval.low, -0.1240, 5e-5);
    assert_near(interval.high, -0.0054, 5e-5);
    interval = lp_tango(3, 0, 3);
    assert_near(interval.low, -0.1230, 5e-5);
    assert_near(interval.high, 1, 1e-12);
    interval = lp_tango(0, 3, 3);
    assert_near(interval.low, -1, 1e-12);
    assert_near(interval.high, 0.1230, 5e-5);
}

/* Small counts by Pascal's triangle. */
static void mcnemar_equals_counting(void **state) {
    (void)state;
    double row[41] = {1};
    for (size_t n = 0; n <= 40; n++) {
        for (size_t k = 0; k <= n; k++) {
            size_t least = k < n - k ? k : n - k;
            double tail = 0;
            for (size_t i = 0; i <= least; i++) {
                tail += row[i];
            }
            assert_near(lp_mcnemar(k, n - k), fmin(1, 2 * tail / pow(2, (double)n)), 1e-13);
        }
        for (size_t i = n + 1; n < 40 && i > 0; i--) {
            row[i] += row[i - 1];
        }
    }
    assert_true(lp_mcnemar(0, 0) == 1);
    assert_true(lp_mcnemar(5000, 5000) == 1);
    double tiny = lp_mcnemar(0, 1000); /* 2^-999 */
    assert_near(tiny / 0x1p-999, 1, 1e-11);
    assert_true(lp_mcnemar(0, 5000) == 0); /* below the smallest double */
}

/* Maximum of the likelihood over q = P(second alone) at a fixed difference d, by trying; the score
 * statistic with that q. */
static double plain_statistic(double b, double c, double n, double d) {
    double best = -INFINITY;
    double best_q = 0;
    double from = fmax(0, -d);
    double to = (1 - d) / 2;
    for (int round = 0; round < 8; round++) { /* ever finer */
        double step = (to - from) / 200;
        for (int i = 0; i <= 200; i++) {
            double q = from + i * step;
            double rest = fmax(0, 1 - 2 * q - d);
            double value = (b > 0 ? b * log(fmax(0, q + d)) : 0) + (c > 0 ? c * log(q) : 0) +
                           (n > b + c ? (n - b - c) * log(rest) : 0);
            if (value > best) {
                best = value;
                best_q = q;
            }
        }
        from = fmax(fmax(0, -d), best_q - step);
        to = fmin((1 - d) / 2, best_q + step);
    }
    return (b - c - n * d) / sqrt(n * (2 * best_q + d - d * d));
}

static void tango_ends_where_the_score_is_the_quantile(void **state) {
    (void)state;
    static const size_t cases[][3] = {{6, 16, 161}, {16, 6, 161},  {1, 7, 21},      {0, 5, 30},
                                      {9, 0, 12},   {40, 20, 160}, {310, 250, 2000}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double b = (double)cases[i][0];
        double c = (double)cases[i][1];
        double n = (double)cases[i][2];
        lp_interval interval = lp_tango(cases[i][0], cases[i][1], cases[i][2]);
        assert_near(plain_statistic(b, c, n, interval.low), LP_NORMAL_975, 1e-4);
        assert_near(plain_statistic(b, c, n, interval.high), -LP_NORMAL_975, 1e-4);
        assert_true(interval.low < (b - c) / n && (b - c) / n < interval.high);
    }
}

/* Mirror images mirror; it leaves out 0 exactly where (b - c)^2 / (b + c) > 1.96^2; without
 * discordant examples it is -+ z^2 / (N + z^2). */
static void tango_properties(void **state) {
    (void)state;
    static const double z2 = LP_NORMAL_975 * LP_NORMAL_975;
    lp_random random;
    lp_random_seed(&random, 3);
    for (int i = 0; i < 300; i++) {
        size_t n = 1 + (size_t)lp_random_below(&random, 2000);
        size_t b = (size_t)lp_random_below(&random, n + 1);
        size_t c = (size_t)lp_random_below(&random, n - b + 1);
        lp_interval one = lp_tango(b, c, n);
        lp_interval other = lp_tango(c, b, n);
        double difference = (double)b - (double)c;
        assert_near(one.low, -other.high, 1e-12);
        assert_near(one.high, -other.low, 1e-12);
        assert_true(-1 <= one.low && one.low <= one.high && one.high <= 1);
        bool rejected = difference * difference > z2 * (double)(b + c);
        assert_int_equal(one.low > 1e-12 || one.high < -1e-12, rejected);
    }
    lp_interval same = lp_tango(0, 0, 100);
    assert_near(same.high, z2 / (100 + z2), 1e-12);
    assert_near(same.low, -z2 / (100 + z2), 1e-12);
}

static void pairs_are_counted(void **state) {
    (void)state;
    static const int64_t labels[] = {0, 1, 2, 0, 1, 2, 0, 1};
    static const int64_t first[] = {0, 1, 2, 1, 1, 0, 0, 0};
    static const int64_t second[] = {0, 2, 2, 0, 0, 1, 1, 0};
    lp_paired pair;
    lp_compare(labels, first, second, 8, &pair);
    assert_int_equal(pair.count, 8);
    assert_int_equal(pair.both, 2);
    assert_int_equal(pair.first_only, 3); /* rows 1, 4, 6 */
    assert_int_equal(pair.second_only, 1);
    assert_true(pair.difference == 0.25);
    assert_near(pair.p, 10.0 / 16, 1e-15);
    lp_interval interval = lp_tango(3, 1, 8);
    assert_true(pair.interval.low == interval.low && pair.interval.high == interval.high);
    lp_compare(labels, first, first, 8, &pair);
    assert_true(pair.difference == 0 && pair.p == 1);
}

/* 4 x 0.005, 3 x 0.011, 2 x 0.02, 1 x 0.04, then running maxima. */
static void holm_by_hand(void **state) {
    (void)state;
    static const double p[] = {0.02, 0.005, 0.04, 0.011};
    double adjusted[4];
    assert_ok(lp_holm(p, 4, adjusted, &err), &err);
    assert_near(adjusted[1], 0.02, 1e-15);
    assert_near(adjusted[3], 0.033, 1e-15);
    assert_near(adjusted[0], 0.04, 1e-15);
    assert_near(adjusted[2], 0.04, 1e-15);
    static const double large[] = {0.9, 0.3, 0.3, 0.01};
    assert_ok(lp_holm(large, 4, adjusted, &err), &err);
    assert_near(adjusted[3], 0.04, 1e-15);
    assert_near(adjusted[1], 0.9, 1e-15);
    assert_near(adjusted[2], 0.9, 1e-15);
    assert_near(adjusted[0], 0.9, 1e-15);
    static const double capped[] = {0.6, 0.7};
    assert_ok(lp_holm(capped, 2, adjusted, &err), &err);
    assert_true(adjusted[0] == 1 && adjusted[1] == 1);
    assert_ok(lp_holm(p, 0, adjusted, &err), &err);
    (void)lp_alloc_fail_at(1);
    assert_fails(lp_holm(p, 4, adjusted, &err), LP_ERR_MEMORY, &err, "Holm");
    (void)lp_alloc_fail_at(0);
}

/* Student's quantile from standard tables (Abramowitz and Stegun, table 26.10). */
static void student_quantiles(void **state) {
    (void)state;
    assert_near(lp_student_975(1), 12.706, 5e-4);
    assert_near(lp_student_975(2), 4.303, 5e-4);
    assert_near(lp_student_975(3), 3.182, 5e-4);
    assert_near(lp_student_975(4), 2.776, 5e-4);
    assert_near(lp_student_975(9), 2.262, 5e-4);
    assert_near(lp_student_975(30), 2.042, 5e-4);
    assert_near(lp_student_975(120), 1.980, 5e-4);
    assert_near(lp_student_975(1000000), LP_NORMAL_975, 5e-6);
}

/* Newcombe, Statistics in Medicine 17:857, 1998, table I, method 3 (Wilson). */
static void wilson_of_newcombe(void **state) {
    (void)state;
    static const struct {
        size_t part, whole;
        double low, high;
    } cases[] = {{81, 263, 0.2553, 0.3662},
                 {15, 148, 0.0624, 0.1605},
                 {0, 20, 0, 0.1611},
                 {1, 29, 0.0061, 0.1718}};
    for (size_t i = 0; i < 4; i++) {
        lp_interval interval = lp_wilson(cases[i].part, cases[i].whole);
        assert_near(interval.low, cases[i].low, 5e-5);
        assert_near(interval.high, cases[i].high, 5e-5);
        interval = lp_wilson(cases[i].whole - cases[i].part, cases[i].whole);
        assert_near(interval.low, 1 - cases[i].high, 5e-5);
    }
    lp_interval none = lp_wilson(0, 0);
    assert_true(none.low == 0 && none.high == 1);
    assert_true(lp_wilson(0, 7).low == 0 && lp_wilson(7, 7).high == 1);
}

/* One class: its own Wilson interval.  Two equal classes: the distances shrink by sqrt 2.  Classes
 * that do not occur do not count. */
static void interval_of_a_mean(void **state) {
    (void)state;
    static const size_t part[] = {7, 9, 7};
    static const size_t whole[] = {10, 0, 10};
    lp_interval own = lp_wilson(7, 10);
    lp_interval one = lp_mean_interval(part, whole, 1);
    assert_near(one.low, own.low, 1e-15);
    assert_near(one.high, own.high, 1e-15);
    lp_interval two = lp_mean_interval(part, whole, 3);
    assert_near(two.low, 0.7 - (0.7 - own.low) / sqrt(2), 1e-15);
    assert_near(two.high, 0.7 + (own.high - 0.7) / sqrt(2), 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mcnemar_of_armitage_and_berry),
        cmocka_unit_test(fagerland_lydersen_and_laake),
        cmocka_unit_test(mcnemar_equals_counting),
        cmocka_unit_test(tango_ends_where_the_score_is_the_quantile),
        cmocka_unit_test(tango_properties),
        cmocka_unit_test(pairs_are_counted),
        cmocka_unit_test(holm_by_hand),
        cmocka_unit_test(student_quantiles),
        cmocka_unit_test(wilson_of_newcombe),
        cmocka_unit_test(interval_of_a_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
