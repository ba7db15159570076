/* A pickle that is a file by itself, as pickle and dill write one: its NumPy arrays are the
 * tensors. */
#ifndef LP_CKPT_ARRAY_PICKLE_H
#define LP_CKPT_ARRAY_PICKLE_H

#include <stdbool.h>
#include <stdint.h>
#include "base/file.h"
#include "ckpt/pickle.h"
#include "ckpt/tensor_index.h"

/* Whether a node is an array; and its entry, but for name and order of axes.  An array may view
 * *available bytes.  One of another kind of values has LP_DTYPE_OTHER. */
bool lp_array_pickled(const lp_pickle *pickle, uint32_t node);
LP_MUST_USE lp_status lp_array_pickled_entry(const lp_pickle *pickle, uint32_t node,
                                             lp_entry *entry, uint64_t *available, lp_error *err);

/* True when a file begins as a pickle of protocol 2 or later. */
bool lp_array_pickle_recognise(const lp_map *file);

/* Interprets the pickle, which stays in *pickle and belongs to the caller, also after a failure.
 * Messages do not name the file. */
LP_MUST_USE lp_status lp_array_pickle_index(const lp_map *file, lp_pickle *pickle, lp_index *index,
                                            lp_error *err);

/* Reads an entry of it: float32 [count]. */
LP_MUST_USE lp_status lp_array_pickle_read(const lp_pickle *pickle, const lp_entry *entry,
                                           float *values, lp_error *err);

#endif
