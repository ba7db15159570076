/* The neighbours that lp_knn_score counts. */
#ifndef LP_PROBE_KNN_H
#define LP_PROBE_KNN_H

#include "linprobe/stats.h"

typedef struct lp_neighbour {
    double similarity; /* cosine, float64 */
    size_t row;        /* of the training set */
} lp_neighbour;

/* The k nearest training examples of every test example, in order of falling similarity, then
 * rising row, into nearest [N of test, k].  Sets of equal width, with finite values; 1 <= k <= N of
 * train. */
LP_MUST_USE lp_status lp_knn_find(const lp_examples *train, const lp_examples *test, size_t k,
                                  size_t threads, const lp_progress *progress,
                                  lp_neighbour *nearest, lp_error *err);

#endif
