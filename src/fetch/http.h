/* One GET by libcurl, with redirections and further attempts; the body goes to a sink. */
#ifndef LP_FETCH_HTTP_H
#define LP_FETCH_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "fetch/fetch.h"

/* Where a body goes.  The functions write their own messages. */
typedef struct lp_http_sink {
    uint64_t done;  /* bytes that it has: only those behind them are asked for */
    uint64_t total; /* of the whole; 0: not known yet */
    bool spoiled;   /* set where what it has turns out to be wrong */
    void *context;  /* for the functions */
    lp_status (*empty)(struct lp_http_sink *sink, lp_error *err);  /* drops what it has */
    lp_status (*expect)(struct lp_http_sink *sink, lp_error *err); /* is there room for the rest? */
    lp_status (*put)(struct lp_http_sink *sink, const void *bytes, size_t size, lp_error *err);
} lp_http_sink;

typedef struct lp_http lp_http;

/* Prepares a request, of which the URL, the token, the progress and the attempts count, and checks
 * that its URL may be asked.  The request must live as long as the lp_http. */
LP_MUST_USE lp_status lp_http_open(const lp_fetch_request *request, lp_http **http, lp_error *err);

/* Gets the rest of the body, up to sink->total where that is known.  LP_OK: the sink has the whole.
 * Statuses otherwise are those of lp_fetch. */
LP_MUST_USE lp_status lp_http_get(lp_http *http, lp_http_sink *sink, lp_error *err);

void lp_http_close(lp_http *http); /* NULL is allowed */

#endif
