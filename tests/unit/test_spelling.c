/* The nearest known word. */
#include "check.h"
#include "base/spelling.h"

static const char *const known[] = {"extract", "eval",      "fit",      "fewshot",
                                    "knn",     "--threads", "ViT-B/32", "clip-vit-b-32"};

static const char *nearest(const char *word) {
    lp_spelling s = lp_spelling_of(word);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        lp_spelling_try(&s, known[i]);
    }
    return s.nearest != NULL ? s.nearest : "";
}

static void finds_slips(void **state) {
    (void)state;
    assert_string_equal(nearest("extrat"), "extract");   /* left out */
    assert_string_equal(nearest("exttract"), "extract"); /* put in */
    assert_string_equal(nearest("extract"), "extract");
    assert_string_equal(nearest("Evil"), "eval"); /* replaced, and in another case */
    assert_string_equal(nearest("ftiness"), "");
    assert_string_equal(nearest("fti"), "fit"); /* exchanged: one slip */
    assert_string_equal(nearest("--thread"), "--threads");
    assert_string_equal(nearest("few"), "fewshot"); /* cut short */
    assert_string_equal(nearest("vit-b/33"), "ViT-B/32");
    assert_string_equal(nearest("clip-vitb32"), "clip-vit-b-32");
}

static void finds_nothing_far(void **state) {
    (void)state;
    char text[LP_SPELLING_TEXT], longest[200] = "";
    assert_string_equal(nearest("frobnicate"), "");
    assert_string_equal(nearest("x"), ""); /* one slip would replace all of it */
    assert_string_equal(nearest(""), "");
    memset(longest, 'a', sizeof longest - 1);
    assert_string_equal(nearest(longest), "");
    lp_spelling s = lp_spelling_of("fitt");
    assert_string_equal(lp_spelling_text(&s, text), "");
    lp_spelling_try(&s, longest);
    lp_spelling_try(&s, "fit");
    assert_string_equal(lp_spelling_text(&s, text), "; did you mean 'fit'?");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_slips),
        cmocka_unit_test(finds_nothing_far),
    };
    return cmocka_run_group_tests_name("spelling", tests, NULL, NULL);
}
