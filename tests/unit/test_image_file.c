/* Image files: the pixels of golden files are Pillow's, and whatever is wrong with a file is
 * said and does no harm. */
#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "check.h"
#include "data/image_file.h"

#include <jpeglib.h> /* needs <stdio.h> before it */

enum { FILES_MAX = 64 };

static lp_error err;

typedef struct golden_file {
    char name[64];
    size_t height, width;
    char digest[LP_DIGEST_HEX];
    char *bytes;
    size_t size;
} golden_file;

static golden_file files[FILES_MAX];
static size_t file_count;

static int load(void **state) {
    (void)state;
    char line[512], path[4096];
    FILE *table = fopen(LP_TEST_DATA "/golden/image_file/files.txt", "r");
    if (table == NULL) {
        return 1;
    }
    while (file_count < FILES_MAX && fgets(line, sizeof line, table) != NULL) {
        golden_file *f = &files[file_count];
        if (line[0] == '#' ||
            sscanf(line, "%63s %zu %zu %64s", f->name, &f->height, &f->width, f->digest) != 4) {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/golden/image_file/%s", LP_TEST_DATA, f->name);
        assert_ok(lp_file_read(path, 1 << 20, &f->bytes, &f->size, &err), &err);
        file_count++;
    }
    (void)fclose(table);
    return file_count != 25;
}

static int unload(void **state) {
    (void)state;
    for (size_t i = 0; i < file_count; i++) {
        lp_free(files[i].bytes);
    }
    return 0;
}

static const golden_file *named(const char *name) {
    for (size_t i = 0; i < file_count; i++) {
        if (strcmp(files[i].name, name) == 0) {
            return &files[i];
        }
    }
    fail_msg("no golden file %s", name);
    return NULL;
}

/* Both steps, as the data set takes them; *rgb is NULL after a failure. */
static lp_status decode(const void *bytes, size_t size, unsigned char **rgb, size_t *height,
                        size_t *width) {
    /* a block of exactly this size, so that a sanitizer sees a read beyond it */
    unsigned char *copy = lp_alloc(size, 1);
    assert_non_null(copy);
    if (size > 0) {
        memcpy(copy, bytes, size);
    }
    const lp_image_file picture = {"picture", copy, size};
    *rgb = NULL;
    lp_status status = lp_image_file_size(&picture, height, width, &err);
    if (status == LP_OK) {
        *rgb = lp_alloc(*height * *width, 3);
        assert_non_null(*rgb);
        status = lp_image_file_decode(&picture, *rgb, &err);
    }
    if (status != LP_OK) {
        lp_free(*rgb);
        *rgb = NULL;
    }
    lp_free(copy);
    return status;
}

static void assert_refused(const void *bytes, size_t size, lp_status status, const char *part) {
    unsigned char *rgb;
    size_t height, width;
    assert_fails(decode(bytes, size, &rgb, &height, &width), status, &err, part);
    assert_null(rgb);
}

static void pixels_are_pillow_s(void **state) {
    (void)state;
    for (size_t i = 0; i < file_count; i++) {
        const golden_file *f = &files[i];
        unsigned char *rgb;
        size_t height, width;
        char hex[LP_DIGEST_HEX];
        assert_ok(decode(f->bytes, f->size, &rgb, &height, &width), &err);
        assert_int_equal(height, f->height);
        assert_int_equal(width, f->width);
        assert_ok(lp_digest_bytes(LP_SHA256, rgb, height * width * 3, hex, &err), &err);
        if (strcmp(hex, f->digest) != 0) {
            fail_msg("%s: expected pixels with SHA-256 %s, found %s", f->name, f->digest, hex);
        }
        lp_free(rgb);
    }
}

static void a_file_cut_anywhere_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < file_count; i++) {
        const golden_file *f = &files[i];
        bool png = strstr(f->name, ".png") != NULL;
        /* what is behind the pixels is not needed, as in Pillow: a PNG's IEND chunk, a JPEG's end
         * marker */
        size_t needed = f->size - (png ? 12 : 2);
        for (size_t size = 0; size < needed; size++) {
            assert_refused(f->bytes, size, LP_ERR_FORMAT, size > 7 && png ? "picture: byte " : "");
        }
        unsigned char *rgb;
        size_t height, width;
        if (png) {
            assert_ok(decode(f->bytes, needed, &rgb, &height, &width), &err);
            lp_free(rgb);
        }
    }
}

static void a_flipped_bit_does_no_harm(void **state) {
    (void)state;
    for (size_t i = 0; i < file_count; i++) {
        const golden_file *f = &files[i];
        for (size_t bit = 0; bit < 8 * f->size; bit += 3) {
            unsigned char *rgb;
            size_t height, width;
            f->bytes[bit / 8] = (char)(f->bytes[bit / 8] ^ 1 << bit % 8);
            /* a JPEG's height may become anything: the picture is there or is refused */
            const lp_image_file picture = {"picture", (const unsigned char *)f->bytes, f->size};
            if (lp_image_file_size(&picture, &height, &width, &err) == LP_OK &&
                height * width < 1 << 20) {
                lp_status status = decode(f->bytes, f->size, &rgb, &height, &width);
                assert_true(status == LP_OK
                                ? rgb != NULL
                                : status == LP_ERR_FORMAT || status == LP_ERR_UNSUPPORTED);
                lp_free(rgb);
            }
            f->bytes[bit / 8] = (char)(f->bytes[bit / 8] ^ 1 << bit % 8);
        }
    }
}

static void other_files_are_named(void **state) {
    (void)state;
    assert_refused("", 0, LP_ERR_FORMAT, "PGM or PPM, found an empty file");
    assert_refused("hello\n", 6, LP_ERR_FORMAT,
                   "found no image: it starts with the bytes 68 65 6c 6c 6f 0a");
    assert_refused("II*\0....", 8, LP_ERR_UNSUPPORTED, "found a TIFF file; expected a PNG");
    assert_refused("....ftypheic", 12, LP_ERR_UNSUPPORTED, "found an AVIF or HEIC image");
    assert_refused("BM......", 8, LP_ERR_FORMAT, "byte 14: expected a BMP's header");
    assert_refused("P6 2 2 255 ....", 15, LP_ERR_FORMAT, "byte 15: expected more of the image");
    assert_refused("P5 2 x 255 ....", 15, LP_ERR_FORMAT, "byte 5: expected a whole number from 0");
    assert_refused("P6\r2 2 256 ....", 15, LP_ERR_FORMAT, "byte 15: expected more");
    assert_refused("P2 1 1 9 10", 11, LP_ERR_FORMAT, "byte 9: expected a whole number from 0 to 9");
    assert_refused("P1 1 1 2", 8, LP_ERR_FORMAT, "byte 7: expected 0 or 1");
    assert_refused("\x89PNG\r\n\x1a\n", 8, LP_ERR_FORMAT,
                   "byte 8: expected a PNG's IHDR chunk, found the end of the file");
    assert_refused("\xff\xd8\xff\xe0", 4, LP_ERR_FORMAT, "byte 4: expected more of the image");
}

/* A PNG's header with these sides; the rest is that of a golden file. */
static void assert_png_sides(uint32_t width, uint32_t height, const char *part) {
    const golden_file *f = named("type2-depth8.png");
    unsigned char bytes[512];
    assert_true(f->size <= sizeof bytes);
    memcpy(bytes, f->bytes, f->size);
    for (size_t i = 0; i < 4; i++) {
        bytes[16 + i] = (unsigned char)(width >> (24 - 8 * i));
        bytes[20 + i] = (unsigned char)(height >> (24 - 8 * i));
    }
    assert_refused(bytes, f->size, LP_ERR_FORMAT, part);
}

static void assert_jpeg_sides(unsigned width, unsigned height, const char *part) {
    const golden_file *f = named("grey.jpg");
    char bytes[1024];
    size_t at = 0;
    assert_true(f->size <= sizeof bytes);
    memcpy(bytes, f->bytes, f->size);
    while (memcmp(bytes + at, "\xff\xc0", 2) != 0) {
        at++;
    }
    bytes[at + 5] = (char)(height >> 8);
    bytes[at + 6] = (char)(height & 255);
    bytes[at + 7] = (char)(width >> 8);
    bytes[at + 8] = (char)(width & 255);
    assert_refused(bytes, f->size, LP_ERR_FORMAT, part);
}

/* A file of three components without its last one: of the segment's bytes, three of the frame's and
 * two of the scan's. */
static size_t drop_component(unsigned char *bytes, size_t size, unsigned char marker,
                             size_t count_at, size_t each) {
    size_t at = 0;
    while (bytes[at] != 0xff || bytes[at + 1] != marker) {
        at++;
    }
    size_t last = at + count_at + 1 + 2 * each;
    assert_int_equal(bytes[at + count_at], 3);
    bytes[at + 3] = (unsigned char)(bytes[at + 3] - each);
    bytes[at + count_at]--;
    memmove(bytes + last, bytes + last + each, size - last - each);
    return size - each;
}

static void a_jpeg_of_two_components_is_refused(void **state) {
    (void)state;
    const golden_file *f = named("baseline-444.jpg");
    unsigned char bytes[4096];
    assert_true(f->size <= sizeof bytes);
    memcpy(bytes, f->bytes, f->size);
    size_t size = drop_component(bytes, f->size, 0xc0, 9, 3);
    size = drop_component(bytes, size, 0xda, 4, 2);
    assert_refused(bytes, size, LP_ERR_UNSUPPORTED,
                   "expected a JPEG of 1, 3 or 4 components, found 2");
}

static void bombs_are_refused_by_their_header(void **state) {
    (void)state;
    assert_png_sides(0, 5, "expected sides from 1 to 65535 pixels, found 0 x 5");
    assert_png_sides(65536, 1, "expected sides from 1 to 65535 pixels, found 65536 x 1");
    assert_png_sides(0xffffffff, 0xffffffff, "found 4294967295 x 4294967295");
    assert_png_sides(13378, 13378, "13378 x 13378 pixels, expected at most 178956970 together");
    assert_png_sides(13377, 13377, "claims 13377 x 13377 pixels, but ");
    assert_jpeg_sides(60000, 3000, "60000 x 3000 pixels, expected at most 178956970 together");
    assert_jpeg_sides(5000, 5000, "claims 5000 x 5000 pixels, but ");
    assert_jpeg_sides(65535, 1, "65500"); /* libjpeg's own bound */
}

/* 694 scans of an 8 x 8 image, which libjpeg makes and reads. */
static void too_many_scans_are_refused(void **state) {
    (void)state;
    static jpeg_scan_info scans[1 + 63 * 11];
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL, row[8] = {0, 9, 80, 255, 7, 90, 30, 200};
    unsigned long size = 0;
    JSAMPROW rows[] = {row};
    size_t count = 0;
    scans[count++] = (jpeg_scan_info){.comps_in_scan = 1};
    for (int k = 1; k < 64; k++) {
        for (int low = 10; low >= 0; low--) {
            scans[count++] = (jpeg_scan_info){
                .comps_in_scan = 1, .Ss = k, .Se = k, .Ah = low < 10 ? low + 1 : 0, .Al = low};
        }
    }
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &size);
    jpeg.image_width = jpeg.image_height = 8;
    jpeg.input_components = 1;
    jpeg.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg.scan_info = scans;
    jpeg.num_scans = (int)count;
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < 8; y++) {
        (void)jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_refused(bytes, size, LP_ERR_FORMAT, "more than 500 scans");
    free(bytes);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    static const char *const names[] = {"type2-depth8-interlaced.png", "type3-depth4.png",
                                        "grey.jpg", "cmyk.jpg"};
    static unsigned char rgb[32 * 32 * 3];
    for (size_t i = 0; i < 4; i++) {
        const golden_file *f = named(names[i]);
        const lp_image_file picture = {f->name, (const unsigned char *)f->bytes, f->size};
        lp_status status = LP_ERR_MEMORY;
        size_t k;
        assert_true(f->height * f->width * 3 <= sizeof rgb);
        for (k = 0; status != LP_OK; k++) {
            (void)lp_alloc_fail_at(k + 1);
            status = lp_image_file_decode(&picture, rgb, &err);
            assert_true(status == LP_OK || status == LP_ERR_MEMORY);
        }
        (void)lp_alloc_fail_at(0);
        assert_true(k > (i < 2 ? 5 : 1));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_pillow_s),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_flipped_bit_does_no_harm),
        cmocka_unit_test(other_files_are_named),
        cmocka_unit_test(a_jpeg_of_two_components_is_refused),
        cmocka_unit_test(bombs_are_refused_by_their_header),
        cmocka_unit_test(too_many_scans_are_refused),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
