/* Comparing probes:
 *
 *     predictions [runs, N] -> accuracy of each run
 *                           -> every pair: difference, McNemar's test, Holm's correction */
#include "cli/comparison.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "feat/npy.h"
#include "report/bars.h"
#include "report/published.h"

const char *const comparison_table_names[] = {"auto", "runs", "pairs", NULL};

const lp_column comparison_pair_columns[] = {
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
const size_t comparison_pair_column_count =
    sizeof comparison_pair_columns / sizeof comparison_pair_columns[0];

lp_status comparison_init(comparison *c, size_t runs, lp_error *err) {
    memset(c, 0, sizeof *c);
    c->runs = runs;
    c->names = lp_alloc_zeroed(runs, sizeof *c->names);
    c->predicted = lp_alloc_zeroed(runs, sizeof *c->predicted);
    c->run_rows = json_array();
    c->pair_rows = json_array();
    return c->names != NULL && c->predicted != NULL && c->run_rows != NULL && c->pair_rows != NULL
               ? LP_OK
               : lp_fail_memory(err, "comparison", runs, sizeof *c->predicted);
}

void comparison_clear(comparison *c) {
    for (size_t i = 0; c->predicted != NULL && i < c->runs; i++) {
        lp_free(c->predicted[i]);
    }
    lp_free(c->predicted);
    lp_free(c->names);
    lp_free(c->labels);
    json_decref(c->run_rows);
    json_decref(c->pair_rows);
}

/* What others reported for a run's inputs, in percent; NaN where nothing is known. */
static double reported(const lp_probe *probe, const lp_features *test) {
    json_error_t reason;
    json_t *trained = json_loads(lp_probe_meta(probe), 0, &reason);
    json_t *tested = json_loads(test->meta, 0, &reason);
    const lp_published *p = lp_published_of(json_object_get(trained, "train"), tested);
    json_decref(trained);
    json_decref(tested);
    return p != NULL ? p->accuracy : NAN;
}

/* The first run's labels are kept; a later run must have the same. */
static lp_status check_labels(comparison *c, const lp_features *test, lp_error *err) {
    if (c->added == 0) {
        c->count = test->count;
        c->labels = lp_alloc(test->count, sizeof *c->labels);
        if (c->labels == NULL) {
            return lp_fail_memory(err, test->path, test->count, sizeof *c->labels);
        }
        memcpy(c->labels, test->labels, test->count * sizeof *c->labels);
        return LP_OK;
    }
    if (test->count != c->count) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: %zu examples, but %s has %zu: a comparison needs the same ones",
                       test->path, test->count, c->names[0], c->count);
    }
    for (size_t i = 0; i < c->count; i++) {
        if (test->labels[i] != c->labels[i]) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "%s: row %zu has label %lld, but in %s it is %lld: a comparison needs "
                           "the same examples in the same order",
                           test->path, i, (long long)test->labels[i], c->names[0],
                           (long long)c->labels[i]);
        }
    }
    return LP_OK;
}

static lp_status read_predictions(const char *path, size_t count, int64_t *predicted,
                                  lp_error *err) {
    lp_map map;
    lp_npy npy;
    lp_status status = lp_map_open(path, &map, err);
    if (status != LP_OK) {
        return status;
    }
    status = lp_npy_parse(path, map.data, map.size, &npy, err);
    if (status == LP_OK) {
        status = lp_npy_labels(path, map.data, &npy, count, LP_NPY_MAX_LABELS, predicted, err);
    }
    lp_map_close(&map);
    return status;
}

lp_status comparison_add(comparison *c, const char *name, const lp_probe *probe,
                         const char *predictions, const lp_features *test, size_t threads,
                         json_t **row, lp_error *err) {
    size_t correct = 0;
    int64_t **predicted = &c->predicted[c->added];
    lp_status status = check_labels(c, test, err);
    if (status == LP_OK) {
        *predicted = lp_alloc(test->count, sizeof **predicted);
        status = *predicted == NULL
                     ? lp_fail_memory(err, test->path, test->count, sizeof **predicted)
                 : probe == NULL
                     ? read_predictions(predictions, test->count, *predicted, err)
                     : lp_probe_predict(probe, test->x, test->count, *predicted, threads, err);
    }
    if (status != LP_OK) {
        return status;
    }
    for (size_t i = 0; i < c->count; i++) {
        correct += (*predicted)[i] == c->labels[i];
    }
    lp_interval interval = lp_wilson(correct, c->count);
    *row = json_pack("{s:o, s:I, s:I, s:f, s:f, s:f}", "run", lp_json_any_text(name), "images",
                     (json_int_t)c->count, "correct", (json_int_t)correct, "top1",
                     100 * (double)correct / (double)c->count, "top1_low", 100 * interval.low,
                     "top1_high", 100 * interval.high);
    double known = probe != NULL ? reported(probe, test) : NAN;
    if (isfinite(known)) {
        (void)json_object_set_new(*row, "reported", json_real(known));
    }
    if (json_array_append_new(c->run_rows, *row) != 0) {
        return lp_fail_memory(err, "comparison", 1, 1);
    }
    c->names[c->added++] = name;
    return LP_OK;
}

lp_status comparison_pairs(comparison *c, lp_error *err) {
    size_t pairs = c->runs * (c->runs - 1) / 2;
    double *p = lp_alloc(pairs, 2 * sizeof *p);
    if (p == NULL) {
        return lp_fail_memory(err, "pairs", pairs, 2 * sizeof *p);
    }
    double *adjusted = p + pairs;
    size_t at = 0;
    for (size_t i = 0; i < c->runs; i++) {
        for (size_t j = i + 1; j < c->runs; j++) {
            lp_paired pair;
            lp_compare(c->labels, c->predicted[i], c->predicted[j], c->count, &pair);
            p[at++] = pair.p;
            json_t *row = json_pack(
                "{s:o, s:o, s:f, s:f, s:f, s:I, s:I, s:I, s:I, s:f}", "first",
                lp_json_any_text(c->names[i]), "second", lp_json_any_text(c->names[j]),
                "difference", 100 * pair.difference, "low", 100 * pair.interval.low, "high",
                100 * pair.interval.high, "both", (json_int_t)pair.both, "first_only",
                (json_int_t)pair.first_only, "second_only", (json_int_t)pair.second_only, "neither",
                (json_int_t)(pair.count - pair.both - pair.first_only - pair.second_only), "p",
                pair.p);
            (void)json_array_append_new(c->pair_rows, row);
        }
    }
    lp_status status = lp_holm(p, pairs, adjusted, err);
    for (size_t i = 0; status == LP_OK && i < pairs; i++) {
        json_t *row = json_array_get(c->pair_rows, i);
        (void)json_object_set_new(row, "p_holm", json_real(adjusted[i]));
        (void)json_object_set_new(row, "significant", json_boolean(adjusted[i] < COMPARISON_LEVEL));
    }
    lp_free(p);
    return status;
}

lp_status comparison_chart(const comparison *c, lp_chart **chart, lp_error *err) {
    char title[96];
    *chart = NULL;
    lp_bar *bars = lp_alloc(c->runs, sizeof *bars);
    if (bars == NULL) {
        return lp_fail_memory(err, "chart", c->runs, sizeof *bars);
    }
    for (size_t i = 0; i < c->runs; i++) {
        const json_t *row = json_array_get(c->run_rows, i);
        bars[i] = (lp_bar){c->names[i], lp_json_number(row, "top1", NAN) / 100,
                           lp_json_number(row, "top1_low", NAN) / 100,
                           lp_json_number(row, "top1_high", NAN) / 100,
                           lp_json_number(row, "reported", NAN) / 100};
    }
    (void)snprintf(title, sizeof title, "Accuracy on the same %zu test images", c->count);
    const lp_bars chart_of = {
        .title = title, .measure = "Top-1 accuracy", .bars = bars, .count = c->runs};
    lp_status status = lp_bars_chart(&chart_of, chart, err);
    lp_free(bars);
    return status;
}

void comparison_print(const comparison *c, lp_format format, comparison_table table,
                      comparison_table in_csv, const lp_column *run_columns,
                      size_t run_column_count) {
    if (format == LP_FORMAT_CSV && table == COMPARISON_AUTO) {
        table = in_csv;
    }
    bool both = table == COMPARISON_AUTO;
    if (format == LP_FORMAT_JSON && both) {
        json_t *tables = json_pack("{s:O, s:O}", "runs", c->run_rows, "pairs", c->pair_rows);
        lp_table_print(stdout, format, NULL, 0, tables);
        json_decref(tables);
        return;
    }
    if (both || table == COMPARISON_RUNS) {
        lp_table_print(stdout, format, run_columns, run_column_count, c->run_rows);
    }
    if (both) {
        (void)fputc('\n', stdout);
    }
    if (both || table == COMPARISON_PAIRS) {
        lp_table_print(stdout, format, comparison_pair_columns, comparison_pair_column_count,
                       c->pair_rows);
    }
}
