/* Sums over chunks of work, on the threads of all ranks.
 *
 * Each chunk's sums are added in a fixed binary tree over the numbers of the chunks: 0 + 1, 2 + 3,
 * then (0 + 1) + (2 + 3), and so on; where the right side of a sum has no chunk, it is the left
 * side.  So the result is the same for any number of threads and ranks.  A rank owns a run of
 * chunks and adds up whole subtrees of it; only their sums travel.
 *
 *     lp_chunk_sums *sums = lp_chunk_sums_new(&memory, 32, most, threads, false);
 *     LP_TRY(lp_memory_check(&memory, "sums", err));
 *     LP_TRY(lp_chunk_sums_run(sums, size, mark, add_chunk, context, &total, err));
 */
#ifndef LP_BASE_CHUNK_SUMS_H
#define LP_BASE_CHUNK_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/memory.h"
#include "base/team.h"

/* Sums of chunk `chunk` into sums [size], which hold anything before. */
typedef lp_status (*lp_chunk_task)(void *context, size_t chunk, size_t worker, double *sums,
                                   lp_error *err);

typedef struct lp_chunk_sums lp_chunk_sums;

/* For `chunks` chunks with at most `most` sums each, on `threads` threads of each rank; `alone`:
 * every rank does all chunks itself.  In `memory`, which the caller checks before use. */
lp_chunk_sums *lp_chunk_sums_new(lp_memory *memory, size_t chunks, size_t most, size_t threads,
                                 bool alone);

/* The chunks of this rank. */
lp_share lp_chunk_sums_share(const lp_chunk_sums *sums);

/* *total [size] is the sum over all chunks, the same on every rank, until the next run.  `mark` is
 * a digest of what the tasks depend on besides their data: LP_ERR_DATA where the ranks' differ. */
LP_MUST_USE lp_status lp_chunk_sums_run(lp_chunk_sums *sums, size_t size, uint64_t mark,
                                        lp_chunk_task task, void *context, double **total,
                                        lp_error *err);

/* Such a digest of numbers, after what `mark` was made of; where there is one rank, `mark` itself.
 */
uint64_t lp_chunk_mark(uint64_t mark, const double *values, size_t count);

#endif
