/* Numbers from text, to the last character, and numbers to text that reads back the same; printing
 * into memory. */
#ifndef LP_BASE_TEXT_H
#define LP_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "linprobe/status.h"

/* Parses all of text; `what` names it in the message, which gives the allowed range.
 * LP_ERR_ARGUMENT on anything else than one number within it.  The decimal point is '.' in every
 * locale. */
LP_MUST_USE lp_status lp_parse_real(const char *what, const char *text, double low, double high,
                                    double *value, lp_error *err);
LP_MUST_USE lp_status lp_parse_count(const char *what, const char *text, uint64_t low,
                                     uint64_t high, uint64_t *value, lp_error *err);

enum { LP_REAL_TEXT = 32 };

/* The shortest decimal that reads back to the same value, in every locale: "70.8", "10000", "1e-6",
 * "-0".  It has an exponent below 1e-4 and from 1e17 on.  value is finite.  Returns text. */
const char *lp_real_text(char text[LP_REAL_TEXT], double value);

/* Orders strings (elements are char *) by their bytes, for qsort and bsearch. */
int lp_text_order(const void *a, const void *b);

/* Keeps one of each of the texts, of which equal ones stand side by side; returns how many. */
size_t lp_text_unique(char **texts, size_t count);

/* Whether a text ends so, with something before it. */
bool lp_text_ends(const char *text, const char *end);

/* Whether a text, `length` bytes, is one of a list of strings. */
bool lp_text_in(const char *const *list, size_t count, const char *text, size_t length);

/* The index of a text in a list that ends with NULL; `unknown` where it is not there, or NULL. */
int lp_text_index(const char *const *list, const char *text, int unknown);

/* What `print` prints of `context`, as *size bytes and a zero byte that the caller frees with
 * free(), also after a failure (LP_ERR_MEMORY). */
LP_MUST_USE lp_status lp_text_of(void (*print)(FILE *out, const void *context), const void *context,
                                 char **text, size_t *size, lp_error *err);

/* A macro's value as a string literal. */
#define LP_STRING_OF(tokens) #tokens
#define LP_STRING(macro) LP_STRING_OF(macro)

#endif
