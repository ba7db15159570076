/* The dense solvers' objectives: softmax and one-vs-rest, their gradients, and how far from the
 * optimum a point can be.
 *
 * softmax, z_i = W x_i + b, p_i = softmax(z_i), y_i the label's unit vector:
 *     f = 1/2 |W|^2 + C sum_i [logsumexp(z_i) - z_i[label]]
 *     df/dW = W + C sum_i (p_i - y_i) x_i',   df/db = C sum_i (p_i - y_i)
 * one-vs-rest, for each class, x~ = [x, bias], p_i = 1 / (1 + exp(-w.x~_i)), y_i = 1 or 0:
 *     f = 1/2 |w|^2 + C sum_i [log(1 + exp(-+ w.x~_i))],   g = w + C sum_i (p_i - y_i) x~_i
 *
 * Where classes have weights (solver.h), each term of a sum over i, and each example in a count of
 * them, counts as often as it weighs.
 *
 * Both are kept in an orthonormal basis of the features (curvature.c), which changes neither |W|
 * nor |g|.
 *
 * How far f is above the optimum f*.  One-vs-rest penalises all parameters, so f is strongly convex
 * with modulus 1 and f - f* <= |g|^2 / 2.  Softmax leaves the intercept free, so the bound is the
 * duality gap instead.  For any q_i in the simplex with sum_i (q_i - y_i) = 0,
 *     f* >= - 1/2 |V|^2 + C sum_i H(q_i),   V = C sum_i (y_i - q_i) x_i',  H the entropy.
 * q_i = p_i does not quite satisfy the condition, s = sum_i p_i being n + r with n the class counts
 * and r = (df/db) / C; so q_i = (1 - e) p_i + e c with the same c for all i, c = (n - (1 - e) s) /
 * (e N), and e the least for which c >= 0.  H is concave: H(q_i) >= (1 - e) H(p_i) + e H(c).  With
 * r = 0 the gap is |df/dW|^2 / 2, the bound of strong convexity.  sum_i H(p_i) = sum_i loss_i -
 * sum_i (p_i - y_i).z_i takes no pass of its own. */
#include "probe/dense_objective.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "probe/lbfgs.h"

lp_evaluator lp_evaluator_make(const lp_dense *dense, lp_pass *pass, double C, lp_memory *memory) {
    size_t K = dense->problem->classes, F = dense->problem->width;
    lp_evaluator e = {.dense = dense,
                      .pass = pass,
                      .C = lp_memory_take(memory, dense->models, sizeof *e.C),
                      .chosen = lp_memory_take(memory, dense->models, sizeof *e.chosen),
                      .raw = lp_memory_take(memory, K, F * sizeof *e.raw),
                      .turned = lp_memory_take(memory, K, F * sizeof *e.turned),
                      .intercepts = lp_memory_take(memory, K, sizeof *e.intercepts),
                      .columns = lp_memory_take(memory, K, sizeof *e.columns)};
    for (size_t model = 0; e.chosen != NULL && model < dense->models; model++) {
        e.chosen[model] = true;
    }
    for (size_t model = 0; e.C != NULL && model < dense->models; model++) {
        e.C[model] = C;
    }
    return e;
}

lp_objective lp_objective_make(const lp_dense *dense, lp_memory *memory) {
    size_t K = dense->problem->classes, F = dense->problem->width;
    lp_objective at = {.value = lp_memory_take_zeroed(memory, dense->models, sizeof *at.value),
                       .gradient =
                           lp_memory_take_zeroed(memory, K, dense->size * sizeof *at.gradient),
                       .weight = lp_memory_take(memory, K, sizeof *at.weight),
                       .centres = lp_memory_take(memory, K, F * sizeof *at.centres)};
    return at;
}

/* Weights of the evaluated classes.  Where a model is sure of every example, its curvature
 * vanishes; a floor keeps the preconditioner's steps finite. */
static void take_weights(const lp_evaluator *e, const lp_pass_sums *sums, size_t count,
                         lp_objective *at) {
    static const double FLOOR = 1e-6;
    const lp_problem *problem = e->dense->problem;
    for (size_t r = 0; r < count; r++) {
        size_t k = e->columns[r], few = problem->counts[k];
        few = few < problem->count - few ? few : problem->count - few;
        at->weight[k] = fmax(sums->weight[r], FLOOR * (double)few);
    }
}

/* Centres of the evaluated classes, to the basis. */
static lp_status take_centres(const lp_evaluator *e, const lp_pass_sums *sums, size_t count,
                              lp_objective *at, lp_error *err) {
    const lp_problem *problem = e->dense->problem;
    size_t F = problem->width;
    lp_status status = lp_basis_turn(&e->dense->basis, LP_TO_BASIS, sums->weighted, count,
                                     e->turned, problem->threads, err);
    for (size_t r = 0; status == LP_OK && r < count; r++) {
        double weight = sums->weight[r];
        for (size_t j = 0; j < F; j++) {
            at->centres[e->columns[r] * F + j] = weight > 0 ? e->turned[r * F + j] / weight : 0;
        }
    }
    return status;
}

lp_status lp_evaluate(lp_evaluator *e, const double *parameters, lp_extra extra, lp_objective *at,
                      lp_error *err) {
    const lp_dense *dense = e->dense;
    const lp_problem *problem = dense->problem;
    size_t F = problem->width, D = dense->size, count = 0, threads = problem->threads;
    lp_pass_sums sums;
    lp_status status;
    for (size_t k = 0; k < problem->classes; k++) {
        if (e->chosen[k / dense->rows]) {
            memcpy(e->turned + count * F, parameters + k * D, F * sizeof *e->turned);
            e->intercepts[count] = dense->scale * parameters[k * D + F];
            e->columns[count++] = k;
        }
    }
    const lp_pass_request request = {e->raw,  e->intercepts, e->columns, count,
                                     e->wide, extra,         e->entries};
    if (extra == LP_EXTRA_ENTRIES) {
        lp_entries_set_least(e->entries, e->share, e->weight, e->columns, count);
    }
    LP_TRY(lp_basis_turn(&dense->basis, LP_FROM_BASIS, e->turned, count, e->raw, threads, err));
    LP_TRY(lp_pass_run(e->pass, &request, &sums, err));
    e->passes++;
    LP_TRY(
        lp_basis_turn(&dense->basis, LP_TO_BASIS, sums.gradient, count, e->turned, threads, err));
    for (size_t model = 0; model < dense->models; model++) {
        at->value[model] = e->chosen[model] ? 0 : at->value[model];
    }
    for (size_t r = 0; r < count; r++) {
        size_t k = e->columns[r];
        const double *w = parameters + k * D;
        double *g = at->gradient + k * D, C = e->C[k / dense->rows];
        for (size_t j = 0; j < F; j++) {
            g[j] = w[j] + C * e->turned[r * F + j];
        }
        g[F] = C * dense->scale * sums.residual[r] + dense->penalty * w[F];
        /* softmax has its loss in the first place, and its models' first class comes first */
        double loss = r == 0 || dense->rows == 1 ? sums.loss[r] : 0;
        at->value[k / dense->rows] +=
            C * loss + 0.5 * (lp_dot(w, w, F) + dense->penalty * w[F] * w[F]);
    }
    if (extra == LP_EXTRA_COUPLING) {
        for (size_t k = 0; k < count; k++) {
            for (size_t l = 0; l < count; l++) {
                double p = k == l ? dense->mass[k] + sums.residual[k] : 0;
                at->coupling[k * count + l] = p - sums.coupling[k * count + l];
            }
        }
    }
    if (extra == LP_EXTRA_CURVATURE || extra == LP_EXTRA_ENTRIES) {
        take_weights(e, &sums, count, at);
    }
    if (extra == LP_EXTRA_CURVATURE) {
        LP_TRY(take_centres(e, &sums, count, at, err));
    }
done:
    return status;
}

void lp_centre_classes(double *values, size_t classes, size_t size) {
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

/* 1/2 |v|^2 + C sum loss = 2 [1/2 (|v/2|^2 + |-v/2|^2) + C/2 sum loss] */
double lp_dense_factor(const lp_dense *dense) {
    return dense->loss == LP_LOSS_SOFTMAX && dense->problem->classes == 2 ? 2 : 1;
}

double lp_dense_gradient_at_zero(const lp_dense *dense, double C, size_t model) {
    const lp_problem *problem = dense->problem;
    size_t F = problem->width;
    double share = dense->loss == LP_LOSS_SOFTMAX ? 1 / (double)problem->classes : 0.5; /* p */
    double sum = 0;
    for (size_t k = model * dense->rows; k < (model + 1) * dense->rows; k++) {
        bool apart = problem->rest != NULL; /* sum over a class and over the rest */
        double own = apart ? problem->own[k] * (1 - share) + problem->rest[k] * share : 1;
        double both = apart ? problem->rest[k] * share : share;
        for (size_t j = 0; j < F; j++) {
            double g = both * dense->total[j] - own * dense->class_sums[k * F + j];
            sum += g * g;
        }
        double g = dense->scale * (both * dense->all - own * dense->mass[k]);
        sum += g * g;
    }
    return C * sqrt(sum);
}

static double softmax_excess(const lp_dense *dense, double C, const double *parameters,
                             double value, const double *gradient) {
    const lp_problem *problem = dense->problem;
    size_t F = problem->width, D = dense->size;
    double N = dense->all, e = 0;
    for (size_t k = 0; k < problem->classes; k++) {
        double r = gradient[k * D + F] / (C * dense->scale);
        e = fmax(e, r / (dense->mass[k] + r));
    }
    if (!(e < 0.5)) {
        return INFINITY;
    }
    double squares = 0, norm = 0;
    double product = 0; /* sum_i (p_i - y_i).z_i */
    double entropy = 0; /* of c */
    for (size_t k = 0; k < problem->classes; k++) {
        const double *w = parameters + k * D;
        const double *g = gradient + k * D;
        double r = g[F] / (C * dense->scale), n = dense->mass[k];
        double c = e > 0 ? fmax(0, (n - (1 - e) * (n + r)) / (e * N)) : 0;
        entropy -= c > 0 ? c * log(c) : 0;
        product += w[F] * dense->scale * r;
        for (size_t j = 0; j < F; j++) {
            /* V = (1 - e) C sum (y - p) x' + e C sum (y - c) x' */
            double v = (1 - e) * (w[j] - g[j]) +
                       e * C * (dense->class_sums[k * F + j] - c * dense->total[j]);
            squares += v * v;
            norm += w[j] * w[j];
            product += w[j] * (g[j] - w[j]) / C;
        }
    }
    double loss = (value - 0.5 * norm) / C;
    double dual = -0.5 * squares + C * ((1 - e) * (loss - product) + e * N * entropy);
    return fmax(0, value - dual) + 4 * DBL_EPSILON * value; /* both round */
}

double lp_dense_excess(const lp_dense *dense, double C, size_t model, const double *parameters,
                       double value, const double *gradient) {
    if (dense->loss == LP_LOSS_SOFTMAX) {
        return softmax_excess(dense, C, parameters, value, gradient);
    }
    const double *g = gradient + model * dense->size;
    return 0.5 * lp_dot(g, g, dense->size);
}

void lp_dense_close(void *state) {
    lp_dense *dense = state;
    lp_memory_free(&dense->memory);
    lp_free(dense);
}

/* Some of the examples, for what only a rough answer is wanted for: 1,024, or 8 a class
 * where that is more; of few rows a PART, so that the questions cost less than the answers save,
 * but no fewer than LEAST. */
static lp_status take_sample(lp_dense *dense, lp_error *err) {
    enum { SAMPLE = 1024, PER_CLASS = 8, PART = 4, LEAST = 256 };
    const lp_problem *all = dense->problem;
    size_t count = PER_CLASS * all->classes, most = all->count / PART;
    count = count > SAMPLE ? count : SAMPLE;
    most = most > LEAST ? most : LEAST;
    count = count < most ? count : most;
    count = count < all->count ? count : all->count;
    const float **x = lp_memory_take(&dense->memory, count, sizeof *x);
    int32_t *labels = lp_memory_take(&dense->memory, count, sizeof *labels);
    lp_status status;
    LP_TRY(lp_memory_check(&dense->memory, "sample", err));
    for (size_t r = 0; r < count; r++) {
        size_t i = (size_t)((uint64_t)r * all->count / count);
        x[r] = all->x[i];
        labels[r] = all->labels[i];
    }
    dense->few = *all;
    dense->few.count = count;
    dense->few.x = x;
    dense->few.labels = labels;
    dense->few.alone = true;
    LP_TRY(lp_pass_new(&dense->few, dense->loss, &dense->memory, &dense->sample, err));
done:
    return status;
}

/* Masses and sums of x; the basis is made. */
static lp_status sum_classes(lp_dense *dense, lp_error *err) {
    const lp_problem *problem = dense->problem;
    size_t K = problem->classes, F = problem->width;
    const double *sums = lp_pass_class_sums(dense->pass);
    bool weighted = dense->loss == LP_LOSS_SOFTMAX && problem->own != NULL;
    lp_status status;
    LP_TRY(lp_basis_turn(&dense->basis, LP_TO_BASIS, sums, K, dense->class_sums, problem->threads,
                         err));
    LP_TRY(lp_basis_turn(&dense->basis, LP_TO_BASIS, sums + K * F, 1, dense->total,
                         problem->threads, err));
    for (size_t j = 0; weighted && j < F; j++) {
        dense->total[j] = 0;
    }
    for (size_t k = 0; k < K; k++) {
        double weight = weighted ? problem->own[k] : 1;
        dense->mass[k] = weight * (double)problem->counts[k];
        dense->all += dense->mass[k];
        for (size_t j = 0; weighted && j < F; j++) {
            dense->class_sums[k * F + j] *= weight;
            dense->total[j] += dense->class_sums[k * F + j];
        }
    }
done:
    return status;
}

lp_status lp_dense_open(const lp_problem *problem, lp_loss loss, void **out, lp_error *err) {
    size_t K = problem->classes, F = problem->width;
    lp_status status;
    *out = NULL;
    lp_dense *dense = lp_alloc_zeroed(1, sizeof *dense);
    if (dense == NULL) {
        return lp_fail_memory(err, "fit", 1, sizeof *dense);
    }
    dense->problem = problem;
    dense->loss = loss;
    dense->size = F + 1;
    dense->models = loss == LP_LOSS_SOFTMAX ? 1 : K;
    dense->rows = K / dense->models;
    dense->scale = loss == LP_LOSS_SOFTMAX ? 1 : fmax(0, problem->bias);
    dense->penalty = loss == LP_LOSS_SOFTMAX ? 0 : 1;
    dense->mass = lp_memory_take(&dense->memory, K, sizeof *dense->mass);
    dense->class_sums = lp_memory_take(&dense->memory, K, F * sizeof *dense->class_sums);
    dense->total = lp_memory_take(&dense->memory, F, sizeof *dense->total);
    LP_TRY(lp_memory_check(&dense->memory, "fit", err));
    LP_TRY(lp_pass_new(problem, loss, &dense->memory, &dense->pass, err));
    LP_TRY(take_sample(dense, err));
    LP_TRY(lp_basis_init(&dense->basis, problem, lp_pass_class_sums(dense->pass), &dense->memory,
                         err));
    LP_TRY(sum_classes(dense, err));
    *out = dense;
done:
    if (status != LP_OK) {
        lp_dense_close(dense);
    }
    return status;
}
