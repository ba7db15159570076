/* A download with its meter. */
#include "cli/download.h"

#include <stdio.h>

#include "base/error.h"
#include "cli/interrupt.h"
#include "cli/meter.h"

static bool show_bytes(void *context, uint64_t done, uint64_t total, const char *line) {
    (void)line;
    meter_resume(context, (double)done);
    meter_show_bytes(context, (double)done, (double)total);
    return interrupt_signal() == 0;
}

lp_status download_file(const char *what, const char *advice, const lp_fetch_request *request,
                        lp_error *err) {
    meter m;
    lp_fetch_request shown = *request;
    (void)fprintf(stderr, "%s: downloading %s\n", what, request->url);
    meter_start(&m, what, "MB");
    shown.progress = (lp_progress){show_bytes, &m};
    lp_status status = lp_fetch(&shown, err);
    meter_end(&m);
    if (status == LP_CANCELLED) {
        (void)lp_prefix(err, status, "interrupted%s: ",
                        request->sha256 != NULL ? ": run again, it goes on from here" : "");
    } else if (status != LP_OK) {
        (void)lp_prefix(err, status, "%s cannot be downloaded%s%s%s: ", what,
                        advice != NULL ? " (" : "", advice != NULL ? advice : "",
                        advice != NULL ? ")" : "");
    }
    return status;
}
