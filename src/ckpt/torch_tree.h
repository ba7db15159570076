/* From the graph of a pickle to the index: which of its tensors are weights, and what they are
 * called.  Common to PyTorch's file formats, which differ in where the storages lie. */
#ifndef LP_CKPT_TORCH_TREE_H
#define LP_CKPT_TORCH_TREE_H

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
} lp_torch_storages;

/* What the pickle held. */
typedef struct lp_torch_tree {
    bool script;         /* a module tree, not a dictionary */
    const char *wrapper; /* the key of the outermost dictionary that was read, or NULL; static */
} lp_torch_tree;

/* Adds the tensors of a pickle to the index.  Messages do not name the file. */
LP_MUST_USE lp_status lp_torch_tree_index(const lp_pickle *pickle,
                                          const lp_torch_storages *storages, lp_index *index,
                                          lp_torch_tree *tree, lp_error *err);

#endif
