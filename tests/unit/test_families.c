/* Families of vision transformers: golden features of one model each, the list of what is wrong
 * with a file, and what weights do not tell. */
#include <math.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/parallel.h"
#include "family_cases.h"
#include "laps.h"
#include "linprobe/encoder.h"
#include "model/tower.h"
#include "model_file.h"

static lp_error err;

enum { CASES = sizeof cases / sizeof cases[0] };

/* Of families whose files say something by their names. */
static const char *file_of(const char *family) {
    static const struct {
        const char *family, *file;
    } named[] = {
        {"byol", "pretrain_res50x1"},
        {"timm-efficientnet", "tf_efficientnet_b0"},
        {"timm-efficientnetv2", "tf_efficientnetv2_s"},
        {"torchvision-efficientnet", "efficientnet_b0"},
        {"torchvision-efficientnetv2", "efficientnet_v2_s"},
        {"timm-swinv2", "swinv2_tiny_window8_256"},
        {"hf-swinv2", "swinv2_tiny_patch4_window8_256"},
    };
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) {
        if (strcmp(family, named[i].family) == 0) {
            return named[i].file;
        }
    }
    return family;
}

static lp_checkpoint *open_golden(const char *name) {
    char path[512];
    (void)snprintf(path, sizeof path, "%s/golden/families/%s.safetensors", LP_TEST_DATA, name);
    lp_checkpoint *ckpt;
    assert_ok(lp_checkpoint_open(path, &ckpt, &err), &err);
    return ckpt;
}

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

/* ---- files that are not whole ------------------------------------------------------------------
 */

/* Makes `file` of a golden model's tensors. */
static void copy_golden(const char *name) {
    lp_checkpoint *ckpt = open_golden(name);
    file.count = 0;
    file.nan_in = NULL;
    for (size_t i = 0; i < lp_checkpoint_count(ckpt); i++) {
        const lp_tensor *t = lp_checkpoint_tensor(ckpt, i);
        add(t->name, (size_t)t->rank, t->shape[0], t->shape[1], t->shape[2], t->shape[3]);
    }
    lp_checkpoint_close(ckpt);
}

static void assert_in_message(const char *part) {
    if (strstr(err.text, part) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", part, err.text);
    }
}

static void one_message_names_all_that_is_wrong(void **state) {
    (void)state;
    for (size_t i = 0; i < CASES; i++) {
        const golden_case *c = &cases[i];
        lp_encoder_info info;
        char part[256], other[sizeof file.entries[0].name];
        copy_golden(file_of(c->name));
        drop(c->removed);
        find_entry(c->misshapen)->shape[find_entry(c->misshapen)->rank - 1] += 1;
        (void)snprintf(other, sizeof other, "%s_2", c->renamed);
        (void)snprintf(find_entry(c->renamed)->name, sizeof file.entries[0].name, "%s", other);
        lp_checkpoint *ckpt = open_file();
        assert_fails(lp_encoder_recognise(ckpt, &c->options, &info, &err), LP_ERR_FORMAT, &err,
                     "model.safetensors: not a whole ");
        lp_checkpoint_close(ckpt);
        (void)snprintf(part, sizeof part, "  %s: missing, expected [", c->removed);
        assert_in_message(part);
        (void)snprintf(part, sizeof part, "  %s: missing, expected [", c->renamed);
        assert_in_message(part);
        (void)snprintf(part, sizeof part, "  %s: no such tensor in this family", other);
        assert_in_message(part);
        (void)snprintf(part, sizeof part, "  %s: expected [", c->misshapen);
        assert_in_message(part);
    }
}

static void a_kernel_that_does_not_lie_in_another_is_refused(void **state) {
    (void)state;
    static const char *const small = "stages.1.downsample.proj.0.small_conv.conv.weight";
    lp_encoder_info info;
    for (size_t side = 4; side <= 9; side += 5) { /* even, and larger than 7 */
        copy_golden("timm-fastvit");
        find_entry(small)->shape[2] = find_entry(small)->shape[3] = side;
        lp_checkpoint *ckpt = open_file();
        assert_fails(lp_encoder_recognise(ckpt, NULL, &info, &err), LP_ERR_FORMAT, &err,
                     "small_conv.bn: cannot be added to a kernel of 7 x 7");
        lp_checkpoint_close(ckpt);
    }
}

static void extra_tokens_of_two_kinds_are_refused(void **state) {
    (void)state;
    lp_encoder_info info;
    copy_golden("deit-distilled");
    add("reg_token", 3, 1, 4, 24, 0);
    lp_checkpoint *ckpt = open_file();
    assert_fails(lp_encoder_recognise(ckpt, NULL, &info, &err), LP_ERR_FORMAT, &err,
                 "register tokens of two kinds, or a distillation token beside them");
    lp_checkpoint_close(ckpt);
}

/* ---- what weights do not tell -------------------------------------------------------------------
 */

/* Recognises `file`, or returns the status. */
static lp_status recognise(const lp_encoder_options *options, lp_encoder_info *info) {
    lp_checkpoint *ckpt = open_file();
    lp_status status = lp_encoder_recognise(ckpt, options, info, &err);
    lp_checkpoint_close(ckpt);
    return status;
}

static void write_beside(const char *name, const char *text) {
    const char *path = in_folder(name);
    if (text == NULL) {
        assert_int_equal(remove(path), 0);
        return;
    }
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
    assert_int_equal(fclose(out), 0);
}

static void an_open_activation_is_asked_for(void **state) {
    (void)state;
    static const char *const open[] = {"clip-vit", "hf-clip", "timm-clip"};
    for (size_t i = 0; i < 3; i++) {
        lp_encoder_info info;
        lp_encoder_options options = {TOLD};
        copy_golden(open[i]);
        assert_fails(recognise(&options, &info), LP_ERR_UNSUPPORTED, &err,
                     "the weights do not say which activation was used");
        assert_in_message("choose one: gelu, quick_gelu or gelu_tanh (option 'activation')");
        assert_string_equal(info.activation, "unknown");
        assert_int_equal(info.penultimate, 24); /* the rest is known */
        options.activation = LP_ACTIVATION_GELU;
        assert_ok(recognise(&options, &info), &err);
        assert_string_equal(info.activation, "gelu");
        options.activation = LP_ACTIVATION_QUICK_GELU;
        assert_ok(recognise(&options, &info), &err);
        assert_string_equal(info.activation, "quick_gelu");
    }
}

typedef struct config_case {
    const char *model, *file, *text, *activation; /* NULL: asked for */
    size_t heads;
} config_case;

static void a_config_beside_the_file_answers(void **state) {
    (void)state;
    static const config_case configs[] = {
        {"clip-vit", "open_clip_config.json",
         "{\"model_cfg\":{\"quick_gelu\":true,\"vision_cfg\":{\"width\":24,\"layers\":2,"
         "\"head_width\":6}}}",
         "quick_gelu", 4},
        {"clip-vit", "open_clip_config.json",
         "{\"model_cfg\":{\"vision_cfg\":{\"width\":24,\"layers\":2,\"head_width\":12}}}", "gelu",
         2},
        {"clip-vit", "open_clip_config.json", /* another model's */
         "{\"model_cfg\":{\"vision_cfg\":{\"width\":24,\"layers\":3,\"head_width\":12}}}", NULL, 0},
        {"hf-clip", "config.json",
         "{\"model_type\":\"clip\",\"vision_config\":{\"hidden_size\":24,\"num_hidden_layers\":2,"
         "\"patch_size\":5,\"num_attention_heads\":3,\"hidden_act\":\"gelu\"}}",
         "gelu", 3},
        {"hf-clip", "config.json", /* the default is not written */
         "{\"model_type\":\"clip_vision_model\",\"hidden_size\":24,\"num_hidden_layers\":2,"
         "\"patch_size\":5,\"num_attention_heads\":2}",
         "quick_gelu", 2},
        {"hf-clip", "config.json", /* its default is 768 wide */
         "{\"model_type\":\"clip_vision_model\",\"num_hidden_layers\":2,\"patch_size\":5}", NULL,
         0},
        {"hf-clip", "config.json", "{\"model_type\":\"llama\",\"hidden_size\":24}", NULL, 0},
        {"timm-clip", "config.json",
         "{\"architecture\":\"vit_small_patch5_clip_quickgelu_15\",\"num_features\":24}",
         "quick_gelu", 2},
        {"timm-clip", "config.json",
         "{\"architecture\":\"vit_small_patch5_clip_15\",\"num_features\":24}", "gelu", 2},
        {"timm-clip", "config.json",
         "{\"architecture\":\"vit_small_patch6_clip_15\",\"num_features\":24}", NULL, 0},
    };
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        const config_case *c = &configs[i];
        lp_encoder_info info;
        lp_encoder_options options = {0};
        if (strcmp(c->model, "timm-clip") == 0 || c->activation == NULL) {
            options.heads = 2; /* which these do not tell */
        }
        copy_golden(c->model);
        write_beside(c->file, c->text);
        lp_status status = recognise(&options, &info);
        if (c->activation == NULL) {
            assert_int_equal(status, LP_ERR_UNSUPPORTED);
            assert_in_message("beside it is another model's");
        } else {
            assert_ok(status, &err);
            assert_string_equal(info.activation, c->activation);
            assert_int_equal(info.heads, c->heads);
            assert_string_equal(info.config, c->file);
            options.activation = LP_ACTIVATION_GELU_TANH; /* the caller knows best */
            assert_ok(recognise(&options, &info), &err);
            assert_string_equal(info.activation, "gelu_tanh");
        }
        write_beside(c->file, NULL);
    }
}

static void a_config_that_cannot_be_followed_is_an_error(void **state) {
    (void)state;
    static const struct {
        const char *file, *text, *part;
        lp_status status;
    } configs[] = {
        {"open_clip_config.json", "{", "open_clip_config.json", LP_ERR_FORMAT},
        {"open_clip_config.json",
         "{\"model_cfg\":{\"vision_cfg\":{\"width\":24,\"attentional_pool\":true}}}",
         "attentional_pool", LP_ERR_UNSUPPORTED},
        {"open_clip_config.json",
         "{\"model_cfg\":{\"vision_cfg\":{\"width\":24}},\"preprocess_cfg\":{\"mean\":[0,0,0],"
         "\"std\":[1,1,1],\"interpolation\":\"box\"}}",
         "interpolation \"box\" is not supported", LP_ERR_UNSUPPORTED},
        {"config.json",
         "{\"model_type\":\"clip\",\"hidden_size\":24,\"num_hidden_layers\":2,\"patch_size\":5,"
         "\"hidden_act\":\"relu\"}",
         "hidden_act \"relu\" is not supported", LP_ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        lp_encoder_info info;
        copy_golden("clip-vit");
        write_beside(configs[i].file, configs[i].text);
        assert_fails(recognise(NULL, &info), configs[i].status, &err, configs[i].part);
        write_beside(configs[i].file, NULL);
    }
}

static void preprocessing_comes_from_configs(void **state) {
    (void)state;
    lp_encoder_info info;
    lp_encoder_options options = {TOLD};
    copy_golden("timm-vit");
    assert_ok(recognise(&options, &info), &err);
    assert_non_null(strstr(info.assumed, "mean-std half")); /* says what is assumed */
    assert_true(info.preprocess.mean[0] == 0.5F);
    write_beside("config.json", "{\"architecture\":\"vit_small_patch5_15\",\"num_features\":24,"
                                "\"pretrained_cfg\":{\"input_size\":[3,15,15],\"crop_pct\":0.75,"
                                "\"interpolation\":\"bilinear\",\"crop_mode\":\"squash\","
                                "\"mean\":[0.25,0.5,0.75],\"std\":[1,2,4]}}");
    assert_ok(recognise(&options, &info), &err);
    assert_string_equal(info.assumed, "");
    assert_int_equal(info.preprocess.resize, 20);
    assert_int_equal(info.preprocess.crop, 15);
    assert_true(info.preprocess.squash);
    assert_int_equal(info.preprocess.filter, LP_FILTER_BILINEAR);
    assert_true(info.preprocess.mean[2] == 0.75F && info.preprocess.std[2] == 4.0F);
    options.input_size = 30; /* the same share of the image */
    options.mean_std = LP_MEAN_STD_IMAGENET;
    assert_ok(recognise(&options, &info), &err);
    assert_int_equal(info.preprocess.resize, 40);
    assert_int_equal(info.preprocess.crop, 30);
    assert_true(info.preprocess.mean[2] == 0.406F && info.preprocess.std[2] == 0.225F);
    write_beside("config.json", NULL);

    copy_golden("hf-siglip");
    options = (lp_encoder_options){0};
    write_beside("config.json",
                 "{\"model_type\":\"siglip_vision_model\",\"hidden_size\":24,"
                 "\"num_hidden_layers\":2,\"patch_size\":5,\"num_attention_heads\":2}");
    write_beside("preprocessor_config.json",
                 "{\"size\":{\"height\":15,\"width\":15},\"resample\":2,"
                 "\"image_mean\":[0.5,0.5,0.5],\"image_std\":[0.5,0.5,0.25]}");
    assert_ok(recognise(&options, &info), &err);
    assert_true(info.preprocess.squash && info.preprocess.std[2] == 0.25F);
    assert_int_equal(info.preprocess.filter, LP_FILTER_BILINEAR);
    write_beside("preprocessor_config.json",
                 "{\"size\":{\"shortest_edge\":20},\"crop_size\":15,\"resample\":1,"
                 "\"image_mean\":[0,0,0],\"image_std\":[1,1,1]}");
    assert_ok(recognise(&options, &info), &err);
    assert_true(!info.preprocess.squash);
    assert_int_equal(info.preprocess.filter, LP_FILTER_LANCZOS);
    assert_int_equal(info.preprocess.resize, 20);
    assert_int_equal(info.preprocess.crop, 15);
    write_beside("preprocessor_config.json", NULL);
    write_beside("config.json", NULL);
}

static void what_a_family_cannot_do_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *model, *part;
        lp_encoder_options options;
    } wrong[] = {
        {"timm-siglip",
         "pool cls: this timm-siglip model has no class token",
         {TOLD, .pool = LP_POOL_CLASS}},
        {"dino",
         "pool attention: this dino model has no attention pool",
         {TOLD, .pool = LP_POOL_ATTENTION}},
        {"dino", "layers 2-3: this model has 2, counted from 1", {TOLD, .layers = {2, 3}}},
        {"dino", "layers 0-1: this model has 2, counted from 1", {TOLD, .layers = {0, 1}}},
        {"timm-siglip",
         "layers 1-2: the attention pool is for the last layer, 2, alone",
         {TOLD, .layers = {1, 2}}},
        {"timm-siglip",
         "pool cls+mean: this timm-siglip model has no class token",
         {TOLD, .pool = LP_POOL_CLASS_MEAN}},
        {"dinov2",
         "activation gelu: its MLP is SwiGLU and takes none",
         {TOLD, .activation = LP_ACTIVATION_GELU}},
        {"dino",
         "input size 4: expected a multiple of the patches' 5 pixels",
         {TOLD, .input_size = 4}},
        {"dino", "crop 15 and input size 20", {TOLD, .input_size = 20, .crop = 15}},
        {"dino", "expected at most 4096", {TOLD, .input_size = 5000}},
        {"dino", "width 24: not divisible among 5 heads", {.heads = 5}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        lp_encoder_info info;
        copy_golden(wrong[i].model);
        assert_fails(recognise(&wrong[i].options, &info), LP_ERR_ARGUMENT, &err, wrong[i].part);
    }
}

/* Makes `file` a SigLIP in timm's naming of these dimensions, of the golden one's tensors. */
static void make_siglip(size_t width, size_t layers, size_t inner, size_t patch, size_t grid) {
    static entry blocks[32];
    size_t count = 0;
    copy_golden("timm-siglip");
    for (size_t i = 0; i < file.count; i++) {
        entry *e = &file.entries[i];
        for (size_t d = 0; d < e->rank; d++) {
            size_t *size = &e->shape[d];
            *size = *size == 36       ? inner
                    : *size == 5      ? patch
                    : *size == 9      ? grid * grid
                    : *size % 24 == 0 ? *size / 24 * width
                                      : *size;
        }
        if (strncmp(e->name, "blocks.1.", 9) == 0) {
            blocks[count++] = *e;
        }
    }
    for (size_t layer = 2; layer < layers; layer++) {
        for (size_t i = 0; i < count; i++) {
            const entry *e = &blocks[i];
            char name[128];
            (void)snprintf(name, sizeof name, "blocks.%zu.%s", layer, e->name + 9);
            add(name, e->rank, e->shape[0], e->shape[1], 0, 0);
        }
    }
}

static void siglips_have_the_heads_and_activations_of_timm(void **state) {
    (void)state;
    static const struct {
        size_t width, layers, inner, patch, grid, heads;
        const char *activation, *name;
    } models[] = {
        /* timm vision_transformer.py: vit_base_patch16_siglip_224, vit_base_patch32_siglip_256,
           vit_large_patch16_siglip_512, vit_so400m_patch14_siglip_384,
           vit_so400m_patch16_siglip_256, vit_giantopt_patch16_siglip_256 */
        {768, 12, 3072, 16, 14, 12, "gelu", "SigLIP ViT-B/16"},
        {768, 12, 3072, 32, 8, 12, "gelu_tanh", "SigLIP ViT-B/32@256"},
        {1024, 24, 4096, 16, 32, 16, "gelu_tanh", "SigLIP ViT-L/16@512"},
        {1152, 27, 4304, 14, 27, 16, "gelu", "SigLIP ViT-so400m/14@378"},
        {1152, 27, 4304, 16, 16, 16, "gelu_tanh", "SigLIP ViT-so400m/16@256"},
        {1536, 40, 6144, 16, 16, 16, "gelu_tanh", "SigLIP ViT-g/16@256"},
    };
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        lp_encoder_info info;
        make_siglip(models[i].width, models[i].layers, models[i].inner, models[i].patch,
                    models[i].grid);
        assert_ok(recognise(NULL, &info), &err);
        assert_string_equal(info.name, models[i].name);
        assert_int_equal(info.heads, models[i].heads);
        assert_string_equal(info.activation, models[i].activation);
    }
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    const lp_encoder_options options = {TOLD, .input_size = 10};
    write_beside("config.json", "{\"architecture\":\"vit_small_patch5_15\",\"num_features\":24}");
    copy_golden("dinov2-reg");
    lp_checkpoint *ckpt = open_file();
    lp_encoder *encoder = NULL;
    size_t k = 0;
    lp_status status;
    do {
        (void)lp_alloc_fail_at(++k);
        status = lp_encoder_load(ckpt, &options, &encoder, &err);
        (void)lp_alloc_fail_at(0);
        if (status != LP_OK) {
            assert_int_equal(status, LP_ERR_MEMORY);
            assert_null(encoder);
        }
    } while (status != LP_OK && k < 100);
    assert_int_equal(status, LP_OK);
    assert_true(k > 10); /* configs, and positions in two steps, too */
    lp_encoder_free(encoder);
    lp_checkpoint_close(ckpt);
    write_beside("config.json", NULL);
}

/* Golden models have width 24, two blocks and patches of 5 pixels. */
static void laps_of_gates_and_attention_pools_count_what_their_formulas_say(void **state) {
    (void)state;
    enum { D = 24, B = 2 };
    lp_encoder_info info;
    copy_golden("timm-siglip");
    laps all = run_for_laps(&(lp_encoder_options){TOLD}, B);
    assert_int_equal(recognise(&(lp_encoder_options){TOLD}, &info), LP_OK);
    size_t T = info.tokens, A = info.mlp_width; /* no class token: T patches */
    /* of two blocks, and of the pool's vector */
    assert_operations(&all, "mlp 1", 3, 2 * B * (2 * T + 1) * D * A);
    assert_operations(&all, "mlp 2", 3, 2 * B * (2 * T + 1) * D * A);
    /* keys and values of all tokens; scores and sums of one query; out */
    assert_operations(&all, "pool", 1, 2 * B * (T * D * 2 * D + 2 * T * D + D * D));
    assert_operations(&all, "class attention", 0, 0);

    copy_golden("dinov2");
    const lp_encoder_options gated = {TOLD, .input_size = 10, .pool = LP_POOL_MEAN};
    all = run_for_laps(&gated, B);
    assert_int_equal(recognise(&gated, &info), LP_OK);
    assert_operations(&all, "mlp 1", 2, 2 * 2 * B * info.tokens * D * 2 * info.mlp_width);
    assert_operations(&all, "gate", 2, 0);
    assert_operations(&all, "mlp 2", 2, 2 * 2 * B * info.tokens * D * info.mlp_width);
}

static void kinds_that_are_not_computed_have_names(void **state) {
    (void)state;
    static const struct {
        const char *tensor, *part;
    } kinds[] = {
        {"stages.0.blocks.0.0.cpe1.proj.weight", "a DaViT, which"},
        {"stages.0.0.conv_kxk.0.conv.weight", "a MobileOne, which"},
        {"stages.1.blocks.0.attn.attention_biases", "a LeViT or another network"},
        {"image_encoder.trunk.pos_embed_window", "the Hiera of SAM 2"},
        {"pos_embed_temporal", "a Hiera for videos"},
        {"patch_embed.backbone.stem.conv.weight", "a hybrid of ResNet and ViT"},
        {"embeds.cls_token", "a RADIO model as timm's NaFlex"},
        {"layer1.0.conv1.attn.fc_reduce.weight", "with selective kernels"},
        {"pre_logits.fc1.weight", "a VGG in timm's naming"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        lp_encoder_info info;
        file.count = 0;
        file.nan_in = NULL;
        add(kinds[i].tensor, 2, 4, 4, 0, 0);
        assert_int_equal(recognise(NULL, &info), LP_ERR_UNSUPPORTED);
        assert_in_message(kinds[i].part);
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
        cmocka_unit_test(one_message_names_all_that_is_wrong),
        cmocka_unit_test(kinds_that_are_not_computed_have_names),
        cmocka_unit_test(a_kernel_that_does_not_lie_in_another_is_refused),
        cmocka_unit_test(extra_tokens_of_two_kinds_are_refused),
        cmocka_unit_test(an_open_activation_is_asked_for),
        cmocka_unit_test(a_config_beside_the_file_answers),
        cmocka_unit_test(a_config_that_cannot_be_followed_is_an_error),
        cmocka_unit_test(preprocessing_comes_from_configs),
        cmocka_unit_test(what_a_family_cannot_do_is_refused),
        cmocka_unit_test(siglips_have_the_heads_and_activations_of_timm),
        cmocka_unit_test(laps_of_gates_and_attention_pools_count_what_their_formulas_say),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
