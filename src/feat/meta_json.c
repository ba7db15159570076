/* Provenance to and from meta.json, and the comparison of two of them.
 *
 *   meta.json = format, count, width, parts, inputs, weights, encoder, data, made_by, sha256
 *
 * A key is a row of its part's table, by which it is written and read.  If features depend on it,
 * it is one of the inputs, and lp_provenance_match compares it.
 *
 * Longer than 600 lines: the keys of meta.json have one owner, and most of it is their tables. */
#include "feat/meta_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json_row.h"
#include "base/memory.h"
#include "base/text.h"

/* Grows by one when the same inputs give other values than before. */
enum { FEATURE_FORMAT = 2 };

/* ---- the keys -------------------------------------------------------------------------------- */

typedef enum key_kind {
    KEY_TEXT,   /* const char * */
    KEY_SHA256, /* char [65] */
    KEY_COUNT,  /* size_t */
    KEY_FLAG,   /* bool */
    KEY_CHOICE, /* an enum with a list of names */
    KEY_FLOAT,  /* float, as text that is this float again */
    KEY_COLORS  /* float [3], likewise */
} key_kind;

typedef struct meta_key {
    const char *name;
    key_kind kind;
    size_t offset;            /* in lp_provenance */
    const char *const *names; /* of a choice */
    bool optional;            /* not written where it is NULL, 0, false or the first choice */
} meta_key;

#define KEY(name, kind, member)                                                                    \
    { name, KEY_##kind, offsetof(lp_provenance, member), NULL, false }
#define CHOICE(name, member, names)                                                                \
    { name, KEY_CHOICE, offsetof(lp_provenance, member), names, false }
#define OPTIONAL(name, kind, member, names)                                                        \
    { name, KEY_##kind, offsetof(lp_provenance, member), names, true }
#define END                                                                                        \
    { NULL, KEY_TEXT, 0, NULL, false }
static const meta_key input_keys[] = {KEY("family", TEXT, encoder.family),
                                      KEY("weights_sha256", SHA256, encoder.weights.sha256),
                                      OPTIONAL("select", TEXT, encoder.select, NULL),
                                      KEY("feature", TEXT, encoder.feature),
                                      KEY("normalize", FLAG, encoder.normalize),
                                      KEY("data_sha256", TEXT, data.sha256),
                                      CHOICE("split", data.split, lp_split_names),
                                      CHOICE("labels", data.labels, lp_label_kind_names),
                                      KEY("images", COUNT, data.images),
                                      END};
/* Inputs that only an encoder has; and of those the member "preprocess". */
static const meta_key encoding_keys[] = {KEY("activation", TEXT, encoder.activation),
                                         KEY("pool", TEXT, encoder.pool),
                                         OPTIONAL("layers", TEXT, encoder.blocks, NULL),
                                         KEY("precision", TEXT, encoder.precision),
                                         KEY("heads", COUNT, encoder.heads),
                                         KEY("norm_eps", FLOAT, encoder.norm_eps),
                                         END};
static const meta_key preprocess_keys[] = {
    KEY("resize", COUNT, encoder.preprocess.resize),
    KEY("crop", COUNT, encoder.preprocess.crop),
    CHOICE("filter", encoder.preprocess.filter, lp_filter_names),
    KEY("squash", FLAG, encoder.preprocess.squash),
    OPTIONAL("crop_rule", CHOICE, encoder.preprocess.crop_rule, lp_crop_rule_names),
    OPTIONAL("resize_rule", TEXT, encoder.resize_rule, NULL),
    OPTIONAL("float_resize", FLAG, encoder.preprocess.float_resize, NULL),
    KEY("mean", COLORS, encoder.preprocess.mean),
    KEY("std", COLORS, encoder.preprocess.std),
    END};
static const meta_key weight_keys[] = {KEY("path", TEXT, encoder.weights.path),
                                       KEY("format", TEXT, encoder.weights.format),
                                       KEY("official", TEXT, encoder.weights.official), END};
static const meta_key encoder_keys[] = {KEY("name", TEXT, encoder.name),
                                        KEY("input_size", COUNT, encoder.input_size),
                                        KEY("width", COUNT, encoder.width),
                                        KEY("layers", COUNT, encoder.layers),
                                        KEY("heads", COUNT, encoder.heads),
                                        KEY("parameters", COUNT, encoder.parameters),
                                        OPTIONAL("changed", FLAG, encoder.changed, NULL),
                                        END};
static const meta_key data_keys[] = {KEY("name", TEXT, data.name),
                                     OPTIONAL("set", TEXT, data.set, NULL),
                                     KEY("source", TEXT, data.source),
                                     KEY("official", TEXT, data.official),
                                     KEY("classes", COUNT, data.classes),
                                     OPTIONAL("part_images", COUNT, data.part, NULL),
                                     OPTIONAL("per_class", COUNT, data.per_class, NULL),
                                     OPTIONAL("limit", COUNT, data.limit, NULL),
                                     OPTIONAL("choice_seed", COUNT, data.choice_seed, NULL),
                                     END};
static const meta_key folder_keys[] = {KEY("split_seed", COUNT, data.split_seed),
                                       KEY("ignored", COUNT, data.ignored), END};
static const meta_key maker_keys[] = {KEY("linprobe", TEXT, linprobe),
                                      KEY("command", TEXT, command), END};
static const meta_key machine_keys[] = {KEY("fused_multiply_add", FLAG, fused_multiply_add), END};
#undef END
#undef OPTIONAL
#undef CHOICE
#undef KEY

/* An enum is read and written through an int. */
_Static_assert(sizeof(lp_split) == sizeof(int) && sizeof(lp_label_kind) == sizeof(int) &&
                   sizeof(lp_filter) == sizeof(int) && sizeof(lp_crop_rule) == sizeof(int),
               "a choice has the size of an int");

static bool has_encoder(const lp_provenance *p) {
    return p->encoder.activation != NULL;
}

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

static json_t *texts(const char *const *values, size_t count) {
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        lp_rows_append(&array, lp_json_any_text(values[i]));
    }
    return array;
}

static json_t *value_of(const meta_key *key, const void *at) {
    json_t *colors;
    switch (key->kind) {
    case KEY_TEXT:
        return lp_json_any_text(*(const char *const *)at);
    case KEY_SHA256:
        return lp_json_any_text(at);
    case KEY_COUNT:
        return json_integer((json_int_t) * (const size_t *)at);
    case KEY_FLAG:
        return json_boolean(*(const bool *)at);
    case KEY_CHOICE:
        return json_string(key->names[*(const int *)at]);
    case KEY_FLOAT:
        return float_text(*(const float *)at);
    case KEY_COLORS:
        colors = json_array();
        for (int c = 0; c < 3; c++) {
            lp_rows_append(&colors, float_text(((const float *)at)[c]));
        }
        return colors;
    }
    return NULL;
}

/* Whether an optional key's value need not be written. */
static bool is_default(const meta_key *key, const void *at) {
    return key->kind == KEY_TEXT    ? *(const char *const *)at == NULL
           : key->kind == KEY_COUNT ? *(const size_t *)at == 0
           : key->kind == KEY_FLAG  ? !*(const bool *)at
                                    : *(const int *)at == 0;
}

static void put_keys(lp_row *row, const meta_key *keys, const lp_provenance *p) {
    for (; keys->name != NULL; keys++) {
        const void *at = (const char *)p + keys->offset;
        if (!keys->optional || !is_default(keys, at)) {
            lp_row_put(row, keys->name, value_of(keys, at));
        }
    }
}

static json_t *part_json(const meta_key *keys, const lp_provenance *p) {
    lp_row row = lp_row_new();
    put_keys(&row, keys, p);
    return lp_row_end(&row);
}

json_t *lp_provenance_inputs(const lp_provenance *p) {
    lp_row row = lp_row_new();
    lp_row_count(&row, "feature_format", FEATURE_FORMAT);
    put_keys(&row, input_keys, p);
    if (has_encoder(p)) {
        put_keys(&row, encoding_keys, p);
        lp_row_put(&row, "preprocess", part_json(preprocess_keys, p));
    }
    return lp_row_end(&row);
}

json_t *lp_provenance_weights(const lp_provenance *p) {
    if (!has_encoder(p)) {
        return json_null();
    }
    lp_row row = lp_row_of(part_json(weight_keys, p));
    lp_row_text(&row, "sha256", p->encoder.weights.sha256);
    return lp_row_end(&row);
}

json_t *lp_provenance_encoder(const lp_provenance *p) {
    return has_encoder(p) ? part_json(encoder_keys, p) : json_null();
}

json_t *lp_provenance_data(const lp_provenance *p, lp_detail detail) {
    const lp_data_record *d = &p->data;
    lp_row row = lp_row_of(part_json(data_keys, p));
    if (detail == LP_DETAIL_ALL && d->class_names != NULL) {
        lp_row_put(&row, "class_names", texts(d->class_names, d->classes));
    }
    if (detail == LP_DETAIL_ALL && d->superclass_of != NULL) {
        json_t *of = json_array();
        for (size_t k = 0; k < d->classes; k++) {
            lp_rows_append(&of, json_integer(d->superclass_of[k]));
        }
        lp_row_put(&row, "superclass_of", of);
        lp_row_put(&row, "superclass_names", texts(d->superclass_names, d->superclasses));
    }
    if (d->image_folder) {
        lp_row_real(&row, "test_share", d->test_share);
        put_keys(&row, folder_keys, p);
        lp_row_put(&row, "skipped", texts(d->skipped_names, d->skipped));
    }
    return lp_row_end(&row);
}

static json_t *parts_json(const lp_provenance *p, lp_detail detail) {
    json_t *parts = json_array();
    for (size_t i = 0; i < p->part_count; i++) {
        const lp_part *part = &p->parts[i];
        lp_row row = lp_row_new();
        lp_row_text(&row, "path", part->path);
        lp_row_text(&row, "sha256", part->sha256);
        lp_row_count(&row, "width", part->width);
        lp_provenance_put(&row, part->provenance, detail);
        lp_rows_append(&parts, lp_row_end(&row));
    }
    return parts;
}

void lp_provenance_put(lp_row *row, const lp_provenance *p, lp_detail detail) {
    if (p->part_count > 0) {
        lp_row_put(row, "parts", parts_json(p, detail));
    }
    if (p->recorded) {
        lp_row_put(row, "inputs", lp_provenance_inputs(p));
    }
    if (p->recorded && has_encoder(p)) {
        lp_row_put(row, "weights", lp_provenance_weights(p));
        lp_row_put(row, "encoder", lp_provenance_encoder(p));
    }
    if (p->recorded || p->data.name != NULL || p->data.classes > 0) {
        lp_row_put(row, "data", lp_provenance_data(p, detail));
    }
}

json_t *lp_provenance_json(const lp_provenance *p, size_t rows, size_t width, const char *sha256,
                           lp_detail detail) {
    lp_row row = lp_row_new(), maker = lp_row_of(part_json(maker_keys, p));
    if (p->recorded) {
        lp_row_put(&maker, "machine", part_json(machine_keys, p));
    }
    lp_row_text(&row, "format", "linprobe feature set");
    lp_row_count(&row, "count", rows);
    lp_row_count(&row, "width", width);
    lp_provenance_put(&row, p, detail);
    lp_row_put(&row, "made_by", lp_row_end(&maker));
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
    json_t *document;                  /* the texts */
    lp_memory memory;                  /* the lists of them, superclass_of and the parts */
    struct lp_provenance_file **parts; /* [public.part_count] */
};

/* What a reader needs beside the JSON. */
typedef struct meta_reader {
    const char *path;
    lp_provenance_file *file;
    lp_error *err;
    bool nested; /* it is a part itself */
} meta_reader;

static lp_status read_provenance(const char *path, const json_t *meta, bool nested,
                                 lp_provenance_file **file, lp_error *err);

/* The position in a list of names, the first where the text is absent.  LP_ERR_FORMAT for another
 * text: it must not be taken for one that is known. */
static lp_status read_choice(const meta_reader *r, const meta_key *key, const char *text,
                             int *out) {
    for (*out = 0; text != NULL && key->names[*out] != NULL; ++*out) {
        if (strcmp(key->names[*out], text) == 0) {
            return LP_OK;
        }
    }
    return text == NULL
               ? LP_OK
               : lp_fail(r->err, LP_ERR_FORMAT, "%s: '%s' is '%.64s': expected one like '%s'",
                         r->path, key->name, text, key->names[0]);
}

static lp_status read_float(const meta_reader *r, const meta_key *key, const json_t *value,
                            float *out) {
    const char *text = json_string_value(value);
    double real = 0;
    lp_status status = text == NULL
                           ? lp_fail(r->err, LP_ERR_FORMAT, "expected a number as text, found none")
                           : lp_parse_real("number", text, -3.5e38, 3.5e38, &real, r->err);
    if (status != LP_OK) {
        (void)lp_prefix(r->err, LP_ERR_FORMAT, "%s: '%s': ", r->path, key->name);
        return LP_ERR_FORMAT;
    }
    *out = (float)real;
    return LP_OK;
}

/* What is absent, or of another type, stays 0 (and NULL). */
static lp_status read_key(const meta_reader *r, const meta_key *key, const json_t *value,
                          void *at) {
    lp_status status = LP_OK;
    double number = json_number_value(value);
    switch (key->kind) {
    case KEY_TEXT:
        *(const char **)at = json_string_value(value);
        break;
    case KEY_SHA256:
        (void)snprintf(at, LP_DIGEST_HEX, "%s",
                       json_is_string(value) ? json_string_value(value) : "");
        break;
    case KEY_COUNT:
        *(size_t *)at = number >= 0 && number < 0x1p53 ? (size_t)number : 0;
        break;
    case KEY_FLAG:
        *(bool *)at = json_is_true(value);
        break;
    case KEY_CHOICE:
        return read_choice(r, key, json_string_value(value), at);
    case KEY_FLOAT:
        return read_float(r, key, value, at);
    case KEY_COLORS:
        for (size_t c = 0; status == LP_OK && c < 3; c++) {
            status = read_float(r, key, json_array_get(value, c), (float *)at + c);
        }
        break;
    }
    return status;
}

static lp_status read_keys(const meta_reader *r, const meta_key *keys, const json_t *object) {
    lp_status status = LP_OK;
    for (; keys->name != NULL; keys++) {
        LP_TRY(read_key(r, keys, json_object_get(object, keys->name),
                        (char *)&r->file->public + keys->offset));
    }
done:
    return status;
}

static lp_status read_inputs(const meta_reader *r, const json_t *inputs) {
    lp_provenance *p = &r->file->public;
    lp_status status = LP_OK;
    p->recorded = json_is_integer(json_object_get(inputs, "feature_format"));
    if (!p->recorded) { /* none, or those of another program */
        goto done;
    }
    LP_TRY(read_keys(r, input_keys, inputs));
    p->encoder.activation = lp_json_text(inputs, "activation", NULL);
    if (has_encoder(p)) {
        LP_TRY(read_keys(r, encoding_keys, inputs));
        LP_TRY(read_keys(r, preprocess_keys, json_object_get(inputs, "preprocess")));
    }
done:
    return status;
}

/* An array of texts; "" stands for what is no text. */
static lp_status read_texts(const meta_reader *r, const json_t *array, const char *const **out) {
    size_t count = json_array_size(array);
    const char **texts = lp_memory_take(&r->file->memory, count, sizeof *texts);
    lp_status status;
    LP_TRY(lp_memory_check(&r->file->memory, r->path, r->err));
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(array, i));
        texts[i] = text != NULL ? text : "";
    }
    *out = texts;
done:
    return status;
}

/* Superclasses count where all K classes have one, each in range. */
static lp_status read_superclasses(const meta_reader *r, const json_t *data, lp_data_record *d) {
    const json_t *of = json_object_get(data, "superclass_of");
    const json_t *names = json_object_get(data, "superclass_names");
    size_t groups = json_array_size(names);
    lp_status status;
    if (d->classes == 0 || json_array_size(of) != d->classes || groups == 0) {
        return LP_OK;
    }
    int64_t *superclass_of = lp_memory_take(&r->file->memory, d->classes, sizeof *superclass_of);
    LP_TRY(lp_memory_check(&r->file->memory, r->path, r->err));
    for (size_t k = 0; k < d->classes; k++) {
        const json_t *group = json_array_get(of, k);
        json_int_t value = json_integer_value(group);
        if (!json_is_integer(group) || value < 0 || (size_t)value >= groups) {
            goto done;
        }
        superclass_of[k] = value;
    }
    LP_TRY(read_texts(r, names, &d->superclass_names));
    d->superclass_of = superclass_of;
    d->superclasses = groups;
done:
    return status;
}

static lp_status read_data(const meta_reader *r, const json_t *data) {
    enum { MOST_CLASSES = 1 << 20 };
    const json_t *names = json_object_get(data, "class_names");
    const json_t *skipped = json_object_get(data, "skipped");
    double share = lp_json_number(data, "test_share", -1);
    lp_data_record *d = &r->file->public.data;
    lp_status status;
    LP_TRY(read_keys(r, data_keys, data));
    LP_TRY(read_keys(r, folder_keys, data));
    d->classes = d->classes <= MOST_CLASSES ? d->classes : 0;
    d->image_folder = share >= 0;
    d->test_share = share > 0 && share < 1 ? share : 0;
    if (d->classes > 0 && json_array_size(names) == d->classes) {
        LP_TRY(read_texts(r, names, &d->class_names));
    }
    if (json_array_size(skipped) > 0) {
        LP_TRY(read_texts(r, skipped, &d->skipped_names));
        d->skipped = json_array_size(skipped);
    }
    LP_TRY(read_superclasses(r, data, d));
done:
    return status;
}

/* Parts, none of which has parts. */
static lp_status read_parts(const meta_reader *r, const json_t *array) {
    size_t count = json_array_size(array);
    lp_provenance *p = &r->file->public;
    lp_status status = LP_OK;
    if (count == 0 || r->nested) {
        return LP_OK;
    }
    lp_part *parts = lp_memory_take_zeroed(&r->file->memory, count, sizeof *parts);
    r->file->parts = lp_memory_take_zeroed(&r->file->memory, count, sizeof(lp_provenance_file *));
    LP_TRY(lp_memory_check(&r->file->memory, r->path, r->err));
    for (size_t i = 0; i < count; i++) {
        const json_t *part = json_array_get(array, i);
        double width = lp_json_number(part, "width", 0);
        LP_TRY(read_provenance(r->path, part, true, &r->file->parts[i], r->err));
        p->part_count = i + 1;
        parts[i] =
            (lp_part){lp_json_text(part, "path", NULL), lp_json_text(part, "sha256", NULL),
                      width >= 1 && width < 0x1p53 ? (size_t)width : 0, &r->file->parts[i]->public};
    }
    p->parts = parts;
done:
    return status;
}

static lp_status read_provenance(const char *path, const json_t *meta, bool nested,
                                 lp_provenance_file **file, lp_error *err) {
    lp_provenance_file *f = lp_alloc_zeroed(1, sizeof *f);
    const meta_reader r = {path, f, err, nested};
    const json_t *made_by = json_object_get(meta, "made_by");
    lp_status status;
    *file = NULL;
    LP_TRY(lp_allocated(f, path, 1, sizeof *f, err));
    f->document = json_incref((json_t *)(uintptr_t)meta);
    LP_TRY(read_keys(&r, weight_keys, json_object_get(meta, "weights")));
    LP_TRY(read_keys(&r, encoder_keys, json_object_get(meta, "encoder")));
    LP_TRY(read_inputs(&r, json_object_get(meta, "inputs")));
    LP_TRY(read_data(&r, json_object_get(meta, "data")));
    LP_TRY(read_keys(&r, maker_keys, made_by));
    f->public.sha256 = lp_json_text(meta, "sha256", NULL);
    LP_TRY(read_keys(&r, machine_keys, json_object_get(made_by, "machine")));
    LP_TRY(read_parts(&r, json_object_get(meta, "parts")));
    *file = f;
    f = NULL;
done:
    lp_provenance_close(f);
    return status;
}

lp_status lp_provenance_read(const char *path, const json_t *meta, lp_provenance_file **file,
                             lp_error *err) {
    return read_provenance(path, meta, false, file, err);
}

void lp_provenance_close(lp_provenance_file *f) {
    if (f != NULL) {
        for (size_t i = 0; i < f->public.part_count; i++) {
            lp_provenance_close(f->parts[i]);
        }
        lp_memory_free(&f->memory);
        json_decref(f->document);
        lp_free(f);
    }
}

const lp_provenance *lp_provenance_of(const lp_provenance_file *file) {
    return &file->public;
}

/* ---- two sets together ----------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b) {
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_value(const meta_key *key, const void *a, const void *b) {
    static const size_t sizes[] = {[KEY_COUNT] = sizeof(size_t),
                                   [KEY_FLAG] = sizeof(bool),
                                   [KEY_CHOICE] = sizeof(int),
                                   [KEY_FLOAT] = sizeof(float),
                                   [KEY_COLORS] = 3 * sizeof(float)};
    return key->kind == KEY_TEXT     ? same_text(*(const char *const *)a, *(const char *const *)b)
           : key->kind == KEY_SHA256 ? strcmp(a, b) == 0
                                     : memcmp(a, b, sizes[key->kind]) == 0;
}

/* The first key in which two provenances differ, or NULL. */
static const char *first_difference(const meta_key *keys, const lp_provenance *a,
                                    const lp_provenance *b) {
    while (keys->name != NULL &&
           same_value(keys, (const char *)a + keys->offset, (const char *)b + keys->offset)) {
        keys++;
    }
    return keys->name;
}

/* The name of the first input of the features in which the two differ, or NULL.  Of their images
 * only the kind of labels must be the same.  The rules of resize and crop are recorded where they
 * can change an image, so a folder of images and square records may differ in them. */
static const char *difference(const lp_provenance *a, const lp_provenance *b) {
    lp_provenance other = *b;
    other.data = a->data;
    other.data.labels = b->data.labels;
    other.encoder.family = a->encoder.family; /* the other inputs say all that it stands for */
    if (a->data.image_folder != b->data.image_folder) {
        other.encoder.preprocess.crop_rule = a->encoder.preprocess.crop_rule;
        other.encoder.resize_rule = a->encoder.resize_rule;
    }
    const char *name = first_difference(input_keys, a, &other);
    name = name != NULL ? name : first_difference(encoding_keys, a, &other);
    return name != NULL ? name : first_difference(preprocess_keys, a, &other);
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

/* Each part against its counterpart.  Where one of the two has no parts and records nothing, they
 * go together. */
static lp_status match_parts(const lp_provenance *trained, const char *trained_name,
                             const lp_provenance *tested, const char *tested_name, lp_error *err) {
    size_t a = trained->part_count, b = tested->part_count;
    lp_status status = LP_OK;
    if ((a == 0 && !trained->recorded) || (b == 0 && !tested->recorded)) {
        return LP_OK;
    }
    for (size_t i = 0; i < a || i < b; i++) {
        if (a != b || trained->parts[i].width != tested->parts[i].width) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: its features were not made as those %s: other sets stand side by "
                           "side in them (%zu here, %zu there)",
                           tested_name, trained_name, b > 0 ? b : 1, a > 0 ? a : 1);
        }
        LP_TRY(lp_provenance_match(trained->parts[i].provenance, trained_name,
                                   tested->parts[i].provenance, tested->parts[i].path, err));
    }
done:
    return status;
}

lp_status lp_provenance_match(const lp_provenance *trained, const char *trained_name,
                              const lp_provenance *tested, const char *tested_name, lp_error *err) {
    if (trained == NULL || tested == NULL) {
        return LP_OK;
    }
    if (trained->part_count > 0 || tested->part_count > 0) {
        return match_parts(trained, trained_name, tested, tested_name, err);
    }
    const char *differs =
        trained->recorded && tested->recorded ? difference(trained, tested) : NULL;
    if (differs != NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: its features were not made as those %s: '%s' differs", tested_name,
                       trained_name, differs);
    }
    if (!trained->recorded && !tested->recorded && trained->data.class_names != NULL &&
        tested->data.class_names != NULL && !same_classes(&trained->data, &tested->data)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: its classes are not those of the training set: its labels have other "
                       "names (%zu here, %zu there); meta.json can say which there are "
                       "(data.class_names)",
                       tested_name, tested->data.classes, trained->data.classes);
    }
    return trained->data.image_folder && tested->data.image_folder
               ? match_folders(&trained->data, &tested->data, tested_name, err)
               : LP_OK;
}
