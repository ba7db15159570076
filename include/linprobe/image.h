/* linprobe/image.h: from 8-bit pixels to an encoder's input, equal to Pillow and torchvision to the
 * last bit, except where a model's own preprocessing resizes in float32.
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

/* Pillow's filters of these names; all but the last widen when an image shrinks. */
typedef enum lp_filter {
    LP_FILTER_BICUBIC,  /* Keys' cubic, a = -1/2, support 2 */
    LP_FILTER_BILINEAR, /* triangle, support 1 */
    LP_FILTER_LANCZOS,  /* sinc times sinc, support 3 */
    LP_FILTER_NEAREST   /* the pixel that the centre lies in */
} lp_filter;

/* The names in the order of the enum, NULL at the end: "bicubic", "bilinear", "lanczos",
 * "nearest". */
extern const char *const lp_filter_names[];

/* One of them; NULL for any other number. */
const char *lp_filter_name(lp_filter filter);

/* Where the centre lies if an odd number of pixels is cut off or added.  surplus = size of the
 * resized side - crop. */
typedef enum lp_crop_rule {
    LP_CROP_ROUND, /* from surplus / 2, a half to the even neighbour; an odd black pixel behind:
                      torchvision's CenterCrop, and so OpenAI's CLIP, open_clip and timm */
    LP_CROP_FLOOR  /* from floor(surplus / 2), also where it is below 0, so that an odd black pixel
                      comes before: center_crop of Hugging Face's transformers */
} lp_crop_rule;

/* The names in the order of the enum, NULL at the end: "round", "floor". */
extern const char *const lp_crop_rule_names[];

/* One of them; NULL for any other number. */
const char *lp_crop_rule_name(lp_crop_rule rule);

/* What is done to an image, in this order: resize so that the shorter side is `resize` pixels
 * (the longer one is floor(resize * long / short)), or with squash both sides; crop the centre
 * crop x crop, with black pixels round an image that is smaller; divide by 255, subtract mean,
 * divide by std (float32 each, channels R, G, B).  Another factor f than 1 / 255 is given as
 * mean / (255 f) and std / (255 f).
 *
 * float_resize: the resize is not lp_image_resize's.  It has the same windows and weights, but in
 * float32: the horizontal pass comes first, and nothing is rounded to bytes or clipped.  PyTorch's
 * interpolate does this to a float32 tensor with antialias (ATen/native/cpu/UpSampleKernel.cpp; of
 * LP_FILTER_NEAREST "nearest-exact"), and is reproduced up to the order of the sums. */
typedef struct lp_preprocess {
    size_t resize; /* 1 to 65535 */
    size_t crop;   /* 1 to 65535 */
    lp_filter filter;
    bool squash; /* do not keep the aspect ratio */
    lp_crop_rule crop_rule;
    bool float_resize;
    float mean[3]; /* finite */
    float std[3];  /* finite, positive */
} lp_preprocess;

/* Whether the crop rule changes what becomes of an image of height x width pixels, which is within
 * the ranges of lp_preprocessor_run, as `what` is within its own. */
bool lp_crop_rule_matters(const lp_preprocess *what, size_t height, size_t width);

/* The version of the rule by which a resize chooses its first pass (see lp_image_resize).  It
 * changes when images of some size get other bytes.  Square images are the same by all of them. */
#define LP_RESAMPLE_RULE "pillow-13"

/* Resizes rgb, uint8 [in_height, in_width, 3], to out, uint8 [out_height, out_width, 3], as
 * Pillow's Image.resize does: two passes, 8 bits between them, 22-bit fixed-point coefficients
 * (Pillow 13.0.0, src/libImaging/Resample.c).  The vertical pass is the first one if
 * in_height > out_height and in_height - out_height > 2 (in_width - out_width), else the horizontal
 * one; Pillow before 13.0 always began with that.  All sizes from 1 to 65535.  rgb and out must not
 * overlap.  Thread-safe.  LP_ERR_ARGUMENT: another size, or an unknown filter.  LP_ERR_MEMORY. */
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
