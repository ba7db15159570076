/* Accuracy curves.  Top to bottom: title, legend, axis of lambda (sweep), plot, axis of x.  Series
 * differ by colour, marker and dashes; intervals are bands, for a lone point a bar. */
#include "report/curve.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "report/chart_axis.h"

enum {
    WIDTH = 900,
    HEIGHT = 560,
    NARROW_HEIGHT = 440,
    MARGIN = 20,
    FONT = 14,
    LEGEND_ROW = 22,
    SAMPLE = 44
};
enum { MAX_SERIES = 12 };
static const double BAND_OPACITY = 0.2;

static const lp_heading heading = {MARGIN, MARGIN + 6, 18};
static const lp_text_style label_style = {
    .size = FONT + 1, .color = LP_INK, .align = LP_ALIGN_CENTER};
static const lp_text_style legend_style = {.size = FONT, .color = LP_INK};

static bool usable(const lp_curve_point *p) {
    return isfinite(p->x) && p->x > 0 && isfinite(p->accuracy);
}

static bool has_interval(const lp_curve_point *p) {
    return isfinite(p->low) && isfinite(p->high);
}

static int by_x(const void *a, const void *b) {
    double x = ((const lp_curve_point *)a)->x, y = ((const lp_curve_point *)b)->x;
    return (x > y) - (x < y);
}

/* Where everything lies. */
typedef struct curve_layout {
    lp_chart_axis x, y;
    double width, left, right, top, bottom;
    bool lambda, intervals, lines;
} curve_layout;

/* Ranges of x (left, right) and accuracy (top, bottom); returns whether there are intervals. */
static bool find_ranges(const lp_curve *curve, lp_box *range) {
    bool intervals = false;
    *range = (lp_box){INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (size_t s = 0; s < curve->series_count; s++) {
        for (size_t i = 0; i < curve->series[s].count; i++) {
            const lp_curve_point *p = &curve->series[s].points[i];
            if (usable(p)) {
                range->left = fmin(range->left, p->x);
                range->right = fmax(range->right, p->x);
                intervals = intervals || has_interval(p);
                /* fmin and fmax pass over NaN */
                range->top = fmin(range->top, fmin(p->accuracy, isfinite(p->low) ? p->low : NAN));
                range->bottom =
                    fmax(range->bottom, fmax(p->accuracy, isfinite(p->high) ? p->high : NAN));
            }
        }
    }
    if (isfinite(curve->chosen) && curve->chosen > 0 && range->left <= range->right) {
        range->left = fmin(range->left, curve->chosen);
        range->right = fmax(range->right, curve->chosen);
    }
    return intervals;
}

static void draw_sample(lp_chart *chart, size_t series, double x, double y, bool line) {
    lp_pen pen = {lp_series_color(series), 2.2, (lp_dash)(series % 4)};
    if (line) {
        lp_chart_line(chart, x, y, x + SAMPLE - 10, y, &pen);
    }
    lp_chart_marker(chart, series + series / 7, x + (SAMPLE - 10) / 2.0, y, 10, pen.color);
}

/* A piece of the bands of all series that have one, in their own colours, from the left. */
static void draw_band_sample(const lp_curve *curve, lp_chart *chart, double x, double y) {
    double step = (SAMPLE - 16) / (double)curve->series_count;
    for (size_t s = 0; s < curve->series_count; s++) {
        double from = x + 8 + step * (double)s;
        const lp_xy corners[] = {
            {from, y - 7}, {from + step, y - 7}, {from + step, y + 7}, {from, y + 7}};
        lp_chart_area(chart, corners, 4, lp_series_color(s), BAND_OPACITY);
    }
}

/* Draws the legend from y on, or only measures it; returns its end.  The last entry is that of the
 * intervals, where there are any. */
static double draw_legend(const lp_curve *curve, const curve_layout *at, lp_chart *chart, double y,
                          bool draw) {
    double x = MARGIN;
    lp_text_style style = legend_style;
    style.max_width = at->width - 2 * MARGIN - SAMPLE;
    for (size_t s = 0; s < curve->series_count + at->intervals; s++) {
        bool band = s == curve->series_count;
        const char *name = !band                     ? curve->series[s].name
                           : curve->interval != NULL ? curve->interval
                                                     : "95 % interval";
        double width = SAMPLE + lp_chart_text_width(chart, &style, name);
        if (x > MARGIN && x + width > at->width - MARGIN) {
            x = MARGIN;
            y += LEGEND_ROW;
        }
        if (draw && band) {
            draw_band_sample(curve, chart, x, y);
        } else if (draw) {
            draw_sample(chart, s, x, y, curve->series[s].count > 1 && at->lines);
        }
        if (draw) {
            lp_chart_text(chart, x + SAMPLE, y, &style, name);
        }
        x += width + 24;
    }
    return y + LEGEND_ROW;
}

static bool wide_enough(const curve_layout *at) {
    return at->width >= WIDTH;
}

static void draw_axes(const lp_curve *curve, const curve_layout *at, lp_chart *chart) {
    static const char *const names[] = {
        [LP_CURVE_SWEEP] = "C (inverse of the regularisation strength, log scale)",
        [LP_CURVE_FEW_SHOT] = "Training examples per class (log scale)",
        [LP_CURVE_WORK] = "Work for an image (GFLOP, log scale)"};
    const lp_pen axis = {LP_INK, 1, LP_SOLID};
    lp_text_style label = label_style;
    lp_chart_axis_rows(&at->y, chart, at->left, at->right);
    lp_chart_axis_columns(&at->x, chart, at->top, at->bottom, at->bottom, at->lambda);
    lp_chart_line(chart, at->left, at->bottom, at->right, at->bottom, &axis);
    lp_chart_line(chart, at->left, at->top, at->left, at->bottom, &axis);
    double middle = (at->left + at->right) / 2;
    if (at->lambda) {
        lp_chart_line(chart, at->left, at->top, at->right, at->top, &axis);
        lp_chart_text(chart, middle, at->top - 36, &label, "\xce\xbb = 1/C");
    }
    lp_chart_text(chart, middle, at->bottom + 40, &label,
                  at->lambda && !wide_enough(at) ? "C (log scale)" : names[curve->kind]);
    char measure[160];
    (void)snprintf(measure, sizeof measure, "%.150s (%%)",
                   curve->measure != NULL ? curve->measure : "Accuracy");
    label.upward = true;
    label.max_width = at->bottom - at->top;
    lp_chart_text(chart, MARGIN + 2, (at->top + at->bottom) / 2, &label, measure);
}

/* The band of the intervals, a polygon along the upper ends and back along the lower ones; it is
 * broken where a point has none. */
static void draw_band(const curve_layout *at, lp_chart *chart, const lp_curve_point *points,
                      size_t count, lp_xy *scratch, lp_color color) {
    size_t n;
    for (size_t i = 0; i < count; i += n + (n == 0)) {
        for (n = 0; i + n < count && has_interval(&points[i + n]); n++) {
        }
        for (size_t k = 0; k < n; k++) {
            const lp_curve_point *p = &points[i + k];
            double x = lp_chart_axis_place(&at->x, p->x);
            scratch[k] = (lp_xy){x, lp_chart_axis_place(&at->y, 100 * p->high)};
            scratch[2 * n - 1 - k] = (lp_xy){x, lp_chart_axis_place(&at->y, 100 * p->low)};
        }
        if (n > 1) {
            lp_chart_area(chart, scratch, 2 * n, color, BAND_OPACITY);
        }
    }
}

/* Draws one series: its band first when `front` is false, so that no band hides a line. */
static void draw_series(const curve_layout *at, lp_chart *chart, size_t s,
                        const lp_curve_point *points, size_t count, lp_xy *scratch, bool front) {
    lp_pen pen = {lp_series_color(s), 2.2, (lp_dash)(s % 4)};
    const lp_pen bar = {pen.color, 1.4, LP_SOLID};
    if (!front) {
        draw_band(at, chart, points, count, scratch, pen.color);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        scratch[i] = (lp_xy){lp_chart_axis_place(&at->x, points[i].x),
                             lp_chart_axis_place(&at->y, 100 * points[i].accuracy)};
    }
    if (at->lines) {
        lp_chart_polyline(chart, scratch, count, &pen);
    }
    for (size_t i = 0; i < count; i++) {
        if (has_interval(&points[i]) && count <= 12) {
            lp_xy high = {scratch[i].x, lp_chart_axis_place(&at->y, 100 * points[i].high)};
            lp_xy low = {scratch[i].x, lp_chart_axis_place(&at->y, 100 * points[i].low)};
            lp_chart_interval(chart, high, low, true, &bar);
        }
        double size = count > 40 ? 6 : count > 20 ? 7 : 9;
        lp_chart_marker(chart, s + s / 7, scratch[i].x, scratch[i].y, size, pen.color);
    }
}

static void draw_chosen(const lp_curve *curve, const curve_layout *at, lp_chart *chart) {
    char text[64];
    double x = lp_chart_axis_place(&at->x, curve->chosen);
    const lp_pen pen = {LP_INK, 1.4, LP_DASHED};
    lp_chart_line(chart, x, at->top, x, at->bottom, &pen);
    if (at->lambda) {
        (void)snprintf(text, sizeof text, "chosen: C = %.3g, \xce\xbb = %.3g", curve->chosen,
                       1 / curve->chosen);
    } else {
        (void)snprintf(text, sizeof text, "chosen: %.3g", curve->chosen);
    }
    /* on the emptier side: at the bottom, towards the middle, and inside the plot */
    lp_text_style style = legend_style;
    double width = lp_chart_text_width(chart, &style, text), y = at->bottom - 14;
    double start = x > (at->left + at->right) / 2 ? x - 7 - width : x + 7;
    start = fmax(fmin(start, at->right - width), at->left + 3);
    lp_chart_rect(chart, start - 3, y - 9, width + 6, 18, LP_PAPER);
    lp_chart_text(chart, start, y, &style, text);
}

static void draw(const lp_curve *curve, curve_layout *at, lp_chart *chart, lp_curve_point *points,
                 lp_xy *scratch) {
    (void)draw_legend(curve, at, chart, MARGIN + 38, true);
    draw_axes(curve, at, chart);
    for (int front = 0; front < 2; front++) {
        for (size_t s = 0; s < curve->series_count; s++) {
            size_t count = 0;
            for (size_t i = 0; i < curve->series[s].count; i++) {
                if (usable(&curve->series[s].points[i])) {
                    points[count++] = curve->series[s].points[i];
                }
            }
            qsort(points, count, sizeof *points, by_x);
            draw_series(at, chart, s, points, count, scratch, front == 1);
        }
        if (front == 0 && isfinite(curve->chosen) && curve->chosen > 0) {
            draw_chosen(curve, at, chart);
        }
    }
}

lp_status lp_curve_chart(const lp_curve *curve, lp_chart **out, lp_error *err) {
    lp_box range;
    size_t most = 1;
    *out = NULL;
    if (curve->series_count > MAX_SERIES) {
        return lp_fail(err, LP_ERR_ARGUMENT, "chart \"%s\": %zu series, expected at most %d",
                       curve->title, curve->series_count, MAX_SERIES);
    }
    bool wide = curve->format == LP_CHART_WIDE;
    const size_t ticks = curve->kind == LP_CURVE_SWEEP ? 14 : 9;
    size_t rows = curve->series_count > 2 ? curve->series_count - 2 : 0; /* more of the legend */
    const double height = wide ? HEIGHT : NARROW_HEIGHT + LEGEND_ROW * (double)rows;
    curve_layout at = {.lambda = curve->kind == LP_CURVE_SWEEP,
                       .lines = curve->kind != LP_CURVE_WORK,
                       .width = wide ? WIDTH : LP_NARROW_WIDTH};
    at.intervals = find_ranges(curve, &range);
    if (!(range.left <= range.right)) {
        return lp_fail(err, LP_ERR_DATA, "chart \"%s\": there is no finite value to draw",
                       curve->title);
    }
    for (size_t s = 0; s < curve->series_count; s++) {
        most = curve->series[s].count > most ? curve->series[s].count : most;
    }
    lp_chart *chart = NULL;
    lp_memory memory = {0};
    lp_status status;
    lp_curve_point *points = lp_memory_take(&memory, most, sizeof *points);
    lp_xy *scratch = lp_memory_take(&memory, most, 2 * sizeof *scratch);
    LP_TRY(lp_memory_check(&memory, "curve", err));
    LP_TRY(lp_chart_new_headed(curve->title, heading, at.width, height, 2, &chart, err));
    at.y = lp_chart_axis_make(LP_SCALE_LINEAR, 100 * range.top, 100 * range.bottom, 8, 0, 100);
    at.x = lp_chart_axis_make(at.lambda ? LP_SCALE_LOG10 : LP_SCALE_LOG2, range.left, range.right,
                              wide ? ticks : ticks / 2, 0, INFINITY);
    at.x.from = at.left = MARGIN + 70;
    at.x.to = at.right = at.width - MARGIN - 16;
    at.y.to = at.top = draw_legend(curve, &at, chart, MARGIN + 38, false) + (at.lambda ? 40 : 0);
    at.y.from = at.bottom = height - MARGIN - 42;
    draw(curve, &at, chart, points, scratch);
done:
    lp_memory_free(&memory);
    *out = chart;
    return status;
}
