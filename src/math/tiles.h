/* Rows in tiles: the layout of a matrix that a linear layer reads.
 *
 *   [ceil(rows / 12)][ceil(columns / 16)][12][16]
 *
 * Twelve rows, sixteen columns of each after the other, a cache line a row: the product walks
 * through a tile in the order of its memory, and what makes a tile writes whole cache lines.
 * Columns behind the last are zeros; rows behind the last are anything finite. */
#ifndef LP_MATH_TILES_H
#define LP_MATH_TILES_H

#include <stddef.h>
#include <string.h>

#include "math/dispatch.h"

enum { LP_TILE_ROWS = 12, LP_TILE_RUN = 16, LP_TILE_CELL = LP_TILE_ROWS * LP_TILE_RUN };

/* Runs of a row, the last one whole. */
static inline size_t lp_tile_runs(size_t columns) {
    return (columns + LP_TILE_RUN - 1) / LP_TILE_RUN;
}

/* Floats of a tiled matrix. */
size_t lp_tiled(size_t rows, size_t columns);

/* Where an element is. */
static inline size_t lp_tiled_at(size_t columns, size_t row, size_t column) {
    return (row / LP_TILE_ROWS * lp_tile_runs(columns) + column / LP_TILE_RUN) * LP_TILE_CELL +
           row % LP_TILE_ROWS * LP_TILE_RUN + column % LP_TILE_RUN;
}

/* x [columns] -> the part of a tiled matrix's row that begins at (row, column); inlined, to be
 * copied in the caller's registers. */
LP_BODY void lp_tile_row(const float *x, size_t columns, float *tiled, size_t all_columns,
                         size_t row, size_t column) {
    size_t offset = column % LP_TILE_RUN;
    float *run = tiled + lp_tiled_at(all_columns, row, column - offset);
    for (size_t j = 0, count; j < columns; j += count, offset = 0, run += LP_TILE_CELL) {
        count = columns - j < LP_TILE_RUN - offset ? columns - j : LP_TILE_RUN - offset;
        if (count == LP_TILE_RUN) { /* of a length that the compiler knows */
            memcpy(run, x + j, LP_TILE_RUN * sizeof *run);
        } else {
            memcpy(run + offset, x + j, count * sizeof *run);
        }
    }
}

/* x [rows, columns], `stride` floats from row to row -> tiled, whole. */
void lp_tile(const float *x, size_t rows, size_t columns, size_t stride, float *tiled);

/* Zeros behind the last row and the last column. */
void lp_tile_pad(float *tiled, size_t rows, size_t columns);

/* lp_layer_norm (math/rows.h), tiled. */
void lp_layer_norm_tiled(const float *x, size_t rows, size_t columns, size_t stride,
                         const float *weight, const float *bias, float eps, float *tiled);

#endif
