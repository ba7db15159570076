/* Writes a report with everything that one can hold, and names that try to break out of it:
 *     draw_report FILE.html */
#include <math.h>
#include <stdio.h>

#include "report/bars.h"
#include "report/contact_sheet.h"
#include "report/curve.h"
#include "report/heat_map.h"
#include "report/html.h"

static const char *names[] = {"<script>alert(1)</script>", "\" onload=\"alert(2)",
                              "</svg><img src=x>", "&amp; 'quoted' \xe7\x8c\xab"};

static lp_status add_charts(lp_html *page, lp_error *err) {
    const lp_curve_point points[] = {
        {0.1, 0.5, 0.4, 0.6}, {1, 0.6, 0.5, 0.7}, {10, 0.55, 0.5, 0.6}};
    const lp_series series[] = {{names[0], points, 3}, {names[2], points + 1, 1}};
    const size_t counts[16] = {5, 1, 0, 0, 0, 6, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0};
    const lp_bar bars[] = {{names[1], 0.7, 0.6, 0.8, 0.72}, {names[3], 0.5, NAN, NAN, NAN}};
    const lp_curve curve = {.kind = LP_CURVE_SWEEP,
                            .title = names[2],
                            .series = series,
                            .series_count = 2,
                            .chosen = 1};
    const lp_heat_map map = {.title = names[0], .classes = 4, .counts = counts, .names = names};
    const lp_bars comparison = {.title = names[1], .bars = bars, .count = 2};
    lp_chart *chart = NULL;
    lp_status status = lp_curve_chart(&curve, &chart, err);
    for (int i = 0; status == LP_OK && i < 3; i++) {
        lp_html_chart(page, chart, NULL, i == 0 ? names[1] : NULL);
        lp_chart_free(chart);
        chart = NULL;
        status = i == 0   ? lp_heat_map_chart(&map, &chart, err)
                 : i == 1 ? lp_bars_chart(&comparison, &chart, err)
                          : LP_OK;
    }
    return status;
}

static void add_sheet(lp_html *page) {
    static const unsigned char rgb[8 * 8 * 3] = {255, 0, 0};
    const lp_contact images[] = {{rgb, 8, 8, names[0], names[1], 0.9}};
    const lp_contact_sheet sheet = {.title = names[1], .images = images, .count = 1};
    lp_html_contacts(page, &sheet, names[2]);
}

static void add_tables(lp_html *page) {
    const lp_column columns[] = {
        {"class", names[3], NULL}, {"images", "Images", NULL}, {"top1", "Top-1 (%)", "%.2f"}};
    json_t *rows = json_array();
    for (int k = 0; k < 4; k++) {
        (void)json_array_append_new(rows, json_pack("{s:s, s:i, s:f}", "class", names[k], "images",
                                                    100 + k, "top1", 12.3456 * k));
    }
    (void)json_array_append_new(rows, json_pack("{s:s, s:n}", "class", "no value", "top1"));
    lp_html_table(page, names[0], columns, 3, rows);
    json_t *settings =
        json_pack("{s:s, s:{s:s, s:f, s:{s:b}}, s:[i, i]}", names[2], names[0], "fit", "solver",
                  names[1], "C", 0.316, "deep", "exact", 1, "shape", 50000, 512);
    lp_html_settings(page, names[1], settings);
}

int main(int argc, char **argv) {
    lp_error err;
    lp_html *page;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: draw_report FILE.html\n");
        return 2;
    }
    lp_status status = lp_html_new(names[0], &page, &err);
    if (status == LP_OK) {
        for (int k = 0; k < 4; k++) {
            lp_html_heading(page, names[k]);
            lp_html_paragraph(page, names[k]);
        }
        add_tables(page);
        status = add_charts(page, &err);
        add_sheet(page);
        status = status == LP_OK ? lp_html_write(page, argv[1], &err) : status;
        lp_html_free(page);
    }
    if (status != LP_OK) {
        (void)fprintf(stderr, "draw_report: %s\n", err.text);
    }
    return status == LP_OK ? 0 : 1;
}
