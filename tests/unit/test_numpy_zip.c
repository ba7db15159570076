/* Weights as NumPy's archives of arrays: what is listed, the views of kernels value for value, and
 * damaged or hostile archives by the message they get. */
#include "base/alloc.h"
#include "base/npy.h"
#include "tensor_checks.h"
#include "torch_file.h"

enum { MOST = 64 };

/* A member's bytes: header, then so many float32 0, 1, 2, ... */
typedef struct npy_bytes {
    unsigned char bytes[512];
    size_t size;
} npy_bytes;

static zip_member put(npy_bytes *to, const char *member, const char *descr, const char *order,
                      const char *shape, size_t bytes) {
    char dictionary[119];
    memset(to->bytes, 0, sizeof to->bytes);
    memcpy(to->bytes, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(to->bytes + 10, ' ', 118);
    int used = snprintf(dictionary, sizeof dictionary,
                        "{'descr': '%s', 'fortran_order': %s, 'shape': %s}", descr, order, shape);
    memcpy(to->bytes + 10, dictionary, (size_t)used);
    for (size_t i = 0; i < bytes / 4; i++) {
        float value = (float)i;
        memcpy(to->bytes + 128 + 4 * i, &value, 4);
    }
    to->size = 128 + bytes;
    return (zip_member){member, (const char *)to->bytes, to->size};
}

static void write_one(const char *member, const char *descr, const char *order, const char *shape,
                      size_t bytes) {
    npy_bytes array;
    const zip_member members[] = {put(&array, member, descr, order, shape, bytes)};
    write_zip(file, members, 1, false);
}

/* The one array of a file: shape and values. */
static void assert_shown(const char *name, size_t rank, const size_t *shape, const float *values) {
    assert_tensor(file, "NumPy arrays (.npz)", name, rank, shape, values);
}

/* Of an array of these sizes in C's or Fortran's order, the value at (i, j, k, l). */
static float at(const size_t n[4], bool fortran, const size_t i[4]) {
    size_t c = ((i[0] * n[1] + i[1]) * n[2] + i[2]) * n[3] + i[3];
    size_t f = i[0] + n[0] * (i[1] + n[1] * (i[2] + n[2] * i[3]));
    return (float)(fortran ? f : c);
}

static void kernels_are_shown_as_weights(void **state) {
    (void)state;
    for (int fortran = 0; fortran < 2; fortran++) {
        static const size_t n[] = {2, 3, 4, 2}; /* high, wide, in, out */
        float values[MOST];
        size_t used = 0;
        for (size_t o = 0; o < 2; o++) {
            for (size_t c = 0; c < 4; c++) {
                for (size_t place = 0; place < 6; place++) {
                    const size_t i[] = {place / 3, place % 3, c, o};
                    values[used++] = at(n, fortran != 0, i);
                }
            }
        }
        write_one("a/b/kernel.npy", "<f4", fortran != 0 ? "True" : "False", "(2, 3, 4, 2)", 192);
        assert_shown("a.b.kernel", 4, (const size_t[]){2, 4, 2, 3}, values);
        for (size_t i = 0; i < 6; i++) { /* [3, 2] -> [2, 3] */
            const size_t sizes[] = {3, 2, 1, 1}, place[] = {i % 3, i / 3, 0, 0};
            values[i] = at(sizes, fortran != 0, place);
        }
        write_one("kernel.npy", "<f4", fortran != 0 ? "True" : "False", "(3, 2)", 24);
        assert_shown("kernel", 2, (const size_t[]){2, 3}, values);
    }
    static const float query[] = {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11};
    write_one("query/kernel.npy", "<f4", "False", "(2, 3, 2)", 48); /* in, heads, width */
    assert_shown("query.kernel", 2, (const size_t[]){6, 2}, query);
    static const float out[] = {0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11};
    write_one("out/kernel.npy", "<f4", "False", "(2, 3, 2)", 48); /* heads, width, out */
    assert_shown("out.kernel", 2, (const size_t[]){2, 6}, out);
    write_one("query/bias.npy", "<f4", "False", "(2, 2)", 16);
    assert_shown("query.bias", 1, (const size_t[]){4}, (const float[]){0, 1, 2, 3});
    write_one("a/w.npy", "<f4", "False", "(2, 2)", 16); /* Haiku's names are those of others, too */
    assert_shown("a.w", 2, (const size_t[]){2, 2}, (const float[]){0, 1, 2, 3});
    write_one("a/scale.npy", "<f4", "False", "(1, 2)", 8);
    assert_shown("a.scale", 2, (const size_t[]){1, 2}, (const float[]){0, 1});
    write_one("about/kernels.npy", "<f4", "False", "(2, 2)", 16); /* another name */
    assert_shown("about.kernels", 2, (const size_t[]){2, 2}, (const float[]){0, 1, 2, 3});
    write_one("x.npy", "<f4", "True", "(2, 2)", 16);
    assert_shown("x", 2, (const size_t[]){2, 2}, (const float[]){0, 2, 1, 3});
}

static void what_cannot_be_read_is_listed(void **state) {
    (void)state;
    static const struct {
        const char *descr, *name;
    } others[] = {{">f4", "big-endian numbers"}, {"<U1", "text"}, {"<u4", "another type"}};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        float value;
        lp_checkpoint *ckpt;
        write_one("x.npy", others[i].descr, "False", "(1,)", 4);
        assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
        assert_string_equal(lp_checkpoint_tensor(ckpt, 0)->dtype_name, others[i].name);
        lp_tensor_read read = {lp_checkpoint_tensor(ckpt, 0), &value};
        assert_fails(lp_checkpoint_read(ckpt, &read, 1, 0, &err), LP_ERR_UNSUPPORTED, &err,
                     others[i].name);
        lp_checkpoint_close(ckpt);
    }
}

static void unusable_archives_are_refused(void **state) {
    (void)state;
    static char zeros[1 << 20];
    npy_bytes array, other;
    write_one("x.npy", "<f4", "False", "(3,)", 8);
    REFUSED(LP_ERR_FORMAT, "x.npy: expected 3 elements of 4 bytes");
    write_one("x.npy", "<f4", "False", "(4294967296, 4294967296)", 8);
    REFUSED(LP_ERR_FORMAT, "x.npy: .npy header: expected a shape that fits in memory");
    write_one("x.npy", "|V2", "False", "(4,)", 8);
    REFUSED(LP_ERR_FORMAT, "x.npy: .npy header: expected descr to be one of");
    write_one(".npy", "<f4", "False", "(2,)", 8);
    REFUSED(LP_ERR_FORMAT, "a zip archive without data.pkl and without arrays of NumPy");
    write_one("\x01.npy", "<f4", "False", "(2,)", 8);
    REFUSED(LP_ERR_FORMAT, "control character");
    WRITE(MEMBER("x.npy", "no array"));
    REFUSED(LP_ERR_FORMAT, "x.npy: not a .npy file");
    WRITE(MEMBER("x.npy", "\x93NUMPY\x02\x00\xff\xff\x00\x00"));
    REFUSED(LP_ERR_FORMAT, "x.npy: .npy header: expected at most 4096 bytes");

    const zip_member twice[] = {put(&array, "a/b.npy", "<f4", "False", "(2,)", 8),
                                put(&other, "a.b.npy", "<f4", "False", "(2,)", 8)};
    write_zip(file, twice, 2, false);
    REFUSED(LP_ERR_FORMAT, "tensor a.b stands twice");

    /* an array that deflate shrinks more than 16 times */
    zip_member large = put(&array, "x.npy", "<f4", "False", "(262112,)", 0);
    memcpy(zeros, large.bytes, 128);
    large.bytes = zeros;
    large.size = 128 + 4 * 262112;
    write_zip(file, &large, 1, true);
    REFUSED(LP_ERR_FORMAT, "more than 16 times the file's");
}

static void a_pickle_makes_it_a_file_of_pytorch(void **state) {
    (void)state;
    npy_bytes array;
    lp_checkpoint *ckpt;
    const zip_member members[] = {put(&array, "model/extra/x.npy", "<f4", "False", "(2,)", 8),
                                  MEMBER("model/data.pkl", DICT(ITEM(W, ONE))),
                                  MEMBER("model/data/0", F32_6)};
    write_zip(file, members, 3, false);
    assert_ok(lp_checkpoint_open(file, &ckpt, &err), &err);
    assert_int_equal(lp_checkpoint_count(ckpt), 1);
    assert_string_equal(lp_checkpoint_format(ckpt), "PyTorch state dict (zip)");
    lp_checkpoint_close(ckpt);
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    lp_status status = LP_ERR_MEMORY;
    size_t k = 1;
    write_one("a/kernel.npy", "<f4", "False", "(3, 2)", 24);
    for (; status != LP_OK; k++) {
        lp_checkpoint *ckpt;
        float values[6];
        (void)lp_alloc_fail_at(k);
        status = lp_checkpoint_open(file, &ckpt, &err);
        if (status == LP_OK) {
            lp_tensor_read read = {lp_checkpoint_tensor(ckpt, 0), values};
            status = lp_checkpoint_read(ckpt, &read, 1, 0, &err);
        }
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
        lp_checkpoint_close(ckpt);
    }
    assert_true(k > 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_are_shown_as_weights),
        cmocka_unit_test(what_cannot_be_read_is_listed),
        cmocka_unit_test(unusable_archives_are_refused),
        cmocka_unit_test(a_pickle_makes_it_a_file_of_pytorch),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
