/* From stored weights to packed ones, on several threads: each layer's weight is copied aside, its
 * batch norm folded in, in float64,
 *
 *   w' = w g / sqrt(variance + eps),  b' = b - mean g / sqrt(variance + eps)
 *
 * and packed for its convolution (math/conv.h, math/winograd.h) into its own place. */
#include "model/resnet_stored.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "math/conv_linear.h"
#include "math/winograd.h"

/* Linear layers that a layer becomes; 0: it stays a convolution of float32, as the first one, which
 * reads images, and those of the attention pool. */
static size_t products_of(const lp_resnet *r, size_t i) {
    size_t end = r->layer_count - (r->clip ? 4 : 0);
    bool fits = i > 0 && i < end && lp_conv_linear_fits(&r->layers[i].conv);
    return r->precision == LP_PRECISION_FLOAT32 || !fits ? 0
           : r->layers[i].winograd                       ? LP_WINOGRAD_PLANES
                                                         : 1;
}

/* Floats of one of a layer's products. */
static size_t product_floats(const lp_resnet *r, size_t i) {
    const lp_conv *conv = &r->layers[i].conv;
    return lp_linear_any_packed(r->precision, conv->out,
                                r->layers[i].winograd ? conv->in : lp_conv_linear_inputs(conv));
}

static size_t packed_floats(const lp_resnet *r, size_t i) {
    const lp_conv *conv = &r->layers[i].conv;
    size_t products = products_of(r, i);
    return products > 0            ? products * product_floats(r, i)
           : r->layers[i].winograd ? lp_winograd_packed(conv)
                                   : lp_conv_packed(conv);
}

lp_status lp_resnet_reserve(const lp_resnet_stored *stored, lp_resnet *r, lp_weight_plan *plan,
                            lp_error *err) {
    size_t widest = 1, products = 0;
    for (size_t i = 0; i < r->layer_count; i++) {
        const lp_conv *conv = &r->layers[i].conv;
        plan->weights[stored->layers[i].planned].room = packed_floats(r, i);
        products += products_of(r, i);
        widest = conv->groups * conv->in > widest ? conv->groups * conv->in : widest;
    }
    r->zeros = lp_alloc_zeroed(widest, sizeof *r->zeros);
    r->products = lp_alloc_zeroed(products + 1, sizeof *r->products);
    if (r->zeros == NULL || r->products == NULL) {
        return lp_fail_memory(err, "an encoder", widest + products, sizeof *r->products);
    }
    for (size_t i = 0, used = 0; i < r->layer_count; i++) {
        size_t count = products_of(r, i);
        r->layers[i].products = count > 0 ? r->products + used : NULL;
        used += count;
    }
    return LP_OK;
}

/* weight [groups * in, out] -> raw [groups * out, in], group by group. */
static void transpose(const lp_conv *conv, const float *weight, float *raw) {
    for (size_t row = 0; row < conv->groups * conv->out; row++) {
        for (size_t i = 0; i < conv->in; i++) {
            raw[row * conv->in + i] =
                weight[(row / conv->out * conv->in + i) * conv->out + row % conv->out];
        }
    }
}

typedef struct resnet_packing {
    const lp_resnet_stored *stored;
    lp_resnet *resnet;
    float *room;    /* [workers][most + plane] */
    double *scale;  /* [workers][outputs] */
    size_t most;    /* weights of any layer */
    size_t plane;   /* the same of what is packed at once from another order */
    size_t outputs; /* of any layer */
} resnet_packing;

/* A layer's linear layers, one behind the other. */
static void pack_products(const lp_resnet *r, size_t i, const float *raw, const double *scale,
                          float *room, float *place) {
    const lp_resnet_layer *layer = &r->layers[i];
    const lp_conv *conv = &layer->conv;
    size_t in = layer->winograd ? conv->in : lp_conv_linear_inputs(conv);
    for (size_t p = 0; p < products_of(r, i); p++, place += product_floats(r, i)) {
        layer->products[p] =
            (lp_packed_linear){.in = in, .out = conv->out, .precision = r->precision};
        layer->products[p].panels = place;
        if (layer->winograd) {
            lp_winograd_transform(conv, raw, scale, p, room);
            lp_linear_any_pack(r->precision, room, conv->out, in, in, 1, place);
        } else {
            lp_conv_linear_pack(conv, r->precision, raw, scale, room, place);
            layer->products[p].bias = conv->bias;
        }
    }
}

static lp_status pack_layer(void *context, size_t index, size_t worker, lp_error *err) {
    const resnet_packing *p = context;
    const lp_resnet_stored_layer *from = &p->stored->layers[index];
    lp_resnet_layer *to = &p->resnet->layers[index];
    lp_conv *conv = &to->conv;
    size_t outputs = conv->groups * conv->out;
    float *raw = p->room + worker * (p->most + p->plane), *place = from->weight;
    double *scale = from->scale != NULL ? p->scale + worker * p->outputs : NULL;
    (void)err;
    if (from->key) {
        transpose(conv, from->weight, raw);
    } else {
        memcpy(raw, from->weight,
               outputs * conv->in * conv->taps_high * conv->taps_wide * sizeof *raw);
        conv->bias = from->bias;
    }
    for (size_t o = 0; scale != NULL && o < outputs; o++) {
        scale[o] =
            (double)from->scale[o] / sqrt((double)from->variance[o] + (double)p->stored->norm_eps);
        from->bias[o] = (float)((double)from->bias[o] - (double)from->mean[o] * scale[o]);
    }
    if (to->products != NULL) {
        pack_products(p->resnet, index, raw, scale, raw + p->most, place);
        size_t floats = outputs * lp_conv_linear_inputs(conv),
               used = packed_floats(p->resnet, index);
        if (used < floats) {
            lp_forget(place + used, (floats - used) * sizeof *place);
        }
    } else if (to->winograd) {
        lp_winograd_pack(conv, raw, scale, raw + p->most, place);
    } else {
        lp_conv_pack(conv, raw, scale, place);
    }
    conv->weights = place;
    conv->zeros = p->resnet->zeros;
    return LP_OK;
}

lp_status lp_resnet_pack(void *tower, size_t threads, lp_error *err) {
    lp_resnet_stored *stored = &((lp_resnet_tower *)tower)->stored;
    lp_resnet *resnet = &((lp_resnet_tower *)tower)->resnet;
    resnet_packing p = {.stored = stored, .resnet = resnet};
    for (size_t i = 0; i < resnet->layer_count; i++) {
        const lp_resnet_layer *layer = &resnet->layers[i];
        size_t outputs = layer->conv.groups * layer->conv.out, tap = outputs * layer->conv.in;
        size_t floats = tap * layer->conv.taps_high * layer->conv.taps_wide;
        p.most = floats > p.most ? floats : p.most;
        size_t plane = layer->winograd ? tap : layer->products != NULL ? floats : 0;
        p.plane = plane > p.plane ? plane : p.plane;
        p.outputs = outputs > p.outputs ? outputs : p.outputs;
    }
    size_t workers = lp_tower_workers(threads, p.most + p.plane);
    lp_memory memory = {0};
    p.room = lp_memory_take(&memory, workers * (p.most + p.plane), sizeof *p.room);
    p.scale = lp_memory_take(&memory, workers * p.outputs, sizeof *p.scale);
    lp_status status;
    LP_TRY(lp_memory_check(&memory, "an encoder's weights", err));
    LP_TRY(lp_parallel_for(workers, resnet->layer_count, pack_layer, &p, err));
    resnet->positions = stored->positions;
    lp_free(stored->layers);
    *stored = (lp_resnet_stored){0};
done:
    lp_memory_free(&memory);
    return status;
}
