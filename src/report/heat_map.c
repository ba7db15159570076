/* Confusion heat map.  Left to right: true class's names, matrix, superclasses, colour bar. */
#include "report/heat_map.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

enum { MARGIN = 20, TITLE = 50, SIDE = 840, MAX_CELLS = 1000, NAME_WIDTH = 240 };
enum { BAR_COLORS = 256, BAR_HEIGHT = 210 };

/* What is drawn, worked out once. */
typedef struct heat_map_plan {
    const lp_heat_map *map;
    size_t *order; /* [K] class at each place */
    double *share; /* [n, n] largest share in each cell, NaN in rows without examples */
    size_t block;  /* classes a cell */
    size_t n;      /* cells a side */
    double cell, font;
    double left, top, side;
    double right;     /* end of the superclass names */
    double name_rows; /* height of the column names */
} heat_map_plan;

/* ColorBrewer's YlGnBu (Brewer; lightness falls steadily, so it reads in grey and with any colour
 * vision), with white for nothing and without its palest steps, which a screen hardly shows. */
static void share_color(double share, unsigned char rgb[3]) {
    static const unsigned char stops[][3] = {{255, 255, 255}, {199, 233, 180}, {127, 205, 187},
                                             {65, 182, 196},  {29, 145, 192},  {34, 94, 168},
                                             {37, 52, 148},   {8, 29, 88}};
    enum { LAST = sizeof stops / sizeof stops[0] - 1 };
    if (!(share >= 0)) {
        memset(rgb, 0xe4, 3); /* NaN: no examples */
        return;
    }
    double at = sqrt(fmin(share, 1)) * LAST;
    size_t i = at < LAST ? (size_t)at : LAST - 1;
    for (size_t c = 0; c < 3; c++) {
        double value = stops[i][c] + (at - (double)i) * (stops[i + 1][c] - stops[i][c]);
        rgb[c] = (unsigned char)lround(value);
    }
}

static void fill_shares(heat_map_plan *p) {
    size_t classes = p->map->classes;
    for (size_t i = 0; i < p->n * p->n; i++) {
        p->share[i] = NAN;
    }
    for (size_t r = 0; r < classes; r++) {
        const size_t *row = p->map->counts + p->order[r] * classes;
        double total = 0;
        for (size_t c = 0; c < classes; c++) {
            total += (double)row[c];
        }
        for (size_t c = 0; c < classes && total > 0; c++) {
            double *cell = &p->share[r / p->block * p->n + c / p->block];
            *cell = fmax(*cell, (double)row[p->order[c]] / total); /* passes over NaN */
        }
    }
}

/* Orders the classes by superclass, those of one in their own order. */
static void fill_order(heat_map_plan *p) {
    const lp_heat_map *map = p->map;
    size_t place = 0;
    for (size_t g = 0; g < (map->group_of != NULL ? map->groups : 1); g++) {
        for (size_t k = 0; k < map->classes; k++) {
            if (map->group_of == NULL || map->group_of[k] == g) {
                p->order[place++] = k;
            }
        }
    }
}

static const char *name_at(const heat_map_plan *p, size_t place) {
    return p->map->names[p->order[place]];
}

static size_t group_at(const heat_map_plan *p, size_t place) {
    return p->map->group_of[p->order[place]];
}

/* Widest name in a style. */
static double widest(lp_chart *chart, const lp_text_style *style, const char *const *names,
                     size_t count) {
    double width = 0;
    for (size_t i = 0; i < count; i++) {
        width = fmax(width, lp_chart_text_width(chart, style, names[i]));
    }
    return width;
}

static void draw_cells(const heat_map_plan *p, lp_chart *chart, unsigned char *rgb) {
    for (size_t i = 0; i < p->n * p->n; i++) {
        share_color(p->share[i], rgb + 3 * i);
    }
    lp_chart_image(chart, p->left, p->top, p->side, p->side, rgb, p->n, p->n);
    lp_text_style style = {.size = fmin(14, 0.34 * p->cell), .align = LP_ALIGN_CENTER};
    for (size_t i = 0; p->block == 1 && p->cell >= 30 && i < p->n * p->n; i++) {
        if (p->share[i] >= 0.005) {
            char text[16];
            size_t row = i / p->n, column = i % p->n;
            (void)snprintf(text, sizeof text, "%.0f", 100 * p->share[i]);
            style.color = p->share[i] > 0.3 ? LP_PAPER : LP_INK;
            lp_chart_text(chart, p->left + ((double)column + 0.5) * p->cell,
                          p->top + ((double)row + 0.5) * p->cell, &style, text);
        }
    }
}

static void draw_names(const heat_map_plan *p, lp_chart *chart, bool upright) {
    lp_text_style row = {
        .size = p->font, .color = LP_INK, .align = LP_ALIGN_RIGHT, .max_width = NAME_WIDTH};
    lp_text_style column = row;
    column.upward = !upright;
    column.align = upright ? LP_ALIGN_CENTER : LP_ALIGN_RIGHT;
    for (size_t i = 0; i < p->n; i++) {
        double middle = ((double)i + 0.5) * p->cell;
        lp_chart_text(chart, p->left - 5, p->top + middle, &row, name_at(p, i));
        lp_chart_text(chart, p->left + middle, p->top + p->side + (upright ? 6 + p->font / 2 : 5),
                      &column, name_at(p, i));
    }
}

/* Lines between superclasses, a square round each, and their names where all fit. */
static void draw_groups(const heat_map_plan *p, lp_chart *chart, const lp_text_style *style,
                        bool named) {
    const lp_pen faint = {0xaaaaaa, 0.5, LP_SOLID}, strong = {LP_INK, 1, LP_SOLID};
    double scale = p->side / (double)p->map->classes;
    for (size_t from = 0, to; from < p->map->classes; from = to) {
        for (to = from + 1; to < p->map->classes && group_at(p, to) == group_at(p, from); to++) {
        }
        double a = (double)from * scale, b = (double)to * scale;
        if (to < p->map->classes) {
            lp_chart_line(chart, p->left, p->top + b, p->left + p->side, p->top + b, &faint);
            lp_chart_line(chart, p->left + b, p->top, p->left + b, p->top + p->side, &faint);
        }
        const lp_box square = {p->left + a, p->top + a, p->left + b, p->top + b};
        lp_chart_frame(chart, square, &strong);
        if (named) {
            lp_chart_text(chart, p->left + p->side + 6, p->top + (a + b) / 2, style,
                          p->map->group_names[group_at(p, from)]);
        }
    }
}

static void draw_bar(const heat_map_plan *p, lp_chart *chart) {
    static const double ticks[] = {0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1};
    unsigned char rgb[BAR_COLORS * 3];
    double height = fmin(fmax(p->side, BAR_HEIGHT), 360), x = p->right + 16;
    const lp_pen pen = {LP_INK, 1, LP_SOLID};
    for (size_t i = 0; i < BAR_COLORS; i++) { /* from the top down: from all to nothing */
        double root = 1 - (double)i / (BAR_COLORS - 1);
        share_color(root * root, rgb + 3 * i);
    }
    lp_chart_image(chart, x, p->top, 18, height, rgb, BAR_COLORS, 1);
    lp_chart_frame(chart, (lp_box){x, p->top, x + 18, p->top + height}, &pen);
    lp_text_style style = {.size = 13, .color = LP_INK};
    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        char text[16];
        double y = p->top + height * (1 - sqrt(ticks[i]));
        (void)snprintf(text, sizeof text, "%.0f %%", 100 * ticks[i]);
        lp_chart_line(chart, x + 18, y, x + 22, y, &pen);
        lp_chart_text(chart, x + 26, y, &style, text);
    }
    style.upward = true;
    style.align = LP_ALIGN_CENTER;
    style.max_width = height;
    lp_chart_text(chart, x + 80, p->top + height / 2, &style, "Share of the true class");
}

static void draw_frame(const heat_map_plan *p, lp_chart *chart) {
    const lp_pen pen = {LP_INK, 1, LP_SOLID};
    const lp_box frame = {p->left, p->top, p->left + p->side, p->top + p->side};
    char text[96] = "Predicted class";
    lp_chart_frame(chart, frame, &pen);
    lp_text_style style = {.size = 15, .color = LP_INK, .align = LP_ALIGN_CENTER};
    if (p->block > 1) {
        (void)snprintf(text, sizeof text, "Predicted class (each cell: the largest of %zu x %zu)",
                       p->block, p->block);
    }
    lp_chart_text(chart, p->left + p->side / 2, p->top + p->side + p->name_rows + 20, &style, text);
    style.upward = true;
    lp_chart_text(chart, MARGIN + 4, p->top + p->side / 2, &style, "True class");
}

/* Text is measured on a chart, and the size of this one depends on it: `ruler` is one only to
 * measure. */
static lp_status lay_out(heat_map_plan *p, lp_chart *ruler, unsigned char *rgb, lp_chart **chart,
                         lp_error *err) {
    const lp_heat_map *map = p->map;
    const lp_text_style style = {.size = p->font, .max_width = NAME_WIDTH};
    bool legible = map->names != NULL && p->block == 1 && p->font >= 6;
    double names = legible ? widest(ruler, &style, map->names, map->classes) : 0;
    bool upright = names > 0 && names + 8 <= p->cell;
    p->name_rows = names <= 0 ? 0 : upright ? p->font + 8 : names + 8;
    lp_text_style group_style = {.color = LP_INK, .max_width = NAME_WIDTH};
    double groups = 0;
    if (map->group_of != NULL) {
        size_t smallest = map->classes;
        for (size_t from = 0, to; from < map->classes; from = to) {
            for (to = from; to < map->classes && group_at(p, to) == group_at(p, from); to++) {
            }
            smallest = to - from < smallest ? to - from : smallest;
        }
        group_style.size = fmin(13, 0.9 * p->side * (double)smallest / (double)map->classes);
        if (group_style.size >= 6 && map->group_names != NULL) {
            groups = 8 + widest(ruler, &group_style, map->group_names, map->groups);
        }
    }
    p->left = MARGIN + 24 + names + 6;
    p->top = MARGIN + TITLE - 14;
    p->right = p->left + p->side + groups;
    double width = ceil(p->right + 16 + 80 + 12 + MARGIN);
    double height = ceil(p->top + fmax(p->side + p->name_rows + 34, BAR_HEIGHT) + MARGIN);
    lp_status status = lp_chart_new_headed(map->title, (lp_heading){MARGIN, MARGIN + 6, 18}, width,
                                           height, 2, chart, err);
    if (status != LP_OK) {
        return status;
    }
    draw_cells(p, *chart, rgb);
    if (map->group_of != NULL) {
        draw_groups(p, *chart, &group_style, groups > 0);
    }
    if (legible && names > 0) {
        draw_names(p, *chart, upright);
    }
    draw_frame(p, *chart);
    draw_bar(p, *chart);
    return LP_OK;
}

lp_status lp_heat_map_chart(const lp_heat_map *map, lp_chart **chart, lp_error *err) {
    heat_map_plan p = {.map = map};
    lp_chart *ruler = NULL;
    *chart = NULL;
    if (map->classes == 0) {
        return lp_fail(err, LP_ERR_ARGUMENT, "chart \"%s\": there is no class", map->title);
    }
    for (size_t k = 0; map->group_of != NULL && k < map->classes; k++) {
        if (map->group_of[k] >= map->groups) {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "chart \"%s\": class %zu is in group %zu, expected below %zu",
                           map->title, k, map->group_of[k], map->groups);
        }
    }
    p.block = (map->classes + MAX_CELLS - 1) / MAX_CELLS;
    p.n = (map->classes + p.block - 1) / p.block;
    /* a whole number of pixels a cell, two a unit */
    p.cell = fmin(fmax(floor(2.0 * SIDE / (double)p.n) / 2, 1), 110);
    p.side = p.cell * (double)p.n;
    p.font = fmin(13, 0.88 * p.cell);
    lp_memory memory = {0};
    lp_status status;
    p.order = lp_memory_take(&memory, map->classes, sizeof *p.order);
    p.share = lp_memory_take(&memory, p.n * p.n, sizeof *p.share);
    unsigned char *rgb = lp_memory_take(&memory, p.n * p.n, 3);
    LP_TRY(lp_memory_check(&memory, "heat map", err));
    LP_TRY(lp_chart_new(map->title, 1, 1, 1, &ruler, err));
    fill_order(&p);
    fill_shares(&p);
    LP_TRY(lay_out(&p, ruler, rgb, chart, err));
done:
    lp_chart_free(ruler);
    lp_memory_free(&memory);
    return status;
}
