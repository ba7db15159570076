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
     * 8 MiB for each image that it may have, or what one image needs.  Chosen, not measured. */
    IMAGE_FLOATS = 1 << 21,
    MOST_BATCH = 8
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
        if (t->net.projected == 0) {
            lp_net_project_beside(&b);
        }
        lp_plan_check(plan, &source->view, source->prefix, description->ignored);
    }
done:
    return status;
}

/* ---- what weights do not say ----------------------------------------------------------------- */

static bool has_step(const lp_net *net, lp_net_operation operation) {
    for (size_t i = 0; i < net->step_count; i++) {
        if (net->steps[i].operation == operation) {
            return true;
        }
    }
    return false;
}

/* What becomes of the rows: that of the weights, or class token or mean as asked for. */
static lp_status choose_pool(const lp_source *source, const lp_model_config *config, lp_net *net,
                             lp_encoder_info *info, lp_error *err) {
    lp_pool asked = source->options->pool, usual = LP_POOL_MEAN;
    if (has_step(net, LP_NET_LATENT) || has_step(net, LP_NET_MEAN_QUERY)) {
        usual = LP_POOL_ATTENTION;
    } else if (has_step(net, LP_NET_TAKE)) {
        bool both = net->class_token && net->rows > 0;
        bool can[] = {false, net->class_token, true, false, both};
        lp_pool of_family = source->family->pool;
        net->pool = can[config->pool] ? config->pool : can[of_family] ? of_family : net->pool;
        net->pool = can[asked] ? asked : net->pool;
        usual = net->pool;
    }
    info->pool = lp_pool_name(usual);
    return asked == LP_POOL_AUTO || asked == usual
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "%s: pool %s: this %s has %s%s",
                         lp_checkpoint_path(source->ckpt), lp_pool_name(asked),
                         source->family->title, lp_pool_name(usual),
                         has_step(net, LP_NET_TAKE) ? " or mean" : " alone");
}

/* What weights say of the heads of attention over all rows; 0: nothing. */
static size_t heads_of_weights(const lp_net *net, size_t width) {
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *s = &net->steps[i];
        size_t each = net->layers[s->layers[4]].channels;
        if (s->operation == LP_NET_ATTEND && s->layers[2] > 0) {
            return net->layers[s->layers[2]].heads;
        }
        if (s->operation == LP_NET_ATTEND && s->layers[4] > 0 && each > 0) {
            return width / each;
        }
        each = 4 * net->layers[s->layers[7]].channels; /* the file's frequencies */
        if (s->operation == LP_NET_ATTEND && each > 0) {
            return width / each;
        }
    }
    return 0;
}

/* Whether norms of heads and rotary positions of the file are for heads of this width. */
static bool fit_heads(const lp_net *net, size_t each) {
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *s = &net->steps[i];
        const size_t of_file[] = {net->layers[s->layers[4]].channels,
                                  net->layers[s->layers[5]].channels,
                                  4 * net->layers[s->layers[7]].channels};
        for (size_t k = 0; k < 3 && s->operation == LP_NET_ATTEND; k++) {
            if (of_file[k] > 0 && of_file[k] != each) {
                return false;
            }
        }
    }
    return true;
}

/* Whether attention has the network's heads. */
static bool asks_heads(const lp_net *net) {
    for (size_t i = 0; i < net->step_count; i++) {
        lp_net_operation operation = net->steps[i].operation;
        if (operation == LP_NET_UNITS || (operation == LP_NET_ATTEND && net->steps[i].heads == 0)) {
            return true;
        }
    }
    return false;
}

/* Channels of the first map that attends within windows without positions. */
static size_t first_width(const lp_net *net) {
    size_t i = 0;
    while (net->steps[i].operation != LP_NET_UNITS) {
        i++;
    }
    return net->maps[net->steps[i].to].channels;
}

static lp_status choose_heads(const lp_source *source, const lp_model_config *config, lp_net *net,
                              lp_encoder_info *info, lp_error *err) {
    const lp_net_description *description = source->family->layout;
    size_t asked = source->options->heads, width = net->maps[net->penultimate].channels;
    bool rotary = false, units = has_step(net, LP_NET_UNITS);
    if (!asks_heads(net)) {
        return asked == 0
                   ? LP_OK
                   : lp_fail(err, LP_ERR_ARGUMENT, "%s: heads %zu: a %s has no heads to choose",
                             lp_checkpoint_path(source->ckpt), asked, source->family->title);
    }
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *s = &net->steps[i];
        width = s->operation == LP_NET_ATTEND ? net->maps[s->to].channels : width;
        rotary = rotary || (s->operation == LP_NET_ATTEND && s->layers[7] > 0);
    }
    width = units ? first_width(net) : width;
    size_t said = heads_of_weights(net, width);
    size_t usual = description->head_width > 0 ? width / description->head_width : 0;
    for (const lp_net_heads *h = description->heads; h != NULL && h->width > 0; h++) {
        usual = h->width == width ? h->heads : usual;
    }
    net->heads = said > 0 ? said : asked > 0 ? asked : config->heads > 0 ? config->heads : usual;
    if (said > 0 && asked > 0 && said != asked) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: heads %zu: its weights have %zu",
                       lp_checkpoint_path(source->ckpt), asked, said);
    }
    if (net->heads == 0 && description->head_width == 0) {
        return lp_fail(
            err, LP_ERR_ARGUMENT,
            "%s: width %zu, which no published %s has: nothing says the number of heads; choose it "
            "(option 'heads')",
            lp_checkpoint_path(source->ckpt), width, source->family->title);
    }
    if (net->heads == 0 || width % net->heads != 0 || (rotary && width / net->heads % 4 != 0)) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: width %zu: not divisible among %zu heads%s",
                       lp_checkpoint_path(source->ckpt), width, net->heads,
                       rotary ? ", four values at least of each for rotary positions" : "");
    }
    if (!fit_heads(net, width / net->heads)) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: width %zu, %zu heads: its norms of heads, or its rotary positions, are "
                       "for heads of another width than %zu",
                       lp_checkpoint_path(source->ckpt), width, net->heads, width / net->heads);
    }
    info->heads = net->heads;
    return LP_OK;
}

/* Blocks whose rows are all in net->rows; 0 where they are not. */
static size_t count_blocks(const lp_net *net) {
    size_t count = 0;
    for (size_t i = 0; i < net->head; i++) {
        if (net->steps[i].ends_block && net->steps[i].to != net->rows) {
            return 0;
        }
        count += net->steps[i].ends_block ? 1 : 0;
    }
    return count;
}

/* Whose vectors are features; the last block's alone is what the network gives. */
static lp_status choose_layers(const lp_source *source, lp_net *net, lp_encoder_info *info,
                               lp_error *err) {
    const char *path = lp_checkpoint_path(source->ckpt), *title = source->family->title;
    size_t blocks = count_blocks(net);
    const lp_layers none = {0};
    lp_layers asked = source->options->layers;
    bool with_mean = net->pool == LP_POOL_CLASS_MEAN;
    if (asked.last == 0 && !with_mean) {
        return LP_OK;
    }
    asked = asked.last > 0 ? asked : (lp_layers){blocks, blocks};
    if (blocks == 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: layers %zu-%zu: of a %s the last one alone", path,
                       asked.first, asked.last, title);
    }
    if (asked.first == 0 || asked.first > asked.last || asked.last > blocks) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: layers %zu-%zu: this model has %zu, counted from 1", path, asked.first,
                       asked.last, blocks);
    }
    bool last_alone = asked.first == blocks && asked.last == blocks;
    if (!last_alone && has_step(net, LP_NET_LATENT)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: layers %zu-%zu: the attention pool is for the last layer, %zu, alone",
                       path, asked.first, asked.last, blocks);
    }
    if (!last_alone && asked.first < asked.last) {
        (void)snprintf(info->blocks, sizeof info->blocks, "%zu-%zu", asked.first, asked.last);
    } else if (!last_alone) {
        (void)snprintf(info->blocks, sizeof info->blocks, "%zu", asked.last);
    }
    net->blocks = last_alone && !with_mean ? none : asked;
    return LP_OK;
}

static lp_status check_options(const lp_source *source, lp_error *err) {
    const lp_encoder_options *o = source->options;
    const char *path = lp_checkpoint_path(source->ckpt);
    if (o->input_size > LARGEST_INPUT || o->crop > LARGEST_INPUT) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: input size %zu: expected at most %d", path,
                       o->input_size > o->crop ? o->input_size : o->crop, LARGEST_INPUT);
    }
    const lp_net_description *description = source->family->layout;
    return description->refuse != NULL ? description->refuse(source, err) : LP_OK;
}

/* The side that the input has unless the caller says another: as a config beside the file, the
 * architecture's name, the weights or the family has it. */
static size_t usual_input(const lp_source *source, const lp_model_config *config,
                          const lp_architecture *known, const lp_encoder_info *info) {
    const lp_net_description *description = source->family->layout;
    const size_t said[] = {
        description->one_input ? info->input_size : 0,
        config->has_preprocess ? config->preprocess.crop : 0,
        config->input,
        known != NULL ? known->input : 0,
        info->input_size,
    };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        if (said[i] > 0 && (said[i] <= LARGEST_INPUT || i == 0 || i > 2)) {
            return said[i];
        }
    }
    return source->family->input;
}

static void add_assumed(lp_encoder_info *info, const char *text) {
    lp_note note = {info->assumed, sizeof info->assumed, strlen(info->assumed)};
    lp_note_put(&note, "%s%s", info->assumed[0] != '\0' ? "; " : "", text);
}

/* What is assumed: nothing of a published file, of which everything is known. */
static void note_assumed(const lp_source *source, const lp_model_config *config,
                         const lp_known_model *published, lp_encoder_info *info) {
    const lp_net_description *description = source->family->layout;
    if (published == NULL || (published->resize == 0 && !description->one_input)) {
        lp_family_assume(
            source, LP_SAID_PREPROCESS | (source->family->pool != LP_POOL_AUTO ? LP_SAID_POOL : 0U),
            (config->has_preprocess ? LP_SAID_PREPROCESS : 0U) |
                (config->pool != LP_POOL_AUTO ? LP_SAID_POOL : 0U),
            info);
    }
    if (description->assumed != NULL && published == NULL && config->file == NULL &&
        !config->arch_known) {
        add_assumed(info, description->assumed);
    }
    if (description->otherwise != NULL) {
        add_assumed(info, description->otherwise);
    }
    lp_family_stranger(config->stranger, info);
}

/* The input's size and its preprocessing: as the command line has it, the file's digest, a config
 * beside the file, or the family. */
static lp_status choose_input(const lp_source *source, lp_model_config *config,
                              const lp_architecture *known, lp_encoder_info *info, lp_error *err) {
    const lp_net_description *description = source->family->layout;
    const lp_known_model *published;
    size_t input, usual;
    lp_status status;
    LP_TRY(lp_source_published(source, &published, err));
    bool resized = published != NULL && published->resize > 0;
    if (resized) { /* the config of another program's weights, perhaps */
        config->has_preprocess = false;
        info->config = NULL;
    }
    usual = usual_input(source, config, known, info);
    LP_TRY(lp_family_input(source, usual, &input, err));
    if (description->one_input && input != usual) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: input size %zu: the encoder has positions for %zu alone",
                       lp_checkpoint_path(source->ckpt), input, usual));
    }
    size_t from = source->options->crop > 0 ? usual : input; /* that the resize is for */
    lp_family_preprocess(source->family, from, info);
    if (config->has_preprocess) {
        lp_model_config_preprocess(config, from, info);
    } else if (resized) {
        info->preprocess.resize = from * published->resize / published->input_size;
    } else if (known != NULL && known->resize > 0 && known->input > 0) {
        info->preprocess.resize = from * known->resize / known->input;
    }
    (void)snprintf(info->architecture, sizeof info->architecture, "%s", config->arch);
    info->input_size = info->preprocess.crop = input;
    lp_family_override(source->options, info);
    note_assumed(source, config, published, info);
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
                       "its program's name, as %s.safetensors",
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
        status =
            lp_fail(err, LP_ERR_ARGUMENT,
                    "%s: input size %zu: too small for a %s, or its windows do not fill it, or "
                    "its table of positions is for another one",
                    lp_checkpoint_path(source->ckpt), net->input, source->family->title);
    } else if (!lp_net_choose_precision(net)) {
        status = lp_fail(err, LP_ERR_ARGUMENT,
                         "%s: precision %s: no layer of this %s runs in it (docs/MODEL.md has "
                         "which do)",
                         lp_checkpoint_path(source->ckpt), lp_precision_name(net->precision),
                         source->family->title);
    }
done:
    lp_free(taken);
    return status;
}

static void describe(lp_net *net, size_t most_batch, lp_encoder_info *info) {
    size_t floats = lp_net_scratch(net, 1), most = most_batch > 0 ? most_batch : MOST_BATCH;
    size_t batch = floats < most * IMAGE_FLOATS ? most * IMAGE_FLOATS / floats : 1;
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_map *rows = &net->maps[net->steps[i].to];
        if (net->steps[i].operation == LP_NET_START) {
            info->tokens = rows->side * rows->side + rows->extra;
        } else if (net->steps[i].operation == LP_NET_MEAN_QUERY) {
            const lp_net_map *pixels = &net->maps[net->steps[i].from];
            info->tokens = pixels->side * pixels->side + 1;
            info->heads = net->steps[i].heads;
        }
    }
    info->width = info->penultimate = net->maps[net->penultimate].channels;
    info->penultimate *= lp_net_vectors(net);
    info->projected =
        net->projected > 0 && net->blocks.last == 0 ? net->maps[net->projected].channels : 0;
    info->batch = batch < most ? batch : most;
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
    size_t width = info->width > 0 ? info->width : net->maps[net->penultimate].channels;
    const lp_config_sizes sizes = {width, info->layers, info->patch,
                                   net->maps[net->penultimate].channels};
    LP_TRY(lp_model_config_read(source, &sizes, &config, err));
    info->config = config.file;
    LP_TRY(choose_pool(source, &config, net, info, err));
    LP_TRY(choose_layers(source, net, info, err));
    LP_TRY(choose_heads(source, &config, net, info, err));
    t->resize = source->family->resize;
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
    if (net->unnormed) {
        add_assumed(info, "rows without a norm, as the file has no pooler");
    }
    net->input = info->input_size;
    net->precision = source->options->precision;
    LP_TRY(lay_out(source, net, err));
    if (description->check_input != NULL) {
        LP_TRY(description->check_input(source, &config, net, err));
    }
    describe(net, description->most_batch, info);
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
