/* Work over all cores: independent tasks handed to POSIX threads.
 *
 * Results never depend on the number of threads, because a task writes only what belongs to its
 * index, and whoever sums over tasks does so in the order of the indexes.  OpenBLAS runs
 * single-threaded inside tasks (base/parallel and math/gemm see to it): its threads and these
 * never run at once. */
#ifndef LP_BASE_PARALLEL_H
#define LP_BASE_PARALLEL_H

#include <stddef.h>
#include "linprobe/status.h"

/* Does task `index`; `worker` is below the number of threads and owned by one thread at a time, so
 * it selects that worker's scratch memory. */
typedef lp_status (*lp_task)(void *context, size_t index, size_t worker, lp_error *err);

/* Runs tasks 0 .. count-1 on at most `threads` threads, the caller's among them, and returns when
 * all have ended.  Indexes are handed out in order.  After a failure no new task starts; the error
 * of the lowest failed index is returned.  When a thread cannot be made, fewer do the work. */
LP_MUST_USE lp_status lp_parallel_for(size_t threads, size_t count, lp_task task, void *context,
                                      lp_error *err);

/* Number of processors this process may run on; at least 1. */
size_t lp_processor_count(void);

#endif
