/* Files: mapping one for reading, and writing one so that it is complete or not there. */
#ifndef LP_BASE_FILE_H
#define LP_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"

/* A regular file mapped read-only.  `data` is NULL for an empty file. */
typedef struct lp_map {
    const unsigned char *data;
    uint64_t size;
} lp_map;

/* Maps path.  LP_ERR_IO when it cannot be opened, is not a regular file or cannot be mapped. */
LP_MUST_USE lp_status lp_map_open(const char *path, lp_map *map, lp_error *err);
void lp_map_close(lp_map *map);

/* The pages that were read take no memory of this process until they are read again. */
void lp_map_rest(const lp_map *map);

/* The path (its end, where it is long) of the open map that an address lies in, or NULL.  For a
 * handler of SIGBUS, by which the system reports that the bytes there cannot be read any more:
 * async-signal-safe.  Of more than 64 maps at once the later ones are not known. */
const char *lp_map_path_at(const void *address);

/* Reads a whole regular file of at most max_bytes into memory of its own, with a zero byte after
 * the end.  *bytes is freed by the caller with lp_free.  LP_ERR_FORMAT when it is larger. */
LP_MUST_USE lp_status lp_file_read(const char *path, uint64_t max_bytes, char **bytes, size_t *size,
                                   lp_error *err);

/* A file being written under a temporary name in the folder of its final one.  In a team rank 0
 * writes; with the others, which call the same with the same bytes, the file is left alone. */
typedef struct lp_writer lp_writer;

/* Opens "<path>.tmp.<pid>".  LP_ERR_IO also where path is a device or a pipe, which a rename would
 * replace. */
LP_MUST_USE lp_status lp_writer_open(const char *path, lp_writer **writer, lp_error *err);

/* Appends bytes (buffered).  After a failure the writer can only be aborted. */
LP_MUST_USE lp_status lp_writer_put(lp_writer *writer, const void *bytes, size_t size,
                                    lp_error *err);

/* Flushes, syncs, renames to the final name, syncs the folder, and frees the writer.  On failure
 * the temporary file is removed, and an older file of the final name is untouched. */
LP_MUST_USE lp_status lp_writer_commit(lp_writer *writer, lp_error *err);

/* Removes the temporary file and frees the writer; NULL is allowed. */
void lp_writer_abort(lp_writer *writer);

/* Writes a whole file by the writer above. */
LP_MUST_USE lp_status lp_file_write(const char *path, const void *bytes, size_t size,
                                    lp_error *err);

/* write(2) until all is written, EINTR handled. */
LP_MUST_USE lp_status lp_write_all(int fd, const char *path, const void *bytes, size_t size,
                                   lp_error *err);

/* Whether a file, or a folder and files in it, could be written at path, as far as that can be
 * known beforehand: what is there is a regular file (or a folder), and the folder that it is in, or
 * the nearest of its parents that there is, may be written.  LP_ERR_IO says why not. */
LP_MUST_USE lp_status lp_check_out_file(const char *path, lp_error *err);
LP_MUST_USE lp_status lp_check_out_folder(const char *path, lp_error *err);

/* Makes a folder and its parents.  An existing folder is fine.  In a team rank 0 does. */
LP_MUST_USE lp_status lp_make_folders(const char *path, lp_error *err);

/* Makes the folders that path lies in. */
LP_MUST_USE lp_status lp_make_parents(const char *path, lp_error *err);

/* Syncs the folder that holds path, so that a rename in it survives a power loss. */
LP_MUST_USE lp_status lp_sync_parent(const char *path, lp_error *err);

bool lp_is_folder(const char *path);
bool lp_is_file(const char *path);

/* "<folder>/<name>" in memory of its own (lp_free), or NULL when memory is short. */
char *lp_path_join(const char *folder, const char *name);

/* Prints a path.  LP_ERR_ARGUMENT where it is too long. */
enum { LP_PATH_ROOM = 4096 };
LP_PRINTF(3, 4)
LP_MUST_USE lp_status lp_path_print(char path[LP_PATH_ROOM], lp_error *err, const char *format,
                                    ...);

/* Prints "<folder>/<name>", likewise. */
LP_MUST_USE lp_status lp_path_in(char path[LP_PATH_ROOM], const char *folder, const char *name,
                                 lp_error *err);

/* Prints the path of `name` in the folder that `neighbour` lies in, likewise. */
LP_MUST_USE lp_status lp_path_beside(char path[LP_PATH_ROOM], const char *neighbour,
                                     const char *name, lp_error *err);

/* "CLIP ViT-B/32" -> "clip-vit-b-32", for names of folders. */
void lp_path_slug(char *out, size_t room, const char *text);

/* The part of path after its last slash. */
const char *lp_path_name(const char *path);

#endif
