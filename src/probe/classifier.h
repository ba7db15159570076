/* The trained probe as its own files see it. */
#ifndef LP_PROBE_CLASSIFIER_H
#define LP_PROBE_CLASSIFIER_H

#include "base/memory.h"
#include "linprobe/probe.h"
#include "probe/shared_rows.h"
#include "probe/training.h"

struct lp_probe {
    lp_memory memory; /* that weights and intercepts lie in */
    lp_solver solver;
    size_t classes;             /* K */
    size_t width;               /* F */
    double *weights;            /* [K, F] */
    double *intercepts;         /* [K]; minus infinity for a class that training never saw */
    lp_training_file *training; /* how it was made, or NULL */
    bool multilabel;            /* its classes do not exclude each other */
    bool knows_rows;
    lp_row_digests rows; /* of its training set, where it knows them */
};

/* A probe of zeros, of LP_SOLVER_SOFTMAX and without a training record. */
LP_MUST_USE lp_status lp_probe_new(size_t classes, size_t width, lp_probe **probe, lp_error *err);

/* LP_ERR_DATA naming the first row of x [N, F] that holds NaN or infinity. */
LP_MUST_USE lp_status lp_check_finite(const float *x, size_t count, size_t width, lp_error *err);

/* The same, of this rank's share of the rows alone: together the ranks look at all of them. */
LP_MUST_USE lp_status lp_check_share(const float *x, size_t count, size_t width, lp_error *err);

#endif
