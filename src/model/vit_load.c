/* A vision transformer from a file.
 *
 *   1. what names and shapes say (vit_plan.c)
 *   2. what the weights do not say (activation, heads, pooling, input size, preprocessing): from
 *      the caller, else a published file's digest, else a config beside the file, else the tables
 *      of families.c
 *   3. once the weights are read, vit_pack.c makes them those that run */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/note.h"
#include "ckpt/known_models.h"
#include "math/tiles.h"
#include "model/families.h"
#include "model/model_config.h"
#include "model/vit_stored.h"

enum {
    HEAD_WIDTH = 64,      /* clip/model.py, timm: heads = width / 64 */
    LARGEST_INPUT = 4096, /* pixels a side: bounds the scratch memory */
    /* Rows of one product: 16 images of ViT-B/32 with 50 tokens, of which choose_batch keeps those
     * that fill tiles.  Images: for models of few tokens, to bound a batch's memory.  Chosen, not
     * measured. */
    BATCH_ROWS = 800,
    MAX_BATCH = 32
};

/* A tower while it is made. */
typedef struct making {
    const lp_source *source;
    lp_vit *vit; /* the tower's, as what follows */
    lp_vit_stored *stored;
    const lp_known_model *known; /* or NULL */
    unsigned groups;             /* of weights that the model has */
    size_t usual;                /* pixels a side as it was trained */
} making;

static bool has(const making *m, unsigned groups) {
    return (m->groups & groups) != 0;
}

/* ---- what weights do not say ----------------------------------------------------------------- */

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
static lp_status find_moco(const making *m, bool named, bool *is_moco, lp_error *err) {
    const lp_vit_shape *s = &m->vit->shape;
    const lp_source *source = m->source;
    const lp_view_item *positions = lp_view_find(&source->view, "pos_embed");
    float *values = NULL;
    lp_status status = LP_OK;
    *is_moco = false;
    if (s->width != 384 || s->prefix != 1 || m->stored->covered != 1 || positions == NULL) {
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
    *is_moco = has_moco_positions(values, m->stored->grid);
done:
    lp_free(values);
    return status;
}

/* A wrong guess would give wrong features without a sign. */
static lp_status choose_heads(const making *m, lp_model_config *config, lp_error *err) {
    const char *path = lp_checkpoint_path(m->source->ckpt);
    lp_vit_shape *s = &m->vit->shape;
    bool is_moco = false;
    lp_status status = LP_OK;
    if (m->source->options->heads == 0 && config->heads == 0) {
        LP_TRY(find_moco(m, config->moco, &is_moco, err));
        config->heads = is_moco ? 12 : 0;
    }
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
done:
    return status;
}

static lp_status choose_pool(const making *m, const lp_model_config *config, lp_error *err) {
    lp_vit *vit = m->vit;
    lp_pool asked = m->source->options->pool, usual = m->source->family->pool;
    bool class_token = has(m, LP_VIT_CLASS) && !has(m, LP_VIT_FC_NORM);
    bool can[] = {false, class_token, true, has(m, LP_VIT_ATTENTION_POOL), class_token};
    vit->class_tokens = has(m, LP_VIT_DISTILLED) && m->source->family->both_tokens ? 2 : 1;
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
                : can[usual]             ? usual
                : can[LP_POOL_ATTENTION] ? LP_POOL_ATTENTION
                : can[LP_POOL_CLASS]     ? LP_POOL_CLASS
                                         : LP_POOL_MEAN;
    m->stored->norm_after_pool = config->norm_after_pool || m->source->family->norm_after_pool;
    return LP_OK;
}

/* Of all blocks that a feature is taken from, and how wide it is. */
static lp_status choose_layers(const making *m, lp_encoder_info *info, lp_error *err) {
    lp_vit *vit = m->vit;
    const char *path = lp_checkpoint_path(m->source->ckpt);
    size_t depth = vit->shape.layers;
    lp_layers asked = m->source->options->layers;
    asked = asked.last > 0 ? asked : (lp_layers){depth, depth};
    bool last_alone = asked.first == depth && asked.last == depth;
    if (asked.first == 0 || asked.first > asked.last || asked.last > depth) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: layers %zu-%zu: this model has %zu, counted from 1", path, asked.first,
                       asked.last, depth);
    }
    if (!last_alone && vit->pool == LP_POOL_ATTENTION) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: layers %zu-%zu: the attention pool is for the last layer, %zu, alone; "
                       "choose another pool (option 'pool')",
                       path, asked.first, asked.last, depth);
    }
    bool with_mean = vit->pool == LP_POOL_CLASS_MEAN;
    vit->layers = asked;
    vit->features = (asked.last - asked.first + 1 + (with_mean ? 1 : 0)) * vit->shape.width;
    vit->shape.embedding = last_alone && !with_mean ? vit->shape.embedding : 0;
    if (!last_alone && asked.first < asked.last) {
        (void)snprintf(info->blocks, sizeof info->blocks, "%zu-%zu", asked.first, asked.last);
    } else if (!last_alone) {
        (void)snprintf(info->blocks, sizeof info->blocks, "%zu", asked.last);
    }
    return LP_OK;
}

static lp_status choose_input(making *m, const lp_model_config *config, lp_error *err) {
    lp_vit_shape *s = &m->vit->shape;
    bool fits = config->input / s->patch == m->stored->grid; /* it says the pixels that are over */
    const size_t said[] = {config->has_preprocess ? config->preprocess.crop : 0,
                           m->source->family->input % s->patch == 0 ? m->source->family->input : 0,
                           fits ? config->input : 0, m->stored->grid * s->patch};
    lp_status status;
    for (size_t i = 0; m->usual == 0; i++) {
        m->usual = said[i];
    }
    LP_TRY(lp_family_input(m->source, m->usual, &s->side, err));
    s->grid = s->side / s->patch; /* the patch convolution leaves out what is over at the end */
    if (s->grid != m->stored->grid && s->side % s->patch != 0) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: input size %zu: expected a multiple of the patches' %zu pixels",
                       lp_checkpoint_path(m->source->ckpt), s->side, s->patch));
    }
    s->tokens = s->prefix + s->grid * s->grid;
    if (s->side > LARGEST_INPUT) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: an input of %zu pixels a side: expected at most %d",
                       lp_checkpoint_path(m->source->ckpt), s->side, LARGEST_INPUT));
    }
done:
    return status;
}

/* ---- what it is ------------------------------------------------------------------------------ */

/* "CLIP ViT-B/32", "ViT-Ti/16", "CLIP ViT-L/14@336"; "CLIP ViT 128x2/7@28" (width x layers / patch)
 * for dimensions that have no letter. */
static void name_model(const char *title, lp_encoder_info *info) {
    const lp_vit_size *known = lp_vit_size_of(info->width, info->layers);
    char size[64] = "", input[32] = "";
    if (known != NULL) {
        (void)snprintf(size, sizeof size, "-%s", known->letter);
    } else {
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
    const lp_source *source = m->source;
    size_t from = source->options->crop > 0 ? m->usual : shape->side; /* that the resize is for */
    lp_family_preprocess(source->family, from, info);
    if (config->has_preprocess) {
        lp_model_config_preprocess(config, from, info);
    }
    if (m->known != NULL && lp_file_mean_std(m->known) != LP_MEAN_STD_AUTO) {
        lp_family_mean_std(lp_file_mean_std(m->known), &info->preprocess);
    }
    info->input_size = info->preprocess.crop = shape->side;
    lp_family_override(source->options, info);
    (void)snprintf(info->architecture, sizeof info->architecture, "%s", config->arch);
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
    info->penultimate = vit->features;
    info->batch = choose_batch(shape->tokens);
    name_model(source->family->title, info);
}

/* What neither the caller nor a digest nor a config says. */
static void assume(const making *m, const lp_model_config *config, lp_encoder_info *info) {
    /* without a pool and a class token, too: timm's vit_*_siglip_gap_* have the names of others */
    bool gap = m->source->family->layout == &lp_vit_timm && !has(m, LP_VIT_CLASS);
    bool varies = (m->source->family->exceptions != NULL || gap) && !m->vit->gated;
    bool timm = strncmp(m->source->family->name, "internvit", 9) != 0 &&
                m->source->family->layout == &lp_vit_timm;
    unsigned facts = LP_SAID_HEADS | LP_SAID_PREPROCESS | (varies ? LP_SAID_ACTIVATION : 0U) |
                     (m->source->family->pool != LP_POOL_AUTO ? LP_SAID_POOL : 0U);
    unsigned said = (config->heads > 0 ? LP_SAID_HEADS : 0U) |
                    (config->activation != LP_ACTIVATION_AUTO ? LP_SAID_ACTIVATION : 0U) |
                    (config->has_preprocess ? LP_SAID_PREPROCESS : 0U) |
                    (config->pool != LP_POOL_AUTO ? LP_SAID_POOL : 0U);
    if (m->known == NULL) {
        lp_family_assume(m->source, facts, said, info);
    }
    if (m->known == NULL && config->file == NULL && !config->arch_known) {
        lp_note note = {info->assumed, sizeof info->assumed, strlen(info->assumed)};
        if (m->source->family->eps_note != NULL) {
            lp_note_put(&note, "; norm eps %g (%s)", (double)m->vit->eps,
                        m->source->family->eps_note);
        }
        if (has(m, LP_VIT_LAYER_SCALE_DEIT)) {
            lp_note_put(&note, "; no rotary positions (timm's vit_*_rope_ape_* look the same)");
        }
        if (timm && !has(m, LP_VIT_NORM_POST | LP_VIT_FC_NORM | LP_VIT_ATTENTION_POOL)) {
            lp_note_put(&note, "; no norm behind the blocks (the file has none)");
        }
        if (timm && has(m, LP_VIT_CLASS) && m->stored->covered == 0 &&
            !has(m, LP_VIT_REGISTERS | LP_VIT_LAYER_SCALE | LP_VIT_LAYER_SCALE_DEIT)) {
            size_t grid = m->stored->grid; /* (grid - 1) (grid + 1) + 1 positions are as many */
            lp_note_put(&note,
                        "; %zu x %zu patches, and no position of the class token (%zu x %zu with "
                        "one look the same)",
                        grid, grid, grid - 1, grid + 1);
        }
        if (has(m, LP_VIT_REGISTERS) && m->vit->pool == LP_POOL_ATTENTION) {
            lp_note_put(&note, "; the pool leaves the registers out (timm's test_vit3 does not)");
        }
    }
    lp_family_stranger(config->stranger, info);
}

/* Weights under timm's names that one of its vision transformers has and no other: that one is
 * computed in another way. */
static lp_status check_norms(const making *m, const lp_model_config *config, lp_error *err) {
    bool scaled = has(m, LP_VIT_LAYER_SCALE | LP_VIT_LAYER_SCALE_DEIT);
    bool tokens = has(m, LP_VIT_CLASS | LP_VIT_REGISTERS);
    const char *what =
        has(m, LP_VIT_FC_NORM) && !tokens && !scaled && !has(m, LP_VIT_QKV_BIAS)
            ? "vit_base_patch16_rpn_224 alone, whose norms stand behind attention and MLP"
        : m->source->family->layout == &lp_vit_timm && !tokens &&
                !has(m, LP_VIT_NORM_POST | LP_VIT_FC_NORM | LP_VIT_ATTENTION_POOL)
            ? "qwen3_vit_* alone, which have rotary positions"
            : NULL;
    return what != NULL && config->file == NULL && !config->arch_known && m->known == NULL
               ? lp_fail(err, LP_ERR_UNSUPPORTED,
                         "%s: weights as of timm's %s, which is not supported",
                         lp_checkpoint_path(m->source->ckpt), what)
               : LP_OK;
}

static lp_status choose_all(making *m, lp_encoder_info *info, lp_error *err) {
    const lp_vit_shape *s = &m->vit->shape;
    lp_model_config config = {0};
    lp_status status;
    const lp_config_sizes sizes = {.width = s->width, .layers = s->layers, .patch = s->patch};
    LP_TRY(lp_model_config_read(m->source, &sizes, &config, err));
    LP_TRY(lp_source_published(m->source, &m->known, err));
    LP_TRY(check_norms(m, &config, err));
    LP_TRY(choose_heads(m, &config, err));
    LP_TRY(choose_pool(m, &config, err));
    LP_TRY(choose_layers(m, info, err));
    LP_TRY(choose_input(m, &config, err));
    /* before the activation: the rest is known whether it is or not */
    m->vit->eps = config.norm_eps > 0 ? config.norm_eps : m->source->family->norm_eps;
    describe(m, &config, info);
    status = choose_activation(m, &config, err);
    info->activation = m->vit->gated ? "swiglu" : lp_family_activation_name(m->vit->activation);
    assume(m, &config, info);
done:
    return status;
}

/* ---- the kind -------------------------------------------------------------------------------- */

static lp_status plan_tower(const lp_source *source, lp_weight_plan *plan, void **out,
                            lp_error *err) {
    size_t layers = lp_vit_count_blocks(source);
    lp_vit_tower *t = lp_alloc_zeroed(1, sizeof *t);
    lp_status status;
    *out = t;
    LP_TRY(lp_allocated(t, "an encoder", 1, sizeof *t, err));
    t->vit.blocks = lp_alloc_zeroed(layers, sizeof *t->vit.blocks);
    t->stored.blocks = lp_alloc_zeroed(layers, sizeof *t->stored.blocks);
    LP_TRY(lp_allocated(t->vit.blocks, "an encoder's blocks", layers, sizeof *t->vit.blocks, err));
    LP_TRY(lp_allocated(t->stored.blocks, "an encoder's blocks", layers, sizeof *t->stored.blocks,
                        err));
    t->vit.shape.layers = t->stored.layers = layers;
    t->stored.resize = source->family->resize;
    t->stored.groups = lp_vit_plan(source, &t->stored, plan, &t->vit.shape);
done:
    return status;
}

static lp_status choose(const lp_source *source, lp_weight_plan *plan, void *made,
                        lp_encoder_info *info, lp_error *err) {
    lp_vit_tower *t = made;
    making m = {.source = source, .vit = &t->vit, .stored = &t->stored, .groups = t->stored.groups};
    lp_status status;
    t->vit.precision = source->options->precision;
    t->vit.gated = has(&m, LP_VIT_ANY_GATE);
    LP_TRY(choose_all(&m, info, err));
    lp_vit_reserve(m.stored, m.vit, plan);
done:
    return status;
}

static void free_tower(void *made) {
    lp_vit_tower *t = made;
    lp_free(t->stored.blocks);
    lp_free(t->vit.blocks);
    lp_free(t->vit.made);
    lp_free(t->vit.last.keys);
    lp_free(t);
}

static size_t max_batch(const void *made) {
    return INT_MAX / ((const lp_vit_tower *)made)->vit.shape.tokens;
}

const lp_tower_kind lp_vit_kind = {
    .plan = plan_tower,
    .choose = choose,
    .pack = lp_vit_pack,
    .free = free_tower,
    .scratch = lp_vit_scratch,
    .max_batch = max_batch,
    .run = lp_vit_run,
};
