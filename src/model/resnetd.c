/* timm's residual networks with other stems and shortcuts than torchvision's, and with
 * squeeze-and-excitation, in torchvision's names:
 *
 *   stem    7x7 convolution of stride 2, or three of 3x3 (conv1.0, .3, .6); then maxima of 3x3 at
 *           every second pixel, or another 3x3 convolution of stride 2 (maxpool)
 *   block   relu(shortcut(x) + se(conv3(relu(conv2(relu(conv1(x))))))); basic ones without conv3
 *   shortcut  of a stage's first block: a convolution, or ("d" models) means of 2x2 pixels and a
 *           1x1 convolution
 *   head    mean of all pixels [B, C]                              = penultimate
 *
 * Each convolution has a batch norm.  Reproduces timm models/resnet.py without anti-aliasing. */
#include <stdio.h>

#include "model/families.h"
#include "model/net_descriptions.h"

enum { STAGES = 4 };

static size_t conv(lp_net_builder *b, size_t x, const char *name, const char *norm, size_t stride,
                   size_t add, lp_nonlinearity activation) {
    size_t taps = lp_net_size(b, 2, "%s.weight", name);
    taps = taps > 0 ? taps : 3;
    return lp_net_conv(b, x, name,
                       &(lp_net_conv_spec){.taps = taps,
                                           .stride = stride,
                                           .padding = taps / 2,
                                           .group = lp_net_size(b, 1, "%s.weight", name),
                                           .batch_norm = norm,
                                           .add = add,
                                           .activation = activation});
}

static size_t build_stem(lp_net_builder *b) {
    size_t x;
    if (lp_net_has(b, "conv1.0.weight")) {
        x = conv(b, 0, "conv1.0", "conv1.1", 2, 0, LP_RELU);
        x = conv(b, x, "conv1.3", "conv1.4", 1, 0, LP_RELU);
        x = conv(b, x, "conv1.6", "bn1", 1, 0, LP_RELU);
    } else {
        x = conv(b, 0, "conv1", "bn1", 2, 0, LP_RELU);
    }
    x = lp_net_has(b, "maxpool.0.weight")
            ? conv(b, x, "maxpool.0", "maxpool.1", 2, 0, LP_RELU)
            : lp_net_pool(b, x, &(lp_pooling){.taps = 3, .stride = 2, .padding = 1});
    lp_net_stage(b, "stem");
    return x;
}

static size_t build_shortcut(lp_net_builder *b, size_t x, size_t stride) {
    if (lp_net_size(b, 3, "downsample.1.weight") > 0) { /* behind a mean, or an identity */
        x = stride > 1
                ? lp_net_pool(b, x,
                              &(lp_pooling){.taps = 2, .stride = 2, .mean = true, .whole = true})
                : x;
        return conv(b, x, "downsample.1", "downsample.2", 1, 0, LP_IDENTITY);
    }
    return lp_net_has(b, "downsample.0.weight")
               ? conv(b, x, "downsample.0", "downsample.1", stride, 0, LP_IDENTITY)
               : x;
}

static size_t build_block(lp_net_builder *b, size_t x, size_t stride) {
    bool bottleneck = lp_net_some(b, ".bn3.weight"), gated = lp_net_some(b, ".se.fc1.weight");
    size_t shortcut = build_shortcut(b, x, stride), add = gated ? 0 : shortcut;
    lp_nonlinearity last = gated ? LP_IDENTITY : LP_RELU;
    size_t h = conv(b, x, "conv1", "bn1", bottleneck ? 1 : stride, 0, LP_RELU);
    if (bottleneck) {
        h = conv(b, h, "conv2", "bn2", stride, 0, LP_RELU);
        h = conv(b, h, "conv3", "bn3", 1, add, last);
    } else {
        h = conv(b, h, "conv2", "bn2", 1, add, last);
    }
    if (gated) {
        h = lp_net_excite(b, h, "se.fc1", "se.fc2", LP_RELU, LP_SIGMOID);
        h = lp_net_add(b, h, shortcut, LP_RELU);
    }
    return h;
}

static void build(lp_net_builder *b) {
    size_t x = build_stem(b);
    for (size_t s = 1; s <= STAGES; s++) {
        lp_net_at(b, "layer%zu.", s);
        size_t blocks = lp_net_count(b, "%s", "");
        for (size_t i = 0; i < blocks; i++) {
            lp_net_at(b, "layer%zu.%zu.", s, i);
            x = build_block(b, x, s > 1 && i == 0 ? 2 : 1);
            lp_net_stage(b, "layer%zu.%zu", s, i);
        }
    }
    b->net->penultimate = lp_net_mean(b, x);
}

/* "SE-ResNeXt-50-D 32x4d" */
static void describe(const lp_net_builder *b, lp_encoder_info *info) {
    lp_net_builder at = *b;
    lp_net_at(&at, "%s", "");
    for (size_t s = 1; s <= STAGES; s++) {
        lp_net_at(&at, "layer%zu.", s);
        info->layers += lp_net_count(&at, "%s", "");
    }
    lp_net_at(&at, "%s", "");
    bool bottleneck = lp_net_has(&at, "layer1.0.conv3.weight");
    bool means = lp_net_size(&at, 3, "layer2.0.downsample.1.weight") > 0;
    size_t first = lp_net_size(&at, 0, "conv1.0.weight"),
           second = lp_net_size(&at, 0, "conv1.3.weight");
    const char *stem = first == 0 ? "" : first != second ? "-T" : means ? "-D" : "-C";
    size_t inside = lp_net_size(&at, 0, "layer1.0.conv2.weight");
    size_t group = lp_net_size(&at, 1, "layer1.0.conv2.weight");
    bool grouped = bottleneck && group > 0 && group < inside;
    char groups[40] = "";
    if (grouped) {
        (void)snprintf(groups, sizeof groups, " %zux%zud", inside / group, group);
    }
    (void)snprintf(info->name, sizeof info->name, "%sResNe%st-%zu%s%s",
                   lp_net_has(&at, "layer1.0.se.fc1.weight") ? "SE-" : "", grouped ? "X" : "",
                   info->layers * (bottleneck ? 3 : 2) + 2, stem, groups);
}

static const char *const ignored[] = {"fc.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_resnetd = {
    .build = build, .ignored = ignored, .describe = describe, .activation = "relu"};
