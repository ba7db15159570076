/* The preconditioner of Newton's steps: of each class its own block of the second derivative,
 * factored.  The mathematics stands in blocks.c. */
#ifndef LP_PROBE_BLOCKS_H
#define LP_PROBE_BLOCKS_H

#include "probe/dense_objective.h"
#include "probe/entries.h"

typedef struct lp_blocks lp_blocks;

/* Whether the factors of all classes stay within the limit of memory. */
bool lp_blocks_fit(const lp_dense *dense);

/* About what making all of them costs, in passes over the data. */
double lp_blocks_passes(const lp_dense *dense);

/* Room for them, in `memory`, which the caller checks before use; NULL without memory. */
lp_blocks *lp_blocks_new(const lp_dense *dense, lp_memory *memory);

/* Makes the blocks of the wanted models [models] from the entries, C [models] and the sums of
 * p (1 - p) over the rows of each class, weight [K].  *work is what it took, in passes. */
LP_MUST_USE lp_status lp_blocks_make(lp_blocks *blocks, const lp_entries *entries,
                                     const bool *wanted, const double *C, const double *weight,
                                     double *work, lp_error *err);

/* to [K, D] = block^-1 from [K, D] for the classes of the wanted models; weights in the features'
 * own space.  to may be from. */
LP_MUST_USE lp_status lp_blocks_solve(const lp_blocks *blocks, const bool *wanted,
                                      const double *from, double *to, lp_error *err);

#endif
