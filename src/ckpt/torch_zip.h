/* PyTorch's zip files: TorchScript archives and state dictionaries of torch.save.  Those of NumPy
 * (numpy_zip.h) are read by the same functions. */
#ifndef LP_CKPT_TORCH_ZIP_H
#define LP_CKPT_TORCH_ZIP_H

#include <stddef.h>
#include <stdint.h>
#include "base/archive.h"
#include "ckpt/tensor_index.h"
#include "ckpt/torch_tree.h"

/* A storage is a member "<prefix>/data/<key>", or an array; an entry's `storage` is its place. */
typedef struct lp_torch_member {
    char *name;
    uint64_t size;
    size_t place; /* in the archive's order */
} lp_torch_member;

typedef struct lp_torch_zip {
    const char *path;         /* the caller's */
    lp_torch_member *members; /* ordered by name */
    size_t count, capacity;
    bool arrays; /* of NumPy, and no pickle */
    lp_torch_tree tree;
} lp_torch_zip;

/* Lists the members of a file of file_size bytes and interprets data.pkl. */
LP_MUST_USE lp_status lp_torch_zip_index(const char *path, uint64_t file_size, lp_torch_zip *zip,
                                         lp_index *index, lp_error *err);

/* Reads tensors in one pass over the archive, which it opens for itself; what lies between is
 * skipped.  Holds a block of a storage, or all of one that is not a single tensor.  reads are
 * ordered by their storage. */
LP_MUST_USE lp_status lp_torch_zip_read(const lp_torch_zip *zip, const lp_entry_read *reads,
                                        size_t count, lp_error *err);

/* Opens the archive, and goes to the next regular file in it. */
LP_MUST_USE lp_status lp_torch_zip_open(const lp_torch_zip *zip, lp_archive **archive,
                                        lp_error *err);
LP_MUST_USE lp_status lp_torch_zip_next(const lp_torch_zip *zip, lp_archive *archive,
                                        lp_member *member, bool *more, lp_error *err);

void lp_torch_zip_free(lp_torch_zip *zip);

#endif
