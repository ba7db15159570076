/* The second derivative of the dense objectives, kept where it is large: of each row the classes
 * whose p (1 - p) is more than a share of the class's mean.  The mathematics stands in entries.c.
 */
#ifndef LP_PROBE_ENTRIES_H
#define LP_PROBE_ENTRIES_H

#include "math/curved_rows.h"
#include "probe/data_pass.h"

/* Entries of a chunk's rows, one row after the other. */
typedef struct lp_entry_list {
    int32_t *classes;
    float *values; /* softmax: p, and not of the row's label; one-vs-rest: p (1 - p), weighted */
    size_t room, used;
    bool full; /* there were more than `room` */
} lp_entry_list;

enum { LP_ENTRY_COUNTS = 3 }; /* that the pass adds up over the chunks */

typedef struct lp_entries {
    const lp_pass *pass;
    lp_loss loss;
    double coarse;        /* factor of the share: more than 1 once there was no room for all */
    float *least;         /* [K] what p (1 - p) must exceed, of the request's columns */
    uint32_t *counts;     /* [N] entries of each row */
    lp_entry_list *lists; /* [chunks of the pass], filled in for those of this rank */
    size_t used, rows;    /* entries, and rows that have any, of all ranks */
    bool full;            /* there was no room for all */
    /* for products: */
    lp_chunk_sums *sums; /* [K, F] and [K] of a chunk */
    float *model;        /* [K, F] and [K]: the vector that is multiplied, and its offsets */
    float *scratch;      /* [threads, (K + 1) (F + 1) + K]: a chunk's sums, and the loop's */
} lp_entries;

/* Room for at most `per_row` entries a row on average, in `memory`, which the caller checks before
 * use. */
lp_entries *lp_entries_new(const lp_pass *pass, lp_loss loss, size_t per_row, lp_memory *memory);

/* Sets `least` of a request's columns to this share of the class's mean p (1 - p), from the sums
 * over the rows, weight [K]. */
void lp_entries_set_least(lp_entries *entries, double share, const double *weight,
                          const size_t *columns, size_t count);

/* For the pass: a chunk starts anew; a row with its residuals p - y [request->count] and what
 * p (1 - p) must exceed there, which are those of the entries divided by the row's weights. */
void lp_entries_restart(lp_entries *entries, size_t chunk);
void lp_entries_add(lp_entries *entries, size_t chunk, size_t row, const float *residual,
                    const float *least, const lp_pass_request *request);

/* For the pass: a chunk's counts, for the sums; and what they are in all. */
void lp_entries_count_chunk(const lp_entries *entries, size_t chunk, double *counts);
void lp_entries_counted(lp_entries *entries, const double *counts);

/* The second derivative of the loss, times v: weights [K, F] and intercepts [K] -> the same.  No
 * factor C and no penalty. */
LP_MUST_USE lp_status lp_entries_product(const lp_entries *entries, const double *weights,
                                         const double *intercepts, double *out_weights,
                                         double *out_intercepts, lp_error *err);

#endif
