/* The networks that are described, as families' layouts. */
#ifndef LP_MODEL_NET_DESCRIPTIONS_H
#define LP_MODEL_NET_DESCRIPTIONS_H

#include "model/net_build.h"

/* convnext.c; transformers' ConvNeXts have an eps of their own in their blocks. */
extern const lp_net_description lp_net_convnext, lp_net_convnext_hf;

/* swin.c */
extern const lp_net_description lp_net_swin;

/* efficientnet.c; V2 too. */
extern const lp_net_description lp_net_efficientnet;

#endif
