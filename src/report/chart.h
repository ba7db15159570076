/* A picture made of lines, areas, text and images, drawn once and written as PNG or SVG.  The
 * figures (curve.h, heat_map.h, bars.h, contact_sheet.h) draw on it; a caller only writes it:
 *
 *     lp_chart *chart;
 *     lp_curve_chart(&curve, &chart, &err);
 *     lp_chart_write(chart, "sweep.svg", &err);
 *     lp_chart_free(chart);
 *
 * Lengths are in units; x grows to the right and y downwards.  An SVG has one pixel a unit, a PNG
 * `pixels`.  Text is in the system's sans-serif font; where no font is installed cairo draws plain
 * line letters, ASCII only.  SVG holds letters as outlines, so that it looks the same everywhere,
 * and all its text once more in <desc> for search and screen readers. */
#ifndef LP_REPORT_CHART_H
#define LP_REPORT_CHART_H

#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"
#include "report/buffer.h"

typedef struct lp_chart lp_chart;

/* ---- writing ---- */

/* LP_ERR_ARGUMENT unless path ends in .png or .svg: for a check before the work. */
LP_MUST_USE lp_status lp_chart_check_path(const char *path, lp_error *err);

/* Writes the picture in the format that path's ending names; complete or not there. */
LP_MUST_USE lp_status lp_chart_write(const lp_chart *chart, const char *path, lp_error *err);

/* Appends the picture to a buffer.  Nothing can be drawn after the first SVG.  `prefix` starts
 * every id in the SVG (letters and digits): two pictures in one page need different ones.  With
 * NULL it is a file of its own.  Within a page a colour is a variable of the style sheet, with
 * itself where that says nothing: "--c222222" is 0x222222, for another scheme of colours; and a
 * page says that the cells of images stay sharp: image{image-rendering:pixelated}. */
LP_MUST_USE lp_status lp_chart_png(const lp_chart *chart, lp_buffer *png, lp_error *err);
LP_MUST_USE lp_status lp_chart_svg(const lp_chart *chart, const char *prefix, lp_buffer *svg,
                                   lp_error *err);

void lp_chart_free(lp_chart *chart);

/* Width in units; title. */
double lp_chart_width(const lp_chart *chart);
const char *lp_chart_title(const lp_chart *chart);

/* ---- drawing ---- */

/* What a chart is drawn for: print and large screens, or the width of a phone, where letters of the
 * same size take up more of it. */
typedef enum lp_chart_format { LP_CHART_WIDE, LP_CHART_NARROW } lp_chart_format;
enum { LP_NARROW_WIDTH = 440 };

typedef uint32_t lp_color; /* 0xRRGGBB */

enum {
    LP_INK = 0x222222,   /* text, axes */
    LP_FAINT = 0x666666, /* side text: 5.7:1 on white */
    LP_GRID = 0xdddddd,
    LP_PAPER = 0xffffff
};

typedef struct lp_xy {
    double x, y;
} lp_xy;

typedef struct lp_box {
    double left, top, right, bottom;
} lp_box;

typedef enum lp_dash { LP_SOLID, LP_DASHED, LP_DOTTED, LP_DASH_DOT } lp_dash;

typedef struct lp_pen {
    lp_color color;
    double width;
    lp_dash dash;
} lp_pen;

typedef enum lp_align { LP_ALIGN_LEFT, LP_ALIGN_CENTER, LP_ALIGN_RIGHT } lp_align;

typedef struct lp_text_style {
    double size;
    lp_align align;
    lp_color color;
    bool bold;
    bool upward;      /* turned to read from bottom to top */
    double max_width; /* longer text ends in an ellipsis; 0 = no limit */
} lp_text_style;

/* A white picture without a heading.  LP_ERR_ARGUMENT when a PNG of it would have a side above
 * 32,767 pixels. */
LP_MUST_USE lp_status lp_chart_new(const char *title, double width, double height, double pixels,
                                   lp_chart **chart, lp_error *err);

/* The same with its title in bold letters, on as many lines as it needs: the first at y, as far
 * from the right edge as from the left.  For each further line the picture grows, and all that is
 * drawn later lies lower: callers count from the top as if the title had one line. */
typedef struct lp_heading {
    double x, y, size;
} lp_heading;
LP_MUST_USE lp_status lp_chart_new_headed(const char *title, lp_heading heading, double width,
                                          double height, double pixels, lp_chart **chart,
                                          lp_error *err);

/* Failures of drawing are kept in the chart, and reported by the calls that write it. */
void lp_chart_rect(lp_chart *chart, double x, double y, double width, double height,
                   lp_color color);
void lp_chart_line(lp_chart *chart, double x0, double y0, double x1, double y1, const lp_pen *pen);
void lp_chart_polyline(lp_chart *chart, const lp_xy *points, size_t count, const lp_pen *pen);
void lp_chart_area(lp_chart *chart, const lp_xy *points, size_t count, lp_color color,
                   double opacity);

/* The outline of a box. */
void lp_chart_frame(lp_chart *chart, lp_box box, const lp_pen *pen);

/* An interval from .. to, along x or upwards, with a short bar across at either end. */
void lp_chart_interval(lp_chart *chart, lp_xy from, lp_xy to, bool upwards, const lp_pen *pen);

/* The i-th of seven shapes, filled, round (x, y), with a white rim. */
void lp_chart_marker(lp_chart *chart, size_t shape, double x, double y, double size,
                     lp_color color);

/* One line of text; the middle of its capitals is at y (at x when it reads upward). */
void lp_chart_text(lp_chart *chart, double x, double y, const lp_text_style *style,
                   const char *text);

/* Width of a text drawn so, at most max_width where that is set. */
double lp_chart_text_width(lp_chart *chart, const lp_text_style *style, const char *text);

/* An image, rgb uint8 [rows, columns, 3], over a rectangle, each of its pixels a sharp square. */
void lp_chart_image(lp_chart *chart, double x, double y, double width, double height,
                    const unsigned char *rgb, size_t rows, size_t columns);

/* Distinguishable by people with any colour vision (Okabe and Ito, 2008; its yellow left out,
 * which is too light on white). */
lp_color lp_series_color(size_t i);

/* ---- for tests ---- */

/* Height in units.  What the picture covers: inside [0, width] x [0, height] when nothing is cut
 * off. */
double lp_chart_height(const lp_chart *chart);
lp_box lp_chart_ink(const lp_chart *chart);

/* The boxes of all texts, in the order drawn. */
const lp_box *lp_chart_text_boxes(const lp_chart *chart, size_t *count);

#endif
