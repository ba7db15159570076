/* Reference: clip/clip.py (download_root), open_clip's pretrained.py (cache_dir), torch/hub.py
 * (_get_torch_home, load_state_dict_from_url), huggingface_hub's constants.py and utils/_auth.py.
 *
 * A variable that is set to nothing counts as not set, as the XDG base directory specification has
 * it. */
#include "cli/places.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/error.h"

enum { TOKEN_FILE_MOST = 4096 };

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

const char *places_cache(void) {
#ifdef __APPLE__
#define HOME_CACHE "/Library/Caches/linprobe"
#else
#define HOME_CACHE "/.cache/linprobe"
#endif
    static const place cache[] = {
        {"LINPROBE_CACHE", ""}, {"XDG_CACHE_HOME", "/linprobe"}, {"HOME", HOME_CACHE}};
    static char path[LP_PATH_ROOM];
    lp_error ignored;
    if (first_of(cache, sizeof cache / sizeof cache[0], "", path, &ignored) != LP_OK ||
        path[0] == '\0') {
        (void)snprintf(path, sizeof path, "%s", "linprobe-cache");
    }
    return path;
}

lp_status places_hub(char path[LP_PATH_ROOM], lp_error *err) {
    static const place hub[] = {{"HF_HUB_CACHE", ""},
                                {"HUGGINGFACE_HUB_CACHE", ""},
                                {"HF_HOME", "/hub"},
                                {"XDG_CACHE_HOME", "/huggingface/hub"},
                                {"HOME", "/.cache/huggingface/hub"}};
    return first_of(hub, sizeof hub / sizeof hub[0], "", path, err);
}

static bool is_true(const char *name) {
    static const char *const words[] = {"1", "on", "yes", "true"};
    const char *value = variable_of(name);
    bool found = false;
    for (size_t i = 0; value != NULL && i < sizeof words / sizeof words[0]; i++) {
        found = found || strcasecmp(value, words[i]) == 0;
    }
    return found;
}

/* A token without the blanks and line ends around it; NULL where nothing is left. */
static lp_status keep_token(const char *text, char **token, lp_error *err) {
    static const char blanks[] = " \t\r\n";
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]) != NULL) {
        length--;
    }
    *token = length > 0 ? lp_strdup(text) : NULL;
    if (*token != NULL) {
        (*token)[length] = '\0';
    }
    return length > 0 ? lp_allocated(*token, "token", length, 1, err) : LP_OK;
}

static lp_status read_token(char **token, lp_error *err) {
    static const place files[] = {{"HF_TOKEN_PATH", ""},
                                  {"HF_HOME", "/token"},
                                  {"XDG_CACHE_HOME", "/huggingface/token"},
                                  {"HOME", "/.cache/huggingface/token"}};
    const char *value = variable_of("HF_TOKEN");
    char path[LP_PATH_ROOM], *text = NULL;
    size_t size;
    lp_status status;
    value = value != NULL ? value : variable_of("HUGGING_FACE_HUB_TOKEN");
    if (value != NULL) {
        return keep_token(value, token, err);
    }
    LP_TRY(first_of(files, sizeof files / sizeof files[0], "", path, err));
    if (lp_is_file(path)) {
        LP_TRY(lp_file_read(path, TOKEN_FILE_MOST, &text, &size, err));
        LP_TRY(keep_token(text, token, err));
    }
done:
    lp_free(text);
    return status;
}

lp_status places_reach_hub(places_hub_access *access, lp_error *err) {
    const char *endpoint = variable_of("HF_ENDPOINT");
    lp_status status;
    *access =
        (places_hub_access){.offline = is_true("HF_HUB_OFFLINE")         ? "HF_HUB_OFFLINE"
                                       : is_true("TRANSFORMERS_OFFLINE") ? "TRANSFORMERS_OFFLINE"
                                                                         : NULL};
    LP_TRY(lp_path_print(access->endpoint, err, "%s",
                         endpoint != NULL ? endpoint : "https://huggingface.co"));
    for (size_t end = strlen(access->endpoint); end > 0 && access->endpoint[end - 1] == '/';
         end--) {
        access->endpoint[end - 1] = '\0';
    }
    if (!is_true("HF_HUB_DISABLE_IMPLICIT_TOKEN")) {
        LP_TRY(read_token(&access->token, err));
    }
done:
    return status;
}

void places_hub_access_clear(places_hub_access *access) {
    lp_free(access->token);
    access->token = NULL;
}
