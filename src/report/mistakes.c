/* Misclassified images.
 *
 *     predictions, confidences [N] -> rows that are wrong, by falling confidence, then by number
 *       -> the first of them: pixels uint8 [H, W, 3], large ones made smaller, and class names
 *       -> contact sheet */
#include "report/mistakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/memory.h"
#include "linprobe/image.h"
#include "report/contact_sheet.h"

/* ---- the data set of a feature set ----------------------------------------------------------- */

static lp_status check(const lp_features *test, const lp_dataset *data, lp_error *err) {
    const lp_dataset_info *info = lp_dataset_describe(data);
    const lp_provenance *p = test->provenance;
    const char *digest = p != NULL && p->data.sha256 != NULL ? p->data.sha256 : info->digest;
    const int64_t *labels = lp_dataset_labels(data);
    if (strcmp(digest, info->digest) != 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: its records have SHA-256 %s, but %s was made from %s", info->source,
                       info->digest, test->path, digest);
    }
    if (info->count != test->count) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: %zu images, but %s has %zu", info->source,
                       info->count, test->path, test->count);
    }
    if (info->multilabel || test->marks != NULL) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "%s: an image has several labels", info->source);
    }
    for (size_t i = 0; i < test->count; i++) {
        if (labels[i] != test->labels[i]) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: image %zu has label %lld, but in %s it is %lld", info->source, i,
                           (long long)labels[i], test->path, (long long)test->labels[i]);
        }
    }
    return LP_OK;
}

lp_status lp_mistakes_open(const lp_features *test, const char *path, lp_dataset **data,
                           lp_error *err) {
    const lp_provenance *p = test->provenance;
    /* the digest decides on the images */
    lp_dataset_options options = {.split = LP_SPLIT_TEST, .skip_broken = true};
    lp_status status;
    if (p != NULL && p->recorded) {
        options.split = p->data.split;
        options.labels = p->data.labels;
    }
    if (p != NULL) {
        options.test_share = p->data.test_share;
        options.split_seed =
            p->data.split_seed > 0 ? p->data.split_seed : p->data.choice_seed; /* one seed */
        options.per_class = p->data.per_class;
        options.limit = p->data.limit;
    }
    *data = NULL;
    LP_TRY(lp_dataset_open_with(path, &options, data, err));
    LP_TRY(check(test, *data, err));
done:
    if (status != LP_OK) {
        lp_dataset_close(*data);
        *data = NULL;
    }
    return status;
}

/* ---- the sheet ------------------------------------------------------------------------------- */

enum { SIDE_MAX = 160 };

typedef struct mistake {
    double confidence;
    size_t row;
} mistake;

static int by_confidence(const void *a, const void *b) {
    const mistake *x = a, *y = b;
    if (x->confidence != y->confidence) {
        return x->confidence < y->confidence ? 1 : -1;
    }
    return (x->row > y->row) - (x->row < y->row);
}

/* Image `row`, its longer side at most SIDE_MAX, in `memory`. */
static lp_status load_one(const lp_dataset *data, size_t row, lp_contact *image, lp_memory *memory,
                          lp_error *err) {
    size_t height, width;
    lp_dataset_image_size(data, row, &height, &width);
    size_t longer = height > width ? height : width, side = longer < SIDE_MAX ? longer : SIDE_MAX;
    unsigned char *shown, *whole = NULL;
    lp_status status;
    image->height = (height * side + longer - 1) / longer;
    image->width = (width * side + longer - 1) / longer;
    image->rgb = shown = lp_memory_take(memory, image->height, image->width * 3);
    LP_TRY(lp_memory_check(memory, "contact sheet", err));
    if (side == longer) {
        return lp_dataset_image(data, row, shown, err);
    }
    whole = lp_alloc(height, width * 3);
    LP_TRY(lp_allocated(whole, "contact sheet", height, width * 3, err));
    LP_TRY(lp_dataset_image(data, row, whole, err));
    LP_TRY(lp_image_resize(LP_FILTER_BICUBIC, whole, height, width, shown, image->height,
                           image->width, err));
done:
    lp_free(whole);
    return status;
}

/* The sheet of the first `count` of all mistakes that were found. */
static lp_status fill(const lp_evaluation *e, const lp_dataset *data, const mistake *found_at,
                      size_t found, size_t count, lp_mistakes *m, lp_error *err) {
    const char **names = m->names = lp_evaluation_names(e);
    lp_contact *images = lp_memory_take(&m->memory, count, sizeof *images);
    lp_status status;
    LP_TRY(lp_allocated((const void *)names, "contact sheet", e->classes, sizeof *names, err));
    LP_TRY(lp_memory_check(&m->memory, "contact sheet", err));
    for (size_t i = 0; i < count; i++) {
        size_t row = found_at[i].row;
        images[i].truth = names[e->test->labels[row]];
        images[i].predicted = names[e->predicted[row]];
        images[i].confidence = found_at[i].confidence;
        LP_TRY(load_one(data, row, &images[i], &m->memory, err));
    }
    (void)snprintf(m->title, sizeof m->title,
                   count < found
                       ? "%zu of %zu misclassified images, the most confident mistakes first"
                       : "%zu misclassified images, the most confident mistakes first",
                   count, found);
    m->sheet = (lp_contact_sheet){.title = m->title, .images = images, .count = count};
done:
    return status;
}

lp_status lp_mistakes_find(const lp_evaluation *e, const lp_dataset *data, size_t most,
                           lp_mistakes *mistakes, lp_error *err) {
    size_t found = 0;
    mistake *found_at = lp_alloc(e->test->count, sizeof *found_at);
    lp_status status;
    *mistakes = (lp_mistakes){0};
    LP_TRY(lp_allocated(found_at, "mistakes", e->test->count, sizeof *found_at, err));
    for (size_t i = 0; i < e->test->count; i++) {
        if (e->predicted[i] != e->test->labels[i]) {
            found_at[found++] = (mistake){e->confidence[i], i};
        }
    }
    qsort(found_at, found, sizeof *found_at, by_confidence);
    if (found > 0) {
        LP_TRY(fill(e, data, found_at, found, found < most ? found : most, mistakes, err));
    }
done:
    lp_free(found_at);
    return status;
}

void lp_mistakes_clear(lp_mistakes *mistakes) {
    lp_memory_free(&mistakes->memory);
    lp_free((void *)mistakes->names);
    *mistakes = (lp_mistakes){0};
}
