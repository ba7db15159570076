/* TinyViT, in timm's names:
 *
 *   stem      two 3x3 convolutions of stride 2, gelu between them
 *   stage 0   blocks: gelu(x + conv3(gelu(depthwise 3x3(gelu(conv1(x))))))
 *   stages    conv3(gelu(depthwise 3x3 of stride 2 (gelu(conv1(x)))))
 *     block   x += attention within windows of norm(x);  x = depthwise 3x3(x);
 *             x += fc2(gelu(fc1(norm(x))))
 *   head      layer norm of the mean of all pixels [B, C]              = penultimate
 *
 * Every convolution has a batch norm.  Scores of attention have a value added for each distance in
 * rows and columns.  Where windows do not fill the map, zeros stand at its end, before the norm.
 *
 * Reproduces timm models/tiny_vit.py and microsoft/Cream TinyViT/models/tiny_vit.py. */
#include <stdio.h>

#include "model/families.h"
#include "model/net_descriptions.h"

enum { STAGES = 4 };

/* "<name>.conv" with "<name>.bn". */
static size_t conv(lp_net_builder *b, size_t x, const char *name, lp_net_conv_spec spec) {
    char weight[40], norm[40];
    (void)snprintf(weight, sizeof weight, "%.30s.conv", name);
    (void)snprintf(norm, sizeof norm, "%.30s.bn", name);
    spec.own_taps = true;
    spec.batch_norm = norm;
    return lp_net_conv(b, x, weight, &spec);
}

/* Two 1x1 convolutions and a depthwise one between them. */
static size_t build_three(lp_net_builder *b, size_t x, size_t stride, bool block) {
    size_t h = conv(b, x, "conv1", (lp_net_conv_spec){.usual = true});
    h = conv(b, h, "conv2", (lp_net_conv_spec){.stride = stride, .depthwise = true, .usual = true});
    return conv(b, h, "conv3", (lp_net_conv_spec){.add = block ? x : 0, .usual = block});
}

static size_t build_block(lp_net_builder *b, size_t x) {
    x = lp_net_windows(
        b, x,
        &(lp_net_windows_spec){.norm = "attn.norm",
                               .table = "attn.attention_biases",
                               .distances = true,
                               .qkv = {.fused = "attn.qkv",
                                       .bias = LP_NET_BIAS_ALL,
                                       .by_heads = lp_net_size(b, 0, "attn.attention_biases")},
                               .projection = "attn.proj",
                               .padding = LP_NET_PADDED_BEFORE});
    x = conv(b, x, "local_conv", (lp_net_conv_spec){.depthwise = true});
    return lp_net_mlp(
        b, x, x,
        &(lp_net_mlp_spec){
            .norm = "mlp.norm", .first = "mlp.fc1", .second = "mlp.fc2", .usual = true});
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "patch_embed.");
    size_t x = conv(b, 0, "conv1", (lp_net_conv_spec){.stride = 2, .usual = true});
    x = conv(b, x, "conv2", (lp_net_conv_spec){.stride = 2});
    lp_net_stage(b, "stem");
    for (size_t s = 0; s < STAGES; s++) {
        if (s > 0) {
            lp_net_at(b, "stages.%zu.downsample.", s);
            x = build_three(b, x, 2, false);
        }
        lp_net_at(b, "stages.%zu.", s);
        size_t blocks = lp_net_count(b, "blocks.");
        for (size_t i = 0; i < blocks; i++) {
            lp_net_at(b, "stages.%zu.blocks.%zu.", s, i);
            x = s == 0 ? build_three(b, x, 1, true) : build_block(b, x);
            lp_net_stage(b, "stages.%zu.blocks.%zu", s, i);
        }
    }
    lp_net_at(b, "%s", "");
    b->net->penultimate = lp_net_norm(b, lp_net_mean(b, x), "head.norm", 0);
}

/* The input is 32 pixels for each one of the first windows; tiny_vit.py has widths of 320, 448 and
 * 576. */
static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t width = b->net->maps[b->net->penultimate].channels;
    for (size_t s = 0; s < STAGES; s++) {
        info->layers += lp_net_count(b, "stages.%zu.blocks.", s);
    }
    for (size_t i = 1; i < b->net->layer_count && info->input_size == 0; i++) {
        const lp_net_layer *layer = &b->net->layers[i];
        info->input_size = layer->kind == LP_NET_TABLE ? 32 * layer->window : 0;
    }
    const char *size = width == 320 ? "5M" : width == 448 ? "11M" : width == 576 ? "21M" : NULL;
    if (size != NULL) {
        (void)snprintf(info->name, sizeof info->name, "%s-%s", b->source->family->title, size);
    } else {
        (void)snprintf(info->name, sizeof info->name, "%s %zux%zu", b->source->family->title, width,
                       info->layers);
    }
}

static const char *const ignored[] = {"head.fc.", "*.num_batches_tracked", "*.attention_bias_idxs",
                                      NULL};

const lp_net_description lp_net_tinyvit = {
    .build = build, .ignored = ignored, .describe = describe};
