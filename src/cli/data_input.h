/* What a command downloads, and the data set that it opens: with a meter meanwhile, and a note on
 * images that were left out. */
#ifndef LP_CLI_DATA_INPUT_H
#define LP_CLI_DATA_INPUT_H

#include <stddef.h>
#include "fetch/fetch.h"
#include "linprobe/dataset.h"

/* Opens one split of the set at `path`, or of that name as fetch_set_find finds it, with the
 * options asked for (cli/settings.h has their tables; their split, threads and progress are not
 * looked at). */
LP_MUST_USE lp_status data_input_open(const lp_dataset_options *asked, const char *path,
                                      const char *cache, lp_split split, size_t threads,
                                      lp_dataset **data, lp_error *err);

/* lp_fetch with a meter on standard error, until Ctrl-C; request's own progress is not called.
 * `what` names the file in messages; `advice` (or NULL) is what the user can do instead. */
LP_MUST_USE lp_status download_file(const char *what, const char *advice,
                                    const lp_fetch_request *request, lp_error *err);

#endif
