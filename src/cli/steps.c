/* Steps shared by the commands. */
#include "cli/steps.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "cli/data_input.h"
#include "cli/interrupt.h"
#include "cli/meter.h"
#include "cli/model_path.h"
#include "cli/options.h"
#include "cli/profile_table.h"

const char *const step_solvers[] = {"liblinear", "ovr", "softmax", NULL};

const lp_column step_fit_columns[] = {
    {"solver", "solver", NULL},         {"C", "C", "%.6g"},
    {"converged", "converged", NULL},   {"iterations", "iterations", NULL},
    {"objective", "objective", "%.8g"}, {"gradient", "|g|/|g0|", "%.2e"},
    {"seconds", "seconds", "%.1f"},     {"probe", "probe", NULL},
};
const size_t step_fit_column_count = sizeof step_fit_columns / sizeof step_fit_columns[0];

const lp_column step_score_columns[] = {
    {"images", "images", NULL},
    {"correct", "correct", NULL},
    {"top1", "top-1 %", "%.3f"},
    {"top1_low", "95 % from", "%.2f"},
    {"top1_high", "to", "%.2f"},
    {"top5", "top-5 %", "%.3f"},
    {"mean_per_class", "mean per class %", "%.3f"},
};
const size_t step_score_column_count = sizeof step_score_columns / sizeof step_score_columns[0];

lp_status step_path(char path[STEP_PATH], lp_error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int size = vsnprintf(path, STEP_PATH, format, args);
    va_end(args);
    return size >= 0 && size < STEP_PATH
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "%.100s...: a path of %d bytes, expected at most %d",
                         path, size, STEP_PATH - 1);
}

void step_slug(char *out, size_t room, const char *text) {
    size_t used = 0;
    for (; *text != '\0' && used + 1 < room; text++) {
        bool keep = isalnum((unsigned char)*text) || *text == '.';
        if (keep || (used > 0 && out[used - 1] != '-')) {
            out[used++] = keep ? (char)tolower((unsigned char)*text) : '-';
        }
    }
    out[used] = '\0';
}

/* In the order of lp_activation, lp_pool, lp_mean_std, lp_precision and
 * lp_feature_point. */
const char *const step_activations[] = {"auto", "gelu", "quick_gelu", "gelu_tanh", NULL};
const char *const step_pools[] = {"auto", "cls", "mean", "attention", NULL};
const char *const step_mean_stds[] = {"auto", "half", "imagenet", "clip", NULL};
const char *const step_precisions[] = {"float32", "int8", NULL};
const char *const step_points[] = {"projected", "penultimate", NULL};

lp_encoder_options step_encoder_options(const step_model *model, size_t threads) {
    return (lp_encoder_options){.activation = (lp_activation)model->activation,
                                .pool = (lp_pool)model->pool,
                                .input_size = model->input_size,
                                .heads = model->heads,
                                .mean_std = (lp_mean_std)model->mean_std,
                                .precision = (lp_precision)model->precision,
                                .threads = threads};
}

lp_status step_encoder_load(const char *model, const char *cache, const lp_encoder_options *options,
                            step_encoder *out, lp_error *err) {
    lp_checkpoint *ckpt;
    const char *hex;
    memset(out, 0, sizeof *out);
    double start = lp_clock_seconds();
    lp_status status = model_open(model, cache, &ckpt, err);
    if (status != LP_OK) {
        return status;
    }
    out->path = lp_strdup(lp_checkpoint_path(ckpt));
    if (out->path == NULL) {
        lp_checkpoint_close(ckpt);
        return lp_fail_memory(err, model, 1, 1);
    }
    out->format = lp_checkpoint_format(ckpt);
    status = lp_checkpoint_sha256(ckpt, &hex, err);
    if (status == LP_OK) {
        (void)snprintf(out->sha256, sizeof out->sha256, "%s", hex);
        out->official = lp_checkpoint_official_name(hex);
        status = lp_encoder_load(ckpt, options, &out->encoder, err);
    }
    lp_checkpoint_close(ckpt);
    out->seconds = lp_clock_seconds() - start;
    if (status == LP_OK) {
        const lp_encoder_info *info = lp_encoder_describe(out->encoder);
        (void)fprintf(stderr, "weights: %s (%s, %.1f million parameters), %s\n", info->name,
                      out->format, (double)info->parameters * 1e-6,
                      out->official != NULL ? out->official : "not one of the official files");
        if (info->config != NULL) {
            (void)fprintf(stderr, "weights: %s beside them says the rest\n", info->config);
        }
        if (info->note != NULL) {
            (void)fprintf(stderr, "weights: assumed: %s\n", info->note);
        }
    }
    return status;
}

void step_encoder_free(step_encoder *e) {
    lp_encoder_free(e->encoder);
    lp_free(e->path);
    memset(e, 0, sizeof *e);
}

static bool show_images(void *context, uint64_t done, uint64_t total, const char *line) {
    (void)line;
    meter_resume(context, (double)done);
    meter_show(context, (double)done, (double)total);
    return interrupt_signal() == 0;
}

lp_status step_extract(const step_encoder *e, const lp_dataset *data, const step_how *how,
                       const char *out, lp_extract_report *report, lp_error *err) {
    const lp_dataset_info *info = lp_dataset_describe(data);
    const char *split = info->split == LP_SPLIT_TRAIN ? "train" : "test";
    meter m;
    (void)fprintf(stderr, "%s: %s, %zu images of %zu classes, %s\n", split, info->name, info->count,
                  info->classes,
                  info->official != NULL ? info->official
                  : info->image_folder   ? "a folder of images"
                                         : "not the official file");
    meter_start(&m, split, "images");
    lp_extract_options options = {.out = out,
                                  .point = how->point,
                                  .normalize = how->normalize,
                                  .threads = how->threads,
                                  .profile = how->profile,
                                  .weights_path = e->path,
                                  .weights_sha256 = e->sha256,
                                  .weights_format = e->format,
                                  .weights_official = e->official,
                                  .command = cli_command_line(),
                                  .progress = {show_images, &m}};
    lp_status status = lp_extract(e->encoder, data, &options, report, err);
    meter_end(&m);
    if (status == LP_CANCELLED) {
        (void)lp_prefix(err, status, "interrupted: the same command goes on from here: ");
    }
    if (status == LP_OK && report->reused) {
        (void)fprintf(stderr, "%s: features are there already: %s\n", split, out);
    }
    if (status == LP_OK && how->profile != NULL) {
        profile_print(stderr, split, how->profile);
        if (e->encoder != NULL) {
            (void)fprintf(stderr, "not in the table: %.2f s for reading and checking the weights\n",
                          e->seconds);
        }
    }
    return status;
}

/* How long an extraction took, beside the features: they never change with it. */
static lp_status write_timing(const char *folder, const lp_extract_report *report, size_t threads,
                              lp_error *err) {
    char path[STEP_PATH];
    lp_status status = step_path(path, err, "%s/timing.json", folder);
    if (status != LP_OK) {
        return status;
    }
    json_t *timing = json_pack("{s:I, s:f, s:I}", "images", (json_int_t)report->computed, "seconds",
                               report->seconds, "threads", (json_int_t)threads);
    status = lp_json_write(path, timing, err);
    json_decref(timing);
    return status;
}

double step_images_per_second(const char *folder, size_t *threads) {
    char path[STEP_PATH];
    lp_error ignored;
    json_t *timing = NULL;
    double rate = NAN;
    *threads = 0;
    if (step_path(path, &ignored, "%s/timing.json", folder) == LP_OK && lp_is_file(path) &&
        lp_json_read(path, &timing, &ignored) == LP_OK) {
        double seconds = lp_json_number(timing, "seconds", NAN);
        double count = lp_json_number(timing, "threads", 0);
        rate = seconds > 0 ? lp_json_number(timing, "images", NAN) / seconds : NAN;
        *threads = count >= 1 && count <= 1024 ? (size_t)count : 0;
    }
    json_decref(timing);
    return rate;
}

lp_status step_features(const char *cache, const step_encoder *e, const lp_dataset *data,
                        const step_how *how, char path[STEP_PATH], lp_extract_report *report,
                        lp_error *err) {
    const lp_dataset_info *info = lp_dataset_describe(data);
    char model[80], set[40], key[65];
    const lp_extract_options options = {.point = how->point,
                                        .normalize = how->normalize,
                                        .weights_sha256 = e->sha256,
                                        .weights_format = e->format};
    step_slug(model, sizeof model, lp_encoder_describe(e->encoder)->name);
    step_slug(set, sizeof set, info->name);
    lp_status status = lp_extract_key(e->encoder, data, &options, key, err);
    if (status == LP_OK) {
        status = step_path(path, err, "%s/features/%s-%s%s/%s-%s-%.16s", cache, model,
                           lp_feature_point_name(how->point), how->normalize ? "-normalized" : "",
                           set, info->split == LP_SPLIT_TRAIN ? "train" : "test", key);
    }
    if (status == LP_OK) {
        status = step_extract(e, data, how, path, report, err);
    }
    return status == LP_OK && report->computed > 0
               ? write_timing(path, report, how->threads > 0 ? how->threads : lp_processor_count(),
                              err)
               : status;
}

lp_examples step_examples(const lp_features *f) {
    lp_examples examples = {.count = f->count,
                            .width = f->width,
                            .classes = f->classes,
                            .x = f->x,
                            .labels = f->labels};
    return examples;
}

bool step_show(void *context, uint64_t done, uint64_t total, const char *line) {
    meter *m = context;
    if (line != NULL) {
        meter_line(m, line);
    }
    if (total > 0) {
        meter_show(m, (double)done, (double)total);
    }
    return interrupt_signal() == 0;
}

json_t *step_fit_row(const lp_fit_options *options, const lp_fit_report *report) {
    return json_pack("{s:s, s:f, s:f, s:b, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:s}", "solver",
                     lp_solver_name(options->solver), "C", options->C, "bias", options->bias,
                     "converged", report->converged, "iterations", (json_int_t)report->iterations,
                     "passes", (json_int_t)report->passes, "classes_not_converged",
                     (json_int_t)report->not_converged, "objective", report->objective, "gradient",
                     report->gradient, "gap", report->gap, "seconds", report->seconds, "stopped_by",
                     report->stopped_by);
}

json_t *step_fit_options(const lp_fit_options *o) {
    return json_pack("{s:s, s:f, s:f, s:f, s:I}", "solver", lp_solver_name(o->solver), "C", o->C,
                     "tolerance", o->tolerance, "bias", o->bias, "max_iterations",
                     (json_int_t)o->max_iterations);
}

lp_status step_fit(const lp_features *train, const lp_fit_options *options, const char *out,
                   lp_probe **probe, lp_fit_report *report, lp_error *err) {
    lp_examples examples = step_examples(train);
    lp_error late; /* the fit's message must outlive the saving */
    meter m;
    meter_start(&m, lp_solver_name(options->solver), "classes");
    lp_fit_options shown = *options;
    shown.progress.step = step_show;
    shown.progress.context = &m;
    lp_status fitted = lp_probe_fit(&examples, &shown, probe, report, err);
    meter_end(&m);
    if (fitted == LP_CANCELLED) {
        return lp_prefix(err, fitted, "interrupted: the same command starts this fit again: ");
    }
    if (fitted != LP_OK && fitted != LP_NOT_CONVERGED) {
        return fitted;
    }
    json_error_t reason;
    json_t *set = json_loads(train->meta, 0, &reason);
    json_t *fit = step_fit_row(options, report);
    (void)json_object_del(fit, "seconds"); /* the same work gives the same file */
    json_t *meta =
        json_pack("{s:{s:s, s:s}, s:{s:o, s:s, s:I, s:O*, s:O*}, s:o, s:o}", "made_by", "linprobe",
                  lp_version(), "command", cli_command_line(), "train", "path",
                  lp_json_any_text(train->path), "sha256", train->digest, "count",
                  (json_int_t)train->count, "inputs", json_object_get(set, "inputs"), "data",
                  json_object_get(set, "data"), "options", step_fit_options(options), "fit", fit);
    char *text = lp_json_dump(meta, LP_JSON_COMPACT);
    lp_status status =
        text != NULL ? lp_probe_save(*probe, out, text, &late) : lp_fail_memory(&late, out, 1, 1);
    free(text);
    json_decref(meta);
    json_decref(set);
    if (status != LP_OK) {
        lp_probe_free(*probe);
        *probe = NULL;
        *err = late;
        return status;
    }
    return fitted;
}

/* Loads the probe of an earlier run when it was trained on the same features with the same options
 * by this version, and says so; otherwise *probe stays NULL. */
static void reuse_probe(const lp_features *set, const lp_fit_options *fit, const char *path,
                        lp_probe **probe, json_t **fit_row) {
    json_error_t reason;
    lp_error ignored;
    *probe = NULL;
    if (!lp_is_file(path) || lp_probe_load(path, probe, &ignored) != LP_OK) {
        return;
    }
    json_t *meta = json_loads(lp_probe_meta(*probe), 0, &reason);
    json_t *row = json_object_get(meta, "fit");
    json_t *options = step_fit_options(fit);
    bool same =
        strcmp(lp_json_text(json_object_get(meta, "train"), "sha256", ""), set->digest) == 0 &&
        strcmp(lp_json_text(json_object_get(meta, "made_by"), "linprobe", ""), lp_version()) == 0 &&
        json_equal(json_object_get(meta, "options"), options);
    if (same) {
        (void)fprintf(stderr, "%s: the probe is there already: %s\n", lp_solver_name(fit->solver),
                      path);
        *fit_row = json_incref(row);
    } else {
        lp_probe_free(*probe);
        *probe = NULL;
    }
    json_decref(options);
    json_decref(meta);
}

lp_status step_train(const lp_features *set, const lp_fit_options *options, const char *path,
                     lp_probe **probe, json_t **row, lp_error *err) {
    const char *name = lp_solver_name(options->solver);
    lp_fit_report report;
    reuse_probe(set, options, path, probe, row);
    if (*probe != NULL) {
        return LP_OK;
    }
    (void)fprintf(stderr, "%s: training on %zu x %zu features, C = %g\n", name, set->count,
                  set->width, options->C);
    lp_status status = step_fit(set, options, path, probe, &report, err);
    if (status != LP_OK && status != LP_NOT_CONVERGED) {
        return status;
    }
    (void)fprintf(stderr, "%s: %.1f s, %s\n", name, report.seconds, report.stopped_by);
    *row = step_fit_row(options, &report);
    lp_probe_free(*probe); /* as it is in the file, with how it was made */
    return lp_probe_load(path, probe, err);
}

static bool show_point(void *context, uint64_t done, uint64_t total, const char *line) {
    meter *m = context;
    char text[96];
    (void)snprintf(text, sizeof text, "sweep: point %llu of at most %llu, %s",
                   (unsigned long long)done + 1, (unsigned long long)total, line);
    meter_line(m, text);
    return interrupt_signal() == 0;
}

lp_status step_sweep(const lp_features *train, const lp_features *validation,
                     const lp_sweep_options *options, const char *work, lp_sweep **sweep,
                     lp_error *err) {
    char identity[2 * 65 + 2];
    meter m;
    lp_sweep_options own = *options;
    lp_examples fit = step_examples(train), check = {0};
    if (validation != NULL) {
        check = step_examples(validation);
    }
    (void)snprintf(identity, sizeof identity, "%.64s+%.64s", train->digest,
                   validation != NULL ? validation->digest : "");
    meter_start(&m, "sweep", "points");
    own.work = work;
    own.identity = identity;
    own.fit.progress.step = show_point;
    own.fit.progress.context = &m;
    lp_status status = lp_sweep_run(&fit, validation != NULL ? &check : NULL, &own, sweep, err);
    meter_end(&m);
    return status == LP_CANCELLED
               ? lp_prefix(err, status, "interrupted: the same command goes on from here: ")
               : status;
}

/* Whether two feature sets go together, by what they record of how they were made; a set from
 * elsewhere records nothing. */
static lp_status check_origins(const json_t *trained, const json_t *tested, const char *trained_on,
                               const lp_features *test, lp_error *err) {
    static const char *const same[] = {"weights_sha256", "feature",  "normalize", "preprocess",
                                       "activation",     "labels",   "pool",      "heads",
                                       "norm_eps",       "precision"};
    const json_t *a = json_object_get(trained, "inputs"), *b = json_object_get(tested, "inputs");
    for (size_t i = 0; a != NULL && b != NULL && i < sizeof same / sizeof same[0]; i++) {
        const json_t *mine = json_object_get(a, same[i]), *its = json_object_get(b, same[i]);
        if (mine != its && !json_equal(mine, its)) { /* absent in both: equal */
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: its features were not made as those %s: '%s' differs", test->path,
                           trained_on, same[i]);
        }
    }
    return data_input_check(json_object_get(trained, "data"), json_object_get(tested, "data"),
                            test->path, err);
}

lp_status step_check_match(const lp_probe *probe, const char *probe_path, const lp_features *test,
                           lp_error *err) {
    char trained_on[512];
    json_error_t reason;
    if (test->width != lp_probe_width(probe) || test->classes > lp_probe_classes(probe)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %zu features and %zu classes, but the probe %s was trained on %zu "
                       "features and %zu classes",
                       test->path, test->width, test->classes, probe_path, lp_probe_width(probe),
                       lp_probe_classes(probe));
    }
    (void)snprintf(trained_on, sizeof trained_on, "that %.400s was trained on", probe_path);
    json_t *trained = json_loads(lp_probe_meta(probe), 0, &reason);
    json_t *tested = json_loads(test->meta, 0, &reason);
    lp_status status =
        check_origins(json_object_get(trained, "train"), tested, trained_on, test, err);
    json_decref(trained);
    json_decref(tested);
    return status;
}

static lp_status check_sets(const lp_features *train, const lp_features *test, lp_error *err) {
    char trained_on[512];
    json_error_t reason;
    if (test->width != train->width || test->classes > train->classes) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %zu features and %zu classes, but %s has %zu features and %zu classes",
                       test->path, test->width, test->classes, train->path, train->width,
                       train->classes);
    }
    (void)snprintf(trained_on, sizeof trained_on, "of %.400s", train->path);
    json_t *trained = json_loads(train->meta, 0, &reason);
    json_t *tested = json_loads(test->meta, 0, &reason);
    lp_status status = check_origins(trained, tested, trained_on, test, err);
    json_decref(trained);
    json_decref(tested);
    return status;
}

lp_status step_open_sets(const char *train_path, const char *test_path, lp_features **train,
                         lp_features **test, lp_error *err) {
    *test = NULL;
    lp_status status = lp_features_open(train_path, train, err);
    if (status == LP_OK) {
        status = lp_features_open(test_path, test, err);
    }
    return status == LP_OK ? check_sets(*train, *test, err) : status;
}

lp_status step_open_probe(const char *probe_path, const char *test_path, lp_probe **probe,
                          lp_features **test, lp_error *err) {
    *test = NULL;
    lp_status status = lp_probe_load(probe_path, probe, err);
    if (status == LP_OK) {
        status = lp_features_open(test_path, test, err);
    }
    return status == LP_OK ? step_check_match(*probe, probe_path, *test, err) : status;
}

json_t *step_score_row(const lp_score *s) {
    return json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "images", (json_int_t)s->count,
                     "correct", (json_int_t)s->correct, "top1", 100 * s->top1, "top1_low",
                     100 * s->top1_low, "top1_high", 100 * s->top1_high, "top5", 100 * s->top5,
                     "mean_per_class", 100 * s->mean_per_class);
}

lp_status step_evaluation_write(const lp_evaluation *e, const lp_probe *probe, const char *path,
                                lp_error *err) {
    json_error_t reason;
    json_t *document =
        json_pack("{s:s, s:s, s:s, s:o, s:{s:o, s:s}}", "format", "linprobe evaluation", "linprobe",
                  lp_version(), "command", cli_command_line(), "probe",
                  json_loads(lp_probe_meta(probe), 0, &reason), "test", "path",
                  lp_json_any_text(e->test->path), "sha256", e->test->digest);
    json_t *found = lp_evaluation_document(e);
    if (found == NULL || json_object_update(document, found) != 0) {
        json_decref(document);
        document = NULL; /* reported as memory by lp_json_write */
    }
    json_decref(found);
    lp_status status = lp_json_write(path, document, err);
    json_decref(document);
    return status;
}
