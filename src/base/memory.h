/* Blocks of memory that belong together: taken one by one, checked once, freed at once.
 *
 *     lp_memory memory = {0};
 *     double *x = lp_memory_take(&memory, N, sizeof *x);
 *     double *y = lp_memory_take_zeroed(&memory, N, sizeof *y);
 *     LP_TRY(lp_memory_check(&memory, "coordinates", err));     // from here on x and y are there
 *     ...
 *     lp_memory_free(&memory);
 */
#ifndef LP_BASE_MEMORY_H
#define LP_BASE_MEMORY_H

#include <stddef.h>
#include "linprobe/status.h"

/* {0} holds no block.  After a failure nothing more is taken. */
typedef struct lp_memory {
    struct lp_memory_block *last;
    bool failed;
    size_t count, size; /* of the block that could not be had */
} lp_memory;

/* As lp_alloc and lp_alloc_zeroed. */
void *lp_memory_take(lp_memory *memory, size_t count, size_t size);
void *lp_memory_take_zeroed(lp_memory *memory, size_t count, size_t size);

/* LP_ERR_MEMORY where a block could not be had. */
LP_MUST_USE lp_status lp_memory_check(const lp_memory *memory, const char *what, lp_error *err);

void lp_memory_free(lp_memory *memory);

#endif
