/* The data stage: CIFAR's layouts from folders, single files and archives, and what is wrong with
 * them.  The archives are built here, byte by byte, so that they can be malformed. */
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/file.h"
#include "check.h"
#include "dataset_checks.h"
#include "data/official_data.h"
#include "test_folder.h"
#include "linprobe/dataset.h"

enum { PIXELS = 3072, RECORD_100 = PIXELS + 2, RECORD_10 = PIXELS + 1 };

static lp_error err;

/* ---- files ----------------------------------------------------------------------------------- */

/* An empty folder of this name. */
static const char *fresh(const char *name) {
    const char *path = in_folder(name);
    assert_int_equal(remove_tree(path), 0);
    assert_ok(lp_make_folders(path, &err), &err);
    return path;
}

/* A thousand times: without a sync, and without the one that some file systems do when a file that
 * was emptied is closed. */
/* Byte k of the pixels of record i. */
static unsigned char pixel(size_t i, size_t k) {
    return (unsigned char)(i * 37 + k * 11 + k / 1024 * 5);
}

/* Records `from` .. `from`+count-1 of a set: coarse label i % 20, fine label i * 7 % 100, or for
 * CIFAR-10 i % 10. */
static unsigned char *records(size_t record, size_t from, size_t count) {
    unsigned char *bytes = lp_alloc(count, record);
    assert_non_null(bytes);
    for (size_t i = 0; i < count; i++) {
        unsigned char *r = bytes + i * record;
        if (record == RECORD_100) {
            *r++ = (unsigned char)((from + i) % 20);
            *r++ = (unsigned char)((from + i) * 7 % 100);
        } else {
            *r++ = (unsigned char)((from + i) % 10);
        }
        for (size_t k = 0; k < PIXELS; k++) {
            r[k] = pixel(from + i, k);
        }
    }
    return bytes;
}

static void put_records(const char *name, size_t record, size_t from, size_t count) {
    unsigned char *bytes = records(record, from, count);
    put_file(name, bytes, count * record);
    lp_free(bytes);
}

/* "<prefix>0\n<prefix>1\n..." */
static void put_names(const char *name, const char *prefix, size_t count) {
    char text[2048];
    size_t used = 0;
    for (size_t k = 0; k < count; k++) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%zu\n", prefix, k);
    }
    put_file(name, text, used);
}

static void assert_images(const lp_dataset *data, size_t from) {
    size_t count = lp_dataset_describe(data)->count;
    for (size_t i = 0; i < count; i++) {
        unsigned char rgb[PIXELS];
        size_t height, width;
        lp_dataset_image_size(data, i, &height, &width);
        assert_int_equal(height, 32);
        assert_int_equal(width, 32);
        assert_ok(lp_dataset_image(data, i, rgb, &err), &err);
        for (size_t k = 0; k < PIXELS; k++) {
            assert_int_equal(rgb[k], pixel(from + i, k % 3 * 1024 + k / 3));
        }
    }
}

static void assert_opens(const char *path, lp_split split, size_t count, size_t from) {
    lp_dataset *data;
    assert_ok(lp_dataset_open(path, split, LP_LABELS_FINE, &data, &err), &err);
    assert_int_equal(lp_dataset_describe(data)->count, count);
    assert_images(data, from);
    lp_dataset_close(data);
}

#define assert_refused(path, split, status, part)                                                  \
    do {                                                                                           \
        lp_dataset *refused_ = (lp_dataset *)test_folder;                                          \
        assert_fails(lp_dataset_open(path, split, LP_LABELS_FINE, &refused_, &err), status, &err,  \
                     part);                                                                        \
        assert_null(refused_);                                                                     \
    } while (0)

/* ---- tar ----------------------------------------------------------------------------------- */

typedef struct tar {
    unsigned char bytes[1 << 20];
    size_t used;
} tar;

static tar archive;

/* A header whose size field may lie. */
static void tar_header(const char *name, char type, const char *link, uint64_t size) {
    char *h = (char *)archive.bytes + archive.used;
    unsigned sum = 0;
    assert_true(archive.used + 512 <= sizeof archive.bytes);
    memset(h, 0, 512);
    (void)snprintf(h, 100, "%s", name);
    (void)snprintf(h + 100, 8, "%07o", 0644U);
    (void)snprintf(h + 108, 8, "%07o", 0U);
    (void)snprintf(h + 116, 8, "%07o", 0U);
    (void)snprintf(h + 124, 13, "%011llo", (unsigned long long)size);
    (void)snprintf(h + 136, 12, "%011o", 0U);
    memset(h + 148, ' ', 8);
    h[156] = type;
    (void)snprintf(h + 157, 100, "%s", link);
    memcpy(h + 257, "ustar\00000", 8);
    for (size_t i = 0; i < 512; i++) {
        sum += (unsigned char)h[i];
    }
    (void)snprintf(h + 148, 8, "%06o", sum);
    archive.used += 512;
}

static void tar_file(const char *name, const void *bytes, size_t size) {
    size_t padded = (size + 511) / 512 * 512;
    tar_header(name, '0', "", size);
    assert_true(archive.used + padded <= sizeof archive.bytes);
    memset(archive.bytes + archive.used, 0, padded);
    memcpy(archive.bytes + archive.used, bytes, size);
    archive.used += padded;
}

static void tar_records(const char *name, size_t record, size_t from, size_t count) {
    unsigned char *bytes = records(record, from, count);
    tar_file(name, bytes, count * record);
    lp_free(bytes);
}

static void tar_end(void) {
    memset(archive.bytes + archive.used, 0, 1024);
    archive.used += 1024;
}

/* Writes the first `size` bytes of the tar as root/name, gzipped. */
static const char *gzip(const char *name, size_t size) {
    gzFile file = gzopen(in_folder(name), "wb1");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, archive.bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
    return in_folder(name);
}

/* A well-formed CIFAR-100 archive of 5 training and 4 test records. */
static const char *small_archive(const char *name) {
    archive.used = 0;
    tar_header("cifar-100-binary/", '5', "", 0);
    tar_records("cifar-100-binary/train.bin", RECORD_100, 0, 5);
    tar_records("cifar-100-binary/test.bin", RECORD_100, 50, 4);
    tar_end();
    return gzip(name, archive.used);
}

/* ---- what must work ------------------------------------------------------------------------ */

static void cifar_100_folder(void **state) {
    (void)state;
    const char *folder = fresh("c100");
    lp_dataset *data;
    put_records("c100/train.bin", RECORD_100, 0, 30);
    put_records("c100/test.bin", RECORD_100, 70, 6);
    put_names("c100/fine_label_names.txt", "fine", 100);
    put_names("c100/coarse_label_names.txt", "coarse", 20);
    assert_refused(folder, LP_SPLIT_VAL, LP_ERR_ARGUMENT,
                   "c100: CIFAR-100 has no part val; it has train, test");
    assert_opens(folder, LP_SPLIT_TRAINVAL, 30, 0);
    assert_ok(lp_dataset_open(folder, LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err), &err);
    const lp_dataset_info *info = lp_dataset_describe(data);
    char hex[LP_DIGEST_HEX];
    assert_ok(lp_digest_file(LP_SHA256, in_folder("c100/train.bin"), hex, &err), &err);
    assert_string_equal(info->name, "CIFAR-100");
    assert_string_equal(info->source, folder);
    assert_null(info->official);
    assert_string_equal(info->digest, hex);
    assert_int_equal(info->split, LP_SPLIT_TRAIN);
    assert_int_equal(info->labels, LP_LABELS_FINE);
    assert_int_equal(info->count, 30);
    assert_int_equal(info->classes, 100);
    for (size_t i = 0; i < 30; i++) {
        assert_int_equal(lp_dataset_labels(data)[i], i * 7 % 100);
    }
    assert_string_equal(lp_dataset_class_name(data, 0), "fine0");
    assert_string_equal(lp_dataset_class_name(data, 99), "fine99");
    assert_string_equal(lp_dataset_class_name(data, 100), "");
    assert_images(data, 0);
    unsigned char rgb[PIXELS];
    assert_fails(lp_dataset_image(data, 30, rgb, &err), LP_ERR_ARGUMENT, &err,
                 "expected an image below 30, found 30");
    lp_dataset_close(data);

    assert_ok(lp_dataset_open(folder, LP_SPLIT_TEST, LP_LABELS_COARSE, &data, &err), &err);
    info = lp_dataset_describe(data);
    assert_int_equal(info->split, LP_SPLIT_TEST);
    assert_int_equal(info->labels, LP_LABELS_COARSE);
    assert_int_equal(info->count, 6);
    assert_int_equal(info->classes, 20);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(lp_dataset_labels(data)[i], (70 + i) % 20);
    }
    assert_string_equal(lp_dataset_class_name(data, 19), "coarse19");
    assert_images(data, 70);
    lp_dataset_close(data);
    lp_dataset_close(NULL);
}

static void cifar_10_folder(void **state) {
    (void)state;
    const char *folder = fresh("c10");
    char *name = lp_strdup("c10/data_batch_1.bin");
    lp_dataset *data;
    assert_non_null(name);
    for (size_t k = 0; k < 5; k++) { /* batches of different lengths */
        name[15] = (char)('1' + k);
        put_records(name, RECORD_10, k * (k + 1) / 2, k + 1);
    }
    lp_free(name);
    put_records("c10/test_batch.bin", RECORD_10, 40, 3);
    put_file("c10/batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n", 21);
    assert_ok(lp_dataset_open(folder, LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err), &err);
    const lp_dataset_info *info = lp_dataset_describe(data);
    unsigned char *all = records(RECORD_10, 0, 15);
    char hex[LP_DIGEST_HEX];
    assert_ok(lp_digest_bytes(LP_SHA256, all, (size_t)15 * RECORD_10, hex, &err), &err);
    lp_free(all);
    assert_string_equal(info->name, "CIFAR-10");
    assert_string_equal(info->digest, hex);
    assert_int_equal(info->count, 15);
    assert_int_equal(info->classes, 10);
    for (size_t i = 0; i < 15; i++) {
        assert_int_equal(lp_dataset_labels(data)[i], i % 10);
    }
    assert_string_equal(lp_dataset_class_name(data, 9), "j");
    assert_images(data, 0);
    lp_dataset_close(data);
    assert_opens(folder, LP_SPLIT_TEST, 3, 40);
    assert_fails(lp_dataset_open(folder, LP_SPLIT_TEST, LP_LABELS_COARSE, &data, &err),
                 LP_ERR_ARGUMENT, &err, "CIFAR-10 has no coarse labels");
    assert_null(data);

    assert_int_equal(unlink(in_folder("c10/data_batch_5.bin")), 0); /* a subset */
    assert_opens(folder, LP_SPLIT_TRAIN, 10, 0);
    assert_int_equal(unlink(in_folder("c10/data_batch_2.bin")), 0);
    assert_refused(folder, LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "c10: holds data_batch_3.bin but not data_batch_2.bin");
}

static void official_folder_one_level_down(void **state) {
    (void)state;
    const char *folder = fresh("up");
    (void)fresh("up/cifar-100-binary");
    (void)fresh("up/cifar-10-batches-bin");
    put_records("up/cifar-100-binary/test.bin", RECORD_100, 8, 2);
    assert_opens(folder, LP_SPLIT_TEST, 2, 8);
    put_records("up/cifar-10-batches-bin/test_batch.bin", RECORD_10, 9, 3);
    assert_refused(folder, LP_SPLIT_TEST, LP_ERR_ARGUMENT, "cifar-100-binary/test.bin and ");
    assert_refused(folder, LP_SPLIT_TEST, LP_ERR_ARGUMENT, "test_batch.bin are there: name");
    assert_opens(in_folder("up/cifar-10-batches-bin"), LP_SPLIT_TEST, 3, 9);
    assert_opens(in_folder("up/cifar-100-binary/"), LP_SPLIT_TEST, 2, 8);
}

static void single_files(void **state) {
    (void)state;
    lp_dataset *data;
    (void)fresh("one");
    put_records("one/subset.bin", RECORD_100, 3, 4);
    put_names("one/fine_label_names.txt", "n", 100);
    assert_ok(
        lp_dataset_open(in_folder("one/subset.bin"), LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err),
        &err);
    assert_int_equal(lp_dataset_describe(data)->split, LP_SPLIT_TEST);
    assert_string_equal(lp_dataset_class_name(data, 5), "n5");
    assert_images(data, 3);
    lp_dataset_close(data);
    assert_opens(in_folder("one/subset.bin"), LP_SPLIT_TRAIN, 4, 3);
    put_records("one/data_batch_4.bin", RECORD_10, 2, 2);
    assert_opens(in_folder("one/data_batch_4.bin"), LP_SPLIT_TRAIN, 2, 2);
    assert_refused(in_folder("one/data_batch_4.bin"), LP_SPLIT_TEST, LP_ERR_ARGUMENT,
                   "expected the test split, found a file of the training split");

    char here[4096]; /* a name without a folder */
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(in_folder("one")), 0);
    assert_ok(lp_dataset_open("subset.bin", LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    assert_string_equal(lp_dataset_class_name(data, 5), "n5");
    lp_dataset_close(data);
    assert_int_equal(chdir(here), 0);
}

static void archives(void **state) {
    (void)state;
    lp_dataset *data;
    (void)fresh("tar");
    const char *path = small_archive("tar/c100.tar.gz");
    assert_opens(path, LP_SPLIT_TRAIN, 5, 0);
    assert_opens(path, LP_SPLIT_TEST, 4, 50);
    put_file("tar/plain.tar", archive.bytes, archive.used);
    assert_opens(in_folder("tar/plain.tar"), LP_SPLIT_TRAIN, 5, 0);
    assert_ok(lp_dataset_open(path, LP_SPLIT_TRAIN, LP_LABELS_COARSE, &data, &err), &err);
    assert_string_equal(lp_dataset_class_name(data, 19), "class 19"); /* no names file */
    lp_dataset_close(data);

    archive.used = 0; /* batches out of order, "./", other files between */
    tar_records("./cifar-10-batches-bin/data_batch_2.bin", RECORD_10, 2, 3);
    tar_file("./cifar-10-batches-bin/readme.html", "<html>", 6);
    tar_header("./cifar-10-batches-bin/link", '2', "/etc/passwd", 0);
    tar_records("./elsewhere/data_batch_1.bin", RECORD_10, 90, 1);
    tar_records("./cifar-10-batches-bin/data_batch_1.bin", RECORD_10, 0, 2);
    tar_file("./cifar-10-batches-bin/batches.meta.txt",
             "a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\ni\r\nj", 28);
    tar_end();
    path = gzip("tar/c10.tar.gz", archive.used);
    assert_opens(path, LP_SPLIT_TRAIN, 5, 0);
    assert_ok(lp_dataset_open(path, LP_SPLIT_TRAIN, LP_LABELS_FINE, &data, &err), &err);
    assert_string_equal(lp_dataset_describe(data)->name, "CIFAR-10");
    assert_string_equal(lp_dataset_class_name(data, 0), "a");
    assert_string_equal(lp_dataset_class_name(data, 9), "j");
    lp_dataset_close(data);
    assert_fails(lp_dataset_open(path, LP_SPLIT_TRAIN, LP_LABELS_COARSE, &data, &err),
                 LP_ERR_ARGUMENT, &err, "CIFAR-10 has no coarse labels");
    assert_refused(path, LP_SPLIT_TEST, LP_ERR_IO, "looked for test.bin (CIFAR-100)");
}

/* ---- what is wrong with a file ------------------------------------------------------------- */

static void bad_records_are_located(void **state) {
    (void)state;
    unsigned char *bytes = records(RECORD_100, 0, 5);
    (void)fresh("bad");
    put_file("bad/train.bin", bytes, 4 * RECORD_100 + 100);
    assert_refused(in_folder("bad"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "bad/train.bin: record 4 (byte 12296): expected 3074 bytes, found 100");
    bytes[3 * RECORD_100 + 1] = 100;
    put_file("bad/train.bin", bytes, 5 * RECORD_100);
    assert_refused(in_folder("bad/train.bin"), LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "train.bin: record 3 (byte 9223): expected a fine label from 0 to 99, found "
                   "100");
    bytes[2 * RECORD_100] = 20; /* wrong even though fine labels are asked for */
    put_file("bad/train.bin", bytes, 5 * RECORD_100);
    assert_refused(in_folder("bad"), LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "record 2 (byte 6148): expected a coarse label from 0 to 19, found 20");
    put_file("bad/train.bin", "", 0);
    assert_refused(in_folder("bad"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "train.bin: empty: expected records of 3074 bytes");
    lp_free(bytes);

    (void)fresh("bad10");
    bytes = records(RECORD_10, 0, 3);
    put_records("bad10/data_batch_1.bin", RECORD_10, 0, 2);
    bytes[RECORD_10] = 10;
    put_file("bad10/data_batch_2.bin", bytes, 3 * RECORD_10);
    assert_refused(in_folder("bad10"), LP_SPLIT_TRAIN, LP_ERR_DATA,
                   "data_batch_2.bin: record 1 (byte 3073): expected a fine label from 0 to 9, "
                   "found 10");
    lp_free(bytes);
}

static void missing_files_are_named(void **state) {
    (void)state;
    const char *folder = fresh("none");
    assert_refused(folder, LP_SPLIT_TRAIN, LP_ERR_IO,
                   "none: no training split found: looked for train.bin (CIFAR-100), "
                   "data_batch_1.bin (CIFAR-10) or train_X.bin (STL-10), there or in "
                   "cifar-100-binary/, cifar-10-batches-bin/ or stl10_binary/, for a folder of "
                   "images a class, and for the layouts of food-101, ");
    assert_refused(folder, LP_SPLIT_VAL, LP_ERR_IO, "none: no training split found: looked for");
    assert_refused(in_folder("nowhere"), LP_SPLIT_TEST, LP_ERR_IO, "nowhere: cannot be opened");
    assert_refused(in_folder("nowhere.bin"), LP_SPLIT_TEST, LP_ERR_IO,
                   "nowhere.bin: cannot be opened");
    assert_refused("/dev/null", LP_SPLIT_TEST, LP_ERR_IO, "expected a file");
}

static void unreadable_file_is_named(void **state) {
    (void)state;
    (void)fresh("locked");
    put_records("locked/test.bin", RECORD_100, 0, 1);
    assert_int_equal(chmod(in_folder("locked/test.bin"), 0), 0);
    assert_int_equal(chmod(test_folder, 0755), 0);
    if (geteuid() == 0) { /* root could read it */
        assert_int_equal(seteuid(65534), 0);
    }
    assert_refused(in_folder("locked"), LP_SPLIT_TEST, LP_ERR_IO,
                   "test.bin: cannot be opened: Permission");
    if (getuid() == 0) {
        assert_int_equal(seteuid(0), 0);
    }
}

/* Fine label f in coarse label f % 20, so that the first 100 records (f = 7 i mod 100) name all. */
static void superclasses(void **state) {
    (void)state;
    const char *folder = fresh("super");
    unsigned char *bytes = records(RECORD_100, 0, 120);
    for (size_t i = 0; i < 120; i++) {
        bytes[i * RECORD_100] = bytes[i * RECORD_100 + 1] % 20;
    }
    put_file("super/test.bin", bytes, (size_t)120 * RECORD_100);
    lp_dataset *data;
    size_t count = 1;
    assert_ok(lp_dataset_open(folder, LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    const int64_t *of = lp_dataset_superclasses(data, &count);
    assert_ptr_equal(of, lp_dataset_superclasses(data, NULL));
    assert_int_equal(count, 20);
    for (int64_t k = 0; k < 100; k++) {
        assert_int_equal(of[k], k % 20);
    }
    assert_string_equal(lp_dataset_superclass_name(data, 19), "superclass 19"); /* no names file */
    assert_string_equal(lp_dataset_superclass_name(data, 20), "");
    lp_dataset_close(data);
    put_names("super/coarse_label_names.txt", "c", 20);
    assert_ok(lp_dataset_open(folder, LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    assert_string_equal(lp_dataset_superclass_name(data, 19), "c19");
    lp_dataset_close(data);
    put_names("super/coarse_label_names.txt", "c", 19);
    assert_refused(folder, LP_SPLIT_TEST, LP_ERR_FORMAT,
                   "coarse_label_names.txt: expected 20 names, one a line, found 19");

    /* coarse classes have none; nor has a set where a class never occurs, or occurs in two */
    put_names("super/coarse_label_names.txt", "c", 20);
    assert_ok(lp_dataset_open(folder, LP_SPLIT_TEST, LP_LABELS_COARSE, &data, &err), &err);
    assert_null(lp_dataset_superclasses(data, &count));
    assert_int_equal(count, 0);
    lp_dataset_close(data);
    put_file("super/test.bin", bytes, (size_t)99 * RECORD_100);
    assert_ok(lp_dataset_open(folder, LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    assert_null(lp_dataset_superclasses(data, &count));
    lp_dataset_close(data);
    bytes[(size_t)119 * RECORD_100] ^= 1;
    put_file("super/test.bin", bytes, (size_t)120 * RECORD_100);
    assert_ok(lp_dataset_open(folder, LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err), &err);
    assert_null(lp_dataset_superclasses(data, &count));
    assert_string_equal(lp_dataset_superclass_name(data, 0), "");
    lp_dataset_close(data);
    lp_free(bytes);
}

static void bad_names_are_located(void **state) {
    (void)state;
    const char *folder = fresh("names");
    put_records("names/test.bin", RECORD_100, 0, 1);
    put_names("names/fine_label_names.txt", "n", 99);
    assert_refused(folder, LP_SPLIT_TEST, LP_ERR_FORMAT,
                   "fine_label_names.txt: expected 100 names, one a line, found 99");
    put_names("names/fine_label_names.txt", "n", 101);
    assert_refused(folder, LP_SPLIT_TEST, LP_ERR_FORMAT, "found 101");
    put_file("names/fine_label_names.txt", "\n\n", 2);
    assert_refused(folder, LP_SPLIT_TEST, LP_ERR_FORMAT, "found 0");
    put_file("names/fine_label_names.txt", "", 0);
    assert_refused(folder, LP_SPLIT_TEST, LP_ERR_FORMAT, "found 0");
    put_file("names/fine_label_names.txt", "a\nb\033[2J", 7);
    assert_refused(folder, LP_SPLIT_TEST, LP_ERR_FORMAT, "byte 3: expected text, found 27");
    put_file("names/fine_label_names.txt", "a\0b", 3);
    assert_refused(folder, LP_SPLIT_TEST, LP_ERR_FORMAT, "byte 1: expected text, found 0");
    put_names("names/fine_label_names.txt", "\n", 50);
    assert_refused(folder, LP_SPLIT_TEST, LP_ERR_FORMAT, "line 1: expected a name, found none");
}

/* ---- what is wrong with an archive --------------------------------------------------------- */

static void truncated_archives_are_refused(void **state) {
    (void)state;
    (void)fresh("cut");
    (void)small_archive("cut/whole.tar.gz");
    char *bytes;
    size_t size, whole = archive.used;
    /* The tar ends in the middle of a record of each member, in a header, before the end. */
    (void)gzip("cut/a.tar.gz", 1024 + 3 * RECORD_100 + 17);
    assert_refused(in_folder("cut/a.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT, "record 3: ");
    assert_refused(in_folder("cut/a.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "a.tar.gz: cifar-100-binary/train.bin: ");
    assert_refused(in_folder("cut/a.tar.gz"), LP_SPLIT_TEST, LP_ERR_FORMAT, "a.tar.gz: ");
    (void)gzip("cut/b.tar.gz", whole - 1024 - 2 * RECORD_100);
    assert_refused(in_folder("cut/b.tar.gz"), LP_SPLIT_TEST, LP_ERR_FORMAT, "record 2: ");
    assert_refused(in_folder("cut/b.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT, "b.tar.gz: ");
    /* The gzip stream ends early, anywhere. */
    assert_ok(lp_file_read(in_folder("cut/whole.tar.gz"), 1 << 20, &bytes, &size, &err), &err);
    for (size_t part = 0; part < 10; part++) {
        put_file("cut/c.tar.gz", bytes, size * part / 10);
        assert_refused(in_folder("cut/c.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT, "c.tar.gz");
    }
    lp_free(bytes);
}

static void damaged_archives_never_crash(void **state) {
    (void)state;
    (void)fresh("noise");
    (void)small_archive("noise/whole.tar.gz");
    char *bytes;
    size_t size;
    put_file("noise/text.tar.gz", "not an archive at all", 21);
    assert_refused(in_folder("noise/text.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT, "text.tar.gz: ");
    put_file("noise/gz.tar.gz", "\x1f\x8b\x08\0\0\0\0\0\0\3garbage that does not inflate", 38);
    assert_refused(in_folder("noise/gz.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT, "gz.tar.gz: ");
    assert_ok(lp_file_read(in_folder("noise/whole.tar.gz"), 1 << 20, &bytes, &size, &err), &err);
    lp_dataset *undamaged;
    char whole[LP_DIGEST_HEX];
    assert_ok(lp_dataset_open(in_folder("noise/whole.tar.gz"), LP_SPLIT_TRAIN, LP_LABELS_FINE,
                              &undamaged, &err),
              &err);
    (void)snprintf(whole, sizeof whole, "%s", lp_dataset_describe(undamaged)->digest);
    lp_dataset_close(undamaged);
    /* Whatever a flipped bit does is no crash, and if it changes a record, it is noticed, if only
     * by gzip's CRC-32 at the end. */
    for (size_t i = 0; i < size; i += i < 12 || i + 9 > size ? 1 : 1 + size / 200) {
        lp_dataset *data;
        bytes[i] ^= 0x10;
        put_file("noise/flip.tar.gz", bytes, size);
        lp_status status = lp_dataset_open(in_folder("noise/flip.tar.gz"), LP_SPLIT_TRAIN,
                                           LP_LABELS_FINE, &data, &err);
        assert_true((status == LP_OK) == (data != NULL));
        assert_true(status != LP_OK || strcmp(lp_dataset_describe(data)->digest, whole) == 0);
        lp_dataset_close(data);
        bytes[i] ^= 0x10;
    }
    lp_free(bytes);
    small_archive("noise/whole.tar.gz");
    for (size_t i = 0; i < 1024; i++) { /* the same in the headers, which gzip would protect */
        lp_dataset *data;
        archive.bytes[i] ^= 0x10;
        put_file("noise/flip.tar", archive.bytes, archive.used);
        lp_status status = lp_dataset_open(in_folder("noise/flip.tar"), LP_SPLIT_TRAIN,
                                           LP_LABELS_FINE, &data, &err);
        assert_true((status == LP_OK) == (data != NULL));
        lp_dataset_close(data);
        archive.bytes[i] ^= 0x10;
    }
}

static void hostile_members_are_refused(void **state) {
    (void)state;
    (void)fresh("evil");
    archive.used = 0;
    tar_header("train.bin", '0', "", UINT64_C(8000000000));
    tar_records("x", RECORD_100, 0, 1);
    (void)gzip("evil/huge.tar.gz", archive.used);
    assert_refused(in_folder("evil/huge.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "train.bin: claims 8000000000 bytes, at most ");
    archive.used = 0;
    tar_header("train.bin", '2', "/etc/passwd", 0);
    tar_end();
    (void)gzip("evil/symbolic.tar.gz", archive.used);
    assert_refused(in_folder("evil/symbolic.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "train.bin: expected a file, found a link or a folder");
    archive.used = 0;
    tar_records("other.bin", RECORD_100, 0, 1);
    tar_header("train.bin", '1', "other.bin", 0);
    tar_end();
    (void)gzip("evil/hard.tar.gz", archive.used);
    assert_refused(in_folder("evil/hard.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "train.bin: expected a file, found a link or a folder");
    archive.used = 0;
    tar_records("train.bin", RECORD_100, 0, 1);
    tar_records("cifar-100-binary/train.bin", RECORD_100, 1, 1);
    tar_end();
    (void)gzip("evil/twice.tar.gz", archive.used);
    assert_refused(in_folder("evil/twice.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "cifar-100-binary/train.bin: is there twice, first as ");
    archive.used = 0;
    tar_records("train.bin", RECORD_100, 0, 1);
    tar_records("data_batch_1.bin", RECORD_10, 0, 1);
    tar_end();
    (void)gzip("evil/both.tar.gz", archive.used);
    assert_refused(in_folder("evil/both.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "holds files of both cifar-100-binary and cifar-10-batches-bin");
    archive.used = 0;
    tar_file("train.bin", "", 0);
    tar_end();
    (void)gzip("evil/empty.tar.gz", archive.used);
    assert_refused(in_folder("evil/empty.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_FORMAT,
                   "train.bin: empty");
    archive.used = 0;
    tar_file("fine_label_names.txt", "a\n", 2);
    tar_end();
    (void)gzip("evil/names.tar.gz", archive.used);
    assert_refused(in_folder("evil/names.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_IO,
                   "no training split found");
}

/* ---- memory -------------------------------------------------------------------------------- */

/* A pipe that nobody writes to is refused, not waited for. */
static void pipes_are_refused(void **state) {
    (void)state;
    (void)fresh("pipe");
    assert_int_equal(mkfifo(in_folder("pipe/train.bin"), 0600), 0);
    assert_int_equal(mkfifo(in_folder("pipe/set.tar.gz"), 0600), 0);
    assert_refused(in_folder("pipe/train.bin"), LP_SPLIT_TRAIN, LP_ERR_IO,
                   "train.bin: expected a file, found not a regular file");
    assert_refused(in_folder("pipe/set.tar.gz"), LP_SPLIT_TRAIN, LP_ERR_IO,
                   "set.tar.gz: expected a file, found not a regular file");
    assert_refused(in_folder("pipe"), LP_SPLIT_TRAIN, LP_ERR_IO, "no training split found");
    assert_refused("/dev/zero", LP_SPLIT_TRAIN, LP_ERR_IO, "/dev/zero: expected a file");
}

static void every_failed_allocation_is_reported(void **state) {
    (void)state;
    const char *folder = fresh("memory");
    put_records("memory/test.bin", RECORD_100, 0, 100); /* each class once: superclasses, too */
    put_names("memory/fine_label_names.txt", "n", 100);
    put_names("memory/coarse_label_names.txt", "c", 20);
    archive.used = 0;
    tar_records("data_batch_1.bin", RECORD_10, 0, 2);
    tar_records("data_batch_2.bin", RECORD_10, 2, 1);
    tar_end();
    const char *sources[] = {folder, in_folder("memory/test.bin"),
                             gzip("memory/c10.tar.gz", archive.used)};
    for (size_t s = 0; s < 3; s++) {
        const lp_dataset_options options = {.split = s < 2 ? LP_SPLIT_TEST : LP_SPLIT_TRAIN};
        lp_dataset *data = open_without_memory(sources[s], &options, 6);
        assert_images(data, 0);
        lp_dataset_close(data);
    }
}

static void some_records_of_each_class(void **state) {
    (void)state;
    lp_dataset *data, *again;
    const char *path = fresh("some");
    put_records("some/test.bin", RECORD_100, 0, 150); /* fine labels i * 7 % 100 */
    const lp_dataset_options options = {.split = LP_SPLIT_TEST, .per_class = 1, .split_seed = 4};
    assert_ok(lp_dataset_open_with(path, &options, &data, &err), &err);
    const lp_dataset_info *info = lp_dataset_describe(data);
    assert_int_equal(info->count, 100);
    assert_int_equal(info->part, 150);
    assert_int_equal(info->per_class, 1);
    bool seen[100] = {false}, later = false;
    for (size_t i = 0; i < 100; i++) {
        unsigned char rgb[PIXELS];
        int64_t label = lp_dataset_labels(data)[i];
        assert_false(seen[label]);
        seen[label] = true;
        size_t record = 0;
        while (record * 7 % 100 != (size_t)label) {
            record++;
        }
        assert_ok(lp_dataset_image(data, i, rgb, &err), &err);
        bool first = rgb[0] == pixel(record, 0);
        assert_true(first || rgb[0] == pixel(record + 100, 0));
        later = later || !first;
    }
    assert_true(later);
    assert_ok(lp_dataset_open_with(path, &options, &again, &err), &err);
    assert_string_equal(lp_dataset_describe(again)->digest, info->digest);
    lp_dataset_close(again);
    assert_ok(lp_dataset_open(path, LP_SPLIT_TEST, LP_LABELS_FINE, &again, &err), &err);
    assert_string_not_equal(lp_dataset_describe(again)->digest, info->digest);
    lp_dataset_close(again);
    lp_dataset_close(data);
    const lp_dataset_options few = {.split = LP_SPLIT_TEST, .limit = 99};
    assert_fails(lp_dataset_open_with(path, &few, &data, &err), LP_ERR_DATA, &err,
                 "some: a limit of 99 images is less than the 100 classes");
}

/* ---- the table of published facts ---------------------------------------------------------- */

static void official_facts_agree(void **state) {
    (void)state;
    for (size_t set = 0; set < LP_RECORD_SETS; set++) {
        const lp_record_layout *layout = &lp_record_layouts[set];
        const char *file = layout->archive.file;
        const char *sha256 = layout->archive.sha256;
        assert_int_equal(sha256 != NULL, layout->archive.bytes > 0);
        assert_true(sha256 == NULL ||
                    (strspn(sha256, "0123456789abcdef") == 64 && sha256[64] == '\0'));
        assert_string_equal(lp_path_name(layout->archive.url), file);
        assert_true(layout->classes[LP_LABELS_FINE] <= 256);
        for (size_t split = 0; split < 2; split++) {
            const lp_official_records *official = &layout->official[split];
            if (official->name != NULL) {
                size_t digits = official->kind == LP_SHA256 ? 64 : 32;
                assert_int_equal(strspn(official->digest, "0123456789abcdef"), digits);
                assert_int_equal(official->digest[digits], '\0');
                assert_int_equal(official->labels != NULL, layout->label_files[split] != NULL);
                assert_true(official->labels == NULL ||
                            (strspn(official->labels, "0123456789abcdef") == digits &&
                             official->labels[digits] == '\0'));
                size_t images = set == LP_STL_10 ? (split == LP_SPLIT_TRAIN ? 5000 : 8000)
                                                 : (split == LP_SPLIT_TRAIN ? 50000 : 10000);
                assert_int_equal(official->bytes, images * lp_record_bytes(layout));
                assert_string_equal(lp_path_name(official->name), layout->files[split][0]);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cifar_100_folder),
        cmocka_unit_test(cifar_10_folder),
        cmocka_unit_test(official_folder_one_level_down),
        cmocka_unit_test(single_files),
        cmocka_unit_test(archives),
        cmocka_unit_test(bad_records_are_located),
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(unreadable_file_is_named),
        cmocka_unit_test(superclasses),
        cmocka_unit_test(bad_names_are_located),
        cmocka_unit_test(truncated_archives_are_refused),
        cmocka_unit_test(damaged_archives_never_crash),
        cmocka_unit_test(hostile_members_are_refused),
        cmocka_unit_test(pipes_are_refused),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(some_records_of_each_class),
        cmocka_unit_test(official_facts_agree),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
