/* Contact sheets: small images in a grid, each with what it is and what it was taken for. */
#ifndef LP_REPORT_CONTACT_SHEET_H
#define LP_REPORT_CONTACT_SHEET_H

#include <stddef.h>
#include "report/chart.h"

typedef struct lp_contact {
    const unsigned char *rgb; /* uint8 [height, width, 3] */
    size_t height, width;
    const char *truth, *predicted; /* class names */
    double confidence;             /* of the prediction, a fraction; NaN = not shown */
} lp_contact;

typedef struct lp_contact_sheet {
    const char *title;
    const lp_contact *images; /* in reading order */
    size_t count;             /* >= 1 */
} lp_contact_sheet;

/* Up to 8 images a row, fewer of large ones.  Images below 96 pixels are enlarged by a whole
 * factor, each pixel a square; with larger ones a PNG of the sheet holds their very pixels.
 * Captions: "true →" over "predicted (confidence)". */
LP_MUST_USE lp_status lp_contact_sheet_chart(const lp_contact_sheet *sheet, lp_chart **chart,
                                             lp_error *err);

/* The factor by which all images are enlarged, >= 1. */
size_t lp_contact_factor(const lp_contact_sheet *sheet);

#endif
