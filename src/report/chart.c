/* Drawing over cairo: every stroke goes onto an image, for PNG, and onto an SVG surface at once.
 * (Replaying a recording would do, but cairo 1.16 then leaks fonts and writes a different SVG each
 * time.) */
#include "report/chart.h"

#include <cairo-svg.h>
#include <cairo.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"
#include "report/png.h"
#include "report/svg.h"
#include "report/utf8.h"

static const double quarter = 1.57079632679489661923;

enum { IMAGE, SVG, TARGETS };

struct lp_chart {
    lp_memory memory; /* that this, image and title lie in */
    cairo_t *on[TARGETS];
    unsigned char *image; /* [rows, columns, 4], cairo's RGB24 */
    size_t rows, columns;
    lp_buffer raw; /* cairo's SVG, there after the surface is finished */
    double width, height;
    double down; /* by which all below a long title lies lower */
    char *title;
    lp_buffer words; /* every text, for the SVG's description */
    lp_buffer boxes; /* lp_box each */
    lp_box ink;
};

/* ---- making ---------------------------------------------------------------------------------- */

#ifdef LP_SANITIZED
/* fontconfig keeps its configuration for the life of the process, hidden from a leak checker. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

const char *__lsan_default_suppressions(void) {
    return "leak:libfontconfig";
}

const char *__lsan_default_options(void) {
    return "print_suppressions=0";
}
#endif

static void set_color(cairo_t *cairo, lp_color color, double opacity) {
    cairo_set_source_rgba(cairo, (double)(color >> 16 & 255) / 255,
                          (double)(color >> 8 & 255) / 255, (double)(color & 255) / 255, opacity);
}

static cairo_status_t append(void *buffer, const unsigned char *bytes, unsigned int size) {
    lp_buffer_put(buffer, bytes, size);
    return ((lp_buffer *)buffer)->failed ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

/* A context on a surface, which it then holds. */
static cairo_t *open_context(cairo_surface_t *surface, double scale) {
    cairo_t *cairo = cairo_create(surface);
    cairo_surface_destroy(surface);
    cairo_scale(cairo, scale, scale);
    /* Letters of the same size whatever the screen that fontconfig thinks of. */
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_set_font_options(cairo, options);
    cairo_font_options_destroy(options);
    return cairo;
}

lp_status lp_chart_new(const char *title, double width, double height, double pixels,
                       lp_chart **out, lp_error *err) {
    const double limit = 32767; /* of a cairo image */
    *out = NULL;
    if (!(width * pixels >= 1 && height * pixels >= 1 && width * pixels <= limit &&
          height * pixels <= limit)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "chart \"%s\": %.0f x %.0f pixels, expected sides of 1 to %.0f", title,
                       width * pixels, height * pixels, limit);
    }
    size_t columns = (size_t)lround(width * pixels), rows = (size_t)lround(height * pixels);
    lp_memory memory = {0};
    lp_chart *chart = lp_memory_take(&memory, 1, sizeof *chart);
    char *copy = lp_memory_take(&memory, strlen(title) + 1, 1);
    unsigned char *image = lp_memory_take(&memory, rows * columns, 4); /* sides are below 2^15 */
    lp_status status = lp_memory_check(&memory, "chart", err);
    if (status != LP_OK) {
        lp_memory_free(&memory);
        return status;
    }
    memcpy(copy, title, strlen(title) + 1);
    *chart = (lp_chart){.memory = memory,
                        .image = image,
                        .rows = rows,
                        .columns = columns,
                        .width = width,
                        .height = height,
                        .title = copy};
    chart->on[IMAGE] =
        open_context(cairo_image_surface_create_for_data(
                         chart->image, CAIRO_FORMAT_RGB24, (int)columns, (int)rows,
                         cairo_format_stride_for_width(CAIRO_FORMAT_RGB24, (int)columns)),
                     pixels);
    cairo_surface_t *svg = cairo_svg_surface_create_for_stream(append, &chart->raw, width, height);
    cairo_svg_surface_set_document_unit(svg, CAIRO_SVG_UNIT_USER); /* pixels, not points */
    chart->on[SVG] = open_context(svg, 1);
    for (size_t t = 0; t < TARGETS; t++) { /* to the edge, also where it is a part of a pixel */
        set_color(chart->on[t], LP_PAPER, 1);
        cairo_paint(chart->on[t]);
    }
    *out = chart;
    return LP_OK;
}

void lp_chart_free(lp_chart *chart) {
    if (chart != NULL) {
        chart->raw.failed = true; /* an SVG that nobody asked for is not kept */
        for (size_t t = 0; t < TARGETS; t++) {
            cairo_destroy(chart->on[t]);
        }
        lp_buffer_free(&chart->raw);
        lp_buffer_free(&chart->words);
        lp_buffer_free(&chart->boxes);
        lp_memory memory = chart->memory;
        lp_memory_free(&memory);
    }
}

double lp_chart_width(const lp_chart *chart) {
    return chart->width;
}

const char *lp_chart_title(const lp_chart *chart) {
    return chart->title;
}

double lp_chart_height(const lp_chart *chart) {
    return chart->height;
}

lp_box lp_chart_ink(const lp_chart *chart) {
    return chart->ink;
}

const lp_box *lp_chart_text_boxes(const lp_chart *chart, size_t *count) {
    *count = chart->boxes.size / sizeof(lp_box);
    return (const lp_box *)(const void *)chart->boxes.bytes;
}

/* ---- lines and areas ------------------------------------------------------------------------- */

lp_color lp_series_color(size_t i) {
    static const lp_color colors[] = {0x0072b2, 0xd55e00, 0x009e73, 0xcc79a7,
                                      0xe69f00, 0x56b4e9, 0x000000};
    return colors[i % (sizeof colors / sizeof colors[0])];
}

static void cover(lp_chart *chart, double left, double top, double right, double bottom) {
    top += chart->down;
    bottom += chart->down;
    chart->ink = (lp_box){fmin(chart->ink.left, left), fmin(chart->ink.top, top),
                          fmax(chart->ink.right, right), fmax(chart->ink.bottom, bottom)};
}

void lp_chart_rect(lp_chart *chart, double x, double y, double width, double height,
                   lp_color color) {
    for (size_t t = 0; t < TARGETS; t++) {
        set_color(chart->on[t], color, 1);
        cairo_rectangle(chart->on[t], x, y, width, height);
        cairo_fill(chart->on[t]);
    }
    cover(chart, x, y, x + width, y + height);
}

/* Adds a polygonal line of a width to the path of a context. */
static void trace(lp_chart *chart, cairo_t *cairo, const lp_xy *points, size_t count,
                  double width) {
    for (size_t i = 0; i < count; i++) {
        double x = points[i].x, y = points[i].y;
        cairo_line_to(cairo, x, y); /* the first one moves */
        cover(chart, x - width / 2, y - width / 2, x + width / 2, y + width / 2);
    }
}

void lp_chart_polyline(lp_chart *chart, const lp_xy *points, size_t count, const lp_pen *pen) {
    static const double dashes[][4] = {[LP_DASHED] = {5, 3, 5, 3},
                                       [LP_DOTTED] = {1.2, 2.2, 1.2, 2.2},
                                       [LP_DASH_DOT] = {6, 2.5, 1.2, 2.5}};
    double lengths[4];
    for (size_t i = 0; i < 4; i++) {
        lengths[i] = dashes[pen->dash][i] * pen->width;
    }
    for (size_t t = 0; t < TARGETS; t++) {
        cairo_t *cairo = chart->on[t];
        set_color(cairo, pen->color, 1);
        cairo_set_line_width(cairo, pen->width);
        cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
        cairo_set_dash(cairo, lengths, pen->dash == LP_SOLID ? 0 : 4, 0);
        trace(chart, cairo, points, count, pen->width);
        cairo_stroke(cairo);
    }
}

void lp_chart_line(lp_chart *chart, double x0, double y0, double x1, double y1, const lp_pen *pen) {
    lp_chart_polyline(chart, (const lp_xy[]){{x0, y0}, {x1, y1}}, 2, pen);
}

void lp_chart_frame(lp_chart *chart, lp_box box, const lp_pen *pen) {
    const lp_xy corners[] = {{box.left, box.top},
                             {box.right, box.top},
                             {box.right, box.bottom},
                             {box.left, box.bottom},
                             {box.left, box.top}};
    lp_chart_polyline(chart, corners, 5, pen);
}

void lp_chart_interval(lp_chart *chart, lp_xy from, lp_xy to, bool upwards, const lp_pen *pen) {
    double dx = upwards ? 5 : 0, dy = upwards ? 0 : 5; /* of half a bar */
    lp_chart_line(chart, from.x, from.y, to.x, to.y, pen);
    lp_chart_line(chart, from.x - dx, from.y - dy, from.x + dx, from.y + dy, pen);
    lp_chart_line(chart, to.x - dx, to.y - dy, to.x + dx, to.y + dy, pen);
}

void lp_chart_area(lp_chart *chart, const lp_xy *points, size_t count, lp_color color,
                   double opacity) {
    for (size_t t = 0; t < TARGETS; t++) {
        set_color(chart->on[t], color, opacity);
        trace(chart, chart->on[t], points, count, 0);
        cairo_fill(chart->on[t]);
    }
}

void lp_chart_marker(lp_chart *chart, size_t shape, double x, double y, double size,
                     lp_color color) {
    /* corners on a circle: how many, and the angle of the first in eighths of a turn */
    static const struct {
        int corners;
        double turn;
    } shapes[] = {{0, 0}, {4, 1}, {3, 2}, {4, 0}, {3, 6}, {5, 6}, {6, 0}};
    size_t i = shape % (sizeof shapes / sizeof shapes[0]);
    int corners = shapes[i].corners;
    double radius = size / 2 * (corners == 0 ? 1 : corners == 3 ? 1.35 : 1.2);
    for (size_t t = 0; t < TARGETS; t++) {
        cairo_t *cairo = chart->on[t];
        if (corners == 0) {
            cairo_arc(cairo, x, y, radius, 0, 4 * quarter);
        }
        for (int k = 0; k < corners; k++) {
            double angle = shapes[i].turn * quarter / 2 + 4 * quarter * k / corners;
            cairo_line_to(cairo, x + radius * cos(angle), y + radius * sin(angle));
        }
        cairo_close_path(cairo);
        set_color(cairo, color, 1);
        cairo_fill_preserve(cairo);
        set_color(cairo, LP_PAPER, 1);
        cairo_set_line_width(cairo, size / 8);
        cairo_set_dash(cairo, NULL, 0, 0);
        cairo_stroke(cairo);
    }
    cover(chart, x - radius, y - radius, x + radius, y + radius);
}

/* ---- text ------------------------------------------------------------------------------------ */

enum { TEXT_BYTES = 1024 }; /* of one line; more is never legible */

static void set_font(cairo_t *cairo, const lp_text_style *style) {
    cairo_select_font_face(cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           style->bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, style->size);
}

/* A clean copy of text that is not too wide.  Returns its width. */
static double fit_text(lp_chart *chart, const lp_text_style *style, const char *text,
                       char line[TEXT_BYTES + 4]) {
    cairo_t *cairo = chart->on[SVG];
    double max_width = style->max_width;
    set_font(cairo, style);
    static const char ellipsis[] = "\xe2\x80\xa6";
    size_t ends[TEXT_BYTES + 1] = {0}; /* of each character */
    size_t count = 0, used = 0;
    cairo_text_extents_t extents;
    while (*text != '\0' && used + LP_UTF8_MAX <= TEXT_BYTES) {
        char *next = line + used;
        used += lp_utf8_next(&text, next);
        *next = *next == '\n' || *next == '\t' ? ' ' : *next;
        ends[++count] = used;
    }
    memcpy(line + used, *text == '\0' ? "" : ellipsis, *text == '\0' ? 1 : sizeof ellipsis);
    cairo_text_extents(cairo, line, &extents);
    if (max_width <= 0 || extents.x_advance <= max_width) {
        return extents.x_advance;
    }
    size_t fits = 0; /* characters that fit before the ellipsis; one more than `most` do not */
    for (size_t most = count; fits < most;) {
        size_t middle = (fits + most + 1) / 2;
        char kept[sizeof ellipsis];
        memcpy(kept, line + ends[middle], sizeof kept);
        memcpy(line + ends[middle], ellipsis, sizeof ellipsis);
        cairo_text_extents(cairo, line, &extents);
        memcpy(line + ends[middle], kept, sizeof kept);
        if (extents.x_advance <= max_width) {
            fits = middle;
        } else {
            most = middle - 1;
        }
    }
    memcpy(line + ends[fits], ellipsis, sizeof ellipsis);
    cairo_text_extents(cairo, line, &extents);
    return extents.x_advance;
}

double lp_chart_text_width(lp_chart *chart, const lp_text_style *style, const char *text) {
    char line[TEXT_BYTES + 4];
    return fit_text(chart, style, text, line);
}

void lp_chart_text(lp_chart *chart, double x, double y, const lp_text_style *style,
                   const char *text) {
    char line[TEXT_BYTES + 4];
    double width = fit_text(chart, style, text, line);
    double half = 0.36 * style->size; /* of a capital's height in nearly every font */
    double start = style->align == LP_ALIGN_LEFT     ? 0
                   : style->align == LP_ALIGN_CENTER ? -width / 2
                                                     : -width;
    lp_box box = {x + start, y - half, x + start + width, y + half};
    if (style->upward) {
        box = (lp_box){x - half, y - start - width, x + half, y - start};
    }
    for (size_t t = 0; t < TARGETS; t++) {
        cairo_t *cairo = chart->on[t];
        set_font(cairo, style);
        set_color(cairo, style->color, 1);
        cairo_save(cairo);
        cairo_translate(cairo, x, y);
        cairo_rotate(cairo, style->upward ? -quarter : 0);
        cairo_move_to(cairo, start, half);
        cairo_show_text(cairo, line);
        cairo_restore(cairo);
        cairo_new_path(cairo);
    }
    cover(chart, box.left, box.top, box.right, box.bottom);
    box.top += chart->down;
    box.bottom += chart->down;
    lp_buffer_text(&chart->words, chart->words.size > 0 ? "; " : "");
    lp_buffer_escaped(&chart->words, line);
    lp_buffer_put(&chart->boxes, &box, sizeof box);
}

/* ---- headings -------------------------------------------------------------------------------- */

enum { TITLE_LINES = 12 }; /* what is left of a longer title ends in an ellipsis */

/* Takes from *text what fits on one line, up to a space where there is one, and the spaces after
 * it.  `line` has room for all of it. */
static void take_line(lp_chart *chart, const lp_text_style *style, double width, const char **text,
                      char *line) {
    const char *from = *text, *end = from, *space = NULL;
    size_t kept = 0;
    while (*end != '\0') {
        char letter[LP_UTF8_MAX];
        const char *next = end;
        (void)lp_utf8_next(&next, letter);
        size_t size = (size_t)(next - from);
        memcpy(line, from, size);
        line[size] = '\0';
        if (kept > 0 && lp_chart_text_width(chart, style, line) > width) {
            break;
        }
        space = *end == ' ' && kept > 0 ? end : space;
        kept = size;
        end = next;
    }
    if (*end != '\0' && space != NULL) {
        kept = (size_t)(space - from);
    }
    memcpy(line, from, kept);
    line[kept] = '\0';
    *text = from + kept + strspn(from + kept, " ");
}

/* Draws the title's lines from y on, or only counts them. */
static size_t put_title(lp_chart *chart, const char *title, const lp_heading *at, double width,
                        char *line, bool draw) {
    lp_text_style style = {.size = at->size, .color = LP_INK, .bold = true};
    size_t count = 0;
    do {
        if (count + 1 < TITLE_LINES) {
            take_line(chart, &style, width, &title, line);
        } else { /* all the rest */
            memcpy(line, title, strlen(title) + 1);
            title += strlen(title);
            style.max_width = width;
        }
        if (draw) {
            lp_chart_text(chart, at->x, at->y + 1.3 * at->size * (double)count, &style, line);
        }
        count++;
    } while (*title != '\0');
    return count;
}

lp_status lp_chart_new_headed(const char *title, lp_heading at, double width, double height,
                              double pixels, lp_chart **chart, lp_error *err) {
    const double room = fmax(width - 2 * at.x, at.size);
    lp_memory memory = {0};
    lp_chart *ruler = NULL;
    lp_status status;
    *chart = NULL;
    char *line = lp_memory_take(&memory, strlen(title) + 1, 1);
    LP_TRY(lp_memory_check(&memory, "chart", err));
    LP_TRY(lp_chart_new(title, 1, 1, 1, &ruler, err));
    double down = 1.3 * at.size * (double)(put_title(ruler, title, &at, room, line, false) - 1);
    LP_TRY(lp_chart_new(title, width, height + down, pixels, chart, err));
    (void)put_title(*chart, title, &at, room, line, true);
    (*chart)->down = down;
    for (size_t t = 0; t < TARGETS; t++) {
        cairo_translate((*chart)->on[t], 0, down);
    }
done:
    lp_chart_free(ruler);
    lp_memory_free(&memory);
    return status;
}

/* ---- images ---------------------------------------------------------------------------------- */

void lp_chart_image(lp_chart *chart, double x, double y, double width, double height,
                    const unsigned char *rgb, size_t rows, size_t columns) {
    cairo_surface_t *image =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, columns < INT32_MAX ? (int)columns : -1,
                                   rows < INT32_MAX ? (int)rows : -1);
    unsigned char *data = cairo_image_surface_get_data(image); /* NULL when it has failed */
    size_t stride = (size_t)cairo_image_surface_get_stride(image);
    for (size_t r = 0; data != NULL && r < rows; r++) {
        for (size_t c = 0; c < columns; c++, rgb += 3) {
            uint32_t pixel = (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
            memcpy(data + r * stride + 4 * c, &pixel, sizeof pixel);
        }
    }
    cairo_surface_mark_dirty(image);
    for (size_t t = 0; t < TARGETS; t++) {
        cairo_t *cairo = chart->on[t];
        cairo_save(cairo);
        cairo_translate(cairo, x, y);
        cairo_scale(cairo, width / (double)columns, height / (double)rows);
        cairo_set_source_surface(cairo, image, 0, 0);
        cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_NEAREST);
        cairo_rectangle(cairo, 0, 0, (double)columns, (double)rows);
        cairo_fill(cairo);
        cairo_restore(cairo);
    }
    cairo_surface_destroy(image);
    cover(chart, x, y, x + width, y + height);
}

/* ---- output ---------------------------------------------------------------------------------- */

/* What went wrong in drawing on a target. */
static lp_status check(const lp_chart *chart, size_t target, lp_error *err) {
    cairo_status_t status = cairo_status(chart->on[target]);
    if (status == CAIRO_STATUS_SUCCESS) {
        status = cairo_surface_status(cairo_get_target(chart->on[target]));
    }
    if (chart->words.failed || chart->boxes.failed || chart->raw.failed) {
        status = CAIRO_STATUS_NO_MEMORY;
    }
    if (status != CAIRO_STATUS_SUCCESS) {
        return lp_fail(err, status == CAIRO_STATUS_NO_MEMORY ? LP_ERR_MEMORY : LP_ERR_DATA,
                       "chart \"%s\": %s", chart->title, cairo_status_to_string(status));
    }
    return LP_OK;
}

lp_status lp_chart_png(const lp_chart *chart, lp_buffer *png, lp_error *err) {
    size_t count = chart->rows * chart->columns;
    lp_memory memory = {0};
    lp_status status;
    cairo_surface_flush(cairo_get_target(chart->on[IMAGE]));
    LP_TRY(check(chart, IMAGE, err));
    unsigned char *rgb = lp_memory_take(&memory, count, 3);
    LP_TRY(lp_memory_check(&memory, "picture", err));
    for (size_t i = 0; i < count; i++) {
        uint32_t pixel;
        memcpy(&pixel, chart->image + 4 * i, sizeof pixel);
        rgb[3 * i] = (unsigned char)(pixel >> 16);
        rgb[3 * i + 1] = (unsigned char)(pixel >> 8);
        rgb[3 * i + 2] = (unsigned char)pixel;
    }
    status = lp_png_encode(rgb, chart->rows, chart->columns, png, err);
done:
    lp_memory_free(&memory);
    return status;
}

lp_status lp_chart_svg(const lp_chart *chart, const char *prefix, lp_buffer *svg, lp_error *err) {
    cairo_surface_finish(cairo_get_target(chart->on[SVG]));
    lp_status status = check(chart, SVG, err);
    const char *body = status == LP_OK ? strstr(chart->raw.bytes, "<svg") : NULL;
    const char *inside = body != NULL ? strchr(body, '>') : NULL;
    if (inside != NULL) {
        lp_buffer_text(svg, prefix == NULL ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" : "");
        lp_buffer_text(svg, "<svg role=\"img\"");
        lp_buffer_put(svg, body + 4, (size_t)(inside + 1 - (body + 4)));
        lp_buffer_between(svg, "\n<title>", chart->title, "</title>\n<desc>");
        lp_buffer_put(svg, chart->words.bytes, chart->words.size);
        lp_buffer_text(svg, "</desc>");
        if (prefix == NULL) { /* cairo does not say that the cells of an image stay sharp */
            lp_buffer_text(svg, "\n<style>image{image-rendering:pixelated}</style>");
        }
        lp_svg_adapt(inside + 1, prefix, svg);
    }
    if (status == LP_OK && (inside == NULL || svg->failed)) {
        status = lp_fail_memory(err, "SVG", svg->size + 1, 1);
    }
    return status;
}

static bool ends_in(const char *path, const char *ending) {
    size_t size = strlen(path);
    return size > strlen(ending) && strcmp(path + size - strlen(ending), ending) == 0;
}

lp_status lp_chart_check_path(const char *path, lp_error *err) {
    if (ends_in(path, ".png") || ends_in(path, ".svg")) {
        return LP_OK;
    }
    return lp_fail(err, LP_ERR_ARGUMENT, "%s: expected a name that ends in .png or .svg", path);
}

lp_status lp_chart_write(const lp_chart *chart, const char *path, lp_error *err) {
    lp_buffer bytes = {0};
    lp_status status = lp_chart_check_path(path, err);
    if (status != LP_OK) {
        return status;
    }
    status = ends_in(path, ".png") ? lp_chart_png(chart, &bytes, err)
                                   : lp_chart_svg(chart, NULL, &bytes, err);
    status = status == LP_OK ? lp_file_write(path, bytes.bytes, bytes.size, err)
                             : lp_prefix(err, status, "%s: ", path);
    lp_buffer_free(&bytes);
    return status;
}
