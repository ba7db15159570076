/* A list of image files with their labels: what belongs to a part of a data set, in which order,
 * and the pixels of each.
 *
 *     LP_TRY(lp_image_list_start(&list, tree, "dtd", skip_broken, err));
 *     LP_TRY(lp_image_list_add_class(&list, "banded", err));       // class 0
 *     LP_TRY(lp_image_list_add_listed(&list, "dtd/labels/train1.txt:1", "images/banded/1.jpg", 0,
 *                                     err));
 *     LP_TRY(lp_image_list_check(&list, &options, digest, err));   // all are decoded once
 *     LP_TRY(lp_image_list_read(&list, 0, rgb, err));
 *     lp_image_list_close(&list);
 *
 * The digest is the SHA-256 over a line for each image in order,
 *   <SHA-256 of the file><space><space><label><space><name in the list's folder>
 * ended by a zero byte; of a set of several labels an image, a character a class stands for the
 * label: '+' there, '-' not there, '?' neither. */
#ifndef LP_DATA_IMAGE_LIST_H
#define LP_DATA_IMAGE_LIST_H

#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "data/tree.h"
#include "linprobe/dataset.h"

enum { LP_LISTED_MARK = 16 }; /* digits of the file's digest that are kept */

typedef struct lp_listed_image {
    char *name; /* below the list's folder */
    int64_t label;
    int8_t *marks; /* of several labels an image: [classes] as lp_dataset_marks; else NULL */
    uint32_t height, width; /* known once checked, as is mark */
    char mark[LP_LISTED_MARK];
    bool validation; /* of the validation part of LP_SPLIT_TRAINVAL */
} lp_listed_image;

typedef struct lp_broken_image {
    char *name;
    char *why;
} lp_broken_image;

typedef struct lp_image_list {
    lp_tree *tree; /* the list's own */
    char *folder;  /* in the tree, which names begin at; "": its root */
    char **classes;
    size_t class_count, class_room;
    lp_listed_image *images;
    size_t count, room;
    lp_broken_image *broken;
    size_t broken_count, broken_room;
    bool skip_broken;
    bool multilabel; /* every image has marks, and no label */
    bool validating; /* images that are added now are of the validation part, behind the others */
    size_t ignored;  /* hidden files, and files that are no images by their name */
    size_t empty_classes; /* class folders without any file, which are left out */
    double test_share;    /* of a split by a seed that gives a share of each class; else 0 */
    bool by_seed;         /* the split takes a number of each class by a seed */
    char *instead;        /* the folder that serves as the test part instead of test/, or NULL */
} lp_image_list;

/* An empty list over a tree, which belongs to the list from here on, also after a failure. */
LP_MUST_USE lp_status lp_image_list_start(lp_image_list *list, lp_tree *tree, const char *folder,
                                          bool skip_broken, lp_error *err);
void lp_image_list_close(lp_image_list *list); /* zeros are allowed */

/* An error about a file or folder of the list: "<its path>: ".  Returns status. */
lp_status lp_image_list_fail(const lp_image_list *list, const char *name, lp_status status,
                             lp_error *err, const char *format, ...) LP_PRINTF(5, 6);

/* Adds the next class.  LP_ERR_FORMAT: a name with control characters. */
LP_MUST_USE lp_status lp_image_list_add_class(lp_image_list *list, const char *name, lp_error *err);

/* The class of a name, or -1. */
int64_t lp_image_list_class(const lp_image_list *list, const char *name);

/* Adds an image; label is below the number of classes. */
LP_MUST_USE lp_status lp_image_list_add(lp_image_list *list, const char *name, int64_t label,
                                        lp_error *err);

/* Gives the image that was added last the marks of several labels, [classes], which are copied. */
LP_MUST_USE lp_status lp_image_list_mark(lp_image_list *list, const int8_t *marks, lp_error *err);

/* lp_image_list_add for an image that a file of the data set names, at `place` ("<file>:<line>").
 * One that is not there is LP_ERR_DATA, or counts as broken. */
LP_MUST_USE lp_status lp_image_list_add_listed(lp_image_list *list, const char *place,
                                               const char *name, int64_t label, lp_error *err);

/* Adds image `number` of one file, from pixels of its own: uint8 [height, width, channels], of 1
 * (grey) or 3 channels.  Its name is "<part>/<number>.ppm", and its file that PGM or PPM. */
LP_MUST_USE lp_status lp_image_list_add_pixels(lp_image_list *list, lp_split part, size_t number,
                                               const unsigned char *pixels, size_t height,
                                               size_t width, size_t channels, int64_t label,
                                               lp_error *err);

/* The same where the file, of `size` bytes, is number `number` of a source that the tree owns. */
LP_MUST_USE lp_status lp_image_list_add_lazily(lp_image_list *list, lp_split part,
                                               const lp_tree_source *source, size_t number,
                                               size_t size, int64_t label, lp_error *err);

/* What becomes of an entry `name` that failed with `status` and err: it counts as broken (LP_OK)
 * where broken ones are skipped, if its own contents were wrong; else the status. */
LP_MUST_USE lp_status lp_image_list_refuse(lp_image_list *list, const char *name, lp_status status,
                                           lp_error *err);

/* An entry that counts as broken.  Takes over both texts (lp_free), also after a failure; NULL is
 * out of memory. */
LP_MUST_USE lp_status lp_image_list_add_broken(lp_image_list *list, char *name, char *why,
                                               lp_error *err);

/* Sorts the images from `first` on: by class, by the folder they lie in, by name, all as bytes;
 * torchvision's ImageFolder. */
void lp_image_list_sort(lp_image_list *list, size_t first);

/* LP_ERR_DATA: a class without images, where every class must have some. */
LP_MUST_USE lp_status lp_image_list_complete(const lp_image_list *list, bool every_class,
                                             lp_error *err);

/* Keeps the images of options->split by options->split_seed: stratified, over all images by their
 * names, so that it does not depend on which are broken.  By options->test_share; or train_each of
 * every class for training, and test_each of the others (0: all) for the test.  LP_ERR_DATA: too
 * few. */
LP_MUST_USE lp_status lp_image_list_keep_share(lp_image_list *list,
                                               const lp_dataset_options *options, lp_error *err);
LP_MUST_USE lp_status lp_image_list_keep_each(lp_image_list *list,
                                              const lp_dataset_options *options, size_t train_each,
                                              size_t test_each, lp_error *err);

/* Keeps some of the images as the options choose (subset.h); all where they ask for no choice.
 * Several labels an image: by the rarest class of each.  LP_ERR_UNSUPPORTED: of those per_class. */
LP_MUST_USE lp_status lp_image_list_choose(lp_image_list *list, const lp_dataset_options *options,
                                           lp_error *err);

/* Decodes every image once, on all threads, and computes the digest.  A broken one is an error, or
 * moved to list->broken where the list says so; what cannot be read at all is always an error. */
LP_MUST_USE lp_status lp_image_list_check(lp_image_list *list, const lp_dataset_options *options,
                                          char digest[LP_DIGEST_HEX], lp_error *err);

/* Pixels of image i of a checked list.  Thread-safe. */
LP_MUST_USE lp_status lp_image_list_read(const lp_image_list *list, size_t i, unsigned char *rgb,
                                         lp_error *err);

#endif
