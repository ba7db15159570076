/* The plan of a tower's weights; weight_plan.h has its steps. */
#include "model/weight_plan.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- adding ---------------------------------------------------------------------------------- */

void lp_plan_add(lp_weight_plan *plan, float **to, const char *shape, const char *format, ...) {
    lp_weight *more =
        lp_grow_by_one(plan->weights, plan->count, &plan->room, sizeof *plan->weights);
    if (more == NULL) {
        plan->no_memory = true;
        return;
    }
    plan->weights = more;
    lp_weight *weight = &plan->weights[plan->count++];
    *weight = (lp_weight){.to = to};
    (void)snprintf(weight->shape, sizeof weight->shape, "%s", shape);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(weight->name, sizeof weight->name, format, arguments);
    va_end(arguments);
}

size_t *lp_plan_dimension(lp_weight_plan *plan, char letter) {
    return &plan->dimensions[letter - 'A'];
}

/* ---- shapes ---------------------------------------------------------------------------------- */

typedef struct term {
    size_t times; /* the number before the letter; 1 where there is none */
    char letter;  /* '\0': the number alone */
} term;

/* Takes the next term off a shape; false at its end. */
static bool next_term(const char **shape, term *out) {
    const char *c = *shape;
    if (*c == '\0') {
        return false;
    }
    char *end;
    unsigned long number = strtoul(c + (*c == ','), &end, 10);
    *out = (term){.times = number > 0 ? number : 1};
    if (*end >= 'A' && *end <= 'Z') {
        out->letter = *end++;
    }
    *shape = end;
    return true;
}

static const char *expected_text(const lp_weight_plan *plan, const char *shape,
                                 char text[LP_SHAPE_TEXT]) {
    size_t used = 0;
    term t;
    text[0] = '\0';
    while (next_term(&shape, &t)) {
        const char *comma = used > 0 ? ", " : "";
        size_t known = t.letter == '\0' ? 1 : plan->dimensions[t.letter - 'A'];
        char number[24] = "";
        if (known > 0 || t.times > 1) {
            (void)snprintf(number, sizeof number, "%zu", known > 0 ? known * t.times : t.times);
        }
        used += (size_t)snprintf(text + used, LP_SHAPE_TEXT - used, "%s%s%s", comma, number,
                                 known > 0 ? "" : (char[]){t.letter, '\0'});
    }
    return text;
}

const char *lp_shape_text(const lp_tensor *tensor, char text[LP_SHAPE_TEXT]) {
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < tensor->rank; i++) {
        used += (size_t)snprintf(text + used, LP_SHAPE_TEXT - used, "%s%zu", i > 0 ? ", " : "",
                                 tensor->shape[i]);
    }
    return text;
}

/* Compares shapes; a dimension that is not known yet is learnt. */
static bool fits(lp_weight_plan *plan, const char *shape, const lp_tensor *tensor) {
    size_t learnt[26];
    term t;
    int rank = 0;
    memcpy(learnt, plan->dimensions, sizeof learnt);
    for (; next_term(&shape, &t); rank++) {
        size_t found = rank < tensor->rank ? tensor->shape[rank] : 0;
        if (found == 0 || found % t.times != 0) {
            return false;
        }
        size_t one = 1;
        size_t *size = t.letter == '\0' ? &one : &learnt[t.letter - 'A'];
        *size = *size == 0 ? found / t.times : *size;
        if (*size != found / t.times) {
            return false;
        }
    }
    if (rank != tensor->rank) {
        return false;
    }
    memcpy(plan->dimensions, learnt, sizeof learnt);
    return true;
}

/* ---- checking -------------------------------------------------------------------------------- */

void lp_plan_problem(lp_weight_plan *plan, const char *format, ...) {
    char line[LP_FILE_NAME + 300];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    bool all_shown = plan->shown == plan->problems;
    plan->problems++;
    if (all_shown && plan->used + strlen(line) + 4 < sizeof plan->text) {
        plan->used += (size_t)snprintf(plan->text + plan->used, sizeof plan->text - plan->used,
                                       "\n  %s", line);
        plan->shown++;
    }
}

/* What the file would call a missing weight, if the problem will be shown: it takes time. */
static const char *missing_name(const lp_weight_plan *plan, const lp_weight *weight,
                                const lp_view *view, char name[LP_FILE_NAME]) {
    if (plan->shown < plan->problems) {
        return weight->name;
    }
    lp_view_file_name(view, weight->name, name);
    return name;
}

/* Returns the weight's tensor, NULL where it is missing. */
static const lp_view_item *check_weight(lp_weight_plan *plan, lp_weight *weight,
                                        const lp_view *view) {
    char expected[LP_SHAPE_TEXT], found[LP_SHAPE_TEXT], name[LP_FILE_NAME];
    const lp_view_item *item = lp_view_find(view, weight->name);
    const lp_tensor *tensor = item != NULL ? item->tensor : NULL;
    size_t problems = plan->problems;
    weight->tensor = tensor;
    if (tensor == NULL) {
        lp_plan_problem(plan, "%s: missing, expected [%s]", missing_name(plan, weight, view, name),
                        expected_text(plan, weight->shape, expected));
        return NULL;
    }
    if (!fits(plan, weight->shape, tensor)) {
        lp_plan_problem(plan, "%s: expected [%s], found [%s]", tensor->name,
                        expected_text(plan, weight->shape, expected), lp_shape_text(tensor, found));
    }
    if (tensor->dtype != LP_DTYPE_F16 && tensor->dtype != LP_DTYPE_BF16 &&
        tensor->dtype != LP_DTYPE_F32 && tensor->dtype != LP_DTYPE_F64) {
        lp_plan_problem(plan, "%s: expected type F16, BF16, F32 or F64, found %s", tensor->name,
                        tensor->dtype_name);
    }
    if (tensor->count > INT_MAX) { /* also bounds every product's size and stride */
        lp_plan_problem(plan, "%s: %zu values, expected at most %d", tensor->name, tensor->count,
                        INT_MAX);
    }
    plan->matched += plan->problems == problems;
    return item;
}

static bool begins_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

static bool is_ignored(const char *name, const char *const *ignored) {
    for (; ignored != NULL && *ignored != NULL; ignored++) {
        if (**ignored == '*' ? lp_text_ends(name, *ignored + 1) : begins_with(name, *ignored)) {
            return true;
        }
    }
    return false;
}

/* ---- what lies beside an encoder ------------------------------------------------------------- */

/* Words in the names of modules that use features and make none, and of second models. */
static const char *const beside[] = {
    "head",     "project", "predict", "decoder", "classif", "proto",     "queue", "loss",
    "momentum", "teacher", "student", "target",  "online",  "encoder_k", "_ema",  "ema_"};
/* The same, as whole names. */
static const char *const beside_whole[] = {"fc",          "linear",     "center",
                                           "logit_scale", "logit_bias", "n_averaged",
                                           "ema",         "module",     "_orig_mod"};
/* Words in the names of what takes part in making features. */
static const char *const inside[] = {"norm", "token", "embed", "pos",  "rope",  "patch", "pool",
                                     "stem", "neck",  "cls",   "reg",  "block", "layer", "conv",
                                     "bn",   "ln",    "down",  "rel",  "scale", "gamma", "mask",
                                     "attn", "trans", "time",  "gate", "adapt", "lora",  "prompt"};

static bool has_word(const char *name, size_t length, const char *const *words, size_t count) {
    for (size_t w = 0; w < count; w++) {
        size_t size = strlen(words[w]);
        for (size_t i = 0; i + size <= length; i++) {
            if (memcmp(name + i, words[w], size) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* Whether a name's first part is so. */
static bool has_part(const char *name, const char *part, size_t length) {
    return strncmp(name, part, length) == 0 && (name[length] == '.' || name[length] == '\0');
}

/* Whether a module of the view, items first to end, is no part of the encoder: a classifier's head,
 * a projector, a second model.  A module that the plan has weights of is a part.  Of others the
 * name decides, and where that says nothing, a module of linear layers and norms alone is taken for
 * a head.  A tensor without a module is a part of the encoder. */
static bool is_beside(const lp_weight_plan *plan, const lp_view *view, size_t first, size_t end) {
    const char *part = view->items[first].name;
    size_t length = strcspn(part, ".");
    bool flat = true;
    for (size_t i = first; i < end; i++) {
        if (plan->uses[i] == LP_USE_PLANNED) {
            return false;
        }
        flat = flat && view->items[i].tensor->rank <= 2;
    }
    if (has_word(part, length, beside, COUNT(beside)) ||
        lp_text_in(beside_whole, COUNT(beside_whole), part, length)) {
        return true;
    }
    if (part[length] == '\0' || has_word(part, length, inside, COUNT(inside))) {
        return false;
    }
    return flat;
}

/* Of a tensor that is not planned, whose module is beside the encoder or not.  Where the family
 * names the outermost module ("visual."), all in it is the encoder; where it names none, heads may
 * stand beside the encoder's own modules. */
static lp_use use_of(const char *name, const char *inner, const char *const *ignored,
                     bool module_beside) {
    size_t module = strcspn(inner, ".");
    if (!has_part(name, inner, module) && module > 0) {
        return LP_USE_OUTSIDE;
    }
    if (begins_with(name, inner) && is_ignored(name + strlen(inner), ignored)) {
        return LP_USE_IGNORED;
    }
    return module == 0 && module_beside ? LP_USE_BESIDE : LP_USE_UNKNOWN;
}

/* What the tensors of one module are that the plan has no use for; names of a module follow each
 * other. */
static void judge_module(lp_weight_plan *plan, const lp_view *view, const char *inner,
                         const char *const *ignored, size_t first, size_t end) {
    bool module_beside = is_beside(plan, view, first, end);
    for (size_t i = first; i < end; i++) {
        if (plan->uses[i] == LP_USE_PLANNED) {
            continue;
        }
        plan->uses[i] = use_of(view->items[i].name, inner, ignored, module_beside);
        if (plan->uses[i] == LP_USE_UNKNOWN) {
            lp_plan_problem(plan, "%.128s: no such tensor in this family",
                            view->items[i].tensor->name);
        }
    }
}

void lp_plan_check(lp_weight_plan *plan, const lp_view *view, const char *inner,
                   const char *const *ignored) {
    plan->uses = lp_alloc_zeroed(view->count, sizeof *plan->uses);
    plan->no_memory = plan->no_memory || plan->uses == NULL;
    for (size_t i = 0; plan->uses != NULL && i < plan->count; i++) {
        const lp_view_item *item = check_weight(plan, &plan->weights[i], view);
        if (item != NULL) {
            plan->uses[item - view->items] = LP_USE_PLANNED;
        }
    }
    for (size_t i = 0, end; plan->uses != NULL && i < view->count; i = end) {
        const char *part = view->items[i].name;
        size_t length = strcspn(part, ".");
        for (end = i + 1; end < view->count && has_part(view->items[end].name, part, length);) {
            end++;
        }
        judge_module(plan, view, inner, ignored, i, end);
    }
}

lp_status lp_plan_report(const lp_weight_plan *plan, const lp_checkpoint *ckpt, const char *family,
                         const char *where, lp_error *err) {
    char more[48] = "";
    if (plan->no_memory) {
        return lp_fail_memory(err, "the plan of an encoder's weights", 2 * plan->room,
                              sizeof *plan->weights);
    }
    if (plan->problems == 0) {
        return LP_OK;
    }
    if (plan->shown < plan->problems) {
        (void)snprintf(more, sizeof more, "\n  ... and %zu more", plan->problems - plan->shown);
    }
    return lp_fail(err, LP_ERR_FORMAT, "%s: not a whole %s model%s, %zu tensors are wrong:%s%s",
                   lp_checkpoint_path(ckpt), family, where, plan->problems, plan->text, more);
}

/* ---- reading --------------------------------------------------------------------------------- */

static size_t aligned(size_t floats) {
    return (floats + 15) / 16 * 16; /* 64 bytes */
}

/* Whether a tensor has been planned before weight i, which may take another part of it, or it
 * again. */
static bool is_planned(const lp_weight_plan *plan, size_t i) {
    for (size_t k = 0; k < i; k++) {
        if (plan->weights[k].tensor == plan->weights[i].tensor) {
            return true;
        }
    }
    return false;
}

uint64_t lp_plan_parameters(const lp_weight_plan *plan) {
    uint64_t parameters = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const lp_weight *weight = &plan->weights[i];
        if (!lp_text_ends(weight->name, ".running_mean") &&
            !lp_text_ends(weight->name, ".running_var") && !is_planned(plan, i)) {
            parameters += weight->tensor->count;
        }
    }
    return parameters;
}

/* Where weight i begins, when the one before it ends at `end`. */
static size_t begin_of(const lp_weight *weight, size_t end) {
    return weight->to != NULL ? aligned(end) : end;
}

size_t lp_plan_floats(const lp_weight *weight) {
    size_t own = weight->aside ? 0 : weight->tensor->count;
    return own > weight->room ? own : weight->room;
}

lp_status lp_plan_read(const lp_weight_plan *plan, lp_checkpoint *ckpt, size_t threads,
                       float **arena, lp_error *err) {
    size_t floats = 0;
    for (size_t i = 0; i < plan->count; i++) {
        floats = begin_of(&plan->weights[i], floats) + lp_plan_floats(&plan->weights[i]);
    }
    lp_tensor_read *reads = lp_alloc(plan->count, sizeof *reads);
    *arena = lp_alloc(floats, sizeof **arena);
    lp_status status;
    size_t end = 0, count = 0;
    LP_TRY(lp_allocated(reads, "an encoder's weights", floats, sizeof **arena, err));
    LP_TRY(lp_allocated(*arena, "an encoder's weights", floats, sizeof **arena, err));
    for (size_t i = 0; i < plan->count; i++) {
        const lp_weight *weight = &plan->weights[i];
        size_t begin = begin_of(weight, end);
        end = begin + lp_plan_floats(weight);
        if (!weight->aside) {
            reads[count++] = (lp_tensor_read){weight->tensor, *arena + begin};
        }
        if (weight->to != NULL) {
            *weight->to = *arena + begin;
        }
    }
    status = lp_checkpoint_read(ckpt, reads, count, threads, err);
done:
    if (status != LP_OK) {
        lp_free(*arena);
        *arena = NULL;
    }
    lp_free(reads);
    return status;
}

void lp_plan_free(lp_weight_plan *plan) {
    lp_free(plan->weights);
    lp_free(plan->uses);
    *plan = (lp_weight_plan){0};
}
