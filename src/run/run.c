/* A run, from the weights to the scores:
 *
 *   weights -> features of both splits         CACHE/features/<model>-<point>/<data>-<split>-<key>
 *           -> C by a sweep on the training set   OUT/<run>/points.json     (goes on where it
 * stood)
 *           -> probes                             OUT/<run>/<solver>.probe  (reused)
 *           -> test features -> evaluation of each probe
 *
 * A set of the cache is named by the digest of everything that its features depend on, so every run
 * that needs the same features finds them. */
#include "linprobe/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_row.h"
#include "base/memory.h"
#include "base/parallel.h"
#include "base/team.h"
#include "probe/marked_fitter.h"
#include "run/watch.h"

/* ---- 0. timing.json beside a set's arrays ---------------------------------------------------- */

/* How fast the features were made.  No part of the set, whose bytes never depend on time. */
typedef struct timing {
    size_t images; /* that were computed */
    double seconds;
    size_t threads;
} timing;

static lp_status write_timing(const char *folder, const timing *t, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_path_print(path, err, "%s/timing.json", folder));
    lp_row row = lp_row_new();
    lp_row_count(&row, "images", t->images);
    lp_row_real(&row, "seconds", t->seconds);
    lp_row_count(&row, "threads", t->threads);
    LP_TRY(lp_json_write(path, lp_row_end(&row), err));
done:
    return status;
}

/* Zeros where the file is missing or says nothing useful. */
static timing read_timing(const char *folder) {
    enum { MOST_THREADS = 1024 };
    char path[LP_PATH_ROOM];
    lp_error ignored;
    timing t = {0};
    json_t *object = NULL;
    if (lp_path_print(path, &ignored, "%s/timing.json", folder) == LP_OK && lp_is_file(path) &&
        lp_json_read(path, &object, &ignored) == LP_OK) {
        double images = lp_json_number(object, "images", 0);
        double threads = lp_json_number(object, "threads", 0);
        double seconds = lp_json_number(object, "seconds", 0);
        if (images >= 1 && images < 0x1p53 && seconds > 0) {
            t.images = (size_t)images;
            t.seconds = seconds;
            t.threads = threads >= 1 && threads <= MOST_THREADS ? (size_t)threads : 0;
        }
    }
    json_decref(object);
    return t;
}

/* Before any work. */
static lp_status check_labels(const lp_run_options *o, lp_error *err) {
    const lp_dataset_info *train = lp_dataset_describe(o->train);
    const lp_dataset_info *test = lp_dataset_describe(o->test);
    if (train->multilabel != test->multilabel) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s has %s labels an image, but %s has %s",
                       train->source, train->multilabel ? "several" : "one", test->source,
                       test->multilabel ? "several" : "one");
    }
    lp_status status = LP_OK;
    for (size_t i = 0; status == LP_OK && train->multilabel && i < o->fit_count; i++) {
        status = lp_marked_check_solver(o->fits[i].solver, err);
    }
    return lp_prefix(err, status, "%s: ", train->source);
}

/* ---- 1. features ----------------------------------------------------------------------------- */

static lp_status name_set(const lp_run_options *o, const lp_encoder *encoder,
                          const lp_dataset *data, lp_feature_point point, char path[LP_PATH_ROOM],
                          lp_error *err) {
    const lp_dataset_info *info = lp_dataset_describe(data);
    const lp_extract_options options = {.point = point, .normalize = o->normalize};
    char model[80], set[40], key[65];
    lp_status status;
    lp_path_slug(model, sizeof model, lp_encoder_describe(encoder)->name);
    lp_path_slug(set, sizeof set, info->name);
    LP_TRY(lp_extract_key(encoder, data, &options, key, err));
    LP_TRY(lp_path_print(path, err, "%s/features/%s-%s%s/%s-%s-%.16s", o->cache, model,
                         lp_feature_point_name(point), o->normalize ? "-normalized" : "", set,
                         lp_split_name(info->split), key));
done:
    return status;
}

static lp_status extract_split(const lp_run_options *o, const lp_encoder *encoder,
                               const lp_dataset *data, lp_profile *profile, char path[LP_PATH_ROOM],
                               lp_error *err) {
    lp_feature_point point = lp_encoder_point(lp_encoder_describe(encoder), o->point);
    const lp_feature_options options = {.point = point,
                                        .normalize = o->normalize,
                                        .threads = o->threads,
                                        .command = o->command,
                                        .profile = o->profile ? profile : NULL};
    lp_extract_report report;
    lp_status status;
    LP_TRY(name_set(o, encoder, data, point, path, err));
    LP_TRY(lp_run_extract(encoder, data, &options, path, &o->watch, &report, err));
    if (report.computed > 0) {
        const timing t = {report.computed, report.seconds,
                          lp_team_size() * (o->threads > 0 ? o->threads : lp_processor_count())};
        LP_TRY(write_timing(path, &t, err));
    }
done:
    return status;
}

/* Images a second over both sets, as they were made. */
static void read_rate(lp_run *run, char paths[2][LP_PATH_ROOM], const lp_run_options *o) {
    const lp_dataset *data[2] = {o->train, o->test};
    double images = 0, seconds = 0;
    for (int s = 0; s < 2; s++) {
        const timing t = read_timing(paths[s]);
        double count = (double)lp_dataset_describe(data[s])->count;
        images += count;
        seconds += t.images > 0 ? count * t.seconds / (double)t.images : NAN;
        run->threads = t.threads;
    }
    run->images_per_second = images / seconds;
}

static void add_operations(void *context, const char *stage, double operations, double bytes) {
    (void)stage;
    (void)bytes;
    *(double *)context += operations;
}

/* The work for an image, whatever is in it. */
static lp_status count_work(const lp_encoder *encoder, lp_feature_point wanted, double *operations,
                            lp_error *err) {
    const lp_encoder_info *info = lp_encoder_describe(encoder);
    lp_feature_point point = lp_encoder_point(info, wanted);
    const lp_observer observer = {.stage_done = add_operations, .context = operations};
    size_t side = info->preprocess.crop;
    lp_memory memory = {0};
    float *image = lp_memory_take_zeroed(&memory, 3 * side * side, sizeof *image);
    float *features = lp_memory_take(&memory, lp_encoder_features(info, point), sizeof *features);
    float *scratch = lp_memory_take(&memory, lp_encoder_scratch(encoder, 1), sizeof *scratch);
    lp_status status;
    *operations = 0;
    LP_TRY(lp_memory_check(&memory, "an image", err));
    status = lp_encoder_run(encoder, image, 1, point, features, scratch, &observer, err);
done:
    lp_memory_free(&memory);
    return status;
}

/* The data set may be closed before the rows are needed. */
static lp_status keep_validation(const lp_dataset *train, bool **rows, lp_error *err) {
    const bool *from = lp_dataset_validation(train);
    size_t count = lp_dataset_describe(train)->count;
    if (from == NULL) {
        return LP_OK;
    }
    *rows = lp_alloc(count, sizeof **rows);
    if (*rows != NULL) {
        memcpy(*rows, from, count * sizeof **rows);
    }
    return lp_allocated(*rows, "validation part", count, sizeof **rows, err);
}

static lp_status extract_both(const lp_run_options *o, lp_run *run, char paths[2][LP_PATH_ROOM],
                              lp_error *err) {
    lp_checkpoint *own = NULL, **ckpt = o->checkpoint != NULL ? o->checkpoint : &own;
    lp_encoder *encoder = NULL;
    lp_encoder_options how = o->encoder;
    lp_status status;
    how.threads = how.threads > 0 ? how.threads : o->threads;
    if (*ckpt == NULL) {
        LP_TRY(lp_checkpoint_open(o->model, ckpt, err));
    }
    LP_TRY(lp_run_load(*ckpt, &how, &o->watch, &encoder, &run->load_seconds, err));
    lp_checkpoint_close(*ckpt);
    *ckpt = NULL;
    if (o->count_work) {
        LP_TRY(count_work(encoder, o->point, &run->operations, err));
    }
    LP_TRY(extract_split(o, encoder, o->train, &run->profiles[0], paths[0], err));
    LP_TRY(extract_split(o, encoder, o->test, &run->profiles[1], paths[1], err));
    read_rate(run, paths, o);
    LP_TRY(lp_features_open_any(paths[0], &run->train, err));
    LP_TRY(keep_validation(o->train, &run->validation_rows, err));
done:
    lp_checkpoint_close(own);
    lp_encoder_free(encoder);
    return status;
}

static lp_status name_run(const lp_run_options *o, lp_run *run, lp_error *err) {
    char name[LP_PATH_ROOM] = "", path[LP_PATH_ROOM], slug[96];
    const char *own = run->train->provenance->encoder.name;
    lp_status status;
    if (o->name != NULL) {
        o->name(o->watch.progress.context, run, name, sizeof name);
    } else {
        lp_path_slug(slug, sizeof slug, o->label != NULL ? o->label : own != NULL ? own : "model");
        (void)snprintf(name, sizeof name, "%s-%.8s", slug, run->train->digest);
    }
    LP_TRY(lp_path_print(path, err, "%s/%s", o->out, name));
    LP_TRY(lp_make_folders(path, err));
    run->folder = lp_strdup(path);
    status = lp_allocated(run->folder, path, strlen(path), 1, err);
done:
    return status;
}

/* ---- 2. C and probes ------------------------------------------------------------------------- */

static lp_status choose_C(const lp_run_options *o, lp_run *run, lp_error *err) {
    lp_sweep_options search = o->search;
    lp_status status = LP_OK;
    search.validation_rows = search.folds < 2 ? run->validation_rows : NULL;
    search.fit.threads = search.fit.threads > 0 ? search.fit.threads : o->threads;
    if (o->sweep) {
        LP_TRY(lp_run_sweep(run->train, NULL, &search, run->folder, &o->watch, &run->sweep, err));
        const lp_sweep_point *best = &run->sweep->points[run->sweep->best];
        LP_TRY(lp_watch_say(&o->watch, err, "sweep: best C = %.6g, validation %s %.3f", best->C,
                            run->sweep->multilabel ? "11-point mAP" : "accuracy",
                            100 * best->value));
    }
done:
    return status;
}

/* Whether a probe was trained on these features with these options by this version. */
static bool is_same_fit(const lp_training *t, const lp_features *train, const lp_fit_options *o) {
    return t != NULL && t->train.sha256 != NULL && strcmp(t->train.sha256, train->digest) == 0 &&
           t->linprobe != NULL && strcmp(t->linprobe, lp_version()) == 0 &&
           t->validation.count == 0 && t->options.solver == o->solver && t->options.C == o->C &&
           t->options.tolerance == o->tolerance && t->options.bias == o->bias &&
           t->options.max_iterations == o->max_iterations &&
           t->options.standardize == o->standardize && t->options.class_weight == o->class_weight;
}

/* The probe of an earlier run where it is there, otherwise p->probe stays NULL. */
static lp_status reuse_probe(const lp_run_options *o, const lp_features *train, const char *path,
                             lp_run_probe *p, lp_error *err) {
    const lp_examples examples = lp_features_examples(train);
    lp_error ignored;
    lp_probe *probe = NULL;
    lp_status status;
    if (!lp_is_file(path) || lp_probe_load_any(path, &probe, &ignored) != LP_OK) {
        return LP_OK;
    }
    const lp_training *t = lp_probe_training(probe);
    if (!is_same_fit(t, train, &p->options)) {
        lp_probe_free(probe);
        return LP_OK;
    }
    p->probe = probe;
    p->report = t->report;
    LP_TRY(lp_probe_record_rows(probe, &examples, o->threads, err)); /* an old file has none */
    LP_TRY(lp_watch_say(&o->watch, err, "%s: the probe is there already: %s",
                        lp_solver_name(p->options.solver), path));
done:
    return status;
}

static lp_status train_probe(const lp_run_options *o, const lp_run *run, lp_run_probe *p,
                             lp_error *err) {
    const char *solver = lp_solver_name(p->options.solver);
    char path[LP_PATH_ROOM];
    lp_status status;
    p->options.C = run->sweep != NULL ? run->sweep->points[run->sweep->best].C : p->options.C;
    p->options.threads = o->threads;
    LP_TRY(lp_path_print(path, err, "%s/%s.probe", run->folder, solver));
    LP_TRY(reuse_probe(o, run->train, path, p, err));
    if (p->probe == NULL) {
        LP_TRY(lp_watch_say(&o->watch, err, "%s: training on %zu x %zu features, C = %g", solver,
                            run->train->count, run->train->width, p->options.C));
        status = lp_run_fit(run->train, NULL, &p->options, path, o->command, &o->watch, &p->probe,
                            &p->report, err);
        if (status != LP_OK && status != LP_NOT_CONVERGED) {
            goto done;
        }
        LP_TRY(lp_watch_say(&o->watch, err, "%s: %.1f s, %s", solver, p->report.seconds,
                            p->report.stopped_by));
    }
done:
    return status;
}

/* ---- 3. scores ------------------------------------------------------------------------------- */

static lp_status train_and_score(const lp_run_options *o, lp_run *run, const char *test_path,
                                 lp_error *err) {
    lp_status status;
    run->probes = lp_alloc_zeroed(o->fit_count, sizeof *run->probes);
    LP_TRY(lp_allocated(run->probes, "probes", o->fit_count, sizeof *run->probes, err));
    run->count = o->fit_count;
    run->converged = true;
    for (size_t i = 0; i < run->count; i++) {
        run->probes[i].options = o->fits[i];
        LP_TRY(train_probe(o, run, &run->probes[i], err));
        run->converged = run->converged && run->probes[i].report.converged;
    }
    LP_TRY(lp_features_open_any(test_path, &run->test, err));
    for (size_t i = 0; i < run->count; i++) {
        lp_run_probe *p = &run->probes[i];
        LP_TRY(run->test->marks != NULL
                   ? lp_multilabel_evaluation_run(p->probe, run->test, o->threads, &p->several, err)
                   : lp_evaluation_run(p->probe, run->test, lp_probe_probability(p->probe),
                                       o->threads, &p->evaluation, err));
    }
done:
    return status;
}

lp_status lp_run_pipeline(const lp_run_options *options, lp_run **out, lp_error *err) {
    char paths[2][LP_PATH_ROOM];
    lp_run *run = lp_alloc_zeroed(1, sizeof *run);
    lp_status status;
    *out = NULL;
    LP_TRY(lp_allocated(run, "run", 1, sizeof *run, err));
    LP_TRY(check_labels(options, err));
    LP_TRY(extract_both(options, run, paths, err));
    LP_TRY(name_run(options, run, err));
    LP_TRY(choose_C(options, run, err));
    LP_TRY(train_and_score(options, run, paths[1], err));
    *out = run;
    run = NULL;
done:
    lp_run_free(run);
    return status;
}

lp_status lp_run_sets(const lp_run_options *options, lp_run **out, lp_error *err) {
    char paths[2][LP_PATH_ROOM];
    lp_run *run = lp_alloc_zeroed(1, sizeof *run);
    lp_status status;
    *out = NULL;
    LP_TRY(lp_allocated(run, "run", 1, sizeof *run, err));
    LP_TRY(check_labels(options, err));
    LP_TRY(extract_both(options, run, paths, err));
    LP_TRY(lp_features_open_any(paths[1], &run->test, err));
    *out = run;
    run = NULL;
done:
    lp_run_free(run);
    return status;
}

const lp_ranking *lp_run_probe_ranking(const lp_run_probe *p) {
    return p->several.test != NULL ? &p->several.mean : &p->evaluation.ranking;
}

const lp_trained_rows *lp_run_probe_trained_rows(const lp_run_probe *p) {
    return p->several.test != NULL ? &p->several.trained_rows : &p->evaluation.trained_rows;
}

void lp_run_free(lp_run *run) {
    if (run == NULL) {
        return;
    }
    for (size_t i = 0; i < run->count; i++) {
        lp_evaluation_free(&run->probes[i].evaluation);
        lp_multilabel_evaluation_free(&run->probes[i].several);
        lp_probe_free(run->probes[i].probe);
    }
    lp_free(run->probes);
    lp_sweep_free(run->sweep);
    lp_features_close(run->train);
    lp_features_close(run->test);
    lp_free(run->validation_rows);
    lp_free(run->folder);
    lp_free(run);
}
