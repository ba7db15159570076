/* The vision transformer: its weights, and the forward pass over them. */
#ifndef LP_MODEL_VIT_H
#define LP_MODEL_VIT_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/encoder.h"
#include "model/tower.h"

/* Dimensions: D width, P patch, G patches a side, T tokens = prefix + G*G, M width of the MLP, E
 * width of the embedding (0: none).  The tokens before the patches: the class token. */
typedef struct lp_vit_shape {
    size_t width, patch, tokens, prefix, grid, mlp_width, embedding, layers, heads;
} lp_vit_shape;

/* Weights of one block, as PyTorch keeps them: a linear layer's weight is [out, in]. */
typedef struct lp_vit_block {
    float *norm1_weight, *norm1_bias; /* [D] */
    float *qkv_weight, *qkv_bias;     /* [3D, D], [3D]: rows of q, then k, then v */
    float *out_weight, *out_bias;     /* [D, D], [D] */
    float *norm2_weight, *norm2_bias; /* [D] */
    float *fc1_weight, *fc1_bias;     /* [M, D], [M] */
    float *fc2_weight, *fc2_bias;     /* [D, M], [D] */
} lp_vit_block;

typedef struct lp_vit {
    lp_vit_shape shape;
    float eps; /* of every layer norm */
    lp_activation activation;
    float *patch_weight;                      /* [D, 3, P, P] */
    float *patch_bias;                        /* [D] or NULL */
    float *class_token;                       /* [D] */
    float *positions;                         /* [T, D] */
    float *norm_pre_weight, *norm_pre_bias;   /* [D] or NULL */
    float *norm_post_weight, *norm_post_bias; /* [D] */
    float *projection;                        /* [D, E] or NULL */
    lp_vit_block *blocks;                     /* [layers] */
} lp_vit;

/* Floats of scratch memory for a batch; SIZE_MAX where their number does not fit. */
size_t lp_vit_scratch(const lp_vit *vit, size_t batch);

/* images float32 [batch, 3, G*P, G*P] -> features float32 [batch, E] (projected)
 * or [batch, D].  batch * T fits in an int. */
void lp_vit_run(const lp_vit *vit, const float *images, size_t batch, bool projected,
                float *features, float *scratch, const lp_tap *tap);

/* The kind of tower; its families' layouts are an lp_vit_layout each. */
extern const lp_tower_kind lp_vit_kind;

#endif
