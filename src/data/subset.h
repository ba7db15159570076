/* Some images of a part, chosen by seed: lp_dataset_options.per_class and .limit. */
#ifndef LP_DATA_SUBSET_H
#define LP_DATA_SUBSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/dataset.h"

/* Chooses of labels int64 [count] into chosen [count].  Returns LP_ERR_DATA where the limit is less
 * than the classes that occur. */
LP_MUST_USE lp_status lp_subset_choose(const lp_dataset_options *options, const int64_t *labels,
                                       size_t count, size_t classes, bool *chosen, lp_error *err);

/* Whether the options ask for a choice. */
bool lp_subset_wanted(const lp_dataset_options *options);

#endif
