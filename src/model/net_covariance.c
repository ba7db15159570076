/* Cross-covariance attention, as a step of a network (XCiT): the channels of a head attend to each
 * other.  With a head's queries, keys and values as [d, T], T rows,
 *
 *   y = softmax(factor (q / |q|) (k / |k|)') v          |.|: of a channel over all rows
 *
 * which is attention of d queries of T values.  Reproduces timm models/xcit.py, XCA. */
#include <assert.h>

#include "math/attention.h"
#include "math/heads.h"
#include "math/tiles.h"
#include "model/net_plan.h"
#include "model/net_steps.h"

/* ---- words ----------------------------------------------------------------------------------- */

size_t lp_net_covariance(lp_net_builder *b, size_t map, const lp_net_covariance_spec *spec) {
    size_t width = lp_net_channels(b, map), heads = lp_net_size(b, 0, "%s", spec->temperature);
    heads = heads > 0 ? heads : 1;
    if (width % heads != 0) {
        lp_plan_problem(b->plan, "%s%s: %zu heads: width %zu is not divisible", b->place,
                        spec->temperature, heads, width);
    }
    size_t norm = lp_net_plan_norm(b, spec->norm, width, spec->eps, false);
    size_t qkv = lp_net_plan_qkv(b, &spec->qkv, width);
    size_t factors = lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_VECTORS, .channels = heads});
    LP_NET_PLAN(&b->tower->stored[factors]->weight, spec->temperature, "", heads, 1, 1);
    size_t projection = lp_net_plan_linear(b, spec->projection, width, width, true, spec->gamma);
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_COVARIANCE,
                                     .from = map,
                                     .to = map,
                                     .layers = {norm, qkv, factors, projection},
                                     .heads = heads});
    return map;
}

/* ---- a run ----------------------------------------------------------------------------------- */

/* Pieces of scratch memory, for one image of T rows; D width, d of a head. */
typedef struct covariance_room {
    float *tiled;   /* [T, D]: the normed rows, then what attention gives */
    float *qkv;     /* [T, 3 D]; the values' part of a row is then what attention gives */
    float *channel; /* [4, d, T]: queries, keys, values, answers of a head */
    float *scratch;
} covariance_room;

static size_t divide(const lp_net *net, const lp_net_step *step, float *work,
                     covariance_room *room) {
    const lp_net_map *map = &net->maps[step->to];
    size_t rows = lp_net_pixels(map), width = map->channels, each = width / step->heads;
    size_t tiled = lp_tiled(rows, width), qkv = lp_net_lines(3 * rows * width);
    size_t channel = lp_net_lines(4 * rows * each);
    if (work != NULL) {
        *room =
            (covariance_room){work, work + tiled, work + tiled + qkv, work + tiled + qkv + channel};
    }
    return tiled + qkv + channel + lp_attention_scratch(each, rows);
}

size_t lp_net_covariance_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    (void)batch;
    return divide(net, step, NULL, NULL);
}

/* x [rows, columns], `stride` floats from row to row -> y [columns, rows]. */
static void turn(const float *x, size_t rows, size_t columns, size_t stride, float *y) {
    for (size_t c = 0; c < columns; c++) {
        for (size_t r = 0; r < rows; r++) {
            y[c * rows + r] = x[r * stride + c];
        }
    }
}

/* One head of one image; qkv: its part of the first row. */
static void attend(const covariance_room *room, size_t rows, size_t width, size_t each,
                   const float *factor, float *qkv) {
    size_t part = each * rows;
    float *q = room->channel, *y = q + 3 * part;
    for (size_t k = 0; k < 3; k++) {
        turn(qkv + k * width, rows, each, 3 * width, q + k * part);
    }
    lp_normalize_heads(q, each, rows, 1, rows, factor);
    lp_normalize_heads(q + part, each, rows, 1, rows, NULL);
    lp_attention_input in = {.q = q,
                             .k = q + part,
                             .v = q + 2 * part,
                             .q_stride = rows,
                             .kv_stride = rows,
                             .queries = each,
                             .tokens = each,
                             .heads = 1,
                             .head_width = rows,
                             .scale = 1};
    lp_attention(&in, room->scratch, y, rows);
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < each; c++) {
            qkv[r * 3 * width + 2 * width + c] = y[c * rows + r];
        }
    }
}

void lp_net_run_covariance(const lp_net_pass *p, const lp_net_step *step) {
    const float *factors = lp_net_layer_of(p, step, 2)->weight;
    const lp_net_map *map = &p->net->maps[step->to];
    size_t rows = lp_net_pixels(map), width = map->channels, each = width / step->heads;
    double n = (double)rows;
    covariance_room room = {0};
    (void)divide(p->net, step, p->work, &room);
    assert(room.tiled != NULL);
    for (size_t i = 0; i < p->batch; i++) {
        float *x = lp_net_values(p, step->to) + i * rows * width;
        lp_net_norm_qkv(p, step, x, rows, room.tiled, room.qkv);
        for (size_t h = 0; h < step->heads; h++) {
            attend(&room, rows, width, each, factors + h, room.qkv + h * each);
        }
        lp_end_stage(p->observer, "attention", 4 * n * (double)width * (double)each,
                     8 * n * (double)width);
        lp_tile(room.qkv + 2 * width, rows, width, 3 * width, room.tiled);
        lp_net_project(p, step, room.tiled, rows, x);
    }
}
