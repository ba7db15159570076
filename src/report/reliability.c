/* Reliability diagram.  Top to bottom: title, legend, accuracy against confidence, histogram of the
 * confidence over the same axis. */
#include "report/reliability.h"

#include "base/error.h"
#include "report/chart_axis.h"

enum { WIDTH = 560, MARGIN = 20, FONT = 14 };
enum { LEFT = MARGIN + 66, RIGHT = WIDTH - MARGIN - 8, TOP = 88, BOTTOM = TOP + 330 };
enum { STRIP_TOP = BOTTOM + 26, STRIP_BOTTOM = STRIP_TOP + 90, HEIGHT = STRIP_BOTTOM + 74 };

typedef struct reliability_plan {
    const lp_calibration_bin *bins;
    size_t count;             /* examples in all bins */
    lp_chart_axis confidence; /* percent, left to right */
    lp_chart_axis accuracy;   /* percent, upwards */
    lp_chart_axis share;      /* percent of the examples, upwards */
} reliability_plan;

static const lp_pen axis = {LP_INK, 1, LP_SOLID}, ideal = {LP_FAINT, 1.6, LP_DASHED};

static void draw_legend(lp_chart *chart) {
    const lp_text_style style = {.size = FONT, .color = LP_INK};
    const char *point = "accuracy of a bin, 95 % interval";
    double y = MARGIN + 36, x = MARGIN + 6;
    const lp_pen bar = {lp_series_color(0), 1.4, LP_SOLID};
    lp_chart_line(chart, x, y - 8, x, y + 8, &bar);
    lp_chart_marker(chart, 0, x, y, 9, lp_series_color(0));
    lp_chart_text(chart, x + 14, y, &style, point);
    x += 14 + lp_chart_text_width(chart, &style, point) + 28;
    lp_chart_line(chart, x, y, x + 34, y, &ideal);
    lp_chart_text(chart, x + 44, y, &style, "as sure as right");
}

/* An axis that goes upwards and its name. */
static void draw_rows(const lp_chart_axis *rows, lp_chart *chart, const char *name) {
    const lp_text_style label = {.size = FONT + 1,
                                 .color = LP_INK,
                                 .align = LP_ALIGN_CENTER,
                                 .upward = true,
                                 .max_width = rows->from - rows->to + 24};
    lp_chart_axis_rows(rows, chart, LEFT, RIGHT);
    lp_chart_text(chart, MARGIN + 2, (rows->from + rows->to) / 2, &label, name);
}

static void draw_axes(const reliability_plan *p, lp_chart *chart) {
    const lp_text_style style = {.size = FONT + 1, .color = LP_INK, .align = LP_ALIGN_CENTER};
    draw_rows(&p->accuracy, chart, "Accuracy (%)");
    draw_rows(&p->share, chart, "Images (%)");
    lp_chart_axis_columns(&p->confidence, chart, TOP, BOTTOM, STRIP_BOTTOM, false);
    lp_chart_text(chart, (LEFT + RIGHT) / 2.0, STRIP_BOTTOM + 42, &style,
                  "Confidence: probability of the predicted class (%)");
}

static void draw_bins(const reliability_plan *p, lp_chart *chart) {
    const lp_pen bar = {lp_series_color(0), 1.6, LP_SOLID};
    for (size_t i = 0; i < LP_CALIBRATION_BINS; i++) {
        const lp_calibration_bin *b = &p->bins[i];
        if (b->count == 0) {
            continue;
        }
        double from = lp_chart_axis_place(&p->confidence, 100.0 * (double)i / LP_CALIBRATION_BINS);
        double to =
            lp_chart_axis_place(&p->confidence, 100.0 * (double)(i + 1) / LP_CALIBRATION_BINS);
        double height = lp_chart_axis_place(&p->share, 100 * (double)b->count / (double)p->count);
        lp_chart_rect(chart, from + 1, height, to - from - 2, STRIP_BOTTOM - height, 0x56b4e9);
        lp_interval interval = lp_wilson(b->correct, b->count);
        double x = lp_chart_axis_place(&p->confidence, 100 * b->confidence);
        double low = lp_chart_axis_place(&p->accuracy, 100 * interval.low);
        double high = lp_chart_axis_place(&p->accuracy, 100 * interval.high);
        double y = lp_chart_axis_place(&p->accuracy, 100 * (double)b->correct / (double)b->count);
        lp_chart_interval(chart, (lp_xy){x, low}, (lp_xy){x, high}, true, &bar);
        lp_chart_marker(chart, 0, x, y, 10, bar.color);
    }
}

static void draw(const reliability_plan *p, lp_chart *chart) {
    draw_legend(chart);
    draw_axes(p, chart);
    lp_chart_line(chart, LEFT, BOTTOM, RIGHT, TOP, &ideal);
    draw_bins(p, chart);
    lp_chart_line(chart, LEFT, BOTTOM, RIGHT, BOTTOM, &axis);
    lp_chart_line(chart, LEFT, TOP, LEFT, BOTTOM, &axis);
    lp_chart_line(chart, LEFT, STRIP_BOTTOM, RIGHT, STRIP_BOTTOM, &axis);
    lp_chart_line(chart, LEFT, STRIP_TOP, LEFT, STRIP_BOTTOM, &axis);
}

lp_status lp_reliability_chart(const char *title,
                               const lp_calibration_bin bins[LP_CALIBRATION_BINS], lp_chart **chart,
                               lp_error *err) {
    reliability_plan p = {.bins = bins};
    size_t largest = 0;
    *chart = NULL;
    for (size_t i = 0; i < LP_CALIBRATION_BINS; i++) {
        p.count += bins[i].count;
        largest = bins[i].count > largest ? bins[i].count : largest;
    }
    if (p.count == 0) {
        return lp_fail(err, LP_ERR_DATA, "chart \"%s\": there is no value to draw", title);
    }
    p.confidence = p.accuracy = lp_chart_axis_make(LP_SCALE_LINEAR, 0, 100, 10, 0, 100);
    p.share =
        lp_chart_axis_make(LP_SCALE_LINEAR, 0, 100 * (double)largest / (double)p.count, 3, 0, 100);
    p.confidence.from = LEFT;
    p.confidence.to = RIGHT;
    p.accuracy.from = BOTTOM;
    p.accuracy.to = TOP;
    p.share.from = STRIP_BOTTOM;
    p.share.to = STRIP_TOP;
    lp_status status = lp_chart_new_headed(title, (lp_heading){MARGIN, MARGIN + 6, 18}, WIDTH,
                                           HEIGHT, 2, chart, err);
    if (status == LP_OK) {
        draw(&p, *chart);
    }
    return status;
}
