/* What the readers of configs share: one config that is being read, and the values in it. */
#ifndef LP_MODEL_CONFIG_READER_H
#define LP_MODEL_CONFIG_READER_H

#include "ckpt/config.h"
#include "model/families.h"
#include "model/model_config.h"

typedef struct lp_config_reader {
    const lp_checkpoint *ckpt;
    const lp_family *family;
    const char *file; /* that is being read */
    const lp_config_sizes *sizes;
    lp_model_config *out;
    lp_error *err;
} lp_config_reader;

/* LP_ERR_UNSUPPORTED: "... KEY "VALUE" is not supported". */
LP_MUST_USE lp_status lp_config_refuse(const lp_config_reader *r, const char *key,
                                       const char *value);

/* A count, or the fallback where it is missing, none, or 0; of a list of equal ones [224, 224] the
 * first. */
size_t lp_config_count(const json_t *object, const char *key, size_t fallback);

/* A config that has a dimension must have this model's; one that has none is not this model's.
 * Notes the file as what it is. */
bool lp_config_is_ours(const lp_config_reader *r, size_t width, size_t layers, size_t patch);

/* By the names of transformers and timm, LP_ERR_UNSUPPORTED for another one. */
LP_MUST_USE lp_status lp_config_activation(const lp_config_reader *r, const char *key,
                                           const char *name);
LP_MUST_USE lp_status lp_config_filter(const lp_config_reader *r, const char *name);

/* Refuses an eps that is not between 0 and 1. */
LP_MUST_USE lp_status lp_config_norm_eps(const lp_config_reader *r, const char *key, double eps);

/* The side of the largest square of so many patches; at most 4096. */
size_t lp_config_side(size_t patches);

/* Three numbers, or one for all three; false for anything else. */
bool lp_config_three(const json_t *value, float out[3]);

/* Refuses a std that is not positive, and values that are not finite. */
LP_MUST_USE lp_status lp_config_check_mean_std(const lp_config_reader *r);

/* Reads an object's "mean" and "std", as lp_config_three has them, and checks them; the usual
 * values stand for what is absent.  `name` is that of both in messages. */
LP_MUST_USE lp_status lp_config_mean_std(const lp_config_reader *r, const json_t *object,
                                         lp_mean_std usual, const char *name);

/* The row of a name in the family's list of architectures, or NULL. */
const lp_architecture *lp_config_architecture(const lp_config_reader *r, const char *name);

/* The sum of a list of counts. */
size_t lp_config_total(const json_t *counts);

/* Whether timm's name of an architecture is one of those that are computed, and what it says then:
 * heads, eps and activation, where the config has not said them. */
bool lp_config_timm_knows(const lp_config_reader *r, const char *name);
void lp_config_timm_facts(const lp_config_reader *r, const char *name);

/* The same of a config that must be believed; LP_ERR_UNSUPPORTED for one that is computed otherwise
 * than its weights show, and for unknown ones. */
LP_MUST_USE lp_status lp_config_timm_name(const lp_config_reader *r, const char *name);

/* "..._patch14_..." -> 14; 0 where there is none. */
size_t lp_config_timm_patch(const char *name);

/* timm's global_pool; "": as the weights have it. */
LP_MUST_USE lp_status lp_config_timm_pool(const lp_config_reader *r, const char *key,
                                          const char *pool);

/* The readers, each of one program's configs. */
LP_MUST_USE lp_status lp_config_read_open_clip(const lp_config_reader *r, json_t *config);
LP_MUST_USE lp_status lp_config_read_timm(const lp_config_reader *r, json_t *config);
LP_MUST_USE lp_status lp_config_read_transformers(const lp_config_reader *r, json_t *config);
LP_MUST_USE lp_status lp_config_read_processor(const lp_config_reader *r, json_t *config);

/* The same of what the file of weights itself names (ckpt/arch_notes.h). */
LP_MUST_USE lp_status lp_config_read_archs(const lp_config_reader *r);

#endif
