/* Generated pictures: the same bytes everywhere, in CIFAR-100's format, and nothing of the probe in
 * the pretraining set. */
#include <stdbool.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "check.h"
#include "draw/generate.h"
#include "test_folder.h"
#include "linprobe/dataset.h"

enum { TRAIN = 3, TEST = 2, CAPTIONED = 600 };

static lp_error err;

/* Reads folder/name whole. */
static char *contents(const char *name, size_t *size) {
    char *bytes;
    assert_ok(lp_file_read(in_folder(name), 1 << 24, &bytes, size, &err), &err);
    return bytes;
}

static void assert_digest(const char *name, const char *expected) {
    char hex[LP_DIGEST_HEX];
    assert_ok(lp_digest_file(LP_SHA256, in_folder(name), hex, &err), &err);
    assert_string_equal(hex, expected);
}

/* The digests are those of the first machine that ran this: any other must draw the same. */
static void the_seed_gives_these_bytes(void **state) {
    (void)state;
    for (size_t threads = 1; threads <= 3; threads += 2) {
        assert_ok(lp_generate_dataset(test_folder, 7, TRAIN, TEST, threads, &err), &err);
        assert_ok(lp_generate_captioned(test_folder, 7, CAPTIONED, threads, &err), &err);
        assert_digest("cifar-100-binary/train.bin",
                      "1d4c450936c739781be630388b54a06bba27633d2ac3af11f9d47519aa372cd7");
        assert_digest("cifar-100-binary/test.bin",
                      "1c7c0ea98c2b107dbfb475e6d86a606e8958c776a7e029e38cb16a092e1c0ec1");
        assert_digest("captioned/images.bin",
                      "bd5fe780a7f6ab8d4c9e761c5c78baa188308146f9c23d8c4181bc065ddc4d6a");
        assert_digest("captioned/captions.txt",
                      "dcb601d49a6846ad1dc828ccbed079d4d911b8d23d805bbff47dbf48c6db7df3");
    }
}

static void the_dataset_is_cifar_100s(void **state) {
    (void)state;
    assert_ok(lp_generate_dataset(test_folder, 1, TRAIN, TEST, 0, &err), &err);
    for (int split = LP_SPLIT_TRAIN; split <= LP_SPLIT_TEST; split++) {
        for (int kind = LP_LABELS_FINE; kind <= LP_LABELS_COARSE; kind++) {
            lp_dataset *data;
            assert_ok(
                lp_dataset_open(test_folder, (lp_split)split, (lp_label_kind)kind, &data, &err),
                &err);
            const lp_dataset_info *info = lp_dataset_describe(data);
            size_t a_class = split == LP_SPLIT_TRAIN ? TRAIN : TEST;
            assert_int_equal(info->count, LP_GENERATED_CLASSES * a_class);
            assert_int_equal(info->classes, kind == LP_LABELS_FINE ? 100 : 20);
            for (size_t i = 0; i < info->count; i++) {
                assert_int_equal(lp_dataset_labels(data)[i],
                                 kind == LP_LABELS_FINE ? i % 100 : i % 100 / 5);
            }
            assert_string_equal(lp_dataset_class_name(data, 15),
                                kind == LP_LABELS_FINE ? "dotted_orange_star" : "crown");
            lp_dataset_close(data);
        }
    }
}

/* Nothing but the class is the same in two pictures of a class. */
static void pictures_differ(void **state) {
    (void)state;
    size_t train_size, test_size, other_size;
    assert_ok(lp_generate_dataset(test_folder, 1, TRAIN, TEST, 0, &err), &err);
    char *train = contents("cifar-100-binary/train.bin", &train_size);
    char *test = contents("cifar-100-binary/test.bin", &test_size);
    assert_ok(lp_generate_dataset(test_folder, 2, TRAIN, TEST, 0, &err), &err);
    char *other = contents("cifar-100-binary/train.bin", &other_size);
    const size_t record = 2 + LP_DRAWING_BYTES;
    for (size_t i = 0; i < train_size / record; i++) {
        const char *picture = train + i * record + 2;
        for (size_t j = i % 100; j < train_size / record; j += 100) {
            assert_memory_not_equal(picture, other + j * record + 2, LP_DRAWING_BYTES);
            if (j != i) {
                assert_memory_not_equal(picture, train + j * record + 2, LP_DRAWING_BYTES);
            }
            if (j < test_size / record) {
                assert_memory_not_equal(picture, test + j * record + 2, LP_DRAWING_BYTES);
            }
        }
    }
    lp_free(train);
    lp_free(test);
    lp_free(other);
}

static void classes_are_distinct_combinations(void **state) {
    (void)state;
    char names[LP_GENERATED_CLASSES][LP_CLASS_NAME];
    size_t of_pattern[LP_PATTERNS] = {0}, of_colour[LP_COLOURS] = {0};
    for (size_t i = 0; i < LP_GENERATED_CLASSES; i++) {
        lp_drawing drawing;
        lp_generated_class(i, &drawing, names[i]);
        assert_int_equal(drawing.shape, i / 5);
        of_pattern[drawing.pattern]++;
        of_colour[drawing.colour]++;
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(names[i], names[j]);
        }
    }
    for (size_t i = 0; i < LP_PATTERNS; i++) {
        assert_int_equal(of_pattern[i], LP_GENERATED_CLASSES / LP_PATTERNS);
    }
    for (size_t i = 0; i < LP_COLOURS; i++) {
        assert_in_range(of_colour[i], 10, 15);
    }
}

/* Does the text hold this word, between spaces or line ends? */
static bool has_word(const char *text, const char *word) {
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)) != NULL; at += length) {
        if (at > text && at[-1] == ' ' && strchr(" \n", at[length]) != NULL) {
            return true;
        }
    }
    return false;
}

static void pretraining_never_tells_a_probe_class(void **state) {
    (void)state;
    size_t size, lines = 0;
    assert_ok(lp_generate_captioned(test_folder, 3, 10 * CAPTIONED, 0, &err), &err);
    char *text = contents("captioned/captions.txt", &size);
    for (size_t i = 0; i < LP_SHAPES; i++) {
        bool kept = i >= LP_SHAPES_SHARED && i < LP_SHAPES_PROBE;
        assert_int_equal(has_word(text, lp_shape_name(i)), !kept);
    }
    for (size_t i = 0; i < LP_PATTERNS; i++) {
        assert_int_equal(has_word(text, lp_pattern_name(i)), i < LP_PATTERNS_SHARED);
    }
    for (size_t i = 0; i < LP_COLOURS; i++) {
        assert_int_equal(has_word(text, lp_colour_name(i)), i < LP_COLOURS_SHARED);
    }
    for (char *line = text; *line != '\0'; lines++) {
        char *end = strchr(line, '\n');
        assert_non_null(end);
        char kept = end[1];
        end[1] = '\0';
        for (size_t i = 0; i < LP_GENERATED_CLASSES; i++) {
            lp_drawing class;
            char name[LP_CLASS_NAME];
            lp_generated_class(i, &class, name);
            assert_false(has_word(line, lp_shape_name(class.shape)) &&
                         has_word(line, lp_pattern_name(class.pattern)) &&
                         has_word(line, lp_colour_name(class.colour)));
        }
        end[1] = kept;
        line = end + 1;
    }
    assert_int_equal(lines, 10 * CAPTIONED);
    lp_free(text);
}

static void wrong_counts_are_refused(void **state) {
    (void)state;
    assert_fails(lp_generate_dataset(test_folder, 1, 0, 1, 1, &err), LP_ERR_ARGUMENT, &err,
                 "expected 1 to 100000, found 0 for training");
    assert_fails(lp_generate_dataset(test_folder, 1, 1, 100001, 1, &err), LP_ERR_ARGUMENT, &err,
                 "100001 for testing");
    assert_fails(lp_generate_captioned(test_folder, 1, 0, 1, &err), LP_ERR_ARGUMENT, &err,
                 "expected 1 to 10000000, found 0");
    assert_fails(lp_generate_captioned("/dev/null", 1, 1, 1, &err), LP_ERR_IO, &err, "/dev/null");
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    for (int captioned = 0; captioned < 2; captioned++) {
        lp_status status = LP_ERR_MEMORY;
        for (size_t k = 1; status != LP_OK; k++) {
            lp_alloc_fail_at(k);
            status = captioned ? lp_generate_captioned(test_folder, 1, 1, 1, &err)
                               : lp_generate_dataset(test_folder, 1, 1, 1, 1, &err);
            lp_alloc_fail_at(0);
            assert_true(status == LP_OK || status == LP_ERR_MEMORY);
            assert_true(status != LP_OK || k > 5);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_seed_gives_these_bytes),
        cmocka_unit_test(the_dataset_is_cifar_100s),
        cmocka_unit_test(pictures_differ),
        cmocka_unit_test(classes_are_distinct_combinations),
        cmocka_unit_test(pretraining_never_tells_a_probe_class),
        cmocka_unit_test(wrong_counts_are_refused),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
