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

enum { QUERY_BLOCK = 64 };

size_t lp_attention_scratch(size_t tokens) {
    return (tokens < QUERY_BLOCK ? tokens : QUERY_BLOCK) * tokens;
}

void lp_attention(const lp_attention_input *in, float *scratch, float *out, size_t out_stride) {
    float scale = 1 / sqrtf((float)in->head_width);
    for (size_t h = 0; h < in->heads; h++) {
        size_t column = h * in->head_width;
        for (size_t first = 0; first < in->queries; first += QUERY_BLOCK) {
            size_t left = in->queries - first;
            size_t rows = left < QUERY_BLOCK ? left : QUERY_BLOCK;
            lp_gemm_nt(rows, in->tokens, in->head_width, scale,
                       in->q + first * in->q_stride + column, in->q_stride, in->k + column,
                       in->kv_stride, 0, scratch, in->tokens);
            lp_softmax(scratch, rows, in->tokens);
            lp_gemm_nn(rows, in->head_width, in->tokens, 1, scratch, in->tokens, in->v + column,
                       in->kv_stride, 0, out + first * out_stride + column, out_stride);
        }
    }
}
