/* Convolutions over images whose pixels are rows of channels ([H, W, C]), float32. */
#ifndef LP_MATH_CONV_H
#define LP_MATH_CONV_H

#include <stdbool.h>
#include <stddef.h>
#include "math/activation.h"

enum { LP_CONV_MAX_TAPS = 25 };

/* y[p, o] = bias[o] + sum over taps t and channels i of weight[o, i, t] x[p at t, i], as
 * torch.nn.Conv2d with zeros round the image; group g reads channels g * in .. of x and writes
 * channels g * out .. of y. */
typedef struct lp_conv {
    size_t groups;
    size_t in, out;              /* channels of one group */
    size_t taps_high, taps_wide; /* the kernel's sides; at most LP_CONV_MAX_TAPS taps */
    size_t stride, padding;      /* zeros in front, and where not `same` as many behind */
    bool same; /* as TensorFlow's "SAME": the output has ceil(side / stride) pixels a side; zeros
                  as are needed, the odd one behind; padding does not count */
    const float *weights; /* lp_conv_packed floats from lp_conv_pack, aligned to 64 bytes */
    const float *bias;    /* [groups * out] or NULL */
    const float *zeros;   /* [groups * in] zeros where there is padding */
} lp_conv;

/* Images to read, with the floats from one pixel, row and image to the next.  A pixel may overlap
 * its neighbours: a whole kernel row of a padded image is then one tap. */
typedef struct lp_conv_input {
    const float *x;
    size_t images, height, width;
    size_t pixel_stride, row_stride, image_stride;
} lp_conv_input;

/* Images that lie densely: [images, height, width, channels]. */
lp_conv_input lp_conv_dense(const float *x, size_t images, size_t height, size_t width,
                            size_t channels);

/* Pixels a side of the output, from those of the input and the kernel's taps along it; 0 where the
 * kernel is larger than the padded input. */
size_t lp_conv_side(const lp_conv *conv, size_t side, size_t taps);

/* Zeros in front of the first pixel of a side. */
size_t lp_conv_lead(const lp_conv *conv, size_t side, size_t taps);

/* Floats of the packed weights. */
size_t lp_conv_packed(const lp_conv *conv);

/* Puts PyTorch's weight [groups * out, in, taps_high, taps_wide] in the order in which lp_conv_run
 * reads it.  scale [groups * out], or NULL: each output's weights are multiplied by it in float64
 * (batch norm).  weight and packed do not overlap. */
void lp_conv_pack(const lp_conv *conv, const float *weight, const double *scale, float *packed);

/* y [images, height', width', groups * out] = act(the convolution + add); add: as y; may be y
 * itself, or NULL.  y overlaps no input.  An output's bits depend on its own
 * inputs alone: not on its place, the size of the batch, or (given fused multiply-adds) the
 * processor. */
void lp_conv_run(const lp_conv *conv, const lp_conv_input *in, const float *add,
                 lp_nonlinearity activation, float *y);

/* The same of images as preprocessing makes them, [images, channels, side, side], with a square
 * kernel of at most LP_CONV_MAX_TAPS taps a side, in one group.  scratch: lp_conv_images_scratch
 * floats for each image. */
size_t lp_conv_images_scratch(const lp_conv *conv, size_t side);
void lp_conv_images(const lp_conv *conv, const float *x, size_t images, size_t side,
                    lp_nonlinearity activation, float *scratch, float *y);

#endif
