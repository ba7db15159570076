/* One image file in memory: recognised by its first bytes; its pixels are those that
 * Pillow's Image.open(file).convert("RGB") gives.  PNG, JPEG, GIF, WebP, BMP, PPM. */
#ifndef LP_DATA_IMAGE_FILE_H
#define LP_DATA_IMAGE_FILE_H

#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"

/* A side's most pixels, and an image's (Pillow's own limit: twice MAX_IMAGE_PIXELS). */
enum { LP_IMAGE_FILE_SIDE_MAX = 65535, LP_IMAGE_FILE_PIXELS_MAX = 178956970 };

typedef struct lp_image_file {
    const char *path; /* for messages */
    const unsigned char *bytes;
    size_t size;
} lp_image_file;

/* Height and width as the file's header has them, within the bounds above.
 *
 * This and decoding: LP_ERR_FORMAT for a file that is broken, no image at all or too large,
 * LP_ERR_UNSUPPORTED for an image of another format or kind. */
LP_MUST_USE lp_status lp_image_file_size(const lp_image_file *file, size_t *height, size_t *width,
                                         lp_error *err);

/* Decodes into rgb, uint8 [height, width, 3], which must be the size that lp_image_file_size gives.
 */
LP_MUST_USE lp_status lp_image_file_decode(const lp_image_file *file, unsigned char *rgb,
                                           lp_error *err);

/* The formats, for the two functions above.  With rgb NULL only the header is read. */
LP_MUST_USE lp_status lp_png_decode(const lp_image_file *file, size_t *height, size_t *width,
                                    unsigned char *rgb, lp_error *err);
LP_MUST_USE lp_status lp_jpeg_decode(const lp_image_file *file, size_t *height, size_t *width,
                                     unsigned char *rgb, lp_error *err);

LP_MUST_USE lp_status lp_ppm_decode(const lp_image_file *file, size_t *height, size_t *width,
                                    unsigned char *rgb, lp_error *err);
LP_MUST_USE lp_status lp_bmp_decode(const lp_image_file *file, size_t *height, size_t *width,
                                    unsigned char *rgb, lp_error *err);
/* These where the build has their library: LP_HAS_GIFLIB, LP_HAS_WEBP. */
LP_MUST_USE lp_status lp_gif_decode(const lp_image_file *file, size_t *height, size_t *width,
                                    unsigned char *rgb, lp_error *err);
LP_MUST_USE lp_status lp_webp_decode(const lp_image_file *file, size_t *height, size_t *width,
                                     unsigned char *rgb, lp_error *err);

/* Refuses a size beyond the bounds, or of more pixels than the file's bytes can hold, where a byte
 * holds at most pixels_per_byte of them (0: not known). */
LP_MUST_USE lp_status lp_image_file_check_size(const lp_image_file *file, size_t height,
                                               size_t width, size_t pixels_per_byte, lp_error *err);

#endif
