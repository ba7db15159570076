/* The model stage: golden activations of two small models, recognising models by names and shapes,
 * and what a run promises. */
#include "base/alloc.h"
#include "base/parallel.h"
#include "golden.h"
#include "laps.h"
#include "model_file.h"

static lp_error err;

/* What the recognising and loading of `file` is told. */
static lp_encoder_options options;

static void add_block(const char *format, size_t block, const char *name, size_t a, size_t b) {
    char whole[96];
    (void)snprintf(whole, sizeof whole, "%s%zu.%s", format, block, name);
    add(whole, b > 0 ? 2 : 1, a, b, 0, 0);
}

static void make_clip(size_t width, size_t layers, size_t patch, size_t grid, size_t embedding) {
    file.count = 0;
    file.nan_in = NULL;
    options = (lp_encoder_options){.activation = LP_ACTIVATION_QUICK_GELU};
    add("visual.conv1.weight", 4, width, 3, patch, patch);
    add("visual.class_embedding", 1, width, 0, 0, 0);
    add("visual.positional_embedding", 2, grid * grid + 1, width, 0, 0);
    add("visual.ln_pre.weight", 1, width, 0, 0, 0);
    add("visual.ln_pre.bias", 1, width, 0, 0, 0);
    add("visual.ln_post.weight", 1, width, 0, 0, 0);
    add("visual.ln_post.bias", 1, width, 0, 0, 0);
    add("visual.proj", 2, width, embedding, 0, 0);
    add("token_embedding.weight", 2, 49408, 512, 0, 0); /* text: ignored */
    add("transformer.resblocks.30.ln_1.weight", 1, 512, 0, 0, 0);
    add("logit_scale", 0, 0, 0, 0, 0);
    for (size_t i = 0; i < layers; i++) {
        const char *b = "visual.transformer.resblocks.";
        add_block(b, i, "ln_1.weight", width, 0);
        add_block(b, i, "ln_1.bias", width, 0);
        add_block(b, i, "attn.in_proj_weight", 3 * width, width);
        add_block(b, i, "attn.in_proj_bias", 3 * width, 0);
        add_block(b, i, "attn.out_proj.weight", width, width);
        add_block(b, i, "attn.out_proj.bias", width, 0);
        add_block(b, i, "ln_2.weight", width, 0);
        add_block(b, i, "ln_2.bias", width, 0);
        add_block(b, i, "mlp.c_fc.weight", 4 * width, width);
        add_block(b, i, "mlp.c_fc.bias", 4 * width, 0);
        add_block(b, i, "mlp.c_proj.weight", width, 4 * width);
        add_block(b, i, "mlp.c_proj.bias", width, 0);
    }
}

static void make_timm(size_t width, size_t layers, size_t patch, size_t grid) {
    file.count = 0;
    file.nan_in = NULL;
    options = (lp_encoder_options){0};
    add("patch_embed.proj.weight", 4, width, 3, patch, patch);
    add("patch_embed.proj.bias", 1, width, 0, 0, 0);
    add("cls_token", 3, 1, 1, width, 0);
    add("pos_embed", 3, 1, grid * grid + 1, width, 0);
    add("norm.weight", 1, width, 0, 0, 0);
    add("norm.bias", 1, width, 0, 0, 0);
    add("head.weight", 2, 1000, width, 0, 0); /* ignored */
    add("head.bias", 1, 1000, 0, 0, 0);
    for (size_t i = 0; i < layers; i++) {
        add_block("blocks.", i, "norm1.weight", width, 0);
        add_block("blocks.", i, "norm1.bias", width, 0);
        add_block("blocks.", i, "attn.qkv.weight", 3 * width, width);
        add_block("blocks.", i, "attn.qkv.bias", 3 * width, 0);
        add_block("blocks.", i, "attn.proj.weight", width, width);
        add_block("blocks.", i, "attn.proj.bias", width, 0);
        add_block("blocks.", i, "norm2.weight", width, 0);
        add_block("blocks.", i, "norm2.bias", width, 0);
        add_block("blocks.", i, "mlp.fc1.weight", 4 * width, width);
        add_block("blocks.", i, "mlp.fc1.bias", 4 * width, 0);
        add_block("blocks.", i, "mlp.fc2.weight", width, 4 * width);
        add_block("blocks.", i, "mlp.fc2.bias", width, 0);
    }
}

static lp_encoder_info recognised(void) {
    lp_encoder_info info;
    lp_checkpoint *ckpt = open_file();
    assert_ok(lp_encoder_recognise(ckpt, &options, &info, &err), &err);
    lp_checkpoint_close(ckpt);
    return info;
}

static void assert_refused(lp_status status, const char *part) {
    lp_encoder_info info;
    lp_encoder *encoder;
    lp_checkpoint *ckpt = open_file();
    assert_fails(lp_encoder_recognise(ckpt, &options, &info, &err), status, &err, part);
    assert_non_null(strstr(err.text, "model.safetensors"));
    assert_fails(lp_encoder_load(ckpt, &options, &encoder, &err), status, &err, part);
    assert_null(encoder);
    lp_checkpoint_close(ckpt);
}

/* ---- recognising ----------------------------------------------------------------------------- */

static void official_shapes_are_recognised_and_named(void **state) {
    (void)state;
    make_clip(768, 12, 32, 7, 512);
    lp_encoder_info info = recognised();
    assert_string_equal(info.name, "CLIP ViT-B/32");
    assert_string_equal(info.family, "clip-vit");
    assert_string_equal(info.activation, "quick_gelu");
    assert_true(info.norm_eps == 1e-5F);
    assert_int_equal(info.input_size, 224);
    assert_int_equal(info.patch, 32);
    assert_int_equal(info.tokens, 50);
    assert_int_equal(info.width, 768);
    assert_int_equal(info.heads, 12);
    assert_int_equal(info.layers, 12);
    assert_int_equal(info.mlp_width, 3072);
    assert_int_equal(info.projected, 512);
    assert_int_equal(info.penultimate, 768);
    assert_int_equal(info.parameters, 87849216); /* of the image encoder, from openai/CLIP */
    assert_int_equal(info.default_point, LP_FEATURE_PROJECTED);
    assert_int_equal(lp_encoder_features(&info, LP_FEATURE_PROJECTED), 512);
    assert_int_equal(lp_encoder_features(&info, LP_FEATURE_PENULTIMATE), 768);
    assert_int_equal(info.preprocess.resize, 224);
    assert_int_equal(info.preprocess.crop, 224);
    assert_true(info.preprocess.mean[1] == 0.4578275F && info.preprocess.std[2] == 0.27577711F);

    static const struct {
        size_t width, layers, patch, grid, heads;
        const char *name;
    } clips[] = {
        {768, 12, 16, 14, 12, "CLIP ViT-B/16"},      {1024, 24, 14, 16, 16, "CLIP ViT-L/14"},
        {1024, 24, 14, 24, 16, "CLIP ViT-L/14@336"}, {64, 1, 7, 1, 1, "CLIP ViT 64x1/7@7"},
        {160, 3, 5, 3, 2, "CLIP ViT 160x3/5@15"},    {1024, 2, 14, 16, 16, "CLIP ViT 1024x2/14"},
    };
    for (size_t i = 0; i < sizeof clips / sizeof clips[0]; i++) {
        make_clip(clips[i].width, clips[i].layers, clips[i].patch, clips[i].grid, 512);
        info = recognised();
        assert_string_equal(info.name, clips[i].name);
        assert_int_equal(info.heads, clips[i].heads);
        assert_int_equal(info.input_size, clips[i].patch * clips[i].grid);
    }

    make_timm(192, 12, 16, 14);
    info = recognised();
    assert_string_equal(info.name, "ViT-Ti/16");
    assert_string_equal(info.family, "timm-vit");
    assert_string_equal(info.activation, "gelu");
    assert_true(info.norm_eps == 1e-6F);
    assert_int_equal(info.heads, 3);
    assert_int_equal(info.projected, 0);
    assert_int_equal(info.penultimate, 192);
    assert_int_equal(info.parameters, 5717416 - 193000); /* timm's number less the head */
    assert_int_equal(info.default_point, LP_FEATURE_PENULTIMATE);
    assert_int_equal(info.preprocess.resize, 248);
    assert_int_equal(info.preprocess.crop, 224);
    assert_true(info.preprocess.mean[0] == 0.5F && info.preprocess.std[0] == 0.5F);
    make_timm(384, 12, 16, 14);
    info = recognised();
    assert_string_equal(info.name, "ViT-S/16");
    make_timm(768, 12, 32, 7);
    info = recognised();
    assert_string_equal(info.name, "ViT-B/32");
}

static void every_wrong_tensor_is_reported_at_once(void **state) {
    (void)state;
    make_clip(128, 2, 7, 4, 40);
    drop("visual.ln_post.bias");
    drop("visual.transformer.resblocks.1.mlp.c_fc.weight");
    find_entry("visual.positional_embedding")->shape[1] = 127;
    find_entry("visual.transformer.resblocks.0.attn.in_proj_weight")->shape[0] = 128;
    find_entry("visual.transformer.resblocks.1.ln_1.weight")->dtype = "I64";
    find_entry("visual.proj")->rank = 1;
    add("visual.attn_pool.extra", 1, 128, 0, 0, 0);
    assert_refused(LP_ERR_FORMAT, "not a whole clip-vit model, 7 tensors are wrong:");
    static const char *const lines[] = {
        "visual.ln_post.bias: missing, expected [128]",
        "visual.transformer.resblocks.1.mlp.c_fc.weight: missing, expected [512, 128]",
        "visual.positional_embedding: expected [17, 128], found [17, 127]",
        "visual.transformer.resblocks.0.attn.in_proj_weight: expected [384, 128], found [128, 128]",
        ("visual.transformer.resblocks.1.ln_1.weight: expected type F16, BF16, F32 or F64, found "
         "I64"),
        "visual.proj: expected [128, N], found [128]",
        "visual.attn_pool.extra: no such tensor in this family",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        if (strstr(err.text, lines[i]) == NULL) {
            fail_msg("\"%s\" is not in \"%s\"", lines[i], err.text);
        }
    }
}

static void a_missing_block_is_missing_not_skipped(void **state) {
    (void)state;
    make_timm(64, 5, 8, 5);
    for (size_t i = file.count; i-- > 0;) {
        if (strncmp(file.entries[i].name, "blocks.3.", 9) == 0) {
            drop(file.entries[i].name);
        }
    }
    assert_refused(LP_ERR_FORMAT, "12 tensors are wrong");
    assert_non_null(strstr(err.text, "blocks.3.attn.qkv.weight: missing, expected [192, 64]"));
    make_timm(64, 1, 8, 5);
    add("blocks.99999999.norm1.weight", 1, 64, 0, 0, 0);
    add("blocks.01.norm1.weight", 1, 64, 0, 0, 0);
    assert_refused(LP_ERR_FORMAT, "2 tensors are wrong");
    assert_non_null(strstr(err.text, "blocks.99999999.norm1.weight: no such tensor"));
}

static void a_list_too_long_says_how_many_more(void **state) {
    (void)state;
    make_timm(64, 1, 8, 5);
    add("blocks.21.norm1.weight", 1, 64, 0, 0, 0); /* a number below the count of tensors */
    for (size_t i = 0; i < 30; i++) {
        add_block("norm_other", i, "x", 1, 0);
    }
    assert_refused(LP_ERR_FORMAT, "281 tensors are wrong"); /* 20 * 12 + 11 missing, 30 left over */
    size_t lines = 0, more = 0;
    for (const char *c = strchr(err.text, '\n'); c != NULL; c = strchr(c + 1, '\n')) {
        lines++;
    }
    const char *last = strstr(err.text, "... and ");
    assert_non_null(last);
    assert_int_equal(sscanf(last, "... and %zu more", &more), 1);
    assert_int_equal(lines - 1 + more, 281);
}

static void impossible_dimensions_are_refused(void **state) {
    (void)state;
    make_clip(32, 1, 7, 2, 8);
    assert_refused(LP_ERR_FORMAT, "width 32: not divisible among 0 heads");
    make_clip(200, 1, 7, 2, 8);
    assert_refused(LP_ERR_FORMAT, "width 200: not divisible among 3 heads");
    make_clip(64, 1, 7, 2, 8);
    find_entry("visual.positional_embedding")->shape[0] = 7;
    assert_refused(LP_ERR_FORMAT, "7 positions: expected one for a class token and a square");
    find_entry("visual.positional_embedding")->shape[0] = 1;
    assert_refused(LP_ERR_FORMAT, "1 positions");
    make_clip(64, 1, 7, 2, 8);
    find_entry("visual.conv1.weight")->shape[3] = 8;
    assert_refused(LP_ERR_FORMAT,
                   "visual.conv1.weight: expected [64, 3, 7, 7], found [64, 3, 7, 8]");
    make_clip(64, 1, 7, 2, 8);
    find_entry("visual.proj")->shape[1] = 0;
    assert_refused(LP_ERR_FORMAT, "visual.proj: expected [64, N], found [64, 0]");
    make_clip(64, 1, 7, 2, (size_t)1 << 26);
    assert_refused(LP_ERR_FORMAT, "visual.proj: 4294967296 values, expected at most 2147483647");
}

static void heads_that_shapes_do_not_tell_are_refused(void **state) {
    (void)state;
    make_clip(1280, 1, 14, 2, 8);
    assert_refused(LP_ERR_UNSUPPORTED, "width 1280");
    assert_non_null(
        strstr(err.text, "nothing says the number of heads; choose it (option 'heads')"));
    options.heads = 7;
    assert_refused(LP_ERR_ARGUMENT, "width 1280: not divisible among 7 heads");
    options.heads = 16;
    assert_int_equal(recognised().heads, 16);
    make_clip(1280, 32, 14, 16, 1024);
    lp_encoder_info info = recognised();
    assert_int_equal(info.heads, 16); /* open_clip ViT-H-14: head_width 80 */
    assert_string_equal(info.name, "CLIP ViT-H/14");
}

static void other_files_are_told_what_was_looked_for(void **state) {
    (void)state;
    file.count = 0;
    file.nan_in = NULL;
    add("weight", 1, 3, 0, 0, 0);
    assert_refused(LP_ERR_UNSUPPORTED, "no supported image encoder among its 1 tensors; expected");
    assert_non_null(strstr(err.text, "visual.conv1.weight"));
    assert_non_null(strstr(err.text, "found:\n  weight [3]"));
    add("visual.trunk.stem.0.weight", 2, 50, 2048, 0, 0);
    assert_refused(LP_ERR_UNSUPPORTED, "an open_clip model with a convolutional timm tower");
}

/* ---- loading --------------------------------------------------------------------------------- */

static void a_weight_that_is_not_a_number_is_refused(void **state) {
    (void)state;
    make_timm(64, 1, 8, 2);
    file.nan_in = "blocks.0.attn.qkv.weight";
    lp_encoder_info info;
    lp_encoder *encoder;
    lp_checkpoint *ckpt = open_file();
    assert_ok(lp_encoder_recognise(ckpt, &options, &info, &err), &err); /* reads no weight */
    assert_fails(lp_encoder_load(ckpt, &options, &encoder, &err), LP_ERR_DATA, &err,
                 "blocks.0.attn.qkv.weight");
    assert_null(encoder);
    lp_checkpoint_close(ckpt);
}

static void an_encoder_knows_where_its_weights_came_from(void **state) {
    (void)state;
    lp_encoder_info info;
    lp_encoder *encoder;
    char path[4096];
    const char *hex;
    make_timm(64, 1, 8, 2);
    lp_checkpoint *ckpt = open_file();
    assert_ok(lp_encoder_recognise(ckpt, &options, &info, &err), &err);
    assert_null(info.origin.path); /* no weight was read */
    assert_string_equal(info.origin.sha256, "");
    assert_ok(lp_encoder_load(ckpt, &options, &encoder, &err), &err);
    assert_ok(lp_checkpoint_sha256(ckpt, &hex, &err), &err);
    const lp_origin *origin = &lp_encoder_describe(encoder)->origin;
    assert_string_equal(origin->sha256, hex);
    (void)snprintf(path, sizeof path, "%s", lp_checkpoint_path(ckpt));
    lp_checkpoint_close(ckpt); /* the strings are the encoder's */
    assert_string_equal(origin->path, path);
    assert_string_equal(origin->format, "safetensors");
    assert_null(origin->official);
    lp_encoder_free(encoder);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    make_clip(64, 2, 7, 2, 8);
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
    } while (status != LP_OK && k < 400);
    assert_int_equal(status, LP_OK);
    assert_true(k > 6); /* encoder, tower, blocks, plan, reads, arena */
    lp_encoder_free(encoder);
    lp_encoder_free(NULL);
    lp_checkpoint_close(ckpt);
}

/* A model that is large enough for seven threads to read and to pack. */
static void threads_do_not_change_what_is_loaded(void **state) {
    (void)state;
    enum { WIDTH = 192, PIXELS = 3 * 32 * 32, BATCH = 2 };
    float *images = lp_alloc(BATCH * PIXELS, sizeof *images), features[4][BATCH * 32];
    static const size_t threads[] = {1, 2, 7, 0};
    assert_non_null(images);
    for (size_t i = 0; i < BATCH * PIXELS; i++) {
        images[i] = (float)(i * 37 % 101) / 50 - 1;
    }
    make_clip(WIDTH, 5, 8, 4, 32);
    drop("token_embedding.weight");
    file.filled = true;
    lp_checkpoint *ckpt = open_file();
    file.filled = false;
    for (int precision = LP_PRECISION_FLOAT32; precision <= LP_PRECISION_INT8; precision++) {
        for (size_t t = 0; t < 4; t++) {
            lp_encoder *encoder;
            options.threads = threads[t];
            options.precision = (lp_precision)precision;
            assert_ok(lp_encoder_load(ckpt, &options, &encoder, &err), &err);
            float *scratch = lp_alloc(lp_encoder_scratch(encoder, BATCH), sizeof *scratch);
            assert_non_null(scratch);
            assert_ok(lp_encoder_run(encoder, images, BATCH, LP_FEATURE_PROJECTED, features[t],
                                     scratch, NULL, &err),
                      &err);
            assert_true(isfinite(features[t][0]) && features[t][0] != features[t][1]);
            assert_memory_equal(features[t], features[0], sizeof features[0]);
            lp_free(scratch);
            lp_encoder_free(encoder);
        }
    }
    lp_checkpoint_close(ckpt);
    lp_free(images);
}

/* ---- golden ---------------------------------------------------------------------------------- */

static const lp_encoder_options quick_gelu = {.activation = LP_ACTIVATION_QUICK_GELU};

static void clip_stages_match_pytorch(void **state) {
    (void)state;
    golden_stages_are_reproduced("clip", 2, &quick_gelu);
}

static void timm_stages_match_timm(void **state) {
    (void)state;
    golden_stages_are_reproduced("timm", 1, NULL);
}

/* ---- what a run promises --------------------------------------------------------------------- */

static void a_feature_point_that_is_not_there_is_refused(void **state) {
    (void)state;
    golden g = load_golden("timm", NULL);
    assert_fails(lp_encoder_run(g.encoder, g.images, g.batch, LP_FEATURE_PROJECTED, g.features,
                                g.scratch, NULL, &err),
                 LP_ERR_ARGUMENT, &err, "ViT 64x3/8@40 has no feature point 'projected'");
    assert_fails(lp_encoder_run(g.encoder, g.images, (size_t)1 << 40, LP_FEATURE_PENULTIMATE,
                                g.features, g.scratch, NULL, &err),
                 LP_ERR_ARGUMENT, &err, "a batch of 1099511627776 images");
    assert_true(lp_encoder_scratch(g.encoder, SIZE_MAX) == SIZE_MAX);
    g.features[0] = GUARD;
    assert_ok(lp_encoder_run(g.encoder, g.images, 0, LP_FEATURE_PENULTIMATE, g.features, g.scratch,
                             NULL, &err),
              &err);
    assert_true(g.features[0] == GUARD);
    free_golden(&g);
}

static void read_norm(const char *name, float *values) {
    lp_checkpoint *ckpt = open_golden("timm");
    const lp_tensor_read read = {lp_checkpoint_find(ckpt, name), values};
    assert_ok(lp_checkpoint_read(ckpt, &read, 1, 1, &err), &err);
    lp_checkpoint_close(ckpt);
}

/* Vectors of the golden ViT's blocks, from the activations that PyTorch computed. */
enum { VIT_WIDTH = 64, VIT_TOKENS = 26 };

/* The final norm of one token after block `block`, of image `b`, added to out. */
static void add_normed(golden *g, size_t block, size_t b, size_t token, double scale, double *out) {
    char stage[16];
    float weight[VIT_WIDTH], bias[VIT_WIDTH];
    read_norm("norm.weight", weight);
    read_norm("norm.bias", bias);
    (void)snprintf(stage, sizeof stage, "block %zu", block);
    float *values = golden_values(g, stage, 0);
    const float *x = values + (b * VIT_TOKENS + token) * VIT_WIDTH;
    double mean = 0, square = 0;
    for (size_t j = 0; j < VIT_WIDTH; j++) {
        mean += (double)x[j] / VIT_WIDTH;
    }
    for (size_t j = 0; j < VIT_WIDTH; j++) {
        square += pow((double)x[j] - mean, 2) / VIT_WIDTH;
    }
    for (size_t j = 0; j < VIT_WIDTH; j++) {
        double normed = ((double)x[j] - mean) / sqrt(square + 1e-6);
        out[j] += scale * (normed * (double)weight[j] + (double)bias[j]);
    }
    lp_free(values);
}

static void layers_are_the_normed_vectors_of_their_blocks(void **state) {
    (void)state;
    const lp_encoder_options cases[] = {
        {.layers = {1, 2}, .pool = LP_POOL_CLASS},
        {.layers = {1, 2}, .pool = LP_POOL_CLASS_MEAN},
        {.layers = {2, 2}, .pool = LP_POOL_MEAN},
        {.layers = {1, 2}, .pool = LP_POOL_MEAN},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const lp_encoder_options *o = &cases[c];
        golden g = load_golden("timm", o);
        size_t layers = o->layers.last - o->layers.first + 1;
        size_t vectors = layers + (o->pool == LP_POOL_CLASS_MEAN ? 1 : 0);
        size_t width = lp_encoder_describe(g.encoder)->penultimate;
        assert_int_equal(width, vectors * VIT_WIDTH);
        run(&g, LP_FEATURE_DEFAULT, NULL);
        for (size_t i = 0; i < g.batch * vectors; i++) {
            double expected[VIT_WIDTH] = {0};
            size_t b = i / vectors, v = i % vectors;
            bool mean = o->pool == LP_POOL_MEAN || v == layers;
            size_t block = o->layers.first + (v < layers ? v : layers - 1) - 1;
            for (size_t t = mean ? 1 : 0; t < (mean ? VIT_TOKENS : 1); t++) {
                add_normed(&g, block, b, t, mean ? 1.0 / (VIT_TOKENS - 1) : 1, expected);
            }
            float as_float[VIT_WIDTH];
            for (size_t j = 0; j < VIT_WIDTH; j++) {
                as_float[j] = (float)expected[j];
            }
            const float *found = g.features + i * VIT_WIDTH;
            assert_true(relative_error(found, as_float, VIT_WIDTH) <= TOLERANCE);
        }
        free_golden(&g);
    }
}

static void settings_that_are_not_the_models_own_are_told(void **state) {
    (void)state;
    const struct {
        lp_encoder_options options;
        bool changed;
    } cases[] = {
        {{0}, false},
        {{.pool = LP_POOL_CLASS, .heads = 1, .layers = {3, 3}, .activation = LP_ACTIVATION_GELU},
         false}, /* its own */
        {{.precision = LP_PRECISION_INT8}, false},
        {{.pool = LP_POOL_MEAN}, true},
        {{.layers = {1, 1}}, true},
        {{.heads = 2}, true},
        {{.activation = LP_ACTIVATION_QUICK_GELU}, true},
        {{.mean_std = LP_MEAN_STD_CLIP}, true},
        {{.filter = LP_FILTER_CHOICE_BILINEAR}, true},
        {{.input_size = 16}, true},
        {{.crop = 16}, true},
        {{.resize = {.side = 100}}, true},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        golden g = load_golden("timm", &cases[c].options);
        assert_int_equal(lp_encoder_describe(g.encoder)->changed, cases[c].changed);
        free_golden(&g);
    }
}

static void the_last_layer_alone_is_the_default(void **state) {
    (void)state;
    const lp_encoder_options last = {.activation = LP_ACTIVATION_QUICK_GELU, .layers = {2, 2}};
    golden a = load_golden("clip", &quick_gelu), b = load_golden("clip", &last);
    size_t width = lp_encoder_describe(a.encoder)->projected;
    assert_string_equal(lp_encoder_describe(b.encoder)->blocks, "");
    run(&a, LP_FEATURE_PROJECTED, NULL);
    run(&b, LP_FEATURE_PROJECTED, NULL);
    assert_memory_equal(a.features, b.features, a.batch * width * sizeof *a.features);
    free_golden(&a);
    free_golden(&b);
}

static void a_run_allocates_nothing_and_repeats_to_the_bit(void **state) {
    (void)state;
    golden g = load_golden("clip", &quick_gelu);
    size_t floats = g.batch * lp_encoder_describe(g.encoder)->projected;
    float *first = lp_alloc(floats, sizeof *first);
    assert_non_null(first);
    run(&g, LP_FEATURE_PROJECTED, NULL);
    memcpy(first, g.features, floats * sizeof *first);
    (void)lp_alloc_fail_at(1);
    run(&g, LP_FEATURE_PROJECTED, NULL);
    assert_int_equal(lp_alloc_fail_at(0), 0);
    assert_memory_equal(first, g.features, floats * sizeof *first);
    lp_free(first);
    free_golden(&g);
}

/* The other images of a batch never show, bit by bit; its size and the place in it may round
 * differently, because OpenBLAS takes other kernels for other sizes. */
static void an_image_does_not_see_its_batch(void **state) {
    (void)state;
    golden g = load_golden("clip", &quick_gelu);
    size_t width = lp_encoder_describe(g.encoder)->projected;
    size_t pixels = 3 * 28 * 28;
    float before[64], alone[64];
    run(&g, LP_FEATURE_PROJECTED, NULL);
    memcpy(before, g.features + width, width * sizeof(float));
    for (size_t i = 0; i < pixels; i++) {
        g.images[i] = (float)(i % 7) * 1e3F;
    }
    run(&g, LP_FEATURE_PROJECTED, NULL);
    assert_memory_equal(before, g.features + width, width * sizeof(float));
    assert_ok(lp_encoder_run(g.encoder, g.images + pixels, 1, LP_FEATURE_PROJECTED, alone,
                             g.scratch, NULL, &err),
              &err);
    assert_memory_equal(alone, before, width * sizeof(float));
    free_golden(&g);
}

/* ||a - b|| / ||b|| */
static double distance(const float *a, const float *b, size_t count) {
    double off = 0, length = 0;
    for (size_t i = 0; i < count; i++) {
        off += pow((double)a[i] - (double)b[i], 2);
        length += pow((double)b[i], 2);
    }
    return sqrt(off / length);
}

/* Features with fewer bits, whose distance from float32's lies between two bounds. */
static void check_precision(lp_precision precision, double least, double most) {
    char ending[16];
    (void)snprintf(ending, sizeof ending, " %s", lp_precision_name(precision));
    static const struct {
        const char *file;
        lp_encoder_options options;
        lp_feature_point point;
    } models[] = {
        {"clip", {.activation = LP_ACTIVATION_QUICK_GELU}, LP_FEATURE_PROJECTED},
        {"timm", {0}, LP_FEATURE_PENULTIMATE},
        {"timm", {.pool = LP_POOL_MEAN}, LP_FEATURE_PENULTIMATE}, /* the last block, too */
    };
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++) {
        lp_encoder_options told = models[m].options;
        golden exact = load_golden(models[m].file, &told);
        told.precision = precision;
        golden g = load_golden(models[m].file, &told);
        const lp_encoder_info *info = lp_encoder_describe(g.encoder);
        size_t width = lp_encoder_features(info, models[m].point);
        float alone[64];
        run(&exact, models[m].point, NULL);
        run(&g, models[m].point, NULL);
        double off = distance(g.features, exact.features, g.batch * width);
        assert_true(off > least && off < most);
        assert_string_equal(info->precision, lp_precision_name(precision));
        assert_string_equal(lp_encoder_describe(exact.encoder)->precision, "float32");
        assert_non_null(strstr(info->name, ending));
        size_t last = g.batch - 1, pixels = 3 * info->input_size * info->input_size;
        assert_ok(lp_encoder_run(g.encoder, g.images + last * pixels, 1, models[m].point, alone,
                                 g.scratch, NULL, &err),
                  &err);
        assert_memory_equal(alone, g.features + last * width, width * sizeof *alone);
        free_golden(&g);
        free_golden(&exact);
    }
}

static void eight_bits_are_near_float32_and_say_so(void **state) {
    (void)state;
    check_precision(LP_PRECISION_INT8, 1e-4, 0.03);
}

static void sixteen_bits_are_nearer_and_say_so(void **state) {
    (void)state;
    check_precision(LP_PRECISION_BFLOAT16, 1e-4, 0.01);
    check_precision(LP_PRECISION_INT16, 1e-5, 0.002);
}

typedef struct shared_run {
    const golden *g;
    float *scratch[4];
    float features[16][64];
} shared_run;

static lp_status run_one(void *context, size_t index, size_t worker, lp_error *e) {
    shared_run *s = context;
    return lp_encoder_run(s->g->encoder, s->g->images, 1, LP_FEATURE_PROJECTED, s->features[index],
                          s->scratch[worker], NULL, e);
}

static void threads_share_an_encoder(void **state) {
    (void)state;
    golden g = load_golden("clip", &quick_gelu);
    shared_run s = {.g = &g};
    for (size_t i = 0; i < 4; i++) {
        s.scratch[i] = lp_alloc(lp_encoder_scratch(g.encoder, 1), sizeof(float));
        assert_non_null(s.scratch[i]);
    }
    assert_ok(lp_parallel_for(4, 16, run_one, &s, &err), &err);
    for (size_t i = 1; i < 16; i++) {
        assert_memory_equal(s.features[i], s.features[0], 40 * sizeof(float));
    }
    for (size_t i = 0; i < 4; i++) {
        lp_free(s.scratch[i]);
    }
    free_golden(&g);
}

/* ---- laps ------------------------------------------------------------------------------------ */

enum { D = 128, LAYERS = 3, PATCH = 4, GRID = 3, T = GRID * GRID + 1, HEADS = D / 64, B = 2 };

static void laps_of_a_class_token_model_count_what_its_formulas_say(void **state) {
    (void)state;
    enum { E = 8, FULL = (LAYERS - 1) * B * T }; /* rows of all blocks but the last */
    make_clip(D, LAYERS, PATCH, GRID, E);
    laps all = run_for_laps(&options, B);
    assert_operations(&all, "cut", 1, 0);
    assert_operations(&all, "patches", 1, (size_t)2 * B * GRID * GRID * 3 * PATCH * PATCH * D);
    assert_operations(&all, "tokens", 1, 0);
    assert_operations(&all, "norm", 2 + 2 * LAYERS, 0);
    assert_operations(&all, "qkv", LAYERS - 1, (size_t)2 * FULL * D * 3 * D);
    assert_operations(&all, "attention", LAYERS - 1, (size_t)2 * FULL * 2 * T * D);
    /* of the last block's query alone: q; q Wk and the values' Wv of each head; scores and sums */
    assert_operations(&all, "class attention", 1, (size_t)2 * B * (3 * D * D + 2 * HEADS * T * D));
    assert_operations(&all, "out", LAYERS, (size_t)2 * (FULL + B) * D * D);
    assert_operations(&all, "mlp 1", LAYERS, (size_t)2 * (FULL + B) * D * 4 * D);
    assert_operations(&all, "mlp 2", LAYERS, (size_t)2 * (FULL + B) * D * 4 * D);
    assert_operations(&all, "projection", 1, (size_t)2 * B * D * E);
    assert_int_equal(all.count, 11);
    assert_string_equal(all.first, "cut");
    assert_string_equal(all.last, "projection");
    assert_true(sum_of(&all, "mlp 2").bytes ==
                4.0 * (LAYERS * 4 * D * D + (FULL + B) * (4 * D + 2 * D)));
}

static void laps_of_a_pooled_model_count_what_its_formulas_say(void **state) {
    (void)state;
    make_timm(D, LAYERS, PATCH, GRID);
    options.pool = LP_POOL_MEAN;
    laps all = run_for_laps(&options, 1);
    assert_operations(&all, "qkv", LAYERS, (size_t)2 * LAYERS * T * D * 3 * D);
    assert_operations(&all, "attention", LAYERS, (size_t)2 * LAYERS * T * 2 * T * D);
    assert_operations(&all, "out", LAYERS, (size_t)2 * LAYERS * T * D * D);
    assert_operations(&all, "mlp 1", LAYERS, (size_t)2 * LAYERS * T * D * 4 * D);
    assert_operations(&all, "mlp 2", LAYERS, (size_t)2 * LAYERS * T * D * 4 * D);
    assert_operations(&all, "pool", 1, 0);
    assert_operations(&all, "class attention", 0, 0);
    assert_string_equal(all.last, "pool");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(official_shapes_are_recognised_and_named),
        cmocka_unit_test(every_wrong_tensor_is_reported_at_once),
        cmocka_unit_test(a_missing_block_is_missing_not_skipped),
        cmocka_unit_test(a_list_too_long_says_how_many_more),
        cmocka_unit_test(impossible_dimensions_are_refused),
        cmocka_unit_test(heads_that_shapes_do_not_tell_are_refused),
        cmocka_unit_test(other_files_are_told_what_was_looked_for),
        cmocka_unit_test(a_weight_that_is_not_a_number_is_refused),
        cmocka_unit_test(an_encoder_knows_where_its_weights_came_from),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(threads_do_not_change_what_is_loaded),
        cmocka_unit_test(clip_stages_match_pytorch),
        cmocka_unit_test(timm_stages_match_timm),
        cmocka_unit_test(a_feature_point_that_is_not_there_is_refused),
        cmocka_unit_test(layers_are_the_normed_vectors_of_their_blocks),
        cmocka_unit_test(settings_that_are_not_the_models_own_are_told),
        cmocka_unit_test(the_last_layer_alone_is_the_default),
        cmocka_unit_test(a_run_allocates_nothing_and_repeats_to_the_bit),
        cmocka_unit_test(an_image_does_not_see_its_batch),
        cmocka_unit_test(eight_bits_are_near_float32_and_say_so),
        cmocka_unit_test(sixteen_bits_are_nearer_and_say_so),
        cmocka_unit_test(threads_share_an_encoder),
        cmocka_unit_test(laps_of_a_class_token_model_count_what_its_formulas_say),
        cmocka_unit_test(laps_of_a_pooled_model_count_what_its_formulas_say),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
