/* The search for an image encoder; selection.h has its steps.
 *
 * The order among whole encoders of one file, and its sources:
 *   averaged weights before raw ones    timm models/_helpers.py, load_state_dict: use_ema
 *   teacher and target before others    facebookresearch/dino eval_linear.py, msn, ijepa
 *   others before student and online
 *   copies that follow by momentum last facebookresearch/moco, moco-v3 main_lincls.py
 *   behind them what is no model        gradients, masks, an optimizer's averages, earlier weights
 *   then the place with the shortest name, then the first by name */
#include "model/selection.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/note.h"
#include "ckpt/tensor_index.h"
#include "model/families.h"
#include "model/model_config.h"

enum { MOST_PLACES = 128, SHOWN = 12, TEXT_ROOM = 2400 };

/* Where an encoder of a family may lie. */
typedef struct candidate {
    const lp_family *family;
    const char *inner;
    const char *name; /* of a tensor there: its first outer_length characters are the candidate */
    size_t outer_length;
    int selected; /* how well it is what the caller names: lower is better */
    bool whole;
} candidate;

typedef struct places_asked {
    lp_checkpoint *ckpt;
    const lp_encoder_options *options;
    candidate places[MOST_PLACES];
    size_t count;
    bool too_many; /* there are more */
} places_asked;

/* ---- where it may lie ------------------------------------------------------------------------ */

/* The whole prefix of a place, outer and inner part. */
static size_t prefix_length(const candidate *p) {
    return p->outer_length + strlen(p->inner);
}

static bool same_prefix(const candidate *a, const candidate *b) {
    size_t length = prefix_length(a);
    return length == prefix_length(b) && strncmp(a->name, b->name, length) == 0;
}

static bool has_one(const places_asked *s, const candidate *p,
                    const char *const names[LP_FAMILY_NAMES]) {
    char name[LP_NAME_MAX + LP_PLAN_NAME];
    for (size_t i = 0; i < LP_FAMILY_NAMES && names[i] != NULL; i++) {
        (void)snprintf(name, sizeof name, "%.*s%s", (int)prefix_length(p), p->name, names[i]);
        if (lp_checkpoint_find(s->ckpt, name) != NULL) {
            return true;
        }
    }
    return false;
}

/* How well a place is what the caller names; lower is better. */
enum { SELECTED, LIES_IN_IT, HAS_IT, NOT_SELECTED };

/* Of a key or prefix with a dot at its end. */
static int judge_wanted(const char *full, size_t outer, const char *wanted) {
    size_t length = strlen(wanted);
    if (length == 0) { /* of wraps alone */
        return LIES_IN_IT;
    }
    if (strncmp(full, wanted, length) == 0) {
        return full[length] == '\0' || length == outer ? SELECTED : LIES_IN_IT;
    }
    for (const char *dot = strchr(full, '.'); dot != NULL; dot = strchr(dot + 1, '.')) {
        if (strncmp(dot + 1, wanted, length) == 0) {
            return HAS_IT;
        }
    }
    return NOT_SELECTED;
}

/* Of a key or prefix as the file has it, or without what wraps names.  "": the top of the file. */
static int judge_selected(const candidate *p, const char *select) {
    char wanted[LP_NAME_MAX + 2], bare[LP_NAME_MAX + 2], full[LP_NAME_MAX + LP_PLAN_NAME];
    size_t length = select != NULL ? strlen(select) : 0;
    if (select == NULL || (length == 0 && p->outer_length == 0)) {
        return SELECTED;
    }
    if (length == 0 || length > LP_NAME_MAX) {
        return NOT_SELECTED;
    }
    (void)snprintf(wanted, sizeof wanted, "%s%s", select, select[length - 1] != '.' ? "." : "");
    (void)lp_index_unwrap(wanted, bare);
    (void)snprintf(full, sizeof full, "%.*s", (int)prefix_length(p), p->name);
    int as_is = judge_wanted(full, p->outer_length, wanted);
    int unwrapped = judge_wanted(full, p->outer_length, bare);
    return as_is <= unwrapped ? as_is : unwrapped;
}

/* Whether a name ends with a prefix and a marker, as whole parts. */
static bool ends_so(const char *name, const char *inner, const char *marker, size_t *outer) {
    size_t length = strlen(name), first = strlen(inner), second = strlen(marker);
    if (length < first + second) {
        return false;
    }
    *outer = length - first - second;
    return strcmp(name + *outer + first, marker) == 0 &&
           strncmp(name + *outer, inner, first) == 0 && (*outer == 0 || name[*outer - 1] == '.');
}

/* Whether a place has the matrix that its family asks for. */
static bool has_matrix(const places_asked *s, const candidate *p) {
    char name[LP_NAME_MAX + LP_PLAN_NAME];
    if (p->family->matrix == NULL) {
        return true;
    }
    (void)snprintf(name, sizeof name, "%.*s%s", (int)prefix_length(p), p->name, p->family->matrix);
    const lp_tensor *tensor = lp_checkpoint_find(s->ckpt, name);
    return tensor != NULL && tensor->rank == 2;
}

static void add_place(places_asked *s, const candidate *p) {
    const lp_family *f = p->family;
    for (size_t i = 0; i < s->count; i++) {
        if (s->places[i].family == f && same_prefix(&s->places[i], p)) {
            return;
        }
    }
    if ((f->with[0] != NULL && !has_one(s, p, f->with)) || has_one(s, p, f->without) ||
        !has_matrix(s, p)) {
        return;
    }
    if (s->count == MOST_PLACES) {
        s->too_many = true;
        return;
    }
    s->places[s->count++] = *p;
}

/* All, or only those that the caller names. */
static void find_places(places_asked *s, bool named) {
    s->count = 0;
    s->too_many = false;
    for (size_t f = 0; f < lp_family_count; f++) {
        const lp_family *family = &lp_families[f];
        if (family->by_name &&
            lp_family_architecture(family, lp_checkpoint_path(s->ckpt)) == NULL) {
            continue;
        }
        for (size_t p = 0; p < LP_FAMILY_NAMES && family->prefixes[p] != NULL; p++) {
            for (size_t i = 0; i < lp_checkpoint_count(s->ckpt); i++) {
                candidate found = {.family = family,
                                   .inner = family->prefixes[p],
                                   .name = lp_checkpoint_tensor(s->ckpt, i)->name};
                for (size_t m = 0; m < LP_FAMILY_NAMES && family->any[m] != NULL; m++) {
                    if (ends_so(found.name, found.inner, family->any[m], &found.outer_length)) {
                        found.selected = judge_selected(&found, s->options->select);
                        if (!named || found.selected < NOT_SELECTED) {
                            add_place(s, &found);
                        }
                    }
                }
            }
        }
    }
}

/* ---- the order ------------------------------------------------------------------------------- */

/* Whether a text begins with a word of small letters, whatever its own case. */
static bool is_word(const char *text, const char *word, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != word[i]) {
            return false;
        }
    }
    return true;
}

/* Whether a word ends between two letters: "model_ema", "model-ema", "modelEMA". */
static bool is_border(char before, char behind) {
    bool small = (before >= 'a' && before <= 'z') || (before >= '0' && before <= '9');
    return strchr("._-", before) != NULL || strchr("._-", behind) != NULL ||
           (small && behind >= 'A' && behind <= 'Z');
}

/* Whether a prefix has a word that no letter stands before or behind. */
static bool has_word(const char *prefix, size_t length, const char *word) {
    size_t size = strlen(word);
    for (size_t i = 0; i + size <= length; i++) {
        bool begins = i == 0 || is_border(prefix[i - 1], prefix[i]);
        char behind = i + size < length ? prefix[i + size] : '.';
        if (begins && is_border(prefix[i + size - 1], behind) && is_word(prefix + i, word, size)) {
            return true;
        }
    }
    return false;
}

static bool has_any(const candidate *p, const char *const *words) {
    for (; *words != NULL; words++) {
        if (has_word(p->name, p->outer_length, *words)) {
            return true;
        }
    }
    return false;
}

/* Lower is better. */
static int rank(const candidate *p) {
    static const char *const none[] = {
        /* what has the shapes of weights and is no model */
        "optim",   "optimizer", "exp_avg",   "exp_avg_sq", "grad",
        "grads",   "gradient",  "gradients", "velocity",   "momentum_buffer",
        "mask",    "masks",     "fisher",    "importance", "delta",
        "error",   "noise",     "var",       "variance",   "init",
        "initial", "old",       "prev",      "previous",   NULL};
    static const char *const averaged[] = {"ema", "averaged", "average", "averages", "avg",
                                           "swa", "polyak",   "shadow",  NULL};
    static const char *const first[] = {"teacher", "target", NULL};
    static const char *const last[] = {"student", "online", NULL};
    static const char *const copies[] = {"momentum", "encoder_k", "encoder_key", "key_encoder",
                                         NULL};
    int role = has_any(p, first) ? 0 : has_any(p, copies) ? 3 : has_any(p, last) ? 2 : 1;
    return has_any(p, none) ? 8 : role + (has_any(p, averaged) ? 0 : 4);
}

static bool is_better(const candidate *a, const candidate *b) {
    if (a->selected != b->selected) {
        return a->selected < b->selected;
    }
    if (rank(a) != rank(b)) {
        return rank(a) < rank(b);
    }
    return prefix_length(a) < prefix_length(b);
}

/* ---- one place ------------------------------------------------------------------------------- */

static lp_status open_place(const places_asked *s, const candidate *p, lp_selection *out,
                            lp_error *err) {
    lp_source *source = &out->source;
    lp_status status;
    *out = (lp_selection){.source = {.ckpt = s->ckpt,
                                     .family = p->family,
                                     .prefix = p->inner,
                                     .outer = p->name,
                                     .outer_length = p->outer_length,
                                     .options = s->options}};
    (void)snprintf(out->prefix, sizeof out->prefix, "%.*s", (int)prefix_length(p), p->name);
    LP_TRY(lp_view_open(s->ckpt, p->name, p->outer_length, p->inner, p->family->renames,
                        &source->view, err));
    LP_TRY(p->family->tower->plan(source, &out->plan, &out->tower, err));
    if (out->plan.no_memory) {
        LP_TRY(lp_fail_memory(err, "the plan of an encoder's weights", out->plan.count,
                              sizeof *out->plan.weights));
    }
done:
    return status;
}

void lp_selection_free(lp_selection *selection) {
    if (selection->tower != NULL) {
        selection->source.family->tower->free(selection->tower);
    }
    selection->tower = NULL;
    lp_plan_free(&selection->plan);
    lp_view_free(&selection->source.view);
}

/* ---- what is said ---------------------------------------------------------------------------- */

static void put_place(lp_note *note, const candidate *p) {
    size_t length = prefix_length(p);
    if (length > 0) {
        lp_note_put(note, "'%.*s'", (int)length, p->name);
    } else {
        lp_note_put(note, "the top of the file (select '')");
    }
}

/* Returns whether there are others. */
static bool say_others(const places_asked *s, const candidate *taken, lp_note *note) {
    size_t others = 0;
    for (size_t i = 0; i < s->count; i++) {
        const candidate *p = &s->places[i];
        if (!p->whole || p == taken) {
            continue;
        }
        if (others++ == 0) {
            lp_note_put(note, "of several encoders, the one at ");
            put_place(note, taken);
            lp_note_put(note, " is taken (averaged weights first, then teacher or target, then "
                              "student; option 'select'); the others: ");
        } else {
            lp_note_put(note, ", ");
        }
        put_place(note, p);
    }
    return others > 0;
}

/* The part of a name that a group of tensors outside the encoder shares: one part more than the
 * name shares with the encoder's prefix. */
static size_t group_length(const char *name, const char *prefix) {
    size_t common = 0;
    for (size_t i = 0; prefix[i] != '\0' && prefix[i] == name[i]; i++) {
        common = prefix[i] == '.' ? i + 1 : common;
    }
    return common + strcspn(name + common, ".");
}

/* Lists what lies beside the encoder and in the rest of the file, by modules. */
static lp_status say_passed_over(const places_asked *s, lp_selection *chosen, lp_note *note,
                                 lp_error *err) {
    const lp_source *source = &chosen->source;
    size_t count = lp_checkpoint_count(s->ckpt), groups = 0;
    bool *passed = lp_alloc_zeroed(count + 1, sizeof *passed);
    lp_status status;
    LP_TRY(lp_allocated(passed, "names of tensors", count + 1, sizeof *passed, err));
    for (size_t i = 0; i < count; i++) {
        passed[i] = strncmp(lp_checkpoint_tensor(s->ckpt, i)->name, source->outer,
                            source->outer_length) != 0;
    }
    for (size_t i = 0; i < source->view.count; i++) {
        passed[lp_checkpoint_place(s->ckpt, source->view.items[i].tensor)] =
            chosen->plan.uses[i] == LP_USE_BESIDE;
    }
    for (size_t i = 0, end; i < count; i = end) {
        const char *name = lp_checkpoint_tensor(s->ckpt, i)->name;
        size_t length = group_length(name, chosen->prefix);
        for (end = i; end < count && passed[end]; end++) {
            const char *other = lp_checkpoint_tensor(s->ckpt, end)->name;
            if (strncmp(other, name, length) != 0 || strcspn(other + length, ".") != 0) {
                break;
            }
        }
        if (end > i) {
            const char *start = groups++ > 0     ? ", "
                                : note->used > 0 ? "; passed over: "
                                                 : "passed over: ";
            lp_note_put(note, "%s%.*s (%zu tensor%s)", start, (int)length, name, end - i,
                        end - i == 1 ? "" : "s");
        } else {
            end = i + 1;
        }
    }
done:
    lp_free(passed);
    return status;
}

/* ---- none ------------------------------------------------------------------------------------ */

/* Names and shapes of the file, those that differ in numbers alone once. */
static void show_file(const places_asked *s, lp_note *note) {
    char last[SHOWN][LP_NAME_MAX + 1];
    size_t shown = 0, count = lp_checkpoint_count(s->ckpt);
    for (size_t i = 0; i < count && shown < SHOWN; i++) {
        const lp_tensor *tensor = lp_checkpoint_tensor(s->ckpt, i);
        char *out = last[shown], shape[LP_SHAPE_TEXT];
        bool known = false;
        size_t used = 0;
        for (const char *c = tensor->name; *c != '\0';) { /* parts that are numbers become '#' */
            size_t digits = strspn(c, "0123456789");
            bool number = digits > 0 && (c == tensor->name || c[-1] == '.') &&
                          (c[digits] == '.' || c[digits] == '\0');
            out[used++] = number ? '#' : *c;
            c += number ? digits : 1;
        }
        out[used] = '\0';
        for (size_t k = 0; k < shown; k++) {
            known = known || strcmp(last[k], out) == 0;
        }
        if (!known) {
            lp_note_put(note, "\n  %.128s [%s]", out, lp_shape_text(tensor, shape));
            shown++;
        }
    }
    lp_note_put(note, "%s", shown == SHOWN ? "\n  ..." : "");
}

/* Whether a tensor of the file, or of a place in it, has this in its name. */
static bool has_part(const places_asked *s, const candidate *place, const char *part) {
    for (size_t i = 0; i < lp_checkpoint_count(s->ckpt); i++) {
        const char *name = lp_checkpoint_tensor(s->ckpt, i)->name;
        if ((place == NULL || strncmp(name, place->name, place->outer_length) == 0) &&
            strstr(name, part) != NULL) {
            return true;
        }
    }
    return false;
}

/* What the file, or the nearest place in it, looks like to somebody who knows more kinds than this
 * program computes. */
static const char *stranger(const places_asked *s, const candidate *place) {
    for (const lp_stranger *known = lp_strangers; known->tensor != NULL; known++) {
        if ((place == NULL || !known->alone) && has_part(s, place, known->tensor) &&
            (known->with == NULL || has_part(s, place, known->with)) &&
            (known->without == NULL || !has_part(s, place, known->without))) {
            return known->what;
        }
    }
    return NULL;
}

/* Whether a place's tensors are empty, as DeepSpeed leaves them in a file beside the parts. */
static bool is_empty(const places_asked *s, const candidate *place) {
    for (size_t i = 0; i < lp_checkpoint_count(s->ckpt); i++) {
        const lp_tensor *tensor = lp_checkpoint_tensor(s->ckpt, i);
        if (strncmp(tensor->name, place->name, prefix_length(place)) == 0 && tensor->count > 0) {
            return false;
        }
    }
    return true;
}

static lp_status refuse_unknown(const places_asked *s, lp_error *err) {
    char text[TEXT_ROOM] = "";
    lp_note note = {text, sizeof text, 0};
    char named[160] = "";
    lp_note name = {named, sizeof named, 0};
    const char *what = stranger(s, NULL);
    show_file(s, &note);
    lp_model_config_name(s->ckpt, &name);
    return lp_fail(
        err, LP_ERR_UNSUPPORTED,
        "%s: no supported image encoder among its %zu tensors%s%s%s; expected, anywhere in "
        "the file, names as of timm, Hugging Face, OpenAI's CLIP or torchvision "
        "(patch_embed.proj.weight, embeddings.patch_embeddings.projection.weight, "
        "visual.conv1.weight, layer1.0.conv1.weight); found:%s",
        lp_checkpoint_path(s->ckpt), lp_checkpoint_count(s->ckpt), named, what != NULL ? ": " : "",
        what != NULL ? what : "", text);
}

/* Of a file whose places of no family are the one that the caller names: all places are known. */
static lp_status refuse_select(const places_asked *s, lp_error *err) {
    char text[TEXT_ROOM] = "";
    lp_note note = {text, sizeof text, 0};
    for (size_t i = 0; i < s->count; i++) {
        bool shown = false; /* of an earlier family */
        for (size_t j = 0; j < i; j++) {
            shown = shown || same_prefix(&s->places[j], &s->places[i]);
        }
        if (!shown) {
            lp_note_put(&note, "%s", i > 0 ? ", " : "");
            put_place(&note, &s->places[i]);
        }
    }
    return lp_fail(err, LP_ERR_ARGUMENT, "%s: select '%.100s': no encoder lies there; expected %s",
                   lp_checkpoint_path(s->ckpt), s->options->select, text);
}

static lp_status refuse_many(const places_asked *s, lp_error *err) {
    return lp_fail(
        err, LP_ERR_UNSUPPORTED,
        "%s: encoders may lie at more than %d places among its %zu tensors, as at '%.*s'; "
        "name one key or prefix (option 'select')",
        lp_checkpoint_path(s->ckpt), MOST_PLACES, lp_checkpoint_count(s->ckpt),
        (int)prefix_length(&s->places[0]), s->places[0].name);
}

/* best: the place of the most tensors that are as they should be. */
static lp_status refuse_partial(const places_asked *s, const candidate *best, lp_error *err) {
    char text[TEXT_ROOM] = "";
    lp_note note = {text, sizeof text, 0};
    lp_selection partial;
    const char *what = is_empty(s, best)
                           ? "empty tensors, as of DeepSpeed's ZeRO stage 3: put its parts "
                             "together with zero_to_fp32.py"
                           : stranger(s, best);
    lp_status status;
    LP_TRY(open_place(s, best, &partial, err));
    lp_model_config_name(s->ckpt, &note);
    if (best->outer_length > 0) {
        lp_note_put(&note, " at '%.*s'", (int)best->outer_length, best->name);
    }
    if (what != NULL) {
        lp_note_put(&note, " (%s)", what);
    }
    status = lp_plan_report(&partial.plan, s->ckpt, best->family->name, text, err);
done:
    lp_selection_free(&partial);
    return status;
}

/* ---- the search ------------------------------------------------------------------------------ */

/* Asks every place; leaves the best whole encoder in *out, and its place or, of none, that of the
 * most fitting tensors in *best; NULL where no place is the one that the caller names. */
static lp_status ask_places(places_asked *s, lp_selection *out, const candidate **best,
                            lp_error *err) {
    size_t most = 0;
    const candidate *nearest = NULL, *taken = NULL;
    lp_status status = LP_OK;
    for (size_t i = 0; i < s->count; i++) {
        candidate *p = &s->places[i];
        lp_selection here;
        bool known = false; /* an earlier family has the same prefix */
        for (size_t j = 0; j < i; j++) {
            known = known || (s->places[j].whole && same_prefix(&s->places[j], p));
        }
        if (known) {
            continue;
        }
        status = open_place(s, p, &here, err);
        p->whole = status == LP_OK && here.plan.problems == 0;
        bool named = p->selected < NOT_SELECTED;
        if (named && p->whole && (taken == NULL || is_better(p, taken))) {
            lp_selection worse = *out;
            *out = here;
            here = worse;
            taken = p;
        }
        if (named && (nearest == NULL || here.plan.matched > most)) {
            most = here.plan.matched;
            nearest = p;
        }
        lp_selection_free(&here);
        LP_TRY(status);
    }
    *best = taken != NULL ? taken : nearest;
done:
    return status;
}

lp_status lp_selection_find(lp_checkpoint *ckpt, const lp_encoder_options *options,
                            lp_selection *selection, lp_error *err) {
    places_asked *s = lp_alloc_zeroed(1, sizeof *s);
    lp_note note = {selection->said, sizeof selection->said, 0};
    const candidate *best = NULL;
    lp_status status;
    *selection = (lp_selection){0};
    LP_TRY(lp_allocated(s, "a search", 1, sizeof *s, err));
    s->ckpt = ckpt;
    s->options = options;
    find_places(s, false);
    bool too_many = s->too_many;
    if (too_many && options->select != NULL) {
        find_places(s, true);
    }
    if (s->too_many) {
        LP_TRY(refuse_many(s, err));
    }
    LP_TRY(ask_places(s, selection, &best, err));
    if (best != NULL && best->whole && options->select == NULL &&
        has_word(best->name, best->outer_length, "patch_embed")) {
        status = lp_fail(err, LP_ERR_UNSUPPORTED,
                         "%s: a hybrid: the network below '%.*s' makes the patches of a vision "
                         "transformer, and hybrids are not supported",
                         lp_checkpoint_path(ckpt), (int)best->outer_length, best->name);
    } else if (best != NULL && best->whole) {
        selection->one_of_several = say_others(s, best, &note) || too_many;
        status = say_passed_over(s, selection, &note, err);
    } else {
        status = best != NULL                ? refuse_partial(s, best, err)
                 : s->count > 0 && !too_many ? refuse_select(s, err)
                 : too_many                  ? refuse_many(s, err)
                                             : refuse_unknown(s, err);
    }
done:
    lp_free(s);
    return status;
}
