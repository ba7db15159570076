/* linprobe knn: nearest neighbours, a check of features without training. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json_row.h"
#include "cli/commands.h"
#include "cli/settings.h"
#include "cli/meter.h"
#include "report/evaluation_rows.h"
#include "linprobe/stats.h"

typedef struct knn_settings {
    const char *words[2]; /* training set, test set */
    cli_counts k;
    double temperature;
    cli_output_settings output;
} knn_settings;

static const cli_option own[] = {
    {CLI_METHOD, "-k", "LIST", CLI_COUNTS, offsetof(knn_settings, k), .low = 1, .high = 1e9,
     .help = "neighbours that vote; several numbers share one search: -k 10,20,100"},
    {CLI_METHOD, "--temperature", "T", CLI_REAL, offsetof(knn_settings, temperature), .low = 1e-6,
     .high = 1e6, .help = "a neighbour of cosine similarity s votes with exp(s / T)"},
    {.name = NULL}};

/* k and T, then the columns of every score. */
static void print_scores(const knn_settings *s, const lp_score *scores, size_t shared) {
    enum { OWN = 2, MOST = 16 };
    lp_column columns[MOST] = {{"k", "k", NULL}, {"temperature", "T", "%g"}};
    memcpy(columns + OWN, lp_score_columns, lp_score_column_count * sizeof *columns);
    json_t *rows = json_array();
    for (size_t i = 0; i < s->k.count; i++) {
        lp_row row = lp_row_new();
        lp_row_count(&row, "k", s->k.values[i]);
        lp_row_real(&row, "temperature", s->temperature);
        lp_row_merge(&row, lp_score_json(&scores[i]));
        lp_row_count(&row, "shared_rows", shared);
        lp_rows_append(&rows, lp_row_end(&row));
    }
    lp_table_print(stdout, s->output.format, columns, OWN + lp_score_column_count, rows);
}

static lp_status search(const knn_settings *s, const lp_features *train, const lp_features *test,
                        lp_score *scores, lp_error *err) {
    const lp_examples from = lp_features_examples(train), asked = lp_features_examples(test);
    meter m;
    meter_start(&m, "neighbours", "blocks");
    const lp_knn_options options = {.k = s->k.values,
                                    .k_count = s->k.count,
                                    .temperature = s->temperature,
                                    .threads = s->output.threads,
                                    .progress = {meter_step, &m}};
    lp_status status = lp_knn_score(&from, &asked, &options, scores, err);
    meter_end(&m);
    return status;
}

static lp_status knn(void *job, lp_error *err) {
    const knn_settings *s = job;
    lp_features *train = NULL, *test = NULL;
    size_t shared;
    lp_score scores[sizeof s->k.values / sizeof s->k.values[0]];
    lp_status status;
    LP_TRY(lp_run_open_sets(s->words[0], s->words[1], &train, &test, err));
    cli_note_labels(train);
    LP_TRY(cli_count_shared(train, test, s->output.threads, &shared, err));
    LP_TRY(search(s, train, test, scores, err));
    print_scores(s, scores, shared);
done:
    lp_features_close(train);
    lp_features_close(test);
    return status;
}

#define AT(member) offsetof(knn_settings, member)
static const cli_word words[] = {{"TRAIN_DIR", AT(words[0]), .content = CONTENT_FEATURES},
                                 {"TEST_DIR", AT(words[1]), .content = CONTENT_FEATURES},
                                 {.name = NULL}};
static const cli_group groups[] = {{own, 0, NULL},
                                   {cli_format_option, AT(output), NULL},
                                   {cli_threads_option, AT(output), NULL},
                                   {.options = NULL}};
#undef AT

static void set_defaults(void *settings) {
    knn_settings *s = settings;
    s->k = (cli_counts){1, {20}};
    s->temperature = 0.07;
}

const cli_command cli_knn = {
    .name = "knn",
    .summary = "scores features by their nearest neighbours, without training",
    .size = sizeof(knn_settings),
    .defaults = set_defaults,
    .words = words,
    .groups = groups,
    .work = knn,
    .on_ranks = true,
    .usage = "TRAIN_DIR TEST_DIR [-k LIST] [--temperature T] [options]",
    .details =
        "Exact search by cosine similarity in float64, weighted votes as in DINO's evaluation; "
        "ties go to the lower row and the lower class.",
};
