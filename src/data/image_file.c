/* Data stage: an image file's format, recognised by its first bytes as Pillow does it, whatever the
 * name says. */
#include "data/image_file.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

typedef lp_status (*decoder)(const lp_image_file *file, size_t *height, size_t *width,
                             unsigned char *rgb, lp_error *err);

/* NULL and the library's package where the build lacks it. */
#ifdef LP_HAS_GIFLIB
#define GIF lp_gif_decode, NULL
#else
#define GIF NULL, "giflib (libgif-dev)"
#endif
#ifdef LP_HAS_WEBP
#define WEBP lp_webp_decode, NULL
#else
#define WEBP NULL, "libwebp (libwebp-dev)"
#endif

static const struct {
    const char *start;
    size_t length;
    const char *name;
    decoder decode;      /* NULL: not read */
    const char *library; /* without which it is not read; NULL: none would help */
} formats[] = {
    {"\x89PNG\r\n\x1a\n", 8, "PNG", lp_png_decode, NULL},
    {"\xff\xd8\xff", 3, "JPEG", lp_jpeg_decode, NULL},
    {"GIF8", 4, "GIF", GIF},
    {"RIFF", 4, "WebP", WEBP},
    {"BM", 2, "BMP", lp_bmp_decode, NULL},
    {"P1", 2, "PBM", lp_ppm_decode, NULL},
    {"P2", 2, "PGM", lp_ppm_decode, NULL},
    {"P3", 2, "PPM", lp_ppm_decode, NULL},
    {"P4", 2, "PBM", lp_ppm_decode, NULL},
    {"P5", 2, "PGM", lp_ppm_decode, NULL},
    {"P6", 2, "PPM", lp_ppm_decode, NULL},
    {"II*\0", 4, "TIFF", NULL, NULL},
    {"MM\0*", 4, "TIFF", NULL, NULL},
};
#undef GIF
#undef WEBP

static const char known[] = "PNG, JPEG, GIF, WebP, BMP, PBM, PGM or PPM";

static lp_status fail_unknown(const lp_image_file *file, lp_error *err) {
    char found[64] = "";
    if (file->size == 0) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: expected a %s, found an empty file", file->path,
                       known);
    }
    if (file->size >= 8 && memcmp(file->bytes + 4, "ftyp", 4) == 0) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: found an AVIF or HEIC image, or a film; expected a %s", file->path,
                       known);
    }
    for (size_t i = 0; i < file->size && i < 8; i++) {
        (void)snprintf(found + 3 * i, sizeof found - 3 * i, " %02x", file->bytes[i]);
    }
    return lp_fail(err, LP_ERR_FORMAT,
                   "%s: expected a %s, found no image: it starts with the bytes%s", file->path,
                   known, found);
}

static lp_status find_decoder(const lp_image_file *file, decoder *decode, lp_error *err) {
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        if (file->size >= formats[i].length &&
            memcmp(file->bytes, formats[i].start, formats[i].length) == 0) {
            *decode = formats[i].decode;
            if (*decode == NULL && formats[i].library != NULL) {
                return lp_fail(err, LP_ERR_UNSUPPORTED,
                               "%s: found a %s file; this program was built without %s", file->path,
                               formats[i].name, formats[i].library);
            }
            return *decode != NULL
                       ? LP_OK
                       : lp_fail(err, LP_ERR_UNSUPPORTED, "%s: found a %s file; expected a %s",
                                 file->path, formats[i].name, known);
        }
    }
    return fail_unknown(file, err);
}

lp_status lp_image_file_check_size(const lp_image_file *file, size_t height, size_t width,
                                   size_t pixels_per_byte, lp_error *err) {
    if (height < 1 || width < 1 || height > LP_IMAGE_FILE_SIDE_MAX ||
        width > LP_IMAGE_FILE_SIDE_MAX) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected sides from 1 to %d pixels, found %zu x %zu", file->path,
                       LP_IMAGE_FILE_SIDE_MAX, width, height);
    }
    if (width * height > LP_IMAGE_FILE_PIXELS_MAX) { /* below 2^32 */
        return lp_fail(err, LP_ERR_FORMAT, "%s: %zu x %zu pixels, expected at most %d together",
                       file->path, width, height, LP_IMAGE_FILE_PIXELS_MAX);
    }
    if (pixels_per_byte > 0 && height * width / pixels_per_byte > file->size) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: claims %zu x %zu pixels, but %zu bytes cannot hold them", file->path,
                       width, height, file->size);
    }
    return LP_OK;
}

lp_status lp_image_file_size(const lp_image_file *file, size_t *height, size_t *width,
                             lp_error *err) {
    decoder decode;
    lp_status status = find_decoder(file, &decode, err);
    return status == LP_OK ? decode(file, height, width, NULL, err) : status;
}

lp_status lp_image_file_decode(const lp_image_file *file, unsigned char *rgb, lp_error *err) {
    decoder decode;
    size_t height, width;
    lp_status status = find_decoder(file, &decode, err);
    return status == LP_OK ? decode(file, &height, &width, rgb, err) : status;
}
