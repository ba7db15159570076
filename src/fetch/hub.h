/* Downloading a model of the Hugging Face hub, named by its id.
 *
 * What is fetched: the weights that a folder of the model's files would be read for
 * (lp_shards_choose), all files of them where they are sharded, and the configs beside them.  Each
 * file is verified by the digest that the hub publishes: SHA-256 of files in its large file
 * storage, git's of all others.
 *
 * It goes into the hub's cache, in the layout of its own library (ckpt/hub_cache.h), so that other
 * programs find it there, or as plain files into a folder. */
#ifndef LP_FETCH_HUB_H
#define LP_FETCH_HUB_H

#include "base/digest.h"
#include "ckpt/hub_cache.h"
#include "fetch/fetch.h"

/* From where to where. */
typedef struct lp_hub_source {
    const char *endpoint; /* "https://huggingface.co": no slash at the end */
    const char *token;    /* sent to the endpoint alone; NULL: none */
    const char *cache;    /* of the hub */
    const char *folder;   /* gets plain files in the place of the cache; or NULL */
    const char *weights;  /* name of the file of weights; NULL: chosen */
    lp_progress progress; /* while the hub is asked which files there are */
    /* Calls lp_fetch; `what` is the file's name. */
    lp_status (*download)(const char *what, const lp_fetch_request *request, lp_error *err);
} lp_hub_source;

/* A file that is there now. */
typedef struct lp_hub_file {
    char *name;
    char *path;
    const char *verified; /* "SHA-256" or "git's SHA-1" */
    char digest[LP_DIGEST_HEX];
} lp_hub_file;

/* The files of a model, the weights (of several: their index) last. */
typedef struct lp_hub_model {
    char commit[LP_HUB_COMMIT];
    lp_hub_file *files;
    size_t count, room;
} lp_hub_model;

/* Downloads what is missing of a model; what is there is verified and kept.  Interrupted, the next
 * call goes on where it was.
 *
 * The file of weights gets its name when all that it needs is there, and refs/REVISION is written
 * last, so that half a model is never taken for a whole one, and an older snapshot stays the one
 * that is meant until the new one is whole.
 *
 * LP_ERR_IO: the network, the hub's refusal (401, 403, 404; the message says what helps), the disk.
 * LP_ERR_FORMAT: an answer of the hub that cannot be used, no weights or several, a digest that
 * differs.  LP_ERR_ARGUMENT: a URL or a token that cannot be one, weights that it does not have.
 * LP_CANCELLED: by progress or by download.  *model is to be cleared in any case. */
LP_MUST_USE lp_status lp_hub_fetch(const lp_hub_source *source, const lp_hub_name *name,
                                   lp_hub_model *model, lp_error *err);
void lp_hub_model_clear(lp_hub_model *model);

#endif
