/* The steps behind the feature set: sets that go together, the sweep, the fit. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "linprobe/run.h"
#include "math/linalg.h"
#include "run/watch.h"

/* ---- what goes together ---------------------------------------------------------------------- */

/* Whether test has the kind of labels, one or several an image, that `other` "has" or "was trained
 * on". */
static lp_status check_kind(const lp_features *test, const char *other, const char *verb,
                            bool several, lp_error *err) {
    return several == (test->marks != NULL)
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "%s has %s, but %s %s %s", test->path,
                         several ? "one label an image" : "several labels an image", other, verb,
                         several ? "several" : "one");
}

lp_status lp_run_check_sets(const lp_features *train, const lp_features *test, lp_error *err) {
    char name[512];
    if (test->width != train->width || test->classes > train->classes) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %zu features and %zu classes, but %s has %zu features and %zu classes",
                       test->path, test->width, test->classes, train->path, train->width,
                       train->classes);
    }
    (void)snprintf(name, sizeof name, "of %.400s", train->path);
    lp_status status = check_kind(test, train->path, "has", train->marks != NULL, err);
    return status == LP_OK
               ? lp_provenance_match(train->provenance, name, test->provenance, test->path, err)
               : status;
}

typedef lp_status open_features(const char *path, lp_features **features, lp_error *err);

static lp_status open_sets(open_features *open, const char *train_path, const char *test_path,
                           lp_features **train, lp_features **test, lp_error *err) {
    lp_status status;
    *test = NULL;
    LP_TRY(open(train_path, train, err));
    LP_TRY(open(test_path, test, err));
    LP_TRY(lp_run_check_sets(*train, *test, err));
done:
    return status;
}

lp_status lp_run_open_sets_any(const char *train_path, const char *test_path, lp_features **train,
                               lp_features **test, lp_error *err) {
    return open_sets(lp_features_open_any, train_path, test_path, train, test, err);
}

lp_status lp_run_open_sets(const char *train_path, const char *test_path, lp_features **train,
                           lp_features **test, lp_error *err) {
    return open_sets(lp_features_open, train_path, test_path, train, test, err);
}

lp_status lp_run_check(const lp_probe *probe, const char *name, const lp_features *test,
                       lp_error *err) {
    const lp_training *training = lp_probe_training(probe);
    char trained_on[512];
    if (test->width != lp_probe_width(probe) || test->classes > lp_probe_classes(probe)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %zu features and %zu classes, but the probe %s was trained on %zu "
                       "features and %zu classes",
                       test->path, test->width, test->classes, name, lp_probe_width(probe),
                       lp_probe_classes(probe));
    }
    (void)snprintf(trained_on, sizeof trained_on, "that %.400s was trained on", name);
    lp_status status = lp_provenance_match(training != NULL ? training->train.provenance : NULL,
                                           trained_on, test->provenance, test->path, err);
    return status == LP_OK
               ? check_kind(test, name, "was trained on", lp_probe_is_multilabel(probe), err)
               : status;
}

lp_status lp_run_open_probe(const char *probe_path, const char *test_path, lp_probe **probe,
                            lp_features **test, lp_error *err) {
    lp_status status;
    *test = NULL;
    LP_TRY(lp_probe_load(probe_path, probe, err));
    LP_TRY(lp_features_open(test_path, test, err));
    LP_TRY(lp_run_check(*probe, probe_path, *test, err));
done:
    return status;
}

lp_status lp_run_open_probe_any(const char *probe_path, const char *test_path, lp_probe **probe,
                                lp_features **test, lp_error *err) {
    lp_status status;
    *test = NULL;
    LP_TRY(lp_probe_load_any(probe_path, probe, err));
    LP_TRY(lp_features_open_any(test_path, test, err));
    LP_TRY(lp_run_check(*probe, probe_path, *test, err));
done:
    return status;
}

/* ---- the sweep ------------------------------------------------------------------------------- */

static bool show_point(void *context, uint64_t done, uint64_t total, const char *line) {
    const lp_watch *watch = context;
    char text[640];
    (void)snprintf(text, sizeof text, "point %llu of %llu, %s", (unsigned long long)done + 1,
                   (unsigned long long)total, line);
    return lp_progress_step(&watch->progress, done, total, text);
}

/* By the kind of their labels. */
static lp_status sweep_sets(const lp_features *train, const lp_features *validation,
                            const lp_sweep_options *options, lp_sweep **sweep, lp_error *err) {
    const lp_features *other = validation != NULL ? validation : train;
    if (train->marks != NULL) {
        const lp_marked fit = lp_features_marked(train), check = lp_features_marked(other);
        return lp_multilabel_sweep(&fit, validation != NULL ? &check : NULL, options, sweep, err);
    }
    const lp_examples fit = lp_features_examples(train), check = lp_features_examples(other);
    return lp_sweep_run(&fit, validation != NULL ? &check : NULL, options, sweep, err);
}

lp_status lp_run_sweep(const lp_features *train, const lp_features *validation,
                       const lp_sweep_options *options, const char *work, const lp_watch *watch,
                       lp_sweep **sweep, lp_error *err) {
    char identity[2 * 65 + 2];
    lp_sweep_options own = *options;
    (void)snprintf(identity, sizeof identity, "%.64s+%.64s", train->digest,
                   validation != NULL ? validation->digest : "");
    own.work = work;
    own.identity = identity;
    own.fit.progress = (lp_progress){show_point, (void *)(uintptr_t)watch};
    lp_watch_begin(watch, "sweep", "");
    lp_status status = sweep_sets(train, validation, &own, sweep, err);
    lp_watch_end(watch);
    return status == LP_CANCELLED
               ? lp_prefix(err, status, "interrupted: run again, it goes on from here: ")
               : status;
}

/* ---- the fit --------------------------------------------------------------------------------- */

/* What a fit is on: a set, or the rows of two, one after the other. */
typedef struct fit_rows {
    lp_memory memory; /* that the rows of two lie in */
    lp_examples examples;
    lp_marked marked; /* of several labels an image; else its marks are NULL */
} fit_rows;

static void *append(lp_memory *memory, const void *a, size_t a_count, const void *b, size_t b_count,
                    size_t size) {
    char *both = a != NULL ? lp_memory_take(memory, a_count + b_count, size) : NULL;
    if (both != NULL) {
        memcpy(both, a, a_count * size);
        memcpy(both + a_count * size, b, b_count * size);
    }
    return both;
}

static lp_status take_rows(const lp_features *a, const lp_features *b, fit_rows *rows,
                           lp_error *err) {
    lp_features both = *a;
    lp_status status = LP_OK;
    if (b != NULL) {
        lp_memory *m = &rows->memory;
        size_t K = a->classes;
        if (a->marks != NULL && b->classes != K) {
            return lp_fail(err, LP_ERR_ARGUMENT, "%s has %zu classes, but %s has %zu", b->path,
                           b->classes, a->path, K);
        }
        both.x = append(m, a->x, a->count, b->x, b->count, a->width * sizeof *a->x);
        both.labels = append(m, a->labels, a->count, b->labels, b->count, sizeof *a->labels);
        both.marks = append(m, a->marks, a->count, b->marks, b->count, K * sizeof *a->marks);
        both.count += b->count;
        status = lp_memory_check(m, "training and validation data", err);
    }
    rows->examples = lp_features_examples(&both);
    rows->marked = lp_features_marked(&both);
    return status;
}

static lp_training_set describe_set(const lp_features *set) {
    return (lp_training_set){set->path, set->digest, set->count, set->provenance};
}

static lp_status describe_fit(lp_probe *probe, const lp_features *train,
                              const lp_features *validation, const lp_fit_options *options,
                              const lp_fit_report *report, const char *command, lp_error *err) {
    lp_training training = {.linprobe = lp_version(),
                            .command = command,
                            .train = describe_set(train),
                            .multilabel = train->marks != NULL,
                            .options = *options,
                            .report = *report,
                            .blas = lp_math_blas_version(),
                            .blas_kernel = lp_math_blas_corename()};
    if (validation != NULL) {
        training.validation = describe_set(validation);
    }
    return lp_probe_describe(probe, &training, err);
}

lp_status lp_run_fit(const lp_features *train, const lp_features *validation,
                     const lp_fit_options *options, const char *path, const char *command,
                     const lp_watch *watch, lp_probe **probe, lp_fit_report *report,
                     lp_error *err) {
    lp_fit_options watched = *options;
    fit_rows rows = {.marked = {0}};
    lp_status status, fitted = LP_OK;
    *probe = NULL;
    watched.progress = watch->progress;
    LP_TRY(take_rows(train, validation, &rows, err));
    lp_watch_begin(watch, lp_solver_name(options->solver),
                   options->solver == LP_SOLVER_LIBLINEAR ? "classes" : "");
    fitted = rows.marked.marks != NULL
                 ? lp_multilabel_fit(&rows.marked, &watched, probe, report, err)
                 : lp_probe_fit(&rows.examples, &watched, probe, report, err);
    lp_watch_end(watch);
    if (fitted == LP_CANCELLED) {
        (void)lp_prefix(err, fitted, "interrupted: run again, this fit starts anew: ");
    }
    if (fitted != LP_NOT_CONVERGED) {
        LP_TRY(fitted);
    }
    LP_TRY(lp_probe_record_rows(*probe, &rows.examples, options->threads, err));
    LP_TRY(describe_fit(*probe, train, validation, options, report, command, err));
    LP_TRY(lp_probe_save(*probe, path, err));
    status = fitted;
done:
    lp_memory_free(&rows.memory);
    if (status != LP_OK && status != fitted && *probe != NULL) { /* trained, and not saved */
        lp_probe_free(*probe);
        *probe = NULL;
    }
    return status;
}
