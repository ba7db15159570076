/* Parts of a set of examples, chosen by strata. */
#ifndef LP_PROBE_EXAMPLES_H
#define LP_PROBE_EXAMPLES_H

#include <stddef.h>
#include <stdint.h>
#include "base/strata.h"
#include "linprobe/probe.h"

/* Copies these rows of `from` [N, F] into x [count, F] and labels [count], the caller's, and
 * describes them in *to. */
void lp_examples_take(const lp_examples *from, const size_t *rows, size_t count, float *x,
                      int64_t *labels, lp_examples *to);

#endif
