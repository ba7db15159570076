/* A download with its meter. */
#ifndef LP_CLI_DOWNLOAD_H
#define LP_CLI_DOWNLOAD_H

#include "fetch/fetch.h"

/* lp_fetch with a meter on standard error, until Ctrl-C; request's own progress is not called.
 * `what` names the file in messages; `advice` (or NULL) is what the user can do instead. */
LP_MUST_USE lp_status download_file(const char *what, const char *advice,
                                    const lp_fetch_request *request, lp_error *err);

#endif
