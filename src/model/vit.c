/* The vision transformer's forward pass over a batch of B images, T tokens each, G*G + 1 = T.
 *
 *   patches   [B*G*G, 3PP] cut from the images, times patch_weight' -> [B*G*G, D] (+ bias)
 *   tokens    x [B*T, D]: class token, then patches; + positions
 *   norm_pre  x = LN(x)                                                        (CLIP)
 *   block     h = LN1(x); q, k, v = h Wqkv' + b; x += attention(q, k, v) Wout' + b
 *             h = LN2(x); x += act(h Wfc1' + b) Wfc2' + b
 *   norm_post LN(class token of each image) [B, D]                             = penultimate
 *   project   times projection [D, E]                                          = projected
 *
 * Reproduces VisionTransformer of openai/CLIP clip/model.py and of timm
 * models/vision_transformer.py (class token pooling, no head).  All images of a batch go through
 * one product each.  Only the class token leaves the last block, so there its query, output and
 * MLP are computed for that token alone; a matrix of class tokens is x with a stride of T*D.
 *
 * Scratch, in floats:
 *   x      B*T*D
 *   h      B*T*D           normed input of a product; patches' product; attention's output
 *   wide   B*max(G*G*3PP, T*3D, T*M)      patches, then q|k|v, then the MLP's inside
 *   scores lp_attention_scratch(T)                                                        */
#include "model/vit.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "math/attention.h"
#include "math/gemm.h"
#include "math/rows.h"

static size_t wide_per_image(const lp_vit_shape *s) {
    size_t floats = (s->tokens - 1) * 3 * s->patch * s->patch;
    size_t qkv = s->tokens * 3 * s->width;
    size_t mlp = s->tokens * s->mlp_width;
    floats = floats > qkv ? floats : qkv;
    return floats > mlp ? floats : mlp;
}

size_t lp_vit_scratch(const lp_vit *vit, size_t batch) {
    const lp_vit_shape *s = &vit->shape;
    size_t floats;
    size_t scores = lp_attention_scratch(s->tokens);
    if (!lp_mul(batch, 2 * s->tokens * s->width + wide_per_image(s), &floats) ||
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
    size_t width = v->shape.width, tokens = v->shape.tokens;
    for (size_t b = 0; b < f->batch; b++) {
        float *x = f->x + b * tokens * width;
        memcpy(x, v->class_token, width * sizeof *x);
        memcpy(x + width, f->h + b * (tokens - 1) * width, (tokens - 1) * width * sizeof *x);
        lp_add_bias(x, 1, tokens * width, tokens * width, v->positions);
    }
}

static void embed(const forward *f, const float *images) {
    const lp_vit *v = f->vit;
    size_t width = v->shape.width, tokens = v->shape.tokens;
    size_t patches = f->batch * (tokens - 1);
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
    lp_add_bias(f->wide, rows, qkv, qkv, w->qkv_bias);
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
    lp_add_bias(f->wide, rows, kv, kv, w->qkv_bias + width);
    lp_gemm_nt(f->batch, width, width, 1, f->h, s->tokens * width, w->qkv_weight, width, 0, q,
               width);
    lp_add_bias(q, f->batch, width, width, w->qkv_bias);
    for (size_t b = 0; b < f->batch; b++) {
        const float *k = f->wide + b * s->tokens * kv;
        lp_attention_input in = {q + b * width, k,        k + width,       width, kv, 1,
                                 s->tokens,     s->heads, width / s->heads};
        lp_attention(&in, f->scores, f->h + b * width, width);
    }
}

static void run_block(const forward *f, size_t index) {
    const lp_vit *v = f->vit;
    const lp_vit_block *w = &v->blocks[index];
    size_t width = v->shape.width, mlp_width = v->shape.mlp_width;
    size_t rows = f->batch * v->shape.tokens, stride = width;
    lp_layer_norm(f->x, rows, width, stride, w->norm1_weight, w->norm1_bias, v->eps, f->h, width);
    if (index + 1 < v->shape.layers) {
        attend(f, w);
    } else {
        attend_class(f, w);
        rows = f->batch; /* from here on x means its class tokens */
        stride = v->shape.tokens * width;
    }
    lp_gemm_nt(rows, width, width, 1, f->h, width, w->out_weight, width, 1, f->x, stride);
    lp_add_bias(f->x, rows, width, stride, w->out_bias);
    lp_layer_norm(f->x, rows, width, stride, w->norm2_weight, w->norm2_bias, v->eps, f->h, width);
    lp_gemm_nt(rows, mlp_width, width, 1, f->h, width, w->fc1_weight, width, 0, f->wide, mlp_width);
    (v->activation == LP_ACTIVATION_QUICK_GELU ? lp_quick_gelu : lp_gelu)(f->wide, rows, mlp_width,
                                                                          w->fc1_bias);
    lp_gemm_nt(rows, width, mlp_width, 1, f->wide, mlp_width, w->fc2_weight, mlp_width, 1, f->x,
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
    if (index + 1 < s->layers) {
        see(f, stage, f->x, f->batch * s->tokens, s->width);
        return;
    }
    for (size_t b = 0; b < f->batch; b++) {
        memcpy(f->h + b * s->width, f->x + b * s->tokens * s->width, s->width * sizeof *f->h);
    }
    see(f, stage, f->h, f->batch, s->width);
}

void lp_vit_run(const lp_vit *vit, const float *images, size_t batch, bool projected,
                float *features, float *scratch, const lp_tap *tap) {
    const lp_vit_shape *s = &vit->shape;
    size_t plane = batch * s->tokens * s->width;
    forward f = {vit, batch, scratch, scratch + plane, scratch + 2 * plane, NULL, tap};
    f.scores = f.wide + batch * wide_per_image(s);
    embed(&f, images);
    for (size_t i = 0; i < s->layers; i++) {
        run_block(&f, i);
        see_block(&f, i);
    }
    float *penultimate = projected ? f.h : features;
    lp_layer_norm(f.x, batch, s->width, s->tokens * s->width, vit->norm_post_weight,
                  vit->norm_post_bias, vit->eps, penultimate, s->width);
    see(&f, "penultimate", penultimate, batch, s->width);
    if (projected) {
        lp_gemm_nn(batch, s->embedding, s->width, 1, f.h, s->width, vit->projection, s->embedding,
                   0, features, s->embedding);
        see(&f, "projected", features, batch, s->embedding);
    }
}
