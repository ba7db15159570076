/* L-BFGS: the two-loop recursion round a preconditioner.
 *
 *     q = g;  newest to oldest:  a_i = s_i.q / s_i.y_i,  q -= a_i y_i
 *     d = gamma H q,  gamma = s.y / y.H y of the newest
 *     oldest to newest:  d += s_i (a_i - y_i.d / s_i.y_i) */
#include "probe/lbfgs.h"

#include <float.h>
#include <math.h>
#include <string.h>

lp_lbfgs lp_lbfgs_make(size_t problems, size_t size, size_t depth, lp_memory *memory) {
    lp_lbfgs l = {.size = size,
                  .depth = depth,
                  .pairs = lp_memory_take(memory, problems * depth, 2 * size * sizeof *l.pairs),
                  .products = lp_memory_take(memory, problems, depth * sizeof *l.products),
                  .learned = lp_memory_take_zeroed(memory, problems, sizeof *l.learned)};
    return l;
}

/* Four partial sums: the compiler may not reorder one. */
double lp_dot(const double *a, const double *b, size_t size) {
    double sums[4] = {0};
    size_t whole = size - size % 4;
    for (size_t j = 0; j < whole; j += 4) {
        for (size_t l = 0; l < 4; l++) {
            sums[l] += a[j + l] * b[j + l];
        }
    }
    for (size_t j = whole; j < size; j++) {
        sums[j - whole] += a[j] * b[j];
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

static void add(double *to, double factor, const double *what, size_t size) {
    for (size_t j = 0; j < size; j++) {
        to[j] += factor * what[j];
    }
}

/* The step that was learned as number i; its change follows it. */
static double *pair_of(const lp_lbfgs *memory, size_t which, size_t i) {
    return memory->pairs + (which * memory->depth + i % memory->depth) * 2 * memory->size;
}

void lp_lbfgs_learn(lp_lbfgs *memory, size_t which, const double *step, const double *change) {
    size_t size = memory->size;
    double product = lp_dot(step, change, size);
    double lengths = sqrt(lp_dot(step, step, size)) * sqrt(lp_dot(change, change, size));
    if (!(product > DBL_EPSILON * lengths)) {
        return;
    }
    double *pair = pair_of(memory, which, memory->learned[which]);
    memcpy(pair, step, size * sizeof *pair);
    memcpy(pair + size, change, size * sizeof *pair);
    memory->products[which * memory->depth + memory->learned[which] % memory->depth] = product;
    memory->learned[which]++;
}

void lp_lbfgs_direction(const lp_lbfgs *memory, size_t which, const double *gradient,
                        lp_inverse inverse, void *context, double *direction, double *scratch) {
    enum { DEEPEST = 64 };
    double shares[DEEPEST] = {0};
    size_t size = memory->size, depth = memory->depth < DEEPEST ? memory->depth : DEEPEST;
    size_t end = memory->learned[which], first = end > depth ? end - depth : 0;
    const double *products = memory->products + which * memory->depth;
    memcpy(scratch, gradient, size * sizeof *scratch);
    for (size_t i = end; i-- > first;) {
        const double *pair = pair_of(memory, which, i);
        shares[i - first] = lp_dot(pair, scratch, size) / products[i % memory->depth];
        add(scratch, -shares[i - first], pair + size, size);
    }
    double gamma = 1;
    if (end > 0) {
        const double *change = pair_of(memory, which, end - 1) + size;
        inverse(context, which, change, direction);
        double weighted = lp_dot(change, direction, size);
        gamma = weighted > 0 ? products[(end - 1) % memory->depth] / weighted : 1;
    }
    inverse(context, which, scratch, direction);
    for (size_t j = 0; j < size; j++) {
        direction[j] *= -gamma;
    }
    for (size_t i = first; i < end; i++) {
        const double *pair = pair_of(memory, which, i);
        double share = lp_dot(pair + size, direction, size) / products[i % memory->depth];
        add(direction, -shares[i - first] - share, pair, size);
    }
}
