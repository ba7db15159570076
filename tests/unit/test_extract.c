/* Extraction: the numbers are the encoder's, and the same bytes come out for any number of threads
 * and after any interruption or failed allocation. */
#include <math.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "check.h"
#include "draw/generate.h"
#include "test_folder.h"
#include "linprobe/extract.h"
#include "linprobe/features.h"

enum { N = 100 }; /* four batches */

static lp_error err;
static lp_encoder *encoder;
static lp_dataset *data; /* N drawings */
static lp_dataset *few;  /* the first three of them */

static int setup(void **state) {
    lp_checkpoint *ckpt;
    char *bytes;
    size_t size;
    if (make_folder(state) != 0) {
        return 1;
    }
    assert_ok(lp_generate_dataset(test_folder, 1, 1, 1, 1, &err), &err);
    const char *images = in_folder("cifar-100-binary/test.bin"), *three = in_folder("three.bin");
    assert_ok(lp_file_read(images, 1 << 20, &bytes, &size, &err), &err);
    assert_int_equal(size, N * 3074);
    assert_ok(lp_file_write(three, bytes, 3 * 3074, &err), &err);
    assert_ok(lp_dataset_open(images, LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    assert_ok(lp_dataset_open(three, LP_SPLIT_TEST, LP_LABELS_FINE, &few, &err), &err);
    assert_ok(lp_checkpoint_open(LP_TEST_DATA "/golden/encoder/clip.safetensors", &ckpt, &err),
              &err);
    assert_ok(lp_encoder_load(ckpt, NULL, &encoder, &err), &err);
    lp_checkpoint_close(ckpt);
    lp_free(bytes);
    return 0;
}

static int teardown(void **state) {
    lp_dataset_close(data);
    lp_dataset_close(few);
    lp_encoder_free(encoder);
    return remove_folder(state);
}

static lp_extract_options options_for(const char *out, size_t threads) {
    lp_extract_options options = {.out = out, .point = LP_FEATURE_PROJECTED, .threads = threads};
    return options;
}

static void assert_same_file(const char *a, const char *b, const char *name) {
    char *path[2] = {lp_path_join(a, name), lp_path_join(b, name)}, *bytes[2];
    size_t size[2];
    for (int i = 0; i < 2; i++) {
        assert_ok(lp_file_read(path[i], 1 << 24, &bytes[i], &size[i], &err), &err);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    for (int i = 0; i < 2; i++) {
        lp_free(path[i]);
        lp_free(bytes[i]);
    }
}

static void assert_same_set(const char *a, const char *b) {
    assert_same_file(a, b, "features.npy");
    assert_same_file(a, b, "labels.npy");
    assert_same_file(a, b, "meta.json");
}

/* One undisturbed run of one thread, made once. */
static const char *undisturbed(void) {
    static const char *out;
    if (out == NULL) {
        lp_extract_report report;
        out = in_folder("undisturbed");
        lp_extract_options options = options_for(out, 1);
        assert_ok(lp_extract(encoder, data, &options, &report, &err), &err);
        assert_int_equal(report.images, N);
        assert_int_equal(report.computed, N);
        assert_false(report.reused);
    }
    return out;
}

static void features_are_the_encoder_s(void **state) {
    (void)state;
    lp_features *set;
    lp_preprocessor *preprocessor;
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    size_t side = info->preprocess.crop, F = info->projected;
    unsigned char rgb[32 * 32 * 3];
    float *image = lp_alloc(3 * side * side, sizeof *image);
    float *row = lp_alloc(F, sizeof *row);
    float *scratch = lp_alloc(lp_encoder_scratch(encoder, 1), sizeof *scratch);
    assert_true(image != NULL && row != NULL && scratch != NULL);
    assert_ok(lp_features_open(undisturbed(), &set, &err), &err);
    assert_int_equal(set->count, N);
    assert_int_equal(set->width, F);
    assert_ok(lp_preprocessor_new(&info->preprocess, &preprocessor, &err), &err);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(set->labels[i], lp_dataset_labels(data)[i]);
        assert_ok(lp_dataset_image(data, i, rgb, &err), &err);
        assert_ok(lp_preprocessor_run(preprocessor, rgb, 32, 32, image, &err), &err);
        assert_ok(lp_encoder_run(encoder, image, 1, LP_FEATURE_PROJECTED, row, scratch, NULL, &err),
                  &err);
        assert_memory_equal(&set->x[i * F], row, F * sizeof *row); /* the batch does not show */
    }
    const lp_provenance *p = set->provenance;
    assert_true(p->recorded && p->encoder.preprocess.resize == info->preprocess.resize);
    assert_true(p->encoder.preprocess.filter == LP_FILTER_BICUBIC && !p->encoder.preprocess.squash);
    assert_null(p->encoder.resize_rule); /* records are square */
    assert_string_equal(p->encoder.weights.sha256, info->origin.sha256);
    assert_string_equal(p->encoder.feature, "projected");
    lp_preprocessor_free(preprocessor);
    lp_features_close(set);
    lp_free(image);
    lp_free(row);
    lp_free(scratch);
}

static void pixels_are_planes_divided_by_255(void **state) {
    (void)state;
    lp_extract_report report;
    lp_features *set;
    unsigned char rgb[32 * 32 * 3];
    const char *out = in_folder("pixels");
    lp_extract_options options = {.out = out, .threads = 2};
    assert_ok(lp_extract(NULL, data, &options, &report, &err), &err);
    assert_ok(lp_features_open(out, &set, &err), &err);
    assert_int_equal(set->width, 3072);
    for (size_t i = 0; i < N; i += 9) {
        assert_ok(lp_dataset_image(data, i, rgb, &err), &err);
        for (size_t p = 0; p < 1024; p++) {
            for (size_t c = 0; c < 3; c++) {
                assert_true(set->x[i * 3072 + c * 1024 + p] == (float)rgb[3 * p + c] / 255.0F);
            }
        }
    }
    lp_features_close(set);
}

static void threads_do_not_change_the_bytes(void **state) {
    (void)state;
    lp_extract_report report;
    const char *out = in_folder("three");
    lp_extract_options options = options_for(out, 3);
    assert_ok(lp_extract(encoder, data, &options, &report, &err), &err);
    assert_same_set(undisturbed(), out);
}

static void normalized_rows_have_length_one(void **state) {
    (void)state;
    lp_extract_report report;
    lp_features *set;
    const char *out = in_folder("normalized");
    lp_extract_options options = options_for(out, 2);
    options.normalize = true;
    assert_ok(lp_extract(encoder, few, &options, &report, &err), &err);
    assert_ok(lp_features_open(out, &set, &err), &err);
    for (size_t i = 0; i < set->count; i++) {
        double sum = 0;
        for (size_t j = 0; j < set->width; j++) {
            sum += (double)set->x[i * set->width + j] * (double)set->x[i * set->width + j];
        }
        assert_true(fabs(sum - 1) < 1e-6); /* each quotient is rounded to float32 */
    }
    lp_features_close(set);
}

typedef struct stopper {
    size_t calls, stop_at, resumed;
} stopper;

/* The encoder, but the gains of its last layer norm are as large as a float can be. */
static lp_encoder *overflowing(void) {
    static const char tensor[] = "\"visual.ln_post.weight\":";
    char *bytes;
    const char *path = in_folder("overflow.safetensors");
    size_t size, begin, end, header = 0;
    lp_checkpoint *ckpt;
    lp_encoder *large;
    const float gain = 3e38F;
    assert_ok(
        lp_file_read(LP_TEST_DATA "/golden/encoder/clip.safetensors", 1 << 24, &bytes, &size, &err),
        &err);
    for (size_t i = 8; i-- > 0;) {
        header = header << 8 | (unsigned char)bytes[i];
    }
    const char *entry = strstr(bytes + 8, tensor);
    assert_non_null(entry);
    assert_int_equal(
        sscanf(strstr(entry, "data_offsets"), "data_offsets\":[%zu,%zu]", &begin, &end), 2);
    for (size_t at = begin; at < end; at += sizeof gain) {
        memcpy(bytes + 8 + header + at, &gain, sizeof gain);
    }
    assert_ok(lp_file_write(path, bytes, size, &err), &err);
    assert_ok(lp_checkpoint_open(path, &ckpt, &err), &err);
    const lp_encoder_options options = {.activation = LP_ACTIVATION_QUICK_GELU};
    assert_ok(lp_encoder_load(ckpt, &options, &large, &err), &err);
    lp_checkpoint_close(ckpt);
    lp_free(bytes);
    return large;
}

static void features_that_are_no_numbers_are_refused(void **state) {
    (void)state;
    lp_encoder *large = overflowing();
    lp_extract_report report;
    const char *out = in_folder("overflow");
    lp_extract_options options = options_for(out, 1);
    assert_fails(lp_extract(large, few, &options, &report, &err), LP_ERR_DATA, &err,
                 "three.bin: image 0: feature ");
    assert_non_null(strstr(err.text, "the weights do not fit this input"));
    assert_false(lp_is_folder(out));
    lp_encoder_free(large);
}

static bool stop(void *context, uint64_t done, uint64_t total, const char *line) {
    stopper *s = context;
    assert_true(done <= total && line == NULL && (s->calls == 0 || done > s->resumed));
    s->resumed = s->calls == 0 ? done : s->resumed;
    return ++s->calls != s->stop_at;
}

static void stopped_run_goes_on_with_other_threads_and_the_same_bytes(void **state) {
    (void)state;
    const char *out = in_folder("stopped");
    lp_extract_report report;
    stopper s = {.stop_at = 1}; /* before the first image */
    lp_extract_options options = options_for(out, 1);
    options.progress = (lp_progress){stop, &s};
    assert_fails(lp_extract(encoder, data, &options, &report, &err), LP_CANCELLED, &err,
                 "stopped: stopped after 0 of ");
    s = (stopper){.stop_at = 2};
    assert_fails(lp_extract(encoder, data, &options, &report, &err), LP_CANCELLED, &err,
                 "stopped: stopped after ");
    assert_true(s.calls == 2 && s.resumed == 0);
    assert_false(lp_is_folder(out));
    s = (stopper){.stop_at = SIZE_MAX};
    options.threads = 3;
    assert_ok(lp_extract(encoder, data, &options, &report, &err), &err);
    assert_true(s.resumed > 0 && report.computed == N - s.resumed);
    assert_same_set(undisturbed(), out);
}

static void complete_set_is_reused_and_another_is_refused(void **state) {
    (void)state;
    lp_extract_report report;
    lp_extract_options options = options_for(undisturbed(), 2);
    assert_ok(lp_extract(encoder, data, &options, &report, &err), &err);
    assert_true(report.reused);
    assert_int_equal(report.computed, 0);
    options.normalize = true;
    assert_fails(lp_extract(encoder, data, &options, &report, &err), LP_ERR_ARGUMENT, &err,
                 "normalize is false there and true here");
    options.out = test_folder;
    assert_fails(lp_extract(encoder, data, &options, &report, &err), LP_ERR_ARGUMENT, &err,
                 "exists and is not a feature set");
    const char *out = in_folder("x/..");
    options.out = out;
    assert_fails(lp_extract(encoder, data, &options, &report, &err), LP_ERR_ARGUMENT, &err,
                 "x/..: expected the name of a new folder");
}

static void failed_allocations_keep_the_set_resumable(void **state) {
    (void)state;
    lp_extract_report report;
    const char *out = in_folder("memory"), *right = in_folder("right");
    lp_profile profile;
    lp_extract_options options = options_for(right, 1);
    options.profile = &profile; /* its memory can fail as well */
    lp_alloc_fail_at(0);
    assert_ok(lp_extract(encoder, few, &options, &report, &err), &err);
    size_t needed = lp_alloc_fail_at(0);
    assert_true(needed > 10);
    options.out = out;
    size_t failures = 0;
    for (size_t k = 1; k <= needed && !lp_is_folder(out); k++) {
        lp_alloc_fail_at(k);
        lp_status status = lp_extract(encoder, few, &options, &report, &err);
        lp_alloc_fail_at(0);
        if (status == LP_OK) { /* the working files' removal does without memory */
            break;
        }
        failures++;
        assert_int_equal(status, LP_ERR_MEMORY);
        assert_non_null(strstr(err.text, "out of memory"));
    }
    assert_true(failures > 10);
    assert_ok(lp_extract(encoder, few, &options, &report, &err), &err);
    assert_same_set(right, out);
}

/* jansson's memory: its n-th allocation from now on fails. */
static size_t json_calls, json_fail_at;

static void *json_allocate(size_t size) {
    return ++json_calls == json_fail_at ? NULL : malloc(size);
}

static void json_without_memory_is_an_error_and_no_crash(void **state) {
    (void)state;
    lp_extract_report report;
    char name[32];
    const char *right = in_folder("right"); /* of the test before */
    json_set_alloc_funcs(json_allocate, free);
    json_calls = 0;
    const char *out = in_folder("json");
    lp_extract_options options = options_for(out, 1);
    assert_ok(lp_extract(encoder, few, &options, &report, &err), &err);
    size_t needed = json_calls, failures = 0;
    /* the first and last hundred, and every seventh between, which are the names of classes */
    for (size_t k = 1; k <= needed; k += k < 100 || k + 100 > needed ? 1 : 7) {
        (void)snprintf(name, sizeof name, "json-%zu", k);
        out = in_folder(name);
        options.out = out;
        json_calls = 0;
        json_fail_at = k;
        lp_status status = lp_extract(encoder, few, &options, &report, &err);
        json_fail_at = 0;
        if (status == LP_OK) {
            assert_same_set(right, out);
        } else {
            failures++;
            assert_int_equal(status, LP_ERR_MEMORY);
        }
        (void)snprintf(name, sizeof name, "json-%zu.partial", k);
        assert_int_equal(remove_tree(out) + remove_tree(in_folder(name)), 0);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(failures > 50);
}

static void count_lap(void *context, const char *stage, double operations, double bytes) {
    double *sum = context;
    (void)stage;
    (void)bytes;
    *sum += operations;
}

/* Operations of an encoder for one image, by its own laps. */
static double operations_of(const lp_encoder *e) {
    const lp_encoder_info *info = lp_encoder_describe(e);
    size_t side = info->preprocess.crop;
    float *image = lp_alloc_zeroed(3 * side * side, sizeof *image);
    float *row = lp_alloc(info->projected, sizeof *row);
    float *scratch = lp_alloc(lp_encoder_scratch(e, 1), sizeof *scratch);
    double sum = 0;
    const lp_observer observer = {.stage_done = count_lap, .context = &sum};
    assert_true(image != NULL && row != NULL && scratch != NULL);
    assert_ok(lp_encoder_run(e, image, 1, LP_FEATURE_PROJECTED, row, scratch, &observer, &err),
              &err);
    lp_free(image);
    lp_free(row);
    lp_free(scratch);
    return sum;
}

static bool has_stage(const lp_profile *profile, const char *name) {
    for (size_t i = 0; i < profile->count; i++) {
        if (strcmp(profile->stages[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Extracts with a profile and without, on 1, 2 and 3 threads: the same bytes, every operation
 * counted, and the stages' seconds are the threads'. */
static void check_profile(const lp_encoder *e, const char *name) {
    const char *path[4];
    for (size_t threads = 0; threads < 4; threads++) { /* 0: one thread and no profile */
        lp_profile profile;
        lp_extract_report report;
        char out[32];
        (void)snprintf(out, sizeof out, "%s-%zu", name, threads);
        path[threads] = in_folder(out);
        lp_extract_options options = options_for(path[threads], threads > 0 ? threads : 1);
        options.profile = threads > 0 ? &profile : NULL;
        assert_ok(lp_extract(e, data, &options, &report, &err), &err);
        if (threads == 0) {
            continue;
        }
        assert_same_set(path[0], path[threads]);
        double seconds = 0, operations = 0;
        for (size_t i = 0; i < profile.count; i++) {
            seconds += profile.stages[i].seconds;
            operations += profile.stages[i].operations;
            assert_true(profile.stages[i].seconds >= -1e-9);
        }
        assert_int_equal(profile.images, N);
        assert_int_equal(profile.threads, threads);
        assert_true(profile.seconds > 0 && profile.seconds == report.seconds);
        assert_true(fabs(seconds - (double)threads * profile.seconds) < 1e-9 * (1 + seconds));
        assert_true(operations == (e != NULL ? N * operations_of(e) : 0));
        const char *const stages[] = {"start",  "read",  e != NULL ? "resize" : "convert",
                                      "check",  "write", "finish",
                                      "waiting"};
        for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
            assert_true(has_stage(&profile, stages[i]));
        }
        /* nothing computed, nothing measured */
        assert_ok(lp_extract(e, data, &options, &report, &err), &err);
        assert_true(report.reused);
        assert_true(profile.count == 0 && profile.images == 0);
    }
}

static void a_profile_counts_everything_and_changes_nothing(void **state) {
    (void)state;
    lp_checkpoint *ckpt;
    lp_encoder *resnet;
    assert_ok(
        lp_checkpoint_open(LP_TEST_DATA "/golden/encoder/clip-resnet.safetensors", &ckpt, &err),
        &err);
    assert_ok(lp_encoder_load(ckpt, NULL, &resnet, &err), &err);
    lp_checkpoint_close(ckpt);
    assert_true(operations_of(resnet) > 0 && operations_of(encoder) > 0);
    check_profile(resnet, "resnet");
    check_profile(encoder, "vit");
    check_profile(NULL, "pixels");
    lp_encoder_free(resnet);
}

/* ---- the ring of rows ------------------------------------------------------------------------ */

enum { MANY = 25 * N }; /* ten batches of pixels: more than the ring holds for one or two threads */

static lp_dataset *open_many(void) {
    const char *images = in_folder("cifar-100-binary/test.bin"), *many = in_folder("many.bin");
    char *bytes;
    size_t size;
    lp_dataset *set;
    assert_ok(lp_file_read(images, 1 << 20, &bytes, &size, &err), &err);
    char *copies = lp_alloc(MANY / N, size);
    assert_non_null(copies);
    for (size_t i = 0; i < MANY / N; i++) {
        memcpy(copies + i * size, bytes, size);
        copies[i * size + 100] = (char)i; /* no two alike */
    }
    assert_ok(lp_file_write(many, copies, MANY / N * size, &err), &err);
    assert_ok(lp_dataset_open(many, LP_SPLIT_TEST, LP_LABELS_FINE, &set, &err), &err);
    lp_free(copies);
    lp_free(bytes);
    return set;
}

static void assert_pixels(const lp_dataset *set, const char *out) {
    lp_features *features;
    unsigned char rgb[32 * 32 * 3];
    assert_ok(lp_features_open(out, &features, &err), &err);
    assert_int_equal(features->count, MANY);
    for (size_t i = 0; i < MANY; i++) {
        assert_ok(lp_dataset_image(set, i, rgb, &err), &err);
        for (size_t p = 0; p < 32 * 32; p++) {
            assert_true(features->x[i * 3072 + p] == (float)rgb[3 * p] / 255.0F);
        }
    }
    lp_features_close(features);
}

/* Holds up the thread that writes, so that the others fill the ring; stops at the third chunk. */
typedef struct slow_look {
    size_t calls, done;
    bool stops;
} slow_look;

static bool look_slowly(void *context, uint64_t done, uint64_t total, const char *line) {
    slow_look *look = context;
    (void)nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
    assert_true(done <= total && line == NULL && (look->calls == 0 || done > look->done));
    look->done = done;
    return ++look->calls != 4 || !look->stops;
}

static void rows_of_a_full_ring_come_out_in_order(void **state) {
    (void)state;
    lp_dataset *many = open_many();
    for (size_t threads = 1; threads <= 3; threads++) {
        char name[32];
        lp_extract_report report;
        slow_look look = {.stops = true};
        (void)snprintf(name, sizeof name, "ring-%zu", threads);
        const char *path = in_folder(name);
        lp_extract_options options = options_for(path, threads);
        options.progress = (lp_progress){look_slowly, &look};
        lp_status status = lp_extract(NULL, many, &options, &report, &err);
        if (status != LP_OK) { /* not all at once: the rest follows */
            assert_fails(status, LP_CANCELLED, &err, "stopped after ");
            look = (slow_look){.done = 0};
            assert_ok(lp_extract(NULL, many, &options, &report, &err), &err);
            assert_true(report.computed < MANY);
        }
        /* stopped, it is not told that what was under way was the rest */
        assert_true(look.done == MANY || (look.stops && look.calls == 4));
        assert_pixels(many, path);
    }
    lp_dataset_close(many);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_the_encoder_s),
        cmocka_unit_test(pixels_are_planes_divided_by_255),
        cmocka_unit_test(threads_do_not_change_the_bytes),
        cmocka_unit_test(features_that_are_no_numbers_are_refused),
        cmocka_unit_test(normalized_rows_have_length_one),
        cmocka_unit_test(stopped_run_goes_on_with_other_threads_and_the_same_bytes),
        cmocka_unit_test(rows_of_a_full_ring_come_out_in_order),
        cmocka_unit_test(a_profile_counts_everything_and_changes_nothing),
        cmocka_unit_test(complete_set_is_reused_and_another_is_refused),
        cmocka_unit_test(failed_allocations_keep_the_set_resumable),
        cmocka_unit_test(json_without_memory_is_an_error_and_no_crash),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
