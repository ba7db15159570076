/* The liblinear solver against liblinear's own multi-class train() and its command-line tools. */
#include <linear.h>
#include <math.h>

#include "base/alloc.h"
#include "probe/fitter.h"
#include "probe_data.h"

static lp_error err;

static lp_fit_options options_of(double eps, double bias) {
    lp_fit_options options;
    lp_fit_defaults(&options);
    options.solver = LP_SOLVER_LIBLINEAR;
    options.tolerance = eps;
    options.bias = bias;
    options.threads = 2;
    return options;
}

static void quiet(const char *line) {
    (void)line;
}

/* W [K, F] and b [K] by liblinear's own train() over all classes. */
static void reference(const lp_examples *set, double C, double eps, double bias, double *w,
                      double *b) {
    size_t columns = set->width + (bias >= 0);
    struct feature_node *nodes = calloc(set->count * (columns + 1), sizeof *nodes);
    struct feature_node **rows = calloc(set->count, sizeof(struct feature_node *));
    double *y = calloc(set->count, sizeof *y);
    assert_true(nodes != NULL && rows != NULL && y != NULL);
    for (size_t i = 0; i < set->count; i++) {
        rows[i] = nodes + i * (columns + 1);
        y[i] = (double)set->labels[i];
        for (size_t j = 0; j < columns; j++) {
            rows[i][j].index = (int)j + 1;
            rows[i][j].value = j < set->width ? (double)set->x[i * set->width + j] : bias;
        }
        rows[i][columns].index = -1;
    }
    struct problem problem = {(int)set->count, (int)columns, y, rows, bias};
    struct parameter parameter = {.solver_type = L2R_LR, .eps = eps, .C = C};
    set_print_string_function(quiet);
    struct model *model = train(&problem, &parameter);
    assert_int_equal(model->nr_class, set->classes);
    for (size_t r = 0; r < set->classes; r++) {
        size_t k = (size_t)model->label[r];
        size_t of = set->classes == 2 ? 1 : set->classes;
        double sign = set->classes == 2 && r == 1 ? -1 : 1;
        size_t column = set->classes == 2 ? 0 : r;
        for (size_t j = 0; j < set->width; j++) {
            w[k * set->width + j] = sign * model->w[j * of + column];
        }
        b[k] = bias >= 0 ? sign * model->w[set->width * of + column] * bias : 0;
    }
    free_and_destroy_model(&model);
    free(nodes);
    free(rows);
    free(y);
}

static void weights_equal_those_of_train(void **state) {
    (void)state;
    static const struct {
        size_t count, width, classes;
        double C, eps, bias;
    } cases[] = {
        {300, 7, 5, 0.316, 0.01, 1},  {300, 7, 5, 0.316, 1e-6, 1}, {120, 40, 3, 10, 0.01, -1},
        {40, 60, 11, 1, 0.001, 0.5},  {200, 5, 2, 0.316, 0.01, 1}, {64, 1, 2, 100, 0.1, 1},
        {500, 20, 12, 1e-3, 0.01, 0},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        dataset data = dataset_random(cases[c].count, cases[c].width, cases[c].classes, 100 + c);
        size_t size = cases[c].width * cases[c].classes;
        double *w = calloc(size, sizeof *w);
        double *b = calloc(cases[c].classes, sizeof *b);
        assert_true(w != NULL && b != NULL);
        reference(&data.set, cases[c].C, cases[c].eps, cases[c].bias, w, b);
        lp_fit_options options = options_of(cases[c].eps, cases[c].bias);
        options.C = cases[c].C;
        lp_probe *probe;
        lp_fit_report report;
        assert_ok(lp_probe_fit(&data.set, &options, &probe, &report, &err), &err);
        assert_true(report.converged && report.not_converged == 0 && report.iterations > 0);
        assert_true(report.gap >= 0 && report.objective > 0);
        assert_true(largest_difference(lp_probe_weights(probe), w, size) < 1e-6);
        assert_true(largest_difference(lp_probe_intercepts(probe), b, cases[c].classes) < 1e-6);
        lp_probe_free(probe);
        free(w);
        free(b);
        dataset_free(&data);
    }
}

/* A model file of liblinear-train: W [K, F] and b [K] in the order of our classes. */
static void read_model(const char *name, size_t width, double bias, double *w, double *b) {
    char path[256];
    char word[64];
    int classes = 0;
    int label[16];
    (void)snprintf(path, sizeof path, LP_TEST_DATA "/golden/probe/%s", name);
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    while (fscanf(in, "%63s", word) == 1 && strcmp(word, "w") != 0) {
        if (strcmp(word, "nr_class") == 0) {
            assert_int_equal(fscanf(in, "%d", &classes), 1);
        } else if (strcmp(word, "label") == 0) {
            for (int r = 0; r < classes; r++) {
                assert_int_equal(fscanf(in, "%d", &label[r]), 1);
            }
        }
    }
    for (size_t j = 0; j < width + (bias >= 0); j++) {
        for (int r = 0; r < classes; r++) {
            double value;
            if (classes == 2 && r == 1) {
                value = -(j < width ? w[(size_t)label[0] * width + j] : b[label[0]]);
            } else {
                assert_int_equal(fscanf(in, "%lf", &value), 1);
                value *= j < width ? 1 : bias;
            }
            if (j < width) {
                w[(size_t)label[r] * width + j] = value;
            } else {
                b[label[r]] = value;
            }
        }
    }
    (void)fclose(in);
}

static void weights_equal_those_of_the_tool(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double eps, bias;
    } cases[] = {{"liblinear-0.01-1.model", 0.01, 1},
                 {"liblinear-1e-5-1.model", 1e-5, 1},
                 {"liblinear-0.01--1.model", 0.01, -1},
                 {"liblinear-0.01-0.25.model", 0.01, 0.25},
                 {"two-0.01-1.model", 0.01, 1}};
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        dataset data = dataset_golden();
        double w[64];
        double b[8] = {0};
        if (cases[c].name[0] == 't') {
            dataset_keep_two(&data);
        }
        read_model(cases[c].name, data.set.width, cases[c].bias, w, b);
        lp_fit_options options = options_of(cases[c].eps, cases[c].bias);
        lp_probe *probe;
        lp_fit_report report;
        assert_ok(lp_probe_fit(&data.set, &options, &probe, &report, &err), &err);
        size_t size = data.set.width * data.set.classes;
        assert_true(largest_difference(lp_probe_weights(probe), w, size) < 1e-6);
        assert_true(largest_difference(lp_probe_intercepts(probe), b, data.set.classes) < 1e-6);
        lp_probe_free(probe);
        dataset_free(&data);
    }
}

static void bytes_do_not_depend_on_threads(void **state) {
    (void)state;
    dataset data = dataset_random(200, 9, 7, 5);
    lp_fit_options options = options_of(0, 1);
    lp_probe *probes[2];
    lp_fit_report reports[2];
    for (size_t i = 0; i < 2; i++) {
        options.threads = i == 0 ? 1 : 5;
        assert_ok(lp_probe_fit(&data.set, &options, &probes[i], &reports[i], &err), &err);
    }
    assert_memory_equal(lp_probe_weights(probes[0]), lp_probe_weights(probes[1]),
                        7 * 9 * sizeof(double));
    assert_true(reports[0].objective == reports[1].objective);
    lp_probe_free(probes[0]);
    lp_probe_free(probes[1]);
    dataset_free(&data);
}

/* liblinear stops by itself when the objective cannot fall any more in float64. */
static void early_stop_is_said(void **state) {
    (void)state;
    dataset data = dataset_random(200, 5, 3, 8);
    lp_fit_options options = options_of(1e-20, 1);
    lp_probe *probe;
    lp_fit_report report;
    assert_fails(lp_probe_fit(&data.set, &options, &probe, &report, &err), LP_NOT_CONVERGED, &err,
                 "liblinear did not converge: liblinear gave up in 3 of 3 classes");
    assert_non_null(probe);
    assert_false(report.converged);
    assert_int_equal(report.not_converged, 3);
    assert_true(report.gradient < 1e-6); /* though it was as close as it gets */
    lp_probe_free(probe);
    dataset_free(&data);
}

static void warm_start_takes_fewer_iterations(void **state) {
    (void)state;
    dataset data = dataset_random(400, 12, 4, 9);
    lp_example_rows rows = dataset_rows(&data);
    lp_fit_options options = options_of(1e-4, 1);
    lp_fitter *fitter;
    lp_probe *cold;
    lp_probe *warm;
    lp_fit_report cold_report;
    lp_fit_report warm_report;
    assert_ok(lp_fitter_open(&rows, &options, &fitter, &err), &err);
    assert_ok(lp_fitter_fit(fitter, 1, NULL, &cold, &cold_report, &err), &err);
    assert_ok(lp_fitter_fit(fitter, 1, cold, &warm, &warm_report, &err), &err);
    assert_true(cold_report.iterations > 1);
    assert_int_equal(warm_report.iterations, 0);
    assert_true(largest_difference(lp_probe_weights(cold), lp_probe_weights(warm), 4 * 12) == 0);
    lp_probe_free(cold);
    lp_probe_free(warm);
    lp_fitter_close(fitter);
    dataset_free(&data);
}

typedef struct watcher {
    size_t calls, stop_after, total;
    bool in_order;
} watcher;

static bool watch(void *context, uint64_t done, uint64_t total, const char *line) {
    watcher *seen = context;
    seen->calls++;
    seen->total = total;
    seen->in_order = seen->in_order && done == seen->calls && strstr(line, "class ") == line;
    return seen->calls != seen->stop_after;
}

static void progress_is_told_and_cancels(void **state) {
    (void)state;
    dataset data = dataset_random(100, 4, 6, 10);
    lp_fit_options options = options_of(0, 1);
    watcher seen = {.in_order = true};
    lp_probe *probe;
    lp_fit_report report;
    options.progress = (lp_progress){watch, &seen};
    assert_ok(lp_probe_fit(&data.set, &options, &probe, &report, &err), &err);
    lp_probe_free(probe);
    assert_int_equal(seen.calls, 6);
    assert_int_equal(seen.total, 6);
    assert_true(seen.in_order);
    seen = (watcher){.in_order = true, .stop_after = 2};
    assert_fails(lp_probe_fit(&data.set, &options, &probe, &report, &err), LP_CANCELLED, &err,
                 "cancelled");
    assert_null(probe);
    assert_int_equal(seen.calls, 2);
    dataset_free(&data);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    dataset data = dataset_random(60, 4, 3, 11);
    lp_fit_options options = options_of(0, 1);
    lp_probe *probe;
    lp_fit_report report;
    (void)lp_alloc_fail_at(0);
    assert_ok(lp_probe_fit(&data.set, &options, &probe, &report, &err), &err);
    lp_probe_free(probe);
    size_t allocations = lp_alloc_fail_at(0);
    assert_true(allocations > 10);
    for (size_t k = 1; k <= allocations; k++) {
        (void)lp_alloc_fail_at(k);
        lp_status status = lp_probe_fit(&data.set, &options, &probe, &report, &err);
        (void)lp_alloc_fail_at(0);
        assert_int_equal(status, LP_ERR_MEMORY);
        assert_null(probe);
    }
    dataset_free(&data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_equal_those_of_train),
        cmocka_unit_test(weights_equal_those_of_the_tool),
        cmocka_unit_test(bytes_do_not_depend_on_threads),
        cmocka_unit_test(early_stop_is_said),
        cmocka_unit_test(warm_start_takes_fewer_iterations),
        cmocka_unit_test(progress_is_told_and_cancels),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
