/* One-vs-rest logistic regression by liblinear's own code, solver 0 (L2R_LR).  The only file that
 * includes linear.h.
 *
 *     for each class k, y_i = +1 for its examples, else -1, x~ = [x, bias]:
 *         f(w) = 1/2 |w|^2 + C sum_i log(1 + exp(-y_i w.x~_i))
 *         g(w) = w - C sum_i y_i x~_i / (1 + exp(y_i w.x~_i)),   g(0) = -C/2 sum_i y_i x~_i
 *
 *     x [N, F] -> liblinear's nodes [N, F + bias + end], 16 bytes each, once for all classes
 *       -> one call of train() a class, the classes spread over the threads
 *       -> f and |g| at its solution, computed here in float64
 *
 * Weights of classes are liblinear's own, -w1 and -w-1: C times the weight of an example's side.
 *
 * train() with all classes does the same one after the other and copies nothing more, but on one
 * core.  A call with labels +1 and -1 solves the same problem: its tolerance is eps *
 * max(min(pos, neg), 1) / N either way, and only the order of the examples differs.  As in
 * liblinear, two classes are one problem, whose positive class is the first example's.
 *
 * In a team of ranks the classes are spread over the ranks, each of which needs all rows.
 *
 * liblinear reports neither iterations nor whether it hit its limit of them, except in what it
 * prints; so its lines are read here (a thread's train() prints in that thread), and whether it
 * converged is decided by the gradient at the solution it returned. */
#include <linear.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/team.h"
#include "probe/solver.h"

/* |g| is recomputed with sums in another order than liblinear's; this much is rounding. */
static const double SLACK = 1e-6;

typedef struct class_result {
    double objective;
    double gradient;       /* |g| */
    double gradient_start; /* |g(0)| */
    double tolerance;      /* |g| <= tolerance * |g(0)| ends it */
    size_t iterations, cg_steps;
    bool converged;
    char warning[48];
} class_result;

typedef struct liblinear_state {
    lp_memory memory; /* that the arrays below lie in */
    const lp_problem *problem;
    size_t columns;             /* F, and 1 for the bias */
    struct feature_node *nodes; /* [N, columns + 1], each row ended by index -1 */
    struct feature_node **rows; /* [N] */
    double *sums;               /* [K + 1, columns]: sum of x~ over each class, and over all */
} liblinear_state;

typedef struct fit_job {
    const liblinear_state *state;
    struct parameter parameter;
    bool warm;
    size_t problems; /* classes, or 1 for two classes */
    lp_share share;  /* of them, of this rank */
    double *w;       /* [problems, columns]: start, then solution */
    double *y;       /* [workers, N] */
    double *scratch; /* [workers, columns] */
    class_result *results;
    lp_reporter *reporter;
} fit_job;

/* What the running train() of this thread has printed. */
static _Thread_local class_result *listening;

static void listen(const char *line) {
    class_result *result = listening;
    const char *cg = strstr(line, " CG ");
    if (result == NULL) {
        return;
    }
    if (strncmp(line, "iter ", 5) == 0) {
        result->iterations = (size_t)strtoul(line + 5, NULL, 10);
        result->cg_steps += cg != NULL ? (size_t)strtoul(cg + 4, NULL, 10) : 0;
    } else if (strncmp(line, "WARNING: ", 9) == 0) {
        size_t length = strcspn(line + 9, "\n");
        (void)snprintf(result->warning, sizeof result->warning, "%.*s", (int)length, line + 9);
    }
}

static void liblinear_close(void *opaque) {
    liblinear_state *state = opaque;
    lp_memory_free(&state->memory);
    lp_free(state);
}

static void fill_rows(liblinear_state *state) {
    const lp_problem *problem = state->problem;
    size_t F = problem->width;
    double *total = state->sums + problem->classes * state->columns;
    for (size_t i = 0; i < problem->count; i++) {
        const float *x = problem->x[i];
        struct feature_node *node = state->nodes + i * (state->columns + 1);
        double *sum = state->sums + (size_t)problem->labels[i] * state->columns;
        state->rows[i] = node;
        for (size_t j = 0; j < state->columns; j++) {
            double value = j < F ? (double)x[j] : problem->bias;
            if (value != 0) { /* liblinear is made for sparse rows */
                *node++ = (struct feature_node){(int)j + 1, value};
                sum[j] += value;
                total[j] += value;
            }
        }
        node->index = -1;
        node->value = 0;
    }
}

static lp_status liblinear_open(const lp_problem *problem, void **out, lp_error *err) {
    liblinear_state *state = lp_alloc_zeroed(1, sizeof *state);
    size_t count = problem->count, K = problem->classes;
    if (state == NULL) {
        return lp_fail_memory(err, "liblinear", 1, sizeof *state);
    }
    state->problem = problem;
    state->columns = problem->width + (problem->bias >= 0);
    lp_memory *memory = &state->memory;
    state->nodes = lp_memory_take(memory, count, (state->columns + 1) * sizeof *state->nodes);
    state->rows = lp_memory_take(memory, count, sizeof *state->rows);
    state->sums = lp_memory_take_zeroed(memory, K + 1, state->columns * sizeof *state->sums);
    lp_status status = lp_memory_check(memory, "liblinear's problem", err);
    if (status != LP_OK) {
        liblinear_close(state);
        return status;
    }
    fill_rows(state);
    *out = state;
    return LP_OK;
}

/* f and |g| at w, and |g(0)|, for the labels y, whose sides +1 and -1 have these weights;
 * g [columns] is scratch. */
static void measure(const liblinear_state *state, double C, const double sides[2], const double *y,
                    const double *w, const double *positive, double *g, class_result *result) {
    const double *total = state->sums + state->problem->classes * state->columns;
    double loss = 0, norm = 0, start = 0, gradient = 0;
    memset(g, 0, state->columns * sizeof *g);
    for (size_t i = 0; i < state->problem->count; i++) {
        double z = 0;
        for (const struct feature_node *node = state->rows[i]; node->index != -1; node++) {
            z += w[node->index - 1] * node->value;
        }
        double margin = y[i] * z;
        double e = exp(-fabs(margin));
        double weight = sides[y[i] < 0];
        loss += weight * (log1p(e) + (margin < 0 ? -margin : 0));
        double slope = -y[i] * weight * (margin < 0 ? 1 / (1 + e) : e / (1 + e));
        for (const struct feature_node *node = state->rows[i]; node->index != -1; node++) {
            g[node->index - 1] += slope * node->value;
        }
    }
    for (size_t j = 0; j < state->columns; j++) {
        double rest = total[j] - positive[j];
        double at_zero = -0.5 * C * (sides[0] * positive[j] - sides[1] * rest);
        double here = w[j] + C * g[j];
        norm += w[j] * w[j];
        gradient += here * here;
        start += at_zero * at_zero;
    }
    result->objective = 0.5 * norm + C * loss;
    result->gradient = sqrt(gradient);
    result->gradient_start = sqrt(start);
}

static lp_status fit_class(void *context, size_t task, size_t worker, lp_error *err) {
    const fit_job *job = context;
    const liblinear_state *state = job->state;
    const lp_problem *problem = state->problem;
    size_t index = job->share.first + task;
    class_result *result = &job->results[index];
    double *y = job->y + worker * problem->count;
    double *w = job->w + index * state->columns;
    size_t positive = job->problems == 1 ? (size_t)problem->labels[0] : index;
    for (size_t i = 0; i < problem->count; i++) {
        y[i] = (size_t)problem->labels[i] == positive ? 1 : -1;
    }
    struct problem binary = {.l = (int)problem->count,
                             .n = (int)state->columns,
                             .y = y,
                             .x = state->rows,
                             .bias = problem->bias};
    int labels[2] = {1, -1};
    double sides[2] = {lp_weight_of(problem, positive, positive),
                       problem->own != NULL ? problem->rest[positive] : 1};
    struct parameter parameter = job->parameter;
    parameter.nr_weight = problem->own != NULL ? 2 : 0;
    parameter.weight_label = labels;
    parameter.weight = sides;
    parameter.init_sol = job->warm ? w : NULL;
    listening = result;
    struct model *model = train(&binary, &parameter);
    listening = NULL;
    memcpy(w, model->w, state->columns * sizeof *w);
    free_and_destroy_model(&model);

    size_t few = problem->counts[positive];
    few = few < problem->count - few ? few : problem->count - few;
    result->tolerance = parameter.eps * (double)few / (double)problem->count;
    measure(state, parameter.C, sides, y, w, state->sums + positive * state->columns,
            job->scratch + worker * state->columns, result);
    result->converged =
        result->gradient <= result->tolerance * result->gradient_start * (1 + SLACK);
    if (!lp_report_step(
            job->reporter, 0, job->share.end - job->share.first,
            "class %zu: %zu iterations, %zu CG steps, objective %.6g, |g|/|g(0)| %.3g%s%s",
            problem->names[positive], result->iterations, result->cg_steps, result->objective,
            result->gradient / result->gradient_start, result->warning[0] != '\0' ? ", " : "",
            result->warning)) {
        return lp_fail(err, LP_CANCELLED, "fit cancelled");
    }
    return LP_OK;
}

static void fill_report(const fit_job *job, lp_fit_report *report) {
    const class_result *worst = NULL;
    double above = 0; /* f - optimum is at most this: f is strongly convex with modulus 1 */
    for (size_t k = 0; k < job->problems; k++) {
        const class_result *result = &job->results[k];
        double gradient =
            result->gradient_start > 0 ? result->gradient / result->gradient_start : 0;
        report->objective += result->objective;
        report->gradient = fmax(report->gradient, gradient);
        above += 0.5 * result->gradient * result->gradient;
        report->iterations =
            result->iterations > report->iterations ? result->iterations : report->iterations;
        report->not_converged += !result->converged;
        worst = worst == NULL && !result->converged ? result : worst;
    }
    report->gap = above < report->objective ? above / (report->objective - above) : -1;
    report->converged = report->not_converged == 0;
    if (worst == NULL) {
        (void)snprintf(report->stopped_by, sizeof report->stopped_by,
                       "liblinear's gradient test, eps %g, in every class", job->parameter.eps);
    } else {
        (void)snprintf(report->stopped_by, sizeof report->stopped_by,
                       "liblinear gave up in %zu of %zu classes: %s", report->not_converged,
                       job->problems,
                       worst->warning[0] != '\0' ? worst->warning : "iteration limit");
    }
}

static lp_status liblinear_fit(void *opaque, double C, bool warm, lp_linear *solution,
                               lp_fit_report *report, lp_reporter *reporter, lp_error *err) {
    const liblinear_state *state = opaque;
    const lp_problem *problem = state->problem;
    size_t F = problem->width, columns = state->columns;
    size_t problems = problem->classes == 2 ? 1 : problem->classes;
    size_t threads = problem->threads < problems ? problem->threads : problems;
    lp_memory memory = {0};
    fit_job job = {
        .state = state,
        .parameter = {.solver_type = L2R_LR, .eps = problem->tolerance, .C = C, .p = 0.1},
        .warm = warm,
        .problems = problems,
        .share = lp_team_share(problems),
        .w = lp_memory_take_zeroed(&memory, problems, columns * sizeof *job.w),
        .y = lp_memory_take(&memory, threads, problem->count * sizeof *job.y),
        .scratch = lp_memory_take(&memory, threads, columns * sizeof *job.scratch),
        .results = lp_memory_take_zeroed(&memory, problems, sizeof *job.results),
        .reporter = reporter};
    lp_status status;
    LP_TRY(lp_memory_check(&memory, "liblinear", err));
    size_t first = (size_t)problem->labels[0]; /* the positive class of two */
    for (size_t k = 0; k < problems; k++) {
        size_t row = problems == 1 ? first : k;
        memcpy(job.w + k * columns, solution->weights + row * F, F * sizeof *job.w);
        if (problem->bias > 0) {
            job.w[k * columns + F] = solution->intercepts[row] / problem->bias;
        }
    }
    set_print_string_function(listen);
    LP_TRY(lp_parallel_for(threads, job.share.end - job.share.first, fit_class, &job, err));
    LP_TRY(lp_team_gather(job.w, problems, columns * sizeof *job.w, err));
    LP_TRY(lp_team_gather(job.results, problems, sizeof *job.results, err));
    for (size_t k = 0; k < problem->classes; k++) {
        const double *w = job.w + (problems == 1 ? 0 : k) * columns;
        double sign = problems == 1 && k != first ? -1 : 1;
        for (size_t j = 0; j < F; j++) {
            solution->weights[k * F + j] = sign * w[j];
        }
        solution->intercepts[k] = problem->bias >= 0 ? sign * w[F] * problem->bias : 0;
    }
    fill_report(&job, report);
done:
    lp_memory_free(&memory);
    return status;
}

const lp_solver_entry lp_liblinear_solver = {0.01, 0, liblinear_open, liblinear_fit,
                                             liblinear_close};
