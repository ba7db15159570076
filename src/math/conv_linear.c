/* y [pixels, out] = act(x' [pixels, taps * in] W [taps * in, out] + b (+ y)), a chunk of pixels at
 * a time: their rows of x' are copied into tiles (math/tiles.h), which a linear layer multiplies.
 * Such a copy costs little beside `out` products for each number of it.
 *
 * A row of x' is `in` channels of each tap; zeros of a tap outside the image. */
#include "math/conv_linear.h"

#include <assert.h>
#include <string.h>

#include "math/tiles.h"

enum { CHUNK = 20 * LP_TILE_ROWS, RUN = LP_TILE_RUN };

bool lp_conv_linear_fits(const lp_conv *conv) {
    return conv->groups == 1 && conv->in % RUN == 0;
}

size_t lp_conv_linear_inputs(const lp_conv *conv) {
    return conv->taps_high * conv->taps_wide * conv->in;
}

void lp_conv_linear_pack(const lp_conv *conv, lp_precision precision, const float *weight,
                         const double *scale, float *room, float *packed) {
    size_t inputs = lp_conv_linear_inputs(conv), taps = inputs / conv->in;
    for (size_t o = 0; o < conv->out; o++) {
        for (size_t i = 0; i < inputs; i++) { /* tap * in + channel */
            double w = (double)weight[o * inputs + i % conv->in * taps + i / conv->in];
            room[o * inputs + i] = (float)(scale != NULL ? w * scale[o] : w);
        }
    }
    lp_linear_any_pack(precision, room, conv->out, inputs, inputs, 1, packed);
}

static size_t tiles_floats(const lp_conv *conv) {
    return lp_tiled(CHUNK, lp_conv_linear_inputs(conv));
}

size_t lp_conv_linear_scratch(const lp_conv *conv, lp_precision precision) {
    return tiles_floats(conv) + lp_linear_any_scratch(precision, lp_conv_linear_inputs(conv));
}

/* An output's sides, and the zeros in front of the input's. */
typedef struct conv_frame {
    size_t high, wide, lead_high, lead_wide;
} conv_frame;

static conv_frame frame_of(const lp_conv *c, const lp_conv_input *in) {
    return (conv_frame){
        lp_conv_side(c, in->height, c->taps_high), lp_conv_side(c, in->width, c->taps_wide),
        lp_conv_lead(c, in->height, c->taps_high), lp_conv_lead(c, in->width, c->taps_wide)};
}

/* A pixel's channels at one tap -> its run of cells. */
static void copy_tap(const float *from, size_t channels, float *cells) {
    for (size_t i = 0; i < channels; i += RUN, cells += LP_TILE_CELL) {
        if (from != NULL) {
            memcpy(cells, from + i, RUN * sizeof *cells);
        } else {
            memset(cells, 0, RUN * sizeof *cells);
        }
    }
}

/* The row of an output's pixel -> tiles, row `row`. */
static void gather(const lp_conv *c, const lp_conv_input *in, const conv_frame *f, size_t pixel,
                   size_t row, float *tiles) {
    size_t inputs = lp_conv_linear_inputs(c), place = pixel % (f->high * f->wide);
    const float *image = in->x + pixel / (f->high * f->wide) * in->image_stride;
    for (size_t tap = 0; tap * c->in < inputs; tap++) {
        size_t v = place / f->wide * c->stride + tap / c->taps_wide;
        size_t u = place % f->wide * c->stride + tap % c->taps_wide;
        bool inside = v >= f->lead_high && v - f->lead_high < in->height && u >= f->lead_wide &&
                      u - f->lead_wide < in->width;
        const float *from = inside ? image + (v - f->lead_high) * in->row_stride +
                                         (u - f->lead_wide) * in->pixel_stride
                                   : NULL;
        copy_tap(from, c->in, tiles + lp_tiled_at(inputs, row, tap * c->in));
    }
}

void lp_conv_linear_run(const lp_conv *conv, const lp_packed_linear *layer, const lp_conv_input *in,
                        bool add, lp_nonlinearity activation, float *y, float *scratch) {
    const conv_frame f = frame_of(conv, in);
    size_t pixels = in->images * f.high * f.wide;
    float *rounded = scratch + tiles_floats(conv);
    assert(lp_conv_linear_fits(conv) && layer->in == lp_conv_linear_inputs(conv));
    for (size_t first = 0; first < pixels; first += CHUNK) {
        size_t rows = pixels - first < CHUNK ? pixels - first : CHUNK;
        for (size_t row = 0; row < rows; row++) {
            gather(conv, in, &f, first + row, row, scratch);
        }
        lp_tile_pad(scratch, rows, layer->in);
        const lp_linear_output output = {
            .y = y + first * conv->out, .stride = conv->out, .add = add, .activation = activation};
        lp_linear_any_run(layer, scratch, rows, &output, rounded);
    }
}
