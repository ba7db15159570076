/* linprobe eval: scores a probe on a feature set. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/options.h"
#include "cli/steps.h"

static int run(const cli_command *command, int argc, char **argv) {
    static const lp_column class_columns[] = {{"class", "class", NULL},
                                              {"name", "name", NULL},
                                              {"images", "images", NULL},
                                              {"correct", "correct", NULL},
                                              {"accuracy", "accuracy %", "%.2f"}};
    const char *words[2];
    int format = LP_FORMAT_TEXT;
    bool per_class = false;
    size_t threads = 0;
    const cli_option options[] = {{.name = "--per-class",
                                   .help = "a row for each class instead of the summary",
                                   .kind = CLI_FLAG,
                                   .value = &per_class},
                                  CLI_THREADS_OPTION(&threads),
                                  CLI_FORMAT_OPTION(&format),
                                  {.name = NULL}};
    int exit_status = cli_parse(command, options, argc, argv, words, 2, 2, NULL);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    lp_error err = {0};
    lp_probe *probe = NULL;
    lp_features *test = NULL;
    size_t *counts = NULL;
    lp_score score;
    lp_status status = lp_probe_load(words[0], &probe, &err);
    if (status == LP_OK) {
        status = lp_features_open(words[1], &test, &err);
    }
    if (status == LP_OK) {
        status = step_check_match(probe, words[0], test, &err);
    }
    if (status == LP_OK) {
        size_t classes = lp_probe_classes(probe);
        counts = lp_alloc_zeroed(classes, 2 * sizeof *counts);
        lp_examples examples = step_examples(test);
        examples.classes = classes;
        status = counts != NULL ? lp_probe_score(probe, &examples, threads, &score, counts,
                                                 counts + classes, &err)
                                : lp_fail_memory(&err, "scores", classes, 2 * sizeof *counts);
        json_t *rows = json_array();
        for (size_t k = 0; status == LP_OK && per_class && k < classes; k++) {
            size_t correct = counts[k], count = counts[classes + k];
            const char *name =
                test->class_names != NULL && k < test->classes ? test->class_names[k] : "";
            json_t *row = json_pack("{s:I, s:s, s:I, s:I}", "class", (json_int_t)k, "name", name,
                                    "images", (json_int_t)count, "correct", (json_int_t)correct);
            if (count > 0) {
                (void)json_object_set_new(row, "accuracy",
                                          json_real(100 * (double)correct / (double)count));
            }
            (void)json_array_append_new(rows, row);
        }
        if (status == LP_OK && per_class) {
            lp_table_print(stdout, (lp_format)format, class_columns, 5, rows);
        } else if (status == LP_OK) {
            (void)json_array_append_new(rows, step_score_row(&score));
            lp_table_print(stdout, (lp_format)format, step_score_columns, step_score_column_count,
                           rows);
        }
        json_decref(rows);
    }
    lp_free(counts);
    lp_probe_free(probe);
    lp_features_close(test);
    return status == LP_OK ? CLI_OK : cli_fail(command, status, &err);
}

const cli_command cli_eval = {
    .name = "eval",
    .summary = "scores a probe on a feature set: top-1, top-5, mean per-class accuracy",
    .run = run,
    .usage = "PROBE TEST_DIR [--per-class] [options]",
    .details = "The interval is Wilson's 95 % interval of the top-1 accuracy.",
};
