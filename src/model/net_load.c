/* Described networks in files: what one is, from names and shapes.
 *
 *   1. the description plans all weights (net_build.h); sizes are those of the file's tensors
 *   2. what the weights do not say: input and preprocessing, activation, eps of the norms
 *   3. once the weights are read, net_pack.c makes them those that run */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/note.h"
#include "math/winograd.h"
#include "model/families.h"
#include "model/model_config.h"
#include "model/net_build.h"

enum {
    LARGEST_INPUT = 4096, /* pixels a side: bounds the scratch memory */
    /* A batch saves reading the weights again and costs scratch memory of each thread: at most
     * 64 MiB, or what one image needs, and at most 8 images.  Chosen, not measured. */
    BATCH_FLOATS = 1 << 24,
    MAX_BATCH = 8
};

static void free_tower(void *made) {
    lp_net_tower *t = made;
    lp_free(t->net.layers);
    lp_free(t->net.steps);
    lp_free(t->net.maps);
    lp_free(t->net.places);
    lp_free(t->net.zeros);
    lp_free(t->stored);
    lp_memory_free(&t->memory);
    lp_free(t);
}

static lp_status plan_tower(const lp_source *source, lp_weight_plan *plan, void **out,
                            lp_error *err) {
    const lp_net_description *description = source->family->layout;
    lp_net_tower *t = lp_alloc_zeroed(1, sizeof *t);
    lp_status status;
    *out = t;
    LP_TRY(lp_allocated(t, "an encoder", 1, sizeof *t, err));
    lp_net_builder b = {source, plan, t, &t->net, source->prefix, ""};
    if (lp_net_begin(&b)) {
        description->build(&b);
        lp_plan_check(plan, &source->view, source->prefix, description->ignored);
    }
done:
    return status;
}

/* ---- what weights do not say ----------------------------------------------------------------- */

static lp_status check_options(const lp_source *source, lp_error *err) {
    const lp_encoder_options *o = source->options;
    const char *path = lp_checkpoint_path(source->ckpt), *title = source->family->title;
    if (o->pool != LP_POOL_AUTO && o->pool != LP_POOL_MEAN) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: pool %s: a %s has mean alone", path,
                       lp_pool_name(o->pool), title);
    }
    if (o->precision != LP_PRECISION_FLOAT32) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: precision %s: a %s has float32 alone", path,
                       lp_precision_name(o->precision), title);
    }
    if (o->heads != 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: heads %zu: a %s has no heads to choose", path,
                       o->heads, title);
    }
    if (o->input_size > LARGEST_INPUT || o->crop > LARGEST_INPUT) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: input size %zu: expected at most %d", path,
                       o->input_size > o->crop ? o->input_size : o->crop, LARGEST_INPUT);
    }
    return LP_OK;
}

/* The input's size and its preprocessing: as the command line has it, a config beside the file, or
 * the family. */
static lp_status choose_input(const lp_source *source, const lp_model_config *config,
                              const lp_architecture *known, lp_encoder_info *info, lp_error *err) {
    size_t usual = info->input_size > 0 ? info->input_size : source->family->input, input;
    lp_status status;
    if (config->has_preprocess && config->preprocess.crop > 0 &&
        config->preprocess.crop <= LARGEST_INPUT) {
        usual = config->preprocess.crop;
    } else if (config->input > 0 && config->input <= LARGEST_INPUT) {
        usual = config->input;
    } else if (known != NULL && known->input > 0) {
        usual = known->input;
    }
    LP_TRY(lp_family_input(source, usual, &input, err));
    size_t from = source->options->crop > 0 ? usual : input; /* that the resize is for */
    lp_family_preprocess(source->family, from, info);
    if (config->has_preprocess) {
        lp_model_config_preprocess(config, from, info);
    } else if (known != NULL && known->resize > 0 && known->input > 0) {
        info->preprocess.resize = from * known->resize / known->input;
    }
    info->input_size = info->preprocess.crop = input;
    lp_family_override(source->options, info);
    lp_family_assume(source, LP_SAID_PREPROCESS, config->has_preprocess ? LP_SAID_PREPROCESS : 0U,
                     info);
    lp_family_stranger(config->stranger, info);
done:
    return status;
}

static bool lacks_window(const lp_net *net) {
    for (size_t i = 1; i < net->layer_count; i++) {
        if (net->layers[i].kind == LP_NET_TABLE && net->layers[i].window == 0) {
            return true;
        }
    }
    return false;
}

/* Swin V2's window, which timm's and transformers' files do not have. */
static lp_status choose_window(const lp_source *source, const lp_model_config *config,
                               const lp_architecture *known, lp_net *net, lp_error *err) {
    net->window = config->window > 0 ? config->window : known != NULL ? known->window : 0;
    for (size_t s = 0; s < LP_NET_STAGES; s++) {
        /* timm: 12, 12, 12 and 6, which fills the last stage */
        bool last = s + 1 == LP_NET_STAGES;
        net->pretrained[s] = config->window > 0 ? config->pretrained[s]
                             : known != NULL    ? known->pretrained / (last ? 2 : 1)
                                                : 0;
    }
    if (net->window == 0) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: %s weights do not say how large windows are; put the config.json of "
                       "timm or transformers beside the file, or give it timm's name, as "
                       "swinv2_tiny_window8_256.safetensors",
                       lp_checkpoint_path(source->ckpt), source->family->title);
    }
    return LP_OK;
}

/* The name of the architecture, where weights do not say what it says. */
static lp_status choose_architecture(const lp_source *source, const lp_model_config *config,
                                     lp_net_tower *t, lp_encoder_info *info,
                                     const lp_architecture **known, lp_error *err) {
    const lp_net_description *description = source->family->layout;
    *known = config->architecture;
    bool windows = lacks_window(&t->net);
    if (*known == NULL && (description->named || windows)) {
        *known = lp_family_architecture(source->family, lp_checkpoint_path(source->ckpt));
    }
    if (windows) {
        return choose_window(source, config, *known, &t->net, err);
    }
    if (!description->named) {
        return LP_OK;
    }
    if (*known == NULL) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: %s weights do not say how images are padded, nor the eps (timm's tf_ "
                       "models have others); put timm's config.json beside the file, or give it "
                       "timm's name, as %s.safetensors",
                       lp_checkpoint_path(source->ckpt), source->family->title,
                       source->family->architectures[0].pattern);
    }
    for (size_t i = 0; i < t->net.layer_count; i++) {
        t->net.layers[i].conv.same = (*known)->same;
    }
    info->norm_eps = (*known)->norm_eps > 0 ? (*known)->norm_eps : info->norm_eps;
    (void)snprintf(info->name, sizeof info->name, "%s", (*known)->pattern);
    return LP_OK;
}

static bool has_usual(const lp_net *net) {
    for (size_t i = 0; i < net->step_count; i++) {
        if (net->steps[i].usual) {
            return true;
        }
    }
    return false;
}

/* The activation of steps that have the family's. */
static lp_status choose_activation(const lp_source *source, const lp_model_config *config,
                                   lp_net *net, lp_encoder_info *info, lp_error *err) {
    static const lp_nonlinearity nonlinearities[] = {[LP_ACTIVATION_GELU] = LP_GELU,
                                                     [LP_ACTIVATION_QUICK_GELU] = LP_QUICK_GELU,
                                                     [LP_ACTIVATION_GELU_TANH] = LP_GELU_TANH};
    lp_activation asked = source->options->activation;
    lp_activation activation = asked != LP_ACTIVATION_AUTO ? asked
                               : config->activation != LP_ACTIVATION_AUTO
                                   ? config->activation
                                   : source->family->activation;
    if (!has_usual(net) && config->activation != LP_ACTIVATION_AUTO) {
        return lp_fail(
            err, LP_ERR_UNSUPPORTED, "%s: %s beside it: activation %s: a %s has %s alone",
            lp_checkpoint_path(source->ckpt), config->file, lp_activation_name(config->activation),
            source->family->title, info->activation);
    }
    if (!has_usual(net)) {
        return asked == LP_ACTIVATION_AUTO
                   ? LP_OK
                   : lp_fail(err, LP_ERR_ARGUMENT, "%s: activation %s: a %s has %s alone",
                             lp_checkpoint_path(source->ckpt), lp_activation_name(asked),
                             source->family->title, info->activation);
    }
    for (size_t i = 0; i < net->step_count; i++) {
        if (net->steps[i].usual) {
            net->steps[i].activation = nonlinearities[activation];
        }
    }
    info->activation = lp_activation_name(activation);
    return LP_OK;
}

static lp_status lay_out(const lp_source *source, lp_net *net, lp_error *err) {
    bool *taken = lp_alloc_zeroed(net->map_count, sizeof *taken);
    net->places = lp_alloc_zeroed(net->map_count, sizeof *net->places);
    lp_status status;
    LP_TRY(lp_allocated(taken, "an encoder", net->map_count, sizeof *taken, err));
    LP_TRY(lp_allocated(net->places, "an encoder", net->map_count, sizeof *net->places, err));
    for (size_t i = 1; i < net->layer_count; i++) {
        lp_net_layer *layer = &net->layers[i];
        if (layer->kind == LP_NET_CONV && lp_winograd_fits(&layer->conv)) {
            layer->kind = LP_NET_WINOGRAD;
        }
    }
    if (!lp_net_lay_out(net, taken)) {
        status = lp_fail(err, LP_ERR_ARGUMENT,
                         "%s: input size %zu: too small for a %s, or its windows do not fill it",
                         lp_checkpoint_path(source->ckpt), net->input, source->family->title);
    }
done:
    lp_free(taken);
    return status;
}

static void describe(lp_net *net, lp_encoder_info *info) {
    size_t floats = lp_net_scratch(net, 1);
    size_t batch = floats < BATCH_FLOATS ? BATCH_FLOATS / floats : 1;
    info->pool = lp_pool_name(LP_POOL_MEAN);
    info->width = info->penultimate = net->maps[net->penultimate].channels;
    info->projected = net->projected > 0 ? net->maps[net->projected].channels : 0;
    info->batch = batch < MAX_BATCH ? batch : MAX_BATCH;
    net->most_batch = SIZE_MAX / sizeof(float) / floats;
}

static lp_status choose(const lp_source *source, lp_weight_plan *plan, void *made,
                        lp_encoder_info *info, lp_error *err) {
    const lp_net_description *description = source->family->layout;
    lp_net_tower *t = made;
    lp_net *net = &t->net;
    lp_net_builder b = {source, plan, t, net, source->prefix, ""};
    lp_model_config config = {0};
    const lp_architecture *known;
    lp_status status;
    LP_TRY(check_options(source, err));
    info->norm_eps = source->family->norm_eps;
    info->activation = description->activation != NULL ? description->activation : info->activation;
    description->describe(&b, info);
    size_t usual = info->input_size > 0 ? info->input_size : source->family->input;
    LP_TRY(lp_model_config_read(source, net->maps[net->penultimate].channels, info->layers, 0,
                                &config, err));
    info->config = config.file;
    LP_TRY(choose_architecture(source, &config, t, info, &known, err));
    size_t name_length = strlen(info->name);
    info->norm_eps = config.norm_eps > 0 ? config.norm_eps : info->norm_eps;
    t->norm_eps = info->norm_eps;
    for (size_t i = 0; i < net->layer_count; i++) {
        net->layers[i].eps = net->layers[i].eps > 0 ? net->layers[i].eps : t->norm_eps;
    }
    LP_TRY(choose_activation(source, &config, net, info, err));
    LP_TRY(choose_input(source, &config, known, info, err));
    if (known != NULL && config.architecture == NULL) {
        lp_note note = {info->assumed, sizeof info->assumed, strlen(info->assumed)};
        lp_note_put(&note, "; %s by the file's name", known->pattern);
    }
    net->input = info->input_size;
    LP_TRY(lay_out(source, net, err));
    describe(net, info);
    if (net->input != (known != NULL && known->input > 0 ? known->input : usual)) {
        (void)snprintf(info->name + name_length, sizeof info->name - name_length, "@%zu",
                       net->input);
    }
    status = lp_net_reserve(t, plan, err);
done:
    return status;
}

static size_t max_batch(const void *made) {
    return ((const lp_net *)made)->most_batch;
}

const lp_tower_kind lp_net_kind = {
    .plan = plan_tower,
    .choose = choose,
    .pack = lp_net_pack,
    .free = free_tower,
    .scratch = lp_net_scratch,
    .max_batch = max_batch,
    .run = lp_net_run,
};
