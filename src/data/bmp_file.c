/* Data stage: BMP files, to the bytes of Pillow's convert("RGB").
 *
 *   1, 4, 8 bits   the palette's colour; black beyond its end
 *   16 bits        5, 5, 5 bits, or 5, 6, 5 where the file's masks say so: v 255 / 31, rounded down
 *   24, 32 bits    blue, green, red, or as the masks say; alpha is left out
 *
 * Rows are padded to 4 bytes and go from the bottom up, unless the height is negative.  Run-length
 * coding is not read. */
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "data/image_file.h"

enum { PIXELS_PER_BYTE = 8, FILE_HEADER = 14, PLAIN = 0, MASKS = 3 };

typedef struct bmp_header {
    size_t size; /* of the header behind the file's */
    size_t height, width, bits;
    bool downwards;
    size_t colors, color_bytes; /* of the palette */
    size_t pixels;              /* where they begin */
    size_t at[3];               /* of 24 and 32 bits: the bytes of red, green and blue */
    bool six_green;             /* of 16 bits */
} bmp_header;

static size_t get(const unsigned char *b, size_t bytes) {
    size_t value = 0;
    for (size_t i = bytes; i > 0; i--) {
        value = value << 8 | b[i - 1];
    }
    return value;
}

static lp_status fail_kind(const lp_image_file *file, lp_error *err, const char *what,
                           size_t value) {
    return lp_fail(err, LP_ERR_UNSUPPORTED, "%s: found a BMP file of %s %zu, which is not read",
                   file->path, what, value);
}

/* Where the masks put red, green and blue, of those layouts that Pillow knows. */
static lp_status read_masks(const lp_image_file *file, bmp_header *h, const unsigned char *masks,
                            lp_error *err) {
    size_t mask[3];
    for (size_t c = 0; c < 3; c++) {
        mask[c] = get(masks + 4 * c, 4);
    }
    if (h->bits == 16 && mask[0] == 0xf800 && mask[1] == 0x7e0 && mask[2] == 0x1f) {
        h->six_green = true;
        return LP_OK;
    }
    if (h->bits == 16 && mask[0] == 0x7c00 && mask[1] == 0x3e0 && mask[2] == 0x1f) {
        return LP_OK;
    }
    if (mask[0] == 0 && mask[1] == 0 && mask[2] == 0 && h->bits == 32) {
        return LP_OK;
    }
    for (size_t c = 0; c < 3; c++) {
        size_t byte = 0;
        while (byte < h->bits / 8 && mask[c] != (size_t)0xff << 8 * byte) {
            byte++;
        }
        if (h->bits < 24 || byte == h->bits / 8) {
            return fail_kind(file, err, "a mask", mask[c]);
        }
        h->at[c] = byte;
    }
    return LP_OK;
}

static lp_status read_fields(const lp_image_file *file, bmp_header *h, lp_error *err) {
    const unsigned char *b = file->bytes + FILE_HEADER;
    bool old = h->size == 12;
    size_t compression = PLAIN, side = old ? 2 : 4;
    h->width = get(b + 4, side);
    h->height = get(b + 4 + side, side);
    h->bits = get(b + 6 + 2 * side, 2);
    h->color_bytes = old ? 3 : 4;
    if (!old) {
        compression = get(b + 16, 4);
        h->colors = get(b + 32, 4);
        h->downwards = b[11] == 0xff;
        h->height = h->downwards ? ((size_t)1 << 32) - h->height : h->height;
    }
    if (h->bits != 1 && h->bits != 4 && h->bits != 8 && h->bits != 16 && h->bits != 24 &&
        h->bits != 32) {
        return fail_kind(file, err, "bits a pixel", h->bits);
    }
    if (compression == MASKS) {
        if (file->size < FILE_HEADER + 40 + 12) {
            return lp_fail(err, LP_ERR_FORMAT, "%s: byte %zu: expected the masks of the colours",
                           file->path, file->size);
        }
        return read_masks(file, h, b + 40, err);
    }
    return compression == PLAIN ? LP_OK : fail_kind(file, err, "compression", compression);
}

static lp_status read_header(const lp_image_file *file, bmp_header *h, lp_error *err) {
    lp_status status;
    *h = (bmp_header){.at = {2, 1, 0}};
    h->size = file->size >= FILE_HEADER + 4 ? get(file->bytes + FILE_HEADER, 4) : 0;
    if (h->size > file->size || h->size + FILE_HEADER > file->size || h->size < 12) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: byte %d: expected a BMP's header", file->path,
                       FILE_HEADER);
    }
    if (h->size != 12 && h->size != 40 && h->size != 52 && h->size != 56 && h->size != 64 &&
        h->size != 108 && h->size != 124) {
        return fail_kind(file, err, "a header of size", h->size);
    }
    LP_TRY(read_fields(file, h, err));
    LP_TRY(lp_image_file_check_size(file, h->height, h->width, PIXELS_PER_BYTE, err));
    size_t behind = FILE_HEADER + h->size;
    h->colors = h->colors > 0 ? h->colors : (size_t)1 << (h->bits <= 8 ? h->bits : 0);
    h->pixels = get(file->bytes + 10, 4);
    if (h->bits <= 8 && (h->colors > 65536 || behind + h->colors * h->color_bytes > file->size)) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: byte %zu: expected a palette of %zu colours",
                       file->path, behind, h->colors);
    }
    if (h->pixels == 0 || (h->pixels == behind && h->bits <= 8)) {
        h->pixels = behind + (h->bits <= 8 ? h->colors * h->color_bytes : 0);
    }
    size_t row = (h->width * h->bits + 31) / 32 * 4; /* the last one may lack its padding */
    if (h->pixels > file->size ||
        file->size - h->pixels < row * (h->height - 1) + (h->width * h->bits + 7) / 8) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s: byte %zu: expected more of the image, found the end of the file",
                       file->path, file->size);
    }
done:
    return status;
}

/* Pixel x of a row of at most 8 bits a pixel. */
static size_t index_at(const unsigned char *row, size_t x, size_t bits) {
    size_t each = 8 / bits;
    return (size_t)(row[x / each] >> (8 - bits * (x % each + 1))) & (((size_t)1 << bits) - 1);
}

static void read_pixel(const lp_image_file *file, const bmp_header *h, const unsigned char *row,
                       size_t x, unsigned char *rgb) {
    if (h->bits <= 8) {
        size_t index = index_at(row, x, h->bits);
        const unsigned char *color = file->bytes + FILE_HEADER + h->size + index * h->color_bytes;
        for (size_t c = 0; c < 3; c++) {
            rgb[c] = index < h->colors ? color[2 - c] : 0;
        }
    } else if (h->bits == 16) {
        size_t v = get(row + 2 * x, 2), green = h->six_green ? 63 : 31;
        rgb[0] = (unsigned char)((v >> (h->six_green ? 11 : 10) & 31) * 255 / 31);
        rgb[1] = (unsigned char)((v >> 5 & green) * 255 / green);
        rgb[2] = (unsigned char)((v & 31) * 255 / 31);
    } else {
        for (size_t c = 0; c < 3; c++) {
            rgb[c] = row[x * h->bits / 8 + h->at[c]];
        }
    }
}

lp_status lp_bmp_decode(const lp_image_file *file, size_t *height, size_t *width,
                        unsigned char *rgb, lp_error *err) {
    bmp_header h;
    lp_status status = read_header(file, &h, err);
    *height = h.height;
    *width = h.width;
    if (status != LP_OK || rgb == NULL) {
        return status;
    }
    size_t stride = (h.width * h.bits + 31) / 32 * 4;
    for (size_t y = 0; y < h.height; y++) {
        size_t from = h.downwards ? y : h.height - 1 - y;
        for (size_t x = 0; x < h.width; x++) {
            read_pixel(file, &h, file->bytes + h.pixels + from * stride, x,
                       rgb + 3 * (y * h.width + x));
        }
    }
    return LP_OK;
}
