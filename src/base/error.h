/* Writing error texts; the reading side is linprobe/status.h. */
#ifndef LP_BASE_ERROR_H
#define LP_BASE_ERROR_H

#include <stddef.h>
#include "linprobe/status.h"

/* Stores status and message in err (which may be NULL) and returns status, so that a failure is
 * one line: return lp_fail(err, LP_ERR_FORMAT, "%s: ...", path); */
lp_status lp_fail(lp_error *err, lp_status status, const char *format, ...) LP_PRINTF(3, 4);

/* As lp_fail with LP_ERR_IO, with the text of errno value `code` at the end. */
lp_status lp_fail_errno(lp_error *err, int code, const char *format, ...) LP_PRINTF(3, 4);

/* LP_ERR_MEMORY: "out of memory: <what> needs <count> x <size> bytes". */
lp_status lp_fail_memory(lp_error *err, const char *what, size_t count, size_t size);

/* LP_OK where an allocation succeeded, else lp_fail_memory: a step for LP_TRY. */
lp_status lp_allocated(const void *block, const char *what, size_t count, size_t size,
                       lp_error *err);

/* Puts a prefix in front of err's text, unless status is LP_OK.  Returns status. */
lp_status lp_prefix(lp_error *err, lp_status status, const char *format, ...) LP_PRINTF(3, 4);

/* One step of a function that has `lp_status status` and the label `done`: runs it, and goes to
 * `done` unless it returned LP_OK.  What is released behind `done` must be initialised before the
 * first LP_TRY. */
#define LP_TRY(step)                                                                               \
    do {                                                                                           \
        status = (step);                                                                           \
        if (status != LP_OK) {                                                                     \
            goto done;                                                                             \
        }                                                                                          \
    } while (0)

#endif
