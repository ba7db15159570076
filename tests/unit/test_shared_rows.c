/* Rows that a test set has in common with a training set, and with a probe's. */
#include "base/alloc.h"
#include "base/half.h"
#include "linprobe/evaluation.h"
#include "linprobe/stats.h"
#include "probe/classifier.h"
#include "probe_data.h"
#include "test_folder.h"

enum { N = 40, F = 3, WIDE = 48 };

static lp_error err;

static size_t shared(const dataset *train, const dataset *test) {
    size_t count;
    assert_ok(lp_shared_rows(&train->set, &test->set, 2, &count, &err), &err);
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

/* A float32 set, and the same as a file of float16 has it: every value is rounded to the nearest.
 */
static void float16_is_the_same_row(void **state) {
    (void)state;
    dataset train = dataset_random(N, WIDE, 4, 1), test = dataset_random(N, WIDE, 4, 2);
    lp_random random;
    lp_random_seed(&random, 5);
    for (size_t j = 0; j < N * WIDE; j++) {
        uint16_t half = (uint16_t)(0x2000 + lp_random_below(&random, 0x2400)); /* 2^-7 .. 4 */
        uint16_t sign = (uint16_t)(lp_random_below(&random, 2) << 15);
        half = j % 5 == 0 ? (uint16_t)(half & 0x3ff) : half; /* smaller than 2^-14 */
        float low = lp_half_to_float(half | sign), next = lp_half_to_float((half + 1) | sign);
        float between = (float)lp_random_below(&random, 1000) / 2001;
        test.x[j] = low;
        train.x[j] = low + between * (next - low);
    }
    assert_int_equal(shared(&train, &test), N);
    assert_int_equal(shared(&test, &train), N);
    dataset_free(&train);
    dataset_free(&test);
}

/* Sizes that float16 has no numbers for: rows are still told apart, and found. */
static void any_size_of_features_will_do(void **state) {
    (void)state;
    static const float sizes[] = {1e-38F, 1e-9F, 1e-5F, 1, 1e5F, 1e30F};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        dataset train = dataset_random(N, WIDE, 4, 1), test = dataset_random(N, WIDE, 4, 2);
        for (size_t j = 0; j < N * WIDE; j++) {
            train.x[j] *= sizes[s];
            test.x[j] *= sizes[s];
        }
        assert_int_equal(shared(&train, &test), 0);
        memcpy(test.x, train.x + 9 * WIDE, WIDE * sizeof *test.x);
        assert_int_equal(shared(&train, &test), 1);
        dataset_free(&train);
        dataset_free(&test);
    }
}

/* Another program's sums have other roundings: a relative error of 2e-6, as PyTorch's features have
 * beside linprobe's, hides hardly a row.  1 % is another image. */
static void another_programs_rounding_hides_few_rows(void **state) {
    (void)state;
    enum { MANY = 1000 };
    dataset train = dataset_random(MANY, WIDE, 4, 1), near = dataset_random(MANY, WIDE, 4, 1),
            far = dataset_random(MANY, WIDE, 4, 1);
    lp_random random;
    lp_random_seed(&random, 6);
    for (size_t j = 0; j < MANY * WIDE; j++) {
        float noise = (float)random_normal(&random);
        near.x[j] += 2e-6F * noise;
        far.x[j] += 1e-2F * noise;
    }
    assert_in_range(shared(&train, &near), MANY * 95 / 100, MANY);
    assert_int_equal(shared(&train, &far), 0);
    dataset_free(&train);
    dataset_free(&near);
    dataset_free(&far);
}

/* ---- probes ---- */

static lp_trained_rows trained(const lp_probe *probe, const dataset *test, const char *digest) {
    const lp_features features = {.path = "test",
                                  .count = test->set.count,
                                  .width = test->set.width,
                                  .x = test->x,
                                  .labels = test->labels,
                                  .digest = digest};
    lp_trained_rows rows;
    assert_ok(lp_trained_rows_count(probe, &features, 2, &rows, &err), &err);
    return rows;
}

static lp_probe *saved_and_loaded(lp_probe *probe, const char *path) {
    lp_probe *loaded;
    assert_ok(lp_probe_save(probe, path, &err), &err);
    assert_ok(lp_probe_load(path, &loaded, &err), &err);
    lp_probe_free(probe);
    return loaded;
}

static void a_probe_file_knows_its_rows(void **state) {
    const char *path = in_folder("rows.probe");
    (void)state;
    dataset train = dataset_random(N, WIDE, 4, 1), test = dataset_random(N, WIDE, 4, 2);
    lp_probe *probe;
    assert_ok(lp_probe_new(4, WIDE, &probe, &err), &err);
    assert_false(trained(probe, &train, "another").known);
    const lp_training training = {.train = {.path = "train", .sha256 = "its digest", .count = N}};
    assert_ok(lp_probe_describe(probe, &training, &err), &err);
    /* a file without digests: the set as a whole is known */
    probe = saved_and_loaded(probe, path);
    assert_false(trained(probe, &train, "another").known);
    assert_true(trained(probe, &train, "its digest").known);
    assert_int_equal(trained(probe, &train, "its digest").count, N);
    assert_ok(lp_probe_record_rows(probe, &train.set, 1, &err), &err);
    probe = saved_and_loaded(probe, path);
    for (size_t i = 0; i < 7; i++) {
        memcpy(test.x + i * WIDE, train.x + (N - 1 - i) * WIDE, WIDE * sizeof *test.x);
    }
    lp_trained_rows rows = trained(probe, &test, "another");
    assert_true(rows.known && !rows.at_least);
    assert_int_equal(rows.count, 7);
    assert_int_equal(trained(probe, &train, "another").count, N);
    lp_probe_free(probe);
    dataset_free(&train);
    dataset_free(&test);
}

/* Of a larger set a part is kept, and said to be one. */
static void the_number_of_digests_is_bounded(void **state) {
    (void)state;
    dataset train = dataset_random(N, WIDE, 4, 1);
    lp_row_digests all, part;
    size_t count;
    assert_ok(lp_row_digests_make(&train.set, N, 1, &all, &err), &err);
    assert_ok(lp_row_digests_make(&train.set, 9, 1, &part, &err), &err);
    assert_int_equal(all.count, N);
    assert_int_equal(all.left_out, 0);
    assert_int_equal(part.count, 9);
    assert_int_equal(part.left_out, N - 9);
    assert_memory_equal(all.values, part.values, 9 * sizeof *all.values);
    assert_ok(lp_row_digests_count(&part, train.x, N, WIDE, 1, &count, &err), &err);
    assert_int_equal(count, 9);
    lp_free(all.values);
    lp_free(part.values);
    dataset_free(&train);
}

/* The digests of a damaged file, whose own digest is right, are not rising. */
static void disordered_digests_are_refused(void **state) {
    const char *path = in_folder("disordered.probe");
    (void)state;
    lp_probe *probe, *loaded;
    assert_ok(lp_probe_new(2, WIDE, &probe, &err), &err);
    uint64_t *values = lp_alloc(2, sizeof *values);
    values[0] = values[1] = 5;
    probe->rows = (lp_row_digests){2, 0, values};
    probe->knows_rows = true;
    assert_ok(lp_probe_save(probe, path, &err), &err);
    assert_int_equal(lp_probe_load(path, &loaded, &err), LP_ERR_FORMAT);
    assert_non_null(strstr(err.text, "digest of row 1 is not larger"));
    assert_null(loaded);
    lp_probe_free(probe);
}

static void failed_allocation_is_reported(void **state) {
    (void)state;
    dataset train = dataset_random(N, F, 4, 1);
    size_t count;
    for (size_t k = 1; k < 8; k++) {
        lp_alloc_fail_at(k);
        lp_status status = lp_shared_rows(&train.set, &train.set, 1, &count, &err);
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
        cmocka_unit_test(float16_is_the_same_row),
        cmocka_unit_test(any_size_of_features_will_do),
        cmocka_unit_test(another_programs_rounding_hides_few_rows),
        cmocka_unit_test(a_probe_file_knows_its_rows),
        cmocka_unit_test(the_number_of_digests_is_bounded),
        cmocka_unit_test(disordered_digests_are_refused),
        cmocka_unit_test(failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
