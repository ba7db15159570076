/* open_clip_config.json (open_clip factory.py; model.py, CLIPVisionCfg; transform.py,
 * PreprocessCfg): model_cfg with vision_cfg, and preprocess_cfg. */
#include <string.h>

#include "base/error.h"
#include "model/config_reader.h"

/* Keys of vision_cfg that weights show, that training alone uses, or that are read below. */
static const char *const known[] = {
    "layers",         "width",         "patch_size",          "image_size",
    "head_width",     "mlp_ratio",     "ls_init_value",       "patch_dropout",
    "no_ln_pre",      "pool_type",     "final_ln_after_pool", "pos_embed_type",
    "act_kwargs",     "norm_kwargs",   "timm_model_name",     "timm_model_pretrained",
    "timm_pool",      "timm_proj",     "timm_proj_bias",      "timm_drop",
    "timm_drop_path", "output_tokens",
};

/* A key that is set to something, and that no table knows. */
static lp_status check_keys(const lp_config_reader *r, json_t *vision) {
    const char *key;
    json_t *value;
    json_object_foreach(vision, key, value) {
        bool found = json_is_null(value) || json_is_false(value);
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            found = found || strcmp(key, known[i]) == 0;
        }
        if (!found) {
            return lp_config_refuse(r, "vision_cfg", key);
        }
    }
    return LP_OK;
}

/* model.py, _build_vision_tower: QuickGELU if quick_gelu, else GELU with act_kwargs. */
static lp_status read_own_tower(const lp_config_reader *r, const json_t *model,
                                const json_t *vision) {
    lp_model_config *out = r->out;
    const char *pool = lp_json_text(vision, "pool_type", "tok");
    const char *approximate =
        lp_json_text(json_object_get(vision, "act_kwargs"), "approximate", "none");
    bool mean = strcmp(pool, "avg") == 0;
    if (!mean && strcmp(pool, "tok") != 0) {
        return lp_config_refuse(r, "vision_cfg.pool_type", pool);
    }
    out->activation = json_is_true(json_object_get(model, "quick_gelu")) ? LP_ACTIVATION_QUICK_GELU
                      : strcmp(approximate, "tanh") == 0                 ? LP_ACTIVATION_GELU_TANH
                                                                         : LP_ACTIVATION_GELU;
    out->heads = r->sizes->width / lp_config_count(vision, "head_width", 64);
    out->pool = mean ? LP_POOL_MEAN : LP_POOL_CLASS;
    out->norm_after_pool = json_is_true(json_object_get(vision, "final_ln_after_pool"));
    return lp_config_norm_eps(r, "norm_kwargs.eps",
                              lp_json_number(json_object_get(vision, "norm_kwargs"), "eps", 1e-5));
}

/* timm_model.py, TimmModel: the architecture and the pool that it is made with. */
static lp_status read_timm_tower(const lp_config_reader *r, const json_t *vision,
                                 const char *name) {
    const char *pool = lp_json_text(vision, "timm_pool", "");
    lp_status status;
    LP_TRY(lp_config_timm_name(r, name));
    status = lp_config_timm_pool(r, "vision_cfg.timm_pool", pool);
done:
    return status;
}

static lp_status read_images(const lp_config_reader *r, const json_t *vision,
                             const json_t *preprocess) {
    lp_preprocess *p = &r->out->preprocess;
    const char *mode = lp_json_text(preprocess, "resize_mode", "shortest");
    size_t size = lp_config_count(vision, "image_size", lp_config_count(preprocess, "size", 0));
    lp_status status = LP_OK;
    r->out->input = size;
    LP_TRY(lp_config_mean_std(r, preprocess, LP_MEAN_STD_CLIP, "preprocess_cfg: mean, std"));
    LP_TRY(lp_config_filter(r, lp_json_text(preprocess, "interpolation", "bicubic")));
    if (strcmp(mode, "shortest") != 0 && strcmp(mode, "squash") != 0) {
        LP_TRY(lp_config_refuse(r, "preprocess_cfg.resize_mode", mode));
    }
    p->squash = strcmp(mode, "squash") == 0;
    p->resize = p->crop = size;
    r->out->has_preprocess = true;
done:
    return status;
}

lp_status lp_config_read_open_clip(const lp_config_reader *r, json_t *config) {
    const json_t *model = json_object_get(config, "model_cfg");
    json_t *vision = json_object_get(model, "vision_cfg");
    const char *timm = lp_json_text(vision, "timm_model_name", NULL);
    const json_t *layers = json_object_get(vision, "layers");
    size_t patch =
        lp_config_count(vision, "patch_size", timm != NULL ? lp_config_timm_patch(timm) : 0);
    const lp_architecture *architecture = timm != NULL ? lp_config_architecture(r, timm) : NULL;
    size_t width = architecture == NULL      ? 0
                   : architecture->width > 0 ? architecture->width
                                             : r->sizes->width; /* of any */
    bool resnet = json_is_array(layers); /* a ModifiedResNet, whose dimensions are of its stem */
    lp_status status = LP_OK;
    if (resnet ? r->sizes->patch > 0 || !lp_config_is_ours(r, 0, lp_config_total(layers), 0)
               : !lp_config_is_ours(r, lp_config_count(vision, "width", width),
                                    lp_config_count(vision, "layers", 0), patch)) {
        return LP_OK;
    }
    LP_TRY(check_keys(r, vision));
    if (timm != NULL) {
        LP_TRY(read_timm_tower(r, vision, timm));
    } else if (!resnet) {
        LP_TRY(read_own_tower(r, model, vision));
    }
    LP_TRY(read_images(r, vision, json_object_get(config, "preprocess_cfg")));
done:
    return status;
}
