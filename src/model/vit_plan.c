/* What names and shapes of tensors say of a vision transformer.
 *
 *   1. the number of blocks, from the names; which groups of weights the model has
 *   2. the plan: every weight of the layout; the check learns D, P, S, M, A, E
 *   3. a square of patches, from the positions S: with or without one for each token before them
 *
 * Dimensions are found as build_model in openai/CLIP clip/model.py does: D and P from the patch
 * embedding, the grid from the positions. */
#include "model/vit_stored.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/families.h"

enum { MAX_BLOCKS = 256 }; /* more would only make the list of missing tensors endless */

typedef struct planning {
    const lp_source *source;
    const lp_vit_layout *layout;
    lp_vit_stored *stored;
    unsigned groups; /* of weights that the model has */
} planning;

/* The number in "<prefix><blocks>12.attn.qkv.weight"; MAX_BLOCKS for other names. */
static size_t block_number(const planning *m, const char *name) {
    size_t prefix = strlen(m->source->prefix), blocks = strlen(m->layout->blocks);
    if (strncmp(name, m->source->prefix, prefix) != 0 ||
        strncmp(name + prefix, m->layout->blocks, blocks) != 0) {
        return MAX_BLOCKS;
    }
    const char *digit = name + prefix + blocks;
    if (*digit < '0' || *digit > '9' || (digit[0] == '0' && digit[1] != '.')) {
        return MAX_BLOCKS;
    }
    char *end;
    unsigned long number = strtoul(digit, &end, 10);
    return *end == '.' && number < MAX_BLOCKS ? number : MAX_BLOCKS;
}

size_t lp_vit_count_blocks(const lp_source *source) {
    const planning m = {.source = source, .layout = source->family->layout};
    size_t layers = 1;
    for (size_t i = 0; i < source->view.count; i++) {
        size_t block = block_number(&m, source->view.items[i].name);
        if (block != MAX_BLOCKS && block >= layers) {
            layers = block + 1;
        }
    }
    return layers;
}

/* A weight's whole name, with ".weight", ".bias" or "" behind the row's; block SIZE_MAX outside the
 * blocks. */
static void name_weight(const planning *m, size_t block, const char *name, const char *end,
                        char out[LP_PLAN_NAME]) {
    if (name[0] == '/') {
        (void)snprintf(out, LP_PLAN_NAME, "%s%s", name + 1, end);
    } else if (block == SIZE_MAX) {
        (void)snprintf(out, LP_PLAN_NAME, "%s%s%s", m->source->prefix, name, end);
    } else {
        (void)snprintf(out, LP_PLAN_NAME, "%s%s%zu.%s%s", m->source->prefix, m->layout->blocks,
                       block, name, end);
    }
}

static const lp_tensor *find(const planning *m, size_t block, const char *name, const char *end) {
    char whole[LP_PLAN_NAME];
    name_weight(m, block, name, end, whole);
    const lp_view_item *item = lp_view_find(&m->source->view, whole);
    return item != NULL ? item->tensor : NULL;
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

static unsigned groups_of_rows(const planning *m, size_t block, const lp_vit_rows *table) {
    unsigned groups = 0;
    for (size_t i = 0; i < table->count; i++) {
        const lp_vit_weight *w = &table->rows[i];
        bool found = w->bias == NULL ? find(m, block, w->name, "") != NULL
                                     : find(m, block, w->name, ".weight") != NULL ||
                                           find(m, block, w->name, ".bias") != NULL;
        groups |= found && (w->groups & LP_VIT_WITHOUT) == 0 ? w->groups : 0;
    }
    return groups;
}

/* Whether the plain MLP's names hold a gated one: [2M, D] and [D, M] instead of [M, D], [D, M]. */
static bool is_gated_by_shape(const planning *m) {
    if (m->layout->fc1 == NULL) {
        return false;
    }
    const lp_tensor *fc1 = find(m, 0, m->layout->fc1, "");
    const lp_tensor *fc2 = find(m, 0, m->layout->fc2, "");
    return fc1 != NULL && fc2 != NULL && fc1->rank == 2 && fc2->rank == 2 &&
           fc1->shape[0] == 2 * fc2->shape[1];
}

/* Register tokens; 0 where there are none. */
static size_t count_extra_tokens(const planning *m) {
    for (size_t i = 0; i < m->layout->weights.count; i++) {
        const lp_vit_weight *w = &m->layout->weights.rows[i];
        const lp_tensor *tokens = find(m, SIZE_MAX, w->name, "");
        if (w->kind == LP_VIT_VALUES && w->field == offsetof(lp_vit_stored, extra_tokens) &&
            tokens != NULL && tokens->rank == 3) {
            return tokens->shape[1];
        }
    }
    return 0;
}

/* Whether the model must have a class token: every model of the layout has one, or there is a
 * position for it. */
static bool needs_class_token(const planning *m) {
    const lp_vit_layout *l = m->layout;
    for (size_t i = 0; i < l->weights.count; i++) {
        const lp_vit_weight *w = &l->weights.rows[i];
        if (w->kind == LP_VIT_VALUES && w->field == offsetof(lp_vit_stored, class_token) &&
            w->groups == 0) {
            return true;
        }
    }
    const lp_tensor *positions = find(m, SIZE_MAX, l->positions, "");
    if (positions == NULL || positions->rank < 2 || positions->count == 0 ||
        positions->count > INT_MAX) {
        return false;
    }
    size_t count = positions->shape[positions->rank - 2], extra = count_extra_tokens(m);
    return !is_square(count) && (count <= extra || !is_square(count - extra));
}

/* Fills in m->groups. */
static void find_groups(planning *m) {
    const lp_vit_layout *l = m->layout;
    m->groups = groups_of_rows(m, SIZE_MAX, &l->weights);
    for (size_t b = 0; b < m->stored->layers; b++) {
        m->groups |= groups_of_rows(m, b, &l->block_weights);
    }
    m->groups &= ~(unsigned)LP_VIT_GATED_BY_SHAPE; /* its names are no sign of it */
    m->groups |= is_gated_by_shape(m) ? LP_VIT_GATED_BY_SHAPE : 0U;
    m->groups |= needs_class_token(m) ? LP_VIT_CLASS : 0U;
}

static bool has(const planning *m, unsigned groups) {
    return (m->groups & groups) != 0;
}

static bool is_wanted(const planning *m, unsigned groups) {
    return groups == 0 || has(m, groups) == ((groups & LP_VIT_WITHOUT) == 0);
}

/* owner: the lp_vit_stored or the lp_vit_stored_block that the rows' fields are of. */
static void plan_rows(const planning *m, lp_weight_plan *plan, size_t block, void *owner,
                      const lp_vit_rows *table) {
    for (size_t i = 0; i < table->count; i++) {
        const lp_vit_weight *w = &table->rows[i];
        if (!is_wanted(m, w->groups)) {
            continue;
        }
        void *field = (char *)owner + w->field;
        float **to = w->kind == LP_VIT_VALUES ? field : NULL, **bias = NULL;
        if (w->kind == LP_VIT_NORM) {
            lp_vit_norm *norm = field;
            to = &norm->weight;
            bias = &norm->bias;
        } else if (w->kind == LP_VIT_LINEAR) {
            lp_stored_linear *layer = field;
            layer->present = true;
            layer->planned = plan->count;
            to = &layer->weights;
            bias = &layer->bias;
        }
        char name[LP_PLAN_NAME];
        name_weight(m, block, w->name, w->bias != NULL ? ".weight" : "", name);
        lp_plan_add(plan, to, w->shape, "%s", name);
        if (w->bias != NULL) {
            name_weight(m, block, w->name, ".bias", name);
            lp_plan_add(plan, bias, w->bias, "%s", name);
        }
    }
}

/* What the check taught, and a square of patches. */
static void learn_dimensions(const planning *m, lp_weight_plan *plan, lp_vit_shape *s) {
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

unsigned lp_vit_plan(const lp_source *source, lp_vit_stored *stored, lp_weight_plan *plan,
                     lp_vit_shape *shape) {
    planning m = {.source = source, .layout = source->family->layout, .stored = stored};
    stored->projection.transposed = m.layout->projection_transposed;
    find_groups(&m);
    plan_rows(&m, plan, SIZE_MAX, stored, &m.layout->weights);
    for (size_t b = 0; b < stored->layers; b++) {
        plan_rows(&m, plan, b, &stored->blocks[b], &m.layout->block_weights);
    }
    lp_plan_check(plan, &source->view, source->prefix, m.layout->ignored);
    learn_dimensions(&m, plan, shape);
    return m.groups;
}
