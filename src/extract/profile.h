/* Where an extraction's time goes: stopwatches of its threads, added up into an lp_profile.
 *
 * A stopwatch that is NULL is not asked for: its calls do nothing. */
#ifndef LP_EXTRACT_PROFILE_H
#define LP_EXTRACT_PROFILE_H

#include "linprobe/extract.h"

typedef struct lp_stopwatch {
    double last; /* when the running piece of work began */
    lp_stage stages[LP_PROFILE_STAGES];
    size_t count;
} lp_stopwatch;

/* A piece of work begins. */
void lp_stopwatch_start(lp_stopwatch *watch);

/* It ends, as stage `name`, and the next begins; the stage_done of an lp_observer whose context is
 * the watch. */
void lp_stopwatch_lap(void *context, const char *name, double operations, double bytes);

/* Adds what a watch has seen. */
void lp_profile_add(lp_profile *profile, const lp_stopwatch *watch);

/* Gives what is left of threads * seconds the name "waiting", the last stage. */
void lp_profile_close(lp_profile *profile);

#endif
