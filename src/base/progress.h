/* Calling an lp_progress, which may be silent. */
#ifndef LP_BASE_PROGRESS_H
#define LP_BASE_PROGRESS_H

#include <stddef.h>
#include "linprobe/status.h"

/* One step of the work.  False where it must stop. */
static inline bool lp_progress_step(const lp_progress *progress, uint64_t done, uint64_t total,
                                    const char *line) {
    return progress->step == NULL || progress->step(progress->context, done, total, line);
}

#endif
