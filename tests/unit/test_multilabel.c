/* Several labels an image: each class's classifier against a fit of two classes on the rows that
 * count, its ranking against plain loops over all thresholds; files; what is refused. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "forked_team.h"
#include "linprobe/multilabel.h"
#include "linprobe/run.h"
#include "probe_data.h"
#include "test_folder.h"

enum { N = 240, F = 5, K = 4 };

static lp_error err;

/* Marks that follow the features, some of them -1; class 3 has no image. */
typedef struct marked_data {
    float x[N * F];
    int8_t marks[N * K];
    lp_marked set;
} marked_data;

static void fill(marked_data *data, uint64_t seed) {
    lp_random random;
    lp_random_seed(&random, seed);
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < F; j++) {
            data->x[i * F + j] = (float)(lp_random_below(&random, 7)) - 3;
        }
        for (size_t k = 0; k < K; k++) {
            double score = (double)data->x[i * F + k] + random_normal(&random);
            data->marks[i * K + k] = k == 3 ? 0 : score > 1;
            if (k < 2 && lp_random_below(&random, 9) == 0) {
                data->marks[i * K + k] = -1;
            }
        }
    }
    data->set = (lp_marked){N, F, K, data->x, data->marks};
}

static lp_fit_options one_vs_rest(void) {
    lp_fit_options options;
    lp_fit_defaults(&options);
    options.solver = LP_SOLVER_OVR;
    options.C = 0.5;
    return options;
}

static void each_class_is_a_fit_of_its_own(void **state) {
    (void)state;
    static const lp_solver solvers[] = {LP_SOLVER_OVR, LP_SOLVER_LIBLINEAR};
    static marked_data data;
    fill(&data, 1);
    for (size_t s = 0; s < 2; s++) {
        lp_fit_options options = one_vs_rest();
        options.solver = solvers[s];
        options.standardize = s == 1;
        lp_fit_report report, one;
        double objective = 0;
        lp_probe *probe, *own;
        assert_ok(lp_multilabel_fit(&data.set, &options, &probe, &report, &err), &err);
        assert_true(report.converged && lp_probe_is_multilabel(probe));
        for (size_t k = 0; k < 3; k++) {
            dataset two = dataset_new(N, F, 2);
            size_t count = 0;
            for (size_t i = 0; i < N; i++) {
                if (data.marks[i * K + k] >= 0) {
                    memcpy(two.x + count * F, data.x + i * F, F * sizeof *two.x);
                    two.labels[count++] = data.marks[i * K + k];
                }
            }
            assert_int_equal(count < N, k < 2);
            two.set.count = count;
            assert_ok(lp_probe_fit(&two.set, &options, &own, &one, &err), &err);
            assert_memory_equal(lp_probe_weights(probe) + k * F, lp_probe_weights(own) + F,
                                F * sizeof(double));
            assert_true(lp_probe_intercepts(probe)[k] - lp_probe_intercepts(own)[1] == 0);
            objective += solvers[s] == LP_SOLVER_OVR ? one.objective / 2 : one.objective;
            lp_probe_free(own);
            dataset_free(&two);
        }
        assert_true(report.objective - objective == 0);
        assert_true(lp_probe_intercepts(probe)[3] < -1e300); /* no image of it */
        lp_probe_free(probe);
    }
}

/* The mean over the recalls 0, 0.1, ... of the highest precision there or beyond. */
static double plain_precision(const double *logits, const int8_t *marks, size_t k) {
    double sum = 0;
    for (int p = 0; p <= 10; p++) {
        double best = 0;
        for (size_t t = 0; t < N; t++) { /* each score as the threshold */
            size_t found = 0, right = 0, all = 0;
            for (size_t i = 0; i < N; i++) {
                bool above = logits[i * K + k] >= logits[t * K + k];
                all += marks[i * K + k] > 0;
                found += above && marks[i * K + k] >= 0;
                right += above && marks[i * K + k] > 0;
            }
            if (marks[t * K + k] >= 0 && 10 * right >= (size_t)p * all) {
                best = fmax(best, (double)right / (double)found);
            }
        }
        sum += best / 11;
    }
    return sum;
}

static double plain_auc(const double *logits, const int8_t *marks, size_t k) {
    double right = 0, pairs = 0;
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < N; j++) {
            if (marks[i * K + k] == 1 && marks[j * K + k] == 0) {
                double a = logits[i * K + k], b = logits[j * K + k];
                right += a > b ? 1 : a < b ? 0 : 0.5;
                pairs++;
            }
        }
    }
    return right / pairs;
}

static void ranks_are_those_of_plain_loops(void **state) {
    (void)state;
    static marked_data train, test;
    static double logits[N * K];
    const lp_fit_options options = one_vs_rest();
    lp_class_ranking classes[K];
    lp_ranking mean, other;
    lp_fit_report report;
    lp_probe *probe;
    fill(&train, 1);
    fill(&test, 2);
    assert_ok(lp_multilabel_fit(&train.set, &options, &probe, &report, &err), &err);
    assert_ok(lp_multilabel_rank(probe, &test.set, 1, classes, &mean, &err), &err);
    assert_ok(lp_probe_logits(probe, test.x, N, logits, 1, &err), &err);
    double precision = 0, auc = 0;
    for (size_t k = 0; k < 3; k++) {
        double p = plain_precision(logits, test.marks, k), a = plain_auc(logits, test.marks, k);
        size_t images = 0, left_out = 0;
        for (size_t i = 0; i < N; i++) {
            images += test.marks[i * K + k] > 0;
            left_out += test.marks[i * K + k] < 0;
        }
        assert_int_equal(classes[k].images, images);
        assert_int_equal(classes[k].left_out, left_out);
        assert_true(fabs(classes[k].rank.map_11 - p) < 1e-12);
        assert_true(fabs(classes[k].rank.roc_auc - a) < 1e-12);
        precision += p / 3;
        auc += a / 3;
    }
    assert_int_equal(classes[3].images, 0);
    assert_true(isnan(classes[3].rank.map_11));
    assert_true(fabs(mean.map_11 - precision) < 1e-12 && fabs(mean.roc_auc - auc) < 1e-12);
    assert_ok(lp_multilabel_rank(probe, &test.set, 3, NULL, &other, &err), &err);
    assert_memory_equal(&mean, &other, sizeof mean);
    lp_marked wrong = test.set;
    wrong.classes = K - 1;
    assert_fails(lp_multilabel_rank(probe, &wrong, 1, NULL, &mean, &err), LP_ERR_ARGUMENT, &err,
                 "test set of 5 features and 3 classes: the probe has 5 and 4");
    wrong = test.set;
    wrong.count = 0;
    assert_fails(lp_multilabel_rank(probe, &wrong, 1, NULL, &mean, &err), LP_ERR_DATA, &err,
                 "empty");
    test.x[7] = NAN;
    assert_fails(lp_multilabel_rank(probe, &test.set, 1, NULL, &mean, &err), LP_ERR_DATA, &err,
                 "row 1");
    lp_probe_free(probe);
}

static void what_cannot_be_fitted_is_refused(void **state) {
    (void)state;
    static marked_data data;
    lp_fit_options options = one_vs_rest();
    lp_fit_report report;
    lp_probe *probe;
    fill(&data, 1);
    options.solver = LP_SOLVER_SOFTMAX;
    assert_fails(lp_multilabel_fit(&data.set, &options, &probe, &report, &err), LP_ERR_ARGUMENT,
                 &err, "the solver must be ovr or liblinear, not softmax");
    assert_null(probe);
    options = one_vs_rest();
    options.max_iterations = 1;
    assert_fails(lp_multilabel_fit(&data.set, &options, &probe, &report, &err), LP_NOT_CONVERGED,
                 &err, "did not converge for 3 of 4 classes");
    assert_non_null(probe);
    assert_int_equal(report.not_converged, 3);
    lp_probe_free(probe);
    options = one_vs_rest();
    data.x[F] = INFINITY;
    assert_fails(lp_multilabel_fit(&data.set, &options, &probe, &report, &err), LP_ERR_DATA, &err,
                 "row 1, column 0 holds an infinity");
    fill(&data, 1);
    for (size_t i = 0; i < N; i++) {
        data.marks[i * K + 1] = (int8_t)(i % 2 == 0 ? 1 : -1);
    }
    assert_fails(lp_multilabel_fit(&data.set, &options, &probe, &report, &err), LP_ERR_DATA, &err,
                 "every row that counts is of class 1: expected others, too");
    memset(data.marks, 0, sizeof data.marks);
    assert_fails(lp_multilabel_fit(&data.set, &options, &probe, &report, &err), LP_ERR_DATA, &err,
                 "labels: no row is of any of the 4 classes");
    assert_null(probe);
}

static void only_who_asks_gets_such_a_probe(void **state) {
    (void)state;
    static marked_data data;
    const lp_fit_options options = one_vs_rest();
    const char *path = in_folder("several.probe");
    lp_fit_report report;
    lp_probe *probe, *read;
    fill(&data, 1);
    assert_ok(lp_multilabel_fit(&data.set, &options, &probe, &report, &err), &err);
    for (int described = 0; described < 2; described++) {
        assert_ok(lp_probe_save(probe, path, &err), &err);
        assert_fails(lp_probe_load(path, &read, &err), LP_ERR_UNSUPPORTED, &err,
                     "it was trained on several labels an image (multi-label)");
        assert_null(read);
        assert_ok(lp_probe_load_any(path, &read, &err), &err);
        assert_true(lp_probe_is_multilabel(read));
        assert_int_equal(lp_probe_solver(read), LP_SOLVER_OVR);
        assert_memory_equal(lp_probe_weights(read), lp_probe_weights(probe),
                            K * F * sizeof(double));
        lp_probe_free(read);
        const lp_training training = {.train = {.path = "x", .count = N},
                                      .multilabel = true,
                                      .options = options,
                                      .report = report};
        assert_ok(lp_probe_describe(probe, &training, &err), &err);
        assert_true(lp_probe_training(probe)->multilabel);
    }
    lp_probe_free(probe);
}

static lp_sweep_options grid(lp_solver solver) {
    lp_sweep_options options;
    lp_sweep_defaults(&options);
    options.protocol = LP_SWEEP_GRID;
    options.low = -3;
    options.high = 2;
    options.steps = 1;
    options.fit = one_vs_rest();
    options.fit.solver = solver;
    return options;
}

/* Every point of the grid by a fit of its own, without the sweep. */
static void rows_of_a_class_that_was_not_learnt_are_counted(void **state) {
    (void)state;
    static marked_data train, test;
    const lp_fit_options options = one_vs_rest();
    lp_fit_report report;
    lp_probe *probe;
    lp_trained_rows rows;
    fill(&train, 1);
    fill(&test, 2);
    assert_ok(lp_multilabel_fit(&train.set, &options, &probe, &report, &err), &err);
    lp_features features = {.count = N, .width = F, .classes = K, .x = test.x, .digest = "other"};
    features.marks = test.marks;
    for (size_t i = 0; i < 3; i++) {
        assert_ok(lp_trained_rows_count(probe, &features, 1, &rows, &err), &err);
        assert_int_equal(rows.strangers, i);
        test.marks[i * K + 3] = 1;
        test.marks[(N - 1) * K + 3] = -1; /* it does not count */
    }
    assert_int_equal(rows.strange, 3);
    lp_probe_free(probe);
}

static void a_sweep_chooses_by_the_mean_precision(void **state) {
    (void)state;
    static const lp_solver solvers[] = {LP_SOLVER_OVR, LP_SOLVER_LIBLINEAR};
    static marked_data train, check;
    fill(&train, 1);
    fill(&check, 2);
    for (size_t s = 0; s < 2; s++) {
        const lp_sweep_options options = grid(solvers[s]);
        lp_sweep *sweep;
        assert_ok(lp_multilabel_sweep(&train.set, &check.set, &options, &sweep, &err), &err);
        assert_true(sweep->multilabel);
        assert_int_equal(sweep->count, 6);
        double most = 0, values[6];
        size_t best = 0;
        for (size_t i = 0; i < 6; i++) {
            const lp_sweep_point *p = &sweep->points[i];
            lp_fit_options fit = options.fit;
            lp_fit_report report;
            lp_ranking mean;
            lp_probe *probe;
            fit.C = p->C;
            assert_ok(lp_multilabel_fit(&train.set, &fit, &probe, &report, &err), &err);
            assert_ok(lp_multilabel_rank(probe, &check.set, 1, NULL, &mean, &err), &err);
            lp_probe_free(probe);
            values[i] = mean.map_11;
            assert_true(!p->exact || fabs(p->value - mean.map_11) < 1e-12);
            assert_true(isnan(p->interval.low) && p->correct == 0 && p->count == N);
            best = mean.map_11 > most ? i : best;
            most = values[best];
        }
        assert_int_equal(sweep->best, best);
        assert_true(sweep->points[best].exact);
        lp_sweep_free(sweep);
    }
}

static void what_is_held_out_is_seeded_and_folds_hold_out_each_row_once(void **state) {
    (void)state;
    static marked_data data;
    lp_sweep *first, *second;
    fill(&data, 1);
    lp_sweep_options options = grid(LP_SOLVER_OVR);
    assert_ok(lp_multilabel_sweep(&data.set, NULL, &options, &first, &err), &err);
    assert_ok(lp_multilabel_sweep(&data.set, NULL, &options, &second, &err), &err);
    for (size_t i = 0; i < first->count; i++) {
        assert_true(first->points[i].value - second->points[i].value == 0);
        assert_true(first->points[i].count >= N / 10 - K && first->points[i].count <= N / 10 + K);
    }
    lp_sweep_free(first);
    lp_sweep_free(second);
    options.folds = 4;
    assert_ok(lp_multilabel_sweep(&data.set, NULL, &options, &first, &err), &err);
    assert_int_equal(first->points[0].count, N);
    lp_sweep_free(first);
    options.fit.solver = LP_SOLVER_SOFTMAX;
    assert_fails(lp_multilabel_sweep(&data.set, NULL, &options, &first, &err), LP_ERR_ARGUMENT,
                 &err, "the solver must be ovr or liblinear, not softmax");
    assert_null(first);
    options.fit.solver = LP_SOLVER_OVR;
    options.folds = 0;
    memset(data.marks, 0, sizeof data.marks);
    assert_fails(lp_multilabel_sweep(&data.set, NULL, &options, &first, &err), LP_ERR_DATA, &err,
                 "labels: no row is of any of the 4 classes");
}

typedef struct stopper {
    size_t calls, limit;
} stopper;

static bool stop(void *context, uint64_t done, uint64_t total, const char *line) {
    stopper *s = context;
    (void)done;
    (void)total;
    (void)line;
    return s->calls++ < s->limit;
}

/* Wherever it is stopped, a sweep of several labels goes on to the same points. */
static void a_stopped_sweep_goes_on(void **state) {
    (void)state;
    static marked_data data;
    lp_sweep *whole, *sweep = NULL;
    fill(&data, 1);
    lp_sweep_options options = grid(LP_SOLVER_OVR);
    options.folds = 2;
    assert_ok(lp_multilabel_sweep(&data.set, NULL, &options, &whole, &err), &err);
    const char *work = in_folder("stopped");
    options.work = work;
    lp_status status = LP_CANCELLED;
    size_t tries = 0;
    for (; status == LP_CANCELLED; tries++) {
        stopper s = {.limit = 40};
        options.fit.progress = (lp_progress){stop, &s};
        status = lp_multilabel_sweep(&data.set, NULL, &options, &sweep, &err);
        assert_true(tries < 100);
    }
    assert_ok(status, &err);
    assert_true(tries > 1 && sweep->resumed > 0);
    assert_int_equal(sweep->best, whole->best);
    for (size_t i = 0; i < whole->count; i++) {
        assert_true(sweep->points[i].value - whole->points[i].value == 0);
        assert_int_equal(sweep->points[i].exact, whole->points[i].exact);
    }
    lp_sweep_free(sweep);
    lp_sweep_free(whole);
}

/* What a rank found, in memory that all share. */
typedef struct rank_results {
    double values[4][2][6];
    size_t best[4][2];
} rank_results;

static marked_data of_team;

static int sweep_on_a_rank(void *context) {
    static const lp_solver solvers[] = {LP_SOLVER_OVR, LP_SOLVER_LIBLINEAR};
    rank_results *results = context;
    size_t rank = lp_team_rank();
    for (size_t s = 0; s < 2; s++) {
        lp_sweep_options options = grid(solvers[s]);
        lp_sweep *sweep;
        options.fit.threads = 1 + rank;
        if (lp_multilabel_sweep(&of_team.set, NULL, &options, &sweep, &err) != LP_OK) {
            return 1;
        }
        for (size_t i = 0; i < sweep->count; i++) {
            results->values[rank][s][i] = sweep->points[i].value;
        }
        results->best[rank][s] = sweep->best;
        lp_sweep_free(sweep);
    }
    return 0;
}

static void ranks_choose_alike(void **state) {
    (void)state;
    rank_results *one = forked_shared(sizeof *one), *three = forked_shared(sizeof *three);
    fill(&of_team, 1);
    forked_run(1, sweep_on_a_rank, one);
    forked_run(3, sweep_on_a_rank, three);
    for (size_t rank = 0; rank < 3; rank++) {
        assert_memory_equal(three->values[rank], one->values[0], sizeof one->values[0]);
        assert_memory_equal(three->best[rank], one->best[0], sizeof one->best[0]);
    }
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    static marked_data data;
    const lp_fit_options options = {.solver = LP_SOLVER_OVR, .C = 1, .threads = 1};
    lp_fit_report report;
    lp_probe *probe = NULL;
    lp_ranking mean;
    fill(&data, 1);
    lp_status status = LP_ERR_MEMORY;
    for (size_t k = 1; status != LP_OK; k++) {
        lp_probe_free(probe);
        (void)lp_alloc_fail_at(k);
        status = lp_multilabel_fit(&data.set, &options, &probe, &report, &err);
        assert_true(status == LP_OK || (status == LP_ERR_MEMORY && probe == NULL));
    }
    status = LP_ERR_MEMORY;
    lp_sweep_options few = grid(LP_SOLVER_OVR);
    lp_sweep *sweep = NULL;
    few.low = 0;
    few.high = 1;
    few.fit.threads = 1;
    for (size_t k = 1; status != LP_OK; k++) {
        (void)lp_alloc_fail_at(k);
        status = lp_multilabel_sweep(&data.set, NULL, &few, &sweep, &err);
        assert_true(status == LP_OK || (status == LP_ERR_MEMORY && sweep == NULL));
    }
    lp_sweep_free(sweep);
    status = LP_ERR_MEMORY;
    for (size_t k = 1; status != LP_OK; k++) {
        (void)lp_alloc_fail_at(k);
        status = lp_multilabel_rank(probe, &data.set, 1, NULL, &mean, &err);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
    }
    (void)lp_alloc_fail_at(0);
    lp_probe_free(probe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_is_a_fit_of_its_own),
        cmocka_unit_test(ranks_are_those_of_plain_loops),
        cmocka_unit_test(a_sweep_chooses_by_the_mean_precision),
        cmocka_unit_test(what_is_held_out_is_seeded_and_folds_hold_out_each_row_once),
        cmocka_unit_test(a_stopped_sweep_goes_on),
        cmocka_unit_test(rows_of_a_class_that_was_not_learnt_are_counted),
        cmocka_unit_test(ranks_choose_alike),
        cmocka_unit_test(what_cannot_be_fitted_is_refused),
        cmocka_unit_test(only_who_asks_gets_such_a_probe),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
