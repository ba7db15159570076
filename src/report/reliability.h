/* Reliability diagram: how often a probe is right where it is how sure. */
#ifndef LP_REPORT_RELIABILITY_H
#define LP_REPORT_RELIABILITY_H

#include "linprobe/stats.h"
#include "report/chart.h"

/* A bin is a point at its mean confidence and its accuracy, with Wilson's 95 % interval; below
 * stand the shares of the images in each.  LP_ERR_DATA when all bins are empty. */
LP_MUST_USE lp_status lp_reliability_chart(const char *title,
                                           const lp_calibration_bin bins[LP_CALIBRATION_BINS],
                                           lp_chart **chart, lp_error *err);

#endif
