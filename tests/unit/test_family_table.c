/* The tables of families in docs/MODEL.md say what those of families.c say; and those are sound. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "model/families.h"
#include "model/net_build.h"

enum { CELL = 600 };

static char *document;

static int read_document(void **state) {
    (void)state;
    lp_map map;
    lp_error err;
    if (lp_map_open(LP_TEST_DATA "/../docs/MODEL.md", &map, &err) != LP_OK) {
        return -1;
    }
    document = lp_alloc((size_t)map.size + 1, 1);
    if (document != NULL) {
        memcpy(document, map.data, (size_t)map.size);
        document[map.size] = '\0';
    }
    lp_map_close(&map);
    return document != NULL ? 0 : -1;
}

static int free_document(void **state) {
    (void)state;
    lp_free(document);
    return 0;
}

/* A family's row in table `table`, 0 or 1: the line that begins with "| `name` |". */
static const char *row_of(const char *family, int table) {
    char begin[64];
    (void)snprintf(begin, sizeof begin, "\n| `%s` |", family);
    const char *row = strstr(document, begin);
    for (; table > 0 && row != NULL; table--) {
        row = strstr(row + 1, begin);
    }
    if (row == NULL) {
        fail_msg("docs/MODEL.md: no row of %s", family);
    }
    return row + 1;
}

/* Cell `number` of a row, from 0, without the blanks round it. */
static void copy_cell(const char *row, int number, char cell[CELL]) {
    const char *begin = row;
    for (; number >= 0; number--) {
        begin = strchr(begin, '|') + 1;
        assert_non_null(strchr(begin, '|'));
    }
    size_t size = strcspn(begin + 1, "|\n");
    assert_true(size > 0 && size < CELL);
    memcpy(cell, begin + 1, size);
    cell[size - 1] = '\0';
}

static void assert_begins(const char *family, int column, const char *expected) {
    char cell[CELL];
    copy_cell(row_of(family, 1), column, cell);
    if (strncmp(cell, expected, strlen(expected)) != 0) {
        fail_msg("docs/MODEL.md, %s, column %d: expected \"%s\", found \"%s\"", family, column,
                 expected, cell);
    }
}

static void assert_lists(const char *family, int column, const char *const names[LP_FAMILY_NAMES]) {
    char cell[CELL], quoted[128];
    copy_cell(row_of(family, 0), column, cell);
    for (size_t i = 0; i < LP_FAMILY_NAMES && names[i] != NULL; i++) {
        (void)snprintf(quoted, sizeof quoted, names[i][0] != '\0' ? "`%s`" : "none%s", names[i]);
        if (strstr(cell, quoted) == NULL) {
            fail_msg("docs/MODEL.md, %s, column %d: expected %s in \"%s\"", family, column, quoted,
                     cell);
        }
    }
}

static void the_document_lists_what_a_file_is_recognised_by(void **state) {
    (void)state;
    for (size_t i = 0; i < lp_family_count; i++) {
        const lp_family *f = &lp_families[i];
        assert_lists(f->name, 2, f->any);
        assert_lists(f->name, 2, f->with);
        assert_lists(f->name, 2, f->without);
        assert_lists(f->name, 3, f->prefixes);
    }
}

static void the_document_has_each_familys_constants(void **state) {
    (void)state;
    static const char *const mean_stds[] = {[LP_MEAN_STD_HALF] = "0.5",
                                            [LP_MEAN_STD_IMAGENET] = "ImageNet",
                                            [LP_MEAN_STD_CLIP] = "CLIP",
                                            [LP_MEAN_STD_NONE] = "none"};
    static const char *const activations[] = {[LP_ACTIVATION_AUTO] = "asked for",
                                              [LP_ACTIVATION_GELU] = "GELU",
                                              [LP_ACTIVATION_GELU_TANH] = "tanh-GELU"};
    static const char *const positions[] = {[LP_RESIZE_ANTIALIAS] = "antialias",
                                            [LP_RESIZE_PLAIN] = "plain",
                                            [LP_RESIZE_NUDGED] = "nudged"};
    for (size_t i = 0; i < lp_family_count; i++) {
        const lp_family *f = &lp_families[i];
        char eps[16], resize[64];
        (void)snprintf(eps, sizeof eps, "1e-%ld", lround(-log10((double)f->norm_eps)));
        (void)snprintf(resize, sizeof resize, "%zu → %zu", f->shorter_side.to,
                       f->shorter_side.from);
        const lp_net_description *net = f->tower == &lp_net_kind ? f->layout : NULL;
        const char *fixed = net != NULL ? net->activation : NULL; /* the one of all its models */
        bool relu = fixed != NULL && strcmp(fixed, "relu") == 0;
        assert_begins(f->name, 1,
                      relu                                                ? "ReLU"
                      : fixed != NULL && strcmp(fixed, "relu6") == 0      ? "ReLU6"
                      : fixed != NULL && strcmp(fixed, "hard_swish") == 0 ? "hard swish"
                      : fixed != NULL                                     ? "SiLU"
                                      : activations[f->activation]);
        assert_begins(f->name, 2, eps);
        assert_begins(f->name, 3, mean_stds[f->mean_std]);
        assert_begins(f->name, 4,
                      f->float_resize              ? "squash, bilinear, in float32"
                      : f->squash                  ? "squash"
                      : f->shorter_side.from == 0  ? "shorter side"
                      : f->shorter_side.from == 9  ? "⌊input / 0.9⌋"
                      : f->shorter_side.from == 19 ? "⌊input / 0.95⌋"
                                                   : resize);
        if (net != NULL && net->input_of_positions) {
            assert_begins(f->name, 5, positions[f->resize]);
        }
    }
}

/* A family that comes first may take the files of one behind it, but not all of them. */
static void every_family_can_be_reached(void **state) {
    (void)state;
    for (size_t i = 0; i < lp_family_count; i++) {
        assert_non_null(lp_families[i].any[0]);
        assert_non_null(lp_families[i].prefixes[0]);
        assert_true(lp_families[i].mean_std != LP_MEAN_STD_AUTO);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(lp_families[i].name, lp_families[j].name);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_lists_what_a_file_is_recognised_by),
        cmocka_unit_test(the_document_has_each_familys_constants),
        cmocka_unit_test(every_family_can_be_reached),
    };
    return cmocka_run_group_tests(tests, read_document, free_document);
}
