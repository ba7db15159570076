/* The vision transformer's forward pass over a batch of B images, T tokens each; prefix + G*G = T.
 *
 *   patches   [B*G*G, 3PP] cut from the images, times patch_weight' -> [B*G*G, D] (+ bias)
 *   tokens    x [B*T, D]: prefix tokens, then patches; + positions
 *   norm_pre  x = LN(x)                                                        (CLIP)
 *   block     h = LN1(x); q, k, v = h Wqkv' + b; x += attention(q, k, v) Wout' + b
 *             h = LN2(x); x += act(h Wfc1' + b) Wfc2' + b; gated: silu(first half) * second half
 *   norm_post LN(x), then one vector of each image [B, D]                      = penultimate
 *             class: the first token; mean: of the patches (+ fc_norm); attention: of a learnt
 * query, then an MLP project   times projection [D, E] or head_weight' [D, E]                   =
 * projected
 *
 * Reproduces VisionTransformer of openai/CLIP clip/model.py and of timm
 * models/vision_transformer.py, and what follows them (docs/MODEL.md lists it).  All images of a
 * batch go through one product each.  Where only the class token leaves the last block, its query,
 * output and MLP are computed for that token alone; a matrix of class tokens is x with a stride of
 * T*D.  Layer scale is in the weights already.
 *
 * Scratch, in floats:
 *   x      B*T*D
 *   h      B*T*D           normed input of a product; patches' product; attention's output
 *   wide   B*max(G*G*3PP, T*3D, T*M or T*2M, A)      patches, then q|k|v, then the MLP's inside
 *   scores lp_attention_scratch(T)                                                        */
#include "model/vit.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "math/attention.h"
#include "math/gemm.h"
#include "math/rows.h"

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Columns of the MLP's first product. */
static size_t inner_width(const lp_vit *vit) {
    return vit->gated ? 2 * vit->shape.mlp_width : vit->shape.mlp_width;
}

static size_t wide_per_image(const lp_vit *vit) {
    const lp_vit_shape *s = &vit->shape;
    size_t floats = s->grid * s->grid * 3 * s->patch * s->patch;
    floats = larger(floats, s->tokens * 3 * s->width);
    floats = larger(floats, s->tokens * inner_width(vit));
    return larger(floats, s->pool_mlp_width);
}

size_t lp_vit_scratch(const lp_vit *vit, size_t batch) {
    const lp_vit_shape *s = &vit->shape;
    size_t floats;
    size_t scores = lp_attention_scratch(s->tokens);
    if (!lp_mul(batch, 2 * s->tokens * s->width + wide_per_image(vit), &floats) ||
        floats > SIZE_MAX - scores) {
        return SIZE_MAX;
    }
    return floats + scores;
}

typedef struct forward {
    const lp_vit *vit;
    size_t batch;
    float *x, *h, *wide, *scores;
    const lp_tap *tap;
} forward;

static void see(const forward *f, const char *stage, const float *values, size_t rows,
                size_t columns) {
    if (f->tap != NULL) {
        f->tap->see(f->tap->context, stage, values, rows, columns);
    }
}

/* images [B, 3, G*P, G*P] -> wide [B*G*G, 3PP], a row in the order of patch_weight's [3, P, P]. */
static void cut_patches(const forward *f, const float *images) {
    size_t patch = f->vit->shape.patch, grid = f->vit->shape.grid;
    size_t side = grid * patch;
    float *to = f->wide;
    for (size_t b = 0; b < f->batch; b++) {
        for (size_t i = 0; i < grid; i++) {
            for (size_t j = 0; j < grid; j++) {
                for (size_t row = 0; row < 3 * patch; row++) { /* channel * P + y */
                    size_t channel = row / patch, y = row % patch;
                    const float *from =
                        images + ((b * 3 + channel) * side + i * patch + y) * side + j * patch;
                    memcpy(to, from, patch * sizeof *to);
                    to += patch;
                }
            }
        }
    }
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
    size_t pixels = 3 * v->shape.patch * v->shape.patch;
    cut_patches(f, images);
    lp_gemm_nt(patches, width, pixels, 1, f->wide, pixels, v->patch_weight, pixels, 0, f->h, width);
    if (v->patch_bias != NULL) {
        lp_add_bias(f->h, patches, width, width, v->patch_bias);
    }
    see(f, "patches", f->h, patches, width);
    assemble_tokens(f);
    see(f, "tokens", f->x, f->batch * tokens, width);
    if (v->norm_pre_weight != NULL) {
        lp_layer_norm(f->x, f->batch * tokens, width, width, v->norm_pre_weight, v->norm_pre_bias,
                      v->eps, f->x, width);
        see(f, "norm_pre", f->x, f->batch * tokens, width);
    }
}

/* Attention of a whole block: h [B*T, D] -> h. */
static void attend(const forward *f, const lp_vit_block *w) {
    const lp_vit_shape *s = &f->vit->shape;
    size_t width = s->width, rows = f->batch * s->tokens, qkv = 3 * width;
    lp_gemm_nt(rows, qkv, width, 1, f->h, width, w->qkv_weight, width, 0, f->wide, qkv);
    if (w->qkv_bias != NULL) {
        lp_add_bias(f->wide, rows, qkv, qkv, w->qkv_bias);
    }
    for (size_t b = 0; b < f->batch; b++) {
        const float *q = f->wide + b * s->tokens * qkv;
        lp_attention_input in = {q,         q + width, q + 2 * width,   qkv, qkv, s->tokens,
                                 s->tokens, s->heads,  width / s->heads};
        lp_attention(&in, f->scores, f->h + b * s->tokens * width, width);
    }
}

/* The same for the class token's query alone: h [B*T, D] -> h [B, D].  wide holds k|v [B*T, 2D],
 * then q [B, D]. */
static void attend_class(const forward *f, const lp_vit_block *w) {
    const lp_vit_shape *s = &f->vit->shape;
    size_t width = s->width, rows = f->batch * s->tokens, kv = 2 * width;
    float *q = f->wide + rows * kv;
    lp_gemm_nt(rows, kv, width, 1, f->h, width, w->qkv_weight + width * width, width, 0, f->wide,
               kv);
    lp_gemm_nt(f->batch, width, width, 1, f->h, s->tokens * width, w->qkv_weight, width, 0, q,
               width);
    if (w->qkv_bias != NULL) {
        lp_add_bias(f->wide, rows, kv, kv, w->qkv_bias + width);
        lp_add_bias(q, f->batch, width, width, w->qkv_bias);
    }
    for (size_t b = 0; b < f->batch; b++) {
        const float *k = f->wide + b * s->tokens * kv;
        lp_attention_input in = {q + b * width, k,        k + width,       width, kv, 1,
                                 s->tokens,     s->heads, width / s->heads};
        lp_attention(&in, f->scores, f->h + b * width, width);
    }
}

/* Whether nothing but the first token of each image leaves the last block. */
static bool ends_with_one_token(const lp_vit *vit) {
    return vit->pool == LP_POOL_CLASS && vit->class_tokens == 1;
}

static void activate(const forward *f, float *values, size_t rows, size_t columns,
                     const float *bias) {
    switch (f->vit->activation) {
    case LP_ACTIVATION_QUICK_GELU:
        lp_quick_gelu(values, rows, columns, bias);
        break;
    case LP_ACTIVATION_GELU_TANH:
        lp_gelu_tanh(values, rows, columns, bias);
        break;
    default:
        lp_gelu(values, rows, columns, bias);
    }
}

static void run_block(const forward *f, size_t index) {
    const lp_vit *v = f->vit;
    const lp_vit_block *w = &v->blocks[index];
    size_t width = v->shape.width, mlp_width = v->shape.mlp_width, inner = inner_width(v);
    size_t rows = f->batch * v->shape.tokens, stride = width;
    lp_layer_norm(f->x, rows, width, stride, w->norm1_weight, w->norm1_bias, v->eps, f->h, width);
    if (index + 1 < v->shape.layers || !ends_with_one_token(v)) {
        attend(f, w);
    } else {
        attend_class(f, w);
        rows = f->batch; /* from here on x means its class tokens */
        stride = v->shape.tokens * width;
    }
    lp_gemm_nt(rows, width, width, 1, f->h, width, w->out_weight, width, 1, f->x, stride);
    lp_add_bias(f->x, rows, width, stride, w->out_bias);
    lp_layer_norm(f->x, rows, width, stride, w->norm2_weight, w->norm2_bias, v->eps, f->h, width);
    lp_gemm_nt(rows, inner, width, 1, f->h, width, w->fc1_weight, width, 0, f->wide, inner);
    if (v->gated) {
        lp_silu_gate(f->wide, rows, mlp_width, w->fc1_bias);
    } else {
        activate(f, f->wide, rows, mlp_width, w->fc1_bias);
    }
    lp_gemm_nt(rows, width, mlp_width, 1, f->wide, inner, w->fc2_weight, mlp_width, 1, f->x,
               stride);
    lp_add_bias(f->x, rows, width, stride, w->fc2_bias);
}

static void see_block(const forward *f, size_t index) {
    const lp_vit_shape *s = &f->vit->shape;
    if (f->tap == NULL) {
        return;
    }
    char stage[32];
    (void)snprintf(stage, sizeof stage, "block %zu", index);
    if (index + 1 < s->layers || !ends_with_one_token(f->vit)) {
        see(f, stage, f->x, f->batch * s->tokens, s->width);
        return;
    }
    for (size_t b = 0; b < f->batch; b++) {
        memcpy(f->h + b * s->width, f->x + b * s->tokens * s->width, s->width * sizeof *f->h);
    }
    see(f, stage, f->h, f->batch, s->width);
}

/* ---- from tokens to one vector: x [B*T, D] -> out [B, D] ----------------------------------------
 */

/* The normed tokens, in `to` or, where the model norms after pooling, as they are in x. */
static const float *norm_tokens(const forward *f, float *to) {
    const lp_vit *v = f->vit;
    size_t width = v->shape.width;
    if (v->norm_post_weight == NULL) {
        return f->x;
    }
    lp_layer_norm(f->x, f->batch * v->shape.tokens, width, width, v->norm_post_weight,
                  v->norm_post_bias, v->eps, to, width);
    return to;
}

/* out = the mean of `count` tokens of each image, from token `first` on; summed in float64. */
static void pool_mean(const forward *f, size_t first, size_t count, float *out) {
    const lp_vit *v = f->vit;
    size_t width = v->shape.width, tokens = v->shape.tokens;
    const float *normed = norm_tokens(f, f->wide);
    for (size_t b = 0; b < f->batch; b++) {
        const float *from = normed + (b * tokens + first) * width;
        for (size_t c = 0; c < width; c++) {
            double sum = 0;
            for (size_t t = 0; t < count; t++) {
                sum += (double)from[t * width + c];
            }
            out[b * width + c] = (float)(sum / (double)count);
        }
    }
    if (v->fc_norm_weight != NULL) {
        lp_layer_norm(out, f->batch, width, width, v->fc_norm_weight, v->fc_norm_bias, v->eps, out,
                      width);
    }
}

/* y = attention of the learnt query over the normed patches, times out' + b; out = y + MLP(LN(y)).
 * wide holds k|v [B*G*G, 2D], then the MLP's inside [B, A]; x, once its tokens are normed, what the
 * attention gives [B, D], then LN(y). */
static void pool_attention(const forward *f, float *out) {
    const lp_vit *v = f->vit;
    const lp_vit_pool *w = &v->attention_pool;
    const lp_vit_shape *s = &v->shape;
    size_t width = s->width, kv = 2 * width, patches = s->grid * s->grid;
    const float *normed = norm_tokens(f, f->h);
    for (size_t b = 0; b < f->batch; b++) {
        lp_gemm_nt(patches, kv, width, 1, normed + (b * s->tokens + s->prefix) * width, width,
                   w->qkv_weight + width * width, width, 0, f->wide + b * patches * kv, kv);
    }
    lp_add_bias(f->wide, f->batch * patches, kv, kv, w->qkv_bias + width);
    for (size_t b = 0; b < f->batch; b++) {
        const float *k = f->wide + b * patches * kv;
        lp_attention_input in = {w->query, k,       k + width, width,           kv,
                                 1,        patches, s->heads,  width / s->heads};
        lp_attention(&in, f->scores, f->x + b * width, width);
    }
    lp_gemm_nt(f->batch, width, width, 1, f->x, width, w->out_weight, width, 0, out, width);
    lp_add_bias(out, f->batch, width, width, w->out_bias);
    lp_layer_norm(out, f->batch, width, width, w->norm_weight, w->norm_bias, v->eps, f->x, width);
    size_t inner = s->pool_mlp_width;
    lp_gemm_nt(f->batch, inner, width, 1, f->x, width, w->fc1_weight, width, 0, f->wide, inner);
    activate(f, f->wide, f->batch, inner, w->fc1_bias);
    lp_gemm_nt(f->batch, width, inner, 1, f->wide, inner, w->fc2_weight, inner, 1, out, width);
    lp_add_bias(out, f->batch, width, width, w->fc2_bias);
}

static void pool(const forward *f, float *out) {
    const lp_vit *v = f->vit;
    const lp_vit_shape *s = &v->shape;
    if (ends_with_one_token(v)) {
        lp_layer_norm(f->x, f->batch, s->width, s->tokens * s->width, v->norm_post_weight,
                      v->norm_post_bias, v->eps, out, s->width);
    } else if (v->pool == LP_POOL_ATTENTION) {
        pool_attention(f, out);
    } else if (v->pool == LP_POOL_MEAN) {
        pool_mean(f, s->prefix, s->grid * s->grid, out);
    } else {
        pool_mean(f, 0, v->class_tokens, out);
    }
}

void lp_vit_run(const lp_vit *vit, const float *images, size_t batch, bool projected,
                float *features, float *scratch, const lp_tap *tap) {
    const lp_vit_shape *s = &vit->shape;
    size_t plane = batch * s->tokens * s->width;
    forward f = {vit, batch, scratch, scratch + plane, scratch + 2 * plane, NULL, tap};
    f.scores = f.wide + batch * wide_per_image(vit);
    embed(&f, images);
    for (size_t i = 0; i < s->layers; i++) {
        run_block(&f, i);
        see_block(&f, i);
    }
    float *penultimate = projected ? f.h : features;
    pool(&f, penultimate);
    see(&f, "penultimate", penultimate, batch, s->width);
    if (projected) {
        bool rows = vit->head_weight != NULL; /* [E, D], else [D, E] */
        lp_gemm(false, rows, batch, s->embedding, s->width, 1, f.h, s->width,
                rows ? vit->head_weight : vit->projection, rows ? s->width : s->embedding, 0,
                features, s->embedding);
        if (vit->head_bias != NULL) {
            lp_add_bias(features, batch, s->embedding, s->embedding, vit->head_bias);
        }
        see(&f, "projected", features, batch, s->embedding);
    }
}
