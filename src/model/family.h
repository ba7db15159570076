/* Families of image encoders: how their files name the weights, and the constants that no weight
 * tells. */
#ifndef LP_MODEL_FAMILY_H
#define LP_MODEL_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/checkpoint.h"
#include "model/vit.h"

/* One weight: its name (within a block, behind "<blocks>N."), its shape in letters (D width, Q 3D,
 * P patch, T tokens, M MLP width, E embedding; digits stand for themselves), and the field of
 * lp_vit or lp_vit_block that points to it. */
typedef struct lp_weight {
    const char *name;
    const char *shape;
    size_t field;
} lp_weight;

/* A tensor that tells of a variant which is not supported, and what it is. */
typedef struct lp_variant {
    const char *tensor;
    const char *what;
} lp_variant;

typedef struct lp_family {
    const char *name;       /* "clip-vit" */
    const char *title;      /* of its models: "CLIP ViT" */
    const char *telling[2]; /* a file that has one of these belongs to the family */
    const char *scope;      /* what the encoder's tensors begin with; others are ignored */
    const char *blocks;     /* what a block's tensors begin with */
    const lp_weight *weights;
    size_t weight_count;
    const lp_weight *block_weights;
    size_t block_weight_count;
    const char *ignored;        /* what tensors in scope begin with that are not used; or NULL */
    const lp_variant *variants; /* ends with {NULL, NULL}; or NULL */
    bool quick_gelu;
    float norm_eps;
    float mean[3], std[3];
    size_t resize_tenths; /* resize = floor(10 / resize_tenths * input): 10 for 1, 9 for 0.9 */
} lp_family;

/* Finds the family and dimensions of a file and checks every weight; see lp_encoder_recognise. */
LP_MUST_USE lp_status lp_family_recognise(const lp_checkpoint *ckpt, const lp_family **family,
                                          lp_vit_shape *shape, lp_error *err);

/* Number of weights of a model. */
size_t lp_family_weights(const lp_family *family, const lp_vit_shape *shape);

/* Floats of an arena for all weights, each aligned to 64 bytes.  *parameters counts the weights'
 * own. */
size_t lp_family_arena(const lp_family *family, const lp_checkpoint *ckpt,
                       const lp_vit_shape *shape, uint64_t *parameters);

/* Points the fields of vit and vit->blocks into the arena, and lists what is to be read there:
 * lp_family_weights entries. */
void lp_family_bind(const lp_family *family, const lp_checkpoint *ckpt, lp_vit *vit, float *arena,
                    lp_tensor_read *reads);

#endif
