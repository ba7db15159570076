/* One self-contained HTML page: a run's report, which opens without a network and prints well.
 *
 *     lp_html *page;
 *     lp_html_new("CIFAR-100, CLIP ViT-B/32", &page, &err);
 *     lp_html_heading(page, "Result");
 *     lp_html_table(page, "Accuracy", columns, 3, rows);
 *     lp_html_chart(page, chart, NULL, "Validation accuracy against C");
 *     lp_html_write(page, "report.html", &err);
 *     lp_html_free(page);
 *
 * All text is escaped; nothing in a page is ever taken as markup.  It holds no date and no
 * reference to anything outside; its content security policy forbids the latter, and every script
 * but the page's own, which sorts tables and without which the page is whole.  Failures of adding
 * are kept in the page and reported by lp_html_write. */
#ifndef LP_REPORT_HTML_H
#define LP_REPORT_HTML_H

#include <stddef.h>
#include "base/json.h"
#include "report/chart.h"
#include "report/contact_sheet.h"
#include "report/table.h"

typedef struct lp_html lp_html;

/* LP_ERR_ARGUMENT unless path ends in .html: for a check before the work. */
LP_MUST_USE lp_status lp_html_check_path(const char *path, lp_error *err);

LP_MUST_USE lp_status lp_html_new(const char *title, lp_html **page, lp_error *err);
void lp_html_free(lp_html *page);

/* A section's heading, which is listed at the top of the page. */
void lp_html_heading(lp_html *page, const char *text);

void lp_html_paragraph(lp_html *page, const char *text);

/* A table as lp_table_print shows it in text: rows is a JSON array of objects.  Here and below the
 * page takes over the value; NULL is one that ran out of memory in the making, and is reported so
 * by lp_html_write. */
void lp_html_table(lp_html *page, const char *caption, const lp_column *columns, size_t count,
                   json_t *rows);

/* The members of a JSON object, one a row, named in people's words (words.h; the key is a tooltip);
 * those of nested objects under a heading of their own. */
void lp_html_settings(lp_html *page, const char *caption, json_t *object);

/* A chart as SVG within the page, as wide as the page where that is smaller; `narrow` (or NULL: the
 * same) is shown on a phone.  caption may be NULL. */
void lp_html_chart(lp_html *page, const lp_chart *wide, const lp_chart *narrow,
                   const char *caption);

/* The images of a contact sheet with their captions, in as many columns as fit. */
void lp_html_contacts(lp_html *page, const lp_contact_sheet *sheet, const char *caption);

/* Writes the page; complete or not there. */
LP_MUST_USE lp_status lp_html_write(const lp_html *page, const char *path, lp_error *err);

#endif
