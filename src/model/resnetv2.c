/* Residual networks of the second version (activation first), in timm's names:
 *
 *   stem    BiT: 7x7 convolution of stride 2, maxima of 3x3 at every second pixel, zeros beyond the
 *           edge; with batch norms: the same, or three 3x3 convolutions, maxima of what there is
 *   block   h = act(norm1(x));  x (of a stage's first block: downsample(h)) +
 *           conv3(act(norm3(conv2(act(norm2(conv1(h))))))); or without the third of each (basic)
 *   head    mean of act(norm(x)) [B, C]                              = penultimate
 *
 * act is relu.  BiT's norms are group norms of 32 groups, and its convolutions' weights are
 * standardised.  Models with a stem of three convolutions take means of 2x2 pixels before
 * downsample.
 *
 * In the authors' .npz files of BiT stages and blocks are counted from 1.
 *
 * Reproduces timm models/resnetv2.py, by its _load_weights the files of
 * google-research/big_transfer, and BitModel of transformers (pooler_output). */
#include <stdio.h>

#include "model/families.h"
#include "model/net_descriptions.h"

enum { STAGES = 4, GROUPS = 32 };

/* resnetv2.py, _create_resnetv2_bit; modeling_bit.py. */
static const float standard_eps = 1e-8F;

static bool is_bit(const lp_net_builder *b) {
    return b->source->family->layout == &lp_net_bit || b->source->family->layout == &lp_net_bit_npz;
}

/* The first number of stages and of blocks in names. */
static size_t first_of(const lp_net_builder *b) {
    return b->source->family->layout == &lp_net_bit_npz ? 1 : 0;
}

static size_t norm(lp_net_builder *b, size_t x, const char *name) {
    return is_bit(b) ? lp_net_group_norm(b, x, name, GROUPS, 0, LP_RELU)
                     : lp_net_batch_norm(b, x, name, LP_RELU);
}

static size_t conv(lp_net_builder *b, size_t x, const char *name, size_t taps, size_t stride,
                   size_t add) {
    return lp_net_conv(b, x, name,
                       &(lp_net_conv_spec){.taps = taps,
                                           .stride = stride,
                                           .padding = taps / 2,
                                           .standard_eps = is_bit(b) ? standard_eps : 0,
                                           .add = add});
}

static size_t build_stem(lp_net_builder *b, bool deep) {
    size_t x;
    lp_net_at(b, "stem.");
    if (deep) {
        x = conv(b, 0, "conv1", 3, 2, 0);
        x = conv(b, norm(b, x, "norm1"), "conv2", 3, 1, 0);
        x = conv(b, norm(b, x, "norm2"), "conv3", 3, 1, 0);
    } else {
        x = conv(b, 0, "conv", 7, 2, 0);
    }
    x = lp_net_pool(b, x, &(lp_pooling){.taps = 3, .stride = 2, .padding = 1, .zeros = is_bit(b)});
    lp_net_stage(b, "stem");
    return x;
}

static size_t build_block(lp_net_builder *b, size_t x, size_t stride, bool deep) {
    size_t h = norm(b, x, "norm1"), shortcut = x;
    if (lp_net_has(b, "downsample.conv.weight")) {
        bool means = deep && stride > 1;
        shortcut =
            means ? lp_net_pool(b, h,
                                &(lp_pooling){.taps = 2, .stride = 2, .mean = true, .whole = true})
                  : h;
        shortcut = conv(b, shortcut, "downsample.conv", 1, means ? 1 : stride, 0);
    }
    if (!is_bit(b) && !lp_net_some(b, ".norm3.weight")) { /* basic */
        h = norm(b, conv(b, h, "conv1", 3, stride, 0), "norm2");
        return conv(b, h, "conv2", 3, 1, shortcut);
    }
    h = norm(b, conv(b, h, "conv1", 1, 1, 0), "norm2");
    h = norm(b, conv(b, h, "conv2", 3, stride, 0), "norm3");
    return conv(b, h, "conv3", 1, 1, shortcut);
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "stem.");
    bool deep = lp_net_has(b, "conv1.weight");
    size_t x = build_stem(b, deep);
    size_t first = first_of(b);
    for (size_t s = 0; s < STAGES; s++) {
        lp_net_at(b, "stages.%zu.", s + first);
        size_t blocks = lp_net_count_from(b, first, "blocks.");
        for (size_t i = 0; i < blocks; i++) {
            lp_net_at(b, "stages.%zu.blocks.%zu.", s + first, i + first);
            x = build_block(b, x, s > 0 && i == 0 ? 2 : 1, deep);
            lp_net_stage(b, "stages.%zu.blocks.%zu", s, i);
        }
    }
    lp_net_at(b, "%s", "");
    b->net->penultimate = lp_net_mean(b, norm(b, x, "norm"));
}

/* "BiT-R50x3": the depth counts convolutions and the classifier. */
static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t first = first_of(b);
    for (size_t s = 0; s < STAGES; s++) {
        info->layers += lp_net_count_from(b, first, "stages.%zu.blocks.", s + first);
    }
    bool basic = !lp_net_has(b, "stages.%zu.blocks.%zu.norm3.weight", first, first);
    size_t depth = (basic ? 2 : 3) * info->layers + 2, usual = basic ? 512 : 2048;
    size_t width = b->net->maps[b->net->penultimate].channels;
    const char *deep = lp_net_has(b, "stem.conv1.weight") ? "D" : "";
    if (is_bit(b) && width % usual == 0) {
        (void)snprintf(info->name, sizeof info->name, "%s-R%zux%zu", b->source->family->title,
                       depth, width / usual);
    } else {
        (void)snprintf(info->name, sizeof info->name, "%s-%zu%s", b->source->family->title, depth,
                       deep);
    }
}

static const char *const ignored[] = {"head.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_bit = {
    .build = build, .ignored = ignored, .describe = describe, .activation = "relu"};
const lp_net_description lp_net_bit_npz = {
    .build = build, .ignored = ignored, .describe = describe, .activation = "relu"};
const lp_net_description lp_net_resnetv2 = {
    .build = build, .ignored = ignored, .describe = describe, .activation = "relu"};
