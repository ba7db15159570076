/* Profile: laps of the threads' clocks. */
#include "extract/profile.h"

#include <assert.h>
#include <string.h>

#include "base/clock.h"

/* stages is a list of at most LP_PROFILE_STAGES with room for what there is. */
static lp_stage *find_stage(lp_stage *stages, size_t *count, const char *name) {
    size_t i = 0;
    while (i < *count && stages[i].name != name && strcmp(stages[i].name, name) != 0) {
        i++;
    }
    assert(i < LP_PROFILE_STAGES);
    if (i == *count) {
        stages[(*count)++] = (lp_stage){.name = name};
    }
    return &stages[i];
}

void lp_stopwatch_start(lp_stopwatch *watch) {
    if (watch != NULL) {
        watch->last = lp_clock_seconds();
    }
}

void lp_stopwatch_lap(void *context, const char *name, double operations, double bytes) {
    lp_stopwatch *watch = context;
    if (watch == NULL) {
        return;
    }
    double now = lp_clock_seconds();
    lp_stage *stage = find_stage(watch->stages, &watch->count, name);
    stage->seconds += now - watch->last;
    stage->operations += operations;
    stage->bytes += bytes;
    watch->last = now;
}

void lp_profile_add(lp_profile *profile, const lp_stopwatch *watch) {
    for (size_t i = 0; i < watch->count; i++) {
        const lp_stage *from = &watch->stages[i];
        lp_stage *to = find_stage(profile->stages, &profile->count, from->name);
        to->seconds += from->seconds;
        to->operations += from->operations;
        to->bytes += from->bytes;
    }
}

void lp_profile_close(lp_profile *profile) {
    double left = (double)profile->threads * profile->seconds;
    for (size_t i = 0; i < profile->count; i++) {
        left -= profile->stages[i].seconds;
    }
    find_stage(profile->stages, &profile->count, "waiting")->seconds += left;
}
