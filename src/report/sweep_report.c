/* The report of a sweep.  A column of its table is a line of `columns` and one of point_row. */
#include "report/sweep_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_row.h"
#include "base/text.h"
#include "probe/training.h"
#include "report/curve.h"
#include "report/data_words.h"
#include "report/evaluation_page.h"
#include "report/multilabel_rows.h"

/* ---- rows ------------------------------------------------------------------------------------ */

static const lp_column columns[] = {
    {"C", "C", "%.6g"},
    {"lambda", "lambda", "%.6g"},
    {"accuracy", "validation %", "%.3f"},
    {"low", "95 % from", "%.2f"},
    {"high", "to", "%.2f"},
    {"correct", "correct", NULL},
    {"count", "of", NULL},
    {"iterations", "iterations", NULL},
    {"gap", "gap at most", "%.1e"},
    {"converged", "converged", NULL},
    {"chosen", "chosen", NULL},
};
/* Of several labels an image. */
static const lp_column multilabel_columns[] = {
    {"C", "C", "%.6g"},
    {"lambda", "lambda", "%.6g"},
    {"map_11", "validation mAP-11 %", "%.3f"},
    {"count", "images", NULL},
    {"iterations", "iterations", NULL},
    {"gap", "gap at most", "%.1e"},
    {"converged", "converged", NULL},
    {"chosen", "chosen", NULL},
};

static const lp_column *columns_of(const lp_sweep_report *r, size_t *count) {
    *count = r->sweep->multilabel ? sizeof multilabel_columns / sizeof *columns
                                  : sizeof columns / sizeof *columns;
    return r->sweep->multilabel ? multilabel_columns : columns;
}

/* The measure by which C is chosen. */
static const lp_metric_words *measure_of(const lp_sweep_report *r) {
    return lp_metric_words_of(r->sweep->multilabel ? LP_METRIC_MAP_11 : LP_METRIC_ACCURACY);
}

static json_t *point_row(const lp_sweep_report *r, const lp_sweep_point *p, bool chosen) {
    lp_row row = lp_row_new();
    lp_row_real(&row, "C", p->C);
    lp_row_real(&row, "lambda", 1 / p->C);
    if (r->sweep->multilabel) {
        lp_row_real(&row, "map_11", 100 * p->value);
    } else {
        lp_row_real(&row, "accuracy", lp_percent(p->correct, p->count));
        lp_row_interval(&row, "", p->interval, 100);
        lp_row_count(&row, "correct", p->correct);
    }
    lp_row_count(&row, "count", p->count);
    lp_row_count(&row, "iterations", p->iterations);
    if (p->passes > 0) { /* liblinear reports none */
        lp_row_count(&row, "passes", p->passes);
    }
    if (p->gap >= 0) {
        lp_row_real(&row, "gap", p->gap);
    }
    lp_row_flag(&row, "exact", p->exact);
    lp_row_flag(&row, "converged", p->converged);
    lp_row_text(&row, "chosen", chosen ? "<--" : "");
    return lp_row_end(&row);
}

static json_t *point_rows(const lp_sweep_report *r) {
    json_t *rows = json_array();
    for (size_t i = 0; i < r->sweep->count; i++) {
        lp_rows_append(&rows, point_row(r, &r->sweep->points[i], i == r->sweep->best));
    }
    return rows;
}

static json_t *setting_json(const lp_sweep_report *r) {
    const lp_sweep_options *o = &r->options;
    lp_row row = lp_row_new();
    lp_row_text(&row, "train", r->train->path);
    lp_row_text(&row, "train_sha256", r->train->digest);
    lp_row_text(&row, "validation",
                r->validation != NULL        ? r->validation->path
                : o->validation_rows != NULL ? "the validation part of the data"
                                             : NULL);
    lp_row_text(&row, "refit", r->refit_on_both ? "train+validation" : "train");
    lp_row_text(&row, "protocol", lp_sweep_protocol_names[o->protocol]);
    lp_row_put(&row, "low", json_integer(o->low));
    lp_row_put(&row, "high", json_integer(o->high));
    lp_row_count(&row, "steps_per_decade", o->steps);
    lp_row_real(&row, "held_out", o->held_out);
    lp_row_count(&row, "folds", o->folds);
    lp_row_count(&row, "seed", o->seed);
    return lp_row_end(&row);
}

/* The score on the test set, and the columns of its table. */
static json_t *test_row(const lp_sweep_report *r) {
    return r->sweep->multilabel ? lp_multilabel_summary(&r->several) : lp_score_json(&r->score);
}

static const lp_column *test_columns(const lp_sweep_report *r, size_t *count) {
    *count = lp_score_column_count;
    return r->sweep->multilabel ? lp_multilabel_columns(false, count) : lp_score_columns;
}

/* sweep.json */
static json_t *sweep_json(const lp_sweep_report *r) {
    lp_row row = lp_row_new();
    lp_row_text(&row, "linprobe", lp_version());
    lp_row_text(&row, "command", r->command);
    lp_row_put(&row, "setting", setting_json(r));
    lp_row_put(&row, "points", point_rows(r));
    lp_row_real(&row, "C", r->options.fit.C);
    lp_row_real(&row, "lambda", 1 / r->options.fit.C);
    lp_row_flag(&row, "at_edge", r->sweep->at_edge);
    lp_row_put(&row, "fit", lp_fit_report_json(&r->options.fit, &r->fit));
    if (r->scored) {
        lp_row_put(&row, "test", test_row(r));
        lp_row_count(&row, "test_rows_in_train", r->shared[0]);
        lp_row_count(&row, "test_rows_in_validation", r->shared[1]);
    }
    return lp_row_end(&row);
}

static void print_score(FILE *out, const lp_sweep_report *r) {
    const lp_score *score = &r->score;
    if (r->sweep->multilabel) {
        (void)fprintf(out, "%s = %.3f  on the test set, scored once (%zu images)\n",
                      measure_of(r)->sentence, 100 * r->several.mean.map_11,
                      r->several.test->count);
    } else {
        (void)fprintf(out,
                      "%s = %.3f  on the test set, scored once (%zu of %zu; 95 %% from %.2f to "
                      "%.2f)\n",
                      measure_of(r)->sentence, 100 * score->top1, score->correct, score->count,
                      100 * score->top1_interval.low, 100 * score->top1_interval.high);
    }
}

/* What came out, in sentences. */
static void print_choice(FILE *out, const void *report) {
    const lp_sweep_report *r = report;
    const lp_sweep_point *best = &r->sweep->points[r->sweep->best];
    (void)fprintf(out, "best C = %.6g (lambda = %.6g): ", best->C, 1 / best->C);
    if (r->sweep->multilabel) {
        (void)fprintf(out, "validation mAP-11 %.3f, %zu images\n", 100 * best->value, best->count);
    } else {
        (void)fprintf(out, "validation accuracy %.3f, %zu of %zu\n", 100 * best->value,
                      best->correct, best->count);
    }
    if (r->sweep->at_edge) {
        (void)fprintf(out,
                      "The best C lies at the edge of the range: widen it with --from and --to.\n");
    }
    (void)fprintf(out, "refit on all training%s data: %s, %s\n",
                  r->refit_on_both ? " and validation" : "",
                  r->fit.converged ? "converged" : "NOT CONVERGED", r->fit.stopped_by);
    if (r->scored) {
        print_score(out, r);
    }
}

void lp_sweep_report_print(const lp_sweep_report *r, FILE *out, lp_format format) {
    size_t count;
    const lp_column *shown = columns_of(r, &count);
    lp_table_print(out, format, shown, count,
                   format == LP_FORMAT_JSON ? sweep_json(r) : point_rows(r));
    if (format == LP_FORMAT_TEXT) {
        (void)fputc('\n', out);
        print_choice(out, r);
    }
}

/* ---- charts ---------------------------------------------------------------------------------- */

/* The whole curve, or the part of it within a decade of the choice, where the scale shows the
 * differences that the choice rests on.  *chart is NULL where that part says no more than the
 * whole. */
static lp_status draw_curve(const lp_sweep_report *r, bool peak, lp_chart_format format,
                            lp_chart **chart, lp_error *err) {
    const double decade = 10 * (1 + 1e-9), chosen = r->options.fit.C;
    const lp_sweep *s = r->sweep;
    char on[LP_EVALUATION_TITLE], title[LP_EVALUATION_TITLE + 64];
    size_t count = 0;
    lp_curve_point *points = lp_alloc(s->count, sizeof *points);
    lp_status status;
    *chart = NULL;
    LP_TRY(lp_allocated(points, "chart", s->count, sizeof *points, err));
    for (size_t i = 0; i < s->count; i++) {
        const lp_sweep_point *p = &s->points[i];
        if (!peak || (p->C <= chosen * decade && p->C >= chosen / decade)) {
            points[count++] = (lp_curve_point){p->C, p->value, p->interval.low, p->interval.high};
        }
    }
    lp_evaluation_title(r->train, on);
    (void)snprintf(title, sizeof title, "%s against C%s: %s", measure_of(r)->sentence,
                   peak ? " round the peak" : "", on);
    lp_curve_point test = {chosen, r->score.top1, r->score.top1_interval.low,
                           r->score.top1_interval.high};
    if (s->multilabel) {
        test = (lp_curve_point){chosen, r->several.mean.map_11, NAN, NAN};
    }
    const lp_series series[] = {{"validation", points, count}, {"test, scored once", &test, 1}};
    const lp_curve curve = {.kind = LP_CURVE_SWEEP,
                            .title = title,
                            .measure = measure_of(r)->axis,
                            .series = series,
                            .series_count = r->scored ? 2 : 1,
                            .chosen = chosen,
                            .format = format};
    if (!peak || (count >= 3 && count < s->count)) {
        LP_TRY(lp_curve_chart(&curve, chart, err));
    }
done:
    lp_free(points);
    return status;
}

/* ---- sweep.html ------------------------------------------------------------------------------ */

/* The same lines as on standard output, a paragraph each. */
static lp_status add_choice(const lp_sweep_report *r, lp_html *page, lp_error *err) {
    char *text = NULL, *rest;
    size_t size;
    lp_status status;
    LP_TRY(lp_text_of(print_choice, r, &text, &size, err));
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        lp_html_paragraph(page, line);
    }
done:
    free(text);
    return status;
}

static lp_status add_chart(const lp_sweep_report *r, bool peak, const char *caption, lp_html *page,
                           lp_error *err) {
    lp_chart *wide = NULL, *narrow = NULL;
    lp_status status;
    LP_TRY(draw_curve(r, peak, LP_CHART_WIDE, &wide, err));
    LP_TRY(draw_curve(r, peak, LP_CHART_NARROW, &narrow, err));
    if (wide != NULL) {
        lp_html_chart(page, wide, narrow, caption);
    }
done:
    lp_chart_free(wide);
    lp_chart_free(narrow);
    return status;
}

static lp_status write_page(const lp_sweep_report *r, const char *path, lp_error *err) {
    char on[LP_EVALUATION_TITLE], title[LP_EVALUATION_TITLE + 16];
    size_t count;
    lp_html *page = NULL;
    lp_status status;
    lp_evaluation_title(r->train, on);
    (void)snprintf(title, sizeof title, "Sweep: %s", on);
    LP_TRY(lp_html_new(title, &page, err));
    lp_html_heading(page, "Choice");
    LP_TRY(add_choice(r, page, err));
    LP_TRY(add_chart(r, false, "Validation score of each C that was tried.", page, err));
    LP_TRY(add_chart(r, true, "The points within a factor of ten of the chosen C.", page, err));
    if (r->scored) {
        lp_html_heading(page, "Test");
        const lp_column *scores = test_columns(r, &count);
        lp_html_table(page, "The chosen probe on the test set, scored once", scores, count,
                      json_pack("[o]", test_row(r)));
    }
    lp_html_heading(page, "Points");
    const lp_column *shown = columns_of(r, &count);
    lp_html_table(page, "Scores on the validation data", shown, count, point_rows(r));
    json_t *settings = sweep_json(r);
    (void)json_object_del(settings, "points");
    (void)json_object_del(settings, "test");
    (void)json_object_set_new(settings, "features", lp_evaluation_origin(r->train));
    lp_html_heading(page, "How it was made");
    lp_html_settings(page, "Settings", settings);
    LP_TRY(lp_html_write(page, path, err));
done:
    lp_html_free(page);
    return status;
}

/* ---- files ----------------------------------------------------------------------------------- */

/* sweep.png and sweep.svg, or those of the peak where it is a part by itself. */
static lp_status write_curve(const lp_sweep_report *r, const char *folder, bool peak,
                             lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_chart *chart = NULL;
    lp_status status;
    LP_TRY(draw_curve(r, peak, LP_CHART_WIDE, &chart, err));
    for (int svg = 0; chart != NULL && svg < 2; svg++) {
        LP_TRY(lp_path_print(path, err, "%s/sweep%s.%s", folder, peak ? "-peak" : "",
                             svg ? "svg" : "png"));
        LP_TRY(lp_chart_write(chart, path, err));
    }
done:
    lp_chart_free(chart);
    return status;
}

lp_status lp_sweep_report_write(const lp_sweep_report *r, const char *folder, lp_error *err) {
    char path[LP_PATH_ROOM];
    size_t count;
    lp_status status;
    LP_TRY(lp_path_in(path, folder, "sweep.json", err));
    LP_TRY(lp_json_write(path, sweep_json(r), err));
    LP_TRY(lp_path_in(path, folder, "sweep.csv", err));
    const lp_column *shown = columns_of(r, &count);
    LP_TRY(lp_table_write(path, shown, count, point_rows(r), err));
    LP_TRY(write_curve(r, folder, false, err));
    LP_TRY(write_curve(r, folder, true, err));
    LP_TRY(lp_path_in(path, folder, "sweep.html", err));
    LP_TRY(write_page(r, path, err));
done:
    return status;
}
