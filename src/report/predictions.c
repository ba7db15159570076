/* Rows of predictions. */
#include "report/predictions.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json_row.h"
#include "base/note.h"
#include "base/npy.h"
#include "linprobe/stats.h"

const char *const lp_prediction_value_names[] = {"probabilities", "logits", NULL};

static const char *name_of(const lp_predictions *p, size_t k) {
    return k < p->named ? p->class_names[k] : "";
}

enum { KEY_ROOM = 40 };

/* "name_2" of the second likely class, whose rank is 1. */
static const char *key_of(char key[KEY_ROOM], const char *part, size_t rank) {
    (void)snprintf(key, KEY_ROOM, "%s_%zu", part, rank + 1);
    return key;
}

/* The largest values' classes in their order, of equal ones the lower class first. */
static void find_top(const double *values, size_t classes, size_t *top, size_t count) {
    for (size_t t = 0; t < count; t++) {
        size_t best = SIZE_MAX;
        for (size_t k = 0; k < classes; k++) {
            bool taken = false;
            for (size_t before = 0; before < t; before++) {
                taken = taken || top[before] == k;
            }
            best = !taken && (best == SIZE_MAX || values[k] > values[best]) ? k : best;
        }
        top[t] = best;
    }
}

/* ---- adding ---------------------------------------------------------------------------------- */

static lp_status keep_values(lp_predictions *p, const double *logits, lp_error *err) {
    size_t K = lp_probe_classes(p->probe);
    if (!p->keep_values) {
        return LP_OK;
    }
    if (p->count == p->room) {
        size_t room = p->room > 0 ? 2 * p->room : 64;
        double *array = lp_alloc(room, K * sizeof *array);
        if (array == NULL) {
            return lp_fail_memory(err, "array of predictions", room, K * sizeof *array);
        }
        if (p->count > 0) {
            memcpy(array, p->array, p->count * K * sizeof *array);
        }
        lp_free(p->array);
        p->array = array;
        p->room = room;
    }
    memcpy(p->array + p->count * K, p->values == LP_VALUES_LOGITS ? logits : p->scratch,
           K * sizeof *logits);
    return LP_OK;
}

static void put_objects(const lp_predictions *p, lp_row *row, const size_t *top) {
    json_t *list = json_array();
    for (size_t t = 0; t < p->top; t++) {
        lp_row item = lp_row_new();
        lp_row_count(&item, "prediction", top[t]);
        lp_row_text(&item, "name", name_of(p, top[t]));
        lp_row_real(&item, "probability", p->scratch[top[t]]);
        lp_rows_append(&list, lp_row_end(&item));
    }
    lp_row_put(row, "top", list);
}

static void put_columns(const lp_predictions *p, lp_row *row, const size_t *top) {
    char key[KEY_ROOM];
    for (size_t t = 1; t < p->top; t++) {
        lp_row_count(row, key_of(key, "prediction", t), top[t]);
        lp_row_text(row, key_of(key, "name", t), name_of(p, top[t]));
        lp_row_real(row, key_of(key, "probability", t), p->scratch[top[t]]);
    }
}

static void put_text(const lp_predictions *p, lp_row *row, const size_t *top) {
    char text[LP_TABLE_CELL] = "";
    lp_note note = {text, sizeof text, 0};
    for (size_t t = 0; t < p->top; t++) {
        if (top[t] < p->named) {
            lp_note_put(&note, "%s%s %.3f", t > 0 ? ", " : "", name_of(p, top[t]),
                        p->scratch[top[t]]);
        } else {
            lp_note_put(&note, "%s%zu: %.3f", t > 0 ? ", " : "", top[t], p->scratch[top[t]]);
        }
    }
    lp_row_text(row, "top", text);
}

lp_status lp_predictions_add(lp_predictions *p, const char *file, int64_t label,
                             const double *logits, lp_error *err) {
    size_t K = lp_probe_classes(p->probe), top[LP_TOP_MOST] = {0};
    lp_status status;
    if (p->scratch == NULL) {
        p->scratch = lp_alloc(K, sizeof *p->scratch);
        p->rows = json_array();
        p->top = p->top < K ? p->top : K;
        LP_TRY(lp_allocated(p->scratch, "predictions", K, sizeof *p->scratch, err));
    }
    memcpy(p->scratch, logits, K * sizeof *logits);
    lp_probabilities(p->scratch, K, lp_probe_probability(p->probe));
    find_top(logits, K, top, p->top > 0 ? p->top : 1);
    LP_TRY(keep_values(p, logits, err));
    lp_row row = lp_row_new();
    if (file != NULL) {
        lp_row_text(&row, "file", file);
    } else {
        lp_row_count(&row, "row", p->count);
    }
    lp_row_put(&row, "label", label >= 0 ? json_integer(label) : json_null());
    lp_row_count(&row, "prediction", top[0]);
    lp_row_text(&row, "name", name_of(p, top[0]));
    if (p->top > 0) {
        lp_row_real(&row, "probability", p->scratch[top[0]]);
        (p->format == LP_FORMAT_JSON  ? put_objects
         : p->format == LP_FORMAT_CSV ? put_columns
                                      : put_text)(p, &row, top);
    }
    lp_rows_append(&p->rows, lp_row_end(&row));
    status = lp_allocated(p->rows, "predictions", p->count + 1, 1, err);
    p->count++;
    p->labelled += label >= 0;
    p->correct += label >= 0 && (size_t)label == top[0];
done:
    return status;
}

/* ---- printing -------------------------------------------------------------------------------- */

enum { OWN_COLUMNS = 6, COLUMNS_MOST = OWN_COLUMNS + 3 * LP_TOP_MOST };

typedef struct prediction_columns {
    lp_column all[COLUMNS_MOST];
    char keys[3 * LP_TOP_MOST][KEY_ROOM];
    size_t count;
} prediction_columns;

static void list_columns(const lp_predictions *p, prediction_columns *c) {
    static const lp_column own[] = {
        {"label", "label", NULL}, {"prediction", "prediction", NULL}, {"name", "name", NULL}};
    static const char *const parts[] = {"prediction", "name", "probability"};
    size_t key = 0;
    c->count = 0;
    c->all[c->count++] =
        p->of_files ? (lp_column){"file", "file", NULL} : (lp_column){"row", "row", NULL};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        c->all[c->count++] = own[i];
    }
    if (p->top > 0) {
        c->all[c->count++] = (lp_column){"probability", "probability", "%.4f"};
    }
    if (p->top > 1 && p->format == LP_FORMAT_TEXT) {
        c->all[c->count++] = (lp_column){"top", "most likely", NULL};
    }
    for (size_t t = 1; t < p->top && p->format == LP_FORMAT_CSV; t++) {
        for (size_t i = 0; i < 3; i++, key++) {
            c->all[c->count++] = (lp_column){key_of(c->keys[key], parts[i], t), NULL, NULL};
        }
    }
}

static json_t *take_rows(lp_predictions *p) {
    json_t *rows = p->rows;
    p->rows = NULL;
    return rows;
}

void lp_predictions_print(lp_predictions *p, FILE *out) {
    prediction_columns columns;
    list_columns(p, &columns);
    lp_table_print(out, p->format, columns.all, columns.count, take_rows(p));
}

lp_status lp_predictions_write(lp_predictions *p, const char *path, lp_error *err) {
    prediction_columns columns;
    list_columns(p, &columns);
    return p->format == LP_FORMAT_JSON
               ? lp_json_write(path, take_rows(p), err)
               : lp_table_write(path, columns.all, columns.count, take_rows(p), err);
}

lp_status lp_predictions_write_array(const lp_predictions *p, const char *path, lp_error *err) {
    char header[LP_NPY_HEADER];
    lp_writer *writer = NULL;
    size_t K = lp_probe_classes(p->probe);
    lp_status status;
    lp_npy_header(header, "<f8", p->count, K);
    LP_TRY(lp_writer_open(path, &writer, err));
    LP_TRY(lp_writer_put(writer, header, sizeof header, err));
    LP_TRY(lp_writer_put(writer, p->array, p->count * K * sizeof *p->array, err));
    status = lp_writer_commit(writer, err);
    writer = NULL;
done:
    lp_writer_abort(writer);
    return status;
}

void lp_predictions_clear(lp_predictions *p) {
    json_decref(p->rows);
    lp_free(p->array);
    lp_free(p->scratch);
    p->rows = NULL;
    p->array = p->scratch = NULL;
}
