/* TensorFlow's checkpoints: tables that this test writes, damaged and hostile ones by the message
 * they get.  The golden file of google-simclr and tests/parity/test_tensorflow.py are TensorFlow's
 * own. */
#include <unistd.h>

#include "base/crc32c.h"
#include "check.h"
#include "ckpt/sorted_table.h"
#include "linprobe/checkpoint.h"
#include "tensor_checks.h"
#include "test_folder.h"

static lp_error err;

static void checksums_are_those_of_the_standard(void **state) {
    static const unsigned char zeros[32] = {0};
    unsigned char rising[32];
    (void)state;
    for (size_t i = 0; i < sizeof rising; i++) {
        rising[i] = (unsigned char)i;
    }
    assert_int_equal(lp_crc32c(zeros, 32), 0x8a9136aa); /* RFC 3720, B.4 */
    assert_int_equal(lp_crc32c(rising, 32), 0x46dd794e);
    assert_int_equal(lp_crc32c("123456789", 9), 0xe3069283);
    assert_int_equal(lp_crc32c("", 0), 0);
}

/* ---- tables that are written here ------------------------------------------------------------ */

typedef struct text {
    unsigned char bytes[8192];
    size_t size;
} text;

static void put(text *t, const void *bytes, size_t size) {
    assert_true(t->size + size <= sizeof t->bytes);
    memcpy(t->bytes + t->size, bytes, size);
    t->size += size;
}

static void put_varint(text *t, uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
        put(t, &(unsigned char){(unsigned char)(value | 0x80)}, 1);
    }
    put(t, &(unsigned char){(unsigned char)value}, 1);
}

static void put32(text *t, uint32_t value) {
    const unsigned char bytes[] = {(unsigned char)value, (unsigned char)(value >> 8),
                                   (unsigned char)(value >> 16), (unsigned char)(value >> 24)};
    put(t, bytes, 4);
}

/* An entry whose key shares so many bytes with the one before. */
static void put_entry(text *block, const char *key, size_t shared, const void *value, size_t size) {
    put_varint(block, shared);
    put_varint(block, strlen(key) - shared);
    put_varint(block, size);
    put(block, key + shared, strlen(key) - shared);
    put(block, value, size);
}

/* Puts a block behind the table, and where it is into *place. */
static void put_block(text *table, const text *block, unsigned char compression, text *place) {
    text whole = *block;
    put32(&whole, 0);
    put32(&whole, 1); /* one key stands whole: the first */
    place->size = 0;
    put_varint(place, table->size);
    put_varint(place, whole.size);
    put(&whole, &compression, 1);
    put(table, whole.bytes, whole.size);
    put32(table, lp_masked_crc((lp_bytes){whole.bytes, whole.size}));
}

static void put_footer(text *table, const text *index) {
    static const unsigned char magic[] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};
    text footer = {.size = 0}, place;
    put_block(table, &(text){.size = 0}, 0, &footer);
    put_block(table, index, 0, &place);
    put(&footer, place.bytes, place.size);
    memset(footer.bytes + footer.size, 0, 40 - footer.size);
    footer.size = 40;
    put(&footer, magic, sizeof magic);
    put(table, footer.bytes, footer.size);
}

/* A description of a variable: its fields, as the protocol buffer has them. */
typedef struct variable {
    uint64_t type, rank, shape[12], file, offset, size;
    bool sliced;
    const float *values; /* for its checksum */
} variable;

static text described(const variable *v) {
    text t = {.size = 0}, shape = {.size = 0};
    for (size_t i = 0; i < v->rank; i++) {
        text axis = {.size = 0};
        put_varint(&axis, 1 << 3);
        put_varint(&axis, v->shape[i]);
        put_varint(&shape, 2 << 3 | 2);
        put_varint(&shape, axis.size);
        put(&shape, axis.bytes, axis.size);
    }
    const uint64_t numbers[][2] = {{1, v->type}, {3, v->file}, {4, v->offset}, {5, v->size}};
    for (size_t i = 0; i < 4; i++) {
        put_varint(&t, numbers[i][0] << 3);
        put_varint(&t, numbers[i][1]);
    }
    put_varint(&t, 2 << 3 | 2);
    put_varint(&t, shape.size);
    put(&t, shape.bytes, shape.size);
    put_varint(&t, 6 << 3 | 5);
    put32(&t, v->values == NULL
                  ? 0
                  : lp_masked_crc((lp_bytes){(const unsigned char *)v->values, v->size}));
    if (v->sliced) {
        put_varint(&t, 7 << 3 | 2);
        put_varint(&t, 0);
    }
    return t;
}

enum { FLOAT = 1, TEXT = 7 };
static const float six[] = {1, -2, 3, -4, 5, -6};
static const char two_files[] = {1 << 3, 2}, one_file[] = {1 << 3, 1};
static const variable small = {.type = FLOAT, .rank = 1, .shape = {6}, .size = 24, .values = six};

/* A table with one block. */
static text table_with(const text *block, unsigned char compression) {
    text table = {.size = 0}, index = {.size = 0}, place;
    put_block(&table, block, compression, &place);
    put_entry(&index, "z", 0, place.bytes, place.size);
    put_footer(&table, &index);
    return table;
}

/* The same: a header, and a variable under this name. */
static text table_of(const void *header, size_t header_size, const char *name, const variable *v) {
    text block = {.size = 0}, value = described(v);
    put_entry(&block, "", 0, header, header_size);
    put_entry(&block, name, 0, value.bytes, value.size);
    return table_with(&block, 0);
}

#define INDEX "model.ckpt-1.index"

static void write_index(const text *table) {
    put_file(INDEX, table->bytes, table->size);
}

static void write_block(const text *block, unsigned char compression) {
    text table = table_with(block, compression);
    write_index(&table);
}

static void write_one(const char *name, const variable *v) {
    text table = table_of(one_file, sizeof one_file, name, v);
    write_index(&table);
    put_file("model.ckpt-1.data-00000-of-00001", six, sizeof six);
}

static void assert_refused(lp_status status, const char *part) {
    lp_checkpoint *ckpt;
    assert_fails(lp_checkpoint_open(in_folder(INDEX), &ckpt, &err), status, &err, part);
    assert_null(ckpt);
    assert_non_null(strstr(err.text, in_folder("model.ckpt-1")));
}

#define FORMAT "TensorFlow checkpoint"
#define SHAPE(...) ((const size_t[]){__VA_ARGS__})

/* ---- what is read ---------------------------------------------------------------------------- */

static void kernels_are_shown_as_pytorch_has_them(void **state) {
    (void)state;
    write_one("a/kernel",
              &(variable){.type = FLOAT, .rank = 2, .shape = {2, 3}, .size = 24, .values = six});
    assert_tensor(in_folder(INDEX), FORMAT, "a.kernel", 2, SHAPE(3, 2),
                  (const float[]){1, -4, -2, 5, 3, -6});
    write_one("a/gamma",
              &(variable){.type = FLOAT, .rank = 2, .shape = {2, 3}, .size = 24, .values = six});
    assert_tensor(in_folder(INDEX), FORMAT, "a.gamma", 2, SHAPE(2, 3), six);
    write_one("scalar", &(variable){.type = FLOAT, .offset = 4, .size = 4, .values = six + 1});
    assert_tensor(in_folder(INDEX), FORMAT, "scalar", 0, SHAPE(1), six + 1);
}

/* Keys that share their beginning, in two blocks; values in two files. */
static void several_blocks_and_files(void **state) {
    const variable
        first = {.type = FLOAT, .rank = 1, .shape = {2}, .size = 8, .values = six + 2, .offset = 8},
        second = {.type = FLOAT, .rank = 1, .shape = {3}, .size = 12, .file = 1, .values = six};
    text table = {.size = 0}, block = {.size = 0}, index = {.size = 0}, place, value;
    (void)state;
    put_entry(&block, "", 0, two_files, sizeof two_files);
    value = described(&first);
    put_entry(&block, "net/one", 0, value.bytes, value.size);
    value = described(&second);
    put_entry(&block, "net/over", 5, value.bytes, value.size);
    put_block(&table, &block, 0, &place);
    put_entry(&index, "net/p", 0, place.bytes, place.size);
    block.size = 0;
    put_entry(&block, "net/zero", 0, value.bytes, value.size);
    put_block(&table, &block, 0, &place);
    put_entry(&index, "net/z", 4, place.bytes, place.size);
    put_footer(&table, &index);
    write_index(&table);
    put_file("model.ckpt-1.data-00000-of-00002", six, sizeof six);
    put_file("model.ckpt-1.data-00001-of-00002", six, 12);
    assert_tensor(in_folder(INDEX), FORMAT, "net.one", 1, SHAPE(2), six + 2);
    assert_tensor(in_folder(INDEX), FORMAT, "net.over", 1, SHAPE(3), six);
    assert_tensor(in_folder(INDEX), FORMAT, "net.zero", 1, SHAPE(3), six);
    lp_checkpoint *ckpt;
    const char *before, *after;
    char hex[65];
    assert_ok(lp_checkpoint_open(in_folder(INDEX), &ckpt, &err), &err);
    assert_int_equal(lp_checkpoint_files(ckpt), 2);
    assert_ok(lp_checkpoint_sha256(ckpt, &before, &err), &err);
    (void)snprintf(hex, sizeof hex, "%s", before);
    lp_checkpoint_close(ckpt);
    put_file("model.ckpt-1.data-00001-of-00002", six + 1, 12);
    assert_ok(lp_checkpoint_open(in_folder(INDEX), &ckpt, &err), &err);
    assert_ok(lp_checkpoint_sha256(ckpt, &after, &err), &err);
    assert_string_not_equal(hex, after); /* it is of the values, too */
    lp_checkpoint_close(ckpt);
    assert_int_equal(unlink(in_folder("model.ckpt-1.data-00001-of-00002")), 0);
    assert_refused(LP_ERR_IO, "model.ckpt-1.data-00001-of-00002: cannot be opened");
}

static void other_types_are_listed_but_not_read(void **state) {
    float found[6];
    (void)state;
    const struct {
        variable v;
        const char *type;
    } cases[] = {{{.type = TEXT, .size = 24}, "text"},
                 {{.type = 99, .size = 24}, "another type"},
                 {{.type = FLOAT, .rank = 1, .shape = {6}, .sliced = true}, "sliced variable"},
                 {{.type = FLOAT, .rank = 9, .shape = {1, 1, 1, 1, 1, 1, 1, 1, 6}, .size = 24},
                  "another shape"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lp_checkpoint *ckpt;
        write_one("a", &cases[i].v);
        assert_ok(lp_checkpoint_open(in_folder(INDEX), &ckpt, &err), &err);
        const lp_tensor *t = lp_checkpoint_find(ckpt, "a");
        assert_non_null(t);
        assert_string_equal(t->dtype_name, cases[i].type);
        assert_fails(lp_checkpoint_read(ckpt, &(lp_tensor_read){t, found}, 1, 1, &err),
                     LP_ERR_UNSUPPORTED, &err, cases[i].type);
        lp_checkpoint_close(ckpt);
    }
}

/* TensorFlow 2 writes more behind a name; slices have keys that begin with a zero byte. */
static void names_are_those_of_variables(void **state) {
    text block = {.size = 0};
    const text value = described(&small);
    (void)state;
    put_entry(&block, "", 0, one_file, sizeof one_file);
    put_varint(&block, 0);
    put_varint(&block, 3);
    put_varint(&block, value.size);
    put(&block, "\0a\1", 3);
    put(&block, value.bytes, value.size);
    put_entry(&block, "net/one/.ATTRIBUTES/VARIABLE_VALUE", 0, value.bytes, value.size);
    write_block(&block, 0);
    put_file("model.ckpt-1.data-00000-of-00001", six, sizeof six);
    assert_tensor(in_folder(INDEX), FORMAT, "net.one", 1, SHAPE(6), six);
    lp_checkpoint *ckpt;
    assert_ok(lp_checkpoint_open(in_folder(INDEX), &ckpt, &err), &err);
    assert_int_equal(lp_checkpoint_count(ckpt), 1);
    lp_checkpoint_close(ckpt);
}

static void a_folder_is_its_index(void **state) {
    static const char list[] = "model_checkpoint_path: \"model.ckpt-1\"\n";
    lp_checkpoint *ckpt;
    (void)state;
    write_one("a", &small);
    assert_tensor(test_folder, FORMAT, "a", 1, SHAPE(6), six);
    put_file("other.index", "", 0);
    assert_fails(lp_checkpoint_open(test_folder, &ckpt, &err), LP_ERR_FORMAT, &err,
                 "2 files of weights, among them model.ckpt-1.index and other.index; name one");
    assert_int_equal(unlink(in_folder("other.index")), 0);
    text table = table_of(one_file, sizeof one_file, "a", &small);
    put_file("saved/variables/variables.index", table.bytes, table.size);
    put_file("saved/variables/variables.data-00000-of-00001", six, sizeof six);
    assert_tensor(in_folder("saved"), FORMAT, "a", 1, SHAPE(6), six);
    put_file("checkpoint", list, sizeof list - 1);
    assert_fails(lp_checkpoint_open(in_folder("checkpoint"), &ckpt, &err), LP_ERR_UNSUPPORTED, &err,
                 "expected the .index file of one");
    assert_fails(lp_checkpoint_open(in_folder("model.ckpt-1.data-00000-of-00001"), &ckpt, &err),
                 LP_ERR_UNSUPPORTED, &err, "expected the .index file beside");
}

/* ---- what is refused ------------------------------------------------------------------------- */

static void damaged_values_are_refused(void **state) {
    lp_checkpoint *ckpt;
    float found[6], damaged[6];
    (void)state;
    write_one("a", &small);
    memcpy(damaged, six, sizeof six);
    damaged[3] = 4;
    put_file("model.ckpt-1.data-00000-of-00001", damaged, sizeof damaged);
    assert_ok(lp_checkpoint_open(in_folder(INDEX), &ckpt, &err), &err);
    const lp_tensor *t = lp_checkpoint_find(ckpt, "a");
    assert_fails(lp_checkpoint_read(ckpt, &(lp_tensor_read){t, found}, 1, 1, &err), LP_ERR_FORMAT,
                 &err,
                 "model.ckpt-1.data-00000-of-00001: tensor a: 24 bytes from byte 0 on: checksum");
    lp_checkpoint_close(ckpt);
    put_file("model.ckpt-1.data-00000-of-00001", six, 20);
    assert_refused(LP_ERR_FORMAT,
                   "variable a: 24 bytes from byte 0 on, but the file has 20: it is truncated");
}

/* Every byte of a table, and every length. */
static void damaged_tables_are_refused(void **state) {
    size_t kept = 0;
    (void)state;
    write_one("a", &small);
    text good = table_of(one_file, sizeof one_file, "a", &small);
    for (size_t i = 0; i < good.size; i++) {
        lp_checkpoint *ckpt;
        text bad = good;
        bad.bytes[i] ^= 0x55;
        put_file("bad.index", bad.bytes, bad.size);
        put_file("bad.data-00000-of-00001", six, sizeof six);
        if (lp_checkpoint_open(in_folder("bad.index"), &ckpt, &err) == LP_OK) {
            lp_checkpoint_close(ckpt);
            assert_tensor(in_folder("bad.index"), FORMAT, "a", 1, SHAPE(6), six);
            kept++;
        }
        put_file("bad.index", good.bytes, i);
        assert_fails(lp_checkpoint_open(in_folder("bad.index"), &ckpt, &err), LP_ERR_FORMAT, &err,
                     i > 0 ? "does not end as one: it is truncated" : "the file is empty");
    }
    /* another index of 13 bytes is not used, nor its place (2) and the footer's zeros (36) */
    assert_int_equal(kept, 13 + 2 + 36);
    assert_int_equal(unlink(in_folder("bad.index")), 0);
    assert_int_equal(unlink(in_folder("bad.data-00000-of-00001")), 0);
}

static void what_a_description_cannot_say(void **state) {
    (void)state;
    const struct {
        variable v;
        lp_status status;
        const char *part;
    } cases[] = {
        {{.type = FLOAT, .rank = 1, .shape = {6}, .size = 20}, LP_ERR_FORMAT, "beyond the 20"},
        {{.type = FLOAT, .rank = 1, .shape = {4}, .size = 24}, LP_ERR_FORMAT, "24 bytes, expected"},
        {{.type = FLOAT, .rank = 1, .shape = {6}, .size = 24, .offset = 1},
         LP_ERR_FORMAT,
         "24 bytes from byte 1 on, but the file has 24"},
        {{.type = FLOAT, .rank = 1, .shape = {6}, .size = 24, .offset = UINT64_MAX},
         LP_ERR_FORMAT,
         "truncated, or of another"},
        {{.type = FLOAT, .rank = 1, .shape = {6}, .size = 24, .file = 1},
         LP_ERR_FORMAT,
         "in file 1, expected 0 to 0"},
        {{.type = FLOAT, .rank = 2, .shape = {UINT64_MAX, 2}, .size = 24}, LP_ERR_FORMAT, "a"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_one("a", &cases[i].v);
        assert_refused(cases[i].status, cases[i].part);
    }
    char name[601] = "";
    memset(name, 'a', 600);
    write_one(name, &small);
    assert_refused(LP_ERR_FORMAT, "600 characters");
    write_one("a\n", &small);
    assert_refused(LP_ERR_FORMAT, "control character");
}

static void what_a_header_cannot_say(void **state) {
    (void)state;
    static const char none[] = {1 << 3, 0}, big[] = {1 << 3, 1, 2 << 3, 1},
                      older[] = {1 << 3 | 2, 1, 0}, later[] = {1 << 3, 1, 3 << 3 | 2, 2, 2 << 3, 2},
                      many[] = {1 << 3, (char)0xff, (char)0xff, 0x7f};
    const struct {
        const char *bytes;
        size_t size;
        lp_status status;
        const char *part;
    } cases[] = {{none, sizeof none, LP_ERR_FORMAT, "0 files of values"},
                 {many, sizeof many, LP_ERR_FORMAT, "files of values, expected 1 to"},
                 {big, sizeof big, LP_ERR_UNSUPPORTED, "big-endian"},
                 {older, sizeof older, LP_ERR_UNSUPPORTED, "of the format before 2016"},
                 {later, sizeof later, LP_ERR_UNSUPPORTED, "a later format than version 1"},
                 {"\x0b", 1, LP_ERR_UNSUPPORTED, "of the format before 2016"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        text table = table_of(cases[i].bytes, cases[i].size, "a", &small);
        write_index(&table);
        assert_refused(cases[i].status, cases[i].part);
    }
    text table = table_of(one_file, sizeof one_file, "a", &small);
    lp_checkpoint *ckpt;
    put_file("model.table", table.bytes, table.size);
    assert_fails(lp_checkpoint_open(in_folder("model.table"), &ckpt, &err), LP_ERR_ARGUMENT, &err,
                 "expected a name that ends with .index");
    assert_int_equal(unlink(in_folder("model.table")), 0);
}

static void what_a_table_cannot_be(void **state) {
    text value = described(&small), block = {.size = 0}, index = {.size = 0}, place,
         table = {.size = 0};
    char key[LP_KEY_MAX + 2] = "";
    (void)state;
    put_file("model.ckpt-1.data-00000-of-00001", six, sizeof six);

    put_entry(&block, "", 0, one_file, sizeof one_file);
    write_block(&block, 1);
    assert_refused(LP_ERR_UNSUPPORTED, "a compressed table");

    memset(key, 'k', 512);
    put_entry(&block, key, 0, value.bytes, value.size);
    put_block(&table, &block, 0, &place);
    for (int i = 0; i < 2; i++) { /* one block, twice */
        put_entry(&index, i == 0 ? "y" : "z", 0, place.bytes, place.size);
    }
    put_footer(&table, &index);
    write_index(&table);
    assert_refused(LP_ERR_FORMAT, "a block at byte 0, expected one behind the last");

    block.size = 0; /* no header */
    put_entry(&block, "a", 0, value.bytes, value.size);
    write_block(&block, 0);
    assert_refused(LP_ERR_UNSUPPORTED, "not of a TensorFlow checkpoint");

    table.size = 0, index.size = 0; /* no entry at all */
    put_footer(&table, &index);
    write_index(&table);
    assert_refused(LP_ERR_UNSUPPORTED, "not of a TensorFlow checkpoint");

    static const char *const seconds[] = {"", "a", "Z"}; /* behind "a" */
    for (size_t i = 0; i < 3; i++) {
        block.size = 0;
        put_entry(&block, "", 0, one_file, sizeof one_file);
        put_entry(&block, "a", 0, value.bytes, value.size);
        put_entry(&block, seconds[i], 0, value.bytes, value.size);
        write_block(&block, 0);
        assert_refused(LP_ERR_FORMAT, "behind the key \"a\": a key that is not greater");
    }

    block.size = 0; /* long keys of a few bytes each */
    put_entry(&block, "", 0, one_file, sizeof one_file);
    memset(key, 'k', 500);
    key[500] = '\0';
    put_entry(&block, key, 0, value.bytes, value.size);
    for (int c = 'a'; c <= 'z'; c++) {
        key[499] = (char)c;
        key[500] = '\0';
        if (c > 'k') {
            put_entry(&block, key, 499, value.bytes, 0);
        }
        for (int d = 'a'; c > 'k' && d <= 'z'; d++) {
            key[500] = (char)d;
            key[501] = '\0';
            put_entry(&block, key, 500, value.bytes, 0);
        }
    }
    write_block(&block, 0);
    assert_refused(LP_ERR_FORMAT, "keys of more than 16 times the file's");

    block.size = 0;
    memset(key, 'k', LP_KEY_MAX + 1);
    key[LP_KEY_MAX + 1] = '\0';
    put_entry(&block, key, 0, value.bytes, value.size);
    write_block(&block, 0);
    assert_refused(LP_ERR_UNSUPPORTED, "a key of 2049 bytes");

    block.size = 0;
    put_entry(&block, "", 0, one_file, sizeof one_file);
    put_varint(&block, 3); /* shares three bytes with "" */
    put_varint(&block, 1);
    put_varint(&block, 0);
    put(&block, "a", 1);
    write_block(&block, 0);
    assert_refused(LP_ERR_FORMAT, "a damaged entry");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums_are_those_of_the_standard),
        cmocka_unit_test(kernels_are_shown_as_pytorch_has_them),
        cmocka_unit_test(several_blocks_and_files),
        cmocka_unit_test(other_types_are_listed_but_not_read),
        cmocka_unit_test(names_are_those_of_variables),
        cmocka_unit_test(a_folder_is_its_index),
        cmocka_unit_test(damaged_values_are_refused),
        cmocka_unit_test(damaged_tables_are_refused),
        cmocka_unit_test(what_a_description_cannot_say),
        cmocka_unit_test(what_a_header_cannot_say),
        cmocka_unit_test(what_a_table_cannot_be),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
