/* What attention does to queries and keys before they meet, head by head: rows of x have `stride`
 * floats from one to the next, and head h takes columns h * width .. of each. */
#ifndef LP_MATH_HEADS_H
#define LP_MATH_HEADS_H

#include <stdbool.h>
#include <stddef.h>
#include "math/activation.h"

/* Each head's vector is divided by its length, or by 1e-12 where that is less, as
 * torch.nn.functional.normalize, and multiplied by scale [heads], or by 1 where that is NULL. */
void lp_normalize_heads(float *x, size_t rows, size_t stride, size_t heads, size_t width,
                        const float *scale);

/* Rotary positions: pairs (a, b) of each head's vector become (a cos - b sin, b cos + a sin); pair
 * i of a row is columns 2i and 2i + 1, or (halves) i and i + width / 2.  cos, sin [rows, width /
 * 2]; width is even. */
void lp_rotate_heads(float *x, size_t rows, size_t stride, size_t heads, size_t width,
                     const float *cos, const float *sin, bool halves);

/* out [rows, columns] = act(first half of x [rows, 2 columns]) * second half. */
void lp_gate_halves(const float *x, size_t rows, size_t columns, lp_nonlinearity activation,
                    float *out);

/* x / sqrt(mean of x^2 over the row + eps) * weight [columns], as torch.nn.RMSNorm; sums in
 * float64. out may be x. */
void lp_rms_norm(const float *x, size_t rows, size_t columns, size_t stride, const float *weight,
                 float eps, float *out, size_t out_stride);

#endif
