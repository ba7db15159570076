/* The sweep over C.
 *
 *   1. parts: per fold, the examples to fit on and those to validate on
 *   2. the protocol asks for grid points; each is fitted on every part, from the solution of the
 *      nearest C done before, and scored on the validation examples
 *      first roughly, and to the tolerance only where the choice may rest on it (below)
 *   3. each finished point goes to <work>/points.json, and its probes beside it, so that a resumed
 *      sweep starts every fit from the very solution that an undisturbed one would
 *
 * A point is first fitted to ROUGH.  Before the protocol looks for the best point, and at the end,
 * every contender is fitted to the tolerance that was asked for, from its rough fit, and has its
 * exact count: a point whose count of right answers, with what more the exact fit may have, is not
 * below the best.  What more it may have is taken as the largest of LEAST_CHANGE, CHANGE of the
 * validation examples, and twice the change of the nearest point that was made exact.  So the best
 * point is always exact, and so is every one near it; the largest values of C, whose fits take
 * longest, hardly ever are.  Fits of other points start from rough fits alone, exact or not, so
 * that a resumed sweep does the same.
 *
 * The search of the CLIP paper (arXiv 2103.00020, A.3): step s = two decades; all points s apart;
 * then, while s is more than the grid's step: s = s / 2 and the points s below and above the best
 * so far.  With 8 steps a decade over 1e-6 .. 1e6 that is 7 + 2 + 2 + 2 + 2 of 97 points.
 *
 * Longer than 600 lines: its work folder, its points and its protocols share one state. */
#include "linprobe/sweep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_row.h"
#include "base/lock.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/team.h"
#include "probe/classifier.h"
#include "probe/sweep_part.h"

enum { NEAREST = 2 }; /* earlier points that a fit starts from */

static const double ROUGH = 1e-3, CHANGE = 0.005;
enum { LEAST_CHANGE = 3 };

/* What is known of a grid point. */
typedef struct grid_point {
    lp_sweep_point rough, exact; /* count = 0 where not done */
    bool visited; /* the protocol has asked for it.  Of a resumed sweep later points may be done
                     already; they must not lead the search another way. */
    bool settled; /* it has asked for the exact one too */
} grid_point;

typedef struct sweep_run {
    lp_memory memory; /* that the parts and the arrays below lie in */
    const lp_sweep_options *options;
    lp_fit_options fit; /* of the options, with its progress to this sweep's */
    const lp_sweep_data *train;
    size_t grid; /* number of grid points */
    lp_sweep_part *parts;
    size_t part_count;
    grid_point *points; /* [grid] */
    lp_probe **probes;  /* [grid, part_count], NULL where not kept */
    size_t planned;     /* points, for the progress */
    size_t done, resumed;
    char fitted[64]; /* "C = 0.1": what is being fitted */
    json_t *inputs;  /* what the work folder's results depend on */
} sweep_run;

const char *const lp_sweep_protocol_names[] = {"search", "grid", NULL};

void lp_sweep_defaults(lp_sweep_options *options) {
    *options = (lp_sweep_options){.low = -6, .high = 6, .steps = 8, .held_out = 0.1};
    lp_fit_defaults(&options->fit);
}

static double grid_value(const lp_sweep_options *o, size_t i) {
    return pow(10, o->low + (double)i / (double)o->steps);
}

/* ---- 3. the work folder ---- */

static json_t *describe(const lp_sweep_options *o, const lp_sweep_data *train,
                        const lp_sweep_data *validation) {
    lp_row row = lp_row_new();
    lp_row_text(&row, "linprobe", lp_version());
    lp_row_text(&row, "data", o->identity != NULL ? o->identity : "");
    lp_row_text(&row, "protocol", lp_sweep_protocol_names[o->protocol]);
    lp_row_count(&row, "train", train->count);
    lp_row_count(&row, "validation", validation != NULL ? validation->count : 0);
    if (train->marks != NULL) {
        lp_row_flag(&row, "multilabel", true);
    }
    if (o->validation_rows != NULL) {
        size_t rows = 0;
        for (size_t i = 0; i < train->count; i++) {
            rows += o->validation_rows[i];
        }
        lp_row_count(&row, "validation_rows", rows);
    }
    lp_row_text(&row, "solver", lp_solver_name(o->fit.solver));
    lp_row_real(&row, "held_out", o->held_out);
    lp_row_count(&row, "folds", o->folds);
    lp_row_real(&row, "tolerance", o->fit.tolerance);
    lp_row_real(&row, "rough", ROUGH);
    lp_row_real(&row, "bias", o->fit.bias);
    lp_row_count(&row, "max_iterations", o->fit.max_iterations);
    lp_row_flag(&row, "standardize", o->fit.standardize);
    lp_row_text(&row, "class_weight", lp_class_weight_names[o->fit.class_weight]);
    lp_row_put(&row, "low", json_integer(o->low));
    lp_row_put(&row, "high", json_integer(o->high));
    lp_row_count(&row, "steps", o->steps);
    lp_row_count(&row, "seed", o->seed);
    return lp_row_end(&row);
}

static lp_status print_probe_path(const sweep_run *r, size_t i, size_t p, char path[LP_PATH_ROOM],
                                  lp_error *err) {
    return lp_path_print(path, err, "%s/%zu-%zu.probe", r->options->work, i, p);
}

static json_t *fit_json(const sweep_run *r, const lp_sweep_point *p) {
    lp_row row = lp_row_new();
    if (r->train->marks != NULL) {
        lp_row_real(&row, "value", p->value);
    } else {
        lp_row_count(&row, "correct", p->correct);
    }
    lp_row_count(&row, "count", p->count);
    lp_row_count(&row, "iterations", p->iterations);
    lp_row_count(&row, "passes", p->passes);
    lp_row_real(&row, "gap", p->gap);
    lp_row_flag(&row, "converged", p->converged);
    return lp_row_end(&row);
}

static json_t *point_json(const sweep_run *r, const grid_point *p, size_t index) {
    lp_row row = lp_row_new();
    lp_row_count(&row, "index", index);
    lp_row_put(&row, "rough", fit_json(r, &p->rough));
    if (p->exact.count > 0) {
        lp_row_put(&row, "exact", fit_json(r, &p->exact));
    }
    return lp_row_end(&row);
}

static json_t *points_json(const sweep_run *r) {
    json_t *points = json_array();
    for (size_t i = 0; i < r->grid; i++) {
        if (r->points[i].rough.count > 0) {
            lp_rows_append(&points, point_json(r, &r->points[i], i));
        }
    }
    return points;
}

static lp_status write_points(const sweep_run *r, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_path_print(path, err, "%s/points.json", r->options->work));
    lp_row row = lp_row_new();
    lp_row_put(&row, "inputs", json_incref(r->inputs));
    lp_row_put(&row, "points", points_json(r));
    LP_TRY(lp_json_write(path, lp_row_end(&row), err));
done:
    return status;
}

static bool read_count(const json_t *entry, const char *key, size_t *count) {
    double value = lp_json_number(entry, key, -1);
    *count = value >= 0 && value <= 1e15 ? (size_t)value : SIZE_MAX;
    return *count != SIZE_MAX;
}

static bool read_fit(const sweep_run *r, const json_t *entry, lp_sweep_point *p) {
    bool several = r->train->marks != NULL;
    p->converged = json_is_true(json_object_get(entry, "converged"));
    p->gap = lp_json_number(entry, "gap", -1);
    if (!read_count(entry, "count", &p->count) || p->count == 0 ||
        !read_count(entry, "passes", &p->passes) ||
        !read_count(entry, "iterations", &p->iterations) ||
        (!several && !read_count(entry, "correct", &p->correct)) || p->correct > p->count) {
        return false;
    }
    p->value = several ? lp_json_number(entry, "value", -1) : (double)p->correct / (double)p->count;
    return p->value >= 0 && p->value <= 1;
}

/* One entry of points.json; false when it is not a point of the grid. */
static bool read_point(sweep_run *r, const json_t *entry) {
    size_t index;
    grid_point p = {.visited = false};
    const json_t *exact = json_object_get(entry, "exact");
    if (!read_count(entry, "index", &index) || index >= r->grid ||
        !read_fit(r, json_object_get(entry, "rough"), &p.rough) ||
        (exact != NULL && (!read_fit(r, exact, &p.exact) || p.exact.count != p.rough.count))) {
        return false;
    }
    r->points[index] = p;
    r->resumed++;
    return true;
}

/* Takes over the points of an earlier, interrupted run of the same sweep. */
static lp_status read_points(sweep_run *r, lp_error *err) {
    char path[LP_PATH_ROOM];
    json_t *file = NULL;
    size_t n;
    const json_t *entry;
    lp_status status;
    LP_TRY(lp_path_print(path, err, "%s/points.json", r->options->work));
    if (!lp_is_file(path)) {
        goto done;
    }
    LP_TRY(lp_json_read(path, &file, err));
    if (!json_equal(json_object_get(file, "inputs"), r->inputs)) {
        LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: belongs to a sweep of other data or options; remove it or choose "
                       "another folder",
                       r->options->work));
    }
    json_array_foreach(json_object_get(file, "points"), n, entry) {
        if (!read_point(r, entry)) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: point %zu is not one of the grid's", path, n));
        }
    }
done:
    json_decref(file);
    return status;
}

/* Ranks go on from the same points: each has read the file for itself. */
static lp_status compare_points(const sweep_run *r, lp_error *err) {
    if (lp_team_size() == 1) {
        return LP_OK;
    }
    json_t *points = points_json(r);
    char *text = points != NULL ? json_dumps(points, JSON_COMPACT) : NULL;
    lp_status status;
    LP_TRY(lp_allocated(text, "points", r->grid, 1, err));
    LP_TRY(lp_team_same("the points of the sweep that they go on from", text, NULL, err));
done:
    json_decref(points);
    free(text); /* jansson's */
    return status;
}

static void remove_probe_file(const sweep_run *r, size_t i, size_t p) {
    char path[LP_PATH_ROOM];
    if (r->options->work != NULL && lp_team_rank() == 0 &&
        print_probe_path(r, i, p, path, NULL) == LP_OK) {
        (void)unlink(path);
    }
}

/* ---- 2. points ---- */

/* A probe of a point done before; of a resumed run it is still in its file. */
static lp_status kept_probe(sweep_run *r, size_t i, size_t p, const lp_probe **probe,
                            lp_error *err) {
    lp_probe **kept = &r->probes[i * r->part_count + p];
    size_t K = r->train->classes, F = r->train->width;
    char path[LP_PATH_ROOM];
    lp_status status = LP_OK;
    if (*kept == NULL && r->options->work != NULL) {
        LP_TRY(print_probe_path(r, i, p, path, err));
        LP_TRY(lp_probe_load_any(path, kept, err));
        if ((*kept)->classes != K || (*kept)->width != F) {
            status = lp_fail(err, LP_ERR_FORMAT,
                             "%s: expected a probe of %zu classes x %zu features, found %zu x %zu",
                             path, K, F, (*kept)->classes, (*kept)->width);
        }
    }
done:
    *probe = *kept;
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
            if (j < r->grid && r->points[j].visited) {
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
    lp_status status = LP_OK;
    *start = NULL;
    /* liblinear's test is loose at its default eps: from a near solution it would end at once, and
     * its answer would be that of the other C. */
    size_t count = r->options->fit.solver == LP_SOLVER_LIBLINEAR ? 0 : nearest_points(r, i, near);
    if (count == 0) {
        goto done;
    }
    for (size_t n = 0; n < count; n++) {
        LP_TRY(kept_probe(r, near[n], p, &probes[n], err));
    }
    size_t K = probes[0]->classes, size = K * probes[0]->width;
    LP_TRY(lp_probe_new(K, probes[0]->width, start, err));
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
        for (size_t k = 0; k < K; k++) {
            double intercept = probes[n]->intercepts[k];
            /* minus infinity, a class without examples, is that in all of them */
            (*start)->intercepts[k] += isfinite(intercept) ? share * intercept : 0;
        }
    }
done:
    return status;
}

/* Whether first fits are rougher than what was asked for; liblinear's never are. */
static bool starts_roughly(const sweep_run *r) {
    const lp_fit_options *fit = &r->options->fit;
    return fit->solver != LP_SOLVER_LIBLINEAR && fit->tolerance < ROUGH;
}

static bool step(const sweep_run *r, const char *line) {
    size_t done = r->done < r->planned ? r->done : r->planned - 1;
    return lp_progress_step(&r->options->fit.progress, done, r->planned, line);
}

/* A step of the fit that is running. */
static bool step_of_fit(void *context, uint64_t done, uint64_t total, const char *line) {
    const sweep_run *r = context;
    char text[512];
    (void)done;
    (void)total;
    (void)snprintf(text, sizeof text, "%s: %s", r->fitted, line);
    return step(r, text);
}

static lp_status tell(sweep_run *r, double C, const char *how, lp_error *err) {
    bool stop;
    (void)snprintf(r->fitted, sizeof r->fitted, "C = %.4g%s", C, how);
    lp_status status = lp_team_any(!step(r, r->fitted), &stop, err);
    return status == LP_OK && stop
               ? lp_fail(err, LP_CANCELLED, "stopped after %zu of %zu points", r->done, r->planned)
               : status;
}

/* Fits on part p from `start`, and adds what comes out to the point. */
static lp_status fit_and_score(sweep_run *r, size_t p, bool rough, const lp_probe *start,
                               lp_sweep_point *point, lp_probe **probe, lp_error *err) {
    double tolerance = rough && starts_roughly(r) ? ROUGH : r->fit.tolerance;
    lp_fit_report report = {0};
    lp_status status =
        lp_sweep_part_fit(&r->parts[p], &r->fit, point->C, tolerance, start, probe, &report, err);
    if (status == LP_CANCELLED) {
        (void)lp_prefix(err, status, "stopped after %zu of %zu points: ", r->done, r->planned);
    }
    if (status != LP_OK && status != LP_NOT_CONVERGED) {
        goto done;
    }
    point->converged = point->converged && status == LP_OK;
    LP_TRY(lp_sweep_part_score(&r->parts[p], *probe, r->fit.threads, point, err));
    point->iterations =
        report.iterations > point->iterations ? report.iterations : point->iterations;
    point->passes += report.passes;
    point->gap = report.gap < 0 || point->gap < 0 ? -1 : fmax(report.gap, point->gap);
done:
    return status;
}

static lp_status fit_rough(sweep_run *r, size_t i, size_t p, lp_sweep_point *point, lp_error *err) {
    lp_probe *start = NULL;
    lp_probe **kept = &r->probes[i * r->part_count + p];
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(start_probe(r, i, p, &start, err));
    LP_TRY(fit_and_score(r, p, true, start, point, kept, err));
    if (r->options->work != NULL) {
        LP_TRY(print_probe_path(r, i, p, path, err));
        LP_TRY(lp_probe_save(*kept, path, err));
    }
done:
    lp_probe_free(start);
    return status;
}

/* Fits to the tolerance, from the rough fit. */
static lp_status fit_exact(sweep_run *r, size_t i, size_t p, lp_sweep_point *point, lp_error *err) {
    const lp_probe *rough = NULL;
    lp_probe *exact = NULL;
    lp_status status;
    LP_TRY(kept_probe(r, i, p, &rough, err));
    LP_TRY(fit_and_score(r, p, false, rough, point, &exact, err));
done:
    lp_probe_free(exact);
    return status;
}

/* The exact point i, made where it is not there. */
static lp_status settle_point(sweep_run *r, size_t i, lp_error *err) {
    grid_point *g = &r->points[i];
    lp_sweep_point point = {.C = grid_value(r->options, i), .converged = true};
    lp_status status = LP_OK;
    if (!starts_roughly(r)) {
        g->exact = g->rough;
        g->exact.iterations = g->exact.passes = 0;
    } else if (g->exact.count == 0) {
        LP_TRY(tell(r, point.C, ", to the tolerance", err));
        for (size_t p = 0; p < r->part_count; p++) {
            LP_TRY(fit_exact(r, i, p, &point, err));
        }
        g->exact = point;
        if (r->options->work != NULL) {
            LP_TRY(write_points(r, err));
        }
    }
    g->settled = true;
done:
    return status;
}

/* Right answers; of several labels as many as that share would be. */
static double right_of(const sweep_run *r, const lp_sweep_point *p) {
    return r->train->marks != NULL ? p->value * (double)p->count : (double)p->correct;
}

static double best_of(const sweep_run *r, const grid_point *g) {
    return right_of(r, g->settled ? &g->exact : &g->rough);
}

static size_t best_point(const sweep_run *r) {
    size_t best = r->grid;
    for (size_t i = 0; i < r->grid; i++) {
        if (r->points[i].visited &&
            (best == r->grid || best_of(r, &r->points[i]) > best_of(r, &r->points[best]))) {
            best = i;
        }
    }
    return best;
}

static size_t distance(size_t a, size_t b) {
    return a > b ? a - b : b - a;
}

/* How many right answers more than its rough fit the exact one of point i may have: twice as many
 * as the nearest exact point's differ by, and a few at least. */
static double possible_change(const sweep_run *r, size_t i) {
    double more = fmax(LEAST_CHANGE, ceil(CHANGE * (double)r->points[i].rough.count));
    size_t nearest = r->grid;
    for (size_t j = 0; j < r->grid; j++) {
        if (r->points[j].settled && (nearest == r->grid || distance(i, j) < distance(i, nearest))) {
            nearest = j;
        }
    }
    if (nearest < r->grid) {
        const grid_point *g = &r->points[nearest];
        more = fmax(more, 2 * fabs(right_of(r, &g->exact) - right_of(r, &g->rough)));
    }
    return more;
}

/* Makes all points exact that may be the best, the one with the most right answers first. */
static lp_status settle_contenders(sweep_run *r, lp_error *err) {
    lp_status status = LP_OK;
    for (;;) {
        const grid_point *best = &r->points[best_point(r)];
        size_t next = r->grid;
        for (size_t i = 0; i < r->grid; i++) {
            const grid_point *g = &r->points[i];
            double right = right_of(r, &g->rough);
            if (g->visited && !g->settled && right + possible_change(r, i) >= best_of(r, best) &&
                (next == r->grid || right > right_of(r, &r->points[next].rough))) {
                next = i;
            }
        }
        if (next == r->grid) {
            break;
        }
        LP_TRY(settle_point(r, next, err));
    }
done:
    return status;
}

/* Where the probes of a point are in their files too, and no start will be made from them. */
static void forget_probes(sweep_run *r, size_t i) {
    for (size_t p = 0; r->options->work != NULL && p < r->part_count; p++) {
        lp_probe_free(r->probes[i * r->part_count + p]);
        r->probes[i * r->part_count + p] = NULL;
    }
}

static lp_status do_point(sweep_run *r, size_t i, lp_error *err) {
    lp_sweep_point point = {.C = grid_value(r->options, i), .converged = true};
    lp_status status = LP_OK;
    if (r->points[i].rough.count == 0) {
        LP_TRY(tell(r, point.C, "", err));
        for (size_t p = 0; p < r->part_count; p++) {
            LP_TRY(fit_rough(r, i, p, &point, err));
        }
        r->points[i].rough = point;
        if (r->options->work != NULL) {
            LP_TRY(write_points(r, err));
        }
    }
    r->points[i].visited = true;
    r->done++;
    if (r->options->protocol == LP_SWEEP_GRID && i >= NEAREST) {
        forget_probes(r, i - NEAREST);
    }
done:
    return status;
}

static lp_status do_protocol(sweep_run *r, lp_error *err) {
    lp_status status = LP_OK;
    size_t step = r->options->protocol == LP_SWEEP_GRID ? 1 : 2 * r->options->steps;
    r->planned = (r->grid - 1) / step + 1;
    for (size_t s = step; s > 1; s /= 2) {
        r->planned += 2;
    }
    for (size_t i = 0; i < r->grid; i += step) {
        LP_TRY(do_point(r, i, err));
    }
    LP_TRY(settle_contenders(r, err));
    while (step > 1) {
        size_t best = best_point(r);
        step /= 2;
        if (best >= step) {
            LP_TRY(do_point(r, best - step, err));
        }
        if (best + step < r->grid) {
            LP_TRY(do_point(r, best + step, err));
        }
        LP_TRY(settle_contenders(r, err));
    }
done:
    return status;
}

static lp_status collect(sweep_run *r, lp_sweep **out, lp_error *err) {
    lp_sweep *sweep = lp_alloc_zeroed(1, sizeof *sweep);
    size_t best = best_point(r);
    lp_status status;
    LP_TRY(lp_allocated(sweep, "sweep", 1, sizeof *sweep, err));
    sweep->points = lp_alloc(r->grid, sizeof *sweep->points);
    LP_TRY(lp_allocated(sweep->points, "sweep", r->grid, sizeof *sweep->points, err));
    sweep->multilabel = r->train->marks != NULL;
    sweep->resumed = r->resumed;
    sweep->at_edge = best == 0 || best == r->grid - 1;
    for (size_t i = 0; i < r->grid; i++) {
        const grid_point *g = &r->points[i];
        lp_sweep_point point = g->settled ? g->exact : g->rough, *p = &point;
        if (g->visited) {
            p->C = grid_value(r->options, i);
            p->exact = g->settled || !starts_roughly(r);
            p->iterations = g->rough.iterations + (g->settled ? g->exact.iterations : 0);
            p->passes = g->rough.passes + (g->settled ? g->exact.passes : 0);
            p->interval =
                sweep->multilabel ? (lp_interval){NAN, NAN} : lp_wilson(p->correct, p->count);
            sweep->best = i == best ? sweep->count : sweep->best;
            sweep->points[sweep->count++] = *p;
        }
    }
    *out = sweep;
    sweep = NULL;
done:
    lp_sweep_free(sweep);
    return status;
}

static lp_status check_options(const lp_sweep_options *o, const lp_sweep_data *validation,
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

static lp_status run_sweep(const lp_sweep_data *train, const lp_sweep_data *validation,
                           const lp_sweep_options *options, lp_sweep **sweep, lp_error *err) {
    bool folds = validation == NULL && options->validation_rows == NULL && options->folds >= 2;
    size_t parts = folds ? options->folds : 1;
    sweep_run r = {.options = options, .fit = options->fit, .train = train, .part_count = parts};
    int lock = LP_NO_LOCK;
    lp_status status;
    *sweep = NULL;
    LP_TRY(check_options(options, validation, err));
    LP_TRY(train->marks != NULL ? lp_marked_check_solver(options->fit.solver, err) : LP_OK);
    LP_TRY(lp_check_share(train->x, train->count, train->width, err));
    if (options->fit.progress.step != NULL) {
        r.fit.progress = (lp_progress){step_of_fit, &r};
    }
    r.grid = (size_t)(options->high - options->low) * options->steps + 1;
    r.parts = lp_memory_take_zeroed(&r.memory, parts, sizeof *r.parts);
    r.points = lp_memory_take_zeroed(&r.memory, r.grid, sizeof *r.points);
    r.probes = lp_memory_take_zeroed(&r.memory, r.grid, parts * sizeof(lp_probe *));
    LP_TRY(lp_memory_check(&r.memory, "sweep", err));
    LP_TRY(lp_sweep_parts_make(train, validation, options, parts, &r.memory, r.parts, err));
    if (options->work != NULL) {
        r.inputs = describe(options, train, validation);
        LP_TRY(r.inputs != NULL ? LP_OK : lp_fail_memory(err, "sweep", 1, 1));
        LP_TRY(lp_make_folders(options->work, err));
        LP_TRY(lp_lock_take(options->work, &lock, err));
        LP_TRY(read_points(&r, err));
        LP_TRY(compare_points(&r, err));
    }
    LP_TRY(do_protocol(&r, err));
    LP_TRY(collect(&r, sweep, err));
done:
    for (size_t i = 0; r.probes != NULL && i < r.grid * parts; i++) {
        lp_probe_free(r.probes[i]);
        if (status == LP_OK) { /* done: the working files have served */
            remove_probe_file(&r, i / parts, i % parts);
        }
    }
    for (size_t p = 0; r.parts != NULL && p < parts; p++) {
        lp_sweep_part_close(&r.parts[p]);
    }
    lp_memory_free(&r.memory);
    json_decref(r.inputs);
    lp_lock_release(lock);
    return status;
}

lp_status lp_sweep_run(const lp_examples *train, const lp_examples *validation,
                       const lp_sweep_options *options, lp_sweep **sweep, lp_error *err) {
    const lp_sweep_data fit = {train->count, train->width,  train->classes,
                               train->x,     train->labels, NULL};
    lp_sweep_data check = {0};
    if (validation != NULL) {
        check = (lp_sweep_data){validation->count, validation->width,  validation->classes,
                                validation->x,     validation->labels, NULL};
    }
    return run_sweep(&fit, validation != NULL ? &check : NULL, options, sweep, err);
}

lp_status lp_multilabel_sweep(const lp_marked *train, const lp_marked *validation,
                              const lp_sweep_options *options, lp_sweep **sweep, lp_error *err) {
    const lp_sweep_data fit = {train->count, train->width, train->classes,
                               train->x,     NULL,         train->marks};
    lp_sweep_data check = {0};
    if (validation != NULL) {
        check = (lp_sweep_data){
            validation->count, validation->width, validation->classes, validation->x, NULL,
            validation->marks};
    }
    return run_sweep(&fit, validation != NULL ? &check : NULL, options, sweep, err);
}

void lp_sweep_free(lp_sweep *sweep) {
    if (sweep != NULL) {
        lp_free(sweep->points);
        lp_free(sweep);
    }
}
