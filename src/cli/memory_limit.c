/* The limit on address space. */
#include "cli/memory_limit.h"

#include <stdint.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"

/* OpenBLAS takes a buffer for each thread that multiplies, of this size on x86-64
 * (common_x86_64.h: 32 << 22); the rest is room for everything else of a small job. */
static const size_t buffer_bytes = (size_t)128 << 20, rest_bytes = (size_t)64 << 20;

lp_status memory_limit_check(lp_error *err) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return LP_OK;
    }
    size_t bytes = (lp_processor_count() + 1) * buffer_bytes + rest_bytes;
    void *trial = lp_alloc(bytes, 1);
    lp_free(trial);
    return trial != NULL
               ? LP_OK
               : lp_fail(err, LP_ERR_MEMORY,
                         "out of memory: the limit of %llu MiB (ulimit -v) does not leave "
                         "the %zu MiB that the matrix products need",
                         (unsigned long long)limit.rlim_cur >> 20, bytes >> 20);
}
