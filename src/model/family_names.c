/* Other names of the weights of a family (renames), and the names of its architectures, each with
 * its source.  families.c says which family uses which. */
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

/* Of a state_dict() of transformers 5; save_pretrained writes the layout's names. */
const lp_rename lp_renames_hf_vit5[] = {
    {"layers.#.attention.q_proj.", "encoder.layer.{0}.attention.attention.query."},
    {"layers.#.attention.k_proj.", "encoder.layer.{0}.attention.attention.key."},
    {"layers.#.attention.v_proj.", "encoder.layer.{0}.attention.attention.value."},
    {"layers.#.attention.o_proj.", "encoder.layer.{0}.attention.output.dense."},
    {"layers.#.mlp.fc1.", "encoder.layer.{0}.intermediate.dense."},
    {"layers.#.mlp.fc2.", "encoder.layer.{0}.output.dense."},
    {"layers.#.", "encoder.layer.{0}."},
    {NULL, NULL}};
const lp_rename lp_renames_hf_dinov2_5[] = {
    {"encoder.layer.#.attention.q_proj.", "encoder.layer.{0}.attention.attention.query."},
    {"encoder.layer.#.attention.k_proj.", "encoder.layer.{0}.attention.attention.key."},
    {"encoder.layer.#.attention.v_proj.", "encoder.layer.{0}.attention.attention.value."},
    {"encoder.layer.#.attention.o_proj.", "encoder.layer.{0}.attention.output.dense."},
    {NULL, NULL}};
/* AltCLIP's tower. */
const lp_rename lp_renames_hf_altclip[] = {{"encoder.layer.#.", "encoder.layers.{0}."},
                                           {NULL, NULL}};
/* OpenGVLab/InternViT-*: modeling_intern_vit.py. */
const lp_rename lp_renames_internvit[] = {{"embeddings.class_embedding", "cls_token"},
                                          {"embeddings.patch_embedding.", "patch_embed.proj."},
                                          {"embeddings.position_embedding", "pos_embed"},
                                          {"encoder.layers.#.ls1", "blocks.{0}.ls1.gamma"},
                                          {"encoder.layers.#.ls2", "blocks.{0}.ls2.gamma"},
                                          {"encoder.layers.#.", "blocks.{0}."},
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
    {"swin_tiny_patch4_window7_224", 768, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"swin_small_patch4_window7_224", 768, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"swin_base_patch4_window7_224", 1024, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"swin_base_patch4_window12_384", 1024, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"swin_large_patch4_window7_224", 1536, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"swin_large_patch4_window12_384", 1536, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {NULL, 0, LP_ACTIVATION_AUTO, 0, false, 0, 0},
};

/* timm/models/efficientnet.py: tf_ models have pad_type 'same' and BN_EPS_TF_DEFAULT; input_size
 * and crop_pct of the first weights in default_cfgs. */
const lp_architecture lp_architectures_efficientnet[] = {
    {"tf_efficientnet_b0", 1280, LP_ACTIVATION_AUTO, 1e-3F, true, 224, 256},
    {"tf_efficientnet_b1", 1280, LP_ACTIVATION_AUTO, 1e-3F, true, 240, 272},
    {"tf_efficientnet_b2", 1408, LP_ACTIVATION_AUTO, 1e-3F, true, 260, 292},
    {"tf_efficientnet_b3", 1536, LP_ACTIVATION_AUTO, 1e-3F, true, 300, 331},
    {"tf_efficientnet_b4", 1792, LP_ACTIVATION_AUTO, 1e-3F, true, 380, 412},
    {"tf_efficientnet_b5", 2048, LP_ACTIVATION_AUTO, 1e-3F, true, 456, 488},
    {"tf_efficientnet_b6", 2304, LP_ACTIVATION_AUTO, 1e-3F, true, 528, 560},
    {"tf_efficientnet_b7", 2560, LP_ACTIVATION_AUTO, 1e-3F, true, 600, 632},
    {"tf_efficientnet_b8", 2816, LP_ACTIVATION_AUTO, 1e-3F, true, 672, 704},
    {"tf_efficientnet_l2", 5504, LP_ACTIVATION_AUTO, 1e-3F, true, 800, 833},
    {"efficientnet_b0", 1280, LP_ACTIVATION_AUTO, 1e-5F, false, 224, 256},
    {"efficientnet_b1", 1280, LP_ACTIVATION_AUTO, 1e-5F, false, 240, 274},
    {"efficientnet_b2", 1408, LP_ACTIVATION_AUTO, 1e-5F, false, 256, 292},
    {"efficientnet_b3", 1536, LP_ACTIVATION_AUTO, 1e-5F, false, 288, 329},
    {"efficientnet_b4", 1792, LP_ACTIVATION_AUTO, 1e-5F, false, 320, 365},
    {"efficientnet_b5", 2048, LP_ACTIVATION_AUTO, 1e-5F, false, 448, 448},
    {NULL, 0, LP_ACTIVATION_AUTO, 0, false, 0, 0},
};
const lp_architecture lp_architectures_efficientnetv2[] = {
    {"tf_efficientnetv2_s", 1280, LP_ACTIVATION_AUTO, 1e-3F, true, 300, 300},
    {"tf_efficientnetv2_m", 1280, LP_ACTIVATION_AUTO, 1e-3F, true, 384, 384},
    {"tf_efficientnetv2_l", 1280, LP_ACTIVATION_AUTO, 1e-3F, true, 384, 384},
    {"tf_efficientnetv2_xl", 1280, LP_ACTIVATION_AUTO, 1e-3F, true, 384, 384},
    {"tf_efficientnetv2_b0", 1280, LP_ACTIVATION_AUTO, 1e-3F, true, 192, 219},
    {"tf_efficientnetv2_b1", 1280, LP_ACTIVATION_AUTO, 1e-3F, true, 192, 217},
    {"tf_efficientnetv2_b2", 1408, LP_ACTIVATION_AUTO, 1e-3F, true, 208, 233},
    {"tf_efficientnetv2_b3", 1536, LP_ACTIVATION_AUTO, 1e-3F, true, 240, 265},
    {NULL, 0, LP_ACTIVATION_AUTO, 0, false, 0, 0},
};

/* timm/models/convnext.py.  Not here: those with RMS norm or an overlapping stem. */
const lp_architecture lp_architectures_convnext[] = {
    {"convnext_xxlarge", 3072, LP_ACTIVATION_AUTO, 1e-5F, false, 0, 0},
    {"convnext_xlarge", 2048, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnext_large", 1536, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnext_large_mlp", 1536, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnext_base", 1024, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnext_small", 768, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnext_tiny", 768, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnext_tiny_hnf", 768, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnext_nano", 640, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnext_pico", 512, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnext_femto", 384, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnext_atto", 320, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnextv2_huge", 2816, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnextv2_large", 1536, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnextv2_base", 1024, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnextv2_small", 768, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnextv2_tiny", 768, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnextv2_nano", 640, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnextv2_pico", 512, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnextv2_femto", 384, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"convnextv2_atto", 320, LP_ACTIVATION_AUTO, 0, false, 0, 0},
    {"test_convnext", 64, LP_ACTIVATION_GELU_TANH, 1e-5F, false, 0, 0},
    {"test_convnext2", 128, LP_ACTIVATION_GELU_TANH, 1e-5F, false, 0, 0},
    {NULL, 0, LP_ACTIVATION_AUTO, 0, false, 0, 0},
};
