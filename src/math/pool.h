/* Pooling over images whose pixels are rows of channels, float32 [images, side, side, channels],
 * densely. */
#ifndef LP_MATH_POOL_H
#define LP_MATH_POOL_H

#include <stddef.h>

/* Means of window x window pixels, edge to edge, as torch.nn.AvgPool2d(window): rows and columns
 * that fill no window are left out.  y [images, side / window, side / window, channels]. */
void lp_average_pool(const float *x, size_t images, size_t side, size_t channels, size_t window,
                     float *y);

/* Maxima of 3 x 3 pixels at every second pixel, as torch.nn.MaxPool2d(3, 2, padding=1).
 * y [images, (side + 1) / 2, (side + 1) / 2, channels]. */
void lp_max_pool(const float *x, size_t images, size_t side, size_t channels, float *y);

/* y[i] = the mean of image i's `pixels` pixels, [channels], every y_stride floats. */
void lp_mean_pool(const float *x, size_t images, size_t pixels, size_t channels, float *y,
                  size_t y_stride);

#endif
