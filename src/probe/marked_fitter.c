/* Training on several labels an image:
 *
 *     x [N, F], marks [N, K] -> of each class the rows that count, where they lie, y = 0 or 1
 *         -> a fit of two classes; the row of y = 1 is the class's -> probe of K classes
 *
 * PASCAL VOC 2007 leaves images whose only objects of a class are difficult out of that class, in
 * training and evaluation (the devkit's VOCevalcls.m). */
#include "probe/marked_fitter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "probe/classifier.h"
#include "probe/fitter.h"

/* One class as a problem of two. */
typedef struct class_fit {
    lp_memory memory; /* that its rows lie in */
    size_t of_class, others;
    lp_fitter *fitter; /* NULL: not opened, or there are no rows of the class */
    /* for the progress: */
    const lp_fit_options *options;
    size_t number, classes;
} class_fit;

struct lp_marked_fitter {
    const lp_marked *train;
    const size_t *rows;
    size_t count;
    const lp_fit_options *options;
    class_fit *kept; /* [K], or NULL */
};

static void close_class(class_fit *c) {
    lp_fitter_close(c->fitter);
    lp_memory_free(&c->memory);
    *c = (class_fit){.fitter = NULL};
}

/* A step of a class's fit, as one of all classes. */
static bool step_of_class(void *context, uint64_t done, uint64_t total, const char *line) {
    const class_fit *c = context;
    char text[512];
    bool last = total > 0 && done == total;
    const char *own =
        strncmp(line, "class 0: ", 9) == 0 ? line + 9 : line; /* the only one of two */
    (void)snprintf(text, sizeof text, "class %zu of %zu: %s", c->number + 1, c->classes, own);
    return lp_progress_step(&c->options->progress, c->number + last, c->classes, text);
}

static lp_status open_class(const lp_marked_fitter *f, size_t k, class_fit *c, lp_error *err) {
    const lp_marked *train = f->train;
    const float **x = lp_memory_take(&c->memory, f->count, sizeof *x);
    int64_t *labels = lp_memory_take(&c->memory, f->count, sizeof *labels);
    size_t count = 0;
    lp_status status;
    LP_TRY(lp_memory_check(&c->memory, "rows of a class", err));
    for (size_t i = 0; i < f->count; i++) {
        size_t row = f->rows != NULL ? f->rows[i] : i;
        int8_t mark = train->marks[row * train->classes + k];
        if (mark >= 0) {
            x[count] = train->x + row * train->width;
            labels[count++] = mark > 0;
            c->of_class += mark > 0;
        }
    }
    c->others = count - c->of_class;
    const lp_example_rows two = {count, train->width, 2, x, labels};
    lp_fit_options options = *f->options;
    c->options = f->options;
    c->number = k;
    c->classes = train->classes;
    options.progress = (lp_progress){options.progress.step != NULL ? step_of_class : NULL, c};
    if (c->of_class > 0 && c->others > 0) {
        LP_TRY(lp_fitter_open(&two, &options, &c->fitter, err));
    }
done:
    return status;
}

/* Adds one class's report to that of all, as one-vs-rest has it. */
static void add_report(lp_fit_report *all, const lp_fit_report *one, lp_solver solver) {
    bool first = all->stopped_by[0] == '\0';
    if (first || (all->converged && !one->converged)) {
        memcpy(all->stopped_by, one->stopped_by, sizeof all->stopped_by);
    }
    all->gap = first ? one->gap : all->gap < 0 || one->gap < 0 ? -1 : fmax(all->gap, one->gap);
    all->converged = all->converged && one->converged;
    all->not_converged += !one->converged;
    all->iterations = one->iterations > all->iterations ? one->iterations : all->iterations;
    all->passes += one->passes;
    /* ovr fits the two classes as mirror images, liblinear as one problem */
    all->objective += solver == LP_SOLVER_OVR ? one->objective / 2 : one->objective;
    all->gradient = fmax(all->gradient, one->gradient);
    all->seconds += one->seconds;
}

/* Class k of `start` as a probe of two classes, which one-vs-rest mirrors; NULL without a start. */
static lp_status start_of(const lp_probe *start, size_t k, lp_probe **two, lp_error *err) {
    lp_status status = LP_OK;
    *two = NULL;
    if (start == NULL || !isfinite(start->intercepts[k])) {
        goto done;
    }
    LP_TRY(lp_probe_new(2, start->width, two, err));
    for (size_t side = 0; side < 2; side++) {
        double sign = side == 1 ? 1 : -1;
        for (size_t j = 0; j < start->width; j++) {
            (*two)->weights[side * start->width + j] = sign * start->weights[k * start->width + j];
        }
        (*two)->intercepts[side] = sign * start->intercepts[k];
    }
done:
    return status;
}

static lp_status fit_class(lp_marked_fitter *f, size_t k, double C, double tolerance,
                           const lp_probe *start, lp_probe *probe, lp_fit_report *report,
                           lp_error *err) {
    size_t F = probe->width;
    class_fit own = {.fitter = NULL}, *c = f->kept != NULL ? &f->kept[k] : &own;
    lp_probe *from = NULL, *two = NULL;
    lp_fit_report one;
    lp_status status = LP_OK;
    if (c->fitter == NULL && c->of_class + c->others == 0) {
        LP_TRY(lp_prefix(err, open_class(f, k, c, err), "class %zu: ", k));
    }
    if (c->of_class == 0) {
        probe->intercepts[k] = -INFINITY;
        goto done;
    }
    if (c->others == 0) {
        status = lp_fail(err, LP_ERR_DATA,
                         "labels: every row that counts is of class %zu: expected others, too", k);
        goto done;
    }
    LP_TRY(start_of(start, k, &from, err));
    lp_fitter_set_tolerance(c->fitter, tolerance);
    status = lp_fitter_fit(c->fitter, C, from, &two, &one, err);
    if (status != LP_NOT_CONVERGED) {
        LP_TRY(lp_prefix(err, status, "class %zu: ", k));
    }
    memcpy(probe->weights + k * F, two->weights + F, F * sizeof *two->weights);
    probe->intercepts[k] = two->intercepts[1];
    add_report(report, &one, f->options->solver);
    status = LP_OK;
done:
    lp_probe_free(from);
    lp_probe_free(two);
    close_class(&own);
    return status;
}

lp_status lp_marked_check_solver(lp_solver solver, lp_error *err) {
    return solver != LP_SOLVER_SOFTMAX
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT,
                         "several labels an image need a classifier of each class: the solver must "
                         "be %s or %s, not %s",
                         lp_solver_name(LP_SOLVER_OVR), lp_solver_name(LP_SOLVER_LIBLINEAR),
                         lp_solver_name(solver));
}

/* liblinear's copies of the features are 16 bytes a number, and are made fast. */
static bool is_kept(const lp_marked *train, const lp_fit_options *options, size_t most) {
    size_t bytes;
    return options->solver != LP_SOLVER_LIBLINEAR &&
           lp_mul(train->width * sizeof(double), train->width, &bytes) &&
           lp_mul(bytes, train->classes, &bytes) && bytes <= most;
}

lp_status lp_marked_fitter_open(const lp_marked *train, const size_t *rows, size_t count,
                                const lp_fit_options *options, size_t kept, lp_marked_fitter **out,
                                lp_error *err) {
    lp_status status;
    *out = NULL;
    lp_marked_fitter *f = NULL;
    LP_TRY(lp_marked_check_solver(options->solver, err));
    f = lp_alloc_zeroed(1, sizeof *f);
    LP_TRY(lp_allocated(f, "fit", 1, sizeof *f, err));
    *f = (lp_marked_fitter){.train = train, .rows = rows, .count = count, .options = options};
    if (is_kept(train, options, kept)) {
        f->kept = lp_alloc_zeroed(train->classes, sizeof *f->kept);
        LP_TRY(lp_allocated(f->kept, "fit", train->classes, sizeof *f->kept, err));
    }
    *out = f;
    f = NULL;
done:
    lp_marked_fitter_close(f);
    return status;
}

void lp_marked_fitter_close(lp_marked_fitter *f) {
    if (f != NULL) {
        for (size_t k = 0; f->kept != NULL && k < f->train->classes; k++) {
            close_class(&f->kept[k]);
        }
        lp_free(f->kept);
        lp_free(f);
    }
}

lp_status lp_marked_fitter_fit(lp_marked_fitter *f, double C, double tolerance,
                               const lp_probe *start, lp_probe **out, lp_fit_report *report,
                               lp_error *err) {
    lp_solver solver = f->options->solver;
    lp_probe *probe = NULL;
    lp_status status;
    *out = NULL;
    memset(report, 0, sizeof *report);
    report->converged = true;
    LP_TRY(lp_probe_new(f->train->classes, f->train->width, &probe, err));
    probe->solver = solver;
    probe->multilabel = true;
    bool any = false;
    for (size_t k = 0; k < f->train->classes; k++) {
        LP_TRY(fit_class(f, k, C, tolerance, start, probe, report, err));
        any = any || isfinite(probe->intercepts[k]);
    }
    if (!any) {
        LP_TRY(lp_fail(err, LP_ERR_DATA, "labels: no row is of any of the %zu classes",
                       f->train->classes));
    }
    *out = probe;
    probe = NULL;
    if (!report->converged) {
        status = lp_fail(err, LP_NOT_CONVERGED, "%s did not converge for %zu of %zu classes: %s",
                         lp_solver_name(solver), report->not_converged, f->train->classes,
                         report->stopped_by);
    }
done:
    lp_probe_free(probe);
    return status;
}
