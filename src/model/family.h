/* Families of image encoders: how their files are told, and the constants that no weight tells. */
#ifndef LP_MODEL_FAMILY_H
#define LP_MODEL_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/checkpoint.h"
#include "linprobe/encoder.h"
#include "model/positions.h"
#include "model/tower.h"

/* Most entries of the lists below. */
enum { LP_FAMILY_NAMES = 6 };

typedef struct lp_family {
    const char *name;  /* "clip-vit" */
    const char *title; /* of its models: "CLIP ViT" */
    /* What names begin with, tried in this order; the first one may be "". */
    const char *prefixes[LP_FAMILY_NAMES];
    /* A file belongs to the family that has, behind one prefix, one of `any`, one of `with` where
     * that is not empty, and none of `without`. */
    const char *any[LP_FAMILY_NAMES];
    const char *with[LP_FAMILY_NAMES];
    const char *without[LP_FAMILY_NAMES];
    const lp_tower_kind *tower;
    const void *layout; /* the tower's: how the weights are named */
    lp_activation
        activation; /* LP_ACTIVATION_AUTO: models of this family differ; it is asked for */
    float norm_eps;
    lp_filter filter;
    float mean[3], std[3];
    /* The shorter side becomes floor(input * resize_to / resize_from): 10 and 9 for a crop of 0.9,
     * 256 and 224; 0 for both: input. */
    size_t resize_to, resize_from;
    bool squash;
    size_t input;     /* pixels a side; 0: what the positions were made for */
    lp_resize resize; /* of positions, for another input */
    const char *note; /* what of the above the weights do not tell */
} lp_family;

/* Finds a file's family and the prefix of its names; LP_ERR_UNSUPPORTED says what was looked for.
 */
LP_MUST_USE lp_status lp_family_find(const lp_checkpoint *ckpt, const lp_family **family,
                                     const char **prefix, lp_error *err);

/* What info->activation says; "unknown" where nothing says it. */
const char *lp_family_activation_name(lp_activation activation);

/* Fills in what the family alone says: family and constants, not dimensions. */
void lp_family_describe(const lp_family *family, lp_encoder_info *info);

/* The preprocessing for an input of `input` pixels a side; sets input_size, too. */
void lp_family_preprocess(const lp_family *family, size_t input, lp_encoder_info *info);

/* What the caller asked for, over what the family or a config says. */
void lp_family_mean_std(lp_mean_std mean_std, lp_encoder_info *info);

#endif
