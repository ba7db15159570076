/* From stored weights to packed ones (vit_stored.h has the life of a weight).
 *
 *   1. the tokens before the patches with their positions; the patches' positions for the grid that
 *      the model runs at; the attention pool's query times its weight, the same for every image
 *   2. each linear layer, on several threads: copied aside, times its layer scale, and packed into
 *      its own place: scale * (x W' + b) = x (scale W)' + scale b; what it does not need of that
 *      place any more goes back to the system
 *   3. a last block of which only the class token is used: q, and for each head its keys, as
 *      u = q W_k / sqrt(DH), and its values */
#include "model/vit_stored.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "math/attention.h"
#include "math/linear_any.h"
#include "math/rows.h"
#include "model/tower.h"

enum { SINGLE_LAYERS = 6, BLOCK_LAYERS = 4 };

/* A linear layer and what becomes of it. */
typedef struct conversion {
    lp_stored_linear *from;
    lp_packed_linear *to;
    const float *scale; /* layer scale, or NULL */
    size_t skipped;     /* outputs at the beginning that are not packed */
    bool by_head;       /* it becomes lp_vit.last */
    lp_precision precision;
} conversion;

static size_t count_linear(const lp_vit_stored *stored) {
    return SINGLE_LAYERS + BLOCK_LAYERS * stored->layers;
}

/* Linear layer i, below count_linear. */
static conversion conversion_at(lp_vit_stored *stored, lp_vit *v, size_t i) {
    lp_vit_stored_pool *from = &stored->pool;
    lp_vit_pool *to = &v->attention_pool;
    lp_precision outer = v->precision == LP_PRECISION_INT8 ? LP_PRECISION_FLOAT32 : v->precision;
    const conversion single[SINGLE_LAYERS] = {
        {.from = &stored->patch, .to = &v->patch, .precision = outer},
        {.from = &stored->projection, .to = &v->projection, .precision = outer},
        {.from = &from->qkv,
         .to = &to->key_value,
         .skipped = v->shape.width, /* q is done */
         .precision = outer},
        {.from = &from->out, .to = &to->out, .precision = outer},
        {.from = &from->fc1, .to = &to->fc1, .precision = outer},
        {.from = &from->fc2, .to = &to->fc2, .precision = outer},
    };
    if (i < SINGLE_LAYERS) {
        return single[i];
    }
    size_t block = (i - SINGLE_LAYERS) / BLOCK_LAYERS;
    bool last = lp_vit_ends_with_one_token(v) && block + 1 == stored->layers;
    lp_precision precision = last ? outer : v->precision;
    lp_vit_stored_block *s = &stored->blocks[block];
    lp_vit_block *b = &v->blocks[block];
    const conversion of_block[BLOCK_LAYERS] = {
        {.from = &s->qkv, .to = &b->qkv, .by_head = last, .precision = precision},
        {.from = &s->out, .to = &b->out, .scale = s->scale1, .precision = precision},
        {.from = &s->fc1, .to = &b->fc1, .precision = precision},
        {.from = &s->fc2, .to = &b->fc2, .scale = s->scale2, .precision = precision},
    };
    return of_block[(i - SINGLE_LAYERS) % BLOCK_LAYERS];
}

/* Floats of one head's packed keys, and of its values. */
static size_t head_floats(const lp_vit *v) {
    size_t width = v->shape.width, head_width = width / v->shape.heads;
    return lp_linear_packed(width, head_width) + lp_linear_packed(head_width, width);
}

void lp_vit_reserve(lp_vit_stored *stored, lp_vit *vit, lp_weight_plan *plan) {
    for (size_t l = 0; l < count_linear(stored); l++) {
        const conversion c = conversion_at(stored, vit, l);
        lp_stored_linear *layer = c.from;
        if (!layer->present) {
            continue;
        }
        size_t i = layer->planned, before = 0; /* values of the tensors that the last one joins */
        const lp_tensor *tensor = plan->weights[i].tensor;
        layer->out = tensor->shape[layer->transposed ? 1 : 0];
        layer->in = tensor->count / layer->out;
        for (; i + 1 < plan->count && plan->weights[i + 1].to == NULL; i++) {
            before += plan->weights[i].tensor->count;
            layer->out += plan->weights[i + 1].tensor->shape[0];
        }
        size_t floats =
            c.by_head ? lp_linear_packed(layer->in, layer->in) + vit->shape.heads * head_floats(vit)
                      : lp_linear_packed(layer->out, layer->in);
        plan->weights[i].room = floats - before;
    }
}

/* raw [3D, D] -> the query, then each head's keys and values. */
static void pack_by_head(lp_vit *v, const lp_stored_linear *layer, const float *raw) {
    size_t width = v->shape.width, heads = v->shape.heads, head_width = width / heads;
    size_t floats = lp_linear_packed(width, head_width);
    float scale = lp_attention_scale(head_width);
    float *to = layer->weights + lp_linear_packed(width, width);
    lp_linear_pack(raw, width, width, layer->weights);
    v->last.query = (lp_packed_linear){
        .in = width, .out = width, .panels = layer->weights, .bias = layer->bias};
    for (size_t n = 0; n < heads; n++) {
        const float *key = raw + (width + n * head_width) * width, *value = key + width * width;
        lp_linear_pack_strided(key, width, head_width, 1, width, to);
        for (size_t i = 0; i < floats; i++) {
            to[i] *= scale;
        }
        lp_linear_pack(value, head_width, width, to + floats);
        v->last.keys[n] = (lp_packed_linear){.in = head_width, .out = width, .panels = to};
        v->last.values[n] = (lp_packed_linear){
            .in = width,
            .out = head_width,
            .panels = to + floats,
            .bias = layer->bias != NULL ? layer->bias + 2 * width + n * head_width : NULL};
        to += head_floats(v);
    }
}

typedef struct packing {
    lp_vit_stored *stored;
    lp_vit *vit;
    float *raw;  /* [workers][most]: a layer's stored weights */
    size_t most; /* of any layer */
} packing;

/* raw and bias times the layer scale. */
static void fold_scale(const conversion *c, float *raw) {
    const lp_stored_linear *layer = c->from;
    for (size_t i = 0; i < layer->out; i++) {
        for (size_t j = 0; j < layer->in; j++) {
            raw[i * layer->in + j] *= c->scale[i];
        }
        layer->bias[i] *= c->scale[i];
    }
}

static lp_status pack_layer(void *context, size_t index, size_t worker, lp_error *err) {
    const packing *p = context;
    const conversion c = conversion_at(p->stored, p->vit, index);
    const lp_stored_linear *from = c.from;
    (void)err;
    if (!from->present) {
        return LP_OK;
    }
    float *raw = p->raw + worker * p->most, *place = from->weights;
    size_t out = from->out - c.skipped, in = from->in;
    memcpy(raw, from->weights + c.skipped * in, out * in * sizeof *raw);
    if (c.scale != NULL) {
        fold_scale(&c, raw);
    }
    if (c.by_head) {
        pack_by_head(p->vit, from, raw);
        return LP_OK;
    }
    size_t out_stride = from->transposed ? 1 : in, in_stride = from->transposed ? out : 1;
    size_t stored = from->out * in, used = lp_linear_any_packed(c.precision, out, in);
    lp_linear_any_pack(c.precision, raw, out, in, out_stride, in_stride, place);
    if (used < stored) {
        lp_forget(place + used, (stored - used) * sizeof *place);
    }
    *c.to = (lp_packed_linear){.in = in,
                               .out = out,
                               .precision = c.precision,
                               .panels = place,
                               .bias = from->bias != NULL ? from->bias + c.skipped : NULL};
    return LP_OK;
}

static lp_status pack_layers(lp_vit_stored *stored, lp_vit *v, size_t threads, lp_error *err) {
    packing p = {.stored = stored, .vit = v};
    for (size_t l = 0; l < count_linear(stored); l++) {
        const conversion c = conversion_at(stored, v, l);
        size_t floats = c.from->present ? (c.from->out - c.skipped) * c.from->in : 0;
        p.most = floats > p.most ? floats : p.most;
    }
    size_t workers = lp_tower_workers(threads, p.most), heads = v->shape.heads;
    p.raw = lp_alloc(workers * p.most, sizeof *p.raw);
    v->last.keys = lp_alloc_zeroed(2 * heads, sizeof *v->last.keys);
    if (p.raw == NULL || v->last.keys == NULL) {
        lp_free(p.raw);
        return lp_fail_memory(err, "an encoder's weights", workers * p.most, sizeof *p.raw);
    }
    v->last.values = v->last.keys + heads;
    lp_status status = lp_parallel_for(workers, count_linear(stored), pack_layer, &p, err);
    lp_free(p.raw);
    return status;
}

/* The tokens before the patches, with their positions -> out [prefix, D]. */
static void make_prefix(const lp_vit_stored *stored, const lp_vit_shape *shape, float *out) {
    size_t width = shape->width, classes = stored->class_token != NULL ? 1 : 0;
    size_t extra = shape->prefix - classes;
    if (classes > 0) {
        memcpy(out, stored->class_token, width * sizeof *out);
    }
    if (extra > 0) {
        memcpy(out + classes * width, stored->extra_tokens, extra * width * sizeof *out);
    }
    lp_add_bias(out, 1, stored->covered * width, stored->covered * width, stored->positions);
}

/* The learnt query times its weight, + bias -> out [D]. */
static void make_query(const lp_vit_stored_pool *pool, size_t width, float *out) {
    for (size_t i = 0; i < width; i++) {
        double sum = (double)pool->qkv.bias[i];
        for (size_t k = 0; k < width; k++) {
            sum += (double)pool->query[k] * (double)pool->qkv.weights[i * width + k];
        }
        out[i] = (float)sum;
    }
}

static void take_norms(const lp_vit_stored *stored, lp_vit *v) {
    v->norm_pre = stored->norm_pre;
    v->norm_post = stored->norm_after_pool ? (lp_vit_norm){NULL, NULL} : stored->norm_post;
    v->fc_norm = stored->norm_after_pool ? stored->norm_post : stored->fc_norm;
    v->attention_pool.norm = stored->pool.norm;
    for (size_t b = 0; b < stored->layers; b++) {
        v->blocks[b].norm1 = stored->blocks[b].norm1;
        v->blocks[b].norm2 = stored->blocks[b].norm2;
    }
}

lp_status lp_vit_pack(void *tower, const lp_weight_plan *plan, lp_checkpoint *ckpt, size_t threads,
                      lp_error *err) {
    (void)plan, (void)ckpt;
    lp_vit_stored *stored = &((lp_vit_tower *)tower)->stored;
    lp_vit *vit = &((lp_vit_tower *)tower)->vit;
    const lp_vit_shape *s = &vit->shape;
    size_t width = s->width, patches = s->grid * s->grid;
    size_t floats = (s->prefix + patches + 1) * width;
    lp_status status;
    vit->made = lp_alloc(floats, sizeof *vit->made);
    LP_TRY(lp_allocated(vit->made, "an encoder's positions", floats, sizeof *vit->made, err));
    float *positions = vit->made + s->prefix * width, *query = positions + patches * width;
    vit->prefix_tokens = vit->made;
    vit->positions = positions;
    make_prefix(stored, s, vit->made);
    if (stored->pool.query != NULL) {
        make_query(&stored->pool, width, query);
        vit->attention_pool.query = query;
    }
    take_norms(stored, vit);
    LP_TRY(lp_positions_resize(stored->resize, stored->positions + stored->covered * width,
                               stored->grid, positions, s->grid, width, err));
    LP_TRY(pack_layers(stored, vit, threads, err));
    lp_free(stored->blocks);
    *stored = (lp_vit_stored){0};
done:
    return status;
}
