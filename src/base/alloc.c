/* Checked, 64-byte aligned allocation; large blocks in huge pages where the system has them, as a
 * matrix that is read over and over needs more small ones than a processor can look up quickly. */
#if defined(__linux__) && !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* madvise */
#endif
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ALIGNMENT = 64, HUGE_PAGE = 2 << 20, LARGE = 2 * HUGE_PAGE };

static atomic_size_t allocations;
static atomic_size_t fail_at;

size_t lp_alloc_fail_at(size_t k) {
    size_t since = atomic_exchange(&allocations, 0);
    atomic_store(&fail_at, k);
    return since;
}

bool lp_mul(size_t a, size_t b, size_t *product) {
    if (b != 0 && a > SIZE_MAX / b) {
        return false;
    }
    *product = a * b;
    return true;
}

bool lp_mul_u64(uint64_t a, uint64_t b, uint64_t *product) {
    if (b != 0 && a > UINT64_MAX / b) {
        return false;
    }
    *product = a * b;
    return true;
}

bool lp_add_u64(uint64_t a, uint64_t b, uint64_t *sum) {
    if (a > UINT64_MAX - b) {
        return false;
    }
    *sum = a + b;
    return true;
}

void *lp_alloc(size_t count, size_t size) {
    size_t bytes;
    void *block = NULL;
    size_t k = atomic_fetch_add(&allocations, 1) + 1;
    if (k == atomic_load(&fail_at) || !lp_mul(count, size, &bytes) || bytes > PTRDIFF_MAX) {
        return NULL;
    }
    if (posix_memalign(&block, bytes >= LARGE ? HUGE_PAGE : ALIGNMENT, bytes > 0 ? bytes : 1) !=
        0) {
        return NULL;
    }
#ifdef MADV_HUGEPAGE
    if (bytes >= LARGE) { /* whole pages; advice only */
        (void)madvise(block, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    }
#endif
    return block;
}

void *lp_alloc_zeroed(size_t count, size_t size) {
    void *block = lp_alloc(count, size);
    if (block != NULL) {
        memset(block, 0, count * size);
    }
    return block;
}

void *lp_grow(void *block, size_t old_bytes, size_t count, size_t size) {
    void *larger = lp_alloc(count, size);
    if (larger != NULL && block != NULL) {
        memcpy(larger, block, old_bytes < count * size ? old_bytes : count * size);
        free(block);
    }
    return larger;
}

void *lp_grow_by_one(void *block, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) {
        return block;
    }
    size_t more = *capacity > 0 ? 2 * *capacity : 64;
    void *grown = lp_grow(block, count * size, more, size);
    *capacity = grown != NULL ? more : *capacity;
    return grown;
}

char *lp_strdup(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = lp_alloc(bytes, 1);
    if (copy != NULL) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

void lp_forget(void *begin, size_t bytes) {
#ifdef __linux__ /* elsewhere this advice may change nothing, or not empty the pages at once */
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t from = ((uintptr_t)begin + page - 1) / page * page;
    uintptr_t to = ((uintptr_t)begin + bytes) / page * page;
    if (from < to) {
        (void)madvise((char *)begin + (from - (uintptr_t)begin), to - from, MADV_DONTNEED);
    }
#else
    (void)begin;
    (void)bytes;
#endif
}

void lp_free(void *block) {
    free(block);
}
