/* linprobe compare: probes against each other on one test set.
 *
 *     PROBE=TEST_DIR ... -> predictions [runs, N] -> accuracy of each run
 *                                                 -> every pair: difference, McNemar, Holm */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/options.h"
#include "cli/steps.h"
#include "linprobe/stats.h"
#include "report/bars.h"
#include "report/published.h"

typedef struct comparison {
    size_t runs;
    const char *const *words; /* [runs] */
    size_t count;             /* N */
    int64_t *labels;          /* [N] */
    int64_t **predicted;      /* [runs] of [N] */
    json_t *run_rows;
    json_t *pair_rows;
} comparison;

static const lp_column run_columns[] = {
    {"run", "run", NULL},        {"images", "images", NULL},        {"correct", "correct", NULL},
    {"top1", "top-1 %", "%.3f"}, {"top1_low", "95 % from", "%.2f"}, {"top1_high", "to", "%.2f"},
};
static const lp_column pair_columns[] = {
    {"first", "first", NULL},
    {"second", "second", NULL},
    {"difference", "difference %", "%+.3f"},
    {"low", "95 % from", "%+.2f"},
    {"high", "to", "%+.2f"},
    {"first_only", "first alone right", NULL},
    {"second_only", "second alone right", NULL},
    {"p", "p", "%.3g"},
    {"p_holm", "p (Holm)", "%.3g"},
    {"significant", "significant", NULL},
};

/* Splits PROBE=TEST_DIR at the '=' that has a file before and a folder after it, so that either
 * name may hold another. */
static lp_status split_word(const char *word, char **probe, const char **test, lp_error *err) {
    *probe = lp_strdup(word);
    if (*probe == NULL) {
        return lp_fail_memory(err, "arguments", strlen(word), 1);
    }
    for (char *equals = strchr(*probe, '='); equals != NULL; equals = strchr(equals + 1, '=')) {
        *equals = '\0';
        *test = word + (equals - *probe) + 1;
        if (lp_is_file(*probe) && lp_is_folder(*test)) {
            return LP_OK;
        }
        *equals = '=';
    }
    return lp_fail(err, LP_ERR_ARGUMENT,
                   "%s: expected PROBE=TEST_DIR, a probe file and the folder of a feature set",
                   word);
}

/* What others reported for a run's inputs, in percent; NaN where nothing is known. */
static double reported(const lp_probe *probe, const lp_features *test) {
    json_error_t reason;
    json_t *trained = json_loads(lp_probe_meta(probe), 0, &reason);
    json_t *tested = json_loads(test->meta, 0, &reason);
    const lp_published *p = lp_published_of(json_object_get(trained, "train"), tested);
    json_decref(trained);
    json_decref(tested);
    return p != NULL ? p->accuracy : NAN;
}

/* The first run's labels are kept; a later run must have the same. */
static lp_status check_labels(comparison *c, size_t run, const lp_features *test, lp_error *err) {
    if (run == 0) {
        c->count = test->count;
        c->labels = lp_alloc(test->count, sizeof *c->labels);
        if (c->labels == NULL) {
            return lp_fail_memory(err, test->path, test->count, sizeof *c->labels);
        }
        memcpy(c->labels, test->labels, test->count * sizeof *c->labels);
        return LP_OK;
    }
    if (test->count != c->count) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %zu examples, but %s has %zu: a comparison needs the same ones",
                       test->path, test->count, c->words[0], c->count);
    }
    for (size_t i = 0; i < c->count; i++) {
        if (test->labels[i] != c->labels[i]) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: row %zu has label %lld, but in %s it is %lld: a comparison needs "
                           "the same examples in the same order",
                           test->path, i, (long long)test->labels[i], c->words[0],
                           (long long)c->labels[i]);
        }
    }
    return LP_OK;
}

static lp_status run_one(comparison *c, size_t run, size_t threads, lp_error *err) {
    char *probe_path = NULL;
    const char *test_path = NULL;
    lp_probe *probe = NULL;
    lp_features *test = NULL;
    lp_status status = split_word(c->words[run], &probe_path, &test_path, err);
    if (status == LP_OK) {
        status = lp_probe_load(probe_path, &probe, err);
    }
    if (status == LP_OK) {
        status = lp_features_open(test_path, &test, err);
    }
    if (status == LP_OK) {
        status = step_check_match(probe, probe_path, test, err);
    }
    if (status == LP_OK) {
        status = check_labels(c, run, test, err);
    }
    if (status == LP_OK) {
        c->predicted[run] = lp_alloc(test->count, sizeof *c->predicted[run]);
        status =
            c->predicted[run] != NULL
                ? lp_probe_predict(probe, test->x, test->count, c->predicted[run], threads, err)
                : lp_fail_memory(err, test_path, test->count, sizeof *c->predicted[run]);
    }
    if (status == LP_OK) {
        size_t correct = 0;
        for (size_t i = 0; i < c->count; i++) {
            correct += c->predicted[run][i] == c->labels[i];
        }
        lp_interval interval = lp_wilson(correct, c->count);
        json_t *row = json_pack("{s:o, s:o, s:o, s:I, s:I, s:f, s:f, s:f}", "run",
                                lp_json_any_text(c->words[run]), "probe",
                                lp_json_any_text(probe_path), "test", lp_json_any_text(test_path),
                                "images", (json_int_t)c->count, "correct", (json_int_t)correct,
                                "top1", 100 * (double)correct / (double)c->count, "top1_low",
                                100 * interval.low, "top1_high", 100 * interval.high);
        double known = reported(probe, test);
        if (isfinite(known)) {
            (void)json_object_set_new(row, "reported", json_real(known));
        }
        (void)json_array_append_new(c->run_rows, row);
    }
    lp_features_close(test);
    lp_probe_free(probe);
    lp_free(probe_path);
    return status;
}

static lp_status compare_pairs(comparison *c, lp_error *err) {
    size_t pairs = c->runs * (c->runs - 1) / 2;
    double *p = lp_alloc(pairs, 2 * sizeof *p);
    if (p == NULL) {
        return lp_fail_memory(err, "pairs", pairs, 2 * sizeof *p);
    }
    double *adjusted = p + pairs;
    size_t at = 0;
    for (size_t i = 0; i < c->runs; i++) {
        for (size_t j = i + 1; j < c->runs; j++) {
            lp_paired pair;
            lp_compare(c->labels, c->predicted[i], c->predicted[j], c->count, &pair);
            p[at++] = pair.p;
            json_t *row = json_pack(
                "{s:o, s:o, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:f}", "first",
                lp_json_any_text(c->words[i]), "second", lp_json_any_text(c->words[j]),
                "difference", 100 * pair.difference, "low", 100 * pair.interval.low, "high",
                100 * pair.interval.high, "both", (json_int_t)pair.both, "first_only",
                (json_int_t)pair.first_only, "second_only", (json_int_t)pair.second_only, "neither",
                (json_int_t)(pair.count - pair.both - pair.first_only - pair.second_only), "p",
                pair.p);
            (void)json_array_append_new(c->pair_rows, row);
        }
    }
    lp_status status = lp_holm(p, pairs, adjusted, err);
    for (size_t i = 0; status == LP_OK && i < pairs; i++) {
        json_t *row = json_array_get(c->pair_rows, i);
        (void)json_object_set_new(row, "p_holm", json_real(adjusted[i]));
        (void)json_object_set_new(row, "significant", json_boolean(adjusted[i] < 0.05));
    }
    lp_free(p);
    return status;
}

static lp_status draw_chart(const comparison *c, const char *path, lp_error *err) {
    char title[96];
    lp_bar *bars = lp_alloc(c->runs, sizeof *bars);
    if (bars == NULL) {
        return lp_fail_memory(err, path, c->runs, sizeof *bars);
    }
    for (size_t i = 0; i < c->runs; i++) {
        const json_t *row = json_array_get(c->run_rows, i);
        bars[i] = (lp_bar){c->words[i], lp_json_number(row, "top1", NAN) / 100,
                           lp_json_number(row, "top1_low", NAN) / 100,
                           lp_json_number(row, "top1_high", NAN) / 100,
                           lp_json_number(row, "reported", NAN) / 100};
    }
    (void)snprintf(title, sizeof title, "Accuracy on the same %zu test images", c->count);
    const lp_bars chart_of = {
        .title = title, .measure = "Top-1 accuracy", .bars = bars, .count = c->runs};
    lp_chart *chart;
    lp_status status = lp_bars_chart(&chart_of, &chart, err);
    if (status == LP_OK) {
        status = lp_chart_write(chart, path, err);
    }
    lp_chart_free(chart);
    lp_free(bars);
    return status;
}

/* Both tables in text and JSON, where they can stand side by side; one in CSV. */
static void print(const comparison *c, lp_format format, int table) {
    enum { RUNS, PAIRS };
    size_t runs = sizeof run_columns / sizeof run_columns[0];
    size_t pairs = sizeof pair_columns / sizeof pair_columns[0];
    if (format == LP_FORMAT_JSON && table < 0) {
        json_t *both = json_pack("{s:O, s:O}", "runs", c->run_rows, "pairs", c->pair_rows);
        (void)json_dumpf(both, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
        (void)fputc('\n', stdout);
        json_decref(both);
        return;
    }
    if (table == RUNS || (table < 0 && format == LP_FORMAT_TEXT)) {
        lp_table_print(stdout, format, run_columns, runs, c->run_rows);
    }
    if (table < 0 && format == LP_FORMAT_TEXT) {
        (void)fputc('\n', stdout);
    }
    if (table != RUNS) {
        lp_table_print(stdout, format, pair_columns, pairs, c->pair_rows);
    }
}

static int run(const cli_command *command, int argc, char **argv) {
    static const char *const tables[] = {"runs", "pairs", NULL};
    const char *picture = NULL;
    int format = LP_FORMAT_TEXT;
    int table = -1;
    size_t threads = 0;
    const cli_option options[] = {{.name = "--table",
                                   .argument = "NAME",
                                   .help = "runs or pairs (default: both; in CSV pairs)",
                                   .kind = CLI_CHOICE,
                                   .value = &table,
                                   .choices = tables},
                                  {.name = "--chart",
                                   .argument = "FILE",
                                   .help = "draws the accuracies as .png or .svg",
                                   .kind = CLI_PICTURE,
                                   .value = &picture},
                                  CLI_THREADS_OPTION(&threads),
                                  CLI_FORMAT_OPTION(&format),
                                  {.name = NULL}};
    lp_error err = {0};
    comparison c = {0};
    lp_status status = LP_OK;
    int exit_status = CLI_CONTINUE;
    const char **words = lp_alloc((size_t)argc, sizeof *words);
    c.predicted = lp_alloc_zeroed((size_t)argc, sizeof *c.predicted);
    c.run_rows = json_array();
    c.pair_rows = json_array();
    if (words == NULL || c.predicted == NULL || c.run_rows == NULL || c.pair_rows == NULL) {
        status = lp_fail_memory(&err, "arguments", (size_t)argc, sizeof *words);
    } else {
        exit_status = cli_parse(command, options, argc, argv, words, 2, (size_t)argc, &c.runs);
        c.words = words;
    }
    for (size_t i = 0; status == LP_OK && exit_status == CLI_CONTINUE && i < c.runs; i++) {
        status = run_one(&c, i, threads, &err);
    }
    if (status == LP_OK && exit_status == CLI_CONTINUE) {
        status = compare_pairs(&c, &err);
        if (status == LP_OK) {
            print(&c, (lp_format)format, table);
            status = picture != NULL ? draw_chart(&c, picture, &err) : LP_OK;
        }
    }
    for (size_t i = 0; c.predicted != NULL && i < c.runs; i++) {
        lp_free(c.predicted[i]);
    }
    lp_free(c.predicted);
    lp_free(c.labels);
    lp_free(words);
    json_decref(c.run_rows);
    json_decref(c.pair_rows);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    return status == LP_OK ? CLI_OK : cli_fail(command, status, &err);
}

const cli_command cli_compare = {
    .name = "compare",
    .summary = "tests whether probes differ on the same test set",
    .run = run,
    .usage = "PROBE=TEST_DIR PROBE=TEST_DIR ... [options]",
    .details =
        "Every TEST_DIR must hold the same examples in the same order (its own features of them).\n"
        "For each pair: the difference of accuracies with Tango's 95 % score interval, and the p "
        "of\n"
        "McNemar's exact test, also with Holm's correction over all pairs; a difference is called\n"
        "significant where the corrected p is below 0.05.",
};
