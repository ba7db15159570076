/* Several feature sets side by side as one. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "check.h"
#include "base/npy.h"
#include "linprobe/features.h"
#include "linprobe/probe.h"
#include "linprobe/run.h"
#include "test_folder.h"

enum { N = 40, A = 3, B = 5 };

static lp_error err;
static float left[N * A], right[N * B], both[N * (A + B)];
static int64_t labels[N];

static void put(const char *set, const char *name, const void *bytes, size_t size) {
    char path[600];
    (void)snprintf(path, sizeof path, "%s/%s", in_folder(set), name);
    assert_ok(lp_file_write(path, bytes, size, &err), &err);
}

static void put_array(const char *set, const char *name, const char *type, size_t columns,
                      const void *values, size_t bytes) {
    static char file[LP_NPY_HEADER + sizeof both];
    lp_npy_header(file, type, N, columns);
    memcpy(file + LP_NPY_HEADER, values, bytes);
    put(set, name, file, LP_NPY_HEADER + bytes);
}

/* images: their digest in the record, or NULL: no meta.json */
static void put_set(const char *set, const float *x, size_t width, const int64_t *y,
                    const char *feature, const char *images) {
    char meta[600];
    assert_ok(lp_make_folders(in_folder(set), &err), &err);
    put_array(set, "features.npy", "<f4", width, x, N * width * sizeof *x);
    put_array(set, "labels.npy", "<i8", 0, y, N * sizeof *y);
    if (images != NULL) {
        (void)snprintf(meta, sizeof meta,
                       "{\"inputs\": {\"feature_format\": 2, \"family\": \"f\", \"feature\": "
                       "\"%s\", \"data_sha256\": \"%s\", \"split\": \"train\"}, \"data\": "
                       "{\"classes\": 2, \"class_names\": [\"cat\", \"dog\"]}}",
                       feature, images);
        put(set, "meta.json", meta, strlen(meta));
    }
}

static int set_up(void **state) {
    if (make_folder(state) != 0) {
        return 1;
    }
    for (size_t i = 0; i < N; i++) {
        labels[i] = (int64_t)(i % 3 == 0);
        for (size_t j = 0; j < A + B; j++) {
            float value = (float)((i * 7 + j * 13) % 11) - 5;
            both[i * (A + B) + j] = value;
            if (j < A) {
                left[i * A + j] = value;
            } else {
                right[i * B + j - A] = value;
            }
        }
    }
    put_set("a", left, A, labels, "one", "ff");
    put_set("b", right, B, labels, "two", "ff");
    put_set("both", both, A + B, labels, "", NULL);
    return 0;
}

/* "a+b" in the test's folder. */
static const char *sum(const char *one, const char *other) {
    static char path[1200];
    (void)snprintf(path, sizeof path, "%s", in_folder(one));
    (void)snprintf(path + strlen(path), sizeof path - strlen(path), "+%s", in_folder(other));
    return path;
}

static void features_stand_side_by_side(void **state) {
    (void)state;
    lp_features *f;
    assert_ok(lp_features_open(sum("a", "b"), &f, &err), &err);
    assert_int_equal(f->count, N);
    assert_int_equal(f->width, A + B);
    assert_int_equal(f->classes, 2);
    assert_memory_equal(f->x, both, sizeof both);
    assert_memory_equal(f->labels, labels, sizeof labels);
    assert_string_equal(f->class_names[1], "dog");
    assert_int_equal(strlen(f->digest), 64);
    assert_int_equal(f->provenance->part_count, 2);
    assert_string_equal(f->provenance->parts[1].provenance->encoder.feature, "two");
    assert_int_equal(f->provenance->parts[1].width, B);
    lp_features_close(f);
}

static lp_probe *fit(const char *path, const char *out) {
    lp_features *f;
    lp_fit_options options;
    lp_fit_report report;
    lp_probe *probe;
    const lp_watch silent = {.stage = NULL};
    lp_fit_defaults(&options);
    assert_ok(lp_features_open(path, &f, &err), &err);
    assert_ok(lp_run_fit(f, NULL, &options, in_folder(out), NULL, &silent, &probe, &report, &err),
              &err);
    lp_features_close(f);
    return probe;
}

static void a_fit_is_that_of_the_joined_rows(void **state) {
    (void)state;
    lp_probe *parts = fit(sum("a", "b"), "parts.probe"), *whole = fit(in_folder("both"), "p");
    assert_memory_equal(lp_probe_weights(parts), lp_probe_weights(whole),
                        2 * (A + B) * sizeof(double));
    lp_probe_free(parts);
    lp_probe_free(whole);
}

static void a_probe_knows_its_parts(void **state) {
    (void)state;
    lp_probe *probe = fit(sum("a", "b"), "parts.probe");
    lp_features *test;
    lp_probe_free(probe);
    assert_ok(lp_run_open_probe(in_folder("parts.probe"), sum("a", "b"), &probe, &test, &err),
              &err);
    const lp_provenance *p = lp_probe_training(probe)->train.provenance;
    assert_int_equal(p->part_count, 2);
    assert_non_null(strstr(p->parts[0].path, "/a"));
    assert_int_equal(strlen(p->parts[1].sha256), 64);
    assert_string_equal(p->parts[1].provenance->encoder.feature, "two");
    lp_probe_free(probe);
    lp_features_close(test);
    assert_fails(lp_run_open_probe(in_folder("parts.probe"), sum("b", "a"), &probe, &test, &err),
                 LP_ERR_ARGUMENT, &err, "other sets stand side by side in them (2 here, 2 there)");
    lp_probe_free(probe);
    lp_features_close(test);
    /* a set that records nothing goes with every other */
    assert_ok(lp_run_open_probe(in_folder("parts.probe"), in_folder("both"), &probe, &test, &err),
              &err);
    lp_probe_free(probe);
    lp_features_close(test);
}

static void sets_that_do_not_go_together_are_refused(void **state) {
    (void)state;
    lp_features *f;
    int64_t other[N];
    memcpy(other, labels, sizeof other);
    other[7] = 1 - other[7];
    put_set("labels", right, B, other, "two", "ff");
    put_set("images", right, B, labels, "two", "ee");
    assert_fails(lp_features_open(sum("a", "labels"), &f, &err), LP_ERR_ARGUMENT, &err,
                 "the label of row 7 is 1, but in");
    assert_fails(lp_features_open(sum("a", "images"), &f, &err), LP_ERR_ARGUMENT, &err,
                 "was made from other images than");
    assert_fails(lp_features_open(sum("a", "nowhere"), &f, &err), LP_ERR_IO, &err, "nowhere");
    assert_null(f);
}

static void a_plus_sign_may_be_part_of_a_path(void **state) {
    (void)state;
    lp_features *f;
    put_set("c+d", right, B, labels, "two", "ff");
    assert_ok(lp_features_open(in_folder("c+d"), &f, &err), &err);
    assert_int_equal(f->width, B);
    lp_features_close(f);
    assert_ok(lp_features_open(sum("a", "c+d"), &f, &err), &err);
    assert_memory_equal(f->x, both, sizeof both);
    lp_features_close(f);
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    lp_features *f;
    char path[1200];
    (void)snprintf(path, sizeof path, "%s", sum("a", "b"));
    lp_alloc_fail_at(0);
    assert_ok(lp_features_open(path, &f, &err), &err);
    size_t needed = lp_alloc_fail_at(0);
    lp_features_close(f);
    for (size_t k = 1; k <= needed; k++) {
        lp_alloc_fail_at(k);
        assert_fails(lp_features_open(path, &f, &err), LP_ERR_MEMORY, &err, "out of memory");
    }
    lp_alloc_fail_at(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_stand_side_by_side),
        cmocka_unit_test(a_fit_is_that_of_the_joined_rows),
        cmocka_unit_test(a_probe_knows_its_parts),
        cmocka_unit_test(sets_that_do_not_go_together_are_refused),
        cmocka_unit_test(a_plus_sign_may_be_part_of_a_path),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
