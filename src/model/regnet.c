/* RegNetX and RegNetY, in timm's names:
 *
 *   stem    3x3 convolution of stride 2
 *   block   relu(x + conv3(se(relu(conv2(relu(conv1(x))))))); conv2 is 3x3 in groups, the others
 * are 1x1; the first block of a stage has stride 2, and a convolution for x (downsample) head mean
 * of all pixels [B, C]                              = penultimate
 *
 * Each convolution has a batch norm.  RegNetX has no squeeze-and-excitation (se).
 *
 * Reproduces timm models/regnet.py, torchvision models/regnet.py and RegNetModel of transformers
 * (pooler_output). */
#include <stdio.h>

#include "model/families.h"
#include "model/net_descriptions.h"

enum { STAGES = 4 };

/* "<name>.conv" with "<name>.bn". */
static size_t conv(lp_net_builder *b, size_t x, const char *name, size_t stride, size_t add,
                   lp_nonlinearity activation) {
    char weight[40], norm[40];
    (void)snprintf(weight, sizeof weight, "%.30s.conv", name);
    (void)snprintf(norm, sizeof norm, "%.30s.bn", name);
    size_t taps = lp_net_size(b, 2, "%s.weight", weight);
    return lp_net_conv(b, x, weight,
                       &(lp_net_conv_spec){.taps = taps == 1 ? 1 : 3,
                                           .stride = stride,
                                           .padding = taps == 1 ? 0 : 1,
                                           .group = lp_net_size(b, 1, "%s.weight", weight),
                                           .batch_norm = norm,
                                           .add = add,
                                           .activation = activation});
}

static size_t build_block(lp_net_builder *b, size_t x, size_t stride) {
    size_t shortcut = x;
    if (lp_net_has(b, "downsample.conv.weight")) {
        shortcut = conv(b, x, "downsample", stride, 0, LP_IDENTITY);
    }
    size_t h = conv(b, x, "conv1", 1, 0, LP_RELU);
    h = conv(b, h, "conv2", stride, 0, LP_RELU);
    if (lp_net_some(b, ".se.fc1.weight")) { /* then all have it */
        h = lp_net_excite(b, h, "se.fc1", "se.fc2", LP_RELU, LP_SIGMOID);
    }
    return conv(b, h, "conv3", 1, shortcut, LP_RELU);
}

static void build(lp_net_builder *b) {
    size_t x = conv(b, 0, "stem", 2, 0, LP_RELU);
    lp_net_stage(b, "stem");
    for (size_t s = 1; s <= STAGES; s++) {
        lp_net_at(b, "%s", "");
        size_t blocks = lp_net_count_from(b, 1, "s%zu.b", s);
        for (size_t i = 1; i <= blocks; i++) {
            lp_net_at(b, "s%zu.b%zu.", s, i);
            x = build_block(b, x, i == 1 ? 2 : 1);
            lp_net_stage(b, "s%zu.b%zu", s, i);
        }
    }
    b->net->penultimate = lp_net_mean(b, x);
}

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t blocks[STAGES];
    for (size_t s = 0; s < STAGES; s++) {
        blocks[s] = lp_net_count_from(b, 1, "s%zu.b", s + 1);
        info->layers += blocks[s];
    }
    (void)snprintf(info->name, sizeof info->name, "%s%c %zux(%zu,%zu,%zu,%zu)",
                   b->source->family->title, lp_net_has(b, "s1.b1.se.fc1.weight") ? 'Y' : 'X',
                   b->net->maps[b->net->penultimate].channels, blocks[0], blocks[1], blocks[2],
                   blocks[3]);
}

static const char *const ignored[] = {"head.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_regnet = {
    .build = build, .ignored = ignored, .describe = describe, .activation = "relu"};
