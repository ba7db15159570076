/* The two arrays of a feature set, wherever they lie:
 *
 *   a folder of features.npy and labels.npy; of each also .pt or .safetensors, with that one
 * tensor, or several of which one has that name a .npz, PyTorch or safetensors file with both,
 * called features and labels a libsvm text file
 *
 * All become an array as NumPy has it.  Tensors and text become float32. */
#ifndef LP_FEAT_ARRAY_FILES_H
#define LP_FEAT_ARRAY_FILES_H

#include <stddef.h>
#include "base/file.h"
#include "base/npy.h"

typedef struct lp_array_file {
    char *path; /* for messages */
    lp_map map;
    unsigned char *copy; /* where it is not mapped */
    const unsigned char *bytes;
    size_t size;
    lp_npy npy;
} lp_array_file;

/* Opens both; each is released by lp_array_file_clear in any case.  LP_ERR_FORMAT: a file of
 * another kind, or without one of the two; LP_ERR_IO and others as the readers of those files have
 * them. */
LP_MUST_USE lp_status lp_array_files_open(const char *path, lp_array_file *x, lp_array_file *labels,
                                          lp_error *err);
void lp_array_file_clear(lp_array_file *array); /* zeros are allowed */

/* A new array of float32, row-major, [rows] (columns 0) or [rows, columns], for values that are
 * filled in; `path` is copied. */
LP_MUST_USE lp_status lp_array_file_new(lp_array_file *array, const char *path, size_t rows,
                                        size_t columns, float **values, lp_error *err);

#endif
