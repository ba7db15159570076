/* Linear layers over 16-bit integers: y = act(x W' + b) as in math/linear_loop.h, for each block B
 * of at most 1024 inputs
 *
 *   w_ok ~ c_o v_ok    v a whole number, c_o the least for which the norm of each block of v is at
 *                      most 46300, and v at most 32767: once, by the packing
 *   x_ik ~ r_iB u_ik   u likewise, for each row and block
 *   y_io = act(sum_B r_iB c_o (sum_k u_ik v_ok) + b_o)
 *
 * Rounding adds at most 1/2 to a number, and so 16 to a norm: |u| |v| < 46341^2 = 2^31, and by
 * Cauchy's inequality no sum over k, nor any part of it, leaves the range of 32 bits.  So these
 * sums are exact, and every version gives the same bits.  A number of a block's usual size has 10
 * or 11 significant bits and a sign, where bfloat16 has 8.
 *
 * Weights lie in panels [panel][in / 2][32][2], two inputs of an output side by side, and behind
 * each panel its 32 c.  Rows are rounded a chunk at a time, in tiles [run][12][16] with the 12 r
 * behind each.  So a pair of a row's inputs meets those of 16 outputs in one instruction (vpdpwssd
 * of AVX-512 VNNI: twice the products of float32's; AVX2 has vpmaddwd).  AMX multiplies bytes: for
 * it, high and low bytes lie apart, in rows and in weights. */
#include "math/linear_int16.h"

#include <float.h>

#include "math/amx.h"
#include "math/linear_loop.h"

enum {
    ROW_NORM = 32700,
    WEIGHTS_NORM = 65500,
    MOST = 32767,
    SCALES_BYTES = 64, /* of a tile's rows: a cache line */
    ROUND_ROOM = CHUNK_BYTES / sizeof(float),
    ALIGNED = 16 /* floats */
};

/* 1.5 * 2^23: added to a number, leaves the nearest integer in its low bits. */
static const float ROUND = 12582912.0F;

/* 1 / scale; 0 where that is too large a number. */
LP_BODY float inverse_of(float scale) {
    return scale >= FLT_MIN ? 1 / scale : 0;
}

/* ---- weights --------------------------------------------------------------------------------- */

static size_t panel_floats(size_t in) {
    return lp_tile_runs(in) * RUN * PANEL / 2 + PANEL;
}

size_t lp_linear_int16_packed(size_t out, size_t in) {
    return lp_panels(out) * panel_floats(in);
}

static float weights_scale(const float *w, size_t in, size_t in_stride) {
    size_t block = block_runs_of(lp_tile_runs(in)) * RUN;
    float scale = 0;
    for (size_t first = 0; first < in; first += block) {
        double squares = 0;
        float top = 0;
        for (size_t k = first; k < in && k < first + block; k++) {
            float x = w[k * in_stride], size = fabsf(x);
            squares += (double)x * (double)x;
            top = size > top ? size : top;
        }
        float by_norm = (float)(sqrt(squares) * (1.0 / WEIGHTS_NORM)), by_top = top * (1.0F / MOST);
        scale = by_norm > scale ? by_norm : scale;
        scale = by_top > scale ? by_top : scale;
    }
    return scale;
}

/* Where input k of output o of a panel goes. */
typedef void (*place_weight)(void *panel, size_t in, size_t o, size_t k, int16_t value);

static void place_pair(void *panel, size_t in, size_t o, size_t k, int16_t value) {
    int16_t *to = panel;
    (void)in;
    to[(k / 2 * PANEL + o) * 2 + k % 2] = value;
}

LP_BODY void pack_weights(place_weight place, const float *weight, size_t out, size_t in,
                          size_t out_stride, size_t in_stride, float *packed) {
    size_t floats = panel_floats(in);
    memset(packed, 0, lp_linear_int16_packed(out, in) * sizeof *packed);
    for (size_t o = 0; o < out; o++) {
        const float *w = weight + o * out_stride;
        float *panel = packed + o / PANEL * floats;
        float scale = weights_scale(w, in, in_stride), inverse = inverse_of(scale);
        for (size_t k = 0; k < in; k++) {
            place(panel, in, o % PANEL, k, (int16_t)lrintf(w[k * in_stride] * inverse));
        }
        panel[floats - PANEL + o % PANEL] = scale;
    }
}

static void pack_pairs(const float *weight, size_t out, size_t in, size_t out_stride,
                       size_t in_stride, float *packed) {
    pack_weights(place_pair, weight, out, in, out_stride, in_stride, packed);
}

/* ---- rows ------------------------------------------------------------------------------------ */

LP_BODY size_t rounded_bytes(size_t runs) {
    return runs * LP_TILE_CELL * sizeof(int16_t) + SCALES_BYTES;
}

/* The sums of a tile's squares over the runs [TILE][RUN], then each row's in the first of its
 * places. */
LP_BODY void add_squares(const float *cells, size_t runs, float *squares) {
    for (size_t i = 0; i < LP_TILE_CELL; i++) {
        squares[i] = cells[i] * cells[i];
    }
    for (size_t run = 1; run < runs; run++) {
        for (size_t i = 0; i < LP_TILE_CELL; i++) {
            squares[i] += cells[run * LP_TILE_CELL + i] * cells[run * LP_TILE_CELL + i];
        }
    }
    for (size_t half = RUN / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < LP_TILE_CELL; i += RUN) {
            for (size_t l = i; l < i + half; l++) {
                squares[l] += squares[l + half];
            }
        }
    }
}

/* The scale of the row whose values begin at x, a cell apart, from its sum of squares; NaN where a
 * number is not finite. */
LP_BODY float row_scale(const float *x, size_t runs, float total) {
    if ((total > 1e-30F && total < 1e30F) || total == 0) { /* 0: none is above 2^-75 */
        return sqrtf(total) * (1.0F / ROW_NORM);
    }
    double squares = 0; /* its parts may have left the range of float32 */
    for (size_t k = 0; k < runs * RUN; k++) {
        double value = (double)x[k / RUN * LP_TILE_CELL + k % RUN];
        squares += value * value;
    }
    return squares < INFINITY ? (float)(sqrt(squares) * (1.0 / ROW_NORM)) : NAN;
}

/* The scales of a tile's rows, and of each place of a cell its inverse, so that the numbers of a
 * cell are one loop. */
LP_BODY void find_scales(const float *cells, size_t runs, float *scales, float *inverses) {
    float squares[LP_TILE_CELL];
    add_squares(cells, runs, squares);
    for (size_t i = 0; i < TILE; i++) {
        scales[i] = row_scale(cells + i * RUN, runs, squares[i * RUN]);
        float inverse = inverse_of(scales[i]);
        for (size_t l = 0; l < RUN; l++) {
            inverses[i * RUN + l] = inverse;
        }
    }
}

/* A tile's cells, [runs][TILE][RUN] -> integers, then each row's scale. */
LP_BODY void round_tile(const float *cells, size_t runs, void *to) {
    uint16_t *integers = to;
    float inverses[LP_TILE_CELL];
    find_scales(cells, runs, (float *)(void *)(integers + runs * LP_TILE_CELL), inverses);
    for (size_t run = 0; run < runs; run++, cells += LP_TILE_CELL, integers += LP_TILE_CELL) {
        for (size_t i = 0; i < LP_TILE_CELL; i++) {
            float sum = cells[i] * inverses[i] + ROUND;
            uint32_t bits;
            memcpy(&bits, &sum, sizeof bits);
            integers[i] = (uint16_t)bits;
        }
    }
    for (size_t i = 0; i < TILE; i++) { /* nearly 0, or not finite: anything but a number's bits */
        for (size_t run = 1; inverses[i * RUN] == 0 && run <= runs; run++) {
            memset(integers - run * LP_TILE_CELL + i * RUN, 0, RUN * sizeof *integers);
        }
    }
}

/* ---- products -------------------------------------------------------------------------------- */

/* The scales of a tile's rows. */
LP_BODY const float *row_scales(const tile_input *tile) {
    const int16_t *rows = tile->rows;
    return (const float *)(const void *)(rows + tile->runs * LP_TILE_CELL);
}

LP_BODY void integers_plain(const tile_input *tile, float *sums) {
    const int16_t *u = tile->rows, *w = tile->panel;
    const float *scales = row_scales(tile);
    int32_t s[TILE * PANEL] = {0};
    for (size_t run = 0; run < tile->runs; run++, u += LP_TILE_CELL) {
        for (size_t k = 0; k < RUN; k += 2, w += 2 * PANEL) {
            for (size_t i = 0; i < TILE; i++) {
                int32_t one = u[i * RUN + k], other = u[i * RUN + k + 1];
                for (size_t o = 0; o < PANEL; o++) {
                    s[i * PANEL + o] += one * w[2 * o];
                    s[i * PANEL + o] += other * w[2 * o + 1];
                }
            }
        }
    }
    for (size_t i = 0; i < TILE * PANEL; i++) {
        sums[i] = (float)s[i] * scales[i / PANEL] * tile->scales[i % PANEL];
    }
}

#if LP_X86

/* Six rows and 16 outputs: 12 sums of 8. */
LP_TARGET("avx2,fma")
LP_BODY void integers_quarter_avx2(const tile_input *tile, size_t row, size_t column, float *sums) {
    const int16_t *u = (const int16_t *)tile->rows + row * RUN;
    const int16_t *w = (const int16_t *)tile->panel + 2 * column;
    const float *scales = row_scales(tile) + row;
    __m256 c_low = _mm256_load_ps(tile->scales + column);
    __m256 c_high = _mm256_load_ps(tile->scales + column + 8);
    __m256i low[HALF], high[HALF];
    for (size_t i = 0; i < HALF; i++) {
        low[i] = high[i] = _mm256_setzero_si256();
    }
    for (size_t run = 0; run < tile->runs; run++, u += LP_TILE_CELL) {
        if (row == 0 && column == 0) {
            fetch(tile, run);
        }
        for (size_t k = 0; k < RUN; k += 2, w += 2 * PANEL) {
            __m256i w_low = _mm256_load_si256((const void *)w);
            __m256i w_high = _mm256_load_si256((const void *)(w + 16));
            for (size_t i = 0; i < HALF; i++) {
                int32_t pair;
                memcpy(&pair, u + i * RUN + k, sizeof pair);
                __m256i x = _mm256_set1_epi32(pair);
                low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(x, w_low));
                high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(x, w_high));
                LP_IN_REGISTER(low[i]);
                LP_IN_REGISTER(high[i]);
            }
        }
    }
    for (size_t i = 0; i < HALF; i++) {
        __m256 r = _mm256_broadcast_ss(scales + i);
        __m256 y_low = _mm256_mul_ps(_mm256_cvtepi32_ps(low[i]), r);
        __m256 y_high = _mm256_mul_ps(_mm256_cvtepi32_ps(high[i]), r);
        _mm256_store_ps(sums + i * PANEL, _mm256_mul_ps(y_low, c_low));
        _mm256_store_ps(sums + i * PANEL + 8, _mm256_mul_ps(y_high, c_high));
    }
}

LP_TARGET("avx2,fma") LP_BODY void integers_avx2(const tile_input *tile, float *sums) {
    for (size_t quarter = 0; quarter < 4; quarter++) {
        size_t row = quarter / 2 * HALF, column = quarter % 2 * (PANEL / 2);
        integers_quarter_avx2(tile, row, column, sums + row * PANEL + column);
    }
}

#define VNNI "avx512f,avx512bw,avx512vnni,prfchw"

/* All 12 rows: 24 sums of 16. */
LP_TARGET(VNNI) LP_BODY void integers_vnni(const tile_input *tile, float *sums) {
    const int16_t *u = tile->rows, *w = tile->panel;
    const float *scales = row_scales(tile);
    __m512i low[TILE], high[TILE];
    for (size_t i = 0; i < TILE; i++) {
        low[i] = high[i] = _mm512_setzero_si512();
    }
    for (size_t run = 0; run < tile->runs; run++, u += LP_TILE_CELL) {
        fetch(tile, run);
        for (size_t k = 0; k < RUN; k += 2, w += 2 * PANEL) {
            __m512i w_low = _mm512_load_si512(w), w_high = _mm512_load_si512(w + 32);
            for (size_t i = 0; i < TILE; i++) {
                int32_t pair;
                memcpy(&pair, u + i * RUN + k, sizeof pair);
                __m512i x = _mm512_set1_epi32(pair);
                low[i] = _mm512_dpwssd_epi32(low[i], x, w_low);
                high[i] = _mm512_dpwssd_epi32(high[i], x, w_high);
            }
        }
    }
    __m512 c_low = _mm512_load_ps(tile->scales), c_high = _mm512_load_ps(tile->scales + 16);
    for (size_t i = 0; i < TILE; i++) {
        LP_IN_REGISTER(low[i]);
        LP_IN_REGISTER(high[i]);
        __m512 r = _mm512_set1_ps(scales[i]);
        __m512 y_low = _mm512_mul_ps(_mm512_cvtepi32_ps(low[i]), r);
        __m512 y_high = _mm512_mul_ps(_mm512_cvtepi32_ps(high[i]), r);
        _mm512_store_ps(sums + i * PANEL, _mm512_mul_ps(y_low, c_low));
        _mm512_store_ps(sums + i * PANEL + 16, _mm512_mul_ps(y_high, c_high));
    }
}

#endif

#if LP_NEON

enum { COLUMNS = 8 };

/* Two inputs of each row, of numbers `lane` and lane + 1 in x. */
#define INTEGERS_STEP(lane)                                                                        \
    {                                                                                              \
        int16x8x2_t pairs = vld2q_s16(w + (lane)*PANEL);                                           \
        for (size_t i = 0; i < NEON_ROWS; i++) {                                                   \
            low[i] = vmlal_laneq_s16(low[i], vget_low_s16(pairs.val[0]), x[i], lane);              \
            high[i] = vmlal_high_laneq_s16(high[i], pairs.val[0], x[i], lane);                     \
            low[i] = vmlal_laneq_s16(low[i], vget_low_s16(pairs.val[1]), x[i], (lane) + 1);        \
            high[i] = vmlal_high_laneq_s16(high[i], pairs.val[1], x[i], (lane) + 1);               \
        }                                                                                          \
    }

/* Six rows and 8 outputs: 12 sums of 4. */
LP_BODY void integers_part_neon(const tile_input *tile, size_t row, size_t column, float *sums) {
    const int16_t *u = (const int16_t *)tile->rows + row * RUN;
    const int16_t *w = (const int16_t *)tile->panel + 2 * column;
    const float *scales = row_scales(tile) + row;
    int32x4_t low[NEON_ROWS], high[NEON_ROWS];
    for (size_t i = 0; i < NEON_ROWS; i++) {
        low[i] = high[i] = vdupq_n_s32(0);
    }
    for (size_t run = 0; run < tile->runs; run++, u += LP_TILE_CELL) {
        for (size_t k = 0; k < RUN; k += 8, w += 8 * PANEL) {
            int16x8_t x[NEON_ROWS];
            for (size_t i = 0; i < NEON_ROWS; i++) {
                x[i] = vld1q_s16(u + i * RUN + k);
            }
            INTEGERS_STEP(0)
            INTEGERS_STEP(2)
            INTEGERS_STEP(4)
            INTEGERS_STEP(6)
        }
    }
    float32x4_t c_low = vld1q_f32(tile->scales + column);
    float32x4_t c_high = vld1q_f32(tile->scales + column + NEON);
    for (size_t i = 0; i < NEON_ROWS; i++) {
        float32x4_t y_low = vmulq_n_f32(vcvtq_f32_s32(low[i]), scales[i]);
        float32x4_t y_high = vmulq_n_f32(vcvtq_f32_s32(high[i]), scales[i]);
        vst1q_f32(sums + i * PANEL, vmulq_f32(y_low, c_low));
        vst1q_f32(sums + i * PANEL + NEON, vmulq_f32(y_high, c_high));
    }
}

LP_BODY void integers_neon(const tile_input *tile, float *sums) {
    for (size_t row = 0; row < TILE; row += NEON_ROWS) {
        for (size_t column = 0; column < PANEL; column += COLUMNS) {
            integers_part_neon(tile, row, column, sums + row * PANEL + column);
        }
    }
}

#endif

LP_BODY void multiply_integers(const linear_job *j, tile_sums sum) {
    const linear_steps steps = {.sum = sum,
                                .outputs = PANEL,
                                .weight_size = sizeof(int16_t),
                                .panel_end = PANEL * sizeof(float),
                                .rounded_bytes = rounded_bytes,
                                .round = round_tile};
    multiply_with(j, &steps);
}

static void run_int16(const linear_job *j);

LP_VERSIONS(run_int16, multiply_integers, (const linear_job *j), (j),
            multiply_integers(j, LP_PLAIN(integers)), multiply_integers(j, integers_avx2),
            "avx512vnni", VNNI, multiply_integers(j, integers_vnni))

/* ---- AMX ------------------------------------------------------------------------------------- */

#if LP_X86

/* Steps of 64 inputs: their high bytes, then the low ones.  A row's of a tile [TILE][64] each;
 * weights' [16][2][16][4], four inputs of 16 outputs in 64 bytes. */
enum {
    DEPTH = LP_AMX_DEPTH,
    STEP_RUNS = DEPTH / RUN,
    ROWS_PLANE = TILE * DEPTH,
    OUTPUTS = LP_AMX_OUTPUTS,
    QUAD = 4,
    QUAD_BYTES = OUTPUTS * QUAD, /* of a plane */
    QUADS = DEPTH / QUAD,
    STEP_WEIGHTS = QUADS * 2 * QUAD_BYTES,
    RUN_WEIGHTS = STEP_WEIGHTS / STEP_RUNS,
    SUMS = TILE * OUTPUTS
};

static size_t steps_of(size_t runs) {
    return (runs + STEP_RUNS - 1) / STEP_RUNS;
}

static void place_bytes(void *panel, size_t in, size_t o, size_t k, int16_t value) {
    uint8_t *half = (uint8_t *)panel + o / OUTPUTS * lp_tile_runs(in) * RUN_WEIGHTS;
    uint8_t *to = half + k / QUAD * 2 * QUAD_BYTES + o % OUTPUTS * QUAD + k % QUAD;
    to[0] = (uint8_t)((uint16_t)value >> 8);
    to[QUAD_BYTES] = (uint8_t)((uint16_t)value & 0xFF);
}

static void pack_bytes(const float *weight, size_t out, size_t in, size_t out_stride,
                       size_t in_stride, float *packed) {
    pack_weights(place_bytes, weight, out, in, out_stride, in_stride, packed);
}

LP_TARGET(LP_AMX) LP_BODY size_t bytes_of_planes(size_t runs) {
    return steps_of(runs) * 2 * ROWS_PLANE + SCALES_BYTES;
}

/* A tile's cells -> its steps, with zeros behind the last input, then each row's scale. */
LP_TARGET(LP_AMX) LP_BODY void round_planes(const float *cells, size_t runs, void *to) {
    uint8_t *planes = to;
    size_t steps = steps_of(runs);
    float inverses[LP_TILE_CELL];
    find_scales(cells, runs, (float *)(void *)(planes + steps * 2 * ROWS_PLANE), inverses);
    if (runs % STEP_RUNS != 0) {
        memset(planes + (steps - 1) * 2 * ROWS_PLANE, 0, 2 * ROWS_PLANE);
    }
    for (size_t run = 0; run < runs; run++, cells += LP_TILE_CELL) {
        uint8_t *high = planes + run / STEP_RUNS * 2 * ROWS_PLANE + run % STEP_RUNS * RUN;
        for (size_t i = 0; i < TILE; i++, high += DEPTH) {
            __m512 sums = _mm512_mul_ps(_mm512_loadu_ps(cells + i * RUN),
                                        _mm512_loadu_ps(inverses + i * RUN));
            __m512i bits = _mm512_castps_si512(_mm512_add_ps(sums, _mm512_set1_ps(ROUND)));
            if (inverses[i * RUN] == 0) {
                bits = _mm512_setzero_si512(); /* nearly 0, or not finite */
            }
            _mm_storeu_si128((void *)high, _mm512_cvtepi32_epi8(_mm512_srli_epi32(bits, 8)));
            _mm_storeu_si128((void *)(high + ROWS_PLANE), _mm512_cvtepi32_epi8(bits));
        }
    }
}

/* x = 256 h + l, h from -128 to 127 and l from 0 to 255, and w likewise, so that x w is a sum of
 * four products of bytes:
 *
 *   65536 h h' + 256 (h l' + l h') + l l'
 *
 * planes [4][TILE][16]: sums over k of h h', h l', l h' and l l'.  They and what they are shifted
 * to may leave the range of 32 bits; they are right modulo 2^32, and so is their sum, which does
 * not leave it. */
LP_TARGET(LP_AMX) LP_BODY void multiply_bytes(const tile_input *tile, int32_t *planes) {
    const char *x = tile->rows, *w = tile->panel;
    _Alignas(64) char last[STEP_WEIGHTS];
    LP_AMX_CLEAR(0);
    LP_AMX_CLEAR(1);
    LP_AMX_CLEAR(2);
    LP_AMX_CLEAR(3);
    for (size_t run = 0; run < tile->runs; run += STEP_RUNS) {
        size_t here = tile->runs - run < STEP_RUNS ? tile->runs - run : STEP_RUNS;
        if (here < STEP_RUNS) { /* rows have zeros there, and weights may end */
            memset(last, 0, sizeof last);
            memcpy(last, w, here * RUN_WEIGHTS);
            w = last;
        }
        for (size_t i = 0; i < here * tile->lines; i++) {
            LP_WILL_READ(tile->next + (run * tile->lines + i) * LINE);
        }
        LP_AMX_LOAD(7, w, 2 * QUAD_BYTES);
        LP_AMX_LOAD_ONCE(5, x, DEPTH);
        LP_AMX_ADD("ss", 0, 5, 7);
        LP_AMX_LOAD_ONCE(4, x + ROWS_PLANE, DEPTH);
        LP_AMX_ADD("us", 2, 4, 7);
        LP_AMX_LOAD(7, w + QUAD_BYTES, 2 * QUAD_BYTES);
        LP_AMX_ADD("uu", 3, 4, 7);
        LP_AMX_ADD("su", 1, 5, 7);
        x += 2 * ROWS_PLANE;
        w += STEP_WEIGHTS;
    }
    LP_AMX_STORE(0, planes, QUAD_BYTES);
    LP_AMX_STORE(1, planes + SUMS, QUAD_BYTES);
    LP_AMX_STORE(2, planes + 2 * SUMS, QUAD_BYTES);
    LP_AMX_STORE(3, planes + 3 * SUMS, QUAD_BYTES);
}

LP_TARGET(LP_AMX) LP_BODY void integers_amx(const tile_input *tile, float *sums) {
    _Alignas(64) int32_t planes[4 * SUMS];
    const float *scales = (const float *)(const void *)((const char *)tile->rows +
                                                        steps_of(tile->runs) * 2 * ROWS_PLANE);
    __m512 c = _mm512_load_ps(tile->scales);
    multiply_bytes(tile, planes);
    for (size_t i = 0; i < TILE; i++) {
        const int32_t *at = planes + i * OUTPUTS;
        __m512i middle =
            _mm512_add_epi32(_mm512_load_si512(at + SUMS), _mm512_load_si512(at + 2 * SUMS));
        __m512i s = _mm512_add_epi32(_mm512_slli_epi32(_mm512_load_si512(at), 8), middle);
        s = _mm512_add_epi32(_mm512_slli_epi32(s, 8), _mm512_load_si512(at + 3 * SUMS));
        __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(s), _mm512_set1_ps(scales[i]));
        _mm512_store_ps(sums + i * PANEL, _mm512_mul_ps(y, c));
    }
}

LP_TARGET(LP_AMX) static void multiply_integers_amx(const linear_job *j) {
    const linear_steps steps = {.sum = integers_amx,
                                .outputs = OUTPUTS,
                                .weight_size = sizeof(int16_t),
                                .panel_end = PANEL * sizeof(float),
                                .rounded_bytes = bytes_of_planes,
                                .round = round_planes};
    lp_amx_begin();
    multiply_with(j, &steps);
    lp_amx_end();
}

/* The same for packing and running: the layouts of weights differ. */
static bool by_amx(void) {
    return !lp_without_avx512 && lp_has_amx();
}

#endif

void lp_linear_int16_pack(const float *weight, size_t out, size_t in, size_t out_stride,
                          size_t in_stride, float *packed) {
#if LP_X86
    if (by_amx()) {
        pack_bytes(weight, out, in, out_stride, in_stride, packed);
        return;
    }
#endif
    pack_pairs(weight, out, in, out_stride, in_stride, packed);
}

bool lp_linear_int16_is_fast(void) {
#if LP_X86
    return LP_SUPPORTS_512("avx512vnni") || LP_SUPPORTS_AVX2;
#else
    return false;
#endif
}

size_t lp_linear_int16_scratch(size_t in) {
    (void)in;
    return ROUND_ROOM + ALIGNED;
}

void lp_linear_int16_run(const lp_packed_linear *layer, const float *x, size_t rows,
                         const lp_linear_output *output, float *scratch) {
    _Alignas(64) float sums[TILE * PANEL];
    float *rounded = scratch + (64 - (uintptr_t)scratch % 64) / sizeof *scratch;
    const linear_job j = {layer, x, rows, output, sums, rounded, NULL};
#if LP_X86
    if (by_amx()) {
        multiply_integers_amx(&j);
        return;
    }
#endif
    run_int16(&j);
}
