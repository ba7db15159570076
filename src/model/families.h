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
#include "model/tower.h"

/* Most entries of the lists below. */
enum { LP_FAMILY_NAMES = 6 };

/* The activation of those models of a family that have these dimensions; patch and grid (patches a
 * side that the stored positions are for) 0: any.  width 0 ends a list. */
typedef struct lp_activation_exception {
    size_t width, patch, grid;
    lp_activation activation;
} lp_activation_exception;

/* Names of timm's architectures, and what they say; fnmatch's patterns; a list ends with NULL. */
typedef struct lp_architecture {
    const char *pattern;
    size_t width;              /* of the features; 0: any */
    lp_activation activation;  /* AUTO: the family's */
    float norm_eps;            /* 0: the family's */
    bool same;                 /* TensorFlow's padding */
    size_t input, resize;      /* of a file that only its name is known of; 0: the family's */
    size_t window, pretrained; /* of Swin V2: of its attention, and of the model that it was made
                                  from; 0: as in the file, the same */
} lp_architecture;

typedef struct lp_family {
    const char *name;  /* "clip-vit" */
    const char *title; /* of its models: "CLIP ViT" */
    /* The family's own part of the names ("visual."), tried in this order; the last one may be "".
     * What stands before it in a file is found (selection.h). */
    const char *prefixes[LP_FAMILY_NAMES];
    const lp_rename
        *renames; /* of what stands behind it: the file's names to the layout's; or NULL */
    /* A place in a file is of the family if it has one of `any`, one of `with` where that is not
     * empty, and none of `without`, under the file's own names. */
    const char *any[LP_FAMILY_NAMES];
    const char *with[LP_FAMILY_NAMES];
    const char *without[LP_FAMILY_NAMES];
    const char *matrix; /* it has this one, too, of two axes; or NULL */
    const lp_tower_kind *tower;
    const void *layout;       /* the tower's: the names of the weights */
    lp_activation activation; /* AUTO: models of this family differ, and the caller is asked */
    lp_pool pool;             /* AUTO: an attention pool, else the class token, else the mean */
    bool norm_after_pool;     /* the norm behind the blocks is taken of the pooled vector */
    bool both_tokens;         /* class and distillation token count alike */
    const lp_activation_exception *exceptions; /* models that have another one; or NULL */
    float norm_eps;
    lp_filter filter;
    lp_mean_std mean_std;
    struct {
        size_t to, from;
    } shorter_side; /* becomes floor(input * to / from): 10 and 9 for a crop of 0.9; zeros: input */
    bool squash;
    lp_crop_rule crop_rule;
    bool float_resize;
    size_t input;     /* pixels a side; 0: what the positions were made for */
    lp_resize resize; /* of positions, for another input */
    bool by_name;     /* only files that are named as one of its architectures are of the family */
    const lp_architecture *architectures; /* NULL: config_timm.c's lists */
    const char *note;                     /* who has this mean and std, and who another; or NULL */
    const char *eps_note; /* of a vision transformer's family: who has another eps; or NULL */
} lp_family;

/* In the order in which they are tried. */
extern const lp_family lp_families[];
extern const size_t lp_family_count;

/* A piece of a tensor's name in files that are not read, and what they are; ends with NULL. */
typedef struct lp_stranger {
    const char *tensor, *what;
    const char *with, *without; /* pieces that other names have, and that none has; or NULL */
    bool alone;                 /* a family has such names, too: said where no family fits */
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

enum { LP_RESNET_STAGES = 4 };

typedef struct lp_resnet_size {
    size_t blocks[LP_RESNET_STAGES], width, input;
    const char *name; /* "RN50x4" */
} lp_resnet_size;
extern const lp_resnet_size lp_resnet_sizes[];
extern const size_t lp_resnet_size_count;

/* ---- what they say --------------------------------------------------------------------------- */

/* What info->activation says; "unknown" where nothing says it. */
const char *lp_family_activation_name(lp_activation activation);

/* *known: which of the published files this is, by its digest, or NULL.  LP_ERR_IO. */
LP_MUST_USE lp_status lp_source_published(const lp_source *source, const lp_known_model **known,
                                          lp_error *err);

/* Fills in what the family alone says: family and constants, not dimensions. */
void lp_family_describe(const lp_family *family, lp_encoder_info *info);

/* The preprocessing for an input of `input` pixels a side; sets input_size, too. */
void lp_family_preprocess(const lp_family *family, size_t input, lp_encoder_info *info);

/* The name of a mean and std among lp_mean_std_names, or "other". */
const char *lp_mean_std_known(const lp_preprocess *preprocess);

void lp_family_mean_std(lp_mean_std mean_std, lp_preprocess *preprocess);

/* The caller's options of the preprocessing in the place of what info has, whose input_size is
 * set. */
void lp_family_override(const lp_encoder_options *options, lp_encoder_info *info);

/* The side of the input: the caller's, else `usual`.  LP_ERR_ARGUMENT: input_size and crop
 * contradict each other. */
LP_MUST_USE lp_status lp_family_input(const lp_source *source, size_t usual, size_t *input,
                                      lp_error *err);

/* Facts of an encoder that weights do not say. */
enum {
    LP_SAID_HEADS = 1 << 0,
    LP_SAID_ACTIVATION = 1 << 1,
    LP_SAID_PREPROCESS = 1 << 2, /* all of it */
    LP_SAID_POOL = 1 << 3
};

/* Lists in info->assumed what nothing says: of `facts`, those that neither `said` has nor the
 * caller's options. */
void lp_family_assume(const lp_source *source, unsigned facts, unsigned said,
                      lp_encoder_info *info);

/* The architecture that a file's own name begins with ("tf_efficientnet_b4_ns-d6313a46.pth"), or
 * NULL. */
const lp_architecture *lp_family_architecture(const lp_family *family, const char *path);

/* Adds that a config lies beside the file and is not believed; NULL: none does. */
void lp_family_stranger(const char *config, lp_encoder_info *info);

/* The activation of a model of this family: width D, patch pixels a side, grid patches a side that
 * its positions were made for.  LP_ACTIVATION_AUTO: nothing says it. */
lp_activation lp_family_activation(const lp_family *family, size_t width, size_t patch,
                                   size_t grid);

/* The row of a vision transformer's dimensions, or NULL. */
const lp_vit_size *lp_vit_size_of(size_t width, size_t layers);

/* info->name of a vision transformer of the family, by info->layers and info->patch:
 * "EVA-02 ViT-B+/16" (extra: "+"), "SAM ViT 24x3/5" for dimensions that have no letter. */
void lp_family_name_vit(const lp_family *family, size_t width, const char *extra,
                        lp_encoder_info *info);

/* The same of a family that has sizes of its own. */
void lp_family_name_among(const lp_family *family, const lp_vit_size *sizes, size_t count,
                          size_t width, const char *extra, lp_encoder_info *info);

/* Whether transformers of this width have heads of different widths, so that width / 64 may be
 * wrong. */
bool lp_vit_heads_vary(size_t width);

/* OpenAI's name of a ResNet, or NULL. */
const char *lp_resnet_size_name(const size_t blocks[LP_RESNET_STAGES], size_t width, size_t input);

/* Of a published file: what differs from its family.  The resize is for `from` pixels. */
void lp_file_preprocess(const lp_known_model *known, size_t from, lp_preprocess *preprocess);
lp_activation lp_file_activation(const lp_known_model *known); /* AUTO: nothing */

#endif
