/* Kernels over the rows of a float32 matrix [rows, columns], row-major, with a stride (floats from
 * row to row) where rows need not be adjacent. */
#ifndef LP_MATH_ROWS_H
#define LP_MATH_ROWS_H

#include <stddef.h>

/* x += bias [columns], each row. */
void lp_add_bias(float *x, size_t rows, size_t columns, size_t stride, const float *bias);

/* Layer norm over the last axis, as torch.nn.LayerNorm: (x - mean) / sqrt(variance + eps) * weight
 * + bias, the variance divided by columns.  Two passes, summed in float64.  out may be x. */
void lp_layer_norm(const float *x, size_t rows, size_t columns, size_t stride, const float *weight,
                   const float *bias, float eps, float *out, size_t out_stride);

#endif
