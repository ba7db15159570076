/* Looking at PNG pictures in tests, by libpng's own reader. */
#ifndef LP_TESTS_PICTURE_H
#define LP_TESTS_PICTURE_H

#include <png.h>

#include "check.h"
#include "report/chart.h"

typedef struct picture {
    size_t width, height;
    unsigned char *rgb; /* [height, width, 3] */
} picture;

static inline picture decode(const lp_buffer *png) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, png->bytes, png->size));
    assert_int_equal(image.format, PNG_FORMAT_RGB);
    picture p = {image.width, image.height, malloc(PNG_IMAGE_SIZE(image))};
    assert_non_null(p.rgb);
    assert_true(png_image_finish_read(&image, NULL, p.rgb, 0, NULL));
    return p;
}

static inline lp_color pixel(const picture *p, size_t x, size_t y) {
    assert_true(x < p->width && y < p->height);
    const unsigned char *rgb = p->rgb + 3 * (y * p->width + x);
    return (lp_color)rgb[0] << 16 | (lp_color)rgb[1] << 8 | rgb[2];
}

static inline picture render(const lp_chart *chart) {
    lp_error err;
    lp_buffer png = {0};
    assert_ok(lp_chart_png(chart, &png, &err), &err);
    picture p = decode(&png);
    lp_buffer_free(&png);
    return p;
}

#endif
