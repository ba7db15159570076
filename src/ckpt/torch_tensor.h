/* One tensor of a pickle: from its node to an entry of the index. */
#ifndef LP_CKPT_TORCH_TENSOR_H
#define LP_CKPT_TORCH_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ckpt/pickle.h"
#include "ckpt/tensor_index.h"

enum { LP_TORCH_KEY_MAX = 64 }; /* characters of a storage's key: in fact a decimal number */

typedef struct lp_torch_storage {
    size_t number; /* goes into lp_entry.storage */
    uint64_t bytes;
} lp_torch_storage;

/* The storages of a file. */
typedef struct lp_torch_storages {
    /* Finds the storage of a key; false when there is none. */
    bool (*find)(const void *context, const char *key, lp_torch_storage *storage);
    const void *context;
    const char *prefix; /* of a key in messages: "model/data/" */
    bool views;         /* a persistent id may name a part of a storage */
    bool arrays;        /* NumPy's arrays are tensors, too, and what objects are made from counts */
} lp_torch_storages;

/* Whether a node is a tensor, also one of a kind that is not read (quantised, sparse, ...). */
bool lp_torch_is_tensor(const lp_pickle *pickle, uint32_t node);

/* Fills an entry, but for its name: type, shape, strides and place, checked against the storage, of
 * which it may view *available bytes.  A kind that is not read has LP_DTYPE_OTHER, what it is
 * called as dtype_name, and the shape that the pickle gives, or rank 0. */
LP_MUST_USE lp_status lp_torch_tensor_entry(const lp_pickle *pickle,
                                            const lp_torch_storages *storages, uint32_t node,
                                            lp_entry *entry, uint64_t *available, lp_error *err);

#endif
