/* Centring, adding up and variances of a block. */
#include "math/accumulate.h"

#include "math/dispatch.h"

LP_BODY void centre_rows(const float *const *x, size_t rows, size_t columns, const float *centre,
                         float *out) {
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            out[i * columns + j] = x[i][j] - centre[j];
        }
    }
}

LP_KERNEL(lp_centre, centre_rows,
          (const float *const *x, size_t rows, size_t columns, const float *centre, float *out),
          (x, rows, columns, centre, out))

LP_BODY void centre_rows64(const float *const *x, size_t rows, size_t columns, const float *centre,
                           double *out) {
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            out[i * columns + j] = (double)x[i][j] - (double)centre[j];
        }
    }
}

LP_KERNEL(lp_centre64, centre_rows64,
          (const float *const *x, size_t rows, size_t columns, const float *centre, double *out),
          (x, rows, columns, centre, out))

LP_BODY void accumulate(const float *values, size_t count, double *sums) {
    for (size_t i = 0; i < count; i++) {
        sums[i] += (double)values[i];
    }
}

LP_KERNEL(lp_accumulate, accumulate, (const float *values, size_t count, double *sums),
          (values, count, sums))

LP_BODY void accumulate64(const double *values, size_t count, double *sums) {
    for (size_t i = 0; i < count; i++) {
        sums[i] += values[i];
    }
}

LP_KERNEL(lp_accumulate64, accumulate64, (const double *values, size_t count, double *sums),
          (values, count, sums))

LP_BODY void variance(float *r, size_t rows, size_t columns, double *sums) {
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < columns; k++) {
            float v = r[i * columns + k];
            v = v < 0 ? -v : v;
            v *= 1.0F - v;
            r[i * columns + k] = v;
            sums[k] += (double)v;
        }
    }
}

LP_KERNEL(lp_variance, variance, (float *r, size_t rows, size_t columns, double *sums),
          (r, rows, columns, sums))

LP_BODY void variance64(double *r, size_t rows, size_t columns, double *sums) {
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < columns; k++) {
            double v = r[i * columns + k];
            v = v < 0 ? -v : v;
            v *= 1.0 - v;
            r[i * columns + k] = v;
            sums[k] += v;
        }
    }
}

LP_KERNEL(lp_variance64, variance64, (double *r, size_t rows, size_t columns, double *sums),
          (r, rows, columns, sums))
