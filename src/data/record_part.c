/* Data stage: records of label bytes and pixels.
 *
 *   files   -> N of label bytes + uint8 [3, side, side], or labels uint8 [N] of their own
 *   checked -> labels int64 [N], superclass of each class int64 [K]
 *           -> some of them chosen, SHA-256 over their records in order, and their labels behind
 * them where they are apart image i -> uint8 [side, side, 3]
 *
 * Formats: "CIFAR-10 binary version" and "CIFAR-100 binary version" of
 * https://www.cs.toronto.edu/~kriz/cifar.html, and STL-10's of
 * https://cs.stanford.edu/~acoates/stl10/ (planes column by column, labels from 1). */
#include "data/record_part.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/strata.h"
#include "data/subset.h"

enum { NUMBERED_NAME = 32 };

static size_t record_bytes(const lp_record_part *set) {
    return lp_record_bytes(set->files.layout);
}

/* Whole records in every file; N. */
static lp_status count_records(lp_record_part *set, lp_error *err) {
    size_t record = record_bytes(set);
    for (size_t k = 0; k < set->files.count; k++) {
        const lp_record_file *file = &set->files.records[k];
        size_t count = file->size / record, rest = file->size % record;
        if (file->size == 0) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: empty: expected records of %zu bytes",
                           file->path, record);
        }
        if (rest != 0) {
            return lp_fail(err, LP_ERR_FORMAT,
                           "%s: record %zu (byte %zu): expected %zu bytes, found %zu", file->path,
                           count, count * record, record, rest);
        }
        set->part += count;
    }
    const lp_record_file *apart = &set->files.labels;
    if (apart->path != NULL && apart->size != set->part) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %zu labels, but %s has %zu images", apart->path,
                       apart->size, set->files.records[0].path, set->part);
    }
    return LP_OK;
}

/* Checks all labels of a file, of its records or of its own, and keeps the ones asked for. */
static lp_status read_labels(const lp_record_part *set, const lp_record_file *file, int64_t *labels,
                             lp_error *err) {
    const lp_record_layout *layout = set->files.layout;
    bool apart = layout->label_bytes == 0;
    size_t record = apart ? 1 : record_bytes(set), each = apart ? 1 : layout->label_bytes;
    size_t fine = each - 1, low = layout->first_label;
    size_t kept = set->kind == LP_LABELS_FINE ? fine : 0;
    for (size_t i = 0; i < file->size / record; i++) {
        const unsigned char *found = file->data + i * record;
        for (size_t j = 0; j < each; j++) {
            size_t classes = layout->classes[j == fine ? LP_LABELS_FINE : LP_LABELS_COARSE];
            if (found[j] < low || found[j] - low >= classes) {
                return lp_fail(err, LP_ERR_DATA,
                               "%s: record %zu (byte %zu): expected a %s label from %zu to %zu, "
                               "found %d",
                               file->path, i, i * record + j,
                               lp_label_kind_name(j == fine ? LP_LABELS_FINE : LP_LABELS_COARSE),
                               low, low + classes - 1, found[j]);
            }
        }
        labels[i] = (int64_t)found[kept] - (int64_t)low;
    }
    return LP_OK;
}

/* Superclasses as the records name them; none where they do not say. */
static lp_status find_superclasses(lp_record_part *set, lp_error *err) {
    const lp_record_layout *layout = set->files.layout;
    size_t record = record_bytes(set), classes = set->classes;
    if (layout->label_bytes < 2 || set->kind != LP_LABELS_FINE) {
        return LP_OK;
    }
    bool known = true;
    lp_status status;
    int64_t *of = lp_memory_take(&set->memory, classes, sizeof *of);
    LP_TRY(lp_memory_check(&set->memory, "superclasses", err));
    for (size_t c = 0; c < classes; c++) {
        of[c] = -1;
    }
    for (size_t k = 0; k < set->files.count; k++) {
        const lp_record_file *file = &set->files.records[k];
        for (size_t i = 0; i < file->size / record; i++) {
            const unsigned char *label = file->data + i * record; /* checked: coarse, fine */
            known = known && (of[label[1]] < 0 || of[label[1]] == label[0]);
            of[label[1]] = label[0];
        }
    }
    for (size_t c = 0; c < classes; c++) {
        known = known && of[c] >= 0;
    }
    if (known) {
        set->superclass_of = of;
        set->superclasses = layout->classes[LP_LABELS_COARSE];
    }
done:
    return status;
}

/* Record i of the files' records. */
static const unsigned char *record_at(const lp_record_part *set, size_t i) {
    const lp_record_file *file = set->files.records;
    size_t record = record_bytes(set);
    for (; i >= file->size / record; file++) {
        i -= file->size / record;
    }
    return file->data + i * record;
}

/* Keeps the labels of some records, by the options; all where they ask for no choice. */
static lp_status choose(lp_record_part *set, const lp_dataset_options *options, lp_error *err) {
    lp_status status = LP_OK;
    set->count = set->part;
    if (!lp_subset_wanted(options)) {
        return LP_OK;
    }
    bool *chosen = lp_memory_take(&set->memory, set->part, sizeof *chosen);
    size_t *rows = lp_memory_take(&set->memory, set->part, sizeof *rows);
    LP_TRY(lp_memory_check(&set->memory, "choice", err));
    LP_TRY(lp_subset_choose(options, set->labels, set->part, set->classes, chosen, err));
    set->count = lp_strata_rows(chosen, set->part, true, rows);
    set->chosen = set->count < set->part ? rows : NULL;
    for (size_t i = 0; i < set->count; i++) {
        set->labels[i] = set->labels[rows[i]];
    }
done:
    return status;
}

/* SHA-256 over the chosen records, and the labels that stand apart from them. */
static lp_status digest_records(lp_record_part *set, lp_error *err) {
    const lp_record_file *apart = &set->files.labels;
    lp_digest *digest = NULL;
    lp_status status;
    LP_TRY(lp_digest_new(LP_SHA256, &digest, err));
    for (size_t k = 0; set->chosen == NULL && k < set->files.count; k++) {
        const lp_record_file *file = &set->files.records[k];
        LP_TRY(lp_digest_add(digest, file->data, file->size, err));
    }
    for (size_t i = 0; set->chosen != NULL && i < set->count; i++) {
        LP_TRY(lp_digest_add(digest, record_at(set, set->chosen[i]), record_bytes(set), err));
    }
    for (size_t i = 0; apart->path != NULL && i < set->count; i++) {
        size_t row = set->chosen != NULL ? set->chosen[i] : i;
        LP_TRY(lp_digest_add(digest, apart->data + row, 1, err));
    }
    LP_TRY(lp_digest_hex(digest, set->digest, err));
done:
    lp_digest_free(digest);
    return status;
}

static lp_status read_records(lp_record_part *set, lp_error *err) {
    const lp_record_file *apart = &set->files.labels;
    lp_status status;
    int64_t *labels = lp_memory_take(&set->memory, set->part, sizeof *labels);
    set->labels = labels;
    LP_TRY(lp_memory_check(&set->memory, "labels", err));
    for (size_t k = 0; apart->path == NULL && k < set->files.count; k++) {
        const lp_record_file *file = &set->files.records[k];
        LP_TRY(read_labels(set, file, labels, err));
        labels += file->size / record_bytes(set);
    }
    status = apart->path != NULL ? read_labels(set, apart, set->labels, err) : LP_OK;
done:
    return status;
}

/* *same becomes false unless this file is the published one. */
static lp_status compare_file(const lp_record_file *file, lp_digest_kind kind, const char *digest,
                              bool *same, lp_error *err) {
    char hex[LP_DIGEST_HEX];
    lp_status status = lp_digest_bytes(kind, file->data, file->size, hex, err);
    *same = *same && status == LP_OK && strcmp(hex, digest) == 0;
    return status;
}

static lp_status recognise(lp_record_part *set, lp_error *err) {
    const lp_official_records *official = &set->files.layout->official[set->split];
    const lp_record_file *first = &set->files.records[0];
    bool same = true;
    lp_status status = LP_OK;
    if (set->chosen != NULL) {
        return LP_OK; /* a part of what was published */
    }
    set->official = set->files.official;
    if (official->name == NULL || set->files.count != 1 || first->size != official->bytes) {
        return LP_OK;
    }
    if (official->kind == LP_SHA256) {
        same = strcmp(set->digest, official->digest) == 0;
    } else {
        LP_TRY(compare_file(first, official->kind, official->digest, &same, err));
    }
    if (official->labels != NULL) {
        LP_TRY(compare_file(&set->files.labels, official->kind, official->labels, &same, err));
    }
    set->official = same ? official->name : set->official;
done:
    return status;
}

/* One name a line, as many as classes.  Blank lines may follow (CIFAR-10's file has one). */
static lp_status read_names(const lp_record_file *file, size_t classes, lp_memory *memory,
                            char **names, lp_error *err) {
    size_t length = file->size, lines = 1;
    char *line = lp_memory_take(memory, length + 1, 1);
    lp_status status;
    LP_TRY(lp_memory_check(memory, file->path, err));
    if (length > 0) {
        memcpy(line, file->data, length);
    }
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r')) {
        length--;
    }
    line[length] = '\0';
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)line[i];
        lines += c == '\n';
        if ((c < ' ' && c != '\n' && c != '\r') || c == 127) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: byte %zu: expected text, found %d", file->path,
                           i, c);
        }
    }
    if (length == 0 || lines != classes) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: expected %zu names, one a line, found %zu",
                       file->path, classes, length == 0 ? 0 : lines);
    }
    for (size_t k = 0; k < lines; k++) {
        char *end = line + strcspn(line, "\n");
        if (end > line && end[-1] == '\r') {
            end[-1] = '\0';
        }
        *end = '\0';
        if (line[0] == '\0') {
            return lp_fail(err, LP_ERR_FORMAT, "%s: line %zu: expected a name, found none",
                           file->path, k + 1);
        }
        names[k] = line;
        line = end + 1;
    }
done:
    return status;
}

/* The names of `classes` classes of a kind, or "<word> 0" and so on where there is no file. */
static lp_status name_classes(lp_record_part *set, lp_label_kind kind, size_t classes,
                              const char *word, char ***out, lp_error *err) {
    const lp_record_file *file = &set->files.names[kind];
    lp_status status;
    char **names = lp_memory_take(&set->memory, classes, sizeof *names);
    char *text = lp_memory_take(&set->memory, classes, NUMBERED_NAME);
    LP_TRY(lp_memory_check(&set->memory, "class names", err));
    *out = names;
    if (file->path != NULL) {
        return read_names(file, classes, &set->memory, names, err);
    }
    for (size_t k = 0; k < classes; k++) {
        names[k] = text + k * NUMBERED_NAME;
        (void)snprintf(names[k], NUMBERED_NAME, "%s %zu", word, k);
    }
done:
    return status;
}

lp_status lp_record_part_read(lp_record_part *set, const char *source,
                              const lp_dataset_options *options, lp_error *err) {
    const lp_record_layout *layout = set->files.layout;
    lp_status status;
    set->kind = options->labels;
    set->classes = layout->classes[set->kind];
    if (set->classes == 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: %s has no coarse labels", source, layout->name);
    }
    LP_TRY(count_records(set, err));
    LP_TRY(read_records(set, err));
    LP_TRY(lp_prefix(err, choose(set, options, err), "%s: ", source));
    LP_TRY(digest_records(set, err));
    LP_TRY(recognise(set, err));
    LP_TRY(find_superclasses(set, err));
    LP_TRY(name_classes(set, set->kind, set->classes, "class", &set->class_names, err));
    if (set->superclass_of != NULL) {
        LP_TRY(name_classes(set, LP_LABELS_COARSE, set->superclasses, "superclass",
                            &set->superclass_names, err));
    }
done:
    return status;
}

void lp_record_part_close(lp_record_part *set) {
    lp_record_files_close(&set->files);
    lp_memory_free(&set->memory);
}

void lp_record_part_image(const lp_record_part *set, size_t i, unsigned char *rgb) {
    const lp_record_layout *layout = set->files.layout;
    size_t side = layout->side, plane = side * side;
    const unsigned char *planes =
        record_at(set, set->chosen != NULL ? set->chosen[i] : i) + layout->label_bytes;
    for (size_t k = 0; k < plane; k++) {
        const unsigned char *from = planes + (layout->by_columns ? k % side * side + k / side : k);
        rgb[3 * k] = from[0];
        rgb[3 * k + 1] = from[plane];
        rgb[3 * k + 2] = from[2 * plane];
    }
}
