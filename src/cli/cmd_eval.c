/* linprobe eval: scores a probe on a feature set. */
#include <stdio.h>

#include "base/error.h"
#include "cli/options.h"
#include "cli/steps.h"
#include "report/evaluation_page.h"
#include "report/mistakes.h"
#include "report/published.h"

enum { MOST_MISTAKES = 60 };

static const char *const table_names[] = {"summary",     "classes",      "confused", "confusion",
                                          "calibration", "superclasses", NULL};

typedef struct job {
    const char *probe_path;
    const char *out, *confusion, *report, *mistakes, *data_path;
    lp_probe *probe;
    lp_features *test;
    lp_evaluation evaluation;
    lp_chart *sheet; /* of the mistakes, or NULL */
} job;

/* Prints one table; "confusion" is the long form of the matrix without its zeros. */
static lp_status print(const lp_evaluation *e, lp_evaluation_table table, lp_format format,
                       lp_error *err) {
    size_t count;
    const lp_column *columns = lp_evaluation_columns(table, &count);
    if (table == LP_TABLE_SUPERCLASSES && e->groups == 0) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: its meta.json names no superclasses of the %zu classes", e->test->path,
                       e->classes);
    }
    json_t *rows = lp_evaluation_rows(e, table);
    if (rows == NULL) {
        return lp_fail(err, LP_ERR_MEMORY, "out of memory for the table");
    }
    lp_table_print(stdout, format, columns, count, rows);
    json_decref(rows);
    return LP_OK;
}

/* ---- pictures ---- */

/* The published number of these inputs as a paragraph, where there is one. */
static void add_published(const json_t *trained, const json_t *tested, lp_html *page) {
    const lp_published *p = lp_published_of(json_object_get(trained, "train"), tested);
    char text[512];
    if (p != NULL) {
        (void)snprintf(text, sizeof text, "Reported by others: %.*f %% (%s; %s).", p->decimals,
                       p->accuracy, p->setting, p->source);
        lp_html_paragraph(page, text);
    }
}

static lp_status write_report(const job *j, lp_error *err) {
    char title[LP_EVALUATION_TITLE];
    json_error_t reason;
    lp_html *page;
    lp_evaluation_title(j->test, title);
    lp_status status = lp_html_new(title, &page, err);
    if (status != LP_OK) {
        return status;
    }
    json_t *trained = json_loads(lp_probe_meta(j->probe), 0, &reason);
    json_t *tested = lp_evaluation_origin(j->test);
    add_published(trained, tested, page);
    status = lp_evaluation_page(&j->evaluation, j->sheet, page, err);
    if (status == LP_OK) {
        lp_evaluation_trim(json_object_get(trained, "train"));
        json_t *settings =
            json_pack("{s:s, s:s, s:{s:o, s:O*}, s:{s:o, s:s, s:O*}}", "linprobe", lp_version(),
                      "command", cli_command_line(), "probe", "path",
                      lp_json_any_text(j->probe_path), "made", trained, "test", "path",
                      lp_json_any_text(j->test->path), "sha256", j->test->digest, "made", tested);
        lp_html_heading(page, "How it was made");
        lp_html_settings(page, "Settings", settings);
        json_decref(settings);
        status = lp_html_write(page, j->report, err);
    }
    json_decref(trained);
    json_decref(tested);
    lp_html_free(page);
    return status;
}

static lp_status draw_mistakes(job *j, lp_error *err) {
    lp_dataset *data;
    lp_status status = lp_mistakes_open(j->test, j->data_path, &data, err);
    if (status == LP_OK) {
        status = lp_mistakes_chart(&j->evaluation, data, MOST_MISTAKES, &j->sheet, err);
        lp_dataset_close(data);
    }
    if (status == LP_OK && j->sheet == NULL && j->mistakes != NULL) {
        (void)fprintf(stderr, "no image was misclassified: %s is not written\n", j->mistakes);
    }
    return status;
}

static lp_status write_pictures(job *j, lp_error *err) {
    lp_status status = j->data_path != NULL ? draw_mistakes(j, err) : LP_OK;
    if (status == LP_OK && j->mistakes != NULL && j->sheet != NULL) {
        status = lp_chart_write(j->sheet, j->mistakes, err);
    }
    if (status == LP_OK && j->confusion != NULL) {
        lp_chart *chart;
        status = lp_evaluation_confusion_chart(&j->evaluation, &chart, err);
        if (status == LP_OK) {
            status = lp_chart_write(chart, j->confusion, err);
        }
        lp_chart_free(chart);
    }
    return status == LP_OK && j->report != NULL ? write_report(j, err) : status;
}

/* ---- the command ---- */

static lp_status evaluate(job *j, const char *test_path, int kind, size_t threads, lp_error *err) {
    lp_status status = step_open_probe(j->probe_path, test_path, &j->probe, &j->test, err);
    if (status == LP_OK) {
        lp_probability probability = kind == 0   ? LP_PROBABILITY_SOFTMAX
                                     : kind == 1 ? LP_PROBABILITY_OVR
                                                 : lp_probe_probability(j->probe);
        status = lp_evaluation_run(j->probe, j->test, probability, threads, &j->evaluation, err);
    }
    if (status == LP_OK && j->out != NULL) {
        status = step_evaluation_write(&j->evaluation, j->probe, j->out, err);
    }
    return status == LP_OK ? write_pictures(j, err) : status;
}

static int run(const cli_command *command, int argc, char **argv) {
    static const char *const probabilities[] = {"softmax", "ovr", NULL};
    const char *words[2];
    job j = {0};
    int format = LP_FORMAT_TEXT;
    int table = LP_TABLE_SUMMARY;
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
         .value = &j.out},
        {.name = "--confusion",
         .argument = "FILE",
         .help = "draws the confusion matrix as .png or .svg",
         .kind = CLI_PICTURE,
         .value = &j.confusion},
        {.name = "--report",
         .argument = "FILE.html",
         .help = "writes everything as one page that needs nothing else",
         .kind = CLI_PAGE,
         .value = &j.report},
        {.name = "--mistakes",
         .argument = "FILE",
         .help = "draws the 60 most confident mistakes as .png or .svg; needs --data",
         .kind = CLI_PICTURE,
         .value = &j.mistakes,
         .needs = "--data"},
        {.name = "--data",
         .argument = "PATH",
         .help = "the images that the test features were made from, for --mistakes and --report",
         .kind = CLI_TEXT,
         .value = &j.data_path},
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
    if (j.data_path != NULL && j.mistakes == NULL && j.report == NULL) {
        return cli_usage_error(command, "--data is for --mistakes and --report");
    }
    lp_error err = {0};
    j.probe_path = words[0];
    lp_status status = evaluate(&j, words[1], kind, threads, &err);
    if (status == LP_OK) {
        status = print(&j.evaluation, per_class ? LP_TABLE_CLASSES : (lp_evaluation_table)table,
                       (lp_format)format, &err);
    }
    lp_chart_free(j.sheet);
    lp_evaluation_free(&j.evaluation);
    lp_probe_free(j.probe);
    lp_features_close(j.test);
    return status == LP_OK ? CLI_OK : cli_fail(command, status, &err);
}

const cli_command cli_eval = {
    .name = "eval",
    .summary = "scores a probe on a feature set: accuracy, calibration, confusion",
    .run = run,
    .usage = "PROBE TEST_DIR [--table NAME] [--out FILE] [--report FILE.html] [options]",
    .details = "Intervals are of 95 %: Wilson's for accuracies.  ECE is the expected calibration\n"
               "error over 15 bins.",
};
