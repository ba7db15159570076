/* What attention in float32 (attention.c) and in bfloat16 (attention_bfloat16.c) share: the softmax
 * of a few rows, and where what comes out goes. */
#ifndef LP_MATH_ATTENTION_ROWS_H
#define LP_MATH_ATTENTION_ROWS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "math/attention.h"
#include "math/dispatch.h"
#include "math/exponential.h"
#include "math/tiles.h"

enum { QUERIES = 5, PANEL = 64, RUN = LP_TILE_RUN };

/* Attention's places in memory. */
typedef struct attention_job {
    const lp_attention_input *in;
    float *keys, *values, *scores, *out; /* 64-byte aligned */
    float *tiles, *room;                 /* of bfloat16's linear layers */
    /* Where it goes: rows with a stride; 0: rows of a tiled matrix, from first_row on. */
    float *y;
    size_t y_stride, first_row;
} attention_job;

/* Columns of a head's values, and of a row of scores, in whole panels. */
static inline size_t value_columns(const lp_attention_input *in) {
    return (in->head_width + PANEL - 1) / PANEL * PANEL;
}

static inline size_t score_columns(const lp_attention_input *in) {
    return (in->tokens + PANEL - 1) / PANEL * PANEL;
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

/* scores [rows][stride], at most QUERIES, -> exp(scale (scores - the row's largest)), zeros up to a
 * whole run, and 1 / a row's sum of it.  The rows go through each step together, so that none waits
 * for its own sums. */
LP_BODY void soften(float *scores, size_t rows, size_t stride, size_t tokens, float scale,
                    float *shares) {
    size_t whole = (tokens + RUN - 1) / RUN * RUN;
    float lanes[QUERIES][RUN], largest[QUERIES];
    for (size_t i = 0; i < rows; i++) {
        float *row = scores + i * stride;
        largest[i] = largest_of(row, tokens);
        for (size_t j = tokens; j < whole; j++) {
            row[j] = -INFINITY;
        }
    }
    for (size_t i = 0; i < rows; i++) {
        float *row = scores + i * stride, sums[RUN] = {0};
        for (size_t j = 0; j < whole; j += RUN) {
            for (size_t l = 0; l < RUN; l++) {
                row[j + l] = lp_exp_below(scale * (row[j + l] - largest[i]));
                sums[l] += row[j + l];
            }
        }
        for (size_t l = 0; l < RUN; l++) {
            lanes[i][l] = sums[l];
        }
    }
    for (size_t i = 0; i < rows; i++) {
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

/* out [rows][columns], each row times its share -> y, rows first .. first + rows - 1. */
LP_BODY void put(const attention_job *j, const float *shares, size_t first, size_t rows,
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

/* Attention in bfloat16 and, in floats, its scratch memory, which is aligned to 64 bytes; j has an
 * input and an answer. */
void lp_attention_bfloat16(attention_job j, float *scratch);
size_t lp_attention_bfloat16_scratch(const lp_attention_input *in);

#endif
