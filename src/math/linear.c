/* Linear layers: y [rows, out] = act(x [rows, in] W' [in, out] + b).
 *
 * x lies in tiles of 12 rows (math/tiles.h), W in panels of 32 outputs, [panel][in][32]: 12 x 32
 * sums fill the registers of a processor with 512 bits, and at each k 32 weights meet 12 values of
 * x.  Weights and x are read as they lie, once from memory and the rest from the caches, and
 * nothing is copied on the way: the rows come tiled from what made them, a layer norm, attention or
 * another product.  math/linear_loop.h has the loops and their order. */
#include "math/linear.h"

#include "math/linear_loop.h"

LP_BODY void multiply(const linear_job *j, tile_sums sum) {
    const linear_steps steps = {.sum = sum, .outputs = PANEL, .weight_size = sizeof(float)};
    multiply_with(j, &steps);
}

static void run_linear(const linear_job *j);

LP_VERSIONS(run_linear, multiply, (const linear_job *j), (j), multiply(j, LP_PLAIN(tile)),
            multiply(j, tile_avx2), "avx512f", "avx512f,prfchw", multiply(j, tile_avx512))

size_t lp_linear_packed(size_t out, size_t in) {
    return lp_panels(out) * PANEL * lp_tile_runs(in) * RUN;
}

void lp_linear_pack_strided(const float *weight, size_t out, size_t in, size_t out_stride,
                            size_t in_stride, float *packed) {
    size_t depth = lp_tile_runs(in) * RUN;
    for (size_t first = 0; first < out; first += PANEL) {
        for (size_t k = 0; k < depth; k += RUN, packed += RUN * PANEL) { /* a row's cache line */
            for (size_t o = 0; o < PANEL; o++) {
                for (size_t l = 0; l < RUN; l++) {
                    packed[l * PANEL + o] =
                        first + o < out && k + l < in
                            ? weight[(first + o) * out_stride + (k + l) * in_stride]
                            : 0;
                }
            }
        }
    }
}

void lp_linear_pack(const float *weight, size_t out, size_t in, float *packed) {
    lp_linear_pack_strided(weight, out, in, in, 1, packed);
}

void lp_linear_run(const lp_packed_linear *layer, const float *x, size_t rows,
                   const lp_linear_output *output) {
    _Alignas(64) float sums[TILE * PANEL];
    run_linear(&(linear_job){layer, x, rows, output, sums, NULL, NULL});
}
