/* Encoders: the public face of the model stage, over families (what a file is) and the vision
 * transformer (what is computed). */
#include "linprobe/encoder.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "model/family.h"
#include "model/vit.h"

struct lp_encoder {
    lp_encoder_info info;
    lp_vit vit;
    float *arena; /* every weight */
};

const char *lp_feature_point_name(lp_feature_point point) {
    return point == LP_FEATURE_PROJECTED ? "projected" : "penultimate";
}

/* "CLIP ViT-B/32", "ViT-Ti/16", "CLIP ViT-L/14@336"; "CLIP ViT 128x2/7@28" (width x layers / patch)
 * for dimensions that have no letter. */
static void name_model(lp_encoder_info *info, const char *title) {
    static const struct {
        size_t width, layers;
        const char *letter;
    } sizes[] = {{192, 12, "Ti"}, {384, 12, "S"}, {768, 12, "B"}, {1024, 24, "L"}};
    char size[64] = "", input[32] = "";
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        if (info->width == sizes[i].width && info->layers == sizes[i].layers) {
            (void)snprintf(size, sizeof size, "-%s", sizes[i].letter);
        }
    }
    if (size[0] == '\0') {
        (void)snprintf(size, sizeof size, " %zux%zu", info->width, info->layers);
    }
    if (info->input_size != 224) {
        (void)snprintf(input, sizeof input, "@%zu", info->input_size);
    }
    char name[160];
    (void)snprintf(name, sizeof name, "%s%s/%zu%s", title, size, info->patch, input);
    (void)snprintf(info->name, sizeof info->name, "%.63s", name);
}

static void describe(const lp_family *family, const lp_vit_shape *shape, uint64_t parameters,
                     lp_encoder_info *info) {
    size_t input = shape->grid * shape->patch;
    *info = (lp_encoder_info){
        .family = family->name,
        .activation = family->quick_gelu ? "quick_gelu" : "gelu",
        .norm_eps = family->norm_eps,
        .input_size = input,
        .patch = shape->patch,
        .tokens = shape->tokens,
        .width = shape->width,
        .heads = shape->heads,
        .layers = shape->layers,
        .mlp_width = shape->mlp_width,
        .projected = shape->embedding,
        .penultimate = shape->width,
        .parameters = parameters,
        .default_point = shape->embedding > 0 ? LP_FEATURE_PROJECTED : LP_FEATURE_PENULTIMATE,
        .preprocess = {.resize = input * 10 / family->resize_tenths,
                       .crop = input,
                       .filter = LP_FILTER_BICUBIC},
    };
    memcpy(info->preprocess.mean, family->mean, sizeof family->mean);
    memcpy(info->preprocess.std, family->std, sizeof family->std);
    name_model(info, family->title);
}

lp_status lp_encoder_recognise(const lp_checkpoint *ckpt, lp_encoder_info *info, lp_error *err) {
    const lp_family *family;
    lp_vit_shape shape;
    uint64_t parameters;
    lp_status status = lp_family_recognise(ckpt, &family, &shape, err);
    if (status == LP_OK) {
        (void)lp_family_arena(family, ckpt, &shape, &parameters);
        describe(family, &shape, parameters, info);
    }
    return status;
}

lp_status lp_encoder_load(lp_checkpoint *ckpt, lp_encoder **encoder, lp_error *err) {
    *encoder = NULL;
    const lp_family *family;
    lp_vit_shape shape;
    lp_status status = lp_family_recognise(ckpt, &family, &shape, err);
    if (status != LP_OK) {
        return status;
    }
    uint64_t parameters;
    size_t weights = lp_family_weights(family, &shape);
    size_t floats = lp_family_arena(family, ckpt, &shape, &parameters);
    lp_tensor_read *reads = lp_alloc(weights, sizeof *reads);
    lp_encoder *e = lp_alloc_zeroed(1, sizeof *e);
    if (reads == NULL || e == NULL) {
        status = lp_fail_memory(err, "an encoder's weights", weights, sizeof *reads);
        goto done;
    }
    e->vit.blocks = lp_alloc_zeroed(shape.layers, sizeof *e->vit.blocks);
    e->arena = lp_alloc(floats, sizeof *e->arena);
    if (e->vit.blocks == NULL || e->arena == NULL) {
        status = lp_fail_memory(err, "an encoder's weights", floats, sizeof *e->arena);
        goto done;
    }
    describe(family, &shape, parameters, &e->info);
    e->vit.shape = shape;
    e->vit.eps = family->norm_eps;
    e->vit.quick_gelu = family->quick_gelu;
    lp_family_bind(family, ckpt, &e->vit, e->arena, reads);
    status = lp_checkpoint_read(ckpt, reads, weights, err);
    if (status == LP_OK) {
        *encoder = e;
        e = NULL;
    }
done:
    lp_encoder_free(e);
    lp_free(reads);
    return status;
}

void lp_encoder_free(lp_encoder *encoder) {
    if (encoder != NULL) {
        lp_free(encoder->vit.blocks);
        lp_free(encoder->arena);
        lp_free(encoder);
    }
}

const lp_encoder_info *lp_encoder_describe(const lp_encoder *encoder) {
    return &encoder->info;
}

size_t lp_encoder_features(const lp_encoder_info *info, lp_feature_point point) {
    return point == LP_FEATURE_PROJECTED ? info->projected : info->penultimate;
}

size_t lp_encoder_scratch(const lp_encoder *encoder, size_t batch) {
    return lp_vit_scratch(&encoder->vit, batch);
}

lp_status lp_encoder_run(const lp_encoder *encoder, const float *images, size_t batch,
                         lp_feature_point point, float *features, float *scratch, const lp_tap *tap,
                         lp_error *err) {
    const lp_encoder_info *info = &encoder->info;
    if (lp_encoder_features(info, point) == 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s has no feature point '%s'", info->name,
                       lp_feature_point_name(point));
    }
    if (batch > INT_MAX / info->tokens) {
        return lp_fail(err, LP_ERR_ARGUMENT, "a batch of %zu images: expected at most %zu", batch,
                       INT_MAX / info->tokens);
    }
    if (batch > 0) {
        lp_vit_run(&encoder->vit, images, batch, point == LP_FEATURE_PROJECTED, features, scratch,
                   tap);
    }
    return LP_OK;
}
