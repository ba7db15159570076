/* linprobe sweep: chooses C on validation data, fits on all training data, scores once.
 *
 *   1. the sweep, on the training set (and a validation set) alone   -> OUT/points.json
 *   2. a fit on training + validation data with the chosen C         -> OUT/best.probe
 *   3. only then is the test set opened: one score, of that probe
 *   4. OUT/sweep.json, sweep.csv; sweep.png, .svg; sweep-peak.png, .svg; sweep.html */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_row.h"
#include "cli/options.h"
#include "cli/settings.h"
#include "cli/watch_meter.h"
#include "probe/training.h"
#include "report/curve.h"
#include "report/evaluation_page.h"
#include "report/html.h"

typedef struct sweep_job {
    const char *train_path, *validation_path, *test_path, *out;
    lp_sweep_options options; /* its decades, seed and fit are filled in from what follows */
    double low, high;
    size_t seed;
    cli_fit_settings asked;
    cli_output_settings output;
    lp_features *train, *validation;
    lp_sweep *sweep;
    lp_fit_options fit;
    lp_fit_report report;
    bool scored;
    lp_score score;
} sweep_job;

_Static_assert(sizeof(lp_sweep_protocol) == sizeof(int), "an option stores it through an int");

#define AT(member) offsetof(sweep_job, member)
static const cli_option own[] = {
    {CLI_INPUT, "--test", "DIR", CLI_TEXT, AT(test_path),
     .help = "test features: opened after C is chosen, scored once"},
    {CLI_INPUT, "--validation", "DIR", CLI_TEXT, AT(validation_path),
     .help = "validation features (default: held out of the training set)"},
    {CLI_METHOD, "--hold-out", "SHARE", CLI_REAL, AT(options.held_out), .low = 0.001, .high = 0.999,
     .help = "share of each class held out for validation"},
    {CLI_METHOD, "--folds", "K", CLI_COUNT, AT(options.folds), .low = 2, .high = 100,
     .help = "k-fold cross-validation instead of --hold-out"},
    {CLI_METHOD, "--seed", "N", CLI_COUNT, AT(seed), .low = 0, .high = 1e15,
     .help = "seed of the split"},
    {CLI_METHOD, "--protocol", "P", CLI_CHOICE, AT(options.protocol),
     .choices = lp_sweep_protocol_names, .help = "search: the CLIP paper's; grid: every point"},
    {CLI_METHOD, "--from", "EXPONENT", CLI_REAL, AT(low), .low = -12, .high = 11,
     .help = "smallest C is 10^EXPONENT"},
    {CLI_METHOD, "--to", "EXPONENT", CLI_REAL, AT(high), .low = -11, .high = 12,
     .help = "largest C is 10^EXPONENT"},
    {CLI_METHOD, "--steps", "N", CLI_COUNT, AT(options.steps), .low = 1, .high = 64,
     .help = "points a decade"},
    {CLI_OUTPUT, "--out", "DIR", CLI_TEXT, AT(out), .required = true,
     .help = "folder of the results; keeps what is done"},
    {.name = NULL}};
#undef AT

static lp_status run_sweep(sweep_job *j, const lp_watch *watch, lp_error *err) {
    lp_status status;
    LP_TRY(j->validation_path == NULL ? lp_features_open(j->train_path, &j->train, err)
                                      : lp_run_open_sets(j->train_path, j->validation_path,
                                                         &j->train, &j->validation, err));
    LP_TRY(lp_run_sweep(j->train, j->validation, &j->options, j->out, watch, &j->sweep, err));
done:
    return status;
}

/* Fits with the chosen C on all that is not test data.  Without convergence the probe is there, and
 * the report says so. */
static lp_status refit(sweep_job *j, const lp_watch *watch, lp_probe **probe, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status;
    j->fit = j->options.fit;
    j->fit.C = j->sweep->points[j->sweep->best].C;
    LP_TRY(lp_path_print(path, err, "%s/best.probe", j->out));
    status = lp_run_fit(j->train, j->validation, &j->fit, path, cli_command_line(), watch, probe,
                        &j->report, err);
    status = status == LP_NOT_CONVERGED ? LP_OK : status;
done:
    return status;
}

static lp_status score_once(sweep_job *j, const lp_probe *probe, lp_error *err) {
    lp_status status;
    lp_features *test = NULL;
    LP_TRY(lp_features_open(j->test_path, &test, err));
    LP_TRY(lp_run_check(probe, "best.probe", test, err));
    const lp_examples examples = lp_features_examples(test);
    LP_TRY(lp_probe_score(probe, &examples, j->fit.threads, &j->score, err));
    j->scored = true;
done:
    lp_features_close(test);
    return status;
}

/* ---- reports ---- */

static const lp_column point_columns[] = {
    {"C", "C", "%.6g"},
    {"lambda", "lambda", "%.6g"},
    {"accuracy", "validation %", "%.3f"},
    {"low", "95 % from", "%.2f"},
    {"high", "to", "%.2f"},
    {"correct", "correct", NULL},
    {"count", "of", NULL},
    {"iterations", "iterations", NULL},
    {"converged", "converged", NULL},
    {"chosen", "chosen", NULL},
};
enum { POINT_COLUMNS = sizeof point_columns / sizeof point_columns[0] };

static json_t *point_row(const lp_sweep_point *p, bool chosen) {
    lp_row row = lp_row_new();
    lp_row_real(&row, "C", p->C);
    lp_row_real(&row, "lambda", 1 / p->C);
    lp_row_real(&row, "accuracy", 100 * p->accuracy);
    lp_row_real(&row, "low", 100 * p->interval.low);
    lp_row_real(&row, "high", 100 * p->interval.high);
    lp_row_count(&row, "correct", p->correct);
    lp_row_count(&row, "count", p->count);
    lp_row_count(&row, "iterations", p->iterations);
    lp_row_count(&row, "passes", p->passes);
    lp_row_flag(&row, "converged", p->converged);
    lp_row_text(&row, "chosen", chosen ? "<--" : "");
    return lp_row_end(&row);
}

static json_t *point_rows(const sweep_job *j) {
    json_t *rows = json_array();
    for (size_t i = 0; rows != NULL && i < j->sweep->count; i++) {
        if (json_array_append_new(rows, point_row(&j->sweep->points[i], i == j->sweep->best)) !=
            0) {
            json_decref(rows);
            rows = NULL;
        }
    }
    return rows;
}

static json_t *setting_json(const sweep_job *j) {
    const lp_sweep_options *o = &j->options;
    lp_row row = lp_row_new();
    lp_row_text(&row, "train", j->train_path);
    lp_row_text(&row, "train_sha256", j->train->digest);
    lp_row_text(&row, "validation", j->validation_path);
    lp_row_text(&row, "protocol", lp_sweep_protocol_names[o->protocol]);
    lp_row_put(&row, "low", json_integer(o->low));
    lp_row_put(&row, "high", json_integer(o->high));
    lp_row_count(&row, "steps_per_decade", o->steps);
    lp_row_real(&row, "held_out", o->held_out);
    lp_row_count(&row, "folds", o->folds);
    lp_row_count(&row, "seed", o->seed);
    return lp_row_end(&row);
}

static json_t *sweep_object(const sweep_job *j, const json_t *rows) {
    lp_row row = lp_row_new();
    lp_row_text(&row, "linprobe", lp_version());
    lp_row_text(&row, "command", cli_command_line());
    lp_row_put(&row, "setting", setting_json(j));
    lp_row_put(&row, "points", json_incref((json_t *)(uintptr_t)rows));
    lp_row_real(&row, "C", j->fit.C);
    lp_row_real(&row, "lambda", 1 / j->fit.C);
    lp_row_flag(&row, "at_edge", j->sweep->at_edge);
    lp_row_put(&row, "fit", lp_fit_report_json(&j->fit, &j->report));
    if (j->scored) {
        lp_row_put(&row, "test", lp_score_json(&j->score));
    }
    return lp_row_end(&row);
}

/* The whole curve, or the part of it within a decade of the choice, where the scale shows the
 * differences that the choice rests on.  *chart is NULL where that part says no more than the
 * whole. */
static lp_status draw_curve(const sweep_job *j, bool peak, lp_chart **chart, lp_error *err) {
    const double decade = 10 * (1 + 1e-9);
    const lp_sweep *s = j->sweep;
    char on[LP_EVALUATION_TITLE], title[LP_EVALUATION_TITLE + 64];
    size_t count = 0;
    lp_curve_point *points = lp_alloc(s->count, sizeof *points);
    *chart = NULL;
    if (points == NULL) {
        return lp_fail_memory(err, "chart", s->count, sizeof *points);
    }
    for (size_t i = 0; i < s->count; i++) {
        const lp_sweep_point *p = &s->points[i];
        if (!peak || (p->C <= j->fit.C * decade && p->C >= j->fit.C / decade)) {
            points[count++] =
                (lp_curve_point){p->C, p->accuracy, p->interval.low, p->interval.high};
        }
    }
    lp_evaluation_title(j->train, on);
    (void)snprintf(title, sizeof title, "Accuracy against C%s: %s", peak ? " round the peak" : "",
                   on);
    lp_curve_point test = {j->fit.C, j->score.top1, j->score.top1_interval.low,
                           j->score.top1_interval.high};
    const lp_series series[] = {{"validation", points, count}, {"test, scored once", &test, 1}};
    lp_curve curve = {.kind = LP_CURVE_SWEEP,
                      .title = title,
                      .measure = "Top-1 accuracy",
                      .series = series,
                      .series_count = j->scored ? 2 : 1,
                      .chosen = j->fit.C};
    lp_status status =
        peak && (count < 3 || count == s->count) ? LP_OK : lp_curve_chart(&curve, chart, err);
    lp_free(points);
    return status;
}

/* OUT/<name>.png and OUT/<name>.svg */
static lp_status write_chart(const sweep_job *j, const lp_chart *chart, const char *name,
                             lp_error *err) {
    static const char *const endings[] = {"png", "svg"};
    lp_status status = LP_OK;
    for (int i = 0; status == LP_OK && i < 2; i++) {
        char path[LP_PATH_ROOM];
        status = lp_path_print(path, err, "%s/%s.%s", j->out, name, endings[i]);
        if (status == LP_OK) {
            status = lp_chart_write(chart, path, err);
        }
    }
    return status;
}

/* What came out, in sentences. */
static void print_choice(FILE *out, const sweep_job *j) {
    const lp_sweep_point *best = &j->sweep->points[j->sweep->best];
    (void)fprintf(out, "best C = %.6g (lambda = %.6g): validation accuracy %.3f, %zu of %zu\n",
                  best->C, 1 / best->C, 100 * best->accuracy, best->correct, best->count);
    if (j->sweep->at_edge) {
        (void)fprintf(out,
                      "The best C lies at the edge of the range: widen it with --from and --to.\n");
    }
    (void)fprintf(out, "refit on all training%s data: %s, %s\n",
                  j->validation != NULL ? " and validation" : "",
                  j->report.converged ? "converged" : "NOT CONVERGED", j->report.stopped_by);
    if (j->scored) {
        (void)fprintf(
            out,
            "Accuracy = %.3f  on the test set, scored once (%zu of %zu; 95 %% from %.2f to "
            "%.2f)\n",
            100 * j->score.top1, j->score.correct, j->score.count, 100 * j->score.top1_interval.low,
            100 * j->score.top1_interval.high);
    }
}

/* The same lines as on standard output, a paragraph each. */
static lp_status add_choice(const sweep_job *j, lp_html *page, lp_error *err) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream == NULL) {
        return lp_fail_memory(err, "report", 1, 1);
    }
    print_choice(stream, j);
    bool failed = ferror(stream) != 0;
    failed = fclose(stream) != 0 || failed;
    lp_status status = failed ? lp_fail_memory(err, "report", size, 1) : LP_OK;
    for (char *line = text, *end; status == LP_OK && *line != '\0'; line = end) {
        end = line + strcspn(line, "\n");
        if (*end == '\n') {
            *end++ = '\0';
        }
        lp_html_paragraph(page, line);
    }
    free(text);
    return status;
}

static lp_status write_page(const sweep_job *j, const lp_chart *whole, const lp_chart *peak,
                            const json_t *object, const json_t *rows, lp_error *err) {
    char on[LP_EVALUATION_TITLE], title[LP_EVALUATION_TITLE + 16], path[LP_PATH_ROOM];
    lp_status status;
    lp_html *page = NULL;
    json_t *settings = NULL;
    lp_evaluation_title(j->train, on);
    (void)snprintf(title, sizeof title, "Sweep: %s", on);
    LP_TRY(lp_path_print(path, err, "%s/sweep.html", j->out));
    LP_TRY(lp_html_new(title, &page, err));
    lp_html_heading(page, "Choice");
    LP_TRY(add_choice(j, page, err));
    lp_html_chart(page, whole, "Validation accuracy of each C that was tried.");
    if (peak != NULL) {
        lp_html_chart(page, peak, "The points within a decade of the choice.");
    }
    if (j->scored) {
        json_t *score = json_pack("[o]", lp_score_json(&j->score));
        lp_html_heading(page, "Test");
        lp_html_table(page, "The chosen probe on the test set, scored once", lp_score_columns,
                      lp_score_column_count, score);
        json_decref(score);
    }
    lp_html_heading(page, "Points");
    lp_html_table(page, "Validation accuracy", point_columns, POINT_COLUMNS, rows);
    settings = json_copy((json_t *)(uintptr_t)object);
    (void)json_object_del(settings, "points");
    (void)json_object_del(settings, "test");
    (void)json_object_set_new(settings, "features", lp_evaluation_origin(j->train));
    lp_html_heading(page, "How it was made");
    lp_html_settings(page, "Settings", settings);
    LP_TRY(lp_html_write(page, path, err));
done:
    json_decref(settings);
    lp_html_free(page);
    return status;
}

static lp_status write_pictures(const sweep_job *j, const json_t *object, const json_t *rows,
                                lp_error *err) {
    lp_status status;
    lp_chart *whole = NULL, *peak = NULL;
    LP_TRY(draw_curve(j, false, &whole, err));
    LP_TRY(draw_curve(j, true, &peak, err));
    LP_TRY(write_chart(j, whole, "sweep", err));
    if (peak != NULL) {
        LP_TRY(write_chart(j, peak, "sweep-peak", err));
    }
    LP_TRY(write_page(j, whole, peak, object, rows, err));
done:
    lp_chart_free(whole);
    lp_chart_free(peak);
    return status;
}

static lp_status write_files(const sweep_job *j, const json_t *object, const json_t *rows,
                             lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_path_print(path, err, "%s/sweep.json", j->out));
    LP_TRY(lp_json_write(path, object, err));
    LP_TRY(lp_path_print(path, err, "%s/sweep.csv", j->out));
    LP_TRY(lp_table_write(path, LP_FORMAT_CSV, point_columns, POINT_COLUMNS, rows, err));
    LP_TRY(write_pictures(j, object, rows, err));
done:
    return status;
}

static void print_result(const sweep_job *j, const json_t *object, const json_t *rows) {
    lp_format format = j->output.format;
    lp_table_print(stdout, format, point_columns, POINT_COLUMNS,
                   format == LP_FORMAT_JSON ? object : rows);
    if (format == LP_FORMAT_TEXT) {
        (void)fputc('\n', stdout);
        print_choice(stdout, j);
    }
}

/* ---- the command ---- */

static lp_status sweep(sweep_job *j, lp_error *err) {
    lp_status status;
    lp_probe *probe = NULL;
    json_t *rows = NULL, *object = NULL;
    meter m;
    const lp_watch watch = meter_watch(&m);
    LP_TRY(run_sweep(j, &watch, err));
    LP_TRY(refit(j, &watch, &probe, err));
    if (j->test_path != NULL) {
        LP_TRY(score_once(j, probe, err));
    }
    rows = point_rows(j);
    object = sweep_object(j, rows);
    LP_TRY(write_files(j, object, rows, err));
    print_result(j, object, rows);
done:
    json_decref(object);
    json_decref(rows);
    lp_probe_free(probe);
    lp_sweep_free(j->sweep);
    lp_features_close(j->train);
    lp_features_close(j->validation);
    return status;
}

static int run(const cli_command *command, int argc, char **argv) {
    sweep_job j = {.asked = cli_fit_defaults()};
    lp_sweep_defaults(&j.options);
    j.low = j.options.low;
    j.high = j.options.high;
    const cli_group groups[] = {{own, &j, NULL},
                                {cli_solver_option, &j.asked, NULL},
                                {cli_tolerance_options, &j.asked, NULL},
                                {cli_format_option, &j.output, NULL},
                                {cli_threads_option, &j.output, NULL},
                                {.options = NULL}};
    int exit_status = cli_parse(command, groups, argc, argv, &j.train_path, 1, 1, NULL);
    if (exit_status != CLI_CONTINUE) {
        return exit_status;
    }
    lp_error err = {0};
    j.options.low = (int)j.low;
    j.options.high = (int)j.high;
    j.options.seed = j.seed;
    j.options.fit = cli_fit_chosen(&j.asked, j.output.threads);
    lp_status status =
        j.low == floor(j.low) && j.high == floor(j.high)
            ? sweep(&j, &err)
            : lp_fail(&err, LP_ERR_ARGUMENT,
                      "--from and --to: expected whole exponents, found %g and %g", j.low, j.high);
    if (status != LP_OK) {
        return cli_fail(command, status, &err);
    }
    return j.report.converged ? CLI_OK : CLI_NOT_CONVERGED;
}

const cli_command cli_sweep = {
    .name = "sweep",
    .summary = "chooses C on validation data, refits, scores once on test data",
    .run = run,
    .usage = "TRAIN_DIR --out DIR [--test DIR] [options]",
    .details =
        "The search starts at C = 1e-6, 1e-4, ... 1e6 and halves its step round the best until "
        "it is 1/8 decade (arXiv 2103.00020, A.3). DIR gets sweep.html, sweep.json, sweep.csv, "
        "charts (.png, .svg) and best.probe; interrupted, the same command goes on from there. "
        "The test set plays no part in the choice: it is opened when the probe is final.",
};
