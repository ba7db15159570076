/* The chart of bench/bench_encoder.py's JSON: images a second of the processors' time against
 * PyTorch's of the same kind, which is 1.
 *
 * usage: draw_bench FILE.json FILE.png|FILE.svg */
#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "report/chart_axis.h"
#include "report/chart.h"

enum { WIDTH = 940, MARGIN = 20, ROW = 62, BAR = 18, NAMES = 260, VALUES = 230 };

enum { PYTORCH = 2, SIDES };

static const struct {
    const char *key, *name;
    lp_color color;
} sides[SIDES] = {{"linprobe", "linprobe", 0x56b4e9},
                  {"openvino", "OpenVINO", 0xe69f00},
                  [PYTORCH] = {"pytorch", "PyTorch", 0xbbbbbb}};

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
                  "images a processor second, PyTorch = 1");
}

static void draw_bar(const layout *at, lp_chart *chart, double y, double ratio, lp_color color,
                     const char *text) {
    const lp_text_style style = {.size = 13, .color = LP_INK, .max_width = VALUES - 10};
    double end = lp_chart_axis_place(&at->axis, ratio);
    lp_chart_rect(chart, at->left, y - BAR / 2.0, end - at->left, BAR - 2, color);
    lp_chart_text(chart, at->right + 12, y, &style, text);
}

/* Images a processor second; NAN where the side did not take part. */
static double rate_of(const json_t *row, size_t side) {
    const json_t *s = json_object_get(json_object_get(row, "sides"), sides[side].key);
    return lp_json_number(s, "per_cpu_second", NAN);
}

static void draw_row(const layout *at, lp_chart *chart, double y, const json_t *row) {
    const lp_text_style style = {
        .size = 14, .color = LP_INK, .align = LP_ALIGN_RIGHT, .max_width = NAMES};
    char text[128];
    int threads = (int)lp_json_number(row, "threads", 0);
    double one = rate_of(row, PYTORCH);
    (void)snprintf(text, sizeof text, "%s %s, %d thread%s", lp_json_text(row, "model", "?"),
                   lp_json_text(row, "kind", "?"), threads, threads == 1 ? "" : "s");
    lp_chart_text(chart, at->left - 10, y, &style, text);
    for (size_t s = 0; s < SIDES; s++) {
        double rate = rate_of(row, s);
        if (isfinite(rate)) {
            (void)snprintf(text, sizeof text, "%s %.2f  (%.2f)", sides[s].name, rate, rate / one);
            draw_bar(at, chart, y + ((double)s - 1) * BAR, rate / one, sides[s].color, text);
        }
    }
}

static lp_status draw(const json_t *rows, const char *path, lp_error *err) {
    const lp_text_style title = {.size = 18, .color = LP_INK, .bold = true};
    const lp_text_style side = {.size = 13, .color = LP_FAINT, .max_width = VALUES - 10};
    const char *name = "Image encoders on a processor, beside PyTorch and OpenVINO";
    double most = 1;
    size_t i, shown = 0;
    const json_t *row;
    lp_chart *chart;
    json_array_foreach((json_t *)(uintptr_t)rows, i, row) {
        if (isfinite(rate_of(row, PYTORCH))) { /* the others have nothing to stand beside */
            shown++;
        }
        for (size_t s = 0; s < SIDES; s++) {
            most = fmax(most, rate_of(row, s) / rate_of(row, PYTORCH));
        }
    }
    layout at = {.left = MARGIN + NAMES, .right = WIDTH - MARGIN - VALUES, .top = MARGIN + 48};
    at.bottom = at.top + ROW * (double)shown;
    at.axis = lp_chart_axis_make(LP_SCALE_LINEAR, 0, most, 7, 0, INFINITY);
    at.axis.from = at.left;
    at.axis.to = at.right;
    lp_status status = lp_chart_new(name, WIDTH, at.bottom + 50 + MARGIN, 2, &chart, err);
    if (status != LP_OK) {
        return status;
    }
    lp_chart_text(chart, MARGIN, MARGIN + 6, &title, name);
    lp_chart_text(chart, at.right + 12, at.top - 12, &side, "images (ratio)");
    draw_axis(&at, chart);
    shown = 0;
    json_array_foreach((json_t *)(uintptr_t)rows, i, row) {
        if (isfinite(rate_of(row, PYTORCH))) {
            draw_row(&at, chart, at.top + ((double)shown++ + 0.5) * ROW, row);
        }
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
