/* Where the dense solvers start when no earlier fit is at hand: at the classifier that would be
 * right if every class were a Gaussian cloud with the covariance S within the classes,
 *
 *     w_k = s (S + 1/(C a N))^-1 (m_k - m),   b_k = log odds of class k - w_k.(m + (m_k - m) / 2)
 *
 * with m_k the class means, m the mean, and 1/(C a N) what the penalty adds to S when each example
 * weighs a, its p (1 - p), in a class.  In the basis of curvature.c it costs K F operations.  The
 * strength a and the scale s are the best of a few on a small sample of the examples, which is a
 * fraction of one pass and saves five. */
#include "probe/starting_point.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "probe/lbfgs.h"

enum { SAMPLE = 1024, STRENGTH_COUNT = 3, SCALE_COUNT = 5 };

/* a K: p (1 - p) K is nearly 1 where all K classes are equally likely, and less for a model that is
 * surer. */
static const double STRENGTHS[STRENGTH_COUNT] = {0.1, 0.3, 1};
/* s: 0 leaves the classes' frequencies alone, 1 would be the discriminant itself. */
static const double SCALES[SCALE_COUNT] = {0, 0.35, 0.6, 0.85, 1.2};

typedef struct start_sample {
    lp_problem problem;
    float *x;
    int32_t *labels;
    lp_pass *pass;
} start_sample;

static lp_status sample_init(start_sample *s, const lp_dense *dense, lp_error *err) {
    const lp_problem *all = dense->problem;
    size_t F = all->width;
    size_t count = 8 * all->classes > SAMPLE ? 8 * all->classes : SAMPLE;
    count = count < all->count ? count : all->count;
    memset(s, 0, sizeof *s);
    s->x = lp_alloc(count, F * sizeof *s->x);
    s->labels = lp_alloc(count, sizeof *s->labels);
    if (s->x == NULL || s->labels == NULL) {
        return lp_fail_memory(err, "sample", count, F * sizeof *s->x);
    }
    for (size_t r = 0; r < count; r++) {
        size_t i = (size_t)((uint64_t)r * all->count / count);
        memcpy(s->x + r * F, all->x + i * F, F * sizeof *s->x);
        s->labels[r] = all->labels[i];
    }
    s->problem = *all;
    s->problem.count = count;
    s->problem.x = s->x;
    s->problem.labels = s->labels;
    return lp_pass_new(&s->problem, dense->loss, &s->pass, err);
}

static void sample_clear(start_sample *s) {
    lp_pass_free(s->pass);
    lp_free(s->x);
    lp_free(s->labels);
}

static void gaussian(const lp_dense *dense, double C, double strength, double scale,
                     double *parameters) {
    const lp_problem *problem = dense->problem;
    size_t F = problem->width;
    double N = (double)problem->count;
    double ridge = (double)problem->classes / (C * strength * N);
    for (size_t k = 0; k < problem->classes; k++) {
        double *w = parameters + k * dense->size;
        double n = (double)problem->counts[k];
        double odds = dense->loss == LP_LOSS_SOFTMAX ? n / N : n / (N - n);
        double intercept = log(odds);
        for (size_t j = 0; j < F; j++) {
            double mean = dense->total[j] / N;
            double apart = dense->class_sums[k * F + j] / n - mean;
            w[j] = scale * apart / (dense->basis.values[j] + ridge);
            intercept -= w[j] * (mean + 0.5 * apart);
        }
        w[F] = dense->scale > 0 ? intercept / dense->scale : 0;
    }
}

lp_status lp_starting_point(const lp_dense *dense, double C, double *parameters, lp_error *err) {
    enum { TRIALS = STRENGTH_COUNT * SCALE_COUNT };
    const lp_problem *problem = dense->problem;
    size_t D = dense->size;
    size_t per_model = dense->rows * D;
    start_sample s = {.pass = NULL};
    lp_dense_scratch scratch = {0};
    lp_objective at = {0};
    lp_status status;
    double *trial = lp_alloc(problem->classes, D * sizeof *trial);
    double *best = lp_alloc(dense->models, sizeof *best);
    bool *chosen = lp_alloc(dense->models, sizeof *chosen);
    at.value = lp_alloc_zeroed(dense->models, sizeof *at.value);
    at.gradient = lp_alloc(problem->classes, D * sizeof *at.gradient);
    if (trial == NULL || best == NULL || chosen == NULL || at.value == NULL ||
        at.gradient == NULL) {
        status = lp_fail_memory(err, "start", problem->classes, D * sizeof *trial);
        goto done;
    }
    LP_TRY(sample_init(&s, dense, err));
    LP_TRY(lp_dense_scratch_init(&scratch, problem, err));
    double share = (double)problem->count / (double)s.problem.count;
    for (size_t model = 0; model < dense->models; model++) {
        best[model] = INFINITY;
        chosen[model] = true;
    }
    memset(parameters, 0, problem->classes * D * sizeof *parameters);
    for (size_t t = 0; t < TRIALS; t++) {
        double scale = SCALES[t % SCALE_COUNT];
        if (t >= SCALE_COUNT && scale == 0) {
            continue; /* the strength makes no difference */
        }
        gaussian(dense, C, STRENGTHS[t / SCALE_COUNT], scale, trial);
        LP_TRY(lp_dense_evaluate(dense, s.pass, C * share, trial, chosen, false, LP_EXTRA_NONE,
                                 &scratch, &at, err));
        for (size_t model = 0; model < dense->models; model++) {
            if (at.value[model] < best[model]) {
                best[model] = at.value[model];
                memcpy(parameters + model * per_model, trial + model * per_model,
                       per_model * sizeof *trial);
            }
        }
    }
done:
    sample_clear(&s);
    lp_dense_scratch_clear(&scratch);
    lp_free(trial);
    lp_free(best);
    lp_free(chosen);
    lp_free(at.value);
    lp_free(at.gradient);
    return status;
}
