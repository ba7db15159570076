/* Digests of the rows of a training set, by which its rows are known again in a test set. */
#ifndef LP_PROBE_SHARED_ROWS_H
#define LP_PROBE_SHARED_ROWS_H

#include "linprobe/probe.h"

/* Digests of the rows that have one label in the set, rising, each once. */
typedef struct lp_row_digests {
    size_t count;
    size_t left_out;  /* more of them, all larger than the last: not kept */
    uint64_t *values; /* [count], released by lp_free; NULL: none */
} lp_row_digests;

enum { LP_MOST_ROW_DIGESTS = 1 << 22 }; /* that a probe keeps: 32 MiB */

/* The `most` smallest digests.  Takes 16 bytes a row.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_row_digests_make(const lp_examples *examples, size_t most, size_t threads,
                                          lp_row_digests *digests, lp_error *err);

/* How many rows of x [count, width] have one of these digests.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_row_digests_count(const lp_row_digests *digests, const float *x,
                                           size_t count, size_t width, size_t threads,
                                           size_t *shared, lp_error *err);

#endif
