/* Residuals and losses of softmax and of independent logistic models.
 *
 * softmax:   e = exp(z - max), others = sum of e but the label's, sum = others + e[label],
 *            p = e / sum, residual of the label = - others / sum,
 *            loss = log(sum) + max - z[label]
 * logistic:  e = exp(-|z|), p = 1 / (1 + e) for z >= 0, e / (1 + e) else,
 *            loss = log(1 + e) + max(z, 0) - z [label]; the product of (1 + e) over a block's rows,
 *            at most 2^512, takes one logarithm a column instead of one a value
 *
 * The label's residual is never formed as p - 1: where a model is sure of an example, that would
 * leave rounding errors of 1e-7, which a large C makes large. */
#include "math/logistic.h"

#include <math.h>
#include <stdbool.h>

#include "math/dispatch.h"
#include "math/exponential.h"

LP_BODY void softmax_residual(float *z, size_t rows, size_t columns, const int32_t *labels,
                              double *loss, double *residual) {
    size_t whole = columns - columns % LP_LANES;
    for (size_t i = 0; i < rows; i++) {
        float *row = z + i * columns;
        float top[LP_LANES];
        float sums[LP_LANES] = {0};
        for (size_t l = 0; l < LP_LANES; l++) {
            top[l] = row[l < columns ? l : 0];
        }
        for (size_t k = 0; k < whole; k += LP_LANES) {
            for (size_t l = 0; l < LP_LANES; l++) {
                top[l] = row[k + l] > top[l] ? row[k + l] : top[l];
            }
        }
        float max = top[0];
        for (size_t l = 1; l < LP_LANES; l++) {
            max = top[l] > max ? top[l] : max;
        }
        for (size_t k = whole; k < columns; k++) {
            max = row[k] > max ? row[k] : max;
        }
        float own = row[labels[i]];
        row[labels[i]] = -INFINITY; /* exp gives 0 */
        for (size_t k = 0; k < whole; k += LP_LANES) {
            for (size_t l = 0; l < LP_LANES; l++) {
                row[k + l] = lp_exp_below(row[k + l] - max);
                sums[l] += row[k + l];
            }
        }
        for (size_t k = whole; k < columns; k++) {
            row[k] = lp_exp_below(row[k] - max);
            sums[k - whole] += row[k];
        }
        double others = 0;
        for (size_t l = 0; l < LP_LANES; l++) {
            others += (double)sums[l];
        }
        float e = lp_exp_below(own - max);
        double sum = others + (double)e;
        *loss += own == max ? log1p(others) : log(sum) + (double)(max - own);
        float scale = (float)(1 / sum);
        for (size_t k = 0; k < columns; k++) {
            row[k] *= scale;
        }
        row[labels[i]] = (float)(-others / sum);
        for (size_t k = 0; k < columns; k++) {
            residual[k] += (double)row[k];
        }
    }
}

LP_KERNEL(lp_softmax_residual, softmax_residual,
          (float *z, size_t rows, size_t columns, const int32_t *labels, double *loss,
           double *residual),
          (z, rows, columns, labels, loss, residual))

/* Columns in strips, so that the strip's sums stay in registers. */
LP_BODY void logistic_strip(float *z, size_t rows, size_t columns, size_t first, size_t lanes,
                            double *loss, double *residual) {
    double product[LP_LANES];
    double positive[LP_LANES] = {0};
    double sums[LP_LANES] = {0};
    for (size_t l = 0; l < LP_LANES; l++) {
        product[l] = 1;
    }
    for (size_t i = 0; i < rows; i++) {
        float *row = z + i * columns + first;
        for (size_t l = 0; l < lanes; l++) {
            float v = row[l];
            float e = lp_exp_below(v > 0 ? -v : v);
            float p = (v > 0 ? 1.0F : e) / (1.0F + e);
            product[l] *= 1.0 + (double)e;
            positive[l] += (double)(v > 0 ? v : 0.0F);
            sums[l] += (double)p;
            row[l] = p;
        }
    }
    for (size_t l = 0; l < lanes; l++) {
        loss[first + l] += log(product[l]) + positive[l];
        residual[first + l] += sums[l];
    }
}

LP_BODY void logistic_residual(float *z, size_t rows, size_t columns, const int32_t *labels,
                               double *loss, double *residual) {
    enum { MOST_ROWS = 512 };
    float kept[MOST_ROWS] = {0};
    size_t whole = columns - columns % LP_LANES;
    for (size_t i = 0; i < rows; i++) {
        size_t k = (size_t)labels[i];
        if (labels[i] >= 0 && k < columns) {
            kept[i] = z[i * columns + k];
            loss[k] -= (double)kept[i];
        }
    }
    for (size_t k = 0; k < whole; k += LP_LANES) {
        logistic_strip(z, rows, columns, k, LP_LANES, loss, residual);
    }
    if (whole < columns) {
        logistic_strip(z, rows, columns, whole, columns - whole, loss, residual);
    }
    for (size_t i = 0; i < rows; i++) {
        size_t k = (size_t)labels[i];
        if (labels[i] >= 0 && k < columns) {
            float own = -1.0F / (1.0F + lp_exp(kept[i]));
            residual[k] += (double)own - (double)z[i * columns + k];
            z[i * columns + k] = own;
        }
    }
}

LP_KERNEL(lp_logistic_residual, logistic_residual,
          (float *z, size_t rows, size_t columns, const int32_t *labels, double *loss,
           double *residual),
          (z, rows, columns, labels, loss, residual))

void lp_softmax_residual64(double *z, size_t rows, size_t columns, const int32_t *labels,
                           double *loss, double *residual) {
    for (size_t i = 0; i < rows; i++) {
        double *row = z + i * columns;
        double max = row[0];
        double others = 0;
        for (size_t k = 1; k < columns; k++) {
            max = row[k] > max ? row[k] : max;
        }
        double own = row[labels[i]];
        row[labels[i]] = -INFINITY;
        for (size_t k = 0; k < columns; k++) {
            row[k] = exp(row[k] - max);
            others += row[k];
        }
        double sum = others + exp(own - max);
        *loss += own == max ? log1p(others) : log(sum) + (max - own);
        for (size_t k = 0; k < columns; k++) {
            row[k] /= sum;
        }
        row[labels[i]] = -others / sum;
        for (size_t k = 0; k < columns; k++) {
            residual[k] += row[k];
        }
    }
}

void lp_logistic_residual64(double *z, size_t rows, size_t columns, const int32_t *labels,
                            double *loss, double *residual) {
    for (size_t i = 0; i < rows; i++) {
        double *row = z + i * columns;
        for (size_t k = 0; k < columns; k++) {
            double v = row[k];
            bool positive = labels[i] >= 0 && (size_t)labels[i] == k;
            double e = exp(v > 0 ? -v : v);
            /* p - 1 = -1 / (1 + exp(z)) for a positive row, without cancellation */
            double p = ((v > 0) != positive ? 1 : e) / (1 + e);
            loss[k] += log1p(e) + ((v > 0) != positive ? fabs(v) : 0);
            row[k] = positive ? -p : p;
            residual[k] += row[k];
        }
    }
}
