/* Sparse products with the second derivative of logistic models.
 *
 * Most p (1 - p) of a trained model are next to nothing: on real features two or three classes a
 * row of a hundred matter.  So a row costs two vector operations an entry instead of two matrix
 * products over all classes. */
#include "math/curved_rows.h"

#include <stdbool.h>

#include "math/dispatch.h"
#include "math/dot.h"

LP_BODY void select_columns(const float *r, size_t columns, const float *least, size_t room,
                            int32_t *places, float *values, size_t *found) {
    size_t count = 0;
    for (size_t first = 0; first < columns; first += LP_LANES) {
        size_t lanes = columns - first < LP_LANES ? columns - first : LP_LANES;
        int any = 0;
        for (size_t l = 0; l < lanes; l++) {
            float p = fabsf(r[first + l]);
            any |= p * (1.0F - p) > least[first + l];
        }
        for (size_t l = 0; any != 0 && l < lanes; l++) {
            float p = fabsf(r[first + l]);
            if (p * (1.0F - p) > least[first + l]) {
                if (count < room) {
                    places[count] = (int32_t)(first + l);
                    values[count] = p;
                }
                count++;
            }
        }
    }
    *found = count;
}

LP_KERNEL(lp_curved_select, select_columns,
          (const float *r, size_t columns, const float *least, size_t room, int32_t *places,
           float *values, size_t *found),
          (r, columns, least, room, places, values, found))

LP_BODY void add(float *to, float factor, const float *what, size_t size) {
    for (size_t j = 0; j < size; j++) {
        to[j] = fmaf(factor, what[j], to[j]);
    }
}

LP_BODY void take_row(const lp_curved_rows *rows, size_t i, float *x) {
    for (size_t j = 0; j < rows->width; j++) {
        x[j] = rows->x[i][j] - rows->mean[j];
    }
}

LP_BODY void softmax_product(const lp_curved_rows *rows, const float *v, const float *offsets,
                             float *scratch, float *sums, float *totals) {
    size_t F = rows->width, entry = 0;
    float *x = scratch, *d = scratch + F;
    for (size_t i = 0; i < rows->rows; i++) {
        size_t count = rows->counts[i];
        if (count == 0) {
            continue;
        }
        const int32_t *classes = rows->classes + entry;
        const float *p = rows->values + entry;
        size_t label = (size_t)rows->labels[i];
        float weight = rows->weights != NULL ? (float)rows->weights[label] : 1.0F;
        float mean = 0, total = 0;
        take_row(rows, i, x);
        float own = lp_dot(x, v + label * F, F) + offsets[label];
        for (size_t e = 0; e < count; e++) {
            size_t k = (size_t)classes[e];
            d[e] = lp_dot(x, v + k * F, F) + offsets[k] - own;
            mean = fmaf(p[e], d[e], mean);
        }
        for (size_t e = 0; e < count; e++) {
            size_t k = (size_t)classes[e];
            float r = weight * p[e] * (d[e] - mean);
            add(sums + k * F, r, x, F);
            totals[k] += r;
            total += r;
        }
        add(sums + label * F, -total, x, F);
        totals[label] -= total;
        entry += count;
    }
}

LP_KERNEL(lp_curved_softmax, softmax_product,
          (const lp_curved_rows *rows, const float *v, const float *offsets, float *scratch,
           float *sums, float *totals),
          (rows, v, offsets, scratch, sums, totals))

LP_BODY void logistic_product(const lp_curved_rows *rows, const float *v, const float *offsets,
                              float *scratch, float *sums, float *totals) {
    size_t F = rows->width, entry = 0;
    for (size_t i = 0; i < rows->rows; i++) {
        if (rows->counts[i] > 0) {
            take_row(rows, i, scratch);
        }
        for (size_t e = 0; e < rows->counts[i]; e++, entry++) {
            size_t k = (size_t)rows->classes[entry];
            float r = rows->values[entry] * (lp_dot(scratch, v + k * F, F) + offsets[k]);
            add(sums + k * F, r, scratch, F);
            totals[k] += r;
        }
    }
}

LP_KERNEL(lp_curved_logistic, logistic_product,
          (const lp_curved_rows *rows, const float *v, const float *offsets, float *scratch,
           float *sums, float *totals),
          (rows, v, offsets, scratch, sums, totals))

LP_BODY void weighted_sum(const lp_weighted_rows *rows, double *sums) {
    for (size_t i = 0; i < rows->count; i++) {
        const float *x = rows->x[rows->row[i]];
        float weight = rows->weight[i];
        for (size_t j = 0; j < rows->width; j++) {
            sums[j] += (double)(weight * (x[j] - rows->mean[j]));
        }
    }
}

LP_KERNEL(lp_weighted_sum, weighted_sum, (const lp_weighted_rows *rows, double *sums), (rows, sums))

LP_BODY void weighted_take(const lp_weighted_rows *rows, float *out) {
    for (size_t i = 0; i < rows->count; i++) {
        const float *x = rows->x[rows->row[i]];
        float root = sqrtf(rows->weight[i]);
        for (size_t j = 0; j < rows->width; j++) {
            out[i * rows->width + j] = root * (x[j] - rows->mean[j]);
        }
    }
}

LP_KERNEL(lp_weighted_take, weighted_take, (const lp_weighted_rows *rows, float *out), (rows, out))

LP_BODY void combine(float *a, size_t n, float scale, float share, const float *b) {
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++) {
            a[i * n + j] = scale * a[i * n + j] + share * b[i * n + j];
        }
        a[i * n + i] += 1.0F;
    }
}

LP_KERNEL(lp_combine, combine, (float *a, size_t n, float scale, float share, const float *b),
          (a, n, scale, share, b))
