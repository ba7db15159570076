/* Data stage: PBM, PGM and PPM files ("P1" to "P6"), to the bytes of Pillow's convert("RGB").
 *
 *   P1, P4   one bit a pixel, 1 is black
 *   P2, P5   grey: v 255 / maxval; above a maxval of 255 v 65535 / maxval, then min(., 255), since
 *            Pillow's mode "I" is clipped, not scaled
 *   P3, P6   red, green, blue: v 255 / maxval
 *
 * Quotients are rounded, halves to the even neighbour.  A value above maxval is an error in plain
 * text, and the largest in binary, as in Pillow. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "data/image_file.h"

enum { PIXELS_PER_BYTE = 8, TOKEN_MOST = 10, VALUE_MOST = 65535 };

typedef struct ppm_reader {
    const lp_image_file *file;
    size_t at;
    lp_error *err;
} ppm_reader;

static bool is_space(unsigned char c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* To the next byte that is neither blank nor in a comment. */
static void skip_blanks(ppm_reader *r) {
    const lp_image_file *f = r->file;
    while (r->at < f->size && (is_space(f->bytes[r->at]) || f->bytes[r->at] == '#')) {
        bool comment = f->bytes[r->at] == '#';
        r->at++;
        while (comment && r->at < f->size && f->bytes[r->at] != '\n' && f->bytes[r->at] != '\r') {
            r->at++;
        }
    }
}

static lp_status fail_early(const ppm_reader *r) {
    return lp_fail(r->err, LP_ERR_FORMAT,
                   "%s: byte %zu: expected more of the image, found the end of the file",
                   r->file->path, r->file->size);
}

/* A whole number from low to high, and the one blank behind it in a header. */
static lp_status read_number(ppm_reader *r, size_t low, size_t high, size_t *value) {
    skip_blanks(r);
    size_t start = r->at, digits = 0;
    *value = 0;
    while (r->at < r->file->size && r->file->bytes[r->at] >= '0' && r->file->bytes[r->at] <= '9' &&
           digits < TOKEN_MOST) {
        *value = 10 * *value + (size_t)(r->file->bytes[r->at++] - '0');
        digits++;
    }
    if (digits == 0 && start >= r->file->size) {
        return fail_early(r);
    }
    bool ended =
        r->at >= r->file->size || is_space(r->file->bytes[r->at]) || r->file->bytes[r->at] == '#';
    if (digits == 0 || !ended || *value < low || *value > high) {
        return lp_fail(r->err, LP_ERR_FORMAT,
                       "%s: byte %zu: expected a whole number from %zu to %zu", r->file->path,
                       start, low, high);
    }
    return LP_OK;
}

static unsigned char scaled(size_t value, size_t maxval, bool grey) {
    double most = grey && maxval > 255 ? VALUE_MOST : 255;
    double v = rint((double)value / (double)maxval * most);
    return (unsigned char)(v > 255 ? 255 : v);
}

/* The next value of an image in plain text. */
static lp_status read_plain(ppm_reader *r, bool bits, size_t maxval, size_t *value) {
    if (!bits) {
        return read_number(r, 0, maxval, value);
    }
    skip_blanks(r); /* bits need no blanks between them */
    if (r->at >= r->file->size) {
        return fail_early(r);
    }
    *value = (size_t)(r->file->bytes[r->at] - '0');
    if (*value > 1) {
        return lp_fail(r->err, LP_ERR_FORMAT, "%s: byte %zu: expected 0 or 1", r->file->path,
                       r->at);
    }
    r->at++;
    return LP_OK;
}

/* The pixels of kind '1' to '6' into rgb. */
static lp_status read_pixels(ppm_reader *r, int kind, size_t height, size_t width, size_t maxval,
                             unsigned char *rgb) {
    bool plain = kind <= '3', bits = kind == '1' || kind == '4';
    size_t bands = kind == '3' || kind == '6' ? 3 : 1, deep = maxval > 255 ? 2 : 1;
    size_t row = bits ? (width + 7) / 8 : width * bands * deep, value = 0;
    lp_status status = LP_OK;
    if (!plain && r->file->size - r->at < row * height) {
        return fail_early(r);
    }
    for (size_t i = 0; i < height * width * bands; i++) {
        const unsigned char *b = r->file->bytes + r->at;
        if (plain) {
            LP_TRY(read_plain(r, bits, maxval, &value));
        } else if (bits) {
            size_t x = i % width;
            value = b[i / width * row + x / 8] >> (7 - x % 8) & 1;
        } else {
            value = deep == 2 ? (size_t)b[2 * i] << 8 | b[2 * i + 1] : b[i];
        }
        unsigned char v = bits ? (value > 0 ? 0 : 255) : scaled(value, maxval, bands == 1);
        if (bands == 3) {
            rgb[i] = v;
        } else {
            rgb[3 * i] = rgb[3 * i + 1] = rgb[3 * i + 2] = v;
        }
    }
done:
    return status;
}

lp_status lp_ppm_decode(const lp_image_file *file, size_t *height, size_t *width,
                        unsigned char *rgb, lp_error *err) {
    ppm_reader r = {.file = file, .at = 2, .err = err};
    int kind = file->bytes[1];
    size_t maxval = 1;
    lp_status status;
    if (file->size < 3 || !is_space(file->bytes[2])) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: byte 2: expected a blank behind P%c", file->path,
                       kind);
    }
    LP_TRY(read_number(&r, 0, LP_IMAGE_FILE_SIDE_MAX, width));
    LP_TRY(read_number(&r, 0, LP_IMAGE_FILE_SIDE_MAX, height));
    if (kind != '1' && kind != '4') {
        LP_TRY(read_number(&r, 1, VALUE_MOST, &maxval));
    }
    r.at++; /* the one blank before the pixels */
    LP_TRY(lp_image_file_check_size(file, *height, *width, PIXELS_PER_BYTE, err));
    if (r.at > file->size) {
        LP_TRY(fail_early(&r));
    }
    if (rgb != NULL) {
        status = read_pixels(&r, kind, *height, *width, maxval, rgb);
    }
done:
    return status;
}
