/* Data stage: sets of webdataset shards; webdataset.h has the layout.
 *
 *   classnames.txt -> the classes; nshards.txt -> which shards -> image_shards.h */
#include "data/webdataset.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "data/image_shards.h"
#include "data/text_lines.h"

enum { SHARDS_MAX = 1000000 };

/* ---- parts ----------------------------------------------------------------------------------- */

static bool is_shard_name(const char *name) {
    size_t length = strlen(name);
    return length > 4 && strcasecmp(name + length - 4, ".tar") == 0;
}

/* Whether a folder has a part's shards.  Archives beside folders of classes, which may be what they
 * were unpacked from, are shards only where a file of this layout is there, too. */
static lp_status has_shards(const lp_tree *tree, const char *name, bool *has, lp_error *err) {
    lp_folder files = {0}, classes = {0};
    char list[LP_PATH_ROOM];
    lp_status status = LP_OK;
    *has = false;
    if (!lp_tree_has_folder(tree, name)) {
        return LP_OK;
    }
    LP_TRY(lp_tree_join(list, name, "nshards.txt", err));
    *has = lp_tree_has_file(tree, list);
    LP_TRY(lp_tree_list(tree, name, &files, err));
    for (size_t i = 0; i < files.count; i++) {
        *has = *has || is_shard_name(files.names[i]);
    }
    if (*has && !lp_tree_has_file(tree, list) && !lp_tree_has_file(tree, "classnames.txt")) {
        LP_TRY(lp_tree_list_kind(tree, name, true, &classes, err));
        *has = classes.count == 0;
    }
done:
    lp_folder_clear(&files);
    lp_folder_clear(&classes);
    return status;
}

/* The folder of a part, or NULL. */
static lp_status find_part(const lp_tree *tree, lp_split part, const char **name, lp_error *err) {
    static const char *const names[3][3] = {{"train"}, {"test"}, {"val", "valid", "validation"}};
    lp_status status = LP_OK;
    bool has = false;
    *name = NULL;
    for (size_t i = 0; i < 3 && names[part][i] != NULL && !has; i++) {
        LP_TRY(has_shards(tree, names[part][i], &has, err));
        *name = has ? names[part][i] : NULL;
    }
done:
    return status;
}

lp_status lp_is_webdataset(const lp_tree *tree, bool *is_one, lp_error *err) {
    const char *name = NULL;
    lp_status status = LP_OK;
    *is_one = false;
    for (int part = 0; part < 3 && !lp_tree_is_archive(tree) && !*is_one; part++) {
        LP_TRY(find_part(tree, (lp_split)part, &name, err));
        *is_one = name != NULL;
    }
done:
    return status;
}

static lp_status read_named_shards(lp_image_list *list, lp_image_shards *shards, const char *part,
                                   lp_error *err) {
    lp_folder files = {0};
    char name[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_tree_list(list->tree, part, &files, err));
    for (size_t i = 0; i < files.count; i++) {
        if (is_shard_name(files.names[i])) {
            LP_TRY(lp_tree_join(name, part, files.names[i], err));
            LP_TRY(lp_image_shards_add(list, shards, name, err));
        }
    }
done:
    lp_folder_clear(&files);
    return status;
}

static lp_status read_counted_shards(lp_image_list *list, lp_image_shards *shards, const char *part,
                                     const char *counted, lp_error *err) {
    char name[LP_PATH_ROOM];
    lp_lines lines = {.text = NULL};
    int64_t count = 0;
    lp_status status;
    LP_TRY(lp_lines_open(list->tree, counted, &lines, err));
    const char *line = lp_lines_next(&lines);
    LP_TRY(lp_lines_number(&lines, "number of shards", line != NULL ? line : "", 1, SHARDS_MAX,
                           &count, err));
    for (int64_t i = 0; i < count; i++) {
        LP_TRY(lp_path_print(name, err, "%s/%lld.tar", part, (long long)i));
        if (lp_tree_has_file(list->tree, name)) {
            LP_TRY(lp_image_shards_add(list, shards, name, err));
            continue;
        }
        status = lp_fail(err, LP_ERR_DATA, "%s:%zu: names %lld shards, and %s is not there",
                         lines.path, lines.number, (long long)count, name);
        LP_TRY(lp_image_list_refuse(list, name, status, err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

static lp_status read_part(lp_image_list *list, const char *part, lp_error *err) {
    char counted[LP_PATH_ROOM];
    lp_image_shards *shards;
    lp_status status;
    LP_TRY(lp_image_shards_start(list, &shards, err));
    LP_TRY(lp_tree_join(counted, part, "nshards.txt", err));
    status = lp_tree_has_file(list->tree, counted)
                 ? read_counted_shards(list, shards, part, counted, err)
                 : read_named_shards(list, shards, part, err);
done:
    return status;
}

/* ---- the set --------------------------------------------------------------------------------- */

/* A set may also be for retrieval, or of several labels an image. */
static lp_status check_type(const lp_tree *tree, lp_error *err) {
    lp_lines lines = {.text = NULL};
    lp_status status = LP_OK;
    if (!lp_tree_has_file(tree, "dataset_type.txt")) {
        return LP_OK;
    }
    LP_TRY(lp_lines_open(tree, "dataset_type.txt", &lines, err));
    const char *type = lp_lines_next(&lines);
    if (type != NULL && strcasecmp(type, "classification") != 0) {
        LP_TRY(lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s:%zu: expected shards of one class an image ('classification'), found "
                       "'%.40s'",
                       lines.path, lines.number, type));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* Labels are numbers of lines, so that an empty line would shift those behind it. */
static lp_status read_names(lp_image_list *list, lp_error *err) {
    lp_lines lines = {.text = NULL};
    char *line;
    lp_status status;
    if (!lp_tree_has_file(list->tree, "classnames.txt")) {
        return lp_image_list_fail(list, "classnames.txt", LP_ERR_IO, err,
                                  "is not there: shards need it, with the name of a class a line");
    }
    LP_TRY(lp_lines_open(list->tree, "classnames.txt", &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        if (lines.number != list->class_count + 1) {
            LP_TRY(lp_lines_fail(&lines, err,
                                 "expected the name of class %zu before it, found an "
                                 "empty line",
                                 list->class_count));
        }
        LP_TRY(lp_image_list_add_class(list, line, err));
    }
    if (list->class_count == 0) {
        LP_TRY(lp_lines_fail(&lines, err, "expected the name of a class a line"));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* There is no such part: says which there are. */
static lp_status fail_part(const lp_image_list *list, lp_split split, lp_error *err) {
    char parts[64] = "";
    const char *name;
    lp_status status;
    for (int part = 0; part < 3; part++) {
        LP_TRY(find_part(list->tree, (lp_split)part, &name, err));
        size_t used = strlen(parts);
        (void)snprintf(parts + used, sizeof parts - used, "%s%s",
                       used > 0 && name != NULL ? ", " : "", name != NULL ? name : "");
    }
    status = lp_image_list_fail(list, "", LP_ERR_IO, err, "no shards of the part %s; there are %s",
                                lp_split_name(split), parts);
done:
    return status;
}

lp_status lp_webdataset_list(lp_image_list *list, const lp_dataset_options *options,
                             lp_split *split, lp_error *err) {
    const char *part, *val = NULL;
    lp_status status;
    *split = options->split == LP_SPLIT_TRAINVAL ? LP_SPLIT_TRAIN : options->split;
    if (options->test_share > 0) {
        return lp_image_list_fail(list, "", LP_ERR_ARGUMENT, err,
                                  "the shards have a split of their own: a test share cannot be "
                                  "chosen");
    }
    LP_TRY(check_type(list->tree, err));
    LP_TRY(find_part(list->tree, *split, &part, err));
    LP_TRY(part != NULL ? LP_OK : fail_part(list, *split, err));
    if (options->split == LP_SPLIT_TRAINVAL) {
        LP_TRY(find_part(list->tree, LP_SPLIT_VAL, &val, err));
        *split = val != NULL ? LP_SPLIT_TRAINVAL : LP_SPLIT_TRAIN;
    }
    LP_TRY(read_names(list, err));
    LP_TRY(read_part(list, part, err));
    list->validating = val != NULL;
    LP_TRY(val != NULL ? read_part(list, val, err) : LP_OK);
    LP_TRY(lp_tree_sort(list->tree, err));
    LP_TRY(lp_image_list_complete(list, *split != LP_SPLIT_TEST && *split != LP_SPLIT_VAL, err));
    if (list->count == 0) {
        status = lp_image_list_fail(list, part, LP_ERR_DATA, err, "its shards hold no image");
    }
done:
    return status;
}
