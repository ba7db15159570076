/* Attention in bfloat16, head by head and up to 72 queries at a time: both products are linear
 * layers over bfloat16 (math/linear_bfloat16.h), whose weights are a head's keys and values:
 *
 *   scores [72, T]  = q k'
 *   scores          = exp(scale (scores - the row's largest))
 *   out [72, DH]    = scores v / the row's sum of scores
 *
 * What both products read is rounded; scores, softmax and sums are float32. */
#include "math/attention_rows.h"
#include "math/linear_bfloat16.h"

enum { GROUP_TILES = 6, GROUP = GROUP_TILES * LP_TILE_ROWS };

/* Rows of a group: all have about as many, in whole tiles; of one query at least. */
static size_t group_rows(size_t queries) {
    size_t tiles = (queries + LP_TILE_ROWS - 1) / LP_TILE_ROWS;
    size_t groups = (tiles + GROUP_TILES - 1) / GROUP_TILES;
    return (tiles + groups - 1) / groups * LP_TILE_ROWS;
}

LP_BODY void attend_groups(const attention_job *j) {
    const lp_attention_input *in = j->in;
    const lp_packed_linear keys = {.in = in->head_width,
                                   .out = in->tokens,
                                   .precision = LP_PRECISION_BFLOAT16,
                                   .panels = j->keys};
    const lp_packed_linear values = {.in = in->tokens,
                                     .out = in->head_width,
                                     .precision = LP_PRECISION_BFLOAT16,
                                     .panels = j->values};
    size_t columns = value_columns(in), stride = score_columns(in), step = group_rows(in->queries);
    const lp_linear_output to_scores = {.y = j->scores, .stride = stride};
    const lp_linear_output to_out = {.y = j->out, .stride = columns};
    for (size_t h = 0; h < in->heads; h++) {
        size_t column = h * in->head_width;
        lp_linear_bfloat16_pack(in->k + column, in->tokens, in->head_width, in->kv_stride, 1,
                                j->keys);
        lp_linear_bfloat16_pack(in->v + column, in->head_width, in->tokens, 1, in->kv_stride,
                                j->values);
        for (size_t first = 0; first < in->queries; first += step) {
            size_t left = in->queries - first, rows = left < step ? left : step;
            float shares[GROUP];
            if (j->y_stride == 0) {
                fetch_tiled(j, first, rows, column);
            }
            if (h + 1 < in->heads) {
                fetch_next(in, first, rows, column + in->head_width);
            }
            lp_tile(in->q + first * in->q_stride + column, rows, in->head_width, in->q_stride,
                    j->tiles);
            lp_linear_bfloat16_run(&keys, j->tiles, rows, &to_scores, j->room);
            for (size_t i = 0; i < rows; i += QUERIES) {
                size_t here = rows - i < QUERIES ? rows - i : QUERIES;
                float *scores = j->scores + i * stride;
                if (in->bias != NULL) {
                    add_bias(in, h, first + i, here, scores, stride);
                }
                soften(scores, here, stride, in->tokens, in->bias != NULL ? 1 : in->scale,
                       shares + i);
            }
            lp_tile(j->scores, rows, in->tokens, stride, j->tiles);
            lp_linear_bfloat16_run(&values, j->tiles, rows, &to_out, j->room);
            put(j, shares, first, rows, column);
        }
    }
}

static void run_groups(const attention_job *j);

LP_KERNEL(run_groups, attend_groups, (const attention_job *j), (j))

static size_t tiles_floats(const lp_attention_input *in) {
    return lp_tiled(GROUP, in->tokens > in->head_width ? in->tokens : in->head_width);
}

/* Whole cache lines. */
static size_t packed_floats(size_t out, size_t in) {
    return (lp_linear_bfloat16_packed(out, in) + RUN - 1) / RUN * RUN;
}

size_t lp_attention_bfloat16_scratch(const lp_attention_input *in) {
    return packed_floats(in->tokens, in->head_width) + packed_floats(in->head_width, in->tokens) +
           tiles_floats(in) + GROUP * (score_columns(in) + value_columns(in)) +
           lp_linear_bfloat16_scratch(0);
}

void lp_attention_bfloat16(attention_job j, float *scratch) {
    j.keys = scratch;
    j.values = j.keys + packed_floats(j.in->tokens, j.in->head_width);
    j.tiles = j.values + packed_floats(j.in->head_width, j.in->tokens);
    j.scores = j.tiles + tiles_floats(j.in);
    j.out = j.scores + GROUP * score_columns(j.in);
    j.room = j.out + GROUP * value_columns(j.in);
    run_groups(&j);
}
