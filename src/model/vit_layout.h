/* How files name the weights of a vision transformer. */
#ifndef LP_MODEL_VIT_LAYOUT_H
#define LP_MODEL_VIT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

/* One weight.  Letters of shapes: D width, P patch, S stored positions, R extra tokens, M MLP
 * width, A the attention pool's MLP width, E embedding. */
typedef struct lp_vit_weight {
    const char
        *name; /* behind the prefix, or behind "<prefix><blocks>N."; "/x" is x, without any */
    const char *shape; /* see weight_plan.h */
    size_t field;      /* offset in lp_vit or lp_vit_block of the pointer; or LP_VIT_JOINED */
    /* '\0': every model has it.  A small letter: the models that have any weight of this group
     * have them all.  A capital: the models without that group have it. */
    char group;
} lp_vit_weight;

/* The weight's values follow those of the row before: separate q, k, v become one matrix. */
#define LP_VIT_JOINED ((size_t)-1)

/* Groups that vit_tower.c looks at. */
enum {
    LP_VIT_CLASS = 'c',        /* class token */
    LP_VIT_EXTRA = 'r',        /* register tokens */
    LP_VIT_EXTRA_DINOV2 = 't', /* the same under facebookresearch/dinov2's name */
    LP_VIT_DISTILLED = 'd',    /* distillation token */
    LP_VIT_FC_NORM = 'f',      /* norm after pooling, not before */
    LP_VIT_ATTENTION = 'a',    /* attention pool */
    LP_VIT_GATED = 'g',        /* SwiGLU by names of its own */
    LP_VIT_PACKED = 'p',       /* SwiGLU under the plain MLP's names: told by its shape */
    LP_VIT_ANY_GATE = 'm',     /* either */
};

typedef struct lp_vit_layout {
    const char *positions; /* whose last dimension but one is S */
    bool patches_alone;    /* positions may be for patches only, in spite of a class token */
    const char *blocks;    /* what a block's tensors begin with, behind the prefix */
    const char *fc1, *fc2; /* of a block: their shapes tell LP_VIT_PACKED; or NULL */
    const lp_vit_weight *weights;
    size_t weight_count;
    const lp_vit_weight *block_weights;
    size_t block_weight_count;
    const char *const *ignored; /* as lp_plan_check's */
} lp_vit_layout;

/* openai/CLIP; timm and those who followed it; Hugging Face's CLIP and SigLIP, DINOv2, ViT. */
extern const lp_vit_layout lp_vit_openai, lp_vit_timm, lp_vit_hf_clip, lp_vit_hf_dinov2, lp_vit_hf;

#endif
