/* Text, CSV, JSON and Markdown tables. */
#include "report/table.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "report/terminal.h"

/* Number of terminal cells of UTF-8 text, wide characters not counted double. */
static int cells(const char *text) {
    int count = 0;
    for (; *text != '\0'; text++) {
        count += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return count;
}

bool lp_table_cell(char cell[LP_TABLE_CELL], const json_t *value, const char *format) {
    double real = json_number_value(value);
    if (json_is_integer(value) && format == NULL) {
        (void)snprintf(cell, LP_TABLE_CELL, "%lld", (long long)json_integer_value(value));
    } else if (json_is_number(value) && format == NULL) {
        (void)lp_real_text(cell, real);
    } else if (json_is_number(value)) {
        /* the formats are constants of this program, each for one double */
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#endif
        (void)snprintf(cell, LP_TABLE_CELL, format, real);
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif
    } else if (json_is_string(value)) {
        (void)snprintf(cell, LP_TABLE_CELL, "%s", json_string_value(value));
        for (char *c = cell; *c != '\0'; c++) { /* names of strangers cannot steer a terminal */
            *c = (unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c;
        }
        return false;
    } else if (json_is_boolean(value)) {
        (void)snprintf(cell, LP_TABLE_CELL, "%s", json_is_true(value) ? "yes" : "no");
        return false;
    } else {
        (void)snprintf(cell, LP_TABLE_CELL, "%s", "–"); /* there is none */
    }
    return true;
}

/* One record a block, a line for each column. */
static void print_blocks(FILE *out, const lp_column *columns, size_t count, const json_t *rows) {
    char cell[LP_TABLE_CELL];
    int width = 0;
    size_t r;
    const json_t *row;
    for (size_t c = 0; c < count; c++) {
        width = cells(columns[c].heading) > width ? cells(columns[c].heading) : width;
    }
    json_array_foreach((json_t *)(uintptr_t)rows, r, row) {
        (void)fputs(r > 0 ? "\n" : "", out);
        for (size_t c = 0; c < count; c++) {
            (void)lp_table_cell(cell, json_object_get(row, columns[c].key), columns[c].format);
            (void)fprintf(out, "%s:%*s%s\n", columns[c].heading,
                          width - cells(columns[c].heading) + 2, "", cell);
        }
    }
}

static void print_lines(FILE *out, const lp_column *columns, size_t count, const json_t *rows,
                        const int *width) {
    char cell[LP_TABLE_CELL];
    const json_t *row;
    for (size_t r = 0; r <= json_array_size(rows); r++) { /* row 0 is the heading */
        row = r > 0 ? json_array_get(rows, r - 1) : NULL;
        for (size_t c = 0; c < count; c++) {
            /* a heading stands as its column does */
            const json_t *sample =
                json_object_get(row != NULL ? row : json_array_get(rows, 0), columns[c].key);
            bool right = lp_table_cell(cell, sample, columns[c].format);
            const char *text = row != NULL ? cell : columns[c].heading;
            int pad = width[c] - cells(text);
            (void)fprintf(out, "%s%*s%s", c > 0 ? "  " : "", right ? pad : 0, "", text);
            if (!right && c + 1 < count) {
                (void)fprintf(out, "%*s", pad, "");
            }
        }
        (void)fputc('\n', out);
    }
}

static void print_text(FILE *out, const lp_column *columns, size_t count, const json_t *rows) {
    int *width = lp_alloc(count, sizeof *width);
    int total = -2;
    size_t room = lp_terminal_columns(out);
    char cell[LP_TABLE_CELL];
    size_t r;
    const json_t *row;
    for (size_t c = 0; width != NULL && c < count; c++) {
        width[c] = cells(columns[c].heading);
        json_array_foreach((json_t *)(uintptr_t)rows, r, row) {
            (void)lp_table_cell(cell, json_object_get(row, columns[c].key), columns[c].format);
            width[c] = cells(cell) > width[c] ? cells(cell) : width[c];
        }
        total += width[c] + 2;
    }
    if (width == NULL || (room > 0 && total > (int)room)) {
        print_blocks(out, columns, count, rows);
    } else {
        print_lines(out, columns, count, rows, width);
    }
    lp_free(width);
}

/* RFC 4180 quoting. */
static void print_quoted(FILE *out, const char *text) {
    if (strpbrk(text, ",\"\r\n") == NULL) {
        (void)fputs(text, out);
        return;
    }
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        (void)fprintf(out, *text == '"' ? "\"%c" : "%c", *text);
    }
    (void)fputc('"', out);
}

static void print_csv(FILE *out, const lp_column *columns, size_t count, const json_t *rows) {
    char cell[LP_TABLE_CELL];
    size_t r;
    const json_t *row;
    for (size_t c = 0; c < count; c++) {
        (void)fprintf(out, "%s%s", c > 0 ? "," : "", columns[c].key);
    }
    (void)fputc('\n', out);
    json_array_foreach((json_t *)(uintptr_t)rows, r, row) {
        for (size_t c = 0; c < count; c++) {
            const json_t *value = json_object_get(row, columns[c].key);
            (void)fputs(c > 0 ? "," : "", out);
            if (json_is_string(value)) { /* whole, however long */
                print_quoted(out, json_string_value(value));
            } else if (value != NULL && !json_is_null(value)) {
                (void)lp_table_cell(cell, value, NULL);
                (void)fputs(cell, out);
            }
        }
        (void)fputc('\n', out);
    }
}

void lp_table_print(FILE *out, lp_format format, const lp_column *columns, size_t count,
                    json_t *rows) {
    if (format == LP_FORMAT_JSON) {
        lp_json_print(out, rows);
    } else if (format == LP_FORMAT_CSV) {
        print_csv(out, columns, count, rows);
    } else {
        print_text(out, columns, count, rows);
    }
    json_decref(rows);
}

void lp_table_markdown(FILE *out, const lp_column *columns, size_t count, json_t *rows) {
    char cell[LP_TABLE_CELL];
    size_t r;
    const json_t *row;
    for (size_t c = 0; c < count; c++) {
        (void)fprintf(out, "| %s ", columns[c].heading);
    }
    (void)fputs("|\n", out);
    for (size_t c = 0; c < count; c++) {
        const json_t *sample = json_object_get(json_array_get(rows, 0), columns[c].key);
        (void)fputs(lp_table_cell(cell, sample, columns[c].format) ? "|---:" : "|---", out);
    }
    (void)fputs("|\n", out);
    json_array_foreach(rows, r, row) {
        for (size_t c = 0; c < count; c++) {
            (void)lp_table_cell(cell, json_object_get(row, columns[c].key), columns[c].format);
            (void)fprintf(out, "| %s ", cell);
        }
        (void)fputs("|\n", out);
    }
    json_decref(rows);
}

typedef struct table {
    const lp_column *columns;
    size_t count;
    json_t *rows;
} table;

static void print_table(FILE *out, const void *context) {
    const table *t = context;
    print_csv(out, t->columns, t->count, t->rows);
}

lp_status lp_table_write(const char *path, const lp_column *columns, size_t count, json_t *rows,
                         lp_error *err) {
    const table all = {columns, count, rows};
    char *text = NULL;
    size_t size;
    lp_status status;
    LP_TRY(rows != NULL ? LP_OK : lp_fail_memory(err, path, 1, 1));
    LP_TRY(lp_text_of(print_table, &all, &text, &size, err));
    LP_TRY(lp_file_write(path, text, size, err));
done:
    free(text);
    json_decref(rows);
    return status;
}
