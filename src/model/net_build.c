/* The words of a network's description; net_build.h says what they mean. */
#include "model/net_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

/* ---- names ----------------------------------------------------------------------------------- */

#define FORMAT_NAME(out, format)                                                                   \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, format);                                                               \
        (void)vsnprintf(out, sizeof(out), format, arguments);                                      \
        va_end(arguments);                                                                         \
    } while (0)

void lp_net_at(lp_net_builder *b, const char *format, ...) {
    FORMAT_NAME(b->place, format);
}

void lp_net_outside(lp_net_builder *b, const char *place) {
    b->prefix = "";
    (void)snprintf(b->place, sizeof b->place, "%s", place);
}

/* "<prefix><place><name>" */
static void whole_name(const lp_net_builder *b, const char *name, char out[LP_PLAN_NAME]) {
    (void)snprintf(out, LP_PLAN_NAME, "%.60s%.60s%.39s", b->prefix, b->place, name);
}

static const lp_tensor *find(const lp_net_builder *b, const char *name) {
    char whole[LP_PLAN_NAME];
    whole_name(b, name, whole);
    const lp_view_item *item = lp_view_find(&b->source->view, whole);
    return item != NULL ? item->tensor : NULL;
}

bool lp_net_has(const lp_net_builder *b, const char *format, ...) {
    char name[LP_PLAN_NAME];
    FORMAT_NAME(name, format);
    return find(b, name) != NULL;
}

size_t lp_net_size(const lp_net_builder *b, size_t axis, const char *format, ...) {
    char name[LP_PLAN_NAME];
    FORMAT_NAME(name, format);
    const lp_tensor *tensor = find(b, name);
    return tensor != NULL && axis < (size_t)tensor->rank ? tensor->shape[axis] : 0;
}

/* Whether a name of the view begins so. */
static bool has_beginning(const lp_view *view, const char *begin) {
    size_t low = 0, high = view->count, length = strlen(begin);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strncmp(view->items[middle].name, begin, length) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < view->count && strncmp(view->items[low].name, begin, length) == 0;
}

size_t lp_net_count(const lp_net_builder *b, const char *format, ...) {
    char name[LP_PLAN_NAME], begin[LP_PLAN_NAME], whole[LP_PLAN_NAME];
    size_t count = 0;
    FORMAT_NAME(name, format);
    do {
        (void)snprintf(begin, sizeof begin, "%.100s%zu.", name, count);
        whole_name(b, begin, whole);
    } while (has_beginning(&b->source->view, whole) && ++count < b->source->view.count);
    return count;
}

/* ---- the lists ------------------------------------------------------------------------------- */

static size_t new_map(lp_net_builder *b, size_t channels) {
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

static size_t new_layer(lp_net_builder *b, lp_net_layer layer) {
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

bool lp_net_begin(lp_net_builder *b) {
    (void)new_map(b, 3);
    (void)new_layer(b, (lp_net_layer){.kind = LP_NET_VECTORS});
    return !b->plan->no_memory;
}

static void add_step(lp_net_builder *b, lp_net_step step) {
    lp_net *net = b->net;
    lp_net_step *more =
        lp_grow_by_one(net->steps, net->step_count, &b->tower->room_steps, sizeof *net->steps);
    if (more == NULL) {
        b->plan->no_memory = true;
        return;
    }
    net->steps = more;
    size_t number = net->step_count++;
    net->steps[number] = step;
    size_t read[] = {step.from, step.add, step.to};
    for (size_t i = 0; i < sizeof read / sizeof read[0]; i++) {
        net->maps[read[i]].last = number;
    }
}

void lp_net_stage(lp_net_builder *b, const char *format, ...) {
    if (b->net->step_count > 0) {
        FORMAT_NAME(b->net->steps[b->net->step_count - 1].name, format);
    }
}

static size_t channels_of(const lp_net_builder *b, size_t map) {
    return b->net->maps[map].channels;
}

/* ---- weights --------------------------------------------------------------------------------- */

/* Plans "<name><end>" of this shape, in which 0 is what the tensor has, and N in messages where it
 * is missing. */
static void plan_weight(lp_net_builder *b, float **to, const char *name, const char *end,
                        const size_t *shape, size_t rank) {
    char full[LP_PLAN_NAME], whole[LP_PLAN_NAME], text[LP_PLAN_SHAPE] = "";
    (void)snprintf(full, sizeof full, "%.100s%.40s", name, end);
    whole_name(b, full, whole);
    size_t used = 0;
    for (size_t i = 0; i < rank; i++) {
        size_t size = shape[i] > 0 ? shape[i] : lp_net_size(b, i, "%s", full);
        const char *comma = i > 0 ? "," : "";
        used += size > 0 ? (size_t)snprintf(text + used, sizeof text - used, "%s%zu", comma, size)
                         : (size_t)snprintf(text + used, sizeof text - used, "%sN", comma);
    }
    lp_plan_add(b->plan, to, text, "%s", whole);
}

#define PLAN(to, name, end, ...)                                                                   \
    plan_weight(b, to, name, end, (const size_t[]){__VA_ARGS__},                                   \
                sizeof((const size_t[]){__VA_ARGS__}) / sizeof(size_t))

/* A norm's weight and bias; eps 0: the family's. */
static size_t plan_norm(lp_net_builder *b, const char *name, size_t channels, float eps) {
    size_t layer = new_layer(b, (lp_net_layer){.kind = LP_NET_VECTORS, .eps = eps});
    lp_net_stored *stored = b->tower->stored[layer];
    PLAN(&stored->weight, name, ".weight", channels);
    PLAN(&stored->bias, name, ".bias", channels);
    return layer;
}

/* Global response normalisation; the authors' files have [1, 1, 1, channels]. */
static size_t plan_response(lp_net_builder *b, const char *name, size_t channels) {
    size_t layer = new_layer(b, (lp_net_layer){.kind = LP_NET_VECTORS, .eps = 1e-6F});
    lp_net_stored *stored = b->tower->stored[layer];
    if (lp_net_size(b, 3, "%s.weight", name) > 0) {
        PLAN(&stored->weight, name, ".weight", 1, 1, 1, channels);
        PLAN(&stored->bias, name, ".bias", 1, 1, 1, channels);
    } else {
        PLAN(&stored->weight, name, ".weight", channels);
        PLAN(&stored->bias, name, ".bias", channels);
    }
    return layer;
}

/* [out, in], or [out, in, 1, 1]; `gamma`: its layer scale, or NULL. */
static size_t plan_linear(lp_net_builder *b, const char *name, size_t in, size_t out, bool bias,
                          const char *gamma) {
    size_t outputs = out > 0 ? out : lp_net_size(b, 0, "%s.weight", name);
    size_t layer = new_layer(b, (lp_net_layer){.kind = LP_NET_LINEAR, .linear = {in, outputs}});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->planned = b->plan->count;
    if (lp_net_size(b, 3, "%s.weight", name) > 0) {
        PLAN(&stored->weight, name, ".weight", outputs, in, 1, 1);
    } else {
        PLAN(&stored->weight, name, ".weight", outputs, in);
    }
    if (bias) {
        PLAN(&stored->bias, name, ".bias", outputs);
    }
    if (gamma != NULL) {
        PLAN(&stored->gamma, gamma, "", outputs);
    }
    return layer;
}

/* Queries, keys and values: one layer of [3 width, width], or three that follow each other. */
static size_t plan_qkv(lp_net_builder *b, const lp_net_windows_spec *spec, size_t width) {
    size_t layer =
        new_layer(b, (lp_net_layer){.kind = LP_NET_LINEAR, .linear = {width, 3 * width}});
    lp_net_stored *stored = b->tower->stored[layer];
    const char *const *names = spec->qkv != NULL ? &spec->qkv : spec->apart;
    size_t parts = spec->qkv != NULL ? 1 : 3, rows = 3 * width / parts;
    for (size_t i = 0; i < parts; i++) {
        stored->planned = b->plan->count;
        PLAN(i == 0 ? &stored->weight : NULL, names[i], ".weight", rows, width);
    }
    for (size_t i = 0; i < parts; i++) {
        PLAN(i == 0 ? &stored->bias : NULL, names[i], ".bias", rows);
    }
    return layer;
}

static size_t plan_table(lp_net_builder *b, const char *name, size_t width) {
    size_t rows = lp_net_size(b, 0, "%s", name), heads = lp_net_size(b, 1, "%s", name), window = 1;
    while ((2 * window - 1) * (2 * window - 1) < rows) {
        window++;
    }
    if (rows > 0 && (2 * window - 1) * (2 * window - 1) != rows) {
        lp_plan_problem(b->plan, "%s%s: %zu rows: expected the square of an odd number", b->place,
                        name, rows);
    }
    if (heads > 0 && width % heads != 0) {
        lp_plan_problem(b->plan, "%s%s: %zu heads: width %zu is not divisible", b->place, name,
                        heads, width);
    }
    size_t layer = new_layer(
        b, (lp_net_layer){.kind = LP_NET_TABLE, .window = window, .heads = heads > 0 ? heads : 1});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->planned = b->plan->count;
    PLAN(&stored->weight, name, "", rows, heads);
    return layer;
}

static void plan_batch_norm(lp_net_builder *b, lp_net_stored *stored, const char *name,
                            size_t channels) {
    PLAN(&stored->norm_scale, name, ".weight", channels);
    PLAN(&stored->bias, name, ".bias", channels);
    PLAN(&stored->mean, name, ".running_mean", channels);
    PLAN(&stored->variance, name, ".running_var", channels);
}

/* ---- steps ----------------------------------------------------------------------------------- */

size_t lp_net_conv(lp_net_builder *b, size_t from, const char *name, const lp_net_conv_spec *spec) {
    size_t channels = channels_of(b, from), taps = spec->taps > 0 ? spec->taps : 1;
    size_t out = spec->depthwise ? channels : lp_net_size(b, 0, "%s.weight", name);
    size_t group = spec->depthwise ? 1 : spec->group > 0 ? spec->group : channels;
    bool whole = group == 0 || channels % group == 0; /* group = 0: the file has no channels */
    size_t groups = group > 0 && whole && channels > 0 ? channels / group : 1;
    lp_conv conv = {.groups = groups,
                    .in = group,
                    .out = out / groups,
                    .taps_high = taps,
                    .taps_wide = taps,
                    .stride = spec->stride > 0 ? spec->stride : 1,
                    .padding = spec->padding,
                    .same = spec->same};
    if (out % groups != 0 || !whole) {
        lp_plan_problem(b->plan, "%s%s: %zu channels to %zu do not divide into groups of %zu",
                        b->place, name, channels, out, group);
    }
    size_t layer = new_layer(
        b, (lp_net_layer){.kind = spec->depthwise ? LP_NET_DEPTHWISE : LP_NET_CONV, .conv = conv});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->planned = b->plan->count;
    if (spec->flat) {
        PLAN(&stored->weight, name, ".weight", out, group);
    } else {
        PLAN(&stored->weight, name, ".weight", out, group, taps, taps);
    }
    if (spec->bias) {
        PLAN(spec->batch_norm != NULL ? &stored->own_bias : &stored->bias, name, ".bias", out);
    }
    if (spec->batch_norm != NULL) {
        plan_batch_norm(b, stored, spec->batch_norm, out);
    }
    size_t to = new_map(b, out);
    add_step(b, (lp_net_step){.operation = LP_NET_CONVOLVE,
                              .from = from,
                              .to = to,
                              .add = spec->add,
                              .layers = {layer},
                              .activation = spec->activation,
                              .usual = spec->usual});
    return to;
}

size_t lp_net_norm(lp_net_builder *b, size_t from, const char *name, float eps) {
    size_t layer = plan_norm(b, name, channels_of(b, from), eps);
    size_t to = new_map(b, channels_of(b, from));
    add_step(b, (lp_net_step){.operation = LP_NET_NORM, .from = from, .to = to, .layers = {layer}});
    return to;
}

size_t lp_net_mlp(lp_net_builder *b, size_t from, size_t to, const lp_net_mlp_spec *spec) {
    size_t channels = channels_of(b, from);
    size_t norm = plan_norm(b, spec->norm, channels, spec->eps);
    size_t first = plan_linear(b, spec->first, channels, 0, true, NULL);
    size_t inner = b->net->layers[first].linear.out;
    size_t response = spec->response != NULL ? plan_response(b, spec->response, inner) : 0;
    size_t second = plan_linear(b, spec->second, inner, channels, true, spec->gamma);
    add_step(b, (lp_net_step){.operation = LP_NET_MLP,
                              .from = from,
                              .to = to,
                              .layers = {norm, first, response, second},
                              .activation = spec->activation,
                              .usual = spec->usual});
    return to;
}

size_t lp_net_windows(lp_net_builder *b, size_t map, const lp_net_windows_spec *spec) {
    size_t width = channels_of(b, map);
    size_t norm = plan_norm(b, spec->norm, width, 0);
    size_t table = plan_table(b, spec->table, width);
    size_t qkv = plan_qkv(b, spec, width);
    size_t projection = plan_linear(b, spec->projection, width, width, true, NULL);
    add_step(b, (lp_net_step){.operation = LP_NET_WINDOWS,
                              .from = map,
                              .to = map,
                              .layers = {norm, qkv, table, projection},
                              .shifted = spec->shifted});
    return map;
}

size_t lp_net_merge(lp_net_builder *b, size_t from, const char *norm, const char *reduction) {
    size_t width = 4 * channels_of(b, from);
    size_t layers[] = {plan_norm(b, norm, width, 0),
                       plan_linear(b, reduction, width, 0, false, NULL)};
    size_t to = new_map(b, b->net->layers[layers[1]].linear.out);
    add_step(b, (lp_net_step){.operation = LP_NET_MERGE,
                              .from = from,
                              .to = to,
                              .layers = {layers[0], layers[1]}});
    return to;
}

/* A step that changes a map in its place. */
static size_t change(lp_net_builder *b, lp_net_operation operation, size_t map, size_t from) {
    add_step(b, (lp_net_step){.operation = operation, .from = from, .to = map});
    return map;
}

size_t lp_net_scale(lp_net_builder *b, size_t map, size_t factors) {
    return change(b, LP_NET_SCALE, map, factors);
}

size_t lp_net_add(lp_net_builder *b, size_t map, size_t from) {
    return change(b, LP_NET_ADD, map, from);
}

size_t lp_net_mean(lp_net_builder *b, size_t from) {
    size_t to = new_map(b, channels_of(b, from));
    add_step(b, (lp_net_step){.operation = LP_NET_MEAN, .from = from, .to = to});
    return to;
}
