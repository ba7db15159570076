/* Minimising the dense objectives: L-BFGS round the preconditioner of curvature.c, for all models
 * side by side.  One round evaluates, in one pass over the data, every model that is not finished,
 * each at its own trial point:
 *
 *     direction d from L-BFGS, step 1 first
 *       -> f and gradient at parameters + step d
 *       -> enough descent: go there and learn;  else: a shorter step, next round
 *
 * A step is good enough by Armijo's rule, f <= f_0 + 1e-4 step g.d, or, where f_0 - f drowns in
 * rounding, by the slope there (Hager and Zhang 2005): f <= f_0 + noise and g.d <= 0.8 |g_0.d|.
 *
 * Precision: rounds run in float32 with float64 sums until a model is finished or float32 has no
 * more to give; then it is judged in float64, softmax after a Newton step in its intercepts, and if
 * that finds it unfinished it goes on in float64.  What is reported is always float64.
 *
 * The preconditioner's weights and centres are taken anew at the first point and after 4, 12, 28,
 * 60 ... rounds, as p settles.
 *
 * A model is finished when |g| <= tolerance |g(0)| and the bound on the gap, (f - optimum) /
 * optimum (dense_objective.c), is at most tolerance; or when that bound is at most 1000
 * tolerance^2.  The gradient alone proves little where C is large: |g(0)| grows with C, the optimum
 * hardly. */
#include "probe/descent.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "math/linalg.h"
#include "probe/lbfgs.h"

enum {
    /* Steps remembered.  Nocedal and Wright, section 7.2, find 3 to 20 enough; fewer than 20 where
     * they would take more than MEMORY, which has room for 1,000 classes x 1,024 features. */
    DEPTH = 20,
    LEAST_DEPTH = 5,
    MEMORY = 320 << 20, /* bytes */

    /* Shorter steps in a row, each at most half of the one before.  In float32 few: what still is
     * no descent at 1/64 of the step is rounding, and float64 goes on from there. */
    NARROW_TRIES = 6,
    WIDE_TRIES = 40,

    /* Rounds without progress before float32 is left, and before float64 gives up: L-BFGS may stand
     * still for a while and go on. */
    NARROW_PATIENCE = 5,
    WIDE_PATIENCE = 60
};
/* The gap goes with |g|^2, so its own rule is this times tolerance^2: 1e-9 at the default 1e-6. */
static const double GAP_SHARE = 1000;
/* Relative error that rounding leaves in f: about 2^-24 of the logits in float32; in float64 2^-53
 * and what the sums over the examples add to it. */
static const double NARROW_NOISE = 5e-8;
static const double WIDE_NOISE = 1e-13;
/* The smallest tolerance that float32's gradient can meet; below it, the Newton step in the
 * intercepts is made in float64 (docs/NUMERICS.md, "Precision"). */
static const double NARROW_TOLERANCE = 5e-5;

typedef enum model_state {
    RUNNING,
    WAITING, /* done in float32, to be judged in float64 */
    FINISHED,
    STUCK,
    LIMITED /* by the number of iterations */
} model_state;

typedef struct model {
    model_state state;
    double value;
    double start_gradient; /* |g(0)| */
    double norm;           /* |g| */
    double excess;         /* bound on value - optimum */
    double slope;          /* g.d */
    double step;
    size_t tries;
    size_t iterations;
    double best_norm; /* for the patience */
    double best_value;
    size_t stale;
} model;

typedef struct descent {
    const lp_dense *dense;
    double C;
    bool wide;
    double *parameters; /* [K, D] */
    double *trial;
    double *direction;
    double *scratch;
    model *models;
    bool *chosen; /* [models] evaluated in this round */
    lp_dense_scratch evaluation_scratch;
    lp_objective here;  /* at parameters */
    lp_objective there; /* at trial */
    lp_preconditioner preconditioner;
    lp_lbfgs *memory;
} descent;

static lp_status objective_init(lp_objective *at, const lp_dense *dense, lp_error *err) {
    size_t K = dense->problem->classes;
    size_t F = dense->problem->width;
    at->value = lp_alloc_zeroed(dense->models, sizeof *at->value);
    at->gradient = lp_alloc_zeroed(K, dense->size * sizeof *at->gradient);
    at->weight = lp_alloc(K, sizeof *at->weight);
    at->centres = lp_alloc(K, F * sizeof *at->centres);
    if (at->value == NULL || at->gradient == NULL || at->weight == NULL || at->centres == NULL) {
        return lp_fail_memory(err, "fit", K, dense->size * sizeof *at->gradient);
    }
    return LP_OK;
}

static void objective_clear(lp_objective *at) {
    lp_free(at->value);
    lp_free(at->gradient);
    lp_free(at->weight);
    lp_free(at->centres);
}

static lp_status descent_init(descent *s, const lp_dense *dense, double C, double *parameters,
                              lp_error *err) {
    size_t K = dense->problem->classes;
    size_t D = dense->size;
    size_t depth = MEMORY / (2 * sizeof(double) * D) / K;
    depth = depth > DEPTH ? DEPTH : depth < LEAST_DEPTH ? LEAST_DEPTH : depth;
    memset(s, 0, sizeof *s);
    s->dense = dense;
    s->C = C;
    s->parameters = parameters;
    s->trial = lp_alloc(K, D * sizeof *s->trial);
    s->direction = lp_alloc_zeroed(K, D * sizeof *s->direction);
    s->scratch = lp_alloc(K, D * sizeof *s->scratch);
    s->models = lp_alloc_zeroed(dense->models, sizeof *s->models);
    s->chosen = lp_alloc_zeroed(dense->models, sizeof *s->chosen);
    if (s->trial == NULL || s->direction == NULL || s->scratch == NULL || s->models == NULL ||
        s->chosen == NULL) {
        return lp_fail_memory(err, "fit", K, D * sizeof *s->trial);
    }
    lp_status status;
    LP_TRY(lp_dense_scratch_init(&s->evaluation_scratch, dense->problem, err));
    LP_TRY(objective_init(&s->here, dense, err));
    LP_TRY(objective_init(&s->there, dense, err));
    LP_TRY(lp_lbfgs_new(dense->models, dense->rows * D, depth, &s->memory, err));
    s->preconditioner = (lp_preconditioner){.basis = &dense->basis,
                                            .C = C,
                                            .scale = dense->scale,
                                            .penalty = dense->penalty,
                                            .weight = s->here.weight,
                                            .centres = s->here.centres};
done:
    return status;
}

static void descent_clear(descent *s) {
    lp_free(s->trial);
    lp_free(s->direction);
    lp_free(s->scratch);
    lp_free(s->models);
    lp_free(s->chosen);
    lp_dense_scratch_clear(&s->evaluation_scratch);
    objective_clear(&s->here);
    objective_clear(&s->there);
    lp_lbfgs_free(s->memory);
}

/* Takes off what is common to all classes of a softmax model.  It changes no probability, so that
 * the optimum has none of it and the gradient neither; a step of it could only cost penalty. */
static void centre_classes(double *values, size_t classes, size_t size) {
    for (size_t j = 0; j < size; j++) {
        double sum = 0;
        for (size_t k = 0; k < classes; k++) {
            sum += values[k * size + j];
        }
        sum /= (double)classes;
        for (size_t k = 0; k < classes; k++) {
            values[k * size + j] -= sum;
        }
    }
}

static void invert(void *context, size_t which, const double *from, double *to) {
    const descent *s = context;
    size_t D = s->dense->size;
    size_t rows = s->dense->rows;
    for (size_t r = 0; r < rows; r++) {
        lp_precondition(&s->preconditioner, which * rows + r, from + r * D, to + r * D);
    }
    if (s->dense->loss == LP_LOSS_SOFTMAX) {
        centre_classes(to, rows, D);
    }
}

static lp_status choose_direction(void *context, size_t which, size_t worker, lp_error *err) {
    descent *s = context;
    model *m = &s->models[which];
    size_t size = s->dense->rows * s->dense->size;
    size_t first = which * size;
    (void)worker;
    (void)err;
    if (m->state != RUNNING) {
        return LP_OK;
    }
    if (m->tries == 0) {
        lp_lbfgs_direction(s->memory, which, s->here.gradient + first, invert, s,
                           s->direction + first, s->scratch + first);
        m->slope = lp_dot(s->here.gradient + first, s->direction + first, size);
        m->step = 1;
    }
    for (size_t j = first; j < first + size; j++) {
        s->trial[j] = s->parameters[j] + m->step * s->direction[j];
    }
    return LP_OK;
}

static double gap_tolerance(const lp_problem *problem) {
    return GAP_SHARE * problem->tolerance * problem->tolerance;
}

/* What settle_intercepts will make of the bound: it need not be waited for in float32. */
static double expected_excess(const descent *s, size_t which) {
    const lp_dense *dense = s->dense;
    size_t D = dense->size;
    double sum = 0;
    for (size_t k = which * dense->rows; k < (which + 1) * dense->rows; k++) {
        const double *g = s->here.gradient + k * D;
        double bend = dense->penalty > 0 ? 1 : s->C * s->here.weight[k];
        sum += lp_dot(g, g, D - 1) + g[D - 1] * g[D - 1] / bend;
    }
    return 0.5 * sum;
}

/* Whether a bound on value - optimum ends a model's descent. */
static bool meets(const descent *s, const model *m, double excess) {
    double tolerance = s->dense->problem->tolerance;
    double floor = m->value - excess; /* the optimum is at least this */
    return (m->norm <= tolerance * m->start_gradient && excess <= tolerance * floor) ||
           excess <= gap_tolerance(s->dense->problem) * floor;
}

/* What here's value and gradient say of a model. */
static void judge(descent *s, size_t which) {
    model *m = &s->models[which];
    const lp_problem *problem = s->dense->problem;
    size_t size = s->dense->rows * s->dense->size;
    const double *g = s->here.gradient + which * size;
    double noise = s->wide ? WIDE_NOISE : NARROW_NOISE;
    m->value = s->here.value[which];
    m->norm = sqrt(lp_dot(g, g, size));
    m->excess = lp_dense_excess(s->dense, s->C, which, s->parameters, m->value, s->here.gradient);
    m->stale++;
    if (m->norm < 0.9 * m->best_norm || m->value < m->best_value - noise * fabs(m->value)) {
        m->best_norm = fmin(m->norm, m->best_norm);
        m->best_value = fmin(m->value, m->best_value);
        m->stale = 0;
    }
    if (meets(s, m, s->wide ? m->excess : expected_excess(s, which))) {
        m->state = FINISHED;
    } else if (m->iterations >= problem->max_iterations) {
        m->state = LIMITED;
    } else if (m->stale > (s->wide ? WIDE_PATIENCE : NARROW_PATIENCE) || !isfinite(m->value)) {
        m->state = STUCK;
    }
    if (!s->wide && m->state != RUNNING) {
        m->state = WAITING;
    }
}

static bool good_enough(const descent *s, const model *m, double value, double slope) {
    double noise = (s->wide ? WIDE_NOISE : NARROW_NOISE) * fabs(m->value);
    return value <= m->value + 1e-4 * m->step * m->slope ||
           (value <= m->value + noise && slope <= 0.8 * fabs(m->slope));
}

static void accept(descent *s, size_t which, bool curvature) {
    const lp_dense *dense = s->dense;
    model *m = &s->models[which];
    size_t size = dense->rows * dense->size;
    size_t first = which * size;
    double *g = s->here.gradient + first;
    double *step = s->direction + first;
    for (size_t j = 0; j < size; j++) {
        step[j] = s->trial[first + j] - s->parameters[first + j];
        g[j] = s->there.gradient[first + j] - g[j]; /* the change, for a moment */
    }
    lp_lbfgs_learn(s->memory, which, step, g);
    memcpy(g, s->there.gradient + first, size * sizeof *g);
    memcpy(s->parameters + first, s->trial + first, size * sizeof *g);
    s->here.value[which] = s->there.value[which];
    if (curvature) {
        size_t F = dense->problem->width;
        memcpy(s->here.weight + which * dense->rows, s->there.weight + which * dense->rows,
               dense->rows * sizeof *g);
        memcpy(s->here.centres + which * dense->rows * F,
               s->there.centres + which * dense->rows * F, dense->rows * F * sizeof *g);
    }
    m->tries = 0;
    m->iterations++;
}

/* A shorter step: where the parabola through f, the slope and f at the trial has its minimum. */
static void shorten(descent *s, model *m, double value) {
    double bend = value - m->value - m->step * m->slope;
    double factor = isfinite(bend) && bend > 0 ? -0.5 * m->step * m->slope / bend : 0.1;
    m->step *= fmin(0.5, fmax(0.1, factor));
    m->tries++;
    if (m->tries > (s->wide ? WIDE_TRIES : NARROW_TRIES)) {
        m->state = s->wide ? STUCK : WAITING;
    }
}

/* One round for the running models. */
static lp_status advance(descent *s, bool curvature, lp_error *err) {
    const lp_dense *dense = s->dense;
    size_t size = dense->rows * dense->size;
    for (size_t i = 0; i < dense->models; i++) {
        s->chosen[i] = s->models[i].state == RUNNING;
    }
    lp_status status;
    LP_TRY(lp_parallel_for(dense->problem->threads, dense->models, choose_direction, s, err));
    LP_TRY(lp_dense_evaluate(dense, dense->pass, s->C, s->trial, s->chosen, s->wide,
                             curvature ? LP_EXTRA_CURVATURE : LP_EXTRA_NONE, &s->evaluation_scratch,
                             &s->there, err));
    for (size_t i = 0; i < dense->models; i++) {
        model *m = &s->models[i];
        if (!s->chosen[i]) {
            continue;
        }
        double slope = lp_dot(s->there.gradient + i * size, s->direction + i * size, size);
        if (good_enough(s, m, s->there.value[i], slope)) {
            accept(s, i, curvature);
            judge(s, i);
        } else {
            shorten(s, m, s->there.value[i]);
        }
    }
done:
    return status;
}

/* Evaluates every model at its parameters, and judges it. */
static lp_status evaluate_all(descent *s, lp_extra extra, lp_error *err) {
    for (size_t i = 0; i < s->dense->models; i++) {
        model *m = &s->models[i];
        s->chosen[i] = true;
        m->state = RUNNING;
        m->tries = 0;
        m->stale = 0;
        m->best_norm = INFINITY;
        m->best_value = INFINITY;
    }
    lp_status status = lp_dense_evaluate(s->dense, s->dense->pass, s->C, s->parameters, s->chosen,
                                         s->wide, extra, &s->evaluation_scratch, &s->here, err);
    for (size_t i = 0; status == LP_OK && i < s->dense->models; i++) {
        judge(s, i);
    }
    return status;
}

/* A Newton step in the intercepts of softmax alone, whose second derivative is C coupling =
 * C sum_i [diag(p_i) - p_i p_i'], from here's coupling, which is overwritten.  values: [2 K]. */
static lp_status step_intercepts(descent *s, double *values, lp_error *err) {
    size_t K = s->dense->problem->classes;
    size_t D = s->dense->size;
    double *vectors = s->here.coupling; /* one a row */
    double *step = values + K;
    lp_status status = lp_eigen_symmetric(vectors, K, values, err);
    if (status != LP_OK) {
        return status;
    }
    memset(step, 0, K * sizeof *step);
    for (size_t v = 0; v < K; v++) {
        double product = 0;
        for (size_t k = 0; k < K; k++) {
            product += vectors[v * K + k] * s->here.gradient[k * D + D - 1];
        }
        /* along (1, ..., 1) there is neither curvature nor gradient */
        double share = values[v] > 1e-10 * values[K - 1] ? product / (s->C * values[v]) : 0;
        for (size_t k = 0; k < K; k++) {
            step[k] -= share * vectors[v * K + k];
        }
    }
    for (size_t k = 0; k < K; k++) {
        s->parameters[k * D + D - 1] += step[k];
    }
    return LP_OK;
}

/* The first evaluation in float64 for softmax, after a Newton step in the intercepts: their
 * gradient enters the bound on the gap at first order (dense_objective.c), and the step squares it.
 * For a loose tolerance a pass in float32 tells the step well enough; where not, a second one is
 * made. */
static lp_status settle_intercepts(descent *s, lp_error *err) {
    enum { MOST_CLASSES = 2048 };
    size_t K = s->dense->problem->classes;
    size_t D = s->dense->size;
    if (K > MOST_CLASSES || meets(s, &s->models[0], s->models[0].excess)) {
        s->wide = true;
        lp_status status = evaluate_all(s, LP_EXTRA_NONE, err);
        if (status != LP_OK || K > MOST_CLASSES || s->models[0].state == FINISHED) {
            return status;
        }
    }
    double *vectors = lp_alloc(K, K * sizeof *vectors);
    double *values = lp_alloc(K, 2 * sizeof *values);
    lp_status status = LP_OK;
    if (vectors == NULL || values == NULL) {
        status = lp_fail_memory(err, "intercepts", K, K * sizeof *vectors);
        goto done;
    }
    s->here.coupling = vectors;
    s->wide = s->wide || s->dense->problem->tolerance < NARROW_TOLERANCE;
    LP_TRY(evaluate_all(s, LP_EXTRA_COUPLING, err));
    bool last = s->wide;
    while (!(s->wide && s->models[0].state == FINISHED)) {
        double before = s->models[0].value;
        double noise = s->wide ? WIDE_NOISE : NARROW_NOISE;
        lp_extra extra = last ? LP_EXTRA_NONE : LP_EXTRA_COUPLING;
        memcpy(s->trial, s->parameters, K * D * sizeof *s->trial);
        LP_TRY(step_intercepts(s, values, err));
        s->wide = true;
        LP_TRY(evaluate_all(s, extra, err));
        if (!(s->models[0].value <= before * (1 + noise))) {
            memcpy(s->parameters, s->trial, K * D * sizeof *s->trial);
            LP_TRY(evaluate_all(s, extra, err));
        }
        if (last) {
            break;
        }
        last = true;
    }
done:
    s->here.coupling = NULL;
    lp_free(vectors);
    lp_free(values);
    return status;
}

static void fill_report(const descent *s, lp_fit_report *report) {
    const lp_problem *problem = s->dense->problem;
    double excess = 0;
    size_t stuck = 0;
    size_t models = s->dense->models;
    report->objective = report->gradient = 0;
    report->iterations = report->not_converged = 0;
    for (size_t i = 0; i < models; i++) {
        const model *m = &s->models[i];
        double gradient = m->start_gradient > 0 ? m->norm / m->start_gradient : 0;
        report->objective += m->value;
        report->gradient = fmax(report->gradient, gradient);
        report->iterations =
            m->iterations > report->iterations ? m->iterations : report->iterations;
        report->not_converged += m->state != FINISHED;
        stuck += m->state == STUCK;
        excess += m->excess;
    }
    double floor = report->objective - excess;
    report->gap = floor > 0 ? excess / floor : -1;
    report->passes = s->evaluation_scratch.passes;
    report->converged = report->not_converged == 0;
    size_t room = sizeof report->stopped_by;
    if (report->converged) {
        bool by_gradient = report->gradient <= problem->tolerance;
        (void)snprintf(report->stopped_by, room, "%s at most %.3g%s",
                       by_gradient ? "|g|/|g(0)| and bound on the gap" : "bound on the gap",
                       by_gradient ? problem->tolerance : gap_tolerance(problem),
                       models > 1 && !by_gradient ? ", or |g|/|g(0)| at most the tolerance" : "");
    } else if (models > 1) {
        (void)snprintf(report->stopped_by, room,
                       "%zu of %zu classes not converged: %zu by the limit of %zu iterations, "
                       "%zu by rounding",
                       report->not_converged, models, report->not_converged - stuck,
                       problem->max_iterations, stuck);
    } else {
        (void)snprintf(report->stopped_by, room, "%s",
                       stuck > 0 ? "no further descent in float64" : "iteration limit");
    }
    if (models == 1) {
        report->not_converged = 0; /* counts classes, one-vs-rest */
    }
}

static size_t count_running(const descent *s) {
    size_t running = 0;
    for (size_t i = 0; i < s->dense->models; i++) {
        running += s->models[i].state == RUNNING;
    }
    return running;
}

static bool report_round(const descent *s, size_t round, lp_reporter *reporter) {
    lp_fit_report now;
    fill_report(s, &now);
    size_t running = count_running(s);
    if (s->dense->models == 1) {
        return lp_report_step(reporter, 0,
                              "iteration %zu: objective %.8g, |g|/|g(0)| %.3g, gap %.3g", round,
                              now.objective, now.gradient, now.gap);
    }
    return lp_report_step(reporter, 0, "iteration %zu: %zu of %zu classes left, objective %.8g",
                          round, running, s->dense->models, now.objective);
}

/* Nothing is left to do in this precision: in float32 what there is is judged in float64. */
static lp_status judge_in_float64(descent *s, lp_error *err) {
    if (s->dense->loss == LP_LOSS_SOFTMAX) {
        return settle_intercepts(s, err);
    }
    s->wide = true;
    return evaluate_all(s, LP_EXTRA_NONE, err);
}

static lp_status minimise(descent *s, lp_reporter *reporter, lp_error *err) {
    size_t refresh = 4; /* the round after which curvature is taken anew */
    size_t rounds = 0;
    lp_status status;
    LP_TRY(evaluate_all(s, LP_EXTRA_CURVATURE, err));
    while (count_running(s) > 0 || !s->wide) {
        if (count_running(s) == 0) {
            LP_TRY(judge_in_float64(s, err));
            continue;
        }
        rounds++;
        bool curvature = rounds == refresh;
        refresh = curvature ? 2 * refresh + 4 : refresh;
        LP_TRY(advance(s, curvature, err));
        if (!report_round(s, rounds, reporter)) {
            status = lp_fail(err, LP_CANCELLED, "fit cancelled");
            goto done;
        }
    }
done:
    return status;
}

lp_status lp_descend(const lp_dense *dense, double C, double *parameters, lp_fit_report *report,
                     lp_reporter *reporter, lp_error *err) {
    descent s;
    lp_status status;
    LP_TRY(descent_init(&s, dense, C, parameters, err));
    if (dense->loss == LP_LOSS_SOFTMAX) {
        centre_classes(parameters, dense->rows, dense->size);
    }
    for (size_t i = 0; i < dense->models; i++) {
        s.models[i].start_gradient = lp_dense_gradient_at_zero(dense, C, i);
    }
    LP_TRY(minimise(&s, reporter, err));
    fill_report(&s, report);
done:
    descent_clear(&s);
    return status;
}
