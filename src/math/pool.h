/* Pooling over images whose pixels are rows of channels, float32 [images, side, side, channels],
 * densely. */
#ifndef LP_MATH_POOL_H
#define LP_MATH_POOL_H

#include <stdbool.h>
#include <stddef.h>

/* y[i] = the mean of image i's `pixels` pixels, [channels], every y_stride floats. */
void lp_mean_pool(const float *x, size_t images, size_t pixels, size_t channels, float *y,
                  size_t y_stride);

/* Windows of taps x taps pixels, every `stride` pixels, `padding` pixels over each edge. */
typedef struct lp_pooling {
    size_t taps, stride, padding;
    bool same;     /* as lp_conv's: zeros as TensorFlow's "SAME" has them; padding does not count */
    size_t behind; /* pixels more over the right and the lower edge */
    bool mean;     /* of the pixels that there are (count_include_pad=False); else the maximum */
    bool zeros;    /* zeros beyond the edge count, and not only the pixels that there are */
    bool whole;    /* the last window may stand over the edge (ceil_mode) */
} lp_pooling;

/* Pixels a side of the output; 0 where a window is larger than the padded input. */
size_t lp_pool_side(const lp_pooling *p, size_t side);

/* x [images, side, side, channels] -> y [images, side', side', channels], as torch.nn.MaxPool2d and
 * AvgPool2d. */
void lp_pool_windows(const lp_pooling *p, const float *x, size_t images, size_t side,
                     size_t channels, float *y);

#endif
