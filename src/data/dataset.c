/* Data stage: a labelled image set over the files of one split.
 *
 *   records: files   -> N of label bytes + uint8 [3, side, side], or labels uint8 [N] of their own
 *            checked -> labels int64 [N], superclass of each class int64 [K], SHA-256 over all
 *                       records in order, and the labels behind them where they are apart
 *            image i -> uint8 [side, side, 3]
 *   folders of images: image_folder.h; sets of image files by name: data_sets.h; both give an
 *   image_list.h
 *
 * Formats: "CIFAR-10 binary version" and "CIFAR-100 binary version" of
 * https://www.cs.toronto.edu/~kriz/cifar.html, and STL-10's of
 * https://cs.stanford.edu/~acoates/stl10/ (planes column by column, labels from 1). */
#include "linprobe/dataset.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/memory.h"
#include "data/data_sets.h"
#include "data/image_folder.h"
#include "data/record_files.h"

enum { NUMBERED_NAME = 32 };

const char *const lp_split_names[] = {"train", "test", "val", "trainval", NULL};
const char *const lp_set_metric_names[] = {"accuracy", "mean per class", "ROC AUC", "11-point mAP",
                                           NULL};
const char *const lp_label_kind_names[] = {"fine", "coarse", NULL};

const char *lp_split_name(lp_split split) {
    return lp_split_names[split];
}

const char *lp_label_kind_name(lp_label_kind labels) {
    return lp_label_kind_names[labels];
}

struct lp_dataset {
    lp_dataset_info info;
    lp_record_files files; /* files.layout is NULL for a folder of images */
    lp_image_list list;
    const lp_data_set *set; /* whose files are listed, or NULL */
    char *source;
    char *own_name; /* of a folder of images */
    char digest[LP_DIGEST_HEX];
    lp_memory memory;       /* of what follows */
    int64_t *labels;        /* [N] */
    char **class_names;     /* [K] */
    int64_t *superclass_of; /* [K], or NULL */
    size_t superclasses;
    char **superclass_names;
};

static size_t record_bytes(const lp_dataset *data) {
    return lp_record_bytes(data->files.layout);
}

/* Whole records in every file; N. */
static lp_status count_records(lp_dataset *data, lp_error *err) {
    size_t record = record_bytes(data);
    for (size_t k = 0; k < data->files.count; k++) {
        const lp_record_file *file = &data->files.records[k];
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
        data->info.count += count;
    }
    const lp_record_file *apart = &data->files.labels;
    if (apart->path != NULL && apart->size != data->info.count) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: %zu labels, but %s has %zu images", apart->path,
                       apart->size, data->files.records[0].path, data->info.count);
    }
    return LP_OK;
}

/* Checks all labels of a file, of its records or of its own, and keeps the ones asked for. */
static lp_status read_labels(const lp_dataset *data, const lp_record_file *file, int64_t *labels,
                             lp_error *err) {
    const lp_record_layout *layout = data->files.layout;
    bool apart = layout->label_bytes == 0;
    size_t record = apart ? 1 : record_bytes(data), each = apart ? 1 : layout->label_bytes;
    size_t fine = each - 1, low = layout->first_label;
    size_t kept = data->info.labels == LP_LABELS_FINE ? fine : 0;
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
static lp_status find_superclasses(lp_dataset *data, lp_error *err) {
    const lp_record_layout *layout = data->files.layout;
    size_t record = record_bytes(data), classes = data->info.classes;
    if (layout->label_bytes < 2 || data->info.labels != LP_LABELS_FINE) {
        return LP_OK;
    }
    bool known = true;
    lp_status status;
    int64_t *of = lp_memory_take(&data->memory, classes, sizeof *of);
    LP_TRY(lp_memory_check(&data->memory, "superclasses", err));
    for (size_t c = 0; c < classes; c++) {
        of[c] = -1;
    }
    for (size_t k = 0; k < data->files.count; k++) {
        const lp_record_file *file = &data->files.records[k];
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
        data->superclass_of = of;
        data->superclasses = layout->classes[LP_LABELS_COARSE];
    }
done:
    return status;
}

static lp_status read_records(lp_dataset *data, lp_error *err) {
    const lp_record_file *apart = &data->files.labels;
    lp_digest *digest = NULL;
    lp_status status;
    int64_t *labels = lp_memory_take(&data->memory, data->info.count, sizeof *labels);
    data->labels = labels;
    LP_TRY(lp_memory_check(&data->memory, "labels", err));
    LP_TRY(lp_digest_new(LP_SHA256, &digest, err));
    for (size_t k = 0; k < data->files.count; k++) {
        const lp_record_file *file = &data->files.records[k];
        if (apart->path == NULL) {
            LP_TRY(read_labels(data, file, labels, err));
        }
        LP_TRY(lp_digest_add(digest, file->data, file->size, err));
        labels += file->size / record_bytes(data);
    }
    if (apart->path != NULL) {
        LP_TRY(read_labels(data, apart, data->labels, err));
        LP_TRY(lp_digest_add(digest, apart->data, apart->size, err));
    }
    LP_TRY(lp_digest_hex(digest, data->digest, err));
done:
    lp_digest_free(digest);
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

static lp_status recognise(lp_dataset *data, lp_error *err) {
    const lp_official_records *official = &data->files.layout->official[data->info.split];
    const lp_record_file *first = &data->files.records[0];
    bool same = true;
    lp_status status = LP_OK;
    if (data->files.official_archive) {
        data->info.official = data->files.layout->archive.file;
    }
    if (official->name == NULL || data->files.count != 1 || first->size != official->bytes) {
        return LP_OK;
    }
    if (official->kind == LP_SHA256) {
        same = strcmp(data->digest, official->digest) == 0;
    } else {
        LP_TRY(compare_file(first, official->kind, official->digest, &same, err));
    }
    if (official->labels != NULL) {
        LP_TRY(compare_file(&data->files.labels, official->kind, official->labels, &same, err));
    }
    data->info.official = same ? official->name : data->info.official;
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
static lp_status name_classes(lp_dataset *data, lp_label_kind kind, size_t classes,
                              const char *word, char ***out, lp_error *err) {
    const lp_record_file *file = &data->files.names[kind];
    lp_status status;
    char **names = lp_memory_take(&data->memory, classes, sizeof *names);
    char *text = lp_memory_take(&data->memory, classes, NUMBERED_NAME);
    LP_TRY(lp_memory_check(&data->memory, "class names", err));
    *out = names;
    if (file->path != NULL) {
        return read_names(file, classes, &data->memory, names, err);
    }
    for (size_t k = 0; k < classes; k++) {
        names[k] = text + k * NUMBERED_NAME;
        (void)snprintf(names[k], NUMBERED_NAME, "%s %zu", word, k);
    }
done:
    return status;
}

static lp_status fill_from_records(lp_dataset *data, lp_error *err) {
    lp_label_kind labels = data->info.labels;
    const lp_record_layout *layout = data->files.layout;
    if (layout->classes[labels] == 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: %s has no coarse labels", data->source,
                       layout->name);
    }
    data->info.name = layout->name;
    data->info.classes = layout->classes[labels];
    lp_status status;
    LP_TRY(count_records(data, err));
    LP_TRY(read_records(data, err));
    LP_TRY(recognise(data, err));
    LP_TRY(find_superclasses(data, err));
    LP_TRY(name_classes(data, labels, data->info.classes, "class", &data->class_names, err));
    if (data->superclass_of != NULL) {
        LP_TRY(name_classes(data, LP_LABELS_COARSE, data->superclasses, "superclass",
                            &data->superclass_names, err));
    }
done:
    return status;
}

/* The name of a folder or an archive for tables and file names: printable ASCII. */
static char *folder_name(const char *path) {
    char *name = lp_strdup(path);
    if (name == NULL) {
        return NULL;
    }
    for (size_t length = strlen(name); length > 0 && name[length - 1] == '/'; length--) {
        name[length - 1] = '\0';
    }
    const char *last = lp_path_name(name);
    memmove(name, last, strlen(last) + 1);
    for (char *c = name; *c != '\0'; c++) {
        *c = *c < ' ' || *c > '~' ? '-' : *c;
    }
    static const char *const endings[] = {".zip",    ".tar",     ".tgz",    ".tar.gz",
                                          ".tar.xz", ".tar.bz2", ".tar.zst"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t length = strlen(name), known = strlen(endings[i]);
        if (length > known && strcmp(name + length - known, endings[i]) == 0) {
            name[length - known] = '\0';
        }
    }
    bool none = name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    char *result = lp_strdup(none ? "images" : name);
    lp_free(name);
    return result;
}

/* A probe of one class says nothing, and it is mostly the root of another layout. */
static lp_status check_classes(const lp_image_list *list, lp_error *err) {
    char sets[512];
    if (list->class_count != 1) {
        return LP_OK;
    }
    lp_data_set_like(list->classes[0], sets, sizeof sets);
    return lp_image_list_fail(
        list, "", LP_ERR_DATA, err, "expected a folder for each class, found only one, '%s'%s%s",
        list->classes[0],
        sets[0] != '\0' ? ": a folder of that name belongs to the layout of " : "", sets);
}

static lp_status fill_from_list(lp_dataset *data, const lp_dataset_options *options,
                                lp_error *err) {
    lp_image_list *list = &data->list;
    lp_status status;
    if (options->labels != LP_LABELS_FINE) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: %s has no coarse labels", data->source,
                       data->set != NULL ? data->set->title : "a folder of images");
    }
    LP_TRY(check_classes(list, err));
    LP_TRY(lp_image_list_check(list, options, data->digest, err));
    data->labels = lp_memory_take(&data->memory, list->count, sizeof *data->labels);
    LP_TRY(lp_memory_check(&data->memory, "labels", err));
    for (size_t i = 0; i < list->count; i++) {
        data->labels[i] = list->images[i].label;
    }
    data->info.count = list->count;
    data->info.classes = list->class_count;
    data->info.image_folder = true;
    data->info.skipped = list->broken_count;
    data->info.ignored = list->ignored;
    data->info.empty_classes = list->empty_classes;
    data->info.instead = list->instead;
    data->info.test_share = list->test_share;
    data->info.split_seed = list->test_share > 0 || list->by_seed ? options->split_seed : 0;
done:
    return status;
}

/* Lists the part's image files: of the set that it is, or of a folder of class folders. */
static lp_status list_files(lp_dataset *data, const char *path, const lp_dataset_options *options,
                            lp_error *err) {
    char folder[LP_PATH_ROOM];
    lp_tree *tree = NULL;
    lp_status status;
    if (!(options->test_share >= 0 && options->test_share < 1)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: expected a test share above 0 and below 1, found %g", path,
                       options->test_share);
    }
    LP_TRY(lp_tree_open(path, &tree, err));
    status = lp_data_set_find(tree, path, &data->set, folder, err);
    if (status == LP_OK && data->set == NULL) {
        status = lp_image_folder_top(tree, folder, err);
    }
    status = status == LP_OK
                 ? lp_image_list_start(&data->list, tree, folder, options->skip_broken, err)
                 : status;
    if (data->list.tree == NULL) {
        lp_tree_close(tree);
    }
    LP_TRY(status);
    if (data->set != NULL) {
        LP_TRY(lp_data_set_list(data->set, &data->list, options, &data->info.split, err));
        data->info.name = data->set->title;
        data->info.set = data->set->name;
        data->info.metric = data->set->metric;
        data->info.published =
            data->info.split == LP_SPLIT_TRAINVAL
                ? data->set->images[LP_SPLIT_TRAIN] + data->set->images[LP_SPLIT_VAL]
                : data->set->images[data->info.split];
    } else {
        LP_TRY(lp_image_folder_list(&data->list, options, &data->info.split, err));
        data->own_name = folder_name(path);
        LP_TRY(lp_allocated(data->own_name, "name", strlen(path), 1, err));
        data->info.name = data->own_name;
    }
done:
    return status;
}

static lp_status fill(lp_dataset *data, const char *text, const lp_dataset_options *options,
                      lp_error *err) {
    lp_dataset_options of_records = *options;
    const char *path;
    lp_status status;
    data->source = lp_strdup(text);
    LP_TRY(lp_allocated(data->source, text, strlen(text), 1, err));
    data->info = (lp_dataset_info){.source = data->source,
                                   .digest = data->digest,
                                   .split = options->split,
                                   .labels = options->labels};
    if (of_records.split != LP_SPLIT_TEST) {
        of_records.split = LP_SPLIT_TRAIN; /* CIFAR and STL-10 have no validation part */
    }
    LP_TRY(lp_data_set_parse(text, &data->set, &path, err));
    if (data->set == NULL) {
        LP_TRY(lp_record_files_open(path, of_records.split, &data->files, err));
    }
    if (data->files.count > 0 && options->split == LP_SPLIT_VAL) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT, "%s: %s has no part val; it has train, test", path,
                       data->files.layout->name));
    }
    if (data->files.count > 0 && options->test_share > 0) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %s has a split of its own: a test share cannot be chosen", path,
                       data->files.layout->name));
    }
    if (data->files.count > 0) {
        data->info.split = of_records.split;
        return fill_from_records(data, err);
    }
    LP_TRY(list_files(data, path, options, err));
    LP_TRY(data->list.count > 0 ? fill_from_list(data, options, err)
                                : lp_record_files_missing(path, of_records.split, err));
done:
    return status;
}

lp_status lp_dataset_open(const char *path, lp_split split, lp_label_kind labels, lp_dataset **out,
                          lp_error *err) {
    const lp_dataset_options options = {.split = split, .labels = labels};
    return lp_dataset_open_with(path, &options, out, err);
}

lp_status lp_dataset_open_with(const char *path, const lp_dataset_options *options,
                               lp_dataset **out, lp_error *err) {
    lp_dataset *data = lp_alloc_zeroed(1, sizeof *data);
    lp_status status;
    LP_TRY(lp_allocated(data, path, 1, sizeof *data, err));
    LP_TRY(fill(data, path, options, err));
done:
    if (status != LP_OK) {
        lp_dataset_close(data);
        data = NULL;
    }
    *out = data;
    return status;
}

void lp_dataset_close(lp_dataset *data) {
    if (data != NULL) {
        lp_record_files_close(&data->files);
        lp_image_list_close(&data->list);
        lp_free(data->source);
        lp_free(data->own_name);
        lp_memory_free(&data->memory);
        lp_free(data);
    }
}

const lp_dataset_info *lp_dataset_describe(const lp_dataset *data) {
    return &data->info;
}

const int64_t *lp_dataset_labels(const lp_dataset *data) {
    return data->labels;
}

const char *lp_dataset_class_name(const lp_dataset *data, size_t k) {
    char *const *names = data->info.image_folder ? data->list.classes : data->class_names;
    return k < data->info.classes ? names[k] : "";
}

const int64_t *lp_dataset_superclasses(const lp_dataset *data, size_t *count) {
    if (count != NULL) {
        *count = data->superclasses;
    }
    return data->superclass_of;
}

const char *lp_dataset_superclass_name(const lp_dataset *data, size_t g) {
    return g < data->superclasses ? data->superclass_names[g] : "";
}

void lp_dataset_image_size(const lp_dataset *data, size_t i, size_t *height, size_t *width) {
    if (data->info.image_folder) {
        *height = data->list.images[i].height;
        *width = data->list.images[i].width;
    } else {
        *height = *width = data->files.layout->side;
    }
}

const char *lp_dataset_skipped(const lp_dataset *data, size_t i, const char **why) {
    if (i >= data->list.broken_count) {
        return NULL;
    }
    if (why != NULL) {
        *why = data->list.broken[i].why;
    }
    return data->list.broken[i].name;
}

lp_status lp_dataset_image(const lp_dataset *data, size_t i, unsigned char *rgb, lp_error *err) {
    if (i >= data->info.count) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: expected an image below %zu, found %zu",
                       data->source, data->info.count, i);
    }
    if (data->info.image_folder) {
        return lp_image_list_read(&data->list, i, rgb, err);
    }
    const lp_record_layout *layout = data->files.layout;
    const lp_record_file *file = data->files.records;
    size_t record = record_bytes(data), at = i, side = layout->side, plane = side * side;
    for (; at >= file->size / record; file++) {
        at -= file->size / record;
    }
    const unsigned char *planes = file->data + at * record + layout->label_bytes;
    for (size_t k = 0; k < plane; k++) {
        const unsigned char *from = planes + (layout->by_columns ? k % side * side + k / side : k);
        rgb[3 * k] = from[0];
        rgb[3 * k + 1] = from[plane];
        rgb[3 * k + 2] = from[2 * plane];
    }
    return LP_OK;
}
