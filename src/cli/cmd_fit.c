/* linprobe fit: trains a probe on a feature set. */
#include <stdio.h>

#include "base/error.h"
#include "base/json_row.h"
#include "cli/commands.h"
#include "cli/settings.h"
#include "cli/meter.h"
#include "probe/training.h"
#include "report/table.h"

typedef struct fit_settings {
    const char *train, *out;
    cli_fit_settings fit;
    cli_output_settings output;
} fit_settings;

static const cli_option own[] = {{CLI_OUTPUT, "--out", "FILE", CLI_OUT_FILE,
                                  offsetof(fit_settings, out), .letter = 'o', .required = true,
                                  .help = "the probe"},
                                 {.name = NULL}};

static void print_report(const fit_settings *s, const lp_fit_options *fit,
                         const lp_fit_report *report) {
    static const lp_column columns[] = {
        {"solver", "solver", NULL},         {"C", "C", "%.6g"},
        {"converged", "converged", NULL},   {"iterations", "iterations", NULL},
        {"objective", "objective", "%.8g"}, {"gradient", "|g|/|g0|", "%.2e"},
        {"seconds", "seconds", "%.1f"},     {"probe", "probe", NULL},
    };
    lp_row row = lp_row_of(lp_fit_report_json(fit, report));
    lp_row_real(&row, "seconds", report->seconds);
    lp_row_text(&row, "probe", s->out);
    lp_table_print(stdout, s->output.format, columns, sizeof columns / sizeof columns[0],
                   lp_row_end_alone(&row));
}

static lp_status fit(void *job, lp_error *err) {
    const fit_settings *s = job;
    const lp_fit_options options = cli_fit_chosen(&s->fit, s->output.threads);
    lp_features *train = NULL;
    lp_probe *probe = NULL;
    lp_fit_report report;
    meter m;
    const lp_watch watch = meter_watch(&m);
    lp_status status;
    LP_TRY(lp_features_open_any(s->train, &train, err));
    cli_note_labels(train);
    status =
        lp_run_fit(train, NULL, &options, s->out, cli_command_line(), &watch, &probe, &report, err);
    if (status == LP_OK || status == LP_NOT_CONVERGED) {
        print_report(s, &options, &report);
    }
done:
    lp_probe_free(probe);
    lp_features_close(train);
    return status;
}

#define AT(member) offsetof(fit_settings, member)
static const cli_word words[] = {{"TRAIN_DIR", AT(train), .content = CONTENT_FEATURES},
                                 {.name = NULL}};
static const cli_group groups[] = {{own, 0, NULL},
                                   {cli_solver_option, AT(fit), NULL},
                                   {cli_strength_option, AT(fit), NULL},
                                   {cli_tolerance_options, AT(fit), NULL},
                                   {cli_format_option, AT(output), NULL},
                                   {cli_threads_option, AT(output), NULL},
                                   {.options = NULL}};
#undef AT

static void set_defaults(void *settings) {
    fit_settings *s = settings;
    s->fit = cli_fit_defaults();
}

const cli_command cli_fit = {
    .name = "fit",
    .summary = "trains a linear classifier on a feature set",
    .size = sizeof(fit_settings),
    .defaults = set_defaults,
    .words = words,
    .groups = groups,
    .work = fit,
    .on_ranks = true,
    .usage = "TRAIN_DIR --out PROBE [--solver NAME] [-C NUMBER] [options]",
    .details =
        "TRAIN_DIR holds features.npy and labels.npy, or is one .npz, .pt or .safetensors file "
        "with arrays features and labels, or libsvm text; a/train+b/train stands for several sets "
        "side by side, here and wherever features are read. Exit status 3 when the solver stopped "
        "before it converged; the probe is written all the same.",
};
