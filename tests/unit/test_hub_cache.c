/* Names of models on the Hugging Face hub, and its cache. */
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "ckpt/hub_cache.h"
#include "check.h"
#include "linprobe/checkpoint.h"
#include "test_folder.h"

#define A "aaaa111111111111111111111111111111111111"
#define B "bbbb222222222222222222222222222222222222"
#define B2 "bbbb333333333333333333333333333333333333"
#define MODEL "models--org--name"

static lp_error err;

/* ---- names ----------------------------------------------------------------------------------- */

static void names_are_taken_apart(void **state) {
    (void)state;
    static const struct {
        const char *word, *id, *revision;
        bool marked;
    } good[] = {
        {"openai/clip-vit-base-patch32", "openai/clip-vit-base-patch32", "", false},
        {"timm/vit_base_patch16_224.mae", "timm/vit_base_patch16_224.mae", "", false},
        {"hf-hub:timm/eva02_b.x", "timm/eva02_b.x", "", true},
        {"hf_hub:timm/x", "timm/x", "", true},
        {"hf-hub:gpt2", "gpt2", "", true},
        {"a/b@main", "a/b", "main", false},
        {"a/b@refs/pr/1", "a/b", "refs/pr/1", false},
        {"a/b@v1.0-rc+2", "a/b", "v1.0-rc+2", false},
        {"hf-hub:a/b@" A, "a/b", A, true},
    };
    static const char *const bad[] = {"",
                                      "gpt2",
                                      "a/b/c",
                                      "/a/b",
                                      "a/",
                                      "/b",
                                      "../b",
                                      "a/..",
                                      "./b",
                                      "a/.b",
                                      "a/b.",
                                      "-a/b",
                                      "a/b-",
                                      "a--b/c",
                                      "a..b/c",
                                      "a/b.git",
                                      "a b/c",
                                      "a/b\n",
                                      "a\\b/c",
                                      "hf-hub:",
                                      "hf-hub:/b",
                                      "hf-hub:a/",
                                      "hf-hub:hf-hub:a/b",
                                      "a/b@",
                                      "a/b@/x",
                                      "a/b@x/",
                                      "a/b@../x",
                                      "a/b@x/../../elsewhere",
                                      "a/b@x//y",
                                      "a/b@.x",
                                      "a/b@x/.y",
                                      "a/b@x y",
                                      "a/b@x\x1b[2J",
                                      "a/b@x@y",
                                      "a/b@-x",
                                      "a/b@x..y",
                                      "~/b",
                                      "C:/b",
                                      "a/b@x?y",
                                      "a/b@x%2e"};
    lp_hub_name name;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(lp_hub_parse(good[i].word, &name));
        assert_string_equal(name.id, good[i].id);
        assert_string_equal(name.revision, good[i].revision);
        assert_int_equal(name.marked, good[i].marked);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        if (lp_hub_parse(bad[i], &name)) {
            fail_msg("'%s' was taken for a name", bad[i]);
        }
    }
}

static void long_names_are_refused(void **state) {
    (void)state;
    lp_hub_name name;
    char word[1024];
    for (size_t part = 96; part <= 97; part++) {
        (void)snprintf(word, sizeof word, "%0*d/%0*d", (int)part, 1, (int)part, 1);
        assert_int_equal(lp_hub_parse(word, &name), part == 96);
    }
    for (size_t length = LP_HUB_REVISION - 1; length <= LP_HUB_REVISION; length++) {
        (void)snprintf(word, sizeof word, "a/b@%0*d", (int)length, 1);
        assert_int_equal(lp_hub_parse(word, &name), length < LP_HUB_REVISION);
    }
}

static void folders_have_the_hubs_names(void **state) {
    (void)state;
    char path[LP_PATH_ROOM];
    assert_ok(lp_hub_folder(path, "cache", "org/na-me", &err), &err);
    assert_string_equal(path, "cache/models--org--na-me");
    assert_ok(lp_hub_folder(path, "cache/", "gpt2", &err), &err);
    assert_string_equal(path, "cache/models--gpt2");
}

/* ---- a cache --------------------------------------------------------------------------------- */

static void put(const char *name, const char *text) {
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s", in_folder(name));
    *strrchr(folder, '/') = '\0';
    assert_ok(lp_make_folders(folder, &err), &err);
    assert_ok(lp_file_write(in_folder(name), text, strlen(text), &err), &err);
}

/* A file of the snapshot `commit`, as a link to its blob. */
static void put_linked(const char *commit, const char *name, const char *text) {
    char path[512], target[512];
    (void)snprintf(path, sizeof path, MODEL "/blobs/%.4s-%s", commit, name);
    put(path, text);
    (void)snprintf(target, sizeof target, "../../blobs/%.4s-%s", commit, name);
    (void)snprintf(path, sizeof path, "%s/%s", in_folder(MODEL "/snapshots"), commit);
    assert_ok(lp_make_folders(path, &err), &err);
    (void)snprintf(path, sizeof path, MODEL "/snapshots/%s/%s", commit, name);
    assert_int_equal(symlink(target, in_folder(path)), 0);
}

/* What REVISION stands for, below the model's folder. */
static void assert_picked(const char *revision, const char *expected) {
    char *path;
    assert_ok(lp_hub_pick(in_folder(MODEL), revision, &path, &err), &err);
    assert_string_equal(path + strlen(in_folder(MODEL)) + 1, expected);
    lp_free(path);
}

#define REFUSED(revision, expected, part)                                                          \
    do {                                                                                           \
        char *path_;                                                                               \
        assert_fails(lp_hub_pick(in_folder(MODEL), revision, &path_, &err), expected, &err, part); \
        assert_null(path_);                                                                        \
    } while (0)

static void revisions_lead_to_snapshots(void **state) {
    (void)state;
    put_linked(A, "model.safetensors", "a");
    assert_picked("", "snapshots/" A "/model.safetensors"); /* the only one */
    put_linked(B, "pytorch_model.bin", "b");
    put_linked(B2, "pytorch_model.bin", "b");
    put(MODEL "/refs/main", A);
    put(MODEL "/refs/v1", B "\n");
    put(MODEL "/refs/refs/pr/1", B2);
    assert_picked("", "snapshots/" A "/model.safetensors");
    assert_picked("main", "snapshots/" A "/model.safetensors");
    assert_picked("v1", "snapshots/" B "/pytorch_model.bin");
    assert_picked("refs/pr/1", "snapshots/" B2 "/pytorch_model.bin");
    assert_picked("aaaa", "snapshots/" A "/model.safetensors");
    assert_picked("bbbb2", "snapshots/" B "/pytorch_model.bin");
    assert_picked(B2, "snapshots/" B2 "/pytorch_model.bin");
    REFUSED("bbbb", LP_ERR_FORMAT, "2 snapshots begin with bbbb");
    REFUSED("aaa", LP_ERR_ARGUMENT, "revision aaa is not there"); /* too few digits */
    REFUSED("cccc", LP_ERR_ARGUMENT,
            "revision cccc is not there; branches and tags there: main, refs, v1; snapshots: " A
            ", " B ", " B2);
    REFUSED("v2", LP_ERR_ARGUMENT, "revision v2 is not there");
    assert_int_equal(unlink(in_folder(MODEL "/refs/main")), 0);
    REFUSED("", LP_ERR_FORMAT, "3 snapshots, and no refs/main that says which");
    REFUSED("main", LP_ERR_ARGUMENT, "revision main is not there");
}

static void a_models_folder_is_a_checkpoint(void **state) {
    (void)state;
    static const char one[] = "\x3d\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"F32\",\"shape\":[],"
                              "\"data_offsets\":[0,4]}}        \0\0\0\0";
    lp_checkpoint *ckpt;
    put_linked(A, "model.safetensors", "");
    assert_ok(
        lp_file_write(in_folder(MODEL "/blobs/aaaa-model.safetensors"), one, sizeof one - 1, &err),
        &err);
    put(MODEL "/refs/main", A);
    assert_true(lp_hub_is_folder(in_folder(MODEL)));
    assert_false(lp_hub_is_folder(in_folder(MODEL "/snapshots")));
    assert_ok(lp_checkpoint_open(in_folder(MODEL), &ckpt, &err), &err);
    assert_non_null(lp_checkpoint_find(ckpt, "a"));
    assert_non_null(strstr(lp_checkpoint_path(ckpt), MODEL "/snapshots/" A "/model.safetensors"));
    lp_checkpoint_close(ckpt);
    put(MODEL "/refs/main", B);
    assert_fails(lp_checkpoint_open(in_folder(MODEL), &ckpt, &err), LP_ERR_ARGUMENT, &err,
                 "refs/main is commit " B ", which has no snapshot there; snapshots: " A);
}

/* A folder of a training run may be called so, too. */
static void snapshots_alone_are_no_models_folder(void **state) {
    (void)state;
    put("run/snapshots/1.pt", "");
    put("run/model.pt", "");
    assert_false(lp_hub_is_folder(in_folder("run")));
}

static void what_is_missing_is_said(void **state) {
    (void)state;
    put(MODEL "/refs/main", A);
    assert_ok(lp_make_folders(in_folder(MODEL "/snapshots"), &err), &err);
    REFUSED("", LP_ERR_ARGUMENT, "refs/main is commit " A ", which has no snapshot there");
    assert_int_equal(unlink(in_folder(MODEL "/refs/main")), 0);
    put(MODEL "/blobs/1234.incomplete", "half");
    REFUSED("", LP_ERR_ARGUMENT,
            "no snapshot is there; blobs/ has 1 interrupted download (4 bytes)");
    put_linked(A, "config.json", "{}");
    put_linked(A, "README.md", "");
    REFUSED("", LP_ERR_ARGUMENT,
            "snapshots/" A
            ": no weights are there; its files: README.md, config.json; blobs/ has 1 "
            "interrupted download (4 bytes)");
    put_linked(B, "model.safetensors", "");
    put(MODEL "/refs/main", A);
    REFUSED("", LP_ERR_ARGUMENT, "snapshot " B " has model.safetensors: ORG/NAME@" B " names it");
    put_linked(A, "a.pt", "");
    assert_picked("", "snapshots/" A "/a.pt");
    put_linked(A, "b.pt", "");
    REFUSED("", LP_ERR_FORMAT, "2 files of weights, among them a.pt and b.pt");
}

static void links_to_nothing_are_said(void **state) {
    (void)state;
    put_linked(A, "model.safetensors", "");
    assert_int_equal(unlink(in_folder(MODEL "/blobs/aaaa-model.safetensors")), 0);
    REFUSED("", LP_ERR_ARGUMENT, "model.safetensors: not there, or a link to what is not there");
    assert_int_equal(
        symlink("aaaa-model.safetensors", in_folder(MODEL "/blobs/aaaa-model.safetensors")),
        0); /* to itself */
    REFUSED("", LP_ERR_ARGUMENT, "model.safetensors: Too many levels of symbolic links");
    assert_int_equal(unlink(in_folder(MODEL "/snapshots/" A "/model.safetensors")), 0);
    put_linked(A, "model.safetensors.index.json", "{\"weight_map\": {\"x\": \"1.safetensors\"}}");
    REFUSED("", LP_ERR_ARGUMENT, "1.safetensors: not there, or a link to what is not there");
    put_linked(A, "1.safetensors", "");
    assert_picked("", "snapshots/" A "/model.safetensors.index.json");
}

static void a_circle_of_folders_ends(void **state) {
    (void)state;
    assert_ok(lp_make_folders(in_folder(MODEL "/snapshots"), &err), &err);
    assert_int_equal(symlink(".", in_folder(MODEL "/snapshots/" A)), 0);
    REFUSED("", LP_ERR_ARGUMENT, "no weights are there; its files: none");
    assert_int_equal(symlink("refs", in_folder(MODEL "/refs")), 0);
    REFUSED("main", LP_ERR_ARGUMENT, "revision main is not there");
}

static void refs_hold_commits(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",     "../../../elsewhere", "main", A "0", "AAAA111111111111111111111111111111111111",
        A "/.."};
    put_linked(A, "model.safetensors", "");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        put(MODEL "/refs/main", texts[i]);
        REFUSED("", LP_ERR_FORMAT, "refs/main: expected a commit of 40 hexadecimal digits, found");
    }
    char large[2000];
    memset(large, 'a', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    put(MODEL "/refs/main", large);
    REFUSED("", LP_ERR_FORMAT, "refs/main: 1999 bytes, expected at most 1024");
}

static void each_failing_allocation_is_reported(void **state) {
    (void)state;
    lp_status status = LP_ERR_MEMORY;
    size_t k = 1;
    put_linked(A, "model.safetensors.index.json", "{\"weight_map\": {\"x\": \"1.safetensors\"}}");
    put_linked(A, "1.safetensors", "");
    put(MODEL "/refs/main", A);
    for (; status != LP_OK; k++) {
        char *path;
        (void)lp_alloc_fail_at(k);
        status = lp_hub_pick(in_folder(MODEL), "", &path, &err);
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
        assert_true((path != NULL) == (status == LP_OK));
        lp_free(path);
    }
    assert_true(k > 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_taken_apart),
        cmocka_unit_test(long_names_are_refused),
        cmocka_unit_test(folders_have_the_hubs_names),
        cmocka_unit_test_setup_teardown(revisions_lead_to_snapshots, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_models_folder_is_a_checkpoint, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(snapshots_alone_are_no_models_folder, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_missing_is_said, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(links_to_nothing_are_said, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_circle_of_folders_ends, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refs_hold_commits, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(each_failing_allocation_is_reported, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
