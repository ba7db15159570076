/* 3x3 convolutions with 2.25 times fewer multiplications, by Winograd's minimal filtering. */
#ifndef LP_MATH_WINOGRAD_H
#define LP_MATH_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>
#include "math/conv.h"

/* Whether this way serves a convolution: 3x3, stride 1, padding 1, one group, channels in whole
 * registers. */
bool lp_winograd_fits(const lp_conv *conv);

/* Floats of the packed weights, in conv->weights for lp_winograd_run. */
size_t lp_winograd_packed(const lp_conv *conv);

/* As lp_conv_pack.  room: in * out floats. */
void lp_winograd_pack(const lp_conv *conv, const float *weight, const double *scale, float *room,
                      float *packed);

/* Floats of scratch memory for a run, whatever the number of images. */
size_t lp_winograd_scratch(const lp_conv *conv);

/* As lp_conv_run over dense images [images, side, side, in]. */
void lp_winograd_run(const lp_conv *conv, const float *x, size_t images, size_t side,
                     const float *add, lp_nonlinearity activation, float *y, float *scratch);

#endif
