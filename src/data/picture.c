/* Data stage: an image file's format, told by its first bytes as Pillow tells it, whatever the name
 * says. */
#include "data/picture.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

typedef lp_status (*decoder)(const lp_picture *picture, size_t *height, size_t *width,
                             unsigned char *rgb, lp_error *err);

static const struct {
    const char *start;
    size_t length;
    const char *name;
    decoder decode; /* NULL: not read */
} formats[] = {
    {"\x89PNG\r\n\x1a\n", 8, "PNG", lp_png_decode},
    {"\xff\xd8\xff", 3, "JPEG", lp_jpeg_decode},
    {"GIF8", 4, "GIF", NULL},
    {"BM", 2, "BMP", NULL},
    {"RIFF", 4, "WebP", NULL},
    {"II*\0", 4, "TIFF", NULL},
    {"MM\0*", 4, "TIFF", NULL},
    {"P2\n", 3, "PGM", NULL},
    {"P3\n", 3, "PPM", NULL},
    {"P5", 2, "PGM", NULL},
    {"P6", 2, "PPM", NULL},
};

static lp_status fail_unknown(const lp_picture *picture, lp_error *err) {
    char found[64] = "";
    if (picture->size == 0) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: expected a PNG or JPEG, found an empty file",
                       picture->path);
    }
    for (size_t i = 0; i < picture->size && i < 8; i++) {
        (void)snprintf(found + 3 * i, sizeof found - 3 * i, " %02x", picture->bytes[i]);
    }
    return lp_fail(err, LP_ERR_FORMAT,
                   "%s: expected a PNG or JPEG, found no image: it starts with the bytes%s",
                   picture->path, found);
}

static lp_status find_decoder(const lp_picture *picture, decoder *decode, lp_error *err) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (picture->size >= formats[i].length &&
            memcmp(picture->bytes, formats[i].start, formats[i].length) == 0) {
            *decode = formats[i].decode;
            return *decode != NULL ? LP_OK
                                   : lp_fail(err, LP_ERR_UNSUPPORTED,
                                             "%s: found a %s file; only PNG and JPEG are read",
                                             picture->path, formats[i].name);
        }
    }
    return fail_unknown(picture, err);
}

lp_status lp_picture_check_size(const lp_picture *picture, size_t height, size_t width,
                                lp_error *err) {
    if (height < 1 || width < 1 || height > LP_PICTURE_SIDE_MAX || width > LP_PICTURE_SIDE_MAX) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected sides from 1 to %d pixels, found %zu x %zu", picture->path,
                       LP_PICTURE_SIDE_MAX, width, height);
    }
    if (width * height > LP_PICTURE_PIXELS_MAX) { /* below 2^32 */
        return lp_fail(err, LP_ERR_FORMAT, "%s: %zu x %zu pixels, expected at most %d together",
                       picture->path, width, height, LP_PICTURE_PIXELS_MAX);
    }
    return LP_OK;
}

lp_status lp_picture_size(const lp_picture *picture, size_t *height, size_t *width, lp_error *err) {
    decoder decode;
    lp_status status = find_decoder(picture, &decode, err);
    return status == LP_OK ? decode(picture, height, width, NULL, err) : status;
}

lp_status lp_picture_decode(const lp_picture *picture, unsigned char *rgb, lp_error *err) {
    decoder decode;
    size_t height, width;
    lp_status status = find_decoder(picture, &decode, err);
    return status == LP_OK ? decode(picture, &height, &width, rgb, err) : status;
}
