/* linprobe reproduce: from nothing to the accuracy.
 *
 *   1. data and weights: given, found in the cache folder, or downloaded into it
 *   2. lp_run_pipeline: features of both splits, a probe for each solver, their scores
 *   3. the report, in RESULTS/<run>
 * Each step is skipped where its result is there already and was made from the same inputs. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/team.h"
#include "ckpt/known_models.h"
#include "cli/data_input.h"
#include "cli/general.h"
#include "cli/model_path.h"
#include "cli/commands.h"
#include "cli/profile_table.h"
#include "cli/places.h"
#include "cli/settings.h"
#include "cli/meter.h"
#include "data/official_data.h"
#include "report/run_report.h"

typedef struct reproduce_job {
    meter m; /* first: the context of the run's callbacks is the meter and the reproduce_job */
    const char *model, *data, *cache, *results, *run_name;
    const char *weights_url, *weights_sha256, *data_url, *data_sha256;
    lp_dataset_options dataset;
    cli_model_settings encoder;
    cli_fit_settings fit;
    bool sweep;
    size_t seed;
    cli_output_settings output;
    char model_path[LP_PATH_ROOM], data_path[LP_PATH_ROOM];
    lp_checkpoint *ckpt; /* of weights that are here already, until they are read */
    lp_dataset *train;   /* until its features are there */
    lp_dataset *test;
} reproduce_job;

#define AT(member) offsetof(reproduce_job, member)
static const cli_option own[] = {
    {CLI_INPUT, "--model", "FILE", CLI_TEXT, AT(model), .letter = 'm', .content = CONTENT_WEIGHTS,
     .help = "weights that are here already: a file, the name of a known model, or an id of the "
             "Hugging Face hub (default: CLIP ViT-B/32, downloaded)"},
    {CLI_INPUT, "--data", "PATH", CLI_TEXT, AT(data), .letter = 'd', .content = CONTENT_DATA,
     .help = "data that is here already: CIFAR, STL-10, a folder of images with a folder for each "
             "class, or one of the data sets by name, as PATH or NAME:PATH (default: CIFAR-100, "
             "downloaded)"},
    {CLI_INPUT, "--weights-url", "URL", CLI_TEXT, AT(weights_url), .needs = "--weights-sha256",
     .help = "download the weights from here; needs --weights-sha256"},
    {CLI_INPUT, "--weights-sha256", "HEX", CLI_TEXT, AT(weights_sha256), .needs = "--weights-url",
     .help = "checksum of the file at --weights-url"},
    {CLI_INPUT, "--data-url", "URL", CLI_TEXT, AT(data_url), .needs = "--data-sha256",
     .help = "download the data from here; needs --data-sha256"},
    {CLI_INPUT, "--data-sha256", "HEX", CLI_TEXT, AT(data_sha256), .needs = "--data-url",
     .help = "checksum of the file at --data-url"},
    {CLI_METHOD, "--sweep", NULL, CLI_FLAG, AT(sweep), .excludes = "-C",
     .help = "choose C on the set's validation part, else on a tenth of the training set (see "
             "sweep), for softmax"},
    {CLI_METHOD, "--seed", "N", CLI_COUNT, AT(seed), .low = 0, .high = 1e15,
     .help = "seed of the split that --sweep makes"},
    {CLI_OUTPUT, "--cache", "DIR", CLI_TEXT, AT(cache),
     .help = "downloads and features are kept here"},
    {CLI_OUTPUT, "--results", "DIR", CLI_OUT_FOLDER, AT(results), .letter = 'o',
     .help = "results go to DIR/<run>"},
    {CLI_OUTPUT, "--run", "NAME", CLI_TEXT, AT(run_name),
     .help = "name of the run (default: made from its inputs)"},
    {.name = NULL}};
#undef AT

/* ---- inputs ---------------------------------------------------------------------------------- */

/* A file that is downloaded unless it is here. */
typedef struct input_file {
    const char *what, *option;   /* "weights", "--model FILE": for messages */
    const lp_known_model *model; /* whose file may be elsewhere, too; or NULL */
    const char *url, *sha256;
    uint64_t bytes; /* 0: not known */
} input_file;

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

/* The file is in the cache, elsewhere, or is downloaded to the cache. */
static lp_status find_here(const char *cache, const input_file *file, char path[LP_PATH_ROOM],
                           lp_error *err) {
    const char *name = lp_path_name(file->url);
    char advice[160];
    lp_status status;
    if (name[0] == '\0') {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s: expected the URL of a file", file->url);
    }
    LP_TRY(lp_path_print(path, err, "%s/%s", cache, name));
    if (lp_is_file(path)) {
        return check_kept(path, file->sha256, err);
    }
    if (file->model != NULL) {
        LP_TRY(model_path_elsewhere(file->model, path, err));
        if (path[0] != '\0') {
            return LP_OK;
        }
        LP_TRY(lp_path_print(path, err, "%s/%s", cache, name));
    }
    const lp_fetch_request request = {
        .url = file->url, .path = path, .bytes = file->bytes, .sha256 = file->sha256};
    (void)snprintf(advice, sizeof advice,
                   "if it is here already: %s; without a network: `make demo`", file->option);
    LP_TRY(lp_make_folders(cache, err));
    LP_TRY(download_file(file->what, advice, &request, err));
done:
    return status;
}

/* Rank 0 looks for it, and downloads it for all. */
static lp_status find_input(const char *cache, const input_file *file, char path[LP_PATH_ROOM],
                            lp_error *err) {
    lp_status status = lp_team_rank() == 0 ? find_here(cache, file, path, err) : LP_OK;
    return status == LP_OK ? lp_team_broadcast(path, LP_PATH_ROOM, err) : status;
}

static lp_status find_data(reproduce_job *j, lp_error *err) {
    const lp_official_archive *official = &lp_record_layouts[LP_CIFAR_100].archive;
    const bool other = j->data_url != NULL;
    const input_file file = {.what = "CIFAR-100",
                             .option = "--data PATH",
                             .url = other ? j->data_url : official->url,
                             .sha256 = other ? j->data_sha256 : official->sha256,
                             .bytes = other ? 0 : official->bytes};
    return j->data != NULL ? lp_path_print(j->data_path, err, "%s", j->data)
                           : find_input(j->cache, &file, j->data_path, err);
}

static lp_status find_weights(reproduce_job *j, lp_error *err) {
    const lp_known_model *known = lp_known_model_named("clip-vit-b-32");
    const bool other = j->weights_url != NULL;
    const input_file file = {.what = "weights",
                             .option = "--model FILE",
                             .model = other ? NULL : known,
                             .url = other ? j->weights_url : known->url,
                             .sha256 = other ? j->weights_sha256 : known->sha256,
                             .bytes = other ? 0 : known->bytes};
    return find_input(j->cache, &file, j->model_path, err);
}

/* What the user has is looked at before anything is downloaded. */
static lp_status find_inputs(reproduce_job *j, lp_error *err) {
    lp_status status;
    if (j->model != NULL) {
        LP_TRY(model_path_find(j->model, j->cache, j->model_path, err));
        LP_TRY(
            lp_run_open_model(j->model_path, &j->encoder.encoder, j->encoder.point, &j->ckpt, err));
    }
    LP_TRY(find_data(j, err));
    LP_TRY(data_input_open(&j->dataset, j->data_path, j->cache, LP_SPLIT_TRAINVAL,
                           j->output.threads, &j->train, err));
    LP_TRY(data_input_open(&j->dataset, j->data_path, j->cache, LP_SPLIT_TEST, j->output.threads,
                           &j->test, err));
    if (j->model == NULL) {
        LP_TRY(find_weights(j, err));
    }
done:
    return status;
}

/* ---- the run --------------------------------------------------------------------------------- */

/* The training images are not needed any more; the test images are shown in the report. */
static void name_run(void *context, const lp_run *run, char *name, size_t room) {
    reproduce_job *j = context;
    lp_dataset_close(j->train);
    j->train = NULL;
    if (j->output.profile) {
        profile_print_run(stderr, run);
    }
    if (j->run_name != NULL) {
        (void)snprintf(name, room, "%s", j->run_name);
    } else {
        lp_run_report_name(run, j->sweep ? NAN : j->fit.fit.C, name, room);
    }
}

/* Where everything is, and what can be done with it. */
static void note_places(const reproduce_job *j, const lp_run *run) {
    const char *train = run->train->path, *test = run->test->path;
    char quoted[5][CLI_QUOTED];
    cli_quote(quoted[0], train);
    cli_quote(quoted[1], test);
    cli_quote(quoted[2], run->folder);
    cli_quote(quoted[3], j->model != NULL ? j->model : j->model_path);
    cli_quote(quoted[4], lp_solver_name(run->probes[0].options.solver));
    general_note("written: %s/\nfeatures: %s\n          %s\nnext:", run->folder, train, test);
    if (!j->sweep) {
        general_note("  linprobe sweep %s --test %s --out %s/sweep%s", quoted[0], quoted[1],
                     quoted[2], run->test->marks != NULL ? " --solver ovr" : "");
    }
    if (run->test->marks != NULL) {
        general_note("  linprobe eval %s/%s.probe %s --per-class", quoted[2], quoted[4], quoted[1]);
        return;
    }
    general_note("  linprobe eval %s/%s.probe %s --table confused\n"
                 "  linprobe predict %s/%s.probe --data PICTURES --model %s",
                 quoted[2], quoted[4], quoted[1], quoted[2], quoted[4], quoted[3]);
}

static lp_status reproduce(void *job, lp_error *err) {
    reproduce_job *j = job;
    lp_run *run = NULL;
    lp_status status;
    j->encoder.encoder.threads = j->output.threads;
    LP_TRY(find_inputs(j, err));
    lp_solver solver = cli_solver_for(LP_SOLVER_SOFTMAX, lp_dataset_describe(j->train));
    const lp_fit_options fits[] = {cli_fit_by(&j->fit, solver, j->output.threads),
                                   cli_fit_by(&j->fit, LP_SOLVER_LIBLINEAR, j->output.threads)};
    lp_run_options options = {.model = j->model_path,
                              .checkpoint = &j->ckpt,
                              .encoder = j->encoder.encoder,
                              .train = j->train,
                              .test = j->test,
                              .point = j->encoder.point,
                              .normalize = j->encoder.normalize,
                              .profile = j->output.profile,
                              .cache = j->cache,
                              .sweep = j->sweep,
                              .fits = fits,
                              .fit_count = sizeof fits / sizeof fits[0],
                              .out = j->results,
                              .command = cli_command_line(),
                              .threads = j->output.threads,
                              .watch = meter_watch(&j->m),
                              .name = name_run};
    lp_sweep_defaults(&options.search);
    options.search.seed = j->seed;
    options.search.fit = fits[0];
    LP_TRY(lp_run_pipeline(&options, &run, err));
    const lp_run_report report = {run, cli_command_line(), j->test};
    LP_TRY(lp_run_report_write(&report, err));
    LP_TRY(lp_run_report_print(&report, stdout, j->output.format, err));
    for (size_t i = 0; i < run->count; i++) {
        cli_warn_of_training(lp_solver_name(run->probes[i].options.solver), run->test,
                             lp_run_probe_trained_rows(&run->probes[i]));
    }
    note_places(j, run);
    status = run->converged ? LP_OK : LP_NOT_CONVERGED;
done:
    lp_run_free(run);
    lp_checkpoint_close(j->ckpt);
    lp_dataset_close(j->train);
    lp_dataset_close(j->test);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

#define AT(member) offsetof(reproduce_job, member)
static const cli_group groups[] = {{own, 0, NULL},
                                   {cli_labels_option, AT(dataset), NULL},
                                   {cli_subset_options, AT(dataset), NULL},
                                   {cli_image_folder_options, AT(dataset), NULL},
                                   {cli_feature_option, AT(encoder), NULL},
                                   {cli_normalize_option, AT(encoder), NULL},
                                   {cli_encoder_options, AT(encoder), NULL},
                                   {cli_one_encoder_options, AT(encoder), NULL},
                                   {cli_strength_option, AT(fit), NULL},
                                   {cli_tolerance_options, AT(fit), NULL},
                                   {cli_profile_option, AT(output), NULL},
                                   {cli_format_option, AT(output), NULL},
                                   {cli_threads_option, AT(output), NULL},
                                   {.options = NULL}};
#undef AT

static void set_defaults(void *settings) {
    reproduce_job *s = settings;
    s->cache = places_cache();
    s->results = "results";
    s->fit = cli_fit_defaults();
}

const cli_command cli_reproduce = {
    .name = "reproduce",
    .summary = "CIFAR-100 linear probe: downloads, extracts, trains, scores",
    .size = sizeof(reproduce_job),
    .defaults = set_defaults,
    .groups = groups,
    .work = reproduce,
    .on_ranks = true,
    .usage = "[--model FILE] [--data PATH] [options]",
    .details =
        "Without options: OpenAI's CLIP ViT-B/32 (354 MB) and CIFAR-100 (169 MB) are downloaded "
        "into the cache, verified, and kept. Interrupted, the same command goes on where it "
        "stood; run again, it reuses what is there.",
};
