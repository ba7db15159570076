/* Configs beside weights: which is read, and what their readers share.
 *
 *   1. open_clip_config.json
 *   2. config.json of timm (it has "architecture") or transformers, and for what it does not say
 *      of images preprocessor_config.json or, since transformers 5, processor_config.json
 *   3. what the file of weights itself names
 * The first that is there and has this model's dimensions is believed. */
#include "model/model_config.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/config_reader.h"

size_t lp_config_side(size_t patches) {
    size_t side = 0;
    while (side < 4096 && (side + 1) * (side + 1) <= patches) {
        side++;
    }
    return side;
}

size_t lp_config_count(const json_t *object, const char *key, size_t fallback) {
    const json_t *value = json_object_get(object, key);
    if (json_is_array(value) && json_array_size(value) == 2 &&
        json_equal(json_array_get(value, 0), json_array_get(value, 1)) == 1) {
        value = json_array_get(value, 0);
    }
    return json_is_integer(value) && json_integer_value(value) > 0
               ? (size_t)json_integer_value(value)
               : fallback;
}

size_t lp_config_total(const json_t *counts) {
    size_t sum = 0;
    for (size_t i = 0; i < json_array_size(counts); i++) {
        const json_t *count = json_array_get(counts, i);
        sum += json_is_integer(count) && json_integer_value(count) > 0
                   ? (size_t)json_integer_value(count)
                   : 0;
    }
    return sum;
}

lp_status lp_config_refuse(const lp_config_reader *r, const char *key, const char *value) {
    return lp_fail(r->err, LP_ERR_UNSUPPORTED,
                   "%s: %s beside it: %s \"%.80s\" is not supported (if the config is another "
                   "model's, give the weights a folder of their own)",
                   lp_checkpoint_path(r->ckpt), r->file, key, value);
}

lp_status lp_config_activation(const lp_config_reader *r, const char *key, const char *name) {
    static const struct {
        const char *name;
        lp_activation activation;
    } known[] = {{"gelu", LP_ACTIVATION_GELU},
                 {"quick_gelu", LP_ACTIVATION_QUICK_GELU},
                 {"gelu_tanh", LP_ACTIVATION_GELU_TANH},
                 {"gelu_pytorch_tanh", LP_ACTIVATION_GELU_TANH},
                 {"gelu_new", LP_ACTIVATION_GELU_TANH}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i].name) == 0) {
            r->out->activation = known[i].activation;
            return LP_OK;
        }
    }
    return lp_config_refuse(r, key, name);
}

lp_status lp_config_filter(const lp_config_reader *r, const char *name) {
    int filter = lp_text_index(lp_filter_names, name, -1);
    if (filter < 0) {
        return lp_config_refuse(r, "interpolation", name);
    }
    r->out->preprocess.filter = (lp_filter)filter;
    return LP_OK;
}

lp_status lp_config_norm_eps(const lp_config_reader *r, const char *key, double eps) {
    if (!((float)eps > 0 && eps < 1)) {
        return lp_config_refuse(r, key, "which is not between 0 and 1");
    }
    r->out->norm_eps = (float)eps;
    return LP_OK;
}

bool lp_config_three(const json_t *value, float out[3]) {
    for (size_t i = 0; i < 3; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_number(item)) {
            return false;
        }
        out[i] = (float)json_number_value(item);
    }
    return true;
}

lp_status lp_config_check_mean_std(const lp_config_reader *r) {
    const lp_preprocess *p = &r->out->preprocess;
    for (size_t i = 0; i < 3; i++) {
        if (!isfinite(p->mean[i]) || !isfinite(p->std[i]) || !(p->std[i] > 0)) {
            return lp_fail(r->err, LP_ERR_FORMAT,
                           "%s: %s beside it: mean %g and std %g: expected finite numbers, and std "
                           "above 0",
                           lp_checkpoint_path(r->ckpt), r->file, (double)p->mean[i],
                           (double)p->std[i]);
        }
    }
    return LP_OK;
}

lp_status lp_config_mean_std(const lp_config_reader *r, const json_t *object, lp_mean_std usual,
                             const char *name) {
    lp_preprocess *p = &r->out->preprocess;
    const json_t *mean = json_object_get(object, "mean");
    const json_t *std = json_object_get(object, "std");
    lp_family_mean_std(usual, p);
    if ((mean != NULL && !lp_config_three(mean, p->mean)) ||
        (std != NULL && !lp_config_three(std, p->std))) {
        return lp_config_refuse(r, name, "which are no three numbers");
    }
    return lp_config_check_mean_std(r);
}

bool lp_config_is_ours(const lp_config_reader *r, size_t width, size_t layers, size_t patch) {
    bool ours = (width > 0 || layers > 0 || patch > 0) &&
                (width == 0 || width == r->sizes->width) &&
                (layers == 0 || layers == r->sizes->layers) &&
                (patch == 0 || r->sizes->patch == 0 || patch == r->sizes->patch);
    *(ours ? &r->out->file : &r->out->stranger) = r->file;
    return ours;
}

/* ---- the files ------------------------------------------------------------------------------- */

/* *found: the file is there. */
static lp_status read_file(lp_config_reader *r, const char *file,
                           lp_status (*read)(const lp_config_reader *, json_t *), bool *found) {
    json_t *config;
    lp_status status = lp_checkpoint_config(r->ckpt, file, &config, r->err);
    *found = status == LP_OK && config != NULL;
    if (*found) {
        r->file = file;
        status = read(r, config);
    }
    json_decref(config);
    return status;
}

static lp_status read_config(const lp_config_reader *r, json_t *config) {
    return json_object_get(config, "architecture") != NULL ? lp_config_read_timm(r, config)
                                                           : lp_config_read_transformers(r, config);
}

lp_status lp_model_config_read(const lp_source *source, const lp_config_sizes *sizes,
                               lp_model_config *out, lp_error *err) {
    lp_config_reader r = {source->ckpt, source->family, NULL, sizes, out, err};
    bool found;
    *out = (lp_model_config){0};
    lp_status status;
    LP_TRY(read_file(&r, "open_clip_config.json", lp_config_read_open_clip, &found));
    if (out->file != NULL) {
        return LP_OK;
    }
    LP_TRY(read_file(&r, "config.json", read_config, &found));
    if (out->file == NULL) {
        LP_TRY(lp_config_read_archs(&r));
    } else if (!out->has_preprocess) {
        LP_TRY(read_file(&r, "preprocessor_config.json", lp_config_read_processor, &found));
        if (!found) {
            status = read_file(&r, "processor_config.json", lp_config_read_processor, &found);
        }
    }
done:
    return status;
}

void lp_model_config_name(const lp_checkpoint *ckpt, lp_note *note) {
    json_t *config = NULL;
    lp_error ignored; /* the message is about something else */
    if (lp_checkpoint_config(ckpt, "config.json", &config, &ignored) != LP_OK) {
        return;
    }
    const char *name = lp_json_text(config, "architecture", NULL);
    name = name != NULL ? name : lp_json_text(config, "model_type", NULL);
    if (name != NULL) {
        lp_note_put(note, " (config.json beside it names \"%.80s\")", name);
    }
    json_decref(config);
}

void lp_model_config_preprocess(const lp_model_config *config, size_t input,
                                lp_encoder_info *info) {
    const lp_preprocess *p = &config->preprocess;
    info->preprocess = *p;
    info->preprocess.crop = input;
    info->preprocess.resize = input == p->crop ? p->resize
                              : p->crop > 0    ? input * p->resize / p->crop
                                               : input; /* whatever the model takes */
}
