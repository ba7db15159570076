/* Calling an lp_watch, which may be silent. */
#ifndef LP_RUN_WATCH_H
#define LP_RUN_WATCH_H

#include "linprobe/run.h"

void lp_watch_begin(const lp_watch *watch, const char *what, const char *unit);
void lp_watch_end(const lp_watch *watch);

/* A sentence for people.  LP_CANCELLED where the work must stop. */
LP_PRINTF(3, 4)
LP_MUST_USE lp_status lp_watch_say(const lp_watch *watch, lp_error *err, const char *format, ...);

#endif
