/* The first vision transformers, in timm's names:
 *
 *   tokens    patches (patch_embed.proj), class token (cls_token), registers (reg_token,
 *             register_tokens) or a distillation token (dist_token), + pos_embed; norm_pre (CLIP)
 *   block     x += scale1 proj(attention(norm1(x)))
 *             x += scale2 fc2(act(fc1(norm2(x))))       gated: silu(first half) * second half
 *   head      norm of all rows, then the class token, the mean of the patches or of class and
 *             distillation token, and fc_norm; or norm of what was taken (CLIPA); or attention of a
 *             learnt query over the patches, then an MLP (attn_pool)   [B, D] = penultimate
 *   project   the projection beside it                                  [B, E] = projected
 *
 * Where the class token alone leaves the last block, it alone is computed there (net_ask.c).
 *
 * Reproduces VisionTransformer of openai/CLIP clip/model.py and of timm
 * models/vision_transformer.py, and what follows them (docs/MODEL.md lists it); their names become
 * timm's by the families' renames (family_names.c), and what else differs stands in lp_vit. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/note.h"
#include "model/families.h"
#include "model/model_config.h"
#include "model/net_descriptions.h"
#include "model/net_plan.h"

enum {
    MAX_BLOCKS = 256, /* more would only make the list of missing tensors endless */
    HEAD_WIDTH = 64   /* clip/model.py, timm: heads = width / 64 */
};

/* ---- what the names say ---------------------------------------------------------------------- */

static const lp_vit *kind_of(const lp_net_builder *b) {
    return b->source->family->layout;
}

/* The number in "<prefix>blocks.12.norm1.weight"; MAX_BLOCKS for other names. */
static size_t block_number(const lp_net_builder *b, const char *name) {
    static const char blocks[] = "blocks.";
    size_t prefix = strlen(b->prefix), length = sizeof blocks - 1;
    if (strncmp(name, b->prefix, prefix) != 0 || strncmp(name + prefix, blocks, length) != 0) {
        return MAX_BLOCKS;
    }
    const char *digit = name + prefix + length;
    if (*digit < '0' || *digit > '9' || (digit[0] == '0' && digit[1] != '.')) {
        return MAX_BLOCKS;
    }
    char *end;
    unsigned long number = strtoul(digit, &end, 10);
    return *end == '.' && number < MAX_BLOCKS ? number : MAX_BLOCKS;
}

/* One more than the largest number: a block between that is missing is not skipped.  At least 1. */
static size_t count_blocks(const lp_net_builder *b) {
    size_t count = 1;
    for (size_t i = 0; i < b->source->view.count; i++) {
        size_t number = block_number(b, b->source->view.items[i].name);
        count = number < MAX_BLOCKS && number >= count ? number + 1 : count;
    }
    return count;
}

static bool is_square(size_t n) {
    size_t root = 0;
    while (root * root < n) {
        root++;
    }
    return root * root == n;
}

/* Tokens behind the class token: those of timm, of facebookresearch/dinov2, of DeiT. */
static const char *const extras[] = {"reg_token", "register_tokens", "dist_token"};

static size_t count_extra(const lp_net_builder *b) {
    return (size_t)lp_net_has(b, "%s", extras[0]) + lp_net_has(b, "%s", extras[1]) +
           lp_net_has(b, "%s", extras[2]);
}

/* Their name; NULL: there are none. */
static const char *extra_tokens(const lp_net_builder *b) {
    size_t i = 0;
    while (i < 3 && !lp_net_has(b, "%s", extras[i])) {
        i++;
    }
    return i < 3 ? extras[i] : NULL;
}

/* Every model of the naming has one, or there is one, or a position for it. */
static bool has_class_token(const lp_net_builder *b) {
    const char *extra = extra_tokens(b);
    size_t count = lp_net_size(b, lp_net_size(b, 2, "pos_embed") > 0 ? 1 : 0, "pos_embed");
    size_t others = extra != NULL ? lp_net_size(b, 1, "%s", extra) : 0;
    return kind_of(b)->class_always || lp_net_has(b, "cls_token") ||
           (count < 1 << 24 && !is_square(count) &&
            (count <= others || !is_square(count - others)));
}

static bool has_norm_before(const lp_net_builder *b) {
    return kind_of(b)->normed_with_class ? has_class_token(b) : lp_net_has_either(b, "norm_pre");
}

static bool has_norm_behind(const lp_net_builder *b) {
    return kind_of(b)->normed_behind || lp_net_has_either(b, "norm");
}

static bool has_pool(const lp_net_builder *b) {
    return lp_net_has(b, "attn_pool.latent") || lp_net_has_either(b, "attn_pool.proj");
}

static bool has_scales_of_timm(const lp_net_builder *b) {
    return kind_of(b)->scaled || lp_net_some(b, ".ls1.gamma") || lp_net_some(b, ".ls2.gamma");
}

static bool has_scales_of_deit(const lp_net_builder *b) {
    return !has_scales_of_timm(b) && (lp_net_some(b, ".gamma_1") || lp_net_some(b, ".gamma_2"));
}

static bool has_scales(const lp_net_builder *b) {
    return has_scales_of_timm(b) || has_scales_of_deit(b);
}

/* A gated MLP by its names, or by the plain MLP's shapes: [2M, D] and [D, M]. */
static bool has_gate(const lp_net_builder *b) {
    return lp_net_some(b, ".mlp.w12.weight") || lp_net_some(b, ".mlp.w3.weight");
}

static bool is_gated(const lp_net_builder *b) {
    size_t inner = lp_net_size(b, 1, "blocks.0.mlp.fc2.weight");
    return has_gate(b) || (kind_of(b)->gated_by_shape && inner > 0 &&
                           lp_net_size(b, 0, "blocks.0.mlp.fc1.weight") == 2 * inner);
}

/* ---- the network ----------------------------------------------------------------------------- */

static size_t build_tokens(lp_net_builder *b) {
    const lp_vit *kind = kind_of(b);
    bool class_token = has_class_token(b), before = has_norm_before(b);
    if (lp_net_size(b, 1, "patch_embed.proj.weight") > 0 &&
        lp_net_size(b, 3, "patch_embed.proj.weight") == 0) {
        lp_plan_problem(b->plan, "patch_embed.proj.weight: expected [D, 3, P, P]");
    }
    if (count_extra(b) > 1) {
        lp_plan_problem(b->plan,
                        "register tokens of two kinds, or a distillation token beside them");
    }
    size_t x = lp_net_patches(b, "patch_embed.proj", !before && !kind->plain_patches);
    lp_net_stage(b, "patches");
    x = lp_net_start(b, x,
                     &(lp_net_start_spec){.class_token = class_token ? "cls_token" : NULL,
                                          .registers = extra_tokens(b),
                                          .positions = "pos_embed",
                                          .all_placed = !kind->patches_alone});
    lp_net_stage(b, "tokens");
    if (before) {
        x = lp_net_norm_in_place(b, x, "norm_pre");
        lp_net_stage(b, "norm_pre");
    }
    return x;
}

static void build_blocks(lp_net_builder *b, size_t x) {
    const lp_vit *kind = kind_of(b);
    bool scaled = has_scales(b), deit = has_scales_of_deit(b), gate = has_gate(b);
    bool gated = is_gated(b);
    lp_net_qkv_spec qkv = {.fused = kind->apart ? NULL : "attn.qkv",
                           .apart = {"attn.q_proj", "attn.k_proj", "attn.v_proj"},
                           .bias = LP_NET_BIAS_NONE};
    if (kind->biased || lp_net_some(b, ".attn.qkv.bias") || lp_net_some(b, ".attn.q_proj.bias") ||
        lp_net_some(b, ".attn.k_proj.bias") || lp_net_some(b, ".attn.v_proj.bias")) {
        qkv.bias = LP_NET_BIAS_ALL;
    }
    size_t inner = lp_net_size(b, 0, "blocks.0.%s.weight", gate ? "mlp.w12" : "mlp.fc1");
    size_t blocks = count_blocks(b);
    for (size_t i = 0; i < blocks; i++) {
        lp_net_at(b, "blocks.%zu.", i);
        lp_net_attend(b, x,
                      &(lp_net_attend_spec){.norm = "norm1",
                                            .qkv = qkv,
                                            .projection = "attn.proj",
                                            .gamma = !scaled ? NULL
                                                     : deit  ? "gamma_1"
                                                             : "ls1.gamma"});
        lp_net_mlp(b, x, x,
                   &(lp_net_mlp_spec){.norm = "norm2",
                                      .first = gate ? "mlp.w12" : "mlp.fc1",
                                      .inner = inner,
                                      .gated = gated,
                                      .second = gate ? "mlp.w3" : "mlp.fc2",
                                      .gamma = !scaled ? NULL
                                               : deit  ? "gamma_2"
                                                       : "ls2.gamma",
                                      .activation = LP_SILU,
                                      .usual = !gated});
        lp_net_stage(b, "block %zu", i);
        lp_net_end_block(b);
    }
    lp_net_begin_head(b, x);
    lp_net_at(b, "%s", "");
}

/* Attention of a learnt query over the patches, then an MLP. */
static size_t build_pool(lp_net_builder *b, size_t x, size_t norm) {
    bool fused = kind_of(b)->apart;
    size_t first = b->net->step_count;
    size_t pooled = lp_net_latent(b, x,
                                  &(lp_net_latent_spec){.latent = "attn_pool.latent",
                                                        .query = fused ? NULL : "attn_pool.q",
                                                        .kv = "attn_pool.kv",
                                                        .fused = fused ? "attn_pool.qkv" : NULL,
                                                        .projection = "attn_pool.proj",
                                                        .planned_norm = norm,
                                                        .patches_only = true});
    (void)lp_net_mlp(b, pooled, pooled,
                     &(lp_net_mlp_spec){.norm = "attn_pool.norm",
                                        .first = "attn_pool.mlp.fc1",
                                        .second = "attn_pool.mlp.fc2",
                                        .usual = true});
    for (size_t i = first; i < b->net->step_count; i++) {
        b->net->steps[i].head = LP_NET_ATTENDING_HEAD;
    }
    return pooled;
}

/* From rows to one vector, by either head. */
static size_t build_head(lp_net_builder *b, size_t x) {
    lp_net *net = b->net;
    size_t norm = 0, y = 0, first;
    bool pool = has_pool(b), fc_norm = lp_net_has_either(b, "fc_norm");
    if (has_norm_behind(b)) {
        norm = lp_net_plan_norm(b, "norm", lp_net_channels(b, x), 0, false);
    }
    if (pool) {
        y = build_pool(b, x, norm);
    }
    first = net->step_count;
    y = lp_net_take_normed(b, x, y, norm);
    if (fc_norm) {
        y = lp_net_norm_in_place(b, y, "fc_norm");
    }
    for (size_t i = first; i < net->step_count; i++) {
        net->steps[i].head = LP_NET_TAKING_HEAD;
    }
    net->mean_normed = fc_norm;
    net->class_rows = b->source->family->both_tokens && lp_net_has(b, "dist_token") ? 2 : 0;
    net->pool = pool                           ? LP_POOL_ATTENTION
                : net->class_token && !fc_norm ? LP_POOL_CLASS
                                               : LP_POOL_MEAN;
    return y;
}

/* OpenAI's projection; transformers', which stands outside; open_clip's of timm's towers. */
static void build_projection(lp_net_builder *b) {
    lp_net *net = b->net;
    size_t x = net->penultimate;
    if (kind_of(b)->projection != NULL && lp_net_has(b, "%s", kind_of(b)->projection)) {
        net->projected = lp_net_project_row(b, x, kind_of(b)->projection, true, false);
        return;
    }
    lp_net_outside(b, "");
    const char *const names[] = {kind_of(b)->beside, "visual.head.proj", "visual.trunk.head"};
    size_t first = kind_of(b)->beside != NULL ? 0 : 1, end = kind_of(b)->towers ? 3 : 1;
    for (size_t i = first; i < end; i++) {
        if (lp_net_has(b, "%s.weight", names[i])) {
            net->projected =
                lp_net_project_row(b, x, names[i], false, lp_net_has(b, "%s.bias", names[i]));
            return;
        }
    }
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "%s", "");
    size_t x = build_tokens(b);
    build_blocks(b, x);
    b->net->penultimate = build_head(b, x);
    build_projection(b);
}

/* ---- what weights do not say ----------------------------------------------------------------- */

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    info->layers = count_blocks(b);
    info->patch = lp_net_size(b, 2, "patch_embed.proj.weight");
    info->mlp_width = lp_net_size(b, 1, "blocks.0.%s.weight", has_gate(b) ? "mlp.w3" : "mlp.fc2");
    info->input_size = lp_net_grid(b->net) * info->patch;
    info->activation = is_gated(b) ? "swiglu" : info->activation;
    lp_family_name_vit(b->source->family, lp_net_size(b, 0, "patch_embed.proj.weight"), "", info);
}

static const lp_net_layer *tokens_of(const lp_net_builder *b) {
    const lp_net_layer *layer = b->net->layers;
    while (layer->kind != LP_NET_TOKENS) {
        layer++;
    }
    return layer;
}

/* Whether [1 + G*G, 384] are the fixed sine and cosine positions of facebookresearch/moco-v3
 * vits.py, build_2d_sincos_position_embedding: zeros for the class token; then, of a patch in row y
 * and column x, sin and cos of y / 10000^(i / 96), then of x.  No other ViT of this width has
 * them. */
static bool has_moco_positions(const float *positions, size_t grid) {
    enum { WIDTH = 384, QUARTER = WIDTH / 4 };
    double most = 0;
    for (size_t p = 0; p <= grid * grid; p++) {
        const float *row = positions + p * WIDTH;
        size_t y_of = p > 0 ? (p - 1) / grid : 0, x_of = p > 0 ? (p - 1) % grid : 0;
        for (size_t i = 0; i < QUARTER; i++) {
            double scale = pow(10000.0, -(double)i / QUARTER);
            double y = (double)y_of * scale, x = (double)x_of * scale;
            double one = p > 0 ? 1 : 0;
            most = fmax(most, fabs((double)row[i] - sin(y)));
            most = fmax(most, fabs((double)row[QUARTER + i] - one * cos(y)));
            most = fmax(most, fabs((double)row[2 * QUARTER + i] - sin(x)));
            most = fmax(most, fabs((double)row[3 * QUARTER + i] - one * cos(x)));
        }
    }
    return most < 2e-3; /* also as float16 */
}

/* MoCo v3's ViT-S has 12 heads of 32, where all others of its shape have 6 of 64.  Its file tells:
 * by its name for the model, by "base_encoder", or by the positions, which are read for it. */
static lp_status find_moco(const lp_net_builder *b, bool named, bool *is_moco, lp_error *err) {
    const lp_source *source = b->source;
    const lp_net_layer *tokens = tokens_of(b);
    const lp_view_item *positions = lp_view_find(&source->view, "pos_embed");
    float *values = NULL;
    lp_status status = LP_OK;
    *is_moco = false;
    if (tokens->channels != 384 || tokens->extra != 1 || tokens->covered != 1 ||
        positions == NULL) {
        return LP_OK;
    }
    static const char base[] = "base_encoder.";
    size_t part = sizeof base - 1, length = source->outer_length;
    if (named || (length >= part && memcmp(source->outer + length - part, base, part) == 0)) {
        *is_moco = true;
        return LP_OK;
    }
    values = lp_alloc(positions->tensor->count, sizeof *values);
    LP_TRY(lp_allocated(values, "positions", positions->tensor->count, sizeof *values, err));
    const lp_tensor_read read = {positions->tensor, values};
    LP_TRY(lp_checkpoint_read(source->ckpt, &read, 1, 1, err));
    *is_moco = has_moco_positions(values, tokens->grid);
done:
    lp_free(values);
    return status;
}

/* A wrong guess would give wrong features without a sign. */
static lp_status find_heads(lp_net_builder *b, lp_model_config *config, const lp_encoder_info *info,
                            size_t *heads, lp_error *err) {
    size_t width = tokens_of(b)->channels;
    const lp_vit_size *size = lp_vit_size_of(width, info->layers);
    bool is_moco;
    lp_status status;
    LP_TRY(find_moco(b, config->moco, &is_moco, err));
    config->heads = is_moco ? 12 : 0;
    if (size != NULL && size->mlp_width == info->mlp_width && !is_gated(b)) {
        *heads = size->heads;
    }
    if (!is_moco && *heads == 0 && lp_vit_heads_vary(width)) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: width %zu, as of ViT-H, -g, -G and SigLIP's so400m, but %zu layers: "
                       "nothing says the number of heads; choose it (option 'heads')",
                       lp_checkpoint_path(b->source->ckpt), width, info->layers);
    }
done:
    return status;
}

/* Without a pool and a class token, too: timm's vit_*_siglip_gap_* have the names of others. */
static unsigned find_facts(lp_net_builder *b) {
    bool gap = kind_of(b) == &lp_net_vit && !has_class_token(b);
    bool varies = (b->source->family->exceptions != NULL || gap) && !is_gated(b);
    return LP_SAID_HEADS | (varies ? LP_SAID_ACTIVATION : 0U);
}

static bool has_norm_or_pool(const lp_net_builder *b) {
    return has_norm_behind(b) || lp_net_has_either(b, "fc_norm") || has_pool(b);
}

static void note_assumed(lp_net_builder *b, const lp_encoder_info *info, lp_note *note) {
    const lp_family *family = b->source->family;
    const lp_net_layer *tokens = tokens_of(b);
    bool timm = strncmp(family->name, "internvit", 9) != 0 && kind_of(b) == &lp_net_vit;
    const char *extra = extra_tokens(b);
    bool registers = extra != NULL && strcmp(extra, "reg_token") == 0;
    if (family->eps_note != NULL) {
        lp_note_put(note, "; norm eps %g (%s)", (double)info->norm_eps, family->eps_note);
    }
    if (has_scales_of_deit(b)) {
        lp_note_put(note, "; no rotary positions (timm's vit_*_rope_ape_* look the same)");
    }
    if (timm && !has_norm_or_pool(b)) {
        lp_note_put(note, "; no norm behind the blocks (the file has none)");
    }
    if (timm && has_class_token(b) && tokens->covered == 0 && !registers && !has_scales(b)) {
        size_t grid = tokens->grid; /* (grid - 1) (grid + 1) + 1 positions are as many */
        lp_note_put(note,
                    "; %zu x %zu patches, and no position of the class token (%zu x %zu with one "
                    "look the same)",
                    grid, grid, grid - 1, grid + 1);
    }
    if (registers && b->net->pool == LP_POOL_ATTENTION) {
        lp_note_put(note, "; the pool leaves the registers out (timm's test_vit3 does not)");
    }
}

/* Weights under timm's names that one of its vision transformers has and no other: that one is
 * computed in another way.  NULL: they are not. */
static const char *other_model(const lp_net_builder *b) {
    const char *extra = extra_tokens(b);
    bool tokens = has_class_token(b) || (extra != NULL && strcmp(extra, "reg_token") == 0);
    return lp_net_has_either(b, "fc_norm") && !tokens && !has_scales(b) &&
                   !lp_net_some(b, ".attn.qkv.bias")
               ? "vit_base_patch16_rpn_224 alone, whose norms stand behind attention and MLP"
           : kind_of(b) == &lp_net_vit && !tokens && !has_norm_or_pool(b)
               ? "qwen3_vit_* alone, which have rotary positions"
               : NULL;
}

static lp_status check(lp_net_builder *b, const lp_model_config *config,
                       const lp_encoder_info *info, lp_error *err) {
    const char *path = lp_checkpoint_path(b->source->ckpt), *what = other_model(b);
    const lp_known_model *published;
    size_t side = b->net->input, patch = info->patch;
    lp_status status;
    LP_TRY(lp_source_published(b->source, &published, err));
    if (what != NULL && config->file == NULL && !config->arch_known && published == NULL) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: weights as of timm's %s, which is not supported", path, what);
    }
    if (side % patch != 0 && side / patch != tokens_of(b)->grid) { /* what is over is left out */
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: input size %zu: expected a multiple of the patches' %zu pixels", path,
                       side, patch);
    }
done:
    return status;
}

/* ---- the namings ----------------------------------------------------------------------------- */

/* BATCH_ROWS: 16 images of ViT-B/32 with 50 tokens, of which those are kept that fill tiles.
 * Chosen, not measured. */
enum { BATCH_ROWS = 800 };

#define DESCRIPTION(names)                                                                         \
    {                                                                                              \
        .build = build, .ignored = (names), .describe = describe, .check = check,                  \
        .head_width = HEAD_WIDTH, .find_heads = find_heads, .batch_rows = BATCH_ROWS,              \
        .note_assumed = note_assumed, .find_facts = find_facts, .published_whole = true,           \
        .input_of_positions = true, .plain_input = 224, .ask_alone = true, .rounds_vectors = true  \
    }

/* Heads of classifiers; what only training uses: MAE's decoder, the token of a masked patch. */
static const char *const timm_ignored[] = {
    "head.",    "head_dist.",  "mask_token", "masked_embed" /* iBOT */,
    "decoder_", "pre_logits.", NULL};
/* A buffer of old files: 0, 1, 2, ... */
static const char *const hf_clip_ignored[] = {"embeddings.position_ids", NULL};
static const char *const hf_ignored[] = {
    "embeddings.mask_token",    "pooler.", "classifier.", "decoder.", "cls_classifier.",
    "distillation_classifier.", NULL};

/* timm/models/vision_transformer.py and deit.py; facebookresearch/dino, dinov2, mae, deit. */
const lp_vit lp_net_vit = {
    .description = DESCRIPTION(timm_ignored),
    .patches_alone = true, /* no_embed_class */
    .gated_by_shape = true,
    .towers = true,
};
/* openai/CLIP clip/model.py, VisionTransformer; open_clip's keeps these names. */
const lp_vit lp_net_vit_openai = {
    .description = DESCRIPTION(NULL),
    .class_always = true,
    .normed_behind = true,
    .plain_patches = true,
    .biased = true,
    .projection = "proj", /* None where it was taken off */
};
/* transformers/models/clip and siglip: CLIPVisionModel, SiglipVisionModel. */
const lp_vit lp_net_vit_hf_clip = {
    .description = DESCRIPTION(hf_clip_ignored),
    .normed_with_class = true,
    .normed_behind = true,
    .apart = true,
    .beside = "visual_projection",
};
/* transformers/models/dinov2 and dinov2_with_registers; vit; internvl, whose InternVLVisionModel
 * has no norm where it pools by the mean. */
const lp_vit lp_net_vit_hf_dinov2 = {
    .description = DESCRIPTION(hf_ignored),
    .normed_behind = true,
    .scaled = true,
    .apart = true,
};
const lp_vit lp_net_vit_hf_internvl = {
    .description = DESCRIPTION(hf_ignored), .scaled = true, .apart = true};
const lp_vit lp_net_vit_hf = {
    .description = DESCRIPTION(hf_ignored), .normed_behind = true, .apart = true};
