/* The few-shot protocol.
 *
 *     for each draw d:        rows of each class shuffled by seed + d
 *       for each shots m:     the first m of each class -> x [m K, F] -> fit from zero -> score
 *     accuracies of one m over the draws -> mean, deviation, Student interval
 *
 * Starting each fit from zero costs time, but makes each reproducible by itself. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "probe/confidence_interval.h"
#include "probe/examples.h"

/* Memory for the largest training set. */
typedef struct room {
    bool *chosen;    /* [N] */
    size_t *rows;    /* [m K] */
    float *x;        /* [m K, F] */
    int64_t *labels; /* [m K] */
} room;

static void free_room(room *r) {
    lp_free(r->chosen);
    lp_free(r->rows);
    lp_free(r->x);
    lp_free(r->labels);
}

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

static lp_status run_draw(const lp_examples *train, const lp_examples *test,
                          const lp_fewshot_options *options, const lp_strata *strata, room *r,
                          lp_fewshot_draw *draw, lp_error *err) {
    lp_examples few;
    lp_probe *probe;
    lp_fit_options fit = options->fit;
    fit.progress.step = NULL;
    lp_status status = lp_strata_each(strata, draw->shots, r->chosen, err);
    if (status != LP_OK) {
        return status;
    }
    size_t count = lp_strata_rows(r->chosen, train->count, true, r->rows);
    lp_examples_take(train, r->rows, count, r->x, r->labels, &few);
    status = lp_probe_fit(&few, &fit, &probe, &draw->fit, err);
    if (status == LP_OK || status == LP_NOT_CONVERGED) {
        status = lp_probe_score(probe, test, fit.threads, &draw->score, err);
        lp_probe_free(probe);
    }
    return status;
}

static void average(const lp_fewshot_draw *draws, size_t count, lp_fewshot_mean *mean) {
    double n = (double)count;
    double squares = 0;
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
    room r = {NULL, NULL, NULL, NULL};
    lp_strata *strata = NULL;
    const lp_progress *progress = &options->fit.progress;
    size_t total = options->draws * options->shot_count;
    size_t early = 0;
    size_t done = 0;
    size_t rows = 0;
    r.chosen = lp_alloc(train->count, sizeof *r.chosen);
    if (r.chosen == NULL) {
        return lp_fail_memory(err, "few-shot", train->count, sizeof *r.chosen);
    }
    lp_status status = check_options(train, options, r.chosen, &rows, err);
    if (status != LP_OK) {
        free_room(&r);
        return status;
    }
    r.rows = lp_alloc(rows, sizeof *r.rows);
    r.x = lp_alloc(rows, train->width * sizeof *r.x);
    r.labels = lp_alloc(rows, sizeof *r.labels);
    if (r.rows == NULL || r.x == NULL || r.labels == NULL) {
        status = lp_fail_memory(err, "few-shot training set", rows, train->width * sizeof *r.x);
    }
    for (size_t d = 0; status == LP_OK && d < options->draws; d++) {
        uint64_t seed = options->seed + d;
        status = lp_strata_new(train->labels, train->count, train->classes, seed, &strata, err);
        for (size_t s = 0; status == LP_OK && s < options->shot_count; s++) {
            char line[128];
            lp_fewshot_draw *draw = &draws[s * options->draws + d];
            memset(draw, 0, sizeof *draw);
            draw->shots = options->shots[s];
            draw->seed = seed;
            status = run_draw(train, test, options, strata, &r, draw, err);
            early += status == LP_OK && !draw->fit.converged;
            done++;
            (void)snprintf(line, sizeof line, "draw %zu, %zu a class: %.3f %%", d + 1, draw->shots,
                           100 * draw->score.top1);
            if (status == LP_OK && progress->step != NULL &&
                !progress->step(progress->context, done, total, line)) {
                status = lp_fail(err, LP_CANCELLED, "cancelled after %zu of %zu fits", done, total);
            }
        }
        lp_strata_free(strata);
    }
    for (size_t s = 0; status == LP_OK && s < options->shot_count; s++) {
        average(draws + s * options->draws, options->draws, &means[s]);
    }
    if (status == LP_OK && early > 0) {
        status = lp_fail(err, LP_NOT_CONVERGED, "%zu of %zu fits did not converge", early, total);
    }
    free_room(&r);
    return status;
}
