/* The names of a vision transformer's weights in each kind of file.  One table serves all models of
 * a naming: what only some of them have stands in a group. */
#include "model/vit_layout.h"

#include "model/vit_stored.h"

#define ROWS(table)                                                                                \
    { table, sizeof(table) / sizeof((table)[0]) }
#define VALUES(member) LP_VIT_VALUES, offsetof(lp_vit_stored, member)
#define NORM(member) LP_VIT_NORM, offsetof(lp_vit_stored, member)
#define LINEAR(member) LP_VIT_LINEAR, offsetof(lp_vit_stored, member)
#define BLOCK_VALUES(member) LP_VIT_VALUES, offsetof(lp_vit_stored_block, member)
#define BLOCK_NORM(member) LP_VIT_NORM, offsetof(lp_vit_stored_block, member)
#define BLOCK_LINEAR(member) LP_VIT_LINEAR, offsetof(lp_vit_stored_block, member)
#define JOINED LP_VIT_JOINED, 0
#define WITHOUT LP_VIT_WITHOUT

/* ---- openai/CLIP clip/model.py, VisionTransformer; open_clip's keeps these names ------------- */

static const lp_vit_weight openai_weights[] = {
    {"conv1.weight", "D,3,P,P", NULL, LINEAR(patch), 0},
    {"class_embedding", "D", NULL, VALUES(class_token), 0},
    {"positional_embedding", "S,D", NULL, VALUES(positions), 0},
    {"ln_pre", "D", "D", NORM(norm_pre), LP_VIT_NORM_PRE}, /* not in CLIPA */
    {"ln_post", "D", "D", NORM(norm_post), 0},
    {"proj", "D,E", NULL, LINEAR(projection), LP_VIT_HEAD}, /* None where it was taken off */
};

static const lp_vit_weight openai_block[] = {
    {"ln_1", "D", "D", BLOCK_NORM(norm1), 0},
    {"attn.in_proj_weight", "3D,D", NULL, BLOCK_LINEAR(qkv), 0},
    {"attn.in_proj_bias", "3D", NULL, BLOCK_VALUES(qkv.bias), 0},
    {"attn.out_proj", "D,D", "D", BLOCK_LINEAR(out), 0},
    {"ls_1.gamma", "D", NULL, BLOCK_VALUES(scale1), LP_VIT_LAYER_SCALE},
    {"ln_2", "D", "D", BLOCK_NORM(norm2), 0},
    {"mlp.c_fc", "M,D", "M", BLOCK_LINEAR(fc1), 0},
    {"mlp.c_proj", "D,M", "D", BLOCK_LINEAR(fc2), 0},
    {"ls_2.gamma", "D", NULL, BLOCK_VALUES(scale2), LP_VIT_LAYER_SCALE},
};

const lp_vit_layout lp_vit_openai = {
    .positions = "positional_embedding",
    .projection_transposed = true,
    .blocks = "transformer.resblocks.",
    .weights = ROWS(openai_weights),
    .block_weights = ROWS(openai_block),
};

/* ---- timm/models/vision_transformer.py and deit.py; facebookresearch/dino, dinov2, mae, deit - */

static const lp_vit_weight timm_weights[] = {
    {"patch_embed.proj.weight", "D,3,P,P", NULL, LINEAR(patch), 0},
    {"patch_embed.proj.bias", "D", NULL, VALUES(patch.bias), WITHOUT | LP_VIT_NORM_PRE},
    {"cls_token", "1,1,D", NULL, VALUES(class_token), LP_VIT_CLASS},
    {"reg_token", "1,R,D", NULL, VALUES(extra_tokens), LP_VIT_REGISTERS},              /* timm */
    {"register_tokens", "1,R,D", NULL, VALUES(extra_tokens), LP_VIT_REGISTERS_DINOV2}, /* dinov2 */
    {"dist_token", "1,1,D", NULL, VALUES(extra_tokens), LP_VIT_DISTILLED},
    {"pos_embed", "1,S,D", NULL, VALUES(positions), 0},
    {"norm_pre", "D", "D", NORM(norm_pre), LP_VIT_NORM_PRE},
    {"norm", "D", "D", NORM(norm_post), LP_VIT_NORM_POST}, /* not with fc_norm, InternViT, RADIO */
    {"fc_norm", "D", "D", NORM(fc_norm), LP_VIT_FC_NORM},
    {"attn_pool.latent", "1,1,D", NULL, VALUES(pool.query), LP_VIT_ATTENTION_POOL},
    {"attn_pool.q.weight", "D,D", NULL, LINEAR(pool.qkv), LP_VIT_ATTENTION_POOL},
    {"attn_pool.kv.weight", "2D,D", NULL, JOINED, LP_VIT_ATTENTION_POOL},
    {"attn_pool.q.bias", "D", NULL, VALUES(pool.qkv.bias), LP_VIT_ATTENTION_POOL},
    {"attn_pool.kv.bias", "2D", NULL, JOINED, LP_VIT_ATTENTION_POOL},
    {"attn_pool.proj", "D,D", "D", LINEAR(pool.out), LP_VIT_ATTENTION_POOL},
    {"attn_pool.norm", "D", "D", NORM(pool.norm), LP_VIT_ATTENTION_POOL},
    {"attn_pool.mlp.fc1", "A,D", "A", LINEAR(pool.fc1), LP_VIT_ATTENTION_POOL},
    {"attn_pool.mlp.fc2", "D,A", "D", LINEAR(pool.fc2), LP_VIT_ATTENTION_POOL},
    {"/visual.head.proj.weight", "E,D", NULL, LINEAR(projection),
     LP_VIT_HEAD}, /* open_clip timm_model.py */
    {"/visual.head.proj.bias", "E", NULL, VALUES(projection.bias), LP_VIT_HEAD_BIAS},
    {"/visual.trunk.head.weight", "E,D", NULL, LINEAR(projection), LP_VIT_HEAD_TRUNK},
    {"/visual.trunk.head.bias", "E", NULL, VALUES(projection.bias), LP_VIT_HEAD_TRUNK_BIAS},
};

static const lp_vit_weight timm_block[] = {
    {"norm1", "D", "D", BLOCK_NORM(norm1), 0},
    {"attn.qkv.weight", "3D,D", NULL, BLOCK_LINEAR(qkv), 0},
    {"attn.qkv.bias", "3D", NULL, BLOCK_VALUES(qkv.bias), LP_VIT_QKV_BIAS},
    {"attn.proj", "D,D", "D", BLOCK_LINEAR(out), 0},
    {"ls1.gamma", "D", NULL, BLOCK_VALUES(scale1), LP_VIT_LAYER_SCALE},
    {"gamma_1", "D", NULL, BLOCK_VALUES(scale1),
     LP_VIT_LAYER_SCALE_DEIT}, /* facebookresearch/deit, DeiT III */
    {"norm2", "D", "D", BLOCK_NORM(norm2), 0},
    {"mlp.fc1", "M,D", "M", BLOCK_LINEAR(fc1), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.fc2", "D,M", "D", BLOCK_LINEAR(fc2), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.fc1", "2M,D", "2M", BLOCK_LINEAR(fc1), LP_VIT_GATED_BY_SHAPE},
    {"mlp.fc2", "D,M", "D", BLOCK_LINEAR(fc2), LP_VIT_GATED_BY_SHAPE},
    {"mlp.w12", "2M,D", "2M", BLOCK_LINEAR(fc1), LP_VIT_GATED}, /* dinov2, ViT-g */
    {"mlp.w3", "D,M", "D", BLOCK_LINEAR(fc2), LP_VIT_GATED},
    {"ls2.gamma", "D", NULL, BLOCK_VALUES(scale2), LP_VIT_LAYER_SCALE},
    {"gamma_2", "D", NULL, BLOCK_VALUES(scale2), LP_VIT_LAYER_SCALE_DEIT},
};

/* Heads of classifiers; what only training uses: MAE's decoder, the token of a masked patch. */
static const char *const timm_ignored[] = {
    "head.",    "head_dist.",  "mask_token", "masked_embed" /* iBOT */,
    "decoder_", "pre_logits.", NULL};

const lp_vit_layout lp_vit_timm = {
    .positions = "pos_embed",
    .patches_alone = true, /* no_embed_class */
    .blocks = "blocks.",
    .fc1 = "mlp.fc1.weight",
    .fc2 = "mlp.fc2.weight",
    .weights = ROWS(timm_weights),
    .block_weights = ROWS(timm_block),
    .ignored = timm_ignored,
};

/* ---- transformers/models/clip and siglip: CLIPVisionModel, SiglipVisionModel ----------------- */

static const lp_vit_weight hf_clip_weights[] = {
    {"embeddings.patch_embedding.weight", "D,3,P,P", NULL, LINEAR(patch), 0},
    {"embeddings.patch_embedding.bias", "D", NULL, VALUES(patch.bias),
     WITHOUT | LP_VIT_CLASS}, /* SigLIP */
    {"embeddings.class_embedding", "D", NULL, VALUES(class_token), LP_VIT_CLASS},
    {"embeddings.position_embedding.weight", "S,D", NULL, VALUES(positions), 0},
    {"pre_layrnorm", "D", "D", NORM(norm_pre), LP_VIT_CLASS},
    {"post_layernorm", "D", "D", NORM(norm_post), 0},
    {"/visual_projection.weight", "E,D", NULL, LINEAR(projection), LP_VIT_HEAD},
    {"head.probe", "1,1,D", NULL, VALUES(pool.query), LP_VIT_ATTENTION_POOL},
    {"head.attention.in_proj_weight", "3D,D", NULL, LINEAR(pool.qkv), LP_VIT_ATTENTION_POOL},
    {"head.attention.in_proj_bias", "3D", NULL, VALUES(pool.qkv.bias), LP_VIT_ATTENTION_POOL},
    {"head.attention.out_proj", "D,D", "D", LINEAR(pool.out), LP_VIT_ATTENTION_POOL},
    {"head.layernorm", "D", "D", NORM(pool.norm), LP_VIT_ATTENTION_POOL},
    {"head.mlp.fc1", "A,D", "A", LINEAR(pool.fc1), LP_VIT_ATTENTION_POOL},
    {"head.mlp.fc2", "D,A", "D", LINEAR(pool.fc2), LP_VIT_ATTENTION_POOL},
};

static const lp_vit_weight hf_clip_block[] = {
    {"layer_norm1", "D", "D", BLOCK_NORM(norm1), 0},
    {"self_attn.q_proj.weight", "D,D", NULL, BLOCK_LINEAR(qkv), 0},
    {"self_attn.k_proj.weight", "D,D", NULL, JOINED, 0},
    {"self_attn.v_proj.weight", "D,D", NULL, JOINED, 0},
    {"self_attn.q_proj.bias", "D", NULL, BLOCK_VALUES(qkv.bias), LP_VIT_QKV_BIAS},
    {"self_attn.k_proj.bias", "D", NULL, JOINED, LP_VIT_QKV_BIAS},
    {"self_attn.v_proj.bias", "D", NULL, JOINED, LP_VIT_QKV_BIAS},
    {"self_attn.out_proj", "D,D", "D", BLOCK_LINEAR(out), 0},
    {"layer_norm2", "D", "D", BLOCK_NORM(norm2), 0},
    {"mlp.fc1", "M,D", "M", BLOCK_LINEAR(fc1), 0},
    {"mlp.fc2", "D,M", "D", BLOCK_LINEAR(fc2), 0},
};

/* A buffer of old files: 0, 1, 2, ...; with the prefix "", the text tower and what joins both. */
static const char *const hf_clip_ignored[] = {"embeddings.position_ids", NULL};

const lp_vit_layout lp_vit_hf_clip = {
    .positions = "embeddings.position_embedding.weight",
    .blocks = "encoder.layers.",
    .weights = ROWS(hf_clip_weights),
    .block_weights = ROWS(hf_clip_block),
    .ignored = hf_clip_ignored,
};

/* ---- transformers/models/dinov2 and dinov2_with_registers; vit ------------------------------- */

#define HF_WEIGHTS                                                                                 \
    {"embeddings.patch_embeddings.projection", "D,3,P,P", "D", LINEAR(patch), 0},                  \
        {"embeddings.cls_token", "1,1,D", NULL, VALUES(class_token),                               \
         LP_VIT_CLASS}, /* not in I-JEPA */                                                        \
        {"embeddings.distillation_token", "1,1,D", NULL, VALUES(extra_tokens),                     \
         LP_VIT_DISTILLED}, /* DeiT */                                                             \
        {"embeddings.register_tokens", "1,R,D", NULL, VALUES(extra_tokens), LP_VIT_REGISTERS}, {   \
        "embeddings.position_embeddings", "1,S,D", NULL, VALUES(positions), 0                      \
    }

static const lp_vit_weight hf_weights[] = {
    HF_WEIGHTS,
    {"layernorm", "D", "D", NORM(norm_post), 0},
};

/* transformers/models/internvl: InternVLVisionModel has no norm where it pools by the mean. */
static const lp_vit_weight hf_internvl_weights[] = {
    HF_WEIGHTS,
    {"layernorm", "D", "D", NORM(norm_post), LP_VIT_NORM_POST},
};

static const lp_vit_weight hf_dinov2_block[] = {
    {"norm1", "D", "D", BLOCK_NORM(norm1), 0},
    {"attention.attention.query.weight", "D,D", NULL, BLOCK_LINEAR(qkv), 0},
    {"attention.attention.key.weight", "D,D", NULL, JOINED, 0},
    {"attention.attention.value.weight", "D,D", NULL, JOINED, 0},
    {"attention.attention.query.bias", "D", NULL, BLOCK_VALUES(qkv.bias), LP_VIT_QKV_BIAS},
    {"attention.attention.key.bias", "D", NULL, JOINED, LP_VIT_QKV_BIAS},
    {"attention.attention.value.bias", "D", NULL, JOINED, LP_VIT_QKV_BIAS},
    {"attention.output.dense", "D,D", "D", BLOCK_LINEAR(out), 0},
    {"layer_scale1.lambda1", "D", NULL, BLOCK_VALUES(scale1), 0},
    {"norm2", "D", "D", BLOCK_NORM(norm2), 0},
    {"mlp.fc1", "M,D", "M", BLOCK_LINEAR(fc1), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.fc2", "D,M", "D", BLOCK_LINEAR(fc2), WITHOUT | LP_VIT_ANY_GATE},
    {"mlp.weights_in", "2M,D", "2M", BLOCK_LINEAR(fc1), LP_VIT_GATED},
    {"mlp.weights_out", "D,M", "D", BLOCK_LINEAR(fc2), LP_VIT_GATED},
    {"layer_scale2.lambda1", "D", NULL, BLOCK_VALUES(scale2), 0},
};

static const char *const hf_ignored[] = {
    "embeddings.mask_token",    "pooler.", "classifier.", "decoder.", "cls_classifier.",
    "distillation_classifier.", NULL};

const lp_vit_layout lp_vit_hf_dinov2 = {
    .positions = "embeddings.position_embeddings",
    .blocks = "encoder.layer.",
    .weights = ROWS(hf_weights),
    .block_weights = ROWS(hf_dinov2_block),
    .ignored = hf_ignored,
};

const lp_vit_layout lp_vit_hf_internvl = {
    .positions = "embeddings.position_embeddings",
    .blocks = "encoder.layer.",
    .weights = ROWS(hf_internvl_weights),
    .block_weights = ROWS(hf_dinov2_block),
    .ignored = hf_ignored,
};

static const lp_vit_weight hf_block[] = {
    {"layernorm_before", "D", "D", BLOCK_NORM(norm1), 0},
    {"attention.attention.query.weight", "D,D", NULL, BLOCK_LINEAR(qkv), 0},
    {"attention.attention.key.weight", "D,D", NULL, JOINED, 0},
    {"attention.attention.value.weight", "D,D", NULL, JOINED, 0},
    {"attention.attention.query.bias", "D", NULL, BLOCK_VALUES(qkv.bias), LP_VIT_QKV_BIAS},
    {"attention.attention.key.bias", "D", NULL, JOINED, LP_VIT_QKV_BIAS},
    {"attention.attention.value.bias", "D", NULL, JOINED, LP_VIT_QKV_BIAS},
    {"attention.output.dense", "D,D", "D", BLOCK_LINEAR(out), 0},
    {"layernorm_after", "D", "D", BLOCK_NORM(norm2), 0},
    {"intermediate.dense", "M,D", "M", BLOCK_LINEAR(fc1), 0},
    {"output.dense", "D,M", "D", BLOCK_LINEAR(fc2), 0},
};

const lp_vit_layout lp_vit_hf = {
    .positions = "embeddings.position_embeddings",
    .blocks = "encoder.layer.",
    .weights = ROWS(hf_weights),
    .block_weights = ROWS(hf_block),
    .ignored = hf_ignored,
};
