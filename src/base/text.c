/* Numbers from and to text. */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
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

const char *lp_real_text(char text[LP_REAL_TEXT], double value) {
    char shortest[64], digits[LP_REAL_TEXT];
    const char *e = NULL;
    int count = 0;
    for (int after = 0; after < 17; after++) { /* digits behind the first */
        (void)snprintf(shortest, sizeof shortest, "%.*e", after, value);
        if (strtod(shortest, NULL) == value) {
            break;
        }
    }
    /* The locale decides what stands between the digits; so they are picked out. */
    for (e = shortest; *e != 'e' && *e != '\0'; e++) {
        if (*e >= '0' && *e <= '9') {
            digits[count++] = *e;
        }
    }
    int exponent = *e == 'e' ? (int)strtol(e + 1, NULL, 10) : 0;
    bool plain = exponent >= -4 && exponent < 17;
    int point = plain ? exponent : 0; /* stands behind this digit; those before the first are 0 */
    char *to = text;
    if (signbit(value)) {
        *to++ = '-';
    }
    for (int i = point < 0 ? point : 0; i < count || i <= point; i++) {
        *to++ = i >= 0 && i < count ? digits[i] : '0';
        if (i == point && i + 1 < count) {
            *to++ = '.';
        }
    }
    *to = '\0';
    if (!plain) {
        (void)snprintf(to, 6, "e%d", exponent);
    }
    return text;
}

int lp_text_order(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t lp_text_unique(char **texts, size_t count) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(texts[i], texts[kept - 1]) != 0) {
            texts[kept++] = texts[i];
        }
    }
    return kept;
}

bool lp_text_ends(const char *text, const char *end) {
    size_t length = strlen(text), tail = strlen(end);
    return length > tail && strcmp(text + length - tail, end) == 0;
}

bool lp_text_in(const char *const *list, size_t count, const char *text, size_t length) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == length && memcmp(list[i], text, length) == 0) {
            return true;
        }
    }
    return false;
}

int lp_text_index(const char *const *list, const char *text, int unknown) {
    for (int i = 0; text != NULL && list[i] != NULL; i++) {
        if (strcmp(list[i], text) == 0) {
            return i;
        }
    }
    return unknown;
}

lp_status lp_text_of(void (*print)(FILE *out, const void *context), const void *context,
                     char **text, size_t *size, lp_error *err) {
    *text = NULL;
    *size = 0;
    FILE *stream = open_memstream(text, size);
    if (stream == NULL) {
        return lp_fail_memory(err, "text", 1, 1);
    }
    print(stream, context);
    bool failed = ferror(stream) != 0;
    return fclose(stream) != 0 || failed ? lp_fail_memory(err, "text", *size, 1) : LP_OK;
}
