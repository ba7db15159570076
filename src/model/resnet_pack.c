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
#include "math/winograd.h"

lp_status lp_resnet_reserve(const lp_resnet_stored *stored, lp_resnet *r, lp_weight_plan *plan,
                            lp_error *err) {
    size_t widest = 1;
    for (size_t i = 0; i < r->layer_count; i++) {
        const lp_conv *conv = &r->layers[i].conv;
        plan->weights[stored->layers[i].planned].room =
            r->layers[i].winograd ? lp_winograd_packed(conv) : lp_conv_packed(conv);
        widest = conv->groups * conv->in > widest ? conv->groups * conv->in : widest;
    }
    r->zeros = lp_alloc_zeroed(widest, sizeof *r->zeros);
    return lp_allocated(r->zeros, "an encoder", widest, sizeof *r->zeros, err);
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
    size_t plane;   /* the same of one tap, where Winograd's transform needs it */
    size_t outputs; /* of any layer */
} resnet_packing;

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
    if (to->winograd) {
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
        p.plane = layer->winograd && tap > p.plane ? tap : p.plane;
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
