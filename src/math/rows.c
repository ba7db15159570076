/* Bias, layer norm, softmax and activations, row by row.
 *
 * Elementwise loops are left to the compiler to vectorise; sums are written over LP_LANES partial
 * sums, because without -ffast-math a compiler may not reorder them. */
#include "math/rows.h"

#include <math.h>

#include "math/dispatch.h"
#include "math/exponential.h"

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

LP_BODY void layer_norm(const float *x, size_t rows, size_t columns, size_t stride,
                        const float *weight, const float *bias, float eps, float *out,
                        size_t out_stride) {
    size_t whole = columns - columns % LP_LANES;
    for (size_t i = 0; i < rows; i++) {
        const float *row = x + i * stride;
        float *to = out + i * out_stride;
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
        float centre = (float)mean;
        float scale = (float)(1 / sqrt(variance + (double)eps));
        for (size_t j = 0; j < columns; j++) {
            to[j] = (row[j] - centre) * scale * weight[j] + bias[j];
        }
    }
}

LP_KERNEL(lp_layer_norm, layer_norm,
          (const float *x, size_t rows, size_t columns, size_t stride, const float *weight,
           const float *bias, float eps, float *out, size_t out_stride),
          (x, rows, columns, stride, weight, bias, eps, out, out_stride))

LP_BODY void softmax(float *x, size_t rows, size_t columns) {
    size_t whole = columns - columns % LP_LANES;
    for (size_t i = 0; i < rows; i++) {
        float *row = x + i * columns;
        float top[LP_LANES];
        for (size_t l = 0; l < LP_LANES; l++) {
            top[l] = -INFINITY;
        }
        for (size_t j = 0; j < whole; j += LP_LANES) {
            for (size_t l = 0; l < LP_LANES; l++) {
                top[l] = row[j + l] > top[l] ? row[j + l] : top[l];
            }
        }
        for (size_t j = whole; j < columns; j++) {
            top[j - whole] = row[j] > top[j - whole] ? row[j] : top[j - whole];
        }
        float max = top[0];
        for (size_t l = 1; l < LP_LANES; l++) {
            max = top[l] > max ? top[l] : max;
        }
        for (size_t j = 0; j < columns; j++) {
            row[j] = lp_exp(row[j] - max);
        }
        float lanes[LP_LANES] = {0};
        for (size_t j = 0; j < whole; j += LP_LANES) {
            for (size_t l = 0; l < LP_LANES; l++) {
                lanes[l] += row[j + l];
            }
        }
        for (size_t j = whole; j < columns; j++) {
            lanes[j - whole] += row[j];
        }
        float sum = 0;
        for (size_t l = 0; l < LP_LANES; l++) {
            sum += lanes[l];
        }
        float scale = 1 / sum;
        for (size_t j = 0; j < columns; j++) {
            row[j] *= scale;
        }
    }
}

LP_KERNEL(lp_softmax, softmax, (float *x, size_t rows, size_t columns), (x, rows, columns))

LP_BODY void quick_gelu(float *x, size_t rows, size_t columns, const float *bias) {
    for (size_t i = 0; i < rows; i++) {
        float *row = x + i * columns;
        for (size_t j = 0; j < columns; j++) {
            float v = row[j] + bias[j];
            row[j] = v / (1.0F + lp_exp(-1.702F * v));
        }
    }
}

LP_KERNEL(lp_quick_gelu, quick_gelu, (float *x, size_t rows, size_t columns, const float *bias),
          (x, rows, columns, bias))

/* The normal distribution function within 1.2e-7 (absolute), and within 2e-6 of its own value down
 * to Phi(-10).  With a = |x| and s = a / (3 + a):  Phi(-a) = exp(-a^2 / 2) (1/2 + s p(s)), p a
 * minimax polynomial of degree 8 for 0 <= a <= 14.5 (relative error 9e-9). */
LP_BODY float normal_distribution(float x) {
    float a = fabsf(x);
    a = a < 15.0F ? a : 15.0F;
    float s = a / (3.0F + a);
    float p = 0.0272343382F;
    p = p * s - 0.0931114331F;
    p = p * s + 0.0839382783F;
    p = p * s + 0.00910545141F;
    p = p * s + 0.0622581914F;
    p = p * s - 0.158782527F;
    p = p * s - 0.286965221F;
    p = p * s + 1.05315483F;
    p = p * s - 1.19682658F;
    float tail = lp_exp(-0.5F * a * a) * (0.5F + s * p);
    return x < 0 ? tail : 1.0F - tail;
}

LP_BODY void gelu(float *x, size_t rows, size_t columns, const float *bias) {
    for (size_t i = 0; i < rows; i++) {
        float *row = x + i * columns;
        for (size_t j = 0; j < columns; j++) {
            float v = row[j] + bias[j];
            row[j] = v * normal_distribution(v);
        }
    }
}

LP_KERNEL(lp_gelu, gelu, (float *x, size_t rows, size_t columns, const float *bias),
          (x, rows, columns, bias))

/* 1 + tanh(u) = 2 / (1 + exp(-2u)) */
LP_BODY void gelu_tanh(float *x, size_t rows, size_t columns, const float *bias) {
    for (size_t i = 0; i < rows; i++) {
        float *row = x + i * columns;
        for (size_t j = 0; j < columns; j++) {
            float v = row[j] + bias[j];
            row[j] = v / (1.0F + lp_exp(-1.59576912F * v * (1.0F + 0.044715F * v * v)));
        }
    }
}

LP_KERNEL(lp_gelu_tanh, gelu_tanh, (float *x, size_t rows, size_t columns, const float *bias),
          (x, rows, columns, bias))

LP_BODY void silu_gate(float *x, size_t rows, size_t columns, const float *bias) {
    for (size_t i = 0; i < rows; i++) {
        float *row = x + i * 2 * columns;
        for (size_t j = 0; j < columns; j++) {
            float v = row[j] + bias[j];
            row[j] = v / (1.0F + lp_exp(-v)) * (row[columns + j] + bias[columns + j]);
        }
    }
}

LP_KERNEL(lp_silu_gate, silu_gate, (float *x, size_t rows, size_t columns, const float *bias),
          (x, rows, columns, bias))
