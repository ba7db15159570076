/* The image encoders of the Segment Anything Model, in timm's names:
 *
 *   tokens   patches (patch_embed.proj) + pos_embed
 *   block    x += proj(attention within windows, or over all, of norm1(x));  x += fc2(gelu(fc1(
 *            norm2(x))))
 *   neck     1x1 convolution, norm, 3x3 convolution, norm; or a norm alone
 *   head     mean of all pixels [B, C]                                  = penultimate
 *
 * How many pixels a block's window has, its relative positions say: as many as the map is wide
 * where attention is over all.
 *
 * Reproduces timm models/vision_transformer_sam.py, facebookresearch/segment-anything
 * modeling/image_encoder.py and SamVisionModel of transformers, with timm's mean behind the neck.
 */
#include "base/error.h"
#include "model/families.h"
#include "model/net_descriptions.h"

static const float neck_eps = 1e-6F; /* of LayerNorm2d, everywhere */

static size_t build_neck(lp_net_builder *b, size_t x) {
    if (lp_net_has_either(b, "neck")) {
        return lp_net_norm(b, x, "neck", neck_eps);
    }
    x = lp_net_conv(b, x, "neck.0", &(lp_net_conv_spec){.taps = 1});
    x = lp_net_norm(b, x, "neck.1", neck_eps);
    x = lp_net_conv(b, x, "neck.2", &(lp_net_conv_spec){.taps = 3, .padding = 1});
    return lp_net_norm(b, x, "neck.3", neck_eps);
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "%s", "");
    size_t x = lp_net_patches(b, "patch_embed.proj", true);
    if (lp_net_has(b, "pos_embed")) {
        x = lp_net_start(b, x, &(lp_net_start_spec){.positions = "pos_embed"});
    }
    lp_net_stage(b, "tokens");
    size_t blocks = lp_net_count(b, "blocks.");
    for (size_t i = 0; i < blocks; i++) {
        lp_net_at(b, "blocks.%zu.", i);
        lp_net_relative(b, x,
                        &(lp_net_relative_spec){.norm = "norm1",
                                                .qkv = {.fused = "attn.qkv"},
                                                .down = "attn.rel_pos_h",
                                                .right = "attn.rel_pos_w",
                                                .projection = "attn.proj"});
        lp_net_mlp(b, x, x,
                   &(lp_net_mlp_spec){
                       .norm = "norm2", .first = "mlp.fc1", .second = "mlp.fc2", .usual = true});
        lp_net_stage(b, "block %zu", i);
    }
    lp_net_at(b, "%s", "");
    b->net->penultimate = lp_net_mean(b, build_neck(b, x));
}

/* Patches a side that the file is for: the grid of its positions; without them the largest window,
 * which is that of attention over all. */
static size_t whole_of(const lp_net *net) {
    size_t grid = lp_net_grid(net), most = 0;
    for (size_t i = 0; i < net->step_count; i++) {
        const lp_net_step *step = &net->steps[i];
        size_t window =
            step->operation == LP_NET_RELATIVE ? net->layers[step->layers[2]].window : 0;
        most = window > most ? window : most;
    }
    return grid > 0 ? grid : most;
}

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t width = lp_net_describe_vit(b, info);
    info->input_size = whole_of(b->net) * info->patch;
    info->width = width;
    lp_family_name_vit(b->source->family, width, "", info);
}

/* For another input timm interpolates what stands for all offsets. */
static lp_status check_input(const lp_source *source, const struct lp_model_config *config,
                             const lp_net *net, lp_error *err) {
    size_t whole = whole_of(net), side = net->maps[net->steps[0].to].side;
    (void)config;
    return side == whole ? LP_OK
                         : lp_fail(err, LP_ERR_UNSUPPORTED,
                                   "%s: input size %zu: the positions of this SAM are for %zu "
                                   "patches a side alone, and the input has %zu",
                                   lp_checkpoint_path(source->ckpt), net->input, whole, side);
}

static const char *const ignored[] = {"head.", NULL};

const lp_net_description lp_net_sam = {
    .build = build, .ignored = ignored, .describe = describe, .check_input = check_input};
