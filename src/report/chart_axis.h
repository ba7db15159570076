/* Axes: where a value lies, and which values are marked. */
#ifndef LP_REPORT_CHART_AXIS_H
#define LP_REPORT_CHART_AXIS_H

#include <stddef.h>
#include "report/chart.h"

enum { LP_MAX_TICKS = 64, LP_TICK_TEXT = 32 };

typedef enum lp_scale { LP_SCALE_LINEAR, LP_SCALE_LOG10, LP_SCALE_LOG2 } lp_scale;

typedef struct lp_chart_axis {
    lp_scale scale;
    double low, high; /* values at its ends, low < high */
    double from, to;  /* their places in the picture */
    double step;      /* between ticks: linear, a value; logarithmic, a number of powers */
} lp_chart_axis;

/* An axis over values low .. high (equal ones are allowed; both > 0 on a logarithmic scale), with
 * about `wanted` ticks at round values.  A linear one begins and ends at a tick, but goes beyond
 * floor .. ceiling only where the values do. */
lp_chart_axis lp_chart_axis_make(lp_scale scale, double low, double high, size_t wanted,
                                 double floor, double ceiling);

double lp_chart_axis_place(const lp_chart_axis *axis, double value);

/* The ticks, in increasing order; returns how many. */
size_t lp_chart_axis_ticks(const lp_chart_axis *axis, double ticks[LP_MAX_TICKS]);

/* A tick's text: "0.5", "1e-6". */
void lp_chart_axis_label(const lp_chart_axis *axis, double tick, char text[LP_TICK_TEXT]);

/* Draws the grid of an axis and its numbers: one that goes upwards, with its numbers left of
 * `left`; or one that goes to the right, with its marks and numbers below `foot` and, where
 * `inverse`, marks and numbers of 1 / value above `top`. */
void lp_chart_axis_rows(const lp_chart_axis *axis, lp_chart *chart, double left, double right);
void lp_chart_axis_columns(const lp_chart_axis *axis, lp_chart *chart, double top, double bottom,
                           double foot, bool inverse);

#endif
