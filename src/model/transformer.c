/* Vision transformers with rotary positions, gated MLPs, relative positions and other norms than
 * the first ones had, in timm's names:
 *
 *   tokens    patches (patch_embed.proj), class token, registers (reg_token), + pos_embed
 *   block     x += gamma_1 proj(norm(attention(norm1(x))))    each part where the weights have it
 *             x += gamma_2 fc2(norm(act(fc1(norm2(x)))))      gated: act(fc1_g) fc1_x
 *   head      norm of all rows, then the class token, the mean of the patches, or attention of a
 *             learnt query (attn_pool); or the mean, then fc_norm   [B, D] = penultimate
 *             CoCa: attention of the first of several learnt queries, then a norm; transformers'
 *             BEiT without its pooler: the mean alone
 *   project   open_clip: head, proj [B, E]; AIMv2 beside texts: its layer = projected
 *
 * Reproduces timm models/eva.py (DINOv3, EVA, EVA-02, EVA-CLIP, Perception Encoder), beit.py and
 * vision_transformer.py (AIMv2); DINOv3ViTModel, BeitModel, Data2VecVisionModel, MLCDVisionModel
 * and Ovis2VisionModel's tower (an AIMv2) of transformers; facebookresearch/dinov3; and open_clip
 * transformer.py with an attentional pool (CoCa). */
#include <string.h>

#include "model/families.h"
#include "model/net_descriptions.h"

/* ---- the network ----------------------------------------------------------------------------- */

static bool is_square(size_t n) {
    size_t root = 0;
    while (root * root < n) {
        root++;
    }
    return root * root == n;
}

static bool has_class(const lp_net_builder *b, const lp_transformer *t) {
    size_t positions = lp_net_size(b, lp_net_size(b, 2, "pos_embed") > 0 ? 1 : 0, "pos_embed");
    return t->class_rule == LP_CLASS_ALWAYS ||
           (t->class_rule == LP_CLASS_BY_POSITIONS && positions < 1 << 24 && !is_square(positions));
}

static size_t build_norm(lp_net_builder *b, const lp_transformer *t, size_t x, const char *name) {
    return t->rms ? lp_net_rms_norm(b, x, name) : lp_net_norm(b, x, name, 0);
}

static lp_net_qkv_spec qkv_of(const lp_net_builder *b) {
    lp_net_qkv_spec s = {.fused = lp_net_some(b, ".attn.qkv.weight") ? "attn.qkv" : NULL,
                         .apart = {"attn.q_proj", "attn.k_proj", "attn.v_proj"},
                         .bias = LP_NET_BIAS_NONE};
    if (lp_net_some(b, ".attn.q_bias") || lp_net_some(b, ".attn.v_bias")) {
        s.bias = LP_NET_BIAS_NOT_KEYS;
        s.q_bias = "attn.q_bias";
        s.v_bias = "attn.v_bias";
    } else if (lp_net_some(b, ".attn.qkv.bias_mask")) { /* dinov3/layers: LinearKMaskedBias */
        s.bias = LP_NET_BIAS_ZEROED_KEYS;
    } else if (lp_net_some(b, s.fused != NULL ? ".attn.qkv.bias" : ".attn.k_proj.bias")) {
        s.bias = LP_NET_BIAS_ALL;
    } else if (lp_net_some(b, ".attn.q_proj.bias") || lp_net_some(b, ".attn.v_proj.bias")) {
        s.bias = LP_NET_BIAS_NOT_KEYS;
    }
    return s;
}

/* Halves of one layer: it gives twice as many as the next one takes. */
static bool is_gated(const lp_net_builder *b) {
    size_t taken = lp_net_size(b, 1, "blocks.0.mlp.fc2.weight");
    return taken > 0 && lp_net_size(b, 0, "blocks.0.mlp.fc1.weight") == 2 * taken;
}

static bool has_gate(const lp_net_builder *b) {
    return lp_net_some(b, ".mlp.fc1_g.weight") || lp_net_some(b, ".mlp.fc1_x.weight");
}

/* timm eva.py: eva02_enormous_* alone has its norms behind its layers. */
static bool norms_after(const lp_net_builder *b, const lp_transformer *t, size_t width) {
    return t->rotary_if_gated && width == 1792 && !has_gate(b);
}

static size_t build_rotary(lp_net_builder *b, const lp_transformer *t, size_t grid,
                           bool class_token) {
    bool gated = has_gate(b) || is_gated(b);
    if (t->rotary.temperature == 0 || (t->rotary_if_gated && !gated)) {
        return 0;
    }
    lp_net_rotary rotary = t->rotary;
    if (t->reference_grid) {
        rotary.reference = grid;
        rotary.offset = class_token ? 1 : 0;
    }
    return lp_net_rotary_layer(b, &rotary, "rope_embed.periods", t->class_angles);
}

static void build_blocks(lp_net_builder *b, const lp_transformer *t, size_t x, size_t rotary) {
    bool gate = has_gate(b), scaled = lp_net_some(b, ".gamma_1") || lp_net_some(b, ".gamma_2");
    bool gated = !gate && is_gated(b), inside = lp_net_some(b, ".attn.norm.weight");
    bool inner = lp_net_some(b, ".mlp.norm.weight");
    bool table = lp_net_some(b, ".attn.relative_position_bias_table");
    bool heads = lp_net_some(b, ".attn.q_norm.weight");
    bool after = norms_after(b, t, b->net->maps[x].channels);
    const lp_net_qkv_spec qkv = qkv_of(b);
    size_t blocks = lp_net_count(b, "blocks."), shared = 0;
    if (table && lp_net_has(b, "rel_pos_bias.relative_position_bias_table")) {
        lp_plan_problem(b->plan, "relative positions of each block and of all");
    }
    if (lp_net_has(b, "rel_pos_bias.relative_position_bias_table")) {
        shared = lp_net_shared_table(b, x, "rel_pos_bias.relative_position_bias_table");
    }
    for (size_t i = 0; i < blocks; i++) {
        lp_net_at(b, "blocks.%zu.", i);
        lp_net_attend(
            b, x,
            &(lp_net_attend_spec){.norm = "norm1",
                                  .qkv = qkv,
                                  .projection = "attn.proj",
                                  .gamma = scaled ? "gamma_1" : NULL,
                                  .table = table ? "attn.relative_position_bias_table" : NULL,
                                  .shared = shared,
                                  .q_norm = heads ? "attn.q_norm" : NULL,
                                  .k_norm = "attn.k_norm",
                                  .inside = inside ? "attn.norm" : NULL,
                                  .rotary = rotary,
                                  .after = after,
                                  .rms = t->rms,
                                  .no_bias = t->rms});
        lp_net_mlp(b, x, x,
                   &(lp_net_mlp_spec){.norm = "norm2",
                                      .gate = gate ? "mlp.fc1_g" : NULL,
                                      .first = lp_net_some(b, ".mlp.fc1_x.weight") ? "mlp.fc1_x"
                                                                                   : "mlp.fc1",
                                      .gated = gated,
                                      .inside = inner ? "mlp.norm" : NULL,
                                      .second = "mlp.fc2",
                                      .gamma = scaled ? "gamma_2" : NULL,
                                      .activation = LP_SILU,
                                      .usual = !gate && !gated,
                                      .after = after,
                                      .rms = t->rms,
                                      .no_bias = t->rms});
        lp_net_stage(b, "block %zu", i);
        lp_net_end_block(b);
    }
    lp_net_begin_head(b, x);
    lp_net_at(b, "%s", "");
}

/* AIMv2's pool has as many heads as its attention, whose heads are 128 wide. */
static size_t heads_of_pool(const lp_net_builder *b, size_t x) {
    size_t width = b->net->maps[x].channels;
    return width >= 128 ? width / 128 : 1;
}

/* From rows to one vector. */
static size_t build_head(lp_net_builder *b, const lp_transformer *t, size_t x) {
    bool normed = !t->post_pool && (t->rms || t->reference_grid || lp_net_has_either(b, "norm"));
    if (normed) {
        x = build_norm(b, t, x, "norm");
    }
    if (t->post_pool) {
        x = lp_net_latent(b, x,
                          &(lp_net_latent_spec){.latent = "attn_pool.query",
                                                .attention = "attn_pool.attn",
                                                .query_norm = "attn_pool.ln_q",
                                                .norm = "attn_pool.ln_k",
                                                .projection = "attn_pool.attn.out_proj",
                                                .heads = 8}); /* coca_*.json: attn_pooler_heads */
        return lp_net_norm(b, x, "post_norm", 0);
    }
    if (t->rms && lp_net_some(b, "head.cls_token")) {
        return lp_net_latent(b, x,
                             &(lp_net_latent_spec){.latent = "head.cls_token",
                                                   .key = "head.k_proj",
                                                   .value = "head.v_proj",
                                                   .projection = "head.output_proj",
                                                   .heads = heads_of_pool(b, x)});
    }
    if (lp_net_has(b, "attn_pool.latent")) {
        bool fused = lp_net_has_either(b, "attn_pool.qkv");
        x = lp_net_latent(b, x,
                          &(lp_net_latent_spec){.latent = "attn_pool.latent",
                                                .query = fused ? NULL : "attn_pool.q",
                                                .kv = "attn_pool.kv",
                                                .fused = fused ? "attn_pool.qkv" : NULL,
                                                .projection = "attn_pool.proj",
                                                .heads = 8}); /* eva.py: attn_pool_num_heads */
        return lp_net_mlp(b, x, x,
                          &(lp_net_mlp_spec){.norm = "attn_pool.norm",
                                             .first = "attn_pool.mlp.fc1",
                                             .second = "attn_pool.mlp.fc2",
                                             .usual = true});
    }
    x = lp_net_take(b, x);
    b->net->pool = normed && b->net->class_token ? LP_POOL_CLASS : LP_POOL_MEAN;
    b->net->unnormed = t->poolers_apart && !normed && !lp_net_has_either(b, "fc_norm");
    return normed || b->net->unnormed ? x : build_norm(b, t, x, "fc_norm");
}

/* AIMv2's towers that were trained with texts have a linear layer beside them: transformers'
 * Aimv2Model, Apple's AIMv2LiT. */
static void build_beside(lp_net_builder *b) {
    static const char *const names[] = {"visual_projection", "image_projector"};
    lp_net_outside(b, "");
    for (size_t i = 0; i < 2; i++) {
        if (lp_net_has(b, "%s.weight", names[i])) {
            b->net->projected =
                lp_net_conv(b, b->net->penultimate, names[i], &(lp_net_conv_spec){.flat = true});
        }
    }
}

static void build(lp_net_builder *b) {
    const lp_transformer *t = b->source->family->layout;
    lp_net *net = b->net;
    lp_net_at(b, "%s", "");
    bool class_token = has_class(b, t), positions = t->rms || lp_net_has(b, "pos_embed");
    bool before = lp_net_has_either(b, "norm_pre");
    size_t x = lp_net_patches(b, "patch_embed.proj", !before);
    if (t->rms) {
        x = build_norm(b, t, x, "patch_embed.norm");
    }
    x = lp_net_start(b, x,
                     &(lp_net_start_spec){.class_token = class_token ? "cls_token" : NULL,
                                          .registers = t->registers ? "reg_token" : NULL,
                                          .positions = positions ? "pos_embed" : NULL});
    size_t grid = net->layers[net->layer_count - 1].grid;
    if (before) {
        x = build_norm(b, t, x, "norm_pre");
    }
    lp_net_stage(b, "tokens");
    build_blocks(b, t, x, build_rotary(b, t, grid, class_token));
    net->penultimate = build_head(b, t, x);
    if (t->post_pool || (t->reference_grid && lp_net_has(b, "proj"))) {
        net->projected =
            lp_net_conv(b, net->penultimate, "proj", &(lp_net_conv_spec){.transposed = true});
    } else if (strcmp(b->source->prefix, "visual.trunk.") == 0 && lp_net_has(b, "head.weight")) {
        net->projected =
            lp_net_conv(b, net->penultimate, "head",
                        &(lp_net_conv_spec){.flat = true, .bias = lp_net_has_either(b, "head")});
    } else if (t->rms && b->source->prefix[0] != '\0') {
        build_beside(b);
    }
}

/* ---- its name -------------------------------------------------------------------------------- */

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t width = lp_net_describe_vit(b, info), grid = lp_net_grid(b->net);
    for (size_t i = 1; i < b->net->layer_count; i++) { /* relative positions say it, too */
        const lp_net_layer *layer = &b->net->layers[i];
        grid = layer->kind == LP_NET_TABLE && layer->window > 0 ? layer->window : grid;
    }
    info->input_size = grid * info->patch;
    bool gated = has_gate(b) || is_gated(b);
    const char *plus = b->source->family->input == 224 && gated && grid == 0 ? "+" : "";
    lp_family_name_vit(b->source->family, width, plus, info);
}

/* ---- the kinds ------------------------------------------------------------------------------- */

/* Classifiers; tokens of masked patches; buffers of rotary and relative positions, which are made
 * here; DINOv3's second norm and heads, which its training alone uses. */
static const char *const ignored[] = {"head.",           "mask_token",
                                      "rope.",           "lm_head.",
                                      "*.bias_mask",     "*.relative_position_index",
                                      "local_cls_norm.", "projectors.",
                                      "decoder.",        NULL};

/* The heads' width, and models of EVA and the Perception Encoder that have another one: eva.py,
 * num_heads; of AIMv2 vision_transformer.py. */
static const lp_net_heads eva_heads[] = {{1408, 16}, {1536, 16}, {1792, 16}, {0, 0}};
static const lp_net_heads dinov3_heads[] = {{4096, 32}, {0, 0}};

#define DESCRIPTION(width, exceptions)                                                             \
    {                                                                                              \
        .build = build, .ignored = ignored, .describe = describe, .head_width = (width),           \
        .heads = (exceptions)                                                                      \
    }

const lp_transformer lp_net_dinov3 = {
    .description = DESCRIPTION(64, dinov3_heads),
    .registers = true,
    .rotary = {.centred = true, .temperature = 100, .halves = true}, /* eva.py: rope_type dinov3 */
};
const lp_transformer lp_net_eva = {
    .description = DESCRIPTION(64, eva_heads),
    .rotary_if_gated = true,
    .rotary = {.temperature = 10000, .reference = 16}, /* eva.py: ref_feat_shape */
};
const lp_transformer lp_net_perception = {
    .description = DESCRIPTION(64, eva_heads),
    .class_rule = LP_CLASS_BY_POSITIONS,
    .reference_grid = true,
    .rotary = {.temperature = 10000, .columns_first = true},
};
/* The authors' code counts patches of another input otherwise than timm's. */
const lp_transformer lp_net_perception_one = {
    .description = {.build = build,
                    .ignored = ignored,
                    .describe = describe,
                    .head_width = 64,
                    .heads = eva_heads,
                    .one_input = true},
    .class_rule = LP_CLASS_BY_POSITIONS,
    .reference_grid = true,
    .rotary = {.temperature = 10000, .columns_first = true},
};
const lp_transformer lp_net_beit = {.description = DESCRIPTION(64, NULL)};
const lp_transformer lp_net_hf_beit = {.description = DESCRIPTION(64, NULL), .poolers_apart = true};
const lp_transformer lp_net_aimv2 = {
    .description = {.build = build,
                    .ignored = ignored,
                    .describe = describe,
                    .activation = "silu",
                    .head_width = 128},
    .class_rule = LP_CLASS_NEVER,
    .rms = true,
};
const lp_transformer lp_net_mlcd = {
    .description = DESCRIPTION(64, NULL), /* the class token's angles say it */
    .rotary = {.temperature = 10000, .halves = true},
    .class_angles = "class_pos_emb",
};
const lp_transformer lp_net_coca = {.description = DESCRIPTION(64, NULL), .post_pool = true};
