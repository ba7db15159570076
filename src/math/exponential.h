/* expf as a polynomial that compilers vectorise: no table, no branch, no call. */
#ifndef LP_MATH_EXPONENTIAL_H
#define LP_MATH_EXPONENTIAL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "math/dispatch.h"

LP_BODY float lp_power_of_two(uint32_t biased_exponent) {
    uint32_t bits = biased_exponent << 23;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* lp_exp for -88 <= x <= 89, and only there.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2, exp(x) = 2^n (1 + r + r^2 q(r)), q the minimax polynomial of
 * degree 4 (relative error 3e-9).  n is found by adding 1.5 * 2^23, which leaves it in the sum's
 * low bits; ln 2 is split so that n times its first part is exact.  The ends need no case of their
 * own: as a biased exponent, n = -127 is that of 0 and n = 128 that of infinity. */
LP_BODY float lp_exp_within(float x) {
    const float round = 12582912.0F;
    const uint32_t round_bits = 0x4B400000U;
    float sum = fmaf(x, 1.44269504F, round);
    float n = sum - round;
    float r = fmaf(n, 2.12194440e-4F, fmaf(n, -0.693359375F, x));
    float q = 0.00138145965F;
    q = fmaf(q, r, 0.00836871751F);
    q = fmaf(q, r, 0.041668389F);
    q = fmaf(q, r, 0.166665211F);
    q = fmaf(q, r, 0.49999994F);
    float e = 1.0F + fmaf(r * r, q, r);
    uint32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return e * lp_power_of_two(bits - round_bits + 127U);
}

/* lp_exp for x <= 89 and NaN.  A limit of its own, as gcc 12 makes eight steps of two. */
LP_BODY float lp_exp_below(float x) {
    return lp_exp_within(x < -88.0F ? -88.0F : x);
}

/* exp(x) within 1 ulp where the result is at least 2^-126 and at most 2^127.5; infinity above that,
 * 0 below 2^-126.5, NaN stays NaN. */
LP_BODY float lp_exp(float x) {
    return lp_exp_below(x > 89.0F ? 89.0F : x);
}

/* The smaller one of x and a positive limit; of a NaN, it or the limit.  They are compared as
 * integers, which have the order of such floats: one step, and no case of its own for the limit. */
LP_BODY float lp_at_most(float x, float limit) {
    int32_t bits, most;
    memcpy(&bits, &x, sizeof bits);
    memcpy(&most, &limit, sizeof most);
    bits = bits < most ? bits : most;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* lp_exp, but of a NaN anything: for what a NaN reaches in another way. */
LP_BODY float lp_exp_of_number(float x) {
    return lp_exp_below(lp_at_most(x, 89.0F));
}

#endif
