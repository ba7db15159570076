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

/* Time left, or taken where all is done; "–" where it cannot be told yet. */
static void format_left(const meter *m, double done, double total, char text[32]) {
    double elapsed = lp_clock_seconds() - m->start;
    if (total > 0 && done >= total) {
        format_time(text, elapsed);
    } else if (total > 0 && done > m->base && elapsed > 0) {
        format_time(text, (total - done) * elapsed / (done - m->base));
    } else {
        (void)snprintf(text, 32, "–");
    }
}

/* "5/100 classes  2.1 classes/s  0:45 left" */
static void print_counts(const meter *m, double done, double total, char text[256]) {
    bool bytes = strcmp(m->unit, "MB") == 0;
    double scale = bytes ? 1e6 : 1;
    int decimals = bytes ? 1 : 0;
    double elapsed = lp_clock_seconds() - m->start;
    double rate = elapsed > 0 ? (done - m->base) / elapsed : 0;
    char left[32], of_total[48] = "";
    format_left(m, done, total, left);
    if (total > 0) {
        (void)snprintf(of_total, sizeof of_total, "/%.*f", decimals, total / scale);
    }
    (void)snprintf(text, 256, "%.*f%s %s  %.*f %s/s  %s%s", decimals, done / scale, of_total,
                   m->unit, rate / scale < 100 ? 1 : 0, rate / scale, m->unit,
                   total > 0 ? left : "", total > 0 && done < total ? " left" : "");
}

static void print_bar(double done, double total, int room, char bar[BAR_MAX + 5]) {
    bar[0] = '\0';
    if (room >= 6 && total > 0) {
        int width = room < BAR_MAX ? room : BAR_MAX;
        int full = done >= total ? width : (int)((double)width * done / total);
        bar[0] = '[';
        memset(bar + 1, '#', (size_t)full);
        memset(bar + 1 + full, '.', (size_t)(width - full));
        memcpy(bar + width + 1, "]  ", 4);
    }
}

/* How many bytes the first `columns` characters of UTF-8 text take. */
static int cut(const char *text, size_t columns) {
    size_t bytes = 0;
    for (size_t seen = 0; text[bytes] != '\0'; bytes++) {
        seen += ((unsigned char)text[bytes] & 0xC0U) != 0x80;
        if (seen > columns) {
            break;
        }
    }
    return (int)bytes;
}

/* A line in place of the one that stands there, of a beginning and an end; never as wide as the
 * terminal, so that it can't wrap: the beginning is cut, before a comma where it has one. */
static void draw(meter *m, const char *begin, const char *end) {
    size_t columns = lp_terminal_columns(stderr), used = 1 + (size_t)cut(end, SIZE_MAX);
    int room = cut(begin, columns > used ? columns - used : 0), whole = room;
    while (begin[room] != '\0' && begin[room] != ',' && room > 0) {
        room--;
    }
    room = room > 0 ? room : whole;
    (void)fprintf(stderr, "\r\033[K%.*s%s", room, begin, end);
    (void)fflush(stderr);
    m->drawn = true;
}

/* Whether the meter is to be drawn now. */
static bool is_time(meter *m, bool last) {
    double time = lp_clock_seconds();
    if (general.quiet || (!last && time - m->last < (m->terminal ? 0.1 : 10.0))) {
        return false;
    }
    m->last = time;
    return true;
}

static void set_base(meter *m, double done) {
    m->base = m->base < 0 ? 0 : m->base < done ? m->base : done; /* a download may start again */
}

void meter_show(meter *m, double done, double total) {
    char text[256], bar[BAR_MAX + 5], line[400];
    bool last = total > 0 && done >= total;
    set_base(m, done);
    if (!is_time(m, last)) {
        return;
    }
    print_counts(m, done, total, text);
    if (!m->terminal) {
        (void)fprintf(stderr, "%s: %s\n", m->what, text);
        return;
    }
    int columns = (int)lp_terminal_columns(stderr);
    print_bar(done, total, columns - (int)strlen(m->what) - (int)strlen(text) - 6, bar);
    (void)snprintf(line, sizeof line, "%s  %s%s", m->what, bar, text);
    draw(m, line, "");
    if (last) {
        meter_end(m);
    }
}

/* "softmax: iteration 3, objective 677.12968, gap at most 0.019, 0:07 left": work that is better
 * described by its latest step than counted.  The first one is drawn at once. */
static void show_state(meter *m, double done, double total, const char *state) {
    char left[32], begin[640], end[48];
    set_base(m, done);
    if (!(m->terminal && !m->drawn && !general.quiet) && !is_time(m, false)) {
        return;
    }
    format_left(m, done, total, left);
    (void)snprintf(begin, sizeof begin, "%s: %s", m->what, state);
    (void)snprintf(end, sizeof end, ", %s left", left);
    if (m->terminal) {
        draw(m, begin, end);
    } else {
        (void)fprintf(stderr, "%s%s\n", begin, end);
    }
}

void meter_resume(meter *m, double done) {
    m->base = m->base < 0 ? done : m->base;
}

void meter_end(meter *m) {
    if (m->drawn) {
        (void)fputs(m->unit[0] == '\0' ? "\r\033[K" : "\n", stderr); /* a state has no end */
        m->drawn = false;
    }
}

static void print_above(meter *m, const char *what, const char *line) {
    if (!general.quiet) {
        (void)fprintf(stderr, "%s%s%s%s\n", m->drawn ? "\r\033[K" : "", what,
                      what[0] != '\0' ? ": " : "", line);
        m->drawn = false;
    }
}

bool meter_step(void *context, uint64_t done, uint64_t total, const char *line) {
    meter *m = context;
    bool sentence = done == 0 && total == 0;
    if (line != NULL && (sentence || general.verbose)) {
        print_above(m, sentence ? "" : m->what, line);
    }
    if (m->unit[0] != '\0' && total > 0) {
        meter_show(m, (double)done, (double)total);
    } else if (m->unit[0] == '\0' && line != NULL && !sentence && !general.verbose) {
        show_state(m, (double)done, (double)total, line);
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
