/* Families of image encoders: the one place of all that weights do not say, each with its source.
 * families.h says what each table is for.  The names of the weights are in the descriptions (vit.c,
 * resnet.c), other names for them and names of architectures in family_names.c.
 *
 * Longer than 600 lines: a table, one row a family.  docs/MODEL.md has the first table for readers,
 * and tests/unit/test_family_table.c compares the two. */
#include "model/families.h"

#include "model/family_names.h"
#include "model/net_descriptions.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The kind of tower, and the names of its weights. */
#define NET(description) .tower = &lp_net_kind, .layout = &(description)
#define TRANSFORMER(kind) .tower = &lp_net_kind, .layout = &(kind).description

#define VIT_TIMM TRANSFORMER(lp_net_vit), .renames = lp_renames_chunks
#define CONVNEXT NET(lp_net_convnext), .architectures = lp_architectures_convnext

/* Names of a ViT in timm's naming. */
#define TIMM_NAMES                                                                                 \
    { "patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "blocks.0.0.attn.qkv.weight" }
#define TIMM_SCALED                                                                                \
    { "blocks.0.ls1.gamma", "blocks.0.ls2.gamma", "blocks.0.0.ls1.gamma" }

#define XCIT_BLOCKS "cls_attn_blocks.0.norm1.weight", "cls_attn_blocks.0.norm2.weight"
#define XCIT_STEM "patch_embed.proj.0.0.weight", "patch_embed.proj.2.0.weight"

/* First blocks of stages of the Hieras; of all sizes the first two. */
#define HIERA_BLOCKS                                                                               \
    "blocks.1.proj.weight", "blocks.2.proj.weight", "blocks.3.proj.weight",                        \
        "blocks.5.proj.weight", "blocks.8.proj.weight"

/* What a file of BYOL has of a ResNet of some depth. */
#define BYOL_STEM(depth) "online_params.res_net" depth "/~/initial_batchnorm.scale"

/* Of families whose models have none: a pool that another family has would be computed otherwise.
 */
#define ATTENTION_POOL "attn_pool.latent"

/* timm's act_layer of vit_*_siglip_*: the dimensions whose models have gelu_tanh. */
static const lp_activation_exception siglip_exceptions[] = {
    {.width = 768, .patch = 32, .activation = LP_ACTIVATION_GELU_TANH},
    {.width = 1024, .grid = 32, .activation = LP_ACTIVATION_GELU_TANH},
    {.width = 1152, .patch = 16, .activation = LP_ACTIVATION_GELU_TANH},
    {.width = 1536, .activation = LP_ACTIVATION_GELU_TANH},
    {0},
};

/* Order matters where a file could belong to two. */
const lp_family lp_families[] = {
    {
        .name = "hf-mlcd", /* transformers: MLCDVisionModel */
        .title = "MLCD ViT",
        .prefixes = {"vision_model.", ""},
        .any = {"class_pos_emb"},
        .with = {"embeddings.class_embedding"},
        TRANSFORMER(lp_net_mlcd),
        .renames = lp_renames_hf_mlcd,
        .activation = LP_ACTIVATION_GELU, /* configuration_mlcd.py: hidden_act */
        .norm_eps = 1e-5F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_CLIP,     /* DeepGlint-AI/mlcd-*: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .input = 336, /* configuration_mlcd.py: image_size */
    },
    {
        .name = "hf-blip", /* transformers: BlipVisionModel, Blip2VisionModel, InstructBlip... */
        .title = "BLIP ViT",
        .prefixes = {"vision_model.", ""},
        .any = {"encoder.layers.0.self_attn.qkv.weight"},
        .with = {"embeddings.class_embedding"},
        TRANSFORMER(lp_net_vit),
        .renames = lp_renames_hf_blip,
        .activation = LP_ACTIVATION_GELU, /* configuration_blip.py: hidden_act */
        .norm_eps = 1e-5F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_CLIP,     /* image_processing_blip.py, as the next */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true,
        .resize = LP_RESIZE_PLAIN, /* modeling_blip.py, interpolate_pos_encoding */
        .eps_note = "BLIP-2 and InstructBLIP have 1e-6",
    },
    {
        .name = "hf-janus", /* transformers: JanusVisionModel */
        .title = "Janus ViT",
        .prefixes = {"vision_model.", ""},
        .any = {"encoder.layers.0.self_attn.projection_layer.weight"},
        .with = {"embeddings.patch_embedding.bias"},
        TRANSFORMER(lp_net_vit_hf_clip),
        .renames = lp_renames_hf_clip,
        .activation = LP_ACTIVATION_GELU, /* configuration_janus.py: hidden_act */
        .norm_eps = 1e-6F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_HALF,     /* SigLIP's, which it is made from */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true,
        .resize = LP_RESIZE_PLAIN, /* modeling_janus.py, interpolate_pos_encoding */
        .note = "Janus itself keeps the shape of images and pads them, and takes all tokens",
    },
    {
        .name = "hf-ovis2", /* transformers: Ovis2VisionModel's transformer, an AIMv2 */
        .title = "Ovis2 AIMv2",
        .prefixes = {"transformer.", ""},
        .any = {"embeddings.rms_norm.weight"},
        .with = {"embeddings.patch_embedding.weight"},
        TRANSFORMER(lp_net_aimv2),
        .renames = lp_renames_hf_ovis2,
        .norm_eps = 1e-5F,            /* configuration_ovis2.py: rms_norm_eps */
        .mean_std = LP_MEAN_STD_CLIP, /* image_processing_ovis2.py */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true,
        .resize = LP_RESIZE_PLAIN,
        .note = "Ovis2 itself cuts images into tiles, and takes all tokens",
    },
    {
        .name = "hf-clip", /* transformers: CLIPVisionModel, with projection or not, CLIPModel */
        .title = "CLIP ViT",
        .prefixes = {"vision_model.", ""},
        .any = {"embeddings.class_embedding", "pre_layrnorm.weight"},
        TRANSFORMER(lp_net_vit_hf_clip),
        .renames = lp_renames_hf_clip,
        .activation = LP_ACTIVATION_AUTO, /* config.json: quick_gelu or gelu */
        .norm_eps = 1e-5F,                /* configuration_clip.py: layer_norm_eps */
        .mean_std = LP_MEAN_STD_CLIP,     /* image_processing_clip.py, as all of these */
        .crop_rule = LP_CROP_FLOOR,
        .resize = LP_RESIZE_PLAIN, /* modeling_clip.py, interpolate_pos_encoding */
    },
    {
        .name = "hf-siglip2", /* transformers: Siglip2VisionModel, Siglip2Model (NaFlex) */
        .title = "SigLIP 2 NaFlex ViT",
        .prefixes = {"vision_model.", ""},
        .any = {"head.probe", "embeddings.patch_embedding.bias"},
        .matrix = "embeddings.patch_embedding.weight",
        NET(lp_net_siglip2),
        .renames = lp_renames_hf_siglip2,
        .activation = LP_ACTIVATION_GELU_TANH, /* configuration_siglip2.py: hidden_act */
        .norm_eps = 1e-6F,                     /* the same: layer_norm_eps */
        .filter = LP_FILTER_BILINEAR,          /* image_processing_siglip2.py, as the next */
        .mean_std = LP_MEAN_STD_HALF,
        .crop_rule = LP_CROP_FLOOR,
        .squash = true,
        .resize = LP_RESIZE_BILINEAR, /* modeling_siglip2.py, resize_positional_embeddings */
        .note = "of squares; transformers keeps an image's shape",
    },
    {
        .name = "hf-siglip", /* transformers: SiglipVisionModel, SiglipModel */
        .title = "SigLIP ViT",
        .prefixes = {"vision_model.", ""},
        .any = {"head.probe", "embeddings.patch_embedding.bias"},
        TRANSFORMER(lp_net_vit_hf_clip),
        .renames = lp_renames_hf_clip,
        .activation = LP_ACTIVATION_GELU_TANH, /* configuration_siglip.py: gelu_pytorch_tanh */
        .norm_eps = 1e-6F,                     /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_HALF,          /* image_processing_siglip.py, as all of these */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true,
        .resize = LP_RESIZE_PLAIN, /* modeling_siglip.py, interpolate_pos_encoding */
    },
    {
        .name = "internvit", /* OpenGVLab/InternViT-* */
        .title = "InternViT",
        .prefixes = {""},
        .any = {"encoder.layers.0.attn.qkv.weight"},
        .with = {"embeddings.patch_embedding.weight"},
        TRANSFORMER(lp_net_vit),
        .renames = lp_renames_internvit,
        .activation = LP_ACTIVATION_GELU, /* configuration_intern_vit.py: hidden_act */
        .norm_eps = 1e-6F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_IMAGENET, /* preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .resize = LP_RESIZE_ANTIALIAS,
    },
    {
        .name = "hf-dinov2-reg", /* transformers: Dinov2WithRegistersModel */
        .title = "DINOv2 ViT",
        .prefixes = {""},
        .any = {"embeddings.register_tokens"},
        .with = {"encoder.layer.0.layer_scale1.lambda1", "encoder.layer.0.layer_scale2.lambda1"},
        TRANSFORMER(lp_net_vit_hf_dinov2),
        .renames = lp_renames_hf_vit,
        .activation = LP_ACTIVATION_GELU, /* configuration_dinov2_with_registers.py: hidden_act */
        .norm_eps = 1e-6F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_IMAGENET, /* facebook/dinov2-*: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .shorter_side = {256, 224}, /* the same: shortest_edge 256, crop_size 224 */
        .input = 224,
        .resize = LP_RESIZE_ANTIALIAS, /* modeling_dinov2_with_registers.py */
    },
    {
        .name = "hf-dinov2", /* transformers: Dinov2Model; sources as above */
        .title = "DINOv2 ViT",
        .prefixes = {""},
        .any = {"encoder.layer.0.layer_scale1.lambda1", "encoder.layer.0.layer_scale2.lambda1"},
        TRANSFORMER(lp_net_vit_hf_dinov2),
        .renames = lp_renames_hf_vit,
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean_std = LP_MEAN_STD_IMAGENET,
        .crop_rule = LP_CROP_FLOOR,
        .shorter_side = {256, 224},
        .input = 224,
        .resize = LP_RESIZE_PLAIN, /* modeling_dinov2.py */
    },
    {
        .name = "hf-internvl", /* transformers: InternVLVisionModel, InternVLForConditional... */
        .title = "InternViT",
        .prefixes = {""},
        .any = {"encoder.layer.0.attention.projection_layer.weight"},
        .with = {"embeddings.patch_embeddings.projection.weight"},
        TRANSFORMER(lp_net_vit_hf_internvl),
        .renames = lp_renames_hf_vit,
        .activation = LP_ACTIVATION_GELU, /* configuration_internvl.py: hidden_act */
        .norm_eps = 1e-6F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_IMAGENET, /* OpenGVLab/InternVL3-*-hf: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true,            /* image_processing_got_ocr2.py: size {height, width} */
        .resize = LP_RESIZE_PLAIN, /* modeling_internvl.py, interpolate_pos_encoding */
    },
    {
        .name = "hf-deit", /* transformers: DeiTModel */
        .title = "DeiT ViT",
        .prefixes = {""},
        .any = {"embeddings.distillation_token"},
        TRANSFORMER(lp_net_vit_hf),
        .renames = lp_renames_hf_vit,
        .activation = LP_ACTIVATION_GELU, /* configuration_deit.py: hidden_act */
        .norm_eps = 1e-12F,               /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_IMAGENET, /* facebook/deit-*: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true, /* image_processing_deit.py: size 256 x 256, crop 224 */
        .shorter_side = {256, 224},
        .resize = LP_RESIZE_PLAIN,
        .eps_note = "ViT-MSN has 1e-6",
    },
    {
        .name = "hf-ijepa", /* transformers: IJepaModel */
        .title = "I-JEPA ViT",
        .prefixes = {""},
        .any = {"encoder.layer.0.layernorm_before.weight", "layers.0.layernorm_before.weight"},
        .without = {"embeddings.cls_token"},
        TRANSFORMER(lp_net_vit_hf),
        .renames = lp_renames_hf_vit,
        .activation = LP_ACTIVATION_GELU, /* configuration_ijepa.py: hidden_act */
        .norm_eps = 1e-6F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_IMAGENET, /* facebook/ijepa_*: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true,
        .resize = LP_RESIZE_PLAIN,
    },
    {
        .name =
            "hf-vit", /* transformers: ViTModel, FlavaImageModel; google/vit-*, facebook/dino-* */
        .title = "ViT",
        .prefixes = {""},
        .any = {"encoder.layer.0.layernorm_before.weight", "encoder.layer.0.layernorm_after.weight",
                "layers.0.layernorm_before.weight", "layers.0.layernorm_after.weight"},
        TRANSFORMER(lp_net_vit_hf),
        .renames = lp_renames_hf_vit,
        .activation = LP_ACTIVATION_GELU, /* configuration_vit.py: hidden_act */
        .norm_eps = 1e-12F,               /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_HALF,     /* image_processing_vit.py: IMAGENET_STANDARD_MEAN */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true, /* the same: size {height, width} */
        .resize = LP_RESIZE_PLAIN,
        .note = "as google/vit-*; facebook/dino-* and vit-mae-* have imagenet, FLAVA clip",
        .eps_note = "ViT-MSN has 1e-6",
    },
    {
        .name = "vit-npz", /* google-research/vision_transformer: ViT's .npz */
        .title = "ViT",
        .prefixes = {""},
        .any = {"Transformer.encoderblock_0.LayerNorm_0.scale",
                "Transformer.encoderblock_0.LayerNorm_2.scale"},
        .with = {"embedding.kernel", "embedding.bias"},
        .without = {"Transformer.encoderblock_0.LayerNorm_1.scale"},
        TRANSFORMER(lp_net_vit_hf),
        .renames = lp_renames_vit_npz,
        .activation = LP_ACTIVATION_GELU_TANH, /* models_vit.py: nn.gelu; timm has gelu */
        .norm_eps = 1e-6F,                     /* flax.linen.LayerNorm's default */
        .mean_std = LP_MEAN_STD_HALF,          /* timm vision_transformer.py, _cfg, as the next */
        .shorter_side = {10, 9},
        .note = "models for 384 pixels have no other resize",
    },
    {
        .name = "perception", /* facebookresearch/perception_models: PE-Core-* */
        .title = "PE-Core ViT",
        .prefixes = {"visual.", ""},
        .any = {"attn_pool.probe"},
        .with = {"transformer.resblocks.0.attn.in_proj_weight"},
        TRANSFORMER(lp_net_perception_one),
        .renames = lp_renames_perception,
        .activation = LP_ACTIVATION_GELU, /* core/vision_encoder/pe.py: act_layer, as the next */
        .norm_eps = 1e-5F,
        .filter = LP_FILTER_BILINEAR, /* core/vision_encoder/transforms.py, as the next two */
        .mean_std = LP_MEAN_STD_HALF,
        .squash = true,
    },
    {
        .name = "hf-aimv2", /* transformers: Aimv2VisionModel, Aimv2Model */
        .title = "AIMv2",
        .prefixes = {"vision_model.", ""},
        .any = {"embeddings.rms_norm.weight"},
        .with = {"encoder.layers.0.rms_norm1.weight", "encoder.layers.0.rms_norm2.weight"},
        .without = {"embeddings.patch_embedding.weight"},
        TRANSFORMER(lp_net_aimv2),
        .architectures = lp_architectures_aimv2,
        .renames = lp_renames_hf_aimv2,
        .norm_eps = 1e-5F, /* configuration_aimv2.py: rms_norm_eps */
        .mean_std =
            LP_MEAN_STD_CLIP, /* image_processing_auto.py: CLIPImageProcessor, as the next */
        .crop_rule = LP_CROP_FLOOR,
        .resize = LP_RESIZE_ANTIALIAS,
    },
    {
        .name = "clipa", /* open_clip: ViT-*-CLIPA */
        .title = "CLIPA ViT",
        .prefixes = {"visual.", ""},
        .any = {"class_embedding"},
        .with = {"transformer.resblocks.0.attn.in_proj_weight"},
        .without = {"ln_pre.weight"},
        TRANSFORMER(lp_net_vit_openai),
        .renames = lp_renames_clip_vit,
        .activation = LP_ACTIVATION_GELU, /* model_configs/ViT-*-CLIPA.json: no quick_gelu */
        .pool = LP_POOL_MEAN,             /* the same: pool_type avg, final_ln_after_pool */
        .norm_after_pool = true,
        .norm_eps = 1e-5F,
        .filter = LP_FILTER_BILINEAR, /* pretrained.py, _apcfg, as the next two */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .squash = true,
        .resize = LP_RESIZE_ANTIALIAS,
    },
    {
        .name = "coca", /* open_clip: coca_ViT-* */
        .title = "CoCa ViT",
        .prefixes = {"visual."},
        .any = {"attn_pool.query"},
        .with = {"transformer.resblocks.0.attn.in_proj_weight"},
        TRANSFORMER(lp_net_coca),
        .renames = lp_renames_coca,
        .activation = LP_ACTIVATION_GELU, /* model_configs/coca_ViT-*.json: no quick_gelu */
        .norm_eps = 1e-5F,                /* torch.nn.LayerNorm's default */
        .mean_std = LP_MEAN_STD_CLIP,     /* open_clip constants.py */
        .resize = LP_RESIZE_ANTIALIAS,    /* open_clip model.py, resize_pos_embed */
    },
    {
        .name = "clip-vit", /* openai/CLIP: encode_image of a vision transformer; open_clip */
        .title = "CLIP ViT",
        .prefixes = {"visual.", ""},
        .any = {"class_embedding", "transformer.resblocks.0.attn.in_proj_weight"},
        TRANSFORMER(lp_net_vit_openai),
        .renames = lp_renames_clip_vit,
        .activation = LP_ACTIVATION_AUTO, /* clip/model.py: QuickGELU; open_clip: GELU, unless
                                             quick_gelu */
        .norm_eps = 1e-5F,                /* torch.nn.LayerNorm's default */
        .mean_std = LP_MEAN_STD_CLIP,
        .resize = LP_RESIZE_ANTIALIAS, /* open_clip model.py, resize_pos_embed */
    },
    {
        .name = "clip-vitamin", /* open_clip: ViTamin-* */
        .title = "ViTamin",
        .prefixes = {"visual.trunk."},
        .any = {"patch_embed.backbone.stem.conv1.weight", "patch_embed.backbone.stem.conv2.weight"},
        .with = {"patch_embed.backbone.pool.proj.weight", "patch_embed.backbone.pool.norm.weight"},
        NET(lp_net_vitamin),
        .architectures = lp_architectures_vitamin,
        .activation = LP_ACTIVATION_GELU, /* vitamin.py: act_layer */
        .norm_eps = 1e-6F,                /* the same: norm_eps; layers/norm.py: LayerNorm */
        .mean_std = LP_MEAN_STD_CLIP,     /* open_clip pretrained.py, _pcfg */
        .input = 256,                     /* of ViTamin-XL, which has no positions */
    },
    {
        .name = "timm-vitamin", /* timm: vitamin_* */
        .title = "ViTamin",
        .prefixes = {""},
        .any = {"patch_embed.backbone.stem.conv1.weight", "patch_embed.backbone.stem.conv2.weight"},
        .with = {"patch_embed.backbone.pool.proj.weight", "patch_embed.backbone.pool.norm.weight"},
        NET(lp_net_vitamin),
        .architectures = lp_architectures_vitamin,
        .activation = LP_ACTIVATION_GELU, /* vitamin.py: act_layer */
        .norm_eps = 1e-6F,                /* the same: norm_eps; layers/norm.py: LayerNorm */
        .mean_std = LP_MEAN_STD_CLIP,     /* vitamin.py, _cfg, as the next */
        .shorter_side = {10, 9},          /* crop_pct 0.9 */
        .input = 256,                     /* of ViTamin-XL, which has no positions */
        .note = "models for more than 224 pixels have no other resize",
    },
    {
        .name = "clip-mci-vit", /* open_clip: MobileCLIP-B, MobileCLIP2-B */
        .title = "MobileCLIP",
        .prefixes = {"visual.trunk."},
        .any = {"patch_embed.backbone.0.conv.weight", "patch_embed.backbone.2.conv.weight"},
        .with = {"blocks.0.attn.qkv.weight", "blocks.0.norm1.weight"},
        NET(lp_net_mci_vit),
        .architectures = lp_architectures_mci_vit,
        .activation = LP_ACTIVATION_GELU, /* vision_transformer_hybrid.py: act_layer */
        .norm_eps = 1e-6F,                /* layers/norm.py: LayerNorm */
        .filter = LP_FILTER_BILINEAR,     /* open_clip pretrained.py, _mccfg, as the next */
        .mean_std = LP_MEAN_STD_NONE,
    },
    {
        .name = "timm-mci-vit", /* timm: vit_base_mci_224 */
        .title = "MobileCLIP",
        .prefixes = {""},
        .any = {"patch_embed.backbone.0.conv.weight", "patch_embed.backbone.2.conv.weight"},
        .with = {"blocks.0.attn.qkv.weight", "blocks.0.norm1.weight"},
        NET(lp_net_mci_vit),
        .architectures = lp_architectures_mci_vit,
        .activation = LP_ACTIVATION_GELU, /* vision_transformer_hybrid.py: act_layer */
        .norm_eps = 1e-6F,                /* layers/norm.py: LayerNorm */
        .mean_std = LP_MEAN_STD_NONE,     /* vision_transformer_hybrid.py, default_cfgs */
        .shorter_side = {10, 9},          /* the same: crop_pct 0.9 */
    },
    {
        .name = "mobileclip-vit", /* apple/ml-mobileclip: mobileclip_b, mobileclip_blt */
        .title = "MobileCLIP",
        .prefixes = {"image_encoder.model."},
        .any = {"patch_emb.0.block.conv.weight", "patch_emb.2.block.conv.weight"},
        .with = {"transformer.0.pre_norm_mha.0.weight", "transformer.0.pre_norm_ffn.0.weight"},
        NET(lp_net_mci_vit_apple),
        .renames = lp_renames_mobileclip_vit,
        .activation = LP_ACTIVATION_GELU, /* transformer.py: TransformerEncoder */
        .norm_eps = 1e-5F,                /* the same: LayerNormFP32; timm has 1e-6 */
        .filter = LP_FILTER_BILINEAR,     /* mobileclip/__init__.py, as the next */
        .mean_std = LP_MEAN_STD_NONE,
    },
    {
        .name = "timm-siglip", /* timm: vit_*_siglip_*; open_clip: ViT-*-SigLIP* */
        .title = "SigLIP ViT",
        .prefixes = {"visual.trunk.", ""},
        .any = {"attn_pool.latent", "attn_pool.kv.weight"},
        .without = {"cls_token", "norm_pre.weight"}, /* Perception Encoder: another attention */
        VIT_TIMM,
        .activation = LP_ACTIVATION_GELU, /* vision_transformer.py, act_layer */
        .exceptions = siglip_exceptions,
        .norm_eps = 1e-6F,            /* the same: LayerNorm */
        .mean_std = LP_MEAN_STD_HALF, /* vision_transformer.py, default_cfgs, siglip */
        .squash = true,               /* open_clip model_configs/ViT-*-SigLIP*: resize_mode */
        .resize = LP_RESIZE_ANTIALIAS,
    },
    {
        .name = "naflex", /* timm: naflexvit_*_gap */
        .title = "NaFlex ViT",
        .prefixes = {""},
        .any = {"embeds.proj.weight"},
        .with = {"fc_norm.weight", "fc_norm.bias"},
        .without = {"embeds.cls_token"},
        NET(lp_net_naflex),
        .architectures = lp_architectures_naflex,
        .activation = LP_ACTIVATION_GELU, /* naflexvit.py: act_layer */
        .norm_eps = 1e-6F,                /* timm layers/norm.py: LayerNorm */
        .mean_std = LP_MEAN_STD_HALF,     /* naflexvit.py, _cfg, as the next */
        .input = 384,
        .resize = LP_RESIZE_ANTIALIAS, /* the same: pos_embed_interp_mode */
    },
    {
        .name = "naflex-siglip", /* timm: naflexvit_*_siglip */
        .title = "NaFlex SigLIP ViT",
        .prefixes = {""},
        .any = {"embeds.proj.weight"},
        .with = {"attn_pool.latent", "attn_pool.kv.weight"},
        .without = {"embeds.cls_token"},
        NET(lp_net_naflex),
        .architectures = lp_architectures_naflex_siglip,
        .activation = LP_ACTIVATION_GELU_TANH, /* naflexvit.py: act_layer */
        .norm_eps = 1e-6F,                     /* timm layers/norm.py: LayerNorm */
        .mean_std = LP_MEAN_STD_HALF,          /* naflexvit.py, _cfg, as the next */
        .input = 384,
        .resize = LP_RESIZE_BILINEAR, /* the same: pos_embed_interp_mode */
    },
    {
        .name = "sam", /* facebookresearch/segment-anything: sam_vit_* */
        .title = "SAM ViT",
        .prefixes = {"image_encoder.", ""},
        .any = {"blocks.0.attn.rel_pos_h", "blocks.0.attn.rel_pos_w"},
        .with = {"blocks.0.mlp.lin1.weight", "blocks.0.mlp.lin2.weight"},
        .renames = lp_renames_sam,
        NET(lp_net_sam),
        .activation = LP_ACTIVATION_GELU, /* modeling/image_encoder.py: act_layer */
        .norm_eps = 1e-6F,                /* build_sam.py: norm_layer */
        .mean_std = LP_MEAN_STD_IMAGENET, /* timm vision_transformer_sam.py: default_cfgs */
        .resize = LP_RESIZE_ANTIALIAS,
        .note = "and a square crop, as timm; SAM itself pads the shorter side",
    },
    {
        .name = "timm-sam", /* timm: samvit_* */
        .title = "SAM ViT",
        .prefixes = {""},
        .any = {"blocks.0.attn.rel_pos_h", "blocks.0.attn.rel_pos_w"},
        .with = {"blocks.0.mlp.fc1.weight", "blocks.0.mlp.fc2.weight"},
        .architectures = lp_architectures_sam,
        NET(lp_net_sam),
        .activation = LP_ACTIVATION_GELU, /* vision_transformer_sam.py: act_layer */
        .norm_eps = 1e-5F,                /* the same: norm_layer, which is PyTorch's */
        .mean_std = LP_MEAN_STD_IMAGENET, /* timm vision_transformer_sam.py: default_cfgs */
        .resize = LP_RESIZE_ANTIALIAS,
        .note = "and a square crop, as timm; SAM itself pads the shorter side",
    },
    {
        .name = "hf-sam", /* transformers: SamVisionModel, SamModel */
        .title = "SAM ViT",
        .prefixes = {"vision_encoder.", ""},
        .any = {"layers.0.attn.rel_pos_h", "layers.0.attn.rel_pos_w"},
        .with = {"patch_embed.projection.weight"},
        .renames = lp_renames_hf_sam,
        NET(lp_net_sam),
        .activation = LP_ACTIVATION_GELU, /* configuration_sam.py: hidden_act */
        .norm_eps = 1e-6F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_IMAGENET, /* timm vision_transformer_sam.py: default_cfgs */
        .resize = LP_RESIZE_ANTIALIAS,
        .note = "and a square crop, as timm; SamImageProcessor pads the shorter side",
    },
    {
        .name = "cait", /* timm: cait_*; facebookresearch/deit: the same names */
        .title = "CaiT",
        .prefixes = {""},
        .any = {"blocks.0.attn.proj_l.weight", "blocks.0.attn.proj_w.weight"},
        .with = {"patch_embed.proj.weight", "patch_embed.proj.bias"},
        NET(lp_net_cait),
        .architectures = lp_architectures_cait,
        .activation = LP_ACTIVATION_GELU, /* cait.py: act_layer */
        .norm_eps = 1e-6F,                /* the same: norm_layer */
        .mean_std = LP_MEAN_STD_IMAGENET, /* the same, _cfg; README_cait.md: crop ratio 1 */
    },
    {
        .name = "dino-xcit", /* facebookresearch/dino: dino_xcit_*: no classifier */
        .title = "XCiT",
        .prefixes = {""},
        .any = {XCIT_BLOCKS},
        .with = {XCIT_STEM},
        .without = {"head.weight"},
        NET(lp_net_xcit),
        .renames = lp_renames_xcit,
        .activation = LP_ACTIVATION_GELU, /* as the next */
        .norm_eps = 1e-5F,
        .mean_std = LP_MEAN_STD_IMAGENET, /* eval_linear.py, as the next */
        .shorter_side = {256, 224},
        .input = 224,
        .note = "as DINO; timm's and the authors' without a classifier resize to 224",
    },
    {
        .name = "xcit", /* timm: xcit_*; facebookresearch/xcit: xcit_* */
        .title = "XCiT",
        .prefixes = {""},
        .any = {XCIT_BLOCKS},
        .with = {XCIT_STEM},
        NET(lp_net_xcit),
        .renames = lp_renames_xcit,
        .architectures = lp_architectures_xcit,
        .activation = LP_ACTIVATION_GELU, /* xcit.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default; norms: 1e-6 */
        .mean_std = LP_MEAN_STD_IMAGENET, /* the same, _cfg: crop_pct 1; the authors' full_crop */
        .input = 224,
    },
    {
        .name = "timm-hiera-abswin", /* timm: hiera_*_abswin_256 */
        .title = "Hiera abswin",
        .prefixes = {""},
        .any = {"pos_embed_win", "blocks.0.ls1.gamma"},
        .with = {"head.norm.weight", "head.norm.bias"},
        NET(lp_net_hiera_abswin),
        .architectures = lp_architectures_hiera_abswin,
        .activation = LP_ACTIVATION_GELU, /* hiera.py: act_layer */
        .norm_eps = 1e-6F,                /* timm layers/norm.py: LayerNorm */
        .mean_std = LP_MEAN_STD_IMAGENET, /* hiera.py, default_cfgs, as the next two */
        .shorter_side = {269, 256},       /* crop_pct 0.95 */
        .input = 256,
        .resize = LP_RESIZE_ANTIALIAS, /* hiera.py, _pos_embed */
    },
    {
        .name = "timm-hiera", /* timm: hiera_* */
        .title = "Hiera",
        .prefixes = {""},
        .any = {HIERA_BLOCKS},
        .with = {"head.norm.weight", "head.norm.bias"},
        NET(lp_net_hiera),
        .architectures = lp_architectures_hiera,
        .activation = LP_ACTIVATION_GELU, /* hiera.py: act_layer */
        .norm_eps = 1e-6F,                /* timm layers/norm.py: LayerNorm */
        .mean_std = LP_MEAN_STD_IMAGENET, /* hiera.py, _cfg */
        .shorter_side = {10, 9},          /* the same: crop_pct 0.9 */
    },
    {
        .name = "hiera", /* facebookresearch/hiera */
        .title = "Hiera",
        .prefixes = {""},
        .any = {HIERA_BLOCKS},
        .with = {"norm.weight", "norm.bias", "encoder_norm.weight", "encoder_norm.bias"},
        .without = {"pos_embed_spatial", "pos_embed_temporal"}, /* of videos */
        NET(lp_net_hiera),
        .renames = lp_renames_hiera,
        .activation = LP_ACTIVATION_GELU, /* hiera.py: act_layer */
        .norm_eps = 1e-6F,                /* the same: norm_layer */
        .mean_std = LP_MEAN_STD_IMAGENET, /* examples/inference.ipynb, as the next */
        .shorter_side = {256, 224},
    },
    {
        .name =
            "hf-hiera", /* transformers: HieraModel, HieraForImageClassification, ...PreTraining */
        .title = "Hiera",
        .prefixes = {"hiera.", ""},
        .any = {"encoder.stages.1.layers.0.proj.weight", "encoder.stages.2.layers.0.proj.weight"},
        .with = {"embeddings.position_embeddings", "embeddings.patch_embeddings.projection.weight"},
        NET(lp_net_hiera),
        .renames = lp_renames_hf_hiera,
        .activation = LP_ACTIVATION_GELU, /* configuration_hiera.py: hidden_act */
        .norm_eps = 1e-6F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_IMAGENET, /* facebook/hiera-*: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .shorter_side = {256, 224}, /* the same */
    },
    {
        .name = "dinov2-reg", /* facebookresearch/dinov2 with registers */
        .title = "DINOv2 ViT",
        .prefixes = {""},
        .any = {"register_tokens"},
        .with = TIMM_SCALED,
        .without = {ATTENTION_POOL},
        VIT_TIMM,
        .activation = LP_ACTIVATION_GELU, /* dinov2/layers/mlp.py: nn.GELU */
        .norm_eps = 1e-6F,                /* dinov2/models/vision_transformer.py */
        .mean_std = LP_MEAN_STD_IMAGENET, /* dinov2/data/transforms.py */
        .shorter_side = {256, 224},       /* the same: make_classification_eval_transform */
        .input = 224,
        .resize = LP_RESIZE_ANTIALIAS, /* hub/backbones.py: interpolate_antialias, offset 0 */
    },
    {
        .name = "dinov2", /* facebookresearch/dinov2; sources as above */
        .title = "DINOv2 ViT",
        .prefixes = {""},
        .any = {"mask_token"},
        .with = TIMM_SCALED,
        .without = {ATTENTION_POOL},
        VIT_TIMM,
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224},
        .input = 224,
        .resize = LP_RESIZE_NUDGED, /* vision_transformer.py: interpolate_offset 0.1 */
    },
    {
        .name = "deit-distilled", /* timm: deit_*_distilled_patch* */
        .title = "DeiT ViT",
        .prefixes = {""},
        .any = {"dist_token"},
        .without = {ATTENTION_POOL},
        .both_tokens = true,
        VIT_TIMM,
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean_std = LP_MEAN_STD_IMAGENET, /* timm deit.py, _cfg */
        .shorter_side = {10, 9},          /* the same: crop_pct 0.9 */
        .resize = LP_RESIZE_ANTIALIAS,
    },
    {
        .name = "timm-clip", /* timm: vit_*_clip_* */
        .title = "CLIP ViT",
        .prefixes = {"visual.trunk.", ""},
        .any = {"norm_pre.weight", "norm_pre.bias"},
        .with = {"norm.weight", "fc_norm.weight"},
        .without = {ATTENTION_POOL},
        VIT_TIMM,
        .activation = LP_ACTIVATION_AUTO, /* vision_transformer.py: vit_*_clip_quickgelu_* */
        .norm_eps = 1e-5F,                /* the same: vit_*_clip_* */
        .mean_std = LP_MEAN_STD_CLIP,     /* the same, default_cfgs; some have 0.5 */
        .resize = LP_RESIZE_ANTIALIAS,
        .note = "LAION-2B's ViT-L/14 has half",
    },
    {
        .name = "timm-dinov3", /* timm: vit_*_dinov3 */
        .title = "DINOv3 ViT",
        .prefixes = {"visual.trunk.", ""},
        .any = {"reg_token"},
        .with = {"blocks.0.gamma_1", "blocks.0.gamma_2"},
        .without = {"pos_embed"},
        TRANSFORMER(lp_net_dinov3),
        .architectures = lp_architectures_dinov3,
        .activation = LP_ACTIVATION_GELU, /* eva.py: Mlp */
        .norm_eps = 1e-5F,                /* the same: norm_layer */
        .pool = LP_POOL_CLASS,            /* as DINOv3's own probes; timm's configs say the mean */
        .mean_std = LP_MEAN_STD_IMAGENET, /* the same: default_cfgs */
        .input = 256,
    },
    {
        .name = "timm-vit-scaled", /* timm: vit_*_dinov2, deit3_*: with layer scale */
        .title = "ViT",
        .prefixes = {"visual.trunk.", ""},
        .any = {"blocks.0.ls1.gamma", "blocks.0.ls2.gamma", "blocks.0.gamma_1", "blocks.0.gamma_2"},
        .without = {ATTENTION_POOL, "norm_pre.weight"},
        VIT_TIMM,
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,
        .mean_std = LP_MEAN_STD_IMAGENET, /* vision_transformer.py and deit.py, default_cfgs */
        .resize = LP_RESIZE_ANTIALIAS,
        .note = "as DINOv2 and DeiT III; others with layer scale may have others",
    },
    {
        .name = "dino", /* facebookresearch/dino, mae: timm's names, no classifier */
        .title = "ViT",
        .prefixes = {""},
        .any = TIMM_NAMES,
        .without = {"head.weight", "fc_norm.weight", "reg_token", ATTENTION_POOL,
                    "norm_pre.weight"},
        VIT_TIMM,
        .activation = LP_ACTIVATION_GELU,
        .norm_eps = 1e-6F,                /* dino vision_transformer.py, vit_*; mae models_vit.py */
        .mean_std = LP_MEAN_STD_IMAGENET, /* dino eval_linear.py; mae main_linprobe.py */
        .shorter_side = {256, 224},       /* the same: Resize(256, bicubic), CenterCrop(224) */
        .resize = LP_RESIZE_NUDGED,       /* dino vision_transformer.py, interpolate_pos_encoding */
        .note = "as DINO, MAE and others without a classifier; AugReg has half",
    },
    {
        .name = "timm-vit", /* timm: VisionTransformer, vit_*_patch*_224; DeiT */
        .title = "ViT",
        .prefixes = {"visual.trunk.", ""},
        .any = TIMM_NAMES,
        .without = {ATTENTION_POOL, "norm_pre.weight"},
        VIT_TIMM,
        .activation = LP_ACTIVATION_GELU, /* VisionTransformer: nn.GELU */
        .norm_eps = 1e-6F,                /* the same: LayerNorm, eps=1e-6 */
        .mean_std = LP_MEAN_STD_HALF,     /* vision_transformer.py, _cfg */
        .shorter_side = {10, 9},          /* the same: crop_pct 0.9 */
        .resize = LP_RESIZE_ANTIALIAS,    /* resample_abs_pos_embed */
        .note = "as AugReg and the first ViT; DeiT and fine-tuned MAE have imagenet",
    },
    {
        .name = "timm-parallel", /* timm: vit_*_18x2_224, vit_*_xp_224, vit_pwee_* */
        .title = "ViT",
        .prefixes = {""},
        .any = {"blocks.0.attns.0.attn.qkv.weight", "blocks.0.in_proj.weight"},
        .with = {"patch_embed.proj.weight"},
        NET(lp_net_parallel),
        .architectures = lp_architectures_parallel,
        .activation = LP_ACTIVATION_GELU, /* vision_transformer.py, act_layer */
        .norm_eps = 1e-6F,                /* timm layers/norm.py: LayerNorm, RmsNorm */
        .mean_std = LP_MEAN_STD_HALF,     /* vision_transformer.py, _cfg, as the next */
        .shorter_side = {10, 9},
        .resize = LP_RESIZE_ANTIALIAS, /* resample_abs_pos_embed */
    },
    {
        .name = "torchvision-vit", /* torchvision: VisionTransformer, vit_b_16 */
        .title = "ViT",
        .prefixes = {""},
        .any = {"encoder.layers.encoder_layer_0.self_attention.in_proj_weight"},
        TRANSFORMER(lp_net_vit),
        .renames = lp_renames_torchvision_vit,
        .activation = LP_ACTIVATION_GELU, /* vision_transformer.py: MLPBlock, nn.GELU */
        .norm_eps = 1e-6F,                /* the same: norm_layer */
        .filter = LP_FILTER_BILINEAR,     /* _presets.py: ImageClassification */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224}, /* IMAGENET1K_V1; the SWAG weights have bicubic, no margin */
        .resize = LP_RESIZE_PLAIN,  /* vision_transformer.py, interpolate_embeddings */
    },
    {
        .name = "dinov3", /* facebookresearch/dinov3: dinov3_vit* */
        .title = "DINOv3 ViT",
        .prefixes = {""},
        .any = {"storage_tokens"},
        .with = {"blocks.0.ls1.gamma", "blocks.0.ls2.gamma"},
        TRANSFORMER(lp_net_dinov3),
        .architectures = lp_architectures_dinov3,
        .renames = lp_renames_dinov3,
        .activation = LP_ACTIVATION_GELU, /* dinov3/models/vision_transformer.py, as the next */
        .norm_eps = 1e-5F,                /* norm_layer layernormbf16: eps 1e-5 */
        .mean_std = LP_MEAN_STD_IMAGENET, /* dinov3/data/transforms.py */
        .crop_rule = LP_CROP_FLOOR,
        .shorter_side = {256, 224}, /* the same: make_classification_eval_transform */
        .input = 224,
        .note = "the satellite models have another",
    },
    {
        .name = "hf-dinov3", /* transformers: DINOv3ViTModel */
        .title = "DINOv3 ViT",
        .prefixes = {""},
        .any = {"layer.0.layer_scale1.lambda1", "model.layer.0.layer_scale1.lambda1"},
        .with = {"embeddings.register_tokens"},
        TRANSFORMER(lp_net_dinov3),
        .renames = lp_renames_hf_dinov3,
        .architectures = lp_architectures_dinov3,
        .activation = LP_ACTIVATION_GELU, /* configuration_dinov3_vit.py: hidden_act */
        .norm_eps = 1e-5F,                /* the same: layer_norm_eps */
        .filter = LP_FILTER_BILINEAR,     /* image_processing_dinov3_vit.py, as the next three */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .squash = true,
        .float_resize = true,
        .input = 224,
    },
    {
        .name = "eva", /* timm: eva_*, eva02_*; open_clip: EVA01-*, EVA02-* */
        .title = "EVA",
        .prefixes = {"visual.trunk.", ""},
        .any = {"blocks.0.attn.q_bias", "blocks.0.mlp.fc1_g.weight", "blocks.0.mlp.w1.weight"},
        .with = {"pos_embed"},
        .without = {"blocks.0.attn.relative_position_bias_table", "blocks.0.gamma_1",
                    "rel_pos_bias.relative_position_bias_table"},
        TRANSFORMER(lp_net_eva),
        .architectures = lp_architectures_eva,
        .renames = lp_renames_eva,
        .activation = LP_ACTIVATION_GELU, /* eva.py: Mlp */
        .norm_eps = 1e-6F,                /* timm layers/norm.py: LayerNorm */
        .mean_std = LP_MEAN_STD_CLIP,     /* eva.py, _cfg; open_clip constants.py */
        .resize = LP_RESIZE_ANTIALIAS,    /* resample_abs_pos_embed */
        .note = "timm resizes to input / 0.9, open_clip to the input",
    },
    {
        .name = "pe-core", /* timm: vit_pe_core_*; open_clip: PE-Core-* */
        .title = "PE-Core ViT",
        .prefixes = {"visual.trunk.", ""},
        .any = {"attn_pool.latent"},
        .with = {"norm_pre.weight", "norm_pre.bias"},
        TRANSFORMER(lp_net_perception),
        .architectures = lp_architectures_perception,
        .activation = LP_ACTIVATION_GELU, /* eva.py: Mlp */
        .norm_eps = 1e-5F,                /* the same: vit_pe_core_* */
        .mean_std = LP_MEAN_STD_HALF,     /* the same: default_cfgs */
        .squash = true,                   /* open_clip model_configs/PE-Core-*: resize_mode */
        .resize = LP_RESIZE_ANTIALIAS,
        .note = "timm crops, open_clip squashes",
    },
    {
        .name = "beit", /* timm: beit_*, beitv2_*; microsoft/unilm */
        .title = "BEiT",
        .prefixes = {""},
        .any = {"blocks.0.attn.relative_position_bias_table",
                "rel_pos_bias.relative_position_bias_table"},
        .with = {"cls_token"},
        TRANSFORMER(lp_net_beit),
        .architectures = lp_architectures_beit,
        .activation = LP_ACTIVATION_GELU, /* beit.py: Mlp */
        .norm_eps = 1e-6F,                /* timm layers/norm.py: LayerNorm */
        .mean_std = LP_MEAN_STD_HALF,     /* beit.py, _cfg, as the next */
        .shorter_side = {10, 9},
        .resize = LP_RESIZE_ANTIALIAS,
        .note = "as BEiT; BEiT v2 has imagenet",
    },
    {
        .name = "hf-beit", /* transformers: BeitModel, Data2VecVisionModel */
        .title = "BEiT",
        .prefixes = {""},
        .any = {"encoder.layer.0.lambda_1", "encoder.layer.0.lambda_2"},
        .with = {"embeddings.cls_token"},
        TRANSFORMER(lp_net_hf_beit),
        .renames = lp_renames_hf_beit,
        .architectures = lp_architectures_beit,
        .activation = LP_ACTIVATION_GELU, /* configuration_beit.py: hidden_act */
        .norm_eps = 1e-12F,               /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_HALF,     /* microsoft/beit-*: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true,
        .resize = LP_RESIZE_PLAIN,
    },
    {
        .name = "timm-aimv2", /* timm: aimv2_* */
        .title = "AIMv2",
        .prefixes = {"visual.trunk.", ""},
        .any = {"patch_embed.norm.weight"},
        .with = {"blocks.0.mlp.fc1_g.weight", "blocks.0.mlp.fc1_x.weight"},
        TRANSFORMER(lp_net_aimv2),
        .architectures = lp_architectures_aimv2,
        .norm_eps = 1e-5F,            /* vision_transformer.py: aimv2_*, RmsNorm */
        .mean_std = LP_MEAN_STD_CLIP, /* the same, default_cfgs */
        .resize = LP_RESIZE_ANTIALIAS,
    },
    {
        .name = "aimv2", /* apple/ml-aim: aimv2_*, and the tower of AIMv2LiT */
        .title = "AIMv2",
        .prefixes = {"image_encoder.", ""},
        .any = {"preprocessor.patchifier.proj.weight", "preprocessor.patchifier.norm.weight"},
        .with = {"trunk.blocks.0.norm_1.weight", "trunk.blocks.0.norm_2.weight"},
        TRANSFORMER(lp_net_aimv2),
        .architectures = lp_architectures_aimv2,
        .renames = lp_renames_aimv2,
        .norm_eps = 1e-5F,            /* apple/aimv2-*: config.json, rms_norm_eps */
        .mean_std = LP_MEAN_STD_CLIP, /* the same: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .resize = LP_RESIZE_ANTIALIAS,
    },
    {
        .name = "mmpretrain-vit", /* open-mmlab/mmpretrain, mmselfsup: VisionTransformer */
        .title = "ViT",
        .prefixes = {""},
        .any = {"layers.0.ln1.weight", "layers.0.ln1.bias"},
        .with = {"patch_embed.projection.weight"},
        TRANSFORMER(lp_net_vit),
        .renames = lp_renames_mmpretrain_vit,
        .both_tokens = true,
        .activation = LP_ACTIVATION_GELU, /* vision_transformer.py: act_cfg */
        .norm_eps = 1e-6F,                /* the same: norm_cfg */
        .mean_std = LP_MEAN_STD_IMAGENET, /* configs/_base_/datasets/imagenet_bs32.py and others */
        .shorter_side = {256, 224},
        .resize = LP_RESIZE_PLAIN, /* utils/embed.py, resize_pos_embed */
        .note = "as most of its configs; ViT from AugReg has half, CLIP clip",
    },
    {
        .name = "clip-convnext", /* open_clip: convnext_* */
        .title = "CLIP ConvNeXt",
        .prefixes = {"visual.trunk."},
        .any = {"stages.0.blocks.0.conv_dw.weight", "stages.0.blocks.0.norm.weight"},
        .with = {"stem.0.weight", "stem.0.bias"},
        CONVNEXT,
        .activation = LP_ACTIVATION_GELU, /* timm convnext.py: act_layer */
        .norm_eps = 1e-6F,                /* timm layers/norm.py: LayerNorm2d; _xxlarge: 1e-5 */
        .mean_std = LP_MEAN_STD_CLIP,     /* open_clip constants.py */
        .input = 256, /* model_configs/convnext_base_w.json, _large_d, _xxlarge */
        .note = "as convnext_base_w, _large_d and _xxlarge; others are for 224 or 320 pixels",
    },
    {
        .name = "timm-convnext", /* timm: convnext_*, convnextv2_* */
        .title = "ConvNeXt",
        .prefixes = {""},
        .any = {"stages.0.blocks.0.conv_dw.weight", "stages.0.blocks.0.norm.weight"},
        .with = {"stem.0.weight", "stem.0.bias"},
        CONVNEXT,
        .activation = LP_ACTIVATION_GELU, /* convnext.py: act_layer */
        .norm_eps = 1e-6F,                /* layers/norm.py: LayerNorm2d; _xxlarge: 1e-5 */
        .mean_std = LP_MEAN_STD_IMAGENET, /* convnext.py, _cfg, as the next line */
        .shorter_side = {256, 224},       /* crop_pct 0.875 */
        .input = 224,
        .note = "as most of timm's; fine-tuned CLIP models have clip",
    },
    {
        .name = "dinov3-convnext", /* facebookresearch/dinov3: dinov3_convnext_* */
        .title = "DINOv3 ConvNeXt",
        .prefixes = {""},
        .any = {"norms.3.weight"},
        .with = {"stages.0.0.dwconv.weight"},
        CONVNEXT,
        .renames = lp_renames_convnext,
        .activation = LP_ACTIVATION_GELU, /* dinov3/models/convnext.py, as the next */
        .norm_eps = 1e-6F,
        .mean_std = LP_MEAN_STD_IMAGENET, /* dinov3/data/transforms.py */
        .crop_rule = LP_CROP_FLOOR,
        .shorter_side = {256, 224}, /* the same: make_classification_eval_transform */
        .input = 224,
    },
    {
        .name = "hf-dinov3-convnext", /* transformers: DINOv3ConvNextModel */
        .title = "DINOv3 ConvNeXt",
        .prefixes = {""},
        .any = {"stages.0.layers.0.depthwise_conv.weight",
                "model.stages.0.layers.0.depthwise_conv.weight"},
        CONVNEXT,
        .renames = lp_renames_hf_dinov3_convnext,
        .activation = LP_ACTIVATION_GELU, /* configuration_dinov3_convnext.py: hidden_act */
        .norm_eps = 1e-6F,                /* the same: layer_norm_eps */
        .filter = LP_FILTER_BILINEAR,     /* image_processing_dinov3_vit.py, as the next three */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .squash = true,
        .float_resize = true,
        .input = 224,
    },
    {
        .name = "convnext", /* facebookresearch/ConvNeXt, ConvNeXt-V2; torch.hub */
        .title = "ConvNeXt",
        .prefixes = {""},
        .any = {"stages.0.0.dwconv.weight", "stages.0.0.norm.weight"},
        .with = {"downsample_layers.0.0.weight", "downsample_layers.0.0.bias"},
        CONVNEXT,
        .renames = lp_renames_convnext,
        .activation = LP_ACTIVATION_GELU, /* models/convnext.py: Block */
        .norm_eps = 1e-6F,                /* the same: LayerNorm */
        .mean_std = LP_MEAN_STD_IMAGENET, /* datasets.py, build_transform, as the next */
        .shorter_side = {256, 224},
        .input = 224,
        .note = "models of 384 pixels and more are resized to a square (--resize 384x384)",
    },
    {
        .name = "torchvision-convnext", /* torchvision: convnext_* */
        .title = "ConvNeXt",
        .prefixes = {""},
        .any = {"features.1.0.layer_scale", "features.1.0.block.0.weight"},
        .with = {"features.0.0.weight", "features.0.0.bias"},
        .without = {"features.1.0.block.0.0.weight"},
        CONVNEXT,
        .renames = lp_renames_torchvision_convnext,
        .activation = LP_ACTIVATION_GELU, /* convnext.py: CNBlock */
        .norm_eps = 1e-6F,                /* the same: norm_layer */
        .filter = LP_FILTER_BILINEAR,     /* _presets.py: ImageClassification */
        .mean_std = LP_MEAN_STD_IMAGENET, /* ConvNeXt_Base_Weights: 232 -> 224 */
        .shorter_side = {232, 224},
        .input = 224,
        .note = "as convnext_base and _large; _tiny is resized to 236, _small to 230",
    },
    {
        .name = "mmpretrain-convnext", /* open-mmlab/mmpretrain: ConvNeXt */
        .title = "ConvNeXt",
        .prefixes = {""},
        .any = {"stages.0.0.depthwise_conv.weight"},
        .with = {"downsample_layers.0.0.weight", "downsample_layers.0.0.bias"},
        CONVNEXT,
        .renames = lp_renames_mmpretrain_convnext,
        .activation = LP_ACTIVATION_GELU, /* convnext.py: act_cfg */
        .norm_eps = 1e-6F,                /* the same: norm_cfg */
        .mean_std = LP_MEAN_STD_IMAGENET, /* configs/_base_/datasets/imagenet_bs64_swin_224.py */
        .shorter_side = {256, 224},
        .input = 224,
    },
    {
        .name = "hf-convnext", /* transformers: ConvNextModel, ConvNextV2Model */
        .title = "ConvNeXt",
        .prefixes = {""},
        .any = {"encoder.stages.0.layers.0.dwconv.weight",
                "encoder.stages.0.layers.0.pwconv1.weight"},
        .with = {"embeddings.patch_embeddings.weight", "embeddings.patch_embeddings.bias"},
        NET(lp_net_convnext_hf),
        .architectures = lp_architectures_convnext,
        .renames = lp_renames_hf_convnext,
        .activation = LP_ACTIVATION_GELU, /* configuration_convnext.py: hidden_act */
        .norm_eps = 1e-12F, /* the same: layer_norm_eps, of the last norm; others: 1e-6 */
        .mean_std = LP_MEAN_STD_IMAGENET, /* facebook/convnext-*: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .shorter_side = {256, 224}, /* the same: size 224, crop_pct 0.875 */
        .input = 224,
    },
    {
        .name = "swin", /* microsoft/Swin-Transformer: steps behind the stages */
        .title = "Swin",
        .prefixes = {""},
        .any = {"layers.0.downsample.reduction.weight", "layers.0.downsample.norm.weight"},
        .with = {"layers.0.blocks.0.attn.qkv.weight", "layers.0.blocks.0.attn.proj.weight"},
        NET(lp_net_swin),
        .architectures = lp_architectures_swin,
        .without = {"layers.0.blocks.0.attn.logit_scale"},
        .renames = lp_renames_swin,
        .activation = LP_ACTIVATION_GELU, /* models/swin_transformer.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.LayerNorm's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* data/build.py, build_transform, as the next */
        .shorter_side = {256, 224},
        .note = "the authors squash for 384 pixels (--resize 384x384)",
    },
    {
        .name = "timm-swin", /* timm: swin_*; open_clip: swin_base_patch4_window7_224 */
        .title = "Swin",
        .prefixes = {"visual.trunk.", ""},
        .any = {"layers.0.blocks.0.attn.relative_position_bias_table",
                "layers.0.blocks.1.attn.relative_position_bias_table"},
        .without = {"layers.0.downsample.reduction.weight"},
        NET(lp_net_swin_timm),
        .architectures = lp_architectures_swin,
        .activation = LP_ACTIVATION_GELU, /* swin_transformer.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.LayerNorm's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* swin_transformer.py, _cfg, as the next */
        .shorter_side = {10, 9},          /* crop_pct 0.9 */
        .note = "models for 384 pixels have no margin (--resize 384)",
    },
    {
        .name = "hf-swin", /* transformers: SwinModel */
        .title = "Swin",
        .prefixes = {""},
        .any = {"encoder.layers.0.blocks.0.layernorm_before.weight",
                "encoder.layers.0.blocks.0.layernorm_after.weight"},
        .with = {"embeddings.patch_embeddings.projection.weight", "embeddings.norm.weight"},
        NET(lp_net_swin_hf),
        .architectures = lp_architectures_swin,
        .without = {"encoder.layers.0.blocks.0.attention.self.logit_scale"},
        .renames = lp_renames_hf_swin,
        .activation = LP_ACTIVATION_GELU, /* configuration_swin.py: hidden_act */
        .norm_eps = 1e-5F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_IMAGENET, /* microsoft/swin-*: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true, /* the same: ViTImageProcessor, size 224 */
    },
    {
        .name = "torchvision-swin", /* torchvision: swin_t, swin_s, swin_b */
        .title = "Swin",
        .prefixes = {""},
        .any = {"features.1.0.attn.relative_position_bias_table",
                "features.1.1.attn.relative_position_bias_table"},
        .with = {"features.0.0.weight", "features.0.2.weight"},
        NET(lp_net_swin_torchvision),
        .architectures = lp_architectures_swin,
        .renames = lp_renames_torchvision_swin,
        .activation = LP_ACTIVATION_GELU, /* swin_transformer.py: MLP, nn.GELU */
        .norm_eps = 1e-5F,                /* the same: norm_layer */
        .mean_std = LP_MEAN_STD_IMAGENET, /* Swin_B_Weights: bicubic, 238 -> 224 */
        .shorter_side = {238, 224},
        .note = "as swin_b; swin_t is resized to 232, swin_s to 246",
    },
    {
        .name = "swinv2", /* microsoft/Swin-Transformer: offsets beside the weights */
        .title = "Swin V2",
        .prefixes = {""},
        .any = {"layers.0.blocks.0.attn.relative_coords_table"},
        .with = {"layers.0.downsample.reduction.weight", "layers.0.downsample.norm.weight"},
        NET(lp_net_swin),
        .architectures = lp_architectures_swinv2,
        .renames = lp_renames_swin,
        .activation = LP_ACTIVATION_GELU, /* models/swin_transformer_v2.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.LayerNorm's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* data/build.py, build_transform, as the next */
        .shorter_side = {256, 224},
        .input = 256,
        .note = "the authors squash for 384 pixels (--resize 384x384)",
    },
    {
        .name = "timm-swinv2", /* timm: swinv2_* */
        .title = "Swin V2",
        .prefixes = {""},
        .any = {"layers.0.blocks.0.attn.logit_scale", "layers.0.blocks.0.attn.cpb_mlp.0.weight"},
        .with = {"patch_embed.proj.weight"},
        .without = {"layers.0.downsample.reduction.weight"},
        NET(lp_net_swin_timm),
        .architectures = lp_architectures_swinv2,
        .activation = LP_ACTIVATION_GELU, /* swin_transformer_v2.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.LayerNorm's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* swin_transformer_v2.py, _cfg, as the next two */
        .shorter_side = {10, 9},
        .input = 256,
        .note = "models for 384 pixels have no margin (--resize 384)",
    },
    {
        .name = "hf-swinv2", /* transformers: Swinv2Model */
        .title = "Swin V2",
        .prefixes = {""},
        .any = {"encoder.layers.0.blocks.0.attention.self.logit_scale",
                "encoder.layers.0.blocks.0.attention.self.query.weight"},
        .with = {"encoder.layers.0.blocks.0.attention.self.continuous_position_bias_mlp.0.weight"},
        NET(lp_net_swin_hf),
        .architectures = lp_architectures_swinv2,
        .renames = lp_renames_hf_swinv2,
        .activation = LP_ACTIVATION_GELU, /* configuration_swinv2.py: hidden_act */
        .norm_eps = 1e-5F,                /* the same: layer_norm_eps */
        .mean_std = LP_MEAN_STD_IMAGENET, /* microsoft/swinv2-*: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true, /* the same: ViTImageProcessor */
        .input = 256,
    },
    {
        .name = "torchvision-swinv2", /* torchvision: swin_v2_t, swin_v2_s, swin_v2_b */
        .title = "Swin V2",
        .prefixes = {""},
        .any = {"features.1.0.attn.logit_scale", "features.1.1.attn.logit_scale"},
        .with = {"features.0.0.weight", "features.0.2.weight"},
        NET(lp_net_swin_torchvision),
        .architectures = lp_architectures_swinv2,
        .renames = lp_renames_torchvision_swin,
        .activation = LP_ACTIVATION_GELU, /* swin_transformer.py: MLP, nn.GELU */
        .norm_eps = 1e-5F,                /* the same: norm_layer */
        .mean_std = LP_MEAN_STD_IMAGENET, /* Swin_V2_B_Weights: bicubic, 272 -> 256 */
        .shorter_side = {272, 256},
        .input = 256,
        .note = "as swin_v2_b; swin_v2_t and _s are resized to 260",
    },
    {
        .name = "timm-efficientnet", /* timm: efficientnet_b*, tf_efficientnet_b* */
        .title = "EfficientNet",
        .prefixes = {""},
        .any = {"blocks.0.0.se.conv_reduce.weight", "blocks.0.0.se.conv_expand.weight"},
        .with = {"conv_stem.weight", "conv_head.weight"},
        NET(lp_net_efficientnet),
        .architectures = lp_architectures_efficientnet,
        .norm_eps = 1e-3F, /* _efficientnet_builder.py: BN_EPS_TF_DEFAULT; without tf_: 1e-5 */
        .mean_std = LP_MEAN_STD_IMAGENET, /* efficientnet.py, _cfg, as the next */
        .shorter_side = {256, 224},
        .input = 224,
        .note = "AdvProp's and B8's weights have half",
    },
    {
        .name = "timm-efficientnetv2", /* timm: tf_efficientnetv2_* */
        .title = "EfficientNetV2",
        .prefixes = {""},
        .any = {"blocks.0.0.conv.weight"},
        .with = {"conv_stem.weight", "conv_head.weight"},
        NET(lp_net_efficientnet),
        .architectures = lp_architectures_efficientnetv2,
        .norm_eps = 1e-3F,            /* as above */
        .mean_std = LP_MEAN_STD_HALF, /* efficientnet.py, default_cfgs: _s, _m, _l, _xl */
        .input = 300,
        .note = "as _s, _m, _l and _xl; _b0 to _b3 have imagenet",
    },
    {
        .name = "hf-efficientnet", /* transformers: EfficientNetModel */
        .title = "EfficientNet",
        .prefixes = {""},
        .any = {"encoder.blocks.0.depthwise_conv.depthwise_conv.weight",
                "encoder.blocks.0.projection.project_conv.weight"},
        .with = {"embeddings.convolution.weight"},
        NET(lp_net_efficientnet_hf),
        .norm_eps = 1e-3F,           /* configuration_efficientnet.py: batch_norm_eps */
        .filter = LP_FILTER_NEAREST, /* google/efficientnet-*: preprocessor_config.json, whose
                                        include_top divides by the square of its std */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .squash = true,
        .crop_rule = LP_CROP_FLOOR,
        .input = 224,
        .note = "as B0; put config.json and preprocessor_config.json beside the file",
    },
    {
        .name = "mobilenetv3", /* torchvision: mobilenet_v3_large, mobilenet_v3_small */
        .title = "MobileNetV3",
        .prefixes = {""},
        .any = {"classifier.0.weight", "classifier.3.weight"},
        .with = {"features.1.block.0.0.weight"},
        NET(lp_net_mobilenetv3),
        .norm_eps = 1e-3F,            /* mobilenetv3.py: norm_layer */
        .filter = LP_FILTER_BILINEAR, /* _presets.py: ImageClassification, as the next two */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224},
        .input = 224,
        .note = "as IMAGENET1K_V1; V2 is resized to 232",
    },
    {
        .name = "mobilenetv2", /* torchvision: mobilenet_v2 */
        .title = "MobileNetV2",
        .prefixes = {""},
        .any = {"features.1.conv.0.0.weight", "features.1.conv.1.weight"},
        .with = {"features.0.0.weight"},
        NET(lp_net_mobilenetv2),
        .norm_eps = 1e-5F,            /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BILINEAR, /* _presets.py: ImageClassification, as the next two */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224},
        .input = 224,
        .note = "as IMAGENET1K_V1; V2 is resized to 232",
    },
    {
        .name = "densenet", /* torchvision: densenet121, 161, 169, 201 */
        .title = "DenseNet",
        .prefixes = {""},
        .any = {"features.conv0.weight"},
        .with = {"features.norm5.weight", "features.norm5.bias"},
        NET(lp_net_densenet),
        .renames = lp_renames_densenet,
        .norm_eps = 1e-5F,            /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BILINEAR, /* _presets.py: ImageClassification, as the next two */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224},
        .input = 224,
        .note = "as torchvision's; timm's have the same names, and bicubic",
    },
    {
        .name = "alexnet", /* torchvision: alexnet */
        .title = "AlexNet",
        .prefixes = {""},
        .any = {"classifier.1.weight", "classifier.4.weight"},
        .with = {"features.8.weight", "features.10.weight"},
        NET(lp_net_alexnet),
        .norm_eps = 1e-5F,            /* it has no norm */
        .filter = LP_FILTER_BILINEAR, /* _presets.py: ImageClassification, as the next two */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224},
        .input = 224,
    },
    {
        .name = "vgg", /* torchvision: vgg11, 13, 16, 19, with and without batch norms */
        .title = "VGG",
        .prefixes = {""},
        .any = {"classifier.0.weight", "classifier.3.weight"},
        .with = {"features.0.weight", "features.0.bias"},
        NET(lp_net_vgg),
        .norm_eps = 1e-5F,            /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BILINEAR, /* _presets.py: ImageClassification, as the next two */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224},
        .input = 224,
    },
    {
        .name = "simclrv2", /* Separius/SimCLRv2-Pytorch: its converter's files */
        .title = "SimCLRv2",
        .prefixes = {"resnet.", ""},
        .any = {"net.1.blocks.0.net.0.weight", "net.1.blocks.0.projection.bn.0.weight"},
        .with = {"net.0.0.weight"},
        NET(lp_net_simclr),
        .norm_eps = 1e-5F,            /* resnet.py: BATCH_NORM_EPSILON */
        .filter = LP_FILTER_BILINEAR, /* verify.py: Resize(256), CenterCrop(224), ToTensor */
        .mean_std = LP_MEAN_STD_NONE, /* the same: no Normalize */
        .shorter_side = {256, 224},
        .input = 224,
    },
    {
        .name = "google-simclr", /* google-research/simclr: SimCLR and SimCLRv2 */
        .title = "SimCLR",
        .prefixes = {"base_model."},
        .any = {"conv2d_4.kernel"},
        .with = {"conv2d.kernel"},
        .without = {"conv2d.bias"},
        NET(lp_net_google_simclr),
        .renames = lp_renames_google_simclr,
        .norm_eps = 1e-5F,            /* resnet.py: BATCH_NORM_EPSILON */
        .filter = LP_FILTER_BICUBIC,  /* data_util.py: center_crop, resize_bicubic */
        .mean_std = LP_MEAN_STD_NONE, /* the same: 0 to 1 */
        .shorter_side = {256, 224},   /* CROP_PROPORTION 0.875 */
        .input = 224,
        .note = "as data_util.py has it",
    },
    {
        .name = "torchvision-efficientnet", /* torchvision: efficientnet_b* */
        .title = "EfficientNet",
        .prefixes = {""},
        .any = {"features.1.0.block.1.fc1.weight", "features.1.0.block.1.fc2.weight"},
        .with = {"features.0.0.weight"},
        NET(lp_net_torchvision_efficientnet),
        .architectures = lp_architectures_torchvision_efficientnet,
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default; b5 to b7: 1e-3 */
        .mean_std = LP_MEAN_STD_IMAGENET, /* _presets.py: ImageClassification */
        .shorter_side = {256, 224},
        .input = 224,
    },
    {
        .name = "torchvision-efficientnetv2", /* torchvision: efficientnet_v2_* */
        .title = "EfficientNetV2",
        .prefixes = {""},
        .any = {"features.1.0.block.0.0.weight"},
        .with = {"features.0.0.weight"},
        .without = {"features.1.0.block.1.fc1.weight"},
        NET(lp_net_torchvision_efficientnet),
        .architectures = lp_architectures_torchvision_efficientnetv2,
        .norm_eps = 1e-3F,                /* efficientnet.py: norm_layer of efficientnet_v2_* */
        .filter = LP_FILTER_BILINEAR,     /* EfficientNet_V2_S_Weights */
        .mean_std = LP_MEAN_STD_IMAGENET, /* the same */
        .input = 384,
        .note = "as _s and _m; _l has half and bicubic",
    },
    {
        .name = "clip-mci5", /* open_clip: MobileCLIP2-S3, -S4 */
        .title = "MobileCLIP",
        .prefixes = {"visual.trunk."},
        .any = {"stem.0.conv_kxk.0.conv.weight", "stem.0.reparam_conv.weight"},
        .with = {"stages.4.downsample.proj.0.large_conv.conv.weight",
                 "stages.4.downsample.proj.0.reparam_conv.weight"},
        NET(lp_net_fastvit),
        .architectures = lp_architectures_fastvit,
        .activation = LP_ACTIVATION_GELU, /* fastvit.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BILINEAR,     /* open_clip pretrained.py, _mc2cfg */
        .mean_std = LP_MEAN_STD_CLIP,     /* the same */
        .input = 256,                     /* model_configs/MobileCLIP2-S3.json, -S4 */
    },
    {
        .name = "clip-fastvit", /* open_clip: MobileCLIP-S1, -S2, MobileCLIP2-S0, -S2 */
        .title = "MobileCLIP",
        .prefixes = {"visual.trunk."},
        .any = {"stem.0.conv_kxk.0.conv.weight", "stem.0.reparam_conv.weight"},
        .with = {"final_conv.conv_kxk.0.conv.weight", "final_conv.reparam_conv.weight"},
        NET(lp_net_fastvit),
        .architectures = lp_architectures_fastvit,
        .activation = LP_ACTIVATION_GELU, /* fastvit.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BILINEAR,     /* open_clip pretrained.py, _mccfg */
        .mean_std = LP_MEAN_STD_NONE,     /* the same */
        .input = 256,                     /* model_configs/MobileCLIP-S1.json and the others */
    },
    {
        .name = "timm-mci5", /* timm: fastvit_mci3, _mci4 */
        .title = "MobileCLIP",
        .prefixes = {""},
        .any = {"stem.0.conv_kxk.0.conv.weight", "stem.0.reparam_conv.weight"},
        .with = {"stages.4.downsample.proj.0.large_conv.conv.weight",
                 "stages.4.downsample.proj.0.reparam_conv.weight"},
        NET(lp_net_fastvit),
        .architectures = lp_architectures_fastvit,
        .activation = LP_ACTIVATION_GELU, /* fastvit.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default */
        .mean_std = LP_MEAN_STD_CLIP,     /* fastvit.py, default_cfgs, as the next two */
        .shorter_side = {20, 19},         /* crop_pct 0.95 */
        .input = 256,
    },
    {
        .name = "timm-mci", /* timm: fastvit_mci0, _mci1, _mci2 */
        .title = "MobileCLIP",
        .prefixes = {""},
        .any = {"stem.0.conv_kxk.0.conv.weight", "stem.0.reparam_conv.weight"},
        .with = {"stages.2.downsample.proj.0.se.fc1.weight"},
        NET(lp_net_fastvit),
        .architectures = lp_architectures_fastvit,
        .activation = LP_ACTIVATION_GELU, /* fastvit.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default */
        .mean_std = LP_MEAN_STD_NONE,     /* fastvit.py, default_cfgs, as the next two */
        .shorter_side = {20, 19},         /* crop_pct 0.95 */
        .input = 256,
        .note = "of MobileCLIP2, fastvit_mci0 has no resize",
    },
    {
        .name = "timm-fastvit", /* timm: fastvit_t8 .. _ma36 */
        .title = "FastViT",
        .prefixes = {""},
        .any = {"stem.0.conv_kxk.0.conv.weight", "stem.0.reparam_conv.weight"},
        .with = {"final_conv.conv_kxk.0.conv.weight", "final_conv.reparam_conv.weight"},
        NET(lp_net_fastvit),
        .architectures = lp_architectures_fastvit,
        .activation = LP_ACTIVATION_GELU, /* fastvit.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* fastvit.py, _cfg, as the next two */
        .shorter_side = {10, 9},          /* crop_pct 0.9 */
        .input = 256,
        .note = "fastvit_ma36 has a crop of 0.95",
    },
    {
        .name = "mobileclip", /* apple/ml-mobileclip: mobileclip_s0, _s1, _s2 */
        .title = "MobileCLIP",
        .prefixes = {"image_encoder.model."},
        .any = {"patch_embed.0.rbr_conv.0.conv.weight", "patch_embed.0.reparam_conv.weight"},
        .with = {"conv_exp.rbr_conv.0.conv.weight", "conv_exp.reparam_conv.weight"},
        NET(lp_net_fastvit_apple),
        .architectures = lp_architectures_fastvit,
        .activation = LP_ACTIVATION_GELU, /* fastvit.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BILINEAR,     /* mobileclip/__init__.py: Resize, CenterCrop, ToTensor */
        .mean_std = LP_MEAN_STD_NONE,
        .input = 256, /* mobileclip/configs: image_cfg */
    },
    {
        .name = "fastvit", /* apple/ml-fastvit */
        .title = "FastViT",
        .prefixes = {""},
        .any = {"patch_embed.0.rbr_conv.0.conv.weight", "patch_embed.0.reparam_conv.weight"},
        .with = {"conv_exp.rbr_conv.0.conv.weight", "conv_exp.reparam_conv.weight"},
        NET(lp_net_fastvit_apple),
        .architectures = lp_architectures_fastvit,
        .activation = LP_ACTIVATION_GELU, /* fastvit.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* models/fastvit.py, default_cfgs, as the next two */
        .shorter_side = {10, 9},          /* crop_pct 0.9 */
        .input = 256,
        .note = "fastvit_ma36 has a crop of 0.95",
    },
    {
        .name = "timm-tinyvit", /* timm: tiny_vit_* */
        .title = "TinyViT",
        .prefixes = {""},
        .any = {"patch_embed.conv1.conv.weight", "patch_embed.conv2.conv.weight"},
        .with = {"stages.1.blocks.0.attn.attention_biases", "stages.1.blocks.0.attn.qkv.weight"},
        NET(lp_net_tinyvit),
        .architectures = lp_architectures_tinyvit,
        .activation = LP_ACTIVATION_GELU, /* tiny_vit.py: act_layer */
        .norm_eps = 1e-5F,                /* torch.nn.LayerNorm's and BatchNorm2d's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* tiny_vit.py, _cfg, as the next */
        .shorter_side = {20, 19},         /* crop_pct 0.95 */
        .note = "models for 384 pixels have no other resize, those for 512 a squash",
    },
    {
        .name = "tinyvit", /* microsoft/Cream: TinyViT */
        .title = "TinyViT",
        .prefixes = {""},
        .any = {"patch_embed.seq.0.c.weight", "patch_embed.seq.2.c.weight"},
        .with = {"layers.1.blocks.0.attn.attention_biases", "layers.1.blocks.0.attn.qkv.weight"},
        NET(lp_net_tinyvit),
        .renames = lp_renames_tinyvit,
        .architectures = lp_architectures_tinyvit,
        .activation = LP_ACTIVATION_GELU, /* tiny_vit.py: activation */
        .norm_eps = 1e-5F,                /* torch.nn.LayerNorm's and BatchNorm2d's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* data/build.py: build_transform, as the next */
        .shorter_side = {256, 224},
        .note = "models for more than 224 pixels have a squash",
    },
    {
        .name = "timm-regnet", /* timm: regnetx_*, regnety_* */
        .title = "RegNet",
        .prefixes = {""},
        .any = {"s1.b1.conv1.conv.weight", "s1.b1.conv2.conv.weight"},
        .with = {"stem.conv.weight"},
        NET(lp_net_regnet),
        .architectures = lp_architectures_regnet,
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* regnet.py, _cfgpyc, as the next two */
        .shorter_side = {256, 224},
        .input = 224,
        .note = "SEER, SWAG and timm's own have another resize",
    },
    {
        .name = "torchvision-regnet", /* torchvision: regnet_x_*, regnet_y_* */
        .title = "RegNet",
        .prefixes = {""},
        .any = {"trunk_output.block1.block1-0.f.a.0.weight",
                "trunk_output.block1.block1-0.f.b.0.weight"},
        .with = {"stem.0.weight"},
        NET(lp_net_regnet),
        .renames = lp_renames_torchvision_regnet,
        .norm_eps = 1e-5F,                /* regnet.py: norm_layer, eps=1e-05 */
        .filter = LP_FILTER_BILINEAR,     /* _presets.py: ImageClassification */
        .mean_std = LP_MEAN_STD_IMAGENET, /* the same, as the next */
        .shorter_side = {256, 224},
        .input = 224,
        .note = "as IMAGENET1K_V1; V2 is resized to 232, SWAG has 384 pixels and bicubic",
    },
    {
        .name = "seer", /* facebookresearch/vissl: SEER's RegNetY */
        .title = "SEER RegNet",
        .prefixes = {""},
        .any = {"_feature_blocks.res2.block1-0.f.a.0.weight",
                "_feature_blocks.res2.block1-0.f.b.0.weight"},
        .with = {"_feature_blocks.conv1.stem.0.weight"},
        NET(lp_net_regnet),
        .renames = lp_renames_seer,
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* timm regnet.py, default_cfgs, seer */
        .shorter_side = {256, 224},
        .input = 224,
    },
    {
        .name = "hf-regnet", /* transformers: RegNetModel */
        .title = "RegNet",
        .prefixes = {""},
        .any = {"encoder.stages.0.layers.0.layer.3.convolution.weight",
                "encoder.stages.0.layers.0.layer.2.convolution.weight"},
        .with = {"embedder.embedder.convolution.weight"},
        NET(lp_net_regnet),
        .renames = lp_renames_hf_regnet,
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* facebook/regnet-*: preprocessor_config.json */
        .crop_rule = LP_CROP_FLOOR,
        .shorter_side = {256, 224}, /* the same: size 224, crop_pct 0.875 */
        .input = 224,
    },
    {
        .name = "bit-npz", /* google-research/big_transfer: BiT-S-*.npz, BiT-M-*.npz */
        .title = "BiT",
        .prefixes = {"resnet.", ""},
        .any = {"block1.unit01.a.standardized_conv2d.kernel",
                "block1.unit01.b.standardized_conv2d.kernel"},
        .with = {"root_block.standardized_conv2d.kernel"},
        NET(lp_net_bit_npz),
        .renames = lp_renames_bit_npz,
        .norm_eps = 1e-5F,            /* torch.nn.GroupNorm's default, as bit_pytorch/models.py */
        .filter = LP_FILTER_BILINEAR, /* timm resnetv2.py, _cfg, as the next two */
        .mean_std = LP_MEAN_STD_HALF,
        .shorter_side = {256, 224},
        .input = 224,
        .note = "as timm's of ImageNet-21k; the authors fine-tune with 480 pixels",
    },
    {
        .name = "timm-bit", /* timm: resnetv2_*_bit */
        .title = "BiT",
        .prefixes = {""},
        .any = {"stages.0.blocks.0.norm3.weight", "stages.0.blocks.0.conv3.weight"},
        .with = {"stem.conv.weight"},
        .without = {"norm.running_mean"},
        NET(lp_net_bit),
        .architectures = lp_architectures_bit,
        .norm_eps = 1e-5F,            /* torch.nn.GroupNorm's default */
        .filter = LP_FILTER_BILINEAR, /* resnetv2.py, _cfg, as the next two */
        .mean_std = LP_MEAN_STD_HALF,
        .shorter_side = {256, 224},
        .input = 224,
        .note = "as the weights for ImageNet-21k; fine-tuned ones have 448 pixels",
    },
    {
        .name = "timm-resnetv2", /* timm: resnetv2_* with batch norms */
        .title = "ResNetV2",
        .prefixes = {""},
        .any = {"stages.0.blocks.0.norm1.running_mean", "stages.0.blocks.0.norm2.running_mean"},
        .with = {"norm.running_mean", "norm.running_var"},
        NET(lp_net_resnetv2),
        .architectures = lp_architectures_resnetv2,
        .norm_eps = 1e-5F,            /* torch.nn.BatchNorm2d's default */
        .mean_std = LP_MEAN_STD_HALF, /* resnetv2.py, _cfg, as the next */
        .shorter_side = {256, 224},
        .input = 224,
        .note = "timm's own weights have another resize",
    },
    {
        .name = "hf-bit", /* transformers: BitModel */
        .title = "BiT",
        .prefixes = {""},
        .any = {"encoder.stages.0.layers.0.norm1.weight", "encoder.stages.0.layers.0.norm2.weight"},
        .with = {"embedder.convolution.weight"},
        NET(lp_net_bit),
        .renames = lp_renames_hf_bit,
        .norm_eps = 1e-5F,            /* modeling_bit.py: BitGroupNormActivation */
        .filter = LP_FILTER_BILINEAR, /* google/bit-50: preprocessor_config.json */
        .mean_std = LP_MEAN_STD_HALF, /* the same */
        .crop_rule = LP_CROP_FLOOR,
        .squash = true,
        .input = 448,
        .note = "as google/bit-50; put preprocessor_config.json beside the file",
    },
    {
        .name = "clip-resnet", /* openai/CLIP: encode_image of a ModifiedResNet */
        .title = "CLIP RN",
        .prefixes = {"visual.", ""},
        .any = {"attnpool.positional_embedding", "attnpool.q_proj.weight"},
        NET(lp_net_clip_resnet),
        .norm_eps = 1e-5F, /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BICUBIC,
        .mean_std = LP_MEAN_STD_CLIP,
    },
    {
        .name = "byol-haiku", /* DeepMind's own files of BYOL (byol/utils/networks.py) */
        .title = "BYOL",
        .prefixes = {""},
        .any = {BYOL_STEM("50"), BYOL_STEM("101"), BYOL_STEM("152"), BYOL_STEM("200")},
        NET(lp_net_byol),
        .renames = lp_renames_byol_haiku,
        .norm_eps = 1e-5F,           /* networks.py: bn_config */
        .filter = LP_FILTER_BICUBIC, /* dataset.py, as the next two */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224},
        .input = 224,
        .note = "as byol/utils/dataset.py",
    },
    {
        .name = "byol", /* chigur/byol-convert: DeepMind's files under torchvision's names */
        .title = "BYOL",
        .prefixes = {""},
        .any = {"layer1.0.conv1.weight", "layer4.0.conv1.weight"},
        NET(lp_net_byol),
        .by_name = true,
        .architectures = lp_architectures_byol,
        .norm_eps = 1e-5F,            /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BILINEAR, /* validate.py, as the next two */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224},
        .input = 224,
        .note = "and TensorFlow's padding, by the file's name",
    },
    {
        .name = "resnet", /* torchvision: ResNet; timm's resnet18 .. 152 and DINO's ResNet-50 */
        .title = "ResNet",
        .prefixes = {""},
        .any = {"layer1.0.conv1.weight", "layer4.0.conv1.weight"},
        NET(lp_net_resnet),
        .norm_eps = 1e-5F,            /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BILINEAR, /* _presets.py: ImageClassification */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224}, /* the same: resize_size 256; known files: their own resize */
        .input = 224,
        .note = "as torchvision's IMAGENET1K_V1 weights; DINO and timm have bicubic",
    },
    {
        .name = "timm-resnetd", /* timm: resnet*d, seresnet*, senet154, resnetrs* */
        .title = "ResNet",
        .prefixes = {""},
        .any = {"conv1.0.weight", "layer1.0.se.fc1.weight", "layer2.0.downsample.2.weight"},
        .with = {"layer1.0.conv1.weight"},
        NET(lp_net_resnetd),
        .architectures = lp_architectures_resnetd,
        .norm_eps = 1e-5F,                /* torch.nn.BatchNorm2d's default */
        .mean_std = LP_MEAN_STD_IMAGENET, /* resnet.py, _ttcfg, as the next two */
        .shorter_side = {256, 224},
        .input = 224,
        .note = "and no anti-aliasing: timm's resnetaa* and resnetblur* look the same",
    },
    {
        .name = "hf-resnet", /* transformers: ResNetModel */
        .title = "ResNet",
        .prefixes = {""},
        .any = {"embedder.embedder.convolution.weight"},
        .with = {"encoder.stages.0.layers.0.layer.0.convolution.weight"},
        NET(lp_net_resnet),
        .renames = lp_renames_hf_resnet,
        .norm_eps = 1e-5F,           /* torch.nn.BatchNorm2d's default */
        .filter = LP_FILTER_BICUBIC, /* microsoft/resnet-50: preprocessor_config.json */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .crop_rule = LP_CROP_FLOOR,
        .shorter_side = {256, 224}, /* the same: crop_pct 0.875 */
        .input = 224,
    },
    {
        .name =
            "sequential-resnet", /* torch.nn.Sequential(*resnet.children()): lightly and others */
        .title = "ResNet",
        .prefixes = {""},
        .any = {"4.0.conv1.weight"},
        .with = {"7.0.conv1.weight"},
        NET(lp_net_resnet),
        .renames = lp_renames_sequential_resnet,
        .norm_eps = 1e-5F,
        .filter = LP_FILTER_BILINEAR, /* as "resnet" */
        .mean_std = LP_MEAN_STD_IMAGENET,
        .shorter_side = {256, 224},
        .input = 224,
    },
};
const size_t lp_family_count = COUNT(lp_families);

/* Files that are recognised only to say what they are. */
const lp_stranger lp_strangers[] = {
    {.tensor = ".se.conv.weight",
     .what = "a network with efficient channel attention (ECA), which is not supported"},
    {.tensor = ".cpe1.proj.", .what = "a DaViT, which is not supported"},
    {.tensor = "online_params.res_net",
     .what = "BYOL with a ResNet of less than 50 layers, which is not supported: where its strides "
             "are depends on Haiku's version",
     .alone = true},
    {.tensor = "/~/initial_batchnorm.",
     .what = "a ResNet of Haiku, of which BYOL's are read, as dill writes their file: with the "
             "fields of its classes (online_params, online_state)",
     .alone = true},
    {.tensor = "conv_kxk.", .what = "a MobileOne, which is not supported", .alone = true},
    {.tensor = "attention_biases",
     .what = "a LeViT or another network of its kind, which is not supported",
     .alone = true},
    {.tensor = "pos_embed_window",
     .what = "the Hiera of SAM 2, whose windows and positions are others, which is not supported"},
    {.tensor = "pos_embed_temporal", .what = "a Hiera for videos, which is not supported"},
    {.tensor = "patch_embed.backbone.stem.conv.",
     .what = "a hybrid of ResNet and ViT, which is not supported"},
    {.tensor = "patch_embed.backbone.conv.",
     .what = "a hybrid of ResNet and ViT, which is not supported"},
    {.tensor = "embeds.cls_token",
     .what = "a RADIO model as timm's NaFlex ViT, which is not supported; vit_*_radio_* are read"},
    {.tensor = ".attn.fc_reduce.",
     .what = "timm's ResNet with selective kernels (skresnet*), which is not supported"},
    {.tensor = "pre_logits.fc1.",
     .what = "a VGG in timm's naming, which is not read; torchvision's is"},
    {.tensor = "_flat_param",
     .what = "the flat shards that FSDP saves of one rank; use the file of the whole state "
             "dictionary (FSDP's FULL_STATE_DICT; DINOv2's teacher_checkpoint.pth)"},
    {.tensor = "embeddings.detection_tokens",
     .what =
         "YOLOS, a detector whose outputs are those of its detection tokens: it has no feature of "
         "the whole image"},
    {.tensor = "encoder.layer.0.mlp.fc1.weight",
     .with = "encoder.layer.0.layernorm_before.weight",
     .without = "projection_layer",
     .what =
         "the backbone of ViTPose, whose output is a map of the image: it has no feature of the "
         "whole image"},
    {.tensor = "lora_A", .what = "LoRA adapters, which must be merged into the weights first"},
    {.tensor = ".parametrizations.",
     .what = "parametrized weights, which are not computed: make them plain with "
             "torch.nn.utils.parametrize.remove_parametrizations, and save them again"},
    {.tensor = ".weight_orig",
     .what = "pruned weights or a spectral norm, which are not computed: make them plain with "
             "prune.remove or remove_spectral_norm of torch.nn.utils, and save them again"},
    {.tensor = ".weight_g",
     .what = "a weight norm, which is not computed: make the weights plain with "
             "torch.nn.utils.remove_weight_norm, and save them again"},
    {.tensor = "._packed_params", .what = "weights that PyTorch has quantised, which are not read"},
    {.tensor = ".qweight", .what = "weights that GPTQ or AWQ has quantised, which are not read"},
    {.tensor = ".SCB", .what = "weights that bitsandbytes has quantised, which are not read"},
    {.tensor = ".weight.absmax",
     .what = "weights that bitsandbytes has quantised, which are not read"},
    {.tensor = ".weight_scale", .what = "weights that are quantised, with scales beside them"},
    {.tensor = "fake_quant", .what = "a model that is being trained for quantisation"},
    {.tensor = "activation_post_process", .what = "a model that is being trained for quantisation"},
    {.tensor = "visual.trunk.stem.",
     .what = "an open_clip model with a convolutional timm tower that is not supported"},
    {.tensor = "relative_position_bias_table",
     .what = "a BEiT, a Swin or another transformer of a kind that is not supported",
     .alone = true},
    {.tensor = "radio_model",
     .what = "a RADIO model under its own names; timm's vit_*_radio_* are read"},
    {.tensor = "patch_generator",
     .what = "a RADIO model under its own names; timm's vit_*_radio_* are read"},
    {.tensor = "conv_dw.",
     .what = "a MobileNet or an EfficientNet of another kind, which is not supported",
     .alone = true},
    {.tensor = "attn_pool.latent",
     .what =
         "an attention pool beside a class token, as of the Perception Encoder (PE-Core), which "
         "is not supported",
     .alone = true},
    {.tensor = NULL},
};

/* openai/CLIP clip/clip.py, _transform; timm/data/constants.py: IMAGENET_DEFAULT_MEAN and _STD,
 * IMAGENET_INCEPTION_MEAN and _STD */
const lp_mean_std_values lp_mean_stds[] = {
    [LP_MEAN_STD_HALF] = {{0.5F, 0.5F, 0.5F}, {0.5F, 0.5F, 0.5F}},
    [LP_MEAN_STD_NONE] = {{0, 0, 0}, {1, 1, 1}},
    [LP_MEAN_STD_IMAGENET] = {{0.485F, 0.456F, 0.406F}, {0.229F, 0.224F, 0.225F}},
    [LP_MEAN_STD_CLIP] = {{0.48145466F, 0.4578275F, 0.40821073F},
                          {0.26862954F, 0.26130258F, 0.27577711F}},
};

/* Heads that are not 64 wide: ViT-H, -g, -G of open_clip, timm and MAE; SigLIP so400m and g-opt
 * (open_clip model_configs/ViT-*.json head_width; timm vision_transformer.py num_heads). */
const lp_vit_size lp_vit_sizes[] = {
    {.width = 192, .layers = 12, .letter = "Ti"},
    {.width = 384, .layers = 12, .letter = "S"},
    {.width = 768, .layers = 12, .letter = "B"},
    {.width = 1024, .layers = 24, .letter = "L"},
    {1280, 32, "H", .mlp_width = 5120, .heads = 16, .heads_vary = true},
    {1408, 40, "g", .mlp_width = 6144, .heads = 16, .heads_vary = true},
    {1152, 27, "so400m", .mlp_width = 4304, .heads = 16, .heads_vary = true},
    {1536, 40, "g", .mlp_width = 6144, .heads = 16},
    {1664, 48, "bigG", .mlp_width = 8192, .heads = 16, .heads_vary = true},
};
const size_t lp_vit_size_count = COUNT(lp_vit_sizes);

/* clip/clip.py: _MODELS; their configurations are open_clip's model_configs/RN*.json */
const lp_resnet_size lp_resnet_sizes[] = {
    {{3, 4, 6, 3}, 64, 224, "RN50"},        {{3, 4, 23, 3}, 64, 224, "RN101"},
    {{4, 6, 10, 6}, 80, 288, "RN50x4"},     {{6, 8, 18, 8}, 96, 384, "RN50x16"},
    {{3, 15, 36, 10}, 128, 448, "RN50x64"},
};
const size_t lp_resnet_size_count = COUNT(lp_resnet_sizes);
