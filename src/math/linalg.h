/* Linear algebra in float64, over BLAS and LAPACK; float32 has math/gemm.h. */
#ifndef LP_MATH_LINALG_H
#define LP_MATH_LINALG_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/status.h"

/* C [m, n] = alpha op(A) op(B) + beta C, op(A) [m, k], op(B) [k, n], all row-major; ld* are row
 * lengths in memory.  Single-threaded; safe to call from several threads. */
void lp_gemm64(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha,
               const double *a, size_t lda, const double *b, size_t ldb, double beta, double *c,
               size_t ldc);

/* Eigenvalues and eigenvectors of the symmetric matrix a [n, n], of which one triangle is enough
 * (a[i][j] with i <= j).  values [n], ascending.  a is overwritten: row i is the eigenvector of
 * values[i], of norm 1. */
LP_MUST_USE lp_status lp_eigen_symmetric(double *a, size_t n, double *values, lp_error *err);

#endif
