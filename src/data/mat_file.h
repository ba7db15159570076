/* Variables of MATLAB files (.mat), by libmatio: arrays of numbers and of records.
 *
 * LP_ERR_UNSUPPORTED from each: the program was built without libmatio. */
#ifndef LP_DATA_MAT_FILE_H
#define LP_DATA_MAT_FILE_H

#include <stdint.h>
#include "base/memory.h"
#include "data/tree.h"

/* Whole numbers of the variable `variable`, of any shape, column by column; *values is taken from
 * memory. */
LP_MUST_USE lp_status lp_mat_numbers(const lp_tree *tree, const char *name, const char *variable,
                                     lp_memory *memory, int64_t **values, size_t *count,
                                     lp_error *err);

/* Bytes of the uint8 array `variable` with four dimensions, column by column. */
LP_MUST_USE lp_status lp_mat_bytes(const lp_tree *tree, const char *name, const char *variable,
                                   lp_memory *memory, unsigned char **bytes, size_t shape[4],
                                   lp_error *err);

/* Texts: those of a cell array, or, of an array of structs, those of a field; else field is NULL.
 */
LP_MUST_USE lp_status lp_mat_texts(const lp_tree *tree, const char *name, const char *variable,
                                   const char *field, lp_memory *memory, char ***texts,
                                   size_t *count, lp_error *err);

/* Whole numbers in a field of an array of structs. */
LP_MUST_USE lp_status lp_mat_field(const lp_tree *tree, const char *name, const char *variable,
                                   const char *field, lp_memory *memory, int64_t **values,
                                   size_t *count, lp_error *err);

#endif
