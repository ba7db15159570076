/* Linear layers over 8-bit integers: y = act(x W' + b) as in math/linear.h, but inputs k in groups
 * g of 128, and in each
 *
 *   w_ok ~ c_og v_ok            v from -127 to 127, c_og = max_k |w_ok| / 127: once, by the packing
 *   x_ik ~ r_ig (u_ik - z_ig)   u from 0 to 255, over the row's own range there, 0 included
 *   y_io = act(sum_g r_ig c_og (sum_k u_ik v_ok - z_ig sum_k v_ok) + b_o)
 *
 * Sums over k are of integers, hence exact, and those over g in their order: every version gives
 * the same bits.  Smaller groups are nearer to float32 and slower: with the whole row as one, the
 * features of a ViT-Ti/16 are 4.1 % away, with 256 3.6 %, 128 3.2 %, 64 2.8 %, at 1.73, 1.68, 1.61
 * and 1.51 times the speed of float32.
 *
 * Rows are rounded a chunk at a time, which stays in the second-level cache, into tiles as
 * math/tiles.h has them, a byte each; a panel of weights is [in / 4][32][4]: four inputs of a row
 * meet those of 16 outputs in one instruction of AVX-512 VNNI. */
#include "math/linear_int8.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

#include "math/linear_output.h"
#include "math/tiles.h"

#if LP_X86
#include <immintrin.h>
#endif

enum {
    TILE = LP_TILE_ROWS,
    RUN = LP_TILE_RUN,
    CELL = LP_TILE_CELL,
    PANEL = LP_PANEL,
    QUAD = 4,
    GROUP_RUNS = 8,          /* 128 inputs */
    CHUNK_BYTES = 384 * 1024 /* of rounded rows: part of a second-level cache */
};

/* What a tile's rows were rounded with in one group. */
typedef struct rounding {
    float scale[TILE];
    int32_t zero[TILE];
} rounding;

static size_t depth_of(size_t in) {
    return lp_tile_runs(in) * RUN;
}

static size_t groups_of(size_t in) {
    return (lp_tile_runs(in) + GROUP_RUNS - 1) / GROUP_RUNS;
}

static size_t chunk_tiles(size_t in) {
    size_t tiles = CHUNK_BYTES / (depth_of(in) * TILE);
    return tiles > 0 ? tiles : 1;
}

size_t lp_linear_int8_scratch(size_t in) {
    return chunk_tiles(in) * (depth_of(in) * TILE + groups_of(in) * sizeof(rounding)) /
           sizeof(float);
}

/* ---- weights --------------------------------------------------------------------------------- */

/* Bytes [panels][in / 4][32][4], then scales, then sums, [panels][groups][32]. */

typedef struct parts {
    const int8_t *weights;
    const float *scales;
    const int32_t *sums;
} parts;

/* Floats before the scales, and before the sums. */
static size_t scales_at(size_t out, size_t in) {
    return lp_panels(out) * PANEL * depth_of(in) / sizeof(float);
}

static size_t sums_at(size_t out, size_t in) {
    return scales_at(out, in) + lp_panels(out) * PANEL * groups_of(in);
}

size_t lp_linear_int8_packed(size_t out, size_t in) {
    return sums_at(out, in) + lp_panels(out) * PANEL * groups_of(in);
}

static parts parts_of(const lp_packed_linear *layer) {
    const float *panels = layer->panels;
    return (parts){layer->panels, panels + scales_at(layer->out, layer->in),
                   (const int32_t *)(const void *)(panels + sums_at(layer->out, layer->in))};
}

/* One output's weights of a group, `count` behind each other, and zeros behind the last. */
static void round_weights(const float *w, size_t count, size_t stride, size_t depth, int8_t *to,
                          float *scale, int32_t *sum) {
    float top = 0;
    for (size_t k = 0; k < count; k++) {
        float size = fabsf(w[k * stride]);
        top = size > top ? size : top;
    }
    float inverse = top > FLT_MIN * 127 ? 127 / top : 0;
    *scale = inverse > 0 ? top / 127 : 0;
    *sum = 0;
    for (size_t k = 0; k < depth; k++) {
        long v = k < count ? lrintf(w[k * stride] * inverse) : 0;
        to[k / QUAD * PANEL * QUAD + k % QUAD] = (int8_t)v;
        *sum += (int32_t)v;
    }
}

void lp_linear_int8_pack(const float *weight, size_t out, size_t in, size_t out_stride,
                         size_t in_stride, float *packed) {
    size_t depth = depth_of(in), groups = groups_of(in), group = GROUP_RUNS * RUN;
    int8_t *weights = (int8_t *)packed;
    float *scales = packed + scales_at(out, in);
    int32_t *sums = (int32_t *)(void *)(packed + sums_at(out, in));
    for (size_t o = 0; o < lp_panels(out) * PANEL; o++) {
        for (size_t g = 0; g < groups; g++) {
            size_t k = g * group, left = o < out && k < in ? in - k : 0;
            size_t at = (o / PANEL * groups + g) * PANEL + o % PANEL;
            round_weights(weight + o * out_stride + k * in_stride, left < group ? left : group,
                          in_stride, depth - k < group ? depth - k : group,
                          weights + (o / PANEL * depth + k) * PANEL + o % PANEL * QUAD, &scales[at],
                          &sums[at]);
        }
    }
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* The range of a cell's places over a group's runs, 0 included; odds: NaN as soon as a number is
 * not finite.  Then each row's in the first of its places. */
typedef struct cell_range {
    float lows[CELL], highs[CELL], odds[CELL];
} cell_range;

LP_BODY void find_range(const float *cells, size_t runs, cell_range *r) {
    for (size_t i = 0; i < CELL; i++) {
        r->lows[i] = r->highs[i] = r->odds[i] = 0;
    }
    for (size_t run = 0; run < runs; run++, cells += CELL) {
        for (size_t i = 0; i < CELL; i++) {
            float x = cells[i];
            r->lows[i] = x < r->lows[i] ? x : r->lows[i];
            r->highs[i] = x > r->highs[i] ? x : r->highs[i];
            r->odds[i] += x * 0;
        }
    }
    for (size_t half = RUN / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < CELL; i += RUN) {
            for (size_t l = i; l < i + half; l++) {
                float low = r->lows[l + half], high = r->highs[l + half];
                r->lows[l] = low < r->lows[l] ? low : r->lows[l];
                r->highs[l] = high > r->highs[l] ? high : r->highs[l];
                r->odds[l] += r->odds[l + half];
            }
        }
    }
}

/* A group's cells, [runs][TILE][RUN] -> bytes. */
LP_BODY void round_group(const float *cells, size_t runs, uint8_t *to, rounding *rows) {
    float inverses[CELL], shifts[CELL]; /* of each place, so that a cell is one loop */
    cell_range range;
    find_range(cells, runs, &range);
    for (size_t i = 0; i < TILE; i++) {
        float low = range.lows[i * RUN], odd = range.odds[i * RUN];
        float size = range.highs[i * RUN] - low, inverse = size > FLT_MIN * 254 ? 254 / size : 0;
        bool none = !(inverse > 0) || odd != 0; /* all zeros, or NaN */
        rows->scale[i] = none ? odd : size / 254;
        rows->zero[i] = none ? 0 : (int32_t)(0.5F - low * inverse);
        for (size_t l = 0; l < RUN; l++) { /* sums are at least 0, below 256, and then cut */
            inverses[i * RUN + l] = none ? 0 : inverse;
            shifts[i * RUN + l] = (float)rows->zero[i] + 0.5F;
        }
    }
    for (size_t run = 0; run < runs; run++, cells += CELL, to += CELL) {
        for (size_t i = 0; i < CELL; i++) {
            float x = inverses[i] > 0 ? cells[i] : 0;
            to[i] = (uint8_t)(int32_t)(x * inverses[i] + shifts[i]);
        }
    }
}

/* ---- products -------------------------------------------------------------------------------- */

/* sums [TILE][PANEL] of rows [runs][TILE][RUN] and a panel [runs * RUN / 4][PANEL][4]. */
typedef void (*int8_tile_sums)(const uint8_t *rows, const int8_t *panel, size_t runs,
                               int32_t *sums);

LP_BODY void tile_plain(const uint8_t *rows, const int8_t *panel, size_t runs, int32_t *sums) {
    memset(sums, 0, TILE * PANEL * sizeof *sums);
    for (size_t run = 0; run < runs; run++, rows += CELL) {
        for (size_t k = 0; k < RUN; k += QUAD, panel += PANEL * QUAD) {
            for (size_t i = 0; i < TILE; i++) {
                for (size_t o = 0; o < PANEL; o++) {
                    for (size_t l = 0; l < QUAD; l++) {
                        sums[i * PANEL + o] += rows[i * RUN + k + l] * panel[o * QUAD + l];
                    }
                }
            }
        }
    }
}

#if LP_X86

enum { ROWS = 2, COLUMNS = 16, OUTPUTS = 4 /* of a register of 16-bit weights */ };

/* ROWS x COLUMNS; products of 16 bits, as those of bytes would be added up with saturation. */
LP_TARGET("avx2,fma")
LP_BODY void part_avx2(const uint8_t *rows, const int8_t *panel, size_t runs, int32_t *sums) {
    __m256i s[ROWS][COLUMNS / OUTPUTS]; /* each output's first two products, then the others */
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t o = 0; o < COLUMNS / OUTPUTS; o++) {
            s[i][o] = _mm256_setzero_si256();
        }
    }
    for (size_t run = 0; run < runs; run++, rows += CELL) {
        for (size_t k = 0; k < RUN; k += QUAD, panel += PANEL * QUAD) {
            __m256i x[ROWS];
            for (size_t i = 0; i < ROWS; i++) {
                int32_t four;
                memcpy(&four, rows + i * RUN + k, sizeof four);
                x[i] = _mm256_cvtepu8_epi16(_mm_set1_epi32(four));
            }
            for (size_t o = 0; o < COLUMNS / OUTPUTS; o++) {
                const void *at = panel + o * OUTPUTS * QUAD;
                __m256i w = _mm256_cvtepi8_epi16(_mm_load_si128(at));
                for (size_t i = 0; i < ROWS; i++) {
                    s[i][o] = _mm256_add_epi32(s[i][o], _mm256_madd_epi16(x[i], w));
                    LP_IN_REGISTER(s[i][o]);
                }
            }
        }
    }
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t o = 0; o < COLUMNS / OUTPUTS; o += 2) { /* outputs 0 1 4 5 2 3 6 7 */
            __m256i both = _mm256_hadd_epi32(s[i][o], s[i][o + 1]);
            _mm256_store_si256((void *)(sums + i * PANEL + o * OUTPUTS),
                               _mm256_permute4x64_epi64(both, 0xD8));
        }
    }
}

LP_TARGET("avx2,fma")
LP_BODY void tile_avx2(const uint8_t *rows, const int8_t *panel, size_t runs, int32_t *sums) {
    for (size_t row = 0; row < TILE; row += ROWS) {
        for (size_t column = 0; column < PANEL; column += COLUMNS) {
            part_avx2(rows + row * RUN, panel + column * QUAD, runs, sums + row * PANEL + column);
        }
    }
}

LP_TARGET("avx512f,avx512vnni")
LP_BODY void tile_vnni(const uint8_t *rows, const int8_t *panel, size_t runs, int32_t *sums) {
    __m512i low[TILE], high[TILE];
    for (size_t i = 0; i < TILE; i++) {
        low[i] = high[i] = _mm512_setzero_si512();
    }
    for (size_t run = 0; run < runs; run++, rows += CELL) {
        for (size_t k = 0; k < RUN; k += QUAD, panel += PANEL * QUAD) {
            __m512i w_low = _mm512_load_si512(panel), w_high = _mm512_load_si512(panel + 64);
            for (size_t i = 0; i < TILE; i++) {
                int32_t four;
                memcpy(&four, rows + i * RUN + k, sizeof four);
                __m512i x = _mm512_set1_epi32(four);
                low[i] = _mm512_dpbusd_epi32(low[i], x, w_low);
                high[i] = _mm512_dpbusd_epi32(high[i], x, w_high);
            }
        }
    }
    for (size_t i = 0; i < TILE; i++) {
        _mm512_store_si512(sums + i * PANEL, low[i]);
        _mm512_store_si512(sums + i * PANEL + 16, high[i]);
    }
}

#endif

typedef struct int8_job {
    const lp_packed_linear *layer;
    const float *x;
    size_t rows;
    const lp_linear_output *output;
    uint8_t *rounded;    /* [chunk][runs][TILE][RUN] */
    rounding *roundings; /* [chunk] */
    int32_t *sums;       /* [TILE][PANEL], aligned to 64 bytes */
    float *scaled;       /* the same */
} int8_job;

/* Rounds a tile's rows, group by group. */
LP_BODY void round_tile(const float *x, size_t runs, uint8_t *to, rounding *r) {
    for (size_t run = 0; run < runs; run += GROUP_RUNS, r++) {
        size_t here = runs - run < GROUP_RUNS ? runs - run : GROUP_RUNS;
        round_group(x + run * CELL, here, to + run * CELL, r);
    }
}

/* scaled [TILE][PANEL] = the product of a tile and a panel; its scales and sums [groups][PANEL]. */
LP_BODY void multiply_tile(int8_tile_sums sum, const uint8_t *rows, const rounding *r,
                           const parts *panel, size_t runs, int32_t *sums, float *scaled) {
    const float *scales = panel->scales;
    const int32_t *column_sums = panel->sums;
    for (size_t run = 0; run < runs; run += GROUP_RUNS, r++) {
        size_t here = runs - run < GROUP_RUNS ? runs - run : GROUP_RUNS;
        sum(rows + run * CELL, panel->weights + run * RUN * PANEL, here, sums);
        for (size_t i = 0; i < TILE; i++) {
            for (size_t o = 0; o < PANEL; o++) {
                int32_t exact = sums[i * PANEL + o] - r->zero[i] * column_sums[o];
                float x = (float)exact * (r->scale[i] * scales[o]);
                scaled[i * PANEL + o] = run == 0 ? x : scaled[i * PANEL + o] + x;
            }
        }
        scales += PANEL;
        column_sums += PANEL;
    }
}

/* Share t of `count` of the next panel, to be read soon; behind the last one are its scales. */
LP_BODY void fetch_share(const int8_t *panel, size_t bytes, size_t t, size_t count) {
    enum { LINE = 64 };
    size_t lines = bytes / LINE;
    for (size_t i = lines * t / count; i < lines * (t + 1) / count; i++) {
        LP_WILL_READ(panel + i * LINE);
    }
}

LP_BODY void multiply(const int8_job *j, int8_tile_sums sum) {
    const lp_packed_linear *layer = j->layer;
    parts w = parts_of(layer);
    size_t depth = depth_of(layer->in), runs = depth / RUN, chunk = chunk_tiles(layer->in);
    size_t tiles = (j->rows + TILE - 1) / TILE, groups = groups_of(layer->in);
    for (size_t first = 0; first < tiles; first += chunk) {
        size_t count = tiles - first < chunk ? tiles - first : chunk;
        for (size_t t = 0; t < count; t++) {
            round_tile(j->x + (first + t) * runs * CELL, runs, j->rounded + t * runs * CELL,
                       j->roundings + t * groups);
        }
        for (size_t p = 0; p < lp_panels(layer->out); p++) {
            size_t column = p * PANEL;
            const parts panel = {w.weights + column * depth, w.scales + column * groups,
                                 w.sums + column * groups};
            float bias[PANEL];
            lp_panel_bias(layer, p, bias);
            for (size_t t = 0; t < count; t++) {
                fetch_share(panel.weights + PANEL * depth, PANEL * depth, t, count);
                multiply_tile(sum, j->rounded + t * runs * CELL, j->roundings + t * groups, &panel,
                              runs, j->sums, j->scaled);
                lp_output_part to = lp_output_part_of(j->output, layer->out, j->rows, first + t, p);
                lp_finish_sums(j->scaled, &to, j->output->add, bias, j->output->activation);
            }
        }
    }
}

static void run_int8(const int8_job *j);

LP_VERSIONS(run_int8, multiply, (const int8_job *j), (j), multiply(j, tile_plain),
            multiply(j, tile_avx2), "avx512vnni", "avx512f,avx512vnni", multiply(j, tile_vnni))

bool lp_linear_int8_is_fast(void) {
#if LP_X86
    return LP_SUPPORTS_512("avx512vnni");
#else
    return false;
#endif
}

void lp_linear_int8_run(const lp_packed_linear *layer, const float *x, size_t rows,
                        const lp_linear_output *output, float *scratch) {
    _Alignas(64) int32_t sums[TILE * PANEL];
    _Alignas(64) float scaled[TILE * PANEL];
    uint8_t *rounded = (uint8_t *)scratch;
    int8_job j = {layer, x, rows, output, rounded, NULL, sums, scaled};
    j.roundings =
        (rounding *)(void *)(rounded + chunk_tiles(layer->in) * depth_of(layer->in) * TILE);
    run_int8(&j);
}
