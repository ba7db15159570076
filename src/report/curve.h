/* Accuracy curves: against C with lambda = 1/C beside it (sweep), or against the number of training
 * examples a class (few-shot); and points of accuracy against the work for an image, in GFLOP. */
#ifndef LP_REPORT_CURVE_H
#define LP_REPORT_CURVE_H

#include <stddef.h>
#include "report/chart.h"

typedef enum lp_curve_kind { LP_CURVE_SWEEP, LP_CURVE_FEW_SHOT, LP_CURVE_WORK } lp_curve_kind;

/* One accuracy, as a fraction (0.8 is drawn as 80 %).  low and high: its interval, NaN = none. */
typedef struct lp_curve_point {
    double x; /* C, examples a class, or GFLOP an image; > 0 */
    double accuracy, low, high;
} lp_curve_point;

typedef struct lp_series {
    const char *name; /* "validation" */
    const lp_curve_point
        *points; /* in any order; those with NaN, infinity or x <= 0 are left out */
    size_t count;
} lp_series;

typedef struct lp_curve {
    lp_curve_kind kind;
    const char *title;
    const char *measure;  /* "Top-1 accuracy"; NULL = "Accuracy" */
    const char *interval; /* what the bands are, "95 % interval"; NULL = that */
    const lp_series *series;
    size_t series_count;
    double chosen; /* the x that was chosen, marked by a line; NaN = none */
    lp_chart_format format;
} lp_curve;

/* LP_ERR_DATA when no point is left, LP_ERR_ARGUMENT above 12 series. */
LP_MUST_USE lp_status lp_curve_chart(const lp_curve *curve, lp_chart **chart, lp_error *err);

#endif
