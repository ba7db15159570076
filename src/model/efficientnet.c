/* EfficientNet and EfficientNetV2, in timm's names:
 *
 *   stem      3x3 convolution of stride 2, batch norm, silu
 *   block     by its weights
 *               inverted residual  silu(conv_pw), silu(depthwise), squeeze-and-excitation, conv_pwl
 *               fused (V2)         silu(conv_exp), conv_pwl
 *               separable          silu(depthwise), squeeze-and-excitation, conv_pw
 *               plain (V2)         silu(conv)
 *             each with a batch norm; + x where pixels and channels stay the same
 *   head      1x1 convolution, batch norm, silu; mean of all pixels [B, C]   = penultimate
 *
 * Squeeze-and-excitation: x *= sigmoid(expand(silu(reduce(mean of x)))), channel by channel.
 *
 * Reproduces timm models/efficientnet.py and _efficientnet_blocks.py.  The tf_ models have the same
 * names and shapes, TensorFlow's padding and another eps: the name of the architecture says it.
 * torchvision models/efficientnet.py has names of its own, in which the parts of a block are
 * numbered. */
#include <stdio.h>
#include <string.h>

#include "model/families.h"
#include "model/net_descriptions.h"

/* Of the first block of each stage: _gen_efficientnet, _gen_efficientnetv2_*. */
static const size_t strides[] = {1, 2, 2, 2, 1, 2, 1};
enum { MOST_STAGES = sizeof strides / sizeof strides[0] };

/* A kernel's pixels a side, from its weight. */
static size_t taps_of(const lp_net_builder *b, const char *name) {
    size_t taps = lp_net_size(b, 2, "%s.weight", name);
    return taps > 0 ? taps : 3;
}

static size_t conv(lp_net_builder *b, size_t x, const char *name, const char *norm, size_t stride,
                   bool active, size_t add) {
    size_t taps = taps_of(b, name);
    return lp_net_conv(b, x, name,
                       &(lp_net_conv_spec){.taps = taps,
                                           .stride = stride,
                                           .padding = taps / 2,
                                           .batch_norm = norm,
                                           .activation = active ? LP_SILU : LP_IDENTITY,
                                           .add = add});
}

static size_t depthwise(lp_net_builder *b, size_t x, const char *norm, size_t stride) {
    size_t taps = taps_of(b, "conv_dw");
    return lp_net_conv(b, x, "conv_dw",
                       &(lp_net_conv_spec){.taps = taps,
                                           .stride = stride,
                                           .padding = taps / 2,
                                           .depthwise = true,
                                           .batch_norm = norm,
                                           .activation = LP_SILU});
}

static size_t excite(lp_net_builder *b, size_t x) {
    if (!lp_net_has(b, "se.conv_reduce.weight")) {
        return x;
    }
    return lp_net_excite(b, x, "se.conv_reduce", "se.conv_expand", LP_SILU, LP_SIGMOID);
}

/* Whether x is added to a block's result: its last layer gives as many channels. */
static bool has_skip(const lp_net_builder *b, size_t x, const char *last, size_t stride) {
    return stride == 1 && lp_net_size(b, 0, "%s.weight", last) == b->net->maps[x].channels;
}

static size_t build_block(lp_net_builder *b, size_t x, size_t stride) {
    size_t h;
    if (lp_net_has(b, "conv_exp.weight")) {
        size_t add = has_skip(b, x, "conv_pwl", stride) ? x : 0;
        h = excite(b, conv(b, x, "conv_exp", "bn1", stride, true, 0));
        return conv(b, h, "conv_pwl", "bn2", 1, false, add);
    }
    if (lp_net_has(b, "conv.weight")) {
        bool skip = has_skip(b, x, "conv", stride);
        h = conv(b, x, "conv", "bn1", stride, true, 0);
        return skip ? lp_net_add(b, h, x, LP_IDENTITY) : h;
    }
    if (lp_net_has(b, "conv_pwl.weight")) {
        size_t add = has_skip(b, x, "conv_pwl", stride) ? x : 0;
        h = conv(b, x, "conv_pw", "bn1", 1, true, 0);
        h = excite(b, depthwise(b, h, "bn2", stride));
        return conv(b, h, "conv_pwl", "bn3", 1, false, add);
    }
    size_t add = has_skip(b, x, "conv_pw", stride) ? x : 0;
    h = excite(b, depthwise(b, x, "bn1", stride));
    return conv(b, h, "conv_pw", "bn2", 1, false, add);
}

static void build(lp_net_builder *b) {
    size_t x = conv(b, 0, "conv_stem", "bn1", 2, true, 0);
    lp_net_stage(b, "stem");
    size_t stages = lp_net_count(b, "blocks.");
    for (size_t s = 0; s < stages && s < MOST_STAGES; s++) {
        lp_net_at(b, "blocks.%zu.", s);
        size_t blocks = lp_net_count(b, "%s", "");
        for (size_t i = 0; i < blocks; i++) {
            lp_net_at(b, "blocks.%zu.%zu.", s, i);
            x = build_block(b, x, i == 0 ? strides[s] : 1);
            lp_net_stage(b, "blocks.%zu.%zu", s, i);
        }
    }
    lp_net_at(b, "%s", "");
    x = conv(b, x, "conv_head", "bn2", 1, true, 0);
    b->net->penultimate = lp_net_mean(b, x);
}

/* ---- torchvision's names --------------------------------------------------------------------- */

/* A convolution "<name>.0" with the batch norm "<name>.1". */
static size_t pair(lp_net_builder *b, size_t x, const char *name, size_t stride, bool active,
                   size_t add) {
    char weight[40], norm[40];
    (void)snprintf(weight, sizeof weight, "%.30s.0", name);
    (void)snprintf(norm, sizeof norm, "%.30s.1", name);
    size_t taps = taps_of(b, weight), channels = b->net->maps[x].channels;
    bool apart = channels > 1 && lp_net_size(b, 1, "%s.weight", weight) == 1;
    return lp_net_conv(b, x, weight,
                       &(lp_net_conv_spec){.taps = taps,
                                           .stride = stride,
                                           .padding = taps / 2,
                                           .depthwise = apart,
                                           .batch_norm = norm,
                                           .activation = active ? LP_SILU : LP_IDENTITY,
                                           .add = add});
}

/* The parts of a block follow each other: [expansion,] depthwise, gate, projection; or (V2) fused
 * expansion [, projection]. */
static size_t build_torchvision_block(lp_net_builder *b, size_t x, size_t stride) {
    size_t parts = lp_net_count(b, "block."), last = parts > 0 ? parts - 1 : 0;
    char name[40], reduce[40], expand[40];
    (void)snprintf(name, sizeof name, "block.%zu.0", last);
    size_t add = has_skip(b, x, name, stride) ? x : 0, h = x;
    if (parts == 1) { /* the input is added behind the activation */
        h = pair(b, x, "block.0", stride, true, 0);
        return add > 0 ? lp_net_add(b, h, x, LP_IDENTITY) : h;
    }
    for (size_t i = 0; i < last; i++) {
        (void)snprintf(reduce, sizeof reduce, "block.%zu.fc1", i);
        (void)snprintf(expand, sizeof expand, "block.%zu.fc2", i);
        (void)snprintf(name, sizeof name, "block.%zu", i);
        bool wide = lp_net_size(b, 2, "%s.0.weight", name) > 1; /* where the stride is */
        if (lp_net_has(b, "%s.weight", reduce)) {
            h = lp_net_excite(b, h, reduce, expand, LP_SILU, LP_SIGMOID);
        } else {
            h = pair(b, h, name, wide ? stride : 1, true, 0);
        }
    }
    (void)snprintf(name, sizeof name, "block.%zu", last);
    return pair(b, h, name, 1, false, add);
}

static void build_torchvision(lp_net_builder *b) {
    lp_net_at(b, "%s", "");
    size_t features = lp_net_count(b, "features."); /* stem, stages, head */
    size_t x = pair(b, 0, "features.0", 2, true, 0);
    lp_net_stage(b, "stem");
    for (size_t s = 0; s + 2 < features && s < MOST_STAGES; s++) {
        lp_net_at(b, "features.%zu.", s + 1);
        size_t blocks = lp_net_count(b, "%s", "");
        for (size_t i = 0; i < blocks; i++) {
            lp_net_at(b, "features.%zu.%zu.", s + 1, i);
            x = build_torchvision_block(b, x, i == 0 ? strides[s] : 1);
            lp_net_stage(b, "features.%zu.%zu", s + 1, i);
        }
    }
    char head[40];
    (void)snprintf(head, sizeof head, "features.%zu", features > 1 ? features - 1 : 1);
    lp_net_at(b, "%s", "");
    x = pair(b, x, head, 1, true, 0);
    b->net->penultimate = lp_net_mean(b, x);
}

static void describe_torchvision(lp_net_builder *b, lp_encoder_info *info) {
    size_t features = lp_net_count(b, "features.");
    for (size_t s = 1; s + 1 < features; s++) {
        lp_net_at(b, "features.%zu.", s);
        info->layers += lp_net_count(b, "%s", "");
    }
    (void)snprintf(info->name, sizeof info->name, "%s %zux%zu", b->source->family->title,
                   b->net->maps[b->net->penultimate].channels, info->layers);
}

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t stages = lp_net_count(b, "blocks.");
    for (size_t s = 0; s < stages; s++) {
        lp_net_at(b, "blocks.%zu.", s);
        info->layers += lp_net_count(b, "%s", "");
    }
    (void)snprintf(info->name, sizeof info->name, "%s %zux%zu", b->source->family->title,
                   b->net->maps[b->net->penultimate].channels, info->layers);
}

static const char *const ignored[] = {"classifier.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_efficientnet = {
    .build = build, .ignored = ignored, .describe = describe, .named = true, .activation = "silu"};
const lp_net_description lp_net_torchvision_efficientnet = {.build = build_torchvision,
                                                            .ignored = ignored,
                                                            .describe = describe_torchvision,
                                                            .named = true,
                                                            .activation = "silu"};
