/* Winograd convolutions against plain loops in double precision, on odd sizes, with guard cells;
 * and the same bits from every processor's version of their additions. */
#include "math/winograd.c" /* its versions are static; the library's copy is not linked */

#include <math.h>

#include "base/alloc.h"
#include "check.h"
#include "numbers.h"

static double exact(const lp_conv *conv, const float *x, const float *weight, const double *scale,
                    size_t side, size_t place, size_t o, double *size) {
    size_t image = place / (side * side), v = place / side % side, u = place % side;
    double sum = (double)conv->bias[o];
    *size = 1;
    for (size_t i = 0; i < conv->in; i++) {
        for (size_t t = 0; t < 9; t++) {
            size_t row = v + t / 3, column = u + t % 3; /* one more than the pixel's */
            if (row >= 1 && row <= side && column >= 1 && column <= side) {
                size_t pixel = (image * side + row - 1) * side + column - 1;
                double term = (double)x[pixel * conv->in + i] *
                              (double)weight[(o * conv->in + i) * 9 + t] * scale[o];
                sum += term;
                *size += term * term;
            }
        }
    }
    return sum;
}

static void winograd_convolutions_match_plain_loops(void **state) {
    (void)state;
    static const size_t sizes[][4] = {/* images, side, in, out */
                                      {1, 1, 16, 16},
                                      {2, 5, 16, 48},
                                      {3, 8, 32, 16},
                                      {1, 29, 48, 32},
                                      {5, 7, 304, 16}};
    lp_random_seed(&source, 5);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t images = sizes[k][0], side = sizes[k][1];
        lp_conv conv = {.groups = 1,
                        .in = sizes[k][2],
                        .out = sizes[k][3],
                        .taps_high = 3,
                        .taps_wide = 3,
                        .stride = 1,
                        .padding = 1};
        assert_true(lp_winograd_fits(&conv));
        size_t pixels = images * side * side, outputs = pixels * conv.out;
        size_t values = 9 * conv.in * conv.out;
        float *x = numbers(pixels * conv.in), *weight = numbers(values), *bias = numbers(conv.out);
        float *add = numbers(outputs), *y = numbers(outputs);
        float *scratch = numbers(lp_winograd_scratch(&conv));
        float *room = numbers(conv.in * conv.out);
        float *packed = lp_alloc(lp_winograd_packed(&conv), sizeof *packed);
        float *zeros = lp_alloc_zeroed(conv.in, sizeof *zeros);
        double scale[48];
        assert_true(packed != NULL && zeros != NULL);
        for (size_t o = 0; o < conv.out; o++) {
            scale[o] = 0.5 + lp_random_uniform(&source);
        }
        lp_winograd_pack(&conv, weight, scale, room, packed);
        conv.weights = packed;
        conv.bias = bias;
        conv.zeros = zeros;
        for (int way = 0; way < 2; way++) {
            if (way == 1) { /* added in place */
                memcpy(y, add, outputs * sizeof *y);
            }
            for (size_t i = 0; i < lp_winograd_scratch(&conv); i++) {
                scratch[i] = NAN;
            }
            lp_winograd_run(&conv, x, images, side, way == 1 ? y : NULL,
                            way == 1 ? LP_RELU : LP_IDENTITY, y, scratch);
            for (size_t i = 0; i < outputs; i++) {
                double size, expected = exact(&conv, x, weight, scale, side, i / conv.out,
                                              i % conv.out, &size);
                expected += way == 1 ? (double)add[i] : 0;
                expected = way == 1 && expected < 0 ? 0 : expected;
                /* a few roundings of the transforms' sums, and those of a chain */
                double tolerance = 3e-6 * (sqrt(size) + 1);
                if (!(fabs((double)y[i] - expected) <= tolerance)) {
                    fail_msg("size %zu, output %zu: found %.9g, expected %.9g within %.3g", k, i,
                             (double)y[i], expected, tolerance);
                }
            }
        }
        float *alone = numbers(outputs / images); /* the last image, by itself: the same bits */
        size_t before = (images - 1) * side * side;
        lp_winograd_run(&conv, x, images, side, NULL, LP_IDENTITY, y, scratch);
        lp_winograd_run(&conv, x + before * conv.in, 1, side, NULL, LP_IDENTITY, alone, scratch);
        assert_memory_equal(alone, y + before * conv.out, outputs / images * sizeof *alone);
        release_guarded(alone, outputs / images);
        release_guarded(x, pixels * conv.in);
        release_guarded(weight, values);
        release_guarded(bias, conv.out);
        release_guarded(add, outputs);
        release_guarded(y, outputs);
        release_guarded(scratch, lp_winograd_scratch(&conv));
        release_guarded(room, conv.in * conv.out);
        lp_free(packed);
        lp_free(zeros);
    }
}

static void other_convolutions_do_not_fit(void **state) {
    (void)state;
    static const lp_conv fitting = {.groups = 1,
                                    .in = 16,
                                    .out = 32,
                                    .taps_high = 3,
                                    .taps_wide = 3,
                                    .stride = 1,
                                    .padding = 1};
    lp_conv others[] = {fitting, fitting, fitting, fitting, fitting, fitting};
    others[0].stride = 2;
    others[1].padding = 0;
    others[2].groups = 2;
    others[3].in = 24;
    others[4].out = 20;
    others[5].taps_wide = 1;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(lp_winograd_fits(&others[i]));
    }
}

#if LP_X86

enum { CHANNELS = 48, CELLS = PLANES * CHANNELS };

static void compare_additions(void (*in)(const float *const *, size_t, float *, size_t, size_t),
                              void (*out)(const float *, size_t, size_t, const tile_outputs *)) {
    float *x = numbers(CELLS), *a = numbers(CELLS), *b = numbers(CELLS), *bias = numbers(CHANNELS);
    float *left = numbers(4 * CHANNELS), *right = numbers(4 * CHANNELS);
    const float *pixels[PLANES];
    for (size_t i = 0; i < PLANES; i++) {
        pixels[i] = x + i * CHANNELS;
    }
    transform_input(pixels, CHANNELS, a, CHANNELS, LP_LANES);
    in(pixels, CHANNELS, b, CHANNELS, LP_LANES);
    assert_memory_equal(a, b, CELLS * sizeof *a);
    tile_outputs to = {.bias = bias, .activation = LP_RELU, .add = {x, NULL, x, NULL}};
    for (size_t i = 0; i < 4; i++) {
        to.y[i] = left + i * CHANNELS;
    }
    transform_output(a, CHANNELS, CHANNELS, &to);
    for (size_t i = 0; i < 4; i++) {
        to.y[i] = right + i * CHANNELS;
    }
    out(a, CHANNELS, CHANNELS, &to);
    assert_memory_equal(left, right, 4 * CHANNELS * sizeof *left);
    release_guarded(x, CELLS);
    release_guarded(a, CELLS);
    release_guarded(b, CELLS);
    release_guarded(bias, CHANNELS);
    release_guarded(left, 4 * CHANNELS);
    release_guarded(right, 4 * CHANNELS);
}

static void avx2_gives_the_plain_bits(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS_AVX2);
    lp_random_seed(&source, 6);
    compare_additions(transform_input_avx2, transform_output_avx2);
}

static void avx512_gives_the_plain_bits(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512f"));
    lp_random_seed(&source, 6);
    compare_additions(transform_input_avx512, transform_output_avx512);
}

#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(winograd_convolutions_match_plain_loops),
        cmocka_unit_test(other_convolutions_do_not_fit),
#if LP_X86
        cmocka_unit_test(avx2_gives_the_plain_bits),
        cmocka_unit_test(avx512_gives_the_plain_bits),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
