/* The second derivative of logistic models on some examples: of each row only the classes for which
 * its p (1 - p) counts are kept, its entries. */
#ifndef LP_MATH_CURVED_ROWS_H
#define LP_MATH_CURVED_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* Rows with their entries, one row after the other. */
typedef struct lp_curved_rows {
    const float *const *x; /* [rows] of width */
    size_t rows, width;
    const float *mean;      /* [width], taken off x */
    const int32_t *labels;  /* [rows]; softmax alone */
    const uint32_t *counts; /* [rows] entries of each */
    const int32_t *classes; /* of the entries; softmax: never the row's label */
    const float *values;    /* softmax: p; independent models: p (1 - p) */
    const double *weights;  /* [K] of a label's rows, softmax alone; NULL: 1 */
} lp_curved_rows;

/* From a row of residuals r = p - y [columns] the columns with |r| (1 - |r|) > least[column], in
 * order, at most `room` of them: places, and |r| as values.  *found is how many there are, also
 * where they are more than `room`. */
void lp_curved_select(const float *r, size_t columns, const float *least, size_t room,
                      int32_t *places, float *values, size_t *found);

/* Adds the product of the second derivative of sum_i loss_i with (v [K, width], offsets [K]),
 * offsets for x less its mean, to sums [K, width] and totals [K].  scratch [width + the most
 * entries of a row].
 *
 * softmax, with the label's class l as the origin and over the row's entries k:
 *     d_k = (v_k - v_l).x + ..., u = sum p_k d_k, r_k = p_k (d_k - u), r_l = - sum r_k
 * which needs no 1 - p of a class that is nearly certain.  What is not kept counts as the label's.
 * r times the weight of the label's rows.
 * logistic:  r_k = p_k (1 - p_k) (v_k.x + ...). */
void lp_curved_softmax(const lp_curved_rows *rows, const float *v, const float *offsets,
                       float *scratch, float *sums, float *totals);
void lp_curved_logistic(const lp_curved_rows *rows, const float *v, const float *offsets,
                        float *scratch, float *sums, float *totals);

/* Some rows of x, by number, with a weight each. */
typedef struct lp_weighted_rows {
    const float *const *x; /* [all] rows of width */
    size_t width;
    const float *mean; /* [width], taken off x */
    size_t count;
    const uint32_t *row; /* [count] */
    const float *weight; /* [count] >= 0 */
} lp_weighted_rows;

/* sums [width] += weight (x - mean). */
void lp_weighted_sum(const lp_weighted_rows *rows, double *sums);

/* out [count, width] = root of the weight times (x - mean). */
void lp_weighted_take(const lp_weighted_rows *rows, float *out);

/* The lower triangle of a [n, n] = scale a + share b, and ones added to the diagonal. */
void lp_combine(float *a, size_t n, float scale, float share, const float *b);

#endif
