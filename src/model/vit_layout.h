/* How files name the weights of a vision transformer. */
#ifndef LP_MODEL_VIT_LAYOUT_H
#define LP_MODEL_VIT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

/* Weights that only some models of a naming have, and have or lack together.  Bits of a set. */
enum {
    LP_VIT_CLASS = 1 << 0,            /* class token */
    LP_VIT_REGISTERS = 1 << 1,        /* register tokens */
    LP_VIT_REGISTERS_DINOV2 = 1 << 2, /* the same under facebookresearch/dinov2's name */
    LP_VIT_DISTILLED = 1 << 3,        /* distillation token */
    LP_VIT_NORM_PRE = 1 << 4,         /* norm before the blocks */
    LP_VIT_QKV_BIAS = 1 << 5,         /* bias of the blocks' qkv */
    LP_VIT_LAYER_SCALE = 1 << 6,      /* layer scale */
    LP_VIT_LAYER_SCALE_DEIT = 1 << 7, /* the same under DeiT III's names */
    LP_VIT_GATED = 1 << 8,            /* SwiGLU by names of its own */
    LP_VIT_GATED_BY_SHAPE = 1 << 9,   /* SwiGLU under the plain MLP's names, in other shapes */
    LP_VIT_FC_NORM = 1 << 10,         /* norm after pooling, not before */
    LP_VIT_ATTENTION_POOL = 1 << 11,  /* attention pool */
    LP_VIT_HEAD = 1 << 12,            /* projection */
    LP_VIT_HEAD_TRUNK = 1 << 15,      /* the same, as the timm tower's own head */
    LP_VIT_NORM_POST = 1 << 16,       /* norm after the blocks */
    LP_VIT_HEAD_BIAS = 1 << 13,       /* its bias */
    LP_VIT_HEAD_TRUNK_BIAS = 1 << 17, /* its bias */
    LP_VIT_ANY_GATE = LP_VIT_GATED | LP_VIT_GATED_BY_SHAPE,
    LP_VIT_WITHOUT = 1 << 14 /* beside others: the models that have none of them */
};

/* What a row's field is. */
typedef enum lp_vit_field {
    LP_VIT_VALUES, /* a float *, to the values */
    LP_VIT_NORM,   /* a lp_vit_norm */
    LP_VIT_LINEAR, /* a lp_stored_linear: the values are its weights */
    LP_VIT_JOINED  /* none: the values follow those of the row before.  Separate q, k, v become one
                      matrix */
} lp_vit_field;

/* One weight, or a weight and its bias.  Letters of shapes: D width, P patch, S stored positions, R
 * extra tokens, M MLP width, A the attention pool's MLP width, E embedding. */
typedef struct lp_vit_weight {
    const char *name;  /* behind the prefix, or "<prefix><blocks>N."; "/x" is x, without any */
    const char *shape; /* see weight_plan.h */
    const char *bias;  /* the shape of "<name>.bias", which stands beside "<name>.weight"; NULL: the
                          name is whole, and a bias has a row of its own */
    lp_vit_field kind;
    size_t field;    /* offset in lp_vit_stored or lp_vit_stored_block */
    unsigned groups; /* the models that have it: 0, all; else those with one of these groups, or,
                        with LP_VIT_WITHOUT, those with none of them */
} lp_vit_weight;

typedef struct lp_vit_rows {
    const lp_vit_weight *rows;
    size_t count;
} lp_vit_rows;

typedef struct lp_vit_layout {
    const char *positions;      /* whose last dimension but one is S */
    bool patches_alone;         /* positions may be for patches only, in spite of a class token */
    bool projection_transposed; /* it is stored as [D, E], as x is multiplied by it */
    const char *blocks;         /* what a block's tensors begin with, behind the prefix */
    const char *fc1, *fc2;      /* of a block: their shapes show LP_VIT_GATED_BY_SHAPE; or NULL */
    lp_vit_rows weights, block_weights;
    const char *const *ignored; /* as lp_plan_check's */
} lp_vit_layout;

/* openai/CLIP; timm and those who followed it; Hugging Face's CLIP and SigLIP, DINOv2, ViT. */
extern const lp_vit_layout lp_vit_openai, lp_vit_timm, lp_vit_hf_clip, lp_vit_hf_dinov2, lp_vit_hf,
    lp_vit_hf_internvl;

#endif
