/* Report page: sections are appended to one buffer, the list of headings to another; writing puts
 * head, title, list and sections together. */
#include "report/html.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

struct lp_html {
    lp_buffer contents; /* list items, one a heading */
    lp_buffer body;
    size_t headings, charts;
    lp_status status; /* of the first chart that failed, with its message */
    lp_error err;
    char title[];
};

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"generator\" content=\"linprobe " LP_VERSION "\">\n<title>";

/* The charts keep their white paper in the dark scheme: their colours are chosen for it. */
static const char style[] =
    "</title>\n<style>\n"
    ":root{color-scheme:light dark;--ink:#1b1b1b;--soft:#5a5a5a;--line:#d5d5d5;--paper:#fff;"
    "--band:#f4f6f8;--link:#005a9c}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--soft:#a8a8a8;--line:#444;"
    "--paper:#16181b;--band:#1f2327;--link:#7cc4ff}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:64rem;background:var(--paper);"
    "color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:break-word}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 1rem}\n"
    "h2{font-size:1.25rem;margin:2.5rem 0 .75rem;padding-top:.75rem;"
    "border-top:1px solid var(--line)}\n"
    "a{color:var(--link)}\n"
    "nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0;padding:0;list-style:none}\n"
    ".scroll{overflow:auto;max-height:46rem;margin:1rem 0;max-width:100%}\n"
    "table{border-collapse:collapse;font-size:.92rem}\n"
    "caption{text-align:left;font-weight:600;padding:.3rem 0}\n"
    "th,td{padding:.28rem .7rem;text-align:left;vertical-align:top;"
    "border-bottom:1px solid var(--line);max-width:34rem}\n"
    "thead th{position:sticky;top:0;background:var(--band);white-space:nowrap}\n"
    "tbody th{font-weight:400;color:var(--soft)}\n"
    ".settings td,.settings th{overflow-wrap:anywhere;min-width:8rem}\n"
    "tbody tr:hover{background:var(--band)}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    "figure{margin:1.25rem 0}\n"
    ".picture{overflow-x:auto;border:1px solid var(--line);border-radius:4px;max-width:var(--w)}\n"
    "image{image-rendering:pixelated}\n"
    ".picture>*{display:block;width:var(--w);max-width:100%;height:auto;background:#fff}\n"
    "figcaption{color:var(--soft);font-size:.92rem;margin-top:.4rem}\n"
    /* a picture that is scrolled can be read; one that is shrunk to a phone cannot */
    "@media screen and (max-width:44rem){body{padding:1rem .75rem 3rem}h1{font-size:1.35rem}"
    "th,td{padding:.25rem .5rem}.picture>*{max-width:44rem}}\n"
    "@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;"
    "--band:#fff;--link:#000}body{max-width:none;padding:0;font-size:10pt}nav{display:none}"
    ".scroll{overflow:visible;max-height:none}thead th{position:static}"
    ".picture{border:0}figure,tr{break-inside:avoid}h2,caption{break-after:avoid}}\n"
    "</style>\n</head>\n<body>\n<h1>";

lp_status lp_html_check_path(const char *path, lp_error *err) {
    size_t size = strlen(path);
    return size > 5 && strcmp(path + size - 5, ".html") == 0
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT, "%s: expected a name that ends in .html", path);
}

lp_status lp_html_new(const char *title, lp_html **out, lp_error *err) {
    size_t bytes = strlen(title) + 1;
    lp_html *page = *out = lp_alloc_zeroed(1, sizeof *page + bytes);
    if (page != NULL) {
        memcpy(page->title, title, bytes);
    }
    return lp_allocated(page, "report", 1, sizeof *page + bytes, err);
}

void lp_html_free(lp_html *page) {
    if (page != NULL) {
        lp_buffer_free(&page->contents);
        lp_buffer_free(&page->body);
        lp_free(page);
    }
}

void lp_html_heading(lp_html *page, const char *text) {
    lp_buffer *body = &page->body;
    page->headings++;
    lp_buffer_printf(&page->contents, "<li><a href=\"#s%zu", page->headings);
    lp_buffer_between(&page->contents, "\">", text, "</a></li>\n");
    lp_buffer_printf(body, "%s<section>\n<h2 id=\"s%zu", page->headings > 1 ? "</section>\n" : "",
                     page->headings);
    lp_buffer_between(body, "\">", text, "</h2>\n");
}

void lp_html_paragraph(lp_html *page, const char *text) {
    lp_buffer_between(&page->body, "<p>", text, "</p>\n");
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* The box lets a wide table scroll by itself on a narrow screen, also by keyboard. */
static void open_table(lp_buffer *body, const char *kind, const char *caption) {
    lp_buffer_printf(body, "<div class=\"scroll%s\" role=\"region\" tabindex=\"0\"", kind);
    lp_buffer_between(body, " aria-label=\"", caption, "\">\n<table>\n");
    lp_buffer_between(body, "<caption>", caption, "</caption>\n");
}

static const char table_end[] = "</tbody>\n</table>\n</div>\n";

static void put_value(lp_buffer *body, const json_t *value, const char *format) {
    char cell[LP_TABLE_CELL];
    (void)lp_table_cell(cell, value, format);
    lp_buffer_escaped(body, json_is_string(value) ? json_string_value(value) : cell); /* whole */
}

void lp_html_table(lp_html *page, const char *caption, const lp_column *columns, size_t count,
                   json_t *rows) {
    lp_buffer *body = &page->body;
    char cell[LP_TABLE_CELL];
    body->failed = body->failed || rows == NULL;
    open_table(body, "", caption);
    lp_buffer_text(body, "<thead>\n<tr>");
    for (size_t c = 0; c < count; c++) { /* a heading stands as its column does */
        const json_t *sample = json_object_get(json_array_get(rows, 0), columns[c].key);
        bool number = lp_table_cell(cell, sample, columns[c].format);
        lp_buffer_between(body, number ? "<th scope=\"col\" class=\"n\">" : "<th scope=\"col\">",
                          columns[c].heading, "</th>");
    }
    lp_buffer_text(body, "</tr>\n</thead>\n<tbody>\n");
    for (size_t r = 0; r < json_array_size(rows); r++) {
        lp_buffer_text(body, "<tr>");
        for (size_t c = 0; c < count; c++) {
            const json_t *value = json_object_get(json_array_get(rows, r), columns[c].key);
            bool number = lp_table_cell(cell, value, columns[c].format);
            lp_buffer_text(body, number ? "<td class=\"n\">" : "<td>");
            put_value(body, value, columns[c].format);
            lp_buffer_text(body, "</td>");
        }
        lp_buffer_text(body, "</tr>\n");
    }
    lp_buffer_text(body, table_end);
    json_decref(rows);
}

/* One row a member.  `outer` is the path to the object, "" at the top. */
static void put_members(lp_html *page, const char *outer, const json_t *object, size_t depth) {
    enum { MAX_DEPTH = 8, PATH = 256 };
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        char path[PATH];
        (void)snprintf(path, sizeof path, "%s%s%s", outer, outer[0] != '\0' ? "." : "", key);
        if (json_is_object(value) && depth < MAX_DEPTH) {
            put_members(page, path, value, depth + 1);
            continue;
        }
        lp_buffer_between(&page->body, "<tr><th scope=\"row\">", path, "</th><td>");
        if (json_is_array(value) || json_is_object(value)) {
            char *text = lp_json_dump(value, LP_JSON_LINE);
            page->body.failed = page->body.failed || text == NULL;
            lp_buffer_escaped(&page->body, text != NULL ? text : "");
            free(text);
        } else {
            put_value(&page->body, value, json_is_real(value) ? "%.10g" : NULL);
        }
        lp_buffer_text(&page->body, "</td></tr>\n");
    }
}

void lp_html_settings(lp_html *page, const char *caption, json_t *object) {
    page->body.failed = page->body.failed || object == NULL;
    open_table(&page->body, " settings", caption);
    lp_buffer_text(&page->body, "<tbody>\n");
    put_members(page, "", object, 0);
    lp_buffer_text(&page->body, table_end);
    json_decref(object);
}

/* ---- pictures -------------------------------------------------------------------------------- */

/* `width` is the picture's own, in pixels of the screen. */
static void open_figure(lp_html *page, double width, const char *caption) {
    lp_buffer_printf(&page->body, "<figure>\n<div class=\"picture\" style=\"--w:%.0fpx\"", width);
    if (caption != NULL) { /* it may scroll: as a table */
        lp_buffer_between(&page->body, " role=\"region\" tabindex=\"0\" aria-label=\"", caption,
                          "\"");
    }
    lp_buffer_text(&page->body, ">\n");
}

static void close_figure(lp_html *page, const char *caption) {
    lp_buffer_text(&page->body, "</div>\n");
    if (caption != NULL) {
        lp_buffer_between(&page->body, "<figcaption>", caption, "</figcaption>\n");
    }
    lp_buffer_text(&page->body, "</figure>\n");
}

void lp_html_chart(lp_html *page, const lp_chart *chart, const char *caption) {
    char prefix[32];
    (void)snprintf(prefix, sizeof prefix, "c%zui", ++page->charts);
    open_figure(page, lp_chart_width(chart), caption);
    if (page->status == LP_OK) {
        page->status = lp_chart_svg(chart, prefix, &page->body, &page->err);
    }
    close_figure(page, caption);
}

void lp_html_png(lp_html *page, const void *png, size_t size, double width, const char *description,
                 const char *caption) {
    open_figure(page, width, caption);
    lp_buffer_between(&page->body, "<img alt=\"", description, "\" src=\"data:image/png;base64,");
    lp_buffer_base64(&page->body, png, size);
    lp_buffer_text(&page->body, "\">\n");
    close_figure(page, caption);
}

void lp_html_picture(lp_html *page, const lp_chart *chart, const char *caption) {
    lp_buffer png = {0};
    if (page->status == LP_OK) {
        page->status = lp_chart_png(chart, &png, &page->err);
    }
    lp_html_png(page, png.bytes, png.size, lp_chart_width(chart), lp_chart_title(chart), caption);
    lp_buffer_free(&png);
}

/* ---- output ---------------------------------------------------------------------------------- */

lp_status lp_html_write(const lp_html *page, const char *path, lp_error *err) {
    lp_buffer out = {0};
    if (page->status != LP_OK) {
        return lp_fail(err, page->status, "%s: %s", path, page->err.text);
    }
    lp_buffer_between(&out, head, page->title, style);
    lp_buffer_escaped(&out, page->title);
    lp_buffer_text(&out, "</h1>\n");
    if (page->headings > 1) {
        lp_buffer_text(&out, "<nav aria-label=\"Contents\">\n<ul>\n");
        lp_buffer_put(&out, page->contents.bytes, page->contents.size);
        lp_buffer_text(&out, "</ul>\n</nav>\n");
    }
    lp_buffer_put(&out, page->body.bytes, page->body.size);
    lp_buffer_text(&out, page->headings > 0 ? "</section>\n" : "");
    lp_buffer_text(&out, "</body>\n</html>\n");
    lp_status status;
    if (out.failed || page->body.failed || page->contents.failed) {
        status = lp_fail(err, LP_ERR_MEMORY, "%s: out of memory: report of %zu bytes", path,
                         page->body.size);
    } else {
        status = lp_file_write(path, out.bytes, out.size, err);
    }
    lp_buffer_free(&out);
    return status;
}
