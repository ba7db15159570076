/* Facts of an encoder for the provenance. */
#include "extract/encoding.h"

#include <math.h>

void lp_encoding_describe(const lp_encoder *encoder, lp_feature_point point, lp_encoding *out) {
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    out->family = info->family;
    out->feature = lp_feature_point_name(point);
    out->activation = info->activation;
    out->pool = info->pool;
    out->blocks = info->blocks[0] != '\0' ? info->blocks : NULL;
    out->precision = info->precision;
    out->heads = info->heads;
    out->norm_eps = info->norm_eps;
    out->preprocess = info->preprocess;
    out->resize_rule = info->preprocess.float_resize ? NULL : LP_RESAMPLE_RULE;
    out->weights = info->origin;
    out->select = info->one_of_several ? info->prefix : NULL;
    out->name = info->name;
    out->changed = info->changed;
    out->input_size = info->input_size;
    out->width = info->width;
    out->layers = info->layers;
    out->parameters = (size_t)info->parameters;
}

void lp_feature_normalize(float *x, size_t width) {
    double sum = 0;
    for (size_t j = 0; j < width; j++) {
        sum += (double)x[j] * (double)x[j];
    }
    float norm = (float)sqrt(sum);
    for (size_t j = 0; norm > 0 && j < width; j++) {
        x[j] /= norm;
    }
}
