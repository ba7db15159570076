/* Data stage: folders of image files, one a class; image_folder.h has the layouts. */
#include "data/image_folder.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"

enum { DEPTH_MAX = 32 };

/* Names of a data set's parts, in any case. */
enum { TRAIN, TEST, VAL, PARTS };
static const struct {
    const char *name;
    int part;
} part_names[] = {
    {"train", TRAIN},    {"training", TRAIN}, {"train_set", TRAIN}, {"training_set", TRAIN},
    {"test", TEST},      {"testing", TEST},   {"test_set", TEST},   {"val", VAL},
    {"validation", VAL}, {"valid", VAL},      {"val_set", VAL},     {"validation_set", VAL},
};

/* PARTS: it is no part's name. */
static int part_of(const char *name) {
    for (size_t i = 0; i < sizeof part_names / sizeof part_names[0]; i++) {
        if (strcasecmp(part_names[i].name, name) == 0) {
            return part_names[i].part;
        }
    }
    return PARTS;
}

bool lp_is_image_name(const char *name) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png",  ".ppm",  ".bmp",
                                          ".pgm", ".tif",  ".tiff", ".webp", ".gif"};
    const char *end = strrchr(name, '.');
    bool found = false;
    for (size_t i = 0; end != NULL && i < sizeof endings / sizeof *endings; i++) {
        found = found || strcasecmp(end, endings[i]) == 0;
    }
    return found;
}

/* ---- one folder of class folders ------------------------------------------------------------- */

/* Adds the images of list->folder/below and of the folders in it.  The depth is bounded because
 * links are followed, and may lead round. */
static lp_status walk(lp_image_list *list, const char *below, int64_t label, int depth,
                      lp_error *err) {
    lp_folder folder = {0};
    char full[LP_PATH_ROOM], name[LP_PATH_ROOM];
    lp_status status;
    if (depth == DEPTH_MAX) {
        return lp_image_list_fail(list, below, LP_ERR_FORMAT, err, "more than %d folders deep",
                                  DEPTH_MAX);
    }
    LP_TRY(lp_tree_join(full, list->folder, below, err));
    LP_TRY(lp_tree_list(list->tree, full, &folder, err));
    list->ignored += folder.left_out;
    for (size_t i = 0; i < folder.count; i++) {
        LP_TRY(lp_tree_join(name, below, folder.names[i], err));
        LP_TRY(lp_tree_join(full, list->folder, name, err));
        if (lp_tree_has_folder(list->tree, full)) {
            LP_TRY(walk(list, name, label, depth + 1, err));
        } else if (lp_is_image_name(name)) {
            LP_TRY(lp_image_list_add(list, name, label, err));
        } else {
            list->ignored++;
        }
    }
done:
    lp_folder_clear(&folder);
    return status;
}

/* The folders in list->folder/below, but for those without any file. */
static lp_status find_classes(lp_image_list *list, const char *below, lp_folder *classes,
                              lp_error *err) {
    char place[LP_PATH_ROOM], full[LP_PATH_ROOM];
    lp_folder files = {0};
    size_t kept = 0;
    lp_status status;
    memset(classes, 0, sizeof *classes);
    LP_TRY(lp_tree_join(place, list->folder, below, err));
    LP_TRY(lp_tree_list_kind(list->tree, place, true, classes, err));
    for (size_t k = 0; k < classes->count; k++) {
        LP_TRY(lp_tree_join(full, place, classes->names[k], err));
        LP_TRY(lp_tree_list(list->tree, full, &files, err));
        if (files.count > 0) {
            char *name = classes->names[k];
            classes->names[k] = classes->names[kept];
            classes->names[kept++] = name;
        }
        lp_folder_clear(&files);
    }
    while (classes->count > kept) {
        lp_free(classes->names[--classes->count]);
        list->empty_classes++;
    }
done:
    return status;
}

lp_status lp_image_folder_classes(lp_image_list *list, const char *below, lp_error *err) {
    lp_folder classes;
    lp_status status;
    LP_TRY(find_classes(list, below, &classes, err));
    list->ignored += classes.left_out;
    for (size_t k = 0; k < classes.count; k++) {
        LP_TRY(lp_image_list_add_class(list, classes.names[k], err));
    }
done:
    lp_folder_clear(&classes);
    return status;
}

lp_status lp_image_folder_images(lp_image_list *list, const char *below, bool every_class,
                                 lp_error *err) {
    char name[LP_PATH_ROOM], full[LP_PATH_ROOM];
    size_t first = list->count;
    lp_status status = LP_OK;
    const char *empty = NULL;
    for (size_t k = 0; k < list->class_count; k++) {
        size_t before = list->count;
        LP_TRY(lp_tree_join(name, below, list->classes[k], err));
        LP_TRY(lp_tree_join(full, list->folder, name, err));
        if (every_class || lp_tree_has_folder(list->tree, full)) {
            LP_TRY(walk(list, name, (int64_t)k, 0, err));
        }
        if (every_class && empty == NULL && list->count == before) {
            empty = list->classes[k];
        }
    }
    if (list->count > first && empty != NULL) {
        LP_TRY(lp_tree_join(name, below, empty, err));
        LP_TRY(lp_image_list_fail(list, name, LP_ERR_DATA, err,
                                  "expected images of this class, found none"));
    }
    lp_image_list_sort(list, first);
done:
    return status;
}

/* ---- the top of an archive ------------------------------------------------------------------- */

lp_status lp_image_folder_top(const lp_tree *tree, char folder[LP_PATH_ROOM], lp_error *err) {
    char next[LP_PATH_ROOM];
    lp_folder names = {0}, below = {0};
    bool enter = lp_tree_is_archive(tree);
    lp_status status = LP_OK;
    folder[0] = '\0';
    for (int depth = 0; enter && depth < DEPTH_MAX; depth++) {
        LP_TRY(lp_tree_list_kind(tree, folder, true, &names, err));
        enter = names.count == 1 && part_of(names.names[0]) == PARTS;
        if (enter) {
            LP_TRY(lp_tree_join(next, folder, names.names[0], err));
            LP_TRY(lp_tree_list_kind(tree, next, true, &below, err));
            enter = below.count > 0; /* else it is a class of image files */
        }
        if (enter) {
            memcpy(folder, next, sizeof next);
        }
        lp_folder_clear(&names);
        lp_folder_clear(&below);
    }
done:
    lp_folder_clear(&names);
    lp_folder_clear(&below);
    return status;
}

/* ---- the parts of a folder ------------------------------------------------------------------- */

/* Each class folder of another part must be a class of the training part. */
static lp_status check_classes(lp_image_list *list, const char *below, const char *train,
                               lp_error *err) {
    char name[LP_PATH_ROOM], full[LP_PATH_ROOM], path[LP_PATH_ROOM];
    lp_folder folders;
    lp_status status;
    LP_TRY(find_classes(list, below, &folders, err));
    list->ignored += folders.left_out;
    for (size_t i = 0; i < folders.count; i++) {
        if (lp_image_list_class(list, folders.names[i]) < 0) {
            LP_TRY(lp_tree_join(full, list->folder, train, err));
            LP_TRY(lp_tree_path(list->tree, full, path, err));
            LP_TRY(lp_tree_join(name, below, folders.names[i], err));
            LP_TRY(lp_image_list_fail(list, name, LP_ERR_DATA, err, "%s has no such class", path));
        }
    }
done:
    lp_folder_clear(&folders);
    return status;
}

/* Where the parts lie: names below the list's folder, or NULL. */
typedef struct folder_parts {
    char *train, *test, *val;
} folder_parts;

static void free_parts(folder_parts *parts) {
    lp_free(parts->train);
    lp_free(parts->test);
    lp_free(parts->val);
}

/* The folders in a folder of the list's. */
static lp_status list_folders(const lp_image_list *list, const char *below, lp_folder *folders,
                              lp_error *err) {
    char full[LP_PATH_ROOM];
    lp_status status = lp_tree_join(full, list->folder, below, err);
    return status == LP_OK ? lp_tree_list_kind(list->tree, full, true, folders, err) : status;
}

/* Takes a folder for a part, if it holds folders. */
static lp_status take_part(const lp_image_list *list, const char *name, char **part,
                           lp_error *err) {
    lp_folder folders = {0};
    lp_status status;
    LP_TRY(list_folders(list, name, &folders, err));
    if (folders.count > 0 && *part != NULL) {
        LP_TRY(lp_image_list_fail(list, "", LP_ERR_DATA, err,
                                  "both %s and %s may be the same part of the data set: rename "
                                  "one, or move it elsewhere",
                                  *part, name));
    }
    if (folders.count > 0) {
        *part = lp_strdup(name);
        LP_TRY(lp_allocated(*part, name, strlen(name) + 1, 1, err));
    }
done:
    lp_folder_clear(&folders);
    return status;
}

/* Whether one part has a class of another; the folders of an unlabelled part are no classes. */
static lp_status shares_class(const lp_image_list *list, const char *part, const char *train,
                              bool *shares, lp_error *err) {
    lp_folder folders = {0}, classes = {0};
    lp_status status;
    *shares = false;
    LP_TRY(list_folders(list, part, &folders, err));
    LP_TRY(list_folders(list, train, &classes, err));
    for (size_t i = 0; i < folders.count; i++) {
        *shares = *shares || lp_text_in((const char *const *)classes.names, classes.count,
                                        folders.names[i], strlen(folders.names[i]));
    }
done:
    lp_folder_clear(&folders);
    lp_folder_clear(&classes);
    return status;
}

static lp_status find_parts(lp_image_list *list, folder_parts *parts, lp_error *err) {
    char **const part[PARTS] = {&parts->train, &parts->test, &parts->val};
    lp_folder folders = {0};
    bool shares = true;
    lp_status status;
    *parts = (folder_parts){NULL, NULL, NULL};
    LP_TRY(list_folders(list, "", &folders, err));
    for (size_t i = 0; i < folders.count; i++) {
        int which = part_of(folders.names[i]);
        if (which != PARTS) {
            LP_TRY(take_part(list, folders.names[i], part[which], err));
        }
    }
    if (parts->test != NULL && parts->val != NULL && parts->train != NULL) {
        LP_TRY(shares_class(list, parts->test, parts->train, &shares, err));
    }
    if ((parts->test == NULL || !shares) && parts->val != NULL) {
        lp_free(parts->test);
        parts->test = parts->val;
        parts->val = NULL;
        list->instead = lp_strdup(parts->test);
        LP_TRY(lp_allocated(list->instead, parts->test, strlen(parts->test) + 1, 1, err));
    }
done:
    lp_folder_clear(&folders);
    return status;
}

/* ---- layouts that are none ------------------------------------------------------------------- */

/* Whether a name has a word, whole and in any case. */
static bool has_word(const char *name, const char *word) {
    size_t length = strlen(word);
    for (const char *c = name; *c != '\0'; c++) {
        bool begins = c == name || !isalpha((unsigned char)c[-1]);
        if (begins && strncasecmp(c, word, length) == 0 && !isalpha((unsigned char)c[length])) {
            return true;
        }
    }
    return false;
}

/* The name of a few class folders that has one of these words and holds folders, or NULL. */
static lp_status find_odd_class(const lp_image_list *list, const char *const *words,
                                const char **found, lp_error *err) {
    lp_folder below = {0};
    lp_status status = LP_OK;
    *found = NULL;
    for (size_t k = 0; k < list->class_count && list->class_count <= 4; k++) {
        for (const char *const *w = words; *w != NULL; w++) {
            if (*found == NULL && has_word(list->classes[k], *w)) {
                LP_TRY(list_folders(list, list->classes[k], &below, err));
                *found = below.count > 0 ? list->classes[k] : NULL;
                lp_folder_clear(&below);
            }
        }
    }
done:
    return status;
}

/* Refuses folders that are parts under other names ("seg_train", "seg_test"), and classes that hold
 * parts ("cat/train", "cat/test"): a split by a seed would mix what must stay apart. */
static lp_status check_layout(const lp_image_list *list, lp_error *err) {
    static const char *const first[] = {"train", "training", NULL};
    static const char *const others[] = {"test", "testing", "val",  "valid",
                                         "eval", "dev",     "pred", NULL};
    const char *train, *other;
    lp_folder inner = {0};
    bool has[PARTS + 1] = {false};
    lp_status status;
    LP_TRY(find_odd_class(list, first, &train, err));
    LP_TRY(find_odd_class(list, others, &other, err));
    if (train != NULL && other != NULL) {
        LP_TRY(lp_image_list_fail(list, "", LP_ERR_DATA, err,
                                  "expected a folder for each class, found %s and %s, which look "
                                  "like parts of a data set: rename them train and test",
                                  train, other));
    }
    if (list->class_count > 0) {
        LP_TRY(list_folders(list, list->classes[0], &inner, err));
    }
    for (size_t i = 0; i < inner.count; i++) {
        has[part_of(inner.names[i])] = true;
    }
    if (list->class_count == 1 && has[TRAIN]) {
        LP_TRY(lp_image_list_fail(list, "", LP_ERR_DATA, err,
                                  "the data set lies in its folder %s: name that folder",
                                  list->classes[0]));
    }
    if (has[TRAIN] && (has[TEST] || has[VAL])) {
        LP_TRY(lp_image_list_fail(list, list->classes[0], LP_ERR_DATA, err,
                                  "a class that holds parts of the data set: expected train and "
                                  "test above the classes, as train/%s",
                                  list->classes[0]));
    }
done:
    lp_folder_clear(&inner);
    return status;
}

/* ---- listing a part -------------------------------------------------------------------------- */

/* The list's folder becomes its folder `below`, so that names begin there. */
static lp_status enter(lp_image_list *list, const char *below, lp_error *err) {
    char full[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_tree_join(full, list->folder, below, err));
    char *copy = lp_strdup(full);
    LP_TRY(lp_allocated(copy, full, strlen(full) + 1, 1, err));
    lp_free(list->folder);
    list->folder = copy;
done:
    return status;
}

static lp_status list_part(lp_image_list *list, const folder_parts *parts, const char *part,
                           lp_error *err) {
    bool first = part == parts->train || parts->train == NULL;
    lp_status status;
    if (list->class_count == 0) {
        LP_TRY(lp_image_folder_classes(list, first ? part : parts->train, err));
    }
    if (first) {
        LP_TRY(enter(list, part, err));
        return lp_image_folder_images(list, "", part == parts->train, err);
    }
    LP_TRY(check_classes(list, part, parts->train, err));
    LP_TRY(enter(list, part, err));
    status = lp_image_folder_images(list, "", false, err);
done:
    return status;
}

/* Training and validation part together; names begin at the whole folder. */
static lp_status list_two(lp_image_list *list, const folder_parts *parts, lp_error *err) {
    lp_status status;
    LP_TRY(lp_image_folder_classes(list, parts->train, err));
    LP_TRY(check_classes(list, parts->val, parts->train, err));
    LP_TRY(lp_image_folder_images(list, parts->train, true, err));
    list->validating = true;
    status = lp_image_folder_images(list, parts->val, false, err);
done:
    return status;
}

static lp_status list_whole(lp_image_list *list, const lp_dataset_options *options, lp_error *err) {
    lp_status status;
    LP_TRY(lp_image_folder_classes(list, "", err));
    LP_TRY(check_layout(list, err));
    LP_TRY(lp_image_folder_images(list, "", true, err));
    if (list->count > 0 && options->split == LP_SPLIT_VAL) {
        LP_TRY(lp_image_list_fail(list, "", LP_ERR_IO, err,
                                  "has no validation part: it is split by a seed into train and "
                                  "test"));
    }
    if (list->count > 0) {
        LP_TRY(lp_image_list_keep_share(list, options, err));
    }
done:
    return status;
}

static lp_status list_parts(lp_image_list *list, const folder_parts *parts,
                            const lp_dataset_options *options, lp_split *split, lp_error *err) {
    if (*split == LP_SPLIT_TRAINVAL && (parts->val == NULL || parts->train == NULL)) {
        *split = LP_SPLIT_TRAIN;
    }
    const char *part = *split == LP_SPLIT_TEST  ? parts->test
                       : *split == LP_SPLIT_VAL ? parts->val
                                                : parts->train;
    if (part == NULL) {
        bool swapped = *split == LP_SPLIT_VAL && list->instead != NULL;
        return lp_image_list_fail(
            list, "", LP_ERR_IO, err, "has class folders in %s, but none in %s%s",
            parts->train != NULL ? parts->train : parts->test,
            *split == LP_SPLIT_TEST  ? "test, val, validation or valid"
            : *split == LP_SPLIT_VAL ? "val, validation or valid"
                                     : "train",
            swapped ? " beside a test part (what is there is the test part)" : "");
    }
    if (options->test_share > 0) {
        return lp_image_list_fail(list, part, LP_ERR_ARGUMENT, err,
                                  "the folder has a split of its own: a test share cannot be "
                                  "chosen");
    }
    if (*split != LP_SPLIT_TEST) {
        lp_free(list->instead);
        list->instead = NULL;
    }
    return *split == LP_SPLIT_TRAINVAL ? list_two(list, parts, err)
                                       : list_part(list, parts, part, err);
}

lp_status lp_image_folder_list(lp_image_list *list, const lp_dataset_options *options,
                               lp_split *split, lp_error *err) {
    folder_parts parts;
    lp_status status;
    *split = options->split;
    LP_TRY(find_parts(list, &parts, err));
    if (parts.train == NULL && parts.test == NULL) {
        *split = *split == LP_SPLIT_TRAINVAL ? LP_SPLIT_TRAIN : *split;
        status = list_whole(list, options, err);
    } else {
        status = list_parts(list, &parts, options, split, err);
    }
done:
    free_parts(&parts);
    return status;
}
