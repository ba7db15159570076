/* Provenance to and from meta.json, and the comparison of two of them.
 *
 *   meta.json = format, count, width, inputs, weights, encoder, data, made_by, sha256
 *
 * A key that is added here is written by its part's function below, read by the function of the
 * same name, and compared in lp_provenance_match if values depend on it. */
#include "feat/meta_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json_row.h"
#include "base/text.h"

/* Grows by one when the same inputs give other values than before. */
enum { FEATURE_FORMAT = 2 };

/* ---- to JSON --------------------------------------------------------------------------------- */

/* The shortest text of nine digits at most that is this float again; '.' in every locale. */
static json_t *float_text(float value) {
    char text[32];
    (void)snprintf(text, sizeof text, "%.9g", (double)value);
    char *comma = strchr(text, ',');
    if (comma != NULL) {
        *comma = '.';
    }
    return json_string(text);
}

/* An array of `count` values; NULL where memory is short. */
static json_t *float_texts(const float *values, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, float_text(values[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *texts(const char *const *values, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, lp_json_any_text(values[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *integers(const int64_t *values, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (json_array_append_new(array, json_integer(values[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static bool has_encoder(const lp_encoding *e) {
    return e->activation != NULL;
}

static json_t *preprocess_json(const lp_preprocess *p) {
    lp_row row = lp_row_new();
    lp_row_count(&row, "resize", p->resize);
    lp_row_count(&row, "crop", p->crop);
    lp_row_text(&row, "filter", lp_filter_name(p->filter));
    lp_row_flag(&row, "squash", p->squash);
    lp_row_put(&row, "mean", float_texts(p->mean, 3));
    lp_row_put(&row, "std", float_texts(p->std, 3));
    return lp_row_end(&row);
}

json_t *lp_provenance_inputs(const lp_provenance *p) {
    const lp_encoding *e = &p->encoder;
    const lp_data_record *d = &p->data;
    lp_row row = lp_row_new();
    lp_row_count(&row, "feature_format", FEATURE_FORMAT);
    lp_row_text(&row, "family", e->family);
    lp_row_text(&row, "weights_sha256", e->weights.sha256);
    lp_row_text(&row, "feature", e->feature);
    lp_row_flag(&row, "normalize", e->normalize);
    lp_row_text(&row, "data_sha256", d->sha256);
    lp_row_text(&row, "split", lp_split_name(d->split));
    lp_row_text(&row, "labels", lp_label_kind_name(d->labels));
    lp_row_count(&row, "images", d->images);
    if (has_encoder(e)) {
        lp_row_text(&row, "activation", e->activation);
        lp_row_text(&row, "pool", e->pool);
        lp_row_text(&row, "precision", e->precision);
        lp_row_count(&row, "heads", e->heads);
        lp_row_put(&row, "norm_eps", float_text(e->norm_eps));
        lp_row_put(&row, "preprocess", preprocess_json(&e->preprocess));
    }
    return lp_row_end(&row);
}

json_t *lp_provenance_weights(const lp_provenance *p) {
    const lp_origin *w = &p->encoder.weights;
    if (!has_encoder(&p->encoder)) {
        return json_null();
    }
    lp_row row = lp_row_new();
    lp_row_text(&row, "path", w->path);
    lp_row_text(&row, "format", w->format);
    lp_row_text(&row, "official", w->official);
    lp_row_text(&row, "sha256", w->sha256);
    return lp_row_end(&row);
}

json_t *lp_provenance_encoder(const lp_provenance *p) {
    const lp_encoding *e = &p->encoder;
    if (!has_encoder(e)) {
        return json_null();
    }
    lp_row row = lp_row_new();
    lp_row_text(&row, "name", e->name);
    lp_row_count(&row, "input_size", e->input_size);
    lp_row_count(&row, "width", e->width);
    lp_row_count(&row, "layers", e->layers);
    lp_row_count(&row, "heads", e->heads);
    lp_row_count(&row, "parameters", e->parameters);
    return lp_row_end(&row);
}

json_t *lp_provenance_data(const lp_provenance *p, lp_detail detail) {
    const lp_data_record *d = &p->data;
    bool all = detail == LP_DETAIL_ALL;
    lp_row row = lp_row_new();
    lp_row_text(&row, "name", d->name);
    lp_row_text(&row, "source", d->source);
    lp_row_text(&row, "official", d->official);
    lp_row_count(&row, "classes", d->classes);
    if (all && d->class_names != NULL) {
        lp_row_put(&row, "class_names", texts(d->class_names, d->classes));
    }
    if (all && d->superclass_of != NULL) {
        lp_row_put(&row, "superclass_of", integers(d->superclass_of, d->classes));
        lp_row_put(&row, "superclass_names", texts(d->superclass_names, d->superclasses));
    }
    if (d->image_folder) {
        lp_row_real(&row, "test_share", d->test_share);
        lp_row_count(&row, "split_seed", d->split_seed);
        lp_row_count(&row, "ignored", d->ignored);
        lp_row_put(&row, "skipped", texts(d->skipped_names, d->skipped));
    }
    return lp_row_end(&row);
}

static json_t *made_by_json(const lp_provenance *p) {
    lp_row machine = lp_row_new(), row = lp_row_new();
    lp_row_flag(&machine, "fused_multiply_add", p->fused_multiply_add);
    lp_row_text(&row, "linprobe", p->linprobe);
    lp_row_text(&row, "command", p->command);
    lp_row_put(&row, "machine", lp_row_end(&machine));
    return lp_row_end(&row);
}

/* A part that a set of pixels has not is left out. */
static void put_part(lp_row *row, const char *key, json_t *part) {
    if (!json_is_null(part)) {
        lp_row_put(row, key, part);
    }
}

json_t *lp_provenance_json(const lp_provenance *p, size_t rows, size_t width, const char *sha256,
                           lp_detail detail) {
    lp_row row = lp_row_new();
    lp_row_text(&row, "format", "linprobe feature set");
    lp_row_count(&row, "count", rows);
    lp_row_count(&row, "width", width);
    lp_row_put(&row, "inputs", lp_provenance_inputs(p));
    put_part(&row, "weights", lp_provenance_weights(p));
    put_part(&row, "encoder", lp_provenance_encoder(p));
    lp_row_put(&row, "data", lp_provenance_data(p, detail));
    lp_row_put(&row, "made_by", made_by_json(p));
    lp_row_text(&row, "sha256", sha256);
    return lp_row_end(&row);
}

lp_status lp_provenance_key(const lp_provenance *p, char hex[LP_DIGEST_HEX], lp_error *err) {
    json_t *inputs = lp_provenance_inputs(p);
    char *text = inputs != NULL ? json_dumps(inputs, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    lp_status status = text != NULL ? lp_digest_bytes(LP_SHA256, text, strlen(text), hex, err)
                                    : lp_fail_memory(err, "provenance", 1, 1);
    free(text);
    json_decref(inputs);
    return status;
}

/* ---- from JSON ------------------------------------------------------------------------------- */

struct lp_provenance_file {
    lp_provenance public;
    json_t *document;   /* the texts */
    const char **names; /* class_names, superclass_names and skipped_names, one block each */
    const char **groups;
    const char **skipped;
    int64_t *superclass_of;
};

typedef struct meta_reader {
    const char *path;
    lp_provenance_file *file;
    lp_error *err;
} meta_reader;

/* Non-negative integers, also those that other programs write as reals; 0 where absent. */
static size_t count_of(const json_t *object, const char *key) {
    double value = lp_json_number(object, key, 0);
    return value >= 0 && value < 0x1p53 ? (size_t)value : 0;
}

static bool flag_of(const json_t *object, const char *key) {
    return json_is_true(json_object_get(object, key));
}

/* The position in a list of names; LP_ERR_FORMAT where the text is not in it.  Absent: the first.
 */
static lp_status choice_of(const meta_reader *r, const json_t *object, const char *key,
                           const char *const *names, int *index) {
    const char *text = lp_json_text(object, key, names[0]);
    for (*index = 0; names[*index] != NULL; ++*index) {
        if (strcmp(names[*index], text) == 0) {
            return LP_OK;
        }
    }
    return lp_fail(r->err, LP_ERR_FORMAT, "%s: '%s' is '%.64s': expected one like '%s'", r->path,
                   key, text, names[0]);
}

/* Floats stand as text, so that they are the same float again. */
static lp_status float_of(const meta_reader *r, const json_t *value, const char *key, float *out) {
    const char *text = json_string_value(value);
    double real = 0;
    lp_status status = text == NULL
                           ? lp_fail(r->err, LP_ERR_FORMAT, "expected a number as text, found none")
                           : lp_parse_real("number", text, -3.5e38, 3.5e38, &real, r->err);
    if (status != LP_OK) {
        (void)lp_prefix(r->err, LP_ERR_FORMAT, "%s: '%s': ", r->path, key);
        return LP_ERR_FORMAT;
    }
    *out = (float)real;
    return LP_OK;
}

static lp_status read_preprocess(const meta_reader *r, const json_t *object, lp_preprocess *p) {
    static const char *const keys[] = {"mean", "std"};
    int filter = 0;
    lp_status status;
    p->resize = count_of(object, "resize");
    p->crop = count_of(object, "crop");
    p->squash = flag_of(object, "squash");
    LP_TRY(choice_of(r, object, "filter", lp_filter_names, &filter));
    p->filter = (lp_filter)filter;
    for (int k = 0; k < 2; k++) {
        const json_t *values = json_object_get(object, keys[k]);
        for (size_t c = 0; c < 3; c++) {
            LP_TRY(
                float_of(r, json_array_get(values, c), keys[k], k == 0 ? &p->mean[c] : &p->std[c]));
        }
    }
done:
    return status;
}

static lp_status read_inputs(const meta_reader *r, const json_t *inputs, lp_provenance *p) {
    lp_encoding *e = &p->encoder;
    int split = 0, labels = 0;
    lp_status status = LP_OK;
    if (!json_is_object(inputs)) {
        goto done;
    }
    p->recorded = true;
    e->family = lp_json_text(inputs, "family", NULL);
    e->feature = lp_json_text(inputs, "feature", NULL);
    e->normalize = flag_of(inputs, "normalize");
    e->activation = lp_json_text(inputs, "activation", NULL);
    e->pool = lp_json_text(inputs, "pool", NULL);
    e->precision = lp_json_text(inputs, "precision", NULL);
    e->heads = count_of(inputs, "heads");
    (void)snprintf(e->weights.sha256, sizeof e->weights.sha256, "%s",
                   lp_json_text(inputs, "weights_sha256", ""));
    p->data.sha256 = lp_json_text(inputs, "data_sha256", NULL);
    p->data.images = count_of(inputs, "images");
    LP_TRY(choice_of(r, inputs, "split", lp_split_names, &split));
    LP_TRY(choice_of(r, inputs, "labels", lp_label_kind_names, &labels));
    p->data.split = (lp_split)split;
    p->data.labels = (lp_label_kind)labels;
    if (has_encoder(e)) {
        LP_TRY(float_of(r, json_object_get(inputs, "norm_eps"), "norm_eps", &e->norm_eps));
        LP_TRY(read_preprocess(r, json_object_get(inputs, "preprocess"), &e->preprocess));
    }
done:
    return status;
}

static void read_weights(const json_t *weights, lp_origin *w) {
    w->path = lp_json_text(weights, "path", NULL);
    w->format = lp_json_text(weights, "format", NULL);
    w->official = lp_json_text(weights, "official", NULL);
}

static void read_encoder(const json_t *encoder, lp_encoding *e) {
    e->name = lp_json_text(encoder, "name", NULL);
    e->input_size = count_of(encoder, "input_size");
    e->width = count_of(encoder, "width");
    e->layers = count_of(encoder, "layers");
    e->parameters = count_of(encoder, "parameters");
}

/* An array of texts; "" stands for what is no text. */
static lp_status read_texts(const meta_reader *r, const json_t *array, const char ***out) {
    size_t count = json_array_size(array);
    *out = lp_alloc(count, sizeof **out);
    if (*out == NULL) {
        return lp_fail_memory(r->err, r->path, count, sizeof **out);
    }
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        (*out)[i] = text != NULL ? text : "";
    }
    return LP_OK;
}

/* Superclasses count where all K classes have one, each in range. */
static lp_status read_superclasses(const meta_reader *r, const json_t *data, lp_data_record *d) {
    const json_t *of = json_object_get(data, "superclass_of");
    const json_t *names = json_object_get(data, "superclass_names");
    size_t groups = json_array_size(names);
    lp_provenance_file *f = r->file;
    lp_status status = LP_OK;
    if (d->classes == 0 || json_array_size(of) != d->classes || groups == 0) {
        goto done;
    }
    f->superclass_of = lp_alloc(d->classes, sizeof *f->superclass_of);
    if (f->superclass_of == NULL) {
        return lp_fail_memory(r->err, r->path, d->classes, sizeof *f->superclass_of);
    }
    for (size_t k = 0; k < d->classes; k++) {
        const json_t *group = json_array_get(of, k);
        json_int_t value = json_integer_value(group);
        if (!json_is_integer(group) || value < 0 || (size_t)value >= groups) {
            goto done;
        }
        f->superclass_of[k] = value;
    }
    LP_TRY(read_texts(r, names, &f->groups));
    d->superclass_of = f->superclass_of;
    d->superclass_names = f->groups;
    d->superclasses = groups;
done:
    return status;
}

static lp_status read_data(const meta_reader *r, const json_t *data, lp_data_record *d) {
    enum { MOST_CLASSES = 1 << 20 };
    const json_t *names = json_object_get(data, "class_names");
    const json_t *skipped = json_object_get(data, "skipped");
    lp_provenance_file *f = r->file;
    lp_status status = LP_OK;
    double share = lp_json_number(data, "test_share", -1);
    d->name = lp_json_text(data, "name", NULL);
    d->source = lp_json_text(data, "source", NULL);
    d->official = lp_json_text(data, "official", NULL);
    d->classes = count_of(data, "classes");
    d->classes = d->classes <= MOST_CLASSES ? d->classes : 0;
    d->image_folder = share >= 0;
    d->test_share = share > 0 && share < 1 ? share : 0;
    d->split_seed = count_of(data, "split_seed");
    d->ignored = count_of(data, "ignored");
    if (d->classes > 0 && json_array_size(names) == d->classes) {
        LP_TRY(read_texts(r, names, &f->names));
        d->class_names = f->names;
    }
    if (json_array_size(skipped) > 0) {
        LP_TRY(read_texts(r, skipped, &f->skipped));
        d->skipped_names = f->skipped;
        d->skipped = json_array_size(skipped);
    }
    LP_TRY(read_superclasses(r, data, d));
done:
    return status;
}

lp_status lp_provenance_read(const char *path, const json_t *meta, lp_provenance_file **file,
                             lp_error *err) {
    lp_provenance_file *f = lp_alloc_zeroed(1, sizeof *f);
    *file = NULL;
    if (f == NULL) {
        return lp_fail_memory(err, path, 1, sizeof *f);
    }
    const meta_reader r = {path, f, err};
    lp_provenance *p = &f->public;
    const json_t *made_by = json_object_get(meta, "made_by");
    lp_status status;
    f->document = json_incref((json_t *)(uintptr_t)meta);
    p->linprobe = lp_json_text(made_by, "linprobe", NULL);
    p->command = lp_json_text(made_by, "command", NULL);
    p->fused_multiply_add = flag_of(json_object_get(made_by, "machine"), "fused_multiply_add");
    read_weights(json_object_get(meta, "weights"), &p->encoder.weights);
    read_encoder(json_object_get(meta, "encoder"), &p->encoder);
    LP_TRY(read_inputs(&r, json_object_get(meta, "inputs"), p));
    LP_TRY(read_data(&r, json_object_get(meta, "data"), &p->data));
    *file = f;
    f = NULL;
done:
    lp_provenance_close(f);
    return status;
}

void lp_provenance_close(lp_provenance_file *f) {
    if (f != NULL) {
        lp_free((void *)f->names);
        lp_free((void *)f->groups);
        lp_free((void *)f->skipped);
        lp_free(f->superclass_of);
        json_decref(f->document);
        lp_free(f);
    }
}

const lp_provenance *lp_provenance_of(const lp_provenance_file *file) {
    return &file->public;
}

/* ---- the inputs of a set that is there already ------------------------------------------------
 */

static json_t *resumable_inputs(const lp_provenance *p) {
    json_t *inputs = lp_provenance_inputs(p);
    if (inputs == NULL) {
        return NULL;
    }
    lp_row row = lp_row_of(inputs);
    lp_row_flag(&row, "fused_multiply_add", p->fused_multiply_add);
    return lp_row_end(&row);
}

lp_status lp_provenance_write_inputs(const char *path, const lp_provenance *p, lp_error *err) {
    return lp_json_write(path, resumable_inputs(p), err);
}

/* Every member of `expected` must be in `found`; takes over neither. */
static lp_status compare_inputs(const char *what, const json_t *found, json_t *expected,
                                lp_error *err) {
    const char *key;
    json_t *value;
    json_object_foreach(expected, key, value) {
        const json_t *other = json_object_get(found, key);
        if (!json_equal(other, value)) {
            char *a = lp_json_dump(other, LP_JSON_COMPACT);
            char *b = lp_json_dump(value, LP_JSON_COMPACT);
            lp_status status = lp_fail(err, LP_ERR_ARGUMENT,
                                       "%s was made from other inputs: %s is %.200s there and "
                                       "%.200s here; remove it or choose another folder",
                                       what, key, a != NULL ? a : "absent", b != NULL ? b : "?");
            free(a);
            free(b);
            return status;
        }
    }
    return LP_OK;
}

static lp_status check_file(const char *path, const char *what, const char *member,
                            json_t *expected, lp_error *err) {
    json_t *found = NULL;
    lp_status status;
    if (expected == NULL) {
        return lp_fail_memory(err, "provenance", 1, 1);
    }
    LP_TRY(lp_json_read(path, &found, err));
    status = compare_inputs(what, member != NULL ? json_object_get(found, member) : found, expected,
                            err);
done:
    json_decref(found);
    json_decref(expected);
    return status;
}

lp_status lp_provenance_check_inputs(const char *path, const char *what, const lp_provenance *p,
                                     lp_error *err) {
    return check_file(path, what, NULL, resumable_inputs(p), err);
}

lp_status lp_provenance_check_meta(const char *path, const char *what, const lp_provenance *p,
                                   lp_error *err) {
    return check_file(path, what, "inputs", lp_provenance_inputs(p), err);
}

/* ---- two sets together ----------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_floats(const float *a, const float *b) {
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

static bool same_preprocess(const lp_preprocess *a, const lp_preprocess *b) {
    return a->resize == b->resize && a->crop == b->crop && a->filter == b->filter &&
           a->squash == b->squash && same_floats(a->mean, b->mean) && same_floats(a->std, b->std);
}

/* The name of the first input of the features in which the two differ, or NULL. */
static const char *difference(const lp_provenance *a, const lp_provenance *b) {
    const lp_encoding *x = &a->encoder, *y = &b->encoder;
    return strcmp(x->weights.sha256, y->weights.sha256) != 0  ? "weights_sha256"
           : !same_text(x->feature, y->feature)               ? "feature"
           : x->normalize != y->normalize                     ? "normalize"
           : !same_preprocess(&x->preprocess, &y->preprocess) ? "preprocess"
           : !same_text(x->activation, y->activation)         ? "activation"
           : a->data.labels != b->data.labels                 ? "labels"
           : !same_text(x->pool, y->pool)                     ? "pool"
           : x->heads != y->heads                             ? "heads"
           : x->norm_eps != y->norm_eps                       ? "norm_eps"
           : !same_text(x->precision, y->precision)           ? "precision"
                                                              : NULL;
}

static bool same_classes(const lp_data_record *a, const lp_data_record *b) {
    if (a->class_names == NULL || b->class_names == NULL || a->classes != b->classes) {
        return a->class_names == b->class_names;
    }
    for (size_t k = 0; k < a->classes; k++) {
        if (strcmp(a->class_names[k], b->class_names[k]) != 0) {
            return false;
        }
    }
    return true;
}

/* Folders of images: the same classes, and splits of one folder by the same seed. */
static lp_status match_folders(const lp_data_record *a, const lp_data_record *b,
                               const char *tested_name, lp_error *err) {
    if (!same_classes(a, b)) {
        return lp_fail(
            err, LP_ERR_ARGUMENT,
            "%s: its classes are not those of the training set: their folders have other "
            "names",
            tested_name);
    }
    if (same_text(a->source, b->source) &&
        (a->test_share != b->test_share || a->split_seed != b->split_seed)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: split from %s with test share %g and split seed %zu, but the training "
                       "set with %g and %zu: images of one may be in the other",
                       tested_name, b->source != NULL ? b->source : "a folder", b->test_share,
                       b->split_seed, a->test_share, a->split_seed);
    }
    return LP_OK;
}

lp_status lp_provenance_match(const lp_provenance *trained, const char *trained_name,
                              const lp_provenance *tested, const char *tested_name, lp_error *err) {
    if (trained == NULL || tested == NULL) {
        return LP_OK;
    }
    const char *differs =
        trained->recorded && tested->recorded ? difference(trained, tested) : NULL;
    if (differs != NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: its features were not made as those %s: '%s' differs", tested_name,
                       trained_name, differs);
    }
    return trained->data.image_folder && tested->data.image_folder
               ? match_folders(&trained->data, &tested->data, tested_name, err)
               : LP_OK;
}
