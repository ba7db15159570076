/* The text of an SVG that cairo has written. */
#ifndef LP_REPORT_SVG_H
#define LP_REPORT_SVG_H

#include "report/buffer.h"

/* Appends a zero-terminated SVG with its ids renamed: cairo numbers them through the life of the
 * process, which would make the bytes depend on what was drawn before, and starts glyphs anew in
 * each picture, which would mix the letters of two pictures in one page.  With `prefix`, which
 * starts the ids, it is a part of a page, and each colour becomes a variable of the page's style
 * sheet with itself as the default: var(--c222222,rgb(...)).  NULL: a file of its own. */
void lp_svg_adapt(const char *svg, const char *prefix, lp_buffer *out);

#endif
