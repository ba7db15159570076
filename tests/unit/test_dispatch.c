/* A kernel compiled for one processor gives the same bits as the same kernel compiled for another,
 * so that features do not depend on it as far as this library's own code goes. */
#include "math/rows.c" /* its versions are static; the library's copy is not linked */

#include "base/random.h"
#include "check.h"
#include "normal.h"

#if defined(__GNUC__) && defined(__x86_64__)

enum { ROWS = 7, COLUMNS = 203, CELLS = ROWS * COLUMNS, TILED = 12 * 208 };

typedef void (*version)(float *x, const float *bias);

#define VERSIONS(suffix)                                                                           \
    static void layer_norm_of##suffix(float *x, const float *bias) {                               \
        layer_norm##suffix(x, ROWS, COLUMNS, COLUMNS, bias, bias, 1e-5F, x, COLUMNS);              \
    }                                                                                              \
    static void layer_norm_tiled_of##suffix(float *x, const float *bias) {                         \
        float tiled[TILED];                                                                        \
        layer_norm_tiled##suffix(x, ROWS, COLUMNS, COLUMNS, bias, bias, 1e-5F, tiled);             \
        memcpy(x, tiled, CELLS * sizeof *x);                                                       \
    }                                                                                              \
    static void add_bias_of##suffix(float *x, const float *bias) {                                 \
        add_bias##suffix(x, ROWS, COLUMNS, COLUMNS, bias);                                         \
    }                                                                                              \
    static const version versions##suffix[] = {layer_norm_of##suffix, layer_norm_tiled_of##suffix, \
                                               add_bias_of##suffix};

VERSIONS()
VERSIONS(_avx2)
VERSIONS(_avx512)

static void compare(const version *one, const version *other) {
    float start[CELLS], bias[COLUMNS], a[CELLS], b[CELLS];
    lp_random random;
    lp_random_seed(&random, 5);
    for (size_t i = 0; i < COLUMNS; i++) {
        bias[i] = (float)random_normal(&random);
    }
    for (size_t i = 0; i < CELLS; i++) {
        start[i] = (float)(4 * random_normal(&random));
    }
    for (size_t k = 0; k < sizeof versions / sizeof versions[0]; k++) {
        memcpy(a, start, sizeof a);
        memcpy(b, start, sizeof b);
        one[k](a, bias);
        other[k](b, bias);
        assert_memory_equal(a, b, sizeof a);
        assert_memory_not_equal(a, start, sizeof a);
    }
}

static void avx2_gives_the_plain_bits(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS_AVX2);
    compare(versions, versions_avx2);
}

static void avx512_gives_the_plain_bits(void **state) {
    (void)state;
    NEEDS(LP_SUPPORTS("avx512f"));
    compare(versions, versions_avx512);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(avx2_gives_the_plain_bits),
        cmocka_unit_test(avx512_gives_the_plain_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void) {
    puts("1..0 # SKIP one version on this processor");
    return 0;
}

#endif
