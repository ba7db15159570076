/* Where the weights of a path lie: one file, or several that an index file names. */
#ifndef LP_CKPT_SHARDS_H
#define LP_CKPT_SHARDS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"

/* Finds the file of weights in a folder as Hugging Face's snapshots are:
 *   model.safetensors, open_clip_model.safetensors, open_clip_pytorch_model.bin, pytorch_model.bin
 * in this order, each whole or as its .index.json; else the only file that ends in .safetensors,
 * .pt, .pth or .bin.  LP_ERR_FORMAT when there is none, or several.  *path is freed by the
 * caller (lp_free). */
LP_MUST_USE lp_status lp_shards_pick(const char *folder, char **path, lp_error *err);

/* The index file of sharded weights: {"weight_map": {tensor: file, ...}, ...}. */
typedef struct lp_shards {
    json_t *map;        /* tensor -> file name */
    const char **names; /* of the files, each once, ordered */
    size_t count;
} lp_shards;

/* True when a file begins as a JSON object does. */
bool lp_shards_recognise(const lp_map *file);

/* Reads an index file.  File names must be plain: of the index's own folder.  Messages do not name
 * the index file. */
LP_MUST_USE lp_status lp_shards_read(const lp_map *file, lp_shards *shards, lp_error *err);

/* SHA-256 over the text that `sha256sum INDEX FILES...` prints in their folder, the files ordered
 * by name: the identity of the whole. */
LP_MUST_USE lp_status lp_shards_digest(const char *path, const lp_shards *shards,
                                       char hex[LP_DIGEST_HEX], lp_error *err);

void lp_shards_free(lp_shards *shards);

#endif
