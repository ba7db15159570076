/* STL-10's binary files: labels apart and from 1, planes column by column. */
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "check.h"
#include "dataset_checks.h"
#include "test_folder.h"
#include "linprobe/dataset.h"

enum { SIDE = 96, PLANE = SIDE * SIDE, RECORD = 3 * PLANE, N = 3 };

static const char *folder; /* stl10_binary */
static lp_error err;

static const char *at(const char *name) {
    char path[64];
    (void)snprintf(path, sizeof path, "stl10_binary/%s", name);
    return in_folder(path);
}

static void put(const char *name, const void *bytes, size_t size) {
    assert_ok(lp_file_write(at(name), bytes, size, &err), &err);
}

/* Row y, column x, channel c of image i. */
static unsigned char value(size_t i, size_t y, size_t x, size_t c) {
    return (unsigned char)(i * 101 + y * 2 + x * 7 + c * 50 + y * x / 5);
}

static unsigned char *images(void) {
    unsigned char *bytes = lp_alloc(N, RECORD);
    assert_non_null(bytes);
    for (size_t k = 0; k < (size_t)N * RECORD; k++) {
        bytes[k] = value(k / RECORD, k % SIDE, k / SIDE % SIDE, k / PLANE % 3);
    }
    return bytes;
}

static void write_set(void) {
    static const char names[] = "airplane\nbird\ncar\ncat\ndeer\ndog\nhorse\nmonkey\nship\ntruck\n";
    unsigned char *bytes = images();
    put("train_X.bin", bytes, (size_t)N * RECORD);
    put("test_X.bin", bytes + RECORD, (size_t)(N - 1) * RECORD);
    put("train_y.bin", "\1\12\3", N);
    put("test_y.bin", "\12\3", N - 1);
    put("class_names.txt", names, sizeof names - 1);
    lp_free(bytes);
}

static void assert_set(const char *path) {
    static unsigned char rgb[RECORD];
    lp_dataset *data;
    assert_ok(lp_dataset_open(path, LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err), &err);
    const lp_dataset_info *info = lp_dataset_describe(data);
    assert_string_equal(info->name, "STL-10");
    assert_null(info->official);
    assert_int_equal(info->count, N);
    assert_int_equal(info->classes, 10);
    assert_int_equal(lp_dataset_labels(data)[0], 0);
    assert_int_equal(lp_dataset_labels(data)[1], 9);
    assert_int_equal(lp_dataset_labels(data)[2], 2);
    assert_string_equal(lp_dataset_class_name(data, 9), "truck");
    assert_null(lp_dataset_superclasses(data, NULL));
    for (size_t i = 0; i < N; i++) {
        size_t height, width;
        lp_dataset_image_size(data, i, &height, &width);
        assert_int_equal(height, SIDE);
        assert_int_equal(width, SIDE);
        assert_ok(lp_dataset_image(data, i, rgb, &err), &err);
        for (size_t k = 0; k < RECORD; k++) {
            assert_int_equal(rgb[k], value(i, k / 3 / SIDE, k / 3 % SIDE, k % 3));
        }
    }
    unsigned char *bytes = lp_alloc((size_t)N * RECORD + N, 1), *pixels = images();
    char hex[LP_DIGEST_HEX];
    assert_non_null(bytes);
    memcpy(bytes, pixels, (size_t)N * RECORD);
    memcpy(bytes + (size_t)N * RECORD, "\1\12\3", N);
    assert_ok(lp_digest_bytes(LP_SHA256, bytes, (size_t)N * RECORD + N, hex, &err), &err);
    assert_string_equal(info->digest, hex); /* of the labels, too */
    lp_free(bytes);
    lp_free(pixels);
    lp_dataset_close(data);
}

static void every_source_gives_the_same(void **state) {
    (void)state;
    char command[1024];
    const char *archive = in_folder("stl10_binary.tar.gz");
    write_set();
    assert_set(folder);
    assert_set(test_folder); /* the folder above */
    assert_set(at("train_X.bin"));
    (void)snprintf(command, sizeof command, "tar -C %s -czf %s stl10_binary", test_folder, archive);
    assert_int_equal(system(command), 0);
    assert_set(archive);
    lp_dataset *data;
    assert_ok(lp_dataset_open(archive, LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    assert_int_equal(lp_dataset_describe(data)->count, N - 1);
    assert_int_equal(lp_dataset_labels(data)[0], 9);
    lp_dataset_close(data);
}

#define assert_refused(status, part)                                                               \
    do {                                                                                           \
        lp_dataset *data_;                                                                         \
        assert_fails(lp_dataset_open(folder, LP_SPLIT_TRAIN, LP_LABELS_FINE, &data_, &err),        \
                     status, &err, part);                                                          \
        assert_null(data_);                                                                        \
    } while (0)

static void what_is_wrong_is_located(void **state) {
    (void)state;
    lp_dataset *data;
    write_set();
    put("train_y.bin", "\1\0\3", N);
    assert_refused(LP_ERR_DATA,
                   "train_y.bin: record 1 (byte 1): expected a fine label from 1 to 10, found 0");
    put("train_y.bin", "\1\2\13", N);
    assert_refused(LP_ERR_DATA, "train_y.bin: record 2 (byte 2): expected a fine label from 1 to "
                                "10, found 11");
    put("train_y.bin", "\1\2", 2);
    assert_refused(LP_ERR_FORMAT, "train_y.bin: 2 labels, but ");
    assert_refused(LP_ERR_FORMAT, "train_X.bin has 3 images");
    assert_int_equal(unlink(at("train_y.bin")), 0);
    assert_refused(LP_ERR_IO, "holds train_X.bin but not train_y.bin, its labels");
    unsigned char *bytes = images();
    put("train_X.bin", bytes, 2 * RECORD + 5);
    put("train_y.bin", "\1\2", 2);
    assert_refused(LP_ERR_FORMAT,
                   "train_X.bin: record 2 (byte 55296): expected 27648 bytes, found 5");
    lp_free(bytes);
    write_set();
    assert_fails(lp_dataset_open(folder, LP_SPLIT_TRAIN, LP_LABELS_COARSE, &data, &err),
                 LP_ERR_ARGUMENT, &err, "STL-10 has no coarse labels");
    assert_fails(lp_dataset_open(at("test_X.bin"), LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err),
                 LP_ERR_ARGUMENT, &err, "found a file of the test split");
    const lp_dataset_options share = {.test_share = 0.5};
    assert_fails(lp_dataset_open_with(folder, &share, &data, &err), LP_ERR_ARGUMENT, &err,
                 "STL-10 has a split of its own");
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    const lp_dataset_options options = {.split = LP_SPLIT_TRAIN};
    write_set();
    assert_allocations_reported(folder, &options);
}

static int set_up(void **state) {
    if (make_folder(state) != 0) {
        return 1;
    }
    folder = in_folder("stl10_binary");
    return lp_make_folders(folder, &err) != LP_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_source_gives_the_same),
        cmocka_unit_test(what_is_wrong_is_located),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
