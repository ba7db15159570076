/* DenseNet, in torchvision's names:
 *
 *   stem        7x7 convolution of stride 2, batch norm, relu, maxima of 3x3 at every second pixel
 *   layer       x = x, then conv2(relu(norm2(conv1(relu(norm1(x)))))), side by side
 *   transition  conv(relu(norm(x))), means of 2x2 pixels
 *   head        mean of relu(norm5(x)) [B, C]                              = penultimate
 *
 * Reproduces torchvision models/densenet.py. */
#include <stdio.h>

#include "model/families.h"
#include "model/net_descriptions.h"

enum { BLOCKS = 4 };

static size_t conv(lp_net_builder *b, size_t x, const char *name, size_t taps, const char *norm) {
    return lp_net_conv(b, x, name,
                       &(lp_net_conv_spec){.taps = taps,
                                           .stride = taps == 7 ? 2 : 1,
                                           .padding = taps / 2,
                                           .batch_norm = norm,
                                           .activation = norm != NULL ? LP_RELU : LP_IDENTITY});
}

static size_t build_layer(lp_net_builder *b, size_t x) {
    size_t h = lp_net_batch_norm(b, x, "norm1", LP_RELU);
    h = conv(b, h, "conv1", 1, "norm2");
    return lp_net_join(b, x, conv(b, h, "conv2", 3, NULL));
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "features.");
    size_t x = conv(b, 0, "conv0", 7, "norm0");
    x = lp_net_pool(b, x, &(lp_pooling){.taps = 3, .stride = 2, .padding = 1});
    lp_net_stage(b, "stem");
    for (size_t s = 1; s <= BLOCKS; s++) {
        lp_net_at(b, "features.denseblock%zu.", s);
        size_t layers = lp_net_count_from(b, 1, "denselayer");
        for (size_t i = 1; i <= layers; i++) {
            lp_net_at(b, "features.denseblock%zu.denselayer%zu.", s, i);
            x = build_layer(b, x);
        }
        lp_net_stage(b, "denseblock%zu", s);
        lp_net_at(b, "features.transition%zu.", s);
        if (s < BLOCKS) {
            x = conv(b, lp_net_batch_norm(b, x, "norm", LP_RELU), "conv", 1, NULL);
            x = lp_net_pool(b, x, &(lp_pooling){.taps = 2, .stride = 2, .mean = true});
        }
    }
    lp_net_at(b, "features.");
    b->net->penultimate = lp_net_mean(b, lp_net_batch_norm(b, x, "norm5", LP_RELU));
}

/* "DenseNet-121": two convolutions a layer, one a transition, the stem and the classifier. */
static void describe(lp_net_builder *b, lp_encoder_info *info) {
    lp_net_at(b, "features.");
    for (size_t s = 1; s <= BLOCKS; s++) {
        info->layers += lp_net_count_from(b, 1, "denseblock%zu.denselayer", s);
    }
    (void)snprintf(info->name, sizeof info->name, "%s-%zu", b->source->family->title,
                   2 * info->layers + BLOCKS + 1);
}

static const char *const ignored[] = {"classifier.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_densenet = {
    .build = build, .ignored = ignored, .describe = describe, .activation = "relu"};
