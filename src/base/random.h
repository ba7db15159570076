/* Seeded random numbers: xoshiro256** (Blackman and Vigna, 2018) started by splitmix64.  The same
 * seed gives the same numbers on every machine; nothing here reads a clock or the system. */
#ifndef LP_BASE_RANDOM_H
#define LP_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct lp_random {
    uint64_t state[4];
} lp_random;

void lp_random_seed(lp_random *random, uint64_t seed);
uint64_t lp_random_next(lp_random *random);

/* Uniform over 0 .. bound-1, without bias; bound > 0. */
uint64_t lp_random_below(lp_random *random, uint64_t bound);

/* Uniform in [0, 1), 53 bits. */
double lp_random_uniform(lp_random *random);

/* Shuffles items in place (Fisher and Yates). */
void lp_random_shuffle(lp_random *random, size_t *items, size_t count);

#endif
