/* Names that a family's files and configs use: see lp_family (families.h), which points to them. */
#ifndef LP_MODEL_FAMILY_NAMES_H
#define LP_MODEL_FAMILY_NAMES_H

#include "model/families.h"

/* The file's names of weights to the layout's; each list ends with NULL. */
extern const lp_rename lp_renames_chunks[], lp_renames_torchvision_vit[], lp_renames_hf_vit[],
    lp_renames_hf_clip[], lp_renames_internvit[], lp_renames_mmpretrain_vit[],
    lp_renames_mmpretrain_convnext[], lp_renames_hf_resnet[], lp_renames_sequential_resnet[],
    lp_renames_convnext[], lp_renames_hf_convnext[], lp_renames_hf_dinov3_convnext[],
    lp_renames_swin[], lp_renames_hf_swin[], lp_renames_torchvision_swin[],
    lp_renames_torchvision_regnet[], lp_renames_seer[], lp_renames_hf_regnet[], lp_renames_hf_bit[],
    lp_renames_hf_swinv2[], lp_renames_dinov3[], lp_renames_hf_dinov3[], lp_renames_eva[],
    lp_renames_hf_beit[], lp_renames_aimv2[], lp_renames_coca[], lp_renames_torchvision_convnext[],
    lp_renames_hf_blip[], lp_renames_clip_vit[], lp_renames_hf_ovis2[], lp_renames_hf_mlcd[],
    lp_renames_densenet[], lp_renames_sam[], lp_renames_hf_sam[], lp_renames_perception[],
    lp_renames_hf_aimv2[], lp_renames_hf_siglip2[], lp_renames_mobileclip_vit[],
    lp_renames_tinyvit[], lp_renames_bit_npz[], lp_renames_vit_npz[], lp_renames_xcit[],
    lp_renames_hiera[], lp_renames_hf_hiera[], lp_renames_byol_haiku[], lp_renames_google_simclr[];

/* Names of architectures, and what they say of a model; each list ends with NULL. */
extern const lp_architecture lp_architectures_swin[], lp_architectures_efficientnet[],
    lp_architectures_efficientnetv2[], lp_architectures_convnext[], lp_architectures_regnet[],
    lp_architectures_bit[], lp_architectures_resnetv2[], lp_architectures_resnetd[],
    lp_architectures_swinv2[], lp_architectures_dinov3[], lp_architectures_eva[],
    lp_architectures_perception[], lp_architectures_beit[], lp_architectures_aimv2[],
    lp_architectures_torchvision_efficientnet[], lp_architectures_torchvision_efficientnetv2[],
    lp_architectures_parallel[], lp_architectures_byol[], lp_architectures_sam[],
    lp_architectures_naflex[], lp_architectures_naflex_siglip[], lp_architectures_cait[],
    lp_architectures_xcit[], lp_architectures_fastvit[], lp_architectures_hiera[],
    lp_architectures_hiera_abswin[], lp_architectures_vitamin[], lp_architectures_mci_vit[],
    lp_architectures_tinyvit[];

#endif
