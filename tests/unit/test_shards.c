/* Weights in several files, and folders of weights. */
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "check.h"
#include "test_folder.h"
#include "linprobe/checkpoint.h"

static lp_error err;

static void write_file(const char *name, const char *bytes, size_t size) {
    FILE *out = fopen(in_folder(name), "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static void write_text(const char *name, const char *text) {
    write_file(name, text, strlen(text));
}

/* A safetensors file of float32 tensors with one value each, `count` from `first` on: tensor "b"
 * has the value of its letter. */
static void write_tensors(const char *name, char first, int count) {
    char header[1024] = "{", bytes[2048];
    size_t used = 1;
    for (int i = 0; i < count; i++) {
        used +=
            (size_t)snprintf(header + used, sizeof header - used,
                             "%s\"%c\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[%d,%d]}",
                             i > 0 ? "," : "", first + i, 4 * i, 4 * i + 4);
    }
    used += (size_t)snprintf(header + used, sizeof header - used, "}");
    memset(bytes, 0, 8);
    bytes[0] = (char)(used & 0xff);
    bytes[1] = (char)(used >> 8);
    memcpy(bytes + 8, header, used);
    for (int i = 0; i < count; i++) {
        float value = (float)(first + i);
        memcpy(bytes + 8 + used + 4 * (size_t)i, &value, 4);
    }
    write_file(name, bytes, 8 + used + 4 * (size_t)count);
}

static float value_of(lp_checkpoint *ckpt, const char *name) {
    float value = 0;
    lp_tensor_read read = {lp_checkpoint_find(ckpt, name), &value};
    assert_non_null(read.tensor);
    assert_ok(lp_checkpoint_read(ckpt, &read, 1, 0, &err), &err);
    return value;
}

#define INDEX "model.safetensors.index.json"
#define ONE "model-00001-of-00002.safetensors"
#define TWO "model-00002-of-00002.safetensors"

static void write_shards(void) {
    write_tensors(ONE, 'c', 2);
    write_tensors(TWO, 'a', 2);
    write_text(INDEX, "{\"metadata\": {\"total_size\": 16}, \"weight_map\": {\"a\": \"" TWO
                      "\", \"b\": \"" TWO "\", \"c\": \"" ONE "\", \"d\": \"" ONE "\"}}");
}

static void shards_are_one_checkpoint(void **state) {
    (void)state;
    lp_checkpoint *ckpt;
    float values[4];
    write_shards();
    assert_ok(lp_checkpoint_open(in_folder(INDEX), &ckpt, &err), &err);
    assert_int_equal(lp_checkpoint_count(ckpt), 4);
    assert_int_equal(lp_checkpoint_files(ckpt), 2);
    assert_string_equal(lp_checkpoint_format(ckpt), "safetensors");
    lp_tensor_read reads[4];
    for (size_t i = 0; i < 4; i++) { /* of both files, mixed */
        const char name[] = {"cadb"[i], '\0'};
        reads[i] = (lp_tensor_read){lp_checkpoint_find(ckpt, name), &values[i]};
    }
    assert_ok(lp_checkpoint_read(ckpt, reads, 4, 0, &err), &err);
    assert_true(values[0] == 'c' && values[1] == 'a' && values[2] == 'd' && values[3] == 'b');
    lp_checkpoint_close(ckpt);
}

static void their_digest_is_of_the_whole(void **state) {
    (void)state;
    lp_checkpoint *ckpt;
    const char *hex;
    char text[1024], line[LP_DIGEST_HEX], expected[LP_DIGEST_HEX];
    static const char *const names[] = {INDEX, ONE, TWO};
    size_t used = 0;
    write_shards();
    for (size_t i = 0; i < 3; i++) { /* what sha256sum prints */
        assert_ok(lp_digest_file(LP_SHA256, in_folder(names[i]), line, &err), &err);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s  %s\n", line, names[i]);
    }
    assert_ok(lp_digest_bytes(LP_SHA256, text, used, expected, &err), &err);
    assert_ok(lp_checkpoint_open(in_folder(INDEX), &ckpt, &err), &err);
    assert_ok(lp_checkpoint_sha256(ckpt, &hex, &err), &err);
    assert_string_equal(hex, expected);
    lp_checkpoint_close(ckpt);
    /* another value in the second file is another model */
    write_tensors(TWO, 'a', 2);
    FILE *file = fopen(in_folder(TWO), "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, -1, SEEK_END), 0);
    assert_int_equal(fputc(1, file), 1);
    assert_int_equal(fclose(file), 0);
    assert_ok(lp_checkpoint_open(in_folder(INDEX), &ckpt, &err), &err);
    assert_ok(lp_checkpoint_sha256(ckpt, &hex, &err), &err);
    assert_string_not_equal(hex, expected);
    lp_checkpoint_close(ckpt);
}

#define REFUSED(name, expected, part)                                                              \
    do {                                                                                           \
        lp_checkpoint *ckpt_;                                                                      \
        assert_fails(lp_checkpoint_open(in_folder(name), &ckpt_, &err), expected, &err, part);     \
        assert_null(ckpt_);                                                                        \
        assert_non_null(strstr(err.text, test_folder));                                            \
    } while (0)

static void index_and_files_must_agree(void **state) {
    (void)state;
    write_shards();
    write_text(INDEX, "{\"weight_map\": {\"a\": \"" TWO "\", \"b\": \"" TWO "\", \"c\": \"" ONE
                      "\", \"d\": \"" ONE "\", \"e\": \"" ONE "\", \"f\": \"" ONE "\"}}");
    REFUSED(INDEX, LP_ERR_FORMAT, "tensor e is not in " ONE " (2 tensors are missing)");
    write_text(INDEX, "{\"weight_map\": {\"a\": \"" TWO "\", \"b\": \"" ONE "\", \"c\": \"" ONE
                      "\", \"d\": \"" ONE "\"}}");
    REFUSED(INDEX, LP_ERR_FORMAT, "tensor b is in " TWO "; expected it in " ONE);
    write_text(INDEX,
               "{\"weight_map\": {\"a\": \"" TWO "\", \"c\": \"" ONE "\", \"d\": \"" ONE "\"}}");
    REFUSED(INDEX, LP_ERR_FORMAT, "tensor b is in " TWO "; expected it in none");
    write_shards();
    write_tensors(TWO, 'a', 3); /* c is in both */
    REFUSED(INDEX, LP_ERR_FORMAT, "tensor c is in " TWO "; expected it in " ONE);
    write_shards();
    assert_int_equal(unlink(in_folder(TWO)), 0);
    REFUSED(INDEX, LP_ERR_IO, TWO ": cannot be opened: No such file");
    write_text(TWO, "<!DOCTYPE html>");
    REFUSED(INDEX, LP_ERR_FORMAT, TWO ": a web page");
    write_text(TWO, "{\"weight_map\": {\"a\": \"" ONE "\"}}"); /* no index of indexes */
    REFUSED(INDEX, LP_ERR_FORMAT, TWO ": not a checkpoint");
}

static void files_lie_beside_the_index(void **state) {
    (void)state;
    static const char *const names[] = {"../" ONE, "/" ONE,   "a/" ONE, "..",
                                        "",        ".hidden", "a\\\\b", "a/../b"};
    write_shards();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "{\"weight_map\": {\"a\": \"%s\"}}", names[i]);
        write_text(INDEX, text);
        REFUSED(INDEX, LP_ERR_FORMAT, "tensor a: expected the name of a file in this folder");
    }
    write_text(INDEX, "{\"weight_map\": {\"a\": 1}}");
    REFUSED(INDEX, LP_ERR_FORMAT, "in this folder, found no text");
}

static void other_json_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"{}", "{\"weight_map\": {}}", "{\"weight_map\": [\"a\"]}",
                                        " {\"hidden_act\": \"gelu\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        write_text(INDEX, texts[i]);
        REFUSED(INDEX, LP_ERR_FORMAT, "expected the index of sharded weights");
    }
    write_text(INDEX, "{\"weight_map\": {\"a\"");
    REFUSED(INDEX, LP_ERR_FORMAT, "not valid JSON at line 1");
    write_text(INDEX, "[]");
    REFUSED(INDEX, LP_ERR_FORMAT, "not a checkpoint");
    static char large[(4 << 20) + 2];
    memset(large, ' ', sizeof large - 1);
    large[0] = '{';
    write_text(INDEX, large);
    REFUSED(INDEX, LP_ERR_UNSUPPORTED, "an index of 4194305 bytes, expected at most 4194304");
}

/* ---- folders -------------------------------------------------------------------------------- */

static void assert_picked(const char *name) {
    lp_checkpoint *ckpt;
    assert_ok(lp_checkpoint_open(test_folder, &ckpt, &err), &err);
    assert_string_equal(lp_path_name(lp_checkpoint_path(ckpt)), name);
    assert_string_equal(lp_checkpoint_picked(ckpt), name);
    (void)value_of(ckpt, "a");
    lp_checkpoint_close(ckpt);
}

static void a_folder_stands_for_its_weights(void **state) {
    (void)state;
    static const char *const names[] = {"only.pth", "pytorch_model.bin",
                                        "open_clip_pytorch_model.bin",
                                        "open_clip_model.safetensors", "model.safetensors"};
    write_text("config.json", "{}");
    write_text("README.md", "");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) { /* each beats those before it */
        write_tensors(names[i], 'a', 1); /* the content tells the format, not the name */
        assert_picked(names[i]);
    }
}

static void a_folder_may_hold_shards(void **state) {
    (void)state;
    write_shards();
    assert_picked(INDEX);
    write_tensors("open_clip_model.safetensors", 'a', 1);
    assert_picked(INDEX);
    write_tensors("model.safetensors", 'a', 1);
    REFUSED("", LP_ERR_FORMAT, "both model.safetensors and " INDEX " are there; name one of them");
}

static void names_of_checkpoints_in_folders(void **state) {
    (void)state;
    write_text("__0_0.distcp", "PK");
    REFUSED("", LP_ERR_UNSUPPORTED, "a distributed checkpoint of PyTorch (__0_0.distcp)");
    write_tensors("last.ckpt", 'a', 1);
    assert_picked("last.ckpt");
    assert_int_equal(rename(in_folder("last.ckpt"), in_folder("model_best.pth.tar")), 0);
    assert_picked("model_best.pth.tar");
    write_text("data.tar", ""); /* no name of weights */
    write_text("args.pkl", ""); /* none beside such a file */
    write_text("results.npz", "");
    assert_picked("model_best.pth.tar");
    assert_int_equal(unlink(in_folder("__0_0.distcp")), 0);
    assert_int_equal(unlink(in_folder("results.npz")), 0);
    assert_int_equal(rename(in_folder("model_best.pth.tar"), in_folder("args.pkl")), 0);
    assert_picked("args.pkl");
    assert_int_equal(rename(in_folder("args.pkl"), in_folder("BiT.npz")), 0);
    assert_picked("BiT.npz");
    write_text("b.pkl", "");
    REFUSED("", LP_ERR_FORMAT, "2 files of weights, among them BiT.npz and b.pkl; name one");
}

static void an_unclear_folder_is_refused(void **state) {
    (void)state;
    REFUSED("", LP_ERR_FORMAT, "a folder without weights: expected model.safetensors,");
    write_text(".safetensors", "");
    write_text("model.txt", "");
    REFUSED("", LP_ERR_FORMAT, "a folder without weights");
    write_tensors("b.pt", 'a', 1);
    write_tensors("a.bin", 'a', 1);
    REFUSED("", LP_ERR_FORMAT, "2 files of weights, among them a.bin and b.pt; name one");
    write_tensors("model.safetensors", 'a', 1);
    assert_picked("model.safetensors");
    write_tensors("model_1.safetensors", 'a', 1);
    REFUSED("", LP_ERR_FORMAT, "several models, model.safetensors and model_1.safetensors");
}

static void each_failing_allocation_is_reported(void **state) {
    (void)state;
    lp_status status = LP_ERR_MEMORY;
    size_t k = 1;
    write_shards();
    for (; status != LP_OK; k++) {
        lp_checkpoint *ckpt;
        const char *hex;
        float value;
        (void)lp_alloc_fail_at(k);
        status = lp_checkpoint_open(test_folder, &ckpt, &err);
        if (status == LP_OK) {
            lp_tensor_read read = {lp_checkpoint_find(ckpt, "a"), &value};
            status = lp_checkpoint_read(ckpt, &read, 1, 0, &err);
        }
        if (status == LP_OK) {
            status = lp_checkpoint_sha256(ckpt, &hex, &err);
        }
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
        if (status != LP_OK) {
            assert_non_null(strstr(err.text, "out of memory"));
        }
        lp_checkpoint_close(ckpt);
    }
    assert_true(k > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shards_are_one_checkpoint, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(their_digest_is_of_the_whole, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(index_and_files_must_agree, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(files_lie_beside_the_index, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(other_json_is_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_stands_for_its_weights, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_folder_may_hold_shards, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(names_of_checkpoints_in_folders, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(an_unclear_folder_is_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(each_failing_allocation_is_reported, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
