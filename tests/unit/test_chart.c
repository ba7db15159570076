/* Figures: what is drawn, where it lies, and that nothing is cut off or hidden. */
#include <math.h>

#include "base/alloc.h"
#include "base/file.h"
#include "test_folder.h"
#include "picture.h"
#include "report/chart_axis.h"
#include "report/bars.h"
#include "report/contact_sheet.h"
#include "report/curve.h"
#include "report/heat_map.h"
#include "report/utf8.h"

#define HOSTILE "<script>alert('\"&')</script>"
#define LONG_TEXT                                                                                  \
    "a name that goes on and on until nothing is left of the width of the picture, and then some " \
    "more of it, and it ends only here"

static lp_error err;

/* ---- helpers --------------------------------------------------------------------------------- */

/* Nothing reaches beyond the picture, and no two texts touch. */
static void assert_clear(const lp_chart *chart) {
    size_t count;
    const lp_box *box = lp_chart_text_boxes(chart, &count);
    lp_box ink = lp_chart_ink(chart);
    assert_true(ink.left >= 0 && ink.top >= 0);
    assert_true(ink.right <= lp_chart_width(chart));
    assert_true(ink.bottom <= lp_chart_height(chart));
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++) {
            const double near = 0.01; /* texts may follow on each other */
            if (box[i].left < box[k].right - near && box[k].left < box[i].right - near &&
                box[i].top < box[k].bottom - near && box[k].top < box[i].bottom - near) {
                fail_msg("\"%s\": texts %zu and %zu overlap", lp_chart_title(chart), k, i);
            }
        }
    }
}

/* The SVG; freed by the caller. */
static lp_buffer svg_of(const lp_chart *chart, const char *prefix) {
    lp_buffer svg = {0};
    assert_ok(lp_chart_svg(chart, prefix, &svg, &err), &err);
    return svg;
}

static void assert_says(const lp_chart *chart, const char *text, bool expected) {
    lp_buffer svg = svg_of(chart, NULL);
    if ((strstr(svg.bytes, text) != NULL) != expected) {
        fail_msg("SVG of \"%s\": \"%s\" is %s", lp_chart_title(chart), text,
                 expected ? "missing" : "there");
    }
    lp_buffer_free(&svg);
}

/* Middle of all pixels of a colour within rows from .. to; their number. */
static size_t find_color(const picture *p, lp_color color, size_t from, size_t to, lp_xy *middle) {
    size_t count = 0;
    lp_xy sum = {0, 0};
    for (size_t y = from; y < to; y++) {
        for (size_t x = 0; x < p->width; x++) {
            if (pixel(p, x, y) == color) {
                sum.x += (double)x;
                sum.y += (double)y;
                count++;
            }
        }
    }
    *middle = (lp_xy){sum.x / (double)count, sum.y / (double)count};
    return count;
}

static lp_curve sweep_of(const lp_series *series, size_t count) {
    return (lp_curve){.kind = LP_CURVE_SWEEP,
                      .title = "Sweep",
                      .measure = "Top-1 accuracy",
                      .series = series,
                      .series_count = count,
                      .chosen = NAN};
}

/* ---- axes and text --------------------------------------------------------------------------- */

static void linear_axes_have_round_ticks(void **state) {
    (void)state;
    static const struct {
        double low, high, from, to;
        const char *first, *last;
        size_t ticks;
    } cases[] = {
        {1, 79, 0, 80, "0", "80", 9},
        {0, 100, 0, 100, "0", "100", 6},
        {79.1, 80.7, 79, 80.8, "79.0", "80.8", 10},
        {0.2, 0.21, 0.2, 0.21, "0.200", "0.210", 6},
        {99.95, 100, 99.95, 100, "99.95", "100.00", 6},
        {0, 0, 0, 0.001, "0.0000", "0.0010", 6},
        {100, 100, 95, 100, "95", "100", 6},
        {50, 50, 47, 53, "47", "53", 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double ticks[LP_MAX_TICKS];
        char text[LP_TICK_TEXT];
        lp_chart_axis axis =
            lp_chart_axis_make(LP_SCALE_LINEAR, cases[i].low, cases[i].high, 9, 0, 100);
        axis.from = 300;
        axis.to = 20;
        size_t count = lp_chart_axis_ticks(&axis, ticks);
        if (fabs(axis.low - cases[i].from) > 1e-9 || fabs(axis.high - cases[i].to) > 1e-9 ||
            count != cases[i].ticks) {
            fail_msg("case %zu: %.17g to %.17g with %zu ticks", i, axis.low, axis.high, count);
        }
        lp_chart_axis_label(&axis, ticks[0], text);
        assert_string_equal(text, cases[i].first);
        lp_chart_axis_label(&axis, ticks[count - 1], text);
        assert_string_equal(text, cases[i].last);
        assert_true(fabs(lp_chart_axis_place(&axis, axis.low) - 300) < 1e-9);
        assert_true(fabs(lp_chart_axis_place(&axis, axis.high) - 20) < 1e-9);
    }
}

static void logarithmic_axes_mark_powers(void **state) {
    (void)state;
    static const char *expected[] = {"1e-6", "1e-5", "1e-4", "0.001", "0.01", "0.1", "1",
                                     "10",   "100",  "1000", "1e4",   "1e5",  "1e6"};
    double ticks[LP_MAX_TICKS];
    char text[LP_TICK_TEXT];
    lp_chart_axis axis = lp_chart_axis_make(LP_SCALE_LOG10, 1e-6, 1e6, 14, 0, INFINITY);
    assert_int_equal(lp_chart_axis_ticks(&axis, ticks), 13);
    for (size_t i = 0; i < 13; i++) {
        lp_chart_axis_label(&axis, ticks[i], text);
        assert_string_equal(text, expected[i]);
        lp_chart_axis_label(&axis, 1 / ticks[12 - i], text); /* lambda's */
        assert_string_equal(text, expected[i]);
    }
    axis = lp_chart_axis_make(LP_SCALE_LOG10, 1e-20, 1e20, 14, 0, INFINITY);
    assert_in_range(lp_chart_axis_ticks(&axis, ticks), 10, 15);
    axis = lp_chart_axis_make(LP_SCALE_LOG10, 0.02, 0.7, 14, 0, INFINITY); /* below two decades */
    assert_int_equal(lp_chart_axis_ticks(&axis, ticks), 5);
    assert_true(fabs(ticks[1] - 0.05) < 1e-12 && fabs(ticks[4] - 0.5) < 1e-12);
    axis = lp_chart_axis_make(LP_SCALE_LOG10, 3e-5, 5e-5, 14, 0, INFINITY); /* below one */
    assert_int_equal(lp_chart_axis_ticks(&axis, ticks), 3);
    lp_chart_axis_label(&axis, ticks[1], text);
    assert_string_equal(text, "4e-5");
    axis = lp_chart_axis_make(LP_SCALE_LOG2, 1, 16, 14, 0, INFINITY);
    assert_int_equal(lp_chart_axis_ticks(&axis, ticks), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_true(fabs(ticks[i] - (double)(1 << i)) < 1e-9);
    }
}

static void malformed_text_is_replaced(void **state) {
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"a\xc3\xa9\xe2\x86\x92\xf0\x9f\x98\x80", "a\xc3\xa9\xe2\x86\x92\xf0\x9f\x98\x80"},
        {"\xff", "\xef\xbf\xbd"},
        {"\xc3", "\xef\xbf\xbd"},                                 /* cut off */
        {"\xe2\x86", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* cut off */
        {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},                 /* overlong */
        {"\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* overlong */
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* surrogate */
        {"\xef\xbf\xbe", "\xef\xbf\xbd"},                         /* noncharacter */
        {"\x01\x1b\x7f\xc2\x85", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"a\tb\r\nc", "a\tb\n\nc"},
        {HOSTILE, "&lt;script&gt;alert(&#39;&quot;&amp;&#39;)&lt;/script&gt;"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lp_buffer out = {0};
        lp_buffer_escaped(&out, cases[i].in);
        assert_string_equal(out.bytes, cases[i].out);
        lp_buffer_free(&out);
    }
}

/* ---- curves ---------------------------------------------------------------------------------- */

static void points_lie_where_their_values_are(void **state) {
    (void)state;
    /* three series of one point, evenly spaced in log C and in accuracy, no intervals */
    const lp_curve_point points[] = {
        {0.01, 0.5, NAN, NAN}, {1, 0.6, NAN, NAN}, {100, 0.7, NAN, NAN}};
    const lp_series series[] = {{"a", points, 1}, {"b", points + 1, 1}, {"c", points + 2, 1}};
    lp_curve curve = sweep_of(series, 3);
    lp_chart *chart;
    lp_xy at[3];
    assert_ok(lp_curve_chart(&curve, &chart, &err), &err);
    assert_clear(chart);
    picture p = render(chart);
    assert_int_equal(p.width, 1800);
    assert_int_equal(p.height, 1120);
    for (size_t i = 0; i < 3; i++) { /* below the legend */
        assert_true(find_color(&p, lp_series_color(i), 160, p.height, &at[i]) > 50);
    }
    assert_true(at[0].x < at[1].x && at[0].y > at[1].y);
    assert_true(fabs((at[2].x - at[1].x) - (at[1].x - at[0].x)) < 2); /* pixels */
    assert_true(fabs((at[2].y - at[1].y) - (at[1].y - at[0].y)) < 2);
    free(p.rgb);
    lp_chart_free(chart);
}

static void sweep_says_what_it_shows(void **state) {
    (void)state;
    const lp_curve_point points[] = {{10, 0.7, 0.69, 0.71}, {0.316, 0.8, 0.79, 0.81},
                                     {1e-6, 0.01, 0, 0.02}, {1e6, 0.6, 0.59, 0.61},
                                     {NAN, 0.5, 0.4, 0.6},  {1, NAN, 0, 1}};
    const lp_series series[] = {{"validation " HOSTILE, points, 6}, {"test \xff", points + 1, 1}};
    lp_curve curve = sweep_of(series, 2);
    lp_chart *chart;
    curve.chosen = 0.316;
    assert_ok(lp_curve_chart(&curve, &chart, &err), &err);
    assert_clear(chart);
    static const char *texts[] = {"<title>Sweep</title>",
                                  "Top-1 accuracy (%)",
                                  "chosen: C = 0.316, \xce\xbb = 3.16",
                                  "\xce\xbb = 1/C",
                                  "95 % interval",
                                  "1e-6",
                                  "validation &lt;script&gt;",
                                  "test \xef\xbf\xbd"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_says(chart, texts[i], true);
    }
    assert_says(chart, "<script", false);
    lp_chart_free(chart);

    curve.kind = LP_CURVE_FEW_SHOT;
    curve.chosen = NAN;
    curve.interval = "3 standard errors";
    assert_ok(lp_curve_chart(&curve, &chart, &err), &err);
    assert_clear(chart);
    assert_says(chart, "Training examples per class", true);
    assert_says(chart, "3 standard errors", true);
    assert_says(chart, "1/C", false);
    lp_chart_free(chart);

    const lp_curve_point models[] = {{4.4, 0.8, NAN, NAN}, {17.5, 0.85, NAN, NAN}};
    const lp_series pair[] = {{"ViT-B/32", models, 1}, {"ViT-B/16", models + 1, 1}};
    for (int format = 0; format < 2; format++) {
        lp_curve work = sweep_of(pair, 2);
        work.kind = LP_CURVE_WORK;
        work.format = (lp_chart_format)format;
        assert_ok(lp_curve_chart(&work, &chart, &err), &err);
        assert_clear(chart);
        assert_says(chart, "Work for an image (GFLOP, log scale)", true);
        assert_says(chart, "ViT-B/16", true);
        assert_says(chart, "95 % interval", false);
        lp_chart_free(chart);
    }
}

static void order_of_points_does_not_matter(void **state) {
    (void)state;
    const lp_curve_point rising[] = {
        {0.1, 0.5, 0.4, 0.6}, {1, 0.6, 0.5, 0.7}, {10, 0.5, 0.45, 0.55}};
    const lp_curve_point mixed[] = {rising[2], rising[0], {-1, 0.9, 0.8, 1}, rising[1]};
    lp_series series = {"s", rising, 3};
    lp_curve curve = sweep_of(&series, 1);
    lp_chart *chart;
    assert_ok(lp_curve_chart(&curve, &chart, &err), &err);
    lp_buffer a = svg_of(chart, NULL);
    lp_chart_free(chart);
    series = (lp_series){"s", mixed, 4};
    assert_ok(lp_curve_chart(&curve, &chart, &err), &err);
    lp_buffer b = svg_of(chart, NULL);
    lp_chart_free(chart);
    assert_string_equal(a.bytes, b.bytes);
    lp_buffer_free(&a);
    lp_buffer_free(&b);
}

static void curves_of_odd_shape(void **state) {
    (void)state;
    enum { MANY = 200 };
    static lp_curve_point points[MANY];
    lp_series series[12];
    lp_curve curve = sweep_of(series, 1);
    lp_chart *chart;
    for (size_t s = 0; s < 12; s++) { /* more than there are colours */
        series[s] = (lp_series){s > 1 ? LONG_TEXT LONG_TEXT : "a series", points, MANY};
    }
    for (size_t kind = 0; kind < 2; kind++) {
        curve.kind = kind == 0 ? LP_CURVE_SWEEP : LP_CURVE_FEW_SHOT;
        for (size_t i = 0; i < MANY; i++) {
            double share = (double)i / (MANY - 1);
            double x = kind == 0 ? pow(10, -6 + 12 * share) : exp2(20 * share);
            points[i] = (lp_curve_point){x, 0.8, 0.8, 0.8};
        }
        for (size_t count = 1; count <= 12; count += 11) {
            for (size_t each = 1; each <= MANY; each += MANY - 1) {
                curve.series_count = count;
                curve.title = each == 1 ? "" : LONG_TEXT;
                for (size_t s = 0; s < 12; s++) {
                    series[s].count = each;
                }
                curve.chosen = points[each - 1].x; /* at the edge */
                for (size_t format = 0; format < 2; format++) {
                    curve.format = format == 0 ? LP_CHART_WIDE : LP_CHART_NARROW;
                    assert_ok(lp_curve_chart(&curve, &chart, &err), &err);
                    assert_clear(chart);
                    lp_chart_free(chart);
                }
            }
        }
    }
    /* accuracies at the ends of their range are inside the picture */
    const lp_curve_point ends[] = {{0.01, 0, 0, 0.1}, {1, 1, 0.9, 1}};
    series[0] = (lp_series){"ends", ends, 2};
    curve = sweep_of(series, 1);
    assert_ok(lp_curve_chart(&curve, &chart, &err), &err);
    assert_clear(chart);
    lp_chart_free(chart);
}

/* No word of a title is lost, and what is below it moves down. */
static void titles_wrap(void **state) {
    (void)state;
    const lp_curve_point point = {1, 0.5, NAN, NAN};
    const lp_series series = {"s", &point, 1};
    lp_curve curve = sweep_of(&series, 1);
    lp_chart *chart;
    double heights[2];
    for (size_t i = 0; i < 2; i++) {
        curve.title = i == 0 ? "Short" : LONG_TEXT;
        curve.format = LP_CHART_NARROW;
        assert_ok(lp_curve_chart(&curve, &chart, &err), &err);
        assert_clear(chart);
        heights[i] = lp_chart_height(chart);
        assert_says(chart, "\xe2\x80\xa6", false); /* an ellipsis */
        if (i == 1) {
            assert_says(chart, "<desc>a name that goes on and on until", true);
            assert_says(chart, "it ends only here; ", true);
        }
        lp_chart_free(chart);
    }
    assert_true(heights[1] > heights[0] + 40);
    /* a word that is wider than the picture breaks, between its letters */
    curve.title = "\xc3\xa9t\xc3\xa9/0123456789/0123456789/0123456789/0123456789/0123456789 end";
    assert_ok(lp_curve_chart(&curve, &chart, &err), &err);
    assert_clear(chart);
    assert_says(chart, "\xef\xbf\xbd", false); /* no letter was cut */
    assert_says(chart, "end; ", true);
    lp_chart_free(chart);
}

/* In a page a colour is a variable with itself as the default; a file of its own has plain ones. */
static void colours_of_a_page_can_change(void **state) {
    (void)state;
    const lp_curve_point points[] = {{1, 0.5, 0.4, 0.6}, {2, 0.6, 0.5, 0.7}};
    const lp_series series = {"s", points, 2};
    const lp_curve curve = sweep_of(&series, 1);
    lp_chart *chart;
    assert_ok(lp_curve_chart(&curve, &chart, &err), &err);
    lp_buffer part = svg_of(chart, "p"), whole = svg_of(chart, NULL);
    assert_non_null(strstr(part.bytes, ":var(--c222222,rgb(13.3"));
    assert_non_null(strstr(part.bytes, ":var(--c0072b2,rgb(0%"));
    assert_non_null(strstr(part.bytes, ":var(--cffffff,rgb(100%"));
    assert_null(strstr(part.bytes, ":rgb("));
    assert_null(strstr(whole.bytes, "var("));
    lp_buffer_free(&part);
    lp_buffer_free(&whole);
    lp_chart_free(chart);
}

static void nothing_to_draw_is_an_error(void **state) {
    (void)state;
    const lp_curve_point points[] = {
        {NAN, 0.5, 0, 1}, {1, NAN, 0, 1}, {0, 0.5, 0, 1}, {-1, 0.5, 0, 1}};
    const lp_series series = {"s", points, 4};
    lp_curve curve = sweep_of(&series, 1);
    lp_chart *chart;
    assert_fails(lp_curve_chart(&curve, &chart, &err), LP_ERR_DATA, &err,
                 "chart \"Sweep\": there is no finite value to draw");
    assert_null(chart);
    curve.series_count = 13;
    assert_fails(lp_curve_chart(&curve, &chart, &err), LP_ERR_ARGUMENT, &err,
                 "13 series, expected at most 12");
    curve.series_count = 0;
    assert_fails(lp_curve_chart(&curve, &chart, &err), LP_ERR_DATA, &err, "no finite value");
    const lp_bar bar = {"a", NAN, NAN, NAN, 0.5};
    lp_bars bars = {.title = "Bars", .bars = &bar, .count = 1};
    assert_fails(lp_bars_chart(&bars, &chart, &err), LP_ERR_DATA, &err, "no finite value");
    bars.count = 501;
    assert_fails(lp_bars_chart(&bars, &chart, &err), LP_ERR_ARGUMENT, &err, "at most 500");
    const lp_heat_map map = {.title = "Map"};
    assert_fails(lp_heat_map_chart(&map, &chart, &err), LP_ERR_ARGUMENT, &err, "no class");
    lp_contact_sheet sheet = {.title = "Sheet"};
    assert_fails(lp_contact_sheet_chart(&sheet, &chart, &err), LP_ERR_ARGUMENT, &err, "no image");
    const lp_contact empty = {NULL, 0, 3, "a", "b", 1};
    sheet.images = &empty;
    sheet.count = 1;
    assert_fails(lp_contact_sheet_chart(&sheet, &chart, &err), LP_ERR_ARGUMENT, &err,
                 "image 0 has 3 x 0 pixels");
    assert_null(chart);
}

/* ---- heat maps ------------------------------------------------------------------------------- */

static const lp_color all = 0x081d58, nothing = 0xffffff, no_examples = 0xe4e4e4;

/* Colour of the middle of a cell of a matrix of up to seven classes, cells of 220 pixels. */
static lp_color cell(const picture *p, size_t row, size_t column) {
    enum { CELL = 220 };
    static size_t x0,
        y0; /* corner of the matrix: its frame is the first line in the picture's ink */
    if (row == 0 && column == 0) {
        for (y0 = 60; pixel(p, p->width / 3, y0) != LP_INK; y0++) {
        }
        for (x0 = p->width / 3; pixel(p, x0, y0 + 9) != LP_INK; x0--) {
        }
    }
    return pixel(p, x0 + CELL / 4 + column * CELL, y0 + CELL / 4 + row * CELL);
}

static void cells_have_the_colour_of_their_share(void **state) {
    (void)state;
    /* class 0 is always taken for 2, class 1 is right, 2 is without examples, 3 is split */
    const size_t counts[16] = {0, 0, 7, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 5, 0, 5};
    const size_t group_of[] = {1, 0, 1, 0}; /* order: 1, 3, 0, 2 */
    lp_heat_map map = {.title = "Map", .classes = 4, .counts = counts};
    lp_chart *chart;
    assert_ok(lp_heat_map_chart(&map, &chart, &err), &err);
    assert_clear(chart);
    picture p = render(chart);
    assert_int_equal(cell(&p, 0, 0), nothing);
    assert_int_equal(cell(&p, 0, 2), all);
    assert_int_equal(cell(&p, 1, 1), all);
    assert_int_equal(cell(&p, 1, 2), nothing);
    assert_int_equal(cell(&p, 2, 2), no_examples);
    assert_int_equal(cell(&p, 3, 1), cell(&p, 3, 3));
    assert_int_not_equal(cell(&p, 3, 3), all);
    assert_int_not_equal(cell(&p, 3, 3), nothing);
    free(p.rgb);
    assert_says(chart, "; 100; ", true); /* numbers in large cells */
    assert_says(chart, "; 50; 50; ", true);
    lp_chart_free(chart);

    map.group_of = group_of;
    map.groups = 2;
    assert_ok(lp_heat_map_chart(&map, &chart, &err), &err);
    p = render(chart);
    assert_int_equal(cell(&p, 0, 0), all);         /* 1 is right */
    assert_int_not_equal(cell(&p, 1, 0), nothing); /* 3 is half 1 */
    assert_int_equal(cell(&p, 2, 3), all);         /* 0 is 2 */
    assert_int_equal(cell(&p, 3, 3), no_examples);
    free(p.rgb);
    lp_chart_free(chart);

    map.groups = 1;
    assert_fails(lp_heat_map_chart(&map, &chart, &err), LP_ERR_ARGUMENT, &err,
                 "class 0 is in group 1, expected below 1");
}

static void names_are_drawn_where_they_fit(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 2, 20, 100, 300, 1000, 2500};
    static const char *group_names[] = {"first", LONG_TEXT, "third \xff", HOSTILE, "last"};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t classes = sizes[i];
        size_t *counts = lp_alloc_zeroed(classes * classes, sizeof *counts);
        size_t *group_of = lp_alloc(classes, sizeof *group_of);
        const char **names = lp_alloc(classes, sizeof *names);
        char(*text)[32] = lp_alloc(classes, sizeof *text);
        assert_true(counts != NULL && group_of != NULL && names != NULL && text != NULL);
        for (size_t k = 0; k < classes; k++) {
            counts[k * classes + k] = 3;
            counts[k * classes + (k * 7) % classes] += 1;
            group_of[k] = k % 5;
            (void)snprintf(text[k], sizeof text[k], "class-%zu", k);
            names[k] = k % 50 == 1 ? LONG_TEXT : text[k];
        }
        const lp_heat_map map = {.title = LONG_TEXT,
                                 .classes = classes,
                                 .counts = counts,
                                 .names = names,
                                 .group_of = group_of,
                                 .group_names = group_names,
                                 .groups = 5};
        lp_chart *chart;
        assert_ok(lp_heat_map_chart(&map, &chart, &err), &err);
        assert_clear(chart);
        assert_true(lp_chart_width(chart) < 1600 && lp_chart_height(chart) < 1600);
        assert_says(chart, "class-0", classes <= 100);
        assert_says(chart, "100 %", true);
        assert_says(chart, "; &lt;script", classes > 3);
        assert_says(chart, "the largest of 3 x 3", classes == 2500);
        lp_chart_free(chart);
        lp_free(counts);
        lp_free(group_of);
        lp_free(names);
        lp_free(text);
    }
}

/* ---- bars ------------------------------------------------------------------------------------ */

static void bars_begin_at_zero_or_are_points(void **state) {
    (void)state;
    const lp_color bar_color = 0x56b4e9, mark = 0xd55e00;
    lp_bar bar[] = {{"softmax", 0.7993, 0.7913, 0.8070, 0.7992},
                    {LONG_TEXT, 0.79, NAN, NAN, NAN},
                    {"gone", NAN, NAN, NAN, NAN},
                    {HOSTILE, 0.31, 0.30, 0.32, NAN}};
    lp_bars bars = {.title = "Bars", .bars = bar, .count = 4, .reported = "in the paper"};
    lp_chart *chart;
    lp_xy at, last;
    assert_ok(lp_bars_chart(&bars, &chart, &err), &err);
    assert_clear(chart);
    assert_says(chart, "79.93  [79.13, 80.70]", true);
    assert_says(chart, "no value", true);
    assert_says(chart, "in the paper", true);
    assert_says(chart, "&lt;script", true);
    picture p = render(chart);
    size_t first = find_color(&p, bar_color, 164, 232, &at); /* rows of 68 pixels from 164 on */
    size_t fourth = find_color(&p, bar_color, 368, 436, &last);
    /* areas as the accuracies, less the marks on the first */
    assert_true(fabs((double)first / (double)fourth - 0.7993 / 0.31) < 0.05);
    assert_true(find_color(&p, mark, 164, 232, &at) > 100);
    assert_int_equal(find_color(&p, mark, 232, p.height, &last), 0);
    free(p.rgb);
    lp_chart_free(chart);

    bars.count = 2; /* close together */
    assert_ok(lp_bars_chart(&bars, &chart, &err), &err);
    assert_clear(chart);
    p = render(chart);
    assert_int_equal(find_color(&p, bar_color, 0, p.height, &at), 0);
    assert_true(find_color(&p, lp_series_color(0), 164, 232, &at) > 50);
    assert_true(find_color(&p, lp_series_color(0), 232, 300, &last) > 50);
    assert_true(last.x < at.x);
    free(p.rgb);
    lp_chart_free(chart);

    bars.count = 4;
    bars.title = LONG_TEXT;
    for (size_t format = 0; format < 2; format++) {
        bars.format = format == 0 ? LP_CHART_WIDE : LP_CHART_NARROW;
        assert_ok(lp_bars_chart(&bars, &chart, &err), &err);
        assert_clear(chart);
        lp_chart_free(chart);
    }
    bar[0] = (lp_bar){"zero", 0, 0, 0, NAN};
    bars.count = 1;
    assert_ok(lp_bars_chart(&bars, &chart, &err), &err);
    assert_clear(chart);
    lp_chart_free(chart);
}

/* ---- contact sheets -------------------------------------------------------------------------- */

static void sheets_hold_the_very_pixels(void **state) {
    (void)state;
    static const struct {
        size_t height, width, pixels; /* of the picture, for one of the image */
    } cases[] = {{32, 32, 6}, {5, 9, 22}, {224, 200, 1}};
    static unsigned char rgb[224 * 200 * 3];
    for (size_t i = 0; i < sizeof rgb; i++) {
        rgb[i] = (unsigned char)((i * 2654435761u) >> 9);
    }
    for (size_t i = 0; i < 3; i++) {
        size_t h = cases[i].height, w = cases[i].width, n = cases[i].pixels;
        size_t scale = n > 1 ? 2 : 1;
        const lp_contact images[] = {{rgb, h, w, "cat", "dog", 0.934},
                                     {rgb, h, w, LONG_TEXT, HOSTILE, NAN},
                                     {rgb, 1, 1, "\xff", LONG_TEXT, 1}};
        const lp_contact_sheet sheet = {.title = "Sheet", .images = images, .count = 3};
        lp_chart *chart;
        assert_ok(lp_contact_sheet_chart(&sheet, &chart, &err), &err);
        assert_clear(chart);
        assert_says(chart, "cat;  \xe2\x86\x92; dog;  (93 %)", true);
        picture p = render(chart);
        size_t largest = (h > w ? h : w) * n; /* images stand on one line */
        size_t left = 16 * scale, top = 52 * scale + largest - h * n;
        for (size_t y = 0; y < h * n; y++) {
            for (size_t x = 0; x < w * n; x++) {
                const unsigned char *source = rgb + 3 * (y / n * w + x / n);
                lp_color expected =
                    (lp_color)source[0] << 16 | (lp_color)source[1] << 8 | source[2];
                if (pixel(&p, left + x, top + y) != expected) {
                    fail_msg("%zu x %zu: pixel (%zu, %zu) is %06x, expected %06x", w, h, x, y,
                             pixel(&p, left + x, top + y), expected);
                }
            }
        }
        free(p.rgb);
        lp_chart_free(chart);
    }
}

/* ---- output ---------------------------------------------------------------------------------- */

static lp_chart *any_chart(void) {
    static const lp_curve_point points[] = {{0.1, 0.5, 0.4, 0.6}, {1, 0.6, 0.5, 0.7}};
    static const lp_series series = {"s", points, 2};
    lp_curve curve = sweep_of(&series, 1);
    lp_chart *chart;
    assert_ok(lp_curve_chart(&curve, &chart, &err), &err);
    return chart;
}

static lp_chart *any_map(void) {
    static const size_t counts[] = {1, 0, 0, 1};
    const lp_heat_map map = {.title = "Map", .classes = 2, .counts = counts};
    lp_chart *chart;
    assert_ok(lp_heat_map_chart(&map, &chart, &err), &err);
    return chart;
}

/* Every reference has its id, every id begins with the prefix, and none is there twice. */
static void assert_ids(const char *svg, const char *prefix) {
    char id[64];
    size_t references = 0;
    for (const char *p = svg; (p = strstr(p, "href=\"#")) != NULL; references++) {
        p += 7;
        (void)snprintf(id, sizeof id, " id=\"%.*s\"", (int)strcspn(p, "\""), p);
        assert_non_null(strstr(svg, id));
    }
    assert_true(references > 20); /* letters */
    for (const char *p = svg; (p = strstr(p, " id=\"")) != NULL;) {
        (void)snprintf(id, sizeof id, "%.*s\"", (int)(5 + strcspn(p + 5, "\"")), p);
        p += 5;
        assert_memory_equal(p, prefix, strlen(prefix));
        assert_null(strstr(p, id));
    }
}

static void svg_does_not_depend_on_what_was_drawn_before(void **state) {
    (void)state;
    lp_chart *chart = any_map(), *other = any_chart();
    lp_buffer a = svg_of(chart, "x");
    lp_buffer b = svg_of(other, "y");
    lp_chart *again = any_map();
    lp_buffer c = svg_of(again, "x");
    lp_buffer d = svg_of(chart, "x");
    assert_string_equal(a.bytes, c.bytes);
    assert_string_equal(a.bytes, d.bytes);
    assert_ids(a.bytes, "x");
    assert_ids(b.bytes, "y");
    assert_memory_equal(a.bytes, "<svg role=\"img\"", 15); /* for a page: no XML declaration */
    lp_buffer file = svg_of(chart, NULL);
    assert_memory_equal(file.bytes, "<?xml version=\"1.0\"", 19);
    assert_non_null(strstr(file.bytes, "<style>image{image-rendering:pixelated}</style>"));
    lp_buffer *buffers[] = {&a, &b, &c, &d, &file};
    for (size_t i = 0; i < 5; i++) {
        lp_buffer_free(buffers[i]);
    }
    lp_chart_free(chart);
    lp_chart_free(other);
    lp_chart_free(again);
}

static void files_get_the_format_of_their_name(void **state) {
    (void)state;
    char *bytes;
    size_t size;
    lp_chart *chart = any_chart();
    static const char *start[] = {"\x89PNG\r\n", "<?xml "};
    for (size_t i = 0; i < 2; i++) {
        const char *path = in_folder(i == 0 ? "a.png" : "a.svg");
        assert_ok(lp_chart_write(chart, path, &err), &err);
        assert_ok(lp_file_read(path, 1 << 24, &bytes, &size, &err), &err);
        assert_memory_equal(bytes, start[i], 6);
        lp_free(bytes);
    }
    static const char *wrong[] = {"a.pdf", "png", ".png", "a.png/", "a.PNG.gz", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_fails(lp_chart_write(chart, wrong[i], &err), LP_ERR_ARGUMENT, &err,
                     "expected a name that ends in .png or .svg");
    }
    assert_fails(lp_chart_write(chart, "/nonexistent/a.svg", &err), LP_ERR_IO, &err,
                 "/nonexistent/a.svg: cannot be created: No such file or directory");
    lp_chart_free(chart);
}

static void sizes_are_checked(void **state) {
    (void)state;
    lp_chart *chart;
    assert_fails(lp_chart_new("T", 20000, 10, 2, &chart, &err), LP_ERR_ARGUMENT, &err,
                 "chart \"T\": 40000 x 20 pixels, expected sides of 1 to 32767");
    assert_fails(lp_chart_new("T", 10, 0, 1, &chart, &err), LP_ERR_ARGUMENT, &err, "10 x 0");
    assert_fails(lp_chart_new("T", NAN, 10, 1, &chart, &err), LP_ERR_ARGUMENT, &err, "pixels");
    assert_null(chart);
}

/* Makes one of each figure and writes it both ways. */
static lp_status make(size_t which, lp_buffer *out) {
    static const lp_curve_point points[] = {{0.1, 0.5, 0.4, 0.6}, {1, 0.6, 0.5, 0.7}};
    static const lp_series series = {"s", points, 2};
    static const size_t counts[] = {1, 0, 0, 1};
    static const char *names[] = {"a", "b"};
    static const lp_bar bar = {"bar", 0.5, 0.4, 0.6, 0.5};
    static const unsigned char rgb[12] = {0};
    static const lp_contact image = {rgb, 2, 2, "a", "b", 0.5};
    const lp_curve curve = sweep_of(&series, 1);
    const lp_heat_map map = {.title = "M", .classes = 2, .counts = counts, .names = names};
    const lp_bars bars = {.title = "B", .bars = &bar, .count = 1};
    const lp_contact_sheet sheet = {.title = "S", .images = &image, .count = 1};
    lp_chart *chart;
    lp_status status = which == 0   ? lp_curve_chart(&curve, &chart, &err)
                       : which == 1 ? lp_heat_map_chart(&map, &chart, &err)
                       : which == 2 ? lp_bars_chart(&bars, &chart, &err)
                                    : lp_contact_sheet_chart(&sheet, &chart, &err);
    if (status == LP_OK) {
        status = lp_chart_svg(chart, "p", out, &err);
    }
    if (status == LP_OK) {
        lp_buffer_free(out);
        status = lp_chart_png(chart, out, &err);
    }
    lp_chart_free(chart);
    lp_buffer_free(out);
    return status;
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    for (size_t which = 0; which < 4; which++) {
        lp_buffer out = {0};
        (void)lp_alloc_fail_at(0);
        assert_ok(make(which, &out), &err);
        size_t needed = lp_alloc_fail_at(0);
        assert_true(needed > 5);
        for (size_t k = 1; k <= needed; k++) {
            (void)lp_alloc_fail_at(k);
            lp_status status = make(which, &out);
            (void)lp_alloc_fail_at(0);
            assert_fails(status, LP_ERR_MEMORY, &err, "memory");
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear_axes_have_round_ticks),
        cmocka_unit_test(logarithmic_axes_mark_powers),
        cmocka_unit_test(malformed_text_is_replaced),
        cmocka_unit_test(points_lie_where_their_values_are),
        cmocka_unit_test(sweep_says_what_it_shows),
        cmocka_unit_test(order_of_points_does_not_matter),
        cmocka_unit_test(curves_of_odd_shape),
        cmocka_unit_test(titles_wrap),
        cmocka_unit_test(colours_of_a_page_can_change),
        cmocka_unit_test(nothing_to_draw_is_an_error),
        cmocka_unit_test(cells_have_the_colour_of_their_share),
        cmocka_unit_test(names_are_drawn_where_they_fit),
        cmocka_unit_test(bars_begin_at_zero_or_are_points),
        cmocka_unit_test(sheets_hold_the_very_pixels),
        cmocka_unit_test(svg_does_not_depend_on_what_was_drawn_before),
        cmocka_unit_test_setup_teardown(files_get_the_format_of_their_name, make_folder,
                                        remove_folder),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
