/* The index of a checkpoint: what each tensor is called, what it is, and where its values lie.
 * Each reader of a format fills it; here is what they have in common: the checks of names, shapes
 * and views, the order by name, and the conversion of stored values to float32. */
#ifndef LP_CKPT_TENSOR_INDEX_H
#define LP_CKPT_TENSOR_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "ckpt/arch_notes.h"
#include "linprobe/checkpoint.h"

enum {
    LP_NAME_MAX = 512, /* characters of a tensor's name */
    /* A file's tensors may share values, and stand under several names; together they may view this
     * many times its size. */
    LP_VIEWS_MAX = 16
};

typedef struct lp_entry {
    lp_tensor tensor;             /* tensor.name is one of the next two */
    char *name;                   /* as the file has it */
    char *unwrapped;              /* without what training wraps round modules; NULL: the same */
    unsigned bytes;               /* of one element; 0 where this program does not know */
    size_t file;                  /* number of the file it lies in */
    size_t storage;               /* number of the storage it views, as its reader counts them */
    uint64_t offset;              /* of the first element in that storage, bytes */
    uint64_t stride[LP_MAX_RANK]; /* elements */
} lp_entry;

typedef struct lp_index {
    lp_entry *entries;
    size_t count, capacity;
    size_t file;        /* number of the file that is being read */
    uint64_t file_size; /* of all files so far */
    uint64_t viewed;    /* bytes that all views together cover */
    lp_arch_notes archs;
} lp_index;

/* One tensor to be read. */
typedef struct lp_entry_read {
    const lp_entry *entry;
    float *values;
} lp_entry_read;

/* Refuses an empty, overlong or unprintable name; lp_index_add does it too. */
LP_MUST_USE lp_status lp_index_check_name(const char *name, size_t length, lp_error *err);

/* Adds a tensor.  The caller has filled all of `entry` but its name, file and tensor.count; the
 * storage holds `available` bytes.  The message does not name the file. */
LP_MUST_USE lp_status lp_index_add(lp_index *index, const char *name, size_t name_length,
                                   const lp_entry *entry, uint64_t available, lp_error *err);

/* Copies a name without what training wraps round modules ("module.", at any depth); its last part
 * always stays.  Room as for the name.  Returns the length. */
size_t lp_index_unwrap(const char *name, char *out);

/* Takes what training wraps round modules off the names, unless two tensors then had one name;
 * orders by name, and refuses a name that stands twice. */
LP_MUST_USE lp_status lp_index_finish(lp_index *index, lp_error *err);

const lp_entry *lp_index_find(const lp_index *index, const char *name);
void lp_index_free(lp_index *index);

/* Sets rank and shape; false where a size does not fit in memory. */
bool lp_entry_shape(lp_entry *entry, const uint64_t *shape, size_t rank);

/* Sets the strides of a contiguous, row-major tensor from its shape. */
void lp_entry_contiguous(lp_entry *entry);

/* LP_ERR_UNSUPPORTED names a type whose values cannot be read; the functions below are for others.
 */
LP_MUST_USE lp_status lp_entry_check_type(const lp_entry *entry, lp_error *err);

/* Writes the values of an entry, viewed in the bytes of its storage, to float32 [count]. */
LP_MUST_USE lp_status lp_entry_convert(const lp_entry *entry, const unsigned char *storage,
                                       float *values, lp_error *err);

/* Whether an entry's values are all that its storage of so many bytes holds, in the same order.  So
 * they can be converted piece by piece: lp_entry_widen for each, lp_entry_check at the end. */
bool lp_entry_is_whole(const lp_entry *entry, uint64_t storage_bytes);

/* bytes: `count` values of a whole entry -> float32 [count]. */
void lp_entry_widen(const lp_entry *entry, const unsigned char *bytes, size_t count, float *values);

/* LP_ERR_DATA names the first of an entry's values that is NaN or infinity. */
LP_MUST_USE lp_status lp_entry_check(const lp_entry *entry, const float *values, lp_error *err);

/* Little-endian integers. */
uint32_t lp_load32(const unsigned char *p);
uint64_t lp_load64(const unsigned char *p);

#endif
