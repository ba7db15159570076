/* Tables of keys and values, ordered by key, as LevelDB and TensorFlow write them. */
#ifndef LP_CKPT_SORTED_TABLE_H
#define LP_CKPT_SORTED_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/file.h"

enum { LP_KEY_MAX = 2048 }; /* bytes of a key */

/* Bytes that belong to someone else. */
typedef struct lp_bytes {
    const unsigned char *at;
    uint64_t size;
} lp_bytes;

/* Takes a number off the beginning: seven bits a byte, the lowest first, as protocol buffers have
 * it.  false: the bytes end before it does. */
bool lp_take_varint(lp_bytes *from, uint64_t *value);

/* The checksum of bytes as these files store it. */
uint32_t lp_masked_crc(lp_bytes bytes);

/* True when a file ends as a table does. */
bool lp_table_recognise(const lp_map *file);

/* Does something with each key (a text that ends with a zero byte, whatever else it holds) and its
 * value.  Both are gone when it returns. */
typedef lp_status (*lp_table_visit)(void *context, const char *key, size_t key_length,
                                    lp_bytes value, lp_error *err);

/* Visits all keys in their order until a visit fails.  LP_ERR_FORMAT: a damaged table.
 * LP_ERR_UNSUPPORTED: a compressed one.  Messages do not name the file. */
LP_MUST_USE lp_status lp_table_walk(const lp_map *file, lp_table_visit visit, void *context,
                                    lp_error *err);

#endif
