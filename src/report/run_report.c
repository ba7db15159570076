/* The report of a run.  Its page stands in this order: the accuracies beside the reported one, then
 * the evaluation of the probe that is closest to what was reported, then how all was made. */
#include "report/run_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_row.h"
#include "base/text.h"
#include "feat/meta_json.h"
#include "probe/training.h"
#include "report/bars.h"
#include "report/data_words.h"
#include "report/evaluation_page.h"
#include "report/mistakes.h"
#include "report/multilabel_rows.h"
#include "report/published.h"

static const lp_column columns[] = {
    {"solver", "solver", NULL},
    {"C", "C", "%g"},
    {"top1", "accuracy %", "%.3f"},
    {"top1_low", "95 % from", "%.2f"},
    {"top1_high", "to", "%.2f"},
    {"top5", "top-5 %", "%.3f"},
    {"mean_per_class", "per class %", "%.3f"},
    {"roc_auc", "ROC AUC %", "%.3f"},
    {"map_11", "mAP-11 %", "%.3f"},
    {"converged", "converged", NULL},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* ---- what a run says ------------------------------------------------------------------------- */

static const lp_provenance *trained_on(const lp_run_report *r) {
    return r->run->train->provenance;
}

static const lp_provenance *tested_on(const lp_run_report *r) {
    return r->run->test->provenance;
}

static const lp_published *published(const lp_run_report *r) {
    return lp_published_of(trained_on(r), tested_on(r));
}

static bool is_multilabel(const lp_run_report *r) {
    return r->run->test->marks != NULL;
}

/* By what results on the set are published; accuracy where the test images have no such value. */
static lp_set_metric metric_of(const lp_run_report *r) {
    const lp_run_probe *p = &r->run->probes[0];
    lp_set_metric metric = lp_data_metric(&tested_on(r)->data);
    lp_interval unused;
    if (is_multilabel(r)) {
        return LP_METRIC_MAP_11;
    }
    return isfinite(lp_metric_value(metric, &p->evaluation.metrics.score, lp_run_probe_ranking(p),
                                    &unused))
               ? metric
               : LP_METRIC_ACCURACY;
}

/* Its columns, and how many. */
static size_t columns_of(const lp_run_report *r, lp_column ordered[COLUMNS]) {
    return lp_metric_columns(metric_of(r), is_multilabel(r), columns, COLUMNS, ordered);
}

/* Those of files, in one order for all metrics. */
static size_t file_columns(const lp_run_report *r, lp_column own[COLUMNS]) {
    return lp_metric_columns(LP_METRIC_ACCURACY, is_multilabel(r), columns, COLUMNS, own);
}

/* The probe that the page is about: softmax, else the first. */
static const lp_run_probe *main_probe(const lp_run *run) {
    for (size_t i = 0; i < run->count; i++) {
        if (run->probes[i].options.solver == LP_SOLVER_SOFTMAX) {
            return &run->probes[i];
        }
    }
    return &run->probes[0];
}

void lp_run_report_name(const lp_run *run, double C, char *name, size_t room) {
    const lp_encoding *e = &run->train->provenance->encoder;
    const lp_data_record *d = &run->train->provenance->data;
    char model[80], set[40], weights[16] = "";
    lp_path_slug(model, sizeof model, e->name);
    lp_path_slug(set, sizeof set, d->name);
    bool openai = e->weights.official != NULL && strncmp(e->weights.official, "OpenAI ", 7) == 0;
    if (!openai) {
        (void)snprintf(weights, sizeof weights, "-%.8s", e->weights.sha256);
    }
    char strength[32] = "swept";
    if (!isnan(C)) {
        (void)snprintf(strength, sizeof strength, "C%g", C);
    }
    (void)snprintf(name, room, "%s-%s%s-%s%s%s-%s", set, model, weights, e->feature,
                   e->normalize ? "-normalized" : "",
                   d->labels == LP_LABELS_COARSE ? "-coarse" : "", strength);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static json_t *probe_row(const lp_run_probe *p) {
    lp_row row = lp_row_of(lp_fit_report_json(&p->options, &p->report));
    if (p->several.test != NULL) {
        lp_row_count(&row, "images", p->several.test->count);
    } else {
        lp_row_merge(&row, lp_score_json(&p->evaluation.metrics.score));
    }
    lp_row_ranking(&row, lp_run_probe_ranking(p));
    return lp_row_end(&row);
}

static json_t *probe_rows(const lp_run *run) {
    json_t *rows = json_array();
    for (size_t i = 0; i < run->count; i++) {
        lp_rows_append(&rows, probe_row(&run->probes[i]));
    }
    return rows;
}

/* results.json */
static json_t *result_json(const lp_run_report *r) {
    const lp_published *p = published(r);
    lp_row row = lp_row_new(), features = lp_row_new();
    lp_row_count(&features, "width", r->run->train->width);
    lp_row_count(&features, "classes", r->run->train->classes);
    lp_row_text(&features, "train_sha256", r->run->train->digest);
    lp_row_text(&features, "test_sha256", r->run->test->digest);
    lp_row_text(&row, "linprobe", lp_version());
    lp_row_text(&row, "command", r->command);
    lp_row_put(&row, "weights", lp_provenance_weights(trained_on(r)));
    lp_row_put(&row, "encoder", lp_provenance_encoder(trained_on(r)));
    lp_row_put(&row, "train_inputs", lp_provenance_inputs(trained_on(r)));
    lp_row_put(&row, "test_inputs", lp_provenance_inputs(tested_on(r)));
    lp_row_put(&row, "features", lp_row_end(&features));
    lp_row_put(&row, "probes", probe_rows(r->run));
    if (p != NULL) {
        lp_row reported = lp_row_new();
        lp_row_real(&reported, "top1", p->accuracy);
        lp_row_text(&reported, "setting", p->study->setting);
        lp_row_text(&reported, "source", p->study->source);
        lp_row_put(&row, "reported", lp_row_end(&reported));
    }
    return lp_row_end(&row);
}

/* The value of the set's metric, as a fraction, and its interval. */
static double value_of(const lp_run_report *r, const lp_run_probe *p, lp_interval *interval) {
    return lp_metric_value(metric_of(r), &p->evaluation.metrics.score, lp_run_probe_ranking(p),
                           interval);
}

/* ---- text ------------------------------------------------------------------------------------ */

static void print_reported(FILE *out, const void *report) {
    const lp_run_report *r = report;
    const lp_published *p = published(r);
    const lp_published *target = lp_published_target();
    if (p != NULL) {
        (void)fprintf(out, "Reported = %.*f  %s; %s\n", p->study->decimals, p->accuracy,
                      p->study->setting, p->study->source);
    } else if (lp_data_is_whole(&tested_on(r)->data) &&
               strcmp(tested_on(r)->data.name, target->dataset) == 0) {
        (void)fprintf(out,
                      "Reported = %.*f  for %s on %s: %s.\n"
                      "           Not comparable: this run used other weights or features.\n",
                      target->study->decimals, target->accuracy, target->model, target->dataset,
                      target->study->setting);
    } else {
        (void)fputs("Reported: nothing is known for these weights, data and features.\n", out);
    }
}

static void print_summary(FILE *out, const lp_run_report *r) {
    const lp_run *run = r->run;
    const lp_encoding *e = &trained_on(r)->encoder;
    const lp_metric_words *metric = lp_metric_words_of(metric_of(r));
    char train[LP_DATA_TITLE], test[LP_DATA_TITLE];
    lp_column ordered[COLUMNS];
    (void)fprintf(out, "%s on %s: %s training and %s test images, %zu classes\n\n", e->name,
                  tested_on(r)->data.name,
                  lp_data_amount(&trained_on(r)->data, run->train->count, train),
                  lp_data_amount(&tested_on(r)->data, run->test->count, test), run->train->classes);
    lp_table_print(out, LP_FORMAT_TEXT, ordered, columns_of(r, ordered), probe_rows(run));
    (void)fputc('\n', out);
    for (size_t i = 0; i < run->count; i++) {
        const lp_run_probe *p = &run->probes[i];
        bool softmax = p->options.solver == LP_SOLVER_SOFTMAX;
        (void)fprintf(out, "%s = %.3f  %s (%s%s), C = %g, %s features%s\n", metric->sentence,
                      100 * value_of(r, p, &(lp_interval){0, 0}), lp_solver_name(p->options.solver),
                      softmax ? "multinomial" : "one-vs-rest",
                      softmax && published(r) != NULL ? ", as the reported number" : "",
                      p->options.C, e->feature, e->normalize ? ", normalised" : "");
    }
    print_reported(out, r);
}

static const char *file_kind(const lp_provenance *p) {
    return p->data.official != NULL ? "the official file" : "not the official file";
}

/* README.md: what came out, of what, and the command that makes it again. */
static void print_page(FILE *out, const void *report) {
    const lp_run_report *r = report;
    const lp_run *run = r->run;
    const lp_encoding *e = &trained_on(r)->encoder;
    char title[LP_DATA_TITLE];
    lp_column ordered[COLUMNS];
    (void)fprintf(out, "# %s on %s\n\n", e->name,
                  lp_data_title(&tested_on(r)->data, run->test->count, title));
    lp_table_markdown(out, ordered, columns_of(r, ordered), probe_rows(run));
    (void)fputs("\n```\n", out);
    print_reported(out, r);
    (void)fprintf(out,
                  "```\n\n"
                  "- weights: %s, SHA-256 `%s`%s%s\n"
                  "- training data: %zu images, %s; test data: %zu images, %s\n"
                  "- features: %s, %zu values an image%s; SHA-256 of the sets `%s` and `%s`\n"
                  "- linprobe %s%s\n\n"
                  "Made by:\n\n    %s\n",
                  e->name, e->weights.sha256, e->weights.official != NULL ? ", " : "",
                  e->weights.official != NULL ? e->weights.official : "", run->train->count,
                  file_kind(trained_on(r)), run->test->count, file_kind(tested_on(r)), e->feature,
                  run->train->width, e->normalize ? ", each divided by its length" : "",
                  run->train->digest, run->test->digest, lp_version(),
                  is_multilabel(r) ? "" : "; interval: Wilson, 95 %", r->command);
}

lp_status lp_run_report_print(const lp_run_report *r, FILE *out, lp_format format, lp_error *err) {
    if (format == LP_FORMAT_TEXT) {
        print_summary(out, r);
        return LP_OK;
    }
    lp_column own[COLUMNS];
    json_t *value = format == LP_FORMAT_JSON ? result_json(r) : probe_rows(r->run);
    lp_status status;
    LP_TRY(lp_allocated(value, "report", 1, 1, err));
    lp_table_print(out, format, own, file_columns(r, own), value);
done:
    return status;
}

/* ---- report.html ----------------------------------------------------------------------------- */

/* The probes beside each other and the reported number. */
static lp_status add_bars(const lp_run_report *r, const char *title, lp_html *page, lp_error *err) {
    const lp_published *p = published(r);
    char reported[64] = "", measure[96];
    lp_chart *chart = NULL, *narrow = NULL;
    lp_status status;
    lp_bar *bars = lp_alloc(r->run->count, sizeof *bars);
    LP_TRY(lp_allocated(bars, "chart", r->run->count, sizeof *bars, err));
    for (size_t i = 0; i < r->run->count; i++) {
        const lp_run_probe *probe = &r->run->probes[i];
        lp_interval interval;
        double value = value_of(r, probe, &interval);
        bars[i] = (lp_bar){.name = lp_solver_name(probe->options.solver),
                           .accuracy = value,
                           .low = interval.low,
                           .high = interval.high,
                           .reported = p != NULL ? p->accuracy / 100 : NAN};
    }
    if (p != NULL) {
        (void)snprintf(reported, sizeof reported, "reported: %.*f", p->study->decimals,
                       p->accuracy);
    }
    (void)snprintf(measure, sizeof measure, "%s on the test set",
                   lp_metric_words_of(metric_of(r))->axis);
    lp_bars chart_of = {.title = title,
                        .measure = measure,
                        .reported = p != NULL ? reported : NULL,
                        .bars = bars,
                        .count = r->run->count};
    LP_TRY(lp_bars_chart(&chart_of, &chart, err));
    chart_of.format = LP_CHART_NARROW;
    LP_TRY(lp_bars_chart(&chart_of, &narrow, err));
    lp_html_chart(page, chart, narrow, "By solver, with the 95 % interval, where there is one.");
done:
    lp_chart_free(chart);
    lp_chart_free(narrow);
    lp_free(bars);
    return status;
}

/* results.json, its probes by the name of their solver. */
static void add_settings(const lp_run_report *r, lp_html *page) {
    lp_row probes = lp_row_new(), settings = lp_row_of(result_json(r));
    for (size_t i = 0; i < r->run->count; i++) {
        lp_row_put(&probes, lp_solver_name(r->run->probes[i].options.solver),
                   probe_row(&r->run->probes[i]));
    }
    lp_row_put(&settings, "probes", lp_row_end(&probes));
    lp_html_heading(page, "How it was made");
    lp_html_settings(page, "Settings", lp_row_end(&settings));
}

static lp_status add_result(const lp_run_report *r, const char *title, lp_html *page,
                            lp_error *err) {
    char *reported = NULL;
    lp_column ordered[COLUMNS];
    size_t size;
    lp_status status;
    LP_TRY(lp_text_of(print_reported, r, &reported, &size, err));
    lp_html_heading(page, "Result");
    lp_html_table(page, "Scores on the test set", ordered, columns_of(r, ordered),
                  probe_rows(r->run));
    lp_html_paragraph(page, reported);
    LP_TRY(add_bars(r, title, page, err));
done:
    free(reported);
    return status;
}

/* The evaluation of one probe; of several labels an image each class's ranking. */
static lp_status add_evaluation(const lp_run_report *r, lp_html *page, lp_error *err) {
    const lp_run_probe *probe = main_probe(r->run);
    char text[160];
    lp_mistakes mistakes = {0};
    lp_status status = LP_OK;
    (void)snprintf(text, sizeof text, "From here on: the probe by %s.",
                   lp_solver_name(probe->options.solver));
    lp_html_paragraph(page, text);
    if (is_multilabel(r)) {
        lp_multilabel_page(&probe->several, page);
        goto done;
    }
    LP_TRY(lp_mistakes_find(&probe->evaluation, r->images, LP_MISTAKES_SHOWN, &mistakes, err));
    LP_TRY(lp_evaluation_page(&probe->evaluation, &mistakes.sheet, page, err));
done:
    lp_mistakes_clear(&mistakes);
    return status;
}

static lp_status write_html(const lp_run_report *r, const char *path, lp_error *err) {
    char title[256], data[LP_DATA_TITLE];
    lp_html *page = NULL;
    lp_status status;
    (void)snprintf(title, sizeof title, "%.80s on %s", trained_on(r)->encoder.name,
                   lp_data_title(&tested_on(r)->data, r->run->test->count, data));
    LP_TRY(lp_html_new(title, &page, err));
    LP_TRY(add_result(r, title, page, err));
    LP_TRY(add_evaluation(r, page, err));
    add_settings(r, page);
    LP_TRY(lp_html_write(page, path, err));
done:
    lp_html_free(page);
    return status;
}

/* ---- files ----------------------------------------------------------------------------------- */

static lp_status write_readme(const lp_run_report *r, const char *path, lp_error *err) {
    char *text = NULL;
    size_t size;
    lp_status status;
    LP_TRY(lp_text_of(print_page, r, &text, &size, err));
    LP_TRY(lp_file_write(path, text, size, err));
done:
    free(text);
    return status;
}

static lp_status write_confusion(const lp_run *run, lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_chart *confusion = NULL;
    lp_status status;
    LP_TRY(lp_evaluation_confusion_chart(&main_probe(run)->evaluation, &confusion, err));
    LP_TRY(lp_path_in(path, run->folder, "confusion.png", err));
    LP_TRY(lp_chart_write(confusion, path, err));
done:
    lp_chart_free(confusion);
    return status;
}

lp_status lp_run_report_write(const lp_run_report *r, lp_error *err) {
    const lp_run *run = r->run;
    char path[LP_PATH_ROOM];
    lp_column own[COLUMNS];
    lp_status status;
    for (size_t i = 0; i < run->count; i++) {
        const lp_run_probe *p = &run->probes[i];
        LP_TRY(lp_path_print(path, err, "%s/%s-evaluation.json", run->folder,
                             lp_solver_name(p->options.solver)));
        LP_TRY(is_multilabel(r)
                   ? lp_multilabel_write(&p->several, p->probe, r->command, path, err)
                   : lp_evaluation_write(&p->evaluation, p->probe, r->command, path, err));
    }
    LP_TRY(lp_path_in(path, run->folder, "results.json", err));
    LP_TRY(lp_json_write(path, result_json(r), err));
    LP_TRY(lp_path_in(path, run->folder, "results.csv", err));
    LP_TRY(lp_table_write(path, own, file_columns(r, own), probe_rows(run), err));
    LP_TRY(lp_path_in(path, run->folder, "README.md", err));
    LP_TRY(write_readme(r, path, err));
    LP_TRY(is_multilabel(r) ? LP_OK : write_confusion(run, err));
    LP_TRY(lp_path_in(path, run->folder, "report.html", err));
    LP_TRY(write_html(r, path, err));
done:
    return status;
}
