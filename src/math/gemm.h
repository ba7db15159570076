/* Matrix product in float32, over BLAS. */
#ifndef LP_MATH_GEMM_H
#define LP_MATH_GEMM_H

#include <stdbool.h>
#include <stddef.h>

/* C [m, n] = alpha op(A) op(B) + beta C, op(A) [m, k], op(B) [k, n], all row-major; ld* are row
 * lengths in memory.  Single-threaded; safe to call from several threads. */
void lp_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
             const float *a, size_t lda, const float *b, size_t ldb, float beta, float *c,
             size_t ldc);

#endif
