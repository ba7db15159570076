/* Families of image encoders, and recognising one in a checkpoint.
 *
 *   1. the family whose telling tensor is there
 *   2. variants of it that are not supported, by name
 *   3. the number of blocks from the names; D, P, T, M, E from the first weight that has each
 *   4. every weight's presence, shape and type against these, and that nothing is left over
 *   5. what the dimensions must obey: T - 1 a square, D divisible among the heads
 *
 * Dimensions are found as build_model in openai/CLIP clip/model.py does: D and P from the patch
 * embedding, the grid from the positions, heads = D / 64; timm's models of these widths have
 * heads of 64, too. */
#include "model/family.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FIELD(member) offsetof(lp_vit, member)
#define BLOCK(member) offsetof(lp_vit_block, member)

enum { HEAD_WIDTH = 64, NAME_SIZE = 160, SHAPE_SIZE = 192 };

static const lp_weight clip_weights[] = {
    {"visual.conv1.weight", "D3PP", FIELD(patch_weight)},
    {"visual.class_embedding", "D", FIELD(class_token)},
    {"visual.positional_embedding", "TD", FIELD(positions)},
    {"visual.ln_pre.weight", "D", FIELD(norm_pre_weight)},
    {"visual.ln_pre.bias", "D", FIELD(norm_pre_bias)},
    {"visual.ln_post.weight", "D", FIELD(norm_post_weight)},
    {"visual.ln_post.bias", "D", FIELD(norm_post_bias)},
    {"visual.proj", "DE", FIELD(projection)},
};

static const lp_weight clip_block[] = {
    {"ln_1.weight", "D", BLOCK(norm1_weight)},         {"ln_1.bias", "D", BLOCK(norm1_bias)},
    {"attn.in_proj_weight", "QD", BLOCK(qkv_weight)},  {"attn.in_proj_bias", "Q", BLOCK(qkv_bias)},
    {"attn.out_proj.weight", "DD", BLOCK(out_weight)}, {"attn.out_proj.bias", "D", BLOCK(out_bias)},
    {"ln_2.weight", "D", BLOCK(norm2_weight)},         {"ln_2.bias", "D", BLOCK(norm2_bias)},
    {"mlp.c_fc.weight", "MD", BLOCK(fc1_weight)},      {"mlp.c_fc.bias", "M", BLOCK(fc1_bias)},
    {"mlp.c_proj.weight", "DM", BLOCK(fc2_weight)},    {"mlp.c_proj.bias", "D", BLOCK(fc2_bias)},
};

static const lp_weight timm_weights[] = {
    {"patch_embed.proj.weight", "D3PP", FIELD(patch_weight)},
    {"patch_embed.proj.bias", "D", FIELD(patch_bias)},
    {"cls_token", "11D", FIELD(class_token)},
    {"pos_embed", "1TD", FIELD(positions)},
    {"norm.weight", "D", FIELD(norm_post_weight)},
    {"norm.bias", "D", FIELD(norm_post_bias)},
};

static const lp_weight timm_block[] = {
    {"norm1.weight", "D", BLOCK(norm1_weight)},    {"norm1.bias", "D", BLOCK(norm1_bias)},
    {"attn.qkv.weight", "QD", BLOCK(qkv_weight)},  {"attn.qkv.bias", "Q", BLOCK(qkv_bias)},
    {"attn.proj.weight", "DD", BLOCK(out_weight)}, {"attn.proj.bias", "D", BLOCK(out_bias)},
    {"norm2.weight", "D", BLOCK(norm2_weight)},    {"norm2.bias", "D", BLOCK(norm2_bias)},
    {"mlp.fc1.weight", "MD", BLOCK(fc1_weight)},   {"mlp.fc1.bias", "M", BLOCK(fc1_bias)},
    {"mlp.fc2.weight", "DM", BLOCK(fc2_weight)},   {"mlp.fc2.bias", "D", BLOCK(fc2_bias)},
};

static const lp_variant timm_variants[] = {
    {"fc_norm.weight", "averages the patches (fc_norm) instead of taking the class token"},
    {"reg_token", "has register tokens (reg_token)"},
    {"register_tokens", "has register tokens (register_tokens)"},
    {"dist_token", "has a distillation token (dist_token)"},
    {"norm_pre.weight", "has a layer norm before the blocks (norm_pre)"},
    {"attn_pool.latent", "pools by attention (attn_pool)"},
    {"blocks.0.ls1.gamma", "has layer scale (ls1.gamma)"},
    {NULL, NULL},
};

/* Order matters where a file could belong to two. */
static const lp_family families[] = {
    {
        .name = "clip-vit", /* openai/CLIP: encode_image of a vision transformer */
        .title = "CLIP ViT",
        .telling = {"visual.class_embedding", "visual.transformer.resblocks.0.attn.in_proj_weight"},
        .scope = "visual.",
        .blocks = "visual.transformer.resblocks.",
        .weights = clip_weights,
        .weight_count = COUNT(clip_weights),
        .block_weights = clip_block,
        .block_weight_count = COUNT(clip_block),
        .quick_gelu = true,
        .norm_eps = 1e-5F,
        .mean = {0.48145466F, 0.4578275F, 0.40821073F},
        .std = {0.26862954F, 0.26130258F, 0.27577711F},
        .resize_tenths = 10,
    },
    {
        .name = "timm-vit", /* timm: VisionTransformer, vit_*_patch*_224 */
        .title = "ViT",
        .telling = {"patch_embed.proj.weight", "blocks.0.attn.qkv.weight"},
        .scope = "",
        .blocks = "blocks.",
        .weights = timm_weights,
        .weight_count = COUNT(timm_weights),
        .block_weights = timm_block,
        .block_weight_count = COUNT(timm_block),
        .ignored = "head.",
        .variants = timm_variants,
        .quick_gelu = false,
        .norm_eps = 1e-6F,
        .mean = {0.5F, 0.5F, 0.5F},
        .std = {0.5F, 0.5F, 0.5F},
        .resize_tenths = 9, /* crop_pct 0.9 */
    },
};

/* Layouts that are told from ours only to say what the file is. */
static const lp_variant strangers[] = {
    {"visual.attnpool.positional_embedding", "a CLIP ResNet"},
    {"vision_model.embeddings.class_embedding", "a CLIP model in Hugging Face's naming"},
    {"vision_model.embeddings.patch_embedding.weight", "a SigLIP model in Hugging Face's naming"},
    {"visual.trunk.pos_embed", "an open_clip model with a timm tower"},
    {"embeddings.cls_token", "a ViT in Hugging Face's naming"},
    {"layer1.0.conv1.weight", "a ResNet"},
};

/* ---- the weights of a model, one after the other -------------------------------------------- */

typedef struct weight_at {
    const lp_weight *weight;
    size_t block; /* SIZE_MAX outside the blocks */
    char name[NAME_SIZE];
} weight_at;

size_t lp_family_weights(const lp_family *family, const lp_vit_shape *shape) {
    return family->weight_count + shape->layers * family->block_weight_count;
}

/* Weight i of lp_family_weights. */
static weight_at weight_number(const lp_family *family, size_t i) {
    weight_at at = {.block = SIZE_MAX};
    if (i < family->weight_count) {
        at.weight = &family->weights[i];
        (void)snprintf(at.name, sizeof at.name, "%s", at.weight->name);
    } else {
        i -= family->weight_count;
        at.block = i / family->block_weight_count;
        at.weight = &family->block_weights[i % family->block_weight_count];
        (void)snprintf(at.name, sizeof at.name, "%s%zu.%s", family->blocks, at.block,
                       at.weight->name);
    }
    return at;
}

/* Splits "<blocks>12.attn.qkv.weight" into 12 and what follows its dot; NULL for another name. */
static const char *split_block_name(const lp_family *family, const char *name, size_t *block) {
    size_t prefix = strlen(family->blocks);
    if (strncmp(name, family->blocks, prefix) != 0) {
        return NULL;
    }
    const char *digit = name + prefix;
    size_t number = 0;
    if (*digit < '0' || *digit > '9' || (digit[0] == '0' && digit[1] != '.')) {
        return NULL;
    }
    for (; *digit >= '0' && *digit <= '9'; digit++) {
        if (number > INT_MAX / 10) {
            return NULL;
        }
        number = number * 10 + (size_t)(*digit - '0');
    }
    *block = number;
    return *digit == '.' ? digit + 1 : NULL;
}

/* ---- the list of what is wrong -------------------------------------------------------------- */

typedef struct problems {
    size_t count;
    size_t shown;
    size_t used;
    char text[3200];
} problems;

static void add_problem(problems *list, const char *format, ...) LP_PRINTF(2, 3);

static void add_problem(problems *list, const char *format, ...) {
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    bool all_shown = list->shown == list->count;
    list->count++;
    if (all_shown && list->used + strlen(line) + 4 < sizeof list->text) {
        list->used += (size_t)snprintf(list->text + list->used, sizeof list->text - list->used,
                                       "\n  %s", line);
        list->shown++;
    }
}

/* ---- shapes --------------------------------------------------------------------------------- */

static size_t *dimension(lp_vit_shape *shape, char letter) {
    switch (letter) {
    case 'D':
        return &shape->width;
    case 'P':
        return &shape->patch;
    case 'T':
        return &shape->tokens;
    case 'M':
        return &shape->mlp_width;
    case 'E':
        return &shape->embedding;
    default:
        return NULL;
    }
}

/* The size that a letter stands for, 0 while it is unknown. */
static size_t size_of(lp_vit_shape *shape, char letter) {
    const size_t *known = dimension(shape, letter);
    if (known != NULL) {
        return *known;
    }
    return letter == 'Q' ? 3 * shape->width : (size_t)(letter - '0');
}

static const char *expected_text(lp_vit_shape *shape, const char *letters, char text[SHAPE_SIZE]) {
    size_t used = 0;
    for (size_t i = 0; letters[i] != '\0'; i++) {
        size_t size = size_of(shape, letters[i]);
        const char *comma = i > 0 ? ", " : "";
        int wrote;
        if (size > 0) {
            wrote = snprintf(text + used, SHAPE_SIZE - used, "%s%zu", comma, size);
        } else {
            wrote = snprintf(text + used, SHAPE_SIZE - used, "%s%s", comma,
                             letters[i] == 'Q' ? "3D" : (char[]){letters[i], '\0'});
        }
        used += (size_t)wrote;
    }
    text[used] = '\0';
    return text;
}

static const char *found_text(const lp_tensor *tensor, char text[SHAPE_SIZE]) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < tensor->rank; i++) {
        used += (size_t)snprintf(text + used, SHAPE_SIZE - used, "%s%zu", i > 0 ? ", " : "",
                                 tensor->shape[i]);
    }
    return text;
}

/* Compares shapes; a dimension that is not known yet is learnt. */
static bool fits(lp_vit_shape *shape, const char *letters, const lp_tensor *tensor) {
    if ((size_t)tensor->rank != strlen(letters)) {
        return false;
    }
    lp_vit_shape learnt = *shape;
    for (int i = 0; i < tensor->rank; i++) {
        size_t found = tensor->shape[i];
        size_t *unknown = dimension(&learnt, letters[i]);
        if (unknown != NULL && *unknown == 0) {
            *unknown = found;
        }
        size_t expected = size_of(&learnt, letters[i]);
        if (found == 0 || (expected != found && expected != 0)) {
            return false;
        }
    }
    *shape = learnt;
    return true;
}

static void check_weight(const lp_checkpoint *ckpt, const weight_at *at, lp_vit_shape *shape,
                         problems *list) {
    char expected[SHAPE_SIZE], found[SHAPE_SIZE];
    const lp_tensor *tensor = lp_checkpoint_find(ckpt, at->name);
    if (tensor == NULL) {
        add_problem(list, "%s: missing, expected [%s]", at->name,
                    expected_text(shape, at->weight->shape, expected));
        return;
    }
    if (!fits(shape, at->weight->shape, tensor)) {
        add_problem(list, "%s: expected [%s], found [%s]", at->name,
                    expected_text(shape, at->weight->shape, expected), found_text(tensor, found));
    }
    if (tensor->dtype != LP_DTYPE_F16 && tensor->dtype != LP_DTYPE_BF16 &&
        tensor->dtype != LP_DTYPE_F32 && tensor->dtype != LP_DTYPE_F64) {
        add_problem(list, "%s: expected type F16, BF16, F32 or F64, found %s", at->name,
                    tensor->dtype_name);
    }
    if (tensor->count > INT_MAX) { /* also bounds every product's size and stride */
        add_problem(list, "%s: %zu values, expected at most %d", at->name, tensor->count, INT_MAX);
    }
}

/* A tensor within the encoder's scope that no table has changes what the encoder computes. */
static void check_not_left_over(const lp_family *family, size_t layers, const lp_tensor *tensor,
                                problems *list) {
    if (strncmp(tensor->name, family->scope, strlen(family->scope)) != 0 ||
        (family->ignored != NULL &&
         strncmp(tensor->name, family->ignored, strlen(family->ignored)) == 0)) {
        return;
    }
    size_t block = 0;
    const char *part = split_block_name(family, tensor->name, &block);
    const lp_weight *table = part != NULL ? family->block_weights : family->weights;
    size_t count = part != NULL ? family->block_weight_count : family->weight_count;
    for (size_t i = 0; i < count && block < layers; i++) {
        if (strcmp(part != NULL ? part : tensor->name, table[i].name) == 0) {
            return;
        }
    }
    add_problem(list, "%.128s: no such tensor in this family", tensor->name);
}

static void check_dimensions(lp_vit_shape *shape, problems *list) {
    while (shape->grid * shape->grid + 1 < shape->tokens) {
        shape->grid++;
    }
    if (shape->tokens == 1 ||
        (shape->tokens > 1 && shape->grid * shape->grid + 1 != shape->tokens)) {
        add_problem(list, "%zu positions: expected one for a class token and a square of patches",
                    shape->tokens);
    }
    shape->heads = shape->width / HEAD_WIDTH;
    if (shape->width > 0 && (shape->heads == 0 || shape->width % shape->heads != 0)) {
        add_problem(list, "width %zu: not divisible among %zu heads (width / %d)", shape->width,
                    shape->heads, HEAD_WIDTH);
    }
}

/* ---- recognising ---------------------------------------------------------------------------- */

static lp_status find_family(const lp_checkpoint *ckpt, const lp_family **family, lp_error *err) {
    for (size_t i = 0; i < COUNT(families); i++) {
        for (size_t j = 0; j < COUNT(families[i].telling); j++) {
            if (lp_checkpoint_find(ckpt, families[i].telling[j]) != NULL) {
                *family = &families[i];
                return LP_OK;
            }
        }
    }
    char looked_for[1024];
    size_t used = 0;
    for (size_t i = 0; i < COUNT(families); i++) {
        used += (size_t)snprintf(looked_for + used, sizeof looked_for - used, "\n  %s: %s or %s",
                                 families[i].name, families[i].telling[0], families[i].telling[1]);
    }
    const char *stranger = NULL;
    for (size_t i = 0; i < COUNT(strangers) && stranger == NULL; i++) {
        if (lp_checkpoint_find(ckpt, strangers[i].tensor) != NULL) {
            stranger = strangers[i].what;
        }
    }
    return lp_fail(err, LP_ERR_UNSUPPORTED,
                   "%s: no supported image encoder among its %zu tensors%s%s; looked for%s",
                   lp_checkpoint_path(ckpt), lp_checkpoint_count(ckpt),
                   stranger != NULL ? ", it looks like " : "", stranger != NULL ? stranger : "",
                   looked_for);
}

static lp_status check_variants(const lp_checkpoint *ckpt, const lp_family *family, lp_error *err) {
    const char *what = NULL;
    for (const lp_variant *v = family->variants; v != NULL && v->tensor != NULL && what == NULL;
         v++) {
        if (lp_checkpoint_find(ckpt, v->tensor) != NULL) {
            what = v->what;
        }
    }
    return what == NULL
               ? LP_OK
               : lp_fail(err, LP_ERR_UNSUPPORTED, "%s: a %s model that %s, which is not supported",
                         lp_checkpoint_path(ckpt), family->name, what);
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

lp_status lp_family_recognise(const lp_checkpoint *ckpt, const lp_family **family,
                              lp_vit_shape *shape, lp_error *err) {
    const lp_family *found = NULL;
    lp_vit_shape dims = {0};
    problems list = {0};
    lp_status status = find_family(ckpt, &found, err);
    if (status == LP_OK) {
        status = check_variants(ckpt, found, err);
    }
    if (status != LP_OK) {
        return status;
    }
    size_t count = lp_checkpoint_count(ckpt);
    dims.layers = 1;
    for (size_t i = 0; i < count; i++) {
        size_t block;
        /* A block's number beyond the number of tensors would only make the list endless. */
        if (split_block_name(found, lp_checkpoint_tensor(ckpt, i)->name, &block) != NULL &&
            block >= dims.layers && block < count) {
            dims.layers = block + 1;
        }
    }
    for (size_t i = 0; i < lp_family_weights(found, &dims); i++) {
        weight_at at = weight_number(found, i);
        check_weight(ckpt, &at, &dims, &list);
    }
    for (size_t i = 0; i < count; i++) {
        check_not_left_over(found, dims.layers, lp_checkpoint_tensor(ckpt, i), &list);
    }
    check_dimensions(&dims, &list);
    if (list.count > 0) {
        char more[48] = "";
        if (list.shown < list.count) {
            (void)snprintf(more, sizeof more, "\n  ... and %zu more", list.count - list.shown);
        }
        return lp_fail(err, LP_ERR_FORMAT, "%s: not a whole %s model, %zu tensors are wrong:%s%s",
                       lp_checkpoint_path(ckpt), found->name, list.count, list.text, more);
    }
    status = check_heads_are_known(ckpt, &dims, err);
    if (status == LP_OK) {
        *family = found;
        *shape = dims;
    }
    return status;
}

/* ---- loading -------------------------------------------------------------------------------- */

static size_t aligned(size_t floats) {
    return (floats + 15) / 16 * 16; /* 64 bytes */
}

size_t lp_family_arena(const lp_family *family, const lp_checkpoint *ckpt,
                       const lp_vit_shape *shape, uint64_t *parameters) {
    size_t floats = 0;
    *parameters = 0;
    for (size_t i = 0; i < lp_family_weights(family, shape); i++) {
        weight_at at = weight_number(family, i);
        size_t count = lp_checkpoint_find(ckpt, at.name)->count;
        floats += aligned(count);
        *parameters += count;
    }
    return floats;
}

void lp_family_bind(const lp_family *family, const lp_checkpoint *ckpt, lp_vit *vit, float *arena,
                    lp_tensor_read *reads) {
    for (size_t i = 0; i < lp_family_weights(family, &vit->shape); i++) {
        weight_at at = weight_number(family, i);
        char *owner = at.block == SIZE_MAX ? (char *)vit : (char *)&vit->blocks[at.block];
        const float *values = arena;
        memcpy(owner + at.weight->field, &values, sizeof values);
        reads[i].tensor = lp_checkpoint_find(ckpt, at.name);
        reads[i].values = arena;
        arena += aligned(reads[i].tensor->count);
    }
}
