/* Names of models -> paths. */
#include "cli/model_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ckpt/hub_cache.h"
#include "ckpt/shards.h"
#include "cli/places.h"

lp_status model_path_elsewhere(const lp_known_model *model, char path[LP_PATH_ROOM],
                               lp_error *err) {
    lp_status status = places_published(model, path, err);
    if (status == LP_OK && !lp_is_file(path)) {
        path[0] = '\0';
    }
    return status;
}

/* Adds to a failure what gets the model. */
static lp_status advise(const char *word, lp_status status, lp_error *err) {
    size_t used = strlen(err->text);
    if (status == LP_ERR_ARGUMENT) {
        (void)snprintf(err->text + used, sizeof err->text - used,
                       "; `linprobe fetch %.300s` downloads it", word);
    }
    return status;
}

static lp_status find_on_hub(const char *word, const lp_hub_name *name, const char *cache,
                             char path[LP_PATH_ROOM], lp_error *err) {
    char hub[LP_PATH_ROOM], folder[LP_PATH_ROOM], *picked = NULL;
    lp_status status;
    LP_TRY(places_hub(hub, err));
    LP_TRY(lp_hub_folder(folder, cache, name->id, err));
    if (!lp_is_folder(folder) && hub[0] != '\0') {
        LP_TRY(lp_hub_folder(folder, hub, name->id, err));
    }
    if (!lp_is_folder(folder)) {
        status = lp_fail(err, LP_ERR_ARGUMENT,
                         "%s: %sthe model %s of the Hugging Face hub is not in its cache (%s)",
                         word, name->marked ? "" : "no such file or folder, and ", name->id,
                         hub[0] != '\0' ? hub : "no folder: neither HOME nor HF_HOME is set");
    } else {
        status = lp_prefix(err, lp_hub_pick(folder, name->revision, &picked, err), "%s: ", word);
    }
    LP_TRY(advise(word, status, err));
    LP_TRY(lp_path_print(path, err, "%s", picked));
done:
    lp_free(picked);
    return status;
}

static lp_status find_known(const char *word, const lp_known_model *model, const char *cache,
                            char path[LP_PATH_ROOM], lp_error *err) {
    lp_status status;
    lp_hub_name name;
    if (model->hub != NULL && lp_hub_parse(model->hub, &name)) {
        name.marked = true; /* and no file */
        return find_on_hub(word, &name, cache, path, err);
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

void model_path_try(lp_spelling *spelling) {
    const lp_known_model *m;
    for (size_t i = 0; (m = lp_known_model_at(i)) != NULL; i++) {
        lp_spelling_try(spelling, m->name);
        if (m->alias != NULL) {
            lp_spelling_try(spelling, m->alias);
        }
    }
}

lp_status model_path_find(const char *word, const char *cache, char path[LP_PATH_ROOM],
                          lp_error *err) {
    lp_hub_name name;
    bool there = access(word, F_OK) == 0 || errno != ENOENT;
    bool on_hub = lp_hub_parse(word, &name);
    const lp_known_model *model =
        there || (on_hub && name.marked) ? NULL : lp_known_model_named(word);
    if (model != NULL) {
        return find_known(word, model, cache, path, err);
    }
    if (!there && lp_path_print(path, err, "%s.index", word) == LP_OK && lp_is_file(path)) {
        return LP_OK; /* as TensorFlow names a checkpoint */
    }
    /* vits/my.pt is a file that is missing rather than a model of the hub */
    if (!there && on_hub && (name.marked || !lp_shards_is_weights(name.id))) {
        return find_on_hub(word, &name, cache, path, err);
    }
    if (there || strchr(word, '/') != NULL || lp_shards_is_weights(word)) {
        return lp_path_print(path, err, "%s", word); /* if it is no file, opening it fails */
    }
    char meant[LP_SPELLING_TEXT];
    lp_spelling near = lp_spelling_of(word);
    model_path_try(&near);
    return lp_fail(err, LP_ERR_ARGUMENT,
                   "%s: neither a file nor the name of a known model; `linprobe models` lists "
                   "those%s",
                   word, lp_spelling_text(&near, meant));
}
