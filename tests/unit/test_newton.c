/* What Newton's directions are made of: sparse products, packed factors, class blocks, and the
 * directions themselves, against plain loops and finite differences. */
#include <math.h>

#include "base/alloc.h"
#include "math/curved_rows.h"
#include "math/packed.h"
#include "normal.h"
#include "probe/blocks.h"
#include "probe/newton.h"
#include "probe/path.h"
#include "probe/solver.h"
#include "probe_data.h"

enum { N = 1300, F = 7, K = 5, D = F + 1 }; /* more rows than a block has */

static lp_error err;

typedef struct newton_case {
    dataset data;
    lp_problem problem;
    int32_t labels[N];
    size_t counts[K], names[K];
    const lp_solver_entry *solver;
    lp_dense *dense;
    lp_memory memory;
    lp_evaluator evaluator;
    lp_objective at;
    double parameters[K * D];
    bool wanted[K];
    double C[K];
} newton_case;

static void set_up(newton_case *c, const lp_solver_entry *solver, double bias, size_t threads) {
    void *opaque;
    memset(c, 0, sizeof *c);
    c->data = dataset_random(N, F, K, 5);
    for (size_t k = 0; k < K; k++) {
        c->wanted[k] = true;
        c->C[k] = 0.3;
    }
    c->problem = dataset_problem(&c->data, c->labels, c->counts, c->names);
    c->problem.bias = bias;
    c->problem.threads = threads;
    c->solver = solver;
    assert_ok(solver->open(&c->problem, &opaque, &err), &err);
    c->dense = opaque;
    c->evaluator = lp_evaluator_make(c->dense, c->dense->pass, 0.3, &c->memory);
    c->at = lp_objective_make(c->dense, &c->memory);
    assert_ok(lp_memory_check(&c->memory, "test", &err), &err);
    c->evaluator.wide = true;
    lp_random random;
    lp_random_seed(&random, 9);
    for (size_t j = 0; j < K * D; j++) {
        c->parameters[j] = 0.4 * random_normal(&random);
    }
}

static void tear_down(newton_case *c) {
    lp_memory_free(&c->memory);
    c->solver->close(c->dense);
    dataset_free(&c->data);
}

/* Fills in entries with all that is above `share` of the mean. */
static void take_entries(newton_case *c, lp_entries *entries, double share) {
    assert_ok(lp_evaluate(&c->evaluator, c->parameters, LP_EXTRA_CURVATURE, &c->at, &err), &err);
    c->evaluator.entries = entries;
    c->evaluator.share = share;
    c->evaluator.weight = c->at.weight;
    assert_ok(lp_evaluate(&c->evaluator, c->parameters, LP_EXTRA_ENTRIES, &c->at, &err), &err);
}

static const struct {
    const lp_solver_entry *solver;
    double bias;
} kinds[] = {
    {&lp_softmax_solver, 1}, {&lp_ovr_solver, 1}, {&lp_ovr_solver, 0.4}, {&lp_ovr_solver, -1}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Differences of the gradient along v [K, D], in the basis, over 2 h. */
static void differences(newton_case *c, const double *v, double *out) {
    const double h = 1e-5;
    double at[K * D];
    for (int side = -1; side <= 1; side += 2) {
        for (size_t j = 0; j < K * D; j++) {
            at[j] = c->parameters[j] + side * h * v[j];
        }
        assert_ok(lp_evaluate(&c->evaluator, at, LP_EXTRA_NONE, &c->at, &err), &err);
        for (size_t j = 0; j < K * D; j++) {
            out[j] = side < 0 ? -c->at.gradient[j] : (out[j] + c->at.gradient[j]) / (2 * h);
        }
    }
}

/* With all entries kept, C times the product and the penalty are the second derivative. */
static void products_equal_finite_differences(void **state) {
    (void)state;
    for (size_t s = 0; s < KINDS; s++) {
        newton_case c;
        double v[K * D], expected[K * D], own[K * F], raw[K * F], b[K], out[K * F], turned[K * F];
        double out_b[K];
        set_up(&c, kinds[s].solver, kinds[s].bias, 2);
        lp_entries *entries = lp_entries_new(c.dense->pass, c.dense->loss, K, &c.memory);
        assert_ok(lp_memory_check(&c.memory, "test", &err), &err);
        take_entries(&c, entries, 0);
        assert_false(entries->full);
        lp_random random;
        lp_random_seed(&random, s);
        for (size_t j = 0; j < K * D; j++) {
            v[j] = random_normal(&random);
        }
        for (size_t k = 0; k < K; k++) {
            memcpy(own + k * F, v + k * D, F * sizeof *v);
            b[k] = c.dense->scale * v[k * D + F];
        }
        assert_ok(lp_basis_turn(&c.dense->basis, LP_FROM_BASIS, own, K, raw, 1, &err), &err);
        assert_ok(lp_entries_product(entries, raw, b, out, out_b, &err), &err);
        assert_ok(lp_basis_turn(&c.dense->basis, LP_TO_BASIS, out, K, turned, 1, &err), &err);
        differences(&c, v, expected);
        double largest = 0;
        for (size_t j = 0; j < K * D; j++) {
            largest = fmax(largest, fabs(expected[j]));
        }
        for (size_t k = 0; k < K; k++) {
            for (size_t j = 0; j < F; j++) { /* float32 products */
                double found = v[k * D + j] + 0.3 * turned[k * F + j];
                assert_true(fabs(found - expected[k * D + j]) < 1e-5 * largest);
            }
            double found = c.dense->penalty * v[k * D + F] + 0.3 * c.dense->scale * out_b[k];
            assert_true(fabs(found - expected[k * D + F]) < 1e-5 * largest);
        }
        tear_down(&c);
    }
}

/* What is left out is at most the share, and a list without room says so. */
static void few_entries_hold_nearly_all(void **state) {
    (void)state;
    newton_case c;
    set_up(&c, &lp_ovr_solver, 1, 2);
    for (size_t j = 0; j < K * D; j++) {
        c.parameters[j] *= 5;
    }
    lp_entries *entries = lp_entries_new(c.dense->pass, c.dense->loss, K, &c.memory);
    lp_entries *small = lp_entries_new(c.dense->pass, c.dense->loss, 1, &c.memory);
    assert_ok(lp_memory_check(&c.memory, "test", &err), &err);
    take_entries(&c, entries, 0.1);
    double kept = 0, all = 0;
    size_t count = 0;
    for (size_t l = 0; l < lp_pass_chunks(c.dense->pass); l++) {
        for (size_t n = 0; n < entries->lists[l].used; n++) {
            kept += (double)entries->lists[l].values[n];
        }
        count += entries->lists[l].used;
    }
    for (size_t k = 0; k < K; k++) {
        all += c.at.weight[k];
    }
    assert_true(kept < all && kept > 0.9 * all);
    assert_true(count < N * K * 2 / 3 && count == entries->used);
    assert_true(entries->rows <= N);
    take_entries(&c, small, 0);
    assert_true(small->full);
    take_entries(&c, small, 0.1); /* coarser now: three times the share */
    assert_true(small->coarse == 3);
    tear_down(&c);
}

/* Of one-vs-rest the block is the whole second derivative of a class, so that the direction solves
 * the Newton equations at once; of softmax conjugate gradients have to. */
static void directions_solve_newtons_equations(void **state) {
    (void)state;
    for (size_t s = 0; s < KINDS; s++) {
        double first[K * D];
        for (size_t threads = 1; threads <= 3; threads += 2) {
            newton_case c;
            double direction[K * D], product[K * D], accuracy[K], passes = 0;
            set_up(&c, kinds[s].solver, kinds[s].bias, threads);
            lp_newton *newton = lp_newton_new(c.dense, &c.memory);
            assert_ok(lp_memory_check(&c.memory, "test", &err), &err);
            if (c.dense->loss == LP_LOSS_SOFTMAX) {
                lp_centre_classes(c.parameters, K, D);
            }
            take_entries(&c, lp_newton_entries(newton), 0);
            double gradient[K * D];
            memcpy(gradient, c.at.gradient, sizeof gradient);
            for (size_t k = 0; k < K; k++) {
                accuracy[k] = 1e-5;
            }
            const lp_newton_point at = {c.wanted, c.C, c.at.weight, gradient, accuracy};
            assert_ok(lp_newton_direction(newton, &at, direction, &passes, &err), &err);
            assert_true(passes > 0);
            differences(&c, direction, product);
            double largest = 0, worst = 0;
            for (size_t j = 0; j < K * D; j++) {
                largest = fmax(largest, fabs(gradient[j]));
                worst = fmax(worst, fabs(product[j] + gradient[j]));
            }
            assert_true(worst < 5e-3 * largest); /* float32, where CG's own residual drifts */
            if (threads == 1) {
                memcpy(first, direction, sizeof first);
            } else {
                assert_memory_equal(first, direction, sizeof first);
            }
            tear_down(&c);
        }
    }
}

/* The direction pays where few classes of a row matter; at a starting point of noise none do. */
static void newton_pays_where_the_model_is_sure(void **state) {
    (void)state;
    enum { MANY = 60, ROWS = 3000, WIDTH = 80 };
    dataset data = dataset_random(ROWS, WIDTH, MANY, 11);
    lp_fit_options options;
    lp_fit_report report;
    lp_probe *probe;
    lp_fit_defaults(&options);
    options.C = 100; /* along the path, from a start that is far away */
    options.threads = 2;
    assert_ok(lp_probe_fit(&data.set, &options, &probe, &report, &err), &err);
    assert_true(report.converged && report.gap <= 1e-6);
    lp_probe_free(probe);
    dataset_free(&data);
}

static void packed_factors_solve(void **state) {
    (void)state;
    for (size_t n = 1; n < 70; n += 17) {
        float a[70 * 70], copy[70 * 70], whole[70 * 70], packed[70 * 71 / 2], b[70 + 1], x[70];
        lp_random random;
        lp_random_seed(&random, n);
        for (size_t i = 0; i < n; i++) {
            x[i] = (float)random_normal(&random);
            for (size_t j = 0; j < n; j++) {
                copy[i * n + j] = (float)random_normal(&random);
            }
        }
        for (size_t i = 0; i < n; i++) { /* scales from 1 to 1e6, as of unequal features */
            for (size_t j = 0; j < n; j++) {
                double sum = i == j ? (double)n : 0;
                for (size_t l = 0; l < n; l++) {
                    sum += (double)copy[i * n + l] * (double)copy[j * n + l];
                }
                a[i * n + j] = whole[i * n + j] =
                    (float)(sum * pow(10, 3 * (double)(i + j) / (double)n));
            }
        }
        assert_int_equal(lp_packed_size(n), n * (n + 1) / 2);
        assert_true(lp_packed_factor(a, n, copy, packed));
        for (size_t i = 0; i < n; i++) {
            double sum = 0;
            for (size_t j = 0; j < n; j++) {
                sum += (double)whole[i * n + j] * (double)x[j];
            }
            b[i] = (float)sum;
        }
        b[n] = -1;
        lp_packed_solve(packed, n, b);
        for (size_t i = 0; i < n; i++) { /* 1e-6 is added to the diagonal, and float32 */
            assert_true(fabsf(b[i] - x[i]) <
                        1e-2F * (1 + fabsf(x[i])) * powf(10, 3 * (float)(n - i) / (float)n));
        }
        assert_true(b[n] == -1);
    }
    float bad[4] = {1, 2, 2, -1}, copy[4], packed[3];
    assert_false(lp_packed_factor(bad, 2, copy, packed));
}

/* C goes as far as the point is near, and value and gradient are those of an evaluation there. */
static void path_follows_the_bound(void **state) {
    (void)state;
    for (size_t s = 0; s < KINDS; s++) {
        newton_case c;
        set_up(&c, kinds[s].solver, kinds[s].bias, 2);
        assert_ok(lp_evaluate(&c.evaluator, c.parameters, LP_EXTRA_NONE, &c.at, &err), &err);
        double C = 0.3, before, value = c.at.value[0], gradient[K * D];
        memcpy(gradient, c.at.gradient, sizeof gradient);
        lp_path_choose(c.dense, 0.3, true, c.parameters, &C, &value, gradient);
        assert_true(C < 0.3 && C > 0); /* a random point is far from the optimum */
        c.evaluator.C[0] = C;
        assert_ok(lp_evaluate(&c.evaluator, c.parameters, LP_EXTRA_NONE, &c.at, &err), &err);
        assert_true(fabs(value - c.at.value[0]) < 1e-12 * value);
        for (size_t j = 0; j < c.dense->rows * D; j++) {
            assert_true(fabs(gradient[j] - c.at.gradient[j]) < 1e-9 * (1 + fabs(gradient[j])));
        }
        before = C;
        lp_path_choose(c.dense, 0.3, false, c.parameters, &C, &value, gradient);
        assert_true(C == before); /* no nearer than before */
        tear_down(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_equal_finite_differences),
        cmocka_unit_test(few_entries_hold_nearly_all),
        cmocka_unit_test(directions_solve_newtons_equations),
        cmocka_unit_test(newton_pays_where_the_model_is_sure),
        cmocka_unit_test(packed_factors_solve),
        cmocka_unit_test(path_follows_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
