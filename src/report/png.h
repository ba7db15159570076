/* PNG pictures, 8 bits a channel, RGB, by libpng.  The same picture gives the same bytes (one
 * libpng and zlib): no date, no text. */
#ifndef LP_REPORT_PNG_H
#define LP_REPORT_PNG_H

#include <stddef.h>
#include "linprobe/status.h"
#include "report/buffer.h"

/* Appends a picture, rgb uint8 [height, width, 3], to png.  LP_ERR_ARGUMENT for a size that PNG
 * does not have (0, or above 2^31 - 1). */
LP_MUST_USE lp_status lp_png_encode(const unsigned char *rgb, size_t height, size_t width,
                                    lp_buffer *png, lp_error *err);

#endif
