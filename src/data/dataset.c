/* Data stage: a labelled image set over one part of a data set.
 *
 *   records: record_part.h; folders of images: image_folder.h; sets of image files by name:
 *   data_sets.h, which both give an image_list.h */
#include "linprobe/dataset.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/archive.h"
#include "base/error.h"
#include "data/csv_list.h"
#include "data/data_sets.h"
#include "data/image_folder.h"
#include "data/record_part.h"
#include "data/subset.h"
#include "data/webdataset.h"

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
    lp_record_part records; /* of one of these two are the images */
    lp_image_list list;
    const lp_data_set *set; /* that it is, or NULL */
    char *source;
    char *own_name;             /* of a folder of images */
    char digest[LP_DIGEST_HEX]; /* of the list */
    int64_t *list_labels;       /* [N], of the list; NULL where it is of several labels an image */
    int8_t *list_marks;         /* [N, K], of such a list */
    bool *list_validation;      /* [N], where some are of the validation part, or NULL */
};

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
    size_t length = strlen(name), csv = lp_is_csv_list(name) ? strlen(".csv") : 0;
    name[length - csv - lp_archive_ending(name)] = '\0';
    bool none = name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    char *result = lp_strdup(none ? "images" : name);
    lp_free(name);
    return result;
}

/* A probe of one class says nothing, and it is mostly the root of another layout. */
static lp_status check_classes(const lp_dataset *data, const lp_image_list *list, lp_error *err) {
    char sets[512];
    if (list->class_count != 1) {
        return LP_OK;
    }
    if (lp_is_csv_list(data->source)) {
        return lp_fail(err, LP_ERR_DATA,
                       "%s: expected labels of two classes or more, found only '%s'", data->source,
                       list->classes[0]);
    }
    lp_data_set_like(list->classes[0], sets, sizeof sets);
    return lp_image_list_fail(
        list, "", LP_ERR_DATA, err, "expected a folder for each class, found only one, '%s'%s%s",
        list->classes[0],
        sets[0] != '\0' ? ": a folder of that name belongs to the layout of " : "", sets);
}

/* What was chosen of the part's images, of which info.part is known. */
static void note_choice(lp_dataset *data, const lp_dataset_options *options, size_t count) {
    if (count < data->info.part) {
        data->info.per_class = options->per_class;
        data->info.limit = options->limit;
        data->info.choice_seed = options->split_seed;
    }
}

/* What the table says of the set, for the part that info.split is. */
static void note_set(lp_dataset *data) {
    const lp_data_set *set = data->set;
    lp_split split = data->info.split;
    data->info.name = set->title;
    data->info.set = set->name;
    data->info.metric = set->metric;
    data->info.published = split == LP_SPLIT_TRAINVAL
                               ? set->images[LP_SPLIT_TRAIN] + set->images[LP_SPLIT_VAL]
                               : set->images[split];
}

static lp_status fill_from_records(lp_dataset *data, const char *path,
                                   const lp_dataset_options *options, lp_error *err) {
    lp_record_part *set = &data->records;
    const lp_record_layout *layout = set->files.layout;
    lp_status status;
    if (options->split == LP_SPLIT_VAL) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: %s has no part val; it has train, test", path,
                       layout->name);
    }
    if (options->test_share > 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %s has a split of its own: a test share cannot be chosen", path,
                       layout->name);
    }
    LP_TRY(lp_record_part_read(set, data->source, options, err));
    data->set = lp_data_set_of_records(layout);
    data->info.split = set->split;
    note_set(data);
    data->info.official = set->official;
    data->info.digest = set->digest;
    data->info.count = set->count;
    data->info.part = set->part;
    data->info.classes = set->classes;
    note_choice(data, options, set->count);
done:
    return status;
}

static lp_status copy_labels(lp_dataset *data, lp_error *err) {
    const lp_image_list *list = &data->list;
    data->list_labels = lp_alloc(list->count, sizeof *data->list_labels);
    for (size_t i = 0; data->list_labels != NULL && i < list->count; i++) {
        data->list_labels[i] = list->images[i].label;
    }
    return lp_allocated(data->list_labels, "labels", list->count, sizeof(int64_t), err);
}

static lp_status copy_marks(lp_dataset *data, lp_error *err) {
    const lp_image_list *list = &data->list;
    size_t K = list->class_count;
    data->info.multilabel = true;
    data->list_marks = lp_alloc(list->count, K);
    for (size_t i = 0; data->list_marks != NULL && i < list->count; i++) {
        memcpy(data->list_marks + i * K, list->images[i].marks, K);
    }
    return lp_allocated(data->list_marks, "labels", list->count, K, err);
}

/* Which images are of the validation part, where some are and others are not. */
static lp_status copy_validation(lp_dataset *data, lp_error *err) {
    const lp_image_list *list = &data->list;
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        count += list->images[i].validation;
    }
    if (count == 0 || count == list->count) {
        return LP_OK;
    }
    data->list_validation = lp_alloc(list->count, sizeof *data->list_validation);
    for (size_t i = 0; data->list_validation != NULL && i < list->count; i++) {
        data->list_validation[i] = list->images[i].validation;
    }
    return lp_allocated(data->list_validation, "parts", list->count, 1, err);
}

static lp_status fill_from_list(lp_dataset *data, const lp_dataset_options *options,
                                lp_error *err) {
    lp_image_list *list = &data->list;
    lp_status status;
    if (options->labels != LP_LABELS_FINE) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: %s has no coarse labels", data->source,
                       data->set != NULL ? data->set->title : "a folder of images");
    }
    LP_TRY(check_classes(data, list, err));
    data->info.part = list->count;
    LP_TRY(lp_image_list_choose(list, options, err));
    note_choice(data, options, list->count);
    LP_TRY(lp_image_list_check(list, options, data->digest, err));
    LP_TRY(list->multilabel ? copy_marks(data, err) : copy_labels(data, err));
    LP_TRY(copy_validation(data, err));
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
    bool shards = false;
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
        status = status == LP_OK ? lp_is_webdataset(tree, &shards, err) : status;
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
        note_set(data);
    } else {
        LP_TRY((shards ? lp_webdataset_list : lp_image_folder_list)(&data->list, options,
                                                                    &data->info.split, err));
        data->own_name = folder_name(path);
        LP_TRY(lp_allocated(data->own_name, "name", strlen(path), 1, err));
        data->info.name = data->own_name;
    }
done:
    return status;
}

/* The same of a list in a table, whose folder is the tree. */
static lp_status list_table(lp_dataset *data, const char *path, const lp_dataset_options *options,
                            lp_error *err) {
    char folder[LP_PATH_ROOM];
    const char *name = lp_path_name(path);
    lp_tree *tree = NULL;
    lp_status status;
    LP_TRY(lp_path_print(folder, err, "%.*s", name > path ? (int)(name - path - 1) : 1,
                         name > path + 1 ? path
                         : name > path   ? "/"
                                         : "."));
    LP_TRY(lp_tree_open(folder[0] != '\0' ? folder : "/", &tree, err));
    LP_TRY(lp_image_list_start(&data->list, tree, "", options->skip_broken, err));
    LP_TRY(lp_csv_list_read(&data->list, name, options, &data->info.split, err));
    data->own_name = folder_name(path);
    LP_TRY(lp_allocated(data->own_name, "name", strlen(path), 1, err));
    data->info.name = data->own_name;
done:
    return status;
}

static lp_status fill(lp_dataset *data, const char *text, const lp_dataset_options *options,
                      lp_error *err) {
    const char *path;
    lp_status status;
    data->source = lp_strdup(text);
    LP_TRY(lp_allocated(data->source, text, strlen(text), 1, err));
    data->info = (lp_dataset_info){.source = data->source,
                                   .digest = data->digest,
                                   .split = options->split,
                                   .labels = options->labels};
    /* CIFAR and STL-10 have no validation part */
    lp_split split = options->split != LP_SPLIT_TEST ? LP_SPLIT_TRAIN : LP_SPLIT_TEST;
    data->records.split = split;
    LP_TRY(lp_data_set_parse(text, &data->set, &path, err));
    if (data->set == NULL && lp_is_csv_list(path)) {
        LP_TRY(list_table(data, path, options, err));
        return fill_from_list(data, options, err);
    }
    if (data->set == NULL || data->set->records != NULL) {
        LP_TRY(lp_record_files_open(path, data->set != NULL ? data->set->records : NULL, split,
                                    &data->records.files, err));
    }
    if (data->records.files.count > 0) {
        return fill_from_records(data, path, options, err);
    }
    if (data->set != NULL && data->set->records != NULL) {
        return lp_record_files_missing(path, data->set->records, split, err);
    }
    LP_TRY(list_files(data, path, options, err));
    LP_TRY(data->list.count > 0 ? fill_from_list(data, options, err)
                                : lp_record_files_missing(path, NULL, split, err));
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
        lp_record_part_close(&data->records);
        lp_image_list_close(&data->list);
        lp_free(data->source);
        lp_free(data->own_name);
        lp_free(data->list_labels);
        lp_free(data->list_marks);
        lp_free(data->list_validation);
        lp_free(data);
    }
}

const lp_dataset_info *lp_dataset_describe(const lp_dataset *data) {
    return &data->info;
}

const int64_t *lp_dataset_labels(const lp_dataset *data) {
    return data->info.image_folder ? data->list_labels : data->records.labels;
}

const int8_t *lp_dataset_marks(const lp_dataset *data) {
    return data->list_marks;
}

const bool *lp_dataset_validation(const lp_dataset *data) {
    return data->list_validation;
}

const char *lp_dataset_class_name(const lp_dataset *data, size_t k) {
    char *const *names = data->info.image_folder ? data->list.classes : data->records.class_names;
    return k < data->info.classes ? names[k] : "";
}

const int64_t *lp_dataset_superclasses(const lp_dataset *data, size_t *count) {
    if (count != NULL) {
        *count = data->records.superclasses;
    }
    return data->records.superclass_of;
}

const char *lp_dataset_superclass_name(const lp_dataset *data, size_t g) {
    return g < data->records.superclasses ? data->records.superclass_names[g] : "";
}

void lp_dataset_image_size(const lp_dataset *data, size_t i, size_t *height, size_t *width) {
    if (data->info.image_folder) {
        *height = data->list.images[i].height;
        *width = data->list.images[i].width;
    } else {
        *height = *width = data->records.files.layout->side;
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
    lp_record_part_image(&data->records, i, rgb);
    return LP_OK;
}
