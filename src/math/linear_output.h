/* What a linear layer does with the sums of a tile over a panel: + bias, activation, to y. */
#ifndef LP_MATH_LINEAR_OUTPUT_H
#define LP_MATH_LINEAR_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "math/activation.h"
#include "math/linear.h"
#include "math/tiles.h"

enum { LP_PANEL = 32 }; /* outputs of a panel of weights */

static inline size_t lp_panels(size_t out) {
    return (out + LP_PANEL - 1) / LP_PANEL;
}

/* Outputs of a panel, fewer in the last one. */
static inline size_t lp_panel_outputs(size_t out, size_t panel) {
    size_t left = out - panel * LP_PANEL;
    return left < LP_PANEL ? left : LP_PANEL;
}

/* The panel's biases [LP_PANEL]; zeros where there are none. */
LP_BODY void lp_panel_bias(const lp_packed_linear *layer, size_t panel, float *bias) {
    for (size_t o = 0; o < LP_PANEL; o++) {
        bias[o] = 0;
    }
    if (layer->bias != NULL) {
        memcpy(bias, layer->bias + panel * LP_PANEL,
               lp_panel_outputs(layer->out, panel) * sizeof *bias);
    }
}

/* A tile's part of y: `rows` rows of `columns` outputs. */
typedef struct lp_output_part {
    float *y;
    size_t row_step, half_step; /* to the next row; to the second half of the panel */
    size_t rows, columns;
} lp_output_part;

/* y = act(sums + bias (+ y)), half a panel; columns at most LP_TILE_RUN. */
LP_BODY void lp_finish_half(const float *sums, const lp_output_part *p, size_t half, size_t columns,
                            bool add, const float *bias, lp_nonlinearity activation) {
    for (size_t i = 0; i < p->rows; i++) {
        float *y = p->y + i * p->row_step + half * p->half_step;
        float row[LP_TILE_RUN] = {0}; /* so that no store can change what is read */
        for (size_t l = 0; l < columns; l++) {
            float x = sums[i * LP_PANEL + half * LP_TILE_RUN + l] + bias[half * LP_TILE_RUN + l];
            row[l] = lp_activate(activation, add ? x + y[l] : x);
        }
        for (size_t l = 0; l < columns; l++) { /* no memcpy: this joins the loop above */
            y[l] = row[l];
        }
    }
}

LP_BODY void lp_finish_halves(const float *sums, const lp_output_part *p, bool add,
                              const float *bias, lp_nonlinearity activation) {
    for (size_t half = 0; half < 2 && half * LP_TILE_RUN < p->columns; half++) {
        size_t columns = p->columns - half * LP_TILE_RUN;
        if (columns >= LP_TILE_RUN) { /* a number that the compiler knows */
            lp_finish_half(sums, p, half, LP_TILE_RUN, add, bias, activation);
        } else {
            lp_finish_half(sums, p, half, columns, add, bias, activation);
        }
    }
}

LP_BODY void lp_finish_sums_as(const float *sums, const lp_output_part *p, bool add,
                               const float *bias, lp_nonlinearity activation) {
    if (add) {
        lp_finish_halves(sums, p, true, bias, activation);
    } else {
        lp_finish_halves(sums, p, false, bias, activation);
    }
}

/* A loop of its own for each case: the tile's end is 3 % of its time otherwise. */
LP_BODY void lp_finish_sums(const float *sums, const lp_output_part *p, bool add, const float *bias,
                            lp_nonlinearity activation){
#define LP_FINISH(known) lp_finish_sums_as(sums, p, add, bias, known)
    LP_FOR_ACTIVATION(activation, LP_FINISH)
#undef LP_FINISH
}

/* Where the sums of tile t and panel p go. */
LP_BODY lp_output_part
    lp_output_part_of(const lp_linear_output *o, size_t out, size_t rows, size_t t, size_t panel) {
    size_t column = panel * LP_PANEL, left = rows - t * LP_TILE_ROWS;
    size_t columns = lp_panel_outputs(out, panel);
    if (o->stride == 0) { /* whole rows and runs, for what reads it */
        return (lp_output_part){o->y + lp_tiled_at(out, t * LP_TILE_ROWS, column), LP_TILE_RUN,
                                LP_TILE_CELL, LP_TILE_ROWS,
                                (columns + LP_TILE_RUN - 1) / LP_TILE_RUN * LP_TILE_RUN};
    }
    return (lp_output_part){o->y + t * LP_TILE_ROWS * o->stride + column, o->stride, LP_TILE_RUN,
                            left < LP_TILE_ROWS ? left : LP_TILE_ROWS, columns};
}

/* Of these columns the `count` from `first` on, which begins a half. */
LP_BODY void lp_output_part_from(lp_output_part *part, size_t first, size_t count) {
    part->y += first / LP_TILE_RUN * part->half_step;
    part->columns -= first;
    part->columns = part->columns < count ? part->columns : count;
}

#endif
