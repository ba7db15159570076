/* CIFAR-100 and CIFAR-10 as published (https://www.cs.toronto.edu/~kriz/cifar.html): the layout of
 * their binary versions, their files, sizes and checksums. */
#ifndef LP_DATA_OFFICIAL_DATA_H
#define LP_DATA_OFFICIAL_DATA_H

#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"
#include "linprobe/dataset.h"

enum { LP_CIFAR_SIDE = 32, LP_CIFAR_PIXELS = 3 * 32 * 32, LP_CIFAR_FILES_MAX = 5 };

typedef enum lp_cifar_set { LP_CIFAR_100, LP_CIFAR_10, LP_CIFAR_SETS } lp_cifar_set;

typedef struct lp_official_archive {
    const char *file; /* its name */
    const char *url;
    uint64_t bytes;
    const char *sha256;
} lp_official_archive;

/* A split's records as published, where a digest of the unpacked file is known. */
typedef struct lp_official_records {
    const char *name; /* NULL: only the archive can be recognised */
    uint64_t bytes;
    lp_digest_kind kind;
    const char *digest;
} lp_official_records;

/* A record: label_bytes labels (coarse before fine), then 32 x 32 red, green and blue bytes, each
 * plane row by row. */
typedef struct lp_cifar_layout {
    const char *name;
    const char *folder; /* in the archive */
    lp_official_archive archive;
    size_t label_bytes;
    size_t classes[2];                        /* by lp_label_kind; 0: no such labels */
    const char *names[2];                     /* by lp_label_kind: file of one name a line */
    const char *files[2][LP_CIFAR_FILES_MAX]; /* by lp_split, in the order of the records */
    lp_official_records official[2];          /* by lp_split */
} lp_cifar_layout;

extern const lp_cifar_layout lp_cifar_layouts[LP_CIFAR_SETS];

#endif
