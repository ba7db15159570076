/* A limit on the process's memory (ulimit -v), looked at before any work. */
#ifndef LP_CLI_MEMORY_LIMIT_H
#define LP_CLI_MEMORY_LIMIT_H

#include "linprobe/status.h"

/* LP_ERR_MEMORY where there is such a limit and it does not leave OpenBLAS its buffers: it has no
 * way to report that, and would ask for them forever.  Otherwise, under a limit, it has them from
 * here on, so that what is taken later cannot be in their way. */
LP_MUST_USE lp_status memory_limit_check(lp_error *err);

#endif
