/* The words of a network's description; net_build.h says what they mean. */
#include "model/net_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/net_plan.h"

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
void lp_net_whole_name(const lp_net_builder *b, const char *name, char out[LP_PLAN_NAME]) {
    (void)snprintf(out, LP_PLAN_NAME, "%.39s%.60s%.60s", b->prefix, b->place, name);
}

static const lp_tensor *find(const lp_net_builder *b, const char *name) {
    char whole[LP_PLAN_NAME];
    lp_net_whole_name(b, name, whole);
    const lp_view_item *item = lp_view_find(&b->source->view, whole);
    return item != NULL ? item->tensor : NULL;
}

bool lp_net_has(const lp_net_builder *b, const char *format, ...) {
    char name[LP_PLAN_NAME];
    FORMAT_NAME(name, format);
    return find(b, name) != NULL;
}

bool lp_net_some(const lp_net_builder *b, const char *end) {
    size_t skip = strlen(b->prefix), length = strlen(end);
    for (size_t i = 0; i < b->source->view.count; i++) {
        const char *name = b->source->view.items[i].name;
        size_t whole = strlen(name);
        if (strncmp(name, b->prefix, skip) == 0 && whole >= skip + length &&
            strcmp(name + (whole - length), end) == 0) {
            return true;
        }
    }
    return false;
}

bool lp_net_has_either(const lp_net_builder *b, const char *name) {
    return lp_net_has(b, "%s.weight", name) || lp_net_has(b, "%s.bias", name);
}

lp_net_qkv_bias lp_net_bias_of(const lp_net_builder *b, const char *end) {
    return lp_net_some(b, end) ? LP_NET_BIAS_ALL : LP_NET_BIAS_NONE;
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

static size_t count_from(const lp_net_builder *b, size_t first, const char *name) {
    char begin[LP_PLAN_NAME], whole[LP_PLAN_NAME];
    size_t count = 0;
    do {
        (void)snprintf(begin, sizeof begin, "%.100s%zu.", name, first + count);
        lp_net_whole_name(b, begin, whole);
    } while (has_beginning(&b->source->view, whole) && ++count < b->source->view.count);
    return count;
}

size_t lp_net_count(const lp_net_builder *b, const char *format, ...) {
    char name[LP_PLAN_NAME];
    FORMAT_NAME(name, format);
    return count_from(b, 0, name);
}

size_t lp_net_count_from(const lp_net_builder *b, size_t first, const char *format, ...) {
    char name[LP_PLAN_NAME];
    FORMAT_NAME(name, format);
    return count_from(b, first, name);
}

size_t lp_net_grid(const lp_net *net) {
    size_t grid = 0;
    for (size_t i = 1; i < net->layer_count; i++) {
        const lp_net_layer *layer = &net->layers[i]; /* tiled positions are for any input */
        grid = layer->grid > 0 && layer->tile == 0 ? layer->grid : grid;
    }
    return grid;
}

size_t lp_net_describe_vit(const lp_net_builder *b, lp_encoder_info *info) {
    info->layers = lp_net_count(b, "blocks.");
    info->patch = lp_net_size(b, 2, "patch_embed.proj.weight");
    info->mlp_width = lp_net_size(b, 1, "blocks.0.mlp.fc2.weight");
    info->input_size = lp_net_grid(b->net) * info->patch;
    return lp_net_size(b, 0, "patch_embed.proj.weight");
}

bool lp_net_begin(lp_net_builder *b) {
    (void)lp_net_new_map(b, 3);
    (void)lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_VECTORS});
    return !b->plan->no_memory;
}

void lp_net_activate(lp_net_builder *b) {
    if (b->net->step_count > 0) {
        b->net->steps[b->net->step_count - 1].usual = true;
    }
}

void lp_net_stage(lp_net_builder *b, const char *format, ...) {
    if (b->net->step_count > 0) {
        FORMAT_NAME(b->net->steps[b->net->step_count - 1].name, format);
    }
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* What is added has as many channels. */
static void check_sum(lp_net_builder *b, const char *name, size_t channels, size_t add) {
    size_t added = add > 0 ? lp_net_channels(b, add) : 0; /* 0: its weight is missing */
    if (added > 0 && channels > 0 && added != channels) {
        lp_plan_problem(b->plan, "%s%s: %zu channels, but %zu are added to them: a shortcut lacks",
                        b->place, name, channels, added);
    }
}

/* Outputs of each channel of a depthwise convolution. */
static size_t multiple_of(const lp_net_builder *b, const char *name, size_t channels) {
    size_t out = lp_net_size(b, 0, "%s.weight", name);
    return channels > 0 && out > 0 && out % channels == 0 ? out / channels : 1;
}

/* Whether a kernel lies in the middle of the convolution's, or the input itself in its output. */
static void check_branch(lp_net_builder *b, const char *name, const lp_conv *conv, size_t channels,
                         size_t taps) {
    bool fits = taps > 0 ? taps <= conv->taps_high && (conv->taps_high - taps) % 2 == 0
                         : conv->groups * conv->out == channels && conv->stride == 1;
    if (!fits) {
        lp_plan_problem(b->plan, "%s%s: cannot be added to a kernel of %zu x %zu", b->place, name,
                        conv->taps_high, conv->taps_high);
    }
}

/* What is added to the convolution's weight: other kernels over the same input. */
static void plan_branches(lp_net_builder *b, lp_net_stored *stored, const lp_net_conv_spec *spec,
                          const lp_conv *conv, size_t channels) {
    const lp_net_branch_spec *from = spec->branches;
    size_t count = 0, out = conv->groups * conv->out;
    while (from != NULL && count < LP_NET_BRANCHES && from[count].norm != NULL) {
        count++;
    }
    stored->residual = spec->residual;
    stored->branch_count = count;
    stored->branches =
        lp_memory_take_zeroed(&b->tower->memory, count > 0 ? count : 1, sizeof *stored->branches);
    if (stored->branches == NULL) {
        b->plan->no_memory = true;
        return;
    }
    if (spec->residual) {
        check_branch(b, "", conv, channels, 0);
    }
    for (size_t i = 0; i < count; i++) {
        lp_net_branch *to = &stored->branches[i];
        to->taken_off = from[i].taken_off;
        if (from[i].name != NULL) {
            to->taps = from[i].taps > 0 ? from[i].taps : 1;
            LP_NET_PLAN(&to->weight, from[i].name, ".weight", out, conv->in, to->taps, to->taps);
        }
        check_branch(b, from[i].norm, conv, channels, to->taps);
        LP_NET_PLAN(&to->norm_scale, from[i].norm, ".weight", out);
        LP_NET_PLAN(&to->shift, from[i].norm, ".bias", out);
        LP_NET_PLAN(&to->mean, from[i].norm, ".running_mean", out);
        LP_NET_PLAN(&to->variance, from[i].norm, ".running_var", out);
    }
}

size_t lp_net_conv(lp_net_builder *b, size_t from, const char *name, const lp_net_conv_spec *spec) {
    size_t channels = lp_net_channels(b, from);
    size_t taps = spec->own_taps ? lp_net_size(b, 2, "%s.weight", name) : spec->taps;
    size_t padding = spec->own_taps ? taps / 2 : spec->padding;
    taps = taps > 0 ? taps : 1;
    size_t out = spec->depthwise    ? channels * multiple_of(b, name, channels)
                 : spec->transposed ? lp_net_size(b, 1, "%s", name)
                                    : lp_net_size(b, 0, "%s.weight", name);
    size_t group = spec->depthwise ? 1 : spec->group > 0 ? spec->group : channels;
    bool whole = group == 0 || channels % group == 0; /* group = 0: the file has no channels */
    size_t groups = group > 0 && whole && channels > 0 ? channels / group : 1;
    lp_conv conv = {.groups = groups,
                    .in = group,
                    .out = out / groups,
                    .taps_high = taps,
                    .taps_wide = taps,
                    .stride = spec->stride > 0 ? spec->stride : 1,
                    .padding = padding,
                    .same = spec->same};
    if (!spec->depthwise && taps * taps > LP_CONV_MAX_TAPS &&
        (from > 0 || taps > LP_CONV_MAX_TAPS)) {
        lp_plan_problem(b->plan, "%s%s: a kernel of %zu x %zu is too large", b->place, name, taps,
                        taps);
    }
    if (out % groups != 0 || !whole) {
        lp_plan_problem(b->plan, "%s%s: %zu channels to %zu do not divide into groups of %zu",
                        b->place, name, channels, out, group);
    }
    size_t layer = lp_net_new_layer(
        b, (lp_net_layer){.kind = spec->depthwise ? LP_NET_DEPTHWISE : LP_NET_CONV, .conv = conv});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->standard_eps = spec->standard_eps;
    stored->norm_eps = spec->batch_eps;
    stored->planned = b->plan->count;
    stored->transposed = spec->transposed;
    stored->pixels = spec->flattened;
    if (spec->transposed) {
        LP_NET_PLAN(&stored->weight, name, "", channels, out);
    } else if (spec->flat || spec->flattened > 0) {
        LP_NET_PLAN(&stored->weight, name, ".weight", out, group);
    } else {
        LP_NET_PLAN(&stored->weight, name, ".weight", out, group, taps, taps);
    }
    if (spec->bias) {
        LP_NET_PLAN(spec->batch_norm != NULL ? &stored->own_bias : &stored->bias, name, ".bias",
                    out);
    }
    if (spec->batch_norm != NULL) {
        lp_net_plan_batch_norm(b, stored, spec->batch_norm, out);
    }
    if (spec->gamma != NULL) {
        lp_net_plan_gamma(b, stored, spec->gamma, out);
    }
    if (spec->branches != NULL || spec->residual) {
        plan_branches(b, stored, spec, &conv, channels);
    }
    check_sum(b, name, out, spec->add);
    size_t to = lp_net_new_map(b, out);
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_CONVOLVE,
                                     .from = from,
                                     .to = to,
                                     .add = spec->add,
                                     .layers = {layer},
                                     .activation = spec->activation,
                                     .usual = spec->usual});
    return to;
}

static size_t norm_rows(lp_net_builder *b, size_t from, const char *name, float eps, bool rms) {
    size_t layer = lp_net_plan_norm(b, name, lp_net_channels(b, from), eps, rms);
    size_t to = lp_net_new_map(b, lp_net_channels(b, from));
    b->net->maps[to].extra = b->net->maps[from].extra;
    lp_net_add_step(
        b, (lp_net_step){.operation = LP_NET_NORM, .from = from, .to = to, .layers = {layer}});
    return to;
}

size_t lp_net_norm(lp_net_builder *b, size_t from, const char *name, float eps) {
    return norm_rows(b, from, name, eps, false);
}

size_t lp_net_norm_in_place(lp_net_builder *b, size_t map, const char *name) {
    size_t layer = lp_net_plan_norm(b, name, lp_net_channels(b, map), 0, false);
    lp_net_add_step(
        b, (lp_net_step){.operation = LP_NET_NORM, .from = map, .to = map, .layers = {layer}});
    return map;
}

size_t lp_net_rms_norm(lp_net_builder *b, size_t from, const char *name) {
    return norm_rows(b, from, name, 0, true);
}

/* A norm with an activation, by a layer, into another map. */
static size_t add_norm(lp_net_builder *b, lp_net_operation operation, size_t from, size_t layer,
                       lp_nonlinearity activation) {
    size_t to = lp_net_new_map(b, lp_net_channels(b, from));
    lp_net_add_step(b, (lp_net_step){.operation = operation,
                                     .from = from,
                                     .to = to,
                                     .layers = {layer},
                                     .activation = activation});
    return to;
}

size_t lp_net_group_norm(lp_net_builder *b, size_t from, const char *name, size_t groups, float eps,
                         lp_nonlinearity activation) {
    size_t channels = lp_net_channels(b, from),
           layer = lp_net_plan_norm(b, name, channels, eps, false);
    b->net->layers[layer].groups = groups;
    if (channels % groups != 0) {
        lp_plan_problem(b->plan, "%s%s: %zu channels do not divide into %zu groups", b->place, name,
                        channels, groups);
    }
    return add_norm(b, LP_NET_GROUP_NORM, from, layer, activation);
}

size_t lp_net_batch_norm(lp_net_builder *b, size_t from, const char *name,
                         lp_nonlinearity activation) {
    size_t channels = lp_net_channels(b, from);
    size_t layer =
        lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_VECTORS, .channels = channels});
    lp_net_plan_batch_norm(b, b->tower->stored[layer], name, channels);
    return add_norm(b, LP_NET_AFFINE, from, layer, activation);
}

/* The gate's rows, then those that it is for. */
static size_t plan_gated(lp_net_builder *b, const lp_net_mlp_spec *spec, size_t channels) {
    size_t inner = lp_net_size(b, 0, "%s.weight", spec->first);
    size_t layer =
        lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_LINEAR, .linear = {channels, 2 * inner}});
    lp_net_stored *stored = b->tower->stored[layer];
    LP_NET_PLAN(&stored->weight, spec->gate, ".weight", inner, channels);
    stored->planned = b->plan->count;
    LP_NET_PLAN(NULL, spec->first, ".weight", inner, channels);
    if (!spec->no_bias) {
        LP_NET_PLAN(&stored->bias, spec->gate, ".bias", inner);
        LP_NET_PLAN(NULL, spec->first, ".bias", inner);
    }
    return layer;
}

/* The first rows of a layer whose others are queries, keys and values. */
static size_t plan_part(lp_net_builder *b, const lp_net_mlp_spec *spec, size_t channels) {
    size_t layer = lp_net_plan_rows(b, spec->first, spec->first_bias == NULL, channels, 0,
                                    spec->rows, spec->rows + 3 * channels);
    if (spec->first_bias != NULL) {
        LP_NET_PLAN(&b->tower->stored[layer]->bias, spec->first_bias, "", spec->rows);
    }
    return layer;
}

size_t lp_net_mlp(lp_net_builder *b, size_t from, size_t to, const lp_net_mlp_spec *spec) {
    size_t channels = lp_net_channels(b, from);
    bool gated = spec->gated || spec->gate != NULL;
    size_t norm =
        spec->norm != NULL ? lp_net_plan_norm(b, spec->norm, channels, spec->eps, spec->rms) : 0;
    size_t first = spec->rows > 0       ? plan_part(b, spec, channels)
                   : spec->gate != NULL ? plan_gated(b, spec, channels)
                                        : lp_net_plan_linear(b, spec->first, channels, spec->inner,
                                                             !spec->no_bias, NULL);
    size_t inner = b->net->layers[first].linear.out / (gated ? 2 : 1), between = 0;
    if (spec->response != NULL) {
        between = lp_net_plan_response(b, spec->response, inner);
    } else if (spec->inside != NULL) {
        between = lp_net_plan_norm(b, spec->inside, inner, spec->eps, spec->rms);
    }
    size_t second =
        lp_net_plan_linear(b, spec->second, inner, channels, !spec->no_bias, spec->gamma);
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_MLP,
                                     .from = from,
                                     .to = to,
                                     .layers = {norm, first, between, second},
                                     .activation = spec->activation,
                                     .usual = spec->usual,
                                     .gated = gated,
                                     .response = spec->response != NULL,
                                     .after = spec->after});
    return to;
}

size_t lp_net_windows(lp_net_builder *b, size_t map, const lp_net_windows_spec *spec) {
    size_t width = lp_net_channels(b, map);
    size_t norm = lp_net_plan_norm(b, spec->norm, width, 0, false);
    size_t table = spec->logits != NULL ? lp_net_plan_continuous(b, spec, width)
                   : spec->distances    ? lp_net_plan_distances(b, spec->table, width)
                                        : lp_net_plan_token_table(b, spec->table, width, 0);
    size_t qkv = lp_net_plan_qkv(b, &spec->qkv, width);
    size_t projection = lp_net_plan_linear(b, spec->projection, width, width, true, NULL);
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_WINDOWS,
                                     .from = map,
                                     .to = map,
                                     .layers = {norm, qkv, table, projection},
                                     .shifted = spec->shifted,
                                     .padding = spec->padding,
                                     .after = spec->logits != NULL});
    return map;
}

size_t lp_net_merge(lp_net_builder *b, size_t from, const char *norm, const char *reduction,
                    bool after) {
    size_t width = 4 * lp_net_channels(b, from), out = lp_net_size(b, 0, "%s.weight", reduction);
    size_t layers[] = {lp_net_plan_norm(b, norm, after ? out : width, 0, false),
                       lp_net_plan_linear(b, reduction, width, 0, false, NULL)};
    size_t to = lp_net_new_map(b, b->net->layers[layers[1]].linear.out);
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_MERGE,
                                     .from = from,
                                     .to = to,
                                     .layers = {layers[0], layers[1]},
                                     .after = after});
    return to;
}

/* A step that changes a map in its place. */
static size_t change(lp_net_builder *b, lp_net_operation operation, size_t map, size_t from,
                     lp_nonlinearity activation) {
    lp_net_add_step(
        b,
        (lp_net_step){.operation = operation, .from = from, .to = map, .activation = activation});
    return map;
}

size_t lp_net_scale(lp_net_builder *b, size_t map, size_t factors) {
    return change(b, LP_NET_SCALE, map, factors, LP_IDENTITY);
}

size_t lp_net_copy(lp_net_builder *b, size_t from) {
    size_t to = lp_net_new_map(b, lp_net_channels(b, from));
    b->net->maps[to].extra = b->net->maps[from].extra;
    return change(b, LP_NET_COPY, to, from, LP_IDENTITY);
}

size_t lp_net_add(lp_net_builder *b, size_t map, size_t from, lp_nonlinearity activation) {
    check_sum(b, "", lp_net_channels(b, map), from);
    return change(b, LP_NET_ADD, map, from, activation);
}

size_t lp_net_pool(lp_net_builder *b, size_t from, const lp_pooling *pooling) {
    size_t to = lp_net_new_map(b, lp_net_channels(b, from));
    lp_net_add_step(
        b, (lp_net_step){.operation = LP_NET_POOL, .from = from, .to = to, .pooling = *pooling});
    return to;
}

size_t lp_net_excite(lp_net_builder *b, size_t map, const char *reduce, const char *expand,
                     lp_nonlinearity activation, lp_nonlinearity gate) {
    size_t g = lp_net_mean(b, map);
    g = lp_net_conv(b, g, reduce, &(lp_net_conv_spec){.bias = true, .activation = activation});
    g = lp_net_conv(b, g, expand, &(lp_net_conv_spec){.bias = true, .activation = gate});
    return lp_net_scale(b, map, g);
}

static size_t add_mean(lp_net_builder *b, size_t from, bool single) {
    size_t to = lp_net_new_map(b, lp_net_channels(b, from));
    lp_net_add_step(
        b, (lp_net_step){.operation = LP_NET_MEAN, .from = from, .to = to, .single = single});
    return to;
}

size_t lp_net_mean(lp_net_builder *b, size_t from) {
    return add_mean(b, from, false);
}

size_t lp_net_float_mean(lp_net_builder *b, size_t from) {
    return add_mean(b, from, true);
}

void lp_net_project_beside(lp_net_builder *b) {
    lp_net *net = b->net;
    lp_net_conv_spec linear = {.flat = true};
    if (strcmp(b->source->prefix, "visual.trunk.") != 0) {
        return;
    }
    lp_net_outside(b, "visual.head.");
    if (lp_net_has(b, "proj.weight")) {
        linear.bias = lp_net_has(b, "proj.bias");
        net->projected = lp_net_conv(b, net->penultimate, "proj", &linear);
    } else if (lp_net_has(b, "mlp.fc1.weight")) {
        size_t inner =
            lp_net_conv(b, net->penultimate, "mlp.fc1",
                        &(lp_net_conv_spec){.flat = true, .bias = true, .activation = LP_GELU});
        linear.bias = lp_net_has(b, "mlp.fc2.bias");
        net->projected = lp_net_conv(b, inner, "mlp.fc2", &linear);
    }
}
