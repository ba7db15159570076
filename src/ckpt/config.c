/* The JSON files beside weights, as Hugging Face's repositories hold them. */
#include "ckpt/config.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

/* Longest file that is read; real ones have a few KiB. */
enum { CONFIG_MAX = 1 << 20 };

lp_status lp_checkpoint_config(const lp_checkpoint *ckpt, const char *name, json_t **config,
                               lp_error *err) {
    struct stat info;
    char *bytes;
    size_t size;
    *config = NULL;
    char *path = lp_path_beside(lp_checkpoint_path(ckpt), name);
    if (path == NULL) {
        return lp_fail_memory(err, name, 1, 1);
    }
    lp_status status = LP_OK;
    if (stat(path, &info) == 0 || errno != ENOENT) { /* one that is there must be readable */
        status = lp_file_read(path, CONFIG_MAX, &bytes, &size, err);
        if (status == LP_OK) {
            status = lp_json_parse(path, bytes, size, config, err);
            lp_free(bytes);
        }
    }
    if (status == LP_OK && *config != NULL && !json_is_object(*config)) {
        json_decref(*config);
        *config = NULL;
        status = lp_fail(err, LP_ERR_FORMAT, "%s: expected a JSON object", path);
    }
    lp_free(path);
    return status;
}
