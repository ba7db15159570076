/* Where the weights that a user named are on this machine. */
#ifndef LP_CLI_MODEL_PATH_H
#define LP_CLI_MODEL_PATH_H

#include "base/file.h"
#include "base/spelling.h"
#include "ckpt/known_models.h"
#include "linprobe/status.h"

/* Looks where other programs keep a known model's file (cli/places.h).  path is empty when it is
 * not there.  The file is not verified. */
LP_MUST_USE lp_status model_path_elsewhere(const lp_known_model *model, char path[LP_PATH_ROOM],
                                           lp_error *err);

/* Tries the names of all known models. */
void model_path_try(lp_spelling *spelling);

/* The path of weights that the user named:
 *   a file or folder of that name;
 *   else the file of the known model of that name, in the folder `cache` or elsewhere;
 *   else the weights of the model of that id on the Hugging Face hub, [hf-hub:]ORG/NAME[@REVISION],
 *   in `cache` or in the hub's own cache.
 * LP_ERR_ARGUMENT says how to get it, or that there is no such model.  The file is not verified:
 * its digest says whether it is the published one (lp_known_model_with_sha256). */
LP_MUST_USE lp_status model_path_find(const char *word, const char *cache, char path[LP_PATH_ROOM],
                                      lp_error *err);

#endif
