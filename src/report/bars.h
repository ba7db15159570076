/* Several accuracies beside each other. */
#ifndef LP_REPORT_BARS_H
#define LP_REPORT_BARS_H

#include <stddef.h>
#include "report/chart.h"

/* Accuracies are fractions. */
typedef struct lp_bar {
    const char *name;
    double accuracy;  /* NaN: the row stays empty and says so */
    double low, high; /* its interval; NaN = none */
    double reported;  /* what others published for it, marked by a line; NaN = none */
} lp_bar;

typedef struct lp_bars {
    const char *title;
    const char *measure;    /* "Top-1 accuracy"; NULL = "Accuracy" */
    const char *reported;   /* name of the marked lines; NULL = "reported" */
    const lp_bar *bars;     /* drawn in this order, from the top */
    size_t count;           /* at most 500 */
    lp_chart_format format; /* narrow: each name stands over its bar */
} lp_bars;

/* Bars from 0 %.  Where all values are close (their span is below a quarter of the largest), points
 * with their intervals on a scale that begins later: a bar that does not begin at 0 would lie.
 * LP_ERR_DATA when no accuracy is finite. */
LP_MUST_USE lp_status lp_bars_chart(const lp_bars *bars, lp_chart **chart, lp_error *err);

#endif
