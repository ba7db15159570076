/* Linear layers over bfloat16: sums have the order that is described, and every version gives the
 * same bits, on odd sizes, with guard cells round the output. */
#include "math/linear_bfloat16.c" /* its versions are static; the library's copy is not linked */

#include <math.h>

#include "base/alloc.h"
#include "check.h"
#include "numbers.h"

typedef struct size {
    size_t rows, in, out;
} size;

/* The last ones: several blocks of inputs, several chunks of rows, more than one of both. */
static const size sizes[] = {{1, 1, 1},      {5, 16, 32},   {12, 17, 33},
                             {13, 15, 31},   {25, 300, 70}, {50, 257, 96},
                             {14, 2100, 40}, {700, 208, 5}, {230, 1100, 34}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

typedef struct example {
    lp_packed_linear layer;
    float *packed, *bias, *weight; /* as they were, [out][in] */
    float *tiled, *before, *scratch;
} example;

/* Numbers of very different sizes, so that sums cancel and small ones vanish. */
static float *wide_numbers(size_t count) {
    float *x = numbers(count);
    for (size_t i = 0; i < count; i++) {
        x[i] = i % 5 == 0 ? x[i] * ldexpf(1, (int)(lp_random_next(&source) % 120) - 70) : x[i];
    }
    return x;
}

static example make(const size *s) {
    example e = {.layer = {.in = s->in, .out = s->out, .precision = LP_PRECISION_BFLOAT16}};
    e.weight = wide_numbers(s->out * s->in);
    e.tiled = wide_numbers(lp_tiled(s->rows, s->in));
    lp_tile_pad(e.tiled, s->rows, s->in);
    e.before = numbers(s->rows * s->out);
    e.layer.bias = e.bias = numbers(s->out);
    e.packed = lp_alloc(lp_linear_bfloat16_packed(s->out, s->in), sizeof(float));
    e.scratch = numbers(lp_linear_bfloat16_scratch(0));
    assert_non_null(e.packed);
    e.layer.panels = e.packed;
    return e;
}

static void discard(example *e) {
    assert_true(e->scratch[lp_linear_bfloat16_scratch(0)] == GUARD);
    release(e->weight);
    release(e->tiled);
    release(e->before);
    release(e->bias);
    release(e->scratch);
    lp_free(e->packed);
}

/* A way to pack and to multiply. */
typedef struct version {
    void (*pack)(const plain_weights *from, uint32_t *to);
    void (*multiply)(const linear_job *j);
} version;

static const version plain = {pack_pairs, multiply_wide_plain};

/* one: NULL, this processor's own. */
static void run(const version *one, const example *e, const size *s,
                const lp_linear_output *output) {
    _Alignas(64) float sums[SUMS];
    if (one == NULL) {
        lp_linear_bfloat16_pack(e->weight, s->out, s->in, s->in, 1, e->packed);
        lp_linear_bfloat16_run(&e->layer, e->tiled, s->rows, output, e->scratch);
        return;
    }
    float *rounded = e->scratch + (64 - (uintptr_t)e->scratch % 64) / sizeof(float);
    one->pack(&(plain_weights){e->weight, s->out, s->in, s->in, 1}, (uint32_t *)(void *)e->packed);
    one->multiply(
        &(linear_job){&e->layer, e->tiled, s->rows, output, sums, rounded, rounded + ROUND_ROOM});
}

/* The chain of one run of 16 inputs; inputs from `end` on are 0. */
static float chain_of(const example *e, const size *s, size_t row, size_t o, size_t first,
                      size_t end) {
    float sum = 0;
    for (size_t k = first; k < first + 16 && k < end; k++) {
        sum = fmaf(lp_bfloat16_round(e->tiled[lp_tiled_at(s->in, row, k)]),
                   lp_bfloat16_round(e->weight[o * s->in + k]), sum);
    }
    return sum;
}

static float sum_of(const example *e, const size *s, size_t row, size_t o) {
    size_t block = (block_runs_of(lp_tile_runs(s->in)) + 1) / 2 * 32;
    float y = 0;
    for (size_t first = 0; first < s->in; first += block) {
        size_t end = first + block < s->in ? first + block : s->in;
        float sum = 0;
        for (size_t k = first; k < end; k += 32) {
            sum += chain_of(e, s, row, o, k, end) + chain_of(e, s, row, o, k + 16, end);
        }
        y = first > 0 ? y + sum : sum;
    }
    return y;
}

static void sums_have_the_order_that_is_described(void **state) {
    (void)state;
    lp_random_seed(&source, 9);
    for (size_t n = 0; n < SIZES; n++) {
        const size *s = &sizes[n];
        example e = make(s);
        float *y = numbers(s->rows * s->out);
        e.layer.bias = NULL;
        run(NULL, &e, s, &(lp_linear_output){.y = y, .stride = s->out});
        for (size_t row = 0; row < s->rows; row += 1 + row / 20) {
            for (size_t o = 0; o < s->out; o++) {
                float expected = sum_of(&e, s, row, o);
                assert_memory_equal(&y[row * s->out + o], &expected, sizeof expected);
            }
        }
        release(y);
        discard(&e);
    }
}

static void check_output(const version *one, const example *e, const size *s,
                         lp_linear_output output, size_t count) {
    float *y = numbers(count), *expected = numbers(count);
    for (size_t i = 0; i < count; i++) {
        y[i] = expected[i] = e->before[i % (s->rows * s->out)];
    }
    output.y = expected;
    run(&plain, e, s, &output);
    output.y = y;
    run(one, e, s, &output);
    assert_memory_equal(y, expected, (count + 1) * sizeof *y); /* with the guard */
    release(y);
    release(expected);
}

static void check_version(const version *one) {
    lp_random_seed(&source, 3);
    for (size_t n = 0; n < SIZES; n++) {
        const size *s = &sizes[n];
        example e = make(s);
        size_t stride = s->out + 3;
        check_output(one, &e, s, (lp_linear_output){.stride = stride}, s->rows * stride);
        check_output(one, &e, s, (lp_linear_output){.stride = stride, .add = true},
                     s->rows * stride);
        check_output(one, &e, s, (lp_linear_output){.activation = LP_QUICK_GELU},
                     lp_tiled(s->rows, s->out));
        discard(&e);
    }
}

/* A product of two rounded values is exact, so that it does not matter whether it is fused. */
static void this_processors_version_has_the_bits_of_the_plain_one(void **state) {
    (void)state;
    check_version(NULL);
}

#if LP_X86

static void so_has_the_avx2_version(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS_AVX2);
    check_version(&(version){pack_pairs, multiply_wide_avx2});
}

static void so_has_the_avx512_version(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512f"));
    check_version(&(version){pack_pairs, multiply_wide_avx512});
}

static void so_has_the_version_by_pairs(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512bf16"));
    check_version(&(version){pack_pairs, multiply_pairs});
}

LP_TARGET(LP_AMX) static void round_three(const float *cells, uint32_t *pairs) {
    round_apart(cells, 3, pairs);
}

/* Every upper half of a float, near the next one and half way to it. */
static void amx_rounds_rows_alike(void **state) {
    (void)state;
    NEEDS(lp_has_amx());
    static const uint32_t lower[] = {0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF};
    _Alignas(64) float cells[3 * LP_TILE_CELL];
    _Alignas(64) uint32_t pairs[4 * STEP_ROWS];
    uint32_t bits = 0;
    for (uint32_t upper = 0; upper < 0x10000; upper += 32) {
        for (size_t i = 0; i < 3 * LP_TILE_CELL; i++, bits++) {
            uint32_t x = (upper + bits % 32) << 16 | lower[bits / 32 % 6];
            memcpy(&cells[i], &x, sizeof x);
        }
        round_three(cells, pairs);
        for (size_t i = 0; i < LP_TILE_CELL; i++) {
            assert_int_equal(pairs[i], apart(cells[i], cells[LP_TILE_CELL + i]));
            assert_int_equal(pairs[LP_TILE_CELL + i], apart(cells[2 * LP_TILE_CELL + i], 0));
        }
    }
}

static void so_has_the_version_of_amx(void **state) {
    (void)state;
    NEEDS(lp_has_amx());
    check_version(&(version){pack_apart, multiply_amx});
}

#endif

static void values_are_rounded_to_the_nearest(void **state) {
    (void)state;
    static const struct {
        float x, rounded;
    } cases[] = {
        {1, 1},
        {0x1.01p0F, 0x1.00p0F}, /* half way: to the even one */
        {0x1.03p0F, 0x1.04p0F},
        {0x1.010002p0F, 0x1.02p0F},
        {-0x1.01fffep0F, -0x1.02p0F},
        {0x1.fffffep-1F, 1},
        {0x1p-55F, 0x1p-55F},
        {0x1.fffffep-56F, 0},
        {-0x1p-60F, 0},
        {0x1p-140F, 0},
        {0x1.fep127F, 0x1.fep127F},
        {0x1.ffp127F, INFINITY},
        {-INFINITY, -INFINITY},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(lp_bfloat16_round(cases[i].x) == cases[i].rounded);
    }
    static const uint32_t nans[] = {0x7F800001U, 0xFF800001U, 0x7FFFFFFFU, 0xFFFFFFFFU};
    for (size_t i = 0; i < sizeof nans / sizeof nans[0]; i++) {
        float x;
        memcpy(&x, &nans[i], sizeof x);
        assert_true(isnan(lp_bfloat16_round(x)));
    }
}

static void weights_may_be_transposed(void **state) {
    (void)state;
    lp_random_seed(&source, 5);
    assert_packed_alike(lp_linear_bfloat16_packed, lp_linear_bfloat16_pack);
}

static void what_is_not_finite_stays_so(void **state) {
    (void)state;
    static const float strange[] = {INFINITY, -INFINITY, NAN};
    const size s = {3, 40, 2};
    lp_random_seed(&source, 7);
    for (size_t n = 0; n < 3; n++) {
        example e = make(&s);
        float y[6];
        e.tiled[lp_tiled_at(s.in, 1, 16)] = strange[n];
        run(NULL, &e, &s, &(lp_linear_output){.y = y, .stride = 2});
        assert_true(!isfinite(y[2]) && !isfinite(y[3]));
        assert_true(isfinite(y[0]) && isfinite(y[1]) && isfinite(y[4]) && isfinite(y[5]));
        discard(&e);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_have_the_order_that_is_described),
        cmocka_unit_test(this_processors_version_has_the_bits_of_the_plain_one),
#if LP_X86
        cmocka_unit_test(so_has_the_avx2_version),
        cmocka_unit_test(so_has_the_avx512_version),
        cmocka_unit_test(so_has_the_version_by_pairs),
        cmocka_unit_test(so_has_the_version_of_amx),
        cmocka_unit_test(amx_rounds_rows_alike),
#endif
        cmocka_unit_test(values_are_rounded_to_the_nearest),
        cmocka_unit_test(weights_may_be_transposed),
        cmocka_unit_test(what_is_not_finite_stays_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
