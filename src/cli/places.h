/* Where models are kept on this machine, and how the Hugging Face hub is reached: the one reader of
 * the environment for both. */
#ifndef LP_CLI_PLACES_H
#define LP_CLI_PLACES_H

#include "base/file.h"
#include "ckpt/known_models.h"
#include "linprobe/status.h"

/* Each gives path = "" where the environment names no such place, not even a home folder.  The
 * place need not exist. */

/* The file of a known model where other programs keep it:
 *   CLIP    ~/.cache/clip                                                  (clip, open_clip)
 *   others  TORCH_HOME/hub/checkpoints, XDG_CACHE_HOME/torch/hub/checkpoints,
 *           ~/.cache/torch/hub/checkpoints                                 (torch.hub, timm) */
LP_MUST_USE lp_status places_published(const lp_known_model *model, char path[LP_PATH_ROOM],
                                       lp_error *err);

/* linprobe's own cache, for downloads and features: LINPROBE_CACHE, XDG_CACHE_HOME/linprobe,
 * ~/Library/Caches/linprobe on macOS, else ~/.cache/linprobe; "linprobe-cache" where not even a
 * home folder is known.  Static storage. */
const char *places_cache(void);

/* The folder in it where digests of files are remembered. */
#define PLACES_DIGESTS "digests"

/* The cache of the Hugging Face hub: HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME/hub,
 * XDG_CACHE_HOME/huggingface/hub, ~/.cache/huggingface/hub. */
LP_MUST_USE lp_status places_hub(char path[LP_PATH_ROOM], lp_error *err);

/* How the hub is reached, by the variables of its own library. */
typedef struct places_hub_access {
    char endpoint[LP_PATH_ROOM]; /* HF_ENDPOINT, else https://huggingface.co; no slash at its end */
    char *token;                 /* HF_TOKEN, HUGGING_FACE_HUB_TOKEN, else the file HF_TOKEN_PATH or
                                    HF_HOME/token, where a login stores it; NULL: none, or not to
                                    be sent (HF_HUB_DISABLE_IMPLICIT_TOKEN) */
    const char *offline;         /* the variable that forbids connections: HF_HUB_OFFLINE or
                                    TRANSFORMERS_OFFLINE; or NULL */
} places_hub_access;

/* LP_ERR_IO, LP_ERR_FORMAT: the token's file is there and cannot be read, or is none. */
LP_MUST_USE lp_status places_reach_hub(places_hub_access *access, lp_error *err);
void places_hub_access_clear(places_hub_access *access);

#endif
