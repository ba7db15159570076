/* CIFAR's Python version: pickles of a dictionary with an array of pixels and lists of labels or
 * names.  They become what the binary version has, so that everything behind is the same. */
#ifndef LP_DATA_CIFAR_PICKLE_H
#define LP_DATA_CIFAR_PICKLE_H

#include <stddef.h>
#include "base/memory.h"
#include "data/official_data.h"

/* The records of a batch (lp_record_layout, in the order of the batch's rows), in memory.  path is
 * for messages.  LP_ERR_FORMAT: not such a pickle.  LP_ERR_DATA: a label out of range, with its key
 * and entry.  LP_ERR_UNSUPPORTED: a pickle with what no data have. */
LP_MUST_USE lp_status lp_cifar_unpickle(const lp_record_layout *layout, const char *path,
                                        const unsigned char *bytes, size_t size, lp_memory *memory,
                                        unsigned char **records, size_t *records_size,
                                        lp_error *err);

/* The names of a kind of labels in the set's own pickle of names: one a line. */
LP_MUST_USE lp_status lp_cifar_unpickle_names(const char *path, const char *key,
                                              const unsigned char *bytes, size_t size,
                                              lp_memory *memory, unsigned char **text,
                                              size_t *text_size, lp_error *err);

#endif
