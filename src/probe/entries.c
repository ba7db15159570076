/* Entries of the second derivative, and products with it.
 *
 * For a row with the probabilities p, along weights and intercepts V,
 *     softmax:      (diag(p) - p p') V x~ x~'      one-vs-rest, class k:  p_k (1 - p_k) v_k x~ x~'
 * A trained model is nearly sure of most rows, and of the others it doubts between a few classes.
 * Of class k only the rows with p (1 - p) > a share of the class's mean are kept: what is left out
 * is at most that share of the class's whole weight, and far fewer than N K entries hold all the
 * rest. The products serve to find a direction, so they need not be exact; values and gradients
 * are.
 *
 * Softmax keeps p of all but the row's label, to which the remainder of 1 is given: then what is
 * kept is positive semidefinite, and a step common to all classes has no curvature, as in the
 * whole. */
#include "probe/entries.h"

#include <string.h>

#include "base/error.h"
#include "base/parallel.h"

static const double COARSER = 3;

static size_t scratch_of(size_t classes, size_t width) {
    return classes * (width + 1) + width + classes;
}

lp_entries *lp_entries_new(const lp_pass *pass, lp_loss loss, size_t per_row, lp_memory *memory) {
    const lp_problem *problem = lp_pass_problem(pass);
    size_t K = problem->classes, F = problem->width, chunks = lp_pass_chunks(pass);
    size_t threads = problem->threads < chunks ? problem->threads : chunks;
    lp_share own = lp_pass_share(pass);
    lp_entries *e = lp_memory_take_zeroed(memory, 1, sizeof *e);
    if (e == NULL) {
        return NULL;
    }
    e->pass = pass;
    e->loss = loss;
    e->coarse = 1;
    e->least = lp_memory_take(memory, K, sizeof *e->least);
    e->counts = lp_memory_take_zeroed(memory, problem->count, sizeof *e->counts);
    e->lists = lp_memory_take_zeroed(memory, chunks, sizeof *e->lists);
    e->sums = lp_chunk_sums_new(memory, chunks, K * (F + 1), problem->threads, problem->alone);
    e->model = lp_memory_take(memory, K, (F + 1) * sizeof *e->model);
    e->scratch = lp_memory_take(memory, threads, scratch_of(K, F) * sizeof *e->scratch);
    for (size_t c = own.first; e->lists != NULL && c < own.end; c++) {
        lp_entry_list *list = &e->lists[c];
        list->room = per_row * (lp_pass_first_row(pass, c + 1) - lp_pass_first_row(pass, c));
        list->classes = lp_memory_take(memory, list->room, sizeof *list->classes);
        list->values = lp_memory_take(memory, list->room, sizeof *list->values);
    }
    return e;
}

void lp_entries_set_least(lp_entries *e, double share, const double *weight, const size_t *columns,
                          size_t count) {
    e->coarse *= e->full ? COARSER : 1;
    for (size_t r = 0; r < count; r++) {
        double mean = weight[columns[r]] / (double)lp_pass_problem(e->pass)->count;
        e->least[r] = (float)(e->coarse * share * mean);
    }
}

void lp_entries_restart(lp_entries *e, size_t chunk) {
    e->lists[chunk].used = 0;
    e->lists[chunk].full = false;
}

void lp_entries_add(lp_entries *e, size_t chunk, size_t row, const float *residual,
                    const float *least, const lp_pass_request *request) {
    const lp_problem *problem = lp_pass_problem(e->pass);
    lp_entry_list *list = &e->lists[chunk];
    size_t found, room = list->full ? 0 : list->room - list->used, kept = 0;
    int32_t label = problem->labels[row];
    int32_t *classes = list->classes + list->used;
    float *values = list->values + list->used;
    lp_curved_select(residual, request->count, least, room, classes, values, &found);
    if (found > room) {
        list->full = true;
        found = 0;
    }
    for (size_t n = 0; n < found; n++) {
        int32_t k = (int32_t)request->columns[classes[n]];
        float p = values[n];
        if (e->loss == LP_LOSS_LOGISTIC || k != label) {
            classes[kept] = k;
            if (e->loss == LP_LOSS_LOGISTIC) {
                p *= (1.0F - p) * (float)lp_weight_of(problem, (size_t)label, (size_t)k);
            }
            values[kept++] = p;
        }
    }
    e->counts[row] = (uint32_t)kept;
    list->used += kept;
}

void lp_entries_count_chunk(const lp_entries *e, size_t chunk, double *counts) {
    size_t rows = 0, end = lp_pass_first_row(e->pass, chunk + 1);
    for (size_t i = lp_pass_first_row(e->pass, chunk); i < end; i++) {
        rows += e->counts[i] > 0;
    }
    counts[0] = (double)e->lists[chunk].used;
    counts[1] = (double)rows;
    counts[2] = e->lists[chunk].full ? 1 : 0;
}

void lp_entries_counted(lp_entries *e, const double *counts) {
    e->used = (size_t)counts[0];
    e->rows = (size_t)counts[1];
    e->full = counts[2] > 0;
}

static lp_status multiply_chunk(void *context, size_t chunk, size_t worker, double *sums,
                                lp_error *err) {
    const lp_entries *e = context;
    const lp_problem *problem = lp_pass_problem(e->pass);
    size_t K = problem->classes, F = problem->width;
    size_t first = lp_pass_first_row(e->pass, chunk), end = lp_pass_first_row(e->pass, chunk + 1);
    float *narrow = e->scratch + worker * scratch_of(K, F), *scratch = narrow + K * (F + 1);
    const lp_curved_rows rows = {.x = problem->x + first,
                                 .rows = end - first,
                                 .width = F,
                                 .mean = lp_pass_mean(e->pass),
                                 .labels = problem->labels + first,
                                 .counts = e->counts + first,
                                 .classes = e->lists[chunk].classes,
                                 .values = e->lists[chunk].values,
                                 .weights = problem->own};
    (void)err;
    memset(narrow, 0, K * (F + 1) * sizeof *narrow);
    (e->loss == LP_LOSS_SOFTMAX ? lp_curved_softmax : lp_curved_logistic)(
        &rows, e->model, e->model + K * F, scratch, narrow, narrow + K * F);
    for (size_t j = 0; j < K * (F + 1); j++) {
        sums[j] = (double)narrow[j];
    }
    return LP_OK;
}

typedef struct sum_job {
    const lp_entries *entries;
    const double *sums;
    double *weights, *intercepts;
} sum_job;

/* Of one class, the mean of x put back. */
static lp_status finish_class(void *context, size_t k, size_t worker, lp_error *err) {
    const sum_job *job = context;
    const lp_problem *problem = lp_pass_problem(job->entries->pass);
    size_t K = problem->classes, F = problem->width;
    const float *mean = lp_pass_mean(job->entries->pass);
    double *out = job->weights + k * F, total = job->sums[K * F + k];
    (void)worker;
    (void)err;
    for (size_t j = 0; j < F; j++) {
        out[j] = job->sums[k * F + j] + total * (double)mean[j];
    }
    job->intercepts[k] = total;
    return LP_OK;
}

lp_status lp_entries_product(const lp_entries *e, const double *weights, const double *intercepts,
                             double *out_weights, double *out_intercepts, lp_error *err) {
    const lp_problem *problem = lp_pass_problem(e->pass);
    size_t K = problem->classes, F = problem->width, threads = problem->threads;
    const float *mean = lp_pass_mean(e->pass);
    uint64_t mark = lp_chunk_mark(lp_chunk_mark(K, weights, K * F), intercepts, K);
    double *sums;
    lp_status status;
    for (size_t k = 0; k < K; k++) {
        double offset = intercepts[k];
        for (size_t j = 0; j < F; j++) {
            offset += weights[k * F + j] * (double)mean[j];
            e->model[k * F + j] = (float)weights[k * F + j];
        }
        e->model[K * F + k] = (float)offset;
    }
    LP_TRY(lp_chunk_sums_run(e->sums, K * (F + 1), mark, multiply_chunk, (void *)(uintptr_t)e,
                             &sums, err));
    sum_job job = {e, sums, out_weights, out_intercepts};
    LP_TRY(lp_parallel_for(threads, K, finish_class, &job, err));
done:
    return status;
}
