/* Labels that are texts: the names of classes. */
#ifndef LP_FEAT_LABEL_NAMES_H
#define LP_FEAT_LABEL_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include "base/memory.h"
#include "base/npy.h"

/* Of an array of `count` texts, [N] or [N, 1], the number of each one's class: its place in
 * names [classes], or, where names is NULL, among the texts sorted by their bytes, which become
 * *names [*classes], from memory.  LP_ERR_FORMAT: another shape, or a text that is empty or no
 * UTF-8.  LP_ERR_DATA: a text that is none of the names.  Messages have the row. */
LP_MUST_USE lp_status lp_label_names_read(const char *path, const unsigned char *bytes,
                                          const lp_npy *npy, size_t count, lp_memory *memory,
                                          const char *const **names, size_t *classes,
                                          int64_t *labels, lp_error *err);

#endif
