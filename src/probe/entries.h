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

typedef struct lp_entries {
    const lp_pass *pass;
    lp_loss loss;
    double coarse;        /* factor of the share: more than 1 once there was no room for all */
    float *least;         /* [K] what p (1 - p) must exceed, of the request's columns */
    uint32_t *counts;     /* [N] entries of each row */
    lp_entry_list *lists; /* [chunks of the pass] */
    /* for products, [chunks]: */
    float *sums;    /* [K, F] and [K] each */
    float *model;   /* [K, F] and [K]: the vector that is multiplied, and its offsets */
    float *scratch; /* [threads, F + K] */
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

/* How many there are, also where they are more than there is room for, and whether they are. */
size_t lp_entries_count(const lp_entries *entries);
bool lp_entries_full(const lp_entries *entries);

/* Rows that have any. */
size_t lp_entries_rows(const lp_entries *entries);

/* The second derivative of the loss, times v: weights [K, F] and intercepts [K] -> the same.  No
 * factor C and no penalty. */
LP_MUST_USE lp_status lp_entries_product(const lp_entries *entries, const double *weights,
                                         const double *intercepts, double *out_weights,
                                         double *out_intercepts, lp_error *err);

#endif
