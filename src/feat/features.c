/* The feature set on disk.
 *
 * Opening: features [N, F] and labels [N] as arrays of NumPy's (array_files.c); where the values
 * are float32, little-endian and row-major (as this program and NumPy write them) x is those bytes
 * themselves, otherwise a converted copy.  Then every value is checked to be finite, every label to
 * be in range, and the SHA-256 that meta.json records, if any, to be that of the files.
 *
 * Several sets side by side: each is opened, they are compared, and the rows are copied together;
 * then the parts' own features are given back. */
#include "linprobe/features.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/team.h"
#include "feat/array_files.h"
#include "feat/label_names.h"
#include "feat/meta_json.h"
#include "base/npy.h"

enum { MOST_PARTS = 64 };

typedef struct feature_set {
    lp_features public; /* first, so that a pointer to it is a pointer to this */
    lp_array_file x, labels;
    float *x_copy;
    int64_t *labels_copy;
    int8_t *marks;
    char *path;
    lp_provenance_file *provenance;
    char digest[LP_DIGEST_HEX];
    lp_memory names_of_classes; /* where the labels are texts */
    /* of several sets side by side: */
    struct feature_set **sets; /* [part_count] */
    char *names;               /* their paths, one after the other */
    lp_part *parts;            /* [part_count] */
    lp_provenance joined;      /* also of a set whose labels alone name its classes */
} feature_set;

static lp_status load_values(feature_set *set, lp_error *err) {
    lp_features *f = &set->public;
    const char *path = set->x.path;
    const lp_npy *npy = &set->x.npy;
    const unsigned char *data = set->x.bytes + npy->offset;
    if (npy->kind != 'f' || npy->rank != 2 || npy->count == 0) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected floats of shape [N, F], found kind '%c' of rank %d with %zu "
                       "elements",
                       path, npy->kind, npy->rank, npy->count);
    }
    f->count = npy->shape[0];
    f->width = npy->shape[1];
    if (npy->item == 4 && !npy->big_endian && !npy->fortran_order && npy->offset % 4 == 0) {
        f->x = (const float *)(const void *)data;
    } else {
        set->x_copy = lp_alloc(npy->count, sizeof(float));
        if (set->x_copy == NULL) {
            return lp_fail_memory(err, path, npy->count, sizeof(float));
        }
        for (size_t i = 0; i < f->count; i++) {
            for (size_t j = 0; j < f->width; j++) {
                size_t k = npy->fortran_order ? j * f->count + i : i * f->width + j;
                set->x_copy[i * f->width + j] = (float)lp_npy_real(npy, data, k);
            }
        }
        f->x = set->x_copy;
    }
    lp_share own = lp_team_share(f->count); /* other ranks look at the others */
    for (size_t k = own.first * f->width; k < own.end * f->width; k++) {
        if (!isfinite(f->x[k])) {
            return lp_fail(err, LP_ERR_DATA,
                           "%s: row %zu, column %zu: expected a finite float32, found %g", path,
                           k / f->width, k % f->width, (double)f->x[k]);
        }
    }
    return LP_OK;
}

/* Labels that are texts: meta.json's names decide on the numbers, else the texts themselves. */
static lp_status load_names(feature_set *set, lp_error *err) {
    lp_features *f = &set->public;
    bool known = f->class_names != NULL;
    lp_status status;
    LP_TRY(lp_label_names_read(set->labels.path, set->labels.bytes, &set->labels.npy, f->count,
                               &set->names_of_classes, &f->class_names, &f->classes,
                               set->labels_copy, err));
    if (!known) {
        if (f->provenance != NULL) {
            set->joined = *f->provenance;
        }
        set->joined.data.classes = f->classes;
        set->joined.data.class_names = f->class_names;
        f->provenance = &set->joined;
    }
done:
    return status;
}

/* Several labels an image: a matrix [N, K]. */
static bool are_marks(const lp_npy *npy, size_t count) {
    return npy->rank == 2 && npy->shape[0] == count && npy->shape[1] > 1 && !lp_npy_is_text(npy);
}

static lp_status load_marks(feature_set *set, lp_error *err) {
    lp_features *f = &set->public;
    const lp_npy *npy = &set->labels.npy;
    const unsigned char *data = set->labels.bytes + npy->offset;
    size_t K = npy->shape[1];
    if (K > LP_NPY_MAX_LABELS || (f->classes > 0 && K != f->classes)) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: several labels an image: expected a column for each of the %zu "
                       "classes, found %zu",
                       set->labels.path, f->classes, K);
    }
    set->marks = lp_alloc(npy->count, sizeof *set->marks);
    if (set->marks == NULL) {
        return lp_fail_memory(err, set->labels.path, npy->count, sizeof *set->marks);
    }
    for (size_t at = 0; at < npy->count; at++) {
        size_t i = at / K, k = at % K;
        double value = lp_npy_real(npy, data, npy->fortran_order ? k * f->count + i : at);
        set->marks[at] = (int8_t)(value > 0 ? 1 : value < 0 ? -1 : 0);
        if (!(value - (double)set->marks[at] == 0)) { /* NOLINT: exactly; NaN, too */
            return lp_fail(err, LP_ERR_DATA,
                           "%s: row %zu, class %zu: expected 0 or 1, or -1 for neither, found %g",
                           set->labels.path, i, k, value);
        }
    }
    f->marks = set->marks;
    f->classes = K;
    return LP_OK;
}

static lp_status load_labels(feature_set *set, lp_error *err) {
    lp_features *f = &set->public;
    if (are_marks(&set->labels.npy, f->count)) {
        return load_marks(set, err);
    }
    const char *path = set->labels.path;
    size_t limit = f->classes > 0 ? f->classes : LP_NPY_MAX_LABELS;
    set->labels_copy = lp_alloc(f->count, sizeof(int64_t));
    if (set->labels_copy == NULL) {
        return lp_fail_memory(err, path, f->count, sizeof(int64_t));
    }
    f->labels = set->labels_copy;
    if (lp_npy_is_text(&set->labels.npy)) {
        return load_names(set, err);
    }
    lp_status status = lp_npy_labels(path, set->labels.bytes, &set->labels.npy, f->count, limit,
                                     set->labels_copy, err);
    for (size_t i = 0; status == LP_OK && limit != f->classes && i < f->count; i++) {
        size_t label = (size_t)f->labels[i];
        f->classes = label >= f->classes ? label + 1 : f->classes;
    }
    return status;
}

static lp_status load_meta(feature_set *set, lp_error *err) {
    lp_features *f = &set->public;
    char *path = lp_path_join(set->path, "meta.json");
    json_t *meta = NULL;
    lp_status status;
    LP_TRY(lp_allocated(path, set->path, 1, 1, err));
    if (!lp_is_file(path)) {
        goto done;
    }
    LP_TRY(lp_json_read(path, &meta, err));
    LP_TRY(lp_provenance_read(path, meta, &set->provenance, err));
    f->provenance = lp_provenance_of(set->provenance);
    f->digest = f->provenance->sha256 != NULL ? f->provenance->sha256 : "";
    f->classes = f->provenance->data.classes;
    f->class_names = f->provenance->data.class_names;
done:
    json_decref(meta);
    lp_free(path);
    return status;
}

/* Without a recorded digest the set gets its own, so that results can always be traced to it. */
static lp_status check_digest(feature_set *set, lp_error *err) {
    char *hex = set->digest;
    const lp_block blocks[] = {{set->x.bytes, set->x.size}, {set->labels.bytes, set->labels.size}};
    lp_status status;
    LP_TRY(lp_team_digest(set->path, blocks, 2, hex, err));
    if (set->public.digest[0] == '\0') {
        set->public.digest = hex;
    } else if (strcmp(hex, set->public.digest) != 0) {
        status = lp_fail(err, LP_ERR_DATA,
                         "%s: features and labels have SHA-256 %s, but meta.json records %s",
                         set->path, hex, set->public.digest);
    }
done:
    return status;
}

static lp_status open_arrays(feature_set *set, lp_error *err) {
    lp_status status = LP_OK;
    if (!lp_is_file(set->path)) {
        LP_TRY(load_meta(set, err));
    }
    status = lp_array_files_open(set->path, &set->x, &set->labels, err);
done:
    return status;
}

static lp_status open_set(feature_set *set, lp_error *err) {
    lp_status status;
    LP_TRY(open_arrays(set, err));
    LP_TRY(check_digest(set, err));
    LP_TRY(load_values(set, err));
    LP_TRY(load_labels(set, err));
done:
    return status;
}

/* ---- several sets side by side --------------------------------------------------------------- */

static bool lies_there(const char *path) {
    return lp_is_file(path) || lp_is_folder(path);
}

/* Puts ends in the place of the plus signs between paths that exist, the shortest ones first;
 * returns how many paths there are, 0 where the text is no such list. */
static size_t split_paths(char *text, size_t most) {
    for (char *plus = strchr(text, '+'); most > 1 && plus != NULL; plus = strchr(plus + 1, '+')) {
        *plus = '\0';
        size_t rest = lies_there(text) ? split_paths(plus + 1, most - 1) : 0;
        if (rest > 0) {
            return rest + 1;
        }
        *plus = '+';
    }
    return lies_there(text) ? 1 : 0;
}

/* Of a text that is no list of paths: the first one between plus signs that leads nowhere. */
static lp_status refuse_list(const char *path, char *text, lp_error *err) {
    const char *part = text;
    for (char *plus = strchr(text, '+'); plus != NULL && *part != '\0';) {
        *plus = '\0';
        if (!lies_there(part)) {
            break;
        }
        part = plus + 1;
        plus = strchr(part, '+');
    }
    return lp_fail(err, LP_ERR_IO,
                   "%s: nothing has this name; as feature sets side by side: nothing lies at '%s'",
                   path, part);
}

static lp_status check_part(const lp_features *first, const lp_features *part, lp_error *err) {
    const lp_provenance *a = first->provenance, *b = part->provenance;
    if (part->count != first->count) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s has %zu rows, but %s has %zu", part->path,
                       part->count, first->path, first->count);
    }
    for (size_t i = 0; i < part->count; i++) {
        if (part->labels[i] != first->labels[i]) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: the label of row %zu is %lld, but in %s it is %lld", part->path, i,
                           (long long)part->labels[i], first->path, (long long)first->labels[i]);
        }
    }
    for (size_t k = 0; part->class_names != NULL && first->class_names != NULL &&
                       k < part->classes && k < first->classes;
         k++) {
        if (strcmp(part->class_names[k], first->class_names[k]) != 0) {
            return lp_fail(err, LP_ERR_ARGUMENT, "%s: class %zu is %s, but in %s it is %s",
                           part->path, k, part->class_names[k], first->path, first->class_names[k]);
        }
    }
    bool known = a != NULL && b != NULL && a->data.sha256 != NULL && b->data.sha256 != NULL;
    if (known && strcmp(a->data.sha256, b->data.sha256) != 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s was made from other images than %s, or from the same in another order",
                       part->path, first->path);
    }
    return LP_OK;
}

/* Copies the rows of the parts side by side, and gives back each part's own. */
static lp_status join_rows(feature_set *set, size_t count, lp_error *err) {
    lp_features *f = &set->public;
    set->x_copy = lp_alloc(f->count, f->width * sizeof *set->x_copy);
    if (set->x_copy == NULL) {
        return lp_fail_memory(err, set->path, f->count, f->width * sizeof *set->x_copy);
    }
    for (size_t p = 0, column = 0; p < count; p++) {
        feature_set *part = set->sets[p];
        size_t width = part->public.width;
        for (size_t i = 0; i < f->count; i++) {
            memcpy(set->x_copy + i * f->width + column, part->public.x + i * width,
                   width * sizeof *set->x_copy);
        }
        column += width;
        lp_array_file_clear(&part->x);
        lp_free(part->x_copy);
        part->x = (lp_array_file){.path = NULL};
        part->x_copy = NULL;
        part->public.x = NULL;
    }
    f->x = set->x_copy;
    return LP_OK;
}

/* The whole's digest: of the lines of its parts' digests. */
static lp_status join_digests(feature_set *set, size_t count, lp_error *err) {
    lp_digest *digest = NULL;
    lp_status status;
    LP_TRY(lp_digest_new(LP_SHA256, &digest, err));
    for (size_t p = 0; p < count; p++) {
        const char *hex = set->sets[p]->public.digest;
        LP_TRY(lp_digest_add(digest, hex, strlen(hex), err));
        LP_TRY(lp_digest_add(digest, "\n", 1, err));
    }
    LP_TRY(lp_digest_hex(digest, set->digest, err));
    set->public.digest = set->digest;
done:
    lp_digest_free(digest);
    return status;
}

static void join_provenance(feature_set *set, size_t count) {
    static const lp_provenance unknown;
    const lp_provenance *first = set->sets[0]->public.provenance;
    for (size_t p = 0; p < count; p++) {
        const lp_features *part = &set->sets[p]->public;
        set->parts[p] = (lp_part){part->path, part->digest, part->width,
                                  part->provenance != NULL ? part->provenance : &unknown};
    }
    set->joined = (lp_provenance){.parts = set->parts, .part_count = count};
    if (first != NULL) {
        set->joined.data = first->data;
    }
    set->public.provenance = &set->joined;
}

static lp_status open_parts(feature_set *set, size_t count, lp_error *err) {
    lp_features *f = &set->public;
    const char *name = set->names;
    lp_status status;
    set->sets = lp_alloc_zeroed(count + 1, sizeof(feature_set *)); /* NULL ends it */
    set->parts = lp_alloc_zeroed(count, sizeof *set->parts);
    LP_TRY(lp_allocated((void *)set->sets, set->path, count, sizeof(feature_set *), err));
    LP_TRY(lp_allocated(set->parts, set->path, count, sizeof *set->parts, err));
    for (size_t p = 0; p < count; p++, name += strlen(name) + 1) {
        lp_features *part;
        LP_TRY(lp_features_open(name, &part, err));
        set->sets[p] = (feature_set *)(void *)part;
        LP_TRY(p > 0 ? check_part(&set->sets[0]->public, part, err) : LP_OK);
        f->width += part->width;
        f->classes = part->classes > f->classes ? part->classes : f->classes;
        f->class_names = f->class_names != NULL ? f->class_names : part->class_names;
    }
    f->count = set->sets[0]->public.count;
    f->labels = set->sets[0]->public.labels;
    LP_TRY(join_rows(set, count, err));
    LP_TRY(join_digests(set, count, err));
    join_provenance(set, count);
done:
    return status;
}

lp_status lp_features_open(const char *path, lp_features **features, lp_error *err) {
    lp_status status = lp_features_open_any(path, features, err);
    if (status == LP_OK && (*features)->marks != NULL) {
        lp_features_close(*features);
        *features = NULL;
        status = lp_fail(
            err, LP_ERR_UNSUPPORTED,
            "%s: its images have several labels each (multi-label): there are fit, sweep, eval and "
            "compare of such a set, by one-vs-rest, and nothing else",
            path);
    }
    return status;
}

lp_status lp_features_open_any(const char *path, lp_features **features, lp_error *err) {
    feature_set *set = lp_alloc_zeroed(1, sizeof *set);
    lp_status status;
    *features = NULL;
    LP_TRY(lp_allocated(set, path, 1, sizeof *set, err));
    set->public.digest = "";
    set->public.path = set->path = lp_strdup(path);
    LP_TRY(lp_allocated(set->path, path, 1, 1, err));
    set->names = lp_strdup(path);
    LP_TRY(lp_allocated(set->names, path, 1, 1, err));
    size_t parts = lies_there(path) ? 1 : split_paths(set->names, MOST_PARTS);
    if (parts == 0 && strchr(path, '+') != NULL) {
        LP_TRY(refuse_list(path, set->names, err));
    }
    LP_TRY(parts > 1 ? open_parts(set, parts, err) : open_set(set, err));
    *features = &set->public;
    set = NULL;
done:
    lp_features_close(set != NULL ? &set->public : NULL);
    return status;
}

void lp_features_close(lp_features *features) {
    if (features != NULL) {
        feature_set *set = (feature_set *)(void *)features;
        lp_array_file_clear(&set->x);
        lp_array_file_clear(&set->labels);
        lp_free(set->x_copy);
        lp_free(set->labels_copy);
        lp_free(set->marks);
        lp_free(set->path);
        lp_memory_free(&set->names_of_classes);
        lp_provenance_close(set->provenance);
        for (size_t p = 0; set->sets != NULL && set->sets[p] != NULL; p++) {
            lp_features_close(&set->sets[p]->public);
        }
        lp_free((void *)set->sets);
        lp_free(set->parts);
        lp_free(set->names);
        lp_free(set);
    }
}
