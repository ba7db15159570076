/* The format:
 *
 *   blocks   entries: varints shared, own, length; `own` bytes of the key, behind the first
 * `shared` ones of the key before; `length` bytes of the value.  Then numbers of 4 bytes, which say
 * where keys stand whole, and how many there are of those. Behind a block: 1 byte, how it is
 * compressed; 4 bytes, the checksum of all before index    a block, too; its values say where the
 * others are: varints offset, size footer   48 bytes: where another index and this one are, zeros,
 * and 8 bytes that tell a table
 *
 * Reference: tensorflow/core/lib/io (format.h, block.cc); leveldb doc/table_format.md. */
#include "ckpt/sorted_table.h"

#include <string.h>

#include "base/alloc.h"
#include "base/crc32c.h"
#include "base/error.h"

enum { FOOTER = 48, TRAILER = 5 };
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

static uint32_t load32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t lp_masked_crc(lp_bytes bytes) {
    uint32_t crc = lp_crc32c(bytes.at, (size_t)bytes.size);
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

uint32_t lp_stored_crc(const unsigned char *p) {
    return load32(p);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* The entries of the block that `place` says. */
static lp_status find_block(const lp_map *file, lp_bytes *place, lp_bytes *entries, lp_error *err) {
    uint64_t offset, size, end;
    if (!lp_take_varint(place, &offset) || !lp_take_varint(place, &size) ||
        !lp_add_u64(offset, size, &end) || end > file->size - FOOTER ||
        file->size - FOOTER - end < TRAILER || size < 4) {
        return lp_fail(err, LP_ERR_FORMAT, "a place of a block that is not within the file");
    }
    const unsigned char *block = file->data + offset;
    if (lp_masked_crc((lp_bytes){block, size + 1}) != lp_stored_crc(block + size + 1)) {
        return lp_fail(err, LP_ERR_FORMAT,
                       "byte %llu: a block of %llu bytes with another checksum: it is damaged",
                       (unsigned long long)offset, (unsigned long long)size);
    }
    if (block[size] != 0) {
        return lp_fail(err, LP_ERR_UNSUPPORTED, "a compressed table, which is not read");
    }
    uint64_t whole_keys = load32(block + size - 4);
    if (whole_keys > size / 4 - 1) {
        return lp_fail(err, LP_ERR_FORMAT, "byte %llu: a block that is too short for its keys",
                       (unsigned long long)offset);
    }
    *entries = (lp_bytes){block, size - 4 - 4 * whole_keys};
    return LP_OK;
}

typedef struct table_key {
    char text[LP_KEY_MAX + 1];
    size_t length;
} table_key;

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
                       (unsigned long long)(shared + own), LP_KEY_MAX);
    }
    memcpy(key->text + shared, entries->at, (size_t)own);
    key->length = (size_t)(shared + own);
    key->text[key->length] = '\0';
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
    lp_bytes index, place, block, value;
    table_key index_key = {.length = 0}, key;
    uint64_t other, walked = 0;
    lp_status status;
    if (!lp_take_varint(&footer, &other) || !lp_take_varint(&footer, &other)) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT, "a damaged end of the table"));
    }
    LP_TRY(find_block(file, &footer, &index, err));
    while (index.size > 0) {
        LP_TRY(take_entry(&index, &index_key, &place, err));
        LP_TRY(find_block(file, &place, &block, err));
        walked += block.size;
        if (walked > file->size) { /* else a small file could be a long walk */
            LP_TRY(lp_fail(err, LP_ERR_FORMAT, "blocks that overlap"));
        }
        key.length = 0;
        key.text[0] = '\0';
        while (block.size > 0) {
            LP_TRY(take_entry(&block, &key, &value, err));
            LP_TRY(visit(context, key.text, key.length, value, err));
        }
    }
    status = LP_OK;
done:
    return status;
}
