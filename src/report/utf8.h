/* UTF-8 from anywhere (class names, paths), made safe to draw and to write. */
#ifndef LP_REPORT_UTF8_H
#define LP_REPORT_UTF8_H

#include <stddef.h>
#include <stdint.h>

enum { LP_UTF8_MAX = 4, LP_UTF8_REPLACEMENT = 0xfffd };

/* The character at *text, which moves behind it; *text is not at its end.  U+FFFD for a malformed
 * byte and for what XML and HTML forbid: controls other than tab and newline, noncharacters.  A
 * carriage return becomes a newline. */
uint32_t lp_utf8_next(const char **text);

/* Writes a character that lp_utf8_next gave and returns its number of bytes. */
size_t lp_utf8_put(uint32_t code, char bytes[LP_UTF8_MAX]);

#endif
