/* A data set's images as a folder of PNG files, one sub-folder a class, for the shell tests:
 *   make_folder DATA train|test OUT
 * writes OUT/<class>/<number>.png. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "linprobe/dataset.h"
#include "write_png.h"

static lp_error err;

static lp_status write_all(const lp_dataset *data, const char *out) {
    static unsigned char rgb[96 * 96 * 3];
    char path[4096];
    lp_status status = LP_OK;
    for (size_t i = 0; i < lp_dataset_describe(data)->count && status == LP_OK; i++) {
        size_t height, width;
        size_t label = (size_t)lp_dataset_labels(data)[i];
        (void)snprintf(path, sizeof path, "%s/%s", out, lp_dataset_class_name(data, label));
        status = lp_make_folders(path, &err);
        size_t used = strlen(path);
        (void)snprintf(path + used, sizeof path - used, "/%05zu.png", i);
        lp_dataset_image_size(data, i, &height, &width);
        if (status == LP_OK) {
            status = lp_dataset_image(data, i, rgb, &err);
        }
        if (status == LP_OK) {
            status = write_png(path, rgb, height, width, &err);
        }
    }
    return status;
}

int main(int argc, char **argv) {
    lp_dataset *data = NULL;
    if (argc != 4) {
        fprintf(stderr, "usage: make_folder DATA train|test OUT\n");
        return 2;
    }
    lp_split split = strcmp(argv[2], "train") == 0 ? LP_SPLIT_TRAIN : LP_SPLIT_TEST;
    lp_status status = lp_dataset_open(argv[1], split, LP_LABELS_FINE, &data, &err);
    if (status == LP_OK) {
        status = write_all(data, argv[3]);
    }
    lp_dataset_close(data);
    if (status != LP_OK) {
        fprintf(stderr, "make_folder: %s\n", err.text);
        return 1;
    }
    return 0;
}
