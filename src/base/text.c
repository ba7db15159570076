/* Number parsing. */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

lp_status lp_parse_real(const char *what, const char *text, double low, double high, double *value,
                        lp_error *err) {
    char *end;
    /* strtod follows the locale's decimal point; this program never calls setlocale, so it is '.'.
     * A program that links the library and does would have "0,5" refused here by the check below
     * only if its locale says '.', so commas and hexadecimal are refused first. */
    if (strspn(text, "0123456789+-.eE") == strlen(text) && text[0] != '\0') {
        *value = strtod(text, &end);
        if (*end == '\0' && isfinite(*value) && *value >= low && *value <= high) {
            return LP_OK;
        }
    }
    return lp_fail(err, LP_ERR_ARGUMENT, "%s: expected a number from %g to %g, found '%s'", what,
                   low, high, text);
}

lp_status lp_parse_count(const char *what, const char *text, uint64_t low, uint64_t high,
                         uint64_t *value, lp_error *err) {
    if (strspn(text, "0123456789") == strlen(text) && text[0] != '\0') {
        errno = 0;
        unsigned long long parsed = strtoull(text, NULL, 10);
        if (errno == 0 && parsed >= low && parsed <= high) {
            *value = parsed;
            return LP_OK;
        }
    }
    return lp_fail(err, LP_ERR_ARGUMENT,
                   "%s: expected a whole number from %llu to %llu, found '%s'", what,
                   (unsigned long long)low, (unsigned long long)high, text);
}
