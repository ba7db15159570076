/* FastViT and the image towers of MobileCLIP (MCi0 to MCi4), in timm's names and Apple's:
 *
 *   stem      three blocks "one", of 3x3 with stride 2, 3x3 depthwise with stride 2, 1x1
 *   stage     (not the first) half the pixels: 7x7 depthwise with stride 2, two outputs of each
 *             channel, squeeze-and-excitation of some; gelu where MobileCLIP's; then a block "one",
 *             1x1.  Of some stages x += 7x7 depthwise(x), a position of each pixel
 *     block   mixes pixels by x += gamma (one(x) - batch norm(x)), 3x3 depthwise without gelu,
 *             or by x += gamma attention(norm(x)) over all pixels, with heads of 32;
 *             then x += gamma fc2(gelu(fc1(batch norm(7x7 depthwise(x)))))
 *   head      3x3 depthwise "one", two outputs of each channel, with squeeze-and-excitation; mean
 *             of all pixels [B, C]                              = penultimate
 *   project   of a CLIP: a linear layer [B, E]                  = projected
 *
 * A block "one" (MobileOne's) is gelu of a sum of convolutions, each with a batch norm: full
 * kernels, one of the middle pixel alone, the input itself.  net_pack.c makes one convolution of
 * them.  Files that are made one already ("reparam_conv") are read as they are.
 *
 * The weights do not show whether gelu follows the 7x7 convolutions between stages.  Apple's
 * FastViT lacks it by a mistake, which its weights were trained with; MobileCLIP's have it.  These
 * have squeeze-and-excitation there, or five stages.
 *
 * Reproduces timm models/fastvit.py (pre_logits; head.fc of open_clip's TimmModel), and by its
 * checkpoint_filter_fn the names of apple/ml-fastvit and apple/ml-mobileclip. */
#include <stdio.h>
#include <string.h>

#include "model/families.h"
#include "model/net_descriptions.h"

enum { MOST_STAGES = 5, HEAD_WIDTH = 32, NAME = 60 };

/* What the two programs call the same. */
typedef struct naming {
    const char *stem, *kernels, *middle, *itself, *large, *large_fused, *positions, *mlp, *gamma,
        *last;
} naming;
static const naming timm_names = {"stem.",      "conv_kxk",     "conv_scale", "identity",
                                  "large_conv", "reparam_conv", "pos_enc",    "mlp",
                                  ".gamma",     "final_conv."};
static const naming apple_names = {
    "patch_embed.", "rbr_conv", "rbr_scale", "rbr_skip", "lkb_origin",
    "lkb_reparam",  "pe",       "convffn",   "",         "conv_exp."};

/* Where a stage's parts lie; "": it has none. */
typedef struct stage_places {
    char smaller[NAME], positions[NAME], blocks[NAME];
} stage_places;

static bool is_apples(const lp_net_builder *b) {
    return b->source->family->layout == &lp_net_fastvit_apple;
}

static void copy_place(char to[NAME], const char *format, size_t number) {
    (void)snprintf(to, NAME, format, number);
}

/* Apple's stages lie one after the other in a list, with what stands between them. */
static size_t find_apple_stages(lp_net_builder *b, stage_places places[MOST_STAGES]) {
    size_t parts = lp_net_count(b, "network."), stage = 0;
    bool blocks = false; /* this stage has them */
    for (size_t i = 0; i < parts; i++) {
        if (lp_net_count(b, "network.%zu.proj.", i) > 0) {
            stage += blocks ? 1 : 0;
            blocks = false;
            if (stage < MOST_STAGES) {
                copy_place(places[stage].smaller, "network.%zu.", i);
            }
        } else if (stage < MOST_STAGES && lp_net_count(b, "network.%zu.", i) > 0) {
            copy_place(places[stage].blocks, "network.%zu.", i);
            blocks = true;
        } else if (stage < MOST_STAGES) {
            copy_place(places[stage].positions, "network.%zu.", i);
        }
    }
    return stage + (blocks ? 1 : 0);
}

static size_t find_stages(lp_net_builder *b, stage_places places[MOST_STAGES]) {
    lp_net_at(b, "%s", "");
    if (is_apples(b)) {
        return find_apple_stages(b, places);
    }
    size_t stages = lp_net_count(b, "stages.");
    for (size_t s = 0; s < stages && s < MOST_STAGES; s++) {
        copy_place(places[s].blocks, "stages.%zu.blocks.", s);
        if (lp_net_count(b, "stages.%zu.downsample.proj.", s) > 0) {
            copy_place(places[s].smaller, "stages.%zu.downsample.", s);
        }
        if (lp_net_has(b, "stages.%zu.pos_emb.pos_enc.weight", s) ||
            lp_net_has(b, "stages.%zu.pos_emb.reparam_conv.weight", s)) {
            copy_place(places[s].positions, "stages.%zu.pos_emb.", s);
        }
    }
    return stages;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* Apple's, and ReparamLargeKernelConv's, too. */
static size_t excite(lp_net_builder *b, size_t x) {
    if (lp_net_has(b, "se.fc1.weight")) {
        return lp_net_excite(b, x, "se.fc1", "se.fc2", LP_RELU, LP_SIGMOID);
    }
    return lp_net_has(b, "se.reduce.weight")
               ? lp_net_excite(b, x, "se.reduce", "se.expand", LP_RELU, LP_SIGMOID)
               : x;
}

/* A convolution, squeeze-and-excitation where there is one, and gelu. */
static size_t convolve(lp_net_builder *b, size_t x, const char *name, lp_net_conv_spec *spec,
                       bool active) {
    spec->own_taps = true;
    x = excite(b, lp_net_conv(b, x, name, spec));
    if (active) {
        lp_net_activate(b);
    }
    return x;
}

/* Names of the parts of a sum. */
typedef struct sum_names {
    char first[NAME], norm[NAME];
    char kernels[LP_NET_BRANCHES][NAME], norms[LP_NET_BRANCHES][NAME];
    lp_net_branch_spec branches[LP_NET_BRANCHES + 1];
    size_t count;
} sum_names;

/* Adds "<place>.conv" and "<place>.bn", or (taps 0) the norm at `place` itself. */
static void add_branch(sum_names *s, const char *place, size_t taps, bool taken_off) {
    if (s->count == LP_NET_BRANCHES) {
        return;
    }
    lp_net_branch_spec *to = &s->branches[s->count];
    (void)snprintf(s->kernels[s->count], NAME, "%.50s.conv", place);
    (void)snprintf(s->norms[s->count], NAME, "%.50s%s", place, taps > 0 ? ".bn" : "");
    *to = (lp_net_branch_spec){taps > 0 ? s->kernels[s->count] : NULL, s->norms[s->count], taps,
                               taken_off};
    s->count++;
}

/* All parts of a block "one"; part: what stands before their names. */
static void find_sum(const lp_net_builder *b, const naming *n, const char *part, sum_names *s) {
    char place[NAME];
    (void)snprintf(s->first, NAME, "%.20s%s.0.conv", part, n->kernels);
    (void)snprintf(s->norm, NAME, "%.20s%s.0.bn", part, n->kernels);
    size_t kernels = lp_net_count(b, "%s%s.", part, n->kernels);
    for (size_t i = 1; i < kernels; i++) {
        (void)snprintf(place, NAME, "%.20s%s.%zu", part, n->kernels, i);
        add_branch(s, place, lp_net_size(b, 2, "%s.conv.weight", place), false);
    }
    (void)snprintf(place, NAME, "%.20s%s", part, n->middle);
    if (lp_net_has(b, "%s.conv.weight", place)) {
        add_branch(s, place, 1, false);
    }
    (void)snprintf(place, NAME, "%.20s%s", part, n->itself);
    if (lp_net_has(b, "%s.weight", place)) {
        add_branch(s, place, 0, false);
    }
}

/* A block "one" at the builder's place. */
static size_t build_one(lp_net_builder *b, const naming *n, size_t x, size_t stride,
                        bool depthwise) {
    lp_net_conv_spec spec = {.stride = stride, .depthwise = depthwise, .bias = true};
    if (lp_net_has(b, "reparam_conv.weight")) {
        return convolve(b, x, "reparam_conv", &spec, true);
    }
    sum_names sum = {.count = 0};
    find_sum(b, n, "", &sum);
    spec.bias = false;
    spec.batch_norm = sum.norm;
    spec.branches = sum.branches;
    return convolve(b, x, sum.first, &spec, true);
}

/* RepMixer. */
static size_t build_mixer(lp_net_builder *b, const naming *n, size_t x, const char *place) {
    char gamma[NAME], off[NAME];
    lp_net_conv_spec spec = {.depthwise = true, .bias = true};
    lp_net_at(b, "%stoken_mixer.", place);
    if (lp_net_has(b, "reparam_conv.weight")) {
        return convolve(b, x, "reparam_conv", &spec, false);
    }
    sum_names sum = {.count = 0};
    find_sum(b, n, "mixer.", &sum);
    (void)snprintf(off, NAME, "norm.%s", n->itself);
    add_branch(&sum, off, 0, true);
    (void)snprintf(gamma, NAME, "layer_scale%s", n->gamma);
    spec = (lp_net_conv_spec){.depthwise = true,
                              .batch_norm = sum.norm,
                              .branches = sum.branches,
                              .gamma = gamma,
                              .residual = true};
    return convolve(b, x, sum.first, &spec, false);
}

static size_t build_attention(lp_net_builder *b, const naming *n, size_t x) {
    char gamma[NAME];
    (void)snprintf(gamma, NAME, "layer_scale_1%s", n->gamma);
    bool batch = lp_net_has(b, "norm.running_mean");
    size_t normed = batch ? lp_net_batch_norm(b, x, "norm", LP_IDENTITY) : x;
    bool biased = lp_net_has(b, "token_mixer.qkv.bias");
    return lp_net_attend(
        b, x,
        &(lp_net_attend_spec){.from = normed,
                              .norm = batch ? NULL : "norm",
                              .qkv = {.fused = "token_mixer.qkv",
                                      .bias = biased ? LP_NET_BIAS_ALL : LP_NET_BIAS_NONE},
                              .projection = "token_mixer.proj",
                              .gamma = gamma,
                              .head_width = HEAD_WIDTH});
}

static size_t build_block(lp_net_builder *b, const naming *n, size_t x, const char *place) {
    char names[4][NAME], gamma[NAME];
    static const char *const ends[] = {".conv.conv", ".conv.bn", ".fc1", ".fc2"};
    lp_net_at(b, "%s", place);
    bool attention = lp_net_has(b, "token_mixer.qkv.weight");
    x = attention ? build_attention(b, n, x) : build_mixer(b, n, x, place);
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(names[i], NAME, "%s%s", n->mlp, ends[i]);
    }
    (void)snprintf(gamma, NAME, "layer_scale%s%s", attention ? "_2" : "", n->gamma);
    lp_net_at(b, "%s", place);
    size_t h = convolve(b, x, names[0],
                        &(lp_net_conv_spec){.depthwise = true, .batch_norm = names[1]}, false);
    return lp_net_mlp(
        b, h, x,
        &(lp_net_mlp_spec){.first = names[2], .second = names[3], .gamma = gamma, .usual = true});
}

/* ---- the network ----------------------------------------------------------------------------- */

/* Half the pixels of a stage, at `place`. */
static size_t build_smaller(lp_net_builder *b, const naming *n, size_t x, const char *place,
                            bool active) {
    char kernel[NAME], norm[NAME];
    (void)snprintf(kernel, NAME, "%s.conv", n->large);
    (void)snprintf(norm, NAME, "%s.bn", n->large);
    lp_net_conv_spec spec = {.stride = 2, .depthwise = true, .bias = true};
    lp_net_at(b, "%sproj.0.", place);
    if (lp_net_has(b, "%s.weight", n->large_fused)) {
        x = convolve(b, x, n->large_fused, &spec, active);
    } else {
        size_t small = lp_net_size(b, 2, "small_conv.conv.weight");
        const lp_net_branch_spec branches[] = {
            {"small_conv.conv", small > 0 ? "small_conv.bn" : NULL, small, false}, {0}};
        spec.bias = false;
        spec.batch_norm = norm;
        spec.branches = branches;
        x = convolve(b, x, kernel, &spec, active);
    }
    lp_net_at(b, "%sproj.1.", place);
    return build_one(b, n, x, 1, false);
}

static size_t build_positions(lp_net_builder *b, const naming *n, size_t x, const char *place) {
    lp_net_at(b, "%s", place);
    bool fused = lp_net_has(b, "reparam_conv.weight");
    return convolve(b, x, fused ? "reparam_conv" : n->positions,
                    &(lp_net_conv_spec){.depthwise = true, .bias = true, .residual = !fused},
                    false);
}

/* open_clip's head has a bias, of zeros where the weights were Apple's. */
static void build_projection(lp_net_builder *b) {
    lp_net *net = b->net;
    const char *prefix = b->source->prefix;
    lp_net_at(b, "head.");
    if (strcmp(prefix, "visual.trunk.") == 0 && lp_net_has(b, "fc.weight")) {
        net->projected =
            lp_net_conv(b, net->penultimate, "fc",
                        &(lp_net_conv_spec){.flat = true, .bias = lp_net_has(b, "fc.bias")});
    } else if (strcmp(prefix, "image_encoder.model.") == 0 && lp_net_has(b, "proj")) {
        net->projected =
            lp_net_conv(b, net->penultimate, "proj", &(lp_net_conv_spec){.transposed = true});
    }
}

static void build(lp_net_builder *b) {
    const naming *n = is_apples(b) ? &apple_names : &timm_names;
    stage_places places[MOST_STAGES] = {0};
    size_t stages = find_stages(b, places), x = 0;
    if (stages > MOST_STAGES) {
        lp_plan_problem(b->plan, "%zu stages: expected at most %d", stages, MOST_STAGES);
        stages = MOST_STAGES;
    }
    bool active = stages == MOST_STAGES || lp_net_some(b, ".proj.0.se.fc1.weight") ||
                  lp_net_some(b, ".proj.0.se.reduce.weight");
    for (size_t i = 0; i < 3; i++) {
        lp_net_at(b, "%s%zu.", n->stem, i);
        x = build_one(b, n, x, i < 2 ? 2 : 1, i == 1);
    }
    lp_net_stage(b, "stem");
    for (size_t s = 0; s < stages; s++) {
        char place[NAME + 24];
        x = places[s].smaller[0] != '\0' ? build_smaller(b, n, x, places[s].smaller, active) : x;
        x = places[s].positions[0] != '\0' ? build_positions(b, n, x, places[s].positions) : x;
        lp_net_at(b, "%s", places[s].blocks);
        size_t blocks = lp_net_count(b, "%s", "");
        for (size_t i = 0; i < blocks; i++) {
            (void)snprintf(place, sizeof place, "%s%zu.", places[s].blocks, i);
            x = build_block(b, n, x, place);
            lp_net_stage(b, "stages.%zu.blocks.%zu", s, i);
        }
    }
    lp_net_at(b, "%s", n->last);
    x = build_one(b, n, x, 1, true);
    b->net->penultimate = lp_net_mean(b, x);
    build_projection(b);
}

/* ---- its name -------------------------------------------------------------------------------- */

/* timm models/fastvit.py: blocks of the third stage, width of the stem, widening of MLPs, whether
 * there is attention. */
static const struct {
    size_t blocks, width, widening;
    bool attention;
    const char *name;
} sizes[] = {
    {4, 48, 3, false, "FastViT-T8"},      {6, 64, 3, false, "FastViT-T12"},
    {6, 64, 4, false, "FastViT-S12"},     {6, 64, 4, true, "FastViT-SA12"},
    {12, 64, 4, true, "FastViT-SA24"},    {18, 64, 4, true, "FastViT-SA36"},
    {18, 76, 4, true, "FastViT-MA36"},    {10, 64, 3, true, "MobileCLIP-MCi0"},
    {20, 64, 3, true, "MobileCLIP-MCi1"}, {24, 80, 3, true, "MobileCLIP-MCi2"},
    {24, 96, 4, true, "MobileCLIP-MCi3"}, {24, 128, 4, true, "MobileCLIP-MCi4"},
};

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    const naming *n = is_apples(b) ? &apple_names : &timm_names;
    stage_places places[MOST_STAGES] = {0};
    size_t stages = find_stages(b, places), third = 0;
    for (size_t s = 0; s < stages; s++) {
        size_t blocks = lp_net_count(b, "%s", places[s].blocks);
        info->layers += blocks;
        third = s == 2 ? blocks : third;
    }
    lp_net_at(b, "%s0.%s.", places[0].blocks, n->mlp);
    size_t inner = lp_net_size(b, 0, "fc1.weight"), width = lp_net_size(b, 1, "fc1.weight");
    bool attention = lp_net_some(b, "token_mixer.qkv.weight");
    (void)snprintf(info->name, sizeof info->name, "%s %zux%zu", b->source->family->title, width,
                   info->layers);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (sizes[i].blocks == third && sizes[i].width == width &&
            sizes[i].widening * width == inner && sizes[i].attention == attention) {
            (void)snprintf(info->name, sizeof info->name, "%s", sizes[i].name);
        }
    }
}

static const char *const ignored[] = {"head.", "head_dist.", "dist_head.", "*.num_batches_tracked",
                                      NULL};

const lp_net_description lp_net_fastvit = {
    .build = build, .ignored = ignored, .describe = describe};
const lp_net_description lp_net_fastvit_apple = {
    .build = build, .ignored = ignored, .describe = describe};
