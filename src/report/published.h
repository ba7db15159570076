/* Which published accuracy (ckpt/known_models.c has them) belongs beside a result. */
#ifndef LP_REPORT_PUBLISHED_H
#define LP_REPORT_PUBLISHED_H

#include "base/json.h"
#include "ckpt/known_models.h"
#include "linprobe/encoder.h"

/* The published number for an official model's features as they are, or NULL (also for model =
 * NULL). */
const lp_published *lp_published_find(const char *model, const char *dataset,
                                      lp_feature_point point);

/* The same for two feature sets as their meta.json describes them (of the training set `inputs` and
 * `data` are enough): official weights and data, fine labels, features as the encoder gives them.
 */
const lp_published *lp_published_of(const json_t *train, const json_t *test);

/* The number this program was made to reproduce: CLIP ViT-B/32 on CIFAR-100. */
const lp_published *lp_published_target(void);

#endif
