/* TensorFlow's checkpoints:
 *
 *   PREFIX.index                  a table: of "" the number of files, of each variable's name its
 *                                 type, shape and place
 *   PREFIX.data-00000-of-00002    the values, row-major, little-endian
 *   PREFIX.data-00001-of-00002 */
#ifndef LP_CKPT_TF_BUNDLE_H
#define LP_CKPT_TF_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/file.h"
#include "base/memory.h"
#include "ckpt/tensor_index.h"

typedef struct lp_bundle_tensor {
    char *name;      /* with dots for slashes */
    lp_entry entry;  /* all but its name and file; its storage is its number here */
    uint64_t file;   /* number of the file of its values */
    uint64_t offset; /* in that file, bytes */
    uint64_t size;   /* bytes */
    uint32_t crc;    /* their checksum, masked */
} lp_bundle_tensor;

/* {0} holds nothing. */
typedef struct lp_bundle {
    lp_bundle_tensor *tensors;
    size_t count, capacity;
    uint64_t files;
    lp_memory memory; /* of the names */
} lp_bundle;

/* True for "PREFIX.index". */
bool lp_bundle_is_index(const char *path);

/* True for "PREFIX.data-00000-of-00001", which may hold any bytes. */
bool lp_bundle_is_data(const char *path);

/* Reads an index, which lp_table_recognise says is a table.  Messages do not name the file.  Also
 * after a failure to be freed. */
LP_MUST_USE lp_status lp_bundle_read(const lp_map *index, lp_bundle *bundle, lp_error *err);
void lp_bundle_free(lp_bundle *bundle);

/* The path of the values' file number `file`, beside their index.  LP_ERR_ARGUMENT: it is too long,
 * or the index's does not end with ".index". */
LP_MUST_USE lp_status lp_bundle_path(const char *index_path, const lp_bundle *bundle, uint64_t file,
                                     char path[LP_PATH_ROOM], lp_error *err);

/* Adds the tensors of the values' file that is file index->file of the index and number `file` of
 * the bundle.  Messages do not name the file. */
LP_MUST_USE lp_status lp_bundle_index(const lp_bundle *bundle, uint64_t file, const lp_map *values,
                                      lp_index *index, lp_error *err);

/* Reads one of them: float32 [count].  LP_ERR_FORMAT: its bytes have another checksum. */
LP_MUST_USE lp_status lp_bundle_read_tensor(const lp_bundle *bundle, const lp_map *values,
                                            const lp_entry *entry, float *to, lp_error *err);

#endif
