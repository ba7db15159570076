/* expf as a polynomial that compilers vectorise: no table, no branch, no call. */
#ifndef LP_MATH_EXPONENTIAL_H
#define LP_MATH_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

#include "math/dispatch.h"

LP_BODY float lp_power_of_two(uint32_t biased_exponent) {
    uint32_t bits = biased_exponent << 23;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* exp(x) within 1 ulp over all of float32 (2 where the result is subnormal); overflow gives
 * infinity, underflow 0, NaN stays NaN.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2, exp(x) = 2^n (1 + r + r^2 q(r)), q the minimax polynomial of
 * degree 4 (relative error 3e-9).  n is found by adding 1.5 * 2^23, which leaves it in the sum's
 * low bits; ln 2 is split so that n times its first part is exact; 2^n is applied in two halves, so
 * that n = 128 and subnormal results need no case of their own. */
LP_BODY float lp_exp(float x) {
    const float round = 12582912.0F;
    const uint32_t round_bits = 0x4B400000U;
    x = x < -104.0F ? -104.0F : x;
    x = x > 89.0F ? 89.0F : x;
    float sum = x * 1.44269504F + round;
    float n = sum - round;
    float r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
    float q = 0.00138145965F;
    q = q * r + 0.00836871751F;
    q = q * r + 0.041668389F;
    q = q * r + 0.166665211F;
    q = q * r + 0.49999994F;
    float e = 1.0F + (r + r * r * q);
    uint32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    uint32_t shifted = bits - round_bits + 256U; /* n + 256 > 0 */
    uint32_t half = shifted >> 1;
    return e * lp_power_of_two(half - 1U) * lp_power_of_two(shifted - half - 1U);
}

#endif
