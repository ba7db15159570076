/* Attention: for each head and each block of queries
 *   scores [block, T] = q k' / sqrt(head width)
 *   each row          = softmax
 *   out [block, DH]   = scores v
 * A block of scores stays in the second-level cache even where the tokens are many (T = 577 for
 * ViT-L/14@336: 148 KB). */
#include "math/attention.h"

#include <math.h>

#include "math/gemm.h"
#include "math/rows.h"
#include "math/tiles.h"

enum { QUERY_BLOCK = 64 };

size_t lp_attention_scratch(size_t tokens, size_t head_width) {
    return (tokens < QUERY_BLOCK ? tokens : QUERY_BLOCK) * (tokens + head_width);
}

float lp_attention_scale(size_t head_width) {
    return 1 / sqrtf((float)head_width);
}

void lp_attention(const lp_attention_input *in, float *scratch, float *tiled, size_t first_row) {
    size_t width = in->heads * in->head_width;
    float *scores = scratch;
    for (size_t h = 0; h < in->heads; h++) {
        size_t column = h * in->head_width;
        for (size_t first = 0; first < in->queries; first += QUERY_BLOCK) {
            size_t left = in->queries - first;
            size_t rows = left < QUERY_BLOCK ? left : QUERY_BLOCK;
            float *out = scores + rows * in->tokens;
            lp_gemm_nt(rows, in->tokens, in->head_width, lp_attention_scale(in->head_width),
                       in->q + first * in->q_stride + column, in->q_stride, in->k + column,
                       in->kv_stride, 0, scores, in->tokens);
            lp_softmax(scores, rows, in->tokens);
            lp_gemm_nn(rows, in->head_width, in->tokens, 1, scores, in->tokens, in->v + column,
                       in->kv_stride, 0, out, in->head_width);
            lp_tile_part(out, rows, in->head_width, in->head_width, tiled, width, first_row + first,
                         column);
        }
    }
}
