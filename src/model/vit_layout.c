/* The names of a vision transformer's weights in each kind of file.  One table serves all models of
 * a naming: what only some of them have stands in a group. */
#include "model/vit_layout.h"

#include "model/vit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FIELD(member) offsetof(lp_vit, member)
#define POOL(member) offsetof(lp_vit, attention_pool.member)
#define BLOCK(member) offsetof(lp_vit_block, member)
#define JOINED LP_VIT_JOINED

/* ---- openai/CLIP clip/model.py, VisionTransformer; open_clip's keeps these names --------------
 */

static const lp_vit_weight openai_weights[] = {
    {"conv1.weight", "D,3,P,P", FIELD(patch.weights), 0},
    {"class_embedding", "D", FIELD(class_token), 0},
    {"positional_embedding", "S,D", FIELD(stored_positions), 0},
    {"ln_pre.weight", "D", FIELD(norm_pre_weight), 0},
    {"ln_pre.bias", "D", FIELD(norm_pre_bias), 0},
    {"ln_post.weight", "D", FIELD(norm_post_weight), 0},
    {"ln_post.bias", "D", FIELD(norm_post_bias), 0},
    {"proj", "D,E", FIELD(projection), 0},
};

static const lp_vit_weight openai_block[] = {
    {"ln_1.weight", "D", BLOCK(norm1_weight), 0},
    {"ln_1.bias", "D", BLOCK(norm1_bias), 0},
    {"attn.in_proj_weight", "3D,D", BLOCK(qkv.weights), 0},
    {"attn.in_proj_bias", "3D", BLOCK(qkv.bias), 0},
    {"attn.out_proj.weight", "D,D", BLOCK(out.weights), 0},
    {"attn.out_proj.bias", "D", BLOCK(out.bias), 0},
    {"ls_1.gamma", "D", BLOCK(scale1), 'l'},
    {"ln_2.weight", "D", BLOCK(norm2_weight), 0},
    {"ln_2.bias", "D", BLOCK(norm2_bias), 0},
    {"mlp.c_fc.weight", "M,D", BLOCK(fc1.weights), 0},
    {"mlp.c_fc.bias", "M", BLOCK(fc1.bias), 0},
    {"mlp.c_proj.weight", "D,M", BLOCK(fc2.weights), 0},
    {"mlp.c_proj.bias", "D", BLOCK(fc2.bias), 0},
    {"ls_2.gamma", "D", BLOCK(scale2), 'l'},
};

const lp_vit_layout lp_vit_openai = {
    .positions = "positional_embedding",
    .blocks = "transformer.resblocks.",
    .weights = openai_weights,
    .weight_count = COUNT(openai_weights),
    .block_weights = openai_block,
    .block_weight_count = COUNT(openai_block),
};

/* ---- timm/models/vision_transformer.py and deit.py; facebookresearch/dino, dinov2, mae, deit ---
 */

static const lp_vit_weight timm_weights[] = {
    {"patch_embed.proj.weight", "D,3,P,P", FIELD(patch.weights), 0},
    {"patch_embed.proj.bias", "D", FIELD(patch.bias), 'N'},
    {"cls_token", "1,1,D", FIELD(class_token), LP_VIT_CLASS},
    {"reg_token", "1,R,D", FIELD(extra_tokens), LP_VIT_EXTRA},              /* timm */
    {"register_tokens", "1,R,D", FIELD(extra_tokens), LP_VIT_EXTRA_DINOV2}, /* dinov2 */
    {"dist_token", "1,1,D", FIELD(extra_tokens), LP_VIT_DISTILLED},
    {"pos_embed", "1,S,D", FIELD(stored_positions), 0},
    {"norm_pre.weight", "D", FIELD(norm_pre_weight), 'n'},
    {"norm_pre.bias", "D", FIELD(norm_pre_bias), 'n'},
    {"norm.weight", "D", FIELD(norm_post_weight), 'F'},
    {"norm.bias", "D", FIELD(norm_post_bias), 'F'},
    {"fc_norm.weight", "D", FIELD(fc_norm_weight), LP_VIT_FC_NORM},
    {"fc_norm.bias", "D", FIELD(fc_norm_bias), LP_VIT_FC_NORM},
    {"attn_pool.latent", "1,1,D", POOL(query), LP_VIT_ATTENTION},
    {"attn_pool.q.weight", "D,D", POOL(qkv.weights), LP_VIT_ATTENTION},
    {"attn_pool.kv.weight", "2D,D", JOINED, LP_VIT_ATTENTION},
    {"attn_pool.q.bias", "D", POOL(qkv.bias), LP_VIT_ATTENTION},
    {"attn_pool.kv.bias", "2D", JOINED, LP_VIT_ATTENTION},
    {"attn_pool.proj.weight", "D,D", POOL(out.weights), LP_VIT_ATTENTION},
    {"attn_pool.proj.bias", "D", POOL(out.bias), LP_VIT_ATTENTION},
    {"attn_pool.norm.weight", "D", POOL(norm_weight), LP_VIT_ATTENTION},
    {"attn_pool.norm.bias", "D", POOL(norm_bias), LP_VIT_ATTENTION},
    {"attn_pool.mlp.fc1.weight", "A,D", POOL(fc1.weights), LP_VIT_ATTENTION},
    {"attn_pool.mlp.fc1.bias", "A", POOL(fc1.bias), LP_VIT_ATTENTION},
    {"attn_pool.mlp.fc2.weight", "D,A", POOL(fc2.weights), LP_VIT_ATTENTION},
    {"attn_pool.mlp.fc2.bias", "D", POOL(fc2.bias), LP_VIT_ATTENTION},
    {"/visual.head.proj.weight", "E,D", FIELD(head.weights), 'h'}, /* open_clip timm_model.py */
    {"/visual.head.proj.bias", "E", FIELD(head.bias), 'i'},
};

static const lp_vit_weight timm_block[] = {
    {"norm1.weight", "D", BLOCK(norm1_weight), 0},
    {"norm1.bias", "D", BLOCK(norm1_bias), 0},
    {"attn.qkv.weight", "3D,D", BLOCK(qkv.weights), 0},
    {"attn.qkv.bias", "3D", BLOCK(qkv.bias), 'q'},
    {"attn.proj.weight", "D,D", BLOCK(out.weights), 0},
    {"attn.proj.bias", "D", BLOCK(out.bias), 0},
    {"ls1.gamma", "D", BLOCK(scale1), 'l'},
    {"gamma_1", "D", BLOCK(scale1), 's'}, /* facebookresearch/deit, DeiT III */
    {"norm2.weight", "D", BLOCK(norm2_weight), 0},
    {"norm2.bias", "D", BLOCK(norm2_bias), 0},
    {"mlp.fc1.weight", "M,D", BLOCK(fc1.weights), 'M'},
    {"mlp.fc1.bias", "M", BLOCK(fc1.bias), 'M'},
    {"mlp.fc2.weight", "D,M", BLOCK(fc2.weights), 'M'},
    {"mlp.fc2.bias", "D", BLOCK(fc2.bias), 'M'},
    {"mlp.fc1.weight", "2M,D", BLOCK(fc1.weights), LP_VIT_PACKED},
    {"mlp.fc1.bias", "2M", BLOCK(fc1.bias), LP_VIT_PACKED},
    {"mlp.fc2.weight", "D,M", BLOCK(fc2.weights), LP_VIT_PACKED},
    {"mlp.fc2.bias", "D", BLOCK(fc2.bias), LP_VIT_PACKED},
    {"mlp.w12.weight", "2M,D", BLOCK(fc1.weights), LP_VIT_GATED}, /* dinov2, ViT-g */
    {"mlp.w12.bias", "2M", BLOCK(fc1.bias), LP_VIT_GATED},
    {"mlp.w3.weight", "D,M", BLOCK(fc2.weights), LP_VIT_GATED},
    {"mlp.w3.bias", "D", BLOCK(fc2.bias), LP_VIT_GATED},
    {"ls2.gamma", "D", BLOCK(scale2), 'l'},
    {"gamma_2", "D", BLOCK(scale2), 's'},
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
    {"embeddings.patch_embedding.weight", "D,3,P,P", FIELD(patch.weights), 0},
    {"embeddings.patch_embedding.bias", "D", FIELD(patch.bias), 'C'}, /* SigLIP */
    {"embeddings.class_embedding", "D", FIELD(class_token), LP_VIT_CLASS},
    {"embeddings.position_embedding.weight", "S,D", FIELD(stored_positions), 0},
    {"pre_layrnorm.weight", "D", FIELD(norm_pre_weight), LP_VIT_CLASS},
    {"pre_layrnorm.bias", "D", FIELD(norm_pre_bias), LP_VIT_CLASS},
    {"post_layernorm.weight", "D", FIELD(norm_post_weight), 0},
    {"post_layernorm.bias", "D", FIELD(norm_post_bias), 0},
    {"/visual_projection.weight", "E,D", FIELD(head.weights), 'v'},
    {"head.probe", "1,1,D", POOL(query), LP_VIT_ATTENTION},
    {"head.attention.in_proj_weight", "3D,D", POOL(qkv.weights), LP_VIT_ATTENTION},
    {"head.attention.in_proj_bias", "3D", POOL(qkv.bias), LP_VIT_ATTENTION},
    {"head.attention.out_proj.weight", "D,D", POOL(out.weights), LP_VIT_ATTENTION},
    {"head.attention.out_proj.bias", "D", POOL(out.bias), LP_VIT_ATTENTION},
    {"head.layernorm.weight", "D", POOL(norm_weight), LP_VIT_ATTENTION},
    {"head.layernorm.bias", "D", POOL(norm_bias), LP_VIT_ATTENTION},
    {"head.mlp.fc1.weight", "A,D", POOL(fc1.weights), LP_VIT_ATTENTION},
    {"head.mlp.fc1.bias", "A", POOL(fc1.bias), LP_VIT_ATTENTION},
    {"head.mlp.fc2.weight", "D,A", POOL(fc2.weights), LP_VIT_ATTENTION},
    {"head.mlp.fc2.bias", "D", POOL(fc2.bias), LP_VIT_ATTENTION},
};

static const lp_vit_weight hf_clip_block[] = {
    {"layer_norm1.weight", "D", BLOCK(norm1_weight), 0},
    {"layer_norm1.bias", "D", BLOCK(norm1_bias), 0},
    {"self_attn.q_proj.weight", "D,D", BLOCK(qkv.weights), 0},
    {"self_attn.k_proj.weight", "D,D", JOINED, 0},
    {"self_attn.v_proj.weight", "D,D", JOINED, 0},
    {"self_attn.q_proj.bias", "D", BLOCK(qkv.bias), 0},
    {"self_attn.k_proj.bias", "D", JOINED, 0},
    {"self_attn.v_proj.bias", "D", JOINED, 0},
    {"self_attn.out_proj.weight", "D,D", BLOCK(out.weights), 0},
    {"self_attn.out_proj.bias", "D", BLOCK(out.bias), 0},
    {"layer_norm2.weight", "D", BLOCK(norm2_weight), 0},
    {"layer_norm2.bias", "D", BLOCK(norm2_bias), 0},
    {"mlp.fc1.weight", "M,D", BLOCK(fc1.weights), 0},
    {"mlp.fc1.bias", "M", BLOCK(fc1.bias), 0},
    {"mlp.fc2.weight", "D,M", BLOCK(fc2.weights), 0},
    {"mlp.fc2.bias", "D", BLOCK(fc2.bias), 0},
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
    {"embeddings.patch_embeddings.projection.weight", "D,3,P,P", FIELD(patch.weights), 0},
    {"embeddings.patch_embeddings.projection.bias", "D", FIELD(patch.bias), 0},
    {"embeddings.cls_token", "1,1,D", FIELD(class_token), 0},
    {"embeddings.register_tokens", "1,R,D", FIELD(extra_tokens), LP_VIT_EXTRA},
    {"embeddings.position_embeddings", "1,S,D", FIELD(stored_positions), 0},
    {"layernorm.weight", "D", FIELD(norm_post_weight), 0},
    {"layernorm.bias", "D", FIELD(norm_post_bias), 0},
};

static const lp_vit_weight hf_dinov2_block[] = {
    {"norm1.weight", "D", BLOCK(norm1_weight), 0},
    {"norm1.bias", "D", BLOCK(norm1_bias), 0},
    {"attention.attention.query.weight", "D,D", BLOCK(qkv.weights), 0},
    {"attention.attention.key.weight", "D,D", JOINED, 0},
    {"attention.attention.value.weight", "D,D", JOINED, 0},
    {"attention.attention.query.bias", "D", BLOCK(qkv.bias), 0},
    {"attention.attention.key.bias", "D", JOINED, 0},
    {"attention.attention.value.bias", "D", JOINED, 0},
    {"attention.output.dense.weight", "D,D", BLOCK(out.weights), 0},
    {"attention.output.dense.bias", "D", BLOCK(out.bias), 0},
    {"layer_scale1.lambda1", "D", BLOCK(scale1), 0},
    {"norm2.weight", "D", BLOCK(norm2_weight), 0},
    {"norm2.bias", "D", BLOCK(norm2_bias), 0},
    {"mlp.fc1.weight", "M,D", BLOCK(fc1.weights), 'M'},
    {"mlp.fc1.bias", "M", BLOCK(fc1.bias), 'M'},
    {"mlp.fc2.weight", "D,M", BLOCK(fc2.weights), 'M'},
    {"mlp.fc2.bias", "D", BLOCK(fc2.bias), 'M'},
    {"mlp.weights_in.weight", "2M,D", BLOCK(fc1.weights), LP_VIT_GATED},
    {"mlp.weights_in.bias", "2M", BLOCK(fc1.bias), LP_VIT_GATED},
    {"mlp.weights_out.weight", "D,M", BLOCK(fc2.weights), LP_VIT_GATED},
    {"mlp.weights_out.bias", "D", BLOCK(fc2.bias), LP_VIT_GATED},
    {"layer_scale2.lambda1", "D", BLOCK(scale2), 0},
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
    {"layernorm_before.weight", "D", BLOCK(norm1_weight), 0},
    {"layernorm_before.bias", "D", BLOCK(norm1_bias), 0},
    {"attention.attention.query.weight", "D,D", BLOCK(qkv.weights), 0},
    {"attention.attention.key.weight", "D,D", JOINED, 0},
    {"attention.attention.value.weight", "D,D", JOINED, 0},
    {"attention.attention.query.bias", "D", BLOCK(qkv.bias), 0},
    {"attention.attention.key.bias", "D", JOINED, 0},
    {"attention.attention.value.bias", "D", JOINED, 0},
    {"attention.output.dense.weight", "D,D", BLOCK(out.weights), 0},
    {"attention.output.dense.bias", "D", BLOCK(out.bias), 0},
    {"layernorm_after.weight", "D", BLOCK(norm2_weight), 0},
    {"layernorm_after.bias", "D", BLOCK(norm2_bias), 0},
    {"intermediate.dense.weight", "M,D", BLOCK(fc1.weights), 0},
    {"intermediate.dense.bias", "M", BLOCK(fc1.bias), 0},
    {"output.dense.weight", "D,M", BLOCK(fc2.weights), 0},
    {"output.dense.bias", "D", BLOCK(fc2.bias), 0},
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
