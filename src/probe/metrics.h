/* Counting right answers, and their intervals of 95 %: what no public header has and everything
 * that scores shares. */
#ifndef LP_PROBE_METRICS_H
#define LP_PROBE_METRICS_H

#include "linprobe/stats.h"

/* Rank of the label among scores [K]: how many classes have a larger one, or an equal one and a
 * lower number.  0 is a right answer, below 5 is among the top five. */
size_t lp_rank_of(const double *scores, size_t classes, size_t label);

/* Logits [K] to the logarithms of their probabilities; of LP_PROBABILITY_NONE as of softmax. */
void lp_log_probabilities(double *logits, size_t classes, lp_probability probability);

/* LP_ERR_ARGUMENT or LP_ERR_DATA unless the set has at least one row, `width` finite values in
 * each and labels below `classes`.  The message says `what` set it is, and that `than` has another
 * width. */
LP_MUST_USE lp_status lp_check_examples(const lp_examples *set, size_t width, size_t classes,
                                        const char *what, const char *than, lp_error *err);

/* Fills in the rates and the intervals of a score whose correct_top5 is counted, from the counts
 * per class. */
void lp_score_finish(lp_score *score, const size_t *correct_of, const size_t *count_of,
                     size_t classes);

#define LP_NORMAL_975 1.959963984540054 /* quantile of the normal distribution at 0.975 */

/* Quantile at 0.975 of Student's t with `degrees` >= 1. */
double lp_student_975(size_t degrees);

/* Interval of the mean of the accuracies part[k] / whole[k] over the classes with whole[k] > 0. */
lp_interval lp_mean_interval(const size_t *part, const size_t *whole, size_t classes);

/* Scores of a class's own rows, own [count], rising, among those of the others: the bin of another
 * row, 2 i before own[i] (2 count behind the last), 2 i + 1 where it equals own[i]. */
size_t lp_rank_bin(const double *own, size_t count, double score);

/* Area under the ROC curve and 11-point average precision (lp_ranking) of a class that has rows and
 * others, from how many of the others are in each bin, between [2 count + 1]. */
void lp_rank_class(const double *own, size_t count, const size_t *between, size_t others,
                   double *auc, double *precision);

#endif
