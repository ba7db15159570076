/* Residual networks in files: what one is, from names and shapes.
 *
 *   1. blocks of each stage, and whether they are bottlenecks, from the names
 *   2. the plan of all weights; W channels of the stem, I and O inside and behind stage 1's blocks
 *      (2, 4, 8 times as many in the stages after it), G of I in one group, E of the embedding
 *   3. what the weights do not say: input and preprocessing
 *   4. once the weights are read, resnet_pack.c makes them those that run
 *
 * As build_model in openai/CLIP clip/model.py finds it: the input is 32 pixels a side for each
 * position, heads = I / 2. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/note.h"
#include "ckpt/known_models.h"
#include "math/winograd.h"
#include "model/families.h"
#include "model/model_config.h"
#include "model/resnet_stored.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum {
    LARGEST_INPUT = 4096, /* pixels a side: bounds the scratch memory */
    MOST_BLOCKS = 256,    /* of a stage; more would only make the list of missing tensors endless */
    /* A batch saves reading the weights again and costs scratch memory of each thread: at most
     * 32 MiB, or what one image needs, and at most 4 images.  Chosen, not measured. */
    BATCH_FLOATS = 1 << 23,
    MAX_BATCH = 4
};

static const char *const torchvision_ignored[] = {"fc.", "*.num_batches_tracked", NULL};
static const char *const openai_ignored[] = {"*.num_batches_tracked", NULL};

const lp_resnet_layout lp_resnet_torchvision = {.ignored = torchvision_ignored};
const lp_resnet_layout lp_resnet_openai = {.clip = true, .ignored = openai_ignored};

/* ---- the names ------------------------------------------------------------------------------- */

/* "layer2.5.conv1.weight" -> stage 1, block 5 and "conv1.weight"; NULL for another name. */
static const char *split_name(const char *name, size_t *stage, size_t *block) {
    if (strncmp(name, "layer", 5) != 0 || name[5] < '1' || name[5] > '0' + LP_RESNET_STAGES ||
        name[6] != '.' || name[7] < '0' || name[7] > '9' || (name[7] == '0' && name[8] != '.')) {
        return NULL;
    }
    char *end;
    unsigned long number = strtoul(name + 7, &end, 10);
    if (*end != '.' || number > INT_MAX) {
        return NULL;
    }
    *stage = (size_t)(name[5] - '1');
    *block = number;
    return end + 1;
}

typedef struct outline {
    size_t blocks[LP_RESNET_STAGES];
    bool bottleneck;
    bool first_shortcut; /* the first block of stage 1 has one; those of the others always do */
} outline;

static outline find_outline(const lp_source *source, bool clip) {
    outline o = {{1, 1, 1, 1}, clip, clip};
    size_t count = source->view.count, skip = strlen(source->prefix);
    for (size_t i = 0; i < count; i++) {
        const char *name = source->view.items[i].name;
        size_t stage, block;
        const char *part = strncmp(name, source->prefix, skip) == 0
                               ? split_name(name + skip, &stage, &block)
                               : NULL;
        if (part == NULL) {
            continue;
        }
        /* A number beyond reason would only make the list of errors endless. */
        if (block >= o.blocks[stage] && block < count && block < MOST_BLOCKS) {
            o.blocks[stage] = block + 1;
        }
        o.bottleneck = o.bottleneck || strcmp(part, "conv3.weight") == 0;
        o.first_shortcut =
            o.first_shortcut || (stage == 0 && block == 0 && strncmp(part, "downsample.", 11) == 0);
    }
    o.first_shortcut = o.first_shortcut || o.bottleneck;
    return o;
}

/* ---- the plan -------------------------------------------------------------------------------- */

typedef struct planner {
    const char *prefix;
    lp_weight_plan *plan;
    lp_resnet_tower *tower;
    size_t next; /* layer */
} planner;

/* The next layer: "<place><conv>.weight" of shape [out, in, taps, taps], or [out, in] where taps is
 * 0, and a batch norm "<place><norm>.*" unless norm is NULL. */
static lp_resnet_layer *add_layer(planner *p, const char *place, const char *conv, const char *norm,
                                  const char *out, const char *in, size_t taps, size_t stride) {
    lp_resnet_stored_layer *layer = &p->tower->stored.layers[p->next];
    lp_resnet_layer *runs = &p->tower->resnet.layers[p->next++];
    size_t side = taps > 0 ? taps : 1;
    char shape[LP_PLAN_SHAPE];
    if (taps > 0) {
        (void)snprintf(shape, sizeof shape, "%s,%s,%zu,%zu", out, in, taps, taps);
    } else {
        (void)snprintf(shape, sizeof shape, "%s,%s", out, in);
    }
    runs->conv = (lp_conv){1, 0, 0, side, side, stride, .padding = side / 2};
    layer->planned = p->plan->count;
    lp_plan_add(p->plan, &layer->weight, shape, "%s%s%s.weight", p->prefix, place, conv);
    if (norm == NULL) {
        lp_plan_add(p->plan, &layer->bias, out, "%s%s%s.bias", p->prefix, place, conv);
        return runs;
    }
    lp_plan_add(p->plan, &layer->scale, out, "%s%s%s.weight", p->prefix, place, norm);
    lp_plan_add(p->plan, &layer->bias, out, "%s%s%s.bias", p->prefix, place, norm);
    lp_plan_add(p->plan, &layer->mean, out, "%s%s%s.running_mean", p->prefix, place, norm);
    lp_plan_add(p->plan, &layer->variance, out, "%s%s%s.running_var", p->prefix, place, norm);
    return runs;
}

/* Channels of each stage's blocks inside, outside and in a group, and of the stage's input. */
static const struct {
    const char *inside, *outside, *group, *input;
} channels[LP_RESNET_STAGES] = {{"I", "O", "G", "W"},
                                {"2I", "2O", "2G", "O"},
                                {"4I", "4O", "4G", "2O"},
                                {"8I", "8O", "8G", "4O"}};

static void plan_block(planner *p, lp_resnet_block *b, size_t stage, size_t number) {
    const char *inside = channels[stage].inside, *outside = channels[stage].outside;
    const char *input = number == 0 ? channels[stage].input : outside;
    bool clip = p->tower->resnet.clip;
    size_t less = stage > 0 && number == 0 ? 2 : 1, stride = clip ? 1 : less; /* pixels */
    char place[48];
    b->pool = clip ? less : 1;
    (void)snprintf(b->name, sizeof b->name, "layer%zu.%zu", stage + 1, number);
    (void)snprintf(place, sizeof place, "%s.", b->name);
    b->layers = &p->tower->resnet.layers[p->next];
    if (b->depth == 3) {
        add_layer(p, place, "conv1", "bn1", inside, input, 1, 1);
        add_layer(p, place, "conv2", "bn2", inside, channels[stage].group, 3, stride);
        add_layer(p, place, "conv3", "bn3", outside, inside, 1, 1);
    } else {
        add_layer(p, place, "conv1", "bn1", inside, input, 3, stride);
        add_layer(p, place, "conv2", "bn2", outside, inside, 3, 1);
    }
    if (b->shortcut) {
        add_layer(p, place, "downsample.0", "downsample.1", outside, input, 1, stride);
    }
}

static void plan_weights(const lp_source *source, lp_resnet_tower *t, lp_weight_plan *plan) {
    lp_resnet *r = &t->resnet;
    planner p = {source->prefix, plan, t, 0};
    if (r->clip) {
        add_layer(&p, "", "conv1", "bn1", "H", "3", 3, 2);
        add_layer(&p, "", "conv2", "bn2", "H", "H", 3, 1);
        add_layer(&p, "", "conv3", "bn3", "W", "H", 3, 1);
    } else {
        add_layer(&p, "", "conv1", "bn1", "W", "3", 7, 2);
    }
    lp_resnet_block *block = r->blocks;
    for (size_t s = 0; s < LP_RESNET_STAGES; s++) {
        for (size_t i = 0; i < r->stage_blocks[s]; i++) {
            plan_block(&p, block++, s, i);
        }
    }
    if (r->clip) {
        lp_plan_add(plan, &t->stored.positions, "T,8O", "%sattnpool.positional_embedding",
                    p.prefix);
        r->query = add_layer(&p, "attnpool.", "q_proj", NULL, "8O", "8O", 0, 1);
        t->stored.layers[p.next].key = true;
        r->key = add_layer(&p, "attnpool.", "k_proj", NULL, "8O", "8O", 0, 1);
        r->value = add_layer(&p, "attnpool.", "v_proj", NULL, "8O", "8O", 0, 1);
        r->projection = add_layer(&p, "attnpool.", "c_proj", NULL, "E", "8O", 0, 1);
    }
}

/* ---- the dimensions -------------------------------------------------------------------------- */

typedef struct dimensions {
    size_t stem, inside, outside, group, tokens, grid, heads, embedding;
} dimensions;

static dimensions learn_dimensions(const lp_resnet *r, lp_weight_plan *plan) {
    dimensions d = {.stem = *lp_plan_dimension(plan, 'W'),
                    .inside = *lp_plan_dimension(plan, 'I'),
                    .outside = *lp_plan_dimension(plan, 'O'),
                    .group = *lp_plan_dimension(plan, 'G'),
                    .tokens = *lp_plan_dimension(plan, 'T'),
                    .embedding = *lp_plan_dimension(plan, 'E')};
    if (r->blocks[0].depth == 2) {
        d.group = d.inside; /* basic blocks have no groups */
    }
    const lp_tensor *first = plan->weights[0].tensor;
    if (!r->clip && first != NULL && first->rank == 4 && first->shape[2] == 3) {
        lp_plan_problem(plan,
                        "%s: a 3x3 convolution, as of ResNets for CIFAR: their stride, "
                        "padding and pooling vary, and no file says them",
                        first->name);
    }
    if (d.group > 0 && d.inside % d.group != 0) {
        lp_plan_problem(plan, "%zu channels: not divisible into groups of %zu", d.inside, d.group);
    }
    if (!r->blocks[0].shortcut && d.stem != d.outside) {
        lp_plan_problem(plan, "layer1.0: %zu channels come in and %zu go out, but it has no %s",
                        d.stem, d.outside, "downsample.0");
    }
    if (!r->clip) {
        return d;
    }
    while (d.grid * d.grid + 1 < d.tokens) {
        d.grid++;
    }
    if (d.tokens == 1 || (d.tokens > 1 && d.grid * d.grid + 1 != d.tokens)) {
        lp_plan_problem(plan, "%zu positions: expected one for the mean and a square of places",
                        d.tokens);
    }
    d.heads = d.inside / 2; /* clip/model.py: vision_width * 32 // 64 */
    if (d.inside > 0 && d.outside > 0 && (d.heads == 0 || 8 * d.outside % d.heads != 0)) {
        lp_plan_problem(plan, "width %zu: not divisible among %zu heads (layer1's channels / 2)",
                        8 * d.outside, d.heads);
    }
    return d;
}

/* Groups of every layer, and from its weight [groups * out, in, taps, taps] its channels. */
static void set_channels(const lp_weight_plan *plan, const dimensions *d, lp_resnet_tower *t) {
    lp_resnet *r = &t->resnet;
    for (size_t b = 0; b < r->block_count && r->blocks[b].depth == 3; b++) {
        r->blocks[b].layers[1].conv.groups = d->inside / d->group;
    }
    if (r->clip) {
        r->heads = r->key->conv.groups = r->value->conv.groups = d->heads;
    }
    for (size_t i = 0; i < r->layer_count; i++) {
        const lp_tensor *weight = plan->weights[t->stored.layers[i].planned].tensor;
        lp_conv *conv = &r->layers[i].conv;
        conv->out = weight->shape[0] / conv->groups;
        conv->in = weight->shape[1];
        if (t->stored.layers[i].key) { /* transposed: see resnet_forward.c */
            conv->out = weight->shape[1];
            conv->in = weight->shape[0] / conv->groups;
        }
        r->layers[i].winograd = lp_winograd_fits(conv);
    }
}

/* ---- what it is ------------------------------------------------------------------------------ */

static void name_clip(const lp_resnet *r, const dimensions *d, lp_encoder_info *info) {
    const char *known = lp_resnet_size_name(r->stage_blocks, d->stem, r->input);
    if (known != NULL) {
        (void)snprintf(info->name, sizeof info->name, "CLIP %s", known);
        return;
    }
    const size_t *n = r->stage_blocks;
    char name[160];
    (void)snprintf(name, sizeof name, "CLIP RN %zux(%zu,%zu,%zu,%zu)@%zu", d->stem, n[0], n[1],
                   n[2], n[3], r->input);
    (void)snprintf(info->name, sizeof info->name, "%.63s", name);
}

/* "ResNet-50", "ResNeXt-50 32x4d", "Wide ResNet-50-2"; the depth counts convolutions and fc. */
static void name_torchvision(const lp_resnet *r, const dimensions *d, lp_encoder_info *info) {
    size_t depth = r->block_count * r->blocks[0].depth + 2;
    bool usual = r->blocks[0].depth == 2 ? d->outside == d->inside : d->outside == 4 * d->inside;
    char kind[80], width[32] = "", input[32] = "", name[160];
    if (d->group != d->inside) {
        (void)snprintf(kind, sizeof kind, "ResNeXt-%zu %zux%zud", depth, d->inside / d->group,
                       d->group);
    } else if (!usual) {
        (void)snprintf(kind, sizeof kind, "Wide ResNet-%zu-%zu", depth, 4 * d->inside / d->outside);
    } else {
        (void)snprintf(kind, sizeof kind, "ResNet-%zu", depth);
    }
    if (d->stem != 64) {
        (void)snprintf(width, sizeof width, " width %zu", d->stem);
    }
    if (r->input != 224) {
        (void)snprintf(input, sizeof input, "@%zu", r->input);
    }
    (void)snprintf(name, sizeof name, "%s%s%s", kind, width, input);
    (void)snprintf(info->name, sizeof info->name, "%.63s", name);
}

/* The input's size and its preprocessing: as the command line has it, the file's digest, a config
 * beside the file, or the family. */
static lp_status choose_input(const lp_source *source, lp_resnet *r, const dimensions *d,
                              lp_encoder_info *info, lp_error *err) {
    size_t usual = source->family->input;
    const lp_known_model *known = NULL;
    lp_model_config config = {0};
    lp_status status;
    LP_TRY(lp_model_config_read(source, r->clip ? d->inside : 8 * d->outside, r->block_count, 0,
                                &config, err));
    LP_TRY(lp_source_published(source, &known, err));
    bool published = !r->clip && known != NULL && known->resize > 0; /* torchvision's */
    if (r->clip) {
        usual = 32 * d->grid;
    } else if (!published && config.has_preprocess && config.preprocess.crop <= LARGEST_INPUT) {
        usual = config.preprocess.crop;
    }
    LP_TRY(lp_family_input(source, usual, &r->input, err));
    if (r->clip && r->input != usual) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: input size %zu: attention pooling has positions for %zu alone",
                       lp_checkpoint_path(source->ckpt), r->input, usual));
    }
    size_t from = source->options->crop > 0 ? usual : r->input; /* that the resize is for */
    lp_family_preprocess(source->family, from, info);
    if (published) { /* IMAGENET1K_V2 weights are made for a resize to 232 */
        info->preprocess.resize = from * known->resize / known->input_size;
    } else if (config.has_preprocess) {
        lp_model_config_preprocess(&config, from, info);
    }
    (void)snprintf(info->architecture, sizeof info->architecture, "%s", config.arch);
    info->config = published ? NULL : config.file;
    info->input_size = info->preprocess.crop = r->input;
    lp_family_override(source->options, info);
    if (known == NULL || (!r->clip && !published)) {
        lp_family_assume(source, LP_SAID_PREPROCESS,
                         config.has_preprocess ? LP_SAID_PREPROCESS : 0U, info);
    }
    if (!r->clip && known == NULL && config.file == NULL && !config.arch_known) {
        lp_note note = {info->assumed, sizeof info->assumed, strlen(info->assumed)};
        lp_note_put(&note, "; no anti-aliasing (timm's resnetaa* and resnetblur* look the same)");
    }
    lp_family_stranger(config.stranger, info);
done:
    return status;
}

static void describe(const lp_resnet *r, const dimensions *d, lp_encoder_info *info) {
    size_t floats = lp_resnet_scratch(r, 1);
    size_t batch = floats < BATCH_FLOATS ? BATCH_FLOATS / floats : 1;
    info->activation = "relu";
    info->pool = lp_pool_name(r->clip ? LP_POOL_ATTENTION : LP_POOL_MEAN);
    info->tokens = d->tokens;
    info->width = 8 * d->outside;
    info->heads = d->heads;
    info->layers = r->block_count;
    info->projected = d->embedding;
    info->penultimate = 8 * d->outside;
    info->batch = batch < MAX_BATCH ? batch : MAX_BATCH;
    (r->clip ? name_clip : name_torchvision)(r, d, info);
}

/* ---- the kind -------------------------------------------------------------------------------- */

/* torchvision's segmentation models have it beside their backbone. */
static bool has_segmentation_head(const lp_source *source) {
    size_t length = source->outer_length;
    char name[LP_PLAN_NAME];
    length -= length > 0 ? 1 : 0; /* the dot, then the last part */
    while (length > 0 && source->outer[length - 1] != '.') {
        length--;
    }
    (void)snprintf(name, sizeof name, "%.*sclassifier.4.weight", (int)length, source->outer);
    return lp_checkpoint_find(source->ckpt, name) != NULL;
}

static lp_status check_source(const lp_source *source, bool clip, lp_error *err) {
    const lp_encoder_options *o = source->options;
    const char *path = lp_checkpoint_path(source->ckpt);
    lp_pool pool = clip ? LP_POOL_ATTENTION : LP_POOL_MEAN;
    if (o->activation != LP_ACTIVATION_AUTO) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: activation %s: a ResNet has ReLU", path,
                       lp_activation_name(o->activation));
    }
    if (o->pool != LP_POOL_AUTO && o->pool != pool) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: pool %s: a %s model has %s alone", path,
                       lp_pool_name(o->pool), source->family->name, lp_pool_name(pool));
    }
    if (o->layers.last != 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: layers %zu-%zu: a ResNet has no transformer blocks", path,
                       o->layers.first, o->layers.last);
    }
    if (o->precision == LP_PRECISION_INT8) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: precision int8: a ResNet has float32, bfloat16 and int16", path);
    }
    if (o->heads != 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: heads %zu: a ResNet's follow from its width",
                       path, o->heads);
    }
    if (o->input_size > LARGEST_INPUT || o->crop > LARGEST_INPUT) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: input size %zu: expected at most %d", path,
                       o->input_size > o->crop ? o->input_size : o->crop, LARGEST_INPUT);
    }
    /* torchvision's segmentation models: the same names and shapes, dilation instead of stride */
    if (has_segmentation_head(source)) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: a segmentation model, whose ResNet is dilated, is not supported", path);
    }
    return LP_OK;
}

static lp_status allocate(const lp_source *source, lp_resnet_tower *t, lp_error *err) {
    lp_resnet *r = &t->resnet;
    outline o = find_outline(source, r->clip);
    memcpy(r->stage_blocks, o.blocks, sizeof o.blocks);
    r->stem_depth = r->clip ? 3 : 1;
    r->layer_count = r->stem_depth + (r->clip ? 4 : 0);
    for (size_t s = 0; s < LP_RESNET_STAGES; s++) {
        r->block_count += o.blocks[s];
        r->layer_count += o.blocks[s] * (o.bottleneck ? 3 : 2) + (s > 0 || o.first_shortcut);
    }
    r->blocks = lp_alloc_zeroed(r->block_count, sizeof *r->blocks);
    r->layers = lp_alloc_zeroed(r->layer_count, sizeof *r->layers);
    t->stored.layers = lp_alloc_zeroed(r->layer_count, sizeof *t->stored.layers);
    if (r->blocks == NULL || r->layers == NULL || t->stored.layers == NULL) {
        return lp_fail_memory(err, "an encoder's blocks", r->layer_count, sizeof *r->layers);
    }
    lp_resnet_block *b = r->blocks;
    for (size_t s = 0; s < LP_RESNET_STAGES; s++) {
        for (size_t i = 0; i < o.blocks[s]; i++, b++) {
            b->depth = o.bottleneck ? 3 : 2;
            b->shortcut = i == 0 && (s > 0 || o.first_shortcut);
        }
    }
    return LP_OK;
}

static lp_status plan_tower(const lp_source *source, lp_weight_plan *plan, void **out,
                            lp_error *err) {
    const lp_resnet_layout *layout = source->family->layout;
    lp_resnet_tower *t = lp_alloc_zeroed(1, sizeof *t);
    lp_status status;
    *out = t;
    LP_TRY(lp_allocated(t, "an encoder", 1, sizeof *t, err));
    t->resnet.clip = layout->clip;
    t->stored.norm_eps = source->family->norm_eps;
    LP_TRY(allocate(source, t, err));
    plan_weights(source, t, plan);
    lp_plan_check(plan, &source->view, source->prefix, layout->ignored);
    (void)learn_dimensions(&t->resnet, plan);
done:
    return status;
}

static lp_status choose(const lp_source *source, lp_weight_plan *plan, void *made,
                        lp_encoder_info *info, lp_error *err) {
    lp_resnet_tower *t = made;
    lp_resnet *r = &t->resnet;
    const dimensions d = learn_dimensions(r, plan); /* no problem: the plan has none */
    lp_status status;
    LP_TRY(check_source(source, r->clip, err));
    r->precision = source->options->precision;
    LP_TRY(choose_input(source, r, &d, info, err));
    set_channels(plan, &d, t);
    describe(r, &d, info);
    status = lp_resnet_reserve(&t->stored, r, plan, err);
done:
    return status;
}

static void free_tower(void *made) {
    lp_resnet_tower *t = made;
    lp_free(t->stored.layers);
    lp_free(t->resnet.blocks);
    lp_free(t->resnet.layers);
    lp_free(t->resnet.zeros);
    lp_free(t->resnet.products);
    lp_free(t);
}

static size_t max_batch(const void *made) {
    return SIZE_MAX / sizeof(float) / lp_resnet_scratch(made, 1);
}

const lp_tower_kind lp_resnet_kind = {
    .plan = plan_tower,
    .choose = choose,
    .pack = lp_resnet_pack,
    .free = free_tower,
    .scratch = lp_resnet_scratch,
    .max_batch = max_batch,
    .run = lp_resnet_run,
};
