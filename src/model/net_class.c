/* A block of class attention, as a step of a network (CaiT, XCiT): the first row of a map asks all
 * rows, and goes through an MLP.
 *
 *   1. all rows normed; queries, keys and values of them; the first row's query alone is used
 *   2. first row += projection(attention)
 *   3. CaiT: first row += fc2(act(fc1(norm2(first row))));  the others stay
 *      XCiT: first row = r + fc2(act(fc1(r))), r = norm2(first row);  the others: lp_net_others
 *
 * Reproduces timm models/cait.py, LayerScaleBlockClassAttn, and xcit.py, ClassAttentionBlock. */
#include <assert.h>
#include <string.h>

#include "math/attention.h"
#include "math/channels.h"
#include "math/rows.h"
#include "math/tiles.h"
#include "model/net_plan.h"
#include "model/net_steps.h"

/* ---- words ----------------------------------------------------------------------------------- */

size_t lp_net_class(lp_net_builder *b, size_t map, const lp_net_class_spec *spec) {
    size_t width = lp_net_channels(b, map), gamma = 0;
    size_t norm = lp_net_plan_norm(b, spec->norm, width, spec->eps, false);
    size_t qkv = lp_net_plan_qkv(b, &spec->qkv, width);
    size_t projection = lp_net_plan_linear(b, spec->projection, width, width, true, spec->gamma);
    size_t mlp_norm = lp_net_plan_norm(b, spec->mlp_norm, width, spec->eps, false);
    size_t first = lp_net_plan_linear(b, spec->first, width, 0, true, NULL);
    size_t second = lp_net_plan_linear(b, spec->second, b->net->layers[first].linear.out, width,
                                       true, spec->mlp_gamma);
    if (spec->others != LP_NET_OTHERS_STAY) {
        gamma = lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_VECTORS, .channels = width});
        LP_NET_PLAN(&b->tower->stored[gamma]->weight, spec->gamma, "", width);
    }
    if (spec->heads == 0 || width % spec->heads != 0) {
        lp_plan_problem(b->plan, "%s%s: width %zu is not divisible among %zu heads", b->place,
                        spec->projection, width, spec->heads);
    }
    lp_net_add_step(b,
                    (lp_net_step){.operation = LP_NET_CLASS,
                                  .from = map,
                                  .to = map,
                                  .layers = {norm, qkv, gamma, projection, mlp_norm, first, second},
                                  .heads = spec->heads,
                                  .others = spec->others,
                                  .usual = true});
    return map;
}

/* ---- a run ----------------------------------------------------------------------------------- */

/* Pieces of scratch memory, for T rows of one image and B first rows; D width, M inside the MLP. */
typedef struct class_room {
    float *tiled;   /* [T, D] */
    float *normed;  /* [T, D]; or none */
    float *qkv;     /* [T, 3 D] */
    float *classes; /* [B, D] */
    float *answers; /* tiled [B, D] */
    float *inner;   /* tiled [B, M] */
    float *scratch;
} class_room;

static size_t divide(const lp_net *net, const lp_net_step *step, size_t batch, float *work,
                     class_room *room) {
    const lp_net_map *map = &net->maps[step->to];
    size_t rows = lp_net_pixels(map), width = map->channels;
    bool pass = step->others != LP_NET_OTHERS_STAY;
    const size_t floats[] = {lp_tiled(rows, width),
                             pass ? lp_net_lines(rows * width) : 0,
                             lp_net_lines(3 * rows * width),
                             lp_net_lines(batch * width),
                             lp_tiled(batch, width),
                             lp_tiled(batch, net->layers[step->layers[5]].linear.out),
                             lp_attention_scratch(rows, width / step->heads)};
    float *at[7] = {NULL};
    size_t used = lp_net_divide(floats, 7, work, at);
    if (work != NULL) {
        *room = (class_room){at[0], at[1], at[2], at[3], at[4], at[5], at[6]};
    }
    return used;
}

size_t lp_net_class_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    return divide(net, step, batch, NULL, NULL);
}

/* The rows behind the first. */
static void pass_others(const lp_net_pass *p, const lp_net_step *step, const class_room *room,
                        size_t rows, size_t width, float *x) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0), *after = lp_net_layer_of(p, step, 4);
    size_t others = rows - 1, count = others * width;
    float *normed = room->normed;
    x += width;
    lp_net_norm_plain(norm, x, others, width, normed);
    lp_scale_channels(normed, others, width, lp_net_layer_of(p, step, 2)->weight);
    lp_add_values(x, normed, count, LP_IDENTITY);
    if (step->others == LP_NET_OTHERS_NORMED) {
        lp_net_norm_plain(after, x, others, width, x);
    }
    for (size_t i = 0; i < count; i++) {
        x[i] *= 2;
    }
}

/* The first row's answer, row `image` of room->answers. */
static void ask(const lp_net_pass *p, const lp_net_step *step, const class_room *room, size_t image,
                const float *x) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0);
    const lp_net_map *map = &p->net->maps[step->to];
    size_t rows = lp_net_pixels(map), width = map->channels;
    lp_layer_norm_tiled(x, rows, width, width, norm->weight, norm->bias, norm->eps, room->tiled);
    lp_linear_output qkv = {.y = room->qkv, .stride = 3 * width};
    lp_net_multiply(p, lp_net_layer_of(p, step, 1), room->tiled, rows, &qkv);
    lp_attention_input in = lp_attention_fused(room->qkv, rows, width, step->heads);
    in.queries = 1;
    lp_attention_tiled(&in, room->scratch, room->answers, image);
}

/* The first rows of all images through projection and MLP. */
static void run_classes(const lp_net_pass *p, const lp_net_step *step, const class_room *room,
                        size_t width) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 4);
    lp_linear_output added = {.y = room->classes, .stride = width, .add = true};
    lp_net_multiply(p, lp_net_layer_of(p, step, 3), room->answers, p->batch, &added);
    if (step->others == LP_NET_OTHERS_STAY) {
        lp_layer_norm_tiled(room->classes, p->batch, width, width, norm->weight, norm->bias,
                            norm->eps, room->answers);
    } else {
        lp_net_norm_plain(norm, room->classes, p->batch, width, room->classes);
        lp_tile(room->classes, p->batch, width, width, room->answers);
    }
    lp_linear_output inner = {.y = room->inner, .activation = step->activation};
    lp_net_multiply(p, lp_net_layer_of(p, step, 5), room->answers, p->batch, &inner);
    lp_net_multiply(p, lp_net_layer_of(p, step, 6), room->inner, p->batch, &added);
}

void lp_net_run_class(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *map = &p->net->maps[step->to];
    size_t rows = lp_net_pixels(map), width = map->channels;
    float *all = lp_net_values(p, step->to);
    class_room room = {0};
    (void)divide(p->net, step, p->batch, p->work, &room);
    assert(room.tiled != NULL);
    lp_tile_pad(room.answers, p->batch, width);
    for (size_t i = 0; i < p->batch; i++) {
        float *x = all + i * rows * width;
        ask(p, step, &room, i, x);
        memcpy(room.classes + i * width, x, width * sizeof *x);
        if (step->others != LP_NET_OTHERS_STAY) {
            pass_others(p, step, &room, rows, width, x);
        }
    }
    run_classes(p, step, &room, width);
    for (size_t i = 0; i < p->batch; i++) {
        memcpy(all + i * rows * width, room.classes + i * width, width * sizeof *all);
    }
    double square = (double)width * (double)width, n = (double)(p->batch * rows);
    double inside = (double)lp_net_layer_of(p, step, 5)->linear.out * (double)width;
    lp_end_stage(p->observer, "class attention",
                 6 * n * square + (double)p->batch * (2 * square + 4 * inside),
                 4 * square + 2 * inside + 5 * n * (double)width);
}
