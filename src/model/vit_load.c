/* A vision transformer from a file.
 *
 *   1. the number of blocks, from the names; which groups of weights the model has
 *   2. the plan: every weight of the layout; the check learns D, P, S, M, A, E
 *   3. a square of patches, from the positions S: with or without one for each token before them
 *   4. what the weights do not say (activation, heads, pooling, input size, preprocessing): from
 *      the caller, else a published file's digest, else a config beside the file, else the tables
 *      of families.c
 *   5. once the weights are read, vit_pack.c makes them those that run
 *
 * Dimensions are found as build_model in openai/CLIP clip/model.py does: D and P from the patch
 * embedding, the grid from the positions, heads = D / 64 unless something says otherwise. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ckpt/known_models.h"
#include "math/tiles.h"
#include "model/family.h"
#include "model/model_config.h"
#include "model/vit.h"
#include "model/vit_layout.h"
#include "model/vit_stored.h"

enum {
    HEAD_WIDTH = 64,      /* clip/model.py, timm: heads = width / 64 */
    LARGEST_INPUT = 4096, /* pixels a side: bounds the scratch memory */
    MAX_BLOCKS = 256,     /* more would only make the list of missing tensors endless */
    /* Rows of one product: 16 images of ViT-B/32 with 50 tokens, of which choose_batch keeps those
     * that fill tiles.  Images: for models of few tokens, to bound a batch's memory.  Chosen, not
     * measured. */
    BATCH_ROWS = 800,
    MAX_BATCH = 32
};

/* A model as read and as it runs: the weights go from the one to the other. */
typedef struct tower {
    lp_vit vit;
    lp_vit_stored stored;
} tower;

/* A tower while it is made. */
typedef struct making {
    const lp_source *source;
    const lp_vit_layout *layout;
    lp_vit *vit; /* the tower's, as what follows */
    lp_vit_stored *stored;
    const lp_known_model *known; /* or NULL */
    unsigned groups;             /* of weights that the model has */
} making;

/* ---- the plan -------------------------------------------------------------------------------- */

/* The number in "<prefix><blocks>12.attn.qkv.weight"; MAX_BLOCKS for other names. */
static size_t block_number(const making *m, const char *name) {
    size_t prefix = strlen(m->source->prefix), blocks = strlen(m->layout->blocks);
    if (strncmp(name, m->source->prefix, prefix) != 0 ||
        strncmp(name + prefix, m->layout->blocks, blocks) != 0) {
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

static size_t count_blocks(const making *m) {
    size_t layers = 1;
    for (size_t i = 0; i < lp_checkpoint_count(m->source->ckpt); i++) {
        size_t block = block_number(m, lp_checkpoint_tensor(m->source->ckpt, i)->name);
        if (block != MAX_BLOCKS && block >= layers) {
            layers = block + 1;
        }
    }
    return layers;
}

/* A weight's whole name; block SIZE_MAX outside the blocks. */
static void name_weight(const making *m, size_t block, const char *name, char out[LP_PLAN_NAME]) {
    if (name[0] == '/') {
        (void)snprintf(out, LP_PLAN_NAME, "%s", name + 1);
    } else if (block == SIZE_MAX) {
        (void)snprintf(out, LP_PLAN_NAME, "%s%s", m->source->prefix, name);
    } else {
        (void)snprintf(out, LP_PLAN_NAME, "%s%s%zu.%s", m->source->prefix, m->layout->blocks, block,
                       name);
    }
}

static const lp_tensor *find(const making *m, size_t block, const char *name) {
    char whole[LP_PLAN_NAME];
    name_weight(m, block, name, whole);
    return lp_checkpoint_find(m->source->ckpt, whole);
}

static size_t square_root(size_t n) {
    size_t root = 0;
    while (root * root < n) {
        root++;
    }
    return root;
}

static bool is_square(size_t n) {
    return square_root(n) * square_root(n) == n;
}

static unsigned groups_of_rows(const making *m, size_t block, const lp_vit_weight *rows,
                               size_t count) {
    unsigned groups = 0;
    for (size_t i = 0; i < count; i++) {
        if ((rows[i].groups & LP_VIT_WITHOUT) == 0 && find(m, block, rows[i].name) != NULL) {
            groups |= rows[i].groups;
        }
    }
    return groups;
}

/* Whether the plain MLP's names hold a gated one: [2M, D] and [D, M] instead of [M, D], [D, M]. */
static bool is_gated_by_shape(const making *m) {
    if (m->layout->fc1 == NULL) {
        return false;
    }
    const lp_tensor *fc1 = find(m, 0, m->layout->fc1), *fc2 = find(m, 0, m->layout->fc2);
    return fc1 != NULL && fc2 != NULL && fc1->rank == 2 && fc2->rank == 2 &&
           fc1->shape[0] == 2 * fc2->shape[1];
}

/* Whether the model must have a class token: every model of the layout has one, or there is a
 * position for it. */
static bool needs_class_token(const making *m) {
    const lp_vit_layout *l = m->layout;
    for (size_t i = 0; i < l->weight_count; i++) {
        const lp_vit_weight *w = &l->weights[i];
        if (w->kind == LP_VIT_VALUES && w->field == offsetof(lp_vit_stored, class_token) &&
            w->groups == 0) {
            return true;
        }
    }
    const lp_tensor *positions = find(m, SIZE_MAX, l->positions);
    return positions != NULL && positions->rank >= 2 && positions->count > 0 &&
           positions->count <= INT_MAX && !is_square(positions->shape[positions->rank - 2]);
}

/* Fills in m->groups. */
static void find_groups(making *m) {
    const lp_vit_layout *l = m->layout;
    m->groups = groups_of_rows(m, SIZE_MAX, l->weights, l->weight_count);
    for (size_t b = 0; b < m->stored->layers; b++) {
        m->groups |= groups_of_rows(m, b, l->block_weights, l->block_weight_count);
    }
    m->groups &= ~(unsigned)LP_VIT_GATED_BY_SHAPE; /* its names are no sign of it */
    m->groups |= is_gated_by_shape(m) ? LP_VIT_GATED_BY_SHAPE : 0U;
    m->groups |= needs_class_token(m) ? LP_VIT_CLASS : 0U;
    m->vit->gated = (m->groups & LP_VIT_ANY_GATE) != 0;
}

static bool has(const making *m, unsigned groups) {
    return (m->groups & groups) != 0;
}

static bool is_wanted(const making *m, unsigned groups) {
    return groups == 0 || has(m, groups) == ((groups & LP_VIT_WITHOUT) == 0);
}

/* owner: the lp_vit_stored or the lp_vit_stored_block that the rows' fields are of. */
static void plan_rows(const making *m, lp_weight_plan *plan, size_t block, void *owner,
                      const lp_vit_weight *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const lp_vit_weight *w = &rows[i];
        if (!is_wanted(m, w->groups)) {
            continue;
        }
        void *field = (char *)owner + w->field;
        float **to = w->kind == LP_VIT_VALUES ? field : NULL;
        if (w->kind == LP_VIT_LINEAR) {
            lp_stored_linear *layer = field;
            layer->present = true;
            layer->planned = plan->count;
            to = &layer->weights;
        }
        char name[LP_PLAN_NAME];
        name_weight(m, block, w->name, name);
        lp_plan_add(plan, to, w->shape, "%s", name);
    }
}

/* What the check taught, and a square of patches. */
static void learn_dimensions(making *m, lp_weight_plan *plan) {
    lp_vit_shape *s = &m->vit->shape;
    s->width = *lp_plan_dimension(plan, 'D');
    s->patch = *lp_plan_dimension(plan, 'P');
    s->mlp_width = *lp_plan_dimension(plan, 'M');
    s->pool_mlp_width = *lp_plan_dimension(plan, 'A');
    s->embedding = *lp_plan_dimension(plan, 'E');
    size_t positions = *lp_plan_dimension(plan, 'S');
    size_t class_token = has(m, LP_VIT_CLASS) ? 1 : 0;
    s->prefix = class_token + *lp_plan_dimension(plan, 'R') + (has(m, LP_VIT_DISTILLED) ? 1 : 0);
    if (has(m, LP_VIT_REGISTERS) + has(m, LP_VIT_REGISTERS_DINOV2) + has(m, LP_VIT_DISTILLED) > 1) {
        lp_plan_problem(plan, "register tokens of two kinds, or a distillation token beside them");
    }
    if (positions == 0 || positions > INT_MAX) { /* a problem already */
        return;
    }
    /* all tokens have a position; or the class token and the patches; or the patches alone */
    const size_t covered[] = {s->prefix, class_token, 0};
    for (size_t i = 0; i < (m->layout->patches_alone ? 3 : 2); i++) {
        if (positions > covered[i] && is_square(positions - covered[i])) {
            m->stored->covered = covered[i];
            m->stored->grid = square_root(positions - covered[i]);
            return;
        }
    }
    lp_plan_problem(plan, "%zu positions: expected %sa square of patches", positions,
                    class_token > 0 ? "one for a class token and " : "");
}

/* ---- what weights do not say ----------------------------------------------------------------- */

/* A published file, by its digest, where the family leaves something open. */
static lp_status find_published(making *m, lp_error *err) {
    const char *sha256;
    if (m->source->family->activation != LP_ACTIVATION_AUTO && m->source->family->note == NULL) {
        return LP_OK;
    }
    lp_status status = lp_checkpoint_sha256(m->source->ckpt, &sha256, err);
    m->known = status == LP_OK ? lp_known_model_with_sha256(sha256) : NULL;
    return status;
}

/* The first of: the caller, a published file's digest, a config, the family. */
static lp_status choose_activation(making *m, const lp_model_config *config, lp_error *err) {
    const lp_source *source = m->source;
    const lp_encoder_options *options = source->options;
    lp_vit *vit = m->vit;
    if (options->activation != LP_ACTIVATION_AUTO && vit->gated) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: activation %s: its MLP is SwiGLU and takes none",
                       lp_checkpoint_path(source->ckpt), lp_activation_name(options->activation));
    }
    const lp_activation said[] = {
        options->activation,
        m->known != NULL ? lp_file_activation(m->known) : LP_ACTIVATION_AUTO,
        config->activation,
        lp_family_activation(source->family, vit->shape.width, vit->shape.patch, m->stored->grid),
        options->activation_if_unknown,
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        if (said[i] != LP_ACTIVATION_AUTO) {
            vit->activation = said[i];
            return LP_OK;
        }
    }
    return lp_fail(err, LP_ERR_UNSUPPORTED,
                   "%s: the weights do not say which activation was used%s%s%s; choose one: gelu, "
                   "quick_gelu or gelu_tanh (option 'activation').  OpenAI's CLIP, and what was "
                   "trained from it, have quick_gelu, most of open_clip's own models gelu",
                   lp_checkpoint_path(source->ckpt), config->stranger != NULL ? " (" : "",
                   config->stranger != NULL ? config->stranger : "",
                   config->stranger != NULL ? " beside it is another model's)" : "");
}

/* Heads of a model of known dimensions; 0: not known. */
static size_t known_heads(const lp_vit *vit) {
    const lp_vit_size *size = lp_vit_size_of(vit->shape.width, vit->shape.layers);
    return size != NULL && size->mlp_width == vit->shape.mlp_width && !vit->gated ? size->heads : 0;
}

/* A wrong guess would give wrong features without a sign. */
static lp_status choose_heads(const making *m, const lp_model_config *config, lp_error *err) {
    const char *path = lp_checkpoint_path(m->source->ckpt);
    lp_vit_shape *s = &m->vit->shape;
    s->heads = m->source->options->heads;
    s->heads = s->heads > 0 ? s->heads : config->heads;
    s->heads = s->heads > 0 ? s->heads : known_heads(m->vit);
    if (s->heads == 0 && lp_vit_heads_vary(s->width)) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: width %zu, as of ViT-H, -g, -G and SigLIP's so400m, but %zu layers: "
                       "nothing says the number of heads; choose it (option 'heads')",
                       path, s->width, s->layers);
    }
    bool said = s->heads > 0;
    s->heads = said ? s->heads : s->width / HEAD_WIDTH;
    if (s->heads == 0 || s->heads > s->width || s->width % s->heads != 0) {
        return lp_fail(err, said ? LP_ERR_ARGUMENT : LP_ERR_FORMAT,
                       "%s: width %zu: not divisible among %zu heads%s", path, s->width, s->heads,
                       said ? "" : " (width / 64)");
    }
    return LP_OK;
}

static lp_status choose_pool(const making *m, const lp_model_config *config, lp_error *err) {
    lp_vit *vit = m->vit;
    lp_pool asked = m->source->options->pool;
    bool can[] = {false, has(m, LP_VIT_CLASS) && !has(m, LP_VIT_FC_NORM), true,
                  has(m, LP_VIT_ATTENTION_POOL)};
    vit->class_tokens = has(m, LP_VIT_DISTILLED) ? 2 : 1;
    if (!can[asked] && asked != LP_POOL_AUTO) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: pool %s: this %s model has no %s",
                       lp_checkpoint_path(m->source->ckpt), lp_pool_name(asked),
                       m->source->family->name,
                       asked == LP_POOL_ATTENTION ? "attention pool"
                       : has(m, LP_VIT_CLASS)     ? "norm before pooling"
                                                  : "class token");
    }
    vit->pool = asked != LP_POOL_AUTO    ? asked
                : can[config->pool]      ? config->pool
                : can[LP_POOL_ATTENTION] ? LP_POOL_ATTENTION
                : can[LP_POOL_CLASS]     ? LP_POOL_CLASS
                                         : LP_POOL_MEAN;
    return LP_OK;
}

static lp_status choose_input(const making *m, lp_error *err) {
    lp_vit_shape *s = &m->vit->shape;
    size_t asked = m->source->options->input_size, usual = m->source->family->input;
    size_t input = asked > 0                            ? asked
                   : usual > 0 && usual % s->patch == 0 ? usual
                                                        : m->stored->grid * s->patch;
    s->grid = input / s->patch;
    s->tokens = s->prefix + s->grid * s->grid;
    if (input % s->patch != 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: input size %zu: expected a multiple of the patches' %zu pixels",
                       lp_checkpoint_path(m->source->ckpt), input, s->patch);
    }
    if (input > LARGEST_INPUT) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: an input of %zu pixels a side: expected at most %d",
                       lp_checkpoint_path(m->source->ckpt), input, LARGEST_INPUT);
    }
    return LP_OK;
}

/* ---- what it is ------------------------------------------------------------------------------ */

/* "CLIP ViT-B/32", "ViT-Ti/16", "CLIP ViT-L/14@336"; "CLIP ViT 128x2/7@28" (width x layers / patch)
 * for dimensions that have no letter. */
static void name_model(const char *title, lp_encoder_info *info) {
    const lp_vit_size *known = lp_vit_size_of(info->width, info->layers);
    char size[64] = "", input[32] = "";
    if (known != NULL) {
        (void)snprintf(size, sizeof size, "-%s", known->letter);
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

/* Images of a batch: those that leave the fewest rows of the last tile empty, the most where that
 * is the same.  12 of ViT-B/32 fill 50 tiles; with 16, a 201st of the work would be for nothing. */
static size_t choose_batch(size_t tokens) {
    size_t best = 1;
    for (size_t b = 2; b <= MAX_BATCH && b * tokens <= BATCH_ROWS; b++) {
        best = lp_tiled(b * tokens, 1) * best <= lp_tiled(best * tokens, 1) * b ? b : best;
    }
    return best;
}

static void describe(const making *m, const lp_model_config *config, lp_encoder_info *info) {
    const lp_vit *vit = m->vit;
    const lp_vit_shape *shape = &vit->shape;
    const lp_family *family = m->source->family;
    lp_family_preprocess(family, shape->grid * shape->patch, info);
    if (config->has_preprocess) {
        lp_model_config_preprocess(config, info->input_size, info);
    }
    if (m->known != NULL) {
        lp_family_mean_std(lp_file_mean_std(m->known), info);
        info->note = NULL;
    }
    info->config = config->file;
    info->pool = lp_pool_name(vit->pool);
    info->norm_eps = vit->eps;
    info->patch = shape->patch;
    info->tokens = shape->tokens;
    info->width = shape->width;
    info->heads = shape->heads;
    info->layers = shape->layers;
    info->mlp_width = shape->mlp_width;
    info->projected = shape->embedding;
    info->penultimate = shape->width;
    info->batch = choose_batch(shape->tokens);
    name_model(family->title, info);
}

static lp_status choose(making *m, lp_encoder_info *info, lp_error *err) {
    const lp_vit_shape *s = &m->vit->shape;
    lp_model_config config = {0};
    lp_status status;
    LP_TRY(lp_model_config_read(m->source->ckpt, s->width, s->layers, s->patch, &config, err));
    LP_TRY(find_published(m, err));
    LP_TRY(choose_heads(m, &config, err));
    LP_TRY(choose_pool(m, &config, err));
    LP_TRY(choose_input(m, err));
    /* before the activation: the rest is known whether it is or not */
    m->vit->eps = config.norm_eps > 0 ? config.norm_eps : m->source->family->norm_eps;
    describe(m, &config, info);
    status = choose_activation(m, &config, err);
    info->activation = m->vit->gated ? "swiglu" : lp_family_activation_name(m->vit->activation);
done:
    return status;
}

/* ---- the kind -------------------------------------------------------------------------------- */

static lp_status make(const lp_source *source, lp_weight_plan *plan, void **out,
                      lp_encoder_info *info, lp_error *err) {
    making m = {.source = source, .layout = source->family->layout};
    size_t layers = count_blocks(&m);
    tower *t = lp_alloc_zeroed(1, sizeof *t);
    *out = t;
    if (t == NULL) {
        return lp_fail_memory(err, "an encoder", 1, sizeof *t);
    }
    m.vit = &t->vit;
    m.stored = &t->stored;
    m.vit->blocks = lp_alloc_zeroed(layers, sizeof *m.vit->blocks);
    m.stored->blocks = lp_alloc_zeroed(layers, sizeof *m.stored->blocks);
    if (m.vit->blocks == NULL || m.stored->blocks == NULL) {
        return lp_fail_memory(err, "an encoder's blocks", layers, sizeof *m.stored->blocks);
    }
    m.vit->shape.layers = m.stored->layers = layers;
    m.vit->precision = source->options->precision;
    m.stored->resize = source->family->resize;
    m.stored->projection.transposed = m.layout->projection_transposed;
    find_groups(&m);
    plan_rows(&m, plan, SIZE_MAX, m.stored, m.layout->weights, m.layout->weight_count);
    for (size_t b = 0; b < layers; b++) {
        plan_rows(&m, plan, b, &m.stored->blocks[b], m.layout->block_weights,
                  m.layout->block_weight_count);
    }
    lp_plan_check(plan, source->ckpt, source->prefix, m.layout->ignored);
    learn_dimensions(&m, plan);
    lp_status status;
    LP_TRY(lp_plan_report(plan, source->ckpt, source->family->name, err));
    LP_TRY(choose(&m, info, err));
    lp_vit_reserve(m.stored, m.vit, plan);
done:
    return status;
}

static lp_status pack(void *made, size_t threads, lp_error *err) {
    tower *t = made;
    return lp_vit_pack(&t->stored, &t->vit, threads, err);
}

static void free_tower(void *made) {
    tower *t = made;
    lp_free(t->stored.blocks);
    lp_free(t->vit.blocks);
    lp_free(t->vit.made);
    lp_free(t->vit.last.keys);
    lp_free(t);
}

static size_t scratch_floats(const void *made, size_t batch) {
    return lp_vit_scratch(&((const tower *)made)->vit, batch);
}

static size_t max_batch(const void *made) {
    return INT_MAX / ((const tower *)made)->vit.shape.tokens;
}

static void run(const void *made, const float *images, size_t batch, lp_feature_point point,
                float *features, float *scratch, const lp_observer *observer) {
    lp_vit_run(&((const tower *)made)->vit, images, batch, point == LP_FEATURE_PROJECTED, features,
               scratch, observer);
}

const lp_tower_kind lp_vit_kind = {
    .make = make,
    .pack = pack,
    .free = free_tower,
    .scratch = scratch_floats,
    .max_batch = max_batch,
    .run = run,
};
