/* linprobe fit: trains a probe on a feature set. */
#include <stdio.h>

#include "cli/options.h"
#include "cli/steps.h"

static int run(const cli_command *command, int argc, char **argv) {
    const char *train_path, *out = NULL;
    int solver, format = LP_FORMAT_TEXT;
    lp_fit_options fit;
    lp_fit_defaults(&fit);
    solver = (int)fit.solver;
    const cli_option options[] = {{.name = "--out",
                                   .argument = "FILE",
                                   .help = "the probe",
                                   .kind = CLI_TEXT,
                                   .value = &out,
                                   .required = true},
                                  STEP_SOLVER_OPTION(&solver, NULL),
                                  STEP_FIT_OPTIONS(&fit, &fit.tolerance, &fit.tolerance, NULL),
                                  CLI_THREADS_OPTION(&fit.threads),
                                  CLI_FORMAT_OPTION(&format),
                                  {.name = NULL}};
    int exit_status = cli_parse(command, options, argc, argv, &train_path, 1, 1, NULL);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    lp_error err = {0};
    lp_features *train;
    lp_probe *probe = NULL;
    lp_fit_report report;
    fit.solver = (lp_solver)solver;
    lp_status status = lp_features_open(train_path, &train, &err);
    if (status != LP_OK) {
        return cli_fail(command, status, &err);
    }
    status = step_fit(train, &fit, out, &probe, &report, &err);
    if (status == LP_OK || status == LP_NOT_CONVERGED) {
        json_t *row = step_fit_row(&fit, &report);
        (void)json_object_set_new(row, "probe", lp_json_any_text(out));
        json_t *rows = json_pack("[o]", row);
        lp_table_print(stdout, (lp_format)format, step_fit_columns, step_fit_column_count, rows);
        json_decref(rows);
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
        "TRAIN_DIR holds features.npy and labels.npy, or is one .npz file with arrays features\n"
        "and labels.  Exit status 3 when the solver stopped before it converged; the probe is\n"
        "written all the same.",
};
