/* Comparison bars.  Left to right: names, bars over a common scale, values as text. */
#include "report/bars.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "report/chart_axis.h"

enum { WIDTH = 900, MARGIN = 20, ROW = 34, VALUES = 176, NAMES = 330, MAX_BARS = 500 };
enum { NAME_ROW = 20 }; /* narrow: over each bar */
static const lp_heading heading = {MARGIN, MARGIN + 6, 18};

typedef struct bar_layout {
    lp_chart_axis axis;
    double width, left, right, top, bottom;
    double row; /* height of one bar with its name */
    bool wide, from_zero;
} bar_layout;

static const lp_color mark = 0xd55e00; /* of the reported number */

static double finite_or(double value, double fallback) {
    return isfinite(value) ? value : fallback;
}

static void draw_row(const bar_layout *at, lp_chart *chart, const lp_bar *bar, double y) {
    lp_text_style name = {.size = 14, .color = LP_INK, .align = LP_ALIGN_RIGHT, .max_width = NAMES};
    const lp_text_style value = {.size = 14, .color = LP_INK, .max_width = VALUES - 10};
    const lp_pen whisker = {LP_INK, 1.5, LP_SOLID};
    double end = lp_chart_axis_place(&at->axis, 100 * bar->accuracy);
    char text[64] = "no value";
    if (!at->wide) {
        name.align = LP_ALIGN_LEFT;
        name.max_width = at->width - 2 * MARGIN;
    }
    lp_chart_text(chart, at->wide ? at->left - 10 : at->left, at->wide ? y : y - ROW / 2.0 - 4,
                  &name, bar->name);
    if (isfinite(bar->accuracy) && at->from_zero) {
        lp_chart_rect(chart, at->left, y - 0.32 * ROW, end - at->left, 0.64 * ROW, 0x56b4e9);
    }
    if (isfinite(bar->reported)) {
        double x = lp_chart_axis_place(&at->axis, 100 * bar->reported);
        const lp_pen pen = {mark, 3, LP_SOLID};
        lp_chart_line(chart, x, y - ROW / 2.0, x, y + ROW / 2.0, &pen);
    }
    if (isfinite(bar->accuracy)) {
        (void)snprintf(text, sizeof text, "%.2f", 100 * bar->accuracy);
        if (isfinite(bar->low) && isfinite(bar->high)) {
            double low = lp_chart_axis_place(&at->axis, 100 * bar->low);
            double high = lp_chart_axis_place(&at->axis, 100 * bar->high);
            lp_chart_interval(chart, (lp_xy){low, y}, (lp_xy){high, y}, false, &whisker);
            (void)snprintf(text, sizeof text, "%.2f  [%.2f, %.2f]", 100 * bar->accuracy,
                           100 * bar->low, 100 * bar->high);
        }
        if (!at->from_zero) {
            lp_chart_marker(chart, 0, end, y, 12, lp_series_color(0));
        }
    }
    lp_chart_text(chart, at->right + 14, y, &value, text);
}

static void draw_axis(const lp_bars *bars, const bar_layout *at, lp_chart *chart) {
    char measure[160];
    const lp_pen axis = {LP_INK, 1, LP_SOLID};
    double middle = at->wide ? (at->left + at->right) / 2 : at->width / 2;
    const lp_text_style style = {.size = 15,
                                 .color = LP_INK,
                                 .align = LP_ALIGN_CENTER,
                                 .max_width = 2 * fmin(middle, at->width - middle) - MARGIN};
    lp_chart_axis_columns(&at->axis, chart, at->top, at->bottom, at->bottom, false);
    lp_chart_line(chart, at->left, at->bottom, at->right, at->bottom, &axis);
    (void)snprintf(measure, sizeof measure, "%.150s (%%)",
                   bars->measure != NULL ? bars->measure : "Accuracy");
    lp_chart_text(chart, middle, at->bottom + 40, &style, measure);
}

static void draw(const lp_bars *bars, const bar_layout *at, lp_chart *chart, bool reported,
                 bool intervals) {
    lp_text_style side = {.size = 13, .color = LP_FAINT, .max_width = VALUES - 10};
    lp_chart_text(chart, at->right + 14, at->top - 14, &side,
                  intervals ? "%  [95 % interval]" : "%");
    if (reported) {
        const lp_pen pen = {mark, 3, LP_SOLID};
        side.max_width = at->right - at->left - 20;
        lp_chart_line(chart, at->left + 4, at->top - 24, at->left + 4, at->top - 5, &pen);
        lp_chart_text(chart, at->left + 13, at->top - 14, &side,
                      bars->reported != NULL ? bars->reported : "reported");
    }
    draw_axis(bars, at, chart);
    for (size_t i = 0; i < bars->count; i++) {
        draw_row(at, chart, &bars->bars[i], at->top + (double)(i + 1) * at->row - ROW / 2.0);
    }
}

lp_status lp_bars_chart(const lp_bars *bars, lp_chart **chart, lp_error *err) {
    double low = INFINITY, high = -INFINITY;
    bool reported = false, intervals = false;
    *chart = NULL;
    if (bars->count > MAX_BARS) {
        return lp_fail(err, LP_ERR_ARGUMENT, "chart \"%s\": %zu bars, expected at most %d",
                       bars->title, bars->count, MAX_BARS);
    }
    for (size_t i = 0; i < bars->count; i++) {
        const lp_bar *bar = &bars->bars[i];
        if (isfinite(bar->accuracy)) {
            low = fmin(low, fmin(bar->accuracy, finite_or(bar->low, NAN)));
            high = fmax(high, fmax(bar->accuracy, finite_or(bar->high, NAN)));
            intervals = intervals || (isfinite(bar->low) && isfinite(bar->high));
        }
    }
    if (!(low <= high)) {
        return lp_fail(err, LP_ERR_DATA, "chart \"%s\": there is no finite value to draw",
                       bars->title);
    }
    for (size_t i = 0; i < bars->count; i++) {
        low = fmin(low, finite_or(bars->bars[i].reported, NAN));
        high = fmax(high, finite_or(bars->bars[i].reported, NAN));
        reported = reported || isfinite(bars->bars[i].reported);
    }
    bool wide = bars->format == LP_CHART_WIDE;
    bar_layout at = {.wide = wide,
                     .width = wide ? WIDTH : LP_NARROW_WIDTH,
                     .row = wide ? ROW : ROW + NAME_ROW,
                     .from_zero = bars->count == 1 || high - low >= 0.25 * high};
    at.axis = lp_chart_axis_make(LP_SCALE_LINEAR, 100 * (at.from_zero ? fmin(low, 0) : low),
                                 100 * high, wide ? 7 : 3, 0, 100);
    at.top = MARGIN + 62;
    at.bottom = at.top + at.row * (double)bars->count;
    lp_status status =
        lp_chart_new_headed(bars->title, heading, at.width, at.bottom + 52 + MARGIN, 2, chart, err);
    if (status == LP_OK) {
        const lp_text_style name = {.size = 14, .max_width = NAMES};
        double names = 0;
        for (size_t i = 0; wide && i < bars->count; i++) {
            names = fmax(names, lp_chart_text_width(*chart, &name, bars->bars[i].name));
        }
        at.axis.from = at.left = MARGIN + (wide ? names + 14 : 10);
        at.axis.to = at.right = at.width - MARGIN - VALUES;
        draw(bars, &at, *chart, reported, intervals);
    }
    return status;
}
