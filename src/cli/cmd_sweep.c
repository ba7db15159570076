/* linprobe sweep: chooses C on validation data, fits on all training data, scores once.
 *
 *   1. the test set's rows are compared with the others': most must be its own
 *   2. the sweep, on the training set (and a validation set) alone   -> OUT/points.json
 *   3. a fit on training (+ validation) data with the chosen C       -> OUT/best.probe
 *   4. one score of that probe on the test set
 *   5. the report, in OUT */
#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/file.h"
#include "cli/commands.h"
#include "cli/data_input.h"
#include "cli/general.h"
#include "cli/meter.h"
#include "cli/model_path.h"
#include "cli/places.h"
#include "cli/settings.h"
#include "report/sweep_report.h"

typedef enum sweep_refit { REFIT_BOTH, REFIT_TRAIN } sweep_refit;
static const char *const refit_names[] = {"train+validation", "train", NULL};
_Static_assert(sizeof(sweep_refit) == sizeof(int), "an option stores it through an int");

typedef struct sweep_job {
    const char *train_path, *validation_path, *test_path, *out;
    const char *model, *data, *cache; /* what the features are made from, instead of their paths */
    lp_dataset_options dataset;
    cli_model_settings encoder;
    lp_run *made;             /* those features, or NULL */
    lp_sweep_options options; /* its decades, seed and fit are filled in from what follows */
    double low, high;
    sweep_refit refit;
    size_t seed;
    cli_fit_settings asked;
    cli_output_settings output;
} sweep_job;

_Static_assert(sizeof(lp_sweep_protocol) == sizeof(int), "an option stores it through an int");

#define AT(member) offsetof(sweep_job, member)
static const cli_option own[] = {
    {CLI_INPUT, "--model", "FILE", CLI_TEXT, AT(model), .letter = 'm', .content = CONTENT_WEIGHTS,
     .needs = "--data",
     .help = "instead of TRAIN_DIR and --test: extract what is missing with this encoder (as "
             "extract's)"},
    {CLI_INPUT, "--data", "PATH", CLI_TEXT, AT(data), .letter = 'd', .content = CONTENT_DATA,
     .needs = "--model", .excludes = "--test",
     .help = "and this data, of which both splits are taken"},
    {CLI_INPUT, "--test", "DIR", CLI_TEXT, AT(test_path), .content = CONTENT_FEATURES,
     .help = "test features: scored once, after C is chosen"},
    {CLI_INPUT, "--validation", "DIR", CLI_TEXT, AT(validation_path), .content = CONTENT_FEATURES,
     .help = "validation features (default: held out of the training set)"},
    {CLI_METHOD, "--hold-out", "SHARE", CLI_REAL, AT(options.held_out), .excludes = "--folds",
     .low = 0.001, .high = 0.999,
     .help = "share of each class held out for validation; with --model, a validation part of the "
             "data's own serves instead"},
    {CLI_METHOD, "--folds", "K", CLI_COUNT, AT(options.folds), .low = 2, .high = 100,
     .help = "k-fold cross-validation instead of --hold-out"},
    {CLI_METHOD, "--seed", "N", CLI_COUNT, AT(seed), .low = 0, .high = 1e15,
     .help = "seed of the split"},
    {CLI_METHOD, "--protocol", "P", CLI_CHOICE, AT(options.protocol),
     .choices = lp_sweep_protocol_names, .help = "search: the CLIP paper's; grid: every point"},
    {CLI_METHOD, "--refit", "SETS", CLI_CHOICE, AT(refit), .choices = refit_names,
     .needs = "--validation",
     .help = "what the probe is fitted on once C is chosen: the set of --validation too, or "
             "TRAIN_DIR alone; without --validation always all of TRAIN_DIR, also what was held "
             "out of it"},
    {CLI_METHOD, "--from", "EXPONENT", CLI_REAL, AT(low), .low = -12, .high = 11,
     .help = "smallest C is 10^EXPONENT"},
    {CLI_METHOD, "--to", "EXPONENT", CLI_REAL, AT(high), .low = -11, .high = 12,
     .help = "largest C is 10^EXPONENT"},
    {CLI_METHOD, "--steps", "N", CLI_COUNT, AT(options.steps), .low = 1, .high = 64,
     .help = "points a decade"},
    {CLI_OUTPUT, "--out", "DIR", CLI_OUT_FOLDER, AT(out), .letter = 'o', .required = true,
     .help = "folder of the results; keeps what is done"},
    {CLI_OUTPUT, "--cache", "DIR", CLI_TEXT, AT(cache), .help = "extracted features are kept here"},
    {.name = NULL}};
#undef AT

/* Refuses a test set that is, by its rows, one of those that are fitted or chosen on. */
static lp_status check_leak(const lp_features *test, size_t threads, lp_sweep_report *r,
                            lp_error *err) {
    const lp_features *sets[] = {r->train, r->validation};
    lp_status status = LP_OK;
    for (size_t i = 0; i < 2 && sets[i] != NULL; i++) {
        LP_TRY(cli_count_shared(sets[i], test, threads, &r->shared[i], err));
        if ((double)r->shared[i] > LP_MOST_SHARED * (double)test->count) {
            LP_TRY(lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: %zu of its %zu rows are rows of the %s set %s, at most %g %% may "
                           "be: give --test images that are used for nothing else",
                           test->path, r->shared[i], test->count,
                           i == 0 ? "training" : "validation", sets[i]->path,
                           100 * LP_MOST_SHARED));
        }
    }
done:
    return status;
}

/* *test is released by the caller in any case; NULL where there is none. */
static lp_status choose(const sweep_job *j, const lp_watch *watch, lp_sweep_report *r,
                        lp_features **test, lp_error *err) {
    lp_status status = j->validation_path == NULL
                           ? lp_features_open_any(j->train_path, &r->train, err)
                           : lp_run_open_sets_any(j->train_path, j->validation_path, &r->train,
                                                  &r->validation, err);
    LP_TRY(status);
    cli_note_labels(r->train);
    if (r->validation != NULL) {
        size_t shared; /* on which the largest C would look best */
        LP_TRY(cli_count_shared(r->train, r->validation, j->output.threads, &shared, err));
    }
    if (j->test_path != NULL) {
        LP_TRY(lp_features_open_any(j->test_path, test, err));
        LP_TRY(lp_run_check_sets(r->train, *test, err));
        LP_TRY(check_leak(*test, j->output.threads, r, err));
    }
    LP_TRY(lp_run_sweep(r->train, r->validation, &j->options, j->out, watch, &r->sweep, err));
done:
    return status;
}

/* Fits with the chosen C on all that is not test data.  Without convergence the probe is there, and
 * the report says so. */
static lp_status refit(const sweep_job *j, const lp_watch *watch, lp_sweep_report *r,
                       lp_probe **probe, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status;
    r->options = j->options;
    r->options.fit.C = r->sweep->points[r->sweep->best].C;
    LP_TRY(lp_path_print(path, err, "%s/best.probe", j->out));
    r->refit_on_both = j->refit == REFIT_BOTH && r->validation != NULL;
    status = lp_run_fit(r->train, r->refit_on_both ? r->validation : NULL, &r->options.fit, path,
                        r->command, watch, probe, &r->fit, err);
    status = status == LP_NOT_CONVERGED ? LP_OK : status;
done:
    return status;
}

static lp_status score_once(const lp_features *test, const lp_probe *probe, lp_sweep_report *r,
                            lp_error *err) {
    lp_status status;
    size_t threads = r->options.fit.threads;
    const lp_examples examples = lp_features_examples(test);
    LP_TRY(test->marks != NULL
               ? lp_multilabel_evaluation_run(probe, test, threads, &r->several, err)
               : lp_probe_score(probe, &examples, threads, &r->score, err));
    r->scored = true;
done:
    return status;
}

/* The set's own validation part serves, unless --folds or --hold-out says otherwise. */
static void choose_validation(sweep_job *j, const char *name) {
    const bool *rows = j->made->validation_rows;
    lp_sweep_options defaults;
    lp_sweep_defaults(&defaults);
    if (rows != NULL && j->options.folds < 2 && j->options.held_out == defaults.held_out) {
        j->options.validation_rows = rows;
        general_note("C is chosen on the validation part of %s", name);
    }
}

/* Features of both splits, found in the cache or extracted into it.  With --validation, which may
 * be the set's own validation part, nothing is trained on that part. */
static lp_status make_features(sweep_job *j, const lp_watch *watch, lp_error *err) {
    char path[LP_PATH_ROOM];
    size_t threads = j->output.threads;
    lp_checkpoint *ckpt = NULL;
    lp_dataset *train = NULL, *test = NULL;
    lp_split training = j->validation_path != NULL ? LP_SPLIT_TRAIN : LP_SPLIT_TRAINVAL;
    lp_status status;
    j->encoder.encoder.threads = threads;
    LP_TRY(model_path_find(j->model, j->cache, path, err));
    LP_TRY(lp_run_open_model(path, &j->encoder.encoder, j->encoder.point, &ckpt, err));
    LP_TRY(data_input_open(&j->dataset, j->data, j->cache, training, threads, &train, err));
    LP_TRY(data_input_open(&j->dataset, j->data, j->cache, LP_SPLIT_TEST, threads, &test, err));
    const lp_run_options options = {.model = path,
                                    .checkpoint = &ckpt,
                                    .encoder = j->encoder.encoder,
                                    .train = train,
                                    .test = test,
                                    .point = j->encoder.point,
                                    .normalize = j->encoder.normalize,
                                    .cache = j->cache,
                                    .fits = &j->options.fit,
                                    .fit_count = 1,
                                    .command = cli_command_line(),
                                    .threads = threads,
                                    .watch = *watch};
    LP_TRY(lp_run_sets(&options, &j->made, err));
    choose_validation(j, lp_dataset_describe(train)->name);
    j->train_path = j->made->train->path;
    j->test_path = j->made->test->path;
done:
    lp_checkpoint_close(ckpt);
    lp_dataset_close(train);
    lp_dataset_close(test);
    return status;
}

static lp_status sweep(void *job, lp_error *err) {
    sweep_job *j = job;
    lp_sweep_report r = {.command = cli_command_line()};
    lp_features *test = NULL;
    lp_probe *probe = NULL;
    meter m;
    const lp_watch watch = meter_watch(&m);
    lp_status status;
    if (j->low != floor(j->low) || j->high != floor(j->high)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "--from and --to: expected whole exponents, found %g and %g", j->low,
                       j->high);
    }
    j->options.low = (int)j->low;
    j->options.high = (int)j->high;
    j->options.seed = j->seed;
    j->options.fit = cli_fit_chosen(&j->asked, j->output.threads);
    if (j->model != NULL) {
        LP_TRY(make_features(j, &watch, err));
    }
    LP_TRY(choose(j, &watch, &r, &test, err));
    LP_TRY(refit(j, &watch, &r, &probe, err));
    if (test != NULL) {
        LP_TRY(score_once(test, probe, &r, err));
    }
    LP_TRY(lp_sweep_report_write(&r, j->out, err));
    lp_sweep_report_print(&r, stdout, j->output.format);
    status = r.fit.converged ? LP_OK : LP_NOT_CONVERGED;
done:
    lp_probe_free(probe);
    lp_sweep_free(r.sweep);
    lp_multilabel_evaluation_free(&r.several);
    lp_features_close(r.train);
    lp_features_close(r.validation);
    lp_features_close(test);
    lp_run_free(j->made);
    return status;
}

static lp_status check(void *settings, lp_error *err) {
    const sweep_job *j = settings;
    return (j->train_path == NULL) == (j->model != NULL)
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT,
                         "expected either TRAIN_DIR or --model FILE with --data PATH");
}

#define AT(member) offsetof(sweep_job, member)
static const cli_word words[] = {
    {"TRAIN_DIR", AT(train_path), .content = CONTENT_FEATURES, .optional = true}, {.name = NULL}};
static const cli_group groups[] = {{own, 0, NULL},
                                   {cli_labels_option, AT(dataset), "--model"},
                                   {cli_subset_options, AT(dataset), "--model"},
                                   {cli_image_folder_options, AT(dataset), "--model"},
                                   {cli_feature_option, AT(encoder), "--model"},
                                   {cli_normalize_option, AT(encoder), "--model"},
                                   {cli_encoder_options, AT(encoder), "--model"},
                                   {cli_one_encoder_options, AT(encoder), "--model"},
                                   {cli_solver_option, AT(asked), NULL},
                                   {cli_tolerance_options, AT(asked), NULL},
                                   {cli_format_option, AT(output), NULL},
                                   {cli_threads_option, AT(output), NULL},
                                   {.options = NULL}};
#undef AT

static void set_defaults(void *settings) {
    sweep_job *s = settings;
    s->cache = places_cache();
    s->asked = cli_fit_defaults();
    lp_sweep_defaults(&s->options);
    s->low = s->options.low;
    s->high = s->options.high;
}

const cli_command cli_sweep = {
    .name = "sweep",
    .summary = "chooses C on validation data, refits, scores once on test data",
    .size = sizeof(sweep_job),
    .defaults = set_defaults,
    .words = words,
    .groups = groups,
    .check = check,
    .work = sweep,
    .on_ranks = true,
    .usage = "TRAIN_DIR --out DIR [--test DIR] [options]\n"
             "--model FILE --data PATH --out DIR [options]",
    .details =
        "The search starts at C = 1e-6, 1e-4, ... 1e6 and halves its step round the best until "
        "it is 1/8 decade (arXiv 2103.00020, A.3). DIR gets sweep.html, sweep.json, sweep.csv, "
        "charts (.png, .svg) and best.probe; interrupted, the same command goes on from there. "
        "The test set plays no part in the choice. It is refused where more than 5 % of its rows "
        "are rows of the training or validation set, under any name and in any order.",
};
