/* The steps of a network, one after the other, over a batch of B images.
 *
 * A map is [B, side, side, channels], pixels as rows of channels.  Its place in the scratch memory
 * is given to another map once the last step has read it.  A linear layer's rows are tiled
 * (math/tiles.h) by what makes them, a chunk of pixels at a time: the wide values inside an MLP
 * then stay in the second-level cache. */
#include "model/net.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "math/attention.h"
#include "math/channels.h"
#include "math/depthwise.h"
#include "math/rows.h"
#include "math/tiles.h"
#include "math/winograd.h"

enum {
    CHUNK_FLOATS = 1 << 18,         /* inside an MLP: 1 MiB */
    LEAST_ROWS = 16 * LP_TILE_ROWS, /* or its weights are read too often */
    LINE = 16                       /* floats of a cache line */
};

typedef struct net_pass {
    const lp_net *net;
    size_t batch;
    const float *images;
    float *maps, *work;
    const lp_observer *observer;
} net_pass;

static size_t whole_lines(size_t floats) {
    return (floats + LINE - 1) / LINE * LINE;
}

static const lp_net_layer *layer_of(const net_pass *p, const lp_net_step *step, size_t i) {
    return &p->net->layers[step->layers[i]];
}

static size_t pixels_of(const lp_net_map *map) {
    return map->side * map->side;
}

/* A map's values. */
static float *values_of(const net_pass *p, size_t map) {
    size_t before = 0;
    for (size_t i = 0; i < p->net->maps[map].place; i++) {
        before += p->net->places[i];
    }
    return p->maps + p->batch * before;
}

static double floats_of(const net_pass *p, size_t map) {
    const lp_net_map *m = &p->net->maps[map];
    return (double)(p->batch * pixels_of(m)) * (double)m->channels;
}

/* ---- convolutions ---------------------------------------------------------------------------- */

/* Weights of a convolution, as many as are multiplied for each output pixel. */
static double weights_of(const lp_net_layer *layer) {
    const lp_conv *c = &layer->conv;
    double taps = layer->kind == LP_NET_WINOGRAD ? 16 : (double)(c->taps_high * c->taps_wide);
    return (double)(c->groups * c->out * c->in) * taps;
}

static size_t convolve_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    const lp_net_layer *layer = &net->layers[step->layers[0]];
    size_t side = net->maps[step->from].side;
    return step->from == 0                   ? batch * lp_conv_images_scratch(&layer->conv, side)
           : layer->kind == LP_NET_WINOGRAD  ? lp_winograd_scratch(&layer->conv)
           : layer->kind == LP_NET_DEPTHWISE ? lp_depthwise_scratch(&layer->conv, side)
                                             : 0;
}

static void run_convolve(const net_pass *p, const lp_net_step *step) {
    const lp_net_layer *layer = layer_of(p, step, 0);
    const lp_net_map *from = &p->net->maps[step->from], *to = &p->net->maps[step->to];
    const float *x = values_of(p, step->from);
    const float *add = step->add > 0 ? values_of(p, step->add) : NULL;
    float *y = values_of(p, step->to);
    const char *stage = "conv 3x3";
    double outputs = (double)(p->batch * pixels_of(to));
    if (step->from == 0) {
        lp_conv_images(&layer->conv, p->images, p->batch, from->side, step->activation, p->work, y);
        stage = "stem";
    } else if (layer->kind == LP_NET_WINOGRAD) {
        lp_winograd_run(&layer->conv, x, p->batch, from->side, add, step->activation, y, p->work);
        stage = "winograd 3x3";
        size_t tiles = (to->side + 1) / 2;
        outputs = (double)(p->batch * tiles * tiles);
    } else if (layer->kind == LP_NET_DEPTHWISE) {
        lp_depthwise_run(&layer->conv, x, p->batch, from->side, step->activation, p->work, y);
        stage = "depthwise";
    } else {
        lp_conv_input in = lp_conv_dense(x, p->batch, from->side, from->side, from->channels);
        lp_conv_run(&layer->conv, &in, add, step->activation, y);
        stage = layer->conv.taps_high == 1 ? "conv 1x1" : stage;
    }
    lp_end_stage(p->observer, stage, 2 * outputs * weights_of(layer),
                 floats_of(p, step->from) + weights_of(layer) +
                     (add != NULL ? 2 : 1) * floats_of(p, step->to));
}

/* ---- norms and pooling ----------------------------------------------------------------------- */

static size_t no_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    (void)net;
    (void)step;
    (void)batch;
    return 0;
}

static void run_norm(const net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = layer_of(p, step, 0);
    const lp_net_map *map = &p->net->maps[step->from];
    lp_layer_norm(values_of(p, step->from), p->batch * pixels_of(map), map->channels, map->channels,
                  norm->weight, norm->bias, norm->eps, values_of(p, step->to), map->channels);
    lp_end_stage(p->observer, "norm", 0, 2 * floats_of(p, step->to));
}

static size_t mean_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    (void)batch;
    return whole_lines(net->maps[step->from].channels * sizeof(double) / sizeof(float));
}

static void run_mean(const net_pass *p, const lp_net_step *step) {
    const lp_net_map *map = &p->net->maps[step->from];
    size_t pixels = pixels_of(map), channels = map->channels;
    double *sums = (double *)(void *)p->work;
    for (size_t i = 0; i < p->batch; i++) {
        lp_channel_means(values_of(p, step->from) + i * pixels * channels, pixels, channels, sums,
                         values_of(p, step->to) + i * channels);
    }
    lp_end_stage(p->observer, "pool", 0, floats_of(p, step->from) + floats_of(p, step->to));
}

static void run_scale(const net_pass *p, const lp_net_step *step) {
    const lp_net_map *map = &p->net->maps[step->to];
    size_t pixels = pixels_of(map), channels = map->channels;
    for (size_t i = 0; i < p->batch; i++) {
        lp_scale_channels(values_of(p, step->to) + i * pixels * channels, pixels, channels,
                          values_of(p, step->from) + i * channels);
    }
    lp_end_stage(p->observer, "gate", 0, 2 * floats_of(p, step->to));
}

static void run_add(const net_pass *p, const lp_net_step *step) {
    const lp_net_map *map = &p->net->maps[step->to];
    size_t floats = p->batch * pixels_of(map) * map->channels;
    lp_add_bias(values_of(p, step->to), 1, floats, floats, values_of(p, step->from));
    lp_end_stage(p->observer, "add", 0, 3 * floats_of(p, step->to));
}

/* ---- MLPs ------------------------------------------------------------------------------------ */

/* Rows of a chunk.  Response normalisation needs all pixels of an image. */
static size_t chunk_rows(const lp_net *net, const lp_net_step *step, size_t batch) {
    size_t pixels = pixels_of(&net->maps[step->to]), rows = batch * pixels;
    size_t most = CHUNK_FLOATS / net->layers[step->layers[1]].linear.out / LP_TILE_ROWS;
    most = most * LP_TILE_ROWS > LEAST_ROWS ? most * LP_TILE_ROWS : LEAST_ROWS;
    return step->layers[2] > 0 ? pixels : rows < most ? rows : most;
}

static size_t mlp_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    size_t rows = chunk_rows(net, step, batch);
    const lp_packed_linear *first = &net->layers[step->layers[1]].linear;
    size_t doubles = step->layers[2] > 0 ? first->out : 0;
    return lp_tiled(rows, first->in) + lp_tiled(rows, first->out) +
           whole_lines(doubles * sizeof(double) / sizeof(float));
}

static void run_mlp(const net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = layer_of(p, step, 0), *response = layer_of(p, step, 2);
    const lp_packed_linear *first = &layer_of(p, step, 1)->linear;
    const lp_packed_linear *second = &layer_of(p, step, 3)->linear;
    size_t rows = p->batch * pixels_of(&p->net->maps[step->to]), width = first->in;
    size_t most = chunk_rows(p->net, step, p->batch);
    const float *x = values_of(p, step->from);
    float *y = values_of(p, step->to);
    float *normed = p->work, *inner = normed + lp_tiled(most, width);
    double *sums = (double *)(void *)(inner + lp_tiled(most, first->out));
    for (size_t row = 0; row < rows; row += most) {
        size_t count = rows - row < most ? rows - row : most;
        double products = (double)count * (double)width * (double)first->out;
        double weights = (double)width * (double)first->out;
        lp_layer_norm_tiled(x + row * width, count, width, width, norm->weight, norm->bias,
                            norm->eps, normed);
        lp_end_stage(p->observer, "norm", 0, 2 * (double)(count * width));
        lp_linear_output tiled = {.y = inner, .activation = step->activation};
        lp_linear_run(first, normed, count, &tiled);
        if (step->layers[2] > 0) {
            lp_response_norm_tiled(inner, count, first->out, response->weight, response->bias,
                                   response->eps, sums);
        }
        lp_end_stage(p->observer, "mlp 1", 2 * products,
                     weights + (double)(count * (width + first->out)));
        lp_linear_output added = {.y = y + row * width, .stride = width, .add = true};
        lp_linear_run(second, inner, count, &added);
        lp_end_stage(p->observer, "mlp 2", 2 * products,
                     weights + (double)(count * (2 * width + first->out)));
    }
}

/* ---- windows --------------------------------------------------------------------------------- */

/* Rows of a chunk: whole windows. */
static size_t window_rows(const lp_net *net, const lp_net_step *step, size_t batch) {
    size_t window = net->layers[step->layers[2]].window, pixels = window * window;
    size_t windows = batch * pixels_of(&net->maps[step->to]) / pixels;
    size_t most = LEAST_ROWS / pixels > 0 ? LEAST_ROWS / pixels : 1;
    return pixels * (windows < most ? windows : most);
}

static size_t windows_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    const lp_net_layer *table = &net->layers[step->layers[2]];
    size_t rows = window_rows(net, step, batch), pixels = table->window * table->window;
    size_t width = net->maps[step->to].channels;
    return whole_lines(rows * width) + lp_tiled(rows, width) + whole_lines(rows * 3 * width) +
           whole_lines(pixels * pixels) + lp_attention_scratch(pixels, width / table->heads);
}

/* Where windows lie in a map. */
typedef struct window_grid {
    size_t side, window, across; /* pixels, pixels, windows */
    size_t shift;                /* pixels that everything is rolled to the left and up by */
} window_grid;

/* The pixel of the map that is number i of a window. */
static size_t pixel_of(const window_grid *g, size_t number, size_t i) {
    size_t v = number / g->across * g->window + i / g->window;
    size_t u = number % g->across * g->window + i % g->window;
    return (v + g->shift) % g->side * g->side + (u + g->shift) % g->side;
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

static void run_windows(const net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = layer_of(p, step, 0), *table = layer_of(p, step, 2);
    const lp_net_map *map = &p->net->maps[step->to];
    size_t width = map->channels, pixels = table->window * table->window;
    window_grid g = {map->side, table->window, map->side / table->window, 0};
    g.shift = step->shifted && g.across > 1 ? g.window / 2 : 0;
    size_t each = g.across * g.across, windows = p->batch * each;
    size_t most = window_rows(p->net, step, p->batch), group = most / pixels;
    float *x = values_of(p, step->to);
    float *rows = p->work, *tiled = rows + whole_lines(most * width);
    float *qkv = tiled + lp_tiled(most, width), *mask = qkv + whole_lines(most * 3 * width);
    float *scratch = mask + whole_lines(pixels * pixels);
    lp_attention_input in = {.q = qkv,
                             .k = qkv + width,
                             .v = qkv + 2 * width,
                             .q_stride = 3 * width,
                             .kv_stride = 3 * width,
                             .queries = pixels,
                             .tokens = pixels,
                             .heads = table->heads,
                             .head_width = width / table->heads,
                             .scale = lp_attention_scale(width / table->heads),
                             .bias = table->bias};
    for (size_t first = 0; first < windows; first += group) {
        size_t count = (windows - first < group ? windows - first : group) * pixels;
        for (size_t i = 0; i < count; i++) {
            size_t number = first + i / pixels;
            const float *image = x + number / each * g.side * g.side * width;
            memcpy(rows + i * width, image + pixel_of(&g, number % each, i % pixels) * width,
                   width * sizeof *rows);
        }
        lp_layer_norm_tiled(rows, count, width, width, norm->weight, norm->bias, norm->eps, tiled);
        lp_end_stage(p->observer, "norm", 0, 3 * (double)(count * width));
        lp_linear_output apart = {.y = qkv, .stride = 3 * width};
        lp_linear_run(&layer_of(p, step, 1)->linear, tiled, count, &apart);
        double square = (double)width * (double)width, n = (double)count;
        lp_end_stage(p->observer, "qkv", 6 * n * square, 3 * square + 4 * n * (double)width);
        lp_tile_pad(tiled, count, width);
        for (size_t i = 0; i < count; i += pixels) {
            in.q = qkv + i * 3 * width;
            in.k = in.q + width;
            in.v = in.k + width;
            in.mask = mask_of(&g, (first + i / pixels) % each, mask);
            lp_attention_tiled(&in, scratch, tiled, i);
        }
        lp_end_stage(p->observer, "attention", 4 * n * (double)pixels * (double)width,
                     4 * n * (double)width);
        lp_linear_output added = {.y = rows, .stride = width, .add = true};
        lp_linear_run(&layer_of(p, step, 3)->linear, tiled, count, &added);
        for (size_t i = 0; i < count; i++) {
            size_t number = first + i / pixels;
            float *image = x + number / each * g.side * g.side * width;
            memcpy(image + pixel_of(&g, number % each, i % pixels) * width, rows + i * width,
                   width * sizeof *rows);
        }
        lp_end_stage(p->observer, "out", 2 * n * square, square + 4 * n * (double)width);
    }
}

/* ---- fewer pixels ---------------------------------------------------------------------------- */

static size_t merge_rows(const lp_net *net, const lp_net_step *step, size_t batch) {
    size_t rows = batch * pixels_of(&net->maps[step->to]);
    return rows < LEAST_ROWS ? rows : LEAST_ROWS;
}

static size_t merge_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    size_t rows = merge_rows(net, step, batch), width = 4 * net->maps[step->from].channels;
    return whole_lines(rows * width) + lp_tiled(rows, width);
}

/* Pixel `number` of the output, all images: four pixels of the input, column by column; zeros
 * behind an odd side. */
static void gather_four(const float *x, const lp_net_map *from, size_t side, size_t number,
                        float *row) {
    size_t channels = from->channels, image = number / (side * side);
    for (size_t i = 0; i < 4; i++, row += channels) {
        size_t v = number / side % side * 2 + i % 2, u = number % side * 2 + i / 2;
        if (v < from->side && u < from->side) {
            memcpy(row, x + ((image * from->side + v) * from->side + u) * channels,
                   channels * sizeof *row);
        } else {
            memset(row, 0, channels * sizeof *row);
        }
    }
}

static void run_merge(const net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = layer_of(p, step, 0);
    const lp_packed_linear *linear = &layer_of(p, step, 1)->linear;
    const lp_net_map *from = &p->net->maps[step->from], *to = &p->net->maps[step->to];
    size_t total = p->batch * pixels_of(to), most = merge_rows(p->net, step, p->batch);
    float *rows = p->work, *tiled = rows + whole_lines(most * linear->in);
    for (size_t first = 0; first < total; first += most) {
        size_t count = total - first < most ? total - first : most;
        for (size_t i = 0; i < count; i++) {
            gather_four(values_of(p, step->from), from, to->side, first + i, rows + i * linear->in);
        }
        lp_layer_norm_tiled(rows, count, linear->in, linear->in, norm->weight, norm->bias,
                            norm->eps, tiled);
        lp_linear_output output = {.y = values_of(p, step->to) + first * linear->out,
                                   .stride = linear->out};
        lp_linear_run(linear, tiled, count, &output);
    }
    double weights = (double)linear->in * (double)linear->out;
    lp_end_stage(p->observer, "merge", 2 * (double)total * weights,
                 floats_of(p, step->from) + weights + floats_of(p, step->to));
}

/* ---- the steps ------------------------------------------------------------------------------- */

static const struct {
    size_t (*work)(const lp_net *net, const lp_net_step *step, size_t batch); /* floats */
    void (*run)(const net_pass *p, const lp_net_step *step);
} operations[] = {
    [LP_NET_CONVOLVE] = {convolve_work, run_convolve},
    [LP_NET_NORM] = {no_work, run_norm},
    [LP_NET_MLP] = {mlp_work, run_mlp},
    [LP_NET_WINDOWS] = {windows_work, run_windows},
    [LP_NET_MERGE] = {merge_work, run_merge},
    [LP_NET_SCALE] = {no_work, run_scale},
    [LP_NET_ADD] = {no_work, run_add},
    [LP_NET_MEAN] = {mean_work, run_mean},
};

/* The side of a step's output. */
static size_t side_behind(const lp_net *net, const lp_net_step *step) {
    size_t side = net->maps[step->from].side;
    const lp_conv *conv = &net->layers[step->layers[0]].conv;
    return step->operation == LP_NET_MEAN       ? 1
           : step->operation == LP_NET_MERGE    ? (side + 1) / 2
           : step->operation == LP_NET_CONVOLVE ? lp_conv_side(conv, side, conv->taps_high)
                                                : side;
}

/* A free place for a map that `step` makes: that of a map that is added for the last time, else the
 * smallest that is large enough, else the largest, else a new one. */
static size_t find_place(lp_net *net, const bool *taken, size_t step, size_t floats) {
    size_t add = net->steps[step].add, best = net->place_count;
    if (add > 0 && net->steps[step].from != add && net->maps[add].last == step) {
        return net->maps[add].place;
    }
    for (size_t i = 0; i < net->place_count; i++) {
        if (taken[i]) {
            continue;
        }
        bool first = best == net->place_count;
        bool fits = net->places[i] >= floats, best_fits = !first && net->places[best] >= floats;
        if (first || (fits && !best_fits) ||
            (fits == best_fits && (net->places[i] < net->places[best]) == fits)) {
            best = i;
        }
    }
    if (best == net->place_count) {
        net->places[net->place_count++] = 0;
    }
    return best;
}

/* Windows must fill their map. */
static bool suits(const lp_net *net, const lp_net_step *step) {
    return step->operation != LP_NET_WINDOWS ||
           net->maps[step->to].side % net->layers[step->layers[2]].window == 0;
}

bool lp_net_lay_out(lp_net *net, bool *taken) {
    net->maps[0].side = net->input;
    net->place_count = 0;
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *step = &net->steps[i];
        lp_net_map *to = &net->maps[step->to];
        if (to->side == 0) { /* a new map */
            to->side = side_behind(net, step);
            size_t floats = whole_lines(pixels_of(to) * to->channels);
            if (to->side == 0) {
                return false;
            }
            to->place = find_place(net, taken, i, floats);
            taken[to->place] = true;
            net->places[to->place] =
                floats > net->places[to->place] ? floats : net->places[to->place];
        }
        if (!suits(net, step)) {
            return false;
        }
        size_t read[] = {step->from, step->add, step->to};
        for (size_t k = 0; k < sizeof read / sizeof read[0]; k++) {
            const lp_net_map *map = &net->maps[read[k]];
            bool goes_on = read[k] == net->penultimate || read[k] == net->projected ||
                           (k < 2 && read[k] > 0 && map->place == to->place);
            if (read[k] > 0 && map->last == i && !goes_on) {
                taken[map->place] = false;
            }
        }
    }
    return true;
}

static size_t work_of(const lp_net *net, size_t batch) {
    size_t most = 0;
    for (size_t i = 0; i < net->step_count; i++) {
        size_t floats = operations[net->steps[i].operation].work(net, &net->steps[i], batch);
        most = floats > most ? floats : most;
    }
    return most;
}

size_t lp_net_scratch(const void *tower, size_t batch) {
    const lp_net *net = tower;
    size_t each = 0, floats;
    for (size_t i = 0; i < net->place_count; i++) {
        each += net->places[i];
    }
    if (!lp_mul(batch, each, &floats)) {
        return SIZE_MAX;
    }
    size_t work = work_of(net, batch);
    return floats <= SIZE_MAX - work ? floats + work : SIZE_MAX;
}

void lp_net_run(const void *tower, const float *images, size_t batch, lp_feature_point point,
                float *features, float *scratch, const lp_observer *observer) {
    const lp_net *net = tower;
    net_pass p = {net, batch, images, scratch, scratch, observer};
    bool projected = point == LP_FEATURE_PROJECTED;
    size_t wanted = projected ? net->projected : net->penultimate;
    for (size_t i = 0; i < net->place_count; i++) {
        p.work += batch * net->places[i];
    }
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *step = &net->steps[i];
        const lp_net_map *to = &net->maps[step->to];
        operations[step->operation].run(&p, step);
        const char *stage = step->to == net->penultimate ? "penultimate"
                            : step->to == net->projected ? "projected"
                                                         : step->name;
        if (stage[0] != '\0') {
            lp_observe(observer, stage, values_of(&p, step->to), batch * pixels_of(to),
                       to->channels);
        }
        if (step->to == wanted) {
            memcpy(features, values_of(&p, wanted), batch * to->channels * sizeof *features);
            return;
        }
    }
    assert(!"the wanted map is made");
}
