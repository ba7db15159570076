/* Small pictures of one described object: a shape, a pattern and a colour, drawn with everything
 * else left to chance (place, size, turn, lighting, background, clutter, occlusion, noise).
 *
 * Only + - * / sqrt and floor on doubles, and lp_random: the same generator state gives the same
 * bytes on every machine with IEEE 754 doubles. */
#ifndef LP_DRAW_DRAWING_H
#define LP_DRAW_DRAWING_H

#include <stddef.h>
#include "base/random.h"

enum { LP_DRAWING_SIDE = 32, LP_DRAWING_BYTES = 3 * LP_DRAWING_SIDE * LP_DRAWING_SIDE };

/* Shapes 0..19 are the superclasses of the probe.  The first values of each table up to the
 * *_SHARED mark are drawn for the probe and for pretraining; what lies between the marks is kept
 * from pretraining, and the shapes from LP_SHAPES_PROBE on from the probe. */
enum {
    LP_SHAPES_SHARED = 16,
    LP_SHAPES_PROBE = 20,
    LP_SHAPES = 26,
    LP_PATTERNS_SHARED = 8,
    LP_PATTERNS = 10,
    LP_COLOURS_SHARED = 7,
    LP_COLOURS = 8
};

/* What a caption says. */
typedef struct lp_drawing {
    size_t shape, pattern, colour;
    int large; /* else small */
    int dark;  /* a dark background, and white as the pattern's second colour; else light, black */
} lp_drawing;

const char *lp_shape_name(size_t shape);
const char *lp_pattern_name(size_t pattern);
const char *lp_colour_name(size_t colour);

/* Draws the picture as CIFAR stores it, uint8 [3, 32, 32]. */
void lp_drawing_paint(const lp_drawing *drawing, lp_random *random,
                      unsigned char pixels[LP_DRAWING_BYTES]);

#endif
