/* A list of blocks.  The link to the next one lies in front of a block, in as many bytes as keep
 * the block itself aligned as lp_alloc aligns. */
#include "base/memory.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { FRONT = 64 };

struct lp_memory_block {
    struct lp_memory_block *next;
};

void *lp_memory_take(lp_memory *memory, size_t count, size_t size) {
    size_t bytes;
    struct lp_memory_block *block = NULL;
    if (!memory->failed && lp_mul(count, size, &bytes) && bytes <= SIZE_MAX - FRONT) {
        block = lp_alloc(FRONT + bytes, 1);
    }
    if (block != NULL) {
        block->next = memory->last;
        memory->last = block;
        return (char *)block + FRONT;
    }
    if (!memory->failed) {
        *memory = (lp_memory){memory->last, true, count, size};
    }
    return NULL;
}

void *lp_memory_take_zeroed(lp_memory *memory, size_t count, size_t size) {
    void *block = lp_memory_take(memory, count, size);
    if (block != NULL) {
        memset(block, 0, count * size);
    }
    return block;
}

lp_status lp_memory_check(const lp_memory *memory, const char *what, lp_error *err) {
    return memory->failed ? lp_fail_memory(err, what, memory->count, memory->size) : LP_OK;
}

void lp_memory_free(lp_memory *memory) {
    while (memory->last != NULL) {
        struct lp_memory_block *block = memory->last;
        memory->last = block->next;
        lp_free(block);
    }
}
