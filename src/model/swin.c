/* Swin transformers, in timm's names:
 *
 *   stem      4x4 convolution of stride 4, layer norm
 *   stage     (not the first) 2x2 pixels side by side, layer norm, linear: half the pixels a side
 *     block   x += attention within windows of norm1(x); every second block's windows are shifted
 * by half a window;  x += fc2(gelu(fc1(norm2(x)))) head      mean of the layer norm of each pixel
 * [B, C]         = penultimate
 *
 * Reproduces timm models/swin_transformer.py, the authors' models/swin_transformer.py, SwinModel of
 * transformers (pooler_output) and torchvision models/swin_transformer.py. */
#include <stdio.h>
#include <string.h>

#include "model/families.h"
#include "model/net_descriptions.h"

enum { STAGES = 4 };

static size_t build_block(lp_net_builder *b, size_t x, bool shifted) {
    bool fused = lp_net_has(b, "attn.qkv.weight");
    x = lp_net_windows(b, x,
                       &(lp_net_windows_spec){.norm = "norm1",
                                              .table = "attn.relative_position_bias_table",
                                              .qkv = fused ? "attn.qkv" : NULL,
                                              .apart = {"attn.query", "attn.key", "attn.value"},
                                              .projection = "attn.proj",
                                              .shifted = shifted});
    return lp_net_mlp(b, x, x,
                      &(lp_net_mlp_spec){
                          .norm = "norm2", .first = "mlp.fc1", .second = "mlp.fc2", .usual = true});
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "patch_embed.");
    size_t x = lp_net_conv(b, 0, "proj", &(lp_net_conv_spec){.taps = 4, .stride = 4, .bias = true});
    x = lp_net_norm(b, x, "norm", 0);
    lp_net_stage(b, "stem");
    for (size_t s = 0; s < STAGES; s++) {
        if (s > 0) {
            lp_net_at(b, "layers.%zu.downsample.", s);
            x = lp_net_merge(b, x, "norm", "reduction");
        }
        lp_net_at(b, "layers.%zu.", s);
        size_t blocks = lp_net_count(b, "blocks.");
        for (size_t i = 0; i < blocks; i++) {
            lp_net_at(b, "layers.%zu.blocks.%zu.", s, i);
            x = build_block(b, x, i % 2 == 1);
            lp_net_stage(b, "layers.%zu.blocks.%zu", s, i);
        }
    }
    lp_net_at(b, "%s", "");
    x = lp_net_norm(b, x, "norm", 0);
    b->net->penultimate = lp_net_mean(b, x);
}

/* timm models/swin_transformer.py: blocks of the third stage (two in each other), width. */
static const struct {
    size_t blocks, width;
    const char *name;
} sizes[] = {{6, 96, "T"}, {18, 96, "S"}, {18, 128, "B"}, {18, 192, "L"}};

/* The input is 32 windows' pixels a side: a window fills the last stage. */
static void describe(const lp_net_builder *b, lp_encoder_info *info) {
    lp_net_builder at = *b;
    lp_net_at(&at, "%s", "");
    size_t blocks[STAGES] = {0}, width = lp_net_size(&at, 0, "patch_embed.proj.weight");
    for (size_t s = 0; s < STAGES; s++) {
        blocks[s] = lp_net_count(&at, "layers.%zu.blocks.", s);
        info->layers += blocks[s];
    }
    size_t window = 1;
    for (size_t i = 1; i < b->net->layer_count; i++) {
        size_t here = b->net->layers[i].kind == LP_NET_TABLE ? b->net->layers[i].window : 1;
        window = here > window ? here : window;
    }
    info->input_size = 32 * window;
    (void)snprintf(info->name, sizeof info->name, "%s %zux(%zu,%zu,%zu,%zu)/%zu",
                   b->source->family->title, width, blocks[0], blocks[1], blocks[2], blocks[3],
                   window);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i].blocks == blocks[2] && sizes[i].width == width && blocks[0] == 2 &&
            blocks[1] == 2 && blocks[3] == 2) {
            (void)snprintf(info->name, sizeof info->name, "%s-%s/%zu", b->source->family->title,
                           sizes[i].name, window);
        }
    }
}

static const char *const ignored[] = {"head.", "*.relative_position_index", "*.attn_mask", NULL};

const lp_net_description lp_net_swin = {build, ignored, describe, false};
