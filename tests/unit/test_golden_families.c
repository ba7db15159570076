/* Golden features of one small model of each family: in float32 and in other numbers, for any
 * number of threads and any batch; several blocks and pools side by side. */
#include <math.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "family_cases.h"
#include "linprobe/encoder.h"
#include "model/tower.h"

static lp_error err;

/* The values of a tensor; NULL where there is none. */
static float *values_of(lp_checkpoint *ckpt, const char *name, size_t *rows, size_t *columns) {
    const lp_tensor *tensor = lp_checkpoint_find(ckpt, name);
    if (tensor == NULL) {
        return NULL;
    }
    float *values = lp_alloc(tensor->count, sizeof *values);
    assert_non_null(values);
    lp_tensor_read read = {tensor, values};
    assert_ok(lp_checkpoint_read(ckpt, &read, 1, 0, &err), &err);
    *rows = tensor->shape[0];
    *columns = tensor->count / tensor->shape[0];
    return values;
}

/* Float32 carries 6e-8; a few hundred roundings that add up at random stay below 2e-6.  A wrong
 * eps gives 4e-6 and more, another rule of interpolation 1e-2. */
static const double TOLERANCE = 2e-6;

/* least: what features of another precision differ by. */
static void compare_point(const lp_encoder *encoder, lp_checkpoint *golden, lp_feature_point point,
                          double least, double most) {
    size_t batch, pixels, width;
    float *images = values_of(golden, "images", &batch, &pixels);
    float *expected = values_of(golden, lp_feature_point_name(point), &batch, &width);
    if (expected == NULL) {
        lp_free(images);
        return;
    }
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    assert_int_equal(pixels, 3 * info->input_size * info->input_size);
    assert_int_equal(width, lp_encoder_features(info, point));
    size_t floats = lp_encoder_scratch(encoder, batch);
    float *scratch = lp_alloc(floats + 1, sizeof *scratch);
    float *features = lp_alloc(batch * width + 1, sizeof *features);
    assert_non_null(scratch);
    assert_non_null(features);
    for (size_t i = 0; i < floats; i++) {
        scratch[i] = NAN; /* nothing of it may be read before it is written */
    }
    scratch[floats] = features[batch * width] = -777.0F;
    assert_ok(lp_encoder_run(encoder, images, batch, point, features, scratch, NULL, &err), &err);
    assert_true(scratch[floats] == -777.0F && features[batch * width] == -777.0F);
    double difference = 0, size = 0;
    for (size_t i = 0; i < batch * width; i++) {
        double d = (double)features[i] - (double)expected[i];
        difference += d * d;
        size += (double)expected[i] * (double)expected[i];
    }
    double error = sqrt(difference / size);
    if (!(error >= least && error <= most)) {
        fail_msg("%s, %s, %s: relative error %.2e", info->family, lp_feature_point_name(point),
                 info->precision, error);
    }
    lp_free(images);
    lp_free(expected);
    lp_free(scratch);
    lp_free(features);
}

static void every_family_reproduces_its_reference(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const golden_case *c = &cases[i];
        char features[64];
        lp_encoder *encoder;
        lp_checkpoint *ckpt = open_golden(file_of(c->name));
        if (lp_encoder_load(ckpt, &c->options, &encoder, &err) != LP_OK) {
            fail_msg("%s", err.text);
        }
        const lp_encoder_info *info = lp_encoder_describe(encoder);
        assert_string_equal(info->family, c->name);
        assert_string_equal(info->activation, c->activation);
        assert_string_equal(info->pool, c->pool);
        (void)snprintf(features, sizeof features, "%s-features", c->name);
        lp_checkpoint *golden = open_golden(features);
        compare_point(encoder, golden, LP_FEATURE_PENULTIMATE, 0, TOLERANCE);
        compare_point(encoder, golden, LP_FEATURE_PROJECTED, 0, TOLERANCE);
        lp_checkpoint_close(golden);
        lp_encoder_free(encoder);
        lp_checkpoint_close(ckpt);
    }
}

/* A norm of few values makes one that is nearly 0 of roundings: bounds are several times what one
 * product's rounding gives. */
static const struct {
    lp_precision precision;
    double least, most;
} precisions[] = {{LP_PRECISION_BFLOAT16, 1e-4, 0.02},
                  {LP_PRECISION_INT16, 2e-6, 1e-3},
                  {LP_PRECISION_INT8, 1e-4, 0.04}};

/* Whose layers are all convolutions. */
static bool has_no_int8(const char *family) {
    static const char *const kinds[] = {"efficientnet", "regnet", "seer",    "bit",
                                        "resnet",       "vgg",    "alexnet", "densenet",
                                        "mobilenet",    "simclr", "byol"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strstr(family, kinds[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static void every_family_is_near_in_other_numbers(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES * 3; i++) {
        const golden_case *c = &cases[i / 3];
        char features[64];
        lp_encoder *encoder;
        lp_encoder_options options = c->options;
        options.precision = precisions[i % 3].precision;
        lp_checkpoint *ckpt = open_golden(file_of(c->name));
        if (options.precision == LP_PRECISION_INT8 && has_no_int8(c->name)) {
            assert_fails(lp_encoder_load(ckpt, &options, &encoder, &err), LP_ERR_ARGUMENT, &err,
                         "precision int8");
            lp_checkpoint_close(ckpt);
            continue;
        }
        if (lp_encoder_load(ckpt, &options, &encoder, &err) != LP_OK) {
            fail_msg("%s", err.text);
        }
        (void)snprintf(features, sizeof features, "%s-features", c->name);
        lp_checkpoint *golden = open_golden(features);
        compare_point(encoder, golden, LP_FEATURE_PENULTIMATE, precisions[i % 3].least,
                      precisions[i % 3].most);
        lp_checkpoint_close(golden);
        lp_encoder_free(encoder);
        lp_checkpoint_close(ckpt);
    }
}

/* Seven images in batches on threads that share one encoder. */
typedef struct shared_run {
    const lp_encoder *encoder;
    const float *images;
    float *features, *scratch[3];
    size_t pixels, width, threads, batch;
    atomic_size_t arrived;
} shared_run;
enum { SHARED_IMAGES = 7 };

static lp_status run_batch(void *context, size_t index, size_t worker, lp_error *e) {
    shared_run *r = context;
    size_t first = index * r->batch, left = SHARED_IMAGES - first;
    if (index < r->threads) { /* the first of this thread: all begin together */
        (void)atomic_fetch_add(&r->arrived, 1);
        while (atomic_load(&r->arrived) < r->threads) {
            (void)sched_yield();
        }
    }
    return lp_encoder_run(r->encoder, r->images + first * r->pixels,
                          left < r->batch ? left : r->batch, LP_FEATURE_DEFAULT,
                          r->features + first * r->width, r->scratch[worker], NULL, e);
}

/* The golden images, again and again at other contrasts. */
static float *shared_images(const char *family, size_t *pixels) {
    char name[64];
    size_t batch;
    (void)snprintf(name, sizeof name, "%s-features", family);
    lp_checkpoint *golden = open_golden(name);
    float *few = values_of(golden, "images", &batch, pixels);
    float *images = lp_alloc(SHARED_IMAGES * *pixels, sizeof *images);
    assert_non_null(images);
    for (size_t i = 0; i < SHARED_IMAGES * *pixels; i++) {
        images[i] = few[i % (batch * *pixels)] * (1 + 0.125F * (float)(i / *pixels));
    }
    lp_free(few);
    lp_checkpoint_close(golden);
    return images;
}

/* Loads and runs one model on so many threads. */
static float *features_on(lp_checkpoint *ckpt, const lp_encoder_options *options, size_t threads,
                          const float *images, size_t *width) {
    static const size_t batches[] = {[1] = 4, [2] = 1, [3] = 2}; /* images: 4 + 3, 1 + ..., ... */
    lp_encoder *encoder;
    lp_encoder_options own = *options;
    own.threads = threads;
    assert_ok(lp_encoder_load(ckpt, &own, &encoder, &err), &err);
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    shared_run r = {.encoder = encoder, .images = images, .threads = threads};
    r.batch = batches[threads];
    r.pixels = 3 * info->input_size * info->input_size;
    r.width = *width = lp_encoder_features(info, LP_FEATURE_DEFAULT);
    r.features = lp_alloc(SHARED_IMAGES * r.width, sizeof *r.features);
    assert_non_null(r.features);
    for (size_t t = 0; t < threads; t++) {
        r.scratch[t] = lp_alloc(lp_encoder_scratch(encoder, r.batch), sizeof(float));
        assert_non_null(r.scratch[t]);
    }
    size_t count = (SHARED_IMAGES + r.batch - 1) / r.batch;
    assert_ok(lp_parallel_for(threads, count, run_batch, &r, &err), &err);
    for (size_t t = 0; t < threads; t++) {
        lp_free(r.scratch[t]);
    }
    lp_encoder_free(encoder);
    return r.features;
}

static void bytes_depend_on_neither_threads_nor_batches(void **state) {
    (void)state;
    const size_t least = lp_encoder_least_of_thread;
    lp_encoder_least_of_thread = 1; /* small models are loaded on several threads, too */
    for (size_t i = 0; i < CASES * 4; i++) {
        const golden_case *c = &cases[i / 4];
        lp_encoder_options options = c->options;
        options.precision = (lp_precision)(i % 4);
        if (options.precision == LP_PRECISION_INT8 && has_no_int8(c->name)) {
            continue;
        }
        size_t pixels, width;
        lp_checkpoint *ckpt = open_golden(file_of(c->name));
        float *images = shared_images(c->name, &pixels);
        float *alone = features_on(ckpt, &options, 1, images, &width);
        if (memcmp(alone, alone + width, width * sizeof *alone) == 0) {
            fail_msg("%s, %s: two images, the same features", c->name,
                     lp_precision_name(options.precision));
        }
        for (size_t threads = 2; threads <= 3; threads++) {
            float *shared = features_on(ckpt, &options, threads, images, &width);
            if (memcmp(shared, alone, SHARED_IMAGES * width * sizeof *alone) != 0) {
                fail_msg("%s, %s, %zu threads: other bytes", c->name,
                         lp_precision_name(options.precision), threads);
            }
            lp_free(shared);
        }
        lp_free(alone);
        lp_free(images);
        lp_checkpoint_close(ckpt);
    }
    lp_encoder_least_of_thread = least;
}

/* Features of one golden model's images at the penultimate; *width: of an image. */
static float *features_of(const golden_case *c, const lp_encoder_options *options, size_t *width) {
    size_t batch, pixels;
    char name[64];
    lp_encoder *encoder;
    lp_checkpoint *ckpt = open_golden(file_of(c->name));
    assert_ok(lp_encoder_load(ckpt, options, &encoder, &err), &err);
    lp_checkpoint_close(ckpt);
    (void)snprintf(name, sizeof name, "%s-features", c->name);
    ckpt = open_golden(name);
    float *images = values_of(ckpt, "images", &batch, &pixels);
    lp_checkpoint_close(ckpt);
    *width = lp_encoder_features(lp_encoder_describe(encoder), LP_FEATURE_PENULTIMATE);
    float *features = lp_alloc(batch * *width, sizeof *features);
    float *scratch = lp_alloc(lp_encoder_scratch(encoder, batch), sizeof *scratch);
    assert_non_null(features);
    assert_non_null(scratch);
    assert_ok(lp_encoder_run(encoder, images, batch, LP_FEATURE_PENULTIMATE, features, scratch,
                             NULL, &err),
              &err);
    lp_free(images);
    lp_free(scratch);
    lp_encoder_free(encoder);
    return features;
}

/* Several blocks' vectors are those of each by itself, and the last one's is the plain feature. */
static void described_blocks_stand_side_by_side(void **state) {
    (void)state;
    static const char *const with_blocks[] = {"dinov3", "eva", "beit", "timm-aimv2"};
    size_t seen = 0;
    for (size_t i = 0; i < CASES; i++) {
        const golden_case *c = &cases[i];
        bool has = false;
        for (size_t k = 0; k < sizeof with_blocks / sizeof with_blocks[0]; k++) {
            has = has || strcmp(c->name, with_blocks[k]) == 0;
        }
        if (!has) {
            continue;
        }
        size_t width, both_width;
        lp_encoder_options options = c->options;
        float *plain = features_of(c, &options, &width);
        options.layers = (lp_layers){1, 1};
        float *first = features_of(c, &options, &width);
        options.layers = (lp_layers){1, 2};
        float *both = features_of(c, &options, &both_width);
        assert_int_equal(both_width, 2 * width);
        for (size_t image = 0; image < 2; image++) {
            const float *row = both + image * both_width;
            assert_memory_equal(row, first + image * width, width * sizeof *row);
            assert_memory_equal(row + width, plain + image * width, width * sizeof *row);
        }
        assert_memory_not_equal(first, plain, width * sizeof *first);
        lp_free(plain);
        lp_free(first);
        lp_free(both);
        seen++;
    }
    assert_int_equal(seen, 4);
}

/* The class token's vector, then the mean's. */
static void a_described_class_token_and_mean_stand_side_by_side(void **state) {
    (void)state;
    const golden_case *c = cases;
    while (strcmp(c->name, "dinov3") != 0) {
        c++;
    }
    size_t width, both_width;
    lp_encoder_options options = c->options;
    options.pool = LP_POOL_CLASS;
    float *class = features_of(c, &options, &width);
    options.pool = LP_POOL_MEAN;
    float *mean = features_of(c, &options, &width);
    options.pool = LP_POOL_CLASS_MEAN;
    float *both = features_of(c, &options, &both_width);
    assert_int_equal(both_width, 2 * width);
    for (size_t image = 0; image < 2; image++) {
        const float *row = both + image * both_width;
        assert_memory_equal(row, class + image * width, width * sizeof *row);
        assert_memory_equal(row + width, mean + image * width, width * sizeof *row);
    }
    lp_free(class);
    lp_free(mean);
    lp_free(both);
}

static void blocks_that_are_not_computed_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *name, *part;
        lp_layers layers;
    } refused[] = {
        {"dinov3", "layers 2-9: this model has 2, counted from 1", {2, 9}},
        {"pe-core", "layers 1-2: the attention pool is for the last layer, 2, alone", {1, 2}},
        {"timm-swin", "layers 1-2: of a Swin the last one alone", {1, 2}},
        {"timm-convnext", "of a ConvNeXt the last one alone", {1, 1}},
    };
    for (size_t i = 0; i < CASES; i++) {
        for (size_t k = 0; k < sizeof refused / sizeof refused[0]; k++) {
            if (strcmp(cases[i].name, refused[k].name) == 0) {
                lp_encoder_info info;
                lp_encoder_options options = cases[i].options;
                options.layers = refused[k].layers;
                lp_checkpoint *ckpt = open_golden(file_of(cases[i].name));
                assert_fails(lp_encoder_recognise(ckpt, &options, &info, &err), LP_ERR_ARGUMENT,
                             &err, refused[k].part);
                lp_checkpoint_close(ckpt);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_family_reproduces_its_reference),
        cmocka_unit_test(every_family_is_near_in_other_numbers),
        cmocka_unit_test(bytes_depend_on_neither_threads_nor_batches),
        cmocka_unit_test(described_blocks_stand_side_by_side),
        cmocka_unit_test(a_described_class_token_and_mean_stand_side_by_side),
        cmocka_unit_test(blocks_that_are_not_computed_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
