/* People's words for the keys of our JSON documents. */
#ifndef LP_REPORT_WORDS_H
#define LP_REPORT_WORDS_H

#include <stddef.h>

enum { LP_WORDS = 96 };

/* "weights_sha256" -> "SHA-256 of the weights"; a key that nobody has put into words yet: its own
 * words, "steps per decade".  Returns text, which is in `room` or static. */
const char *lp_words_of(const char *key, char room[LP_WORDS]);

#endif
