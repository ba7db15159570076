/* linprobe predict: the class of every row of a feature set. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/steps.h"

static void print_predictions(const lp_features *set, const int64_t *predicted, lp_format format) {
    static const lp_column columns[] = {{"row", "row", NULL},
                                        {"label", "label", NULL},
                                        {"prediction", "prediction", NULL},
                                        {"name", "name", NULL}};
    json_t *rows = json_array();
    for (size_t i = 0; i < set->count; i++) {
        size_t k = (size_t)predicted[i];
        bool has_name = set->class_names != NULL && k < set->classes;
        (void)json_array_append_new(rows, json_pack("{s:I, s:I, s:I, s:s}", "row", (json_int_t)i,
                                                    "label", (json_int_t)set->labels[i],
                                                    "prediction", (json_int_t)k, "name",
                                                    has_name ? set->class_names[k] : ""));
    }
    lp_table_print(stdout, format, columns, sizeof columns / sizeof columns[0], rows);
    json_decref(rows);
}

static lp_status predict(const char *probe_path, const char *set_path,
                         const cli_output_settings *output, lp_error *err) {
    lp_status status;
    lp_probe *probe = NULL;
    lp_features *set = NULL;
    int64_t *predicted = NULL;
    LP_TRY(step_open_probe(probe_path, set_path, &probe, &set, err));
    predicted = lp_alloc(set->count, sizeof *predicted);
    if (predicted == NULL) {
        LP_TRY(lp_fail_memory(err, "predictions", set->count, sizeof *predicted));
    }
    LP_TRY(lp_probe_predict(probe, set->x, set->count, predicted, output->threads, err));
    print_predictions(set, predicted, output->format);
done:
    lp_free(predicted);
    lp_features_close(set);
    lp_probe_free(probe);
    return status;
}

static int run(const cli_command *command, int argc, char **argv) {
    const char *words[2];
    cli_output_settings output = {.format = LP_FORMAT_CSV};
    const cli_group groups[] = {
        {cli_format_option, &output, NULL}, {cli_threads_option, &output, NULL}, {.options = NULL}};
    int exit_status = cli_parse(command, groups, argc, argv, words, 2, 2, NULL);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    lp_error err = {0};
    lp_status status = predict(words[0], words[1], &output, &err);
    return status == LP_OK ? CLI_OK : cli_fail(command, status, &err);
}

const cli_command cli_predict = {
    .name = "predict",
    .summary = "prints the predicted class of every row of a feature set",
    .run = run,
    .usage = "PROBE FEATURES_DIR [options]",
};
