/* Several labels an image:
 *
 *     x [N, F], marks [N, K] -> of each class the rows that count, y = 0 or 1
 *         -> a fit of two classes; the row of y = 1 is the class's -> probe of K classes
 *     logits [N, K] -> of each class its rows, sorted, and the others between them -> ranking.c's
 *         measures, with ties as one threshold
 *
 * PASCAL VOC 2007 leaves images whose only objects of a class are difficult out of that class, in
 * training and evaluation (the devkit's VOCevalcls.m). */
#include "linprobe/multilabel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "probe/classifier.h"
#include "probe/metrics.h"

/* ---- training -------------------------------------------------------------------------------- */

/* The rows of a class that count, as a problem of two classes. */
typedef struct class_rows {
    lp_memory memory;
    float *x;        /* [N, F], copied where some rows do not count */
    int64_t *labels; /* [N] */
    size_t of_class, others;
} class_rows;

static lp_status take_rows(const lp_marked *train, size_t k, class_rows *rows, lp_examples *two,
                           lp_error *err) {
    size_t F = train->width, count = 0;
    bool all = true;
    lp_status status;
    for (size_t i = 0; i < train->count; i++) {
        all = all && train->marks[i * train->classes + k] >= 0;
    }
    if (!all && rows->x == NULL) {
        rows->x = lp_memory_take(&rows->memory, train->count, F * sizeof *rows->x);
        LP_TRY(lp_memory_check(&rows->memory, "rows of a class", err));
    }
    rows->of_class = 0;
    for (size_t i = 0; i < train->count; i++) {
        int8_t mark = train->marks[i * train->classes + k];
        if (mark < 0) {
            continue;
        }
        if (!all) {
            memcpy(rows->x + count * F, train->x + i * F, F * sizeof *rows->x);
        }
        rows->labels[count++] = mark > 0;
        rows->of_class += mark > 0;
    }
    rows->others = count - rows->of_class;
    *two = (lp_examples){count, F, 2, all ? train->x : rows->x, rows->labels};
    status = LP_OK;
done:
    return status;
}

/* Adds one class's report to that of all, as one-vs-rest has it. */
static void add_report(lp_fit_report *all, const lp_fit_report *one) {
    bool first = all->stopped_by[0] == '\0';
    if (first || (all->converged && !one->converged)) {
        memcpy(all->stopped_by, one->stopped_by, sizeof all->stopped_by);
    }
    all->gap = first ? one->gap : all->gap < 0 || one->gap < 0 ? -1 : fmax(all->gap, one->gap);
    all->converged = all->converged && one->converged;
    all->not_converged += !one->converged;
    all->iterations = one->iterations > all->iterations ? one->iterations : all->iterations;
    all->passes += one->passes;
    all->objective += one->objective;
    all->gradient = fmax(all->gradient, one->gradient);
    all->seconds += one->seconds;
}

static lp_status fit_class(const lp_marked *train, size_t k, class_rows *rows,
                           const lp_fit_options *options, lp_probe *probe, lp_fit_report *report,
                           lp_error *err) {
    size_t F = train->width;
    lp_examples two;
    lp_probe *own = NULL;
    lp_fit_report one;
    lp_status status;
    LP_TRY(take_rows(train, k, rows, &two, err));
    if (rows->of_class == 0) {
        probe->intercepts[k] = -INFINITY;
        goto done;
    }
    if (rows->others == 0) {
        return lp_fail(err, LP_ERR_DATA,
                       "labels: every row that counts is of class %zu: expected others, too", k);
    }
    status = lp_probe_fit(&two, options, &own, &one, err);
    if (status != LP_NOT_CONVERGED) {
        LP_TRY(lp_prefix(err, status, "class %zu: ", k));
    }
    memcpy(probe->weights + k * F, own->weights + F, F * sizeof *own->weights);
    probe->intercepts[k] = own->intercepts[1];
    add_report(report, &one);
    status = LP_OK;
done:
    lp_probe_free(own);
    return status;
}

lp_status lp_multilabel_fit(const lp_marked *train, const lp_fit_options *options, lp_probe **out,
                            lp_fit_report *report, lp_error *err) {
    class_rows rows = {.x = NULL};
    lp_probe *probe = NULL;
    lp_status status;
    *out = NULL;
    memset(report, 0, sizeof *report);
    report->converged = true;
    if (options->solver == LP_SOLVER_SOFTMAX) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "several labels an image need a classifier of each class: the solver must "
                       "be %s or %s, not %s",
                       lp_solver_name(LP_SOLVER_OVR), lp_solver_name(LP_SOLVER_LIBLINEAR),
                       lp_solver_name(LP_SOLVER_SOFTMAX));
    }
    rows.labels = lp_memory_take(&rows.memory, train->count, sizeof *rows.labels);
    LP_TRY(lp_memory_check(&rows.memory, "labels", err));
    LP_TRY(lp_probe_new(train->classes, train->width, &probe, err));
    probe->solver = options->solver;
    probe->multilabel = true;
    for (size_t k = 0; k < train->classes; k++) {
        LP_TRY(fit_class(train, k, &rows, options, probe, report, err));
    }
    *out = probe;
    probe = NULL;
    status = report->converged
                 ? LP_OK
                 : lp_fail(err, LP_NOT_CONVERGED, "%s did not converge for %zu of %zu classes: %s",
                           lp_solver_name(options->solver), report->not_converged, train->classes,
                           report->stopped_by);
done:
    lp_memory_free(&rows.memory);
    lp_probe_free(probe);
    return status;
}

bool lp_probe_is_multilabel(const lp_probe *probe) {
    return probe->multilabel;
}

/* ---- evaluation ------------------------------------------------------------------------------ */

typedef struct class_job {
    const lp_marked *test;
    const double *logits;      /* [N, K] */
    double *own;               /* [workers, N] */
    size_t *between;           /* [workers, 2 N + 1] */
    lp_class_ranking *classes; /* [K] */
} class_job;

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static lp_status rank_class(void *context, size_t k, size_t worker, lp_error *err) {
    const class_job *job = context;
    const lp_marked *test = job->test;
    size_t K = test->classes, N = test->count, others = 0;
    double *own = job->own + worker * N;
    size_t *between = job->between + worker * (2 * N + 1);
    lp_class_ranking *found = &job->classes[k];
    (void)err;
    *found = (lp_class_ranking){.rank = {NAN, NAN}};
    for (size_t i = 0; i < N; i++) {
        if (test->marks[i * K + k] > 0) {
            own[found->images++] = job->logits[i * K + k];
        }
    }
    qsort(own, found->images, sizeof *own, by_size);
    memset(between, 0, (2 * found->images + 1) * sizeof *between);
    for (size_t i = 0; i < N; i++) {
        int8_t mark = test->marks[i * K + k];
        found->left_out += mark < 0;
        if (mark == 0) {
            between[lp_rank_bin(own, found->images, job->logits[i * K + k])]++;
            others++;
        }
    }
    if (found->images > 0 && others > 0) {
        lp_rank_class(own, found->images, between, others, &found->rank.roc_auc,
                      &found->rank.map_11);
    }
    return LP_OK;
}

static lp_ranking mean_of(const lp_class_ranking *classes, size_t K) {
    lp_ranking mean = {0, 0};
    size_t count = 0;
    for (size_t k = 0; k < K; k++) {
        if (!isnan(classes[k].rank.map_11)) {
            mean.roc_auc += classes[k].rank.roc_auc;
            mean.map_11 += classes[k].rank.map_11;
            count++;
        }
    }
    return (lp_ranking){mean.roc_auc / (double)count, mean.map_11 / (double)count};
}

lp_status lp_multilabel_rank(const lp_probe *probe, const lp_marked *test, size_t threads,
                             lp_class_ranking *classes, lp_ranking *mean, lp_error *err) {
    size_t N = test->count, K = test->classes;
    lp_memory memory = {0};
    lp_status status;
    *mean = (lp_ranking){NAN, NAN};
    if (test->width != probe->width || K != probe->classes) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "test set of %zu features and %zu classes: the probe has %zu and %zu",
                       test->width, K, probe->width, probe->classes);
    }
    if (N == 0) {
        return lp_fail(err, LP_ERR_DATA, "test set is empty");
    }
    threads = threads > 0 ? threads : lp_processor_count();
    size_t workers = threads < K ? threads : K;
    double *logits = lp_memory_take(&memory, N, K * sizeof *logits);
    class_job job = {.test = test, .logits = logits};
    job.own = lp_memory_take(&memory, workers, N * sizeof *job.own);
    job.between = lp_memory_take(&memory, workers, (2 * N + 1) * sizeof *job.between);
    job.classes = classes != NULL ? classes : lp_memory_take(&memory, K, sizeof *job.classes);
    LP_TRY(lp_memory_check(&memory, "ranks", err));
    LP_TRY(lp_probe_logits(probe, test->x, N, logits, threads, err));
    LP_TRY(lp_parallel_for(workers, K, rank_class, &job, err));
    *mean = mean_of(job.classes, K);
done:
    lp_memory_free(&memory);
    return status;
}
