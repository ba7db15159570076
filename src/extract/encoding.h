/* What an encoder does to an image, as provenance records it; and the normalisation of features. */
#ifndef LP_EXTRACT_ENCODING_H
#define LP_EXTRACT_ENCODING_H

#include <stddef.h>
#include "linprobe/encoder.h"
#include "linprobe/provenance.h"

/* Everything but whether features are normalised; the rule of the resize as of images of any size.
 * The texts live as long as the encoder. */
void lp_encoding_describe(const lp_encoder *encoder, lp_feature_point point, lp_encoding *out);

/* x / |x|, the norm summed in float64. */
void lp_feature_normalize(float *x, size_t width);

#endif
