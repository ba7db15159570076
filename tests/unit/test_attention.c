/* Attention against its formula in double precision, on odd sizes, with guard cells round the
 * output; and every processor's version of it. */
#include "math/attention.c" /* its versions are static; the library's copy is not linked */

#include <math.h>

#include "base/alloc.h"
#include "check.h"
#include "math/linear_bfloat16.h"
#include "numbers.h"

/* The last three: several chains of tokens, of a head's width, and of both. */
static const struct size {
    size_t queries, tokens, heads, head_width;
} sizes[] = {{1, 1, 1, 64},  {5, 5, 3, 8},    {17, 17, 2, 64}, {50, 50, 2, 64}, {1, 50, 3, 80},
             {6, 65, 2, 72}, {64, 64, 1, 20}, {7, 300, 2, 16}, {3, 20, 1, 600}, {12, 577, 1, 300}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

/* q [queries, width], k and v side by side in kv [tokens, 2 width], with gaps between the rows. */
typedef struct example {
    lp_attention_input in;
    float *q, *kv, *scratch, *bias, *mask; /* the last two NULL unless `biased` */
    size_t width, scratch_floats;
} example;

static bool biased;  /* examples have a bias and a mask */
static bool rounded; /* products read bfloat16 */

/* Scores are about `spread` from one another; scratch memory holds no numbers. */
static example make(const struct size *s, double spread) {
    example e = {.width = s->heads * s->head_width};
    size_t q_stride = e.width + 3, kv_stride = 2 * e.width + 5;
    e.q = numbers(s->queries * q_stride);
    e.kv = numbers(s->tokens * kv_stride);
    e.scratch_floats = lp_attention_scratch(s->tokens, s->head_width);
    e.scratch = numbers(e.scratch_floats);
    for (size_t i = 0; i < e.scratch_floats; i++) {
        e.scratch[i] = NAN;
    }
    e.in = (lp_attention_input){e.q,
                                e.kv,
                                e.kv + e.width,
                                q_stride,
                                kv_stride,
                                s->queries,
                                s->tokens,
                                s->heads,
                                s->head_width,
                                (float)spread * lp_attention_scale(s->head_width),
                                NULL,
                                NULL,
                                rounded ? LP_PRECISION_BFLOAT16 : LP_PRECISION_FLOAT32};
    if (biased) {
        e.in.bias = e.bias = numbers(s->heads * s->queries * s->tokens);
        e.in.mask = e.mask = numbers(s->queries * s->tokens);
        for (size_t i = 0; i < s->queries; i++) {
            e.mask[i * s->tokens + i % s->tokens] = -100;
        }
    }
    return e;
}

static void discard(example *e) {
    release(e->q);
    release(e->kv);
    if (e->bias != NULL) {
        release(e->bias);
        release(e->mask);
    }
    release_guarded(e->scratch, e->scratch_floats);
}

static double as_read(double x) {
    return rounded ? (double)lp_bfloat16_round((float)x) : x;
}

/* Row i of head h: exact [head_width]. */
static void formula(const example *e, size_t i, size_t h, double *p, double *exact) {
    const lp_attention_input *in = &e->in;
    double sum = 0, largest = -INFINITY;
    for (size_t t = 0; t < in->tokens; t++) {
        p[t] = 0;
        for (size_t c = h * in->head_width; c < (h + 1) * in->head_width; c++) {
            p[t] += as_read((double)in->q[i * in->q_stride + c]) *
                    as_read((double)in->k[t * in->kv_stride + c]);
        }
        p[t] *= (double)in->scale;
        if (in->bias != NULL) {
            p[t] += (double)in->bias[(h * in->queries + i) * in->tokens + t] +
                    (double)in->mask[i * in->tokens + t];
        }
        largest = fmax(largest, p[t]);
    }
    for (size_t t = 0; t < in->tokens; t++) {
        p[t] = exp(p[t] - largest);
        sum += p[t];
    }
    for (size_t c = 0; c < in->head_width; c++) {
        exact[c] = 0;
        for (size_t t = 0; t < in->tokens; t++) {
            double v = (double)in->v[t * in->kv_stride + h * in->head_width + c];
            exact[c] += as_read(p[t]) / sum * as_read(v);
        }
    }
}

/* Rows with a stride, and rows of a tiled matrix that begins with seven others. */
typedef void (*version)(const attention_job *j);

static void run(attention_job j, float *scratch, version chosen) {
    j = place(j, 1, scratch);
    chosen(&j);
}

static void check(version chosen, const struct size *s, double spread) {
    enum { BEFORE = 7 };
    example e = make(s, spread);
    size_t stride = e.width + 4, count = s->queries * stride;
    size_t tiled_count = lp_tiled(BEFORE + s->queries, e.width);
    float *y = numbers(count), *tiled = numbers(tiled_count);
    float *before = lp_alloc(tiled_count, sizeof *before);
    double *p = lp_alloc(s->tokens, sizeof *p), *exact = lp_alloc(s->head_width, sizeof *exact);
    assert_true(before != NULL && p != NULL && exact != NULL);
    memcpy(before, tiled, tiled_count * sizeof *before);
    for (size_t i = 0; i < count; i++) {
        y[i] = GUARD;
    }
    run((attention_job){.in = &e.in, .y = y, .y_stride = stride}, e.scratch, chosen);
    run((attention_job){.in = &e.in, .y = tiled, .first_row = BEFORE}, e.scratch, chosen);
    for (size_t i = 0; i < s->queries; i++) {
        for (size_t h = 0; h < s->heads; h++) {
            formula(&e, i, h, p, exact);
            for (size_t c = 0; c < s->head_width; c++) {
                size_t column = h * s->head_width + c, at = i * stride + column;
                /* A score's rounding, relative to the larger ones, comes out as it is.  What the
                 * softmax gives may lie between two bfloat16 numbers, and go to the other one. */
                double tolerance = 4e-6 * (1 + spread) + (rounded ? 0x1p-9 : 0);
                if (!(fabs((double)y[at] - exact[c]) <= tolerance)) {
                    fail_msg("row %zu, head %zu, column %zu: found %.9g, expected %.9g", i, h, c,
                             (double)y[at], exact[c]);
                }
                at = lp_tiled_at(e.width, BEFORE + i, column);
                assert_true(tiled[at] == y[i * stride + column]);
                before[at] = tiled[at];
            }
        }
        for (size_t c = e.width; c < stride; c++) {
            assert_true(y[i * stride + c] == GUARD);
        }
    }
    assert_memory_equal(tiled, before, tiled_count * sizeof *tiled); /* nothing else has changed */
    release_guarded(y, count);
    release_guarded(tiled, tiled_count);
    lp_free(before);
    lp_free(p);
    lp_free(exact);
    discard(&e);
}

static void check_version(version chosen) {
    lp_random_seed(&source, 21);
    for (size_t k = 0; k < SIZES; k++) {
        check(chosen, &sizes[k], 1);
    }
    check(chosen, &sizes[3], 300); /* exp of a score would overflow, of most others vanish */
    biased = true;
    for (size_t k = 0; k < SIZES; k++) {
        check(chosen, &sizes[k], 1);
    }
    biased = false;
}

static void attention_matches_its_formula(void **state) {
    (void)state;
    check_version(run_attention);
}

static void the_plain_version_matches_the_formula(void **state) {
    (void)state;
    check_version(attend_plain);
}

static void check_same_bits(version one, version other) {
    for (size_t k = 0; k < 2 * SIZES; k++) {
        biased = k >= SIZES;
        example e = make(&sizes[k % SIZES], 1);
        size_t count = sizes[k % SIZES].queries * e.width;
        float *y = numbers(count), *z = numbers(count);
        run((attention_job){.in = &e.in, .y = y, .y_stride = e.width}, e.scratch, one);
        run((attention_job){.in = &e.in, .y = z, .y_stride = e.width}, e.scratch, other);
        assert_memory_equal(y, z, count * sizeof *y);
        release_guarded(y, count);
        release_guarded(z, count);
        discard(&e);
    }
    biased = false;
}

#if LP_X86

static void the_avx2_version_matches_the_formula(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS_AVX2);
    check_version(attend_avx2);
}

static void the_avx512_version_matches_the_formula(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512f"));
    check_version(attend_avx512);
}

static void wide_and_wider_registers_give_the_same_bits(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512f") && LP_SUPPORTS_AVX2);
    lp_random_seed(&source, 22);
    check_same_bits(attend_avx512, attend_avx2);
}

#endif

/* ---- bfloat16 -------------------------------------------------------------------------------- */

static void run_bfloat16(const attention_job *j) {
    lp_attention_bfloat16(*j, j->keys);
}

static void the_products_of_bfloat16_match_the_formula(void **state) {
    (void)state;
    rounded = true;
    check_version(run_bfloat16);
    lp_without_avx512 = true;
    check_version(run_bfloat16);
    lp_without_avx512 = rounded = false;
}

static void run_narrow(const attention_job *j) {
    lp_without_avx512 = true;
    run_bfloat16(j);
    lp_without_avx512 = false;
}

static void they_have_the_same_bits_by_narrower_registers(void **state) {
    (void)state;
    NEEDS(lp_fuses());
    lp_random_seed(&source, 25);
    rounded = true;
    check_same_bits(run_bfloat16, run_narrow);
    rounded = false;
}

/* The second of 17 queries, alone, in the place of the query itself. */
static void a_query_does_not_see_the_others_and_may_be_overwritten(void **state) {
    (void)state;
    lp_random_seed(&source, 23);
    const struct size s = {17, 30, 1, 40};
    example e = make(&s, 1);
    float *y = numbers(s.queries * e.width);
    lp_attention(&e.in, e.scratch, y, e.width);
    lp_attention_input one = e.in;
    one.q += one.q_stride;
    one.queries = 1;
    lp_attention(&one, e.scratch, e.q + one.q_stride, one.q_stride);
    assert_memory_equal(e.q + one.q_stride, y + e.width, e.width * sizeof *y);
    lp_attention(&e.in, e.scratch, e.q, e.in.q_stride); /* but for that one, which has changed */
    assert_memory_equal(e.q + 16 * one.q_stride, y + 16 * e.width, e.width * sizeof *y);
    release_guarded(y, s.queries * e.width);
    discard(&e);
}

/* ---- heads that talk ------------------------------------------------------------------------- */

typedef void (*talking_version)(const attention_job *j, const lp_talking_heads *talk);

/* mixed [heads, tokens] = bias + weight [heads, heads] x */
static void mix(const float *weight, const float *bias, const double *x, size_t heads,
                size_t tokens, double *mixed) {
    for (size_t h = 0; h < heads; h++) {
        for (size_t t = 0; t < tokens; t++) {
            mixed[h * tokens + t] = (double)bias[h];
            for (size_t g = 0; g < heads; g++) {
                mixed[h * tokens + t] += (double)weight[h * heads + g] * x[g * tokens + t];
            }
        }
    }
}

/* p [heads, tokens]: what the values of query i are multiplied by; other: as large. */
static void talking_formula(const example *e, const lp_talking_heads *talk, size_t i, double *p,
                            double *other) {
    const lp_attention_input *in = &e->in;
    size_t heads = in->heads, tokens = in->tokens;
    for (size_t k = 0; k < heads * tokens; k++) {
        other[k] = 0;
        for (size_t c = k / tokens * in->head_width; c < (k / tokens + 1) * in->head_width; c++) {
            other[k] += (double)in->scale * (double)in->q[i * in->q_stride + c] *
                        (double)in->k[k % tokens * in->kv_stride + c];
        }
    }
    mix(talk->before, talk->before_bias, other, heads, tokens, p);
    for (size_t h = 0; h < heads; h++) {
        double sum = 0;
        for (size_t t = 0; t < tokens; t++) {
            sum += exp(p[h * tokens + t]);
        }
        for (size_t t = 0; t < tokens; t++) {
            other[h * tokens + t] = exp(p[h * tokens + t]) / sum;
        }
    }
    mix(talk->after, talk->after_bias, other, heads, tokens, p);
}

static void check_talking(talking_version chosen, const struct size *s) {
    enum { BEFORE = 7 };
    example e = make(s, 1);
    size_t floats = lp_attention_talking_scratch(s->tokens, s->head_width, s->heads);
    size_t tiled_count = lp_tiled(BEFORE + s->queries, e.width), square = s->heads * s->heads;
    float *scratch = numbers(floats), *tiled = numbers(tiled_count);
    float *weights = numbers(2 * square), *biases = numbers(2 * s->heads);
    double *p = lp_alloc(s->heads * s->tokens, sizeof *p);
    double *other = lp_alloc(s->heads * s->tokens, sizeof *other);
    assert_true(p != NULL && other != NULL);
    for (size_t i = 0; i < floats; i++) {
        scratch[i] = NAN;
    }
    const lp_talking_heads talk = {weights, biases, weights + square, biases + s->heads};
    attention_job j =
        place((attention_job){.in = &e.in, .y = tiled, .first_row = BEFORE}, s->heads, scratch);
    chosen(&j, &talk);
    for (size_t i = 0; i < s->queries; i++) {
        talking_formula(&e, &talk, i, p, other);
        for (size_t c = 0; c < e.width; c++) {
            double exact = 0, size = 1;
            for (size_t t = 0; t < s->tokens; t++) {
                double share = p[c / s->head_width * s->tokens + t];
                double term = share * (double)e.in.v[t * e.in.kv_stride + c];
                exact += term;
                size += fabs(term);
            }
            double found = (double)tiled[lp_tiled_at(e.width, BEFORE + i, c)];
            if (!(fabs(found - exact) <= 4e-6 * size)) {
                fail_msg("row %zu, column %zu: found %.9g, expected %.9g", i, c, found, exact);
            }
        }
    }
    release_guarded(scratch, floats);
    release_guarded(tiled, tiled_count);
    release(weights);
    release(biases);
    lp_free(p);
    lp_free(other);
    discard(&e);
}

static void check_talking_version(talking_version chosen) {
    lp_random_seed(&source, 31);
    for (size_t k = 0; k < SIZES; k++) {
        check_talking(chosen, &sizes[k]);
    }
}

static void heads_that_talk_match_their_formula(void **state) {
    (void)state;
    check_talking_version(run_talking);
    check_talking_version(attend_talking_plain);
#if LP_X86
    if (LP_SUPPORTS_AVX2) {
        check_talking_version(attend_talking_avx2);
    }
#endif
}

#if LP_X86

static void talking_heads_have_the_same_bits_in_wider_registers(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512f") && LP_SUPPORTS_AVX2);
    lp_random_seed(&source, 32);
    for (size_t k = 0; k < SIZES; k++) {
        const struct size *s = &sizes[k];
        example e = make(s, 1);
        size_t floats = lp_attention_talking_scratch(s->tokens, s->head_width, s->heads);
        size_t count = lp_tiled(s->queries, e.width), square = s->heads * s->heads;
        float *scratch = numbers(floats), *y = numbers(count), *z = numbers(count);
        float *weights = numbers(2 * square), *biases = numbers(2 * s->heads);
        const lp_talking_heads talk = {weights, biases, weights + square, biases + s->heads};
        memcpy(z, y, count * sizeof *y);
        attention_job j = place((attention_job){.in = &e.in, .y = y}, s->heads, scratch);
        attend_talking_avx512(&j, &talk);
        j.y = z;
        attend_talking_avx2(&j, &talk);
        assert_memory_equal(y, z, count * sizeof *y);
        release_guarded(scratch, floats);
        release_guarded(y, count);
        release_guarded(z, count);
        release(weights);
        release(biases);
        discard(&e);
    }
}

#endif

static void assert_rows(const example *e, const float *y, size_t nan_from, size_t nan_to) {
    for (size_t i = 0; i < e->in.queries; i++) {
        for (size_t c = 0; c < e->width; c++) {
            assert_int_equal(isnan(y[i * e->width + c]) != 0, i >= nan_from && i < nan_to);
        }
    }
}

/* Of 7 queries and 30 tokens, query 3; then also a key: in the first vector of a row of scores that
 * is compared for the largest, and behind it. */
static void not_a_number_comes_out_where_it_belongs(void **state) {
    (void)state;
    static const size_t tokens[] = {2, 20, 29};
    lp_random_seed(&source, 24);
    example e = make(&(struct size){7, 30, 1, 40}, 1);
    float *y = numbers(7 * e.width);
    e.q[3 * e.in.q_stride + 5] = NAN;
    lp_attention(&e.in, e.scratch, y, e.width);
    assert_rows(&e, y, 3, 4);
    for (size_t t = 0; t < 3; t++) {
        float *key = e.kv + tokens[t] * e.in.kv_stride + 8, before = *key;
        *key = t == 1 ? INFINITY : NAN; /* infinity less infinity */
        e.q[8] = 1;
        lp_attention(&e.in, e.scratch, y, e.width);
        assert_true(isnan(y[0]) && isnan(y[3 * e.width]));
        *key = before;
    }
    lp_attention(&e.in, e.scratch, y, e.width);
    assert_rows(&e, y, 3, 4);
    release_guarded(y, 7 * e.width);
    discard(&e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_matches_its_formula),
        cmocka_unit_test(the_plain_version_matches_the_formula),
#if LP_X86
        cmocka_unit_test(the_avx2_version_matches_the_formula),
        cmocka_unit_test(the_avx512_version_matches_the_formula),
        cmocka_unit_test(wide_and_wider_registers_give_the_same_bits),
        cmocka_unit_test(talking_heads_have_the_same_bits_in_wider_registers),
#endif
        cmocka_unit_test(the_products_of_bfloat16_match_the_formula),
        cmocka_unit_test(they_have_the_same_bits_by_narrower_registers),
        cmocka_unit_test(heads_that_talk_match_their_formula),
        cmocka_unit_test(a_query_does_not_see_the_others_and_may_be_overwritten),
        cmocka_unit_test(not_a_number_comes_out_where_it_belongs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
