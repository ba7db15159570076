/* The steps of a network, one after the other, over a batch of B images.
 *
 * A map's place in the scratch memory is given to another map once the last step has read it. */
#include "model/net.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "math/conv_linear.h"
#include "math/winograd.h"
#include "model/net_steps.h"

static const struct {
    lp_net_work *work;
    lp_net_act *run;
} operations[] = {
    [LP_NET_CONVOLVE] = {lp_net_convolve_work, lp_net_run_convolve},
    [LP_NET_NORM] = {lp_net_no_work, lp_net_run_norm},
    [LP_NET_GROUP_NORM] = {lp_net_group_norm_work, lp_net_run_group_norm},
    [LP_NET_AFFINE] = {lp_net_no_work, lp_net_run_affine},
    [LP_NET_MLP] = {lp_net_mlp_work, lp_net_run_mlp},
    [LP_NET_WINDOWS] = {lp_net_windows_work, lp_net_run_windows},
    [LP_NET_PATCHES] = {lp_net_patches_work, lp_net_run_patches},
    [LP_NET_START] = {lp_net_no_work, lp_net_run_start},
    [LP_NET_ATTEND] = {lp_net_attend_work, lp_net_run_attend},
    [LP_NET_ASK] = {lp_net_ask_work, lp_net_run_ask},
    [LP_NET_PUT] = {lp_net_no_work, lp_net_run_put},
    [LP_NET_COPY] = {lp_net_no_work, lp_net_run_copy},
    [LP_NET_TAKE] = {lp_net_take_work, lp_net_run_take},
    [LP_NET_PROJECT] = {lp_net_project_work, lp_net_run_project},
    [LP_NET_LATENT] = {lp_net_latent_work, lp_net_run_latent},
    [LP_NET_MEAN_QUERY] = {lp_net_mean_query_work, lp_net_run_mean_query},
    [LP_NET_MERGE] = {lp_net_merge_work, lp_net_run_merge},
    [LP_NET_SCALE] = {lp_net_no_work, lp_net_run_scale},
    [LP_NET_ADD] = {lp_net_no_work, lp_net_run_add},
    [LP_NET_POOL] = {lp_net_no_work, lp_net_run_pool},
    [LP_NET_MEAN] = {lp_net_mean_work, lp_net_run_mean},
    [LP_NET_RELATIVE] = {lp_net_relative_work, lp_net_run_relative},
    [LP_NET_JOIN] = {lp_net_no_work, lp_net_run_join},
    [LP_NET_HALVES] = {lp_net_no_work, lp_net_run_halves},
    [LP_NET_FLATTEN] = {lp_net_no_work, lp_net_run_flatten},
    [LP_NET_TALK] = {lp_net_talk_work, lp_net_run_talk},
    [LP_NET_COVARIANCE] = {lp_net_covariance_work, lp_net_run_covariance},
    [LP_NET_UNITS] = {lp_net_units_work, lp_net_run_units},
    [LP_NET_CLASS] = {lp_net_class_work, lp_net_run_class},
};

static bool pools(lp_net_operation operation) {
    return operation == LP_NET_MEAN || operation == LP_NET_TAKE || operation == LP_NET_LATENT ||
           operation == LP_NET_MEAN_QUERY || operation == LP_NET_ASK;
}

/* The side of a step's output. */
static size_t side_behind(const lp_net *net, const lp_net_step *step) {
    size_t side = net->maps[step->from].side;
    const lp_net_layer *layer = &net->layers[step->layers[0]];
    switch (step->operation) {
    case LP_NET_FLATTEN:
        return 1;
    case LP_NET_UNITS: /* to another map */
        return side / 2;
    case LP_NET_MERGE:
        return (side + 1) / 2;
    case LP_NET_POOL:
        return lp_pool_side(&step->pooling, side);
    case LP_NET_PATCHES:
        return side / layer->patch;
    case LP_NET_CONVOLVE:
        return lp_conv_side(&layer->conv, side, layer->conv.taps_high);
    default:
        return pools(step->operation) ? 1 : side;
    }
}

/* A free place for a map that `step` makes: that of a map that is added for the last time, else the
 * smallest that is large enough, else the largest, else a new one. */
static size_t find_place(lp_net *net, const bool *taken, size_t step, size_t floats) {
    bool over = net->steps[step].operation == LP_NET_CONVOLVE; /* its sum may lie in the place */
    size_t add = over ? net->steps[step].add : 0, best = net->place_count;
    if (add > 0 && net->steps[step].from != add && net->maps[add].last == step) {
        return net->maps[add].place;
    }
    for (size_t i = 0; i < net->place_count; i++) {
        if (taken[i]) {
            continue;
        }
        bool first = best == net->place_count;
        bool fits = net->places[i] >= floats, best_fits = !first && net->places[best] >= floats;
        if (first || (fits && !best_fits) ||
            (fits == best_fits && (net->places[i] < net->places[best]) == fits)) {
            best = i;
        }
    }
    if (best == net->place_count) {
        net->places[net->place_count++] = 0;
    }
    return best;
}

/* Tells layers of a transformer their map's side; false where a table is for another one. */
static bool place_rows(lp_net *net, const lp_net_step *step) {
    size_t side = net->maps[step->to].side;
    if (step->operation == LP_NET_START) {
        net->layers[step->layers[0]].window = side;
    } else if (step->operation == LP_NET_ATTEND) {
        net->layers[step->layers[7]].window = side; /* or of the layer that is none */
        return step->layers[2] == 0 || net->layers[step->layers[2]].window == side;
    }
    return true;
}

/* Whether windows can lie in their map.  Gives a continuous table without a window its own. */
static bool place_windows(lp_net *net, const lp_net_step *step) {
    if (step->operation == LP_NET_UNITS) {
        size_t side = net->maps[step->from].side, whole = step->window > 0 ? step->window : side;
        return side % whole == 0 && (step->to == step->from || whole % 2 == 0);
    }
    if (step->operation != LP_NET_WINDOWS) {
        return place_rows(net, step);
    }
    size_t side = net->maps[step->to].side;
    lp_net_layer *table = &net->layers[step->layers[2]];
    if (table->window == 0) {
        table->window = net->window < side ? net->window : side;
    }
    bool whole = net->input % 4 == 0 && side >= table->window; /* of patches of 4 x 4 pixels */
    return step->padding == LP_NET_FILLED ? whole && side % table->window == 0
           : step->padding == LP_NET_PADDED_ANY || step->padding == LP_NET_PADDED_BEFORE ? true
                                                                                         : whole;
}

bool lp_net_is_expanded(const lp_net *net, size_t i) {
    const lp_net_step *step = &net->steps[i], *before = i > 0 ? step - 1 : step;
    const lp_net_layer *layer = &net->layers[before->layers[0]];
    const lp_net_layer *reader = &net->layers[step->layers[0]];
    bool alone = before->to == step->from && net->maps[step->from].last == i &&
                 before->name[0] == '\0' && before->to != net->penultimate &&
                 before->to != net->projected && before->from > 0 && before->add == 0;
    return i > 0 && step->operation == LP_NET_CONVOLVE && step->add == 0 && alone &&
           reader->kind == LP_NET_DEPTHWISE && reader->conv.stride <= reader->conv.taps_high &&
           before->operation == LP_NET_CONVOLVE && layer->kind == LP_NET_CONV &&
           layer->conv.taps_high * layer->conv.taps_wide == 1 && layer->conv.stride == 1 &&
           layer->conv.padding == 0 && layer->conv.groups == 1;
}

bool lp_net_lay_out(lp_net *net, bool *taken) {
    net->maps[0].side = net->input;
    net->place_count = 0;
    for (size_t i = 0; i < net->step_count; i++) { /* steps may have been left out, or put in */
        net->maps[net->steps[i].from].last = net->maps[net->steps[i].to].last = i;
        net->maps[net->steps[i].add].last = i;
    }
    for (size_t i = 1; i < net->step_count; i++) { /* may be read as late as that */
        lp_net_map *before = &net->maps[net->steps[i - 1].from];
        before->last = lp_net_is_expanded(net, i) && before->last < i ? i : before->last;
    }
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *step = &net->steps[i];
        lp_net_map *to = &net->maps[step->to];
        if (to->side == 0) { /* a new map */
            to->side = side_behind(net, step);
            to->pooled = pools(step->operation) || net->maps[step->from].pooled;
            size_t floats = lp_net_lines(lp_net_pixels(to) * to->channels);
            if (to->side == 0) {
                return false;
            }
            to->place = find_place(net, taken, i, floats);
            taken[to->place] = true;
            net->places[to->place] =
                floats > net->places[to->place] ? floats : net->places[to->place];
        }
        bool adds = step->operation == LP_NET_ADD;
        bool sum = (step->add > 0 && step->operation != LP_NET_HALVES) || adds;
        if (!place_windows(net, step) ||
            (sum && net->maps[adds ? step->from : step->add].side != to->side)) {
            return false;
        }
        size_t expanded = lp_net_is_expanded(net, i) ? step[-1].from : 0;
        size_t read[] = {step->from, step->add, step->to, expanded};
        for (size_t k = 0; k < sizeof read / sizeof read[0]; k++) {
            const lp_net_map *map = &net->maps[read[k]];
            bool goes_on = read[k] == net->penultimate || read[k] == net->projected ||
                           (net->blocks.last > 0 && read[k] == net->rows) ||
                           (k < 2 && read[k] > 0 && map->place == to->place);
            if (read[k] > 0 && map->last == i && !goes_on) {
                taken[map->place] = false;
            }
        }
    }
    return true;
}

/* Whether layer k of a step may run in another precision than float32. */
static bool may_round(const lp_net *net, const lp_net_step *step, size_t k) {
    const lp_net_layer *layer = &net->layers[step->layers[k]];
    bool of_eight_bits = net->precision == LP_PRECISION_INT8;
    bool of_vectors = net->maps[step->from].pooled || step->operation == LP_NET_ASK;
    if (of_vectors && (of_eight_bits || !net->rounds_vectors)) {
        return false;
    }
    switch (step->operation) {
    case LP_NET_ASK:
        return k == 3;
    case LP_NET_CONVOLVE:
        return k == 0 && step->from > 0 && !of_eight_bits && layer->kind != LP_NET_DEPTHWISE &&
               lp_conv_linear_fits(&layer->conv);
    case LP_NET_PATCHES:
    case LP_NET_LATENT: /* of rows, and of their sum */
        return layer->kind == LP_NET_LINEAR && !of_eight_bits;
    default:
        return layer->kind == LP_NET_LINEAR;
    }
}

static void set_precision(lp_net *net, lp_net_layer *layer) {
    layer->linear.precision = net->precision;
    if (layer->kind == LP_NET_CONV) {
        layer->linear.in = lp_conv_linear_inputs(&layer->conv);
        layer->linear.out = layer->conv.out;
    } else if (layer->kind == LP_NET_LINEAR) {
        size_t floats = lp_linear_any_scratch(net->precision, layer->linear.in);
        net->rounded = floats > net->rounded ? floats : net->rounded;
    }
}

bool lp_net_choose_precision(lp_net *net) {
    bool any = false;
    if (net->precision == LP_PRECISION_FLOAT32) {
        return true;
    }
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *step = &net->steps[i];
        for (size_t k = 0; k < LP_NET_STEP_LAYERS; k++) {
            if (may_round(net, step, k)) {
                set_precision(net, &net->layers[step->layers[k]]);
                any = true;
            }
        }
    }
    return any;
}

static size_t work_of(const lp_net *net, size_t batch) {
    size_t most = 0;
    for (size_t i = 0; i < net->step_count; i++) {
        size_t floats = operations[net->steps[i].operation].work(net, &net->steps[i], batch);
        most = floats > most ? floats : most;
    }
    return most;
}

size_t lp_net_scratch(const void *tower, size_t batch) {
    const lp_net *net = tower;
    size_t each = 0, floats;
    for (size_t i = 0; i < net->place_count; i++) {
        each += net->places[i];
    }
    if (!lp_mul(batch, each, &floats)) {
        return SIZE_MAX;
    }
    size_t work = work_of(net, batch) + net->rounded;
    return floats <= SIZE_MAX - work ? floats + work : SIZE_MAX;
}

/* The last step that changes a map. */
static size_t last_of(const lp_net *net, size_t map) {
    size_t last = 0;
    for (size_t i = 0; i < net->step_count; i++) {
        last = net->steps[i].to == map ? i : last;
    }
    return last;
}

static void run_step(const lp_net_pass *p, size_t i, const char *stage) {
    const lp_net_step *step = &p->net->steps[i];
    const lp_net_map *to = &p->net->maps[step->to];
    operations[step->operation].run(p, step);
    if (stage[0] != '\0') {
        lp_observe(p->observer, stage, lp_net_values(p, step->to), p->batch * lp_net_pixels(to),
                   to->channels);
    }
}

/* The vector of the rows as they are, as column `column` of the features [B, width]. */
static void take_vector(lp_net_pass *p, lp_pool pool, size_t column, size_t width,
                        float *features) {
    const lp_net *net = p->net;
    size_t each = net->maps[net->penultimate].channels, end = last_of(net, net->penultimate);
    p->pool = pool;
    for (size_t i = net->head; i <= end; i++) {
        run_step(p, i, "");
    }
    for (size_t i = 0; i < p->batch; i++) {
        memcpy(features + i * width + column * each, lp_net_values(p, net->penultimate) + i * each,
               each * sizeof *features);
    }
}

size_t lp_net_vectors(const lp_net *net) {
    size_t blocks = net->blocks.last > 0 ? net->blocks.last - net->blocks.first + 1 : 1;
    return blocks + (net->pool == LP_POOL_CLASS_MEAN ? 1 : 0);
}

/* The vectors of several blocks side by side; class and mean: the class tokens, then the last
 * one's mean.  What is behind the last of them is not computed. */
static void run_layers(lp_net_pass *p, float *features) {
    const lp_net *net = p->net;
    size_t each = net->maps[net->penultimate].channels, width = lp_net_vectors(net) * each;
    bool with_mean = net->pool == LP_POOL_CLASS_MEAN;
    for (size_t i = 0, layer = 0; layer < net->blocks.last; i++) {
        run_step(p, i, net->steps[i].name);
        layer += net->steps[i].ends_block ? 1 : 0;
        if (net->steps[i].ends_block && layer >= net->blocks.first) {
            take_vector(p, with_mean ? LP_POOL_CLASS : net->pool, layer - net->blocks.first, width,
                        features);
        }
    }
    if (with_mean) {
        take_vector(p, LP_POOL_MEAN, width / each - 1, width, features);
    }
    lp_observe(p->observer, "penultimate", features, p->batch, width);
}

void lp_net_run(const void *tower, const float *images, size_t batch, lp_feature_point point,
                float *features, float *scratch, const lp_observer *observer) {
    const lp_net *net = tower;
    lp_net_pass p = {net, batch, images, scratch, scratch, scratch, net->pool, observer};
    bool projected = point == LP_FEATURE_PROJECTED;
    size_t wanted = projected ? net->projected : net->penultimate;
    size_t end = last_of(net, wanted), penultimate = last_of(net, net->penultimate);
    for (size_t i = 0; i < net->place_count; i++) {
        p.rounded += batch * net->places[i];
    }
    p.work = p.rounded + net->rounded;
    if (net->blocks.last > 0) {
        run_layers(&p, features);
        return;
    }
    for (size_t i = 0; i <= end; i++) {
        run_step(&p, i,
                 i == penultimate        ? "penultimate"
                 : projected && i == end ? "projected"
                                         : net->steps[i].name);
    }
    memcpy(features, lp_net_values(&p, wanted),
           batch * net->maps[wanted].channels * sizeof *features);
}
