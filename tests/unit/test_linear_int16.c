/* Linear layers over 16-bit integers: near plain loops over the same rounded numbers, within half a
 * step of the product of what was rounded, and the same bits by every processor's version. */
#include "math/linear_int16.c" /* its versions are static; the library's copy is not linked */

#include <math.h>

#include "base/alloc.h"
#include "check.h"
#include "numbers.h"

typedef struct size {
    size_t rows, in, out;
} size;

/* Inputs of a part of 64, too; the last ones: several blocks of inputs, several chunks of rows,
 * more than one of both. */
static const size sizes[] = {{1, 1, 1},     {5, 16, 32},   {12, 17, 33},   {13, 15, 31},
                             {25, 300, 70}, {50, 257, 96}, {24, 128, 16},  {14, 2100, 40},
                             {13, 64, 48},  {12, 100, 17}, {700, 1300, 5}, {230, 1100, 34}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

typedef struct example {
    lp_packed_linear layer;
    float *packed, *bias;                         /* the layer's */
    float *x, *tiled, *weight, *before, *scratch; /* before: what y holds, [rows, out] */
} example;

typedef void (*packing)(const float *weight, size_t out, size_t in, size_t out_stride,
                        size_t in_stride, float *packed);

static void pack(packing how, const example *e, const size *s) {
    how(e->weight, s->out, s->in, s->in, 1, e->packed);
}

static example make(const size *s) {
    example e = {.layer = {.in = s->in, .out = s->out, .precision = LP_PRECISION_INT16}};
    size_t floats = lp_linear_int16_packed(s->out, s->in);
    assert_true(floats <= lp_linear_packed(s->out, s->in));
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
    e.scratch = numbers(lp_linear_int16_scratch(0));
    pack(lp_linear_int16_pack, &e, s);
    assert_true(e.packed[floats] == GUARD);
    lp_tile(e.x, s->rows, s->in, s->in, e.tiled);
    lp_tile_pad(e.tiled, s->rows, s->in);
    return e;
}

static void discard(example *e) {
    assert_true(e->scratch[lp_linear_int16_scratch(0)] == GUARD);
    release(e->x);
    release(e->tiled);
    release(e->weight);
    release(e->before);
    release(e->scratch);
    lp_free(e->packed);
    release(e->bias);
}

static double norm_of(const float *x, size_t count) {
    double squares = 0;
    for (size_t k = 0; k < count; k++) {
        squares += (double)x[k] * (double)x[k];
    }
    return sqrt(squares);
}

static size_t block_of(const size *s) {
    return block_runs_of(lp_tile_runs(s->in)) * RUN;
}

static float weight_scale(const example *e, const size *s, size_t o) {
    float scale = 0;
    for (size_t k = 0; k < s->in; k += block_of(s)) {
        size_t n = s->in - k < block_of(s) ? s->in - k : block_of(s);
        scale = fmaxf(scale, (float)(norm_of(e->weight + o * s->in + k, n) / 65500));
        for (size_t l = k; l < k + n; l++) {
            scale = fmaxf(scale, fabsf(e->weight[o * s->in + l]) / 32767);
        }
    }
    return scale;
}

/* What x is rounded to, within the range of integers that the sums are made for. */
static double rounded(float x, float scale, double *squares) {
    double u = scale > 0 ? rint((double)x / (double)scale) : 0;
    assert_true(fabs(u) <= 32767);
    *squares += u * u;
    return u;
}

/* An output near the definition: the scales come from float32's sums of squares, and so one or two
 * numbers of a row at the border of two integers may go to either. */
static void assert_near(const example *e, const size *s, size_t i, size_t o, double before,
                        float found) {
    float c = weight_scale(e, s, o);
    double sum = before + (double)e->layer.bias[o], product = sum, steps = 0, all = fabs(sum),
           either = 0;
    for (size_t k = 0, n; k < s->in; k += n) {
        const float *x = e->x + i * s->in + k, *w = e->weight + o * s->in + k;
        n = s->in - k < block_of(s) ? s->in - k : block_of(s);
        float r = (float)(norm_of(x, n) / 32700);
        double integers = 0, of_x = 0, of_w = 0, top = 0;
        for (size_t l = 0; l < n; l++) {
            double u = rounded(x[l], r, &of_x), v = rounded(w[l], c, &of_w);
            integers += u * v;
            top = fmax(top, fabs((double)w[l]));
            product += (double)x[l] * (double)w[l];
            steps += (double)r / 2 * fabs((double)w[l]) + (double)c / 2 * fabs((double)x[l]) +
                     (double)r * (double)c / 4;
        }
        assert_true(of_x * of_w < 0x1p62); /* Cauchy: no sum leaves 32 bits */
        assert_true(fabs(integers) <= INT32_MAX);
        sum += integers * (double)r * (double)c;
        either += 2 * (double)r * top;
        all += fabs(integers * (double)r * (double)c);
    }
    assert_true(fabs((double)found - product) <= steps * 1.001 + all * 1e-6);
    assert_true(fabs((double)found - sum) <= either + all * 1e-6);
}

typedef void (*version)(const linear_job *j);

static void run(version one, const example *e, const size *s, const lp_linear_output *output) {
    _Alignas(64) float sums[TILE * PANEL];
    if (one == NULL) {
        lp_linear_int16_run(&e->layer, e->tiled, s->rows, output, e->scratch);
        return;
    }
    float *rounded = e->scratch + (64 - (uintptr_t)e->scratch % 64) / sizeof(float);
    one(&(linear_job){&e->layer, e->tiled, s->rows, output, sums, rounded, NULL});
}

/* What a version gives [rows, out + 3], and + before, and activated, tiled. */
typedef struct outputs {
    float *plain, *added, *tiled;
    size_t stride, count, tiled_count;
} outputs;

static outputs run_all(version one, const example *e, const size *s) {
    outputs y = {.stride = s->out + 3, .tiled_count = lp_tiled(s->rows, s->out)};
    y.count = s->rows * y.stride;
    y.plain = numbers(y.count);
    y.added = numbers(y.count);
    y.tiled = numbers(y.tiled_count);
    for (size_t i = 0; i < y.count; i++) {
        size_t column = i % y.stride;
        y.plain[i] = GUARD;
        y.added[i] = column < s->out ? e->before[i / y.stride * s->out + column] : GUARD;
    }
    run(one, e, s, &(lp_linear_output){.y = y.plain, .stride = y.stride});
    run(one, e, s, &(lp_linear_output){.y = y.added, .stride = y.stride, .add = true});
    run(one, e, s, &(lp_linear_output){.y = y.tiled, .activation = LP_QUICK_GELU});
    return y;
}

static void release_all(outputs *y) {
    release(y->plain);
    release(y->added);
    release(y->tiled);
}

static void products_are_those_of_integers(void **state) {
    (void)state;
    lp_random_seed(&source, 3);
    for (size_t n = 0; n < SIZES; n++) {
        const size *s = &sizes[n];
        example e = make(s);
        outputs y = run_all(NULL, &e, s);
        for (size_t i = 0; i < s->rows; i++) {
            for (size_t o = 0; o < s->out; o++) {
                float found = y.plain[i * y.stride + o], before = e.before[i * s->out + o];
                assert_near(&e, s, i, o, 0, found);
                assert_near(&e, s, i, o, (double)before, y.added[i * y.stride + o]);
                assert_true(y.tiled[lp_tiled_at(s->out, i, o)] == lp_quick_gelu(found));
            }
            for (size_t o = s->out; o < y.stride; o++) {
                assert_true(y.plain[i * y.stride + o] == GUARD);
                assert_true(y.added[i * y.stride + o] == GUARD);
            }
            for (size_t o = s->out; o % RUN != 0; o++) { /* a next product multiplies them by 0 */
                assert_true(y.tiled[lp_tiled_at(s->out, i, o)] == 0);
            }
        }
        assert_true(y.plain[y.count] == GUARD && y.tiled[y.tiled_count] == GUARD);
        release_all(&y);
        discard(&e);
    }
}

/* The same bits as those of the version for this processor; weights packed as this one reads them.
 */
static void check_version(version one, packing how) {
    lp_random_seed(&source, 3);
    for (size_t n = 0; n < SIZES; n++) {
        const size *s = &sizes[n];
        example e = make(s);
        outputs expected = run_all(NULL, &e, s);
        pack(how, &e, s);
        outputs y = run_all(one, &e, s);
        assert_memory_equal(y.plain, expected.plain, y.count * sizeof *y.plain);
        assert_memory_equal(y.added, expected.added, y.count * sizeof *y.added);
        for (size_t i = 0; i < s->rows * s->out; i++) { /* behind the last row is anything */
            size_t at = lp_tiled_at(s->out, i / s->out, i % s->out);
            assert_true(y.tiled[at] == expected.tiled[at]);
        }
        release_all(&y);
        release_all(&expected);
        discard(&e);
    }
}

static void the_plain_version_has_the_same_bits(void **state) {
    (void)state;
    check_version(multiply_integers_plain, pack_pairs);
}

#if LP_X86

static void so_has_the_avx2_version(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS_AVX2);
    check_version(multiply_integers_avx2, pack_pairs);
}

static void so_has_the_vnni_version(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512vnni"));
    check_version(multiply_integers_avx512, pack_pairs);
}

static void so_has_the_amx_version(void **state) {
    (void)state;
    NEEDS(lp_has_amx());
    check_version(multiply_integers_amx, pack_bytes);
}

#endif

/* Rows and weights that are parallel have the largest sums; and one large number among small ones
 * the largest integers.  Both far outside of what float32 can square, too. */
static void the_largest_sums_fit(void **state) {
    (void)state;
    const size s = {4, 1024, 2};
    static const float sizes_of_x[] = {1, 1e-20F, 1e25F, 1};
    lp_random_seed(&source, 5);
    example e = make(&s);
    for (size_t k = 0; k < s.in; k++) {
        for (size_t i = 0; i < s.rows; i++) {
            e.x[i * s.in + k] = sizes_of_x[i] * (i == 3 && k != 5 ? 1e-3F : 1);
        }
        e.weight[k] = 2;
        e.weight[s.in + k] = k == 5 ? -2 : -1e-3F;
    }
    pack(lp_linear_int16_pack, &e, &s);
    lp_tile(e.x, s.rows, s.in, s.in, e.tiled);
    e.bias[0] = e.bias[1] = 0;
    float y[8];
    run(NULL, &e, &s, &(lp_linear_output){.y = y, .stride = 2});
    for (size_t i = 0; i < s.rows; i++) {
        double first = i < 3 ? 2048 : 2 + 1023 * 2e-3, second = i < 3 ? -3.023 : -2 - 1023e-6;
        double unit = (double)sizes_of_x[i];
        assert_true(fabs((double)y[2 * i] - unit * first) <= unit * (i < 3 ? 2e-4 : 1e-2) * first);
        assert_true(fabs((double)y[2 * i + 1] - unit * second) <= unit * 0.05);
    }
    discard(&e);
}

static void weights_may_be_transposed(void **state) {
    (void)state;
    lp_random_seed(&source, 5);
    assert_packed_alike(lp_linear_int16_packed, lp_linear_int16_pack);
}

static void what_is_not_finite_stays_so(void **state) {
    (void)state;
    static const float strange[] = {INFINITY, -INFINITY, NAN};
    const size s = {3, 40, 2};
    lp_random_seed(&source, 7);
    for (size_t n = 0; n < 3; n++) {
        example e = make(&s);
        float y[6], expected[6];
        run(NULL, &e, &s, &(lp_linear_output){.y = expected, .stride = 2});
        e.tiled[lp_tiled_at(s.in, 1, 17)] = strange[n];
        run(NULL, &e, &s, &(lp_linear_output){.y = y, .stride = 2});
        assert_true(isnan(y[2]) && isnan(y[3]));
        for (size_t o = 0; o < 2; o++) {
            assert_true(y[o] == expected[o] && y[4 + o] == expected[4 + o]);
        }
        discard(&e);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_those_of_integers),
        cmocka_unit_test(the_plain_version_has_the_same_bits),
#if LP_X86
        cmocka_unit_test(so_has_the_avx2_version),
        cmocka_unit_test(so_has_the_vnni_version),
        cmocka_unit_test(so_has_the_amx_version),
#endif
        cmocka_unit_test(the_largest_sums_fit),
        cmocka_unit_test(weights_may_be_transposed),
        cmocka_unit_test(what_is_not_finite_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
