/* Stratified choices: sizes, nesting, determinism. */
#include <math.h>

#include "base/alloc.h"
#include "base/strata.h"
#include "probe/examples.h"
#include "probe_data.h"

enum { N = 100, K = 5 };

static lp_error err;
/* Classes of 1, 2, 0, 37 and 60 examples. */
static int64_t labels[N];
static size_t have[K];

static int fill(void **state) {
    (void)state;
    static const size_t sizes[K] = {1, 2, 0, 37, 60};
    size_t order[N];
    size_t at = 0;
    lp_random random;
    lp_random_seed(&random, 4);
    for (size_t i = 0; i < N; i++) {
        order[i] = i;
    }
    lp_random_shuffle(&random, order, N);
    for (size_t k = 0; k < K; k++) {
        have[k] = sizes[k];
        for (size_t i = 0; i < sizes[k]; i++) {
            labels[order[at++]] = (int64_t)k;
        }
    }
    return 0;
}

static lp_strata *strata_of(uint64_t seed) {
    lp_strata *s;
    assert_ok(lp_strata_new(labels, N, K, seed, &s, &err), &err);
    return s;
}

static void every_row_once_in_its_class(void **state) {
    (void)state;
    lp_strata *s = strata_of(1);
    bool seen[N] = {false};
    assert_int_equal(s->first[0], 0);
    assert_int_equal(s->first[K], N);
    for (size_t k = 0; k < K; k++) {
        assert_int_equal(s->first[k + 1] - s->first[k], have[k]);
        for (size_t i = s->first[k]; i < s->first[k + 1]; i++) {
            assert_int_equal(labels[s->rows[i]], k);
            assert_false(seen[s->rows[i]]);
            seen[s->rows[i]] = true;
        }
    }
    lp_strata_free(s);
}

static void the_seed_decides(void **state) {
    (void)state;
    lp_strata *a = strata_of(7);
    lp_strata *b = strata_of(7);
    lp_strata *c = strata_of(8);
    assert_memory_equal(a->rows, b->rows, N * sizeof *a->rows);
    assert_true(memcmp(a->rows, c->rows, N * sizeof *a->rows) != 0);
    lp_strata_free(a);
    lp_strata_free(b);
    lp_strata_free(c);
}

/* The choice for one seed, written down: it may not change between versions or machines. */
static void the_choice_is_fixed(void **state) {
    (void)state;
    static const int64_t six[] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
    static const size_t expected[] = {6, 8, 2, 4, 0, 1, 3, 7, 9, 5};
    lp_strata *s;
    assert_ok(lp_strata_new(six, 10, 2, 0, &s, &err), &err);
    assert_memory_equal(s->rows, expected, sizeof expected);
    lp_strata_free(s);
}

/* Every row of a class is as likely to be chosen: 5 of 60 in 4000 draws is 333 times each, standard
 * deviation 17.5; six of those decide. */
static void no_row_is_favoured(void **state) {
    (void)state;
    size_t times[N] = {0};
    bool chosen[N];
    for (uint64_t seed = 0; seed < 4000; seed++) {
        lp_strata *s = strata_of(seed);
        lp_strata_hold_out(s, 5.0 / 60, chosen);
        for (size_t i = 0; i < N; i++) {
            times[i] += chosen[i];
        }
        lp_strata_free(s);
    }
    for (size_t i = 0; i < N; i++) {
        if (labels[i] == 4) {
            assert_true(fabs((double)times[i] - 4000 * 5.0 / 60) < 6 * 17.5);
        }
    }
}

static void hold_out(void **state) {
    (void)state;
    lp_strata *s = strata_of(3);
    bool chosen[N];
    bool before[N] = {false};
    static const double fractions[] = {0, 0.01, 0.1, 0.5, 0.9, 1};
    static const size_t expected[][K] = {{0, 0, 0, 0, 0},   {0, 1, 0, 1, 1},   {0, 1, 0, 4, 6},
                                         {0, 1, 0, 19, 30}, {0, 1, 0, 33, 54}, {0, 1, 0, 36, 59}};
    for (size_t f = 0; f < 6; f++) {
        size_t held[K] = {0};
        lp_strata_hold_out(s, fractions[f], chosen);
        for (size_t i = 0; i < N; i++) {
            held[labels[i]] += chosen[i];
            assert_true(chosen[i] || !before[i]); /* nested */
        }
        assert_memory_equal(held, expected[f], sizeof held);
        memcpy(before, chosen, sizeof before);
    }
    lp_strata_free(s);
}

static void folds_are_even(void **state) {
    (void)state;
    lp_strata *s = strata_of(3);
    size_t fold[N];
    for (size_t folds = 1; folds <= 11; folds++) {
        size_t size[11] = {0};
        size_t of_class[K][11] = {{0}};
        lp_strata_folds(s, folds, fold);
        for (size_t i = 0; i < N; i++) {
            assert_true(fold[i] < folds);
            size[fold[i]]++;
            of_class[labels[i]][fold[i]]++;
        }
        for (size_t f = 0; f < folds; f++) {
            assert_true(size[f] == N / folds || size[f] == N / folds + 1);
            for (size_t k = 0; k < K; k++) {
                assert_true(of_class[k][f] == have[k] / folds ||
                            of_class[k][f] == have[k] / folds + 1);
            }
        }
    }
    lp_strata_free(s);
}

static void so_many_of_each(void **state) {
    (void)state;
    static const int64_t even[] = {1, 0, 2, 2, 1, 0, 0, 1, 2};
    lp_strata *s;
    bool chosen[N];
    size_t rows[N];
    float x[9];
    int64_t taken[9];
    const float *at[9];
    int64_t of[9];
    lp_examples to;
    lp_example_rows chosen_rows;
    assert_ok(lp_strata_new(even, 9, 3, 5, &s, &err), &err);
    assert_ok(lp_strata_each(s, 2, chosen, &err), &err);
    size_t count = lp_strata_rows(chosen, 9, true, rows);
    assert_int_equal(count, 6);
    assert_int_equal(lp_strata_rows(chosen, 9, false, rows + 6), 3);
    static const float values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    lp_examples from = {9, 1, 3, values, even};
    lp_examples_take(&from, rows, count, (lp_share){0, count}, x, taken, &to);
    assert_int_equal(to.count, 6);
    assert_int_equal(to.width, 1);
    assert_int_equal(to.classes, 3);
    size_t each[3] = {0};
    for (size_t i = 0; i < 6; i++) {
        assert_true(i == 0 || rows[i] > rows[i - 1]);
        assert_true(to.x[i] == (float)rows[i]);
        assert_int_equal(to.labels[i], even[rows[i]]);
        each[to.labels[i]]++;
    }
    assert_true(each[0] == 2 && each[1] == 2 && each[2] == 2);
    lp_examples_choose(&from, rows, count, at, of, &chosen_rows);
    assert_int_equal(chosen_rows.count, 6);
    assert_int_equal(chosen_rows.width, 1);
    assert_int_equal(chosen_rows.classes, 3);
    for (size_t i = 0; i < 6; i++) { /* where they lie */
        assert_ptr_equal(chosen_rows.x[i], values + rows[i]);
        assert_int_equal(chosen_rows.labels[i], even[rows[i]]);
    }
    lp_strata_free(s);
    s = strata_of(1);
    assert_fails(lp_strata_each(s, 1, chosen, &err), LP_ERR_DATA, &err,
                 "class 2 has 0 examples, expected at least 1");
    lp_strata_free(s);
}

static void wrong_labels_and_no_memory(void **state) {
    (void)state;
    static const int64_t wrong[] = {0, 1, 3};
    lp_strata *s;
    assert_fails(lp_strata_new(wrong, 3, 3, 0, &s, &err), LP_ERR_DATA, &err,
                 "row 2 holds 3, expected 0 to 2");
    assert_null(s);
    for (size_t k = 1; k <= 3; k++) {
        (void)lp_alloc_fail_at(k);
        assert_fails(lp_strata_new(labels, N, K, 0, &s, &err), LP_ERR_MEMORY, &err, "split");
        assert_null(s);
    }
    (void)lp_alloc_fail_at(0);
}

/* Rows of each class that were chosen. */
static void count_chosen(const bool *chosen, size_t found[K]) {
    memset(found, 0, K * sizeof *found);
    for (size_t i = 0; i < N; i++) {
        found[labels[i]] += chosen[i];
    }
}

static void a_limited_number(void **state) {
    (void)state;
    lp_strata *s = strata_of(3);
    bool chosen[N], larger[N];
    size_t found[K], occurring = 0, sum;
    for (size_t k = 0; k < K; k++) {
        occurring += have[k] > 0;
    }
    for (size_t total = occurring; total <= N + 1; total++) {
        assert_ok(lp_strata_limit(s, 0, total, chosen, &err), &err);
        count_chosen(chosen, found);
        sum = 0;
        for (size_t k = 0; k < K; k++) {
            assert_true(found[k] <= have[k] && (found[k] > 0) == (have[k] > 0));
            double left = have[k] > 0 ? (double)have[k] - 1 : 0;
            double part = left * (double)(total - occurring) / (double)(N - occurring);
            assert_true(total >= N || fabs((double)found[k] - (have[k] > 0) - part) < 1);
            sum += found[k];
        }
        assert_int_equal(sum, total < N ? total : N);
    }
    assert_fails(lp_strata_limit(s, 0, occurring - 1, chosen, &err), LP_ERR_DATA, &err,
                 "images is less than the");
    assert_ok(lp_strata_limit(s, 2, 0, chosen, &err), &err);
    count_chosen(chosen, found);
    for (size_t k = 0; k < K; k++) {
        assert_int_equal(found[k], have[k] < 2 ? have[k] : 2);
    }
    assert_ok(lp_strata_limit(s, 3, 0, larger, &err), &err);
    for (size_t i = 0; i < N; i++) {
        assert_true(larger[i] || !chosen[i]);
    }
    assert_ok(lp_strata_limit(s, 2, occurring, chosen, &err), &err);
    count_chosen(chosen, found);
    for (size_t k = 0; k < K; k++) {
        assert_int_equal(found[k], have[k] > 0);
    }
    (void)lp_alloc_fail_at(2);
    assert_fails(lp_strata_limit(s, 2, 0, chosen, &err), LP_ERR_MEMORY, &err, "choice");
    (void)lp_alloc_fail_at(0);
    lp_strata_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_once_in_its_class),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(the_choice_is_fixed),
        cmocka_unit_test(no_row_is_favoured),
        cmocka_unit_test(hold_out),
        cmocka_unit_test(folds_are_even),
        cmocka_unit_test(so_many_of_each),
        cmocka_unit_test(a_limited_number),
        cmocka_unit_test(wrong_labels_and_no_memory),
    };
    return cmocka_run_group_tests(tests, fill, NULL);
}
