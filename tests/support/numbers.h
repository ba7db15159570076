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

/* As lp_linear_pack_strided. */
typedef void (*pack_function)(const float *weight, size_t out, size_t in, size_t out_stride,
                              size_t in_stride, float *packed);

/* A matrix and the same one turned round, with the strides that say so, are packed alike. */
static inline void assert_packed_alike(size_t (*packed)(size_t out, size_t in),
                                       pack_function pack) {
    enum { OUT = 37, IN = 21 };
    float *w = numbers(OUT * IN), *turned = numbers(OUT * IN);
    size_t floats = packed(OUT, IN);
    float *a = lp_alloc(floats, sizeof *a), *b = lp_alloc(floats, sizeof *b);
    assert_true(a != NULL && b != NULL);
    for (size_t o = 0; o < OUT; o++) {
        for (size_t i = 0; i < IN; i++) {
            turned[i * OUT + o] = w[o * IN + i];
        }
    }
    pack(w, OUT, IN, IN, 1, a);
    pack(turned, OUT, IN, 1, OUT, b);
    assert_memory_equal(a, b, floats * sizeof *a);
    lp_free(a);
    lp_free(b);
    release(w);
    release(turned);
}

#endif
