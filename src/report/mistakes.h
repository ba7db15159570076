/* The images that a probe got wrong. */
#ifndef LP_REPORT_MISTAKES_H
#define LP_REPORT_MISTAKES_H

#include "base/memory.h"
#include "linprobe/dataset.h"
#include "report/contact_sheet.h"
#include "report/evaluation_rows.h"

/* Opens the split that a feature set was made from, as its meta.json records it (without a record:
 * the test split, fine labels), and checks that it is: LP_ERR_ARGUMENT when the digest of the
 * records or a label differs. */
LP_MUST_USE lp_status lp_mistakes_open(const lp_features *test, const char *path, lp_dataset **data,
                                       lp_error *err);

/* Images of a sheet, unless the caller wants another number. */
#define LP_MISTAKES_SHOWN 60

/* Misclassified images, as a picture (lp_contact_sheet_chart) or in a page (lp_html_contacts). */
typedef struct lp_mistakes {
    lp_contact_sheet sheet; /* count 0: none was misclassified */
    lp_memory memory;       /* that it lies in, */
    const char **names;     /* with the classes' names */
    char title[128];
} lp_mistakes;

/* Those of the highest confidence first, at most `most` (>= 1) of them.  `data` holds the images of
 * the evaluation's test set; the evaluation must live as long.  *mistakes is released
 * by lp_mistakes_clear, also after a failure; {0} may be. */
LP_MUST_USE lp_status lp_mistakes_find(const lp_evaluation *evaluation, const lp_dataset *data,
                                       size_t most, lp_mistakes *mistakes, lp_error *err);
void lp_mistakes_clear(lp_mistakes *mistakes);

#endif
