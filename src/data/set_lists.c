/* Data stage: data sets whose parts are text files of one image a line.
 *
 *   DTD            labels/train1.txt                  CLASS/FILE
 *   Oxford pets    annotations/trainval.txt           NAME LABEL-FROM-1 SPECIES BREED
 *   FGVC Aircraft  data/images_variant_train.txt      NAME VARIANT
 *   SUN397         Training_01.txt                    /a/abbey/FILE
 *   Birdsnap       images.txt, test_images.txt        tab-separated, with a header
 *   Places365      places365_train_standard.txt       /a/airfield/FILE LABEL
 *   UCF101         ucfTrainTestlist/trainlist01.txt   CLASS/VIDEO.avi [LABEL-FROM-1]
 *
 * Classes and their order are those of torchvision's classes of these sets; where it has none, of
 * the set's own file of names. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"
#include "data/data_sets.h"
#include "data/image_folder.h"
#include "data/text_lines.h"

static lp_status open_lines(const lp_image_list *list, const char *name, lp_lines *lines,
                            lp_error *err) {
    char full[LP_PATH_ROOM];
    lp_status status;
    memset(lines, 0, sizeof *lines);
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    LP_TRY(lp_lines_open(list->tree, full, lines, err));
done:
    return status;
}

/* Adds the image that a line names; label below 0: the class is unknown, and `what` was found. */
static lp_status add_line(lp_image_list *list, const lp_lines *lines, const char *name,
                          int64_t label, const char *what, lp_error *err) {
    char place[LP_PATH_ROOM];
    lp_status status;
    if (label < 0) {
        status = lp_lines_fail(lines, err, "expected one of the %zu classes, found '%.200s'",
                               list->class_count, what);
        return lp_image_list_refuse(list, name, status, err);
    }
    LP_TRY(lp_path_print(place, err, "%s:%zu", lines->path, lines->number));
    status = lp_image_list_add_listed(list, place, name, label, err);
done:
    return status;
}

/* A line that cannot be read counts as broken, or is the error. */
static lp_status refuse_line(lp_image_list *list, const lp_lines *lines, lp_status status,
                             lp_error *err) {
    char place[LP_PATH_ROOM];
    (void)snprintf(place, sizeof place, "%.4000s:%zu", lines->path, lines->number);
    return lp_image_list_refuse(list, place, status, err);
}

/* The classes are the lines of a file, from character `skip` of each on. */
static lp_status read_classes(lp_image_list *list, const char *name, size_t skip, lp_error *err) {
    lp_lines lines = {.text = NULL};
    char *line;
    lp_status status;
    if (list->class_count > 0) {
        return LP_OK;
    }
    LP_TRY(open_lines(list, name, &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        if (strlen(line) <= skip) {
            LP_TRY(lp_lines_fail(&lines, err, "expected a class, found '%.80s'", line));
        }
        LP_TRY(lp_image_list_add_class(list, line + skip, err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* ---- DTD ------------------------------------------------------------------------------------- */

lp_status lp_read_dtd(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                      lp_error *err) {
    static const char *const files[] = {"labels/train1.txt", "labels/test1.txt", "labels/val1.txt"};
    lp_lines lines = {.text = NULL};
    char *line, name[LP_PATH_ROOM];
    lp_status status;
    (void)options;
    if (list->class_count == 0) {
        LP_TRY(lp_image_folder_classes(list, "images", err));
    }
    LP_TRY(open_lines(list, files[part], &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        LP_TRY(lp_tree_join(name, "images", line, err));
        char *slash = strchr(line, '/');
        if (slash != NULL) {
            *slash = '\0';
        }
        int64_t label = slash != NULL ? lp_image_list_class(list, line) : -1;
        LP_TRY(add_line(list, &lines, name, label, name, err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* ---- Oxford-IIIT Pets ------------------------------------------------------------------------ */

/* "yorkshire_terrier_12" -> "Yorkshire Terrier" */
static void pet_class(const char *image, char *name, size_t room) {
    const char *end = strrchr(image, '_');
    size_t length = end != NULL ? (size_t)(end - image) : strlen(image);
    bool inside = false; /* of a word */
    length = length < room ? length : room - 1;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)image[i];
        name[i] = (char)(c == '_' ? ' ' : inside ? tolower(c) : toupper(c));
        inside = isalpha(c) != 0;
    }
    name[length] = '\0';
}

enum { PETS_MOST = 1000 };

static lp_status read_pet_line(const lp_lines *lines, char *line, char **image, int64_t *label,
                               lp_error *err) {
    char *fields[4];
    *image = line;
    if (lp_fields(line, ' ', fields, 4) != 4) {
        return lp_lines_fail(lines, err, "expected an image, its class, its species and its breed");
    }
    *image = fields[0];
    lp_status status = lp_lines_number(lines, "class", fields[1], 1, PETS_MOST, label, err);
    *label -= 1;
    return status;
}

/* The class of a label is named by its images in the training list. */
static lp_status name_pets(lp_image_list *list, lp_error *err) {
    static const char file[] = "annotations/trainval.txt";
    char(*names)[64] = lp_alloc_zeroed(PETS_MOST, sizeof *names);
    char found[64], *line, *image;
    int64_t label = -1;
    size_t count = 0;
    lp_lines lines = {.text = NULL};
    lp_status status;
    LP_TRY(lp_allocated(names, file, PETS_MOST, sizeof *names, err));
    LP_TRY(open_lines(list, file, &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        if (line[0] == '#' || read_pet_line(&lines, line, &image, &label, NULL) != LP_OK) {
            continue; /* reported when the images are listed */
        }
        pet_class(image, found, sizeof found);
        if (names[label][0] != '\0' && strcmp(names[label], found) != 0) {
            LP_TRY(lp_lines_fail(&lines, err, "class %lld was %s before, and is %s here",
                                 (long long)label + 1, names[label], found));
        }
        memcpy(names[label], found, sizeof found);
        count = (size_t)label + 1 > count ? (size_t)label + 1 : count;
    }
    for (size_t k = 0; k < count; k++) {
        if (names[k][0] == '\0') {
            LP_TRY(lp_image_list_fail(list, file, LP_ERR_DATA, err, "class %zu of %zu has no image",
                                      k + 1, count));
        }
        LP_TRY(lp_image_list_add_class(list, names[k], err));
    }
done:
    lp_lines_close(&lines);
    lp_free(names);
    return status;
}

lp_status lp_read_pets(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                       lp_error *err) {
    const char *file = part == LP_SPLIT_TEST ? "annotations/test.txt" : "annotations/trainval.txt";
    lp_lines lines = {.text = NULL};
    char *line, *image, name[LP_PATH_ROOM];
    int64_t label = -1;
    lp_status status;
    (void)options;
    LP_TRY(name_pets(list, err));
    LP_TRY(open_lines(list, file, &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        if (line[0] == '#') {
            continue;
        }
        status = read_pet_line(&lines, line, &image, &label, err);
        if (status != LP_OK) {
            LP_TRY(refuse_line(list, &lines, status, err));
            continue;
        }
        LP_TRY(lp_path_print(name, err, "images/%s.jpg", image));
        LP_TRY(add_line(list, &lines, name, label < (int64_t)list->class_count ? label : -1, image,
                        err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* ---- FGVC Aircraft --------------------------------------------------------------------------- */

lp_status lp_read_aircraft(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                           lp_error *err) {
    static const char *const files[] = {"data/images_variant_train.txt",
                                        "data/images_variant_test.txt",
                                        "data/images_variant_val.txt"};
    lp_lines lines = {.text = NULL};
    char *line, name[LP_PATH_ROOM];
    lp_status status;
    (void)options;
    LP_TRY(read_classes(list, "data/variants.txt", 0, err));
    LP_TRY(open_lines(list, files[part], &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        char *variant = line + strcspn(line, " ");
        if (*variant != '\0') {
            *variant++ = '\0';
            variant += strspn(variant, " ");
        }
        LP_TRY(lp_path_print(name, err, "data/images/%s.jpg", line));
        LP_TRY(add_line(list, &lines, name, lp_image_list_class(list, variant), variant, err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* ---- SUN397 ---------------------------------------------------------------------------------- */

/* The first partition of ten, whose lists are an archive of their own. */
static lp_status find_partition(const lp_image_list *list, const char *file, char name[64],
                                lp_error *err) {
    static const char *const places[] = {"", "Partitions/", "partitions/"};
    char full[LP_PATH_ROOM];
    lp_status status = LP_OK;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        (void)snprintf(name, 64, "%s%s", places[i], file);
        LP_TRY(lp_tree_join(full, list->folder, name, err));
        if (lp_tree_has_file(list->tree, full)) {
            return LP_OK;
        }
    }
    status = lp_image_list_fail(list, file, LP_ERR_IO, err,
                                "not there, nor in Partitions/: it is in SUN397's Partitions.zip");
done:
    return status;
}

lp_status lp_read_sun397(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                         lp_error *err) {
    lp_lines lines = {.text = NULL};
    char *line, file[64];
    lp_status status;
    (void)options;
    LP_TRY(read_classes(list, "ClassName.txt", 3, err)); /* "/a/abbey" */
    LP_TRY(find_partition(list, part == LP_SPLIT_TEST ? "Testing_01.txt" : "Training_01.txt", file,
                          err));
    LP_TRY(open_lines(list, file, &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        char name[LP_PATH_ROOM], *end;
        LP_TRY(lp_path_print(name, err, "%s", line + (line[0] == '/')));
        end = strrchr(line, '/');
        if (end != NULL) {
            *end = '\0';
        }
        int64_t label = strlen(line) > 3 ? lp_image_list_class(list, line + 3) : -1;
        LP_TRY(add_line(list, &lines, name, label, line, err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* ---- Birdsnap -------------------------------------------------------------------------------- */

/* The column of a name in the header, or an error. */
static lp_status find_column(const lp_lines *lines, char *const *fields, size_t count,
                             const char *name, size_t *column, lp_error *err) {
    for (*column = 0; *column < count; (*column)++) {
        if (strcmp(fields[*column], name) == 0) {
            return LP_OK;
        }
    }
    return lp_lines_fail(lines, err, "expected a column '%s' in the header", name);
}

enum { BIRD_COLUMNS = 64 };

/* The texts of column `name` of a tab-separated file with a header, sorted; they lie in lines. */
static lp_status read_column(const lp_image_list *list, const char *file, const char *name,
                             lp_lines *lines, char ***texts, size_t *count, lp_error *err) {
    char *fields[BIRD_COLUMNS], *line;
    size_t room = 0, column, found;
    lp_status status;
    *texts = NULL;
    *count = 0;
    LP_TRY(open_lines(list, file, lines, err));
    line = lp_lines_next(lines);
    found = line != NULL ? lp_fields(line, '\t', fields, BIRD_COLUMNS) : 0;
    LP_TRY(find_column(lines, fields, found < BIRD_COLUMNS ? found : BIRD_COLUMNS, name, &column,
                       err));
    while ((line = lp_lines_next(lines)) != NULL) {
        if (lp_fields(line, '\t', fields, BIRD_COLUMNS) <= column) {
            LP_TRY(lp_lines_fail(lines, err, "expected more than %zu fields", column));
        }
        char **grown = lp_grow_by_one(*texts, *count, &room, sizeof *grown);
        LP_TRY(lp_allocated(grown, file, *count + 1, sizeof *grown, err));
        *texts = grown;
        (*texts)[(*count)++] = fields[column];
    }
    if (*count > 0) {
        qsort(*texts, *count, sizeof **texts, lp_text_order);
    }
done:
    return status;
}

/* Classes are the folders of the images, in species.txt's order. */
static lp_status name_birds(lp_image_list *list, lp_error *err) {
    lp_lines lines = {.text = NULL};
    char *fields[BIRD_COLUMNS], *line;
    size_t column = 0, count;
    lp_status status;
    LP_TRY(open_lines(list, "species.txt", &lines, err));
    line = lp_lines_next(&lines);
    count = line != NULL ? lp_fields(line, '\t', fields, BIRD_COLUMNS) : 0;
    LP_TRY(find_column(&lines, fields, count < BIRD_COLUMNS ? count : BIRD_COLUMNS, "dir", &column,
                       err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        if (lp_fields(line, '\t', fields, BIRD_COLUMNS) <= column) {
            LP_TRY(lp_lines_fail(&lines, err, "expected more than %zu fields", column));
        }
        LP_TRY(lp_image_list_add_class(list, fields[column], err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* images.txt has all of them; test_images.txt those of the test.  Images that the authors' program
 * could not download are not there, and are left out and counted. */
lp_status lp_read_birdsnap(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                           lp_error *err) {
    lp_lines all = {.text = NULL}, test = {.text = NULL};
    char **paths = NULL, **held_out = NULL, name[LP_PATH_ROOM], full[LP_PATH_ROOM];
    size_t count = 0, test_count = 0;
    lp_status status;
    (void)options;
    LP_TRY(name_birds(list, err));
    LP_TRY(read_column(list, "images.txt", "path", &all, &paths, &count, err));
    LP_TRY(read_column(list, "test_images.txt", "path", &test, &held_out, &test_count, err));
    for (size_t i = 0; i < count; i++) {
        bool is_test = test_count > 0 &&
                       bsearch(&paths[i], held_out, test_count, sizeof *held_out, lp_text_order);
        if (is_test != (part == LP_SPLIT_TEST)) {
            continue;
        }
        LP_TRY(lp_path_print(name, err, "download/images/%s", paths[i]));
        LP_TRY(lp_tree_join(full, list->folder, name, err));
        if (!lp_tree_has_file(list->tree, full)) {
            list->ignored++;
            continue;
        }
        paths[i][strcspn(paths[i], "/")] = '\0';
        int64_t label = lp_image_list_class(list, paths[i]);
        if (label < 0) {
            LP_TRY(lp_image_list_refuse(list, name,
                                        lp_image_list_fail(list, "images.txt", LP_ERR_DATA, err,
                                                           "%s: species.txt has no '%s'", name,
                                                           paths[i]),
                                        err));
            continue;
        }
        LP_TRY(lp_image_list_add(list, name, label, err));
    }
done:
    lp_free(paths);
    lp_free(held_out);
    lp_lines_close(&all);
    lp_lines_close(&test);
    return status;
}

/* ---- Places365 ------------------------------------------------------------------------------- */

/* Where the images of a part lie; both sizes are published. */
static lp_status find_places(const lp_image_list *list, bool train, const char **folder,
                             lp_error *err) {
    static const char *const places[][3] = {
        {"val_256", "val_large", NULL}, {"data_256_standard", "data_large_standard", "data_256"}};
    char full[LP_PATH_ROOM];
    lp_status status = LP_OK;
    for (size_t i = 0; i < 3 && places[train][i] != NULL; i++) {
        LP_TRY(lp_tree_join(full, list->folder, places[train][i], err));
        if (lp_tree_has_folder(list->tree, full)) {
            *folder = places[train][i];
            return LP_OK;
        }
    }
    status = lp_image_list_fail(list, places[train][0], LP_ERR_IO, err, "not there, nor is %s",
                                places[train][1]);
done:
    return status;
}

/* "/a/airfield 0", from 0 in the order of the lines. */
static lp_status name_places(lp_image_list *list, lp_error *err) {
    lp_lines lines = {.text = NULL};
    char *line, *fields[2];
    int64_t label = -1;
    lp_status status;
    LP_TRY(open_lines(list, "categories_places365.txt", &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        if (lp_fields(line, ' ', fields, 2) != 2) {
            LP_TRY(lp_lines_fail(&lines, err, "expected a class and its number"));
        }
        int64_t next = (int64_t)list->class_count;
        LP_TRY(lp_lines_number(&lines, "class", fields[1], next, next, &label, err));
        LP_TRY(lp_image_list_add_class(list, fields[0], err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

lp_status lp_read_places365(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                            lp_error *err) {
    bool train = part == LP_SPLIT_TRAIN; /* the test's labels are not published */
    const char *folder = NULL;
    lp_lines lines = {.text = NULL};
    char *line, *fields[2], name[LP_PATH_ROOM];
    int64_t label = -1;
    lp_status status;
    (void)options;
    LP_TRY(name_places(list, err));
    LP_TRY(find_places(list, train, &folder, err));
    LP_TRY(open_lines(list, train ? "places365_train_standard.txt" : "places365_val.txt", &lines,
                      err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        status = lp_fields(line, ' ', fields, 2) == 2
                     ? lp_lines_number(&lines, "class", fields[1], 0,
                                       (int64_t)list->class_count - 1, &label, err)
                     : lp_lines_fail(&lines, err, "expected an image and its class");
        if (status != LP_OK) {
            LP_TRY(refuse_line(list, &lines, status, err));
            continue;
        }
        LP_TRY(lp_path_print(name, err, "%s/%s", folder, fields[0] + (fields[0][0] == '/')));
        LP_TRY(add_line(list, &lines, name, label, fields[1], err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* ---- UCF101 ---------------------------------------------------------------------------------- */

/* "1 ApplyEyeMakeup" */
static lp_status name_actions(lp_image_list *list, lp_error *err) {
    lp_lines lines = {.text = NULL};
    char *line, *fields[2];
    int64_t label = -1;
    lp_status status;
    LP_TRY(open_lines(list, "ucfTrainTestlist/classInd.txt", &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        if (lp_fields(line, ' ', fields, 2) != 2) {
            LP_TRY(lp_lines_fail(&lines, err, "expected a number and a class"));
        }
        int64_t next = (int64_t)list->class_count + 1;
        LP_TRY(lp_lines_number(&lines, "class", fields[0], next, next, &label, err));
        LP_TRY(lp_image_list_add_class(list, fields[1], err));
    }
done:
    lp_lines_close(&lines);
    return status;
}

/* The frame of a video: <place>/<Class>/<video>.jpg, the class as the list has it or with "_"
 * between its words. */
static lp_status find_frame(const lp_image_list *list, const char *class_name, const char *video,
                            char name[LP_PATH_ROOM], lp_error *err) {
    static const char *const places[] = {"UCF-101-midframes", "UCF-101", "."};
    char spaced[128], full[LP_PATH_ROOM];
    size_t length = 0;
    lp_status status = LP_OK;
    for (const char *c = class_name; *c != '\0' && length + 2 < sizeof spaced; c++) {
        if (length > 0 && isupper((unsigned char)*c)) {
            spaced[length++] = '_';
        }
        spaced[length++] = *c;
    }
    spaced[length] = '\0';
    for (size_t i = 0; i < 6; i++) {
        const char *place = places[i / 2];
        LP_TRY(lp_path_print(name, err, "%s%s%s/%s.jpg", place[0] == '.' ? "" : place,
                             place[0] == '.' ? "" : "/", i % 2 == 0 ? class_name : spaced, video));
        LP_TRY(lp_tree_join(full, list->folder, name, err));
        if (lp_tree_has_file(list->tree, full)) {
            return LP_OK;
        }
    }
    status = lp_path_print(name, err, "UCF-101-midframes/%s/%s.jpg", class_name, video);
done:
    return status;
}

lp_status lp_read_ucf101(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                         lp_error *err) {
    lp_lines lines = {.text = NULL};
    char *line, *fields[2], name[LP_PATH_ROOM];
    lp_status status;
    (void)options;
    LP_TRY(name_actions(list, err));
    LP_TRY(open_lines(list,
                      part == LP_SPLIT_TEST ? "ucfTrainTestlist/testlist01.txt"
                                            : "ucfTrainTestlist/trainlist01.txt",
                      &lines, err));
    while ((line = lp_lines_next(&lines)) != NULL) {
        (void)lp_fields(line, ' ', fields, 2);
        char *video = strchr(fields[0], '/');
        if (video == NULL) {
            status = lp_lines_fail(&lines, err, "expected CLASS/VIDEO.avi, found '%.80s'", line);
            LP_TRY(refuse_line(list, &lines, status, err));
            continue;
        }
        *video++ = '\0';
        video[strcspn(video, ".")] = '\0';
        LP_TRY(find_frame(list, fields[0], video, name, err));
        LP_TRY(add_line(list, &lines, name, lp_image_list_class(list, fields[0]), fields[0], err));
    }
done:
    lp_lines_close(&lines);
    return status;
}
