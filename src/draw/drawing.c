/* Data stage: procedural pictures.
 *
 *   1. the tables: shapes as unions of polygons and ellipses, patterns, colours
 *   2. the scene: every random choice is made here, in a fixed order
 *   3. the colour at a point: background, clutter, object with its pattern, what lies before it
 *   4. the picture: mean of 4 x 4 points a pixel, lighting, noise, rounding, uint8 [3, 32, 32]
 */
#include "draw/drawing.h"

#include <math.h>
#include <stdbool.h>

/* ---- 1. tables ------------------------------------------------------------------------------- */

enum kind { END, POLYGON, ELLIPSE, CUT_POLYGON, CUT_ELLIPSE };
enum { MAX_PARTS = 8, MAX_NUMBERS = 24 };

/* Coordinates in hundredths of the shape's half extent, y downwards.  A polygon has `count`
 * corners x, y; an ellipse its centre and half axes.  A cut takes away from the parts before it. */
struct part {
    enum kind kind;
    int count;
    signed char at[MAX_NUMBERS];
};

struct shape {
    const char *name;
    struct part parts[MAX_PARTS];
};

/* Its layout would give each part a line of its own. */
/* clang-format off */
static const struct shape shapes[LP_SHAPES] = {
    {"circle", {{ELLIPSE, 0, {0, 0, 88, 88}}}},
    {"square", {{POLYGON, 4, {-78, -78, 78, -78, 78, 78, -78, 78}}}},
    {"triangle", {{POLYGON, 3, {0, -95, 95, 75, -95, 75}}}},
    {"star", {{POLYGON, 10, {0, -100, 25, -34, 95, -31, 40, 13, 59, 81, 0, 42, -59, 81, -40, 13,
                             -95, -31, -25, -34}}}},
    {"cross", {{POLYGON, 4, {-30, -95, 30, -95, 30, 95, -30, 95}},
      {POLYGON, 4, {-95, -30, 95, -30, 95, 30, -95, 30}}}},
    {"crescent", {{ELLIPSE, 0, {0, 0, 95, 95}}, {CUT_ELLIPSE, 0, {45, -10, 78, 78}}}},
    {"ring", {{ELLIPSE, 0, {0, 0, 95, 95}}, {CUT_ELLIPSE, 0, {0, 0, 48, 48}}}},
    {"arrow", {{POLYGON, 7, {-95, -30, 10, -30, 10, -85, 98, 0, 10, 85, 10, 30, -95, 30}}}},
    {"flower", {{ELLIPSE, 0, {0, -58, 38, 38}}, {ELLIPSE, 0, {55, -18, 38, 38}},
      {ELLIPSE, 0, {34, 47, 38, 38}}, {ELLIPSE, 0, {-34, 47, 38, 38}},
      {ELLIPSE, 0, {-55, -18, 38, 38}}, {ELLIPSE, 0, {0, 0, 40, 40}}}},
    {"drop", {{ELLIPSE, 0, {0, 35, 62, 62}}, {POLYGON, 3, {0, -100, 56, 10, -56, 10}}}},
    {"house", {{POLYGON, 5, {0, -95, 85, -15, 85, 85, -85, 85, -85, -15}},
      {CUT_POLYGON, 4, {-20, 25, 20, 25, 20, 85, -20, 85}}}},
    {"tree", {{POLYGON, 3, {0, -100, 58, -10, -58, -10}}, {POLYGON, 3, {0, -60, 82, 58, -82, 58}},
      {POLYGON, 4, {-20, 50, 20, 50, 20, 98, -20, 98}}}},
    {"mushroom", {{ELLIPSE, 0, {0, -5, 95, 80}},
      {CUT_POLYGON, 4, {-100, 5, 100, 5, 100, 100, -100, 100}},
      {POLYGON, 4, {-28, 0, 28, 0, 34, 90, -34, 90}}}},
    {"hourglass", {{POLYGON, 6, {-75, -92, 75, -92, 14, 0, 75, 92, -75, 92, -14, 0}}}},
    {"key", {{ELLIPSE, 0, {-48, 0, 50, 50}}, {CUT_ELLIPSE, 0, {-48, 0, 22, 22}},
      {POLYGON, 4, {-4, -14, 98, -14, 98, 14, -4, 14}},
      {POLYGON, 4, {72, 0, 96, 0, 96, 52, 72, 52}}, {POLYGON, 4, {32, 0, 54, 0, 54, 44, 32, 44}}}},
    {"crown", {{POLYGON, 7, {-95, 75, -95, -70, -45, -5, 0, -85, 45, -5, 95, -70, 95, 75}}}},
    /* the probe's own */
    {"heart", {{ELLIPSE, 0, {-44, -36, 48, 48}}, {ELLIPSE, 0, {44, -36, 48, 48}},
      {POLYGON, 3, {-87, -14, 87, -14, 0, 95}}, {POLYGON, 3, {-50, -16, 50, -16, 0, -40}}}},
    {"fish", {{ELLIPSE, 0, {-22, 0, 72, 50}}, {POLYGON, 3, {25, 0, 98, -62, 98, 62}}}},
    {"bolt", {{POLYGON, 6, {20, -100, -65, 15, -8, 15, -30, 100, 65, -25, 10, -25}}}},
    {"mug", {{ELLIPSE, 0, {50, 0, 48, 52}}, {CUT_ELLIPSE, 0, {50, 0, 24, 28}},
      {POLYGON, 4, {-80, -85, 42, -85, 42, 85, -80, 85}}}},
    /* pretraining's own */
    {"diamond", {{POLYGON, 4, {0, -100, 62, 0, 0, 100, -62, 0}}}},
    {"bottle", {{POLYGON, 8, {-18, -98, 18, -98, 18, -45, 46, -10, 46, 95, -46, 95, -46, -10, -18,
                               -45}}}},
    {"butterfly", {{ELLIPSE, 0, {-52, -42, 46, 48}}, {ELLIPSE, 0, {52, -42, 46, 48}},
      {ELLIPSE, 0, {-42, 48, 34, 38}}, {ELLIPSE, 0, {42, 48, 34, 38}},
      {ELLIPSE, 0, {0, 0, 14, 80}}}},
    {"boat", {{POLYGON, 4, {-98, 38, 98, 38, 58, 88, -58, 88}},
      {POLYGON, 3, {-4, -98, -4, 28, -78, 28}}, {POLYGON, 3, {8, -70, 8, 28, 70, 28}},
      {POLYGON, 4, {-6, -90, 8, -90, 8, 45, -6, 45}}}},
    {"cat", {{ELLIPSE, 0, {0, 20, 85, 72}}, {POLYGON, 3, {-80, -95, -82, 10, -10, -40}},
      {POLYGON, 3, {80, -95, 82, 10, 10, -40}}}},
    {"snowman", {{ELLIPSE, 0, {0, -52, 42, 42}}, {ELLIPSE, 0, {0, 36, 62, 60}}}},
};
/* clang-format on */

enum { PLAIN, STRIPED, CHECKERED, DOTTED, RINGED, LATTICED, HALVED, SHADED, ZIGZAG, FRAMED };

static const char *const pattern_names[LP_PATTERNS] = {
    "plain",    "striped", "checkered", "dotted", "ringed",
    "latticed", "halved",  "shaded",    "zigzag", "framed", /* the last two: the probe's own */
};

static const struct {
    const char *name;
    double rgb[3];
} colours[LP_COLOURS] = {
    {"red", {215, 35, 35}},    {"orange", {240, 130, 25}}, {"yellow", {235, 215, 40}},
    {"green", {45, 165, 55}},  {"blue", {40, 75, 215}},    {"purple", {130, 50, 185}},
    {"pink", {240, 125, 185}}, {"teal", {30, 175, 185}}, /* the last: the probe's own */
};

const char *lp_shape_name(size_t shape) {
    return shapes[shape].name;
}

const char *lp_pattern_name(size_t pattern) {
    return pattern_names[pattern];
}

const char *lp_colour_name(size_t colour) {
    return colours[colour].name;
}

/* ---- 2. scene -------------------------------------------------------------------------------- */

/* From picture coordinates (pixels) to those of an item (half extent 1). */
struct frame {
    double x, y;     /* centre */
    double cos, sin; /* turn */
    double rx, ry;   /* half extents in pixels */
};

enum { MAX_CLUTTER = 12 };

struct blob {
    struct frame frame;
    enum kind kind;
    double rgb[3];
};

struct scene {
    size_t pattern;
    const struct shape *shape;
    struct frame frame;
    double first[3], second[3];
    double turn[2], shift[2], period; /* of the pattern */
    double ground[2][3], slope[3];    /* background colours and the line between them */
    struct blob behind[MAX_CLUTTER], before[MAX_CLUTTER];
    size_t behind_count, before_count;
    double light[3]; /* gain at the centre and its change towards x and y */
    double noise;
};

/* Every draw is a statement of its own: C leaves the order of operands open. */
static double between(lp_random *random, double low, double high) {
    return low + (high - low) * lp_random_uniform(random);
}

/* A direction, evenly round the circle. */
static void draw_direction(lp_random *random, double direction[2]) {
    double x, y, square;
    do {
        x = between(random, -1, 1);
        y = between(random, -1, 1);
        square = x * x + y * y;
    } while (square > 1 || square < 1e-4);
    double length = sqrt(square);
    direction[0] = x / length;
    direction[1] = y / length;
}

static void draw_blob(lp_random *random, double low, double high, struct blob *blob) {
    double direction[2];
    draw_direction(random, direction);
    blob->frame.cos = direction[0];
    blob->frame.sin = direction[1];
    blob->frame.x = between(random, 0, LP_DRAWING_SIDE);
    blob->frame.y = between(random, 0, LP_DRAWING_SIDE);
    blob->frame.rx = between(random, low, high);
    blob->frame.ry = between(random, low, high);
    blob->kind = lp_random_below(random, 2) == 0 ? ELLIPSE : POLYGON;
    for (int c = 0; c < 3; c++) {
        blob->rgb[c] = between(random, 10, 245);
    }
}

static void draw_scene(const lp_drawing *drawing, lp_random *random, struct scene *scene) {
    scene->pattern = drawing->pattern;
    scene->shape = &shapes[drawing->shape];
    /* the object: a turn of up to 15 degrees to either side, by the tangent of half the angle */
    double size = drawing->large ? between(random, 12, 14.5) : between(random, 9.5, 11.5);
    double stretch = between(random, 0.88, 1.14);
    double half = between(random, -0.132, 0.132);
    scene->frame.cos = (1 - half * half) / (1 + half * half);
    scene->frame.sin = 2 * half / (1 + half * half);
    scene->frame.rx = size * stretch;
    scene->frame.ry = size / stretch;
    double room = LP_DRAWING_SIDE / 2.0 - size;
    scene->frame.x = LP_DRAWING_SIDE / 2.0 + between(random, -room, room);
    scene->frame.y = LP_DRAWING_SIDE / 2.0 + between(random, -room, room);
    for (int c = 0; c < 3; c++) {
        scene->first[c] = colours[drawing->colour].rgb[c] + between(random, -20, 20);
        scene->second[c] = drawing->dark ? between(random, 215, 250) : between(random, 5, 40);
    }
    draw_direction(random, scene->turn);
    scene->shift[0] = between(random, 0, 1);
    scene->shift[1] = between(random, 0, 1);
    scene->period = between(random, 6.5, 8.5); /* pixels */
    /* the background: dull, so that its colour is not taken for the object's */
    for (int end = 0; end < 2; end++) {
        double grey = drawing->dark ? between(random, 25, 95) : between(random, 155, 225);
        for (int c = 0; c < 3; c++) {
            scene->ground[end][c] = grey + between(random, -25, 25);
        }
    }
    double slope[2];
    draw_direction(random, slope);
    scene->slope[0] = slope[0] / LP_DRAWING_SIDE;
    scene->slope[1] = slope[1] / LP_DRAWING_SIDE;
    scene->slope[2] = 0.5 - (scene->slope[0] + scene->slope[1]) * LP_DRAWING_SIDE / 2;
    scene->behind_count = 3 + (size_t)lp_random_below(random, 4);
    for (size_t i = 0; i < scene->behind_count; i++) {
        draw_blob(random, 1, 4, &scene->behind[i]);
    }
    scene->before_count = (size_t)lp_random_below(random, 3);
    for (size_t i = 0; i < scene->before_count; i++) {
        draw_blob(random, 0.8, 2.5, &scene->before[i]);
    }
    /* a long bar over some pictures */
    if (lp_random_below(random, 5) == 0) {
        struct blob *bar = &scene->before[scene->before_count++];
        draw_blob(random, 0.8, 1.8, bar);
        bar->kind = POLYGON;
        bar->frame.ry = 2 * LP_DRAWING_SIDE;
    }
    scene->light[0] = between(random, 0.72, 1.12);
    scene->light[1] = between(random, -0.011, 0.011);
    scene->light[2] = between(random, -0.011, 0.011);
    scene->noise = between(random, 2, 10);
}

/* ---- 3. colour at a point -------------------------------------------------------------------- */

static bool part_holds(const struct part *part, double x, double y) {
    if (part->kind == ELLIPSE || part->kind == CUT_ELLIPSE) {
        double u = (x - part->at[0]) / part->at[2], v = (y - part->at[1]) / part->at[3];
        return u * u + v * v <= 1;
    }
    bool inside = false; /* even-odd: count the edges to the right of the point */
    for (int i = 0, j = part->count - 1; i < part->count; j = i++) {
        double xi = part->at[2 * i], yi = part->at[2 * i + 1];
        double xj = part->at[2 * j], yj = part->at[2 * j + 1];
        if ((yi > y) != (yj > y) && x < xi + (xj - xi) * (y - yi) / (yj - yi)) {
            inside = !inside;
        }
    }
    return inside;
}

/* Is (u, v), in half extents, within the shape? */
static bool shape_holds(const struct shape *shape, double u, double v) {
    bool inside = false;
    if (u * u > 1 || v * v > 1) {
        return false;
    }
    for (int i = 0; i < MAX_PARTS && shape->parts[i].kind != END; i++) {
        bool cut = shape->parts[i].kind >= CUT_POLYGON;
        if (inside == cut && part_holds(&shape->parts[i], 100 * u, 100 * v)) {
            inside = !inside;
        }
    }
    return inside;
}

static void to_item(const struct frame *frame, double x, double y, double *u, double *v) {
    double dx = x - frame->x, dy = y - frame->y;
    *u = (frame->cos * dx + frame->sin * dy) / frame->rx;
    *v = (frame->cos * dy - frame->sin * dx) / frame->ry;
}

static double fraction(double x) {
    return x - floor(x);
}

/* How much of the second colour: 0 to 1. */
static double pattern_at(const struct scene *s, double u, double v) {
    double x = u * s->frame.rx, y = v * s->frame.ry; /* pixels, turned with the object */
    double along = s->turn[0] * x + s->turn[1] * y;
    double a = along / s->period + s->shift[0];
    double b = (s->turn[0] * y - s->turn[1] * x) / s->period + s->shift[1];
    switch (s->pattern) {
    case STRIPED:
        return fraction(a) < 0.45;
    case CHECKERED:
        return (fraction(a * 0.6) < 0.5) != (fraction(b * 0.6) < 0.5);
    case DOTTED: {
        double p = fraction(a) - 0.5, q = fraction(b) - 0.5;
        return p * p + q * q < 0.3 * 0.3;
    }
    case RINGED:
        return fraction(sqrt(x * x + y * y) / s->period + 0.3) < 0.45;
    case LATTICED:
        return fraction(a) < 0.27 || fraction(b) < 0.27;
    case HALVED:
        return a - s->shift[0] > 0.4 * (s->shift[1] - 0.5);
    case SHADED: {
        double t = 0.5 + along / (s->frame.rx + s->frame.ry);
        return t < 0 ? 0 : t > 1 ? 1 : t;
    }
    case ZIGZAG: {
        double tooth = fraction(b / 1.6) - 0.5;
        return fraction(a + 1.6 * (tooth < 0 ? -tooth : tooth)) < 0.45;
    }
    case FRAMED:
        return !shape_holds(s->shape, u * 1.35, v * 1.35);
    case PLAIN:
        break;
    }
    return 0;
}

static bool blob_holds(const struct blob *blob, double x, double y) {
    double u, v;
    to_item(&blob->frame, x, y, &u, &v);
    return blob->kind == ELLIPSE ? u * u + v * v <= 1 : u * u <= 1 && v * v <= 1;
}

static void colour_at(const struct scene *s, double x, double y, double rgb[3]) {
    const double *top = NULL;
    double u, v;
    for (size_t i = 0; i < s->before_count; i++) {
        top = blob_holds(&s->before[i], x, y) ? s->before[i].rgb : top;
    }
    if (top == NULL) {
        to_item(&s->frame, x, y, &u, &v);
        if (shape_holds(s->shape, u, v)) {
            double t = pattern_at(s, u, v);
            for (int c = 0; c < 3; c++) {
                rgb[c] = s->first[c] + t * (s->second[c] - s->first[c]);
            }
            return;
        }
        for (size_t i = 0; i < s->behind_count; i++) {
            top = blob_holds(&s->behind[i], x, y) ? s->behind[i].rgb : top;
        }
    }
    double t = s->slope[0] * x + s->slope[1] * y + s->slope[2];
    for (int c = 0; c < 3; c++) {
        rgb[c] = top != NULL ? top[c] : s->ground[0][c] + t * (s->ground[1][c] - s->ground[0][c]);
    }
}

/* ---- 4. picture ------------------------------------------------------------------------------ */

/* Near enough to a normal variable of unit variance, and without a logarithm, whose last bit
 * differs between mathematics libraries: four uniform ones (Irwin and Hall). */
static double draw_noise(lp_random *random) {
    double sum = -2;
    for (int i = 0; i < 4; i++) {
        sum += lp_random_uniform(random);
    }
    return sum * 1.7320508075688772;
}

void lp_drawing_paint(const lp_drawing *drawing, lp_random *random,
                      unsigned char pixels[LP_DRAWING_BYTES]) {
    enum { SIDE = LP_DRAWING_SIDE, MIDDLE = SIDE / 2, POINTS = 4 };
    struct scene scene;
    draw_scene(drawing, random, &scene);
    for (int row = 0; row < SIDE; row++) {
        for (int column = 0; column < SIDE; column++) {
            double sum[3] = {0, 0, 0};
            for (int i = 0; i < POINTS * POINTS; i++) {
                double rgb[3];
                int across = i % POINTS, down = i / POINTS;
                colour_at(&scene, column + (across + 0.5) / POINTS, row + (down + 0.5) / POINTS,
                          rgb);
                for (int c = 0; c < 3; c++) {
                    sum[c] += rgb[c];
                }
            }
            double gain = scene.light[0] + scene.light[1] * (column - MIDDLE) +
                          scene.light[2] * (row - MIDDLE);
            for (int c = 0; c < 3; c++) {
                double value = gain * sum[c] / (POINTS * POINTS) + scene.noise * draw_noise(random);
                value = value < 0 ? 0 : value > 255 ? 255 : value;
                pixels[(c * SIDE + row) * SIDE + column] = (unsigned char)(value + 0.5);
            }
        }
    }
}
