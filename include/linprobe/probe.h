/* linprobe/probe.h: a linear classifier on features: fit, save, load, predict, score.
 *
 *     lp_fit_options options;
 *     lp_fit_defaults(&options);             // softmax, C = 0.316
 *     lp_probe *probe;
 *     lp_fit_report report;
 *     lp_probe_fit(&train, &options, &probe, &report, &err);   // LP_NOT_CONVERGED keeps the probe
 *     lp_score score;
 *     lp_probe_score(probe, &test, threads, &score, &err);
 *     printf("%.3f\n", 100 * score.top1);
 *     lp_probe_free(probe);
 */
#ifndef LINPROBE_PROBE_H
#define LINPROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Labelled feature vectors, as a view: the caller keeps the memory. */
typedef struct lp_examples {
    size_t count;          /* N */
    size_t width;          /* F */
    size_t classes;        /* K >= 2 */
    const float *x;        /* float32 [N, F], row-major, finite */
    const int64_t *labels; /* int64 [N], each in 0 .. K-1 */
} lp_examples;

typedef enum lp_solver {
    LP_SOLVER_LIBLINEAR, /* one-vs-rest by liblinear's own code, solver 0 (L2R_LR) */
    LP_SOLVER_OVR,       /* liblinear's objective, dense */
    LP_SOLVER_SOFTMAX    /* scikit-learn's multinomial objective */
} lp_solver;

/* What is minimised (docs/NUMERICS.md):
 *   softmax: over W [K, F], b [K]
 *     1/2 |W|^2 + C sum_i [logsumexp_k(w_k.x_i + b_k) - (w_y.x_i + b_y)]
 *   ovr and liblinear: for each class, with y_i = +1 or -1 and x~ = [x, bias], over w [F + 1]
 *     1/2 |w|^2 + C sum_i log(1 + exp(-y_i w.x~_i))
 * For two classes softmax keeps a row for each, where scikit-learn takes one vector: its C is twice
 * this one.  Classes without examples are left out; they get weights 0 and the intercept minus
 * infinity. */
typedef struct lp_fit_options {
    lp_solver solver; /* default LP_SOLVER_SOFTMAX */
    double C;         /* weight of the data's term, > 0; default 0.316 (= 1/lambda) */
    double tolerance; /* liblinear: its eps, default 0.01.  The others, default 1e-6: finished when
                         |g| <= tolerance |g at 0| and gap <= tolerance, or gap <= 1000
                         tolerance^2.  0 = the solver's default */
    double bias;      /* constant feature of ovr and liblinear, default 1; < 0 = none */
    size_t max_iterations; /* 0 = the solver's default; liblinear has its own limit */
    size_t threads;        /* 0 = all processors */
    lp_progress progress;  /* in classes for liblinear, in iterations for the others */
} lp_fit_options;

typedef struct lp_fit_report {
    bool converged;
    size_t iterations;    /* softmax: of the solver; one-vs-rest: the largest of any class */
    size_t passes;        /* over the data; 0 where the solver does not tell */
    size_t not_converged; /* one-vs-rest: number of classes that stopped early */
    double objective;     /* at the solution; one-vs-rest: the sum over the classes */
    double gradient;      /* |g| / |g at 0|, one-vs-rest: the largest of any class */
    double gap; /* bound on (objective - optimum) / optimum; < 0: the bound says nothing */
    double seconds;
    char stopped_by[128]; /* which rule ended it, in words */
} lp_fit_report;

/* W float32... kept as float64 [K, F] and b [K]; for K = 2 both rows are there. */
typedef struct lp_probe lp_probe;

void lp_fit_defaults(lp_fit_options *options);

/* The solvers' names, in the order of lp_solver, and NULL behind the last: "liblinear", "ovr",
 * "softmax".  lp_solver_name gives one of them, "unknown" for a number that is no solver. */
extern const char *const lp_solver_names[];
const char *lp_solver_name(lp_solver solver);

/* Trains.  On LP_OK and LP_NOT_CONVERGED *probe and *report are filled in.  The result is the same
 * for every number of threads. */
LP_MUST_USE lp_status lp_probe_fit(const lp_examples *train, const lp_fit_options *options,
                                   lp_probe **probe, lp_fit_report *report, lp_error *err);
void lp_probe_free(lp_probe *probe);

lp_solver lp_probe_solver(const lp_probe *probe); /* that trained it */
size_t lp_probe_classes(const lp_probe *probe);
size_t lp_probe_width(const lp_probe *probe);
const double *lp_probe_weights(const lp_probe *probe);    /* float64 [K, F], row-major */
const double *lp_probe_intercepts(const lp_probe *probe); /* float64 [K], added to the logits */

/* A probe file is one JSON-described binary; see docs/FORMATS.md.  `meta` is JSON text kept with it
 * (how it was made), or NULL; its options.solver is set to the probe's solver.  Reading takes the
 * solver from there: softmax where meta names none, ovr where it names one that is not known. */
LP_MUST_USE lp_status lp_probe_save(const lp_probe *probe, const char *path, const char *meta,
                                    lp_error *err);
LP_MUST_USE lp_status lp_probe_load(const char *path, lp_probe **probe, lp_error *err);
const char *lp_probe_meta(const lp_probe *probe); /* JSON text, "{}" where none */

/* Logits x W' + b: float32 x [N, F] -> float64 logits [N, K]. */
LP_MUST_USE lp_status lp_probe_logits(const lp_probe *probe, const float *x, size_t count,
                                      double *logits, size_t threads, lp_error *err);

/* Predictions: the class of the largest logit (the lowest such class on a tie), int64 [N]. */
LP_MUST_USE lp_status lp_probe_predict(const lp_probe *probe, const float *x, size_t count,
                                       int64_t *labels, size_t threads, lp_error *err);

typedef struct lp_score {
    size_t count;
    size_t correct;      /* top-1 */
    size_t correct_top5; /* label among the five largest logits (all, for K <= 5) */
    double top1;         /* correct / count */
    double top5;
    double mean_per_class;      /* mean over the classes that occur of their own accuracy */
    double top1_low, top1_high; /* 95 % Wilson interval of top1 */
} lp_score;

/* Scores on a test set.  *correct_of and *count_of, if not NULL, are size_t [K] for the table per
 * class. */
LP_MUST_USE lp_status lp_probe_score(const lp_probe *probe, const lp_examples *test, size_t threads,
                                     lp_score *score, size_t *correct_of, size_t *count_of,
                                     lp_error *err);

#ifdef __cplusplus
}
#endif
#endif
