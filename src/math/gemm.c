/* Matrix products by OpenBLAS; the only file that knows of it.
 *
 * OpenBLAS is set to one thread at the first product: its threads and lp_parallel_for's would
 * compete, and its way of cutting a product would make sums depend on the machine. */
#include "math/gemm.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>
#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void use_one_thread(void) {
    openblas_set_num_threads(1);
}

void lp_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
             const float *a, size_t a_stride, const float *b, size_t b_stride, float beta, float *c,
             size_t c_stride) {
    assert(m <= INT_MAX && n <= INT_MAX && k <= INT_MAX);
    assert(a_stride <= INT_MAX && b_stride <= INT_MAX && c_stride <= INT_MAX);
    (void)pthread_once(&once, use_one_thread);
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, alpha, a,
                (int)a_stride, b, (int)b_stride, beta, c, (int)c_stride);
}

void lp_gemm_nt(size_t m, size_t n, size_t k, float alpha, const float *a, size_t a_stride,
                const float *b, size_t b_stride, float beta, float *c, size_t c_stride) {
    lp_gemm(false, true, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride);
}

void lp_gemm_nn(size_t m, size_t n, size_t k, float alpha, const float *a, size_t a_stride,
                const float *b, size_t b_stride, float beta, float *c, size_t c_stride) {
    lp_gemm(false, false, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride);
}

const char *lp_math_blas_version(void) {
    return openblas_get_config();
}

const char *lp_math_blas_corename(void) {
    return openblas_get_corename();
}
