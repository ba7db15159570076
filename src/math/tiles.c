/* Rows into tiles: copies only. */
#include "math/tiles.h"

#include <string.h>

size_t lp_tile_runs(size_t columns) {
    return (columns + LP_TILE_RUN - 1) / LP_TILE_RUN;
}

size_t lp_tiled(size_t rows, size_t columns) {
    return (rows + LP_TILE_ROWS - 1) / LP_TILE_ROWS * lp_tile_runs(columns) * LP_TILE_CELL;
}

size_t lp_tiled_at(size_t columns, size_t row, size_t column) {
    return (row / LP_TILE_ROWS * lp_tile_runs(columns) + column / LP_TILE_RUN) * LP_TILE_CELL +
           row % LP_TILE_ROWS * LP_TILE_RUN + column % LP_TILE_RUN;
}

void lp_tile_part(const float *x, size_t rows, size_t columns, size_t stride, float *tiled,
                  size_t all_columns, size_t row, size_t column) {
    for (size_t i = 0; i < rows; i++) {
        const float *from = x + i * stride;
        size_t offset = column % LP_TILE_RUN;
        float *run = tiled + lp_tiled_at(all_columns, row + i, column - offset);
        for (size_t j = 0, count; j < columns; j += count, offset = 0, run += LP_TILE_CELL) {
            count = columns - j < LP_TILE_RUN - offset ? columns - j : LP_TILE_RUN - offset;
            if (count == LP_TILE_RUN) { /* of a length that the compiler knows */
                memcpy(run, from + j, LP_TILE_RUN * sizeof *run);
            } else {
                memcpy(run + offset, from + j, count * sizeof *run);
            }
        }
    }
}

void lp_tile_pad(float *tiled, size_t rows, size_t columns) {
    size_t above = (rows + LP_TILE_ROWS - 1) / LP_TILE_ROWS * LP_TILE_ROWS;
    size_t behind = lp_tile_runs(columns) * LP_TILE_RUN;
    for (size_t i = 0; i < above; i++) {
        for (size_t j = i < rows ? columns : 0, pad; j < behind; j += pad) {
            pad = LP_TILE_RUN - j % LP_TILE_RUN;
            memset(tiled + lp_tiled_at(columns, i, j), 0, pad * sizeof *tiled);
        }
    }
}

void lp_tile(const float *x, size_t rows, size_t columns, size_t stride, float *tiled) {
    lp_tile_part(x, rows, columns, stride, tiled, columns, 0, 0);
    lp_tile_pad(tiled, rows, columns);
}
