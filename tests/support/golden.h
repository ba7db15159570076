/* Golden models: small encoders with the activations that PyTorch computed for them in float64
 * (tests/golden/encoder), run as unkindly as can be. */
#ifndef LP_TESTS_GOLDEN_H
#define LP_TESTS_GOLDEN_H

#include <math.h>

#include "base/alloc.h"
#include "linprobe/encoder.h"
#include "check.h"

typedef struct golden {
    lp_checkpoint *activations;
    lp_encoder *encoder;
    size_t batch;
    float *images, *features, *scratch;
    size_t scratch_floats;
    size_t stages; /* seen by the tap */
} golden;

static lp_error golden_err;

static inline lp_checkpoint *open_golden(const char *name) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/golden/encoder/%s.safetensors", LP_TEST_DATA, name);
    lp_checkpoint *ckpt;
    assert_ok(lp_checkpoint_open(path, &ckpt, &golden_err), &golden_err);
    return ckpt;
}

static inline float *golden_values(golden *g, const char *stage, size_t count) {
    const lp_tensor *tensor = lp_checkpoint_find(g->activations, stage);
    if (tensor == NULL || (count > 0 && tensor->count != count)) {
        fail_msg("no golden \"%s\" of %zu values", stage, count);
    }
    float *values = lp_alloc(tensor->count, sizeof *values);
    assert_non_null(values);
    lp_tensor_read read = {tensor, values};
    assert_ok(lp_checkpoint_read(g->activations, &read, 1, 0, &golden_err), &golden_err);
    return values;
}

static const float GUARD = -777.0F;

static inline golden load_golden(const char *name, const lp_encoder_options *options) {
    golden g = {0};
    char activations[64];
    (void)snprintf(activations, sizeof activations, "%s-activations", name);
    lp_checkpoint *ckpt = open_golden(name);
    assert_ok(lp_encoder_load(ckpt, options, &g.encoder, &golden_err), &golden_err);
    lp_checkpoint_close(ckpt);
    g.activations = open_golden(activations);
    g.batch = lp_checkpoint_find(g.activations, "images")->shape[0];
    g.images = golden_values(&g, "images", 0);
    g.features = lp_alloc(g.batch * 1024, sizeof(float));
    g.scratch_floats = lp_encoder_scratch(g.encoder, g.batch);
    g.scratch = lp_alloc(g.scratch_floats + 1, sizeof(float));
    assert_non_null(g.features);
    assert_non_null(g.scratch);
    return g;
}

static inline void free_golden(golden *g) {
    lp_encoder_free(g->encoder);
    lp_checkpoint_close(g->activations);
    lp_free(g->images);
    lp_free(g->features);
    lp_free(g->scratch);
}

/* A run in scratch memory full of NaN, behind it a guard: nothing of it may be read before it is
 * written, and nothing past its end touched. */
static inline void run(golden *g, lp_feature_point point, const lp_observer *observer) {
    for (size_t i = 0; i < g->scratch_floats; i++) {
        g->scratch[i] = NAN;
    }
    g->scratch[g->scratch_floats] = GUARD;
    size_t width = lp_encoder_features(lp_encoder_describe(g->encoder), point);
    g->features[g->batch * width] = GUARD;
    assert_ok(lp_encoder_run(g->encoder, g->images, g->batch, point, g->features, g->scratch,
                             observer, &golden_err),
              &golden_err);
    assert_true(g->scratch[g->scratch_floats] == GUARD);
    assert_true(g->features[g->batch * width] == GUARD);
}

static inline double relative_error(const float *found, const float *expected, size_t count) {
    double difference = 0, size = 0;
    for (size_t i = 0; i < count; i++) {
        double d = (double)found[i] - (double)expected[i];
        difference += d * d;
        size += (double)expected[i] * (double)expected[i];
    }
    return sqrt(difference / size);
}

/* Float32 carries 6e-8; a few hundred roundings that add up at random stay below 2e-6, and a wrong
 * eps (1e-5 for 1e-6) or activation gives 4e-6 and more. */
static const double TOLERANCE = 2e-6;

static inline void compare_stage(void *context, const char *stage, const float *values, size_t rows,
                                 size_t columns) {
    golden *g = context;
    float *expected = golden_values(g, stage, rows * columns);
    double error = relative_error(values, expected, rows * columns);
    lp_free(expected);
    if (!(error <= TOLERANCE)) {
        fail_msg("stage \"%s\": relative error %.2e", stage, error);
    }
    g->stages++;
}

static inline void golden_stages_are_reproduced(const char *name, size_t points,
                                                const lp_encoder_options *options) {
    golden g = load_golden(name, options);
    for (size_t p = 0; p < points; p++) {
        lp_feature_point point = p == 0 ? LP_FEATURE_PENULTIMATE : LP_FEATURE_PROJECTED;
        lp_observer observer = {.observe_stage = compare_stage, .context = &g};
        g.stages = 0;
        run(&g, point, &observer);
        /* every stage of the file; "images" is none, "projected" only at its own point */
        assert_int_equal(g.stages,
                         lp_checkpoint_count(g.activations) - 1 - (points == 2 && p == 0 ? 1 : 0));
        size_t width = lp_encoder_features(lp_encoder_describe(g.encoder), point);
        float *expected = golden_values(&g, lp_feature_point_name(point), g.batch * width);
        assert_true(relative_error(g.features, expected, g.batch * width) <= TOLERANCE);
        lp_free(expected);
    }
    free_golden(&g);
}

#endif
