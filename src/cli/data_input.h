/* The data set that a command opens: its options, the meter while images are checked, and what is
 * said of those that were left out. */
#ifndef LP_CLI_DATA_INPUT_H
#define LP_CLI_DATA_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include "base/json.h"
#include "linprobe/dataset.h"

typedef struct data_input {
    bool skip_broken;
    double test_share;
    size_t split_seed;
} data_input;

LP_MUST_USE lp_status data_input_open(const data_input *input, const char *path, lp_split split,
                                      lp_label_kind labels, size_t threads, lp_dataset **data,
                                      lp_error *err);

/* Whether two feature sets of folders of images go together, by the "data" of their meta.json: the
 * same classes, and splits of one folder by the same seed, so that nothing is tested on what it was
 * trained on.  Other sets always do. */
LP_MUST_USE lp_status data_input_check(const json_t *trained, const json_t *tested,
                                       const char *test_path, lp_error *err);

/* For a command's table. */
#define DATA_INPUT_OPTIONS(input, needed)                                                          \
    {.name = "--skip-broken",                                                                      \
     .help = "folders of images: leave out files that cannot be decoded (default: an error)",      \
     .kind = CLI_FLAG,                                                                             \
     .value = &(input)->skip_broken,                                                               \
     .needs = (needed)},                                                                           \
        {.name = "--test-share",                                                                   \
         .argument = "PART",                                                                       \
         .help = "folders of images without a split: part of each class to test on (default 0.2)", \
         .kind = CLI_REAL,                                                                         \
         .value = &(input)->test_share,                                                            \
         .low = 0.001,                                                                             \
         .high = 0.999,                                                                            \
         .needs = (needed)},                                                                       \
    {                                                                                              \
        .name = "--split-seed", .argument = "N", .help = "seed of that split (default 0)",         \
        .kind = CLI_COUNT, .value = &(input)->split_seed, .low = 0, .high = 4294967295.0,          \
        .needs = (needed)                                                                          \
    }

#endif
