/* Described networks in files: what one is, from names and shapes.
 *
 *   1. the description plans all weights (net_build.h); sizes are those of the file's tensors
 *   2. what the weights do not say: input and preprocessing, activation, eps of the norms
 *   3. once the weights are read, net_pack.c makes them those that run */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/note.h"
#include "math/tiles.h"
#include "math/winograd.h"
#include "model/families.h"
#include "model/model_config.h"
#include "model/net_build.h"

enum {
    LARGEST_INPUT = 4096, /* pixels a side: bounds the scratch memory */
    /* A batch saves reading the weights again and costs scratch memory of each thread: at most
     * 8 MiB for each image that it may have, or what one image needs.  Chosen, not measured. */
    IMAGE_FLOATS = 1 << 21,
    MOST_BATCH = 8,
    MOST_SMALL = 32 /* of models with few tokens, to bound a batch's memory; chosen as well */
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

/* Leaves out the steps of the head that is not chosen. */
static void keep_head(lp_net *net, bool after) {
    lp_net_head other = net->pool == LP_POOL_ATTENTION ? LP_NET_TAKING_HEAD : LP_NET_ATTENDING_HEAD;
    size_t count = 0;
    for (size_t i = 0; i < net->step_count; i++) {
        lp_net_step *step = &net->steps[i];
        step->after = step->after || (step->operation == LP_NET_TAKE && after);
        if (step->head != other) {
            net->steps[count++] = *step;
        }
    }
    net->step_count = count;
}

/* What becomes of the rows: as asked for, else as a config or the family says, else as the weights
 * do, where the network can. */
static lp_status choose_pool(const lp_source *source, const lp_model_config *config, lp_net *net,
                             lp_encoder_info *info, lp_error *err) {
    lp_pool asked = source->options->pool, of_family = source->family->pool;
    bool attended = has_step(net, LP_NET_LATENT) || has_step(net, LP_NET_MEAN_QUERY);
    bool taken = has_step(net, LP_NET_TAKE);
    bool class_token = taken && net->class_token && !net->mean_normed;
    const bool can[] = {false, class_token, taken || !attended, attended,
                        class_token && net->rows > 0};
    size_t ways = (size_t)can[1] + can[2] + can[3] + can[4];
    if (asked != LP_POOL_AUTO && !can[asked] && ways == 1) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: pool %s: this %s has %s alone",
                       lp_checkpoint_path(source->ckpt), lp_pool_name(asked), source->family->title,
                       lp_pool_name(attended ? LP_POOL_ATTENTION : LP_POOL_MEAN));
    }
    if (asked != LP_POOL_AUTO && !can[asked]) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: pool %s: this %s model has no %s",
                       lp_checkpoint_path(source->ckpt), lp_pool_name(asked), source->family->name,
                       asked == LP_POOL_ATTENTION ? "attention pool"
                       : !net->class_token        ? "class token"
                       : net->mean_normed         ? "norm before pooling"
                                                  : "vectors of its blocks");
    }
    net->pool = asked != LP_POOL_AUTO ? asked
                : can[config->pool]   ? config->pool
                : can[of_family]      ? of_family
                : can[net->pool]      ? net->pool
                : attended            ? LP_POOL_ATTENTION
                                      : LP_POOL_MEAN;
    info->pool = lp_pool_name(net->pool);
    keep_head(net, config->norm_after_pool || source->family->norm_after_pool);
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
    if (!last_alone && net->pool == LP_POOL_ATTENTION) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: layers %zu-%zu: the attention pool is for the last layer, %zu, alone; "
                       "choose another pool (option 'pool')",
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

/* The side that the input has unless the caller or the file's digest says another: as a config
 * beside the file, the architecture's name, the weights or the family has it. */
static size_t usual_input(const lp_source *source, const lp_model_config *config,
                          const lp_architecture *known, const lp_encoder_info *info) {
    const lp_net_description *description = source->family->layout;
    size_t crop = config->has_preprocess ? config->preprocess.crop : 0;
    size_t of_family = source->family->input, patch = info->patch;
    if (description->input_of_positions) {
        bool fits = config->input / patch == info->input_size / patch;
        return crop > 0                                  ? crop
               : of_family > 0 && of_family % patch == 0 ? of_family
               : fits                                    ? config->input
                                                         : info->input_size;
    }
    const size_t said[] = {
        description->one_input ? info->input_size : 0,
        crop,
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
static void note_assumed(lp_net_builder *b, const lp_model_config *config,
                         const lp_known_model *published, lp_encoder_info *info) {
    const lp_source *source = b->source;
    const lp_net_description *description = source->family->layout;
    bool whole = description->one_input || description->published_whole;
    if (published == NULL || (published->resize == 0 && !whole)) {
        unsigned facts = description->find_facts != NULL ? description->find_facts(b) : 0;
        lp_family_assume(source,
                         facts | LP_SAID_PREPROCESS |
                             (source->family->pool != LP_POOL_AUTO ? LP_SAID_POOL : 0U),
                         (config->heads > 0 ? LP_SAID_HEADS : 0U) |
                             (config->activation != LP_ACTIVATION_AUTO ? LP_SAID_ACTIVATION : 0U) |
                             (config->has_preprocess ? LP_SAID_PREPROCESS : 0U) |
                             (config->pool != LP_POOL_AUTO ? LP_SAID_POOL : 0U),
                         info);
    }
    if (published == NULL && config->file == NULL && !config->arch_known) {
        if (description->assumed != NULL) {
            add_assumed(info, description->assumed);
        }
        if (description->note_assumed != NULL) {
            lp_note note = {info->assumed, sizeof info->assumed, strlen(info->assumed)};
            description->note_assumed(b, info, &note);
        }
    }
    if (description->otherwise != NULL) {
        add_assumed(info, description->otherwise);
    }
    lp_family_stranger(config->stranger, info);
}

/* The input's size and its preprocessing: as the command line has it, the file's digest, a config
 * beside the file, or the family. */
static lp_status choose_input(const lp_source *source, lp_model_config *config,
                              const lp_known_model *published, const lp_architecture *known,
                              lp_encoder_info *info, lp_error *err) {
    const lp_net_description *description = source->family->layout;
    size_t input, usual;
    lp_status status;
    usual = published != NULL ? published->input_size : usual_input(source, config, known, info);
    LP_TRY(lp_family_input(source, usual, &input, err));
    if (input > LARGEST_INPUT) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: an input of %zu pixels a side: expected at most %d",
                       lp_checkpoint_path(source->ckpt), input, LARGEST_INPUT));
    }
    if (description->one_input && input != usual) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: input size %zu: the encoder has positions for %zu alone",
                       lp_checkpoint_path(source->ckpt), input, usual));
    }
    size_t from = source->options->crop > 0 ? usual : input; /* that the resize is for */
    lp_family_preprocess(source->family, from, info);
    if (config->has_preprocess) {
        lp_model_config_preprocess(config, from, info);
    } else if (known != NULL && known->resize > 0 && known->input > 0) {
        info->preprocess.resize = from * known->resize / known->input;
    }
    if (published != NULL) {
        lp_file_preprocess(published, from, &info->preprocess);
    }
    (void)snprintf(info->architecture, sizeof info->architecture, "%s", config->arch);
    info->input_size = info->preprocess.crop = input;
    lp_family_override(source->options, info);
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
                                     const lp_known_model *published, lp_net_tower *t,
                                     lp_encoder_info *info, const lp_architecture **known,
                                     lp_error *err) {
    const lp_net_description *description = source->family->layout;
    const char *path =
        published != NULL ? lp_known_model_file(published) : lp_checkpoint_path(source->ckpt);
    *known = config->architecture;
    bool windows = lacks_window(&t->net);
    if (*known == NULL && (description->named || windows)) {
        *known = lp_family_architecture(source->family, path);
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

/* The first of: the caller, a published file's digest, a config, the family; of steps that have the
 * family's. */
static lp_status choose_activation(lp_net_builder *b, const lp_model_config *config,
                                   const lp_known_model *published, lp_encoder_info *info,
                                   lp_error *err) {
    static const lp_nonlinearity nonlinearities[] = {[LP_ACTIVATION_GELU] = LP_GELU,
                                                     [LP_ACTIVATION_QUICK_GELU] = LP_QUICK_GELU,
                                                     [LP_ACTIVATION_GELU_TANH] = LP_GELU_TANH};
    const lp_family *family = b->source->family;
    const char *path = lp_checkpoint_path(b->source->ckpt);
    lp_net *net = b->net;
    bool swiglu = strcmp(info->activation, "swiglu") == 0; /* configs may say another, too */
    lp_activation asked = b->source->options->activation, activation = LP_ACTIVATION_AUTO;
    const lp_activation said[] = {
        asked, published != NULL ? lp_file_activation(published) : LP_ACTIVATION_AUTO,
        config->activation,
        lp_family_activation(family, info->width, info->patch, lp_net_grid(net))};
    if (asked != LP_ACTIVATION_AUTO && swiglu) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: activation %s: its MLP is SwiGLU and takes none",
                       path, lp_activation_name(asked));
    }
    if (!has_usual(net) && !swiglu && config->activation != LP_ACTIVATION_AUTO) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: %s beside it: activation %s: a %s has %s alone", path, config->file,
                       lp_activation_name(config->activation), family->title, info->activation);
    }
    if (!has_usual(net)) {
        return asked == LP_ACTIVATION_AUTO
                   ? LP_OK
                   : lp_fail(err, LP_ERR_ARGUMENT, "%s: activation %s: a %s has %s alone", path,
                             lp_activation_name(asked), family->title, info->activation);
    }
    for (size_t i = 0; i < 4 && activation == LP_ACTIVATION_AUTO; i++) {
        activation = said[i];
    }
    for (size_t i = 0; i < net->step_count; i++) {
        if (net->steps[i].usual) {
            net->steps[i].activation = nonlinearities[activation];
        }
    }
    info->activation = swiglu ? info->activation : lp_family_activation_name(activation);
    return activation != LP_ACTIVATION_AUTO
               ? LP_OK
               : lp_fail(err, LP_ERR_UNSUPPORTED,
                         "%s: the weights do not say which activation was used%s%s%s; choose one: "
                         "gelu, quick_gelu or gelu_tanh (option 'activation').  OpenAI's CLIP, and "
                         "what was trained from it, have quick_gelu, most of open_clip's own "
                         "models gelu",
                         path, config->stranger != NULL ? " (" : "",
                         config->stranger != NULL ? config->stranger : "",
                         config->stranger != NULL ? " beside it is another model's)" : "");
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

/* Images of a batch: those that leave the fewest rows of the last tile empty, the most where that
 * is the same.  12 of ViT-B/32 fill 50 tiles; with 16, a 201st of the work would be for nothing. */
static size_t fill_tiles(size_t tokens, size_t rows) {
    size_t best = 1;
    for (size_t b = 2; b <= MOST_SMALL && b * tokens <= rows; b++) {
        best = lp_tiled(b * tokens, 1) * best <= lp_tiled(best * tokens, 1) * b ? b : best;
    }
    return best;
}

static void describe(lp_net *net, const lp_net_description *description, lp_encoder_info *info) {
    size_t floats = lp_net_scratch(net, 1);
    size_t most = description->most_batch > 0 ? description->most_batch : MOST_BATCH;
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
    info->batch = description->batch_rows > 0 ? fill_tiles(info->tokens, description->batch_rows)
                  : batch < most              ? batch
                                              : most;
    net->most_batch = SIZE_MAX / sizeof(float) / floats;
    if (info->tokens > 0 && net->most_batch > INT_MAX / info->tokens) {
        net->most_batch = INT_MAX / info->tokens;
    }
}

static lp_status choose(const lp_source *source, lp_weight_plan *plan, void *made,
                        lp_encoder_info *info, lp_error *err) {
    const lp_net_description *description = source->family->layout;
    lp_net_tower *t = made;
    lp_net *net = &t->net;
    lp_net_builder b = {source, plan, t, net, source->prefix, ""};
    lp_model_config config = {0};
    const lp_architecture *known;
    const lp_known_model *published;
    char name[sizeof info->name];
    lp_status status;
    LP_TRY(check_options(source, err));
    info->norm_eps = source->family->norm_eps;
    info->activation = description->activation != NULL ? description->activation : info->activation;
    description->describe(&b, info);
    memcpy(name, info->name, sizeof name);
    info->name[0] = '\0'; /* until all that is said with it is known */
    size_t usual = info->input_size > 0 ? info->input_size : source->family->input;
    size_t width = info->width > 0 ? info->width : net->maps[net->penultimate].channels;
    const lp_config_sizes sizes = {width, info->layers, info->patch,
                                   net->maps[net->penultimate].channels};
    LP_TRY(lp_model_config_read(source, &sizes, &config, err));
    LP_TRY(lp_source_published(source, &published, err));
    info->config = config.file;
    if (published != NULL) { /* the config is another program's, perhaps */
        config.has_preprocess = false;
        config.pool = LP_POOL_AUTO;
        info->config = NULL;
    }
    info->width = width;
    LP_TRY(choose_pool(source, &config, net, info, err));
    LP_TRY(choose_layers(source, net, info, err));
    LP_TRY(lp_net_choose_heads(&b, &config, info, err));
    if (description->ask_alone && net->pool == LP_POOL_CLASS && net->class_rows == 0) {
        LP_TRY(lp_net_ask_alone(&b, err));
    }
    t->resize = source->family->resize;
    LP_TRY(choose_architecture(source, &config, published, t, info, &known, err));
    info->norm_eps = config.norm_eps > 0 ? config.norm_eps : info->norm_eps;
    t->norm_eps = info->norm_eps;
    for (size_t i = 0; i < net->layer_count; i++) {
        net->layers[i].eps = net->layers[i].eps > 0 ? net->layers[i].eps : t->norm_eps;
    }
    LP_TRY(choose_input(source, &config, published, known, info, err));
    /* what else is known is said, whether the activation is or not */
    lp_status activation = choose_activation(&b, &config, published, info, err);
    note_assumed(&b, &config, published, info);
    if (known != NULL && config.architecture == NULL && published == NULL) {
        char by_name[sizeof info->assumed];
        (void)snprintf(by_name, sizeof by_name, "%s by the file's name", known->pattern);
        add_assumed(info, by_name);
    }
    if (net->unnormed) {
        add_assumed(info, "rows without a norm, as the file has no pooler");
    }
    net->input = info->input_size;
    net->precision = source->options->precision;
    net->rounds_vectors = description->rounds_vectors;
    net->whole_mlps = description->batch_rows > 0;
    if (description->check != NULL) {
        LP_TRY(description->check(&b, &config, info, err));
    }
    LP_TRY(lay_out(source, net, err));
    if (description->check_input != NULL) {
        LP_TRY(description->check_input(source, &config, net, err));
    }
    describe(net, description, info);
    size_t unnamed = description->plain_input > 0        ? description->plain_input
                     : known != NULL && known->input > 0 ? known->input
                                                         : usual;
    const char *own = description->named ? known->pattern : name;
    char side[24] = "";
    if (net->input != unnamed) {
        (void)snprintf(side, sizeof side, "@%zu", net->input);
    }
    (void)snprintf(info->name, sizeof info->name, "%.*s%s", (int)(sizeof name - 1 - strlen(side)),
                   own, side);
    LP_TRY(activation);
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
