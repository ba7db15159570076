/* Some of a set's examples. */
#ifndef LP_PROBE_EXAMPLES_H
#define LP_PROBE_EXAMPLES_H

#include <stddef.h>
#include <stdint.h>
#include "base/memory.h"
#include "base/team.h"
#include "linprobe/probe.h"

/* Examples whose rows lie where they are: nothing is copied. */
typedef struct lp_example_rows {
    size_t count, width, classes;
    const float *const *x; /* [count] rows of width */
    const int64_t *labels; /* [count] */
} lp_example_rows;

/* Points x [count] at these rows of `from` [N, F], copies their labels [count], and describes them
 * in *to.  x and labels are the caller's. */
void lp_examples_choose(const lp_examples *from, const size_t *rows, size_t count, const float **x,
                        int64_t *labels, lp_example_rows *to);

/* The same of all N rows; *to has the labels of `from`, and its pointers lie in `memory`. */
LP_MUST_USE lp_status lp_examples_all(const lp_examples *from, lp_memory *memory,
                                      lp_example_rows *to, lp_error *err);

/* Copies these rows of `from` [N, F] into x [count, F] and labels [count], the caller's, and
 * describes them in *to.  Of x only the rows first to end - 1 are filled. */
void lp_examples_take(const lp_examples *from, const size_t *rows, size_t count, lp_share filled,
                      float *x, int64_t *labels, lp_examples *to);

#endif
