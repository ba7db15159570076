/* Products in Arm's 128-bit registers: sums of up to six rows over 16 columns, in 24 of the 32
 * registers.  Four inputs of each row are loaded at once and multiply by element, so that 96
 * multiply-adds go with 22 loads. */
#ifndef LP_MATH_NEON_H
#define LP_MATH_NEON_H

#include <stdbool.h>
#include <stddef.h>

#include "math/dispatch.h"

#if LP_NEON
#include <arm_neon.h>

enum {
    NEON = 4, /* floats of a register */
    NEON_ROWS = 6,
    NEON_VECTORS = 4,
    NEON_COLUMNS = NEON * NEON_VECTORS
};

/* rows: a number that the compiler knows, here and below. */
LP_BODY void neon_clear(float32x4_t s[][NEON_VECTORS], size_t rows) {
    for (size_t i = 0; i < rows; i++) {
        for (size_t v = 0; v < NEON_VECTORS; v++) {
            s[i][v] = vdupq_n_f32(0);
        }
    }
}

/* One input of each row, of number `lane` in x. */
#define NEON_STEP(lane)                                                                            \
    for (size_t v = 0; v < NEON_VECTORS; v++) {                                                    \
        float32x4_t weights = vld1q_f32(w + (lane)*stride + v * NEON);                             \
        for (size_t i = 0; i < rows; i++) {                                                        \
            s[i][v] = vfmaq_laneq_f32(s[i][v], weights, x[i], lane);                               \
        }                                                                                          \
    }

/* s += four inputs of each row times w [4][stride], its first 16 columns, input after input. */
LP_BODY void neon_four(float32x4_t s[][NEON_VECTORS], size_t rows, const float *const *from,
                       const float *w, size_t stride) {
    float32x4_t x[NEON_ROWS];
    for (size_t i = 0; i < rows; i++) {
        x[i] = vld1q_f32(from[i]);
    }
    NEON_STEP(0)
    NEON_STEP(1)
    NEON_STEP(2)
    NEON_STEP(3)
}

/* The same of one input. */
LP_BODY void neon_one(float32x4_t s[][NEON_VECTORS], size_t rows, const float *const *from,
                      const float *w) {
    for (size_t v = 0; v < NEON_VECTORS; v++) {
        float32x4_t weights = vld1q_f32(w + v * NEON);
        for (size_t i = 0; i < rows; i++) {
            s[i][v] = vfmaq_n_f32(s[i][v], weights, *from[i]);
        }
    }
}

/* s += `depth` inputs of each row times w [depth][stride]. */
LP_BODY void neon_run(float32x4_t s[][NEON_VECTORS], size_t rows, const float *const *from,
                      size_t depth, const float *w, size_t stride) {
    const float *at[NEON_ROWS];
    size_t k = 0;
    for (size_t i = 0; i < rows; i++) {
        at[i] = from[i];
    }
    for (; k + NEON <= depth; k += NEON, w += NEON * stride) {
        neon_four(s, rows, at, w, stride);
        for (size_t i = 0; i < rows; i++) {
            at[i] += NEON;
        }
    }
    for (; k < depth; k++, w += stride) {
        neon_one(s, rows, at, w);
        for (size_t i = 0; i < rows; i++) {
            at[i]++;
        }
    }
}

/* s -> sums [rows][stride]; add: to what is there. */
LP_BODY void neon_store(float32x4_t s[][NEON_VECTORS], size_t rows, bool add, float *sums,
                        size_t stride) {
    for (size_t i = 0; i < rows; i++) {
        for (size_t v = 0; v < NEON_VECTORS; v++) {
            float *to = sums + i * stride + v * NEON;
            vst1q_f32(to, add ? vaddq_f32(vld1q_f32(to), s[i][v]) : s[i][v]);
        }
    }
}

#endif

#endif
