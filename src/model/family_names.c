/* Other names of the weights of a family (renames), and the names of its architectures, each with
 * its source.  families.c says which family uses which.
 * Longer than 600 lines: a table behind the other. */
#include "model/family_names.h"

#include <stddef.h>

/* A ViT under timm's names; DINOv2's training saves its blocks in chunks, numbered through, and
 * torchvision has names of its own. */
const lp_rename lp_renames_chunks[] = {{"blocks.#.#.", "blocks.{1}."}, {NULL, NULL}};
const lp_rename lp_renames_torchvision_vit[] = {
    {"conv_proj.", "patch_embed.proj."},
    {"class_token", "cls_token"},
    {"encoder.pos_embedding", "pos_embed"},
    {"encoder.layers.encoder_layer_#.ln_1.", "blocks.{0}.norm1."},
    {"encoder.layers.encoder_layer_#.self_attention.in_proj_", "blocks.{0}.attn.qkv."},
    {"encoder.layers.encoder_layer_#.self_attention.out_proj.", "blocks.{0}.attn.proj."},
    {"encoder.layers.encoder_layer_#.ln_2.", "blocks.{0}.norm2."},
    {"encoder.layers.encoder_layer_#.mlp.0.", "blocks.{0}.mlp.fc1."},
    {"encoder.layers.encoder_layer_#.mlp.3.", "blocks.{0}.mlp.fc2."},
    {"encoder.layers.encoder_layer_#.mlp.linear_1.", "blocks.{0}.mlp.fc1."}, /* before 0.14 */
    {"encoder.layers.encoder_layer_#.mlp.linear_2.", "blocks.{0}.mlp.fc2."},
    {"encoder.ln.", "norm."},
    {"heads.", "head."},
    {NULL, NULL}};

/* The layers of a block of openai/CLIP clip/model.py, whose names others keep. */
#define RESBLOCK_LAYERS                                                                            \
    {"transformer.resblocks.#.attn.in_proj_", "blocks.{0}.attn.qkv."},                             \
        {"transformer.resblocks.#.attn.out_proj.", "blocks.{0}.attn.proj."},                       \
        {"transformer.resblocks.#.mlp.c_fc.", "blocks.{0}.mlp.fc1."}, {                            \
        "transformer.resblocks.#.mlp.c_proj.", "blocks.{0}.mlp.fc2."                               \
    }

/* timm's names of a ViT from others.  OpenAI's and open_clip's. */
const lp_rename lp_renames_clip_vit[] = {{"conv1.", "patch_embed.proj."},
                                         {"class_embedding", "cls_token"},
                                         {"positional_embedding", "pos_embed"},
                                         {"ln_pre.", "norm_pre."},
                                         {"ln_post.", "norm."},
                                         {"transformer.resblocks.#.ln_1.", "blocks.{0}.norm1."},
                                         {"transformer.resblocks.#.ln_2.", "blocks.{0}.norm2."},
                                         {"transformer.resblocks.#.ls_1.", "blocks.{0}.ls1."},
                                         {"transformer.resblocks.#.ls_2.", "blocks.{0}.ls2."},
                                         RESBLOCK_LAYERS,
                                         {"transformer.", "blocks."},
                                         {NULL, NULL}};
/* transformers' CLIP and SigLIP, and Janus; CLIP's tower in AltCLIP, and in OWL-ViT and OWLv2,
 * which spell out what CLIP does not. */
#define HF_CLIP_BLOCK(layer)                                                                       \
    {layer "layer_norm1.", "blocks.{0}.norm1."}, {layer "layer_norm2.", "blocks.{0}.norm2."},      \
        {layer "self_attn.out_proj.", "blocks.{0}.attn.proj."},                                    \
        {layer "self_attn.projection_layer.", "blocks.{0}.attn.proj."}, /* Janus */                \
        {layer "self_attn.", "blocks.{0}.attn."}, {                                                \
        layer, "blocks.{0}."                                                                       \
    }
const lp_rename lp_renames_hf_clip[] = {{"embeddings.class_embedding", "cls_token"},
                                        {"embeddings.patch_embedding.", "patch_embed.proj."},
                                        {"embeddings.position_embedding.weight", "pos_embed"},
                                        HF_CLIP_BLOCK("encoder.layers.#."),
                                        HF_CLIP_BLOCK("encoder.layer.#."),
                                        {"encoder.", "blocks."},
                                        {"pre_layrnorm.", "norm_pre."},
                                        {"pre_layernorm.", "norm_pre."},
                                        {"post_layernorm.", "norm."},
                                        {"head.probe", "attn_pool.latent"},
                                        {"head.attention.in_proj_", "attn_pool.qkv."},
                                        {"head.attention.out_proj.", "attn_pool.proj."},
                                        {"head.layernorm.", "attn_pool.norm."},
                                        {"head.mlp.", "attn_pool.mlp."},
                                        {NULL, NULL}};
/* transformers' ViT, DeiT and I-JEPA; DINOv2; its InternVLVisionModel: as save_pretrained writes
 * them, and of a state_dict() of transformers 5. */
#define HF_VIT_OUTSIDE                                                                             \
    {"embeddings.cls_token", "cls_token"}, {"embeddings.distillation_token", "dist_token"},        \
        {"embeddings.register_tokens", "reg_token"},                                               \
        {"embeddings.position_embeddings", "pos_embed"},                                           \
        {"embeddings.patch_embeddings.projection.", "patch_embed.proj."}, {                        \
        "layernorm.", "norm."                                                                      \
    }
#define HF_VIT_BLOCK(layer)                                                                        \
    {layer "layernorm_before.", "blocks.{0}.norm1."},                                              \
        {layer "layernorm_after.", "blocks.{0}.norm2."},                                           \
        {layer "attention.attention.query.", "blocks.{0}.attn.q_proj."},                           \
        {layer "attention.attention.key.", "blocks.{0}.attn.k_proj."},                             \
        {layer "attention.attention.value.", "blocks.{0}.attn.v_proj."},                           \
        {layer "attention.output.dense.", "blocks.{0}.attn.proj."},                                \
        {layer "attention.o_proj.", "blocks.{0}.attn.proj."},                                      \
        {layer "attention.projection_layer.", "blocks.{0}.attn.proj."}, /* InternVL */             \
        {layer "attention.", "blocks.{0}.attn."},                                                  \
        {layer "intermediate.dense.", "blocks.{0}.mlp.fc1."},                                      \
        {layer "output.dense.", "blocks.{0}.mlp.fc2."},                                            \
        {layer "layer_scale1.lambda1", "blocks.{0}.ls1.gamma"},                                    \
        {layer "layer_scale2.lambda1", "blocks.{0}.ls2.gamma"},                                    \
        {layer "lambda_1", "blocks.{0}.ls1.gamma"}, {layer "lambda_2", "blocks.{0}.ls2.gamma"},    \
        {layer "mlp.weights_in.", "blocks.{0}.mlp.w12."},                                          \
        {layer "mlp.weights_out.", "blocks.{0}.mlp.w3."}, {                                        \
        layer, "blocks.{0}."                                                                       \
    }
const lp_rename lp_renames_hf_vit[] = {HF_VIT_OUTSIDE,
                                       HF_VIT_BLOCK("encoder.layer.#."),
                                       HF_VIT_BLOCK("layers.#."),
                                       {"encoder.", "blocks."},
                                       {NULL, NULL}};
/* BlipVisionModel, Blip2VisionModel, InstructBlipVisionModel, under timm's names. */
const lp_rename lp_renames_hf_blip[] = {
    {"embeddings.class_embedding", "cls_token"},
    {"embeddings.position_embedding", "pos_embed"},
    {"embeddings.patch_embedding.", "patch_embed.proj."},
    {"encoder.layers.#.layer_norm1.", "blocks.{0}.norm1."},
    {"encoder.layers.#.layer_norm2.", "blocks.{0}.norm2."},
    {"encoder.layers.#.self_attn.projection.", "blocks.{0}.attn.proj."},
    {"encoder.layers.#.self_attn.", "blocks.{0}.attn."},
    {"encoder.layers.#.", "blocks.{0}."},
    {"post_layernorm.", "norm."},
    {NULL, NULL}};
/* timm's names of an AIMv2 from those of Ovis2VisionModel. */
const lp_rename lp_renames_hf_ovis2[] = {
    {"embeddings.patch_embedding.", "patch_embed.proj."},
    {"embeddings.rms_norm.", "patch_embed.norm."},
    {"embeddings.position_embedding.weight", "pos_embed"},
    {"encoder.layers.#.rms_norm1.", "blocks.{0}.norm1."},
    {"encoder.layers.#.rms_norm2.", "blocks.{0}.norm2."},
    {"encoder.layers.#.attention.out_proj.", "blocks.{0}.attn.proj."},
    {"encoder.layers.#.attention.", "blocks.{0}.attn."},
    {"encoder.layers.#.ffn.gate_proj.", "blocks.{0}.mlp.fc1_g."},
    {"encoder.layers.#.ffn.up_proj.", "blocks.{0}.mlp.fc1_x."},
    {"encoder.layers.#.ffn.down_proj.", "blocks.{0}.mlp.fc2."},
    {"rms_norm.", "norm."},
    {NULL, NULL}};
/* timm's names of an MLCD from those of MLCDVisionModel. */
const lp_rename lp_renames_hf_mlcd[] = {
    {"embeddings.class_embedding", "cls_token"},
    {"embeddings.patch_embedding.", "patch_embed.proj."},
    {"encoder.layers.#.layer_norm1.", "blocks.{0}.norm1."},
    {"encoder.layers.#.layer_norm2.", "blocks.{0}.norm2."},
    {"encoder.layers.#.self_attn.out_proj.", "blocks.{0}.attn.proj."},
    {"encoder.layers.#.self_attn.", "blocks.{0}.attn."},
    {"encoder.layers.#.", "blocks.{0}."},
    {"pre_layrnorm.", "norm_pre."},
    {"post_layernorm.", "norm."},
    {NULL, NULL}};
/* OpenGVLab/InternViT-*: modeling_intern_vit.py. */
const lp_rename lp_renames_internvit[] = {{"embeddings.class_embedding", "cls_token"},
                                          {"embeddings.patch_embedding.", "patch_embed.proj."},
                                          {"embeddings.position_embedding", "pos_embed"},
                                          {"encoder.layers.#.ls1", "blocks.{0}.ls1.gamma"},
                                          {"encoder.layers.#.ls2", "blocks.{0}.ls2.gamma"},
                                          {"encoder.layers.#.", "blocks.{0}."},
                                          {NULL, NULL}};

/* open-mmlab/mmpretrain and mmselfsup: VisionTransformer, DistilledVisionTransformer; ln2 is taken
 * of the mean. */
const lp_rename lp_renames_mmpretrain_vit[] = {
    {"patch_embed.projection.", "patch_embed.proj."},
    {"layers.#.ln1.", "blocks.{0}.norm1."},
    {"layers.#.ln2.", "blocks.{0}.norm2."},
    {"layers.#.attn.gamma1.weight", "blocks.{0}.ls1.gamma"},
    {"layers.#.ffn.gamma2.weight", "blocks.{0}.ls2.gamma"},
    {"layers.#.ffn.layers.0.0.", "blocks.{0}.mlp.fc1."},
    {"layers.#.ffn.layers.1.", "blocks.{0}.mlp.fc2."},
    {"layers.#.ffn.", "blocks.{0}.mlp."},
    {"layers.#.", "blocks.{0}."},
    {"pre_norm.", "norm_pre."},
    {"ln1.", "norm."},
    {"ln2.", "fc_norm."},
    {NULL, NULL}};

/* torchvision's names of a ResNet from others: transformers' ResNetModel, whose layers count from
 * 0; torch.nn.Sequential(*resnet.children()), which forgets the names. */
const lp_rename lp_renames_hf_resnet[] = {
    {"embedder.embedder.convolution.", "conv1."},
    {"embedder.embedder.normalization.", "bn1."},
    {"encoder.stages.#.layers.#.layer.#.convolution.", "layer{0+1}.{1}.conv{2+1}."},
    {"encoder.stages.#.layers.#.layer.#.normalization.", "layer{0+1}.{1}.bn{2+1}."},
    {"encoder.stages.#.layers.#.shortcut.convolution.", "layer{0+1}.{1}.downsample.0."},
    {"encoder.stages.#.layers.#.shortcut.normalization.", "layer{0+1}.{1}.downsample.1."},
    {NULL, NULL}};
const lp_rename lp_renames_sequential_resnet[] = {
    {"0.", "conv1."},  {"1.", "bn1."},    {"4.", "layer1."}, {"5.", "layer2."},
    {"6.", "layer3."}, {"7.", "layer4."}, {"9.", "fc."},     {NULL, NULL}};

/* timm's names of a ConvNeXt from others: facebookresearch/ConvNeXt, ConvNeXt-V2 and dinov3;
 * transformers' ConvNextModel and ConvNextV2Model; its DINOv3ConvNextModel. */
const lp_rename lp_renames_convnext[] = {
    {"downsample_layers.0.#.", "stem.{0}."},
    {"downsample_layers.#.#.", "stages.{0}.downsample.{1}."},
    {"stages.#.#.dwconv.", "stages.{0}.blocks.{1}.conv_dw."},
    {"stages.#.#.pwconv1.", "stages.{0}.blocks.{1}.mlp.fc1."},
    {"stages.#.#.pwconv2.", "stages.{0}.blocks.{1}.mlp.fc2."},
    {"stages.#.#.grn.gamma", "stages.{0}.blocks.{1}.mlp.grn.weight"},
    {"stages.#.#.grn.beta", "stages.{0}.blocks.{1}.mlp.grn.bias"},
    {"stages.#.#.", "stages.{0}.blocks.{1}."},
    {"norm.", "head.norm."},
    {NULL, NULL}};
/* open-mmlab/mmpretrain: ConvNeXt. */
const lp_rename lp_renames_mmpretrain_convnext[] = {
    {"downsample_layers.0.#.", "stem.{0}."},
    {"downsample_layers.#.#.", "stages.{0}.downsample.{1}."},
    {"stages.#.#.depthwise_conv.", "stages.{0}.blocks.{1}.conv_dw."},
    {"stages.#.#.pointwise_conv1.", "stages.{0}.blocks.{1}.mlp.fc1."},
    {"stages.#.#.pointwise_conv2.", "stages.{0}.blocks.{1}.mlp.fc2."},
    {"stages.#.#.grn.gamma", "stages.{0}.blocks.{1}.mlp.grn.weight"},
    {"stages.#.#.grn.beta", "stages.{0}.blocks.{1}.mlp.grn.bias"},
    {"stages.#.#.", "stages.{0}.blocks.{1}."},
    {"norm3.", "head.norm."},
    {NULL, NULL}};
const lp_rename lp_renames_hf_convnext[] = {
    {"embeddings.patch_embeddings.", "stem.0."},
    {"embeddings.layernorm.", "stem.1."},
    {"encoder.stages.#.downsampling_layer.#.", "stages.{0}.downsample.{1}."},
    {"encoder.stages.#.layers.#.dwconv.", "stages.{0}.blocks.{1}.conv_dw."},
    {"encoder.stages.#.layers.#.layernorm.", "stages.{0}.blocks.{1}.norm."},
    {"encoder.stages.#.layers.#.pwconv1.", "stages.{0}.blocks.{1}.mlp.fc1."},
    {"encoder.stages.#.layers.#.pwconv2.", "stages.{0}.blocks.{1}.mlp.fc2."},
    {"encoder.stages.#.layers.#.grn.", "stages.{0}.blocks.{1}.mlp.grn."},
    {"encoder.stages.#.layers.#.layer_scale_parameter", "stages.{0}.blocks.{1}.gamma"},
    {"layernorm.", "head.norm."},
    {NULL, NULL}};
#define HF_DINOV3_CONVNEXT(stages)                                                                 \
    {stages "0.downsample_layers.#.", "stem.{0}."},                                                \
        {stages "#.downsample_layers.#.", "stages.{0}.downsample.{1}."},                           \
        {stages "#.layers.#.depthwise_conv.", "stages.{0}.blocks.{1}.conv_dw."},                   \
        {stages "#.layers.#.layer_norm.", "stages.{0}.blocks.{1}.norm."},                          \
        {stages "#.layers.#.pointwise_conv1.", "stages.{0}.blocks.{1}.mlp.fc1."},                  \
        {stages "#.layers.#.pointwise_conv2.", "stages.{0}.blocks.{1}.mlp.fc2."}, {                \
        stages "#.layers.#.", "stages.{0}.blocks.{1}."                                             \
    }
const lp_rename lp_renames_hf_dinov3_convnext[] = {HF_DINOV3_CONVNEXT("stages."),
                                                   HF_DINOV3_CONVNEXT("model.stages."),
                                                   {"layer_norm.", "head.norm."},
                                                   {NULL, NULL}};

/* timm's names of a Swin transformer from others: the authors', who count the steps between the
 * stages from the stage before; transformers', of version 5's state_dict() and of files; and
 * torchvision's. */
const lp_rename lp_renames_swin[] = {{"layers.#.downsample.", "layers.{0+1}.downsample."},
                                     {NULL, NULL}};
const lp_rename lp_renames_hf_swin[] = {
    {"embeddings.patch_embeddings.projection.", "patch_embed.proj."},
    {"embeddings.norm.", "patch_embed.norm."},
    {"encoder.layers.#.downsample.", "layers.{0+1}.downsample."},
    {"encoder.layers.#.blocks.#.layernorm_before.", "layers.{0}.blocks.{1}.norm1."},
    {"encoder.layers.#.blocks.#.layernorm_after.", "layers.{0}.blocks.{1}.norm2."},
    {"encoder.layers.#.blocks.#.attention.self.", "layers.{0}.blocks.{1}.attn."},
    {"encoder.layers.#.blocks.#.attention.output.dense.", "layers.{0}.blocks.{1}.attn.proj."},
    {"encoder.layers.#.blocks.#.intermediate.dense.", "layers.{0}.blocks.{1}.mlp.fc1."},
    {"encoder.layers.#.blocks.#.output.dense.", "layers.{0}.blocks.{1}.mlp.fc2."},
    {"encoder.layers.#.blocks.#.attention.q_proj.", "layers.{0}.blocks.{1}.attn.query."},
    {"encoder.layers.#.blocks.#.attention.k_proj.", "layers.{0}.blocks.{1}.attn.key."},
    {"encoder.layers.#.blocks.#.attention.v_proj.", "layers.{0}.blocks.{1}.attn.value."},
    {"encoder.layers.#.blocks.#.attention.o_proj.", "layers.{0}.blocks.{1}.attn.proj."},
    {"encoder.layers.#.blocks.#.attention.relative_position_bias.", "layers.{0}.blocks.{1}.attn."},
    {"encoder.layers.#.blocks.#.mlp.", "layers.{0}.blocks.{1}.mlp."},
    {"layernorm.", "norm."},
    {NULL, NULL}};
const lp_rename lp_renames_hf_swinv2[] = {
    {"embeddings.patch_embeddings.projection.", "patch_embed.proj."},
    {"embeddings.norm.", "patch_embed.norm."},
    {"encoder.layers.#.downsample.", "layers.{0+1}.downsample."},
    {"encoder.layers.#.blocks.#.layernorm_before.", "layers.{0}.blocks.{1}.norm1."},
    {"encoder.layers.#.blocks.#.layernorm_after.", "layers.{0}.blocks.{1}.norm2."},
    {"encoder.layers.#.blocks.#.attention.self.continuous_position_bias_mlp.",
     "layers.{0}.blocks.{1}.attn.cpb_mlp."},
    {"encoder.layers.#.blocks.#.attention.self.", "layers.{0}.blocks.{1}.attn."},
    {"encoder.layers.#.blocks.#.attention.output.dense.", "layers.{0}.blocks.{1}.attn.proj."},
    {"encoder.layers.#.blocks.#.intermediate.dense.", "layers.{0}.blocks.{1}.mlp.fc1."},
    {"encoder.layers.#.blocks.#.output.dense.", "layers.{0}.blocks.{1}.mlp.fc2."},
    {"layernorm.", "norm."},
    {NULL, NULL}};
#define TORCHVISION_STAGE(feature, stage)                                                          \
    {"features." feature ".#.norm1.", "layers." stage ".blocks.{0}.norm1."},                       \
        {"features." feature ".#.norm2.", "layers." stage ".blocks.{0}.norm2."},                   \
        {"features." feature ".#.attn.", "layers." stage ".blocks.{0}.attn."},                     \
        {"features." feature ".#.mlp.0.", "layers." stage ".blocks.{0}.mlp.fc1."}, {               \
        "features." feature ".#.mlp.3.", "layers." stage ".blocks.{0}.mlp.fc2."                    \
    }
const lp_rename lp_renames_torchvision_swin[] = {{"features.0.0.", "patch_embed.proj."},
                                                 {"features.0.2.", "patch_embed.norm."},
                                                 TORCHVISION_STAGE("1", "0"),
                                                 {"features.2.", "layers.1.downsample."},
                                                 TORCHVISION_STAGE("3", "1"),
                                                 {"features.4.", "layers.2.downsample."},
                                                 TORCHVISION_STAGE("5", "2"),
                                                 {"features.6.", "layers.3.downsample."},
                                                 TORCHVISION_STAGE("7", "3"),
                                                 {NULL, NULL}};
/* timm/models/swin_transformer.py. */
const lp_architecture lp_architectures_swin[] = {
    {.pattern = "swin_tiny_patch4_window7_224", .width = 768},
    {.pattern = "swin_small_patch4_window7_224", .width = 768},
    {.pattern = "swin_base_patch4_window7_224", .width = 1024},
    {.pattern = "swin_base_patch4_window12_384", .width = 1024},
    {.pattern = "swin_large_patch4_window7_224", .width = 1536},
    {.pattern = "swin_large_patch4_window12_384", .width = 1536},
    {.pattern = NULL},
};

/* timm/models/swin_transformer_v2.py: window_size, pretrained_window_sizes; the authors' names. */
const lp_architecture lp_architectures_swinv2[] = {
    {.pattern = "swinv2_*window12to16_192to256*", .window = 16, .pretrained = 12, .input = 256},
    {.pattern = "swinv2_*window12to24_192to384*", .window = 24, .pretrained = 12, .input = 384},
    {.pattern = "swinv2_*window12_192*", .window = 12, .input = 192},
    {.pattern = "swinv2_*window8_256*", .window = 8, .input = 256},
    {.pattern = "swinv2_*window16_256*", .window = 16, .input = 256},
    {.pattern = NULL},
};

/* timm's names of a DINOv3 ViT from others: facebookresearch/dinov3; transformers'
 * DINOv3ViTModel, of version 5's state_dict() and of files. */
const lp_rename lp_renames_dinov3[] = {{"storage_tokens", "reg_token"},
                                       {"blocks.#.ls1.gamma", "blocks.{0}.gamma_1"},
                                       {"blocks.#.ls2.gamma", "blocks.{0}.gamma_2"},
                                       {"blocks.#.mlp.w1.", "blocks.{0}.mlp.fc1_g."},
                                       {"blocks.#.mlp.w2.", "blocks.{0}.mlp.fc1_x."},
                                       {"blocks.#.mlp.w3.", "blocks.{0}.mlp.fc2."},
                                       {NULL, NULL}};
#define HF_DINOV3_BLOCK(layer)                                                                     \
    {layer "layer_scale1.lambda1", "blocks.{0}.gamma_1"},                                          \
        {layer "layer_scale2.lambda1", "blocks.{0}.gamma_2"},                                      \
        {layer "attention.o_proj.", "blocks.{0}.attn.proj."},                                      \
        {layer "attention.", "blocks.{0}.attn."},                                                  \
        {layer "mlp.gate_proj.", "blocks.{0}.mlp.fc1_g."}, {                                       \
        layer "mlp.down_proj.", "blocks.{0}.mlp.fc2."                                              \
    }
const lp_rename lp_renames_hf_dinov3[] = {{"embeddings.cls_token", "cls_token"},
                                          {"embeddings.register_tokens", "reg_token"},
                                          {"embeddings.mask_token", "mask_token"},
                                          {"embeddings.patch_embeddings.", "patch_embed.proj."},
                                          HF_DINOV3_BLOCK("layer.#."),
                                          {"layer.#.mlp.up_proj.", "blocks.{0}.mlp.fc1."},
                                          {"layer.#.", "blocks.{0}."},
                                          HF_DINOV3_BLOCK("model.layer.#."),
                                          {"model.layer.#.mlp.up_proj.", "blocks.{0}.mlp.fc1."},
                                          {"model.layer.#.", "blocks.{0}."},
                                          {NULL, NULL}};

/* timm's names of an EVA from the authors'. */
const lp_rename lp_renames_eva[] = {{"blocks.#.mlp.w12.", "blocks.{0}.mlp.fc1."},
                                    {"blocks.#.mlp.w1.", "blocks.{0}.mlp.fc1_g."},
                                    {"blocks.#.mlp.w2.", "blocks.{0}.mlp.fc1_x."},
                                    {"blocks.#.mlp.w3.", "blocks.{0}.mlp.fc2."},
                                    {"blocks.#.mlp.ffn_ln.", "blocks.{0}.mlp.norm."},
                                    {"blocks.#.attn.inner_attn_ln.", "blocks.{0}.attn.norm."},
                                    {NULL, NULL}};

/* timm's names of a BEiT from those of transformers' BeitModel and Data2VecVisionModel. */
const lp_rename lp_renames_hf_beit[] = {
    {"embeddings.cls_token", "cls_token"},
    {"embeddings.mask_token", "mask_token"},
    {"embeddings.position_embeddings", "pos_embed"},
    {"embeddings.patch_embeddings.projection.", "patch_embed.proj."},
    {"encoder.relative_position_bias.", "rel_pos_bias."},
    {"encoder.layer.#.lambda_1", "blocks.{0}.gamma_1"},
    {"encoder.layer.#.lambda_2", "blocks.{0}.gamma_2"},
    {"encoder.layer.#.layernorm_before.", "blocks.{0}.norm1."},
    {"encoder.layer.#.layernorm_after.", "blocks.{0}.norm2."},
    {"encoder.layer.#.attention.attention.query.", "blocks.{0}.attn.q_proj."},
    {"encoder.layer.#.attention.attention.key.", "blocks.{0}.attn.k_proj."},
    {"encoder.layer.#.attention.attention.value.", "blocks.{0}.attn.v_proj."},
    {"encoder.layer.#.attention.attention.relative_position_bias.", "blocks.{0}.attn."},
    {"encoder.layer.#.attention.output.dense.", "blocks.{0}.attn.proj."},
    {"encoder.layer.#.intermediate.dense.", "blocks.{0}.mlp.fc1."},
    {"encoder.layer.#.output.dense.", "blocks.{0}.mlp.fc2."},
    {"pooler.layernorm.", "fc_norm."},
    {"layernorm.", "norm."},
    {NULL, NULL}};

/* timm's names of an AIMv2 from Apple's. */
const lp_rename lp_renames_aimv2[] = {{"preprocessor.patchifier.proj.", "patch_embed.proj."},
                                      {"preprocessor.patchifier.norm.", "patch_embed.norm."},
                                      {"preprocessor.pos_embed", "pos_embed"},
                                      {"trunk.blocks.#.norm_1.", "blocks.{0}.norm1."},
                                      {"trunk.blocks.#.norm_2.", "blocks.{0}.norm2."},
                                      {"trunk.blocks.#.mlp.fc1.", "blocks.{0}.mlp.fc1_g."},
                                      {"trunk.blocks.#.mlp.fc3.", "blocks.{0}.mlp.fc1_x."},
                                      {"trunk.blocks.#.", "blocks.{0}."},
                                      {"trunk.post_trunk_norm.", "norm."},
                                      {"head.k.", "head.k_proj."},
                                      {"head.v.", "head.v_proj."},
                                      {"head.linear.", "head.output_proj."},
                                      {NULL, NULL}};

/* timm/models/eva.py, beit.py, vision_transformer.py. */
const lp_architecture lp_architectures_dinov3[] = {
    {.pattern = "vit_*_patch16_dinov3"},
    {.pattern = "vit_*_patch16_dinov3_qkvb"},
    {.pattern = NULL},
};
const lp_architecture lp_architectures_eva[] = {
    {.pattern = "eva02_*_patch1[46]_*"},
    {.pattern = "eva_*_patch14_*"},
    {.pattern = NULL},
};
const lp_architecture lp_architectures_perception[] = {
    {.pattern = "vit_pe_core_*"},
    {.pattern = NULL},
};
const lp_architecture lp_architectures_beit[] = {
    {.pattern = "beit_*_patch16_*"},
    {.pattern = "beitv2_*_patch16_*"},
    {.pattern = NULL},
};
const lp_architecture lp_architectures_parallel[] = {
    {.pattern = "vit_*_patch16_18x2_224"},
    {.pattern = "vit_*_patch1[46]_xp_224"},
    {.pattern = "vit_pwee_patch16_reg1_gap_256"},
    {.pattern = NULL},
};
const lp_architecture lp_architectures_aimv2[] = {
    {.pattern = "aimv2_*_patch14_*"},
    {.pattern = NULL},
};

/* timm's names of a CoCa's tower from open_clip's. */
const lp_rename lp_renames_coca[] = {{"conv1.", "patch_embed.proj."},
                                     {"class_embedding", "cls_token"},
                                     {"positional_embedding", "pos_embed"},
                                     {"ln_pre.", "norm_pre."},
                                     {"ln_post.", "post_norm."},
                                     {"transformer.resblocks.#.ln_1.", "blocks.{0}.norm1."},
                                     {"transformer.resblocks.#.ln_2.", "blocks.{0}.norm2."},
                                     {"transformer.resblocks.#.ls_1.gamma", "blocks.{0}.gamma_1"},
                                     {"transformer.resblocks.#.ls_2.gamma", "blocks.{0}.gamma_2"},
                                     RESBLOCK_LAYERS,
                                     {NULL, NULL}};

/* timm's names of a ConvNeXt from torchvision's. */
#define TORCHVISION_CONVNEXT(feature, stage)                                                       \
    {"features." feature ".#.block.0.", "stages." stage ".blocks.{0}.conv_dw."},                   \
        {"features." feature ".#.block.2.", "stages." stage ".blocks.{0}.norm."},                  \
        {"features." feature ".#.block.3.", "stages." stage ".blocks.{0}.mlp.fc1."},               \
        {"features." feature ".#.block.5.", "stages." stage ".blocks.{0}.mlp.fc2."}, {             \
        "features." feature ".#.layer_scale", "stages." stage ".blocks.{0}.gamma"                  \
    }
const lp_rename lp_renames_torchvision_convnext[] = {
    {"features.0.0.", "stem.0."},   {"features.0.1.", "stem.1."},
    TORCHVISION_CONVNEXT("1", "0"), {"features.2.", "stages.1.downsample."},
    TORCHVISION_CONVNEXT("3", "1"), {"features.4.", "stages.2.downsample."},
    TORCHVISION_CONVNEXT("5", "2"), {"features.6.", "stages.3.downsample."},
    TORCHVISION_CONVNEXT("7", "3"), {"classifier.0.", "head.norm."},
    {"classifier.2.", "head.fc."},  {NULL, NULL}};

/* timm's names of a RegNet from others: torchvision's; those of classy-vision and VISSL (SEER),
 * where the stages are blocks of the part "res2" and so on; transformers'. */
#define TORCHVISION_BLOCK(begin, stage)                                                            \
    {begin ".proj.0.", "s" stage ".b{0+1}.downsample.conv."},                                      \
        {begin ".proj.1.", "s" stage ".b{0+1}.downsample.bn."},                                    \
        {begin ".f.a.0.", "s" stage ".b{0+1}.conv1.conv."},                                        \
        {begin ".f.a.1.", "s" stage ".b{0+1}.conv1.bn."},                                          \
        {begin ".f.b.0.", "s" stage ".b{0+1}.conv2.conv."},                                        \
        {begin ".f.b.1.", "s" stage ".b{0+1}.conv2.bn."},                                          \
        {begin ".f.se.fc", "s" stage ".b{0+1}.se.fc"},                                             \
        {begin ".f.c.0.", "s" stage ".b{0+1}.conv3.conv."}, {                                      \
        begin ".f.c.1.", "s" stage ".b{0+1}.conv3.bn."                                             \
    }
#define SEER_BLOCK(begin, stage)                                                                   \
    {begin ".proj.", "s" stage ".b{0+1}.downsample.conv."},                                        \
        {begin ".bn.", "s" stage ".b{0+1}.downsample.bn."},                                        \
        {begin ".f.a.0.", "s" stage ".b{0+1}.conv1.conv."},                                        \
        {begin ".f.a.1.", "s" stage ".b{0+1}.conv1.bn."},                                          \
        {begin ".f.b.0.", "s" stage ".b{0+1}.conv2.conv."},                                        \
        {begin ".f.b.1.", "s" stage ".b{0+1}.conv2.bn."},                                          \
        {begin ".f.se.excitation.0.", "s" stage ".b{0+1}.se.fc1."},                                \
        {begin ".f.se.excitation.2.", "s" stage ".b{0+1}.se.fc2."},                                \
        {begin ".f.c.", "s" stage ".b{0+1}.conv3.conv."}, {                                        \
        begin ".f.final_bn.", "s" stage ".b{0+1}.conv3.bn."                                        \
    }
const lp_rename lp_renames_torchvision_regnet[] = {
    {"stem.0.", "stem.conv."},
    {"stem.1.", "stem.bn."},
    TORCHVISION_BLOCK("trunk_output.block1.block1-#", "1"),
    TORCHVISION_BLOCK("trunk_output.block2.block2-#", "2"),
    TORCHVISION_BLOCK("trunk_output.block3.block3-#", "3"),
    TORCHVISION_BLOCK("trunk_output.block4.block4-#", "4"),
    {"fc.", "head.fc."},
    {NULL, NULL}};
const lp_rename lp_renames_seer[] = {{"_feature_blocks.conv1.stem.0.", "stem.conv."},
                                     {"_feature_blocks.conv1.stem.1.", "stem.bn."},
                                     SEER_BLOCK("_feature_blocks.res2.block1-#", "1"),
                                     SEER_BLOCK("_feature_blocks.res3.block2-#", "2"),
                                     SEER_BLOCK("_feature_blocks.res4.block3-#", "3"),
                                     SEER_BLOCK("_feature_blocks.res5.block4-#", "4"),
                                     {NULL, NULL}};
#define HF_BLOCK "encoder.stages.#.layers.#."
const lp_rename lp_renames_hf_regnet[] = {
    {"embedder.embedder.convolution.", "stem.conv."},
    {"embedder.embedder.normalization.", "stem.bn."},
    {HF_BLOCK "shortcut.convolution.", "s{0+1}.b{1+1}.downsample.conv."},
    {HF_BLOCK "shortcut.normalization.", "s{0+1}.b{1+1}.downsample.bn."},
    {HF_BLOCK "layer.0.convolution.", "s{0+1}.b{1+1}.conv1.conv."},
    {HF_BLOCK "layer.0.normalization.", "s{0+1}.b{1+1}.conv1.bn."},
    {HF_BLOCK "layer.1.convolution.", "s{0+1}.b{1+1}.conv2.conv."},
    {HF_BLOCK "layer.1.normalization.", "s{0+1}.b{1+1}.conv2.bn."},
    {HF_BLOCK "layer.2.attention.0.", "s{0+1}.b{1+1}.se.fc1."},
    {HF_BLOCK "layer.2.attention.2.", "s{0+1}.b{1+1}.se.fc2."},
    {HF_BLOCK "layer.2.convolution.", "s{0+1}.b{1+1}.conv3.conv."}, /* X */
    {HF_BLOCK "layer.2.normalization.", "s{0+1}.b{1+1}.conv3.bn."},
    {HF_BLOCK "layer.3.convolution.", "s{0+1}.b{1+1}.conv3.conv."}, /* Y */
    {HF_BLOCK "layer.3.normalization.", "s{0+1}.b{1+1}.conv3.bn."},
    {NULL, NULL}};

/* timm's names of a BiT from those of transformers' BitModel. */
const lp_rename lp_renames_hf_bit[] = {
    {"embedder.convolution.", "stem.conv."}, {HF_BLOCK, "stages.{0}.blocks.{1}."}, {NULL, NULL}};
/* timm's names of a Perception Encoder from facebookresearch/perception_models', and of an AIMv2
 * from transformers'. */
const lp_rename lp_renames_perception[] = {
    {"conv1.", "patch_embed.proj."},
    {"class_embedding", "cls_token"},
    {"positional_embedding", "pos_embed"},
    {"ln_pre.", "norm_pre."},
    {"ln_post.", "norm."},
    {"transformer.resblocks.#.ln_1.", "blocks.{0}.norm1."},
    {"transformer.resblocks.#.ln_2.", "blocks.{0}.norm2."},
    {"transformer.resblocks.#.ls_1.gamma", "blocks.{0}.gamma_1"},
    {"transformer.resblocks.#.ls_2.gamma", "blocks.{0}.gamma_2"},
    RESBLOCK_LAYERS,
    {"attn_pool.probe", "attn_pool.latent"},
    {"attn_pool.attn.in_proj_", "attn_pool.qkv."},
    {"attn_pool.attn.out_proj.", "attn_pool.proj."},
    {"attn_pool.layernorm.", "attn_pool.norm."},
    {"attn_pool.mlp.c_fc.", "attn_pool.mlp.fc1."},
    {"attn_pool.mlp.c_proj.", "attn_pool.mlp.fc2."},
    {NULL, NULL}};
/* timm's names of a NaFlex ViT from those of transformers' Siglip2VisionModel. */
const lp_rename lp_renames_hf_siglip2[] = {
    {"embeddings.patch_embedding.", "embeds.proj."},
    {"embeddings.position_embedding.weight", "embeds.pos_embed"},
    {"encoder.layers.#.layer_norm1.", "blocks.{0}.norm1."},
    {"encoder.layers.#.layer_norm2.", "blocks.{0}.norm2."},
    {"encoder.layers.#.self_attn.q_proj.", "blocks.{0}.attn.q_proj."},
    {"encoder.layers.#.self_attn.k_proj.", "blocks.{0}.attn.k_proj."},
    {"encoder.layers.#.self_attn.v_proj.", "blocks.{0}.attn.v_proj."},
    {"encoder.layers.#.self_attn.out_proj.", "blocks.{0}.attn.proj."},
    {"encoder.layers.#.mlp.", "blocks.{0}.mlp."},
    {"post_layernorm.", "norm."},
    {"head.probe", "attn_pool.latent"},
    {"head.attention.in_proj_weight", "attn_pool.qkv.weight"},
    {"head.attention.in_proj_bias", "attn_pool.qkv.bias"},
    {"head.attention.out_proj.", "attn_pool.proj."},
    {"head.layernorm.", "attn_pool.norm."},
    {"head.mlp.", "attn_pool.mlp."},
    {NULL, NULL}};
const lp_rename lp_renames_hf_aimv2[] = {
    {"embeddings.patch_embed.", "patch_embed.proj."},
    {"embeddings.rms_norm.", "patch_embed.norm."},
    {"embeddings.position_embedding.weight", "pos_embed"},
    {"encoder.layers.#.rms_norm1.", "blocks.{0}.norm1."},
    {"encoder.layers.#.rms_norm2.", "blocks.{0}.norm2."},
    {"encoder.layers.#.attention.q_proj.", "blocks.{0}.attn.q_proj."},
    {"encoder.layers.#.attention.k_proj.", "blocks.{0}.attn.k_proj."},
    {"encoder.layers.#.attention.v_proj.", "blocks.{0}.attn.v_proj."},
    {"encoder.layers.#.attention.out_proj.", "blocks.{0}.attn.proj."},
    {"encoder.layers.#.ffn.gate_proj.", "blocks.{0}.mlp.fc1_g."},
    {"encoder.layers.#.ffn.up_proj.", "blocks.{0}.mlp.fc1_x."},
    {"encoder.layers.#.ffn.down_proj.", "blocks.{0}.mlp.fc2."},
    {"rms_norm.", "norm."},
    {NULL, NULL}};

/* timm's names of a SAM encoder from others: the authors', transformers'. */
const lp_rename lp_renames_sam[] = {{"blocks.#.mlp.lin1.", "blocks.{0}.mlp.fc1."},
                                    {"blocks.#.mlp.lin2.", "blocks.{0}.mlp.fc2."},
                                    {NULL, NULL}};
const lp_rename lp_renames_hf_sam[] = {{"patch_embed.projection.", "patch_embed.proj."},
                                       {"layers.#.layer_norm1.", "blocks.{0}.norm1."},
                                       {"layers.#.layer_norm2.", "blocks.{0}.norm2."},
                                       {"layers.#.mlp.lin1.", "blocks.{0}.mlp.fc1."},
                                       {"layers.#.mlp.lin2.", "blocks.{0}.mlp.fc2."},
                                       {"layers.#.", "blocks.{0}."},
                                       {"neck.conv1.", "neck.0."},
                                       {"neck.layer_norm1.", "neck.1."},
                                       {"neck.conv2.", "neck.2."},
                                       {"neck.layer_norm2.", "neck.3."},
                                       {NULL, NULL}};
/* timm/models/naflexvit.py; for a square "par" is the same. */
const lp_architecture lp_architectures_naflex[] = {
    {.pattern = "naflexvit_*_patch16_gap"},
    {.pattern = "naflexvit_*_patch16_par_gap"},
    {.pattern = "naflexvit_*_patch16_parfac_gap"},
    {.pattern = "naflexvit_*_patch16_reg1_gap"},
    {.pattern = NULL},
};
const lp_architecture lp_architectures_naflex_siglip[] = {
    {.pattern = "naflexvit_*_patch16_siglip"},
    {.pattern = NULL},
};

/* timm/models/vision_transformer_sam.py */
const lp_architecture lp_architectures_sam[] = {
    {.pattern = "samvit_*_patch16"},
    {.pattern = "samvit_*_patch16_224"},
    {.pattern = NULL},
};

/* timm's names of an XCiT from the authors'. */
const lp_rename lp_renames_xcit[] = {{"pos_embeder.", "pos_embed."}, {NULL, NULL}};
/* timm/models/cait.py, xcit.py; the width is what tells the nano models (xcit.c). */
const lp_architecture lp_architectures_cait[] = {{.pattern = "cait_*"}, {.pattern = NULL}};
const lp_architecture lp_architectures_xcit[] = {
    {.pattern = "xcit_nano_*_384", .width = 128, .input = 384},
    {.pattern = "xcit_nano_*", .width = 128},
    {.pattern = "xcit_*_384", .input = 384},
    {.pattern = "xcit_*"},
    {.pattern = NULL},
};

/* timm's names of a Hiera from the authors', whose masked autoencoders have encoder_norm, and from
 * transformers'. */
const lp_rename lp_renames_hiera[] = {
    {"norm.", "head.norm."}, {"encoder_norm.", "head.norm."}, {NULL, NULL}};
#define HIERA_LAYER "encoder.stages.#.layers.#."
const lp_rename lp_renames_hf_hiera[] = {
    {"embeddings.patch_embeddings.projection.", "patch_embed.proj."},
    {"embeddings.position_embeddings", "pos_embed"},
    {HIERA_LAYER "layernorm_before.", "stages.{0}.blocks.{1}.norm1."},
    {HIERA_LAYER "layernorm_after.", "stages.{0}.blocks.{1}.norm2."},
    {HIERA_LAYER, "stages.{0}.blocks.{1}."},
    {"pooler.layernorm.", "head.norm."},
    {NULL, NULL}};
/* timm/models/hiera.py */
const lp_architecture lp_architectures_hiera[] = {
    {.pattern = "hiera_tiny_224"},
    {.pattern = "hiera_small_224"},
    {.pattern = "hiera_base_224"},
    {.pattern = "hiera_base_plus_224"},
    {.pattern = "hiera_large_224"},
    {.pattern = "hiera_huge_224"},
    {.pattern = NULL},
};
const lp_architecture lp_architectures_hiera_abswin[] = {{.pattern = "hiera_*_abswin_256"},
                                                         {.pattern = NULL}};

/* torchvision's DenseNets in its own files, of before dots were forbidden in names. */
const lp_rename lp_renames_densenet[] = {
    {"features.denseblock#.denselayer#.norm.#.", "features.denseblock{0}.denselayer{1}.norm{2}."},
    {"features.denseblock#.denselayer#.conv.#.", "features.denseblock{0}.denselayer{1}.conv{2}."},
    {NULL, NULL}};

/* timm/models/regnet.py.  Not here: regnetv_* and regnetz_* have other blocks. */
const lp_architecture lp_architectures_regnet[] = {
    {.pattern = "regnet[xy]_[0-9][0-9][0-9]"},
    {.pattern = "regnet[xy]_[0-9][0-9][0-9]_tv"},
    {.pattern = "regnety_[0-9][0-9][0-9][0-9]"},
    {.pattern = NULL},
};

/* DeepMind's names of BYOL's files (byol/README.md), which byol-convert keeps. */
const lp_architecture lp_architectures_byol[] = {
    {.pattern = "pretrain_res50x1"},
    {.pattern = "pretrain_res200x2"},
    {.pattern = "res50x1_*"},
    {.pattern = NULL},
};

/* DeepMind's own files of BYOL, by Haiku's names of the modules of its nets.ResNet: parameters and
 * moving averages are two dictionaries.  byol-convert knows the first convolution with a number,
 * too, which Haiku gives to the second module of a name. */
#define PARAMS "online_params.res_net#/~/"
#define STATE "online_state.res_net#/~/"
#define BLOCK "block_group_#/~/block_#/~/"
#define BYOL_NORM(norm, to)                                                                        \
    {PARAMS norm ".scale", to ".weight"}, {PARAMS norm ".offset", to ".bias"},                     \
        {STATE norm "/~/mean_ema.average", to ".running_mean"}, {                                  \
        STATE norm "/~/var_ema.average", to ".running_var"                                         \
    }
const lp_rename lp_renames_byol_haiku[] = {
    {PARAMS "initial_conv.w", "conv1.weight"},
    {PARAMS "initial_conv_1.w", "conv1.weight"},
    BYOL_NORM("initial_batchnorm", "bn1"),
    {PARAMS BLOCK "conv_#.w", "layer{1+1}.{2}.conv{3+1}.weight"},
    BYOL_NORM(BLOCK "batchnorm_#", "layer{1+1}.{2}.bn{3+1}"),
    {PARAMS BLOCK "shortcut_conv.w", "layer{1+1}.{2}.downsample.0.weight"},
    BYOL_NORM(BLOCK "shortcut_batchnorm", "layer{1+1}.{2}.downsample.1"),
    {PARAMS, "layer."}, /* what is none of these is part of the encoder, and not known */
    {STATE, "averages."},
    {"online_params.classifier.", "fc."},
    {"opt_state.", "momentum."}, /* LARS's */
    {NULL, NULL}};

/* Google's own files of SimCLR: tf.layers numbers what has one name, but the first. */
#define SIMCLR_NORM(from, to)                                                                      \
    {from ".gamma", to ".weight"}, {from ".beta", to ".bias"},                                     \
        {from ".moving_mean", to ".running_mean"}, {                                               \
        from ".moving_variance", to ".running_var"                                                 \
    }
const lp_rename lp_renames_google_simclr[] = {{"conv2d.kernel", "convs.0.weight"},
                                              {"conv2d_#.kernel", "convs.{0}.weight"},
                                              SIMCLR_NORM("batch_normalization", "norms.0"),
                                              SIMCLR_NORM("batch_normalization_#", "norms.{0}"),
                                              {NULL, NULL}};

/* timm/models/resnetv2.py */
const lp_architecture lp_architectures_bit[] = {
    {.pattern = "resnetv2_[1-9]*x[1-9]_bit"},
    {.pattern = NULL},
};
const lp_architecture lp_architectures_resnetv2[] = {
    {.pattern = "resnetv2_[1-9]*[0-9]"},
    {.pattern = "resnetv2_[1-9]*[0-9][dt]"},
    {.pattern = NULL},
};

/* timm/models/resnet.py.  Not here: anti-aliased ones (aa, blur), which look the same, and those
 * with ECA. */
const lp_architecture lp_architectures_resnetd[] = {
    {.pattern = "resnet[1-9]*[0-9][cdst]"},
    {.pattern = "resnext[1-9]*[0-9]d_*"},
    {.pattern = "seresnet[1-9]*"},
    {.pattern = "seresnext[1-9]*"},
    {.pattern = "senet154"},
    {.pattern = "resnetrs[1-9]*"},
    {.pattern = NULL},
};

/* timm/models/efficientnet.py: tf_ models have pad_type 'same' and BN_EPS_TF_DEFAULT; input_size
 * and crop_pct of the first weights in default_cfgs. */
const lp_architecture lp_architectures_efficientnet[] = {
    {.pattern = "tf_efficientnet_b0",
     .width = 1280,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 224,
     .resize = 256},
    {.pattern = "tf_efficientnet_b1",
     .width = 1280,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 240,
     .resize = 272},
    {.pattern = "tf_efficientnet_b2",
     .width = 1408,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 260,
     .resize = 292},
    {.pattern = "tf_efficientnet_b3",
     .width = 1536,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 300,
     .resize = 331},
    {.pattern = "tf_efficientnet_b4",
     .width = 1792,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 380,
     .resize = 412},
    {.pattern = "tf_efficientnet_b5",
     .width = 2048,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 456,
     .resize = 488},
    {.pattern = "tf_efficientnet_b6",
     .width = 2304,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 528,
     .resize = 560},
    {.pattern = "tf_efficientnet_b7",
     .width = 2560,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 600,
     .resize = 632},
    {.pattern = "tf_efficientnet_b8",
     .width = 2816,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 672,
     .resize = 704},
    {.pattern = "tf_efficientnet_l2_ns_475",
     .width = 5504,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 475,
     .resize = 507},
    {.pattern = "tf_efficientnet_l2",
     .width = 5504,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 800,
     .resize = 833},
    {.pattern = "efficientnet_b0", .width = 1280, .norm_eps = 1e-5F, .input = 224, .resize = 256},
    {.pattern = "efficientnet_b1", .width = 1280, .norm_eps = 1e-5F, .input = 240, .resize = 274},
    {.pattern = "efficientnet_b2", .width = 1408, .norm_eps = 1e-5F, .input = 256, .resize = 292},
    {.pattern = "efficientnet_b3", .width = 1536, .norm_eps = 1e-5F, .input = 288, .resize = 329},
    {.pattern = "efficientnet_b4", .width = 1792, .norm_eps = 1e-5F, .input = 320, .resize = 365},
    {.pattern = "efficientnet_b5", .width = 2048, .norm_eps = 1e-5F, .input = 448, .resize = 448},
    {.pattern = NULL},
};
const lp_architecture lp_architectures_efficientnetv2[] = {
    {.pattern = "tf_efficientnetv2_s",
     .width = 1280,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 300,
     .resize = 300},
    {.pattern = "tf_efficientnetv2_m",
     .width = 1280,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 384,
     .resize = 384},
    {.pattern = "tf_efficientnetv2_l",
     .width = 1280,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 384,
     .resize = 384},
    {.pattern = "tf_efficientnetv2_xl",
     .width = 1280,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 384,
     .resize = 384},
    {.pattern = "tf_efficientnetv2_b0",
     .width = 1280,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 192,
     .resize = 219},
    {.pattern = "tf_efficientnetv2_b1",
     .width = 1280,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 192,
     .resize = 217},
    {.pattern = "tf_efficientnetv2_b2",
     .width = 1408,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 208,
     .resize = 233},
    {.pattern = "tf_efficientnetv2_b3",
     .width = 1536,
     .norm_eps = 1e-3F,
     .same = true,
     .input = 240,
     .resize = 265},
    {.pattern = NULL},
};

/* torchvision models/efficientnet.py: EfficientNet_*_Weights; the names of the files. */
const lp_architecture lp_architectures_torchvision_efficientnet[] = {
    {.pattern = "efficientnet_b0", .width = 1280, .input = 224, .resize = 256},
    {.pattern = "efficientnet_b1", .width = 1280, .input = 240, .resize = 256},
    {.pattern = "efficientnet_b2", .width = 1408, .input = 288, .resize = 288},
    {.pattern = "efficientnet_b3", .width = 1536, .input = 300, .resize = 320},
    {.pattern = "efficientnet_b4", .width = 1792, .input = 380, .resize = 384},
    {.pattern = "efficientnet_b5", .width = 2048, .norm_eps = 1e-3F, .input = 456, .resize = 456},
    {.pattern = "efficientnet_b6", .width = 2304, .norm_eps = 1e-3F, .input = 528, .resize = 528},
    {.pattern = "efficientnet_b7", .width = 2560, .norm_eps = 1e-3F, .input = 600, .resize = 600},
    {.pattern = NULL},
};
const lp_architecture lp_architectures_torchvision_efficientnetv2[] = {
    {.pattern = "efficientnet_v2_s", .width = 1280, .input = 384, .resize = 384},
    {.pattern = "efficientnet_v2_m", .width = 1280, .input = 480, .resize = 480},
    {.pattern = "efficientnet_v2_l", .width = 1280, .input = 480, .resize = 480},
    {.pattern = NULL},
};

/* timm/models/convnext.py.  Not here: those with RMS norm or an overlapping stem. */
const lp_architecture lp_architectures_convnext[] = {
    {.pattern = "convnext_xxlarge", .width = 3072, .norm_eps = 1e-5F},
    {.pattern = "convnext_xlarge", .width = 2048},
    {.pattern = "convnext_large", .width = 1536},
    {.pattern = "convnext_large_mlp", .width = 1536},
    {.pattern = "convnext_base", .width = 1024},
    {.pattern = "convnext_small", .width = 768},
    {.pattern = "convnext_tiny", .width = 768},
    {.pattern = "convnext_tiny_hnf", .width = 768},
    {.pattern = "convnext_nano", .width = 640},
    {.pattern = "convnext_pico", .width = 512},
    {.pattern = "convnext_femto", .width = 384},
    {.pattern = "convnext_atto", .width = 320},
    {.pattern = "convnextv2_huge", .width = 2816},
    {.pattern = "convnextv2_large", .width = 1536},
    {.pattern = "convnextv2_base", .width = 1024},
    {.pattern = "convnextv2_small", .width = 768},
    {.pattern = "convnextv2_tiny", .width = 768},
    {.pattern = "convnextv2_nano", .width = 640},
    {.pattern = "convnextv2_pico", .width = 512},
    {.pattern = "convnextv2_femto", .width = 384},
    {.pattern = "convnextv2_atto", .width = 320},
    {.pattern = "test_convnext",
     .width = 64,
     .activation = LP_ACTIVATION_GELU_TANH,
     .norm_eps = 1e-5F},
    {.pattern = "test_convnext2",
     .width = 128,
     .activation = LP_ACTIVATION_GELU_TANH,
     .norm_eps = 1e-5F},
    {.pattern = NULL},
};

/* timm/models/fastvit.py. */
const lp_architecture lp_architectures_fastvit[] = {
    {.pattern = "fastvit_t8", .width = 768},
    {.pattern = "fastvit_t12", .width = 1024},
    {.pattern = "fastvit_s12", .width = 1024},
    {.pattern = "fastvit_sa12", .width = 1024},
    {.pattern = "fastvit_sa24", .width = 1024},
    {.pattern = "fastvit_sa36", .width = 1024},
    {.pattern = "fastvit_ma36", .width = 1216},
    {.pattern = "fastvit_mci0", .width = 1024},
    {.pattern = "fastvit_mci1", .width = 1024},
    {.pattern = "fastvit_mci2", .width = 1280},
    {.pattern = "fastvit_mci3", .width = 3072},
    {.pattern = "fastvit_mci4", .width = 4096},
    {.pattern = NULL},
};

/* timm/models/vitamin.py; crop_pct 1 of those for more than 224 pixels. */
const lp_architecture lp_architectures_vitamin[] = {
    {.pattern = "vitamin_small_224", .width = 384}, {.pattern = "vitamin_base_224", .width = 768},
    {.pattern = "vitamin_large_*", .width = 1024},  {.pattern = "vitamin_large2_*", .width = 1024},
    {.pattern = "vitamin_xlarge_*", .width = 1152}, {.pattern = NULL},
};

/* timm/models/vision_transformer_hybrid.py. */
const lp_architecture lp_architectures_mci_vit[] = {
    {.pattern = "vit_base_mci_224", .width = 768},
    {.pattern = NULL},
};

/* apple/ml-mobileclip: models/vit.py and modules/common/transformer.py. */
const lp_rename lp_renames_mobileclip_vit[] = {
    {"patch_emb.#.block.conv.", "patch_embed.backbone.{0}.conv."},
    {"patch_emb.#.block.norm.", "patch_embed.backbone.{0}.bn."},
    {"pos_embed.pos_embed.pos_embed", "pos_embed"},
    {"transformer.#.pre_norm_mha.0.", "blocks.{0}.norm1."},
    {"transformer.#.pre_norm_mha.1.qkv_proj.", "blocks.{0}.attn.qkv."},
    {"transformer.#.pre_norm_mha.1.out_proj.", "blocks.{0}.attn.proj."},
    {"transformer.#.pre_norm_ffn.0.", "blocks.{0}.norm2."},
    {"transformer.#.pre_norm_ffn.1.", "blocks.{0}.mlp.fc1."},
    {"transformer.#.pre_norm_ffn.4.", "blocks.{0}.mlp.fc2."},
    {"post_transformer_norm.", "norm."},
    {NULL, NULL}};

/* timm/models/tiny_vit.py; crop_pct 1 of those for more than 224 pixels. */
const lp_architecture lp_architectures_tinyvit[] = {
    {.pattern = "tiny_vit_5m_224", .width = 320},
    {.pattern = "tiny_vit_11m_224", .width = 448},
    {.pattern = "tiny_vit_21m_*", .width = 576},
    {.pattern = NULL},
};

/* timm's names of a TinyViT from those of microsoft/Cream, whose steps between stages belong to the
 * stage before. */
const lp_rename lp_renames_tinyvit[] = {
    {"patch_embed.seq.0.c.", "patch_embed.conv1.conv."},
    {"patch_embed.seq.0.", "patch_embed.conv1."},
    {"patch_embed.seq.2.c.", "patch_embed.conv2.conv."},
    {"patch_embed.seq.2.", "patch_embed.conv2."},
    {"layers.#.downsample.conv#.c.", "stages.{0+1}.downsample.conv{1}.conv."},
    {"layers.#.downsample.", "stages.{0+1}.downsample."},
    {"layers.#.blocks.#.conv#.c.", "stages.{0}.blocks.{1}.conv{2}.conv."},
    {"layers.#.blocks.#.local_conv.c.", "stages.{0}.blocks.{1}.local_conv.conv."},
    {"layers.#.", "stages.{0}."},
    {"norm_head.", "head.norm."},
    {"head.", "head.fc."},
    {NULL, NULL}};

/* google-research/big_transfer: timm's names, stages and blocks counted from 1.  Numbers of blocks
 * have two digits. */
#define BIT_BLOCK(unit)                                                                            \
    {"block#." unit "a.group_norm.gamma", "stages.{0}.blocks.{1}.norm1.weight"},                   \
        {"block#." unit "a.group_norm.beta", "stages.{0}.blocks.{1}.norm1.bias"},                  \
        {"block#." unit "b.group_norm.gamma", "stages.{0}.blocks.{1}.norm2.weight"},               \
        {"block#." unit "b.group_norm.beta", "stages.{0}.blocks.{1}.norm2.bias"},                  \
        {"block#." unit "c.group_norm.gamma", "stages.{0}.blocks.{1}.norm3.weight"},               \
        {"block#." unit "c.group_norm.beta", "stages.{0}.blocks.{1}.norm3.bias"},                  \
        {"block#." unit "a.standardized_conv2d.kernel", "stages.{0}.blocks.{1}.conv1.weight"},     \
        {"block#." unit "b.standardized_conv2d.kernel", "stages.{0}.blocks.{1}.conv2.weight"},     \
        {"block#." unit "c.standardized_conv2d.kernel", "stages.{0}.blocks.{1}.conv3.weight"}, {   \
        "block#." unit "a.proj.standardized_conv2d.kernel",                                        \
            "stages.{0}.blocks.{1}.downsample.conv.weight"                                         \
    }
const lp_rename lp_renames_bit_npz[] = {
    BIT_BLOCK("unit0#."),
    BIT_BLOCK("unit#."),
    {"root_block.standardized_conv2d.kernel", "stem.conv.weight"},
    {"group_norm.gamma", "norm.weight"},
    {"group_norm.beta", "norm.bias"},
    {NULL, NULL}};

/* google-research/vision_transformer: the names of a ViT of timm, whose queries, keys and values
 * are three layers. */
const lp_rename lp_renames_vit_npz[] = {
    {"embedding.kernel", "patch_embed.proj.weight"},
    {"embedding.", "patch_embed.proj."},
    {"cls", "cls_token"},
    {"Transformer.posembed_input.pos_embedding", "pos_embed"},
    {"Transformer.encoder_norm.scale", "norm.weight"},
    {"Transformer.encoder_norm.", "norm."},
    {"Transformer.encoderblock_#.LayerNorm_0.scale", "blocks.{0}.norm1.weight"},
    {"Transformer.encoderblock_#.LayerNorm_0.", "blocks.{0}.norm1."},
    {"Transformer.encoderblock_#.LayerNorm_2.scale", "blocks.{0}.norm2.weight"},
    {"Transformer.encoderblock_#.LayerNorm_2.", "blocks.{0}.norm2."},
#define ATTENTION "Transformer.encoderblock_#.MultiHeadDotProductAttention_1."
    {ATTENTION "query.kernel", "blocks.{0}.attn.q_proj.weight"},
    {ATTENTION "query.", "blocks.{0}.attn.q_proj."},
    {ATTENTION "key.kernel", "blocks.{0}.attn.k_proj.weight"},
    {ATTENTION "key.", "blocks.{0}.attn.k_proj."},
    {ATTENTION "value.kernel", "blocks.{0}.attn.v_proj.weight"},
    {ATTENTION "value.", "blocks.{0}.attn.v_proj."},
    {ATTENTION "out.kernel", "blocks.{0}.attn.proj.weight"},
    {ATTENTION "out.", "blocks.{0}.attn.proj."},
#undef ATTENTION
#define MLP "Transformer.encoderblock_#.MlpBlock_3."
    {MLP "Dense_0.kernel", "blocks.{0}.mlp.fc1.weight"},
    {MLP "Dense_0.", "blocks.{0}.mlp.fc1."},
    {MLP "Dense_1.kernel", "blocks.{0}.mlp.fc2.weight"},
    {MLP "Dense_1.", "blocks.{0}.mlp.fc2."},
#undef MLP
    {"head.", "classifier."},
    {"pre_logits.", "pooler."},
    {NULL, NULL}};
