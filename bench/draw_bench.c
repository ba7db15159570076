/* The chart of bench/bench_encoder.py's JSON: images a second against PyTorch's, which is 1.
 *
 * usage: draw_bench FILE.json FILE.png|FILE.svg */
#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "report/chart_axis.h"
#include "report/chart.h"

enum { WIDTH = 900, MARGIN = 20, ROW = 50, BAR = 18, NAMES = 150, VALUES = 180 };

typedef struct layout {
    lp_chart_axis axis;
    double left, right, top, bottom;
} layout;

static void draw_axis(const layout *at, lp_chart *chart) {
    const lp_pen grid = {LP_GRID, 1, LP_SOLID}, one = {LP_INK, 1, LP_DASHED};
    lp_text_style style = {.size = 14, .color = LP_INK, .align = LP_ALIGN_CENTER};
    double ticks[LP_MAX_TICKS];
    char text[LP_TICK_TEXT];
    size_t count = lp_chart_axis_ticks(&at->axis, ticks);
    for (size_t i = 0; i < count; i++) {
        double x = lp_chart_axis_place(&at->axis, ticks[i]);
        lp_chart_axis_label(&at->axis, ticks[i], text);
        lp_chart_line(chart, x, at->top, x, at->bottom, &grid);
        lp_chart_text(chart, x, at->bottom + 14, &style, text);
    }
    lp_chart_line(chart, lp_chart_axis_place(&at->axis, 1), at->top,
                  lp_chart_axis_place(&at->axis, 1), at->bottom, &one);
    lp_chart_text(chart, (at->left + at->right) / 2, at->bottom + 36, &style,
                  "images a second, PyTorch = 1");
}

static void draw_bar(const layout *at, lp_chart *chart, double y, double ratio, lp_color color,
                     const char *text) {
    const lp_text_style style = {.size = 13, .color = LP_INK, .max_width = VALUES - 10};
    double end = lp_chart_axis_place(&at->axis, ratio);
    lp_chart_rect(chart, at->left, y - BAR / 2.0, end - at->left, BAR, color);
    lp_chart_text(chart, at->right + 12, y, &style, text);
}

static void draw_row(const layout *at, lp_chart *chart, double y, const json_t *row) {
    const lp_text_style style = {
        .size = 14, .color = LP_INK, .align = LP_ALIGN_RIGHT, .max_width = NAMES};
    const lp_color ours = 0x56b4e9, theirs = 0xbbbbbb;
    char text[128];
    int threads = (int)lp_json_number(row, "threads", 0);
    (void)snprintf(text, sizeof text, "%s, %d thread%s", lp_json_text(row, "model", "?"), threads,
                   threads == 1 ? "" : "s");
    lp_chart_text(chart, at->left - 10, y, &style, text);
    double ratio = lp_json_number(row, "ratio", NAN);
    (void)snprintf(text, sizeof text, "linprobe %.1f  (%.2f)",
                   lp_json_number(row, "images_per_second", NAN), ratio);
    draw_bar(at, chart, y - BAR / 2.0 - 1, ratio, ours, text);
    (void)snprintf(text, sizeof text, "PyTorch %.1f", lp_json_number(row, "pytorch", NAN));
    draw_bar(at, chart, y + BAR / 2.0 + 1, 1, theirs, text);
}

static lp_status draw(const json_t *rows, const char *path, lp_error *err) {
    const lp_text_style title = {.size = 18, .color = LP_INK, .bold = true};
    const lp_text_style side = {.size = 13, .color = LP_FAINT, .max_width = VALUES - 10};
    const char *name = "Image encoders on a processor, beside PyTorch in its best way";
    double most = 1;
    size_t i;
    const json_t *row;
    lp_chart *chart;
    json_array_foreach((json_t *)(uintptr_t)rows, i, row) {
        most = fmax(most, lp_json_number(row, "ratio", 1));
    }
    layout at = {.left = MARGIN + NAMES, .right = WIDTH - MARGIN - VALUES, .top = MARGIN + 48};
    at.bottom = at.top + ROW * (double)json_array_size(rows);
    at.axis = lp_chart_axis_make(LP_SCALE_LINEAR, 0, most, 7, 0, INFINITY);
    at.axis.from = at.left;
    at.axis.to = at.right;
    lp_status status = lp_chart_new(name, WIDTH, at.bottom + 50 + MARGIN, 2, &chart, err);
    if (status != LP_OK) {
        return status;
    }
    lp_chart_text(chart, MARGIN, MARGIN + 6, &title, name);
    lp_chart_text(chart, at.right + 12, at.top - 12, &side, "images a second (ratio)");
    draw_axis(&at, chart);
    json_array_foreach((json_t *)(uintptr_t)rows, i, row) {
        draw_row(&at, chart, at.top + ((double)i + 0.5) * ROW, row);
    }
    status = lp_chart_write(chart, path, err);
    lp_chart_free(chart);
    return status;
}

int main(int argc, char **argv) {
    lp_error err;
    json_t *bench = NULL;
    if (argc != 3) {
        (void)fprintf(stderr, "usage: draw_bench FILE.json FILE.png|FILE.svg\n");
        return 2;
    }
    lp_status status = lp_json_read(argv[1], &bench, &err);
    if (status == LP_OK) {
        status = draw(json_object_get(bench, "rows"), argv[2], &err);
    }
    json_decref(bench);
    if (status != LP_OK) {
        (void)fprintf(stderr, "draw_bench: %s\n", err.text);
    }
    return status == LP_OK ? 0 : 1;
}
