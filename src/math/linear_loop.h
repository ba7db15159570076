/* The loop of linear layers over packed weights, which linear.c, linear_bfloat16.c and
 * linear_int16.c share:
 *
 *   chunk of tiles            stays in the second-level cache
 *     block of at most 1024 inputs
 *       (rows, rounded)       of the chunk, where the weights are rounded
 *       panel of 32 outputs   the next panel is fetched meanwhile; (widened)
 *         (half of it)
 *           tile              12 x 32 sums; + bias, activation; to y, whose cache lines are
 *                             fetched meanwhile
 *
 * A sum over k is cut into chains of 256 fused multiply-adds from 0 (bfloat16: of 16), added up in
 * their order, whatever the width of the registers: the error of a product is then that of
 * OpenBLAS.  Where the processor has no fused multiply-add, products are rounded.
 *
 * The order of the loops is that of "Anatomy of High-Performance Matrix Multiplication" (Goto and
 * van de Geijn, 2008), but for the packing. */
#ifndef LP_MATH_LINEAR_LOOP_H
#define LP_MATH_LINEAR_LOOP_H

#include <stdint.h>
#include <string.h>

#include "math/linear.h"
#include "math/linear_output.h"
#include "math/tiles.h"

#if LP_X86
#include <immintrin.h>
#elif LP_NEON
#include "math/neon.h"
#endif

enum {
    TILE = LP_TILE_ROWS,
    RUN = LP_TILE_RUN,
    PANEL = LP_PANEL,
    CHAIN = 256,
    CHAIN_RUNS = CHAIN / RUN,
    LINE = 64,               /* bytes of a cache line */
    MAX_BLOCK = 1024,        /* inputs */
    CHUNK_BYTES = 384 * 1024 /* of rows: part of a second-level cache */
};

/* The sums of a tile over a panel or half of it, [TILE][PANEL], and behind them those of another
 * tile where there is one.  Values are float32, or as a layer's steps have them. */
typedef struct tile_input {
    const void *rows, *panel; /* [runs][TILE][RUN], [runs * RUN][PANEL] */
    size_t runs;
    const float *scales; /* of the outputs, behind the panel; steps without any: not read */
    /* Fetched on the way: `lines` cache lines of the next panel a run, and one row of y a run. */
    const char *next;
    size_t lines;
    const float *y;
    size_t y_rows, row_step, half_step;
    size_t other; /* bytes to the rows of the tile that this call takes too, 0 for none */
} tile_input;

typedef void (*tile_sums)(const tile_input *tile, float *sums);

LP_BODY void fetch(const tile_input *tile, size_t run) {
    for (size_t i = 0; i < tile->lines; i++) {
        LP_WILL_READ(tile->next + (run * tile->lines + i) * LINE);
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
        if ((run + 1) % CHAIN_RUNS == 0 || run + 1 == tile->runs) {
            for (size_t i = 0; i < TILE * PANEL; i++) {
                sums[i] += s[i];
                s[i] = 0;
            }
        }
    }
}

#if LP_X86

enum { HALF = TILE / 2, QUARTERS = 4 };

/* Six rows and 16 outputs: 12 sums of 8. */
LP_TARGET("avx2,fma")
LP_BODY void quarter_avx2(const tile_input *tile, size_t row, size_t column, float *sums) {
    const float *a = (const float *)tile->rows + row * RUN;
    const float *w = (const float *)tile->panel + column;
    __m256 low[HALF], high[HALF];
    for (size_t i = 0; i < HALF; i++) {
        _mm256_store_ps(sums + i * PANEL, _mm256_setzero_ps());
        _mm256_store_ps(sums + i * PANEL + 8, _mm256_setzero_ps());
    }
    for (size_t run = 0; run < tile->runs;) {
        size_t left = tile->runs - run;
        size_t end = run + (left < CHAIN_RUNS ? left : CHAIN_RUNS);
        for (size_t i = 0; i < HALF; i++) {
            low[i] = high[i] = _mm256_setzero_ps();
        }
        for (; run < end; run++, a += LP_TILE_CELL) {
            if (run % QUARTERS == row / HALF * 2 + column / (PANEL / 2)) {
                fetch(tile, run); /* evenly: too many at once stop what is read */
            }
#pragma GCC unroll 4 /* fewer branches, so that a chain's end is foreseen: 1 to 2 % */
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
    for (size_t quarter = 0; quarter < QUARTERS; quarter++) {
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
        size_t end = run + (left < CHAIN_RUNS ? left : CHAIN_RUNS);
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

#if LP_NEON

/* Six rows and 16 outputs: 24 sums of 4. */
LP_BODY void quarter_neon(const tile_input *tile, size_t row, size_t column, float *sums) {
    const float *a = (const float *)tile->rows + row * RUN;
    const float *w = (const float *)tile->panel + column;
    for (size_t run = 0; run < tile->runs;) {
        size_t left = tile->runs - run;
        size_t end = run + (left < CHAIN_RUNS ? left : CHAIN_RUNS);
        bool add = run > 0;
        float32x4_t s[NEON_ROWS][NEON_VECTORS];
        neon_clear(s, NEON_ROWS);
        for (; run < end; run++, a += LP_TILE_CELL) {
            for (size_t k = 0; k < RUN; k += NEON, w += NEON * PANEL) {
                const float *const rows[NEON_ROWS] = {a + k,           a + RUN + k,
                                                      a + 2 * RUN + k, a + 3 * RUN + k,
                                                      a + 4 * RUN + k, a + 5 * RUN + k};
                neon_four(s, NEON_ROWS, rows, w, PANEL);
            }
        }
        neon_store(s, NEON_ROWS, add, sums, PANEL);
    }
}

LP_BODY void tile_neon(const tile_input *tile, float *sums) {
    for (size_t row = 0; row < TILE; row += NEON_ROWS) {
        for (size_t column = 0; column < PANEL; column += NEON_COLUMNS) {
            quarter_neon(tile, row, column, sums + row * PANEL + column);
        }
    }
}

#endif

/* How a layer's values lie, and what is done to them before they are multiplied. */
typedef struct linear_steps {
    tile_sums sum;
    size_t outputs; /* of a call of `sum`: PANEL, or half of it, and then a panel's halves lie one
                       behind the other */
    size_t weight_size, panel_end; /* bytes of a stored weight, and of what stands behind a panel */
    size_t chunk_bytes;            /* of rows; 0: CHUNK_BYTES */
    bool run_pairs;  /* weights and blocks have an even number of runs; the last may be zeros */
    bool tile_pairs; /* a call of `sum` takes two tiles where there are two */
    /* A tile's cells, `runs` of them -> as `sum` reads them, so many bytes; NULL: as they are. */
    size_t (*rounded_bytes)(size_t runs);
    void (*round)(const float *cells, size_t runs, void *to);
    /* The panel's part, `runs` of it, -> as `sum` reads it; NULL: as it is. */
    void (*widen)(const void *panel, size_t runs, float *to);
} linear_steps;

typedef struct linear_job {
    const lp_packed_linear *layer;
    const float *x;
    size_t rows;
    const lp_linear_output *output;
    /* [TILE][PANEL], or as many as `sum` fills, aligned to 64 bytes.  Here, and not where it is
     * used, as gcc would keep it in the registers that the chains need. */
    float *sums;
    void *rounded;  /* a chunk, where the steps round; aligned so, like what follows */
    float *widened; /* [MAX_BLOCK][PANEL], where they widen */
} linear_job;

/* A block of inputs of a chunk of tiles. */
typedef struct linear_block {
    size_t first, end;      /* tiles */
    size_t run, runs;       /* of the inputs */
    size_t chunk, all_runs; /* tiles of a whole chunk; runs of the layer */
    const char *rows;       /* of the first tile */
    size_t tile_step;       /* bytes from tile to tile */
} linear_block;

/* Bytes of a tile's rows in a block, as `sum` reads them. */
LP_BODY size_t tile_bytes(const linear_steps *steps, size_t runs) {
    return steps->round != NULL ? steps->rounded_bytes(runs) : runs * LP_TILE_CELL * sizeof(float);
}

LP_BODY linear_block begin_block(const linear_job *j, const linear_steps *steps, linear_block b) {
    const float *x = j->x + (b.first * b.all_runs + b.run) * LP_TILE_CELL;
    b.rows = (const char *)x;
    b.tile_step = b.all_runs * LP_TILE_CELL * sizeof *x;
    if (steps->round == NULL) {
        return b;
    }
    b.rows = j->rounded;
    b.tile_step = tile_bytes(steps, b.runs);
    char *to = j->rounded;
    for (size_t t = b.first; t < b.end; t++, x += b.all_runs * LP_TILE_CELL, to += b.tile_step) {
        steps->round(x, b.runs, to);
    }
    return b;
}

/* Where the sums of a tile and outputs of a panel from `first` on, as many as steps have, go. */
LP_BODY lp_output_part part_of(const linear_job *j, const linear_steps *steps, size_t tile,
                               size_t p, size_t first) {
    lp_output_part to = lp_output_part_of(j->output, j->layer->out, j->rows, tile, p);
    lp_output_part_from(&to, first, steps->outputs);
    return to;
}

/* Whole pairs of runs. */
LP_BODY size_t even_runs(size_t runs) {
    return runs + runs % 2;
}

/* Runs of the weights of so many runs of inputs. */
LP_BODY size_t stored_runs(const linear_steps *steps, size_t runs) {
    return steps->run_pairs ? even_runs(runs) : runs;
}

/* A panel's part of the block for all its tiles: its outputs from `first` on, as many as steps
 * have. */
LP_BODY void multiply_outputs(const linear_job *j, const linear_steps *steps, const linear_block *b,
                              size_t p, size_t first) {
    const lp_packed_linear *layer = j->layer;
    size_t run_bytes = RUN * steps->outputs * steps->weight_size, count = b->end - b->first;
    size_t all_stored = stored_runs(steps, b->all_runs);
    size_t panel_bytes = all_stored * RUN * PANEL * steps->weight_size + steps->panel_end;
    const char *whole = (const char *)layer->panels + p * panel_bytes;
    const char *panel = whole + (first / steps->outputs * all_stored + b->run) * run_bytes;
    const float *scales = (const float *)(const void *)(whole + panel_bytes - steps->panel_end);
    const void *weights = panel;
    bool more = (p + 1) * PANEL < layer->out, last = b->run + b->runs == b->all_runs;
    size_t step = steps->tile_pairs ? 2 : 1, calls = (count + step - 1) / step;
    size_t lines = more && calls > 0 ? (run_bytes / LINE + calls - 1) / calls : step * TILE;
    float bias[PANEL] = {0};
    if (last) {
        lp_panel_bias(layer, p, bias);
    }
    if (steps->widen != NULL) {
        steps->widen(panel, stored_runs(steps, b->runs), j->widened);
        weights = j->widened;
    }
    for (size_t call = 0; call < calls; call++) {
        size_t t = call * step, here = count - t < step ? count - t : step;
        lp_output_part to = part_of(j, steps, b->first + t, p, first);
        const float *x = j->x + ((b->first + t) * b->all_runs + b->run) * LP_TILE_CELL;
        const void *next = x + (last ? b->chunk * b->all_runs - b->run : b->runs) * LP_TILE_CELL;
        if (more) {
            next = panel + panel_bytes + call * b->runs * lines * LINE;
        }
        tile_input tile = {b->rows + t * b->tile_step,
                           weights,
                           b->runs,
                           scales + first,
                           next,
                           lines,
                           to.y,
                           to.rows,
                           to.row_step,
                           steps->outputs < PANEL ? 0 : to.half_step,
                           (here - 1) * b->tile_step};
        steps->sum(&tile, j->sums);
        for (size_t i = 0; i < here; i++) {
            to = i == 0 ? to : part_of(j, steps, b->first + t + i, p, first);
            lp_finish_sums(j->sums + i * TILE * PANEL, &to, j->output->add || b->run > 0,
                           bias + first, last ? j->output->activation : LP_IDENTITY);
        }
    }
}

/* Runs of a whole block of a layer's inputs: blocks are about equal. */
static inline size_t block_runs_of(size_t runs) {
    size_t blocks = (runs * RUN + MAX_BLOCK - 1) / MAX_BLOCK;
    return (runs + blocks - 1) / blocks;
}

LP_BODY void multiply_with(const linear_job *j, const linear_steps *steps) {
    size_t runs = lp_tile_runs(j->layer->in), tiles = (j->rows + TILE - 1) / TILE;
    size_t block_runs = stored_runs(steps, block_runs_of(runs));
    size_t bytes = steps->chunk_bytes > 0 ? steps->chunk_bytes : CHUNK_BYTES;
    size_t chunk = bytes / tile_bytes(steps, block_runs);
    for (size_t first = 0; first < tiles; first += chunk) {
        size_t end = tiles - first < chunk ? tiles : first + chunk;
        for (size_t run = 0; run < runs; run += block_runs) {
            size_t here = runs - run < block_runs ? runs - run : block_runs;
            linear_block b =
                begin_block(j, steps, (linear_block){first, end, run, here, chunk, runs, NULL, 0});
            for (size_t p = 0; p < lp_panels(j->layer->out); p++) {
                size_t outputs = lp_panel_outputs(j->layer->out, p);
                for (size_t o = 0; o < outputs; o += steps->outputs) {
                    multiply_outputs(j, steps, &b, p, o);
                }
            }
        }
    }
}

#endif
