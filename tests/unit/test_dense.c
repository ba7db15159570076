/* The dense solvers' parts: objectives and gradients by finite differences, curvature, the
 * preconditioner, L-BFGS, and the bound on the distance to the optimum. */
#include <math.h>

#include "base/alloc.h"
#include "normal.h"
#include "probe/dense_objective.h"
#include "probe/fitter.h"
#include "probe/lbfgs.h"
#include "probe_data.h"

enum { N = 700, F = 5, K = 4, D = F + 1 }; /* more rows than a block has */

static lp_error err;

typedef struct objective_case {
    dataset data;
    lp_problem problem;
    int32_t labels[N];
    size_t counts[K];
    size_t names[K];
    double own[K], rest[K]; /* of balanced classes */
    lp_dense *dense;
    const lp_solver_entry *solver;
    lp_memory memory;
    lp_evaluator evaluator;
    double value[K];
    double gradient[K * D];
    double weight[K];
    double centres[K * F];
    double coupling[K * K];
    lp_objective at;
} objective_case;

static void set_up(objective_case *c, const lp_solver_entry *solver, double bias, bool balanced) {
    memset(c, 0, sizeof *c);
    c->data = dataset_random(N, F, K, 77);
    c->problem = dataset_problem(&c->data, c->labels, c->counts, c->names);
    c->problem.bias = bias;
    c->problem.threads = 2;
    c->solver = solver;
    bool softmax = solver == &lp_softmax_solver;
    for (size_t k = 0; balanced && k < K; k++) {
        double n = (double)c->counts[k];
        c->own[k] = N / ((softmax ? K : 2) * n);
        c->rest[k] = N / (2 * (N - n));
        c->problem.own = c->own;
        c->problem.rest = softmax ? NULL : c->rest;
    }
    void *opaque;
    assert_ok(solver->open(&c->problem, &opaque, &err), &err);
    c->dense = opaque;
    c->evaluator = lp_evaluator_make(c->dense, c->dense->pass, 0.3, &c->memory);
    assert_ok(lp_memory_check(&c->memory, "evaluator", &err), &err);
    c->at = (lp_objective){c->value, c->gradient, c->weight, c->centres, c->coupling};
}

static void tear_down(objective_case *c) {
    lp_memory_free(&c->memory);
    c->solver->close(c->dense);
    dataset_free(&c->data);
}

static void evaluate(objective_case *c, const double *parameters, bool wide, lp_extra extra) {
    c->evaluator.wide = wide;
    assert_ok(lp_evaluate(&c->evaluator, parameters, extra, &c->at, &err), &err);
}

static double total(const objective_case *c) {
    double sum = 0;
    for (size_t model = 0; model < c->dense->models; model++) {
        sum += c->value[model];
    }
    return sum;
}

static void random_parameters(double *parameters, uint64_t seed, double size) {
    lp_random random;
    lp_random_seed(&random, seed);
    for (size_t j = 0; j < K * D; j++) {
        parameters[j] = size * random_normal(&random);
    }
}

static const struct {
    const lp_solver_entry *solver;
    double bias;
    bool balanced;
} kinds[] = {{&lp_softmax_solver, 1, false}, {&lp_ovr_solver, 1, false},
             {&lp_ovr_solver, 0.4, false},   {&lp_ovr_solver, -1, false},
             {&lp_softmax_solver, 1, true},  {&lp_ovr_solver, 1, true}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* Against the formulas in the features' own space, in plain loops. */
static void values_equal_plain_loops(void **state) {
    (void)state;
    for (size_t s = 0; s < KINDS; s++) {
        objective_case c;
        double parameters[K * D];
        double weights[K * F];
        double own[K * F];
        set_up(&c, kinds[s].solver, kinds[s].bias, kinds[s].balanced);
        random_parameters(parameters, s, 0.3);
        for (size_t k = 0; k < K; k++) {
            memcpy(own + k * F, parameters + k * D, F * sizeof *own);
        }
        assert_ok(lp_basis_turn(&c.dense->basis, LP_FROM_BASIS, own, K, weights, 1, &err), &err);
        double expected = 0;
        for (size_t k = 0; k < K; k++) {
            for (size_t j = 0; j < F; j++) {
                expected += 0.5 * weights[k * F + j] * weights[k * F + j];
            }
            double t = parameters[k * D + F];
            expected += 0.5 * c.dense->penalty * t * t;
        }
        for (size_t i = 0; i < N; i++) {
            double z[K];
            double sum = 0;
            size_t label = (size_t)c.labels[i];
            for (size_t k = 0; k < K; k++) {
                z[k] = c.dense->scale * parameters[k * D + F];
                for (size_t j = 0; j < F; j++) {
                    z[k] += weights[k * F + j] * (double)c.data.x[i * F + j];
                }
                sum += exp(z[k]);
                if (c.dense->loss == LP_LOSS_LOGISTIC) {
                    expected += 0.3 * lp_weight_of(&c.problem, label, k) *
                                log1p(exp(label == k ? -z[k] : z[k]));
                }
            }
            if (c.dense->loss == LP_LOSS_SOFTMAX) {
                double weight = lp_weight_of(&c.problem, label, label);
                expected += 0.3 * weight * (log(sum) - z[label]);
            }
        }
        evaluate(&c, parameters, true, LP_EXTRA_NONE);
        assert_true(fabs(total(&c) - expected) < 1e-11 * expected);
        evaluate(&c, parameters, false, LP_EXTRA_NONE);
        assert_true(fabs(total(&c) - expected) < 1e-6 * expected);
        tear_down(&c);
    }
}

static void gradients_equal_finite_differences(void **state) {
    (void)state;
    for (size_t s = 0; s < KINDS; s++) {
        objective_case c;
        double parameters[K * D];
        double gradient[K * D];
        set_up(&c, kinds[s].solver, kinds[s].bias, kinds[s].balanced);
        random_parameters(parameters, 10 + s, 0.3);
        evaluate(&c, parameters, true, LP_EXTRA_NONE);
        memcpy(gradient, c.gradient, sizeof gradient);
        double size = sqrt(lp_dot(gradient, gradient, K * D));
        for (size_t j = 0; j < K * D; j++) {
            double kept = parameters[j];
            double h = 1e-5;
            parameters[j] = kept + h;
            evaluate(&c, parameters, true, LP_EXTRA_NONE);
            double above = total(&c);
            parameters[j] = kept - h;
            evaluate(&c, parameters, true, LP_EXTRA_NONE);
            double slope = (above - total(&c)) / (2 * h);
            parameters[j] = kept;
            assert_true(fabs(slope - gradient[j]) < 1e-7 * size); /* h^2 and rounding / h */
        }
        evaluate(&c, parameters, false, LP_EXTRA_NONE);
        assert_true(largest_difference(gradient, c.gradient, K * D) < 1e-5 * size);
        double zero[K * D] = {0};
        evaluate(&c, zero, true, LP_EXTRA_NONE);
        for (size_t model = 0; model < c.dense->models; model++) {
            size_t rows = c.dense->rows * D;
            const double *g = c.gradient + model * rows;
            double norm = lp_dense_gradient_at_zero(c.dense, 0.3, model);
            assert_true(fabs(sqrt(lp_dot(g, g, rows)) - norm) < 1e-10 * norm);
        }
        tear_down(&c);
    }
}

/* A pass over some of the classes gives what a pass over all gives of them. */
static void classes_can_be_left_out(void **state) {
    (void)state;
    objective_case c;
    double parameters[K * D];
    double gradient[K * D];
    double value[K];
    set_up(&c, &lp_ovr_solver, 1, false);
    random_parameters(parameters, 3, 0.3);
    evaluate(&c, parameters, true, LP_EXTRA_CURVATURE);
    memcpy(gradient, c.gradient, sizeof gradient);
    memcpy(value, c.value, sizeof value);
    c.evaluator.chosen[0] = c.evaluator.chosen[2] = false;
    memset(c.gradient, 0, sizeof c.gradient);
    evaluate(&c, parameters, true, LP_EXTRA_CURVATURE);
    assert_true(largest_difference(value, c.value, K) < 1e-12 * value[0]);
    for (size_t k = 0; k < K; k++) {
        double size = k % 2 == 1 ? 0 : 1;
        double difference = largest_difference(gradient + k * D, c.gradient + k * D, D);
        assert_true(size == 0 ? difference < 1e-11 : difference > 0.1);
    }
    tear_down(&c);
}

/* Second derivatives along the intercepts, and curvature weights, against differences of the
 * gradient. */
static void second_derivatives_equal_finite_differences(void **state) {
    (void)state;
    for (size_t s = 0; s < KINDS; s++) {
        if (kinds[s].bias != 1) { /* their derivative has other units */
            continue;
        }
        bool softmax = kinds[s].solver == &lp_softmax_solver;
        objective_case c;
        double parameters[K * D];
        double weight[K];
        double centres[K * F];
        double coupling[K * K];
        set_up(&c, kinds[s].solver, kinds[s].bias, kinds[s].balanced);
        random_parameters(parameters, 30 + s, 0.2);
        evaluate(&c, parameters, true, LP_EXTRA_CURVATURE);
        memcpy(weight, c.weight, sizeof weight);
        memcpy(centres, c.centres, sizeof centres);
        if (softmax) {
            evaluate(&c, parameters, true, LP_EXTRA_COUPLING);
            memcpy(coupling, c.coupling, sizeof coupling);
        }
        for (size_t k = 0; k < K; k++) {
            double above[K * D];
            double h = 1e-5;
            parameters[k * D + F] += h;
            evaluate(&c, parameters, true, LP_EXTRA_NONE);
            memcpy(above, c.gradient, sizeof above);
            parameters[k * D + F] -= 2 * h;
            evaluate(&c, parameters, true, LP_EXTRA_NONE);
            parameters[k * D + F] += h;
            for (size_t j = 0; j < K * D; j++) {
                above[j] = (above[j] - c.gradient[j]) / (2 * h) / 0.3;
            }
            /* d g / d b_k of class k: its weight, and its weight times its centre */
            double own = above[k * D + F] - c.dense->penalty / 0.3;
            assert_true(fabs(own - weight[k]) < 1e-6 * weight[k]);
            for (size_t j = 0; j < F; j++) {
                double expected = weight[k] * centres[k * F + j];
                assert_true(fabs(above[k * D + j] - expected) < 1e-6 * weight[k]);
            }
            for (size_t l = 0; softmax && l < K; l++) {
                assert_true(fabs(above[l * D + F] - coupling[k * K + l]) < 1e-6 * weight[k]);
            }
        }
        tear_down(&c);
    }
}

/* lp_precondition solves (the approximate Hessian) to = from, written out here as a form in w and
 * t. */
static void preconditioner_inverts_its_form(void **state) {
    (void)state;
    static double values[F] = {0, 0.5, 1, 7, 300};
    static double centres[F] = {0.3, -2, 0.1, 4, -1};
    double weight = 2.5;
    lp_basis basis = {.width = F, .values = values};
    for (size_t s = 0; s < KINDS; s++) {
        bool softmax = kinds[s].solver == &lp_softmax_solver;
        double scale = softmax ? 1 : kinds[s].bias > 0 ? kinds[s].bias : 0;
        double penalty = softmax ? 0 : 1;
        double C = 0.7;
        lp_preconditioner p = {&basis, C, scale, penalty, &weight, centres};
        double from[D] = {1, -2, 0.5, 3, 0.1, -4};
        double to[D];
        from[F] = scale > 0 ? from[F] : 0;
        lp_precondition(&p, 0, from, to);
        double along = scale * to[F]; /* m.w + b */
        for (size_t j = 0; j < F; j++) {
            along += centres[j] * to[j];
        }
        for (size_t j = 0; j < F; j++) {
            double found = to[j] + C * weight * (values[j] * to[j] + centres[j] * along);
            assert_true(fabs(found - from[j]) < 1e-12);
        }
        double found = C * weight * scale * along + penalty * to[F];
        assert_true(scale > 0 ? fabs(found - from[F]) < 1e-12 : to[F] == 0);
    }
}

static void basis_is_orthonormal_and_diagonalises(void **state) {
    (void)state;
    objective_case c;
    set_up(&c, &lp_softmax_solver, 1, false);
    const lp_basis *basis = &c.dense->basis;
    double means[K * F] = {0};
    double covariance[F * F] = {0};
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < F; j++) {
            means[(size_t)c.labels[i] * F + j] +=
                (double)c.data.x[i * F + j] / (double)c.counts[c.labels[i]];
        }
    }
    for (size_t i = 0; i < N; i++) {
        const double *m = means + (size_t)c.labels[i] * F;
        for (size_t j = 0; j < F * F; j++) {
            covariance[j] += ((double)c.data.x[i * F + j / F] - m[j / F]) *
                             ((double)c.data.x[i * F + j % F] - m[j % F]) / N;
        }
    }
    for (size_t a = 0; a < F; a++) {
        for (size_t b = 0; b < F; b++) {
            double product = 0;
            double form = 0;
            for (size_t j = 0; j < F; j++) {
                product += basis->vectors[a * F + j] * basis->vectors[b * F + j];
                for (size_t l = 0; l < F; l++) {
                    form += basis->vectors[a * F + j] * covariance[j * F + l] *
                            basis->vectors[b * F + l];
                }
            }
            assert_true(fabs(product - (a == b)) < 1e-13);
            assert_true(fabs(form - (a == b ? basis->values[a] : 0)) < 1e-5);
        }
    }
    tear_down(&c);
}

static void scale_by_ten(void *context, size_t which, const double *from, double *to) {
    (void)context;
    (void)which;
    for (size_t j = 0; j < 3; j++) {
        to[j] = 10 * from[j];
    }
}

static void lbfgs_knows_its_last_step(void **state) {
    (void)state;
    lp_memory blocks = {0};
    double direction[3];
    double scratch[3];
    static const double steps[3][3] = {{1, 0, 2}, {0, 1, -1}, {1, 1, 1}};
    static const double bend[3] = {4, 0.5, 1}; /* the Hessian's diagonal */
    lp_lbfgs memory = lp_lbfgs_make(2, 3, 2, &blocks);
    assert_ok(lp_memory_check(&blocks, "L-BFGS", &err), &err);
    static const double g[3] = {1, 2, 3};
    lp_lbfgs_direction(&memory, 1, g, scale_by_ten, NULL, direction, scratch);
    assert_true(direction[0] == -10 && direction[1] == -20 && direction[2] == -30);
    for (size_t s = 0; s < 3; s++) { /* one more than it remembers */
        double change[3];
        for (size_t j = 0; j < 3; j++) {
            change[j] = bend[j] * steps[s][j];
        }
        lp_lbfgs_learn(&memory, 1, steps[s], change);
        lp_lbfgs_direction(&memory, 1, change, scale_by_ten, NULL, direction, scratch);
        for (size_t j = 0; j < 3; j++) { /* the secant equation: H change = step */
            assert_true(fabs(direction[j] + steps[s][j]) < 1e-12);
        }
    }
    static const double back[3] = {-1, -1, -1}; /* negative curvature is not learned */
    lp_lbfgs_learn(&memory, 1, steps[2], back);
    lp_lbfgs_direction(&memory, 1, g, scale_by_ten, NULL, direction, scratch);
    assert_true(lp_dot(direction, g, 3) < 0);
    lp_lbfgs_direction(&memory, 0, g, scale_by_ten, NULL, direction, scratch);
    assert_true(direction[0] == -10); /* the other problem's memory is its own */
    lp_memory_free(&blocks);
}

/* The bound is one: nowhere is it below the distance to the optimum, and at the optimum it is
 * nothing. */
static void excess_bounds_the_distance(void **state) {
    (void)state;
    for (size_t s = 0; s < KINDS; s++) {
        objective_case c;
        double optimum[K * D] = {0};
        double parameters[K * D];
        lp_fit_report report = {0};
        set_up(&c, kinds[s].solver, kinds[s].bias, kinds[s].balanced);
        c.problem.tolerance = 1e-10;
        lp_fit_options options;
        lp_fit_defaults(&options);
        options.solver = c.solver == &lp_softmax_solver ? LP_SOLVER_SOFTMAX : LP_SOLVER_OVR;
        options.C = 0.3;
        options.bias = kinds[s].bias;
        options.class_weight = kinds[s].balanced ? LP_CLASS_WEIGHT_BALANCED : LP_CLASS_WEIGHT_NONE;
        options.tolerance = 1e-10;
        lp_probe *probe;
        assert_ok(lp_probe_fit(&c.data.set, &options, &probe, &report, &err), &err);
        double own[K * F];
        assert_ok(
            lp_basis_turn(&c.dense->basis, LP_TO_BASIS, lp_probe_weights(probe), K, own, 1, &err),
            &err);
        for (size_t k = 0; k < K; k++) {
            memcpy(optimum + k * D, own + k * F, F * sizeof *own);
            double b = lp_probe_intercepts(probe)[k];
            optimum[k * D + F] = c.dense->scale > 0 ? b / c.dense->scale : 0;
        }
        lp_probe_free(probe);
        evaluate(&c, optimum, true, LP_EXTRA_NONE);
        double least = total(&c);
        assert_true(fabs(least - report.objective) < 1e-12 * least);
        assert_true(report.gap >= 0 && report.gap < 1e-9);
        for (int power = -8; power <= 2; power++) {
            random_parameters(parameters, (uint64_t)(100 + power), pow(10, power));
            for (size_t j = 0; j < K * D; j++) {
                parameters[j] += optimum[j];
            }
            evaluate(&c, parameters, true, LP_EXTRA_NONE);
            double bound = 0;
            for (size_t model = 0; model < c.dense->models; model++) {
                bound +=
                    lp_dense_excess(c.dense, 0.3, model, parameters, c.value[model], c.gradient);
            }
            assert_true(bound >= total(&c) - least - 1e-12 * least);
            assert_true(power > -6 || bound < 1e-3 * least);
        }
        tear_down(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_equal_plain_loops),
        cmocka_unit_test(gradients_equal_finite_differences),
        cmocka_unit_test(classes_can_be_left_out),
        cmocka_unit_test(second_derivatives_equal_finite_differences),
        cmocka_unit_test(preconditioner_inverts_its_form),
        cmocka_unit_test(basis_is_orthonormal_and_diagonalises),
        cmocka_unit_test(lbfgs_knows_its_last_step),
        cmocka_unit_test(excess_bounds_the_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
