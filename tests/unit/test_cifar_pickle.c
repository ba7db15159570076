/* CIFAR's Python version: pickles as Python 2 and Python 3 write them, made here, and what is wrong
 * with one.  tests/parity/test_data_sets.py compares larger ones with torchvision. */
#include <unistd.h>

#include "base/file.h"
#include "check.h"
#include "dataset_checks.h"
#include "linprobe/dataset.h"
#include "test_folder.h"
#include "write_zip.h"

enum { PIXELS = 3072, IMAGES = 4, ROOM = 1 << 16 };

static lp_error err;

/* ---- pickles --------------------------------------------------------------------------------- */

typedef struct writer {
    unsigned char bytes[ROOM];
    size_t size;
    bool python3;
} writer;

static void put(writer *w, const void *bytes, size_t size) {
    assert_true(w->size + size <= ROOM);
    memcpy(w->bytes + w->size, bytes, size);
    w->size += size;
}

static void op(writer *w, const char *text) {
    put(w, text, strlen(text));
}

/* A text: SHORT_BINSTRING of Python 2, BINUNICODE of Python 3. */
static void text(writer *w, const char *value) {
    unsigned char length = (unsigned char)strlen(value);
    if (w->python3) {
        put(w, (unsigned char[]){'X', length, 0, 0, 0}, 5);
    } else {
        put(w, (unsigned char[]){'U', length}, 2);
    }
    op(w, value);
}

static void number(writer *w, size_t value) {
    put(w, (unsigned char[]){'M', (unsigned char)value, (unsigned char)(value >> 8)}, 3);
}

/* BINSTRING, or what Python 3 makes of bytes in protocol 2: a text of Latin-1, to be encoded. */
static void bytes_of(writer *w, const unsigned char *bytes, size_t size) {
    size_t length = size;
    if (w->python3) {
        op(w, "c_codecs\nencode\n");
        for (size_t i = 0; i < size; i++) {
            length += bytes[i] >= 0x80;
        }
    }
    put(w,
        (unsigned char[]){w->python3 ? 'X' : 'T', (unsigned char)length,
                          (unsigned char)(length >> 8), (unsigned char)(length >> 16), 0},
        5);
    for (size_t i = 0; i < size; i++) {
        const unsigned char two[] = {(unsigned char)(0xc0 | bytes[i] >> 6),
                                     (unsigned char)(0x80 | (bytes[i] & 0x3f))};
        bool wide = w->python3 && bytes[i] >= 0x80;
        put(w, wide ? two : bytes + i, wide ? 2 : 1);
    }
    if (w->python3) {
        text(w, "latin1");
        op(w, "\x86R");
    }
}

/* What is wrong in a batch; zeros: nothing. */
typedef struct fault {
    size_t label, rows, width;
    const char *type, *key;
    bool by_columns;
} fault;

static unsigned char pixel(size_t image, size_t k) {
    return (unsigned char)(image * 41 + k * 7);
}

/* A dictionary of pixels and labels i * 7 % classes of `first` + i. */
static void batch(writer *w, const char *const *keys, const size_t *classes, size_t first,
                  const fault *f) {
    unsigned char rows[IMAGES * PIXELS];
    for (size_t i = 0; i < sizeof rows; i++) {
        rows[i] = pixel(first + i / PIXELS, i % PIXELS);
    }
    op(w, "\x80\x02}(");
    text(w, f->key != NULL ? f->key : "data");
    op(w, "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK");
    put(w, "\0\x85", 2);
    text(w, "b");
    op(w, "\x87R(K\x01");
    number(w, f->rows > 0 ? f->rows : IMAGES);
    number(w, f->width > 0 ? f->width : PIXELS);
    op(w, "\x86");
    op(w, "cnumpy\ndtype\n");
    text(w, f->type != NULL ? f->type : "u1");
    put(w, "K\0K\1\x87R(K\3", 9);
    text(w, "|");
    put(w, "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb", 17);
    op(w, f->by_columns ? "\x88" : "\x89");
    bytes_of(w, rows, sizeof rows);
    op(w, "tb");
    for (size_t k = 0; keys[k] != NULL; k++) {
        text(w, keys[k]);
        op(w, "](");
        for (size_t i = 0; i < IMAGES; i++) {
            number(w, i == 2 && f->label > 0 ? f->label : (first + i) * 7 % classes[k]);
        }
        op(w, "e");
    }
    op(w, "u.");
}

static void names(writer *w, const char *key, size_t count) {
    char name[32];
    op(w, "\x80\x02}(");
    text(w, key);
    op(w, "](");
    for (size_t k = 0; k < count; k++) {
        (void)snprintf(name, sizeof name, "name %zu", k);
        text(w, name);
    }
    op(w, "eu.");
}

static void save(const char *name, const writer *w) {
    const char *path = in_folder(name);
    assert_ok(lp_make_parents(path, &err), &err);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(w->bytes, 1, w->size, file), w->size);
    assert_int_equal(fclose(file), 0);
}

static const char *const ten_keys[] = {"labels", NULL};
static const char *const hundred_keys[] = {"fine_labels", "coarse_labels", NULL};
static const size_t ten[] = {10}, hundred[] = {100, 20};

static void save_batch(const char *name, bool python3, size_t first, const fault *f) {
    writer w = {.python3 = python3};
    batch(&w, ten_keys, ten, first, f);
    save(name, &w);
}

static void make_ten(const char *folder, bool python3) {
    static const fault none;
    char name[128];
    writer w = {.python3 = python3};
    (void)snprintf(name, sizeof name, "%s/data_batch_1", folder);
    save_batch(name, python3, 0, &none);
    (void)snprintf(name, sizeof name, "%s/data_batch_2", folder);
    save_batch(name, python3, IMAGES, &none);
    (void)snprintf(name, sizeof name, "%s/test_batch", folder);
    save_batch(name, python3, 9, &none);
    names(&w, "label_names", 10);
    (void)snprintf(name, sizeof name, "%s/batches.meta", folder);
    save(name, &w);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void assert_ten(const char *path, lp_split split, size_t count, size_t first) {
    lp_dataset *data;
    assert_ok(lp_dataset_open(path, split, LP_LABELS_FINE, &data, &err), &err);
    const lp_dataset_info *info = lp_dataset_describe(data);
    assert_int_equal(info->count, count);
    assert_string_equal(info->name, "CIFAR-10");
    assert_string_equal(info->set, "cifar-10");
    assert_int_equal(info->published, split == LP_SPLIT_TEST ? 10000 : 50000);
    assert_null(info->official);
    assert_string_equal(lp_dataset_class_name(data, 9), "name 9");
    for (size_t i = 0; i < count; i++) {
        unsigned char rgb[PIXELS];
        assert_int_equal(lp_dataset_labels(data)[i], (first + i) * 7 % 10);
        assert_ok(lp_dataset_image(data, i, rgb, &err), &err);
        for (size_t k = 0; k < PIXELS; k++) {
            assert_int_equal(rgb[k], pixel(first + i, k % 3 * 1024 + k / 3));
        }
    }
    lp_dataset_close(data);
}

static void batches_of_both_pythons(void **state) {
    (void)state;
    char named[600];
    make_ten("two/cifar-10-batches-py", false);
    make_ten("three/cifar-10-batches-py", true);
    assert_ten(in_folder("two"), LP_SPLIT_TRAIN, 2 * IMAGES, 0);
    assert_ten(in_folder("two/cifar-10-batches-py"), LP_SPLIT_TEST, IMAGES, 9);
    assert_ten(in_folder("three"), LP_SPLIT_TRAINVAL, 2 * IMAGES, 0);
    (void)snprintf(named, sizeof named, "cifar-10:%s", in_folder("three"));
    assert_ten(named, LP_SPLIT_TEST, IMAGES, 9);
    lp_dataset *data;
    (void)snprintf(named, sizeof named, "CIFAR-100:%s", in_folder("three"));
    assert_fails(
        lp_dataset_open(named, LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), LP_ERR_IO, &err,
        "expected the test split of CIFAR-100 as it is downloaded, with test.bin, there or "
        "in cifar-100-binary/, or with test, there or in cifar-100-python/");
}

static void both_kinds_of_labels(void **state) {
    (void)state;
    static const fault none;
    writer w = {.size = 0}, meta = {.size = 0};
    lp_dataset *data;
    batch(&w, hundred_keys, hundred, 0, &none);
    save("hundred/cifar-100-python/train", &w);
    op(&meta, "\x80\x02}(");
    for (int kind = 0; kind < 2; kind++) {
        char name[32];
        text(&meta, kind == 0 ? "coarse_label_names" : "fine_label_names");
        op(&meta, "](");
        for (size_t k = 0; k < (kind == 0 ? 20 : 100); k++) {
            (void)snprintf(name, sizeof name, "%s %zu", kind == 0 ? "group" : "class", k);
            text(&meta, name);
        }
        op(&meta, "e");
    }
    op(&meta, "u.");
    save("hundred/cifar-100-python/meta", &meta);
    assert_ok(lp_dataset_open(in_folder("hundred"), LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err),
              &err);
    assert_int_equal(lp_dataset_labels(data)[3], 21);
    assert_string_equal(lp_dataset_class_name(data, 21), "class 21");
    lp_dataset_close(data);
    assert_ok(lp_dataset_open(in_folder("hundred"), LP_SPLIT_TRAIN, LP_LABELS_COARSE, &data, &err),
              &err);
    assert_int_equal(lp_dataset_labels(data)[3], 1);
    assert_string_equal(lp_dataset_class_name(data, 19), "group 19");
    lp_dataset_close(data);
}

static void from_an_archive(void **state) {
    (void)state;
    static const fault none;
    writer w = {.size = 0}, meta = {.size = 0};
    batch(&w, ten_keys, ten, 0, &none);
    names(&meta, "label_names", 10);
    const zip_member members[] = {{"cifar-10-batches-py/data_batch_1", w.bytes, w.size},
                                  {"cifar-10-batches-py/readme.html", "x", 1},
                                  {"cifar-10-batches-py/batches.meta", meta.bytes, meta.size}};
    write_zip(in_folder("python.zip"), members, 3, true);
    assert_ten(in_folder("python.zip"), LP_SPLIT_TRAIN, IMAGES, 0);
}

static void of_both_versions_the_binary_one_is_read(void **state) {
    (void)state;
    unsigned char record[PIXELS + 1] = {5};
    lp_dataset *data;
    make_ten("both/cifar-10-batches-py", false);
    writer w = {.size = 0};
    put(&w, record, sizeof record);
    save("both/cifar-10-batches-bin/data_batch_1.bin", &w);
    assert_ok(lp_dataset_open(in_folder("both"), LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err),
              &err);
    assert_int_equal(lp_dataset_describe(data)->count, 1);
    assert_int_equal(lp_dataset_labels(data)[0], 5);
    lp_dataset_close(data);
}

static void what_is_wrong_is_named(void **state) {
    (void)state;
    static const struct {
        fault fault;
        lp_status status;
        const char *message;
    } faults[] = {
        {{.label = 10}, LP_ERR_DATA, "'labels': entry 2: expected a label from 0 to 9, found 10"},
        {{.key = "pixels"}, LP_ERR_FORMAT, "'data': expected an array of bytes [N, 3072]"},
        {{.type = "f4"}, LP_ERR_FORMAT, "'data': expected an array of bytes [N, 3072]"},
        {{.width = 3071}, LP_ERR_FORMAT, "'data': expected an array of bytes [N, 3072]"},
        {{.by_columns = true}, LP_ERR_FORMAT, "'data': expected an array of bytes [N, 3072]"},
        {{.rows = 5}, LP_ERR_FORMAT, "'data': 5 rows of 3072 bytes, but 12288 bytes"},
        {{.rows = 3}, LP_ERR_FORMAT, "'data': expected 3 x 3072 bytes, found 12288"},
    };
    lp_dataset *data;
    make_ten("wrong/cifar-10-batches-py", false);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        save_batch("wrong/cifar-10-batches-py/test_batch", false, 0, &faults[i].fault);
        assert_fails(
            lp_dataset_open(in_folder("wrong"), LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err),
            faults[i].status, &err, faults[i].message);
        assert_non_null(strstr(err.text, "test_batch: "));
    }
    writer list = {.size = 0};
    op(&list, "\x80\x02].");
    save("wrong/cifar-10-batches-py/test_batch", &list);
    assert_fails(lp_dataset_open(in_folder("wrong"), LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err),
                 LP_ERR_FORMAT, &err, "test_batch: expected a pickled dictionary");
    writer few = {.size = 0};
    names(&few, "label_names", 9);
    save("wrong/cifar-10-batches-py/batches.meta", &few);
    assert_fails(lp_dataset_open(in_folder("wrong"), LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err),
                 LP_ERR_FORMAT, &err, "batches.meta: expected 10 names, one a line, found 9");
    writer other = {.size = 0};
    names(&other, "names", 10);
    save("wrong/cifar-10-batches-py/batches.meta", &other);
    assert_fails(lp_dataset_open(in_folder("wrong"), LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err),
                 LP_ERR_FORMAT, &err, "batches.meta: expected a list 'label_names'");
    assert_int_equal(unlink(in_folder("wrong/cifar-10-batches-py/data_batch_1")), 0);
    assert_fails(lp_dataset_open(in_folder("wrong"), LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err),
                 LP_ERR_FORMAT, &err, "holds data_batch_2 but not data_batch_1");
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    make_ten("memory/cifar-10-batches-py", true);
    const lp_dataset_options options = {.limit = 10, .per_class = 1};
    assert_allocations_reported(in_folder("memory"), &options);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_of_both_pythons),
        cmocka_unit_test(both_kinds_of_labels),
        cmocka_unit_test(from_an_archive),
        cmocka_unit_test(of_both_versions_the_binary_one_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
