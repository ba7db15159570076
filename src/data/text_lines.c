/* Data stage: text files of one entry a line. */
#include "data/text_lines.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/* The text from `start` without blanks around it; ends at `end`, which is overwritten. */
static char *trim(char *start, char *end) {
    while (start < end && is_blank(*start)) {
        start++;
    }
    while (end > start && is_blank(end[-1])) {
        end--;
    }
    *end = '\0';
    return start;
}

lp_status lp_lines_open(const lp_tree *tree, const char *name, lp_lines *lines, lp_error *err) {
    lp_tree_file file;
    lp_status status;
    memset(lines, 0, sizeof *lines);
    LP_TRY(lp_tree_read(tree, name, &file, err));
    (void)snprintf(lines->path, sizeof lines->path, "%s", file.path);
    lines->text = lp_alloc(file.size + 1, 1);
    LP_TRY(lp_allocated(lines->text, file.path, file.size + 1, 1, err));
    memcpy(lines->text, file.bytes, file.size + 1);
    const char *zero = memchr(lines->text, '\0', file.size);
    if (zero != NULL) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: byte %zu: expected text, found 0", file.path,
                       (size_t)(zero - lines->text)));
    }
    lines->next = lines->text;
    lines->end = lines->text + file.size;
    if (file.size >= 3 && memcmp(lines->text, "\xef\xbb\xbf", 3) == 0) {
        lines->next += 3; /* the mark of UTF-8 that some editors write */
    }
done:
    lp_tree_file_clear(&file);
    if (status != LP_OK) {
        lp_lines_close(lines);
    }
    return status;
}

void lp_lines_close(lp_lines *lines) {
    lp_free(lines->text);
    lines->text = NULL;
}

char *lp_lines_next(lp_lines *lines) {
    while (lines->next < lines->end) {
        char *end = memchr(lines->next, '\n', (size_t)(lines->end - lines->next));
        end = end != NULL ? end : lines->end;
        char *line = trim(lines->next, end);
        lines->next = end + 1;
        lines->number++;
        if (line[0] != '\0') {
            return line;
        }
    }
    return NULL;
}

lp_status lp_lines_fail(const lp_lines *lines, lp_error *err, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return lp_fail(err, LP_ERR_FORMAT, "%s:%zu: %s", lines->path, lines->number, text);
}

/* A field behind its opening quote: takes out the quotes that are written twice.  *end: where its
 * text ends.  Returns what stands behind the closing quote. */
static char *unquote(char *field, char **end) {
    char *to = field, *from = field;
    while (*from != '\0' && (*from != '"' || from[1] == '"')) {
        from += *from == '"';
        *to++ = *from++;
    }
    *end = to;
    return *from == '"' ? from + 1 : from;
}

size_t lp_fields(char *line, char separator, char **fields, size_t most) {
    const char stops[] = {separator, separator == ' ' ? '\t' : separator, '\0'};
    size_t count = 0;
    bool more = true;
    while (more) {
        while (is_blank(*line)) {
            line++;
        }
        if (separator == ' ' && *line == '\0') {
            break;
        }
        char *field = line, *end = NULL;
        if (*line == '"') {
            field = line + 1;
            line = unquote(field, &end);
        }
        line += strcspn(line, stops);
        more = *line != '\0';
        *line = '\0';
        if (end != NULL) {
            *end = '\0';
        } else {
            field = trim(field, line);
        }
        line += more;
        if (count < most) {
            fields[count] = field;
        }
        count++;
    }
    return count;
}

lp_status lp_lines_number(const lp_lines *lines, const char *what, const char *text, int64_t low,
                          int64_t high, int64_t *value, lp_error *err) {
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < low || number > high) {
        return lp_lines_fail(lines, err, "expected a%s %s from %lld to %lld, found '%.80s'",
                             strchr("aeiou", what[0]) != NULL ? "n" : "", what, (long long)low,
                             (long long)high, text);
    }
    *value = number;
    return LP_OK;
}
