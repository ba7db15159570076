/* Attention within windows whose scores get what each query says of the rows and the columns
 * between it and a key, as a step of a network (SAM):
 *
 *   1. the normed pixels of a window; zeros where the map ends within it, which count as pixels
 *   2. queries q, keys k and values; head by head, a part of the queries at a time
 *        score = scale q k' + q . down[row of q - row of k] + q . right[column of q - column of k]
 *   3. projection, and back to the pixels that there are
 *
 * A window as large as the map is attention over all of it.  Reproduces timm
 * models/vision_transformer_sam.py, Attention and get_decomposed_rel_pos_bias. */
#include <assert.h>
#include <string.h>

#include "math/attention.h"
#include "math/rows.h"
#include "math/tiles.h"
#include "model/net_plan.h"
#include "model/net_steps.h"

enum { PART = 64 /* queries whose scores are made at once */ };

/* ---- words ----------------------------------------------------------------------------------- */

size_t lp_net_relative(lp_net_builder *b, size_t map, const lp_net_relative_spec *spec) {
    size_t width = lp_net_channels(b, map), rows = lp_net_size(b, 0, "%s", spec->down);
    size_t each = lp_net_size(b, 1, "%s", spec->down);
    size_t norm = lp_net_plan_norm(b, spec->norm, width, 0, false);
    size_t qkv = lp_net_plan_qkv(b, &spec->qkv, width);
    size_t offsets = lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_VECTORS,
                                                        .window = (rows + 1) / 2,
                                                        .heads = each > 0 ? width / each : 1});
    lp_net_stored *stored = b->tower->stored[offsets];
    LP_NET_PLAN(&stored->weight, spec->down, "", rows, each);
    LP_NET_PLAN(&stored->bias, spec->right, "", rows, each);
    size_t projection = lp_net_plan_linear(b, spec->projection, width, width, true, NULL);
    if (rows % 2 == 0 || each == 0 || width % each != 0) {
        lp_plan_problem(b->plan,
                        "%s%s: [%zu,%zu]: expected an odd number of offsets, and of values as many "
                        "as a head of a width of %zu has",
                        b->place, spec->down, rows, each, width);
    }
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_RELATIVE,
                                     .from = map,
                                     .to = map,
                                     .layers = {norm, qkv, offsets, projection}});
    return map;
}

/* ---- a run ----------------------------------------------------------------------------------- */

/* Pieces of scratch memory, for one window of T pixels; D width. */
typedef struct relative_room {
    float *rows;  /* [T, D]: pixels, then what attention gives */
    float *tiled; /* [T, D] */
    float *qkv;   /* [T, 3 D] */
    float *bias;  /* [PART, T] */
    float *scratch;
} relative_room;

static size_t divide(const lp_net *net, const lp_net_step *step, float *work, relative_room *room) {
    const lp_net_layer *offsets = &net->layers[step->layers[2]];
    size_t width = net->maps[step->to].channels, pixels = offsets->window * offsets->window;
    size_t rows = lp_net_lines(pixels * width), tiled = lp_tiled(pixels, width);
    size_t qkv = lp_net_lines(3 * pixels * width), bias = lp_net_lines(PART * pixels);
    if (work != NULL) {
        *room = (relative_room){work, work + rows, work + rows + tiled, work + rows + tiled + qkv,
                                work + rows + tiled + qkv + bias};
    }
    return rows + tiled + qkv + bias + lp_attention_scratch(pixels, width / offsets->heads);
}

size_t lp_net_relative_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    (void)batch;
    return divide(net, step, NULL, NULL);
}

/* The pixel of the map that is number i of a window; SIZE_MAX where there is none. */
static size_t pixel_of(size_t side, size_t window, size_t number, size_t i) {
    size_t across = (side + window - 1) / window;
    size_t v = number / across * window + i / window, u = number % across * window + i % window;
    return v < side && u < side ? v * side + u : SIZE_MAX;
}

static float dot(const float *a, const float *b, size_t count) {
    float sum = 0;
    for (size_t c = 0; c < count; c++) {
        sum += a[c] * b[c];
    }
    return sum;
}

/* bias [count, T] of queries first .. of one head; q: the head's part of the first row of qkv. */
static void fill_bias(const lp_net_layer *offsets, const float *q, size_t stride, size_t first,
                      size_t count, size_t each, float *bias) {
    size_t w = offsets->window;
    for (size_t i = 0; i < count; i++, bias += w * w) {
        size_t query = first + i, row = query / w, column = query % w;
        const float *values = q + query * stride;
        for (size_t k = 0; k < w; k++) { /* the first row of the window has the columns' part */
            bias[k] = dot(values, offsets->bias + (column + w - 1 - k) * each, each);
        }
        for (size_t down = w; down-- > 0;) {
            float part = dot(values, offsets->weight + (row + w - 1 - down) * each, each);
            for (size_t k = 0; k < w; k++) {
                bias[down * w + k] = bias[k] + part;
            }
        }
    }
}

static void attend(const lp_net_layer *offsets, size_t width, lp_precision precision,
                   const relative_room *room) {
    size_t pixels = offsets->window * offsets->window, each = width / offsets->heads;
    for (size_t h = 0; h < offsets->heads; h++) {
        const float *q = room->qkv + h * each;
        for (size_t first = 0; first < pixels; first += PART) {
            size_t count = pixels - first < PART ? pixels - first : PART;
            fill_bias(offsets, q, 3 * width, first, count, each, room->bias);
            lp_attention_input in = lp_attention_fused(q, pixels, width, offsets->heads);
            in.heads = 1; /* of the fused rows this one alone, and a part of its queries */
            in.q += first * 3 * width;
            in.queries = count;
            in.bias = room->bias;
            in.precision = precision;
            lp_attention(&in, room->scratch, room->rows + first * width + h * each, width);
        }
    }
}

/* One window of an image x. */
static void run_window(const lp_net_pass *p, const lp_net_step *step, size_t number,
                       const relative_room *room, float *x) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0), *offsets = lp_net_layer_of(p, step, 2);
    const lp_net_map *map = &p->net->maps[step->to];
    size_t width = map->channels, window = offsets->window, pixels = window * window;
    double square = (double)width * (double)width, n = (double)pixels;
    for (size_t i = 0; i < pixels; i++) {
        size_t pixel = pixel_of(map->side, window, number, i);
        memcpy(room->rows + i * width, pixel != SIZE_MAX ? x + pixel * width : p->net->zeros,
               width * sizeof *x);
    }
    lp_layer_norm_tiled(room->rows, pixels, width, width, norm->weight, norm->bias, norm->eps,
                        room->tiled);
    for (size_t i = 0; i < pixels; i++) {
        if (pixel_of(map->side, window, number, i) == SIZE_MAX) {
            lp_tile_row(p->net->zeros, width, room->tiled, width, i, 0);
        }
    }
    lp_end_stage(p->observer, "norm", 0, 3 * n * (double)width);
    lp_net_multiply_qkv(p, step, room->tiled, pixels, room->qkv);
    attend(offsets, width, p->net->precision, room);
    lp_end_stage(p->observer, "attention", 4 * n * n * (double)width, 4 * n * (double)width);
    lp_tile(room->rows, pixels, width, width, room->tiled);
    lp_linear_output out = {.y = room->rows, .stride = width};
    lp_net_multiply(p, lp_net_layer_of(p, step, 3), room->tiled, pixels, &out);
    for (size_t i = 0; i < pixels; i++) {
        size_t pixel = pixel_of(map->side, window, number, i);
        if (pixel != SIZE_MAX) {
            lp_add_bias(x + pixel * width, 1, width, width, room->rows + i * width);
        }
    }
    lp_end_stage(p->observer, "out", 2 * n * square, square + 4 * n * (double)width);
}

void lp_net_run_relative(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *map = &p->net->maps[step->to];
    size_t window = lp_net_layer_of(p, step, 2)->window;
    size_t across = (map->side + window - 1) / window;
    relative_room room = {0};
    (void)divide(p->net, step, p->work, &room);
    assert(room.rows != NULL);
    for (size_t i = 0; i < p->batch; i++) {
        float *x = lp_net_values(p, step->to) + i * map->side * map->side * map->channels;
        for (size_t number = 0; number < across * across; number++) {
            run_window(p, step, number, &room, x);
        }
    }
}
