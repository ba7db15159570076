/* What OpenBLAS is told before any work: its kernels, its threads, and its memory under a limit on
 * the process's address space (ulimit -v). */
#ifndef LP_MATH_BLAS_MEMORY_H
#define LP_MATH_BLAS_MEMORY_H

#include "linprobe/status.h"

/* OpenBLAS knows processors by their models.  For one that is newer than it, it takes its slowest
 * kernels ("Prescott"); then this makes it take those for what the processor can do.  Nothing
 * changes where OPENBLAS_CORETYPE chooses the kernels, or where OpenBLAS has no functions for it.
 * To be called before any work and any other thread. */
void lp_blas_choose_kernels(void);

/* To be called before any work, after lp_blas_choose_kernels.  Ends OpenBLAS's own threads, which
 * are never used.  LP_ERR_MEMORY where there is such a limit and it does not leave OpenBLAS its
 * buffers: OpenBLAS cannot report that, and would ask for them forever.  Otherwise, under a limit,
 * OpenBLAS takes its buffers now, so that later allocations cannot use up their room. */
LP_MUST_USE lp_status lp_blas_reserve(lp_error *err);

#endif
