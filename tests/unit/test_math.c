/* The math stage: every kernel against a plain twin in double precision, on odd sizes, with guard
 * cells round the output. */
#include <math.h>

#include "base/alloc.h"
#include "base/random.h"
#include "math/activation.h"
#include "math/exponential.h"
#include "math/linalg.h"
#include "math/rows.h"
#include "math/tiles.h"
#include "check.h"
#include "normal.h"

static const float GUARD = -12345.0F;
static lp_random source;

/* A matrix of normal numbers with `stride - columns` guard cells after each row and a row of them
 * before and behind. */
typedef struct matrix {
    size_t rows, columns, stride;
    float *cells;
    float *at; /* first row */
} matrix;

static matrix make(size_t rows, size_t columns, size_t stride, double scale) {
    matrix m = {rows, columns, stride, lp_alloc((rows + 2) * stride, sizeof(float)), NULL};
    assert_non_null(m.cells);
    for (size_t i = 0; i < (rows + 2) * stride; i++) {
        m.cells[i] = GUARD;
    }
    m.at = m.cells + stride;
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            m.at[i * stride + j] = (float)(scale * random_normal(&source));
        }
    }
    return m;
}

static matrix copy(const matrix *m) {
    matrix c = *m;
    size_t floats = (m->rows + 2) * m->stride;
    c.cells = lp_alloc(floats, sizeof(float));
    assert_non_null(c.cells);
    memcpy(c.cells, m->cells, floats * sizeof(float));
    c.at = c.cells + m->stride;
    return c;
}

static void assert_guarded_and_freed(matrix *m) {
    for (size_t i = 0; i < (m->rows + 2) * m->stride; i++) {
        size_t row = i / m->stride;
        if (row == 0 || row > m->rows || i % m->stride >= m->columns) {
            assert_true(m->cells[i] == GUARD);
        }
    }
    lp_free(m->cells);
}

#define assert_near(found, expected, tolerance)                                                    \
    do {                                                                                           \
        double f_ = (double)(found), e_ = (double)(expected), t_ = (double)(tolerance);            \
        if (!(fabs(f_ - e_) <= t_)) {                                                              \
            fail_msg("%s:%d: found %.9g, expected %.9g within %.3g", __FILE__, __LINE__, f_, e_,   \
                     t_);                                                                          \
        }                                                                                          \
    } while (0)

static void products_match_three_loops(void **state) {
    (void)state;
    static const size_t sizes[][3] = {{1, 1, 1},    {1, 7, 64},   {3, 5, 2},
                                      {17, 33, 65}, {50, 50, 64}, {130, 70, 300}};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
        for (int transposed = 0; transposed < 2; transposed++) {
            for (int add = 0; add < 2; add++) {
                matrix a = make(m, k, k + 3, 1), c = make(m, n, n + 5, 1), before = copy(&c);
                matrix b = transposed ? make(n, k, k + 2, 1) : make(k, n, n + 2, 1);
                float beta = (float)add;
                lp_gemm(false, transposed, m, n, k, 0.5F, a.at, a.stride, b.at, b.stride, beta,
                        c.at, c.stride);
                for (size_t i = 0; i < m; i++) {
                    for (size_t j = 0; j < n; j++) {
                        double sum = 0;
                        for (size_t l = 0; l < k; l++) {
                            sum += (double)a.at[i * a.stride + l] *
                                   (double)(transposed ? b.at[j * b.stride + l]
                                                       : b.at[l * b.stride + j]);
                        }
                        sum = 0.5 * sum + (double)(beta * before.at[i * c.stride + j]);
                        /* k products of standard normals, each rounded: well within k * 2^-23. */
                        assert_near(c.at[i * c.stride + j], sum, 1.2e-7 * (double)(k + 8));
                    }
                }
                assert_guarded_and_freed(&a);
                assert_guarded_and_freed(&b);
                assert_guarded_and_freed(&c);
                lp_free(before.cells);
            }
        }
    }
    assert_non_null(strstr(lp_math_blas_version(), "OpenBLAS"));
    assert_true(strlen(lp_math_blas_corename()) > 0);
}

/* One float in 997 of all there are. */
static void exponential_is_within_one_ulp(void **state) {
    (void)state;
    const double largest = 0x1p127 * sqrt(2);
    for (uint64_t pattern = 0; pattern <= UINT32_MAX; pattern += 997) {
        uint32_t bits = (uint32_t)pattern;
        float x;
        memcpy(&x, &bits, sizeof x);
        float found = lp_exp(x);
        double exact = exp((double)x);
        if (!isnan(x)) {
            assert_true(lp_exp_of_number(x) == found);
            assert_true(lp_at_most(x, 3) == (x < 3 ? x : 3));
        }
        if (x <= 89) {
            assert_true(lp_exp_below(x) == found);
        }
        if (isnan(x)) {
            assert_true(isnan(found) && isnan(lp_exp_below(x)));
        } else if (exact > 1.00001 * largest) {
            assert_true(isinf(found) && found > 0);
        } else if (exact < 0x1p-126) {
            assert_true(found >= 0 && found <= 0x1p-126F);
        } else if (exact < 0.99999 * largest) { /* between them x decides, rounded */
            float nearest = (float)exact;
            double ulp = (double)(nextafterf(nearest, INFINITY) - nearest);
            assert_near(found, exact, ulp);
        }
    }
    assert_true(lp_exp(0) == 1);
    assert_true(lp_exp(-INFINITY) == 0);
}

static double gelu_twin(double x) {
    return x * 0.5 * erfc(-x / sqrt(2));
}

static double quick_gelu_twin(double x) {
    return x / (1 + exp(-1.702 * x));
}

static double gelu_tanh_twin(double x) {
    return x / 2 * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
}

static void activations_match_their_formulas(void **state) {
    (void)state;
    for (double v = -20; v <= 20; v += 0.00037) {
        float x = (float)v, found = lp_gelu(x);
        double exact = gelu_twin((double)x);
        assert_near(found, exact, 1.5e-7 * fabs((double)x));
        if (v > -10) { /* relative accuracy in the tail, where 1 + erf(x) has none */
            assert_near(found, exact, 4e-6 * fabs(exact));
        }
        assert_near(lp_gelu_tanh(x), gelu_tanh_twin((double)x), 3e-6);
        found = lp_quick_gelu(x);
        exact = quick_gelu_twin((double)x);
        /* The exponent's own rounding, |1.702 x| 2^-24, stands beside 1 ulp of each step. */
        assert_near(found, exact, (3.6e-7 + 1.2e-7 * fabs((double)x)) * fabs(exact));
    }
    static const float ends[] = {INFINITY, 1e30F, -1e30F};
    for (size_t i = 0; i < 3; i++) {
        float expected = ends[i] > 0 ? ends[i] : 0;
        assert_true(lp_gelu(ends[i]) == expected);
        assert_true(lp_quick_gelu(ends[i]) == expected);
        assert_true(lp_gelu_tanh(ends[i]) == expected);
    }
    for (int kind = LP_IDENTITY; kind <= LP_HARD_SWISH; kind++) {
        assert_true(isnan(lp_activate((lp_nonlinearity)kind, NAN)));
        assert_true(isnan(lp_activate((lp_nonlinearity)kind, -NAN)));
    }
}

static void bias_is_added_to_strided_rows(void **state) {
    (void)state;
    matrix x = make(5, 37, 50, 1), bias = make(1, 37, 37, 1), before = copy(&x);
    lp_add_bias(x.at, 5, 37, 50, bias.at);
    for (size_t i = 0; i < 5; i++) {
        for (size_t j = 0; j < 37; j++) {
            assert_true(x.at[i * 50 + j] == before.at[i * 50 + j] + bias.at[j]);
        }
    }
    assert_guarded_and_freed(&x);
    assert_guarded_and_freed(&bias);
    lp_free(before.cells);
}

static void layer_norm_matches_its_formula(void **state) {
    (void)state;
    static const size_t columns_of[] = {1, 2, 15, 16, 17, 31, 64, 192, 768};
    /* The last: a mean far from zero, where the one-pass formula E[x^2] - mean^2 loses all. */
    static const double offset_of[] = {0, 3, -1000};
    for (size_t s = 0; s < sizeof columns_of / sizeof columns_of[0]; s++) {
        for (size_t o = 0; o < 3; o++) {
            for (int in_place = 0; in_place < 2; in_place++) {
                size_t rows = 3, columns = columns_of[s], stride = columns + 4;
                matrix x = make(rows, columns, stride, 0.7), to = make(rows, columns, stride, 1);
                matrix weight = make(1, columns, columns, 1), bias = make(1, columns, columns, 1);
                for (size_t i = 0; i < rows * stride; i++) {
                    x.at[i] += i % stride < columns ? (float)offset_of[o] : 0;
                }
                matrix before = copy(&x);
                const matrix *out = in_place ? &x : &to;
                float eps = 1e-5F;
                lp_layer_norm(x.at, rows, columns, stride, weight.at, bias.at, eps, out->at,
                              stride);
                for (size_t i = 0; i < rows; i++) {
                    const float *row = before.at + i * stride;
                    double mean = 0, variance = 0;
                    for (size_t j = 0; j < columns; j++) {
                        mean += (double)row[j] / (double)columns;
                    }
                    for (size_t j = 0; j < columns; j++) {
                        double d = (double)row[j] - mean;
                        variance += d * d / (double)columns;
                    }
                    double scale = 1 / sqrt(variance + (double)eps);
                    for (size_t j = 0; j < columns; j++) {
                        double exact = ((double)row[j] - mean) * scale * (double)weight.at[j] +
                                       (double)bias.at[j];
                        /* The mean is rounded to float32 before it is taken off. */
                        double rounding = (fabs(mean) * scale + 8) * 1.2e-7;
                        assert_near(out->at[i * stride + j], exact,
                                    rounding * (1 + fabs((double)weight.at[j])));
                    }
                }
                size_t count = lp_tiled(rows, columns);
                matrix tiled = make(1, count, count, 1);
                lp_layer_norm_tiled(before.at, rows, columns, stride, weight.at, bias.at, eps,
                                    tiled.at);
                for (size_t i = 0; i < count; i++) { /* the last tile has 12 rows */
                    size_t row = i % LP_TILE_CELL / LP_TILE_RUN;
                    size_t column = i / LP_TILE_CELL * LP_TILE_RUN + i % LP_TILE_RUN;
                    bool inside = row < rows && column < columns;
                    assert_true(tiled.at[i] == (inside ? out->at[row * stride + column] : 0));
                }
                assert_guarded_and_freed(&tiled);
                assert_guarded_and_freed(&x);
                assert_guarded_and_freed(&to);
                assert_guarded_and_freed(&weight);
                assert_guarded_and_freed(&bias);
                lp_free(before.cells);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_match_three_loops),
        cmocka_unit_test(exponential_is_within_one_ulp),
        cmocka_unit_test(activations_match_their_formulas),
        cmocka_unit_test(bias_is_added_to_strided_rows),
        cmocka_unit_test(layer_norm_matches_its_formula),
    };
    lp_random_seed(&source, 20240607);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
