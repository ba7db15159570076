/* Arrays of NumPy as tensors, wherever they are stored: their types, and the order of their axes.
 */
#ifndef LP_CKPT_NUMPY_ARRAY_H
#define LP_CKPT_NUMPY_ARRAY_H

#include <stdbool.h>
#include <stddef.h>
#include "ckpt/tensor_index.h"

/* Sets an entry's element size and type: kind as in lp_npy, `item` bytes.  other: the type's name
 * where it is none that is read. */
void lp_array_type(char kind, size_t item, bool big_endian, const char *other, lp_entry *entry);

/* Sets the strides of an array whose shape is set: row-major, or column-major. */
void lp_array_strides(bool fortran_order, lp_entry *entry);

/* Shows an array of this name as PyTorch has the weight that it is, without copying it.
 * haiku: Haiku's names count, too. */
void lp_array_show(const char *name, bool haiku, lp_entry *entry);

#endif
