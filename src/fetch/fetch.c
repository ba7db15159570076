/* Stage: fetch.  A URL -> a file of known SHA-256.
 *
 *   1. claim      <path>.part is opened and locked; its size is where the download goes on
 *   2. room       the file system has space for the rest
 *   3. download   GET, from that byte on, until all is there: redirections are followed here, not
 *                 by libcurl, so that each target passes the same check as the first URL
 *   4. publish    fsync, SHA-256 of what is on disk, rename to <path>, sync of the folder
 *
 * HTTP semantics are those of RFC 9110: Range 14.2, Content-Range 14.4, If-Range 13.1.5.
 *
 * Longer than 600 lines: all steps, and libcurl's callbacks between them, share one struct, the
 * transfer, which is nobody else's. */
#include "fetch/fetch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/alloc.h"
#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"

enum {
    MAX_REDIRECTS = 10,
    MAX_LOCATION = 8192,
    FRESH_BYTES = 1 << 20, /* so much more than ever before earns a new set of attempts */
    MAX_WAIT_MS = 30000,
};

/* What one request came to. */
typedef enum outcome {
    COMPLETE,   /* the server has nothing more to give */
    REDIRECTED, /* to reply.location */
    AFRESH,     /* the partial file was emptied; ask again, at once */
    LOST,       /* may pass: try again after a pause */
    FAILED      /* will not pass */
} outcome;

/* The header fields of the latest reply that matter here; texts are "" where absent. */
typedef struct reply {
    char range[128];
    char etag[256];
    char location[MAX_LOCATION];
} reply;

typedef struct transfer {
    const lp_fetch_request *request;
    char part[LP_PATH_ROOM];
    int fd;
    uint64_t done;  /* bytes in the partial file */
    uint64_t total; /* of the whole file; 0: not known yet */
    CURL *curl;
    CURLU *url;     /* of the current request */
    bool plain;     /* it is http on this machine, and so may be what it redirects to */
    bool ranged;    /* the current request asks for the bytes from `done` on */
    bool judged;    /* the current reply's head was looked at */
    bool wanted;    /* ... and its body belongs into the file */
    bool received;  /* some byte of the file has come in this call */
    bool cancelled; /* by the callback */
    bool spoiled;   /* the partial file is known to be wrong */
    char etag[256]; /* strong validator of the bytes that came in this call, or "" */
    reply reply;
    lp_error why; /* of a failure inside libcurl's callbacks and elsewhere */
    char curl_text[CURL_ERROR_SIZE];
} transfer;

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
static lp_status set_url(transfer *t, const char *text, bool first) {
    char *scheme = NULL, *host = NULL;
    lp_status status = LP_OK;
    CURLUcode code = curl_url_set(t->url, CURLUPART_URL, text, 0);
    code = code == CURLUE_OK ? curl_url_get(t->url, CURLUPART_SCHEME, &scheme, 0) : code;
    code = code == CURLUE_OK ? curl_url_get(t->url, CURLUPART_HOST, &host, 0) : code;
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
    /* A proxy's idea of "localhost" would be the proxy. */
    (void)curl_easy_setopt(t->curl, CURLOPT_NOPROXY, loopback ? "*" : NULL);
done:
    curl_free(scheme);
    curl_free(host);
    return status;
}

/* ---- digests --------------------------------------------------------------------------------- */

static lp_status check_digits(const lp_fetch_request *request, lp_error *err) {
    size_t length = request->sha256 != NULL ? strlen(request->sha256) : 64;
    bool fits = request->prefix ? length >= 8 && length <= 64 : length == 64;
    if (request->sha256 != NULL &&
        (!fits || strspn(request->sha256, "0123456789abcdefABCDEF") != length)) {
        return lp_fail(err, LP_ERR_ARGUMENT,
                       "%s: expected a SHA-256 of %s64 hexadecimal digits, found '%s'",
                       request->url, request->prefix ? "8 to " : "", request->sha256);
    }
    return LP_OK;
}

/* Compares a file's digest with the expected one, and hands it on. */
static bool is_expected(const lp_fetch_request *request, const char found[LP_DIGEST_HEX]) {
    if (request->found != NULL) {
        memcpy(request->found, found, LP_DIGEST_HEX);
    }
    return request->sha256 == NULL ||
           strncasecmp(found, request->sha256, strlen(request->sha256)) == 0;
}

/* ---- the partial file ------------------------------------------------------------------------ */

/* Is the file there already, so that nothing is left to do? */
static lp_status find_finished(const lp_fetch_request *request, bool *finished, lp_error *err) {
    char found[LP_DIGEST_HEX];
    struct stat info;
    lp_status status;
    *finished = false;
    if (stat(request->path, &info) != 0) {
        return LP_OK; /* what is wrong with the folder shows at the partial file */
    }
    if (!S_ISREG(info.st_mode)) {
        return lp_fail(err, LP_ERR_IO, "%s: expected a file's name, found %s", request->path,
                       S_ISDIR(info.st_mode) ? "a folder" : "something else");
    }
    LP_TRY(lp_digest_file(LP_SHA256, request->path, found, err));
    *finished = is_expected(request, found);
    if (!*finished) {
        LP_TRY(lp_fail(err, LP_ERR_FORMAT,
                       "%s: is there already, with SHA-256 %s, expected %s; move it away to "
                       "fetch it anew",
                       request->path, found, request->sha256));
    }
done:
    return status;
}

static lp_status lock_part(transfer *t) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(t->fd, F_SETLK, &lock) == 0) {
        return LP_OK;
    }
    if (errno != EACCES && errno != EAGAIN) {
        return lp_fail_errno(&t->why, errno, "%s: cannot be locked", t->part);
    }
    struct flock holder = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    long pid = fcntl(t->fd, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK ? holder.l_pid : 0;
    return lp_fail(&t->why, LP_ERR_IO, "%s: another process (%ld) is fetching this file", t->part,
                   pid);
}

/* Opens and locks the partial file.  Between the two, its owner may have renamed or removed it;
 * then this is no longer the file of that name, and writing to it would damage a finished one. */
static lp_status claim_part(transfer *t) {
    struct stat opened, named;
    lp_status status = LP_OK;
    for (int tries = 0; tries < 100 && status == LP_OK; tries++) {
        t->fd = open(t->part, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (t->fd < 0) {
            return lp_fail_errno(&t->why, errno, "%s: cannot be created", t->part);
        }
        if (fstat(t->fd, &opened) != 0 || !S_ISREG(opened.st_mode)) {
            status =
                lp_fail(&t->why, LP_ERR_IO, "%s: expected a file, found something else", t->part);
        } else {
            status = lock_part(t);
        }
        if (status == LP_OK && fstat(t->fd, &opened) == 0 && stat(t->part, &named) == 0 &&
            named.st_dev == opened.st_dev && named.st_ino == opened.st_ino) {
            t->done = (uint64_t)opened.st_size;
            return LP_OK;
        }
        (void)close(t->fd);
        t->fd = -1;
    }
    return status != LP_OK ? status
                           : lp_fail(&t->why, LP_ERR_IO,
                                     "%s: other processes keep replacing this file", t->part);
}

static lp_status empty_part(transfer *t) {
    if (ftruncate(t->fd, 0) != 0) {
        return lp_fail_errno(&t->why, errno, "%s: cannot be emptied", t->part);
    }
    t->done = 0;
    return LP_OK;
}

static lp_status check_room(transfer *t) {
    struct statvfs system;
    uint64_t room;
    if (t->total <= t->done || fstatvfs(t->fd, &system) != 0 ||
        !lp_mul_u64(system.f_bavail, system.f_frsize, &room) || room >= t->total - t->done) {
        return LP_OK;
    }
    return lp_fail(&t->why, LP_ERR_IO, "%s: needs %llu bytes more, only %llu are free on its disk",
                   t->part, (unsigned long long)(t->total - t->done), (unsigned long long)room);
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
    transfer *t = context;
    reply *r = &t->reply;
    size_t length = size * count;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) { /* also after "100 Continue" */
        r->range[0] = r->etag[0] = r->location[0] = '\0';
    }
    take_field(line, length, "Content-Range", r->range, sizeof r->range);
    take_field(line, length, "ETag", r->etag, sizeof r->etag);
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

static long reply_code(const transfer *t) {
    long code = 0;
    (void)curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &code);
    return code;
}

/* Looks at a reply's head before any byte of its body is written. */
static lp_status judge_reply(transfer *t) {
    long code = reply_code(t);
    curl_off_t length = -1;
    uint64_t first = 0, total = 0;
    lp_status status;
    t->judged = true;
    if (code == 206 && t->ranged) {
        t->wanted = parse_content_range(t->reply.range, &first, &total) && first == t->done;
    } else if (code == 200) { /* all of it, even if asked for less */
        t->wanted = true;
        (void)curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
        total = length > 0 ? (uint64_t)length : 0;
    }
    if (!t->wanted) {
        return LP_OK;
    }
    if (total > 0 && t->total > 0 && total != t->total) {
        LP_TRY(lp_fail(&t->why, LP_ERR_FORMAT, "%s: expected %llu bytes, the server has %llu",
                       t->request->url, (unsigned long long)t->total, (unsigned long long)total));
    }
    t->total = total > 0 ? total : t->total; /* what the server gives for the whole file */
    bool strong = t->reply.etag[0] == '"';   /* only these may stand in If-Range */
    memcpy(t->etag, strong ? t->reply.etag : "", strong ? sizeof t->etag : 1);
    if (code == 200 && t->done > 0) {
        LP_TRY(empty_part(t));
    }
    LP_TRY(check_room(t));
done:
    return status;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *context) {
    transfer *t = context;
    size_t length = size * count;
    if ((!t->judged && judge_reply(t) != LP_OK) || !t->wanted) {
        return 0; /* ends the transfer: an error page is not read to its end */
    }
    if (t->total > 0 && length > t->total - t->done) {
        t->spoiled = true;
        (void)lp_fail(&t->why, LP_ERR_FORMAT, "%s: expected %llu bytes, the server sends more",
                      t->request->url, (unsigned long long)t->total);
        return 0;
    }
    if (lp_write_all(t->fd, t->part, bytes, length, &t->why) != LP_OK) {
        if (t->total > 0) {
            (void)lp_prefix(&t->why, LP_ERR_IO, "%llu of %llu bytes written, %llu more needed: ",
                            (unsigned long long)t->done, (unsigned long long)t->total,
                            (unsigned long long)(t->total - t->done));
        }
        return 0;
    }
    t->done += length;
    t->received = true;
    return length;
}

static bool report_progress(transfer *t) {
    t->cancelled =
        t->cancelled || !lp_progress_step(&t->request->progress, t->done, t->total, NULL);
    return !t->cancelled;
}

static int take_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                         curl_off_t up) {
    (void)down_total, (void)down, (void)up_total, (void)up;
    return report_progress(context) ? 0 : 1;
}

/* ---- one request ----------------------------------------------------------------------------- */

static bool may_pass(const transfer *t, CURLcode code) {
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

static outcome fail(transfer *t, outcome result, lp_status status, const char *text) {
    (void)lp_fail(&t->why, status, "%s: %s", t->request->url, text);
    return result;
}

/* Judges a request that ended with `code` of libcurl's. */
static outcome judge_end(transfer *t, CURLcode code) {
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
    if (t->judged && !t->wanted) { /* the write error here is our own: the body was not read */
        long http = reply_code(t);
        uint64_t first, total;
        bool moved = http == 301 || http == 302 || http == 303 || http == 307 || http == 308;
        if (moved && t->reply.location[0] != '\0') {
            return REDIRECTED;
        }
        if (t->ranged && (http == 206 || http == 416)) {
            if (http == 416 && parse_content_range(t->reply.range, &first, &total) &&
                total == t->done) {
                return COMPLETE;
            }
            return empty_part(t) == LP_OK ? AFRESH : FAILED;
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

/* Asks t->url for the bytes from t->done on. */
static outcome request_once(transfer *t) {
    char range[32], condition[sizeof t->etag + 16];
    struct curl_slist *headers = NULL;
    CURLcode code = CURLE_OK;
    t->ranged = t->done > 0;
    t->judged = t->wanted = false;
    t->why.status = LP_OK;
    t->curl_text[0] = '\0';
    t->reply = (reply){0};
    (void)snprintf(range, sizeof range, "%llu-", (unsigned long long)t->done);
    if (t->ranged && t->etag[0] != '\0') {
        (void)snprintf(condition, sizeof condition, "If-Range: %s", t->etag);
        headers = curl_slist_append(NULL, condition);
        code = headers != NULL ? CURLE_OK : CURLE_OUT_OF_MEMORY;
    }
    (void)curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, headers);
    if (code == CURLE_OK) {
        code = curl_easy_setopt(t->curl, CURLOPT_RANGE, t->ranged ? range : NULL);
    }
    code = code == CURLE_OK ? curl_easy_setopt(t->curl, CURLOPT_CURLU, t->url) : code;
    code = code == CURLE_OK ? curl_easy_perform(t->curl) : code;
    outcome result = judge_end(t, code);
    (void)curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, (struct curl_slist *)NULL);
    curl_slist_free_all(headers);
    return result;
}

/* One request and the redirections it leads to. */
static outcome request_through(transfer *t) {
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

/* ---- the whole download ---------------------------------------------------------------------- */

/* Sleeps, and lets the callback cancel meanwhile. */
static bool pause_for(transfer *t, unsigned ms) {
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

static lp_status download(transfer *t) {
    unsigned attempts = t->request->attempts > 0 ? t->request->attempts : 5;
    unsigned wait_ms = t->request->wait_ms > 0 ? t->request->wait_ms : 1000;
    unsigned wait = wait_ms, lost = 0;
    uint64_t mark = t->done; /* the most there has been */
    if (!report_progress(t)) {
        return lp_fail(&t->why, LP_CANCELLED, "cancelled");
    }
    while (t->total == 0 || t->done < t->total) {
        switch (request_through(t)) {
        case COMPLETE:
            if (t->total > 0 && t->done != t->total) {
                t->spoiled = true;
                return lp_fail(&t->why, LP_ERR_FORMAT,
                               "%s: expected %llu bytes, the server sent %llu", t->request->url,
                               (unsigned long long)t->total, (unsigned long long)t->done);
            }
            t->total = t->done;
            return LP_OK;
        case AFRESH:
        case REDIRECTED:
            break;
        case LOST:
            if (t->done > mark && t->done - mark >= FRESH_BYTES) {
                mark = t->done;
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

static lp_status verify(transfer *t) {
    char found[LP_DIGEST_HEX];
    lp_status status;
    if (fsync(t->fd) != 0) {
        return lp_fail_errno(&t->why, errno, "%s: cannot be synced", t->part);
    }
    /* Not by name: closing any descriptor of the file would drop the lock. */
    LP_TRY(lp_digest_descriptor(LP_SHA256, t->fd, t->part, found, &t->why));
    if (!is_expected(t->request, found)) {
        t->spoiled = true;
        LP_TRY(lp_fail(&t->why, LP_ERR_FORMAT,
                       "%s: expected SHA-256 %s, found %s in %llu bytes; they were discarded",
                       t->request->url, t->request->sha256, found, (unsigned long long)t->done));
    }
done:
    return status;
}

static lp_status prepare_curl(transfer *t) {
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

/* After a failure: removes the partial file when it is empty, known to be wrong or could not be
 * verified with what follows, and otherwise says that it stays. */
static void leave_part(transfer *t) {
    if (t->done == 0 || t->spoiled || t->request->sha256 == NULL) {
        (void)unlink(t->part);
    } else {
        size_t used = strlen(t->why.text);
        (void)snprintf(t->why.text + used, sizeof t->why.text - used,
                       "; %llu bytes are kept in %s, and the next run goes on from there",
                       (unsigned long long)t->done, t->part);
    }
}

/* The steps that need the lock. */
static lp_status fetch_claimed(transfer *t) {
    bool finished;
    lp_status status;
    LP_TRY(find_finished(t->request, &finished, &t->why));
    if (finished) { /* by the process that held the lock before */
        (void)unlink(t->part);
        return LP_OK;
    }
    if ((t->total > 0 && t->done > t->total) || t->request->sha256 == NULL) {
        LP_TRY(empty_part(t));
    }
    LP_TRY(check_room(t));
    LP_TRY(download(t));
    LP_TRY(verify(t));
    if (rename(t->part, t->request->path) != 0) {
        LP_TRY(lp_fail_errno(&t->why, errno, "%s: cannot be renamed to %s", t->part,
                             t->request->path));
    }
    return lp_sync_parent(t->request->path, &t->why);
done:
    leave_part(t);
    return status;
}

static lp_status fetch(transfer *t) {
    lp_status status;
    LP_TRY(lp_path_print(t->part, &t->why, "%s.part", t->request->path));
    LP_TRY(prepare_curl(t));
    LP_TRY(set_url(t, t->request->url, true)); /* before anything is created */
    LP_TRY(claim_part(t));
    status = fetch_claimed(t);
    (void)close(t->fd);
done:
    curl_url_cleanup(t->url);
    curl_easy_cleanup(t->curl);
    return status;
}

lp_status lp_fetch(const lp_fetch_request *request, lp_error *err) {
    bool finished = false;
    transfer *t = NULL;
    lp_status status;
    LP_TRY(check_digits(request, err));
    LP_TRY(find_finished(request, &finished, err));
    if (finished) {
        return LP_OK;
    }
    t = lp_alloc_zeroed(1, sizeof *t);
    LP_TRY(lp_allocated(t, request->path, 1, sizeof *t, err));
    t->request = request;
    t->total = request->bytes;
    status = fetch(t);
    if (status != LP_OK) {
        (void)lp_fail(err, status, "%s", t->why.text);
    }
done:
    lp_free(t);
    return status;
}
