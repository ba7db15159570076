/* A run's reports on the progress meter; a signal stops the work. */
#ifndef LP_CLI_WATCH_METER_H
#define LP_CLI_WATCH_METER_H

#include "cli/meter.h"
#include "linprobe/run.h"

/* Draws stages and steps on the meter, and prints sentences above it.  The watch lives as long as
 * the meter. */
lp_watch meter_watch(meter *m);

/* An lp_progress step that draws on the meter which is its context, and stops on a signal. */
bool meter_step(void *context, uint64_t done, uint64_t total, const char *line);

#endif
