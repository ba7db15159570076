/* The vision transformer's forward pass over a batch of B images, T tokens each; prefix + G*G = T.
 *
 *   patches   [B*G*G, 3PP] cut from the images, times the patch weight' -> [B*G*G, D] (+ bias)
 *   tokens    x [B*T, D]: prefix tokens, then patches; + positions
 *   norm_pre  x = LN(x)                                                        (CLIP)
 *   block     h = LN1(x); q, k, v = h Wqkv' + b; x += attention(q, k, v) Wout' + b
 *             h = LN2(x); x += act(h Wfc1' + b) Wfc2' + b; gated: silu(first half) * second half
 *   norm_post LN(x), then one vector of each image [B, D]                      = penultimate
 *             class: the first token; mean: of the patches (+ fc_norm); attention: of a learnt
 *             query, then an MLP
 *             several layers: that of each of them, side by side; class and mean: the class tokens,
 *             then the last layer's mean
 *   project   times the projection's weight' [D, E]                                 = projected
 *
 * Reproduces VisionTransformer of openai/CLIP clip/model.py and of timm
 * models/vision_transformer.py, and what follows them (docs/MODEL.md lists it).  All images of a
 * batch go through one product each; what a product reads is tiled (math/tiles.h), x is not.  Where
 * only the class token leaves the last block, everything there is computed for that token alone; a
 * matrix of class tokens is x with a stride of T*D.  Layer scale is in the weights already.
 *
 * Scratch, in floats:
 *   x      B*T*D
 *   h      B*T*D           normed input of a product; patches' product; attention's output
 *   wide   B*max(G*G*3PP, T*3D, T*M or T*3M, (NH + 2)*D, A)   patches, then q|k|v, then the MLP's
 *          inside
 *   pooled B*D             the penultimate features, where they are projected
 *   attention   its panels and scores (math/attention.h)
 *   rounded     rows and more, with 16 or 8 bits (math/linear_any.h) */
#include "model/vit.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "math/attention.h"
#include "math/linear_any.h"
#include "math/rows.h"
#include "math/tiles.h"

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Columns of the MLP's first product. */
static size_t inner_width(const lp_vit *vit) {
    return vit->gated ? 2 * vit->shape.mlp_width : vit->shape.mlp_width;
}

/* The floats of one image, tiled, are never fewer than its share of a batch's. */
static size_t wide_per_image(const lp_vit *vit) {
    const lp_vit_shape *s = &vit->shape;
    size_t floats = lp_tiled(s->grid * s->grid, 3 * s->patch * s->patch);
    floats = larger(floats, s->tokens * 3 * s->width);
    floats = larger(floats, lp_tiled(1, s->width) + (s->heads + 1) * s->width);
    floats = larger(floats, lp_tiled(s->tokens, s->mlp_width) +
                                (vit->gated ? s->tokens * inner_width(vit) : 0));
    return larger(floats, lp_tiled(1, s->pool_mlp_width));
}

static size_t plane_per_image(const lp_vit *vit) {
    return lp_tiled(vit->shape.tokens, vit->shape.width);
}

static size_t attention_floats(const lp_vit *vit) {
    const lp_vit_shape *s = &vit->shape;
    return lp_vit_ends_with_one_token(vit) ? lp_attention_scratch(s->tokens, s->width)
                                           : lp_attention_scratch(s->tokens, s->width / s->heads);
}

/* Of the blocks' linear layers, the widest input's. */
static size_t rounded_floats(const lp_vit *vit) {
    return larger(lp_linear_any_scratch(vit->precision, vit->shape.width),
                  lp_linear_any_scratch(vit->precision, vit->shape.mlp_width));
}

size_t lp_vit_scratch(const void *tower, size_t batch) {
    const lp_vit *vit = tower;
    size_t floats, shared = attention_floats(vit) + rounded_floats(vit);
    if (!lp_mul(batch, 2 * plane_per_image(vit) + wide_per_image(vit) + vit->shape.width,
                &floats) ||
        floats > SIZE_MAX - shared) {
        return SIZE_MAX;
    }
    return floats + shared;
}

typedef struct forward {
    const lp_vit *vit;
    size_t batch;
    float *x, *h, *wide, *pooled, *attention, *rounded;
    const lp_observer *observer;
} forward;

/* The end of a piece of work with so many multiplications, which read or wrote so many floats. */
static void stage_done(const forward *f, const char *stage, size_t multiplications, size_t floats) {
    lp_end_stage(f->observer, stage, 2 * (double)multiplications, (double)floats);
}

static void run_layer(const forward *f, const char *stage, const lp_packed_linear *layer,
                      const float *x, size_t rows, const lp_linear_output *output) {
    size_t weights = layer->in * layer->out, outputs = rows * layer->out;
    lp_linear_any_run(layer, x, rows, output, f->rounded);
    stage_done(f, stage, rows * weights,
               rows * layer->in + weights + (output->add ? 2 : 1) * outputs);
}

/* y = layer(x), x tiled [rows, in], y with a stride or 0: tiled. */
static void apply(const forward *f, const char *stage, const lp_packed_linear *layer,
                  const float *x, size_t rows, float *y, size_t stride) {
    run_layer(f, stage, layer, x, rows, &(lp_linear_output){.y = y, .stride = stride});
}

/* y += layer(x) */
static void apply_and_add(const forward *f, const char *stage, const lp_packed_linear *layer,
                          const float *x, size_t rows, float *y, size_t stride) {
    run_layer(f, stage, layer, x, rows, &(lp_linear_output){.y = y, .stride = stride, .add = true});
}

/* y = act(layer(x)), tiled. */
static void apply_and_activate(const forward *f, const char *stage, const lp_packed_linear *layer,
                               const float *x, size_t rows, float *y) {
    static const lp_nonlinearity of[] = {[LP_ACTIVATION_GELU] = LP_GELU,
                                         [LP_ACTIVATION_QUICK_GELU] = LP_QUICK_GELU,
                                         [LP_ACTIVATION_GELU_TANH] = LP_GELU_TANH};
    run_layer(f, stage, layer, x, rows,
              &(lp_linear_output){.y = y, .activation = of[f->vit->activation]});
}

/* LN(x [rows, D]) -> y with a stride, or 0: tiled. */
static void norm(const forward *f, const float *x, size_t rows, size_t stride, const lp_vit_norm *w,
                 float *y, size_t y_stride) {
    size_t width = f->vit->shape.width;
    if (y_stride == 0) {
        lp_layer_norm_tiled(x, rows, width, stride, w->weight, w->bias, f->vit->eps, y);
    } else {
        lp_layer_norm(x, rows, width, stride, w->weight, w->bias, f->vit->eps, y, y_stride);
    }
    stage_done(f, "norm", 0, 2 * rows * width + 2 * width);
}

/* images [B, 3, G*P, G*P] -> wide [B*G*G, 3PP], tiled, a row in the order of the weight's
 * [3, P, P]. */
static void cut_patches(const forward *f, const float *images) {
    size_t patch = f->vit->shape.patch, grid = f->vit->shape.grid;
    size_t side = f->vit->shape.side, columns = 3 * patch * patch;
    for (size_t b = 0; b < f->batch; b++) {
        for (size_t i = 0; i < grid * grid; i++) {
            for (size_t row = 0; row < 3 * patch; row++) { /* channel * P + y */
                size_t channel = row / patch, y = i / grid * patch + row % patch;
                lp_tile_row(images + ((b * 3 + channel) * side + y) * side + i % grid * patch,
                            patch, f->wide, columns, b * grid * grid + i, row * patch);
            }
        }
    }
    lp_tile_pad(f->wide, f->batch * grid * grid, columns);
}

/* h [B*G*G, D] -> x [B*T, D]. */
static void assemble_tokens(const forward *f) {
    const lp_vit *v = f->vit;
    size_t width = v->shape.width, prefix = v->shape.prefix * width;
    size_t patches = v->shape.grid * v->shape.grid * width;
    for (size_t b = 0; b < f->batch; b++) {
        float *x = f->x + b * (prefix + patches);
        if (prefix > 0) {
            memcpy(x, v->prefix_tokens, prefix * sizeof *x);
        }
        memcpy(x + prefix, f->h + b * patches, patches * sizeof *x);
        lp_add_bias(x + prefix, 1, patches, patches, v->positions);
    }
}

static void embed(const forward *f, const float *images) {
    const lp_vit *v = f->vit;
    size_t width = v->shape.width, tokens = v->shape.tokens;
    size_t patches = f->batch * v->shape.grid * v->shape.grid;
    cut_patches(f, images);
    stage_done(f, "cut", 0, 2 * patches * v->patch.in);
    apply(f, "patches", &v->patch, f->wide, patches, f->h, width);
    lp_observe(f->observer, "patches", f->h, patches, width);
    assemble_tokens(f);
    stage_done(f, "tokens", 0, 2 * f->batch * tokens * width + tokens * width);
    lp_observe(f->observer, "tokens", f->x, f->batch * tokens, width);
    if (v->norm_pre.weight != NULL) {
        norm(f, f->x, f->batch * tokens, width, &v->norm_pre, f->x, width);
        lp_observe(f->observer, "norm_pre", f->x, f->batch * tokens, width);
    }
}

/* Attention of a whole block: h [B*T, D], tiled -> h. */
static void attend(const forward *f, const lp_vit_block *w) {
    const lp_vit_shape *s = &f->vit->shape;
    size_t width = s->width, qkv = 3 * width;
    apply(f, "qkv", &w->qkv, f->h, f->batch * s->tokens, f->wide, qkv);
    for (size_t b = 0; b < f->batch; b++) {
        lp_attention_input in =
            lp_attention_fused(f->wide + b * s->tokens * qkv, s->tokens, width, s->heads);
        in.precision = f->vit->precision;
        lp_attention_tiled(&in, f->attention, f->h, b * s->tokens);
    }
    stage_done(f, "attention", f->batch * 2 * s->tokens * s->tokens * width,
               f->batch * s->tokens * 4 * width);
}

/* The same for the class token's query alone: h [B*T, D] -> h [B, D], tiled.  Keys and values are
 * never made: with h_t the normed tokens, and n the heads' number,
 *
 *   q_n k_nt = q_n (Wk_n h_t + bk_n) = (q_n Wk_n) h_t + a constant, which the softmax takes away
 *   sum_t p_nt v_nt = Wv_n (sum_t p_nt h_t) + bv_n
 *
 * wide holds a product's rows, tiled; q [B, D], then the output; u [B, NH, D]: q_n Wk_n, then
 * sum_t p_nt h_t. */
static void attend_class(const forward *f) {
    const lp_vit *v = f->vit;
    size_t width = v->shape.width, tokens = v->shape.tokens, heads = v->shape.heads;
    size_t batch = f->batch, head_width = width / heads;
    const char *stage = "class attention";
    float *tiled = f->wide, *q = tiled + lp_tiled(batch, width), *u = q + batch * width;
    lp_tile(f->h, batch, width, tokens * width, tiled);
    apply(f, stage, &v->last.query, tiled, batch, q, width);
    for (size_t n = 0; n < heads; n++) {
        lp_tile(q + n * head_width, batch, head_width, width, tiled);
        apply(f, stage, &v->last.keys[n], tiled, batch, u + n * width, heads * width);
    }
    for (size_t b = 0; b < batch; b++) {
        const float *h = f->h + b * tokens * width;
        float *of_image = u + b * heads * width;
        lp_attention_input in = {.q = of_image, .k = h, .v = h, .queries = heads, .heads = 1};
        in.q_stride = in.kv_stride = in.head_width = width;
        in.tokens = tokens;
        in.scale = 1; /* it is in the keys' weights */
        lp_attention(&in, f->attention, of_image, width);
    }
    stage_done(f, stage, batch * 2 * heads * tokens * width, batch * (tokens + 2 * heads) * width);
    for (size_t n = 0; n < heads; n++) {
        lp_tile(u + n * width, batch, width, heads * width, tiled);
        apply(f, stage, &v->last.values[n], tiled, batch, q + n * head_width, width);
    }
    lp_tile(q, batch, width, width, f->h);
}

bool lp_vit_ends_with_one_token(const lp_vit *vit) {
    return vit->pool == LP_POOL_CLASS && vit->class_tokens == 1;
}

static void run_block(const forward *f, size_t index) {
    const lp_vit *v = f->vit;
    const lp_vit_block *w = &v->blocks[index];
    size_t width = v->shape.width, rows = f->batch * v->shape.tokens, stride = width;
    if (index + 1 < v->shape.layers || !lp_vit_ends_with_one_token(v)) {
        norm(f, f->x, rows, stride, &w->norm1, f->h, 0);
        attend(f, w);
    } else {
        norm(f, f->x, rows, stride, &w->norm1, f->h, width);
        attend_class(f);
        rows = f->batch; /* from here on x means its class tokens */
        stride = v->shape.tokens * width;
    }
    apply_and_add(f, "out", &w->out, f->h, rows, f->x, stride);
    norm(f, f->x, rows, stride, &w->norm2, f->h, 0);
    if (v->gated) {
        size_t inner = v->shape.mlp_width;
        float *both = f->wide + lp_tiled(rows, inner);
        apply(f, "mlp 1", &w->fc1, f->h, rows, both, 2 * inner);
        lp_silu_gate(both, rows, inner);
        lp_tile(both, rows, inner, 2 * inner, f->wide);
        stage_done(f, "gate", 0, 3 * rows * inner);
    } else {
        apply_and_activate(f, "mlp 1", &w->fc1, f->h, rows, f->wide);
    }
    apply_and_add(f, "mlp 2", &w->fc2, f->wide, rows, f->x, stride);
}

static void observe_block(const forward *f, size_t index) {
    const lp_vit_shape *s = &f->vit->shape;
    if (f->observer == NULL || f->observer->observe_stage == NULL) {
        return;
    }
    char stage[32];
    (void)snprintf(stage, sizeof stage, "block %zu", index);
    if (index + 1 < s->layers || !lp_vit_ends_with_one_token(f->vit)) {
        lp_observe(f->observer, stage, f->x, f->batch * s->tokens, s->width);
        return;
    }
    for (size_t b = 0; b < f->batch; b++) {
        memcpy(f->h + b * s->width, f->x + b * s->tokens * s->width, s->width * sizeof *f->h);
    }
    lp_observe(f->observer, stage, f->h, f->batch, s->width);
}

/* ---- from tokens to one vector: x [B*T, D] -> out [B, D], rows `stride` apart -----------------
 */

/* out = the mean of `count` tokens of each image, from token `first` on; summed in float64. */
static void pool_mean(const forward *f, size_t first, size_t count, float *out, size_t stride) {
    const lp_vit *v = f->vit;
    size_t width = v->shape.width, tokens = v->shape.tokens;
    const float *normed = f->x; /* where the model norms after pooling */
    if (v->norm_post.weight != NULL) {
        norm(f, f->x, f->batch * tokens, width, &v->norm_post, f->wide, width);
        normed = f->wide;
    }
    for (size_t b = 0; b < f->batch; b++) {
        const float *from = normed + (b * tokens + first) * width;
        for (size_t c = 0; c < width; c++) {
            double sum = 0;
            for (size_t t = 0; t < count; t++) {
                sum += (double)from[t * width + c];
            }
            out[b * stride + c] = (float)(sum / (double)count);
        }
    }
    stage_done(f, "pool", 0, f->batch * (count + 1) * width);
    if (v->fc_norm.weight != NULL) {
        norm(f, out, f->batch, stride, &v->fc_norm, out, stride);
    }
}

/* y = attention of the learnt query over the normed patches, times out' + b; out = y + MLP(LN(y)).
 * wide holds k|v [B*T, 2D], then the MLP's inside [B, A]; h, tiled, the normed tokens, then what
 * the attention gives [B, D], then LN(y). */
static void pool_attention(const forward *f, float *out) {
    const lp_vit *v = f->vit;
    const lp_vit_pool *w = &v->attention_pool;
    const lp_vit_shape *s = &v->shape;
    size_t width = s->width, kv = 2 * width, rows = f->batch * s->tokens;
    if (v->norm_post.weight != NULL) {
        norm(f, f->x, rows, width, &v->norm_post, f->h, 0);
    } else {
        lp_tile(f->x, rows, width, width, f->h);
    }
    apply(f, "pool", &w->key_value, f->h, rows, f->wide, kv);
    for (size_t b = 0; b < f->batch; b++) {
        const float *k = f->wide + (b * s->tokens + s->prefix) * kv;
        lp_attention_input in = {.q = w->query, .k = k, .v = k + width, .queries = 1};
        in.q_stride = width;
        in.kv_stride = kv;
        in.tokens = s->grid * s->grid;
        in.heads = s->heads;
        in.head_width = width / s->heads;
        in.scale = lp_attention_scale(in.head_width);
        lp_attention_tiled(&in, f->attention, f->h, b);
    }
    size_t seen = f->batch * s->grid * s->grid * kv; /* keys and values */
    stage_done(f, "pool", seen, seen + 2 * f->batch * width);
    apply(f, "pool", &w->out, f->h, f->batch, out, width);
    norm(f, out, f->batch, width, &w->norm, f->h, 0);
    apply_and_activate(f, "pool", &w->fc1, f->h, f->batch, f->wide);
    apply_and_add(f, "pool", &w->fc2, f->wide, f->batch, out, width);
}

/* The class token alone: the norm behind the blocks, wherever it stands, is of it; or there is
 * none. */
static void pool_class(const forward *f, float *out, size_t stride) {
    const lp_vit *v = f->vit;
    size_t width = v->shape.width, image = v->shape.tokens * width;
    const lp_vit_norm *last = v->norm_post.weight != NULL ? &v->norm_post : &v->fc_norm;
    if (last->weight != NULL) {
        norm(f, f->x, f->batch, image, last, out, stride);
        return;
    }
    for (size_t b = 0; b < f->batch; b++) {
        memcpy(out + b * stride, f->x + b * image, width * sizeof *out);
    }
}

static void pool(const forward *f, lp_pool how, float *out, size_t stride) {
    const lp_vit *v = f->vit;
    const lp_vit_shape *s = &v->shape;
    if (how == LP_POOL_ATTENTION) {
        pool_attention(f, out); /* of the last block alone: the rows are not apart */
    } else if (how == LP_POOL_MEAN) {
        pool_mean(f, s->prefix, s->grid * s->grid, out, stride);
    } else if (v->class_tokens == 1) {
        pool_class(f, out, stride);
    } else {
        pool_mean(f, 0, v->class_tokens, out, stride);
    }
}

/* Behind block `index`: its part of the features [B, F], or none. */
static void take_features(const forward *f, size_t index, float *features) {
    const lp_vit *v = f->vit;
    bool with_mean = v->pool == LP_POOL_CLASS_MEAN;
    size_t layer = index + 1;
    if (layer >= v->layers.first) {
        float *out = features + (layer - v->layers.first) * v->shape.width;
        pool(f, with_mean ? LP_POOL_CLASS : v->pool, out, v->features);
        if (with_mean && layer == v->layers.last) {
            pool(f, LP_POOL_MEAN, out + v->shape.width, v->features);
        }
    }
}

void lp_vit_run(const void *tower, const float *images, size_t batch, lp_feature_point point,
                float *features, float *scratch, const lp_observer *observer) {
    const lp_vit *vit = tower;
    bool projected = point == LP_FEATURE_PROJECTED;
    const lp_vit_shape *s = &vit->shape;
    size_t plane = batch * plane_per_image(vit);
    forward f = {vit,  batch, scratch, scratch + plane, scratch + 2 * plane,
                 NULL, NULL,  NULL,    observer};
    f.pooled = f.wide + batch * wide_per_image(vit);
    f.attention = f.pooled + batch * s->width;
    f.rounded = f.attention + attention_floats(vit);
    embed(&f, images);
    float *penultimate = projected ? f.pooled : features;
    for (size_t i = 0; i < vit->layers.last; i++) {
        run_block(&f, i);
        observe_block(&f, i);
        take_features(&f, i, penultimate);
    }
    lp_observe(f.observer, "penultimate", penultimate, batch, vit->features);
    if (projected) {
        lp_tile(f.pooled, batch, s->width, s->width, f.h);
        apply(&f, "projection", &vit->projection, f.h, batch, features, s->embedding);
        lp_observe(f.observer, "projected", features, batch, s->embedding);
    }
}
