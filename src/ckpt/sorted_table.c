/* The format.  A block has entries, which are varints shared, own and length, then `own` bytes of
 * the key, behind the first `shared` ones of the key before, then `length` bytes of the value.
 * Numbers of 4 bytes follow, which say where keys stand whole, and how many there are of those.
 *
 * Behind each block stands 1 byte, how it is compressed, and in 4 bytes the checksum of all that.
 *
 * The index is a block, too: each value says, as varints offset and size, where one of the other
 * blocks is.  The last 48 bytes of the file say where another index and this one are; then come
 * zeros, and 8 bytes by which a table is known.
 *
 * Reference: tensorflow/core/lib/io (format.h, block.cc); leveldb doc/table_format.md. */
#include "ckpt/sorted_table.h"

#include <string.h>

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/error.h"
#include "ckpt/tensor_index.h"

enum {
    FOOTER = 48,
    TRAILER = 5,
    TABLE_MAX = 4 << 20, /* bytes of a table: about 100 a key */
    KEYS_MOST = 16       /* bytes of all keys, to one of the table */
};
static const unsigned char magic[] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};

/* ---- numbers --------------------------------------------------------------------------------- */

bool lp_take_varint(lp_bytes *from, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 64 && from->size > 0; shift += 7) {
        unsigned char byte = *from->at;
        from->at++;
        from->size--;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return true;
        }
    }
    return false;
}

uint32_t lp_masked_crc(lp_bytes bytes) {
    uint32_t crc = lp_crc32c(bytes.at, (size_t)bytes.size);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* The entries of the block that `place` says.  *end: of the block before; becomes this one's. */
static lp_status find_block(const lp_map *file, lp_bytes *place, uint64_t *end, lp_bytes *entries,
                            lp_error *err) {
    uint64_t offset, size, behind, last = file->size - FOOTER;
    if (!lp_take_varint(place, &offset) || !lp_take_varint(place, &size) ||
        !lp_add_u64(offset, size, &behind) || behind > last || last - behind < TRAILER ||
        size < 4) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "a block that does not lie within the file's first %llu bytes",
                       (unsigned long long)last);
    }
    if (offset < *end) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "a block at byte %llu, expected one behind the last, from byte %llu on",
                       (unsigned long long)offset, (unsigned long long)*end);
    }
    const unsigned char *block = file->data + offset;
    uint32_t found = lp_masked_crc((lp_bytes){block, size + 1});
    uint32_t expected = lp_load32(block + size + 1);
    if (found != expected) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "the block of %llu bytes at byte %llu: checksum %08x, expected %08x: the "
                       "file is damaged",
                       (unsigned long long)size, (unsigned long long)offset, (unsigned)found,
                       (unsigned)expected);
    }
    if (block[size] != 0) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "a compressed table, which is not read");
    }
    uint64_t whole_keys = lp_load32(block + size - 4);
    if (whole_keys > size / 4 - 1) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "the block of %llu bytes at byte %llu says that %llu keys stand whole",
                       (unsigned long long)size, (unsigned long long)offset,
                       (unsigned long long)whole_keys);
    }
    *entries = (lp_bytes){block, size - 4 - 4 * whole_keys};
    *end = behind + TRAILER;
    return LP_OK;
}

/* A key, and how many there were so far. */
typedef struct table_key {
    char text[LP_KEY_MAX + 1];
    size_t length, count;
} table_key;

/* Whether a key comes behind `key`, of which it has the first `shared` bytes. */
static bool is_behind(const table_key *key, size_t shared, const unsigned char *own, size_t size) {
    size_t rest = key->length - shared, both = rest < size ? rest : size;
    int order = both > 0 ? memcmp(own, key->text + shared, both) : 0;
    return order > 0 || (order == 0 && size > rest);
}

/* Takes an entry off the beginning. */
static lp_status take_entry(lp_bytes *entries, table_key *key, lp_bytes *value, lp_error *err) {
    uint64_t shared, own, length;
    if (!lp_take_varint(entries, &shared) || !lp_take_varint(entries, &own) ||
        !lp_take_varint(entries, &length) || shared > key->length || own > entries->size ||
        length > entries->size - own) {
        return lp_fail(err, LP_ERR_FORMAT, "behind the key \"%.100s\": a damaged entry", key->text);
    }
    if (own > LP_KEY_MAX - shared) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "a key of %llu bytes, expected at most %d",
                       (unsigned long long)shared + own, LP_KEY_MAX);
    }
    if (key->count > 0 && !is_behind(key, (size_t)shared, entries->at, (size_t)own)) {
        return lp_fail(err, LP_ERR_FORMAT, "behind the key \"%.100s\": a key that is not greater",
                       key->text);
    }
    memcpy(key->text + shared, entries->at, (size_t)own);
    key->length = (size_t)(shared + own);
    key->text[key->length] = '\0';
    key->count++;
    *value = (lp_bytes){entries->at + own, length};
    entries->at += own + length;
    entries->size -= own + length;
    return LP_OK;
}

/* ---- the table ------------------------------------------------------------------------------- */

bool lp_table_recognise(const lp_map *file) {
    return file->size >= FOOTER &&
           memcmp(file->data + file->size - sizeof magic, magic, sizeof magic) == 0;
}

lp_status lp_table_walk(const lp_map *file, lp_table_visit visit, void *context, lp_error *err) {
    lp_bytes footer = {file->data + file->size - FOOTER, FOOTER - sizeof magic};
    lp_bytes index = {NULL, 0}, place = index, block = index, value = index;
    table_key index_key = {.length = 0}, key = {.length = 0};
    uint64_t other, end = 0, keys = 0;
    lp_status status;
    if (file->size > TABLE_MAX) {
        LP_TRY(lp_fail(err, LP_ERR_UNSUPPORTED, "an index of %llu bytes, expected at most %d",
                       (unsigned long long)file->size, TABLE_MAX));
    }
    for (int i = 0; i < 2; i++) { /* the other index's offset and size */
        if (!lp_take_varint(&footer, &other)) {
            LP_TRY(lp_fail(err, LP_ERR_FORMAT, "byte %llu: expected the places of two blocks",
                           (unsigned long long)(file->size - FOOTER)));
        }
    }
    LP_TRY(find_block(file, &footer, &end, &index, err));
    end = 0;
    while (index.size > 0) {
        LP_TRY(take_entry(&index, &index_key, &place, err));
        LP_TRY(find_block(file, &place, &end, &block, err));
        while (block.size > 0) {
            LP_TRY(take_entry(&block, &key, &value, err));
            keys += key.length;
            if (keys / KEYS_MOST > file->size) { /* they share their beginnings */
                LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                               "keys of more than %d times the file's %llu bytes", KEYS_MOST,
                               (unsigned long long)file->size));
            }
            LP_TRY(visit(context, key.text, key.length, value, err));
        }
    }
    status = LP_OK;
done:
    return status;
}
