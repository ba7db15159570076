/* The tables of image encoders' families (families.c), and what they say of a file (family.c). */
#ifndef LP_MODEL_FAMILIES_H
#define LP_MODEL_FAMILIES_H

#include <stdbool.h>
#include <stddef.h>
#include "ckpt/known_models.h"
#include "linprobe/checkpoint.h"
#include "linprobe/choices.h"
#include "linprobe/encoder.h"
#include "linprobe/image.h"
#include "model/positions.h"
#include "model/resnet.h"
#include "model/tower.h"

/* Most entries of the lists below. */
enum { LP_FAMILY_NAMES = 6 };

/* The activation of those models of a family that have these dimensions; patch and grid (patches a
 * side that the stored positions are for) 0: any.  width 0 ends a list. */
typedef struct lp_activation_exception {
    size_t width, patch, grid;
    lp_activation activation;
} lp_activation_exception;

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
    const void *layout;       /* the tower's: the names of the weights */
    lp_activation activation; /* AUTO: models of this family differ, and the caller is asked */
    const lp_activation_exception *exceptions; /* models that have another one; or NULL */
    float norm_eps;
    lp_filter filter;
    lp_mean_std mean_std;
    struct {
        size_t to, from;
    } shorter_side; /* becomes floor(input * to / from): 10 and 9 for a crop of 0.9; zeros: input */
    bool squash;
    size_t input;     /* pixels a side; 0: what the positions were made for */
    lp_resize resize; /* of positions, for another input */
    const char *note; /* what of the above may differ in a file that looks the same; or NULL */
} lp_family;

/* In the order in which they are tried. */
extern const lp_family lp_families[];
extern const size_t lp_family_count;

/* A tensor of files that belong to no family, and what they are; ends with NULL. */
typedef struct lp_stranger {
    const char *tensor, *what;
} lp_stranger;
extern const lp_stranger lp_strangers[];

typedef struct lp_mean_std_values {
    float mean[3], std[3];
} lp_mean_std_values;
extern const lp_mean_std_values lp_mean_stds[]; /* by lp_mean_std; of AUTO zeros */

/* A vision transformer of a known size.  `heads`, where not 0, holds for a plain MLP of mlp_width;
 * else heads are 64 wide. */
typedef struct lp_vit_size {
    size_t width, layers;
    const char *letter; /* "B" of "ViT-B/32" */
    size_t mlp_width, heads;
    bool heads_vary; /* other models of this width have other heads: the caller is asked */
} lp_vit_size;
extern const lp_vit_size lp_vit_sizes[];
extern const size_t lp_vit_size_count;

typedef struct lp_resnet_size {
    size_t blocks[LP_RESNET_STAGES], width, input;
    const char *name; /* "RN50x4" */
} lp_resnet_size;
extern const lp_resnet_size lp_resnet_sizes[];
extern const size_t lp_resnet_size_count;

/* Published files (ckpt/known_models.h) whose mean and std are not their family's. */
typedef struct lp_file_exception {
    const char *name; /* what their names begin with; NULL ends the list */
    lp_mean_std mean_std;
} lp_file_exception;
extern const lp_file_exception lp_file_exceptions[];

/* What a key that config.json does not have means. */
typedef struct lp_hf_default {
    const char *type; /* what model_type begins with; NULL ends the list */
    const char *activation;
    size_t patch;
    float norm_eps;
} lp_hf_default;
extern const lp_hf_default lp_hf_defaults[];

/* ---- what they say --------------------------------------------------------------------------- */

/* A file's family, and the prefix of its names; LP_ERR_UNSUPPORTED says what was looked for. */
LP_MUST_USE lp_status lp_family_find(const lp_checkpoint *ckpt, const lp_family **family,
                                     const char **prefix, lp_error *err);

/* What info->activation says; "unknown" where nothing says it. */
const char *lp_family_activation_name(lp_activation activation);

/* Fills in what the family alone says: family and constants, not dimensions. */
void lp_family_describe(const lp_family *family, lp_encoder_info *info);

/* The preprocessing for an input of `input` pixels a side; sets input_size, too. */
void lp_family_preprocess(const lp_family *family, size_t input, lp_encoder_info *info);

/* Replaces what the family or a config says, unless it is AUTO. */
void lp_family_mean_std(lp_mean_std mean_std, lp_encoder_info *info);

/* The activation of a model of this family: width D, patch pixels a side, grid patches a side that
 * its positions were made for.  LP_ACTIVATION_AUTO: nothing says it. */
lp_activation lp_family_activation(const lp_family *family, size_t width, size_t patch,
                                   size_t grid);

/* The row of a vision transformer's dimensions, or NULL. */
const lp_vit_size *lp_vit_size_of(size_t width, size_t layers);

/* Whether transformers of this width have heads of different widths, so that width / 64 may be
 * wrong. */
bool lp_vit_heads_vary(size_t width);

/* OpenAI's name of a ResNet, or NULL. */
const char *lp_resnet_size_name(const size_t blocks[LP_RESNET_STAGES], size_t width, size_t input);

/* Of a published file: what differs from its family; AUTO: nothing. */
lp_mean_std lp_file_mean_std(const lp_known_model *known);
lp_activation lp_file_activation(const lp_known_model *known);

/* The defaults of transformers' model_type, or NULL. */
const lp_hf_default *lp_hf_default_of(const char *model_type);

#endif
