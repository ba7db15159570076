/* Checked allocation: every product that sizes memory goes through here, and the tests can make
 * the k-th allocation fail. */
#ifndef LP_BASE_ALLOC_H
#define LP_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Memory for count items of size bytes, aligned to 64 bytes, uninitialised.  NULL when the
 * product overflows or memory is short.  A zero size gives a pointer that may be freed. */
void *lp_alloc(size_t count, size_t size);

/* As lp_alloc, filled with zeros. */
void *lp_alloc_zeroed(size_t count, size_t size);

/* Resizes a block from lp_alloc (or NULL) from old_bytes to count * size bytes and keeps its
 * contents.  On failure returns NULL and the old block stays valid. */
void *lp_grow(void *block, size_t old_bytes, size_t count, size_t size);

/* The block of an array that takes one item more: of `count` items, with room for *capacity.  When
 * it is full, its room is doubled.  On failure returns NULL and the old block stays valid. */
void *lp_grow_by_one(void *block, size_t count, size_t *capacity, size_t size);

/* A copy of a string, or NULL. */
char *lp_strdup(const char *text);

/* The bytes, a part of a block, are not needed any more: where the system can, their whole pages
 * take no memory until they are written again.  What they hold is not defined then. */
void lp_forget(void *begin, size_t bytes);

/* Frees a block of any function above; NULL is allowed. */
void lp_free(void *block);

/* *product = a * b, false on overflow. */
bool lp_mul(size_t a, size_t b, size_t *product);
bool lp_mul_u64(uint64_t a, uint64_t b, uint64_t *product);
bool lp_add_u64(uint64_t a, uint64_t b, uint64_t *sum);

/* For tests: the k-th allocation from now on fails (1 is the next); 0 switches it off.  Returns
 * how many allocations there have been since the last call. */
size_t lp_alloc_fail_at(size_t k);

#endif
