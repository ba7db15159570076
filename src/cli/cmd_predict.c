/* linprobe predict: the class of every row of a feature set. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json_row.h"
#include "cli/commands.h"
#include "cli/settings.h"
#include "linprobe/run.h"

typedef struct predict_settings {
    const char *words[2]; /* probe, feature set */
    cli_output_settings output;
} predict_settings;

static void print_predictions(const lp_features *set, const int64_t *predicted, lp_format format) {
    static const lp_column columns[] = {{"row", "row", NULL},
                                        {"label", "label", NULL},
                                        {"prediction", "prediction", NULL},
                                        {"name", "name", NULL}};
    json_t *rows = json_array();
    for (size_t i = 0; i < set->count; i++) {
        size_t k = (size_t)predicted[i];
        bool has_name = set->class_names != NULL && k < set->classes;
        lp_row row = lp_row_new();
        lp_row_count(&row, "row", i);
        lp_row_put(&row, "label", json_integer(set->labels[i]));
        lp_row_count(&row, "prediction", k);
        lp_row_text(&row, "name", has_name ? set->class_names[k] : "");
        lp_rows_append(&rows, lp_row_end(&row));
    }
    lp_table_print(stdout, format, columns, sizeof columns / sizeof columns[0], rows);
}

static lp_status predict(void *job, lp_error *err) {
    const predict_settings *s = job;
    lp_status status;
    lp_probe *probe = NULL;
    lp_features *set = NULL;
    int64_t *predicted = NULL;
    LP_TRY(lp_run_open_probe(s->words[0], s->words[1], &probe, &set, err));
    predicted = lp_alloc(set->count, sizeof *predicted);
    LP_TRY(lp_allocated(predicted, "predictions", set->count, sizeof *predicted, err));
    LP_TRY(lp_probe_predict(probe, set->x, set->count, predicted, s->output.threads, err));
    print_predictions(set, predicted, s->output.format);
done:
    lp_free(predicted);
    lp_features_close(set);
    lp_probe_free(probe);
    return status;
}

#define AT(member) offsetof(predict_settings, member)
static const cli_word words[] = {{"PROBE", AT(words[0]), .content = CONTENT_PROBE},
                                 {"FEATURES_DIR", AT(words[1]), .content = CONTENT_FEATURES},
                                 {.name = NULL}};
static const cli_group groups[] = {{cli_format_option, AT(output), NULL},
                                   {cli_threads_option, AT(output), NULL},
                                   {.options = NULL}};
#undef AT

static void set_defaults(void *settings) {
    predict_settings *s = settings;
    s->output.format = LP_FORMAT_CSV;
}

const cli_command cli_predict = {
    .name = "predict",
    .summary = "prints the predicted class of every row of a feature set",
    .size = sizeof(predict_settings),
    .defaults = set_defaults,
    .words = words,
    .groups = groups,
    .work = predict,
    .usage = "PROBE FEATURES_DIR [options]",
};
