/* Convolutions as linear layers of any precision, over rows that are gathered on the way. */
#ifndef LP_MATH_CONV_LINEAR_H
#define LP_MATH_CONV_LINEAR_H

#include <stdbool.h>
#include <stddef.h>

#include "math/conv.h"
#include "math/linear_any.h"

/* Whether a convolution can run so: one group, channels in whole tiles' runs. */
bool lp_conv_linear_fits(const lp_conv *conv);

/* Inputs of the layer: of every tap. */
size_t lp_conv_linear_inputs(const lp_conv *conv);

/* As lp_conv_pack, for a precision -> packed, lp_linear_any_packed floats for out and the inputs
 * above.  room: out * inputs floats. */
void lp_conv_linear_pack(const lp_conv *conv, lp_precision precision, const float *weight,
                         const double *scale, float *room, float *packed);

/* Floats of scratch memory of a run, whatever the number of images. */
size_t lp_conv_linear_scratch(const lp_conv *conv, lp_precision precision);

/* As lp_conv_run, with the layer of those weights and the convolution's bias; add: y += the
 * convolution, before the activation. */
void lp_conv_linear_run(const lp_conv *conv, const lp_packed_linear *layer, const lp_conv_input *in,
                        bool add, lp_nonlinearity activation, float *y, float *scratch);

#endif
