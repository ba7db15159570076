/* Attention, head by head and five queries at a time:
 *
 *   scores [5, T]  = q k'
 *   scores         = exp(scale (scores - the row's largest))
 *   out [5, DH]    = scores v / the row's sum of scores
 *
 * A head's keys, transposed, and values are copied into panels of 64 columns, [panel][depth][64],
 * which stay in the second-level cache while the queries go by (T = 577 for ViT-L/14@336: 300 KB);
 * what belongs to the five queries stays in the first-level one.
 *
 * Both products are one loop: 5 x 64 sums fill the registers of a processor with 512 bits, and T is
 * a multiple of 5 or nearly so where it is small (50).  A sum is cut into chains of 256 fused
 * multiply-adds as in math/linear.c.
 *
 * In bfloat16 what both products read is rounded; scores, softmax and sums stay float32.  The
 * instruction of AVX-512 BF16 reads pairs along the depth (math/bfloat16.h), which are kept in
 * arrays of floats; other processors multiply the rounded values in float32: the same bits.
 *
 * Longer than 600 lines: every version of the inner loop is inlined into every kind of attention.
 */
#include "math/attention.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/half.h"
#include "math/bfloat16.h"
#include "math/dispatch.h"
#include "math/exponential.h"
#include "math/linear_bfloat16.h"
#include "math/tiles.h"

#if LP_X86
#include <immintrin.h>
#elif LP_NEON
#include "math/neon.h"
#endif

/* What products read: float32; rounded to bfloat16; the same, in pairs along the depth. */
typedef enum attention_numbers { EXACT, ROUNDED, PAIRS } attention_numbers;

enum { QUERIES = 5, PANEL = 64, CHAIN = 256, RUN = LP_TILE_RUN, ALIGNMENT = 64 /* bytes */ };

/* Sums of five rows over one panel: sums [QUERIES][stride] = x [QUERIES][depth] w [depth][PANEL],
 * += where a chain continues them; the first `vectors` * 16 columns. */
typedef struct attention_tile {
    const float *rows[QUERIES];
    const float *panel;
    size_t depth; /* at most CHAIN; in pairs, half of it */
    bool add;
} attention_tile;

typedef void (*attention_tile_sums)(const attention_tile *tile, size_t vectors, float *sums,
                                    size_t stride);

LP_BODY void tile_plain(const attention_tile *tile, size_t vectors, float *sums, size_t stride) {
    for (size_t i = 0; i < QUERIES; i++) {
        float s[PANEL] = {0};
        for (size_t k = 0; k < tile->depth; k++) {
            for (size_t l = 0; l < vectors * RUN; l++) {
                s[l] = LP_MULTIPLY_ADD(tile->rows[i][k], tile->panel[k * PANEL + l], s[l]);
            }
        }
        for (size_t l = 0; l < vectors * RUN; l++) {
            sums[i * stride + l] = tile->add ? sums[i * stride + l] + s[l] : s[l];
        }
    }
}

#if LP_X86

/* Two vectors of 8 at a time: 10 sums, where two units of 256 bits need 8. */
LP_TARGET("avx2,fma")
LP_BODY void tile_avx2(const attention_tile *tile, size_t vectors, float *sums, size_t stride) {
    for (size_t v = 0; v < vectors; v++) {
        const float *w = tile->panel + v * RUN;
        __m256 low[QUERIES], high[QUERIES];
        for (size_t i = 0; i < QUERIES; i++) {
            low[i] = high[i] = _mm256_setzero_ps();
        }
        for (size_t k = 0; k < tile->depth; k++, w += PANEL) {
            __m256 w_low = _mm256_load_ps(w), w_high = _mm256_load_ps(w + 8);
            for (size_t i = 0; i < QUERIES; i++) {
                __m256 x = _mm256_broadcast_ss(tile->rows[i] + k);
                low[i] = _mm256_fmadd_ps(x, w_low, low[i]);
                high[i] = _mm256_fmadd_ps(x, w_high, high[i]);
            }
        }
        for (size_t i = 0; i < QUERIES; i++) {
            float *to = sums + i * stride + v * RUN;
            if (tile->add) {
                low[i] = _mm256_add_ps(low[i], _mm256_load_ps(to));
                high[i] = _mm256_add_ps(high[i], _mm256_load_ps(to + 8));
            }
            _mm256_store_ps(to, low[i]);
            _mm256_store_ps(to + 8, high[i]);
        }
    }
}

/* sums + the products of x and w */
typedef __m512 (*step_512)(__m512 x, __m512 w, __m512 sums);

LP_TARGET("avx512f") LP_BODY __m512 step_floats(__m512 x, __m512 w, __m512 sums) {
    return _mm512_fmadd_ps(x, w, sums);
}

LP_TARGET(LP_BFLOAT16) LP_BODY __m512 step_pairs(__m512 x, __m512 w, __m512 sums) {
    return _mm512_dpbf16_ps(sums, (__m512bh)x, (__m512bh)w);
}

/* `vectors` and `step` are known to the compiler. */
LP_TARGET("avx512f")
LP_BODY void vectors_avx512(const attention_tile *tile, size_t vectors, step_512 step, float *sums,
                            size_t stride) {
    const float *w = tile->panel;
    __m512 s[QUERIES][PANEL / RUN];
    for (size_t i = 0; i < QUERIES; i++) {
        for (size_t v = 0; v < vectors; v++) {
            s[i][v] = _mm512_setzero_ps();
        }
    }
    for (size_t k = 0; k < tile->depth; k++, w += PANEL) {
        for (size_t i = 0; i < QUERIES; i++) {
            __m512 x = _mm512_set1_ps(tile->rows[i][k]);
            for (size_t v = 0; v < vectors; v++) {
                s[i][v] = step(x, _mm512_load_ps(w + v * RUN), s[i][v]);
            }
        }
    }
    for (size_t i = 0; i < QUERIES; i++) {
        for (size_t v = 0; v < vectors; v++) {
            float *to = sums + i * stride + v * RUN;
            _mm512_store_ps(to, tile->add ? _mm512_add_ps(s[i][v], _mm512_load_ps(to)) : s[i][v]);
        }
    }
}

LP_TARGET("avx512f")
LP_BODY void tile_512(const attention_tile *tile, size_t vectors, step_512 step, float *sums,
                      size_t stride) {
    switch (vectors) {
    case 1:
        vectors_avx512(tile, 1, step, sums, stride);
        break;
    case 2:
        vectors_avx512(tile, 2, step, sums, stride);
        break;
    case 3:
        vectors_avx512(tile, 3, step, sums, stride);
        break;
    default:
        vectors_avx512(tile, 4, step, sums, stride);
    }
}

LP_TARGET("avx512f")
LP_BODY void tile_avx512(const attention_tile *tile, size_t vectors, float *sums, size_t stride) {
    tile_512(tile, vectors, step_floats, sums, stride);
}

LP_TARGET(LP_BFLOAT16)
LP_BODY void tile_pairs(const attention_tile *tile, size_t vectors, float *sums, size_t stride) {
    tile_512(tile, vectors, step_pairs, sums, stride);
}

#endif

#if LP_NEON

/* 16 columns at a time: 20 sums. */
LP_BODY void tile_neon(const attention_tile *tile, size_t vectors, float *sums, size_t stride) {
    for (size_t v = 0; v < vectors; v++) {
        float32x4_t s[QUERIES][NEON_VECTORS];
        neon_clear(s, QUERIES);
        neon_run(s, QUERIES, tile->rows, tile->depth, tile->panel + v * RUN, PANEL);
        neon_store(s, QUERIES, tile->add, sums + v * RUN, stride);
    }
}

#endif

/* Numbers, or pairs of them. */
LP_BODY size_t depth_of(attention_numbers numbers, size_t count) {
    return numbers == PAIRS ? (count + 1) / 2 : count;
}

/* How the two products of this processor and precision run; known to the compiler. */
typedef struct attention_steps {
    attention_tile_sums sum;
    attention_numbers numbers;
} attention_steps;

/* sums [QUERIES][stride] = the rows [QUERIES][count] times w [columns / 64][count][64]. */
LP_BODY void multiply(const attention_steps *steps, const float *const rows[QUERIES], size_t count,
                      const float *w, size_t columns, float *sums, size_t stride) {
    size_t depth = depth_of(steps->numbers, count), chain = depth_of(steps->numbers, CHAIN);
    for (size_t first = 0; first < columns; first += PANEL, w += depth * PANEL) {
        size_t left = columns - first < PANEL ? columns - first : PANEL;
        for (size_t k = 0; k < depth; k += chain) {
            attention_tile tile = {.panel = w + k * PANEL,
                                   .depth = depth - k < chain ? depth - k : chain,
                                   .add = k > 0};
            for (size_t i = 0; i < QUERIES; i++) {
                tile.rows[i] = rows[i] + k;
            }
            steps->sum(&tile, (left + RUN - 1) / RUN, sums + first, stride);
        }
    }
}

/* The largest of a row.  Floats are ordered as their bits, those of negative ones turned round: a
 * maximum of integers, which compilers vectorise. */
LP_BODY float largest_of(const float *row, size_t count) {
    int32_t top = INT32_MIN;
    for (size_t j = 0; j < count; j++) {
        int32_t bits;
        memcpy(&bits, &row[j], sizeof bits);
        bits ^= -(bits < 0) & 0x7FFFFFFF;
        top = bits > top ? bits : top;
    }
    top ^= -(top < 0) & 0x7FFFFFFF;
    float largest;
    memcpy(&largest, &top, sizeof largest);
    return largest;
}

/* Sixteen partial sums into one, by the same tree for every width of registers. */
LP_BODY float fold(const float lanes[RUN]) {
    float s[RUN];
    memcpy(s, lanes, sizeof s);
    for (size_t half = RUN / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++) {
            s[l] += s[l + half];
        }
    }
    return s[0];
}

/* scores [QUERIES][stride] -> exp(scale (scores - the row's largest)), and 1 / a row's sum of it.
 * The rows go through each step together, so that none waits for its own sums. */
LP_BODY void soften(float *scores, size_t stride, size_t tokens, float scale,
                    float shares[QUERIES]) {
    size_t whole = (tokens + RUN - 1) / RUN * RUN;
    float lanes[QUERIES][RUN], largest[QUERIES];
    for (size_t i = 0; i < QUERIES; i++) {
        float *row = scores + i * stride;
        largest[i] = largest_of(row, tokens);
        for (size_t j = tokens; j < whole; j++) {
            row[j] = -INFINITY;
        }
    }
    for (size_t i = 0; i < QUERIES; i++) {
        float *row = scores + i * stride, sums[RUN] = {0};
        for (size_t j = 0; j < whole; j += RUN) {
            for (size_t l = 0; l < RUN; l++) {
                row[j + l] = lp_exp(scale * (row[j + l] - largest[i]));
                sums[l] += row[j + l];
            }
        }
        memcpy(lanes[i], sums, sizeof lanes[i]);
    }
    for (size_t i = 0; i < QUERIES; i++) {
        shares[i] = 1 / fold(lanes[i]);
    }
}

/* scores = scale scores + bias + mask, rows first .. of head h. */
LP_BODY void add_bias(const lp_attention_input *in, size_t h, size_t first, size_t rows,
                      float *scores, size_t stride) {
    for (size_t i = 0; i < rows; i++) {
        const float *bias = in->bias + (h * in->queries + first + i) * in->tokens;
        float *row = scores + i * stride;
        for (size_t j = 0; j < in->tokens; j++) {
            row[j] = in->scale * row[j] + bias[j];
        }
        if (in->mask != NULL) {
            const float *mask = in->mask + (first + i) * in->tokens;
            for (size_t j = 0; j < in->tokens; j++) {
                row[j] += mask[j];
            }
        }
    }
}

/* A head's [rows, columns] -> panels [columns / 64][rows][64]; anything behind the last column. */
LP_BODY void pack_values(const float *x, size_t rows, size_t columns, size_t stride, float *w) {
    for (size_t first = 0; first < columns; first += PANEL) {
        size_t count = columns - first < PANEL ? columns - first : PANEL;
        for (size_t i = 0; i < rows; i++, w += PANEL) {
            if (count == PANEL) { /* a length that the compiler knows */
                memcpy(w, x + i * stride + first, PANEL * sizeof *w);
            } else {
                memcpy(w, x + i * stride + first, count * sizeof *w);
            }
        }
    }
}

/* The same, transposed: [rows / 64][columns][64]. */
LP_BODY void pack_keys(const float *x, size_t rows, size_t columns, size_t stride, float *w) {
    for (size_t i = 0, n; i < rows; i += n) {
        const float *from = x + i * stride;
        float *to = w + i / PANEL * columns * PANEL + i % PANEL;
        n = rows - i < 4 ? 1 : 4; /* four at once, in whole registers */
        for (size_t c = 0; n == 4 && c < columns; c++) {
            float four[4] = {from[c], from[stride + c], from[2 * stride + c], from[3 * stride + c]};
            memcpy(to + c * PANEL, four, sizeof four);
        }
        for (size_t c = 0; n == 1 && c < columns; c++) {
            to[c * PANEL] = from[c];
        }
    }
}

/* Panels [panels][depth][64] -> rounded; of pairs, [panels][(depth + 1) / 2][64]. */
LP_BODY void round_panels(float *w, size_t depth, size_t panels, attention_numbers numbers) {
    const float zeros[PANEL] = {0};
    float *to = w, row[PANEL];
    for (size_t i = 0; numbers == ROUNDED && i < panels * depth; i++, w += PANEL) {
        for (size_t l = 0; l < PANEL; l++) {
            row[l] = lp_float_of_bits(lp_bfloat16_bits(w[l]));
        }
        memcpy(w, row, sizeof row);
    }
    for (size_t p = 0; numbers == PAIRS && p < panels; p++, w += depth * PANEL) {
        for (size_t k = 0; k < depth; k += 2, to += PANEL) {
            const float *one = w + k * PANEL, *other = k + 1 < depth ? one + PANEL : zeros;
            for (size_t l = 0; l < PANEL; l++) {
                row[l] = lp_float_of_bits(lp_bfloat16_pair(one[l], other[l]));
            }
            memcpy(to, row, sizeof row);
        }
    }
}

/* Five rows of `count` numbers -> at `to`, rounded; rows then point there. */
LP_BODY void round_rows(const float *rows[QUERIES], size_t count, attention_numbers numbers,
                        float *restrict to) {
    for (size_t i = 0; numbers != EXACT && i < QUERIES; i++, to += count) {
        const float *x = rows[i];
        for (size_t k = 0; numbers == ROUNDED && k < count; k++) {
            to[k] = lp_float_of_bits(lp_bfloat16_bits(x[k]));
        }
        for (size_t k = 0; numbers == PAIRS && k < count / 2; k++) {
            to[k] = lp_float_of_bits(lp_bfloat16_pair(x[2 * k], x[2 * k + 1]));
        }
        if (numbers == PAIRS && count % 2 == 1) {
            to[count / 2] = lp_float_of_bits(lp_bfloat16_pair(x[count - 1], 0));
        }
        rows[i] = to;
    }
}

typedef struct attention_job {
    const lp_attention_input *in;
    float *keys, *values, *scores, *out; /* 64-byte aligned */
    float *rounded;                      /* [QUERIES][tokens or head_width] */
    /* Where it goes: rows with a stride; 0: rows of a tiled matrix, from first_row on. */
    float *y;
    size_t y_stride, first_row;
} attention_job;

/* Columns of a head's values, and of five queries' scores, in whole panels. */
static size_t value_columns(const lp_attention_input *in) {
    return (in->head_width + PANEL - 1) / PANEL * PANEL;
}

static size_t score_columns(const lp_attention_input *in) {
    return (in->tokens + PANEL - 1) / PANEL * PANEL;
}

/* What is read of the next head next.  Its rows are far apart: without this each head waits for the
 * third-level cache. */
LP_BODY void fetch_next(const lp_attention_input *in, size_t first, size_t rows, size_t column) {
    for (size_t i = first; i < first + rows; i++) {
        for (size_t l = column; l < column + in->head_width; l += RUN) {
            LP_WILL_READ(in->q + i * in->q_stride + l);
            LP_WILL_READ(in->k + i * in->kv_stride + l);
            LP_WILL_READ(in->v + i * in->kv_stride + l);
        }
    }
}

LP_BODY void fetch_tiled(const attention_job *j, size_t first, size_t rows, size_t column) {
    size_t width = j->in->heads * j->in->head_width;
    for (size_t i = first; i < first + rows; i++) {
        const float *y = j->y + lp_tiled_at(width, j->first_row + i, column);
        for (size_t l = 0; l < j->in->head_width; l += RUN) {
            LP_WILL_WRITE(y + l / RUN * LP_TILE_CELL);
        }
    }
}

/* out [QUERIES][columns], each row times its share -> y, rows first .. first + rows - 1. */
LP_BODY void put(const attention_job *j, const float shares[QUERIES], size_t first, size_t rows,
                 size_t column) {
    size_t columns = value_columns(j->in), head_width = j->in->head_width;
    for (size_t i = 0; i < rows; i++) {
        float *out = j->out + i * columns;
        for (size_t l = 0; l < columns; l++) {
            out[l] *= shares[i];
        }
        if (j->y_stride > 0) {
            memcpy(j->y + (first + i) * j->y_stride + column, out, head_width * sizeof *out);
        } else {
            lp_tile_row(out, head_width, j->y, j->in->heads * head_width, j->first_row + first + i,
                        column);
        }
    }
}

LP_BODY void attend(const attention_job *j, attention_tile_sums sum, attention_numbers numbers) {
    const lp_attention_input *in = j->in;
    const attention_steps steps = {sum, numbers};
    size_t columns = value_columns(in), stride = score_columns(in);
    for (size_t h = 0; h < in->heads; h++) {
        size_t column = h * in->head_width;
        pack_keys(in->k + column, in->tokens, in->head_width, in->kv_stride, j->keys);
        pack_values(in->v + column, in->tokens, in->head_width, in->kv_stride, j->values);
        round_panels(j->keys, in->head_width, stride / PANEL, numbers);
        round_panels(j->values, in->tokens, columns / PANEL, numbers);
        for (size_t first = 0; first < in->queries; first += QUERIES) {
            size_t left = in->queries - first, rows = left < QUERIES ? left : QUERIES;
            const float *q[QUERIES], *p[QUERIES];
            float shares[QUERIES];
            if (j->y_stride == 0) {
                fetch_tiled(j, first, rows, column);
            }
            if (h + 1 < in->heads) {
                fetch_next(in, first, rows, column + in->head_width);
            }
            for (size_t i = 0; i < QUERIES; i++) { /* the last row again where there are fewer */
                q[i] = in->q + (first + (i < rows ? i : rows - 1)) * in->q_stride + column;
                p[i] = j->scores + i * stride;
            }
            round_rows(q, in->head_width, numbers, j->rounded);
            multiply(&steps, q, in->head_width, j->keys, in->tokens, j->scores, stride);
            if (in->bias != NULL) {
                add_bias(in, h, first, rows, j->scores, stride);
                soften(j->scores, stride, in->tokens, 1, shares);
            } else {
                soften(j->scores, stride, in->tokens, in->scale, shares);
            }
            round_rows(p, in->tokens, numbers, j->rounded);
            multiply(&steps, p, in->tokens, j->values, in->head_width, j->out, columns);
            put(j, shares, first, rows, column);
        }
    }
}

static void run_attention(const attention_job *j);

LP_VERSIONS(run_attention, attend, (const attention_job *j), (j), attend(j, LP_PLAIN(tile), EXACT),
            attend(j, tile_avx2, EXACT), "avx512f", "avx512f,prfchw", attend(j, tile_avx512, EXACT))

static void run_rounded(const attention_job *j);

LP_BODY void attend_rounded(const attention_job *j, attention_tile_sums sum) {
    attend(j, sum, ROUNDED);
}

LP_VERSIONS(run_rounded, attend_rounded, (const attention_job *j), (j),
            attend_rounded(j, LP_PLAIN(tile)), attend_rounded(j, tile_avx2), "avx512f",
            "avx512f,prfchw", attend_rounded(j, tile_avx512))

#if LP_X86
LP_TARGET(LP_BFLOAT16) static void attend_pairs(const attention_job *j) {
    attend(j, tile_pairs, PAIRS);
}
#endif

static void run_numbers(const attention_job *j) {
    if (j->in->precision != LP_PRECISION_BFLOAT16) {
        run_attention(j);
        return;
    }
#if LP_X86
    if (lp_bfloat16_pairs_are_fast()) {
        attend_pairs(j);
        return;
    }
#endif
    run_rounded(j);
}

/* ---- heads that talk ------------------------------------------------------------------------- */

/* Five queries' values of all heads: mixed [heads][QUERIES][stride], row i of head h = bias_h + sum
 * over g of weight_hg factor_gi (row i of head g of x). */
LP_BODY void mix_heads(const attention_job *j, const float *weight, const float *bias,
                       const float *factors, const float *x, float *mixed) {
    size_t heads = j->in->heads, stride = score_columns(j->in), tokens = j->in->tokens;
    for (size_t h = 0; h < heads; h++) {
        for (size_t i = 0; i < QUERIES; i++) {
            float *row = mixed + (h * QUERIES + i) * stride;
            for (size_t t = 0; t < tokens; t++) {
                row[t] = bias[h];
            }
            for (size_t g = 0; g < heads; g++) {
                const float *from = x + (g * QUERIES + i) * stride;
                float w = weight[h * heads + g] * factors[g * QUERIES + i];
                for (size_t t = 0; t < tokens; t++) {
                    row[t] = LP_MULTIPLY_ADD(w, from[t], row[t]);
                }
            }
        }
    }
}

/* Heads h of five queries from `first` on: all heads' scores at j->scores, what they are mixed to
 * behind them, then factors [heads][QUERIES]. */
LP_BODY void talk_five(const attention_job *j, const lp_talking_heads *talk, size_t first,
                       attention_tile_sums sum) {
    const lp_attention_input *in = j->in;
    size_t stride = score_columns(in), columns = value_columns(in), left = in->queries - first;
    size_t rows = left < QUERIES ? left : QUERIES, all = in->heads * QUERIES * stride;
    float *mixed = j->scores + all, *factors = mixed + all;
    const float ones[QUERIES] = {1, 1, 1, 1, 1};
    const attention_steps steps = {sum, EXACT};
    for (size_t h = 0; h < in->heads; h++) {
        const float *q[QUERIES];
        for (size_t i = 0; i < QUERIES; i++) {
            q[i] = in->q + (first + (i < rows ? i : rows - 1)) * in->q_stride + h * in->head_width;
            factors[h * QUERIES + i] = in->scale;
        }
        multiply(&steps, q, in->head_width, j->keys + h * stride * in->head_width, in->tokens,
                 j->scores + h * QUERIES * stride, stride);
    }
    mix_heads(j, talk->before, talk->before_bias, factors, j->scores, mixed);
    for (size_t h = 0; h < in->heads; h++) {
        soften(mixed + h * QUERIES * stride, stride, in->tokens, 1, factors + h * QUERIES);
    }
    mix_heads(j, talk->after, talk->after_bias, factors, mixed, j->scores);
    for (size_t h = 0; h < in->heads; h++) {
        const float *p[QUERIES];
        for (size_t i = 0; i < QUERIES; i++) {
            p[i] = j->scores + (h * QUERIES + i) * stride;
        }
        multiply(&steps, p, in->tokens, j->values + h * in->tokens * columns, in->head_width,
                 j->out, columns);
        put(j, ones, first, rows, h * in->head_width);
    }
}

LP_BODY void attend_talking(const attention_job *j, const lp_talking_heads *talk,
                            attention_tile_sums sum) {
    const lp_attention_input *in = j->in;
    for (size_t h = 0; h < in->heads; h++) {
        pack_keys(in->k + h * in->head_width, in->tokens, in->head_width, in->kv_stride,
                  j->keys + h * score_columns(in) * in->head_width);
        pack_values(in->v + h * in->head_width, in->tokens, in->head_width, in->kv_stride,
                    j->values + h * in->tokens * value_columns(in));
    }
    for (size_t first = 0; first < in->queries; first += QUERIES) {
        talk_five(j, talk, first, sum);
    }
}

static void run_talking(const attention_job *j, const lp_talking_heads *talk);

LP_VERSIONS(run_talking, attend_talking, (const attention_job *j, const lp_talking_heads *talk),
            (j, talk), attend_talking(j, talk, LP_PLAIN(tile)), attend_talking(j, talk, tile_avx2),
            "avx512f", "avx512f,prfchw", attend_talking(j, talk, tile_avx512))

/* ---- calls ----------------------------------------------------------------------------------- */

/* Five rows of the longer of a query and its scores, in whole cache lines. */
static size_t rounded_floats(const lp_attention_input *in) {
    size_t longer = in->tokens > in->head_width ? in->tokens : in->head_width;
    return (QUERIES * longer + RUN - 1) / RUN * RUN;
}

/* Shares the scratch memory out; of `kept` heads at once. */
static attention_job place(attention_job j, size_t kept, float *scratch) {
    j.keys = scratch + (ALIGNMENT - (uintptr_t)scratch % ALIGNMENT) / sizeof *scratch;
    j.values = j.keys + kept * score_columns(j.in) * j.in->head_width;
    j.out = j.values + kept * j.in->tokens * value_columns(j.in);
    j.rounded = j.out + QUERIES * value_columns(j.in);
    j.scores = j.rounded + rounded_floats(j.in);
    return j;
}

size_t lp_attention_scratch(size_t tokens, size_t head_width) {
    lp_attention_input in = {.tokens = tokens, .head_width = head_width};
    return score_columns(&in) * head_width + tokens * value_columns(&in) +
           QUERIES * (score_columns(&in) + value_columns(&in)) + rounded_floats(&in) +
           ALIGNMENT / sizeof(float);
}

float lp_attention_scale(size_t head_width) {
    return 1 / sqrtf((float)head_width);
}

lp_attention_input lp_attention_fused(const float *qkv, size_t rows, size_t width, size_t heads) {
    return (lp_attention_input){.q = qkv,
                                .k = qkv + width,
                                .v = qkv + 2 * width,
                                .q_stride = 3 * width,
                                .kv_stride = 3 * width,
                                .queries = rows,
                                .tokens = rows,
                                .heads = heads,
                                .head_width = width / heads,
                                .scale = lp_attention_scale(width / heads)};
}

void lp_attention(const lp_attention_input *in, float *scratch, float *y, size_t y_stride) {
    attention_job j = place((attention_job){.in = in, .y = y, .y_stride = y_stride}, 1, scratch);
    run_numbers(&j);
}

void lp_attention_tiled(const lp_attention_input *in, float *scratch, float *tiled,
                        size_t first_row) {
    attention_job j =
        place((attention_job){.in = in, .y = tiled, .first_row = first_row}, 1, scratch);
    run_numbers(&j);
}

size_t lp_attention_talking_scratch(size_t tokens, size_t head_width, size_t heads) {
    lp_attention_input in = {.tokens = tokens, .head_width = head_width};
    size_t columns = score_columns(&in);
    return heads * (columns * head_width + tokens * value_columns(&in)) +
           QUERIES * (value_columns(&in) + 2 * heads * columns + heads) + rounded_floats(&in) +
           ALIGNMENT / sizeof(float);
}

void lp_attention_talking(const lp_attention_input *in, const lp_talking_heads *talk,
                          float *scratch, float *tiled, size_t first_row) {
    attention_job j =
        place((attention_job){.in = in, .y = tiled, .first_row = first_row}, in->heads, scratch);
    run_talking(&j, talk);
}
