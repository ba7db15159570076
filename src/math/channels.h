/* What whole channels of an image decide: norms and gates over all pixels. */
#ifndef LP_MATH_CHANNELS_H
#define LP_MATH_CHANNELS_H

#include <stddef.h>
#include "math/activation.h"

/* Global response normalisation of one image's pixels, tiled (math/tiles.h) [pixels, channels]:
 *
 *   g_c = sqrt(sum over pixels of x_c^2),  n_c = g_c / (mean over channels of g + eps)
 *   x_c = x_c (1 + weight_c n_c) + bias_c
 *
 * (Woo et al., "ConvNeXt V2", 2023.)  Sums are float64, over pixels and over channels in their
 * order.  scratch [channels]. */
void lp_response_norm_tiled(float *x, size_t pixels, size_t channels, const float *weight,
                            const float *bias, float eps, double *scratch);

/* means [channels] = the mean of each channel over the rows of x [pixels, channels], summed in
 * float64 in the order of the pixels.  scratch [channels]. */
void lp_channel_means(const float *x, size_t pixels, size_t channels, double *scratch,
                      float *means);

/* Each row of x [pixels, channels] times factors [channels]. */
void lp_scale_channels(float *x, size_t pixels, size_t channels, const float *factors);

/* y = act(x * scale + shift), channel by channel; x and y [pixels, channels], which may be one. */
void lp_affine_channels(const float *x, size_t pixels, size_t channels, const float *scale,
                        const float *shift, lp_nonlinearity activation, float *y);

/* Group norm of one image as torch.nn.GroupNorm, then the activation: mean and variance of all
 * pixels of channels / groups channels together.  Sums are float64, over the pixels and then over
 * the channels of a group.  scratch [3 channels]; x and y [pixels, channels], which may be one. */
void lp_group_norm(const float *x, size_t pixels, size_t channels, size_t groups,
                   const float *weight, const float *bias, float eps, lp_nonlinearity activation,
                   double *scratch, float *y);

/* x = act(x + other), `count` values. */
void lp_add_values(float *x, const float *other, size_t count, lp_nonlinearity activation);

#endif
