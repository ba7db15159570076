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

static lp_status find_labels(const char *path, char *const *texts, size_t count,
                             const char *const *names, size_t classes, int64_t *labels,
                             lp_error *err) {
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < classes && strcmp(names[k], texts[i]) != 0) {
            k++;
        }
        if (k == classes) {
            return lp_fail(err, LP_ERR_DATA,
                           "%s: row %zu: expected one of the %zu classes, found '%.80s'", path, i,
                           classes, texts[i]);
        }
        labels[i] = (int64_t)k;
    }
    return LP_OK;
}

/* The same by bisection, where the names are the sorted ones. */
static void place_labels(char *const *texts, size_t count, char *const *names, size_t classes,
                         int64_t *labels) {
    for (size_t i = 0; i < count; i++) {
        char *const *found = bsearch(&texts[i], names, classes, sizeof *names, lp_text_order);
        labels[i] = found - names;
    }
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
        return find_labels(path, texts, count, *names, *classes, labels, err);
    }
    memcpy(sorted, texts, count * sizeof *texts);
    qsort(sorted, count, sizeof *sorted, lp_text_order);
    *classes = lp_text_unique(sorted, count);
    place_labels(texts, count, sorted, *classes, labels);
    *names = (const char *const *)sorted;
done:
    return status;
}
