/* libsvm text as arrays: one pass finds N and F, another one fills them in. */
#include "feat/libsvm_text.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/text.h"

enum { FIELD = 64, DENSE_MOST = 512 };
static const uint64_t file_bytes_max = UINT64_C(1) << 34;

typedef struct text_reader {
    const char *path, *next, *end;
    size_t line;         /* from 1 */
    size_t rows, width;  /* so far; width: the largest index + 1, from 0 */
    bool zero;           /* index 0 occurs */
    float *x, *labels;   /* NULL in the first pass */
    size_t columns, low; /* in the second: F, and the index of the first feature */
} text_reader;

static lp_status fail_line(const text_reader *r, lp_status status, lp_error *err, const char *what,
                           const char *found) {
    return lp_fail(err, status, "%s:%zu: expected %s, found '%.60s'", r->path, r->line, what,
                   found);
}

/* The next field of the line in `at`; "" behind the last. */
static lp_status take_field(const text_reader *r, const char **at, const char *end,
                            char field[FIELD], lp_error *err) {
    size_t length = 0;
    while (*at < end && (**at == ' ' || **at == '\t' || **at == '\r')) {
        (*at)++;
    }
    for (; *at < end && **at != ' ' && **at != '\t' && **at != '\r'; (*at)++) {
        if (length + 1 == FIELD || **at == '\0') {
            field[length] = '\0';
            return fail_line(r, LP_ERR_FORMAT, err,
                             **at == '\0' ? "text without zero bytes" : "a shorter field", field);
        }
        field[length++] = **at;
    }
    field[length] = '\0';
    return LP_OK;
}

static lp_status read_number(const text_reader *r, const char *what, const char *text,
                             double *value, lp_error *err) {
    lp_error ignored;
    return lp_parse_real("", text, -(double)FLT_MAX, (double)FLT_MAX, value, &ignored) == LP_OK
               ? LP_OK
               : fail_line(r, LP_ERR_FORMAT, err, what, text);
}

static lp_status read_feature(text_reader *r, char *field, size_t *least, lp_error *err) {
    char *colon = strchr(field, ':');
    uint64_t index = 0;
    double value = 0;
    lp_error ignored;
    lp_status status;
    if (strncmp(field, "qid:", 4) == 0) {
        return fail_line(r, LP_ERR_UNSUPPORTED, err, "features of a classification, without qid",
                         field);
    }
    if (colon != NULL) {
        *colon = '\0';
    }
    if (colon == NULL || lp_parse_count("", field, *least, INT32_MAX, &index, &ignored) != LP_OK) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "%s:%zu: expected INDEX:VALUE with an index of %zu or more, found '%.60s%s'",
                       r->path, r->line, *least, field, colon != NULL ? ":..." : "");
    }
    LP_TRY(read_number(r, "a finite value of a feature", colon + 1, &value, err));
    *least = (size_t)index + 1;
    r->zero = r->zero || index == 0;
    r->width = *least > r->width ? *least : r->width;
    if (r->x != NULL) {
        r->x[r->rows * r->columns + (size_t)index - r->low] = (float)value;
    }
done:
    return status;
}

static lp_status read_line(text_reader *r, const char *at, const char *end, lp_error *err) {
    char field[FIELD];
    size_t least = 0;
    double label = 0;
    lp_status status;
    const char *comment = memchr(at, '#', (size_t)(end - at));
    end = comment != NULL ? comment : end;
    LP_TRY(take_field(r, &at, end, field, err));
    if (field[0] == '\0') {
        return LP_OK;
    }
    if (strchr(field, ',') != NULL) {
        return fail_line(r, LP_ERR_UNSUPPORTED, err, "one label a line", field);
    }
    LP_TRY(read_number(r, "a number as label, as libsvm text has", field, &label, err));
    if (r->labels != NULL) {
        r->labels[r->rows] = (float)label;
    }
    for (;;) {
        LP_TRY(take_field(r, &at, end, field, err));
        if (field[0] == '\0') {
            break;
        }
        LP_TRY(read_feature(r, field, &least, err));
    }
    r->rows++;
done:
    return status;
}

static lp_status read_lines(text_reader *r, lp_error *err) {
    lp_status status = LP_OK;
    for (const char *at = r->next; at < r->end;) {
        const char *end = memchr(at, '\n', (size_t)(r->end - at));
        end = end != NULL ? end : r->end;
        r->line++;
        LP_TRY(read_line(r, at, end, err));
        at = end + 1;
    }
done:
    return status;
}

/* Rows that name few of their features would take far more memory than the file has. */
static lp_status check_size(const text_reader *r, size_t size, lp_error *err) {
    size_t count;
    if (r->rows == 0 || r->columns == 0) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: expected lines of libsvm text, found none with %s",
                       r->path, r->rows == 0 ? "a label" : "a feature");
    }
    if (!lp_mul(r->rows, r->columns, &count) || count / DENSE_MOST > size) {
        return lp_fail(err, LP_ERR_UNSUPPORTED,
                       "%s: %zu rows of %zu features, nearly all of which are 0: sparse features "
                       "of this size are not read",
                       r->path, r->rows, r->columns);
    }
    return LP_OK;
}

lp_status lp_libsvm_read(const char *path, lp_array_file *x, lp_array_file *labels, lp_error *err) {
    char *text = NULL;
    size_t size = 0;
    lp_status status;
    LP_TRY(lp_file_read(path, file_bytes_max, &text, &size, err));
    text_reader first = {.path = path, .next = text, .end = text + size};
    LP_TRY(read_lines(&first, err));
    text_reader second = {.path = path, .next = text, .end = text + size};
    second.low = first.zero ? 0 : 1;
    second.columns = first.width > 0 ? first.width - second.low : 0;
    second.rows = first.rows;
    LP_TRY(check_size(&second, size, err));
    second.rows = 0;
    LP_TRY(lp_array_file_new(x, path, first.rows, second.columns, &second.x, err));
    LP_TRY(lp_array_file_new(labels, path, first.rows, 0, &second.labels, err));
    memset(second.x, 0, x->size);
    LP_TRY(read_lines(&second, err));
done:
    lp_free(text);
    return status;
}
