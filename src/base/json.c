/* JSON over jansson. */
#include "base/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

lp_status lp_json_parse(const char *path, const char *bytes, size_t size, json_t **value,
                        lp_error *err) {
    json_error_t reason;
    *value = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &reason);
    if (*value == NULL) {
        return lp_fail(err, LP_ERR_FORMAT, "%s: not valid JSON at line %d, column %d: %s", path,
                       reason.line, reason.column, reason.text);
    }
    return LP_OK;
}

lp_status lp_json_read(const char *path, json_t **value, lp_error *err) {
    char *bytes;
    size_t size;
    *value = NULL;
    lp_status status = lp_file_read(path, 64u << 20, &bytes, &size, err);
    status = status == LP_OK ? lp_json_parse(path, bytes, size, value, err) : status;
    lp_free(bytes); /* NULL after a failure */
    return status;
}

static void print_value(FILE *out, const json_t *value, lp_json_layout layout, int depth);

/* What stands before a member, or (no comma) before the closing bracket where there was one. */
static void print_gap(FILE *out, lp_json_layout layout, int depth, bool comma) {
    (void)fputs(!comma ? "" : layout == LP_JSON_LINE ? ", " : ",", out);
    if (layout == LP_JSON_INDENTED) {
        (void)fprintf(out, "\n%*s", 2 * depth, "");
    }
}

/* UTF-8 in quotes, as jansson has it: only what JSON demands is escaped. */
static void print_text(FILE *out, const char *text) {
    static const char letters[] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                   ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    (void)fputc('"', out);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < sizeof letters && letters[c] != '\0') {
            (void)fprintf(out, "\\%c", letters[c]);
        } else if (c < 0x20) {
            (void)fprintf(out, "\\u%04X", c);
        } else {
            (void)fputc(c, out);
        }
    }
    (void)fputc('"', out);
}

static void print_object(FILE *out, const json_t *object, lp_json_layout layout, int depth) {
    const char *key;
    json_t *member;
    bool first = true;
    (void)fputc('{', out);
    json_object_foreach((json_t *)(uintptr_t)object, key, member) {
        print_gap(out, layout, depth + 1, !first);
        print_text(out, key);
        (void)fputs(layout == LP_JSON_COMPACT ? ":" : ": ", out);
        print_value(out, member, layout, depth + 1);
        first = false;
    }
    if (!first) {
        print_gap(out, layout, depth, false);
    }
    (void)fputc('}', out);
}

static void print_array(FILE *out, const json_t *array, lp_json_layout layout, int depth) {
    size_t count = json_array_size(array);
    (void)fputc('[', out);
    for (size_t i = 0; i < count; i++) {
        print_gap(out, layout, depth + 1, i > 0);
        print_value(out, json_array_get(array, i), layout, depth + 1);
    }
    if (count > 0) {
        print_gap(out, layout, depth, false);
    }
    (void)fputc(']', out);
}

/* Not jansson's own: it has one precision for all reals, and where memory is short it leaves out
 * text without an error. */
static void print_value(FILE *out, const json_t *value, lp_json_layout layout, int depth) {
    char text[LP_REAL_TEXT];
    if (json_is_object(value)) {
        print_object(out, value, layout, depth);
    } else if (json_is_array(value)) {
        print_array(out, value, layout, depth);
    } else if (json_is_real(value)) {
        (void)fputs(lp_real_text(text, json_real_value(value)), out);
        (void)fputs(strpbrk(text, ".e") == NULL ? ".0" : "", out);
    } else if (json_is_string(value)) {
        print_text(out, json_string_value(value));
    } else if (json_is_integer(value)) {
        (void)fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        (void)fputs(json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null", out);
    }
}

static char *dump(const json_t *value, lp_json_layout layout, const char *end) {
    char *text = NULL;
    size_t size;
    FILE *stream = value != NULL ? open_memstream(&text, &size) : NULL;
    if (stream == NULL) {
        return NULL;
    }
    print_value(stream, value, layout, 0);
    (void)fputs(end, stream);
    bool failed = ferror(stream) != 0;
    failed = fclose(stream) != 0 || failed;
    if (failed) {
        free(text);
        return NULL;
    }
    return text;
}

char *lp_json_dump(const json_t *value, lp_json_layout layout) {
    return dump(value, layout, "");
}

void lp_json_print(FILE *out, const json_t *value) {
    print_value(out, value, LP_JSON_INDENTED, 0);
    (void)fputc('\n', out);
}

lp_status lp_json_write(const char *path, json_t *value, lp_error *err) {
    char *text = dump(value, LP_JSON_INDENTED, "\n");
    lp_status status = text != NULL
                           ? lp_file_write(path, text, strlen(text), err)
                           : lp_fail(err, LP_ERR_MEMORY, "%s: JSON could not be built", path);
    free(text);
    json_decref(value);
    return status;
}

json_t *lp_json_any_text(const char *text) {
    json_t *value = text != NULL ? json_string(text) : json_null();
    char *copy = value == NULL ? lp_strdup(text) : NULL;
    if (copy != NULL) {
        for (char *c = copy; *c != '\0'; c++) {
            *c = (unsigned char)*c > 0x7f ? '?' : *c;
        }
        value = json_string(copy);
        lp_free(copy);
    }
    return value;
}

const char *lp_json_text(const json_t *object, const char *key, const char *fallback) {
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : fallback;
}

double lp_json_number(const json_t *object, const char *key, double fallback) {
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}
