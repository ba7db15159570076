/* Truncated Newton: the direction d solves (second derivative) d = - gradient, by conjugate
 * gradients (Nocedal and Wright, algorithm 5.3) with the blocks of blocks.c for a preconditioner
 * and the products of entries.c:
 *
 *     gradient in the basis -> in the features' own space                       [K, D]
 *       d = 0, r = - g;  until r.z <= accuracy^2 of its first value, z = M^-1 r:
 *         product of the search direction: penalty + C (entries)                one sparse pass
 *         step along it; r; z; the next search direction
 *     -> the basis
 *
 * Models are solved side by side, each with its own step lengths; one that is finished leaves the
 * products.  For softmax everything is kept free of what is common to all classes (descent.c).
 *
 * The blocks are made anew where C or the class weights have changed by more than STALE; between,
 * they serve on. */
#include "probe/newton.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "probe/blocks.h"
#include "probe/lbfgs.h"

enum { MOST_STEPS = 200, MOST_ENTRIES = 32, FEW_CLASSES = 6 };
static const double STALE = 0.1;

typedef struct cg_model {
    bool running;
    double first, now; /* r.z */
} cg_model;

struct lp_newton {
    const lp_dense *dense;
    lp_entries *entries;
    lp_blocks *blocks;
    double *made_C;      /* [models] that the blocks were made for; 0: none yet */
    double *made_weight; /* [K] */
    double *solution, *residual, *search, *product, *scaled; /* [K, D] */
    double *weights, *out_weights;                           /* [K, F] */
    double *intercepts, *out_intercepts;                     /* [K] */
    cg_model *models;
    bool *wanted; /* [models] */
};

size_t lp_newton_entries_per_row(const lp_problem *problem) {
    size_t K = problem->classes, few = K < FEW_CLASSES ? K : FEW_CLASSES;
    size_t share = K / 6 > few ? K / 6 : few;
    return share < MOST_ENTRIES ? share : MOST_ENTRIES;
}

lp_status lp_newton_pays(const lp_dense *dense, const double *parameters, bool *pays,
                         double *weight, lp_error *err) {
    size_t K = dense->problem->classes, limit = lp_newton_entries_per_row(dense->problem);
    double rows = (double)dense->few.count, mean = 0;
    lp_memory memory = {0};
    lp_status status = LP_OK;
    *pays = false;
    if (!lp_blocks_fit(dense)) {
        return LP_OK;
    }
    lp_evaluator evaluator = lp_evaluator_make(dense, dense->sample, 1, &memory);
    lp_objective at = lp_objective_make(dense, &memory);
    evaluator.entries = lp_entries_new(dense->sample, dense->loss, limit, &memory);
    LP_TRY(lp_memory_check(&memory, "sample", err));
    LP_TRY(lp_evaluate(&evaluator, parameters, LP_EXTRA_CURVATURE, &at, err));
    evaluator.weight = at.weight;
    evaluator.share = LP_NEWTON_SHARE;
    LP_TRY(lp_evaluate(&evaluator, parameters, LP_EXTRA_ENTRIES, &at, err));
    *pays = !evaluator.entries->full;
    for (size_t k = 0; k < K; k++) {
        mean += at.weight[k] / (double)K;
    }
    for (size_t k = 0; weight != NULL && k < K; k++) { /* of few rows: half the mean's */
        weight[k] = 0.5 * (at.weight[k] + mean) * (double)dense->problem->count / rows;
    }
done:
    lp_memory_free(&memory);
    return status;
}

lp_newton *lp_newton_new(const lp_dense *dense, lp_memory *memory) {
    size_t K = dense->problem->classes, F = dense->problem->width, D = dense->size;
    lp_newton *n = lp_memory_take_zeroed(memory, 1, sizeof *n);
    if (n == NULL) {
        return NULL;
    }
    n->dense = dense;
    n->entries = lp_entries_new(dense->pass, dense->loss,
                                2 * lp_newton_entries_per_row(dense->problem), memory);
    n->blocks = lp_blocks_new(dense, memory);
    n->made_C = lp_memory_take_zeroed(memory, dense->models, sizeof *n->made_C);
    n->made_weight = lp_memory_take_zeroed(memory, K, sizeof *n->made_weight);
    n->solution = lp_memory_take(memory, K, D * sizeof *n->solution);
    n->residual = lp_memory_take(memory, K, D * sizeof *n->residual);
    n->search = lp_memory_take(memory, K, D * sizeof *n->search);
    n->product = lp_memory_take(memory, K, D * sizeof *n->product);
    n->scaled = lp_memory_take(memory, K, D * sizeof *n->scaled);
    n->weights = lp_memory_take(memory, K, F * sizeof *n->weights);
    n->out_weights = lp_memory_take(memory, K, F * sizeof *n->out_weights);
    n->intercepts = lp_memory_take(memory, K, sizeof *n->intercepts);
    n->out_intercepts = lp_memory_take(memory, K, sizeof *n->out_intercepts);
    n->models = lp_memory_take(memory, dense->models, sizeof *n->models);
    n->wanted = lp_memory_take(memory, dense->models, sizeof *n->wanted);
    return n;
}

lp_entries *lp_newton_entries(const lp_newton *newton) {
    return newton->entries;
}

/* Weights between the basis and the features' own space, in place; intercepts stay. */
static lp_status turn(lp_newton *n, lp_turn where, double *values, lp_error *err) {
    const lp_problem *problem = n->dense->problem;
    size_t K = problem->classes, F = problem->width, D = n->dense->size;
    for (size_t k = 0; k < K; k++) {
        memcpy(n->weights + k * F, values + k * D, F * sizeof *values);
    }
    lp_status status = lp_basis_turn(&n->dense->basis, where, n->weights, K, n->out_weights,
                                     problem->threads, err);
    for (size_t k = 0; status == LP_OK && k < K; k++) {
        memcpy(values + k * D, n->out_weights + k * F, F * sizeof *values);
    }
    return status;
}

/* product = (penalty + C second derivative) search, of the wanted models. */
static lp_status multiply(lp_newton *n, const double *C, lp_error *err) {
    const lp_dense *dense = n->dense;
    size_t K = dense->problem->classes, F = dense->problem->width, D = dense->size;
    lp_status status;
    for (size_t k = 0; k < K; k++) {
        memcpy(n->weights + k * F, n->search + k * D, F * sizeof *n->weights);
        n->intercepts[k] = dense->scale * n->search[k * D + F];
    }
    LP_TRY(lp_entries_product(n->entries, n->weights, n->intercepts, n->out_weights,
                              n->out_intercepts, err));
    for (size_t k = 0; k < K; k++) {
        const double *v = n->search + k * D;
        double *to = n->product + k * D, factor = C[k / dense->rows];
        for (size_t j = 0; j < F; j++) {
            to[j] = v[j] + factor * n->out_weights[k * F + j];
        }
        to[F] = dense->penalty * v[F] + factor * dense->scale * n->out_intercepts[k];
    }
done:
    return status;
}

/* scaled = M^-1 residual. */
static lp_status precondition(lp_newton *n, lp_error *err) {
    lp_status status = lp_blocks_solve(n->blocks, n->wanted, n->residual, n->scaled, err);
    if (status == LP_OK && n->dense->loss == LP_LOSS_SOFTMAX) {
        lp_centre_classes(n->scaled, n->dense->rows, n->dense->size);
    }
    return status;
}

/* Whether C or what the classes weigh has changed too much for the blocks that there are. */
static bool stale(const lp_newton *n, const lp_newton_point *at) {
    size_t rows = n->dense->rows;
    for (size_t i = 0; i < n->dense->models; i++) {
        double change = 0, sum = 0;
        for (size_t k = i * rows; k < (i + 1) * rows; k++) {
            change += fabs(at->C[i] * at->weight[k] - n->made_C[i] * n->made_weight[k]);
            sum += at->C[i] * at->weight[k];
        }
        if (at->wanted[i] && !(change <= STALE * sum)) {
            return true;
        }
    }
    return false;
}

static lp_status renew_blocks(lp_newton *n, const lp_newton_point *at, double *passes,
                              lp_error *err) {
    size_t rows = n->dense->rows;
    double work = 0;
    lp_status status = LP_OK;
    if (!stale(n, at)) {
        return LP_OK;
    }
    LP_TRY(lp_blocks_make(n->blocks, n->entries, at->wanted, at->C, at->weight, &work, err));
    *passes += work;
    for (size_t i = 0; i < n->dense->models; i++) {
        if (at->wanted[i]) {
            n->made_C[i] = at->C[i];
            memcpy(n->made_weight + i * rows, at->weight + i * rows, rows * sizeof(double));
        }
    }
done:
    return status;
}

static void step(lp_newton *n, size_t model) {
    size_t size = n->dense->rows * n->dense->size, first = model * size;
    cg_model *m = &n->models[model];
    double *d = n->search + first, *q = n->product + first;
    double bend = lp_dot(d, q, size);
    if (!(bend > 0) || !isfinite(bend)) { /* rounding: what there is must do */
        m->running = false;
        return;
    }
    double length = m->now / bend;
    for (size_t j = 0; j < size; j++) {
        n->solution[first + j] += length * d[j];
        n->residual[first + j] -= length * q[j];
    }
}

static void turn_search(lp_newton *n, size_t model, double accuracy) {
    size_t size = n->dense->rows * n->dense->size, first = model * size;
    cg_model *m = &n->models[model];
    const double *z = n->scaled + first;
    double *d = n->search + first;
    double now = lp_dot(n->residual + first, z, size);
    double share = now / m->now;
    m->now = now;
    m->running = now > accuracy * accuracy * m->first && isfinite(now);
    for (size_t j = 0; j < size; j++) {
        d[j] = z[j] + share * d[j];
    }
}

static size_t choose_running(lp_newton *n) {
    size_t running = 0;
    for (size_t i = 0; i < n->dense->models; i++) {
        n->wanted[i] = n->models[i].running;
        running += n->wanted[i];
    }
    return running;
}

static lp_status conjugate_gradients(lp_newton *n, const lp_newton_point *at, double *passes,
                                     lp_error *err) {
    const lp_dense *dense = n->dense;
    size_t size = dense->rows * dense->size;
    double share = (double)n->entries->rows / (double)dense->problem->count;
    lp_status status;
    LP_TRY(precondition(n, err));
    for (size_t i = 0; i < dense->models; i++) {
        cg_model *m = &n->models[i];
        m->first = m->now =
            at->wanted[i] ? lp_dot(n->residual + i * size, n->scaled + i * size, size) : 0;
        m->running = m->first > 0 && isfinite(m->first);
    }
    memcpy(n->search, n->scaled, dense->models * size * sizeof *n->search);
    for (size_t t = 0; t < MOST_STEPS && choose_running(n) > 0; t++) {
        LP_TRY(multiply(n, at->C, err));
        *passes += share;
        for (size_t i = 0; i < dense->models; i++) {
            if (n->wanted[i]) {
                step(n, i);
            }
        }
        LP_TRY(precondition(n, err));
        for (size_t i = 0; i < dense->models; i++) {
            if (n->wanted[i] && n->models[i].running) {
                turn_search(n, i, at->accuracy[i]);
            }
        }
    }
done:
    return status;
}

lp_status lp_newton_direction(lp_newton *n, const lp_newton_point *at, double *direction,
                              double *passes, lp_error *err) {
    const lp_dense *dense = n->dense;
    size_t size = dense->rows * dense->size, all = dense->models * size;
    lp_status status;
    LP_TRY(renew_blocks(n, at, passes, err));
    memset(n->solution, 0, all * sizeof *n->solution);
    memset(n->scaled, 0, all * sizeof *n->scaled);
    for (size_t j = 0; j < all; j++) {
        n->residual[j] = -at->gradient[j];
    }
    memcpy(n->wanted, at->wanted, dense->models * sizeof *n->wanted);
    LP_TRY(turn(n, LP_FROM_BASIS, n->residual, err));
    LP_TRY(conjugate_gradients(n, at, passes, err));
    LP_TRY(turn(n, LP_TO_BASIS, n->solution, err));
    for (size_t i = 0; i < dense->models; i++) {
        if (at->wanted[i]) {
            memcpy(direction + i * size, n->solution + i * size, size * sizeof *direction);
        }
    }
done:
    return status;
}
