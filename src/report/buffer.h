/* Bytes that grow: the output of a picture or a page, built in memory and written as a whole. */
#ifndef LP_REPORT_BUFFER_H
#define LP_REPORT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/status.h"

/* {0} is an empty buffer.  `bytes` is NULL or ends in a zero byte that `size` does not count.
 * After an allocation failed, `failed` is set and every later call does nothing, so that a caller
 * checks once, at the end. */
typedef struct lp_buffer {
    char *bytes;
    size_t size, capacity;
    bool failed;
} lp_buffer;

void lp_buffer_put(lp_buffer *buffer, const void *bytes, size_t size);
void lp_buffer_text(lp_buffer *buffer, const char *text);

/* At most 511 bytes of output; for numbers and short constant text. */
void lp_buffer_printf(lp_buffer *buffer, const char *format, ...) LP_PRINTF(2, 3);

/* Text for HTML and XML, in an element or in a quoted attribute: & < > " ' escaped, malformed
 * UTF-8 and characters that these formats forbid replaced by U+FFFD. */
void lp_buffer_escaped(lp_buffer *buffer, const char *text);

/* Escaped text between two pieces of markup. */
void lp_buffer_between(lp_buffer *buffer, const char *before, const char *text, const char *after);

void lp_buffer_base64(lp_buffer *buffer, const void *bytes, size_t size);

void lp_buffer_free(lp_buffer *buffer);

#endif
