/* Plain loops over a block of numbers, vectorised, with float32 on one side and float64 sums on the
 * other. */
#ifndef LP_MATH_ACCUMULATE_H
#define LP_MATH_ACCUMULATE_H

#include <stddef.h>

/* out [rows, columns] = the rows x [rows], of `columns` each, less centre [columns]. */
void lp_centre(const float *const *x, size_t rows, size_t columns, const float *centre, float *out);
void lp_centre64(const float *const *x, size_t rows, size_t columns, const float *centre,
                 double *out);

/* sums [count] += values. */
void lp_accumulate(const float *values, size_t count, double *sums);
void lp_accumulate64(const double *values, size_t count, double *sums);

/* r [rows, columns], in place: |r| (1 - |r|), which is p (1 - p) for the residual p - y of a
 * probability p with y 0 or 1; sums [columns] += its column sums. */
void lp_variance(float *r, size_t rows, size_t columns, double *sums);
void lp_variance64(double *r, size_t rows, size_t columns, double *sums);

#endif
