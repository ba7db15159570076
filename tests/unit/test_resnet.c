/* ResNet towers: golden activations of three small models, recognising models by names and shapes,
 * and what a run promises. */
#include "base/alloc.h"
#include "golden.h"
#include "laps.h"
#include "model_file.h"

static lp_error err;

static lp_encoder_info recognised(void) {
    lp_encoder_info info;
    lp_checkpoint *ckpt = open_file();
    assert_ok(lp_encoder_recognise(ckpt, NULL, &info, &err), &err);
    lp_checkpoint_close(ckpt);
    return info;
}

static void assert_refused(lp_status status, const char *part) {
    lp_encoder_info info;
    lp_encoder *encoder;
    lp_checkpoint *ckpt = open_file();
    assert_fails(lp_encoder_recognise(ckpt, NULL, &info, &err), status, &err, part);
    assert_fails(lp_encoder_load(ckpt, NULL, &encoder, &err), status, &err, part);
    assert_null(encoder);
    lp_checkpoint_close(ckpt);
}

/* ---- files ----------------------------------------------------------------------------------- */

static void add_norm(const char *prefix, const char *name, size_t channels) {
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    char whole[96];
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(whole, sizeof whole, "%s%s.%s", prefix, name, parts[i]);
        add(whole, 1, channels, 0, 0, 0);
    }
    (void)snprintf(whole, sizeof whole, "%s%s.num_batches_tracked", prefix, name);
    add(whole, 0, 0, 0, 0, 0);
    file.entries[file.count - 1].dtype = "I64";
}

static void add_conv(const char *prefix, const char *name, size_t out, size_t in, size_t side) {
    char whole[96];
    (void)snprintf(whole, sizeof whole, "%s%s.weight", prefix, name);
    add(whole, 4, out, in, side, side);
}

typedef struct dims {
    bool clip, bottleneck;
    size_t blocks[4], stem, inside, outside, group;
} dims;

static void make_blocks(const char *prefix, const dims *d) {
    size_t before = d->stem;
    for (size_t s = 0; s < 4; s++) {
        size_t inside = d->inside << s, outside = d->outside << s;
        for (size_t b = 0; b < d->blocks[s]; b++, before = outside) {
            char at[64];
            (void)snprintf(at, sizeof at, "%slayer%zu.%zu.", prefix, s + 1, b);
            add_conv(at, "conv1", inside, before, d->bottleneck ? 1 : 3);
            add_norm(at, "bn1", inside);
            if (d->bottleneck) {
                add_conv(at, "conv2", inside, d->group << s, 3);
                add_norm(at, "bn2", inside);
                add_conv(at, "conv3", outside, inside, 1);
                add_norm(at, "bn3", outside);
            } else {
                add_conv(at, "conv2", outside, inside, 3);
                add_norm(at, "bn2", outside);
            }
            if (b == 0 && (s > 0 || d->bottleneck)) {
                add_conv(at, "downsample.0", outside, before, 1);
                add_norm(at, "downsample.1", outside);
            }
        }
    }
}

static void make_torchvision(const dims *d) {
    file.count = 0;
    file.nan_in = NULL;
    add_conv("", "conv1", d->stem, 3, 7);
    add_norm("", "bn1", d->stem);
    make_blocks("", d);
    add("fc.weight", 2, 1000, 8 * d->outside, 0, 0); /* ignored */
    add("fc.bias", 1, 1000, 0, 0, 0);
}

static void add_linear(const char *name, size_t out, size_t in) {
    char whole[96];
    (void)snprintf(whole, sizeof whole, "visual.attnpool.%s.weight", name);
    add(whole, 2, out, in, 0, 0);
    (void)snprintf(whole, sizeof whole, "visual.attnpool.%s.bias", name);
    add(whole, 1, out, 0, 0, 0);
}

static void make_clip(const size_t blocks[4], size_t width, size_t grid, size_t embedding) {
    const dims d = {.clip = true,
                    .bottleneck = true,
                    .blocks = {blocks[0], blocks[1], blocks[2], blocks[3]},
                    .stem = width,
                    .inside = width,
                    .outside = 4 * width,
                    .group = width};
    file.count = 0;
    file.nan_in = NULL;
    add_conv("visual.", "conv1", width / 2, 3, 3);
    add_norm("visual.", "bn1", width / 2);
    add_conv("visual.", "conv2", width / 2, width / 2, 3);
    add_norm("visual.", "bn2", width / 2);
    add_conv("visual.", "conv3", width, width / 2, 3);
    add_norm("visual.", "bn3", width);
    make_blocks("visual.", &d);
    add("visual.attnpool.positional_embedding", 2, grid * grid + 1, 32 * width, 0, 0);
    add_linear("q_proj", 32 * width, 32 * width);
    add_linear("k_proj", 32 * width, 32 * width);
    add_linear("v_proj", 32 * width, 32 * width);
    add_linear("c_proj", embedding, 32 * width);
    add("token_embedding.weight", 2, 49408, 512, 0, 0); /* text: ignored */
    add("transformer.resblocks.0.ln_1.weight", 1, 512, 0, 0, 0);
    add("logit_scale", 0, 0, 0, 0, 0);
}

static const size_t small_blocks[4] = {1, 2, 1, 1};

static const dims small_basic = {false, false, {2, 1, 1, 1}, 4, 4, 4, 4};
static const dims small_bottleneck = {false, true, {1, 2, 1, 1}, 4, 4, 16, 4};

/* ---- recognising ----------------------------------------------------------------------------- */

static void clip_models_are_recognised_and_named(void **state) {
    (void)state;
    static const struct {
        size_t blocks[4], width, grid, embedding, parameters;
        const char *name;
    } clips[] = {/* parameters: of the image encoder, from open_clip */
                 {{3, 4, 6, 3}, 64, 7, 1024, 38316896, "CLIP RN50"},
                 {{3, 4, 23, 3}, 64, 7, 512, 56259936, "CLIP RN101"},
                 {{4, 6, 10, 6}, 80, 9, 640, 87137080, "CLIP RN50x4"},
                 {{6, 8, 18, 8}, 96, 12, 768, 167328912, "CLIP RN50x16"},
                 {{3, 15, 36, 10}, 128, 14, 1024, 420380352, "CLIP RN50x64"},
                 {{1, 2, 1, 1}, 4, 2, 6, 0, "CLIP RN 4x(1,2,1,1)@64"}};
    for (size_t i = 0; i < sizeof clips / sizeof clips[0]; i++) {
        make_clip(clips[i].blocks, clips[i].width, clips[i].grid, clips[i].embedding);
        lp_encoder_info info = recognised();
        assert_string_equal(info.name, clips[i].name);
        assert_string_equal(info.family, "clip-resnet");
        assert_string_equal(info.activation, "relu");
        assert_string_equal(info.pool, "attention");
        assert_true(info.norm_eps == 1e-5F);
        assert_int_equal(info.input_size, 32 * clips[i].grid);
        assert_int_equal(info.preprocess.resize, info.input_size);
        assert_int_equal(info.preprocess.crop, info.input_size);
        assert_int_equal(info.preprocess.filter, LP_FILTER_BICUBIC);
        assert_true(info.preprocess.mean[1] == 0.4578275F);
        assert_int_equal(info.heads, clips[i].width / 2);
        assert_int_equal(info.projected, clips[i].embedding);
        assert_int_equal(info.penultimate, 32 * clips[i].width);
        assert_int_equal(info.default_point, LP_FEATURE_PROJECTED);
        assert_true(info.batch >= 1 && info.batch <= 4);
        if (clips[i].parameters > 0) {
            assert_int_equal(info.parameters, clips[i].parameters);
        }
    }
}

static void torchvision_models_are_recognised_and_named(void **state) {
    (void)state;
    static const struct {
        dims d;
        size_t parameters;
        const char *name;
    } models[] = {/* parameters: torchvision's without fc */
                  {{false, false, {2, 2, 2, 2}, 64, 64, 64, 64}, 11176512, "ResNet-18"},
                  {{false, false, {3, 4, 6, 3}, 64, 64, 64, 64}, 21284672, "ResNet-34"},
                  {{false, true, {3, 4, 6, 3}, 64, 64, 256, 64}, 23508032, "ResNet-50"},
                  {{false, true, {3, 4, 23, 3}, 64, 64, 256, 64}, 42500160, "ResNet-101"},
                  {{false, true, {3, 8, 36, 3}, 64, 64, 256, 64}, 58143808, "ResNet-152"},
                  {{false, true, {3, 4, 6, 3}, 64, 128, 256, 4}, 22979904, "ResNeXt-50 32x4d"},
                  {{false, true, {3, 4, 6, 3}, 64, 128, 256, 128}, 66834240, "Wide ResNet-50-2"},
                  {{false, true, {1, 2, 1, 1}, 4, 4, 16, 4}, 0, "ResNet-17 width 4"}};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        make_torchvision(&models[i].d);
        lp_encoder_info info = recognised();
        assert_string_equal(info.name, models[i].name);
        assert_string_equal(info.family, "resnet");
        assert_string_equal(info.activation, "relu");
        assert_string_equal(info.pool, "mean");
        assert_int_equal(info.input_size, 224);
        assert_int_equal(info.preprocess.resize, 256);
        assert_int_equal(info.preprocess.crop, 224);
        assert_int_equal(info.preprocess.filter, LP_FILTER_BILINEAR);
        assert_true(info.preprocess.mean[0] == 0.485F && info.preprocess.std[2] == 0.225F);
        assert_non_null(strstr(info.assumed, "IMAGENET1K_V1")); /* no known file: assumed */
        assert_int_equal(info.heads, 0);
        assert_int_equal(info.projected, 0);
        assert_int_equal(info.penultimate, 8 * models[i].d.outside);
        assert_int_equal(info.default_point, LP_FEATURE_PENULTIMATE);
        if (models[i].parameters > 0) {
            assert_int_equal(info.parameters, models[i].parameters);
        }
    }
}

static void a_removed_a_misshapen_and_a_renamed_tensor_are_named_in_one_message(void **state) {
    (void)state;
    make_clip(small_blocks, 8, 2, 6);
    drop("visual.layer2.1.bn2.running_var");
    find_entry("visual.layer3.0.conv2.weight")->shape[1] = 31;
    (void)snprintf(find_entry("visual.attnpool.q_proj.weight")->name, 96,
                   "visual.attnpool.query.weight");
    assert_refused(LP_ERR_FORMAT, "not a whole clip-resnet model, 4 tensors are wrong:");
    static const char *const parts[] = {
        "visual.layer2.1.bn2.running_var: missing, expected [16]",
        "visual.layer3.0.conv2.weight: expected [32, 32, 3, 3], found [32, 31, 3, 3]",
        "visual.attnpool.q_proj.weight: missing, expected [256, 256]",
        "visual.attnpool.query.weight: no such tensor in this family"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (strstr(err.text, parts[i]) == NULL) {
            fail_msg("not in the message: %s\n%s", parts[i], err.text);
        }
    }

    make_torchvision(&small_bottleneck);
    drop("layer4.0.downsample.0.weight");
    find_entry("layer1.0.conv3.weight")->rank = 2;
    (void)snprintf(find_entry("bn1.weight")->name, 96, "norm1.weight");
    assert_refused(LP_ERR_FORMAT, "not a whole resnet model, 4 tensors are wrong:");
    assert_non_null(strstr(err.text, "layer4.0.downsample.0.weight: missing, expected [N, 64"));
    assert_non_null(
        strstr(err.text, "layer1.0.conv3.weight: expected [16, 4, 1, 1], found [16, 4]"));
    assert_non_null(strstr(err.text, "bn1.weight: missing, expected [4]"));
    assert_non_null(strstr(err.text, "norm1.weight: no such tensor"));
}

static void missing_blocks_are_missing_not_skipped(void **state) {
    (void)state;
    dims d = small_basic;
    d.blocks[0] = 3;
    make_torchvision(&d);
    for (size_t i = file.count; i-- > 0;) {
        if (strncmp(file.entries[i].name, "layer1.1.", 9) == 0) {
            drop(file.entries[i].name);
        }
    }
    assert_refused(LP_ERR_FORMAT, "10 tensors are wrong");
    assert_non_null(strstr(err.text, "layer1.2.bn2.running_mean: no such tensor in this family"));
    make_torchvision(&small_basic);
    add("layer3.99999999.conv1.weight", 4, 1, 1, 1, 1);
    add("layer3.01.conv1.weight", 4, 1, 1, 1, 1);
    add("layer5.0.conv1.weight", 4, 1, 1, 1, 1);
    assert_refused(LP_ERR_FORMAT, "3 tensors are wrong");
    make_torchvision(&small_basic);
    add("layer1.0.se.fc1.weight", 4, 1, 1, 1, 1); /* timm's squeeze and excitation */
    assert_refused(LP_ERR_FORMAT, "layer1.0.se.fc1.weight: no such tensor in this family");
}

static void impossible_dimensions_are_refused(void **state) {
    (void)state;
    make_clip(small_blocks, 4, 2, 6);
    find_entry("visual.attnpool.positional_embedding")->shape[0] = 6;
    assert_refused(LP_ERR_FORMAT, "6 positions: expected one for the mean and a square of places");
    find_entry("visual.attnpool.positional_embedding")->shape[0] = 1;
    assert_refused(LP_ERR_FORMAT, "1 positions");
    dims d = small_bottleneck;
    d.group = 3;
    make_torchvision(&d);
    assert_refused(LP_ERR_FORMAT, "layer1.0.conv2: 4 channels to 4 do not divide into groups of 3");
    d = small_basic;
    d.outside = 5;
    make_torchvision(&d);
    assert_refused(LP_ERR_FORMAT,
                   "layer1.0.conv2: 5 channels, but 4 are added to them: a shortcut");
    d = (dims){true, true, {1, 1, 1, 1}, 2, 6, 2, 6}; /* 3 heads for 16 */
    make_clip(d.blocks, 2, 1, 3);
    for (size_t i = 0; i < file.count; i++) {
        if (strncmp(file.entries[i].name, "visual.layer", 12) == 0) {
            drop(file.entries[i--].name);
        }
    }
    make_blocks("visual.", &d);
    assert_refused(LP_ERR_FORMAT, "width 16: not divisible among 3 heads");
}

/* ---- options --------------------------------------------------------------------------------- */

static void assert_option_refused(const lp_encoder_options *options, const char *part) {
    lp_encoder_info info;
    lp_checkpoint *ckpt = open_file();
    assert_fails(lp_encoder_recognise(ckpt, options, &info, &err), LP_ERR_ARGUMENT, &err, part);
    lp_checkpoint_close(ckpt);
}

static void options_that_do_not_fit_are_refused(void **state) {
    (void)state;
    lp_encoder_info info;
    make_clip(small_blocks, 4, 2, 6);
    assert_option_refused(&(lp_encoder_options){.input_size = 96},
                          "input size 96: the encoder has positions for 64 alone");
    assert_option_refused(&(lp_encoder_options){.activation = LP_ACTIVATION_GELU},
                          "activation gelu: a CLIP RN has relu alone");
    assert_option_refused(&(lp_encoder_options){.pool = LP_POOL_MEAN},
                          "pool mean: this CLIP RN has attention alone");
    assert_option_refused(&(lp_encoder_options){.heads = 3}, "heads 3");
    assert_option_refused(&(lp_encoder_options){.precision = LP_PRECISION_INT8},
                          "precision int8: no layer of this CLIP RN runs in it");
    make_torchvision(&small_basic);
    assert_option_refused(&(lp_encoder_options){.pool = LP_POOL_CLASS},
                          "pool cls: this ResNet has mean alone");
    assert_option_refused(&(lp_encoder_options){.input_size = 5000}, "input size 5000");
    lp_checkpoint *ckpt = open_file();
    lp_encoder_options options = {.input_size = 160, .mean_std = LP_MEAN_STD_HALF};
    assert_ok(lp_encoder_recognise(ckpt, &options, &info, &err), &err);
    assert_true(info.preprocess.mean[0] == 0.5F);
    assert_int_equal(info.input_size, 160);
    assert_int_equal(info.preprocess.crop, 160);
    assert_int_equal(info.preprocess.resize, 182); /* 160 * 256 / 224 */
    assert_string_equal(info.name, "ResNet-12 width 4@160");
    lp_checkpoint_close(ckpt);
}

static void write_config(const char *name, const char *text) {
    FILE *out = fopen(in_folder(name), "wb");
    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void a_config_beside_the_file_tells_the_preprocessing(void **state) {
    (void)state;
    make_torchvision(&small_bottleneck);
    write_config("config.json",
                 "{\"architecture\": \"resnet50\", \"num_features\": 128, \"pretrained_cfg\": {"
                 "\"input_size\": [3, 176, 176], \"crop_pct\": 0.9, \"interpolation\": \"bicubic\","
                 " \"mean\": [0.1, 0.2, 0.3], \"std\": [0.4, 0.5, 0.6]}}");
    lp_encoder_info info = recognised();
    assert_string_equal(info.config, "config.json");
    assert_string_equal(info.assumed, "");
    assert_int_equal(info.input_size, 176);
    assert_int_equal(info.preprocess.resize, 195); /* 176 / 0.9 */
    assert_int_equal(info.preprocess.crop, 176);
    assert_int_equal(info.preprocess.filter, LP_FILTER_BICUBIC);
    assert_true(info.preprocess.mean[1] == 0.2F && info.preprocess.std[2] == 0.6F);
    write_config("config.json",
                 "{\"architecture\": \"resnet50\", \"num_features\": 2048, \"pretrained_cfg\": {"
                 "\"input_size\": [3, 176, 176], \"mean\": [0.1, 0.2, 0.3], "
                 "\"std\": [0.4, 0.5, 0.6]}}"); /* another model's */
    info = recognised();
    assert_null(info.config);
    assert_int_equal(info.input_size, 224);
    write_config("config.json", "{}");

    make_clip(small_blocks, 4, 2, 6);
    write_config("open_clip_config.json",
                 "{\"model_cfg\": {\"vision_cfg\": {\"layers\": [1, 2, 1, 1], \"width\": 4}},"
                 " \"preprocess_cfg\": {\"mean\": [0.1, 0.2, 0.3], \"std\": [0.4, 0.5, 0.6]}}");
    info = recognised();
    assert_string_equal(info.config, "open_clip_config.json");
    assert_int_equal(info.preprocess.resize, 64);
    assert_int_equal(info.preprocess.crop, 64);
    assert_true(info.preprocess.mean[1] == 0.2F);
    write_config("open_clip_config.json", "{}");
}

static void a_training_state_s_backbone_is_taken(void **state) {
    (void)state;
    static const char *const prefixes[] = {"backbone.", "encoder_q.", "base_encoder."};
    for (size_t p = 0; p < sizeof prefixes / sizeof prefixes[0]; p++) {
        make_torchvision(&small_basic);
        for (size_t i = 0; i < file.count; i++) {
            char name[80];
            (void)snprintf(name, sizeof name, "%.79s", file.entries[i].name);
            (void)snprintf(file.entries[i].name, sizeof file.entries[i].name, "%s%s", prefixes[p],
                           name);
        }
        add("head.mlp.0.weight", 2, 5, 32, 0, 0);     /* DINO's */
        add("encoder_k.conv1.weight", 4, 3, 3, 7, 7); /* MoCo's */
        assert_string_equal(recognised().name, "ResNet-12 width 4");
    }
    add("classifier.4.weight", 4, 21, 8, 1, 1); /* torchvision's segmentation models */
    assert_refused(LP_ERR_UNSUPPORTED, "whose ResNet is dilated");
}

static void a_large_model_needs_bounded_memory(void **state) {
    (void)state;
    static const size_t blocks[4] = {3, 15, 36, 10};
    make_clip(blocks, 128, 14, 1024);
    assert_int_equal(recognised().batch, 1);
}

/* ---- loading and running --------------------------------------------------------------------- */

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    make_clip(small_blocks, 4, 2, 6);
    lp_checkpoint *ckpt = open_file();
    lp_encoder *encoder = NULL;
    size_t k = 0;
    lp_status status;
    do {
        (void)lp_alloc_fail_at(++k);
        status = lp_encoder_load(ckpt, NULL, &encoder, &err);
        (void)lp_alloc_fail_at(0);
        if (status != LP_OK) {
            assert_int_equal(status, LP_ERR_MEMORY);
            assert_null(encoder);
        }
    } while (status != LP_OK && k < 100);
    assert_int_equal(status, LP_OK);
    assert_true(k > 10); /* encoder, tower, blocks, layers, plan, zeros, reads, arena, 2 to fold */
    lp_encoder_free(encoder);
    lp_checkpoint_close(ckpt);
}

static void run_once(lp_checkpoint *ckpt, lp_precision precision, size_t threads,
                     const float *images, float *features) {
    lp_encoder *encoder;
    const lp_encoder_options options = {.threads = threads, .precision = precision};
    assert_ok(lp_encoder_load(ckpt, &options, &encoder, &err), &err);
    assert_string_equal(lp_encoder_describe(encoder)->precision, lp_precision_name(precision));
    float *scratch = lp_alloc(lp_encoder_scratch(encoder, 1), sizeof *scratch);
    assert_non_null(scratch);
    assert_ok(lp_encoder_run(encoder, images, 1, LP_FEATURE_DEFAULT, features, scratch, NULL, &err),
              &err);
    lp_free(scratch);
    lp_encoder_free(encoder);
}

/* A model that is large enough for seven threads to read and to fold. */
static void threads_do_not_change_what_is_loaded(void **state) {
    (void)state;
    enum { PIXELS = 3 * 64 * 64 };
    static const size_t threads[] = {1, 2, 7, 0};
    static float images[PIXELS], features[4][6];
    for (size_t i = 0; i < PIXELS; i++) {
        images[i] = (float)(i * 37 % 101) / 50 - 1;
    }
    make_clip(small_blocks, 32, 2, 6);
    drop("token_embedding.weight");
    file.filled = true;
    lp_checkpoint *ckpt = open_file();
    file.filled = false;
    for (int precision = LP_PRECISION_FLOAT32; precision <= LP_PRECISION_INT16; precision++) {
        for (size_t t = 0; t < 4; t++) {
            run_once(ckpt, (lp_precision)precision, threads[t], images, features[t]);
            assert_true(isfinite(features[t][0]) && features[t][0] != features[t][1]);
            assert_memory_equal(features[t], features[0], sizeof features[0]);
        }
    }
    lp_checkpoint_close(ckpt);
}

/* Of the length of float32's features. */
static double distance_of(lp_checkpoint *ckpt, lp_precision precision, const float *images,
                          size_t width) {
    float exact[128], near[128];
    double off = 0, size = 0;
    assert_true(width <= 128);
    run_once(ckpt, LP_PRECISION_FLOAT32, 1, images, exact);
    run_once(ckpt, precision, 1, images, near);
    for (size_t i = 0; i < width; i++) {
        off += pow((double)near[i] - (double)exact[i], 2);
        size += pow((double)exact[i], 2);
    }
    return sqrt(off / size);
}

static void sixteen_bits_are_near_float32(void **state) {
    (void)state;
    enum { PIXELS = 3 * 224 * 224, WIDTH = 128 };
    static const dims d = {
        .blocks = {1, 1, 1, 1}, .stem = 16, .inside = 16, .outside = 16, .group = 16};
    float *images = lp_alloc(PIXELS, sizeof *images);
    assert_non_null(images);
    for (size_t i = 0; i < PIXELS; i++) {
        images[i] = (float)(i * 37 % 101) / 50 - 1;
    }
    make_torchvision(&d);
    file.filled = true;
    lp_checkpoint *ckpt = open_file();
    file.filled = false;
    double half = distance_of(ckpt, LP_PRECISION_BFLOAT16, images, WIDTH);
    double integers = distance_of(ckpt, LP_PRECISION_INT16, images, WIDTH);
    assert_true(half > 1e-5 && half < 0.02);
    assert_true(integers > 1e-6 && integers < 0.005);
    lp_checkpoint_close(ckpt);
    lp_free(images);
}

static void clip_stages_match_open_clip(void **state) {
    (void)state;
    golden_stages_are_reproduced("clip-resnet", 2, NULL);
}

static void basic_stages_match_torchvision(void **state) {
    (void)state;
    golden_stages_are_reproduced("resnet-basic", 1, &(lp_encoder_options){.input_size = 45});
}

static void grouped_stages_match_torchvision(void **state) {
    (void)state;
    golden_stages_are_reproduced("resnet-grouped", 1, &(lp_encoder_options){.input_size = 40});
}

static void a_run_allocates_nothing_and_an_image_does_not_see_its_batch(void **state) {
    (void)state;
    golden g = load_golden("clip-resnet", NULL);
    float both[2 * 6], alone[6];
    run(&g, LP_FEATURE_PROJECTED, NULL);
    memcpy(both, g.features, sizeof both);
    (void)lp_alloc_fail_at(1);
    run(&g, LP_FEATURE_PROJECTED, NULL);
    assert_int_equal(lp_alloc_fail_at(0), 0);
    assert_memory_equal(both, g.features, sizeof both);
    for (size_t i = 0; i < 2; i++) { /* to the bit: no product's size depends on the batch */
        assert_ok(lp_encoder_run(g.encoder, g.images + i * 3 * 64 * 64, 1, LP_FEATURE_PROJECTED,
                                 alone, g.scratch, NULL, &err),
                  &err);
        assert_memory_equal(alone, both + 6 * i, sizeof alone);
    }
    assert_fails(lp_encoder_run(g.encoder, g.images, SIZE_MAX / 4, LP_FEATURE_PROJECTED, alone,
                                g.scratch, NULL, &err),
                 LP_ERR_ARGUMENT, &err, "expected at most");
    assert_true(lp_encoder_scratch(g.encoder, SIZE_MAX) == SIZE_MAX);
    free_golden(&g);
}

/* ---- laps ------------------------------------------------------------------------------------ */

/* Multiplications of a convolution with `side` * `side` outputs; by Winograd, of its 2x2 tiles. */
static size_t direct(size_t side, size_t taps, size_t in, size_t out) {
    return side * side * taps * in * out;
}

static size_t winograd(size_t side, size_t in, size_t out) {
    return side / 2 * (side / 2) * 16 * in * out;
}

static void laps_of_a_clip_model_count_what_its_formulas_say(void **state) {
    (void)state;
    static const size_t blocks[4] = {1, 1, 1, 1};
    enum { W = 32, GRID = 2, E = 8, B = 2, C = 32 * W, HEADS = W / 2, T = GRID * GRID + 1 };
    make_clip(blocks, W, GRID, E);
    laps all = run_for_laps(NULL, B);
    size_t ones = 0, threes = winograd(32, W / 2, W / 2) + winograd(32, W / 2, W);
    for (size_t s = 0, before = W; s < 4; s++) {
        size_t in = (size_t)W << s, out = 4 * in, side = (size_t)16 >> s;
        size_t early = s == 0 ? side : 2 * side; /* before the stage's pooling */
        ones +=
            direct(early, 1, before, in) + direct(side, 1, in, out) + direct(side, 1, before, out);
        threes += winograd(early, in, in);
        before = out;
    }
    assert_operations(&all, "stem", 1, 2 * B * direct(32, 9, 3, W / 2));
    assert_operations(&all, "conv 1x1", 12, 2 * B * ones);
    assert_operations(&all, "winograd 3x3", 6, 2 * B * threes);
    assert_operations(&all, "pool", 1 + 3 * 2, 0);
    assert_operations(&all, "attention", 1, 2 * B * (3 * C * C + 2 * HEADS * T * C));
    assert_operations(&all, "projection", 1, 2 * B * C * E);
    assert_int_equal(all.count, 6);
    assert_string_equal(all.first, "stem");
    assert_string_equal(all.last, "projection");
    assert_true(sum_of(&all, "stem").bytes ==
                4.0 * (B * 3 * 64 * 64 + 27 * W / 2 + B * 32 * 32 * W / 2));
    assert_true(sum_of(&all, "projection").bytes == 4.0 * (B * C + C * E + B * E));
}

static void laps_of_a_basic_model_count_what_its_formulas_say(void **state) {
    (void)state;
    make_torchvision(&small_basic);
    laps all = run_for_laps(&(lp_encoder_options){.input_size = 64}, 1);
    size_t ones = 0, threes = 4 * direct(16, 9, 4, 4), fast = 0, bytes = 0;
    for (size_t s = 1; s < 4; s++) {
        size_t out = (size_t)4 << s, in = out / 2, side = (size_t)16 >> s;
        ones += direct(side, 1, in, out);
        threes += direct(side, 9, in, out) + (out < 16 ? direct(side, 9, out, out) : 0);
        fast += out < 16 ? 0 : winograd(side, out, out);
        bytes += 4 * (side * side * (in + out) + in * out); /* every second pixel is read */
    }
    assert_operations(&all, "stem", 1, 2 * direct(32, 49, 3, 4));
    assert_operations(&all, "conv 1x1", 3, 2 * ones);
    assert_operations(&all, "conv 3x3", 4 + 3 + 1, 2 * threes);
    assert_operations(&all, "winograd 3x3", 2, 2 * fast);
    assert_operations(&all, "pool", 2, 0);
    assert_int_equal(all.count, 5);
    assert_string_equal(all.last, "pool");
    assert_true((size_t)sum_of(&all, "conv 1x1").bytes == bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clip_models_are_recognised_and_named),
        cmocka_unit_test(torchvision_models_are_recognised_and_named),
        cmocka_unit_test(a_removed_a_misshapen_and_a_renamed_tensor_are_named_in_one_message),
        cmocka_unit_test(missing_blocks_are_missing_not_skipped),
        cmocka_unit_test(impossible_dimensions_are_refused),
        cmocka_unit_test(options_that_do_not_fit_are_refused),
        cmocka_unit_test(a_config_beside_the_file_tells_the_preprocessing),
        cmocka_unit_test(a_training_state_s_backbone_is_taken),
        cmocka_unit_test(a_large_model_needs_bounded_memory),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(threads_do_not_change_what_is_loaded),
        cmocka_unit_test(sixteen_bits_are_near_float32),
        cmocka_unit_test(clip_stages_match_open_clip),
        cmocka_unit_test(basic_stages_match_torchvision),
        cmocka_unit_test(grouped_stages_match_torchvision),
        cmocka_unit_test(a_run_allocates_nothing_and_an_image_does_not_see_its_batch),
        cmocka_unit_test(laps_of_a_clip_model_count_what_its_formulas_say),
        cmocka_unit_test(laps_of_a_basic_model_count_what_its_formulas_say),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
