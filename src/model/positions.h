/* A square of position embeddings for another number of patches. */
#ifndef LP_MODEL_POSITIONS_H
#define LP_MODEL_POSITIONS_H

#include <stddef.h>
#include "linprobe/status.h"

/* How a family resizes its positions; all have align_corners=False. */
typedef enum lp_resize {
    LP_RESIZE_ANTIALIAS, /* a = -1/2, widened where it shrinks: F.interpolate(antialias=True) */
    LP_RESIZE_PLAIN,     /* a = -3/4, 4 taps: F.interpolate */
    LP_RESIZE_BILINEAR,  /* as ANTIALIAS, with a triangle */
    LP_RESIZE_NUDGED     /* as PLAIN, with scale_factor (to + 0.1) / from instead of the size */
} lp_resize;

/* from float32 [from_side^2, width] -> to float32 [to_side^2, width].  Equal sides: a copy. */
LP_MUST_USE lp_status lp_positions_resize(lp_resize how, const float *from, size_t from_side,
                                          float *to, size_t to_side, size_t width, lp_error *err);

#endif
