/* Where the weights of a path lie: one file, or several that an index file names. */
#ifndef LP_CKPT_SHARDS_H
#define LP_CKPT_SHARDS_H

#include <stdbool.h>
#include <stddef.h>
#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"

/* What a folder without weights should have, for messages. */
#define LP_SHARDS_EXPECTED                                                                         \
    "expected model.safetensors, open_clip_model.safetensors, open_clip_pytorch_model.bin or "     \
    "pytorch_model.bin (or one of them with .index.json), or one file that ends in .safetensors, " \
    ".pt, .pth, .pth.tar, .ckpt or .bin, or else in .npz or .pkl"

/* True for names that end as those of weights do: .safetensors, .pt, .npz, .index, ... */
bool lp_shards_is_weights(const char *name);

/* True for those of them that hardly anything else has: not .npz, .pkl and .index. */
bool lp_shards_is_tensors(const char *name);

/* Which of the files of a folder or repository holds its weights, as Hugging Face's repositories
 * are laid out:
 *   model.safetensors, open_clip_model.safetensors, open_clip_pytorch_model.bin, pytorch_model.bin
 * in this order, each whole or as its .index.json; else the only file that lp_shards_is_weights,
 * where .npz and .pkl do not count beside the others.
 * *chosen is one of `names`, or NULL where there is none.  LP_ERR_FORMAT when there are several;
 * `place` stands in front of the message. */
LP_MUST_USE lp_status lp_shards_choose(const char *place, const char *const *names, size_t count,
                                       const char **chosen, lp_error *err);

/* The path of the file that lp_shards_choose finds among a folder's own, or else of a TensorFlow
 * checkpoint's index: its only .index file, or variables/variables.index.  LP_ERR_FORMAT, too, when
 * there is none.  *path is freed by the caller (lp_free). */
LP_MUST_USE lp_status lp_shards_pick(const char *folder, char **path, lp_error *err);

/* The index file of sharded weights: {"weight_map": {tensor: file, ...}, ...}. */
typedef struct lp_shards {
    json_t *map;        /* tensor -> file name */
    const char **names; /* of the files, each once, ordered */
    size_t count;
    lp_memory memory; /* of names that are not the map's */
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
