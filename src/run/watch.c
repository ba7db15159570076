/* Reports of a run. */
#include "run/watch.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"
#include "base/progress.h"

void lp_watch_begin(const lp_watch *watch, const char *what, const char *unit) {
    if (watch->stage != NULL) {
        watch->stage(watch->progress.context, what, unit);
    }
}

void lp_watch_end(const lp_watch *watch) {
    lp_watch_begin(watch, NULL, NULL);
}

lp_status lp_watch_say(const lp_watch *watch, lp_error *err, const char *format, ...) {
    char line[4096];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    return lp_progress_step(&watch->progress, 0, 0, line)
               ? LP_OK
               : lp_fail(err, LP_CANCELLED, "interrupted: run again, it goes on from here");
}
