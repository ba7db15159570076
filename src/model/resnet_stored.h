/* A residual network's weights as a file has them.
 *
 * A weight's life is that in vit_stored.h: planned, stored in one arena, packed into its own place
 * there, run.  Packing also folds each batch norm into the convolution before it. */
#ifndef LP_MODEL_RESNET_STORED_H
#define LP_MODEL_RESNET_STORED_H

#include <stdbool.h>
#include <stddef.h>
#include "model/resnet.h"
#include "model/weight_plan.h"

/* One convolution and its batch norm, or one linear layer. */
typedef struct lp_resnet_stored_layer {
    size_t planned; /* the weight's number in the plan */
    bool key;       /* of the attention pool: runs transposed, and its bias does not count */
    float *weight;  /* [out, in, high, wide], or [out, in] */
    float *bias;    /* of the batch norm, or of the linear layer */
    float *scale, *mean, *variance; /* of the batch norm; NULL: there is none */
} lp_resnet_stored_layer;

typedef struct lp_resnet_stored {
    float norm_eps;
    lp_resnet_stored_layer *layers; /* as lp_resnet.layers */
    float *positions;               /* [1 + P, C] or NULL */
} lp_resnet_stored;

/* A network as read and as it runs: the weights go from the one to the other. */
typedef struct lp_resnet_tower {
    lp_resnet resnet; /* first: resnet_forward.c reads nothing else */
    lp_resnet_stored stored;
} lp_resnet_tower;

/* Room for the packed weights in a plan that was checked, and the network's zeros.  resnet has its
 * geometry. */
LP_MUST_USE lp_status lp_resnet_reserve(const lp_resnet_stored *stored, lp_resnet *resnet,
                                        lp_weight_plan *plan, lp_error *err);

/* lp_tower_kind's pack, of an lp_resnet_tower; empties the stored weights. */
LP_MUST_USE lp_status lp_resnet_pack(void *tower, size_t threads, lp_error *err);

#endif
