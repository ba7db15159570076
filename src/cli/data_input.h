/* The data set that a command opens: with a meter while images are checked, and a note on those
 * that were left out. */
#ifndef LP_CLI_DATA_INPUT_H
#define LP_CLI_DATA_INPUT_H

#include <stddef.h>
#include "base/json.h"
#include "linprobe/dataset.h"

/* Opens one split of the set at `path` with the options asked for (cli/settings.h has their tables;
 * their split, threads and progress are not looked at). */
LP_MUST_USE lp_status data_input_open(const lp_dataset_options *asked, const char *path,
                                      lp_split split, size_t threads, lp_dataset **data,
                                      lp_error *err);

/* Whether two feature sets of folders of images go together, by the "data" of their meta.json: the
 * same classes, and splits of one folder by the same seed, so that nothing is tested on what it was
 * trained on.  Other sets always do. */
LP_MUST_USE lp_status data_input_check(const json_t *trained, const json_t *tested,
                                       const char *test_path, lp_error *err);

#endif
