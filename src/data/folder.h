/* What lies in a folder. */
#ifndef LP_DATA_FOLDER_H
#define LP_DATA_FOLDER_H

#include <stddef.h>
#include "linprobe/status.h"

/* Names in a folder but the hidden ones, sorted by their bytes. */
typedef struct lp_folder {
    char **names;
    size_t count;
    size_t room;
    size_t hidden; /* names with a dot in front, "." and ".." apart */
} lp_folder;

LP_MUST_USE lp_status lp_folder_read(const char *path, lp_folder *folder, lp_error *err);
void lp_folder_clear(lp_folder *folder);

#endif
