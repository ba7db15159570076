/* What the data stage makes of a set, as JSON for tests/parity/test_dataset.py:
 *   dump_dataset PATH train|test fine|coarse
 * With the SHA-256 of all images as [N, 32, 32, 3] bytes. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "linprobe/dataset.h"

static lp_error err;

static lp_status dump(const lp_dataset *data) {
    const lp_dataset_info *info = lp_dataset_describe(data);
    unsigned char rgb[32 * 32 * 3];
    char hex[LP_DIGEST_HEX];
    lp_digest *digest;
    lp_status status = lp_digest_new(LP_SHA256, &digest, &err);
    for (size_t i = 0; i < info->count && status == LP_OK; i++) {
        status = lp_dataset_image(data, i, rgb, &err);
        if (status == LP_OK) {
            status = lp_digest_add(digest, rgb, sizeof rgb, &err);
        }
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
    for (size_t i = 0; i < info->count; i++) {
        printf("%s%" PRId64, i > 0 ? ", " : "", lp_dataset_labels(data)[i]);
    }
    printf("], \"classes\": [");
    for (size_t k = 0; k < info->classes; k++) {
        printf("%s\"%s\"", k > 0 ? ", " : "", lp_dataset_class_name(data, k));
    }
    printf("]}\n");
    return LP_OK;
}

int main(int argc, char **argv) {
    lp_dataset *data;
    if (argc != 4) {
        fprintf(stderr, "usage: dump_dataset PATH train|test fine|coarse\n");
        return 2;
    }
    lp_split split = strcmp(argv[2], "train") == 0 ? LP_SPLIT_TRAIN : LP_SPLIT_TEST;
    lp_label_kind labels = strcmp(argv[3], "fine") == 0 ? LP_LABELS_FINE : LP_LABELS_COARSE;
    lp_status status = lp_dataset_open(argv[1], split, labels, &data, &err);
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
