/* Models in the cache of the Hugging Face hub, as its own library (huggingface_hub) lays it out:
 *
 *     models--ORG--NAME/refs/main            the commit that a branch or tag stands for
 *     models--ORG--NAME/snapshots/COMMIT/    the files of a commit: links to ...
 *     models--ORG--NAME/blobs/DIGEST         ... their contents
 *     models--ORG--NAME/blobs/[...].incomplete   a download that was interrupted
 */
#ifndef LP_CKPT_HUB_CACHE_H
#define LP_CKPT_HUB_CACHE_H

#include <stdbool.h>
#include "base/file.h"
#include "linprobe/status.h"

enum {
    LP_HUB_ID = 200,       /* room for an id: each of its two parts has at most 96 characters */
    LP_HUB_REVISION = 256, /* for a revision */
    LP_HUB_COMMIT = 41     /* for a commit: 40 hexadecimal digits */
};

/* A model as people name it: [hf-hub:]ORG/NAME[@REVISION]; hf_hub: is the same. */
typedef struct lp_hub_name {
    char id[LP_HUB_ID];             /* "openai/clip-vit-base-patch32" */
    char revision[LP_HUB_REVISION]; /* a branch, a tag, a commit or its first digits; "" if none */
    bool marked;                    /* by hf-hub: in front, so that it can be nothing else */
} lp_hub_name;

/* Takes a word apart.  False where it is no such name: the hub's rules for ids, and git's for
 * revisions.  An id without a slash must be marked. */
bool lp_hub_parse(const char *word, lp_hub_name *name);

bool lp_hub_is_commit(const char *text); /* 40 lower-case hexadecimal digits */

/* The path of a model's folder in the cache at `cache`. */
LP_MUST_USE lp_status lp_hub_folder(char path[LP_PATH_ROOM], const char *cache, const char *id,
                                    lp_error *err);

/* True for a model's folder: it has a folder "snapshots", and "refs" or "blobs". */
bool lp_hub_is_folder(const char *path);

/* The file of weights in a model's folder, which the caller frees (lp_free).
 *
 * The snapshot is the one of refs/REVISION, else of the only commit that begins with REVISION.
 * REVISION "" is "main" where that is known, else the only snapshot.  The file is the one that
 * lp_shards_choose finds in it.  What the snapshot's links point to is up to who keeps the cache.
 *
 * LP_ERR_ARGUMENT: what was asked for is not there, or not whole: no such revision, no weights in
 * its snapshot, a link to nothing.  The message says what is there.  LP_ERR_FORMAT: several
 * snapshots or files of weights, or a damaged file under refs. */
LP_MUST_USE lp_status lp_hub_pick(const char *folder, const char *revision, char **path,
                                  lp_error *err);

#endif
