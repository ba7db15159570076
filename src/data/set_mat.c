/* Data stage: data sets whose labels are MATLAB files.
 *
 *   Flowers-102     imagelabels.mat: labels, from 1; setid.mat: trnid, valid, tstid, numbers of
 *                   images from 1: jpg/image_00001.jpg
 *   Stanford Cars   devkit/cars_train_annos.mat: annotations with class, from 1, and fname
 *   SVHN            train_32x32.mat: X uint8 [32, 32, 3, N], y, from 1; 10 is the digit 0
 *
 * Arrays lie column by column. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/data_sets.h"
#include "data/mat_file.h"

static lp_status path_in_set(const lp_image_list *list, const char *name, char full[LP_PATH_ROOM],
                             lp_error *err) {
    return lp_tree_join(full, list->folder, name, err);
}

/* ---- Flowers-102 ----------------------------------------------------------------------------- */

enum { FLOWERS = 102 };

/* In the order of the labels, as the authors' page names them. */
static const char *const flowers[FLOWERS] = {"pink primrose",
                                             "hard-leaved pocket orchid",
                                             "canterbury bells",
                                             "sweet pea",
                                             "english marigold",
                                             "tiger lily",
                                             "moon orchid",
                                             "bird of paradise",
                                             "monkshood",
                                             "globe thistle",
                                             "snapdragon",
                                             "colt's foot",
                                             "king protea",
                                             "spear thistle",
                                             "yellow iris",
                                             "globe-flower",
                                             "purple coneflower",
                                             "peruvian lily",
                                             "balloon flower",
                                             "giant white arum lily",
                                             "fire lily",
                                             "pincushion flower",
                                             "fritillary",
                                             "red ginger",
                                             "grape hyacinth",
                                             "corn poppy",
                                             "prince of wales feathers",
                                             "stemless gentian",
                                             "artichoke",
                                             "sweet william",
                                             "carnation",
                                             "garden phlox",
                                             "love in the mist",
                                             "mexican aster",
                                             "alpine sea holly",
                                             "ruby-lipped cattleya",
                                             "cape flower",
                                             "great masterwort",
                                             "siam tulip",
                                             "lenten rose",
                                             "barbeton daisy",
                                             "daffodil",
                                             "sword lily",
                                             "poinsettia",
                                             "bolero deep blue",
                                             "wallflower",
                                             "marigold",
                                             "buttercup",
                                             "oxeye daisy",
                                             "common dandelion",
                                             "petunia",
                                             "wild pansy",
                                             "primula",
                                             "sunflower",
                                             "pelargonium",
                                             "bishop of llandaff",
                                             "gaura",
                                             "geranium",
                                             "orange dahlia",
                                             "pink-yellow dahlia?",
                                             "cautleya spicata",
                                             "japanese anemone",
                                             "black-eyed susan",
                                             "silverbush",
                                             "californian poppy",
                                             "osteospermum",
                                             "spring crocus",
                                             "bearded iris",
                                             "windflower",
                                             "tree poppy",
                                             "gazania",
                                             "azalea",
                                             "water lily",
                                             "rose",
                                             "thorn apple",
                                             "morning glory",
                                             "passion flower",
                                             "lotus",
                                             "toad lily",
                                             "anthurium",
                                             "frangipani",
                                             "clematis",
                                             "hibiscus",
                                             "columbine",
                                             "desert-rose",
                                             "tree mallow",
                                             "magnolia",
                                             "cyclamen",
                                             "watercress",
                                             "canna lily",
                                             "hippeastrum",
                                             "bee balm",
                                             "ball moss",
                                             "foxglove",
                                             "bougainvillea",
                                             "camellia",
                                             "mallow",
                                             "mexican petunia",
                                             "bromelia",
                                             "blanket flower",
                                             "trumpet creeper",
                                             "blackberry lily"};

lp_status lp_read_flowers_102(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                              lp_error *err) {
    static const char *const variables[] = {"trnid", "tstid", "valid"};
    char full[LP_PATH_ROOM], name[LP_PATH_ROOM], place[LP_PATH_ROOM];
    lp_memory memory = {0};
    int64_t *labels, *numbers;
    size_t count, chosen;
    lp_status status = LP_OK;
    (void)options;
    for (size_t k = 0; list->class_count < FLOWERS; k++) {
        LP_TRY(lp_image_list_add_class(list, flowers[k], err));
    }
    LP_TRY(path_in_set(list, "imagelabels.mat", full, err));
    LP_TRY(lp_mat_numbers(list->tree, full, "labels", &memory, &labels, &count, err));
    LP_TRY(path_in_set(list, "setid.mat", full, err));
    LP_TRY(lp_mat_numbers(list->tree, full, variables[part], &memory, &numbers, &chosen, err));
    for (size_t i = 0; i < chosen; i++) {
        int64_t label =
            numbers[i] >= 1 && (uint64_t)numbers[i] <= count ? labels[numbers[i] - 1] : 0;
        LP_TRY(lp_path_print(place, err, "%s: %s: entry %zu", full, variables[part], i));
        LP_TRY(lp_path_print(name, err, "jpg/image_%05lld.jpg", (long long)numbers[i]));
        if (label < 1 || label > FLOWERS) {
            status = lp_fail(err, LP_ERR_DATA,
                             "%s: image %lld: expected a label from 1 to %d in imagelabels.mat, "
                             "found %lld (of %zu images)",
                             place, (long long)numbers[i], FLOWERS, (long long)label, count);
            LP_TRY(lp_image_list_refuse(list, name, status, err));
            continue;
        }
        LP_TRY(lp_image_list_add_listed(list, place, name, label - 1, err));
    }
done:
    lp_memory_free(&memory);
    return status;
}

/* ---- Stanford Cars --------------------------------------------------------------------------- */

lp_status lp_read_stanford_cars(lp_image_list *list, lp_split part,
                                const lp_dataset_options *options, lp_error *err) {
    bool test = part == LP_SPLIT_TEST;
    const char *file = test ? "cars_test_annos_withlabels.mat" : "devkit/cars_train_annos.mat";
    char full[LP_PATH_ROOM], name[LP_PATH_ROOM], place[LP_PATH_ROOM];
    lp_memory memory = {0};
    char **texts;
    int64_t *labels;
    size_t count, classes;
    lp_status status;
    (void)options;
    LP_TRY(path_in_set(list, "devkit/cars_meta.mat", full, err));
    LP_TRY(lp_mat_texts(list->tree, full, "class_names", NULL, &memory, &texts, &classes, err));
    for (size_t k = 0; k < classes; k++) {
        LP_TRY(lp_image_list_add_class(list, texts[k], err));
    }
    LP_TRY(path_in_set(list, file, full, err));
    LP_TRY(lp_mat_texts(list->tree, full, "annotations", "fname", &memory, &texts, &count, err));
    LP_TRY(lp_mat_field(list->tree, full, "annotations", "class", &memory, &labels, &count, err));
    for (size_t i = 0; i < count; i++) {
        LP_TRY(lp_path_print(place, err, "%s: annotation %zu", full, i));
        LP_TRY(lp_path_print(name, err, "%s/%s", test ? "cars_test" : "cars_train", texts[i]));
        if (labels[i] < 1 || (uint64_t)labels[i] > classes) {
            status = lp_fail(err, LP_ERR_DATA, "%s: expected a class from 1 to %zu, found %lld",
                             place, classes, (long long)labels[i]);
            LP_TRY(lp_image_list_refuse(list, name, status, err));
            continue;
        }
        LP_TRY(lp_image_list_add_listed(list, place, name, labels[i] - 1, err));
    }
done:
    lp_memory_free(&memory);
    return status;
}

/* ---- SVHN ------------------------------------------------------------------------------------ */

/* Image i of X [height, width, 3, N], column by column, to [height, width, 3]. */
static void turn_image(const unsigned char *columns, size_t height, size_t width,
                       unsigned char *rgb) {
    for (size_t y = 0; y < height; y++) {
        for (size_t x = 0; x < width; x++) {
            for (size_t c = 0; c < 3; c++) {
                rgb[3 * (y * width + x) + c] = columns[(c * width + x) * height + y];
            }
        }
    }
}

lp_status lp_read_svhn(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                       lp_error *err) {
    enum { SIDE = 32 };
    char full[LP_PATH_ROOM], name[64];
    unsigned char *columns, rgb[SIDE * SIDE * 3];
    size_t shape[4], count;
    lp_memory memory = {0};
    int64_t *labels;
    lp_status status = LP_OK;
    (void)options;
    for (size_t k = 0; k < 10; k++) {
        (void)snprintf(name, sizeof name, "%zu", k);
        LP_TRY(lp_image_list_add_class(list, name, err));
    }
    LP_TRY(
        path_in_set(list, part == LP_SPLIT_TEST ? "test_32x32.mat" : "train_32x32.mat", full, err));
    LP_TRY(lp_mat_bytes(list->tree, full, "X", &memory, &columns, shape, err));
    LP_TRY(lp_mat_numbers(list->tree, full, "y", &memory, &labels, &count, err));
    if (shape[0] != SIDE || shape[1] != SIDE || shape[2] != 3 || shape[3] != count) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected X [32, 32, 3, %zu], for that many labels, found [%zu, %zu, "
                       "%zu, %zu]",
                       full, count, shape[0], shape[1], shape[2], shape[3]));
    }
    for (size_t i = 0; i < count; i++) {
        if (labels[i] < 0 || labels[i] > 10) {
            status = lp_fail(err, LP_ERR_DATA,
                             "%s: y: entry %zu: expected a label from 1 to 10, "
                             "found %lld",
                             full, i, (long long)labels[i]);
            (void)snprintf(name, sizeof name, "entry %zu", i);
            LP_TRY(lp_image_list_refuse(list, name, status, err));
            continue;
        }
        turn_image(columns + i * sizeof rgb, SIDE, SIDE, rgb);
        LP_TRY(lp_image_list_add_pixels(list, part, i, rgb, SIDE, SIDE, 3, labels[i] % 10, err));
    }
done:
    lp_memory_free(&memory);
    return status;
}
