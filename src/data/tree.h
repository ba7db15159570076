/* The files of a data set: those of a folder, or of an archive (zip; tar, plain or compressed),
 * whose files are kept in memory.  Names are relative to the root, with "/" between folders; ""
 * names the root.
 *
 *     lp_tree *tree;
 *     lp_tree_file file;
 *     LP_TRY(lp_tree_open("pets.zip", &tree, err));
 *     if (lp_tree_has_file(tree, "train/cat/1.jpg"))
 *         LP_TRY(lp_tree_read(tree, "train/cat/1.jpg", &file, err));
 *     lp_tree_file_clear(&file);
 *     lp_tree_close(tree);
 *
 * It never changes after it was opened and built, so that threads may share it. */
#ifndef LP_DATA_TREE_H
#define LP_DATA_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/file.h"
#include "base/folder.h"
#include "linprobe/status.h"

typedef struct lp_tree lp_tree;

/* LP_ERR_IO: nothing there.  LP_ERR_FORMAT: a file that is no archive, or a damaged one, or one
 * that holds more than fits into memory. */
LP_MUST_USE lp_status lp_tree_open(const char *path, lp_tree **tree, lp_error *err);
void lp_tree_close(lp_tree *tree); /* NULL is allowed */

bool lp_tree_is_archive(const lp_tree *tree);
bool lp_tree_has_file(const lp_tree *tree, const char *name);
bool lp_tree_has_folder(const lp_tree *tree, const char *name);

/* What lies in a folder, as lp_folder_read and lp_folder_read_kind have it. */
LP_MUST_USE lp_status lp_tree_list(const lp_tree *tree, const char *name, lp_folder *folder,
                                   lp_error *err);
LP_MUST_USE lp_status lp_tree_list_kind(const lp_tree *tree, const char *name, bool folders,
                                        lp_folder *folder, lp_error *err);

/* One file's bytes, and its path for messages. */
typedef struct lp_tree_file {
    char path[LP_PATH_ROOM];
    const unsigned char *bytes; /* a zero byte stands behind them */
    size_t size;
    char *own; /* that lp_tree_file_clear frees, or NULL */
} lp_tree_file;

LP_MUST_USE lp_status lp_tree_read(const lp_tree *tree, const char *name, lp_tree_file *file,
                                   lp_error *err);
/* Adds a file that exists in memory alone, behind all others by its name: an image of a data set
 * that keeps all of them in one file.  Takes over bytes (lp_free), also after a failure.  While the
 * tree is built only: no thread may read it meanwhile. */
LP_MUST_USE lp_status lp_tree_add(lp_tree *tree, const char *name, unsigned char *bytes,
                                  size_t size, lp_error *err);

/* Files that are made when they are read, where all of them together would fill the memory: the
 * images of a large array or of large archives. */
typedef struct lp_tree_source {
    lp_status (*read)(const struct lp_tree_source *source, size_t number, unsigned char *bytes,
                      size_t size, lp_error *err); /* [size]; thread-safe */
    void (*close)(struct lp_tree_source *source);
} lp_tree_source;

/* The source belongs to the tree from here on; at most two of them. */
void lp_tree_own(lp_tree *tree, lp_tree_source *source);

/* Adds file `number` of a source that the tree owns, of `size` bytes, as lp_tree_add adds one. */
LP_MUST_USE lp_status lp_tree_add_lazily(lp_tree *tree, const char *name,
                                         const lp_tree_source *source, size_t number, size_t size,
                                         lp_error *err);

/* Puts the files that were added into the order of their names, where they did not come in it.
 * LP_ERR_FORMAT: a name that is there twice. */
LP_MUST_USE lp_status lp_tree_sort(lp_tree *tree, lp_error *err);

void lp_tree_file_clear(lp_tree_file *file);

/* "<folder>/<name>", or "<archive>: <name>"; for messages, and in a folder also to open it. */
LP_MUST_USE lp_status lp_tree_path(const lp_tree *tree, const char *name, char path[LP_PATH_ROOM],
                                   lp_error *err);

/* "<a>/<b>", or one of them where the other is "".  LP_ERR_ARGUMENT: too long. */
LP_MUST_USE lp_status lp_tree_join(char name[LP_PATH_ROOM], const char *a, const char *b,
                                   lp_error *err);

#endif
