/* Residual networks, in torchvision's names:
 *
 *   stem    7x7 convolution of stride 2, or three of 3x3 (timm: conv1.0, .3, .6; CLIP: conv1,
 *           conv2, conv3); then maxima of 3x3 at every second pixel, another 3x3 convolution of
 *           stride 2 (timm: maxpool), or means of 2x2 pixels (CLIP)
 *   block   relu(shortcut(x) + se(conv3(relu(conv2(relu(conv1(x))))))); basic ones without conv3
 *           where pixels become fewer: conv2 (basic: conv1) has stride 2, or (CLIP) means of 2x2
 *           pixels stand before conv3
 *   shortcut  of a stage's first block: a convolution, or means of 2x2 pixels (CLIP, "d" models of
 *           timm) and a 1x1 convolution
 *   head    mean of all pixels [B, C]                              = penultimate
 *           CLIP: attention of the mean's query over the mean and all pixels [B, C]
 *                                                                  = penultimate
 *   project CLIP: attnpool.c_proj [B, E]                           = projected
 *
 * Each convolution has a batch norm.  Reproduces ResNet of torchvision models/resnet.py without fc,
 * ModifiedResNet of openai/CLIP clip/model.py (which open_clip keeps, with ReLU whatever the text
 * tower's activation), timm models/resnet.py without anti-aliasing, and two that are padded as
 * TensorFlow does: chigur/byol-convert resnet.py, deepmind-research byol/utils/networks.py. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/families.h"
#include "model/net_descriptions.h"

enum { STAGES = LP_RESNET_STAGES };

static bool is_clip(const lp_net_builder *b) {
    return b->source->family->layout == &lp_net_clip_resnet;
}

/* With other stems and shortcuts than torchvision's, and with squeeze-and-excitation. */
static bool is_timm(const lp_net_builder *b) {
    return b->source->family->layout == &lp_net_resnetd;
}

/* Padded as in TensorFlow. */
static bool is_byol(const lp_net_builder *b) {
    return b->source->family->layout == &lp_net_byol;
}

/* ---- the network ----------------------------------------------------------------------------- */

typedef struct conv_kind {
    size_t taps, stride, add;
    bool grouped, linear; /* linear: no activation */
} conv_kind;

static size_t conv(lp_net_builder *b, size_t x, const char *name, const char *norm,
                   const conv_kind *kind) {
    size_t group = lp_net_size(b, 1, "%s.weight", name);
    return lp_net_conv(b, x, name,
                       &(lp_net_conv_spec){.taps = kind->taps,
                                           .stride = kind->stride,
                                           .padding = kind->taps / 2,
                                           .same = is_byol(b),
                                           .group = kind->grouped ? group : 0,
                                           .batch_norm = norm,
                                           .add = kind->add,
                                           .activation = kind->linear ? LP_IDENTITY : LP_RELU});
}

/* Means of 2x2 pixels; over: those of the last row and column, too, where a side is odd. */
static size_t halve(lp_net_builder *b, size_t x, bool over) {
    return lp_net_pool(b, x, &(lp_pooling){.taps = 2, .stride = 2, .mean = true, .whole = over});
}

static size_t build_stem(lp_net_builder *b) {
    static const conv_kind first = {.taps = 3, .stride = 2}, next = {.taps = 3};
    size_t x;
    if (is_clip(b) || (is_timm(b) && lp_net_has(b, "conv1.0.weight"))) {
        x = conv(b, 0, is_clip(b) ? "conv1" : "conv1.0", is_clip(b) ? "bn1" : "conv1.1", &first);
        x = conv(b, x, is_clip(b) ? "conv2" : "conv1.3", is_clip(b) ? "bn2" : "conv1.4", &next);
        x = conv(b, x, is_clip(b) ? "conv3" : "conv1.6", is_clip(b) ? "bn3" : "bn1", &next);
    } else {
        x = conv(b, 0, "conv1", "bn1", &(conv_kind){.taps = 7, .stride = 2});
    }
    if (is_clip(b)) {
        x = halve(b, x, false);
    } else if (is_timm(b) && lp_net_has(b, "maxpool.0.weight")) {
        x = conv(b, x, "maxpool.0", "maxpool.1", &first);
    } else {
        x = lp_net_pool(b, x,
                        &(lp_pooling){.taps = 3, .stride = 2, .padding = 1, .same = is_byol(b)});
    }
    lp_net_stage(b, "stem");
    return x;
}

/* has: the block must have one. */
static size_t build_shortcut(lp_net_builder *b, size_t x, size_t stride, bool has) {
    conv_kind kind = {.taps = 1, .stride = stride, .linear = true};
    if (is_clip(b)) {
        x = has && stride > 1 ? halve(b, x, false) : x;
        kind.stride = 1;
    } else if (is_timm(b) && lp_net_size(b, 3, "downsample.1.weight") > 0) {
        kind.stride = 1; /* behind a mean, or an identity */
        return conv(b, stride > 1 ? halve(b, x, true) : x, "downsample.1", "downsample.2", &kind);
    } else if (is_timm(b)) {
        size_t taps = lp_net_size(b, 2, "downsample.0.weight");
        has = taps > 0;
        kind.taps = taps > 0 ? taps : 1;
    }
    return has ? conv(b, x, "downsample.0", "downsample.1", &kind) : x;
}

/* first: of its stage. */
static size_t build_block(lp_net_builder *b, size_t x, size_t stage, bool first) {
    bool bottleneck = is_clip(b) || lp_net_some(b, ".conv3.weight");
    bool gated = is_timm(b) && lp_net_some(b, ".se.fc1.weight");
    bool has = first && (stage > 1 || bottleneck || lp_net_has(b, "downsample.0.weight"));
    size_t less = stage > 1 && first ? 2 : 1, stride = is_clip(b) ? 1 : less;
    conv_kind last = {.taps = bottleneck ? 1 : 3, .linear = gated};
    size_t h = conv(b, x, "conv1", "bn1",
                    &(conv_kind){.taps = last.taps, .stride = bottleneck ? 1 : stride});
    if (bottleneck) {
        h = conv(b, h, "conv2", "bn2",
                 &(conv_kind){.taps = 3, .stride = stride, .grouped = !is_clip(b)});
    }
    h = is_clip(b) && less > 1 ? halve(b, h, false) : h;
    size_t shortcut = build_shortcut(b, x, less, has);
    last.add = gated ? 0 : shortcut;
    h = conv(b, h, bottleneck ? "conv3" : "conv2", bottleneck ? "bn3" : "bn2", &last);
    if (gated) {
        h = lp_net_excite(b, h, "se.fc1", "se.fc2", LP_RELU, LP_SIGMOID);
        h = lp_net_add(b, h, shortcut, LP_RELU);
    }
    return h;
}

/* clip/model.py: vision_width * 32 // 64 heads. */
static void build_attention(lp_net_builder *b, size_t x) {
    size_t heads = lp_net_size(b, 0, "layer1.0.conv1.weight") / 2;
    lp_net_at(b, "attnpool.");
    b->net->penultimate =
        lp_net_mean_query(b, x,
                          &(lp_net_mean_query_spec){.positions = "positional_embedding",
                                                    .query = "q_proj",
                                                    .key = "k_proj",
                                                    .value = "v_proj",
                                                    .heads = heads});
    b->net->projected = lp_net_conv(b, b->net->penultimate, "c_proj",
                                    &(lp_net_conv_spec){.flat = true, .bias = true});
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "%s", "");
    if (!is_clip(b) && !is_timm(b) && lp_net_size(b, 2, "conv1.weight") == 3) {
        lp_plan_problem(b->plan,
                        "conv1.weight: a 3x3 convolution, as of ResNets for CIFAR: their stride, "
                        "padding and pooling vary, and no file says them");
    }
    size_t x = build_stem(b);
    for (size_t s = 1; s <= STAGES; s++) {
        lp_net_at(b, "layer%zu.", s);
        size_t blocks = lp_net_count(b, "%s", "");
        for (size_t i = 0; i < blocks || i == 0; i++) { /* a stage that is missing is named */
            lp_net_at(b, "layer%zu.%zu.", s, i);
            x = build_block(b, x, s, i == 0);
            lp_net_stage(b, "layer%zu.%zu", s, i);
        }
    }
    lp_net_at(b, "%s", "");
    if (is_clip(b)) {
        build_attention(b, x);
    } else {
        b->net->penultimate = is_timm(b) ? lp_net_mean(b, x) : lp_net_float_mean(b, x);
    }
}

/* ---- what it is ------------------------------------------------------------------------------ */

/* Channels and blocks, as the first weights say them. */
typedef struct outline {
    size_t blocks[STAGES], layers;
    size_t inside, outside, group; /* of the first block */
    bool bottleneck;
} outline;

static outline outline_of(lp_net_builder *at) {
    outline o = {.bottleneck = lp_net_has(at, "layer1.0.conv3.weight")};
    o.inside = lp_net_size(at, 0, "layer1.0.conv1.weight");
    o.outside = lp_net_size(at, 0, "layer1.0.conv%d.weight", o.bottleneck ? 3 : 2);
    o.group = o.bottleneck ? lp_net_size(at, 1, "layer1.0.conv2.weight") : o.inside;
    for (size_t s = 0; s < STAGES; s++) {
        o.blocks[s] = lp_net_count(at, "layer%zu.", s + 1);
        o.layers += o.blocks[s];
    }
    return o;
}

static size_t depth_of(const outline *o) {
    return o->layers * (o->bottleneck ? 3 : 2) + 2; /* convolutions, the first one, fc */
}

static void describe_clip(lp_net_builder *b, lp_encoder_info *info) {
    const outline o = outline_of(b);
    size_t stem = lp_net_size(b, 0, "conv3.weight"), grid = 0;
    while (grid * grid + 1 < lp_net_size(b, 0, "attnpool.positional_embedding")) {
        grid++;
    }
    info->layers = o.layers;
    info->width = o.inside; /* configs say it */
    info->input_size = 32 * grid;
    const char *known = lp_resnet_size_name(o.blocks, stem, info->input_size);
    char name[160];
    (void)snprintf(name, sizeof name, "CLIP RN %zux(%zu,%zu,%zu,%zu)@%zu", stem, o.blocks[0],
                   o.blocks[1], o.blocks[2], o.blocks[3], info->input_size);
    if (known != NULL) {
        (void)snprintf(info->name, sizeof info->name, "CLIP %s", known);
    } else {
        (void)snprintf(info->name, sizeof info->name, "%.63s", name);
    }
}

/* "ResNet-50", "ResNeXt-50 32x4d", "Wide ResNet-50-2" */
static void describe(lp_net_builder *b, lp_encoder_info *info) {
    const outline o = outline_of(b);
    size_t stem = lp_net_size(b, 0, "conv1.weight"), depth = depth_of(&o);
    bool usual = o.outside == (o.bottleneck ? 4 : 1) * o.inside;
    char kind[80], width[32] = "";
    info->layers = o.layers;
    if (o.group != o.inside) {
        (void)snprintf(kind, sizeof kind, "ResNeXt-%zu %zux%zud", depth, o.inside / o.group,
                       o.group);
    } else if (!usual) {
        (void)snprintf(kind, sizeof kind, "Wide ResNet-%zu-%zu", depth, 4 * o.inside / o.outside);
    } else {
        (void)snprintf(kind, sizeof kind, "ResNet-%zu", depth);
    }
    if (stem != 64) {
        (void)snprintf(width, sizeof width, " width %zu", stem);
    }
    (void)snprintf(info->name, sizeof info->name, "%.31s%s", kind, width);
}

/* "SE-ResNeXt-50-D 32x4d" */
static void describe_timm(lp_net_builder *b, lp_encoder_info *info) {
    const outline o = outline_of(b);
    info->layers = o.layers;
    bool means = lp_net_size(b, 3, "layer2.0.downsample.1.weight") > 0;
    size_t first = lp_net_size(b, 0, "conv1.0.weight"),
           second = lp_net_size(b, 0, "conv1.3.weight");
    const char *stem = first == 0 ? "" : first != second ? "-T" : means ? "-D" : "-C";
    size_t inside = lp_net_size(b, 0, "layer1.0.conv2.weight");
    bool grouped = o.bottleneck && o.group > 0 && o.group < inside;
    char groups[40] = "";
    if (grouped) {
        (void)snprintf(groups, sizeof groups, " %zux%zud", inside / o.group, o.group);
    }
    (void)snprintf(info->name, sizeof info->name, "%sResNe%st-%zu%s%s",
                   lp_net_has(b, "layer1.0.se.fc1.weight") ? "SE-" : "", grouped ? "X" : "",
                   depth_of(&o), stem, groups);
}

/* "BYOL R50x1" */
static void describe_byol(lp_net_builder *b, lp_encoder_info *info) {
    const outline o = outline_of(b);
    info->layers = o.layers;
    (void)snprintf(info->name, sizeof info->name, "BYOL R%zux%zu", depth_of(&o),
                   b->net->maps[b->net->penultimate].channels / 2048);
}

/* Whether the file has a tensor whose name has this in it. */
static bool has_part(const lp_source *source, const char *part) {
    for (size_t i = 0; i < lp_checkpoint_count(source->ckpt); i++) {
        if (strstr(lp_checkpoint_tensor(source->ckpt, i)->name, part) != NULL) {
            return true;
        }
    }
    return false;
}

/* Segmentation models: the same names and shapes, dilation instead of stride.  Of torchvision, a
 * classifier stands beside the backbone; of mmsegmentation, a head, which is for a backbone without
 * dilation where it has lateral convolutions (UPerNet); of segmentation_models_pytorch, a pyramid
 * of dilations or of attention. */
static lp_status refuse_segmentation(const lp_source *source, lp_error *err) {
    size_t length = source->outer_length;
    char name[LP_PLAN_NAME];
    length -= length > 0 ? 1 : 0; /* the dot, then the last part */
    while (length > 0 && source->outer[length - 1] != '.') {
        length--;
    }
    (void)snprintf(name, sizeof name, "%.*sclassifier.4.weight", (int)length, source->outer);
    bool head = has_part(source, "decode_head.") && !has_part(source, "decode_head.lateral_convs.");
    return lp_checkpoint_find(source->ckpt, name) == NULL && !head &&
                   !has_part(source, "decoder.aspp.") && !has_part(source, "decoder.fpa.")
               ? LP_OK
               : lp_fail(err, LP_ERR_UNSUPPORTED,
                         "%s: a segmentation model, whose ResNet is dilated, is not supported",
                         lp_checkpoint_path(source->ckpt));
}

/* averages: what Haiku needs to go on with a mean or variance. */
static const char *const ignored[] = {"fc.", "*.num_batches_tracked", NULL};
static const char *const ignored_byol[] = {"fc.", "*.num_batches_tracked", "averages.", NULL};

const lp_net_description lp_net_resnet = {
    .build = build,
    .ignored = ignored,
    .describe = describe,
    .activation = "relu",
    .refuse = refuse_segmentation,
    .most_batch = 4,
    .assumed = "no anti-aliasing (timm's resnetaa* and resnetblur* look the same); padding as "
               "PyTorch's (byol-convert's files look the same)"};
const lp_net_description lp_net_resnetd = {
    .build = build, .ignored = ignored, .describe = describe_timm, .activation = "relu"};
const lp_net_description lp_net_byol = {.build = build,
                                        .ignored = ignored_byol,
                                        .describe = describe_byol,
                                        .activation = "relu",
                                        .most_batch = 4};
const lp_net_description lp_net_clip_resnet = {.build = build,
                                               .ignored = ignored + 1,
                                               .describe = describe_clip,
                                               .activation = "relu",
                                               .refuse = refuse_segmentation,
                                               .most_batch = 4,
                                               .one_input = true};
