/* The dense solvers, softmax and one-vs-rest, as entries of the table in fitter.c:
 *
 *     weights [K, F], intercepts [K] of an earlier fit -> the basis, or else starting_point.c
 *       -> descent.c minimises the objectives of dense_objective.c
 *       -> weights [K, F], intercepts [K] for the features as they stand */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "probe/dense_objective.h"
#include "probe/descent.h"

static lp_status softmax_open(const lp_problem *problem, void **state, lp_error *err) {
    return lp_dense_open(problem, LP_LOSS_SOFTMAX, state, err);
}

static lp_status ovr_open(const lp_problem *problem, void **state, lp_error *err) {
    return lp_dense_open(problem, LP_LOSS_LOGISTIC, state, err);
}

static lp_status dense_fit(void *opaque, double C, bool warm, lp_linear *solution,
                           lp_fit_report *report, lp_reporter *reporter, lp_error *err) {
    const lp_dense *dense = opaque;
    double factor = lp_dense_factor(dense);
    const lp_problem *problem = dense->problem;
    size_t K = problem->classes, F = problem->width, D = dense->size;
    lp_memory memory = {0};
    double *parameters = lp_memory_take_zeroed(&memory, K, D * sizeof *parameters);
    double *weights = lp_memory_take(&memory, K, F * sizeof *weights);
    lp_status status;
    LP_TRY(lp_memory_check(&memory, "fit", err));
    if (warm) {
        LP_TRY(lp_basis_turn(&dense->basis, LP_TO_BASIS, solution->weights, K, weights,
                             problem->threads, err));
        for (size_t k = 0; k < K; k++) {
            memcpy(parameters + k * D, weights + k * F, F * sizeof *weights);
            parameters[k * D + F] = dense->scale > 0 ? solution->intercepts[k] / dense->scale : 0;
        }
    }
    LP_TRY(lp_descend(dense, C / factor, warm, parameters, report, reporter, err));
    for (size_t k = 0; k < K; k++) {
        memcpy(weights + k * F, parameters + k * D, F * sizeof *weights);
        solution->intercepts[k] = dense->scale * parameters[k * D + F];
    }
    LP_TRY(lp_basis_turn(&dense->basis, LP_FROM_BASIS, weights, K, solution->weights,
                         problem->threads, err));
done:
    lp_memory_free(&memory);
    return status;
}

const lp_solver_entry lp_softmax_solver = {1e-6, 1000, softmax_open, dense_fit, lp_dense_close};
const lp_solver_entry lp_ovr_solver = {1e-6, 1000, ovr_open, dense_fit, lp_dense_close};
