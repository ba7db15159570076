/* What the tables of families.c say of a file. */
#include "model/families.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/note.h"
#include "base/text.h"

const char *lp_family_activation_name(lp_activation activation) {
    return activation != LP_ACTIVATION_AUTO ? lp_activation_name(activation) : "unknown";
}

lp_status lp_source_published(const lp_source *source, const lp_known_model **known,
                              lp_error *err) {
    const char *sha256;
    lp_status status = lp_checkpoint_sha256(source->ckpt, &sha256, err);
    *known = status == LP_OK ? lp_known_model_with_sha256(sha256) : NULL;
    return status;
}

void lp_family_mean_std(lp_mean_std mean_std, lp_preprocess *preprocess) {
    const lp_mean_std_values *values = &lp_mean_stds[mean_std];
    memcpy(preprocess->mean, values->mean, sizeof preprocess->mean);
    memcpy(preprocess->std, values->std, sizeof preprocess->std);
}

const char *lp_mean_std_known(const lp_preprocess *preprocess) {
    for (int i = LP_MEAN_STD_HALF; lp_mean_std_names[i] != NULL; i++) {
        bool same = true;
        for (size_t c = 0; c < 3; c++) {
            same = same && preprocess->mean[c] == lp_mean_stds[i].mean[c] &&
                   preprocess->std[c] == lp_mean_stds[i].std[c];
        }
        if (same) {
            return lp_mean_std_names[i];
        }
    }
    return "other";
}

void lp_family_describe(const lp_family *family, lp_encoder_info *info) {
    *info = (lp_encoder_info){
        .family = family->name,
        .activation = lp_family_activation_name(family->activation),
        .norm_eps = family->norm_eps,
        .preprocess = {.filter = family->filter,
                       .squash = family->squash,
                       .crop_rule = family->crop_rule,
                       .float_resize = family->float_resize},
    };
    lp_family_mean_std(family->mean_std, &info->preprocess);
}

void lp_family_preprocess(const lp_family *family, size_t input, lp_encoder_info *info) {
    info->input_size = input;
    info->preprocess.crop = input;
    size_t to = family->shorter_side.to, from = family->shorter_side.from;
    info->preprocess.resize = from > 0 ? input * to / from : input;
}

lp_status lp_family_input(const lp_source *source, size_t usual, size_t *input, lp_error *err) {
    size_t crop = source->options->crop, size = source->options->input_size;
    *input = crop > 0 ? crop : size > 0 ? size : usual;
    return crop == 0 || size == 0 || crop == size
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT,
                         "%s: crop %zu and input size %zu: the crop is the input; give one",
                         lp_checkpoint_path(source->ckpt), crop, size);
}

void lp_family_override(const lp_encoder_options *options, lp_encoder_info *info) {
    lp_preprocess *p = &info->preprocess;
    if (options->mean_std != LP_MEAN_STD_AUTO) {
        lp_family_mean_std(options->mean_std, p);
    }
    if (options->resize.side > 0) {
        p->resize = options->resize.side;
        p->squash = options->resize.squash;
    }
    if (options->filter != LP_FILTER_CHOICE_AUTO) {
        p->filter = (lp_filter)(options->filter - LP_FILTER_CHOICE_BICUBIC);
    }
}

void lp_family_assume(const lp_source *source, unsigned facts, unsigned said,
                      lp_encoder_info *info) {
    const lp_encoder_options *o = source->options;
    const lp_preprocess *p = &info->preprocess;
    lp_note note = {info->assumed, sizeof info->assumed, 0};
    const char *comma = "";
    facts &= ~said;
    if ((facts & LP_SAID_HEADS) != 0 && o->heads == 0) {
        lp_note_put(&note, "heads %zu", info->heads);
        comma = ", ";
    }
    if ((facts & LP_SAID_ACTIVATION) != 0 && o->activation == LP_ACTIVATION_AUTO) {
        lp_note_put(&note, "%sactivation %s", comma, info->activation);
        comma = ", ";
    }
    if ((facts & LP_SAID_POOL) != 0 && o->pool == LP_POOL_AUTO) {
        lp_note_put(&note, "%spool %s", comma, info->pool);
        comma = ", ";
    }
    if ((facts & LP_SAID_PREPROCESS) != 0 && o->mean_std == LP_MEAN_STD_AUTO) {
        const char *hint = source->family->note;
        lp_note_put(&note, "%smean-std %s", comma, lp_mean_std_known(p));
        lp_note_put(&note, "%s%s%s", hint != NULL ? " (" : "", hint != NULL ? hint : "",
                    hint != NULL ? ")" : "");
        comma = ", ";
    }
    if ((facts & LP_SAID_PREPROCESS) != 0 && o->resize.side == 0) {
        lp_note_put(&note, "%sresize %zu", comma, p->resize);
        if (p->squash) {
            lp_note_put(&note, "x%zu", p->resize);
        }
        comma = ", ";
    }
    if ((facts & LP_SAID_PREPROCESS) != 0 && o->crop == 0 && o->input_size == 0) {
        lp_note_put(&note, "%scrop %zu", comma, p->crop);
        comma = ", ";
    }
    if ((facts & LP_SAID_PREPROCESS) != 0 && o->filter == LP_FILTER_CHOICE_AUTO) {
        lp_note_put(&note, "%sfilter %s", comma, lp_filter_name(p->filter));
    }
}

const lp_architecture *lp_family_architecture(const lp_family *family, const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const lp_architecture *a = family->architectures;
    for (; a != NULL && a->pattern != NULL; a++) {
        size_t length = strlen(a->pattern);
        bool begins = strncmp(name, a->pattern, length) == 0 && strchr("_.-", name[length]) != NULL;
        if (begins || fnmatch(a->pattern, name, 0) == 0) {
            return a;
        }
    }
    return NULL;
}

void lp_family_stranger(const char *config, lp_encoder_info *info) {
    char rest[sizeof info->assumed];
    lp_note note = {info->assumed, sizeof info->assumed, 0};
    if (config != NULL) {
        memcpy(rest, info->assumed, sizeof rest);
        lp_note_put(&note, "%s beside it is another model's%s%s", config,
                    rest[0] != '\0' ? "; " : "", rest);
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

static const lp_vit_size *find_size(const lp_vit_size *sizes, size_t count, size_t width,
                                    size_t layers) {
    for (size_t i = 0; i < count; i++) {
        if (sizes[i].width == width && sizes[i].layers == layers) {
            return &sizes[i];
        }
    }
    return NULL;
}

const lp_vit_size *lp_vit_size_of(size_t width, size_t layers) {
    return find_size(lp_vit_sizes, lp_vit_size_count, width, layers);
}

void lp_family_name_vit(const lp_family *family, size_t width, const char *extra,
                        lp_encoder_info *info) {
    lp_family_name_among(family, lp_vit_sizes, lp_vit_size_count, width, extra, info);
}

void lp_family_name_among(const lp_family *family, const lp_vit_size *sizes, size_t count,
                          size_t width, const char *extra, lp_encoder_info *info) {
    const lp_vit_size *known = find_size(sizes, count, width, info->layers);
    if (known != NULL) {
        (void)snprintf(info->name, sizeof info->name, "%s-%s%s/%zu", family->title, known->letter,
                       extra, info->patch);
    } else {
        (void)snprintf(info->name, sizeof info->name, "%s %zux%zu/%zu", family->title, width,
                       info->layers, info->patch);
    }
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

void lp_file_preprocess(const lp_known_model *known, size_t from, lp_preprocess *preprocess) {
    int mean_std = lp_text_index(lp_mean_std_names, known->mean_std, LP_MEAN_STD_AUTO);
    if (known->resize > 0) {
        preprocess->resize = from * known->resize / known->input_size;
    }
    if (mean_std != LP_MEAN_STD_AUTO) {
        lp_family_mean_std((lp_mean_std)mean_std, preprocess);
    }
    preprocess->filter =
        (lp_filter)lp_text_index(lp_filter_names, known->filter, (int)preprocess->filter);
}

lp_activation lp_file_activation(const lp_known_model *known) {
    return (lp_activation)lp_text_index(lp_activation_names, known->activation, LP_ACTIVATION_AUTO);
}
