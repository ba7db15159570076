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
    char path[LP_PATH_ROOM], *bytes = NULL;
    size_t size;
    lp_status status;
    *config = NULL;
    LP_TRY(lp_path_beside(path, lp_checkpoint_path(ckpt), name, err));
    /* one that is there must be readable; a link to a file that was not downloaded is there */
    if (lstat(path, &info) != 0 && errno == ENOENT) {
        return LP_OK;
    }
    LP_TRY(lp_file_read(path, CONFIG_MAX, &bytes, &size, err));
    LP_TRY(lp_json_parse(path, bytes, size, config, err));
    if (!json_is_object(*config)) {
        json_decref(*config);
        *config = NULL;
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: expected a JSON object", path));
    }
done:
    lp_free(bytes);
    return status;
}
