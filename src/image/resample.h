/* Resampling of 8-bit RGB images by separable filters, equal to Pillow's Image.resize.
 *
 * A resize is two passes, each along one axis.  An lp_resample_axis holds what a pass needs; it may
 * cover only a window of the output, so that a crop costs no more than it keeps. */
#ifndef LP_IMAGE_RESAMPLE_H
#define LP_IMAGE_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>
#include "base/memory.h"
#include "linprobe/image.h"

enum { LP_IMAGE_SIDE_MAX = 65535 };

/* For each of `count` output positions: `used[i]` weights over the input positions from first[i].
 * The ranges' beginnings and ends never decrease with i. */
typedef struct lp_resample_axis {
    size_t count;
    size_t taps;      /* room for weights of one output position */
    size_t *first;    /* [count] */
    size_t *used;     /* [count], each from 1 to taps */
    int32_t *weights; /* [count, taps], fixed point */
    lp_memory memory; /* of these three */
} lp_resample_axis;

/* Prepares output positions start .. start+count-1 of an axis resized from in_size to out_size.
 * axis is {0} or cleared before, and empty after a failure.  Freed by lp_resample_axis_clear. */
LP_MUST_USE lp_status lp_resample_axis_init(lp_resample_axis *axis, lp_filter filter,
                                            size_t in_size, size_t out_size, size_t start,
                                            size_t count, lp_error *err);
void lp_resample_axis_clear(lp_resample_axis *axis);

/* The input positions that the axis reads: *rows of them from *first. */
void lp_resample_axis_span(const lp_resample_axis *axis, size_t *first, size_t *rows);

/* Horizontal pass: in, uint8 [rows, width, 3] -> out, uint8 [rows, axis->count, 3]. */
void lp_resample_rows(const lp_resample_axis *axis, const unsigned char *in, size_t rows,
                      size_t width, unsigned char *out);

/* Vertical pass, one output row (position i of the axis): in, uint8 [span, bytes], begins at the
 * axis's span; out, uint8 [bytes]; sums, int32 [bytes], is scratch memory. */
void lp_resample_line(const lp_resample_axis *axis, size_t i, const unsigned char *in, size_t bytes,
                      int32_t *sums, unsigned char *out);

#endif
