/* AlexNet and the VGGs, in torchvision's names:
 *
 *   features    convolutions with biases, of a VGG of 3x3 and some with a batch norm, each with
 *               relu; maxima between them
 *   classifier  means of 7x7 (AlexNet: 6x6) pixels in one row, two linear layers, each with relu
 *               [B, 4096], what goes into the last one                      = penultimate
 *
 * A VGG's maxima have no weights: one lies where the numbers of its layers leave room for it, and
 * one behind them.  Reproduces torchvision models/alexnet.py and vgg.py. */
#include <stdio.h>

#include "model/net_descriptions.h"

enum { MOST_LAYERS = 60, GRID = 7, ALEXNET_GRID = 6 };

static size_t conv(lp_net_builder *b, size_t x, size_t number, size_t taps, size_t stride,
                   size_t padding, bool normed) {
    char name[40], norm[40];
    (void)snprintf(name, sizeof name, "features.%zu", number);
    (void)snprintf(norm, sizeof norm, "features.%zu", number + 1);
    x = lp_net_conv(b, x, name,
                    &(lp_net_conv_spec){.taps = taps,
                                        .stride = stride,
                                        .padding = padding,
                                        .bias = true,
                                        .batch_norm = normed ? norm : NULL,
                                        .activation = LP_RELU});
    lp_net_stage(b, "features.%zu", number);
    return x;
}

/* The two linear layers. */
static size_t build_classifier(lp_net_builder *b, size_t x, size_t grid, const char *first,
                               const char *second) {
    x = lp_net_flatten(b, x, grid);
    x = lp_net_conv(
        b, x, first,
        &(lp_net_conv_spec){.flattened = grid * grid, .bias = true, .activation = LP_RELU});
    return lp_net_conv(b, x, second,
                       &(lp_net_conv_spec){.flat = true, .bias = true, .activation = LP_RELU});
}

static void build_alexnet(lp_net_builder *b) {
    static const struct {
        size_t number, taps, stride, padding;
        bool pooled;
    } layers[] = {{0, 11, 4, 2, true},
                  {3, 5, 1, 2, true},
                  {6, 3, 1, 1, false},
                  {8, 3, 1, 1, false},
                  {10, 3, 1, 1, true}};
    size_t x = 0;
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        x = conv(b, x, layers[i].number, layers[i].taps, layers[i].stride, layers[i].padding,
                 false);
        x = layers[i].pooled ? lp_net_pool(b, x, &(lp_pooling){.taps = 3, .stride = 2}) : x;
    }
    b->net->penultimate = build_classifier(b, x, ALEXNET_GRID, "classifier.1", "classifier.4");
}

static void describe_alexnet(lp_net_builder *b, lp_encoder_info *info) {
    (void)b;
    info->layers = 7;
    (void)snprintf(info->name, sizeof info->name, "AlexNet");
}

static bool is_norm(const lp_net_builder *b, size_t number) {
    return lp_net_has(b, "features.%zu.running_mean", number) ||
           lp_net_has(b, "features.%zu.running_var", number);
}

static bool is_conv(const lp_net_builder *b, size_t number) {
    return !is_norm(b, number) && (lp_net_has(b, "features.%zu.weight", number) ||
                                   lp_net_has(b, "features.%zu.bias", number));
}

static size_t pool(lp_net_builder *b, size_t x) {
    return lp_net_pool(b, x, &(lp_pooling){.taps = 2, .stride = 2});
}

static void build_vgg(lp_net_builder *b) {
    bool normed = lp_net_some(b, ".running_mean") || lp_net_some(b, ".running_var");
    size_t x = 0, next = 0; /* the number behind the last convolution and what belongs to it */
    for (size_t i = 0; i < MOST_LAYERS; i++) {
        if (is_conv(b, i)) {
            x = x > 0 && i > next ? pool(b, x) : x;
            x = conv(b, x, i, 3, 1, 1, normed);
            next = i + (normed ? 3 : 2);
        }
    }
    b->net->penultimate = build_classifier(b, pool(b, x), GRID, "classifier.0", "classifier.3");
}

/* "VGG-16": the number counts the linear layers, too. */
static void describe_vgg(lp_net_builder *b, lp_encoder_info *info) {
    bool normed = lp_net_some(b, ".running_mean");
    for (size_t i = 0; i < MOST_LAYERS; i++) {
        info->layers += is_conv(b, i) ? 1 : 0;
    }
    (void)snprintf(info->name, sizeof info->name, "VGG-%zu%s", info->layers + 3,
                   normed ? "-BN" : "");
}

static const char *const ignored_alexnet[] = {"classifier.6.", NULL};
static const char *const ignored_vgg[] = {"classifier.6.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_alexnet = {.build = build_alexnet,
                                           .ignored = ignored_alexnet,
                                           .describe = describe_alexnet,
                                           .activation = "relu"};
const lp_net_description lp_net_vgg = {
    .build = build_vgg, .ignored = ignored_vgg, .describe = describe_vgg, .activation = "relu"};
