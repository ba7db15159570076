/* From stored weights to packed ones, on several threads.  A weight that becomes shorter, of fewer
 * bits, is read aside, for a group of layers at a time: so what a file has is never in memory as a
 * whole.  Another one is copied aside, and packed where it was.  What follows a weight is folded
 * in, in float64,
 *
 *   batch norm    w' = w s,  b' = b + (own bias - mean) s,   s = scale / sqrt(variance + eps)
 *   layer scale   w' = w gamma,  b' = b gamma
 *   branches      w' = w + the other kernels in its middle, each with its batch norm, b' likewise;
 *                 before the layer scale
 *
 * and the layer is packed for its kernel into its place.  Queries, keys and values of which one row
 * alone asks (net_ask.c) become the query's, and for each head its keys, as u = q W_k / sqrt(DH),
 * and its values. */
#include "model/net_build.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "math/attention.h"
#include "math/conv_linear.h"
#include "math/depthwise.h"
#include "math/winograd.h"

enum {
    GROUPS = 8 /* that the layers are parted into, about: for each, a zip file's members are looked
                  through once more */
};

/* Values of a layer's weight as the file has it, which is packed. */
static size_t floats_of(const lp_net_layer *layer) {
    const lp_conv *c = &layer->conv;
    size_t across = 2 * layer->window - 1;
    switch (layer->kind) {
    case LP_NET_TOKENS:
    case LP_NET_ROTARY:
    case LP_NET_VECTORS:
        return 0;
    case LP_NET_TABLE: /* a class token has three more: to it, from it, to itself */
        return layer->distances ? layer->window * layer->window * layer->heads
                                : (across * across + (layer->extra > 0 ? 3 : 0)) * layer->heads;
    case LP_NET_LINEAR:
        return layer->linear.in * layer->linear.out;
    default:
        return c->groups * c->out * c->in * c->taps_high * c->taps_wide;
    }
}

static size_t outputs_of(const lp_net_layer *layer) {
    return layer->kind == LP_NET_LINEAR ? layer->linear.out : layer->conv.groups * layer->conv.out;
}

static bool is_rounded(const lp_net_layer *layer) {
    return layer->linear.precision != LP_PRECISION_FLOAT32;
}

/* One of the products of a Winograd convolution in another precision. */
static size_t plane_floats(const lp_net_layer *layer) {
    return lp_linear_any_packed(layer->linear.precision, layer->conv.out, layer->conv.in);
}

/* One head's packed keys, and its values. */
static size_t head_floats(size_t width, size_t heads) {
    return lp_linear_packed(width, width / heads) + lp_linear_packed(width / heads, width);
}

static size_t packed_floats(const lp_net_layer *layer) {
    const lp_packed_linear *linear = &layer->linear;
    switch (layer->kind) {
    case LP_NET_CONV:
        return is_rounded(layer) ? lp_linear_any_packed(linear->precision, linear->out, linear->in)
                                 : lp_conv_packed(&layer->conv);
    case LP_NET_WINOGRAD:
        return is_rounded(layer) ? LP_WINOGRAD_PLANES * plane_floats(layer)
                                 : lp_winograd_packed(&layer->conv);
    case LP_NET_DEPTHWISE:
        return lp_depthwise_packed(&layer->conv);
    case LP_NET_LINEAR:
        return layer->heads > 0 ? lp_linear_packed(linear->in, linear->in) +
                                      layer->heads * head_floats(linear->in, layer->heads)
                                : lp_linear_any_packed(linear->precision, linear->out, linear->in);
    case LP_NET_TABLE: {
        size_t rows = layer->window * layer->window + layer->extra;
        return layer->heads * rows * rows;
    }
    case LP_NET_TOKENS:
    case LP_NET_ROTARY:
    case LP_NET_VECTORS:
        break;
    }
    return 0;
}

static bool is_read_aside(const lp_net_layer *layer) {
    return packed_floats(layer) > 0 && is_rounded(layer);
}

/* The first of the weights that follow each other and are the layer's. */
static size_t first_weight(const lp_weight_plan *plan, const lp_net_stored *stored) {
    size_t first = stored->planned;
    while (first > 0 && plan->weights[first].to == NULL) {
        first--;
    }
    return first;
}

lp_status lp_net_reserve(lp_net_tower *t, lp_weight_plan *plan, lp_error *err) {
    lp_net *net = &t->net;
    size_t widest = 1;
    lp_status status;
    for (size_t i = 1; i < net->layer_count; i++) {
        lp_net_layer *layer = &net->layers[i];
        if (layer->kind == LP_NET_WINOGRAD && is_rounded(layer)) {
            layer->planes =
                lp_memory_take_zeroed(&t->memory, LP_WINOGRAD_PLANES, sizeof *layer->planes);
        }
        if (layer->kind == LP_NET_LINEAR && layer->heads > 0) {
            layer->keys_values =
                lp_memory_take_zeroed(&t->memory, 2 * layer->heads, sizeof *layer->keys_values);
        }
        const lp_net_stored *stored = t->stored[i];
        if (layer->query) { /* as learnt, and as it asks */
            plan->weights[stored->planned].room = 2 * layer->channels;
        }
        if (packed_floats(layer) > 0) {
            size_t before = 0, packed = packed_floats(layer);
            for (size_t w = first_weight(plan, stored); w <= stored->planned; w++) {
                plan->weights[w].aside = is_read_aside(layer);
                before += w < stored->planned ? lp_plan_floats(&plan->weights[w]) : 0;
            }
            plan->weights[stored->planned].room = packed > before ? packed - before : 0;
            if (stored->bias_planned > 0) {
                plan->weights[stored->bias_planned].room = layer->linear.out;
            }
        }
    }
    for (size_t m = 0; m < net->map_count; m++) {
        widest = net->maps[m].channels > widest ? net->maps[m].channels : widest;
    }
    net->zeros = lp_alloc_zeroed(widest, sizeof *net->zeros);
    LP_TRY(lp_allocated(net->zeros, "an encoder", widest, sizeof *net->zeros, err));
    LP_TRY(lp_memory_check(&t->memory, "an encoder", err));
done:
    return status;
}

typedef struct net_packing {
    lp_net_tower *tower;
    const lp_weight_plan *plan;
    lp_checkpoint *ckpt;
    size_t threads;
    size_t group;          /* values to read at a time: of more than one layer, at most */
    size_t first, end;     /* the layers of the group that is read */
    float *aside;          /* their weights as the file has them */
    size_t *begin;         /* [layers], where each one's are in aside */
    lp_tensor_read *reads; /* [plan->count] */
    float *room;           /* [workers][most + plane] */
    double *scale;         /* [workers][outputs] */
    size_t most;           /* weights of any layer that are copied, or put in another order */
    size_t plane;          /* of what is packed at once from another order */
    size_t outputs;        /* of any layer */
} net_packing;

/* What the outputs' weights are multiplied by, or NULL; changes the biases likewise. */
static const double *fold(const lp_net_stored *from, size_t outputs, float eps, double *scale) {
    if (from->norm_scale == NULL && from->gamma == NULL) {
        return NULL;
    }
    for (size_t o = 0; o < outputs; o++) {
        scale[o] = 1;
        double bias = from->bias != NULL ? (double)from->bias[o] : 0;
        if (from->norm_scale != NULL) {
            double own = from->own_bias != NULL ? (double)from->own_bias[o] : 0;
            scale[o] = (double)from->norm_scale[o] / sqrt((double)from->variance[o] + (double)eps);
            bias += (own - (double)from->mean[o]) * scale[o];
        }
        if (from->gamma != NULL) {
            scale[o] *= (double)from->gamma[o];
            bias *= (double)from->gamma[o];
        }
        if (from->bias != NULL) {
            from->bias[o] = (float)bias;
        }
    }
    return scale;
}

/* Adds what else stands in a sum with the convolution (Ding et al., "RepVGG"): raw [outputs, in,
 * taps, taps], which is scaled already; changes the biases likewise. */
static void add_branches(const lp_conv *c, const lp_net_stored *from, double eps, float *raw) {
    size_t side = c->taps_high, kernel = side * side, middle = kernel / 2;
    for (size_t o = 0; o < c->groups * c->out; o++) {
        float *own = raw + o * c->in * kernel;
        float *itself = own + o % c->in * kernel + middle; /* of the output's own channel */
        double gamma = from->gamma != NULL ? (double)from->gamma[o] : 1;
        for (size_t i = 0; i < from->branch_count; i++) {
            const lp_net_branch *branch = &from->branches[i];
            double scale = (branch->taken_off ? -gamma : gamma) * (double)branch->norm_scale[o] /
                           sqrt((double)branch->variance[o] + eps);
            double shift = (branch->taken_off ? -gamma : gamma) * (double)branch->shift[o];
            from->bias[o] =
                (float)((double)from->bias[o] + shift - (double)branch->mean[o] * scale);
            size_t taps = branch->taps, lead = (side - taps) / 2;
            const float *w = branch->weight;
            for (size_t k = 0; w != NULL && k < c->in * taps * taps; k++) {
                size_t v = k / taps % taps + lead, u = k % taps + lead;
                float *to = own + k / (taps * taps) * kernel + v * side + u;
                *to = (float)((double)*to + scale * (double)w[o * c->in * taps * taps + k]);
            }
            *itself = w == NULL ? (float)((double)*itself + scale) : *itself;
        }
        *itself += from->residual ? 1.0F : 0.0F;
    }
}

/* The weights of each output: mean 0, variance 1. */
static void standardise(const lp_conv *conv, double eps, float *raw) {
    size_t each = conv->in * conv->taps_high * conv->taps_wide;
    for (size_t o = 0; o < conv->groups * conv->out; o++, raw += each) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < each; i++) {
            mean += (double)raw[i] / (double)each;
        }
        for (size_t i = 0; i < each; i++) {
            variance += ((double)raw[i] - mean) * ((double)raw[i] - mean) / (double)each;
        }
        for (size_t i = 0; i < each; i++) {
            raw[i] = (float)(((double)raw[i] - mean) / sqrt(variance + eps));
        }
    }
}

/* A norm's vectors where they lie; of a batch norm scale and shift. */
static void pack_vectors(lp_net_layer *to, const lp_net_stored *from, float eps) {
    to->weight = from->norm_scale != NULL ? from->norm_scale : from->weight;
    to->bias = from->bias;
    for (size_t c = 0; from->norm_scale != NULL && c < to->channels; c++) {
        double scale = (double)from->norm_scale[c] / sqrt((double)from->variance[c] + (double)eps);
        from->bias[c] = (float)((double)from->bias[c] - (double)from->mean[c] * scale);
        from->norm_scale[c] = (float)scale;
    }
}

/* raw [out, in]; transposed: [in, out], without a scale. */
static void pack_linear(lp_packed_linear *to, float *raw, const double *scale, bool transposed,
                        float *place) {
    for (size_t i = 0; scale != NULL && i < to->in * to->out; i++) {
        raw[i] = (float)((double)raw[i] * scale[i / to->in]);
    }
    lp_linear_any_pack(to->precision, raw, to->out, to->in, transposed ? 1 : to->in,
                       transposed ? to->out : 1, place);
    to->panels = place;
}

/* raw [3 D, D], bias [3 D] or NULL -> the query, then each head's keys and values. */
static void pack_heads(lp_net_layer *layer, const float *raw, const float *bias, float *place) {
    size_t width = layer->linear.in, heads = layer->heads, each = width / heads;
    size_t floats = lp_linear_packed(width, each);
    float scale = lp_attention_scale(each), *to = place + lp_linear_packed(width, width);
    lp_linear_pack(raw, width, width, place);
    layer->linear = (lp_packed_linear){.in = width, .out = width, .panels = place, .bias = bias};
    for (size_t n = 0; n < heads; n++, to += head_floats(width, heads)) {
        const float *key = raw + (width + n * each) * width, *value = key + width * width;
        lp_linear_pack_strided(key, width, each, 1, width, to);
        for (size_t i = 0; i < floats; i++) {
            to[i] *= scale;
        }
        lp_linear_pack(value, each, width, to + floats);
        layer->keys_values[n] = (lp_packed_linear){.in = each, .out = width, .panels = to};
        layer->keys_values[heads + n] =
            (lp_packed_linear){.in = width,
                               .out = each,
                               .panels = to + floats,
                               .bias = bias != NULL ? bias + 2 * width + n * each : NULL};
    }
}

/* A convolution of either kind, of any precision. */
static void pack_conv(lp_net_layer *to, const float *raw, const double *scale, float *room,
                      float *place) {
    const lp_conv *conv = &to->conv;
    lp_precision precision = to->linear.precision;
    if (to->kind == LP_NET_CONV && is_rounded(to)) {
        to->linear.panels = place;
        to->linear.bias = conv->bias;
        lp_conv_linear_pack(conv, precision, raw, scale, room, place);
    } else if (to->kind == LP_NET_CONV) {
        lp_conv_pack(conv, raw, scale, place);
    } else if (!is_rounded(to)) {
        lp_winograd_pack(conv, raw, scale, room, place);
    }
    for (size_t i = 0; to->planes != NULL && i < LP_WINOGRAD_PLANES; i++) {
        to->planes[i] =
            (lp_packed_linear){.in = conv->in, .out = conv->out, .precision = precision};
        to->planes[i].panels = place;
        lp_winograd_transform(conv, raw, scale, i, room);
        lp_linear_any_pack(precision, room, conv->out, conv->in, conv->in, 1, place);
        place += plane_floats(to);
    }
}

/* The bias of queries becomes that of queries, keys and values. */
static void join_biases(const lp_net_stored *from, size_t outputs) {
    size_t width = outputs / 3;
    if (from->bias == NULL) {
        return;
    }
    if (from->zeroed_keys || from->value_bias != NULL) {
        memset(from->bias + width, 0, width * sizeof *from->bias);
    }
    if (from->value_bias != NULL) {
        memcpy(from->bias + 2 * width, from->value_bias, width * sizeof *from->bias);
    }
}

/* What an offset, in pixels, is to a continuous table's MLP: sign(d) log2(1 + |d|) / 3, with d = 8
 * for the longest offset of the window that it was trained with (swin_transformer_v2.py). */
static double offset_of(size_t place, size_t window, size_t pretrained) {
    size_t whole = pretrained > 0 ? pretrained : window;
    double d = 8 * ((double)place - (double)(window - 1)) / (double)(whole > 1 ? whole - 1 : 1);
    return copysign(log2(fabs(d) + 1) / 3, d);
}

/* table [(2 window - 1)^2, heads] = 16 sigmoid(MLP(offsets)), and the heads' factors. */
static void fill_continuous(const lp_net *net, lp_net_layer *layer, const lp_net_stored *from,
                            float *table) {
    size_t across = 2 * layer->window - 1, pretrained = net->pretrained[layer->stage];
    double hidden[LP_NET_HIDDEN];
    for (size_t i = 0; i < across * across; i++) {
        double down = from->offsets != NULL ? (double)from->offsets[2 * i]
                                            : offset_of(i / across, layer->window, pretrained);
        double right = from->offsets != NULL ? (double)from->offsets[2 * i + 1]
                                             : offset_of(i % across, layer->window, pretrained);
        for (size_t j = 0; j < LP_NET_HIDDEN; j++) {
            double sum = (double)from->own_bias[j] + (double)from->weight[2 * j] * down +
                         (double)from->weight[2 * j + 1] * right;
            hidden[j] = sum > 0 ? sum : 0;
        }
        for (size_t h = 0; h < layer->heads; h++) {
            double sum = 0;
            for (size_t j = 0; j < LP_NET_HIDDEN; j++) {
                sum += (double)from->second[h * LP_NET_HIDDEN + j] * hidden[j];
            }
            table[i * layer->heads + h] = (float)(16 / (1 + exp(-sum)));
        }
    }
    for (size_t h = 0; h < layer->heads; h++) {
        double factor = exp(fmin((double)from->logits[h], log(100)));
        from->logits[h] = (float)factor;
    }
    layer->weight = from->logits;
}

/* table [heads, window^2], of the distances in rows and columns -> bias [heads, N, N]
 * (tiny_vit.py, attention_bias_idxs). */
static void unfold_distances(const lp_net_layer *layer, const float *table, float *bias) {
    size_t w = layer->window, pixels = w * w;
    for (size_t i = 0; i < layer->heads * pixels * pixels; i++) {
        size_t h = i / (pixels * pixels), q = i / pixels % pixels, k = i % pixels;
        size_t down = q / w > k / w ? q / w - k / w : k / w - q / w;
        size_t right = q % w > k % w ? q % w - k % w : k % w - q % w;
        bias[i] = table[h * pixels + down * w + right];
    }
}

/* table [(2 window - 1)^2, heads], of the offsets from a key to a query -> bias [heads, N, N]
 * (swin_transformer.py, get_relative_position_index); with a class token, whose rows come last
 * (beit.py, gen_relative_position_index). */
static void unfold_table(const lp_net_layer *layer, const float *table, float *bias) {
    size_t w = layer->window, across = 2 * w - 1, extra = layer->extra, rows = w * w + extra;
    for (size_t i = 0; i < layer->heads * rows * rows; i++) {
        size_t h = i / (rows * rows), query = i / rows % rows, key = i % rows, place;
        if (query < extra || key < extra) {
            place = across * across + (key >= extra ? 0 : query >= extra ? 1 : 2);
        } else {
            size_t q = query - extra, k = key - extra;
            size_t down = q / w + w - 1 - k / w, right = q % w + w - 1 - k % w;
            place = down * across + right;
        }
        bias[i] = table[place * layer->heads + h];
    }
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

/* [out, channels, pixels] -> [out, pixels, channels], as a flattened map has them.  Patches of
 * which the weight has pixels first are the other way round. */
static void put_channels_last(const float *weight, size_t pixels, size_t outputs, size_t inputs,
                              float *raw) {
    size_t channels = inputs / pixels;
    for (size_t i = 0; i < outputs * inputs; i++) {
        size_t o = i / inputs, pixel = i % inputs / channels, c = i % channels;
        raw[i] = weight[o * inputs + c * pixels + pixel];
    }
}

/* Rows [heads, 3, head width] of `floats` each -> [3, heads, head width]. */
static void part_heads(const float *rows, size_t heads, size_t outputs, size_t floats, float *to) {
    size_t each = outputs / 3 / heads;
    for (size_t row = 0; row < outputs; row++) {
        size_t part = row / (heads * each), head = row / each % heads;
        const float *from = rows + ((head * 3 + part) * each + row % each) * floats;
        memcpy(to + row * floats, from, floats * sizeof *to);
    }
}

/* Whether a layer's weight is put in another order before it is packed. */
static bool is_rearranged(const lp_net_layer *layer, const lp_net_stored *from) {
    return layer->continuous || (from->transposed && layer->kind != LP_NET_LINEAR) ||
           from->by_heads > 0 || from->pixels > 0;
}

static lp_status pack_layer(void *context, size_t index, size_t worker, lp_error *err) {
    const net_packing *p = context;
    size_t number = p->first + index;
    lp_net_layer *to = &p->tower->net.layers[number];
    const lp_net_stored *from = p->tower->stored[number];
    bool aside = is_read_aside(to), rearranged = is_rearranged(to, from);
    float *room = p->room + worker * (p->most + p->plane);
    float *file = aside ? p->aside + p->begin[number] : from->weight;
    float *own = file + from->rows_before * to->linear.in, *raw = aside && !rearranged ? own : room;
    size_t outputs = outputs_of(to);
    (void)err;
    if (to->kind == LP_NET_VECTORS && !to->query) {
        pack_vectors(to, from, p->tower->norm_eps);
    }
    if (packed_floats(to) == 0) {
        return LP_OK;
    }
    float eps = from->norm_eps > 0 ? from->norm_eps : p->tower->norm_eps;
    const double *scale = fold(from, outputs, eps, p->scale + worker * p->outputs);
    if (from->rows_before > 0) {
        lp_net_query_by_rows(p->tower, number, file);
    }
    if (to->continuous) {
        fill_continuous(&p->tower->net, to, from, raw);
    } else if (from->transposed && to->kind != LP_NET_LINEAR) {
        transpose(&to->conv, file, raw);
    } else if (from->by_heads > 0) {
        memcpy(raw, from->bias, outputs * sizeof *raw);
        part_heads(raw, from->by_heads, outputs, 1, from->bias);
        part_heads(file, from->by_heads, outputs, to->linear.in, raw);
    } else if (from->pixels > 0 && outputs > 0) {
        put_channels_last(file, from->pixels, outputs, floats_of(to) / outputs, raw);
    } else if (!aside) {
        memcpy(raw, own, floats_of(to) * sizeof *raw);
    }
    if (from->branches != NULL) {
        size_t each = outputs > 0 ? floats_of(to) / outputs : 1;
        for (size_t i = 0; scale != NULL && i < floats_of(to); i++) {
            raw[i] = (float)((double)raw[i] * scale[i / each]);
        }
        add_branches(&to->conv, from, (double)eps, raw);
        scale = NULL;
    }
    if (from->standard_eps > 0) {
        standardise(&to->conv, (double)from->standard_eps, raw);
    }
    to->conv.weights = from->weight;
    to->conv.bias = to->linear.bias = from->bias != NULL ? from->bias + from->bias_before : NULL;
    if (to->kind == LP_NET_WINOGRAD && from->bias == NULL) {
        to->conv.bias = p->tower->net.zeros;
    }
    to->conv.zeros = p->tower->net.zeros;
    if (to->kind == LP_NET_TABLE) {
        if (to->distances) {
            unfold_distances(to, raw, from->weight);
        } else {
            unfold_table(to, raw, from->weight);
        }
        to->bias = from->weight;
    } else if (to->kind == LP_NET_LINEAR && to->heads > 0) {
        pack_heads(to, raw, to->linear.bias, from->weight);
        return LP_OK;
    } else if (to->kind == LP_NET_LINEAR) {
        join_biases(from, to->linear.out);
        pack_linear(&to->linear, raw, scale, from->transposed, from->weight);
    } else if (to->kind == LP_NET_DEPTHWISE) {
        lp_depthwise_pack(&to->conv, raw, scale, from->weight);
    } else {
        pack_conv(to, raw, scale, room + p->most, from->weight);
    }
    return LP_OK;
}

/* The next group of layers from p->end on; returns the values to read for it. */
static size_t next_group(net_packing *p) {
    const lp_net *net = &p->tower->net;
    size_t values = 0, own;
    p->first = p->end;
    for (; p->end < net->layer_count; p->end++, values += own) {
        const lp_net_stored *stored = p->tower->stored[p->end];
        own = 0;
        if (is_read_aside(&net->layers[p->end])) {
            for (size_t w = first_weight(p->plan, stored); w <= stored->planned; w++) {
                own += p->plan->weights[w].tensor->count;
            }
        }
        if (values > 0 && values + own > p->group) {
            break;
        }
        p->begin[p->end] = values;
    }
    return values;
}

static lp_status read_group(net_packing *p, lp_error *err) {
    size_t count = 0;
    for (size_t i = p->first; i < p->end; i++) {
        const lp_net_stored *stored = p->tower->stored[i];
        float *to = p->aside + p->begin[i];
        if (is_read_aside(&p->tower->net.layers[i])) {
            for (size_t w = first_weight(p->plan, stored); w <= stored->planned; w++) {
                const lp_tensor *tensor = p->plan->weights[w].tensor;
                p->reads[count++] = (lp_tensor_read){tensor, to};
                to += tensor->count;
            }
        }
    }
    return lp_checkpoint_read(p->ckpt, p->reads, count, p->threads, err);
}

lp_status lp_net_pack(void *tower, const lp_weight_plan *plan, lp_checkpoint *ckpt, size_t threads,
                      lp_error *err) {
    lp_net_tower *t = tower;
    lp_net *net = &t->net;
    lp_memory memory = {0};
    net_packing p = {.tower = t, .plan = plan, .ckpt = ckpt, .threads = threads, .outputs = 1};
    size_t values = 0, most = 0;
    lp_status status;
    for (size_t i = 1; i < net->layer_count; i++) {
        LP_TRY(lp_net_prepare(t, i, err));
    }
    for (size_t i = 1; i < net->layer_count; i++) {
        const lp_net_layer *layer = &net->layers[i];
        size_t floats = floats_of(layer), outputs = outputs_of(layer);
        size_t tap = layer->kind == LP_NET_WINOGRAD                    ? outputs * layer->conv.in
                     : layer->kind == LP_NET_CONV && is_rounded(layer) ? floats
                                                                       : 0;
        bool copied = !is_read_aside(layer) || is_rearranged(layer, t->stored[i]);
        p.most = copied && floats > p.most ? floats : p.most;
        p.plane = tap > p.plane ? tap : p.plane;
        p.outputs = outputs > p.outputs ? outputs : p.outputs;
        values += is_read_aside(layer) ? floats : 0;
    }
    p.group = values / GROUPS;
    p.begin = lp_memory_take_zeroed(&memory, net->layer_count, sizeof *p.begin);
    p.reads = lp_memory_take(&memory, plan->count, sizeof *p.reads);
    LP_TRY(lp_memory_check(&memory, "an encoder's weights", err));
    for (p.end = 1; p.end < net->layer_count;) {
        values = next_group(&p);
        most = values > most ? values : most;
    }
    size_t workers = lp_tower_workers(threads, p.most + p.plane);
    p.aside = lp_memory_take(&memory, most, sizeof *p.aside);
    p.room = lp_memory_take(&memory, workers * (p.most + p.plane), sizeof *p.room);
    p.scale = lp_memory_take(&memory, workers * p.outputs, sizeof *p.scale);
    LP_TRY(lp_memory_check(&memory, "an encoder's weights", err));
    for (p.end = 1; p.end < net->layer_count;) {
        (void)next_group(&p);
        LP_TRY(read_group(&p, err));
        LP_TRY(lp_parallel_for(workers, p.end - p.first, pack_layer, &p, err));
    }
done:
    lp_memory_free(&memory);
    return status;
}
