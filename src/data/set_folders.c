/* Data stage: data sets that are folders of classes, with something of their own.
 *
 *   Country211, Rendered SST2   train/, valid/, test/ of class folders
 *   Tiny ImageNet               train/WNID/images/; val/images/ with a list of labels
 *   Caltech-101                 class folders; 30 images of each for training, by seed
 *   EuroSAT, RESISC45           class folders; numbers of each by seed, as the CLIP paper has them
 *   GTSRB                       GTSRB/Training/00000/; a table of the test images */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/data_sets.h"
#include "data/image_folder.h"
#include "data/text_lines.h"

lp_status lp_read_part_folders(lp_image_list *list, lp_split part,
                               const lp_dataset_options *options, lp_error *err) {
    static const char *const folders[] = {"train", "test", "valid"};
    lp_status status;
    (void)options;
    if (list->class_count == 0) {
        LP_TRY(lp_image_folder_classes(list, folders[LP_SPLIT_TRAIN], err));
    }
    status = lp_image_folder_images(list, folders[part], part == LP_SPLIT_TRAIN, err);
done:
    return status;
}

/* ---- by seed --------------------------------------------------------------------------------- */

static lp_status read_each(lp_image_list *list, const char *below,
                           const lp_dataset_options *options, size_t train_each, size_t test_each,
                           lp_error *err) {
    lp_status status;
    LP_TRY(lp_image_folder_classes(list, below, err));
    LP_TRY(lp_image_folder_images(list, below, true, err));
    status = lp_image_list_keep_each(list, options, train_each, test_each, err);
done:
    return status;
}

lp_status lp_read_caltech_101(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                              lp_error *err) {
    (void)part; /* as options->split */
    return read_each(list, "101_ObjectCategories", options, 30, 0, err);
}

lp_status lp_read_eurosat(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                          lp_error *err) {
    (void)part;
    return read_each(list, "", options, 1000, 500, err);
}

lp_status lp_read_resisc45(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                           lp_error *err) {
    (void)part;
    return read_each(list, "", options, 70, 0, err);
}

/* ---- Tiny ImageNet --------------------------------------------------------------------------- */

/* val_0.JPEG <tab> n03444034 <tab> 0 0 62 63 */
static lp_status read_annotations(lp_image_list *list, lp_error *err) {
    char full[LP_PATH_ROOM], name[LP_PATH_ROOM], place[LP_PATH_ROOM], *line, *fields[2];
    lp_lines lines = {.text = NULL};
    lp_status status;
    LP_TRY(lp_tree_join(full, list->folder, "val/val_annotations.txt", err));
    LP_TRY(lp_lines_open(list->tree, full, &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        size_t count = lp_fields(line, ' ', fields, 2);
        int64_t label = count > 1 ? lp_image_list_class(list, fields[1]) : -1;
        LP_TRY(lp_path_print(name, err, "val/images/%s", line));
        LP_TRY(lp_path_print(place, err, "%s:%zu", lines.path, lines.number));
        if (label >= 0) {
            LP_TRY(lp_image_list_add_listed(list, place, name, label, err));
            continue;
        }
        status =
            lp_lines_fail(&lines, err, "expected an image and one of the %zu classes, found '%s'",
                          list->class_count, count > 1 ? fields[1] : line);
        LP_TRY(lp_image_list_refuse(list, name, status, err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

lp_status lp_read_tiny_imagenet(lp_image_list *list, lp_split part,
                                const lp_dataset_options *options, lp_error *err) {
    lp_status status;
    (void)options;
    LP_TRY(lp_image_folder_classes(list, "train", err));
    status = part == LP_SPLIT_TRAIN ? lp_image_folder_images(list, "train", true, err)
                                    : read_annotations(list, err);
done:
    return status;
}

/* ---- GTSRB ----------------------------------------------------------------------------------- */

enum { SIGNS = 43 };

static lp_status read_signs(lp_image_list *list, lp_error *err) {
    char full[LP_PATH_ROOM], name[LP_PATH_ROOM], place[LP_PATH_ROOM], *line, *fields[8];
    lp_lines lines = {.text = NULL};
    int64_t label = -1;
    lp_status status;
    LP_TRY(lp_tree_join(full, list->folder, "GT-final_test.csv", err));
    LP_TRY(lp_lines_open(list->tree, full, &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        /* Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId */
        bool complete = lp_fields(line, ';', fields, 8) == 8;
        if (lines.number == 1 && complete && strcmp(fields[7], "ClassId") == 0) {
            continue;
        }
        LP_TRY(lp_path_print(name, err, "GTSRB/Final_Test/Images/%s", line));
        LP_TRY(lp_path_print(place, err, "%s:%zu", lines.path, lines.number));
        status = complete ? lp_lines_number(&lines, "class", fields[7], 0,
                                            (int64_t)list->class_count - 1, &label, err)
                          : lp_lines_fail(&lines, err, "expected 8 fields with ';' between them");
        if (status != LP_OK) {
            LP_TRY(lp_image_list_refuse(list, name, status, err));
            continue;
        }
        LP_TRY(lp_image_list_add_listed(list, place, name, label, err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

lp_status lp_read_gtsrb(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                        lp_error *err) {
    char full[LP_PATH_ROOM], name[16];
    lp_status status;
    (void)options;
    LP_TRY(lp_tree_join(full, list->folder, "GTSRB/Training", err));
    if (lp_tree_has_folder(list->tree, full)) {
        LP_TRY(lp_image_folder_classes(list, "GTSRB/Training", err));
    }
    for (size_t k = 0; list->class_count < SIGNS && part == LP_SPLIT_TEST && k < SIGNS; k++) {
        (void)snprintf(name, sizeof name, "%05zu", k); /* the test part alone */
        if (lp_image_list_class(list, name) < 0) {
            LP_TRY(lp_image_list_add_class(list, name, err));
        }
    }
    status = part == LP_SPLIT_TRAIN ? lp_image_folder_images(list, "GTSRB/Training", true, err)
                                    : read_signs(list, err);
done:
    return status;
}
