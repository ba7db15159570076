/* Nearest neighbours against a search of everything in float64. */
#include <math.h>

#include "base/alloc.h"
#include "base/random.h"
#include "probe/knn.h"
#include "probe_data.h"

static lp_error err;
static const lp_progress silent = {NULL, NULL};

static double plain_norm(const float *x, size_t width) {
    double sum = 0;
    for (size_t j = 0; j < width; j++) {
        sum += (double)x[j] * (double)x[j];
    }
    return sum > 0 ? 1 / sqrt(sum) : 0;
}

static int nearer(const void *a, const void *b) {
    const lp_neighbour *x = a;
    const lp_neighbour *y = b;
    if (x->similarity != y->similarity) {
        return x->similarity > y->similarity ? -1 : 1;
    }
    return x->row < y->row ? -1 : 1;
}

/* Sorts all N by (similarity, row). */
static lp_neighbour *plain_search(const lp_examples *train, const lp_examples *test, size_t k) {
    size_t F = train->width;
    lp_neighbour *all = calloc(train->count, sizeof *all);
    lp_neighbour *found = calloc(test->count * k, sizeof *found);
    assert_true(all != NULL && found != NULL);
    for (size_t i = 0; i < test->count; i++) {
        for (size_t n = 0; n < train->count; n++) {
            double dot = 0;
            for (size_t j = 0; j < F; j++) {
                dot += (double)test->x[i * F + j] * (double)train->x[n * F + j];
            }
            all[n].similarity =
                dot * plain_norm(test->x + i * F, F) * plain_norm(train->x + n * F, F);
            all[n].row = n;
        }
        qsort(all, train->count, sizeof *all, nearer);
        memcpy(found + i * k, all, k * sizeof *all);
    }
    free(all);
    return found;
}

static void compare(const dataset *train, const dataset *test, size_t k) {
    lp_neighbour *expected = plain_search(&train->set, &test->set, k);
    lp_neighbour *found = calloc(test->set.count * k + 1, sizeof *found);
    assert_non_null(found);
    found[test->set.count * k].row = 77;
    for (size_t threads = 1; threads <= 3; threads += 2) {
        assert_ok(lp_knn_find(&train->set, &test->set, k, threads, &silent, found, &err), &err);
        assert_int_equal(found[test->set.count * k].row, 77);
        for (size_t i = 0; i < test->set.count * k; i++) {
            if (found[i].row != expected[i].row || found[i].similarity != expected[i].similarity) {
                fail_msg("N %zu F %zu k %zu threads %zu, test row %zu, place %zu: expected row %zu "
                         "(%.17g), found %zu (%.17g)",
                         train->set.count, train->set.width, k, threads, i / k, i % k,
                         expected[i].row, expected[i].similarity, found[i].row,
                         found[i].similarity);
            }
        }
    }
    free(expected);
    free(found);
}

/* Sizes beside the blocks' (128 test rows, 1024 training rows or fewer of wide ones). */
static void equals_a_plain_search(void **state) {
    (void)state;
    static const size_t sizes[][4] = {{1, 1, 3, 1},      {5, 129, 7, 5},    {1025, 2, 13, 20},
                                      {300, 127, 64, 1}, {40, 5, 3000, 11}, {2100, 9, 2, 100}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        dataset train = dataset_random(sizes[i][0], sizes[i][2], 3, i);
        dataset test = dataset_random(sizes[i][1], sizes[i][2], 3, 100 + i);
        compare(&train, &test, sizes[i][3]);
        dataset_free(&train);
        dataset_free(&test);
    }
}

/* Near and exact ties: copies at both ends of a block, copies that differ in one last bit, zeros.
 */
static void ties_go_by_row(void **state) {
    (void)state;
    enum { N = 1100, F = 31 };
    dataset train = dataset_random(N, F, 3, 5);
    dataset test = dataset_random(20, F, 3, 6);
    for (size_t n = 0; n < N; n++) {
        if (n % 3 != 0) {
            memcpy(train.x + n * F, train.x, F * sizeof(float));
        }
        if (n % 3 == 2) {
            train.x[n * F + n % F] = nextafterf(train.x[n * F + n % F], n % 2 ? 9.0f : -9.0f);
        }
    }
    memset(train.x + 7 * F, 0, F * sizeof(float));
    memset(test.x + 3 * F, 0, F * sizeof(float));
    memcpy(test.x, train.x, F * sizeof(float));
    compare(&train, &test, 50);
    compare(&train, &test, N);
    dataset_free(&train);
    dataset_free(&test);
}

/* Values whose squares leave float32's range on either side. */
static void any_scale(void **state) {
    (void)state;
    for (int big = 0; big < 2; big++) {
        dataset train = dataset_random(60, 10, 3, 5);
        dataset test = dataset_random(30, 10, 3, 6);
        for (size_t i = 0; i < 600; i++) {
            train.x[i] *= big ? 1e30f : 1e-30f;
        }
        for (size_t i = 0; i < 300; i++) {
            test.x[i] *= big ? 1e35f : 1e-35f;
        }
        compare(&train, &test, 7);
        dataset_free(&train);
        dataset_free(&test);
    }
}

/* In the plane: angles from the test vector 0, 60, 60, 90 and 180 degrees. */
static void votes_by_hand(void **state) {
    (void)state;
    dataset train = dataset_new(5, 2, 7);
    dataset test = dataset_new(1, 2, 7);
    static const float x[] = {2, 0, 1, 1.7320508f, 1, -1.7320508f, 0, 3, -1, 0};
    static const int64_t labels[] = {5, 6, 6, 3, 2};
    memcpy(train.x, x, sizeof x);
    memcpy(train.labels, labels, sizeof labels);
    test.x[0] = 1;
    test.labels[0] = 5;
    static const size_t k[] = {1, 3, 5};
    lp_score scores[3];
    /* k = 1: class 5.  k = 3, T = 1: 1 against 2 exp(-1/2) = 1.21: class 6.  k = 5: the same. */
    lp_knn_options options = {.k = k, .k_count = 3, .temperature = 1, .threads = 1};
    assert_ok(lp_knn_score(&train.set, &test.set, &options, scores, &err), &err);
    assert_int_equal(scores[0].correct, 1);
    assert_int_equal(scores[1].correct, 0);
    assert_int_equal(scores[1].correct_top5, 1);
    assert_int_equal(scores[2].correct, 0);
    /* T = 0.07: 1 against 2 exp(-7.1) */
    options.temperature = 0.07;
    assert_ok(lp_knn_score(&train.set, &test.set, &options, scores, &err), &err);
    assert_int_equal(scores[1].correct, 1);
    assert_int_equal(scores[2].correct, 1);
    assert_int_equal(scores[2].count, 1);
    /* T so small that exp(1 / T) would overflow */
    options.temperature = 1e-5;
    assert_ok(lp_knn_score(&train.set, &test.set, &options, scores, &err), &err);
    assert_int_equal(scores[2].correct, 1);
    /* a class without a vote is not among the top five, though only 4 have one */
    options.temperature = 1;
    test.labels[0] = 0;
    assert_ok(lp_knn_score(&train.set, &test.set, &options, scores, &err), &err);
    assert_int_equal(scores[2].correct_top5, 0);
    test.labels[0] = 2;
    assert_ok(lp_knn_score(&train.set, &test.set, &options, scores, &err), &err);
    assert_int_equal(scores[2].correct_top5, 1);
    dataset_free(&train);
    dataset_free(&test);
}

static void votes_equal_a_plain_count(void **state) {
    (void)state;
    enum { N = 400, M = 150, F = 12, K = 8 };
    static const size_t k[] = {1, 5, 33};
    dataset all = dataset_random(N + M, F, K, 1);
    lp_examples train = all.set;
    lp_examples test = all.set;
    train.count = N;
    test.count = M;
    test.x += N * F;
    test.labels += N;
    lp_knn_options options = {.k = k, .k_count = 3, .temperature = 0.07, .threads = 2};
    lp_score scores[3];
    assert_ok(lp_knn_score(&train, &test, &options, scores, &err), &err);
    lp_neighbour *nearest = plain_search(&train, &test, 33);
    for (size_t o = 0; o < 3; o++) {
        size_t correct = 0;
        size_t top5 = 0;
        for (size_t i = 0; i < M; i++) {
            double votes[K] = {0};
            size_t before = 0;
            for (size_t n = 0; n < k[o]; n++) {
                votes[train.labels[nearest[i * 33 + n].row]] +=
                    exp(nearest[i * 33 + n].similarity / 0.07);
            }
            size_t y = (size_t)test.labels[i];
            for (size_t c = 0; c < K; c++) {
                before += votes[c] > votes[y] || (votes[c] == votes[y] && c < y);
            }
            correct += before == 0 && votes[y] > 0;
            top5 += before < 5 && votes[y] > 0;
        }
        assert_int_equal(scores[o].correct, correct);
        assert_int_equal(scores[o].correct_top5, top5);
        assert_int_equal(scores[o].count, M);
        assert_true(correct > M / 4 && correct < M);
    }
    free(nearest);
    dataset_free(&all);
}

static bool stop(void *context, uint64_t done, uint64_t total, const char *line) {
    (void)line;
    assert_int_equal(total, 3);
    *(size_t *)context = done;
    return done < 2;
}

static void wrong_input_and_cancelling(void **state) {
    (void)state;
    dataset train = dataset_random(40, 3, 4, 1);
    dataset test = dataset_random(300, 3, 4, 2);
    lp_score score;
    size_t k = 41;
    size_t done = 0;
    lp_knn_options options = {.k = &k, .k_count = 1, .temperature = 0.07, .threads = 1};
    assert_fails(lp_knn_score(&train.set, &test.set, &options, &score, &err), LP_ERR_ARGUMENT, &err,
                 "k = 41: expected 1 to 40");
    k = 0;
    assert_fails(lp_knn_score(&train.set, &test.set, &options, &score, &err), LP_ERR_ARGUMENT, &err,
                 "k = 0: expected 1 to 40");
    k = 3;
    options.temperature = 0;
    assert_fails(lp_knn_score(&train.set, &test.set, &options, &score, &err), LP_ERR_ARGUMENT, &err,
                 "temperature 0");
    options.temperature = 0.07;
    options.progress.step = stop;
    options.progress.context = &done;
    assert_fails(lp_knn_score(&train.set, &test.set, &options, &score, &err), LP_CANCELLED, &err,
                 "cancelled");
    assert_int_equal(done, 2);
    options.progress.step = NULL;
    test.set.width = 2;
    assert_fails(lp_knn_score(&train.set, &test.set, &options, &score, &err), LP_ERR_ARGUMENT, &err,
                 "test set has 2 features, the training set 3");
    test.set.width = 3;
    test.labels[299] = 4;
    assert_fails(lp_knn_score(&train.set, &test.set, &options, &score, &err), LP_ERR_DATA, &err,
                 "labels of the test set: row 299 holds 4");
    test.labels[299] = 0;
    train.x[5] = INFINITY;
    assert_fails(lp_knn_score(&train.set, &test.set, &options, &score, &err), LP_ERR_DATA, &err,
                 "row 1, column 2 holds an infinity");
    train.x[5] = 0;
    size_t fail = 0;
    lp_status status = LP_ERR_MEMORY;
    while (status != LP_OK) {
        (void)lp_alloc_fail_at(++fail);
        status = lp_knn_score(&train.set, &test.set, &options, &score, &err);
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
    }
    assert_true(fail > 6);
    dataset_free(&train);
    dataset_free(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_a_plain_search),
        cmocka_unit_test(ties_go_by_row),
        cmocka_unit_test(any_scale),
        cmocka_unit_test(votes_by_hand),
        cmocka_unit_test(votes_equal_a_plain_count),
        cmocka_unit_test(wrong_input_and_cancelling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
