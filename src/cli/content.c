/* Names first, then the first bytes of a file. */
#include "cli/content.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/file.h"
#include "base/folder.h"
#include "ckpt/shards.h"
#include "data/official_data.h"
#include "linprobe/checkpoint.h"

static bool ends_with(const char *path, const char *end) {
    size_t length = strlen(path), tail = strlen(end);
    return length > tail && strcasecmp(path + length - tail, end) == 0;
}

static bool holds(const char *folder, const char *name) {
    char path[LP_PATH_ROOM];
    lp_error ignored;
    return lp_path_in(path, folder, name, &ignored) == LP_OK &&
           (lp_is_file(path) || lp_is_folder(path));
}

static bool holds_records(const char *folder) {
    bool found = false;
    for (int s = 0; s < LP_RECORD_SETS; s++) {
        const lp_record_layout *layout = &lp_record_layouts[s];
        found = found || holds(folder, layout->folder);
        for (int split = 0; split < 2; split++) {
            found = found || holds(folder, layout->files[split][0]);
        }
    }
    return found;
}

/* Whether an .npz file holds weights, and not features. */
static bool holds_weights(const char *path) {
    lp_checkpoint *ckpt = NULL;
    lp_error ignored;
    bool found = lp_checkpoint_open(path, &ckpt, &ignored) == LP_OK &&
                 lp_checkpoint_find(ckpt, "features") == NULL &&
                 lp_checkpoint_find(ckpt, "labels") == NULL;
    lp_checkpoint_close(ckpt);
    return found;
}

/* Whether a file of tensors holds features, and not the weights of an encoder. */
static bool holds_features(const char *path) {
    lp_checkpoint *ckpt = NULL;
    lp_error ignored;
    bool found = lp_checkpoint_open(path, &ckpt, &ignored) == LP_OK &&
                 lp_checkpoint_find(ckpt, "features") != NULL;
    lp_checkpoint_close(ckpt);
    return found;
}

static cli_content content_of_folder(const char *path) {
    lp_folder files = {.count = 0};
    lp_error ignored;
    cli_content found = CONTENT_UNKNOWN;
    if (holds(path, "features.npy") || holds(path, "features.pt") ||
        holds(path, "features.safetensors")) {
        return CONTENT_FEATURES;
    }
    if (holds_records(path) || (holds(path, "train") && !holds(path, "model.safetensors"))) {
        return CONTENT_DATA;
    }
    if (lp_folder_read_kind(path, false, &files, &ignored) == LP_OK) {
        for (size_t i = 0; i < files.count; i++) {
            found = lp_shards_is_weights(files.names[i]) ? CONTENT_WEIGHTS : found;
        }
    }
    lp_folder_clear(&files);
    return found;
}

static cli_content content_of_file(const char *path) {
    unsigned char start[8] = {0};
    FILE *file = fopen(path, "rb");
    size_t size = file != NULL ? fread(start, 1, sizeof start, file) : 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    bool is_zip = size >= 4 && memcmp(start, "PK\3\4", 4) == 0;
    bool is_pickle = size >= 2 && start[0] == 0x80 && start[1] <= 5;
    if (size >= 7 && memcmp(start, "LPPROBE", 7) == 0) {
        return CONTENT_PROBE;
    }
    if (ends_with(path, ".npz")) {
        return holds_weights(path) ? CONTENT_WEIGHTS : CONTENT_FEATURES;
    }
    if (ends_with(path, ".safetensors") || ((is_zip || is_pickle) && lp_shards_is_weights(path))) {
        return holds_features(path) ? CONTENT_FEATURES : CONTENT_WEIGHTS;
    }
    if (ends_with(path, ".index.json")) {
        return CONTENT_WEIGHTS;
    }
    return ends_with(path, ".tar.gz") || ends_with(path, ".tgz") ? CONTENT_DATA : CONTENT_UNKNOWN;
}

cli_content content_of(const char *path) {
    return lp_is_folder(path) ? content_of_folder(path)
           : lp_is_file(path) ? content_of_file(path)
                              : CONTENT_UNKNOWN;
}

const char *content_name(cli_content content) {
    static const char *const names[] = {"something unknown", "a probe", "a feature set",
                                        "the weights of an encoder", "a data set of images"};
    return names[content];
}
