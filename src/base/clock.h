/* Time for progress and reports: never part of a result. */
#ifndef LP_BASE_CLOCK_H
#define LP_BASE_CLOCK_H

/* Seconds of a clock that never goes back; only differences mean something. */
double lp_clock_seconds(void);

#endif
