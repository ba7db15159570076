/* Progress on standard error: one line that is redrawn on a terminal, a plain line every ten
 * seconds elsewhere.  It is a count of `unit`, or, where the unit is "", the line that describes
 * the latest step, with the time left.  With --verbose every such line is printed, one below the
 * other. */
#ifndef LP_CLI_METER_H
#define LP_CLI_METER_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/run.h"

typedef struct meter {
    const char *what; /* "test features" */
    const char *unit; /* "images", or "" */
    bool terminal;
    bool drawn; /* an unfinished line stands on the terminal */
    double start;
    double last; /* time of the last output */
    double base; /* done before this run, no part of the rate; below 0: not known yet */
} meter;

void meter_start(meter *m, const char *what, const char *unit);

/* Of work that reports once before it begins: the first call takes `done` for what was there
 * before; later ones do nothing. */
void meter_resume(meter *m, double done);

/* Shows `done` of `total` (0 = unknown): bar, rate and time left; bytes where the unit is MB. Draws
 * at most ten times a second (a line every ten seconds off a terminal), and always at the end. */
void meter_show(meter *m, double done, double total);

/* Ends the line on a terminal, or removes it where it describes a step. */
void meter_end(meter *m);

/* An lp_progress step that draws on the meter which is its context, and stops on a signal.  A line
 * of no step (done and total 0) is a sentence that stands above the meter. */
bool meter_step(void *context, uint64_t done, uint64_t total, const char *line);

/* A run's reports on the meter: stages and steps are drawn, sentences stand above it, and a signal
 * stops the work.  The watch lives as long as the meter. */
lp_watch meter_watch(meter *m);

#endif
