/* SimCLRv2's wide ResNets, with and without selective kernels, in the names of its converter to
 * PyTorch:
 *
 *   stem    7x7 convolution of stride 2; with selective kernels three of 3x3; then maxima of 3x3 at
 *           every second pixel
 *   block   relu(shortcut(x) + net(x)): 1x1, 3x3 and 1x1 convolutions, relu between them
 *   shortcut  of a stage's first block: a 1x1 convolution; with selective kernels of means of 2x2
 *           pixels, with zeros behind the last ones
 *   head    mean of all pixels [B, C]                              = penultimate
 *
 * Each convolution has a batch norm.  A selective kernel gives two halves a, b of twice the
 * channels, and takes m a + (1 - m) b, channel by channel:  m, 1 - m = softmax(mixing_conv(mean of
 * a + b)).
 *
 * Reproduces Separius/SimCLRv2-Pytorch resnet.py. */
#include <stdio.h>

#include "model/families.h"
#include "model/net_descriptions.h"

enum { STAGES = 4 };

static size_t conv(lp_net_builder *b, size_t x, const char *name, const char *norm, size_t taps,
                   size_t stride, lp_nonlinearity activation, size_t add) {
    return lp_net_conv(b, x, name,
                       &(lp_net_conv_spec){.taps = taps,
                                           .stride = stride,
                                           .padding = (taps - 1) / 2,
                                           .batch_norm = norm,
                                           .activation = activation,
                                           .add = add});
}

static size_t build_stem(lp_net_builder *b, bool selective) {
    size_t x;
    lp_net_at(b, "net.0.");
    if (selective) {
        x = conv(b, 0, "0", "1.0", 3, 2, LP_RELU, 0);
        x = conv(b, x, "2", "3.0", 3, 1, LP_RELU, 0);
        x = conv(b, x, "4", "5.0", 3, 1, LP_RELU, 0);
    } else {
        x = conv(b, 0, "0", "1.0", 7, 2, LP_RELU, 0);
    }
    x = lp_net_pool(b, x, &(lp_pooling){.taps = 3, .stride = 2, .padding = 1});
    lp_net_stage(b, "stem");
    return x;
}

static size_t build_shortcut(lp_net_builder *b, size_t x, size_t stride, bool selective) {
    if (selective) {
        const lp_pooling means = {
            .taps = 2, .stride = stride, .behind = 1, .mean = true, .zeros = true};
        x = lp_net_pool(b, x, &means);
        return conv(b, x, "projection.shortcut.2", "projection.bn.0", 1, 1, LP_IDENTITY, 0);
    }
    return conv(b, x, "projection.shortcut", "projection.bn.0", 1, stride, LP_IDENTITY, 0);
}

static size_t build_kernel(lp_net_builder *b, size_t x, size_t stride) {
    x = conv(b, x, "net.2.main_conv.0", "net.2.main_conv.1.0", 3, stride, LP_RELU, 0);
    size_t m = lp_net_mean(b, lp_net_halves(b, x, 0));
    m = conv(b, m, "net.2.mixing_conv.0", "net.2.mixing_conv.1.0", 1, 1, LP_RELU, 0);
    m = conv(b, m, "net.2.mixing_conv.2", NULL, 1, 1, LP_IDENTITY, 0);
    return lp_net_halves(b, x, m);
}

static size_t build_block(lp_net_builder *b, size_t x, size_t stride, bool first, bool selective) {
    size_t shortcut = first ? build_shortcut(b, x, stride, selective) : x;
    size_t h = conv(b, x, "net.0", "net.1.0", 1, 1, LP_RELU, 0);
    if (selective) {
        h = build_kernel(b, h, stride);
        return conv(b, h, "net.3", "net.4.0", 1, 1, LP_RELU, shortcut);
    }
    h = conv(b, h, "net.2", "net.3.0", 3, stride, LP_RELU, 0);
    return conv(b, h, "net.4", "net.5.0", 1, 1, LP_RELU, shortcut);
}

static bool is_selective(const lp_net_builder *b) {
    return lp_net_some(b, ".main_conv.0.weight") || lp_net_some(b, ".mixing_conv.0.weight");
}

static void build(lp_net_builder *b) {
    bool selective = is_selective(b);
    size_t x = build_stem(b, selective);
    for (size_t s = 1; s <= STAGES; s++) {
        lp_net_at(b, "net.%zu.", s);
        size_t blocks = lp_net_count(b, "blocks.");
        for (size_t i = 0; i < blocks; i++) {
            lp_net_at(b, "net.%zu.blocks.%zu.", s, i);
            x = build_block(b, x, s > 1 && i == 0 ? 2 : 1, i == 0, selective);
            lp_net_stage(b, "net.%zu.blocks.%zu", s, i);
        }
    }
    lp_net_at(b, "%s", "");
    b->net->penultimate = lp_net_mean(b, x);
}

/* "SimCLRv2 R50-1x-SK" */
static void describe(lp_net_builder *b, lp_encoder_info *info) {
    for (size_t s = 1; s <= STAGES; s++) {
        info->layers += lp_net_count(b, "net.%zu.blocks.", s);
    }
    size_t width = b->net->maps[b->net->penultimate].channels;
    int used = snprintf(info->name, sizeof info->name, "%s R%zu", b->source->family->title,
                        3 * info->layers + 2);
    if (used > 0 && width % 2048 == 0) {
        used +=
            snprintf(info->name + used, sizeof info->name - (size_t)used, "-%zux", width / 2048);
    }
    if (used > 0 && is_selective(b)) {
        (void)snprintf(info->name + used, sizeof info->name - (size_t)used, "-SK");
    }
}

static const char *const ignored[] = {"fc.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_simclr = {
    .build = build, .ignored = ignored, .describe = describe, .activation = "relu"};
