/* .npy headers and feature sets: what NumPy writes is read, what does not hold is refused. */
#include <math.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "check.h"
#include "base/npy.h"
#include "test_folder.h"
#include "linprobe/features.h"
#include "write_zip.h"

static lp_error err;

/* A .npy file in memory: version 1 header with this dictionary, then the data. */
static size_t build(unsigned char *out, const char *dictionary, const void *data, size_t bytes) {
    size_t length = strlen(dictionary) + 1;
    memcpy(out, "\x93NUMPY\x01\x00", 8);
    out[8] = (unsigned char)(length & 255);
    out[9] = (unsigned char)(length >> 8);
    memcpy(out + 10, dictionary, length - 1);
    out[9 + length] = '\n';
    memcpy(out + 10 + length, data, bytes);
    return 10 + length + bytes;
}

static void put(const char *name, const void *bytes, size_t size) {
    assert_ok(lp_file_write(in_folder(name), bytes, size, &err), &err);
}

/* A feature set of given dictionaries and data; meta.json removed or written. */
static void put_set(const char *x_dictionary, const void *x, size_t x_bytes,
                    const char *y_dictionary, const void *y, size_t y_bytes, const char *meta) {
    static unsigned char file[1 << 16];
    (void)unlink(in_folder("meta.json"));
    put("features.npy", file, build(file, x_dictionary, x, x_bytes));
    put("labels.npy", file, build(file, y_dictionary, y, y_bytes));
    if (meta != NULL) {
        put("meta.json", meta, strlen(meta));
    }
}

#define X_DICTIONARY "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
#define Y_DICTIONARY "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }"
static const float x_values[6] = {1, 2, 3, 4, 5, 6};
static const int64_t y_values[2] = {1, 0};

static void own_header_is_what_numpy_writes(void **state) {
    (void)state;
    /* numpy.save of float32 [3, 5], NumPy 1.26: these 128 bytes */
    char header[LP_NPY_HEADER];
    lp_npy_header(header, "<f4", 3, 5);
    static const char start[] = "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, "
                                "'shape': (3, 5), }";
    assert_memory_equal(header, start, sizeof start - 1);
    for (size_t i = sizeof start - 1; i < LP_NPY_HEADER - 1; i++) {
        assert_int_equal(header[i], ' ');
    }
    assert_int_equal(header[LP_NPY_HEADER - 1], '\n');
    lp_npy npy;
    unsigned char file[LP_NPY_HEADER + 60] = {0};
    memcpy(file, header, sizeof header);
    assert_ok(lp_npy_parse("x", file, sizeof file, &npy, &err), &err);
    assert_int_equal(npy.rank, 2);
    assert_int_equal(npy.shape[1], 5);
    assert_int_equal(npy.offset, 128);
    lp_npy_header(header, "<i8", 7, 0);
    assert_non_null(strstr(header + 10, "'shape': (7,), }"));
}

static void malformed_headers_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *dictionary, *message;
    } bad[] = {
        {"{'descr': '<f4', 'fortran_order': False}", "'descr', 'fortran_order' and 'shape'"},
        {"{'descr': '<f4', 'descr': '<f4', 'shape': (2, 3), }", "once"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3), }", "descr to be one of"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }", "plain type"},
        {"{'descr': '<f1', 'fortran_order': False, 'shape': (2, 3), }", "descr to be one of"},
        {"{'descr': '<b2', 'fortran_order': False, 'shape': (2, 3), }", "descr to be one of"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "descr to be one of"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (2, 3), }", "True or False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-2, 3), }", "whole numbers"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 6), }", "at most 4"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3), }", "fits"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "fits"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }",
         "expected 8 elements of 4 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3", "in the shape"},
        {"print(1)", "expected '{'"},
    };
    unsigned char file[512];
    lp_npy npy;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t size = build(file, bad[i].dictionary, x_values, sizeof x_values);
        assert_fails(lp_npy_parse("x.npy", file, size, &npy, &err), LP_ERR_FORMAT, &err,
                     bad[i].message);
    }
    size_t size = build(file, X_DICTIONARY, x_values, sizeof x_values);
    for (size_t cut = 0; cut < size; cut++) {
        assert_true(lp_npy_parse("x.npy", file, cut, &npy, NULL) == LP_ERR_FORMAT);
    }
    file[6] = 9;
    assert_fails(lp_npy_parse("x.npy", file, size, &npy, &err), LP_ERR_FORMAT, &err, "version 9.0");
}

static void a_zero_byte_is_no_byte_order(void **state) {
    (void)state;
    unsigned char file[512];
    lp_npy npy;
    size_t size = build(file, X_DICTIONARY, x_values, sizeof x_values);
    unsigned char *order = memchr(file + 10, '<', size - 10);
    assert_non_null(order);
    for (size_t i = 0; i < 3; i++) { /* of order, kind and size */
        unsigned char kept = order[i];
        order[i] = 0;
        assert_fails(lp_npy_parse("x.npy", file, size, &npy, &err), LP_ERR_FORMAT, &err,
                     "descr to be one of");
        order[i] = kept;
    }
}

static void every_number_format_is_read(void **state) {
    (void)state;
    static const unsigned char half[] = {0x3c, 0x00, 0xc0, 0x00, 0x00, 0x01, 0x7c, 0x00};
    static const double half_values[] = {1, -2, 0x1p-24, INFINITY};
    lp_npy big = {.kind = 'f', .item = 2, .big_endian = true};
    for (size_t i = 0; i < 4; i++) {
        assert_true(lp_npy_real(&big, half, i) == half_values[i]);
    }
    double real = 0.1;
    lp_npy plain = {.kind = 'f', .item = 8};
    assert_true(lp_npy_real(&plain, (const unsigned char *)&real, 0) == 0.1);
    static const unsigned char bytes[] = {0xff, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    int64_t value;
    lp_npy i1 = {.kind = 'i', .item = 1}, u2 = {.kind = 'u', .item = 2};
    lp_npy i8 = {.kind = 'i', .item = 8}, u8 = {.kind = 'u', .item = 8};
    assert_true(lp_npy_integer(&i1, bytes, 1, &value) && value == -2);
    assert_true(lp_npy_integer(&u2, bytes, 0, &value) && value == 0xfeff);
    assert_true(lp_npy_integer(&i8, bytes, 0, &value) && value == -257);
    assert_false(lp_npy_integer(&u8, bytes, 0, &value));
}

static void sets_of_any_float_type_are_opened(void **state) {
    (void)state;
    lp_features *f;
    put_set(X_DICTIONARY, x_values, sizeof x_values, Y_DICTIONARY, y_values, sizeof y_values, NULL);
    assert_ok(lp_features_open(test_folder, &f, &err), &err);
    assert_int_equal(f->count, 2);
    assert_int_equal(f->width, 3);
    assert_int_equal(f->classes, 2);
    assert_memory_equal(f->x, x_values, sizeof x_values);
    assert_memory_equal(f->labels, y_values, sizeof y_values);
    assert_null(f->class_names);
    lp_features_close(f);
    /* column by column, float64, labels in one byte */
    static const double columns[6] = {1, 4, 2, 5, 3, 6};
    static const signed char small[2] = {1, 0};
    put_set("{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }", columns, sizeof columns,
            "{'descr': '|i1', 'fortran_order': False, 'shape': (2,), }", small, sizeof small,
            "{\"data\": {\"classes\": 5, \"class_names\": [\"a\", \"b\", \"c\", \"d\", \"e\"]}}");
    assert_ok(lp_features_open(test_folder, &f, &err), &err);
    assert_memory_equal(f->x, x_values, sizeof x_values);
    assert_memory_equal(f->labels, y_values, sizeof y_values);
    assert_int_equal(f->classes, 5);
    assert_string_equal(f->class_names[4], "e");
    lp_features_close(f);
}

#define LABELS(descr, shape) "{'descr': '" descr "', 'fortran_order': False, 'shape': " shape ", }"

static void assert_labels(const char *dictionary, const void *y, size_t bytes, const char *meta,
                          int64_t first, int64_t second) {
    lp_features *f;
    put_set(X_DICTIONARY, x_values, sizeof x_values, dictionary, y, bytes, meta);
    assert_ok(lp_features_open(test_folder, &f, &err), &err);
    assert_int_equal(f->labels[0], first);
    assert_int_equal(f->labels[1], second);
    assert_true(f->classes > (size_t)first && f->classes > (size_t)second);
    lp_features_close(f);
}

static void labels_as_other_programs_write_them(void **state) {
    (void)state;
    static const double whole[2] = {3, 0}, half[2] = {1, 0.5}, huge[2] = {0, 1e300};
    static const float signs[2] = {1, -1};
    static const signed char minus[2] = {-1, -1}, plus[2] = {1, 1};
    static const uint32_t wide[6] = {'z', 0xe9, 0, 'a', 0, 0};
    static const char names[] = "dog\0cat";
    lp_features *f;
    assert_labels(LABELS("<f8", "(2, 1)"), whole, sizeof whole, NULL, 3, 0);
    assert_labels(LABELS("<f4", "(2,)"), signs, sizeof signs, NULL, 1, 0);
    assert_labels(LABELS("|i1", "(2, 1)"), minus, sizeof minus, NULL, 0, 0);
    assert_labels(LABELS("|i1", "(2,)"), plus, sizeof plus, NULL, 1, 1);
    assert_labels(LABELS("|S4", "(2,)"), names, 8, NULL, 1, 0);
    assert_labels(LABELS("|S4", "(2,)"), "z\xc3\xa9\0\xf0\x9f\x90\x88", 8, NULL, 0, 1);
    assert_labels(LABELS("|S4", "(2, 1)"), names, 8,
                  "{\"data\": {\"classes\": 3, \"class_names\": [\"cow\", \"dog\", \"cat\"]}}", 1,
                  2);
    put_set(X_DICTIONARY, x_values, sizeof x_values, LABELS("<U3", "(2,)"), wide, sizeof wide,
            NULL);
    assert_ok(lp_features_open(test_folder, &f, &err), &err);
    assert_int_equal(f->labels[0], 1);
    assert_int_equal(f->classes, 2);
    assert_string_equal(f->class_names[1], "z\xc3\xa9");
    assert_string_equal(f->provenance->data.class_names[0], "a");
    lp_features_close(f);
    static const struct {
        const char *dictionary;
        const void *y;
        size_t bytes;
        lp_status status;
        const char *message;
    } wrong[] = {
        {LABELS("<f8", "(2,)"), half, sizeof half, LP_ERR_DATA,
         "labels.npy: row 1: expected a label from 0 to 1048575, found 0.5"},
        {LABELS("<f8", "(2,)"), huge, sizeof huge, LP_ERR_DATA, "row 1: expected a label"},
        {LABELS("<f8", "(1, 2)"), whole, sizeof whole, LP_ERR_FORMAT, "expected 2 whole numbers"},
        {LABELS("|S4", "(1, 2)"), names, 8, LP_ERR_FORMAT, "expected 2 texts"},
        {LABELS("|S4", "(2,)"), "dog\0\0\0\0", 8, LP_ERR_FORMAT,
         "row 1: expected the name of a class, found none"},
        {LABELS("|S4", "(2,)"), "d\tg\0cat", 8, LP_ERR_FORMAT,
         "row 0: expected the name of a class, found what is no text"},
        {LABELS("|S4", "(2,)"), "d\xff\0\0cat", 8, LP_ERR_FORMAT,
         "row 0: expected the name of a class, found what is no text"},
        {LABELS("|S4", "(2,)"), "cat\0d\xc3\0", 8, LP_ERR_FORMAT, "row 1: expected the name"},
        {LABELS("|S4", "(2,)"), "\xed\xa0\x80\0cat", 8, LP_ERR_FORMAT, "row 0: expected the name"},
        {LABELS("|S4", "(2,)"), "\xc0\xaf\0\0cat", 8, LP_ERR_FORMAT, "row 0: expected the name"},
        {LABELS("|S0", "(2,)"), "", 0, LP_ERR_FORMAT, "the length of texts"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_set(X_DICTIONARY, x_values, sizeof x_values, wrong[i].dictionary, wrong[i].y,
                wrong[i].bytes, NULL);
        assert_fails(lp_features_open(test_folder, &f, &err), wrong[i].status, &err,
                     wrong[i].message);
    }
    static const signed char marks[6] = {1, 0, -1, 0, 1, 1}, half_right[6] = {1, 0, -1, 0, 2, 1};
    static const double turned[6] = {1, 0, 0, 1, -1, 1}, nan[4] = {0, 1, 1, NAN};
    static const int8_t expected[6] = {1, 0, -1, 0, 1, 1};
    const struct {
        const char *dictionary;
        const void *y;
        size_t bytes;
    } matrices[] = {
        {LABELS("|i1", "(2, 3)"), marks, sizeof marks},
        {"{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }", turned, sizeof turned}};
    for (size_t i = 0; i < 2; i++) { /* several labels an image */
        put_set(X_DICTIONARY, x_values, sizeof x_values, matrices[i].dictionary, matrices[i].y,
                matrices[i].bytes, NULL);
        assert_fails(lp_features_open(test_folder, &f, &err), LP_ERR_UNSUPPORTED, &err,
                     "its images have several labels each (multi-label)");
        assert_null(f);
        assert_ok(lp_features_open_any(test_folder, &f, &err), &err);
        assert_int_equal(f->classes, 3);
        assert_null(f->labels);
        assert_memory_equal(f->marks, expected, sizeof expected);
        lp_features_close(f);
    }
    put_set(X_DICTIONARY, x_values, sizeof x_values, LABELS("|i1", "(2, 3)"), half_right, 6, NULL);
    assert_fails(lp_features_open_any(test_folder, &f, &err), LP_ERR_DATA, &err,
                 "labels.npy: row 1, class 1: expected 0 or 1, or -1 for neither, found 2");
    put_set(X_DICTIONARY, x_values, sizeof x_values, LABELS("<f8", "(2, 2)"), nan, 32, NULL);
    assert_fails(lp_features_open_any(test_folder, &f, &err), LP_ERR_DATA, &err,
                 "row 1, class 1: expected 0 or 1, or -1 for neither, found nan");
    put_set(X_DICTIONARY, x_values, sizeof x_values, LABELS("|i1", "(2, 3)"), marks, 6,
            "{\"data\": {\"classes\": 2, \"class_names\": [\"dog\", \"cow\"]}}");
    assert_fails(lp_features_open_any(test_folder, &f, &err), LP_ERR_FORMAT, &err,
                 "several labels an image: expected a column for each of the 2 classes, found 3");
    put_set(X_DICTIONARY, x_values, sizeof x_values, LABELS("|S4", "(2,)"), names, 8,
            "{\"data\": {\"classes\": 2, \"class_names\": [\"dog\", \"cow\"]}}");
    assert_fails(lp_features_open(test_folder, &f, &err), LP_ERR_DATA, &err,
                 "labels.npy: row 1: expected one of the 2 classes, found 'cat'");
}

static void unusable_sets_are_refused_with_the_place(void **state) {
    (void)state;
    lp_features *f;
    float nan_values[6] = {1, 2, 3, 4, NAN, 6};
    static const int64_t negative[2] = {0, -1};
    put_set(X_DICTIONARY, nan_values, sizeof nan_values, Y_DICTIONARY, y_values, sizeof y_values,
            NULL);
    assert_fails(lp_features_open(test_folder, &f, &err), LP_ERR_DATA, &err, "row 1, column 1");
    assert_null(f);
    put_set("{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", x_values, sizeof x_values,
            Y_DICTIONARY, y_values, sizeof y_values, NULL);
    assert_fails(lp_features_open(test_folder, &f, &err), LP_ERR_FORMAT, &err,
                 "expected floats of shape [N, F], found kind 'f' of rank 1");
    put_set(X_DICTIONARY, x_values, sizeof x_values, Y_DICTIONARY, negative, sizeof negative, NULL);
    assert_fails(lp_features_open(test_folder, &f, &err), LP_ERR_DATA, &err,
                 "row 1: expected a label from 0 to 1048575, found -1");
    put_set(X_DICTIONARY, x_values, sizeof x_values,
            "{'descr': '<u8', 'fortran_order': False, 'shape': (2,), }", negative, sizeof negative,
            NULL);
    assert_fails(lp_features_open(test_folder, &f, &err), LP_ERR_DATA, &err,
                 "row 1: expected a label from 0 to 1048575, found 18446744073709551616");
    put_set(X_DICTIONARY, x_values, sizeof x_values, Y_DICTIONARY, y_values, sizeof y_values,
            "{\"data\": {\"classes\": 1}}");
    assert_fails(lp_features_open(test_folder, &f, &err), LP_ERR_DATA, &err,
                 "row 0: expected a label from 0 to 0, found 1");
    put_set(X_DICTIONARY, x_values, sizeof x_values,
            "{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", y_values, 8, NULL);
    assert_fails(lp_features_open(test_folder, &f, &err), LP_ERR_FORMAT, &err,
                 "expected 2 whole numbers");
    put_set(X_DICTIONARY, x_values, sizeof x_values, Y_DICTIONARY, y_values, sizeof y_values,
            "{\"sha256\": \"00\"}");
    assert_fails(lp_features_open(test_folder, &f, &err), LP_ERR_DATA, &err,
                 "meta.json records 00");
    assert_fails(lp_features_open("/nowhere", &f, &err), LP_ERR_IO, &err,
                 "/nowhere/features.npy: cannot be opened: No such file");
}

static unsigned char x_file[512], y_file[512];
static zip_member npz_members[3] = {
    {"features.npy", x_file, 0}, {"labels.npy", y_file, 0}, {"features.npy", x_file, 0}};

static const char *put_npz(size_t first, size_t count, bool compressed) {
    npz_members[0].size = npz_members[2].size =
        build(x_file, X_DICTIONARY, x_values, sizeof x_values);
    npz_members[1].size = build(y_file, Y_DICTIONARY, y_values, sizeof y_values);
    const char *path = in_folder("set.npz");
    write_zip(path, npz_members + first, count, compressed);
    return path;
}

static void npz_archives_are_opened(void **state) {
    (void)state;
    lp_features *f;
    char digest[2][80] = {"", ""};
    for (int compressed = 0; compressed < 2; compressed++) {
        const char *path = put_npz(0, 2, compressed);
        assert_ok(lp_features_open(path, &f, &err), &err);
        assert_int_equal(f->count, 2);
        assert_int_equal(f->classes, 2);
        assert_memory_equal(f->x, x_values, sizeof x_values);
        assert_memory_equal(f->labels, y_values, sizeof y_values);
        assert_null(f->provenance);
        (void)snprintf(digest[compressed], sizeof digest[0], "%s", f->digest);
        lp_features_close(f);
    }
    assert_int_equal(strlen(digest[0]), 64);
    assert_string_equal(digest[0], digest[1]); /* of the arrays, not of the archive */
}

static void unusable_npz_archives_are_refused(void **state) {
    (void)state;
    lp_features *f;
    const char *path = put_npz(0, 1, false);
    assert_fails(lp_features_open(path, &f, &err), LP_ERR_FORMAT, &err, "found no labels");
    (void)put_npz(1, 1, false);
    assert_fails(lp_features_open(path, &f, &err), LP_ERR_FORMAT, &err, "found no features");
    (void)put_npz(0, 3, true);
    assert_fails(lp_features_open(path, &f, &err), LP_ERR_FORMAT, &err, "two members features.npy");
    npz_members[0].name = "train/features.npy";
    (void)put_npz(0, 2, true);
    npz_members[0].name = "features.npy";
    assert_fails(lp_features_open(path, &f, &err), LP_ERR_FORMAT, &err,
                 "found no features but train/features.npy");
    (void)put_npz(0, 2, true);
    char *bytes;
    size_t size;
    assert_ok(lp_file_read(path, 1 << 16, &bytes, &size, &err), &err);
    for (size_t cut = 0; cut < size; cut += 3) {
        assert_ok(lp_file_write(path, bytes, cut, &err), &err);
        assert_true(lp_features_open(path, &f, &err) != LP_OK);
        assert_non_null(strstr(err.text, path));
    }
    /* the size that the central directory and the local header give for features.npy */
    size_t changed = 0;
    for (size_t i = 0; i + 30 < size; i++) {
        size_t at = memcmp(bytes + i, "PK\1\2", 4) == 0   ? i + 24
                    : memcmp(bytes + i, "PK\3\4", 4) == 0 ? i + 22
                                                          : 0;
        if (at > 0) {
            memcpy(bytes + at, "\xff\xff\xff\x7f", 4);
            changed++;
        }
    }
    assert_true(changed == 4);
    assert_ok(lp_file_write(path, bytes, size, &err), &err);
    assert_fails(lp_features_open(path, &f, &err), LP_ERR_FORMAT, &err,
                 "2147483647 bytes cannot come from a file of");
    lp_free(bytes);
    assert_ok(lp_file_write(path, "Read me", 7, &err), &err);
    assert_fails(lp_features_open(path, &f, &err), LP_ERR_FORMAT, &err,
                 "set.npz: expected a feature set: a folder with features.npy and labels.npy; a "
                 ".npz, .pt or .safetensors file with arrays features and labels; or libsvm text; "
                 "found another file");
    (void)build(x_file, X_DICTIONARY, x_values, sizeof x_values);
    assert_ok(lp_file_write(path, x_file, 200, &err), &err);
    assert_fails(lp_features_open(path, &f, &err), LP_ERR_FORMAT, &err, "a single array (.npy)");
}

static void failed_allocations_with_npz_are_reported(void **state) {
    (void)state;
    lp_features *f;
    const char *path = put_npz(0, 2, true);
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

static void failed_allocations_are_reported(void **state) {
    (void)state;
    lp_features *f;
    put_set("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", x_values, sizeof x_values,
            Y_DICTIONARY, y_values, sizeof y_values,
            "{\"data\": {\"classes\": 2, \"class_names\": [\"a\", \"b\"]}}");
    lp_alloc_fail_at(0);
    assert_ok(lp_features_open(test_folder, &f, &err), &err);
    size_t needed = lp_alloc_fail_at(0);
    lp_features_close(f);
    assert_true(needed > 5);
    for (size_t k = 1; k <= needed; k++) {
        lp_alloc_fail_at(k);
        assert_fails(lp_features_open(test_folder, &f, &err), LP_ERR_MEMORY, &err, "out of memory");
    }
    lp_alloc_fail_at(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_header_is_what_numpy_writes),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(a_zero_byte_is_no_byte_order),
        cmocka_unit_test(every_number_format_is_read),
        cmocka_unit_test(sets_of_any_float_type_are_opened),
        cmocka_unit_test(labels_as_other_programs_write_them),
        cmocka_unit_test(unusable_sets_are_refused_with_the_place),
        cmocka_unit_test(npz_archives_are_opened),
        cmocka_unit_test(unusable_npz_archives_are_refused),
        cmocka_unit_test(failed_allocations_are_reported),
        cmocka_unit_test(failed_allocations_with_npz_are_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
