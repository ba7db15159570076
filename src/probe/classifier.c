/* The probe after training: logits, predictions.
 *
 *     x [N, F] float32 -> float64, by blocks of rows -> x W' + b -> logits [N, K] -> class
 *
 * Float64 throughout, so that a prediction does not depend on the block or thread it was made in
 * and agrees with any other program that computes in float64, except for ties to the last bit. */
#include "probe/classifier.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/parallel.h"
#include "base/team.h"
#include "math/linalg.h"

enum { BLOCK = 256 }; /* rows whose float64 copy stays in the L2 cache */

lp_status lp_probe_new(size_t classes, size_t width, lp_probe **out, lp_error *err) {
    lp_probe *probe = lp_alloc_zeroed(1, sizeof *probe);
    lp_status status;
    *out = NULL;
    LP_TRY(lp_allocated(probe, "probe", 1, sizeof *probe, err));
    probe->solver = LP_SOLVER_SOFTMAX;
    probe->classes = classes;
    probe->width = width;
    probe->weights = lp_memory_take_zeroed(&probe->memory, width, classes * sizeof(double));
    probe->intercepts = lp_memory_take_zeroed(&probe->memory, classes, sizeof(double));
    LP_TRY(lp_memory_check(&probe->memory, "probe", err));
    *out = probe;
    probe = NULL;
done:
    lp_probe_free(probe);
    return status;
}

void lp_probe_free(lp_probe *probe) {
    if (probe != NULL) {
        lp_memory_free(&probe->memory);
        lp_training_close(probe->training);
        lp_free(probe->rows.values);
        lp_free(probe);
    }
}

lp_solver lp_probe_solver(const lp_probe *probe) {
    return probe->solver;
}

size_t lp_probe_classes(const lp_probe *probe) {
    return probe->classes;
}

size_t lp_probe_width(const lp_probe *probe) {
    return probe->width;
}

const double *lp_probe_weights(const lp_probe *probe) {
    return probe->weights;
}

const double *lp_probe_intercepts(const lp_probe *probe) {
    return probe->intercepts;
}

const lp_training *lp_probe_training(const lp_probe *probe) {
    return lp_training_of(probe->training);
}

static lp_status check_row(const float *row, size_t i, size_t width, lp_error *err) {
    float sum = 0; /* v * 0 is NaN where v is NaN or infinite, else 0 */
    for (size_t j = 0; j < width; j++) {
        sum += row[j] * 0.0f;
    }
    if (!isnan(sum)) {
        return LP_OK;
    }
    size_t j = 0;
    while (isfinite(row[j])) {
        j++;
    }
    return lp_fail(err, LP_ERR_DATA, "features: row %zu, column %zu holds %s", i, j,
                   isnan(row[j]) ? "NaN" : "an infinity");
}

lp_status lp_check_finite(const float *x, size_t count, size_t width, lp_error *err) {
    lp_status status = LP_OK;
    for (size_t i = 0; status == LP_OK && i < count; i++) {
        status = check_row(x + i * width, i, width, err);
    }
    return status;
}

lp_status lp_check_share(const float *x, size_t count, size_t width, lp_error *err) {
    lp_share own = lp_team_share(count);
    lp_status status = LP_OK;
    for (size_t i = own.first; status == LP_OK && i < own.end; i++) {
        status = check_row(x + i * width, i, width, err);
    }
    return status;
}

typedef struct block_job {
    const lp_probe *probe;
    const float *x;
    size_t count;
    double *logits;  /* [N, K], or NULL: then */
    int64_t *labels; /* [N] */
    double *scratch; /* [workers, BLOCK, F + K] */
} block_job;

static lp_status do_block(void *context, size_t index, size_t worker, lp_error *err) {
    const block_job *job = context;
    size_t F = job->probe->width, K = job->probe->classes, first = index * BLOCK;
    size_t rows = job->count - first < BLOCK ? job->count - first : BLOCK;
    const float *x = job->x + first * F;
    double *wide = job->scratch + worker * BLOCK * (F + K);
    double *logits = job->logits != NULL ? job->logits + first * K : wide + BLOCK * F;
    lp_status status = lp_check_finite(x, rows, F, NULL);
    if (status != LP_OK) {
        /* Once more from the top, for the row's number in the whole. */
        return lp_check_finite(job->x, first + rows, F, err);
    }
    for (size_t i = 0; i < rows * F; i++) {
        wide[i] = (double)x[i];
    }
    for (size_t i = 0; i < rows; i++) {
        memcpy(logits + i * K, job->probe->intercepts, K * sizeof *logits);
    }
    lp_gemm64(false, true, rows, K, F, 1, wide, F, job->probe->weights, F, 1, logits, K);
    for (size_t i = 0; job->labels != NULL && i < rows; i++) {
        const double *row = logits + i * K;
        size_t best = 0;
        for (size_t k = 1; k < K; k++) {
            best = row[k] > row[best] ? k : best;
        }
        job->labels[first + i] = (int64_t)best;
    }
    return LP_OK;
}

static lp_status run_blocks(block_job *job, size_t threads, lp_error *err) {
    size_t blocks = job->count / BLOCK + (job->count % BLOCK != 0);
    threads = threads > 0 ? threads : lp_processor_count();
    threads = threads < blocks ? threads : blocks;
    job->scratch =
        lp_alloc(threads * BLOCK, (job->probe->width + job->probe->classes) * sizeof *job->scratch);
    if (job->scratch == NULL) {
        return lp_fail_memory(err, "logits", threads * BLOCK, job->probe->width * sizeof(double));
    }
    lp_status status = lp_parallel_for(threads, blocks, do_block, job, err);
    lp_free(job->scratch);
    return status;
}

lp_status lp_probe_logits(const lp_probe *probe, const float *x, size_t count, double *logits,
                          size_t threads, lp_error *err) {
    block_job job = {.probe = probe, .x = x, .count = count, .logits = logits};
    return run_blocks(&job, threads, err);
}

lp_status lp_probe_predict(const lp_probe *probe, const float *x, size_t count, int64_t *labels,
                           size_t threads, lp_error *err) {
    block_job job = {.probe = probe, .x = x, .count = count, .labels = labels};
    return run_blocks(&job, threads, err);
}
