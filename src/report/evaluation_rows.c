/* An evaluation as JSON: rows of its tables, and the document of all of them. */
#include "report/evaluation_rows.h"

#include <math.h>

#include "base/alloc.h"
#include "base/json_row.h"
#include "probe/training.h"

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

double lp_percent(size_t part, size_t whole) {
    return 100 * (double)part / (double)whole;
}

void lp_row_interval(lp_row *row, const char *prefix, lp_interval interval, double scale) {
    char key[40];
    (void)snprintf(key, sizeof key, "%slow", prefix);
    lp_row_real(row, key, scale * interval.low);
    (void)snprintf(key, sizeof key, "%shigh", prefix);
    lp_row_real(row, key, scale * interval.high);
}

void lp_row_trained(lp_row *row, const lp_trained_rows *rows) {
    if (rows->known) {
        lp_row_count(row, rows->at_least ? "shared_rows_at_least" : "shared_rows", rows->count);
    }
}

void lp_row_ranking(lp_row *row, const lp_ranking *ranking) {
    if (isfinite(ranking->roc_auc)) {
        lp_row_real(row, "roc_auc", 100 * ranking->roc_auc);
        lp_row_real(row, "map_11", 100 * ranking->map_11);
    }
}

/* The intervals of top-5 and of the mean per class stand only in `all`. */
static void put_score(lp_row *row, const lp_score *s, bool all) {
    lp_row_count(row, "images", s->count);
    lp_row_count(row, "correct", s->correct);
    lp_row_real(row, "top1", lp_percent(s->correct, s->count));
    lp_row_interval(row, "top1_", s->top1_interval, 100);
    lp_row_real(row, "top5", lp_percent(s->correct_top5, s->count));
    if (all) {
        lp_row_interval(row, "top5_", s->top5_interval, 100);
    }
    lp_row_real(row, "mean_per_class", 100 * s->mean_per_class);
    if (all) {
        lp_row_interval(row, "mean_per_class_", s->mean_per_class_interval, 100);
    }
}

json_t *lp_score_json(const lp_score *s) {
    lp_row row = lp_row_new();
    put_score(&row, s, false);
    return lp_row_end(&row);
}

static json_t *summary_rows(const lp_evaluation *e) {
    const lp_metrics *m = &e->metrics;
    lp_row row = lp_row_new();
    put_score(&row, &m->score, true);
    lp_row_text(&row, "probabilities", e->probability == LP_PROBABILITY_OVR ? "ovr" : "softmax");
    lp_row_real(&row, "calibration_error", 100 * m->calibration_error);
    lp_row_real(&row, "log_loss", m->log_loss);
    lp_row_interval(&row, "log_loss_", m->log_loss_interval, 1);
    lp_row_ranking(&row, &e->ranking);
    lp_row_trained(&row, &e->trained_rows);
    return lp_row_end_alone(&row);
}

/* Adds accuracy, low and high; without them where there is nothing to divide by. */
static void put_accuracy(lp_row *row, size_t correct, size_t count) {
    if (count > 0) {
        lp_row_real(row, "accuracy", lp_percent(correct, count));
        lp_row_interval(row, "", lp_wilson(correct, count), 100);
    }
}

/* One row a class, or where `groups` a superclass, of their confusion [n, n]. */
static json_t *truth_rows(const lp_evaluation *e, const size_t *confusion, size_t n, bool groups) {
    json_t *rows = json_array();
    for (size_t k = 0; k < n; k++) {
        size_t count = 0, predicted = 0, correct = confusion[k * n + k];
        for (size_t i = 0; i < n; i++) {
            count += confusion[k * n + i];
            predicted += confusion[i * n + k];
        }
        lp_row row = lp_row_new();
        lp_row_count(&row, groups ? "superclass" : "class", k);
        lp_row_text(&row, "name", groups ? e->group_names[k] : name_of(e, k));
        lp_row_count(&row, "images", count);
        lp_row_count(&row, "correct", correct);
        put_accuracy(&row, correct, count);
        if (!groups) {
            lp_row_count(&row, "predicted", predicted);
        }
        lp_rows_append(&rows, lp_row_end(&row));
    }
    return rows;
}

static json_t *class_rows(const lp_evaluation *e) {
    return truth_rows(e, e->confusion, e->classes, false);
}

static lp_row cell_row(const lp_evaluation *e, size_t label, size_t predicted) {
    size_t count = e->confusion[label * e->classes + predicted];
    lp_row row = lp_row_new();
    lp_row_count(&row, "label", label);
    lp_row_text(&row, "name", name_of(e, label));
    lp_row_count(&row, "predicted", predicted);
    lp_row_text(&row, "predicted_name", name_of(e, predicted));
    lp_row_count(&row, "count", count);
    lp_row_real(&row, "share", lp_percent(count, e->count_of[label]));
    return row;
}

static json_t *confusion_rows(const lp_evaluation *e) {
    json_t *rows = json_array();
    for (size_t i = 0; i < e->classes; i++) {
        for (size_t j = 0; j < e->classes; j++) {
            if (e->confusion[i * e->classes + j] > 0) {
                lp_row row = cell_row(e, i, j);
                lp_rows_append(&rows, lp_row_end(&row));
            }
        }
    }
    return rows;
}

static json_t *confused_rows(const lp_evaluation *e, size_t most) {
    lp_confused *pairs = lp_alloc(most, sizeof *pairs);
    if (pairs == NULL) {
        return NULL;
    }
    json_t *rows = json_array();
    size_t found = lp_confusion_pairs(e->confusion, e->classes, pairs, most);
    for (size_t i = 0; i < found; i++) {
        lp_row row = cell_row(e, pairs[i].label, pairs[i].predicted);
        lp_row_interval(&row, "", pairs[i].interval, 100);
        lp_rows_append(&rows, lp_row_end(&row));
    }
    lp_free(pairs);
    return rows;
}

static json_t *most_confused_rows(const lp_evaluation *e) {
    return confused_rows(e, LP_MOST_CONFUSED);
}

static json_t *calibration_rows(const lp_evaluation *e) {
    json_t *rows = json_array();
    for (size_t i = 0; i < LP_CALIBRATION_BINS; i++) {
        const lp_calibration_bin *bin = &e->metrics.bins[i];
        lp_row row = lp_row_new();
        lp_row_real(&row, "from", lp_percent(i, LP_CALIBRATION_BINS));
        lp_row_real(&row, "to", lp_percent(i + 1, LP_CALIBRATION_BINS));
        lp_row_count(&row, "images", bin->count);
        lp_row_count(&row, "correct", bin->correct);
        if (bin->count > 0) {
            put_accuracy(&row, bin->correct, bin->count);
            lp_row_real(&row, "confidence", 100 * bin->confidence);
        }
        lp_rows_append(&rows, lp_row_end(&row));
    }
    return rows;
}

/* [n, n] counts as a list of lists. */
static json_t *matrix_json(const size_t *matrix, size_t n) {
    json_t *rows = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *row = json_array();
        for (size_t j = 0; j < n; j++) {
            lp_rows_append(&row, json_integer((json_int_t)matrix[i * n + j]));
        }
        lp_rows_append(&rows, row);
    }
    return rows;
}

size_t *lp_evaluation_groups(const lp_evaluation *e) {
    size_t *grouped = lp_alloc(e->groups, e->groups * sizeof *grouped);
    if (grouped != NULL) {
        lp_confusion_group(e->confusion, e->classes, e->group_of, e->groups, grouped);
    }
    return grouped;
}

static json_t *superclass_rows(const lp_evaluation *e) {
    size_t *grouped = lp_evaluation_groups(e);
    json_t *rows = grouped != NULL ? truth_rows(e, grouped, e->groups, true) : NULL;
    lp_free(grouped);
    return rows;
}

/* ---- tables ---- */

const lp_column lp_score_columns[] = {
    {"images", "images", NULL},
    {"correct", "correct", NULL},
    {"top1", "top-1 %", "%.3f"},
    {"top1_low", "95 % from", "%.2f"},
    {"top1_high", "to", "%.2f"},
    {"top5", "top-5 %", "%.3f"},
    {"mean_per_class", "mean per class %", "%.3f"},
    {"calibration_error", "ECE %", "%.2f"},
    {"log_loss", "log loss", "%.4f"},
    {"roc_auc", "ROC AUC %", "%.3f"},
    {"map_11", "mAP-11 %", "%.3f"},
};
enum { SUMMARY_COLUMNS = sizeof lp_score_columns / sizeof(lp_column) };
/* Without those of probabilities. */
const size_t lp_score_column_count = SUMMARY_COLUMNS - 4;
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

#define COLUMNS(table) table, sizeof(table) / sizeof(lp_column)
static const struct {
    json_t *(*rows)(const lp_evaluation *);
    const lp_column *columns;
    size_t count;
} tables[] = {
    [LP_TABLE_SUMMARY] = {summary_rows, lp_score_columns, SUMMARY_COLUMNS},
    [LP_TABLE_CLASSES] = {class_rows, COLUMNS(class_columns)},
    [LP_TABLE_CONFUSED] = {most_confused_rows, COLUMNS(confusion_columns)},
    [LP_TABLE_CONFUSION] = {confusion_rows, confusion_columns, 6}, /* a cell has no interval */
    [LP_TABLE_CALIBRATION] = {calibration_rows, COLUMNS(calibration_columns)},
    [LP_TABLE_SUPERCLASSES] = {superclass_rows, COLUMNS(superclass_columns)},
};
#undef COLUMNS

json_t *lp_evaluation_rows(const lp_evaluation *e, lp_evaluation_table table) {
    return tables[table].rows(e);
}

const lp_column *lp_evaluation_columns(lp_evaluation_table table, size_t *count) {
    *count = tables[table].count;
    return tables[table].columns;
}

/* ---- document ---- */

static json_t *superclasses_json(const lp_evaluation *e) {
    if (e->groups == 0) {
        return json_null();
    }
    size_t *grouped = lp_evaluation_groups(e);
    json_t *names = json_array();
    for (size_t g = 0; g < e->groups; g++) {
        lp_rows_append(&names, lp_json_any_text(e->group_names[g]));
    }
    lp_row row = lp_row_new();
    lp_row_put(&row, "names", names);
    lp_row_put(&row, "rows", superclass_rows(e));
    lp_row_put(&row, "confusion", grouped != NULL ? matrix_json(grouped, e->groups) : NULL);
    lp_free(grouped);
    return lp_row_end(&row);
}

json_t *lp_evaluation_document(const lp_evaluation *e) {
    json_t *summary = summary_rows(e);
    lp_row row = lp_row_new();
    lp_row_put(&row, "summary", json_incref(json_array_get(summary, 0)));
    lp_row_put(&row, "classes", class_rows(e));
    lp_row_put(&row, "calibration", calibration_rows(e));
    lp_row_put(&row, "confused", confused_rows(e, 100));
    lp_row_put(&row, "confusion", matrix_json(e->confusion, e->classes));
    lp_row_put(&row, "superclasses", superclasses_json(e));
    json_decref(summary);
    return lp_row_end(&row);
}

lp_status lp_evaluation_write(const lp_evaluation *e, const lp_probe *probe, const char *command,
                              const char *path, lp_error *err) {
    const lp_training *training = lp_probe_training(probe);
    lp_row row = lp_row_new(), test = lp_row_new();
    lp_row_text(&test, "path", e->test->path);
    lp_row_text(&test, "sha256", e->test->digest);
    lp_row_text(&row, "format", "linprobe evaluation");
    lp_row_text(&row, "linprobe", lp_version());
    lp_row_text(&row, "command", command);
    lp_row_put(&row, "probe",
               training != NULL ? lp_training_json(training, LP_DETAIL_ALL) : json_object());
    lp_row_put(&row, "test", lp_row_end(&test));
    lp_row_merge(&row, lp_evaluation_document(e));
    return lp_json_write(path, lp_row_end(&row), err);
}
