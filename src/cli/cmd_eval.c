/* linprobe eval: scores a probe on a feature set. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/json_row.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/general.h"
#include "cli/settings.h"
#include "linprobe/run.h"
#include "probe/training.h"
#include "report/data_words.h"
#include "report/evaluation_page.h"
#include "report/mistakes.h"
#include "report/multilabel_rows.h"
#include "report/published.h"

static const char *const table_names[] = {"summary",     "classes",      "confused", "confusion",
                                          "calibration", "superclasses", NULL};
static const char *const probability_names[] = {"auto", "softmax", "ovr", NULL};
_Static_assert(sizeof(lp_evaluation_table) == sizeof(int) && sizeof(lp_probability) == sizeof(int),
               "an enum that an option chooses has the size of an int");

typedef struct eval_job {
    const char *words[2]; /* probe, test set */
    const char *out, *confusion, *report, *mistakes, *data_path;
    lp_evaluation_table table;
    lp_probability probability; /* LP_PROBABILITY_NONE: as the probe was trained */
    bool per_class;
    cli_output_settings output;
    lp_probe *probe;
    lp_features *test;
    lp_evaluation evaluation;
    lp_mistakes mistaken; /* where their images are known */
} eval_job;

#define AT(member) offsetof(eval_job, member)
static const cli_option own[] = {
    {CLI_INPUT, "--data", "PATH", CLI_TEXT, AT(data_path), .letter = 'd', .content = CONTENT_DATA,
     .help = "the images that the test features were made from, for --mistakes and --report"},
    {CLI_METHOD, "--probabilities", "KIND", CLI_CHOICE, AT(probability),
     .choices = probability_names,
     .help = "how logits become probabilities; ovr: normalised sigmoids; auto: as the probe was "
             "trained"},
    {CLI_OUTPUT, "--table", "NAME", CLI_CHOICE, AT(table), .choices = table_names,
     .help = "what is printed; confused: the " LP_STRING(
         LP_MOST_CONFUSED) " pairs of classes that are confused most; confusion: all of the matrix "
                           "that is not 0; calibration: bins of confidence"},
    {CLI_OUTPUT, "--per-class", NULL, CLI_FLAG, AT(per_class),
     .help = "the same as --table classes"},
    {CLI_OUTPUT, "--out", "FILE", CLI_OUT_FILE, AT(out), .letter = 'o',
     .help = "write all of the tables as JSON"},
    {CLI_OUTPUT, "--confusion", "FILE", CLI_PICTURE, AT(confusion),
     .help = "draw the confusion matrix as .png or .svg"},
    {CLI_OUTPUT, "--report", "FILE.html", CLI_PAGE, AT(report),
     .help = "write everything as one page that needs no other file"},
    {CLI_OUTPUT, "--mistakes", "FILE", CLI_PICTURE, AT(mistakes), .needs = "--data",
     .help = "draw the " LP_STRING(
         LP_MISTAKES_SHOWN) " most confident mistakes as .png or .svg; needs --data"},
    {.name = NULL}};
#undef AT

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
    lp_column *ordered = lp_alloc(count, sizeof *ordered);
    const lp_provenance *from = e->test->provenance;
    bool by_metric = table == LP_TABLE_SUMMARY && format == LP_FORMAT_TEXT && from != NULL;
    lp_status status = LP_OK;
    if (rows == NULL || ordered == NULL) {
        json_decref(rows);
        LP_TRY(lp_fail_memory(err, "table", count, sizeof *ordered));
    }
    lp_set_metric metric = by_metric ? lp_data_metric(&from->data) : LP_METRIC_ACCURACY;
    count = lp_metric_columns(metric, false, columns, count, ordered);
    lp_table_print(stdout, format, ordered, count, rows);
done:
    lp_free(ordered);
    return status;
}

/* ---- pictures ---- */

/* The published number of these inputs as a paragraph, where there is one. */
static void add_published(const eval_job *j, const lp_training *training, lp_html *page) {
    const lp_published *p =
        training != NULL ? lp_published_of(training->train.provenance, j->test->provenance) : NULL;
    char text[512];
    if (p != NULL) {
        (void)snprintf(text, sizeof text, "Reported by others: %.*f %% (%s; %s).",
                       p->study->decimals, p->accuracy, p->study->setting, p->study->source);
        lp_html_paragraph(page, text);
    }
}

static void add_settings(const eval_job *j, const lp_training *training, lp_html *page) {
    lp_row probe = lp_row_new(), test = lp_row_new(), row = lp_row_new();
    lp_row_text(&probe, "path", j->words[0]);
    if (training != NULL) {
        lp_row_put(&probe, "made", lp_training_json(training, LP_DETAIL_BRIEF));
    }
    lp_row_text(&test, "path", j->test->path);
    lp_row_text(&test, "sha256", j->test->digest);
    lp_row_put(&test, "made", lp_evaluation_origin(j->test));
    lp_row_text(&row, "linprobe", lp_version());
    lp_row_text(&row, "command", cli_command_line());
    lp_row_put(&row, "probe", lp_row_end(&probe));
    lp_row_put(&row, "test", lp_row_end(&test));
    lp_html_heading(page, "How it was made");
    lp_html_settings(page, "Settings", lp_row_end(&row));
}

/* The page; `several` for a set of several labels an image, else NULL. */
static lp_status write_report(const eval_job *j, const lp_multilabel_evaluation *several,
                              lp_error *err) {
    const lp_training *training = lp_probe_training(j->probe);
    char title[LP_EVALUATION_TITLE];
    lp_status status;
    lp_html *page = NULL;
    lp_evaluation_title(j->test, title);
    LP_TRY(lp_html_new(title, &page, err));
    add_published(j, training, page);
    if (several != NULL) {
        lp_multilabel_page(several, page);
    } else {
        LP_TRY(lp_evaluation_page(&j->evaluation, &j->mistaken.sheet, page, err));
    }
    add_settings(j, training, page);
    LP_TRY(lp_html_write(page, j->report, err));
done:
    lp_html_free(page);
    return status;
}

static lp_status draw_mistakes(eval_job *j, lp_error *err) {
    lp_status status;
    lp_dataset *data = NULL;
    lp_chart *sheet = NULL;
    LP_TRY(lp_mistakes_open(j->test, j->data_path, &data, err));
    LP_TRY(lp_mistakes_find(&j->evaluation, data, LP_MISTAKES_SHOWN, &j->mistaken, err));
    if (j->mistaken.sheet.count == 0 && j->mistakes != NULL) {
        general_note("no image was misclassified: %s is not written", j->mistakes);
    } else if (j->mistakes != NULL) {
        LP_TRY(lp_contact_sheet_chart(&j->mistaken.sheet, &sheet, err));
        LP_TRY(lp_chart_write(sheet, j->mistakes, err));
    }
done:
    lp_chart_free(sheet);
    lp_dataset_close(data);
    return status;
}

static lp_status write_pictures(eval_job *j, lp_error *err) {
    lp_status status = LP_OK;
    lp_chart *matrix = NULL;
    if (j->data_path != NULL) {
        LP_TRY(draw_mistakes(j, err));
    }
    if (j->confusion != NULL) {
        LP_TRY(lp_evaluation_confusion_chart(&j->evaluation, &matrix, err));
        LP_TRY(lp_chart_write(matrix, j->confusion, err));
    }
    if (j->report != NULL) {
        LP_TRY(write_report(j, NULL, err));
    }
done:
    lp_chart_free(matrix);
    return status;
}

/* ---- several labels an image ---- */

/* What there is no such thing of. */
static lp_status check_multilabel(const eval_job *j, lp_error *err) {
    const char *option = j->confusion != NULL                           ? "--confusion"
                         : j->mistakes != NULL                          ? "--mistakes"
                         : j->data_path != NULL                         ? "--data"
                         : j->probability != LP_PROBABILITY_NONE        ? "--probabilities"
                         : j->table > LP_TABLE_CLASSES && !j->per_class ? table_names[j->table]
                                                                        : NULL;
    return option == NULL ? LP_OK
                          : lp_fail(err, LP_ERR_UNSUPPORTED,
                                    "%s: its images have several labels each: there is no %s, but "
                                    "--table summary and classes, --out and --report",
                                    j->test->path, option);
}

static lp_status evaluate_multilabel(eval_job *j, lp_error *err) {
    bool by_class = j->per_class || j->table == LP_TABLE_CLASSES;
    lp_multilabel_evaluation e = {.test = NULL};
    lp_status status;
    size_t count;
    LP_TRY(check_multilabel(j, err));
    LP_TRY(lp_multilabel_evaluation_run(j->probe, j->test, j->output.threads, &e, err));
    cli_warn_of_training(j->words[0], j->test, &e.trained_rows);
    if (j->out != NULL) {
        LP_TRY(lp_multilabel_write(&e, j->probe, cli_command_line(), j->out, err));
    }
    LP_TRY(j->report != NULL ? write_report(j, &e, err) : LP_OK);
    const lp_column *columns = lp_multilabel_columns(by_class, &count);
    json_t *rows = lp_multilabel_rows(&e, by_class);
    LP_TRY(rows != NULL ? LP_OK : lp_fail_memory(err, "table", count, sizeof *columns));
    lp_table_print(stdout, j->output.format, columns, count, rows);
done:
    lp_multilabel_evaluation_free(&e);
    return status;
}

/* ---- the command ---- */

static lp_status evaluate(void *job, lp_error *err) {
    eval_job *j = job;
    lp_status status;
    LP_TRY(lp_run_open_probe_any(j->words[0], j->words[1], &j->probe, &j->test, err));
    if (j->test->marks != NULL) {
        LP_TRY(evaluate_multilabel(j, err));
        goto done;
    }
    lp_probability probability =
        j->probability != LP_PROBABILITY_NONE ? j->probability : lp_probe_probability(j->probe);
    LP_TRY(
        lp_evaluation_run(j->probe, j->test, probability, j->output.threads, &j->evaluation, err));
    cli_warn_of_training(j->words[0], j->test, &j->evaluation.trained_rows);
    if (j->out != NULL) {
        LP_TRY(lp_evaluation_write(&j->evaluation, j->probe, cli_command_line(), j->out, err));
    }
    LP_TRY(write_pictures(j, err));
    LP_TRY(
        print(&j->evaluation, j->per_class ? LP_TABLE_CLASSES : j->table, j->output.format, err));
done:
    lp_mistakes_clear(&j->mistaken);
    lp_evaluation_free(&j->evaluation);
    lp_features_close(j->test);
    lp_probe_free(j->probe);
    return status;
}

#define AT(member) offsetof(eval_job, member)
static const cli_word words[] = {{"PROBE", AT(words[0]), .content = CONTENT_PROBE},
                                 {"TEST_DIR", AT(words[1]), .content = CONTENT_FEATURES},
                                 {.name = NULL}};
static const cli_group groups[] = {{own, 0, NULL},
                                   {cli_format_option, AT(output), NULL},
                                   {cli_threads_option, AT(output), NULL},
                                   {.options = NULL}};
#undef AT

static void set_defaults(void *settings) {
    eval_job *s = settings;
    s->table = LP_TABLE_SUMMARY;
}

static lp_status check(void *settings, lp_error *err) {
    const eval_job *j = settings;
    return j->data_path == NULL || j->mistakes != NULL || j->report != NULL
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "--data is for --mistakes and --report");
}

const cli_command cli_eval = {
    .name = "eval",
    .summary = "scores a probe on a feature set: accuracy, calibration, confusion",
    .size = sizeof(eval_job),
    .defaults = set_defaults,
    .words = words,
    .groups = groups,
    .check = check,
    .work = evaluate,
    .usage = "PROBE TEST_DIR [--table NAME] [--out FILE] [--report FILE.html] [options]",
    .details =
        "Intervals are of 95 %: Wilson's for accuracies. ECE is the expected calibration error "
        "over 15 bins.",
};
