/* bfloat16: float32's sign, exponent and first seven bits. */
#ifndef LP_MATH_BFLOAT16_H
#define LP_MATH_BFLOAT16_H

#include <stdint.h>
#include <string.h>

#include "math/dispatch.h"

/* The bits of x rounded to the nearest bfloat16 (the even one of two), in the upper half; what
 * is smaller than 2^-55 becomes 0.  A product, and hence every sum of products, is then a multiple
 * of 2^-124: the instruction of AVX-512 BF16, which takes subnormal numbers for 0 and gives 0 for
 * them, meets none. */
LP_BODY uint32_t lp_bfloat16_bits(float x) {
    enum { LEAST = (127 - 55) << 23, INFINITE = 0xFF << 23, QUIET = 1 << 22 };
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t size = bits & 0x7FFFFFFFU;
    uint32_t nearest = bits + 0x7FFFU + (bits >> 16 & 1U);
    nearest = size < LEAST ? 0 : nearest;
    nearest = size > INFINITE ? bits | QUIET : nearest; /* NaN */
    return nearest & 0xFFFF0000U;
}

/* Two of them as the instruction reads them: it adds the product of the upper halves of its
 * arguments, then that of the lower ones, each with one rounding to the nearest.  So a chain's
 * order is that of float32. */
LP_BODY uint32_t lp_bfloat16_pair(float earlier, float later) {
    return lp_bfloat16_bits(earlier) | lp_bfloat16_bits(later) >> 16;
}

#endif
