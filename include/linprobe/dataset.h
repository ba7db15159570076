/* linprobe/dataset.h: labelled images.
 *
 * CIFAR-100, CIFAR-10 and STL-10, from a folder or straight from the official .tar.gz; more sets by
 * name (docs/DATASETS.md); and folders of image files, one a class.
 *
 *     unsigned char rgb[32 * 32 * 3];
 *     lp_error err;
 *     lp_dataset *data;
 *     lp_status status =
 *         lp_dataset_open("cifar-100-binary.tar.gz", LP_SPLIT_TEST, LP_LABELS_FINE, &data, &err);
 *     if (status == LP_OK)
 *         status = lp_dataset_image(data, 0, rgb, &err);
 *     if (status == LP_OK)
 *         puts(lp_dataset_class_name(data, (size_t)lp_dataset_labels(data)[0]));
 *     else
 *         fprintf(stderr, "%s\n", err.text);
 *     lp_dataset_close(data);
 */
#ifndef LINPROBE_DATASET_H
#define LINPROBE_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A part of a data set. */
typedef enum lp_split {
    LP_SPLIT_TRAIN,
    LP_SPLIT_TEST,
    LP_SPLIT_VAL,     /* the validation part, where the set has one */
    LP_SPLIT_TRAINVAL /* train and val together; train where the set has no validation part */
} lp_split;
typedef enum lp_label_kind { LP_LABELS_FINE, LP_LABELS_COARSE } lp_label_kind;

/* How results on a data set are published. */
typedef enum lp_set_metric {
    LP_METRIC_ACCURACY,
    LP_METRIC_MEAN_PER_CLASS, /* accuracy */
    LP_METRIC_ROC_AUC,
    LP_METRIC_MAP_11 /* 11-point mean average precision */
} lp_set_metric;

/* Their names, in the order of the enums, and NULL behind the last: "train", "test", "val",
 * "trainval"; "fine", "coarse"; "accuracy", "mean per class", "ROC AUC", "11-point mAP". */
extern const char *const lp_split_names[];
extern const char *const lp_label_kind_names[];
extern const char *const lp_set_metric_names[];
const char *lp_split_name(lp_split split);
const char *lp_label_kind_name(lp_label_kind labels);

/* lp_dataset_options.test_share where it is 0. */
#define LP_DEFAULT_TEST_SHARE 0.2

/* How a data set is opened.  Zeros: the training split, fine labels, everything else as said. */
typedef struct lp_dataset_options {
    lp_split split;
    lp_label_kind labels;
    /* Of a part only some images, chosen by split_seed; 0: all. */
    size_t per_class; /* at most so many of each class */
    size_t limit; /* so many at most: one of each class, the others in proportion to the classes'
                   * sizes; not less than the classes */
    /* The rest is for folders of images. */
    bool skip_broken;  /* leave out files that cannot be decoded, instead of failing */
    double test_share; /* part of each class that is the test split, above 0 and below 1, where the
                        * folder has no split of its own; 0: LP_DEFAULT_TEST_SHARE */
    size_t split_seed; /* of that split, and of the choice above */
    size_t threads;    /* that check the images; 0 = all processors; never changes the result */
    lp_progress progress; /* in images, while they are checked */
} lp_dataset_options;

typedef struct lp_dataset_info {
    const char *name;     /* "CIFAR-100", "Food-101", ..., or the folder's */
    const char *source;   /* the path it was opened from */
    const char *official; /* the official file it is, by digest, e.g. "cifar-10-binary.tar.gz", or
                           * NULL; also where only some of its images were chosen */
    const char *digest;   /* SHA-256 of the chosen records in their order, 64 hexadecimal digits */
    lp_split split;       /* LP_SPLIT_TRAINVAL: both parts are in it */
    lp_label_kind labels; /* LP_LABELS_FINE where the set has only one kind */
    size_t count;         /* N */
    size_t classes;       /* K */
    const char *set;      /* of a set by name: "food-101", "cifar-100"; else NULL */
    lp_set_metric metric; /* of a set by name, as the CLIP paper scores it */
    size_t published;     /* images of the part as it is published; 0: not known */
    size_t part;          /* images of the part as it was found, before a choice of some */
    size_t per_class;     /* as the options; 0 where that left nothing out */
    size_t limit;
    size_t choice_seed; /* of that choice */
    bool multilabel; /* an image has several labels: lp_dataset_marks, and no lp_dataset_labels */
    /* of image files */
    bool image_folder;
    size_t empty_classes; /* class folders without any file, which were left out */
    const char *instead;  /* the folder that serves as the test part, without test/; or NULL */
    size_t skipped;       /* broken images that were left out */
    size_t ignored;       /* hidden files and folders, and files that are no images by their name */
    double test_share;    /* of a split by seed; 0: the folder has a split of its own */
    size_t split_seed;    /* of a split by seed */
} lp_dataset_info;

/* Never changes after it was opened, so that threads may share it. */
typedef struct lp_dataset lp_dataset;

/* Opens one split.  path is one of
 *   - a folder that holds train.bin and test.bin (CIFAR-100), data_batch_1.bin to 5.bin and
 *     test_batch.bin (CIFAR-10), or train_X.bin, train_y.bin, test_X.bin and test_y.bin (STL-10),
 *     itself or one level down in a folder of the official name;
 *   - a folder of CIFAR's Python version, itself or one level down;
 *   - the official .tar.gz, or any tar of those files;
 *   - one .bin file: CIFAR-10's or STL-10's (with the labels beside it) if it has one of the names
 *     above, CIFAR-100's otherwise;
 *   - a folder with train/ and test/, each with a folder of images a class, and perhaps val/,
 *     validation/ or valid/, which is the test part where test/ has no class folders; or with such
 *     class folders itself, split by seed;
 *   - a .csv file of path,label or path,label,split;
 *   - a folder of webdataset shards, as CLIP_benchmark has them;
 *   - one of the sets that are read by name (docs/DATASETS.md), in its official layout;
 *   - a zip or tar archive of one of these folders;
 *   - "NAME:PATH", where the layout alone does not say which set it is.
 * Any whole number of records is read, and CIFAR-10's training batches may end before the fifth.
 * Every record's labels are checked and the records' digest is computed here.
 *
 * Classes of a folder of images are its sub-folders in the order of their names' bytes, those of
 * the training split; images are files named as torchvision has it (.jpg, .png, ...) there and in
 * folders below, in its order.  Their contents decide what they are.  Each is decoded once here, so
 * that a broken one is known before anything is computed.
 *
 * *data is NULL on failure.  LP_ERR_ARGUMENT: coarse labels of a set without them, two sets in one
 * folder, a file of the other split, a share where the folder has a split.  LP_ERR_IO: nothing
 * found (says what was looked for), or not readable.  LP_ERR_FORMAT: a partial record, an archive
 * that is truncated, damaged or hostile, a names file of the wrong length, a broken image.
 * LP_ERR_UNSUPPORTED: an image in a format that is not read.  LP_ERR_DATA: a label out of range, a
 * class without images, a test class that the training split lacks, only one class, a list that
 * names a file which is not there.  LP_CANCELLED: progress stopped it.  LP_ERR_MEMORY.  Messages
 * have the file and the record, counted from 0. */
LP_MUST_USE lp_status lp_dataset_open_with(const char *path, const lp_dataset_options *options,
                                           lp_dataset **data, lp_error *err);

/* The simple form: the same with all other options 0, and the same statuses. */
LP_MUST_USE lp_status lp_dataset_open(const char *path, lp_split split, lp_label_kind labels,
                                      lp_dataset **data, lp_error *err);
void lp_dataset_close(lp_dataset *data); /* NULL is allowed */

const lp_dataset_info *lp_dataset_describe(const lp_dataset *data);

/* Labels, int64 [N], each below K; NULL of a set of several labels an image.  Belong to the
 * dataset. */
const int64_t *lp_dataset_labels(const lp_dataset *data);

/* Of a set of several labels an image, else NULL: int8 [N, K], row-major, 1: an object of the class
 * is there; 0: none is; -1: neither (only objects that are marked as difficult, which PASCAL VOC
 * leaves out of the class's examples).  Belong to the dataset. */
const int8_t *lp_dataset_marks(const lp_dataset *data);

/* Of LP_SPLIT_TRAINVAL, where there are both parts: bool [N], which images are of the validation
 * part; else NULL.  Belongs to the data set. */
const bool *lp_dataset_validation(const lp_dataset *data);

/* The name of class k, from the set's own names file or folders, or "class k" where there is none;
 * "" for a k that is not below K. */
const char *lp_dataset_class_name(const lp_dataset *data, size_t k);

/* The superclass of each class, int64 [K], each below *count (count may be NULL).  It is found in
 * the records, which name both.  NULL, and *count 0, where they do not say: the labels are coarse,
 * the set has no superclasses, or a class occurs in two of them or never.  Belongs to the dataset.
 */
const int64_t *lp_dataset_superclasses(const lp_dataset *data, size_t *count);

/* The name of superclass g, from the set's own names file, or "superclass g" where there is none;
 * "" for a g that is not below the count. */
const char *lp_dataset_superclass_name(const lp_dataset *data, size_t g);

/* Height and width of image i, below N, in pixels. */
void lp_dataset_image_size(const lp_dataset *data, size_t i, size_t *height, size_t *width);

/* Broken image i, in the order of the set: its name in the folder, and into *why (which may be
 * NULL) what is wrong with it.  NULL for an i that is not below the number of skipped images. */
const char *lp_dataset_skipped(const lp_dataset *data, size_t i, const char **why);

/* Writes image i as uint8 [H, W, 3], RGB.  Thread-safe.  Files are decoded as Pillow does it, and
 * without a look at EXIF's orientation, as torchvision's ImageFolder has them.  LP_ERR_ARGUMENT:
 * i is not below N.  LP_ERR_IO: its file cannot be read.  LP_ERR_DATA: its file has changed since
 * the set was opened.  LP_ERR_MEMORY. */
LP_MUST_USE lp_status lp_dataset_image(const lp_dataset *data, size_t i, unsigned char *rgb,
                                       lp_error *err);

#ifdef __cplusplus
}
#endif
#endif
