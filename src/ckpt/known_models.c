/* Published encoders: how they are found.  The rows are in known_files.c, known_torchvision.c and
 * known_hub.c. */
#include "ckpt/known_tables.h"

#include <ctype.h>
#include <string.h>

#include "ckpt/tf_bundle.h"
#include "linprobe/checkpoint.h"

const lp_known_model *lp_known_model_at(size_t i) {
    static const lp_known_table *const tables[] = {&lp_known_files, &lp_known_torchvision,
                                                   &lp_known_hub};
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
        if (i < tables[t]->count) {
            return &tables[t]->models[i];
        }
        i -= tables[t]->count;
    }
    return NULL;
}

/* The next letter or digit, in lower case, or 0 at the end. */
static int next_letter(const char **text) {
    while (**text != '\0' && !isalnum((unsigned char)**text)) {
        (*text)++;
    }
    return **text != '\0' ? tolower((unsigned char)*(*text)++) : 0;
}

static bool is_same(const char *a, const char *b) {
    int letter;
    if (a == NULL) {
        return false;
    }
    do {
        letter = next_letter(&a);
        if (letter != next_letter(&b)) {
            return false;
        }
    } while (letter != 0);
    return true;
}

const lp_known_model *lp_known_model_named(const char *name) {
    const lp_known_model *m;
    for (size_t i = 0; (m = lp_known_model_at(i)) != NULL; i++) {
        if (is_same(m->name, name) || is_same(m->alias, name) || is_same(m->title, name) ||
            is_same(lp_known_model_file(m), name) || is_same(m->hub, name)) {
            break;
        }
    }
    return m;
}

const lp_known_model *lp_known_model_with_sha256(const char *sha256) {
    const lp_known_model *m;
    for (size_t i = 0; (m = lp_known_model_at(i)) != NULL; i++) {
        if (m->sha256 != NULL && strncmp(m->sha256, sha256, strlen(m->sha256)) == 0) {
            break;
        }
    }
    return m;
}

const char *lp_known_model_file(const lp_known_model *model) {
    const char *name = model->file != NULL ? model->file : strrchr(model->url, '/') + 1;
    if (lp_bundle_is_index(name)) { /* all have the same name */
        do {
            name--;
        } while (name[-1] != '/');
    }
    return name;
}

lp_status lp_known_model_values(const char *index, char values[LP_PATH_ROOM], lp_error *err) {
    const lp_bundle one = {.files = 1};
    return lp_bundle_path(index, &one, 0, values, err);
}

const char *lp_checkpoint_official_name(const char *sha256) {
    const lp_known_model *model = lp_known_model_with_sha256(sha256);
    return model != NULL ? model->title : NULL;
}
