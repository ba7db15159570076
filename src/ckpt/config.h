/* The JSON files that lie beside weights: config.json, open_clip_config.json,
 * preprocessor_config.json. */
#ifndef LP_CKPT_CONFIG_H
#define LP_CKPT_CONFIG_H

#include "base/json.h"
#include "linprobe/checkpoint.h"

/* Reads the JSON object in the file `name` of the folder that the checkpoint lies in.  *config is
 * NULL where there is no such file; otherwise the caller releases it (json_decref).
 *
 * Nothing but its place ties a config to the weights: a folder of downloads may hold another
 * model's.  So the caller compares what both say (dimensions) before it believes the rest.
 *
 * LP_ERR_IO and LP_ERR_FORMAT name the file: it cannot be read, is larger than 1 MiB, or is no JSON
 * object. */
LP_MUST_USE lp_status lp_checkpoint_config(const lp_checkpoint *ckpt, const char *name,
                                           json_t **config, lp_error *err);

#endif
