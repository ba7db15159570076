/* torch.save files of before PyTorch 1.6: a sequence of pickles, then the storages. */
#ifndef LP_CKPT_TORCH_LEGACY_H
#define LP_CKPT_TORCH_LEGACY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/file.h"
#include "ckpt/tensor_index.h"
#include "ckpt/torch_tree.h"

/* Where the bytes of a storage lie in the file. */
typedef struct lp_legacy_storage {
    const char *key; /* in the file, not terminated */
    size_t key_length;
    uint64_t elements;
    unsigned element_bytes;
    uint64_t at; /* 0 until it is placed */
} lp_legacy_storage;

typedef struct lp_torch_legacy {
    lp_legacy_storage *storages; /* ordered by key; an entry's `storage` is its number here */
    size_t count;
    lp_torch_tree tree;
} lp_torch_legacy;

/* True when a file begins with the pickled magic number of torch.save. */
bool lp_torch_legacy_recognise(const lp_map *file);

/* Interprets the pickles and places the storages.  Messages do not name the file. */
LP_MUST_USE lp_status lp_torch_legacy_index(const lp_map *file, lp_torch_legacy *legacy,
                                            lp_index *index, lp_error *err);

/* The bytes of an entry's storage. */
const unsigned char *lp_torch_legacy_bytes(const lp_torch_legacy *legacy, const lp_map *file,
                                           const lp_entry *entry);

void lp_torch_legacy_free(lp_torch_legacy *legacy);

#endif
