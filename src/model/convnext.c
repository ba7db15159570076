/* ConvNeXt and ConvNeXt V2, in timm's names:
 *
 *   stem      4x4 convolution of stride 4, layer norm
 *   stage     layer norm, 2x2 convolution of stride 2 (not the first)
 *     block   x += gamma * fc2(gelu(fc1(norm(7x7 depthwise(x)))));
 *             V2 has no gamma, and a global response normalisation behind gelu
 *   head      layer norm of the mean [B, C]                     = penultimate
 *             (timm's "hnf" models: mean of the layer norm of each pixel; its "mlp" models: a
 *             hidden layer with gelu behind it)
 *   project   open_clip: a linear layer, or two with gelu [B, E] = projected
 *
 * Reproduces timm models/convnext.py (pre_logits), ConvNextModel,
 * ConvNextV2Model and DINOv3ConvNextModel of transformers (pooler_output), models/convnext.py and
 * convnextv2.py of facebookresearch, and open_clip timm_model.py. */
#include "model/net_descriptions.h"

#include <stdio.h>
#include <string.h>

#include "model/families.h"

enum { STAGES = 4 };

/* ---- the network ----------------------------------------------------------------------------- */

/* The eps of the blocks' norms is their own where a family's rule for the last one is another. */
static size_t build_stage(lp_net_builder *b, size_t x, size_t stage, float eps) {
    lp_net_at(b, "%s", "");
    if (stage > 0 || lp_net_has(b, "stages.0.downsample.0.weight")) { /* patches of 2 */
        lp_net_at(b, "stages.%zu.downsample.", stage);
        x = lp_net_norm(b, x, "0", eps);
        x = lp_net_conv(b, x, "1", &(lp_net_conv_spec){.taps = 2, .stride = 2, .bias = true});
    }
    lp_net_at(b, "stages.%zu.", stage);
    size_t blocks = lp_net_count(b, "blocks.");
    for (size_t i = 0; i < blocks; i++) {
        lp_net_at(b, "stages.%zu.blocks.%zu.", stage, i);
        size_t taps = lp_net_size(b, 2, "conv_dw.weight");
        size_t h = lp_net_conv(b, x, "conv_dw",
                               &(lp_net_conv_spec){.taps = taps > 0 ? taps : 7,
                                                   .padding = taps > 0 ? taps / 2 : 3,
                                                   .depthwise = true,
                                                   .bias = true});
        bool second = lp_net_has(b, "mlp.grn.weight"); /* version */
        x = lp_net_mlp(b, h, x,
                       &(lp_net_mlp_spec){.norm = "norm",
                                          .first = "mlp.fc1",
                                          .response = second ? "mlp.grn" : NULL,
                                          .second = "mlp.fc2",
                                          .gamma = second ? NULL : "gamma",
                                          .eps = eps,
                                          .usual = true});
        lp_net_stage(b, "stages.%zu.blocks.%zu", stage, i);
    }
    return x;
}

static void build_as(lp_net_builder *b, float block_eps) {
    /* patches of 2 are followed by another stage's stride; timm dilates where they are of 8 */
    size_t patch = lp_net_size(b, 2, "stem.0.weight") == 2 ? 2 : 4;
    lp_net_at(b, "stem.");
    size_t x =
        lp_net_conv(b, 0, "0", &(lp_net_conv_spec){.taps = patch, .stride = patch, .bias = true});
    x = lp_net_norm(b, x, "1", block_eps);
    lp_net_stage(b, "stem");
    for (size_t s = 0; s < STAGES; s++) {
        x = build_stage(b, x, s, block_eps);
    }
    lp_net_at(b, "%s", "");
    if (lp_net_has(b, "norm_pre.weight")) {
        x = lp_net_norm(b, x, "norm_pre", 0);
        b->net->penultimate = lp_net_mean(b, x);
    } else {
        x = lp_net_mean(b, x);
        x = lp_net_norm(b, x, "head.norm", 0);
        b->net->penultimate = x;
    }
    if (lp_net_has(b, "head.pre_logits.fc.weight")) {
        b->net->penultimate =
            lp_net_conv(b, x, "head.pre_logits.fc",
                        &(lp_net_conv_spec){.flat = true, .bias = true, .usual = true});
    }
}

static void build(lp_net_builder *b) {
    build_as(b, 0);
}

/* modeling_convnext.py: 1e-6 but for the last norm, which has the config's layer_norm_eps. */
static void build_hf(lp_net_builder *b) {
    build_as(b, 1e-6F);
}

/* ---- its name -------------------------------------------------------------------------------- */

/* timm models/convnext.py and facebookresearch/ConvNeXt: depths, width of the stem, letter. */
static const struct {
    size_t blocks[STAGES], width;
    const char *name;
    float norm_eps; /* 0: the family's */
} sizes[] = {
    {{2, 2, 4, 2}, 32, "zepto", 0}, {{2, 2, 6, 2}, 40, "atto", 0},
    {{2, 2, 6, 2}, 48, "femto", 0}, {{2, 2, 6, 2}, 64, "pico", 0},
    {{2, 2, 8, 2}, 80, "nano", 0},  {{3, 3, 9, 3}, 96, "T", 0},
    {{3, 3, 27, 3}, 96, "S", 0},    {{3, 3, 27, 3}, 128, "B", 0},
    {{3, 3, 27, 3}, 192, "L", 0},   {{3, 3, 27, 3}, 256, "XL", 0},
    {{3, 3, 27, 3}, 352, "H", 0},   {{3, 4, 30, 3}, 384, "XXL", 1e-5F}, /* timm: norm_eps */
};

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t blocks[STAGES] = {0}, width = lp_net_size(b, 0, "stem.0.weight");
    const char *version = lp_net_has(b, "stages.0.blocks.0.mlp.grn.weight") ? " V2" : "";
    const char *title = b->source->family->title;
    for (size_t s = 0; s < STAGES; s++) {
        blocks[s] = lp_net_count(b, "stages.%zu.blocks.", s);
        info->layers += blocks[s];
    }
    (void)snprintf(info->name, sizeof info->name, "%s%s %zux(%zu,%zu,%zu,%zu)", title, version,
                   width, blocks[0], blocks[1], blocks[2], blocks[3]);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (memcmp(sizes[i].blocks, blocks, sizeof blocks) == 0 && sizes[i].width == width) {
            (void)snprintf(info->name, sizeof info->name, "%s%s-%s", title, version, sizes[i].name);
            info->norm_eps = sizes[i].norm_eps > 0 ? sizes[i].norm_eps : info->norm_eps;
        }
    }
}

static const char *const ignored[] = {"head.fc.", "head.weight", "head.bias",
                                      "norms.",   "mask_token",  NULL};

const lp_net_description lp_net_convnext = {
    .build = build, .ignored = ignored, .describe = describe};
const lp_net_description lp_net_convnext_hf = {
    .build = build_hf, .ignored = ignored, .describe = describe};
