/* What descriptions plan: layers, their weights in the file, maps and steps. */
#include "model/net_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* ---- the lists ------------------------------------------------------------------------------- */

size_t lp_net_new_map(lp_net_builder *b, size_t channels) {
    lp_net *net = b->net;
    lp_net_map *more =
        lp_grow_by_one(net->maps, net->map_count, &b->tower->room_maps, sizeof *net->maps);
    if (more == NULL) {
        b->plan->no_memory = true;
        return 0;
    }
    net->maps = more;
    net->maps[net->map_count] = (lp_net_map){.channels = channels};
    return net->map_count++;
}

size_t lp_net_new_layer(lp_net_builder *b, lp_net_layer layer) {
    lp_net_tower *t = b->tower;
    lp_net *net = b->net;
    lp_net_layer *layers =
        lp_grow_by_one(net->layers, net->layer_count, &t->room_layers, sizeof *net->layers);
    net->layers = layers != NULL ? layers : net->layers;
    lp_net_stored **list =
        lp_grow_by_one(t->stored, net->layer_count, &t->room_stored, sizeof *t->stored);
    t->stored = list != NULL ? list : t->stored;
    lp_net_stored *stored = lp_memory_take_zeroed(&t->memory, 1, sizeof *stored);
    if (layers == NULL || list == NULL || stored == NULL) {
        b->plan->no_memory = true;
        return 0;
    }
    net->layers[net->layer_count] = layer;
    t->stored[net->layer_count] = stored;
    return net->layer_count++;
}

void lp_net_add_step(lp_net_builder *b, lp_net_step step) {
    lp_net *net = b->net;
    lp_net_step *more =
        lp_grow_by_one(net->steps, net->step_count, &b->tower->room_steps, sizeof *net->steps);
    if (more == NULL) {
        b->plan->no_memory = true;
        return;
    }
    net->steps = more;
    net->steps[net->step_count++] = step;
}

size_t lp_net_channels(const lp_net_builder *b, size_t map) {
    return b->net->maps[map].channels;
}

/* ---- weights --------------------------------------------------------------------------------- */

/* Plans "<name><end>" of this shape, in which 0 is what the tensor has, and N in messages where it
 * is missing. */
void lp_net_plan_weight(lp_net_builder *b, float **to, const char *name, const char *end,
                        const size_t *shape, size_t rank) {
    char full[LP_PLAN_NAME], whole[LP_PLAN_NAME], text[LP_PLAN_SHAPE] = "";
    (void)snprintf(full, sizeof full, "%.100s%.40s", name, end);
    lp_net_whole_name(b, full, whole);
    size_t used = 0;
    for (size_t i = 0; i < rank; i++) {
        size_t size = shape[i] > 0 ? shape[i] : lp_net_size(b, i, "%s", full);
        const char *comma = i > 0 ? "," : "";
        used += size > 0 ? (size_t)snprintf(text + used, sizeof text - used, "%s%zu", comma, size)
                         : (size_t)snprintf(text + used, sizeof text - used, "%sN", comma);
    }
    lp_plan_add(b->plan, to, text, "%s", whole);
}

size_t lp_net_plan_norm(lp_net_builder *b, const char *name, size_t channels, float eps, bool rms) {
    size_t layer = lp_net_new_layer(
        b, (lp_net_layer){.kind = LP_NET_VECTORS, .channels = channels, .eps = eps, .rms = rms});
    lp_net_stored *stored = b->tower->stored[layer];
    LP_NET_PLAN(&stored->weight, name, ".weight", channels);
    if (!rms) {
        LP_NET_PLAN(&stored->bias, name, ".bias", channels);
    }
    return layer;
}

/* Global response normalisation; the authors' files have [1, 1, 1, channels]. */
size_t lp_net_plan_response(lp_net_builder *b, const char *name, size_t channels) {
    size_t layer = lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_VECTORS, .eps = 1e-6F});
    lp_net_stored *stored = b->tower->stored[layer];
    if (lp_net_size(b, 3, "%s.weight", name) > 0) {
        LP_NET_PLAN(&stored->weight, name, ".weight", 1, 1, 1, channels);
        LP_NET_PLAN(&stored->bias, name, ".bias", 1, 1, 1, channels);
    } else {
        LP_NET_PLAN(&stored->weight, name, ".weight", channels);
        LP_NET_PLAN(&stored->bias, name, ".bias", channels);
    }
    return layer;
}

void lp_net_plan_gamma(lp_net_builder *b, lp_net_stored *stored, const char *name,
                       size_t channels) {
    if (lp_net_size(b, 2, "%s", name) > 0) {
        LP_NET_PLAN(&stored->gamma, name, "", channels, 1, 1);
    } else {
        LP_NET_PLAN(&stored->gamma, name, "", channels);
    }
}

/* [out, in], or [out, in, 1, 1]; `gamma`: its layer scale, or NULL. */
size_t lp_net_plan_linear(lp_net_builder *b, const char *name, size_t in, size_t out, bool bias,
                          const char *gamma) {
    size_t outputs = out > 0 ? out : lp_net_size(b, 0, "%s.weight", name);
    size_t layer =
        lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_LINEAR, .linear = {in, outputs}});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->planned = b->plan->count;
    if (lp_net_size(b, 3, "%s.weight", name) > 0) {
        LP_NET_PLAN(&stored->weight, name, ".weight", outputs, in, 1, 1);
    } else {
        LP_NET_PLAN(&stored->weight, name, ".weight", outputs, in);
    }
    if (bias) {
        LP_NET_PLAN(&stored->bias, name, ".bias", outputs);
    }
    if (gamma != NULL) {
        lp_net_plan_gamma(b, stored, gamma, outputs);
    }
    return layer;
}

size_t lp_net_plan_rows(lp_net_builder *b, const char *name, bool biased, size_t in, size_t first,
                        size_t out, size_t total) {
    size_t layer = lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_LINEAR, .linear = {in, out}});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->planned = b->plan->count;
    stored->rows_before = first;
    LP_NET_PLAN(&stored->weight, name, ".weight", total, in);
    if (biased) {
        stored->bias_before = first;
        LP_NET_PLAN(&stored->bias, name, ".bias", total);
    }
    return layer;
}

/* Queries, keys and values: one layer, or three that follow each other. */
size_t lp_net_plan_qkv(lp_net_builder *b, const lp_net_qkv_spec *spec, size_t width) {
    if (spec->part_of != NULL) {
        return lp_net_plan_rows(b, spec->part_of, spec->bias == LP_NET_BIAS_ALL, width,
                                spec->before, 3 * width, spec->before + 3 * width);
    }
    size_t layer =
        lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_LINEAR, .linear = {width, 3 * width}});
    lp_net_stored *stored = b->tower->stored[layer];
    const char *const *names = spec->fused != NULL ? &spec->fused : spec->apart;
    size_t parts = spec->fused != NULL ? 1 : 3, rows = 3 * width / parts;
    for (size_t i = 0; i < parts; i++) {
        stored->planned = b->plan->count;
        LP_NET_PLAN(i == 0 ? &stored->weight : NULL, names[i], ".weight", rows, width);
    }
    stored->by_heads = spec->by_heads;
    stored->zeroed_keys = spec->bias == LP_NET_BIAS_ZEROED_KEYS;
    if (spec->bias == LP_NET_BIAS_NOT_KEYS) {
        bool fused = spec->fused != NULL || spec->q_bias != NULL;
        stored->bias_planned = b->plan->count;
        LP_NET_PLAN(&stored->bias, fused ? spec->q_bias : names[0], fused ? "" : ".bias", width);
        LP_NET_PLAN(&stored->value_bias, fused ? spec->v_bias : names[2], fused ? "" : ".bias",
                    width);
    } else if (spec->bias != LP_NET_BIAS_NONE) {
        for (size_t i = 0; i < parts; i++) {
            LP_NET_PLAN(i == 0 ? &stored->bias : NULL, names[i], ".bias", rows);
        }
    }
    return layer;
}

/* The side of a square of 2 window - 1 offsets; 1 where it is none, which is noted. */
static size_t window_of(lp_net_builder *b, const char *name, size_t rows) {
    size_t window = 1;
    while ((2 * window - 1) * (2 * window - 1) < rows) {
        window++;
    }
    if (rows > 0 && (2 * window - 1) * (2 * window - 1) != rows) {
        lp_plan_problem(b->plan, "%s%s: %zu rows: expected the square of an odd number", b->place,
                        name, rows);
    }
    return window;
}

static size_t heads_of(lp_net_builder *b, const char *name, size_t heads, size_t width) {
    if (heads > 0 && width % heads != 0) {
        lp_plan_problem(b->plan, "%s%s: %zu heads: width %zu is not divisible", b->place, name,
                        heads, width);
    }
    return heads > 0 ? heads : 1;
}

size_t lp_net_plan_token_table(lp_net_builder *b, const char *name, size_t width, size_t extra) {
    size_t rows = lp_net_size(b, 0, "%s", name), heads = lp_net_size(b, 1, "%s", name);
    size_t more = extra > 0 && rows > 3 ? 3 : 0; /* of the class token */
    size_t layer = lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_TABLE,
                                                      .window = window_of(b, name, rows - more),
                                                      .heads = heads_of(b, name, heads, width),
                                                      .extra = extra});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->planned = b->plan->count;
    LP_NET_PLAN(&stored->weight, name, "", rows, heads);
    return layer;
}

size_t lp_net_plan_distances(lp_net_builder *b, const char *name, size_t width) {
    size_t heads = lp_net_size(b, 0, "%s", name), count = lp_net_size(b, 1, "%s", name), window = 1;
    while (window * window < count) {
        window++;
    }
    if (count > 0 && window * window != count) {
        lp_plan_problem(b->plan, "%s%s: %zu distances: expected a square", b->place, name, count);
    }
    size_t layer = lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_TABLE,
                                                      .window = window,
                                                      .heads = heads_of(b, name, heads, width),
                                                      .distances = true});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->planned = b->plan->count;
    LP_NET_PLAN(&stored->weight, name, "", heads, count);
    return layer;
}

/* A table that an MLP over the offsets gives. */
size_t lp_net_plan_continuous(lp_net_builder *b, const lp_net_windows_spec *spec, size_t width) {
    char first[LP_PLAN_NAME], second[LP_PLAN_NAME];
    (void)snprintf(first, sizeof first, "%s.0", spec->table);
    (void)snprintf(second, sizeof second, "%s.2", spec->table);
    size_t heads = lp_net_size(b, 0, "%s", spec->logits);
    size_t across = lp_net_size(b, 1, "%s", spec->offsets);
    size_t layer = lp_net_new_layer(
        b, (lp_net_layer){.kind = LP_NET_TABLE,
                          .window = across > 0 ? (across + 1) / 2 : 0, /* 0: not known */
                          .heads = heads_of(b, spec->logits, heads, width),
                          .continuous = true,
                          .stage = spec->stage});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->planned = b->plan->count;
    LP_NET_PLAN(&stored->weight, first, ".weight", LP_NET_HIDDEN, 2);
    LP_NET_PLAN(&stored->own_bias, first, ".bias", LP_NET_HIDDEN);
    LP_NET_PLAN(&stored->second, second, ".weight", heads, LP_NET_HIDDEN);
    LP_NET_PLAN(&stored->logits, spec->logits, "", heads, 1, 1);
    if (across > 0) {
        LP_NET_PLAN(&stored->offsets, spec->offsets, "", 1, across, across, 2);
    }
    return layer;
}

void lp_net_plan_batch_norm(lp_net_builder *b, lp_net_stored *stored, const char *name,
                            size_t channels) {
    LP_NET_PLAN(&stored->norm_scale, name, ".weight", channels);
    LP_NET_PLAN(&stored->bias, name, ".bias", channels);
    LP_NET_PLAN(&stored->mean, name, ".running_mean", channels);
    LP_NET_PLAN(&stored->variance, name, ".running_var", channels);
}
