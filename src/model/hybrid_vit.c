/* Vision transformers whose patches are made by convolutions, in timm's names:
 *
 *   patches   MobileCLIP-B: 4x4 convolution of stride 4, 2x2 of stride 2, each with batch norm and
 *             gelu; 2x2 of stride 2
 *             ViTamin: 3x3 convolution of stride 2, gelu(norm), 3x3 convolution; two stages of
 *               x' + conv3(gelu(depthwise 3x3(gelu(conv1(norm(x)))))), 1x1 but for the depthwise
 *               one, which has stride 2 in a stage's first block; x' is x, or there the mean of
 *               3x3 pixels at every second one, through a 1x1 convolution where channels change;
 *             3x3 convolution of stride 2 of norm(x)
 *   tokens    class token (MobileCLIP-B), the patches + pos_embed
 *   block     x += proj(attention(norm1(x)));  x += fc2(gelu(fc1(norm2(x)))), or (ViTamin)
 *             x += w2(gelu(w0(y)) w1(y)), y = norm(norm2(x))
 *   head      norm of all rows, then the class token; or the mean, then fc_norm
 *                                                                    [B, D] = penultimate
 *   project   of a CLIP: head                                        [B, E] = projected
 *
 * Reproduces timm models/vitamin.py and vision_transformer_hybrid.py (vit_base_mci_224), open_clip
 * timm_model.py, and apple/ml-mobileclip models/vit.py under its own names. */
#include <stdio.h>
#include <string.h>

#include "model/families.h"
#include "model/net_descriptions.h"

enum { PATCH = 16 }; /* pixels a side that become one row */

/* torch.nn.BatchNorm2d's default, whatever the layer norms have. */
static const float batch_eps = 1e-5F;

static bool is_vitamin(const lp_net_builder *b) {
    return b->source->family->layout == &lp_net_vitamin;
}

/* ---- patches --------------------------------------------------------------------------------- */

static size_t build_mci_stem(lp_net_builder *b) {
    static const size_t taps[] = {4, 2, 2};
    size_t x = 0;
    for (size_t i = 0; i < 3; i++) {
        lp_net_at(b, "patch_embed.backbone.%zu.", i);
        x = lp_net_conv(b, x, "conv",
                        &(lp_net_conv_spec){.taps = taps[i],
                                            .stride = taps[i],
                                            .bias = i == 2,
                                            .batch_norm = i < 2 ? "bn" : NULL,
                                            .batch_eps = batch_eps,
                                            .usual = i < 2});
    }
    return x;
}

static size_t conv(lp_net_builder *b, size_t x, const char *name, lp_net_conv_spec spec) {
    spec.own_taps = true;
    spec.bias = true;
    return lp_net_conv(b, x, name, &spec);
}

static size_t build_conv_block(lp_net_builder *b, size_t x, size_t stride) {
    size_t shortcut = x;
    if (stride > 1) {
        shortcut = lp_net_pool(
            b, x, &(lp_pooling){.taps = 3, .stride = stride, .padding = 1, .mean = true});
    }
    if (lp_net_has(b, "shortcut.expand.weight")) {
        shortcut = conv(b, shortcut, "shortcut.expand", (lp_net_conv_spec){.stride = 1});
    }
    size_t h = lp_net_norm(b, x, "pre_norm", 0);
    h = conv(b, h, "conv1_1x1", (lp_net_conv_spec){.usual = true});
    h = conv(b, h, "conv2_kxk",
             (lp_net_conv_spec){.stride = stride, .depthwise = true, .usual = true});
    return conv(b, h, "conv3_1x1", (lp_net_conv_spec){.add = shortcut});
}

static size_t build_vitamin_stem(lp_net_builder *b) {
    static const char place[] = "patch_embed.backbone.";
    lp_net_at(b, "%sstem.", place);
    size_t x = conv(b, 0, "conv1", (lp_net_conv_spec){.stride = 2});
    x = lp_net_norm(b, x, "norm1", 0);
    lp_net_activate(b);
    x = conv(b, x, "conv2", (lp_net_conv_spec){.stride = 1});
    lp_net_stage(b, "stem");
    lp_net_at(b, "%s", place);
    size_t stages = lp_net_count(b, "stages.");
    for (size_t s = 0; s < stages; s++) {
        lp_net_at(b, "%sstages.%zu.", place, s);
        size_t blocks = lp_net_count(b, "%s", "");
        for (size_t i = 0; i < blocks; i++) {
            lp_net_at(b, "%sstages.%zu.%zu.", place, s, i);
            x = build_conv_block(b, x, i == 0 ? 2 : 1);
            lp_net_stage(b, "stages.%zu.%zu", s, i);
        }
    }
    lp_net_at(b, "%spool.", place);
    return conv(b, lp_net_norm(b, x, "norm", 0), "proj", (lp_net_conv_spec){.stride = 2});
}

/* ---- the transformer ------------------------------------------------------------------------- */

static void build_mlp(lp_net_builder *b, size_t x) {
    if (is_vitamin(b)) {
        lp_net_mlp(b, lp_net_norm(b, x, "norm2", 0), x,
                   &(lp_net_mlp_spec){.norm = "mlp.norm",
                                      .gate = "mlp.w0",
                                      .first = "mlp.w1",
                                      .second = "mlp.w2",
                                      .usual = true});
    } else {
        lp_net_mlp(b, x, x,
                   &(lp_net_mlp_spec){
                       .norm = "norm2", .first = "mlp.fc1", .second = "mlp.fc2", .usual = true});
    }
}

static void build_blocks(lp_net_builder *b, size_t x) {
    size_t blocks = lp_net_count(b, "blocks.");
    for (size_t i = 0; i < blocks; i++) {
        lp_net_at(b, "blocks.%zu.", i);
        lp_net_attend(b, x,
                      &(lp_net_attend_spec){.norm = "norm1",
                                            .qkv = {.fused = "attn.qkv", .bias = LP_NET_BIAS_ALL},
                                            .projection = "attn.proj"});
        build_mlp(b, x);
        lp_net_stage(b, "block %zu", i);
        lp_net_end_block(b);
    }
    lp_net_begin_head(b, x);
    lp_net_at(b, "%s", "");
}

/* The classifier of timm's tower, or Apple's. */
static void build_projection(lp_net_builder *b) {
    lp_net *net = b->net;
    lp_net_conv_spec spec = {.flat = true};
    if (strcmp(b->source->prefix, "image_encoder.model.") == 0) {
        net->projected = lp_net_conv(b, net->penultimate, "classifier.proj",
                                     &(lp_net_conv_spec){.transposed = true});
    } else if (strcmp(b->source->prefix, "visual.trunk.") == 0 && lp_net_has(b, "head.weight")) {
        spec.bias = lp_net_has(b, "head.bias");
        net->projected = lp_net_conv(b, net->penultimate, "head", &spec);
    }
}

static void build(lp_net_builder *b) {
    lp_net *net = b->net;
    bool vitamin = is_vitamin(b);
    size_t x = vitamin ? build_vitamin_stem(b) : build_mci_stem(b);
    lp_net_stage(b, "patches");
    lp_net_at(b, "%s", "");
    bool positions = !vitamin || lp_net_has(b, "pos_embed"); /* ViTamin-XL has none */
    x = lp_net_start(b, x,
                     &(lp_net_start_spec){.class_token = vitamin ? NULL : "cls_token",
                                          .positions = positions ? "pos_embed" : NULL});
    lp_net_stage(b, "tokens");
    build_blocks(b, x);
    if (vitamin) {
        net->penultimate = lp_net_norm(b, lp_net_take(b, x), "fc_norm", 0);
        net->pool = LP_POOL_MEAN;
    } else {
        net->penultimate = lp_net_take(b, lp_net_norm(b, x, "norm", 0));
        net->pool = LP_POOL_CLASS;
    }
    build_projection(b);
}

/* ---- its name -------------------------------------------------------------------------------- */

/* timm models/vitamin.py. */
static const lp_net_heads heads[] = {{1152, 16}, {0, 0}};

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    static const struct {
        size_t width, layers;
        const char *letter;
    } sizes[] = {{384, 14, "S"}, {768, 14, "B"}, {1024, 31, "L"}, {1152, 32, "XL"}, {768, 12, "B"}};
    size_t width = lp_net_size(b, 0, "blocks.0.norm1.weight");
    info->layers = lp_net_count(b, "blocks.");
    info->patch = PATCH;
    info->mlp_width = lp_net_size(b, 0, "blocks.0.mlp.%s.weight", is_vitamin(b) ? "w0" : "fc1");
    info->input_size = lp_net_grid(b->net) * PATCH;
    (void)snprintf(info->name, sizeof info->name, "%s %zux%zu", b->source->family->title, width,
                   info->layers);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i].width == width && sizes[i].layers == info->layers) {
            (void)snprintf(info->name, sizeof info->name, "%s-%s", b->source->family->title,
                           sizes[i].letter);
        }
    }
}

static const char *const ignored[] = {"head.", "classifier.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_vitamin = {
    .build = build, .ignored = ignored, .describe = describe, .head_width = 64, .heads = heads};
const lp_net_description lp_net_mci_vit = {
    .build = build, .ignored = ignored, .describe = describe, .head_width = 64};
/* Apple's code resizes positions as if they were one row of pixels. */
const lp_net_description lp_net_mci_vit_apple = {
    .build = build, .ignored = ignored, .describe = describe, .head_width = 64, .one_input = true};
