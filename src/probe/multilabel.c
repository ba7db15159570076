/* Several labels an image: a fit (marked_fitter.c), and how well a probe ranks them:
 *
 *     logits [N, K] -> of each class its rows, sorted, and the others between them -> ranking.c's
 *         measures, with ties as one threshold
 */
#include "linprobe/multilabel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "probe/classifier.h"
#include "probe/marked_fitter.h"
#include "probe/metrics.h"

/* ---- training -------------------------------------------------------------------------------- */

lp_status lp_multilabel_fit(const lp_marked *train, const lp_fit_options *options, lp_probe **probe,
                            lp_fit_report *report, lp_error *err) {
    lp_marked_fitter *fitter = NULL;
    lp_status status;
    *probe = NULL;
    LP_TRY(lp_check_share(train->x, train->count, train->width, err));
    LP_TRY(lp_marked_fitter_open(train, NULL, train->count, options, 0, &fitter, err));
    status = lp_marked_fitter_fit(fitter, options->C, options->tolerance, NULL, probe, report, err);
done:
    lp_marked_fitter_close(fitter);
    return status;
}

lp_marked lp_features_marked(const lp_features *f) {
    return (lp_marked){f->count, f->width, f->classes, f->x, f->marks};
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

lp_status lp_multilabel_evaluation_run(const lp_probe *probe, const lp_features *test,
                                       size_t threads, lp_multilabel_evaluation *e, lp_error *err) {
    const lp_marked marked = lp_features_marked(test);
    lp_status status;
    *e = (lp_multilabel_evaluation){.test = test};
    e->classes = lp_alloc(test->classes, sizeof *e->classes);
    LP_TRY(lp_allocated(e->classes, "classes", test->classes, sizeof *e->classes, err));
    LP_TRY(lp_multilabel_rank(probe, &marked, threads, e->classes, &e->mean, err));
    LP_TRY(lp_trained_rows_count(probe, test, threads, &e->trained_rows, err));
done:
    if (status != LP_OK) {
        lp_multilabel_evaluation_free(e);
    }
    return status;
}

void lp_multilabel_evaluation_free(lp_multilabel_evaluation *e) {
    lp_free(e->classes);
    e->classes = NULL;
}
