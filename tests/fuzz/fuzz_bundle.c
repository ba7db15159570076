/* A TensorFlow checkpoint: model.index, then its values, one file of one and two of two.  The first
 * byte:
 *   bit 0     the folder is opened, not the index
 *   bit 1     the first chunk is the whole index; otherwise the entries of its one block, which is
 * put into a table with right checksums
 *   bit 2     the first chunk is in the place of the index block's entries */
#include "ckpt/sorted_table.h"
#include "walk_checkpoint.h"

static void put_place(fuzz_bytes *out, uint64_t offset, uint64_t size) {
    const uint64_t numbers[] = {offset, size};
    for (size_t i = 0; i < 2; i++) {
        uint64_t rest = numbers[i];
        for (; rest >= 0x80; rest >>= 7) {
            fuzz_put_number(out, (rest & 0x7f) | 0x80, 1);
        }
        fuzz_put_number(out, rest, 1);
    }
}

/* Returns the size that the block's place says. */
static uint64_t put_block(fuzz_bytes *table, const void *entries, size_t size) {
    size_t start = table->size;
    fuzz_put(table, entries, size);
    fuzz_put_number(table, 0, 4);
    fuzz_put_number(table, 1, 4);
    uint64_t whole = table->size - start;
    fuzz_put_number(table, 0, 1);
    fuzz_put_number(table, lp_masked_crc((lp_bytes){table->data + start, whole + 1}), 4);
    return whole;
}

static fuzz_bytes table_of(fuzz_input entries, bool as_index) {
    static const uint8_t magic[] = {0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb};
    fuzz_bytes table = {0}, index = {0}, footer = {0};
    if (as_index) {
        fuzz_put(&index, entries.data, entries.size);
    } else {
        fuzz_bytes place = {0};
        put_place(&place, 0, put_block(&table, entries.data, entries.size));
        fuzz_put_number(&index, 0, 1);
        fuzz_put_number(&index, 1, 1);
        fuzz_put_number(&index, place.size, 1);
        fuzz_put(&index, "z", 1);
        fuzz_put(&index, place.data, place.size);
        free(place.data);
    }
    uint64_t start = table.size;
    put_place(&footer, 0, 0);
    put_place(&footer, start, put_block(&table, index.data, index.size));
    fuzz_put_number(&footer, 0, 40 - footer.size);
    fuzz_put(&footer, magic, sizeof magic);
    fuzz_put(&table, footer.data, footer.size);
    free(index.data);
    free(footer.data);
    return table;
}

static void fuzz_one(fuzz_input input) {
    char path[512], values[512];
    unsigned choice = fuzz_byte(&input);
    fuzz_input first = fuzz_chunk(&input);
    if ((choice & 2) != 0) {
        (void)fuzz_write(path, "model.index", first, 0);
    } else {
        fuzz_bytes table = table_of(first, (choice & 4) != 0);
        (void)fuzz_write(path, "model.index", (fuzz_input){table.data, table.size}, 0);
        free(table.data);
    }
    fuzz_input chunk = fuzz_chunk(&input);
    fuzz_write_some(values, "model.data-00000-of-00001", chunk, 0);
    fuzz_write_some(values, "model.data-00000-of-00002", chunk, 0);
    fuzz_write_some(values, "model.data-00001-of-00002", fuzz_chunk(&input), 0);
    fuzz_walk_checkpoint((choice & 1) != 0 ? fuzz_folder() : path, NULL);
}
