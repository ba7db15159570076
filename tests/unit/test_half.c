/* 16-bit floats: all 65,536 values of both kinds against their definitions. */
#include <math.h>

#include "check.h"
#include "base/half.h"

/* A binary floating-point number of 16 bits by its definition, in double, which holds each of them
 * exactly. */
static double defined_value(unsigned bits, int exponent_bits, int fraction_bits) {
    double sign = bits & 0x8000u ? -1.0 : 1.0;
    int bias = (1 << (exponent_bits - 1)) - 1;
    int exponent = (int)(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
    int fraction = (int)bits & ((1 << fraction_bits) - 1);
    if (exponent == (1 << exponent_bits) - 1) {
        return fraction != 0 ? (double)NAN : sign * (double)INFINITY;
    }
    if (exponent == 0) {
        return sign * ldexp(fraction, 1 - bias - fraction_bits);
    }
    return sign * ldexp((1 << fraction_bits) + fraction, exponent - bias - fraction_bits);
}

static void check_all(float (*convert)(uint16_t), int exponent_bits, int fraction_bits) {
    for (unsigned bits = 0; bits < 65536; bits++) {
        double expected = defined_value(bits, exponent_bits, fraction_bits);
        float found = convert((uint16_t)bits);
        if (isnan(expected) ? !isnan(found)
                            : (double)found != expected || !signbit(found) != !signbit(expected)) {
            fail_msg("0x%04x: expected %a, found %a", bits, expected, (double)found);
        }
    }
}

static void half_floats_are_exact(void **state) {
    (void)state;
    check_all(lp_half_to_float, 5, 10);
    assert_true(lp_half_to_float(0x3c00) == 1.0f);
    assert_true(lp_half_to_float(0x7bff) == 65504.0f);
    assert_true(lp_half_to_float(0x0001) == 0x1p-24f);
}

static void bfloat16_is_exact(void **state) {
    (void)state;
    check_all(lp_bfloat16_to_float, 8, 7);
    assert_true(lp_bfloat16_to_float(0x3f80) == 1.0f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_floats_are_exact),
        cmocka_unit_test(bfloat16_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
