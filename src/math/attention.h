/* Softmax attention over the tokens of one image or window, every head. */
#ifndef LP_MATH_ATTENTION_H
#define LP_MATH_ATTENTION_H

#include <stddef.h>
#include "linprobe/choices.h"

/* Queries, keys and values of one image, float32, row-major; head h takes columns
 * h * head_width .. of each.  In a fused [T, 3D] matrix k is q + D, v is q + 2D, each stride 3D. */
typedef struct lp_attention_input {
    const float *q; /* [queries, heads * head_width] */
    const float *k; /* [tokens, heads * head_width] */
    const float *v; /* as k */
    size_t q_stride, kv_stride, queries, tokens, heads, head_width;
    float scale;            /* of q k'; lp_attention_scale where nothing else is said */
    const float *bias;      /* [heads, queries, tokens], added to scale q k'; or NULL */
    const float *mask;      /* [queries, tokens], added to that; or NULL.  Never without a bias */
    lp_precision precision; /* BFLOAT16: q, k, v and what the softmax gives are rounded to it as the
                               products read them; anything else: float32 */
} lp_attention_input;

/* Floats of scratch memory for `tokens` tokens. */
size_t lp_attention_scratch(size_t tokens, size_t head_width);

/* 1 / sqrt(head_width) */
float lp_attention_scale(size_t head_width);

/* Attention of all rows of a fused matrix, qkv [rows, 3 width], to one another. */
lp_attention_input lp_attention_fused(const float *qkv, size_t rows, size_t width, size_t heads);

/* softmax(scale q k') v, head by head, as torch.nn.functional.scaled_dot_product_attention -> y
 * [queries, heads * head_width], which overlaps no input, but may be q where there is one head. */
void lp_attention(const lp_attention_input *in, float *scratch, float *y, size_t y_stride);

/* The same into rows first_row .. first_row + queries - 1 of a tiled matrix
 * [?, heads * head_width] (math/tiles.h); what is behind the last column stays. */
void lp_attention_tiled(const lp_attention_input *in, float *scratch, float *tiled,
                        size_t first_row);

/* Heads that talk (Shazeer et al., "Talking-Heads Attention", 2020), as CaiT has them: of each
 * query and key
 *
 *   s_h = before_bias_h + sum over g of before_hg (scale q_g k_g')
 *   a_h = after_bias_h + sum over g of after_hg softmax(s_g)
 *
 * and head h's answer is the sum of a_h v_h over the keys. */
typedef struct lp_talking_heads {
    const float *before, *before_bias, *after, *after_bias; /* [heads, heads], [heads] */
} lp_talking_heads;

/* Floats of scratch memory for talking heads. */
size_t lp_attention_talking_scratch(size_t tokens, size_t head_width, size_t heads);

/* As lp_attention_tiled, of heads that talk; in->bias and in->mask are not read. */
void lp_attention_talking(const lp_attention_input *in, const lp_talking_heads *talk,
                          float *scratch, float *tiled, size_t first_row);

#endif
