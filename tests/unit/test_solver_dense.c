/* The softmax and ovr solvers as a whole: known optima, hard and degenerate problems, stopping. */
#include <math.h>

#include "base/alloc.h"
#include "probe/fitter.h"
#include "probe_data.h"

static lp_error err;
static const lp_solver solvers[] = {LP_SOLVER_SOFTMAX, LP_SOLVER_OVR};

static lp_fit_options options_of(lp_solver solver, double C, double tolerance) {
    lp_fit_options options;
    lp_fit_defaults(&options);
    options.solver = solver;
    options.C = C;
    options.tolerance = tolerance;
    options.threads = 2;
    return options;
}

static lp_probe *fit(const lp_examples *set, const lp_fit_options *options, lp_fit_report *report) {
    lp_probe *probe;
    assert_ok(lp_probe_fit(set, options, &probe, report, &err), &err);
    assert_true(report->converged && report->not_converged == 0);
    assert_true(report->passes > report->iterations && report->objective >= 0);
    assert_true(report->stopped_by[0] != '\0');
    return probe;
}

/* scikit-learn's, from make_probes.py. */
static void optimum_equals_the_golden_one(void **state) {
    (void)state;
    static const double Cs[] = {0.01, 0.316, 100};
    dataset data = dataset_golden();
    size_t F = data.set.width;
    size_t K = data.set.classes;
    for (size_t c = 0; c < 6; c++) {
        lp_fit_options options = options_of(solvers[c / 3], Cs[c % 3], 1e-10);
        char path[256];
        double w[64];
        double b[8];
        lp_fit_report report;
        (void)snprintf(path, sizeof path, LP_TEST_DATA "/golden/probe/%s-%g.optimum",
                       lp_solver_name(options.solver), options.C);
        FILE *in = fopen(path, "r");
        assert_non_null(in);
        for (size_t k = 0; k < K; k++) {
            for (size_t j = 0; j <= F; j++) {
                assert_int_equal(fscanf(in, "%lf", j < F ? &w[k * F + j] : &b[k]), 1);
            }
        }
        (void)fclose(in);
        lp_probe *probe = fit(&data.set, &options, &report);
        /* relative to coefficients up to 10 at C = 100 */
        assert_true(largest_difference(lp_probe_weights(probe), w, K * F) < 1e-6);
        assert_true(largest_difference(lp_probe_intercepts(probe), b, K) < 1e-6);
        assert_true(report.gap >= 0 && report.gap < 1e-8);
        lp_probe_free(probe);
    }
    dataset_free(&data);
}

/* The default tolerance gives what the tightest gives, to the promised gap. */
static void default_tolerance_keeps_its_promise(void **state) {
    (void)state;
    dataset data = dataset_random(900, 20, 8, 3);
    for (size_t s = 0; s < 2; s++) {
        lp_fit_options options = options_of(solvers[s], 0.316, 0);
        lp_fit_report report;
        lp_fit_report best;
        lp_probe_free(fit(&data.set, &options, &report));
        options.tolerance = 1e-11;
        lp_probe_free(fit(&data.set, &options, &best));
        assert_true(report.objective >= best.objective * (1 - 1e-13));
        assert_true(report.objective <= best.objective * (1 + report.gap) * (1 + 1e-13));
        assert_true(report.gap < 1e-7 && report.gradient < 1e-4);
    }
    dataset_free(&data);
}

static void bytes_do_not_depend_on_threads(void **state) {
    (void)state;
    dataset data = dataset_random(3000, 30, 9, 4);
    for (size_t s = 0; s < 2; s++) {
        lp_fit_options options = options_of(solvers[s], 1, 0);
        lp_fit_report reports[3];
        lp_probe *probes[3];
        for (size_t i = 0; i < 3; i++) {
            options.threads = 1 + 2 * i;
            probes[i] = fit(&data.set, &options, &reports[i]);
            assert_memory_equal(lp_probe_weights(probes[0]), lp_probe_weights(probes[i]),
                                9 * 30 * sizeof(double));
            assert_memory_equal(lp_probe_intercepts(probes[0]), lp_probe_intercepts(probes[i]),
                                9 * sizeof(double));
            assert_true(reports[0].objective == reports[i].objective);
            assert_int_equal(reports[0].passes, reports[i].passes);
        }
        for (size_t i = 0; i < 3; i++) {
            lp_probe_free(probes[i]);
        }
    }
    dataset_free(&data);
}

/* Without any feature that varies, the optimum is the classes' share. */
static void constant_features_give_the_shares(void **state) {
    (void)state;
    dataset data = dataset_new(10, 3, 3);
    static const int64_t labels[] = {0, 0, 0, 0, 0, 1, 1, 1, 2, 2};
    memcpy(data.labels, labels, sizeof labels);
    lp_fit_options options = options_of(LP_SOLVER_SOFTMAX, 1, 1e-10);
    lp_fit_report report;
    lp_probe *probe = fit(&data.set, &options, &report); /* x = 0 */
    const double *b = lp_probe_intercepts(probe);
    for (size_t j = 0; j < 9; j++) {
        assert_true(lp_probe_weights(probe)[j] == 0);
    }
    assert_true(fabs(b[0] - b[1] - log(5.0 / 3)) < 1e-8);
    assert_true(fabs(b[1] - b[2] - log(3.0 / 2)) < 1e-8);
    assert_true(fabs(b[0] + b[1] + b[2]) < 1e-12);
    lp_probe_free(probe);
    for (size_t i = 0; i < 30; i++) {
        data.x[i] = 4; /* weights could stand in for the intercept, but cost */
    }
    probe = fit(&data.set, &options, &report);
    assert_true(fabs(lp_probe_weights(probe)[0]) < 1e-6);
    assert_true(fabs(lp_probe_intercepts(probe)[0] - lp_probe_intercepts(probe)[1] - log(5.0 / 3)) <
                1e-5);
    lp_probe_free(probe);
    dataset_free(&data);
}

/* One example a class, one feature: the smallest problem there is.  Softmax has one weight w for
 * two classes, w = C sum |x| / (1 + exp(w)) over x = -1 and 1, and the rows -w/2 and w/2. */
static void smallest_problem_is_solved(void **state) {
    (void)state;
    dataset data = dataset_new(2, 1, 2);
    data.x[0] = -1;
    data.x[1] = 1;
    data.labels[1] = 1;
    lp_fit_options options = options_of(LP_SOLVER_SOFTMAX, 1, 1e-12);
    lp_fit_report report;
    lp_probe *probe = fit(&data.set, &options, &report);
    double v = lp_probe_weights(probe)[1];
    assert_true(lp_probe_weights(probe)[0] == -v && fabs(lp_probe_intercepts(probe)[0]) < 1e-9);
    assert_true(fabs(2 * v - 2 / (1 + exp(2 * v))) < 1e-9);
    assert_true(fabs(report.objective - (2 * v * v + 2 * log1p(exp(-2 * v)))) < 1e-9);
    lp_probe_free(probe);
    options.solver = LP_SOLVER_OVR;
    probe = fit(&data.set, &options, &report);
    v = lp_probe_weights(probe)[1];
    assert_true(fabs(v - 2 / (1 + exp(v))) < 1e-9);
    lp_probe_free(probe);
    dataset_free(&data);
}

/* Separable data, hardly penalised: the weights grow large, and float32 alone would not do. */
static void separable_data_converges_at_any_C(void **state) {
    (void)state;
    dataset data = dataset_random(200, 60, 4, 6);
    for (size_t s = 0; s < 2; s++) {
        for (double C = 1e-6; C < 2e6; C *= 1e3) {
            lp_fit_options options = options_of(solvers[s], C, 1e-8);
            lp_fit_report report;
            lp_score score;
            lp_probe *probe = fit(&data.set, &options, &report);
            assert_ok(lp_probe_score(probe, &data.set, 1, &score, &err), &err);
            assert_true(C < 1 || score.top1 == 1);
            assert_true(report.gap >= 0 && report.gap <= 1e-8);
            lp_probe_free(probe);
        }
    }
    dataset_free(&data);
}

static void limit_of_iterations_is_said(void **state) {
    (void)state;
    dataset data = dataset_random(900, 20, 8, 3);
    for (size_t s = 0; s < 2; s++) {
        lp_fit_options options = options_of(solvers[s], 10, 1e-9);
        lp_fit_report report;
        lp_probe *probe;
        options.max_iterations = 3;
        assert_fails(lp_probe_fit(&data.set, &options, &probe, &report, &err), LP_NOT_CONVERGED,
                     &err,
                     s == 0 ? "softmax did not converge: iteration limit"
                            : "8 of 8 classes not converged: 8 by the limit of 3 iterations");
        assert_non_null(probe);
        assert_false(report.converged);
        assert_int_equal(report.iterations, 3);
        assert_int_equal(report.not_converged, s == 0 ? 0 : 8);
        assert_true(report.gradient > 1e-9 && report.gap != 0);
        lp_probe_free(probe);
    }
    dataset_free(&data);
}

/* A tolerance below rounding ends, and does not pass for convergence. */
static void impossible_tolerance_ends(void **state) {
    (void)state;
    dataset data = dataset_random(300, 6, 3, 12);
    for (size_t s = 0; s < 2; s++) {
        lp_fit_options options = options_of(solvers[s], 1e3, 1e-30);
        lp_fit_report report;
        lp_probe *probe;
        assert_fails(lp_probe_fit(&data.set, &options, &probe, &report, &err), LP_NOT_CONVERGED,
                     &err, s == 0 ? "no further descent in float64" : "by rounding");
        assert_true(report.gradient < 1e-9);
        lp_probe_free(probe);
    }
    dataset_free(&data);
}

static void warm_start_saves_passes(void **state) {
    (void)state;
    dataset data = dataset_random(1500, 24, 10, 13);
    lp_example_rows rows = dataset_rows(&data);
    for (size_t s = 0; s < 2; s++) {
        lp_fit_options options = options_of(solvers[s], 0, 1e-7);
        lp_fitter *fitter;
        lp_probe *first;
        lp_probe *cold;
        lp_probe *warm;
        lp_probe *same;
        lp_fit_report cold_report;
        lp_fit_report warm_report;
        lp_fit_report same_report;
        assert_ok(lp_fitter_open(&rows, &options, &fitter, &err), &err);
        assert_ok(lp_fitter_fit(fitter, 1, NULL, &first, &cold_report, &err), &err);
        assert_ok(lp_fitter_fit(fitter, 1.33, NULL, &cold, &cold_report, &err), &err);
        assert_ok(lp_fitter_fit(fitter, 1.33, first, &warm, &warm_report, &err), &err);
        assert_ok(lp_fitter_fit(fitter, 1.33, warm, &same, &same_report, &err), &err);
        assert_true(fabs(warm_report.objective - cold_report.objective) <
                    1e-8 * cold_report.objective);
        assert_true(warm_report.iterations < cold_report.iterations);
        assert_true(same_report.iterations <= 1);
        lp_probe_free(first);
        lp_probe_free(cold);
        lp_probe_free(warm);
        lp_probe_free(same);
        lp_fitter_close(fitter);
    }
    dataset_free(&data);
}

static bool stop_at_third(void *context, uint64_t done, uint64_t total, const char *line) {
    size_t *calls = context;
    char passes[40];
    (void)snprintf(passes, sizeof passes, ", %llu passes", (unsigned long long)done);
    assert_true(done > 0 && (total == 0 || total > done));
    assert_true(strstr(line, "iteration ") == line && strstr(line, "objective") != NULL);
    assert_non_null(strstr(line, passes));
    return ++*calls < 3;
}

/* The last line of a fit's progress counts what its report counts. */
static bool keep_line(void *context, uint64_t done, uint64_t total, const char *line) {
    (void)done;
    (void)total;
    (void)snprintf(context, 256, "%s", line);
    return true;
}

static void log_and_report_count_the_same(void **state) {
    (void)state;
    dataset data = dataset_random(500, 10, 5, 14);
    for (size_t s = 0; s < 2; s++) {
        char last[256], expected[80];
        lp_fit_options options = options_of(solvers[s], 1, 1e-6);
        lp_fit_report report;
        lp_probe *probe;
        options.max_iterations = s == 0 ? 3 : 0;
        options.progress = (lp_progress){keep_line, last};
        assert_int_equal(lp_probe_fit(&data.set, &options, &probe, &report, &err),
                         s == 0 ? LP_NOT_CONVERGED : LP_OK);
        (void)snprintf(expected, sizeof expected, "iteration %zu,", report.iterations);
        assert_true(strstr(last, expected) == last);
        (void)snprintf(expected, sizeof expected, ", %zu passes", report.passes);
        assert_non_null(strstr(last, expected));
        assert_true(s != 0 || report.iterations == 3);
        lp_probe_free(probe);
    }
    dataset_free(&data);
}

static void progress_is_told_and_cancels(void **state) {
    (void)state;
    dataset data = dataset_random(500, 10, 5, 14);
    for (size_t s = 0; s < 2; s++) {
        size_t calls = 0;
        lp_fit_options options = options_of(solvers[s], 1, 1e-9);
        lp_fit_report report;
        lp_probe *probe;
        options.progress = (lp_progress){stop_at_third, &calls};
        assert_fails(lp_probe_fit(&data.set, &options, &probe, &report, &err), LP_CANCELLED, &err,
                     "cancelled");
        assert_null(probe);
        assert_int_equal(calls, 3);
    }
    dataset_free(&data);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    dataset data = dataset_random(40, 3, 3, 15);
    for (size_t s = 0; s < 2; s++) {
        lp_fit_options options = options_of(solvers[s], 1, 1e-3);
        lp_fit_report report;
        lp_probe *probe;
        (void)lp_alloc_fail_at(0);
        lp_probe_free(fit(&data.set, &options, &report));
        size_t allocations = lp_alloc_fail_at(0);
        assert_true(allocations > 50);
        for (size_t k = 1; k <= allocations; k++) {
            (void)lp_alloc_fail_at(k);
            lp_status status = lp_probe_fit(&data.set, &options, &probe, &report, &err);
            (void)lp_alloc_fail_at(0);
            assert_int_equal(status, LP_ERR_MEMORY);
            assert_null(probe);
        }
    }
    dataset_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(optimum_equals_the_golden_one),
        cmocka_unit_test(default_tolerance_keeps_its_promise),
        cmocka_unit_test(bytes_do_not_depend_on_threads),
        cmocka_unit_test(constant_features_give_the_shares),
        cmocka_unit_test(smallest_problem_is_solved),
        cmocka_unit_test(separable_data_converges_at_any_C),
        cmocka_unit_test(limit_of_iterations_is_said),
        cmocka_unit_test(impossible_tolerance_ends),
        cmocka_unit_test(warm_start_saves_passes),
        cmocka_unit_test(progress_is_told_and_cancels),
        cmocka_unit_test(log_and_report_count_the_same),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
