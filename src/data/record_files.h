/* Finding and loading the files of one split of CIFAR-100, CIFAR-10 or STL-10, unchecked. */
#ifndef LP_DATA_RECORD_FILES_H
#define LP_DATA_RECORD_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/file.h"
#include "base/memory.h"
#include "data/official_data.h"
#include "linprobe/dataset.h"

/* One file of records: mapped, read from an archive into memory of its own, or made from a pickle
 * in the files' common memory. */
typedef struct lp_record_file {
    char *path; /* for messages; in an archive "<archive>: <member>".  NULL: not there */
    const unsigned char *data;
    size_t size;
    lp_map map;
    unsigned char *memory;
} lp_record_file;

typedef struct lp_record_files {
    const lp_record_layout *layout;
    lp_record_file records[LP_RECORD_FILES_MAX];
    size_t count;            /* >= 1, the first ones of layout->files[split] */
    lp_record_file labels;   /* where the layout keeps them apart */
    lp_record_file names[2]; /* by lp_label_kind; path is NULL where there is no such file */
    const char *official; /* the official archive that it is, by its SHA-256 (looked at only where
                           * the records have no digest of their own), or the folder of official
                           * pickles; or NULL */
    lp_memory memory;     /* of records and names that were pickled */
} lp_record_files;

/* path: a folder, one ".bin" file, or an archive; layout: the one that it must be, or NULL for any.
 * The Python version's pickles become records here.  On failure files is empty.  That nothing of
 * the split is there is no failure: then files->count is 0. */
LP_MUST_USE lp_status lp_record_files_open(const char *path, const lp_record_layout *layout,
                                           lp_split split, lp_record_files *files, lp_error *err);
void lp_record_files_close(lp_record_files *files);

/* LP_ERR_IO: that nothing of the split is at path, and what was looked for: the files of one
 * layout, or, with NULL, of any, and of the other kinds of data sets. */
lp_status lp_record_files_missing(const char *path, const lp_record_layout *only, lp_split split,
                                  lp_error *err);

#endif
