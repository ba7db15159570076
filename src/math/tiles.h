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

enum { LP_TILE_ROWS = 12, LP_TILE_RUN = 16, LP_TILE_CELL = LP_TILE_ROWS * LP_TILE_RUN };

/* Runs of a row, the last one whole. */
size_t lp_tile_runs(size_t columns);

/* Floats of a tiled matrix. */
size_t lp_tiled(size_t rows, size_t columns);

/* Where an element is. */
size_t lp_tiled_at(size_t columns, size_t row, size_t column);

/* x [rows, columns], `stride` floats from row to row -> tiled, whole. */
void lp_tile(const float *x, size_t rows, size_t columns, size_t stride, float *tiled);

/* x [rows, columns] -> the part of a tiled matrix [?, all_columns] that begins at (row, column). */
void lp_tile_part(const float *x, size_t rows, size_t columns, size_t stride, float *tiled,
                  size_t all_columns, size_t row, size_t column);

/* Zeros behind the last row and the last column. */
void lp_tile_pad(float *tiled, size_t rows, size_t columns);

/* lp_layer_norm (math/rows.h), tiled. */
void lp_layer_norm_tiled(const float *x, size_t rows, size_t columns, size_t stride,
                         const float *weight, const float *bias, float eps, float *tiled);

#endif
