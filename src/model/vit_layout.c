/* The names of a vision transformer's weights in each kind of file. */
#include "model/vit_layout.h"

#include "model/vit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FIELD(member) offsetof(lp_vit, member)
#define BLOCK(member) offsetof(lp_vit_block, member)

/* ---- openai/CLIP clip/model.py, VisionTransformer; open_clip's keeps these names --------------
 */

static const lp_vit_weight openai_weights[] = {
    {"conv1.weight", "D,3,P,P", FIELD(patch_weight)},
    {"class_embedding", "D", FIELD(class_token)},
    {"positional_embedding", "T,D", FIELD(positions)},
    {"ln_pre.weight", "D", FIELD(norm_pre_weight)},
    {"ln_pre.bias", "D", FIELD(norm_pre_bias)},
    {"ln_post.weight", "D", FIELD(norm_post_weight)},
    {"ln_post.bias", "D", FIELD(norm_post_bias)},
    {"proj", "D,E", FIELD(projection)},
};

static const lp_vit_weight openai_block[] = {
    {"ln_1.weight", "D", BLOCK(norm1_weight)},
    {"ln_1.bias", "D", BLOCK(norm1_bias)},
    {"attn.in_proj_weight", "3D,D", BLOCK(qkv_weight)},
    {"attn.in_proj_bias", "3D", BLOCK(qkv_bias)},
    {"attn.out_proj.weight", "D,D", BLOCK(out_weight)},
    {"attn.out_proj.bias", "D", BLOCK(out_bias)},
    {"ln_2.weight", "D", BLOCK(norm2_weight)},
    {"ln_2.bias", "D", BLOCK(norm2_bias)},
    {"mlp.c_fc.weight", "M,D", BLOCK(fc1_weight)},
    {"mlp.c_fc.bias", "M", BLOCK(fc1_bias)},
    {"mlp.c_proj.weight", "D,M", BLOCK(fc2_weight)},
    {"mlp.c_proj.bias", "D", BLOCK(fc2_bias)},
};

const lp_vit_layout lp_vit_openai = {
    .blocks = "transformer.resblocks.",
    .weights = openai_weights,
    .weight_count = COUNT(openai_weights),
    .block_weights = openai_block,
    .block_weight_count = COUNT(openai_block),
};

/* ---- timm/models/vision_transformer.py, VisionTransformer -------------------------------------
 */

static const lp_vit_weight timm_weights[] = {
    {"patch_embed.proj.weight", "D,3,P,P", FIELD(patch_weight)},
    {"patch_embed.proj.bias", "D", FIELD(patch_bias)},
    {"cls_token", "1,1,D", FIELD(class_token)},
    {"pos_embed", "1,T,D", FIELD(positions)},
    {"norm.weight", "D", FIELD(norm_post_weight)},
    {"norm.bias", "D", FIELD(norm_post_bias)},
};

static const lp_vit_weight timm_block[] = {
    {"norm1.weight", "D", BLOCK(norm1_weight)},     {"norm1.bias", "D", BLOCK(norm1_bias)},
    {"attn.qkv.weight", "3D,D", BLOCK(qkv_weight)}, {"attn.qkv.bias", "3D", BLOCK(qkv_bias)},
    {"attn.proj.weight", "D,D", BLOCK(out_weight)}, {"attn.proj.bias", "D", BLOCK(out_bias)},
    {"norm2.weight", "D", BLOCK(norm2_weight)},     {"norm2.bias", "D", BLOCK(norm2_bias)},
    {"mlp.fc1.weight", "M,D", BLOCK(fc1_weight)},   {"mlp.fc1.bias", "M", BLOCK(fc1_bias)},
    {"mlp.fc2.weight", "D,M", BLOCK(fc2_weight)},   {"mlp.fc2.bias", "D", BLOCK(fc2_bias)},
};

static const char *const timm_ignored[] = {"head.", NULL};

const lp_vit_layout lp_vit_timm = {
    .blocks = "blocks.",
    .weights = timm_weights,
    .weight_count = COUNT(timm_weights),
    .block_weights = timm_block,
    .block_weight_count = COUNT(timm_block),
    .ignored = timm_ignored,
};
