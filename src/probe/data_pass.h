/* One pass over the training data: losses and gradients of linear models, and sums from which their
 * curvature follows.  See data_pass.c for the plan of the work. */
#ifndef LP_PROBE_DATA_PASS_H
#define LP_PROBE_DATA_PASS_H

#include "base/chunk_sums.h"
#include "base/memory.h"
#include "probe/solver.h"

typedef enum lp_loss {
    LP_LOSS_SOFTMAX, /* one model of K classes */
    LP_LOSS_LOGISTIC /* K models, each of one class against the rest */
} lp_loss;

/* What a pass gives besides losses and gradients. */
typedef enum lp_extra {
    LP_EXTRA_NONE,
    LP_EXTRA_CURVATURE, /* weight and weighted */
    LP_EXTRA_ENTRIES,   /* weight, and where it is large: entries.h */
    LP_EXTRA_COUPLING   /* coupling; softmax alone */
} lp_extra;

struct lp_entries;

/* Where a pass evaluates.  Rows are those of `columns`. */
typedef struct lp_pass_request {
    const double *weights;    /* [count, F] */
    const double *intercepts; /* [count] */
    const size_t *columns;    /* [count] ascending class numbers; all K of them for softmax */
    size_t count;
    bool wide; /* products and exponentials in float64 instead of float32 */
    lp_extra extra;
    struct lp_entries *entries; /* to fill in, for LP_EXTRA_ENTRIES */
} lp_pass_request;

/* Sums over the examples, in float64.  p is the model's probability of the row's class, y 1 for its
 * examples, else 0.  Each term counts as often as the example weighs (lp_weight_of). */
typedef struct lp_pass_sums {
    double *loss;     /* [count]; softmax: the first alone */
    double *residual; /* [count]    p - y */
    double *gradient; /* [count, F] (p - y) x */
    double *weight;   /* [count]    p (1 - p) */
    double *weighted; /* [count, F] p (1 - p) x */
    double *coupling; /* [count, count] p p' */
} lp_pass_sums;

typedef struct lp_pass lp_pass;

/* A pass in `memory`, which the problem outlives. */
LP_MUST_USE lp_status lp_pass_new(const lp_problem *problem, lp_loss loss, lp_memory *memory,
                                  lp_pass **pass, lp_error *err);

/* Sum of x over the examples of each class and, in the last row, over all of them: [K + 1, F]. */
const double *lp_pass_class_sums(const lp_pass *pass);

/* How the work is cut: chunk c has the rows lp_pass_first_row(c) .. lp_pass_first_row(c + 1) - 1.
 * This rank passes over the chunks of its share. */
size_t lp_pass_chunks(const lp_pass *pass);
lp_share lp_pass_share(const lp_pass *pass);
size_t lp_pass_first_row(const lp_pass *pass, size_t chunk);

/* Mean of x [F]. */
const float *lp_pass_mean(const lp_pass *pass);

/* The problem that it passes over. */
const lp_problem *lp_pass_problem(const lp_pass *pass);

/* *sums points into the pass and holds until its next run. */
LP_MUST_USE lp_status lp_pass_run(lp_pass *pass, const lp_pass_request *request, lp_pass_sums *sums,
                                  lp_error *err);

#endif
