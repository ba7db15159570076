/* What a report says of a data set: its title, and the measure by which results on it are
 * published. */
#ifndef LP_REPORT_DATA_WORDS_H
#define LP_REPORT_DATA_WORDS_H

#include "linprobe/evaluation.h"
#include "linprobe/provenance.h"
#include "report/table.h"

enum { LP_DATA_TITLE = 160 };

/* "CIFAR-100, 2,000 of 10,000 test images": the set's name and how much of its part there is.  Of
 * what is not recorded: "5 images".  Returns text. */
const char *lp_data_title(const lp_data_record *data, size_t images, char text[LP_DATA_TITLE]);

/* "2,000 of 10,000", or "10,000" where all are there. */
const char *lp_data_amount(const lp_data_record *data, size_t images, char text[LP_DATA_TITLE]);

/* Whether it is a whole part of a set as it was published. */
bool lp_data_is_whole(const lp_data_record *data);

/* By which number results on this set are published; accuracy where that is not known. */
lp_set_metric lp_data_metric(const lp_data_record *data);

/* A metric as tables and sentences have it. */
typedef struct lp_metric_words {
    const char *key;      /* of rows: "top1", "mean_per_class", ... */
    const char *sentence; /* "Accuracy", "Mean accuracy per class", ... */
    const char *axis;     /* "Top-1 accuracy", ... */
} lp_metric_words;
const lp_metric_words *lp_metric_words_of(lp_set_metric metric);

/* Its value, as a fraction, and its interval; NaN where there is none. */
double lp_metric_value(lp_set_metric metric, const lp_score *score, const lp_ranking *ranking,
                       lp_interval *interval);

/* A table's columns [count] with the metric's own before all other scores: into `ordered`.  Returns
 * how many: of several labels an image (`multilabel`) those of right answers are left out. */
size_t lp_metric_columns(lp_set_metric metric, bool multilabel, const lp_column *columns,
                         size_t count, lp_column *ordered);

#endif
