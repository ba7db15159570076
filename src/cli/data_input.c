/* Opening a data set. */
#include "cli/data_input.h"

#include <stdio.h>

#include "base/error.h"
#include "cli/interrupt.h"
#include "cli/meter.h"

enum { NAMED_MOST = 10 };

static bool show_checked(void *context, size_t done, size_t total) {
    meter_show(context, (double)done, (double)total);
    return interrupt_signal() == 0;
}

/* What is in the folder and not in the set. */
static void tell_left_out(const lp_dataset *data, const char *split) {
    const lp_dataset_info *info = lp_dataset_describe(data);
    const char *why;
    if (info->ignored > 0) {
        (void)fprintf(stderr, "%s: %zu files and folders are hidden or no images\n", split,
                      info->ignored);
    }
    if (info->skipped > 0) {
        (void)fprintf(stderr, "%s: %zu broken images skipped\n", split, info->skipped);
    }
    for (size_t i = 0; i < info->skipped && i < NAMED_MOST; i++) {
        (void)lp_dataset_skipped(data, i, &why);
        (void)fprintf(stderr, "  %s\n", why);
    }
    if (info->skipped > NAMED_MOST) {
        (void)fprintf(stderr, "  … meta.json names all\n");
    }
}

lp_status data_input_open(const data_input *input, const char *path, lp_split split,
                          lp_label_kind labels, size_t threads, lp_dataset **data, lp_error *err) {
    const char *name = split == LP_SPLIT_TRAIN ? "train, check" : "test, check";
    meter m;
    meter_start(&m, name, "images");
    const lp_dataset_options options = {.split = split,
                                        .labels = labels,
                                        .skip_broken = input->skip_broken,
                                        .test_share = input->test_share,
                                        .split_seed = input->split_seed,
                                        .threads = threads,
                                        .progress = show_checked,
                                        .context = &m};
    lp_status status = lp_dataset_open_with(path, &options, data, err);
    meter_end(&m);
    if (status == LP_OK) {
        tell_left_out(*data, split == LP_SPLIT_TRAIN ? "train" : "test");
    }
    return status;
}
