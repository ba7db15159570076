/* The names of an encoder's choices: one list for each enum, in the enum's order, NULL at the end.
 * Options, messages, results and records use the same words. */
#include "linprobe/choices.h"

#include <stddef.h>

const char *const lp_feature_point_names[] = {
    [LP_FEATURE_DEFAULT] = "auto",
    [LP_FEATURE_PROJECTED] = "projected",
    [LP_FEATURE_PENULTIMATE] = "penultimate",
    NULL,
};

const char *const lp_activation_names[] = {
    [LP_ACTIVATION_AUTO] = "auto",
    [LP_ACTIVATION_GELU] = "gelu",
    [LP_ACTIVATION_QUICK_GELU] = "quick_gelu",
    [LP_ACTIVATION_GELU_TANH] = "gelu_tanh",
    NULL,
};

const char *const lp_pool_names[] = {
    [LP_POOL_AUTO] = "auto",           [LP_POOL_CLASS] = "cls",           [LP_POOL_MEAN] = "mean",
    [LP_POOL_ATTENTION] = "attention", [LP_POOL_CLASS_MEAN] = "cls+mean", NULL,
};

const char *const lp_mean_std_names[] = {
    [LP_MEAN_STD_AUTO] = "auto", [LP_MEAN_STD_HALF] = "half", [LP_MEAN_STD_IMAGENET] = "imagenet",
    [LP_MEAN_STD_CLIP] = "clip", [LP_MEAN_STD_NONE] = "none", NULL};

const char *const lp_filter_choice_names[] = {
    [LP_FILTER_CHOICE_AUTO] = "auto",         [LP_FILTER_CHOICE_BICUBIC] = "bicubic",
    [LP_FILTER_CHOICE_BILINEAR] = "bilinear", [LP_FILTER_CHOICE_LANCZOS] = "lanczos",
    [LP_FILTER_CHOICE_NEAREST] = "nearest",   NULL};

const char *const lp_precision_names[] = {
    [LP_PRECISION_FLOAT32] = "float32",
    [LP_PRECISION_BFLOAT16] = "bfloat16",
    [LP_PRECISION_INT16] = "int16",
    [LP_PRECISION_INT8] = "int8",
    NULL,
};

const char *lp_feature_point_name(lp_feature_point point) {
    return lp_feature_point_names[point];
}

const char *lp_activation_name(lp_activation activation) {
    return lp_activation_names[activation];
}

const char *lp_pool_name(lp_pool pool) {
    return lp_pool_names[pool];
}

const char *lp_precision_name(lp_precision precision) {
    return lp_precision_names[precision];
}
