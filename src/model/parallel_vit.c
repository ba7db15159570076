/* Vision transformers whose parts stand side by side, in timm's names:
 *
 *   tokens    patches (patch_embed.proj), class token, registers (reg_token), + pos_embed; norm_pre
 *   block     y = x + sum of attns.N (x),  x = y + sum of ffns.N (y)        vit_*_18x2_*
 *             x += attn_out_proj(attention) + mlp_out_proj(act(mlp)), both of in_proj(in_norm(x)),
 *             whose rows are the MLP's, then queries, keys and values      vit_*_xp_*, vit_pwee_*
 *   head      norm of all rows, then the class token or the mean; or the mean, then fc_norm
 *                                                                          [B, D] = penultimate
 *
 * Reproduces timm models/vision_transformer.py: ParallelThingsBlock, ParallelScalingBlock. */
#include <stdio.h>

#include "model/families.h"
#include "model/net_descriptions.h"

/* Several attentions over the same rows, then several MLPs of the same rows. */
static size_t build_things(lp_net_builder *b, size_t x, size_t block) {
    const char *gamma = lp_net_some(b, ".ls.gamma") ? "ls.gamma" : NULL;
    bool heads = lp_net_some(b, ".attn.q_norm.weight");
    size_t attended = lp_net_copy(b, x);
    lp_net_at(b, "blocks.%zu.", block);
    size_t attentions = lp_net_count(b, "attns."), mlps = lp_net_count(b, "ffns.");
    for (size_t i = 0; i < attentions; i++) {
        lp_net_at(b, "blocks.%zu.attns.%zu.", block, i);
        lp_net_attend(b, attended,
                      &(lp_net_attend_spec){
                          .norm = "norm",
                          .qkv = {.fused = "attn.qkv", .bias = lp_net_bias_of(b, ".attn.qkv.bias")},
                          .projection = "attn.proj",
                          .gamma = gamma,
                          .from = x,
                          .q_norm = heads ? "attn.q_norm" : NULL,
                          .k_norm = "attn.k_norm"});
    }
    size_t to = lp_net_copy(b, attended);
    for (size_t i = 0; i < mlps; i++) {
        lp_net_at(b, "blocks.%zu.ffns.%zu.", block, i);
        lp_net_mlp(b, attended, to,
                   &(lp_net_mlp_spec){.norm = "norm",
                                      .first = "mlp.fc1",
                                      .second = "mlp.fc2",
                                      .gamma = gamma,
                                      .usual = true});
    }
    return to;
}

/* Attention and MLP of the same rows, whose first layers are one. */
static size_t build_scaling(lp_net_builder *b, size_t x, size_t block, bool rms) {
    lp_net_at(b, "blocks.%zu.", block);
    size_t inner = lp_net_size(b, 1, "mlp_out_proj.weight"), to = lp_net_copy(b, x);
    const char *gamma = lp_net_some(b, ".ls.gamma") ? "ls.gamma" : NULL;
    bool heads = lp_net_some(b, ".q_norm.weight");
    lp_net_qkv_bias bias = lp_net_bias_of(b, ".in_proj.bias");
    lp_net_attend(
        b, to,
        &(lp_net_attend_spec){.norm = "in_norm",
                              .qkv = {.part_of = "in_proj", .before = inner, .bias = bias},
                              .projection = "attn_out_proj",
                              .gamma = gamma,
                              .from = x,
                              .q_norm = heads ? "q_norm" : NULL,
                              .k_norm = "k_norm",
                              .rms = rms});
    lp_net_mlp(b, x, to,
               &(lp_net_mlp_spec){.norm = "in_norm",
                                  .first = "in_proj",
                                  .rows = inner > 0 ? inner : 1,
                                  .first_bias = bias == LP_NET_BIAS_ALL ? NULL : "mlp_bias",
                                  .second = "mlp_out_proj",
                                  .gamma = gamma,
                                  .rms = rms,
                                  .usual = true});
    return to;
}

static size_t build_norm(lp_net_builder *b, size_t x, const char *name, bool rms) {
    return rms ? lp_net_rms_norm(b, x, name) : lp_net_norm(b, x, name, 0);
}

static void build(lp_net_builder *b) {
    lp_net *net = b->net;
    lp_net_at(b, "%s", "");
    bool things = lp_net_has(b, "blocks.0.attns.0.attn.qkv.weight");
    bool before = lp_net_has_either(b, "norm_pre"), normed = lp_net_has_either(b, "norm");
    bool rms = !things && !lp_net_has(b, "blocks.0.in_norm.bias");
    size_t x = lp_net_patches(b, "patch_embed.proj", !before);
    bool class_token = lp_net_has(b, "cls_token");
    x = lp_net_start(
        b, x,
        &(lp_net_start_spec){.class_token = class_token ? "cls_token" : NULL,
                             .registers = lp_net_has(b, "reg_token") ? "reg_token" : NULL,
                             .positions = "pos_embed"});
    if (before) {
        x = build_norm(b, x, "norm_pre", rms);
    }
    lp_net_stage(b, "tokens");
    size_t blocks = lp_net_count(b, "blocks.");
    for (size_t i = 0; i < blocks; i++) {
        x = things ? build_things(b, x, i) : build_scaling(b, x, i, rms);
        lp_net_stage(b, "block %zu", i);
    }
    lp_net_at(b, "%s", "");
    x = lp_net_take(b, normed ? build_norm(b, x, "norm", rms) : x);
    net->pool = normed && class_token ? LP_POOL_CLASS : LP_POOL_MEAN;
    net->penultimate = normed ? x : build_norm(b, x, "fc_norm", rms);
}

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t width = lp_net_describe_vit(b, info);
    info->mlp_width = lp_net_size(b, 0, "blocks.0.ffns.0.mlp.fc1.weight");
    const char *kind = info->mlp_width > 0 ? "side by side" : "parallel";
    if (info->mlp_width == 0) {
        info->mlp_width = lp_net_size(b, 1, "blocks.0.mlp_out_proj.weight");
    }
    (void)snprintf(info->name, sizeof info->name, "%s %zux%zu/%zu, %s", b->source->family->title,
                   width, info->layers, info->patch, kind);
}

static const char *const ignored[] = {"head.", NULL};

const lp_net_description lp_net_parallel = {
    .build = build, .ignored = ignored, .describe = describe, .head_width = 64};
