/* Linear layers over bfloat16: y = act(x W' + b) as in math/linear_loop.h, x and W rounded to
 * bfloat16 and the sums in float32.  The order of a sum is that of AMX (math/amx.h), for which the
 * two runs of each 32 inputs lie side by side:
 *
 *   block of inputs               sum = 0; then y += sum.  At most 1024, and a multiple of 32; all
 *                                 blocks have about as many
 *     two runs of 16 inputs       sum += one + other, each a chain of 16 fused multiply-adds from 0
 *
 * Where a block has an odd number of runs, zeros are the last one.
 *
 * Three layouts of rows and of weights, in panels of 32 outputs:
 *
 *   AMX      rows [two runs][12][16][2]   weights [two runs][2][16][16][2]: inputs k and k + 16
 *   pairs    rows [run][12][8][2]         weights [run][8][32][2]: inputs 2 k + 1 and 2 k
 *   widened  rows [run][12][16], float32, and a panel [run][16][32], from that of pairs
 *
 * The instruction of AVX-512 BF16 (vdpbf16ps) takes pairs of 16 outputs and one pair of a row.
 * AMD's processors (from Zen 4) multiply twice as many bfloat16 values by it as float32 ones in the
 * same time.  Intel's have it at half the rate of float32's or less, as theirs is meant to be AMX
 * (results/by-hand.md#encoders).  On all others the kernels of float32 make the chains. */
#include "math/linear_bfloat16.h"

#include "math/amx.h"
#include "math/bfloat16.h"
#include "math/linear_loop.h"

enum {
    AMX_CHUNK = 1024 * 1024, /* bytes: their second-level cache has twice as many */
    ROUND_ROOM = AMX_CHUNK / sizeof(float),
    WIDE_ROOM = MAX_BLOCK * PANEL,
    ALIGNED = 16,
    TILE_SUMS = TILE * PANEL,
    SUMS = 3 * TILE_SUMS /* floats of a job's `sums` */
};

static const uint32_t upper_half = 0xFFFF0000U; /* of a float: the bfloat16 */

float lp_bfloat16_round(float x) {
    uint32_t bits = lp_bfloat16_bits(x);
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* ---- weights --------------------------------------------------------------------------------- */

size_t lp_linear_bfloat16_packed(size_t out, size_t in) {
    return lp_panels(out) * even_runs(lp_tile_runs(in)) * RUN * PANEL / 2;
}

/* A layer's weights as they come: element (o, i) is w[o * out_stride + i * in_stride]. */
typedef struct plain_weights {
    const float *w;
    size_t out, in, out_stride, in_stride;
} plain_weights;

/* The weights of 32 inputs from `in` on and a panel's outputs from `out` on; 0 behind the last. */
LP_BODY void copy_block(const plain_weights *from, size_t out, size_t in,
                        float block[2 * RUN][PANEL]) {
    const float *w = from->w + out * from->out_stride + in * from->in_stride;
    size_t outs = from->out - out < PANEL ? from->out - out : PANEL;
    size_t ins = from->in - in < 2 * RUN ? from->in - in : 2 * RUN;
    if (outs < PANEL || ins < 2 * RUN) {
        memset(block, 0, 2 * RUN * PANEL * sizeof(float));
    }
    for (size_t i = 0; from->out_stride == 1 && i < ins; i++) {
        memcpy(block[i], w + i * from->in_stride, outs * sizeof *w);
    }
    for (size_t o = 0; from->out_stride != 1 && o < outs; o++) {
        for (size_t i = 0; i < ins; i++) {
            block[i][o] = w[o * from->out_stride + i * from->in_stride];
        }
    }
}

LP_BODY void pack_block_pairs(const plain_weights *from, uint32_t *to) {
    float block[2 * RUN][PANEL];
    for (size_t out = 0; out < from->out; out += PANEL) {
        for (size_t in = 0; in < from->in; in += 2 * RUN) {
            copy_block(from, out, in, block);
            for (size_t k = 0; k < 2 * RUN; k += 2, to += PANEL) {
                for (size_t o = 0; o < PANEL; o++) {
                    to[o] = lp_bfloat16_pair(block[k][o], block[k + 1][o]);
                }
            }
        }
    }
}

static void pack_pairs(const plain_weights *from, uint32_t *to);

LP_KERNEL(pack_pairs, pack_block_pairs, (const plain_weights *from, uint32_t *to), (from, to))

/* ---- widened to float32 ---------------------------------------------------------------------- */

LP_BODY size_t bytes_wide(size_t runs) {
    return even_runs(runs) * LP_TILE_CELL * sizeof(float);
}

LP_BODY void round_wide(const float *cells, size_t runs, void *to) {
    uint32_t *bits = to;
    for (size_t i = 0; i < runs * LP_TILE_CELL; i++) {
        bits[i] = lp_bfloat16_bits(cells[i]);
    }
    memset(bits + runs * LP_TILE_CELL, 0, runs % 2 * LP_TILE_CELL * sizeof *bits);
}

LP_BODY void widen_panel(const void *panel, size_t runs, float *to) {
    const uint32_t *pairs = panel;
    uint32_t *bits = (uint32_t *)(void *)to;
    for (size_t k = 0; k < runs * RUN; k += 2, pairs += PANEL, bits += 2 * PANEL) {
        for (size_t o = 0; o < PANEL; o++) {
            bits[o] = pairs[o] & upper_half;
            bits[PANEL + o] = pairs[o] << 16;
        }
    }
}

/* The chain of one run -> chain. */
LP_BODY void sum_run(const tile_input *tile, size_t run, tile_sums sum, float *chain) {
    tile_input one = *tile;
    one.rows = (const float *)tile->rows + run * LP_TILE_CELL;
    one.panel = (const float *)tile->panel + run * RUN * PANEL;
    one.runs = 1;
    one.next = tile->next + run * tile->lines * LINE;
    one.lines = run < tile->runs ? tile->lines : 0;
    one.y = tile->y + (run < tile->y_rows ? run * tile->row_step : 0);
    one.y_rows = run < tile->y_rows;
    sum(&one, chain);
}

/* sums: the tile's; behind it, those of two chains. */
LP_BODY void sum_wide(const tile_input *tile, tile_sums sum, float *sums) {
    float *one = sums + TILE_SUMS, *other = one + TILE_SUMS;
    memset(sums, 0, TILE_SUMS * sizeof *sums);
    for (size_t run = 0; run < tile->runs; run += 2) {
        sum_run(tile, run, sum, one);
        sum_run(tile, run + 1, sum, other);
        for (size_t i = 0; i < TILE_SUMS; i++) {
            sums[i] += one[i] + other[i];
        }
    }
}

LP_BODY void wide_plain(const tile_input *tile, float *sums) {
    sum_wide(tile, LP_PLAIN(tile), sums);
}

#if LP_X86

LP_TARGET("avx2,fma") LP_BODY void wide_avx2(const tile_input *tile, float *sums) {
    sum_wide(tile, tile_avx2, sums);
}

LP_TARGET("avx512f") LP_BODY void wide_avx512(const tile_input *tile, float *sums) {
    sum_wide(tile, tile_avx512, sums);
}

#endif

LP_BODY void multiply_wide(const linear_job *j, tile_sums sum) {
    const linear_steps steps = {.sum = sum,
                                .outputs = PANEL,
                                .weight_size = sizeof(uint16_t),
                                .run_pairs = true,
                                .rounded_bytes = bytes_wide,
                                .round = round_wide,
                                .widen = widen_panel};
    multiply_with(j, &steps);
}

static void run_wide(const linear_job *j);

LP_VERSIONS(run_wide, multiply_wide, (const linear_job *j), (j), multiply_wide(j, wide_plain),
            multiply_wide(j, wide_avx2), "avx512f", "avx512f,prfchw", multiply_wide(j, wide_avx512))

#if LP_X86

/* ---- by pairs -------------------------------------------------------------------------------- */

/* A row's pairs as the weights have them. */
LP_TARGET(LP_BFLOAT16) LP_BODY void round_pairs(const float *cells, size_t runs, void *to) {
    uint32_t *pairs = to;
    for (size_t i = 0; i < runs * LP_TILE_CELL / 2; i++) {
        pairs[i] = lp_bfloat16_pair(cells[2 * i], cells[2 * i + 1]);
    }
    memset(pairs + runs * LP_TILE_CELL / 2, 0, runs % 2 * LP_TILE_CELL / 2 * sizeof *pairs);
}

LP_BODY size_t bytes_rounded(size_t runs) {
    return even_runs(runs) * LP_TILE_CELL * sizeof(uint16_t);
}

/* The chains of six rows over one run: 12 sums of 16. */
LP_TARGET(LP_BFLOAT16)
LP_BODY void chain_pairs(const uint32_t *a, const uint32_t *w, __m512 *low, __m512 *high) {
    for (size_t i = 0; i < HALF; i++) {
        low[i] = high[i] = _mm512_setzero_ps();
    }
    for (size_t k = 0; k < RUN / 2; k++, w += PANEL) {
        __m512bh w_low = (__m512bh)_mm512_load_si512(w);
        __m512bh w_high = (__m512bh)_mm512_load_si512(w + 16);
        for (size_t i = 0; i < HALF; i++) {
            __m512bh x = (__m512bh)_mm512_set1_epi32((int32_t)a[i * RUN / 2 + k]);
            low[i] = _mm512_dpbf16_ps(low[i], x, w_low);
            high[i] = _mm512_dpbf16_ps(high[i], x, w_high);
        }
    }
}

/* Six rows' sums += the chains of two runs. */
LP_TARGET(LP_BFLOAT16)
LP_BODY void half_pairs(const uint32_t *a, const uint32_t *w, float *sums) {
    __m512 low[HALF], high[HALF], other_low[HALF], other_high[HALF];
    chain_pairs(a, w, low, high);
    chain_pairs(a + LP_TILE_CELL / 2, w + RUN / 2 * PANEL, other_low, other_high);
    for (size_t i = 0; i < HALF; i++, sums += PANEL) {
        __m512 both_low = _mm512_add_ps(low[i], other_low[i]);
        __m512 both_high = _mm512_add_ps(high[i], other_high[i]);
        _mm512_store_ps(sums, _mm512_add_ps(_mm512_load_ps(sums), both_low));
        _mm512_store_ps(sums + 16, _mm512_add_ps(_mm512_load_ps(sums + 16), both_high));
    }
}

LP_TARGET(LP_BFLOAT16) LP_BODY void tile_pairs(const tile_input *tile, float *sums) {
    const uint32_t *a = tile->rows, *w = tile->panel;
    memset(sums, 0, TILE_SUMS * sizeof *sums);
    for (size_t run = 0; run < tile->runs; run += 2, a += LP_TILE_CELL, w += RUN * PANEL) {
        fetch(tile, run);
        half_pairs(a, w, sums);
        if (run + 1 < tile->runs) {
            fetch(tile, run + 1);
        }
        half_pairs(a + HALF * RUN / 2, w, sums + HALF * PANEL);
    }
}

LP_TARGET(LP_BFLOAT16) static void multiply_pairs(const linear_job *j) {
    const linear_steps steps = {.sum = tile_pairs,
                                .outputs = PANEL,
                                .weight_size = sizeof(uint16_t),
                                .run_pairs = true,
                                .rounded_bytes = bytes_rounded,
                                .round = round_pairs};
    multiply_with(j, &steps);
}

/* ---- AMX ------------------------------------------------------------------------------------- */

enum {
    DEPTH = LP_AMX_BFLOAT16_DEPTH,
    OUTPUTS = LP_AMX_OUTPUTS,
    STEP_ROWS = TILE * DEPTH / 2,      /* pairs of a tile */
    STEP_WEIGHTS = OUTPUTS * DEPTH / 2 /* and of half a panel */
};

/* Numbers of two runs at the same place. */
LP_BODY uint32_t apart(float one, float other) {
    return lp_bfloat16_bits(one) >> 16 | lp_bfloat16_bits(other);
}

LP_TARGET(LP_AMX) static void pack_apart(const plain_weights *from, uint32_t *to) {
    float block[2 * RUN][PANEL];
    for (size_t out = 0; out < from->out; out += PANEL) {
        for (size_t in = 0; in < from->in; in += DEPTH) {
            copy_block(from, out, in, block);
            for (size_t half = 0; half < PANEL; half += OUTPUTS) {
                for (size_t k = 0; k < RUN; k++, to += OUTPUTS) {
                    for (size_t o = 0; o < OUTPUTS; o++) {
                        to[o] = apart(block[k][half + o], block[k + RUN][half + o]);
                    }
                }
            }
        }
    }
}

/* 16 numbers as lp_bfloat16_bits rounds them, in the lower halves of 32 bits. */
LP_TARGET(LP_AMX) LP_BODY __m512i round_run(const float *from) {
    __m512 x = _mm512_loadu_ps(from);
    __mmask16 kept = _mm512_cmp_ps_mask(_mm512_abs_ps(x), _mm512_set1_ps(0x1p-55F), _CMP_NLT_UQ);
    return _mm512_cvtepu16_epi32((__m256i)_mm512_maskz_cvtneps_pbh(kept, x));
}

LP_TARGET(LP_AMX) LP_BODY void round_apart(const float *cells, size_t runs, void *to) {
    char *pairs = to;
    for (size_t run = 0; run < runs; run += 2, cells += 2 * LP_TILE_CELL) {
        for (size_t i = 0; i < LP_TILE_CELL; i += RUN, pairs += RUN * sizeof(uint32_t)) {
            __m512i both = round_run(cells + i);
            if (run + 1 < runs) {
                __m512i other = round_run(cells + LP_TILE_CELL + i);
                both = _mm512_or_si512(both, _mm512_slli_epi32(other, 16));
            }
            _mm512_store_si512(pairs, both);
        }
    }
}

/* Two tiles, or one of them twice. */
LP_TARGET(LP_AMX) LP_BODY void tiles_amx(const tile_input *tile, float *sums) {
    const uint32_t *w = tile->panel;
    const char *x = tile->rows;
    LP_AMX_CLEAR(0);
    LP_AMX_CLEAR(1);
    LP_AMX_CLEAR(2);
    LP_AMX_CLEAR(3);
    for (size_t run = 0; run < tile->runs; run++) {
        fetch(tile, run);
        if (run % 2 != 0) {
            continue;
        }
        LP_AMX_LOAD(6, w, OUTPUTS * sizeof *w);
        LP_AMX_LOAD_ONCE(4, x, DEPTH * sizeof(uint16_t));
        LP_AMX_ADD_BFLOAT16(0, 4, 6);
        LP_AMX_LOAD(7, w + STEP_WEIGHTS, OUTPUTS * sizeof *w);
        LP_AMX_ADD_BFLOAT16(1, 4, 7);
        LP_AMX_LOAD_ONCE(5, x + tile->other, DEPTH * sizeof(uint16_t));
        LP_AMX_ADD_BFLOAT16(2, 5, 6);
        LP_AMX_ADD_BFLOAT16(3, 5, 7);
        x += STEP_ROWS * sizeof(uint32_t);
        w += 2 * STEP_WEIGHTS;
    }
    LP_AMX_STORE(0, sums, PANEL * sizeof *sums);
    LP_AMX_STORE(1, sums + OUTPUTS, PANEL * sizeof *sums);
    LP_AMX_STORE(2, sums + TILE_SUMS, PANEL * sizeof *sums);
    LP_AMX_STORE(3, sums + TILE_SUMS + OUTPUTS, PANEL * sizeof *sums);
}

LP_TARGET(LP_AMX) static void multiply_amx(const linear_job *j) {
    const linear_steps steps = {.sum = tiles_amx,
                                .outputs = PANEL,
                                .weight_size = sizeof(uint16_t),
                                .run_pairs = true,
                                .tile_pairs = true,
                                .chunk_bytes = AMX_CHUNK,
                                .rounded_bytes = bytes_rounded,
                                .round = round_apart};
    lp_amx_begin();
    multiply_with(j, &steps);
    lp_amx_end();
}

/* The same for packing and running: the layouts of weights differ. */
static bool by_amx(void) {
    return !lp_without_avx512 && lp_has_amx();
}

static bool by_pairs(void) {
    return LP_SUPPORTS_512("avx512bf16") && __builtin_cpu_is("amd");
}

#endif

/* ---- calls ----------------------------------------------------------------------------------- */

bool lp_linear_bfloat16_is_fast(void) {
#if LP_X86
    return by_amx() || by_pairs();
#else
    return false;
#endif
}

void lp_linear_bfloat16_pack(const float *weight, size_t out, size_t in, size_t out_stride,
                             size_t in_stride, float *packed) {
    const plain_weights from = {weight, out, in, out_stride, in_stride};
#if LP_X86
    if (by_amx()) {
        pack_apart(&from, (uint32_t *)(void *)packed);
        return;
    }
#endif
    pack_pairs(&from, (uint32_t *)(void *)packed);
}

size_t lp_linear_bfloat16_scratch(size_t in) {
    (void)in;
    return ROUND_ROOM + WIDE_ROOM + ALIGNED;
}

void lp_linear_bfloat16_run(const lp_packed_linear *layer, const float *x, size_t rows,
                            const lp_linear_output *output, float *scratch) {
    _Alignas(64) float sums[SUMS];
    float *rounded = scratch + (64 - (uintptr_t)scratch % 64) / sizeof *scratch;
    const linear_job j = {layer, x, rows, output, sums, rounded, rounded + ROUND_ROOM};
#if LP_X86
    if (by_amx()) {
        multiply_amx(&j);
        return;
    }
    if (by_pairs()) {
        multiply_pairs(&j);
        return;
    }
#endif
    run_wide(&j);
}
