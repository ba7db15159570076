/* Linear layers over bfloat16: weights rounded once, rows of x on the way, sums in float32. */
#ifndef LP_MATH_LINEAR_BFLOAT16_H
#define LP_MATH_LINEAR_BFLOAT16_H

#include <stdbool.h>
#include <stddef.h>

#include "math/linear.h"

/* Whether this processor multiplies bfloat16 faster than float32. */
bool lp_linear_bfloat16_is_fast(void);

/* Rounds x to bfloat16, to the nearest, ties to even; what is smaller than 2^-55 becomes 0. */
float lp_bfloat16_round(float x);

/* Floats of the packed weights: half of lp_linear_packed's for inputs rounded up to 32. */
size_t lp_linear_bfloat16_packed(size_t out, size_t in);

/* As lp_linear_pack_strided -> packed, aligned to 64 bytes.  They may not overlap.  The layout is
 * this processor's. */
void lp_linear_bfloat16_pack(const float *weight, size_t out, size_t in, size_t out_stride,
                             size_t in_stride, float *packed);

/* Floats of scratch memory of a run, whatever its inputs. */
size_t lp_linear_bfloat16_scratch(size_t in);

/* As lp_linear_run, of a layer of LP_PRECISION_BFLOAT16: weights and rows are rounded, and a sum's
 * order is that of AMX (linear_bfloat16.c).  The same bits on every processor; also without fused
 * multiply-adds, unless a product overflows. */
void lp_linear_bfloat16_run(const lp_packed_linear *layer, const float *x, size_t rows,
                            const lp_linear_output *output, float *scratch);

#endif
