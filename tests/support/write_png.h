/* A PNG file of pixels, complete or not there. */
#ifndef LP_TESTS_WRITE_PNG_H
#define LP_TESTS_WRITE_PNG_H

#include "base/error.h"
#include "base/file.h"
#include "report/png.h"

/* rgb uint8 [height, width, 3]. */
static inline lp_status write_png(const char *path, const unsigned char *rgb, size_t height,
                                  size_t width, lp_error *err) {
    lp_buffer png = {0};
    lp_status status = lp_png_encode(rgb, height, width, &png, err);
    status = status == LP_OK ? lp_file_write(path, png.bytes, png.size, err)
                             : lp_prefix(err, status, "%s: ", path);
    lp_buffer_free(&png);
    return status;
}

#endif
