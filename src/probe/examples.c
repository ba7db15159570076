/* Rows of a set of examples, chosen and copied. */
#include "probe/examples.h"

#include <string.h>

void lp_examples_choose(const lp_examples *from, const size_t *rows, size_t count, const float **x,
                        int64_t *labels, lp_example_rows *to) {
    for (size_t i = 0; i < count; i++) {
        x[i] = from->x + rows[i] * from->width;
        labels[i] = from->labels[rows[i]];
    }
    *to = (lp_example_rows){count, from->width, from->classes, x, labels};
}

lp_status lp_examples_all(const lp_examples *from, lp_memory *memory, lp_example_rows *to,
                          lp_error *err) {
    const float **x = lp_memory_take(memory, from->count, sizeof *x);
    lp_status status = lp_memory_check(memory, "rows", err);
    for (size_t i = 0; status == LP_OK && i < from->count; i++) {
        x[i] = from->x + i * from->width;
    }
    *to = (lp_example_rows){from->count, from->width, from->classes, x, from->labels};
    return status;
}

void lp_examples_take(const lp_examples *from, const size_t *rows, size_t count, lp_share filled,
                      float *x, int64_t *labels, lp_examples *to) {
    for (size_t i = 0; i < count; i++) {
        labels[i] = from->labels[rows[i]];
    }
    for (size_t i = filled.first; i < filled.end; i++) {
        memcpy(x + i * from->width, from->x + rows[i] * from->width, from->width * sizeof *x);
    }
    *to = *from;
    to->count = count;
    to->x = x;
    to->labels = labels;
}
