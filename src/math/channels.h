/* What whole channels of an image decide: norms and gates over all pixels. */
#ifndef LP_MATH_CHANNELS_H
#define LP_MATH_CHANNELS_H

#include <stddef.h>

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

#endif
