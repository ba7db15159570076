/* An evaluation as pictures and as sections of a page. */
#ifndef LP_REPORT_EVALUATION_PAGE_H
#define LP_REPORT_EVALUATION_PAGE_H

#include "linprobe/multilabel.h"
#include "report/chart.h"
#include "report/evaluation_rows.h"
#include "report/html.h"

/* "CLIP ViT-B/32 on CIFAR-100", from the test set's provenance; its path where that does
 * not say. */
enum { LP_EVALUATION_TITLE = 256 };
void lp_evaluation_title(const lp_features *test, char title[LP_EVALUATION_TITLE]);

/* Confusion matrix of all classes, put together by superclass where known. */
LP_MUST_USE lp_status lp_evaluation_confusion_chart(const lp_evaluation *evaluation,
                                                    lp_chart **chart, lp_error *err);

/* Sections: accuracy, confusion, classes, calibration, mistakes.  Without an image in `mistakes`,
 * or with NULL, that section is left out. */
LP_MUST_USE lp_status lp_evaluation_page(const lp_evaluation *evaluation,
                                         const lp_contact_sheet *mistakes, lp_html *page,
                                         lp_error *err);

/* Of several labels an image.  Sections: ranking, classes. */
void lp_multilabel_page(const lp_multilabel_evaluation *evaluation, lp_html *page);

/* A feature set's meta.json without the lists of classes and superclasses, for a table of settings;
 * a new reference, "{}" at the least, or NULL when memory is short. */
json_t *lp_evaluation_origin(const lp_features *set);

#endif
