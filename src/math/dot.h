/* An inner product for kernels' bodies. */
#ifndef LP_MATH_DOT_H
#define LP_MATH_DOT_H

#include <stddef.h>
#include "math/dispatch.h"

/* The sum of a[j] * b[j], j < size, each product fused into one of LP_LANES sums. */
LP_BODY float lp_dot(const float *a, const float *b, size_t size) {
    float lanes[LP_LANES] = {0};
    size_t whole = size - size % LP_LANES;
    for (size_t j = 0; j < whole; j += LP_LANES) {
        for (size_t l = 0; l < LP_LANES; l++) {
            lanes[l] = fmaf(a[j + l], b[j + l], lanes[l]);
        }
    }
    for (size_t j = whole; j < size; j++) {
        lanes[j - whole] = fmaf(a[j], b[j], lanes[j - whole]);
    }
    for (size_t half = LP_LANES / 2; half > 0; half /= 2) {
        for (size_t l = 0; l < half; l++) {
            lanes[l] += lanes[l + half];
        }
    }
    return lanes[0];
}

#endif
