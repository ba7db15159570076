/* 16-bit floats to float32, by their bits, so that the result depends on no rounding mode and on
 * no processor. */
#include "base/half.h"

#include <string.h>

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float lp_half_to_float(uint16_t bits) {
    uint32_t sign = (uint32_t)(bits & 0x8000u) << 16;
    uint32_t exponent = (bits >> 10) & 0x1fu;
    uint32_t fraction = bits & 0x3ffu;
    if (exponent == 0) {
        /* Zero or fraction * 2^-24; the product is exact, a normal float32. */
        float magnitude = (float)fraction * 0x1p-24f;
        return sign != 0 ? -magnitude : magnitude;
    }
    if (exponent == 0x1f) {
        return float_of_bits(sign | 0x7f800000u | fraction << 13);
    }
    return float_of_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

float lp_bfloat16_to_float(uint16_t bits) {
    return float_of_bits((uint32_t)bits << 16);
}
