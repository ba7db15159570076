/* Normally distributed numbers. */
#ifndef NORMAL_H
#define NORMAL_H

#include <math.h>

#include "base/random.h"

/* Standard normal (polar method of Marsaglia). */
static inline double random_normal(lp_random *random) {
    double u, v, s;
    do {
        u = 2 * lp_random_uniform(random) - 1;
        v = 2 * lp_random_uniform(random) - 1;
        s = u * u + v * v;
    } while (s >= 1 || s == 0);
    return u * sqrt(-2 * log(s) / s);
}

#endif
