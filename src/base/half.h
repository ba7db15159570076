/* 16-bit floats of weight files, widened to float32.  Both conversions are exact for every one of
 * the 65,536 values: subnormals stay subnormal-sized numbers, infinities and NaNs (with their
 * payload) remain what they are. */
#ifndef LP_BASE_HALF_H
#define LP_BASE_HALF_H

#include <stdint.h>
#include <string.h>

/* The bits of a float32. */
static inline float lp_float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits.  A product that is exact
 * and normal, by the same steps for every value, so that compilers make it vector instructions. */
static inline float lp_half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, exponent = (half >> 10) & 0x1fu, bits;
    uint32_t small = exponent == 0, endless = exponent == 0x1f;
    uint32_t fraction = (half & 0x3ffu) | (1 - small) << 10;
    float scale = lp_float_of_bits((exponent + small + 127 - 25) << 23); /* 2^(exponent - 25) */
    float product = (float)(int32_t)fraction * scale;
    memcpy(&bits, &product, sizeof bits);
    return lp_float_of_bits(sign | bits | endless * 0x7f800000u);
}

/* bfloat16: the upper half of a float32. */
static inline float lp_bfloat16_to_float(uint16_t bits) {
    return lp_float_of_bits((uint32_t)bits << 16);
}

#endif
