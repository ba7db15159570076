/* Matrix products by OpenBLAS, each on one thread: parallelism lies outside, over rows.
 * All matrices are float32, row-major, with a stride (floats from row to row) each. */
#ifndef LP_MATH_GEMM_H
#define LP_MATH_GEMM_H

#include <stdbool.h>
#include <stddef.h>

/* c [m, n] = alpha op(a) op(b) + beta c with op(a) [m, k] and op(b) [k, n], each as it stands or
 * transposed.  With beta = 0, c may hold anything.  Every size and stride fits in an int. */
void lp_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
             const float *a, size_t a_stride, const float *b, size_t b_stride, float beta, float *c,
             size_t c_stride);

/* c [m, n] = alpha a [m, k] b' + beta c, with b [n, k] as PyTorch keeps a linear layer's weight. */
void lp_gemm_nt(size_t m, size_t n, size_t k, float alpha, const float *a, size_t a_stride,
                const float *b, size_t b_stride, float beta, float *c, size_t c_stride);

/* The same with b [k, n] as it stands. */
void lp_gemm_nn(size_t m, size_t n, size_t k, float alpha, const float *a, size_t a_stride,
                const float *b, size_t b_stride, float beta, float *c, size_t c_stride);

/* For provenance: OpenBLAS' version with its build options, and the kernels it chose for this
 * processor ("SkylakeX").  Static text. */
const char *lp_math_blas_version(void);
const char *lp_math_blas_corename(void);

#endif
