/* Data stage: a choice of some images; the rules are lp_strata_limit's. */
#include "data/subset.h"

#include "base/error.h"
#include "base/strata.h"

bool lp_subset_wanted(const lp_dataset_options *options) {
    return options->limit > 0 || options->per_class > 0;
}

lp_status lp_subset_choose(const lp_dataset_options *options, const int64_t *labels, size_t count,
                           size_t classes, bool *chosen, lp_error *err) {
    lp_strata *strata = NULL;
    lp_status status;
    LP_TRY(lp_strata_new(labels, count, classes, options->split_seed, &strata, err));
    status = lp_strata_limit(strata, options->per_class, options->limit, chosen, err);
done:
    lp_strata_free(strata);
    return status;
}
