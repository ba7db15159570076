/* Bias, layer norm and a gate, row by row.
 *
 * Elementwise loops are left to the compiler to vectorise; sums are written over LP_LANES partial
 * sums, because without -ffast-math a compiler may not reorder them. */
#include "math/rows.h"

#include <math.h>

#include "math/activation.h"
#include "math/dispatch.h"
#include "math/tiles.h"

LP_BODY void add_bias(float *x, size_t rows, size_t columns, size_t stride, const float *bias) {
    for (size_t i = 0; i < rows; i++) {
        float *row = x + i * stride;
        for (size_t j = 0; j < columns; j++) {
            row[j] += bias[j];
        }
    }
}

LP_KERNEL(lp_add_bias, add_bias,
          (float *x, size_t rows, size_t columns, size_t stride, const float *bias),
          (x, rows, columns, stride, bias))

LP_BODY double fold(const double lanes[LP_LANES]) {
    double sum = 0;
    for (size_t l = 0; l < LP_LANES; l++) {
        sum += lanes[l];
    }
    return sum;
}

/* Mean and 1 / sqrt(variance + eps) of a row: what a layer norm takes from it. */
typedef struct row_norm {
    float centre, scale;
} row_norm;

LP_BODY row_norm measure_row(const float *row, size_t columns, float eps) {
    size_t whole = columns - columns % LP_LANES;
    double lanes[LP_LANES] = {0};
    for (size_t j = 0; j < whole; j += LP_LANES) {
        for (size_t l = 0; l < LP_LANES; l++) {
            lanes[l] += (double)row[j + l];
        }
    }
    for (size_t j = whole; j < columns; j++) {
        lanes[j - whole] += (double)row[j];
    }
    double mean = fold(lanes) / (double)columns;
    double squares[LP_LANES] = {0};
    for (size_t j = 0; j < whole; j += LP_LANES) {
        for (size_t l = 0; l < LP_LANES; l++) {
            double d = (double)row[j + l] - mean;
            squares[l] += d * d;
        }
    }
    for (size_t j = whole; j < columns; j++) {
        double d = (double)row[j] - mean;
        squares[j - whole] += d * d;
    }
    double variance = fold(squares) / (double)columns;
    return (row_norm){(float)mean, (float)(1 / sqrt(variance + (double)eps))};
}

LP_BODY void layer_norm(const float *x, size_t rows, size_t columns, size_t stride,
                        const float *weight, const float *bias, float eps, float *out,
                        size_t out_stride) {
    for (size_t i = 0; i < rows; i++) {
        const float *row = x + i * stride;
        row_norm n = measure_row(row, columns, eps);
        for (size_t j = 0; j < columns; j++) {
            out[i * out_stride + j] = (row[j] - n.centre) * n.scale * weight[j] + bias[j];
        }
    }
}

LP_KERNEL(lp_layer_norm, layer_norm,
          (const float *x, size_t rows, size_t columns, size_t stride, const float *weight,
           const float *bias, float eps, float *out, size_t out_stride),
          (x, rows, columns, stride, weight, bias, eps, out, out_stride))

LP_BODY void layer_norm_tiled(const float *x, size_t rows, size_t columns, size_t stride,
                              const float *weight, const float *bias, float eps, float *tiled) {
    size_t whole = columns - columns % LP_TILE_RUN;
    for (size_t i = 0; i < rows; i++) {
        const float *row = x + i * stride;
        float *to = tiled + lp_tiled_at(columns, i, 0);
        row_norm n = measure_row(row, columns, eps);
        for (size_t j = 0; j < whole; j += LP_TILE_RUN, to += LP_TILE_CELL) {
            for (size_t l = 0; l < LP_TILE_RUN; l++) {
                to[l] = (row[j + l] - n.centre) * n.scale * weight[j + l] + bias[j + l];
            }
        }
        for (size_t j = whole; j < columns; j++) {
            to[j - whole] = (row[j] - n.centre) * n.scale * weight[j] + bias[j];
        }
    }
    lp_tile_pad(tiled, rows, columns);
}

LP_KERNEL(lp_layer_norm_tiled, layer_norm_tiled,
          (const float *x, size_t rows, size_t columns, size_t stride, const float *weight,
           const float *bias, float eps, float *tiled),
          (x, rows, columns, stride, weight, bias, eps, tiled))
