/* Rows of predictions: order of the likely classes, probabilities, the array. */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "base/npy.h"
#include "linprobe/stats.h"
#include "probe/classifier.h"
#include "report/predictions.h"
#include "test_folder.h"

static const char *const names[] = {"cat", "dog", "a, b"};
static const double logits[2][4] = {{1, 3, 3, -2}, {0, -INFINITY, 1, 0.5}};

static lp_predictions two_rows(const lp_probe *probe, lp_format format) {
    lp_error err;
    lp_predictions p = {.probe = probe,
                        .format = format,
                        .class_names = names,
                        .named = 3,
                        .of_files = true,
                        .top = 3,
                        .keep_values = true};
    assert_int_equal(lp_predictions_add(&p, "x/1.png", 1, logits[0], &err), LP_OK);
    assert_int_equal(lp_predictions_add(&p, "x/2.png", -1, logits[1], &err), LP_OK);
    return p;
}

static void print(FILE *out, const void *context) {
    lp_predictions p = two_rows(context, LP_FORMAT_CSV);
    lp_predictions_print(&p, out);
    lp_predictions_clear(&p);
}

static void orders_classes(void **state) {
    (void)state;
    lp_error err;
    lp_probe *probe;
    char *text;
    size_t size;
    assert_int_equal(lp_probe_new(4, 2, &probe, &err), LP_OK);
    assert_int_equal(lp_text_of(print, probe, &text, &size, &err), LP_OK);
    char *second = strchr(strchr(text, '\n') + 1, '\n');
    assert_non_null(second);
    /* of equal ones the lower class comes first; class 3 has no name */
    assert_non_null(strstr(text, "x/1.png,1,1,dog,0.4"));
    assert_non_null(strstr(text, ",2,\"a, b\",0.4"));
    assert_non_null(strstr(second, "\nx/2.png,,2,\"a, b\",0.5"));
    assert_non_null(strstr(second, ",3,,0.3"));
    free(text);
    lp_predictions p = two_rows(probe, LP_FORMAT_JSON);
    assert_int_equal(p.count, 2);
    assert_int_equal(p.labelled, 1);
    assert_int_equal(p.correct, 1);
    lp_predictions_clear(&p);
    lp_probe_free(probe);
}

static void probabilities_are_those_of_the_formula(void **state) {
    (void)state;
    double softmax[4], ovr[4], sum = 0, total = 0;
    memcpy(softmax, logits[1], sizeof softmax);
    memcpy(ovr, logits[1], sizeof ovr);
    lp_probabilities(softmax, 4, LP_PROBABILITY_SOFTMAX);
    lp_probabilities(ovr, 4, LP_PROBABILITY_OVR);
    for (size_t k = 0; k < 4; k++) {
        sum += exp(logits[1][k]);
        total += 1 / (1 + exp(-logits[1][k]));
    }
    for (size_t k = 0; k < 4; k++) { /* rounding alone */
        assert_true(fabs(softmax[k] - exp(logits[1][k]) / sum) < 1e-15);
        assert_true(fabs(ovr[k] - 1 / (1 + exp(-logits[1][k])) / total) < 1e-15);
    }
}

static void writes_the_array(void **state) {
    (void)state;
    lp_error err;
    lp_probe *probe;
    lp_npy npy;
    char *bytes;
    size_t size;
    assert_int_equal(lp_probe_new(4, 2, &probe, &err), LP_OK);
    lp_predictions p = two_rows(probe, LP_FORMAT_CSV);
    const char *path = in_folder("p.npy");
    assert_int_equal(lp_predictions_write_array(&p, path, &err), LP_OK);
    assert_int_equal(lp_file_read(path, 1 << 20, &bytes, &size, &err), LP_OK);
    assert_int_equal(lp_npy_parse(path, (unsigned char *)bytes, size, &npy, &err), LP_OK);
    assert_int_equal(npy.rank, 2);
    assert_int_equal(npy.shape[0], 2);
    assert_int_equal(npy.shape[1], 4);
    double sum = 0;
    for (size_t k = 0; k < 4; k++) {
        sum += lp_npy_real(&npy, (unsigned char *)bytes + npy.offset, 4 + k);
    }
    assert_true(fabs(sum - 1) < 1e-15);
    lp_free(bytes);
    lp_predictions_clear(&p);
    lp_probe_free(probe);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_classes),
        cmocka_unit_test(probabilities_are_those_of_the_formula),
        cmocka_unit_test(writes_the_array),
    };
    return cmocka_run_group_tests_name("predictions", tests, make_folder, remove_folder);
}
