/* linprobe reproduce: from nothing to the accuracy.
 *
 *   1. data and weights: given, found in the cache folder, or downloaded into it
 *   2. features of both splits          -> CACHE/features/<model>/<split>-<digest of the inputs>
 *   3. a probe for each solver          -> RESULTS/<run>/<solver>.probe
 *   4. its score on the test split      -> RESULTS/<run>/results.json, results.csv, README.md;
 *                                          <solver>-evaluation.json, confusion.png, report.html
 * Each step is skipped where its result is there already and was made from the same inputs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "ckpt/known_models.h"
#include "cli/download.h"
#include "cli/model_path.h"
#include "cli/data_input.h"
#include "cli/options.h"
#include "cli/profile_table.h"
#include "cli/run_page.h"
#include "cli/settings.h"
#include "cli/steps.h"
#include "data/official_data.h"
#include "report/published.h"

enum { SOLVERS = 2 };

typedef struct job {
    const char *model, *data, *cache, *results, *run_name;
    const char *weights_url, *weights_sha256, *data_url, *data_sha256;
    lp_dataset_options dataset;
    cli_model_settings encoder_asked;
    cli_fit_settings fit;
    cli_output_settings output;
    lp_profile profile; /* of the last extraction */
    /* found and made on the way */
    char model_path[STEP_PATH], data_path[STEP_PATH];
    char out[STEP_PATH]; /* RESULTS/<run> */
    char set_path[2][STEP_PATH];
    step_encoder encoder;
    lp_encoder_info info;
    lp_feature_point where;
    bool official_data[2];
    char data_name[32];
    lp_dataset *images[2];    /* train, until it is extracted; test */
    lp_features *set[2];      /* train, test */
    json_t *rows;             /* one object a solver */
    lp_evaluation evaluation; /* of the probe that the page is about: softmax, else the first */
    lp_solver evaluated;
    bool converged;
} job;

#define AT(member) offsetof(job, member)
static const cli_option own[] = {
    {CLI_INPUT, "--model", "FILE", CLI_TEXT, AT(model),
     .help = "weights that are here already, or the name of a fetched model (default: CLIP "
             "ViT-B/32, downloaded)"},
    {CLI_INPUT, "--data", "PATH", CLI_TEXT, AT(data),
     .help = "data that is here already: CIFAR, STL-10, or a folder of images with a folder for "
             "each class (default: CIFAR-100, downloaded)"},
    {CLI_INPUT, "--weights-url", "URL", CLI_TEXT, AT(weights_url), .needs = "--weights-sha256",
     .help = "download the weights from here; needs --weights-sha256"},
    {CLI_INPUT, "--weights-sha256", "HEX", CLI_TEXT, AT(weights_sha256), .needs = "--weights-url",
     .help = "checksum of the file at --weights-url"},
    {CLI_INPUT, "--data-url", "URL", CLI_TEXT, AT(data_url), .needs = "--data-sha256",
     .help = "download the data from here; needs --data-sha256"},
    {CLI_INPUT, "--data-sha256", "HEX", CLI_TEXT, AT(data_sha256), .needs = "--data-url",
     .help = "checksum of the file at --data-url"},
    {CLI_OUTPUT, "--cache", "DIR", CLI_TEXT, AT(cache),
     .help = "downloads and features are kept here"},
    {CLI_OUTPUT, "--results", "DIR", CLI_TEXT, AT(results), .help = "results go to DIR/<run>"},
    {CLI_OUTPUT, "--run", "NAME", CLI_TEXT, AT(run_name),
     .help = "name of the run (default: made from its inputs)"},
    {.name = NULL}};
#undef AT

/* ---- 1. inputs ---- */

/* A file in the cache may be of another run, with another URL or checksum. */
static lp_status check_kept(const char *path, const char *sha256, lp_error *err) {
    char hex[LP_DIGEST_HEX];
    lp_status status = lp_digest_file(LP_SHA256, path, hex, err);
    if (status == LP_OK && strcasecmp(hex, sha256) != 0) {
        status = lp_fail(err, LP_ERR_DATA,
                         "%s: expected SHA-256 %s, found %s; remove it to download it again", path,
                         sha256, hex);
    }
    return status;
}

/* The file is at --OPTION, in the cache, at `elsewhere` (or NULL), or is downloaded to the cache.
 */
static lp_status find_input(const job *j, const char *what, const char *option, const char *given,
                            const char *elsewhere, const char *url, uint64_t bytes,
                            const char *sha256, char path[STEP_PATH], lp_error *err) {
    if (given != NULL) {
        return step_path(path, err, "%s", given);
    }
    lp_status status = step_path(path, err, "%s/%s", j->cache, lp_path_name(url));
    if (status == LP_OK && lp_path_name(url)[0] == '\0') {
        status = lp_fail(err, LP_ERR_ARGUMENT, "%s: expected the URL of a file", url);
    }
    if (status != LP_OK || lp_is_file(path)) {
        return status == LP_OK ? check_kept(path, sha256, err) : status;
    }
    if (elsewhere != NULL && lp_is_file(elsewhere)) {
        return step_path(path, err, "%s", elsewhere);
    }
    char advice[64];
    (void)snprintf(advice, sizeof advice, "a file that is here already: %s", option);
    lp_fetch_request request = {.url = url, .path = path, .bytes = bytes, .sha256 = sha256};
    status = lp_make_folders(j->cache, err);
    return status == LP_OK ? download_file(what, advice, &request, err) : status;
}

/* What the user has is opened before anything is downloaded. */
static lp_status find_inputs(job *j, lp_error *err) {
    const lp_known_model *weights = lp_known_model_named("clip-vit-b-32");
    const lp_official_archive *data = &lp_record_layouts[LP_CIFAR_100].archive;
    char *elsewhere = NULL;
    lp_checkpoint *ckpt = NULL;
    lp_status status = j->model != NULL ? model_open(j->model, j->cache, &ckpt, err) : LP_OK;
    lp_checkpoint_close(ckpt);
    if (status == LP_OK) {
        status = j->data_url != NULL
                     ? find_input(j, "CIFAR-100", "--data PATH", j->data, NULL, j->data_url, 0,
                                  j->data_sha256, j->data_path, err)
                     : find_input(j, "CIFAR-100", "--data PATH", j->data, NULL, data->url,
                                  data->bytes, data->sha256, j->data_path, err);
    }
    for (int s = 0; status == LP_OK && s < 2; s++) {
        status = data_input_open(&j->dataset, j->data_path, s == 0 ? LP_SPLIT_TRAIN : LP_SPLIT_TEST,
                                 j->output.threads, &j->images[s], err);
    }
    if (status == LP_OK && j->weights_url != NULL) {
        return find_input(j, "weights", "--model FILE", j->model, NULL, j->weights_url, 0,
                          j->weights_sha256, j->model_path, err);
    }
    if (status == LP_OK) {
        status = model_path_elsewhere(weights, &elsewhere, err);
    }
    if (status == LP_OK) {
        status = find_input(j, "weights", "--model FILE", j->model, elsewhere, weights->url,
                            weights->bytes, weights->sha256, j->model_path, err);
    }
    lp_free(elsewhere);
    return status;
}

/* ---- 2. features ---- */

/* RESULTS/<run>, by default named by what went into it. */
static lp_status name_run(job *j, const lp_dataset_info *data, lp_error *err) {
    char model[80], set[40], weights[16] = "";
    step_slug(model, sizeof model, j->info.name);
    step_slug(set, sizeof set, data->name);
    (void)snprintf(j->data_name, sizeof j->data_name, "%s", data->name);
    bool openai = j->encoder.official != NULL && strncmp(j->encoder.official, "OpenAI ", 7) == 0;
    if (!openai) { /* files of one shape are told apart */
        (void)snprintf(weights, sizeof weights, "-%.8s", j->encoder.sha256);
    }
    return j->run_name != NULL
               ? step_path(j->out, err, "%s/%s", j->results, j->run_name)
               : step_path(j->out, err, "%s/%s-%s%s-%s%s%s-C%g", j->results, set, model, weights,
                           lp_feature_point_name(j->where),
                           j->encoder_asked.normalize ? "-normalized" : "",
                           data->labels == LP_LABELS_COARSE ? "-coarse" : "", j->fit.fit.C);
}

static lp_status extract_split(job *j, int split, const lp_dataset *data, lp_error *err) {
    lp_extract_report report;
    j->official_data[split] = lp_dataset_describe(data)->official != NULL;
    const step_how how = {j->where, j->encoder_asked.normalize, j->output.threads,
                          j->output.profile ? &j->profile : NULL};
    return step_features(j->cache, &j->encoder, data, &how, j->set_path[split], &report, err);
}

static lp_status extract_both(job *j, lp_error *err) {
    lp_dataset **data = j->images;
    lp_status status =
        step_encoder_load(j->model_path, j->cache, &j->encoder_asked.encoder, &j->encoder, err);
    if (status == LP_OK) {
        j->info = *lp_encoder_describe(j->encoder.encoder);
        j->where = cli_feature_point(&j->encoder_asked, j->info.default_point);
        if (lp_encoder_features(&j->info, j->where) == 0) {
            status = lp_fail(err, LP_ERR_ARGUMENT, "%s has no feature point '%s'", j->info.name,
                             lp_feature_point_name(j->where));
        }
    }
    if (status == LP_OK) {
        status = name_run(j, lp_dataset_describe(data[0]), err);
    }
    for (int s = 0; status == LP_OK && s < 2; s++) {
        status = extract_split(j, s, data[s], err);
    }
    lp_encoder_free(j->encoder.encoder); /* the page still asks whose weights these were */
    j->encoder.encoder = NULL;
    lp_dataset_close(data[LP_SPLIT_TRAIN]); /* the test images are shown later */
    data[LP_SPLIT_TRAIN] = NULL;
    for (int s = 0; status == LP_OK && s < 2; s++) {
        status = lp_features_open(j->set_path[s], &j->set[s], err);
    }
    return status;
}

/* ---- 3. and 4. probes and scores ---- */

/* Scores a probe into `row`, and keeps the evaluation if the page will be about it. */
static lp_status evaluate(job *j, lp_solver solver, const lp_probe *probe, json_t *row,
                          lp_error *err) {
    char path[STEP_PATH];
    lp_evaluation e;
    lp_status status =
        step_path(path, err, "%s/%s-evaluation.json", j->out, lp_solver_name(solver));
    if (status == LP_OK) {
        status = lp_evaluation_run(probe, j->set[1], lp_probability_of(probe), j->output.threads,
                                   &e, err);
    }
    if (status != LP_OK) {
        return status;
    }
    json_t *scored = step_score_row(&e.metrics.score);
    (void)json_object_update(row, scored);
    json_decref(scored);
    status = step_evaluation_write(&e, probe, path, err);
    if (j->evaluation.test == NULL || solver == LP_SOLVER_SOFTMAX) {
        lp_evaluation_free(&j->evaluation);
        j->evaluation = e;
        j->evaluated = solver;
    } else {
        lp_evaluation_free(&e);
    }
    return status;
}

static lp_status run_solver(job *j, lp_solver solver, lp_error *err) {
    char path[STEP_PATH];
    lp_probe *probe = NULL;
    json_t *row = NULL;
    const lp_fit_options fit = cli_fit_by(&j->fit, solver, j->output.threads);
    lp_status status = step_path(path, err, "%s/%s.probe", j->out, lp_solver_name(solver));
    if (status == LP_OK) {
        status = step_train(j->set[0], &fit, path, &probe, &row, err);
    }
    if (status == LP_OK) {
        j->converged = j->converged && json_is_true(json_object_get(row, "converged"));
        (void)json_object_del(row, "seconds"); /* the same run gives the same report */
        status = evaluate(j, solver, probe, row, err);
        (void)json_array_append(j->rows, row);
    }
    json_decref(row);
    lp_probe_free(probe);
    return status;
}

/* ---- 5. reports ---- */

static const lp_column result_columns[] = {
    {"solver", "solver", NULL},
    {"C", "C", "%g"},
    {"top1", "accuracy %", "%.3f"},
    {"top1_low", "95 % from", "%.2f"},
    {"top1_high", "to", "%.2f"},
    {"top5", "top-5 %", "%.3f"},
    {"mean_per_class", "per class %", "%.3f"},
    {"converged", "converged", NULL},
};
enum { RESULT_COLUMNS = sizeof result_columns / sizeof result_columns[0] };

static const char *objective_of(const json_t *row) {
    return strcmp(lp_json_text(row, "solver", ""), "softmax") == 0 ? "multinomial" : "one-vs-rest";
}

static void print_setting(FILE *out, const job *j, const json_t *row) {
    (void)fprintf(out, "%s (%s), C = %g, %s features%s", lp_json_text(row, "solver", ""),
                  objective_of(row), lp_json_number(row, "C", 0), lp_feature_point_name(j->where),
                  j->encoder_asked.normalize ? ", normalised" : "");
}

/* The published number of these very inputs, or NULL. */
static const lp_published *published(const job *j) {
    bool same = j->dataset.labels == LP_LABELS_FINE && !j->encoder_asked.normalize &&
                j->official_data[0] && j->official_data[1] &&
                j->encoder_asked.encoder.precision == LP_PRECISION_FLOAT32;
    return same ? lp_published_find(j->encoder.official, j->data_name, j->where) : NULL;
}

static void print_reported(FILE *out, const job *j) {
    const lp_published *p = published(j);
    const lp_published *target = lp_published_target();
    if (p != NULL) {
        (void)fprintf(out, "Reported = %.*f  %s; %s\n", p->decimals, p->accuracy, p->setting,
                      p->source);
    } else {
        (void)fprintf(out,
                      "Reported = %.*f  for %s on %s: %s.\n"
                      "           Not comparable: this run used other weights, data or features.\n",
                      target->decimals, target->accuracy, target->model, target->dataset,
                      target->setting);
    }
}

static void print_summary(FILE *out, const job *j) {
    size_t i;
    const json_t *row;
    (void)fprintf(out, "%s on %s: %zu training and %zu test images, %zu classes\n\n", j->info.name,
                  j->data_name, j->set[0]->count, j->set[1]->count, j->set[0]->classes);
    lp_table_print(out, LP_FORMAT_TEXT, result_columns, RESULT_COLUMNS, j->rows);
    (void)fputc('\n', out);
    json_array_foreach(j->rows, i, row) {
        (void)fprintf(out, "Accuracy = %.3f  ", lp_json_number(row, "top1", 0));
        print_setting(out, j, row);
        (void)fputc('\n', out);
    }
    print_reported(out, j);
}

static json_t *result_object(const job *j) {
    const lp_published *p = published(j);
    json_error_t reason;
    json_t *train = json_loads(j->set[0]->meta, 0, &reason);
    json_t *test = json_loads(j->set[1]->meta, 0, &reason);
    json_t *object = json_pack(
        "{s:s, s:s, s:O*, s:O*, s:O*, s:O*, s:{s:I, s:I, s:s, s:s}, s:O}", "linprobe", lp_version(),
        "command", cli_command_line(), "weights", json_object_get(train, "weights"), "encoder",
        json_object_get(train, "encoder"), "train_inputs", json_object_get(train, "inputs"),
        "test_inputs", json_object_get(test, "inputs"), "features", "width",
        (json_int_t)j->set[0]->width, "classes", (json_int_t)j->set[0]->classes, "train_sha256",
        j->set[0]->digest, "test_sha256", j->set[1]->digest, "probes", j->rows);
    if (p != NULL) {
        (void)json_object_set_new(object, "reported",
                                  json_pack("{s:f, s:s, s:s}", "top1", p->accuracy, "setting",
                                            p->setting, "source", p->source));
    }
    json_decref(train);
    json_decref(test);
    return object;
}

/* The page for people: what came out, of what, and the command that makes it again. */
static void print_page(FILE *out, const job *j) {
    (void)fprintf(out, "# %s on %s\n\n", j->info.name, j->data_name);
    lp_table_markdown(out, result_columns, RESULT_COLUMNS, j->rows);
    (void)fputs("\n```\n", out);
    print_reported(out, j);
    (void)fprintf(out,
                  "```\n\n"
                  "- weights: %s, SHA-256 `%s`%s%s\n"
                  "- training data: %zu images, %s; test data: %zu images, %s\n"
                  "- features: %s, %zu values an image%s; SHA-256 of the sets `%s` and `%s`\n"
                  "- linprobe %s; interval: Wilson, 95 %%\n\n"
                  "Made by:\n\n    %s\n",
                  j->info.name, j->encoder.sha256, j->encoder.official != NULL ? ", " : "",
                  j->encoder.official != NULL ? j->encoder.official : "", j->set[0]->count,
                  j->official_data[0] ? "the official file" : "not the official file",
                  j->set[1]->count,
                  j->official_data[1] ? "the official file" : "not the official file",
                  lp_feature_point_name(j->where), j->set[0]->width,
                  j->encoder_asked.normalize ? ", each divided by its length" : "",
                  j->set[0]->digest, j->set[1]->digest, lp_version(), cli_command_line());
}

static lp_status write_page(const job *j, const char *path, lp_error *err) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL) {
        return lp_fail_memory(err, path, 1, 1);
    }
    print_page(stream, j);
    bool failed = ferror(stream) != 0;
    failed = fclose(stream) != 0 || failed;
    lp_status status =
        failed ? lp_fail_memory(err, path, size, 1) : lp_file_write(path, text, size, err);
    free(text);
    return status;
}

/* What others reported, in words; the caller frees it. */
static lp_status reported_text(const job *j, char **text, lp_error *err) {
    size_t size = 0;
    FILE *stream = open_memstream(text, &size);
    if (stream == NULL) {
        return lp_fail_memory(err, "report", 1, 1);
    }
    print_reported(stream, j);
    bool failed = ferror(stream) != 0;
    return fclose(stream) != 0 || failed ? lp_fail_memory(err, "report", size, 1) : LP_OK;
}

static lp_status write_pictures(const job *j, const json_t *object, lp_error *err) {
    char title[128];
    char *reported = NULL;
    lp_status status = reported_text(j, &reported, err);
    (void)snprintf(title, sizeof title, "%.80s on %s", j->info.name, j->data_name);
    if (status == LP_OK) {
        const run_page run = {.title = title,
                              .folder = j->out,
                              .rows = j->rows,
                              .columns = result_columns,
                              .column_count = RESULT_COLUMNS,
                              .reported = reported,
                              .published = published(j),
                              .evaluation = &j->evaluation,
                              .solver = lp_solver_name(j->evaluated),
                              .images = j->images[LP_SPLIT_TEST],
                              .result = object};
        status = run_page_write(&run, err);
    }
    free(reported);
    return status;
}

static lp_status write_results(const job *j, json_t *object, lp_error *err) {
    char path[STEP_PATH];
    lp_status status = step_path(path, err, "%s/results.json", j->out);
    if (status == LP_OK) {
        status = lp_json_write(path, object, err);
    }
    if (status == LP_OK) {
        status = step_path(path, err, "%s/results.csv", j->out);
    }
    if (status == LP_OK) {
        status = lp_table_write(path, LP_FORMAT_CSV, result_columns, RESULT_COLUMNS, j->rows, err);
    }
    if (status == LP_OK) {
        status = step_path(path, err, "%s/README.md", j->out);
    }
    if (status == LP_OK) {
        status = write_page(j, path, err);
    }
    return status == LP_OK ? write_pictures(j, object, err) : status;
}

/* ---- the command ---- */

static lp_status reproduce(job *j, lp_error *err) {
    static const lp_solver solvers[SOLVERS] = {LP_SOLVER_LIBLINEAR, LP_SOLVER_SOFTMAX};
    lp_status status = find_inputs(j, err);
    if (status == LP_OK) {
        status = extract_both(j, err);
    }
    if (status == LP_OK) {
        status = lp_make_folders(j->out, err);
    }
    for (int s = 0; status == LP_OK && s < SOLVERS; s++) {
        status = run_solver(j, solvers[s], err);
    }
    if (status != LP_OK) {
        return status;
    }
    json_t *object = result_object(j);
    status = write_results(j, object, err);
    if (status == LP_OK && j->output.format == LP_FORMAT_JSON) {
        lp_table_print(stdout, LP_FORMAT_JSON, NULL, 0, object);
    } else if (status == LP_OK && j->output.format == LP_FORMAT_CSV) {
        lp_table_print(stdout, LP_FORMAT_CSV, result_columns, RESULT_COLUMNS, j->rows);
    } else if (status == LP_OK) {
        print_summary(stdout, j);
    }
    json_decref(object);
    if (status == LP_OK) {
        (void)fprintf(stderr, "written: %s/\n", j->out);
    }
    return status;
}

static int run(const cli_command *command, int argc, char **argv) {
    static job j; /* large */
    j.cache = MODEL_CACHE;
    j.results = "results";
    j.fit = cli_fit_defaults();
    const cli_group groups[] = {{own, &j, NULL},
                                {cli_labels_option, &j.dataset, NULL},
                                {cli_image_folder_options, &j.dataset, NULL},
                                {cli_feature_option, &j.encoder_asked, NULL},
                                {cli_normalize_option, &j.encoder_asked, NULL},
                                {cli_encoder_options, &j.encoder_asked, NULL},
                                {cli_one_encoder_options, &j.encoder_asked, NULL},
                                {cli_strength_option, &j.fit, NULL},
                                {cli_tolerance_options, &j.fit, NULL},
                                {cli_profile_option, &j.output, NULL},
                                {cli_format_option, &j.output, NULL},
                                {cli_threads_option, &j.output, NULL},
                                {.options = NULL}};
    lp_error err = {0};
    int exit_status = cli_parse(command, groups, argc, argv, NULL, 0, 0, NULL);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    j.encoder_asked.encoder.threads = j.output.threads;
    j.rows = json_array();
    j.converged = true;
    lp_status status = reproduce(&j, &err);
    json_decref(j.rows);
    step_encoder_free(&j.encoder);
    lp_features_close(j.set[0]);
    lp_features_close(j.set[1]);
    lp_evaluation_free(&j.evaluation);
    lp_dataset_close(j.images[0]);
    lp_dataset_close(j.images[1]);
    if (status != LP_OK) {
        return cli_fail(command, status, &err);
    }
    return j.converged ? CLI_OK : CLI_NOT_CONVERGED;
}

const cli_command cli_reproduce = {
    .name = "reproduce",
    .summary = "CIFAR-100 linear probe: downloads, extracts, trains, scores",
    .run = run,
    .usage = "[--model FILE] [--data PATH] [options]",
    .details =
        "Without options: OpenAI's CLIP ViT-B/32 (354 MB) and CIFAR-100 (169 MB) are downloaded "
        "into datasets/, verified, and kept. Interrupted, the same command goes on where it "
        "stood; run again, it reuses what is there.",
};
