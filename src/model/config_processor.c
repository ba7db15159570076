/* transformers' image processors: preprocessor_config.json, or "image_processor" in
 * processor_config.json (image_processing_*.py). */
#include <math.h>
#include <string.h>

#include "model/config_reader.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An image processor: what a key that its file does not have means.  The name is without
 * "ImageProcessor", "FeatureExtractor" and what may stand behind them. */
typedef struct processor {
    const char *name;
    size_t size;
    bool squash; /* size is height and width; else the shorter side */
    size_t crop; /* 0: none */
    lp_filter filter;
    lp_mean_std mean_std;
    double crop_part;  /* not 0: resized to size / crop_part, if size is below 384 */
    bool float_resize; /* its _preprocess rescales before it resizes */
    bool patches;      /* size is that of max_num_patches (256) of patch_size (16) */
} processor;

enum { CLIP_PROCESSOR, VIT_PROCESSOR }; /* of files that name none */

static const processor processors[] = {
    [CLIP_PROCESSOR] = {"CLIP", 224, false, 224, LP_FILTER_BICUBIC, LP_MEAN_STD_CLIP, 0, false},
    [VIT_PROCESSOR] = {"ViT", 224, true, 0, LP_FILTER_BILINEAR, LP_MEAN_STD_HALF, 0, false},
    {"ChineseCLIP", 224, false, 224, LP_FILTER_BICUBIC, LP_MEAN_STD_CLIP, 0, false},
    {"Bit", 224, false, 224, LP_FILTER_BICUBIC, LP_MEAN_STD_CLIP, 0, false},
    {"Flava", 224, true, 224, LP_FILTER_BICUBIC, LP_MEAN_STD_CLIP, 0, false},
    {"Blip", 384, true, 0, LP_FILTER_BICUBIC, LP_MEAN_STD_CLIP, 0, false},
    {"EfficientNet", 346, true, 0, LP_FILTER_BICUBIC, LP_MEAN_STD_HALF, 0, false},
    {"Beit", 224, true, 0, LP_FILTER_BICUBIC, LP_MEAN_STD_HALF, 0, false},
    {"Siglip2", 0, true, 0, LP_FILTER_BILINEAR, LP_MEAN_STD_HALF, 0, false, .patches = true},
    {"Siglip", 224, true, 0, LP_FILTER_BICUBIC, LP_MEAN_STD_HALF, 0, false},
    {"DeiT", 256, true, 224, LP_FILTER_BICUBIC, LP_MEAN_STD_HALF, 0, false},
    {"OwlViT", 768, true, 0, LP_FILTER_BICUBIC, LP_MEAN_STD_CLIP, 0, false},
    {"GotOcr2", 384, true, 0, LP_FILTER_BICUBIC, LP_MEAN_STD_CLIP, 0, false},
    {"DINOv3ViT", 224, true, 0, LP_FILTER_BILINEAR, LP_MEAN_STD_IMAGENET, 0, true},
    {"ConvNext", 384, false, 0, LP_FILTER_BICUBIC, LP_MEAN_STD_HALF, 224.0 / 256, false},
};

static const processor *find_processor(const char *name) {
    static const char *const ends[] = {"ImageProcessor", "FeatureExtractor"};
    for (size_t i = 0; i < COUNT(processors); i++) {
        size_t length = strlen(processors[i].name);
        for (size_t e = 0; e < COUNT(ends) && strncmp(name, processors[i].name, length) == 0; e++) {
            if (strncmp(name + length, ends[e], strlen(ends[e])) == 0) {
                return &processors[i];
            }
        }
    }
    return NULL;
}

/* True unless the key says otherwise. */
static bool does(const json_t *config, const char *key) {
    return !json_is_false(json_object_get(config, key));
}

/* 224, {"shortest_edge": 224} or {"height": 224, "width": 224} -> *side, *square; 0 where it is
 * something else. */
static void read_side(const json_t *value, bool square_if_number, size_t *side, bool *square) {
    bool object = json_is_object(value);
    *square = object ? json_object_get(value, "height") != NULL : square_if_number;
    *side = object && !*square ? lp_config_count(value, "shortest_edge", 0)
            : object           ? lp_config_count(value, "height", 0)
            : json_is_integer(value) && json_integer_value(value) > 0
                ? (size_t)json_integer_value(value)
                : 0;
    if (object && *square && lp_config_count(value, "width", 0) != *side) {
        *side = 0;
    }
}

/* A step that is switched on and that is not done here: "do_pad", "do_flip_channel_order",
 * "crop_to_patches". */
static lp_status check_steps(const lp_config_reader *r, json_t *config) {
    static const char *const steps[] = {"do_resize", "do_center_crop", "do_rescale", "do_normalize",
                                        "do_convert_rgb"};
    const char *key;
    json_t *value;
    json_object_foreach(config, key, value) {
        bool known = (strncmp(key, "do_", 3) != 0 && strcmp(key, "crop_to_patches") != 0) ||
                     !json_is_true(value);
        for (size_t i = 0; i < COUNT(steps); i++) {
            known = known || strcmp(key, steps[i]) == 0;
        }
        if (!known) {
            return lp_config_refuse(r, key, "true");
        }
    }
    return LP_OK;
}

/* Whether values are divided by std once more: image_processing_efficientnet.py. */
static bool does_twice(const json_t *config, const processor *d) {
    return strcmp(d->name, "EfficientNet") == 0 && does(config, "include_top");
}

/* The values that pixels from 0 to 255 are multiplied by, mean and std -> those of pixels from 0 to
 * 1, as lp_preprocess has them. */
static lp_status read_values(const lp_config_reader *r, const json_t *config, const processor *d) {
    lp_preprocess *p = &r->out->preprocess;
    const json_t *mean = json_object_get(config, "image_mean");
    const json_t *std = json_object_get(config, "image_std");
    double factor =
        does(config, "do_rescale") ? lp_json_number(config, "rescale_factor", 1.0 / 255) : 1.0;
    lp_family_mean_std(d->mean_std, p);
    if (!does(config, "do_normalize")) {
        lp_family_mean_std(LP_MEAN_STD_NONE, p);
    } else if ((json_is_null(mean) || mean == NULL || lp_config_three(mean, p->mean)) &&
               (json_is_null(std) || std == NULL || lp_config_three(std, p->std))) {
        /* taken, or the defaults */
    } else {
        return lp_config_refuse(r, "image_mean, image_std", "which are no three numbers");
    }
    if (json_is_true(json_object_get(config, "rescale_offset"))) {
        return lp_config_refuse(r, "rescale_offset", "true");
    }
    for (size_t c = 0; does_twice(config, d) && c < 3; c++) {
        p->std[c] *= p->std[c];
    }
    if (fabs(factor * 255 - 1) > 1e-9) {
        for (size_t c = 0; c < 3; c++) {
            p->mean[c] = (float)((double)p->mean[c] / (255 * factor));
            p->std[c] = (float)((double)p->std[c] / (255 * factor));
        }
    }
    return lp_config_check_mean_std(r);
}

static lp_status read_sizes(const lp_config_reader *r, const json_t *config, const processor *d) {
    lp_preprocess *p = &r->out->preprocess;
    const json_t *size = json_object_get(config, "size");
    const json_t *crop_size = json_object_get(config, "crop_size");
    double part = lp_json_number(config, "crop_pct", d->crop_part);
    size_t side = d->size, crop = d->crop;
    bool square = d->squash, crop_square = true;
    if (d->patches) { /* of a square; other images keep their shape there */
        size_t patch = lp_config_count(config, "patch_size", 16);
        size_t patches = lp_config_count(config, "max_num_patches", 256);
        side = patch <= 4096 && patches <= 1 << 24 ? patch * lp_config_side(patches) : 0;
    } else if (size != NULL && !json_is_null(size)) {
        read_side(size, d->squash, &side, &square);
    }
    if (crop_size != NULL && !json_is_null(crop_size)) {
        read_side(crop_size, true, &crop, &crop_square);
    }
    if (crop_size != NULL && !json_is_null(crop_size) && (crop == 0 || !crop_square)) {
        return lp_config_refuse(r, "crop_size", "which is no side of a square");
    }
    bool crops = d->crop > 0 || json_is_true(json_object_get(config, "do_center_crop"));
    crop = crops && does(config, "do_center_crop") ? crop : 0;
    if (!does(config, "do_resize")) {
        return lp_config_refuse(r, "do_resize", "false");
    }
    if (side == 0 || side > 4096 || crop > 4096) {
        return lp_config_refuse(r, "size", "which is no side of a square");
    }
    p->squash = square;
    p->resize = side;
    if (d->crop_part > 0 && !square) { /* image_processing_convnext.py, resize */
        bool whole = side >= 384;
        if (!whole && !(part > 0.1 && part <= 1)) {
            return lp_config_refuse(r, "crop_pct", "which is no part of 1");
        }
        p->squash = whole;
        p->resize = whole ? side : (size_t)((double)side / part);
        crop = side;
    }
    if (crop == 0 && !p->squash) {
        return lp_config_refuse(r, "do_center_crop", "false");
    }
    p->crop = crop > 0 ? crop : side;
    if (d->float_resize && p->crop > p->resize) { /* its frame lies by another rule */
        return lp_config_refuse(r, "crop_size", "which is larger than size");
    }
    return LP_OK;
}

lp_status lp_config_read_processor(const lp_config_reader *r, json_t *config) {
    static const char *const filters[] = {"nearest", "lanczos", "bilinear",
                                          "bicubic", "box",     "hamming"}; /* Pillow's numbers */
    json_t *inner = json_object_get(config, "image_processor");
    config = json_is_object(inner) ? inner : config;
    const char *name = lp_json_text(config, "image_processor_type",
                                    lp_json_text(config, "feature_extractor_type", ""));
    const processor *d = find_processor(name);
    const json_t *resample = json_object_get(config, "resample");
    lp_status status;
    bool of_patches = strcmp(r->family->name, "hf-siglip2") == 0; /* says that squares are taken */
    if (name[0] != '\0' && (d == NULL || (d->patches && !of_patches))) {
        return lp_config_refuse(r, "image_processor_type", name);
    }
    if (d == NULL) { /* an old file: all keys must be there */
        if (json_object_get(config, "size") == NULL ||
            json_object_get(config, "image_mean") == NULL) {
            return LP_OK;
        }
        bool crops = json_object_get(config, "crop_size") != NULL;
        d = &processors[r->family->squash && !crops ? VIT_PROCESSOR : CLIP_PROCESSOR];
    }
    LP_TRY(check_steps(r, config));
    LP_TRY(read_values(r, config, d));
    LP_TRY(read_sizes(r, config, d));
    r->out->preprocess.filter = d->filter;
    r->out->preprocess.float_resize = name[0] != '\0' ? d->float_resize : r->family->float_resize;
    r->out->preprocess.crop_rule = LP_CROP_FLOOR; /* image_transforms.py, center_crop */
    if (json_is_string(resample)) {
        LP_TRY(lp_config_filter(r, json_string_value(resample)));
    } else if (json_is_integer(resample)) {
        json_int_t number = json_integer_value(resample);
        LP_TRY(lp_config_filter(r, number >= 0 && (size_t)number < COUNT(filters) ? filters[number]
                                                                                  : "unknown"));
    }
    r->out->has_preprocess = true;
done:
    return status;
}
