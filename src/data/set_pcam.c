/* Data stage: PatchCamelyon.
 *
 *   camelyonpatch_level_2_split_train_x.h5   "x" uint8 [N, 96, 96, 3]
 *   camelyonpatch_level_2_split_train_y.h5   "y" uint8 [N, 1, 1, 1]
 *
 * The training images are 7 GB as pixels: each is read from its file when it is needed. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/data_sets.h"
#include "data/hdf5_file.h"

/* Images as files of PPM: the same head, then the array's pixels. */
typedef struct pcam_source {
    lp_tree_source files; /* first: the tree knows it by this */
    lp_hdf5_array *images;
    char head[32];
} pcam_source;

static lp_status read_image(const lp_tree_source *files, size_t number, unsigned char *bytes,
                            size_t size, lp_error *err) {
    const pcam_source *source = (const pcam_source *)files;
    size_t head = strlen(source->head);
    (void)size;
    memcpy(bytes, source->head, head);
    return lp_hdf5_read(source->images, number, 1, bytes + head, err);
}

static void close_source(lp_tree_source *files) {
    pcam_source *source = (pcam_source *)files;
    lp_hdf5_close(source->images);
    lp_free(source);
}

static lp_status open_part(const lp_image_list *list, lp_split part, const char *variable,
                           size_t shape[4], lp_hdf5_array **array, lp_error *err) {
    static const char *const parts[] = {"train", "test", "valid"};
    char name[80], full[LP_PATH_ROOM];
    lp_status status;
    (void)snprintf(name, sizeof name, "camelyonpatch_level_2_split_%s_%s.h5", parts[part],
                   variable);
    LP_TRY(lp_tree_join(full, list->folder, name, err));
    status = lp_hdf5_open(list->tree, full, variable, shape, array, err);
done:
    return status;
}

static lp_status check_shapes(const lp_hdf5_array *images, const size_t x[4],
                              const lp_hdf5_array *labels, const size_t y[4], lp_error *err) {
    if (x[3] != 3 || x[1] > 4096 || x[2] > 4096) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected images [N, 96, 96, 3], found [%zu, %zu, %zu, %zu]",
                       lp_hdf5_path(images), x[0], x[1], x[2], x[3]);
    }
    if (y[0] != x[0] || y[1] * y[2] * y[3] != 1) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected labels [%zu, 1, 1, 1], for that many images, found [%zu, %zu, "
                       "%zu, %zu]",
                       lp_hdf5_path(labels), x[0], y[0], y[1], y[2], y[3]);
    }
    return LP_OK;
}

lp_status lp_read_pcam(lp_image_list *list, lp_split part, const lp_dataset_options *options,
                       lp_error *err) {
    static const char *const classes[] = {"no tumor tissue", "tumor tissue"};
    char name[64];
    size_t x[4] = {0}, y[4] = {0};
    lp_hdf5_array *labels = NULL;
    unsigned char *values = NULL;
    pcam_source *source = lp_alloc_zeroed(1, sizeof *source);
    bool owned = false;
    lp_status status;
    (void)options;
    LP_TRY(lp_allocated(source, "PatchCamelyon", 1, sizeof *source, err));
    for (size_t k = list->class_count; k < 2; k++) {
        LP_TRY(lp_image_list_add_class(list, classes[k], err));
    }
    LP_TRY(open_part(list, part, "x", x, &source->images, err));
    LP_TRY(open_part(list, part, "y", y, &labels, err));
    LP_TRY(check_shapes(source->images, x, labels, y, err));
    values = lp_alloc(y[0], 1);
    LP_TRY(lp_allocated(values, "labels", y[0], 1, err));
    LP_TRY(lp_hdf5_read(labels, 0, y[0], values, err));
    (void)snprintf(source->head, sizeof source->head, "P6\n%zu %zu\n255\n", x[2], x[1]);
    size_t size = strlen(source->head) + x[1] * x[2] * 3;
    source->files = (lp_tree_source){read_image, close_source};
    lp_tree_own(list->tree, &source->files);
    owned = true;
    for (size_t i = 0; i < x[0]; i++) {
        if (values[i] > 1) {
            status = lp_fail(err, LP_ERR_DATA, "%s: 'y': entry %zu: expected 0 or 1, found %d",
                             lp_hdf5_path(labels), i, values[i]);
            (void)snprintf(name, sizeof name, "entry %zu", i);
            LP_TRY(lp_image_list_refuse(list, name, status, err));
            continue;
        }
        LP_TRY(lp_image_list_add_lazily(list, part, &source->files, i, size, values[i], err));
    }
done:
    if (source != NULL && !owned) {
        close_source(&source->files);
    }
    lp_hdf5_close(labels);
    lp_free(values);
    return status;
}
