/* linprobe eval: scores a probe on a feature set. */
#include <stdio.h>

#include "base/error.h"
#include "cli/options.h"
#include "cli/steps.h"
#include "report/evaluation.h"

enum { MOST_CONFUSED = 20 };

typedef enum table_kind {
    SUMMARY,
    CLASSES,
    CONFUSED,
    CONFUSION,
    CALIBRATION,
    SUPERCLASSES
} table_kind;

static const char *const table_names[] = {"summary",     "classes",      "confused", "confusion",
                                          "calibration", "superclasses", NULL};

static const lp_column summary_columns[] = {
    {"images", "images", NULL},
    {"correct", "correct", NULL},
    {"top1", "top-1 %", "%.3f"},
    {"top1_low", "95 % from", "%.2f"},
    {"top1_high", "to", "%.2f"},
    {"top5", "top-5 %", "%.3f"},
    {"mean_per_class", "mean per class %", "%.3f"},
    {"calibration_error", "ECE %", "%.2f"},
    {"log_loss", "log loss", "%.4f"},
};
static const lp_column class_columns[] = {
    {"class", "class", NULL},
    {"name", "name", NULL},
    {"images", "images", NULL},
    {"correct", "correct", NULL},
    {"accuracy", "accuracy %", "%.2f"},
    {"low", "95 % from", "%.2f"},
    {"high", "to", "%.2f"},
    {"predicted", "predicted", NULL},
};
static const lp_column confusion_columns[] = {
    {"label", "label", NULL},         {"name", "name", NULL},    {"predicted", "predicted", NULL},
    {"predicted_name", "name", NULL}, {"count", "images", NULL}, {"share", "% of label", "%.2f"},
    {"low", "95 % from", "%.2f"},     {"high", "to", "%.2f"},
};
static const lp_column calibration_columns[] = {
    {"from", "confidence over %", "%.2f"},
    {"to", "to", "%.2f"},
    {"images", "images", NULL},
    {"correct", "correct", NULL},
    {"confidence", "mean confidence %", "%.2f"},
    {"accuracy", "accuracy %", "%.2f"},
    {"low", "95 % from", "%.2f"},
    {"high", "to", "%.2f"},
};
static const lp_column superclass_columns[] = {
    {"superclass", "superclass", NULL},
    {"name", "name", NULL},
    {"images", "images", NULL},
    {"correct", "correct", NULL},
    {"accuracy", "accuracy %", "%.2f"},
    {"low", "95 % from", "%.2f"},
    {"high", "to", "%.2f"},
};

/* Prints one table; "confusion" is the long form of the matrix without its zeros. */
static lp_status print(const lp_evaluation *e, table_kind kind, lp_format format, lp_error *err) {
    const lp_column *columns = summary_columns;
    size_t count = sizeof summary_columns / sizeof summary_columns[0];
    json_t *rows = NULL;
    switch (kind) {
    case SUMMARY:
        rows = lp_evaluation_summary(e);
        break;
    case CLASSES:
        columns = class_columns;
        count = sizeof class_columns / sizeof class_columns[0];
        rows = lp_evaluation_classes(e);
        break;
    case CONFUSED:
        columns = confusion_columns;
        count = sizeof confusion_columns / sizeof confusion_columns[0];
        rows = lp_evaluation_confused(e, MOST_CONFUSED);
        break;
    case CONFUSION:
        columns = confusion_columns;
        count = 6;
        rows = lp_evaluation_confusion(e);
        break;
    case CALIBRATION:
        columns = calibration_columns;
        count = sizeof calibration_columns / sizeof calibration_columns[0];
        rows = lp_evaluation_calibration(e);
        break;
    case SUPERCLASSES:
        if (e->groups == 0) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: its meta.json names no superclasses of the %zu classes",
                           e->test->path, e->classes);
        }
        columns = superclass_columns;
        count = sizeof superclass_columns / sizeof superclass_columns[0];
        rows = lp_evaluation_superclasses(e);
        break;
    }
    if (rows == NULL) {
        return lp_fail(err, LP_ERR_MEMORY, "out of memory for the table");
    }
    lp_table_print(stdout, format, columns, count, rows);
    json_decref(rows);
    return LP_OK;
}

/* The document with where it came from. */
static lp_status write_document(const lp_evaluation *e, const lp_probe *probe, const char *path,
                                lp_error *err) {
    json_error_t reason;
    json_t *document =
        json_pack("{s:s, s:s, s:s, s:o, s:{s:s, s:s}}", "format", "linprobe evaluation", "linprobe",
                  lp_version(), "command", cli_command_line(), "probe",
                  json_loads(lp_probe_meta(probe), 0, &reason), "test", "path", e->test->path,
                  "sha256", e->test->digest);
    json_t *found = lp_evaluation_document(e);
    if (found == NULL || json_object_update(document, found) != 0) {
        json_decref(document);
        document = NULL; /* reported as memory by lp_json_write */
    }
    json_decref(found);
    lp_status status = lp_json_write(path, document, err);
    json_decref(document);
    return status;
}

static int run(const cli_command *command, int argc, char **argv) {
    static const char *const probabilities[] = {"softmax", "ovr", NULL};
    const char *words[2];
    const char *out = NULL;
    int format = LP_FORMAT_TEXT;
    int table = SUMMARY;
    int kind = -1;
    bool per_class = false;
    size_t threads = 0;
    const cli_option options[] = {
        {.name = "--table",
         .argument = "NAME",
         .help = "what is printed: summary (default), classes, confused (the 20 pairs that are\n"
                 "confused most), confusion (all of the matrix that is not 0), calibration\n"
                 "(bins of confidence) or superclasses",
         .kind = CLI_CHOICE,
         .value = &table,
         .choices = table_names},
        {.name = "--per-class",
         .help = "the same as --table classes",
         .kind = CLI_FLAG,
         .value = &per_class},
        {.name = "--out",
         .argument = "FILE",
         .help = "writes all of the tables as JSON",
         .kind = CLI_TEXT,
         .value = &out},
        {.name = "--probabilities",
         .argument = "KIND",
         .help = "softmax, or ovr (normalised sigmoids); default: as the probe was trained",
         .kind = CLI_CHOICE,
         .value = &kind,
         .choices = probabilities},
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
    lp_evaluation evaluation = {0};
    lp_status status = lp_probe_load(words[0], &probe, &err);
    if (status == LP_OK) {
        status = lp_features_open(words[1], &test, &err);
    }
    if (status == LP_OK) {
        status = step_check_match(probe, words[0], test, &err);
    }
    if (status == LP_OK) {
        lp_probability probability = kind == 0   ? LP_PROBABILITY_SOFTMAX
                                     : kind == 1 ? LP_PROBABILITY_OVR
                                                 : lp_probability_of(probe);
        status = lp_evaluation_run(probe, test, probability, threads, &evaluation, &err);
    }
    if (status == LP_OK && out != NULL) {
        status = write_document(&evaluation, probe, out, &err);
    }
    if (status == LP_OK) {
        status =
            print(&evaluation, per_class ? CLASSES : (table_kind)table, (lp_format)format, &err);
    }
    lp_evaluation_free(&evaluation);
    lp_probe_free(probe);
    lp_features_close(test);
    return status == LP_OK ? CLI_OK : cli_fail(command, status, &err);
}

const cli_command cli_eval = {
    .name = "eval",
    .summary = "scores a probe on a feature set: accuracy, calibration, confusion",
    .run = run,
    .usage = "PROBE TEST_DIR [--table NAME] [--out FILE] [options]",
    .details = "Intervals are of 95 %: Wilson's for accuracies.  ECE is the expected calibration\n"
               "error over 15 bins.",
};
