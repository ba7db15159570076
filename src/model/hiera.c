/* Hiera, in timm's names, or with stages as transformers has them:
 *
 *   stem     7x7 convolution of stride 4, + pos_embed, or + pos_embed resized + pos_embed_win
 *   block    x += ls1 attn.proj(attention(norm1(x))),  x += ls2 fc2(gelu(fc1(norm2(x))))
 *            the first of a stage, but of the first one, halves the map and doubles its channels
 *            (net_units.c): x = the maxima of 2 x 2 of proj(norm1(x)), or of x itself
 *   head     norm of the mean of all pixels [B, C]                      = penultimate
 *
 * Attention is within windows ("mask units") of 8 x 8 pixels in the first stage, 4 x 4 in the
 * second and the third's first block, and over all pixels behind it.  Reproduces timm
 * models/hiera.py, facebookresearch/hiera, and HieraModel of transformers (pooler_output). */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/families.h"
#include "model/net_descriptions.h"

enum { STAGES = 4, UNIT = 8, WINDOWED = 2 /* stages, mask_unit_attn */ };

typedef struct progress {
    size_t stage, blocks[STAGES + 1];
    size_t unit;
    bool apart; /* numbers of stages in names */
} progress;

/* Where the names of a block lie; false where there is none.  A block that widens the map begins a
 * stage. */
static bool find_block(lp_net_builder *b, progress *p, size_t number, size_t width) {
    if (p->apart) {
        lp_net_at(b, "%s", "");
        bool next = p->blocks[p->stage] >= lp_net_count(b, "stages.%zu.blocks.", p->stage);
        p->stage += next && p->stage < STAGES ? 1 : 0;
        bool more = lp_net_count(b, "stages.%zu.blocks.", p->stage) > p->blocks[p->stage];
        lp_net_at(b, "stages.%zu.blocks.%zu.", p->stage, p->blocks[p->stage]);
        return more;
    }
    lp_net_at(b, "%s", "");
    bool more = lp_net_count(b, "blocks.") > number;
    lp_net_at(b, "blocks.%zu.", number);
    size_t out = lp_net_size(b, 0, "attn.proj.weight");
    p->stage += more && number > 0 && out > width && p->stage < STAGES ? 1 : 0;
    return more;
}

/* Whether blocks that widen the map have a linear layer for it: all of the first kind. */
static bool expands(const lp_net_builder *b) {
    char end[] = "0.proj.weight"; /* "blocks.10.proj.weight" */
    bool some = b->source->family->layout != &lp_net_hiera_abswin;
    for (; end[0] <= '9' && !some; end[0]++) {
        some = lp_net_some(b, end);
    }
    return some;
}

static size_t build_block(lp_net_builder *b, const progress *p, size_t x) {
    bool first = p->stage > 0 && p->blocks[p->stage] == 0;
    bool scaled = lp_net_some(b, ".ls1.gamma");
    size_t before = p->stage - (first ? 1 : 0); /* the stage of the map as it is */
    x = lp_net_units(b, x,
                     &(lp_net_units_spec){.norm = "norm1",
                                          .qkv = {.fused = "attn.qkv", .bias = LP_NET_BIAS_ALL},
                                          .expand = first && expands(b) ? "proj" : NULL,
                                          .projection = "attn.proj",
                                          .gamma = scaled ? "ls1.gamma" : NULL,
                                          .halved = first,
                                          .window = before < WINDOWED ? p->unit >> before : 0,
                                          .heads = (size_t)1 << p->stage});
    return lp_net_mlp(b, x, x,
                      &(lp_net_mlp_spec){.norm = "norm2",
                                         .first = "mlp.fc1",
                                         .second = "mlp.fc2",
                                         .gamma = scaled ? "ls2.gamma" : NULL,
                                         .usual = true});
}

/* Counts the blocks of each stage. */
static size_t build_blocks(lp_net_builder *b, progress *p, size_t x) {
    for (size_t i = 0; find_block(b, p, i, b->net->maps[x].channels); i++) {
        if (p->stage == STAGES) {
            lp_plan_problem(b->plan, "%s: more than %d stages", b->place, STAGES);
            return x;
        }
        x = build_block(b, p, x);
        p->blocks[p->stage]++;
        lp_net_stage(b, "block %zu", i);
    }
    if (p->stage + 1 < STAGES) {
        lp_plan_problem(b->plan, "%zu stages: expected %d", p->stage + 1, STAGES);
    }
    return x;
}

static progress begin(const lp_net_builder *b) {
    size_t tile = lp_net_size(b, 2, "pos_embed_win");
    return (progress){.unit = tile > 0 ? tile : UNIT,
                      .apart = lp_net_count(b, "stages.") > lp_net_count(b, "blocks.")};
}

static void build(lp_net_builder *b) {
    progress p = begin(b);
    lp_net_at(b, "%s", "");
    bool tiled = b->source->family->layout == &lp_net_hiera_abswin;
    size_t x = lp_net_conv(b, 0, "patch_embed.proj",
                           &(lp_net_conv_spec){.taps = 7, .stride = 4, .padding = 3, .bias = true});
    x = lp_net_start(
        b, x,
        &(lp_net_start_spec){.positions = "pos_embed", .tile = tiled ? "pos_embed_win" : NULL});
    lp_net_stage(b, "tokens");
    x = lp_net_mean(b, build_blocks(b, &p, x));
    lp_net_at(b, "%s", "");
    if (lp_net_has_either(b, "head.norm") || !p.apart) {
        b->net->penultimate = lp_net_norm(b, x, "head.norm", 0);
    } else { /* HieraForPreTraining */
        lp_net_outside(b, "");
        b->net->penultimate = lp_net_norm(b, x, "encoder_norm", 0);
    }
}

/* timm models/hiera.py */
static const struct {
    size_t blocks[STAGES], width;
    const char *name;
} sizes[] = {{{1, 2, 7, 2}, 96, "T"},    {{1, 2, 11, 2}, 96, "S"},  {{2, 3, 16, 3}, 96, "B"},
             {{2, 3, 16, 3}, 112, "B+"}, {{2, 6, 36, 4}, 144, "L"}, {{2, 6, 36, 4}, 256, "H"}};
static const lp_net_heads heads[] = {{96, 1}, {112, 2}, {144, 2}, {256, 4}, {0, 0}};

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    progress p = begin(b);
    size_t first = lp_net_size(b, 0, "patch_embed.proj.weight"), width = first;
    for (size_t i = 0; find_block(b, &p, i, width) && p.stage < STAGES; i++) {
        p.blocks[p.stage]++;
        width = lp_net_size(b, 0, "attn.proj.weight");
        info->layers++;
    }
    info->input_size = 4 * lp_net_grid(b->net);
    (void)snprintf(info->name, sizeof info->name, "%s %zux(%zu,%zu,%zu,%zu)",
                   b->source->family->title, first, p.blocks[0], p.blocks[1], p.blocks[2],
                   p.blocks[3]);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (memcmp(sizes[i].blocks, p.blocks, sizeof sizes[i].blocks) == 0 &&
            sizes[i].width == first) {
            (void)snprintf(info->name, sizeof info->name, "%s-%s", b->source->family->title,
                           sizes[i].name);
        }
    }
}

static const char *const ignored[] = {"head.fc.",   "head.projection.",          "decoder",
                                      "mask_token", "multi_scale_fusion_heads.", "classifier.",
                                      NULL};

const lp_net_description lp_net_hiera = {.build = build,
                                         .ignored = ignored,
                                         .describe = describe,
                                         .heads = heads,
                                         .one_input = true,
                                         .assumed = "windows of 8 x 8 pixels in the first stage"};
const lp_net_description lp_net_hiera_abswin = {
    .build = build, .ignored = ignored, .describe = describe, .heads = heads};
