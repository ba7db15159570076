/* NumPy's arrays in pickles that are files by themselves, in each form that NumPy and dill write;
 * and what is wrong with one.  tests/parity/test_haiku.py reads what dill writes. */
#include <unistd.h>

#include "base/alloc.h"
#include "base/random.h"
#include "check.h"
#include "linprobe/checkpoint.h"
#include "tensor_checks.h"
#include "test_folder.h"

enum { MOST = 16 };

static const char *path; /* the one file that tests write */
static lp_error err;

static int set_up(void **state) {
    if (make_folder(state) != 0) {
        return 1;
    }
    path = in_folder("model.pkl");
    return 0;
}

static void write_bytes(const char *bytes, size_t size) {
    (void)unlink(path);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

#define WRITE(literal) write_bytes((literal), sizeof(literal) - 1)

#define REFUSED(literal, expected, part)                                                           \
    do {                                                                                           \
        lp_checkpoint *ckpt_;                                                                      \
        WRITE(literal);                                                                            \
        assert_fails(lp_checkpoint_open(path, &ckpt_, &err), expected, &err, part);                \
        assert_null(ckpt_);                                                                        \
        assert_non_null(strstr(err.text, path));                                                   \
    } while (0)

/* The pickles, as string literals; lengths are spelled out, and a literal ends where a letter would
 * belong to the escape before it. */
#define DICT(items) "\x80\x02}(" items "u."
#define ITEM(name, value) "X\x01\0\0\0" name value
#define MAKER "cnumpy.core.multiarray\n_reconstruct\n"
#define MADE                                                                                       \
    "cnumpy\nndarray\nK\0\x85U\x01"                                                                \
    "b\x87"
#define TYPE(code, order)                                                                          \
    "cnumpy\ndtype\nX\x02\0\0\0" code "\x89\x88\x87R(K\x03X\x01\0\0\0" order "NNNtb"
#define STATE(shape, type, fortran, data) "(K\x01(" shape "t" type fortran data "t"
#define ARRAY(shape, type, fortran, data) MAKER MADE "R" STATE(shape, type, fortran, data) "b"
#define F4 TYPE("f4", "<")
/* 1, -2, 3, -4, 5, -6 */
#define SIX "\0\0\x80\x3f\0\0\0\xc0\0\0\x40\x40\0\0\x80\xc0\0\0\xa0\x40\0\0\xc0\xc0"
#define BYTES "U\x18" SIX
/* The same as Python 3 writes it in protocol 2; 128 and more are two bytes. */
#define SIX_LATIN                                                                                  \
    "\0\0\xc2\x80\x3f\0\0\0\xc3\x80\0\0\x40\x40\0\0\xc2\x80\xc3\x80\0\0\xc2\xa0\x40\0\0\xc3\x80"   \
    "\xc3"                                                                                         \
    "\x80"
#define LATIN "c_codecs\nencode\nX\x1f\0\0\0" SIX_LATIN "X\x06\0\0\0latin1\x86R"

static const float six[] = {1, -2, 3, -4, 5, -6};

/* The tensor of the file that was written: shape and values. */
static void assert_read(const char *name, size_t rank, const size_t *shape, const float *values) {
    assert_tensor(path, "NumPy arrays (pickle)", name, rank, shape, values);
}

#define SHAPE(...) ((const size_t[]){__VA_ARGS__})

/* ---- forms ----------------------------------------------------------------------------------- */

static void arrays_are_read_in_each_form(void **state) {
    (void)state;
    WRITE(DICT(ITEM("a", ARRAY("K\x02K\x03", F4, "\x89", BYTES))));
    assert_read("a", 2, SHAPE(2, 3), six);
    WRITE(DICT(ITEM("a", ARRAY("K\x06", F4, "\x89", LATIN))));
    assert_read("a", 1, SHAPE(6), six);
    static const float columns[] = {1, 3, 5, -2, -4, -6};
    WRITE(DICT(ITEM("a", ARRAY("K\x02K\x03", F4, "\x88", LATIN))));
    assert_read("a", 2, SHAPE(2, 3), columns);
    WRITE("\x80\x04" ARRAY("K\x06", F4, "\x89", BYTES) ".");
    assert_read("tensor", 1, SHAPE(6), six);
    WRITE("\x80\x05" /* protocol 5: bytearray, _frombuffer */
          "}(" ITEM("a", "cnumpy.core.numeric\n_frombuffer\n(\x96\x18\0\0\0\0\0\0\0" SIX F4
                         "K\x02K\x03\x86X\x01\0\0\0"
                         "FtR") "u.");
    assert_read("a", 2, SHAPE(2, 3), columns);
    static const float halves[] = {1, -2};
    WRITE(DICT(ITEM("a", ARRAY("K\x02", TYPE("f2", "<"), "\x89", "U\x04\0\x3c\0\xc0"))));
    assert_read("a", 1, SHAPE(2), halves);
    WRITE(DICT(ITEM("a", ARRAY("", TYPE("u1", "|"), "\x89", "U\x01\x01"))));
    assert_read("a", 0, NULL, halves);
}

/* dill: functions of C modules by two calls, arrays by its own, classes of named tuples by their
 * fields; JAX's arrays; Haiku's dictionaries. */
static void what_dill_jax_and_haiku_write_is_read(void **state) {
    (void)state;
#define IMPORT(name) "cdill._dill\n_import_module\nU" name "\x85R"
#define ATTRIBUTE(module, name) "cdill._dill\n_get_attr\n" module "U" name "\x86R"
#define DILLED(shape)                                                                              \
    ATTRIBUTE(IMPORT("\x1cnumpy.core._multiarray_umath"), "\x0c_reconstruct")                      \
    MADE "R" STATE(shape, F4, "\x89",                                                              \
                   ATTRIBUTE(IMPORT("\x07_codecs"), "\x06"                                         \
                                                    "encode") "X\x1f\0\0\0" SIX_LATIN              \
                                                              "U\x06latin1\x86R") "b"
    WRITE(DICT(ITEM("a", DILLED("K\x06"))));
    assert_read("a", 1, SHAPE(6), six);
    WRITE(DICT(ITEM(
        "a", "cdill._dill\n_create_array\n(" MAKER MADE STATE("K\x06", F4, "\x89", BYTES) "NtR")));
    assert_read("a", 1, SHAPE(6), six);
    WRITE(DICT(ITEM("a", "cjax._src.array\n_reconstruct_array\n(" MAKER MADE STATE(
                             "K\x06", F4, "\x89", BYTES) "}tR")));
    assert_read("a", 1, SHAPE(6), six);
#define PAIR "cdill._dill\n_create_namedtuple\nU\x04PairU\x04leftU\x05right\x86U\x01m\x87R"
    WRITE(DICT(ITEM("a", PAIR "K\x01" DILLED("K\x06") "\x86\x81")));
    assert_read("a.right", 1, SHAPE(6), six);
    WRITE(DICT(ITEM(
        "a", "chaiku._src.data_structures\nFlatMapping\n}" ITEM("b", DILLED("K\x06")) "s\x85R")));
    assert_read("a.b", 1, SHAPE(6), six);
    WRITE(DICT(ITEM(
        "a", "chaiku._src.data_structures\nfrozendict\n}" ITEM("b", DILLED("K\x06")) "s\x85R")));
    assert_read("a.b", 1, SHAPE(6), six);
    /* what a class that is not known was made of, by position */
    WRITE(DICT(ITEM("a", "cm\nPair\nK\x01" DILLED("K\x06") "\x86\x81")));
    assert_read("a.1", 1, SHAPE(6), six);
}

/* (cls, (1, array), state), with items: nothing of an object is lost. */
static void all_parts_of_an_object_are_entered(void **state) {
    (void)state;
#define SIX_ARRAY ARRAY("K\x06", F4, "\x89", BYTES)
#define OBJECT "cm\nNet\nK\x01" SIX_ARRAY "\x86R"
    static const char *const whole_state[] = {"a.1", "a.i", "a.s"};
    WRITE(DICT(ITEM("a", OBJECT "(" ITEM("i", SIX_ARRAY) "u}" ITEM("s", SIX_ARRAY) "sb")));
    for (size_t i = 0; i < 3; i++) {
        assert_read(whole_state[i], 1, SHAPE(6), six);
    }
    static const char *const slots[] = {"a.1", "a.d", "a.s"};
    WRITE(DICT(ITEM("a", OBJECT "}" ITEM("d", SIX_ARRAY) "s}" ITEM("s", SIX_ARRAY) "s\x86"
                                                                                   "b")));
    for (size_t i = 0; i < 3; i++) {
        assert_read(slots[i], 1, SHAPE(6), six);
    }
    WRITE(DICT(ITEM("a", "cm\nNet\nK\x01\x85RK\x01" SIX_ARRAY "\x86"
                         "b")));
    assert_read("a.1", 1, SHAPE(6), six);
    /* keys of Flax's flatten_dict are no names */
    REFUSED("\x80\x02}X\x01\0\0\0pX\x01\0\0\0q\x86" SIX_ARRAY "s.", LP_ERR_UNSUPPORTED,
            "no tensors found, but 1 NumPy arrays in places without a name");
}

static void haikus_weights_are_shown_as_pytorchs(void **state) {
    (void)state;
    static const float turned[] = {1, 3, 5, -2, -4, -6};
    WRITE(DICT(ITEM("w", ARRAY("K\x03K\x02", F4, "\x89", BYTES))));
    assert_read("w", 2, SHAPE(2, 3), turned);
    WRITE(DICT(ITEM("w", ARRAY("K\x01K\x01K\x03K\x02", F4, "\x89", BYTES))));
    assert_read("w", 4, SHAPE(2, 3, 1, 1), turned);
#define LONG_ITEM(length, name, value) "U" length name value
    WRITE(DICT(LONG_ITEM("\x05", "scale", ARRAY("K\x01K\x01K\x01K\x06", F4, "\x89", BYTES))));
    assert_read("scale", 1, SHAPE(6), six);
    WRITE(DICT(LONG_ITEM("\x05", "scale", ARRAY("K\x01K\x02K\x01K\x03", F4, "\x89", BYTES))));
    assert_read("scale", 4, SHAPE(1, 2, 1, 3), six);
    WRITE(DICT(LONG_ITEM("\x05", "shale", ARRAY("K\x01K\x06", F4, "\x89", BYTES))));
    assert_read("shale", 2, SHAPE(1, 6), six);
}

/* ---- what is wrong ----------------------------------------------------------------------------
 */

/* Opens the file that was written; its one tensor cannot be read. */
static void assert_unread(lp_status expected, const char *part) {
    lp_checkpoint *ckpt;
    float values[MOST];
    assert_ok(lp_checkpoint_open(path, &ckpt, &err), &err);
    lp_tensor_read read = {lp_checkpoint_find(ckpt, "a"), values};
    assert_non_null(read.tensor);
    assert_fails(lp_checkpoint_read(ckpt, &read, 1, 0, &err), expected, &err, part);
    assert_non_null(strstr(err.text, path));
    lp_checkpoint_close(ckpt);
}

static void other_values_are_listed_and_not_read(void **state) {
    (void)state;
    WRITE(DICT(ITEM("a", ARRAY("K\x06", TYPE("f4", ">"), "\x89", BYTES))));
    assert_unread(LP_ERR_UNSUPPORTED, "tensor a: values of type big-endian numbers");
    WRITE(DICT(ITEM("a", ARRAY("K\x03", TYPE("c8", "<"), "\x89", BYTES))));
    assert_unread(LP_ERR_UNSUPPORTED, "tensor a: values of type another type");
    WRITE(DICT(ITEM("a", ARRAY("K\x01", TYPE("O8", "|"), "\x89",
                               "]K\x01"
                               "a"))));
    assert_unread(LP_ERR_UNSUPPORTED, "tensor a: values of type another type");
    WRITE(DICT(ITEM("a", ARRAY("K\x06", "cml_dtypes\nbfloat16\n", "\x89", BYTES))));
    assert_unread(LP_ERR_UNSUPPORTED, "tensor a: values of type another type");
    /* two texts of three characters, of 4 bytes each */
    WRITE(DICT(ITEM("a", ARRAY("K\x02", TYPE("U3", "<"), "\x89", BYTES))));
    assert_unread(LP_ERR_UNSUPPORTED, "tensor a: values of type another type");
    /* two values of four that are no bytes, or not as many */
#define TWO(length, text) ARRAY("K\x02", TYPE("f2", "<"), "\x89", "X" length "\0\0\0" text)
    static const float ones[] = {1, 1};
    WRITE(DICT(ITEM("a", TWO("\x04", "\0\x3c\0\x3c"))));
    assert_read("a", 1, SHAPE(2), ones);
    WRITE(DICT(ITEM("a", TWO("\x05", "\0\xc4\x80\0\x3c"))));
    assert_unread(LP_ERR_FORMAT, "tensor a: expected 2 values of 2 bytes as Latin-1");
    WRITE(DICT(ITEM("a", TWO("\x05", "\0\x3c\0\x3c\xc2"))));
    assert_unread(LP_ERR_FORMAT, "tensor a: expected 2 values of 2 bytes as Latin-1");
    WRITE(DICT(ITEM("a", TWO("\x05", "\0\x3c\0\x3c\0"))));
    assert_unread(LP_ERR_FORMAT, "tensor a: expected 2 values of 2 bytes as Latin-1");
    WRITE(DICT(ITEM("a", TWO("\x04", "\0\x3c\xc2\x80"))));
    assert_unread(LP_ERR_FORMAT, "tensor a: expected 2 values of 2 bytes as Latin-1");
}

static void contradictions_are_refused(void **state) {
    (void)state;
    REFUSED(DICT(ITEM("a", ARRAY("K\x05", F4, "\x89", BYTES))), LP_ERR_FORMAT,
            "tensor a: an array of another size than its 24 bytes in the file");
    REFUSED(DICT(ITEM("a", ARRAY("K\x07", F4, "\x89", BYTES))), LP_ERR_FORMAT, "another size");
    REFUSED(DICT(ITEM("a", ARRAY("K\x03", F4, "\x89", LATIN))), LP_ERR_FORMAT, "another size");
    REFUSED(DICT(ITEM("a", ARRAY("K\x08", F4, "\x89", LATIN))), LP_ERR_FORMAT, "another size");
#define HUGE_INT "\x8a\x08\0\0\0\0\0\0\0\x40" /* 2^62 */
    REFUSED(DICT(ITEM("a", ARRAY(HUGE_INT HUGE_INT, F4, "\x89", BYTES))), LP_ERR_FORMAT,
            "another size");
    REFUSED(DICT(ITEM("a", ARRAY("J\xff\xff\xff\xff", F4, "\x89", BYTES))), LP_ERR_FORMAT,
            "an array's shape is not a tuple of at most 8 counts");
    REFUSED(
        DICT(ITEM("a", ARRAY("K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x01K\x06", F4, "\x89", BYTES))),
        LP_ERR_FORMAT, "an array's shape is not a tuple of at most 8 counts");
    REFUSED(DICT(ITEM("a", MAKER MADE "R")), LP_ERR_FORMAT, "an array's shape");
    REFUSED(DICT(ITEM("a", "cdill._dill\n_create_array\n" MAKER MADE "\x86R")), LP_ERR_FORMAT,
            "wrong arguments for an array");
    REFUSED(DICT(ITEM("a", PAIR "K\x01\x85\x81")), LP_ERR_FORMAT,
            "a named tuple's values are not as many as its fields");
    REFUSED(DICT(ITEM("a", ARRAY("K\x06", F4, "\x89", BYTES))) "N", LP_ERR_FORMAT,
            "1 bytes behind the pickle");
    REFUSED(DICT(""), LP_ERR_UNSUPPORTED, "no tensors found");
}

/* dill's way to a function is that of a global, and what runs code is refused as one. */
static void dangerous_functions_are_refused_by_name(void **state) {
    (void)state;
    REFUSED("\x80\x02" ATTRIBUTE(IMPORT("\x02os"), "\x06system") "U\x02ls\x85R.",
            LP_ERR_UNSUPPORTED, "the global os runs code");
    REFUSED("\x80\x02" IMPORT("\x09os.system") "U\x02ls\x85R.", LP_ERR_UNSUPPORTED,
            "the global os.system runs code");
    REFUSED("\x80\x02" ATTRIBUTE(IMPORT("\x05torch"), "\x08hub.load") ".", LP_ERR_UNSUPPORTED,
            "the global torch.hub.load runs code");
    REFUSED("\x80\x02" ATTRIBUTE(IMPORT("\x08"
                                        "builtins"),
                                 "\x04"
                                 "eval") ".",
            LP_ERR_UNSUPPORTED, "the global builtins runs code");
    REFUSED("\x80\x02"
            "cdill._dill\n_create_function\n.",
            LP_ERR_UNSUPPORTED, "the global dill._dill._create_function runs code");
    REFUSED("\x80\x02"
            "cdill._dill\n_import_module\n)R.",
            LP_ERR_FORMAT, "a module is imported without a name");
    /* of an object it is something that is not known */
    WRITE(DICT(ITEM("a", DILLED("K\x06")) ITEM("b", ATTRIBUTE("cm\nK\n)\x81", "\x01n"))));
    assert_read("a", 1, SHAPE(6), six);
}

/* ---- large and damaged files ------------------------------------------------------------------
 */

/* The published ResNet-200 is a pickle of 4.6 GiB.  A hole of 4 GiB in a file takes no place. */
static void an_array_behind_four_gibibytes_is_read(void **state) {
    (void)state;
    static const char head[] = "\x80\x04\x8e\0\0\0\0\x01\0\0\0";
    static const char tail[] = "0}(" ITEM("a", ARRAY("K\x06", F4, "\x89", LATIN)) "u.";
    write_bytes(head, sizeof head - 1);
    FILE *out = fopen(path, "r+b");
    assert_non_null(out);
    assert_int_equal(fseeko(out, (off_t)(sizeof head - 1 + (UINT64_C(1) << 32)), SEEK_SET), 0);
    assert_int_equal(fwrite(tail, 1, sizeof tail - 1, out), sizeof tail - 1);
    assert_int_equal(fclose(out), 0);
    assert_read("a", 1, SHAPE(6), six);
}

static const char whole[] = DICT(ITEM("a", DILLED("K\x02K\x03")) ITEM(
    "b", PAIR "K\x01" ARRAY("K\x06", F4, "\x88", BYTES) "\x86\x81"));

static void read_all(lp_status *status) {
    lp_checkpoint *ckpt;
    *status = lp_checkpoint_open(path, &ckpt, &err);
    for (size_t i = 0; *status == LP_OK && i < lp_checkpoint_count(ckpt); i++) {
        const lp_tensor *tensor = lp_checkpoint_tensor(ckpt, i);
        float *values = lp_alloc(tensor->count, sizeof *values);
        if (values != NULL) {
            lp_tensor_read read = {tensor, values};
            *status = lp_checkpoint_read(ckpt, &read, 1, 1, &err);
        }
        lp_free(values);
    }
    lp_checkpoint_close(ckpt);
}

static void every_shorter_file_is_refused(void **state) {
    (void)state;
    for (size_t length = 1; length < sizeof whole - 1; length++) {
        lp_status status;
        write_bytes(whole, length);
        read_all(&status);
        assert_int_equal(status, LP_ERR_FORMAT);
        assert_non_null(strstr(err.text, path));
    }
}

static void damaged_files_stay_bounded(void **state) {
    (void)state;
    lp_random random;
    size_t refused = 0;
    lp_random_seed(&random, 12);
    for (int round = 0; round < 1000; round++) {
        char bytes[sizeof whole - 1];
        lp_status status;
        memcpy(bytes, whole, sizeof bytes);
        for (int i = 0; i < 1 + round % 3; i++) {
            bytes[1 + lp_random_below(&random, sizeof bytes - 1)] =
                (char)lp_random_below(&random, 256);
        }
        write_bytes(bytes, sizeof bytes);
        read_all(&status);
        refused += status != LP_OK;
        assert_true(status == LP_OK || status == LP_ERR_FORMAT || status == LP_ERR_UNSUPPORTED ||
                    status == LP_ERR_DATA);
    }
    assert_true(refused > 300 && refused < 1000);
}

static void each_failing_allocation_is_reported(void **state) {
    (void)state;
    lp_status status = LP_ERR_MEMORY;
    size_t k = 0;
    WRITE(whole);
    for (; status == LP_ERR_MEMORY; k++) {
        lp_alloc_fail_at(k + 1);
        read_all(&status);
        lp_alloc_fail_at(0);
        assert_true(k < 1000);
    }
    assert_int_equal(status, LP_OK);
    assert_true(k > 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_read_in_each_form),
        cmocka_unit_test(what_dill_jax_and_haiku_write_is_read),
        cmocka_unit_test(all_parts_of_an_object_are_entered),
        cmocka_unit_test(haikus_weights_are_shown_as_pytorchs),
        cmocka_unit_test(other_values_are_listed_and_not_read),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(dangerous_functions_are_refused_by_name),
        cmocka_unit_test(an_array_behind_four_gibibytes_is_read),
        cmocka_unit_test(every_shorter_file_is_refused),
        cmocka_unit_test(damaged_files_stay_bounded),
        cmocka_unit_test(each_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
