/* The family of a file, and what the tables of families.h say of it. */
#ifndef LP_MODEL_FAMILY_H
#define LP_MODEL_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include "ckpt/known_models.h"
#include "linprobe/checkpoint.h"
#include "linprobe/encoder.h"
#include "model/families.h"

/* A file's family, and the prefix of its names; LP_ERR_UNSUPPORTED says what was looked for. */
LP_MUST_USE lp_status lp_family_find(const lp_checkpoint *ckpt, const lp_family **family,
                                     const char **prefix, lp_error *err);

/* What info->activation says; "unknown" where nothing says it. */
const char *lp_family_activation_name(lp_activation activation);

/* Fills in what the family alone says: family and constants, not dimensions. */
void lp_family_describe(const lp_family *family, lp_encoder_info *info);

/* The preprocessing for an input of `input` pixels a side; sets input_size, too. */
void lp_family_preprocess(const lp_family *family, size_t input, lp_encoder_info *info);

/* Replaces what the family or a config says, unless it is AUTO. */
void lp_family_mean_std(lp_mean_std mean_std, lp_encoder_info *info);

/* The activation of a model of this family: width D, patch pixels a side, grid patches a side that
 * its positions were made for.  LP_ACTIVATION_AUTO: nothing says it. */
lp_activation lp_family_activation(const lp_family *family, size_t width, size_t patch,
                                   size_t grid);

/* The row of a vision transformer's dimensions, or NULL. */
const lp_vit_size *lp_vit_size_of(size_t width, size_t layers);

/* Whether transformers of this width have heads of different widths, so that width / 64 may be
 * wrong. */
bool lp_vit_heads_vary(size_t width);

/* OpenAI's name of a ResNet, or NULL. */
const char *lp_resnet_size_name(const size_t blocks[LP_RESNET_STAGES], size_t width, size_t input);

/* Of a published file: what differs from its family; AUTO: nothing. */
lp_mean_std lp_file_mean_std(const lp_known_model *known);
lp_activation lp_file_activation(const lp_known_model *known);

/* The defaults of transformers' model_type, or NULL. */
const lp_hf_default *lp_hf_default_of(const char *model_type);

#endif
