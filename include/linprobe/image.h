/* linprobe/image.h: from 8-bit pixels to an encoder's input, equal to Pillow and torchvision to the
 * last bit.
 *
 *     static unsigned char rgb[32 * 32 * 3];
 *     static float input[3 * 224 * 224];
 *     const lp_preprocess half = {.resize = 224, .crop = 224, .filter = LP_FILTER_BICUBIC,
 *                                 .squash = false,
 *                                 .mean = {0.5F, 0.5F, 0.5F}, .std = {0.5F, 0.5F, 0.5F}};
 *     lp_error err;
 *     lp_preprocessor *p;
 *     lp_status status = lp_preprocessor_new(&half, &p, &err);
 *     if (status == LP_OK)
 *         status = lp_preprocessor_run(p, rgb, 32, 32, input, &err);
 *     if (status != LP_OK)
 *         fprintf(stderr, "%s\n", err.text);
 *     lp_preprocessor_free(p);
 */
#ifndef LINPROBE_IMAGE_H
#define LINPROBE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Pillow's filters of these names; all widen when an image shrinks. */
typedef enum lp_filter {
    LP_FILTER_BICUBIC,  /* Keys' cubic, a = -1/2, support 2 */
    LP_FILTER_BILINEAR, /* triangle, support 1 */
    LP_FILTER_LANCZOS   /* sinc times sinc, support 3 */
} lp_filter;

/* The names in the order of the enum, NULL at the end: "bicubic", "bilinear", "lanczos". */
extern const char *const lp_filter_names[];

/* One of them; NULL for any other number. */
const char *lp_filter_name(lp_filter filter);

/* What is done to an image, in this order: resize so that the shorter side is `resize` pixels
 * (the longer one is floor(resize * long / short)), or with squash both sides; crop the centre
 * crop x crop, with black pixels round an image that is smaller; divide by 255, subtract mean,
 * divide by std (float32 each, channels R, G, B). */
typedef struct lp_preprocess {
    size_t resize; /* 1 to 65535 */
    size_t crop;   /* 1 to 65535 */
    lp_filter filter;
    bool squash;   /* do not keep the aspect ratio */
    float mean[3]; /* finite */
    float std[3];  /* finite, positive */
} lp_preprocess;

/* Resizes rgb, uint8 [in_height, in_width, 3], to out, uint8 [out_height, out_width, 3], as
 * Pillow's Image.resize does: horizontal pass, then vertical, 8 bits between them, 22-bit
 * fixed-point coefficients (Pillow src/libImaging/Resample.c, versions 2.7 to 12; 13 begins with
 * the vertical pass when the height shrinks by more than twice what the width does).  All sizes
 * from 1 to 65535.  rgb and out must not overlap.  Thread-safe.  LP_ERR_ARGUMENT: another size, or
 * an unknown filter.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_image_resize(lp_filter filter, const unsigned char *rgb, size_t in_height,
                                      size_t in_width, unsigned char *out, size_t out_height,
                                      size_t out_width, lp_error *err);

/* One thread's preprocessing: keeps the coefficients and buffers of the last image size, so that
 * further images of that size need no memory. */
typedef struct lp_preprocessor lp_preprocessor;

/* LP_ERR_ARGUMENT: a value outside the ranges above.  LP_ERR_MEMORY.  *out is NULL then. */
LP_MUST_USE lp_status lp_preprocessor_new(const lp_preprocess *what, lp_preprocessor **out,
                                          lp_error *err);
void lp_preprocessor_free(lp_preprocessor *p); /* NULL is allowed */

/* rgb: uint8 [height, width, 3], sides from 1 to 65535.  out: float32 [3, crop, crop].
 * LP_ERR_ARGUMENT: another size.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_preprocessor_run(lp_preprocessor *p, const unsigned char *rgb,
                                          size_t height, size_t width, float *out, lp_error *err);

#ifdef __cplusplus
}
#endif
#endif
