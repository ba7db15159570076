/* linprobe knn: nearest neighbours, a check of features without training. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/meter.h"
#include "cli/options.h"
#include "cli/steps.h"
#include "linprobe/stats.h"

static int run(const cli_command *command, int argc, char **argv) {
    static const lp_column columns[] = {
        {"k", "k", NULL},
        {"temperature", "T", "%g"},
        {"images", "images", NULL},
        {"correct", "correct", NULL},
        {"top1", "top-1 %", "%.3f"},
        {"top1_low", "95 % from", "%.2f"},
        {"top1_high", "to", "%.2f"},
        {"top5", "top-5 %", "%.3f"},
        {"mean_per_class", "mean per class %", "%.3f"},
    };
    const char *words[2];
    cli_counts k = {1, {20}};
    lp_knn_options knn = {.temperature = 0.07};
    int format = LP_FORMAT_TEXT;
    const cli_option options[] = {
        {.name = "-k",
         .argument = "LIST",
         .help = "neighbours that vote (default 20); several share one search: -k 10,20,100",
         .kind = CLI_COUNTS,
         .value = &k,
         .low = 1,
         .high = 1e9},
        {.name = "--temperature",
         .argument = "T",
         .help = "a neighbour of cosine similarity s votes with exp(s / T) (default 0.07)",
         .kind = CLI_REAL,
         .value = &knn.temperature,
         .low = 1e-6,
         .high = 1e6},
        CLI_THREADS_OPTION(&knn.threads),
        CLI_FORMAT_OPTION(&format),
        {.name = NULL}};
    int exit_status = cli_parse(command, options, argc, argv, words, 2, 2, NULL);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    lp_error err = {0};
    lp_features *train, *test;
    lp_score scores[sizeof k.values / sizeof k.values[0]];
    lp_status status = step_open_sets(words[0], words[1], &train, &test, &err);
    if (status == LP_OK) {
        lp_examples train_set = step_examples(train);
        lp_examples test_set = step_examples(test);
        meter m;
        meter_start(&m, "neighbours", "blocks");
        knn.k = k.values;
        knn.k_count = k.count;
        knn.progress.step = step_show;
        knn.progress.context = &m;
        status = lp_knn_score(&train_set, &test_set, &knn, scores, &err);
        meter_end(&m);
    }
    if (status == LP_OK) {
        json_t *rows = json_array();
        for (size_t i = 0; i < k.count; i++) {
            json_t *row = json_pack("{s:I, s:f}", "k", (json_int_t)k.values[i], "temperature",
                                    knn.temperature);
            json_t *score = step_score_row(&scores[i]);
            (void)json_object_update(row, score);
            json_decref(score);
            (void)json_array_append_new(rows, row);
        }
        lp_table_print(stdout, (lp_format)format, columns, sizeof columns / sizeof columns[0],
                       rows);
        json_decref(rows);
    }
    lp_features_close(train);
    lp_features_close(test);
    return status == LP_OK ? CLI_OK : cli_fail(command, status, &err);
}

const cli_command cli_knn = {
    .name = "knn",
    .summary = "scores features by their nearest neighbours, without training",
    .run = run,
    .usage = "TRAIN_DIR TEST_DIR [-k LIST] [--temperature T] [options]",
    .details = "Exact search by cosine similarity in float64, weighted votes as in DINO's\n"
               "evaluation; ties go to the lower row and the lower class.",
};
