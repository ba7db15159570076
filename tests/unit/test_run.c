/* The whole way in one call: it does what its steps do, reuses what is there, and goes on after a
 * stop. */
#include <math.h>

#include "base/alloc.h"
#include "base/file.h"
#include "check.h"
#include "draw/generate.h"
#include "linprobe/run.h"
#include "test_folder.h"

static const char model[] = LP_TEST_DATA "/golden/encoder/clip.safetensors";

static lp_error err;
static lp_dataset *train, *test; /* 3 and 2 drawings of each class */

static int setup(void **state) {
    if (make_folder(state) != 0) {
        return 1;
    }
    assert_ok(lp_generate_dataset(test_folder, 1, 3, 2, 1, &err), &err);
    const char *data = in_folder("cifar-100-binary");
    assert_ok(lp_dataset_open(data, LP_SPLIT_TRAIN, LP_LABELS_FINE, &train, &err), &err);
    assert_ok(lp_dataset_open(data, LP_SPLIT_TEST, LP_LABELS_FINE, &test, &err), &err);
    return 0;
}

static int teardown(void **state) {
    lp_dataset_close(train);
    lp_dataset_close(test);
    return remove_folder(state);
}

static lp_fit_options fits[2];

/* Two probes, everything in folders of this name. */
static lp_run_options options_in(const char *name) {
    char path[64];
    lp_fit_defaults(&fits[0]);
    fits[1] = fits[0];
    fits[1].solver = LP_SOLVER_OVR;
    lp_run_options o = {.model = model,
                        .train = train,
                        .test = test,
                        .fits = fits,
                        .fit_count = 2,
                        .command = "test",
                        .threads = 2};
    (void)snprintf(path, sizeof path, "%s-cache", name);
    o.cache = in_folder(path);
    o.out = in_folder(name);
    return o;
}

/* What was reported, and when to stop. */
typedef struct observer {
    size_t stages, images, reused, stop_after; /* 0: never */
    size_t calls;
} observer;

static void begin(void *context, const char *what, const char *unit) {
    observer *o = context;
    assert_true((what == NULL) == (unit == NULL));
    o->stages += what != NULL;
}

static bool step(void *context, uint64_t done, uint64_t total, const char *line) {
    observer *o = context;
    assert_true(done <= total || total == 0);
    o->reused += line != NULL && strstr(line, "already") != NULL;
    return o->stop_after == 0 || ++o->calls < o->stop_after;
}

static lp_watch watch_of(observer *o) {
    return (lp_watch){.stage = begin, .progress = {step, o}};
}

static void a_run_is_its_steps(void **state) {
    (void)state;
    lp_run_options options = options_in("whole");
    observer seen = {0};
    lp_run *run;
    options.watch = watch_of(&seen);
    assert_ok(lp_run_pipeline(&options, &run, &err), &err);
    assert_true(seen.stages == 4 && seen.reused == 0); /* train, test, two fits */
    assert_int_equal(run->count, 2);
    assert_int_equal(run->train->count, 300);
    assert_int_equal(run->test->count, 200);
    assert_true(run->converged && run->sweep == NULL && run->images_per_second > 0);
    const lp_provenance *p = run->test->provenance;
    assert_true(p->recorded && p->data.split == LP_SPLIT_TEST);
    assert_string_equal(p->encoder.weights.path, model);
    assert_string_equal(p->command, "test");
    for (size_t i = 0; i < 2; i++) {
        const lp_run_probe *r = &run->probes[i];
        lp_probe *alone;
        lp_fit_report report;
        lp_score score;
        const lp_examples set = lp_features_examples(run->train);
        const lp_examples checked = lp_features_examples(run->test);
        assert_int_equal(lp_probe_solver(r->probe), fits[i].solver);
        assert_ok(lp_probe_fit(&set, &fits[i], &alone, &report, &err), &err);
        assert_memory_equal(lp_probe_weights(alone), lp_probe_weights(r->probe),
                            lp_probe_classes(alone) * lp_probe_width(alone) * sizeof(double));
        assert_ok(lp_probe_score(alone, &checked, 1, &score, &err), &err);
        assert_int_equal(score.correct, r->evaluation.metrics.score.correct);
        assert_true(score.correct > 0);
        const lp_training *t = lp_probe_training(r->probe);
        assert_string_equal(t->train.sha256, run->train->digest);
        assert_non_null(t->blas_kernel);
        lp_probe_free(alone);
    }
    assert_true(lp_is_folder(run->folder));
    lp_run_free(run);
}

static void what_is_there_is_reused(void **state) {
    (void)state;
    lp_run_options options = options_in("whole"); /* of the test before */
    observer seen = {0};
    lp_run *run;
    options.watch = watch_of(&seen);
    assert_ok(lp_run_pipeline(&options, &run, &err), &err);
    assert_int_equal(seen.reused, 4); /* two sets, two probes */
    assert_true(run->probes[0].report.seconds == 0 && run->probes[0].report.converged);
    assert_true(run->probes[0].report.iterations > 0);
    lp_run_free(run);
    fits[0].C = 0.5; /* another fit, the same features */
    seen = (observer){0};
    assert_ok(lp_run_pipeline(&options, &run, &err), &err);
    assert_int_equal(seen.reused, 3);
    assert_true(run->probes[0].options.C == 0.5);
    lp_run_free(run);
}

/* Stopped at each of its reports in turn, the run ends with the same probe. */
static void a_stopped_run_goes_on(void **state) {
    (void)state;
    lp_run_options whole = options_in("whole"), options = options_in("stopped");
    lp_run *run, *right;
    lp_status status = LP_CANCELLED;
    size_t stops = 0;
    whole.fit_count = options.fit_count = 1;
    assert_ok(lp_run_pipeline(&whole, &right, &err), &err);
    for (size_t k = 1; status != LP_OK; k++) {
        observer seen = {.stop_after = k};
        options.watch = watch_of(&seen);
        status = lp_run_pipeline(&options, &run, &err);
        assert_true(status == LP_OK || (status == LP_CANCELLED && run == NULL));
        stops += status == LP_CANCELLED;
    }
    assert_true(stops > 4);
    assert_string_equal(run->train->digest, right->train->digest);
    assert_memory_equal(lp_probe_weights(run->probes[0].probe),
                        lp_probe_weights(right->probes[0].probe), 8 * 100);
    lp_run_free(run);
    lp_run_free(right);
}

static void name_it(void *context, const lp_run *run, char *name, size_t room) {
    (void)context;
    (void)snprintf(name, room, "named-%s", run->train->provenance->data.name);
}

static void C_can_be_chosen(void **state) {
    (void)state;
    lp_run_options options = options_in("chosen");
    lp_run *run;
    lp_sweep_defaults(&options.search);
    options.search.low = -2;
    options.search.high = 2;
    options.search.steps = 1;
    options.search.folds = 3;
    options.sweep = true;
    options.name = name_it;
    assert_ok(lp_run_pipeline(&options, &run, &err), &err);
    assert_non_null(run->sweep);
    assert_true(run->probes[0].options.C == run->sweep->points[run->sweep->best].C);
    assert_true(run->probes[1].options.C == run->probes[0].options.C);
    assert_non_null(strstr(run->folder, "/chosen/named-CIFAR-100"));
    lp_run_free(run);
}

static void an_opened_checkpoint_takes_the_place_of_its_path(void **state) {
    (void)state;
    lp_run_options options = options_in("opened");
    lp_checkpoint *ckpt;
    lp_run *by_path, *run;
    assert_ok(lp_run_pipeline(&options, &by_path, &err), &err);
    assert_ok(lp_run_open_model(model, &options.encoder, options.point, &ckpt, &err), &err);
    options = options_in("opened-first");
    options.model = "nothing.pt";
    options.checkpoint = &ckpt;
    assert_ok(lp_run_pipeline(&options, &run, &err), &err);
    assert_null(ckpt);
    assert_string_equal(run->train->digest, by_path->train->digest);
    lp_run_free(run);
    lp_run_free(by_path);
    assert_fails(lp_run_open_model("nothing.pt", NULL, LP_FEATURE_DEFAULT, &ckpt, &err), LP_ERR_IO,
                 &err, "nothing.pt");
    assert_null(ckpt);
}

static void failures_say_what_is_wrong(void **state) {
    (void)state;
    lp_run_options options = options_in("wrong");
    lp_run *run;
    options.model = "nothing.pt";
    assert_fails(lp_run_pipeline(&options, &run, &err), LP_ERR_IO, &err, "nothing.pt");
    assert_null(run);
    options.model = model;
    fits[1].C = -1;
    assert_fails(lp_run_pipeline(&options, &run, &err), LP_ERR_ARGUMENT, &err, "C -1");
    assert_null(run);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    lp_run_options options = options_in("memory");
    lp_run *run;
    lp_status status = LP_ERR_MEMORY;
    options.threads = 1;
    options.encoder.threads = 1;
    for (size_t k = 1; status != LP_OK; k++) {
        (void)lp_alloc_fail_at(k);
        status = lp_run_pipeline(&options, &run, &err);
        (void)lp_alloc_fail_at(0);
        /* a probe that cannot be loaded for want of memory is trained again */
        assert_true(status == LP_OK || (status == LP_ERR_MEMORY && run == NULL));
    }
    lp_run_free(run);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_its_steps),
        cmocka_unit_test(what_is_there_is_reused),
        cmocka_unit_test(a_stopped_run_goes_on),
        cmocka_unit_test(C_can_be_chosen),
        cmocka_unit_test(an_opened_checkpoint_takes_the_place_of_its_path),
        cmocka_unit_test(failures_say_what_is_wrong),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
