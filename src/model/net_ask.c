/* The last block of a transformer of which the first row alone is used, as steps of a network: that
 * row asks all rows, and keys and values are never made.  With h_t the normed rows, and n a head's
 * number,
 *
 *   q_n k_nt = q_n (Wk_n h_t + bk_n) = (q_n Wk_n) h_t + a constant, which the softmax takes away
 *   sum_t p_nt v_nt = Wv_n (sum_t p_nt h_t) + bv_n
 *
 * The row has a map of its own from here on, on which the block's MLP runs. */
#include <string.h>

#include "base/error.h"
#include "math/attention.h"
#include "math/rows.h"
#include "math/tiles.h"
#include "model/net_plan.h"
#include "model/net_steps.h"

/* ---- before a run ---------------------------------------------------------------------------- */

lp_status lp_net_ask_alone(lp_net_builder *b, lp_error *err) {
    lp_net *net = b->net;
    size_t row = lp_net_new_map(b, lp_net_channels(b, net->rows)), last = net->head;
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_PUT, .from = row, .to = net->rows});
    if (b->plan->no_memory) {
        return lp_fail_memory(err, "an encoder", 1, sizeof *net->steps);
    }
    lp_net_step put = net->steps[net->step_count - 1];
    memmove(&net->steps[last + 1], &net->steps[last],
            (net->step_count - 1 - last) * sizeof *net->steps);
    net->steps[last] = put;
    net->head = last + 1;
    net->steps[last].ends_block = true;
    net->steps[last - 1].ends_block = false; /* the MLP */
    net->steps[last - 1].from = net->steps[last - 1].to = row;
    net->steps[last - 2].operation = LP_NET_ASK;
    net->steps[last - 2].to = row;
    net->layers[net->steps[last - 2].layers[1]].heads = net->heads;
    return LP_OK;
}

/* ---- a run ----------------------------------------------------------------------------------- */

/* Pieces of scratch memory, for B images of T rows, D wide, NH heads. */
typedef struct ask_room {
    float *normed;  /* [B, T, D] */
    float *tiled;   /* [B, D]: what a product reads */
    float *queries; /* [B, D], then the answers */
    float *asked;   /* [B, NH, D]: q_n Wk_n, then sum_t p_nt h_t */
    float *scratch;
} ask_room;

static size_t divide(const lp_net *net, const lp_net_step *step, size_t batch, float *work,
                     ask_room *room) {
    const lp_net_map *from = &net->maps[step->from];
    size_t rows = lp_net_pixels(from), width = from->channels;
    const size_t floats[] = {lp_net_lines(batch * rows * width), lp_tiled(batch, width),
                             lp_net_lines(batch * width), lp_net_lines(batch * net->heads * width),
                             lp_attention_scratch(rows, width)};
    float *at[5] = {NULL};
    size_t used = lp_net_divide(floats, 5, work, at);
    if (work != NULL) {
        *room = (ask_room){at[0], at[1], at[2], at[3], at[4]};
    }
    return used;
}

size_t lp_net_ask_work(const lp_net *net, const lp_net_step *step, size_t batch) {
    return divide(net, step, batch, NULL, NULL);
}

/* y = layer(x) for each image, x and y with a stride. */
static void apply(const lp_net_pass *p, const ask_room *room, const lp_packed_linear *layer,
                  const float *x, size_t stride, float *y, size_t y_stride) {
    lp_tile(x, p->batch, layer->in, stride, room->tiled);
    lp_linear_output output = {.y = y, .stride = y_stride};
    lp_linear_run(layer, room->tiled, p->batch, &output);
}

/* queries -> the sums of normed rows that each head's softmax gives. */
static void attend(const lp_net_pass *p, const lp_net_step *step, const ask_room *room) {
    const lp_net_map *from = &p->net->maps[step->from];
    size_t rows = lp_net_pixels(from), width = from->channels, heads = p->net->heads;
    for (size_t i = 0; i < p->batch; i++) {
        const float *normed = room->normed + i * rows * width;
        float *asked = room->asked + i * heads * width;
        lp_attention_input in = {.q = asked,
                                 .k = normed,
                                 .v = normed,
                                 .q_stride = width,
                                 .kv_stride = width,
                                 .queries = heads,
                                 .tokens = rows,
                                 .heads = 1,
                                 .head_width = width,
                                 .scale = 1}; /* it is in the keys' weights */
        lp_attention(&in, room->scratch, asked, width);
    }
}

void lp_net_run_ask(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_layer *norm = lp_net_layer_of(p, step, 0), *qkv = lp_net_layer_of(p, step, 1);
    const lp_net_map *from = &p->net->maps[step->from];
    size_t rows = lp_net_pixels(from), width = from->channels, heads = p->net->heads;
    size_t each = width / heads, image = rows * width;
    const float *x = lp_net_values(p, step->from);
    float *y = lp_net_values(p, step->to);
    ask_room room = {0};
    (void)divide(p->net, step, p->batch, p->work, &room);
    lp_net_norm_plain(norm, x, p->batch * rows, width, room.normed);
    lp_end_stage(p->observer, "norm", 0, 2 * (double)(p->batch * image));
    apply(p, &room, &qkv->linear, room.normed, image, room.queries, width);
    for (size_t n = 0; n < heads; n++) {
        apply(p, &room, &qkv->keys_values[n], room.queries + n * each, width,
              room.asked + n * width, heads * width);
    }
    attend(p, step, &room);
    for (size_t n = 0; n < heads; n++) {
        apply(p, &room, &qkv->keys_values[heads + n], room.asked + n * width, heads * width,
              room.queries + n * each, width);
    }
    double square = (double)width * (double)width, n = (double)p->batch;
    lp_end_stage(p->observer, "class attention", 2 * n * (3 * square + 2 * (double)(heads * image)),
                 3 * square + n * (double)(image + (4 * heads + 5) * width));
    lp_tile(room.queries, p->batch, width, width, room.tiled);
    for (size_t i = 0; i < p->batch; i++) {
        memcpy(y + i * width, x + i * image, width * sizeof *y);
    }
    lp_net_project(p, step, room.tiled, p->batch, y);
}

void lp_net_run_put(const lp_net_pass *p, const lp_net_step *step) {
    const lp_net_map *to = &p->net->maps[step->to];
    size_t width = to->channels, image = lp_net_pixels(to) * width;
    for (size_t i = 0; i < p->batch; i++) {
        memcpy(lp_net_values(p, step->to) + i * image, lp_net_values(p, step->from) + i * width,
               width * sizeof(float));
    }
}
