/* CaiT, in timm's names, which are the authors', too:
 *
 *   tokens   patches (patch_embed.proj) + pos_embed
 *   block    x += gamma_1 proj(attention of heads that talk of norm1(x)),  proj_l before the
 *            softmax, proj_w behind it;  x += gamma_2 fc2(gelu(fc1(norm2(x))))
 *   class    the class token in front; blocks_token_only: its attention over all rows, its MLP
 *   head     norm of all rows, then the class token or the mean of the patches [B, D]
 *                                                                          = penultimate
 *
 * Reproduces timm models/cait.py and facebookresearch/deit cait_models.py. */
#include "model/families.h"
#include "model/net_descriptions.h"

static void build_blocks(lp_net_builder *b, size_t x) {
    size_t blocks = lp_net_count(b, "blocks.");
    for (size_t i = 0; i < blocks; i++) {
        lp_net_at(b, "blocks.%zu.", i);
        lp_net_talk(b, x,
                    &(lp_net_talk_spec){
                        .norm = "norm1",
                        .qkv = {.fused = "attn.qkv", .bias = lp_net_bias_of(b, ".attn.qkv.bias")},
                        .before = "attn.proj_l",
                        .after = "attn.proj_w",
                        .projection = "attn.proj",
                        .gamma = "gamma_1"});
        lp_net_mlp(b, x, x,
                   &(lp_net_mlp_spec){.norm = "norm2",
                                      .first = "mlp.fc1",
                                      .second = "mlp.fc2",
                                      .gamma = "gamma_2",
                                      .usual = true});
        lp_net_stage(b, "block %zu", i);
    }
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "%s", "");
    size_t heads = lp_net_size(b, 0, "blocks.0.attn.proj_l.weight");
    size_t x = lp_net_patches(b, "patch_embed.proj", true);
    x = lp_net_start(b, x, &(lp_net_start_spec){.positions = "pos_embed"});
    lp_net_stage(b, "tokens");
    build_blocks(b, x);
    lp_net_at(b, "%s", "");
    size_t blocks = lp_net_count(b, "blocks_token_only.");
    x = lp_net_start(b, x, &(lp_net_start_spec){.class_token = "cls_token"});
    for (size_t i = 0; i < (blocks > 0 ? blocks : 1); i++) {
        lp_net_at(b, "blocks_token_only.%zu.", i);
        lp_net_class(b, x,
                     &(lp_net_class_spec){.norm = "norm1",
                                          .qkv = {.apart = {"attn.q", "attn.k", "attn.v"},
                                                  .bias = lp_net_bias_of(b, ".attn.q.bias")},
                                          .projection = "attn.proj",
                                          .gamma = "gamma_1",
                                          .mlp_norm = "norm2",
                                          .first = "mlp.fc1",
                                          .second = "mlp.fc2",
                                          .mlp_gamma = "gamma_2",
                                          .heads = heads});
        lp_net_stage(b, "class block %zu", i);
    }
    lp_net_at(b, "%s", "");
    b->net->penultimate = lp_net_take(b, lp_net_norm(b, x, "norm", 0));
    b->net->pool = LP_POOL_CLASS;
}

/* timm models/cait.py */
static const lp_vit_size sizes[] = {
    {.width = 192, .layers = 24, .letter = "XXS24"},
    {.width = 192, .layers = 36, .letter = "XXS36"},
    {.width = 288, .layers = 24, .letter = "XS24"},
    {.width = 384, .layers = 24, .letter = "S24"},
    {.width = 384, .layers = 36, .letter = "S36"},
    {.width = 768, .layers = 36, .letter = "M36"},
    {.width = 768, .layers = 48, .letter = "M48"},
};

static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t width = lp_net_describe_vit(b, info);
    info->heads = lp_net_size(b, 0, "blocks.0.attn.proj_l.weight");
    lp_family_name_among(b->source->family, sizes, sizeof sizes / sizeof sizes[0], width, "", info);
}

static const char *const ignored[] = {"head.", NULL};

const lp_net_description lp_net_cait = {
    .build = build, .ignored = ignored, .describe = describe, .one_input = true};
