/* Lower triangular factors that are stored without the other half. */
#ifndef LP_MATH_PACKED_H
#define LP_MATH_PACKED_H

#include <stdbool.h>
#include <stddef.h>

/* Numbers of a packed triangle of order n: row 0, row 1 of two, ... */
size_t lp_packed_size(size_t n);

/* Factors a [n, n], symmetric and positive definite, of which the lower triangle is read and
 * overwritten, as L L', and packs L [lp_packed_size(n)], with the reciprocals of its diagonal.
 * Rounding is met by the least of 1e-6, 1e-5, ... 0.1 times the diagonal on top of it that makes
 * the factor exist; false when none does.  copy [n, n] is scratch. */
bool lp_packed_factor(float *a, size_t n, float *copy, float *packed);

/* b [n] = (L L')^-1 b. */
void lp_packed_solve(const float *packed, size_t n, float *b);

/* The lower triangle of a [n, n] times the scale [n] of its row and that of its column. */
void lp_scale_triangle(float *a, size_t n, const float *scale);

#endif
