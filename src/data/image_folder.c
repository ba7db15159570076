/* Data stage: folders of image files, one a class; image_folder.h has the layouts. */
#include "data/image_folder.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"

enum { DEPTH_MAX = 32 };

static const char *const val_names[] = {"val", "validation", "valid"};
enum { VAL_NAMES = 3 };

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

static bool is_part_name(const char *name) {
    return strcmp(name, "train") == 0 || strcmp(name, "test") == 0 ||
           lp_text_in(val_names, VAL_NAMES, name, strlen(name));
}

lp_status lp_image_folder_top(const lp_tree *tree, char folder[LP_PATH_ROOM], lp_error *err) {
    char next[LP_PATH_ROOM];
    lp_folder names = {0}, below = {0};
    bool enter = lp_tree_is_archive(tree);
    lp_status status = LP_OK;
    folder[0] = '\0';
    for (int depth = 0; enter && depth < DEPTH_MAX; depth++) {
        LP_TRY(lp_tree_list(tree, folder, &names, err));
        enter = names.count == 1 && !is_part_name(names.names[0]);
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
    const char *train, *test, *val;
} folder_parts;

/* *part becomes name where that is a folder which holds folders. */
static lp_status find_part(const lp_image_list *list, const char *name, const char **part,
                           lp_error *err) {
    char full[LP_PATH_ROOM];
    lp_folder folders = {0};
    lp_status status;
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    if (*part == NULL && lp_tree_has_folder(list->tree, full)) {
        LP_TRY(lp_tree_list_kind(list->tree, full, true, &folders, err));
        *part = folders.count > 0 ? name : NULL;
    }
done:
    lp_folder_clear(&folders);
    return status;
}

static lp_status find_parts(lp_image_list *list, folder_parts *parts, lp_error *err) {
    lp_status status;
    *parts = (folder_parts){NULL, NULL, NULL};
    LP_TRY(find_part(list, "train", &parts->train, err));
    LP_TRY(find_part(list, "test", &parts->test, err));
    for (size_t i = 0; i < VAL_NAMES; i++) {
        LP_TRY(find_part(list, val_names[i], &parts->val, err));
    }
    if (parts->test == NULL && parts->val != NULL) {
        parts->test = list->instead = parts->val;
        parts->val = NULL;
    }
done:
    return status;
}

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
    status = lp_image_folder_images(list, parts->val, false, err);
done:
    return status;
}

static lp_status list_whole(lp_image_list *list, const lp_dataset_options *options, lp_error *err) {
    lp_status status;
    LP_TRY(lp_image_folder_classes(list, "", err));
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

lp_status lp_image_folder_list(lp_image_list *list, const lp_dataset_options *options,
                               lp_split *split, lp_error *err) {
    folder_parts parts;
    lp_status status;
    LP_TRY(find_parts(list, &parts, err));
    *split = options->split;
    if (*split == LP_SPLIT_TRAINVAL && (parts.val == NULL || parts.train == NULL)) {
        *split = LP_SPLIT_TRAIN;
    }
    if (parts.train == NULL && parts.test == NULL) {
        return list_whole(list, options, err);
    }
    const char *part = *split == LP_SPLIT_TEST  ? parts.test
                       : *split == LP_SPLIT_VAL ? parts.val
                                                : parts.train;
    if (part == NULL) {
        bool swapped = *split == LP_SPLIT_VAL && list->instead != NULL;
        return lp_image_list_fail(
            list, "", LP_ERR_IO, err, "has class folders in %s, but none in %s%s",
            parts.train != NULL ? parts.train : parts.test,
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
    list->instead = *split == LP_SPLIT_TEST ? list->instead : NULL;
    status = *split == LP_SPLIT_TRAINVAL ? list_two(list, &parts, err)
                                         : list_part(list, &parts, part, err);
done:
    return status;
}
