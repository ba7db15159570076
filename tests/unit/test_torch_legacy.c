/* torch.save files of before PyTorch 1.6: written here byte by byte, whole, cut and contradictory.
 */
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/random.h"
#include "check.h"
#include "test_folder.h"
#include "linprobe/checkpoint.h"

#define GOLDEN LP_TEST_DATA "/golden/ckpt/legacy.pt"

static const char *path; /* the one file that tests write */
static lp_error err;

static int set_up(void **state) {
    if (make_folder(state) != 0) {
        return 1;
    }
    path = in_folder("model.pt");
    return 0;
}

/* The pickles, as string literals; lengths are spelled out. */
#define MAGIC "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
#define VERSION "\x80\x02M\xe9\x03."
#define SYSTEM "\x80\x02}X\x0d\0\0\0little_endian\x88s."
#define HEAD MAGIC VERSION SYSTEM
#define DICT(items) "\x80\x02}(" items "u."
#define ITEM(name, value) "X\x01\0\0\0" name value
#define STORAGE(type, key, size, view)                                                             \
    "(X\x07\0\0\0storagectorch\n" type "Storage\nX\x01\0\0\0" key "X\x03\0\0\0cpu" size view "tQ"
#define TENSOR(storage, offset, shape, stride)                                                     \
    "ctorch._utils\n_rebuild_tensor_v2\n(" storage offset "(" shape "t(" stride "t\x89"            \
    "ccollections\nOrderedDict\n)RtR"
#define KEYS(keys) "\x80\x02](" keys "e."
#define KEY(key) "X\x01\0\0\0" key
#define LENGTH(n) n "\0\0\0\0\0\0\0"
#define VALUES "\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40\0\0\xa0\x40\0\0\xc0\x40" /* 1..6 */
#define HUGE_INT "\x8a\x08\0\0\0\0\0\0\0\x40"                                           /* 2^62 */
#define SIX STORAGE("Float", "5", "K\x06", "N")
#define W TENSOR(SIX, "K\0", "K\x06", "K\x01")

/* Without the syncs of lp_file_write: thousands are written. */
static void write_bytes(const char *bytes, size_t size) {
    (void)unlink(path); /* file systems sync one that is overwritten */
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

#define WRITE(literal) write_bytes((literal), sizeof(literal) - 1)

/* Opening it must fail. */
#define REFUSED(literal, expected, part)                                                           \
    do {                                                                                           \
        lp_checkpoint *ckpt_;                                                                      \
        WRITE(literal);                                                                            \
        assert_fails(lp_checkpoint_open(path, &ckpt_, &err), expected, &err, part);                \
        assert_null(ckpt_);                                                                        \
        assert_non_null(strstr(err.text, path));                                                   \
    } while (0)

static void read_named(const char *name, float *values) {
    lp_checkpoint *ckpt;
    assert_ok(lp_checkpoint_open(path, &ckpt, &err), &err);
    const lp_tensor *tensor = lp_checkpoint_find(ckpt, name);
    assert_non_null(tensor);
    lp_tensor_read read = {tensor, values};
    assert_ok(lp_checkpoint_read(ckpt, &read, 1, 0, &err), &err);
    lp_checkpoint_close(ckpt);
}

static void storages_are_found_in_the_order_of_their_keys(void **state) {
    (void)state;
    float values[6];
    static const float all[] = {1, 2, 3, 4, 5, 6}, other[] = {7, 8},
                       transposed[] = {1, 4, 2, 5, 3, 6};
    /* two tensors of one storage, and one of another, which lies first */
    WRITE(HEAD DICT(ITEM("w", W) ITEM("t", TENSOR(SIX, "K\0", "K\x03K\x02", "K\x01K\x03")) ITEM(
        "v", TENSOR(STORAGE("Float", "1", "K\x02", "N"), "K\0", "K\x02", "K\x01")))
              KEYS(KEY("1") KEY("5")) LENGTH("\x02") "\0\0\xe0\x40\0\0\0\x41" LENGTH("\x06")
                  VALUES);
    read_named("w", values);
    assert_memory_equal(values, all, sizeof all);
    read_named("v", values);
    assert_memory_equal(values, other, sizeof other);
    read_named("t", values);
    assert_memory_equal(values, transposed, sizeof transposed);
    lp_checkpoint *ckpt;
    assert_ok(lp_checkpoint_open(path, &ckpt, &err), &err);
    assert_string_equal(lp_checkpoint_format(ckpt), "PyTorch state dict (before 1.6)");
    assert_int_equal(lp_checkpoint_count(ckpt), 3);
    lp_checkpoint_close(ckpt);
}

static void views_of_storages_are_parts_of_them(void **state) {
    (void)state;
    float values[2];
    static const float expected[] = {4, 5};
#define FILE_OF(tensor) HEAD DICT(ITEM("w", tensor)) KEYS(KEY("5")) LENGTH("\x06") VALUES
#define VIEW(offset, size)                                                                         \
    STORAGE("Float", "5", "K\x06",                                                                 \
            "(X\x01\0\0\0"                                                                         \
            "9" offset size "t")
    WRITE(FILE_OF(TENSOR(VIEW("K\x02", "K\x03"), "K\x01", "K\x02", "K\x01")));
    read_named("w", values);
    assert_memory_equal(values, expected, sizeof expected);
    REFUSED(FILE_OF(TENSOR(VIEW("K\x02", "K\x03"), "K\x02", "K\x02", "K\x01")), LP_ERR_FORMAT,
            "tensor w: its shape and strides reach beyond the 20 bytes of its storage");
    REFUSED(FILE_OF(TENSOR(VIEW("K\x02", "K\x05"), "K\0", "K\x01", "K\x01")), LP_ERR_FORMAT,
            "tensor w: its storage's view of 5 elements from 2 reaches beyond its 24 bytes");
    REFUSED(FILE_OF(TENSOR(VIEW(HUGE_INT, HUGE_INT), "K\0", "K\x01", "K\x01")), LP_ERR_FORMAT,
            "reaches beyond its 24 bytes");
    REFUSED(FILE_OF(TENSOR(VIEW("K\x01", HUGE_INT), "K\0", "K\x01", "K\x01")), LP_ERR_FORMAT,
            "reaches beyond its 24 bytes");
    REFUSED(FILE_OF(TENSOR(VIEW("J\xff\xff\xff\xff", "K\x01"), "K\0", "K\x01", "K\x01")),
            LP_ERR_FORMAT, "its storage's view is not (key, offset, size)");
    REFUSED(FILE_OF(TENSOR(STORAGE("Float", "5", "K\x06", "K\x01"), "K\0", "K\x01", "K\x01")),
            LP_ERR_FORMAT, "its storage's view is not (key, offset, size)");
    REFUSED(FILE_OF(TENSOR(STORAGE("Float", "5", "K\x06", "(K\x01t"), "K\0", "K\x01", "K\x01")),
            LP_ERR_FORMAT, "its storage's view is not (key, offset, size)");
}

static void the_list_of_storages_must_fit(void **state) {
    (void)state;
#define WITH(keys, rest) HEAD DICT(ITEM("w", W)) keys rest
    REFUSED(WITH(KEYS(KEY("5") KEY("5")), LENGTH("\x06") VALUES LENGTH("\x06") VALUES),
            LP_ERR_FORMAT, "expected a list of 1 storages' keys, found another number");
    REFUSED(WITH(KEYS(KEY("4")), LENGTH("\x06") VALUES), LP_ERR_FORMAT,
            "a key that no tensor names");
    REFUSED(WITH(KEYS("K\x05"), LENGTH("\x06") VALUES), LP_ERR_FORMAT,
            "a key that no tensor names");
    REFUSED(WITH(KEYS(""), ""), LP_ERR_FORMAT, "found another number");
    REFUSED(WITH("\x80\x02N.", LENGTH("\x06") VALUES), LP_ERR_FORMAT, "found no list");
    REFUSED(HEAD DICT(ITEM("w", W)
                          ITEM("v", TENSOR(STORAGE("Float", "6", "K\x01", "N"), "K\0", "", "")))
                KEYS(KEY("5") KEY("5")) LENGTH("\x06") VALUES LENGTH("\x06") VALUES,
            LP_ERR_FORMAT, "the list of storages has a key twice");
}

static void lengths_of_storages_are_checked(void **state) {
    (void)state;
    REFUSED(WITH(KEYS(KEY("5")), LENGTH("\x05") VALUES), LP_ERR_FORMAT,
            "storage 5: expected its length, 6 elements, found another");
    REFUSED(WITH(KEYS(KEY("5")), "\x06\0\0\0\0\0\0\x80" VALUES), LP_ERR_FORMAT,
            "storage 5: expected its length, 6 elements, found another");
    REFUSED(WITH(KEYS(KEY("5")), LENGTH("\x06") VALUES "\0"), LP_ERR_FORMAT,
            "1 bytes behind the last storage");
    REFUSED(WITH(KEYS(KEY("5")), "\x06\0\0"), LP_ERR_FORMAT, "found the end of the file");
    REFUSED(
        HEAD DICT(ITEM("w", TENSOR(STORAGE("Double", "5", HUGE_INT, "N"), "K\0", "K\x01", "K\x01")))
            KEYS(KEY("5")) "\0\0\0\0\0\0\0\x40" VALUES,
        LP_ERR_FORMAT,
        "storage 5: expected 4611686018427387904 elements of 8 bytes, but only 24 bytes are left");
    REFUSED(HEAD DICT(ITEM("w", TENSOR(STORAGE("Double", "5", "J\xff\xff\xff\xff", "N"), "K\0", "",
                                       ""))) KEYS(KEY("5")) LENGTH("\x06") VALUES,
            LP_ERR_FORMAT, "a storage of -1 elements");
    /* One key of two sizes, and of two types of one size. */
    REFUSED(HEAD DICT(ITEM("w", W) ITEM("v", TENSOR(STORAGE("Float", "5", "K\x05", "N"), "K\0", "",
                                                    ""))) KEYS(KEY("5")) LENGTH("\x06") VALUES,
            LP_ERR_FORMAT, "storage 5: two types or sizes");
    REFUSED(HEAD DICT(ITEM("w", W) ITEM("v", TENSOR(STORAGE("Half", "5", "K\x06", "N"), "K\0", "",
                                                    ""))) KEYS(KEY("5")) LENGTH("\x06") VALUES,
            LP_ERR_FORMAT, "storage 5: two types or sizes");
}

static void other_contents_are_refused(void **state) {
    (void)state;
#define REST DICT(ITEM("w", W)) KEYS(KEY("5")) LENGTH("\x06") VALUES
    REFUSED(MAGIC "\x80\x02M\xea\x03." SYSTEM REST, LP_ERR_UNSUPPORTED, "version: expected 1001");
    REFUSED(MAGIC "\x80\x02N." SYSTEM REST, LP_ERR_UNSUPPORTED, "version: expected 1001");
    REFUSED(HEAD "\x80\x02"
                 "cposix\nsystem\n(X\x02\0\0\0lstR." KEYS(""),
            LP_ERR_UNSUPPORTED,
            "the pickle at byte 45: object: byte 2: the global posix.system runs code");
    REFUSED(HEAD DICT("") KEYS(""), LP_ERR_UNSUPPORTED, "no tensors found");
    REFUSED(HEAD "\x80\x02"
                 "ctorchvision.models\nResNet\n)\x81}b." KEYS(""),
            LP_ERR_UNSUPPORTED, "no tensors found");
    /* the class of a pickled module comes with its source: not looked at */
    REFUSED(
        HEAD
        "\x80\x02(X\x06\0\0\0modulecnet\nNet\nX\x04\0\0\0n.pyX\x06\0\0\0import\x74Q)\x81}b." KEYS(
            ""),
        LP_ERR_UNSUPPORTED, "no tensors found");
}

/* Each pickle in the protocol that torch.save was asked for. */
static void each_protocol_is_recognised(void **state) {
    (void)state;
    float values[6];
#define LONG1 "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
    WRITE("\x80\x03" LONG1 "\x80\x03M\xe9\x03.\x80\x03}." REST);
    read_named("w", values);
    WRITE("\x80\x04\x95\x0d\0\0\0\0\0\0\0" LONG1 "\x80\x04\x95\x04\0\0\0\0\0\0\0M\xe9\x03."
          "\x80\x04}." REST);
    read_named("w", values);
    WRITE("\x80\x05\x95\x0d\0\0\0\0\0\0\0" LONG1 "\x80\x05M\xe9\x03.\x80\x05}." REST);
    read_named("w", values);
    WRITE("L119547037146038801333356L\n.M\xe9\x03.}." REST);
    read_named("w", values);
    REFUSED("\x80\x06" LONG1, LP_ERR_UNSUPPORTED, "a pickle that torch.save did not write");
}

static void every_shorter_file_is_refused(void **state) {
    (void)state;
    char *bytes;
    size_t size;
    lp_checkpoint *ckpt;
    assert_ok(lp_file_read(GOLDEN, 1 << 20, &bytes, &size, &err), &err);
    for (size_t length = 15; length < size; length += length < 200 ? 1 : 397) { /* 15: the magic */
        write_bytes(bytes, length);
        assert_fails(lp_checkpoint_open(path, &ckpt, &err), LP_ERR_FORMAT, &err, path);
        assert_null(ckpt);
    }
    write_bytes(bytes, size - 1);
    assert_fails(lp_checkpoint_open(path, &ckpt, &err), LP_ERR_FORMAT, &err, "bytes are left");
    lp_free(bytes);
}

static void damaged_files_stay_bounded(void **state) {
    (void)state;
    static const char whole[] = FILE_OF(W);
    lp_random random;
    size_t refused = 0;
    lp_random_seed(&random, 11);
    for (int round = 0; round < 1000; round++) {
        char bytes[sizeof whole - 1];
        lp_checkpoint *ckpt;
        memcpy(bytes, whole, sizeof bytes);
        for (int i = 0; i < 1 + round % 3; i++) {
            bytes[15 + lp_random_below(&random, sizeof bytes - 15)] =
                (char)lp_random_below(&random, 256);
        }
        write_bytes(bytes, sizeof bytes);
        lp_status status = lp_checkpoint_open(path, &ckpt, &err);
        if (status == LP_OK) {
            for (size_t i = 0; i < lp_checkpoint_count(ckpt); i++) {
                const lp_tensor *tensor = lp_checkpoint_tensor(ckpt, i);
                float *values = lp_alloc(tensor->count, sizeof *values);
                lp_tensor_read read = {tensor, values};
                assert_non_null(values);
                (void)!lp_checkpoint_read(ckpt, &read, 1, 0, &err); /* may find NaN */
                lp_free(values);
            }
        }
        refused += status != LP_OK;
        assert_true(status == LP_OK || status == LP_ERR_FORMAT || status == LP_ERR_UNSUPPORTED);
        lp_checkpoint_close(ckpt);
    }
    assert_true(refused > 300 && refused < 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(storages_are_found_in_the_order_of_their_keys),
        cmocka_unit_test(views_of_storages_are_parts_of_them),
        cmocka_unit_test(the_list_of_storages_must_fit),
        cmocka_unit_test(lengths_of_storages_are_checked),
        cmocka_unit_test(other_contents_are_refused),
        cmocka_unit_test(each_protocol_is_recognised),
        cmocka_unit_test(every_shorter_file_is_refused),
        cmocka_unit_test(damaged_files_stay_bounded),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
