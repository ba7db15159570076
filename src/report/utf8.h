/* UTF-8 from anywhere (class names, paths), made safe to draw and to write. */
#ifndef LP_REPORT_UTF8_H
#define LP_REPORT_UTF8_H

#include <stddef.h>

enum { LP_UTF8_MAX = 4 };

/* Copies the character at *text, which moves behind it, and returns its number of bytes; *text is
 * not at its end.  U+FFFD stands for a malformed byte and for what XML and HTML forbid: controls
 * other than tab and newline, noncharacters.  A carriage return becomes a newline. */
size_t lp_utf8_next(const char **text, char bytes[LP_UTF8_MAX]);

#endif
