/* The vision transformer as it runs: packed weights, and the forward pass over them. */
#ifndef LP_MODEL_VIT_H
#define LP_MODEL_VIT_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/encoder.h"
#include "math/linear.h"
#include "model/tower.h"

/* Dimensions: D width, P patch, G patches a side (of `side` pixels, which may be a few more), T
 * tokens = prefix + G*G (prefix: class token, then registers or a distillation token), M width of
 * the MLP, A of the attention pool's MLP, E width of the embedding; 0 where there is none. */
typedef struct lp_vit_shape {
    size_t width, patch, side, grid, prefix, tokens, mlp_width, pool_mlp_width, embedding, layers,
        heads;
} lp_vit_shape;

/* Layer norm, used where it lies; NULLs: there is none. */
typedef struct lp_vit_norm {
    float *weight, *bias; /* [D] */
} lp_vit_norm;

typedef struct lp_vit_block {
    lp_vit_norm norm1, norm2; /* before attention, before the MLP */
    lp_packed_linear qkv;     /* D -> 3D: q, then k, then v; unused in a last block that
                                 lp_vit_class_attention does instead */
    lp_packed_linear out;     /* D -> D */
    lp_packed_linear fc1;     /* D -> M; gated: D -> 2M */
    lp_packed_linear fc2;     /* M -> D */
} lp_vit_block;

/* Attention of the last block where only its class token is used, for each head n:
 * u = q_n W_k,n / sqrt(DH), and v = W_v,n h + b.  NULLs where all tokens are used. */
typedef struct lp_vit_class_attention {
    lp_packed_linear query;   /* D -> D */
    lp_packed_linear *keys;   /* [heads], DH -> D */
    lp_packed_linear *values; /* [heads], D -> DH; behind the keys */
} lp_vit_class_attention;

/* Attention of a learnt query over the patches, then an MLP. */
typedef struct lp_vit_pool {
    const float *query;         /* [D]: the learnt one times its weight, + bias */
    lp_packed_linear key_value; /* D -> 2D: k, then v */
    lp_packed_linear out;       /* D -> D */
    lp_vit_norm norm;
    lp_packed_linear fc1; /* D -> A */
    lp_packed_linear fc2; /* A -> D */
} lp_vit_pool;

/* A model as it runs.  Its weights are those that lp_vit_pack made of the stored ones (vit_stored.h
 * has the life of a weight); they lie in the encoder's arena, but for `made`. */
typedef struct lp_vit {
    lp_vit_shape shape;
    float eps; /* of every layer norm */
    lp_activation activation;
    lp_precision precision; /* of the linear layers; INT8: of those in blocks that all tokens go
                               through */
    bool gated;             /* the blocks' MLP is SwiGLU: silu(first half) * second half */
    lp_pool pool;
    lp_layers layers;    /* whose vectors are features; not zeros */
    size_t features;     /* width of the penultimate features: D for each vector of an image */
    size_t class_tokens; /* with LP_POOL_CLASS: the mean of so many first tokens; 1, or 2 (DeiT's
                            class and distillation token) */

    lp_packed_linear patch;                   /* 3PP -> D */
    const float *prefix_tokens;               /* [prefix, D], with their positions */
    const float *positions;                   /* [G*G, D], of the patches */
    lp_vit_norm norm_pre, norm_post, fc_norm; /* fc_norm: after pooling */
    lp_vit_block *blocks;                     /* [layers] */
    lp_vit_class_attention last;
    lp_vit_pool attention_pool;  /* NULLs where there is none */
    lp_packed_linear projection; /* D -> E; zeros where there is none */

    float *made; /* prefix_tokens, positions and the pool's query */
} lp_vit;

/* Whether of the last block only the first token of each image is used. */
bool lp_vit_ends_with_one_token(const lp_vit *vit);

/* lp_tower_kind's scratch and run; tower begins with an lp_vit.  images float32
 * [batch, 3, side, side] -> features float32 [batch, E] (projected) or [batch, D].  batch * T fits
 * in an int. */
size_t lp_vit_scratch(const void *tower, size_t batch);
void lp_vit_run(const void *tower, const float *images, size_t batch, lp_feature_point point,
                float *features, float *scratch, const lp_observer *observer);

/* The kind of tower; its families' layouts are an lp_vit_layout each. */
extern const lp_tower_kind lp_vit_kind;

#endif
