/* Average, maximum and mean over pixels; the loops run along channels, and sums in the order of the
 * pixels. */
#include "math/pool.h"

#include <string.h>

#include "math/dispatch.h"

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
    if (p->same) {
        return (side + p->stride - 1) / p->stride;
    }
    size_t padded = side + 2 * p->padding + p->behind;
    if (padded < p->taps || side == 0) {
        return 0;
    }
    size_t out = (padded - p->taps) / p->stride + 1;
    bool over = p->whole && (padded - p->taps) % p->stride != 0;
    /* a window that begins behind the last pixel is left out */
    return over && out * p->stride < side + p->padding ? out + 1 : out;
}

/* Pixels over the left and the upper edge. */
static size_t lead_of(const lp_pooling *p, size_t side, size_t out) {
    size_t covered = out > 0 ? (out - 1) * p->stride + p->taps : 0;
    return !p->same ? p->padding : covered > side ? (covered - side) / 2 : 0;
}

LP_BODY void pool_windows(const lp_pooling *p, const float *x, size_t images, size_t side,
                          size_t channels, float *y) {
    size_t out = lp_pool_side(p, side), lead = lead_of(p, side, out);
    for (size_t place = 0; place < images * out * out; place++, y += channels) {
        size_t image = place / (out * out), v = place / out % out, u = place % out, seen = 0;
        const float *plane = x + image * side * side * channels;
        for (size_t i = 0; i < p->taps * p->taps; i++) {
            size_t row = v * p->stride + i / p->taps, column = u * p->stride + i % p->taps;
            if (row < lead || row >= side + lead || column < lead || column >= side + lead) {
                continue;
            }
            const float *pixel = plane + ((row - lead) * side + column - lead) * channels;
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
            y[c] /= (float)(p->zeros ? p->taps * p->taps : seen);
        }
        for (size_t c = 0; p->zeros && !p->mean && seen < p->taps * p->taps && c < channels; c++) {
            y[c] = y[c] > 0 ? y[c] : 0;
        }
    }
}

LP_KERNEL(lp_pool_windows, pool_windows,
          (const lp_pooling *p, const float *x, size_t images, size_t side, size_t channels,
           float *y),
          (p, x, images, side, channels, y))
