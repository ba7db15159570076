/* 3x3 convolutions with 2.25 times fewer multiplications, by Winograd's minimal filtering. */
#ifndef LP_MATH_WINOGRAD_H
#define LP_MATH_WINOGRAD_H

#include <stdbool.h>
#include <stddef.h>
#include "math/conv.h"
#include "math/linear_any.h"

/* Whether this way serves a convolution: 3x3, stride 1, padding 1, one group, channels in whole
 * registers. */
bool lp_winograd_fits(const lp_conv *conv);

/* Floats of the packed weights, in conv->weights for lp_winograd_run. */
size_t lp_winograd_packed(const lp_conv *conv);

/* As lp_conv_pack.  room: in * out floats. */
void lp_winograd_pack(const lp_conv *conv, const float *weight, const double *scale, float *room,
                      float *packed);

/* The same for other precisions: u [out, in] of product `plane`, to be packed as a linear layer. */
enum { LP_WINOGRAD_PLANES = 16 };
void lp_winograd_transform(const lp_conv *conv, const float *weight, const double *scale,
                           size_t plane, float *u);

/* Floats of scratch memory for a run, whatever the number of images. */
size_t lp_winograd_scratch(const lp_conv *conv);
size_t lp_winograd_linear_scratch(const lp_conv *conv, lp_precision precision);

/* As lp_conv_run over dense images [images, side, side, in]. */
void lp_winograd_run(const lp_conv *conv, const float *x, size_t images, size_t side,
                     const float *add, lp_nonlinearity activation, float *y, float *scratch);

/* The same by linear layers [LP_WINOGRAD_PLANES], without biases; conv->bias and zeros count. */
void lp_winograd_linear_run(const lp_conv *conv, const lp_packed_linear *planes, const float *x,
                            size_t images, size_t side, const float *add,
                            lp_nonlinearity activation, float *y, float *scratch);

#endif
