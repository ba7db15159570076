/* Depthwise convolution, 16 channels at a time:
 *
 *   plane [high, wide, 16]    a copy of what these channels read of one image, with zeros round it
 *   strip of 8 outputs        8 x 16 sums in registers: for each tap 16 weights times 16 values of
 *                             8 pixels; + bias, activation -> y
 *
 * The copy costs one load and one store for every taps^2 multiply-adds.  Without it the pixels of a
 * kernel lie channels * 4 bytes apart, which is a power of two in most networks: they would fall
 * on a few lines of the first-level cache.  It also makes the image's border no case of its own. */
#include "math/depthwise.h"

#include <assert.h>
#include <string.h>

#include "math/dispatch.h"

#if LP_X86
#include <immintrin.h>
#endif

enum { STRIP = 8, LANES = LP_LANES };

/* The sums of a strip, [STRIP][LANES]: output i begins at x + i * step. */
typedef struct depthwise_strip {
    const float *x;
    size_t row;  /* floats of the plane's row */
    size_t step; /* floats from an output's first pixel to the next one's */
    const float *weights;
    size_t taps;
} depthwise_strip;

typedef void (*strip_sums)(const depthwise_strip *strip, float *sums);

LP_BODY void strip_plain(const depthwise_strip *s, float *sums) {
    memset(sums, 0, STRIP * LANES * sizeof *sums);
    for (size_t t = 0; t < s->taps * s->taps; t++) {
        const float *x = s->x + t / s->taps * s->row + t % s->taps * LANES;
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
    for (size_t row = 0; row < s->taps; row++) {
        const float *x = s->x + row * s->row + half;
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

/* `taps` and `step` are numbers that the compiler knows. */
LP_TARGET("avx512f")
LP_BODY void strip_512(const depthwise_strip *s, size_t taps, size_t step, float *sums) {
    __m512 sum[STRIP];
    const float *w = s->weights;
    for (size_t i = 0; i < STRIP; i++) {
        sum[i] = _mm512_setzero_ps();
    }
    for (size_t row = 0; row < taps; row++) {
        const float *x = s->x + row * s->row;
        for (size_t t = 0; t < taps; t++, x += LANES, w += LANES) {
            __m512 weight = _mm512_loadu_ps(w);
            for (size_t i = 0; i < STRIP; i++) {
                sum[i] = _mm512_fmadd_ps(_mm512_loadu_ps(x + i * step), weight, sum[i]);
            }
        }
    }
    for (size_t i = 0; i < STRIP; i++) {
        _mm512_storeu_ps(sums + i * LANES, sum[i]);
    }
}

LP_TARGET("avx512f") LP_BODY void strip_avx512(const depthwise_strip *s, float *sums) {
    if (s->taps == 7 && s->step == LANES) {
        strip_512(s, 7, LANES, sums);
    } else if (s->taps == 3 && s->step == LANES) {
        strip_512(s, 3, LANES, sums);
    } else if (s->taps == 5 && s->step == LANES) {
        strip_512(s, 5, LANES, sums);
    } else {
        strip_512(s, s->taps, s->step, sums);
    }
}

#endif

typedef struct depthwise_job {
    const lp_conv *conv;
    const float *x;
    size_t images, side;
    lp_nonlinearity activation;
    float *plane, *y;
    size_t out, lead;  /* pixels: of an output's side, of zeros before the first pixel */
    size_t high, wide; /* of the plane */
    size_t channels;   /* of the output */
    float *sums;       /* [STRIP][LANES] */
} depthwise_job;

/* Pixels of the plane: strips are whole, and what they read is there. */
static void measure(depthwise_job *j) {
    const lp_conv *c = j->conv;
    j->channels = c->groups * c->out;
    j->out = lp_conv_side(c, j->side, c->taps_high);
    j->lead = lp_conv_lead(c, j->side, c->taps_high);
    size_t strips = (j->out + STRIP - 1) / STRIP;
    size_t wide = (strips * STRIP - 1) * c->stride + c->taps_wide;
    size_t high = (j->out - 1) * c->stride + c->taps_high;
    j->wide = wide > j->lead + j->side ? wide : j->lead + j->side;
    j->high = high > j->lead + j->side ? high : j->lead + j->side;
}

/* What `count` channels of the output from `first` on read of an image -> the plane's middle; zeros
 * stand round it. */
LP_BODY void copy_plane(const depthwise_job *j, const float *image, size_t first, size_t count) {
    size_t channels = j->conv->groups, each = j->conv->out;
    for (size_t v = 0; v < j->side; v++) {
        const float *from = image + v * j->side * channels;
        float *to = j->plane + ((v + j->lead) * j->wide + j->lead) * LANES;
        from += each > 1 ? 0 : first;
        for (size_t u = 0; u < j->side; u++, from += channels, to += LANES) {
            if (each > 1) {
                for (size_t l = 0; l < count; l++) {
                    to[l] = from[(first + l) / each];
                }
            } else if (count == LANES) { /* a length that the compiler knows */
                memcpy(to, from, LANES * sizeof *to);
            } else {
                memcpy(to, from, count * sizeof *to);
            }
        }
    }
}

LP_BODY void finish_as(const depthwise_job *j, const float bias[LANES], size_t pixels, size_t count,
                       lp_nonlinearity activation, float *y) {
    size_t channels = j->channels;
    for (size_t i = 0; i < pixels; i++, y += channels) {
        float row[LANES];
        for (size_t l = 0; l < LANES; l++) {
            row[l] = lp_activate(activation, j->sums[i * LANES + l] + bias[l]);
        }
        if (count == LANES) {
            memcpy(y, row, LANES * sizeof *y);
        } else {
            memcpy(y, row, count * sizeof *y);
        }
    }
}

LP_BODY void finish(const depthwise_job *j, const float bias[LANES], size_t pixels, size_t count,
                    float *y){
#define FINISH(known) finish_as(j, bias, pixels, count, known, y)
    LP_FOR_ACTIVATION(j->activation, FINISH)
#undef FINISH
}

/* `count` channels of an image from `first` on. */
LP_BODY void convolve_plane(const depthwise_job *j, strip_sums sum, size_t first, size_t count,
                            float *y) {
    const lp_conv *c = j->conv;
    size_t taps = c->taps_high, row = j->wide * LANES;
    float bias[LANES] = {0};
    if (c->bias != NULL) {
        memcpy(bias, c->bias + first, count * sizeof *bias);
    }
    for (size_t v = 0; v < j->out; v++) {
        for (size_t u = 0; u < j->out; u += STRIP) {
            depthwise_strip strip = {j->plane + v * c->stride * row + u * c->stride * LANES, row,
                                     c->stride * LANES, c->weights + first * taps * taps, taps};
            size_t pixels = j->out - u < STRIP ? j->out - u : STRIP;
            sum(&strip, j->sums);
            finish(j, bias, pixels, count, y + (v * j->out + u) * j->channels);
        }
    }
}

LP_BODY void convolve(const depthwise_job *j, strip_sums sum) {
    size_t channels = j->channels;
    memset(j->plane, 0, j->high * j->wide * LANES * sizeof *j->plane);
    for (size_t image = 0; image < j->images; image++) {
        const float *x = j->x + image * j->side * j->side * j->conv->groups;
        float *y = j->y + image * j->out * j->out * channels;
        for (size_t first = 0; first < channels; first += LANES) {
            size_t count = channels - first < LANES ? channels - first : LANES;
            copy_plane(j, x, first, count);
            convolve_plane(j, sum, first, count, y + first);
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
    return j.high * j.wide * LANES;
}

void lp_depthwise_run(const lp_conv *conv, const float *x, size_t images, size_t side,
                      lp_nonlinearity activation, float *scratch, float *y) {
    _Alignas(64) float sums[STRIP * LANES];
    depthwise_job j = {conv, x, images, side, activation, scratch, y, .sums = sums};
    assert(conv->in == 1 && conv->taps_high == conv->taps_wide);
    measure(&j);
    run_depthwise(&j);
}
