/* Paths of known models.  Other programs' folders: clip/clip.py (download_root), open_clip's
 * pretrained.py (cache_dir), torch/hub.py (_get_torch_home, load_state_dict_from_url). */
#include "cli/model_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"

lp_status model_path_elsewhere(const lp_known_model *model, char path[LP_PATH_ROOM],
                               lp_error *err) {
    const char *home = getenv("HOME"), *cache = getenv("XDG_CACHE_HOME"),
               *hub = getenv("TORCH_HOME");
    bool clip = strncmp(model->family, "clip", 4) == 0;
    const char *start = home, *below = clip ? ".cache/clip" : ".cache/torch/hub/checkpoints";
    char inner[256];
    if (!clip && hub != NULL) {
        start = hub;
        below = "hub/checkpoints";
    } else if (!clip && cache != NULL) {
        start = cache;
        below = "torch/hub/checkpoints";
    }
    (void)snprintf(inner, sizeof inner, "%s/%s", below, lp_known_model_file(model));
    lp_status status = start != NULL ? lp_path_in(path, start, inner, err) : LP_OK;
    if (start == NULL || !lp_is_file(path)) {
        path[0] = '\0';
    }
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
    LP_TRY(lp_path_in(path, cache, lp_known_model_file(model), err));
    if (!lp_is_file(path)) {
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
