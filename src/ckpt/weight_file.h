/* One file of weights, whatever its format. */
#ifndef LP_CKPT_WEIGHT_FILE_H
#define LP_CKPT_WEIGHT_FILE_H

#include "base/file.h"
#include "ckpt/array_pickle.h"
#include "ckpt/tensor_index.h"
#include "ckpt/tf_bundle.h"
#include "ckpt/torch_legacy.h"
#include "ckpt/torch_zip.h"

typedef enum lp_weight_format {
    LP_WEIGHTS_SAFETENSORS,
    LP_WEIGHTS_ZIP,
    LP_WEIGHTS_LEGACY,
    LP_WEIGHTS_PICKLE,
    LP_WEIGHTS_TENSORFLOW
} lp_weight_format;

typedef struct lp_weight_file {
    char *path;
    uint64_t size;
    lp_weight_format format;
    lp_map map; /* but not of a zip file: libarchive reads those */
    lp_torch_zip zip;
    lp_torch_legacy legacy;
    lp_pickle pickle;        /* of LP_WEIGHTS_PICKLE */
    const lp_bundle *bundle; /* of LP_WEIGHTS_TENSORFLOW: its index */
} lp_weight_file;

/* Recognises the format by the first bytes and adds the tensors to the index, as file
 * index->file.  After a failure, too, the file is to be closed. */
LP_MUST_USE lp_status lp_weight_file_open(const char *path, lp_weight_file *file, lp_index *index,
                                          lp_error *err);

/* Opens file number `number` of the values of a TensorFlow checkpoint, which must stay, and adds
 * its tensors, likewise. */
LP_MUST_USE lp_status lp_weight_file_open_values(const char *path, const lp_bundle *bundle,
                                                 uint64_t number, lp_weight_file *file,
                                                 lp_index *index, lp_error *err);

/* Reads tensors of this file, ordered by the number of their storage. */
LP_MUST_USE lp_status lp_weight_file_read(const lp_weight_file *file, const lp_entry_read *reads,
                                          size_t count, lp_error *err);

/* "TorchScript archive", "PyTorch state dict (zip)", ... */
const char *lp_weight_file_format(const lp_weight_file *file);

void lp_weight_file_close(lp_weight_file *file);

#endif
