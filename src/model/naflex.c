/* NaFlex vision transformers at their square, in timm's names:
 *
 *   tokens    patches, registers before them (embeds.reg_token), + embeds.pos_embed, of the
 *             patches, or + embeds.pos_embed_y and pos_embed_x of their rows and columns
 *   block     x += ls1 proj(attention(norm1(x)));  x += ls2 fc2(act(fc1(norm2(x))))
 *   head      the mean of the patches, fc_norm; or norm, then attention of a learnt query
 *             (attn_pool) [B, D]                                            = penultimate
 *
 * A patch's values stand pixel by pixel in the weight (embeds.proj), [D, P P 3].
 *
 * Reproduces timm models/naflexvit.py, and Siglip2VisionModel of transformers (pooler_output;
 * without its head the mean behind the last norm), for images of one square size. */
#include "model/families.h"
#include "model/net_descriptions.h"

static size_t patch_of(const lp_net_builder *b) {
    size_t inputs = lp_net_size(b, 1, "embeds.proj.weight"), patch = 1;
    while (3 * patch * patch < inputs && patch < 256) {
        patch++;
    }
    return patch;
}

static void build_blocks(lp_net_builder *b, size_t x) {
    bool scaled = lp_net_some(b, ".ls1.gamma") || lp_net_some(b, ".ls2.gamma");
    bool apart = lp_net_some(b, ".attn.k_proj.weight");
    const lp_net_qkv_spec qkv = {.fused = apart ? NULL : "attn.qkv",
                                 .apart = {"attn.q_proj", "attn.k_proj", "attn.v_proj"},
                                 .bias =
                                     apart ? LP_NET_BIAS_ALL : lp_net_bias_of(b, ".attn.qkv.bias")};
    size_t blocks = lp_net_count(b, "blocks.");
    for (size_t i = 0; i < blocks; i++) {
        lp_net_at(b, "blocks.%zu.", i);
        lp_net_attend(b, x,
                      &(lp_net_attend_spec){.norm = "norm1",
                                            .qkv = qkv,
                                            .projection = "attn.proj",
                                            .gamma = scaled ? "ls1.gamma" : NULL});
        lp_net_mlp(b, x, x,
                   &(lp_net_mlp_spec){.norm = "norm2",
                                      .first = "mlp.fc1",
                                      .second = "mlp.fc2",
                                      .gamma = scaled ? "ls2.gamma" : NULL,
                                      .usual = true});
        lp_net_stage(b, "block %zu", i);
    }
    lp_net_at(b, "%s", "");
}

/* A pool has as many heads as the blocks. */
static size_t build_head(lp_net_builder *b, size_t x) {
    bool fused = lp_net_has_either(b, "attn_pool.qkv");
    if (!lp_net_has(b, "attn_pool.latent") && !fused) {
        bool normed = lp_net_has_either(b, "norm");
        x = lp_net_take(b, normed ? lp_net_norm(b, x, "norm", 0) : x);
        b->net->pool = LP_POOL_MEAN;
        return normed ? x : lp_net_norm(b, x, "fc_norm", 0);
    }
    if (b->net->maps[x].extra > 0) {
        lp_plan_problem(b->plan, "attn_pool: a pool that leaves registers out is not supported");
    }
    x = lp_net_norm(b, x, "norm", 0);
    x = lp_net_latent(b, x,
                      &(lp_net_latent_spec){.latent = "attn_pool.latent",
                                            .query = fused ? NULL : "attn_pool.q",
                                            .kv = "attn_pool.kv",
                                            .fused = fused ? "attn_pool.qkv" : NULL,
                                            .projection = "attn_pool.proj"});
    return lp_net_mlp(b, x, x,
                      &(lp_net_mlp_spec){.norm = "attn_pool.norm",
                                         .first = "attn_pool.mlp.fc1",
                                         .second = "attn_pool.mlp.fc2",
                                         .usual = true});
}

static void build(lp_net_builder *b) {
    lp_net_at(b, "%s", "");
    size_t x = lp_net_patches(b, "embeds.proj", true);
    bool registers = lp_net_has(b, "embeds.reg_token");
    bool apart = lp_net_has(b, "embeds.pos_embed_y") || lp_net_has(b, "embeds.pos_embed_x");
    x = lp_net_start(b, x,
                     &(lp_net_start_spec){.registers = registers ? "embeds.reg_token" : NULL,
                                          .positions = apart ? NULL : "embeds.pos_embed",
                                          .rows = apart ? "embeds.pos_embed_y" : NULL,
                                          .columns = "embeds.pos_embed_x"});
    lp_net_stage(b, "tokens");
    build_blocks(b, x);
    b->net->penultimate = build_head(b, x);
}

/* timm's positions are for fewer patches than the input has. */
static void describe(lp_net_builder *b, lp_encoder_info *info) {
    size_t width = lp_net_size(b, 0, "embeds.proj.weight");
    info->layers = lp_net_count(b, "blocks.");
    info->patch = patch_of(b);
    info->mlp_width = lp_net_size(b, 1, "blocks.0.mlp.fc2.weight");
    lp_family_name_vit(b->source->family, width, "", info);
}

static void describe_siglip2(lp_net_builder *b, lp_encoder_info *info) {
    describe(b, info);
    info->input_size = lp_net_grid(b->net) * info->patch;
}

static const char *const ignored[] = {"head.", NULL};
static const lp_net_heads heads[] = {{1152, 16}, {0, 0}};

const lp_net_description lp_net_naflex = {
    .build = build, .ignored = ignored, .describe = describe, .head_width = 64, .heads = heads};
static const char *const none_ignored[] = {NULL};
const lp_net_description lp_net_siglip2 = {
    .build = build,
    .ignored = none_ignored,
    .describe = describe_siglip2,
    .head_width = 64,
    .heads = heads,
    .otherwise = "images as squares, of which transformers keeps the shape"};
