/* Opening a data set. */
#include "cli/data_input.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/interrupt.h"
#include "cli/meter.h"

enum { NAMED_MOST = 10 };

static bool show_checked(void *context, size_t done, size_t total) {
    meter_show(context, (double)done, (double)total);
    return interrupt_signal() == 0;
}

/* What is in the folder and not in the set. */
static void report_left_out(const lp_dataset *data, const char *split) {
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

lp_status data_input_open(const lp_dataset_options *asked, const char *path, lp_split split,
                          size_t threads, lp_dataset **data, lp_error *err) {
    char what[16];
    meter m;
    (void)snprintf(what, sizeof what, "%s, check", lp_split_name(split));
    meter_start(&m, what, "images");
    lp_dataset_options options = *asked;
    options.split = split;
    options.threads = threads;
    options.progress = show_checked;
    options.context = &m;
    lp_status status = lp_dataset_open_with(path, &options, data, err);
    meter_end(&m);
    if (status == LP_OK) {
        report_left_out(*data, lp_split_name(split));
    }
    return status;
}

lp_status data_input_check(const json_t *trained, const json_t *tested, const char *test_path,
                           lp_error *err) {
    double share = lp_json_number(trained, "test_share", -1);
    double seed = lp_json_number(trained, "split_seed", -1);
    double its_share = lp_json_number(tested, "test_share", -1);
    double its_seed = lp_json_number(tested, "split_seed", -1);
    if (share < 0 || its_share < 0) { /* not both are folders of images */
        return LP_OK;
    }
    if (!json_equal(json_object_get(trained, "class_names"),
                    json_object_get(tested, "class_names"))) {
        return lp_fail(
            err, LP_ERR_ARGUMENT,
            "%s: its classes are not those of the training set: their folders have other "
            "names",
            test_path);
    }
    bool same_folder =
        strcmp(lp_json_text(trained, "source", ""), lp_json_text(tested, "source", "")) == 0;
    if (same_folder && (share != its_share || seed != its_seed)) {
        return lp_fail(
            err, LP_ERR_ARGUMENT,
            "%s: split from %s with --test-share %g --split-seed %.0f, but the training set "
            "with %g and %.0f: images of one may be in the other",
            test_path, lp_json_text(tested, "source", ""), its_share, its_seed, share, seed);
    }
    return LP_OK;
}
