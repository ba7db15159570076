/* Data stage: a list of image files; image_list.h has what it is.
 *
 *   names, labels [N]            from folders (image_folder.c) or a set's own lists (set_*.c)
 *         -> this part's of them, where the set has no split of its own
 *
 * image_check.c reads the files. */
#include "data/image_list.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/strata.h"
#include "data/subset.h"

lp_status lp_image_list_fail(const lp_image_list *list, const char *name, lp_status status,
                             lp_error *err, const char *format, ...) {
    char text[1024], below[LP_PATH_ROOM] = "", path[LP_PATH_ROOM] = "";
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)!lp_tree_join(below, list->folder, name, NULL);
    (void)!lp_tree_path(list->tree, below, path, NULL);
    return lp_fail(err, status, "%s: %s", path, text);
}

/* ---- names and labels ------------------------------------------------------------------------ */

lp_status lp_image_list_start(lp_image_list *list, lp_tree *tree, const char *folder,
                              bool skip_broken, lp_error *err) {
    *list = (lp_image_list){.tree = tree, .skip_broken = skip_broken};
    list->folder = lp_strdup(folder);
    return lp_allocated(list->folder, folder, 1, strlen(folder) + 1, err);
}

lp_status lp_image_list_add_class(lp_image_list *list, const char *name, lp_error *err) {
    for (const char *c = name; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 127) { /* it goes into tables and onto terminals */
            return lp_image_list_fail(list, "", LP_ERR_FORMAT, err,
                                      "the name of class %zu holds a control character, %d",
                                      list->class_count, (unsigned char)*c);
        }
    }
    char **classes =
        lp_grow_by_one(list->classes, list->class_count, &list->class_room, sizeof *classes);
    char *copy = lp_strdup(name);
    if (classes != NULL) {
        list->classes = classes;
    }
    if (classes == NULL || copy == NULL) {
        lp_free(copy);
        return lp_fail_memory(err, "list of classes", list->class_count + 1, sizeof *classes);
    }
    list->classes[list->class_count++] = copy;
    return LP_OK;
}

int64_t lp_image_list_class(const lp_image_list *list, const char *name) {
    for (size_t k = 0; k < list->class_count; k++) {
        if (strcmp(list->classes[k], name) == 0) {
            return (int64_t)k;
        }
    }
    return -1;
}

lp_status lp_image_list_add(lp_image_list *list, const char *name, int64_t label, lp_error *err) {
    lp_listed_image *images =
        lp_grow_by_one(list->images, list->count, &list->room, sizeof *images);
    char *copy = lp_strdup(name);
    if (images != NULL) {
        list->images = images;
    }
    if (images == NULL || copy == NULL) {
        lp_free(copy);
        return lp_fail_memory(err, "list of images", list->count + 1, sizeof *images);
    }
    list->images[list->count++] =
        (lp_listed_image){.name = copy, .label = label, .validation = list->validating};
    return LP_OK;
}

lp_status lp_image_list_mark(lp_image_list *list, const int8_t *marks, lp_error *err) {
    lp_listed_image *image = &list->images[list->count - 1];
    image->marks = lp_alloc(list->class_count, sizeof *marks);
    if (image->marks == NULL) {
        return lp_fail_memory(err, "labels", list->class_count, sizeof *marks);
    }
    memcpy(image->marks, marks, list->class_count * sizeof *marks);
    list->multilabel = true;
    return LP_OK;
}

static void clear_image(lp_listed_image *image) {
    lp_free(image->name);
    lp_free(image->marks);
}

lp_status lp_image_list_add_broken(lp_image_list *list, char *name, char *why, lp_error *err) {
    lp_broken_image *broken =
        name == NULL || why == NULL
            ? NULL
            : lp_grow_by_one(list->broken, list->broken_count, &list->broken_room, sizeof *broken);
    if (broken == NULL) {
        lp_free(name);
        lp_free(why);
        return lp_fail_memory(err, "list of broken images", list->broken_count + 1, sizeof *broken);
    }
    list->broken = broken;
    list->broken[list->broken_count++] = (lp_broken_image){name, why};
    return LP_OK;
}

lp_status lp_image_list_refuse(lp_image_list *list, const char *name, lp_status status,
                               lp_error *err) {
    if (status == LP_OK || !list->skip_broken ||
        (status != LP_ERR_FORMAT && status != LP_ERR_DATA)) {
        return status;
    }
    return lp_image_list_add_broken(list, lp_strdup(name), lp_strdup(err != NULL ? err->text : ""),
                                    err);
}

lp_status lp_image_list_add_listed(lp_image_list *list, const char *place, const char *name,
                                   int64_t label, lp_error *err) {
    char full[LP_PATH_ROOM];
    lp_error local = {.status = LP_OK};
    lp_error *why = err != NULL ? err : &local;
    lp_status status;
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    if (lp_tree_has_file(list->tree, full)) {
        return lp_image_list_add(list, name, label, err);
    }
    status = lp_fail(why, LP_ERR_DATA, "%s: names %s, which is not there", place, name);
    status = lp_image_list_refuse(list, name, status, why);
done:
    return status;
}

/* The tree's names must rise: the parts of a set are read as train, val. */
static void name_pixels(char name[64], lp_split part, size_t number) {
    static const char *const parts[] = {"train", "test", "val"};
    (void)snprintf(name, 64, "%s/%08zu.ppm", parts[part], number);
}

lp_status lp_image_list_add_lazily(lp_image_list *list, lp_split part, const lp_tree_source *source,
                                   size_t number, size_t size, int64_t label, lp_error *err) {
    char name[64], full[LP_PATH_ROOM];
    lp_status status;
    name_pixels(name, part, number);
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    LP_TRY(lp_tree_add_lazily(list->tree, full, source, number, size, err));
    status = lp_image_list_add(list, name, label, err);
done:
    return status;
}

lp_status lp_image_list_add_pixels(lp_image_list *list, lp_split part, size_t number,
                                   const unsigned char *pixels, size_t height, size_t width,
                                   size_t channels, int64_t label, lp_error *err) {
    char name[64], head[64], full[LP_PATH_ROOM];
    size_t count = height * width * channels;
    lp_status status;
    name_pixels(name, part, number);
    (void)snprintf(head, sizeof head, "P%c\n%zu %zu\n255\n", channels == 1 ? '5' : '6', width,
                   height);
    size_t used = strlen(head);
    unsigned char *bytes = lp_alloc(used + count + 1, 1);
    LP_TRY(lp_allocated(bytes, name, used + count + 1, 1, err));
    memcpy(bytes, head, used);
    memcpy(bytes + used, pixels, count);
    bytes[used + count] = '\0';
    status = lp_tree_join(full, list->folder, name, err);
    if (status != LP_OK) {
        lp_free(bytes);
        return status;
    }
    LP_TRY(lp_tree_add(list->tree, full, bytes, used + count, err));
    status = lp_image_list_add(list, name, label, err);
done:
    return status;
}

/* By class, by the folder's name, by the file's. */
static int by_place(const void *a, const void *b) {
    const lp_listed_image *x = a, *y = b;
    if (x->label != y->label) {
        return x->label < y->label ? -1 : 1;
    }
    const char *end_x = lp_path_name(x->name), *end_y = lp_path_name(y->name);
    size_t size_x = (size_t)(end_x - x->name) - 1, size_y = (size_t)(end_y - y->name) - 1;
    int order = memcmp(x->name, y->name, size_x < size_y ? size_x : size_y);
    if (order == 0 && size_x != size_y) {
        order = size_x < size_y ? -1 : 1;
    }
    return order != 0 ? order : strcmp(end_x, end_y);
}

void lp_image_list_sort(lp_image_list *list, size_t first) {
    if (list->count > first) {
        qsort(list->images + first, list->count - first, sizeof *list->images, by_place);
    }
}

lp_status lp_image_list_complete(const lp_image_list *list, bool every_class, lp_error *err) {
    char left_out[64] = "";
    lp_status status = LP_OK;
    bool *found = lp_alloc_zeroed(list->class_count, sizeof *found);
    LP_TRY(lp_allocated(found, "classes", list->class_count, sizeof *found, err));
    for (size_t i = 0; i < list->count; i++) {
        const lp_listed_image *image = &list->images[i];
        for (size_t k = 0; image->marks != NULL && k < list->class_count; k++) {
            found[k] = found[k] || image->marks[k] > 0;
        }
        found[image->label] = found[image->label] || image->marks == NULL;
    }
    for (size_t k = 0; every_class && k < list->class_count; k++) {
        if (!found[k]) {
            if (list->broken_count > 0) {
                (void)snprintf(left_out, sizeof left_out, " (broken entries left out: %zu)",
                               list->broken_count);
            }
            LP_TRY(lp_image_list_fail(list, "", LP_ERR_DATA, err,
                                      "expected images of class %zu, %s, found none%s", k,
                                      list->classes[k], left_out));
        }
    }
done:
    lp_free(found);
    return status;
}

/* ---- the split ------------------------------------------------------------------------------- */

/* Keeps the images for which chosen is `value`, in their order. */
static void keep_chosen(lp_image_list *list, const bool *chosen, bool value) {
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (chosen[i] == value) {
            list->images[kept++] = list->images[i];
        } else {
            clear_image(&list->images[i]);
        }
    }
    list->count = kept;
}

/* The images' labels, int64 [count], for lp_free. */
static lp_status copy_labels(const lp_image_list *list, int64_t **labels, lp_error *err) {
    lp_status status;
    *labels = lp_alloc(list->count, sizeof **labels);
    LP_TRY(lp_allocated(*labels, "split", list->count, sizeof **labels, err));
    for (size_t i = 0; i < list->count; i++) {
        (*labels)[i] = list->images[i].label;
    }
done:
    return status;
}

static lp_status shuffle(const lp_image_list *list, size_t seed, lp_strata **strata,
                         lp_error *err) {
    lp_status status;
    int64_t *labels = NULL;
    *strata = NULL;
    LP_TRY(copy_labels(list, &labels, err));
    status = lp_strata_new(labels, list->count, list->class_count, seed, strata, err);
done:
    lp_free(labels);
    return status;
}

lp_status lp_image_list_keep_share(lp_image_list *list, const lp_dataset_options *options,
                                   lp_error *err) {
    lp_strata *strata = NULL;
    lp_status status;
    bool *held_out = lp_alloc(list->count, sizeof *held_out);
    LP_TRY(lp_allocated(held_out, "split", list->count, sizeof *held_out, err));
    list->test_share = options->test_share > 0 ? options->test_share : LP_DEFAULT_TEST_SHARE;
    LP_TRY(shuffle(list, options->split_seed, &strata, err));
    lp_strata_hold_out(strata, list->test_share, held_out);
    keep_chosen(list, held_out, options->split == LP_SPLIT_TEST);
    if (list->count == 0) {
        LP_TRY(lp_image_list_fail(list, "", LP_ERR_DATA, err,
                                  "no class has two images: none is left for the test split"));
    }
done:
    lp_strata_free(strata);
    lp_free(held_out);
    return status;
}

lp_status lp_image_list_keep_each(lp_image_list *list, const lp_dataset_options *options,
                                  size_t train_each, size_t test_each, lp_error *err) {
    lp_strata *strata = NULL;
    lp_status status;
    bool is_test = options->split == LP_SPLIT_TEST;
    bool *chosen = lp_alloc_zeroed(list->count, sizeof *chosen);
    LP_TRY(lp_allocated(chosen, "split", list->count, sizeof *chosen, err));
    list->by_seed = true;
    LP_TRY(shuffle(list, options->split_seed, &strata, err));
    for (size_t k = 0; k < list->class_count; k++) {
        size_t first = strata->first[k], count = strata->first[k + 1] - first;
        size_t least = train_each + (test_each > 0 ? test_each : 1);
        if (count < least) {
            LP_TRY(lp_image_list_fail(list, "", LP_ERR_DATA, err,
                                      "class %s has %zu images, but the split takes %zu of each",
                                      list->classes[k], count, least));
        }
        size_t from = is_test ? train_each : 0;
        size_t end = !is_test ? train_each : test_each > 0 ? least : count;
        for (size_t i = from; i < end; i++) {
            chosen[strata->rows[first + i]] = true;
        }
    }
    keep_chosen(list, chosen, true);
done:
    lp_strata_free(strata);
    lp_free(chosen);
    return status;
}

/* Of several labels: of each image its rarest class, as a label to choose by. */
static lp_status find_rarest(const lp_image_list *list, int64_t **labels, lp_error *err) {
    size_t K = list->class_count, count = list->count;
    lp_memory memory = {0};
    int8_t *marks = lp_memory_take(&memory, count, K);
    size_t *images = lp_memory_take(&memory, K, sizeof *images);
    lp_status status;
    LP_TRY(lp_memory_check(&memory, "choice", err));
    LP_TRY(copy_labels(list, labels, err));
    for (size_t i = 0; i < count; i++) {
        memcpy(marks + i * K, list->images[i].marks, K);
    }
    lp_strata_rarest(marks, count, K, images, *labels);
done:
    lp_memory_free(&memory);
    return status;
}

lp_status lp_image_list_choose(lp_image_list *list, const lp_dataset_options *options,
                               lp_error *err) {
    int64_t *labels = NULL;
    bool *chosen = NULL;
    lp_status status = LP_OK;
    if (!lp_subset_wanted(options)) {
        return LP_OK;
    }
    if (list->multilabel && options->per_class > 0) {
        return lp_image_list_fail(list, "", LP_ERR_UNSUPPORTED, err,
                                  "an image has several labels, so a number of images of each "
                                  "class cannot be chosen, but a number in all (limit)");
    }
    chosen = lp_alloc(list->count, sizeof *chosen);
    LP_TRY(lp_allocated(chosen, "choice", list->count, sizeof *chosen, err));
    LP_TRY(list->multilabel ? find_rarest(list, &labels, err) : copy_labels(list, &labels, err));
    status = lp_subset_choose(options, labels, list->count, list->class_count + list->multilabel,
                              chosen, err);
    if (status != LP_OK) {
        LP_TRY(lp_image_list_fail(list, "", status, err, "%s", err != NULL ? err->text : ""));
    }
    keep_chosen(list, chosen, true);
done:
    lp_free(labels);
    lp_free(chosen);
    return status;
}

void lp_image_list_close(lp_image_list *list) {
    for (size_t k = 0; k < list->class_count; k++) {
        lp_free(list->classes[k]);
    }
    for (size_t i = 0; i < list->count; i++) {
        clear_image(&list->images[i]);
    }
    for (size_t i = 0; i < list->broken_count; i++) {
        lp_free(list->broken[i].name);
        lp_free(list->broken[i].why);
    }
    lp_free(list->classes);
    lp_free(list->images);
    lp_free(list->broken);
    lp_free(list->folder);
    lp_free(list->instead);
    lp_tree_close(list->tree);
    memset(list, 0, sizeof *list);
}
