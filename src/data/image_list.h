/* A folder of image files, one sub-folder a class: what belongs to a split, in which order, and the
 * pixels of each.
 *
 *   ROOT/train/CLASS/...  and ROOT/test, val or validation/CLASS/...  (the first of these)
 *   ROOT/CLASS/...        split by seed
 *
 * Classes are sub-folders in the order of their names' bytes; the images of a class are sorted by
 * the folder they lie in, then by name, both as bytes: torchvision's ImageFolder.  Hidden files and
 * folders and files that are no images by their name are counted and left out (torchvision takes
 * the hidden ones).
 *
 * The digest is the SHA-256 over a line for each image in order,
 *   <SHA-256 of the file><space><space><label><space><name in the split's folder>
 * ended by a zero byte. */
#ifndef LP_DATA_IMAGE_LIST_H
#define LP_DATA_IMAGE_LIST_H

#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "linprobe/dataset.h"

enum { LP_LISTED_MARK = 16 }; /* digits of the file's digest that are kept */

typedef struct lp_listed_image {
    char *name; /* "CLASS/.../file", below the list's folder */
    int64_t label;
    uint32_t height, width; /* known once checked, as is mark */
    char mark[LP_LISTED_MARK];
} lp_listed_image;

typedef struct lp_broken_image {
    char *name;
    char *why;
} lp_broken_image;

typedef struct lp_image_list {
    char *folder; /* that holds the class folders */
    char **classes;
    size_t class_count;
    lp_listed_image *images;
    size_t count;
    lp_broken_image *broken;
    size_t broken_count;
    size_t ignored;
    double test_share; /* 0: the folder has a split of its own */
} lp_image_list;

/* Finds the split's images by their names.  A path where there are none gives an empty list. */
LP_MUST_USE lp_status lp_image_list_open(const char *path, const lp_dataset_options *options,
                                         lp_image_list *list, lp_error *err);
void lp_image_list_close(lp_image_list *list);

/* Decodes every image once, on all threads, and computes the digest.  A broken one is an error, or
 * moved to list->broken where the options say so; what cannot be read at all is always an error. */
LP_MUST_USE lp_status lp_image_list_check(lp_image_list *list, const lp_dataset_options *options,
                                          char digest[LP_DIGEST_HEX], lp_error *err);

/* Pixels of image i of a checked list.  Thread-safe. */
LP_MUST_USE lp_status lp_image_list_read(const lp_image_list *list, size_t i, unsigned char *rgb,
                                         lp_error *err);

#endif
