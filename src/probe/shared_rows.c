/* Rows that two sets have in common.
 *
 * A row is known by a 64-bit hash of its float32 bytes, so neither names nor the order of rows hide
 * it.  Rows that a set has with several labels say nothing about an image (a constant feature gives
 * every image the same row), and are left out.  N log N for the first set's N rows; 16 bytes each.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "linprobe/stats.h"

typedef struct row_key {
    uint64_t hash;
    int64_t label;
} row_key;

/* Two different rows of a million agree with a chance of about 1e-7. */
static uint64_t hash_of(const float *row, size_t width) {
    uint64_t hash = UINT64_C(0x9E3779B97F4A7C15) ^ width;
    for (size_t j = 0; j < width; j++) {
        uint32_t bits;
        memcpy(&bits, &row[j], sizeof bits);
        hash = (hash ^ bits) * UINT64_C(0xBF58476D1CE4E5B9); /* splitmix64's multipliers */
        hash ^= hash >> 29;
    }
    hash *= UINT64_C(0x94D049BB133111EB);
    return hash ^ (hash >> 31);
}

static int by_hash(const void *a, const void *b) {
    const row_key *x = a, *y = b;
    return (x->hash > y->hash) - (x->hash < y->hash);
}

/* Keeps one of each hash, and none that occurs with several labels. */
static size_t keep_telling(row_key *keys, size_t count) {
    size_t kept = 0;
    for (size_t first = 0, end; first < count; first = end) {
        bool one_label = true;
        for (end = first; end < count && keys[end].hash == keys[first].hash; end++) {
            one_label = one_label && keys[end].label == keys[first].label;
        }
        if (one_label) {
            keys[kept++] = keys[first];
        }
    }
    return kept;
}

lp_status lp_shared_rows(const lp_examples *train, const lp_examples *test, size_t *shared,
                         lp_error *err) {
    lp_memory memory = {0};
    lp_status status;
    *shared = 0;
    row_key *keys = lp_memory_take(&memory, train->count, sizeof *keys);
    LP_TRY(lp_memory_check(&memory, "rows in common", err));
    if (train->width != test->width) {
        goto done;
    }
    for (size_t i = 0; i < train->count; i++) {
        keys[i].hash = hash_of(train->x + i * train->width, train->width);
        keys[i].label = train->labels[i];
    }
    qsort(keys, train->count, sizeof *keys, by_hash);
    size_t kept = keep_telling(keys, train->count);
    for (size_t i = 0; i < test->count; i++) {
        const row_key key = {.hash = hash_of(test->x + i * test->width, test->width)};
        *shared += bsearch(&key, keys, kept, sizeof *keys, by_hash) != NULL;
    }
done:
    lp_memory_free(&memory);
    return status;
}
