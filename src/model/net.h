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
#include "math/pool.h"
#include "model/tower.h"

/* Weights and how they run.  Number 0 of a network's layers is none. */
typedef enum lp_net_layer_kind {
    LP_NET_CONV,      /* math/conv.h; linear layers over single pixels, too */
    LP_NET_WINOGRAD,  /* math/winograd.h */
    LP_NET_DEPTHWISE, /* math/depthwise.h */
    LP_NET_LINEAR,    /* math/linear_any.h, over tiles of rows */
    LP_NET_TABLE,  /* relative positions of a window: bias [heads, N, N] of N = window^2 pixels */
    LP_NET_TOKENS, /* of what stands before patches: weight [extra, channels]; bias: positions of
                      patches, [N, channels], or NULL */
    LP_NET_ROTARY, /* weight: cosines, bias: sines, [extra + N, head width / 2] */
    LP_NET_VECTORS /* weight and bias of each channel: of norms; of a batch norm its scale and
                      shift */
} lp_net_layer_kind;

/* Rotary positions.  The angles of a patch are its row's coordinate times F frequencies, then its
 * column's; a head is 4 F wide.
 *
 *   plain    coordinate (number + offset) reference / grid; frequency temperature^(-i / F)
 *   centred  coordinate 2 (number + 1/2) / grid - 1; frequency 2 pi temperature^(-i / F) */
typedef struct lp_net_rotary {
    bool centred;
    float temperature, offset;
    size_t reference;   /* patches a side that it was trained for; 0: those of the input */
    bool columns_first; /* angles of the column before those of the row */
    bool halves;        /* as lp_rotate_heads has it */
} lp_net_rotary;

typedef struct lp_net_layer {
    lp_net_layer_kind kind;
    lp_conv conv;             /* of the first three */
    lp_packed_linear linear;  /* of LINEAR; of a CONV of another precision than float32, as which it
                                 runs (math/conv_linear.h).  Its precision is the layer's */
    lp_packed_linear *planes; /* of WINOGRAD of another precision: [LP_WINOGRAD_PLANES] */
    lp_packed_linear *keys_values; /* of a LINEAR of queries, keys and values, where one row alone
                                      asks (net_ask.c): each head's keys, then each head's values;
                                      `linear` makes the queries */
    const float *weight, *bias;    /* of VECTORS, [channels]; of TABLE, bias alone */
    size_t window, heads;    /* of TABLE: pixels a side; heads also of a LINEAR of queries, keys
                                and values: so many are packed apart, 0: none */
    size_t patch;            /* of a LINEAR over patches: pixels a side */
    bool distances;          /* TABLE: by the distance in rows and that in columns, either way */
    bool continuous;         /* TABLE: of a cosine's attention (Swin V2); weight: each head's
                                factor; the bias is that of an MLP over the offsets' logarithms */
    size_t stage;            /* of a continuous one whose window the file does not say, from 0 */
    size_t channels, groups; /* of VECTORS; groups: of a group norm */
    size_t extra;            /* of TOKENS, and of a TABLE or a ROTARY that is of them, too: rows
                                before the patches */
    size_t fourier;          /* of TOKENS: the positions are a projection of sines and cosines of
                                so many frequencies of an axis; 0: they are not */
    size_t tile;             /* of TOKENS: positions of a window of so many pixels a side are added
                                to those of all; 0: there are none */
    size_t apart[2]; /* of TOKENS: rows and columns of the file's positions, which are apart; zeros:
                        they are not */
    size_t covered, grid; /* of TOKENS: extra rows that have a position; patches a side of the
                             file's positions, 0: there are none */
    lp_net_rotary rotary; /* of ROTARY */
    float eps;            /* of a norm; 0 until chosen: the family's */
    bool rms;             /* a norm without mean and bias */
    bool query;           /* VECTORS: weight alone, a learnt query */
} lp_net_layer;

typedef enum lp_net_operation {
    LP_NET_CONVOLVE,   /* to = act(layer 0 of from + add) */
    LP_NET_NORM,       /* to = act(layer norm of each pixel of from, by layer 0) */
    LP_NET_GROUP_NORM, /* to = act(group norm of from, by layer 0) */
    LP_NET_AFFINE,     /* to = act(from, each channel scaled and shifted by layer 0) */
    LP_NET_MLP,     /* to += layer 3 of act(layer 1 of (norm by layer 0 of from)); between the two,
                       where there is a layer 2, another norm.  Layer 0 may be none */
    LP_NET_WINDOWS, /* to += layer 3 of attention within windows, its queries, keys and values by
                       layer 1 of (layer norm by layer 0 of to), its scores + layer 2 */
    LP_NET_PATCHES, /* to = layer 0 of the images' patches */
    LP_NET_START,   /* to = the rows of layer 0, then from + its positions */
    LP_NET_ATTEND,  /* to += layer 3 of attention over all rows of from, as WINDOWS; queries and
                       keys through the norms 4 and 5, turned by 7; the result through the norm 6 */
    LP_NET_ASK,     /* to = the first row of from + layer 3 of its attention over all rows, as
                       ATTEND, without their keys and values; layer 1 has its heads apart */
    LP_NET_PUT,     /* the first row of to = from, which has one */
    LP_NET_COPY,    /* to = from */
    LP_NET_TAKE,    /* to = the first row of from, or the mean of its first rows or its patches:
                       lp_net.pool; of (layer norm by layer 0, where there is one) */
    LP_NET_PROJECT, /* to = layer 0 of from, which has one row */
    LP_NET_LATENT,  /* to = layer 3 of attention of a learnt query, layer 2, over the rows of from,
                       their keys and values by layer 1 of (norm by layer 0); or over the patches
                       alone */
    LP_NET_MEAN_QUERY, /* to = attention of the mean's query over the mean and all pixels of from,
                          with positions, layer 0; query, key and value are layers 1 to 3 */
    LP_NET_MERGE,      /* to = layer 1 of (layer norm by layer 0 of 2 x 2 pixels of from) */
    LP_NET_SCALE,      /* to = act(to * from), which has one pixel */
    LP_NET_ADD,        /* to = act(to + from) */
    LP_NET_POOL,       /* to = maxima or means of the windows of from */
    LP_NET_MEAN,       /* to = the mean of all pixels of from, one pixel; summed in float64, or
                          (single) float32 */
    LP_NET_RELATIVE,   /* to += layer 3 of attention within windows, its queries, keys and values by
   layer 1 of (layer norm by layer 0 of to), its scores by the offsets of layer 2, too: weight and
   bias [2 window - 1, head width] of rows and columns */
    LP_NET_JOIN,       /* to = the channels of from, then those of add */
    LP_NET_HALVES,     /* to = the sum of from's two halves of channels; each times its part of the
                          softmax over the halves of add, one pixel, where there is one */
    LP_NET_FLATTEN,    /* to = means of from, pooling.taps a side, all in one pixel, row by row */
    LP_NET_TALK,       /* to += layer 3 of attention of heads that talk over all rows of to, as
                          ATTEND; before the softmax by layer 2, behind it by layer 4: weight [heads,
                          heads], bias [heads] */
    LP_NET_COVARIANCE, /* to += layer 3 of cross-covariance attention, its queries, keys and values
                          by layer 1 of (layer norm by layer 0 of to); layer 2: a factor of each
                          head */
    LP_NET_UNITS,      /* to += layer 3 of attention within windows, without positions, its queries,
                          keys and values by layer 1 of (layer norm by layer 0 of from).  Where to is
                          another map, half as wide, it is first the maxima of 2 x 2 pixels of layer
                          2 of the normed ones, or (no layer 2) their maxima and their means side by
                          side; queries are such maxima, too */
    LP_NET_CLASS       /* a block of class attention: the first row of to += layer 3 of its
                          attention over all rows, as ATTEND; then += layer 6 of act(layer 5 of
                          (layer norm by layer 4)); of the other rows as lp_net_others says */
} lp_net_operation;

/* What happens where the map is no whole number of windows. */
typedef enum lp_net_padding {
    LP_NET_FILLED,       /* it must be */
    LP_NET_PADDED_LAST,  /* the shifted map gets zeros at its end: timm */
    LP_NET_PADDED_FIRST, /* the map gets zeros at its end, and is shifted then: transformers */
    LP_NET_PADDED_ANY,   /* the same, and a window may be larger than the map: torchvision */
    LP_NET_PADDED_BEFORE /* the same, before the norm, of which they get the bias: TinyViT */
} lp_net_padding;

/* What a block of class attention does with the rows behind the first. */
typedef enum lp_net_others {
    LP_NET_OTHERS_STAY,  /* CaiT */
    LP_NET_OTHERS_PASS,  /* XCiT: x = 2 (x + layer 2 * norm 0 of x).  The first row is normed by
                            layer 4 before its MLP's result is added to it */
    LP_NET_OTHERS_NORMED /* the same, x = 2 norm 4 of (x + layer 2 * norm 0 of x) */
} lp_net_others;

/* Which of two heads a step belongs to: what makes a vector of the rows is chosen (lp_net.pool). */
typedef enum lp_net_head {
    LP_NET_ANY_HEAD,
    LP_NET_ATTENDING_HEAD, /* LP_POOL_ATTENTION */
    LP_NET_TAKING_HEAD     /* any other pool */
} lp_net_head;

enum { LP_NET_STEP_LAYERS = 8, LP_NET_STAGES = 4, LP_NET_HIDDEN = 512 /* in a table's MLP */ };

typedef struct lp_net_step {
    lp_net_operation operation;
    size_t from, to, add;              /* maps; add 0: none */
    size_t layers[LP_NET_STEP_LAYERS]; /* by number */
    lp_nonlinearity activation;
    lp_pooling pooling; /* of POOL */
    size_t heads;  /* of LATENT, MEAN_QUERY, TALK, COVARIANCE and CLASS; of ATTEND, where not the
                      network's; of UNITS times the network's */
    size_t window; /* of UNITS: pixels a side, of from; 0: all of it */
    bool single;   /* of MEAN */
    bool patches_only; /* of LATENT: rows before the patches are not seen */
    lp_net_head head;
    bool shifted; /* of windows, as the next */
    lp_net_padding padding;
    lp_net_others others; /* of CLASS */
    bool gated;           /* of MLP: what the first layer gives is two halves, act(one) * other */
    bool response;        /* of MLP: layer 2 is global response normalisation, not a norm of rows */
    bool after;      /* of WINDOWS, MLP, MERGE and TAKE: the norm is of what is added, or of the
                        result */
    bool ends_block; /* of a transformer; what it writes are the block's rows */
    bool usual;      /* the activation is the family's, or what is said instead of it */
    char name[40];   /* of the stage that ends here (lp_observe_stage); "": none does */
} lp_net_step;

typedef struct lp_net_map {
    size_t channels;
    size_t side;  /* pixels, for the input that was chosen */
    size_t extra; /* rows in front of the pixels: class token, registers */
    bool pooled;  /* one vector of the whole image */
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
    lp_precision precision;        /* of what lp_net_choose_precision chose */
    size_t rounded;                /* floats of scratch memory for it */
    size_t heads;                  /* of attention over all rows */
    bool class_token;              /* the first row is one */
    bool mean_normed;              /* a norm behind the pool is the mean's: it is not taken */
    size_t class_rows;             /* rows whose mean is taken for it; 0: itself */
    bool unnormed;                 /* features are of rows behind no norm, as the file has none */
    lp_pool pool;                  /* how a vector is made of the rows */
    bool whole_mlps;               /* an MLP takes as many rows at once as attention */
    bool rounds_vectors;           /* layers of pooled vectors run in 16 bits, too */
    size_t rows, head;             /* the map of all blocks' rows, and the first step behind the
                                      last block; 0: none is known */
    lp_layers blocks;              /* whose vectors are features; zeros: penultimate */
    size_t window;                 /* of tables that do not say it; 0: all say it */
    size_t pretrained[LP_NET_STAGES]; /* their windows that offsets are measured by; 0: their own */
    float *zeros;                     /* as many as the widest pixel has channels */
    size_t *places;                   /* floats of each, for one image */
    size_t place_count;
    size_t most_batch; /* images that a run takes */
} lp_net;

/* Computes the maps' sides for net->input, and their places.  False where the input is too small
 * for a kernel, or does not divide into windows.  places and `taken` have room for map_count; taken
 * holds false. */
bool lp_net_lay_out(lp_net *net, bool *taken);

/* Which layers run in the network's precision: of 16 bits, those that are convolutions of one group
 * or linear layers over rows or pixels; of 8 bits, such linear layers alone.  What reads the images
 * or one vector of each stays float32, but for patches of 16 bits, and vectors of 16 bits where
 * net->rounds_vectors.  After lp_net_lay_out.  False where
 * no layer does. */
bool lp_net_choose_precision(lp_net *net);

/* Vectors of a penultimate feature: one, or those of net->blocks and net->pool. */
size_t lp_net_vectors(const lp_net *net);

/* lp_tower_kind's scratch and run; tower begins with an lp_net. */
size_t lp_net_scratch(const void *tower, size_t batch);
void lp_net_run(const void *tower, const float *images, size_t batch, lp_feature_point point,
                float *features, float *scratch, const lp_observer *observer);

extern const lp_tower_kind lp_net_kind;

#endif
