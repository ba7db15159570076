/* The steps behind the feature set: sets that go together, the sweep, the fit. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/progress.h"
#include "linprobe/run.h"
#include "math/linalg.h"
#include "run/watch.h"

lp_examples lp_features_examples(const lp_features *f) {
    return (lp_examples){f->count, f->width, f->classes, f->x, f->labels};
}

lp_marked lp_features_marked(const lp_features *f) {
    return (lp_marked){f->count, f->width, f->classes, f->x, f->marks};
}

/* ---- what goes together ---------------------------------------------------------------------- */

static lp_status check_sets(const lp_features *train, const lp_features *test, lp_error *err) {
    char name[512];
    if (test->width != train->width || test->classes > train->classes) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %zu features and %zu classes, but %s has %zu features and %zu classes",
                       test->path, test->width, test->classes, train->path, train->width,
                       train->classes);
    }
    (void)snprintf(name, sizeof name, "of %.400s", train->path);
    return lp_provenance_match(train->provenance, name, test->provenance, test->path, err);
}

lp_status lp_run_open_sets(const char *train_path, const char *test_path, lp_features **train,
                           lp_features **test, lp_error *err) {
    lp_status status;
    *test = NULL;
    LP_TRY(lp_features_open(train_path, train, err));
    LP_TRY(lp_features_open(test_path, test, err));
    LP_TRY(check_sets(*train, *test, err));
done:
    return status;
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
    return lp_provenance_match(training != NULL ? training->train.provenance : NULL, trained_on,
                               test->provenance, test->path, err);
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
    if (lp_probe_is_multilabel(*probe) != ((*test)->marks != NULL)) {
        bool several = lp_probe_is_multilabel(*probe);
        status = lp_fail(err, LP_ERR_ARGUMENT, "%s has %s, but %s was trained on %s", test_path,
                         several ? "one label an image" : "several labels an image", probe_path,
                         several ? "several" : "one");
    }
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

lp_status lp_run_sweep(const lp_features *train, const lp_features *validation,
                       const lp_sweep_options *options, const char *work, const lp_watch *watch,
                       lp_sweep **sweep, lp_error *err) {
    char identity[2 * 65 + 2];
    lp_sweep_options own = *options;
    lp_examples fit = lp_features_examples(train), check = {0};
    if (validation != NULL) {
        check = lp_features_examples(validation);
    }
    (void)snprintf(identity, sizeof identity, "%.64s+%.64s", train->digest,
                   validation != NULL ? validation->digest : "");
    own.work = work;
    own.identity = identity;
    own.fit.progress = (lp_progress){show_point, (void *)(uintptr_t)watch};
    lp_watch_begin(watch, "sweep", "");
    lp_status status = lp_sweep_run(&fit, validation != NULL ? &check : NULL, &own, sweep, err);
    lp_watch_end(watch);
    return status == LP_CANCELLED
               ? lp_prefix(err, status, "interrupted: run again, it goes on from here: ")
               : status;
}

/* ---- the fit --------------------------------------------------------------------------------- */

/* The examples of two sets, one after the other; the arrays are the caller's to free. */
static lp_status join_sets(const lp_features *a, const lp_features *b, float **x, int64_t **labels,
                           lp_examples *both, lp_error *err) {
    size_t count = a->count + b->count, F = a->width;
    *x = lp_alloc(count, F * sizeof **x);
    *labels = lp_alloc(count, sizeof **labels);
    if (*x == NULL || *labels == NULL) {
        return lp_fail_memory(err, "training and validation data", count, F * sizeof **x);
    }
    memcpy(*x, a->x, a->count * F * sizeof **x);
    memcpy(*x + a->count * F, b->x, b->count * F * sizeof **x);
    memcpy(*labels, a->labels, a->count * sizeof **labels);
    memcpy(*labels + a->count, b->labels, b->count * sizeof **labels);
    *both = (lp_examples){count, F, a->classes, *x, *labels};
    return LP_OK;
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
    const lp_marked marked = lp_features_marked(train);
    lp_examples examples = lp_features_examples(train);
    lp_fit_options watched = *options;
    float *x = NULL;
    int64_t *labels = NULL;
    lp_status status, fitted = LP_OK;
    *probe = NULL;
    watched.progress = watch->progress;
    if (train->marks != NULL && validation != NULL) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: of several labels an image: a validation set cannot be added",
                       train->path);
    }
    if (validation != NULL) {
        LP_TRY(join_sets(train, validation, &x, &labels, &examples, err));
    }
    lp_watch_begin(watch, lp_solver_name(options->solver),
                   options->solver == LP_SOLVER_LIBLINEAR ? "classes" : "");
    fitted = train->marks != NULL ? lp_multilabel_fit(&marked, &watched, probe, report, err)
                                  : lp_probe_fit(&examples, &watched, probe, report, err);
    lp_watch_end(watch);
    if (fitted == LP_CANCELLED) {
        (void)lp_prefix(err, fitted, "interrupted: run again, this fit starts anew: ");
    }
    if (fitted != LP_NOT_CONVERGED) {
        LP_TRY(fitted);
    }
    LP_TRY(lp_probe_record_rows(*probe, &examples, options->threads, err));
    LP_TRY(describe_fit(*probe, train, validation, options, report, command, err));
    LP_TRY(lp_probe_save(*probe, path, err));
    status = fitted;
done:
    lp_free(x);
    lp_free(labels);
    if (status != LP_OK && status != fitted && *probe != NULL) { /* trained, and not saved */
        lp_probe_free(*probe);
        *probe = NULL;
    }
    return status;
}
