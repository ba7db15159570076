/* The images that a probe got wrong. */
#ifndef LP_REPORT_MISTAKES_H
#define LP_REPORT_MISTAKES_H

#include "linprobe/dataset.h"
#include "report/chart.h"
#include "report/evaluation.h"

/* Opens the split that a feature set was made from, as its meta.json records it (without a record:
 * the test split, fine labels), and checks that it is: LP_ERR_ARGUMENT when the digest of the
 * records or a label differs. */
LP_MUST_USE lp_status lp_mistakes_open(const lp_features *test, const char *path, lp_dataset **data,
                                       lp_error *err);

/* Images of a sheet, unless the caller wants another number. */
#define LP_MISTAKES_SHOWN 60

/* A contact sheet of misclassified images, those of the highest confidence first, at most `most`
 * (>= 1) of them.  *chart is NULL where none was misclassified.  `data` holds the images of the
 * evaluation's test set. */
LP_MUST_USE lp_status lp_mistakes_chart(const lp_evaluation *evaluation, const lp_dataset *data,
                                        size_t most, lp_chart **chart, lp_error *err);

#endif
