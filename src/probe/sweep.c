/* The sweep over C.
 *
 *   1. parts: per fold, the examples to fit on and those to validate on
 *   2. the protocol asks for grid points; each is fitted on every part, from the solution of the
 *      nearest C done before, and scored on the validation examples
 *   3. each finished point goes to <work>/points.json, and its probes beside it, so that a resumed
 *      sweep starts every fit from the very solution that an undisturbed one would
 *
 * The search of the CLIP paper (arXiv 2103.00020, A.3): step s = two decades; all points s apart;
 * then, while s is more than the grid's step: s = s / 2 and the points s below and above the best
 * so far.  With 8 steps a decade over 1e-6 .. 1e6 that is 7 + 2 + 2 + 2 + 2 of 97 points. */
#include "linprobe/sweep.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/progress.h"
#include "probe/classifier.h"
#include "probe/fitter.h"
#include "probe/examples.h"

enum { NEAREST = 2 }; /* earlier points that a fit starts from */

typedef struct fold_part {
    lp_examples fit, check;
    float *x; /* copies, or NULL where the caller's memory is used */
    int64_t *labels;
    lp_fitter *fitter;
} fold_part;

typedef struct sweep_run {
    const lp_sweep_options *options;
    size_t grid; /* number of grid points */
    fold_part *parts;
    size_t part_count;
    lp_sweep_point *points; /* [grid], count = 0 where not done */
    bool *visited; /* [grid]: the protocol has asked for it.  Of a resumed sweep later points may be
                      done already; they must not lead the search another way. */
    lp_probe **probes; /* [grid, part_count], NULL where not kept */
    size_t planned;    /* fits, for the progress */
    size_t done;
    size_t resumed;
} sweep_run;

const char *const lp_sweep_protocol_names[] = {"search", "grid", NULL};

void lp_sweep_defaults(lp_sweep_options *options) {
    memset(options, 0, sizeof *options);
    options->low = -6;
    options->high = 6;
    options->steps = 8;
    options->held_out = 0.1;
    lp_fit_defaults(&options->fit);
}

static double grid_value(const lp_sweep_options *o, size_t i) {
    return pow(10, o->low + (double)i / (double)o->steps);
}

/* ---- 1. parts ---- */

/* Copies the rows of train that are (not) held out. */
static lp_status make_part(const lp_examples *train, const bool *held_out, fold_part *p,
                           lp_error *err) {
    size_t count = train->count;
    size_t *rows = lp_alloc(count, sizeof *rows);
    p->x = lp_alloc(count * train->width, sizeof *p->x);
    p->labels = lp_alloc(count, sizeof *p->labels);
    if (rows == NULL || p->x == NULL || p->labels == NULL) {
        lp_free(rows);
        return lp_fail_memory(err, "training part", count, train->width * sizeof *p->x);
    }
    size_t fit = lp_strata_rows(held_out, count, false, rows);
    lp_examples_take(train, rows, fit, p->x, p->labels, &p->fit);
    size_t check = lp_strata_rows(held_out, count, true, rows);
    lp_examples_take(train, rows, check, p->x + fit * train->width, p->labels + fit, &p->check);
    lp_free(rows);
    return check > 0 ? LP_OK
                     : lp_fail(err, LP_ERR_DATA,
                               "no class has two examples, so none can be held out for validation");
}

static lp_status make_parts(sweep_run *r, const lp_examples *train, const lp_examples *validation,
                            lp_error *err) {
    const lp_sweep_options *o = r->options;
    r->part_count = validation == NULL && o->folds >= 2 ? o->folds : 1;
    r->parts = lp_alloc_zeroed(r->part_count, sizeof *r->parts);
    if (r->parts == NULL) {
        return lp_fail_memory(err, "folds", r->part_count, sizeof *r->parts);
    }
    if (validation != NULL) {
        r->parts[0].fit = *train;
        r->parts[0].check = *validation;
        return LP_OK;
    }
    lp_strata *strata = NULL;
    lp_status status;
    bool *held_out = lp_alloc(train->count, sizeof *held_out);
    size_t *fold = lp_alloc(train->count, sizeof *fold);
    if (held_out == NULL || fold == NULL) {
        status = lp_fail_memory(err, "split", train->count, sizeof *fold);
        goto done;
    }
    LP_TRY(lp_strata_new(train->labels, train->count, train->classes, o->seed, &strata, err));
    if (o->folds < 2) {
        lp_strata_hold_out(strata, o->held_out, held_out);
        LP_TRY(make_part(train, held_out, &r->parts[0], err));
        goto done;
    }
    lp_strata_folds(strata, o->folds, fold);
    for (size_t f = 0; f < o->folds; f++) {
        for (size_t i = 0; i < train->count; i++) {
            held_out[i] = fold[i] == f;
        }
        LP_TRY(make_part(train, held_out, &r->parts[f], err));
    }
done:
    lp_strata_free(strata);
    lp_free(held_out);
    lp_free(fold);
    return status;
}

/* ---- 3. the work folder ---- */

static json_t *describe(const sweep_run *r, const lp_examples *train,
                        const lp_examples *validation) {
    const lp_sweep_options *o = r->options;
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:f, s:I, s:f, s:f, s:I, s:i, s:i, s:I, s:I}",
                     "linprobe", lp_version(), "data", o->identity != NULL ? o->identity : "",
                     "protocol", lp_sweep_protocol_names[o->protocol], "train",
                     (json_int_t)train->count, "validation",
                     (json_int_t)(validation != NULL ? validation->count : 0), "solver",
                     lp_solver_name(o->fit.solver), "held_out", o->held_out, "folds",
                     (json_int_t)o->folds, "tolerance", o->fit.tolerance, "bias", o->fit.bias,
                     "max_iterations", (json_int_t)o->fit.max_iterations, "low", o->low, "high",
                     o->high, "steps", (json_int_t)o->steps, "seed", (json_int_t)o->seed);
}

static char *probe_path(const sweep_run *r, size_t i, size_t p) {
    char name[64];
    (void)snprintf(name, sizeof name, "%zu-%zu.probe", i, p);
    return lp_path_join(r->options->work, name);
}

static lp_status write_points(const sweep_run *r, const json_t *inputs, lp_error *err) {
    char *path = lp_path_join(r->options->work, "points.json");
    json_t *points = json_array();
    if (path == NULL) {
        json_decref(points);
        return lp_fail_memory(err, r->options->work, 1, 1);
    }
    for (size_t i = 0; i < r->grid; i++) {
        const lp_sweep_point *p = &r->points[i];
        if (p->count > 0) {
            (void)json_array_append_new(
                points, json_pack("{s:I, s:I, s:I, s:I, s:I, s:b}", "index", (json_int_t)i,
                                  "correct", (json_int_t)p->correct, "count", (json_int_t)p->count,
                                  "iterations", (json_int_t)p->iterations, "passes",
                                  (json_int_t)p->passes, "converged", p->converged));
        }
    }
    json_t *file = json_pack("{s:O, s:o}", "inputs", inputs, "points", points);
    lp_status status = lp_json_write(path, file, err);
    lp_free(path);
    return status;
}

/* One entry of points.json; false when it is not a point of the grid. */
static bool read_point(sweep_run *r, const json_t *entry) {
    double index = lp_json_number(entry, "index", -1);
    double correct = lp_json_number(entry, "correct", -1);
    double count = lp_json_number(entry, "count", -1);
    double iterations = lp_json_number(entry, "iterations", -1);
    double passes = lp_json_number(entry, "passes", -1);
    if (!(index >= 0 && index < (double)r->grid && count > 0 && count <= 1e15 && correct >= 0 &&
          correct <= count && iterations >= 0 && iterations <= 1e15 && passes >= 0 &&
          passes <= 1e15)) {
        return false;
    }
    lp_sweep_point *p = &r->points[(size_t)index];
    p->correct = (size_t)correct;
    p->count = (size_t)count;
    p->iterations = (size_t)iterations;
    p->passes = (size_t)passes;
    p->converged = json_is_true(json_object_get(entry, "converged"));
    r->resumed++;
    return true;
}

/* Takes over the points of an earlier, interrupted run of the same sweep. */
static lp_status read_points(sweep_run *r, const json_t *inputs, lp_error *err) {
    json_t *file = NULL;
    size_t n;
    const json_t *entry;
    lp_status status = LP_OK;
    char *path = lp_path_join(r->options->work, "points.json");
    if (path == NULL) {
        return lp_fail_memory(err, r->options->work, 1, 1);
    }
    if (!lp_is_file(path)) {
        goto done;
    }
    LP_TRY(lp_json_read(path, &file, err));
    if (!json_equal(json_object_get(file, "inputs"), inputs)) {
        status = lp_fail(err, LP_ERR_ARGUMENT,
                         "%s: belongs to a sweep of other data or options; remove it or choose "
                         "another folder",
                         r->options->work);
        goto done;
    }
    json_array_foreach(json_object_get(file, "points"), n, entry) {
        if (!read_point(r, entry)) {
            status = lp_fail(err, LP_ERR_FORMAT, "%s: point %zu is not one of the grid's", path, n);
            goto done;
        }
    }
done:
    json_decref(file);
    lp_free(path);
    return status;
}

static void remove_probe_file(const sweep_run *r, size_t i, size_t p) {
    char *path = r->options->work != NULL ? probe_path(r, i, p) : NULL;
    if (path != NULL) {
        (void)unlink(path);
        lp_free(path);
    }
}

/* ---- 2. points ---- */

/* A probe of a point done before; of a resumed run it is still in its file. */
static lp_status kept_probe(sweep_run *r, size_t i, size_t p, const lp_probe **probe,
                            lp_error *err) {
    lp_probe **kept = &r->probes[i * r->part_count + p];
    const lp_examples *fit = &r->parts[p].fit;
    lp_status status = LP_OK;
    char *path = NULL;
    if (*kept == NULL && r->options->work != NULL) {
        path = probe_path(r, i, p);
        LP_TRY(path != NULL ? lp_probe_load(path, kept, err) : lp_fail_memory(err, "path", 1, 1));
        if ((*kept)->classes != fit->classes || (*kept)->width != fit->width) {
            status = lp_fail(err, LP_ERR_FORMAT,
                             "%s: expected a probe of %zu classes x %zu features, found %zu x %zu",
                             path, fit->classes, fit->width, (*kept)->classes, (*kept)->width);
        }
    }
done:
    *probe = *kept;
    lp_free(path);
    return status;
}

/* The points done before that are nearest to i, nearest first, the smaller C on a tie; returns how
 * many.  All but the first must be near enough for a polynomial through them to mean something. */
static size_t nearest_points(const sweep_run *r, size_t i, size_t near[NEAREST]) {
    size_t found = 0;
    for (size_t d = 1; d < r->grid && found < NEAREST; d++) {
        if (found > 0 && 2 * d > r->options->steps) {
            break;
        }
        for (int side = 0; side < 2 && found < NEAREST; side++) {
            size_t j = side == 0 ? i - d : i + d; /* wraps below zero: then not < grid */
            if (j < r->grid && r->visited[j]) {
                near[found++] = j;
            }
        }
    }
    return found;
}

/* What to start from: the weights as a polynomial in log C through the nearest points done before,
 * which saves most of the passes where the grid is fine.  NULL where there is none. */
static lp_status start_probe(sweep_run *r, size_t i, size_t p, lp_probe **start, lp_error *err) {
    size_t near[NEAREST];
    const lp_probe *probes[NEAREST];
    *start = NULL;
    /* liblinear's test is loose at its default eps: from a near solution it would end at once, and
     * its answer would be that of the other C. */
    size_t count = r->options->fit.solver == LP_SOLVER_LIBLINEAR ? 0 : nearest_points(r, i, near);
    for (size_t n = 0; n < count; n++) {
        lp_status status = kept_probe(r, near[n], p, &probes[n], err);
        if (status != LP_OK) {
            return status;
        }
    }
    if (count == 0) {
        return LP_OK;
    }
    lp_status status = lp_probe_new(probes[0]->classes, probes[0]->width, start, err);
    if (status != LP_OK) {
        return status;
    }
    size_t size = probes[0]->classes * probes[0]->width;
    for (size_t n = 0; n < count; n++) {
        double share = 1; /* Lagrange's */
        for (size_t m = 0; m < count; m++) {
            if (m != n) {
                share *= ((double)i - (double)near[m]) / ((double)near[n] - (double)near[m]);
            }
        }
        for (size_t j = 0; j < size; j++) {
            (*start)->weights[j] += share * probes[n]->weights[j];
        }
        for (size_t k = 0; k < probes[0]->classes; k++) {
            double intercept = probes[n]->intercepts[k];
            /* minus infinity, a class without examples, is that in all of them */
            (*start)->intercepts[k] += isfinite(intercept) ? share * intercept : 0;
        }
    }
    return LP_OK;
}

static lp_status fit_part(sweep_run *r, size_t i, size_t p, lp_sweep_point *point, lp_error *err) {
    fold_part *part = &r->parts[p];
    lp_probe *start = NULL;
    lp_probe **kept = &r->probes[i * r->part_count + p];
    lp_fit_report report = {0};
    lp_score score;
    char *path = NULL;
    lp_status status;
    if (part->fitter == NULL) {
        lp_fit_options fit = r->options->fit;
        memset(&fit.progress, 0, sizeof fit.progress); /* a sweep's steps are its fits */
        LP_TRY(lp_fitter_open(&part->fit, &fit, &part->fitter, err));
    }
    LP_TRY(start_probe(r, i, p, &start, err));
    status = lp_fitter_fit(part->fitter, point->C, start, kept, &report, err);
    if (status != LP_OK && status != LP_NOT_CONVERGED) {
        goto done;
    }
    point->converged = point->converged && status == LP_OK;
    LP_TRY(lp_probe_score(*kept, &part->check, r->options->fit.threads, &score, err));
    if (r->options->work != NULL) {
        path = probe_path(r, i, p);
        LP_TRY(path != NULL ? lp_probe_save(*kept, path, err) : lp_fail_memory(err, "path", 1, 1));
    }
    point->correct += score.correct;
    point->count += score.count;
    point->iterations =
        report.iterations > point->iterations ? report.iterations : point->iterations;
    point->passes += report.passes;
done:
    lp_probe_free(start);
    lp_free(path);
    return status;
}

/* Of a grid, where points come in order: no later point starts from this one. */
static void drop_point(sweep_run *r, size_t i) {
    for (size_t p = 0; p < r->part_count; p++) {
        lp_probe_free(r->probes[i * r->part_count + p]);
        r->probes[i * r->part_count + p] = NULL;
        remove_probe_file(r, i, p);
    }
}

static lp_status do_point(sweep_run *r, size_t i, const json_t *inputs, lp_error *err) {
    lp_sweep_point point = {.C = grid_value(r->options, i), .converged = true};
    lp_status status = LP_OK;
    char line[64];
    if (r->points[i].count > 0) {
        r->done++;
        r->visited[i] = true;
        return LP_OK;
    }
    (void)snprintf(line, sizeof line, "C = %.4g", point.C);
    if (!lp_progress_step(&r->options->fit.progress, r->done, r->planned, line)) {
        return lp_fail(err, LP_CANCELLED, "stopped after %zu of %zu points", r->done, r->planned);
    }
    for (size_t p = 0; p < r->part_count; p++) {
        LP_TRY(fit_part(r, i, p, &point, err));
    }
    r->points[i] = point;
    r->visited[i] = true;
    r->done++;
    if (r->options->work != NULL) {
        LP_TRY(write_points(r, inputs, err));
    }
    if (r->options->protocol == LP_SWEEP_GRID && i >= NEAREST) {
        drop_point(r, i - NEAREST);
    }
done:
    return status;
}

static size_t best_point(const sweep_run *r) {
    size_t best = r->grid;
    for (size_t i = 0; i < r->grid; i++) {
        if (r->visited[i] && (best == r->grid || r->points[i].correct > r->points[best].correct)) {
            best = i;
        }
    }
    return best;
}

static lp_status do_protocol(sweep_run *r, const json_t *inputs, lp_error *err) {
    lp_status status = LP_OK;
    size_t step = r->options->protocol == LP_SWEEP_GRID ? 1 : 2 * r->options->steps;
    r->planned = (r->grid - 1) / step + 1;
    for (size_t s = step; s > 1; s /= 2) {
        r->planned += 2;
    }
    for (size_t i = 0; i < r->grid; i += step) {
        LP_TRY(do_point(r, i, inputs, err));
    }
    while (step > 1) {
        size_t best = best_point(r);
        step /= 2;
        if (best >= step) {
            LP_TRY(do_point(r, best - step, inputs, err));
        }
        if (best + step < r->grid) {
            LP_TRY(do_point(r, best + step, inputs, err));
        }
    }
done:
    return status;
}

static lp_status collect(sweep_run *r, lp_sweep **out, lp_error *err) {
    lp_sweep *sweep = lp_alloc_zeroed(1, sizeof *sweep);
    lp_sweep_point *points = lp_alloc(r->grid, sizeof *points);
    if (sweep == NULL || points == NULL) {
        lp_free(sweep);
        lp_free(points);
        return lp_fail_memory(err, "sweep", r->grid, sizeof *points);
    }
    size_t best = best_point(r);
    sweep->points = points;
    sweep->resumed = r->resumed;
    sweep->at_edge = best == 0 || best == r->grid - 1;
    for (size_t i = 0; i < r->grid; i++) {
        lp_sweep_point *p = &r->points[i];
        if (r->visited[i]) {
            p->C = grid_value(r->options, i);
            p->accuracy = (double)p->correct / (double)p->count;
            p->interval = lp_wilson(p->correct, p->count);
            sweep->best = i == best ? sweep->count : sweep->best;
            points[sweep->count++] = *p;
        }
    }
    *out = sweep;
    return LP_OK;
}

static lp_status check_options(const lp_sweep_options *o, const lp_examples *validation,
                               lp_error *err) {
    if (o->protocol != LP_SWEEP_SEARCH && o->protocol != LP_SWEEP_GRID) {
        return lp_fail(err, LP_ERR_ARGUMENT, "sweep: protocol %d does not exist", (int)o->protocol);
    }
    if (o->low >= o->high || o->low < -12 || o->high > 12 || o->steps < 1 || o->steps > 64) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "sweep: expected decades from -12 to 12 and 1 to 64 steps in each, found %d "
                       "to %d and %zu",
                       o->low, o->high, o->steps);
    }
    if (o->protocol == LP_SWEEP_SEARCH && (o->steps & (o->steps - 1)) != 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "sweep: the search halves its step; expected a power of two a decade, found "
                       "%zu",
                       o->steps);
    }
    if (validation == NULL && o->folds < 2 && !(o->held_out > 0 && o->held_out < 1)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "sweep: expected a held-out share between 0 and 1, found %g", o->held_out);
    }
    return LP_OK;
}

lp_status lp_sweep_run(const lp_examples *train, const lp_examples *validation,
                       const lp_sweep_options *options, lp_sweep **sweep, lp_error *err) {
    sweep_run r = {.options = options};
    json_t *inputs = NULL;
    int lock = LP_NO_LOCK;
    *sweep = NULL;
    lp_status status = check_options(options, validation, err);
    if (status != LP_OK) {
        return status;
    }
    r.grid = (size_t)(options->high - options->low) * options->steps + 1;
    LP_TRY(make_parts(&r, train, validation, err));
    r.points = lp_alloc_zeroed(r.grid, sizeof *r.points);
    r.visited = lp_alloc_zeroed(r.grid, sizeof *r.visited);
    r.probes = lp_alloc_zeroed(r.grid, r.part_count * sizeof(lp_probe *));
    inputs = describe(&r, train, validation);
    if (r.points == NULL || r.visited == NULL || r.probes == NULL || inputs == NULL) {
        status = lp_fail_memory(err, "sweep", r.grid, r.part_count * sizeof(lp_probe *));
        goto done;
    }
    if (options->work != NULL) {
        LP_TRY(lp_make_folders(options->work, err));
        LP_TRY(lp_lock_take(options->work, &lock, err));
        LP_TRY(read_points(&r, inputs, err));
    }
    LP_TRY(do_protocol(&r, inputs, err));
    LP_TRY(collect(&r, sweep, err));
done:
    for (size_t i = 0; r.probes != NULL && i < r.grid * r.part_count; i++) {
        lp_probe_free(r.probes[i]);
        if (status == LP_OK) { /* done: the working files have served */
            remove_probe_file(&r, i / r.part_count, i % r.part_count);
        }
    }
    for (size_t p = 0; r.parts != NULL && p < r.part_count; p++) {
        lp_fitter_close(r.parts[p].fitter);
        lp_free(r.parts[p].x);
        lp_free(r.parts[p].labels);
    }
    lp_free(r.parts);
    lp_free(r.points);
    lp_free(r.visited);
    lp_free(r.probes);
    json_decref(inputs);
    lp_lock_release(lock);
    return status;
}

void lp_sweep_free(lp_sweep *sweep) {
    if (sweep != NULL) {
        lp_free(sweep->points);
        lp_free(sweep);
    }
}
