/* Random numbers in guarded memory, for the tests of kernels. */
#ifndef LP_TESTS_NUMBERS_H
#define LP_TESTS_NUMBERS_H

#include "base/alloc.h"
#include "base/random.h"
#include "check.h"
#include "normal.h"

static const float GUARD = -12345.0F;
static lp_random source; /* to be seeded first */

/* Normal numbers with a guard cell before and behind; not aligned, as a caller's may be. */
static inline float *numbers(size_t count) {
    float *cells = lp_alloc(count + 2, sizeof *cells);
    assert_non_null(cells);
    cells[0] = cells[count + 1] = GUARD;
    for (size_t i = 1; i <= count; i++) {
        cells[i] = (float)random_normal(&source);
    }
    return cells + 1;
}

static inline void assert_guarded(const float *x, size_t count) {
    assert_true(x[-1] == GUARD && x[count] == GUARD);
}

static inline void release(float *x) {
    lp_free(x - 1);
}

/* The guards are looked at first. */
static inline void release_guarded(float *x, size_t count) {
    assert_guarded(x, count);
    release(x);
}

#endif
