/* The few-shot protocol.
 *
 *     for each draw d:        rows of each class shuffled by seed + d
 *       for each shots m:     the first m of each class -> x [m K, F]
 *                                 -> C, where it is chosen: by folds of these alone
 *                                 -> fit from zero -> score
 *     accuracies of one m over the draws -> mean, deviation, Student interval
 *
 * Starting each fit from zero costs time, but makes each reproducible by itself. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/strata.h"
#include "linprobe/sweep.h"
#include "probe/metrics.h"
#include "probe/examples.h"

typedef struct fewshot {
    const lp_examples *train, *test;
    const lp_fewshot_options *options;
    /* Memory for the largest training set, of m examples a class. */
    bool *chosen;    /* [N] */
    size_t *rows;    /* [m K] */
    float *x;        /* [m K, F] */
    int64_t *labels; /* [m K] */
    size_t done;     /* fits */
    size_t early;    /* of them not converged */
} fewshot;

/* Everything that a later fit could fail on, before the first one.  *rows: m K for the largest m.
 */
static lp_status check_options(const lp_examples *train, const lp_fewshot_options *o, bool *chosen,
                               size_t *rows, lp_error *err) {
    lp_strata *strata;
    size_t most = 0;
    if (o->draws == 0 || o->shot_count == 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "few-shot: %zu draws of %zu numbers of shots, expected at least one of each",
                       o->draws, o->shot_count);
    }
    for (size_t i = 0; i < o->shot_count; i++) {
        most = o->shots[i] > most ? o->shots[i] : most;
        if (o->shots[i] == 0) {
            return lp_fail(err, LP_ERR_ARGUMENT, "few-shot: 0 shots, expected at least 1");
        }
    }
    lp_status status =
        lp_strata_new(train->labels, train->count, train->classes, o->seed, &strata, err);
    if (status == LP_OK) {
        status = lp_strata_each(strata, most, chosen, err);
        lp_strata_free(strata);
    }
    *rows = most * train->classes; /* no more than N */
    return status;
}

static bool step_sweep(void *context, uint64_t done, uint64_t total, const char *line) {
    const fewshot *f = context;
    const lp_fewshot_options *o = f->options;
    (void)done;
    (void)total;
    (void)line;
    return lp_progress_step(&o->fit.progress, f->done, o->draws * o->shot_count, "choosing C");
}

/* The C of a draw's examples, by cross-validation on these alone. */
static lp_status choose_C(fewshot *f, const lp_examples *few, lp_fewshot_draw *draw,
                          lp_error *err) {
    lp_sweep_options options;
    lp_sweep *sweep = NULL;
    lp_status status;
    lp_sweep_defaults(&options);
    options.folds = draw->shots < LP_FEWSHOT_FOLDS ? draw->shots : LP_FEWSHOT_FOLDS;
    options.seed = draw->seed;
    options.fit = f->options->fit;
    options.fit.progress = (lp_progress){step_sweep, f};
    LP_TRY(lp_sweep_run(few, NULL, &options, &sweep, err));
    draw->C = sweep->points[sweep->best].C;
    draw->chosen = true;
done:
    lp_sweep_free(sweep);
    return status;
}

static lp_status fit_and_score(fewshot *f, const lp_strata *strata, lp_fewshot_draw *draw,
                               lp_error *err) {
    lp_examples few;
    lp_probe *probe = NULL;
    lp_fit_options fit = f->options->fit;
    lp_status status;
    fit.progress.step = NULL;
    LP_TRY(lp_strata_each(strata, draw->shots, f->chosen, err));
    size_t count = lp_strata_rows(f->chosen, f->train->count, true, f->rows);
    lp_examples_take(f->train, f->rows, count, (lp_share){0, count}, f->x, f->labels, &few);
    if (f->options->sweep && draw->shots > 1) {
        LP_TRY(choose_C(f, &few, draw, err));
    }
    fit.C = draw->C;
    status = lp_probe_fit(&few, &fit, &probe, &draw->fit, err);
    if (status == LP_OK || status == LP_NOT_CONVERGED) {
        LP_TRY(lp_probe_score(probe, f->test, fit.threads, &draw->score, err));
    }
done:
    lp_probe_free(probe);
    return status;
}

/* All numbers of shots of draw d. */
static lp_status run_draw(fewshot *f, size_t d, lp_fewshot_draw *draws, lp_error *err) {
    const lp_fewshot_options *o = f->options;
    const lp_examples *train = f->train;
    size_t total = o->draws * o->shot_count;
    uint64_t seed = o->seed + d;
    lp_strata *strata = NULL;
    lp_status status;
    LP_TRY(lp_strata_new(train->labels, train->count, train->classes, seed, &strata, err));
    for (size_t s = 0; s < o->shot_count; s++) {
        char line[128];
        lp_fewshot_draw *draw = &draws[s * o->draws + d];
        memset(draw, 0, sizeof *draw);
        draw->shots = o->shots[s];
        draw->seed = seed;
        draw->C = o->fit.C;
        LP_TRY(fit_and_score(f, strata, draw, err));
        f->early += !draw->fit.converged;
        f->done++;
        (void)snprintf(line, sizeof line, "draw %zu, %zu a class: %.3f %%", d + 1, draw->shots,
                       100 * draw->score.top1);
        if (!lp_progress_step(&o->fit.progress, f->done, total, line)) {
            status = lp_fail(err, LP_CANCELLED, "cancelled after %zu of %zu fits", f->done, total);
            goto done;
        }
    }
done:
    lp_strata_free(strata);
    return status;
}

static void average(const lp_fewshot_draw *draws, size_t count, lp_fewshot_mean *mean) {
    double n = (double)count, squares = 0;
    memset(mean, 0, sizeof *mean);
    mean->shots = draws[0].shots;
    for (size_t d = 0; d < count; d++) {
        mean->mean += draws[d].score.top1 / n;
    }
    for (size_t d = 0; d < count; d++) {
        double off = draws[d].score.top1 - mean->mean;
        squares += off * off;
    }
    mean->interval.high = 1;
    if (count > 1) {
        mean->deviation = sqrt(squares / (n - 1));
        double half = lp_student_975(count - 1) * mean->deviation / sqrt(n);
        mean->interval.low = fmax(0, mean->mean - half);
        mean->interval.high = fmin(1, mean->mean + half);
    }
}

lp_status lp_fewshot(const lp_examples *train, const lp_examples *test,
                     const lp_fewshot_options *options, lp_fewshot_draw *draws,
                     lp_fewshot_mean *means, lp_error *err) {
    fewshot f = {.train = train, .test = test, .options = options};
    lp_memory memory = {0};
    size_t rows = 0;
    lp_status status;
    f.chosen = lp_memory_take(&memory, train->count, sizeof *f.chosen);
    LP_TRY(lp_memory_check(&memory, "few-shot", err));
    LP_TRY(check_options(train, options, f.chosen, &rows, err));
    f.rows = lp_memory_take(&memory, rows, sizeof *f.rows);
    f.x = lp_memory_take(&memory, rows, train->width * sizeof *f.x);
    f.labels = lp_memory_take(&memory, rows, sizeof *f.labels);
    LP_TRY(lp_memory_check(&memory, "few-shot training set", err));
    for (size_t d = 0; d < options->draws; d++) {
        LP_TRY(run_draw(&f, d, draws, err));
    }
    for (size_t s = 0; s < options->shot_count; s++) {
        average(draws + s * options->draws, options->draws, &means[s]);
    }
    if (f.early > 0) {
        status =
            lp_fail(err, LP_NOT_CONVERGED, "%zu of %zu fits did not converge", f.early, f.done);
    }
done:
    lp_memory_free(&memory);
    return status;
}
