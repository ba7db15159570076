/* CIFAR-100 and CIFAR-10 as published (https://www.cs.toronto.edu/~kriz/cifar.html), and STL-10
 * (https://cs.stanford.edu/~acoates/stl10/): the layout of their binary versions, their files,
 * sizes and checksums. */
#ifndef LP_DATA_OFFICIAL_DATA_H
#define LP_DATA_OFFICIAL_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "linprobe/dataset.h"

enum { LP_RECORD_FILES_MAX = 5 };

typedef enum lp_record_set { LP_CIFAR_100, LP_CIFAR_10, LP_STL_10, LP_RECORD_SETS } lp_record_set;

typedef struct lp_official_archive {
    const char *file; /* its name */
    const char *url;
    uint64_t bytes; /* 0: size and SHA-256 are not known */
    const char *sha256;
} lp_official_archive;

/* A split's records as published, where a digest of the unpacked file is known. */
typedef struct lp_official_records {
    const char *name; /* NULL: only the archive can be recognised */
    uint64_t bytes;
    lp_digest_kind kind;
    const char *digest;
    const char *labels; /* the same of the file of labels, where there is one */
} lp_official_records;

/* The Python version: a pickle for each file of the binary version, and one of the names. */
typedef struct lp_pickled_layout {
    const char *folder;                        /* NULL: there is none */
    const char *files[2][LP_RECORD_FILES_MAX]; /* by lp_split, in the order of the records */
    const char *md5[2][LP_RECORD_FILES_MAX];   /* as torchvision publishes them */
    const char *meta;                          /* the file of names */
    const char *labels[2], *names[2];          /* keys, by lp_label_kind */
} lp_pickled_layout;

/* A record: label_bytes labels (coarse before fine), then side x side red, green and blue bytes,
 * each plane row by row or by_columns.  Where label_bytes is 0, the labels are the bytes of a file
 * of their own.  Label first_label is class 0. */
typedef struct lp_record_layout {
    const char *name;
    const char *folder; /* in the archive */
    lp_official_archive archive;
    size_t side;
    bool by_columns;
    size_t label_bytes;
    size_t first_label;
    size_t classes[2];                         /* by lp_label_kind; 0: no such labels */
    const char *names[2];                      /* by lp_label_kind: file of one name a line */
    const char *files[2][LP_RECORD_FILES_MAX]; /* by lp_split, in the order of the records */
    const char *label_files[2];      /* by lp_split; NULL: the labels are in the records */
    lp_official_records official[2]; /* by lp_split */
    lp_pickled_layout pickled;
} lp_record_layout;

extern const lp_record_layout lp_record_layouts[LP_RECORD_SETS];

size_t lp_record_bytes(const lp_record_layout *layout);

#endif
