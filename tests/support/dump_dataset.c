/* What the data stage makes of a set, as JSON for tests/parity/test_dataset.py,
 * test_image_folder.py and test_data_sets.py:
 *   dump_dataset PATH train|test|val|trainval fine|coarse [skip]
 * The labels of several an image are [N, K], row by row.  With the SHA-256 of all images as [N, H,
 * W, 3] bytes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "linprobe/dataset.h"

static lp_error err;

static lp_status dump(const lp_dataset *data) {
    const lp_dataset_info *info = lp_dataset_describe(data);
    char hex[LP_DIGEST_HEX];
    lp_digest *digest;
    lp_status status = lp_digest_new(LP_SHA256, &digest, &err);
    for (size_t i = 0; i < info->count && status == LP_OK; i++) {
        size_t height, width;
        lp_dataset_image_size(data, i, &height, &width);
        unsigned char *rgb = lp_alloc(height * width, 3);
        status = rgb != NULL ? lp_dataset_image(data, i, rgb, &err) : LP_ERR_MEMORY;
        if (status == LP_OK) {
            status = lp_digest_add(digest, rgb, height * width * 3, &err);
        }
        lp_free(rgb);
    }
    if (status == LP_OK) {
        status = lp_digest_hex(digest, hex, &err);
    }
    lp_digest_free(digest);
    if (status != LP_OK) {
        return status;
    }
    printf("{\"name\": \"%s\", \"official\": \"%s\", \"digest\": \"%s\", \"images\": \"%s\", "
           "\"labels\": [",
           info->name, info->official != NULL ? info->official : "", info->digest, hex);
    for (size_t i = 0; i < info->count && !info->multilabel; i++) {
        printf("%s%" PRId64, i > 0 ? ", " : "", lp_dataset_labels(data)[i]);
    }
    for (size_t i = 0; i < info->count * info->classes && info->multilabel; i++) {
        printf("%s%d", i > 0 ? ", " : "", lp_dataset_marks(data)[i]);
    }
    printf("], \"classes\": [");
    for (size_t k = 0; k < info->classes; k++) {
        printf("%s\"%s\"", k > 0 ? ", " : "", lp_dataset_class_name(data, k));
    }
    printf("], \"skipped\": [");
    for (size_t i = 0; i < info->skipped; i++) {
        printf("%s\"%s\"", i > 0 ? ", " : "", lp_dataset_skipped(data, i, NULL));
    }
    printf("], \"ignored\": %zu}\n", info->ignored);
    return LP_OK;
}

int main(int argc, char **argv) {
    lp_dataset *data;
    if (argc < 4) {
        fprintf(stderr, "usage: dump_dataset PATH train|test|val|trainval fine|coarse [skip]\n");
        return 2;
    }
    int split = 0;
    while (lp_split_names[split] != NULL && strcmp(lp_split_names[split], argv[2]) != 0) {
        split++;
    }
    const lp_dataset_options options = {
        .split = lp_split_names[split] != NULL ? (lp_split)split : LP_SPLIT_TEST,
        .labels = strcmp(argv[3], "fine") == 0 ? LP_LABELS_FINE : LP_LABELS_COARSE,
        .skip_broken = argc > 4};
    lp_status status = lp_dataset_open_with(argv[1], &options, &data, &err);
    if (status == LP_OK) {
        status = dump(data);
    }
    lp_dataset_close(data);
    if (status != LP_OK) {
        fprintf(stderr, "dump_dataset: %s\n", err.text);
        return 1;
    }
    return 0;
}
