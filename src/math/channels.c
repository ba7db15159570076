/* Norms, means and gates over all pixels of an image; the loops run along channels. */
#include "math/channels.h"

#include <math.h>

#include "math/dispatch.h"
#include "math/tiles.h"

enum { RUN = LP_TILE_RUN };

/* squares [RUN] of the run of channels that begins at x. */
LP_BODY void sum_squares(const float *x, size_t pixels, size_t runs, double squares[RUN]) {
    for (size_t l = 0; l < RUN; l++) {
        squares[l] = 0;
    }
    for (size_t i = 0; i < pixels; i++) {
        const float *row = x + i / LP_TILE_ROWS * runs * LP_TILE_CELL + i % LP_TILE_ROWS * RUN;
        for (size_t l = 0; l < RUN; l++) {
            squares[l] += (double)row[l] * (double)row[l];
        }
    }
}

LP_BODY void scale_run(float *x, size_t pixels, size_t runs, const float factor[RUN],
                       const float bias[RUN]) {
    for (size_t i = 0; i < pixels; i++) {
        float *row = x + i / LP_TILE_ROWS * runs * LP_TILE_CELL + i % LP_TILE_ROWS * RUN;
        for (size_t l = 0; l < RUN; l++) {
            row[l] = row[l] * factor[l] + bias[l];
        }
    }
}

LP_BODY void response_norm(float *x, size_t pixels, size_t channels, const float *weight,
                           const float *bias, float eps, double *scratch) {
    size_t runs = lp_tile_runs(channels);
    double sum = 0, squares[RUN];
    for (size_t first = 0; first < channels; first += RUN) {
        size_t count = channels - first < RUN ? channels - first : RUN;
        sum_squares(x + first / RUN * LP_TILE_CELL, pixels, runs, squares);
        for (size_t l = 0; l < count; l++) {
            scratch[first + l] = sqrt(squares[l]);
            sum += scratch[first + l];
        }
    }
    double scale = 1 / (sum / (double)channels + (double)eps);
    for (size_t first = 0; first < channels; first += RUN) {
        size_t count = channels - first < RUN ? channels - first : RUN;
        float factor[RUN] = {0}, add[RUN] = {0}; /* columns behind the last one stay zeros */
        for (size_t l = 0; l < count; l++) {
            factor[l] = (float)(1 + (double)weight[first + l] * scratch[first + l] * scale);
            add[l] = bias[first + l];
        }
        scale_run(x + first / RUN * LP_TILE_CELL, pixels, runs, factor, add);
    }
}

LP_KERNEL(lp_response_norm_tiled, response_norm,
          (float *x, size_t pixels, size_t channels, const float *weight, const float *bias,
           float eps, double *scratch),
          (x, pixels, channels, weight, bias, eps, scratch))

LP_BODY void channel_means(const float *x, size_t pixels, size_t channels, double *scratch,
                           float *means) {
    for (size_t c = 0; c < channels; c++) {
        scratch[c] = 0;
    }
    for (size_t i = 0; i < pixels; i++, x += channels) {
        for (size_t c = 0; c < channels; c++) {
            scratch[c] += (double)x[c];
        }
    }
    for (size_t c = 0; c < channels; c++) {
        means[c] = (float)(scratch[c] / (double)pixels);
    }
}

LP_KERNEL(lp_channel_means, channel_means,
          (const float *x, size_t pixels, size_t channels, double *scratch, float *means),
          (x, pixels, channels, scratch, means))

LP_BODY void scale_channels(float *x, size_t pixels, size_t channels, const float *factors) {
    for (size_t i = 0; i < pixels; i++, x += channels) {
        for (size_t c = 0; c < channels; c++) {
            x[c] *= factors[c];
        }
    }
}

LP_KERNEL(lp_scale_channels, scale_channels,
          (float *x, size_t pixels, size_t channels, const float *factors),
          (x, pixels, channels, factors))
