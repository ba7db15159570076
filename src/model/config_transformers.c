/* config.json of transformers (configuration_*.py: a default is not written, so the defaults are
 * here). */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "model/config_reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { HIERA_STAGES = 4 };

/* ---- models ---------------------------------------------------------------------------------- */

/* What a key that config.json does not have means. */
typedef struct defaults {
    const char *type;       /* model_type, also with "_vision_model" behind it */
    const char *activation; /* NULL: a ResNet */
    size_t patch;
    float norm_eps;
    size_t width, heads; /* of transformers; 0: 768, 12 */
    size_t layers;       /* the same; 0: 12 */
    size_t input;        /* 0: 224 */
    const char *family;  /* that weights of this type alone have; NULL: those of several do */
    size_t patches; /* that num_patches is without being written; 0: it is image_size that says the
                       input */
    double theta;   /* of rotary positions; 0: 100 */
} defaults;

static const defaults models[] = {
    {.type = "clip", .activation = "quick_gelu", .patch = 32, .norm_eps = 1e-5F},
    {.type = "siglip", .activation = "gelu_pytorch_tanh", .patch = 16, .norm_eps = 1e-6F},
    {.type = "dinov2", .activation = "gelu", .patch = 14, .norm_eps = 1e-6F},
    {.type = "dinov2_with_registers", .activation = "gelu", .patch = 16, .norm_eps = 1e-6F},
    {.type = "vit", .activation = "gelu", .patch = 16, .norm_eps = 1e-12F},
    {.type = "deit", .activation = "gelu", .patch = 16, .norm_eps = 1e-12F},
    {.type = "vit_mae", .activation = "gelu", .patch = 16, .norm_eps = 1e-12F},
    {.type = "vit_msn", .activation = "gelu", .patch = 16, .norm_eps = 1e-6F},
    {.type = "ijepa", .activation = "gelu", .patch = 16, .norm_eps = 1e-12F},
    {.type = "flava_image_model",
     .activation = "gelu",
     .patch = 16,
     .norm_eps = 1e-12F,
     .family = "hf-vit"},
    {.type = "intern_vit_6b", .activation = "gelu", .patch = 14, .norm_eps = 1e-6F},
    {.type = "internvl_vision",
     .activation = "gelu",
     .patch = 14,
     .norm_eps = 1e-6F,
     .width = 1024,
     .heads = 16,
     .layers = 24},
    {.type = "blip",
     .activation = "gelu",
     .patch = 16,
     .norm_eps = 1e-5F,
     .family = "hf-blip",
     .input = 384},
    {.type = "blip_2",
     .activation = "gelu",
     .patch = 14,
     .norm_eps = 1e-6F,
     .width = 1408,
     .heads = 16,
     .layers = 39,
     .family = "hf-blip"},
    {.type = "instructblip",
     .activation = "gelu",
     .patch = 14,
     .norm_eps = 1e-6F,
     .width = 1408,
     .heads = 16,
     .layers = 39,
     .family = "hf-blip"},
    {.type = "janus",
     .activation = "gelu",
     .patch = 16,
     .norm_eps = 1e-6F,
     .width = 1024,
     .heads = 16,
     .layers = 24,
     .family = "hf-janus",
     .input = 384},
    {.type = "ovis2_vision",
     .activation = "silu",
     .patch = 14,
     .norm_eps = 1e-5F,
     .width = 1024,
     .heads = 8,
     .layers = 24,
     .family = "hf-ovis2"},
    {.type = "siglip2",
     .activation = "gelu_pytorch_tanh",
     .patch = 16,
     .norm_eps = 1e-6F,
     .family = "hf-siglip2",
     .patches = 256},
    {.type = "aimv2",
     .activation = "silu",
     .patch = 14,
     .norm_eps = 1e-5F,
     .width = 1024,
     .heads = 8,
     .layers = 24,
     .family = "hf-aimv2"},
    {.type = "sam",
     .activation = "gelu",
     .patch = 16,
     .norm_eps = 1e-6F,
     .family = "hf-sam",
     .input = 1024},
    {.type = "mlcd",
     .activation = "gelu",
     .patch = 14,
     .norm_eps = 1e-5F,
     .width = 1664,
     .heads = 16,
     .layers = 48,
     .family = "hf-mlcd",
     .input = 336,
     .theta = 10000},
    {.type = "resnet"},
    {.type = "regnet"},
    {.type = "efficientnet", .family = "hf-efficientnet"},
    {.type = "bit"},
    {.type = "convnext", .activation = "gelu", .norm_eps = 1e-12F}, /* 768 wide, 18 layers in all */
    {.type = "convnextv2", .activation = "gelu", .norm_eps = 1e-12F},
    {.type = "dinov3_convnext", .activation = "gelu", .norm_eps = 1e-6F},
    {.type = "dinov3_vit",
     .activation = "gelu",
     .patch = 16,
     .norm_eps = 1e-5F,
     .width = 384,
     .heads = 6,
     .family = "hf-dinov3"},
    {.type = "beit", .activation = "gelu", .patch = 16, .norm_eps = 1e-12F, .family = "hf-beit"},
    {.type = "data2vec-vision",
     .activation = "gelu",
     .patch = 16,
     .norm_eps = 1e-12F,
     .family = "hf-beit"},
    {.type = "hiera", .activation = "gelu", .norm_eps = 1e-6F, .family = "hf-hiera"},
    {.type = "swin", .activation = "gelu", .norm_eps = 1e-5F},
    {.type = "swinv2", .activation = "gelu", .norm_eps = 1e-5F},
};

static const defaults *find_model(const char *type) {
    static const char ending[] = "_vision_model";
    size_t length = strlen(type) - (lp_text_ends(type, ending) ? strlen(ending) : 0);
    for (size_t i = 0; i < COUNT(models); i++) {
        if (strlen(models[i].type) == length && strncmp(models[i].type, type, length) == 0) {
            return &models[i];
        }
    }
    return NULL;
}

/* The row of a model_type.  Many models have CLIP's vision tower and a type of their own; the names
 * of their weights show it, and their defaults are the tower's.  With the names of SigLIP's weights
 * there are other computations (rotary positions, merged tokens), so those that are the tower are
 * listed. */
static const defaults *defaults_of(const lp_config_reader *r, const char *type) {
    static const char *const siglip[] = {"idefics2_vision", "idefics3_vision", "smolvlm_vision",
                                         "granite_docling_vision"};
    const defaults *found = find_model(type);
    if (found == NULL && strcmp(r->family->name, "hf-clip") == 0) {
        found = find_model("clip");
    } else if (found == NULL && strcmp(r->family->name, "hf-siglip") == 0 &&
               lp_text_in(siglip, COUNT(siglip), type, strlen(type))) {
        found = find_model("siglip");
    }
    return found;
}

/* modeling_resnet.py, modeling_regnet.py, modeling_bit.py */
static lp_status read_resnet(const lp_config_reader *r, const json_t *config) {
    static const char *const strides[] = {"downsample_in_bottleneck", "downsample_in_first_stage",
                                          "embedding_dynamic_padding"};
    const char *padding = lp_json_text(config, "global_padding", NULL);
    const char *activation = lp_json_text(config, "hidden_act", "relu");
    for (size_t i = 0; i < COUNT(strides); i++) {
        if (json_is_true(json_object_get(config, strides[i]))) {
            return lp_config_refuse(r, strides[i], "true");
        }
    }
    if (padding != NULL) {
        return lp_config_refuse(r, "global_padding", padding);
    }
    if (lp_config_count(config, "num_groups", 32) != 32) {
        return lp_config_refuse(r, "num_groups", "which is not 32");
    }
    return strcmp(activation, "relu") == 0 ? LP_OK : lp_config_refuse(r, "hidden_act", activation);
}

/* Whether an array has these values; or is not there. */
static bool has_values(const json_t *array, const size_t *values, size_t count) {
    bool same = array == NULL || json_array_size(array) == count;
    for (size_t i = 0; array != NULL && same && i < count; i++) {
        same = json_integer_value(json_array_get(array, i)) == (json_int_t)values[i];
    }
    return same;
}

/* modeling_efficientnet.py; the defaults are those of B7. */
static lp_status read_efficientnet(const lp_config_reader *r, const json_t *config) {
    static const size_t strides[] = {1, 2, 2, 2, 1, 2, 1};
    const char *pooling = lp_json_text(config, "pooling_type", "mean");
    const char *activation = lp_json_text(config, "hidden_act", "swish");
    const json_t *blocks = json_object_get(config, "depthwise_padding"), *block;
    size_t i;
    if (!lp_config_is_ours(r, lp_config_count(config, "hidden_dim", 2560), 0, 0)) {
        return LP_OK;
    }
    if (strcmp(pooling, "mean") != 0) {
        return lp_config_refuse(r, "pooling_type", pooling);
    }
    if (strcmp(activation, "swish") != 0 && strcmp(activation, "silu") != 0) {
        return lp_config_refuse(r, "hidden_act", activation);
    }
    if (!has_values(json_object_get(config, "strides"), strides, COUNT(strides))) {
        return lp_config_refuse(r, "strides", "which are not 1, 2, 2, 2, 1, 2, 1");
    }
    json_array_foreach(blocks, i, block) {
        json_int_t number = json_is_integer(block) ? json_integer_value(block) : -1;
        if (number < 0 || number > 63) {
            return lp_config_refuse(r, "depthwise_padding", "which is no list of blocks below 64");
        }
        r->out->square_blocks |= (uint64_t)1 << number;
    }
    r->out->input = lp_config_count(config, "image_size", 600);
    return lp_config_norm_eps(r, "batch_norm_eps", lp_json_number(config, "batch_norm_eps", 1e-3));
}

/* Heads of the first stage, which double at each; 0 where they do not. */
static size_t first_heads(const json_t *heads) {
    json_int_t first = json_integer_value(json_array_get(heads, 0));
    bool doubled = json_array_size(heads) == HIERA_STAGES && first > 0 && first < 1 << 16;
    for (size_t s = 0; s < HIERA_STAGES && doubled; s++) {
        doubled = json_integer_value(json_array_get(heads, s)) == first << s;
    }
    return heads == NULL ? 1 : doubled ? (size_t)first : 0;
}

/* modeling_hiera.py: what all published models have is what is computed. */
static lp_status read_hiera(const lp_config_reader *r, const json_t *config, const defaults *d) {
    static const struct {
        const char *key;
        size_t values[2];
    } fixed[] = {{"patch_size", {7, 7}},
                 {"patch_stride", {4, 4}},
                 {"patch_padding", {3, 3}},
                 {"query_stride", {2, 2}},
                 {"masked_unit_size", {8, 8}}};
    const json_t *windows = json_object_get(config, "masked_unit_attention");
    size_t layers = lp_config_total(json_object_get(config, "depths"));
    size_t width = lp_config_count(config, "embed_dim", 96) << (HIERA_STAGES - 1);
    lp_status status;
    if (!lp_config_is_ours(r, width, layers > 0 ? layers : 24, 0)) {
        return LP_OK;
    }
    for (size_t i = 0; i < COUNT(fixed); i++) {
        if (!has_values(json_object_get(config, fixed[i].key), fixed[i].values, 2)) {
            return lp_config_refuse(r, fixed[i].key, "which is not that of the published models");
        }
    }
    for (size_t s = 0; s < HIERA_STAGES && windows != NULL; s++) {
        if (json_is_true(json_array_get(windows, s)) != (s < 2)) {
            return lp_config_refuse(r, "masked_unit_attention", "which is not that of stages 1, 2");
        }
    }
    if (lp_config_count(config, "num_query_pool", 3) != 3) {
        return lp_config_refuse(r, "num_query_pool", "which is not 3");
    }
    r->out->heads = first_heads(json_object_get(config, "num_heads"));
    if (r->out->heads == 0) {
        return lp_config_refuse(r, "num_heads", "which do not double at each of four stages");
    }
    LP_TRY(lp_config_norm_eps(r, "layer_norm_eps",
                              lp_json_number(config, "layer_norm_eps", (double)d->norm_eps)));
    status =
        lp_config_activation(r, "hidden_act", lp_json_text(config, "hidden_act", d->activation));
done:
    return status;
}

static size_t last_count(const json_t *array) {
    const json_t *last = json_array_get(array, json_array_size(array) - 1);
    return json_is_integer(last) && json_integer_value(last) > 0 ? (size_t)json_integer_value(last)
                                                                 : 0;
}

/* Models of several stages. */
static lp_status read_stages(const lp_config_reader *r, const json_t *config, const defaults *d) {
    size_t width = last_count(json_object_get(config, "hidden_sizes"));
    size_t layers = lp_config_total(json_object_get(config, "depths"));
    bool swin = strncmp(d->type, "swin", 4) == 0;
    if (swin) { /* hidden_size is written, too, but need not be */
        size_t depths = json_array_size(json_object_get(config, "depths"));
        width = lp_config_count(config, "embed_dim", 96)
                << (depths > 0 && depths < 9 ? depths - 1 : 3);
        layers = layers > 0 ? layers : 12;
    }
    lp_status status;
    if (!lp_config_is_ours(r, width > 0 ? width : 768, layers > 0 ? layers : 18, 0)) {
        return LP_OK;
    }
    LP_TRY(lp_config_norm_eps(r, "layer_norm_eps",
                              lp_json_number(config, "layer_norm_eps", (double)d->norm_eps)));
    r->out->input = lp_config_count(config, "image_size", 224);
    if (swin) { /* configuration_swinv2.py: 7; without pretrained windows */
        const json_t *pretrained = json_object_get(config, "pretrained_window_sizes");
        r->out->window = lp_config_count(config, "window_size", 7);
        for (size_t s = 0; s < COUNT(r->out->pretrained); s++) {
            const json_t *size = json_array_get(pretrained, s);
            r->out->pretrained[s] = json_is_integer(size) && json_integer_value(size) > 0
                                        ? (size_t)json_integer_value(size)
                                        : 0;
        }
    }
    status =
        lp_config_activation(r, "hidden_act", lp_json_text(config, "hidden_act", d->activation));
done:
    return status;
}

/* Rotary positions of another kind, and keys that several heads share. */
static lp_status check_rotary(const lp_config_reader *r, const json_t *config, const defaults *d) {
    double usual = d->theta > 0 ? d->theta : 100;
    const json_t *rope = json_object_get(config, "rope_parameters");
    double theta = lp_json_number(config, "rope_theta", lp_json_number(rope, "rope_theta", usual));
    char expected[64];
    if (theta != usual) {
        (void)snprintf(expected, sizeof expected, "which is not %g", usual);
        return lp_config_refuse(r, "rope_theta", expected);
    }
    return lp_config_count(config, "num_key_value_groups", 1) == 1
               ? LP_OK
               : lp_config_refuse(r, "num_key_value_groups", "which is not 1");
}

lp_status lp_config_read_transformers(const lp_config_reader *r, json_t *config) {
    static const char *const parts[] = {"vision_config", "backbone_config", "encoder",
                                        "image_config"};
    lp_model_config *out = r->out;
    const json_t *vision = config;
    lp_status status = LP_OK;
    for (size_t i = 0; i < COUNT(parts); i++) {
        const json_t *part = json_object_get(config, parts[i]);
        vision = vision == config && json_is_object(part) ? part : vision;
    }
    const char *type = lp_json_text(vision, "model_type", lp_json_text(config, "model_type", ""));
    const defaults *d = defaults_of(r, type);
    if (d == NULL && type[0] == '\0') {
        r->out->stranger = r->file; /* it is of neither transformers nor timm */
        return LP_OK;
    }
    if (d == NULL || (d->family != NULL && strcmp(d->family, r->family->name) != 0)) {
        return lp_config_refuse(r, "model_type", type);
    }
    if (strcmp(d->type, "efficientnet") == 0) {
        return read_efficientnet(r, vision);
    }
    if (strcmp(d->type, "hiera") == 0) {
        return read_hiera(r, vision, d);
    }
    if (d->activation == NULL) {
        size_t width = last_count(json_object_get(vision, "hidden_sizes")) *
                       lp_config_count(vision, "width_factor", 1);
        return r->sizes->patch == 0 && lp_config_is_ours(r, width > 0 ? width : 2048, 0, 0)
                   ? read_resnet(r, vision)
                   : LP_OK;
    }
    if (d->patch == 0) {
        return read_stages(r, vision, d);
    }
    if (!lp_config_is_ours(
            r, lp_config_count(vision, "hidden_size", d->width > 0 ? d->width : 768),
            lp_config_count(vision, "num_hidden_layers", d->layers > 0 ? d->layers : 12),
            lp_config_count(vision, "patch_size", d->patch))) {
        return LP_OK;
    }
    out->heads = lp_config_count(vision, "num_attention_heads", d->heads > 0 ? d->heads : 12);
    LP_TRY(lp_config_norm_eps(
        r, "layer_norm_eps",
        lp_json_number(vision, "layer_norm_eps",
                       lp_json_number(vision, "rms_norm_eps", (double)d->norm_eps))));
    out->input =
        d->patches > 0
            ? r->sizes->patch * lp_config_side(lp_config_count(vision, "num_patches", d->patches))
            : lp_config_count(vision, "image_size", d->input > 0 ? d->input : 224);
    LP_TRY(check_rotary(r, vision, d));
    const char *activation = lp_json_text(vision, "hidden_act", d->activation);
    bool gated = json_is_true(json_object_get(vision, "use_gated_mlp"));
    if (strcmp(activation, "silu") == 0 && (gated || strcmp(d->activation, "silu") == 0)) {
        return LP_OK; /* a gate's, which is SwiGLU's here */
    }
    LP_TRY(lp_config_activation(r, "hidden_act", activation));
done:
    return status;
}
