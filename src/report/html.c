/* Report page: sections are appended to one buffer, the list of headings to another; writing puts
 * head, title, list, sections and script together. */
#include "report/html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "report/png.h"
#include "report/words.h"

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
    "style-src 'unsafe-inline'; script-src 'sha256-";

static const char head_end[] =
    "'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta name=\"generator\" content=\"linprobe " LP_VERSION "\">\n<title>";

/* In the dark scheme the charts' colours (variables, see chart.h) get lighter, and the cells of
 * heat maps are turned round: white, which is nothing, becomes the page's black.  Print is light.
 */
static const char style[] =
    "</title>\n<style>\n"
    ":root{color-scheme:light dark;--ink:#1b1b1b;--soft:#5a5a5a;--line:#d5d5d5;--paper:#fff;"
    "--band:#f4f6f8;--link:#005a9c;--wrong:#b04a00}\n"
    "@media screen and (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--soft:#a8a8a8;--line:#444;"
    "--paper:#16181b;--band:#1f2327;--link:#7cc4ff;--wrong:#ff9d5c;"
    "--c222222:#e6e6e6;--c666666:#a8a8a8;--cdddddd:#3a3f45;--caaaaaa:#6a7077;--cffffff:#16181b;"
    "--c0072b2:#4aa3df;--cd55e00:#ff8a3d;--c009e73:#2fc79b;--ccc79a7:#e39ac4;--ce69f00:#f0b429;"
    "--c56b4e9:#3d8fc4;--c000000:#f0f0f0}"
    "image{filter:invert(.92) hue-rotate(180deg)}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:64rem;background:var(--paper);"
    "color:var(--ink);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 1rem}\n"
    "h2{font-size:1.25rem;margin:2.5rem 0 .75rem;padding-top:.75rem;"
    "border-top:1px solid var(--line)}\n"
    "a{color:var(--link)}\n"
    "nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;margin:0;padding:0;list-style:none}\n"
    ".scroll{overflow:auto;max-height:46rem;margin:1rem 0;max-width:100%}\n"
    "table{border-collapse:collapse;font-size:.92rem;overflow-wrap:normal}\n"
    "caption{text-align:left;font-weight:600;padding:.3rem 0;"
    "max-width:min(62rem,calc(100vw - 1.5rem))}\n"
    "th,td{padding:.28rem .7rem;text-align:left;vertical-align:top;"
    "border-bottom:1px solid var(--line);max-width:34rem}\n"
    "thead th{position:sticky;top:0;background:var(--band);vertical-align:bottom}\n"
    "th button{all:unset;cursor:pointer}\n"
    "th button:focus-visible{outline:2px solid var(--link)}\n"
    "th[aria-sort=ascending] button::after{content:\" \\25b4\"}\n"
    "th[aria-sort=descending] button::after{content:\" \\25be\"}\n"
    "tbody th{font-weight:400;color:var(--soft)}\n"
    "tbody th[scope=rowgroup]{font-weight:600;color:var(--ink);background:var(--band)}\n"
    ".settings td,.settings th{overflow-wrap:anywhere;min-width:8rem}\n"
    "tbody tr:hover{background:var(--band)}\n"
    ".n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}\n"
    "figure{margin:1.25rem 0}\n"
    ".picture{border:1px solid var(--line);border-radius:4px;max-width:var(--w)}\n"
    ".picture>*{display:block;width:100%;height:auto}\n"
    ".narrow{display:none}\n"
    "image,.pixels{image-rendering:pixelated}\n"
    "figcaption{color:var(--soft);font-size:.92rem;margin-top:.4rem}\n"
    ".sheet{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.5rem,1fr));gap:1rem "
    ".75rem;"
    "margin:1rem 0;padding:0;list-style:none;font-size:.8rem;line-height:1.25}\n"
    ".sheet li{display:flex;flex-direction:column;justify-content:flex-end}\n"
    ".sheet img{max-width:100%;height:auto;margin-bottom:.25rem;align-self:flex-start}\n"
    ".sheet span{color:var(--wrong)}\n"
    "@media screen and (max-width:44rem){body{padding:1rem .75rem 3rem}h1{font-size:1.35rem}"
    "th,td{padding:.25rem .5rem}.wide{display:none}.narrow{display:block}"
    ".sheet{grid-template-columns:repeat(auto-fill,minmax(6rem,1fr))}}\n"
    "@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#bbb;--paper:#fff;"
    "--band:#fff;--link:#000}@page{margin:12mm}body{max-width:none;padding:0;font-size:10pt}"
    "nav{display:none}table{font-size:8pt}thead{display:table-header-group}"
    ".scroll{overflow:visible;max-height:none}thead th{position:static}"
    "th,td{padding:.15rem .3rem;overflow-wrap:anywhere}.picture{border:0}"
    "figure,tr,.sheet li{break-inside:avoid}h2,caption{break-after:avoid}}\n"
    "</style>\n</head>\n<body>\n<h1>";

/* Headings of tables with several rows become buttons that sort: numbers begin with the largest,
 * rows without a value stay last.  Without it, tables stand as they were made. */
static const char script[] =
    "\nfor (const table of document.querySelectorAll('table')) {\n"
    "  if (!(table.tHead && table.tBodies[0].rows.length > 1)) continue;\n"
    "  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];\n"
    "  heads.forEach((head, column) => {\n"
    "    const numbers = head.classList.contains('n'), button = document.createElement('button');\n"
    "    const value = row => row.cells[column].textContent;\n"
    "    button.type = 'button';\n"
    "    button.title = 'Sort by this column';\n"
    "    button.append(...head.childNodes);\n"
    "    head.append(button);\n"
    "    button.onclick = () => {\n"
    "      const before = head.ariaSort;\n"
    "      const down = before ? before === 'ascending' : numbers;\n"
    "      const order = (a, b) => {\n"
    "        const x = value(a), y = value(b);\n"
    "        if (x === '–' || y === '–') return (x === '–') - (y === '–');\n"
    "        const way = numbers ? parseFloat(x) - parseFloat(y)\n"
    "                            : x.localeCompare(y, undefined, { numeric: true });\n"
    "        return down ? -way : way;\n"
    "      };\n"
    "      for (const other of heads) other.removeAttribute('aria-sort');\n"
    "      head.setAttribute('aria-sort', down ? 'descending' : 'ascending');\n"
    "      body.append(...[...body.rows].sort(order));\n"
    "    };\n"
    "  });\n"
    "}\n";

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

enum { MAX_DEPTH = 8, KEYS = 256 };

/* The text of a value of a settings table: the items of a list one after the other. */
static void put_setting(lp_buffer *body, const json_t *value) {
    const json_t *item;
    size_t i;
    if (json_is_array(value) && json_array_size(value) > 0) {
        json_array_foreach((json_t *)(uintptr_t)value, i, item) {
            lp_buffer_text(body, i > 0 ? ", " : "");
            put_setting(body, item);
        }
    } else if (json_is_array(value) || json_is_object(value)) {
        char *text = lp_json_dump(value, LP_JSON_LINE);
        body->failed = body->failed || text == NULL;
        lp_buffer_escaped(body, text != NULL ? text : "");
        free(text);
    } else {
        put_value(body, value, json_is_real(value) ? "%.10g" : NULL);
    }
}

static bool is_group(const json_t *value, size_t depth) {
    return json_is_object(value) && depth < MAX_DEPTH;
}

/* One row a member, then each object in it under a heading of its own.  `outer` is the path to the
 * object and `heading` the same in words, both "" at the top. */
static void put_members(lp_html *page, const char *outer, const char *heading, const json_t *object,
                        size_t depth) {
    lp_buffer *body = &page->body;
    char path[KEYS], words[LP_WORDS], inner[2 * KEYS];
    const char *key;
    json_t *value;
    bool begun = heading[0] == '\0';
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        if (is_group(value, depth)) {
            continue;
        }
        if (!begun) {
            lp_buffer_between(body, "<tr><th scope=\"rowgroup\" colspan=\"2\">", heading,
                              "</th></tr>\n");
            begun = true;
        }
        (void)snprintf(path, sizeof path, "%s%s", outer, key);
        lp_buffer_between(body, "<tr><th scope=\"row\" title=\"", path, "\">");
        lp_buffer_between(body, "", lp_words_of(key, words), "</th><td>");
        put_setting(body, value);
        lp_buffer_text(body, "</td></tr>\n");
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        if (is_group(value, depth)) {
            (void)snprintf(path, sizeof path, "%s%s.", outer, key);
            (void)snprintf(inner, sizeof inner, "%s%s%s", heading,
                           heading[0] != '\0' ? " \xe2\x80\xba " : "", lp_words_of(key, words));
            put_members(page, path, inner, value, depth + 1);
        }
    }
}

void lp_html_settings(lp_html *page, const char *caption, json_t *object) {
    page->body.failed = page->body.failed || object == NULL;
    open_table(&page->body, " settings", caption);
    lp_buffer_text(&page->body, "<tbody>\n");
    put_members(page, "", "", object, 0);
    lp_buffer_text(&page->body, table_end);
    json_decref(object);
}

/* ---- pictures -------------------------------------------------------------------------------- */

static void put_chart(lp_html *page, const lp_chart *chart, const char *kind) {
    char prefix[32];
    (void)snprintf(prefix, sizeof prefix, "c%zui", ++page->charts);
    lp_buffer_printf(&page->body, "<div class=\"picture%s\" style=\"--w:%.0fpx\">\n", kind,
                     lp_chart_width(chart));
    if (page->status == LP_OK) {
        page->status = lp_chart_svg(chart, prefix, &page->body, &page->err);
    }
    lp_buffer_text(&page->body, "</div>\n");
}

void lp_html_chart(lp_html *page, const lp_chart *wide, const lp_chart *narrow,
                   const char *caption) {
    lp_buffer_text(&page->body, "<figure>\n");
    put_chart(page, wide, narrow != NULL ? " wide" : "");
    if (narrow != NULL) {
        put_chart(page, narrow, " narrow");
    }
    if (caption != NULL) {
        lp_buffer_between(&page->body, "<figcaption>", caption, "</figcaption>\n");
    }
    lp_buffer_text(&page->body, "</figure>\n");
}

static void put_contact(lp_html *page, const lp_contact *image, size_t factor) {
    lp_buffer *body = &page->body;
    lp_buffer png = {0};
    if (page->status == LP_OK) {
        page->status = lp_png_encode(image->rgb, image->height, image->width, &png, &page->err);
    }
    lp_buffer_printf(body, "<li><img%s width=\"%zu\" height=\"%zu\"",
                     factor > 1 ? " class=\"pixels\"" : "", image->width * factor,
                     image->height * factor);
    lp_buffer_between(body, " alt=\"", image->truth, "\" src=\"data:image/png;base64,");
    lp_buffer_base64(body, png.bytes, png.size);
    lp_buffer_between(body, "\"><b>", image->truth, " \xe2\x86\x92</b> ");
    lp_buffer_between(body, "<span>", image->predicted, "");
    if (isfinite(image->confidence)) {
        lp_buffer_printf(body, " (%.0f\xc2\xa0%%)", 100 * image->confidence);
    }
    lp_buffer_text(body, "</span></li>\n");
    lp_buffer_free(&png);
}

void lp_html_contacts(lp_html *page, const lp_contact_sheet *sheet, const char *caption) {
    size_t factor = lp_contact_factor(sheet);
    lp_buffer_between(&page->body, "<figure>\n<figcaption>", sheet->title, "");
    lp_buffer_between(&page->body, ". ", caption, "</figcaption>\n<ul class=\"sheet\">\n");
    for (size_t i = 0; i < sheet->count; i++) {
        put_contact(page, &sheet->images[i], factor);
    }
    lp_buffer_text(&page->body, "</ul>\n</figure>\n");
}

/* ---- output ---------------------------------------------------------------------------------- */

/* The script's digest, by which the policy of the page lets it run, and no other. */
static lp_status put_digest(lp_buffer *out, lp_error *err) {
    char hex[LP_DIGEST_HEX], bytes[LP_DIGEST_HEX / 2];
    lp_status status = lp_digest_bytes(LP_SHA256, script, sizeof script - 1, hex, err);
    for (size_t i = 0; status == LP_OK && i < sizeof bytes; i++) {
        const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        bytes[i] = (char)strtoul(digits, NULL, 16);
    }
    if (status == LP_OK) {
        lp_buffer_base64(out, bytes, sizeof bytes);
    }
    return status;
}

lp_status lp_html_write(const lp_html *page, const char *path, lp_error *err) {
    lp_buffer out = {0};
    lp_status status;
    LP_TRY(page->status == LP_OK ? LP_OK
                                 : lp_fail(err, page->status, "%s: %s", path, page->err.text));
    lp_buffer_text(&out, head);
    LP_TRY(put_digest(&out, err));
    lp_buffer_text(&out, head_end);
    lp_buffer_between(&out, "", page->title, style);
    lp_buffer_escaped(&out, page->title);
    lp_buffer_text(&out, "</h1>\n");
    if (page->headings > 1) {
        lp_buffer_text(&out, "<nav aria-label=\"Contents\">\n<ul>\n");
        lp_buffer_put(&out, page->contents.bytes, page->contents.size);
        lp_buffer_text(&out, "</ul>\n</nav>\n");
    }
    lp_buffer_put(&out, page->body.bytes, page->body.size);
    lp_buffer_text(&out, page->headings > 0 ? "</section>\n" : "");
    lp_buffer_text(&out, "<script>");
    lp_buffer_text(&out, script);
    lp_buffer_text(&out, "</script>\n</body>\n</html>\n");
    if (out.failed || page->body.failed || page->contents.failed) {
        status = lp_fail(err, LP_ERR_MEMORY, "%s: out of memory: report of %zu bytes", path,
                         page->body.size);
    } else {
        status = lp_file_write(path, out.bytes, out.size, err);
    }
done:
    lp_buffer_free(&out);
    return status;
}
