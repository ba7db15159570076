/* Linear layers: y [rows, out] = act(x [rows, in] W' [in, out] + b).
 *
 * x lies in tiles of 12 rows (math/tiles.h), W in panels of 32 outputs, [panel][in][32]: 12 x 32
 * sums fill the registers of a processor with 512 bits, and at each k 32 weights meet 12 values of
 * x.
 *
 *   chunk of tiles            stays in the second-level cache
 *     block of at most 1024 inputs
 *       panel of 32 outputs   the next panel is fetched meanwhile
 *         tile                12 x 32 sums; + bias, activation; to y, whose cache lines are
 *                             fetched meanwhile
 *
 * So weights and x are read as they lie, once from memory and the rest from the caches, and nothing
 * is copied on the way: the rows come tiled from what made them, a layer norm, attention or
 * another product.
 *
 * A sum over k is cut into chains of 256 fused multiply-adds from 0, added up in their order,
 * whatever the width of the registers: the error of a product is then that of OpenBLAS.  Where the
 * processor has no fused multiply-add, products are rounded.
 *
 * The order of the loops is that of "Anatomy of High-Performance Matrix Multiplication" (Goto and
 * van de Geijn, 2008), but for the packing. */
#include "math/linear.h"

#include <string.h>

#include "math/linear_output.h"
#include "math/tiles.h"

#if LP_X86
#include <immintrin.h>
#endif

enum {
    TILE = LP_TILE_ROWS,
    RUN = LP_TILE_RUN,
    PANEL = LP_PANEL,
    CHAIN = 256,
    MAX_BLOCK = 1024,        /* inputs */
    CHUNK_FLOATS = 96 * 1024 /* of x: 384 KiB of a second-level cache */
};

/* The sums of a tile over a panel, [TILE][PANEL]. */
typedef struct tile_input {
    const float *rows, *panel; /* [runs][TILE][RUN], [runs * RUN][PANEL] */
    size_t runs;
    /* Fetched on the way: `lines` cache lines of the next panel a run, and one row of y a run. */
    const float *next;
    size_t lines;
    const float *y;
    size_t y_rows, row_step, half_step;
} tile_input;

typedef void (*tile_sums)(const tile_input *tile, float *sums);

LP_BODY void fetch(const tile_input *tile, size_t run) {
    for (size_t i = 0; i < tile->lines; i++) {
        LP_WILL_READ(tile->next + (run * tile->lines + i) * RUN);
    }
    if (run < tile->y_rows) {
        LP_WILL_WRITE(tile->y + run * tile->row_step);
        LP_WILL_WRITE(tile->y + run * tile->row_step + tile->half_step);
    }
}

LP_BODY void tile_plain(const tile_input *tile, float *sums) {
    const float *a = tile->rows, *w = tile->panel;
    float s[TILE * PANEL] = {0};
    memset(sums, 0, sizeof s);
    for (size_t run = 0; run < tile->runs; run++, a += LP_TILE_CELL) {
        for (size_t k = 0; k < RUN; k++, w += PANEL) {
            for (size_t i = 0; i < TILE; i++) {
                for (size_t l = 0; l < PANEL; l++) {
                    s[i * PANEL + l] = LP_MULTIPLY_ADD(a[i * RUN + k], w[l], s[i * PANEL + l]);
                }
            }
        }
        if ((run + 1) % (CHAIN / RUN) == 0 || run + 1 == tile->runs) {
            for (size_t i = 0; i < TILE * PANEL; i++) {
                sums[i] += s[i];
                s[i] = 0;
            }
        }
    }
}

#if LP_X86

enum { HALF = TILE / 2 };

/* Six rows and 16 outputs: 12 sums of 8. */
LP_TARGET("avx2,fma")
LP_BODY void quarter_avx2(const tile_input *tile, size_t row, size_t column, float *sums) {
    const float *a = tile->rows + row * RUN, *w = tile->panel + column;
    __m256 low[HALF], high[HALF];
    for (size_t i = 0; i < HALF; i++) {
        _mm256_store_ps(sums + i * PANEL, _mm256_setzero_ps());
        _mm256_store_ps(sums + i * PANEL + 8, _mm256_setzero_ps());
    }
    for (size_t run = 0; run < tile->runs;) {
        size_t left = tile->runs - run;
        size_t end = run + (left < CHAIN / RUN ? left : CHAIN / RUN);
        for (size_t i = 0; i < HALF; i++) {
            low[i] = high[i] = _mm256_setzero_ps();
        }
        for (; run < end; run++, a += LP_TILE_CELL) {
            for (size_t k = 0; k < RUN; k++, w += PANEL) {
                __m256 w_low = _mm256_load_ps(w), w_high = _mm256_load_ps(w + 8);
                for (size_t i = 0; i < HALF; i++) {
                    __m256 x = _mm256_broadcast_ss(a + i * RUN + k);
                    low[i] = _mm256_fmadd_ps(x, w_low, low[i]);
                    high[i] = _mm256_fmadd_ps(x, w_high, high[i]);
                }
            }
        }
        for (size_t i = 0; i < HALF; i++) {
            float *to = sums + i * PANEL;
            _mm256_store_ps(to, _mm256_add_ps(_mm256_load_ps(to), low[i]));
            _mm256_store_ps(to + 8, _mm256_add_ps(_mm256_load_ps(to + 8), high[i]));
        }
    }
}

LP_TARGET("avx2,fma") LP_BODY void tile_avx2(const tile_input *tile, float *sums) {
    for (size_t quarter = 0; quarter < 4; quarter++) {
        size_t row = quarter / 2 * HALF, column = quarter % 2 * (PANEL / 2);
        quarter_avx2(tile, row, column, sums + row * PANEL + column);
    }
}

/* All 12 rows: 24 sums of 16, where two units of 512 bits need 8 at least. */
LP_TARGET("avx512f") LP_BODY void tile_avx512(const tile_input *tile, float *sums) {
    const float *a = tile->rows, *w = tile->panel;
    __m512 low[TILE], high[TILE];
    for (size_t run = 0; run < tile->runs;) {
        size_t left = tile->runs - run;
        size_t end = run + (left < CHAIN / RUN ? left : CHAIN / RUN);
        bool first = run == 0;
        for (size_t i = 0; i < TILE; i++) {
            low[i] = high[i] = _mm512_setzero_ps();
        }
        for (; run < end; run++, a += LP_TILE_CELL) {
            fetch(tile, run);
            for (size_t k = 0; k < RUN; k++, w += PANEL) {
                __m512 w_low = _mm512_load_ps(w), w_high = _mm512_load_ps(w + 16);
                for (size_t i = 0; i < TILE; i++) {
                    __m512 x = _mm512_set1_ps(a[i * RUN + k]);
                    low[i] = _mm512_fmadd_ps(x, w_low, low[i]);
                    high[i] = _mm512_fmadd_ps(x, w_high, high[i]);
                }
            }
        }
        for (size_t i = 0; !first && i < TILE; i++) {
            low[i] = _mm512_add_ps(low[i], _mm512_load_ps(sums + i * PANEL));
            high[i] = _mm512_add_ps(high[i], _mm512_load_ps(sums + i * PANEL + 16));
        }
        for (size_t i = 0; i < TILE; i++) {
            _mm512_store_ps(sums + i * PANEL, low[i]);
            _mm512_store_ps(sums + i * PANEL + 16, high[i]);
        }
    }
}

#endif

typedef struct linear_job {
    const lp_packed_linear *layer;
    const float *x;
    size_t rows;
    const lp_linear_output *output;
    /* [TILE][PANEL], aligned to 64 bytes.  Here, and not where it is used, as gcc would keep it in
     * the registers that the chains need. */
    float *sums;
} linear_job;

LP_BODY void multiply(const linear_job *j, tile_sums sum) {
    const lp_packed_linear *layer = j->layer;
    size_t runs = lp_tile_runs(layer->in), depth = runs * RUN;
    size_t blocks = (depth + MAX_BLOCK - 1) / MAX_BLOCK;
    size_t block_runs = (runs + blocks - 1) / blocks;
    size_t panels = lp_panels(layer->out), tiles = (j->rows + TILE - 1) / TILE;
    size_t chunk = CHUNK_FLOATS / (block_runs * LP_TILE_CELL);
    const float *weights = layer->panels;
    for (size_t first = 0; first < tiles; first += chunk) {
        size_t end = tiles - first < chunk ? tiles : first + chunk;
        size_t lines = (2 * RUN + (end - first) - 1) / (end - first);
        for (size_t run = 0; run < runs; run += block_runs) {
            size_t here = runs - run < block_runs ? runs - run : block_runs;
            bool last = run + here == runs;
            for (size_t p = 0; p < panels; p++) {
                const float *panel = weights + (p * depth + run * RUN) * PANEL;
                float bias[PANEL] = {0};
                if (last) {
                    lp_panel_bias(layer, p, bias);
                }
                for (size_t t = first; t < end; t++) {
                    lp_output_part to = lp_output_part_of(j->output, layer->out, j->rows, t, p);
                    const float *x = j->x + (t * runs + run) * LP_TILE_CELL;
                    bool more = p + 1 < panels;
                    tile_input tile = {x,
                                       panel,
                                       here,
                                       more ? panel + depth * PANEL +
                                                  (t - first) * here * lines * RUN
                                            : x + (last ? chunk * runs - run : here) * LP_TILE_CELL,
                                       more ? lines : TILE,
                                       to.y,
                                       to.rows,
                                       to.row_step,
                                       to.half_step};
                    sum(&tile, j->sums);
                    lp_finish_sums(j->sums, &to, j->output->add || run > 0, bias,
                                   last ? j->output->activation : LP_IDENTITY);
                }
            }
        }
    }
}

static void run_linear(const linear_job *j);

LP_VERSIONS(run_linear, multiply, (const linear_job *j), (j), multiply(j, tile_plain),
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
    run_linear(&(linear_job){layer, x, rows, output, sums});
}
