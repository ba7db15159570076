/* How files name the weights of a vision transformer. */
#ifndef LP_MODEL_VIT_LAYOUT_H
#define LP_MODEL_VIT_LAYOUT_H

#include <stddef.h>

/* One weight.  Letters of shapes: D width, P patch, T positions, M MLP width, E embedding. */
typedef struct lp_vit_weight {
    const char *name;  /* behind the prefix, or behind "<prefix><blocks>N." */
    const char *shape; /* see weight_plan.h */
    size_t field;      /* offset in lp_vit or lp_vit_block of the pointer; or LP_VIT_JOINED */
} lp_vit_weight;

/* The weight's values follow those of the row before: separate q, k, v become one matrix. */
#define LP_VIT_JOINED ((size_t)-1)

typedef struct lp_vit_layout {
    const char *blocks; /* what a block's tensors begin with, behind the prefix */
    const lp_vit_weight *weights;
    size_t weight_count;
    const lp_vit_weight *block_weights;
    size_t block_weight_count;
    const char *const *ignored; /* as lp_plan_check's */
} lp_vit_layout;

extern const lp_vit_layout lp_vit_openai, lp_vit_timm;

#endif
