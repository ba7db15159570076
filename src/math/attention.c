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
 * In bfloat16: attention_bfloat16.c. */
#include "math/attention.h"

#include <stdbool.h>

#include "math/attention_rows.h"

#if LP_X86
#include <immintrin.h>
#elif LP_NEON
#include "math/neon.h"
#endif

enum { CHAIN = 256, ALIGNMENT = 64 /* bytes */ };

/* Sums of five rows over one panel: sums [QUERIES][stride] = x [QUERIES][depth] w [depth][PANEL],
 * += where a chain continues them; the first `vectors` * 16 columns. */
typedef struct attention_tile {
    const float *rows[QUERIES];
    const float *panel;
    size_t depth; /* at most CHAIN */
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

/* `vectors` is known to the compiler. */
LP_TARGET("avx512f")
LP_BODY void vectors_avx512(const attention_tile *tile, size_t vectors, float *sums,
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
                s[i][v] = _mm512_fmadd_ps(x, _mm512_load_ps(w + v * RUN), s[i][v]);
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
LP_BODY void tile_avx512(const attention_tile *tile, size_t vectors, float *sums, size_t stride) {
    switch (vectors) {
    case 1:
        vectors_avx512(tile, 1, sums, stride);
        break;
    case 2:
        vectors_avx512(tile, 2, sums, stride);
        break;
    case 3:
        vectors_avx512(tile, 3, sums, stride);
        break;
    default:
        vectors_avx512(tile, 4, sums, stride);
    }
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

/* sums [QUERIES][stride] = the rows [QUERIES][depth] times w [columns / 64][depth][64]. */
LP_BODY void multiply(attention_tile_sums sum, const float *const rows[QUERIES], size_t depth,
                      const float *w, size_t columns, float *sums, size_t stride) {
    for (size_t first = 0; first < columns; first += PANEL, w += depth * PANEL) {
        size_t left = columns - first < PANEL ? columns - first : PANEL;
        for (size_t k = 0; k < depth; k += CHAIN) {
            attention_tile tile = {.panel = w + k * PANEL,
                                   .depth = depth - k < CHAIN ? depth - k : CHAIN,
                                   .add = k > 0};
            for (size_t i = 0; i < QUERIES; i++) {
                tile.rows[i] = rows[i] + k;
            }
            sum(&tile, (left + RUN - 1) / RUN, sums + first, stride);
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

LP_BODY void attend(const attention_job *j, attention_tile_sums sum) {
    const lp_attention_input *in = j->in;
    size_t columns = value_columns(in), stride = score_columns(in);
    for (size_t h = 0; h < in->heads; h++) {
        size_t column = h * in->head_width;
        pack_keys(in->k + column, in->tokens, in->head_width, in->kv_stride, j->keys);
        pack_values(in->v + column, in->tokens, in->head_width, in->kv_stride, j->values);
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
            multiply(sum, q, in->head_width, j->keys, in->tokens, j->scores, stride);
            if (in->bias != NULL) {
                add_bias(in, h, first, rows, j->scores, stride);
                soften(j->scores, QUERIES, stride, in->tokens, 1, shares);
            } else {
                soften(j->scores, QUERIES, stride, in->tokens, in->scale, shares);
            }
            multiply(sum, p, in->tokens, j->values, in->head_width, j->out, columns);
            put(j, shares, first, rows, column);
        }
    }
}

static void run_attention(const attention_job *j);

LP_VERSIONS(run_attention, attend, (const attention_job *j), (j), attend(j, LP_PLAIN(tile)),
            attend(j, tile_avx2), "avx512f", "avx512f,prfchw", attend(j, tile_avx512))

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
    for (size_t h = 0; h < in->heads; h++) {
        const float *q[QUERIES];
        for (size_t i = 0; i < QUERIES; i++) {
            q[i] = in->q + (first + (i < rows ? i : rows - 1)) * in->q_stride + h * in->head_width;
            factors[h * QUERIES + i] = in->scale;
        }
        multiply(sum, q, in->head_width, j->keys + h * stride * in->head_width, in->tokens,
                 j->scores + h * QUERIES * stride, stride);
    }
    mix_heads(j, talk->before, talk->before_bias, factors, j->scores, mixed);
    for (size_t h = 0; h < in->heads; h++) {
        soften(mixed + h * QUERIES * stride, QUERIES, stride, in->tokens, 1, factors + h * QUERIES);
    }
    mix_heads(j, talk->after, talk->after_bias, factors, mixed, j->scores);
    for (size_t h = 0; h < in->heads; h++) {
        const float *p[QUERIES];
        for (size_t i = 0; i < QUERIES; i++) {
            p[i] = j->scores + (h * QUERIES + i) * stride;
        }
        multiply(sum, p, in->tokens, j->values + h * in->tokens * columns, in->head_width, j->out,
                 columns);
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

static float *aligned(float *scratch) {
    return scratch + (ALIGNMENT - (uintptr_t)scratch % ALIGNMENT) / sizeof *scratch;
}

/* Shares the scratch memory out; of `kept` heads at once. */
static attention_job place(attention_job j, size_t kept, float *scratch) {
    j.keys = aligned(scratch);
    j.values = j.keys + kept * score_columns(j.in) * j.in->head_width;
    j.out = j.values + kept * j.in->tokens * value_columns(j.in);
    j.scores = j.out + QUERIES * value_columns(j.in);
    return j;
}

/* Of either precision. */
size_t lp_attention_scratch(size_t tokens, size_t head_width) {
    lp_attention_input in = {.tokens = tokens, .head_width = head_width};
    size_t exact = score_columns(&in) * head_width + tokens * value_columns(&in) +
                   QUERIES * (score_columns(&in) + value_columns(&in));
    size_t rounded = lp_attention_bfloat16_scratch(&in);
    return (exact > rounded ? exact : rounded) + ALIGNMENT / sizeof(float);
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

static void run_numbers(attention_job j, float *scratch) {
    if (j.in->precision == LP_PRECISION_BFLOAT16) {
        lp_attention_bfloat16(j, aligned(scratch));
        return;
    }
    j = place(j, 1, scratch);
    run_attention(&j);
}

void lp_attention(const lp_attention_input *in, float *scratch, float *y, size_t y_stride) {
    run_numbers((attention_job){.in = in, .y = y, .y_stride = y_stride}, scratch);
}

void lp_attention_tiled(const lp_attention_input *in, float *scratch, float *tiled,
                        size_t first_row) {
    run_numbers((attention_job){.in = in, .y = tiled, .first_row = first_row}, scratch);
}

size_t lp_attention_talking_scratch(size_t tokens, size_t head_width, size_t heads) {
    lp_attention_input in = {.tokens = tokens, .head_width = head_width};
    size_t columns = score_columns(&in);
    return heads * (columns * head_width + tokens * value_columns(&in)) +
           QUERIES * (value_columns(&in) + 2 * heads * columns + heads) + ALIGNMENT / sizeof(float);
}

void lp_attention_talking(const lp_attention_input *in, const lp_talking_heads *talk,
                          float *scratch, float *tiled, size_t first_row) {
    attention_job j =
        place((attention_job){.in = in, .y = tiled, .first_row = first_row}, in->heads, scratch);
    run_talking(&j, talk);
}
