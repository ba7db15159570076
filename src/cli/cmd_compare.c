/* linprobe compare: probes, or whole models, against each other on one test set.
 *
 *     PROBE=TEST_DIR ...       \
 *                               -> predictions -> accuracy of each, every pair's difference
 *     MODEL ... --data IMAGES  /   (lp_run_pipeline does all that is missing before)
 *
 *     MODEL ... --data SET,SET,... -> a comparison on each, and one table of all */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/note.h"
#include "base/text.h"
#include "cli/data_input.h"
#include "cli/fetch_set.h"
#include "cli/general.h"
#include "cli/model_path.h"
#include "cli/commands.h"
#include "cli/profile_table.h"
#include "cli/places.h"
#include "cli/settings.h"
#include "cli/meter.h"
#include "data/data_sets.h"
#include "report/comparison.h"
#include "report/set_table.h"

enum { MOST_WORDS = 4096 };

typedef struct compare_settings {
    const char *words[MOST_WORDS];
    size_t count;
    const char *data, *cache, *out, *picture, *into;
    lp_dataset_options dataset;
    cli_model_settings encoder; /* its point: each model's own, or one for all */
    cli_fit_settings fit;
    cli_output_settings output;
    bool sweep;
    size_t seed;
    lp_comparison_table table;
} compare_settings;

/* Options that only models have need --data, which makes the words models. */
#define AT(member) offsetof(compare_settings, member)
static const cli_option own[] = {
    {CLI_INPUT, "--data", "PATH", CLI_TEXT, AT(data), .letter = 'd', .content = CONTENT_DATA,
     .help =
         "images: the words are models, and all that is missing is done; several data sets with "
         "commas between them: models by rows, sets by columns"},
    {CLI_METHOD, "--sweep", NULL, CLI_FLAG, AT(sweep), .needs = "--data",
     .help =
         "choose C for each model on the set's validation part, else on a tenth of the training "
         "set (see sweep)"},
    {CLI_METHOD, "--seed", "N", CLI_COUNT, AT(seed), .low = 0, .high = 1e15, .needs = "--data",
     .help = "seed of the split that --sweep makes"},
    {CLI_OUTPUT, "--cache", "DIR", CLI_TEXT, AT(cache), .needs = "--data",
     .help = "features are kept here"},
    {CLI_OUTPUT, "--out", "DIR", CLI_OUT_FOLDER, AT(out), .letter = 'o', .needs = "--data",
     .help = "probes, tables, chart and page of models"},
    {CLI_OUTPUT, "--into", "FILE", CLI_OUT_FILE, AT(into), .needs = "--data",
     .help =
         "add the results to this table of models and data sets (.json), which is then printed"},
    {CLI_OUTPUT, "--table", "NAME", CLI_CHOICE, AT(table), .choices = lp_comparison_table_names,
     .help = "what is printed; auto: both, but in CSV runs of models and pairs of probes"},
    {CLI_OUTPUT, "--chart", "FILE", CLI_PICTURE, AT(picture),
     .help = "draw the accuracies as .png or .svg"},
    {.name = NULL}};
#undef AT
_Static_assert(sizeof(lp_comparison_table) == sizeof(int), "an option stores it through an int");

/* ---- probes ---------------------------------------------------------------------------------- */

/* What PROBE=TEST_DIR says. */
typedef struct probe_word {
    char path[LP_PATH_ROOM]; /* of a probe, or of predictions (.npy) */
    const char *test;
} probe_word;

/* Splits a word at the '=' that has a file before and a file or folder after it, so that either
 * name may hold another. */
static lp_status split_word(const char *word, probe_word *out, lp_error *err) {
    bool swapped = false;
    for (const char *equals = word; (equals = strchr(equals, '=')) != NULL;) {
        lp_status status = lp_path_print(out->path, err, "%.*s", (int)(equals - word), word);
        out->test = ++equals;
        if (status != LP_OK ||
            (lp_is_file(out->path) && (lp_is_folder(out->test) || lp_is_file(out->test)))) {
            return status;
        }
        swapped = swapped || content_of(out->test) == CONTENT_PROBE;
    }
    return lp_fail(err, LP_ERR_ARGUMENT,
                   "%s: expected PROBE=TEST_DIR, a probe (or .npy) file and a feature set%s", word,
                   swapped ? "; they are swapped" : "");
}

static lp_status add_probe(lp_comparison *c, const char *word, probe_word *w, size_t threads,
                           lp_error *err) {
    lp_probe *probe = NULL;
    lp_features *test = NULL;
    lp_status status;
    LP_TRY(split_word(word, w, err));
    bool is_array = lp_text_ends(w->path, ".npy");
    LP_TRY(is_array ? lp_features_open_any(w->test, &test, err)
                    : lp_run_open_probe_any(w->path, w->test, &probe, &test, err));
    const lp_contestant contestant = {.name = word,
                                      .probe = is_array ? NULL : w->path,
                                      .predictions = is_array ? w->path : NULL,
                                      .test = w->test};
    LP_TRY(lp_comparison_add(c, &contestant, probe, test, threads, err));
    if (!is_array) {
        cli_warn_of_training(w->path, test, &c->contestants[c->added - 1].trained_rows);
    }
done:
    lp_features_close(test);
    lp_probe_free(probe);
    return status;
}

/* The tables and the chart that both kinds of comparison have. */
static lp_status show(const compare_settings *s, const lp_comparison *c, lp_error *err) {
    lp_status status = lp_comparison_print(c, stdout, s->output.format, s->table, err);
    return status != LP_OK || s->picture == NULL ? status : lp_comparison_draw(c, s->picture, err);
}

static lp_status compare_probes(const compare_settings *s, lp_error *err) {
    probe_word *words = lp_alloc_zeroed(s->count, sizeof *words);
    lp_comparison c = {0};
    lp_status status;
    LP_TRY(lp_allocated(words, "arguments", s->count, sizeof *words, err));
    LP_TRY(lp_comparison_init(&c, s->count, err));
    for (size_t i = 0; i < s->count; i++) {
        LP_TRY(add_probe(&c, s->words[i], &words[i], s->output.threads, err));
    }
    LP_TRY(lp_comparison_pairs(&c, err));
    LP_TRY(show(s, &c, err));
done:
    lp_comparison_clear(&c);
    lp_free(words);
    return status;
}

/* ---- models ---------------------------------------------------------------------------------- */

/* What [NAME=]MODEL[@POINT][,OPTION=VALUE...] says. */
typedef struct model_word {
    char name[96]; /* "" where there is none */
    char path[LP_PATH_ROOM];
    char options[256]; /* the texts that encoder.select points to */
    cli_model_settings encoder;
    lp_checkpoint *ckpt; /* until its weights are read */
} model_word;

/* The options that a model may have of its own, by their names without dashes. */
static const cli_option *const own_options[] = {cli_encoder_options, cli_one_encoder_options,
                                                cli_feature_option};

/* "pool=mean", of the copy in word->options; *found: there is such an option. */
static lp_status read_option(char *text, model_word *word, bool *found, lp_error *err) {
    char *equals = strchr(text, '=');
    lp_status status = LP_OK;
    *found = false;
    if (equals == NULL) {
        return LP_OK;
    }
    *equals = '\0';
    for (size_t t = 0; t < sizeof own_options / sizeof own_options[0] && !*found; t++) {
        LP_TRY(cli_store_named(own_options[t], &word->encoder, text, equals + 1, found, err));
    }
    *equals = '=';
done:
    return status;
}

/* Takes the options off the end of "FILE,activation=quick_gelu,pool=mean"; a comma before anything
 * else belongs to the file's name. */
static lp_status take_options(char model[LP_PATH_ROOM], model_word *out, lp_error *err) {
    size_t used = 0;
    bool found = true;
    lp_status status = LP_OK;
    for (char *comma; found && (comma = strrchr(model, ',')) != NULL;) {
        size_t length = strlen(comma + 1) + 1;
        if (length > sizeof out->options - used) {
            return lp_fail(err, LP_ERR_ARGUMENT, "%.100s: too many options", model);
        }
        memcpy(out->options + used, comma + 1, length);
        LP_TRY(read_option(out->options + used, out, &found, err));
        used += length;
        *comma = found ? '\0' : ',';
    }
done:
    return status;
}

/* Takes a word apart, unless the whole of it is a file or folder. */
static lp_status read_word(const compare_settings *s, const char *word, model_word *out,
                           lp_error *err) {
    const char *start = word, *equals = strchr(word, '=');
    bool whole = lp_is_file(word) || lp_is_folder(word);
    char model[LP_PATH_ROOM];
    lp_status status;
    *out = (model_word){.encoder = s->encoder};
    const char *comma = strchr(word, ',');
    if (!whole && equals != NULL && equals != word && (comma == NULL || equals < comma)) {
        (void)snprintf(out->name, sizeof out->name, "%.*s", (int)(equals - word), word);
        start = equals + 1;
    }
    LP_TRY(lp_path_print(model, err, "%s", start));
    if (!whole) {
        LP_TRY(lp_prefix(err, take_options(model, out, err), "%s: ", word));
    }
    char *at = strrchr(model, '@');
    for (int p = LP_FEATURE_PROJECTED; !whole && at != NULL && p <= LP_FEATURE_PENULTIMATE; p++) {
        if (strcmp(at + 1, lp_feature_point_name((lp_feature_point)p)) == 0) {
            out->encoder.point = (lp_feature_point)p;
            *at = '\0';
            break;
        }
    }
    LP_TRY(model_path_find(model, s->cache, out->path, err));
done:
    return status;
}

/* Everything of a comparison of models. */
typedef struct contest {
    const compare_settings *settings;
    const char *data, *out; /* of the one set that it is on */
    json_t *cells;          /* of a table of several sets, or NULL */
    lp_dataset *train, *test;
    lp_solver solver; /* that the data set takes */
    lp_comparison comparison;
    lp_memory memory;   /* that the arrays below lie in */
    lp_run **runs;      /* [count] */
    model_word *words;  /* [count] */
    char (*names)[128]; /* [count] */
    bool converged;
} contest;

static lp_run_options options_of(const contest *k, model_word *word, const lp_fit_options *fit,
                                 meter *m) {
    const compare_settings *s = k->settings;
    lp_run_options o = {.model = word->path,
                        .checkpoint = &word->ckpt,
                        .encoder = word->encoder.encoder,
                        .train = k->train,
                        .test = k->test,
                        .point = word->encoder.point,
                        .normalize = s->encoder.normalize,
                        .profile = s->output.profile,
                        .count_work = k->cells != NULL,
                        .cache = s->cache,
                        .sweep = s->sweep,
                        .fits = fit,
                        .fit_count = 1,
                        .out = k->out,
                        .command = cli_command_line(),
                        .threads = s->output.threads,
                        .watch = meter_watch(m),
                        .label = word->name[0] != '\0' ? word->name : NULL};
    lp_sweep_defaults(&o.search);
    o.search.seed = s->seed;
    o.search.fit = *fit;
    return o;
}

/* Of two runs with the same name, the second also has the digest of its features. */
static void name_model(contest *k, size_t i, const char *given) {
    const char *name = given[0] != '\0' ? given : k->runs[i]->train->provenance->encoder.name;
    bool taken = false;
    for (size_t j = 0; j < i; j++) {
        taken = taken || strcmp(k->names[j], name) == 0;
    }
    (void)snprintf(k->names[i], sizeof k->names[i], taken ? "%.100s %.8s" : "%.100s", name,
                   k->runs[i]->train->digest);
}

static lp_status add_model(contest *k, size_t i, const char *word, lp_error *err) {
    const compare_settings *s = k->settings;
    const lp_fit_options fit = cli_fit_by(&s->fit, k->solver, s->output.threads);
    meter m;
    lp_status status;
    general_note("backbone %zu of %zu: %s", i + 1, s->count, word);
    const lp_run_options options = options_of(k, &k->words[i], &fit, &m);
    LP_TRY(lp_run_pipeline(&options, &k->runs[i], err));
    const lp_run *run = k->runs[i];
    if (s->output.profile) {
        profile_print_run(stderr, run);
    }
    name_model(k, i, k->words[i].name);
    k->converged = k->converged && run->converged;
    const lp_contestant contestant = {.name = k->names[i], .run = run};
    LP_TRY(lp_comparison_add(&k->comparison, &contestant, run->probes[0].probe, run->test,
                             s->output.threads, err));
    cli_warn_of_training(k->names[i], run->test, lp_run_probe_trained_rows(&run->probes[0]));
    if (k->cells != NULL) {
        json_t *cell = lp_set_cell(&k->comparison, &k->comparison.contestants[i]);
        char line[512];
        lp_set_cell_line(cell, line, sizeof line);
        LP_TRY(lp_set_table_put(k->cells, cell, err));
        general_note("%s", line);
    }
done:
    return status;
}

/* Every model is found and recognised before any work; what is wrong is said in one message. */
static lp_status check_models(contest *k, lp_error *err) {
    const compare_settings *s = k->settings;
    lp_note note = {err->text, sizeof err->text, 0};
    lp_status status = LP_OK;
    for (size_t i = 0; i < s->count; i++) {
        model_word *word = &k->words[i];
        lp_error wrong = {0};
        lp_status each = read_word(s, s->words[i], word, &wrong);
        if (each == LP_OK) {
            each = lp_run_open_model(word->path, &word->encoder.encoder, word->encoder.point,
                                     &word->ckpt, &wrong);
        }
        if (each != LP_OK) {
            lp_note_put(&note, "%s%s", status == LP_OK ? "" : "\n", wrong.text);
            status = status == LP_OK ? each : status;
        }
    }
    return status;
}

static lp_status open_contest(contest *k, lp_error *err) {
    const compare_settings *s = k->settings;
    size_t threads = s->output.threads;
    lp_status status;
    LP_TRY(lp_comparison_init(&k->comparison, s->count, err));
    k->runs = lp_memory_take_zeroed(&k->memory, s->count, sizeof(lp_run *));
    k->names = lp_memory_take_zeroed(&k->memory, s->count, sizeof *k->names);
    k->words = lp_memory_take_zeroed(&k->memory, s->count, sizeof *k->words);
    LP_TRY(lp_memory_check(&k->memory, "comparison", err));
    LP_TRY(check_models(k, err));
    LP_TRY(data_input_open(&s->dataset, k->data, s->cache, LP_SPLIT_TRAINVAL, threads, &k->train,
                           err));
    LP_TRY(data_input_open(&s->dataset, k->data, s->cache, LP_SPLIT_TEST, threads, &k->test, err));
    k->solver = cli_solver_for(s->fit.fit.solver, lp_dataset_describe(k->train));
done:
    return status;
}

/* On one set; with cells, its results go there, and are not printed here. */
static lp_status compare_models(const compare_settings *s, const char *data, const char *out,
                                json_t *cells, lp_error *err) {
    contest k = {.settings = s, .data = data, .out = out, .cells = cells, .converged = true};
    lp_status status;
    LP_TRY(open_contest(&k, err));
    for (size_t i = 0; i < s->count; i++) {
        LP_TRY(add_model(&k, i, s->words[i], err));
    }
    LP_TRY(lp_comparison_pairs(&k.comparison, err));
    const lp_comparison_report report = {.comparison = &k.comparison,
                                         .command = cli_command_line(),
                                         .train = k.train,
                                         .test = k.test,
                                         .normalize = s->encoder.normalize,
                                         .sweep = s->sweep,
                                         .C = s->fit.fit.C};
    LP_TRY(lp_comparison_write(&report, out, err));
    LP_TRY(cells == NULL ? show(s, &k.comparison, err) : LP_OK);
    status = k.converged ? LP_OK : LP_NOT_CONVERGED;
done:
    for (size_t i = 0; k.runs != NULL && i < s->count; i++) {
        lp_run_free(k.runs[i]);
    }
    for (size_t i = 0; k.words != NULL && i < s->count; i++) {
        lp_checkpoint_close(k.words[i].ckpt);
    }
    lp_memory_free(&k.memory);
    lp_comparison_clear(&k.comparison);
    lp_dataset_close(k.train);
    lp_dataset_close(k.test);
    return status;
}

/* ---- several data sets ----------------------------------------------------------------------- */

/* Whether the word is one path, or one set by its name, although it holds a comma. */
static bool is_one_set(const char *word) {
    const lp_data_set *set;
    const char *path;
    lp_error ignored;
    return strchr(word, ',') == NULL || lp_is_file(word) || lp_is_folder(word) ||
           (lp_data_set_parse(word, &set, &path, &ignored) == LP_OK && set != NULL &&
            (lp_is_file(path) || lp_is_folder(path)));
}

/* Cuts the first set off a list, or returns false where it is the last; *next is behind it. */
static bool cut_set(char *list, char **next) {
    char *comma = is_one_set(list) ? NULL : strchr(list, ',');
    *next = comma != NULL ? comma + 1 : list + strlen(list);
    if (comma != NULL) {
        *comma = '\0';
    }
    return comma != NULL;
}

/* Whether a folder has the layout of the set, or of one set alone where that is NULL.  Archives are
 * not read for it. */
static lp_status check_layout(const lp_data_set *set, const char *path, lp_error *err) {
    char folder[LP_PATH_ROOM];
    lp_tree *tree = NULL;
    lp_status status = LP_OK;
    if (lp_is_folder(path) && (set == NULL || set->records == NULL)) {
        LP_TRY(lp_tree_open(path, &tree, err));
        status = lp_data_set_find(tree, path, &set, folder, err);
    }
done:
    lp_tree_close(tree);
    return status;
}

/* All of them are there, before any work. */
static lp_status check_sets(const char *list, const char *cache, lp_error *err) {
    char *words = lp_strdup(list), *next = words, found[LP_PATH_ROOM];
    const lp_data_set *set;
    const char *path;
    bool more = true;
    lp_status status;
    LP_TRY(lp_allocated(words, list, 1, 1, err));
    while (more) {
        char *word = next;
        more = cut_set(word, &next);
        if (word[0] == '\0') {
            LP_TRY(
                lp_fail(err, LP_ERR_ARGUMENT,
                        "--data: expected a data set on both sides of each comma, found nothing"));
        }
        LP_TRY(fetch_set_find(word, cache, found, err));
        LP_TRY(lp_data_set_parse(found, &set, &path, err));
        if (!lp_is_file(path) && !lp_is_folder(path)) {
            LP_TRY(lp_fail(err, LP_ERR_IO, "%s: there is no such folder or file", path));
        }
        LP_TRY(check_layout(set, path, err));
    }
done:
    lp_free(words);
    return status;
}

/* On the set that a word names, in a folder of OUT of its own. */
static lp_status compare_on(const compare_settings *s, const char *word, json_t *cells,
                            bool *converged, lp_error *err) {
    char out[LP_PATH_ROOM], slug[80];
    lp_status status;
    lp_path_slug(slug, sizeof slug, word);
    LP_TRY(lp_path_in(out, s->out, slug, err));
    general_note("data set: %s", word);
    status = compare_models(s, word, out, cells, err);
    *converged = *converged && status == LP_OK;
    status = status == LP_NOT_CONVERGED ? LP_OK : status;
done:
    return status;
}

static lp_status compare_on_sets(const compare_settings *s, lp_error *err) {
    char *words = lp_strdup(s->data), *next = words;
    json_t *cells = NULL;
    bool converged = true, more = true;
    lp_status status;
    LP_TRY(lp_allocated(words, s->data, 1, 1, err));
    if (s->into != NULL) {
        LP_TRY(lp_set_table_read(s->into, &cells, err));
    } else {
        cells = json_array();
        LP_TRY(lp_allocated(cells, "table", 1, 1, err));
    }
    LP_TRY(check_sets(s->data, s->cache, err));
    while (more) {
        char *word = next;
        more = cut_set(word, &next);
        LP_TRY(compare_on(s, word, cells, &converged, err));
        if (s->into != NULL) { /* what is done stays */
            LP_TRY(lp_json_write(s->into, json_deep_copy(cells), err));
        }
    }
    LP_TRY(lp_set_table_write(cells, s->out, cli_command_line(), err));
    LP_TRY(lp_set_table_print(cells, stdout, s->output.format, err));
    status = converged ? LP_OK : LP_NOT_CONVERGED;
done:
    json_decref(cells);
    lp_free(words);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

static lp_status compare(void *job, lp_error *err) {
    compare_settings *s = job;
    s->encoder.encoder.threads = s->output.threads;
    if (s->data == NULL) {
        return compare_probes(s, err);
    }
    return s->into == NULL && is_one_set(s->data) ? compare_models(s, s->data, s->out, NULL, err)
                                                  : compare_on_sets(s, err);
}

#define AT(member) offsetof(compare_settings, member)
static const cli_word words[] = {
    {"MODEL", AT(words), .most = MOST_WORDS, .least = 1, .count_offset = AT(count)},
    {.name = NULL}};
static const cli_group groups[] = {{own, 0, NULL},
                                   {cli_labels_option, AT(dataset), "--data"},
                                   {cli_subset_options, AT(dataset), "--data"},
                                   {cli_image_folder_options, AT(dataset), "--data"},
                                   {cli_feature_option, AT(encoder), "--data"},
                                   {cli_normalize_option, AT(encoder), "--data"},
                                   {cli_encoder_options, AT(encoder), "--data"},
                                   {cli_one_encoder_options, AT(encoder), "--data"},
                                   {cli_solver_option, AT(fit), "--data"},
                                   {cli_strength_option, AT(fit), "--data"},
                                   {cli_tolerance_options, AT(fit), "--data"},
                                   {cli_profile_option, AT(output), "--data"},
                                   {cli_format_option, AT(output), NULL},
                                   {cli_threads_option, AT(output), NULL},
                                   {.options = NULL}};
#undef AT

static lp_status check(void *settings, lp_error *err) {
    const compare_settings *s = settings;
    return s->count > 1 || s->into != NULL
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT,
                         "expected at least 2 to compare, found 1; one model can be added to a "
                         "table by --into FILE");
}

static void set_defaults(void *settings) {
    compare_settings *s = settings;
    s->cache = places_cache();
    s->out = "results/compare";
    s->fit = cli_fit_defaults();
}

const cli_command cli_compare = {
    .name = "compare",
    .summary = "compares backbones, or probes, on the same test set",
    .size = sizeof(compare_settings),
    .defaults = set_defaults,
    .words = words,
    .groups = groups,
    .check = check,
    .work = compare,
    .usage = "MODEL MODEL ... --data IMAGES[,IMAGES...] [options]\n"
             "MODEL ... --data IMAGES[,IMAGES...] --into FILE [options]\n"
             "PROBE=TEST_DIR PROBE=TEST_DIR ... [options]",
    .details =
        "With --data the words are models: a file, a folder, a name that `linprobe models` lists, "
        "or an id of the Hugging Face hub ([hf-hub:]org/name[@revision]), of models that are on "
        "this machine already; NAME=MODEL gives it another name, "
        "MODEL@penultimate or MODEL@projected takes that feature. Options of the encoder hold for "
        "all models; MODEL,activation=quick_gelu,pool=mean has options of its own. All models "
        "are looked at before any work. Features are extracted into "
        "the cache or found there, a probe is trained for each, and one table is made. "
        "Interrupted, the same command goes on where it stood. With several data sets, each has a "
        "comparison in a folder of --out, and one table has the metric by which results on each "
        "set "
        "are published, and their mean; --into adds to a table that grows over time.\n\n"
        "Without it they are probes, each with the features of the same test examples in the "
        "same order. PREDICTIONS.npy=TEST_DIR takes the place of a probe: the classes that "
        "another program predicted for them, integers [N].\n\n"
        "For each pair: the difference of accuracies with Tango's 95 % score interval, and the "
        "p of McNemar's exact test, also with Holm's correction over all pairs; a difference is "
        "called significant where the corrected p is below " LP_SIGNIFICANCE_TEXT ".",
};
