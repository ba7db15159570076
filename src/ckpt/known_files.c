/* Published encoders that are files by themselves, but for torchvision's (known_torchvision.c).
 *
 * Sources.  OpenAI CLIP: clip/clip.py of openai/CLIP (addresses, which hold the digests); sizes as
 * their host reports them.  open_clip: its pretrained.py; DeiT: timm's deit.py.  In these two the
 * file name ends in the first eight digits of the SHA-256, which their loaders check (torch.hub:
 * HASH_REGEX).  DINO, DINOv2, MAE: timm's
 * vision_transformer.py and facebookresearch/dino; MobileCLIP: timm's fastvit.py and
 * vision_transformer_hybrid.py; TinyViT: microsoft/Cream models/tiny_vit.py; BiT:
 * google-research/big_transfer README.md and timm's resnetv2.py; no checksums are published.
 * Parameters are those of the models as torchvision, timm and open_clip build them, without a
 * classifier.
 *
 * DINO's XCiTs: facebookresearch/dino README.md; MoCo v1, v2 and v3, SwAV:
 * facebookresearch/moco and swav README.md, moco-v3 CONFIG.md.  MoCo's checksums are MD5s.
 * VirTex: kdexd/virtex hubconf.py.
 *
 * EfficientNet's Noisy Student and ResNeXt-WSL: timm's efficientnet.py and resnet.py (addresses and
 * digits).
 *
 * DeiT's mean and std: facebookresearch/deit datasets.py, build_transform.
 * SimCLRv2: google-research/simclr README.md, and the file names of Separius/SimCLRv2-Pytorch's
 * download.py.
 *
 * DINOv2 was trained at 518 pixels and is evaluated at 224. */
#include "ckpt/known_tables.h"

/* Where the publishers keep their files.  OpenAI's addresses hold the file's SHA-256. */
#define OPENAI(digest, file)                                                                       \
    .url = "https://openaipublic.azureedge.net/clip/models/" digest "/" file, .sha256 = digest
#define OPEN_CLIP "https://github.com/mlfoundations/open_clip/releases/download/v0.2-weights/"
#define TIMM "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/"
#define TINYVIT "https://github.com/wkcn/TinyViT-model-zoo/releases/download/checkpoints/"
#define BIT "https://storage.googleapis.com/bit_models/"
#define APPLE "https://docs-assets.developer.apple.com/ml-research/datasets/mobileclip/"
#define BYOL "https://storage.googleapis.com/deepmind-byol/checkpoints/"
#define META "https://dl.fbaipublicfiles.com/"
#define DINO_XCIT(name) META "dino/dino_xcit_" name "_pretrain/dino_xcit_" name "_pretrain.pth"
/* Selective kernels: "sk1". */
#define SIMCLRV2(name_, title_, folder)                                                            \
    .name = "simclrv2-" name_, .title = "Google SimCLRv2 " title_, .family = "google-simclr",      \
    .input_size = 224,                                                                             \
    .url = "https://storage.googleapis.com/simclr-checkpoints/simclrv2/pretrained/" folder         \
           "/model.ckpt-250228.index"
#define VIRTEX "backbone_bicaptioning_R_50_L1_H2048.pth"
#define MOCO(name) META "moco/moco_checkpoints/" name "/" name "_pretrain.pth.tar"

/* The layout of clang-format would give each field a line of its own. */
/* clang-format off */
static const lp_known_model models[] = {
    {.name = "clip-rn50", .alias = "RN50", .title = "OpenAI CLIP RN50", .family = "clip-resnet",
     .activation = "quick_gelu", .input_size = 224, .parameters = 38316896, .bytes = 255827503,
     OPENAI("afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762", "RN50.pt")},
    {.name = "clip-rn101", .alias = "RN101", .title = "OpenAI CLIP RN101", .family = "clip-resnet",
     .activation = "quick_gelu", .input_size = 224, .parameters = 56259936, .bytes = 291791292,
     OPENAI("8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599", "RN101.pt")},
    {.name = "clip-rn50x4", .alias = "RN50x4", .title = "OpenAI CLIP RN50x4", .bytes = 421854225,
     .family = "clip-resnet", .activation = "quick_gelu", .input_size = 288, .parameters = 87137080,
     OPENAI("7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd", "RN50x4.pt")},
    {.name = "clip-rn50x16", .alias = "RN50x16", .title = "OpenAI CLIP RN50x16",
     .family = "clip-resnet", .activation = "quick_gelu", .input_size = 384,
     .parameters = 167328912, .bytes = 661125706,
     OPENAI("52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa", "RN50x16.pt")},
    {.name = "clip-rn50x64", .alias = "RN50x64", .title = "OpenAI CLIP RN50x64",
     .family = "clip-resnet", .activation = "quick_gelu", .input_size = 448,
     .parameters = 420380352, .bytes = 1353500174,
     OPENAI("be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c", "RN50x64.pt")},
    {.name = "clip-vit-b-32", .alias = "ViT-B/32", .title = "OpenAI CLIP ViT-B/32",
     .family = "clip-vit", .activation = "quick_gelu", .input_size = 224, .parameters = 87849216,
     OPENAI("40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af", "ViT-B-32.pt"),
     .bytes = 353976522},
    {.name = "clip-vit-b-16", .alias = "ViT-B/16", .title = "OpenAI CLIP ViT-B/16",
     .family = "clip-vit", .activation = "quick_gelu", .input_size = 224, .parameters = 86192640,
     OPENAI("5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f", "ViT-B-16.pt"),
     .bytes = 350837078},
    {.name = "clip-vit-l-14", .alias = "ViT-L/14", .title = "OpenAI CLIP ViT-L/14",
     .family = "clip-vit", .activation = "quick_gelu", .input_size = 224, .parameters = 303966208,
     OPENAI("b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836", "ViT-L-14.pt"),
     .bytes = 932768134},
    {.name = "clip-vit-l-14-336px", .alias = "ViT-L/14@336px",
     .title = "OpenAI CLIP ViT-L/14@336px", .family = "clip-vit", .activation = "quick_gelu",
     .input_size = 336, .parameters = 304293888, .bytes = 934088680,
     OPENAI("3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02", "ViT-L-14-336px.pt")},

    {.name = "openclip-vit-b-32-laion400m", .title = "open_clip ViT-B/32 laion400m_e32",
     .family = "clip-vit", .activation = "quick_gelu", .input_size = 224, .parameters = 87849216,
     NAMED_BY_DIGITS(OPEN_CLIP "vit_b_32-quickgelu-laion400m_e32", "46683a32", ".pt")},
    {.name = "openclip-vit-b-16-laion400m", .title = "open_clip ViT-B/16 laion400m_e32",
     .family = "clip-vit", .activation = "gelu", .input_size = 224, .parameters = 86192640,
     NAMED_BY_DIGITS(OPEN_CLIP "vit_b_16-laion400m_e32", "55e67d44", ".pt")},
    {.name = "openclip-vit-b-16-plus-240-laion400m",
     .title = "open_clip ViT-B/16-plus-240 laion400m_e32", .family = "clip-vit",
     .activation = "gelu", .input_size = 240, .parameters = 117213824,
     NAMED_BY_DIGITS(OPEN_CLIP "vit_b_16_plus_240-laion400m_e32", "699c4b84", ".pt")},
    {.name = "openclip-vit-l-14-laion400m", .title = "open_clip ViT-L/14 laion400m_e32",
     .family = "clip-vit", .activation = "gelu", .input_size = 224, .parameters = 303966208,
     NAMED_BY_DIGITS(OPEN_CLIP "vit_l_14-laion400m_e32", "3d133497", ".pt")},

    {.name = "efficientnet-b0-ns", .title = "EfficientNet-B0 Noisy Student",
     .family = "timm-efficientnet", .input_size = 224, .parameters = 4007548,
     NAMED_BY_DIGITS(TIMM "tf_efficientnet_b0_ns", "c0e6a31c", ".pth")},
    {.name = "efficientnet-b1-ns", .title = "EfficientNet-B1 Noisy Student",
     .family = "timm-efficientnet", .input_size = 240, .parameters = 6513184,
     NAMED_BY_DIGITS(TIMM "tf_efficientnet_b1_ns", "99dd0c41", ".pth")},
    {.name = "efficientnet-b2-ns", .title = "EfficientNet-B2 Noisy Student",
     .family = "timm-efficientnet", .input_size = 260, .parameters = 7700994,
     NAMED_BY_DIGITS(TIMM "tf_efficientnet_b2_ns", "00306e48", ".pth")},
    {.name = "efficientnet-b3-ns", .title = "EfficientNet-B3 Noisy Student",
     .family = "timm-efficientnet", .input_size = 300, .parameters = 10696232,
     NAMED_BY_DIGITS(TIMM "tf_efficientnet_b3_ns", "9d44bf68", ".pth")},
    {.name = "efficientnet-b4-ns", .title = "EfficientNet-B4 Noisy Student",
     .family = "timm-efficientnet", .input_size = 380, .parameters = 17548616,
     NAMED_BY_DIGITS(TIMM "tf_efficientnet_b4_ns", "d6313a46", ".pth")},
    {.name = "efficientnet-b5-ns", .title = "EfficientNet-B5 Noisy Student",
     .family = "timm-efficientnet", .input_size = 456, .parameters = 28340784,
     NAMED_BY_DIGITS(TIMM "tf_efficientnet_b5_ns", "6f26d0cf", ".pth")},
    {.name = "efficientnet-b6-ns", .title = "EfficientNet-B6 Noisy Student",
     .family = "timm-efficientnet", .input_size = 528, .parameters = 40735704,
     NAMED_BY_DIGITS(TIMM "tf_efficientnet_b6_ns", "51548356", ".pth")},
    {.name = "efficientnet-b7-ns", .title = "EfficientNet-B7 Noisy Student",
     .family = "timm-efficientnet", .input_size = 600, .parameters = 63786960,
     NAMED_BY_DIGITS(TIMM "tf_efficientnet_b7_ns", "1dbc32de", ".pth")},
    {.name = "efficientnet-l2-ns-475", .title = "EfficientNet-L2 Noisy Student 475",
     .family = "timm-efficientnet", .input_size = 475, .parameters = 474804308,
     NAMED_BY_DIGITS(TIMM "tf_efficientnet_l2_ns_475", "bebbd00a", ".pth")},
    {.name = "efficientnet-l2-ns", .title = "EfficientNet-L2 Noisy Student",
     .family = "timm-efficientnet", .input_size = 800, .parameters = 474804308,
     NAMED_BY_DIGITS(TIMM "tf_efficientnet_l2_ns", "df73bb44", ".pth")},
    {.name = "resnext101-32x8d-wsl", .title = "ResNeXt-101 32x8d WSL", .parameters = 86742336,
     PYTORCH_RESNET("ig_resnext101_32x8", "c38310e5")},
    {.name = "resnext101-32x16d-wsl", .title = "ResNeXt-101 32x16d WSL", .parameters = 191977792,
     PYTORCH_RESNET("ig_resnext101_32x16", "c6f796b0")},
    {.name = "resnext101-32x32d-wsl", .title = "ResNeXt-101 32x32d WSL", .parameters = 466481472,
     PYTORCH_RESNET("ig_resnext101_32x32", "e4b90b00")},
    {.name = "resnext101-32x48d-wsl", .title = "ResNeXt-101 32x48d WSL", .parameters = 826362176,
     PYTORCH_RESNET("ig_resnext101_32x48", "3e41cc8a")},

    {.name = "dino-vit-s-16", .title = "DINO ViT-S/16", .family = "dino", .parameters = 21665664,
     .input_size = 224, .url = META "dino/dino_deitsmall16_pretrain/dino_deitsmall16_pretrain.pth"},
    {.name = "dino-vit-s-8", .title = "DINO ViT-S/8", .family = "dino", .parameters = 21670272,
     .input_size = 224, .url = META "dino/dino_deitsmall8_pretrain/dino_deitsmall8_pretrain.pth"},
    {.name = "dino-vit-b-16", .title = "DINO ViT-B/16", .family = "dino", .parameters = 85798656,
     .input_size = 224, .url = META "dino/dino_vitbase16_pretrain/dino_vitbase16_pretrain.pth"},
    {.name = "dino-vit-b-8", .title = "DINO ViT-B/8", .family = "dino", .input_size = 224,
     .parameters = 85807872, .url = META "dino/dino_vitbase8_pretrain/dino_vitbase8_pretrain.pth"},
    {.name = "dino-resnet50", .title = "DINO ResNet-50", .family = "resnet", .input_size = 224,
     .parameters = 23508032, .url = META "dino/dino_resnet50_pretrain/dino_resnet50_pretrain.pth"},

    {.name = "dino-xcit-s12-16", .title = "DINO XCiT-S12/16", .family = "dino-xcit",
     .parameters = 25868304, .input_size = 224, .url = DINO_XCIT("small_12_p16")},
    {.name = "dino-xcit-s12-8", .title = "DINO XCiT-S12/8", .family = "dino-xcit",
     .parameters = 25828032, .input_size = 224, .url = DINO_XCIT("small_12_p8")},
    {.name = "dino-xcit-m24-16", .title = "DINO XCiT-M24/16", .family = "dino-xcit",
     .parameters = 83882752, .input_size = 224, .url = DINO_XCIT("medium_24_p16")},
    {.name = "dino-xcit-m24-8", .title = "DINO XCiT-M24/8", .family = "dino-xcit",
     .parameters = 83810624, .input_size = 224, .url = DINO_XCIT("medium_24_p8")},

    {.name = "moco-v1", .alias = "moco-v1-200ep", .title = "MoCo v1 ResNet-50", .family = "resnet",
     .parameters = 23508032, .input_size = 224, .url = MOCO("moco_v1_200ep")},
    {.name = "moco-v2-200ep", .title = "MoCo v2 ResNet-50, 200 epochs", .family = "resnet",
     .parameters = 23508032, .input_size = 224, .url = MOCO("moco_v2_200ep")},
    {.name = "moco-v2", .alias = "moco-v2-800ep", .title = "MoCo v2 ResNet-50", .family = "resnet",
     .parameters = 23508032, .input_size = 224, .url = MOCO("moco_v2_800ep")},
    {.name = "moco-v3-resnet50", .alias = "moco-v3-resnet50-1000ep", .title = "MoCo v3 ResNet-50",
     .family = "resnet", .parameters = 23508032, .input_size = 224,
     .url = META "moco-v3/r-50-1000ep/r-50-1000ep.pth.tar"},
    {.name = "swav-resnet50", .alias = "swav-800ep", .title = "SwAV ResNet-50", .family = "resnet",
     .parameters = 23508032, .input_size = 224,
     .url = META "deepcluster/swav_800ep_pretrain.pth.tar"},

    {.name = "virtex-resnet50", .title = "VirTex ResNet-50, L1 H2048", .family = "resnet",
     .parameters = 23508032, .input_size = 224,
     .url = "https://www.dropbox.com/s/pxgjxcva7oypf12/" VIRTEX "?dl=1", .file = VIRTEX},

    {.name = "dinov2-vit-s-14", .title = "DINOv2 ViT-S/14", .family = "dinov2", .input_size = 224,
     .parameters = 22056192, .url = META "dinov2/dinov2_vits14/dinov2_vits14_pretrain.pth"},
    {.name = "dinov2-vit-b-14", .title = "DINOv2 ViT-B/14", .family = "dinov2", .input_size = 224,
     .parameters = 86579712, .url = META "dinov2/dinov2_vitb14/dinov2_vitb14_pretrain.pth"},
    {.name = "dinov2-vit-l-14", .title = "DINOv2 ViT-L/14", .family = "dinov2", .input_size = 224,
     .parameters = 304367616, .url = META "dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth"},
    {.name = "dinov2-vit-g-14", .title = "DINOv2 ViT-g/14", .family = "dinov2", .input_size = 224,
     .parameters = 1136479232, .url = META "dinov2/dinov2_vitg14/dinov2_vitg14_pretrain.pth"},
    {.name = "dinov2-vit-s-14-reg", .alias = "dinov2-vit-s-14-reg4",
     .title = "DINOv2 ViT-S/14 with registers", .family = "dinov2-reg", .input_size = 224,
     .parameters = 22057344, .url = META "dinov2/dinov2_vits14/dinov2_vits14_reg4_pretrain.pth"},
    {.name = "dinov2-vit-b-14-reg", .alias = "dinov2-vit-b-14-reg4",
     .title = "DINOv2 ViT-B/14 with registers", .family = "dinov2-reg", .input_size = 224,
     .parameters = 86582016, .url = META "dinov2/dinov2_vitb14/dinov2_vitb14_reg4_pretrain.pth"},
    {.name = "dinov2-vit-l-14-reg", .alias = "dinov2-vit-l-14-reg4",
     .title = "DINOv2 ViT-L/14 with registers", .family = "dinov2-reg", .input_size = 224,
     .parameters = 304370688, .url = META "dinov2/dinov2_vitl14/dinov2_vitl14_reg4_pretrain.pth"},
    {.name = "dinov2-vit-g-14-reg", .alias = "dinov2-vit-g-14-reg4",
     .title = "DINOv2 ViT-g/14 with registers", .family = "dinov2-reg", .input_size = 224,
     .parameters = 1136483840, .url = META "dinov2/dinov2_vitg14/dinov2_vitg14_reg4_pretrain.pth"},

    {.name = "mae-vit-b-16", .title = "MAE ViT-B/16", .family = "dino", .input_size = 224,
     .parameters = 85798656, .url = META "mae/pretrain/mae_pretrain_vit_base.pth"},
    {.name = "mae-vit-l-16", .title = "MAE ViT-L/16", .family = "dino", .input_size = 224,
     .parameters = 303301632, .url = META "mae/pretrain/mae_pretrain_vit_large.pth"},
    {.name = "mae-vit-h-14", .title = "MAE ViT-H/14", .family = "dino", .input_size = 224,
     .parameters = 630764800, .url = META "mae/pretrain/mae_pretrain_vit_huge.pth"},

    {.name = "deit-vit-ti-16", .title = "DeiT ViT-Ti/16", .family = "timm-vit", .input_size = 224,
     .parameters = 5524416, .mean_std = "imagenet",
     NAMED_BY_DIGITS(META "deit/deit_tiny_patch16_224", "a1311bcf", ".pth")},
    {.name = "deit-vit-s-16", .title = "DeiT ViT-S/16", .family = "timm-vit", .input_size = 224,
     .parameters = 21665664, .mean_std = "imagenet",
     NAMED_BY_DIGITS(META "deit/deit_small_patch16_224", "cd65a155", ".pth")},
    {.name = "deit-vit-b-16", .title = "DeiT ViT-B/16", .family = "timm-vit", .input_size = 224,
     .parameters = 85798656, .mean_std = "imagenet",
     NAMED_BY_DIGITS(META "deit/deit_base_patch16_224", "b5f2ef4d", ".pth")},

    {.name = "mobileclip-s0", .title = "MobileCLIP-S0", .family = "mobileclip", .input_size = 256,
     .parameters = 10882176, .url = APPLE "mobileclip_s0.pt"},
    {.name = "mobileclip-s1", .title = "MobileCLIP-S1", .family = "mobileclip", .input_size = 256,
     .parameters = 21016832, .url = APPLE "mobileclip_s1.pt"},
    {.name = "mobileclip-s2", .title = "MobileCLIP-S2", .family = "mobileclip", .input_size = 256,
     .parameters = 35159360, .url = APPLE "mobileclip_s2.pt"},
    {.name = "mobileclip-b", .title = "MobileCLIP-B", .family = "mobileclip-vit",
     .input_size = 224, .parameters = 85955328, .url = APPLE "mobileclip_b.pt"},
    {.name = "mobileclip-b-lt", .title = "MobileCLIP-B (LT)", .family = "mobileclip-vit",
     .input_size = 224, .parameters = 85955328, .url = APPLE "mobileclip_blt.pt"},

    {.name = "tinyvit-5m-22k", .title = "TinyViT-5M ImageNet-22k", .family = "tinyvit",
     .input_size = 224, .parameters = 5071764, .url = TINYVIT "tiny_vit_5m_22k_distill.pth"},
    {.name = "tinyvit-5m-22kto1k", .title = "TinyViT-5M ImageNet-22k to 1k", .family = "tinyvit",
     .input_size = 224, .parameters = 5071764, .url = TINYVIT "tiny_vit_5m_22kto1k_distill.pth"},
    {.name = "tinyvit-11m-22k", .title = "TinyViT-11M ImageNet-22k", .family = "tinyvit",
     .input_size = 224, .parameters = 10547972, .url = TINYVIT "tiny_vit_11m_22k_distill.pth"},
    {.name = "tinyvit-11m-22kto1k", .title = "TinyViT-11M ImageNet-22k to 1k", .family = "tinyvit",
     .input_size = 224, .parameters = 10547972, .url = TINYVIT "tiny_vit_11m_22kto1k_distill.pth"},
    {.name = "tinyvit-21m-22k", .title = "TinyViT-21M ImageNet-22k", .family = "tinyvit",
     .input_size = 224, .parameters = 20621568, .url = TINYVIT "tiny_vit_21m_22k_distill.pth"},
    {.name = "tinyvit-21m-22kto1k", .title = "TinyViT-21M ImageNet-22k to 1k", .family = "tinyvit",
     .input_size = 224, .parameters = 20621568, .url = TINYVIT "tiny_vit_21m_22kto1k_distill.pth"},

    {.name = "bit-s-r50x1", .title = "BiT-S R50x1", .family = "bit-npz", .input_size = 224,
     .parameters = 23500352, .url = BIT "BiT-S-R50x1.npz"},
    {.name = "bit-s-r50x3", .title = "BiT-S R50x3", .family = "bit-npz", .input_size = 224,
     .parameters = 211174080, .url = BIT "BiT-S-R50x3.npz"},
    {.name = "bit-s-r101x1", .title = "BiT-S R101x1", .family = "bit-npz", .input_size = 224,
     .parameters = 42492480, .url = BIT "BiT-S-R101x1.npz"},
    {.name = "bit-s-r101x3", .title = "BiT-S R101x3", .family = "bit-npz", .input_size = 224,
     .parameters = 381789888, .url = BIT "BiT-S-R101x3.npz"},
    {.name = "bit-s-r152x2", .title = "BiT-S R152x2", .family = "bit-npz", .input_size = 224,
     .parameters = 232238208, .url = BIT "BiT-S-R152x2.npz"},
    {.name = "bit-s-r152x4", .title = "BiT-S R152x4", .family = "bit-npz", .input_size = 224,
     .parameters = 928340224, .url = BIT "BiT-S-R152x4.npz"},
    {.name = "bit-m-r50x1", .title = "BiT-M R50x1", .family = "bit-npz", .input_size = 224,
     .parameters = 23500352, .url = BIT "BiT-M-R50x1.npz"},
    {.name = "bit-m-r50x3", .title = "BiT-M R50x3", .family = "bit-npz", .input_size = 224,
     .parameters = 211174080, .url = BIT "BiT-M-R50x3.npz"},
    {.name = "bit-m-r101x1", .title = "BiT-M R101x1", .family = "bit-npz", .input_size = 224,
     .parameters = 42492480, .url = BIT "BiT-M-R101x1.npz"},
    {.name = "bit-m-r101x3", .title = "BiT-M R101x3", .family = "bit-npz", .input_size = 224,
     .parameters = 381789888, .url = BIT "BiT-M-R101x3.npz"},
    {.name = "bit-m-r152x2", .title = "BiT-M R152x2", .family = "bit-npz", .input_size = 224,
     .parameters = 232238208, .url = BIT "BiT-M-R152x2.npz"},
    {.name = "bit-m-r152x4", .title = "BiT-M R152x4", .family = "bit-npz", .input_size = 224,
     .parameters = 928340224, .url = BIT "BiT-M-R152x4.npz"},

    {SIMCLRV2("r50-1x", "R50-1x", "r50_1x_sk0"), .parameters = 23508032},
    {SIMCLRV2("r50-1x-sk", "R50-1x-SK", "r50_1x_sk1"), .parameters = 35215584},
    {SIMCLRV2("r50-2x", "R50-2x", "r50_2x_sk0"), .parameters = 93907072},
    {SIMCLRV2("r50-2x-sk", "R50-2x-SK", "r50_2x_sk1"), .parameters = 140010944},
    {SIMCLRV2("r101-1x", "R101-1x", "r101_1x_sk0"), .parameters = 42500160},
    {SIMCLRV2("r101-1x-sk", "R101-1x-SK", "r101_1x_sk1"), .parameters = 64662304},
    {SIMCLRV2("r101-2x", "R101-2x", "r101_2x_sk0"), .parameters = 169771136},
    {SIMCLRV2("r101-2x-sk", "R101-2x-SK", "r101_2x_sk1"), .parameters = 256837120},
    {SIMCLRV2("r152-1x", "R152-1x", "r152_1x_sk0"), .parameters = 58143808},
    {SIMCLRV2("r152-1x-sk", "R152-1x-SK", "r152_1x_sk1"), .parameters = 88940896},
    {SIMCLRV2("r152-2x", "R152-2x", "r152_2x_sk0"), .parameters = 232253568},
    {SIMCLRV2("r152-2x-sk", "R152-2x-SK", "r152_2x_sk1"), .parameters = 353103424},
    {SIMCLRV2("r152-3x-sk", "R152-3x-SK", "r152_3x_sk1"), .parameters = 792490784},

    {.name = "byol-r50x1", .title = "BYOL 50x1", .family = "byol-haiku", .input_size = 224,
     .parameters = 23508032, .url = BYOL "pretrain_res50x1.pkl"},
    {.name = "byol-r200x2", .title = "BYOL 200x2", .family = "byol-haiku", .input_size = 224,
     .parameters = 250128512, .url = BYOL "pretrain_res200x2.pkl"},
};
/* clang-format on */

const lp_known_table lp_known_files = {models, sizeof models / sizeof models[0]};
