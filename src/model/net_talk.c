/* Attention of heads that talk, as a step of a network (CaiT): the scores of a query and a key go
 * through a linear layer over the heads before the softmax, and what it gives through another one
 * (math/attention.h, lp_talking_heads).  Reproduces timm models/cait.py, TalkingHeadAttn. */
#include <assert.h>

#include "math/attention.h"
#include "math/tiles.h"
#include "model/net_plan.h"
#include "model/net_steps.h"

/* ---- words ----------------------------------------------------------------------------------- */

/* A linear layer over the heads. */
static size_t plan_heads(lp_net_builder *b, const char *name, size_t heads) {
    size_t layer = lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_VECTORS, .channels = heads});
    lp_net_stored *stored = b->tower->stored[layer];
    LP_NET_PLAN(&stored->weight, name, ".weight", heads, heads);
    LP_NET_PLAN(&stored->bias, name, ".bias", heads);
    return layer;
}

size_t lp_net_talk(lp_net_builder *b, size_t map, const lp_net_talk_spec *spec) {
    size_t width = lp_net_channels(b, map), heads = lp_net_size(b, 0, "%s.weight", spec->before);
    heads = heads > 0 ? heads : 1;
    if (width % heads != 0) {
        lp_plan_problem(b->plan, "%s%s: %zu heads: width %zu is not divisible", b->place,
                        spec->before, heads, width);
    }
    size_t norm = lp_net_plan_norm(b, spec->norm, width, spec->eps, false);
    size_t qkv = lp_net_plan_qkv(b, &spec->qkv, width);
    size_t before = plan_heads(b, spec->before, heads), after = plan_heads(b, spec->after, heads);
    size_t projection = lp_net_plan_linear(b, spec->projection, width, width, true, spec->gamma);
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_TALK,
                                     .from = map,
                                     .to = map,
                                     .layers = {norm, qkv, before, projection, after},
                                     .heads = heads});
    return map;
}

/* ---- a run ----------------------------------------------------------------------------------- */

/* Pieces of scratch memory, for one image of T rows; D width. */
typedef struct talk_room {
    float *tiled; /* [T, D]: the normed rows, then what attention gives */
    float *qkv;   /* [T, 3 D] */
    float *scratch;
} talk_room;

static size_t divide(const lp_net *net, const lp_net_step *step, float *work, talk_room *room) {
    const lp_net_map *map = &net->maps[step->to];
    size_t rows = lp_net_pixels(map), width = map->channels;
    size_t tiled = lp_tiled(rows, width), qkv = lp_net_lines(3 * rows * width);
    if (work != NULL) {
        *room = (talk_room){work, work + tiled, work + tiled + qkv};
    }
    return tiled + qkv + lp_attention_talking_scratch(rows, width / step->heads, step->heads);
}

size_t lp_net_talk_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    (void)batch;
    return divide(net, step, NULL, NULL);
}

void lp_net_run_talk(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *before = lp_net_layer_of(p, step, 2), *after = lp_net_layer_of(p, step, 4);
    const lp_net_map *map = &p->net->maps[step->to];
    const lp_talking_heads talk = {before->weight, before->bias, after->weight, after->bias};
    size_t rows = lp_net_pixels(map), width = map->channels;
    double n = (double)rows;
    talk_room room = {0};
    (void)divide(p->net, step, p->work, &room);
    assert(room.tiled != NULL);
    for (size_t i = 0; i < p->batch; i++) {
        float *x = lp_net_values(p, step->to) + i * rows * width;
        lp_net_norm_qkv(p, step, x, rows, room.tiled, room.qkv);
        const lp_attention_input in = lp_attention_fused(room.qkv, rows, width, step->heads);
        lp_tile_pad(room.tiled, rows, width);
        lp_attention_talking(&in, &talk, room.scratch, room.tiled, 0);
        double mixed = 4 * (double)step->heads * (double)step->heads;
        lp_end_stage(p->observer, "attention", n * n * (4 * (double)width + mixed),
                     4 * n * (double)width);
        lp_net_project(p, step, room.tiled, rows, x);
    }
}
