/* Attention within windows without positions, as a step of a network (Hiera): "mask units", some
 * windows at a time.
 *
 *   1. the normed pixels of a window; queries, keys and values of them
 *   2. where the map is halved: the maxima of 2 x 2 queries; the new map is the maxima of 2 x 2
 *      pixels of a linear layer over the normed ones, or (without one) the maxima and then the
 *      means of 2 x 2 pixels of the map
 *   3. softmax attention, projection, added to the (new) map
 *
 * Pixels of a window stand in groups of the 2 x 2 that become one, row by row of these.  Reproduces
 * timm models/hiera.py, MaskUnitAttention and HieraBlock, which order all tokens so. */
#include <assert.h>
#include <string.h>

#include "math/attention.h"
#include "math/rows.h"
#include "math/tiles.h"
#include "model/net_plan.h"
#include "model/net_steps.h"

enum { LEAST_PIXELS = 192 /* of the windows that go through the layers together */ };

/* ---- words ----------------------------------------------------------------------------------- */

/* Queries, keys and values of `out` values each. */
static size_t plan_wide(lp_net_builder *b, const lp_net_qkv_spec *spec, size_t in, size_t out) {
    return lp_net_plan_linear(b, spec->fused, in, 3 * out, spec->bias == LP_NET_BIAS_ALL, NULL);
}

size_t lp_net_units(lp_net_builder *b, size_t map, const lp_net_units_spec *spec) {
    size_t width = lp_net_channels(b, map), out = lp_net_size(b, 0, "%s.weight", spec->projection);
    size_t expand = 0, to = map;
    out = out > 0 ? out : width; /* its weight is missing */
    size_t norm = lp_net_plan_norm(b, spec->norm, width, 0, false);
    size_t qkv = plan_wide(b, &spec->qkv, width, out);
    if (spec->expand != NULL) {
        expand = lp_net_plan_linear(b, spec->expand, width, out, true, NULL);
    }
    size_t projection = lp_net_plan_linear(b, spec->projection, out, out, true, spec->gamma);
    size_t expected = spec->halved ? 2 * width : width;
    if (out != expected) {
        lp_plan_problem(b->plan, "%s%s: %zu channels from %zu: expected %zu", b->place,
                        spec->projection, out, width, expected);
    }
    if (spec->halved) {
        to = lp_net_new_map(b, out);
    }
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_UNITS,
                                     .from = map,
                                     .to = to,
                                     .layers = {norm, qkv, expand, projection},
                                     .heads = spec->heads,
                                     .window = spec->window});
    return to;
}

/* ---- a run ----------------------------------------------------------------------------------- */

/* The geometry of a step, and pieces of scratch memory for the windows that run together: P pixels,
 * Q = P or P / 4 of the result; D width before, E behind. */
typedef struct units_run {
    const lp_net_map *from, *to;
    size_t window, pixels; /* of a window: a side, all */
    size_t across, at_once;
    size_t part; /* 4 where 2 x 2 pixels become one, else 1 */
    size_t heads, in, out;
    lp_precision precision;
    float *rows;   /* [P, D] pixels; then [Q, E], what is added */
    float *tiled;  /* [P, D], [P, E] */
    float *qkv;    /* [P, 3 E] */
    float *wide;   /* [P, E] behind the linear layer; or none */
    float *answer; /* [Q, E]; */
    float *scratch;
} units_run;

static size_t divide(const lp_net *net, const lp_net_step *step, float *work, units_run *run) {
    *run = (units_run){.from = &net->maps[step->from], .to = &net->maps[step->to]};
    size_t side = run->from->side;
    run->window = step->window > 0 ? step->window : side;
    run->pixels = run->window * run->window;
    run->across = side / run->window;
    run->part = step->to != step->from ? 4 : 1;
    run->heads = net->heads * step->heads;
    run->in = run->from->channels;
    run->out = run->to->channels;
    run->precision = net->precision;
    size_t all = run->across * run->across, some = (LEAST_PIXELS - 1) / run->pixels + 1;
    run->at_once = some < all ? some : all;
    size_t P = run->at_once * run->pixels, widest = run->in > run->out ? run->in : run->out;
    const size_t floats[] = {lp_net_lines(P * widest),
                             lp_tiled(P, widest),
                             lp_net_lines(3 * P * run->out),
                             step->layers[2] > 0 ? lp_net_lines(P * run->out) : 0,
                             lp_net_lines(P / run->part * run->out),
                             lp_attention_scratch(run->pixels, run->out / run->heads)};
    float *at[6] = {NULL};
    size_t used = lp_net_divide(floats, 6, work, at);
    run->rows = at[0];
    run->tiled = at[1];
    run->qkv = at[2];
    run->wide = at[3];
    run->answer = at[4];
    run->scratch = at[5];
    return used;
}

size_t lp_net_units_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    units_run run;
    (void)batch;
    return divide(net, step, NULL, &run);
}

/* The pixel of a map of `side` that is number i of windows of `window` pixels a side. */
static size_t pixel_of(size_t side, size_t window, size_t i) {
    size_t across = side / window, number = i / (window * window), inside = i % (window * window);
    size_t y = number / across * window + inside / window;
    return y * side + number % across * window + inside % window;
}

/* The pixel of the map before the step. */
static size_t source_of(const units_run *run, size_t i) {
    if (run->part == 1) {
        return pixel_of(run->from->side, run->window, i);
    }
    size_t small = pixel_of(run->to->side, run->window / 2, i / 4), side = run->to->side;
    size_t y = small / side * 2 + i % 4 / 2, x = small % side * 2 + i % 2;
    return y * run->from->side + x;
}

/* The maxima of four rows each, `stride` floats from row to row. */
static void take_maxima(const float *x, size_t rows, size_t width, size_t stride, float *y,
                        size_t y_stride) {
    for (size_t i = 0; i < rows; i++, x += 4 * stride, y += y_stride) {
        for (size_t c = 0; c < width; c++) {
            float most = x[c];
            for (size_t k = 1; k < 4; k++) {
                most = x[k * stride + c] > most ? x[k * stride + c] : most;
            }
            y[c] = most;
        }
    }
}

/* The same of means. */
static void take_means(const float *x, size_t rows, size_t width, float *y, size_t y_stride) {
    for (size_t i = 0; i < rows; i++, x += 4 * width, y += y_stride) {
        for (size_t c = 0; c < width; c++) {
            y[c] = (x[c] + x[width + c] + x[2 * width + c] + x[3 * width + c]) / 4;
        }
    }
}

/* The new map's pixels before attention, [Q, E], in run->answer. */
static void halve(const lp_net_pass *p, const lp_net_step *step, const units_run *run,
                  size_t count) {
    size_t rows = count / 4;
    if (step->layers[2] > 0) {
        lp_linear_output wide = {.y = run->wide, .stride = run->out};
        lp_net_multiply(p, lp_net_layer_of(p, step, 2), run->tiled, count, &wide);
        take_maxima(run->wide, rows, run->out, run->out, run->answer, run->out);
    } else {
        take_maxima(run->rows, rows, run->in, run->in, run->answer, run->out);
        take_means(run->rows, rows, run->in, run->answer + run->in, run->out);
    }
}

/* Attention within each window; what it gives in run->tiled. */
static void attend(const units_run *run, size_t count) {
    size_t stride = 3 * run->out, queries = run->pixels / run->part;
    if (run->part == 4) { /* over the first quarter of the queries */
        take_maxima(run->qkv, count / 4, run->out, stride, run->qkv, stride);
    }
    lp_tile_pad(run->tiled, count / run->part, run->out);
    for (size_t i = 0; i < count; i += run->pixels) {
        lp_attention_input in =
            lp_attention_fused(run->qkv + i * stride, run->pixels, run->out, run->heads);
        in.q = run->qkv + i / run->part * stride;
        in.queries = queries;
        in.precision = run->precision;
        lp_attention_tiled(&in, run->scratch, run->tiled, i / run->part);
    }
}

/* `count` pixels of whole windows from number `first` on, of an image x, to y. */
static void run_windows(const lp_net_pass *p, const lp_net_step *step, const units_run *run,
                        size_t first, size_t count, const float *x, float *y) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0);
    size_t in = run->in, out = run->out, results = count / run->part;
    double n = (double)count, wide = (double)out;
    for (size_t i = 0; i < count; i++) {
        memcpy(run->rows + i * in, x + source_of(run, first + i) * in, in * sizeof *x);
    }
    lp_layer_norm_tiled(run->rows, count, in, in, norm->weight, norm->bias, norm->eps, run->tiled);
    lp_end_stage(p->observer, "norm", 0, 3 * n * (double)in);
    lp_linear_output qkv = {.y = run->qkv, .stride = 3 * out};
    lp_net_multiply(p, lp_net_layer_of(p, step, 1), run->tiled, count, &qkv);
    lp_end_stage(p->observer, "qkv", 6 * n * (double)in * wide, 3 * wide * ((double)in + n));
    if (run->part == 4) {
        halve(p, step, run, count);
        lp_end_stage(p->observer, "halve", step->layers[2] > 0 ? 2 * n * (double)in * wide : 0,
                     2 * n * wide);
    }
    attend(run, count);
    lp_end_stage(p->observer, "attention", 4 * (double)results * (double)run->pixels * wide,
                 4 * n * wide);
    lp_linear_output added = {.y = run->rows, .stride = out};
    lp_net_multiply(p, lp_net_layer_of(p, step, 3), run->tiled, results, &added);
    for (size_t i = 0; i < results; i++) {
        size_t window = run->part == 4 ? run->window / 2 : run->window;
        float *pixel = y + pixel_of(run->to->side, window, first / run->part + i) * out;
        if (run->part == 4) {
            memcpy(pixel, run->answer + i * out, out * sizeof *y);
        }
        lp_add_bias(pixel, 1, out, out, run->rows + i * out);
    }
    lp_end_stage(p->observer, "out", 2 * (double)results * wide * wide,
                 wide * wide + 4 * (double)results * wide);
}

void lp_net_run_units(const lp_net_pass *p, const lp_net_step *step) {
    units_run run;
    (void)divide(p->net, step, p->work, &run);
    assert(run.rows != NULL);
    size_t pixels = lp_net_pixels(run.from), most = run.at_once * run.pixels;
    for (size_t i = 0; i < p->batch; i++) {
        const float *x = lp_net_values(p, step->from) + i * pixels * run.in;
        float *y = lp_net_values(p, step->to) + i * lp_net_pixels(run.to) * run.out;
        for (size_t first = 0; first < pixels; first += most) {
            size_t count = pixels - first < most ? pixels - first : most;
            run_windows(p, step, &run, first, count, x, y);
        }
    }
}
