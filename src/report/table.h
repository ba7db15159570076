/* Result tables: rows made once, printed as aligned text, CSV or JSON. */
#ifndef LP_REPORT_TABLE_H
#define LP_REPORT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "base/json.h"
#include "linprobe/status.h"

typedef enum lp_format { LP_FORMAT_TEXT, LP_FORMAT_CSV, LP_FORMAT_JSON } lp_format;

/* One column: the member of each row object, its heading in text, and how numbers are shown there
 * (a printf format for double, such as "%.3f"; NULL = as they are).  CSV and JSON have
 * the shortest form that reads back the same, and use `key` as the heading. */
typedef struct lp_column {
    const char *key;
    const char *heading;
    const char *format;
} lp_column;

enum { LP_TABLE_CELL = 256 };

/* The text of one value, "-" for none; a string longer than a cell is cut.  Returns whether it is a
 * number, which stands to the right. */
bool lp_table_cell(char cell[LP_TABLE_CELL], const json_t *value, const char *format);

/* Prints the rows (a JSON array of objects), and takes over the reference to them, as all three
 * functions do.  Text: columns two spaces apart, numbers to the right; on a terminal that is too
 * narrow for them one record a block, a line for each column.  JSON: the array itself.  The caller
 * checks ferror(out). */
void lp_table_print(FILE *out, lp_format format, const lp_column *columns, size_t count,
                    json_t *rows);

/* The same as CSV into a file; complete or not there. */
LP_MUST_USE lp_status lp_table_write(const char *path, const lp_column *columns, size_t count,
                                     json_t *rows, lp_error *err);

/* The same as a Markdown table. */
void lp_table_markdown(FILE *out, const lp_column *columns, size_t count, json_t *rows);

#endif
