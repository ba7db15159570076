/* The residual network's forward pass over a batch of B images, pixels as rows of channels.
 *
 *   stem     convolutions, relu; 2x2 mean (CLIP) or 3x3 maximum, every second pixel
 *   block    h = relu(conv(relu(conv(x)))) (3x3, 3x3) or (1x1, 3x3, then 1x1: bottleneck)
 *            x = relu(h + x), or relu(h + conv1x1(x)) where the shape changes
 *            where pixels become fewer: the 3x3 (basic: first) convolution and the shortcut's have
 *            stride 2 (torchvision), or a 2x2 mean stands before the last and the shortcut's (CLIP)
 *   pool     mean over the pixels [B, C]                        = penultimate (torchvision)
 *            CLIP: tokens [B, 1 + P, C], their mean first, + positions; attention of the mean's
 *            query over all of them [B, C]                      = penultimate
 *   project  [B, E]                                             = projected
 *
 * Reproduces ResNet of torchvision models/resnet.py without fc, and ModifiedResNet of openai/CLIP
 * clip/model.py (which open_clip keeps, with ReLU whatever the text tower's activation).  Batch
 * norms are folded into the convolutions before them (resnet_pack.c).
 *
 * Attention asks one query per image and head, so keys and values of the tokens are never built:
 *   q_h . (Wk_h t + bk_h) = (Wk_h' q_h) . t + a constant that softmax takes off again,
 *   sum_t a_t (Wv_h t + bv_h) = Wv_h (sum_t a_t t) + bv_h       as the a_t add up to 1:
 * 4 C^2 products an image instead of (2 T + 2) C^2.
 *
 * Scratch: two maps (a block's input, and its output where it cannot take the input's place), two
 * for what lies within a block, and what a Winograd convolution needs, once.  measure() walks the
 * same way as a run to find their sizes. */
#include "model/resnet.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "math/attention.h"
#include "math/conv_linear.h"
#include "math/pool.h"
#include "math/rows.h"
#include "math/winograd.h"

enum { MAP = 0, OTHER_MAP, INNER, OTHER_INNER, BUFFERS };

typedef struct resnet_pass {
    const lp_resnet *resnet;
    size_t batch;
    bool measuring;       /* computes nothing but the room */
    size_t room[BUFFERS]; /* for each image */
    float *at[BUFFERS];
    size_t work_room; /* for all */
    float *work;
    const lp_observer *observer; /* NULL while measuring */
} resnet_pass;

/* [B, side, side, channels] in a buffer. */
typedef struct map {
    float *x;
    size_t side, channels;
    int buffer;
} map;

/* Values of a map, all images. */
static double floats_of(const resnet_pass *f, map m) {
    return (double)f->batch * (double)m.side * (double)m.side * (double)m.channels;
}

static void conv_done(const resnet_pass *f, const lp_resnet_layer *layer, map from, map to,
                      bool added) {
    const lp_conv *c = &layer->conv;
    double taps = (double)c->taps_high * (double)c->taps_wide;
    double weights = (double)c->groups * (double)c->out * (double)c->in; /* of one tap */
    double places = floats_of(f, to) / (double)to.channels;
    /* a single tap reads no other pixels than its stride takes */
    double read = taps > 1 ? floats_of(f, from) : places * (double)from.channels;
    double floats = read + (added ? 2 : 1) * floats_of(f, to);
    if (layer->winograd) { /* 16 products for each tile of 2x2 outputs */
        size_t across = (to.side + 1) / 2;
        taps = 16;
        places = (double)f->batch * (double)across * (double)across;
    }
    lp_end_stage(f->observer,
                 layer->winograd ? "winograd 3x3"
                 : taps > 1      ? "conv 3x3"
                                 : "conv 1x1",
                 2 * places * taps * weights, floats + taps * weights);
}

static void observe_map(const resnet_pass *f, const char *stage, map m) {
    lp_observe(f->observer, stage, m.x, f->batch * m.side * m.side, m.channels);
}

/* A buffer for `floats` of each image. */
static float *claim(resnet_pass *f, int buffer, size_t floats) {
    if (floats > f->room[buffer]) {
        f->room[buffer] = floats;
    }
    return f->at[buffer];
}

static map new_map(resnet_pass *f, int buffer, size_t side, size_t channels) {
    return (map){claim(f, buffer, side * side * channels), side, channels, buffer};
}

/* Scratch memory of a layer. */
static size_t work_of(const lp_resnet *r, const lp_resnet_layer *layer) {
    const lp_conv *conv = &layer->conv;
    return layer->winograd && layer->products != NULL
               ? lp_winograd_linear_scratch(conv, r->precision)
           : layer->winograd         ? lp_winograd_scratch(conv)
           : layer->products != NULL ? lp_conv_linear_scratch(conv, r->precision)
                                     : 0;
}

static map convolve(resnet_pass *f, const lp_resnet_layer *layer, map from, const float *add,
                    lp_nonlinearity activation, int buffer) {
    const lp_conv *conv = &layer->conv;
    map to = new_map(f, buffer, lp_conv_side(conv, from.side, conv->taps_high),
                     conv->groups * conv->out);
    if (f->measuring) {
        size_t work = work_of(f->resnet, layer);
        f->work_room = work > f->work_room ? work : f->work_room;
        return to;
    }
    lp_conv_input in = lp_conv_dense(from.x, f->batch, from.side, from.side, from.channels);
    if (layer->winograd && layer->products != NULL) {
        lp_winograd_linear_run(conv, layer->products, from.x, f->batch, from.side, add, activation,
                               to.x, f->work);
    } else if (layer->winograd) {
        lp_winograd_run(conv, from.x, f->batch, from.side, add, activation, to.x, f->work);
    } else if (layer->products != NULL) {
        assert(add == NULL || add == to.x);
        lp_conv_linear_run(conv, layer->products, &in, add != NULL, activation, to.x, f->work);
    } else {
        lp_conv_run(conv, &in, add, activation, to.x);
    }
    conv_done(f, layer, from, to, add != NULL);
    return to;
}

static map average(resnet_pass *f, map from, size_t window, int buffer) {
    map to = new_map(f, buffer, from.side / window, from.channels);
    if (!f->measuring) {
        lp_average_pool(from.x, f->batch, from.side, from.channels, window, to.x);
        lp_end_stage(f->observer, "pool", 0, floats_of(f, from) + floats_of(f, to));
    }
    return to;
}

static map convolve_images(resnet_pass *f, const float *images, const lp_conv *conv) {
    size_t side = f->resnet->input;
    float *padded = claim(f, MAP, lp_conv_images_scratch(conv, side));
    map to = new_map(f, INNER, lp_conv_side(conv, side, conv->taps_high), conv->out);
    if (!f->measuring) {
        lp_conv_images(conv, images, f->batch, side, LP_RELU, padded, to.x);
        double weights = (double)conv->out * (double)(conv->in * conv->taps_high * conv->taps_wide);
        double pixels = floats_of(f, to) / (double)to.channels;
        lp_end_stage(f->observer, "stem", 2 * pixels * weights,
                     (double)(f->batch * side * side * 3) + weights + floats_of(f, to));
    }
    return to;
}

static map stem(resnet_pass *f, const float *images) {
    const lp_resnet *r = f->resnet;
    map m = convolve_images(f, images, &r->layers[0].conv);
    for (size_t i = 1; i < r->stem_depth; i++) {
        m = convolve(f, &r->layers[i], m, NULL, LP_RELU, m.buffer == INNER ? OTHER_INNER : INNER);
    }
    if (r->clip) {
        m = average(f, m, 2, MAP);
    } else {
        map from = m;
        m = new_map(f, MAP, (from.side + 1) / 2, from.channels);
        if (!f->measuring) {
            lp_max_pool(from.x, f->batch, from.side, from.channels, m.x);
            lp_end_stage(f->observer, "pool", 0, floats_of(f, from) + floats_of(f, m));
        }
    }
    observe_map(f, "stem", m);
    return m;
}

static map run_block(resnet_pass *f, const lp_resnet_block *b, map m) {
    map h = m, sum = m;
    int free_inner = INNER;
    for (size_t i = 0; i + 1 < b->depth; i++) {
        h = convolve(f, &b->layers[i], h, NULL, LP_RELU, free_inner);
        free_inner = free_inner == INNER ? OTHER_INNER : INNER;
    }
    if (b->pool > 1) {
        h = average(f, h, b->pool, free_inner);
        free_inner = free_inner == INNER ? OTHER_INNER : INNER;
    }
    if (b->shortcut) {
        map from = b->pool > 1 ? average(f, m, b->pool, free_inner) : m;
        sum = convolve(f, &b->layers[b->depth], from, NULL, LP_IDENTITY,
                       m.buffer == MAP ? OTHER_MAP : MAP);
    }
    /* in place: an output is written once that place of `sum` has been read */
    m = convolve(f, &b->layers[b->depth - 1], h, sum.x, LP_RELU, sum.buffer);
    observe_map(f, b->name, m);
    return m;
}

/* One vector an image, [B, C], every `stride` floats. */
static lp_conv_input vectors(const resnet_pass *f, const float *x, size_t channels, size_t stride) {
    return (lp_conv_input){x, f->batch, 1, 1, channels, channels, stride};
}

static void pool_by_attention(resnet_pass *f, map m, bool projected, float *features) {
    const lp_resnet *r = f->resnet;
    size_t channels = m.channels, pixels = m.side * m.side, count = pixels + 1;
    size_t stride = count * channels;
    float *tokens = claim(f, m.buffer == MAP ? OTHER_MAP : MAP, stride);
    float *scratch = claim(f, m.buffer, lp_attention_scratch(count, channels));
    float *q = claim(f, INNER, channels);
    float *u = claim(f, OTHER_INNER, r->heads * channels);
    if (f->measuring) {
        return;
    }
    lp_mean_pool(m.x, f->batch, pixels, channels, tokens, stride);
    for (size_t b = 0; b < f->batch; b++) {
        memcpy(tokens + b * stride + channels, m.x + b * pixels * channels,
               pixels * channels * sizeof *tokens);
    }
    lp_add_bias(tokens, f->batch, stride, stride, r->positions);
    lp_observe(f->observer, "tokens", tokens, f->batch * count, channels);
    lp_conv_input first = vectors(f, tokens, channels, stride);
    lp_conv_run(&r->query->conv, &first, NULL, LP_IDENTITY, q);
    lp_conv_input queries = vectors(f, q, channels, channels);
    lp_conv_run(&r->key->conv, &queries, NULL, LP_IDENTITY, u);
    for (size_t b = 0; b < f->batch; b++) {
        float *of_image = u + b * r->heads * channels; /* in: each head's query, out: its sum */
        lp_attention_input in = {.q = of_image, .queries = r->heads, .tokens = count, .heads = 1};
        in.k = in.v = tokens + b * stride;
        in.q_stride = in.kv_stride = in.head_width = channels;
        in.scale = lp_attention_scale(channels / r->heads);
        lp_attention(&in, scratch, of_image, channels);
    }
    float *penultimate = projected ? q : features;
    lp_conv_input sums = vectors(f, u, r->heads * channels, r->heads * channels);
    lp_conv_run(&r->value->conv, &sums, NULL, LP_IDENTITY, penultimate);
    double square = (double)channels * (double)channels, images = (double)f->batch;
    double one_query = (double)r->heads * (double)count * (double)channels;
    lp_end_stage(f->observer, "attention", 2 * images * (3 * square + 2 * one_query),
                 floats_of(f, m) + 3 * square + (double)stride + images * (double)channels);
    lp_observe(f->observer, "penultimate", penultimate, f->batch, channels);
    if (projected) {
        lp_conv_run(&r->projection->conv, &queries, NULL, LP_IDENTITY, features);
        double out = (double)r->projection->conv.out, weights = (double)channels * out;
        lp_end_stage(f->observer, "projection", 2 * images * weights,
                     weights + images * ((double)channels + out));
        lp_observe(f->observer, "projected", features, f->batch, r->projection->conv.out);
    }
}

static void walk(resnet_pass *f, const float *images, bool projected, float *features) {
    map m = stem(f, images);
    for (size_t i = 0; i < f->resnet->block_count; i++) {
        m = run_block(f, &f->resnet->blocks[i], m);
    }
    if (f->resnet->clip) {
        pool_by_attention(f, m, projected, features);
    } else if (!f->measuring) {
        lp_mean_pool(m.x, f->batch, m.side * m.side, m.channels, features, m.channels);
        lp_end_stage(f->observer, "pool", 0, floats_of(f, m) + (double)(f->batch * m.channels));
        lp_observe(f->observer, "penultimate", features, f->batch, m.channels);
    }
}

static resnet_pass measure(const lp_resnet *resnet) {
    resnet_pass f = {.resnet = resnet, .batch = 1, .measuring = true};
    walk(&f, NULL, false, NULL);
    for (int i = 0; i < BUFFERS; i++) {
        f.room[i] = (f.room[i] + 15) / 16 * 16; /* 64 bytes */
    }
    return f;
}

size_t lp_resnet_scratch(const void *tower, size_t batch) {
    resnet_pass f = measure(tower);
    size_t floats, each = f.room[MAP] + f.room[OTHER_MAP] + f.room[INNER] + f.room[OTHER_INNER];
    return lp_mul(batch, each, &floats) && floats <= SIZE_MAX - f.work_room ? floats + f.work_room
                                                                            : SIZE_MAX;
}

void lp_resnet_run(const void *tower, const float *images, size_t batch, lp_feature_point point,
                   float *features, float *scratch, const lp_observer *observer) {
    resnet_pass f = measure(tower);
    f.measuring = false;
    f.batch = batch;
    f.observer = observer;
    for (int i = 0; i < BUFFERS; i++) {
        f.at[i] = scratch;
        scratch += batch * f.room[i];
    }
    f.work = scratch;
    walk(&f, images, point == LP_FEATURE_PROJECTED, features);
}
