/* Profile: laps of the threads' clocks. */
#include "extract/profile.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"

/* Adds a piece of work to its stage; stages is a list of at most LP_PROFILE_STAGES with room for
 * what there is. */
static void add(lp_stage *stages, size_t *count, const lp_stage *piece) {
    size_t i = 0;
    while (i < *count && stages[i].name != piece->name &&
           strcmp(stages[i].name, piece->name) != 0) {
        i++;
    }
    assert(i < LP_PROFILE_STAGES);
    if (i == *count) {
        stages[(*count)++] = (lp_stage){.name = piece->name};
    }
    stages[i].seconds += piece->seconds;
    stages[i].operations += piece->operations;
    stages[i].bytes += piece->bytes;
}

void lp_stopwatch_start(lp_stopwatch *watch) {
    if (watch != NULL) {
        watch->last = lp_clock_seconds();
    }
}

void lp_stopwatch_lap(void *context, const char *name, double operations, double bytes) {
    lp_stopwatch *watch = context;
    if (watch != NULL) {
        double now = lp_clock_seconds();
        add(watch->stages, &watch->count, &(lp_stage){name, now - watch->last, operations, bytes});
        watch->last = now;
    }
}

void lp_profile_add(lp_profile *profile, const lp_stopwatch *watch) {
    for (size_t i = 0; i < watch->count; i++) {
        add(profile->stages, &profile->count, &watch->stages[i]);
    }
}

void lp_profile_close(lp_profile *profile) {
    double left = (double)profile->threads * profile->seconds;
    for (size_t i = 0; i < profile->count; i++) {
        left -= profile->stages[i].seconds;
    }
    add(profile->stages, &profile->count, &(lp_stage){.name = "waiting", .seconds = left});
}
