/* How wide the terminal is. */
#ifndef LP_REPORT_TERMINAL_H
#define LP_REPORT_TERMINAL_H

#include <stddef.h>
#include <stdio.h>

/* The columns of the terminal that a stream writes to; 80 of a terminal that does not say it; 0
 * where the stream is none (a file, a pipe). */
size_t lp_terminal_columns(FILE *stream);

/* From now on no stream counts as one: a launcher reads the streams, by a terminal of its own, and
 * passes on what it reads to wherever its output goes. */
void lp_terminal_pass_on(void);

#endif
