/* 16-bit floats of weight files, widened to float32.  Both conversions are exact for every one of
 * the 65,536 values: subnormals stay subnormal-sized numbers, infinities and NaNs (with their
 * payload) remain what they are. */
#ifndef LP_BASE_HALF_H
#define LP_BASE_HALF_H

#include <stdint.h>

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 fraction bits. */
float lp_half_to_float(uint16_t bits);

/* bfloat16: the upper half of a float32. */
float lp_bfloat16_to_float(uint16_t bits);

#endif
