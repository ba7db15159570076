/* Data stage: PASCAL VOC 2007, of several labels an image.
 *
 *   ImageSets/Main/train.txt             "000012": an image a line, JPEGImages/000012.jpg
 *   ImageSets/Main/aeroplane_train.txt   "000012 -1": the same images in the same order, and a
 *                                        flag; 1: an aeroplane is there, -1: none is, 0: only
 *                                        difficult ones are
 *
 * Those flags say what the objects in Annotations/ say: an object there with <difficult>0 is 1; no
 * object is -1.  The devkit's evaluation (VOCevalcls.m) leaves images of flag 0 out of the class,
 * and so do training and evaluation here. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/data_sets.h"
#include "data/text_lines.h"

static const char *const classes[] = {"aeroplane",   "bicycle", "bird",  "boat",      "bottle",
                                      "bus",         "car",     "cat",   "chair",     "cow",
                                      "diningtable", "dog",     "horse", "motorbike", "person",
                                      "pottedplant", "sheep",   "sofa",  "train",     "tvmonitor"};

enum { CLASSES = sizeof classes / sizeof *classes };

static lp_status open_list(const lp_image_list *list, const char *before, const char *part,
                           lp_lines *lines, lp_error *err) {
    char name[LP_PATH_ROOM], full[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_path_print(name, err, "ImageSets/Main/%s%s.txt", before, part));
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    status = lp_lines_open(list->tree, full, lines, err);
done:
    return status;
}

/* The next line of a class's list, which is of this image. */
static lp_status read_flag(lp_lines *lines, const char *image, int8_t *mark, lp_error *err) {
    char *line = lp_lines_next(lines), *fields[2];
    int64_t flag = 0;
    lp_status status;
    size_t count = line != NULL ? lp_fields(line, ' ', fields, 2) : 0;
    if (count != 2 || strcmp(fields[0], image) != 0) {
        return lp_lines_fail(lines, err, "expected image %.80s and its flag, found %s%.80s", image,
                             count > 0 ? "" : "the end", count > 0 ? fields[0] : "");
    }
    LP_TRY(lp_lines_number(lines, "flag", fields[1], -1, 1, &flag, err));
    *mark = (int8_t)(flag > 0 ? 1 : flag < 0 ? 0 : -1);
done:
    return status;
}

/* The part's images with the flags of all classes, whose lists go on line by line. */
static lp_status read_images(lp_image_list *list, lp_lines *images, lp_lines *flags,
                             lp_error *err) {
    char name[LP_PATH_ROOM], place[LP_PATH_ROOM], *line;
    int8_t marks[CLASSES];
    lp_status status = LP_OK;
    while ((line = lp_lines_next(images)) != NULL) {
        size_t before = list->count;
        for (size_t k = 0; k < CLASSES; k++) {
            LP_TRY(read_flag(&flags[k], line, &marks[k], err));
        }
        LP_TRY(lp_path_print(name, err, "JPEGImages/%s.jpg", line));
        LP_TRY(lp_path_print(place, err, "%s:%zu", images->path, images->number));
        LP_TRY(lp_image_list_add_listed(list, place, name, 0, err));
        LP_TRY(list->count > before ? lp_image_list_mark(list, marks, err) : LP_OK);
    }
    for (size_t k = 0; k < CLASSES; k++) {
        if (lp_lines_next(&flags[k]) != NULL) {
            LP_TRY(lp_lines_fail(&flags[k], err, "expected the end, as in %s", images->path));
        }
    }
done:
    return status;
}

lp_status lp_read_voc_2007(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                           lp_error *err) {
    static const char *const parts[] = {"train", "test", "val"};
    char before[32];
    lp_lines images = {.text = NULL};
    lp_lines *flags = lp_alloc_zeroed(CLASSES, sizeof *flags);
    lp_status status;
    (void)options;
    LP_TRY(lp_allocated(flags, "lists of classes", CLASSES, sizeof *flags, err));
    for (size_t k = list->class_count; k < CLASSES; k++) {
        LP_TRY(lp_image_list_add_class(list, classes[k], err));
    }
    LP_TRY(open_list(list, "", parts[part], &images, err));
    for (size_t k = 0; k < CLASSES; k++) {
        (void)snprintf(before, sizeof before, "%s_", classes[k]);
        LP_TRY(open_list(list, before, parts[part], &flags[k], err));
    }
    status = read_images(list, &images, flags, err);
done:
    lp_lines_close(&images);
    for (size_t k = 0; flags != NULL && k < CLASSES; k++) {
        lp_lines_close(&flags[k]);
    }
    lp_free(flags);
    return status;
}
