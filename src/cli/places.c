/* Reference: clip/clip.py (download_root), open_clip's pretrained.py (cache_dir), torch/hub.py
 * (_get_torch_home, load_state_dict_from_url), huggingface_hub's constants.py.
 *
 * A variable that is set to nothing counts as not set, as the XDG base directory specification has
 * it. */
#include "cli/places.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A place: VARIABLE/below.  HOME stands for all that is not set. */
typedef struct place {
    const char *variable, *below;
} place;

static const char *variable_of(const char *name) {
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The first of the places whose variable is set, and `name` in it; "~/" in front is the home
 * folder, as the libraries that own these variables have it. */
static lp_status first_of(const place *places, size_t count, const char *name,
                          char path[LP_PATH_ROOM], lp_error *err) {
    const char *home = variable_of("HOME");
    path[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        const char *value = variable_of(places[i].variable);
        if (value != NULL) {
            bool at_home = home != NULL && value[0] == '~' && (value[1] == '/' || value[1] == '\0');
            return lp_path_print(path, err, "%s%s%s%s", at_home ? home : "",
                                 at_home ? value + 1 : value, places[i].below, name);
        }
    }
    return LP_OK;
}

lp_status places_published(const lp_known_model *model, char path[LP_PATH_ROOM], lp_error *err) {
    static const place clip[] = {{"HOME", "/.cache/clip/"}};
    static const place torch[] = {{"TORCH_HOME", "/hub/checkpoints/"},
                                  {"XDG_CACHE_HOME", "/torch/hub/checkpoints/"},
                                  {"HOME", "/.cache/torch/hub/checkpoints/"}};
    bool is_clip = strncmp(model->family, "clip", 4) == 0;
    return first_of(is_clip ? clip : torch, is_clip ? 1 : sizeof torch / sizeof torch[0],
                    lp_known_model_file(model), path, err);
}

lp_status places_hub(char path[LP_PATH_ROOM], lp_error *err) {
    static const place hub[] = {{"HF_HUB_CACHE", ""},
                                {"HUGGINGFACE_HUB_CACHE", ""},
                                {"HF_HOME", "/hub"},
                                {"XDG_CACHE_HOME", "/huggingface/hub"},
                                {"HOME", "/.cache/huggingface/hub"}};
    return first_of(hub, sizeof hub / sizeof hub[0], "", path, err);
}
