/* From the graph of a pickle to the index: all tensors that can be reached from its root, and what
 * they are called.  Common to PyTorch's file formats, which differ in where the storages lie. */
#ifndef LP_CKPT_TORCH_TREE_H
#define LP_CKPT_TORCH_TREE_H

#include <stdbool.h>
#include "ckpt/pickle.h"
#include "ckpt/tensor_index.h"
#include "ckpt/torch_tensor.h"

/* What the pickle held. */
typedef struct lp_torch_tree {
    bool script; /* a tree of TorchScript modules */
} lp_torch_tree;

/* Adds the tensors of a pickle to the index.  Messages do not name the file. */
LP_MUST_USE lp_status lp_torch_tree_index(const lp_pickle *pickle,
                                          const lp_torch_storages *storages, lp_index *index,
                                          lp_torch_tree *tree, lp_error *err);

#endif
