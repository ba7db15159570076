/* Downloading over HTTPS, by libcurl: a file of known digest, or a text into memory.
 *
 * A file's bytes are written to "<path>.part"; the file gets its own name only when its digest is
 * the expected one.  What an interrupted run has left in "<path>.part" is not fetched again; but
 * without a digest nothing would show that two halves are of one file, so that then it is.
 *
 *     lp_fetch_request request = {.url = "https://...", .path = "weights.pt", .sha256 = "40d3..."};
 *     status = lp_fetch(&request, &err);
 */
#ifndef LP_FETCH_FETCH_H
#define LP_FETCH_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "linprobe/status.h"

/* The last answer of a server, for messages. */
typedef struct lp_fetch_answer {
    long status;    /* of HTTP; 0: there was none */
    char code[64];  /* its header field X-Error-Code, or "" */
    bool elsewhere; /* it is another server than the one that was asked, which redirected */
} lp_fetch_answer;

typedef struct lp_fetch_request {
    const char *url;      /* https, or http to this machine itself (localhost, 127.0.0.0/8, ::1) */
    const char *token;    /* sent as "Authorization: Bearer" to the scheme, host and port of url
                             alone, not to what redirects lead to elsewhere; NULL: none */
    const char *path;     /* final name, in a folder that exists */
    const char *ending;   /* of the partial file's name; NULL: ".part" */
    uint64_t bytes;       /* expected size; 0: whatever the server says */
    const char *sha256;   /* expected digest, 64 hexadecimal digits; NULL: whatever it is */
    const char *git_blob; /* expected LP_GIT_BLOB, 40 digits, in the place of sha256; or NULL */
    const char *md5;      /* expected MD5, 32 digits, where no better one is published; or NULL */
    bool prefix;          /* the digest has only its first digits, 8 or more */
    char *found;          /* [65]: receives the file's digest; may be NULL */
    lp_fetch_answer *answer; /* may be NULL; unchanged where no server was asked */
    /* In bytes of the partial file: before the first connection, with what was there already,
     * whenever bytes arrive, and at least once a second.  `done` falls back to 0 when the server
     * starts again. */
    lp_progress progress;
    unsigned stall_seconds; /* without a byte for so long, the connection is given up; 0: 60 */
    unsigned attempts;      /* connections before failing, counted anew for each MiB; 0: 5 */
    unsigned wait_ms;       /* pause after the first lost connection, doubled after each; 0: 1000 */
} lp_fetch_request;

/* Downloads request->url to request->path.
 *
 * A file of the expected digest that is there already is kept, and nothing is fetched (without an
 * expected digest: any file); any other file under that name is left alone and is an error.
 * Redirections are followed ten times, under the same rule for URLs, and never from HTTPS to HTTP.
 * Lost connections and the HTTP statuses that may pass (408, 429, 5xx) are tried again.
 *
 * LP_OK: the file stands under its name, synced to disk.  Otherwise nothing new does, and the
 * partial file is kept (an empty one is not), unless its size or digest is wrong:
 * LP_ERR_ARGUMENT: a URL that is not allowed, or a digest or a token that cannot be one.
 * LP_ERR_IO: the network, an HTTP status, too little room, a failed write, or another process that
 * is fetching the same file.
 * LP_ERR_FORMAT: wrong size or digest, with the expected and the found one.
 * LP_CANCELLED: by progress.
 *
 * To be called from one thread at a time: the lock on the partial file is the process's, and
 * libcurl ignores SIGPIPE for the process while it runs.  libcurl heeds the environment's proxy
 * settings (https_proxy, no_proxy), except for this machine itself. */
LP_MUST_USE lp_status lp_fetch(const lp_fetch_request *request, lp_error *err);

/* Gets request->url into memory: *size bytes of at most `most`, and a zero byte behind them, which
 * the caller frees (lp_free).  Redirections, attempts and statuses are as above; LP_ERR_FORMAT:
 * more than `most` bytes.  Of the request, everything about files is ignored. */
LP_MUST_USE lp_status lp_fetch_text(const lp_fetch_request *request, size_t most, char **text,
                                    size_t *size, lp_error *err);

#endif
