/* Parts of a sweep.  Rows to fit on stay where they lie; those to validate on are copied, so that
 * they lie one after the other. */
#include "probe/sweep_part.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/strata.h"
#include "base/team.h"
#include "probe/classifier.h"
#include "probe/examples.h"

static const size_t KEPT = (size_t)1 << 30; /* bytes, of several labels in all parts together */

static lp_examples labelled(const lp_sweep_data *d) {
    return (lp_examples){d->count, d->width, d->classes, d->x, d->labels};
}

static lp_marked marked(const lp_sweep_data *d) {
    return (lp_marked){d->count, d->width, d->classes, d->x, d->marks};
}

/* Copies rows of several labels to those that are validated on. */
static lp_status copy_marked(const lp_sweep_data *train, const size_t *rows, size_t count,
                             lp_memory *memory, lp_sweep_data *to, lp_error *err) {
    size_t F = train->width, K = train->classes;
    float *x = lp_memory_take(memory, count, F * sizeof *x);
    int8_t *marks = lp_memory_take(memory, count, K * sizeof *marks);
    lp_status status = lp_memory_check(memory, "validation part", err);
    for (size_t i = 0; status == LP_OK && i < count; i++) {
        memcpy(x + i * F, train->x + rows[i] * F, F * sizeof *x);
        memcpy(marks + i * K, train->marks + rows[i] * K, K * sizeof *marks);
    }
    *to = (lp_sweep_data){count, F, K, x, NULL, marks};
    return status;
}

static lp_status split_labelled(const lp_sweep_data *train, const size_t *fit, size_t fit_count,
                                const size_t *check, size_t check_count, lp_memory *memory,
                                lp_sweep_part *p, lp_error *err) {
    const lp_examples all = labelled(train);
    lp_examples checked;
    const float **at = lp_memory_take(memory, fit_count, sizeof *at);
    float *x = lp_memory_take(memory, check_count, train->width * sizeof *x);
    int64_t *labels = lp_memory_take(memory, train->count, sizeof *labels);
    lp_status status = lp_memory_check(memory, "training part", err);
    if (status == LP_OK) {
        lp_examples_choose(&all, fit, fit_count, at, labels, &p->fit);
        lp_examples_take(&all, check, check_count, lp_team_share(check_count), x,
                         labels + fit_count, &checked);
        p->check =
            (lp_sweep_data){check_count, all.width, all.classes, checked.x, checked.labels, NULL};
    }
    return status;
}

/* Divides the rows of train into those that are held out and the others. */
static lp_status make_part(const lp_sweep_data *train, const bool *held_out, lp_memory *memory,
                           lp_sweep_part *p, lp_error *err) {
    size_t *rows = lp_memory_take(memory, train->count, sizeof *rows);
    lp_status status;
    LP_TRY(lp_memory_check(memory, "training part", err));
    size_t fit = lp_strata_rows(held_out, train->count, false, rows);
    size_t check = lp_strata_rows(held_out, train->count, true, rows + fit);
    if (check == 0) {
        LP_TRY(lp_fail(err, LP_ERR_DATA,
                       "no example is left to hold out for validation: no class has two of them, "
                       "or there are fewer than folds"));
    }
    p->rows = rows;
    p->fit_count = fit;
    LP_TRY(train->marks != NULL
               ? copy_marked(train, rows + fit, check, memory, &p->check, err)
               : split_labelled(train, rows, fit, rows + fit, check, memory, p, err));
done:
    return status;
}

/* All rows of train serve the fits. */
static lp_status make_whole(const lp_sweep_data *train, const lp_sweep_data *validation,
                            lp_memory *memory, lp_sweep_part *p, lp_error *err) {
    const lp_examples all = labelled(train);
    p->check = *validation;
    p->fit_count = train->count;
    return train->marks == NULL ? lp_examples_all(&all, memory, &p->fit, err) : LP_OK;
}

lp_status lp_sweep_parts_make(const lp_sweep_data *train, const lp_sweep_data *validation,
                              const lp_sweep_options *o, size_t count, lp_memory *memory,
                              lp_sweep_part *parts, lp_error *err) {
    lp_strata *strata = NULL;
    lp_memory own = {0};
    const int64_t *labels = train->labels;
    bool several = train->marks != NULL;
    lp_status status;
    for (size_t f = 0; f < count; f++) {
        parts[f] = (lp_sweep_part){.train = marked(train), .kept = KEPT / count};
    }
    if (validation != NULL) {
        return make_whole(train, validation, memory, &parts[0], err);
    }
    if (o->validation_rows != NULL) {
        return make_part(train, o->validation_rows, memory, &parts[0], err);
    }
    bool *held_out = lp_memory_take(&own, train->count, sizeof *held_out);
    size_t *fold = lp_memory_take(&own, train->count, sizeof *fold);
    int64_t *rarest = several ? lp_memory_take(&own, train->count, sizeof *rarest) : NULL;
    size_t *images = several ? lp_memory_take(&own, train->classes, sizeof *images) : NULL;
    LP_TRY(lp_memory_check(&own, "split", err));
    if (several) {
        lp_strata_rarest(train->marks, train->count, train->classes, images, rarest);
        labels = rarest;
    }
    LP_TRY(lp_strata_new(labels, train->count, train->classes + several, o->seed, &strata, err));
    if (o->folds < 2) {
        lp_strata_hold_out(strata, o->held_out, held_out);
    } else {
        lp_strata_folds(strata, o->folds, fold);
    }
    for (size_t f = 0; f < count; f++) {
        for (size_t i = 0; o->folds >= 2 && i < train->count; i++) {
            held_out[i] = fold[i] == f;
        }
        LP_TRY(make_part(train, held_out, memory, &parts[f], err));
    }
done:
    lp_strata_free(strata);
    lp_memory_free(&own);
    return status;
}

lp_status lp_sweep_part_fit(lp_sweep_part *p, const lp_fit_options *options, double C,
                            double tolerance, const lp_probe *start, lp_probe **probe,
                            lp_fit_report *report, lp_error *err) {
    lp_status status;
    if (p->train.marks == NULL) {
        LP_TRY(p->fitter == NULL ? lp_fitter_open(&p->fit, options, &p->fitter, err) : LP_OK);
        lp_fitter_set_tolerance(p->fitter, tolerance);
        return lp_fitter_fit(p->fitter, C, start, probe, report, err);
    }
    if (p->marked == NULL) {
        LP_TRY(lp_marked_fitter_open(&p->train, p->rows, p->fit_count, options, p->kept, &p->marked,
                                     err));
    }
    status = lp_marked_fitter_fit(p->marked, C, tolerance, start, probe, report, err);
done:
    return status;
}

/* Of several labels, the mean of the parts, each by its images. */
static lp_status score_marked(const lp_sweep_part *p, const lp_probe *probe, size_t threads,
                              lp_sweep_point *point, lp_error *err) {
    const lp_marked check = marked(&p->check);
    lp_ranking mean;
    lp_status status;
    LP_TRY(lp_multilabel_rank(probe, &check, threads, NULL, &mean, err));
    if (isnan(mean.map_11)) {
        LP_TRY(lp_fail(err, LP_ERR_DATA,
                       "no class has images and others among the %zu to validate on", check.count));
    }
    double images = (double)check.count, before = (double)point->count;
    point->value = (point->value * before + mean.map_11 * images) / (before + images);
    point->count += check.count;
done:
    return status;
}

lp_status lp_sweep_part_score(const lp_sweep_part *p, const lp_probe *probe, size_t threads,
                              lp_sweep_point *point, lp_error *err) {
    const lp_examples check = labelled(&p->check);
    lp_score score;
    lp_status status;
    if (p->check.marks != NULL) {
        return score_marked(p, probe, threads, point, err);
    }
    LP_TRY(lp_probe_score(probe, &check, threads, &score, err));
    point->correct += score.correct;
    point->count += score.count;
    point->value = (double)point->correct / (double)point->count;
done:
    return status;
}

void lp_sweep_part_close(lp_sweep_part *p) {
    lp_fitter_close(p->fitter);
    lp_marked_fitter_close(p->marked);
}
