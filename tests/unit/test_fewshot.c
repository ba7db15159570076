/* The few-shot protocol against doing it by hand. */
#include <math.h>

#include "base/alloc.h"
#include "base/strata.h"
#include "linprobe/stats.h"
#include "linprobe/sweep.h"
#include "probe/metrics.h"
#include "probe/examples.h"
#include "probe_data.h"

enum { K = 4, F = 6, DRAWS = 3 };

static lp_error err;
static const size_t shots[] = {1, 3, 5};

static lp_fewshot_options options_of(void) {
    lp_fewshot_options o = {.shots = shots, .shot_count = 3, .draws = DRAWS, .seed = 40};
    lp_fit_defaults(&o.fit);
    o.fit.solver = LP_SOLVER_LIBLINEAR;
    o.fit.threads = 1;
    return o;
}

static void equals_doing_it_by_hand(void **state) {
    (void)state;
    dataset train = dataset_random(60, F, K, 1);
    dataset test = dataset_random(90, F, K, 2);
    lp_fewshot_options options = options_of();
    lp_fewshot_draw draws[3 * DRAWS];
    lp_fewshot_mean means[3];
    assert_ok(lp_fewshot(&train.set, &test.set, &options, draws, means, &err), &err);
    for (size_t s = 0; s < 3; s++) {
        double top1[DRAWS];
        for (size_t d = 0; d < DRAWS; d++) {
            const lp_fewshot_draw *draw = &draws[s * DRAWS + d];
            bool chosen[60];
            size_t rows[60];
            float x[60 * F];
            int64_t labels[60];
            lp_strata *strata;
            lp_examples few;
            lp_probe *probe;
            lp_fit_report report;
            lp_score score;
            assert_ok(lp_strata_new(train.labels, 60, K, 40 + d, &strata, &err), &err);
            assert_ok(lp_strata_each(strata, shots[s], chosen, &err), &err);
            size_t count = lp_strata_rows(chosen, 60, true, rows);
            assert_int_equal(count, shots[s] * K);
            lp_examples_take(&train.set, rows, count, (lp_share){0, count}, x, labels, &few);
            assert_ok(lp_probe_fit(&few, &options.fit, &probe, &report, &err), &err);
            assert_ok(lp_probe_score(probe, &test.set, 1, &score, &err), &err);
            assert_int_equal(draw->shots, shots[s]);
            assert_int_equal(draw->seed, 40 + d);
            assert_int_equal(draw->score.correct, score.correct);
            assert_true(draw->fit.objective == report.objective);
            top1[d] = score.top1;
            lp_probe_free(probe);
            lp_strata_free(strata);
        }
        double mean = (top1[0] + top1[1] + top1[2]) / 3;
        double deviation =
            sqrt((pow(top1[0] - mean, 2) + pow(top1[1] - mean, 2) + pow(top1[2] - mean, 2)) / 2);
        double half = lp_student_975(2) * deviation / sqrt(3);
        assert_int_equal(means[s].shots, shots[s]);
        assert_true(fabs(means[s].mean - mean) < 1e-15);
        assert_true(fabs(means[s].deviation - deviation) < 1e-15);
        assert_true(fabs(means[s].interval.low - fmax(0, mean - half)) < 1e-14);
        assert_true(fabs(means[s].interval.high - fmin(1, mean + half)) < 1e-14);
        assert_true(deviation > 0 && half > 0);
    }
    dataset_free(&train);
    dataset_free(&test);
}

static void threads_do_not_matter(void **state) {
    (void)state;
    dataset train = dataset_random(60, F, K, 1);
    dataset test = dataset_random(90, F, K, 2);
    lp_fewshot_options options = options_of();
    lp_fewshot_draw draws[3 * DRAWS];
    lp_fewshot_mean one[3];
    lp_fewshot_mean three[3];
    assert_ok(lp_fewshot(&train.set, &test.set, &options, draws, one, &err), &err);
    options.fit.threads = 3;
    assert_ok(lp_fewshot(&train.set, &test.set, &options, draws, three, &err), &err);
    assert_memory_equal(one, three, sizeof one);
    dataset_free(&train);
    dataset_free(&test);
}

typedef struct watch {
    size_t calls;
    size_t stop_at;
    size_t total;
} watch;

static bool see(void *context, uint64_t done, uint64_t total, const char *line) {
    watch *w = context;
    assert_int_equal(done, ++w->calls);
    assert_non_null(strstr(line, "a class"));
    w->total = total;
    return done != w->stop_at;
}

static void one_draw_progress_and_cancelling(void **state) {
    (void)state;
    dataset train = dataset_random(60, F, K, 1);
    lp_fewshot_options options = options_of();
    lp_fewshot_draw draws[3 * DRAWS];
    lp_fewshot_mean means[3];
    watch w = {0, 0, 0};
    options.fit.progress.step = see;
    options.fit.progress.context = &w;
    options.draws = 1;
    assert_ok(lp_fewshot(&train.set, &train.set, &options, draws, means, &err), &err);
    assert_int_equal(w.calls, 3);
    assert_int_equal(w.total, 3);
    assert_true(means[0].deviation == 0);
    assert_true(means[0].interval.low == 0 && means[0].interval.high == 1);
    w = (watch){0, 2, 0};
    assert_fails(lp_fewshot(&train.set, &train.set, &options, draws, means, &err), LP_CANCELLED,
                 &err, "after 2 of 3");
    assert_int_equal(w.calls, 2);
    dataset_free(&train);
}

/* Nothing is trained before a class too small is found. */
static void a_class_with_too_few(void **state) {
    (void)state;
    dataset train = dataset_random(60, F, K, 1);
    lp_fewshot_options options = options_of();
    lp_fewshot_draw draws[3 * DRAWS];
    lp_fewshot_mean means[3];
    watch w = {0, 0, 0};
    options.fit.progress.step = see;
    options.fit.progress.context = &w;
    size_t left = 4;
    for (size_t i = 0; i < 60; i++) {
        if (train.labels[i] == 2 && left > 0) {
            left--;
        } else if (train.labels[i] == 2) {
            train.labels[i] = 3;
        }
    }
    assert_fails(lp_fewshot(&train.set, &train.set, &options, draws, means, &err), LP_ERR_DATA,
                 &err, "class 2 has 4 examples, expected at least 5");
    assert_int_equal(w.calls, 0);
    static const size_t none[] = {0};
    options.shots = none;
    options.shot_count = 1;
    assert_fails(lp_fewshot(&train.set, &train.set, &options, draws, means, &err), LP_ERR_ARGUMENT,
                 &err, "0 shots");
    options.draws = 0;
    assert_fails(lp_fewshot(&train.set, &train.set, &options, draws, means, &err), LP_ERR_ARGUMENT,
                 &err, "0 draws");
    dataset_free(&train);
}

static void memory_runs_out(void **state) {
    (void)state;
    dataset train = dataset_random(60, F, K, 1);
    lp_fewshot_options options = options_of();
    lp_fewshot_draw draws[3 * DRAWS];
    lp_fewshot_mean means[3];
    options.draws = 1;
    options.shot_count = 2;
    size_t k = 0;
    lp_status status = LP_ERR_MEMORY;
    while (status != LP_OK) {
        (void)lp_alloc_fail_at(++k);
        status = lp_fewshot(&train.set, &train.set, &options, draws, means, &err);
        (void)lp_alloc_fail_at(0);
        assert_true(status == LP_OK || status == LP_ERR_MEMORY);
    }
    assert_true(k > 10);
    dataset_free(&train);
}

/* C is that of a sweep on the draw's examples alone; one example a class leaves nothing to hold
 * out. */
static void C_is_chosen_on_the_draw_alone(void **state) {
    (void)state;
    enum { PER_CLASS = 6, N = PER_CLASS * K };
    static const size_t few[] = {1, PER_CLASS};
    dataset train = dataset_random(N, F, K, 8), test = dataset_random(90, F, K, 9);
    lp_fewshot_draw draws[2];
    lp_fewshot_mean means[2];
    lp_fewshot_options options = {
        .shots = few, .shot_count = 2, .draws = 1, .seed = 5, .sweep = true};
    lp_fit_defaults(&options.fit);
    options.fit.C = 0.7;
    for (size_t i = 0; i < N; i++) {
        train.labels[i] = (int64_t)(i % K); /* so that the draw of all is the whole set */
    }
    assert_ok(lp_fewshot(&train.set, &test.set, &options, draws, means, &err), &err);
    assert_true(!draws[0].chosen && draws[0].C == 0.7);
    lp_sweep_options search;
    lp_sweep *sweep;
    lp_sweep_defaults(&search);
    search.fit = options.fit;
    search.folds = LP_FEWSHOT_FOLDS;
    search.seed = 5;
    assert_ok(lp_sweep_run(&train.set, NULL, &search, &sweep, &err), &err);
    double C = sweep->points[sweep->best].C;
    lp_sweep_free(sweep);
    assert_true(draws[1].chosen && draws[1].C == C);
    lp_probe *probe;
    lp_fit_report report;
    lp_score score;
    options.fit.C = C;
    assert_ok(lp_probe_fit(&train.set, &options.fit, &probe, &report, &err), &err);
    assert_ok(lp_probe_score(probe, &test.set, 1, &score, &err), &err);
    assert_int_equal(draws[1].score.correct, score.correct);
    lp_probe_free(probe);
    dataset_free(&train);
    dataset_free(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_doing_it_by_hand),          cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(one_draw_progress_and_cancelling), cmocka_unit_test(a_class_with_too_few),
        cmocka_unit_test(C_is_chosen_on_the_draw_alone),    cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
