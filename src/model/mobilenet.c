/* MobileNetV2 and V3, in torchvision's names, in which the parts of a block are numbered:
 *
 *   stem   3x3 convolution of stride 2
 *   block  [1x1 expansion,] depthwise convolution, [squeeze-and-excitation,] 1x1 projection; + x
 *          where pixels and channels stay the same
 *   head   1x1 convolution, mean of all pixels [B, C]; V3: a linear layer and its activation; what
 *          goes into the classifier's last layer                       = penultimate
 *
 * Each convolution has a batch norm and, but for the projection, an activation: relu6; of V3 relu
 * or hard swish, by the block.  Gates are hard sigmoids.  What weights do not say, strides and
 * activations, is that of the published networks, which the number of blocks tells.
 *
 * Reproduces torchvision models/mobilenetv2.py and mobilenetv3.py. */
#include <stdio.h>
#include <string.h>

#include "model/families.h"
#include "model/net_descriptions.h"

/* Blocks with a stride of 2, and the first one with hard swish, counted from 1: the first weight of
 * a block is "features.<number>.". */
typedef struct kind {
    size_t blocks, strided[LP_FAMILY_NAMES], swish;
    const char *name;
} kind;
static const kind second = {17, {2, 4, 7, 14}, SIZE_MAX, "MobileNetV2"};
static const kind third[] = {{15, {2, 4, 7, 13}, 7, "MobileNetV3-Large"},
                             {11, {1, 2, 4, 9}, 4, "MobileNetV3-Small"}};

static size_t taps_of(const lp_net_builder *b, const char *name) {
    size_t taps = lp_net_size(b, 2, "%s.weight", name);
    return taps > 0 ? taps : 1;
}

/* The convolution and the batch norm of these names. */
static size_t conv(lp_net_builder *b, size_t x, const char *name, const char *norm, size_t stride,
                   lp_nonlinearity activation, size_t add) {
    size_t taps = taps_of(b, name), channels = b->net->maps[x].channels;
    bool apart = taps > 1 && channels > 1 && lp_net_size(b, 1, "%s.weight", name) == 1;
    return lp_net_conv(b, x, name,
                       &(lp_net_conv_spec){.taps = taps,
                                           .stride = stride,
                                           .padding = taps / 2,
                                           .depthwise = apart,
                                           .batch_norm = norm,
                                           .activation = activation,
                                           .add = add});
}

/* "<name>.0" and "<name>.1". */
static size_t pair(lp_net_builder *b, size_t x, const char *name, size_t stride,
                   lp_nonlinearity activation, size_t add) {
    char weight[40], norm[40];
    (void)snprintf(weight, sizeof weight, "%.30s.0", name);
    (void)snprintf(norm, sizeof norm, "%.30s.1", name);
    return conv(b, x, weight, norm, stride, activation, add);
}

static bool is_strided(const kind *k, size_t block) {
    for (size_t i = 0; i < LP_FAMILY_NAMES; i++) {
        if (k->strided[i] == block) {
            return true;
        }
    }
    return false;
}

static size_t build_stem(lp_net_builder *b, lp_nonlinearity activation) {
    lp_net_at(b, "%s", "");
    size_t x = lp_net_conv(b, 0, "features.0.0",
                           &(lp_net_conv_spec){.taps = 3,
                                               .stride = 2,
                                               .padding = 1,
                                               .batch_norm = "features.0.1",
                                               .activation = activation});
    lp_net_stage(b, "stem");
    return x;
}

static void check_blocks(lp_net_builder *b, size_t blocks, const kind *k) {
    if (blocks != k->blocks) {
        lp_plan_problem(b->plan, "features: %zu blocks: expected %zu of a %s", blocks, k->blocks,
                        k->name);
    }
}

/* Numbers behind "features.", without stem and head. */
static size_t count_blocks(const lp_net_builder *b) {
    size_t features = lp_net_count(b, "features.");
    return features > 2 ? features - 2 : 0;
}

static size_t build_second_block(lp_net_builder *b, size_t x, size_t stride) {
    size_t parts = lp_net_has(b, "conv.2.weight") && lp_net_size(b, 3, "conv.2.weight") > 0 ? 2 : 1;
    size_t h = x;
    char name[40], norm[40];
    for (size_t i = 0; i < parts; i++) {
        (void)snprintf(name, sizeof name, "conv.%zu", i);
        h = pair(b, h, name, i + 1 == parts ? stride : 1, LP_RELU6, 0);
    }
    (void)snprintf(name, sizeof name, "conv.%zu", parts);
    (void)snprintf(norm, sizeof norm, "conv.%zu", parts + 1);
    bool skip = stride == 1 && lp_net_size(b, 0, "%s.weight", name) == b->net->maps[x].channels;
    return conv(b, h, name, norm, 1, LP_IDENTITY, skip ? x : 0);
}

static void build_second(lp_net_builder *b) {
    size_t x = build_stem(b, LP_RELU6), blocks = count_blocks(b);
    check_blocks(b, blocks, &second);
    for (size_t i = 1; i <= blocks; i++) {
        lp_net_at(b, "features.%zu.", i);
        x = build_second_block(b, x, is_strided(&second, i) ? 2 : 1);
        lp_net_stage(b, "features.%zu", i);
    }
    lp_net_at(b, "features.%zu.", blocks + 1);
    x = conv(b, x, "0", "1", 1, LP_RELU6, 0);
    b->net->penultimate = lp_net_mean(b, x);
}

static size_t build_third_block(lp_net_builder *b, size_t x, size_t stride,
                                lp_nonlinearity activation) {
    size_t parts = lp_net_count(b, "block."), last = parts > 0 ? parts - 1 : 0, h = x;
    char name[40], reduce[40], expand[40];
    for (size_t i = 0; i < last; i++) {
        (void)snprintf(reduce, sizeof reduce, "block.%zu.fc1", i);
        (void)snprintf(expand, sizeof expand, "block.%zu.fc2", i);
        (void)snprintf(name, sizeof name, "block.%zu", i);
        bool wide = lp_net_size(b, 2, "%s.0.weight", name) > 1; /* where the stride is */
        h = lp_net_has(b, "%s.weight", reduce)
                ? lp_net_excite(b, h, reduce, expand, LP_RELU, LP_HARD_SIGMOID)
                : pair(b, h, name, wide ? stride : 1, activation, 0);
    }
    (void)snprintf(name, sizeof name, "block.%zu", last);
    bool skip = stride == 1 && lp_net_size(b, 0, "%s.0.weight", name) == b->net->maps[x].channels;
    return pair(b, h, name, 1, LP_IDENTITY, skip ? x : 0);
}

static void build_third(lp_net_builder *b) {
    size_t x = build_stem(b, LP_HARD_SWISH), blocks = count_blocks(b);
    const kind *k = &third[blocks == third[1].blocks ? 1 : 0];
    check_blocks(b, blocks, k);
    for (size_t i = 1; i <= blocks; i++) {
        lp_net_at(b, "features.%zu.", i);
        x = build_third_block(b, x, is_strided(k, i) ? 2 : 1,
                              i < k->swish ? LP_RELU : LP_HARD_SWISH);
        lp_net_stage(b, "features.%zu", i);
    }
    lp_net_at(b, "features.%zu.", blocks + 1);
    x = lp_net_mean(b, conv(b, x, "0", "1", 1, LP_HARD_SWISH, 0));
    lp_net_at(b, "%s", "");
    b->net->penultimate =
        lp_net_conv(b, x, "classifier.0",
                    &(lp_net_conv_spec){.flat = true, .bias = true, .activation = LP_HARD_SWISH});
}

static void describe_second(lp_net_builder *b, lp_encoder_info *info) {
    (void)b;
    info->layers = second.blocks;
    (void)snprintf(info->name, sizeof info->name, "%s", second.name);
}

static void describe_third(lp_net_builder *b, lp_encoder_info *info) {
    info->layers = count_blocks(b);
    (void)snprintf(info->name, sizeof info->name, "%s",
                   third[info->layers == third[1].blocks ? 1 : 0].name);
}

static const char *const ignored_second[] = {"classifier.", "*.num_batches_tracked", NULL};
static const char *const ignored_third[] = {"classifier.3.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_mobilenetv2 = {.build = build_second,
                                               .ignored = ignored_second,
                                               .describe = describe_second,
                                               .activation = "relu6"};
const lp_net_description lp_net_mobilenetv3 = {.build = build_third,
                                               .ignored = ignored_third,
                                               .describe = describe_third,
                                               .activation = "hard_swish"};
