/* linprobe fit: trains a probe on a feature set. */
#include <stdio.h>

#include "base/error.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/steps.h"

typedef struct fit_settings {
    const char *train, *out;
    cli_fit_settings fit;
    cli_output_settings output;
} fit_settings;

static const cli_option own[] = {{CLI_OUTPUT, "--out", "FILE", CLI_TEXT,
                                  offsetof(fit_settings, out), .required = true,
                                  .help = "the probe"},
                                 {.name = NULL}};

static void print_report(const fit_settings *s, const lp_fit_options *fit,
                         const lp_fit_report *report) {
    json_t *row = step_fit_row(fit, report);
    (void)json_object_set_new(row, "probe", lp_json_any_text(s->out));
    json_t *rows = json_pack("[o]", row);
    lp_table_print(stdout, s->output.format, step_fit_columns, step_fit_column_count, rows);
    json_decref(rows);
}

static int run(const cli_command *command, int argc, char **argv) {
    fit_settings s = {.fit = cli_fit_defaults()};
    const cli_group groups[] = {{own, &s, NULL},
                                {cli_solver_option, &s.fit, NULL},
                                {cli_strength_option, &s.fit, NULL},
                                {cli_tolerance_options, &s.fit, NULL},
                                {cli_format_option, &s.output, NULL},
                                {cli_threads_option, &s.output, NULL},
                                {.options = NULL}};
    int exit_status = cli_parse(command, groups, argc, argv, &s.train, 1, 1, NULL);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    const lp_fit_options fit = cli_fit_chosen(&s.fit, s.output.threads);
    lp_error err = {0};
    lp_features *train = NULL;
    lp_probe *probe = NULL;
    lp_fit_report report;
    lp_status status = lp_features_open(s.train, &train, &err);
    if (status == LP_OK) {
        status = step_fit(train, &fit, s.out, &probe, &report, &err);
        if (status == LP_OK || status == LP_NOT_CONVERGED) {
            print_report(&s, &fit, &report);
        }
    }
    lp_probe_free(probe);
    lp_features_close(train);
    return status == LP_OK ? CLI_OK : cli_fail(command, status, &err);
}

const cli_command cli_fit = {
    .name = "fit",
    .summary = "trains a linear classifier on a feature set",
    .run = run,
    .usage = "TRAIN_DIR --out PROBE [--solver NAME] [-C NUMBER] [options]",
    .details =
        "TRAIN_DIR holds features.npy and labels.npy, or is one .npz file with arrays features "
        "and labels. Exit status 3 when the solver stopped before it converged; the probe is "
        "written all the same.",
};
