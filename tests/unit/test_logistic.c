/* Kernels of the probe's pass against plain loops, on odd sizes, with guard cells round them. */
#include <math.h>

#include "base/random.h"
#include "check.h"
#include "math/accumulate.h"
#include "math/logistic.h"
#include "normal.h"

enum { MOST = 40 * 70, GUARD = 8 };
static const float MARK = 12345.0F;

static const struct {
    size_t rows, columns;
} sizes[] = {{1, 1}, {3, 2}, {2, 15}, {5, 16}, {7, 17}, {40, 33}, {31, 70}};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

typedef struct block {
    float narrow[MOST + 2 * GUARD];
    double wide[MOST + 2 * GUARD];
    double loss[128];
    double sums[128];
    int32_t labels[64];
} block;

/* Logits from tiny to huge, labels, some of which are no column when `others`. */
static void fill(block *b, size_t rows, size_t columns, uint64_t seed, int others) {
    lp_random random;
    lp_random_seed(&random, seed);
    for (size_t i = 0; i < MOST + 2 * GUARD; i++) {
        b->narrow[i] = MARK;
        b->wide[i] = (double)MARK;
    }
    for (size_t i = 0; i < rows * columns; i++) {
        float v = (float)(random_normal(&random) * pow(10, 2 * lp_random_uniform(&random)));
        b->narrow[GUARD + i] = v;
        b->wide[GUARD + i] = (double)v;
    }
    for (size_t i = 0; i < rows; i++) {
        b->labels[i] = (int32_t)lp_random_below(&random, columns);
        b->labels[i] = others && i % 3 == 0 ? -1 : b->labels[i];
    }
    for (size_t k = 0; k < 128; k++) {
        b->loss[k] = b->sums[k] = 0.5; /* they are added to */
    }
}

static void check_guards(const block *b, size_t count) {
    for (size_t i = 0; i < GUARD; i++) {
        assert_true(b->narrow[i] == MARK && b->narrow[GUARD + count + i] == MARK);
        assert_true(b->wide[i] == (double)MARK && b->wide[GUARD + count + i] == (double)MARK);
    }
}

/* p - y and the loss in long double. */
static void plain_softmax(const double *z, size_t columns, size_t label, double *p, double *loss) {
    long double max = z[0];
    long double sum = 0;
    for (size_t k = 1; k < columns; k++) {
        max = z[k] > max ? z[k] : max;
    }
    for (size_t k = 0; k < columns; k++) {
        sum += expl(z[k] - max);
    }
    for (size_t k = 0; k < columns; k++) {
        p[k] = (double)(expl(z[k] - max) / sum) - (k == label);
    }
    *loss += (double)(logl(sum) + max - z[label]);
}

static void near(double found, double expected, double tolerance) {
    if (!(fabs(found - expected) <= tolerance * (1 + fabs(expected)))) {
        fail_msg("found %.17g, expected %.17g", found, expected);
    }
}

static void softmax_equals_plain_loops(void **state) {
    (void)state;
    for (size_t s = 0; s < SIZES; s++) {
        size_t rows = sizes[s].rows;
        size_t columns = sizes[s].columns;
        static block narrow;
        static block wide;
        double p[128];
        double sums[128] = {0};
        double loss = 0;
        fill(&narrow, rows, columns, s, 0);
        fill(&wide, rows, columns, s, 0);
        lp_softmax_residual(narrow.narrow + GUARD, rows, columns, narrow.labels, narrow.loss,
                            narrow.sums);
        lp_softmax_residual64(wide.wide + GUARD, rows, columns, wide.labels, wide.loss, wide.sums);
        for (size_t i = 0; i < rows; i++) {
            plain_softmax(narrow.wide + GUARD + i * columns, columns, (size_t)narrow.labels[i], p,
                          &loss);
            for (size_t k = 0; k < columns; k++) {
                size_t at = GUARD + i * columns + k;
                near((double)narrow.narrow[at], p[k], 3e-6); /* z - max rounds, up to 500 */
                near(wide.wide[at], p[k], 1e-13);
                sums[k] += p[k];
            }
        }
        near(narrow.loss[0] - 0.5, loss, 1e-6);
        near(wide.loss[0] - 0.5, loss, 1e-13);
        for (size_t k = 0; k < columns; k++) {
            near(narrow.sums[k] - 0.5, sums[k], 1e-5);
            near(wide.sums[k] - 0.5, sums[k], 1e-12);
        }
        check_guards(&narrow, rows * columns);
        check_guards(&wide, rows * columns);
    }
}

static void logistic_equals_plain_loops(void **state) {
    (void)state;
    for (size_t s = 0; s < SIZES; s++) {
        size_t rows = sizes[s].rows;
        size_t columns = sizes[s].columns;
        static block narrow;
        static block wide;
        double sums[128] = {0};
        double loss[128] = {0};
        fill(&narrow, rows, columns, 50 + s, 1);
        fill(&wide, rows, columns, 50 + s, 1);
        lp_logistic_residual(narrow.narrow + GUARD, rows, columns, narrow.labels, narrow.loss,
                             narrow.sums);
        lp_logistic_residual64(wide.wide + GUARD, rows, columns, wide.labels, wide.loss, wide.sums);
        for (size_t i = 0; i < rows; i++) {
            for (size_t k = 0; k < columns; k++) {
                size_t at = GUARD + i * columns + k;
                long double z = narrow.wide[at]; /* not touched by the float32 kernel */
                int positive = narrow.labels[i] == (int32_t)k;
                double p = (double)(1 / (1 + expl(-z))) - positive;
                long double margin = positive ? z : -z;
                loss[k] +=
                    (double)(margin > 0 ? log1pl(expl(-margin)) : log1pl(expl(margin)) - margin);
                near((double)narrow.narrow[at], p, 3e-7);
                near(wide.wide[at], p, 1e-15);
                sums[k] += p;
            }
        }
        for (size_t k = 0; k < columns; k++) {
            near(narrow.loss[k] - 0.5, loss[k], 1e-6);
            near(wide.loss[k] - 0.5, loss[k], 1e-13);
            near(narrow.sums[k] - 0.5, sums[k], 1e-5);
            near(wide.sums[k] - 0.5, sums[k], 1e-12);
        }
        check_guards(&narrow, rows * columns);
        check_guards(&wide, rows * columns);
    }
}

/* Logits at which a careless formula overflows or divides by zero. */
static void extreme_logits_stay_finite(void **state) {
    (void)state;
    static const int32_t labels[] = {0, 1, 1};
    float z[] = {3e38F, -3e38F, 3e38F, -3e38F, 0, 0};
    double loss[2] = {0};
    double sums[2] = {0};
    lp_softmax_residual(z, 3, 2, labels, loss, sums);
    assert_true(z[0] == 0 && z[1] == 0 && z[2] == 1 && z[3] == -1 && z[5] == -0.5F);
    assert_true(loss[0] > 3e38 && isinf((float)loss[0])); /* 6e38, as float64 */
    float y[] = {200, -200, -200, 200, 0, 0};
    double losses[2] = {0};
    double residual[2] = {0};
    lp_logistic_residual(y, 3, 2, labels, losses, residual);
    assert_true(y[0] == 0 && y[1] == 0 && y[2] == 0 && y[3] == 0 && y[4] == 0.5F);
    near(losses[0], log(2), 1e-7);
    near(losses[1], log(2), 1e-7);
}

static void sums_and_variances_equal_plain_loops(void **state) {
    (void)state;
    for (size_t s = 0; s < SIZES; s++) {
        size_t rows = sizes[s].rows;
        size_t columns = sizes[s].columns;
        size_t count = rows * columns;
        static block b;
        static block out;
        static double sums[MOST];
        static double sums64[MOST];
        fill(&b, rows, columns, 80 + s, 0);
        fill(&out, 1, 1, 0, 0);
        out.narrow[GUARD] = MARK;
        out.wide[GUARD] = (double)MARK;
        float centre[128];
        const float *at[MOST];
        memcpy(centre, b.narrow + GUARD, columns * sizeof *centre); /* the first row */
        for (size_t i = 0; i < rows; i++) {
            at[i] = b.narrow + GUARD + i * columns;
        }
        lp_centre(at, rows, columns, centre, out.narrow + GUARD);
        lp_centre64(at, rows, columns, centre, out.wide + GUARD);
        check_guards(&out, count);
        for (size_t i = 0; i < count; i++) {
            float x = b.narrow[GUARD + i];
            float c = centre[i % columns];
            assert_true(out.narrow[GUARD + i] == x - c);
            assert_true(out.wide[GUARD + i] == (double)x - (double)c);
            sums[i] = sums64[i] = 1;
            b.narrow[GUARD + i] = (float)fmod((double)x, 1); /* a residual */
            b.wide[GUARD + i] = (double)b.narrow[GUARD + i];
        }
        lp_accumulate(b.narrow + GUARD, count, sums);
        lp_accumulate64(b.wide + GUARD, count, sums64);
        for (size_t i = 0; i < count; i++) {
            assert_true(sums[i] == 1 + b.wide[GUARD + i] && sums64[i] == sums[i]);
            sums[i] = sums64[i] = 0;
            out.wide[GUARD + i] = fabs(b.wide[GUARD + i]) * (1 - fabs(b.wide[GUARD + i]));
        }
        lp_variance(b.narrow + GUARD, rows, columns, sums);
        lp_variance64(b.wide + GUARD, rows, columns, sums64);
        check_guards(&b, count);
        for (size_t k = 0; k < columns; k++) {
            double sum = 0;
            for (size_t i = 0; i < rows; i++) {
                double expected = out.wide[GUARD + i * columns + k];
                near((double)b.narrow[GUARD + i * columns + k], expected, 1e-7);
                near(b.wide[GUARD + i * columns + k], expected, 1e-15);
                sum += expected;
            }
            near(sums[k], sum, 1e-6);
            near(sums64[k], sum, 1e-14);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(softmax_equals_plain_loops),
        cmocka_unit_test(logistic_equals_plain_loops),
        cmocka_unit_test(extreme_logits_stay_finite),
        cmocka_unit_test(sums_and_variances_equal_plain_loops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
