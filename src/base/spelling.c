/* The distance is the least number of slips: a letter left out, put in, or replaced, or two
 * neighbours exchanged (the optimal string alignment distance). */
#include "base/spelling.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { LONGEST = 63, FAR = 1000 };

lp_spelling lp_spelling_of(const char *word) {
    return (lp_spelling){word, NULL, SIZE_MAX};
}

static bool equal(char a, char b) {
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

static size_t distance_of(const char *a, const char *b) {
    size_t rows[3][LONGEST + 1]; /* of the beginnings of a with i - 2, i - 1 and i letters */
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST) {
        return FAR;
    }
    for (size_t j = 0; j <= m; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] =
                least(least(above[j], row[j - 1]) + 1, above[j - 1] + !equal(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && equal(a[i - 1], b[j - 2]) && equal(a[i - 2], b[j - 1])) {
                row[j] = least(row[j], two_above[j - 2] + 1);
            }
        }
    }
    return rows[n % 3][m];
}

void lp_spelling_try(lp_spelling *s, const char *known) {
    size_t length = strlen(s->word), allowed = length < 3 ? 1 : (length + 2) / 3;
    size_t distance = distance_of(s->word, known);
    if (length >= 3 && distance > 1 && strncasecmp(s->word, known, length) == 0) {
        distance = 1; /* cut short: as one slip */
    }
    if (distance <= allowed && distance < length && distance < s->distance) {
        s->nearest = known;
        s->distance = distance;
    }
}

const char *lp_spelling_text(const lp_spelling *s, char text[LP_SPELLING_TEXT]) {
    text[0] = '\0';
    if (s->nearest != NULL) {
        (void)snprintf(text, LP_SPELLING_TEXT, "; did you mean '%.120s'?", s->nearest);
    }
    return text;
}
