/* The known word that a mistyped one is nearest to.
 *
 *     lp_spelling s = lp_spelling_of("extrat");
 *     lp_spelling_try(&s, "extract");
 *     lp_spelling_try(&s, "eval");
 *     if (s.nearest != NULL) ... "did you mean 'extract'?"
 */
#ifndef LP_BASE_SPELLING_H
#define LP_BASE_SPELLING_H

#include <stddef.h>

typedef struct lp_spelling {
    const char *word;
    const char *nearest; /* of the words that were tried; NULL: none is near */
    size_t distance;     /* between the two */
} lp_spelling;

/* word stays the caller's. */
lp_spelling lp_spelling_of(const char *word);

/* Takes `known` where it is nearer than those before it, and near enough: at most one slip for
 * three letters, or the word is the beginning of it.  Letters count the same in either case. */
void lp_spelling_try(lp_spelling *spelling, const char *known);

enum { LP_SPELLING_TEXT = 160 };

/* "; did you mean 'extract'?", or "" where no word is near.  Returns text. */
const char *lp_spelling_text(const lp_spelling *spelling, char text[LP_SPELLING_TEXT]);

#endif
