/* Words of a vision transformer's description, and what is made of its weights before it runs. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "math/rows.h"
#include "model/net_plan.h"
#include "model/positions.h"

/* ---- words ----------------------------------------------------------------------------------- */

/* The patch's side of so many values. */
static size_t side_of(size_t values) {
    size_t side = 1;
    while (3 * side * side < values && side < 256) {
        side++;
    }
    return side;
}

size_t lp_net_patches(lp_net_builder *b, const char *name, bool bias) {
    size_t patch = lp_net_size(b, 2, "%s.weight", name), out = lp_net_size(b, 0, "%s.weight", name);
    size_t inputs = patch == 0 ? lp_net_size(b, 1, "%s.weight", name) : 0; /* [D, P P 3] */
    patch = patch > 0 ? patch : inputs > 0 ? side_of(inputs) : 16;
    size_t layer = lp_net_new_layer(
        b,
        (lp_net_layer){.kind = LP_NET_LINEAR, .linear = {3 * patch * patch, out}, .patch = patch});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->planned = b->plan->count;
    if (inputs > 0) {
        stored->pixels = 3; /* of which each has P P values: they change places */
        LP_NET_PLAN(&stored->weight, name, ".weight", out, 3 * patch * patch);
    } else {
        LP_NET_PLAN(&stored->weight, name, ".weight", out, 3, patch, patch);
    }
    if (bias) {
        LP_NET_PLAN(&stored->bias, name, ".bias", out);
    }
    size_t to = lp_net_new_map(b, out);
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_PATCHES, .to = to, .layers = {layer}});
    return to;
}

static size_t root_of(size_t n) {
    size_t root = 0;
    while (root * root < n) {
        root++;
    }
    return root * root == n ? root : 0;
}

/* Rows of D, with as many axes before them as the file has. */
static void plan_rows(lp_net_builder *b, float **to, const char *name, size_t rows,
                      size_t channels) {
    size_t grid = lp_net_size(b, 1, "%s", name);
    if (lp_net_size(b, 3, "%s", name) > 0) {
        LP_NET_PLAN(to, name, "", 1, grid, grid > 1 ? grid : rows, channels);
        return;
    }
    bool third = lp_net_size(b, 2, "%s", name) > 0, second = lp_net_size(b, 1, "%s", name) > 0;
    if (second && !third) {
        LP_NET_PLAN(to, name, "", rows, channels);
    } else if (lp_net_has(b, "%s", name) && rows == 1 && !third) {
        LP_NET_PLAN(to, name, "", channels);
    } else { /* or it is missing */
        LP_NET_PLAN(to, name, "", 1, rows, channels);
    }
}

/* Positions in a tensor of such rows. */
static size_t count_positions(const lp_net_builder *b, const char *name) {
    size_t grid = lp_net_size(b, 1, "%s", name);
    if (lp_net_size(b, 3, "%s", name) > 0 && grid > 1) { /* [1, G, G, D] */
        return grid < 1 << 12 ? grid * grid : 1 << 24;
    }
    if (lp_net_size(b, 3, "%s", name) > 0) { /* [1, 1, S, D] */
        return lp_net_size(b, 2, "%s", name);
    }
    return lp_net_size(b, lp_net_size(b, 2, "%s", name) > 0 ? 1 : 0, "%s", name);
}

/* Which rows the file's positions are of. */
static void find_grid(lp_net_builder *b, lp_net_layer *layer, const lp_net_start_spec *spec) {
    const char *name = spec->positions;
    bool has_class = spec->class_token != NULL;
    size_t count = count_positions(b, name);
    const size_t covered[] = {layer->extra, has_class ? 1 : 0, 0};
    for (size_t i = 0; i < (spec->all_placed ? 2 : 3) && count < 1 << 24; i++) {
        size_t grid = count > covered[i] ? root_of(count - covered[i]) : 0;
        if (grid > 0) {
            layer->covered = covered[i];
            layer->grid = grid;
            return;
        }
    }
    if (count > 0) {
        lp_plan_problem(b->plan, "%s%s: %zu positions: expected %sa square of patches", b->place,
                        name, count, has_class ? "one for a class token and " : "");
    }
}

size_t lp_net_start(lp_net_builder *b, size_t from, const lp_net_start_spec *spec) {
    size_t channels = lp_net_channels(b, from);
    size_t registers = spec->registers != NULL ? lp_net_size(b, 1, "%s", spec->registers) : 0;
    lp_net_layer layer = {.kind = LP_NET_TOKENS,
                          .channels = channels,
                          .extra = registers + (spec->class_token != NULL ? 1 : 0)};
    if (spec->rows != NULL) {
        layer.apart[0] = lp_net_size(b, 1, "%s", spec->rows);
        layer.apart[1] = lp_net_size(b, 1, "%s", spec->columns);
    } else if (spec->tile != NULL) {
        layer.grid = lp_net_size(b, 2, "%s", spec->positions);
        layer.tile = lp_net_size(b, 2, "%s", spec->tile);
        layer.tile = layer.tile > 0 ? layer.tile : 1;
    } else if (spec->positions != NULL) {
        find_grid(b, &layer, spec);
    }
    if (spec->fourier != NULL) { /* of each frequency a sine and a cosine, of rows and columns */
        layer.fourier = lp_net_size(b, 1, "%s.weight", spec->fourier) / 4;
        layer.fourier = layer.fourier > 0 ? layer.fourier : 1;
    }
    size_t number = lp_net_new_layer(b, layer);
    lp_net_stored *stored = b->tower->stored[number];
    if (spec->class_token != NULL) {
        plan_rows(b, &stored->weight, spec->class_token, 1, channels);
    }
    if (spec->registers != NULL) {
        plan_rows(b, &stored->registers, spec->registers, registers, channels);
    }
    if (spec->rows != NULL) {
        LP_NET_PLAN(&stored->positions, spec->rows, "", 1, layer.apart[0], channels);
        LP_NET_PLAN(&stored->second, spec->columns, "", 1, layer.apart[1], channels);
    } else if (spec->tile != NULL) {
        LP_NET_PLAN(&stored->positions, spec->positions, "", 1, channels, layer.grid, layer.grid);
        LP_NET_PLAN(&stored->second, spec->tile, "", 1, channels, layer.tile, layer.tile);
    } else if (spec->positions != NULL) {
        plan_rows(b, &stored->positions, spec->positions, count_positions(b, spec->positions),
                  channels);
    }
    if (spec->fourier != NULL) {
        LP_NET_PLAN(&stored->positions, spec->fourier, ".weight", channels, 4 * layer.fourier, 1,
                    1);
        LP_NET_PLAN(&stored->bias, spec->fourier, ".bias", channels);
    }
    size_t to = lp_net_new_map(b, channels);
    b->net->maps[to].extra = layer.extra;
    b->net->class_token = spec->class_token != NULL;
    lp_net_add_step(
        b, (lp_net_step){.operation = LP_NET_START, .from = from, .to = to, .layers = {number}});
    return to;
}

size_t lp_net_rotary_layer(lp_net_builder *b, const lp_net_rotary *rotary, const char *periods,
                           const char *angles) {
    size_t layer = lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_ROTARY, .rotary = *rotary});
    if (periods != NULL && lp_net_has(b, "%s", periods)) {
        size_t count = lp_net_size(b, 0, "%s", periods);
        b->net->layers[layer].channels = count;
        LP_NET_PLAN(&b->tower->stored[layer]->periods, periods, "", count);
    }
    if (angles != NULL) {
        size_t count = lp_net_size(b, 1, "%s", angles);
        b->net->layers[layer].channels = count / 2;
        b->net->layers[layer].extra = 1;
        LP_NET_PLAN(&b->tower->stored[layer]->weight, angles, "", 1, count);
        if (count % 2 != 0) {
            lp_plan_problem(b->plan, "%s%s: %zu angles: expected an even number", b->place, angles,
                            count);
        }
    }
    return layer;
}

size_t lp_net_shared_table(lp_net_builder *b, size_t map, const char *name) {
    return lp_net_plan_token_table(b, name, lp_net_channels(b, map), b->net->maps[map].extra);
}

size_t lp_net_attend(lp_net_builder *b, size_t map, const lp_net_attend_spec *spec) {
    size_t width = lp_net_channels(b, map), extra = b->net->maps[map].extra;
    size_t norm = 0, table = spec->shared, each = spec->head_width;
    if (spec->norm != NULL) {
        norm = lp_net_plan_norm(b, spec->norm, width, spec->eps, spec->rms);
    }
    if (each > 0 && width % each != 0) {
        lp_plan_problem(b->plan, "%s%s: width %zu: not divisible into heads of %zu", b->place,
                        spec->projection, width, each);
    }
    if (spec->table != NULL) {
        table = lp_net_plan_token_table(b, spec->table, width, extra);
    }
    size_t qkv = lp_net_plan_qkv(b, &spec->qkv, width), of_heads[2] = {0}, inside = 0;
    const char *names[] = {spec->q_norm, spec->k_norm};
    for (size_t i = 0; i < 2 && spec->q_norm != NULL; i++) {
        size_t normed = lp_net_size(b, 0, "%s.weight", names[i]);
        of_heads[i] = lp_net_plan_norm(b, names[i], normed, spec->eps, spec->rms);
    }
    if (spec->inside != NULL) {
        inside = lp_net_plan_norm(b, spec->inside, width, spec->eps, spec->rms);
    }
    size_t projection =
        lp_net_plan_linear(b, spec->projection, width, width, !spec->no_bias, spec->gamma);
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_ATTEND,
                                     .from = spec->from > 0 ? spec->from : map,
                                     .to = map,
                                     .layers = {norm, qkv, table, projection, of_heads[0],
                                                of_heads[1], inside, spec->rotary},
                                     .heads = each > 0 ? width / each : 0,
                                     .after = spec->after});
    return map;
}

void lp_net_end_block(lp_net_builder *b) {
    if (b->net->step_count > 0) {
        b->net->steps[b->net->step_count - 1].ends_block = true;
    }
}

void lp_net_begin_head(lp_net_builder *b, size_t rows) {
    b->net->rows = rows;
    b->net->head = b->net->step_count;
}

size_t lp_net_take_normed(lp_net_builder *b, size_t from, size_t to, size_t norm) {
    to = to > 0 ? to : lp_net_new_map(b, lp_net_channels(b, from));
    lp_net_add_step(
        b, (lp_net_step){.operation = LP_NET_TAKE, .from = from, .to = to, .layers = {norm}});
    return to;
}

size_t lp_net_take(lp_net_builder *b, size_t from) {
    return lp_net_take_normed(b, from, 0, 0);
}

size_t lp_net_project_row(lp_net_builder *b, size_t from, const char *name, bool transposed,
                          bool bias) {
    size_t in = lp_net_channels(b, from), layer;
    if (transposed) {
        size_t out = lp_net_size(b, 1, "%s", name);
        layer = lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_LINEAR, .linear = {in, out}});
        lp_net_stored *stored = b->tower->stored[layer];
        stored->planned = b->plan->count;
        stored->transposed = true;
        LP_NET_PLAN(&stored->weight, name, "", in, out);
    } else {
        layer = lp_net_plan_linear(b, name, in, 0, bias, NULL);
    }
    size_t to = lp_net_new_map(b, b->net->layers[layer].linear.out);
    lp_net_add_step(
        b, (lp_net_step){.operation = LP_NET_PROJECT, .from = from, .to = to, .layers = {layer}});
    return to;
}

/* Keys and values of torch.nn.MultiheadAttention, whose bias is that of queries, too. */
static size_t plan_apart(lp_net_builder *b, const char *name, size_t from, size_t width) {
    size_t layer =
        lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_LINEAR, .linear = {from, 2 * width}});
    lp_net_stored *stored = b->tower->stored[layer];
    LP_NET_PLAN(&stored->weight, name, ".k_proj_weight", width, from);
    stored->planned = b->plan->count;
    LP_NET_PLAN(NULL, name, ".v_proj_weight", width, from);
    LP_NET_PLAN(&stored->bias, name, ".in_proj_bias", 3 * width);
    stored->bias_before = width;
    return layer;
}

/* Keys and values as two layers without biases. */
static size_t plan_pair(lp_net_builder *b, const char *key, const char *value, size_t from,
                        size_t width) {
    size_t layer =
        lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_LINEAR, .linear = {from, 2 * width}});
    lp_net_stored *stored = b->tower->stored[layer];
    LP_NET_PLAN(&stored->weight, key, ".weight", width, from);
    stored->planned = b->plan->count;
    LP_NET_PLAN(NULL, value, ".weight", width, from);
    return layer;
}

static size_t plan_query(lp_net_builder *b, const lp_net_latent_spec *spec, size_t width) {
    size_t layer = lp_net_new_layer(
        b, (lp_net_layer){.kind = LP_NET_VECTORS, .channels = width, .query = true});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->planned = b->plan->count;
    if (spec->query == NULL && spec->attention == NULL) {
        LP_NET_PLAN(&stored->weight, spec->latent, "", 1, 1, width);
    } else if (spec->attention != NULL) {
        LP_NET_PLAN(&stored->weight, spec->latent, "", lp_net_size(b, 0, "%s", spec->latent),
                    width);
        LP_NET_PLAN(&stored->second, spec->attention, ".q_proj_weight", width, width);
    } else {
        LP_NET_PLAN(&stored->weight, spec->latent, "", 1, 1, width);
        LP_NET_PLAN(&stored->second, spec->query, ".weight", width, width);
        LP_NET_PLAN(&stored->own_bias, spec->query, ".bias", width);
    }
    if (spec->query_norm != NULL) {
        LP_NET_PLAN(&stored->norm_scale, spec->query_norm, ".weight", width);
        LP_NET_PLAN(&stored->bias, spec->query_norm, ".bias", width);
    }
    return layer;
}

size_t lp_net_latent(lp_net_builder *b, size_t from, const lp_net_latent_spec *spec) {
    size_t rows = lp_net_channels(b, from), norm = spec->planned_norm, kv;
    size_t width = spec->attention != NULL ? lp_net_size(b, 1, "%s", spec->latent) : rows;
    if (spec->norm != NULL) {
        norm = lp_net_plan_norm(b, spec->norm, rows, 0, false);
    }
    kv = spec->attention != NULL ? plan_apart(b, spec->attention, rows, width)
         : spec->fused != NULL
             ? lp_net_plan_rows(b, spec->fused, true, rows, width, 2 * width, 3 * width)
         : spec->key != NULL ? plan_pair(b, spec->key, spec->value, rows, width)
                             : lp_net_plan_linear(b, spec->kv, rows, 2 * width, true, NULL);
    size_t query = plan_query(b, spec, width);
    size_t projection = lp_net_plan_linear(b, spec->projection, width, width, true, NULL);
    size_t to = lp_net_new_map(b, width);
    if (spec->heads > 0 && width % spec->heads != 0) {
        lp_plan_problem(b->plan, "%s%s: width %zu is not divisible among %zu heads", b->place,
                        spec->latent, width, spec->heads);
    }
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_LATENT,
                                     .from = from,
                                     .to = to,
                                     .layers = {norm, kv, query, projection},
                                     .heads = spec->heads,
                                     .patches_only = spec->patches_only});
    return to;
}

/* A linear layer of an attention pool, of `groups` heads; transposed: a key. */
static size_t plan_query_layer(lp_net_builder *b, const char *name, size_t width, size_t groups,
                               bool transposed) {
    size_t each = width / (groups > 0 ? groups : 1);
    lp_conv conv = {.groups = groups,
                    .in = transposed ? each : width,
                    .out = transposed ? width : each,
                    .taps_high = 1,
                    .taps_wide = 1,
                    .stride = 1};
    size_t layer = lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_CONV, .conv = conv});
    lp_net_stored *stored = b->tower->stored[layer];
    stored->planned = b->plan->count;
    stored->transposed = transposed;
    LP_NET_PLAN(&stored->weight, name, ".weight", width, width);
    /* a key's bias adds the same to all scores, and softmax takes it off again */
    LP_NET_PLAN(transposed ? &stored->own_bias : &stored->bias, name, ".bias", width);
    return layer;
}

size_t lp_net_mean_query(lp_net_builder *b, size_t from, const lp_net_mean_query_spec *spec) {
    size_t width = lp_net_channels(b, from), heads = spec->heads;
    size_t rows = lp_net_size(b, 0, "%s", spec->positions);
    size_t positions =
        lp_net_new_layer(b, (lp_net_layer){.kind = LP_NET_VECTORS, .channels = width});
    LP_NET_PLAN(&b->tower->stored[positions]->weight, spec->positions, "", rows, width);
    if (rows == 1 || (rows > 1 && rows < 1 << 24 && root_of(rows - 1) == 0)) {
        lp_plan_problem(b->plan, "%zu positions: expected one for the mean and a square of places",
                        rows);
    }
    if (width > 0 && (heads == 0 || width % heads != 0)) {
        lp_plan_problem(b->plan, "width %zu: not divisible among %zu heads (layer1's channels / 2)",
                        width, heads);
    }
    size_t layers[] = {plan_query_layer(b, spec->query, width, 1, false),
                       plan_query_layer(b, spec->key, width, heads, true),
                       plan_query_layer(b, spec->value, width, heads, false)};
    size_t to = lp_net_new_map(b, width);
    lp_net_add_step(b, (lp_net_step){.operation = LP_NET_MEAN_QUERY,
                                     .from = from,
                                     .to = to,
                                     .layers = {positions, layers[0], layers[1], layers[2]},
                                     .heads = heads});
    return to;
}

/* ---- before a run ---------------------------------------------------------------------------- */

/* Tokens with their positions, [extra, D], then the positions of patches for the input's grid. */
static lp_status prepare_tokens(lp_net_tower *t, lp_net_layer *layer, const lp_net_stored *from,
                                lp_error *err) {
    size_t width = layer->channels, grid = layer->window, patches = grid * grid * width;
    bool placed = from->positions != NULL;
    float *made =
        lp_memory_take(&t->memory, layer->extra * width + (placed ? patches : 0), sizeof *made);
    lp_status status;
    LP_TRY(lp_memory_check(&t->memory, "an encoder", err));
    float *row = made;
    if (from->weight != NULL) {
        memcpy(row, from->weight, width * sizeof *row);
        row += width;
    }
    if (from->registers != NULL) {
        size_t count = layer->extra * width - (size_t)(row - made);
        memcpy(row, from->registers, count * sizeof *row);
    }
    for (size_t i = 0; placed && i < layer->covered * width; i++) {
        made[i] += from->positions[i];
    }
    layer->weight = made;
    if (placed) {
        LP_TRY(lp_net_fill_positions(t, layer, from, made + layer->extra * width, err));
        layer->bias = made + layer->extra * width;
    }
done:
    return status;
}

/* The angle of a patch's value, of 2 F values; F frequencies. */
static double angle_of(const lp_net_layer *layer, const float *periods, size_t patch, size_t value,
                       size_t frequencies) {
    const lp_net_rotary *r = &layer->rotary;
    size_t grid = layer->window, f = value % frequencies;
    double scale = r->reference > 0 ? (double)r->reference / (double)grid : 1;
    bool column = (value / frequencies == 1) != r->columns_first;
    double number = (double)(column ? patch % grid : patch / grid);
    double place =
        r->centred ? 2 * (number + 0.5) / (double)grid - 1 : (number + (double)r->offset) * scale;
    double period = periods != NULL ? (double)periods[f]
                                    : pow((double)r->temperature, (double)f / (double)frequencies);
    return (r->centred ? 2 * acos(-1) : 1) * place / period;
}

/* Cosines and sines, [extra + N, 2 F] each. */
static lp_status prepare_rotary(lp_net_tower *t, lp_net_layer *layer, const lp_net_stored *from,
                                size_t width, lp_error *err) {
    size_t frequencies = width / t->net.heads / 4, half = 2 * frequencies;
    size_t rows = layer->extra + layer->window * layer->window;
    float *cosines = lp_memory_take(&t->memory, rows * half, sizeof *cosines);
    float *sines = lp_memory_take(&t->memory, rows * half, sizeof *sines);
    lp_status status;
    LP_TRY(lp_memory_check(&t->memory, "an encoder", err));
    for (size_t i = 0; i < rows * half; i++) {
        size_t row = i / half;
        double angle = row < layer->extra ? (double)from->weight[i]
                                          : angle_of(layer, from->periods, row - layer->extra,
                                                     i % half, frequencies);
        cosines[i] = (float)cos(angle);
        sines[i] = (float)sin(angle);
    }
    layer->weight = cosines;
    layer->bias = sines;
done:
    return status;
}

/* The step that asks with this query, or asks these keys (0: neither); or NULL. */
static const lp_net_step *asking(const lp_net *net, size_t query, size_t keys) {
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *step = &net->steps[i];
        if (step->operation == LP_NET_LATENT &&
            ((query > 0 && step->layers[2] == query) || (keys > 0 && step->layers[1] == keys))) {
            return step;
        }
    }
    return NULL;
}

/* The query times weight' + bias, in float64; it lies behind the learnt one. */
static void make_query(lp_net_layer *layer, const lp_net_stored *from, const float *weight,
                       const float *bias) {
    size_t width = layer->channels;
    float *made = from->weight + width;
    assert(bias != NULL);
    for (size_t o = 0; o < width; o++) {
        double sum = (double)bias[o];
        for (size_t i = 0; i < width; i++) {
            sum += (double)weight[o * width + i] * (double)from->weight[i];
        }
        made[o] = (float)sum;
    }
    layer->weight = made;
}

/* The query through its norm and its linear layer, where that has a weight of its own. */
static void prepare_query(lp_net_tower *t, size_t number) {
    lp_net_layer *layer = &t->net.layers[number];
    const lp_net_stored *from = t->stored[number];
    size_t width = layer->channels;
    if (from->norm_scale != NULL) {
        lp_layer_norm(from->weight, 1, width, width, from->norm_scale, from->bias, layer->eps,
                      from->weight, width);
    }
    layer->weight = from->weight;
    if (from->second != NULL) {
        const lp_net_step *step = asking(&t->net, number, 0);
        const float *joint = step != NULL ? t->stored[step->layers[1]]->bias : NULL;
        make_query(layer, from, from->second, from->own_bias != NULL ? from->own_bias : joint);
    }
}

void lp_net_query_by_rows(lp_net_tower *t, size_t keys, const float *weight) {
    const lp_net_step *step = asking(&t->net, 0, keys);
    if (step != NULL) {
        size_t query = step->layers[2];
        make_query(&t->net.layers[query], t->stored[query], weight, t->stored[keys]->bias);
    }
}

/* The width of the rows that a layer's positions turn. */
static size_t width_of(const lp_net *net, size_t layer) {
    for (size_t i = 0; i < net->step_count; i++) {
        if (net->steps[i].operation == LP_NET_ATTEND && net->steps[i].layers[7] == layer) {
            return net->maps[net->steps[i].to].channels;
        }
    }
    return 0;
}

lp_status lp_net_prepare(lp_net_tower *t, size_t number, lp_error *err) {
    lp_net_layer *layer = &t->net.layers[number];
    const lp_net_stored *from = t->stored[number];
    switch (layer->kind) {
    case LP_NET_TOKENS:
        return prepare_tokens(t, layer, from, err);
    case LP_NET_ROTARY:
        return prepare_rotary(t, layer, from, width_of(&t->net, number), err);
    case LP_NET_VECTORS:
        if (layer->query) {
            prepare_query(t, number);
        }
        return LP_OK;
    default:
        return LP_OK;
    }
}
