/* Views of a checkpoint: a range of its ordered names, and new names for some of them. */
#include "model/tensor_view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { MOST_NUMBERS = 4, NAME_ROOM = 640 };

/* ---- new names ------------------------------------------------------------------------------- */

/* Whether a name begins as the pattern says; its numbers, and how long that beginning is. */
static bool matches(const char *pattern, const char *name, unsigned long numbers[MOST_NUMBERS],
                    size_t *length) {
    const char *start = name;
    size_t count = 0;
    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '#') {
            if (*name++ != *pattern) {
                return false;
            }
            continue;
        }
        char *end;
        if (*name < '0' || *name > '9' || (name[0] == '0' && name[1] >= '0' && name[1] <= '9') ||
            count == MOST_NUMBERS) {
            return false;
        }
        numbers[count++] = strtoul(name, &end, 10);
        name = end;
        if (end - start > 400) { /* of names that mean nothing */
            return false;
        }
    }
    *length = (size_t)(name - start);
    return true;
}

/* Writes what takes the pattern's place: returns its length. */
static size_t fill_in(const char *to, const unsigned long numbers[MOST_NUMBERS],
                      char out[NAME_ROOM]) {
    size_t used = 0;
    while (*to != '\0' && used + 32 < NAME_ROOM) {
        if (*to != '{') {
            out[used++] = *to++;
            continue;
        }
        unsigned long number = numbers[to[1] - '0'];
        bool more = to[2] == '+';
        used += (size_t)snprintf(out + used, 24, "%lu", number + (more ? 1 : 0));
        to += more ? 5 : 3; /* "{0+1}" or "{0}" */
    }
    return used;
}

/* name: behind the inner prefix.  False where no rule speaks of it. */
static bool rename_one(const lp_rename *rules, const char *name, char out[NAME_ROOM]) {
    unsigned long numbers[MOST_NUMBERS] = {0};
    size_t length;
    for (; rules != NULL && rules->from != NULL; rules++) {
        if (matches(rules->from, name, numbers, &length)) {
            size_t used = fill_in(rules->to, numbers, out);
            (void)snprintf(out + used, NAME_ROOM - used, "%s", name + length);
            return true;
        }
    }
    return false;
}

/* ---- views ----------------------------------------------------------------------------------- */

static int compare_items(const void *a, const void *b) {
    return strcmp(((const lp_view_item *)a)->name, ((const lp_view_item *)b)->name);
}

/* The first tensor whose name is not less than the prefix. */
static size_t first_of(const lp_checkpoint *ckpt, const char *prefix, size_t length) {
    size_t low = 0, high = lp_checkpoint_count(ckpt);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strncmp(lp_checkpoint_tensor(ckpt, middle)->name, prefix, length) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void order(lp_view *view) {
    if (view->count > 0) {
        qsort(view->items, view->count, sizeof *view->items, compare_items);
    }
}

static bool has_twins(const lp_view *view) {
    for (size_t i = 1; i < view->count; i++) {
        if (compare_items(&view->items[i - 1], &view->items[i]) == 0) {
            return true;
        }
    }
    return false;
}

static lp_status rename_items(lp_view *view, const char *inner, const lp_rename *renames,
                              bool *renamed, lp_error *err) {
    size_t skip = strlen(inner);
    *renamed = false;
    char name[NAME_ROOM];
    lp_status status = LP_OK;
    for (size_t i = 0; i < view->count; i++) {
        lp_view_item *item = &view->items[i];
        if (strncmp(item->name, inner, skip) == 0 && rename_one(renames, item->name + skip, name)) {
            size_t length = strlen(name);
            char *copy = lp_memory_take(&view->memory, skip + length + 1, 1);
            LP_TRY(lp_memory_check(&view->memory, "names of tensors", err));
            memcpy(copy, inner, skip);
            memcpy(copy + skip, name, length + 1);
            item->name = copy;
            *renamed = true;
        }
    }
done:
    return status;
}

lp_status lp_view_open(const lp_checkpoint *ckpt, const char *outer, size_t outer_length,
                       const char *inner, const lp_rename *renames, lp_view *view, lp_error *err) {
    size_t first = first_of(ckpt, outer, outer_length), end = first;
    lp_status status;
    while (end < lp_checkpoint_count(ckpt) &&
           strncmp(lp_checkpoint_tensor(ckpt, end)->name, outer, outer_length) == 0) {
        end++;
    }
    *view = (lp_view){.ckpt = ckpt,
                      .count = end - first,
                      .outer = outer,
                      .outer_length = outer_length,
                      .inner = inner};
    view->items = lp_memory_take(&view->memory, view->count, sizeof *view->items);
    LP_TRY(lp_memory_check(&view->memory, "names of tensors", err));
    for (size_t i = 0; i < view->count; i++) {
        const lp_tensor *tensor = lp_checkpoint_tensor(ckpt, first + i);
        view->items[i] = (lp_view_item){tensor->name + outer_length, tensor};
    }
    if (renames != NULL) {
        bool renamed;
        LP_TRY(rename_items(view, inner, renames, &renamed, err));
        order(view);
        view->renames = renamed && !has_twins(view) ? renames : NULL;
        if (renamed && view->renames == NULL) {
            for (size_t i = 0; i < view->count; i++) {
                view->items[i].name = view->items[i].tensor->name + outer_length;
            }
            order(view);
        }
    }
done:
    return status;
}

void lp_view_free(lp_view *view) {
    lp_memory_free(&view->memory);
    *view = (lp_view){0};
}

const lp_view_item *lp_view_find(const lp_view *view, const char *name) {
    const lp_view_item key = {.name = name};
    return view->count == 0
               ? NULL
               : bsearch(&key, view->items, view->count, sizeof *view->items, compare_items);
}

/* ---- names of the file ----------------------------------------------------------------------- */

/* A rule turned round: the numbers that a new name has; `given` of those. */
typedef struct turned {
    unsigned long numbers[MOST_NUMBERS];
    bool given[MOST_NUMBERS];
} turned;

/* Whether a new name begins as a rule makes it; its numbers, and how long that beginning is. */
static bool is_made_by(const char *to, const char *name, turned *t, size_t *length) {
    const char *start = name;
    *t = (turned){0};
    while (*to != '\0') {
        if (*to != '{') {
            if (*name++ != *to++) {
                return false;
            }
            continue;
        }
        char *end;
        unsigned long more = to[2] == '+' ? 1 : 0, number = strtoul(name, &end, 10);
        size_t place = (size_t)(to[1] - '0');
        if (*name < '0' || *name > '9' || number < more) {
            return false;
        }
        t->numbers[place] = number - more;
        t->given[place] = true;
        name = end;
        to += more > 0 ? 5 : 3;
    }
    *length = (size_t)(name - start);
    return true;
}

/* The numbers in a tensor's own name; false: the rule does not rename it. */
static bool numbers_of(const lp_view *view, const lp_rename *rule, size_t i,
                       unsigned long numbers[MOST_NUMBERS]) {
    size_t inner = strlen(view->inner), length;
    const char *name = view->items[i].tensor->name + view->outer_length;
    return strncmp(name, view->inner, inner) == 0 &&
           matches(rule->from, name + inner, numbers, &length);
}

/* Looks for a tensor that the rule renames, with the numbers that are given, and takes the others
 * from it. */
static bool find_example(const lp_view *view, const lp_rename *rule, turned *t) {
    for (size_t i = 0; i < view->count; i++) {
        turned found = {0};
        bool same = numbers_of(view, rule, i, found.numbers);
        for (size_t n = 0; n < MOST_NUMBERS && same; n++) {
            same = !t->given[n] || t->numbers[n] == found.numbers[n];
        }
        if (same) {
            memcpy(t->numbers, found.numbers, sizeof t->numbers);
            return true;
        }
    }
    return false;
}

/* Takes the numbers that are not given from all tensors that the rule renames, where they agree. */
static bool find_agreed(const lp_view *view, const lp_rename *rule, turned *t) {
    bool some = false;
    for (size_t i = 0; i < view->count; i++) {
        turned found = {0};
        bool fits = numbers_of(view, rule, i, found.numbers);
        for (size_t n = 0; n < MOST_NUMBERS && fits; n++) {
            if (!t->given[n] && some && t->numbers[n] != found.numbers[n]) {
                return false;
            }
            t->numbers[n] = t->given[n] ? t->numbers[n] : found.numbers[n];
        }
        some = some || fits;
    }
    return some;
}

static bool has_all(const lp_rename *rule, const turned *t) {
    size_t count = 0;
    for (const char *c = rule->from; *c != '\0'; c++) {
        count += *c == '#';
    }
    for (size_t n = 0; n < count; n++) {
        if (!t->given[n]) {
            return false;
        }
    }
    return true;
}

/* The old name's beginning: returns its length. */
static size_t fill_back(const char *from, const turned *t, char *out, size_t room) {
    size_t used = 0, next = 0;
    for (; *from != '\0' && used + 32 < room; from++) {
        if (*from == '#') {
            used += (size_t)snprintf(out + used, 24, "%lu", t->numbers[next++]);
        } else {
            out[used++] = *from;
        }
    }
    return used;
}

void lp_view_file_name(const lp_view *view, const char *name, char out[LP_FILE_NAME]) {
    size_t inner = strlen(view->inner);
    int begin =
        snprintf(out, LP_FILE_NAME, "%.*s%s", (int)view->outer_length, view->outer, view->inner);
    bool ours = strncmp(name, view->inner, inner) == 0, filled = false;
    const char *rest = ours ? name + inner : name;
    size_t start = ours ? (size_t)begin : view->outer_length;
    (void)snprintf(out + start, LP_FILE_NAME - start, "%s", rest);
    for (const lp_rename *rule = view->renames; ours && rule != NULL && rule->from != NULL;
         rule++) {
        turned exact, any = {0};
        size_t length;
        if (!is_made_by(rule->to, rest, &exact, &length)) {
            continue;
        }
        bool used = find_example(view, rule, &any); /* the file follows this rule */
        if ((filled && !used) || (!has_all(rule, &exact) && !find_example(view, rule, &exact) &&
                                  !find_agreed(view, rule, &exact))) {
            continue;
        }
        size_t back = fill_back(rule->from, &exact, out + start, LP_FILE_NAME - start);
        (void)snprintf(out + start + back, LP_FILE_NAME - start - back, "%s", rest + length);
        filled = true;
        if (used) {
            break;
        }
    }
}
