/* Building JSON objects. */
#include "base/json_row.h"

#include <math.h>

lp_row lp_row_new(void) {
    return lp_row_of(json_object());
}

lp_row lp_row_of(json_t *object) {
    return (lp_row){.object = object, .failed = object == NULL};
}

void lp_row_put(lp_row *row, const char *key, json_t *value) {
    if (json_object_set_new(row->object, key, value) != 0) {
        row->failed = true;
    }
}

void lp_row_text(lp_row *row, const char *key, const char *text) {
    lp_row_put(row, key, lp_json_any_text(text));
}

void lp_row_count(lp_row *row, const char *key, uint64_t count) {
    lp_row_put(row, key, json_integer((json_int_t)count));
}

void lp_row_real(lp_row *row, const char *key, double value) {
    if (isfinite(value)) {
        lp_row_put(row, key, json_real(value));
    }
}

void lp_row_flag(lp_row *row, const char *key, bool flag) {
    lp_row_put(row, key, json_boolean(flag));
}

void lp_row_merge(lp_row *row, json_t *object) {
    if (json_object_update(row->object, object) != 0) {
        row->failed = true;
    }
    json_decref(object);
}

json_t *lp_row_end(lp_row *row) {
    json_t *object = row->object;
    if (row->failed) {
        json_decref(object);
        object = NULL;
    }
    row->object = NULL;
    return object;
}

json_t *lp_row_end_alone(lp_row *row) {
    json_t *array = json_array();
    lp_rows_append(&array, lp_row_end(row));
    return array;
}

void lp_rows_append(json_t **rows, json_t *row) {
    if (json_array_append_new(*rows, row) != 0) {
        json_decref(*rows);
        *rows = NULL;
    }
}
