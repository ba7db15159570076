/* Attention over all rows of a map, and what it needs: patches, tokens before them, pooling.  The
 * steps of a network that is a vision transformer. */
#include <string.h>

#include "math/attention.h"
#include "math/channels.h"
#include "math/heads.h"
#include "math/pool.h"
#include "math/rows.h"
#include "math/tiles.h"
#include "model/net_steps.h"

/* ---- patches and tokens ---------------------------------------------------------------------- */

size_t lp_net_patches_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    size_t patches = lp_net_pixels(&net->maps[step->to]);
    return lp_tiled(lp_net_together(patches, batch) * patches,
                    net->layers[step->layers[0]].linear.in);
}

/* images [count, 3, side, side] -> tiled [count N, 3PP], a row in the order of the weight's
 * [3, P, P]. */
static void cut_patches(const float *images, size_t count, size_t side, size_t patch,
                        float *tiled) {
    size_t grid = side / patch, columns = 3 * patch * patch;
    for (size_t n = 0; n < count * grid * grid; n++) {
        const float *image = images + n / (grid * grid) * 3 * side * side;
        size_t i = n % (grid * grid);
        for (size_t row = 0; row < 3 * patch; row++) { /* channel * P + y */
            size_t y = i / grid * patch + row % patch;
            lp_tile_row(image + (row / patch * side + y) * side + i % grid * patch, patch, tiled,
                        columns, n, row * patch);
        }
    }
    lp_tile_pad(tiled, count * grid * grid, columns);
}

void lp_net_run_patches(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *layer = lp_net_layer_of(p, step, 0);
    const lp_net_map *to = &p->net->maps[step->to];
    size_t side = p->net->input, patches = lp_net_pixels(to), floats = patches * to->channels;
    size_t together = lp_net_together(patches, p->batch);
    double weights = (double)layer->linear.in * (double)layer->linear.out;
    for (size_t i = 0, count; i < p->batch; i += count) {
        count = p->batch - i < together ? p->batch - i : together;
        double rows = (double)(count * patches), in = (double)layer->linear.in;
        cut_patches(p->images + i * 3 * side * side, count, side, layer->patch, p->work);
        lp_end_stage(p->observer, "cut", 0, 2 * rows * in);
        lp_linear_output output = {.y = lp_net_values(p, step->to) + i * floats,
                                   .stride = to->channels};
        lp_net_multiply(p, layer, p->work, count * patches, &output);
        lp_end_stage(p->observer, "patches", 2 * rows * weights,
                     rows * in + weights + (double)(count * floats));
    }
}

void lp_net_run_start(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *tokens = lp_net_layer_of(p, step, 0);
    const lp_net_map *from = &p->net->maps[step->from], *to = &p->net->maps[step->to];
    size_t before = to->extra * to->channels, patches = lp_net_pixels(from) * to->channels;
    for (size_t i = 0; i < p->batch; i++) {
        float *rows = lp_net_values(p, step->to) + i * (before + patches);
        if (before > 0) {
            memcpy(rows, tokens->weight, before * sizeof *rows);
        }
        memcpy(rows + before, lp_net_values(p, step->from) + i * patches, patches * sizeof *rows);
        if (tokens->bias != NULL) {
            lp_add_bias(rows + before, 1, patches, patches, tokens->bias);
        }
    }
    lp_end_stage(p->observer, "tokens", 0, 2 * lp_net_floats(p, step->to));
}

/* Sums, then the normed rows of an image. */
static size_t divide_take(const lp_net *net, const lp_net_step *step, float *work,
                          float *pieces[2]) {
    const lp_net_map *from = &net->maps[step->from];
    bool normed = step->layers[0] > 0 && !step->after;
    const size_t floats[] = {lp_net_lines(from->channels * sizeof(double) / sizeof(float)),
                             normed ? lp_net_lines(lp_net_pixels(from) * from->channels) : 0};
    return lp_net_divide(floats, 2, work, pieces);
}

size_t lp_net_take_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    (void)batch;
    return divide_take(net, step, NULL, NULL);
}

/* y [B, D] = the first row of each image, x [B, T, D], normed by a layer that may be none. */
static void take_first(const lp_net_pass *p, const lp_net_layer *norm, const float *x, size_t image,
                       size_t width, float *y) {
    double floats = 2 * (double)(p->batch * width);
    if (norm->weight != NULL) {
        lp_layer_norm(x, p->batch, width, image, norm->weight, norm->bias, norm->eps, y, width);
        lp_end_stage(p->observer, "norm", 0, floats);
        return;
    }
    for (size_t i = 0; i < p->batch; i++) {
        memcpy(y + i * width, x + i * image, width * sizeof *y);
    }
    lp_end_stage(p->observer, "pool", 0, floats);
}

void lp_net_run_take(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0);
    const lp_net_map *from = &p->net->maps[step->from];
    bool of_class = p->pool == LP_POOL_CLASS, normed = norm->weight != NULL;
    size_t width = from->channels, rows = lp_net_pixels(from);
    size_t first = of_class ? 0 : from->extra;
    size_t count = of_class ? p->net->class_rows : rows - first;
    float *pieces[2] = {NULL}, *y = lp_net_values(p, step->to);
    const float *all = lp_net_values(p, step->from);
    if (count == 0) { /* of the class token itself */
        take_first(p, norm, all, rows * width, width, y);
        return;
    }
    (void)divide_take(p->net, step, p->work, pieces);
    for (size_t i = 0; i < p->batch; i++) {
        const float *x = all + (i * rows + first) * width;
        if (normed && !step->after) {
            lp_net_norm_plain(norm, x, count, width, pieces[1]);
            lp_end_stage(p->observer, "norm", 0, 2 * (double)(count * width));
            x = pieces[1];
        }
        lp_channel_means(x, count, width, (double *)(void *)pieces[0], y + i * width);
        lp_end_stage(p->observer, "pool", 0, (double)((count + 1) * width));
    }
    if (normed && step->after) {
        lp_net_norm_plain(norm, y, p->batch, width, y);
        lp_end_stage(p->observer, "norm", 0, 2 * (double)(p->batch * width));
    }
}

size_t lp_net_project_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    return lp_tiled(batch, net->maps[step->from].channels);
}

void lp_net_run_project(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *layer = lp_net_layer_of(p, step, 0);
    size_t in = layer->linear.in, out = layer->linear.out;
    lp_tile(lp_net_values(p, step->from), p->batch, in, in, p->work);
    lp_linear_output output = {.y = lp_net_values(p, step->to), .stride = out};
    lp_net_multiply(p, layer, p->work, p->batch, &output);
    double weights = (double)in * (double)out;
    lp_end_stage(p->observer, "projection", 2 * (double)p->batch * weights,
                 weights + (double)(p->batch * (in + out)));
}

/* ---- attention ------------------------------------------------------------------------------- */

void lp_net_multiply_qkv(const lp_net_pass *p, const lp_net_step *step, const float *tiled,
                         size_t rows, float *qkv) {
    const lp_net_layer *layer = lp_net_layer_of(p, step, 1);
    double width = (double)layer->linear.in, square = width * width, n = (double)rows;
    lp_linear_output output = {.y = qkv, .stride = layer->linear.out};
    lp_net_multiply(p, layer, tiled, rows, &output);
    lp_end_stage(p->observer, "qkv", 6 * n * square, 3 * square + 4 * n * width);
}

void lp_net_norm_qkv(const lp_net_pass *p, const lp_net_step *step, const float *x, size_t rows,
                     float *tiled, float *qkv) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0);
    size_t width = lp_net_layer_of(p, step, 1)->linear.in;
    lp_layer_norm_tiled(x, rows, width, width, norm->weight, norm->bias, norm->eps, tiled);
    lp_end_stage(p->observer, "norm", 0, 2 * (double)rows * (double)width);
    lp_net_multiply_qkv(p, step, tiled, rows, qkv);
}

void lp_net_project(const lp_net_pass *p, const lp_net_step *step, const float *tiled, size_t rows,
                    float *x) {
    const lp_net_layer *layer = lp_net_layer_of(p, step, 3);
    double width = (double)layer->linear.out, square = width * width, n = (double)rows;
    lp_linear_output added = {.y = x, .stride = layer->linear.out, .add = true};
    lp_net_multiply(p, layer, tiled, rows, &added);
    lp_end_stage(p->observer, "out", 2 * n * square, square + 3 * n * width);
}

static size_t heads_of(const lp_net *net, const lp_net_step *step) {
    return step->heads > 0 ? step->heads : net->heads;
}

/* Pieces of scratch memory, for the T rows of the images that go through one product; D width. */
typedef struct attend_room {
    float *tiled;   /* [T, D]: the normed rows, then what attention gives */
    float *qkv;     /* [T, 3 D] */
    float *between; /* [T, D]: norms that are not tiled */
    float *scratch;
} attend_room;

static size_t divide(const lp_net *net, const lp_net_step *step, size_t batch, float *work,
                     attend_room *room) {
    const lp_net_map *map = &net->maps[step->to];
    size_t image = lp_net_pixels(map), width = map->channels;
    size_t rows = lp_net_together(image, batch) * image;
    bool between = step->after || step->layers[6] > 0 || net->layers[step->layers[0]].rms;
    const size_t floats[] = {lp_tiled(rows, width), lp_net_lines(rows * 3 * width),
                             between ? lp_net_lines(rows * width) : 0,
                             lp_attention_scratch(image, width / heads_of(net, step))};
    float *at[4] = {NULL};
    size_t used = lp_net_divide(floats, 4, work, at);
    if (work != NULL) {
        *room = (attend_room){at[0], at[1], at[2], at[3]};
    }
    return used;
}

size_t lp_net_attend_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    return divide(net, step, batch, NULL, NULL);
}

/* The norm of each head's vector in rows [rows, stride]. */
static void norm_heads(const lp_net_layer *norm, float *x, size_t rows, size_t stride, size_t heads,
                       size_t width) {
    for (size_t i = 0; i < rows; i++, x += stride) {
        lp_net_norm_plain(norm, x, heads, width, x);
    }
}

/* Norms and rotary positions of queries and keys. */
static void place_heads(const lp_net_pass *p, const lp_net_step *step, float *qkv, size_t rows,
                        size_t width) {
    const lp_net_layer *rotary = lp_net_layer_of(p, step, 7);
    size_t heads = heads_of(p->net, step), each = width / heads;
    size_t before = p->net->maps[step->to].extra - rotary->extra; /* rows that are not turned */
    for (size_t k = 0; k < 2; k++) {
        float *x = qkv + k * width;
        if (step->layers[4 + k] > 0) {
            norm_heads(lp_net_layer_of(p, step, 4 + k), x, rows, 3 * width, heads, each);
        }
        if (step->layers[7] > 0) {
            lp_rotate_heads(x + before * 3 * width, rows - before, 3 * width, heads, each,
                            rotary->weight, rotary->bias, rotary->rotary.halves);
        }
    }
}

/* Attention of `count` images of T rows each, room.qkv -> room.tiled. */
static void attend_images(const lp_net_pass *p, const lp_net_step *step, const attend_room *room,
                          size_t count) {
    const lp_net_map *map = &p->net->maps[step->to];
    size_t rows = lp_net_pixels(map), width = map->channels;
    bool inside = step->layers[6] > 0;
    for (size_t i = 0; i < count; i++) {
        float *qkv = room->qkv + i * rows * 3 * width;
        place_heads(p, step, qkv, rows, width);
        lp_attention_input in = lp_attention_fused(qkv, rows, width, heads_of(p->net, step));
        in.bias = lp_net_layer_of(p, step, 2)->bias;
        in.precision = p->net->precision;
        if (inside) {
            lp_attention(&in, room->scratch, room->between + i * rows * width, width);
        } else {
            lp_attention_tiled(&in, room->scratch, room->tiled, i * rows);
        }
    }
    if (inside) {
        lp_net_norm_rows(lp_net_layer_of(p, step, 6), room->between, count * rows, width,
                         room->between, room->tiled);
    }
}

void lp_net_run_attend(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0);
    const lp_net_map *map = &p->net->maps[step->to];
    size_t image = lp_net_pixels(map), width = map->channels;
    size_t together = lp_net_together(image, p->batch);
    double square = (double)width * (double)width;
    attend_room room = {0};
    (void)divide(p->net, step, p->batch, p->work, &room);
    for (size_t i = 0, count; i < p->batch; i += count) {
        count = p->batch - i < together ? p->batch - i : together;
        size_t rows = count * image;
        double n = (double)rows;
        const float *x = lp_net_values(p, step->from) + i * image * width;
        float *y = lp_net_values(p, step->to) + i * image * width;
        if (step->after) {
            lp_tile(x, rows, width, width, room.tiled);
        } else {
            lp_net_norm_rows(norm, x, rows, width, room.between, room.tiled);
        }
        lp_end_stage(p->observer, "norm", 0, 2 * n * (double)width);
        lp_net_multiply_qkv(p, step, room.tiled, rows, room.qkv);
        attend_images(p, step, &room, count);
        lp_end_stage(p->observer, "attention", 4 * n * (double)image * (double)width,
                     4 * n * (double)width);
        lp_linear_output added = {.y = y, .stride = width, .add = true};
        lp_linear_output apart = {.y = room.between, .stride = width};
        lp_net_multiply(p, lp_net_layer_of(p, step, 3), room.tiled, rows,
                        step->after ? &apart : &added);
        if (step->after) {
            lp_net_norm_plain(norm, room.between, rows, width, room.between);
            lp_add_values(y, room.between, rows * width, LP_IDENTITY);
        }
        lp_end_stage(p->observer, "out", 2 * n * square, square + 3 * n * (double)width);
    }
}

/* ---- pooling by attention -------------------------------------------------------------------- */

/* For one image of T rows, D wide, and the query's answers: tiled [T, D], keys and values [T, 2 E],
 * tiled [B, E], attention's. */
static size_t divide_latent(const lp_net *net, const lp_net_step *step, size_t batch, float *work,
                            float *pieces[4]) {
    const lp_net_map *from = &net->maps[step->from];
    size_t rows = lp_net_pixels(from), width = from->channels;
    size_t inner = net->layers[step->layers[1]].linear.out / 2;
    const size_t floats[] = {lp_tiled(rows, width), lp_net_lines(rows * 2 * inner),
                             lp_tiled(batch, inner),
                             lp_attention_scratch(rows, inner / heads_of(net, step))};
    return lp_net_divide(floats, 4, work, pieces);
}

size_t lp_net_latent_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    return divide_latent(net, step, batch, NULL, NULL);
}

void lp_net_run_latent(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *from = &p->net->maps[step->from];
    const lp_net_layer *kv = lp_net_layer_of(p, step, 1), *projection = lp_net_layer_of(p, step, 3);
    size_t rows = lp_net_pixels(from), width = from->channels, inner = kv->linear.out / 2;
    size_t heads = heads_of(p->net, step), unseen = step->patches_only ? from->extra : 0;
    float *pieces[4] = {NULL};
    (void)divide_latent(p->net, step, p->batch, p->work, pieces);
    float *tiled = pieces[0], *keys = pieces[1], *answers = pieces[2];
    lp_tile_pad(answers, p->batch, inner);
    for (size_t i = 0; i < p->batch; i++) {
        const float *x = lp_net_values(p, step->from) + i * rows * width;
        if (step->layers[0] > 0) {
            const lp_net_layer *norm = lp_net_layer_of(p, step, 0);
            lp_layer_norm_tiled(x, rows, width, width, norm->weight, norm->bias, norm->eps, tiled);
        } else {
            lp_tile(x, rows, width, width, tiled);
        }
        lp_linear_output output = {.y = keys, .stride = 2 * inner};
        lp_net_multiply(p, kv, tiled, rows, &output);
        lp_attention_input in = {.q = lp_net_layer_of(p, step, 2)->weight,
                                 .k = keys + unseen * 2 * inner,
                                 .v = keys + unseen * 2 * inner + inner,
                                 .q_stride = inner,
                                 .kv_stride = 2 * inner,
                                 .queries = 1,
                                 .tokens = rows - unseen,
                                 .heads = heads,
                                 .head_width = inner / heads,
                                 .scale = lp_attention_scale(inner / heads)};
        lp_attention_tiled(&in, pieces[3], answers, i);
    }
    lp_linear_output output = {.y = lp_net_values(p, step->to), .stride = projection->linear.out};
    lp_net_multiply(p, projection, answers, p->batch, &output);
    double n = (double)(p->batch * rows), square = (double)inner * (double)inner;
    double weights = 2 * (double)width * (double)inner, seen = (double)(p->batch * (rows - unseen));
    lp_end_stage(p->observer, "pool",
                 2 * (n * weights + 2 * seen * (double)inner + (double)p->batch * square),
                 lp_net_floats(p, step->from) + weights + square + 4 * n * (double)inner);
}

/* ---- attention of the mean ------------------------------------------------------------------- */

/* Pieces for T rows, C wide: tokens [B, T, C], queries [B, C], what each head asks, then its
 * answer [B, heads, C], attention's. */
static size_t divide_mean_query(const lp_net *net, const lp_net_step *step, size_t batch,
                                float *work, float *pieces[4]) {
    const lp_net_map *from = &net->maps[step->from];
    size_t rows = lp_net_pixels(from) + 1, width = from->channels;
    const size_t floats[] = {lp_net_lines(batch * rows * width), lp_net_lines(batch * width),
                             lp_net_lines(batch * step->heads * width),
                             lp_attention_scratch(rows, width)};
    return lp_net_divide(floats, 4, work, pieces);
}

size_t lp_net_mean_query_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    return divide_mean_query(net, step, batch, NULL, NULL);
}

/* The mean, then the pixels, + positions. */
static void make_tokens(const lp_net_pass *p, const lp_net_step *step, float *tokens) {
    const lp_net_map *from = &p->net->maps[step->from];
    size_t pixels = lp_net_pixels(from), width = from->channels, stride = (pixels + 1) * width;
    const float *x = lp_net_values(p, step->from);
    lp_mean_pool(x, p->batch, pixels, width, tokens, stride);
    for (size_t i = 0; i < p->batch; i++) {
        memcpy(tokens + i * stride + width, x + i * pixels * width,
               pixels * width * sizeof *tokens);
    }
    lp_add_bias(tokens, p->batch, stride, stride, lp_net_layer_of(p, step, 0)->weight);
    lp_observe(p->observer, "tokens", tokens, p->batch * (pixels + 1), width);
}

/* A layer of one vector of each image, every `stride` floats. */
static void run_vectors(const lp_net_layer *layer, const float *x, size_t batch, size_t stride,
                        float *y) {
    lp_conv_input in = {x, batch, 1, 1, stride, stride, stride};
    lp_conv_run(&layer->conv, &in, NULL, LP_IDENTITY, y);
}

/* One query per image and head, so keys and values of the tokens are never built:
 *   q_h . (Wk_h t + bk_h) = (Wk_h' q_h) . t + a constant that softmax takes off again,
 *   sum_t a_t (Wv_h t + bv_h) = Wv_h (sum_t a_t t) + bv_h       as the a_t add up to 1:
 * 4 C^2 products an image instead of (2 T + 2) C^2. */
void lp_net_run_mean_query(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *from = &p->net->maps[step->from];
    size_t width = from->channels, rows = lp_net_pixels(from) + 1, heads = step->heads;
    float *pieces[4] = {NULL};
    (void)divide_mean_query(p->net, step, p->batch, p->work, pieces);
    float *tokens = pieces[0], *queries = pieces[1], *asked = pieces[2];
    make_tokens(p, step, tokens);
    run_vectors(lp_net_layer_of(p, step, 1), tokens, p->batch, rows * width, queries);
    run_vectors(lp_net_layer_of(p, step, 2), queries, p->batch, width, asked);
    for (size_t i = 0; i < p->batch; i++) {
        float *of_image = asked + i * heads * width;
        lp_attention_input in = {.q = of_image,
                                 .k = tokens + i * rows * width,
                                 .v = tokens + i * rows * width,
                                 .q_stride = width,
                                 .kv_stride = width,
                                 .queries = heads,
                                 .tokens = rows,
                                 .heads = 1,
                                 .head_width = width,
                                 .scale = lp_attention_scale(width / heads)};
        lp_attention(&in, pieces[3], of_image, width);
    }
    run_vectors(lp_net_layer_of(p, step, 3), asked, p->batch, heads * width,
                lp_net_values(p, step->to));
    double square = (double)width * (double)width, n = (double)p->batch;
    lp_end_stage(
        p->observer, "attention", 2 * n * (3 * square + 2 * (double)(heads * rows) * (double)width),
        lp_net_floats(p, step->from) + 3 * square + (double)(rows * width) + n * (double)width);
}
