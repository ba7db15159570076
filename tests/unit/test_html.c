/* The report page: structure, escaping, failures.  tests/parity/test_report.py looks at a whole one
 * through Python's parsers. */
#include <math.h>
#include <signal.h>
#include <sys/resource.h>

#include "base/alloc.h"
#include "base/file.h"
#include "check.h"
#include "test_folder.h"
#include "report/curve.h"
#include "report/html.h"
#include "report/png.h"

#define HOSTILE "</p><script>alert('\"&')</script>\xff"
#define ESCAPED "&lt;/p&gt;&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;\xef\xbf\xbd"

static lp_error err;
static const char *path;

static int set_up(void **state) {
    if (make_folder(state) != 0) {
        return 1;
    }
    path = in_folder("report.html");
    return 0;
}

static lp_status make_chart(lp_chart_format format, lp_chart **chart) {
    static const lp_curve_point points[] = {{0.1, 0.5, 0.4, 0.6}, {1, 0.6, 0.5, 0.7}};
    static const lp_series series = {HOSTILE, points, 2};
    const lp_curve curve = {
        .title = HOSTILE, .series = &series, .series_count = 1, .chosen = NAN, .format = format};
    return lp_curve_chart(&curve, chart, &err);
}

/* Writes a page with one of each part.  `rows` is made by the caller, as jansson's allocations are
 * not among those that the tests make fail. */
static lp_status write_page(const json_t *rows) {
    static const lp_column columns[] = {{"class", HOSTILE, NULL}, {"top1", "Top-1", "%.1f"}};
    static const unsigned char rgb[3] = {1, 2, 3};
    lp_html *page;
    const lp_contact images[] = {{rgb, 1, 1, HOSTILE, "b", 0.5}, {rgb, 1, 1, "c", "d", NAN}};
    const lp_contact_sheet sheet = {.title = HOSTILE, .images = images, .count = 2};
    lp_chart *chart = NULL, *narrow = NULL;
    lp_status status = lp_html_new(HOSTILE, &page, &err);
    if (status == LP_OK) {
        status = make_chart(LP_CHART_WIDE, &chart);
    }
    if (status == LP_OK) {
        status = make_chart(LP_CHART_NARROW, &narrow);
    }
    if (status == LP_OK) {
        lp_html_paragraph(page, "Before any section.");
        lp_html_heading(page, HOSTILE);
        lp_html_paragraph(page, HOSTILE);
        lp_html_table(page, HOSTILE, columns, 2, json_incref((json_t *)(uintptr_t)rows));
        lp_html_heading(page, "Pictures");
        lp_html_chart(page, chart, narrow, HOSTILE);
        lp_html_chart(page, chart, NULL, NULL);
        lp_html_contacts(page, &sheet, HOSTILE);
        lp_html_settings(page, "Settings", json_incref(json_array_get(rows, 0)));
        status = lp_html_write(page, path, &err);
    }
    lp_chart_free(narrow);
    lp_chart_free(chart);
    lp_html_free(page);
    return status;
}

static json_t *make_rows(void) {
    json_t *rows = json_pack("[{s:s, s:f}, {s:s, s:n}]", "class", "<b>&\"'", "top1", 12.345,
                             "class", "a", "top1");
    assert_non_null(rows);
    return rows;
}

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        count++;
    }
    return count;
}

/* Every element is closed, in order. */
static void assert_balanced(const char *html) {
    char open[64][24];
    size_t depth = 0, elements = 0;
    for (const char *p = strchr(html + 1, '<'); p != NULL; p = strchr(p + 1, '<')) {
        const char *end = strchr(p, '>');
        bool closing = p[1] == '/';
        char name[24];
        assert_non_null(end);
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(p + 1 + closing, " />"),
                       p + 1 + closing);
        elements++;
        if (closing) {
            if (depth == 0 || strcmp(open[depth - 1], name) != 0) {
                fail_msg("</%s> closes <%s>", name, depth > 0 ? open[depth - 1] : "nothing");
            }
            depth--;
        } else if (end[-1] != '/' && strcmp(name, "meta") != 0 && strcmp(name, "img") != 0) {
            assert_true(depth < 64);
            memcpy(open[depth++], name, sizeof name);
        }
    }
    assert_int_equal(depth, 0);
    assert_true(elements > 100);
}

static void page_holds_its_parts(void **state) {
    (void)state;
    json_t *rows = make_rows();
    char *html;
    size_t size;
    assert_ok(write_page(rows), &err);
    assert_ok(lp_file_read(path, 1 << 24, &html, &size, &err), &err);
    assert_int_equal(strlen(html), size);
    assert_balanced(html);
    static const struct {
        const char *part;
        size_t count;
    } parts[] = {
        {"<!DOCTYPE html>\n", 1},
        {"<title>" ESCAPED "</title>", 4}, /* the page's and three charts' */
        {"<h1>" ESCAPED "</h1>", 1},
        {"<li><a href=\"#s1\">" ESCAPED "</a></li>", 1},
        {"<h2 id=\"s1\">" ESCAPED "</h2>", 1},
        {"<p>" ESCAPED "</p>", 1},
        {"<caption>" ESCAPED "</caption>", 1},
        {"<th scope=\"col\">" ESCAPED "</th><th scope=\"col\" class=\"n\">Top-1</th>", 1},
        {"<td>&lt;b&gt;&amp;&quot;&#39;</td><td class=\"n\">12.3</td>", 1},
        {"<td>a</td><td class=\"n\">–</td>", 1},
        {"<th scope=\"row\" title=\"top1\">top-1 accuracy, %</th><td>12.345</td>", 1},
        {"<figure>", 3},
        {"<figcaption>" ESCAPED "</figcaption>", 1},
        {"<svg ", 3},
        {" id=\"c1i0\"", 1}, /* letters of the two charts are not mixed */
        {" id=\"c2i0\"", 1},
        {" alt=\"" ESCAPED "\" src=\"data:image/png;base64,iVBORw0KGgo", 1},
        {"<b>" ESCAPED " \xe2\x86\x92</b> <span>b (50\xc2\xa0%)</span>", 1},
        {"<span>d</span>", 1}, /* no confidence is known */
        {"<div class=\"picture wide\"", 1},
        {"<div class=\"picture narrow\"", 1},
        {"<section>", 2},
        {"</section>", 2},
        {"<script", 1},
        {"https:", 0},
        {" src=\"data:", 2},
        {" src=", 2},
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t found = count_of(html, parts[i].part);
        if (found != parts[i].count) {
            fail_msg("\"%s\" is there %zu times, expected %zu", parts[i].part, found,
                     parts[i].count);
        }
    }
    assert_int_equal(count_of(html, "http:"), count_of(html, "=\"http://www.w3.org/"));
    assert_int_equal(count_of(html, "href=\""), count_of(html, "href=\"#"));
    assert_int_equal(count_of(html, "url("), count_of(html, "url(#"));
    lp_free(html);
    json_decref(rows);
}

static void empty_page_is_a_page(void **state) {
    (void)state;
    lp_html *page;
    char *html;
    size_t size;
    assert_ok(lp_html_new("", &page, &err), &err);
    assert_ok(lp_html_write(page, path, &err), &err);
    lp_html_free(page);
    assert_ok(lp_file_read(path, 1 << 20, &html, &size, &err), &err);
    assert_non_null(strstr(html, "<body>\n<h1></h1>\n<script>\n"));
    assert_null(strstr(html, "<nav"));
    lp_free(html);
}

static void base64_is_exact(void **state) {
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {{"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foobar", "Zm9vYmFy"},
                 {"\xff\xfe\xfd\xfb", "//79+w=="}}; /* RFC 4648, and the last two digits */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lp_buffer out = {0};
        lp_buffer_base64(&out, cases[i].in, strlen(cases[i].in));
        assert_string_equal(out.bytes, cases[i].out);
        lp_buffer_free(&out);
    }
}

static void files_are_complete_or_not_there(void **state) {
    (void)state;
    struct rlimit limit, small;
    json_t *rows = make_rows();
    lp_html *page;
    assert_ok(lp_html_new("Old", &page, &err), &err);
    assert_fails(lp_html_write(page, "/nonexistent/r.html", &err), LP_ERR_IO, &err,
                 "/nonexistent/r.html: cannot be created: No such file or directory");
    assert_ok(lp_html_write(page, path, &err), &err);
    lp_html_free(page);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 20000; /* as a full disk */
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    lp_status status = write_page(rows);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_fails(status, LP_ERR_IO, &err, "report.html: cannot be written: File too large");
    char *html;
    size_t size;
    assert_ok(lp_file_read(path, 1 << 20, &html, &size, &err), &err);
    assert_non_null(strstr(html, "<h1>Old</h1>\n<script>\n"));
    lp_free(html);
    json_decref(rows);
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    json_t *rows = make_rows();
    (void)lp_alloc_fail_at(0);
    assert_ok(write_page(rows), &err);
    size_t needed = lp_alloc_fail_at(0);
    assert_true(needed > 20);
    for (size_t k = 1; k <= needed; k++) {
        (void)lp_alloc_fail_at(k);
        lp_status status = write_page(rows);
        (void)lp_alloc_fail_at(0);
        assert_fails(status, LP_ERR_MEMORY, &err, "memory");
    }
    json_decref(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(page_holds_its_parts),
        cmocka_unit_test(empty_page_is_a_page),
        cmocka_unit_test(base64_is_exact),
        cmocka_unit_test(files_are_complete_or_not_there),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, set_up, remove_folder);
}
