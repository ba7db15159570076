/* The vision transformer's weights as a file has them, and how they become those that run.
 *
 * The life of a weight:
 *
 *   planned   a row of the layout (vit_layout.c) adds it to the plan (weight_plan.h), which
 *             compares its shape with the file's.  lp_vit_reserve adds the room that its packed
 *             form needs.
 *   stored    lp_plan_read fills one arena and points the fields of lp_vit_stored into it: float32,
 *             in PyTorch's order, linear layers as [out, in].
 *   packed    lp_vit_pack makes an lp_vit (vit.h) of it.  A linear layer is copied aside and
 *             packed, in its precision, into the same place of the arena, because a second arena
 *             would double the memory; layer scale is multiplied into the layer before it.  What
 *             is not a linear layer (norms, biases) is used where it lies.
 *   run       lp_vit_run reads the lp_vit.  Nothing changes any more.
 *
 * After lp_vit_pack the stored model is empty: no weight is reached by two names. */
#ifndef LP_MODEL_VIT_STORED_H
#define LP_MODEL_VIT_STORED_H

#include <stdbool.h>
#include <stddef.h>
#include "model/positions.h"
#include "model/tower.h"
#include "model/vit.h"
#include "model/vit_layout.h"
#include "model/weight_plan.h"

/* y = x W' + b as in the file. */
typedef struct lp_stored_linear {
    bool present;    /* the model has it */
    bool transposed; /* the weights are [in, out] */
    size_t planned;  /* their number in the plan */
    size_t in, out;
    float *weights; /* [out, in] */
    float *bias;    /* [out] or NULL */
} lp_stored_linear;

typedef struct lp_vit_stored_block {
    lp_vit_norm norm1, norm2;
    lp_stored_linear qkv;   /* D -> 3D: q, then k, then v */
    lp_stored_linear out;   /* D -> D */
    float *scale1, *scale2; /* [D] or NULL: layer scale, after out and after fc2 */
    lp_stored_linear fc1;   /* D -> M; gated: D -> 2M */
    lp_stored_linear fc2;   /* M -> D */
} lp_vit_stored_block;

typedef struct lp_vit_stored_pool {
    float *query;         /* [D] or NULL: there is no such pool */
    lp_stored_linear qkv; /* D -> 3D */
    lp_stored_linear out; /* D -> D */
    lp_vit_norm norm;
    lp_stored_linear fc1; /* D -> A */
    lp_stored_linear fc2; /* A -> D */
} lp_vit_stored_pool;

typedef struct lp_vit_stored {
    size_t layers;
    unsigned groups;        /* of weights that the model has (vit_layout.h) */
    lp_stored_linear patch; /* 3PP -> D: [D, 3, P, P] */
    float *class_token;     /* [D] or NULL */
    float *extra_tokens;    /* [prefix - 1 or prefix, D] or NULL */
    float *positions;       /* [covered + grid * grid, D] */
    size_t covered;         /* tokens before the patches that have a position */
    size_t grid;            /* patches a side that the positions are for */
    lp_resize resize;       /* of the positions, for another grid */
    lp_vit_norm norm_pre, norm_post, fc_norm;
    bool norm_after_pool;        /* norm_post is taken of the pooled vector */
    lp_vit_stored_block *blocks; /* [layers] */
    lp_vit_stored_pool pool;
    lp_stored_linear projection; /* D -> E */
} lp_vit_stored;

/* A model as read and as it runs: the weights go from the one to the other. */
typedef struct lp_vit_tower {
    lp_vit vit; /* first: vit_forward.c reads nothing else */
    lp_vit_stored stored;
} lp_vit_tower;

/* The blocks that the file has; at least 1. */
size_t lp_vit_count_blocks(const lp_source *source);

/* Adds every weight that a model with these tensors has to the plan, checks it, and fills in the
 * dimensions that weights say: all of shape but grid, tokens, layers and heads.  stored has its
 * layers and blocks.  Returns the groups of weights that the model has (vit_layout.h). */
unsigned lp_vit_plan(const lp_source *source, lp_vit_stored *stored, lp_weight_plan *plan,
                     lp_vit_shape *shape);

/* Sizes of the linear layers, and room for their packed form, in a plan that was checked.  vit has
 * its shape and choices, and stays as it is. */
void lp_vit_reserve(lp_vit_stored *stored, lp_vit *vit, lp_weight_plan *plan);

/* lp_tower_kind's pack, of an lp_vit_tower that has its shape and choices; empties the stored
 * weights. */
LP_MUST_USE lp_status lp_vit_pack(void *tower, const lp_weight_plan *plan, lp_checkpoint *ckpt,
                                  size_t threads, lp_error *err);

#endif
