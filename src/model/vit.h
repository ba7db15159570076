/* Vision transformers: the weights of one, and its forward pass. */
#ifndef LP_MODEL_VIT_H
#define LP_MODEL_VIT_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/encoder.h"

/* Dimensions: D width, P patch, T tokens with the class token, G patches a side (G*G + 1 =
 * T), M width of the MLP, E width of the embedding.  0 = unknown (while a file is being recognised)
 * or, for E, none. */
typedef struct lp_vit_shape {
    size_t width, patch, tokens, grid, mlp_width, embedding, layers, heads;
} lp_vit_shape;

/* Weights of one block, as PyTorch keeps them: a linear layer's weight is [out, in]. */
typedef struct lp_vit_block {
    const float *norm1_weight, *norm1_bias; /* [D] */
    const float *qkv_weight, *qkv_bias;     /* [3D, D], [3D]: rows of q, then k, then v */
    const float *out_weight, *out_bias;     /* [D, D], [D] */
    const float *norm2_weight, *norm2_bias; /* [D] */
    const float *fc1_weight, *fc1_bias;     /* [M, D], [M] */
    const float *fc2_weight, *fc2_bias;     /* [D, M], [D] */
} lp_vit_block;

typedef struct lp_vit {
    lp_vit_shape shape;
    float eps;                                      /* of every layer norm */
    bool quick_gelu;                                /* else GELU */
    const float *patch_weight;                      /* [D, 3, P, P] */
    const float *patch_bias;                        /* [D] or NULL */
    const float *class_token;                       /* [D] */
    const float *positions;                         /* [T, D] */
    const float *norm_pre_weight, *norm_pre_bias;   /* [D] or NULL */
    const float *norm_post_weight, *norm_post_bias; /* [D] */
    const float *projection;                        /* [D, E] or NULL */
    lp_vit_block *blocks;                           /* [layers] */
} lp_vit;

/* Floats of scratch memory for a batch; SIZE_MAX where their number does not fit. */
size_t lp_vit_scratch(const lp_vit *vit, size_t batch);

/* images float32 [batch, 3, G*P, G*P] -> features float32 [batch, E] (projected)
 * or [batch, D].  batch * T fits in an int. */
void lp_vit_run(const lp_vit *vit, const float *images, size_t batch, bool projected,
                float *features, float *scratch, const lp_tap *tap);

#endif
