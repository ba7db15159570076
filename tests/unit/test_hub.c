/* What the Hugging Face hub needs of downloads, and downloads of its models.  The tests' own server
 * stands in its place (tests/support/http_server.c). */
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "ckpt/hub_cache.h"
#include "fetch/fetch.h"
#include "fetch/hub.h"
#include "check.h"
#include "served_data.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define OTHER "89abcdef0123456789abcdef0123456789abcdef"
#define SNAPSHOT "cache/models--org--name/snapshots/" COMMIT "/"
#define REF "cache/models--org--name/refs/main"

/* ---- downloads ------------------------------------------------------------------------------- */

static void token_goes_to_the_first_host_alone(void **state) {
    (void)state;
    lp_fetch_answer answer = {0};
    lp_fetch_request request = ask("token/hf_secret/redirect/data", "token");
    request.token = "hf_secret";
    assert_ok(lp_fetch(&request, &err), &err);
    assert_log("/token/hf_secret/redirect/data 302 0 0 token\n/data 200 0 300007 token\n");
    request = ask("token/hf_secret/elsewhere/redirect/data", "token-elsewhere");
    request.token = "hf_secret";
    assert_ok(lp_fetch(&request, &err), &err);
    assert_log("/token/hf_secret/elsewhere/redirect/data 302 0 0 token\n"
               "/redirect/data 302 0 0\n/data 200 0 300007\n");
    request = ask("elsewhere/cut/1000/data", "token-again"); /* each attempt begins at the first */
    request.token = "hf_secret";
    assert_ok(lp_fetch(&request, &err), &err);
    assert_log("/elsewhere/cut/1000/data 302 0 0 token\n/cut/1000/data 200 0 300007\n"
               "/elsewhere/cut/1000/data 302 0 0 token\n"
               "/cut/1000/data 206 1000 299007 if-range\n");
    request = ask("token/other/error/401/GatedRepo/data", "token-refused");
    request.token = "hf_secret";
    request.answer = &answer;
    assert_fails(lp_fetch(&request, &err), LP_ERR_IO, &err, "found 401");
    assert_null(strstr(err.text, "hf_secret"));
    assert_int_equal(answer.status, 401);
    assert_string_equal(answer.code, "GatedRepo");
    forget_log();
    static char huge[2000];
    memset(huge, 'x', sizeof huge - 1);
    const char *const bad[] = {"a\r\nX: y", "q z", "\x1b", "t\xc3\xb6", huge};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        request.token = bad[i];
        assert_fails(lp_fetch(&request, &err), LP_ERR_ARGUMENT, &err, "the token for the download");
        assert_null(strstr(err.text, bad[i]));
    }
    assert_log("");
}

static void files_are_verified_by_gits_digest(void **state) {
    (void)state;
    char hex[LP_DIGEST_HEX], found[LP_DIGEST_HEX];
    lp_fetch_request request = ask("cut/1000/data", "blob");
    assert_ok(lp_digest_bytes(LP_GIT_BLOB, data, DATA_BYTES, hex, &err), &err);
    request.sha256 = NULL;
    request.git_blob = hex;
    request.ending = ".linprobe.incomplete";
    request.found = found;
    write_file(in_folder("blob.linprobe.incomplete"), data, 500);
    assert_ok(lp_fetch(&request, &err), &err);
    assert_true(holds(request.path, DATA_BYTES));
    assert_string_equal(found, hex);
    assert_log("/cut/1000/data 206 500 299507\n");
    hex[0] = hex[0] == '0' ? '1' : '0';
    assert_fails(lp_fetch(&request, &err), LP_ERR_FORMAT, &err,
                 "blob: is there already, with git's SHA-1 ");
    request.path = in_folder("blob-wrong");
    assert_fails(lp_fetch(&request, &err), LP_ERR_FORMAT, &err, "expected git's SHA-1 ");
    assert_false(exists(request.path) || exists(in_folder("blob-wrong.linprobe.incomplete")));
    request.git_blob = data_hex;
    assert_fails(lp_fetch(&request, &err), LP_ERR_ARGUMENT, &err,
                 "expected as git's SHA-1 40 hexadecimal digits");
}

static void texts_are_fetched_into_memory(void **state) {
    (void)state;
    char *text;
    size_t size;
    const char *const ways[] = {"data?a=1", "nolength/data", "cut/1000/data", "redirect/data"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        lp_fetch_request request = {.url = url_of(ways[i]), .wait_ms = 1};
        assert_ok(lp_fetch_text(&request, DATA_BYTES, &text, &size, &err), &err);
        assert_int_equal(size, DATA_BYTES);
        assert_true(memcmp(text, data, size) == 0 && text[size] == '\0');
        lp_free(text);
        if (i < 2) {
            assert_fails(lp_fetch_text(&request, DATA_BYTES - 1, &text, &size, &err), LP_ERR_FORMAT,
                         &err, i == 0 ? "300007 bytes, expected at most 300006" : "found more");
            assert_null(text);
        }
    }
    lp_fetch_request request = {.url = url_of("empty")};
    assert_ok(lp_fetch_text(&request, 0, &text, &size, &err), &err);
    assert_true(size == 0 && text[0] == '\0');
    lp_free(text);
    lp_status status = LP_ERR_MEMORY;
    for (size_t k = 1; status != LP_OK; k++) {
        request.url = url_of("data");
        (void)lp_alloc_fail_at(k);
        status = lp_fetch_text(&request, DATA_BYTES, &text, &size, &err);
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
    }
    lp_free(text);
}

/* ---- models ---------------------------------------------------------------------------------- */

static const char *detour = ""; /* what the server is made to do with files of weights */

static lp_status download(const char *what, const lp_fetch_request *request, lp_error *error) {
    lp_fetch_request quick = *request;
    char rest[512];
    quick.wait_ms = 1;
    assert_string_equal(lp_path_name(request->url), what);
    if (strstr(what, ".safetensors") != NULL) {
        (void)snprintf(rest, sizeof rest, "%s%s", detour, strstr(request->url, "org/name"));
        quick.url = url_of(rest);
    }
    return lp_fetch(&quick, error);
}

static const lp_hub_name name = {.id = "org/name"};

static lp_hub_source hub(void) {
    static char endpoint[64];
    (void)snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d", port);
    return (lp_hub_source){.endpoint = endpoint, .cache = in_folder("cache"), .download = download};
}

/* A file of the model, with its entry in the list of files. */
static void serve(char *list, size_t room, const char *file, const char *bytes, bool large) {
    char path[256], hex[LP_DIGEST_HEX];
    size_t used = strlen(list);
    assert_ok(lp_digest_bytes(large ? LP_SHA256 : LP_GIT_BLOB, bytes, strlen(bytes), hex, &err),
              &err);
    (void)snprintf(list + used, room - used,
                   large ? "%s{\"rfilename\": \"%s\", \"lfs\": {\"size\": %zu, \"sha256\": \"%s\"}}"
                         : "%s{\"rfilename\": \"%s\", \"size\": %zu, \"blobId\": \"%s\"}",
                   used > 0 ? ", " : "", file, strlen(bytes), hex);
    (void)snprintf(path, sizeof path, "served/org/name/resolve/" COMMIT "/%s", file);
    write_file(in_folder(path), bytes, strlen(bytes));
}

/* A model in two shards. */
static void serve_model(void) {
    char list[2048] = "", answer[2300];
    serve(list, sizeof list, "README.md", "#", false);
    serve(list, sizeof list, "config.json", "{}", false);
    serve(list, sizeof list, "model.safetensors.index.json",
          "{\"weight_map\": {\"x\": \"1.safetensors\", \"y\": \"2.safetensors\"}}", false);
    serve(list, sizeof list, "1.safetensors", "one", true);
    serve(list, sizeof list, "2.safetensors", "two", true);
    (void)snprintf(answer, sizeof answer, "{\"sha\": \"" COMMIT "\", \"siblings\": [%s]}", list);
    write_file(in_folder("served/api/models/org/name/revision/main"), answer, strlen(answer));
}

static int begin_model(void **state) {
    (void)state;
    serve_model();
    forget_log();
    return remove_tree(in_folder("cache"));
}

static void assert_linked(const char *file, const char *digest_of) {
    char path[256], hex[LP_DIGEST_HEX], target[256] = "", expected[256];
    lp_digest_kind kind = strstr(file, ".json") != NULL ? LP_GIT_BLOB : LP_SHA256;
    (void)snprintf(path, sizeof path, SNAPSHOT "%s", file);
    assert_ok(lp_digest_bytes(kind, digest_of, strlen(digest_of), hex, &err), &err);
    assert_true(readlink(in_folder(path), target, sizeof target - 1) > 0);
    (void)snprintf(expected, sizeof expected, "../../blobs/%s", hex);
    assert_string_equal(target, expected);
}

static void a_model_is_fetched_into_the_hubs_layout(void **state) {
    (void)state;
    const lp_hub_source source = hub();
    lp_hub_model model;
    char *text;
    size_t size;
    assert_ok(lp_hub_fetch(&source, &name, &model, &err), &err);
    assert_string_equal(model.commit, COMMIT);
    assert_int_equal(model.count, 4);
    assert_string_equal(model.files[0].name, "config.json");
    assert_string_equal(model.files[3].name, "model.safetensors.index.json");
    assert_string_equal(model.files[2].path, in_folder(SNAPSHOT "2.safetensors"));
    lp_hub_model_clear(&model);
    assert_linked("config.json", "{}");
    assert_linked("1.safetensors", "one");
    assert_false(exists(in_folder(SNAPSHOT "README.md")));
    assert_ok(lp_file_read(in_folder(REF), 100, &text, &size, &err), &err);
    assert_string_equal(text, COMMIT);
    lp_free(text);
    forget_log();
    assert_ok(lp_hub_fetch(&source, &name, &model, &err), &err);
    lp_hub_model_clear(&model);
    assert_log("/api/models/org/name/revision/main?blobs=true 200 0 626\n");
}

/* The index of the weights and the ref come last. */
static void an_interrupted_model_has_no_weights(void **state) {
    (void)state;
    const lp_hub_source source = hub();
    lp_hub_model model;
    char *path;
    assert_int_equal(unlink(in_folder("served/org/name/resolve/" COMMIT "/2.safetensors")), 0);
    assert_fails(lp_hub_fetch(&source, &name, &model, &err), LP_ERR_IO, &err, "found 404");
    lp_hub_model_clear(&model);
    assert_true(exists(in_folder(SNAPSHOT "1.safetensors")));
    assert_false(exists(in_folder(SNAPSHOT "model.safetensors.index.json")));
    assert_false(exists(in_folder(REF)));
    serve_model();
    assert_ok(lp_hub_fetch(&source, &name, &model, &err), &err);
    lp_hub_model_clear(&model);
    assert_ok(lp_hub_pick(in_folder("cache/models--org--name"), "main", &path, &err), &err);
    lp_free(path);
}

static void an_older_snapshot_stays_until_the_new_one_is_whole(void **state) {
    (void)state;
    const lp_hub_source source = hub();
    lp_hub_model model;
    char *path, *text;
    size_t size;
    write_file(in_folder("cache/models--org--name/snapshots/" OTHER "/model.safetensors"), "", 0);
    write_file(in_folder(REF), OTHER, 40);
    assert_int_equal(unlink(in_folder("served/org/name/resolve/" COMMIT "/2.safetensors")), 0);
    assert_fails(lp_hub_fetch(&source, &name, &model, &err), LP_ERR_IO, &err, "found 404");
    lp_hub_model_clear(&model);
    assert_ok(lp_hub_pick(in_folder("cache/models--org--name"), "", &path, &err), &err);
    assert_non_null(strstr(path, OTHER));
    lp_free(path);
    serve_model();
    assert_ok(lp_hub_fetch(&source, &name, &model, &err), &err);
    lp_hub_model_clear(&model);
    assert_ok(lp_file_read(in_folder(REF), 100, &text, &size, &err), &err);
    assert_string_equal(text, COMMIT);
    lp_free(text);
}

/* Anybody may read the list of a gated model's files. */
static void gated_files_are_explained(void **state) {
    (void)state;
    lp_hub_source source = hub();
    lp_hub_model model;
    detour = "error/401/GatedRepo/";
    assert_fails(lp_hub_fetch(&source, &name, &model, &err), LP_ERR_IO, &err,
                 "org/name: refused (HTTP status 401, http://127.0.0.1:");
    assert_non_null(strstr(err.text, "): the model is gated; accept its terms, if it has any, at"));
    assert_non_null(strstr(err.text, "/settings/tokens and set HF_TOKEN to it"));
    lp_hub_model_clear(&model);
    source.token = "hf_secret";
    detour = "error/403/GatedRepo/";
    assert_fails(lp_hub_fetch(&source, &name, &model, &err), LP_ERR_IO, &err,
                 "and check that the token (HF_TOKEN, or what a login stored) is of that account");
    assert_null(strstr(err.text, "hf_secret"));
    lp_hub_model_clear(&model);
    detour = "elsewhere/error/403/x/"; /* another host's refusal says nothing of the model */
    assert_fails(lp_hub_fetch(&source, &name, &model, &err), LP_ERR_IO, &err,
                 "expected HTTP status 200, found 403");
    lp_hub_model_clear(&model);
    detour = "";
}

static void what_others_put_there_is_left_alone(void **state) {
    (void)state;
    const lp_hub_source source = hub();
    lp_hub_model model;
    write_file(in_folder(SNAPSHOT "config.json"), "{}", 2); /* no link, but the right content */
    assert_ok(lp_hub_fetch(&source, &name, &model, &err), &err);
    lp_hub_model_clear(&model);
    assert_int_equal(unlink(in_folder(SNAPSHOT "config.json")), 0);
    write_file(in_folder(SNAPSHOT "config.json"), "[]", 2);
    assert_fails(lp_hub_fetch(&source, &name, &model, &err), LP_ERR_FORMAT, &err,
                 "config.json: is there already, with git's SHA-1 ");
    lp_hub_model_clear(&model);
    assert_int_equal(unlink(in_folder(SNAPSHOT "config.json")), 0);
    assert_int_equal(symlink("../../blobs/elsewhere", in_folder(SNAPSHOT "config.json")), 0);
    assert_ok(lp_hub_fetch(&source, &name, &model, &err), &err); /* a link to nothing is replaced */
    lp_hub_model_clear(&model);
    assert_linked("config.json", "{}");
    assert_int_equal(unlink(in_folder(SNAPSHOT "config.json")), 0);
    assert_int_equal(mkdir(in_folder(SNAPSHOT "config.json"), 0777), 0);
    assert_fails(lp_hub_fetch(&source, &name, &model, &err), LP_ERR_IO, &err,
                 "config.json: a symbolic link cannot be made there");
    lp_hub_model_clear(&model);
}

static void names_lead_nowhere_else(void **state) {
    (void)state;
    static const char *const bad[] = {"../x",
                                      "/x",
                                      "a/../../elsewhere",
                                      "a//x",
                                      "a/",
                                      ".",
                                      "..",
                                      "a/.",
                                      "x\\n",
                                      "x\\u001b",
                                      "x\\u007f",
                                      "",
                                      "a\\\\b.pt",
                                      "a/..\\\\x",
                                      "./x",
                                      "../../elsewhere/y"};
    const lp_hub_source source = hub();
    lp_hub_model model;
    char answer[2048], many[1100];
    memset(many, 'x', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    for (size_t i = 0; i <= sizeof bad / sizeof *bad + 1; i++) {
        const char *file = i < sizeof bad / sizeof *bad ? bad[i] : many;
        if (i > sizeof bad / sizeof *bad) { /* parts that are short enough, but too many */
            for (size_t k = 100; k < sizeof many - 1; k += 100) {
                many[k] = '/';
            }
        }
        (void)snprintf(answer, sizeof answer,
                       "{\"sha\": \"" COMMIT "\", \"siblings\": [{\"rfilename\": \"a.pt\"}, "
                       "{\"rfilename\": \"%s\"}]}",
                       file);
        write_file(in_folder("served/api/models/org/name/revision/main"), answer, strlen(answer));
        assert_fails(lp_hub_fetch(&source, &name, &model, &err), LP_ERR_FORMAT, &err,
                     "siblings: file 2: expected a relative name");
        lp_hub_model_clear(&model);
    }
    assert_false(exists(in_folder("cache")));
}

static void each_failing_allocation_is_reported(void **state) {
    (void)state;
    const lp_hub_source source = hub();
    lp_status status = LP_ERR_MEMORY;
    size_t k = 1;
    for (; status != LP_OK; k++) {
        lp_hub_model model;
        assert_int_equal(remove_tree(in_folder("cache")), 0);
        (void)lp_alloc_fail_at(k);
        status = lp_hub_fetch(&source, &name, &model, &err);
        (void)lp_alloc_fail_at(0);
        lp_hub_model_clear(&model);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
    }
    assert_true(k > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(token_goes_to_the_first_host_alone, begin),
        cmocka_unit_test_setup(files_are_verified_by_gits_digest, begin),
        cmocka_unit_test_setup(texts_are_fetched_into_memory, begin),
        cmocka_unit_test_setup(a_model_is_fetched_into_the_hubs_layout, begin_model),
        cmocka_unit_test_setup(an_interrupted_model_has_no_weights, begin_model),
        cmocka_unit_test_setup(an_older_snapshot_stays_until_the_new_one_is_whole, begin_model),
        cmocka_unit_test_setup(gated_files_are_explained, begin_model),
        cmocka_unit_test_setup(what_others_put_there_is_left_alone, begin_model),
        cmocka_unit_test_setup(names_lead_nowhere_else, begin_model),
        cmocka_unit_test_setup(each_failing_allocation_is_reported, begin_model),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
