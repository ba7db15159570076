/* How fast the features of a set were made: timing.json beside its arrays.  It is not part of the
 * set, whose bytes never depend on time. */
#ifndef LP_RUN_TIMING_H
#define LP_RUN_TIMING_H

#include <stddef.h>
#include "linprobe/status.h"

typedef struct lp_timing {
    size_t images; /* that were computed */
    double seconds;
    size_t threads;
} lp_timing;

LP_MUST_USE lp_status lp_timing_write(const char *folder, const lp_timing *timing, lp_error *err);

/* Zeros where the file is missing or says nothing useful. */
lp_timing lp_timing_read(const char *folder);

#endif
