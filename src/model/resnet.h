/* Residual networks, torchvision's and CLIP's modified ones, as they run: packed weights, and the
 * forward pass over them. */
#ifndef LP_MODEL_RESNET_H
#define LP_MODEL_RESNET_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/encoder.h"
#include "math/conv.h"
#include "math/linear.h"
#include "model/tower.h"

enum { LP_RESNET_STAGES = 4 };

/* A convolution with its batch norm folded in, or a linear layer (a 1x1 convolution). */
typedef struct lp_resnet_layer {
    lp_conv conv;
    bool winograd; /* runs by math/winograd.h, and is packed for it */
    /* Of another precision than float32: the layer as which it runs (math/conv_linear.h), or
     * LP_WINOGRAD_PLANES of them; NULL: float32. */
    lp_packed_linear *products;
} lp_resnet_layer;

typedef struct lp_resnet_block {
    lp_resnet_layer *layers; /* [depth], then the shortcut's if there is one */
    size_t depth;            /* 2, or 3 of a bottleneck */
    bool shortcut;           /* the input goes through a convolution before it is added */
    size_t pool; /* pixels a side averaged before the last layer and the shortcut's; 1: none */
    char name[40];
} lp_resnet_block;

typedef struct lp_resnet {
    lp_precision precision;
    lp_packed_linear *products; /* all layers' */
    bool clip;    /* stem of three convolutions, average instead of maximum, attention pooling */
    size_t input; /* pixels a side */
    size_t stage_blocks[LP_RESNET_STAGES];
    lp_resnet_layer *layers; /* [layer_count]: stem, blocks, then query, key, value, projection */
    size_t layer_count;
    size_t stem_depth; /* 1 or 3 */
    lp_resnet_block *blocks;
    size_t block_count;
    float *zeros; /* as many as the widest pixel has channels */
    /* attention pooling; NULLs where there is none */
    lp_resnet_layer *query, *key, *value, *projection; /* key: transposed, see resnet_forward.c */
    size_t heads;
    const float *positions; /* [1 + P, C] */
} lp_resnet;

/* lp_tower_kind's scratch and run; tower begins with an lp_resnet.  images float32
 * [batch, 3, input, input] -> features float32 [batch, E] (projected) or [batch, C]. */
size_t lp_resnet_scratch(const void *tower, size_t batch);
void lp_resnet_run(const void *tower, const float *images, size_t batch, lp_feature_point point,
                   float *features, float *scratch, const lp_observer *observer);

/* The kind of tower; a family's layout is one of these. */
typedef struct lp_resnet_layout {
    bool clip;
    const char *const *ignored; /* as of lp_plan_check */
} lp_resnet_layout;

extern const lp_resnet_layout lp_resnet_openai, lp_resnet_torchvision;
extern const lp_tower_kind lp_resnet_kind;

#endif
