/* Tiles and linear layers against plain loops in double precision, on odd sizes, with guard cells
 * round the output; and every processor's version of the product. */
#include "math/linear.c" /* its versions are static; the library's copy is not linked */

#include <math.h>

#include "base/alloc.h"
#include "check.h"
#include "numbers.h"

static _Alignas(64) float sums[TILE * PANEL];

/* ---- tiles ----------------------------------------------------------------------------------- */

static void tiles_hold_rows_and_zeros(void **state) {
    (void)state;
    lp_random_seed(&source, 1);
    static const size_t sizes[][2] = {{1, 1}, {12, 16}, {13, 17}, {30, 5}, {24, 48}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t rows = sizes[s][0], columns = sizes[s][1], stride = columns + 3;
        size_t count = lp_tiled(rows, columns);
        size_t high = (rows + 11) / 12 * 12, wide = (columns + 15) / 16 * 16;
        assert_int_equal(count, high * wide);
        float *x = numbers(rows * stride), *tiled = numbers(count);
        unsigned char *seen = lp_alloc_zeroed(count, 1);
        assert_non_null(seen);
        lp_tile(x, rows, columns, stride, tiled);
        for (size_t i = 0; i < high; i++) {
            for (size_t j = 0; j < wide; j++) {
                size_t at = lp_tiled_at(columns, i, j);
                assert_true(at < count && !seen[at]);
                seen[at] = 1;
                assert_true(tiled[at] == (i < rows && j < columns ? x[i * stride + j] : 0));
            }
        }
        assert_true(tiled[count] == GUARD);
        release(x);
        release(tiled);
        lp_free(seen);
    }
}

static void a_part_changes_nothing_beside_it(void **state) {
    (void)state;
    lp_random_seed(&source, 2);
    enum { ROWS = 26, COLUMNS = 37, HIGH = 9, WIDE = 22, ROW = 8, COLUMN = 11 };
    float *x = numbers(HIGH * WIDE), *tiled = numbers(lp_tiled(ROWS, COLUMNS));
    float *before = numbers(lp_tiled(ROWS, COLUMNS));
    memcpy(before, tiled, lp_tiled(ROWS, COLUMNS) * sizeof *before);
    for (size_t i = 0; i < HIGH; i++) {
        lp_tile_row(x + i * WIDE, WIDE, tiled, COLUMNS, ROW + i, COLUMN);
    }
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t j = 0; j < COLUMNS; j++) {
            size_t at = lp_tiled_at(COLUMNS, i, j);
            bool inside = i >= ROW && i < ROW + HIGH && j >= COLUMN && j < COLUMN + WIDE;
            assert_true(tiled[at] == (inside ? x[(i - ROW) * WIDE + j - COLUMN] : before[at]));
        }
    }
    release(x);
    release(tiled);
    release(before);
}

/* ---- products -------------------------------------------------------------------------------- */

typedef struct size {
    size_t rows, in, out;
} size;

/* The last three: several blocks of inputs, several chunks of rows, more than one of both. */
static const size sizes[] = {{1, 1, 1},     {5, 16, 32},    {12, 17, 33},  {13, 15, 31},
                             {24, 64, 16},  {25, 300, 70},  {50, 257, 96}, {14, 2100, 40},
                             {700, 208, 5}, {130, 1100, 34}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

typedef struct example {
    lp_packed_linear layer;
    float *packed, *bias;               /* the layer's */
    float *x, *tiled, *weight, *before; /* before: what y holds, [rows, out] */
} example;

static example make(const size *s) {
    example e = {.layer = {.in = s->in, .out = s->out, .precision = LP_PRECISION_FLOAT32}};
    e.x = numbers(s->rows * s->in);
    e.tiled = numbers(lp_tiled(s->rows, s->in));
    e.weight = numbers(s->out * s->in);
    e.before = numbers(s->rows * s->out);
    e.layer.bias = e.bias = numbers(s->out);
    e.packed = lp_alloc(lp_linear_packed(s->out, s->in), sizeof(float));
    assert_non_null(e.packed);
    e.layer.panels = e.packed;
    lp_linear_pack(e.weight, s->out, s->in, e.packed);
    lp_tile(e.x, s->rows, s->in, s->in, e.tiled);
    return e;
}

static void discard(example *e) {
    release(e->x);
    release(e->tiled);
    release(e->weight);
    release(e->before);
    lp_free(e->packed);
    release(e->bias);
}

static double twin(lp_nonlinearity activation, double x) {
    switch (activation) {
    case LP_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case LP_GELU:
        return x * 0.5 * erfc(-x / sqrt(2));
    case LP_GELU_TANH:
        return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    case LP_RELU:
        return x > 0 ? x : 0;
    case LP_SILU:
        return x / (1 + exp(-x));
    case LP_SIGMOID:
        return 1 / (1 + exp(-x));
    case LP_RELU6:
        return fmin(fmax(x, 0), 6);
    case LP_HARD_SIGMOID:
        return fmin(fmax(x + 3, 0), 6) / 6;
    case LP_HARD_SWISH:
        return x * fmin(fmax(x + 3, 0), 6) / 6;
    case LP_IDENTITY:
        break;
    }
    return x;
}

static void assert_exact(const example *e, const size *s, size_t i, size_t o,
                         const lp_linear_output *output, float found) {
    double sum = e->layer.bias != NULL ? (double)e->layer.bias[o] : 0, terms = fabs(sum) + 4;
    for (size_t k = 0; k < s->in; k++) {
        double term = (double)e->x[i * s->in + k] * (double)e->weight[o * s->in + k];
        sum += term;
        terms += fabs(term);
    }
    sum += output->add ? (double)e->before[i * s->out + o] : 0;
    /* roundings of a chain, each at most 2^-24 of what has been added up */
    double tolerance = 1e-7 * terms * sqrt((double)(s->in < CHAIN ? s->in : CHAIN) + 4);
    double expected = twin(output->activation, sum);
    if (!(fabs((double)found - expected) <= 1.2 * tolerance)) {
        fail_msg("%zu x %zu x %zu, row %zu, output %zu: found %.9g, expected %.9g within %.3g",
                 s->rows, s->in, s->out, i, o, (double)found, expected, tolerance);
    }
}

typedef void (*version)(const linear_job *j);

/* Rows with a stride and guards between them. */
static void check_rows(version run, const size *s, bool with_bias, bool add) {
    example e = make(s);
    size_t stride = s->out + 5;
    float *bias = e.bias, *y = numbers(s->rows * stride);
    e.layer.bias = with_bias ? bias : NULL;
    for (size_t i = 0; i < s->rows * stride; i++) {
        y[i] = i % stride < s->out ? e.before[i / stride * s->out + i % stride] : GUARD;
    }
    lp_linear_output output = {y, stride, add, LP_IDENTITY};
    run(&(linear_job){&e.layer, e.tiled, s->rows, &output, sums, NULL, NULL});
    for (size_t i = 0; i < s->rows; i++) {
        for (size_t o = 0; o < s->out; o++) {
            assert_exact(&e, s, i, o, &output, y[i * stride + o]);
        }
        for (size_t o = s->out; o < stride; o++) {
            assert_true(y[i * stride + o] == GUARD);
        }
    }
    assert_true(y[s->rows * stride] == GUARD);
    e.layer.bias = bias;
    release(y);
    discard(&e);
}

static void check_tiled(version run, const size *s, lp_nonlinearity activation) {
    example e = make(s);
    size_t count = lp_tiled(s->rows, s->out);
    float *y = numbers(count);
    lp_linear_output output = {.y = y, .activation = activation};
    run(&(linear_job){&e.layer, e.tiled, s->rows, &output, sums, NULL, NULL});
    for (size_t i = 0; i < s->rows; i++) {
        for (size_t o = 0; o < s->out; o++) {
            assert_exact(&e, s, i, o, &output, y[lp_tiled_at(s->out, i, o)]);
        }
        for (size_t o = s->out; o % RUN != 0; o++) { /* a next product multiplies them by 0 */
            assert_true(y[lp_tiled_at(s->out, i, o)] == 0);
        }
    }
    for (size_t i = 0; i < count; i++) {
        assert_true(isfinite(y[i]));
    }
    assert_true(y[count] == GUARD);
    release(y);
    discard(&e);
}

static void check_version(version run) {
    lp_random_seed(&source, 3);
    for (size_t k = 0; k < SIZES; k++) {
        check_rows(run, &sizes[k], k % 3 != 0, false);
        check_rows(run, &sizes[k], k % 2 != 0, true);
        check_tiled(run, &sizes[k], (lp_nonlinearity)(k % 4));
    }
    for (int activation = LP_IDENTITY; activation <= LP_GELU_TANH; activation++) {
        check_tiled(run, &sizes[5], (lp_nonlinearity)activation);
    }
}

static void chosen(const linear_job *j) {
    lp_linear_run(j->layer, j->x, j->rows, j->output);
}

static void products_match_plain_loops(void **state) {
    (void)state;
    check_version(chosen);
}

static void the_plain_version_matches_plain_loops(void **state) {
    (void)state;
    check_version(multiply_plain);
}

#if LP_X86

static void the_avx2_version_matches_plain_loops(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS_AVX2);
    check_version(multiply_avx2);
}

static void the_avx512_version_matches_plain_loops(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512f"));
    check_version(multiply_avx512);
}

static void wide_and_wider_registers_give_the_same_bits(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512f") && LP_SUPPORTS_AVX2);
    lp_random_seed(&source, 9);
    for (size_t k = 0; k < SIZES; k++) {
        const size *s = &sizes[k];
        example e = make(s);
        size_t count = lp_tiled(s->rows, s->out);
        float *y = numbers(count), *other = numbers(count);
        for (int activation = LP_IDENTITY; activation <= LP_HARD_SWISH; activation++) {
            lp_linear_output output = {.y = y, .activation = (lp_nonlinearity)activation};
            linear_job j = {&e.layer, e.tiled, s->rows, &output, sums, NULL, NULL};
            multiply_avx512(&j);
            output.y = other;
            multiply_avx2(&j);
            assert_memory_equal(y, other, count * sizeof *y);
        }
        release(y);
        release(other);
        discard(&e);
    }
}

#endif

/* Row 29 of 700, alone: the first of its tile, in another chunk. */
static void a_row_does_not_see_the_others(void **state) {
    (void)state;
    const size s = {700, 208, 40};
    lp_random_seed(&source, 11);
    example e = make(&s);
    float *y = numbers(s.rows * s.out), *alone = numbers(s.out), *x = numbers(lp_tiled(1, s.in));
    lp_linear_run(&e.layer, e.tiled, s.rows, &(lp_linear_output){.y = y, .stride = s.out});
    lp_tile(e.x + 29 * s.in, 1, s.in, s.in, x);
    lp_linear_run(&e.layer, x, 1, &(lp_linear_output){.y = alone, .stride = s.out});
    assert_memory_equal(alone, y + 29 * s.out, s.out * sizeof *alone);
    release(y);
    release(alone);
    release(x);
    discard(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiles_hold_rows_and_zeros),
        cmocka_unit_test(a_part_changes_nothing_beside_it),
        cmocka_unit_test(products_match_plain_loops),
        cmocka_unit_test(the_plain_version_matches_plain_loops),
#if LP_X86
        cmocka_unit_test(the_avx2_version_matches_plain_loops),
        cmocka_unit_test(the_avx512_version_matches_plain_loops),
        cmocka_unit_test(wide_and_wider_registers_give_the_same_bits),
#endif
        cmocka_unit_test(a_row_does_not_see_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
