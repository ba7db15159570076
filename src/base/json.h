/* JSON by jansson: reading bounded text, writing files safely, and typed access with messages. */
#ifndef LP_BASE_JSON_H
#define LP_BASE_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "linprobe/status.h"

/* Parses `size` bytes; duplicate keys are refused.  `path` is for the message, which gives line and
 * column.  *value is released by json_decref. */
LP_MUST_USE lp_status lp_json_parse(const char *path, const char *bytes, size_t size,
                                    json_t **value, lp_error *err);

/* Reads a JSON file of at most 64 MiB. */
LP_MUST_USE lp_status lp_json_read(const char *path, json_t **value, lp_error *err);

/* Writes value, indented, as lp_json_dump does, by a temporary name, and takes over the reference
 * to it.  NULL means that building it ran out of memory, and is reported so. */
LP_MUST_USE lp_status lp_json_write(const char *path, json_t *value, lp_error *err);

typedef enum lp_json_layout {
    LP_JSON_COMPACT, /* {"a":1,"b":[]} */
    LP_JSON_LINE,    /* {"a": 1, "b": []} */
    LP_JSON_INDENTED /* one member a line, two spaces a level */
} lp_json_layout;

/* The text of any value: keys in the order of insertion, reals in the shortest form that reads
 * back to the same value and stays a real ("70.8", "1.0").  NULL where memory is short or value is
 * NULL.  Released by free(). */
char *lp_json_dump(const json_t *value, lp_json_layout layout);

/* Prints value, indented, and a line feed.  The caller checks ferror(out). */
void lp_json_print(FILE *out, const json_t *value);

/* A string of text that may hold any bytes, such as a path: JSON is UTF-8, so where text is not,
 * its bytes above 0x7f stand as '?'.  NULL is null. */
json_t *lp_json_any_text(const char *text);

/* Members of an object, or the fallback where absent or of another type. */
const char *lp_json_text(const json_t *object, const char *key, const char *fallback);
double lp_json_number(const json_t *object, const char *key, double fallback);

#endif
