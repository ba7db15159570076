/* Image stage: resampling.
 *
 *   rgb  uint8 [in_height, in_width, 3]
 *   horizontal pass over the rows that the vertical pass reads -> uint8 [rows, out_width, 3]
 *   vertical pass                                              -> uint8 [out_height, out_width, 3]
 *
 * Reproduces Pillow's src/libImaging/Resample.c for 8-bit images to the last bit:
 *   scale   = in / out, widened = max(scale, 1), support = the filter's times widened
 *   centre  = (x + 1/2) scale
 *   taps    = from trunc(centre - support + 1/2) to trunc(centre + support + 1/2), cut to the image
 *   weight  = f((tap - centre + 1/2) / widened), divided by the sum of those left after the cut
 * in double, then rounded half away from zero to 22 fractional bits; sums are int32 and begin at
 * one half; results are clipped to 0..255 after each pass.  Pillow leaves out a pass that does not
 * change the size; here it is done, with weights 0, 1, 0, which gives the same bytes. */
#include "image/resample.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

enum { FRACTION_BITS = 22 };

/* Keys' cubic convolution with a = -1/2, evaluated in Pillow's order of operations. */
static double bicubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x < 1) {
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    if (x < 2) {
        return (((x - 5) * x + 8) * x - 4) * a;
    }
    return 0;
}

static double bilinear(double x) {
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static double sinc(double x) {
    const double pi = 3.14159265358979323846;
    return x == 0 ? 1 : sin(x * pi) / (x * pi);
}

static double lanczos(double x) {
    return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

static const struct {
    double support;
    double (*weight)(double x);
} filters[] = {[LP_FILTER_BICUBIC] = {2, bicubic},
               [LP_FILTER_BILINEAR] = {1, bilinear},
               [LP_FILTER_LANCZOS] = {3, lanczos}};

const char *const lp_filter_names[] = {"bicubic", "bilinear", "lanczos", NULL};

const char *lp_filter_name(lp_filter filter) {
    return (size_t)filter < sizeof filters / sizeof *filters ? lp_filter_names[filter] : NULL;
}

static int32_t to_fixed(double weight) {
    return (int32_t)(weight * (1 << FRACTION_BITS) + (weight < 0 ? -0.5 : 0.5));
}

lp_status lp_resample_axis_init(lp_resample_axis *axis, lp_filter filter, size_t in_size,
                                size_t out_size, size_t start, size_t count, lp_error *err) {
    double scale = (double)in_size / (double)out_size;
    double widened = scale < 1 ? 1 : scale;
    double support = filters[filter].support * widened;
    lp_status status;
    axis->count = count;
    axis->taps = (size_t)ceil(support) * 2 + 1;
    axis->first = lp_memory_take(&axis->memory, count, sizeof *axis->first);
    axis->used = lp_memory_take(&axis->memory, count, sizeof *axis->used);
    axis->weights = lp_memory_take(&axis->memory, count, axis->taps * sizeof *axis->weights);
    double *exact = lp_memory_take(&axis->memory, axis->taps, sizeof *exact);
    LP_TRY(lp_memory_check(&axis->memory, "resize weights", err));
    for (size_t i = 0; i < count; i++) {
        double centre = ((double)(start + i) + 0.5) * scale;
        double low = centre - support + 0.5;
        double high = centre + support + 0.5;
        size_t first = low > 0 ? (size_t)low : 0;
        size_t end = high < (double)in_size ? (size_t)high : in_size;
        size_t used = end - first;
        double sum = 0;
        for (size_t t = 0; t < used; t++) {
            exact[t] = filters[filter].weight(((double)(t + first) - centre + 0.5) * (1 / widened));
            sum += exact[t];
        }
        for (size_t t = 0; t < used; t++) {
            axis->weights[i * axis->taps + t] = to_fixed(sum != 0 ? exact[t] / sum : exact[t]);
        }
        axis->first[i] = first;
        axis->used[i] = used;
    }
done:
    if (status != LP_OK) {
        lp_resample_axis_clear(axis);
    }
    return status;
}

void lp_resample_axis_clear(lp_resample_axis *axis) {
    lp_memory_free(&axis->memory);
    memset(axis, 0, sizeof *axis);
}

void lp_resample_axis_span(const lp_resample_axis *axis, size_t *first, size_t *rows) {
    size_t last = axis->count - 1;
    *first = axis->first[0];
    *rows = axis->first[last] + axis->used[last] - axis->first[0];
}

static unsigned char to_byte(int32_t sum) {
    int32_t value = sum < 0 ? 0 : sum >> FRACTION_BITS;
    return (unsigned char)(value > 255 ? 255 : value);
}

void lp_resample_rows(const lp_resample_axis *axis, const unsigned char *in, size_t rows,
                      size_t width, unsigned char *out) {
    for (size_t y = 0; y < rows; y++) {
        for (size_t x = 0; x < axis->count; x++) {
            const unsigned char *pixel = in + (y * width + axis->first[x]) * 3;
            const int32_t *weights = axis->weights + x * axis->taps;
            int32_t red = 1 << (FRACTION_BITS - 1);
            int32_t green = red, blue = red;
            for (size_t t = 0; t < axis->used[x]; t++, pixel += 3) {
                red += weights[t] * pixel[0];
                green += weights[t] * pixel[1];
                blue += weights[t] * pixel[2];
            }
            *out++ = to_byte(red);
            *out++ = to_byte(green);
            *out++ = to_byte(blue);
        }
    }
}

void lp_resample_line(const lp_resample_axis *axis, size_t i, const unsigned char *in, size_t bytes,
                      int32_t *restrict sums, unsigned char *restrict out) {
    const int32_t *weights = axis->weights + i * axis->taps;
    const unsigned char *restrict row = in + (axis->first[i] - axis->first[0]) * bytes;
    for (size_t k = 0; k < bytes; k++) {
        sums[k] = 1 << (FRACTION_BITS - 1);
    }
    for (size_t t = 0; t < axis->used[i]; t++, row += bytes) {
        int32_t weight = weights[t];
        for (size_t k = 0; k < bytes; k++) {
            sums[k] += weight * row[k];
        }
    }
    for (size_t k = 0; k < bytes; k++) {
        out[k] = to_byte(sums[k]);
    }
}

lp_status lp_image_resize(lp_filter filter, const unsigned char *rgb, size_t in_height,
                          size_t in_width, unsigned char *out, size_t out_height, size_t out_width,
                          lp_error *err) {
    const size_t sides[] = {in_height, in_width, out_height, out_width};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        if (sides[i] < 1 || sides[i] > LP_IMAGE_SIDE_MAX) {
            return lp_fail(
                err, LP_ERR_ARGUMENT,
                "image resize: expected sides from 1 to %d, found %zu x %zu to %zu x %zu",
                LP_IMAGE_SIDE_MAX, in_height, in_width, out_height, out_width);
        }
    }
    if (lp_filter_name(filter) == NULL) {
        return lp_fail(err, LP_ERR_ARGUMENT, "image resize: unknown filter %d", (int)filter);
    }
    lp_resample_axis across = {0}, down = {0};
    lp_memory memory = {0};
    size_t bytes = out_width * 3, first, count;
    lp_status status;
    LP_TRY(lp_resample_axis_init(&across, filter, in_width, out_width, 0, out_width, err));
    LP_TRY(lp_resample_axis_init(&down, filter, in_height, out_height, 0, out_height, err));
    lp_resample_axis_span(&down, &first, &count);
    unsigned char *rows = lp_memory_take(&memory, count, bytes);
    int32_t *sums = lp_memory_take(&memory, bytes, sizeof *sums);
    LP_TRY(lp_memory_check(&memory, "resized rows", err));
    lp_resample_rows(&across, rgb + first * in_width * 3, count, in_width, rows);
    for (size_t y = 0; y < out_height; y++) {
        lp_resample_line(&down, y, rows, bytes, sums, out + y * bytes);
    }
done:
    lp_resample_axis_clear(&across);
    lp_resample_axis_clear(&down);
    lp_memory_free(&memory);
    return status;
}
