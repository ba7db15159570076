/* The plan of a vision transformer's weights: names and shapes, before anything is read. */
#ifndef LP_MODEL_VIT_PLAN_H
#define LP_MODEL_VIT_PLAN_H

#include "model/tower.h"
#include "model/vit_layout.h"
#include "model/vit_stored.h"
#include "model/weight_plan.h"

/* The blocks that the file has; at least 1. */
size_t lp_vit_count_blocks(const lp_source *source);

/* Adds every weight that a model with these tensors has to the plan, checks it, and fills in the
 * dimensions that weights say: all of shape but grid, tokens, layers and heads.  stored has its
 * layers and blocks.  Returns the groups of weights that the model has (vit_layout.h). */
unsigned lp_vit_plan(const lp_source *source, lp_vit_stored *stored, lp_weight_plan *plan,
                     lp_vit_shape *shape);

#endif
