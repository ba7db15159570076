/* linprobe/choices.h: what may be chosen of an encoder, and the names of the choices.
 *
 * Each enum has one list of names, in the enum's order with NULL at its end, and a function that
 * looks one up; its argument must be one of the enum's values.  The names are those of options,
 * messages and records.
 *
 *     #include <stdio.h>
 *     #include "linprobe/choices.h"
 *
 *     int main(void) {
 *         for (int i = 0; lp_pool_names[i] != NULL; i++) {
 *             puts(lp_pool_names[i]); // "auto", "cls", "mean", ...
 *         }
 *         return 0;
 *     }
 */
#ifndef LINPROBE_CHOICES_H
#define LINPROBE_CHOICES_H

#ifdef __cplusplus
extern "C" {
#endif

/* Where the feature is taken. */
typedef enum lp_feature_point {
    LP_FEATURE_DEFAULT,    /* each model's own: lp_encoder_info.default_point */
    LP_FEATURE_PROJECTED,  /* after the projection to the embedding space (CLIP's encode_image) */
    LP_FEATURE_PENULTIMATE /* before it: the class token after the last layer norm */
} lp_feature_point;

extern const char *const lp_feature_point_names[]; /* "auto", "projected", "penultimate" */
const char *lp_feature_point_name(lp_feature_point point);

/* The nonlinearity inside a transformer's MLP.  The names of the tensors do not say which. */
typedef enum lp_activation {
    LP_ACTIVATION_AUTO,       /* as the family has it */
    LP_ACTIVATION_GELU,       /* x Phi(x), by erf */
    LP_ACTIVATION_QUICK_GELU, /* x sigmoid(1.702 x) */
    LP_ACTIVATION_GELU_TANH   /* GELU's approximation by tanh */
} lp_activation;

extern const char *const lp_activation_names[]; /* "auto", "gelu", "quick_gelu", "gelu_tanh" */
const char *lp_activation_name(lp_activation activation);

/* How tokens, or places of a feature map, become one vector. */
typedef enum lp_pool {
    LP_POOL_AUTO,      /* as the family has it */
    LP_POOL_CLASS,     /* the class token */
    LP_POOL_MEAN,      /* the mean over patches or places */
    LP_POOL_ATTENTION, /* attention of a learnt query */
    LP_POOL_CLASS_MEAN /* the class token, then the mean: features twice as wide */
} lp_pool;

extern const char *const lp_pool_names[]; /* "auto", "cls", "mean", "attention", "cls+mean" */
const char *lp_pool_name(lp_pool pool);

/* Mean and standard deviation of the preprocessing: names for the usual ones. */
typedef enum lp_mean_std {
    LP_MEAN_STD_AUTO, /* as the family has it */
    LP_MEAN_STD_HALF, /* 0.5, 0.5 */
    LP_MEAN_STD_IMAGENET,
    LP_MEAN_STD_CLIP,
    LP_MEAN_STD_NONE /* 0, 1 */
} lp_mean_std;

extern const char *const lp_mean_std_names[]; /* "auto", "half", "imagenet", "clip", "none" */

/* The filter of the resize: lp_filter (image.h), one more each. */
typedef enum lp_filter_choice {
    LP_FILTER_CHOICE_AUTO, /* as the model was trained */
    LP_FILTER_CHOICE_BICUBIC,
    LP_FILTER_CHOICE_BILINEAR,
    LP_FILTER_CHOICE_LANCZOS,
    LP_FILTER_CHOICE_NEAREST
} lp_filter_choice;

extern const char *const lp_filter_choice_names[]; /* "auto", then as lp_filter_names */

/* What an encoder multiplies: float32, or numbers of 16 or 8 bits, which are less exact and faster
 * on some processors; docs/MODEL.md says which layers. */
typedef enum lp_precision {
    LP_PRECISION_FLOAT32,
    LP_PRECISION_BFLOAT16,
    LP_PRECISION_INT16,
    LP_PRECISION_INT8
} lp_precision;

extern const char *const lp_precision_names[]; /* "float32", "bfloat16", "int16", "int8" */
const char *lp_precision_name(lp_precision precision);

#ifdef __cplusplus
}
#endif
#endif
