/* Paths of known models.  Other programs' folders: clip/clip.py (download_root), open_clip's
 * pretrained.py (cache_dir), torch/hub.py (_get_torch_home, load_state_dict_from_url). */
#include "cli/model_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

/* folder/below name, where `below` is empty or ends with a slash; *path = NULL unless it is a file.
 */
static lp_status find_file(const char *folder, const char *below, const char *name, char **path,
                           lp_error *err) {
    char inner[256];
    (void)snprintf(inner, sizeof inner, "%s%s", below, name);
    *path = lp_path_join(folder, inner);
    if (*path == NULL) {
        return lp_fail_memory(err, folder, strlen(folder), 1);
    }
    if (!lp_is_file(*path)) {
        lp_free(*path);
        *path = NULL;
    }
    return LP_OK;
}

lp_status model_path_elsewhere(const lp_known_model *model, char **path, lp_error *err) {
    const char *home = getenv("HOME"), *cache = getenv("XDG_CACHE_HOME");
    const char *hub = getenv("TORCH_HOME"), *file = lp_known_model_file(model);
    bool clip = strncmp(model->family, "clip", 4) == 0;
    *path = NULL;
    if (!clip && hub != NULL) {
        return find_file(hub, "hub/checkpoints/", file, path, err);
    }
    if (!clip && cache != NULL) {
        return find_file(cache, "torch/hub/checkpoints/", file, path, err);
    }
    const char *below = clip ? ".cache/clip/" : ".cache/torch/hub/checkpoints/";
    return home != NULL ? find_file(home, below, file, path, err) : LP_OK;
}

lp_status model_path_find(const char *word, const char *cache, char **path, lp_error *err) {
    bool there = access(word, F_OK) == 0 || errno != ENOENT;
    const lp_known_model *model = there ? NULL : lp_known_model_named(word);
    lp_status status;
    *path = NULL;
    if (there || (model == NULL && strpbrk(word, "./") != NULL)) {
        *path = lp_strdup(word); /* if it is no file, opening it fails with a message */
        return lp_allocated(*path, word, strlen(word) + 1, 1, err);
    }
    if (model == NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: neither a file nor the name of a known model; `linprobe models` lists "
                       "those",
                       word);
    }
    LP_TRY(find_file(cache, "", lp_known_model_file(model), path, err));
    if (*path == NULL) {
        LP_TRY(model_path_elsewhere(model, path, err));
    }
    if (*path == NULL) {
        status = lp_fail(err, LP_ERR_ARGUMENT,
                         "%s: %s is not on this machine yet; `linprobe fetch %s` downloads it",
                         word, model->title, model->name);
    }
done:
    return status;
}

lp_status model_open(const char *word, const char *cache, lp_checkpoint **ckpt, lp_error *err) {
    char *path;
    *ckpt = NULL;
    lp_status status = model_path_find(word, cache, &path, err);
    if (status == LP_OK) {
        status = lp_checkpoint_open(path, ckpt, err);
    }
    lp_free(path);
    return status;
}
