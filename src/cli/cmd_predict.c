/* linprobe predict: the class of every row of a feature set. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/options.h"
#include "cli/steps.h"

static int run(const cli_command *command, int argc, char **argv) {
    static const lp_column columns[] = {{"row", "row", NULL},
                                        {"label", "label", NULL},
                                        {"prediction", "prediction", NULL},
                                        {"name", "name", NULL}};
    const char *words[2];
    int format = LP_FORMAT_CSV;
    size_t threads = 0;
    const cli_option options[] = {CLI_THREADS_OPTION(&threads),
                                  {.name = "--format",
                                   .argument = "F",
                                   .help = "csv (default), text or json",
                                   .kind = CLI_CHOICE,
                                   .value = &format,
                                   .choices = cli_formats},
                                  {.name = NULL}};
    int exit_status = cli_parse(command, options, argc, argv, words, 2, 2, NULL);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    lp_error err = {0};
    lp_probe *probe;
    lp_features *set;
    int64_t *predicted = NULL;
    lp_status status = step_open_probe(words[0], words[1], &probe, &set, &err);
    if (status == LP_OK) {
        predicted = lp_alloc(set->count, sizeof *predicted);
        status = predicted != NULL
                     ? lp_probe_predict(probe, set->x, set->count, predicted, threads, &err)
                     : lp_fail_memory(&err, "predictions", set->count, sizeof *predicted);
    }
    if (status == LP_OK) {
        json_t *rows = json_array();
        for (size_t i = 0; i < set->count; i++) {
            size_t k = (size_t)predicted[i];
            const char *name =
                set->class_names != NULL && k < set->classes ? set->class_names[k] : "";
            (void)json_array_append_new(rows,
                                        json_pack("{s:I, s:I, s:I, s:s}", "row", (json_int_t)i,
                                                  "label", (json_int_t)set->labels[i], "prediction",
                                                  (json_int_t)k, "name", name));
        }
        lp_table_print(stdout, (lp_format)format, columns, 4, rows);
        json_decref(rows);
    }
    lp_free(predicted);
    lp_probe_free(probe);
    lp_features_close(set);
    return status == LP_OK ? CLI_OK : cli_fail(command, status, &err);
}

const cli_command cli_predict = {
    .name = "predict",
    .summary = "prints the predicted class of every row of a feature set",
    .run = run,
    .usage = "PROBE FEATURES_DIR [options]",
};
