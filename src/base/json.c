/* JSON over jansson. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

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
    if (status == LP_OK) {
        status = lp_json_parse(path, bytes, size, value, err);
        lp_free(bytes);
    }
    return status;
}

lp_status lp_json_write(const char *path, const json_t *value, lp_error *err) {
    char *text = value != NULL ? json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(17)) : NULL;
    if (text == NULL) {
        return lp_fail(err, LP_ERR_MEMORY, "%s: JSON could not be built", path);
    }
    lp_writer *writer;
    lp_status status = lp_writer_open(path, &writer, err);
    if (status == LP_OK) {
        status = lp_writer_put(writer, text, strlen(text), err);
        if (status == LP_OK) {
            status = lp_writer_put(writer, "\n", 1, err);
        }
        if (status == LP_OK) {
            status = lp_writer_commit(writer, err);
        } else {
            lp_writer_abort(writer);
        }
    }
    free(text);
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
