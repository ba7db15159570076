/* Downloads, and opening a data set. */
#include "cli/data_input.h"

#include <stdio.h>

#include "base/error.h"
#include "cli/fetch_set.h"
#include "cli/general.h"
#include "cli/interrupt.h"
#include "cli/meter.h"

enum { NAMED_MOST = 10 };

/* What is in the folder and not in the set. */
static void report_left_out(const lp_dataset *data, const char *split) {
    const lp_dataset_info *info = lp_dataset_describe(data);
    const char *why;
    if (info->instead != NULL) {
        (void)fprintf(stderr, "%s: %s/ is the test part: there are no class folders in test/\n",
                      split, info->instead);
    }
    if (info->empty_classes > 0) {
        (void)fprintf(stderr, "%s: %zu empty class folders left out\n", split, info->empty_classes);
    }
    if (info->ignored > 0) {
        general_note("%s: %zu files and folders are hidden or no images", split, info->ignored);
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

lp_status data_input_open(const lp_dataset_options *asked, const char *path, const char *cache,
                          lp_split split, size_t threads, lp_dataset **data, lp_error *err) {
    char what[16], found[LP_PATH_ROOM];
    meter m;
    *data = NULL;
    lp_status status = fetch_set_find(path, cache, found, err);
    if (status != LP_OK) {
        return status;
    }
    (void)snprintf(what, sizeof what, "%s, check",
                   lp_split_name(split == LP_SPLIT_TRAINVAL ? LP_SPLIT_TRAIN : split));
    meter_start(&m, what, "images");
    lp_dataset_options options = *asked;
    options.split = split;
    options.threads = threads;
    options.progress = (lp_progress){meter_step, &m};
    status = lp_dataset_open_with(found, &options, data, err);
    meter_end(&m);
    if (status == LP_OK) {
        report_left_out(*data, lp_split_name(lp_dataset_describe(*data)->split));
    }
    return status;
}

static bool show_bytes(void *context, uint64_t done, uint64_t total, const char *line) {
    (void)line;
    meter_resume(context, (double)done);
    meter_show(context, (double)done, (double)total);
    return interrupt_signal() == 0;
}

lp_status download_file(const char *what, const char *advice, const lp_fetch_request *request,
                        lp_error *err) {
    meter m;
    lp_fetch_request shown = *request;
    general_note("%s: downloading %s", what, request->url);
    meter_start(&m, what, "MB");
    shown.progress = (lp_progress){show_bytes, &m};
    bool verified = request->sha256 != NULL || request->git_blob != NULL;
    lp_status status = lp_fetch(&shown, err);
    meter_end(&m);
    if (status == LP_CANCELLED) {
        (void)lp_prefix(err, status,
                        "interrupted%s: ", verified ? ": run again, it goes on from here" : "");
    } else if (status != LP_OK) {
        (void)lp_prefix(err, status, "%s cannot be downloaded%s%s%s: ", what,
                        advice != NULL ? " (" : "", advice != NULL ? advice : "",
                        advice != NULL ? ")" : "");
    }
    return status;
}
