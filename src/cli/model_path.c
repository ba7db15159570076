/* Paths of known models.  Other programs' folders: clip/clip.py (download_root), open_clip's
 * pretrained.py (cache_dir), torch/hub.py (_get_torch_home, load_state_dict_from_url). */
#include "cli/model_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

/* path = "" unless folder/name is a file. */
static lp_status find_file(const char *folder, const char *name, char path[LP_PATH_ROOM],
                           lp_error *err) {
    lp_status status = lp_path_in(path, folder, name, err);
    if (!lp_is_file(path)) {
        path[0] = '\0';
    }
    return status;
}

lp_status model_path_elsewhere(const lp_known_model *model, char path[LP_PATH_ROOM],
                               lp_error *err) {
    const char *home = getenv("HOME"), *cache = getenv("XDG_CACHE_HOME");
    const char *hub = getenv("TORCH_HOME"), *file = lp_known_model_file(model);
    bool clip = strncmp(model->family, "clip", 4) == 0;
    char folder[LP_PATH_ROOM];
    lp_status status = LP_OK;
    path[0] = '\0';
    if (!clip && hub != NULL) {
        LP_TRY(lp_path_in(folder, hub, "hub/checkpoints", err));
    } else if (!clip && cache != NULL) {
        LP_TRY(lp_path_in(folder, cache, "torch/hub/checkpoints", err));
    } else if (home != NULL) {
        const char *below = clip ? ".cache/clip" : ".cache/torch/hub/checkpoints";
        LP_TRY(lp_path_in(folder, home, below, err));
    } else {
        goto done;
    }
    LP_TRY(find_file(folder, file, path, err));
done:
    return status;
}

lp_status model_path_find(const char *word, const char *cache, char path[LP_PATH_ROOM],
                          lp_error *err) {
    bool there = access(word, F_OK) == 0 || errno != ENOENT;
    const lp_known_model *model = there ? NULL : lp_known_model_named(word);
    lp_status status;
    if (there || (model == NULL && strpbrk(word, "./") != NULL)) {
        return lp_path_print(path, err, "%s", word); /* if it is no file, opening it fails */
    }
    if (model == NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: neither a file nor the name of a known model; `linprobe models` lists "
                       "those",
                       word);
    }
    LP_TRY(find_file(cache, lp_known_model_file(model), path, err));
    if (path[0] == '\0') {
        LP_TRY(model_path_elsewhere(model, path, err));
    }
    if (path[0] == '\0') {
        status = lp_fail(err, LP_ERR_ARGUMENT,
                         "%s: %s is not on this machine yet; `linprobe fetch %s` downloads it",
                         word, model->title, model->name);
    }
done:
    return status;
}
