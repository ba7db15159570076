/* Linear layers over bfloat16: y = act(x W' + b) as in math/linear_loop.h, x and W rounded to
 * bfloat16 and the sums in float32.
 *
 * Weights lie in panels [panel][in / 2][32], pairs of two inputs of an output (math/bfloat16.h).
 * The instruction of AVX-512 BF16 (vdpbf16ps) takes such pairs of 16 outputs and one pair of a row.
 *
 * Where that instruction is missing or slower, rows and a panel are widened to float32 and the
 * kernels of float32 multiply them: the same bits.  AMD's processors (from Zen 4) multiply twice as
 * many bfloat16 values as float32 ones in the same time; Intel's have the instruction, at half the
 * rate of float32's or less, as theirs is meant to be AMX (results/by-hand.md#encoders). */
#include "math/linear_bfloat16.h"

#include "math/bfloat16.h"
#include "math/linear_loop.h"

enum { ROUND_ROOM = CHUNK_BYTES / sizeof(float), WIDE_ROOM = MAX_BLOCK * PANEL, ALIGNED = 16 };

static const uint32_t upper_half = 0xFFFF0000U; /* of a float: the bfloat16 */

float lp_bfloat16_round(float x) {
    uint32_t bits = lp_bfloat16_bits(x);
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* ---- weights --------------------------------------------------------------------------------- */

size_t lp_linear_bfloat16_packed(size_t out, size_t in) {
    return lp_linear_packed(out, in) / 2;
}

void lp_linear_bfloat16_pack(const float *weight, size_t out, size_t in, size_t out_stride,
                             size_t in_stride, float *packed) {
    uint32_t *to = (uint32_t *)(void *)packed;
    size_t depth = lp_tile_runs(in) * RUN;
    for (size_t first = 0; first < out; first += PANEL) {
        for (size_t k = 0; k < depth; k += RUN, to += RUN / 2 * PANEL) { /* a row's cache line */
            for (size_t o = 0; o < PANEL; o++) {
                const float *row = weight + (first + o) * out_stride;
                for (size_t l = 0; l < RUN / 2; l++) {
                    size_t i = k + 2 * l;
                    float one = first + o < out && i < in ? row[i * in_stride] : 0;
                    float other = first + o < out && i + 1 < in ? row[(i + 1) * in_stride] : 0;
                    to[l * PANEL + o] = lp_bfloat16_pair(one, other);
                }
            }
        }
    }
}

/* ---- widened to float32 ---------------------------------------------------------------------- */

LP_BODY size_t bytes_wide(size_t runs) {
    return runs * LP_TILE_CELL * sizeof(float);
}

LP_BODY void round_wide(const float *cells, size_t runs, void *to) {
    uint32_t *bits = to;
    for (size_t i = 0; i < runs * LP_TILE_CELL; i++) {
        bits[i] = lp_bfloat16_bits(cells[i]);
    }
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

LP_BODY void multiply_wide(const linear_job *j, tile_sums sum) {
    const linear_steps steps = {.sum = sum,
                                .outputs = PANEL,
                                .weight_size = sizeof(uint16_t),
                                .rounded_bytes = bytes_wide,
                                .round = round_wide,
                                .widen = widen_panel};
    multiply_with(j, &steps);
}

static void run_wide(const linear_job *j);

LP_VERSIONS(run_wide, multiply_wide, (const linear_job *j), (j), multiply_wide(j, LP_PLAIN(tile)),
            multiply_wide(j, tile_avx2), "avx512f", "avx512f,prfchw", multiply_wide(j, tile_avx512))

/* ---- by pairs -------------------------------------------------------------------------------- */

#if LP_X86

/* A row's pairs as the weights have them. */
LP_TARGET(LP_BFLOAT16) LP_BODY void round_pairs(const float *cells, size_t runs, void *to) {
    uint32_t *pairs = to;
    for (size_t i = 0; i < runs * LP_TILE_CELL / 2; i++) {
        pairs[i] = lp_bfloat16_pair(cells[2 * i], cells[2 * i + 1]);
    }
}

LP_TARGET(LP_BFLOAT16) LP_BODY size_t bytes_of_pairs(size_t runs) {
    return runs * LP_TILE_CELL * sizeof(uint16_t);
}

/* sums += the products of a chain. */
LP_TARGET(LP_BFLOAT16)
LP_BODY void tile_pairs(const tile_input *tile, float *sums) {
    const uint32_t *a = tile->rows, *w = tile->panel;
    __m512 low[TILE], high[TILE];
    for (size_t run = 0; run < tile->runs;) {
        size_t left = tile->runs - run;
        size_t end = run + (left < CHAIN_RUNS ? left : CHAIN_RUNS);
        bool first = run == 0;
        for (size_t i = 0; i < TILE; i++) {
            low[i] = high[i] = _mm512_setzero_ps();
        }
        for (; run < end; run++, a += LP_TILE_CELL / 2) {
            fetch(tile, run);
            for (size_t k = 0; k < RUN / 2; k++, w += PANEL) {
                __m512bh w_low = (__m512bh)_mm512_load_si512(w);
                __m512bh w_high = (__m512bh)_mm512_load_si512(w + 16);
                for (size_t i = 0; i < TILE; i++) {
                    __m512bh x = (__m512bh)_mm512_set1_epi32((int32_t)a[i * RUN / 2 + k]);
                    low[i] = _mm512_dpbf16_ps(low[i], x, w_low);
                    high[i] = _mm512_dpbf16_ps(high[i], x, w_high);
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

LP_TARGET(LP_BFLOAT16) static void multiply_pairs(const linear_job *j) {
    const linear_steps steps = {.sum = tile_pairs,
                                .outputs = PANEL,
                                .weight_size = sizeof(uint16_t),
                                .rounded_bytes = bytes_of_pairs,
                                .round = round_pairs};
    multiply_with(j, &steps);
}

#endif

bool lp_linear_bfloat16_is_fast(void) {
#if LP_X86
    return LP_SUPPORTS_512("avx512bf16") && __builtin_cpu_is("amd");
#else
    return false;
#endif
}

size_t lp_linear_bfloat16_scratch(size_t in) {
    (void)in;
    return ROUND_ROOM + WIDE_ROOM + ALIGNED;
}

void lp_linear_bfloat16_run(const lp_packed_linear *layer, const float *x, size_t rows,
                            const lp_linear_output *output, float *scratch) {
    _Alignas(64) float sums[TILE * PANEL];
    float *rounded = scratch + (64 - (uintptr_t)scratch % 64) / sizeof *scratch;
    const linear_job j = {layer, x, rows, output, sums, rounded, rounded + ROUND_ROOM};
#if LP_X86
    if (lp_linear_bfloat16_is_fast()) {
        multiply_pairs(&j);
        return;
    }
#endif
    run_wide(&j);
}
