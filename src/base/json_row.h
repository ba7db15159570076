/* Building a JSON object one key a line.  A lack of memory is remembered until the end, so that the
 * lines between need no checks.
 *
 *     lp_row row = lp_row_new();
 *     lp_row_text(&row, "solver", "softmax");
 *     lp_row_real(&row, "C", 0.316);
 *     json_t *object = lp_row_end(&row);          // NULL where memory was short
 */
#ifndef LP_BASE_JSON_ROW_H
#define LP_BASE_JSON_ROW_H

#include <stdbool.h>
#include <stdint.h>
#include "base/json.h"

typedef struct lp_row {
    json_t *object;
    bool failed;
} lp_row;

lp_row lp_row_new(void);

/* Continues an object that exists already; the row takes over the reference. */
lp_row lp_row_of(json_t *object);

/* Each of these sets one key.  Text may hold any bytes (see lp_json_any_text); NULL is null.  A
 * number that is not finite is left out, because JSON has none. */
void lp_row_text(lp_row *row, const char *key, const char *text);
void lp_row_count(lp_row *row, const char *key, uint64_t count);
void lp_row_real(lp_row *row, const char *key, double value);
void lp_row_flag(lp_row *row, const char *key, bool flag);

/* Takes over `value`; NULL means that memory was short. */
void lp_row_put(lp_row *row, const char *key, json_t *value);

/* Adds all members of another object, which it takes over; NULL means that memory was short. */
void lp_row_merge(lp_row *row, json_t *object);

/* The object as a new reference, or NULL where memory was short; the row is empty afterwards. */
json_t *lp_row_end(lp_row *row);

/* The object in an array of its own, for a table of one row. */
json_t *lp_row_end_alone(lp_row *row);

/* Appends to an array and takes over `row`.  *rows is NULL from when memory was short. */
void lp_rows_append(json_t **rows, json_t *row);

#endif
