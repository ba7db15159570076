/* Rows of a set of examples, chosen and copied. */
#include "probe/examples.h"

#include <string.h>

void lp_examples_choose(const lp_examples *from, const size_t *rows, size_t count, const float **x,
                        int64_t *labels, lp_example_rows *to) {
    for (size_t i = 0; i < count; i++) {
        size_t row = rows != NULL ? rows[i] : i;
        x[i] = from->x + row * from->width;
        labels[i] = from->labels[row];
    }
    *to = (lp_example_rows){count, from->width, from->classes, x, labels};
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
