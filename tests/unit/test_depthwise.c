/* Depthwise convolutions against plain loops in double precision, on odd sizes, with guard cells
 * round the output and the scratch memory; every processor's version; and global response
 * normalisation. */
#include "math/depthwise.c" /* its versions are static; the library's copy is not linked */

#include "base/alloc.h"
#include "check.h"
#include "math/channels.h"
#include "math/tiles.h"
#include "numbers.h"

typedef struct geometry {
    size_t channels, taps, stride, padding;
    bool same;
    size_t images, side;
    size_t more; /* outputs of a channel beside the first */
} geometry;

static const geometry geometries[] = {
    {1, 1, 1, 0, false, 1, 1, 0},   {5, 3, 1, 1, false, 2, 4, 0},
    {16, 7, 1, 3, false, 1, 9, 0},  {33, 7, 1, 3, false, 2, 8, 0},
    {20, 5, 2, 2, false, 1, 11, 0}, {17, 3, 2, 0, true, 2, 10, 0},
    {16, 5, 2, 0, true, 1, 7, 0},   {18, 3, 2, 0, true, 1, 1, 0},
    {40, 2, 2, 0, false, 1, 5, 0},  {16, 9, 1, 4, false, 1, 3, 0},
    {19, 5, 1, 0, true, 3, 17, 0},  {9, 7, 2, 3, false, 2, 9, 1},
    {16, 3, 1, 1, false, 1, 8, 1},  {11, 3, 1, 1, false, 2, 5, 2},
    {20, 2, 3, 0, false, 2, 11, 0}}; /* the last: rows that no output reads */
enum { GEOMETRIES = sizeof geometries / sizeof geometries[0] };

typedef struct example {
    lp_conv conv;
    float *x, *weight, *packed, *bias, *y, *scratch;
    double *scale;
    size_t out, lead, count;
} example;

static example make(const geometry *g) {
    example e = {.conv = {.groups = g->channels,
                          .in = 1,
                          .out = 1 + g->more,
                          .taps_high = g->taps,
                          .taps_wide = g->taps,
                          .stride = g->stride,
                          .padding = g->padding,
                          .same = g->same}};
    e.out = lp_conv_side(&e.conv, g->side, g->taps);
    /* TensorFlow's rule, written again: the odd zero stands behind */
    size_t covered = (e.out - 1) * g->stride + g->taps;
    e.lead = !g->same ? g->padding : covered > g->side ? (covered - g->side) / 2 : 0;
    size_t channels = g->channels * (1 + g->more);
    e.count = g->images * e.out * e.out * channels;
    e.x = numbers(g->images * g->side * g->side * g->channels);
    e.weight = numbers(channels * g->taps * g->taps);
    e.bias = numbers(channels);
    e.y = numbers(e.count);
    e.scratch = numbers(lp_depthwise_scratch(&e.conv, g->side));
    e.packed = lp_alloc(lp_depthwise_packed(&e.conv), sizeof(float));
    e.scale = lp_alloc(channels, sizeof *e.scale);
    assert_true(e.packed != NULL && e.scale != NULL);
    for (size_t c = 0; c < channels; c++) {
        e.scale[c] = 0.5 + lp_random_uniform(&source);
    }
    lp_depthwise_pack(&e.conv, e.weight, e.scale, e.packed);
    e.conv.weights = e.packed;
    e.conv.bias = e.bias;
    return e;
}

static void discard(const geometry *g, example *e) {
    assert_guarded(e->scratch, lp_depthwise_scratch(&e->conv, g->side));
    release(e->x);
    release(e->weight);
    release(e->bias);
    release(e->y);
    release(e->scratch);
    lp_free(e->packed);
    lp_free(e->scale);
}

static void assert_exact(const geometry *g, const example *e, bool relu) {
    assert_guarded(e->y, e->count);
    for (size_t i = 0; i < e->count; i++) {
        size_t each = 1 + g->more, channels = g->channels * each;
        size_t c = i % channels, place = i / channels, image = place / (e->out * e->out);
        size_t v = place / e->out % e->out, u = place % e->out;
        double sum = (double)e->bias[c], size = fabs(sum);
        for (size_t t = 0; t < g->taps * g->taps; t++) {
            size_t row = v * g->stride + t / g->taps, column = u * g->stride + t % g->taps;
            if (row < e->lead || row >= g->side + e->lead || column < e->lead ||
                column >= g->side + e->lead) {
                continue;
            }
            size_t pixel = (image * g->side + row - e->lead) * g->side + column - e->lead;
            double term = (double)e->x[pixel * g->channels + c / each] *
                          (double)e->weight[c * g->taps * g->taps + t] * e->scale[c];
            sum += term;
            size += fabs(term);
        }
        sum = relu && sum < 0 ? 0 : sum;
        /* roundings, each at most 2^-24 of what has been added up */
        if (!(fabs((double)e->y[i] - sum) <= 1e-7 * (size + 1) * (double)(g->taps + 2))) {
            fail_msg("output %zu: found %.9g, expected %.9g", i, (double)e->y[i], sum);
        }
    }
}

typedef void (*version)(const depthwise_job *j);

static void run_version(version run, const geometry *g, example *e, lp_nonlinearity activation) {
    float sums[STRIP * LANES];
    depthwise_job j = {&e->conv,   e->x,       g->images, g->side,
                       activation, e->scratch, e->y,      .sums = sums};
    measure(&j);
    run(&j);
}

static void check_version(version run) {
    lp_random_seed(&source, 3);
    for (size_t k = 0; k < GEOMETRIES; k++) {
        example e = make(&geometries[k]);
        run_version(run, &geometries[k], &e, LP_IDENTITY);
        assert_exact(&geometries[k], &e, false);
        run_version(run, &geometries[k], &e, LP_RELU);
        assert_exact(&geometries[k], &e, true);
        discard(&geometries[k], &e);
    }
}

static void convolutions_match_plain_loops(void **state) {
    (void)state;
    check_version(run_depthwise);
}

static void the_plain_version_matches_plain_loops(void **state) {
    (void)state;
    check_version(convolve_plain);
}

#if LP_X86

static void wide_and_wider_registers_give_the_same_bits(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS_AVX2);
    lp_random_seed(&source, 9);
    check_version(convolve_avx2);
    NEEDS(LP_SUPPORTS("avx512f"));
    for (size_t k = 0; k < GEOMETRIES; k++) {
        example e = make(&geometries[k]);
        float *wide = numbers(e.count);
        run_version(convolve_avx2, &geometries[k], &e, LP_SILU);
        memcpy(wide, e.y, e.count * sizeof *wide);
        run_version(convolve_avx512, &geometries[k], &e, LP_SILU);
        assert_memory_equal(e.y, wide, e.count * sizeof *wide);
        release(wide);
        discard(&geometries[k], &e);
    }
}

#endif

static void an_image_does_not_see_its_batch(void **state) {
    (void)state;
    const geometry g = {21, 5, 2, 2, false, 3, 9, 0};
    lp_random_seed(&source, 11);
    example e = make(&g);
    size_t one = e.count / 3;
    float *alone = numbers(one);
    lp_depthwise_run(&e.conv, e.x, 3, 9, LP_GELU, e.scratch, e.y);
    lp_depthwise_run(&e.conv, e.x + 2 * 81 * 21, 1, 9, LP_GELU, e.scratch, alone);
    assert_memory_equal(alone, e.y + 2 * one, one * sizeof *alone);
    assert_guarded(alone, one);
    release(alone);
    discard(&g, &e);
}

/* What is made of x in bands of rows: the last band is shorter, a single one, or there are many. */
static void an_expansion_gives_the_bits_of_two_convolutions(void **state) {
    (void)state;
    static const geometry expanded[] = {{37, 3, 1, 1, false, 2, 25, 0},
                                        {16, 5, 2, 0, true, 2, 41, 0},
                                        {50, 3, 2, 1, false, 1, 7, 0},
                                        {33, 2, 2, 0, false, 2, 13, 0},
                                        {20, 7, 1, 3, false, 1, 130, 0}};
    const size_t in = 9;
    lp_random_seed(&source, 13);
    for (size_t k = 0; k < sizeof expanded / sizeof expanded[0]; k++) {
        const geometry *g = &expanded[k];
        example e = make(g);
        lp_conv expand = {
            .groups = 1, .in = in, .out = g->channels, .taps_high = 1, .taps_wide = 1, .stride = 1};
        size_t pixels = g->images * g->side * g->side;
        size_t floats = lp_depthwise_expanded_scratch(&e.conv, g->side);
        float *x = numbers(pixels * in), *weight = numbers(g->channels * in);
        float *bias = numbers(g->channels), *scratch = numbers(floats), *y = numbers(e.count);
        float *packed = lp_alloc(lp_conv_packed(&expand), sizeof *packed);
        assert_non_null(packed);
        lp_conv_pack(&expand, weight, NULL, packed);
        expand.weights = packed;
        expand.bias = bias;
        lp_conv_input input = lp_conv_dense(x, g->images, g->side, g->side, in);
        lp_conv_run(&expand, &input, NULL, LP_SILU, e.x);
        lp_depthwise_run(&e.conv, e.x, g->images, g->side, LP_GELU, e.scratch, e.y);
        lp_depthwise_expanded_run(&expand, LP_SILU, &e.conv, x, g->images, g->side, LP_GELU,
                                  scratch, y);
        assert_memory_equal(y, e.y, e.count * sizeof *y);
        assert_guarded(y, e.count);
        assert_guarded(scratch, floats);
        release(x);
        release(weight);
        release(bias);
        release(scratch);
        release(y);
        lp_free(packed);
        discard(g, &e);
    }
}

/* ---- global response normalisation ----------------------------------------------------------- */

static void response_norms_match_plain_loops(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {12, 16}, {13, 17}, {49, 40}, {5, 33}};
    lp_random_seed(&source, 17);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t pixels = sizes[k][0], channels = sizes[k][1];
        float *x = numbers(pixels * channels), *tiled = numbers(lp_tiled(pixels, channels));
        float *weight = numbers(channels), *bias = numbers(channels);
        double *scratch = lp_alloc(channels, sizeof *scratch), mean = 0;
        double *norm = lp_alloc_zeroed(channels, sizeof *norm);
        assert_true(scratch != NULL && norm != NULL);
        lp_tile(x, pixels, channels, channels, tiled);
        lp_response_norm_tiled(tiled, pixels, channels, weight, bias, 1e-6F, scratch);
        for (size_t c = 0; c < channels; c++) {
            for (size_t i = 0; i < pixels; i++) {
                norm[c] += (double)x[i * channels + c] * (double)x[i * channels + c];
            }
            norm[c] = sqrt(norm[c]);
            mean += norm[c] / (double)channels;
        }
        for (size_t i = 0; i < pixels * channels; i++) {
            size_t c = i % channels;
            double expected = (double)weight[c] * ((double)x[i] * norm[c] / (mean + 1e-6)) +
                              (double)bias[c] + (double)x[i];
            double found = (double)tiled[lp_tiled_at(channels, i / channels, c)];
            assert_true(fabs(found - expected) <= 1e-6 * (1 + fabs(expected)));
        }
        for (size_t c = channels; c < lp_tile_runs(channels) * LP_TILE_RUN; c++) {
            assert_true(tiled[lp_tiled_at(channels, 0, c)] == 0);
        }
        assert_guarded(tiled, lp_tiled(pixels, channels));
        release(x);
        release(tiled);
        release(weight);
        release(bias);
        lp_free(scratch);
        lp_free(norm);
    }
}

static void means_and_gates_match_plain_loops(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {7, 16}, {50, 33}, {3000, 5}};
    lp_random_seed(&source, 19);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t pixels = sizes[k][0], channels = sizes[k][1], count = pixels * channels;
        float *x = numbers(count), *means = numbers(channels), *factors = numbers(channels);
        float *before = lp_alloc(count, sizeof *before);
        double *scratch = lp_alloc(channels, sizeof *scratch);
        assert_true(before != NULL && scratch != NULL);
        memcpy(before, x, count * sizeof *x);
        lp_channel_means(x, pixels, channels, scratch, means);
        lp_scale_channels(x, pixels, channels, factors);
        for (size_t c = 0; c < channels; c++) {
            double sum = 0;
            for (size_t i = c; i < count; i += channels) {
                sum += (double)before[i];
                assert_true(x[i] == before[i] * factors[c]);
            }
            assert_true(fabs((double)means[c] - sum / (double)pixels) <= 1e-7);
        }
        assert_guarded(x, count);
        assert_guarded(means, channels);
        release(x);
        release(means);
        release(factors);
        lp_free(before);
        lp_free(scratch);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_match_plain_loops),
        cmocka_unit_test(the_plain_version_matches_plain_loops),
#if LP_X86
        cmocka_unit_test(wide_and_wider_registers_give_the_same_bits),
#endif
        cmocka_unit_test(an_image_does_not_see_its_batch),
        cmocka_unit_test(an_expansion_gives_the_bits_of_two_convolutions),
        cmocka_unit_test(response_norms_match_plain_loops),
        cmocka_unit_test(means_and_gates_match_plain_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
