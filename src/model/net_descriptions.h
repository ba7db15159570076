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
extern const lp_net_description lp_net_efficientnet;

/* regnet.c */
extern const lp_net_description lp_net_regnet;

/* resnetv2.c: BiT's, and those with batch norms. */
extern const lp_net_description lp_net_bit, lp_net_resnetv2;

/* resnetd.c */
extern const lp_net_description lp_net_resnetd;

#endif
