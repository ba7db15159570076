/* Rows into tiles: copies only. */
#include "math/tiles.h"

#include <string.h>

size_t lp_tiled(size_t rows, size_t columns) {
    return (rows + LP_TILE_ROWS - 1) / LP_TILE_ROWS * lp_tile_runs(columns) * LP_TILE_CELL;
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
    for (size_t i = 0; i < rows; i++) {
        lp_tile_row(x + i * stride, columns, tiled, columns, i, 0);
    }
    lp_tile_pad(tiled, rows, columns);
}
