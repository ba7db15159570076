/* XCiT, in timm's names:
 *
 *   stem     3x3 convolutions of stride 2 with batch norms, gelu between them: three for patches of
 *            8 pixels, four for 16
 *   tokens   + a projection of sines and cosines of rows and columns
 *   block    x += gamma1 attn.proj(cross-covariance attention of norm1(x))
 *            x += gamma3 conv2(bn(gelu(conv1(norm3(x))))), depthwise, with batch norm
 *            x += gamma2 fc2(gelu(fc1(norm2(x))))
 *   class    the class token in front; cls_attn_blocks (net_class.c)
 *   head     norm of all rows, then the class token or the mean of the patches [B, D]
 *                                                                          = penultimate
 *
 * Reproduces timm models/xcit.py, and facebookresearch/xcit xcit.py, whose class attention has
 * queries, keys and values in one layer. */
#include "base/error.h"
#include "model/families.h"
#include "model/model_config.h"
#include "model/net_descriptions.h"

/* xcit.py: norm_layer; batch norms have PyTorch's, which is the family's. */
static const float NORM_EPS = 1e-6F;

/* The models of this width, nano, alone norm the class token and no other row in their class
 * attention's second norm (tokens_norm), which no weight says. */
enum { NANO = 128, MOST_CONVS = 6 };

static size_t build_stem(lp_net_builder *b) {
    size_t convs = 1, x = 0;
    while (convs < MOST_CONVS && lp_net_has(b, "patch_embed.proj.%zu.0.weight", 2 * convs)) {
        convs++;
    }
    for (size_t i = 0; i < convs; i++) {
        bool last = i + 1 == convs;
        lp_net_at(b, "patch_embed.proj.%zu.", 2 * i);
        x = lp_net_conv(
            b, x, "0",
            &(lp_net_conv_spec){
                .taps = 3, .stride = 2, .padding = 1, .batch_norm = "1", .usual = !last});
    }
    lp_net_at(b, "%s", "");
    return x;
}

static void build_block(lp_net_builder *b, size_t x, size_t block) {
    lp_net_conv_spec local = {.taps = 3, .padding = 1, .depthwise = true, .bias = true};
    lp_net_qkv_bias bias = lp_net_bias_of(b, ".attn.qkv.bias");
    lp_net_at(b, "blocks.%zu.", block);
    lp_net_covariance(b, x,
                      &(lp_net_covariance_spec){.norm = "norm1",
                                                .qkv = {.fused = "attn.qkv", .bias = bias},
                                                .temperature = "attn.temperature",
                                                .projection = "attn.proj",
                                                .gamma = "gamma1",
                                                .eps = NORM_EPS});
    size_t h = lp_net_norm(b, x, "norm3", NORM_EPS);
    local.usual = true;
    h = lp_net_conv(b, h, "local_mp.conv1", &local);
    h = lp_net_batch_norm(b, h, "local_mp.bn", LP_IDENTITY);
    local.usual = false;
    local.gamma = "gamma3";
    h = lp_net_conv(b, h, "local_mp.conv2", &local);
    lp_net_add(b, x, h, LP_IDENTITY);
    lp_net_mlp(b, x, x,
               &(lp_net_mlp_spec){.norm = "norm2",
                                  .first = "mlp.fc1",
                                  .second = "mlp.fc2",
                                  .gamma = "gamma2",
                                  .eps = NORM_EPS,
                                  .usual = true});
    lp_net_stage(b, "block %zu", block);
}

static void build_class(lp_net_builder *b, size_t x, size_t block, size_t heads) {
    lp_net_at(b, "cls_attn_blocks.%zu.", block);
    bool fused = lp_net_has(b, "attn.qkv.weight"), nano = b->net->maps[x].channels == NANO;
    lp_net_class(b, x,
                 &(lp_net_class_spec){.norm = "norm1",
                                      .qkv = {.fused = fused ? "attn.qkv" : NULL,
                                              .apart = {"attn.q", "attn.k", "attn.v"},
                                              .bias = lp_net_bias_of(b, ".attn.qkv.bias")},
                                      .projection = "attn.proj",
                                      .gamma = "gamma1",
                                      .mlp_norm = "norm2",
                                      .first = "mlp.fc1",
                                      .second = "mlp.fc2",
                                      .mlp_gamma = "gamma2",
                                      .heads = heads,
                                      .others = nano ? LP_NET_OTHERS_PASS : LP_NET_OTHERS_NORMED,
                                      .eps = NORM_EPS});
    lp_net_stage(b, "class block %zu", block);
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "%s", "");
    size_t heads = lp_net_size(b, 0, "blocks.0.attn.temperature"), x = build_stem(b);
    x = lp_net_start(b, x, &(lp_net_start_spec){.fourier = "pos_embed.token_projection"});
    lp_net_stage(b, "tokens");
    size_t blocks = lp_net_count(b, "blocks."), classes = lp_net_count(b, "cls_attn_blocks.");
    for (size_t i = 0; i < blocks; i++) {
        build_block(b, x, i);
    }
    lp_net_at(b, "%s", "");
    x = lp_net_start(b, x, &(lp_net_start_spec){.class_token = "cls_token"});
    for (size_t i = 0; i < classes; i++) {
        build_class(b, x, i, heads);
    }
    lp_net_at(b, "%s", "");
    b->net->penultimate = lp_net_take(b, lp_net_norm(b, x, "norm", NORM_EPS));
    b->net->pool = LP_POOL_CLASS;
}

/* timm models/xcit.py */
static const lp_vit_size sizes[] = {
    {.width = NANO, .layers = 12, .letter = "N12"}, {.width = 192, .layers = 12, .letter = "T12"},
    {.width = 192, .layers = 24, .letter = "T24"},  {.width = 384, .layers = 12, .letter = "S12"},
    {.width = 384, .layers = 24, .letter = "S24"},  {.width = 512, .layers = 24, .letter = "M24"},
    {.width = 768, .layers = 24, .letter = "L24"},
};

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t width = lp_net_size(b, 2, "cls_token");
    info->layers = lp_net_count(b, "blocks.");
    info->patch = lp_net_has(b, "patch_embed.proj.6.0.weight") ? 16 : 8;
    info->mlp_width = lp_net_size(b, 1, "blocks.0.mlp.fc2.weight");
    info->heads = lp_net_size(b, 0, "blocks.0.attn.temperature");
    lp_family_name_among(b->source->family, sizes, sizeof sizes / sizeof sizes[0], width, "", info);
}

/* The name of an architecture says tokens_norm, and so does the width. */
static lp_status check_input(const lp_source *source, const lp_model_config *config,
                             const lp_net *net, lp_error *err) {
    const lp_architecture *named = config->architecture;
    size_t width = net->maps[net->penultimate].channels;
    return named == NULL || (named->width > 0) == (width == NANO)
               ? LP_OK
               : lp_fail(err, LP_ERR_UNSUPPORTED,
                         "%s: its architecture is said to be %s, but its width is %zu: whether the "
                         "norms of its class attention are of all tokens is not known",
                         lp_checkpoint_path(source->ckpt), named->pattern, width);
}

static const char *const ignored[] = {"head.", "*.num_batches_tracked", NULL};

const lp_net_description lp_net_xcit = {
    .build = build,
    .ignored = ignored,
    .describe = describe,
    .check_input = check_input,
    .assumed = "norms of all tokens in class attention, but where the width is 128"};
