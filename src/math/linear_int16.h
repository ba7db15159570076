/* Linear layers over 16-bit integers: weights rounded once, rows of x on the way. */
#ifndef LP_MATH_LINEAR_INT16_H
#define LP_MATH_LINEAR_INT16_H

#include <stdbool.h>
#include <stddef.h>

#include "math/linear.h"

/* Whether this processor multiplies 16-bit integers faster than float32. */
bool lp_linear_int16_is_fast(void);

/* Floats of the packed weights: half of lp_linear_packed's, and 32 a panel. */
size_t lp_linear_int16_packed(size_t out, size_t in);

/* As lp_linear_pack_strided -> packed, aligned to 64 bytes, as this processor reads them.  They may
 * not overlap. */
void lp_linear_int16_pack(const float *weight, size_t out, size_t in, size_t out_stride,
                          size_t in_stride, float *packed);

/* Floats of scratch memory of a run, whatever its inputs. */
size_t lp_linear_int16_scratch(size_t in);

/* As lp_linear_run, of a layer of LP_PRECISION_INT16; an output's bits are the same on every
 * processor, given fused multiply-adds.  A row with a number that is not finite gives NaNs. */
void lp_linear_int16_run(const lp_packed_linear *layer, const float *x, size_t rows,
                         const lp_linear_output *output, float *scratch);

#endif
