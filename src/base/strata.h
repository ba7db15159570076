/* Seeded, stratified choices of labelled rows: test and validation splits, folds, a few examples a
 * class.
 *
 *     lp_strata *strata;
 *     lp_strata_new(labels, count, classes, seed, &strata, &err);
 *     lp_strata_hold_out(strata, 0.1, chosen);          // chosen[i]: row i is held out
 *     lp_strata_rows(chosen, count, false, rows);       // the others, in their order
 *     lp_strata_free(strata);
 *
 * The rows of each class are shuffled once, and every choice takes from the front of that order: a
 * larger choice contains a smaller one of the same seed.  Lists of rows come out in rising order,
 * whatever the seed. */
#ifndef LP_BASE_STRATA_H
#define LP_BASE_STRATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"

typedef struct lp_strata {
    size_t count;   /* N */
    size_t classes; /* K */
    size_t *first;  /* [K + 1]: class k has rows[first[k]] .. rows[first[k + 1] - 1] */
    size_t *rows;   /* [N] */
} lp_strata;

/* labels int64 [N].  LP_ERR_DATA names the row of a label outside 0 .. K-1. */
LP_MUST_USE lp_status lp_strata_new(const int64_t *labels, size_t count, size_t classes,
                                    uint64_t seed, lp_strata **strata, lp_error *err);
void lp_strata_free(lp_strata *strata);

/* A label for each row of several, by which they can be divided: the class of mark > 0 that the
 * fewest rows have, the lowest of such classes, K for a row of none.  marks int8 [N, K], labels
 * [N]; images [K] becomes the rows of each class. */
void lp_strata_rarest(const int8_t *marks, size_t count, size_t classes, size_t *images,
                      int64_t *labels);

/* Holds out the fraction (0 .. 1) of every class, rounded to the nearest number, but leaves at
 * least one of each, and holds out at least one where there are two and fraction > 0.  chosen
 * [N]. */
void lp_strata_hold_out(const lp_strata *strata, double fraction, bool *chosen);

/* Folds 0 .. folds-1 of equal size: over all and within every class they differ by at most one.
 * fold [N], the fold of each row. */
void lp_strata_folds(const lp_strata *strata, size_t folds, size_t *fold);

/* Chooses `each` rows of every class.  LP_ERR_DATA names the first class that has fewer, by its
 * number. */
LP_MUST_USE lp_status lp_strata_each(const lp_strata *strata, size_t each, bool *chosen,
                                     lp_error *err);

/* Chooses at most `each` rows of every class (0: all), and of those `total` (0: all; or where there
 * are no more): one of every class that occurs, and the others in proportion to the classes' sizes.
 * LP_ERR_DATA: total is less than the classes that occur. */
LP_MUST_USE lp_status lp_strata_limit(const lp_strata *strata, size_t each, size_t total,
                                      bool *chosen, lp_error *err);

/* The rows for which chosen is `value`, in rising order, into rows [N at most].  Returns how
 * many. */
size_t lp_strata_rows(const bool *chosen, size_t count, bool value, size_t *rows);

#endif
