/* The path to a large C.
 *
 * Far from the optimum Newton's steps are long and are refused; near it each one squares the
 * distance.  So a model whose start is far above the optimum of C is first brought near that of a
 * smaller C, and goes up from there.  After every step, C rises as far as the parameters stay near:
 * with f = P + C L, P the penalty and L the losses, whose gradients the last pass has given,
 *
 *     1/2 |dP + C dL|^2 <= NEAR f,
 *
 * the left side being the bound of strong convexity on f - f*, but for an intercept that is free.
 * No pass is needed for it. */
#include "probe/path.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "math/linalg.h"

/* Of 2, 8, 16, 32, 64 and 200, 32 took fewest passes over real and drawn features together: the
 * bound is many times what it bounds where the data bend more than the penalty does
 * (results/by-hand.md). */
static const double NEAR = 32;
enum { STEPS = 8, DECADES = 14 }; /* values of C in a decade, and decades looked at */

/* Of parameters w and the gradient of the losses h, over what is penalised. */
typedef struct products {
    double ww, wh, hh;
} products;

static products multiply(const lp_dense *dense, double C, const double *w, const double *g) {
    size_t D = dense->size, penalised = dense->penalty > 0 ? D : D - 1;
    products p = {0};
    for (size_t r = 0; r < dense->rows; r++) {
        for (size_t j = r * D; j < r * D + penalised; j++) {
            double h = (g[j] - w[j]) / C;
            p.ww += w[j] * w[j];
            p.wh += w[j] * h;
            p.hh += h * h;
        }
    }
    return p;
}

/* The C to go to: the largest that is near; where none is and `first`, the one that is nearest. */
static double choose(const products *p, double losses, double wanted, double C, bool first) {
    double nearest = INFINITY, best = C;
    for (size_t t = 0; t <= STEPS * DECADES; t++) {
        double trial = wanted * pow(10, -(double)t / STEPS);
        if (!first && trial <= C) {
            break;
        }
        double bound = 0.5 * (p->ww + 2 * trial * p->wh + trial * trial * p->hh);
        double distance = bound / (0.5 * p->ww + trial * losses);
        if (distance <= NEAR) {
            return trial;
        }
        if (first && distance < nearest) {
            nearest = distance;
            best = trial;
        }
    }
    return best;
}

void lp_path_choose(const lp_dense *dense, double wanted, bool first, const double *parameters,
                    double *C, double *value, double *gradient) {
    size_t D = dense->size, penalised = dense->penalty > 0 ? D : D - 1;
    products p = multiply(dense, *C, parameters, gradient);
    double losses = (*value - 0.5 * p.ww) / *C;
    double to = choose(&p, losses, wanted, *C, first);
    if (to == *C) {
        return;
    }
    for (size_t j = 0; j < dense->rows * D; j++) {
        double penalty = j % D < penalised ? parameters[j] : 0;
        gradient[j] = penalty + (gradient[j] - penalty) * (to / *C);
    }
    *value = 0.5 * p.ww + to * losses;
    *C = to;
}

/* The second derivative by the intercepts is C coupling = C sum_i [diag(p_i) - p_i p_i']. */
lp_status lp_step_intercepts(const lp_dense *dense, double C, double *coupling,
                             const double *gradient, double *parameters, double *scratch,
                             lp_error *err) {
    size_t K = dense->problem->classes, D = dense->size;
    double *vectors = coupling; /* one a row */
    double *values = scratch, *step = scratch + K;
    lp_status status;
    LP_TRY(lp_eigen_symmetric(vectors, K, values, err));
    memset(step, 0, K * sizeof *step);
    for (size_t v = 0; v < K; v++) {
        double product = 0;
        for (size_t k = 0; k < K; k++) {
            product += vectors[v * K + k] * gradient[k * D + D - 1];
        }
        /* along (1, ..., 1) there is neither curvature nor gradient */
        double share = values[v] > 1e-10 * values[K - 1] ? product / (C * values[v]) : 0;
        for (size_t k = 0; k < K; k++) {
            step[k] -= share * vectors[v * K + k];
        }
    }
    for (size_t k = 0; k < K; k++) {
        parameters[k * D + D - 1] += step[k];
    }
done:
    return status;
}
