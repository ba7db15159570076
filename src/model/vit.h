/* The vision transformer: its weights, and the forward pass over them. */
#ifndef LP_MODEL_VIT_H
#define LP_MODEL_VIT_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/encoder.h"
#include "math/linear.h"
#include "model/tower.h"

/* Dimensions: D width, P patch, G patches a side, T tokens = prefix + G*G (prefix: class token,
 * then registers or a distillation token), M width of the MLP, A of the attention pool's MLP, E
 * width of the embedding; 0 where there is none. */
typedef struct lp_vit_shape {
    size_t width, patch, grid, prefix, tokens, mlp_width, pool_mlp_width, embedding, layers, heads;
} lp_vit_shape;

/* Weights of one block.  Those of linear layers are read as PyTorch keeps them, [out, in], and
 * packed by lp_vit_kind.finish. */
typedef struct lp_vit_block {
    float *norm1_weight, *norm1_bias; /* [D] */
    lp_linear_layer qkv;    /* D -> 3D: q, then k, then v; of a last block that one token leaves:
                               q, D -> D, and lp_vit.keys and values */
    lp_linear_layer out;    /* D -> D */
    float *scale1, *scale2; /* [D] or NULL: layer scale; finish puts it into out and fc2 */
    float *norm2_weight, *norm2_bias; /* [D] */
    lp_linear_layer fc1;              /* D -> M; gated: D -> 2M */
    lp_linear_layer fc2;              /* M -> D */
} lp_vit_block;

/* Attention of a learnt query over the patches, then an MLP. */
typedef struct lp_vit_pool {
    float *query;                   /* [D]; after finish times its weight, + bias */
    lp_linear_layer qkv;            /* D -> 3D; after finish k and v alone, D -> 2D */
    lp_linear_layer out;            /* D -> D */
    float *norm_weight, *norm_bias; /* [D] */
    lp_linear_layer fc1;            /* D -> A */
    lp_linear_layer fc2;            /* A -> D */
} lp_vit_pool;

typedef struct lp_vit {
    lp_vit_shape shape;
    float eps; /* of every layer norm */
    lp_activation activation;
    lp_precision precision; /* of the blocks' linear layers that all tokens go through */
    bool gated;             /* the blocks' MLP is SwiGLU: silu(first half) * second half */
    lp_pool pool;
    size_t class_tokens; /* with LP_POOL_CLASS: the mean of so many first tokens; 1, or 2 (DeiT's
                            class and distillation token) */

    lp_linear_layer patch;                    /* 3PP -> D: the weight is [D, 3, P, P] */
    float *class_token;                       /* [D] or NULL */
    float *extra_tokens;                      /* [prefix - 1 or prefix, D] or NULL */
    float *stored_positions;                  /* as the file has them */
    float *norm_pre_weight, *norm_pre_bias;   /* [D] or NULL */
    float *norm_post_weight, *norm_post_bias; /* [D] or NULL */
    float *fc_norm_weight, *fc_norm_bias;     /* [D] or NULL: after pooling */
    float *projection;                        /* [D, E] or NULL; finish makes it the head */
    lp_linear_layer head;       /* D -> E, the projection; weights NULL where there is none */
    lp_vit_pool attention_pool; /* NULLs where there is none */
    lp_vit_block *blocks;       /* [layers] */

    /* Of the last block where one token leaves it, a layer for each head n [heads]: u = q_n W_k,n /
     * sqrt(DH), DH -> D, and v = W_v,n h + b, D -> DH; else unused.  Their weights lie behind
     * the block's; `values` is behind `keys`. */
    lp_linear_layer *keys, *values;

    /* Made of the file's tokens and positions; `made` owns them. */
    float *made;
    float *prefix_tokens; /* [prefix, D]: with their positions */
    float *positions;     /* [G*G, D] */
} lp_vit;

/* Whether nothing but the first token of each image leaves the last block. */
bool lp_vit_ends_with_one_token(const lp_vit *vit);

/* Floats of scratch memory for a batch; SIZE_MAX where their number does not fit. */
size_t lp_vit_scratch(const lp_vit *vit, size_t batch);

/* images float32 [batch, 3, G*P, G*P] -> features float32 [batch, E] (projected)
 * or [batch, D].  batch * T fits in an int. */
void lp_vit_run(const lp_vit *vit, const float *images, size_t batch, bool projected,
                float *features, float *scratch, const lp_tap *tap);

/* The kind of tower; its families' layouts are an lp_vit_layout each. */
extern const lp_tower_kind lp_vit_kind;

#endif
