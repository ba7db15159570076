/* Sets of webdataset shards: parts, labels, order; what is wrong with a shard, and what is left of
 * it.  tests/parity/test_data_sets.py compares shards that webdataset wrote with its own reading.
 */
#include <unistd.h>

#include "base/file.h"
#include "check.h"
#include "dataset_checks.h"
#include "linprobe/dataset.h"
#include "test_folder.h"
#include "write_zip.h"

static lp_error err;

static void put_text(const char *name, const char *text) {
    const char *path = in_folder(name);
    assert_ok(lp_make_parents(path, &err), &err);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* A shard of members whose contents are texts; "pixel N" stands for an image of that grey. */
typedef struct member {
    const char *name, *text;
} member;

static void put_shard(const char *name, const member *members, size_t count, bool packed) {
    assert_ok(lp_make_parents(in_folder(name), &err), &err);
    struct archive *tar = archive_write_new();
    assert_int_equal(archive_write_set_format_pax_restricted(tar), ARCHIVE_OK);
    if (packed) {
        assert_int_equal(archive_write_add_filter_xz(tar), ARCHIVE_OK);
    }
    assert_int_equal(archive_write_open_filename(tar, in_folder(name)), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        char pixel[] = "P5\n1 1\n255\n?";
        const char *text = members[i].text;
        if (strncmp(text, "pixel ", 6) == 0) {
            pixel[11] = text[6];
            text = pixel;
        }
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, members[i].name);
        archive_entry_set_size(entry, (la_int64_t)strlen(text));
        archive_entry_set_filetype(entry, AE_IFREG);
        assert_int_equal(archive_write_header(tar, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(tar, text, strlen(text)), strlen(text));
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_free(tar), ARCHIVE_OK);
}

/* Two classes, two shards for training, one for the test. */
static void make_set(const char *top) {
    static const member first[] = {
        {"s1.cls", "1\n"},       {"s1.jpg", "pixel a"},
        {"./s0.png", "pixel b"}, {"./s0.json", "{\"label\": 0, \"caption\": \"x\"}"},
        {"__meta__.json", "{}"}, {"README", "x"},
        {"notes.txt", "x"}};
    static const member second[] = {{"deep/s2.0.txt", "x"},
                                    {"deep/s2.json", "7"},
                                    {"deep/s2.WEBP", "pixel c"},
                                    {"deep/s2.cls", "1"}};
    static const member test[] = {{"t.jpeg", "pixel d"}, {"t.cls", " 0 "}};
    char name[96];
    (void)snprintf(name, sizeof name, "%s/classnames.txt", top);
    put_text(name, "a photo of a cat\r\ndog\n");
    (void)snprintf(name, sizeof name, "%s/train/nshards.txt", top);
    put_text(name, "2\n");
    (void)snprintf(name, sizeof name, "%s/train/0.tar", top);
    put_shard(name, first, 7, false);
    (void)snprintf(name, sizeof name, "%s/train/1.tar", top);
    put_shard(name, second, 4, false);
    (void)snprintf(name, sizeof name, "%s/test/set-000.tar", top);
    put_shard(name, test, 2, false);
}

/* Opens a part and checks its images, as "<label>:<grey> ...". */
static void assert_part(const char *name, lp_split split, const char *expected) {
    char found[256] = "";
    lp_dataset *data;
    assert_ok(lp_dataset_open(in_folder(name), split, LP_LABELS_FINE, &data, &err), &err);
    for (size_t i = 0; i < lp_dataset_describe(data)->count; i++) {
        unsigned char rgb[3];
        size_t used = strlen(found);
        assert_ok(lp_dataset_image(data, i, rgb, &err), &err);
        (void)snprintf(found + used, sizeof found - used, "%s%d:%c", i > 0 ? " " : "",
                       (int)lp_dataset_labels(data)[i], rgb[0]);
    }
    assert_string_equal(found, expected);
    lp_dataset_close(data);
}

static void assert_refused(const char *name, lp_split split, lp_status status, const char *part) {
    lp_dataset *data;
    assert_fails(lp_dataset_open(in_folder(name), split, LP_LABELS_FINE, &data, &err), status, &err,
                 part);
    assert_null(data);
}

static void parts_and_their_order(void **state) {
    (void)state;
    make_set("set");
    assert_part("set", LP_SPLIT_TRAIN, "1:a 0:b 1:c");
    assert_part("set", LP_SPLIT_TRAINVAL, "1:a 0:b 1:c");
    assert_part("set", LP_SPLIT_TEST, "0:d");
    lp_dataset *data;
    assert_ok(lp_dataset_open(in_folder("set"), LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err), &err);
    const lp_dataset_info *info = lp_dataset_describe(data);
    assert_string_equal(info->name, "set");
    assert_string_equal(lp_dataset_class_name(data, 0), "a photo of a cat");
    assert_int_equal(info->classes, 2);
    assert_int_equal(info->split, LP_SPLIT_TRAIN);
    assert_int_equal(info->ignored, 3); /* the README, the notes and webdataset's own */
    assert_true(info->image_folder);
    lp_dataset_close(data);
    assert_refused("set", LP_SPLIT_VAL, LP_ERR_IO,
                   "no shards of the part val; there are train, test");
    static const member val[] = {{"v.jpg", "pixel e"}, {"v.cls", "0"}};
    put_shard("set/valid/0.tar", val, 2, false);
    assert_part("set", LP_SPLIT_VAL, "0:e");
    assert_part("set", LP_SPLIT_TRAINVAL, "1:a 0:b 1:c 0:e");
    const lp_dataset_options share = {.test_share = 0.5};
    assert_fails(lp_dataset_open_with(in_folder("set"), &share, &data, &err), LP_ERR_ARGUMENT, &err,
                 "the shards have a split of their own");
    static const zip_member packed[] = {{"test/0.tar", "x", 1}, {"test/nshards.txt", "1", 1}};
    write_zip(in_folder("set.zip"), packed, 2, false);
    assert_refused("set.zip", LP_SPLIT_TEST, LP_ERR_IO, "set.zip");
}

/* What is wrong with a shard of the test part, as the message names it. */
static void what_is_wrong_with_a_shard(void **state) {
    (void)state;
    static const struct {
        member members[4];
        const char *message;
        lp_status status;
        size_t left; /* with --skip-broken */
    } wrong[] = {
        {{{"a.jpg", "pixel a"}, {"b.jpg", "pixel b"}, {"b.cls", "1"}},
         "test/0.tar/a.jpg: there is no label with it (a.cls or .json)",
         LP_ERR_DATA,
         1},
        {{{"a.cls", "0"}, {"b.jpg", "pixel b"}, {"b.cls", "1"}},
         "test/0.tar/a: there is a label, and no image (.jpg, .jpeg, .png or .webp)",
         LP_ERR_DATA,
         1},
        {{{"a.jpg", "pixel a"}, {"a.cls", "2"}, {"b.jpg", "pixel b"}, {"b.cls", "1"}},
         "test/0.tar/a.cls: expected a class from 0 to 1, as classnames.txt has them, found '2'",
         LP_ERR_DATA,
         1},
        {{{"a.jpg", "pixel a"}, {"a.cls", "-1"}}, "found '-1'", LP_ERR_DATA, 0},
        {{{"a.jpg", "pixel a"}, {"a.cls", "1.0"}}, "found '1.0'", LP_ERR_DATA, 0},
        {{{"a.jpg", "pixel a"}, {"a.cls", ""}}, "found ''", LP_ERR_DATA, 0},
        {{{"a.jpg", "pixel a"}, {"a.json", "{\"label\": \"cat\"}"}},
         "test/0.tar/a.json: expected a 'label' from 0 to 1",
         LP_ERR_DATA,
         0},
        {{{"a.jpg", "pixel a"}, {"a.json", "{\"label\": 1"}},
         "test/0.tar/a.json: not valid JSON at line 1",
         LP_ERR_FORMAT,
         0},
        {{{"a.jpg", "pixel a"}, {"a.png", "pixel a"}, {"a.cls", "1"}},
         "test/0.tar: a.png: a second image of one key",
         LP_ERR_FORMAT,
         0},
        {{{"a.jpg", "pixel a"}, {"a.cls", "1"}, {"a.CLS", "1"}},
         "test/0.tar: a.CLS: a second label of one key",
         LP_ERR_FORMAT,
         0},
        {{{"a.jpg", "P5\n1 1\n255\n"}, {"a.cls", "1"}, {"b.jpg", "pixel b"}, {"b.cls", "1"}},
         "test/0.tar/a.jpg: byte 11: expected more",
         LP_ERR_FORMAT,
         1},
        {{{"a.txt", "x"}}, "test: its shards hold no image", LP_ERR_DATA, 0},
    };
    make_set("bad");
    assert_int_equal(unlink(in_folder("bad/test/set-000.tar")), 0);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const lp_dataset_options skip = {.split = LP_SPLIT_TEST, .skip_broken = true};
        size_t count = 0;
        lp_dataset *data;
        while (count < 4 && wrong[i].members[count].name != NULL) {
            count++;
        }
        put_shard("bad/test/0.tar", wrong[i].members, count, false);
        assert_refused("bad", LP_SPLIT_TEST, wrong[i].status, wrong[i].message);
        lp_status status = lp_dataset_open_with(in_folder("bad"), &skip, &data, &err);
        assert_int_equal(status == LP_OK ? lp_dataset_describe(data)->count : 0, wrong[i].left);
        assert_true(status != LP_OK || lp_dataset_describe(data)->skipped == 1);
        lp_dataset_close(data);
    }
}

static void shards_that_are_broken(void **state) {
    (void)state;
    static const member twice[] = {{"a.jpg", "pixel a"}, {"a.cls", "1"},       {"b.jpg", "pixel b"},
                                   {"b.cls", "1"},       {"a.jpg", "pixel a"}, {"a.cls", "1"}};
    lp_dataset *data;
    const char *why;
    make_set("cut");
    put_shard("cut/train/1.tar", twice, 6, false);
    assert_refused("cut", LP_SPLIT_TRAIN, LP_ERR_FORMAT, "train/1.tar/a.jpg: is there twice");
    make_set("cut");
    /* in the header of a member, in an image, and between two members */
    static const struct {
        off_t size;
        const char *message;
    } cuts[] = {{512 + 1024 + 100, "train/1.tar: "},
                {2 * 1024 + 512 + 5, "train/1.tar: deep/s2.WEBP: the archive is cut off in it"},
                {4 * 1024,
                 "train/1.tar: expected the end of a tar archive, found nothing after 4096 "
                 "bytes: it is cut off"}};
    for (size_t i = 0; i < 3; i++) {
        make_set("cut");
        assert_int_equal(truncate(in_folder("cut/train/1.tar"), cuts[i].size), 0);
        assert_refused("cut", LP_SPLIT_TRAIN, LP_ERR_FORMAT, cuts[i].message);
        const lp_dataset_options skip = {.skip_broken = true};
        assert_ok(lp_dataset_open_with(in_folder("cut"), &skip, &data, &err), &err);
        assert_int_equal(lp_dataset_describe(data)->skipped, 1);
        assert_int_equal(lp_dataset_describe(data)->count, 2);
        assert_string_equal(lp_dataset_skipped(data, 0, &why), "train/1.tar");
        lp_dataset_close(data);
    }
    put_shard("cut/train/1.tar", twice, 4, true);
    assert_refused("cut", LP_SPLIT_TRAIN, LP_ERR_UNSUPPORTED,
                   "train/1.tar: a.jpg: it is compressed: expected a .tar whose images lie there");
    assert_int_equal(unlink(in_folder("cut/train/1.tar")), 0);
    assert_refused("cut", LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "train/nshards.txt:1: names 2 shards, and train/1.tar is not there");
    put_text("cut/train/nshards.txt", "many\n");
    assert_refused("cut", LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "nshards.txt:1: expected a number of shards from 1 to 1000000, found 'many'");
    make_set("cut");
    put_text("cut/train/0.tar", "no archive, and long enough for one\n");
    assert_refused("cut", LP_SPLIT_TRAIN, LP_ERR_FORMAT, "train/0.tar: ");
    make_set("cut");
    assert_ok(lp_dataset_open(in_folder("cut"), LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    assert_int_equal(truncate(in_folder("cut/test/set-000.tar"), 520), 0);
    unsigned char rgb[3];
    assert_fails(lp_dataset_image(data, 0, rgb, &err), LP_ERR_DATA, &err,
                 "test/set-000.tar: it has changed: it ends before byte");
    lp_dataset_close(data);
}

static void names_of_classes(void **state) {
    (void)state;
    make_set("names");
    put_text("names/classnames.txt", "cat\n\ndog\n");
    assert_refused("names", LP_SPLIT_TEST, LP_ERR_FORMAT,
                   "classnames.txt:3: expected the name of class 1 before it, found an empty line");
    put_text("names/classnames.txt", "\n");
    assert_refused("names", LP_SPLIT_TEST, LP_ERR_FORMAT, "expected the name of a class a line");
    put_text("names/classnames.txt", "cat\n");
    assert_refused("names", LP_SPLIT_TEST, LP_ERR_DATA, "found only one, 'cat'");
    assert_int_equal(unlink(in_folder("names/classnames.txt")), 0);
    assert_refused("names", LP_SPLIT_TEST, LP_ERR_IO, "names/classnames.txt: is not there");
    put_text("names/classnames.txt", "cat\ndog\nbird\n");
    assert_refused("names", LP_SPLIT_TRAIN, LP_ERR_DATA, "expected images of class 2, bird");
    assert_part("names", LP_SPLIT_TEST, "0:d");
    put_text("names/dataset_type.txt", "retrieval\n");
    assert_refused("names", LP_SPLIT_TEST, LP_ERR_UNSUPPORTED,
                   "dataset_type.txt:1: expected shards of one class an image ('classification'), "
                   "found 'retrieval'");
    put_text("names/dataset_type.txt", "classification\n");
    assert_part("names", LP_SPLIT_TEST, "0:d");
}

/* As they are unpacked from: they were taken for shards. */
static void archives_beside_class_folders(void **state) {
    (void)state;
    static const member packed[] = {{"a.jpg", "pixel a"}};
    put_text("folders/train/cat/a.pgm", "P5\n1 1\n255\na");
    put_text("folders/train/dog/b.pgm", "P5\n1 1\n255\nb");
    put_shard("folders/train/cat.tar", packed, 1, false);
    assert_part("folders", LP_SPLIT_TRAIN, "0:a 1:b");
    put_text("folders/classnames.txt", "cat\ndog\n");
    assert_refused("folders", LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "train/cat.tar/a.jpg: there is no label with it");
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    make_set("memory");
    const lp_dataset_options options = {.split = LP_SPLIT_TRAIN, .threads = 1};
    assert_allocations_reported(in_folder("memory"), &options);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_and_their_order),
        cmocka_unit_test(what_is_wrong_with_a_shard),
        cmocka_unit_test(shards_that_are_broken),
        cmocka_unit_test(names_of_classes),
        cmocka_unit_test(archives_beside_class_folders),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
