/* What every kind of data set is tested for. */
#ifndef LP_TESTS_DATASET_CHECKS_H
#define LP_TESTS_DATASET_CHECKS_H

#include "base/alloc.h"
#include "check.h"
#include "linprobe/dataset.h"

/* The data set at `path` is opened again and again, and another allocation fails each time, until
 * none does, after more than `least` tries.  Returns it. */
static inline lp_dataset *open_without_memory(const char *path, const lp_dataset_options *options,
                                              size_t least) {
    lp_status status = LP_ERR_MEMORY;
    lp_dataset *data = NULL;
    lp_error err;
    size_t k;
    for (k = 0; status != LP_OK; k++) {
        (void)lp_alloc_fail_at(k + 1);
        status = lp_dataset_open_with(path, options, &data, &err);
        assert_true(status == LP_OK ? data != NULL : status == LP_ERR_MEMORY && data == NULL);
    }
    (void)lp_alloc_fail_at(0);
    assert_true(k > least);
    return data;
}

static inline void assert_allocations_reported(const char *path,
                                               const lp_dataset_options *options) {
    lp_dataset_close(open_without_memory(path, options, 6));
}

#endif
