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

#define AFFINE(activation)                                                                         \
    for (size_t i = 0; i < pixels; i++, x += channels, y += channels) {                            \
        for (size_t c = 0; c < channels; c++) {                                                    \
            y[c] = lp_activate(activation, x[c] * scale[c] + shift[c]);                            \
        }                                                                                          \
    }

LP_BODY void affine_channels(const float *x, size_t pixels, size_t channels, const float *scale,
                             const float *shift, lp_nonlinearity activation,
                             float *y){LP_FOR_ACTIVATION(activation, AFFINE)}

LP_KERNEL(lp_affine_channels, affine_channels,
          (const float *x, size_t pixels, size_t channels, const float *scale, const float *shift,
           lp_nonlinearity activation, float *y),
          (x, pixels, channels, scale, shift, activation, y))

    LP_BODY void sum_channels(const float *x, size_t pixels, size_t channels, double *sums) {
    for (size_t c = 0; c < channels; c++) {
        sums[c] = 0;
    }
    for (size_t i = 0; i < pixels; i++, x += channels) {
        for (size_t c = 0; c < channels; c++) {
            sums[c] += (double)x[c];
        }
    }
}

LP_BODY void sum_deviations(const float *x, size_t pixels, size_t channels, const double *means,
                            double *sums) {
    for (size_t c = 0; c < channels; c++) {
        sums[c] = 0;
    }
    for (size_t i = 0; i < pixels; i++, x += channels) {
        for (size_t c = 0; c < channels; c++) {
            double d = (double)x[c] - means[c];
            sums[c] += d * d;
        }
    }
}

/* The mean over each group's channels, for each of them. */
LP_BODY void spread_means(double *sums, size_t channels, size_t groups, double count) {
    size_t each = channels / groups;
    for (size_t g = 0; g < groups; g++) {
        double sum = 0;
        for (size_t c = g * each; c < (g + 1) * each; c++) {
            sum += sums[c];
        }
        for (size_t c = g * each; c < (g + 1) * each; c++) {
            sums[c] = sum / count;
        }
    }
}

LP_BODY void group_statistics(const float *x, size_t pixels, size_t channels, size_t groups,
                              double *means, double *variances) {
    size_t each = channels / groups;
    double count = (double)pixels * (double)each;
    sum_channels(x, pixels, channels, means);
    spread_means(means, channels, groups, count);
    sum_deviations(x, pixels, channels, means, variances);
    spread_means(variances, channels, groups, count);
}

/* means and variances [channels] of each channel's group of channels / groups ones, over all pixels
 * of x [pixels, channels]. */
static void find_statistics(const float *x, size_t pixels, size_t channels, size_t groups,
                            double *means, double *variances);

LP_KERNEL(find_statistics, group_statistics,
          (const float *x, size_t pixels, size_t channels, size_t groups, double *means,
           double *variances),
          (x, pixels, channels, groups, means, variances))

#define CENTRED(activation)                                                                        \
    for (size_t i = 0; i < pixels; i++, x += channels, y += channels) {                            \
        for (size_t c = 0; c < channels; c++) {                                                    \
            y[c] = lp_activate(activation, (x[c] - centre[c]) * scale[c] + bias[c]);               \
        }                                                                                          \
    }

LP_BODY void scale_centred(const float *x, size_t pixels, size_t channels, const float *centre,
                           const float *scale, const float *bias, lp_nonlinearity activation,
                           float *y) {
    LP_FOR_ACTIVATION(activation, CENTRED)
}

/* y = act((x - centre) * scale + bias), as lp_affine_channels. */
static void centre_and_scale(const float *x, size_t pixels, size_t channels, const float *centre,
                             const float *scale, const float *bias, lp_nonlinearity activation,
                             float *y);

LP_KERNEL(centre_and_scale, scale_centred,
          (const float *x, size_t pixels, size_t channels, const float *centre, const float *scale,
           const float *bias, lp_nonlinearity activation, float *y),
          (x, pixels, channels, centre, scale, bias, activation, y))

void lp_group_norm(const float *x, size_t pixels, size_t channels, size_t groups,
                   const float *weight, const float *bias, float eps, lp_nonlinearity activation,
                   double *scratch, float *y) {
    double *means = scratch, *variances = scratch + channels;
    float *centre = (float *)(void *)(scratch + 2 * channels), *scale = centre + channels;
    find_statistics(x, pixels, channels, groups, means, variances);
    for (size_t c = 0; c < channels; c++) {
        centre[c] = (float)means[c];
        scale[c] = (float)((double)weight[c] / sqrt(variances[c] + (double)eps));
    }
    centre_and_scale(x, pixels, channels, centre, scale, bias, activation, y);
}

#define ADD(activation)                                                                            \
    for (size_t i = 0; i < count; i++) {                                                           \
        x[i] = lp_activate(activation, x[i] + other[i]);                                           \
    }

LP_BODY void add_values(float *x, const float *other, size_t count,
                        lp_nonlinearity activation){LP_FOR_ACTIVATION(activation, ADD)}

LP_KERNEL(lp_add_values, add_values,
          (float *x, const float *other, size_t count, lp_nonlinearity activation),
          (x, other, count, activation))
