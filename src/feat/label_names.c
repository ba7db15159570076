/* Labels that are texts.
 *
 *   texts [N] -> each as UTF-8 -> sorted, without repetitions: the classes -> place of each */
#include "feat/label_names.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

enum { TEXT_ROOM = 4096 };

/* The texts, in memory. */
static lp_status read_texts(const char *path, const unsigned char *bytes, const lp_npy *npy,
                            size_t count, lp_memory *memory, char **texts, lp_error *err) {
    char text[TEXT_ROOM];
    lp_status status = LP_OK;
    for (size_t i = 0; i < count; i++) {
        size_t length = lp_npy_text(npy, bytes + npy->offset, i, text, sizeof text);
        if (length == SIZE_MAX || length == 0) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                           "%s: row %zu: expected the name of a class, found %s", path, i,
                           length == 0 ? "none" : "what is no text"));
        }
        texts[i] = lp_memory_take(memory, length + 1, 1);
        LP_TRY(lp_memory_check(memory, path, err));
        memcpy(texts[i], text, length + 1);
    }
done:
    return status;
}

/* A class's name; it comes first, so that entries are ordered as strings are. */
typedef struct class_name {
    const char *name;
    int64_t label;
} class_name;

/* By their names, and of equal ones by their numbers. */
static int by_name(const void *a, const void *b) {
    const class_name *x = a, *y = b;
    int order = lp_text_order(a, b);
    return order != 0 ? order : (x->label > y->label) - (x->label < y->label);
}

/* The place of each text among the names [classes], by bisection; of equal names the first. */
static lp_status find_labels(const char *path, char *const *texts, size_t count,
                             const char *const *names, size_t classes, lp_memory *memory,
                             int64_t *labels, lp_error *err) {
    class_name *sorted = lp_memory_take(memory, classes, sizeof *sorted);
    lp_status status;
    LP_TRY(lp_memory_check(memory, path, err));
    for (size_t k = 0; k < classes; k++) {
        sorted[k] = (class_name){names[k], (int64_t)k};
    }
    qsort(sorted, classes, sizeof *sorted, by_name);
    for (size_t i = 0; i < count; i++) {
        class_name wanted = {texts[i], 0};
        size_t low = 0, high = classes;
        while (low < high) {
            size_t middle = low + (high - low) / 2;
            bool below = by_name(&sorted[middle], &wanted) < 0;
            low = below ? middle + 1 : low;
            high = below ? high : middle;
        }
        if (low == classes || strcmp(sorted[low].name, texts[i]) != 0) {
            return lp_fail(err, LP_ERR_DATA,
                           "%s: row %zu: expected one of the %zu classes, found '%.80s'", path, i,
                           classes, texts[i]);
        }
        labels[i] = sorted[low].label;
    }
done:
    return status;
}

lp_status lp_label_names_read(const char *path, const unsigned char *bytes, const lp_npy *npy,
                              size_t count, lp_memory *memory, const char *const **names,
                              size_t *classes, int64_t *labels, lp_error *err) {
    bool one_a_row = npy->rank == 1 || (npy->rank == 2 && npy->shape[1] == 1);
    lp_status status;
    if (!one_a_row || npy->count != count) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected %zu texts, one a row of the features, found rank %d with %zu",
                       path, count, npy->rank, npy->count);
    }
    char **texts = lp_memory_take(memory, count, sizeof *texts);
    char **sorted = lp_memory_take(memory, count, sizeof *sorted);
    LP_TRY(lp_memory_check(memory, path, err));
    LP_TRY(read_texts(path, bytes, npy, count, memory, texts, err));
    if (*names != NULL) {
        return find_labels(path, texts, count, *names, *classes, memory, labels, err);
    }
    memcpy(sorted, texts, count * sizeof *texts);
    qsort(sorted, count, sizeof *sorted, lp_text_order);
    *classes = lp_text_unique(sorted, count);
    *names = (const char *const *)sorted;
    status = find_labels(path, texts, count, *names, *classes, memory, labels, err);
done:
    return status;
}
