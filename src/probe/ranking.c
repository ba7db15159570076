/* How well a probe's probabilities rank the test rows: the area under the ROC curve and the average
 * precision of each class against the rest.
 *
 *     pass 1   logits -> log-probability of each row's own class -> sorted, class by class
 *     pass 2   logits -> each row among the sorted rows of every other class: how many of those lie
 *              below it, by bisection
 *     curves   of each class, from its sorted rows and the others between them
 *
 * Both measures need no more than that of the others, so nothing of size N K is kept or sorted: the
 * work beside the logits is N K log(N / K).  Counts are whole numbers, so the threads that did the
 * counting leave no trace in them. */
#include "linprobe/stats.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "probe/classifier.h"
#include "probe/metrics.h"

enum { STRIP = 256 }; /* rows of a task */

typedef struct rank_job {
    const lp_probe *probe;
    const lp_examples *test;
    lp_probability probability;
    size_t workers;
    double *logits;   /* [workers, STRIP, K] */
    size_t *first;    /* [K + 1] where a class's rows begin among `own` */
    size_t *place;    /* [N] of each row among `own` */
    double *own;      /* [N] of the rows' own classes; class by class, then rising */
    size_t *between;  /* [workers, 2 N + K]: of class k from 2 first[k] + k on, in turn the other
                         rows that lie before its next row, and those that are equal to it */
    bool own_is_made; /* pass 2 */
} rank_job;

static size_t bins_of(const rank_job *job) {
    return 2 * job->test->count + job->probe->classes;
}

size_t lp_rank_bin(const double *own, size_t count, double score) {
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (own[middle] < score) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return 2 * low + (low < count && !(own[low] > score) ? 1 : 0);
}

static lp_status rank_strip(void *context, size_t strip, size_t worker, lp_error *err) {
    const rank_job *job = context;
    const lp_examples *test = job->test;
    size_t K = job->probe->classes, first = strip * STRIP;
    size_t rows = test->count - first < STRIP ? test->count - first : STRIP;
    double *logits = job->logits + worker * STRIP * K;
    size_t *between = job->between + worker * bins_of(job);
    lp_status status;
    LP_TRY(lp_probe_logits(job->probe, test->x + first * test->width, rows, logits, 1, err));
    for (size_t i = 0; i < rows; i++) {
        double *row = logits + i * K;
        size_t label = (size_t)test->labels[first + i];
        lp_log_probabilities(row, K, job->probability);
        if (!job->own_is_made) {
            job->own[job->place[first + i]] = row[label];
            continue;
        }
        for (size_t k = 0; k < K; k++) {
            size_t own = job->first[k], count = job->first[k + 1] - own;
            if (k != label && count > 0) {
                between[2 * own + k + lp_rank_bin(job->own + own, count, row[k])]++;
            }
        }
    }
done:
    return status;
}

static int compare_scores(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static lp_status finish_class(void *context, size_t k, size_t worker, lp_error *err) {
    const rank_job *job = context;
    size_t first = job->first[k], count = job->first[k + 1] - first;
    (void)worker;
    (void)err;
    if (!job->own_is_made) {
        qsort(job->own + first, count, sizeof *job->own, compare_scores);
        return LP_OK;
    }
    for (size_t w = 1; w < job->workers; w++) {
        for (size_t b = 2 * first + k; b <= 2 * (first + count) + k; b++) {
            job->between[b] += job->between[w * bins_of(job) + b];
        }
    }
    return LP_OK;
}

void lp_rank_class(const double *own, size_t count, const size_t *between, size_t others,
                   double *auc, double *precision) {
    enum { POINTS = 11 };
    size_t below = 0, twice = 0; /* the others' pairs that are in order, ties as halves */
    double best = 0, at[POINTS] = {0};
    for (size_t i = 0, next; i < count; i = next) {
        size_t ties = between[2 * i + 1];
        below += between[2 * i];
        for (next = i + 1; next < count && !(own[next] > own[i]); next++) {
        }
        twice += (next - i) * (2 * below + ties);
        /* with this row's score as the threshold */
        size_t right = count - i, found = right + others - below;
        best = fmax(best, (double)right / (double)found);
        for (size_t p = 0; p < POINTS && 10 * right >= p * count; p++) {
            at[p] = best; /* the highest precision at this recall or a higher one */
        }
        below += ties;
    }
    *auc = (double)twice / (2 * (double)count * (double)others);
    *precision = 0;
    for (size_t p = 0; p < POINTS; p++) {
        *precision += at[p] / POINTS;
    }
}

static void measure(const rank_job *job, lp_ranking *ranking) {
    double auc, precision, sums[2] = {0};
    size_t classes = 0;
    for (size_t k = 0; k < job->probe->classes; k++) {
        size_t count = job->first[k + 1] - job->first[k];
        if (count > 0 && count < job->test->count) {
            lp_rank_class(job->own + job->first[k], count, job->between + 2 * job->first[k] + k,
                          job->test->count - count, &auc, &precision);
            sums[0] += auc;
            sums[1] += precision;
            classes++;
        }
    }
    ranking->roc_auc = sums[0] / (double)classes; /* NaN where there is none */
    ranking->map_11 = sums[1] / (double)classes;
}

/* Where each class's rows go, in the order of the rows. */
static void place_rows(const rank_job *job, size_t *next) {
    size_t K = job->probe->classes;
    for (size_t i = 0; i < job->test->count; i++) {
        job->first[job->test->labels[i] + 1]++;
    }
    for (size_t k = 0; k < K; k++) {
        job->first[k + 1] += job->first[k];
        next[k] = job->first[k];
    }
    for (size_t i = 0; i < job->test->count; i++) {
        job->place[i] = next[job->test->labels[i]]++;
    }
}

lp_status lp_probe_rank(const lp_probe *probe, const lp_examples *test, lp_probability probability,
                        size_t threads, lp_ranking *ranking, lp_error *err) {
    size_t K = probe->classes, N = test->count, strips = (N + STRIP - 1) / STRIP;
    lp_memory memory = {0};
    lp_status status;
    *ranking = (lp_ranking){NAN, NAN};
    LP_TRY(lp_check_examples(test, probe->width, K, "test set", "the probe", err));
    threads = threads > 0 ? threads : lp_processor_count();
    rank_job job = {.probe = probe, .test = test, .probability = probability};
    job.workers = threads < strips ? threads : strips;
    job.logits = lp_memory_take(&memory, job.workers * STRIP, K * sizeof *job.logits);
    job.first = lp_memory_take_zeroed(&memory, K + 1, sizeof *job.first);
    job.place = lp_memory_take(&memory, N, sizeof *job.place);
    job.own = lp_memory_take(&memory, N, sizeof *job.own);
    job.between = lp_memory_take_zeroed(&memory, job.workers, bins_of(&job) * sizeof *job.between);
    size_t *next = lp_memory_take(&memory, K, sizeof *next);
    LP_TRY(lp_memory_check(&memory, "ranks", err));
    place_rows(&job, next);
    LP_TRY(lp_parallel_for(job.workers, strips, rank_strip, &job, err));
    LP_TRY(lp_parallel_for(job.workers, K, finish_class, &job, err));
    job.own_is_made = true;
    LP_TRY(lp_parallel_for(job.workers, strips, rank_strip, &job, err));
    LP_TRY(lp_parallel_for(job.workers, K, finish_class, &job, err));
    measure(&job, ranking);
done:
    lp_memory_free(&memory);
    return status;
}
