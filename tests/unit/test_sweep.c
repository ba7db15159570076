/* The sweep over C: which points the protocols visit, what is chosen, and resumption. */
#include <math.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "check.h"
#include "test_folder.h"
#include "linprobe/sweep.h"
#include "normal.h"
#include "probe/examples.h"
#include "base/random.h"
#include "base/strata.h"

enum { N = 160, F = 40, K = 3 };

static lp_error err;
static float x[N * F];
static int64_t labels[N];
static lp_examples train;

static int setup(void **state) {
    train = (lp_examples){.count = N, .width = F, .classes = K, .x = x, .labels = labels};
    lp_random random;
    lp_random_seed(&random, 5);
    for (size_t i = 0; i < N; i++) {
        labels[i] = (int64_t)(i % K);
        for (size_t j = 0; j < F; j++) { /* no C gets all right, and high ones fit noise */
            x[i * F + j] = (float)(random_normal(&random) + (j == i % K ? 0.6 : 0.0));
        }
    }
    return make_folder(state);
}

static lp_sweep_options small_options(void) {
    lp_sweep_options options;
    lp_sweep_defaults(&options);
    options.low = -3;
    options.high = 3;
    options.held_out = 0.25;
    options.seed = 11;
    options.fit.solver = LP_SOLVER_LIBLINEAR;
    options.fit.tolerance = 1e-4;
    options.fit.threads = 2;
    return options;
}

static void defaults_are_the_paper_s(void **state) {
    (void)state;
    lp_sweep_options options;
    lp_sweep_defaults(&options);
    assert_int_equal(options.protocol, LP_SWEEP_SEARCH);
    assert_int_equal(options.low, -6);
    assert_int_equal(options.high, 6);
    assert_int_equal(options.steps, 8);
}

/* Correct validation predictions for one C, with nothing of the sweep but its split. */
static size_t correct_at(double C, const lp_sweep_options *options, size_t *count) {
    bool held_out[N];
    size_t rows[N];
    float part_x[2][N * F];
    int64_t part_labels[2][N];
    lp_examples part[2];
    lp_strata *strata;
    assert_ok(lp_strata_new(labels, N, K, options->seed, &strata, &err), &err);
    lp_strata_hold_out(strata, options->held_out, held_out);
    lp_strata_free(strata);
    for (int side = 0; side < 2; side++) {
        size_t n = lp_strata_rows(held_out, N, side == 1, rows);
        lp_examples_take(&train, rows, n, (lp_share){0, n}, part_x[side], part_labels[side],
                         &part[side]);
    }
    lp_fit_options fit = options->fit;
    fit.C = C;
    lp_probe *probe;
    lp_fit_report report;
    lp_score score;
    assert_ok(lp_probe_fit(&part[0], &fit, &probe, &report, &err), &err);
    assert_ok(lp_probe_score(probe, &part[1], 1, &score, &err), &err);
    lp_probe_free(probe);
    *count = score.count;
    return score.correct;
}

static void grid_visits_every_point_and_chooses_the_best(void **state) {
    (void)state;
    lp_sweep_options options = small_options();
    options.protocol = LP_SWEEP_GRID;
    options.steps = 3;
    lp_sweep *sweep;
    assert_ok(lp_sweep_run(&train, NULL, &options, &sweep, &err), &err);
    assert_int_equal(sweep->count, 19);
    size_t best = 0, most = 0;
    for (size_t i = 0; i < 19; i++) {
        const lp_sweep_point *p = &sweep->points[i];
        assert_true(fabs(log10(p->C) - (-3 + (double)i / 3)) < 1e-12);
        size_t count, correct = correct_at(p->C, &options, &count);
        assert_int_equal(p->count, count);
        assert_int_equal(p->correct, correct);
        assert_true(p->interval.low < p->value && p->value < p->interval.high);
        assert_true(p->converged);
        if (correct > most) {
            most = correct;
            best = i;
        }
    }
    assert_int_equal(sweep->best, best);
    assert_int_equal(sweep->at_edge, best == 0 || best == 18);
    lp_sweep_free(sweep);
}

/* Rows that the caller holds out: those that the share would have chosen give the same points. */
static void rows_to_validate_on_can_be_given(void **state) {
    (void)state;
    lp_sweep_options options = small_options();
    bool rows[N];
    lp_strata *strata;
    lp_sweep *by_share, *by_rows;
    assert_ok(lp_sweep_run(&train, NULL, &options, &by_share, &err), &err);
    assert_ok(lp_strata_new(labels, N, K, options.seed, &strata, &err), &err);
    lp_strata_hold_out(strata, options.held_out, rows);
    lp_strata_free(strata);
    options.validation_rows = rows;
    options.seed++;
    assert_ok(lp_sweep_run(&train, NULL, &options, &by_rows, &err), &err);
    assert_int_equal(by_rows->count, by_share->count);
    assert_memory_equal(by_rows->points, by_share->points,
                        by_rows->count * sizeof *by_rows->points);
    lp_sweep_free(by_share);
    lp_sweep_free(by_rows);
}

typedef struct stopper {
    size_t calls, limit;
} stopper;

static bool stop(void *context, uint64_t done, uint64_t total, const char *line) {
    stopper *s = context;
    assert_non_null(line);
    assert_true(done < total);
    bool inside = strstr(line, ": iteration ") != NULL || strstr(line, ": class ") != NULL;
    return inside || s->calls++ < s->limit; /* counted are the beginnings of fits */
}

/* What "exact enough" means: every point is fitted exactly, with nothing of the sweep, and the
 * choice is the same.  Points that a sweep calls exact have the count of that fit; the others,
 * whose own count may differ, would not have been chosen with it.  The choice itself is exact. */
static void exact_fits_of_all_points_choose_the_same(void **state) {
    (void)state;
    static const lp_solver solvers[] = {LP_SOLVER_SOFTMAX, LP_SOLVER_OVR};
    enum { SEEDS = 5 };
    size_t rough = 0;
    for (size_t run = 0; run < 2 * SEEDS; run++) {
        lp_sweep_options options = small_options();
        options.protocol = LP_SWEEP_GRID;
        options.steps = 2;
        options.low = -5;
        options.high = 5;
        options.seed = run;
        options.fit.solver = solvers[run % 2];
        options.fit.tolerance = 0; /* the default, 1e-6 */
        lp_sweep *sweep;
        assert_ok(lp_sweep_run(&train, NULL, &options, &sweep, &err), &err);
        size_t best = 0, most = 0, count, correct[64];
        for (size_t i = 0; i < sweep->count; i++) {
            const lp_sweep_point *p = &sweep->points[i];
            correct[i] = correct_at(p->C, &options, &count);
            assert_true(!p->exact || p->correct == correct[i]);
            rough += !p->exact;
            best = correct[i] > most ? i : best;
            most = correct[best];
        }
        assert_int_equal(sweep->best, best);
        assert_true(sweep->points[best].exact && sweep->points[best].converged);
        assert_true(sweep->points[best].gap >= 0 && sweep->points[best].gap <= 1e-6);
        lp_sweep_free(sweep);
    }
    assert_true(rough > 2 * SEEDS); /* else nothing was saved, and nothing tested */
}

/* A first fit that is as exact as what was asked for is not made again. */
static void loose_tolerances_fit_no_point_twice(void **state) {
    (void)state;
    for (int loose = 0; loose < 2; loose++) {
        lp_sweep_options options = small_options();
        options.fit.solver = LP_SOLVER_OVR;
        options.fit.tolerance = loose ? 1e-2 : 1e-6;
        stopper s = {.limit = SIZE_MAX};
        options.fit.progress = (lp_progress){stop, &s};
        lp_sweep *sweep;
        assert_ok(lp_sweep_run(&train, NULL, &options, &sweep, &err), &err);
        assert_true(loose ? s.calls == sweep->count : s.calls > sweep->count);
        for (size_t i = 0; i < sweep->count; i++) {
            assert_true(!loose || sweep->points[i].exact);
        }
        lp_sweep_free(sweep);
    }
}

static void search_halves_its_step_round_the_peak(void **state) {
    (void)state;
    lp_sweep_options options = small_options();
    options.low = -4;
    options.high = 4;
    lp_sweep *sweep;
    assert_ok(lp_sweep_run(&train, NULL, &options, &sweep, &err), &err);
    /* the protocol once more, on accuracies computed without the sweep */
    enum { GRID = 65 };
    size_t correct[GRID] = {0}, count;
    bool seen[GRID] = {false};
    for (size_t i = 0; i < GRID; i += 16) {
        seen[i] = true;
        correct[i] = correct_at(pow(10, -4 + (double)i / 8), &options, &count);
    }
    size_t best = 0;
    for (size_t step = 8; step >= 1; step /= 2) {
        for (size_t i = 0; i < GRID; i++) {
            best = seen[i] && (!seen[best] || correct[i] > correct[best]) ? i : best;
        }
        size_t centre = best;
        if (centre >= step) {
            seen[centre - step] = true;
            correct[centre - step] =
                correct_at(pow(10, -4 + (double)(centre - step) / 8), &options, &count);
        }
        if (centre + step < GRID) {
            seen[centre + step] = true;
            correct[centre + step] =
                correct_at(pow(10, -4 + (double)(centre + step) / 8), &options, &count);
        }
        best = 0;
    }
    size_t n = 0;
    for (size_t i = 0; i < GRID; i++) {
        if (seen[i]) {
            best = !seen[best] || correct[i] > correct[best] ? i : best;
            assert_true(n < sweep->count);
            assert_true(fabs(log10(sweep->points[n].C) - (-4 + (double)i / 8)) < 1e-12);
            assert_int_equal(sweep->points[n].correct, correct[i]);
            n++;
        }
    }
    assert_int_equal(sweep->count, n);
    assert_true(fabs(log10(sweep->points[sweep->best].C) - (-4 + (double)best / 8)) < 1e-12);
    lp_sweep_free(sweep);
}

static void folds_use_every_example_once(void **state) {
    (void)state;
    lp_sweep_options options = small_options();
    options.protocol = LP_SWEEP_GRID;
    options.steps = 1;
    options.folds = 4;
    lp_sweep *sweep;
    assert_ok(lp_sweep_run(&train, NULL, &options, &sweep, &err), &err);
    assert_int_equal(sweep->count, 7);
    for (size_t i = 0; i < sweep->count; i++) {
        assert_int_equal(sweep->points[i].count, N);
        assert_true(sweep->points[i].correct > N / K); /* better than chance */
    }
    lp_sweep_free(sweep);
}

static void given_validation_set_is_used(void **state) {
    (void)state;
    lp_examples head = train, tail = train;
    head.count = 90;
    tail.count = 30;
    tail.x = x + 90 * F;
    tail.labels = labels + 90;
    lp_sweep_options options = small_options();
    options.protocol = LP_SWEEP_GRID;
    options.steps = 1;
    lp_sweep *sweep;
    assert_ok(lp_sweep_run(&head, &tail, &options, &sweep, &err), &err);
    for (size_t i = 0; i < sweep->count; i++) {
        lp_fit_options fit = options.fit;
        lp_probe *probe;
        lp_fit_report report;
        lp_score score;
        fit.C = sweep->points[i].C;
        assert_ok(lp_probe_fit(&head, &fit, &probe, &report, &err), &err);
        assert_ok(lp_probe_score(probe, &tail, 1, &score, &err), &err);
        assert_int_equal(sweep->points[i].correct, score.correct);
        assert_int_equal(sweep->points[i].count, 30);
        lp_probe_free(probe);
    }
    lp_sweep_free(sweep);
}

static void neighbours_save_passes(void **state) {
    (void)state;
    lp_sweep_options options = small_options();
    options.protocol = LP_SWEEP_GRID;
    options.steps = 8;
    options.fit.solver = LP_SOLVER_SOFTMAX;
    lp_sweep *sweep;
    assert_ok(lp_sweep_run(&train, &train, &options, &sweep, &err), &err);
    size_t along = 0, alone = 0;
    for (size_t i = 0; i < sweep->count; i++) {
        lp_fit_options fit = options.fit;
        lp_probe *probe;
        lp_fit_report report;
        fit.C = sweep->points[i].C;
        assert_ok(lp_probe_fit(&train, &fit, &probe, &report, &err), &err);
        lp_probe_free(probe);
        along += sweep->points[i].passes;
        alone += report.passes;
    }
    assert_true(5 * along < 4 * alone); /* although most points are fitted twice here */
    lp_sweep_free(sweep);
}

static void interrupted_sweep_resumes_to_the_same_result(void **state) {
    (void)state;
    for (int protocol = LP_SWEEP_SEARCH; protocol <= LP_SWEEP_GRID; protocol++) {
        lp_sweep_options options = small_options();
        options.protocol = (lp_sweep_protocol)protocol;
        options.fit.solver = protocol == LP_SWEEP_GRID ? LP_SOLVER_SOFTMAX : LP_SOLVER_OVR;
        options.steps = 4; /* fine enough to start from two points */
        options.folds = 2;
        lp_sweep *whole, *sweep = NULL;
        assert_ok(lp_sweep_run(&train, NULL, &options, &whole, &err), &err);
        const char *work = in_folder(protocol == LP_SWEEP_GRID ? "grid" : "search");
        options.work = work;
        options.fit.progress.step = stop;
        lp_status status = LP_CANCELLED;
        for (size_t runs = 0; status == LP_CANCELLED; runs++) { /* two points a run */
            stopper s = {.limit = 2};
            options.fit.progress.context = &s;
            assert_true(runs < 2 * whole->count); /* rough and exact */
            status = lp_sweep_run(&train, NULL, &options, &sweep, &err);
            assert_true(status == LP_OK || strstr(err.text, "stopped after") != NULL);
        }
        assert_ok(status, &err);
        assert_true(sweep->resumed > 0);
        assert_int_equal(sweep->count, whole->count);
        assert_int_equal(sweep->best, whole->best);
        for (size_t i = 0; i < whole->count; i++) {
            assert_true(sweep->points[i].C == whole->points[i].C);
            assert_int_equal(sweep->points[i].correct, whole->points[i].correct);
            assert_int_equal(sweep->points[i].iterations, whole->points[i].iterations);
            assert_int_equal(sweep->points[i].passes, whole->points[i].passes);
        }
        lp_sweep_free(sweep);
        /* once more: nothing is left to do, and other options are refused */
        stopper none = {.limit = 0};
        options.fit.progress.context = &none;
        assert_ok(lp_sweep_run(&train, NULL, &options, &sweep, &err), &err);
        assert_int_equal(sweep->resumed, whole->count);
        assert_int_equal(none.calls, 0);
        lp_sweep_free(sweep);
        options.seed++;
        assert_fails(lp_sweep_run(&train, NULL, &options, &sweep, &err), LP_ERR_ARGUMENT, &err,
                     "belongs to a sweep of other data or options");
        assert_null(sweep);
        lp_sweep_free(whole);
    }
}

/* A process that starts a sweep when it is told to.  It is forked while no other thread runs: a
 * copy of a process in the middle of a loop would have that loop's threads without their work. */
typedef struct {
    pid_t process; /* 0: it has ended */
    int told;      /* the end of a pipe: a byte tells it to start */
} second_sweep;

static second_sweep second_waits(const lp_sweep_options *options) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    second_sweep second = {.process = fork(), .told = ends[1]};
    assert_true(second.process >= 0);
    if (second.process == 0) {
        char byte;
        (void)close(ends[1]); /* so that the read ends with this test, however that ends */
        if (read(ends[0], &byte, 1) != 1) {
            _exit(2);
        }
        lp_sweep *sweep;
        lp_status status = lp_sweep_run(&train, NULL, options, &sweep, &err);
        bool refused = strstr(err.text, "another process is at work in this folder") != NULL;
        _exit(status == LP_ERR_IO && refused ? 0 : 1);
    }
    (void)close(ends[0]);
    return second;
}

/* What the progress of the first sweep is: at its first step the second one starts, and ends. */
static bool start_second(void *context, uint64_t done, uint64_t total, const char *line) {
    second_sweep *second = context;
    (void)done, (void)total, (void)line;
    if (second->process != 0) {
        int ended;
        assert_int_equal(write(second->told, "", 1), 1);
        assert_int_equal(waitpid(second->process, &ended, 0), second->process);
        assert_true(WIFEXITED(ended) && WEXITSTATUS(ended) == 0);
        second->process = 0; /* it has ended */
    }
    return true;
}

static void two_sweeps_in_one_folder_refuse_each_other(void **state) {
    (void)state;
    lp_sweep_options options = small_options();
    const char *work = in_folder("locked");
    options.work = work;
    second_sweep second = second_waits(&options);
    lp_sweep_options first = options;
    first.fit.progress = (lp_progress){.step = start_second, .context = &second};
    lp_sweep *sweep;
    assert_ok(lp_sweep_run(&train, NULL, &first, &sweep, &err), &err);
    assert_int_equal(second.process, 0);
    lp_sweep_free(sweep);
    (void)close(second.told);
    assert_ok(lp_sweep_run(&train, NULL, &options, &sweep, &err), &err); /* the lock has gone */
    lp_sweep_free(sweep);
}

/* The probe of an earlier point is a file like any other: it may not be what it was. */
static void foreign_probe_in_the_work_folder_is_refused(void **state) {
    (void)state;
    lp_sweep_options options = small_options();
    options.protocol = LP_SWEEP_GRID;
    options.fit.solver = LP_SOLVER_SOFTMAX;
    const char *work = in_folder("foreign"), *path = in_folder("foreign/0-0.probe");
    stopper s = {.limit = 1};
    options.work = work;
    options.fit.progress = (lp_progress){.step = stop, .context = &s};
    lp_sweep *sweep;
    assert_int_equal(lp_sweep_run(&train, NULL, &options, &sweep, &err), LP_CANCELLED);
    static const float narrow[2] = {-1, 1};
    static const int64_t two[2] = {0, 1};
    lp_examples other = {.count = 2, .width = 1, .classes = 2, .x = narrow, .labels = two};
    lp_fit_options fit = options.fit;
    memset(&fit.progress, 0, sizeof fit.progress);
    lp_probe *probe;
    lp_fit_report report;
    assert_ok(lp_probe_fit(&other, &fit, &probe, &report, &err), &err);
    assert_ok(lp_probe_save(probe, path, &err), &err);
    lp_probe_free(probe);
    memset(&options.fit.progress, 0, sizeof options.fit.progress);
    assert_fails(lp_sweep_run(&train, NULL, &options, &sweep, &err), LP_ERR_FORMAT, &err,
                 "0-0.probe: expected a probe of 3 classes x 40 features, found 2 x 1");
}

/* Points of the end of a search, known from the start, once led the next run another way, to starts
 * that no longer existed. */
static void finished_search_run_again_goes_the_same_way(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        lp_sweep_options options = small_options();
        options.fit.solver = LP_SOLVER_OVR;
        options.steps = 8;
        options.seed = seed;
        char name[32];
        (void)snprintf(name, sizeof name, "again-%d", (int)seed);
        const char *work = in_folder(name);
        options.work = work;
        lp_sweep *first, *second;
        assert_ok(lp_sweep_run(&train, NULL, &options, &first, &err), &err);
        assert_ok(lp_sweep_run(&train, NULL, &options, &second, &err), &err);
        assert_int_equal(second->count, first->count);
        assert_int_equal(second->best, first->best);
        assert_int_equal(second->resumed, first->count);
        for (size_t i = 0; i < first->count; i++) {
            assert_true(second->points[i].C == first->points[i].C);
        }
        lp_sweep_free(first);
        lp_sweep_free(second);
    }
}

static void wrong_options_are_refused(void **state) {
    (void)state;
    lp_sweep *sweep;
    lp_sweep_options options = small_options();
    options.steps = 6;
    assert_fails(lp_sweep_run(&train, NULL, &options, &sweep, &err), LP_ERR_ARGUMENT, &err,
                 "expected a power of two a decade, found 6");
    options = small_options();
    options.low = 3;
    assert_fails(lp_sweep_run(&train, NULL, &options, &sweep, &err), LP_ERR_ARGUMENT, &err,
                 "found 3 to 3");
    options = small_options();
    options.held_out = 1;
    assert_fails(lp_sweep_run(&train, NULL, &options, &sweep, &err), LP_ERR_ARGUMENT, &err,
                 "between 0 and 1, found 1");
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    lp_sweep_options options = small_options();
    options.protocol = LP_SWEEP_GRID;
    options.low = 0;
    options.high = 1;
    options.steps = 4;
    options.fit.solver = LP_SOLVER_SOFTMAX;
    options.fit.threads = 1;
    lp_sweep *sweep;
    lp_alloc_fail_at(0);
    assert_ok(lp_sweep_run(&train, NULL, &options, &sweep, &err), &err);
    size_t needed = lp_alloc_fail_at(0);
    lp_sweep_free(sweep);
    assert_true(needed > 10);
    for (size_t k = 1; k <= needed; k++) {
        lp_alloc_fail_at(k);
        lp_status status = lp_sweep_run(&train, NULL, &options, &sweep, &err);
        lp_alloc_fail_at(0);
        assert_int_equal(status, LP_ERR_MEMORY);
        assert_null(sweep);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_to_validate_on_can_be_given),
        cmocka_unit_test(defaults_are_the_paper_s),
        cmocka_unit_test(grid_visits_every_point_and_chooses_the_best),
        cmocka_unit_test(exact_fits_of_all_points_choose_the_same),
        cmocka_unit_test(loose_tolerances_fit_no_point_twice),
        cmocka_unit_test(search_halves_its_step_round_the_peak),
        cmocka_unit_test(folds_use_every_example_once),
        cmocka_unit_test(given_validation_set_is_used),
        cmocka_unit_test(neighbours_save_passes),
        cmocka_unit_test(interrupted_sweep_resumes_to_the_same_result),
        cmocka_unit_test(two_sweeps_in_one_folder_refuse_each_other),
        cmocka_unit_test(foreign_probe_in_the_work_folder_is_refused),
        cmocka_unit_test(finished_search_run_again_goes_the_same_way),
        cmocka_unit_test(wrong_options_are_refused),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, setup, remove_folder);
}
