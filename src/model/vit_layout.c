/* The names of a vision transformer's weights in each kind of file.  One table serves all models of
 * a naming: what only some of them have stands in a group. */
#include "model/vit_layout.h"

#include "model/vit_stored.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define VALUES(member) LP_VIT_VALUES, offsetof(lp_vit_stored, member)
#define LINEAR(member) LP_VIT_LINEAR, offsetof(lp_vit_stored, member)
#define POOL_VALUES(member) VALUES(pool.member)
#define POOL_LINEAR(member) LINEAR(pool.member)
#define BLOCK_VALUES(member) LP_VIT_VALUES, offsetof(lp_vit_stored_block, member)
#define BLOCK_LINEAR(member) LP_VIT_LINEAR, offsetof(lp_vit_stored_block, member)
#define JOINED LP_VIT_JOINED, 0
#define WITHOUT LP_VIT_WITHOUT

/* ---- openai/CLIP clip/model.py, VisionTransformer; open_clip's keeps these names --------------
 */

static const lp_vit_weight openai_weights[] = {
    {"conv1.weight", "D,3,P,P", LINEAR(patch), 0},
    {"class_embedding", "D", VALUES(class_token), 0},
    {"positional_embedding", "S,D", VALUES(positions), 0},
    {"ln_pre.weight", "D", VALUES(norm_pre_weight), 0},
    {"ln_pre.bias", "D", VALUES(norm_pre_bias), 0},
    {"ln_post.weight", "D", VALUES(norm_post_weight), 0},
    {"ln_post.bias", "D", VALUES(norm_post_bias), 0},
    {"proj", "D,E", LINEAR(projection), 0},
};

static const lp_vit_weight openai_block[] = {
    {"ln_1.weight", "D", BLOCK_VALUES(norm1_weight), 0},
    {"ln_1.bias", "D", BLOCK_VALUES(norm1_bias), 0},
    {"attn.in_proj_weight", "3D,D", BLOCK_LINEAR(qkv), 0},
    {"attn.in_proj_bias", "3D", BLOCK_VALUES(qkv.bias), 0},
    {"attn.out_proj.weight", "D,D", BLOCK_LINEAR(out), 0},
    {"attn.out_proj.bias", "D", BLOCK_VALUES(out.bias), 0},
    {"ls_1.gamma", "D", BLOCK_VALUES(scale1), LP_VIT_LAYER_SCALE},
    {"ln_2.weight", "D", BLOCK_VALUES(norm2_weight), 0},
    {"ln_2.bias", "D", BLOCK_VALUES(norm2_bias), 0},
    {"mlp.c_fc.weight", "M,D", BLOCK_LINEAR(fc1), 0},
    {"mlp.c_fc.bias", "M", BLOCK_VALUES(fc1.bias), 0},
    {"mlp.c_proj.weight", "D,M", BLOCK_LINEAR(fc2), 0},
    {"mlp.c_proj.bias", "D", BLOCK_VALUES(fc2.bias), 0},
    {"ls_2.gamma", "D", BLOCK_VALUES(scale2), LP_VIT_LAYER_SCALE},
};

const lp_vit_layout lp_vit_openai = {
    .positions = "positional_embedding",
    .projection_transposed = true,
    .blocks = "transformer.resblocks.",
    .weights = openai_weights,
    .weight_count = COUNT(openai_weights),
    .block_weights = openai_block,
    .block_weight_count = COUNT(openai_block),
};

/* ---- timm/models/vision_transformer.py and deit.py; facebookresearch/dino, dinov2, mae, deit ---
 */

static const lp_vit_weight timm_weights[] = {
    {"patch_embed.proj.weight", "D,3,P,P", LINEAR(patch), 0},
    {"patch_embed.proj.bias", "D", VALUES(patch.bias), WITHOUT | LP_VIT_NORM_PRE},
    {"cls_token", "1,1,D", VALUES(class_token), LP_VIT_CLASS},
    {"reg_token", "1,R,D", VALUES(extra_tokens), LP_VIT_REGISTERS},              /* timm */
    {"register_tokens", "1,R,D", VALUES(extra_tokens), LP_VIT_REGISTERS_DINOV2}, /* dinov2 */
    {"dist_token", "1,1,D", VALUES(extra_tokens), LP_VIT_DISTILLED},
    {"pos_embed", "1,S,D", VALUES(positions), 0},
    {"norm_pre.weight", "D", VALUES(norm_pre_weight), LP_VIT_NORM_PRE},
    {"norm_pre.bias", "D", VALUES(norm_pre_bias), LP_VIT_NORM_PRE},
    {"norm.weight", "D", VALUES(norm_post_weight), WITHOUT | LP_VIT_FC_NORM},
    {"norm.bias", "D", VALUES(norm_post_bias), WITHOUT | LP_VIT_FC_NORM},
    {"fc_norm.weight", "D", VALUES(fc_norm_weight), LP_VIT_FC_NORM},
    {"fc_norm.bias", "D", VALUES(fc_norm_bias), LP_VIT_FC_NORM},
    {"attn_pool.latent", "1,1,D", POOL_VALUES(query), LP_VIT_ATTENTION_POOL},
    {"attn_pool.q.weight", "D,D", POOL_LINEAR(qkv), LP_VIT_ATTENTION_POOL},
    {"attn_pool.kv.weight", "2D,D", JOINED, LP_VIT_ATTENTION_POOL},
    {"attn_pool.q.bias", "D", POOL_VALUES(qkv.bias), LP_VIT_ATTENTION_POOL},
    {"attn_pool.kv.bias", "2D", JOINED, LP_VIT_ATTENTION_POOL},
    {"attn_pool.proj.weight", "D,D", POOL_LINEAR(out), LP_VIT_ATTENTION_POOL},
    {"attn_pool.proj.bias", "D", POOL_VALUES(out.bias), LP_VIT_ATTENTION_POOL},
    {"attn_pool.norm.weight", "D", POOL_VALUES(norm_weight), LP_VIT_ATTENTION_POOL},
    {"attn_pool.norm.bias", "D", POOL_VALUES(norm_bias), LP_VIT_ATTENTION_POOL},
    {"attn_pool.mlp.fc1.weight", "A,D", POOL_LINEAR(fc1), LP_VIT_ATTENTION_POOL},
    {"attn_pool.mlp.fc1.bias", "A", POOL_VALUES(fc1.bias), LP_VIT_ATTENTION_POOL},
    {"attn_pool.mlp.fc2.weight", "D,A", POOL_LINEAR(fc2), LP_VIT_ATTENTION_POOL},
    {"attn_pool.mlp.fc2.bias", "D", POOL_VALUES(fc2.bias), LP_VIT_ATTENTION_POOL},
    {"/visual.head.proj.weight", "E,D", LINEAR(projection),
     LP_VIT_HEAD}, /* open_clip timm_model.py */
    {"/visual.head.proj.bias", "E", VALUES(projection.bias), LP_VIT_HEAD_BIAS},
};

static const lp_vit_weight timm_block[] = {
    {"norm1.weight", "D", BLOCK_VALUES(norm1_weight), 0},
    {"norm1.bias", "D", BLOCK_VALUES(norm1_bias), 0},
    {"attn.qkv.weight", "3D,D", BLOCK_LINEAR(qkv), 0},
    {"attn.qkv.bias", "3D", BLOCK_VALUES(qkv.bias), LP_VIT_QKV_BIAS},
    {"attn.proj.weight", "D,D", BLOCK_LINEAR(out), 0},
    {"attn.proj.bias", "D", BLOCK_VALUES(out.bias), 0},
    {"ls1.gamma", "D", BLOCK_VALUES(scale1), LP_VIT_LAYER_SCALE},
    {"gamma_1", "D", BLOCK_VALUES(scale1),
     LP_VIT_LAYER_SCALE_DEIT}, /* facebookresearch/deit, DeiT III */
    {"norm2.weight", "D", BLOCK_VALUES(norm2_weight), 0},
    {"norm2.bias", "D", BLOCK_VALUES(norm2_bias), 0},
    {"mlp.fc1.weight", "M,D", BLOCK_LINEAR(fc1), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.fc1.bias", "M", BLOCK_VALUES(fc1.bias), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.fc2.weight", "D,M", BLOCK_LINEAR(fc2), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.fc2.bias", "D", BLOCK_VALUES(fc2.bias), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.fc1.weight", "2M,D", BLOCK_LINEAR(fc1), LP_VIT_GATED_BY_SHAPE},
    {"mlp.fc1.bias", "2M", BLOCK_VALUES(fc1.bias), LP_VIT_GATED_BY_SHAPE},
    {"mlp.fc2.weight", "D,M", BLOCK_LINEAR(fc2), LP_VIT_GATED_BY_SHAPE},
    {"mlp.fc2.bias", "D", BLOCK_VALUES(fc2.bias), LP_VIT_GATED_BY_SHAPE},
    {"mlp.w12.weight", "2M,D", BLOCK_LINEAR(fc1), LP_VIT_GATED}, /* dinov2, ViT-g */
    {"mlp.w12.bias", "2M", BLOCK_VALUES(fc1.bias), LP_VIT_GATED},
    {"mlp.w3.weight", "D,M", BLOCK_LINEAR(fc2), LP_VIT_GATED},
    {"mlp.w3.bias", "D", BLOCK_VALUES(fc2.bias), LP_VIT_GATED},
    {"ls2.gamma", "D", BLOCK_VALUES(scale2), LP_VIT_LAYER_SCALE},
    {"gamma_2", "D", BLOCK_VALUES(scale2), LP_VIT_LAYER_SCALE_DEIT},
};

/* Heads of classifiers; what only training uses: MAE's decoder, the token of a masked patch. */
static const char *const timm_ignored[] = {"head.",    "head_dist.",  "mask_token",
                                           "decoder_", "pre_logits.", NULL};

const lp_vit_layout lp_vit_timm = {
    .positions = "pos_embed",
    .patches_alone = true, /* no_embed_class */
    .blocks = "blocks.",
    .fc1 = "mlp.fc1.weight",
    .fc2 = "mlp.fc2.weight",
    .weights = timm_weights,
    .weight_count = COUNT(timm_weights),
    .block_weights = timm_block,
    .block_weight_count = COUNT(timm_block),
    .ignored = timm_ignored,
};

/* ---- transformers/models/clip and siglip: CLIPVisionModel, SiglipVisionModel -------------------
 */

static const lp_vit_weight hf_clip_weights[] = {
    {"embeddings.patch_embedding.weight", "D,3,P,P", LINEAR(patch), 0},
    {"embeddings.patch_embedding.bias", "D", VALUES(patch.bias),
     WITHOUT | LP_VIT_CLASS}, /* SigLIP */
    {"embeddings.class_embedding", "D", VALUES(class_token), LP_VIT_CLASS},
    {"embeddings.position_embedding.weight", "S,D", VALUES(positions), 0},
    {"pre_layrnorm.weight", "D", VALUES(norm_pre_weight), LP_VIT_CLASS},
    {"pre_layrnorm.bias", "D", VALUES(norm_pre_bias), LP_VIT_CLASS},
    {"post_layernorm.weight", "D", VALUES(norm_post_weight), 0},
    {"post_layernorm.bias", "D", VALUES(norm_post_bias), 0},
    {"/visual_projection.weight", "E,D", LINEAR(projection), LP_VIT_HEAD},
    {"head.probe", "1,1,D", POOL_VALUES(query), LP_VIT_ATTENTION_POOL},
    {"head.attention.in_proj_weight", "3D,D", POOL_LINEAR(qkv), LP_VIT_ATTENTION_POOL},
    {"head.attention.in_proj_bias", "3D", POOL_VALUES(qkv.bias), LP_VIT_ATTENTION_POOL},
    {"head.attention.out_proj.weight", "D,D", POOL_LINEAR(out), LP_VIT_ATTENTION_POOL},
    {"head.attention.out_proj.bias", "D", POOL_VALUES(out.bias), LP_VIT_ATTENTION_POOL},
    {"head.layernorm.weight", "D", POOL_VALUES(norm_weight), LP_VIT_ATTENTION_POOL},
    {"head.layernorm.bias", "D", POOL_VALUES(norm_bias), LP_VIT_ATTENTION_POOL},
    {"head.mlp.fc1.weight", "A,D", POOL_LINEAR(fc1), LP_VIT_ATTENTION_POOL},
    {"head.mlp.fc1.bias", "A", POOL_VALUES(fc1.bias), LP_VIT_ATTENTION_POOL},
    {"head.mlp.fc2.weight", "D,A", POOL_LINEAR(fc2), LP_VIT_ATTENTION_POOL},
    {"head.mlp.fc2.bias", "D", POOL_VALUES(fc2.bias), LP_VIT_ATTENTION_POOL},
};

static const lp_vit_weight hf_clip_block[] = {
    {"layer_norm1.weight", "D", BLOCK_VALUES(norm1_weight), 0},
    {"layer_norm1.bias", "D", BLOCK_VALUES(norm1_bias), 0},
    {"self_attn.q_proj.weight", "D,D", BLOCK_LINEAR(qkv), 0},
    {"self_attn.k_proj.weight", "D,D", JOINED, 0},
    {"self_attn.v_proj.weight", "D,D", JOINED, 0},
    {"self_attn.q_proj.bias", "D", BLOCK_VALUES(qkv.bias), 0},
    {"self_attn.k_proj.bias", "D", JOINED, 0},
    {"self_attn.v_proj.bias", "D", JOINED, 0},
    {"self_attn.out_proj.weight", "D,D", BLOCK_LINEAR(out), 0},
    {"self_attn.out_proj.bias", "D", BLOCK_VALUES(out.bias), 0},
    {"layer_norm2.weight", "D", BLOCK_VALUES(norm2_weight), 0},
    {"layer_norm2.bias", "D", BLOCK_VALUES(norm2_bias), 0},
    {"mlp.fc1.weight", "M,D", BLOCK_LINEAR(fc1), 0},
    {"mlp.fc1.bias", "M", BLOCK_VALUES(fc1.bias), 0},
    {"mlp.fc2.weight", "D,M", BLOCK_LINEAR(fc2), 0},
    {"mlp.fc2.bias", "D", BLOCK_VALUES(fc2.bias), 0},
};

/* A buffer of old files: 0, 1, 2, ...; with the prefix "", the text tower and what joins the two.
 */
static const char *const hf_clip_ignored[] = {"embeddings.position_ids", NULL};

const lp_vit_layout lp_vit_hf_clip = {
    .positions = "embeddings.position_embedding.weight",
    .blocks = "encoder.layers.",
    .weights = hf_clip_weights,
    .weight_count = COUNT(hf_clip_weights),
    .block_weights = hf_clip_block,
    .block_weight_count = COUNT(hf_clip_block),
    .ignored = hf_clip_ignored,
};

/* ---- transformers/models/dinov2 and dinov2_with_registers; vit ----------------------------------
 */

static const lp_vit_weight hf_weights[] = {
    {"embeddings.patch_embeddings.projection.weight", "D,3,P,P", LINEAR(patch), 0},
    {"embeddings.patch_embeddings.projection.bias", "D", VALUES(patch.bias), 0},
    {"embeddings.cls_token", "1,1,D", VALUES(class_token), 0},
    {"embeddings.register_tokens", "1,R,D", VALUES(extra_tokens), LP_VIT_REGISTERS},
    {"embeddings.position_embeddings", "1,S,D", VALUES(positions), 0},
    {"layernorm.weight", "D", VALUES(norm_post_weight), 0},
    {"layernorm.bias", "D", VALUES(norm_post_bias), 0},
};

static const lp_vit_weight hf_dinov2_block[] = {
    {"norm1.weight", "D", BLOCK_VALUES(norm1_weight), 0},
    {"norm1.bias", "D", BLOCK_VALUES(norm1_bias), 0},
    {"attention.attention.query.weight", "D,D", BLOCK_LINEAR(qkv), 0},
    {"attention.attention.key.weight", "D,D", JOINED, 0},
    {"attention.attention.value.weight", "D,D", JOINED, 0},
    {"attention.attention.query.bias", "D", BLOCK_VALUES(qkv.bias), 0},
    {"attention.attention.key.bias", "D", JOINED, 0},
    {"attention.attention.value.bias", "D", JOINED, 0},
    {"attention.output.dense.weight", "D,D", BLOCK_LINEAR(out), 0},
    {"attention.output.dense.bias", "D", BLOCK_VALUES(out.bias), 0},
    {"layer_scale1.lambda1", "D", BLOCK_VALUES(scale1), 0},
    {"norm2.weight", "D", BLOCK_VALUES(norm2_weight), 0},
    {"norm2.bias", "D", BLOCK_VALUES(norm2_bias), 0},
    {"mlp.fc1.weight", "M,D", BLOCK_LINEAR(fc1), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.fc1.bias", "M", BLOCK_VALUES(fc1.bias), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.fc2.weight", "D,M", BLOCK_LINEAR(fc2), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.fc2.bias", "D", BLOCK_VALUES(fc2.bias), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.weights_in.weight", "2M,D", BLOCK_LINEAR(fc1), LP_VIT_GATED},
    {"mlp.weights_in.bias", "2M", BLOCK_VALUES(fc1.bias), LP_VIT_GATED},
    {"mlp.weights_out.weight", "D,M", BLOCK_LINEAR(fc2), LP_VIT_GATED},
    {"mlp.weights_out.bias", "D", BLOCK_VALUES(fc2.bias), LP_VIT_GATED},
    {"layer_scale2.lambda1", "D", BLOCK_VALUES(scale2), 0},
};

static const char *const hf_ignored[] = {"embeddings.mask_token", "pooler.", "classifier.",
                                         "decoder.", NULL};

const lp_vit_layout lp_vit_hf_dinov2 = {
    .positions = "embeddings.position_embeddings",
    .blocks = "encoder.layer.",
    .weights = hf_weights,
    .weight_count = COUNT(hf_weights),
    .block_weights = hf_dinov2_block,
    .block_weight_count = COUNT(hf_dinov2_block),
    .ignored = hf_ignored,
};

static const lp_vit_weight hf_block[] = {
    {"layernorm_before.weight", "D", BLOCK_VALUES(norm1_weight), 0},
    {"layernorm_before.bias", "D", BLOCK_VALUES(norm1_bias), 0},
    {"attention.attention.query.weight", "D,D", BLOCK_LINEAR(qkv), 0},
    {"attention.attention.key.weight", "D,D", JOINED, 0},
    {"attention.attention.value.weight", "D,D", JOINED, 0},
    {"attention.attention.query.bias", "D", BLOCK_VALUES(qkv.bias), 0},
    {"attention.attention.key.bias", "D", JOINED, 0},
    {"attention.attention.value.bias", "D", JOINED, 0},
    {"attention.output.dense.weight", "D,D", BLOCK_LINEAR(out), 0},
    {"attention.output.dense.bias", "D", BLOCK_VALUES(out.bias), 0},
    {"layernorm_after.weight", "D", BLOCK_VALUES(norm2_weight), 0},
    {"layernorm_after.bias", "D", BLOCK_VALUES(norm2_bias), 0},
    {"intermediate.dense.weight", "M,D", BLOCK_LINEAR(fc1), 0},
    {"intermediate.dense.bias", "M", BLOCK_VALUES(fc1.bias), 0},
    {"output.dense.weight", "D,M", BLOCK_LINEAR(fc2), 0},
    {"output.dense.bias", "D", BLOCK_VALUES(fc2.bias), 0},
};

const lp_vit_layout lp_vit_hf = {
    .positions = "embeddings.position_embeddings",
    .blocks = "encoder.layer.",
    .weights = hf_weights,
    .weight_count = COUNT(hf_weights),
    .block_weights = hf_block,
    .block_weight_count = COUNT(hf_block),
    .ignored = hf_ignored,
};
