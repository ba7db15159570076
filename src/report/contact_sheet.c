/* Contact sheet: cells of one size, image on top, two lines of caption below. */
#include "report/contact_sheet.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"

enum { MARGIN = 16, GAP = 12, TITLE = 36, LINE = 15, MAX_WIDTH = 1000 };
enum { SMALL = 96, CELL = 112, WIDE = 176 }; /* image to enlarge; least and most of a caption */

static const lp_text_style truth_style = {.size = 11.5, .color = LP_INK, .bold = true};
static const lp_text_style predicted_style = {.size = 11.5, .color = 0xb04a00};
static const char arrow[] = " \xe2\x86\x92";

/* The confidence in brackets, or nothing. */
static void share_text(const lp_contact *image, char share[16]) {
    share[0] = '\0';
    if (isfinite(image->confidence)) {
        (void)snprintf(share, 16, " (%.0f %%)", 100 * image->confidence);
    }
}

/* Width in which every caption is whole, or the most that captions get. */
static double caption_width(const lp_contact_sheet *sheet, lp_chart *ruler) {
    double width = CELL;
    for (size_t i = 0; i < sheet->count; i++) {
        const lp_contact *image = &sheet->images[i];
        char share[16];
        share_text(image, share);
        double truth = lp_chart_text_width(ruler, &truth_style, image->truth) +
                       lp_chart_text_width(ruler, &truth_style, arrow);
        double predicted = lp_chart_text_width(ruler, &predicted_style, image->predicted) +
                           lp_chart_text_width(ruler, &predicted_style, share);
        width = fmax(width, fmax(truth, predicted));
    }
    return fmin(ceil(width), WIDE);
}

/* (x, y): the cell's corner; `side`: of the largest image; `cell`: width of the captions. */
static void draw_image(const lp_contact *image, lp_chart *chart, double x, double y, double side,
                       double cell, size_t factor) {
    double width = (double)(image->width * factor), height = (double)(image->height * factor);
    double below = y + side + LINE - 4;
    char share[16];
    share_text(image, share);
    lp_chart_image(chart, x, y + side - height, width, height, image->rgb, image->height,
                   image->width);
    lp_text_style name = truth_style;
    name.max_width = cell - lp_chart_text_width(chart, &truth_style, arrow);
    double name_width = lp_chart_text_width(chart, &name, image->truth);
    lp_chart_text(chart, x, below, &name, image->truth);
    lp_chart_text(chart, x + name_width, below, &truth_style, arrow);
    name = predicted_style;
    name.max_width = cell - lp_chart_text_width(chart, &predicted_style, share);
    name_width = lp_chart_text_width(chart, &name, image->predicted);
    lp_chart_text(chart, x, below + LINE, &name, image->predicted);
    if (share[0] != '\0') {
        lp_chart_text(chart, x + name_width, below + LINE, &predicted_style, share);
    }
}

static size_t largest_side(const lp_contact_sheet *sheet) {
    size_t largest = 1;
    for (size_t i = 0; i < sheet->count; i++) {
        const lp_contact *image = &sheet->images[i];
        largest = image->width > largest ? image->width : largest;
        largest = image->height > largest ? image->height : largest;
    }
    return largest;
}

size_t lp_contact_factor(const lp_contact_sheet *sheet) {
    size_t largest = largest_side(sheet);
    return largest >= SMALL ? 1 : (SMALL + largest - 1) / largest;
}

lp_status lp_contact_sheet_chart(const lp_contact_sheet *sheet, lp_chart **chart, lp_error *err) {
    *chart = NULL;
    for (size_t i = 0; i < sheet->count; i++) {
        const lp_contact *image = &sheet->images[i];
        if (image->height == 0 || image->width == 0 || image->height > 4096 ||
            image->width > 4096) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "contact sheet \"%s\": image %zu has %zu x %zu pixels, expected sides "
                           "of 1 to 4096",
                           sheet->title, i, image->width, image->height);
        }
    }
    if (sheet->count == 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "contact sheet \"%s\": there is no image",
                       sheet->title);
    }
    size_t factor = lp_contact_factor(sheet);
    lp_chart *ruler; /* the size of the sheet depends on its text */
    lp_status status;
    LP_TRY(lp_chart_new(sheet->title, 1, 1, 1, &ruler, err));
    double side = (double)(largest_side(sheet) * factor),
           cell = fmax(side, caption_width(sheet, ruler));
    lp_chart_free(ruler);
    size_t columns = (size_t)fmax(1, fmin(8, floor((MAX_WIDTH - 2 * MARGIN) / (cell + GAP))));
    columns = sheet->count < columns ? sheet->count : columns;
    size_t rows = (sheet->count + columns - 1) / columns;
    double width = 2 * MARGIN + (double)columns * (cell + GAP) - GAP;
    double height = MARGIN + TITLE + (double)rows * (side + 2 * LINE + GAP) - GAP + MARGIN;
    LP_TRY(lp_chart_new_headed(sheet->title, (lp_heading){MARGIN, MARGIN + 8, 16}, width, height,
                               factor > 1 ? 2 : 1, chart, err));
    for (size_t i = 0; i < sheet->count; i++) {
        size_t row = i / columns, column = i % columns;
        draw_image(&sheet->images[i], *chart, MARGIN + (double)column * (cell + GAP),
                   MARGIN + TITLE + (double)row * (side + 2 * LINE + GAP), side, cell, factor);
    }
done:
    return status;
}
