/* Minimising the dense objectives, for all models side by side, by L-BFGS round the preconditioner
 * of curvature.c, or by Newton's directions where they pay (newton.c).  One round evaluates, in one
 * pass over the data, every model that is not finished, each at its own trial point:
 *
 *     direction d, step 1 first
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
 * L-BFGS's weights and centres are taken anew at the first point and after 4, 12, 28, 60 ...
 * rounds, as p settles; each time, if L-BFGS is slow, it is asked whether Newton's directions pay;
 * a warm start asks at once.  They start on a path to C (path.c), and only a model that is there is
 * judged.
 *
 * A model is finished when |g| <= tolerance |g(0)| and the bound on the gap, (f - optimum) /
 * optimum (dense_objective.c), is at most tolerance; or when that bound is at most 1000
 * tolerance^2.  The gradient alone proves little where C is large: |g(0)| grows with C, the optimum
 * hardly.
 *
 * Longer than 600 lines: both kinds of directions share one state and one line search. */
#include "probe/descent.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/team.h"
#include "math/linalg.h"
#include "probe/blocks.h"
#include "probe/lbfgs.h"
#include "probe/newton.h"
#include "probe/path.h"

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
    WIDE_PATIENCE = 60,

    FIRST_RENEWAL = 4, /* the round after which L-BFGS's curvature is taken anew */
    LATE = 28,         /* rounds that a warm L-BFGS has where blocks are dear */

    MOST_SETTLED = 8 /* Newton steps in the intercepts, in float64 */
};
/* The gap goes with |g|^2, so its own rule is this times tolerance^2: 1e-9 at the default 1e-6. */
static const double GAP_SHARE = 1000;
/* Relative error that rounding leaves in f: about 2^-24 of the logits in float32; in float64 2^-53
 * and what the sums over the examples add to it. */
static const double NARROW_NOISE = 5e-8;
static const double WIDE_NOISE = 1e-13;
/* Share of f below which what a Newton step promises may be rounding in float32. */
static const double NARROW_LIMIT = 1e-6;
/* A bound by which the optimum may be less than this share of the value says nothing. */
static const double LEAST_FLOOR = 1e-3;
/* After 4 rounds from the starting point, |g| / |g(0)| was 0.003 to 0.04 on clouds of one
 * covariance, for which L-BFGS took fewest passes, and 0.1 to 0.17 on real features, which took it
 * 250 and more: C from 0.316 to 1,000, 1,600 to 50,000 rows. */
static const double SLOW = 0.3;
/* Passes that the blocks may cost: of few rows of many features they cost more than L-BFGS needs.
 */
static const double MOST_PASSES = 60, FEW_PASSES = 5;
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

/* Of a class's mean p (1 - p), what an entry of the second derivative must exceed at C itself. */
static const double FINE_SHARE = 0.01;

typedef struct model {
    model_state state;
    double value;
    double start_gradient; /* |g(0)| */
    double norm;           /* |g| */
    double excess;         /* bound on value - optimum */
    double slope;          /* g.d */
    double step;
    size_t tries, iterations;
    double best_norm; /* for the patience */
    double best_value;
    size_t stale;
    size_t settled; /* Newton steps in the intercepts */
    size_t whole;   /* Newton steps of length 1 in a row, at one C */
} model;

typedef struct descent {
    lp_memory memory; /* that the arrays below lie in */
    const lp_dense *dense;
    double C;
    lp_evaluator evaluator;
    double *parameters, *trial, *direction, *scratch; /* [K, D] */
    model *models;
    lp_objective here;  /* at parameters */
    lp_objective there; /* at trial */
    lp_preconditioner preconditioner;
    lp_lbfgs lbfgs;
    lp_newton *newton;        /* NULL: the directions are L-BFGS's */
    double mark, marked_work; /* what was to do, in decades, when `marked_work` passes were done */
    double pace;              /* passes that a decade took; 0: not known yet */
    bool *wanted;             /* [models] to get a direction of Newton's */
    double *accuracy;         /* [models] */
    double work;              /* of Newton's directions, in passes */
} descent;

static lp_status descent_init(descent *s, const lp_dense *dense, double C, double *parameters,
                              lp_error *err) {
    size_t K = dense->problem->classes, D = dense->size;
    size_t depth = MEMORY / (2 * sizeof(double) * D) / K;
    depth = depth > DEPTH ? DEPTH : depth < LEAST_DEPTH ? LEAST_DEPTH : depth;
    memset(s, 0, sizeof *s);
    s->dense = dense;
    s->C = C;
    s->mark = INFINITY;
    s->parameters = parameters;
    s->trial = lp_memory_take(&s->memory, K, D * sizeof *s->trial);
    s->direction = lp_memory_take_zeroed(&s->memory, K, D * sizeof *s->direction);
    s->scratch = lp_memory_take(&s->memory, K, D * sizeof *s->scratch);
    s->models = lp_memory_take_zeroed(&s->memory, dense->models, sizeof *s->models);
    s->wanted = lp_memory_take(&s->memory, dense->models, sizeof *s->wanted);
    s->accuracy = lp_memory_take(&s->memory, dense->models, sizeof *s->accuracy);
    s->evaluator = lp_evaluator_make(dense, dense->pass, C, &s->memory);
    s->here = lp_objective_make(dense, &s->memory);
    s->there = lp_objective_make(dense, &s->memory);
    s->preconditioner = (lp_preconditioner){.basis = &dense->basis,
                                            .C = C,
                                            .scale = dense->scale,
                                            .penalty = dense->penalty,
                                            .weight = s->here.weight,
                                            .centres = s->here.centres};
    s->lbfgs = lp_lbfgs_make(dense->models, dense->rows * D, depth, &s->memory);
    return lp_memory_check(&s->memory, "fit", err);
}

static void invert(void *context, size_t which, const double *from, double *to) {
    const descent *s = context;
    size_t D = s->dense->size, rows = s->dense->rows;
    for (size_t r = 0; r < rows; r++) {
        lp_precondition(&s->preconditioner, which * rows + r, from + r * D, to + r * D);
    }
    if (s->dense->loss == LP_LOSS_SOFTMAX) {
        lp_centre_classes(to, rows, D);
    }
}

static void set_trial(descent *s, size_t which) {
    size_t size = s->dense->rows * s->dense->size, first = which * size;
    for (size_t j = first; j < first + size; j++) {
        s->trial[j] = s->parameters[j] + s->models[which].step * s->direction[j];
    }
}

/* A new direction of model `which` is there. */
static void start_search(descent *s, size_t which) {
    size_t size = s->dense->rows * s->dense->size, first = which * size;
    model *m = &s->models[which];
    m->slope = lp_dot(s->here.gradient + first, s->direction + first, size);
    m->step = 1;
}

static lp_status choose_direction(void *context, size_t which, size_t worker, lp_error *err) {
    descent *s = context;
    const model *m = &s->models[which];
    size_t size = s->dense->rows * s->dense->size, first = which * size;
    (void)worker;
    (void)err;
    if (m->state == RUNNING && m->tries == 0) {
        lp_lbfgs_direction(&s->lbfgs, which, s->here.gradient + first, invert, s,
                           s->direction + first, s->scratch + first);
        start_search(s, which);
    }
    return LP_OK;
}

/* How exactly the next Newton equations are solved: the better, the closer to the optimum their
 * quadratic model holds. */
static double accuracy_of(const model *m) {
    return m->whole == 0 ? 0.3 : 0.1;
}

/* Which entries of the second derivative are kept.  On the way to C a rough one is good enough. */
static double share_of(const descent *s) {
    bool there = true;
    for (size_t i = 0; i < s->dense->models; i++) {
        there = there && s->evaluator.C[i] == s->C;
    }
    return there ? FINE_SHARE : LP_NEWTON_SHARE;
}

static lp_status choose_newton_directions(descent *s, lp_error *err) {
    const lp_newton_point at = {s->wanted, s->evaluator.C, s->here.weight, s->here.gradient,
                                s->accuracy};
    size_t wanted = 0;
    lp_status status = LP_OK;
    for (size_t i = 0; i < s->dense->models; i++) {
        s->wanted[i] = s->models[i].state == RUNNING && s->models[i].tries == 0;
        s->accuracy[i] = accuracy_of(&s->models[i]);
        wanted += s->wanted[i];
    }
    if (wanted > 0) {
        LP_TRY(lp_newton_direction(s->newton, &at, s->direction, &s->work, err));
    }
    for (size_t i = 0; i < s->dense->models; i++) {
        if (s->wanted[i]) {
            start_search(s, i);
        }
    }
done:
    return status;
}

static double noise_of(const descent *s) {
    return s->evaluator.wide ? WIDE_NOISE : NARROW_NOISE;
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
        double bend = dense->penalty > 0 ? 1 : s->evaluator.C[which] * s->here.weight[k];
        sum += lp_dot(g, g, D - 1) + g[D - 1] * g[D - 1] / bend;
    }
    return 0.5 * sum;
}

/* Whether a bound on value - optimum ends a model's descent. */
static bool meets(const descent *s, size_t which, double excess) {
    const model *m = &s->models[which];
    if (s->evaluator.C[which] != s->C) {
        return false; /* on the way to C */
    }
    double tolerance = s->dense->problem->tolerance;
    double floor = m->value - excess; /* the optimum is at least this */
    return (m->norm <= tolerance * m->start_gradient && excess <= tolerance * floor) ||
           excess <= gap_tolerance(s->dense->problem) * floor;
}

/* What here's value and gradient say of a model. */
static void judge(descent *s, size_t which) {
    model *m = &s->models[which];
    size_t size = s->dense->rows * s->dense->size;
    const double *g = s->here.gradient + which * size;
    bool wide = s->evaluator.wide;
    double noise = noise_of(s);
    m->value = s->here.value[which];
    m->norm = sqrt(lp_dot(g, g, size));
    m->excess = lp_dense_excess(s->dense, s->evaluator.C[which], which, s->parameters, m->value,
                                s->here.gradient);
    m->stale++;
    if (m->norm < 0.9 * m->best_norm || m->value < m->best_value - noise * fabs(m->value)) {
        m->best_norm = fmin(m->norm, m->best_norm);
        m->best_value = fmin(m->value, m->best_value);
        m->stale = 0;
    }
    if (wide && meets(s, which, m->excess)) {
        m->state = FINISHED;
    } else if (meets(s, which, expected_excess(s, which)) && m->settled < MOST_SETTLED) {
        m->state = WAITING;
        m->settled += wide;
    } else if (m->iterations >= s->dense->problem->max_iterations) {
        m->state = LIMITED;
    } else if (m->stale > (wide ? WIDE_PATIENCE : NARROW_PATIENCE) || !isfinite(m->value)) {
        m->state = STUCK;
    }
    if (!wide && m->state != RUNNING) {
        m->state = WAITING;
    }
}

static bool good_enough(const descent *s, const model *m, double value, double slope) {
    double noise = noise_of(s) * fabs(m->value);
    return value <= m->value + 1e-4 * m->step * m->slope ||
           (value <= m->value + noise && slope <= 0.8 * fabs(m->slope));
}

static void accept(descent *s, size_t which, lp_extra extra) {
    const lp_dense *dense = s->dense;
    model *m = &s->models[which];
    size_t size = dense->rows * dense->size, first = which * size;
    double *g = s->here.gradient + first;
    double *step = s->direction + first;
    for (size_t j = 0; j < size; j++) {
        step[j] = s->trial[first + j] - s->parameters[first + j];
        g[j] = s->there.gradient[first + j] - g[j]; /* the change, for a moment */
    }
    if (s->newton == NULL) {
        lp_lbfgs_learn(&s->lbfgs, which, step, g);
    }
    m->whole = m->tries == 0 ? m->whole + 1 : 0;
    memcpy(g, s->there.gradient + first, size * sizeof *g);
    memcpy(s->parameters + first, s->trial + first, size * sizeof *g);
    s->here.value[which] = s->there.value[which];
    size_t rows = dense->rows, own = which * rows, F = dense->problem->width;
    if (extra != LP_EXTRA_NONE) {
        memcpy(s->here.weight + own, s->there.weight + own, rows * sizeof *g);
    }
    if (extra == LP_EXTRA_CURVATURE) {
        memcpy(s->here.centres + own * F, s->there.centres + own * F, rows * F * sizeof *g);
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
    if (m->tries > (s->evaluator.wide ? WIDE_TRIES : NARROW_TRIES)) {
        m->state = s->evaluator.wide ? STUCK : WAITING;
    }
}

/* Moves a model along the path to C (path.c).  `first`: also back. */
static void choose_C(descent *s, size_t which, bool first) {
    model *m = &s->models[which];
    size_t first_row = which * s->dense->rows;
    double *C = &s->evaluator.C[which], before = *C;
    lp_path_choose(s->dense, s->C, first, s->parameters + first_row * s->dense->size, C,
                   &s->here.value[which], s->here.gradient + first_row * s->dense->size);
    if (*C != before) {
        m->whole = 0;
        m->best_norm = m->best_value = INFINITY;
    }
}

/* Newton's steps are too dear to be tried again and again where float32 has no more to give: what
 * a step promises is less than the rounding of the value, and the gradient does not fall. */
static void leave_float32(const descent *s, model *m, bool stalled) {
    if (s->newton != NULL && !s->evaluator.wide && m->state == RUNNING && stalled &&
        fabs(m->slope) < NARROW_LIMIT * m->value) {
        m->state = WAITING;
    }
}

/* One round for the running models. */
static lp_status advance(descent *s, bool curvature, lp_error *err) {
    const lp_dense *dense = s->dense;
    size_t size = dense->rows * dense->size;
    lp_extra extra = s->newton != NULL ? LP_EXTRA_ENTRIES
                     : curvature       ? LP_EXTRA_CURVATURE
                                       : LP_EXTRA_NONE;
    lp_status status;
    if (s->newton != NULL) {
        LP_TRY(choose_newton_directions(s, err));
    } else {
        LP_TRY(lp_parallel_for(dense->problem->threads, dense->models, choose_direction, s, err));
    }
    for (size_t i = 0; i < dense->models; i++) {
        s->evaluator.chosen[i] = s->models[i].state == RUNNING;
        if (s->evaluator.chosen[i]) {
            set_trial(s, i);
        }
    }
    s->evaluator.share = share_of(s);
    LP_TRY(lp_evaluate(&s->evaluator, s->trial, extra, &s->there, err));
    for (size_t i = 0; i < dense->models; i++) {
        model *m = &s->models[i];
        if (!s->evaluator.chosen[i]) {
            continue;
        }
        double slope = lp_dot(s->there.gradient + i * size, s->direction + i * size, size);
        double before = m->norm;
        if (good_enough(s, m, s->there.value[i], slope)) {
            accept(s, i, extra);
            if (s->newton != NULL) {
                choose_C(s, i, false);
            }
            judge(s, i);
            leave_float32(s, m, m->norm > 0.5 * before);
        } else {
            shorten(s, m, s->there.value[i]);
            leave_float32(s, m, true);
        }
    }
done:
    return status;
}

/* Evaluates every model at its parameters, and judges it. */
static lp_status evaluate_all(descent *s, lp_extra extra, lp_error *err) {
    for (size_t i = 0; i < s->dense->models; i++) {
        model *m = &s->models[i];
        s->evaluator.chosen[i] = true;
        m->state = RUNNING;
        m->tries = 0;
        m->stale = 0;
        m->best_norm = INFINITY;
        m->best_value = INFINITY;
    }
    lp_status status = lp_evaluate(&s->evaluator, s->parameters, extra, &s->here, err);
    for (size_t i = 0; status == LP_OK && i < s->dense->models; i++) {
        judge(s, i);
    }
    return status;
}

/* The first evaluation in float64 for softmax, after a Newton step in the intercepts: their
 * gradient enters the bound on the gap at first order (dense_objective.c), and the step squares it.
 * For a loose tolerance a step from a pass in float32 is good enough; where not, a second one is
 * made. */
static lp_status settle_intercepts(descent *s, lp_error *err) {
    enum { MOST_CLASSES = 2048 };
    size_t K = s->dense->problem->classes, D = s->dense->size;
    lp_extra plain = s->newton != NULL ? LP_EXTRA_ENTRIES : LP_EXTRA_NONE;
    bool *wide = &s->evaluator.wide;
    lp_memory memory = {0};
    lp_status status;
    if (K > MOST_CLASSES || meets(s, 0, s->models[0].excess)) {
        *wide = true;
        LP_TRY(evaluate_all(s, plain, err));
        if (K > MOST_CLASSES || s->models[0].state == FINISHED) {
            goto done;
        }
    }
    s->here.coupling = lp_memory_take(&memory, K, K * sizeof *s->here.coupling);
    double *values = lp_memory_take(&memory, K, 2 * sizeof *values);
    LP_TRY(lp_memory_check(&memory, "intercepts", err));
    *wide = *wide || s->dense->problem->tolerance < NARROW_TOLERANCE;
    LP_TRY(evaluate_all(s, LP_EXTRA_COUPLING, err));
    bool last = *wide;
    while (!(*wide && s->models[0].state == FINISHED)) {
        double before = s->models[0].value, noise = noise_of(s);
        lp_extra extra = last ? plain : LP_EXTRA_COUPLING;
        memcpy(s->trial, s->parameters, K * D * sizeof *s->trial);
        LP_TRY(lp_step_intercepts(s->dense, s->C, s->here.coupling, s->here.gradient, s->parameters,
                                  values, err));
        *wide = true;
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
    lp_memory_free(&memory);
    return status;
}

static void fill_report(const descent *s, lp_fit_report *report) {
    const lp_problem *problem = s->dense->problem;
    double excess = 0;
    size_t stuck = 0, models = s->dense->models;
    report->objective = report->gradient = 0;
    report->iterations = report->not_converged = 0;
    for (size_t i = 0; i < models; i++) {
        const model *m = &s->models[i];
        double gradient = m->start_gradient > 0 ? m->norm / m->start_gradient : 0;
        report->objective += lp_dense_factor(s->dense) * m->value;
        report->gradient = fmax(report->gradient, gradient);
        report->iterations =
            m->iterations > report->iterations ? m->iterations : report->iterations;
        report->not_converged += m->state != FINISHED;
        stuck += m->state == STUCK;
        excess += lp_dense_factor(s->dense) * m->excess;
    }
    double floor = report->objective - excess;
    report->gap = floor > LEAST_FLOOR * report->objective ? excess / floor : -1;
    report->passes = s->evaluator.passes + (size_t)ceil(s->work);
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

static size_t count_waiting(const descent *s) {
    size_t waiting = 0;
    for (size_t i = 0; i < s->dense->models; i++) {
        waiting += s->models[i].state == WAITING;
    }
    return waiting;
}

/* By how many decades the bound on the gap and the gradient have to fall still; of the model that
 * is farthest.  Infinite on the way to C. */
static double decades_left(const descent *s) {
    double tolerance = s->dense->problem->tolerance, most = 0;
    for (size_t i = 0; i < s->dense->models; i++) {
        const model *m = &s->models[i];
        double gap = m->value > 0 ? m->excess / m->value : 0;
        double gradient = m->start_gradient > 0 ? m->norm / m->start_gradient : 0;
        double both = fmax(gap, gradient) / tolerance;
        double left = log10(fmin(both, gap / gap_tolerance(s->dense->problem)));
        if (m->state == RUNNING || m->state == WAITING) {
            most = fmax(most, s->evaluator.C[i] == s->C ? left : INFINITY);
        }
    }
    return most;
}

/* A guess of how many passes there will be, if each decade takes what the last one took; 0: none.
 */
static size_t guess_passes(descent *s, size_t passes) {
    double left = decades_left(s), done = (double)passes;
    double fallen = s->mark - left, work = done - s->marked_work;
    if (!isfinite(fallen)) {
        s->pace = 0;
    } else if (fallen >= 0.5) {
        s->pace = work / fallen;
    }
    if (!isfinite(fallen) || fallen >= 1) {
        s->mark = left;
        s->marked_work = done;
    }
    return s->pace > 0 ? passes + (size_t)fmin(ceil(left * s->pace), 1e9) + 1 : 0;
}

/* Reports; LP_CANCELLED where the caller of any rank wants to stop. */
static lp_status report_round(descent *s, lp_reporter *reporter, lp_error *err) {
    bool stop;
    char gap[32] = "–", of[48] = ""; /* –: the bound says nothing */
    lp_fit_report now;
    fill_report(s, &now);
    if (now.gap >= 0) {
        (void)snprintf(gap, sizeof gap, "%.3g", now.gap);
    }
    if (s->dense->models > 1) {
        (void)snprintf(of, sizeof of, ", %zu of %zu classes left", count_running(s),
                       s->dense->models);
    }
    bool go_on = lp_report_step(
        reporter, now.passes, guess_passes(s, now.passes),
        "iteration %zu, objective %.8g, gap at most %s%s, |g|/|g(0)| %.3g, %zu passes",
        now.iterations, now.objective, gap, of, now.gradient, now.passes);
    lp_status status = lp_team_any(!go_on, &stop, err);
    return status == LP_OK && stop ? lp_fail(err, LP_CANCELLED, "fit cancelled") : status;
}

/* Nothing is left to do in this precision: in float32 what there is is judged in float64. */
static lp_status judge_in_float64(descent *s, lp_error *err) {
    if (s->dense->loss == LP_LOSS_SOFTMAX) {
        return settle_intercepts(s, err);
    }
    s->evaluator.wide = true;
    return evaluate_all(s, s->newton != NULL ? LP_EXTRA_ENTRIES : LP_EXTRA_NONE, err);
}

/* What is a good start at the present C. */
static lp_status start_again(descent *s, lp_error *err) {
    lp_status status;
    LP_TRY(lp_starting_point(s->dense, s->evaluator.C[0], s->parameters, err));
    lp_centre_classes(s->parameters, s->dense->rows, s->dense->size);
done:
    return status;
}

/* Turns to Newton's directions where they pay: evaluates all models once more, with the entries of
 * the second derivative, and sets out on the path to C.  `cold`: from a starting point, because it
 * is nearer to a small C than what L-BFGS has come to. */
static lp_status turn_to_newton(descent *s, bool cold, lp_error *err) {
    bool pays;
    lp_status status;
    LP_TRY(lp_newton_pays(s->dense, s->parameters, &pays, s->here.weight, err));
    if (!pays) {
        goto done;
    }
    s->newton = lp_newton_new(s->dense, &s->memory);
    LP_TRY(lp_memory_check(&s->memory, "fit", err));
    s->evaluator.entries = lp_newton_entries(s->newton);
    s->evaluator.weight = s->here.weight;
    cold = cold && s->dense->models == 1;
    if (cold) {
        LP_TRY(start_again(s, err));
    }
    double before;
    do {
        before = s->evaluator.C[0];
        s->evaluator.share = LP_NEWTON_SHARE;
        LP_TRY(evaluate_all(s, LP_EXTRA_ENTRIES, err));
        for (size_t i = 0; i < s->dense->models; i++) {
            if (s->models[i].state == RUNNING) {
                choose_C(s, i, true);
                judge(s, i);
            }
        }
        cold = cold && s->evaluator.C[0] < 0.5 * before;
        if (cold) { /* the path starts far below C */
            LP_TRY(start_again(s, err));
        }
    } while (cold);
done:
    return status;
}

/* Whether L-BFGS has come less far in these rounds than it does where one covariance serves all
 * classes: the mean of |g| / |g(0)| over the models that it works on is above SLOW / rounds. */
static bool is_slow(const descent *s, size_t rounds) {
    double sum = 0, count = 0;
    for (size_t i = 0; i < s->dense->models; i++) {
        const model *m = &s->models[i];
        if (m->state == RUNNING && m->start_gradient > 0) {
            sum += m->norm / m->start_gradient;
            count++;
        }
    }
    return sum * (double)rounds > SLOW * count;
}

/* Whether to ask if Newton's directions pay.  A warm start does not tell whether L-BFGS will be
 * slow: it asks at once where blocks cost little, and else when L-BFGS has had LATE rounds. */
static bool may_pay(const descent *s, bool warm, size_t rounds) {
    double passes = lp_blocks_passes(s->dense);
    if (passes > MOST_PASSES) {
        return false;
    }
    return warm ? passes <= FEW_PASSES || rounds >= LATE : rounds > 0 && is_slow(s, rounds);
}

static lp_status minimise(descent *s, bool warm, lp_reporter *reporter, lp_error *err) {
    size_t rounds = 0, refresh = FIRST_RENEWAL; /* the round after which curvature is taken anew */
    lp_status status;
    if (may_pay(s, warm, 0)) {
        LP_TRY(turn_to_newton(s, false, err));
    }
    if (s->newton == NULL) {
        LP_TRY(evaluate_all(s, LP_EXTRA_CURVATURE, err));
    }
    while (count_running(s) + count_waiting(s) > 0 || !s->evaluator.wide) {
        if (count_running(s) == 0) {
            LP_TRY(judge_in_float64(s, err));
            continue;
        }
        rounds++;
        bool curvature = rounds == refresh;
        refresh = curvature ? 2 * refresh + 4 : refresh;
        LP_TRY(advance(s, curvature, err));
        if (curvature && s->newton == NULL && may_pay(s, warm, rounds)) {
            LP_TRY(turn_to_newton(s, !warm && rounds == FIRST_RENEWAL, err));
        }
        LP_TRY(report_round(s, reporter, err));
    }
    status = report_round(s, reporter, err); /* as it ends, which is what is returned */
    if (status == LP_CANCELLED) {
        status = LP_OK; /* nothing is left to stop */
    }
done:
    return status;
}

lp_status lp_descend(const lp_dense *dense, double C, bool warm, double *parameters,
                     lp_fit_report *report, lp_reporter *reporter, lp_error *err) {
    descent s;
    lp_status status = LP_OK;
    LP_TRY(descent_init(&s, dense, C, parameters, err));
    if (!warm) {
        LP_TRY(lp_starting_point(dense, C, parameters, err));
    }
    if (dense->loss == LP_LOSS_SOFTMAX) {
        lp_centre_classes(parameters, dense->rows, dense->size);
    }
    for (size_t i = 0; i < dense->models; i++) {
        s.models[i].start_gradient = lp_dense_gradient_at_zero(dense, C, i);
    }
    LP_TRY(minimise(&s, warm, reporter, err));
    fill_report(&s, report);
done:
    lp_memory_free(&s.memory);
    return status;
}
