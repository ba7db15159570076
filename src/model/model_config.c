/* Configs beside weights.
 *
 *   1. open_clip_config.json (open_clip factory.py, model.py CLIPVisionCfg, transform.py)
 *   2. config.json of transformers (configuration_clip.py, _siglip, _dinov2, _vit: with their
 *      defaults, because a default is not written), then preprocessor_config.json
 *   3. config.json of timm (models/_hub.py: architecture, pretrained_cfg)
 * The first that is there and has this model's dimensions is believed. */
#include "model/model_config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ckpt/config.h"
#include "model/families.h"

typedef struct reading {
    const lp_checkpoint *ckpt;
    const char *file;
    size_t width, layers, patch;
    lp_model_config *out;
    lp_error *err;
} reading;

static size_t count_of(const json_t *object, const char *key, size_t fallback) {
    const json_t *value = json_object_get(object, key);
    return json_is_integer(value) && json_integer_value(value) > 0
               ? (size_t)json_integer_value(value)
               : fallback;
}

static lp_status refuse(const reading *r, const char *key, const char *value) {
    return lp_fail(r->err, LP_ERR_UNSUPPORTED, "%s: %s beside it: %s \"%.60s\" is not supported",
                   lp_checkpoint_path(r->ckpt), r->file, key, value);
}

static lp_status take_activation(const reading *r, const char *name) {
    static const struct {
        const char *name;
        lp_activation activation;
    } known[] = {{"gelu", LP_ACTIVATION_GELU},
                 {"quick_gelu", LP_ACTIVATION_QUICK_GELU},
                 {"gelu_pytorch_tanh", LP_ACTIVATION_GELU_TANH},
                 {"gelu_new", LP_ACTIVATION_GELU_TANH}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i].name) == 0) {
            r->out->activation = known[i].activation;
            return LP_OK;
        }
    }
    return refuse(r, "activation", name);
}

static lp_status take_filter(const reading *r, const char *name) {
    for (int i = 0; lp_filter_names[i] != NULL; i++) {
        if (strcmp(name, lp_filter_names[i]) == 0) {
            r->out->preprocess.filter = (lp_filter)i;
            return LP_OK;
        }
    }
    return refuse(r, "interpolation", name);
}

/* Three numbers, or one for all three. */
static bool take_three(const json_t *value, float out[3]) {
    for (size_t i = 0; i < 3; i++) {
        const json_t *item = json_is_array(value) ? json_array_get(value, i) : value;
        if (!json_is_number(item)) {
            return false;
        }
        out[i] = (float)json_number_value(item);
    }
    return true;
}

static bool take_mean_std(const reading *r, const json_t *object, const char *mean,
                          const char *std) {
    lp_preprocess *p = &r->out->preprocess;
    if (!take_three(json_object_get(object, mean), p->mean) ||
        !take_three(json_object_get(object, std), p->std)) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (!isfinite(p->mean[i]) || !isfinite(p->std[i]) || !(p->std[i] > 0)) {
            return false;
        }
    }
    return true;
}

/* "..._patch14_..." -> 14; 0 where there is none. */
static size_t patch_in_name(const char *name) {
    const char *found = strstr(name, "patch");
    return found != NULL && found[5] >= '0' && found[5] <= '9' ? strtoul(found + 5, NULL, 10) : 0;
}

/* A config that has a dimension must have this model's; one that has none is not this model's.
 * Notes the file as what it is. */
static bool is_ours(const reading *r, size_t width, size_t layers, size_t patch) {
    bool ours = (width > 0 || layers > 0 || patch > 0) && (width == 0 || width == r->width) &&
                (layers == 0 || layers == r->layers) && (patch == 0 || patch == r->patch);
    *(ours ? &r->out->file : &r->out->stranger) = r->file;
    return ours;
}

/* ---- open_clip ------------------------------------------------------------------------------- */

static lp_status read_open_clip(const reading *r, const json_t *config) {
    lp_model_config *out = r->out;
    const json_t *model = json_object_get(config, "model_cfg");
    const json_t *vision = json_object_get(model, "vision_cfg");
    const json_t *preprocess = json_object_get(config, "preprocess_cfg");
    const char *timm = lp_json_text(vision, "timm_model_name", NULL);
    size_t patch = count_of(vision, "patch_size", timm != NULL ? patch_in_name(timm) : 0);
    lp_status status = LP_OK;
    if (!is_ours(r, count_of(vision, "width", 0), count_of(vision, "layers", 0), patch)) {
        return LP_OK;
    }
    if (timm == NULL) { /* model.py: QuickGELU if quick_gelu, else GELU with act_kwargs */
        const char *approximate =
            lp_json_text(json_object_get(vision, "act_kwargs"), "approximate", "none");
        out->activation = json_is_true(json_object_get(model, "quick_gelu"))
                              ? LP_ACTIVATION_QUICK_GELU
                          : strcmp(approximate, "tanh") == 0 ? LP_ACTIVATION_GELU_TANH
                                                             : LP_ACTIVATION_GELU;
        out->heads = r->width / count_of(vision, "head_width", 64);
        const char *pool = lp_json_text(vision, "pool_type", "tok");
        out->pool = strcmp(pool, "avg") == 0 ? LP_POOL_MEAN : LP_POOL_CLASS;
        if (json_is_true(json_object_get(vision, "final_ln_after_pool"))) {
            return refuse(r, "vision_cfg.final_ln_after_pool", "true");
        }
        out->norm_eps = (float)lp_json_number(json_object_get(vision, "norm_kwargs"), "eps", 1e-5);
    }
    if (take_mean_std(r, preprocess, "mean", "std")) {
        const char *mode = lp_json_text(preprocess, "resize_mode", "shortest");
        status = take_filter(r, lp_json_text(preprocess, "interpolation", "bicubic"));
        if (status == LP_OK && strcmp(mode, "shortest") != 0 && strcmp(mode, "squash") != 0) {
            status = refuse(r, "preprocess_cfg.resize_mode", mode);
        }
        size_t size = count_of(vision, "image_size", count_of(preprocess, "size", 224));
        out->preprocess.squash = strcmp(mode, "squash") == 0;
        out->preprocess.resize = out->preprocess.crop = size;
        out->has_preprocess = true;
    }
    return status;
}

/* ---- transformers ---------------------------------------------------------------------------- */

static lp_status read_transformers(const reading *r, const json_t *config) {
    lp_model_config *out = r->out;
    const json_t *vision = json_object_get(config, "vision_config");
    const char *type = lp_json_text(config, "model_type", "");
    const lp_hf_default *defaults = lp_hf_default_of(type);
    vision = json_is_object(vision) ? vision : config;
    if (defaults == NULL ||
        !is_ours(r, count_of(vision, "hidden_size", 768), count_of(vision, "num_hidden_layers", 12),
                 count_of(vision, "patch_size", defaults->patch))) {
        out->stranger = r->file;
        return LP_OK;
    }
    out->heads = count_of(vision, "num_attention_heads", 12);
    out->norm_eps = (float)lp_json_number(vision, "layer_norm_eps", (double)defaults->norm_eps);
    return take_activation(r, lp_json_text(vision, "hidden_act", defaults->activation));
}

/* The side in 224, {"shortest_edge": 224} or {"height": 224, "width": 224}; 0 for anything else. */
static size_t side_of(const json_t *object, const char *key, bool *square) {
    const json_t *value = json_object_get(object, key);
    *square = json_is_object(value) && json_object_get(value, "height") != NULL;
    if (*square) {
        size_t height = count_of(value, "height", 0);
        return height == count_of(value, "width", 0) ? height : 0;
    }
    return json_is_object(value) ? count_of(value, "shortest_edge", 0) : count_of(object, key, 0);
}

/* image_processing_*.py; resample is Pillow's number of a filter. */
static lp_status read_preprocessor(const reading *r, const json_t *config) {
    static const char *const filters[] = {"nearest", "lanczos", "bilinear", "bicubic"};
    lp_preprocess *p = &r->out->preprocess;
    bool squash, square;
    size_t resample = count_of(config, "resample", 3);
    size_t resize = side_of(config, "size", &squash);
    size_t crop = side_of(config, "crop_size", &square);
    if (resize == 0 || !take_mean_std(r, config, "image_mean", "image_std")) {
        return LP_OK;
    }
    p->squash = squash;
    p->resize = resize;
    p->crop = crop > 0 && !json_is_false(json_object_get(config, "do_center_crop")) ? crop : resize;
    r->out->has_preprocess = true;
    return take_filter(r, resample < 4 ? filters[resample] : "unknown");
}

/* ---- timm ------------------------------------------------------------------------------------ */

static lp_status read_timm(const reading *r, const json_t *config) {
    lp_model_config *out = r->out;
    const char *name = lp_json_text(config, "architecture", "");
    const char *pool = lp_json_text(config, "global_pool", "");
    const json_t *cfg = json_object_get(config, "pretrained_cfg");
    const json_t *input = json_object_get(cfg, "input_size");
    lp_status status = LP_OK;
    if (!is_ours(r, count_of(config, "num_features", 0), 0, patch_in_name(name))) {
        return LP_OK;
    }
    if (strstr(name, "_clip_") != NULL) {
        out->activation =
            strstr(name, "quickgelu") != NULL ? LP_ACTIVATION_QUICK_GELU : LP_ACTIVATION_GELU;
    }
    out->pool = strcmp(pool, "token") == 0 ? LP_POOL_CLASS
                : strcmp(pool, "avg") == 0 ? LP_POOL_MEAN
                : strcmp(pool, "map") == 0 ? LP_POOL_ATTENTION
                                           : LP_POOL_AUTO;
    double crop = lp_json_number(cfg, "crop_pct", 0.875); /* timm data/constants.py */
    size_t size = json_is_integer(json_array_get(input, 1))
                      ? (size_t)json_integer_value(json_array_get(input, 1))
                      : 0;
    if (size > 0 && size <= 65535 && crop > 0.01 && crop <= 1 &&
        take_mean_std(r, cfg, "mean", "std")) {
        status = take_filter(r, lp_json_text(cfg, "interpolation", "bicubic"));
        out->preprocess.crop = size;
        out->preprocess.resize = (size_t)floor((double)size / crop);
        out->preprocess.squash = strcmp(lp_json_text(cfg, "crop_mode", "center"), "squash") == 0;
        out->has_preprocess = true;
    }
    return status;
}

/* ---- all ------------------------------------------------------------------------------------- */

static lp_status read_file(reading *r, const char *file,
                           lp_status (*read)(const reading *, const json_t *)) {
    json_t *config;
    lp_status status = lp_checkpoint_config(r->ckpt, file, &config, r->err);
    if (status != LP_OK || config == NULL) {
        return status;
    }
    r->file = file;
    status = read(r, config);
    json_decref(config);
    return status;
}

static lp_status read_config(const reading *r, const json_t *config) {
    return json_object_get(config, "architecture") != NULL ? read_timm(r, config)
                                                           : read_transformers(r, config);
}

lp_status lp_model_config_read(const lp_checkpoint *ckpt, size_t width, size_t layers, size_t patch,
                               lp_model_config *out, lp_error *err) {
    reading r = {ckpt, NULL, width, layers, patch, out, err};
    *out = (lp_model_config){0};
    lp_status status;
    LP_TRY(read_file(&r, "open_clip_config.json", read_open_clip));
    if (out->file != NULL) {
        return LP_OK;
    }
    LP_TRY(read_file(&r, "config.json", read_config));
    if (out->file != NULL && !out->has_preprocess) {
        status = read_file(&r, "preprocessor_config.json", read_preprocessor);
    }
done:
    return status;
}

void lp_model_config_preprocess(const lp_model_config *config, size_t input,
                                lp_encoder_info *info) {
    const lp_preprocess *p = &config->preprocess;
    info->preprocess = *p;
    info->preprocess.crop = input;
    info->preprocess.resize = input == p->crop ? p->resize : input * p->resize / p->crop;
    info->note = NULL;
}
