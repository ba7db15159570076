/* Quantiles and intervals of 95 % that have no place in a public header. */
#ifndef LP_PROBE_CONFIDENCE_INTERVAL_H
#define LP_PROBE_CONFIDENCE_INTERVAL_H

#include "linprobe/stats.h"

#define LP_NORMAL_975 1.959963984540054 /* quantile of the normal distribution at 0.975 */

/* Quantile at 0.975 of Student's t with `degrees` >= 1. */
double lp_student_975(size_t degrees);

/* Interval of the mean of the accuracies part[k] / whole[k] over the classes with whole[k] > 0. */
lp_interval lp_mean_interval(const size_t *part, const size_t *whole, size_t classes);

#endif
