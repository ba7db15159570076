/* A vision transformer from a file.
 *
 *   1. the number of blocks, from the names
 *   2. the plan: every weight of the layout; the check learns D, P, T, M, E
 *   3. what dimensions must obey: a square of patches, D divisible among the heads
 *   4. what the model is called and what it takes and gives
 *
 * Dimensions are found as build_model in openai/CLIP clip/model.py does: D and P from the patch
 * embedding, the grid from the positions, heads = D / 64; timm's models of these widths have
 * heads of 64, too. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "model/family.h"
#include "model/vit.h"
#include "model/vit_layout.h"

enum {
    HEAD_WIDTH = 64,
    MAX_BLOCKS = 256,       /* more would only make the list of missing tensors endless */
    TOKENS_PER_BATCH = 800, /* rows of one product: 16 images of ViT-B/32 */
    MAX_BATCH = 32
};

/* ---- the plan -------------------------------------------------------------------------------- */

/* The number in "<prefix><blocks>12.attn.qkv.weight"; MAX_BLOCKS for other names. */
static size_t block_number(const lp_source *source, const char *name) {
    const lp_vit_layout *layout = source->family->layout;
    size_t prefix = strlen(source->prefix), blocks = strlen(layout->blocks);
    if (strncmp(name, source->prefix, prefix) != 0 ||
        strncmp(name + prefix, layout->blocks, blocks) != 0) {
        return MAX_BLOCKS;
    }
    const char *digit = name + prefix + blocks;
    size_t number = 0;
    if (*digit < '0' || *digit > '9' || (digit[0] == '0' && digit[1] != '.')) {
        return MAX_BLOCKS;
    }
    for (; *digit >= '0' && *digit <= '9' && number < MAX_BLOCKS; digit++) {
        number = number * 10 + (size_t)(*digit - '0');
    }
    return *digit == '.' && number < MAX_BLOCKS ? number : MAX_BLOCKS;
}

static size_t count_blocks(const lp_source *source) {
    size_t layers = 1;
    for (size_t i = 0; i < lp_checkpoint_count(source->ckpt); i++) {
        size_t block = block_number(source, lp_checkpoint_tensor(source->ckpt, i)->name);
        if (block != MAX_BLOCKS && block >= layers) {
            layers = block + 1;
        }
    }
    return layers;
}

static float **field_of(void *owner, size_t field) {
    return field == LP_VIT_JOINED ? NULL : (float **)(void *)((char *)owner + field);
}

static void plan_weights(const lp_source *source, lp_vit *vit, lp_weight_plan *plan) {
    const lp_vit_layout *layout = source->family->layout;
    for (size_t i = 0; i < layout->weight_count; i++) {
        const lp_vit_weight *w = &layout->weights[i];
        lp_plan_add(plan, field_of(vit, w->field), w->shape, "%s%s", source->prefix, w->name);
    }
    for (size_t b = 0; b < vit->shape.layers; b++) {
        for (size_t i = 0; i < layout->block_weight_count; i++) {
            const lp_vit_weight *w = &layout->block_weights[i];
            lp_plan_add(plan, field_of(&vit->blocks[b], w->field), w->shape, "%s%s%zu.%s",
                        source->prefix, layout->blocks, b, w->name);
        }
    }
}

static void learn_dimensions(lp_weight_plan *plan, lp_vit_shape *s) {
    s->width = *lp_plan_dimension(plan, 'D');
    s->patch = *lp_plan_dimension(plan, 'P');
    s->mlp_width = *lp_plan_dimension(plan, 'M');
    s->embedding = *lp_plan_dimension(plan, 'E');
    s->tokens = *lp_plan_dimension(plan, 'T');
    s->prefix = 1;
    while (s->grid * s->grid + 1 < s->tokens) {
        s->grid++;
    }
    if (s->tokens == 1 || (s->tokens > 1 && s->grid * s->grid + 1 != s->tokens)) {
        lp_plan_problem(plan,
                        "%zu positions: expected one for a class token and a square of patches",
                        s->tokens);
    }
    s->heads = s->width / HEAD_WIDTH;
    if (s->width > 0 && (s->heads == 0 || s->width % s->heads != 0)) {
        lp_plan_problem(plan, "width %zu: not divisible among %zu heads (width / %d)", s->width,
                        s->heads, HEAD_WIDTH);
    }
}

/* Models of these widths have heads of 80, 88 and 104 (ViT-H, -g, -G of open_clip and timm), and
 * neither names nor shapes tell: a guess would give features that are wrong without a sign. */
static lp_status check_heads_are_known(const lp_checkpoint *ckpt, const lp_vit_shape *shape,
                                       lp_error *err) {
    if (shape->width == 1280 || shape->width == 1408 || shape->width == 1664) {
        return lp_fail(
            err, LP_ERR_UNSUPPORTED,
            "%s: width %zu (ViT-H, -g or -G): the file does not tell its number of heads",
            lp_checkpoint_path(ckpt), shape->width);
    }
    return LP_OK;
}

/* A tensor that tells of a variant which is not supported, and what it is. */
static lp_status check_variants(const lp_source *source, lp_error *err) {
    static const struct {
        const char *tensor, *what;
    } variants[] = {
        {"fc_norm.weight", "averages the patches (fc_norm) instead of taking the class token"},
        {"reg_token", "has register tokens (reg_token)"},
        {"register_tokens", "has register tokens (register_tokens)"},
        {"dist_token", "has a distillation token (dist_token)"},
        {"norm_pre.weight", "has a layer norm before the blocks (norm_pre)"},
        {"attn_pool.latent", "pools by attention (attn_pool)"},
        {"blocks.0.ls1.gamma", "has layer scale (ls1.gamma)"},
    };
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        if (lp_checkpoint_find(source->ckpt, variants[i].tensor) != NULL) {
            return lp_fail(
                err, LP_ERR_UNSUPPORTED, "%s: a %s model that %s, which is not supported",
                lp_checkpoint_path(source->ckpt), source->family->name, variants[i].what);
        }
    }
    return LP_OK;
}

/* ---- what it is ------------------------------------------------------------------------------ */

/* "CLIP ViT-B/32", "ViT-Ti/16", "CLIP ViT-L/14@336"; "CLIP ViT 128x2/7@28" (width x layers / patch)
 * for dimensions that have no letter. */
static void name_model(const char *title, lp_encoder_info *info) {
    static const struct {
        size_t width, layers;
        const char *letter;
    } sizes[] = {{192, 12, "Ti"}, {384, 12, "S"}, {768, 12, "B"}, {1024, 24, "L"}};
    char size[64] = "", input[32] = "";
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (info->width == sizes[i].width && info->layers == sizes[i].layers) {
            (void)snprintf(size, sizeof size, "-%s", sizes[i].letter);
        }
    }
    if (size[0] == '\0') {
        (void)snprintf(size, sizeof size, " %zux%zu", info->width, info->layers);
    }
    if (info->input_size != 224) {
        (void)snprintf(input, sizeof input, "@%zu", info->input_size);
    }
    char name[160];
    (void)snprintf(name, sizeof name, "%s%s/%zu%s", title, size, info->patch, input);
    (void)snprintf(info->name, sizeof info->name, "%.63s", name);
}

static void describe(const lp_family *family, const lp_vit_shape *shape, lp_encoder_info *info) {
    size_t batch = TOKENS_PER_BATCH / shape->tokens;
    lp_family_preprocess(family, shape->grid * shape->patch, info);
    info->pool = lp_pool_name(LP_POOL_CLASS);
    info->patch = shape->patch;
    info->tokens = shape->tokens;
    info->width = shape->width;
    info->heads = shape->heads;
    info->layers = shape->layers;
    info->mlp_width = shape->mlp_width;
    info->projected = shape->embedding;
    info->penultimate = shape->width;
    info->batch = batch < 1 ? 1 : batch > MAX_BATCH ? MAX_BATCH : batch;
    name_model(family->title, info);
}

/* ---- the kind -------------------------------------------------------------------------------- */

static lp_status make(const lp_source *source, lp_weight_plan *plan, void **tower,
                      lp_encoder_info *info, lp_error *err) {
    const lp_family *family = source->family;
    const lp_vit_layout *layout = family->layout;
    lp_status status = check_variants(source, err);
    if (status != LP_OK) {
        return status;
    }
    size_t layers = count_blocks(source);
    lp_vit *vit = lp_alloc_zeroed(1, sizeof *vit);
    *tower = vit;
    if (vit == NULL) {
        return lp_fail_memory(err, "an encoder", 1, sizeof *vit);
    }
    vit->blocks = lp_alloc_zeroed(layers, sizeof *vit->blocks);
    if (vit->blocks == NULL) {
        return lp_fail_memory(err, "an encoder's blocks", layers, sizeof *vit->blocks);
    }
    vit->shape.layers = layers;
    vit->eps = family->norm_eps;
    vit->activation = family->activation;
    plan_weights(source, vit, plan);
    lp_plan_check(plan, source->ckpt, source->prefix, layout->ignored);
    learn_dimensions(plan, &vit->shape);
    status = lp_plan_report(plan, source->ckpt, family->name, err);
    if (status == LP_OK) {
        status = check_heads_are_known(source->ckpt, &vit->shape, err);
    }
    if (status == LP_OK) {
        describe(family, &vit->shape, info);
    }
    return status;
}

static lp_status finish(void *tower, lp_error *err) {
    (void)tower;
    (void)err;
    return LP_OK;
}

static void free_tower(void *tower) {
    lp_vit *vit = tower;
    lp_free(vit->blocks);
    lp_free(vit);
}

static size_t scratch_floats(const void *tower, size_t batch) {
    return lp_vit_scratch(tower, batch);
}

static size_t max_batch(const void *tower) {
    const lp_vit *vit = tower;
    return INT_MAX / vit->shape.tokens;
}

static void run(const void *tower, const float *images, size_t batch, lp_feature_point point,
                float *features, float *scratch, const lp_tap *tap) {
    lp_vit_run(tower, images, batch, point == LP_FEATURE_PROJECTED, features, scratch, tap);
}

const lp_tower_kind lp_vit_kind = {
    .make = make,
    .finish = finish,
    .free = free_tower,
    .scratch = scratch_floats,
    .max_batch = max_batch,
    .run = run,
};
