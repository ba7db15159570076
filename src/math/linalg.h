/* Matrix products and the symmetric eigenproblem, by OpenBLAS, each on one thread: parallelism lies
 * outside, over rows, and calls from several threads are safe.  All matrices are row-major, with a
 * stride (numbers from row to row) each. */
#ifndef LP_MATH_LINALG_H
#define LP_MATH_LINALG_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/status.h"

/* c [m, n] = alpha op(a) op(b) + beta c with op(a) [m, k] and op(b) [k, n], each as it stands or
 * transposed.  With beta = 0, c may hold anything.  Every size and stride fits in an int. */
void lp_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
             const float *a, size_t a_stride, const float *b, size_t b_stride, float beta, float *c,
             size_t c_stride);
void lp_gemm64(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha,
               const double *a, size_t a_stride, const double *b, size_t b_stride, double beta,
               double *c, size_t c_stride);

/* The lower triangle of c [n, n] = a' a, a [k, n]. */
void lp_gram(const float *a, size_t k, size_t n, float *c);

/* The symmetric, positive definite a [n, n], of which the lower triangle is read, becomes L with
 * a = L L' in its lower triangle.  False where it is not positive definite. */
bool lp_cholesky(float *a, size_t n);

/* Eigenvalues and eigenvectors of the symmetric matrix a [n, n], of which one triangle is enough
 * (a[i][j] with i <= j).  values [n], ascending.  a is overwritten: row i is the eigenvector of
 * values[i], of norm 1. */
LP_MUST_USE lp_status lp_eigen_symmetric(double *a, size_t n, double *values, lp_error *err);

/* For provenance: OpenBLAS' version with its build options, and the kernels it chose for this
 * processor ("SkylakeX").  Static text. */
const char *lp_math_blas_version(void);
const char *lp_math_blas_corename(void);

#endif
