/* Finding and loading the files of one split of CIFAR-100 or CIFAR-10, unchecked. */
#ifndef LP_DATA_CIFAR_FILES_H
#define LP_DATA_CIFAR_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/file.h"
#include "data/official_data.h"
#include "linprobe/dataset.h"

/* One file of records: mapped, or read from an archive into memory of its own. */
typedef struct lp_cifar_file {
    char *path; /* for messages; in an archive "<archive>: <member>".  NULL: not there */
    const unsigned char *data;
    size_t size;
    lp_map map;
    unsigned char *memory;
} lp_cifar_file;

typedef struct lp_cifar_files {
    const lp_cifar_layout *layout;
    lp_cifar_file records[LP_CIFAR_FILES_MAX];
    size_t count;           /* >= 1, the first ones of layout->files[split] */
    lp_cifar_file names[2]; /* by lp_label_kind; path is NULL where there is no such file */
    bool official_archive;  /* it is the official archive, by its SHA-256 (looked at only where the
                             * records have no digest of their own) */
} lp_cifar_files;

/* path: a folder, one ".bin" file, or an archive.  On failure files is empty. */
LP_MUST_USE lp_status lp_cifar_files_open(const char *path, lp_split split, lp_cifar_files *files,
                                          lp_error *err);
void lp_cifar_files_close(lp_cifar_files *files);

#endif
