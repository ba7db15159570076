/* The kinds of steps of a network, and what their files share.
 *
 * A map is [B, side, side, channels], pixels as rows of channels.  A linear layer's rows are tiled
 * (math/tiles.h) by what makes them, a chunk of pixels at a time: the wide values inside an MLP
 * then stay in the second-level cache. */
#ifndef LP_MODEL_NET_STEPS_H
#define LP_MODEL_NET_STEPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "math/linear_any.h"
#include "math/tiles.h"
#include "model/net.h"

enum {
    LP_NET_LEAST_ROWS = 16 * LP_TILE_ROWS, /* of a chunk, or weights are read too often */
    LP_NET_LINE = 16,                      /* floats of a cache line */
    /* Rows of one product of attention or patches: whole images, but one at least.  16 of ViT-B/32
     * with 50 tokens.  Chosen, not measured. */
    LP_NET_PRODUCT_ROWS = 800
};

/* Lays pieces of scratch memory one behind the other from `work` on -> at [count], which is written
 * where there is work, and returns the floats of all. */
static inline size_t lp_net_divide(const size_t *floats, size_t count, float *work, float **at) {
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        if (work != NULL) {
            at[i] = work + used;
        }
        used += floats[i];
    }
    return used;
}

/* A run. */
typedef struct lp_net_pass {
    const lp_net *net;
    size_t batch;
    const float *images;
    float *maps, *work, *rounded;
    lp_pool pool; /* of the rows: CLASS or MEAN */
    const lp_observer *observer;
} lp_net_pass;

static inline size_t lp_net_lines(size_t floats) {
    return (floats + LP_NET_LINE - 1) / LP_NET_LINE * LP_NET_LINE;
}

static inline const lp_net_layer *lp_net_layer_of(const lp_net_pass *p, const lp_net_step *step,
                                                  size_t i) {
    return &p->net->layers[step->layers[i]];
}

/* A linear layer of any precision. */
static inline void lp_net_multiply(const lp_net_pass *p, const lp_net_layer *layer, const float *x,
                                   size_t rows, const lp_linear_output *output) {
    lp_linear_any_run(&layer->linear, x, rows, output, p->rounded);
}

/* Rows of a map. */
static inline size_t lp_net_pixels(const lp_net_map *map) {
    return map->side * map->side + map->extra;
}

/* A map's values. */
static inline float *lp_net_values(const lp_net_pass *p, size_t map) {
    size_t before = 0;
    for (size_t i = 0; i < p->net->maps[map].place; i++) {
        before += p->net->places[i];
    }
    return p->maps + p->batch * before;
}

/* Images of a batch that go through one product, of so many rows each. */
static inline size_t lp_net_together(size_t rows, size_t batch) {
    size_t most = LP_NET_PRODUCT_ROWS / rows;
    return most == 0 ? 1 : most < batch ? most : batch;
}

static inline double lp_net_floats(const lp_net_pass *p, size_t map) {
    const lp_net_map *m = &p->net->maps[map];
    return (double)(p->batch * lp_net_pixels(m)) * (double)m->channels;
}

/* Floats of scratch memory that a step needs beside the maps, and the step. */
typedef size_t lp_net_work(const lp_net *net, const lp_net_step *step, size_t batch);
typedef void lp_net_act(const lp_net_pass *p, const lp_net_step *step);

/* net_run.c; whether step i, a depthwise convolution, may make what it reads itself: the step
 * before is a 1x1 convolution of every pixel, and nobody else reads what it gives. */
bool lp_net_is_expanded(const lp_net *net, size_t i);

/* net_pixels.c */
lp_net_work lp_net_convolve_work, lp_net_mean_work, lp_net_group_norm_work, lp_net_no_work;
lp_net_act lp_net_run_convolve, lp_net_run_norm, lp_net_run_group_norm, lp_net_run_affine,
    lp_net_run_pool, lp_net_run_mean, lp_net_run_scale, lp_net_run_add, lp_net_run_copy;

/* net_mlp.c; the first: a norm of either kind over rows [rows, width] -> y, which may be x; then
 * the same -> tiled, also of the layer that is none.  between: as many floats as x, where the norm
 * is an RMS norm. */
void lp_net_norm_plain(const lp_net_layer *norm, const float *x, size_t rows, size_t width,
                       float *y);
void lp_net_norm_rows(const lp_net_layer *norm, const float *x, size_t rows, size_t width,
                      float *between, float *tiled);
lp_net_work lp_net_mlp_work, lp_net_merge_work;
lp_net_act lp_net_run_mlp, lp_net_run_merge;

/* net_attention.c; the first three are of steps whose layer 1 makes queries, keys and values, and
 * each ends its stage.  Layer 1 of tiled rows -> qkv [rows, 3 width]; the same behind a layer norm
 * by layer 0 of x [rows, width], with tiled for what it gives; x += layer 3 of tiled rows. */
void lp_net_multiply_qkv(const lp_net_pass *p, const lp_net_step *step, const float *tiled,
                         size_t rows, float *qkv);
void lp_net_norm_qkv(const lp_net_pass *p, const lp_net_step *step, const float *x, size_t rows,
                     float *tiled, float *qkv);
void lp_net_project(const lp_net_pass *p, const lp_net_step *step, const float *tiled, size_t rows,
                    float *x);
lp_net_work lp_net_patches_work, lp_net_attend_work, lp_net_latent_work, lp_net_mean_query_work,
    lp_net_take_work, lp_net_project_work;
lp_net_act lp_net_run_patches, lp_net_run_start, lp_net_run_attend, lp_net_run_latent,
    lp_net_run_mean_query, lp_net_run_take, lp_net_run_project;

/* net_ask.c */
lp_net_work lp_net_ask_work;
lp_net_act lp_net_run_ask, lp_net_run_put;

/* net_relative.c */
lp_net_work lp_net_relative_work;
lp_net_act lp_net_run_relative;

/* net_talk.c, net_covariance.c, net_class.c */
lp_net_work lp_net_talk_work, lp_net_covariance_work, lp_net_class_work;
lp_net_act lp_net_run_talk, lp_net_run_covariance, lp_net_run_class;

/* net_units.c */
lp_net_work lp_net_units_work;
lp_net_act lp_net_run_units;

/* net_joins.c */
lp_net_act lp_net_run_join, lp_net_run_halves, lp_net_run_flatten;

/* net_windows.c */
lp_net_work lp_net_windows_work;
lp_net_act lp_net_run_windows;

#endif
