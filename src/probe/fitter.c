/* From labelled features to a probe: checks, the table of solvers, progress.
 *
 *     examples [N, F], labels in 0 .. K-1
 *       -> checked (finite, in range), classes that do not occur left out
 *       -> standardised, where that is asked for: a copy
 *       -> solver -> weights [K', F], intercepts [K']
 *       -> for features as they are: w / s and b - w.m / s
 *       -> probe [K, F]; a class that did not occur gets weights 0 and intercept minus infinity:
 *          it is never predicted, and for softmax that is the limit of its optimum */
#include "probe/fitter.h"

#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/chunk_sums.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "probe/classifier.h"
#include "probe/solver.h"

static const lp_solver_entry *const solvers[] = {[LP_SOLVER_LIBLINEAR] = &lp_liblinear_solver,
                                                 [LP_SOLVER_OVR] = &lp_ovr_solver,
                                                 [LP_SOLVER_SOFTMAX] = &lp_softmax_solver};
const char *const lp_solver_names[] = {"liblinear", "ovr", "softmax", NULL};
const char *const lp_class_weight_names[] = {"none", "balanced", NULL};
enum { SOLVERS = sizeof solvers / sizeof solvers[0] };

struct lp_fitter {
    lp_memory memory; /* that the arrays below lie in */
    lp_solver kind;
    const lp_solver_entry *solver;
    lp_problem problem;
    lp_progress progress;
    size_t all_classes;       /* with those that do not occur */
    double *mean, *deviation; /* [F] of the features, where they are standardised; or NULL */
    void *state;
};

struct lp_reporter {
    lp_progress progress;
    pthread_mutex_t lock; /* guards the two below */
    size_t done;
    bool stopped;
};

static bool is_solver(lp_solver solver) {
    return (size_t)solver < SOLVERS;
}

void lp_fit_defaults(lp_fit_options *options) {
    *options = (lp_fit_options){.solver = LP_SOLVER_SOFTMAX, .C = 0.316, .bias = 1};
}

const char *lp_solver_name(lp_solver solver) {
    return is_solver(solver) ? lp_solver_names[solver] : "unknown";
}

bool lp_report_step(lp_reporter *reporter, size_t done, size_t total, const char *format, ...) {
    char line[256];
    va_list args;
    if (reporter->progress.step == NULL) {
        return true;
    }
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    (void)pthread_mutex_lock(&reporter->lock);
    reporter->done = done > 0 ? done : reporter->done + 1;
    reporter->stopped =
        reporter->stopped || !lp_progress_step(&reporter->progress, reporter->done, total, line);
    bool go_on = !reporter->stopped;
    (void)pthread_mutex_unlock(&reporter->lock);
    return go_on;
}

static lp_status check_options(const lp_fit_options *options, lp_error *err) {
    if (!is_solver(options->solver)) {
        return lp_fail(err, LP_ERR_ARGUMENT, "solver %d does not exist", (int)options->solver);
    }
    if (!(options->tolerance >= 0) || !isfinite(options->tolerance)) {
        return lp_fail(err, LP_ERR_ARGUMENT, "tolerance %g: expected a number >= 0 (0 = default)",
                       options->tolerance);
    }
    if ((size_t)options->class_weight > LP_CLASS_WEIGHT_BALANCED) {
        return lp_fail(err, LP_ERR_ARGUMENT, "class weight %d does not exist",
                       (int)options->class_weight);
    }
    if (!isfinite(options->bias)) {
        return lp_fail(err, LP_ERR_ARGUMENT, "bias %g: expected a finite number", options->bias);
    }
    return LP_OK;
}

/* Numbers the classes that occur and counts their examples. */
static lp_status number_classes(lp_fitter *fitter, const lp_example_rows *train, lp_error *err) {
    size_t K = train->classes;
    int32_t *labels = lp_memory_take(&fitter->memory, train->count, sizeof *labels);
    size_t *counts = lp_memory_take_zeroed(&fitter->memory, K, sizeof *counts);
    size_t *names = lp_memory_take_zeroed(&fitter->memory, K, sizeof *names);
    int32_t *number = lp_memory_take(&fitter->memory, K, sizeof *number);
    lp_status status;
    LP_TRY(lp_memory_check(&fitter->memory, "labels", err));
    for (size_t i = 0; i < train->count; i++) {
        if (train->labels[i] < 0 || (uint64_t)train->labels[i] >= K) {
            LP_TRY(lp_fail(err, LP_ERR_DATA, "labels: row %zu holds %lld, expected 0 to %zu", i,
                           (long long)train->labels[i], K - 1));
        }
        counts[train->labels[i]]++;
    }
    size_t present = 0;
    for (size_t k = 0; k < K; k++) {
        number[k] = (int32_t)present;
        if (counts[k] > 0) {
            names[present] = k;
            counts[present] = counts[k];
            present++;
        }
    }
    for (size_t i = 0; i < train->count; i++) {
        labels[i] = number[train->labels[i]];
    }
    fitter->problem.classes = present;
    fitter->problem.labels = labels;
    fitter->problem.counts = counts;
    fitter->problem.names = names;
    if (present < 2) {
        status = lp_fail(err, LP_ERR_DATA,
                         "labels: all %zu examples are of class %zu, expected at least two classes",
                         train->count, names[0]);
    }
done:
    return status;
}

/* Each class's weight: scikit-learn's compute_class_weight("balanced"), N / (K n).  One-vs-rest,
 * each problem has two classes. */
static lp_status weigh_classes(lp_fitter *fitter, lp_error *err) {
    lp_problem *p = &fitter->problem;
    size_t K = p->classes;
    bool together = fitter->kind == LP_SOLVER_SOFTMAX;
    double *own = lp_memory_take(&fitter->memory, K, sizeof *own);
    double *rest = together ? NULL : lp_memory_take(&fitter->memory, K, sizeof *rest);
    lp_status status = lp_memory_check(&fitter->memory, "class weights", err);
    for (size_t k = 0; status == LP_OK && k < K; k++) {
        double N = (double)p->count, n = (double)p->counts[k];
        own[k] = N / ((together ? (double)K : 2) * n);
        if (rest != NULL) {
            rest[k] = N / (2 * (N - n));
        }
    }
    p->own = own;
    p->rest = rest;
    return status;
}

void lp_fitter_set_tolerance(lp_fitter *fitter, double tolerance) {
    fitter->problem.tolerance = tolerance > 0 ? tolerance : fitter->solver->tolerance;
}

/* Columns are standardised in three passes over the rows: their means, their deviations, and the
 * rows themselves. */
typedef struct scaling {
    const lp_problem *problem;
    double *mean, *deviation; /* [F]; mean NULL: not known yet */
    float *x;                 /* [N, F] standardised */
    size_t chunks;
} scaling;

enum { CHUNK_ROWS = 1024, MOST_CHUNKS = 256 };

static size_t first_row(const scaling *s, size_t chunk) {
    return s->problem->count * chunk / s->chunks;
}

/* Sums of a chunk's columns, or of their squares off the mean. */
static lp_status sum_columns(void *context, size_t chunk, size_t worker, double *sums,
                             lp_error *err) {
    const scaling *s = context;
    size_t F = s->problem->width, end = first_row(s, chunk + 1);
    (void)worker;
    (void)err;
    memset(sums, 0, F * sizeof *sums);
    for (size_t i = first_row(s, chunk); i < end; i++) {
        const float *x = s->problem->x[i];
        for (size_t j = 0; s->mean == NULL && j < F; j++) {
            sums[j] += (double)x[j];
        }
        for (size_t j = 0; s->mean != NULL && j < F; j++) {
            double off = (double)x[j] - s->mean[j];
            sums[j] += off * off;
        }
    }
    return LP_OK;
}

static lp_status scale_rows(void *context, size_t chunk, size_t worker, lp_error *err) {
    const scaling *s = context;
    size_t F = s->problem->width, end = first_row(s, chunk + 1);
    (void)worker;
    (void)err;
    for (size_t i = first_row(s, chunk); i < end; i++) {
        const float *x = s->problem->x[i];
        for (size_t j = 0; j < F; j++) {
            s->x[i * F + j] = (float)(((double)x[j] - s->mean[j]) / s->deviation[j]);
        }
    }
    return LP_OK;
}

/* From sums of squares.  A feature whose variance is no more than its rounding is constant:
 * scikit-learn's rule (preprocessing/_data.py, _is_constant_feature). */
static void find_deviations(const scaling *s, const double *squares) {
    double n = (double)s->problem->count;
    for (size_t j = 0; j < s->problem->width; j++) {
        double variance = squares[j] / n, rounding = n * s->mean[j] * DBL_EPSILON;
        bool constant = variance <= n * DBL_EPSILON * variance + rounding * rounding;
        s->deviation[j] = constant ? 1 : sqrt(variance);
    }
}

/* Puts the standardised features in the place of the problem's. */
static lp_status standardize(lp_fitter *fitter, lp_error *err) {
    lp_problem *p = &fitter->problem;
    size_t F = p->width, chunks = p->count / CHUNK_ROWS;
    lp_memory memory = {0};
    lp_status status;
    chunks = chunks < 1 ? 1 : chunks > MOST_CHUNKS ? MOST_CHUNKS : chunks;
    fitter->mean = lp_memory_take(&fitter->memory, F, sizeof *fitter->mean);
    fitter->deviation = lp_memory_take(&fitter->memory, F, sizeof *fitter->deviation);
    const float **at = lp_memory_take(&fitter->memory, p->count, sizeof *at);
    scaling s = {p, NULL, fitter->deviation,
                 lp_memory_take(&fitter->memory, p->count, F * sizeof *s.x), chunks};
    LP_TRY(lp_memory_check(&fitter->memory, "standardised features", err));
    double *total;
    lp_chunk_sums *sums = lp_chunk_sums_new(&memory, chunks, F, p->threads, false);
    LP_TRY(lp_memory_check(&memory, "standardised features", err));
    LP_TRY(lp_chunk_sums_run(sums, F, 0, sum_columns, &s, &total, err));
    for (size_t j = 0; j < F; j++) {
        fitter->mean[j] = total[j] / (double)p->count;
    }
    s.mean = fitter->mean;
    LP_TRY(lp_chunk_sums_run(sums, F, 1, sum_columns, &s, &total, err));
    find_deviations(&s, total);
    LP_TRY(lp_parallel_for(p->threads, chunks, scale_rows, &s, err));
    for (size_t i = 0; i < p->count; i++) {
        at[i] = s.x + i * F;
    }
    p->x = at;
done:
    lp_memory_free(&memory);
    return status;
}

lp_status lp_fitter_open(const lp_example_rows *train, const lp_fit_options *options,
                         lp_fitter **out, lp_error *err) {
    size_t size;
    *out = NULL;
    lp_fitter *fitter = NULL;
    lp_status status;
    LP_TRY(check_options(options, err));
    if (train->count == 0 || train->width == 0 || train->classes < 2) {
        return lp_fail(err, LP_ERR_DATA,
                       "training set of %zu examples, %zu features and %zu classes: expected at "
                       "least 1, 1 and 2",
                       train->count, train->width, train->classes);
    }
    /* BLAS and liblinear count in int. */
    if (train->count > INT32_MAX || train->width > INT32_MAX - 2 || train->classes > INT32_MAX ||
        !lp_mul(train->classes, train->width, &size)) {
        return lp_fail(err, LP_ERR_DATA,
                       "training set of %zu examples, %zu features and %zu classes is too large",
                       train->count, train->width, train->classes);
    }
    fitter = lp_alloc_zeroed(1, sizeof *fitter);
    LP_TRY(lp_allocated(fitter, "fit", 1, sizeof *fitter, err));
    lp_problem *problem = &fitter->problem;
    fitter->kind = options->solver;
    fitter->solver = solvers[options->solver];
    fitter->progress = options->progress;
    fitter->all_classes = train->classes;
    LP_TRY(number_classes(fitter, train, err));
    problem->count = train->count;
    problem->width = train->width;
    problem->x = train->x;
    lp_fitter_set_tolerance(fitter, options->tolerance);
    problem->max_iterations =
        options->max_iterations > 0 ? options->max_iterations : fitter->solver->max_iterations;
    problem->bias = options->bias;
    problem->threads = options->threads > 0 ? options->threads : lp_processor_count();
    if (options->class_weight == LP_CLASS_WEIGHT_BALANCED) {
        LP_TRY(weigh_classes(fitter, err));
    }
    if (options->standardize) {
        LP_TRY(standardize(fitter, err));
    }
    LP_TRY(fitter->solver->open(problem, &fitter->state, err));
    *out = fitter;
    fitter = NULL;
done:
    lp_fitter_close(fitter);
    return status;
}

void lp_fitter_close(lp_fitter *fitter) {
    if (fitter != NULL) {
        if (fitter->state != NULL) {
            fitter->solver->close(fitter->state);
        }
        lp_memory_free(&fitter->memory);
        lp_free(fitter);
    }
}

/* From weights of features as they are to those of standardised ones, or back. */
static void scale_model(const lp_fitter *fitter, lp_linear *model, bool to_standardised) {
    size_t F = fitter->problem.width;
    for (size_t k = 0; fitter->mean != NULL && k < fitter->problem.classes; k++) {
        double *w = model->weights + k * F, shift = 0;
        for (size_t j = 0; j < F; j++) {
            double s = fitter->deviation[j], plain = to_standardised ? w[j] : w[j] / s;
            shift += plain * fitter->mean[j];
            w[j] = to_standardised ? w[j] * s : plain;
        }
        model->intercepts[k] += to_standardised ? shift : -shift;
    }
}

/* Rows of the classes that occur, packed to the front; start's where there is one. */
static void pack(const lp_fitter *fitter, const lp_probe *start, lp_linear *solution) {
    size_t F = fitter->problem.width;
    for (size_t k = 0; k < fitter->problem.classes; k++) {
        size_t from = fitter->problem.names[k];
        if (start != NULL && isfinite(start->intercepts[from])) {
            memcpy(solution->weights + k * F, start->weights + from * F, F * sizeof(double));
            solution->intercepts[k] = start->intercepts[from];
        }
    }
}

/* The reverse in place, last row first. */
static void unpack(const lp_fitter *fitter, lp_probe *probe) {
    size_t F = fitter->problem.width;
    size_t k = fitter->problem.classes;
    for (size_t to = fitter->all_classes; to-- > 0;) {
        if (k > 0 && fitter->problem.names[k - 1] == to) {
            k--;
            memmove(probe->weights + to * F, probe->weights + k * F, F * sizeof(double));
            probe->intercepts[to] = probe->intercepts[k];
        } else {
            memset(probe->weights + to * F, 0, F * sizeof(double));
            probe->intercepts[to] = -INFINITY;
        }
    }
}

lp_status lp_fitter_fit(lp_fitter *fitter, double C, const lp_probe *start, lp_probe **out,
                        lp_fit_report *report, lp_error *err) {
    lp_probe *probe = NULL;
    double started = lp_clock_seconds();
    lp_status status;
    *out = NULL;
    if (!(C > 0) || !isfinite(C)) {
        return lp_fail(err, LP_ERR_ARGUMENT, "C %g: expected a number > 0", C);
    }
    if (start != NULL &&
        (start->classes != fitter->all_classes || start->width != fitter->problem.width)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "start of %zu classes x %zu features: expected %zu x %zu", start->classes,
                       start->width, fitter->all_classes, fitter->problem.width);
    }
    LP_TRY(lp_probe_new(fitter->all_classes, fitter->problem.width, &probe, err));
    probe->solver = fitter->kind;
    lp_linear solution = {probe->weights, probe->intercepts};
    lp_reporter reporter = {.progress = fitter->progress};
    (void)pthread_mutex_init(&reporter.lock, NULL);
    pack(fitter, start, &solution);
    scale_model(fitter, &solution, true);
    memset(report, 0, sizeof *report);
    report->gap = -1;
    status =
        fitter->solver->fit(fitter->state, C, start != NULL, &solution, report, &reporter, err);
    (void)pthread_mutex_destroy(&reporter.lock);
    report->seconds = lp_clock_seconds() - started;
    LP_TRY(status);
    scale_model(fitter, &solution, false);
    unpack(fitter, probe);
    *out = probe;
    probe = NULL;
    if (!report->converged) {
        status = lp_fail(err, LP_NOT_CONVERGED, "%s did not converge: %s",
                         lp_solver_name(fitter->kind), report->stopped_by);
    }
done:
    lp_probe_free(probe);
    return status;
}

lp_status lp_probe_fit(const lp_examples *train, const lp_fit_options *options, lp_probe **probe,
                       lp_fit_report *report, lp_error *err) {
    lp_fitter *fitter = NULL;
    double started = lp_clock_seconds();
    lp_memory memory = {0};
    lp_example_rows all;
    lp_status status;
    *probe = NULL;
    LP_TRY(lp_check_share(train->x, train->count, train->width, err));
    LP_TRY(lp_examples_all(train, &memory, &all, err));
    LP_TRY(lp_fitter_open(&all, options, &fitter, err));
    status = lp_fitter_fit(fitter, options->C, NULL, probe, report, err);
    report->seconds = lp_clock_seconds() - started;
done:
    lp_fitter_close(fitter);
    lp_memory_free(&memory);
    return status;
}
