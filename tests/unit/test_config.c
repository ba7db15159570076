/* JSON files beside weights. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "check.h"
#include "ckpt/config.h"
#include "test_folder.h"

static const char *config_path;
static lp_checkpoint *ckpt;
static lp_error err;

static int set_up(void **state) {
    static const char tensor[] = "\x3d\0\0\0\0\0\0\0"
                                 "{\"w\": {\"dtype\": \"F32\", \"shape\": [1], \"data_offsets\": "
                                 "[0, 4]}}\0\0\x80\x3f";
    if (make_folder(state) != 0) {
        return 1;
    }
    const char *weights = in_folder("model.safetensors");
    config_path = in_folder("config.json");
    return lp_file_write(weights, tensor, sizeof tensor - 1, &err) != LP_OK ||
           lp_checkpoint_open(weights, &ckpt, &err) != LP_OK;
}

static int tear_down(void **state) {
    lp_checkpoint_close(ckpt);
    return remove_folder(state);
}

static void write_config(const char *text) {
    assert_ok(lp_file_write(config_path, text, strlen(text), &err), &err);
}

static void config_beside_weights_is_read(void **state) {
    (void)state;
    json_t *config = json_null();
    assert_ok(lp_checkpoint_config(ckpt, "config.json", &config, &err), &err);
    assert_null(config); /* there is none */
    write_config("{\"vision_config\": {\"hidden_act\": \"gelu\"}}");
    assert_ok(lp_checkpoint_config(ckpt, "config.json", &config, &err), &err);
    assert_string_equal(
        lp_json_text(json_object_get(config, "vision_config"), "hidden_act", "none"), "gelu");
    json_decref(config);
}

static void weights_in_the_working_folder_find_theirs(void **state) {
    (void)state;
    char before[1024];
    json_t *config;
    lp_checkpoint *here;
    write_config("{\"here\": true}");
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(test_folder), 0);
    assert_ok(lp_checkpoint_open("model.safetensors", &here, &err), &err);
    lp_status status = lp_checkpoint_config(here, "config.json", &config, &err);
    assert_int_equal(chdir(before), 0);
    assert_ok(status, &err);
    assert_true(json_is_true(json_object_get(config, "here")));
    json_decref(config);
    lp_checkpoint_close(here);
}

static void bad_configs_are_refused_by_name(void **state) {
    (void)state;
    json_t *config;
    write_config("{\"vision_config\": ");
    assert_fails(lp_checkpoint_config(ckpt, "config.json", &config, &err), LP_ERR_FORMAT, &err,
                 "/config.json: not valid JSON at line 1");
    assert_null(config);
    write_config("[1, 2]");
    assert_fails(lp_checkpoint_config(ckpt, "config.json", &config, &err), LP_ERR_FORMAT, &err,
                 "/config.json: expected a JSON object");
    assert_null(config);
    write_config("{\"a\": 1, \"a\": 2}");
    assert_fails(lp_checkpoint_config(ckpt, "config.json", &config, &err), LP_ERR_FORMAT, &err,
                 "duplicate");
    static char large[(1 << 20) + 2];
    memset(large, ' ', sizeof large - 1);
    write_config(large);
    assert_fails(lp_checkpoint_config(ckpt, "config.json", &config, &err), LP_ERR_FORMAT, &err,
                 "1048577 bytes, expected at most 1048576");
    assert_int_equal(unlink(config_path), 0);
    assert_int_equal(mkdir(config_path, 0700), 0);
    assert_fails(lp_checkpoint_config(ckpt, "config.json", &config, &err), LP_ERR_IO, &err,
                 "expected a file, found a folder");
    assert_int_equal(rmdir(config_path), 0);
    write_config("{}");
}

static void each_failing_allocation_is_reported(void **state) {
    (void)state;
    json_t *config;
    lp_status status = LP_ERR_MEMORY;
    size_t k = 1;
    write_config("{}");
    for (; status != LP_OK; k++) {
        (void)lp_alloc_fail_at(k);
        status = lp_checkpoint_config(ckpt, "config.json", &config, &err);
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
        assert_true((config != NULL) == (status == LP_OK));
    }
    assert_true(k > 2);
    json_decref(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_beside_weights_is_read),
        cmocka_unit_test(weights_in_the_working_folder_find_theirs),
        cmocka_unit_test(bad_configs_are_refused_by_name),
        cmocka_unit_test(each_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
