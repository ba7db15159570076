/* What lies in a folder. */
#ifndef LP_BASE_FOLDER_H
#define LP_BASE_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include "linprobe/status.h"

/* Names in a folder but the hidden ones, "__MACOSX", which macOS's archiver adds, and "@eaDir" of
 * Synology's file server; sorted by their bytes. */
typedef struct lp_folder {
    char **names;
    size_t count;
    size_t room;
    size_t left_out; /* hidden names ("." and ".." apart) and those of the other kind */
} lp_folder;

/* Adds a name, or counts it as left out.  It is the folder's from here on (lp_free).  NULL is out
 * of memory.  lp_folder_sort ends it. */
LP_MUST_USE lp_status lp_folder_add(lp_folder *folder, char *name, lp_error *err);
void lp_folder_sort(lp_folder *folder);

LP_MUST_USE lp_status lp_folder_read(const char *path, lp_folder *folder, lp_error *err);

/* As lp_folder_read, but only the folders in it (links to folders, too), or only what is none. */
LP_MUST_USE lp_status lp_folder_read_kind(const char *path, bool folders, lp_folder *folder,
                                          lp_error *err);
void lp_folder_clear(lp_folder *folder);

#endif
