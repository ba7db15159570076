/* Where the weights of a known model are on this machine. */
#ifndef LP_CLI_MODEL_PATH_H
#define LP_CLI_MODEL_PATH_H

#include "ckpt/known_models.h"
#include "linprobe/checkpoint.h"
#include "linprobe/status.h"

/* Where downloads and features are kept unless the command line says otherwise. */
#define MODEL_CACHE "datasets"

/* Looks where other programs keep a model's file: OpenAI's clip and open_clip, torch.hub.  *path is
 * NULL when it is not there; otherwise freed by the caller (lp_free).  The file is not verified. */
LP_MUST_USE lp_status model_path_elsewhere(const lp_known_model *model, char **path, lp_error *err);

/* The path of weights that the user named: a file or folder of that name, else the file of the
 * known model of that name in the folder `cache` or elsewhere.  LP_ERR_ARGUMENT says how to get it,
 * or that there is no such model.  *path is freed by the caller (lp_free).  The file is not
 * verified: its digest says whether it is the published one (lp_known_model_with_sha256). */
LP_MUST_USE lp_status model_path_find(const char *word, const char *cache, char **path,
                                      lp_error *err);

/* lp_checkpoint_open on it. */
LP_MUST_USE lp_status model_open(const char *word, const char *cache, lp_checkpoint **ckpt,
                                 lp_error *err);

#endif
