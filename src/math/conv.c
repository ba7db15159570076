/* Convolution as a product of matrices that are never built:
 *
 *   y [pixels, out] = x' [pixels, taps * in] W [taps * in, out]
 *
 * Row p of x' is a run of `in` floats for each tap, found through a table of pointers (for a tap
 * outside the image, to zeros), so x is neither copied nor padded, and a 1x1 convolution, with or
 * without stride, is the same loop with one tap.  W lies in panels of 16 outputs, [panel][k][16].
 *
 *   chunk of 192 pixels     their pointers [tile][tap][6]
 *     panel of 16 outputs   stays in the second-level cache for the whole chunk
 *       tile of 6 pixels    6 x 16 sums in registers: at each k 16 weights times 6 values of x
 *                           act(+ bias (+ add)) -> y
 *
 * Where all weights stay in the second-level cache beside x and y, a chunk is a single tile: y is
 * then written from end to end.
 *
 * A sum over k = (tap, channel) is cut into chains of 256 fused multiply-adds from 0, added up in
 * their order, whatever the width of the registers: a single chain of 4608 would be four times as
 * far from the exact sum.  Where the processor has no fused multiply-add, products are rounded.
 *
 * The pointers instead of a copy are the idea of "The Indirect Convolution Algorithm" (Dukhan,
 * 2019). */
#include "math/conv.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "math/dispatch.h"

#if LP_X86
#include <immintrin.h>
#elif LP_NEON
#include "math/neon.h"
#endif

enum {
    PANEL = 16,
    TILE = 6,
    CHUNK_TILES = 32,
    CHAIN = 256,
    SMALL_WEIGHTS = 1 << 15 /* floats: half of a small second-level cache */
};

/* Sums of a tile over `panels` panels (1 or 2), [TILE][at_once * PANEL].  rows: [taps][TILE]
 * pointers, each to `in` floats behind `offset`; a panel is `depth` * PANEL floats.  The versions
 * below differ in their registers alone. */
typedef struct conv_tile {
    const float *const *rows;
    size_t taps, offset, in, depth;
    const float *panel;
} conv_tile;

typedef void (*conv_tile_sums)(const conv_tile *tile, size_t panels, float *sums);

/* The next run of channels that goes into a chain; false at the end of the tile. */
typedef struct chain {
    size_t tap, channel, run, left;
} chain;

LP_BODY bool next_run(const conv_tile *tile, chain *c) {
    c->channel += c->run;
    c->left -= c->run;
    if (c->channel == tile->in) {
        c->channel = 0;
        c->tap++;
    }
    if (c->left == 0) {
        c->left = CHAIN;
    }
    c->run = tile->in - c->channel < c->left ? tile->in - c->channel : c->left;
    return c->tap < tile->taps;
}

/* Whether the chain ends behind this run. */
LP_BODY bool ends_chain(const conv_tile *tile, const chain *c) {
    return c->run == c->left || (c->tap + 1 == tile->taps && c->channel + c->run == tile->in);
}

LP_BODY void tile_plain(const conv_tile *tile, size_t panels, float *sums) {
    float s[TILE * PANEL] = {0};
    const float *w = tile->panel;
    assert(panels == 1);
    (void)panels;
    memset(sums, 0, sizeof s);
    for (chain c = {.left = CHAIN}; next_run(tile, &c);) {
        for (size_t k = c.channel; k < c.channel + c.run; k++, w += PANEL) {
            for (size_t i = 0; i < TILE; i++) {
                float a = tile->rows[c.tap * TILE + i][tile->offset + k];
                for (size_t l = 0; l < PANEL; l++) {
                    s[i * PANEL + l] = LP_MULTIPLY_ADD(a, w[l], s[i * PANEL + l]);
                }
            }
        }
        if (ends_chain(tile, &c)) {
            for (size_t i = 0; i < TILE * PANEL; i++) {
                sums[i] += s[i];
                s[i] = 0;
            }
        }
    }
}

#if LP_X86

LP_TARGET("avx2,fma")
LP_BODY void tile_avx2(const conv_tile *tile, size_t panels, float *sums) {
    __m256 s[2 * TILE];
    const float *w = tile->panel;
    assert(panels == 1);
    (void)panels;
    for (size_t i = 0; i < 2 * TILE; i++) {
        s[i] = _mm256_setzero_ps();
        _mm256_store_ps(sums + i * 8, s[i]);
    }
    for (chain c = {.left = CHAIN}; next_run(tile, &c);) {
        const float *a[TILE];
        for (size_t i = 0; i < TILE; i++) {
            a[i] = tile->rows[c.tap * TILE + i] + tile->offset + c.channel;
        }
        for (size_t k = 0; k < c.run; k++, w += PANEL) {
            __m256 low = _mm256_load_ps(w), high = _mm256_load_ps(w + 8);
            for (size_t i = 0; i < TILE; i++) {
                __m256 x = _mm256_broadcast_ss(a[i] + k);
                s[2 * i] = _mm256_fmadd_ps(x, low, s[2 * i]);
                s[2 * i + 1] = _mm256_fmadd_ps(x, high, s[2 * i + 1]);
            }
        }
        if (ends_chain(tile, &c)) {
            for (size_t i = 0; i < 2 * TILE; i++) {
                _mm256_store_ps(sums + i * 8, _mm256_add_ps(_mm256_load_ps(sums + i * 8), s[i]));
                s[i] = _mm256_setzero_ps();
            }
        }
    }
}

/* Two panels at once: 12 chains, of which a processor with two units of 512 bits needs 8. */
LP_TARGET("avx512f")
LP_BODY void tile_avx512(const conv_tile *tile, size_t panels, float *sums) {
    __m512 s[2 * TILE];
    const float *w = tile->panel;
    size_t second = panels == 2 ? tile->depth * PANEL : 0;
    for (size_t i = 0; i < 2 * TILE; i++) {
        s[i] = _mm512_setzero_ps();
        _mm512_store_ps(sums + i * PANEL, s[i]);
    }
    for (chain c = {.left = CHAIN}; next_run(tile, &c);) {
        const float *a[TILE];
        for (size_t i = 0; i < TILE; i++) {
            a[i] = tile->rows[c.tap * TILE + i] + tile->offset + c.channel;
        }
        for (size_t k = 0; k < c.run; k++, w += PANEL) {
            __m512 low = _mm512_load_ps(w), high = _mm512_load_ps(w + second);
            for (size_t i = 0; i < TILE; i++) {
                __m512 x = _mm512_set1_ps(a[i][k]);
                s[2 * i] = _mm512_fmadd_ps(x, low, s[2 * i]);
                s[2 * i + 1] = _mm512_fmadd_ps(x, high, s[2 * i + 1]);
            }
        }
        if (ends_chain(tile, &c)) {
            for (size_t i = 0; i < 2 * TILE; i++) {
                float *to = sums + i * PANEL;
                _mm512_store_ps(to, _mm512_add_ps(_mm512_load_ps(to), s[i]));
                s[i] = _mm512_setzero_ps();
            }
        }
    }
}

#endif

#if LP_NEON

LP_BODY void tile_neon(const conv_tile *tile, size_t panels, float *sums) {
    const float *w = tile->panel;
    float32x4_t s[TILE][NEON_VECTORS];
    bool add = false;
    assert(panels == 1);
    (void)panels;
    neon_clear(s, TILE);
    for (chain c = {.left = CHAIN}; next_run(tile, &c); w += c.run * PANEL) {
        const float *a[TILE];
        for (size_t i = 0; i < TILE; i++) {
            a[i] = tile->rows[c.tap * TILE + i] + tile->offset + c.channel;
        }
        neon_run(s, TILE, a, c.run, w, PANEL);
        if (ends_chain(tile, &c)) {
            neon_store(s, TILE, add, sums, PANEL);
            neon_clear(s, TILE);
            add = true;
        }
    }
}

#endif

typedef struct conv_job {
    const lp_conv *conv;
    const lp_conv_input *in;
    const float *add;
    lp_nonlinearity activation;
    float *y;
    size_t high, wide; /* of the output */
    size_t lead_high, lead_wide;
    /* [TILE][2 * PANEL], aligned to 64 bytes.  Here, and not where it is used, as gcc would keep it
     * in the registers that the chains need. */
    float *sums;
} conv_job;

/* Where tap t reads for the pixel of this place in its image. */
static const float *at_tap(const conv_job *j, const float *image, size_t place, size_t t) {
    const lp_conv *c = j->conv;
    const lp_conv_input *in = j->in;
    size_t v = place / j->wide * c->stride + t / c->taps_wide;
    size_t u = place % j->wide * c->stride + t % c->taps_wide;
    bool inside = v >= j->lead_high && v - j->lead_high < in->height && u >= j->lead_wide &&
                  u - j->lead_wide < in->width;
    assert(inside || c->zeros != NULL);
    return inside
               ? image + (v - j->lead_high) * in->row_stride + (u - j->lead_wide) * in->pixel_stride
               : c->zeros;
}

/* rows [tiles][taps][TILE] for pixels first .. first + count - 1; behind the last pixel, pixel
 * `first` again. */
static void point(const conv_job *j, size_t first, size_t count, size_t tiles, const float **rows) {
    size_t taps = j->conv->taps_high * j->conv->taps_wide, image_pixels = j->high * j->wide;
    for (size_t tile = 0; tile < tiles; tile++, rows += taps * TILE) {
        for (size_t i = 0; i < TILE; i++) {
            size_t behind = tile * TILE + i;
            size_t pixel = behind < count ? first + behind : first;
            const float *image = j->in->x + pixel / image_pixels * j->in->image_stride;
            for (size_t t = 0; t < taps; t++) {
                rows[t * TILE + i] = at_tap(j, image, pixel % image_pixels, t);
            }
        }
    }
}

/* The sums of `rows` pixels and `columns` outputs, which are used up, into y. */
typedef struct conv_end {
    float *sums;
    size_t rows, columns;
    const float *bias, *add;
    float *y;
    size_t stride;
} conv_end;

LP_BODY void add_row(float *restrict sums, const float *row, size_t columns) {
    for (size_t l = 0; l < columns; l++) {
        sums[l] += row[l];
    }
}

/* `width` floats from one row of sums to the next; columns and width are numbers that the compiler
 * knows, but for columns of the last panel.  Whether there is a bias is not asked for each value:
 * gcc would make it a masked load, which takes hundreds of cycles where the address is NULL. */
LP_BODY void finish_columns(const conv_end *e, size_t columns, size_t width,
                            lp_nonlinearity activation) {
    float *restrict sums = e->sums;
    for (size_t i = 0; e->bias != NULL && i < e->rows; i++) {
        add_row(sums + i * width, e->bias, columns);
    }
    for (size_t i = 0; e->add != NULL && i < e->rows; i++) {
        add_row(sums + i * width, e->add + i * e->stride, columns);
    }
    for (size_t l = 0; l < TILE * width; l++) {
        sums[l] = lp_activate(activation, sums[l]);
    }
    for (size_t i = 0; i < e->rows; i++) {
        memcpy(e->y + i * e->stride, sums + i * width, columns * sizeof *sums);
    }
}

LP_BODY void finish_as(const conv_end *e, size_t width, lp_nonlinearity activation) {
    if (e->columns == width) {
        finish_columns(e, width, width, activation);
    } else {
        finish_columns(e, e->columns, width, activation);
    }
}

LP_BODY void finish(const conv_end *e, size_t width, lp_nonlinearity activation){
#define FINISH(known) finish_as(e, width, known)
    LP_FOR_ACTIVATION(activation, FINISH)
#undef FINISH
}

LP_BODY void convolve(const conv_job *j, conv_tile_sums sum, size_t at_once) {
    const lp_conv *c = j->conv;
    size_t taps = c->taps_high * c->taps_wide, depth = taps * c->in;
    size_t panels = (c->out + PANEL - 1) / PANEL, stride = c->groups * c->out;
    size_t pixels = j->in->images * j->high * j->wide;
    const float *rows[CHUNK_TILES * LP_CONV_MAX_TAPS * TILE];
    bool small = c->groups * panels * depth * PANEL <= SMALL_WEIGHTS;
    size_t chunk = (small ? 1 : CHUNK_TILES) * TILE;
    for (size_t first = 0; first < pixels; first += chunk) {
        size_t count = pixels - first < chunk ? pixels - first : chunk;
        size_t tiles = (count + TILE - 1) / TILE;
        point(j, first, count, tiles, rows);
        for (size_t group = 0; group < c->groups; group++) {
            const float *weights = c->weights + group * panels * depth * PANEL;
            size_t step;
            for (size_t p = 0; p < panels; p += step) {
                step = panels - p < at_once ? panels - p : at_once;
                size_t column = group * c->out + p * PANEL, left = c->out - p * PANEL;
                size_t columns = left < step * PANEL ? left : step * PANEL;
                for (size_t t = 0; t < tiles; t++) {
                    conv_tile tile = {rows + t * taps * TILE,     taps, group * c->in, c->in, depth,
                                      weights + p * depth * PANEL};
                    size_t at = (first + t * TILE) * stride + column;
                    size_t high = count - t * TILE < TILE ? count - t * TILE : TILE;
                    conv_end end = {j->sums,
                                    high,
                                    columns,
                                    c->bias != NULL ? c->bias + column : NULL,
                                    j->add != NULL ? j->add + at : NULL,
                                    j->y + at,
                                    stride};
                    for (size_t i = 0; i < TILE; i++) { /* where the next tile goes */
                        LP_WILL_WRITE(end.y + (TILE + i) * stride);
                        LP_WILL_WRITE(end.y + (TILE + i) * stride + PANEL);
                    }
                    sum(&tile, step, j->sums);
                    finish(&end, at_once * PANEL, j->activation);
                }
            }
        }
    }
}

static void run_conv(const conv_job *j);

LP_VERSIONS(run_conv, convolve, (const conv_job *j), (j), convolve(j, LP_PLAIN(tile), 1),
            convolve(j, tile_avx2, 1), "avx512f", "avx512f", convolve(j, tile_avx512, 2))

lp_conv_input lp_conv_dense(const float *x, size_t images, size_t height, size_t width,
                            size_t channels) {
    return (lp_conv_input){
        x, images, height, width, channels, width * channels, height * width * channels};
}

size_t lp_conv_side(const lp_conv *conv, size_t side, size_t taps) {
    size_t padded = side + 2 * conv->padding;
    return conv->same       ? (side + conv->stride - 1) / conv->stride
           : padded >= taps ? (padded - taps) / conv->stride + 1
                            : 0;
}

size_t lp_conv_lead(const lp_conv *conv, size_t side, size_t taps) {
    size_t covered = (lp_conv_side(conv, side, taps) - 1) * conv->stride + taps;
    return !conv->same ? conv->padding : covered > side ? (covered - side) / 2 : 0;
}

size_t lp_conv_packed(const lp_conv *conv) {
    size_t panels = (conv->out + PANEL - 1) / PANEL;
    return conv->groups * panels * PANEL * conv->in * conv->taps_high * conv->taps_wide;
}

void lp_conv_pack(const lp_conv *conv, const float *weight, const double *scale, float *packed) {
    size_t taps = conv->taps_high * conv->taps_wide;
    size_t padded = (conv->out + PANEL - 1) / PANEL * PANEL;
    for (size_t group = 0; group < conv->groups; group++) {
        for (size_t first = 0; first < padded; first += PANEL) {
            for (size_t t = 0; t < taps; t++) {
                for (size_t i = 0; i < conv->in; i++) {
                    for (size_t o = first; o < first + PANEL; o++) {
                        size_t output = group * conv->out + o;
                        double w =
                            o < conv->out ? (double)weight[(output * conv->in + i) * taps + t] : 0;
                        *packed++ = (float)(scale != NULL && o < conv->out ? w * scale[output] : w);
                    }
                }
            }
        }
    }
}

static conv_job conv_job_of(const lp_conv *conv, const lp_conv_input *in, const float *add,
                            lp_nonlinearity activation, float *y, float *sums) {
    conv_job j = {conv, in, add, activation, y, .sums = sums};
    j.high = lp_conv_side(conv, in->height, conv->taps_high);
    j.wide = lp_conv_side(conv, in->width, conv->taps_wide);
    j.lead_high = lp_conv_lead(conv, in->height, conv->taps_high);
    j.lead_wide = lp_conv_lead(conv, in->width, conv->taps_wide);
    return j;
}

void lp_conv_run(const lp_conv *conv, const lp_conv_input *in, const float *add,
                 lp_nonlinearity activation, float *y) {
    _Alignas(64) float sums[TILE * 2 * PANEL];
    conv_job j = conv_job_of(conv, in, add, activation, y, sums);
    assert(conv->taps_high * conv->taps_wide <= LP_CONV_MAX_TAPS);
    run_conv(&j);
}

/* ---- images ---------------------------------------------------------------------------------- */

/* Pixels a side with the zeros round them. */
static size_t padded_side(const lp_conv *conv, size_t side) {
    size_t taps = conv->taps_high, end = lp_conv_lead(conv, side, taps) + side;
    size_t covered = (lp_conv_side(conv, side, taps) - 1) * conv->stride + taps;
    return covered > end ? covered : end;
}

size_t lp_conv_images_scratch(const lp_conv *conv, size_t side) {
    size_t padded = padded_side(conv, side);
    return padded * padded * conv->in;
}

/* With few channels a tap of one pixel would be too short: the pixels are copied to rows of
 * channels with zeros round them, and whole kernel rows are one tap each. */
void lp_conv_images(const lp_conv *conv, const float *x, size_t images, size_t side,
                    lp_nonlinearity activation, float *scratch, float *y) {
    size_t padded = padded_side(conv, side), lead = lp_conv_lead(conv, side, conv->taps_high);
    size_t channels = conv->in, row_floats = padded * channels;
    memset(scratch, 0, images * padded * row_floats * sizeof *scratch);
    for (size_t row = 0; row < images * channels * side; row++) { /* image, channel, row */
        size_t image = row / (channels * side), channel = row / side % channels, v = row % side;
        float *pixel =
            scratch + (image * padded + v + lead) * row_floats + lead * channels + channel;
        for (size_t u = 0; u < side; u++) {
            pixel[channels * u] = x[row * side + u];
        }
    }
    lp_conv rows = *conv;
    rows.in = channels * conv->taps_wide;
    rows.taps_wide = 1;
    rows.padding = 0;
    rows.same = false;
    lp_conv_input in = {scratch,
                        images,
                        padded,
                        padded - conv->taps_wide + 1,
                        channels,
                        row_floats,
                        padded * row_floats};
    lp_conv_run(&rows, &in, NULL, activation, y);
}
