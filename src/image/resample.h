/* Resampling of 8-bit RGB images by separable filters, equal to Pillow's Image.resize, or in
 * float32 as PyTorch's interpolate with antialias.
 *
 *     lp_resample resample;  // init: once for images of a size; begin: once for each image
 *     LP_TRY(lp_resample_init(&resample, LP_RESAMPLE_BYTES, filter, &down, &across, err));
 *     lp_resample_begin(&resample, rgb);
 *     for (size_t y = 0; y < down.count; y++) {
 *         lp_resample_row(&resample, y, row); // of LP_RESAMPLE_FLOATS lp_resample_row_floats
 *     }
 *     lp_resample_clear(&resample);
 *
 * Only the window of the result that is asked for is computed, so a crop costs no more than it
 * keeps. */
#ifndef LP_IMAGE_RESAMPLE_H
#define LP_IMAGE_RESAMPLE_H

#include <stddef.h>
#include <stdint.h>
#include "base/memory.h"
#include "linprobe/image.h"

enum { LP_IMAGE_SIDE_MAX = 65535 };

/* What the passes give. */
typedef enum lp_resample_kind { LP_RESAMPLE_BYTES, LP_RESAMPLE_FLOATS } lp_resample_kind;

/* What is asked of one axis: of out_size positions, made from in_size, `count` from `start`. */
typedef struct lp_resample_side {
    size_t in_size;  /* 1 to 65535 */
    size_t out_size; /* 1 to 65535 * 65535 */
    size_t start;
    size_t count; /* 1 to out_size - start */
} lp_resample_side;

/* For each of `count` output positions: `used[i]` weights over the input positions from
 * begin + first[i].  The ranges' beginnings and ends never decrease with i. */
typedef struct lp_resample_axis {
    size_t count;
    size_t begin, span; /* the input positions that are read: `span` of them from `begin` */
    size_t taps;        /* room for weights of one output position */
    size_t *first;      /* [count]; first[0] is 0 */
    size_t *used;       /* [count], each from 1 to taps */
    /* [count, taps], of bytes in fixed point; the other one is NULL */
    int32_t *weights;
    float *float_weights;
} lp_resample_axis;

/* A resize of images of one size. */
typedef struct lp_resample {
    lp_resample_kind kind;
    lp_resample_axis down, across;
    bool down_first;           /* the vertical pass is the first one */
    size_t in_width;           /* of the image */
    const unsigned char *from; /* what the vertical pass reads of the image that was begun */
    size_t stride;             /* bytes from one row of it to the next */
    unsigned char *between; /* after the first pass: the rows [down.span, across.count, 3] that the
                               vertical one reads, or one row [across.span, 3] */
    int32_t *sums;          /* of one row of the vertical pass */
    float *float_between;   /* of floats, which have no between and no sums: the rows after the
                               horizontal pass, [down.span, across.count, 3] */
    lp_memory memory;
} lp_resample;

/* Pillow's rule for the order of the passes since version 13.0 (ImagingResampleInner of
 * src/libImaging/Resample.c): the vertical pass is the first one if the height shrinks, and by more
 * than twice as many pixels as the width.  A width that grows shrinks by less than 0. */
bool lp_resample_down_first(const lp_resample_side *down, const lp_resample_side *across);

/* Everything but the pixels.  LP_ERR_MEMORY: nothing is left to free then.  The image that a resize
 * was begun with must stay until its last row. */
LP_MUST_USE lp_status lp_resample_init(lp_resample *resample, lp_resample_kind kind,
                                       lp_filter filter, const lp_resample_side *down,
                                       const lp_resample_side *across, lp_error *err);

/* Takes an image, uint8 [down.in_size, across.in_size, 3]. */
void lp_resample_begin(lp_resample *resample, const unsigned char *rgb);

/* Row y of the window, 0 to down.count - 1, of the image that was begun: uint8 [across.count, 3].
 */
void lp_resample_row(lp_resample *resample, size_t y, unsigned char *out);

/* The same of floats: float32 [across.count, 3], in units of a byte; a filter with negative weights
 * may give less than 0 and more than 255. */
void lp_resample_row_floats(const lp_resample *resample, size_t y, float *out);

/* Leaves it {0}, which may be cleared again. */
void lp_resample_clear(lp_resample *resample);

#endif
