/* A pass over the training data, fused so that a block of rows stays in the L2 cache:
 *
 *     block of x [B, F] float32, less the mean of all x -> scratch
 *       -> logits scratch W' + (b + W mean)              [B, K]   product
 *       -> loss, residual r = p - y in place             [B, K]
 *       -> r' scratch                                    [K, F]   product, added up in float64
 *       -> p (1 - p), its product with scratch           (when curvature is asked for)
 *       -> p (1 - p), the large ones to a list           (when entries are)
 *       -> p' p                                [K, K]    (when the classes' coupling is)
 *     with weights, losses and residuals are weighted before they are added up
 *     afterwards  r' x = r' (x - mean) + (sum r) mean'
 *
 * Taking the mean off keeps float32's digits for what distinguishes the examples: features often
 * have means far larger than their spread.
 *
 * Rows are cut into blocks and blocks into chunks by N, F and K alone.  A chunk has its own sums,
 * and the chunks are added up in one order (base/chunk_sums.h), so the result is the same for every
 * number of threads and ranks. */
#include "probe/data_pass.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "math/accumulate.h"
#include "math/linalg.h"
#include "math/logistic.h"
#include "probe/entries.h"

enum {
    BLOCK_BYTES = 640 << 10, /* of float32 rows and logits */
    MIN_BLOCK = 32,
    MAX_BLOCK = 512, /* lp_logistic_residual's limit */
    /* Chunks: as many as keep threads busy, where all their sums take CHUNK_BYTES; and one for
     * CHUNK_BLOCKS blocks, which take far longer than adding its sums to the others'. */
    FEW_CHUNKS = 32,
    MIN_CHUNKS = 4,
    CHUNK_BYTES = 64 << 20,
    CHUNK_BLOCKS = 64,
    MAX_CHUNKS = 1024
};

typedef struct pass_worker {
    float *narrow; /* [block, F], [block, K], then [K, F] or [K, K] */
    double *wide;  /* the same, made when first needed */
    int32_t *labels;
    float *row;      /* [K] */
    float *least;    /* [K] */
    double *columns; /* [2, K]; with weights */
    double *kept;    /* [block]; likewise */
} pass_worker;

struct lp_pass {
    const lp_problem *problem;
    lp_loss loss;
    size_t block; /* rows */
    size_t blocks, chunks;
    size_t widest;      /* the larger of F and, for softmax, K */
    float *mean;        /* [F] */
    double *class_sums; /* [K + 1, F], the last of all classes */
    /* of a chunk: loss, residual, weight [K], gradient [K, F], then weighted [K, F], coupling [K,
     * K] or the counts of entries */
    lp_chunk_sums *sums;
    int32_t *column_of;  /* [K] place of a class among the request's columns, or -1 */
    float *narrow_model; /* [K, F], [K] */
    double *wide_model;
    size_t workers;
    pass_worker *worker;
    const lp_pass_request *request; /* of the running pass */
};

/* log(1 + exp(z)) */
static double softplus(double z) {
    return log1p(exp(-fabs(z))) + fmax(z, 0);
}

/* Weight of a row of class `label` in a column of the running request. */
static double weight_in(const lp_pass *pass, int32_t label, size_t column) {
    return lp_weight_of(pass->problem, (size_t)label, pass->request->columns[column]);
}

#define REAL float
#define OF_TYPE(name) name
#include "probe/data_pass_block.inc"
#undef REAL
#undef OF_TYPE

#define REAL double
#define OF_TYPE(name) name##64
#include "probe/data_pass_block.inc"

static size_t first_block(const lp_pass *pass, size_t chunk) {
    return pass->blocks * chunk / pass->chunks;
}

static lp_status sum_chunk(void *context, size_t chunk, size_t worker, double *sums,
                           lp_error *err) {
    const lp_pass *pass = context;
    const lp_problem *problem = pass->problem;
    size_t F = problem->width, end = first_block(pass, chunk + 1) * pass->block;
    (void)worker;
    (void)err;
    memset(sums, 0, problem->classes * F * sizeof *sums);
    for (size_t i = first_block(pass, chunk) * pass->block; i < end && i < problem->count; i++) {
        double *sum = sums + (size_t)problem->labels[i] * F;
        for (size_t j = 0; j < F; j++) {
            sum[j] += (double)problem->x[i][j];
        }
    }
    return LP_OK;
}

static lp_status sum_classes(lp_pass *pass, lp_error *err) {
    const lp_problem *problem = pass->problem;
    size_t F = problem->width;
    double *total = pass->class_sums + problem->classes * F, *sums;
    lp_status status;
    LP_TRY(lp_chunk_sums_run(pass->sums, problem->classes * F, 0, sum_chunk, pass, &sums, err));
    memcpy(pass->class_sums, sums, problem->classes * F * sizeof *sums);
    for (size_t k = 0; k < problem->classes; k++) {
        for (size_t j = 0; j < F; j++) {
            total[j] += pass->class_sums[k * F + j];
        }
    }
    for (size_t j = 0; j < F; j++) {
        pass->mean[j] = (float)(total[j] / (double)problem->count);
    }
done:
    return status;
}

static void cut(lp_pass *pass) {
    size_t F = pass->problem->width, K = pass->problem->classes;
    pass->widest = pass->loss == LP_LOSS_SOFTMAX && K > F ? K : F;
    size_t rows = BLOCK_BYTES / ((F + K) * sizeof(float)) / MIN_BLOCK * MIN_BLOCK;
    rows = rows < MIN_BLOCK ? MIN_BLOCK : rows;
    pass->block = rows > MAX_BLOCK ? MAX_BLOCK : rows;
    pass->blocks = (pass->problem->count + pass->block - 1) / pass->block;
    pass->chunks = CHUNK_BYTES / ((3 + F + pass->widest) * sizeof(double)) / K;
    pass->chunks = pass->chunks > FEW_CHUNKS ? FEW_CHUNKS : pass->chunks;
    pass->chunks = pass->chunks < MIN_CHUNKS ? MIN_CHUNKS : pass->chunks;
    size_t many = pass->blocks / CHUNK_BLOCKS;
    many = many > MAX_CHUNKS ? MAX_CHUNKS : many;
    pass->chunks = pass->chunks < many ? many : pass->chunks;
    pass->chunks = pass->chunks > pass->blocks ? pass->blocks : pass->chunks;
}

lp_status lp_pass_new(const lp_problem *problem, lp_loss loss, lp_memory *memory, lp_pass **out,
                      lp_error *err) {
    size_t F = problem->width, K = problem->classes;
    lp_status status;
    *out = NULL;
    lp_pass *pass = lp_memory_take_zeroed(memory, 1, sizeof *pass);
    LP_TRY(lp_memory_check(memory, "pass", err));
    pass->problem = problem;
    pass->loss = loss;
    cut(pass);
    size_t most = K * (3 + F + pass->widest) + LP_ENTRY_COUNTS;
    pass->workers = problem->threads < pass->chunks ? problem->threads : pass->chunks;
    pass->mean = lp_memory_take(memory, F, sizeof *pass->mean);
    pass->class_sums = lp_memory_take_zeroed(memory, K + 1, F * sizeof *pass->class_sums);
    pass->sums = lp_chunk_sums_new(memory, pass->chunks, most, problem->threads, problem->alone);
    pass->column_of = lp_memory_take(memory, K, sizeof *pass->column_of);
    pass->narrow_model = lp_memory_take(memory, K, (F + 1) * sizeof *pass->narrow_model);
    pass->wide_model = lp_memory_take(memory, K, (F + 1) * sizeof *pass->wide_model);
    pass->worker = lp_memory_take(memory, pass->workers, sizeof *pass->worker);
    for (size_t w = 0; pass->worker != NULL && w < pass->workers; w++) {
        size_t size = pass->block * (F + K) + K * pass->widest;
        pass->worker[w].narrow = lp_memory_take(memory, size, sizeof(float));
        pass->worker[w].wide = lp_memory_take(memory, size, sizeof(double));
        pass->worker[w].labels = lp_memory_take(memory, pass->block, sizeof(int32_t));
        pass->worker[w].row = lp_memory_take(memory, K, sizeof(float));
        pass->worker[w].least = lp_memory_take(memory, K, sizeof(float));
        pass->worker[w].columns = lp_memory_take(memory, K, 2 * sizeof(double));
        pass->worker[w].kept = lp_memory_take(memory, pass->block, sizeof(double));
    }
    LP_TRY(lp_memory_check(memory, "pass", err));
    LP_TRY(sum_classes(pass, err));
    *out = pass;
done:
    return status;
}

size_t lp_pass_chunks(const lp_pass *pass) {
    return pass->chunks;
}

lp_share lp_pass_share(const lp_pass *pass) {
    return lp_chunk_sums_share(pass->sums);
}

size_t lp_pass_first_row(const lp_pass *pass, size_t chunk) {
    size_t row = first_block(pass, chunk) * pass->block;
    return row < pass->problem->count ? row : pass->problem->count;
}

const float *lp_pass_mean(const lp_pass *pass) {
    return pass->mean;
}

const lp_problem *lp_pass_problem(const lp_pass *pass) {
    return pass->problem;
}

const double *lp_pass_class_sums(const lp_pass *pass) {
    return pass->class_sums;
}

static void set_model(lp_pass *pass, const lp_pass_request *request) {
    size_t F = pass->problem->width, size = request->count * F;
    for (size_t k = 0; k < pass->problem->classes; k++) {
        pass->column_of[k] = -1;
    }
    for (size_t r = 0; r < request->count; r++) {
        const double *w = request->weights + r * F;
        double offset = request->intercepts[r];
        for (size_t j = 0; j < F; j++) {
            offset += w[j] * (double)pass->mean[j];
        }
        pass->wide_model[size + r] = offset;
        pass->column_of[request->columns[r]] = (int32_t)r;
    }
    memcpy(pass->wide_model, request->weights, size * sizeof *pass->wide_model);
    for (size_t j = 0; !request->wide && j < size + request->count; j++) {
        pass->narrow_model[j] = (float)pass->wide_model[j];
    }
}

/* How many sums a chunk of this request has. */
static size_t sums_of(const lp_pass *pass, const lp_pass_request *request) {
    size_t F = pass->problem->width, count = request->count, plain = count * (3 + F);
    switch (request->extra) {
    case LP_EXTRA_CURVATURE:
        return plain + count * F;
    case LP_EXTRA_COUPLING:
        return plain + count * count;
    case LP_EXTRA_ENTRIES:
        return plain + LP_ENTRY_COUNTS;
    case LP_EXTRA_NONE:
        break;
    }
    return plain;
}

static lp_status run_chunk(void *context, size_t chunk, size_t worker, double *sums,
                           lp_error *err) {
    const lp_pass *pass = context;
    const lp_pass_request *request = pass->request;
    const pass_worker *own = &pass->worker[worker];
    size_t size = sums_of(pass, request), end = first_block(pass, chunk + 1);
    (void)err;
    memset(sums, 0, size * sizeof *sums);
    if (request->extra == LP_EXTRA_ENTRIES) {
        lp_entries_restart(request->entries, chunk);
    }
    for (size_t b = first_block(pass, chunk); b < end; b++) {
        size_t first = b * pass->block, rows = pass->problem->count - first;
        rows = rows < pass->block ? rows : pass->block;
        if (request->wide) {
            do_block64(pass, chunk, first, rows, pass->wide_model, own->wide, own, sums);
        } else {
            do_block(pass, chunk, first, rows, pass->narrow_model, own->narrow, own, sums);
        }
    }
    if (request->extra == LP_EXTRA_ENTRIES) {
        lp_entries_count_chunk(request->entries, chunk, sums + size - LP_ENTRY_COUNTS);
    }
    return LP_OK;
}

lp_status lp_pass_run(lp_pass *pass, const lp_pass_request *request, lp_pass_sums *sums,
                      lp_error *err) {
    size_t F = pass->problem->width, count = request->count, size = sums_of(pass, request);
    uint64_t mark = lp_chunk_mark(size, request->weights, count * F);
    lp_status status;
    set_model(pass, request);
    pass->request = request;
    LP_TRY(lp_chunk_sums_run(pass->sums, size, lp_chunk_mark(mark, request->intercepts, count),
                             run_chunk, pass, &sums->loss, err));
    sums->residual = sums->loss + count;
    sums->weight = sums->residual + count;
    sums->gradient = sums->weight + count;
    sums->weighted = sums->gradient + count * F;
    sums->coupling = sums->weighted;
    if (request->extra == LP_EXTRA_ENTRIES) {
        lp_entries_counted(request->entries, sums->loss + size - LP_ENTRY_COUNTS);
    }
    for (size_t r = 0; r < count; r++) {
        for (size_t j = 0; j < F; j++) {
            double mean = (double)pass->mean[j];
            sums->gradient[r * F + j] += sums->residual[r] * mean;
            if (request->extra == LP_EXTRA_CURVATURE) {
                sums->weighted[r * F + j] += sums->weight[r] * mean;
            }
        }
    }
done:
    return status;
}
