/* Arrays of bytes in HDF5 files (.h5), by libhdf5, a few rows at a time.
 *
 * LP_ERR_UNSUPPORTED: the program was built without libhdf5. */
#ifndef LP_DATA_HDF5_FILE_H
#define LP_DATA_HDF5_FILE_H

#include <stddef.h>
#include "data/tree.h"

typedef struct lp_hdf5_array lp_hdf5_array;

/* Opens the uint8 array `variable` of four dimensions, at the file's top.  Values that lie in other
 * files, or need a filter that libhdf5 does not have, are refused. */
LP_MUST_USE lp_status lp_hdf5_open(const lp_tree *tree, const char *name, const char *variable,
                                   size_t shape[4], lp_hdf5_array **array, lp_error *err);
void lp_hdf5_close(lp_hdf5_array *array); /* NULL is allowed */

/* Its path, for messages. */
const char *lp_hdf5_path(const lp_hdf5_array *array);

/* Reads rows [first, first + count) of the first dimension.  Thread-safe. */
LP_MUST_USE lp_status lp_hdf5_read(const lp_hdf5_array *array, size_t first, size_t count,
                                   unsigned char *bytes, lp_error *err);

#endif
