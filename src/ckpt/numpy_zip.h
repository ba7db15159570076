/* Weights as NumPy's archives of arrays (.npz), as the programs that run on JAX and TensorFlow save
 * them. */
#ifndef LP_CKPT_NUMPY_ZIP_H
#define LP_CKPT_NUMPY_ZIP_H

#include <stdint.h>
#include "ckpt/torch_zip.h"

/* Whether members of a zip file are arrays. */
bool lp_numpy_zip_recognise(const lp_torch_zip *zip);

/* Adds the arrays of a file of file_size bytes whose members are listed to the index.  Messages
 * name the file. */
LP_MUST_USE lp_status lp_numpy_zip_index(const lp_torch_zip *zip, uint64_t file_size,
                                         lp_index *index, lp_error *err);

#endif
