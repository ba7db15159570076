/* linprobe/probe.h: a linear classifier on features: fit, save, load, predict, score.
 *
 * lp_fit_defaults, then lp_probe_fit; or lp_probe_load.  Then any of the others, in any order, and
 * lp_probe_free at the end.
 *
 *     #include <stdio.h>
 *     #include "linprobe/probe.h"
 *
 *     int main(void) {
 *         const float x[4] = {0, 1, 2, 3};                 // N = 4 examples of F = 1 feature
 *         const int64_t labels[4] = {0, 0, 1, 1};          // of K = 2 classes
 *         lp_examples train = {4, 1, 2, x, labels};
 *         lp_fit_options options;
 *         lp_fit_report report;
 *         lp_probe *probe;
 *         lp_score score;
 *         lp_error err;
 *         lp_fit_defaults(&options);                       // softmax, C = 0.316
 *         if (lp_probe_fit(&train, &options, &probe, &report, &err) != LP_OK ||
 *             lp_probe_score(probe, &train, options.threads, &score, &err) != LP_OK) {
 *             fprintf(stderr, "%s\n", err.text);
 *             lp_probe_free(probe);                        // LP_NOT_CONVERGED gives a probe
 *             return 1;
 *         }
 *         printf("%.1f %% of %zu\n", 100 * score.top1, score.count);
 *         lp_probe_free(probe);
 *         return 0;
 *     }
 *
 * The results are the same for every number of threads.  A probe is changed by nothing but
 * lp_probe_free: several threads may use it at once.  Fits may run in several threads, but only one
 * at a time by LP_SOLVER_LIBLINEAR, whose library has global state.
 */
#ifndef LINPROBE_PROBE_H
#define LINPROBE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/provenance.h"
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

/* How much the examples of each class count. */
typedef enum lp_class_weight {
    LP_CLASS_WEIGHT_NONE,    /* every example alike */
    LP_CLASS_WEIGHT_BALANCED /* every class alike */
} lp_class_weight;

/* Their names, in this order, and NULL behind the last: "none", "balanced". */
extern const char *const lp_class_weight_names[];

/* What is minimised (docs/NUMERICS.md):
 *   softmax: over W [K, F], b [K]
 *     1/2 |W|^2 + C sum_i [logsumexp_k(w_k.x_i + b_k) - (w_y.x_i + b_y)]
 *   ovr and liblinear: for each class, with y_i = +1 or -1 and x~ = [x, bias], over w [F + 1]
 *     1/2 |w|^2 + C sum_i log(1 + exp(-y_i w.x~_i))
 * For two classes softmax has one vector w, as scikit-learn has: with y_i = +1 or -1
 *     1/2 |w|^2 + C sum_i log(1 + exp(-y_i (w.x_i + b)))
 * and a probe has the rows -w/2 and w/2, with the same probabilities.  Classes without examples are
 * left out; they get weights 0 and the intercept minus infinity.
 *
 * With LP_CLASS_WEIGHT_BALANCED each term of a sum over i counts N / (K n) times, n being the
 * number of examples of its class among the K that occur, as scikit-learn has it; one-vs-rest,
 * each class's problem has two classes, its own examples and all others.
 * `standardize`: x is replaced by (x - m) / s, with the mean m and deviation s of each feature over
 * the training set (s is 1 where a feature is constant), as scikit-learn's StandardScaler does.
 * The penalty is on the weights of the standardised features; the probe has weights and intercepts
 * for features as they are. */
typedef struct lp_fit_options {
    lp_solver solver; /* default LP_SOLVER_SOFTMAX */
    double C;         /* weight of the data's term, > 0; default 0.316 (= 1/lambda) */
    double tolerance; /* liblinear: its eps, default 0.01.  The others, default 1e-6: finished when
                         |g| <= tolerance |g at 0| and gap <= tolerance, or gap <= 1000
                         tolerance^2.  0 = the solver's default */
    double bias;      /* constant feature of ovr and liblinear, default 1; < 0 = none */
    size_t max_iterations;        /* 0 = the solver's default; liblinear has its own limit */
    bool standardize;             /* default false; takes a copy of the features */
    lp_class_weight class_weight; /* default LP_CLASS_WEIGHT_NONE */
    size_t threads;               /* 0 = all processors */
    lp_progress progress;         /* in classes for liblinear, in passes for the others, after each
                                     iteration; their total is a guess, 0 where there is none */
} lp_fit_options;

typedef struct lp_fit_report {
    bool converged;
    size_t iterations;    /* steps that were taken; one-vs-rest: the most of any class */
    size_t passes;        /* over the data; 0 for liblinear, which reports none */
    size_t not_converged; /* one-vs-rest: number of classes that stopped early */
    double objective;     /* at the solution; one-vs-rest: the sum over the classes */
    double gradient;      /* |g| / |g at 0|, one-vs-rest: the largest of any class */
    double gap; /* bound on (objective - optimum) / optimum; < 0: it says nothing, or next to it
                   (the optimum may be less than a thousandth of the objective) */
    double seconds;
    char stopped_by[128]; /* which rule ended it, in words */
} lp_fit_report;

/* Weights W [K, F] and intercepts b [K], float64; the logits of x are W x + b.  For K = 2 both rows
 * are there. */
typedef struct lp_probe lp_probe;

/* The solvers' names, in the order of lp_solver, and NULL behind the last: "liblinear", "ovr",
 * "softmax".  lp_solver_name gives one of them, "unknown" for a number that is no solver. */
extern const char *const lp_solver_names[];
const char *lp_solver_name(lp_solver solver);

void lp_fit_defaults(lp_fit_options *options);

/* Trains on a set of at least two classes that occur.  On LP_OK and LP_NOT_CONVERGED *probe and
 * *report are filled in, otherwise *probe is NULL.
 * LP_ERR_ARGUMENT: an option is out of its range.  LP_ERR_DATA: NaN, infinity or a wrong label (the
 * text names the row), too few classes, or a set too large for the libraries' int.  LP_ERR_MEMORY.
 * LP_CANCELLED: progress returned false.  LP_NOT_CONVERGED: report->stopped_by says why. */
LP_MUST_USE lp_status lp_probe_fit(const lp_examples *train, const lp_fit_options *options,
                                   lp_probe **probe, lp_fit_report *report, lp_error *err);
void lp_probe_free(lp_probe *probe); /* NULL is allowed */

/* What is in a probe; the pointers are valid as long as it. */
lp_solver lp_probe_solver(const lp_probe *probe);         /* that trained it */
size_t lp_probe_classes(const lp_probe *probe);           /* K */
size_t lp_probe_width(const lp_probe *probe);             /* F */
const double *lp_probe_weights(const lp_probe *probe);    /* float64 [K, F], row-major */
const double *lp_probe_intercepts(const lp_probe *probe); /* float64 [K] */

/* A set that a probe was trained on. */
typedef struct lp_training_set {
    const char *path;
    const char *sha256;              /* of its arrays */
    size_t count;                    /* N; 0: there is no such set */
    const lp_provenance *provenance; /* or NULL */
} lp_training_set;

/* How a probe was made.  Texts are NULL where they are not recorded. */
typedef struct lp_training {
    const char *linprobe;           /* version */
    const char *command;            /* command line, or NULL */
    const char *blas, *blas_kernel; /* on which its last digits depend */
    lp_training_set train;
    lp_training_set validation; /* the probe was fitted on both; count 0: on train alone */
    bool multilabel;            /* of several labels an image (linprobe/multilabel.h) */
    lp_fit_options options;     /* without threads and progress, on which nothing depends */
    lp_fit_report report;       /* without seconds */
} lp_training;

/* Records how a probe was made; everything is copied.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_probe_describe(lp_probe *probe, const lp_training *training,
                                        lp_error *err);

/* That record, also from a file; NULL where there is none.  It belongs to the probe. */
const lp_training *lp_probe_training(const lp_probe *probe);

/* Makes the probe know the rows of its training set again, also under another name and in another
 * order (lp_trained_rows_count, linprobe/evaluation.h): it keeps a digest of each row, 8 bytes, of
 * at most 4,194,304 rows.  threads 0: all processors.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_probe_record_rows(lp_probe *probe, const lp_examples *train,
                                           size_t threads, lp_error *err);

/* A probe file is one JSON-described binary; docs/FORMATS.md describes it.  Saving replaces the
 * file when it is whole.  LP_ERR_IO, LP_ERR_MEMORY; LP_ERR_ARGUMENT when the record is too long. */
LP_MUST_USE lp_status lp_probe_save(const lp_probe *probe, const char *path, lp_error *err);

/* Reads a probe file; on failure *probe is NULL.  The solver is the one that the file names:
 * softmax where it names none, ovr where it names one that is not known.
 * LP_ERR_IO: the file cannot be read.  LP_ERR_FORMAT: it is damaged, cut off or no probe file.
 * LP_ERR_UNSUPPORTED: its numbers are not float64, or it is of several labels an image
 * (linprobe/multilabel.h).  LP_ERR_DATA: a weight or an intercept is not finite (the intercept of a
 * class without examples is minus infinity).  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_probe_load(const char *path, lp_probe **probe, lp_error *err);

/* Logits X W' + b: x float32 [N, F] -> logits float64 [N, K], both row-major.  threads 0: all
 * processors.  LP_ERR_DATA: x holds NaN or infinity (the text names the row).  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_probe_logits(const lp_probe *probe, const float *x, size_t count,
                                      double *logits, size_t threads, lp_error *err);

/* Predictions, int64 [N]: the class of the largest logit, the lowest such class on a tie.  Statuses
 * as lp_probe_logits. */
LP_MUST_USE lp_status lp_probe_predict(const lp_probe *probe, const float *x, size_t count,
                                       int64_t *labels, size_t threads, lp_error *err);

/* An interval of 95 %. */
typedef struct lp_interval {
    double low, high;
} lp_interval;

typedef struct lp_score {
    size_t count;
    size_t correct;            /* top-1 */
    size_t correct_top5;       /* label among the five largest logits (all, for K <= 5) */
    double top1;               /* correct / count */
    double top5;               /* correct_top5 / count */
    double mean_per_class;     /* mean over the classes that occur of their own accuracy */
    lp_interval top1_interval; /* Wilson, of top1 */
    lp_interval top5_interval; /* Wilson, of top5 */
    lp_interval mean_per_class_interval; /* from each class's Wilson interval by the method of
                                            variance estimates recovery (Zou, Huang and Zhang,
                                            CSDA 53, 2009) */
} lp_score;

/* Scores on a test set of the probe's width and at least one example; test->classes does not
 * matter.  linprobe/stats.h has more than the score.
 * LP_ERR_ARGUMENT: the widths differ.  LP_ERR_DATA: the set is empty, holds NaN or infinity, or a
 * label that is not in 0 .. K-1 (the text names the row).  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_probe_score(const lp_probe *probe, const lp_examples *test, size_t threads,
                                     lp_score *score, lp_error *err);

#ifdef __cplusplus
}
#endif
#endif
