/* Weighted k nearest neighbours.
 *
 *     train [N, F], test [M, F] -> inverse norms [N], [M]
 *     tasks of ROWS test rows, over all cores; for each, the training set in blocks:
 *       unit vectors [ROWS, F] x [block, F]' -> similarities [ROWS, block], float32
 *       -> candidates -> similarity in float64 -> the k nearest of each row
 *     neighbours [M, k] -> votes exp((s - s_1) / T) [K] -> rank of the label
 *
 * The float32 product only sieves.  With u = 2^-24 its error is at most F u in the sum and 2 u from
 * rounding the unit vectors (Higham, Accuracy and Stability, section 3.1, whatever the order of the
 * sum), so a similarity that is below the k-th best so far by more than (F + 16) u cannot be among
 * the k; every other one is computed again in float64.  That happens about k (1 + ln(N / k)) times
 * a row, so the result is that of a search in float64 at the price of float32, and does not depend
 * on how a BLAS cuts its sums.
 *
 * In a team of ranks each searches its share of the training rows; then each joins what all have
 * found for its share of the test rows.
 *
 * The weights are relative to the nearest neighbour's, s_1, which changes no comparison of votes
 * and keeps exp within range for every T. */
#include "probe/knn.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/progress.h"
#include "base/team.h"
#include "math/linalg.h"
#include "probe/classifier.h"
#include "probe/metrics.h"

enum {
    ROWS = 128, /* test rows of a task */
    /* Training rows at a time: as many as 2 MiB of unit vectors hold, within these limits. */
    BLOCK_FLOATS = 1 << 19,
    MIN_BLOCK = 16,
    MAX_BLOCK = 1024
};

typedef struct search {
    const lp_examples *train;
    const lp_examples *test;
    size_t k;
    size_t block;          /* training rows at a time */
    lp_share rows;         /* of the training set, of this rank */
    double *train_inverse; /* [N] 1 / norm, 0 for a vector of zeros */
    double *test_inverse;  /* [M] */
    lp_neighbour *nearest; /* [M, k] */
    float *scratch;        /* [workers, scratch_of(...)] */
    const lp_progress *progress;
    pthread_mutex_t lock; /* guards the two below */
    size_t done;
    bool stopped;
} search;

/* Unit vectors of both blocks and their products. */
static size_t scratch_of(size_t block, size_t width) {
    return (ROWS + block) * width + ROWS * block;
}

static void invert_norms(const lp_examples *set, lp_share rows, double *inverse) {
    for (size_t i = rows.first; i < rows.end; i++) {
        const float *x = set->x + i * set->width;
        double sum = 0;
        for (size_t j = 0; j < set->width; j++) {
            sum += (double)x[j] * (double)x[j];
        }
        inverse[i] = sum > 0 ? 1 / sqrt(sum) : 0;
    }
}

static void scale_rows(const lp_examples *set, const double *inverse, size_t first, size_t rows,
                       float *unit) {
    size_t F = set->width;
    for (size_t i = 0; i < rows; i++) {
        const float *x = set->x + (first + i) * F;
        for (size_t j = 0; j < F; j++) {
            unit[i * F + j] = (float)((double)x[j] * inverse[first + i]);
        }
    }
}

static double similarity(const search *s, size_t test_row, size_t train_row) {
    size_t F = s->train->width;
    const float *a = s->test->x + test_row * F;
    const float *b = s->train->x + train_row * F;
    double dot = 0;
    for (size_t j = 0; j < F; j++) {
        dot += (double)a[j] * (double)b[j];
    }
    return dot * s->test_inverse[test_row] * s->train_inverse[train_row];
}

/* Puts a neighbour in its place among best [*have], which are sorted; rows come in rising order. */
static void insert(lp_neighbour *best, size_t *have, size_t k, lp_neighbour found) {
    size_t at = *have;
    while (at > 0 && best[at - 1].similarity < found.similarity) {
        at--;
    }
    if (at < k) {
        *have += *have < k;
        memmove(best + at + 1, best + at, (*have - 1 - at) * sizeof *best);
        best[at] = found;
    }
}

static lp_status report(search *s, lp_error *err) {
    size_t tasks = s->test->count / ROWS + (s->test->count % ROWS != 0);
    (void)pthread_mutex_lock(&s->lock);
    s->stopped = s->stopped || !lp_progress_step(s->progress, ++s->done, tasks, NULL);
    bool stopped = s->stopped;
    (void)pthread_mutex_unlock(&s->lock);
    return stopped ? lp_fail(err, LP_CANCELLED, "nearest neighbours: cancelled") : LP_OK;
}

static lp_status search_rows(void *context, size_t index, size_t worker, lp_error *err) {
    search *s = context;
    size_t F = s->train->width, start = index * ROWS;
    size_t rows = s->test->count - start < ROWS ? s->test->count - start : ROWS;
    size_t have[ROWS] = {0};
    float *test_unit = s->scratch + worker * scratch_of(s->block, F);
    float *train_unit = test_unit + ROWS * F;
    float *products = train_unit + s->block * F;
    double slack = ((double)F + 16) * 0x1p-24;
    scale_rows(s->test, s->test_inverse, start, rows, test_unit);
    for (size_t first = s->rows.first; first < s->rows.end; first += s->block) {
        size_t columns = s->rows.end - first < s->block ? s->rows.end - first : s->block;
        scale_rows(s->train, s->train_inverse, first, columns, train_unit);
        lp_gemm(false, true, rows, columns, F, 1, test_unit, F, train_unit, F, 0, products,
                columns);
        for (size_t i = 0; i < rows; i++) {
            lp_neighbour *best = s->nearest + (start + i) * s->k;
            for (size_t j = 0; j < columns; j++) {
                if (have[i] < s->k ||
                    (double)products[i * columns + j] >= best[s->k - 1].similarity - slack) {
                    lp_neighbour found = {similarity(s, start + i, first + j), first + j};
                    insert(best, &have[i], s->k, found);
                }
            }
        }
    }
    for (size_t i = 0; i < rows; i++) { /* of a rank with fewer rows than k */
        for (size_t n = have[i]; n < s->k; n++) {
            s->nearest[(start + i) * s->k + n] = (lp_neighbour){-INFINITY, SIZE_MAX};
        }
    }
    return report(s, err);
}

/* What all ranks have found for this rank's share of the test rows, joined; then all of it to all.
 * Ranks' training rows rise with the ranks, so that ties go to the lower row. */
static lp_status join_ranks(search *s, lp_error *err) {
    const lp_transport *team = lp_team_transport();
    lp_share own = lp_team_share(s->test->count);
    size_t ranks = team->size, k = s->k, count = own.end - own.first, size = k * sizeof *s->nearest;
    lp_memory memory = {0};
    lp_letter *out = lp_memory_take(&memory, ranks, sizeof *out);
    lp_letter *in = lp_memory_take(&memory, ranks, sizeof *in);
    lp_neighbour *found = lp_memory_take(&memory, ranks, count * size);
    lp_status status;
    LP_TRY(lp_memory_check(&memory, "nearest neighbours", err));
    for (size_t r = 0; r < ranks; r++) {
        lp_share theirs = lp_team_share_of(r, s->test->count);
        bool self = r == team->rank;
        out[r] = (lp_letter){r, s->nearest + theirs.first * k,
                             self ? 0 : (theirs.end - theirs.first) * size};
        in[r] = (lp_letter){r, found + r * count * k, self ? 0 : count * size};
    }
    assert(k > 0);
    memcpy(found + team->rank * count * k, s->nearest + own.first * k, count * size);
    LP_TRY(team->exchange(out, ranks, in, ranks, err));
    for (size_t i = 0; i < count; i++) {
        size_t have = 0;
        for (size_t n = 0; n < ranks * k; n++) {
            const lp_neighbour *f = &found[(n / k * count + i) * k + n % k];
            if (f->row < s->train->count) {
                insert(s->nearest + (own.first + i) * k, &have, k, *f);
            }
        }
    }
    LP_TRY(lp_team_gather(s->nearest, s->test->count, size, err));
done:
    lp_memory_free(&memory);
    return status;
}

lp_status lp_knn_find(const lp_examples *train, const lp_examples *test, size_t k, size_t threads,
                      const lp_progress *progress, lp_neighbour *nearest, lp_error *err) {
    size_t tasks = test->count / ROWS + (test->count % ROWS != 0);
    size_t block = BLOCK_FLOATS / train->width;
    block = block < MIN_BLOCK ? MIN_BLOCK : block > MAX_BLOCK ? MAX_BLOCK : block;
    size_t each = scratch_of(block, train->width) * sizeof(float);
    threads = threads > 0 ? threads : lp_processor_count();
    threads = threads < tasks ? threads : tasks;
    lp_memory memory = {0};
    search s = {.train = train,
                .test = test,
                .k = k,
                .block = block,
                .rows = lp_team_share(train->count),
                .train_inverse = lp_memory_take(&memory, train->count, sizeof *s.train_inverse),
                .test_inverse = lp_memory_take(&memory, test->count, sizeof *s.test_inverse),
                .nearest = nearest,
                .scratch = lp_memory_take(&memory, threads, each),
                .progress = progress};
    lp_status status;
    LP_TRY(lp_memory_check(&memory, "nearest neighbours", err));
    invert_norms(train, s.rows, s.train_inverse);
    invert_norms(test, (lp_share){0, test->count}, s.test_inverse);
    (void)pthread_mutex_init(&s.lock, NULL);
    status = lp_parallel_for(threads, tasks, search_rows, &s, err);
    (void)pthread_mutex_destroy(&s.lock);
    LP_TRY(status);
    status = lp_team_size() > 1 ? join_ranks(&s, err) : LP_OK;
done:
    lp_memory_free(&memory);
    return status;
}

static lp_status check(const lp_examples *train, const lp_examples *test,
                       const lp_knn_options *options, size_t *most, lp_error *err) {
    *most = 0;
    if (train->width == 0) {
        return lp_fail(err, LP_ERR_DATA, "training set has 0 features, expected at least 1");
    }
    if (!(options->temperature > 0) || !isfinite(options->temperature)) {
        return lp_fail(err, LP_ERR_ARGUMENT, "temperature %g: expected a number > 0",
                       options->temperature);
    }
    for (size_t i = 0; i < options->k_count; i++) {
        if (options->k[i] < 1 || options->k[i] > train->count) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "k = %zu: expected 1 to %zu, the number of training examples",
                           options->k[i], train->count);
        }
        *most = options->k[i] > *most ? options->k[i] : *most;
    }
    size_t F = train->width, K = train->classes;
    lp_status status = lp_check_examples(train, F, K, "training set", "it", err);
    return status == LP_OK ? lp_check_examples(test, F, K, "test set", "the training set", err)
                           : status;
}

/* The score of k neighbours.  votes [K], counts [2, K]: scratch. */
static void count_votes(const lp_examples *train, const lp_examples *test,
                        const lp_neighbour *nearest, size_t stride, size_t k, double temperature,
                        double *votes, size_t *counts, lp_score *score) {
    size_t K = train->classes;
    memset(score, 0, sizeof *score);
    memset(counts, 0, 2 * K * sizeof *counts);
    for (size_t i = 0; i < test->count; i++) {
        const lp_neighbour *best = nearest + i * stride;
        size_t label = (size_t)test->labels[i];
        for (size_t c = 0; c < K; c++) {
            votes[c] = 0;
        }
        for (size_t n = 0; n < k; n++) {
            votes[train->labels[best[n].row]] +=
                exp((best[n].similarity - best[0].similarity) / temperature);
        }
        size_t rank = lp_rank_of(votes, K, label);
        counts[label] += rank == 0;
        counts[K + label]++;
        score->correct_top5 += rank < 5 && votes[label] > 0;
    }
    lp_score_finish(score, counts, counts + K, K);
}

lp_status lp_knn_score(const lp_examples *train, const lp_examples *test,
                       const lp_knn_options *options, lp_score *scores, lp_error *err) {
    size_t most;
    lp_status status = check(train, test, options, &most, err);
    if (status != LP_OK || most == 0) {
        return status;
    }
    lp_memory memory = {0};
    lp_neighbour *nearest = lp_memory_take(&memory, test->count, most * sizeof *nearest);
    double *votes = lp_memory_take(&memory, train->classes, sizeof *votes);
    size_t *counts = lp_memory_take(&memory, train->classes, 2 * sizeof *counts);
    LP_TRY(lp_memory_check(&memory, "nearest neighbours", err));
    LP_TRY(lp_knn_find(train, test, most, options->threads, &options->progress, nearest, err));
    for (size_t i = 0; i < options->k_count; i++) {
        count_votes(train, test, nearest, most, options->k[i], options->temperature, votes, counts,
                    &scores[i]);
    }
done:
    lp_memory_free(&memory);
    return status;
}
