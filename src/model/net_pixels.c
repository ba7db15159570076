/* Steps of networks over the pixels of maps: convolutions, norms, pooling, gates. */
#include <string.h>

#include "math/channels.h"
#include "math/conv_linear.h"
#include "math/depthwise.h"
#include "math/heads.h"
#include "math/pool.h"
#include "math/rows.h"
#include "math/winograd.h"
#include "model/net_steps.h"

/* ---- convolutions ---------------------------------------------------------------------------- */

/* Weights of a convolution, as many as are multiplied for each output pixel. */
static double weights_of(const lp_net_layer *layer) {
    const lp_conv *c = &layer->conv;
    double taps = layer->kind == LP_NET_WINOGRAD ? 16 : (double)(c->taps_high * c->taps_wide);
    return (double)(c->groups * c->out * c->in) * taps;
}

/* The step that makes what a depthwise step alone reads, if the two run as one: its map is then
 * never written.  Its weights are read again for every band of rows, which pays where the map is
 * larger than they are. */
static const lp_net_step *expansion_of(const lp_net *net, const lp_net_step *step) {
    if (!lp_net_is_expanded(net, (size_t)(step - net->steps))) {
        return NULL;
    }
    const lp_net_layer *expand = &net->layers[step[-1].layers[0]];
    size_t side = net->maps[step->from].side;
    bool runs = expand->linear.precision == LP_PRECISION_FLOAT32 && side * side >= expand->conv.in;
    return runs ? step - 1 : NULL;
}

/* Whether the next step runs this one. */
static bool is_expansion(const lp_net *net, const lp_net_step *step) {
    return step + 1 < net->steps + net->step_count && step[1].operation == LP_NET_CONVOLVE &&
           expansion_of(net, step + 1) == step;
}

size_t lp_net_convolve_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    const lp_net_layer *layer = &net->layers[step->layers[0]];
    const lp_conv *conv = &layer->conv;
    size_t side = net->maps[step->from].side;
    lp_precision precision = layer->linear.precision;
    bool rounded = precision != LP_PRECISION_FLOAT32;
    return step->from == 0 ? batch * lp_conv_images_scratch(conv, side)
           : layer->kind == LP_NET_DEPTHWISE
               ? (expansion_of(net, step) != NULL ? lp_depthwise_expanded_scratch(conv, side)
                                                  : lp_depthwise_scratch(conv, side))
           : layer->kind == LP_NET_WINOGRAD
               ? (rounded ? lp_winograd_linear_scratch(conv, precision) : lp_winograd_scratch(conv))
           : rounded ? lp_conv_linear_scratch(conv, precision)
                     : 0;
}

/* A convolution of any precision over a map. */
static void convolve(const lp_net_pass *p, const lp_net_step *step, const float *add, float *y) {
    const lp_net_layer *layer = lp_net_layer_of(p, step, 0);
    const lp_net_map *from = &p->net->maps[step->from], *to = &p->net->maps[step->to];
    const float *x = lp_net_values(p, step->from);
    lp_conv_input in = lp_conv_dense(x, p->batch, from->side, from->side, from->channels);
    if (layer->planes != NULL) {
        lp_winograd_linear_run(&layer->conv, layer->planes, x, p->batch, from->side, add,
                               step->activation, y, p->work);
    } else if (layer->kind == LP_NET_WINOGRAD) {
        lp_winograd_run(&layer->conv, x, p->batch, from->side, add, step->activation, y, p->work);
    } else if (layer->linear.precision != LP_PRECISION_FLOAT32) {
        if (add != NULL && add != y) {
            memcpy(y, add, p->batch * lp_net_pixels(to) * to->channels * sizeof *y);
        }
        lp_conv_linear_run(&layer->conv, &layer->linear, &in, add != NULL, step->activation, y,
                           p->work);
    } else {
        lp_conv_run(&layer->conv, &in, add, step->activation, y);
    }
}

/* Both steps. */
static void run_expanded(const lp_net_pass *p, const lp_net_step *expansion,
                         const lp_net_step *step) {
    const lp_net_layer *expand = lp_net_layer_of(p, expansion, 0);
    const lp_net_layer *layer = lp_net_layer_of(p, step, 0);
    const lp_net_map *from = &p->net->maps[step->from], *to = &p->net->maps[step->to];
    lp_depthwise_expanded_run(&expand->conv, expansion->activation, &layer->conv,
                              lp_net_values(p, expansion->from), p->batch, from->side,
                              step->activation, p->work, lp_net_values(p, step->to));
    double made = (double)(p->batch * lp_net_pixels(from));
    double outputs = (double)(p->batch * lp_net_pixels(to));
    lp_end_stage(p->observer, "expanded depthwise",
                 2 * (made * weights_of(expand) + outputs * weights_of(layer)),
                 lp_net_floats(p, expansion->from) + weights_of(expand) + weights_of(layer) +
                     lp_net_floats(p, step->to));
}

void lp_net_run_convolve(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *layer = lp_net_layer_of(p, step, 0);
    const lp_net_map *from = &p->net->maps[step->from], *to = &p->net->maps[step->to];
    const float *add = step->add > 0 ? lp_net_values(p, step->add) : NULL;
    float *y = lp_net_values(p, step->to);
    const char *stage = "conv 3x3";
    double outputs = (double)(p->batch * lp_net_pixels(to));
    const lp_net_step *expansion = expansion_of(p->net, step);
    if (is_expansion(p->net, step)) {
        return;
    }
    if (step->from == 0) {
        lp_conv_images(&layer->conv, p->images, p->batch, from->side, step->activation, p->work, y);
        stage = "stem";
    } else if (expansion != NULL) {
        run_expanded(p, expansion, step);
        return;
    } else if (layer->kind == LP_NET_DEPTHWISE) {
        const float *x = lp_net_values(p, step->from);
        lp_depthwise_run(&layer->conv, x, p->batch, from->side, step->activation, p->work, y);
        stage = "depthwise";
    } else {
        convolve(p, step, add, y);
    }
    if (layer->kind == LP_NET_WINOGRAD) {
        size_t tiles = (to->side + 1) / 2;
        stage = "winograd 3x3";
        outputs = (double)(p->batch * tiles * tiles);
    } else if (step->from > 0 && layer->kind == LP_NET_CONV && layer->conv.taps_high == 1) {
        stage = step->to == p->net->projected ? "projection" : "conv 1x1";
    }
    /* a single tap reads no other pixels than its stride takes */
    double read = layer->conv.taps_high > 1
                      ? lp_net_floats(p, step->from)
                      : (double)(p->batch * lp_net_pixels(to)) * (double)from->channels;
    lp_end_stage(p->observer, stage, 2 * outputs * weights_of(layer),
                 read + weights_of(layer) + (add != NULL ? 2 : 1) * lp_net_floats(p, step->to));
}

/* ---- norms and pooling ----------------------------------------------------------------------- */

size_t lp_net_no_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    (void)net;
    (void)step;
    (void)batch;
    return 0;
}

void lp_net_run_norm(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0);
    const lp_net_map *map = &p->net->maps[step->from];
    size_t rows = p->batch * lp_net_pixels(map), width = map->channels;
    const float *x = lp_net_values(p, step->from);
    float *y = lp_net_values(p, step->to);
    lp_net_norm_plain(norm, x, rows, width, y);
    for (size_t i = 0; step->activation != LP_IDENTITY && i < rows; i++) {
        lp_add_values(y + i * width, p->net->zeros, width, step->activation);
    }
    lp_end_stage(p->observer, "norm", 0, 2 * lp_net_floats(p, step->to));
}

size_t lp_net_mean_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    (void)batch;
    return lp_net_lines(net->maps[step->from].channels * sizeof(double) / sizeof(float));
}

void lp_net_run_mean(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *map = &p->net->maps[step->from];
    size_t pixels = lp_net_pixels(map), channels = map->channels;
    double *sums = (double *)(void *)p->work;
    const float *x = lp_net_values(p, step->from);
    float *y = lp_net_values(p, step->to);
    for (size_t i = 0; i < p->batch && !step->single; i++) {
        lp_channel_means(x + i * pixels * channels, pixels, channels, sums, y + i * channels);
    }
    if (step->single) {
        lp_mean_pool(x, p->batch, pixels, channels, y, channels);
    }
    lp_end_stage(p->observer, "pool", 0, lp_net_floats(p, step->from) + lp_net_floats(p, step->to));
}

void lp_net_run_scale(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *map = &p->net->maps[step->to];
    size_t pixels = lp_net_pixels(map), channels = map->channels;
    for (size_t i = 0; i < p->batch; i++) {
        float *x = lp_net_values(p, step->to) + i * pixels * channels;
        const float *factors = lp_net_values(p, step->from) + i * channels;
        if (step->activation == LP_IDENTITY) {
            lp_scale_channels(x, pixels, channels, factors);
        } else {
            lp_affine_channels(x, pixels, channels, factors, p->net->zeros, step->activation, x);
        }
    }
    lp_end_stage(p->observer, "gate", 0, 2 * lp_net_floats(p, step->to));
}

void lp_net_run_copy(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *map = &p->net->maps[step->to];
    memcpy(lp_net_values(p, step->to), lp_net_values(p, step->from),
           p->batch * lp_net_pixels(map) * map->channels * sizeof(float));
    lp_end_stage(p->observer, "copy", 0, 2 * lp_net_floats(p, step->to));
}

void lp_net_run_add(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *map = &p->net->maps[step->to];
    lp_add_values(lp_net_values(p, step->to), lp_net_values(p, step->from),
                  p->batch * lp_net_pixels(map) * map->channels, step->activation);
    lp_end_stage(p->observer, "add", 0, 3 * lp_net_floats(p, step->to));
}

size_t lp_net_group_norm_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    (void)batch;
    return lp_net_lines(3 * net->maps[step->from].channels * sizeof(double) / sizeof(float));
}

void lp_net_run_group_norm(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0);
    const lp_net_map *map = &p->net->maps[step->from];
    size_t pixels = lp_net_pixels(map), channels = map->channels;
    for (size_t i = 0; i < p->batch; i++) {
        size_t at = i * pixels * channels;
        lp_group_norm(lp_net_values(p, step->from) + at, pixels, channels, norm->groups,
                      norm->weight, norm->bias, norm->eps, step->activation,
                      (double *)(void *)p->work, lp_net_values(p, step->to) + at);
    }
    lp_end_stage(p->observer, "norm", 0, 2 * lp_net_floats(p, step->to));
}

void lp_net_run_affine(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0);
    const lp_net_map *map = &p->net->maps[step->from];
    lp_affine_channels(lp_net_values(p, step->from), p->batch * lp_net_pixels(map), map->channels,
                       norm->weight, norm->bias, step->activation, lp_net_values(p, step->to));
    lp_end_stage(p->observer, "norm", 0, 2 * lp_net_floats(p, step->to));
}

void lp_net_run_pool(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *map = &p->net->maps[step->from];
    lp_pool_windows(&step->pooling, lp_net_values(p, step->from), p->batch, map->side,
                    map->channels, lp_net_values(p, step->to));
    lp_end_stage(p->observer, "pool", 0, lp_net_floats(p, step->from) + lp_net_floats(p, step->to));
}
