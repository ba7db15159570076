/* What a solver gets and gives.  A solver is an entry of the table in fitter.c; callers that fit
 * use fitter.h. */
#ifndef LP_PROBE_SOLVER_H
#define LP_PROBE_SOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/probe.h"

/* A checked training problem.  Classes that do not occur are left out, and the others numbered
 * 0 .. K-1 in their order. */
typedef struct lp_problem {
    size_t count;          /* N >= 2 */
    size_t width;          /* F >= 1 */
    size_t classes;        /* K >= 2, all of which occur */
    const float *const *x; /* [N] rows of F, finite */
    const int32_t *labels; /* [N] */
    const size_t *counts;  /* [K] examples of each class, >= 1 */
    const size_t *names;   /* [K] number that the caller gave the class, for messages */
    const double *own;     /* [K] weight of a class's examples; NULL: all weigh 1 */
    const double
        *rest;        /* [K] one-vs-rest: weight of the other examples in its problem; else NULL */
    double tolerance; /* the solver's default put in */
    size_t max_iterations; /* the solver's default put in */
    double bias;
    size_t threads; /* >= 1 */
    bool alone;     /* so small that every rank passes over all of it by itself */
} lp_problem;

/* Weight of an example of class `label` in the loss of class k. */
static inline double lp_weight_of(const lp_problem *problem, size_t label, size_t k) {
    return problem->own == NULL                  ? 1
           : label == k || problem->rest == NULL ? problem->own[label]
                                                 : problem->rest[k];
}

/* A linear classifier of the problem's classes. */
typedef struct lp_linear {
    double *weights;    /* [K, F] */
    double *intercepts; /* [K], added to the logits */
} lp_linear;

/* Reports that `done` of `total` (0 = unknown) is done, 0: one more than before; thread-safe.
 * False when the caller wants to stop. */
typedef struct lp_reporter lp_reporter;
LP_PRINTF(4, 5)
bool lp_report_step(lp_reporter *reporter, size_t done, size_t total, const char *format, ...);

typedef struct lp_solver_entry {
    double tolerance;      /* default */
    size_t max_iterations; /* default; 0 = the solver takes none */

    /* Prepares what depends on the data alone and serves every C.  The problem outlives *state. */
    lp_status (*open)(const lp_problem *problem, void **state, lp_error *err);

    /* Solves for one C, from `solution` as it stands when `warm`, else from zero.  Fills in
     * everything of the report but `seconds`.  LP_NOT_CONVERGED is for the fitter to return. */
    lp_status (*fit)(void *state, double C, bool warm, lp_linear *solution, lp_fit_report *report,
                     lp_reporter *reporter, lp_error *err);
    void (*close)(void *state);
} lp_solver_entry;

extern const lp_solver_entry lp_liblinear_solver;
extern const lp_solver_entry lp_ovr_solver;
extern const lp_solver_entry lp_softmax_solver;

#endif
