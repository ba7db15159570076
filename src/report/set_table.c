/* Cells to tables: models and sets in the order in which they first occur. */
#include "report/set_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_row.h"
#include "base/memory.h"
#include "report/bars.h"
#include "report/curve.h"
#include "report/data_words.h"
#include "report/evaluation_rows.h"
#include "report/html.h"

static const lp_column cell_columns[] = {
    {"model", "model", NULL},
    {"set", "set", NULL},
    {"metric", "metric", NULL},
    {"value", "value %", "%.3f"},
    {"low", "95 % from", "%.2f"},
    {"high", "to", "%.2f"},
    {"near_best", "near the best", NULL},
    {"reported", "reported %", "%.1f"},
    {"images", "images", NULL},
    {"gflop_per_image", "GFLOP an image", "%.4g"},
    {"C", "C", "%.4g"},
    {"feature", "feature", NULL},
    {"weights_sha256", "SHA-256 of the weights", NULL},
};
enum { CELL_COLUMNS = sizeof cell_columns / sizeof cell_columns[0] };

/* ---- cells ----------------------------------------------------------------------------------- */

json_t *lp_set_cell(const lp_comparison *c, const lp_contestant *model) {
    const lp_run *run = model->run;
    const lp_run_probe *p = &run->probes[0];
    const lp_encoding *e = &run->train->provenance->encoder;
    const lp_data_record *data = &run->test->provenance->data;
    const lp_data_record *trained = &run->train->provenance->data;
    bool some = trained->per_class > 0 || trained->limit > 0; /* of the training images */
    char title[2 * LP_DATA_TITLE + 32], amount[LP_DATA_TITLE];
    (void)snprintf(title, sizeof title, "%s%s%s%s", c->title, some ? ", " : "",
                   some ? lp_data_amount(trained, run->train->count, amount) : "",
                   some ? " training images" : "");
    lp_interval interval;
    double value = lp_contestant_value(c, model, &interval);
    lp_row row = lp_row_new();
    lp_row_text(&row, "model", model->name);
    lp_row_text(&row, "weights_sha256", e->weights.sha256);
    lp_row_text(&row, "feature", e->feature);
    lp_row_count(&row, "parameters", e->parameters);
    if (run->operations > 0) {
        lp_row_real(&row, "gflop_per_image", run->operations * 1e-9);
    }
    lp_row_text(&row, "set", data->name);
    lp_row_text(&row, "title", title);
    lp_row_text(&row, "data_sha256", data->sha256);
    if (some) {
        lp_row_text(&row, "train_data_sha256", trained->sha256);
    }
    lp_row_text(&row, "metric", lp_set_metric_names[c->metric]);
    lp_row_real(&row, "value", 100 * value);
    lp_row_interval(&row, "", interval, 100);
    lp_row_real(&row, "reported", model->reported);
    lp_row_count(&row, "images", c->count);
    lp_row_text(&row, "solver", lp_solver_name(p->options.solver));
    lp_row_real(&row, "C", p->options.C);
    lp_row_flag(&row, "converged", p->report.converged);
    lp_row_text(&row, "train_sha256", run->train->digest);
    lp_row_text(&row, "test_sha256", run->test->digest);
    return lp_row_end(&row);
}

static const char *text_of(const json_t *cell, const char *key) {
    const char *text = json_string_value(json_object_get(cell, key));
    return text != NULL ? text : "";
}

void lp_set_cell_line(const json_t *cell, char *text, size_t room) {
    double low = lp_json_number(cell, "low", NAN), high = lp_json_number(cell, "high", NAN);
    double reported = lp_json_number(cell, "reported", NAN);
    char interval[48] = "", published[48] = "";
    if (isfinite(low) && isfinite(high)) {
        (void)snprintf(interval, sizeof interval, " (%.2f to %.2f)", low, high);
    }
    if (isfinite(reported)) {
        (void)snprintf(published, sizeof published, ", published %.4g %%", reported);
    }
    (void)snprintf(text, room, "%.100s on %.160s: %.40s %.2f %%%s%s", text_of(cell, "model"),
                   text_of(cell, "title"), text_of(cell, "metric"),
                   lp_json_number(cell, "value", NAN), interval, published);
}

static bool same(const json_t *a, const json_t *b, const char *key) {
    return strcmp(text_of(a, key), text_of(b, key)) == 0;
}

static bool same_model(const json_t *a, const json_t *b) {
    return same(a, b, "model") && same(a, b, "weights_sha256") && same(a, b, "feature");
}

/* By the test images, and the training images where they are a choice: a choice of some of a set,
 * of either part, is a column of its own. */
static bool same_set(const json_t *a, const json_t *b) {
    return same(a, b, "set") && same(a, b, "data_sha256") && same(a, b, "train_data_sha256");
}

lp_status lp_set_table_put(json_t *cells, json_t *cell, lp_error *err) {
    size_t i = 0;
    while (i < json_array_size(cells) && !(same_model(json_array_get(cells, i), cell) &&
                                           same_set(json_array_get(cells, i), cell))) {
        i++;
    }
    bool fails = cell == NULL || (i < json_array_size(cells) ? json_array_set_new(cells, i, cell)
                                                             : json_array_append_new(cells, cell));
    return fails ? lp_fail_memory(err, "table", i + 1, 1) : LP_OK;
}

lp_status lp_set_table_read(const char *path, json_t **cells, lp_error *err) {
    lp_status status = LP_OK;
    *cells = NULL;
    if (!lp_is_file(path)) {
        *cells = json_array();
        return lp_allocated(*cells, path, 1, 1, err);
    }
    LP_TRY(lp_json_read(path, cells, err));
    bool fits = json_is_array(*cells);
    for (size_t i = 0; fits && i < json_array_size(*cells); i++) {
        const json_t *cell = json_array_get(*cells, i);
        fits = text_of(cell, "model")[0] != '\0' && text_of(cell, "set")[0] != '\0' &&
               text_of(cell, "data_sha256")[0] != '\0';
    }
    if (!fits) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "%s: expected a table that compare has written, an array of cells with "
                       "'model', 'set' and 'data_sha256'",
                       path));
    }
done:
    if (status != LP_OK) {
        json_decref(*cells);
        *cells = NULL;
    }
    return status;
}

/* ---- the table ------------------------------------------------------------------------------- */

/* The first cells of each model and of each set. */
typedef struct axes {
    lp_memory memory;
    const json_t **models, **sets;
    size_t model_count, set_count;
    lp_column *columns; /* [set_count + 3]: model, feature, sets, mean */
    size_t column_count;
} axes;

/* The heading of a set; of several of one name with the first digits of its digest, which is that
 * of the training images where they are a choice.  Its key is of both. */
static lp_status name_set(axes *a, size_t s, const char **key, const char **name, lp_error *err) {
    enum { ROOM = 160 };
    const char *test = text_of(a->sets[s], "data_sha256");
    const char *train = text_of(a->sets[s], "train_data_sha256");
    size_t namesakes = 0;
    for (size_t other = 0; other < a->set_count; other++) {
        namesakes += same(a->sets[other], a->sets[s], "set");
    }
    char *text = lp_memory_take(&a->memory, ROOM, 1), *both = lp_memory_take(&a->memory, ROOM, 1);
    lp_status status = lp_memory_check(&a->memory, "table", err);
    if (status == LP_OK) {
        (void)snprintf(text, ROOM, namesakes > 1 ? "%.120s %.8s" : "%.120s",
                       text_of(a->sets[s], "set"), train[0] != '\0' ? train : test);
        (void)snprintf(both, ROOM, "%.64s %.64s", test, train);
    }
    *key = both;
    *name = text;
    return status;
}

static lp_status find_axes(const json_t *cells, axes *a, lp_error *err) {
    size_t count = json_array_size(cells);
    lp_status status;
    a->models = lp_memory_take(&a->memory, count, sizeof(json_t *));
    a->sets = lp_memory_take(&a->memory, count, sizeof(json_t *));
    a->columns = lp_memory_take(&a->memory, count + 3, sizeof *a->columns);
    LP_TRY(lp_memory_check(&a->memory, "table", err));
    for (size_t i = 0; i < count; i++) {
        const json_t *cell = json_array_get(cells, i);
        size_t m = 0, s = 0;
        while (m < a->model_count && !same_model(a->models[m], cell)) {
            m++;
        }
        while (s < a->set_count && !same_set(a->sets[s], cell)) {
            s++;
        }
        a->models[m] = m == a->model_count ? cell : a->models[m];
        a->sets[s] = s == a->set_count ? cell : a->sets[s];
        a->model_count += m == a->model_count;
        a->set_count += s == a->set_count;
    }
    a->columns[0] = (lp_column){"model", "model", NULL};
    a->columns[1] = (lp_column){"feature", "feature", NULL};
    for (size_t s = 0; s < a->set_count; s++) {
        const char *key, *name;
        LP_TRY(name_set(a, s, &key, &name, err));
        a->columns[s + 2] = (lp_column){key, name, "%.2f"};
    }
    a->columns[a->set_count + 2] = (lp_column){"mean of sets", "mean", "%.2f"};
    a->column_count = a->set_count + 3;
done:
    return status;
}

static const json_t *cell_at(const json_t *cells, const json_t *model, const json_t *set) {
    for (size_t i = 0; i < json_array_size(cells); i++) {
        const json_t *cell = json_array_get(cells, i);
        if (same_model(cell, model) && same_set(cell, set)) {
            return cell;
        }
    }
    return NULL;
}

/* The least value of a set that is near its best: the lower end of the best one's interval, as the
 * CLIP paper marks scores (Table 10, there of 99.5 %).  NaN where the best has none, or is alone.
 */
static double least_near_best(const json_t *cells, const json_t *set) {
    const json_t *best = NULL;
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(cells); i++) {
        const json_t *cell = json_array_get(cells, i);
        if (same_set(cell, set)) {
            bool better = best == NULL ||
                          lp_json_number(cell, "value", NAN) > lp_json_number(best, "value", NAN);
            best = better ? cell : best;
            count++;
        }
    }
    return count > 1 ? lp_json_number(best, "low", NAN) : NAN;
}

/* A copy whose cells say whether they are near the best of their set, where that is known. */
static json_t *marked_cells(const json_t *cells) {
    json_t *copy = json_deep_copy(cells);
    for (size_t i = 0; i < json_array_size(copy); i++) {
        json_t *cell = json_array_get(copy, i);
        double least = least_near_best(cells, cell);
        (void)json_object_del(cell, "near_best");
        if (isfinite(least)) {
            (void)json_object_set_new(cell, "near_best",
                                      json_boolean(lp_json_number(cell, "value", NAN) >= least));
        }
    }
    return copy;
}

/* The mean over all sets; NaN where the model lacks one. */
static double mean_of(const json_t *cells, const axes *a, size_t m) {
    double sum = 0;
    for (size_t s = 0; s < a->set_count; s++) {
        const json_t *cell = cell_at(cells, a->models[m], a->sets[s]);
        sum += cell != NULL ? lp_json_number(cell, "value", NAN) : NAN;
    }
    return sum / (double)a->set_count;
}

/* "80.51* (80.5)": the value, a star where it is near the best, and the published one. */
static void print_cell(const json_t *cell, char text[64]) {
    double value = lp_json_number(cell, "value", NAN);
    double reported = lp_json_number(cell, "reported", NAN);
    int length = snprintf(text, 64, "%6.2f%s", value,
                          json_is_true(json_object_get(cell, "near_best")) ? "*" : "");
    if (isfinite(reported)) {
        (void)snprintf(text + length, 64 - (size_t)length, " (%.4g)", reported);
    }
}

static json_t *table_rows(const json_t *cells, const axes *a) {
    json_t *rows = json_array(), *marked = marked_cells(cells);
    for (size_t m = 0; m < a->model_count; m++) {
        lp_row row = lp_row_new();
        lp_row_text(&row, "model", text_of(a->models[m], "model"));
        lp_row_text(&row, "feature", text_of(a->models[m], "feature"));
        for (size_t s = 0; s < a->set_count; s++) {
            const json_t *cell = cell_at(marked, a->models[m], a->sets[s]);
            char text[64];
            if (cell != NULL && isfinite(lp_json_number(cell, "value", NAN))) {
                print_cell(cell, text);
                lp_row_text(&row, a->columns[s + 2].key, text);
            }
        }
        lp_row_real(&row, "mean of sets", mean_of(cells, a, m));
        lp_rows_append(&rows, lp_row_end(&row));
    }
    json_decref(marked);
    return rows;
}

/* "Accuracy on CIFAR-100, 10,000 test images", and whether there are stars. */
static void describe_set(const json_t *cells, const axes *a, const json_t *set, char *text,
                         size_t room) {
    bool starred = a->model_count < 2 || isfinite(least_near_best(cells, set));
    (void)snprintf(text, room, "%.40s: %.160s%s", text_of(set, "metric"), text_of(set, "title"),
                   starred ? "" : "; significance is not computed: there is no interval");
}

static const char stars[] = "*: not below the 95 % interval of the best of its set";

lp_status lp_set_table_print(const json_t *cells, FILE *out, lp_format format, lp_error *err) {
    axes a = {.model_count = 0};
    char line[320];
    lp_status status;
    LP_TRY(find_axes(cells, &a, err));
    if (format != LP_FORMAT_TEXT) {
        lp_table_print(out, format, cell_columns, CELL_COLUMNS, marked_cells(cells));
        goto done;
    }
    json_t *rows = table_rows(cells, &a);
    LP_TRY(lp_allocated(rows, "table", a.model_count, 1, err));
    lp_table_print(out, format, a.columns, a.column_count, rows);
    (void)fputc('\n', out);
    for (size_t s = 0; s < a.set_count; s++) {
        describe_set(cells, &a, a.sets[s], line, sizeof line);
        (void)fprintf(out, "%s\n", line);
    }
    (void)fprintf(out, "%s%s", a.model_count > 1 ? stars : "", a.model_count > 1 ? "\n" : "");
done:
    lp_memory_free(&a.memory);
    return status;
}

/* ---- files ----------------------------------------------------------------------------------- */

static lp_status add_chart(const json_t *cells, const axes *a, lp_html *page, lp_error *err) {
    lp_chart *wide = NULL, *narrow = NULL;
    lp_bar *bars = lp_alloc(a->model_count, sizeof *bars);
    bool any = false;
    lp_status status;
    LP_TRY(lp_allocated(bars, "chart", a->model_count, sizeof *bars, err));
    for (size_t m = 0; m < a->model_count; m++) {
        double mean = mean_of(cells, a, m) / 100;
        bars[m] = (lp_bar){text_of(a->models[m], "model"), mean, NAN, NAN, NAN};
        any = any || isfinite(mean);
    }
    if (any) {
        lp_bars chart_of = {.title = "Mean over the data sets",
                            .measure = "Mean of each set's own metric",
                            .bars = bars,
                            .count = a->model_count};
        LP_TRY(lp_bars_chart(&chart_of, &wide, err));
        chart_of.format = LP_CHART_NARROW;
        LP_TRY(lp_bars_chart(&chart_of, &narrow, err));
        lp_html_chart(page, wide, narrow, "Models that were run on every set.");
    }
done:
    lp_chart_free(wide);
    lp_chart_free(narrow);
    lp_free(bars);
    return status;
}

/* Mean over the sets against the work for an image, a series a model; of more models than a legend
 * holds, one series.  *chart stays NULL where there are fewer than two models to draw. */
static lp_status work_chart(const json_t *cells, const axes *a, lp_chart_format format,
                            lp_chart **chart, lp_error *err) {
    enum { LEGEND = 12 };
    lp_memory memory = {0};
    size_t count = 0;
    lp_status status;
    lp_series *series = lp_memory_take(&memory, a->model_count, sizeof *series);
    lp_curve_point *points = lp_memory_take(&memory, a->model_count, sizeof *points);
    *chart = NULL;
    LP_TRY(lp_memory_check(&memory, "chart", err));
    for (size_t m = 0; m < a->model_count; m++) {
        double mean = mean_of(cells, a, m) / 100;
        double work = lp_json_number(a->models[m], "gflop_per_image", NAN);
        if (isfinite(mean) && work > 0) {
            points[count] = (lp_curve_point){work, mean, NAN, NAN};
            series[count] = (lp_series){text_of(a->models[m], "model"), &points[count], 1};
            count++;
        }
    }
    if (count > LEGEND) {
        series[0] = (lp_series){"models", points, count};
    }
    const lp_curve curve = {.kind = LP_CURVE_WORK,
                            .title = "Mean over the data sets against the work for an image",
                            .measure = "Mean of each set's own metric",
                            .series = series,
                            .series_count = count > LEGEND ? 1 : count,
                            .chosen = NAN,
                            .format = format};
    LP_TRY(count > 1 ? lp_curve_chart(&curve, chart, err) : LP_OK);
done:
    lp_memory_free(&memory);
    return status;
}

static lp_status add_work(const json_t *cells, const axes *a, lp_html *page, lp_error *err) {
    lp_chart *wide = NULL, *narrow = NULL;
    lp_status status;
    LP_TRY(work_chart(cells, a, LP_CHART_WIDE, &wide, err));
    LP_TRY(work_chart(cells, a, LP_CHART_NARROW, &narrow, err));
    if (wide != NULL) {
        lp_html_chart(page, wide, narrow,
                      "Floating-point operations of matrix products and convolutions.");
    }
done:
    lp_chart_free(wide);
    lp_chart_free(narrow);
    return status;
}

static lp_status write_work(const json_t *cells, const char *folder, lp_error *err) {
    static const char *const names[] = {"table-work.png", "table-work.svg"};
    axes a = {.model_count = 0};
    char path[LP_PATH_ROOM];
    lp_chart *chart = NULL;
    lp_status status;
    LP_TRY(find_axes(cells, &a, err));
    LP_TRY(work_chart(cells, &a, LP_CHART_WIDE, &chart, err));
    for (size_t i = 0; i < 2 && chart != NULL; i++) {
        LP_TRY(lp_path_in(path, folder, names[i], err));
        LP_TRY(lp_chart_write(chart, path, err));
    }
done:
    lp_chart_free(chart);
    lp_memory_free(&a.memory);
    return status;
}

static lp_status write_page(const json_t *cells, const char *path, const char *command,
                            lp_error *err) {
    axes a = {.model_count = 0};
    char title[96], line[320];
    lp_html *page = NULL;
    lp_status status;
    LP_TRY(find_axes(cells, &a, err));
    (void)snprintf(title, sizeof title, "%zu models on %zu data sets", a.model_count, a.set_count);
    LP_TRY(lp_html_new(title, &page, err));
    lp_html_heading(page, "Result");
    lp_html_table(page, "Each set's own metric, in percent; published numbers in brackets",
                  a.columns, a.column_count, table_rows(cells, &a));
    for (size_t s = 0; s < a.set_count; s++) {
        describe_set(cells, &a, a.sets[s], line, sizeof line);
        lp_html_paragraph(page, line);
    }
    if (a.model_count > 1) {
        lp_html_paragraph(page, stars);
    }
    LP_TRY(add_chart(cells, &a, page, err));
    LP_TRY(add_work(cells, &a, page, err));
    lp_html_heading(page, "Cells");
    lp_html_table(page, "Each result", cell_columns, CELL_COLUMNS, marked_cells(cells));
    lp_row settings = lp_row_new();
    lp_row_text(&settings, "linprobe", lp_version());
    lp_row_text(&settings, "command", command);
    lp_html_heading(page, "How it was made");
    lp_html_settings(page, "Settings", lp_row_end(&settings));
    LP_TRY(lp_html_write(page, path, err));
done:
    lp_html_free(page);
    lp_memory_free(&a.memory);
    return status;
}

lp_status lp_set_table_write(const json_t *cells, const char *folder, const char *command,
                             lp_error *err) {
    char path[LP_PATH_ROOM];
    lp_status status;
    LP_TRY(lp_make_folders(folder, err));
    LP_TRY(lp_path_in(path, folder, "table.json", err));
    LP_TRY(lp_json_write(path, marked_cells(cells), err));
    LP_TRY(lp_path_in(path, folder, "table.csv", err));
    LP_TRY(lp_table_write(path, cell_columns, CELL_COLUMNS, marked_cells(cells), err));
    LP_TRY(lp_path_in(path, folder, "table.html", err));
    LP_TRY(write_page(cells, path, command, err));
    LP_TRY(write_work(cells, folder, err));
done:
    return status;
}
