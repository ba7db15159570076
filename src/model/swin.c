/* Swin transformers and Swin V2, in timm's names:
 *
 *   stem      4x4 convolution of stride 4, layer norm
 *   stage     (not the first) 2x2 pixels side by side, layer norm, linear: half the pixels a side
 *     block   x += attention within windows of norm1(x); every second block's windows are shifted
 *             by half a window;  x += fc2(gelu(fc1(norm2(x))))
 *   head      mean of the layer norm of each pixel [B, C]          = penultimate
 *
 * Of V2 each norm stands behind its layers, before the sum; attention is that of vectors of length
 * 1, times a factor of the head; and an MLP over the offsets' logarithms gives the bias.
 *
 * Reproduces timm models/swin_transformer.py and swin_transformer_v2.py, the authors' files of
 * these names, SwinModel and Swinv2Model of transformers (pooler_output), and torchvision
 * models/swin_transformer.py. */
#include <stdio.h>
#include <string.h>

#include "model/families.h"
#include "model/net_descriptions.h"

enum { STAGES = 4 };

/* What happens with a map that windows do not fill depends on the program. */
static lp_net_padding padding_of(const lp_net_builder *b) {
    const void *layout = b->source->family->layout;
    return layout == &lp_net_swin_timm          ? LP_NET_PADDED_LAST
           : layout == &lp_net_swin_hf          ? LP_NET_PADDED_FIRST
           : layout == &lp_net_swin_torchvision ? LP_NET_PADDED_ANY
                                                : LP_NET_FILLED;
}

/* A second version has biases of queries and values alone, or (torchvision) keys' that are not
 * used. */
static lp_net_qkv_bias biases_of(bool second, bool fused) {
    return !second ? LP_NET_BIAS_ALL : fused ? LP_NET_BIAS_ZEROED_KEYS : LP_NET_BIAS_NOT_KEYS;
}

static size_t build_block(lp_net_builder *b, size_t x, size_t stage, bool shifted, bool second) {
    bool fused = lp_net_some(b, ".attn.qkv.weight");
    x = lp_net_windows(
        b, x,
        &(lp_net_windows_spec){
            .norm = "norm1",
            .table = second ? "attn.cpb_mlp" : "attn.relative_position_bias_table",
            .qkv = {.fused = fused ? "attn.qkv" : NULL,
                    .apart = {"attn.query", "attn.key", "attn.value"},
                    .bias = biases_of(second, fused && lp_net_some(b, ".attn.qkv.bias")),
                    .q_bias = fused ? "attn.q_bias" : NULL,
                    .v_bias = "attn.v_bias"},
            .logits = second ? "attn.logit_scale" : NULL,
            .offsets = "attn.relative_coords_table",
            .projection = "attn.proj",
            .stage = stage,
            .shifted = shifted,
            .padding = padding_of(b)});
    return lp_net_mlp(b, x, x,
                      &(lp_net_mlp_spec){.norm = "norm2",
                                         .first = "mlp.fc1",
                                         .second = "mlp.fc2",
                                         .usual = true,
                                         .after = second});
}

static void build(lp_net_builder *b) {
    bool second = lp_net_some(b, "attn.logit_scale");
    lp_net_at(b, "patch_embed.");
    size_t x = lp_net_conv(b, 0, "proj", &(lp_net_conv_spec){.taps = 4, .stride = 4, .bias = true});
    x = lp_net_norm(b, x, "norm", 0);
    lp_net_stage(b, "stem");
    for (size_t s = 0; s < STAGES; s++) {
        if (s > 0) {
            lp_net_at(b, "layers.%zu.downsample.", s);
            x = lp_net_merge(b, x, "norm", "reduction", second);
        }
        lp_net_at(b, "layers.%zu.", s);
        size_t blocks = lp_net_count(b, "blocks.");
        for (size_t i = 0; i < blocks; i++) {
            lp_net_at(b, "layers.%zu.blocks.%zu.", s, i);
            x = build_block(b, x, s, i % 2 == 1, second);
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
static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t blocks[STAGES] = {0}, width = lp_net_size(b, 0, "patch_embed.proj.weight");
    for (size_t s = 0; s < STAGES; s++) {
        blocks[s] = lp_net_count(b, "layers.%zu.blocks.", s);
        info->layers += blocks[s];
    }
    size_t window = 1;
    for (size_t i = 1; i < b->net->layer_count; i++) {
        size_t here = b->net->layers[i].kind == LP_NET_TABLE ? b->net->layers[i].window : 1;
        window = here > window ? here : window;
    }
    info->input_size = window > 1 ? 32 * window : 0;
    char windows[24] = ""; /* where the file says it */
    if (window > 1) {
        (void)snprintf(windows, sizeof windows, "/%zu", window);
    }
    (void)snprintf(info->name, sizeof info->name, "%s %zux(%zu,%zu,%zu,%zu)%s",
                   b->source->family->title, width, blocks[0], blocks[1], blocks[2], blocks[3],
                   windows);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i].blocks == blocks[2] && sizes[i].width == width && blocks[0] == 2 &&
            blocks[1] == 2 && blocks[3] == 2) {
            (void)snprintf(info->name, sizeof info->name, "%s-%s%s", b->source->family->title,
                           sizes[i].name, windows);
        }
    }
}

static const char *const ignored[] = {"head.", "*.relative_position_index", "*.attn_mask", NULL};

const lp_net_description lp_net_swin = {.build = build, .ignored = ignored, .describe = describe};
const lp_net_description lp_net_swin_timm = {
    .build = build, .ignored = ignored, .describe = describe};
const lp_net_description lp_net_swin_hf = {
    .build = build, .ignored = ignored, .describe = describe};
const lp_net_description lp_net_swin_torchvision = {
    .build = build, .ignored = ignored, .describe = describe};
