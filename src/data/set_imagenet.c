/* Data stage: ImageNet's 2012 challenge (ILSVRC 2012).
 *
 *   train/WNID/                 images of a class
 *   val/WNID/                   likewise, as torchvision and many scripts sort them; the test part
 *   val/ILSVRC2012_val_00000001.JPEG, and so on, as they are published, with labels
 *     of the development kit    ILSVRC2012_devkit_t12/data/meta.mat, an array "synsets", and
 *                               ILSVRC2012_validation_ground_truth.txt, an ILSVRC2012_ID a line
 *     or of Kaggle              LOC_val_solution.csv, and LOC_synset_mapping.txt, WNID NAMES a line
 *
 * Classes are in the order of their WordNet ids; images are ordered by class, then by name. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "data/data_sets.h"
#include "data/image_folder.h"
#include "data/mat_file.h"
#include "data/text_lines.h"

/* A class; the id comes first, by which they are sorted as texts are. */
typedef struct synset {
    char *wnid;
    char *words;
    int64_t number; /* ILSVRC2012_ID; 0: not known */
} synset;

typedef struct synsets {
    lp_memory memory;
    synset *items; /* [count], sorted by wnid */
    size_t count;
} synsets;

/* ---- classes --------------------------------------------------------------------------------- */

/* A file of the set or beside it, two folders up, as Kaggle has it; false: there is none. */
static bool find_file(const lp_image_list *list, const char *const *names, size_t count,
                      char full[LP_PATH_ROOM]) {
    for (size_t i = 0; i < count; i++) {
        char above[LP_PATH_ROOM];
        (void)snprintf(above, sizeof above, "%s", list->folder);
        for (int up = 0; up < 4; up++) {
            if (lp_tree_join(full, above, names[i], NULL) == LP_OK &&
                lp_tree_has_file(list->tree, full)) {
                return true;
            }
            char *slash = strrchr(above, '/');
            if (above[0] == '\0') {
                break;
            }
            *(slash != NULL ? slash : above) = '\0';
        }
    }
    return false;
}

/* The leaves of meta.mat's tree. */
static lp_status read_meta(const lp_image_list *list, const char *file, synsets *s, lp_error *err) {
    char **wnids, **words;
    int64_t *numbers, *children;
    size_t count, same;
    lp_status status;
    LP_TRY(lp_mat_texts(list->tree, file, "synsets", "WNID", &s->memory, &wnids, &count, err));
    LP_TRY(lp_mat_texts(list->tree, file, "synsets", "words", &s->memory, &words, &same, err));
    LP_TRY(lp_mat_field(list->tree, file, "synsets", "ILSVRC2012_ID", &s->memory, &numbers, &same,
                        err));
    LP_TRY(lp_mat_field(list->tree, file, "synsets", "num_children", &s->memory, &children, &same,
                        err));
    s->items = lp_memory_take(&s->memory, count, sizeof *s->items);
    LP_TRY(lp_memory_check(&s->memory, file, err));
    for (size_t i = 0; i < count; i++) {
        if (children[i] == 0) {
            s->items[s->count++] = (synset){wnids[i], words[i], numbers[i]};
        }
    }
done:
    return status;
}

/* "n01440764 tench, Tinca tinca" */
static lp_status read_mapping(const lp_image_list *list, const char *file, synsets *s,
                              lp_error *err) {
    lp_lines lines = {.text = NULL};
    char *line;
    lp_status status;
    LP_TRY(lp_lines_open(list->tree, file, &lines, err));
    s->items =
        lp_memory_take(&s->memory, (size_t)(lines.end - lines.text) / 2 + 1, sizeof *s->items);
    LP_TRY(lp_memory_check(&s->memory, file, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        size_t wnid = strcspn(line, " \t"), size = strlen(line) + 1;
        if (line[wnid] == '\0') {
            LP_TRY(
                lp_lines_fail(&lines, err, "expected a WordNet id and names, found '%.80s'", line));
        }
        char *copy = lp_memory_take(&s->memory, size, 1);
        LP_TRY(lp_memory_check(&s->memory, file, err));
        memcpy(copy, line, size);
        copy[wnid] = '\0';
        s->items[s->count++] = (synset){copy, copy + wnid + 1 + strspn(copy + wnid + 1, " \t"), 0};
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* Where neither the kit nor Kaggle's list is there: the folders of train/, or of val/. */
static lp_status name_folders(const lp_image_list *list, synsets *s, lp_error *err) {
    static const char *const parts[] = {"train", "val"};
    char full[LP_PATH_ROOM];
    lp_folder folders = {.count = 0};
    lp_status status = LP_OK;
    for (size_t p = 0; p < 2 && folders.count == 0; p++) {
        LP_TRY(lp_tree_join(full, list->folder, parts[p], err));
        if (lp_tree_has_folder(list->tree, full)) {
            lp_folder_clear(&folders); /* of train/, which has files alone */
            LP_TRY(lp_tree_list_kind(list->tree, full, true, &folders, err));
        }
    }
    s->items = lp_memory_take(&s->memory, folders.count, sizeof *s->items);
    LP_TRY(lp_memory_check(&s->memory, "classes", err));
    for (; s->count < folders.count; s->count++) {
        size_t size = strlen(folders.names[s->count]) + 1;
        char *copy = lp_memory_take(&s->memory, size, 1);
        LP_TRY(lp_memory_check(&s->memory, "classes", err));
        memcpy(copy, folders.names[s->count], size);
        s->items[s->count] = (synset){copy, copy, 0};
    }
done:
    lp_folder_clear(&folders);
    return status;
}

static lp_status read_synsets(lp_image_list *list, synsets *s, lp_error *err) {
    static const char *const metas[] = {"ILSVRC2012_devkit_t12/data/meta.mat", "data/meta.mat"};
    static const char *const mappings[] = {"LOC_synset_mapping.txt"};
    char file[LP_PATH_ROOM];
    lp_status status;
    if (find_file(list, mappings, 1, file)) {
        LP_TRY(read_mapping(list, file, s, err));
    } else if (find_file(list, metas, 2, file)) {
        LP_TRY(read_meta(list, file, s, err));
    } else {
        LP_TRY(name_folders(list, s, err));
    }
    if (s->count > 0) {
        qsort(s->items, s->count, sizeof *s->items, lp_text_order);
    }
    for (size_t k = 0; k < s->count; k++) {
        if (k > 0 && strcmp(s->items[k].wnid, s->items[k - 1].wnid) == 0) {
            LP_TRY(lp_image_list_fail(list, "", LP_ERR_DATA, err, "class %s is named twice",
                                      s->items[k].wnid));
        }
        if (list->class_count < s->count) {
            LP_TRY(lp_image_list_add_class(list, s->items[k].words, err));
        }
    }
done:
    return status;
}

static int64_t class_of(const synsets *s, const char *wnid) {
    const synset wanted = {.wnid = (char *)(uintptr_t)wnid};
    const synset *found =
        s->count > 0 ? bsearch(&wanted, s->items, s->count, sizeof wanted, lp_text_order) : NULL;
    return found != NULL ? found - s->items : -1;
}

/* ---- images ---------------------------------------------------------------------------------- */

/* Of class folders: images of each, in part/WNID/. */
static lp_status add_folders(lp_image_list *list, const char *part, const synsets *s,
                             lp_error *err) {
    char full[LP_PATH_ROOM], name[LP_PATH_ROOM], image[LP_PATH_ROOM];
    lp_folder files = {.count = 0};
    lp_status status = LP_OK;
    for (size_t k = 0; k < s->count; k++) {
        LP_TRY(lp_tree_join(name, part, s->items[k].wnid, err));
        LP_TRY(lp_tree_join(full, list->folder, name, err));
        if (!lp_tree_has_folder(list->tree, full)) {
            continue; /* lp_image_list_complete names it where it is missed */
        }
        LP_TRY(lp_tree_list(list->tree, full, &files, err));
        for (size_t i = 0; i < files.count; i++) {
            if (!lp_is_image_name(files.names[i])) {
                list->ignored++;
                continue;
            }
            LP_TRY(lp_tree_join(image, name, files.names[i], err));
            LP_TRY(lp_image_list_add(list, image, (int64_t)k, err));
        }
        lp_folder_clear(&files);
    }
done:
    lp_folder_clear(&files);
    return status;
}

static lp_status refuse(lp_image_list *list, const lp_lines *lines, const synsets *s,
                        const char *name, const char *what, const char *found, lp_error *err) {
    lp_status status = lp_lines_fail(lines, err, "expected %s of the %zu classes, found '%.80s'",
                                     what, s->count, found);
    return lp_image_list_refuse(list, name, status, err);
}

/* Line i is the ILSVRC2012_ID of image i, from 1. */
static lp_status add_by_truth(lp_image_list *list, const char *file, const synsets *s,
                              lp_error *err) {
    char name[64], place[LP_PATH_ROOM], *line;
    lp_lines lines = {.text = NULL};
    lp_status status;
    LP_TRY(lp_lines_open(list->tree, file, &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        int64_t label = -1;
        char *end;
        long number = strtol(line, &end, 10);
        for (size_t k = 0; *end == '\0' && k < s->count; k++) {
            label = s->items[k].number == number ? (int64_t)k : label;
        }
        (void)snprintf(name, sizeof name, "val/ILSVRC2012_val_%08zu.JPEG", lines.number);
        if (label < 0) {
            LP_TRY(refuse(list, &lines, s, name, "the ILSVRC2012_ID of one", line, err));
            continue;
        }
        LP_TRY(lp_path_print(place, err, "%s:%zu", lines.path, lines.number));
        LP_TRY(lp_image_list_add_listed(list, place, name, label, err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* "ILSVRC2012_val_00048981,n03995372 85 1 499 272 ", under a header. */
static lp_status add_by_table(lp_image_list *list, const char *file, const synsets *s,
                              lp_error *err) {
    char name[LP_PATH_ROOM], place[LP_PATH_ROOM], *line, *fields[2];
    lp_lines lines = {.text = NULL};
    lp_status status;
    LP_TRY(lp_lines_open(list->tree, file, &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        size_t count = lp_fields(line, ',', fields, 2);
        if (lines.number == 1 && strcmp(fields[0], "ImageId") == 0) {
            continue;
        }
        LP_TRY(lp_path_print(name, err, "val/%s.JPEG", fields[0]));
        if (count > 1) {
            fields[1][strcspn(fields[1], " ")] = '\0';
        }
        int64_t label = count > 1 ? class_of(s, fields[1]) : -1;
        if (label < 0) {
            LP_TRY(refuse(list, &lines, s, name, "the WordNet id of one",
                          count > 1 ? fields[1] : fields[0], err));
            continue;
        }
        LP_TRY(lp_path_print(place, err, "%s:%zu", lines.path, lines.number));
        LP_TRY(lp_image_list_add_listed(list, place, name, label, err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

static lp_status add_validation(lp_image_list *list, const synsets *s, lp_error *err) {
    static const char *const truths[] = {
        "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt",
        "data/ILSVRC2012_validation_ground_truth.txt"};
    static const char *const tables[] = {"LOC_val_solution.csv"};
    char file[LP_PATH_ROOM], full[LP_PATH_ROOM], name[LP_PATH_ROOM];
    size_t first = list->count;
    lp_status status = LP_OK;
    for (size_t k = 0; k < s->count; k++) {
        LP_TRY(lp_tree_join(name, "val", s->items[k].wnid, err));
        LP_TRY(lp_tree_join(full, list->folder, name, err));
        if (lp_tree_has_folder(list->tree, full)) {
            return add_folders(list, "val", s, err);
        }
    }
    if (find_file(list, tables, 1, file)) {
        LP_TRY(add_by_table(list, file, s, err));
    } else if (find_file(list, truths, 2, file)) {
        LP_TRY(add_by_truth(list, file, s, err));
    } else {
        LP_TRY(lp_image_list_fail(
            list, "val", LP_ERR_IO, err,
            "expected a folder for each class, or the labels: ILSVRC2012_devkit_t12/ (unpacked "
            "from ILSVRC2012_devkit_t12.tar.gz) or LOC_val_solution.csv beside it"));
    }
    lp_image_list_sort(list, first);
done:
    return status;
}

lp_status lp_read_imagenet(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                           lp_error *err) {
    synsets s = {.count = 0};
    lp_status status;
    (void)options;
    LP_TRY(read_synsets(list, &s, err));
    status = part == LP_SPLIT_TRAIN ? add_folders(list, "train", &s, err)
                                    : add_validation(list, &s, err);
done:
    lp_memory_free(&s.memory);
    return status;
}
