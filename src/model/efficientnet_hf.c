/* EfficientNet in the names of transformers' EfficientNetModel, whose blocks are numbered through:
 *
 *   stem      3x3 convolution of stride 2, batch norm, silu
 *   block     [expansion,] depthwise, squeeze-and-excitation, projection; + x where it is not the
 *             first of its stage
 *   head      top_conv, batch norm, silu; mean of all pixels [B, C]  = penultimate (pooler_output)
 *
 * Where the stride is 2, zeros are added as for an even side, or in the blocks that
 * config.depthwise_padding lists, as for an odd one: with the published sizes always those of
 * TensorFlow's padding, which is what is computed.  Another size is refused.
 *
 * Reproduces modeling_efficientnet.py. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/families.h"
#include "model/model_config.h"
#include "model/net_descriptions.h"

/* Of the first block of each stage: configuration_efficientnet.py. */
static const size_t strides[] = {1, 2, 2, 2, 1, 2, 1};
enum { STAGES = sizeof strides / sizeof strides[0] };

static size_t conv(lp_net_builder *b, size_t x, const char *name, const char *norm, bool active,
                   size_t add) {
    return lp_net_conv(b, x, name,
                       &(lp_net_conv_spec){.batch_norm = norm,
                                           .activation = active ? LP_SILU : LP_IDENTITY,
                                           .add = add});
}

static size_t build_block(lp_net_builder *b, size_t x, size_t stride, bool first) {
    size_t h = x, taps = lp_net_size(b, 2, "depthwise_conv.depthwise_conv.weight");
    if (lp_net_has(b, "expansion.expand_conv.weight")) {
        h = conv(b, h, "expansion.expand_conv", "expansion.expand_bn", true, 0);
    }
    h = lp_net_conv(b, h, "depthwise_conv.depthwise_conv",
                    &(lp_net_conv_spec){.taps = taps > 0 ? taps : 3,
                                        .stride = stride,
                                        .same = true,
                                        .depthwise = true,
                                        .batch_norm = "depthwise_conv.depthwise_norm",
                                        .activation = LP_SILU});
    h = lp_net_excite(b, h, "squeeze_excite.reduce", "squeeze_excite.expand", LP_SILU, LP_SIGMOID);
    return conv(b, h, "projection.project_conv", "projection.project_bn", false, first ? 0 : x);
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "%s", "");
    size_t x = lp_net_conv(b, 0, "embeddings.convolution",
                           &(lp_net_conv_spec){.taps = 3,
                                               .stride = 2,
                                               .same = true,
                                               .batch_norm = "embeddings.batchnorm",
                                               .activation = LP_SILU});
    size_t blocks = lp_net_count(b, "encoder.blocks."), stage = 0;
    for (size_t i = 0; i < blocks; i++) {
        lp_net_at(b, "encoder.blocks.%zu.", i);
        /* each stage has another number of channels, which its first block gives */
        bool first = i == 0 || lp_net_size(b, 0, "projection.project_conv.weight") !=
                                   b->net->maps[x].channels;
        x = build_block(b, x, first && stage < STAGES ? strides[stage] : 1, first);
        lp_net_stage(b, "encoder.blocks.%zu", i);
        stage += first ? 1 : 0;
    }
    lp_net_at(b, "%s", "");
    if (stage != STAGES) {
        lp_plan_problem(b->plan, "encoder.blocks: %zu stages of as many channels: expected %d",
                        stage, (int)STAGES);
    }
    x = conv(b, x, "encoder.top_conv", "encoder.top_bn", true, 0);
    b->net->penultimate = lp_net_mean(b, x);
}

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    info->layers = lp_net_count(b, "encoder.blocks.");
    (void)snprintf(info->name, sizeof info->name, "%s %zux%zu", b->source->family->title,
                   b->net->maps[b->net->penultimate].channels, info->layers);
}

/* Whether a block's zeros are those of an odd side. */
static bool is_square(const lp_model_config *config, size_t block) {
    return block < 64 && (config->square_blocks >> block & 1) != 0;
}

/* The zeros of transformers are TensorFlow's for this input. */
static lp_status check_input(const lp_source *source, const lp_model_config *config,
                             const lp_net *net, lp_error *err) {
    size_t block = 0;
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *step = &net->steps[i];
        const lp_net_layer *layer = &net->layers[step->layers[0]];
        bool strided = step->operation == LP_NET_CONVOLVE && layer->conv.stride == 2;
        bool even = net->maps[step->from].side % 2 == 0, stem = step->from == 0;
        bool told = stem || config->file != NULL; /* of the stem no config is needed */
        if (strided && told && even == (!stem && is_square(config, block))) {
            return lp_fail(err, LP_ERR_UNSUPPORTED,
                           "%s: input size %zu: transformers' EfficientNet would pad its maps for "
                           "another size (depthwise_padding); take that of its config, %zu",
                           lp_checkpoint_path(source->ckpt), net->input,
                           config->input > 0 ? config->input : net->input + 1);
        }
        block += strncmp(step->name, "encoder.blocks.", 15) == 0 ? 1 : 0;
    }
    return LP_OK;
}

static const char *const ignored[] = {"classifier.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_efficientnet_hf = {.build = build,
                                                   .ignored = ignored,
                                                   .describe = describe,
                                                   .check_input = check_input,
                                                   .activation = "silu"};
