/* OpenBLAS's kernels and buffers, by functions of it that are not in its header. */
#include "math/blas_memory.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "math/dispatch.h"
#include "math/linalg.h"

/* A function of OpenBLAS by its name; NULL: it has none. */
static void *find(const char *name) {
    void *program = dlopen(NULL, RTLD_LAZY);
    return program != NULL ? dlsym(program, name) : NULL;
}

/* ---- kernels ----------------------------------------------------------------------------------
 */

/* What OpenBLAS calls the kernels for this processor; NULL: its slowest ones are right. */
static const char *kernels_of_processor(void) {
#if LP_X86
    if (LP_SUPPORTS("avx512f") && LP_SUPPORTS("avx512cd") && LP_SUPPORTS("avx512bw") &&
        LP_SUPPORTS("avx512dq") && LP_SUPPORTS("avx512vl")) {
        return "SkylakeX";
    }
    if (LP_SUPPORTS_AVX2) {
        return "Haswell";
    }
#endif
    return NULL;
}

void lp_blas_choose_kernels(void) {
    static const char variable[] = "OPENBLAS_CORETYPE";
    const char *kernels = kernels_of_processor();
    void *quit = find("gotoblas_dynamic_quit"), *init = find("gotoblas_dynamic_init");
    if (kernels == NULL || quit == NULL || init == NULL || getenv(variable) != NULL ||
        strcmp(lp_math_blas_corename(), "Prescott") != 0) {
        return;
    }
    void (*forget)(void), (*choose)(void);
    memcpy(&forget, &quit, sizeof forget);
    memcpy(&choose, &init, sizeof choose);
    if (setenv(variable, kernels, 1) == 0) {
        forget();
        choose(); /* as the variable says */
        (void)unsetenv(variable);
    }
}

/* ---- buffers ----------------------------------------------------------------------------------
 */

/* OpenBLAS takes a buffer for each thread that multiplies, of this size on x86-64
 * (common_x86_64.h: 32 << 22); the rest is room for everything else of a small job. */
static const size_t buffer_bytes = (size_t)128 << 20, rest_bytes = (size_t)64 << 20;

/* OpenBLAS's own threads are never used, because products run on one thread (linalg.c).  But each
 * has a buffer, or is about to take one, and after its start it looks for work for a while, on a
 * processor that our threads could use.  The number of threads is set before, by a product, because
 * setting it would start them again. */
static void end_threads(void) {
    int (*shut_down)(void);
    void *found = find("blas_thread_shutdown_");
    float one = 1, product;
    if (found != NULL) {
        memcpy(&shut_down, &found, sizeof shut_down);
        lp_gemm(false, false, 1, 1, 1, 1.0F, &one, 1, &one, 1, 0.0F, &product, 1);
        (void)shut_down();
    }
}

/* Makes OpenBLAS take its buffers now; it keeps them for later products.  A product on each thread
 * would not do: one that ends early leaves its buffer to the next.  An OpenBLAS without these
 * functions takes its buffers when it needs them. */
static void take_buffers(size_t count) {
    enum { MOST = 64 };
    void *(*take)(int);
    void (*give_back)(void *);
    void *taking = find("blas_memory_alloc"), *giving = find("blas_memory_free"), *buffers[MOST];
    if (taking == NULL || giving == NULL) {
        return;
    }
    memcpy(&take, &taking, sizeof take);
    memcpy(&give_back, &giving, sizeof give_back);
    count = count < MOST ? count : MOST;
    for (size_t i = 0; i < count; i++) {
        buffers[i] = take(0);
    }
    for (size_t i = 0; i < count; i++) {
        give_back(buffers[i]);
    }
}

lp_status lp_blas_reserve(lp_error *err) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        end_threads();
        return LP_OK;
    }
    size_t threads = lp_processor_count(), bytes = (threads + 1) * buffer_bytes + rest_bytes;
    void *trial = lp_alloc(bytes, 1);
    lp_free(trial);
    if (trial == NULL) {
        return lp_fail(err, LP_ERR_MEMORY,
                       "out of memory: the limit of %llu MiB (ulimit -v) does not leave "
                       "the %zu MiB that the matrix products need",
                       (unsigned long long)limit.rlim_cur >> 20, bytes >> 20);
    }
    end_threads();
    take_buffers(threads + 1); /* and the thread that hands out the work */
    return LP_OK;
}
