/* The networks that are described, as families' layouts. */
#ifndef LP_MODEL_NET_DESCRIPTIONS_H
#define LP_MODEL_NET_DESCRIPTIONS_H

#include "model/net_build.h"

/* convnext.c; transformers' ConvNeXts have an eps of their own in their blocks. */
extern const lp_net_description lp_net_convnext, lp_net_convnext_hf;

/* swin.c; V2 too.  The programs differ in how they fill up windows: the authors' does not. */
extern const lp_net_description lp_net_swin, lp_net_swin_timm, lp_net_swin_hf,
    lp_net_swin_torchvision;

/* efficientnet.c; V2 too. */
extern const lp_net_description lp_net_efficientnet, lp_net_torchvision_efficientnet;

/* efficientnet_hf.c */
extern const lp_net_description lp_net_efficientnet_hf;

/* regnet.c */
extern const lp_net_description lp_net_regnet;

/* resnetv2.c: BiT's, its authors', and those with batch norms. */
extern const lp_net_description lp_net_bit, lp_net_bit_npz, lp_net_resnetv2;

/* resnet.c: torchvision's, timm's others, CLIP's. */
extern const lp_net_description lp_net_resnet, lp_net_resnetd, lp_net_clip_resnet, lp_net_byol;

/* vgg.c, densenet.c, mobilenet.c: torchvision's */
extern const lp_net_description lp_net_alexnet, lp_net_vgg, lp_net_densenet, lp_net_mobilenetv2,
    lp_net_mobilenetv3;

/* fastvit.c */
extern const lp_net_description lp_net_fastvit, lp_net_fastvit_apple;

/* hybrid_vit.c */
extern const lp_net_description lp_net_vitamin, lp_net_mci_vit, lp_net_mci_vit_apple;

/* tinyvit.c */
extern const lp_net_description lp_net_tinyvit;

/* naflex.c */
extern const lp_net_description lp_net_naflex, lp_net_siglip2;

/* sam.c */
extern const lp_net_description lp_net_sam;

/* cait.c, xcit.c: class attention. */
extern const lp_net_description lp_net_cait, lp_net_xcit;

/* hiera.c; the second has positions of windows, and takes any input. */
extern const lp_net_description lp_net_hiera, lp_net_hiera_abswin;

/* simclr.c */
extern const lp_net_description lp_net_simclr, lp_net_google_simclr;

/* parallel_vit.c: attention and MLPs side by side. */
extern const lp_net_description lp_net_parallel;

/* vit.c: a description, and what differs between the first ViTs' namings. */
typedef struct lp_vit {
    lp_net_description description; /* first: a family's layout is an lp_net_description */
    bool class_always;              /* every model has a class token */
    bool normed_with_class;         /* those with a class token have a norm before the blocks */
    bool normed_behind;             /* every model has a norm behind the blocks */
    bool plain_patches;             /* no patches have a bias; else those without such a norm */
    bool patches_alone;     /* positions may be for patches only, in spite of a class token */
    bool scaled, biased;    /* every model has layer scale; biases of queries, keys and values */
    bool gated_by_shape;    /* the plain MLP's names may hold a gated one */
    bool apart;             /* queries, keys and values are three layers, but one in the pool */
    bool towers;            /* open_clip has towers with these names, and projections beside them */
    const char *projection; /* [D, E]; or NULL */
    const char *beside;     /* a projection outside the family's prefix, [E, D]; or NULL */
} lp_vit;
extern const lp_vit lp_net_vit, lp_net_vit_openai, lp_net_vit_hf_clip, lp_net_vit_hf_dinov2,
    lp_net_vit_hf, lp_net_vit_hf_internvl;

/* Which models have a class token. */
typedef enum lp_class_rule { LP_CLASS_ALWAYS, LP_CLASS_BY_POSITIONS, LP_CLASS_NEVER } lp_class_rule;

/* A description, and what differs between those of transformer.c. */
typedef struct lp_transformer {
    lp_net_description description; /* first: a family's layout is an lp_net_description */
    lp_class_rule class_rule;
    bool registers;       /* as in DINOv3 */
    bool rms;             /* norms are RMS norms; linear layers have no bias */
    bool rotary_if_gated; /* of the models, those with a gated MLP alone have rotary positions */
    bool reference_grid; /* the rotary positions' reference is the grid of the stored ones, and they
                            count from 1 where there is a class token */
    bool poolers_apart;  /* a file without the mean's norm is whole: its pooler was left out */
    bool post_pool; /* as CoCa's: an attention pool over rows without a norm, and one behind it */
    lp_net_rotary rotary;     /* temperature 0: none */
    const char *class_angles; /* the class token is turned by these; or NULL */
} lp_transformer;
extern const lp_transformer lp_net_mlcd, lp_net_coca, lp_net_dinov3, lp_net_eva, lp_net_perception,
    lp_net_perception_one, lp_net_beit, lp_net_hf_beit, lp_net_aimv2;

#endif
