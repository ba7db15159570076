/* Rows of a set of examples, copied. */
#include "probe/examples.h"

#include <string.h>

void lp_examples_take(const lp_examples *from, const size_t *rows, size_t count, float *x,
                      int64_t *labels, lp_examples *to) {
    for (size_t i = 0; i < count; i++) {
        memcpy(x + i * from->width, from->x + rows[i] * from->width, from->width * sizeof *x);
        labels[i] = from->labels[rows[i]];
    }
    *to = *from;
    to->count = count;
    to->x = x;
    to->labels = labels;
}
