/* Feature sets of other programs: PyTorch's and safetensors files, libsvm text; what is refused.
 * tests/parity/test_features.py has files that those programs wrote. */
#include "base/alloc.h"
#include "base/file.h"
#include "linprobe/features.h"
#include "torch_file.h"

static void put(const char *name, const void *bytes, size_t size) {
    assert_ok(lp_make_parents(in_folder(name), &err), &err);
    assert_ok(lp_file_write(in_folder(name), bytes, size, &err), &err);
}

static void put_text(const char *name, const char *text) {
    put(name, text, strlen(text));
}

/* A safetensors file: a header, and six float32, 1 to 6, behind it. */
static void put_safetensors(const char *name, const char *header) {
    char bytes[1024];
    size_t length = strlen(header);
    assert_true(length < 256);
    memset(bytes, 0, 8);
    bytes[0] = (char)length;
    memcpy(bytes + 8, header, length);
    memcpy(bytes + 8 + length, F32_6, 24);
    put(name, bytes, 8 + length + 24);
}

/* "x x ... : label, ..." of each row. */
static void assert_set(const char *name, const char *expected) {
    char found[256] = "";
    lp_features *f;
    assert_ok(lp_features_open(in_folder(name), &f, &err), &err);
    for (size_t i = 0; i < f->count; i++) {
        for (size_t j = 0; j < f->width; j++) {
            size_t used = strlen(found);
            (void)snprintf(found + used, sizeof found - used, "%g ",
                           (double)f->x[i * f->width + j]);
        }
        size_t used = strlen(found);
        (void)snprintf(found + used, sizeof found - used, ": %d%s", (int)f->labels[i],
                       i + 1 < f->count ? ", " : "");
    }
    assert_string_equal(found, expected);
    assert_int_equal(strlen(f->digest), 64);
    lp_features_close(f);
}

static void assert_refused(const char *name, lp_status status, const char *part) {
    lp_features *f;
    assert_fails(lp_features_open(in_folder(name), &f, &err), status, &err, part);
    assert_null(f);
}

#define FEATURES "\x08\0\0\0features"
#define LABELS "\x06\0\0\0labels"
#define X_TENSOR TENSOR(STORAGE("Float", "K\x06"), "K\0", "K\2K\2", "K\2K\1")
#define Y_TENSOR TENSOR(STORAGE("Float", "K\x06"), "K\0", "K\2", "K\1")

static void tensors_of_pytorch(void **state) {
    (void)state;
    WRITE(MEMBER("m/data.pkl", DICT(ITEM(FEATURES, X_TENSOR) ITEM(LABELS, Y_TENSOR))),
          MEMBER("m/data/0", F32_6));
    assert_set("model.pt", "1 2 : 1, 3 4 : 2");
    assert_ok(lp_make_folders(in_folder("pair"), &err), &err);
    WRITE(MEMBER("m/data.pkl", PROTO X_TENSOR "."), MEMBER("m/data/0", F32_6));
    assert_refused("model.pt", LP_ERR_FORMAT,
                   "model.pt: expected a tensor 'features', found only 'tensor': a tensor alone "
                   "lies in a folder, as features.pt beside labels.pt");
    assert_int_equal(rename(file, in_folder("pair/features.pt")), 0);
    assert_refused("pair", LP_ERR_IO, "pair/labels.npy: cannot be opened");
    WRITE(MEMBER("m/data.pkl", PROTO Y_TENSOR "."), MEMBER("m/data/0", F32_6));
    assert_int_equal(rename(file, in_folder("pair/labels.pt")), 0);
    assert_set("pair", "1 2 : 1, 3 4 : 2");
    put_text("pair/labels.safetensors", "which of the two?");
    assert_refused("pair", LP_ERR_FORMAT,
                   "pair: expected one file of labels, found labels.pt and labels.safetensors");
    assert_int_equal(remove(in_folder("pair/labels.safetensors")), 0);
    put_text("pair/meta.json", "{\"data\": {\"classes\": 2}}");
    assert_refused("pair", LP_ERR_DATA,
                   "labels.pt: tensor: row 1: expected a label from 0 to 1, found 2");
    WRITE(MEMBER("m/data.pkl", DICT(ITEM(FEATURES, X_TENSOR) ITEM(W, Y_TENSOR))),
          MEMBER("m/data/0", F32_6));
    assert_refused("model.pt", LP_ERR_FORMAT,
                   "expected a tensor 'labels', found others, the first of them 'features'");
}

static void tensors_of_safetensors(void **state) {
    (void)state;
    put_safetensors("set.safetensors",
                    "{\"features\": {\"dtype\": \"F32\", \"shape\": [2, 2], \"data_offsets\": [0, "
                    "16]}, \"labels\": {\"dtype\": \"I32\", \"shape\": [2], \"data_offsets\": [16, "
                    "24]}}");
    assert_refused("set.safetensors", LP_ERR_DATA, "row 0: expected a label from 0 to 1048575");
    put_safetensors("set.safetensors",
                    "{\"features\": {\"dtype\": \"F32\", \"shape\": [2, 2], \"data_offsets\": [8, "
                    "24]}, \"labels\": {\"dtype\": \"F32\", \"shape\": [2, 1], \"data_offsets\": "
                    "[0, 8]}}");
    assert_set("set.safetensors", "3 4 : 1, 5 6 : 2");
    put_safetensors("one.safetensors", "{\"features\": {\"dtype\": \"F32\", \"shape\": [1, 2, 3], "
                                       "\"data_offsets\": [0, 24]}}");
    assert_refused("one.safetensors", LP_ERR_FORMAT,
                   "tensor 'features': expected [N, F] or labels [N], found rank 3");
    put_safetensors("one.safetensors",
                    "{\"features\": {\"dtype\": \"F32\", \"shape\": [3, 2], "
                    "\"data_offsets\": [0, 24]}, \"labels\": {\"dtype\": \"F32\", \"shape\": [0], "
                    "\"data_offsets\": [24, 24]}}");
    assert_refused("one.safetensors", LP_ERR_FORMAT, "tensor 'labels' is empty");
    put_text("pair2/features.safetensors", "\3\0\0\0\0\0\0\0{}");
    assert_refused("pair2", LP_ERR_FORMAT, "features.safetensors");
}

static void libsvm_text(void **state) {
    (void)state;
    put_text("a.svm", "# two classes\n+1 1:0.5 3:-2e-1\n-1 2:3  # a comment\r\n\n1\n");
    assert_set("a.svm", "0.5 0 -0.2 : 1, 0 3 0 : 0, 0 0 0 : 1");
    put_text("zero.svm", "2.0 0:1 2:3\n0 1:2");
    assert_set("zero.svm", "1 0 3 : 2, 0 2 0 : 0");
    static const struct {
        const char *text, *message;
        lp_status status;
    } wrong[] = {
        {"1 1:2\ncat 1:3\n", "a.svm:2: expected a number as label, as libsvm text has, found 'cat'",
         LP_ERR_FORMAT},
        {"1 2:2 1:3\n", "a.svm:1: expected INDEX:VALUE with an index of 3 or more, found '1:...'",
         LP_ERR_FORMAT},
        {"1 2:2 2:3\n", "an index of 3 or more", LP_ERR_FORMAT},
        {"1 0.5 0.25\n", "expected INDEX:VALUE with an index of 0 or more, found '0.5'",
         LP_ERR_FORMAT},
        {"1 -1:2\n", "found '-1:...'", LP_ERR_FORMAT},
        {"1 1:nan\n", "a.svm:1: expected a finite value of a feature, found 'nan'", LP_ERR_FORMAT},
        {"1 1:1e39\n", "expected a finite value of a feature, found '1e39'", LP_ERR_FORMAT},
        {"1 1:2\n3 qid:7 1:2\n", "a.svm:2: expected features of a classification, without qid",
         LP_ERR_UNSUPPORTED},
        {"1,3 1:2\n", "a.svm:1: expected one label a line, found '1,3'", LP_ERR_UNSUPPORTED},
        {"0.5 1:2\n", "a.svm: row 0: expected a label from 0 to 1048575, found 0.5", LP_ERR_DATA},
        {"# nothing\n", "expected lines of libsvm text, found none with a label", LP_ERR_FORMAT},
        {"1\n0\n", "found none with a feature", LP_ERR_FORMAT},
        {"1 4294967296:1\n", "an index of 0 or more", LP_ERR_FORMAT},
        {"1 2000000:1\n0 1:1\n", "2 rows of 2000000 features, nearly all of which are 0",
         LP_ERR_UNSUPPORTED},
        {"1 1:00000000000000000000000000000000000000000000000000000000000000000000000000000001\n",
         "expected a shorter field", LP_ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_text("a.svm", wrong[i].text);
        assert_refused("a.svm", wrong[i].status, wrong[i].message);
    }
    put("a.svm", "1 1:2\0\n", 7);
    assert_refused("a.svm", LP_ERR_FORMAT, "a.svm:1: expected text without zero bytes");
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    static const char *const names[] = {"memory.svm", "memory.safetensors"};
    put_text("memory.svm", "1 1:2\n0 2:3\n");
    put_safetensors("memory.safetensors",
                    "{\"features\": {\"dtype\": \"F32\", \"shape\": [2, 2], \"data_offsets\": [8, "
                    "24]}, \"labels\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": "
                    "[0, 8]}}");
    for (size_t i = 0; i < 2; i++) {
        lp_status status = LP_ERR_MEMORY;
        lp_features *f = NULL;
        for (size_t k = 1; status != LP_OK; k++) {
            (void)lp_alloc_fail_at(k);
            status = lp_features_open(in_folder(names[i]), &f, &err);
            assert_true(status == LP_OK || (status == LP_ERR_MEMORY && f == NULL));
        }
        (void)lp_alloc_fail_at(0);
        lp_features_close(f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_of_pytorch),
        cmocka_unit_test(tensors_of_safetensors),
        cmocka_unit_test(libsvm_text),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
