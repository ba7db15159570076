/* config.json of timm (timm models/_hub.py, save_config_for_hf): architecture, model_args, which
 * override the architecture's own arguments, and pretrained_cfg.  Old files have the keys of
 * pretrained_cfg beside the architecture.
 *
 * An architecture's name says what its weights do not show.  It is read word by word; one unknown
 * word ("rope", "rpn") means another computation. */
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "ckpt/arch_notes.h"
#include "model/config_reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { HEAD_WIDTH = 64 }; /* vision_transformer.py, deit.py: where the table below says no heads */

/* Words of names whose models differ from the plain vision transformer in nothing that their
 * weights do not show, or in what the table below says (timm/models/vision_transformer.py,
 * deit.py). */
static const char *const vit_words[] = {
    "vit",      "deit",      "deit3",   "flexivit", "test",      "vit2",    "xsmall", "tiny",
    "small",    "medium",    "mediumd", "betwixt",  "base",      "large",   "huge",   "giant",
    "gigantic", "wee",       "little",  "giantopt", "so150m",    "so150m2", "so400m", "intern300m",
    "clip",     "quickgelu", "siglip",  "gap",      "map",       "dinov2",  "tipsv2", "radio",
    "v3",       "v4",        "plus",    "miil",     "distilled", "36x1",    "eva",
};

/* timm/models/resnet.py: the architectures with torchvision's stem, blocks and pooling. */
static const char *const resnets[] = {
    "resnet18",         "resnet26",         "resnet34",          "resnet50",
    "resnet101",        "resnet152",        "resnet200",         "resnext50_32x4d",
    "resnext101_32x4d", "resnext101_32x8d", "resnext101_32x16d", "resnext101_32x32d",
    "resnext101_64x4d", "wide_resnet50_2",  "wide_resnet101_2",
};

/* What a vision transformer's name says: each fact of the first row that fits and has it.  Without
 * heads they are 64 wide. */
static const struct {
    const char *pattern;
    size_t heads;
    lp_activation activation;
    float norm_eps;
} vits[] = {
    {"test_vit*", 2, LP_ACTIVATION_AUTO, 0},
    {"vit_base_patch16_gap_224", 16, LP_ACTIVATION_AUTO, 0},
    {"vit_giant_*dinov2", 24, LP_ACTIVATION_AUTO, 1e-6F}, /* SwiGLU has no other activation */
    {"vit_giant_*tipsv2", 24, LP_ACTIVATION_AUTO, 1e-6F},
    {"vit_giant_*radio*", 24, LP_ACTIVATION_AUTO, 0},
    {"*_giantopt_*", 16, LP_ACTIVATION_GELU_TANH, 0},
    {"*_huge_*", 16, LP_ACTIVATION_AUTO, 0},
    {"*_giant_*", 16, LP_ACTIVATION_AUTO, 0},
    {"*_gigantic_*", 16, LP_ACTIVATION_AUTO, 0},
    {"*_so400m_*", 16, LP_ACTIVATION_AUTO, 0},
    {"vit_*_clip_quickgelu_*", 0, LP_ACTIVATION_QUICK_GELU, 0},
    {"vit_*_clip_*", 0, LP_ACTIVATION_AUTO, 1e-5F},
    {"vit_base_patch32_siglip*", 0, LP_ACTIVATION_GELU_TANH, 0},
    {"vit_large_patch16_siglip*_512", 0, LP_ACTIVATION_GELU_TANH, 0},
    {"vit_so400m_patch16_siglip*", 0, LP_ACTIVATION_GELU_TANH, 0},
    {"*", 0, LP_ACTIVATION_GELU, 1e-6F},
};

/* "patch16", "reg4", "224". */
static bool is_number_word(const char *word, size_t length) {
    size_t start = strncmp(word, "patch", 5) == 0 ? 5 : strncmp(word, "reg", 3) == 0 ? 3 : 0;
    return length > start && strspn(word + start, "0123456789") == length - start;
}

static bool is_known_vit(const char *name) {
    while (*name != '\0') {
        size_t length = strcspn(name, "_");
        if (!lp_text_in(vit_words, COUNT(vit_words), name, length) &&
            !is_number_word(name, length)) {
            return false;
        }
        name += length + (name[length] == '_' ? 1 : 0);
    }
    return true;
}

size_t lp_config_timm_patch(const char *name) {
    const char *found = strstr(name, "patch");
    return found != NULL && found[5] >= '0' && found[5] <= '9' ? strtoul(found + 5, NULL, 10) : 0;
}

static const lp_architecture *find_architecture(const lp_family *family, const char *name) {
    const lp_architecture *a = family->architectures;
    while (a != NULL && a->pattern != NULL && fnmatch(a->pattern, name, 0) != 0) {
        a++;
    }
    return a != NULL && a->pattern != NULL ? a : NULL;
}

const lp_architecture *lp_config_architecture(const lp_config_reader *r, const char *name) {
    return find_architecture(r->family, name);
}

/* Whether a name is one that is computed, of whatever family. */
static bool is_known(const char *name) {
    bool known = is_known_vit(name) || lp_text_in(resnets, COUNT(resnets), name, strlen(name));
    for (size_t i = 0; i < lp_family_count && !known; i++) {
        known = find_architecture(&lp_families[i], name) != NULL;
    }
    return known;
}

bool lp_config_timm_knows(const lp_config_reader *r, const char *name) {
    return r->family->architectures != NULL ? lp_config_architecture(r, name) != NULL
           : r->sizes->patch > 0            ? is_known_vit(name)
                                 : lp_text_in(resnets, COUNT(resnets), name, strlen(name));
}

void lp_config_timm_facts(const lp_config_reader *r, const char *name) {
    lp_model_config *out = r->out;
    if (r->family->architectures != NULL) {
        const lp_architecture *a = lp_config_architecture(r, name);
        out->architecture = a;
        if (a == NULL) {
            return; /* not one that lp_config_timm_knows */
        }
        out->activation = a->activation;
        out->norm_eps = a->norm_eps;
        return;
    }
    for (size_t i = 0; r->sizes->patch > 0 && i < COUNT(vits); i++) {
        if (fnmatch(vits[i].pattern, name, 0) == 0) {
            out->heads = out->heads > 0 ? out->heads : vits[i].heads;
            out->norm_eps = out->norm_eps > 0 ? out->norm_eps : vits[i].norm_eps;
            out->activation =
                out->activation != LP_ACTIVATION_AUTO ? out->activation : vits[i].activation;
        }
    }
    if (r->sizes->patch > 0 && out->heads == 0 && r->sizes->width % HEAD_WIDTH == 0) {
        out->heads = r->sizes->width / HEAD_WIDTH;
    }
}

lp_status lp_config_timm_name(const lp_config_reader *r, const char *name) {
    if (!lp_config_timm_knows(r, name)) {
        return lp_config_refuse(r, "architecture", name);
    }
    lp_config_timm_facts(r, name);
    return LP_OK;
}

lp_status lp_config_timm_pool(const lp_config_reader *r, const char *key, const char *pool) {
    if (r->sizes->patch == 0) { /* a ResNet has the mean alone */
        return pool[0] == '\0' || strcmp(pool, "avg") == 0 ? LP_OK : lp_config_refuse(r, key, pool);
    }
    if (strcmp(pool, "token") == 0) {
        r->out->pool = LP_POOL_CLASS;
    } else if (strcmp(pool, "avg") == 0) {
        r->out->pool = LP_POOL_MEAN;
    } else if (strcmp(pool, "map") == 0) {
        r->out->pool = LP_POOL_ATTENTION;
    } else if (pool[0] != '\0') {
        return lp_config_refuse(r, key, pool);
    }
    return LP_OK;
}

/* Arguments that weights show, that training alone uses, or that are read elsewhere. */
static const char *const harmless[] = {
    "num_classes",
    "in_chans",
    "img_size",
    "embed_dim",
    "depth",
    "patch_size",
    "mlp_ratio",
    "qkv_bias",
    "init_values",
    "class_token",
    "reg_tokens",
    "no_embed_class",
    "dynamic_img_size",
    "pre_norm",
    "fc_norm",
    "drop_rate",
    "pos_drop_rate",
    "patch_drop_rate",
    "proj_drop_rate",
    "attn_drop_rate",
    "drop_path_rate",
    "layers",
    "cardinality",
    "base_width",
    "zero_init_last",
    "strict_img_size",
    "final_norm",
    "weight_init",
    "drop_block_rate",
    "depths",
    "dims",
    "use_grn",
    "ls_init_value",
    "conv_mlp",
    "kernel_sizes",
    "head_norm_first",
    "head_hidden_size",
    "head_init_scale",
    "window_size",
};

static lp_status read_argument(const lp_config_reader *r, const char *key, const json_t *value) {
    const char *text = json_string_value(value);
    if (json_is_null(value) || lp_text_in(harmless, COUNT(harmless), key, strlen(key))) {
        return LP_OK;
    }
    if (strcmp(key, "num_heads") == 0 && json_is_integer(value) && json_integer_value(value) > 0) {
        r->out->heads = (size_t)json_integer_value(value);
        return LP_OK;
    }
    if (strcmp(key, "global_pool") == 0 && text != NULL) {
        return lp_config_timm_pool(r, "model_args: global_pool", text);
    }
    if (strcmp(key, "output_stride") == 0 && json_integer_value(value) == 32) {
        return LP_OK; /* a smaller one: dilated convolutions */
    }
    if (strcmp(key, "norm_eps") == 0 && r->family->architectures != NULL) {
        return lp_config_norm_eps(r, "model_args: norm_eps", json_number_value(value));
    }
    return strcmp(key, "act_layer") == 0 && text != NULL &&
                   (r->sizes->patch > 0 || r->family->architectures != NULL)
               ? lp_config_activation(r, "model_args: act_layer", text)
               : lp_config_refuse(r, "model_args:", key);
}

/* model_args: arguments of the constructor beside those of the architecture. */
static lp_status read_arguments(const lp_config_reader *r, json_t *arguments) {
    const char *key;
    json_t *value;
    lp_status status = LP_OK;
    json_object_foreach(arguments, key, value) {
        LP_TRY(read_argument(r, key, value));
    }
done:
    return status;
}

/* timm data/config.py, resolve_data_config; data/constants.py: the defaults. */
static lp_status read_images(const lp_config_reader *r, const json_t *cfg) {
    lp_preprocess *p = &r->out->preprocess;
    const json_t *input = json_object_get(cfg, "input_size");
    const char *mode = lp_json_text(cfg, "crop_mode", "center");
    double part = lp_json_number(cfg, "crop_pct", 0.875);
    size_t size = json_is_integer(json_array_get(input, 1))
                      ? (size_t)json_integer_value(json_array_get(input, 1))
                      : 0;
    lp_status status = LP_OK;
    if (input == NULL) {
        return LP_OK;
    }
    if (size == 0 || size > 4096 ||
        json_equal(json_array_get(input, 1), json_array_get(input, 2)) != 1) {
        return lp_config_refuse(r, "input_size", "which is no side of a square");
    }
    if (!(part > 0.1) || part > 1) {
        return lp_config_refuse(r, "crop_pct", "which is no part of 1");
    }
    LP_TRY(lp_config_mean_std(r, cfg, LP_MEAN_STD_IMAGENET, "mean, std"));
    LP_TRY(lp_config_filter(r, lp_json_text(cfg, "interpolation", "bicubic")));
    if (strcmp(mode, "center") != 0 && strcmp(mode, "squash") != 0) {
        LP_TRY(lp_config_refuse(r, "crop_mode", mode));
    }
    p->squash = strcmp(mode, "squash") == 0;
    p->crop = size;
    p->resize = (size_t)floor((double)size / part);
    r->out->input = size;
    r->out->has_preprocess = true;
done:
    return status;
}

lp_status lp_config_read_timm(const lp_config_reader *r, json_t *config) {
    const char *whole = lp_json_text(config, "architecture", "");
    const json_t *cfg = json_object_get(config, "pretrained_cfg");
    char name[LP_ARCH_TEXT]; /* without the tag of its weights: "vit_base_patch16_224.mae" */
    lp_status status = LP_OK;
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(whole, "."), whole);
    if (!is_known(name)) { /* also of other dimensions: they need not be what the name's are */
        return lp_config_refuse(r, "architecture", name);
    }
    size_t width = lp_config_count(config, "num_features", 0);
    if (width > 0 && width == r->sizes->features) { /* of what comes behind a neck: SAM */
        width = r->sizes->width;
    }
    if (!lp_config_is_ours(r, width, 0, lp_config_timm_patch(name))) {
        return LP_OK;
    }
    LP_TRY(lp_config_timm_name(r, name));
    LP_TRY(lp_config_timm_pool(r, "global_pool", lp_json_text(config, "global_pool", "")));
    LP_TRY(read_arguments(r, json_object_get(config, "model_args")));
    LP_TRY(read_images(r, cfg != NULL ? cfg : config));
done:
    return status;
}
