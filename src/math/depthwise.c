/* Depthwise convolution, a row of outputs at a time, 16 channels at a time:
 *
 *   ring [channels / 16][taps][wide][16]   the rows of one image that an output's row reads, with
 *                             zeros round them; input row r is row r % taps
 *   strip of 8 outputs        8 x 16 sums in registers: for each tap 16 weights times 16 values of
 *                             8 pixels; + bias, activation -> y
 *
 * Each row of x is copied once, when the first row of outputs needs it, and so x and y are read and
 * written from end to end.  The copy costs one load and one store for every taps^2 multiply-adds.
 * Without it the pixels of a kernel lie channels * 4 bytes apart, which is a power of two in most
 * networks: they would fall on a few lines of the first-level cache.  It also makes the image's
 * border no case of its own. */
#include "math/depthwise.h"

#include <assert.h>
#include <string.h>

#include "math/dispatch.h"

#if LP_X86
#include <immintrin.h>
#endif

enum {
    STRIP = 8,
    HALF = STRIP / 2,
    LANES = LP_LANES,
    BAND = 120 /* pixels at least that an expansion makes at once: 20 tiles of math/conv.c */
};

/* The sums of a strip, [pixels][LANES]: output i begins at x + i * step in each row. */
typedef struct depthwise_strip {
    const float *x; /* in the ring's first row */
    size_t row;     /* floats of the ring's row */
    size_t first;   /* the ring's row that the first taps read */
    size_t step;    /* floats from an output's first pixel to the next one's */
    const float *weights;
    size_t taps, pixels; /* at most STRIP; sums behind them may be written, too */
} depthwise_strip;

typedef void (*strip_sums)(const depthwise_strip *strip, float *sums);

/* The strip's pixels in the row that row v of the kernel reads. */
LP_BODY const float *strip_row(const depthwise_strip *s, size_t taps, size_t v) {
    size_t slot = s->first + v;
    return s->x + (slot < taps ? slot : slot - taps) * s->row;
}

LP_BODY void strip_plain(const depthwise_strip *s, float *sums) {
    memset(sums, 0, STRIP * LANES * sizeof *sums);
    for (size_t t = 0; t < s->taps * s->taps; t++) {
        const float *x = strip_row(s, s->taps, t / s->taps) + t % s->taps * LANES;
        const float *w = s->weights + t * LANES;
        for (size_t i = 0; i < STRIP; i++) {
            for (size_t l = 0; l < LANES; l++) {
                sums[i * LANES + l] =
                    LP_MULTIPLY_ADD(x[i * s->step + l], w[l], sums[i * LANES + l]);
            }
        }
    }
}

#if LP_X86

LP_TARGET("avx2,fma")
LP_BODY void half_avx2(const depthwise_strip *s, size_t half, float *sums) {
    __m256 sum[STRIP];
    const float *w = s->weights + half;
    for (size_t i = 0; i < STRIP; i++) {
        sum[i] = _mm256_setzero_ps();
    }
    for (size_t v = 0; v < s->taps; v++) {
        const float *x = strip_row(s, s->taps, v) + half;
        for (size_t t = 0; t < s->taps; t++, x += LANES, w += LANES) {
            __m256 weight = _mm256_loadu_ps(w);
            for (size_t i = 0; i < STRIP; i++) {
                sum[i] = _mm256_fmadd_ps(_mm256_loadu_ps(x + i * s->step), weight, sum[i]);
            }
        }
    }
    for (size_t i = 0; i < STRIP; i++) {
        _mm256_storeu_ps(sums + i * LANES + half, sum[i]);
    }
}

LP_TARGET("avx2,fma") LP_BODY void strip_avx2(const depthwise_strip *s, float *sums) {
    half_avx2(s, 0, sums);
    half_avx2(s, LANES / 2, sums);
}

/* `taps`, `step` and `pixels` are numbers that the compiler knows. */
LP_TARGET("avx512f")
LP_BODY void strip_512(const depthwise_strip *s, size_t taps, size_t step, size_t pixels,
                       float *sums) {
    __m512 sum[STRIP];
    const float *w = s->weights;
    for (size_t i = 0; i < pixels; i++) {
        sum[i] = _mm512_setzero_ps();
    }
    for (size_t v = 0; v < taps; v++) {
        const float *x = strip_row(s, taps, v);
        for (size_t t = 0; t < taps; t++, x += LANES, w += LANES) {
            __m512 weight = _mm512_loadu_ps(w);
            for (size_t i = 0; i < pixels; i++) {
                sum[i] = _mm512_fmadd_ps(_mm512_loadu_ps(x + i * step), weight, sum[i]);
            }
        }
    }
    for (size_t i = 0; i < pixels; i++) {
        _mm512_storeu_ps(sums + i * LANES, sum[i]);
    }
}

LP_TARGET("avx512f")
LP_BODY void strip_of_taps(const depthwise_strip *s, size_t taps, size_t step, float *sums) {
    if (s->pixels > HALF) {
        strip_512(s, taps, step, STRIP, sums);
    } else {
        strip_512(s, taps, step, HALF, sums);
    }
}

LP_TARGET("avx512f") LP_BODY void strip_avx512(const depthwise_strip *s, float *sums) {
    if (s->taps == 7 && s->step == LANES) {
        strip_of_taps(s, 7, LANES, sums);
    } else if (s->taps == 3 && s->step == LANES) {
        strip_of_taps(s, 3, LANES, sums);
    } else if (s->taps == 5 && s->step == LANES) {
        strip_of_taps(s, 5, LANES, sums);
    } else {
        strip_of_taps(s, s->taps, s->step, sums);
    }
}

#endif

typedef struct depthwise_job {
    const lp_conv *conv;
    const float *x;
    size_t images, side;
    lp_nonlinearity activation;
    float *ring, *y;
    size_t out, lead;      /* pixels: of an output's side, of zeros before the first pixel */
    size_t wide;           /* pixels of the ring's row */
    size_t channels;       /* of the output */
    float *sums;           /* [STRIP][LANES] */
    const lp_conv *expand; /* what makes the convolution's input of x, or NULL: x is it */
    lp_nonlinearity inner; /* of the expansion, as the next two */
    float *band;           /* [rows, side, groups] */
    size_t rows;
} depthwise_job;

/* Pixels of a row: strips are whole, and what they read is there. */
static void measure(depthwise_job *j) {
    const lp_conv *c = j->conv;
    j->channels = c->groups * c->out;
    j->out = lp_conv_side(c, j->side, c->taps_high);
    j->lead = lp_conv_lead(c, j->side, c->taps_high);
    size_t strips = (j->out + STRIP - 1) / STRIP;
    size_t wide = (strips * STRIP - 1) * c->stride + c->taps_wide;
    j->wide = wide > j->lead + j->side ? wide : j->lead + j->side;
    j->rows = (BAND + j->side - 1) / j->side;
    j->rows = j->rows < j->side ? j->rows : j->side;
}

/* Floats from a row of the ring to the same of the next channels. */
static size_t ring_plane(const depthwise_job *j) {
    return j->conv->taps_high * j->wide * LANES;
}

static size_t ring_floats(const depthwise_job *j) {
    return (j->channels + LANES - 1) / LANES * ring_plane(j);
}

/* Row v of the convolution's input; an expansion's rows are asked for in their order. */
static const float *input_row(const depthwise_job *j, const float *image, size_t v) {
    size_t floats = j->side * j->conv->groups, left = j->side - v;
    if (j->expand == NULL) {
        return image + v * floats;
    }
    if (v % j->rows == 0) {
        lp_conv_input in = lp_conv_dense(image + v * j->side * j->expand->in, 1,
                                         left < j->rows ? left : j->rows, j->side, j->expand->in);
        lp_conv_run(j->expand, &in, NULL, j->inner, j->band);
    }
    return j->band + v % j->rows * floats;
}

/* `count` channels that the outputs from `first` on read of a pixel. */
LP_BODY void copy_channels(const float *pixel, size_t first, size_t count, size_t each, float *to) {
    if (each > 1) {
        for (size_t l = 0; l < count; l++) {
            to[l] = pixel[(first + l) / each];
        }
    } else if (count == LANES) { /* a length that the compiler knows */
        memcpy(to, pixel + first, LANES * sizeof *to);
    } else {
        memcpy(to, pixel + first, count * sizeof *to);
    }
}

/* Row r of an image, counted from the first row of zeros -> the ring's row, but for the zeros at
 * its ends. */
LP_BODY void copy_row(const depthwise_job *j, const float *image, size_t r) {
    size_t channels = j->conv->groups, plane = ring_plane(j);
    float *row = j->ring + (r % j->conv->taps_high * j->wide + j->lead) * LANES;
    if (r < j->lead || r >= j->lead + j->side) {
        for (size_t first = 0; first < j->channels; first += LANES, row += plane) {
            memset(row, 0, j->side * LANES * sizeof *row);
        }
        return;
    }
    const float *pixel = input_row(j, image, r - j->lead);
    for (size_t u = 0; u < j->side; u++, pixel += channels, row += LANES) {
        float *to = row;
        for (size_t first = 0; first < j->channels; first += LANES, to += plane) {
            size_t left = j->channels - first;
            copy_channels(pixel, first, left < LANES ? left : LANES, j->conv->out, to);
        }
    }
}

LP_BODY void finish_as(const depthwise_job *j, const float bias[LANES], size_t pixels, size_t count,
                       lp_nonlinearity activation, float *y) {
    float *sums = j->sums;
    for (size_t i = 0; i < pixels; i++) {
        for (size_t l = 0; l < LANES; l++) {
            sums[i * LANES + l] += bias[l];
        }
    }
    for (size_t l = 0; l < pixels * LANES; l++) {
        sums[l] = lp_activate(activation, sums[l]);
    }
    for (size_t i = 0; i < pixels; i++, y += j->channels) {
        if (count == LANES) {
            memcpy(y, sums + i * LANES, LANES * sizeof *y);
        } else {
            memcpy(y, sums + i * LANES, count * sizeof *y);
        }
    }
}

LP_BODY void finish(const depthwise_job *j, const float bias[LANES], size_t pixels, size_t count,
                    float *y){
#define FINISH(known) finish_as(j, bias, pixels, count, known, y)
    LP_FOR_ACTIVATION(j->activation, FINISH)
#undef FINISH
}

/* Row v of the outputs, `count` channels from `first` on. */
LP_BODY void convolve_row(const depthwise_job *j, strip_sums sum, size_t v, size_t first,
                          size_t count, float *y) {
    const lp_conv *c = j->conv;
    size_t taps = c->taps_high;
    float bias[LANES] = {0};
    if (c->bias != NULL) {
        memcpy(bias, c->bias + first, count * sizeof *bias);
    }
    for (size_t u = 0; u < j->out; u += STRIP) {
        size_t left = j->out - u;
        depthwise_strip strip = {.x = j->ring + first / LANES * ring_plane(j) +
                                      u * c->stride * LANES,
                                 .row = j->wide * LANES,
                                 .first = v * c->stride % taps,
                                 .step = c->stride * LANES,
                                 .weights = c->weights + first * taps * taps,
                                 .taps = taps,
                                 .pixels = left < STRIP ? left : STRIP};
        sum(&strip, j->sums);
        finish(j, bias, strip.pixels, count, y + u * j->channels + first);
    }
}

LP_BODY void convolve(const depthwise_job *j, strip_sums sum) {
    size_t channels = j->channels, taps = j->conv->taps_high, stride = j->conv->stride;
    size_t in = j->expand != NULL ? j->expand->in : j->conv->groups;
    assert(taps > 0);
    memset(j->ring, 0, ring_floats(j) * sizeof *j->ring);
    for (size_t image = 0; image < j->images; image++) {
        const float *x = j->x + image * j->side * j->side * in;
        float *y = j->y + image * j->out * j->out * channels;
        size_t copied = 0; /* rows */
        for (size_t v = 0; v < j->out; v++, y += j->out * channels) {
            copied = copied > v * stride ? copied : v * stride;
            for (; copied < v * stride + taps; copied++) {
                copy_row(j, x, copied);
            }
            for (size_t first = 0; first < channels; first += LANES) {
                size_t left = channels - first;
                convolve_row(j, sum, v, first, left < LANES ? left : LANES, y);
            }
        }
    }
}

static void run_depthwise(const depthwise_job *j);

LP_VERSIONS(run_depthwise, convolve, (const depthwise_job *j), (j), convolve(j, strip_plain),
            convolve(j, strip_avx2), "avx512f", "avx512f", convolve(j, strip_avx512))

size_t lp_depthwise_packed(const lp_conv *conv) {
    return (conv->groups * conv->out + LANES - 1) / LANES * LANES * conv->taps_high *
           conv->taps_wide;
}

void lp_depthwise_pack(const lp_conv *conv, const float *weight, const double *scale,
                       float *packed) {
    size_t taps = conv->taps_high * conv->taps_wide, channels = conv->groups * conv->out;
    for (size_t first = 0; first < channels; first += LANES) {
        for (size_t t = 0; t < taps; t++) {
            for (size_t c = first; c < first + LANES; c++) {
                double w = c < channels ? (double)weight[c * taps + t] : 0;
                *packed++ = (float)(scale != NULL && c < channels ? w * scale[c] : w);
            }
        }
    }
}

size_t lp_depthwise_scratch(const lp_conv *conv, size_t side) {
    depthwise_job j = {.conv = conv, .side = side};
    measure(&j);
    return ring_floats(&j);
}

size_t lp_depthwise_expanded_scratch(const lp_conv *conv, size_t side) {
    depthwise_job j = {.conv = conv, .side = side};
    measure(&j);
    return ring_floats(&j) + j.rows * side * conv->groups;
}

void lp_depthwise_run(const lp_conv *conv, const float *x, size_t images, size_t side,
                      lp_nonlinearity activation, float *scratch, float *y) {
    _Alignas(64) float sums[STRIP * LANES];
    depthwise_job j = {conv, x, images, side, activation, scratch, y, .sums = sums};
    assert(conv->in == 1 && conv->taps_high == conv->taps_wide);
    measure(&j);
    run_depthwise(&j);
}

void lp_depthwise_expanded_run(const lp_conv *expand, lp_nonlinearity inner, const lp_conv *conv,
                               const float *x, size_t images, size_t side,
                               lp_nonlinearity activation, float *scratch, float *y) {
    _Alignas(64) float sums[STRIP * LANES];
    depthwise_job j = {conv, x, images, side, activation, scratch, y, .sums = sums};
    assert(conv->in == 1 && conv->taps_high == conv->taps_wide && conv->stride <= conv->taps_high);
    assert(expand->groups == 1 && expand->out == conv->groups);
    measure(&j);
    j.expand = expand;
    j.inner = inner;
    j.band = scratch + ring_floats(&j);
    run_depthwise(&j);
}
