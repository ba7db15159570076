/* The memory of L-BFGS, for many independent problems of one size: the last steps and what they did
 * to the gradient, and the direction that follows from them.  See Nocedal and Wright, Numerical
 * Optimization, algorithm 7.4. */
#ifndef LP_PROBE_LBFGS_H
#define LP_PROBE_LBFGS_H

#include <stddef.h>
#include "base/memory.h"

typedef struct lp_lbfgs {
    size_t size, depth;
    double *pairs;    /* [problems, depth, 2, size]: step, change */
    double *products; /* [problems, depth] of step and change */
    size_t *learned;  /* [problems] steps so far */
} lp_lbfgs;

/* to [size] = H from, with H an approximate inverse Hessian of problem `which`, symmetric and
 * positive definite.  May change between calls. */
typedef void (*lp_inverse)(void *context, size_t which, const double *from, double *to);

/* Room for the last `depth` steps of each of `problems` problems with `size` unknowns, in `memory`,
 * which the caller checks before use. */
lp_lbfgs lp_lbfgs_make(size_t problems, size_t size, size_t depth, lp_memory *memory);

/* Problem `which` went by step [size] and its gradient changed by change [size].  Ignored unless
 * their product is positive. */
void lp_lbfgs_learn(lp_lbfgs *memory, size_t which, const double *step, const double *change);

/* direction [size] = - (inverse Hessian) gradient.  scratch [size].  Different problems may be
 * called from different threads. */
void lp_lbfgs_direction(const lp_lbfgs *memory, size_t which, const double *gradient,
                        lp_inverse inverse, void *context, double *direction, double *scratch);

double lp_dot(const double *a, const double *b, size_t size);

#endif
