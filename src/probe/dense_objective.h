/* The dense solvers' objectives, with gradients and a bound on the distance to the optimum.  The
 * mathematics stands in dense_objective.c; descent.c minimises them. */
#ifndef LP_PROBE_DENSE_OBJECTIVE_H
#define LP_PROBE_DENSE_OBJECTIVE_H

#include "base/memory.h"
#include "probe/curvature.h"
#include "probe/data_pass.h"
#include "probe/entries.h"

/* The data's part, for every C.  Parameters of class k: its weights in the basis [F], then t, with
 * intercept = scale * t.  The classes of a model are solved together: all K for softmax, each by
 * itself one-vs-rest. */
typedef struct lp_dense {
    lp_memory memory; /* that all of this lies in */
    const lp_problem *problem;
    lp_loss loss;
    size_t size;    /* D = F + 1 parameters a class */
    size_t models;  /* 1 or K */
    size_t rows;    /* classes a model: K or 1 */
    double scale;   /* of the intercept; 0 = there is none */
    double penalty; /* 1 where t is penalised like a weight, else 0 */
    lp_pass *pass;
    lp_problem few;  /* some of the examples, spread evenly over all */
    lp_pass *sample; /* over them */
    lp_basis basis;
    /* Of the examples, softmax's as often as they weigh: */
    double *mass;       /* [K] how many of each class */
    double all;         /* of all classes */
    double *class_sums; /* [K, F] of x, in the basis */
    double *total;      /* [F] likewise */
} lp_dense;

/* Objective and gradient of some of the models at one point; weight and centres, or coupling, only
 * where the evaluation is asked for them. */
typedef struct lp_objective {
    double *value;    /* [models] */
    double *gradient; /* [K, D] */
    double *weight;   /* [K] as in lp_preconditioner */
    double *centres;  /* [K, F] */
    double *coupling; /* [K, K] sum over the examples of diag(p) - p p', in the caller's memory */
} lp_objective;

/* Where and how evaluations are made, with their scratch. */
typedef struct lp_evaluator {
    const lp_dense *dense;
    lp_pass *pass;        /* dense->pass, or one over other examples */
    double *C;            /* [models] */
    bool wide;            /* float64 instead of float32 */
    bool *chosen;         /* [models] to evaluate; at first all */
    double *raw, *turned; /* [K, F] */
    double *intercepts;   /* [K] */
    size_t *columns;      /* [K] */
    size_t passes;        /* over the data so far */
    lp_entries *entries;  /* that LP_EXTRA_ENTRIES fills in, with the threshold from */
    double share;         /* of a class's mean p (1 - p), and */
    const double *weight; /* [K], the sums of p (1 - p) near the point */
} lp_evaluator;

/* Makes an lp_dense, the state that an lp_solver_entry opens and closes. */
LP_MUST_USE lp_status lp_dense_open(const lp_problem *problem, lp_loss loss, void **dense,
                                    lp_error *err);
void lp_dense_close(void *state);

/* An evaluator in float32, and an objective without room for the coupling, both in `memory`, which
 * the caller checks before use. */
lp_evaluator lp_evaluator_make(const lp_dense *dense, lp_pass *pass, double C, lp_memory *memory);
lp_objective lp_objective_make(const lp_dense *dense, lp_memory *memory);

/* Evaluates the chosen models at parameters [K, D]. */
LP_MUST_USE lp_status lp_evaluate(lp_evaluator *e, const double *parameters, lp_extra extra,
                                  lp_objective *at, lp_error *err);

/* Takes off what is common to all classes of a softmax model, from values [classes, size].  It
 * changes no probability, so that the optimum has none of it and the gradient neither; a step of it
 * could only cost penalty. */
void lp_centre_classes(double *values, size_t classes, size_t size);

/* For two classes softmax has one weight vector v, w_1 = - w_0 = v / 2: its objective at C is
 * this times that of two rows at C divided by this.  1 for more classes and one-vs-rest. */
double lp_dense_factor(const lp_dense *dense);

/* |gradient| of a model at zero, where solvers' tolerances start from. */
double lp_dense_gradient_at_zero(const lp_dense *dense, double C, size_t model);

/* An upper bound on value - optimum of a model from its value and gradient at parameters; infinity
 * where the bound says nothing. */
double lp_dense_excess(const lp_dense *dense, double C, size_t model, const double *parameters,
                       double value, const double *gradient);

#endif
