/* What the tables of families.c say of a file. */
#include "model/families.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

/* Whether the file has one of `names` behind a prefix. */
static bool has_one(const lp_checkpoint *ckpt, const char *prefix,
                    const char *const names[LP_FAMILY_NAMES]) {
    for (size_t i = 0; i < LP_FAMILY_NAMES && names[i] != NULL; i++) {
        char name[LP_PLAN_NAME];
        (void)snprintf(name, sizeof name, "%s%s", prefix, names[i]);
        if (lp_checkpoint_find(ckpt, name) != NULL) {
            return true;
        }
    }
    return false;
}

static const char *belonging_prefix(const lp_checkpoint *ckpt, const lp_family *f) {
    for (size_t i = 0; i < LP_FAMILY_NAMES && f->prefixes[i] != NULL; i++) {
        if (has_one(ckpt, f->prefixes[i], f->any) &&
            (f->with[0] == NULL || has_one(ckpt, f->prefixes[i], f->with)) &&
            !has_one(ckpt, f->prefixes[i], f->without)) {
            return f->prefixes[i];
        }
    }
    return NULL;
}

lp_status lp_family_find(const lp_checkpoint *ckpt, const lp_family **family, const char **prefix,
                         lp_error *err) {
    for (size_t i = 0; i < lp_family_count; i++) {
        *prefix = belonging_prefix(ckpt, &lp_families[i]);
        if (*prefix != NULL) {
            *family = &lp_families[i];
            return LP_OK;
        }
    }
    char looked_for[3000];
    size_t used = 0;
    for (size_t i = 0; i < lp_family_count && used < sizeof looked_for; i++) {
        const lp_family *f = &lp_families[i];
        used += (size_t)snprintf(
            looked_for + used, sizeof looked_for - used, "\n  %s: %s%s%s%s%s", f->name,
            f->prefixes[0], f->any[0], f->any[1] != NULL ? " or " : "",
            f->any[1] != NULL ? f->prefixes[0] : "", f->any[1] != NULL ? f->any[1] : "");
    }
    const lp_stranger *s = lp_strangers;
    while (s->tensor != NULL && lp_checkpoint_find(ckpt, s->tensor) == NULL) {
        s++;
    }
    return lp_fail(err, LP_ERR_UNSUPPORTED,
                   "%s: no supported image encoder among its %zu tensors%s%s; looked for%s",
                   lp_checkpoint_path(ckpt), lp_checkpoint_count(ckpt),
                   s->what != NULL ? ", it looks like " : "", s->what != NULL ? s->what : "",
                   looked_for);
}

const char *lp_family_activation_name(lp_activation activation) {
    return activation != LP_ACTIVATION_AUTO ? lp_activation_name(activation) : "unknown";
}

static void set_mean_std(lp_mean_std mean_std, lp_preprocess *preprocess) {
    const lp_mean_std_values *values = &lp_mean_stds[mean_std];
    memcpy(preprocess->mean, values->mean, sizeof preprocess->mean);
    memcpy(preprocess->std, values->std, sizeof preprocess->std);
}

void lp_family_describe(const lp_family *family, lp_encoder_info *info) {
    *info = (lp_encoder_info){
        .family = family->name,
        .activation = lp_family_activation_name(family->activation),
        .norm_eps = family->norm_eps,
        .preprocess = {.filter = family->filter, .squash = family->squash},
        .note = family->note,
    };
    set_mean_std(family->mean_std, &info->preprocess);
}

void lp_family_preprocess(const lp_family *family, size_t input, lp_encoder_info *info) {
    info->input_size = input;
    info->preprocess.crop = input;
    size_t to = family->shorter_side.to, from = family->shorter_side.from;
    info->preprocess.resize = from > 0 ? input * to / from : input;
}

void lp_family_mean_std(lp_mean_std mean_std, lp_encoder_info *info) {
    if (mean_std != LP_MEAN_STD_AUTO) {
        set_mean_std(mean_std, &info->preprocess);
        info->note = NULL;
    }
}

lp_activation lp_family_activation(const lp_family *family, size_t width, size_t patch,
                                   size_t grid) {
    const lp_activation_exception *e = family->exceptions;
    for (; e != NULL && e->width != 0; e++) {
        if (width == e->width && (e->patch == 0 || patch == e->patch) &&
            (e->grid == 0 || grid == e->grid)) {
            return e->activation;
        }
    }
    return family->activation;
}

const lp_vit_size *lp_vit_size_of(size_t width, size_t layers) {
    for (size_t i = 0; i < lp_vit_size_count; i++) {
        if (lp_vit_sizes[i].width == width && lp_vit_sizes[i].layers == layers) {
            return &lp_vit_sizes[i];
        }
    }
    return NULL;
}

bool lp_vit_heads_vary(size_t width) {
    for (size_t i = 0; i < lp_vit_size_count; i++) {
        if (lp_vit_sizes[i].width == width && lp_vit_sizes[i].heads_vary) {
            return true;
        }
    }
    return false;
}

const char *lp_resnet_size_name(const size_t blocks[LP_RESNET_STAGES], size_t width, size_t input) {
    for (size_t i = 0; i < lp_resnet_size_count; i++) {
        const lp_resnet_size *size = &lp_resnet_sizes[i];
        if (memcmp(size->blocks, blocks, sizeof size->blocks) == 0 && size->width == width &&
            size->input == input) {
            return size->name;
        }
    }
    return NULL;
}

lp_mean_std lp_file_mean_std(const lp_known_model *known) {
    const lp_file_exception *e = lp_file_exceptions;
    while (e->name != NULL && strncmp(known->name, e->name, strlen(e->name)) != 0) {
        e++;
    }
    return e->mean_std;
}

lp_activation lp_file_activation(const lp_known_model *known) {
    for (int i = LP_ACTIVATION_GELU; known->activation != NULL && lp_activation_names[i] != NULL;
         i++) {
        if (strcmp(known->activation, lp_activation_names[i]) == 0) {
            return (lp_activation)i;
        }
    }
    return LP_ACTIVATION_AUTO;
}

const lp_hf_default *lp_hf_default_of(const char *model_type) {
    for (const lp_hf_default *d = lp_hf_defaults; d->type != NULL; d++) {
        if (strncmp(model_type, d->type, strlen(d->type)) == 0) {
            return d;
        }
    }
    return NULL;
}
