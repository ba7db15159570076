/* Contact sheet: cells of one size, image on top, two lines of caption below. */
#include "report/contact_sheet.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"

enum { MARGIN = 16, GAP = 12, TITLE = 36, LINE = 15, SMALL = 96, CELL = 112, MAX_WIDTH = 1200 };

/* How much the images are enlarged, all alike. */
static size_t factor_for(size_t largest) {
    return largest >= SMALL ? 1 : (SMALL + largest - 1) / largest;
}

/* (x, y): the cell's corner; `side`: of the largest image; `cell`: width of the captions. */
static void draw_image(const lp_contact *image, lp_chart *chart, double x, double y, double side,
                       double cell, size_t factor) {
    const lp_text_style truth = {.size = 11.5, .color = LP_INK, .bold = true, .max_width = cell};
    lp_text_style predicted = {.size = 11.5, .color = 0xb04a00};
    double width = (double)(image->width * factor), height = (double)(image->height * factor);
    char share[16] = "";
    lp_chart_image(chart, x, y + side - height, width, height, image->rgb, image->height,
                   image->width);
    if (isfinite(image->confidence)) {
        (void)snprintf(share, sizeof share, " (%.0f %%)", 100 * image->confidence);
    }
    double share_width = lp_chart_text_width(chart, &predicted, share);
    lp_text_style arrow = truth;
    arrow.max_width = 0;
    double arrow_width = lp_chart_text_width(chart, &arrow, " \xe2\x86\x92");
    lp_text_style name = truth;
    name.max_width = cell - arrow_width;
    double name_width = lp_chart_text_width(chart, &name, image->truth);
    lp_chart_text(chart, x, y + side + LINE - 4, &name, image->truth);
    lp_chart_text(chart, x + name_width, y + side + LINE - 4, &arrow, " \xe2\x86\x92");
    predicted.max_width = cell - share_width;
    name_width = lp_chart_text_width(chart, &predicted, image->predicted);
    lp_chart_text(chart, x, y + side + 2 * LINE - 4, &predicted, image->predicted);
    predicted.max_width = 0;
    if (share[0] != '\0') {
        lp_chart_text(chart, x + name_width, y + side + 2 * LINE - 4, &predicted, share);
    }
}

lp_status lp_contact_sheet_chart(const lp_contact_sheet *sheet, lp_chart **chart, lp_error *err) {
    size_t largest = 0;
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
        largest = image->width > largest ? image->width : largest;
        largest = image->height > largest ? image->height : largest;
    }
    if (sheet->count == 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "contact sheet \"%s\": there is no image",
                       sheet->title);
    }
    size_t factor = factor_for(largest);
    double side = (double)(largest * factor), cell = fmax(side, CELL);
    size_t columns = sheet->columns;
    if (columns == 0) {
        columns = (size_t)fmax(1, fmin(8, floor((MAX_WIDTH - 2 * MARGIN) / (cell + GAP))));
        columns = sheet->count < columns ? sheet->count : columns;
    }
    size_t rows = (sheet->count + columns - 1) / columns;
    double width = 2 * MARGIN + (double)columns * (cell + GAP) - GAP;
    double height = MARGIN + TITLE + (double)rows * (side + 2 * LINE + GAP) - GAP + MARGIN;
    lp_status status = lp_chart_new(sheet->title, width, height, factor > 1 ? 2 : 1, chart, err);
    if (status != LP_OK) {
        return status;
    }
    const lp_text_style title = {
        .size = 16, .color = LP_INK, .bold = true, .max_width = width - 2 * MARGIN};
    lp_chart_text(*chart, MARGIN, MARGIN + 8, &title, sheet->title);
    for (size_t i = 0; i < sheet->count; i++) {
        size_t row = i / columns, column = i % columns;
        draw_image(&sheet->images[i], *chart, MARGIN + (double)column * (cell + GAP),
                   MARGIN + TITLE + (double)row * (side + 2 * LINE + GAP), side, cell, factor);
    }
    return LP_OK;
}
