/* linprobe compare: probes, or whole backbones, against each other on one test set.
 *
 *     PROBE=TEST_DIR ...       \
 *                               -> predictions -> accuracy of each, every pair's difference
 *     MODEL ... --data IMAGES  /   (backbone.c does all that is missing before) */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/backbone.h"
#include "cli/comparison.h"
#include "cli/data_input.h"
#include "cli/model_path.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/steps.h"
#include "report/html.h"

/* ---- probes ---- */

static const lp_column run_columns[] = {
    {"run", "run", NULL},        {"images", "images", NULL},        {"correct", "correct", NULL},
    {"top1", "top-1 %", "%.3f"}, {"top1_low", "95 % from", "%.2f"}, {"top1_high", "to", "%.2f"},
};
/* Splits PROBE=TEST_DIR at the '=' that has a file before and a file or folder after it, so that
 * either name may hold another. */
static lp_status split_word(const char *word, char **probe, const char **test, lp_error *err) {
    *probe = lp_strdup(word);
    if (*probe == NULL) {
        return lp_fail_memory(err, "arguments", strlen(word), 1);
    }
    for (char *equals = strchr(*probe, '='); equals != NULL; equals = strchr(equals + 1, '=')) {
        *equals = '\0';
        *test = word + (equals - *probe) + 1;
        if (lp_is_file(*probe) && (lp_is_folder(*test) || lp_is_file(*test))) {
            return LP_OK;
        }
        *equals = '=';
    }
    return lp_fail(err, LP_ERR_ARGUMENT,
                   "%s: expected PROBE=TEST_DIR, a probe (or .npy) file and a feature set", word);
}

static lp_status add_probe(comparison *c, const char *word, size_t threads, lp_error *err) {
    char *probe_path = NULL;
    const char *test_path = NULL;
    lp_probe *probe = NULL;
    lp_features *test = NULL;
    json_t *row;
    bool is_array = false; /* predictions instead of a probe */
    lp_status status = split_word(word, &probe_path, &test_path, err);
    if (status == LP_OK) {
        size_t length = strlen(probe_path);
        is_array = length > 4 && strcmp(probe_path + length - 4, ".npy") == 0;
        status = is_array ? lp_features_open(test_path, &test, err)
                          : step_open_probe(probe_path, test_path, &probe, &test, err);
    }
    if (status == LP_OK) {
        status = comparison_add(c, word, probe, probe_path, test, threads, &row, err);
    }
    if (status == LP_OK) {
        (void)json_object_set_new(row, is_array ? "predictions" : "probe",
                                  lp_json_any_text(probe_path));
        (void)json_object_set_new(row, "test", lp_json_any_text(test_path));
    }
    lp_features_close(test);
    lp_probe_free(probe);
    lp_free(probe_path);
    return status;
}

static lp_status write_chart(const comparison *c, const char *path, lp_error *err) {
    lp_chart *chart;
    lp_status status = comparison_chart(c, &chart, err);
    if (status == LP_OK) {
        status = lp_chart_write(chart, path, err);
    }
    lp_chart_free(chart);
    return status;
}

static lp_status compare_probes(const char *const *words, size_t count, size_t threads,
                                lp_format format, comparison_table table, const char *picture,
                                lp_error *err) {
    comparison c;
    lp_status status = comparison_init(&c, count, err);
    for (size_t i = 0; status == LP_OK && i < count; i++) {
        status = add_probe(&c, words[i], threads, err);
    }
    if (status == LP_OK) {
        status = comparison_pairs(&c, err);
    }
    if (status == LP_OK) {
        comparison_print(&c, format, table, COMPARISON_PAIRS, run_columns,
                         sizeof run_columns / sizeof run_columns[0]);
        status = picture != NULL ? write_chart(&c, picture, err) : LP_OK;
    }
    comparison_clear(&c);
    return status;
}

/* ---- backbones ---- */

static const lp_column backbone_columns[] = {
    {"run", "backbone", NULL},
    {"millions", "params M", "%.1f"},
    {"input", "input", NULL},
    {"feature", "feature", NULL},
    {"width", "width", NULL},
    {"C", "C", "%.4g"},
    {"top1", "top-1 %", "%.3f"},
    {"top1_low", "95 % from", "%.2f"},
    {"top1_high", "to", "%.2f"},
    {"reported", "reported %", "%.1f"},
    {"images_per_second", "images/s", "%.1f"},
};
enum { BACKBONE_COLUMNS = sizeof backbone_columns / sizeof backbone_columns[0] };

typedef struct contest {
    backbone_setting setting;
    const char *data;
    lp_dataset_options dataset;
    size_t seed;
    comparison_table table;
    const char *picture;
    comparison comparison;
    char (*names)[128]; /* [runs] */
    bool converged;
} contest;

/* Options that only models have need --data, which makes the words models. */
#define AT(member) offsetof(contest, member)
static const cli_option own[] = {
    {CLI_INPUT, "--data", "PATH", CLI_TEXT, AT(data),
     .help = "images: the words are models, and all that is missing is done"},
    {CLI_METHOD, "--sweep", NULL, CLI_FLAG, AT(setting.sweep), .needs = "--data",
     .help = "choose C for each model on a tenth of its training set (see sweep)"},
    {CLI_METHOD, "--seed", "N", CLI_COUNT, AT(seed), .low = 0, .high = 1e15, .needs = "--data",
     .help = "seed of the split that --sweep makes"},
    {CLI_OUTPUT, "--cache", "DIR", CLI_TEXT, AT(setting.cache), .needs = "--data",
     .help = "features are kept here"},
    {CLI_OUTPUT, "--out", "DIR", CLI_TEXT, AT(setting.out), .needs = "--data",
     .help = "probes, tables, chart and page of models"},
    {CLI_OUTPUT, "--table", "NAME", CLI_CHOICE, AT(table), .choices = comparison_table_names,
     .help = "what is printed; auto: both, but in CSV runs of models and pairs of probes"},
    {CLI_OUTPUT, "--chart", "FILE", CLI_PICTURE, AT(picture),
     .help = "draw the accuracies as .png or .svg"},
    {.name = NULL}};
#undef AT
_Static_assert(sizeof(comparison_table) == sizeof(int), "an option stores it through an int");

static void describe_backbone(const backbone *b, json_t *row) {
    json_t *more = json_pack(
        "{s:s, s:s, s:b, s:s, s:I, s:f, s:I, s:s, s:I, s:f, s:O, s:s, s:s, s:s, s:b}", "model",
        b->info.name, "family", b->info.family, "official", b->official, "weights_sha256",
        b->sha256, "parameters", (json_int_t)b->info.parameters, "millions",
        (double)b->info.parameters * 1e-6, "input", (json_int_t)b->info.input_size, "feature",
        lp_feature_point_name(b->point), "width", (json_int_t)b->test->width, "C",
        lp_json_number(b->fit, "C", NAN), "converged", json_object_get(b->fit, "converged"),
        "solver", lp_json_text(b->fit, "solver", ""), "train_sha256", b->train->digest,
        "test_sha256", b->test->digest, "at_edge", b->at_edge);
    (void)json_object_update_new(row, more);
    if (isfinite(b->rate)) {
        (void)json_object_set_new(row, "images_per_second", json_real(b->rate));
        (void)json_object_set_new(row, "threads", json_integer((json_int_t)b->threads));
    }
}

/* Of two runs with the same name, the second also has the digest of its features. */
static void name_run(contest *k, size_t run, const backbone *b) {
    bool taken = false;
    for (size_t i = 0; i < run; i++) {
        taken = taken || strcmp(k->names[i], b->name) == 0;
    }
    (void)snprintf(k->names[run], sizeof k->names[run], taken ? "%s %s" : "%s", b->name, b->label);
}

static lp_status add_backbone(contest *k, const char *word, lp_error *err) {
    comparison *c = &k->comparison;
    backbone b;
    json_t *row;
    (void)fprintf(stderr, "backbone %zu of %zu: %s\n", c->added + 1, c->runs, word);
    lp_status status = backbone_run(&k->setting, word, &b, err);
    if (status == LP_OK) {
        name_run(k, c->added, &b);
        status = comparison_add(c, k->names[c->added], b.probe, NULL, b.test,
                                k->setting.output.threads, &row, err);
    }
    if (status == LP_OK) {
        describe_backbone(&b, row);
        k->converged = k->converged && json_is_true(json_object_get(b.fit, "converged"));
    }
    backbone_clear(&b);
    return status;
}

static json_t *contest_object(const contest *k) {
    const lp_dataset_info *train = lp_dataset_describe(k->setting.data[0]);
    const lp_dataset_info *test = lp_dataset_describe(k->setting.data[1]);
    json_t *object =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:I, s:I, s:s, s:s}, s:b, s:o, s:O, s:O}", "linprobe",
                  lp_version(), "command", cli_command_line(), "data", "name", test->name, "labels",
                  lp_label_kind_name(test->labels), "train_images", (json_int_t)train->count,
                  "test_images", (json_int_t)test->count, "train_sha256", train->digest,
                  "test_sha256", test->digest, "normalize", k->setting.encoder.normalize, "C",
                  k->setting.sweep ? json_string("chosen by a sweep on the training set")
                                   : json_real(k->setting.fit.C),
                  "runs", k->comparison.run_rows, "pairs", k->comparison.pair_rows);
    return object;
}

static lp_status write_page(const contest *k, const lp_chart *chart, const json_t *object,
                            const char *path, lp_error *err) {
    char title[160];
    lp_html *page;
    (void)snprintf(title, sizeof title, "Backbones on %.100s",
                   lp_dataset_describe(k->setting.data[1])->name);
    lp_status status = lp_html_new(title, &page, err);
    if (status != LP_OK) {
        return status;
    }
    lp_html_heading(page, "Result");
    lp_html_table(page, "Accuracy on the same test images; images a second as they were extracted",
                  backbone_columns, BACKBONE_COLUMNS, k->comparison.run_rows);
    lp_html_chart(page, chart, "Accuracy with its 95 % interval.");
    lp_html_heading(page, "Differences");
    lp_html_paragraph(page,
                      "McNemar's exact test on each pair; significant: "
                      "below " COMPARISON_LEVEL_TEXT " after Holm's correction over all pairs.");
    lp_html_table(page, "Every pair", comparison_pair_columns, comparison_pair_column_count,
                  k->comparison.pair_rows);
    json_t *settings = json_copy((json_t *)(uintptr_t)object);
    (void)json_object_del(settings, "runs");
    (void)json_object_del(settings, "pairs");
    lp_html_heading(page, "How it was made");
    lp_html_settings(page, "Settings", settings);
    json_decref(settings);
    status = lp_html_write(page, path, err);
    lp_html_free(page);
    return status;
}

/* OUT/compare.json, .csv, .png, .svg, .html, and pairs.csv */
static lp_status write_files(const contest *k, lp_error *err) {
    static const char *const files[] = {"compare.csv", "pairs.csv",    "compare.png",
                                        "compare.svg", "compare.html", "compare.json"};
    enum { RUNS_CSV, PAIRS_CSV, PNG, SVG, HTML, JSON, FILES };
    const comparison *c = &k->comparison;
    lp_chart *chart;
    json_t *object = contest_object(k);
    lp_status status = comparison_chart(c, &chart, err);
    for (int i = 0; status == LP_OK && i < FILES; i++) {
        char path[STEP_PATH];
        status = step_path(path, err, "%s/%s", k->setting.out, files[i]);
        if (status != LP_OK) {
            break;
        }
        status = i == RUNS_CSV    ? lp_table_write(path, LP_FORMAT_CSV, backbone_columns,
                                                   BACKBONE_COLUMNS, c->run_rows, err)
                 : i == PAIRS_CSV ? lp_table_write(path, LP_FORMAT_CSV, comparison_pair_columns,
                                                   comparison_pair_column_count, c->pair_rows, err)
                 : i == HTML      ? write_page(k, chart, object, path, err)
                 : i == JSON      ? lp_json_write(path, object, err)
                                  : lp_chart_write(chart, path, err);
    }
    lp_chart_free(chart);
    json_decref(object);
    return status;
}

static lp_status compare_backbones(contest *k, const char *const *words, size_t count,
                                   lp_error *err) {
    backbone_setting *s = &k->setting;
    lp_status status = comparison_init(&k->comparison, count, err);
    k->names = lp_alloc_zeroed(count, sizeof *k->names);
    if (status == LP_OK && k->names == NULL) {
        status = lp_fail_memory(err, "comparison", count, sizeof *k->names);
    }
    for (int split = 0; status == LP_OK && split < 2; split++) {
        status = data_input_open(&k->dataset, k->data, split == 0 ? LP_SPLIT_TRAIN : LP_SPLIT_TEST,
                                 s->output.threads, &s->data[split], err);
    }
    for (size_t i = 0; status == LP_OK && i < count; i++) {
        status = add_backbone(k, words[i], err);
    }
    if (status == LP_OK) {
        status = comparison_pairs(&k->comparison, err);
    }
    return status == LP_OK ? write_files(k, err) : status;
}

static void contest_clear(contest *k) {
    lp_dataset_close(k->setting.data[0]);
    lp_dataset_close(k->setting.data[1]);
    comparison_clear(&k->comparison);
    lp_free(k->names);
}

/* ---- the command ---- */

/* The options of models, as the pipeline takes them. */
static void settle_models(backbone_setting *s, size_t seed) {
    lp_encoder_options *encoder = &s->encoder.encoder;
    encoder->activation_if_unknown = encoder->activation; /* not for models whose files say it */
    encoder->activation = LP_ACTIVATION_AUTO;
    encoder->threads = s->output.threads;
    s->sweep_options.seed = seed;
    s->fit = cli_fit_by(&s->fit_asked, s->fit_asked.fit.solver, s->output.threads);
}

static int run(const cli_command *command, int argc, char **argv) {
    contest k = {.setting = {.cache = MODEL_CACHE,
                             .out = "results/compare",
                             .fit_asked = cli_fit_defaults()},
                 .converged = true};
    backbone_setting *s = &k.setting;
    lp_sweep_defaults(&s->sweep_options);
    const cli_group groups[] = {{own, &k, NULL},
                                {cli_labels_option, &k.dataset, "--data"},
                                {cli_image_folder_options, &k.dataset, "--data"},
                                {cli_feature_option, &s->encoder, "--data"},
                                {cli_normalize_option, &s->encoder, "--data"},
                                {cli_encoder_options, &s->encoder, "--data"},
                                {cli_solver_option, &s->fit_asked, "--data"},
                                {cli_strength_option, &s->fit_asked, "--data"},
                                {cli_tolerance_options, &s->fit_asked, "--data"},
                                {cli_profile_option, &s->output, "--data"},
                                {cli_format_option, &s->output, NULL},
                                {cli_threads_option, &s->output, NULL},
                                {.options = NULL}};
    size_t count = 0;
    lp_error err = {0};
    lp_status status = LP_OK;
    const char **words = lp_alloc((size_t)argc, sizeof *words);
    if (words == NULL) {
        status = lp_fail_memory(&err, "arguments", (size_t)argc, sizeof *words);
        return cli_fail(command, status, &err);
    }
    int exit_status = cli_parse(command, groups, argc, argv, words, 2, (size_t)argc, &count);
    if (exit_status == CLI_CONTINUE && k.data == NULL) {
        status = compare_probes(words, count, s->output.threads, s->output.format, k.table,
                                k.picture, &err);
    } else if (exit_status == CLI_CONTINUE) {
        settle_models(s, k.seed);
        status = compare_backbones(&k, words, count, &err);
        if (status == LP_OK) {
            comparison_print(&k.comparison, s->output.format, k.table, COMPARISON_RUNS,
                             backbone_columns, BACKBONE_COLUMNS);
            status = k.picture != NULL ? write_chart(&k.comparison, k.picture, &err) : LP_OK;
        }
    }
    contest_clear(&k);
    lp_free(words);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    return status != LP_OK ? cli_fail(command, status, &err)
           : k.converged   ? CLI_OK
                           : CLI_NOT_CONVERGED;
}

const cli_command cli_compare = {
    .name = "compare",
    .summary = "compares backbones, or probes, on the same test set",
    .run = run,
    .usage = "MODEL MODEL ... --data IMAGES [options]\n"
             "PROBE=TEST_DIR PROBE=TEST_DIR ... [options]",
    .details =
        "With --data the words are models: a file, a folder, or a name that `linprobe models` "
        "lists and `linprobe fetch` has downloaded; NAME=MODEL gives it another name, "
        "MODEL@penultimate or MODEL@projected takes that feature. Features are extracted into "
        "the cache or found there, a probe is trained for each, and one table is made. "
        "Interrupted, the same command goes on where it stood.\n\n"
        "Without it they are probes, each with the features of the same test examples in the "
        "same order. PREDICTIONS.npy=TEST_DIR takes the place of a probe: the classes that "
        "another program predicted for them, integers [N].\n\n"
        "For each pair: the difference of accuracies with Tango's 95 % score interval, and the "
        "p of McNemar's exact test, also with Holm's correction over all pairs; a difference is "
        "called significant where the corrected p is below " COMPARISON_LEVEL_TEXT ".",
};
