/* Norms, gates and pooling of networks against plain loops in float64, on awkward sizes, with guard
 * cells behind what they write. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/random.h"
#include "math/channels.h"
#include "math/heads.h"
#include "math/pool.h"

static lp_random source;

enum { GUARD = 4 };

static float *numbers(size_t count) {
    float *x = lp_alloc(count + GUARD, sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < count + GUARD; i++) {
        x[i] = i < count ? (float)(2 * lp_random_uniform(&source) - 1) : -777.0F;
    }
    return x;
}

static void assert_guarded(const float *x, size_t count) {
    for (size_t i = 0; i < GUARD; i++) {
        assert_true(x[count + i] == -777.0F);
    }
}

static void assert_near(double found, double expected) {
    if (!(fabs(found - expected) <= 2e-6 * (1 + fabs(expected)))) {
        fail_msg("found %.9g, expected %.9g", found, expected);
    }
}

static void group_norms_match_plain_loops(void **state) {
    (void)state;
    static const size_t sizes[][3] = {{1, 4, 4}, {9, 6, 2}, {49, 96, 32}, {5, 33, 3}};
    lp_random_seed(&source, 1);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t pixels = sizes[k][0], channels = sizes[k][1], groups = sizes[k][2];
        size_t each = channels / groups;
        float *x = numbers(pixels * channels), *y = numbers(pixels * channels);
        float *weight = numbers(channels), *bias = numbers(channels);
        double *scratch = lp_alloc(3 * channels, sizeof *scratch);
        for (size_t i = 0; i < pixels * channels; i++) {
            x[i] += 100; /* a mean that is large beside the deviations */
        }
        lp_group_norm(x, pixels, channels, groups, weight, bias, 1e-5F, LP_RELU, scratch, y);
        for (size_t i = 0; i < pixels * channels; i++) {
            size_t c = i % channels, first = c / each * each;
            double mean = 0, variance = 0, count = (double)(pixels * each);
            for (size_t p = 0; p < pixels; p++) {
                for (size_t j = first; j < first + each; j++) {
                    mean += (double)x[p * channels + j] / count;
                }
            }
            for (size_t p = 0; p < pixels; p++) {
                for (size_t j = first; j < first + each; j++) {
                    double d = (double)x[p * channels + j] - mean;
                    variance += d * d / count;
                }
            }
            double expected =
                ((double)x[i] - mean) / sqrt(variance + 1e-5) * (double)weight[c] + (double)bias[c];
            expected = expected > 0 ? expected : 0;
            assert_true(fabs((double)y[i] - expected) <=
                        3e-5); /* 100's last bit, times the scale */
        }
        assert_guarded(y, pixels * channels);
        lp_free(x);
        lp_free(y);
        lp_free(weight);
        lp_free(bias);
        lp_free(scratch);
    }
}

static void affine_and_sums_match_plain_loops(void **state) {
    (void)state;
    lp_random_seed(&source, 2);
    size_t pixels = 7, channels = 19;
    float *x = numbers(pixels * channels), *y = numbers(pixels * channels);
    float *scale = numbers(channels), *shift = numbers(channels), *sum = numbers(7 * 19);
    float *before = numbers(pixels * channels);
    memcpy(before, sum, pixels * channels * sizeof *sum);
    lp_affine_channels(x, pixels, channels, scale, shift, LP_SILU, y);
    lp_add_values(sum, x, pixels * channels, LP_RELU);
    for (size_t i = 0; i < pixels * channels; i++) {
        double v = (double)x[i] * (double)scale[i % channels] + (double)shift[i % channels];
        assert_near((double)y[i], v / (1 + exp(-v)));
        float both = before[i] + x[i];
        assert_true(sum[i] == (both > 0 ? both : 0));
    }
    assert_guarded(y, pixels * channels);
    assert_guarded(sum, pixels * channels);
    lp_free(x);
    lp_free(y);
    lp_free(scale);
    lp_free(shift);
    lp_free(sum);
    lp_free(before);
}

static void windows_match_plain_loops(void **state) {
    (void)state;
    static const lp_pooling kinds[] = {
        {.taps = 3, .stride = 2, .padding = 1},
        {.taps = 3, .stride = 2, .padding = 1, .zeros = true},
        {.taps = 2, .stride = 2, .mean = true, .whole = true},
        {.taps = 2, .stride = 2, .mean = true},
        {.taps = 3, .stride = 2},
        {.taps = 2, .stride = 2, .behind = 1, .mean = true, .zeros = true},
        {.taps = 3, .stride = 2, .same = true},
        {.taps = 2, .stride = 1, .behind = 1, .mean = true, .zeros = true},
    };
    lp_random_seed(&source, 3);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const lp_pooling *p = &kinds[k];
        for (size_t side = 3; side < 9; side++) {
            size_t images = 2, channels = 5, out = lp_pool_side(p, side);
            size_t padded = side + 2 * p->padding + p->behind - p->taps, lead = p->padding;
            if (p->same) {
                assert_int_equal(out, (side + p->stride - 1) / p->stride);
                lead = side % 2; /* of 3 pixels at every second one */
            } else {
                assert_int_equal(out, (padded + (p->whole ? p->stride - 1 : 0)) / p->stride + 1);
            }
            float *x = numbers(images * side * side * channels);
            float *y = numbers(images * out * out * channels);
            lp_pool_windows(p, x, images, side, channels, y);
            for (size_t i = 0; i < images * out * out * channels; i++) {
                size_t c = i % channels, u = i / channels % out, v = i / channels / out % out;
                const float *plane = x + i / channels / out / out * side * side * channels;
                double sum = 0, most = -INFINITY;
                size_t seen = 0;
                for (size_t t = 0; t < p->taps * p->taps; t++) {
                    long row = (long)(v * p->stride + t / p->taps) - (long)lead;
                    long column = (long)(u * p->stride + t % p->taps) - (long)lead;
                    bool inside =
                        row >= 0 && row < (long)side && column >= 0 && column < (long)side;
                    if (!inside && !p->zeros) {
                        continue;
                    }
                    double value =
                        inside ? (double)plane[((size_t)row * side + (size_t)column) * channels + c]
                               : 0;
                    sum += value;
                    most = value > most ? value : most;
                    seen++;
                }
                assert_near((double)y[i], p->mean ? sum / (double)seen : most);
            }
            assert_guarded(y, images * out * out * channels);
            lp_free(x);
            lp_free(y);
        }
    }
    assert_int_equal(lp_pool_side(&kinds[4], 2), 0);
}

static void heads_match_plain_loops(void **state) {
    (void)state;
    lp_random_seed(&source, 4);
    size_t rows = 5, heads = 3, stride = 70;
    for (size_t width = 2; width <= 22; width += 10) {
        float *x = numbers(rows * stride), *before = numbers(rows * stride);
        float *scale = numbers(heads);
        memcpy(before, x, rows * stride * sizeof *x);
        lp_normalize_heads(x, rows, stride, heads, width, scale);
        for (size_t i = 0; i < rows * stride; i++) {
            size_t column = i % stride, h = column / width;
            if (h >= heads) {
                assert_true(x[i] == before[i]);
                continue;
            }
            double length = 0;
            for (size_t j = 0; j < width; j++) {
                double v = (double)before[i / stride * stride + h * width + j];
                length += v * v;
            }
            assert_near((double)x[i], (double)before[i] / sqrt(length) * (double)scale[h]);
        }
        lp_free(x);
        lp_free(before);
        lp_free(scale);
    }
}

static void rotations_match_plain_loops(void **state) {
    (void)state;
    lp_random_seed(&source, 5);
    size_t rows = 4, heads = 2, width = 12, stride = 30, half = width / 2;
    float *cosines = numbers(rows * half), *sines = numbers(rows * half);
    for (int halves = 0; halves < 2; halves++) {
        float *x = numbers(rows * stride), *before = numbers(rows * stride);
        memcpy(before, x, rows * stride * sizeof *x);
        lp_rotate_heads(x, rows, stride, heads, width, cosines, sines, halves != 0);
        for (size_t i = 0; i < rows * heads * half; i++) {
            size_t row = i / (heads * half), h = i / half % heads, j = i % half;
            size_t a = row * stride + h * width + (halves ? j : 2 * j);
            size_t b = a + (halves ? half : 1);
            double c = (double)cosines[row * half + j], s = (double)sines[row * half + j];
            assert_near((double)x[a], (double)before[a] * c - (double)before[b] * s);
            assert_near((double)x[b], (double)before[b] * c + (double)before[a] * s);
        }
        assert_true(x[heads * width] == before[heads * width]);
        assert_guarded(x, rows * stride);
        lp_free(x);
        lp_free(before);
    }
    lp_free(cosines);
    lp_free(sines);
}

static void gates_and_rms_norms_match_plain_loops(void **state) {
    (void)state;
    lp_random_seed(&source, 6);
    size_t rows = 3, columns = 21;
    float *x = numbers(rows * 2 * columns), *y = numbers(rows * columns);
    float *weight = numbers(columns);
    lp_gate_halves(x, rows, columns, LP_SILU, y);
    for (size_t i = 0; i < rows * columns; i++) {
        double a = (double)x[i / columns * 2 * columns + i % columns];
        double b = (double)x[i / columns * 2 * columns + columns + i % columns];
        assert_near((double)y[i], a / (1 + exp(-a)) * b);
    }
    assert_guarded(y, rows * columns);
    lp_rms_norm(x, rows, columns, 2 * columns, weight, 1e-5F, y, columns);
    for (size_t i = 0; i < rows * columns; i++) {
        const float *row = x + i / columns * 2 * columns;
        double mean = 0;
        for (size_t j = 0; j < columns; j++) {
            mean += (double)row[j] * (double)row[j] / (double)columns;
        }
        double expected = (double)row[i % columns] / sqrt(mean + 1e-5);
        assert_near((double)y[i], expected * (double)weight[i % columns]);
    }
    assert_guarded(y, rows * columns);
    lp_free(x);
    lp_free(y);
    lp_free(weight);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(group_norms_match_plain_loops),
        cmocka_unit_test(affine_and_sums_match_plain_loops),
        cmocka_unit_test(windows_match_plain_loops),
        cmocka_unit_test(heads_match_plain_loops),
        cmocka_unit_test(rotations_match_plain_loops),
        cmocka_unit_test(gates_and_rms_norms_match_plain_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
