/* Image stage: resampling.
 *
 *   rgb  uint8 [in_height, in_width, 3]
 *   horizontal pass over the rows that the vertical one reads    -> uint8 [rows, out_width, 3]
 *   vertical pass                                               -> uint8 [out_height, out_width, 3]
 * or, where lp_resample_down_first, row by row:
 *   vertical pass over the columns that the horizontal one reads -> uint8 [columns, 3]
 *   horizontal pass                                              -> uint8 [out_width, 3]
 *
 * Reproduces Pillow's src/libImaging/Resample.c for 8-bit images to the last bit:
 *   scale   = in / out, widened = max(scale, 1), support = the filter's times widened
 *   centre  = (x + 1/2) scale
 *   taps    = from trunc(centre - support + 1/2) to trunc(centre + support + 1/2), cut to the image
 *   weight  = f((tap - centre + 1/2) / widened), divided by the sum of those left after the cut
 * in double, then rounded half away from zero to 22 fractional bits; sums are int32 and begin at
 * one half (the weights of one sign add up to 1.29 at most, so they stay below 2^31); results are
 * clipped to 0..255 after each pass.  Pillow leaves out a pass that does not change the size; here
 * it is done, with weights 0, 1, 0, which gives the same bytes.
 *
 * Floats are resized in the first order, with float32 in the place of uint8.  PyTorch computes the
 * same windows and weights in float32 (ATen/native/cpu/UpSampleKernel.cpp,
 * _compute_indices_min_size_weights_aa).  Here scale and centre are rounded to float32, too: in an
 * image of 500 pixels their rounding moves a centre by up to 3e-5 pixels, which shows.  The rest is
 * in double until the weight is rounded.  Sums are float32, in the order of the taps, and no
 * product is fused with them, so they are the same on every processor. */
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
               [LP_FILTER_LANCZOS] = {3, lanczos},
               [LP_FILTER_NEAREST] = {0, NULL}};

const char *const lp_filter_names[] = {"bicubic", "bilinear", "lanczos", "nearest", NULL};

const char *lp_filter_name(lp_filter filter) {
    return (size_t)filter < sizeof filters / sizeof *filters ? lp_filter_names[filter] : NULL;
}

static int32_t to_fixed(double weight) {
    return (int32_t)(weight * (1 << FRACTION_BITS) + (weight < 0 ? -0.5 : 0.5));
}

bool lp_resample_down_first(const lp_resample_side *down, const lp_resample_side *across) {
    int64_t lower = (int64_t)down->in_size - (int64_t)down->out_size;
    int64_t narrower = (int64_t)across->in_size - (int64_t)across->out_size;
    return lower > 0 && lower > 2 * narrower;
}

/* How far the filter reaches from a centre, in input positions. */
static double support_of(lp_filter filter, double scale) {
    return filters[filter].support * (scale < 1 ? 1 : scale);
}

/* A position or a scale, as precise as this kind computes with it. */
static double rounded(lp_resample_kind kind, double value) {
    return kind == LP_RESAMPLE_FLOATS ? (double)(float)value : value;
}

static double scale_of(lp_resample_kind kind, const lp_resample_side *side) {
    return rounded(kind, (double)side->in_size / (double)side->out_size);
}

/* Of output position `start` + i. */
static double centre_of(lp_resample_kind kind, const lp_resample_side *side, size_t i) {
    return rounded(kind, ((double)(side->start + i) + 0.5) * scale_of(kind, side));
}

static void take_axis(lp_resample_axis *axis, lp_resample_kind kind, lp_filter filter,
                      const lp_resample_side *side, lp_memory *memory) {
    axis->count = side->count;
    axis->taps = (size_t)ceil(support_of(filter, scale_of(kind, side))) * 2 + 1;
    axis->first = lp_memory_take(memory, side->count, sizeof *axis->first);
    axis->used = lp_memory_take(memory, side->count, sizeof *axis->used);
    if (kind == LP_RESAMPLE_FLOATS) {
        axis->float_weights = lp_memory_take(memory, side->count, axis->taps * sizeof(float));
    } else {
        axis->weights = lp_memory_take(memory, side->count, axis->taps * sizeof *axis->weights);
    }
}

static void put_weight(lp_resample_axis *axis, size_t i, size_t tap, double weight) {
    if (axis->float_weights != NULL) {
        axis->float_weights[i * axis->taps + tap] = (float)weight;
    } else {
        axis->weights[i * axis->taps + tap] = to_fixed(weight);
    }
}

/* One pixel each: Pillow's src/libImaging/Geometry.c, ImagingScaleAffine, which adds up the scale.
 * Of floats PyTorch's nearest-exact, which does not (ATen/native/UpSample.h). */
static void fill_nearest(lp_resample_axis *axis, lp_resample_kind kind,
                         const lp_resample_side *side) {
    double scale = scale_of(kind, side), centre = scale * 0.5;
    size_t nearest = 0;
    for (size_t i = 0; kind == LP_RESAMPLE_BYTES && i < side->start; i++) {
        centre += scale;
    }
    for (size_t i = 0; i < axis->count; i++) {
        centre = kind == LP_RESAMPLE_FLOATS ? centre_of(kind, side, i) : centre;
        nearest = (size_t)centre < side->in_size ? (size_t)centre : side->in_size - 1;
        axis->begin = i == 0 ? nearest : axis->begin;
        axis->first[i] = nearest - axis->begin;
        axis->used[i] = 1;
        put_weight(axis, i, 0, 1);
        centre += scale;
    }
    axis->span = nearest + 1 - axis->begin;
}

/* exact: room for axis->taps weights. */
static void fill_axis(lp_resample_axis *axis, lp_resample_kind kind, lp_filter filter,
                      const lp_resample_side *side, double *exact) {
    double scale = scale_of(kind, side), support = rounded(kind, support_of(filter, scale));
    double widened = scale < 1 ? 1 : scale;
    size_t end = 0;
    if (filters[filter].weight == NULL) {
        fill_nearest(axis, kind, side);
        return;
    }
    for (size_t i = 0; i < axis->count; i++) {
        double centre = centre_of(kind, side, i);
        double low = rounded(kind, centre - support) + 0.5;
        double high = rounded(kind, centre + support) + 0.5;
        size_t first = low > 0 ? (size_t)low : 0;
        end = high < (double)side->in_size ? (size_t)high : side->in_size;
        size_t used = end - first < axis->taps ? end - first : axis->taps; /* as PyTorch */
        double sum = 0;
        for (size_t t = 0; t < used; t++) {
            exact[t] = filters[filter].weight(((double)(t + first) - centre + 0.5) * (1 / widened));
            sum += exact[t];
        }
        for (size_t t = 0; t < used; t++) {
            put_weight(axis, i, t, sum != 0 ? exact[t] / sum : exact[t]);
        }
        axis->begin = i == 0 ? first : axis->begin;
        axis->first[i] = first - axis->begin;
        axis->used[i] = used;
    }
    axis->span = end - axis->begin;
}

lp_status lp_resample_init(lp_resample *resample, lp_resample_kind kind, lp_filter filter,
                           const lp_resample_side *down, const lp_resample_side *across,
                           lp_error *err) {
    lp_resample *r = resample;
    lp_status status;
    *r = (lp_resample){.kind = kind,
                       .down_first =
                           kind == LP_RESAMPLE_BYTES && lp_resample_down_first(down, across),
                       .in_width = across->in_size};
    take_axis(&r->down, kind, filter, down, &r->memory);
    take_axis(&r->across, kind, filter, across, &r->memory);
    size_t taps = r->down.taps > r->across.taps ? r->down.taps : r->across.taps;
    double *exact = lp_memory_take(&r->memory, taps, sizeof *exact);
    LP_TRY(lp_memory_check(&r->memory, "resize weights", err));
    fill_axis(&r->down, kind, filter, down, exact);
    fill_axis(&r->across, kind, filter, across, exact);
    size_t rows = r->down_first ? 1 : r->down.span;
    size_t columns = r->down_first ? r->across.span : r->across.count;
    if (kind == LP_RESAMPLE_FLOATS) {
        r->float_between = lp_memory_take(&r->memory, rows, columns * 3 * sizeof(float));
    } else {
        r->between = lp_memory_take(&r->memory, rows, columns * 3);
        r->sums = lp_memory_take(&r->memory, columns, 3 * sizeof *r->sums);
    }
    LP_TRY(lp_memory_check(&r->memory, "resized rows", err));
done:
    if (status != LP_OK) {
        lp_resample_clear(r);
    }
    return status;
}

void lp_resample_clear(lp_resample *resample) {
    lp_memory_free(&resample->memory);
    memset(resample, 0, sizeof *resample);
}

static unsigned char to_byte(int32_t sum) {
    int32_t value = sum < 0 ? 0 : sum >> FRACTION_BITS;
    return (unsigned char)(value > 255 ? 255 : value);
}

/* Horizontal pass: in, uint8 [rows, at least span, 3] with `stride` bytes from row to row, begins
 * at the axis's begin -> out, uint8 [rows, count, 3]. */
static void resample_across(const lp_resample_axis *axis, const unsigned char *in, size_t rows,
                            size_t stride, unsigned char *out) {
    for (size_t y = 0; y < rows; y++) {
        for (size_t x = 0; x < axis->count; x++) {
            const unsigned char *pixel = in + y * stride + axis->first[x] * 3;
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

/* Vertical pass, row y of the result: in, uint8 [span, bytes] with `stride` bytes from row to row,
 * begins at the axis's begin -> out, uint8 [bytes].  sums: int32 [bytes]. */
static void resample_down(const lp_resample_axis *axis, size_t y, const unsigned char *in,
                          size_t stride, size_t bytes, int32_t *restrict sums,
                          unsigned char *restrict out) {
    const int32_t *weights = axis->weights + y * axis->taps;
    const unsigned char *restrict row = in + axis->first[y] * stride;
    for (size_t k = 0; k < bytes; k++) {
        sums[k] = 1 << (FRACTION_BITS - 1);
    }
    for (size_t t = 0; t < axis->used[y]; t++, row += stride) {
        int32_t weight = weights[t];
        for (size_t k = 0; k < bytes; k++) {
            sums[k] += weight * row[k];
        }
    }
    for (size_t k = 0; k < bytes; k++) {
        out[k] = to_byte(sums[k]);
    }
}

/* resample_across of floats: out, float32 [rows, count, 3]. */
static void floats_across(const lp_resample_axis *axis, const unsigned char *in, size_t rows,
                          size_t stride, float *out) {
    for (size_t y = 0; y < rows; y++) {
        for (size_t x = 0; x < axis->count; x++) {
            const unsigned char *pixel = in + y * stride + axis->first[x] * 3;
            const float *weights = axis->float_weights + x * axis->taps;
            float red = 0, green = 0, blue = 0;
            for (size_t t = 0; t < axis->used[x]; t++, pixel += 3) {
                red += weights[t] * (float)pixel[0];
                green += weights[t] * (float)pixel[1];
                blue += weights[t] * (float)pixel[2];
            }
            *out++ = red;
            *out++ = green;
            *out++ = blue;
        }
    }
}

void lp_resample_begin(lp_resample *resample, const unsigned char *rgb) {
    lp_resample *r = resample;
    r->stride = r->in_width * 3;
    r->from = rgb + r->down.begin * r->stride + r->across.begin * 3;
    if (r->kind == LP_RESAMPLE_FLOATS) {
        floats_across(&r->across, r->from, r->down.span, r->stride, r->float_between);
    } else if (!r->down_first) {
        resample_across(&r->across, r->from, r->down.span, r->stride, r->between);
        r->stride = r->across.count * 3;
        r->from = r->between;
    }
}

void lp_resample_row(lp_resample *resample, size_t y, unsigned char *out) {
    lp_resample *r = resample;
    if (r->down_first) {
        resample_down(&r->down, y, r->from, r->stride, r->across.span * 3, r->sums, r->between);
        resample_across(&r->across, r->between, 1, 0, out);
    } else {
        resample_down(&r->down, y, r->from, r->stride, r->across.count * 3, r->sums, out);
    }
}

void lp_resample_row_floats(const lp_resample *resample, size_t y, float *restrict out) {
    const lp_resample_axis *down = &resample->down;
    size_t values = resample->across.count * 3;
    const float *restrict row = resample->float_between + down->first[y] * values;
    for (size_t k = 0; k < values; k++) {
        out[k] = 0;
    }
    for (size_t t = 0; t < down->used[y]; t++, row += values) {
        float weight = down->float_weights[y * down->taps + t];
        for (size_t k = 0; k < values; k++) {
            out[k] += weight * row[k];
        }
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
    const lp_resample_side down = {in_height, out_height, 0, out_height};
    const lp_resample_side across = {in_width, out_width, 0, out_width};
    lp_resample resample;
    lp_status status = lp_resample_init(&resample, LP_RESAMPLE_BYTES, filter, &down, &across, err);
    if (status == LP_OK) {
        lp_resample_begin(&resample, rgb);
        for (size_t y = 0; y < out_height; y++) {
            lp_resample_row(&resample, y, out + y * out_width * 3);
        }
        lp_resample_clear(&resample);
    }
    return status;
}
