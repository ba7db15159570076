/* The preconditioner of the dense solvers.
 *
 * For one class, with the probabilities p_i and a = C sum_i p_i (1 - p_i), the second derivative of
 * the objective along weights w and intercept b is
 *
 *     |w|^2 + C sum_i p_i (1 - p_i) (w.x_i + b)^2
 *       = |w|^2 + a [ w' S w + (m.w + b)^2 ],   m the mean and S the covariance of x under the
 *                                               weights p_i (1 - p_i)
 *
 * m is kept for each class: examples that are hard for it lie near it, and weights and intercept
 * are coupled through where they lie.  This is what matters most.  S is replaced by the covariance
 * within the classes, the same for all of them and independent of W and C, so that one
 * eigendecomposition S = V' diag(l) V serves a whole sweep: in the basis V and with beta = m.w + b
 * in place of b the approximation is diagonal,
 *
 *     sum_j (1 + a l_j) u_j^2 + a beta^2,
 *
 * but for a term of rank one where the intercept is penalised, ((beta - m.u) / bias)^2, or where
 * there is none, a (m.u)^2; the formula of Sherman and Morrison takes care of it.
 *
 * Softmax couples the classes too, - p_k p_l between k and l.  That is left to L-BFGS, except that
 * a step common to all classes changes no probability and must be left out (descent.c). */
#include "probe/curvature.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "math/linalg.h"

enum {
    SAMPLE = 8192, /* examples, and 4 F where that is more, give S well enough */
    WIDEST = 4096, /* beyond, an eigendecomposition takes longer than it saves */
    STRIP = 64,    /* columns or rows of one task */
};

typedef struct scatter_job {
    lp_memory memory; /* that the arrays below lie in */
    const lp_problem *problem;
    const double *class_sums;
    size_t count;  /* rows of the sample */
    float *x;      /* [count, F] less the class means */
    float *strips; /* [F, F], S times count, then S */
} scatter_job;

static lp_status centre_rows(void *context, size_t strip, size_t worker, lp_error *err) {
    const scatter_job *job = context;
    const lp_problem *problem = job->problem;
    size_t F = problem->width;
    (void)worker;
    (void)err;
    for (size_t r = strip * STRIP; r < (strip + 1) * STRIP && r < job->count; r++) {
        /* spread evenly over all rows */
        size_t i = (size_t)((uint64_t)r * problem->count / job->count);
        size_t k = (size_t)problem->labels[i];
        double scale = 1 / (double)problem->counts[k];
        for (size_t j = 0; j < F; j++) {
            job->x[r * F + j] =
                (float)((double)problem->x[i][j] - scale * job->class_sums[k * F + j]);
        }
    }
    return LP_OK;
}

static lp_status multiply_strip(void *context, size_t strip, size_t worker, lp_error *err) {
    const scatter_job *job = context;
    size_t F = job->problem->width, first = strip * STRIP;
    size_t columns = F - first < STRIP ? F - first : STRIP;
    (void)worker;
    (void)err;
    lp_gemm(true, false, columns, F, job->count, 1, job->x + first, F, job->x, F, 0,
            job->strips + first * F, F);
    return LP_OK;
}

static size_t strips_of(size_t count) {
    return (count + STRIP - 1) / STRIP;
}

/* Mean square of each column of the centred sample. */
static void column_variances(const scatter_job *job, double *values) {
    size_t F = job->problem->width;
    double scale = 1 / (double)job->count;
    for (size_t j = 0; j < F; j++) {
        double sum = 0;
        for (size_t r = 0; r < job->count; r++) {
            sum += (double)job->x[r * F + j] * (double)job->x[r * F + j];
        }
        values[j] = scale * sum;
    }
}

static lp_status diagonalise(lp_basis *basis, scatter_job *job, lp_memory *memory, lp_error *err) {
    size_t F = basis->width;
    double scale = 1 / (double)job->count;
    lp_status status;
    basis->vectors = lp_memory_take(memory, F, F * sizeof *basis->vectors);
    basis->covariance = job->strips = lp_memory_take(memory, F, F * sizeof *job->strips);
    LP_TRY(lp_memory_check(memory, "covariance", err));
    LP_TRY(lp_parallel_for(job->problem->threads, strips_of(F), multiply_strip, job, err));
    for (size_t j = 0; j < F * F; j++) {
        basis->vectors[j] = scale * (double)job->strips[j];
        job->strips[j] = (float)basis->vectors[j];
    }
    LP_TRY(lp_eigen_symmetric(basis->vectors, F, basis->values, err));
    for (size_t j = 0; j < F; j++) {
        basis->values[j] = basis->values[j] > 0 ? basis->values[j] : 0; /* but for rounding */
    }
done:
    return status;
}

lp_status lp_basis_init(lp_basis *basis, const lp_problem *problem, const double *class_sums,
                        lp_memory *memory, lp_error *err) {
    size_t F = problem->width, count = 4 * F > SAMPLE ? 4 * F : SAMPLE;
    scatter_job job = {.problem = problem, .class_sums = class_sums};
    lp_status status;
    memset(basis, 0, sizeof *basis);
    basis->width = F;
    job.count = count < problem->count ? count : problem->count;
    job.x = lp_memory_take(&job.memory, job.count, F * sizeof *job.x);
    basis->values = lp_memory_take(memory, F, sizeof *basis->values);
    LP_TRY(lp_memory_check(&job.memory, "covariance", err));
    LP_TRY(lp_memory_check(memory, "covariance", err));
    LP_TRY(lp_parallel_for(problem->threads, strips_of(job.count), centre_rows, &job, err));
    if (F > WIDEST) {
        column_variances(&job, basis->values);
    } else {
        LP_TRY(diagonalise(basis, &job, memory, err));
    }
done:
    lp_memory_free(&job.memory);
    return status;
}

typedef struct turn_job {
    const lp_basis *basis;
    const double *from;
    double *to;
    size_t rows;
    lp_turn where;
} turn_job;

static lp_status turn_strip(void *context, size_t strip, size_t worker, lp_error *err) {
    const turn_job *job = context;
    size_t F = job->basis->width, first = strip * STRIP;
    size_t rows = job->rows - first < STRIP ? job->rows - first : STRIP;
    (void)worker;
    (void)err;
    lp_gemm64(false, job->where == LP_TO_BASIS, rows, F, F, 1, job->from + first * F, F,
              job->basis->vectors, F, 0, job->to + first * F, F);
    return LP_OK;
}

lp_status lp_basis_turn(const lp_basis *basis, lp_turn where, const double *from, size_t rows,
                        double *to, size_t threads, lp_error *err) {
    turn_job job = {basis, from, to, rows, where};
    if (basis->vectors == NULL) {
        memcpy(to, from, rows * basis->width * sizeof *to);
        return LP_OK;
    }
    return lp_parallel_for(threads, strips_of(rows), turn_strip, &job, err);
}

void lp_precondition(const lp_preconditioner *p, size_t k, const double *from, double *to) {
    size_t F = p->basis->width;
    const double *l = p->basis->values;
    const double *m = p->centres + k * F;
    double a = p->C * p->weight[k];
    bool intercept = p->scale > 0;
    /* D u = g, and of the term of rank one, v v' with v = (m, 0) or (m, -1) up to a factor:
     * along = v.u and own = v.(D^-1 v) */
    double force = intercept ? from[F] / p->scale : 0; /* d/d beta */
    double beta = force / a, along = 0, own = 0;
    for (size_t j = 0; j < F; j++) {
        double d = 1 / (1 + a * l[j]);
        to[j] = d * (from[j] - m[j] * force);
        along += m[j] * to[j];
        own += m[j] * m[j] * d;
    }
    double factor = 0;
    if (!intercept) {
        factor = a * along / (1 + a * own);
    } else if (p->penalty > 0) {
        double share = p->penalty / (p->scale * p->scale);
        factor = share * (along - beta) / (1 + share * (own + 1 / a));
    }
    if (factor != 0) {
        along -= factor * own;
        beta += intercept ? factor / a : 0;
        for (size_t j = 0; j < F; j++) {
            to[j] -= factor * m[j] / (1 + a * l[j]);
        }
    }
    to[F] = intercept ? (beta - along) / p->scale : 0;
}
