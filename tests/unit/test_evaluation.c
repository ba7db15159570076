/* The evaluation as JSON. */
#include <math.h>

#include "base/alloc.h"
#include "normal.h"
#include "probe/classifier.h"
#include "probe_data.h"
#include "report/evaluation_rows.h"
#include "test_meta.h"

enum { K = 4, F = 3, N = 40 };

static lp_error err;
static const char *const names[K] = {"cat", "dog", "oak", "elm"};

static lp_features features_of(const dataset *data, const char *meta) {
    lp_features f = {.path = "test",
                     .count = N,
                     .width = F,
                     .classes = K,
                     .x = data->x,
                     .labels = data->labels,
                     .class_names = names,
                     .digest = "",
                     .provenance = provenance_of(meta)};
    return f;
}

static lp_probe *random_probe(void) {
    lp_probe *probe;
    lp_random random;
    lp_random_seed(&random, 2);
    assert_ok(lp_probe_new(K, F, &probe, &err), &err);
    for (size_t i = 0; i < K * F; i++) {
        probe->weights[i] = random_normal(&random);
    }
    return probe;
}

static json_int_t number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void document(void **state) {
    (void)state;
    dataset data = dataset_random(N, F, K, 1);
    lp_features test = features_of(&data, "{\"data\": {\"classes\": 4, \"superclass_of\": [1, 1, "
                                          "0, 0], \"superclass_names\": [\"tree\", "
                                          "\"animal\"]}}");
    lp_probe *probe = random_probe();
    lp_evaluation e;
    assert_ok(lp_evaluation_run(probe, &test, LP_PROBABILITY_SOFTMAX, 1, &e, &err), &err);
    json_t *d = lp_evaluation_document(&e);
    assert_non_null(d);
    json_int_t images = 0;
    json_int_t correct = 0;
    size_t i;
    const json_t *row;
    json_array_foreach(json_object_get(d, "classes"), i, row) {
        assert_string_equal(lp_json_text(row, "name", ""), names[i]);
        images += number(row, "images");
        correct += number(row, "correct");
    }
    assert_int_equal(images, N);
    assert_int_equal(correct, number(json_object_get(d, "summary"), "correct"));
    const json_t *confusion = json_object_get(d, "confusion");
    size_t cells[K][K] = {{0}};
    for (i = 0; i < N; i++) {
        cells[data.labels[i]][e.predicted[i]]++;
    }
    json_int_t trees = 0;
    for (i = 0; i < K; i++) {
        for (size_t j = 0; j < K; j++) {
            json_int_t cell = json_integer_value(json_array_get(json_array_get(confusion, i), j));
            assert_int_equal(cell, cells[i][j]);
            trees += i >= 2 && j >= 2 ? cell : 0;
        }
    }
    const json_t *super = json_object_get(d, "superclasses");
    const json_t *first = json_array_get(json_object_get(super, "rows"), 0);
    assert_string_equal(lp_json_text(first, "name", ""), "tree");
    assert_int_equal(number(first, "correct"), trees);
    json_decref(d);
    lp_evaluation_free(&e);
    lp_probe_free(probe);
    dataset_free(&data);
}

/* A map that does not fit is none: no superclasses, and null in the document. */
static void superclasses_that_do_not_fit(void **state) {
    (void)state;
    static const char *const metas[] = {
        "{}",
        "{\"data\": {\"superclass_of\": [0, 1, 0], \"superclass_names\": [\"a\", \"b\"]}}",
        "{\"data\": {\"superclass_of\": [0, 1, 0, 2], \"superclass_names\": [\"a\", \"b\"]}}",
        "{\"data\": {\"superclass_of\": [0, 1, 0, -1], \"superclass_names\": [\"a\", \"b\"]}}",
        "{\"data\": {\"superclass_of\": [0, 1, 0, null], \"superclass_names\": [\"a\", \"b\"]}}",
        "{\"data\": {\"superclass_of\": [0, 0, 0, 0], \"superclass_names\": []}}",
    };
    dataset data = dataset_random(N, F, K, 1);
    lp_probe *probe = random_probe();
    for (size_t i = 0; i < sizeof metas / sizeof metas[0]; i++) {
        lp_features test = features_of(&data, metas[i]);
        lp_evaluation e;
        assert_ok(lp_evaluation_run(probe, &test, LP_PROBABILITY_OVR, 1, &e, &err), &err);
        assert_int_equal(e.groups, 0);
        json_t *d = lp_evaluation_document(&e);
        assert_true(json_is_null(json_object_get(d, "superclasses")));
        json_decref(d);
        lp_evaluation_free(&e);
    }
    lp_probe_free(probe);
    dataset_free(&data);
}

static void memory_runs_out(void **state) {
    (void)state;
    dataset data = dataset_random(N, F, K, 1);
    lp_features test = features_of(&data, "{\"data\": {\"classes\": 4, \"superclass_of\": [1, 1, "
                                          "0, 0], \"superclass_names\": [\"tree\", "
                                          "\"animal\"]}}");
    lp_probe *probe = random_probe();
    lp_evaluation e;
    size_t k = 0;
    lp_status status = LP_ERR_MEMORY;
    while (status != LP_OK) {
        (void)lp_alloc_fail_at(++k);
        status = lp_evaluation_run(probe, &test, LP_PROBABILITY_SOFTMAX, 1, &e, &err);
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || (status == LP_ERR_MEMORY && e.predicted == NULL));
    }
    assert_true(k > 7);
    for (size_t fail = 1; fail <= 3; fail++) { /* confused pairs, the grouped matrix twice */
        (void)lp_alloc_fail_at(fail);
        json_t *d = lp_evaluation_document(&e);
        (void)lp_alloc_fail_at(0);
        assert_null(d);
    }
    lp_evaluation_free(&e);
    lp_probe_free(probe);
    dataset_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(document),
        cmocka_unit_test(superclasses_that_do_not_fit),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
