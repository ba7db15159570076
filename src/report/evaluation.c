/* An evaluation as JSON.
 *
 *     probe, test set -> metrics, counts per class, predictions -> confusion [K, K]
 *       -> rows (summary, classes, confusion, confused, calibration, superclasses) -> document
 *
 * Superclasses come from the test set's meta.json: data.superclass_of, K numbers below the length
 * of data.superclass_names. */
#include "report/evaluation.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* Takes over the superclasses where the test set has them, all K and each in range. */
static lp_status read_groups(lp_evaluation *e, lp_error *err) {
    json_error_t reason;
    json_t *meta = json_loads(e->test->meta, 0, &reason);
    const json_t *data = json_object_get(meta, "data");
    const json_t *of = json_object_get(data, "superclass_of");
    json_t *names = json_object_get(data, "superclass_names");
    size_t groups = json_array_size(names);
    bool good = json_array_size(of) == e->classes && groups > 0;
    if (good) {
        e->group_of = lp_alloc(e->classes, sizeof *e->group_of);
        if (e->group_of == NULL) {
            json_decref(meta);
            return lp_fail_memory(err, "superclasses", e->classes, sizeof *e->group_of);
        }
        for (size_t k = 0; good && k < e->classes; k++) {
            const json_t *group = json_array_get(of, k);
            json_int_t value = json_integer_value(group);
            good = json_is_integer(group) && value >= 0 && (size_t)value < groups;
            e->group_of[k] = good ? (size_t)value : 0;
        }
    }
    if (good) {
        e->groups = groups;
        e->group_names = json_incref(names);
    }
    json_decref(meta);
    return LP_OK;
}

lp_status lp_evaluation_run(const lp_probe *probe, const lp_features *test,
                            lp_probability probability, size_t threads, lp_evaluation *e,
                            lp_error *err) {
    size_t K = lp_probe_classes(probe);
    lp_examples examples = {test->count, test->width, K, test->x, test->labels};
    memset(e, 0, sizeof *e);
    e->test = test;
    e->classes = K;
    e->probability = probability;
    e->correct_of = lp_alloc(K, sizeof *e->correct_of);
    e->count_of = lp_alloc(K, sizeof *e->count_of);
    e->predicted = lp_alloc(test->count, sizeof *e->predicted);
    e->confidence = lp_alloc(test->count, sizeof *e->confidence);
    e->confusion = lp_alloc(K, K * sizeof *e->confusion);
    lp_status status;
    if (e->correct_of == NULL || e->count_of == NULL || e->predicted == NULL ||
        e->confidence == NULL || e->confusion == NULL) {
        status = lp_fail_memory(err, "confusion matrix", K, K * sizeof *e->confusion);
    } else {
        lp_evaluation_outputs outputs = {e->correct_of, e->count_of, e->predicted, e->confidence};
        status =
            lp_probe_evaluate(probe, &examples, probability, threads, &e->metrics, &outputs, err);
    }
    if (status == LP_OK) {
        lp_confusion_count(test->labels, e->predicted, test->count, K, e->confusion);
        status = read_groups(e, err);
    }
    if (status != LP_OK) {
        lp_evaluation_free(e);
    }
    return status;
}

void lp_evaluation_free(lp_evaluation *e) {
    lp_free(e->correct_of);
    lp_free(e->count_of);
    lp_free(e->predicted);
    lp_free(e->confidence);
    lp_free(e->confusion);
    lp_free(e->group_of);
    json_decref(e->group_names);
    memset(e, 0, sizeof *e);
}

static const char *name_of(const lp_evaluation *e, size_t k) {
    return e->test->class_names != NULL && k < e->test->classes ? e->test->class_names[k] : "";
}

const char **lp_evaluation_names(const lp_evaluation *e) {
    enum { NUMBER = 24 };
    const char **names = lp_alloc(e->classes, sizeof *names + NUMBER);
    for (size_t k = 0; names != NULL && k < e->classes; k++) {
        char *number = (char *)(names + e->classes) + k * NUMBER;
        (void)snprintf(number, NUMBER, "%zu", k);
        names[k] = name_of(e, k)[0] != '\0' ? name_of(e, k) : number;
    }
    return names;
}

json_t *lp_evaluation_summary(const lp_evaluation *e) {
    const lp_metrics *m = &e->metrics;
    return json_pack(
        "[{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s, s:f, s:f, s:f, s:f}]",
        "images", (json_int_t)m->score.count, "correct", (json_int_t)m->score.correct, "top1",
        100 * m->score.top1, "top1_low", 100 * m->score.top1_interval.low, "top1_high",
        100 * m->score.top1_interval.high, "top5", 100 * m->score.top5, "top5_low",
        100 * m->score.top5_interval.low, "top5_high", 100 * m->score.top5_interval.high,
        "mean_per_class", 100 * m->score.mean_per_class, "mean_per_class_low",
        100 * m->score.mean_per_class_interval.low, "mean_per_class_high",
        100 * m->score.mean_per_class_interval.high, "probabilities",
        e->probability == LP_PROBABILITY_OVR ? "ovr" : "softmax", "calibration_error",
        100 * m->calibration_error, "log_loss", m->log_loss, "log_loss_low",
        m->log_loss_interval.low, "log_loss_high", m->log_loss_interval.high);
}

/* Adds accuracy, low and high; without them where there is nothing to divide by. */
static json_t *with_accuracy(json_t *row, size_t correct, size_t count) {
    if (row != NULL && count > 0) {
        lp_interval interval = lp_wilson(correct, count);
        (void)json_object_set_new(row, "accuracy",
                                  json_real(100 * (double)correct / (double)count));
        (void)json_object_set_new(row, "low", json_real(100 * interval.low));
        (void)json_object_set_new(row, "high", json_real(100 * interval.high));
    }
    return row;
}

json_t *lp_evaluation_classes(const lp_evaluation *e) {
    size_t K = e->classes;
    json_t *rows = json_array();
    for (size_t k = 0; k < K; k++) {
        size_t predicted = 0;
        for (size_t i = 0; i < K; i++) {
            predicted += e->confusion[i * K + k];
        }
        json_t *row = json_pack("{s:I, s:s, s:I, s:I}", "class", (json_int_t)k, "name",
                                name_of(e, k), "images", (json_int_t)e->count_of[k], "correct",
                                (json_int_t)e->correct_of[k]);
        (void)with_accuracy(row, e->correct_of[k], e->count_of[k]);
        (void)json_object_set_new(row, "predicted", json_integer((json_int_t)predicted));
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *cell_row(const lp_evaluation *e, size_t label, size_t predicted) {
    size_t count = e->confusion[label * e->classes + predicted];
    return json_pack("{s:I, s:s, s:I, s:s, s:I, s:f}", "label", (json_int_t)label, "name",
                     name_of(e, label), "predicted", (json_int_t)predicted, "predicted_name",
                     name_of(e, predicted), "count", (json_int_t)count, "share",
                     100 * (double)count / (double)e->count_of[label]);
}

json_t *lp_evaluation_confusion(const lp_evaluation *e) {
    json_t *rows = json_array();
    for (size_t i = 0; i < e->classes; i++) {
        for (size_t j = 0; j < e->classes; j++) {
            if (e->confusion[i * e->classes + j] > 0) {
                (void)json_array_append_new(rows, cell_row(e, i, j));
            }
        }
    }
    return rows;
}

json_t *lp_evaluation_confused(const lp_evaluation *e, size_t most) {
    lp_confused *pairs = lp_alloc(most, sizeof *pairs);
    if (pairs == NULL) {
        return NULL;
    }
    json_t *rows = json_array();
    size_t found = lp_confusion_pairs(e->confusion, e->classes, pairs, most);
    for (size_t i = 0; i < found; i++) {
        json_t *row = cell_row(e, pairs[i].label, pairs[i].predicted);
        (void)json_object_set_new(row, "low", json_real(100 * pairs[i].interval.low));
        (void)json_object_set_new(row, "high", json_real(100 * pairs[i].interval.high));
        (void)json_array_append_new(rows, row);
    }
    lp_free(pairs);
    return rows;
}

json_t *lp_evaluation_calibration(const lp_evaluation *e) {
    json_t *rows = json_array();
    for (size_t i = 0; i < LP_CALIBRATION_BINS; i++) {
        const lp_calibration_bin *bin = &e->metrics.bins[i];
        json_t *row =
            json_pack("{s:f, s:f, s:I, s:I}", "from", 100 * (double)i / LP_CALIBRATION_BINS, "to",
                      100 * (double)(i + 1) / LP_CALIBRATION_BINS, "images", (json_int_t)bin->count,
                      "correct", (json_int_t)bin->correct);
        if (bin->count > 0) {
            (void)with_accuracy(row, bin->correct, bin->count);
            (void)json_object_set_new(row, "confidence", json_real(100 * bin->confidence));
        }
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

/* [n, n] counts as a list of lists. */
static json_t *matrix_json(const size_t *matrix, size_t n) {
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *row = json_array();
        for (size_t j = 0; j < n; j++) {
            (void)json_array_append_new(row, json_integer((json_int_t)matrix[i * n + j]));
        }
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

/* The confusion between superclasses [G, G], or NULL. */
static size_t *group_matrix(const lp_evaluation *e) {
    size_t *grouped = lp_alloc(e->groups, e->groups * sizeof *grouped);
    if (grouped != NULL) {
        lp_confusion_group(e->confusion, e->classes, e->group_of, e->groups, grouped);
    }
    return grouped;
}

json_t *lp_evaluation_superclasses(const lp_evaluation *e) {
    size_t G = e->groups;
    size_t *grouped = group_matrix(e);
    if (grouped == NULL) {
        return NULL;
    }
    json_t *rows = json_array();
    for (size_t g = 0; g < G; g++) {
        size_t count = 0;
        for (size_t j = 0; j < G; j++) {
            count += grouped[g * G + j];
        }
        size_t correct = grouped[g * G + g];
        const char *name = json_string_value(json_array_get(e->group_names, g));
        json_t *row = json_pack("{s:I, s:s, s:I, s:I}", "superclass", (json_int_t)g, "name",
                                name != NULL ? name : "", "images", (json_int_t)count, "correct",
                                (json_int_t)correct);
        (void)json_array_append_new(rows, with_accuracy(row, correct, count));
    }
    lp_free(grouped);
    return rows;
}

/* ---- tables ---- */

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

json_t *lp_evaluation_rows(const lp_evaluation *e, lp_evaluation_table table) {
    switch (table) {
    case LP_TABLE_SUMMARY:
        return lp_evaluation_summary(e);
    case LP_TABLE_CLASSES:
        return lp_evaluation_classes(e);
    case LP_TABLE_CONFUSED:
        return lp_evaluation_confused(e, LP_MOST_CONFUSED);
    case LP_TABLE_CONFUSION:
        return lp_evaluation_confusion(e);
    case LP_TABLE_CALIBRATION:
        return lp_evaluation_calibration(e);
    case LP_TABLE_SUPERCLASSES:
        return lp_evaluation_superclasses(e);
    }
    return NULL;
}

const lp_column *lp_evaluation_columns(lp_evaluation_table table, size_t *count) {
    static const struct {
        const lp_column *columns;
        size_t count;
    } tables[] = {
        [LP_TABLE_SUMMARY] = {summary_columns, sizeof summary_columns / sizeof(lp_column)},
        [LP_TABLE_CLASSES] = {class_columns, sizeof class_columns / sizeof(lp_column)},
        [LP_TABLE_CONFUSED] = {confusion_columns, sizeof confusion_columns / sizeof(lp_column)},
        [LP_TABLE_CONFUSION] = {confusion_columns, 6}, /* a cell has no interval */
        [LP_TABLE_CALIBRATION] = {calibration_columns,
                                  sizeof calibration_columns / sizeof(lp_column)},
        [LP_TABLE_SUPERCLASSES] = {superclass_columns,
                                   sizeof superclass_columns / sizeof(lp_column)},
    };
    *count = tables[table].count;
    return tables[table].columns;
}

/* ---- document ---- */

json_t *lp_evaluation_document(const lp_evaluation *e) {
    json_t *superclasses = json_null();
    if (e->groups > 0) {
        size_t *grouped = group_matrix(e);
        superclasses = grouped != NULL ? json_pack("{s:O, s:o, s:o}", "names", e->group_names,
                                                   "rows", lp_evaluation_superclasses(e),
                                                   "confusion", matrix_json(grouped, e->groups))
                                       : NULL;
        lp_free(grouped);
    }
    json_t *summary = lp_evaluation_summary(e);
    json_t *document =
        json_pack("{s:O, s:o, s:o, s:o, s:o, s:o}", "summary", json_array_get(summary, 0),
                  "classes", lp_evaluation_classes(e), "calibration", lp_evaluation_calibration(e),
                  "confused", lp_evaluation_confused(e, 100), "confusion",
                  matrix_json(e->confusion, e->classes), "superclasses", superclasses);
    json_decref(summary);
    return document;
}
