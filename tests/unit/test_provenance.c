/* Provenance: what is written comes back, and what does not go together is refused. */
#include "base/alloc.h"
#include "check.h"
#include "feat/meta_json.h"
#include "test_meta.h"

static lp_error err;

static const char whole[] =
    "{\"inputs\": {\"feature_format\": 2, \"family\": \"timm-vit\", \"weights_sha256\": \"ab\", "
    "\"feature\": \"penultimate\", \"normalize\": false, \"data_sha256\": \"cd\", \"split\": "
    "\"test\", \"labels\": \"fine\", \"images\": 3, \"activation\": \"gelu\", \"pool\": \"cls\", "
    "\"layers\": \"9-12\", \"precision\": \"float32\", \"heads\": 3, \"norm_eps\": "
    "\"9.99999997e-07\", \"preprocess\": "
    "{\"resize\": 248, \"crop\": 224, \"filter\": \"bicubic\", \"squash\": false, "
    "\"crop_rule\": \"floor\", \"resize_rule\": \"pillow-13\", \"float_resize\": true, "
    "\"mean\": "
    "[\"0.5\", \"0.5\", \"0.5\"], \"std\": [\"0.5\", \"0.5\", \"0.25\"]}}, "
    "\"weights\": {\"path\": \"w\", \"format\": \"safetensors\", \"official\": null, \"sha256\": "
    "\"ab\"}, \"encoder\": {\"name\": \"ViT-Ti/16\", \"input_size\": 224, \"width\": 192, "
    "\"layers\": 12, \"heads\": 3, \"parameters\": 5524416}, "
    "\"data\": {\"name\": \"pets\", \"source\": \"p\", \"official\": null, \"classes\": 2, "
    "\"class_names\": [\"cat\", \"dog\"], \"superclass_of\": [0, 0], \"superclass_names\": "
    "[\"animal\"], \"test_share\": 0.25, \"split_seed\": 7, \"ignored\": 1, \"skipped\": "
    "[\"cat/broken.png\"]}, \"made_by\": {\"linprobe\": \"0.1.0\", \"command\": \"linprobe x\", "
    "\"machine\": {\"fused_multiply_add\": true}}, \"sha256\": \"ef\"}";

/* Reading what was written gives the same text again, so no key is lost on the way. */
static void json_comes_back(void **state) {
    (void)state;
    const lp_provenance *p = provenance_of(whole);
    json_t *meta, *written = lp_provenance_json(p, 3, 192, "ef", LP_DETAIL_ALL);
    assert_non_null(written);
    assert_ok(lp_json_parse("whole", whole, strlen(whole), &meta, &err), &err);
    const char *key;
    json_t *value;
    json_object_foreach(meta, key, value) {
        if (!json_equal(value, json_object_get(written, key))) {
            fail_msg("%s is not what was read", key);
        }
    }
    assert_int_equal(json_object_size(written), json_object_size(meta) + 3); /* format and shape */
    json_t *brief = lp_provenance_json(p, 3, 192, "ef", LP_DETAIL_BRIEF);
    const json_t *data = json_object_get(brief, "data");
    assert_null(json_object_get(data, "class_names"));
    assert_null(json_object_get(data, "superclass_of"));
    assert_non_null(json_object_get(data, "skipped"));
    json_decref(brief);
    json_decref(written);
    json_decref(meta);
}

/* Each input that features depend on, changed alone, keeps two sets apart. */
static void every_input_is_compared(void **state) {
    (void)state;
    const lp_provenance *a = provenance_of(whole);
    assert_ok(lp_provenance_match(a, "of a", a, "b", &err), &err);
    assert_ok(lp_provenance_match(a, "of a", NULL, "b", &err), &err);
    assert_ok(lp_provenance_match(NULL, "of a", a, "b", &err), &err);
    const lp_provenance *elsewhere = provenance_of("{}");
    assert_false(elsewhere->recorded);
    assert_ok(lp_provenance_match(a, "of a", elsewhere, "b", &err), &err);
#define DIFFERS(change, name)                                                                      \
    do {                                                                                           \
        lp_provenance b = *a;                                                                      \
        change;                                                                                    \
        assert_fails(lp_provenance_match(a, "of a", &b, "b", &err), LP_ERR_ARGUMENT, &err,         \
                     "b: its features were not made as those of a: '" name "' differs");           \
    } while (0)
    DIFFERS(b.encoder.weights.sha256[0] = 'x', "weights_sha256");
    DIFFERS(b.encoder.feature = "projected", "feature");
    DIFFERS(b.encoder.normalize = true, "normalize");
    DIFFERS(b.encoder.preprocess.crop = 225, "crop");
    DIFFERS(b.encoder.preprocess.std[2] = 0.5F, "std");
    DIFFERS(b.encoder.preprocess.filter = LP_FILTER_LANCZOS, "filter");
    DIFFERS(b.encoder.preprocess.crop_rule = LP_CROP_ROUND, "crop_rule");
    DIFFERS(b.encoder.resize_rule = NULL, "resize_rule");
    DIFFERS(b.encoder.preprocess.float_resize = false, "float_resize");
    DIFFERS(b.encoder.activation = "quick_gelu", "activation");
    DIFFERS(b.data.labels = LP_LABELS_COARSE, "labels");
    DIFFERS(b.encoder.pool = NULL, "pool");
    DIFFERS(b.encoder.blocks = NULL, "layers");
    DIFFERS(b.encoder.heads = 4, "heads");
    DIFFERS(b.encoder.norm_eps = 1e-5F, "norm_eps");
    DIFFERS(b.encoder.precision = "int8", "precision");
#undef DIFFERS
    lp_provenance b = *a; /* what only describes it does not count */
    b.encoder.name = "other";
    b.encoder.weights.path = "elsewhere";
    b.data.sha256 = "of the other split";
    b.data.split = LP_SPLIT_TRAIN;
    b.command = NULL;
    assert_ok(lp_provenance_match(a, "of a", &b, "b", &err), &err);
}

/* Square records record a rule only where it changes them: their inputs, and so their key, are
 * those of sets that were made before there were rules, and they go with sets of folders that
 * record them.  A folder's set of that time does not. */
static void rules_that_change_nothing_are_not_recorded(void **state) {
    (void)state;
    const lp_provenance *folder = provenance_of(whole);
    lp_provenance bytes = *folder, records;
    bytes.encoder.preprocess.float_resize = false;
    folder = &bytes;
    records = bytes;
    records.data.image_folder = false;
    records.encoder.preprocess.crop_rule = LP_CROP_ROUND;
    records.encoder.resize_rule = NULL;
    json_t *inputs = lp_provenance_inputs(&records);
    const json_t *preprocess = json_object_get(inputs, "preprocess");
    assert_int_equal(json_object_size(preprocess), 6);
    assert_null(json_object_get(preprocess, "crop_rule"));
    assert_null(json_object_get(preprocess, "resize_rule"));
    json_decref(inputs);
    assert_ok(lp_provenance_match(folder, "of a", &records, "b", &err), &err);
    assert_ok(lp_provenance_match(&records, "of a", folder, "b", &err), &err);
    records.data.image_folder = true;
    assert_fails(lp_provenance_match(folder, "of a", &records, "b", &err), LP_ERR_ARGUMENT, &err,
                 "'crop_rule' differs");
    lp_provenance floors = *folder;
    floors.data.image_folder = records.data.image_folder = false;
    assert_fails(lp_provenance_match(&records, "of a", &floors, "b", &err), LP_ERR_ARGUMENT, &err,
                 "'crop_rule' differs");
}

static void folders_of_images_must_be_split_alike(void **state) {
    (void)state;
    static const char *const others[] = {"cat", "horse"};
    const lp_provenance *a = provenance_of(whole);
    lp_provenance b = *a;
    b.data.split_seed = 8;
    assert_fails(lp_provenance_match(a, "of a", &b, "b", &err), LP_ERR_ARGUMENT, &err,
                 "b: split from p with test share 0.25 and split seed 8, but the training set with "
                 "0.25 and 7");
    b.data.source = "another folder";
    assert_ok(lp_provenance_match(a, "of a", &b, "b", &err), &err);
    b.data.class_names = others;
    assert_fails(lp_provenance_match(a, "of a", &b, "b", &err), LP_ERR_ARGUMENT, &err,
                 "their folders have other names");
    b.data.image_folder = false;
    assert_ok(lp_provenance_match(a, "of a", &b, "b", &err), &err);
}

/* The key changes with each input and with nothing else. */
static void key_is_of_the_inputs(void **state) {
    (void)state;
    const lp_provenance *a = provenance_of(whole);
    char key[LP_DIGEST_HEX], other[LP_DIGEST_HEX];
    lp_provenance b = *a;
    assert_ok(lp_provenance_key(a, key, &err), &err);
    b.encoder.name = "other";
    b.data.source = "elsewhere";
    b.fused_multiply_add = false;
    assert_ok(lp_provenance_key(&b, other, &err), &err);
    assert_string_equal(key, other);
    b.encoder.norm_eps = 1e-5F;
    assert_ok(lp_provenance_key(&b, other, &err), &err);
    assert_string_not_equal(key, other);
    b = *a;
    b.data.split = LP_SPLIT_TRAIN;
    assert_ok(lp_provenance_key(&b, other, &err), &err);
    assert_string_not_equal(key, other);
}

static void assert_refused(const char *text, const char *message) {
    lp_provenance_file *file;
    json_t *meta;
    assert_ok(lp_json_parse("m", text, strlen(text), &meta, &err), &err);
    assert_fails(lp_provenance_read("m", meta, &file, &err), LP_ERR_FORMAT, &err, message);
    assert_null(file);
    json_decref(meta);
}

/* A choice that this version does not know must not be taken for one that it knows. */
static void unknown_choices_are_refused(void **state) {
    (void)state;
    assert_refused("{\"inputs\": {\"feature_format\": 2, \"split\": \"validation\"}}",
                   "m: 'split' is 'validation'");
    assert_refused("{\"inputs\": {\"feature_format\": 2, \"labels\": \"rough\"}}",
                   "m: 'labels' is 'rough'");
    assert_refused("{\"inputs\": {\"feature_format\": 2, \"activation\": \"gelu\"}}",
                   "m: 'norm_eps': expected a number");
    assert_refused("{\"inputs\": {\"feature_format\": 2, \"activation\": \"gelu\", \"norm_eps\": "
                   "\"1e-5\", \"preprocess\": "
                   "{\"filter\": \"box\"}}}",
                   "m: 'filter' is 'box'");
    assert_refused("{\"inputs\": {\"feature_format\": 2, \"activation\": \"gelu\", \"norm_eps\": "
                   "\"1e-5\", \"preprocess\": "
                   "{\"filter\": \"bicubic\", \"crop_rule\": \"top\"}}}",
                   "m: 'crop_rule' is 'top'");
}

/* A set of another program may have any meta.json: what it says of classes is taken, its "inputs"
 * are not ours, and nothing is made up in their place. */
static void inputs_of_another_program_are_left_alone(void **state) {
    (void)state;
    static const char *const texts[] = {
        "{\"inputs\": {\"split\": \"val\", \"labels\": \"species\"}}",
        "{\"inputs\": {\"activation\": \"gelu\", \"norm_eps\": 1e-5}}", "{\"inputs\": [1, 2]}",
        "{\"inputs\": {\"model\": \"x\"}, \"data\": {\"classes\": 2, \"class_names\": [\"a\", "
        "\"b\"]}}"};
    const lp_provenance *ours = provenance_of(whole);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const lp_provenance *p = provenance_of(texts[i]);
        json_t *written = lp_provenance_json(p, 1, 1, "", LP_DETAIL_ALL);
        assert_false(p->recorded);
        assert_ok(lp_provenance_match(ours, "of a", p, "b", &err), &err);
        assert_null(json_object_get(written, "inputs"));
        assert_null(json_object_get(written, "weights"));
        assert_true((json_object_get(written, "data") != NULL) == (i == 3));
        json_decref(written);
    }
    assert_string_equal(provenance_of(texts[3])->data.class_names[1], "b");
}

static void memory_runs_out(void **state) {
    (void)state;
    json_t *meta;
    lp_provenance_file *file = NULL;
    lp_status status = LP_ERR_MEMORY;
    size_t k = 0;
    assert_ok(lp_json_parse("whole", whole, strlen(whole), &meta, &err), &err);
    while (status != LP_OK) {
        (void)lp_alloc_fail_at(++k);
        status = lp_provenance_read("whole", meta, &file, &err);
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || (status == LP_ERR_MEMORY && file == NULL));
    }
    assert_true(k > 4);
    lp_provenance_close(file);
    json_decref(meta);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_comes_back),
        cmocka_unit_test(every_input_is_compared),
        cmocka_unit_test(rules_that_change_nothing_are_not_recorded),
        cmocka_unit_test(folders_of_images_must_be_split_alike),
        cmocka_unit_test(key_is_of_the_inputs),
        cmocka_unit_test(unknown_choices_are_refused),
        cmocka_unit_test(inputs_of_another_program_are_left_alone),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
