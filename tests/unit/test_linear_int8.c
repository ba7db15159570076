/* Linear layers over 8-bit integers: exact against plain loops over the same rounded numbers, near
 * the product of what was rounded, and the same bits by every processor's version. */
#include "math/linear_int8.c" /* its versions are static; the library's copy is not linked */

#include <math.h>

#include "base/alloc.h"
#include "check.h"
#include "numbers.h"

typedef struct size {
    size_t rows, in, out;
} size;

/* The last: several chunks of rows. */
static const size sizes[] = {{1, 1, 1},    {5, 16, 32},   {12, 17, 33},   {13, 15, 31},
                             {24, 64, 16}, {25, 300, 70}, {14, 2100, 40}, {700, 1300, 5}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

typedef struct example {
    lp_packed_linear layer;
    float *packed, *bias;                         /* the layer's */
    float *x, *tiled, *weight, *before, *scratch; /* before: what y holds, [rows, out] */
} example;

static example make(const size *s) {
    example e = {.layer = {.in = s->in, .out = s->out, .precision = LP_PRECISION_INT8}};
    size_t scales = scales_at(s->out, s->in), sums = sums_at(s->out, s->in);
    size_t floats = sums + (sums - scales); /* there are as many sums as scales */
    e.x = numbers(s->rows * s->in);
    for (size_t i = 0; i < s->rows * s->in; i++) { /* rows of one sign, too; and of zeros */
        size_t kind = i / s->in % 4;
        e.x[i] = kind == 0   ? e.x[i] * 100
                 : kind == 1 ? fabsf(e.x[i])
                 : kind == 2 ? -fabsf(e.x[i])
                             : 0;
    }
    e.tiled = numbers(lp_tiled(s->rows, s->in));
    e.weight = numbers(s->out * s->in);
    e.before = numbers(s->rows * s->out);
    e.layer.bias = e.bias = numbers(s->out);
    e.packed = lp_alloc(floats + 1, sizeof(float)); /* aligned */
    assert_non_null(e.packed);
    e.layer.panels = e.packed;
    e.packed[floats] = GUARD;
    e.scratch = numbers(lp_linear_int8_scratch(s->in));
    lp_linear_int8_pack(e.weight, s->out, s->in, s->in, 1, e.packed);
    assert_true(e.packed[floats] == GUARD);
    lp_tile(e.x, s->rows, s->in, s->in, e.tiled);
    return e;
}

static void discard(example *e, const size *s) {
    assert_true(e->scratch[lp_linear_int8_scratch(s->in)] == GUARD);
    release(e->x);
    release(e->tiled);
    release(e->weight);
    release(e->before);
    release(e->scratch);
    lp_free(e->packed);
    release(e->bias);
}

/* What rounds `count` inputs x and weights w. */
typedef struct range {
    float low, high, top;
} range;

static range range_of(const float *x, const float *w, size_t count) {
    range r = {0};
    for (size_t k = 0; k < count; k++) {
        r.low = fminf(r.low, x[k]);
        r.high = fmaxf(r.high, x[k]);
        r.top = fmaxf(r.top, fabsf(w[k]));
    }
    return r;
}

/* One output by the definition, group by group. */
static float by_definition(const example *e, const size *s, size_t i, size_t o) {
    float y = 0;
    for (size_t k = 0, count; k < s->in; k += count) {
        const float *x = e->x + i * s->in + k, *w = e->weight + o * s->in + k;
        count = s->in - k < 128 ? s->in - k : 128;
        range r = range_of(x, w, count);
        float inverse = r.high > r.low ? 254 / (r.high - r.low) : 0;
        float zero = floorf(0.5F - r.low * inverse);
        long sum = 0;
        for (size_t l = 0; l < count; l++) {
            float u = floorf(x[l] * inverse + (zero + 0.5F)), v = rintf(w[l] * (127 / r.top));
            assert_true(u >= 0 && u <= 255 && fabsf(v) <= 127);
            sum += ((long)u - (long)zero) * (long)v;
        }
        y += (float)sum * ((r.high - r.low) / 254 * (r.top / 127));
    }
    return y + e->layer.bias[o];
}

/* Half a step of x times w, half a step of w times x. */
static void assert_near(const example *e, const size *s, size_t i, size_t o, float found) {
    double sum = (double)e->layer.bias[o], bound = 1e-4;
    for (size_t k = 0, count; k < s->in; k += count) {
        const float *x = e->x + i * s->in + k, *w = e->weight + o * s->in + k;
        count = s->in - k < 128 ? s->in - k : 128;
        range r = range_of(x, w, count);
        double step_x = (double)(r.high - r.low) / 254, step_w = (double)r.top / 127;
        for (size_t l = 0; l < count; l++) {
            sum += (double)x[l] * (double)w[l];
            bound +=
                step_x / 2 * (fabs((double)w[l]) + step_w / 2) + step_w / 2 * fabs((double)x[l]);
        }
    }
    assert_true(fabs((double)found - sum) <= bound * 1.001);
}

typedef void (*version)(const int8_job *j);

static void run(version one, const example *e, const size *s, const lp_linear_output *output) {
    _Alignas(64) int32_t sums[TILE * PANEL];
    _Alignas(64) float scaled[TILE * PANEL];
    if (one == NULL) {
        lp_linear_int8_run(&e->layer, e->tiled, s->rows, output, e->scratch);
        return;
    }
    uint8_t *rounded = (uint8_t *)e->scratch;
    one(&(int8_job){&e->layer, e->tiled, s->rows, output, rounded,
                    (rounding *)(void *)(rounded + chunk_tiles(s->in) * depth_of(s->in) * TILE),
                    sums, scaled});
}

static void check_version(version one) {
    lp_random_seed(&source, 3);
    for (size_t n = 0; n < SIZES; n++) {
        const size *s = &sizes[n];
        example e = make(s);
        size_t stride = s->out + 3, tiles = lp_tiled(s->rows, s->out);
        float *y = numbers(s->rows * stride), *more = numbers(s->rows * stride);
        float *tiled = numbers(tiles);
        for (size_t i = 0; i < s->rows * stride; i++) {
            y[i] = more[i] =
                i % stride < s->out ? e.before[i / stride * s->out + i % stride] : GUARD;
        }
        run(one, &e, s, &(lp_linear_output){.y = y, .stride = stride});
        run(one, &e, s, &(lp_linear_output){.y = more, .stride = stride, .add = true});
        run(one, &e, s, &(lp_linear_output){.y = tiled, .activation = LP_QUICK_GELU});
        for (size_t i = 0; i < s->rows; i++) {
            for (size_t o = 0; o < s->out; o++) {
                float expected = by_definition(&e, s, i, o), found = y[i * stride + o];
                assert_true(found == expected);
                assert_near(&e, s, i, o, found);
                assert_true(more[i * stride + o] == found + e.before[i * s->out + o]);
                assert_true(tiled[lp_tiled_at(s->out, i, o)] == lp_quick_gelu(found));
            }
            for (size_t o = s->out; o < stride; o++) {
                assert_true(y[i * stride + o] == GUARD && more[i * stride + o] == GUARD);
            }
            for (size_t o = s->out; o % RUN != 0; o++) { /* a next product multiplies them by 0 */
                assert_true(tiled[lp_tiled_at(s->out, i, o)] == 0);
            }
        }
        assert_true(y[s->rows * stride] == GUARD && tiled[tiles] == GUARD);
        release(y);
        release(more);
        release(tiled);
        discard(&e, s);
    }
}

static void products_are_exact(void **state) {
    (void)state;
    check_version(NULL);
}

static void the_plain_version_is_exact(void **state) {
    (void)state;
    check_version(multiply_plain);
}

#if LP_X86

static void the_avx2_version_is_exact(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS_AVX2);
    check_version(multiply_avx2);
}

static void the_vnni_version_is_exact(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512vnni"));
    check_version(multiply_avx512);
}

#endif

static void the_largest_numbers_are_exact(void **state) {
    (void)state;
    const size s = {2, 128, 2};
    lp_random_seed(&source, 5);
    example e = make(&s);
    for (size_t k = 0; k < s.in; k++) {
        e.x[k] = 1;
        e.x[s.in + k] = k == 0 ? 1 : -1;
        e.weight[k] = 2;
        e.weight[s.in + k] = -2;
    }
    lp_linear_int8_pack(e.weight, s.out, s.in, s.in, 1, e.packed);
    lp_tile(e.x, s.rows, s.in, s.in, e.tiled);
    e.bias[0] = e.bias[1] = 0;
    static const float expected[] = {256, -256, -252, 252};
    float y[4];
    run(NULL, &e, &s, &(lp_linear_output){.y = y, .stride = 2});
    for (size_t i = 0; i < 4; i++) {
        assert_true(fabsf(y[i] - expected[i]) <= 1e-4F);
    }
    discard(&e, &s);
}

static void what_is_not_finite_stays_so(void **state) {
    (void)state;
    static const float strange[] = {INFINITY, -INFINITY, NAN};
    const size s = {3, 40, 2};
    lp_random_seed(&source, 7);
    for (size_t n = 0; n < 3; n++) {
        example e = make(&s);
        float y[6];
        e.tiled[lp_tiled_at(s.in, 1, 17)] = strange[n];
        run(NULL, &e, &s, &(lp_linear_output){.y = y, .stride = 2});
        assert_true(isnan(y[2]) && isnan(y[3]));
        for (size_t o = 0; o < 2; o++) {
            assert_true(y[o] == by_definition(&e, &s, 0, o));
            assert_true(y[4 + o] == by_definition(&e, &s, 2, o));
        }
        discard(&e, &s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_exact),
        cmocka_unit_test(the_plain_version_is_exact),
#if LP_X86
        cmocka_unit_test(the_avx2_version_is_exact),
        cmocka_unit_test(the_vnni_version_is_exact),
#endif
        cmocka_unit_test(the_largest_numbers_are_exact),
        cmocka_unit_test(what_is_not_finite_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
