/* Stage: fetch.  A URL -> a body.
 *
 *   1. request    GET, from the sink's `done` on; redirections are followed here, not by libcurl,
 * so that each target passes the same check as the first URL, and none of another host gets the
 * token
 *   2. judge      a reply's head decides whether its body is wanted, before a byte of it is taken
 *   3. attempts   until all is there: after a pause, for what may pass
 *
 * HTTP semantics are those of RFC 9110: Range 14.2, Content-Range 14.4, If-Range 13.1.5; tokens are
 * those of RFC 6750 (Bearer). */
#include "fetch/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <curl/curl.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/progress.h"

enum {
    MAX_REDIRECTS = 10,
    MAX_LOCATION = 8192,
    MAX_TOKEN = 1024,
    FRESH_BYTES = 1 << 20, /* so much more than ever before earns a new set of attempts */
    MAX_WAIT_MS = 30000,
};

/* What one request came to. */
typedef enum outcome {
    COMPLETE,   /* the server has nothing more to give */
    REDIRECTED, /* to reply.location */
    AFRESH,     /* the sink was emptied; ask again, at once */
    LOST,       /* may pass: try again after a pause */
    FAILED      /* will not pass */
} outcome;

/* The header fields of the latest reply that matter here; texts are "" where absent. */
typedef struct reply {
    char range[128];
    char etag[256];
    char code[sizeof((lp_fetch_answer *)0)->code]; /* X-Error-Code, by which the hub explains */
    char location[MAX_LOCATION];
} reply;

struct lp_http {
    const lp_fetch_request *request;
    lp_http_sink *sink;
    CURL *curl;
    CURLU *url;       /* of the current request */
    char origin[512]; /* SCHEME://HOST:PORT of the first URL: the one that may get the token */
    bool plain;       /* it is http on this machine, and so may be what it redirects to */
    bool trusted;     /* the current request goes to the origin */
    bool ranged;      /* the current request asks for the bytes from `done` on */
    bool judged;      /* the current reply's head was looked at */
    bool wanted;      /* ... and its body belongs into the sink */
    bool received;    /* some byte of the body has come in this call */
    bool cancelled;   /* by the callback */
    char etag[256];   /* strong validator of the bytes that came in this call, or "" */
    reply reply;
    lp_error why; /* of a failure inside libcurl's callbacks and elsewhere */
    char curl_text[CURL_ERROR_SIZE];
};

/* ---- URLs ------------------------------------------------------------------------------------ */

static bool is_loopback(const char *host) {
    struct in_addr v4;
    if (inet_pton(AF_INET, host, &v4) == 1) {
        return ntohl(v4.s_addr) >> 24 == 127;
    }
    return strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0;
}

/* Points t->url at `text`, which may be relative to where it points now, and checks that it may be
 * asked: https anywhere, http only on this machine, and never after https. */
static lp_status set_url(lp_http *t, const char *text, bool first) {
    char *scheme = NULL, *host = NULL, *port = NULL, origin[sizeof t->origin];
    lp_status status = LP_OK;
    CURLUcode code = curl_url_set(t->url, CURLUPART_URL, text, 0);
    code = code == CURLUE_OK ? curl_url_get(t->url, CURLUPART_SCHEME, &scheme, 0) : code;
    code = code == CURLUE_OK ? curl_url_get(t->url, CURLUPART_HOST, &host, 0) : code;
    code =
        code == CURLUE_OK ? curl_url_get(t->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) : code;
    if (code == CURLUE_OUT_OF_MEMORY) {
        LP_TRY(lp_fail_memory(&t->why, "URL", strlen(text), 1));
    }
    if (code != CURLUE_OK) {
        LP_TRY(lp_fail(&t->why, LP_ERR_ARGUMENT, "%s: not a URL of https://HOST/PATH", text));
    }
    bool loopback = is_loopback(host);
    t->plain = strcmp(scheme, "http") == 0 && loopback && (first || t->plain);
    if (strcmp(scheme, "https") != 0 && !t->plain) {
        LP_TRY(lp_fail(&t->why, LP_ERR_ARGUMENT,
                       "%s: expected https (http only from this machine to itself), found %s to %s",
                       text, scheme, host));
    }
    int length = snprintf(origin, sizeof origin, "%s://%s:%s", scheme, host, port);
    if (first) {
        memcpy(t->origin, origin, sizeof origin);
    }
    t->trusted = length < (int)sizeof origin && strcasecmp(origin, t->origin) == 0;
    /* A proxy's idea of "localhost" would be the proxy. */
    (void)curl_easy_setopt(t->curl, CURLOPT_NOPROXY, loopback ? "*" : NULL);
done:
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    return status;
}

/* ---- one reply ------------------------------------------------------------------------------- */

/* Copies the value of header field `name`.  One that does not fit, or holds control characters
 * (which would reach the terminal with a message), counts as absent. */
static void take_field(const char *line, size_t size, const char *name, char *value,
                       size_t capacity) {
    size_t start = strlen(name);
    if (size <= start || strncasecmp(line, name, start) != 0 || line[start] != ':') {
        return;
    }
    for (start++; start < size && (line[start] == ' ' || line[start] == '\t'); start++) {
    }
    while (size > start && strchr(" \t\r\n", line[size - 1]) != NULL) {
        size--;
    }
    value[0] = '\0';
    for (size_t i = start; i < size; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
            return;
        }
    }
    if (size - start < capacity) {
        memcpy(value, line + start, size - start);
        value[size - start] = '\0';
    }
}

static size_t take_header(char *line, size_t size, size_t count, void *context) {
    lp_http *t = context;
    reply *r = &t->reply;
    size_t length = size * count;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* also after "100 Continue" */
        r->range[0] = r->etag[0] = r->code[0] = r->location[0] = '\0';
    }
    take_field(line, length, "Content-Range", r->range, sizeof r->range);
    take_field(line, length, "ETag", r->etag, sizeof r->etag);
    take_field(line, length, "X-Error-Code", r->code, sizeof r->code);
    take_field(line, length, "Location", r->location, sizeof r->location);
    return length;
}

static bool take_number(const char **text, uint64_t *value) {
    char *end;
    if (**text < '0' || **text > '9') { /* strtoull takes white space and signs, too */
        return false;
    }
    errno = 0;
    *value = strtoull(*text, &end, 10);
    *text = end;
    return errno == 0;
}

/* "bytes FIRST-LAST/TOTAL", or "bytes * /TOTAL" (without the space), which gives *first = TOTAL.
 * An unknown total ("*") gives 0. */
static bool parse_content_range(const char *text, uint64_t *first, uint64_t *total) {
    uint64_t last;
    bool unsatisfied = strncasecmp(text, "bytes */", 8) == 0;
    if (!unsatisfied && strncasecmp(text, "bytes ", 6) != 0) {
        return false;
    }
    text += unsatisfied ? 8 : 6;
    if (!unsatisfied && (!take_number(&text, first) || *text++ != '-' ||
                         !take_number(&text, &last) || last < *first || *text++ != '/')) {
        return false;
    }
    *total = 0;
    bool complete =
        take_number(&text, total) ? *text == '\0' : !unsatisfied && strcmp(text, "*") == 0;
    *first = unsatisfied ? *total : *first;
    return complete;
}

static long reply_code(const lp_http *t) {
    long code = 0;
    (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

/* Looks at a reply's head before any byte of its body is written. */
static lp_status judge_reply(lp_http *t) {
    lp_http_sink *sink = t->sink;
    long code = reply_code(t);
    curl_off_t length = -1;
    uint64_t first = 0, total = 0;
    lp_status status;
    t->judged = true;
    if (code == 206 && t->ranged) {
        t->wanted = parse_content_range(t->reply.range, &first, &total) && first == sink->done;
    } else if (code == 200) { /* all of it, even if asked for less */
        t->wanted = true;
        (void)curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        total = length > 0 ? (uint64_t)length : 0;
    }
    if (!t->wanted) {
        return LP_OK;
    }
    if (total > 0 && sink->total > 0 && total != sink->total) {
        LP_TRY(lp_fail(&t->why, LP_ERR_FORMAT, "%s: expected %llu bytes, the server has %llu",
                       t->request->url, (unsigned long long)sink->total,
                       (unsigned long long)total));
    }
    sink->total = total > 0 ? total : sink->total; /* what the server gives for the whole file */
    bool strong = t->reply.etag[0] == '"';         /* only these may stand in If-Range */
    memcpy(t->etag, strong ? t->reply.etag : "", strong ? sizeof t->etag : 1);
    if (code == 200 && sink->done > 0) {
        LP_TRY(sink->empty(sink, &t->why));
    }
    LP_TRY(sink->expect(sink, &t->why));
done:
    return status;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    lp_http *t = context;
    lp_http_sink *sink = t->sink;
    size_t length = size * count;
    if ((!t->judged && judge_reply(t) != LP_OK) || !t->wanted) {
        return 0; /* ends the transfer: an error page is not read to its end */
    }
    if (sink->total > 0 && length > sink->total - sink->done) {
        sink->spoiled = true;
        (void)lp_fail(&t->why, LP_ERR_FORMAT, "%s: expected %llu bytes, the server sends more",
                      t->request->url, (unsigned long long)sink->total);
        return 0;
    }
    if (sink->put(sink, bytes, length, &t->why) != LP_OK) {
        return 0;
    }
    sink->done += length;
    t->received = true;
    return length;
}

static bool report_progress(lp_http *t) {
    t->cancelled = t->cancelled ||
                   !lp_progress_step(&t->request->progress, t->sink->done, t->sink->total, NULL);
    return !t->cancelled;
}

static int take_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                         curl_off_t up) {
    (void)down_total, (void)down, (void)up_total, (void)up;
    return report_progress(context) ? 0 : 1;
}

/* ---- one request ----------------------------------------------------------------------------- */

static bool may_pass(const lp_http *t, CURLcode code) {
    curl_off_t connected = 0;
    switch (code) {
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    case CURLE_OPERATION_TIMEDOUT: /* in the middle: the network; at the start: a wrong address */
        (void)curl_easy_getinfo(t->curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
        return connected > 0 || t->received;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
        return t->received;
    default:
        return false;
    }
}

static outcome fail(lp_http *t, outcome result, lp_status status, const char *text) {
    (void)lp_fail(&t->why, status, "%s: %s", t->request->url, text);
    return result;
}

/* Judges a request that ended with `code` of libcurl's. */
static outcome judge_end(lp_http *t, CURLcode code) {
    char text[CURL_ERROR_SIZE + 64];
    if (t->cancelled) {
        return fail(t, FAILED, LP_CANCELLED, "cancelled");
    }
    if (code == CURLE_OK && !t->judged) { /* a body of no bytes */
        (void)judge_reply(t);
    }
    if (t->why.status != LP_OK) {
        return FAILED;
    }
    if (t->request->answer != NULL) {
        t->request->answer->status = reply_code(t);
        t->request->answer->elsewhere = !t->trusted;
        memcpy(t->request->answer->code, t->reply.code, sizeof t->reply.code);
    }
    if (t->judged && !t->wanted) { /* the write error here is our own: the body was not read */
        long http = reply_code(t);
        uint64_t first, total;
        bool moved = http == 301 || http == 302 || http == 303 || http == 307 || http == 308;
        if (moved && t->reply.location[0] != '\0') {
            return REDIRECTED;
        }
        if (t->ranged && (http == 206 || http == 416)) {
            if (http == 416 && parse_content_range(t->reply.range, &first, &total) &&
                total == t->sink->done) {
                return COMPLETE;
            }
            return t->sink->empty(t->sink, &t->why) == LP_OK ? AFRESH : FAILED;
        }
        (void)snprintf(text, sizeof text, "expected HTTP status 200, found %ld", http);
        return fail(t, http == 408 || http == 429 || http >= 500 ? LOST : FAILED, LP_ERR_IO, text);
    }
    if (code == CURLE_OK) {
        return COMPLETE;
    }
    if (code == CURLE_OUT_OF_MEMORY) {
        return fail(t, FAILED, LP_ERR_MEMORY, "out of memory");
    }
    (void)snprintf(text, sizeof text, "%s%s",
                   t->curl_text[0] != '\0' ? t->curl_text : curl_easy_strerror(code),
                   code == CURLE_SSL_CACERT_BADFILE ? " (is ca-certificates installed?)" : "");
    return fail(t, may_pass(t, code) ? LOST : FAILED, LP_ERR_IO, text);
}

/* Appends "NAME: VALUE" to the header fields of a request. */
static CURLcode add_field(struct curl_slist **fields, const char *name, const char *value) {
    char line[MAX_TOKEN + 64];
    (void)snprintf(line, sizeof line, "%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(*fields, line);
    *fields = longer != NULL ? longer : *fields;
    return longer != NULL ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

/* Asks t->url for the bytes from t->sink->done on. */
static outcome request_once(lp_http *t) {
    char range[32], bearer[MAX_TOKEN + 16];
    struct curl_slist *fields = NULL;
    CURLcode code = CURLE_OK;
    t->ranged = t->sink->done > 0;
    t->judged = t->wanted = false;
    t->why.status = LP_OK;
    t->curl_text[0] = '\0';
    t->reply = (reply){0};
    (void)snprintf(range, sizeof range, "%llu-", (unsigned long long)t->sink->done);
    if (t->ranged && t->etag[0] != '\0') {
        code = add_field(&fields, "If-Range", t->etag);
    }
    if (code == CURLE_OK && t->request->token != NULL && t->trusted) {
        (void)snprintf(bearer, sizeof bearer, "Bearer %s", t->request->token);
        code = add_field(&fields, "Authorization", bearer);
    }
    (void)curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, fields);
    if (code == CURLE_OK) {
        code = curl_easy_setopt(t->curl, CURLOPT_RANGE, t->ranged ? range : NULL);
    }
    code = code == CURLE_OK ? curl_easy_setopt(t->curl, CURLOPT_CURLU, t->url) : code;
    code = code == CURLE_OK ? curl_easy_perform(t->curl) : code;
    outcome result = judge_end(t, code);
    (void)curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, (struct curl_slist *)NULL);
    curl_slist_free_all(fields);
    return result;
}

/* One request and the redirections it leads to. */
static outcome request_through(lp_http *t) {
    if (set_url(t, t->request->url, true) != LP_OK) {
        return FAILED;
    }
    for (int hops = 0; hops <= MAX_REDIRECTS; hops++) {
        outcome result = request_once(t);
        if (result != REDIRECTED) {
            return result;
        }
        if (set_url(t, t->reply.location, false) != LP_OK) {
            (void)lp_prefix(&t->why, LP_ERR_IO, "%s: redirected to ", t->request->url);
            return FAILED;
        }
    }
    return fail(t, FAILED, LP_ERR_IO, "more than 10 redirections");
}

/* ---- attempts -------------------------------------------------------------------------------- */

/* Sleeps, and lets the callback cancel meanwhile. */
static bool pause_for(lp_http *t, unsigned ms) {
    while (ms > 0) {
        unsigned slice = ms < 100 ? ms : 100;
        struct timespec rest = {.tv_nsec = (long)slice * 1000000};
        (void)nanosleep(&rest, NULL);
        ms -= slice;
        if (!report_progress(t)) {
            (void)fail(t, FAILED, LP_CANCELLED, "cancelled");
            return false;
        }
    }
    return true;
}

static lp_status get(lp_http *t) {
    lp_http_sink *sink = t->sink;
    unsigned attempts = t->request->attempts > 0 ? t->request->attempts : 5;
    unsigned wait_ms = t->request->wait_ms > 0 ? t->request->wait_ms : 1000;
    unsigned wait = wait_ms, lost = 0;
    uint64_t mark = sink->done; /* the most there has been */
    if (!report_progress(t)) {
        return lp_fail(&t->why, LP_CANCELLED, "cancelled");
    }
    while (sink->total == 0 || sink->done < sink->total) {
        switch (request_through(t)) {
        case COMPLETE:
            if (sink->total > 0 && sink->done != sink->total) {
                sink->spoiled = true;
                return lp_fail(&t->why, LP_ERR_FORMAT,
                               "%s: expected %llu bytes, the server sent %llu", t->request->url,
                               (unsigned long long)sink->total, (unsigned long long)sink->done);
            }
            sink->total = sink->done;
            return LP_OK;
        case AFRESH:
        case REDIRECTED:
            break;
        case LOST:
            if (sink->done > mark && sink->done - mark >= FRESH_BYTES) {
                mark = sink->done;
                lost = 0;
                wait = wait_ms;
            }
            if (++lost >= attempts) {
                return lp_prefix(&t->why, t->why.status, "after %u attempts: ", lost);
            }
            if (!pause_for(t, wait)) {
                return t->why.status;
            }
            wait = wait < MAX_WAIT_MS / 2 ? 2 * wait : MAX_WAIT_MS;
            break;
        case FAILED:
            return t->why.status;
        }
    }
    return LP_OK;
}

/* ---- the handle ------------------------------------------------------------------------------ */

/* A token stands in a header field and must not end it. */
static lp_status check_token(const char *token, lp_error *err) {
    size_t length = token != NULL ? strlen(token) : 0;
    for (size_t i = 0; i < length; i++) {
        if (token[i] <= ' ' || token[i] > '~') {
            return lp_fail(err, LP_ERR_ARGUMENT,
                           "the token for the download has a blank, a control character or a "
                           "letter outside ASCII at its character %zu",
                           i + 1);
        }
    }
    return length <= MAX_TOKEN
               ? LP_OK
               : lp_fail(err, LP_ERR_ARGUMENT,
                         "the token for the download has %zu characters, expected at most %d",
                         length, MAX_TOKEN);
}

static lp_status prepare_curl(lp_http *t) {
    unsigned stall = t->request->stall_seconds;
    CURL *c = t->curl = curl_easy_init();
    t->url = curl_url();
    if (c == NULL || t->url == NULL) {
        return lp_fail(&t->why, LP_ERR_MEMORY, "out of memory: libcurl cannot start");
    }
    /* TLS is verified by libcurl's default, and redirections are not followed; nothing here changes
     * that.  The schemes are checked by set_url, too. */
#if LIBCURL_VERSION_NUM >= 0x075500
    CURLcode code = curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    CURLcode code =
        curl_easy_setopt(c, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    if (code == CURLE_OK) {
        code = curl_easy_setopt(c, CURLOPT_USERAGENT, "linprobe/" LP_VERSION);
    }
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->curl_text);
    (void)curl_easy_setopt(c, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, take_progress);
    (void)curl_easy_setopt(c, CURLOPT_XFERINFODATA, t);
    (void)curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 30L);
    (void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, stall > 0 ? (long)stall : 60L);
    return code == CURLE_OK
               ? LP_OK
               : lp_fail(&t->why, LP_ERR_UNSUPPORTED, "libcurl: %s", curl_easy_strerror(code));
}

lp_status lp_http_open(const lp_fetch_request *request, lp_http **out, lp_error *err) {
    lp_http *t = lp_alloc_zeroed(1, sizeof *t);
    lp_status status;
    LP_TRY(lp_allocated(t, request->url, 1, sizeof *t, err));
    t->request = request;
    LP_TRY(check_token(request->token, &t->why));
    LP_TRY(prepare_curl(t));
    LP_TRY(set_url(t, request->url, true));
done:
    if (status != LP_OK) {
        if (t != NULL) {
            (void)lp_fail(err, status, "%s", t->why.text);
        }
        lp_http_close(t);
        t = NULL;
    }
    *out = t;
    return status;
}

lp_status lp_http_get(lp_http *http, lp_http_sink *sink, lp_error *err) {
    http->sink = sink;
    lp_status status = get(http);
    return status == LP_OK ? LP_OK : lp_fail(err, status, "%s", http->why.text);
}

void lp_http_close(lp_http *http) {
    if (http != NULL) {
        curl_url_cleanup(http->url);
        curl_easy_cleanup(http->curl);
        lp_free(http);
    }
}
