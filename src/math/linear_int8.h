/* Linear layers over 8-bit integers: weights rounded once, rows of x on the way. */
#ifndef LP_MATH_LINEAR_INT8_H
#define LP_MATH_LINEAR_INT8_H

#include <stdbool.h>
#include <stddef.h>

#include "math/linear.h"

/* Whether this processor multiplies 8-bit integers faster than float32. */
bool lp_linear_int8_is_fast(void);

/* Floats of the packed weights: at most lp_linear_packed's. */
size_t lp_linear_int8_packed(size_t out, size_t in);

/* As lp_linear_pack_strided -> packed, aligned to 64 bytes.  They may not overlap. */
void lp_linear_int8_pack(const float *weight, size_t out, size_t in, size_t out_stride,
                         size_t in_stride, float *packed);

/* Floats of scratch memory of a run. */
size_t lp_linear_int8_scratch(size_t in);

/* As lp_linear_run, of a layer of LP_PRECISION_INT8; an output's bits are the same on
 * every processor.  A row with a number that is not finite gives NaNs. */
void lp_linear_int8_run(const lp_packed_linear *layer, const float *x, size_t rows,
                        const lp_linear_output *output, float *scratch);

#endif
