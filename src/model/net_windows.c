/* Attention within windows of a map, as a step of a network.
 *
 *   1. the pixels of whole windows are gathered, a chunk at a time, rolled by the shift; where the
 *      map ends within a window, zeros stand for what is missing
 *   2. norm (of Swin V2 behind step 4), queries, keys and values
 *   3. attention of each window, + the bias of relative positions, + the mask of a shifted window;
 *      of Swin V2 between vectors of length 1, times a factor of the head
 *   4. projection, and back to the pixels */
#include <string.h>

#include "math/attention.h"
#include "math/heads.h"
#include "math/rows.h"
#include "math/tiles.h"
#include "model/net_steps.h"

/* Where windows lie in a map. */
typedef struct window_grid {
    size_t side, window, across; /* pixels, pixels, windows */
    size_t shift;                /* pixels that everything is rolled to the left and up by */
    bool first;                  /* zeros are added before it is rolled, not behind */
} window_grid;

static window_grid grid_of(const lp_net *net, const lp_net_step *step) {
    size_t side = net->maps[step->to].side, window = net->layers[step->layers[2]].window;
    window_grid g = {side, window, (side + window - 1) / window, 0,
                     step->padding != LP_NET_PADDED_LAST};
    g.shift = step->shifted && g.across > 1 ? window / 2 : 0;
    return g;
}

/* Rows of a chunk: the fewest whole windows that fill whole tiles. */
static size_t window_rows(const lp_net *net, const lp_net_step *step, size_t batch) {
    window_grid g = grid_of(net, step);
    size_t pixels = g.window * g.window, windows = batch * g.across * g.across;
    size_t most = (LP_NET_LEAST_ROWS + pixels - 1) / pixels;
    while (most * pixels % LP_TILE_ROWS != 0) {
        most++;
    }
    return pixels * (windows < most ? windows : most);
}

size_t lp_net_windows_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    const lp_net_layer *table = &net->layers[step->layers[2]];
    size_t rows = window_rows(net, step, batch), pixels = table->window * table->window;
    size_t width = net->maps[step->to].channels;
    return lp_net_lines(rows * width) + lp_tiled(rows, width) + lp_net_lines(rows * 3 * width) +
           lp_net_lines(pixels * pixels) + lp_attention_scratch(pixels, width / table->heads);
}

/* The pixel of the map that is number i of a window; SIZE_MAX where there is none. */
static size_t pixel_of(const window_grid *g, size_t number, size_t i) {
    size_t v = number / g->across * g->window + i / g->window;
    size_t u = number % g->across * g->window + i % g->window;
    size_t round = g->first ? g->across * g->window : g->side;
    if (v >= round || u >= round) {
        return SIZE_MAX;
    }
    v = (v + g->shift) % round;
    u = (u + g->shift) % round;
    return v < g->side && u < g->side ? v * g->side + u : SIZE_MAX;
}

/* What is rolled round the map's end does not see what was there before: mask [N, N] of 0 and -100,
 * as swin_transformer.py, get_attn_mask.  NULL where a window has all of one piece. */
static const float *mask_of(const window_grid *g, size_t number, float *mask) {
    bool bottom = number / g->across + 1 == g->across, right = number % g->across + 1 == g->across;
    size_t pixels = g->window * g->window, whole = g->window - g->shift;
    if (g->shift == 0 || (!bottom && !right)) {
        return NULL;
    }
    for (size_t i = 0; i < pixels * pixels; i++) {
        size_t q = i / pixels, k = i % pixels;
        bool apart = (bottom && (q / g->window < whole) != (k / g->window < whole)) ||
                     (right && (q % g->window < whole) != (k % g->window < whole));
        mask[i] = apart ? -100 : 0;
    }
    return mask;
}

/* The chunk's rows, of the windows from `first` on. */
static void gather(const lp_net_pass *p, const window_grid *g, const float *x, size_t first,
                   size_t count, size_t width, float *rows) {
    size_t pixels = g->window * g->window, each = g->across * g->across;
    for (size_t i = 0; i < count; i++) {
        size_t number = first + i / pixels, pixel = pixel_of(g, number % each, i % pixels);
        const float *image = x + number / each * g->side * g->side * width;
        memcpy(rows + i * width, pixel != SIZE_MAX ? image + pixel * width : p->net->zeros,
               width * sizeof *rows);
    }
}

/* Zeros for the normed rows of pixels that there are not. */
static void clear_missing(const lp_net_pass *p, const window_grid *g, size_t first, size_t count,
                          size_t width, float *tiled) {
    size_t pixels = g->window * g->window, each = g->across * g->across;
    for (size_t i = 0; i < count && g->side % g->window != 0; i++) {
        if (pixel_of(g, (first + i / pixels) % each, i % pixels) == SIZE_MAX) {
            lp_tile_row(p->net->zeros, width, tiled, width, i, 0);
        }
    }
}

/* Back to their pixels: in their place, or added. */
static void scatter(const window_grid *g, const float *rows, size_t first, size_t count,
                    size_t width, bool add, float *x) {
    size_t pixels = g->window * g->window, each = g->across * g->across;
    for (size_t i = 0; i < count; i++) {
        size_t number = first + i / pixels, pixel = pixel_of(g, number % each, i % pixels);
        if (pixel == SIZE_MAX) {
            continue;
        }
        float *to = x + (number / each * g->side * g->side + pixel) * width;
        if (add) {
            lp_add_bias(to, 1, width, width, rows + i * width);
        } else {
            memcpy(to, rows + i * width, width * sizeof *to);
        }
    }
}

void lp_net_run_windows(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0), *table = lp_net_layer_of(p, step, 2);
    size_t width = p->net->maps[step->to].channels;
    window_grid g = grid_of(p->net, step);
    size_t each = g.across * g.across, windows = p->batch * each, pixels = g.window * g.window;
    size_t most = window_rows(p->net, step, p->batch), group = most / pixels;
    size_t head_width = width / table->heads;
    float *x = lp_net_values(p, step->to);
    float *rows = p->work, *tiled = rows + lp_net_lines(most * width);
    float *qkv = tiled + lp_tiled(most, width), *mask = qkv + lp_net_lines(most * 3 * width);
    float *scratch = mask + lp_net_lines(pixels * pixels);
    for (size_t first = 0; first < windows; first += group) {
        size_t count = (windows - first < group ? windows - first : group) * pixels;
        double square = (double)width * (double)width, n = (double)count;
        gather(p, &g, x, first, count, width, rows);
        if (step->after) {
            lp_tile(rows, count, width, width, tiled);
        } else {
            lp_layer_norm_tiled(rows, count, width, width, norm->weight, norm->bias, norm->eps,
                                tiled);
            if (step->padding != LP_NET_PADDED_BEFORE) {
                clear_missing(p, &g, first, count, width, tiled);
            }
        }
        lp_end_stage(p->observer, "norm", 0, 3 * (double)(count * width));
        lp_net_multiply_qkv(p, step, tiled, count, qkv);
        if (table->continuous) {
            lp_normalize_heads(qkv, count, 3 * width, table->heads, head_width, table->weight);
            lp_normalize_heads(qkv + width, count, 3 * width, table->heads, head_width, NULL);
        }
        lp_tile_pad(tiled, count, width);
        for (size_t i = 0; i < count; i += pixels) {
            lp_attention_input in =
                lp_attention_fused(qkv + i * 3 * width, pixels, width, table->heads);
            in.scale = table->continuous ? 1 : in.scale;
            in.bias = table->bias;
            in.precision = p->net->precision;
            in.mask = mask_of(&g, (first + i / pixels) % each, mask);
            lp_attention_tiled(&in, scratch, tiled, i);
        }
        lp_end_stage(p->observer, "attention", 4 * n * (double)pixels * (double)width,
                     4 * n * (double)width);
        lp_linear_output out = {.y = rows, .stride = width, .add = !step->after};
        lp_net_multiply(p, lp_net_layer_of(p, step, 3), tiled, count, &out);
        if (step->after) {
            lp_net_norm_plain(norm, rows, count, width, rows);
        }
        scatter(&g, rows, first, count, width, step->after, x);
        lp_end_stage(p->observer, "out", 2 * n * square, square + 4 * n * (double)width);
    }
}
