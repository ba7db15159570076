/* Lines of a config file. */
#include "cli/config_file.h"

#include <string.h>

#include "base/error.h"
#include "base/file.h"

enum { MOST_BYTES = 1 << 20 };
static const char blanks[] = " \t\r";

static char *trim(char *text) {
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]) != NULL) {
        text[--length] = '\0';
    }
    return text;
}

static lp_status take_line(char *line, config_taker take, void *context, lp_error *err) {
    char *key = trim(line), *equals = strchr(key, '=');
    if (key[0] == '\0' || key[0] == '#') {
        return LP_OK;
    }
    if (equals == NULL || equals == key) {
        return lp_fail(err, LP_ERR_FORMAT, "expected `key = value`, found '%.100s'", key);
    }
    *equals = '\0';
    return take(context, trim(key), trim(equals + 1), err);
}

lp_status config_read(const char *path, config_taker take, void *context, lp_error *err) {
    static char *text; /* settings point into it */
    size_t size, number = 0;
    lp_status status;
    LP_TRY(lp_file_read(path, MOST_BYTES, &text, &size, err));
    if (memchr(text, '\0', size) != NULL) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "%s: expected text, found a zero byte", path));
    }
    for (char *line = text, *next; line != NULL; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        number++;
        LP_TRY(lp_prefix(err, take_line(line, take, context, err), "%s:%zu: ", path, number));
    }
done:
    return status;
}
