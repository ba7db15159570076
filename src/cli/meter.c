/* The progress meter. */
#include "cli/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/general.h"
#include "cli/interrupt.h"
#include "report/terminal.h"

enum { BAR_MAX = 30 };

void meter_start(meter *m, const char *what, const char *unit) {
    memset(m, 0, sizeof *m);
    const char *term = getenv("TERM");
    m->what = what;
    m->unit = unit;
    m->terminal = lp_terminal_columns(stderr) > 0 && (term == NULL || strcmp(term, "dumb") != 0);
    m->start = lp_clock_seconds();
    m->last = m->start;
    m->base = -1;
}

/* "1:02:03", "4:05" or "7 s" */
static void format_time(char text[32], double seconds) {
    unsigned long s = (unsigned long)(seconds + 0.5);
    if (s >= 3600) {
        (void)snprintf(text, 32, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    } else if (s >= 60) {
        (void)snprintf(text, 32, "%lu:%02lu", s / 60, s % 60);
    } else {
        (void)snprintf(text, 32, "%lu s", s);
    }
}

void meter_show(meter *m, double done, double total) {
    bool bytes = strcmp(m->unit, "MB") == 0;
    double scale = bytes ? 1e6 : 1;
    int decimals = bytes ? 1 : 0;
    double time = lp_clock_seconds();
    bool last = total > 0 && done >= total;
    m->base = m->base < 0 ? 0 : m->base < done ? m->base : done; /* a download may start again */
    if (general.quiet || (!last && time - m->last < (m->terminal ? 0.1 : 10.0))) {
        return;
    }
    m->last = time;
    double elapsed = time - m->start;
    double rate = elapsed > 0 ? (done - m->base) / elapsed : 0;
    char left[32], text[256], of_total[48] = "";
    format_time(left, last ? elapsed : rate > 0 ? (total - done) / rate : 0);
    if (total > 0) {
        (void)snprintf(of_total, sizeof of_total, "/%.*f", decimals, total / scale);
    }
    (void)snprintf(text, sizeof text, "%.*f%s %s  %.*f %s/s  %s%s", decimals, done / scale,
                   of_total, m->unit, rate / scale < 100 ? 1 : 0, rate / scale, m->unit,
                   total > 0 ? left : "", total > 0 && !last ? " left" : "");
    if (!m->terminal) {
        (void)fprintf(stderr, "%s: %s\n", m->what, text);
        return;
    }
    int room = (int)lp_terminal_columns(stderr) - (int)strlen(m->what) - (int)strlen(text) - 6;
    char bar[BAR_MAX + 3] = "";
    if (room >= 6 && total > 0) {
        int width = room < BAR_MAX ? room : BAR_MAX;
        int full = last ? width : (int)((double)width * done / total);
        bar[0] = '[';
        memset(bar + 1, '#', (size_t)full);
        memset(bar + 1 + full, '.', (size_t)(width - full));
        bar[width + 1] = ']';
        bar[width + 2] = '\0';
    }
    char line[400];
    (void)snprintf(line, sizeof line, "%s  %s%s%s", m->what, bar, bar[0] != '\0' ? "  " : "", text);
    /* never as wide as the terminal, so that it can't wrap */
    (void)fprintf(stderr, "\r\033[K%.*s", (int)lp_terminal_columns(stderr) - 1, line);
    (void)fflush(stderr);
    m->drawn = true;
    if (last) {
        meter_end(m);
    }
}

void meter_resume(meter *m, double done) {
    m->base = m->base < 0 ? done : m->base;
}

void meter_end(meter *m) {
    if (m->drawn) {
        (void)fputc('\n', stderr);
        m->drawn = false;
    }
}

bool meter_step(void *context, uint64_t done, uint64_t total, const char *line) {
    meter *m = context;
    if (line != NULL && !general.quiet) { /* of one finished class, say: above the meter */
        (void)fprintf(stderr, "%s%s\n", m->drawn ? "\r\033[K" : "", line);
        m->drawn = false;
    }
    if (total > 0) {
        meter_show(m, (double)done, (double)total);
    }
    return interrupt_signal() == 0;
}

/* Images that were there before are no part of the rate. */
static bool step_of_watch(void *context, uint64_t done, uint64_t total, const char *line) {
    meter *m = context;
    if (strcmp(m->unit, "images") == 0 && total > 0) {
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
        m->unit = "";
    }
}

lp_watch meter_watch(meter *m) {
    memset(m, 0, sizeof *m);
    m->unit = "";
    return (lp_watch){.stage = begin, .progress = {step_of_watch, m}};
}
