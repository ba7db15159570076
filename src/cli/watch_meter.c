/* Reports on the meter. */
#include "cli/watch_meter.h"

#include <string.h>

#include "cli/interrupt.h"

bool meter_step(void *context, uint64_t done, uint64_t total, const char *line) {
    meter *m = context;
    if (line != NULL) {
        meter_line(m, line);
    }
    if (total > 0) {
        meter_show(m, (double)done, (double)total);
    }
    return interrupt_signal() == 0;
}

/* Images that were there before are no part of the rate. */
static bool step(void *context, uint64_t done, uint64_t total, const char *line) {
    meter *m = context;
    if (m->unit != NULL && strcmp(m->unit, "images") == 0 && total > 0) {
        meter_resume(m, (double)done);
    }
    return meter_step(context, done, total, line);
}

static void begin(void *context, const char *what, const char *unit) {
    meter *m = context;
    if (what != NULL) {
        meter_start(m, what, unit);
    } else {
        meter_end(m);
        m->unit = NULL;
    }
}

lp_watch meter_watch(meter *m) {
    memset(m, 0, sizeof *m);
    return (lp_watch){.stage = begin, .progress = {step, m}};
}
