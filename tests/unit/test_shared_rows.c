/* Rows that a test set has in common with a training set. */
#include "base/alloc.h"
#include "linprobe/stats.h"
#include "probe_data.h"

enum { N = 40, F = 3 };

static lp_error err;

static size_t shared(const dataset *train, const dataset *test) {
    size_t count;
    assert_ok(lp_shared_rows(&train->set, &test->set, &count, &err), &err);
    return count;
}

static void rows_are_found_in_any_order(void **state) {
    (void)state;
    dataset train = dataset_random(N, F, 4, 1), test = dataset_random(N, F, 4, 2);
    assert_int_equal(shared(&train, &test), 0);
    assert_int_equal(shared(&train, &train), N);
    for (size_t i = 0; i < 7; i++) { /* the last rows come first, and with other labels */
        memcpy(test.x + i * F, train.x + (N - 1 - i) * F, F * sizeof *test.x);
        test.labels[i] = 0;
    }
    assert_int_equal(shared(&train, &test), 7);
    test.x[0] += 1e-3F;
    assert_int_equal(shared(&train, &test), 6);
    test.set.width = 1;
    assert_int_equal(shared(&train, &test), 0);
    dataset_free(&train);
    dataset_free(&test);
}

/* A feature that is the same for all images tells none of them. */
static void constant_features_are_no_leak(void **state) {
    (void)state;
    dataset train = dataset_random(N, F, 4, 1), test = dataset_random(N, F, 4, 2);
    for (size_t j = 0; j < N * F; j++) {
        train.x[j] = test.x[j] = 1;
    }
    assert_int_equal(shared(&train, &test), 0);
    for (size_t i = 0; i < N; i++) { /* of one class: duplicates, which do count */
        train.labels[i] = 2;
    }
    assert_int_equal(shared(&train, &test), N);
    dataset_free(&train);
    dataset_free(&test);
}

static void failed_allocation_is_reported(void **state) {
    (void)state;
    dataset train = dataset_random(N, F, 4, 1);
    size_t count;
    for (size_t k = 1; k < 8; k++) {
        lp_alloc_fail_at(k);
        lp_status status = lp_shared_rows(&train.set, &train.set, &count, &err);
        lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
        if (status == LP_OK) {
            assert_true(k > 1);
            break;
        }
    }
    dataset_free(&train);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found_in_any_order),
        cmocka_unit_test(constant_features_are_no_leak),
        cmocka_unit_test(failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
