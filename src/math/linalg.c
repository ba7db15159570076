/* Linear algebra by OpenBLAS; the only file that knows of it.
 *
 * OpenBLAS is set to one thread at the first call: its threads and lp_parallel_for's would compete,
 * and its way of cutting a product would make sums depend on the machine. */
#include "math/linalg.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>
#include <pthread.h>

#include "base/error.h"
#include "base/memory.h"

/* LAPACK's divide-and-conquer eigensolver.  OpenBLAS contains it, but its C header comes with
 * another package; the last two arguments are the lengths of the texts, as Fortran passes them. */
extern void dsyevd_(const char *job, const char *triangle, const int *n, double *a, const int *lda,
                    double *values, double *work, const int *lwork, int *iwork, const int *liwork,
                    int *info, size_t job_length, size_t triangle_length);

/* LAPACK's Cholesky factorisation, likewise. */
extern void spotrf_(const char *triangle, const int *n, float *a, const int *lda, int *info,
                    size_t triangle_length);

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void use_one_thread(void) {
    openblas_set_num_threads(1);
}

static CBLAS_TRANSPOSE form(bool transposed) {
    return transposed ? CblasTrans : CblasNoTrans;
}

void lp_gemm(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, float alpha,
             const float *a, size_t a_stride, const float *b, size_t b_stride, float beta, float *c,
             size_t c_stride) {
    assert(m <= INT_MAX && n <= INT_MAX && k <= INT_MAX);
    assert(a_stride <= INT_MAX && b_stride <= INT_MAX && c_stride <= INT_MAX);
    (void)pthread_once(&once, use_one_thread);
    cblas_sgemm(CblasRowMajor, form(transpose_a), form(transpose_b), (int)m, (int)n, (int)k, alpha,
                a, (int)a_stride, b, (int)b_stride, beta, c, (int)c_stride);
}

void lp_gemm64(bool transpose_a, bool transpose_b, size_t m, size_t n, size_t k, double alpha,
               const double *a, size_t a_stride, const double *b, size_t b_stride, double beta,
               double *c, size_t c_stride) {
    (void)pthread_once(&once, use_one_thread);
    cblas_dgemm(CblasRowMajor, form(transpose_a), form(transpose_b), (int)m, (int)n, (int)k, alpha,
                a, (int)a_stride, b, (int)b_stride, beta, c, (int)c_stride);
}

void lp_gram(const float *a, size_t k, size_t n, float *c) {
    assert(k <= INT_MAX && n <= INT_MAX);
    (void)pthread_once(&once, use_one_thread);
    cblas_ssyrk(CblasRowMajor, CblasLower, CblasTrans, (int)n, (int)k, 1, a, (int)n, 0, c, (int)n);
}

bool lp_cholesky(float *a, size_t n) {
    assert(n <= INT_MAX);
    int order = (int)n, info = 0;
    (void)pthread_once(&once, use_one_thread);
    /* Our lower triangle is column-major's upper one, and so is the factor. */
    spotrf_("U", &order, a, &order, &info, 1);
    return info == 0;
}

lp_status lp_eigen_symmetric(double *a, size_t n, double *values, lp_error *err) {
    double work_size = 0;
    int iwork_size = 0, info = 0, query = -1;
    if (n == 0 || n > 1u << 15) {
        return lp_fail(err, LP_ERR_ARGUMENT, "eigenvectors: order %zu, expected 1 to %u", n,
                       1u << 15);
    }
    int order = (int)n;
    (void)pthread_once(&once, use_one_thread);
    /* Row-major i <= j is column-major's lower triangle, and column-major vectors are our rows. */
    dsyevd_("V", "L", &order, a, &order, values, &work_size, &query, &iwork_size, &query, &info, 1,
            1);
    if (info != 0 || work_size < 1 || work_size > INT_MAX) {
        return lp_fail(err, LP_ERR_MEMORY, "eigenvectors: order %zu is too large", n);
    }
    int lwork = (int)work_size, liwork = iwork_size;
    lp_memory memory = {0};
    double *work = lp_memory_take(&memory, (size_t)lwork, sizeof *work);
    int *iwork = lp_memory_take(&memory, (size_t)liwork, sizeof *iwork);
    lp_status status;
    LP_TRY(lp_memory_check(&memory, "eigenvectors", err));
    dsyevd_("V", "L", &order, a, &order, values, work, &lwork, iwork, &liwork, &info, 1, 1);
    if (info != 0) {
        status = lp_fail(err, LP_ERR_DATA, "eigenvectors: LAPACK's dsyevd gave up (info %d)", info);
    }
done:
    lp_memory_free(&memory);
    return status;
}

const char *lp_math_blas_version(void) {
    return openblas_get_config();
}

const char *lp_math_blas_corename(void) {
    return openblas_get_corename();
}
