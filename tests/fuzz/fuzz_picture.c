/* An image file of any format: its size, then its pixels where there are not too many; a PNG also
 * with right checksums, which no mutation would find. */
#include "data/image_file.h"
#include "fuzz.h"

static void decode(const uint8_t *bytes, size_t size) {
    enum { PIXELS_MAX = 1 << 20 };
    lp_error err = {0};
    size_t height, width;
    const lp_image_file file = {"file", bytes, size};
    if (!fuzz_succeeds(lp_image_file_size(&file, &height, &width, &err), &err)) {
        return;
    }
    fuzz_require(height > 0 && width > 0, "sides of at least 1");
    fuzz_require(height * width <= LP_IMAGE_FILE_PIXELS_MAX, "a bounded number of pixels");
    if (height * width <= PIXELS_MAX) {
        uint8_t *rgb = malloc(3 * height * width);
        if (rgb != NULL) {
            (void)fuzz_succeeds(lp_image_file_decode(&file, rgb, &err), &err);
        }
        free(rgb);
    }
}

static size_t number(const uint8_t *b) {
    return (size_t)b[0] << 24 | (size_t)b[1] << 16 | (size_t)b[2] << 8 | b[3];
}

/* Chunks: length, name, so many bytes, CRC-32 of name and bytes. */
static void mend_checksums(uint8_t *png, size_t size) {
    for (size_t at = 8; size - at >= 12 && number(png + at) <= size - at - 12;) {
        size_t length = number(png + at);
        uint32_t sum = (uint32_t)crc32_z(0, png + at + 4, length + 4);
        at += length + 8;
        for (int shift = 24; shift >= 0; shift -= 8) {
            png[at++] = (uint8_t)(sum >> shift);
        }
    }
}

static void fuzz_one(fuzz_input input) {
    decode(input.data, input.size);
    if (input.size > 8 && input.data[0] == 0x89) {
        uint8_t *mended = malloc(input.size);
        if (mended != NULL) {
            memcpy(mended, input.data, input.size);
            mend_checksums(mended, input.size);
            decode(mended, input.size);
        }
        free(mended);
    }
}
