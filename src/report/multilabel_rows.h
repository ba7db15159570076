/* An evaluation of several labels an image, as rows for tables and as a document;
 * docs/FORMATS.md describes it. */
#ifndef LP_REPORT_MULTILABEL_ROWS_H
#define LP_REPORT_MULTILABEL_ROWS_H

#include "base/json_row.h"
#include "linprobe/evaluation.h"
#include "linprobe/multilabel.h"
#include "report/table.h"

/* The tables, as arrays of objects (lp_multilabel_summary: the one of the first alone); new
 * references, NULL when memory is short.  Values in percent.
 *   summary  one: images, map_11, roc_auc, shared_rows
 *   classes  one a class: class, name, images, left_out, average_precision, roc_auc; without the
 *            last two where there are no images of the class, or no others */
json_t *lp_multilabel_summary(const lp_multilabel_evaluation *evaluation);
json_t *lp_multilabel_rows(const lp_multilabel_evaluation *evaluation, bool classes);
const lp_column *lp_multilabel_columns(bool classes, size_t *count);

/* Both tables with where they came from: format, linprobe, command, probe (its training record),
 * test, summary, classes. */
LP_MUST_USE lp_status lp_multilabel_write(const lp_multilabel_evaluation *evaluation,
                                          const lp_probe *probe, const char *command,
                                          const char *path, lp_error *err);

#endif
