/* Networks that run from a description: what one is while it runs.
 *
 * A description (convnext.c; net_build.h has its words) lists the steps of a network in their
 * order.  A step reads maps, [B, side, side, channels], which are known by number, and writes one.
 * Map 0 is the images.  net_load.c finds what the weights do not say, net_pack.c packs the weights,
 * net_run.c gives the maps their places and runs the steps.  A new family of networks is a new
 * description; a new kind of step is a row of the table in net_run.c. */
#ifndef LP_MODEL_NET_H
#define LP_MODEL_NET_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/encoder.h"
#include "math/conv.h"
#include "math/linear.h"
#include "model/tower.h"

/* Weights and how they run.  Number 0 of a network's layers is none. */
typedef enum lp_net_layer_kind {
    LP_NET_CONV,      /* math/conv.h; linear layers over single pixels, too */
    LP_NET_WINOGRAD,  /* math/winograd.h */
    LP_NET_DEPTHWISE, /* math/depthwise.h */
    LP_NET_LINEAR,    /* math/linear.h, over tiles of rows */
    LP_NET_TABLE,  /* relative positions of a window: bias [heads, N, N] of N = window^2 pixels */
    LP_NET_VECTORS /* weight and bias of each channel: of norms */
} lp_net_layer_kind;

typedef struct lp_net_layer {
    lp_net_layer_kind kind;
    lp_conv conv;               /* of the first three */
    lp_packed_linear linear;    /* of LINEAR */
    const float *weight, *bias; /* of VECTORS, [channels]; of TABLE, bias alone */
    size_t window, heads;       /* of TABLE: pixels a side */
    float eps;                  /* of a norm; 0 until chosen: the family's */
} lp_net_layer;

typedef enum lp_net_operation {
    LP_NET_CONVOLVE, /* to = act(layer 0 of from + add) */
    LP_NET_NORM,     /* to = layer norm of each pixel of from, by layer 0 */
    LP_NET_MLP,      /* to += layer 3 of act(layer 1 of (layer norm by layer 0 of from)); between
                        the two, where there is a layer 2, global response normalisation */
    LP_NET_WINDOWS,  /* to += layer 3 of attention within windows, its queries, keys and values by
                        layer 1 of (layer norm by layer 0 of to), its scores + layer 2 */
    LP_NET_MERGE,    /* to = layer 1 of (layer norm by layer 0 of 2 x 2 pixels of from) */
    LP_NET_SCALE,    /* to *= from, which has one pixel */
    LP_NET_ADD,      /* to += from */
    LP_NET_MEAN      /* to = the mean of all pixels of from, one pixel */
} lp_net_operation;

enum { LP_NET_STEP_LAYERS = 4 };

typedef struct lp_net_step {
    lp_net_operation operation;
    size_t from, to, add;              /* maps; add 0: none */
    size_t layers[LP_NET_STEP_LAYERS]; /* by number */
    lp_nonlinearity activation;
    bool shifted;  /* of windows */
    bool usual;    /* the activation is the family's, or what is said instead of it */
    char name[40]; /* of the stage that ends here (lp_observe_stage); "": none does */
} lp_net_step;

typedef struct lp_net_map {
    size_t channels;
    size_t side;  /* pixels, for the input that was chosen */
    size_t last;  /* the step that reads it last */
    size_t place; /* in the scratch memory: of lp_net.places */
} lp_net_map;

typedef struct lp_net {
    lp_net_layer *layers;
    lp_net_step *steps;
    lp_net_map *maps;
    size_t layer_count, step_count, map_count;
    size_t penultimate, projected; /* maps of one pixel; projected 0: there is none */
    size_t input;                  /* pixels a side */
    float *zeros;                  /* as many as the widest pixel has channels */
    size_t *places;                /* floats of each, for one image */
    size_t place_count;
    size_t most_batch; /* images that a run takes */
} lp_net;

/* Computes the maps' sides for net->input, and their places.  False where the input is too small
 * for a kernel, or does not divide into windows.  places and `taken` have room for map_count; taken
 * holds false. */
bool lp_net_lay_out(lp_net *net, bool *taken);

/* lp_tower_kind's scratch and run; tower begins with an lp_net. */
size_t lp_net_scratch(const void *tower, size_t batch);
void lp_net_run(const void *tower, const float *images, size_t batch, lp_feature_point point,
                float *features, float *scratch, const lp_observer *observer);

extern const lp_tower_kind lp_net_kind;

#endif
