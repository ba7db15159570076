/* Convolutions and pooling against plain loops in double precision, on odd sizes, with guard cells
 * round the output; and every processor's version of the convolution. */
#include "math/conv.c" /* its versions are static; the library's copy is not linked */

#include "base/alloc.h"
#include "math/pool.h"
#include "check.h"
#include "numbers.h"

static _Alignas(64) float sums[TILE * 2 * PANEL];

typedef struct geometry {
    size_t groups, in, out, taps, stride, padding; /* channels of a group; a kernel's side */
    size_t images, height, width;
} geometry;

static const geometry geometries[] = {
    {1, 1, 1, 1, 1, 0, 1, 1, 1},    {1, 3, 5, 3, 1, 1, 2, 4, 5},    {1, 64, 33, 1, 1, 0, 3, 7, 3},
    {1, 5, 16, 3, 2, 1, 1, 9, 8},   {1, 7, 17, 1, 2, 0, 2, 5, 7},   {1, 2, 40, 2, 1, 0, 1, 6, 3},
    {4, 3, 2, 3, 1, 1, 1, 5, 4},    {3, 2, 19, 1, 1, 0, 5, 1, 1},   {2, 9, 32, 3, 2, 1, 3, 8, 8},
    {1, 300, 48, 3, 1, 1, 1, 2, 2}, {1, 16, 64, 3, 1, 1, 1, 17, 23}};

typedef struct example {
    lp_conv conv;
    lp_conv_input input;
    float *x, *weight, *packed, *bias, *add, *y, *zeros;
    double *scale;
    size_t high, wide, count; /* of y */
} example;

static example make(const geometry *g) {
    example e = {.conv = {g->groups, g->in, g->out, g->taps, g->taps, g->stride, g->padding, false,
                          NULL, NULL, NULL}};
    size_t channels = g->groups * g->in, outputs = g->groups * g->out;
    e.high = lp_conv_side(&e.conv, g->height, g->taps);
    e.wide = lp_conv_side(&e.conv, g->width, g->taps);
    e.count = g->images * e.high * e.wide * outputs;
    e.x = numbers(g->images * g->height * g->width * channels);
    e.weight = numbers(outputs * g->in * g->taps * g->taps);
    e.bias = numbers(outputs);
    e.add = numbers(e.count);
    e.y = numbers(e.count);
    e.zeros = lp_alloc_zeroed(channels, sizeof(float));
    e.packed = lp_alloc(lp_conv_packed(&e.conv), sizeof(float));
    e.scale = lp_alloc(outputs, sizeof *e.scale);
    assert_true(e.zeros != NULL && e.packed != NULL && e.scale != NULL);
    for (size_t o = 0; o < outputs; o++) {
        e.scale[o] = 0.5 + lp_random_uniform(&source);
    }
    lp_conv_pack(&e.conv, e.weight, e.scale, e.packed);
    e.conv.weights = e.packed;
    e.conv.bias = e.bias;
    e.conv.zeros = e.zeros;
    e.input = lp_conv_dense(e.x, g->images, g->height, g->width, channels);
    return e;
}

static void discard(example *e) {
    release(e->x);
    release(e->weight);
    release(e->bias);
    release(e->add);
    release(e->y);
    lp_free(e->zeros);
    lp_free(e->packed);
    lp_free(e->scale);
}

/* What y[image, v, u, o] has to be without add, and the sum of its terms' sizes. */
static double exact(const geometry *g, const example *e, size_t image, size_t v, size_t u, size_t o,
                    double *size) {
    double sum = (double)e->bias[o];
    *size = fabs(sum);
    for (size_t i = 0; i < g->in; i++) {
        for (size_t t = 0; t < g->taps * g->taps; t++) {
            size_t row = v * g->stride + t / g->taps, column = u * g->stride + t % g->taps;
            if (row < g->padding || row >= g->height + g->padding || column < g->padding ||
                column >= g->width + g->padding) {
                continue;
            }
            size_t pixel = (image * g->height + row - g->padding) * g->width + column - g->padding;
            size_t channel = o / g->out * g->in + i;
            double term = (double)e->x[pixel * g->groups * g->in + channel] *
                          (double)e->weight[(o * g->in + i) * g->taps * g->taps + t] * e->scale[o];
            sum += term;
            *size += fabs(term);
        }
    }
    return sum;
}

static void assert_exact(const geometry *g, const example *e, const float *add, bool relu) {
    size_t outputs = g->groups * g->out;
    assert_guarded(e->y, e->count);
    for (size_t i = 0; i < e->count; i++) {
        size_t place = i / outputs, image = place / (e->high * e->wide);
        double size;
        double expected =
            exact(g, e, image, place / e->wide % e->high, place % e->wide, i % outputs, &size) +
            (add != NULL ? (double)add[i] : 0);
        expected = relu && expected < 0 ? 0 : expected;
        /* a chain of roundings: n of them, each at most 2^-24 of what has been added up */
        double tolerance = 1e-7 * (size + 4) * sqrt((double)(g->in * g->taps * g->taps) + 4);
        if (!(fabs((double)e->y[i] - expected) <= tolerance)) {
            fail_msg("output %zu: found %.9g, expected %.9g within %.3g", i, (double)e->y[i],
                     expected, tolerance);
        }
    }
}

typedef void (*version)(const conv_job *j);

static void check_version(version run) {
    lp_random_seed(&source, 3);
    for (size_t k = 0; k < sizeof geometries / sizeof geometries[0]; k++) {
        const geometry *g = &geometries[k];
        example e = make(g);
        conv_job j = conv_job_of(&e.conv, &e.input, NULL, LP_IDENTITY, e.y, sums);
        run(&j);
        assert_exact(g, &e, NULL, false);
        j.add = e.add;
        j.activation = LP_RELU;
        run(&j);
        assert_exact(g, &e, e.add, true);
        discard(&e);
    }
}

static void convolutions_match_plain_loops(void **state) {
    (void)state;
    lp_random_seed(&source, 7);
    for (size_t k = 0; k < sizeof geometries / sizeof geometries[0]; k++) {
        const geometry *g = &geometries[k];
        example e = make(g);
        lp_conv_run(&e.conv, &e.input, NULL, LP_RELU, e.y);
        assert_exact(g, &e, NULL, true);
        memcpy(e.y, e.add, e.count * sizeof *e.y);
        lp_conv_run(&e.conv, &e.input, e.y, LP_IDENTITY, e.y); /* in place */
        assert_exact(g, &e, e.add, false);
        e.conv.bias = NULL;
        memset(e.bias, 0, g->groups * g->out * sizeof *e.bias);
        lp_conv_run(&e.conv, &e.input, NULL, LP_IDENTITY, e.y);
        assert_exact(g, &e, NULL, false);
        discard(&e);
    }
}

static void the_plain_version_matches_plain_loops(void **state) {
    (void)state;
    check_version(convolve_plain);
}

#if LP_X86

static void the_avx2_version_matches_plain_loops(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS_AVX2);
    check_version(convolve_avx2);
}

static void the_avx512_version_matches_plain_loops(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512f"));
    check_version(convolve_avx512);
}

static void wide_and_wider_registers_give_the_same_bits(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512f") && LP_SUPPORTS_AVX2);
    lp_random_seed(&source, 9);
    for (size_t k = 0; k < sizeof geometries / sizeof geometries[0]; k++) {
        example e = make(&geometries[k]);
        float *other = numbers(e.count);
        conv_job j = conv_job_of(&e.conv, &e.input, e.add, LP_IDENTITY, e.y, sums);
        convolve_avx512(&j);
        j.y = other;
        convolve_avx2(&j);
        assert_memory_equal(e.y, other, e.count * sizeof *other);
        release(other);
        discard(&e);
    }
}

#endif

static void a_pixel_does_not_see_its_batch(void **state) {
    (void)state;
    const geometry g = {1, 20, 37, 3, 1, 1, 3, 5, 5};
    lp_random_seed(&source, 11);
    example e = make(&g);
    lp_conv_run(&e.conv, &e.input, NULL, LP_IDENTITY, e.y);
    size_t one = e.count / 3;
    float *alone = numbers(one);
    lp_conv_input last = lp_conv_dense(e.x + 2 * 5 * 5 * 20, 1, 5, 5, 20);
    lp_conv_run(&e.conv, &last, NULL, LP_IDENTITY, alone);
    assert_memory_equal(alone, e.y + 2 * one, one * sizeof *alone);
    assert_guarded(alone, one);
    release(alone);
    discard(&e);
}

static void a_padded_image_gives_whole_kernel_rows(void **state) {
    (void)state;
    const geometry g = {1, 3, 18, 3, 2, 1, 2, 7, 9};
    lp_random_seed(&source, 13);
    example e = make(&g);
    lp_conv_run(&e.conv, &e.input, NULL, LP_IDENTITY, e.y);
    float *padded = lp_alloc_zeroed(2 * 9 * 11 * 3, sizeof *padded);
    float *rows = numbers(e.count);
    assert_non_null(padded);
    for (size_t i = 0; i < 2 * 7; i++) {
        memcpy(padded + ((i / 7 * 9 + i % 7 + 1) * 11 + 1) * 3, e.x + i * 9 * 3,
               9 * 3 * sizeof *padded);
    }
    lp_conv row = e.conv;
    row.in = 9;
    row.taps_wide = 1;
    row.padding = 0;
    lp_conv_input in = {padded, 2, 9, 11 - 3 + 1, 3, 11 * 3, 9 * 11 * 3};
    lp_conv_run(&row, &in, NULL, LP_IDENTITY, rows);
    assert_memory_equal(rows, e.y, e.count * sizeof *rows);
    assert_guarded(rows, e.count);
    lp_free(padded);
    release(rows);
    discard(&e);
}

/* TensorFlow's "SAME": as zeros written out, and the images of preprocessing as those of pixels. */
static void same_padding_has_the_odd_zero_behind(void **state) {
    (void)state;
    lp_random_seed(&source, 15);
    for (size_t side = 4; side <= 9; side++) {
        for (size_t stride = 1; stride <= 2; stride++) {
            const geometry g = {1, 3, 18, 3, stride, 0, 2, side, side};
            example e = make(&g);
            e.conv.same = true;
            size_t out = (side + stride - 1) / stride, covered = (out - 1) * stride + 3;
            size_t zeros = covered - side, lead = zeros / 2, wide = side + zeros;
            size_t count = 2 * out * out * 18;
            float *padded = lp_alloc_zeroed(2 * wide * wide * 3, sizeof *padded);
            float *planes = lp_alloc(2 * 3 * side * side, sizeof *planes);
            float *found = numbers(count), *expected = numbers(count);
            float *scratch = numbers(2 * lp_conv_images_scratch(&e.conv, side));
            assert_true(padded != NULL && planes != NULL);
            assert_int_equal(lp_conv_side(&e.conv, side, 3), out);
            assert_int_equal(lp_conv_lead(&e.conv, side, 3), lead);
            for (size_t i = 0; i < 2 * side * side * 3; i++) {
                size_t pixel = i / 3, v = pixel / side % side, u = pixel % side;
                size_t image = pixel / side / side;
                padded[((image * wide + v + lead) * wide + u + lead) * 3 + i % 3] = e.x[i];
                planes[((image * 3 + i % 3) * side + v) * side + u] = e.x[i];
            }
            lp_conv_run(&e.conv, &e.input, NULL, LP_SILU, found);
            lp_conv plain = e.conv;
            plain.same = false;
            lp_conv_input in = lp_conv_dense(padded, 2, wide, wide, 3);
            lp_conv_run(&plain, &in, NULL, LP_SILU, expected);
            assert_memory_equal(found, expected, count * sizeof *found);
            lp_conv_images(&e.conv, planes, 2, side, LP_SILU, scratch, found);
            assert_memory_equal(found, expected, count * sizeof *found);
            assert_guarded(found, count);
            assert_guarded(scratch, 2 * lp_conv_images_scratch(&e.conv, side));
            lp_free(padded);
            lp_free(planes);
            release(found);
            release(expected);
            release(scratch);
            discard(&e);
        }
    }
}

/* ---- pooling --------------------------------------------------------------------------------- */

static void means_match_plain_loops(void **state) {
    (void)state;
    lp_random_seed(&source, 17);
    static const size_t sizes[][3] = {{1, 1, 1}, {2, 4, 3}, {1, 5, 17}, {3, 8, 33}, {2, 7, 16}};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t images = sizes[k][0], side = sizes[k][1], channels = sizes[k][2];
        float *x = numbers(images * side * side * channels);
        float *means = numbers(images * (channels + 2));
        lp_mean_pool(x, images, side * side, channels, means, channels + 2);
        for (size_t i = 0; i < images * channels; i++) {
            double sum = 0;
            for (size_t p = 0; p < side * side; p++) {
                sum += (double)x[(i / channels * side * side + p) * channels + i % channels];
            }
            double found = (double)means[i / channels * (channels + 2) + i % channels];
            assert_true(fabs(found - sum / (double)(side * side)) <= 1e-6);
        }
        assert_guarded(means, images * (channels + 2));
        release(means);
        release(x);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_match_plain_loops),
        cmocka_unit_test(the_plain_version_matches_plain_loops),
#if LP_X86
        cmocka_unit_test(the_avx2_version_matches_plain_loops),
        cmocka_unit_test(the_avx512_version_matches_plain_loops),
        cmocka_unit_test(wide_and_wider_registers_give_the_same_bits),
#endif
        cmocka_unit_test(a_pixel_does_not_see_its_batch),
        cmocka_unit_test(a_padded_image_gives_whole_kernel_rows),
        cmocka_unit_test(same_padding_has_the_odd_zero_behind),
        cmocka_unit_test(means_match_plain_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
