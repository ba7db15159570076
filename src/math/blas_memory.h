/* OpenBLAS's memory under a limit on the process's address space (ulimit -v). */
#ifndef LP_MATH_BLAS_MEMORY_H
#define LP_MATH_BLAS_MEMORY_H

#include "linprobe/status.h"

/* To be called before any work.  LP_ERR_MEMORY where there is such a limit and it does not leave
 * OpenBLAS its buffers: OpenBLAS cannot report that, and would ask for them forever.  Otherwise,
 * under a limit, OpenBLAS takes its buffers now, so that later allocations cannot use up their
 * room. */
LP_MUST_USE lp_status lp_blas_reserve(lp_error *err);

#endif
