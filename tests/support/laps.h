/* Laps of an encoder, added up by stage, of the checkpoint of zeros in model_file.h's `file`. */
#ifndef LP_TESTS_LAPS_H
#define LP_TESTS_LAPS_H

#include "base/alloc.h"
#include "linprobe/encoder.h"
#include "model_file.h"

typedef struct lap_sum {
    const char *stage;
    double operations, bytes;
    size_t times;
} lap_sum;

typedef struct laps {
    lap_sum sums[16];
    size_t count;
    const char *first, *last;
} laps;

static inline void add_lap(void *context, const char *stage, double operations, double bytes) {
    laps *all = context;
    size_t i = 0;
    while (i < all->count && strcmp(all->sums[i].stage, stage) != 0) {
        i++;
    }
    assert_true(i < 16);
    all->count += i == all->count;
    all->sums[i].stage = stage;
    all->sums[i].operations += operations;
    all->sums[i].bytes += bytes;
    all->sums[i].times++;
    all->first = all->first == NULL ? stage : all->first;
    all->last = stage;
    assert_true(bytes > 0);
}

static inline lap_sum sum_of(const laps *all, const char *stage) {
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->sums[i].stage, stage) == 0) {
            return all->sums[i];
        }
    }
    return (lap_sum){.stage = stage};
}

static inline void assert_operations(const laps *all, const char *stage, size_t times,
                                     size_t expected) {
    lap_sum sum = sum_of(all, stage);
    if (sum.times != times || (size_t)sum.operations != expected) {
        fail_msg("%s: %zu laps and %.0f operations, expected %zu and %zu", stage, sum.times,
                 sum.operations, times, expected);
    }
}

/* The laps of the model of zeros in `file`, on B images; seen or not, the features are the same. */
static inline laps run_for_laps(const lp_encoder_options *options, size_t B) {
    laps all = {0};
    lp_error err;
    lp_encoder *encoder;
    lp_checkpoint *ckpt = open_file();
    assert_ok(lp_encoder_load(ckpt, options, &encoder, &err), &err);
    lp_checkpoint_close(ckpt);
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    lp_feature_point point = info->default_point;
    size_t pixels = 3 * info->input_size * info->input_size;
    size_t width = lp_encoder_features(info, point);
    float *images = lp_alloc_zeroed(B * pixels, sizeof *images);
    float *features = lp_alloc(2 * B * width, sizeof *features);
    float *scratch = lp_alloc(lp_encoder_scratch(encoder, B), sizeof *scratch);
    const lp_observer observer = {.stage_done = add_lap, .context = &all}, blind = {0};
    assert_true(images != NULL && features != NULL && scratch != NULL);
    assert_ok(lp_encoder_run(encoder, images, B, point, features, scratch, &observer, &err), &err);
    assert_ok(
        lp_encoder_run(encoder, images, B, point, features + B * width, scratch, &blind, &err),
        &err);
    assert_memory_equal(features, features + B * width, B * width * sizeof *features);
    lp_free(images);
    lp_free(features);
    lp_free(scratch);
    lp_encoder_free(encoder);
    return all;
}

#endif
