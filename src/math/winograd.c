/* Winograd's F(2x2, 3x3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks",
 * 2015), for tiles of 2x2 outputs, each from 4x4 pixels d and 3x3 weights g:
 *
 *   tile of y = A' [ (G g G') * (B' d B) ] A        * value by value, summed over channels
 *
 *        | 1  0  -1  0 |       | 1    0    0  |       | 1   0 |
 *   B' = | 0  1   1  0 |   G = | 1/2  1/2 1/2 |   A = | 1   1 |
 *        | 0 -1   1  0 |       | 1/2 -1/2 1/2 |       | 1  -1 |
 *        | 0  1   0 -1 |       | 0    0    1  |       | 0  -1 |
 *
 *   pack                       u [16][in, out] = G g G', in float64
 *   96 tiles at a time
 *     v [16][tiles, in]        from the pixels: only additions
 *     m [16][tiles, out]       = v u: sixteen products, as 1x1 convolutions
 *     y                        act(m transformed + bias (+ add))
 *
 * B and A hold only 0 and +-1 and G halves, so this loses little: about one bit more than the
 * direct sum.  (F(4x4, 3x3) would save more and lose three to four.)  The sixteen planes of v and m
 * lie some cache lines apart from a power of two, or all would fall on the same lines of the cache.
 *
 * Tiles begin at each image's corner, so an output's bits do not depend on the batch. */
#include "math/winograd.h"

#include <string.h>

#include "math/dispatch.h"
#include "math/tiles.h"

enum { PLANES = LP_WINOGRAD_PLANES, TILES = 96 /* of 12 rows: whole ones */, APART = 32 };

bool lp_winograd_fits(const lp_conv *conv) {
    return conv->taps_high == 3 && conv->taps_wide == 3 && conv->stride == 1 &&
           (conv->padding == 1 || conv->same) && conv->groups == 1 && conv->in % LP_LANES == 0 &&
           conv->out % LP_LANES == 0;
}

/* The product of one plane. */
static lp_conv product(const lp_conv *conv) {
    return (lp_conv){
        .groups = 1, .in = conv->in, .out = conv->out, .taps_high = 1, .taps_wide = 1, .stride = 1};
}

size_t lp_winograd_packed(const lp_conv *conv) {
    lp_conv plane = product(conv);
    return PLANES * lp_conv_packed(&plane);
}

size_t lp_winograd_scratch(const lp_conv *conv) {
    return PLANES * (TILES * (conv->in + conv->out) + 2 * APART);
}

/* Value (row, column) of G g G'. */
static double transformed(const float g[9], size_t row, size_t column) {
    static const double G[4][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
    double sum = 0;
    for (size_t i = 0; i < 9; i++) {
        sum += G[row][i / 3] * (double)g[i] * G[column][i % 3];
    }
    return sum;
}

void lp_winograd_transform(const lp_conv *conv, const float *weight, const double *scale,
                           size_t plane, float *u) {
    for (size_t i = 0; i < conv->out * conv->in; i++) {
        double value = transformed(weight + 9 * i, plane / 4, plane % 4);
        u[i] = (float)(scale != NULL ? value * scale[i / conv->in] : value);
    }
}

void lp_winograd_pack(const lp_conv *conv, const float *weight, const double *scale, float *room,
                      float *packed) {
    lp_conv plane = product(conv);
    for (size_t p = 0; p < PLANES; p++) {
        lp_winograd_transform(conv, weight, scale, p, room);
        lp_conv_pack(&plane, room, NULL, packed);
        packed += lp_conv_packed(&plane);
    }
}

/* Channels that are transformed at once: as many as leave the 16 values of each in registers.  Arm
 * has 32 of 128 bits. */
enum { SLICE = LP_NEON ? 4 : LP_LANES };
typedef float lanes[SLICE];

/* One vector of four by B': every `step` of them. */
LP_BODY void times_b(lanes *d, size_t step) {
    for (size_t l = 0; l < SLICE; l++) {
        float a = d[0][l], b = d[step][l], c = d[2 * step][l], e = d[3 * step][l];
        d[0][l] = a - c;
        d[step][l] = b + c;
        d[2 * step][l] = c - b;
        d[3 * step][l] = b - e;
    }
}

/* v[plane * apart + c / 16 * step + c % 16] = (B' d B) of every channel, from the 16 pixels of a
 * tile. */
LP_BODY void transform_input(const float *const pixels[PLANES], size_t channels, float *v,
                             size_t apart, size_t step) {
    for (size_t c = 0; c < channels; c += SLICE) {
        lanes d[PLANES];
        for (size_t i = 0; i < PLANES; i++) {
            for (size_t l = 0; l < SLICE; l++) {
                d[i][l] = pixels[i][c + l];
            }
        }
        for (size_t i = 0; i < 4; i++) {
            times_b(d + i, 4);
        }
        for (size_t i = 0; i < 4; i++) {
            times_b(d + 4 * i, 1);
        }
        for (size_t i = 0; i < PLANES; i++) {
            memcpy(v + i * apart + c / LP_LANES * step + c % LP_LANES, d[i], sizeof d[i]);
        }
    }
}

static void input_tile(const float *const pixels[PLANES], size_t channels, float *v, size_t apart,
                       size_t step);

LP_KERNEL(input_tile, transform_input,
          (const float *const pixels[PLANES], size_t channels, float *v, size_t apart, size_t step),
          (pixels, channels, v, apart, step))

/* The 2x2 outputs of a tile; y or add NULL: none there. */
typedef struct tile_outputs {
    float *y[4];
    const float *add[4];
    const float *bias;
    lp_nonlinearity activation;
} tile_outputs;

/* One vector of four by A', into its first two: every `step` of them. */
LP_BODY void times_a(lanes *m, size_t step) {
    for (size_t l = 0; l < SLICE; l++) {
        float a = m[0][l], b = m[step][l], c = m[2 * step][l], e = m[3 * step][l];
        m[0][l] = a + b + c;
        m[step][l] = b - c - e;
    }
}

LP_BODY void transform_output_as(const float *m, size_t apart, size_t channels,
                                 const tile_outputs *out, lp_nonlinearity activation) {
    for (size_t c = 0; c < channels; c += SLICE) {
        lanes d[PLANES];
        for (size_t i = 0; i < PLANES; i++) {
            for (size_t l = 0; l < SLICE; l++) {
                d[i][l] = m[i * apart + c + l];
            }
        }
        for (size_t i = 0; i < 4; i++) {
            times_a(d + i, 4);
        }
        for (size_t i = 0; i < 2; i++) {
            times_a(d + 4 * i, 1);
        }
        for (size_t i = 0; i < 4; i++) {
            float *v = d[i / 2 * 4 + i % 2];
            if (out->y[i] == NULL) {
                continue;
            }
            for (size_t l = 0; l < SLICE; l++) {
                v[l] += out->bias[c + l];
            }
            for (size_t l = 0; out->add[i] != NULL && l < SLICE; l++) {
                v[l] += out->add[i][c + l];
            }
            for (size_t l = 0; l < SLICE; l++) {
                v[l] = lp_activate(activation, v[l]);
            }
            memcpy(out->y[i] + c, v, sizeof(lanes));
        }
    }
}

LP_BODY void transform_output(const float *m, size_t apart, size_t channels,
                              const tile_outputs *out) {
#define TRANSFORM(known) transform_output_as(m, apart, channels, out, known)
    LP_FOR_ACTIVATION(out->activation, TRANSFORM)
#undef TRANSFORM
}

static void output_tile(const float *m, size_t apart, size_t channels, const tile_outputs *out);

LP_KERNEL(output_tile, transform_output,
          (const float *m, size_t apart, size_t channels, const tile_outputs *out),
          (m, apart, channels, out))

/* A tile's place: its image, and the pixel of its first output. */
typedef struct tile_place {
    size_t image, row, column;
} tile_place;

static tile_place place_of(size_t tile, size_t side) {
    size_t across = (side + 1) / 2;
    return (tile_place){tile / (across * across), tile / across % across * 2, tile % across * 2};
}

static void read_tile(const lp_conv *conv, const float *x, size_t side, tile_place at, float *v,
                      size_t apart, size_t step) {
    const float *pixels[PLANES];
    for (size_t i = 0; i < PLANES; i++) {
        size_t row = at.row + i / 4, column = at.column + i % 4; /* one more than the pixel's */
        bool inside = row >= 1 && row <= side && column >= 1 && column <= side;
        pixels[i] =
            inside ? x + ((at.image * side + row - 1) * side + column - 1) * conv->in : conv->zeros;
    }
    input_tile(pixels, conv->in, v, apart, step);
}

static void write_tile(const lp_conv *conv, const float *m, size_t apart, size_t side,
                       tile_place at, const float *add, lp_nonlinearity activation, float *y) {
    tile_outputs out = {.bias = conv->bias, .activation = activation};
    for (size_t i = 0; i < 4; i++) {
        size_t row = at.row + i / 2, column = at.column + i % 2;
        if (row < side && column < side) {
            size_t first = ((at.image * side + row) * side + column) * conv->out;
            out.y[i] = y + first;
            out.add[i] = add != NULL ? add + first : NULL;
        }
    }
    output_tile(m, apart, conv->out, &out);
}

/* Product p of `count` tiles: v [count, in] -> m [count, out]; v tiled where the products are
 * linear layers. */
static void multiply_conv(const lp_conv *conv, size_t p, const float *v, size_t count, float *m) {
    lp_conv plane = product(conv);
    lp_conv_input in = lp_conv_dense(v, 1, 1, count, conv->in);
    plane.weights = conv->weights + p * lp_conv_packed(&plane);
    lp_conv_run(&plane, &in, NULL, LP_IDENTITY, m);
}

static void multiply_linear(const lp_packed_linear *plane, const float *v, size_t count, float *m,
                            float *scratch) {
    const lp_linear_output output = {.y = m, .stride = plane->out};
    lp_linear_any_run(plane, v, count, &output, scratch);
}

/* planes: the products as linear layers; NULL: as convolutions. */
static void run_tiles(const lp_conv *conv, const lp_packed_linear *planes, const float *x,
                      size_t images, size_t side, const float *add, lp_nonlinearity activation,
                      float *y, float *scratch) {
    size_t across = (side + 1) / 2, total = images * across * across;
    size_t v_apart = TILES * conv->in + APART, m_apart = TILES * conv->out + APART;
    float *v = scratch, *m = scratch + PLANES * v_apart, *rest = m + PLANES * m_apart;
    for (size_t first = 0; first < total; first += TILES) {
        size_t count = total - first < TILES ? total - first : TILES;
        for (size_t t = 0; t < count; t++) {
            size_t at = planes != NULL ? lp_tiled_at(conv->in, t, 0) : t * conv->in;
            read_tile(conv, x, side, place_of(first + t, side), v + at, v_apart,
                      planes != NULL ? LP_TILE_CELL : LP_LANES);
        }
        for (size_t p = 0; p < PLANES; p++) {
            if (planes != NULL) {
                multiply_linear(&planes[p], v + p * v_apart, count, m + p * m_apart, rest);
            } else {
                multiply_conv(conv, p, v + p * v_apart, count, m + p * m_apart);
            }
        }
        for (size_t t = 0; t < count; t++) {
            write_tile(conv, m + t * conv->out, m_apart, side, place_of(first + t, side), add,
                       activation, y);
        }
    }
}

void lp_winograd_run(const lp_conv *conv, const float *x, size_t images, size_t side,
                     const float *add, lp_nonlinearity activation, float *y, float *scratch) {
    run_tiles(conv, NULL, x, images, side, add, activation, y, scratch);
}

size_t lp_winograd_linear_scratch(const lp_conv *conv, lp_precision precision) {
    return lp_winograd_scratch(conv) + lp_linear_any_scratch(precision, conv->in);
}

void lp_winograd_linear_run(const lp_conv *conv, const lp_packed_linear *planes, const float *x,
                            size_t images, size_t side, const float *add,
                            lp_nonlinearity activation, float *y, float *scratch) {
    run_tiles(conv, planes, x, images, side, add, activation, y, scratch);
}
