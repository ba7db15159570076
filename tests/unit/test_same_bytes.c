/* Features of the golden encoders, byte by byte: the same from every processor that fuses
 * multiply-adds, x86 or Arm, and from every compiler.  A change of the digests is a change of every
 * user's features, and belongs into docs/CHANGELOG.md. */
#include "base/digest.h"
#include "golden.h"
#include "math/dispatch.h"

static void check_digests(void) {
    static const struct {
        const char *file;
        lp_encoder_options options;
        lp_feature_point point;
        const char *sha256;
    } models[] = {
        {"clip",
         {.activation = LP_ACTIVATION_QUICK_GELU},
         LP_FEATURE_PROJECTED,
         "2d549940244b2140f9903bf8198195fd5ec661f6594d8bd756f9705b67b9a6f1"},
        {"clip",
         {.activation = LP_ACTIVATION_GELU},
         LP_FEATURE_PROJECTED,
         "b311a5da37302dcaf8f4a94b714ea0bf06efcb0a57687ecd48d11213cd485167"},
        {"timm",
         {.pool = LP_POOL_MEAN},
         LP_FEATURE_PENULTIMATE,
         "385b042b043192d82096419c4036d47449cb763374422012d8eef334850f8b23"},
        {"clip-resnet",
         {0},
         LP_FEATURE_PROJECTED,
         "70f7ea65027e4cdb4e3fe46e4164998bb43da136a4330c5b80fd32303e3d6491"},
        {"clip",
         {.activation = LP_ACTIVATION_QUICK_GELU, .precision = LP_PRECISION_BFLOAT16},
         LP_FEATURE_PROJECTED,
         "81b5de0845eb97583693f84d0367dc1ab536d41c0cb1430526e070a67a4d9369"},
        {"clip",
         {.activation = LP_ACTIVATION_QUICK_GELU, .precision = LP_PRECISION_INT16},
         LP_FEATURE_PROJECTED,
         "e4139f37072d4034a921f52606b6fc6b145b6d9eed7e131a6658e0fc4bd0b304"},
        {"clip",
         {.activation = LP_ACTIVATION_QUICK_GELU, .precision = LP_PRECISION_INT8},
         LP_FEATURE_PROJECTED,
         "94fe43b243be0615639344a927118175aa936ce7af088688f7c4c338e2f1a6f4"},
    };
    NEEDS(lp_fuses());
    for (size_t m = 0; m < sizeof models / sizeof models[0]; m++) {
        golden g = load_golden(models[m].file, &models[m].options);
        char hex[LP_DIGEST_HEX];
        run(&g, models[m].point, NULL);
        size_t width = lp_encoder_features(lp_encoder_describe(g.encoder), models[m].point);
        assert_ok(lp_digest_bytes(LP_SHA256, g.features, g.batch * width * sizeof *g.features, hex,
                                  &golden_err),
                  &golden_err);
        assert_string_equal(hex, models[m].sha256);
        free_golden(&g);
    }
}

static void features_are_the_same_on_every_processor(void **state) {
    (void)state;
    check_digests();
}

static void so_are_those_of_narrower_registers(void **state) {
    (void)state;
    lp_without_avx512 = true;
    check_digests();
    lp_without_avx512 = false;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_are_the_same_on_every_processor),
        cmocka_unit_test(so_are_those_of_narrower_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
