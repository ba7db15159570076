/* Steps of networks that are linear layers over the rows of maps: MLPs, and 2 x 2 pixels merged. */
#include <string.h>

#include "math/channels.h"
#include "math/heads.h"
#include "math/rows.h"
#include "math/tiles.h"
#include "model/net_steps.h"

enum { CHUNK_FLOATS = 1 << 18 /* inside an MLP: 1 MiB */ };

/* Rows of a chunk: of so many values that they stay in a cache, or those of whole images.  Response
 * normalisation needs all pixels of an image. */
static size_t chunk_rows(const lp_net *net, const lp_net_step *step, size_t batch) {
    size_t pixels = lp_net_pixels(&net->maps[step->to]), rows = batch * pixels;
    if (net->whole_mlps) {
        return lp_net_together(pixels, batch) * pixels;
    }
    size_t most = CHUNK_FLOATS / net->layers[step->layers[1]].linear.out / LP_TILE_ROWS;
    most = most * LP_TILE_ROWS > LP_NET_LEAST_ROWS ? most * LP_TILE_ROWS : LP_NET_LEAST_ROWS;
    return step->response ? pixels : rows < most ? rows : most;
}

/* An MLP's pieces of scratch memory, for `most` rows; D width, M width inside. */
typedef struct mlp_room {
    float *normed; /* tiled [most, D] */
    float *inner;  /* tiled [most, M] */
    float *both;   /* [most, 2 M] of a gated one, [most, M] of one with a norm inside; or none */
    float *gated;  /* [most, M] of a gated one with a norm inside; or none */
    float *rows;   /* [most, D] where a norm is not tiled; or none */
    double *sums;  /* [M] of response normalisation; or none */
} mlp_room;

/* Gives the pieces their places behind `work`; returns their floats together. */
static size_t divide(const lp_net *net, const lp_net_step *step, size_t most, float *work,
                     mlp_room *room) {
    const lp_packed_linear *first = &net->layers[step->layers[1]].linear;
    const lp_packed_linear *second = &net->layers[step->layers[3]].linear;
    bool norm_inside = step->layers[2] > 0 && !step->response;
    bool rows = step->after || net->layers[step->layers[0]].rms;
    size_t wide = step->gated || norm_inside ? first->out : 0;
    const size_t floats[] = {lp_tiled(most, first->in),
                             lp_tiled(most, second->in),
                             lp_net_lines(most * wide),
                             lp_net_lines(step->gated && norm_inside ? most * second->in : 0),
                             lp_net_lines(rows ? most * first->in : 0),
                             lp_net_lines(step->response ? 2 * second->in : 0)};
    float *at[6] = {NULL};
    size_t used = lp_net_divide(floats, 6, work, at);
    if (work != NULL) {
        *room = (mlp_room){at[0], at[1], at[2], at[3], at[4], (double *)(void *)at[5]};
    }
    return used;
}

size_t lp_net_mlp_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    return divide(net, step, chunk_rows(net, step, batch), NULL, NULL);
}

void lp_net_norm_plain(const lp_net_layer *norm, const float *x, size_t rows, size_t width,
                       float *y) {
    if (norm->rms) {
        lp_rms_norm(x, rows, width, width, norm->weight, norm->eps, y, width);
    } else {
        lp_layer_norm(x, rows, width, width, norm->weight, norm->bias, norm->eps, y, width);
    }
}

void lp_net_norm_rows(const lp_net_layer *norm, const float *x, size_t rows, size_t width,
                      float *between, float *tiled) {
    if (norm->weight == NULL) {
        lp_tile(x, rows, width, width, tiled);
    } else if (norm->rms) {
        lp_net_norm_plain(norm, x, rows, width, between);
        lp_tile(between, rows, width, width, tiled);
    } else {
        lp_layer_norm_tiled(x, rows, width, width, norm->weight, norm->bias, norm->eps, tiled);
    }
}

/* The first layer, what stands between the two, and the second one's input. */
static void run_inside(const lp_net_pass *p, const lp_net_step *step, const mlp_room *room,
                       size_t count) {
    const lp_net_layer *between = lp_net_layer_of(p, step, 2);
    const lp_packed_linear *first = &lp_net_layer_of(p, step, 1)->linear;
    size_t inside = lp_net_layer_of(p, step, 3)->linear.in;
    bool norm_inside = step->layers[2] > 0 && !step->response;
    lp_linear_output output = {.y = room->inner, .activation = step->activation};
    if (step->gated) {
        output = (lp_linear_output){.y = room->both, .stride = first->out};
    } else if (norm_inside) {
        output = (lp_linear_output){
            .y = room->both, .stride = first->out, .activation = step->activation};
    }
    lp_net_multiply(p, lp_net_layer_of(p, step, 1), room->normed, count, &output);
    double weights = (double)first->in * (double)first->out;
    lp_end_stage(p->observer, "mlp 1", 2 * (double)count * weights,
                 weights + (double)(count * (first->in + first->out)));
    const float *rows = room->both;
    if (step->gated) {
        float *gated = norm_inside ? room->gated : room->both; /* a row's halves, one after it */
        lp_gate_halves(room->both, count, inside, step->activation, gated);
        rows = gated;
    }
    if (step->response) {
        lp_response_norm_tiled(room->inner, count, inside, between->weight, between->bias,
                               between->eps, room->sums);
    } else if (norm_inside) {
        float *normed = step->gated ? room->gated : room->both;
        lp_net_norm_rows(between, rows, count, inside, normed, room->inner);
    } else if (step->gated) {
        lp_tile(rows, count, inside, inside, room->inner);
    }
    if (step->gated || norm_inside || step->response) {
        lp_end_stage(p->observer, step->gated ? "gate" : "norm", 0, 3 * (double)(count * inside));
    }
}

void lp_net_run_mlp(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0);
    const lp_packed_linear *first = &lp_net_layer_of(p, step, 1)->linear;
    const lp_packed_linear *second = &lp_net_layer_of(p, step, 3)->linear;
    size_t rows = p->batch * lp_net_pixels(&p->net->maps[step->to]), width = first->in;
    size_t most = chunk_rows(p->net, step, p->batch);
    const float *x = lp_net_values(p, step->from);
    float *y = lp_net_values(p, step->to);
    mlp_room room = {0};
    (void)divide(p->net, step, most, p->work, &room);
    for (size_t row = 0; row < rows; row += most) {
        size_t count = rows - row < most ? rows - row : most;
        double products = (double)count * (double)width, weights = (double)width;
        if (step->after) {
            lp_tile(x + row * width, count, width, width, room.normed);
        } else {
            lp_net_norm_rows(norm, x + row * width, count, width, room.rows, room.normed);
        }
        lp_end_stage(p->observer, "norm", 0, 2 * (double)(count * width));
        run_inside(p, step, &room, count);
        lp_linear_output added = {.y = y + row * width, .stride = width, .add = true};
        lp_linear_output apart = {.y = room.rows, .stride = width};
        lp_net_multiply(p, lp_net_layer_of(p, step, 3), room.inner, count,
                        step->after ? &apart : &added);
        if (step->after) {
            lp_net_norm_plain(norm, room.rows, count, width, room.rows);
            lp_add_values(y + row * width, room.rows, count * width, LP_IDENTITY);
        }
        lp_end_stage(p->observer, "mlp 2", 2 * products * (double)second->in,
                     weights * (double)second->in + (double)(count * (2 * width + second->in)));
    }
}

/* ---- fewer pixels ---------------------------------------------------------------------------- */

static size_t merge_rows(const lp_net *net, const lp_net_step *step, size_t batch) {
    size_t rows = batch * lp_net_pixels(&net->maps[step->to]);
    return rows < LP_NET_LEAST_ROWS ? rows : LP_NET_LEAST_ROWS;
}

size_t lp_net_merge_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    size_t rows = merge_rows(net, step, batch), width = 4 * net->maps[step->from].channels;
    return lp_net_lines(rows * width) + lp_tiled(rows, width);
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

void lp_net_run_merge(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0);
    const lp_net_layer *reduction = lp_net_layer_of(p, step, 1);
    const lp_packed_linear *linear = &reduction->linear;
    const lp_net_map *from = &p->net->maps[step->from], *to = &p->net->maps[step->to];
    size_t total = p->batch * lp_net_pixels(to), most = merge_rows(p->net, step, p->batch);
    float *rows = p->work, *tiled = rows + lp_net_lines(most * linear->in);
    for (size_t first = 0; first < total; first += most) {
        size_t count = total - first < most ? total - first : most;
        for (size_t i = 0; i < count; i++) {
            gather_four(lp_net_values(p, step->from), from, to->side, first + i,
                        rows + i * linear->in);
        }
        if (step->after) {
            lp_tile(rows, count, linear->in, linear->in, tiled);
        } else {
            lp_layer_norm_tiled(rows, count, linear->in, linear->in, norm->weight, norm->bias,
                                norm->eps, tiled);
        }
        float *y = lp_net_values(p, step->to) + first * linear->out;
        lp_linear_output output = {.y = y, .stride = linear->out};
        lp_net_multiply(p, reduction, tiled, count, &output);
        if (step->after) {
            lp_net_norm_plain(norm, y, count, linear->out, y);
        }
    }
    double weights = (double)linear->in * (double)linear->out;
    lp_end_stage(p->observer, "merge", 2 * (double)total * weights,
                 lp_net_floats(p, step->from) + weights + lp_net_floats(p, step->to));
}
