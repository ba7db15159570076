/* Comparing classifiers:
 *
 *     predictions [runs, N] -> accuracy of each
 *                           -> every pair: difference, McNemar's test, Holm's correction
 *                           -> tables, chart, page
 *
 * A column of the table of runs is a row of `run_columns` or `model_columns` and a line of
 * run_row or model_row. */
#include "report/comparison.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_row.h"
#include "base/npy.h"
#include "probe/metrics.h"
#include "report/bars.h"
#include "report/evaluation_rows.h"
#include "report/html.h"
#include "report/published.h"

const char *const lp_comparison_table_names[] = {"auto", "runs", "pairs", NULL};

static const lp_column run_columns[] = {
    {"run", "run", NULL},
    {"images", "images", NULL},
    {"correct", "correct", NULL},
    {"top1", "top-1 %", "%.3f"},
    {"top1_low", "95 % from", "%.2f"},
    {"top1_high", "to", "%.2f"},
    {"roc_auc", "ROC AUC %", "%.3f"},
    {"map_11", "mAP-11 %", "%.3f"},
    {"mean_per_class", "per class %",
     "%.3f"}, /* the last one: only where the set is scored by it */
};
static const lp_column model_columns[] = {
    {"run", "backbone", NULL},
    {"millions", "params M", "%.1f"},
    {"input", "input", NULL},
    {"feature", "feature", NULL},
    {"width", "width", NULL},
    {"C", "C", "%.4g"},
    {"top1", "top-1 %", "%.3f"},
    {"top1_low", "95 % from", "%.2f"},
    {"top1_high", "to", "%.2f"},
    {"roc_auc", "ROC AUC %", "%.3f"},
    {"map_11", "mAP-11 %", "%.3f"},
    {"reported", "reported %", "%.1f"},
    {"images_per_second", "images/s", "%.1f"},
    {"mean_per_class", "per class %", "%.3f"}, /* as above */
};
static const lp_column pair_columns[] = {
    {"first", "first", NULL},
    {"second", "second", NULL},
    {"difference", "difference %", "%+.3f"},
    {"low", "95 % from", "%+.2f"},
    {"high", "to", "%+.2f"},
    {"first_only", "first only", NULL},
    {"second_only", "second only", NULL},
    {"p", "p", "%.3g"},
    {"p_holm", "p (Holm)", "%.3g"},
    {"significant", "significant", NULL},
};
enum {
    RUN_COLUMNS = sizeof run_columns / sizeof run_columns[0],
    MODEL_COLUMNS = sizeof model_columns / sizeof model_columns[0],
    MOST_COLUMNS = MODEL_COLUMNS > RUN_COLUMNS ? MODEL_COLUMNS : RUN_COLUMNS,
    PAIR_COLUMNS = sizeof pair_columns / sizeof pair_columns[0]
};

lp_status lp_comparison_init(lp_comparison *c, size_t room, lp_error *err) {
    *c = (lp_comparison){0};
    c->contestants = lp_memory_take_zeroed(&c->memory, room, sizeof *c->contestants);
    return lp_memory_check(&c->memory, "comparison", err);
}

void lp_comparison_clear(lp_comparison *c) {
    lp_memory_free(&c->memory);
    *c = (lp_comparison){0};
}

/* ---- contestants ----------------------------------------------------------------------------- */

static lp_status keep_labels(lp_comparison *c, const lp_features *test, lp_error *err) {
    const lp_data_record none = {.set = NULL};
    const lp_data_record *data = test->provenance != NULL ? &test->provenance->data : &none;
    bool several = test->marks != NULL;
    size_t size = several ? test->classes : sizeof *c->labels;
    void *copy = lp_memory_take(&c->memory, test->count, size);
    lp_status status = lp_memory_check(&c->memory, test->path, err);
    if (status == LP_OK) {
        memcpy(copy, several ? (const void *)test->marks : test->labels, test->count * size);
    }
    c->metric = several ? LP_METRIC_MAP_11 : lp_data_metric(data);
    (void)lp_data_title(data, test->count, c->title);
    c->count = test->count;
    c->classes = test->classes;
    c->marks = several ? copy : NULL;
    c->labels = several ? NULL : copy;
    return status;
}

/* The first one's labels are kept; a later one must have the same. */
static lp_status check_labels(lp_comparison *c, const lp_features *test, lp_error *err) {
    static const char same[] = "a comparison needs the same examples in the same order";
    if (c->added == 0) {
        return keep_labels(c, test, err);
    }
    const char *first = c->contestants[0].name;
    if (test->count != c->count) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %zu examples, but %s has %zu: a comparison needs the same ones",
                       test->path, test->count, first, c->count);
    }
    if ((test->marks != NULL) != (c->marks != NULL)) {
        return lp_fail(err, LP_ERR_ARGUMENT, "%s has %s labels an image, but %s has %s: %s",
                       test->path, test->marks != NULL ? "several" : "one", first,
                       c->marks != NULL ? "several" : "one", same);
    }
    for (size_t i = 0; i < c->count; i++) {
        if (c->marks == NULL && test->labels[i] != c->labels[i]) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: row %zu has label %lld, but in %s it is %lld: %s", test->path, i,
                           (long long)test->labels[i], first, (long long)c->labels[i], same);
        }
        if (c->marks != NULL &&
            (test->classes != c->classes ||
             memcmp(test->marks + i * c->classes, c->marks + i * c->classes, c->classes) != 0)) {
            return lp_fail(err, LP_ERR_ARGUMENT, "%s: row %zu has other labels than in %s: %s",
                           test->path, i, first, same);
        }
    }
    return LP_OK;
}

static lp_status read_predictions(const char *path, size_t count, int64_t *predicted,
                                  lp_error *err) {
    lp_map map = {0};
    lp_npy npy;
    lp_status status;
    LP_TRY(lp_map_open(path, &map, err));
    LP_TRY(lp_npy_parse(path, map.data, map.size, &npy, err));
    LP_TRY(lp_npy_labels(path, map.data, &npy, count, LP_NPY_MAX_LABELS, predicted, err));
done:
    lp_map_close(&map);
    return status;
}

/* The mean over the classes that occur of their own accuracy. */
static lp_status mean_per_class(const lp_comparison *c, const int64_t *predicted, double *mean,
                                lp_error *err) {
    int64_t largest = 0;
    lp_memory memory = {0};
    lp_score score = {0};
    lp_status status;
    for (size_t i = 0; i < c->count; i++) {
        largest = c->labels[i] > largest ? c->labels[i] : largest;
    }
    size_t classes = (size_t)largest + 1;
    size_t *right = lp_memory_take_zeroed(&memory, classes, sizeof *right);
    size_t *all = lp_memory_take_zeroed(&memory, classes, sizeof *all);
    LP_TRY(lp_memory_check(&memory, "classes", err));
    for (size_t i = 0; i < c->count; i++) {
        all[c->labels[i]]++;
        right[c->labels[i]] += predicted[i] == c->labels[i];
    }
    lp_score_finish(&score, right, all, classes);
    *mean = score.mean_per_class;
done:
    lp_memory_free(&memory);
    return status;
}

/* What others reported for the inputs of a probe and its test set; NaN where nothing is known. */
static double reported(const lp_probe *probe, const lp_features *test) {
    const lp_training *training = probe != NULL ? lp_probe_training(probe) : NULL;
    const lp_published *p =
        training != NULL ? lp_published_of(training->train.provenance, test->provenance) : NULL;
    return p != NULL ? p->accuracy : NAN;
}

/* Of one label: right answers, and how well the probabilities rank. */
static lp_status count_answers(lp_comparison *c, lp_contestant *k, const lp_probe *probe,
                               const lp_features *test, size_t threads, lp_error *err) {
    lp_status status;
    k->predicted = lp_memory_take(&c->memory, test->count, sizeof *k->predicted);
    LP_TRY(lp_memory_check(&c->memory, test->path, err));
    LP_TRY(probe != NULL ? lp_probe_predict(probe, test->x, test->count, k->predicted, threads, err)
                         : read_predictions(k->predictions, test->count, k->predicted, err));
    for (size_t i = 0; i < c->count; i++) {
        k->correct += k->predicted[i] == c->labels[i];
    }
    k->interval = lp_wilson(k->correct, c->count);
    LP_TRY(mean_per_class(c, k->predicted, &k->mean_per_class, err));
    if (k->run == NULL && probe != NULL) {
        const lp_examples examples = lp_features_examples(test);
        LP_TRY(lp_probe_rank(probe, &examples, lp_probe_probability(probe), threads, &k->ranking,
                             err));
    }
done:
    return status;
}

/* Of several: how well each class's logits rank. */
static lp_status rank_classes(lp_contestant *k, const lp_probe *probe, const lp_features *test,
                              size_t threads, lp_error *err) {
    const lp_marked marked = lp_features_marked(test);
    if (probe == NULL) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: %s has several labels an image, which predictions of one class cannot "
                       "answer: expected a probe",
                       k->predictions, test->path);
    }
    return k->run != NULL ? LP_OK
                          : lp_multilabel_rank(probe, &marked, threads, NULL, &k->ranking, err);
}

lp_status lp_comparison_add(lp_comparison *c, const lp_contestant *contestant,
                            const lp_probe *probe, const lp_features *test, size_t threads,
                            lp_error *err) {
    lp_contestant *k = &c->contestants[c->added];
    lp_status status;
    LP_TRY(check_labels(c, test, err));
    *k = *contestant;
    k->correct = 0;
    k->reported = reported(probe, test);
    k->ranking = (lp_ranking){NAN, NAN};
    if (k->run != NULL) {
        k->ranking = *lp_run_probe_ranking(&k->run->probes[0]);
        k->trained_rows = *lp_run_probe_trained_rows(&k->run->probes[0]);
    } else if (probe != NULL) {
        LP_TRY(lp_trained_rows_count(probe, test, threads, &k->trained_rows, err));
    }
    LP_TRY(c->marks != NULL ? rank_classes(k, probe, test, threads, err)
                            : count_answers(c, k, probe, test, threads, err));
    c->added++;
done:
    return status;
}

double lp_contestant_value(const lp_comparison *c, const lp_contestant *contestant,
                           lp_interval *interval) {
    const lp_contestant *k = contestant;
    const lp_score own = {.top1 = (double)k->correct / (double)c->count,
                          .top1_interval = k->interval,
                          .mean_per_class = k->mean_per_class,
                          .mean_per_class_interval = {NAN, NAN}};
    const lp_score *score =
        k->run != NULL && c->marks == NULL ? &k->run->probes[0].evaluation.metrics.score : &own;
    return lp_metric_value(c->metric, score, &k->ranking, interval);
}

lp_status lp_comparison_pairs(lp_comparison *c, lp_error *err) {
    size_t pairs = c->marks == NULL ? c->added * (c->added - 1) / 2 : 0, at = 0;
    double *p = lp_memory_take(&c->memory, pairs, sizeof *p);
    lp_status status;
    c->pairs = lp_memory_take(&c->memory, pairs, sizeof *c->pairs);
    c->adjusted = lp_memory_take(&c->memory, pairs, sizeof *c->adjusted);
    LP_TRY(lp_memory_check(&c->memory, "pairs", err));
    for (size_t i = 0; pairs > 0 && i < c->added; i++) {
        for (size_t j = i + 1; j < c->added; j++) {
            lp_compare(c->labels, c->contestants[i].predicted, c->contestants[j].predicted,
                       c->count, &c->pairs[at]);
            p[at] = c->pairs[at].p;
            at++;
        }
    }
    LP_TRY(lp_holm(p, pairs, c->adjusted, err));
    c->pair_count = pairs;
done:
    return status;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* What a table says of a model, by its run. */
static void put_model(lp_row *row, const lp_run *run) {
    const lp_encoding *e = &run->train->provenance->encoder;
    const lp_run_probe *p = &run->probes[0];
    lp_row_text(row, "model", e->name);
    lp_row_text(row, "family", e->family);
    lp_row_flag(row, "official", e->weights.official != NULL);
    lp_row_text(row, "weights_sha256", e->weights.sha256);
    lp_row_count(row, "parameters", e->parameters);
    lp_row_real(row, "millions", (double)e->parameters * 1e-6);
    lp_row_count(row, "input", e->input_size);
    lp_row_text(row, "feature", e->feature);
    lp_row_count(row, "width", run->test->width);
    lp_row_real(row, "C", p->options.C);
    lp_row_flag(row, "converged", p->report.converged);
    lp_row_text(row, "solver", lp_solver_name(p->options.solver));
    lp_row_text(row, "train_sha256", run->train->digest);
    lp_row_text(row, "test_sha256", run->test->digest);
    lp_row_flag(row, "at_edge", run->sweep != NULL && run->sweep->at_edge);
    if (isfinite(run->images_per_second)) {
        lp_row_real(row, "images_per_second", run->images_per_second);
        lp_row_count(row, "threads", run->threads);
    }
}

static json_t *run_row(const lp_comparison *c, const lp_contestant *k) {
    lp_row row = lp_row_new();
    lp_row_text(&row, "run", k->name);
    lp_row_count(&row, "images", c->count);
    if (c->marks == NULL) {
        lp_row_count(&row, "correct", k->correct);
        lp_row_real(&row, "top1", lp_percent(k->correct, c->count));
        lp_row_interval(&row, "top1_", k->interval, 100);
        lp_row_real(&row, "mean_per_class", 100 * k->mean_per_class);
    }
    lp_row_ranking(&row, &k->ranking);
    lp_row_real(&row, "reported", k->reported);
    lp_row_trained(&row, &k->trained_rows);
    if (k->probe != NULL) {
        lp_row_text(&row, "probe", k->probe);
    }
    if (k->predictions != NULL) {
        lp_row_text(&row, "predictions", k->predictions);
    }
    if (k->test != NULL) {
        lp_row_text(&row, "test", k->test);
    }
    if (k->run != NULL) {
        put_model(&row, k->run);
    }
    return lp_row_end(&row);
}

static json_t *pair_row(const lp_comparison *c, size_t i, size_t j, size_t at) {
    const lp_paired *p = &c->pairs[at];
    lp_row row = lp_row_new();
    lp_row_text(&row, "first", c->contestants[i].name);
    lp_row_text(&row, "second", c->contestants[j].name);
    lp_row_real(&row, "difference", 100 * p->difference);
    lp_row_interval(&row, "", p->interval, 100);
    lp_row_count(&row, "both", p->both);
    lp_row_count(&row, "first_only", p->first_only);
    lp_row_count(&row, "second_only", p->second_only);
    lp_row_count(&row, "neither", p->count - p->both - p->first_only - p->second_only);
    lp_row_real(&row, "p", p->p);
    lp_row_real(&row, "p_holm", c->adjusted[at]);
    lp_row_flag(&row, "significant", c->adjusted[at] < LP_SIGNIFICANCE);
    return lp_row_end(&row);
}

static json_t *run_rows(const lp_comparison *c) {
    json_t *rows = json_array();
    for (size_t i = 0; i < c->added; i++) {
        lp_rows_append(&rows, run_row(c, &c->contestants[i]));
    }
    return rows;
}

static json_t *pair_rows(const lp_comparison *c) {
    json_t *rows = json_array();
    size_t at = 0;
    for (size_t i = 0; c->pair_count > 0 && i < c->added; i++) {
        for (size_t j = i + 1; j < c->added; j++) {
            lp_rows_append(&rows, pair_row(c, i, j, at++));
        }
    }
    return rows;
}

/* The columns of the table of runs, the set's own metric first; returns how many. */
static size_t columns_of(const lp_comparison *c, lp_column ordered[MOST_COLUMNS]) {
    bool models = c->contestants[0].run != NULL;
    size_t count = models ? MODEL_COLUMNS : RUN_COLUMNS;
    count -= c->metric != LP_METRIC_MEAN_PER_CLASS;
    return lp_metric_columns(c->metric, c->marks != NULL, models ? model_columns : run_columns,
                             count, ordered);
}

/* Those of files, in one order for all metrics. */
static size_t file_columns(const lp_comparison *c, lp_column own[MOST_COLUMNS]) {
    return lp_metric_columns(LP_METRIC_ACCURACY, c->marks != NULL, model_columns, MODEL_COLUMNS - 1,
                             own);
}

/* What stands in the place of the pairs of several labels an image; else NULL. */
static const char *why_no_pairs(const lp_comparison *c) {
    return c->marks == NULL ? NULL
                            : "significance is not computed, because McNemar's test "
                              "compares right answers, and with several labels an image there is "
                              "only the ranking.";
}

/* Both tables as one JSON object. */
static json_t *both_json(const lp_comparison *c) {
    lp_row row = lp_row_new();
    lp_row_put(&row, "runs", run_rows(c));
    lp_row_put(&row, "pairs", pair_rows(c));
    lp_row_text(&row, "pairs_note", why_no_pairs(c));
    return lp_row_end(&row);
}

static lp_status print_pairs(const lp_comparison *c, FILE *out, lp_format format, lp_error *err) {
    json_t *pairs = pair_rows(c);
    lp_status status;
    LP_TRY(lp_allocated(pairs, "comparison", c->pair_count, 1, err));
    lp_table_print(out, format, pair_columns, PAIR_COLUMNS, pairs);
done:
    return status;
}

lp_status lp_comparison_print(const lp_comparison *c, FILE *out, lp_format format,
                              lp_comparison_table table, lp_error *err) {
    bool runs_first = c->contestants[0].run != NULL || c->marks != NULL;
    bool both = table == LP_COMPARISON_AUTO && format != LP_FORMAT_CSV;
    json_t *rows = NULL;
    lp_column ordered[MOST_COLUMNS];
    lp_status status;
    if (table == LP_COMPARISON_PAIRS && c->marks != NULL) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "--table pairs: %s", why_no_pairs(c));
    }
    if (table == LP_COMPARISON_PAIRS || (table == LP_COMPARISON_AUTO && !both && !runs_first)) {
        return print_pairs(c, out, format, err);
    }
    bool object = both && format == LP_FORMAT_JSON;
    rows = object ? both_json(c) : run_rows(c);
    LP_TRY(lp_allocated(rows, "comparison", c->added, 1, err));
    lp_table_print(out, format, ordered, columns_of(c, ordered), rows);
    if (both && !object) {
        (void)fputc('\n', out);
        if (c->marks == NULL) {
            return print_pairs(c, out, format, err);
        }
        (void)fprintf(out, "Differences: %s\n", why_no_pairs(c));
    }
done:
    return status;
}

/* ---- chart and page -------------------------------------------------------------------------- */

static lp_status make_chart(const lp_comparison *c, lp_chart_format format, lp_chart **chart,
                            lp_error *err) {
    char title[LP_DATA_TITLE + 48];
    lp_bar *bars = lp_alloc(c->added, sizeof *bars);
    lp_status status;
    *chart = NULL;
    LP_TRY(lp_allocated(bars, "chart", c->added, sizeof *bars, err));
    for (size_t i = 0; i < c->added; i++) {
        const lp_contestant *k = &c->contestants[i];
        lp_interval interval;
        double value = lp_contestant_value(c, k, &interval);
        bars[i] = (lp_bar){k->name, value, interval.low, interval.high, k->reported / 100};
    }
    const lp_metric_words *words = lp_metric_words_of(c->metric);
    (void)snprintf(title, sizeof title, "%s on %s", words->sentence, c->title);
    const lp_bars chart_of = {
        .title = title, .measure = words->axis, .bars = bars, .count = c->added, .format = format};
    LP_TRY(lp_bars_chart(&chart_of, chart, err));
done:
    lp_free(bars);
    return status;
}

lp_status lp_comparison_draw(const lp_comparison *c, const char *path, lp_error *err) {
    lp_chart *chart = NULL;
    lp_status status;
    LP_TRY(make_chart(c, LP_CHART_WIDE, &chart, err));
    LP_TRY(lp_chart_write(chart, path, err));
done:
    lp_chart_free(chart);
    return status;
}

/* compare.json but for its runs and pairs. */
static lp_row settings_row(const lp_comparison_report *r) {
    const lp_dataset_info *train = lp_dataset_describe(r->train);
    const lp_dataset_info *test = lp_dataset_describe(r->test);
    lp_row row = lp_row_new(), data = lp_row_new();
    lp_row_text(&data, "name", test->name);
    lp_row_text(&data, "labels", lp_label_kind_name(test->labels));
    lp_row_count(&data, "train_images", train->count);
    lp_row_count(&data, "test_images", test->count);
    lp_row_text(&data, "train_sha256", train->digest);
    lp_row_text(&data, "test_sha256", test->digest);
    lp_row_text(&row, "linprobe", lp_version());
    lp_row_text(&row, "command", r->command);
    lp_row_put(&row, "data", lp_row_end(&data));
    lp_row_flag(&row, "normalize", r->normalize);
    if (r->sweep) {
        bool own = lp_dataset_validation(r->train) != NULL;
        lp_row_text(&row, "C",
                    own ? "chosen by a sweep on the set's validation part"
                        : "chosen by a sweep on the training set");
    } else {
        lp_row_real(&row, "C", r->C);
    }
    return row;
}

static void add_differences(const lp_comparison *c, lp_html *page) {
    lp_html_heading(page, "Differences");
    if (c->marks != NULL) {
        lp_html_paragraph(page, why_no_pairs(c));
        return;
    }
    lp_html_paragraph(page,
                      "McNemar's exact test on each pair; significant: "
                      "below " LP_SIGNIFICANCE_TEXT " after Holm's correction over all pairs.");
    lp_html_table(page, "Every pair", pair_columns, PAIR_COLUMNS, pair_rows(c));
}

static lp_status write_page(const lp_comparison_report *r, const lp_chart *chart, const char *path,
                            lp_error *err) {
    char title[LP_DATA_TITLE + 16];
    lp_column ordered[MOST_COLUMNS];
    lp_chart *narrow = NULL;
    lp_html *page = NULL;
    lp_status status;
    (void)snprintf(title, sizeof title, "Backbones on %s", r->comparison->title);
    LP_TRY(lp_html_new(title, &page, err));
    lp_html_heading(page, "Result");
    lp_html_table(page, "Scores on the same test images; images a second as they were extracted",
                  ordered, columns_of(r->comparison, ordered), run_rows(r->comparison));
    LP_TRY(make_chart(r->comparison, LP_CHART_NARROW, &narrow, err));
    lp_html_chart(page, chart, narrow, "With the 95 % interval, where there is one.");
    add_differences(r->comparison, page);
    lp_row settings = settings_row(r);
    lp_html_heading(page, "How it was made");
    lp_html_settings(page, "Settings", lp_row_end(&settings));
    LP_TRY(lp_html_write(page, path, err));
done:
    lp_chart_free(narrow);
    lp_html_free(page);
    return status;
}

lp_status lp_comparison_write(const lp_comparison_report *r, const char *folder, lp_error *err) {
    const lp_comparison *c = r->comparison;
    char path[LP_PATH_ROOM];
    lp_column own[MOST_COLUMNS];
    lp_chart *chart = NULL;
    lp_status status;
    LP_TRY(lp_path_in(path, folder, "compare.csv", err));
    LP_TRY(lp_table_write(path, own, file_columns(c, own), run_rows(c), err));
    LP_TRY(lp_path_in(path, folder, "pairs.csv", err));
    LP_TRY(lp_table_write(path, pair_columns, PAIR_COLUMNS, pair_rows(c), err));
    LP_TRY(make_chart(c, LP_CHART_WIDE, &chart, err));
    LP_TRY(lp_path_in(path, folder, "compare.png", err));
    LP_TRY(lp_chart_write(chart, path, err));
    LP_TRY(lp_path_in(path, folder, "compare.svg", err));
    LP_TRY(lp_chart_write(chart, path, err));
    LP_TRY(lp_path_in(path, folder, "compare.html", err));
    LP_TRY(write_page(r, chart, path, err));
    LP_TRY(lp_path_in(path, folder, "compare.json", err));
    lp_row row = settings_row(r);
    lp_row_merge(&row, both_json(c));
    LP_TRY(lp_json_write(path, lp_row_end(&row), err));
done:
    lp_chart_free(chart);
    return status;
}
