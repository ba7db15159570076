/* A vision transformer from a file.
 *
 *   1. the number of blocks, from the names; which groups of weights the model has
 *   2. the plan: every weight of the layout; the check learns D, P, S, M, A, E
 *   3. a square of patches, from the positions S: with or without one for each token before them
 *   4. what the weights do not tell (activation, heads, pooling, input size, preprocessing) from
 *      the caller, else a published file's digest, else a config beside the file, else the family
 *   5. once the weights are read: layer scale into the products before it, the attention pool's
 *      query, positions for the input size; then linear layers are packed
 *
 * Dimensions are found as build_model in openai/CLIP clip/model.py does: D and P from the patch
 * embedding, the grid from the positions, heads = D / 64 unless something tells better. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "ckpt/known_models.h"
#include "math/attention.h"
#include "math/linear_int8.h"
#include "math/rows.h"
#include "math/tiles.h"
#include "model/family.h"
#include "model/model_config.h"
#include "model/vit.h"
#include "model/vit_layout.h"

enum {
    HEAD_WIDTH = 64,
    MAX_BLOCKS = 256,       /* more would only make the list of missing tensors endless */
    TOKENS_PER_BATCH = 800, /* rows of one product, at most */
    MAX_BATCH = 32
};

/* A tower with what `finish` still needs. */
typedef struct tower {
    lp_vit vit; /* first: a tower is an lp_vit */
    lp_resize resize;
    size_t stored_grid; /* patches a side that the stored positions are for */
    size_t covered;     /* tokens before the patches that have a position */
} tower;

/* A tower while it is made. */
typedef struct making {
    const lp_source *source;
    const lp_vit_layout *layout;
    tower *tower;
    lp_vit *vit;                 /* the tower's */
    const lp_known_model *known; /* or NULL */
    bool has[256];               /* groups of weights, by letter */
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

/* Fills in m->has. */
static void find_groups(making *m) {
    const lp_vit_layout *l = m->layout;
    for (size_t i = 0; i < l->weight_count; i++) {
        unsigned char group = (unsigned char)l->weights[i].group;
        m->has[group] = m->has[group] || find(m, SIZE_MAX, l->weights[i].name) != NULL;
    }
    for (size_t b = 0; b < m->vit->shape.layers; b++) {
        for (size_t i = 0; i < l->block_weight_count; i++) {
            unsigned char group = (unsigned char)l->block_weights[i].group;
            m->has[group] = m->has[group] || find(m, b, l->block_weights[i].name) != NULL;
        }
    }
    /* the same names serve the plain MLP and the packed gate: [M, D] and [D, M], or [2M, D] */
    const lp_tensor *fc1 = l->fc1 != NULL ? find(m, 0, l->fc1) : NULL;
    const lp_tensor *fc2 = l->fc1 != NULL ? find(m, 0, l->fc2) : NULL;
    m->has[LP_VIT_PACKED] = fc1 != NULL && fc2 != NULL && fc1->rank == 2 && fc2->rank == 2 &&
                            fc1->shape[0] == 2 * fc2->shape[1];
    m->has[LP_VIT_ANY_GATE] = m->has[LP_VIT_PACKED] || m->has[LP_VIT_GATED];
    m->vit->gated = m->has[LP_VIT_ANY_GATE];
    /* a file without a class token has it missing where there is a position for it */
    const lp_tensor *positions = find(m, SIZE_MAX, l->positions);
    if (positions != NULL && positions->rank >= 2 && positions->count > 0 &&
        positions->count <= INT_MAX) {
        m->has[LP_VIT_CLASS] =
            m->has[LP_VIT_CLASS] || !is_square(positions->shape[positions->rank - 2]);
    }
    for (size_t i = 0; i < l->weight_count; i++) { /* or where it is in no group */
        m->has[LP_VIT_CLASS] =
            m->has[LP_VIT_CLASS] ||
            (l->weights[i].field == offsetof(lp_vit, class_token) && l->weights[i].group == '\0');
    }
}

static bool is_wanted(const making *m, char group) {
    return group == '\0' || (group >= 'a' ? m->has[(unsigned char)group]
                                          : !m->has[(unsigned char)(group - 'A' + 'a')]);
}

static void plan_rows(const making *m, lp_weight_plan *plan, size_t block, void *owner,
                      const lp_vit_weight *rows, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const lp_vit_weight *w = &rows[i];
        if (is_wanted(m, w->group)) {
            char name[LP_PLAN_NAME];
            name_weight(m, block, w->name, name);
            lp_plan_add(plan,
                        w->field == LP_VIT_JOINED ? NULL
                                                  : (float **)(void *)((char *)owner + w->field),
                        w->shape, "%s", name);
        }
    }
}

/* What the check taught, and a square of patches. */
static void learn_dimensions(making *m, lp_weight_plan *plan) {
    lp_vit_shape *s = &m->vit->shape;
    tower *t = m->tower;
    s->width = *lp_plan_dimension(plan, 'D');
    s->patch = *lp_plan_dimension(plan, 'P');
    s->mlp_width = *lp_plan_dimension(plan, 'M');
    s->pool_mlp_width = *lp_plan_dimension(plan, 'A');
    s->embedding = *lp_plan_dimension(plan, 'E');
    size_t positions = *lp_plan_dimension(plan, 'S');
    size_t class_token = m->has[LP_VIT_CLASS] ? 1 : 0;
    s->prefix = class_token + *lp_plan_dimension(plan, 'R') + (m->has[LP_VIT_DISTILLED] ? 1 : 0);
    if (m->has[LP_VIT_EXTRA] + m->has[LP_VIT_EXTRA_DINOV2] + m->has[LP_VIT_DISTILLED] > 1) {
        lp_plan_problem(plan, "register tokens of two kinds, or a distillation token beside them");
    }
    if (positions == 0 || positions > INT_MAX) { /* a problem already */
        return;
    }
    /* all tokens have a position; or the class token and the patches; or the patches alone */
    const size_t covered[] = {s->prefix, class_token, 0};
    for (size_t i = 0; i < (m->layout->patches_alone ? 3 : 2); i++) {
        if (positions > covered[i] && is_square(positions - covered[i])) {
            t->covered = covered[i];
            t->stored_grid = square_root(positions - covered[i]);
            return;
        }
    }
    lp_plan_problem(plan, "%zu positions: expected %sa square of patches", positions,
                    class_token > 0 ? "one for a class token and " : "");
}

/* ---- what weights do not tell ---------------------------------------------------------------- */

/* timm's act_layer of vit_*_siglip_*: the dimensions whose models have gelu_tanh. */
static bool is_tanh_siglip(const lp_vit *vit, size_t stored_grid) {
    const lp_vit_shape *s = &vit->shape;
    return (s->width == 768 && s->patch == 32) || (s->width == 1024 && stored_grid == 32) ||
           (s->width == 1152 && s->patch == 16) || s->width == 1536;
}

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

static lp_status choose_activation(making *m, const lp_model_config *config, lp_error *err) {
    const lp_source *source = m->source;
    lp_vit *vit = m->vit;
    const char *official = m->known != NULL ? m->known->activation : NULL;
    vit->activation = source->options->activation;
    if (vit->activation != LP_ACTIVATION_AUTO && vit->gated) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: its MLP is SwiGLU: expected no --activation, found %s",
                       lp_checkpoint_path(source->ckpt), lp_activation_name(vit->activation));
    }
    if (vit->activation == LP_ACTIVATION_AUTO && official != NULL) {
        vit->activation =
            strcmp(official, "quick_gelu") == 0 ? LP_ACTIVATION_QUICK_GELU : LP_ACTIVATION_GELU;
    }
    if (vit->activation == LP_ACTIVATION_AUTO) {
        vit->activation = config->activation;
    }
    if (vit->activation == LP_ACTIVATION_AUTO) {
        vit->activation = source->family->activation;
        if (m->has[LP_VIT_ATTENTION] && source->family->layout == &lp_vit_timm &&
            is_tanh_siglip(vit, m->tower->stored_grid)) {
            vit->activation = LP_ACTIVATION_GELU_TANH;
        }
    }
    if (vit->activation == LP_ACTIVATION_AUTO) {
        vit->activation = source->options->activation_if_unknown;
    }
    if (vit->activation == LP_ACTIVATION_AUTO) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: GELU or QuickGELU?  OpenAI's CLIP, and what was trained from it, have "
                       "quick_gelu, most of open_clip's own models gelu, and neither names nor "
                       "shapes tell%s%s%s; add --activation gelu or --activation quick_gelu",
                       lp_checkpoint_path(source->ckpt), config->stranger != NULL ? " (" : "",
                       config->stranger != NULL ? config->stranger : "",
                       config->stranger != NULL ? " beside it is another model's)" : "");
    }
    return LP_OK;
}

/* Heads that are not 64 wide: ViT-H, -g, -G of open_clip, timm and MAE; SigLIP so400m and g-opt
 * (open_clip model_configs/ViT-*.json head_width; timm vision_transformer.py num_heads). */
static size_t known_heads(const lp_vit *vit) {
    static const struct {
        size_t width, layers, mlp_width, heads;
    } known[] = {{1280, 32, 5120, 16},
                 {1408, 40, 6144, 16},
                 {1664, 48, 8192, 16},
                 {1152, 27, 4304, 16},
                 {1536, 40, 6144, 16}};
    const lp_vit_shape *s = &vit->shape;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (s->width == known[i].width && s->layers == known[i].layers &&
            s->mlp_width == known[i].mlp_width && !vit->gated) {
            return known[i].heads;
        }
    }
    return 0;
}

/* A guess would give features that are wrong without a sign. */
static lp_status choose_heads(const making *m, const lp_model_config *config, lp_error *err) {
    const char *path = lp_checkpoint_path(m->source->ckpt);
    lp_vit_shape *s = &m->vit->shape;
    s->heads = m->source->options->heads;
    s->heads = s->heads > 0 ? s->heads : config->heads;
    s->heads = s->heads > 0 ? s->heads : known_heads(m->vit);
    if (s->heads == 0 &&
        (s->width == 1152 || s->width == 1280 || s->width == 1408 || s->width == 1664)) {
        return lp_fail(
            err, LP_ERR_UNSUPPORTED,
            "%s: width %zu, as ViT-H, -g, -G and SigLIP's so400m have it, but %zu layers: "
            "nothing tells the number of heads; add --heads N",
            path, s->width, s->layers);
    }
    bool told = s->heads > 0;
    s->heads = told ? s->heads : s->width / HEAD_WIDTH;
    if (s->heads == 0 || s->heads > s->width || s->width % s->heads != 0) {
        return lp_fail(err, told ? LP_ERR_ARGUMENT : LP_ERR_FORMAT,
                       "%s: width %zu: not divisible among %zu heads%s", path, s->width, s->heads,
                       told ? "" : " (width / 64)");
    }
    return LP_OK;
}

static lp_status choose_pool(const making *m, const lp_model_config *config, lp_error *err) {
    lp_vit *vit = m->vit;
    lp_pool asked = m->source->options->pool;
    bool can[] = {false, m->has[LP_VIT_CLASS] && !m->has[LP_VIT_FC_NORM], true,
                  m->has[LP_VIT_ATTENTION]};
    vit->class_tokens = m->has[LP_VIT_DISTILLED] ? 2 : 1;
    if (!can[asked] && asked != LP_POOL_AUTO) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: --pool %s: this %s model has no %s",
                       lp_checkpoint_path(m->source->ckpt), lp_pool_name(asked),
                       m->source->family->name,
                       asked == LP_POOL_ATTENTION ? "attention pool"
                       : m->has[LP_VIT_CLASS]     ? "norm before pooling"
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
                                                        : m->tower->stored_grid * s->patch;
    s->grid = input / s->patch;
    s->tokens = s->prefix + s->grid * s->grid;
    if (input % s->patch != 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: --input-size %zu: expected a multiple of the patches' %zu pixels",
                       lp_checkpoint_path(m->source->ckpt), input, s->patch);
    }
    if (input > 4096) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: an input of %zu pixels a side: expected at most %d",
                       lp_checkpoint_path(m->source->ckpt), input, 4096);
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
    } sizes[] = {{192, 12, "Ti"},      {384, 12, "S"},  {768, 12, "B"},
                 {1024, 24, "L"},      {1280, 32, "H"}, {1408, 40, "g"},
                 {1152, 27, "so400m"}, {1536, 40, "g"}, {1664, 48, "bigG"}};
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

/* Images of a batch: those that leave the fewest rows of the last tile empty, the most where that
 * is the same.  12 of ViT-B/32 fill 50 tiles; with 16, a 201st of the work would be for nothing. */
static size_t choose_batch(size_t tokens) {
    size_t best = 1;
    for (size_t b = 2; b <= MAX_BATCH && b * tokens <= TOKENS_PER_BATCH; b++) {
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
    if (m->known != NULL) { /* facebookresearch/deit: ImageNet's, unlike the rest of its family */
        bool deit = strncmp(m->known->name, "deit-", 5) == 0;
        lp_family_mean_std(deit ? LP_MEAN_STD_IMAGENET : LP_MEAN_STD_AUTO, info);
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
    lp_model_config config;
    lp_status status =
        lp_model_config_read(m->source->ckpt, s->width, s->layers, s->patch, &config, err);
    if (status == LP_OK) {
        status = find_published(m, err);
    }
    if (status == LP_OK) {
        status = choose_heads(m, &config, err);
    }
    if (status == LP_OK) {
        status = choose_pool(m, &config, err);
    }
    if (status == LP_OK) {
        status = choose_input(m, err);
    }
    if (status == LP_OK) { /* before the question: the rest is known whatever the answer */
        m->vit->eps = config.norm_eps > 0 ? config.norm_eps : m->source->family->norm_eps;
        describe(m, &config, info);
        status = choose_activation(m, &config, err);
        info->activation = m->vit->gated ? "swiglu" : lp_family_activation_name(m->vit->activation);
    }
    return status;
}

/* ---- linear layers --------------------------------------------------------------------------- */

enum { SINGLE_LAYERS = 6, BLOCK_LAYERS = 4 };

static size_t count_linear(const lp_vit *vit) {
    return SINGLE_LAYERS + BLOCK_LAYERS * vit->shape.layers;
}

/* Linear layer i, below count_linear; its weights are NULL where the model has none. */
static lp_linear_layer *linear_at(lp_vit *v, size_t i) {
    lp_vit_pool *p = &v->attention_pool;
    lp_linear_layer *single[SINGLE_LAYERS] = {&v->patch, &v->head, &p->qkv,
                                              &p->out,   &p->fc1,  &p->fc2};
    if (i < SINGLE_LAYERS) {
        return single[i];
    }
    lp_vit_block *w = &v->blocks[(i - SINGLE_LAYERS) / BLOCK_LAYERS];
    lp_linear_layer *of_block[BLOCK_LAYERS] = {&w->qkv, &w->out, &w->fc1, &w->fc2};
    return of_block[(i - SINGLE_LAYERS) % BLOCK_LAYERS];
}

/* Whether this layer's weights become those of lp_vit.keys and values, too. */
static bool is_split(const lp_vit *v, const lp_linear_layer *layer) {
    return lp_vit_ends_with_one_token(v) && layer == &v->blocks[v->shape.layers - 1].qkv;
}

/* Whether linear layer i is one of lp_vit.precision. */
static bool is_rounded(const lp_vit *v, size_t i) {
    size_t blocks = v->shape.layers - (lp_vit_ends_with_one_token(v) ? 1 : 0);
    return v->precision == LP_PRECISION_INT8 && i >= SINGLE_LAYERS &&
           i < SINGLE_LAYERS + BLOCK_LAYERS * blocks;
}

/* Floats of one head's packed keys, and of its values. */
static size_t head_floats(const lp_vit *v) {
    size_t width = v->shape.width, head_width = width / v->shape.heads;
    return lp_linear_packed(width, head_width) + lp_linear_packed(head_width, width);
}

/* The weight that goes to `to`; plan->count where there is none. */
static size_t find_planned(const lp_weight_plan *plan, float *const *to) {
    size_t i = 0;
    while (i < plan->count && plan->weights[i].to != to) {
        i++;
    }
    return i;
}

/* What each linear layer maps, and room for its packed weights in the arena. */
static void reserve(lp_vit *v, lp_weight_plan *plan) {
    for (size_t l = 0; l < count_linear(v); l++) {
        lp_linear_layer *layer = linear_at(v, l);
        size_t i = find_planned(plan, &layer->weights);
        bool transposed = i == plan->count && layer == &v->head; /* [in, out] */
        i = transposed ? find_planned(plan, &v->projection) : i;
        if (i == plan->count) {
            continue;
        }
        size_t before = 0; /* in the tensors that the last one joins */
        const lp_tensor *tensor = plan->weights[i].tensor;
        layer->out = tensor->shape[transposed ? 1 : 0];
        layer->in = tensor->count / layer->out;
        for (; i + 1 < plan->count && plan->weights[i + 1].to == NULL; i++) {
            before += plan->weights[i].tensor->count;
            layer->out += plan->weights[i + 1].tensor->shape[0];
        }
        plan->weights[i].room = (is_split(v, layer) ? lp_linear_packed(layer->in, layer->in) +
                                                          v->shape.heads * head_floats(v)
                                                    : lp_linear_packed(layer->out, layer->in)) -
                                before;
    }
}

/* raw [3D, D] -> the packed query, then each head's keys and values. */
static void pack_split(lp_vit *v, lp_linear_layer *layer, const float *raw) {
    size_t width = v->shape.width, head_width = width / v->shape.heads;
    float scale = lp_attention_scale(head_width);
    float *to = layer->weights + lp_linear_packed(width, width);
    layer->out = width;
    lp_linear_pack(raw, width, width, layer->weights);
    for (size_t n = 0; n < v->shape.heads; n++) {
        const float *key = raw + (width + n * head_width) * width, *value = key + width * width;
        float *bias = layer->bias != NULL ? layer->bias + 2 * width + n * head_width : NULL;
        size_t floats = lp_linear_packed(width, head_width);
        v->keys[n] = (lp_linear_layer){head_width, width, to, NULL, false};
        lp_linear_pack_strided(key, width, head_width, 1, width, to);
        for (size_t i = 0; i < floats; i++) {
            to[i] *= scale;
        }
        v->values[n] = (lp_linear_layer){width, head_width, to + floats, bias, false};
        lp_linear_pack(value, head_width, width, to + floats);
        to += head_floats(v);
    }
}

typedef struct packing {
    lp_vit *vit;
    float *raw;  /* [workers][most]: a layer's weights as they were read */
    size_t most; /* of any layer */
} packing;

static lp_status pack_layer(void *context, size_t index, size_t worker, lp_error *err) {
    const packing *p = context;
    lp_vit *v = p->vit;
    lp_linear_layer *layer = linear_at(v, index);
    float *raw = p->raw + worker * p->most;
    (void)err;
    if (layer->weights == NULL) {
        return LP_OK;
    }
    memcpy(raw, layer->weights, layer->out * layer->in * sizeof *raw);
    if (is_split(v, layer)) {
        pack_split(v, layer, raw);
    } else if (layer->weights == v->projection) {
        lp_linear_pack_strided(raw, layer->out, layer->in, 1, layer->out, layer->weights);
    } else if (is_rounded(v, index)) {
        lp_linear_int8_pack(raw, layer->out, layer->in, layer->weights);
        layer->int8 = true;
    } else {
        lp_linear_pack(raw, layer->out, layer->in, layer->weights);
    }
    return LP_OK;
}

static lp_status pack(lp_vit *v, size_t threads, lp_error *err) {
    packing p = {.vit = v};
    size_t heads = v->shape.heads;
    for (size_t l = 0; l < count_linear(v); l++) {
        const lp_linear_layer *layer = linear_at(v, l);
        p.most = layer->out * layer->in > p.most ? layer->out * layer->in : p.most;
    }
    size_t workers = lp_tower_workers(threads, p.most);
    p.raw = lp_alloc(workers * p.most, sizeof *p.raw);
    v->keys = lp_alloc_zeroed(2 * heads, sizeof *v->keys);
    if (p.raw == NULL || v->keys == NULL) {
        lp_free(p.raw);
        return lp_fail_memory(err, "an encoder's weights", workers * p.most, sizeof *p.raw);
    }
    v->values = v->keys + heads;
    v->head.weights = v->projection != NULL ? v->projection : v->head.weights;
    lp_status status = lp_parallel_for(workers, count_linear(v), pack_layer, &p, err);
    lp_free(p.raw);
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
    m.tower = t;
    m.vit = &t->vit;
    m.vit->blocks = lp_alloc_zeroed(layers, sizeof *m.vit->blocks);
    if (m.vit->blocks == NULL) {
        return lp_fail_memory(err, "an encoder's blocks", layers, sizeof *m.vit->blocks);
    }
    m.vit->shape.layers = layers;
    m.vit->precision = source->options->precision;
    find_groups(&m);
    plan_rows(&m, plan, SIZE_MAX, m.vit, m.layout->weights, m.layout->weight_count);
    for (size_t b = 0; b < layers; b++) {
        plan_rows(&m, plan, b, &m.vit->blocks[b], m.layout->block_weights,
                  m.layout->block_weight_count);
    }
    lp_plan_check(plan, source->ckpt, source->prefix, m.layout->ignored);
    learn_dimensions(&m, plan);
    t->resize = source->family->resize;
    lp_status status = lp_plan_report(plan, source->ckpt, source->family->name, err);
    if (status == LP_OK) {
        status = choose(&m, info, err);
    }
    if (status == LP_OK) {
        reserve(m.vit, plan);
    }
    return status;
}

/* Layer scale into the product before it: scale * (x W' + b) = x (scale W)' + scale b. */
static void fold_scale(const float *scale, lp_linear_layer *layer) {
    for (size_t i = 0; scale != NULL && i < layer->out; i++) {
        for (size_t j = 0; j < layer->in; j++) {
            layer->weights[i * layer->in + j] *= scale[i];
        }
        layer->bias[i] *= scale[i];
    }
}

/* The tokens before the patches, with their positions: made_tokens [prefix, D]. */
static void make_prefix(const tower *t, float *out) {
    const lp_vit *v = &t->vit;
    size_t width = v->shape.width, classes = v->class_token != NULL ? 1 : 0;
    size_t extra = v->shape.prefix - classes;
    if (classes > 0) {
        memcpy(out, v->class_token, width * sizeof *out);
    }
    if (extra > 0) {
        memcpy(out + classes * width, v->extra_tokens, extra * width * sizeof *out);
    }
    lp_add_bias(out, 1, t->covered * width, t->covered * width, v->stored_positions);
}

static lp_status finish(void *made, size_t threads, lp_error *err) {
    tower *t = made;
    lp_vit *v = &t->vit;
    const lp_vit_shape *s = &v->shape;
    size_t width = s->width, patches = s->grid * s->grid;
    for (size_t b = 0; b < s->layers; b++) {
        lp_vit_block *w = &v->blocks[b];
        fold_scale(w->scale1, &w->out);
        fold_scale(w->scale2, &w->fc2);
    }
    v->made = lp_alloc((s->prefix + patches + 1) * width, sizeof *v->made);
    if (v->made == NULL) {
        return lp_fail_memory(err, "an encoder's positions", (s->prefix + patches + 1) * width,
                              sizeof *v->made);
    }
    v->prefix_tokens = v->made;
    v->positions = v->prefix_tokens + s->prefix * width;
    make_prefix(t, v->prefix_tokens);
    if (v->attention_pool.query != NULL) { /* the same for every image */
        lp_vit_pool *p = &v->attention_pool;
        float *query = v->positions + patches * width;
        for (size_t i = 0; i < width; i++) {
            double sum = (double)p->qkv.bias[i];
            for (size_t k = 0; k < width; k++) {
                sum += (double)p->query[k] * (double)p->qkv.weights[i * width + k];
            }
            query[i] = (float)sum;
        }
        p->query = query;
        p->qkv.out = 2 * width; /* keys and values are what is left to do */
        p->qkv.bias += width;
        memmove(p->qkv.weights, p->qkv.weights + width * width,
                2 * width * width * sizeof *p->qkv.weights);
    }
    lp_status status = lp_positions_resize(t->resize, v->stored_positions + t->covered * width,
                                           t->stored_grid, v->positions, s->grid, width, err);
    return status == LP_OK ? pack(v, threads, err) : status;
}

static void free_tower(void *made) {
    lp_vit *vit = &((tower *)made)->vit;
    lp_free(vit->blocks);
    lp_free(vit->made);
    lp_free(vit->keys);
    lp_free(made);
}

static size_t scratch_floats(const void *made, size_t batch) {
    return lp_vit_scratch(&((const tower *)made)->vit, batch);
}

static size_t max_batch(const void *made) {
    return INT_MAX / ((const tower *)made)->vit.shape.tokens;
}

static void run(const void *made, const float *images, size_t batch, lp_feature_point point,
                float *features, float *scratch, const lp_tap *tap) {
    lp_vit_run(&((const tower *)made)->vit, images, batch, point == LP_FEATURE_PROJECTED, features,
               scratch, tap);
}

const lp_tower_kind lp_vit_kind = {
    .make = make,
    .finish = finish,
    .free = free_tower,
    .scratch = scratch_floats,
    .max_batch = max_batch,
    .run = run,
};
