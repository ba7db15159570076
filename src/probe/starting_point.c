/* Where the dense solvers start when no earlier fit is at hand: at the classifier that would be
 * right if every class were a Gaussian cloud with the covariance S within the classes,
 *
 *     w_k = s (S + 1/(C a N))^-1 (m_k - m),   b_k = log odds of class k - w_k.(m + (m_k - m) / 2)
 *
 * with m_k the class means, m the mean, and 1/(C a N) what the penalty adds to S when each example
 * weighs a, its p (1 - p), in a class.  In the basis of curvature.c it costs K F operations.  The
 * strength a and the scale s are the best of a few on a small sample of the examples, which is a
 * fraction of one pass and saves five. */
#include "probe/descent.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

enum { STRENGTH_COUNT = 3, SCALE_COUNT = 5 };

/* a K: p (1 - p) K is nearly 1 where all K classes are equally likely, and less for a model that is
 * surer. */
static const double STRENGTHS[STRENGTH_COUNT] = {0.1, 0.3, 1};
/* s: 0 leaves the classes' frequencies alone, 1 would be the discriminant itself. */
static const double SCALES[SCALE_COUNT] = {0, 0.35, 0.6, 0.85, 1.2};

static void gaussian(const lp_dense *dense, double C, double strength, double scale,
                     double *parameters) {
    const lp_problem *problem = dense->problem;
    size_t F = problem->width;
    double N = dense->all;
    double ridge = (double)problem->classes / (C * strength * N);
    for (size_t k = 0; k < problem->classes; k++) {
        double *w = parameters + k * dense->size;
        double n = dense->mass[k], odds = n / (N - n);
        odds *= problem->rest != NULL ? problem->own[k] / problem->rest[k] : 1;
        double intercept = log(dense->loss == LP_LOSS_SOFTMAX ? n / N : odds);
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
    const lp_problem *all = dense->problem;
    size_t K = all->classes, D = dense->size, per_model = dense->rows * D;
    lp_memory memory = {0};
    lp_status status;
    double share = (double)all->count / (double)dense->few.count;
    lp_evaluator evaluator = lp_evaluator_make(dense, dense->sample, C * share, &memory);
    lp_objective at = lp_objective_make(dense, &memory);
    double *trial = lp_memory_take(&memory, K, D * sizeof *trial);
    double *best = lp_memory_take(&memory, dense->models, sizeof *best);
    LP_TRY(lp_memory_check(&memory, "start", err));
    for (size_t model = 0; model < dense->models; model++) {
        best[model] = INFINITY;
    }
    memset(parameters, 0, K * D * sizeof *parameters);
    for (size_t t = 0; t < TRIALS; t++) {
        double scale = SCALES[t % SCALE_COUNT];
        if (t >= SCALE_COUNT && scale == 0) {
            continue; /* the strength makes no difference */
        }
        gaussian(dense, C, STRENGTHS[t / SCALE_COUNT], scale, trial);
        LP_TRY(lp_evaluate(&evaluator, trial, LP_EXTRA_NONE, &at, err));
        for (size_t model = 0; model < dense->models; model++) {
            if (at.value[model] < best[model]) {
                best[model] = at.value[model];
                memcpy(parameters + model * per_model, trial + model * per_model,
                       per_model * sizeof *trial);
            }
        }
    }
done:
    lp_memory_free(&memory);
    return status;
}
