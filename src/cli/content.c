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

/* A file of tensors: features, or the weights of an encoder.  Of one that cannot be read nothing is
 * known; its reader says why. */
static cli_content content_of_tensors(const char *path) {
    lp_checkpoint *ckpt = NULL;
    lp_error ignored;
    cli_content found = CONTENT_UNKNOWN;
    if (lp_checkpoint_open(path, &ckpt, &ignored) == LP_OK) {
        bool features = lp_checkpoint_find(ckpt, "features") != NULL ||
                        lp_checkpoint_find(ckpt, "labels") != NULL;
        found = features ? CONTENT_FEATURES : CONTENT_WEIGHTS;
    }
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
            found = lp_shards_is_tensors(files.names[i]) ? CONTENT_WEIGHTS : found;
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
    if (ends_with(path, ".npz") || ends_with(path, ".safetensors") ||
        ((is_zip || is_pickle) && lp_shards_is_weights(path))) {
        return content_of_tensors(path);
    }
    if (ends_with(path, ".index.json") || ends_with(path, ".index")) {
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
