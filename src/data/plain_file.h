/* A file of a tree for libraries that open files by their names alone.  One that lies in an
 * archive, or is packed by gzip, is copied to a temporary file without a name, which its descriptor
 * leads to.
 *
 *     lp_plain_file file;
 *     LP_TRY(lp_plain_file_open(tree, "pcam/x.h5", &file, err));    // or pcam/x.h5.gz
 *     open(file.name);
 *     lp_plain_file_close(&file);
 */
#ifndef LP_DATA_PLAIN_FILE_H
#define LP_DATA_PLAIN_FILE_H

#include <stdio.h>
#include "data/tree.h"

typedef struct lp_plain_file {
    char path[LP_PATH_ROOM]; /* for messages */
    char name[LP_PATH_ROOM]; /* to open, until the file is closed */
    FILE *copy;              /* NULL: it lies there as it is */
} lp_plain_file;

/* The file `name`, or where that is not there "<name>.gz".  *file is released by
 * lp_plain_file_close in any case.  LP_ERR_IO: neither is there, or there is no room for the copy
 * (in /tmp). LP_ERR_FORMAT: a broken gzip file, or one of more than 16 GiB. */
LP_MUST_USE lp_status lp_plain_file_open(const lp_tree *tree, const char *name, lp_plain_file *file,
                                         lp_error *err);
void lp_plain_file_close(lp_plain_file *file);

#endif
