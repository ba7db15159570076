/* Folders of images: what is found, in which order and split; broken files; files that change. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/parallel.h"
#include "check.h"
#include "dataset_checks.h"
#include "test_folder.h"
#include "data/image_file.h"
#include "linprobe/dataset.h"

static lp_error err;

/* ---- files ----------------------------------------------------------------------------------- */

/* The file becomes a copy of a golden file, or the first `size` bytes of it. */
static void put_golden(const char *name, const char *golden, size_t size) {
    char path[512];
    char *bytes;
    size_t whole;
    (void)snprintf(path, sizeof path, "%s/golden/image_file/%s", LP_TEST_DATA, golden);
    assert_ok(lp_file_read(path, 1 << 20, &bytes, &whole, &err), &err);
    put_file(name, bytes, size > 0 ? size : whole);
    lp_free(bytes);
}

/* Any image; all sizes and formats take turns. */
static void put_image(const char *name) {
    static const char *const files[] = {"grey.jpg", "type2-depth8.png", "cmyk.jpg",
                                        "type3-depth4.png"};
    static size_t next;
    put_golden(name, files[next++ % 4], 0);
}

static lp_dataset *open_split(const char *name, lp_split split) {
    lp_dataset *data;
    assert_ok(lp_dataset_open(in_folder(name), split, LP_LABELS_FINE, &data, &err), &err);
    return data;
}

#define assert_refused(name, split, status, part)                                                  \
    do {                                                                                           \
        lp_dataset *refused_ = (lp_dataset *)test_folder;                                          \
        assert_fails(lp_dataset_open(in_folder(name), split, LP_LABELS_FINE, &refused_, &err),     \
                     status, &err, part);                                                          \
        assert_null(refused_);                                                                     \
    } while (0)

/* The digest is over these files, below root/folder, with their labels. */
static void assert_digest(const lp_dataset *data, const char *folder, const char *const *names,
                          size_t count) {
    lp_digest *digest;
    char hex[LP_DIGEST_HEX], line[256], path[256];
    assert_int_equal(lp_dataset_describe(data)->count, count);
    assert_ok(lp_digest_new(LP_SHA256, &digest, &err), &err);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        assert_ok(lp_digest_file(LP_SHA256, in_folder(path), hex, &err), &err);
        int size = snprintf(line, sizeof line, "%s  %d %s", hex, (int)lp_dataset_labels(data)[i],
                            names[i]);
        assert_ok(lp_digest_add(digest, line, (size_t)size + 1, &err), &err);
    }
    assert_ok(lp_digest_hex(digest, hex, &err), &err);
    lp_digest_free(digest);
    assert_string_equal(lp_dataset_describe(data)->digest, hex);
}

/* Image i is what decoding this file gives. */
static void assert_image(const lp_dataset *data, size_t i, const char *name) {
    char *bytes;
    size_t size, height, width, h, w;
    assert_ok(lp_file_read(in_folder(name), 1 << 20, &bytes, &size, &err), &err);
    const lp_image_file picture = {name, (const unsigned char *)bytes, size};
    assert_ok(lp_image_file_size(&picture, &height, &width, &err), &err);
    lp_dataset_image_size(data, i, &h, &w);
    assert_int_equal(h, height);
    assert_int_equal(w, width);
    unsigned char *expected = lp_alloc(h * w, 3), *found = lp_alloc(h * w, 3);
    assert_true(expected != NULL && found != NULL);
    assert_ok(lp_image_file_decode(&picture, expected, &err), &err);
    assert_ok(lp_dataset_image(data, i, found, &err), &err);
    assert_memory_equal(found, expected, h * w * 3);
    lp_free(expected);
    lp_free(found);
    lp_free(bytes);
}

/* ---- what is found --------------------------------------------------------------------------- */

static void own_split(void **state) {
    (void)state;
    /* in torchvision's order: by class, by folder, by name, all as bytes */
    static const char *const train[] = {"Zebra/1.jpg", "ant/B.png",     "ant/a.JPEG",
                                        "ant/a/9.jpg", "ant/a b/2.png", "ant/a/deep/0.Png",
                                        "bee/x.jpg"};
    static const int64_t labels[] = {0, 1, 1, 1, 1, 1, 2};
    char name[64];
    for (size_t i = 7; i > 0; i--) {
        (void)snprintf(name, sizeof name, "own/train/%s", train[i - 1]);
        put_image(name);
    }
    put_image("own/train/ant/.hidden.jpg");
    put_image("own/train/.cache/1.jpg");
    put_file("own/train/ant/notes.txt", "x", 1);
    put_file("own/train/ant/a/Thumbs.db", "x", 1);
    put_file("own/train/readme", "x", 1);
    put_image("own/val/bee/q.png");
    lp_dataset *data = open_split("own", LP_SPLIT_TRAIN);
    const lp_dataset_info *info = lp_dataset_describe(data);
    assert_string_equal(info->name, "own");
    assert_null(info->official);
    assert_true(info->image_folder);
    assert_int_equal(info->classes, 3);
    assert_int_equal(info->ignored, 5);
    assert_int_equal(info->skipped, 0);
    assert_true(info->test_share == 0);
    assert_string_equal(lp_dataset_class_name(data, 0), "Zebra");
    assert_string_equal(lp_dataset_class_name(data, 1), "ant");
    assert_string_equal(lp_dataset_class_name(data, 2), "bee");
    assert_string_equal(lp_dataset_class_name(data, 3), "");
    assert_null(lp_dataset_skipped(data, 0, NULL));
    assert_null(lp_dataset_superclasses(data, NULL));
    assert_digest(data, "own/train", train, 7);
    for (size_t i = 0; i < 7; i++) {
        (void)snprintf(name, sizeof name, "own/train/%s", train[i]);
        assert_int_equal(lp_dataset_labels(data)[i], labels[i]);
        assert_image(data, i, name);
    }
    unsigned char rgb[3];
    assert_fails(lp_dataset_image(data, 7, rgb, &err), LP_ERR_ARGUMENT, &err,
                 "expected an image below 7, found 7");
    lp_dataset_close(data);

    static const char *const val[] = {"bee/q.png"};
    data = open_split("own/", LP_SPLIT_TEST); /* classes are those of the training split */
    assert_int_equal(lp_dataset_describe(data)->classes, 3);
    assert_int_equal(lp_dataset_labels(data)[0], 2);
    assert_string_equal(lp_dataset_describe(data)->name, "own");
    assert_digest(data, "own/val", val, 1);
    lp_dataset_close(data);

    static const char *const test[] = {"ant/t.jpg"};
    put_image("own/test/ant/t.jpg"); /* goes before val */
    data = open_split("own", LP_SPLIT_TEST);
    assert_digest(data, "own/test", test, 1);
    lp_dataset_close(data);
    put_image("own/test/wasp/t.jpg");
    assert_refused("own", LP_SPLIT_TEST, LP_ERR_DATA, "own/test/wasp: ");
    assert_refused("own", LP_SPLIT_TEST, LP_ERR_DATA, "own/train has no such class");
}

static void split_by_seed(void **state) {
    (void)state;
    enum { A = 10, B = 5 };
    lp_dataset *data[2], *other;
    char name[64];
    for (int i = 0; i < A + B; i++) {
        (void)snprintf(name, sizeof name, "seed/%s/%02d.jpg", i < A ? "a" : "b", i);
        put_image(name);
    }
    lp_dataset_options options = {.split_seed = 3, .threads = 1};
    for (int s = 0; s < 2; s++) {
        options.split = (lp_split)s;
        assert_ok(lp_dataset_open_with(in_folder("seed"), &options, &data[s], &err), &err);
    }
    const lp_dataset_info *train = lp_dataset_describe(data[0]);
    const lp_dataset_info *test = lp_dataset_describe(data[1]);
    assert_int_equal(train->count, 8 + 4); /* a fifth of each class is the test split */
    assert_int_equal(test->count, 2 + 1);
    assert_true(test->test_share == 0.2);
    assert_int_equal(test->split_seed, 3);
    assert_int_equal(lp_dataset_labels(data[1])[1], 0);
    assert_int_equal(lp_dataset_labels(data[1])[2], 1);
    assert_string_not_equal(train->digest, test->digest);

    options.split_seed = 4;
    assert_ok(lp_dataset_open_with(in_folder("seed"), &options, &other, &err), &err);
    assert_string_not_equal(test->digest, lp_dataset_describe(other)->digest);
    lp_dataset_close(other);
    options.test_share = 0.5;
    assert_ok(lp_dataset_open_with(in_folder("seed"), &options, &other, &err), &err);
    assert_int_equal(lp_dataset_describe(other)->count, 5 + 3);
    lp_dataset_close(other);
    options.test_share = 1;
    assert_fails(lp_dataset_open_with(in_folder("seed"), &options, &other, &err), LP_ERR_ARGUMENT,
                 &err, "expected a test share above 0 and below 1, found 1");
    options.test_share = 0.5;
    assert_fails(lp_dataset_open_with(in_folder("own"), &options, &other, &err), LP_ERR_ARGUMENT,
                 &err, "has a split of its own");
    lp_dataset_close(data[0]);
    lp_dataset_close(data[1]);

    put_image("single/a/1.jpg");
    put_image("single/b/1.jpg");
    assert_refused("single", LP_SPLIT_TEST, LP_ERR_DATA, "no class has two images");
}

/* Together the two splits are the whole, whatever is broken. */
static void splits_do_not_depend_on_what_is_broken(void **state) {
    (void)state;
    char name[64];
    size_t counts[2], broken[2];
    for (int i = 0; i < 25; i++) {
        (void)snprintf(name, sizeof name, "mixed/%s/%02d.png", i < 20 ? "a" : "b", i);
        put_image(name);
    }
    for (int damage = 0; damage < 2; damage++) {
        for (int s = 0; s < 2; s++) {
            const lp_dataset_options options = {.split = (lp_split)s, .skip_broken = true};
            lp_dataset *data;
            assert_ok(lp_dataset_open_with(in_folder("mixed"), &options, &data, &err), &err);
            counts[s] = lp_dataset_describe(data)->count;
            broken[s] = lp_dataset_describe(data)->skipped;
            lp_dataset_close(data);
        }
        assert_int_equal(counts[0] + broken[0], 20);
        assert_int_equal(counts[1] + broken[1], 5);
        assert_int_equal(broken[0] + broken[1], damage == 0 ? 0 : 7);
        for (int i = 3; i < 10; i++) {
            (void)snprintf(name, sizeof name, "mixed/a/%02d.png", i);
            put_file(name, "broken", 6);
        }
    }
}

/* A class may be called "train". */
static void a_class_named_like_a_split(void **state) {
    (void)state;
    put_image("vehicles/car/1.jpg");
    put_image("vehicles/car/2.jpg");
    put_image("vehicles/train/1.jpg");
    put_image("vehicles/train/2.jpg");
    lp_dataset *data = open_split("vehicles", LP_SPLIT_TEST);
    assert_int_equal(lp_dataset_describe(data)->classes, 2);
    assert_int_equal(lp_dataset_describe(data)->count, 2);
    assert_string_equal(lp_dataset_class_name(data, 1), "train");
    lp_dataset_close(data);
}

static void only_a_test_split(void **state) {
    (void)state;
    put_image("tested/test/b/1.jpg");
    put_image("tested/test/c/1.jpg");
    lp_dataset *data = open_split("tested", LP_SPLIT_TEST);
    assert_int_equal(lp_dataset_describe(data)->classes, 2);
    lp_dataset_close(data);
    assert_refused("tested", LP_SPLIT_TRAIN, LP_ERR_IO,
                   "tested: has class folders in test, but none in train");
    put_image("trained/train/b/1.jpg");
    assert_refused(
        "trained", LP_SPLIT_TEST, LP_ERR_IO,
        "trained: has class folders in train, but none in test, val, validation or valid");
}

/* Names of parts count in any case; as classes they would be told apart instead. */
static void parts_by_other_names(void **state) {
    (void)state;
    static const char *const names[][3] = {{"caps", "Train", "Test"},
                                           {"upper", "TRAIN", "VAL"},
                                           {"long", "Training", "Testing"},
                                           {"sets", "training_set", "test_set"}};
    char path[64];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        for (int k = 0; k < 4; k++) {
            (void)snprintf(path, sizeof path, "%s/%s/%s/1.jpg", names[i][0], names[i][1 + k % 2],
                           k < 2 ? "cat" : "dog");
            put_image(path);
        }
        lp_dataset *data = open_split(names[i][0], LP_SPLIT_TEST);
        assert_int_equal(lp_dataset_describe(data)->count, 2);
        assert_string_equal(lp_dataset_class_name(data, 1), "dog");
        if (i == 1) {
            assert_string_equal(lp_dataset_describe(data)->instead, "VAL");
        } else {
            assert_null(lp_dataset_describe(data)->instead);
        }
        lp_dataset_close(data);
    }
    put_image("sets/TRAIN/cat/1.jpg");
    assert_refused("sets", LP_SPLIT_TEST, LP_ERR_DATA,
                   "sets: both TRAIN and training_set may be the same part of the data set");
}

/* Tiny ImageNet's test images lie in a folder, but it is no class. */
static void an_unlabelled_test_part(void **state) {
    (void)state;
    put_image("tiny/train/n1/images/1.jpg");
    put_image("tiny/train/n2/images/1.jpg");
    put_image("tiny/val/n1/1.jpg");
    put_image("tiny/val/n2/1.jpg");
    put_image("tiny/test/images/1.jpg");
    lp_dataset *data = open_split("tiny", LP_SPLIT_TEST);
    assert_int_equal(lp_dataset_describe(data)->count, 2);
    assert_string_equal(lp_dataset_describe(data)->instead, "val");
    lp_dataset_close(data);
    put_image("tiny/test/n2/1.jpg"); /* now it has a class, and one that is none */
    assert_refused("tiny", LP_SPLIT_TEST, LP_ERR_DATA, "tiny/test/images: ");
}

/* A split by a seed would mix training and test images. */
static void parts_that_look_like_classes(void **state) {
    (void)state;
    put_image("intel/seg_train/seg_train/a/1.jpg");
    put_image("intel/seg_test/seg_test/a/1.jpg");
    assert_refused("intel", LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "found seg_train and seg_test, which look like parts of a data set");
    put_image("inside/cat/train/1.jpg");
    put_image("inside/cat/test/1.jpg");
    put_image("inside/dog/train/1.jpg");
    assert_refused("inside", LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "inside/cat: a class that holds parts of the data set: expected train and test "
                   "above the classes, as train/cat");
    put_image("outer/pets/train/cat/1.jpg");
    put_image("outer/pets/test/cat/1.jpg");
    assert_refused("outer", LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "outer: the data set lies in its folder pets: name that folder");
    put_image("stations/bullet_train/1.jpg"); /* classes of such names hold images */
    put_image("stations/bullet_train/2.jpg");
    put_image("stations/test_track/1.jpg");
    put_image("stations/test_track/2.jpg");
    put_image("stations/@eaDir/1.jpg"); /* a file server's, which is left out */
    lp_dataset *data = open_split("stations", LP_SPLIT_TEST);
    assert_int_equal(lp_dataset_describe(data)->classes, 2);
    assert_int_equal(lp_dataset_describe(data)->ignored, 1);
    lp_dataset_close(data);
}

static void nothing_to_read(void **state) {
    (void)state;
    lp_dataset *data;
    put_file("nothing/a/readme.txt", "x", 1);
    assert_refused("nothing", LP_SPLIT_TRAIN, LP_ERR_IO,
                   "nothing: no training split found: looked for train.bin (CIFAR-100), ");
    assert_refused("nothing", LP_SPLIT_TRAIN, LP_ERR_IO,
                   "for a folder of images a class, and for the layouts of food-101, dtd, ");
    put_image("flat/1.jpg"); /* images, but no class */
    assert_refused("flat", LP_SPLIT_TRAIN, LP_ERR_IO, "no training split found");
    put_image("gap/train/a/1.jpg");
    put_file("gap/train/b/x.txt", "x", 1);
    assert_refused("gap", LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "gap/train/b: expected images of this class, found none");
    put_image("alone/jpg/1.jpg");
    assert_refused("alone", LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "alone: expected a folder for each class, found only one, 'jpg'");
    put_image("alone2/data/images/1.jpg"); /* FGVC Aircraft without its lists */
    assert_refused("alone2", LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "found only one, 'data': a folder of that name belongs to the layout of "
                   "fgvc-aircraft");
    put_image("odd/a\033[2Jb/1.jpg");
    assert_refused("odd", LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "the name of class 0 holds a control character, 27");
    assert_fails(lp_dataset_open(in_folder("own"), LP_SPLIT_TRAIN, LP_LABELS_COARSE, &data, &err),
                 LP_ERR_ARGUMENT, &err, "a folder of images has no coarse labels");
    put_image("round/a/1.jpg");
    put_image("round/b/1.jpg");
    assert_int_equal(symlink("../a", in_folder("round/a/again")), 0);
    assert_refused("round", LP_SPLIT_TRAIN, LP_ERR_FORMAT, "more than 32 folders deep");
}

/* ---- broken files ---------------------------------------------------------------------------- */

static void broken_images_are_named_or_skipped(void **state) {
    (void)state;
    static const char *const good[] = {"a/1.jpg", "a/5.jpg", "b/1.png", "c/2.jpg"};
    static const struct {
        const char *name, *golden;
        size_t size;
        lp_status status;
        const char *why;
    } bad[] = {
        {"a/2.jpg", "progressive.jpg", 500, LP_ERR_FORMAT,
         "a/2.jpg: byte 500: expected more of the image, found the end of the file"},
        {"a/3.png", "type2-depth8.png", 150, LP_ERR_FORMAT, "the file ends early"},
        {"a/4.jpg", "files.txt", 100, LP_ERR_FORMAT, "a/4.jpg: expected a PNG, JPEG, "},
        {"b/0.png", NULL, 0, LP_ERR_FORMAT, "PGM or PPM, found an empty file"},
        {"c/1.tif.png", NULL, 4, LP_ERR_UNSUPPORTED, "c/1.tif.png: found a TIFF file"},
        {"c/3.webp", NULL, 3, LP_ERR_FORMAT, "c/3.webp: expected a PNG"},
    };
    enum { BAD = 6 };
    char path[64];
    lp_dataset *data;
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(path, sizeof path, "broken/train/%s", good[i]);
        put_image(path);
    }
    for (size_t i = 0; i < BAD; i++) { /* each alone is an error */
        (void)snprintf(path, sizeof path, "broken/train/%s", bad[i].name);
        if (bad[i].golden != NULL) {
            put_golden(path, bad[i].golden, bad[i].size);
        } else {
            put_file(path, "II*\0", bad[i].size);
        }
        assert_refused("broken", LP_SPLIT_TRAIN, bad[i].status, bad[i].why);
        assert_int_equal(unlink(in_folder(path)), 0);
    }
    data = open_split("broken", LP_SPLIT_TRAIN);
    assert_digest(data, "broken/train", good, 4);
    lp_dataset_close(data);
    for (size_t i = 0; i < BAD; i++) { /* all together: the first one, or none of them */
        (void)snprintf(path, sizeof path, "broken/train/%s", bad[i].name);
        if (bad[i].golden != NULL) {
            put_golden(path, bad[i].golden, bad[i].size);
        } else {
            put_file(path, "II*\0", bad[i].size);
        }
    }
    assert_refused("broken", LP_SPLIT_TRAIN, LP_ERR_FORMAT, "a/2.jpg");
    for (size_t threads = 1; threads < 4; threads++) {
        const lp_dataset_options options = {.skip_broken = true, .threads = threads};
        assert_ok(lp_dataset_open_with(in_folder("broken"), &options, &data, &err), &err);
        assert_digest(data, "broken/train", good, 4);
        assert_int_equal(lp_dataset_labels(data)[3], 2);
        assert_int_equal(lp_dataset_describe(data)->skipped, BAD);
        for (size_t i = 0; i < BAD; i++) {
            const char *why;
            assert_string_equal(lp_dataset_skipped(data, i, &why), bad[i].name);
            assert_non_null(strstr(why, bad[i].why));
        }
        assert_null(lp_dataset_skipped(data, BAD, NULL));
        assert_image(data, 1, "broken/train/a/5.jpg");
        lp_dataset_close(data);
    }
}

static void what_cannot_be_read_is_never_skipped(void **state) {
    (void)state;
    const lp_dataset_options options = {.skip_broken = true};
    lp_dataset *data;
    put_image("denied/train/a/1.jpg");
    put_image("denied/train/b/1.jpg");
    assert_int_equal(symlink("nowhere", in_folder("denied/train/a/2.jpg")), 0);
    assert_fails(lp_dataset_open_with(in_folder("denied"), &options, &data, &err), LP_ERR_IO, &err,
                 "a/2.jpg: cannot be opened");
    assert_int_equal(unlink(in_folder("denied/train/a/2.jpg")), 0);
    assert_int_equal(mkfifo(in_folder("denied/train/a/2.jpg"), 0600), 0);
    assert_fails(lp_dataset_open_with(in_folder("denied"), &options, &data, &err), LP_ERR_IO, &err,
                 "a/2.jpg: expected a file, found not a regular file");
    put_file("ruin/train/a/1.jpg", "x", 1);
    put_file("ruin/train/b/2.jpg", "x", 1);
    assert_fails(lp_dataset_open_with(in_folder("ruin"), &options, &data, &err), LP_ERR_FORMAT,
                 &err, "all 2 images are broken; the first: ");
}

static void the_contents_tell_the_format(void **state) {
    (void)state;
    put_golden("named/train/a/really-a-png.jpg", "type2-depth8.png", 0);
    put_golden("named/train/a/really-a-jpeg.png", "grey.jpg", 0);
    put_image("named/train/b/1.jpg");
    lp_dataset *data = open_split("named", LP_SPLIT_TRAIN);
    assert_image(data, 0, "named/train/a/really-a-jpeg.png");
    assert_image(data, 1, "named/train/a/really-a-png.jpg");
    lp_dataset_close(data);
}

static void a_file_that_changes_is_noticed(void **state) {
    (void)state;
    static unsigned char rgb[64 * 64 * 3];
    put_golden("change/train/a/1.jpg", "baseline-444.jpg", 0);
    put_golden("change/train/a/2.jpg", "baseline-444.jpg", 0);
    put_image("change/train/b/1.jpg");
    lp_dataset *data = open_split("change", LP_SPLIT_TRAIN);
    put_golden("change/train/a/1.jpg", "baseline-420.jpg", 0); /* the same size in pixels */
    assert_fails(lp_dataset_image(data, 0, rgb, &err), LP_ERR_DATA, &err,
                 "a/1.jpg: has changed since the data set was opened");
    assert_int_equal(unlink(in_folder("change/train/a/2.jpg")), 0);
    assert_fails(lp_dataset_image(data, 1, rgb, &err), LP_ERR_IO, &err, "a/2.jpg: cannot be");
    lp_dataset_close(data);
}

/* ---- threads and memory ---------------------------------------------------------------------- */

static bool count_calls(void *context, uint64_t done, uint64_t total, const char *line) {
    size_t *calls = context;
    assert_true(done <= total && line == NULL);
    return ++*calls < 2;
}

static void many_images_are_checked_in_chunks(void **state) {
    (void)state;
    char name[64];
    size_t calls = 0;
    lp_dataset *data, *other;
    for (int i = 0; i < 600; i++) {
        (void)snprintf(name, sizeof name, "many/train/a/%04d.png", i);
        put_image(name);
    }
    put_image("many/train/b/1.png");
    put_file("many/train/a/0300.png", "broken", 6);
    lp_dataset_options options = {.threads = 1, .skip_broken = true};
    assert_ok(lp_dataset_open_with(in_folder("many"), &options, &data, &err), &err);
    options.threads = 4;
    assert_ok(lp_dataset_open_with(in_folder("many"), &options, &other, &err), &err);
    assert_int_equal(lp_dataset_describe(data)->count, 600);
    assert_string_equal(lp_dataset_describe(data)->digest, lp_dataset_describe(other)->digest);
    assert_image(data, 300, "many/train/a/0301.png");
    assert_image(other, 598, "many/train/a/0599.png");
    lp_dataset_close(data);
    lp_dataset_close(other);
    options.progress = (lp_progress){count_calls, &calls};
    assert_fails(lp_dataset_open_with(in_folder("many"), &options, &data, &err), LP_CANCELLED, &err,
                 "stopped after checking 512 of 601 images");
    assert_null(data);
}

static lp_status read_one(void *context, size_t index, size_t worker, lp_error *error) {
    unsigned char rgb[64 * 64 * 3];
    (void)worker;
    return lp_dataset_image(context, index, rgb, error);
}

static void threads_may_read_together(void **state) {
    (void)state;
    const lp_dataset_options options = {.skip_broken = true};
    lp_dataset *data;
    assert_ok(lp_dataset_open_with(in_folder("many"), &options, &data, &err), &err);
    assert_ok(lp_parallel_for(4, 200, read_one, data, &err), &err);
    lp_dataset_close(data);
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    static unsigned char rgb[64 * 64 * 3];
    const char *const folders[] = {"memory", "memory-own"};
    lp_dataset *data;
    for (int i = 0; i < 6; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "memory/%s/%d.png", i < 2 ? "a" : "b", i);
        put_golden(name, "type2-depth8.png", 0);
        (void)snprintf(name, sizeof name, "memory-own/%s/%s/%d.jpg", i < 2 ? "train" : "val",
                       i % 2 == 0 ? "a" : "b", i);
        put_golden(name, i == 2 ? "files.txt" : "grey.jpg", 0); /* a broken one */
    }
    for (size_t f = 0; f < 2; f++) {
        lp_dataset_options options = {
            .split = f == 0 ? LP_SPLIT_TRAIN : LP_SPLIT_TEST, .threads = 1, .skip_broken = true};
        lp_status status;
        size_t k;
        data = open_without_memory(in_folder(folders[f]), &options, 40);
        assert_int_equal(lp_dataset_describe(data)->skipped, f);
        status = LP_ERR_MEMORY;
        for (k = 0; status != LP_OK; k++) {
            (void)lp_alloc_fail_at(k + 1);
            status = lp_dataset_image(data, 0, rgb, &err);
            assert_true(status == LP_OK || status == LP_ERR_MEMORY);
        }
        (void)lp_alloc_fail_at(0);
        assert_true(k > 2);
        lp_dataset_close(data);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_split),
        cmocka_unit_test(split_by_seed),
        cmocka_unit_test(splits_do_not_depend_on_what_is_broken),
        cmocka_unit_test(a_class_named_like_a_split),
        cmocka_unit_test(only_a_test_split),
        cmocka_unit_test(parts_by_other_names),
        cmocka_unit_test(an_unlabelled_test_part),
        cmocka_unit_test(parts_that_look_like_classes),
        cmocka_unit_test(nothing_to_read),
        cmocka_unit_test(broken_images_are_named_or_skipped),
        cmocka_unit_test(what_cannot_be_read_is_never_skipped),
        cmocka_unit_test(the_contents_tell_the_format),
        cmocka_unit_test(a_file_that_changes_is_noticed),
        cmocka_unit_test(many_images_are_checked_in_chunks),
        cmocka_unit_test(threads_may_read_together),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
