/* Depthwise convolutions: each channel by a kernel of its own, float32, over images whose pixels
 * are rows of channels ([images, side, side, channels], densely).
 *
 * The geometry is an lp_conv (math/conv.h) of as many groups as channels, with one input and one
 * output each, or several outputs, and a square kernel of any size. */
#ifndef LP_MATH_DEPTHWISE_H
#define LP_MATH_DEPTHWISE_H

#include <stddef.h>
#include "math/conv.h"

/* Floats of the packed weights, in conv->weights for lp_depthwise_run. */
size_t lp_depthwise_packed(const lp_conv *conv);

/* weight [groups * out, 1, taps, taps] of PyTorch -> packed; scale as lp_conv_pack's.  They do not
 * overlap. */
void lp_depthwise_pack(const lp_conv *conv, const float *weight, const double *scale,
                       float *packed);

/* Floats of scratch memory for a run, whatever the number of images. */
size_t lp_depthwise_scratch(const lp_conv *conv, size_t side);

/* y [images, side', side', groups * out] = act(the convolution, + bias), which overlaps no input. A
 * sum runs over the taps row by row, as one chain of fused multiply-adds from 0 (where the
 * processor has none, products are rounded), whatever the width of the registers. */
void lp_depthwise_run(const lp_conv *conv, const float *x, size_t images, size_t side,
                      lp_nonlinearity activation, float *scratch, float *y);

/* The same of inner(expand x), for x [images, side, side, expand->in], which is made a few rows at
 * a time and never lies in memory whole.  expand: a 1x1 convolution of stride 1 without padding, in
 * one group, of conv->groups outputs; conv: its stride is at most its taps a side.  The bits are
 * those of lp_conv_run and then lp_depthwise_run. */
size_t lp_depthwise_expanded_scratch(const lp_conv *conv, size_t side);
void lp_depthwise_expanded_run(const lp_conv *expand, lp_nonlinearity inner, const lp_conv *conv,
                               const float *x, size_t images, size_t side,
                               lp_nonlinearity activation, float *scratch, float *y);

#endif
