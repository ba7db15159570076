/* Average, maximum and mean over pixels; the loops run along channels, and sums in the order of the
 * pixels. */
#include "math/pool.h"

#include <string.h>

#include "math/dispatch.h"

LP_BODY void average_pool(const float *x, size_t images, size_t side, size_t channels,
                          size_t window, float *y) {
    size_t out = side / window;
    float scale = 1 / (float)(window * window);
    for (size_t place = 0; place < images * out * out; place++, y += channels) {
        size_t image = place / (out * out), v = place / out % out, u = place % out;
        const float *corner = x + ((image * side + v * window) * side + u * window) * channels;
        memcpy(y, corner, channels * sizeof *y);
        for (size_t i = 1; i < window * window; i++) {
            const float *pixel = corner + (i / window * side + i % window) * channels;
            for (size_t c = 0; c < channels; c++) {
                y[c] += pixel[c];
            }
        }
        for (size_t c = 0; c < channels; c++) {
            y[c] *= scale;
        }
    }
}

LP_KERNEL(lp_average_pool, average_pool,
          (const float *x, size_t images, size_t side, size_t channels, size_t window, float *y),
          (x, images, side, channels, window, y))

LP_BODY void max_pool(const float *x, size_t images, size_t side, size_t channels, float *y) {
    size_t out = (side + 1) / 2;
    for (size_t place = 0; place < images * out * out; place++, y += channels) {
        size_t image = place / (out * out), v = place / out % out, u = place % out;
        const float *plane = x + image * side * side * channels;
        memcpy(y, plane + (2 * v * side + 2 * u) * channels, channels * sizeof *y); /* its centre */
        for (size_t i = 0; i < 9; i++) {
            size_t row = 2 * v + i / 3, column = 2 * u + i % 3; /* one more than the pixel's */
            if (row < 1 || row > side || column < 1 || column > side) {
                continue;
            }
            const float *pixel = plane + ((row - 1) * side + column - 1) * channels;
            for (size_t c = 0; c < channels; c++) {
                y[c] = pixel[c] > y[c] ? pixel[c] : y[c];
            }
        }
    }
}

LP_KERNEL(lp_max_pool, max_pool,
          (const float *x, size_t images, size_t side, size_t channels, float *y),
          (x, images, side, channels, y))

LP_BODY void mean_pool(const float *x, size_t images, size_t pixels, size_t channels, float *y,
                       size_t y_stride) {
    float scale = 1 / (float)pixels;
    for (size_t image = 0; image < images; image++, y += y_stride) {
        memcpy(y, x, channels * sizeof *y);
        x += channels;
        for (size_t i = 1; i < pixels; i++, x += channels) {
            for (size_t c = 0; c < channels; c++) {
                y[c] += x[c];
            }
        }
        for (size_t c = 0; c < channels; c++) {
            y[c] *= scale;
        }
    }
}

LP_KERNEL(lp_mean_pool, mean_pool,
          (const float *x, size_t images, size_t pixels, size_t channels, float *y,
           size_t y_stride),
          (x, images, pixels, channels, y, y_stride))

size_t lp_pool_side(const lp_pooling *p, size_t side) {
    size_t padded = side + 2 * p->padding;
    if (padded < p->taps || side == 0) {
        return 0;
    }
    size_t out = (padded - p->taps) / p->stride + 1;
    bool over = p->whole && (padded - p->taps) % p->stride != 0;
    /* a window that begins behind the last pixel is left out */
    return over && out * p->stride < side + p->padding ? out + 1 : out;
}

LP_BODY void pool_windows(const lp_pooling *p, const float *x, size_t images, size_t side,
                          size_t channels, float *y) {
    size_t out = lp_pool_side(p, side);
    for (size_t place = 0; place < images * out * out; place++, y += channels) {
        size_t image = place / (out * out), v = place / out % out, u = place % out, seen = 0;
        const float *plane = x + image * side * side * channels;
        for (size_t i = 0; i < p->taps * p->taps; i++) {
            size_t row = v * p->stride + i / p->taps, column = u * p->stride + i % p->taps;
            if (row < p->padding || row >= side + p->padding || column < p->padding ||
                column >= side + p->padding) {
                continue;
            }
            const float *pixel =
                plane + ((row - p->padding) * side + column - p->padding) * channels;
            if (seen++ == 0) {
                memcpy(y, pixel, channels * sizeof *y);
            } else if (p->mean) {
                for (size_t c = 0; c < channels; c++) {
                    y[c] += pixel[c];
                }
            } else {
                for (size_t c = 0; c < channels; c++) {
                    y[c] = pixel[c] > y[c] ? pixel[c] : y[c];
                }
            }
        }
        for (size_t c = 0; p->mean && c < channels; c++) {
            y[c] /= (float)seen;
        }
        for (size_t c = 0; p->zeros && seen < p->taps * p->taps && c < channels; c++) {
            y[c] = y[c] > 0 ? y[c] : 0;
        }
    }
}

LP_KERNEL(lp_pool_windows, pool_windows,
          (const lp_pooling *p, const float *x, size_t images, size_t side, size_t channels,
           float *y),
          (p, x, images, side, channels, y))
