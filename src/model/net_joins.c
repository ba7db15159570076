/* Steps of networks that join maps, or take them apart: side by side (DenseNet), the two halves of
 * selective kernels (SKNet), and all pixels in one row before a classifier's layers (VGG). */
#include <math.h>
#include <string.h>

#include "model/net_plan.h"
#include "model/net_steps.h"

/* ---- words ----------------------------------------------------------------------------------- */

size_t lp_net_join(lp_net_builder *b, size_t first, size_t second) {
    size_t to = lp_net_new_map(b, lp_net_channels(b, first) + lp_net_channels(b, second));
    lp_net_add_step(
        b, (lp_net_step){.operation = LP_NET_JOIN, .from = first, .to = to, .add = second});
    return to;
}

size_t lp_net_halves(lp_net_builder *b, size_t from, size_t factors) {
    size_t channels = lp_net_channels(b, from);
    size_t to = lp_net_new_map(b, channels / 2);
    if (channels % 2 != 0 || (factors > 0 && lp_net_channels(b, factors) != channels)) {
        lp_plan_problem(b->plan, "%s: %zu channels, weighed by %zu: expected two halves", b->place,
                        channels, factors > 0 ? lp_net_channels(b, factors) : channels);
    }
    lp_net_add_step(
        b, (lp_net_step){.operation = LP_NET_HALVES, .from = from, .to = to, .add = factors});
    return to;
}

size_t lp_net_flatten(lp_net_builder *b, size_t from, size_t side) {
    size_t to = lp_net_new_map(b, side * side * lp_net_channels(b, from));
    lp_net_add_step(
        b, (lp_net_step){
               .operation = LP_NET_FLATTEN, .from = from, .to = to, .pooling = {.taps = side}});
    return to;
}

/* ---- runs ------------------------------------------------------------------------------------ */

void lp_net_run_join(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *first = &p->net->maps[step->from], *second = &p->net->maps[step->add];
    const float *a = lp_net_values(p, step->from), *b = lp_net_values(p, step->add);
    float *y = lp_net_values(p, step->to);
    size_t pixels = p->batch * lp_net_pixels(first);
    for (size_t i = 0; i < pixels; i++, y += first->channels + second->channels) {
        memcpy(y, a + i * first->channels, first->channels * sizeof *y);
        memcpy(y + first->channels, b + i * second->channels, second->channels * sizeof *y);
    }
    lp_end_stage(p->observer, "join", 0, 2 * lp_net_floats(p, step->to));
}

void lp_net_run_halves(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *to = &p->net->maps[step->to];
    size_t channels = to->channels, pixels = lp_net_pixels(to);
    const float *x = lp_net_values(p, step->from);
    float *y = lp_net_values(p, step->to);
    for (size_t i = 0; i < p->batch; i++) {
        float *m = step->add > 0 ? lp_net_values(p, step->add) + i * 2 * channels : NULL;
        for (size_t c = 0; m != NULL && c < channels; c++) {
            double first = 1 / (1 + exp((double)m[channels + c] - (double)m[c]));
            m[c] = (float)first; /* the logistic function of their difference: softmax of two */
            m[channels + c] = (float)(1 - first);
        }
        for (size_t k = 0; k < pixels; k++, x += 2 * channels, y += channels) {
            for (size_t c = 0; c < channels; c++) {
                y[c] = m != NULL ? x[c] * m[c] + x[channels + c] * m[channels + c]
                                 : x[c] + x[channels + c];
            }
        }
    }
    lp_end_stage(p->observer, "select", 0, 3 * lp_net_floats(p, step->to));
}

/* The mean of pixels [top, bottom) x [left, right) of a map. */
static void mean_of(const float *x, size_t side, size_t channels, const size_t edges[4], float *y) {
    size_t count = (edges[1] - edges[0]) * (edges[3] - edges[2]);
    memset(y, 0, channels * sizeof *y);
    for (size_t v = edges[0]; v < edges[1]; v++) {
        for (size_t u = edges[2]; u < edges[3]; u++) {
            const float *pixel = x + (v * side + u) * channels;
            for (size_t c = 0; c < channels; c++) {
                y[c] += pixel[c];
            }
        }
    }
    for (size_t c = 0; count > 1 && c < channels; c++) {
        y[c] /= (float)count;
    }
}

void lp_net_run_flatten(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *from = &p->net->maps[step->from];
    size_t n = step->pooling.taps, side = from->side, channels = from->channels;
    float *y = lp_net_values(p, step->to);
    for (size_t i = 0; i < p->batch; i++) {
        const float *x = lp_net_values(p, step->from) + i * side * side * channels;
        for (size_t place = 0; place < n * n; place++, y += channels) {
            size_t v = place / n, u = place % n;
            const size_t edges[] = {v * side / n, ((v + 1) * side + n - 1) / n, u * side / n,
                                    ((u + 1) * side + n - 1) / n};
            mean_of(x, side, channels, edges, y);
        }
    }
    lp_end_stage(p->observer, "flatten", 0, lp_net_floats(p, step->from));
}
