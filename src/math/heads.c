/* Lengths, rotations, gates and norms without a mean; sums run over LP_LANES partial sums in
 * float64. */
#include "math/heads.h"

#include <math.h>

#include "math/dispatch.h"

LP_BODY double sum_of_squares(const float *x, size_t count) {
    double lanes[LP_LANES] = {0}, sum = 0;
    size_t whole = count - count % LP_LANES;
    for (size_t j = 0; j < whole; j += LP_LANES) {
        for (size_t l = 0; l < LP_LANES; l++) {
            lanes[l] += (double)x[j + l] * (double)x[j + l];
        }
    }
    for (size_t j = whole; j < count; j++) {
        lanes[j - whole] += (double)x[j] * (double)x[j];
    }
    for (size_t l = 0; l < LP_LANES; l++) {
        sum += lanes[l];
    }
    return sum;
}

LP_BODY void normalize_heads(float *x, size_t rows, size_t stride, size_t heads, size_t width,
                             const float *scale) {
    for (size_t i = 0; i < rows * heads; i++) {
        float *head = x + i / heads * stride + i % heads * width;
        double length = sqrt(sum_of_squares(head, width));
        double by =
            (scale != NULL ? (double)scale[i % heads] : 1) / (length > 1e-12 ? length : 1e-12);
        for (size_t j = 0; j < width; j++) {
            head[j] = (float)((double)head[j] * by);
        }
    }
}

LP_KERNEL(lp_normalize_heads, normalize_heads,
          (float *x, size_t rows, size_t stride, size_t heads, size_t width, const float *scale),
          (x, rows, stride, heads, width, scale))

LP_BODY void rotate_heads(float *x, size_t rows, size_t stride, size_t heads, size_t width,
                          const float *cos, const float *sin, bool halves) {
    size_t half = width / 2, step = halves ? 1 : 2, other = halves ? half : 1;
    for (size_t i = 0; i < rows; i++) {
        const float *c = cos + i * half, *s = sin + i * half;
        for (size_t h = 0; h < heads; h++) {
            float *head = x + i * stride + h * width;
            for (size_t j = 0; j < half; j++) {
                float a = head[j * step], b = head[j * step + other];
                head[j * step] = a * c[j] - b * s[j];
                head[j * step + other] = b * c[j] + a * s[j];
            }
        }
    }
}

LP_KERNEL(lp_rotate_heads, rotate_heads,
          (float *x, size_t rows, size_t stride, size_t heads, size_t width, const float *cos,
           const float *sin, bool halves),
          (x, rows, stride, heads, width, cos, sin, halves))

#define GATE(activation)                                                                           \
    for (size_t i = 0; i < rows; i++, x += 2 * columns, out += columns) {                          \
        for (size_t j = 0; j < columns; j++) {                                                     \
            out[j] = lp_activate(activation, x[j]) * x[columns + j];                               \
        }                                                                                          \
    }

LP_BODY void gate_halves(const float *x, size_t rows, size_t columns, lp_nonlinearity activation,
                         float *out){LP_FOR_ACTIVATION(activation, GATE)}

LP_KERNEL(lp_gate_halves, gate_halves,
          (const float *x, size_t rows, size_t columns, lp_nonlinearity activation, float *out),
          (x, rows, columns, activation, out))

    LP_BODY void rms_norm(const float *x, size_t rows, size_t columns, size_t stride,
                          const float *weight, float eps, float *out, size_t out_stride) {
    for (size_t i = 0; i < rows; i++, x += stride, out += out_stride) {
        double mean = sum_of_squares(x, columns) / (double)columns;
        float scale = (float)(1 / sqrt(mean + (double)eps));
        for (size_t j = 0; j < columns; j++) {
            out[j] = x[j] * scale * weight[j];
        }
    }
}

LP_KERNEL(lp_rms_norm, rms_norm,
          (const float *x, size_t rows, size_t columns, size_t stride, const float *weight,
           float eps, float *out, size_t out_stride),
          (x, rows, columns, stride, weight, eps, out, out_stride))
